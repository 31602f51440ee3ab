#!/usr/bin/python3
"""Write the LeNet-5 of the ternary-weight papers as lenet5.onnx, untrained: ternc trains it itself.

32C5-MP2-64C5-MP2-512FC-10, no padding, BatchNorm and ReLU behind each layer but the classifier. Weights are He-uniform
from a fixed seed.                make.py [FILE]
"""
import pathlib
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def main():
    path = sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).with_name("lenet5.onnx")
    random = np.random.default_rng(1)
    nodes, constants = [], []

    def constant(name, values):
        constants.append(numpy_helper.from_array(np.asarray(values, np.float32), name))
        return name

    def weight(name, shape):
        limit = np.sqrt(6 / np.prod(shape[1:]))
        return constant(name, random.uniform(-limit, limit, shape))

    def node(operator, inputs, name, **attributes):
        nodes.append(helper.make_node(operator, inputs, [name], name=name, **attributes))
        return name

    def norm_relu(x, name, channels):
        values = [constant(f"{name}.{part}", np.full(channels, value))
                  for part, value in (("scale", 1), ("bias", 0), ("mean", 0), ("var", 1))]
        return node("Relu", [node("BatchNormalization", [x, *values], f"{name}.norm")], f"{name}.relu")

    x = "image"
    for name, channels, before in (("conv1", 32, 1), ("conv2", 64, 32)):
        x = node("Conv", [x, weight(f"{name}.weight", (channels, before, 5, 5))], name, kernel_shape=[5, 5])
        x = norm_relu(x, name, channels)
        x = node("MaxPool", [x], f"{name}.pool", kernel_shape=[2, 2], strides=[2, 2])
    x = node("Flatten", [x], "flat")
    x = norm_relu(node("Gemm", [x, weight("fc1.weight", (512, 1024))], "fc1", transB=1), "fc1", 512)
    node("Gemm", [x, weight("fc2.weight", (10, 512)), constant("fc2.bias", np.zeros(10))], "score", transB=1)
    graph = helper.make_graph(nodes, "lenet5", [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 1, 28, 28])],
                              [helper.make_tensor_value_info("score", TensorProto.FLOAT, [1, 10])], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], producer_name="make.py")
    model.ir_version = 8
    onnx.checker.check_model(model)
    onnx.save(model, str(path))


if __name__ == "__main__":
    main()
