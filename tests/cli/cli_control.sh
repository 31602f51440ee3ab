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
finish
