"""make_chains.py FOLDER: chains of three quantised convolutions whose outputs can lie where their inputs do: chain0.onnx
and so on. Windows larger than half an image, one row, groups of one channel, dilation, several images."""
import sys

import numpy as np
from onnx import TensorProto, helper, numpy_helper, save

# images, rows, columns, kernel, dilation, groups
SHAPES = [(1, 4, 4, 7, 1, 1), (1, 5, 9, 9, 1, 1), (1, 3, 40, 5, 1, 1), (2, 6, 6, 3, 1, 1), (1, 1, 20, 5, 1, 1),
          (1, 8, 3, 7, 1, 1), (2, 9, 5, 3, 1, 8), (1, 9, 9, 3, 3, 1), (1, 7, 7, 3, 2, 2)]


def make(path, images, rows, columns, kernel, dilation, groups, seed):
    random = np.random.RandomState(seed)
    constants, nodes, x = [], [], "x"

    def constant(value):
        constants.append(numpy_helper.from_array(np.asarray(value), f"c{len(constants)}"))
        return constants[-1].name

    step, zero = constant(np.float32(0.02)), constant(np.uint8(0))
    high = 1 if rows == 1 else kernel
    pads = [(high - 1) * dilation // 2, (kernel - 1) * dilation // 2] * 2
    for layer in range(3):
        weights = (random.choice([-1, 0, 1], (8, 8 // groups, high, kernel)) * 0.02).astype(np.float32)
        nodes += [
            helper.make_node("DequantizeLinear", [x, step, zero], [f"x{layer}"]),
            helper.make_node("Conv", [f"x{layer}", constant(weights)], [f"y{layer}"], pads=pads, group=groups,
                             dilations=[dilation, dilation]),
            helper.make_node("Relu", [f"y{layer}"], [f"r{layer}"]),
            helper.make_node("QuantizeLinear", [f"r{layer}", step, zero], [f"q{layer}"]),
        ]
        x = f"q{layer}"
    shape = [images, 8, rows, columns]
    graph = helper.make_graph(nodes, "chain", [helper.make_tensor_value_info("x", TensorProto.UINT8, shape)],
                              [helper.make_tensor_value_info(x, TensorProto.UINT8, shape)], constants)
    save(helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 13)]), path)


for number, shape in enumerate(SHAPES):
    make(f"{sys.argv[1]}/chain{number}.onnx", *shape, number)
