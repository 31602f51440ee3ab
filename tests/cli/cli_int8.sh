# cli_int8.sh - activations of 8 bits: accuracy, check for several targets, and what is said where they cannot be had.
. "$TERNC_SOURCE/tests/cli/expect.sh"
need_onnx
need clang
/usr/bin/python3 - <<'P' || exit 1
import numpy as np, onnx
from onnx import helper, numpy_helper, TensorProto
rng = np.random.RandomState(0)

def write(name, nodes, inputs, outputs, **constants):
    info = [[helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in v.items()] for v in (inputs, outputs)]
    graph = helper.make_graph([helper.make_node(*n) for n in nodes], name, *info,
                              [numpy_helper.from_array(v.astype(np.float32), n) for n, v in constants.items()])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), name + ".onnx")

head = [("Conv", ["x", "w", "b"], ["c"]), ("Relu", ["c"], ["r"]), ("Flatten", ["r"], ["l"]), ("MatMul", ["l", "f"], ["y"])]
other = [("Conv", ["x", "w"], ["c2"]), ("Relu", ["c2"], ["r2"]), ("Flatten", ["r2"], ["l2"]), ("MatMul", ["l2", "f"], ["z"])]
values = dict(w=rng.randn(4, 3, 3, 3) * .3, b=rng.randn(4), f=rng.randn(64, 5))
x = {"x": [1, 3, 6, 6]}
write("conv", head, x, {"y": [1, 5]}, **values)
write("inner", head, x, {"y": [1, 5], "r": [1, 4, 4, 4]}, **values)
write("heads", head + other, x, {"y": [1, 5], "z": [1, 5]}, **values)
write("plain", [("Exp", ["x"], ["a"]), ("Tanh", ["a"], ["y"])], x, {"y": [1, 3, 6, 6]})
# Two inputs; no axis of the batch; the batch behind the steps, over which a sum goes.
write("two", [("Conv", ["x", "w", "b"], ["c"]), ("Relu", ["c"], ["r"]), ("Flatten", ["r"], ["l"]), ("MatMul", ["l", "f"], ["m"]),
              ("MatMul", ["s", "v"], ["n"]), ("Add", ["m", "n"], ["a"]), ("Relu", ["a"], ["h"]), ("MatMul", ["h", "o"], ["y"])],
      {"x": [1, 3, 6, 6], "s": [1, 7]}, {"y": [1, 2]}, v=rng.randn(7, 5), o=rng.randn(5, 2), **values)
# What moves codes, between layers: nothing of it is float.
between = [("Pad", ["r", "pads"], ["e"]), ("Resize", ["e", "", "", "sizes"], ["g"]), ("Conv", ["g", "k"], ["h"]), ("Max", ["h", "g"], ["i"]),
           ("Gather", ["i", "rows"], ["j"]), ("Flatten", ["j"], ["l"]), ("MatMul", ["l", "o"], ["y"])]
nodes = [helper.make_node(*n, **({"axis": 1} if n[0] == "Gather" else {})) for n in head[:2] + between]
graph = helper.make_graph(nodes, "moves", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 6, 6])],
                          [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 5])],
                          [numpy_helper.from_array(v.astype(np.float32), n) for n, v in
                           dict(values, k=rng.randn(4, 4, 1, 1), o=rng.randn(200, 5)).items()] +
                          [numpy_helper.from_array(np.array(v), n) for n, v in
                           (("pads", [0, 0, 1, 1, 0, 0, 0, 0]), ("sizes", [1, 4, 10, 10]), ("rows", [3, 1]))])
onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), "moves.onnx")
# A gate for each channel, slopes for each channel, a bias for each position.
gates = [("PRelu", ["c", "slope"], ["r"]), ("GlobalAveragePool", ["r"], ["d"]), ("Conv", ["d", "k"], ["e"]), ("HardSigmoid", ["e"], ["g"]),
         ("Mul", ["r", "g"], ["h"]), ("Conv", ["h", "m"], ["i"]), ("Add", ["h", "i"], ["j"]), ("Sub", ["j", "g"], ["a"]),
         ("Flatten", ["a"], ["l"]), ("MatMul", ["l", "f"], ["y"])]
write("gates", head[:1] + gates, {"x": [1, 3, 6, 6]}, {"y": [1, 5]}, **dict(values, slope=rng.rand(4, 1, 1), k=rng.randn(4, 4, 1, 1),
                                                                    m=rng.randn(1, 4, 1, 1)))
