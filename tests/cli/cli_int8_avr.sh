# cli_int8_avr.sh - networks of codes on an 8-bit AVR, whose int has 16 bits and whose tables stay in flash: each kernel of
# codes in each form computes what it does on this machine.
. "$TERNC_SOURCE/tests/cli/expect.sh"
need_onnx
need avr-gcc avr-size simavr gcc
/usr/bin/python3 - <<'P' || exit 1
import numpy as np, onnx
from onnx import helper, numpy_helper, TensorProto
rng = np.random.RandomState(1)
nodes = [("Conv", "x w b", "c", dict(pads=[2] * 4)), ("Relu", "c", "r", {}),
         ("MaxPool", "r", "p", dict(kernel_shape=[2, 2], strides=[2, 2])), ("Conv", "p v b", "d", dict(pads=[1] * 4)),
         ("Add", "d p", "a", {}), ("PRelu", "a k", "e", {}), ("Conv", "e dw", "g", dict(pads=[1] * 4, group=8)),
         ("Sigmoid", "g", "s", {}), ("Mul", "s e", "m", {}), ("Concat", "m p", "q", dict(axis=1)),
         ("AveragePool", "q", "h", dict(kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4)), ("Conv", "h u", "i", {}),
         ("GlobalAveragePool", "i", "j", {}), ("Flatten", "j", "l", {}), ("MatMul", "l f", "o", {}), ("Softmax", "o", "y", {})]
values = dict(w=rng.randn(8, 3, 5, 5), b=rng.randn(8), v=rng.randn(8, 8, 3, 3), k=rng.rand(8, 1, 1),
              dw=rng.randn(8, 1, 3, 3), u=rng.randn(40, 16, 3, 3), f=rng.randn(40, 10) / 100)
nodes = [helper.make_node(o, i.split(), [y], **more) for o, i, y, more in nodes]
constants = [numpy_helper.from_array(t.astype(np.float32), n) for n, t in values.items()]
for file, count, y in ("all.onnx", 16, "y"), ("scores.onnx", 15, "o"):
    x, y = (helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in (("x", [1, 3, 12, 12]), (y, [1, 10])))
    graph = helper.make_graph(nodes[:count], "net", [x], [y], constants)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), file)
np.save("all", rng.rand(40, 3, 12, 12).astype(np.float32) * 255)

nodes = [("LSTM", "x w r b", "h", dict(hidden_size=8)), ("Squeeze", "h axes", "s", {}), ("GRU", "s v u", "g", dict(hidden_size=6)),
         ("Flatten", "g", "f", {}), ("MatMul", "f m", "y", {})]
values = dict(w=rng.randn(1, 32, 5), r=rng.randn(1, 32, 8) / 3, b=rng.randn(1, 64), v=rng.randn(1, 18, 8),
              u=rng.randn(1, 18, 6) / 3, m=rng.randn(6, 4))
x, y = (helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in (("x", [7, 1, 5]), ("y", [7, 4])))
constants = [numpy_helper.from_array(t.astype(np.float32), n) for n, t in values.items()]
constants.append(numpy_helper.from_array(np.int64([1]), "axes"))
graph = helper.make_graph([helper.make_node(o, i.split(), [y], **more) for o, i, y, more in nodes], "net", [x], [y], constants)
onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), "cells.onnx")
np.save("cells", rng.randn(40, 7, 1, 5).astype(np.float32) * 60)
P
cat >host.c <<'END'
#include "net.h"
#include <stdio.h>

int main(void)
{
    static NET_INPUT0_TYPE in[NET_INPUT_SIZE];
    static NET_OUTPUT0_TYPE out[NET_OUTPUT_SIZE];
    for (uint32_t i = 0; i < NET_INPUT_SIZE; i++)
        in[i] = (NET_INPUT0_TYPE)(i * 2654435761u >> 24);
    net_run(in, out);
    uint32_t sum = 0;
    for (uint32_t i = 0; i < sizeof out; i++)
        sum = sum * 31 + ((const uint8_t *)out)[i];
    printf("%08x\n", (unsigned)sum);
    return 0;
}
END

# agrees MODEL SAMPLES OPTION...: outputs are those of this machine
agrees() {
    model=$1
    samples=$2
    shift 2
    set -- "$model" --keep none --activations int8 --calibrate "$samples" "$@"
    sh "$TERNC_SOURCE/tests/tools/avr.sh" "$@" >line 2>err ||
        complain "$*: no run on an AVR"
    gcc -O1 -ffp-contract=off -Igen host.c gen/net.c -lm -o host || exit 1
    read -r cycles sum flash ram <line
    echo "$*: $cycles cycles, $flash bytes of flash, $ram of RAM"
    [ "$sum" = "$(./host)" ] || complain "$*: other outputs than on this machine"
}

for optimize in speed size; do
    agrees all.onnx all.npy --io int8 --optimize $optimize
    agrees scores.onnx all.npy --io float --optimize $optimize
    agrees cells.onnx cells.npy --io int8 --optimize $optimize
done
agrees all.onnx all.npy --io int8 --scales pow2
agrees all.onnx all.npy --io int8 --lowering dense
agrees all.onnx all.npy --io int8 --lowering sparse
finish
