"""bench_layers.py FOLDER: layers with random ternary weights as models for tests/tools/bench.sh.

Fully connected: 1024 -> 1024. Layer A: 128 -> 128 channels, 3x3, 34x34 -> 32x32. Layer B: 32 -> 64 channels, 5x5,
12x12 -> 8x8. One model per share of weights that are not zero: fc_50.onnx and layer_a_50.onnx have half of them."""
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

LAYERS = {"a": (128, 128, 3, 34), "b": (32, 64, 5, 12)}


def make_model(inputs, outputs, kernel, size, density, seed):
    random = np.random.default_rng(seed)
    shape = (outputs, inputs, kernel, kernel)
    weights = (random.random(shape) < density) * random.choice([-1.0, 1.0], shape)
    out = size - kernel + 1
    return one_node("Conv", [1, inputs, size, size], [1, outputs, out, out], weights)


def one_node(operator, inputs, outputs, weights):
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        [helper.make_node(operator, ["x", "w"], ["y"])],
        "layer",
        [value("x", TensorProto.FLOAT, inputs)],
        [value("y", TensorProto.FLOAT, outputs)],
        [numpy_helper.from_array(weights.astype(np.float32), "w")],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


for percent in (50, 2):
    source = np.random.default_rng(percent)
    matrix = (source.random((1024, 1024)) < percent / 100) * source.choice([-1.0, 1.0], (1024, 1024))
    onnx.save(one_node("MatMul", [1, 1024], [1, 1024], matrix), f"{sys.argv[1]}/fc_{percent}.onnx")
for name, layer in LAYERS.items():
    for percent in (50, 25, 10):
        onnx.save(make_model(*layer, percent / 100, percent), f"{sys.argv[1]}/layer_{name}_{percent}.onnx")