# Recurrent, of one direction and of two: all of it is in whole numbers.
nodes = [helper.make_node("LSTM", ["x", "w", "r", "b"], ["a"], hidden_size=4), helper.make_node("Squeeze", ["a", "one"], ["c"]),
         helper.make_node("GRU", ["c", "v", "q"], ["d", "e"], hidden_size=2, direction="bidirectional"),
         helper.make_node("Reshape", ["d", "row"], ["f"]), helper.make_node("MatMul", ["f", "m"], ["y"])]
graph = helper.make_graph(nodes, "recurrent", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [6, 1, 3])],
                          [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 5])],
                          [numpy_helper.from_array(v.astype(np.float32), n) for n, v in
                           dict(w=rng.randn(1, 16, 3), r=rng.randn(1, 16, 4), b=rng.randn(1, 32), v=rng.randn(2, 6, 4),
                                q=rng.randn(2, 6, 2), m=rng.randn(24, 5)).items()] +
                          [numpy_helper.from_array(np.array(v), n) for n, v in (("one", [1]), ("row", [1, 24]))])
onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), "recurrent.onnx")
# A state that goes from run to run.
own = np.random.RandomState(9)
state = lambda n: helper.make_tensor_value_info(n, TensorProto.FLOAT, [1, 1, 4])
graph = helper.make_graph([helper.make_node("LSTM", ["x", "w", "r", "", "", "h", "c"], ["", "i", "j"], hidden_size=4)], "states",
                          [helper.make_tensor_value_info("x", TensorProto.FLOAT, [6, 1, 3]), state("h"), state("c")], [state("i"), state("j")],
                          [numpy_helper.from_array(v.astype(np.float32), n) for n, v in dict(w=own.randn(1, 16, 3), r=own.randn(1, 16, 4)).items()])
onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), "states.onnx")
np.save("state", np.tanh(own.randn(40, 1, 1, 4)).astype(np.float32))
# Codes at both ends, no layer between, and nothing that computes on codes.
graph = helper.make_graph([helper.make_node("DequantizeLinear", ["x", "s"], ["f"]), helper.make_node("CumSum", ["f", "a"], ["g"]),
                           helper.make_node("QuantizeLinear", ["g", "s"], ["y"])], "float_between",
                          [helper.make_tensor_value_info("x", TensorProto.UINT8, [3])], [helper.make_tensor_value_info("y", TensorProto.UINT8, [3])],
                          [numpy_helper.from_array(np.float32(.5), "s"), numpy_helper.from_array(np.array(0), "a")])
onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), "float_between.onnx")
wide = helper.make_node("Unsqueeze", ["x", "axes"], ["u"])
graph = helper.make_graph([wide] + [helper.make_node(*n) for n in [("Conv", ["u", "w", "b"], ["c"])] + head[1:]], "bare",
                          [helper.make_tensor_value_info("x", TensorProto.FLOAT, [3, 6, 6])],
                          [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 5])],
                          [numpy_helper.from_array(v.astype(np.float32), n) for n, v in values.items()] +
                          [numpy_helper.from_array(np.array([0]), "axes")])
onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), "bare.onnx")
def steps(name, nodes, shape):
    first, last = helper.make_node("MatMul", ["x", "p"], ["m"]), helper.make_node("MatMul", ["e", "q"], ["y"])
    graph = helper.make_graph([first, *nodes, last], name, [helper.make_tensor_value_info("x", TensorProto.FLOAT, [6, 1, 3])],
                              [helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)],
                              [numpy_helper.from_array(v.astype(np.float32), n) for n, v in (("p", np.eye(3)), ("q", rng.randn(3, 2)))])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), name + ".onnx")

# The first by shapes, the second by values alone.
steps("sum", [helper.make_node("ReduceMean", ["m"], ["e"], axes=[0], keepdims=0)], [1, 2])
steps("less", [helper.make_node("ReduceMean", ["m"], ["a"], axes=[0]), helper.make_node("Sub", ["m", "a"], ["e"])], [6, 1, 2])
x = rng.randn(40, 3, 6, 6).astype(np.float32)
np.save("x", x)
np.save("s", rng.randn(40, 7).astype(np.float32) * 5)
np.save("few", rng.randn(39, 7).astype(np.float32))
np.save("steps", np.abs(rng.randn(40, 6, 1, 3) * np.arange(1, 41).reshape(-1, 1, 1, 1)).astype(np.float32))
np.save("zero", x * 0)
np.save("constant", x * 0 + np.float32(.1))
write("dead", head, {"x": [1, 3, 6, 6]}, {"y": [1, 5]}, **dict(values, b=np.full(4, -1e6)))
np.save("large", np.sign(x) * np.float32(3e38))
x[3, 1, 2, 2] = np.nan
np.save("nan", x)
P
int8="--activations int8 --calibrate"

