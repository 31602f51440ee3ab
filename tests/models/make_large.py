"""make_large.py FOLDER [NAME...]: the networks of the papers with random Laplace weights, as large.sh and its like measure
them: mlp (784-2048-2048-2048-10), vgg7 (TWN's for CIFAR-10: 2x128C3-MP2-2x256C3-MP2-2x512C3-MP2-1024FC), resnet18 (224x224),
mobilenetv2 (1.0, 224x224), and detector, 24 depthwise and 40 pointwise layers of 24 to 96 channels on small maps.
BatchNormalization is folded, as exporters leave it."""
import os
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


class Net:
    def __init__(self, name, channels, size):
        self.name, self.nodes, self.constants = name, [], []
        self.random = np.random.default_rng(len(name))
        self.input = [1, channels, size, size] if size else [1, channels]
        self.x, self.channels, self.size = "x", channels, size

    def constant(self, values):
        name = f"w{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(values, np.float32), name))
        return name

    def weights(self, *shape):
        return self.constant(self.random.laplace(scale=np.sqrt(1 / np.prod(shape[1:])), size=shape))

    def bias(self, count):
        return self.constant(self.random.uniform(-0.1, 0.1, count))

    def add(self, operator, *inputs, **attributes):
        output = f"t{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, [self.x, *inputs], [output], **attributes))
        self.x = output

    def conv(self, outputs, kernel, stride=1, groups=1, act="Relu"):
        pad = kernel // 2
        self.add("Conv", self.weights(outputs, self.channels // groups, kernel, kernel), self.bias(outputs),
                 pads=[pad] * 4, strides=[stride] * 2, group=groups)
        self.channels, self.size = outputs, (self.size + 2 * pad - kernel) // stride + 1
        self.act(act)

    def act(self, act):
        if act == "Relu6":
            self.add("Clip", self.constant(0), self.constant(6))
        elif act:
            self.add(act)

    def pool(self, kernel, stride, pad=0):
        self.add("MaxPool", kernel_shape=[kernel] * 2, strides=[stride] * 2, pads=[pad] * 4)
        self.size = (self.size + 2 * pad - kernel) // stride + 1

    def flatten(self, average=False):
        if average:
            self.add("GlobalAveragePool")
            self.size = 1
        self.add("Flatten")
        self.channels, self.size = self.channels * self.size ** 2, 0

    def dense(self, outputs, act="Relu"):
        self.add("Gemm", self.weights(outputs, self.channels), self.bias(outputs), transB=1)
        self.channels = outputs
        self.act(act)

    def save(self, folder):
        value = helper.make_tensor_value_info
        shape = [1, self.channels] + ([self.size] * 2 if self.size else [])
        graph = helper.make_graph(self.nodes, self.name, [value("x", TensorProto.FLOAT, self.input)],
                                  [value(self.x, TensorProto.FLOAT, shape)], self.constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        onnx.checker.check_model(model)
        onnx.save(model, os.path.join(folder, self.name + ".onnx"))


def mlp():
    net = Net("mlp", 784, 0)
    for _ in range(3):
        net.dense(2048)
    net.dense(10, None)
    return net


def vgg7():
    net = Net("vgg7", 3, 32)
    for channels in (128, 256, 512):
        net.conv(channels, 3)
        net.conv(channels, 3)
        net.pool(2, 2)
    net.flatten()
    net.dense(1024)
    net.dense(10, None)
    return net


def resnet18():
    net = Net("resnet18", 3, 224)
    net.conv(64, 7, 2)
    net.pool(3, 2, 1)
    for channels in (64, 128, 256, 512):
        for block in range(2):
            stride = 2 if block == 0 and channels > 64 else 1
            start, inputs, size = net.x, net.channels, net.size
            net.conv(channels, 3, stride)
            net.conv(channels, 3, 1, act=None)
            end = net.x
            if stride == 2:
                net.x, net.channels, net.size = start, inputs, size
                net.conv(channels, 1, 2, act=None)
                start = net.x
            net.x = end
            net.add("Add", start)
            net.act("Relu")
    net.flatten(average=True)
    net.dense(1000, None)
    return net


def mobilenetv2():
    net = Net("mobilenetv2", 3, 224)
    net.conv(32, 3, 2, act="Relu6")
    for expansion, channels, count, first in ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1),
                                              (6, 160, 3, 2), (6, 320, 1, 1)):
        for block in range(count):
            start, stride, inputs = net.x, first if block == 0 else 1, net.channels
            if expansion > 1:
                net.conv(expansion * inputs, 1, act="Relu6")
            net.conv(net.channels, 3, stride, net.channels, act="Relu6")
            net.conv(channels, 1, act=None)
            if stride == 1 and inputs == channels:
                net.add("Add", start)
    net.conv(1280, 1, act="Relu6")
    net.flatten(average=True)
    net.dense(1000, None)
    return net


def detector():
    net = Net("detector", 24, 44)
    net.conv(24, 1)
    for block in range(24):
        channels = (24, 32, 48, 64, 96, 96)[block // 4]
        stride, start, inputs = 2 if block in (7, 15) else 1, net.x, net.channels
        net.conv(inputs, 3 if block % 3 else 5, stride, inputs, act=None)
        net.conv(channels, 1, act=None)
        if stride == 1 and inputs == channels:
            net.add("Add", start)
        net.act("Relu")
    for _ in range(15):
        net.conv(96, 1)
    return net


NETS = {maker.__name__: maker for maker in (mlp, vgg7, resnet18, mobilenetv2, detector)}
for name in sys.argv[2:] or NETS:
    NETS[name]().save(sys.argv[1])
