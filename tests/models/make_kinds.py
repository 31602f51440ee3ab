"""make_kinds.py FILE: one model with every kind of layer, for the tests of generated code as C.

Convolutions with stride, dilation, groups and depthwise, 1-D, transposed, fully connected ones, each kind of activation
and pooling, several inputs and outputs. Weights come from a fixed seed."""
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

rng = np.random.RandomState(3)
nodes, constants = [], []


def weights(name, *shape):
    constants.append(numpy_helper.from_array(rng.randn(*shape).astype(np.float32), name))
    return name


def numbers(name, *values):
    constants.append(numpy_helper.from_array(np.array(values, np.float32).reshape(() if len(values) == 1 else -1), name))
    return name


def op(kind, inputs, output, **attributes):
    nodes.append(helper.make_node(kind, inputs, [output], "node_" + output, **attributes))
    return output


def image_branch():
    """image [2,3,13,11]"""
    a = op("Conv", ["image", weights("w1", 6, 3, 3, 3), weights("b1", 6)], "a1", strides=[2, 1], pads=[1, 0, 1, 2])
    a = op("LeakyRelu", [a], "a2", alpha=0.1)
    a = op("Conv", [a, weights("w2", 6, 1, 3, 3), weights("b2", 6)], "a3", group=6, dilations=[2, 2], pads=[2, 2, 2, 2])
    a = op("Sigmoid", [a], "a4")
    a = op("Conv", [a, weights("w3", 8, 3, 1, 1)], "a5", group=2)
    a = op("BatchNormalization", [a, weights("s", 8), weights("t", 8), weights("m", 8), numbers("v", *range(1, 9))], "a6")
    a = op("Clip", [a, numbers("low", -1), numbers("high", 6)], "a7")
    a = op("MaxPool", [a], "a8", kernel_shape=[2, 2], strides=[2, 2])
    a = op("ConvTranspose", [a, weights("w4", 8, 5, 3, 2), weights("b4", 5)], "a9", strides=[2, 3], pads=[1, 0, 0, 0])
    a = op("Tanh", [a], "wide")
    a = op("AveragePool", [a], "a11", kernel_shape=[2, 2], strides=[2, 2])
    a = op("GlobalAveragePool", [a], "a12")
    return op("Flatten", [a], "a13")


def signal_branch():
    """signal [2,4,40]"""
    a = op("Conv", ["signal", weights("w5", 7, 4, 5), weights("b5", 7)], "c1", strides=[2], pads=[2, 2])
    a = op("HardSwish", [a], "c2")
    a = op("ConvTranspose", [a, weights("w6", 7, 3, 4)], "c3", strides=[2])
    a = op("HardSigmoid", [a], "c4", alpha=0.2, beta=0.5)
    return op("Flatten", [a], "c5")


def main():
    a, c = image_branch(), signal_branch()
    both = op("Concat", [a, c], "both", axis=1)
    hidden = op("Gemm", [both, weights("w7", 30, 131), weights("b7", 30)], "h1", transB=1)
    hidden = op("Relu", [hidden], "h2")
    hidden = op("MatMul", [hidden, weights("w8", 30, 9)], "h3")
    shifted = op("Add", [hidden, "bias"], "h4")
    op("Softmax", [op("MatMul", [shifted, weights("w9", 9, 4)], "h5")], "score", axis=1)
    op("ArgMax", ["score"], "winner", axis=1, keepdims=0)
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes, "kinds",
        [value("image", TensorProto.FLOAT, [2, 3, 13, 11]), value("signal", TensorProto.FLOAT, [2, 4, 40]),
         value("bias", TensorProto.FLOAT, [9])],
        [value("score", TensorProto.FLOAT, [2, 4]), value("wide", TensorProto.FLOAT, None),
         value("winner", TensorProto.INT64, [2])], constants)
    model = helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 15)])
    onnx.save(onnx.shape_inference.infer_shapes(model, strict_mode=True), sys.argv[1])


main()
