"""make_lenet5.py FILE DENSITY: LeNet-5 (32C5-MP2-64C5-MP2-512FC-10) with random ternary weights, of which that share is
not zero, and random biases: what a format for ternary weights makes of 581,408 of them."""
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

path, density = sys.argv[1], float(sys.argv[2])
random, nodes, constants = np.random.default_rng(1), [], []


def constant(name, values):
    constants.append(numpy_helper.from_array(values.astype(np.float32), name))
    return name


def weights(name, *shape):
    scale = 0.05 + 0.1 * random.random((shape[0],) + (1,) * (len(shape) - 1))
    return constant(name, (random.random(shape) < density) * random.choice([-1.0, 1.0], shape) * scale)


def add(operator, inputs, **attributes):
    output = f"t{len(nodes)}"
    nodes.append(helper.make_node(operator, inputs, [output], **attributes))
    return output


x = "x"
for i, (outputs, inputs) in enumerate([(32, 1), (64, 32)]):
    bias = constant(f"conv{i}_b", random.standard_normal(outputs))
    x = add("Conv", [x, weights(f"conv{i}", outputs, inputs, 5, 5), bias])
    x = add("MaxPool", [add("Relu", [x])], kernel_shape=[2, 2], strides=[2, 2])
x = add("Flatten", [x])
for i, (outputs, inputs) in enumerate([(512, 1024), (10, 512)]):
    bias = constant(f"fc{i}_b", random.standard_normal(outputs))
    x = add("Gemm", [x, weights(f"fc{i}", outputs, inputs), bias], transB=1)
    if i == 0:
        x = add("Relu", [x])
value = helper.make_tensor_value_info
graph = helper.make_graph(nodes, "lenet5", [value("x", TensorProto.FLOAT, [1, 1, 28, 28])],
                          [value(x, TensorProto.FLOAT, [1, 10])], constants)
onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