# ---- inspect, run, eval ----

expect 0 "" ternc inspect conv.onnx --activations int8 --calibrate x.npy
says "zero point  lowest  highest"
grep -q "^x  *int8 " out || complain "inspect does not list the input's codes"
grep -q "^r  *uint8 .* 0 .* 0 " out || complain "inspect does not list the codes behind Relu"
grep -q "MatMul .* int8 *-$" out || complain "inspect calls int8 weights something else"
expect 0 "" ternc inspect conv.onnx --activations int8 --calibrate x.npy --json
says '"zero_point":	0'
expect 0 "" ternc inspect conv.onnx
! grep -q "codes of" out || complain "floats have codes"
expect 2 "ternc: usage: --sensitivity measures layers with float activations: give it without --activations int8" \
    ternc inspect conv.onnx --activations int8 --calibrate x.npy --sensitivity --data x.npy
# codes in and out: those of the compiled C, which check compares with the same evaluator
/usr/bin/python3 -c "import numpy as np; np.save('codes', np.random.RandomState(1).randint(-128, 128, (1, 3, 6, 6)).astype(np.int8))"
expect 0 "" ternc run conv.onnx --activations int8 --calibrate x.npy --io int8 --input codes.npy
says "y int8[1,5]"
expect 1 "...codes.npy" ternc run conv.onnx --activations int8 --calibrate x.npy --input codes.npy
# Weights of ConvInteger and MatMulInteger are parameters, and multiplied.
expect 0 "" ternc inspect "$TERNC_SOURCE/tests/fuzz/seeds/codes_dynamic.onnx"
grep -q "ConvInteger .* 36  *324 .* int8 " out || complain "inspect does not know the weights of ConvInteger"
grep -q "^total: 95 parameters, 378 MACs; .* of 90 weights" out || complain "inspect counts weights of codes otherwise"
# Files with codes are run so, too: half a step is rounded up, where QuantizeLinear of a float takes the even code.
/usr/bin/python3 - <<'P' || exit 1
import numpy as np, onnx
from onnx import helper, numpy_helper, TensorProto
U = TensorProto.UINT8
nodes = [helper.make_node(*n) for n in (("DequantizeLinear", ["x", "one"], ["a"]), ("MatMul", ["a", "w"], ["b"]),
                                        ("QuantizeLinear", ["b", "two", "zero"], ["y"]))]
values = dict(one=np.float32(1), two=np.float32(2), zero=np.uint8(0), w=np.float32([[1]]))
graph = helper.make_graph(nodes, "halves", [helper.make_tensor_value_info("x", U, [4, 1])],
                          [helper.make_tensor_value_info("y", U, [4, 1])],
                          [numpy_helper.from_array(v, n) for n, v in values.items()])
onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), "halves.onnx")
np.save("halves", np.uint8([[1], [2], [4], [5]]))
P
expect 0 "" ternc run halves.onnx --input halves.npy
says "1 1 2 3"
/usr/bin/python3 -c "import numpy as np; np.savez('labelled', x=np.load('x.npy')[:3] * 0 + 1, y=np.arange(3))"
expect 0 "" ternc eval conv.onnx --activations int8 --calibrate x.npy --io int8 --data labelled.npz
says "evaluated by generated C"
mv out compiled
expect 0 "" ternc eval conv.onnx --activations int8 --calibrate x.npy --io int8 --data labelled.npz --reference
[ "$(head -1 out)" = "$(head -1 compiled)" ] || complain "eval --io int8: generated C and evaluator differ"

# ---- what is kept ----

