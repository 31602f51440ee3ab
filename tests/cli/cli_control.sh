# cli_control.sh - a Loop and an If whose course is known at run time only: check, ternarize, compile and run agree.
. "$TERNC_SOURCE/tests/cli/expect.sh"
make_models

inputs="--input x=m/ones.npy --input limit=m/forty.npy"
expect 0 "" ternc run m/while.onnx $inputs
says "-8 -16 -24"
expect 0 "" ternc check m/while.onnx $inputs
says "PASS"
says "not run"
expect 0 "" ternc check m/while.onnx $inputs --cc gcc --cflags "-O2 -fsanitize=address,undefined"
expect 0 "" ternc compile m/while.onnx -o a --name w
grep -q "for (int64_t loop" a/w.c || complain "the loop is no loop"
grep -q "count in full. Loops count as if they ran once." a/w.h || complain "the header does not say what a loop counts"
grep -q "} else {" a/w.c || complain "the If is none"
mkdir again
expect 0 "" ternc ternarize m/while.onnx -o again/while.onnx
/usr/bin/python3 - <<'P' || complain "the model that ternarize writes is not valid"
import onnx
onnx.checker.check_model(onnx.load("again/while.onnx"), full_check=True)
P
expect 0 "" ternc compile again/while.onnx -o b --name w
same a/w.h b/w.h
same a/w.c b/w.c

# Zeros double for ever: their sum stays below any limit.
/usr/bin/python3 -c 'import numpy as np; np.save("zeros", np.zeros(3, np.float32))'
ternc check m/while.onnx --input x=zeros.npy --input limit=m/forty.npy >out 2>err && complain "an endless loop passes"
says "a loop makes more than 256 MB of values; if it does not end on random inputs, give others: --input FILE"
# A NaN in the file may have a sign, the one in C has none: both are the same.
/usr/bin/python3 - <<'END' || exit 1
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

nan = numpy_helper.from_array(np.zeros(1, np.float32), "nan")
nan.raw_data = bytes.fromhex("0000c0ff")
body_nodes = [helper.make_node("Identity", ["go"], ["go_on"]), helper.make_node("Neg", ["v"], ["v_next"])]
body_in = [helper.make_tensor_value_info("i", TensorProto.INT64, []), helper.make_tensor_value_info("go", TensorProto.BOOL, []),
           helper.make_tensor_value_info("v", TensorProto.FLOAT, [1])]
body_out = [helper.make_tensor_value_info("go_on", TensorProto.BOOL, []), helper.make_tensor_value_info("v_next", TensorProto.FLOAT, [1])]
body = helper.make_graph(body_nodes, "body", body_in, body_out)
nodes = [helper.make_node("Loop", ["trips", "", "nan"], ["y"], body=body), helper.make_node("Identity", ["nan"], ["z"])]
trips = helper.make_tensor_value_info("trips", TensorProto.INT64, [])
outputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in ("y", "z")]
graph = helper.make_graph(nodes, "nan", [trips], outputs, [nan])
onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]), "m/nan.onnx")
END
expect 0 "" ternc check m/nan.onnx --method none
finish
