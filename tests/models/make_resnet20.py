"""make_resnet20.py FOLDER COUNT: resnet20.onnx, a ResNet-20 for 32 x 32 images in ten classes with random weights and
BatchNormalization, and resnet20.npz, that many random images with random labels: what the speed of evaluating is measured
with."""
import os
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

folder, count = sys.argv[1], int(sys.argv[2])
random, nodes, constants = np.random.default_rng(1), [], []


def constant(name, values):
    constants.append(numpy_helper.from_array(np.asarray(values, np.float32), name))
    return name


def add(operator, inputs, **attributes):
    output = f"t{len(nodes)}"
    nodes.append(helper.make_node(operator, inputs, [output], **attributes))
    return output


def conv(x, channels, outputs, size, stride):
    name = f"conv{len(nodes)}"
    spread = np.sqrt(2 / (channels * size * size))
    weights = constant(name, random.standard_normal((outputs, channels, size, size)) * spread)
    norm = [constant(name + key, random.uniform(*span, outputs))
            for key, span in (("s", (0.5, 1)), ("b", (-0.2, 0.2)), ("m", (-0.2, 0.2)), ("v", (0.8, 1.2)))]
    y = add("Conv", [x, weights], pads=[size // 2] * 4, strides=[stride] * 2)
    return add("BatchNormalization", [y] + norm)


x, channels = add("Relu", [conv("x", 3, 16, 3, 1)]), 16
for outputs in (16, 32, 64):
    for block in range(3):
        stride = 2 if outputs != channels else 1
        y = conv(add("Relu", [conv(x, channels, outputs, 3, stride)]), outputs, outputs, 3, 1)
        x = conv(x, channels, outputs, 1, stride) if stride == 2 else x
        x, channels = add("Relu", [add("Add", [y, x])]), outputs
x = add("Flatten", [add("GlobalAveragePool", [x])])
x = add("Gemm", [x, constant("fc", random.standard_normal((10, 64)) / 8), constant("fcb", np.zeros(10))], transB=1)
value = helper.make_tensor_value_info
graph = helper.make_graph(nodes, "resnet20", [value("x", TensorProto.FLOAT, ["N", 3, 32, 32])],
                          [value(x, TensorProto.FLOAT, ["N", 10])], constants)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
onnx.save(model, os.path.join(folder, "resnet20.onnx"))
np.savez(os.path.join(folder, "resnet20.npz"), x=random.integers(0, 256, (count, 3, 32, 32), np.uint8),
         y=random.integers(0, 10, count))
