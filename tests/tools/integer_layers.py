"""integer_layers.py FOLDER: layers A and B of bench_layers.py with float activations, and with 8-bit codes in and out."""
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

LAYERS = {"a": (128, 128, 3, 34), "b": (32, 64, 5, 12)}
STEP = np.float32(0.02)


def constant(name, value):
    return numpy_helper.from_array(np.asarray(value), name)


def save(path, nodes, inputs, outputs, dtype, constants):
    value = helper.make_tensor_value_info
    graph = helper.make_graph(nodes, "layer", [value("x", dtype, inputs)], [value("y", dtype, outputs)], constants)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)


def make(path, inputs, outputs, kernel, size, density):
    random = np.random.default_rng(int(100 * density))
    shape = (outputs, inputs, kernel, kernel)
    codes = ((random.random(shape) < density) * random.choice([-1, 1], shape)).astype(np.int8)
    bias = constant("b", random.standard_normal(outputs).astype(np.float32))
    out = size - kernel + 1
    dims = [1, inputs, size, size], [1, outputs, out, out]
    node = helper.make_node
    save(path + "_float.onnx", [node("Conv", ["x", "w", "b"], ["c"]), node("Relu", ["c"], ["y"])], *dims,
         TensorProto.FLOAT, [constant("w", codes * STEP), bias])
    nodes = [node("DequantizeLinear", ["x", "s", "z"], ["xf"]),
             node("DequantizeLinear", ["q", "ws", "wz"], ["w"], axis=0),
             node("Conv", ["xf", "w", "b"], ["c"]), node("Relu", ["c"], ["r"]),
             node("QuantizeLinear", ["r", "s", "z"], ["y"])]
    save(path + "_int8.onnx", nodes, *dims, TensorProto.UINT8,
         [constant("s", STEP), constant("z", np.uint8(0)), constant("q", codes), bias,
          constant("ws", np.full(outputs, STEP)), constant("wz", np.zeros(outputs, np.int8))])


for name, layer in LAYERS.items():
    for percent in (50, 10):
        make(f"{sys.argv[1]}/{name}_{percent}", *layer, percent / 100)