keep="--keep last --activations int8 --calibrate x.npy"
expect 0 "" ternc check conv.onnx $keep
grep -q "connected, .*int8 weights proven" out || complain "what is kept has no int8 weights"
expect 0 "" ternc check conv.onnx $keep --keep-as float
grep -q "connected, .*float weights" out || complain "--keep-as float: the last layer is not float"
grep -q "conv, .*ternary weights proven.* extremes" out || complain "--keep-as float: the first layer does not read codes"
expect 0 "" ternc ternarize conv.onnx -o kept.onnx $keep --keep-as float --quiet
grep -qa "keep=last activations=int8 keep-as=float" kept.onnx || complain "kept.onnx does not say how it was made"
for as in int8 float; do
    expect 0 "" ternc ternarize conv.onnx -o kept.onnx $keep --keep-as $as --quiet
    expect 0 "" ternc compile conv.onnx -o kept1 --name net $keep --keep-as $as --quiet
    expect 0 "" ternc compile kept.onnx -o kept2 --name net --method none --quiet
    sed 's/kept.onnx/conv.onnx/' kept2/net.c | cmp -s - kept1/net.c || complain "kept.onnx gives another C than the model, as $as"
done
expect 2 "ternc: usage: --keep-as is for --activations int8 or int16" ternc check conv.onnx --keep-as float

# ---- powers of two ----

powers="--activations int8 --calibrate x.npy --io int8 --scales pow2"
for target in cortex-m0 generic; do
    for optimize in speed size; do
        expect 0 "" ternc check conv.onnx $powers --target $target --optimize $optimize --cflags "-O1 -DTN_NO_VECTORS"
    done
done
expect 0 "" ternc check conv.onnx $powers
# What stands between layers still multiplies.
expect 0 "" ternc check gates.onnx $powers --cflags -O1
expect 0 "" ternc compile gates.onnx -o gates --name net $powers --quiet
for kernel in mul slope; do
    grep -q "tn_${kernel}_codes(" gates/net.c || complain "gates.onnx does not multiply by tn_${kernel}_codes"
done
expect 0 "" ternc ternarize conv.onnx -o powers.onnx $powers --quiet
grep -qa "activations=int8 scales=pow2" powers.onnx || complain "powers.onnx does not say how it was made"
/usr/bin/python3 - <<'P' || complain "powers.onnx: a scale is no power of two"
import numpy as np, onnx
from onnx import numpy_helper as nh
g = onnx.load("powers.onnx").graph
value = {t.name: nh.to_array(t) for t in g.initializer}
scales = [value[n.input[1]] for n in g.node if n.op_type in ("QuantizeLinear", "DequantizeLinear")]
assert len(scales) > 6
for s in scales:
    assert np.all(np.frexp(s)[0] == 0.5), s
P
# Nothing is multiplied on the way from sums to codes.
for optimize in speed size; do
    expect 0 "" ternc compile conv.onnx -o powers --name net $powers --target cortex-m0 --optimize $optimize --quiet
    grep -qx "#define tn_times(sum, factor) ((void)(factor), (sum))" powers/net.c || complain "sums are multiplied ($optimize)"
    ! grep -q "layer[0-9]*_factor" powers/net.c || complain "layers have factors ($optimize)"
    grep -q "layer[0-9]*_shift" powers/net.c || complain "layers have no shifts ($optimize)"
    expect 0 "" ternc compile powers.onnx -o again --name net --io int8 --method none --target cortex-m0 --optimize $optimize --quiet
    sed 's/powers.onnx/conv.onnx/' again/net.c | cmp -s - powers/net.c || complain "powers.onnx gives another C ($optimize)"
done
expect 2 "ternc: usage: --scales is for --activations int8" ternc check conv.onnx --scales pow2

# ---- messages ----

expect 2 "ternc: usage: --activations int8 needs samples for the ranges of activations: --calibrate SPEC" \
    ternc check conv.onnx --activations int8
for none in "check conv.onnx --method none" "eval conv.onnx --data x.npy" "ternarize conv.onnx -o t.onnx --data x.npy"; do
    # Words are options: split on purpose.
    # shellcheck disable=SC2086
    expect 2 "ternc: usage: --calibrate is for --activations int8 or int16, and for weights that become ternary without training, by --method twn or stp" \
        ternc $none --calibrate x.npy
done
expect 2 "ternc: usage: --calibration is for --activations int8 or int16" ternc check conv.onnx --calibration mse
expect 2 "...'wrong' is not one of percentile|mse|minmax" ternc check conv.onnx $int8 x.npy --calibration wrong
expect 1 "ternc: error: nan.npy: sample 3 holds NaN or infinity" ternc check conv.onnx $int8 nan.npy
expect 1 "...conv.onnx: tensor 'r' has values that are not finite on the data of --calibrate; it cannot be quantised" \
    ternc check conv.onnx $int8 large.npy
