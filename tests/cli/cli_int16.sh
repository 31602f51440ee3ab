# cli_int16.sh - activations of 16 bits: check in every form, files, the header's functions, other runtimes' codes of 8 and
# 16 bits side by side, and what is said where they cannot be had.
. "$TERNC_SOURCE/tests/cli/expect.sh"
need_onnx
need clang
/usr/bin/python3 - <<'P' || exit 1
import numpy as np, onnx
from onnx import helper as h, numpy_helper as nh, TensorProto as T
rng = np.random.RandomState(0)

def save(name, nodes, x, y, domain="", **constants):
    graph = h.make_graph(nodes, name, [h.make_tensor_value_info("x", *x)], [h.make_tensor_value_info("y", *y)],
                         [nh.from_array(np.asarray(v), n) for n, v in constants.items()])
    domains = [h.make_opsetid("", 13)] + ([h.make_opsetid(domain, 1)] if domain else [])
    onnx.save(h.make_model(graph, opset_imports=domains, ir_version=8), name + ".onnx")

def floats(*shape, scale=1):
    return (rng.randn(*shape) * scale).astype(np.float32)

# Layers, maxima and moves on codes; a sum on codes and a product that is not.
w = dict(w=floats(4, 3, 3, 3, scale=.3), b=floats(4), k=floats(4, 4, 3, 3, scale=.3), f=floats(16, 5))
conv = [h.make_node("Conv", ["x", "w", "b"], ["c"]), h.make_node("Relu", ["c"], ["r"]),
        h.make_node("MaxPool", ["r"], ["p"], kernel_shape=[2, 2], strides=[2, 2])]
save("conv", conv + [h.make_node("Conv", ["p", "k"], ["d"], pads=[1, 1, 1, 1]), h.make_node("Relu", ["d"], ["e"]),
                     h.make_node("Flatten", ["e"], ["l"]), h.make_node("MatMul", ["l", "f"], ["y"])],
     (T.FLOAT, [1, 3, 6, 6]), (T.FLOAT, [1, 5]), **w)
save("detour", conv + [h.make_node("Conv", ["p", "k"], ["d"], pads=[1, 1, 1, 1]), h.make_node("Add", ["d", "p"], ["a"]),
                       h.make_node("Conv", ["a", "k"], ["m"], pads=[1, 1, 1, 1]), h.make_node("Mul", ["m", "p"], ["s"]), h.make_node("Conv", ["s", "k"], ["e"], pads=[1, 1, 1, 1]),
                       h.make_node("GlobalAveragePool", ["e"], ["g"]), h.make_node("Flatten", ["g"], ["l"]), h.make_node("MatMul", ["l", "v"], ["y"])],
     (T.FLOAT, [1, 3, 6, 6]), (T.FLOAT, [1, 5]), v=floats(4, 5), **w)
# More weights of 8 bits than 32 bits hold the sums of.
save("long", [h.make_node("MatMul", ["x", "w"], ["a"]), h.make_node("Relu", ["a"], ["r"]), h.make_node("MatMul", ["r", "v"], ["y"])],
     (T.FLOAT, [1, 3000]), (T.FLOAT, [1, 2]), w=floats(3000, 4), v=floats(4, 2))
# Codes of 16 bits, not around 0, to codes of 8, and back.
ms = dict(domain="com.microsoft")
mixed = [h.make_node("DequantizeLinear", ["x", "s", "z"], ["a"], **ms), h.make_node("Conv", ["a", "w"], ["c"], pads=[1, 1, 1, 1]),
         h.make_node("QuantizeLinear", ["c", "t", "u"], ["q"]), h.make_node("DequantizeLinear", ["q", "t", "u"], ["e"]),
         h.make_node("Conv", ["e", "k"], ["g"], pads=[1, 1, 1, 1]), h.make_node("QuantizeLinear", ["g", "s", "z"], ["y"], **ms)]
save("mixed", mixed, (T.INT16, [1, 3, 6, 6]), (T.INT16, [1, 4, 6, 6]), "com.microsoft", s=np.float32(.001), z=np.int16(-1234), t=np.float32(.5),
     u=np.int8(7), w=np.sign(w["w"]), k=np.sign(w["k"]) * np.float32(.25))
x = floats(40, 3, 6, 6)
np.save("x", x)
np.savez("labelled", x=x[:8], y=np.arange(8) % 5)
np.save("long", floats(40, 3000))
P
words="--activations int16 --calibrate x.npy"

# ---- check ----

for target in generic cortex-m0 x86-64-v3; do
    for optimize in speed size; do
        expect 0 "" ternc check conv.onnx $words --io int16 --keep none --target $target --optimize $optimize --cflags "-O1 -DTN_NO_VECTORS"
    done
