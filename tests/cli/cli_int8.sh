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
x = rng.randn(40, 3, 6, 6).astype(np.float32)
np.save("x", x)
np.save("zero", x * 0)
np.save("large", np.sign(x) * np.float32(3e38))
x[3, 1, 2, 2] = np.nan
np.save("nan", x)
P
int8="--activations int8 --calibrate"

# ---- messages ----

expect 2 "ternc: usage: --activations int8 needs samples for the ranges of activations: --calibrate SPEC" \
    ternc check conv.onnx --activations int8
expect 2 "ternc: usage: --calibrate is for --activations int8" ternc check conv.onnx --calibrate x.npy
expect 2 "ternc: usage: --calibration is for --activations int8" ternc check conv.onnx --calibration mse
expect 2 "...'wrong' is not one of percentile|mse|minmax" ternc check conv.onnx $int8 x.npy --calibration wrong
expect 1 "ternc: error: nan.npy: sample 3 holds NaN or infinity" ternc check conv.onnx $int8 nan.npy
expect 1 "...conv.onnx: tensor 'r' has values that are not finite on the data of --calibrate; it cannot be quantised" \
    ternc check conv.onnx $int8 large.npy
expect 1 "...conv.onnx: input 'x' is 0 in all samples; its range needs samples as the application has them" \
    ternc check conv.onnx $int8 zero.npy
expect 1 "...conv.onnx: --io int8: no input or output is quantised; --activations int8 does that" \
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
for rule in percentile mse minmax; do
    expect 0 "" ternc check conv.onnx $int8 x.npy --calibration $rule -q
done

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
for target in generic cortex-m4 cortex-m0; do
    for io in float int8; do
        expect 0 "" ternc check "$mnist" $int8 --target $target --io $io --optimize size --samples 2 -q
    done
    expect 0 "" ternc check "$mnist" $int8 --target $target --io int8 --method twn --keep none --samples 1 -q
done
finish