expect 1 "...conv.onnx: input 'x' is 0 in all samples; its range needs samples as the application has them" \
    ternc check conv.onnx $int8 zero.npy
expect 0 "" ternc check conv.onnx $int8 constant.npy -q
expect 0 "ternc: note: dead.onnx: tensor 'r' is 0 in all samples: its step is 1; are they as the application has them?" \
    ternc check dead.onnx $int8 x.npy
expect 1 "...conv.onnx: --io: no input or output is quantised; --activations int8 or int16 does that" \
    ternc check conv.onnx --io int8
expect 0 "ternc: note: plain.onnx: --activations int8 changes nothing: no node of it computes on codes" \
    ternc check plain.onnx $int8 x.npy
expect 0 "" ternc check plain.onnx $int8 x.npy --quiet

# ---- several outputs: all of them are quantised, and so are those that other nodes read ----

# runs MODEL PARAMETERS OPTION...: those of net_run
runs() {
    model=$1 parameters=$2
    shift 2
    expect 0 "" ternc compile "$model.onnx" $int8 x.npy --name net -o gen -q "$@"
    grep -q "^void net_run($parameters);" gen/net.h || { grep net_run gen/net.h >out; complain "$model: not net_run($parameters)"; }
}
runs heads "const int8_t \*in_x, int8_t \*out_y, int8_t \*out_z" --io int8
runs inner "const int8_t \*in_x, int8_t \*out_y, uint8_t \*out_r" --io int8
runs inner "const float \*in_x, float \*out_y, float \*out_r"
for model in inner:float heads:int8; do
    for target in generic cortex-m4 cortex-m0; do
        expect 0 "" ternc check ${model%:*}.onnx $int8 x.npy --io ${model#*:} --target $target --method twn --keep none -q
    done
done
for model in moves gates; do
    expect 0 "" ternc compile $model.onnx $int8 x.npy --io int8 -o gen --name net
    for target in generic cortex-m4; do
        expect 0 "" ternc check $model.onnx $int8 x.npy --io int8 --target $target -q
    done
done
expect 0 "ternc: note: float_between.onnx: 1 node runs in float between codes: CumSum 'g'" \
    ternc compile float_between.onnx -o gen --name net
expect 0 "ternc: note: recurrent.onnx: GRU 'd': its weights become ternary without the samples" \
    ternc inspect recurrent.onnx --calibrate steps.npy --method twn --keep a,y
for method in none "twn --keep none"; do
    expect 0 "" ternc compile recurrent.onnx $int8 steps.npy --method $method -q -o gen1 --name net
    for target in generic cortex-m4 cortex-m0; do
        expect 0 "" ternc check recurrent.onnx $int8 steps.npy --method $method -q --target $target
        [ "$(grep "Recurrent .* weights proven .* extremes" out | grep -c -v float)" = 2 ] || complain "R is not proven"
    done
    ! grep -q "tn_gate_.*_f32\|tn_cell_" gen1/net.c || complain "gates are floats"
    expect 0 "" ternc ternarize recurrent.onnx -o coded.onnx $int8 steps.npy --method $method -q
    ! grep -q "float" out || complain "the report calls codes floats"
    /usr/bin/python3 -c "import onnx; print(sum(i.data_type == 3 and len(i.dims) > 1 for i in onnx.load('coded.onnx').graph.initializer))" >out
    [ "$(cat out)" = 5 ] || complain "$(cat out) of the matrices in coded.onnx are int8, not 5"
    expect 0 "" ternc compile coded.onnx --method none -o gen2 --name net -q
    sed 's/coded.onnx/recurrent.onnx/' gen2/net.c | cmp -s - gen1/net.c || complain "coded.onnx gives another C than recurrent.onnx"
done
cells="x=steps.npy --calibrate h=state.npy --calibrate c=state.npy"
for io in float int8; do
    for scales in any pow2; do
        expect 0 "" ternc check states.onnx $int8 $cells --io $io --scales $scales
        says "64 int8 weights proven by"
    done
    expect 0 "" ternc compile states.onnx $int8 $cells --io $io -o gen --name net
    grep -q "NUM_STATES 2" gen/net.h || complain "--io $io: states do not go back"
done
for rule in percentile mse minmax; do
    expect 0 "" ternc check conv.onnx $int8 x.npy --calibration $rule -q
done

# ---- samples for several inputs, and of models without batches ----

for order in "s=s.npy --calibrate x=x.npy" "x=x.npy --calibrate s=s.npy"; do
    expect 0 "" ternc check two.onnx $int8 $order --io int8 -q
    grep -q "connected.*float" out && complain "two: a layer is float"
    expect 0 "" ternc ternarize two.onnx -o two_"${order%%=*}".onnx $int8 $order -q
done
same two_s.onnx two_x.onnx
expect 1 "...two.onnx: input 's' has no samples; a model of 2 inputs needs them for each: --calibrate s=SPEC" \
    ternc check two.onnx $int8 x=x.npy
expect 1 "...two.onnx: --calibrate x.npy: starts with no input's name and '='" ternc check two.onnx $int8 x.npy
expect 1 "...two.onnx: --calibrate is given twice for input 'x'" \
    ternc check two.onnx $int8 x=x.npy --calibrate s=s.npy --calibrate x=x.npy
expect 1 "...few.npy: has 39 samples for input 's', but there are 40 for 'x'" \
    ternc check two.onnx $int8 x=x.npy --calibrate s=few.npy
expect 0 "" ternc check conv.onnx $int8 x=x.npy -q
expect 0 "" ternc check bare.onnx $int8 x.npy --io int8 -q
for model in sum less; do
    expect 0 "" ternc ternarize $model.onnx -o ${model}8.onnx $int8 steps.npy --calibration minmax --method none -q
done
/usr/bin/python3 - <<'P' || complain "samples have mixed: $(cat steps)"
import numpy as np, onnx
from onnx import numpy_helper
x = np.load("steps.npy")
for model, e in ("sum", x.mean(1)), ("less", x - x.mean(1, keepdims=True)):
    graph = onnx.load(model + "8.onnx").graph
    value = {t.name: numpy_helper.to_array(t) for t in graph.initializer}
    for name, most in ("x", x.max()), ("e", e.max() - min(e.min(), 0)):
        step = [value[n.input[1]] for n in graph.node if n.op_type == "QuantizeLinear" and n.input[0] == name][0]
        print(model, name, step * 255, most, file=open("steps", "a"))
        assert abs(step * 255 - most) < 1e-4 * most
P

# ---- outputs where the inputs were ----

mkdir -p chains
/usr/bin/python3 "$TERNC_SOURCE/tests/models/make_chains.py" chains || exit 1
for model in chains/*.onnx; do
    try ternc check "$model" --method none --target cortex-m4
done

# ---- MNIST ----

digits=$TERNC_SHARED/data/mnist
have_shared models/mnist-8.onnx && have_shared data/mnist/t10k-images-idx3-ubyte.gz || finish
mnist=$TERNC_SHARED/models/mnist-8.onnx
test_set=$digits/t10k-images-idx3-ubyte.gz,$digits/t10k-labels-idx1-ubyte.gz
int8="$int8 $digits/train-images-idx3-ubyte.gz"
expect 0 "" ternc eval "$mnist" --data "$test_set" --json
cp out float
expect 0 "" ternc eval "$mnist" --data "$test_set" --json $int8
/usr/bin/python3 - <<'P' || complain "8 bits lose more than 0.3 points"
import json
a, b = (json.load(open(f)) for f in ("float", "out"))
assert a["samples"] == b["samples"] == 10000, (a, b)
assert abs(a["accuracy"] - b["accuracy"]) <= 0.003 and a["accuracy"] > 0.98, (a, b)
P
expect 0 "" ternc check "$mnist" $int8 --optimize size --samples 2 -q
for target in generic cortex-m4 cortex-m0; do
    expect 0 "" ternc check "$mnist" $int8 --target $target --io int8 --optimize size --samples 2 -q
    expect 0 "" ternc check "$mnist" $int8 --target $target --io int8 --method twn --keep none --samples 1 -q
done

# ---- strips of small layers take little more memory than their activations ----

for target in cortex-m4 cortex-m0; do
    expect 0 "" ternc compile "$mnist" $int8 --target $target --io int8 --method twn --keep none --name net -o gen -q
    arena=$(sed -n 's/^#define NET_ARENA_BYTES //p' gen/net.h)
    [ "$arena" -le 5500 ] || complain "MNIST-8 on $target: an arena of $arena bytes"
    [ "$(grep -c 'tn_stage_w2(p, x + ' gen/net.c)" -ge 2 ] || complain "MNIST-8 on $target: no inputs in parts"
done
finish