done
for lowering in unroll sparse packed; do
    expect 0 "" ternc check conv.onnx $words --lowering $lowering
done
grep -q "int8 weights proven by .* extremes" out || complain "what is kept has no int8 weights"
expect 0 "" ternc check conv.onnx $words --method none
expect 0 "" ternc check mixed.onnx --cflags "-O1 -fsanitize=undefined -fsanitize-undefined-trap-on-error"
[ "$(grep -c "ternary weights proven by .* extremes" out)" -eq 2 ] || complain "mixed.onnx: layers do not sum codes"
expect 0 "" ternc check detour.onnx $words
grep -q "ternary weights proven by .* of 16-bit codes" out || complain "detour.onnx: no layer sums codes"
grep -q "^ *[0-9]* *CodeAdd .* ok" out || complain "detour.onnx: the sum is not of codes"
expect 0 "...detour.onnx: 1 node runs in float between codes: Mul 's'" ternc compile detour.onnx -o detour $words

# Sums that 32 bits do not hold: the layer computes in float, and a note names it.
expect 0 "...long.onnx: 1 node runs in float between codes: MatMul 'a'" \
    ternc compile long.onnx -o long --activations int16 --calibrate long.npy --method none
expect 0 "" ternc check long.onnx --activations int16 --calibrate long.npy --method none

# ---- inspect, run, eval, size, bench ----

expect 0 "" ternc inspect conv.onnx $words
grep -q "^x  *int16 .* 0 " out || complain "inspect does not list the input's codes"
grep -q "^r  *int16 .* 0 " out || complain "inspect does not list the codes behind Relu"
/usr/bin/python3 -c "import numpy as np; np.save('codes', np.random.RandomState(1).randint(-2**15, 2**15, (1, 3, 6, 6)).astype(np.int16))"
expect 0 "" ternc run conv.onnx $words --io int16 --input codes.npy
says "y int16[1,5]"
expect 0 "" ternc eval conv.onnx $words --data labelled.npz
mv out compiled
expect 0 "" ternc eval conv.onnx $words --data labelled.npz --reference
[ "$(head -1 out)" = "$(head -1 compiled)" ] || complain "eval: generated C and evaluator differ"
expect 0 "" ternc size conv.onnx $words --methods twn --targets cortex-m4
expect 0 "" ternc bench conv.onnx $words --lowerings auto --seconds 0.01

# ---- files and header ----

for io in float int16; do
    expect 0 "" ternc ternarize conv.onnx -o words.onnx $words --io $io --quiet
    grep -qa "activations=int16" words.onnx || complain "words.onnx does not say how it was made"
    expect 0 "" ternc compile conv.onnx -o words1 --name net $words --io $io --quiet
    expect 0 "" ternc compile words.onnx -o words2 --name net --method none --io $io --quiet
    sed 's/words.onnx/conv.onnx/' words2/net.c | cmp -s - words1/net.c || complain "words.onnx gives another C, --io $io"
done
/usr/bin/python3 - <<'P' || complain "words.onnx: not the operators of onnxruntime that have 16 bits"
import onnx
m = onnx.load("words.onnx")
assert [(o.domain, o.version) for o in m.opset_import] == [("", 17), ("com.microsoft", 1)]
words = [n.name for n in m.graph.node if n.domain == "com.microsoft"]
assert len(words) > 6 and all(n.domain == "" or n.op_type in ("QuantizeLinear", "DequantizeLinear") for n in m.graph.node)
P
cat >codes.c <<'END'
#include "net.h"
int main(void)
{
    static int16_t x[NET_INPUT0_SIZE], y[NET_OUTPUT0_SIZE];
    net_run(x, y);
    return net_input0_code(1e9f) != 32767 || net_input0_code(-1e9f) != -32768 || net_input0_code(net_input0_real(-777)) != -777 ||
           NET_INPUT0_ZERO_POINT != 0;
}
END
try clang -std=c99 -Wall -Wextra -Wpedantic -Wconversion -Werror -Iwords1 codes.c words1/net.c -lm -o codes
try ./codes

# ---- messages ----

expect 2 "ternc: usage: --activations int16 needs samples for the ranges of activations: --calibrate SPEC" \
    ternc check conv.onnx --activations int16
expect 2 "ternc: usage: --io int8 does not go with --activations int16, which has codes of its own: --io int16" \
    ternc check conv.onnx $words --io int8
expect 2 "ternc: usage: --scales is for --activations int8" ternc check conv.onnx $words --scales pow2
finish
