#!/usr/bin/python3
"""Write a network of the papers, untrained, for ternc to train.

    make.py NETWORK FILE.onnx [--seed N] [--narrow N] [--size PIXELS]

lenet5    32C5-MP2-64C5-MP2-512FC-10, no padding, 28x28 (MNIST): Li and Liu, arXiv 1605.04711
vgg7      2x128C3-MP2-2x256C3-MP2-2x512C3-MP2-1024FC-10, 32x32 (CIFAR-10): the same paper
resnet20  three stages of three blocks of 16, 32, 64 channels, 32x32 (CIFAR-10): He et al., arXiv 1512.03385
resnet18  four stages of two blocks of 64 to 512 channels, 224x224 (ImageNet, 1,000 classes): the same paper

BatchNormalization stands behind each layer but the classifier. Weights are drawn from He's uniform distribution.
--narrow divides all channels, --size changes the images: for trying things out.
"""
import argparse

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


class Network:
    def __init__(self, channels, size, args):
        self.random, self.narrow = np.random.default_rng(args.seed), args.narrow
        self.nodes, self.constants, self.count = [], [], 0
        self.x, self.channels, self.size = "image", channels, args.size or size
        self.input = [1, self.channels, self.size, self.size]

    def constant(self, name, values):
        self.constants.append(numpy_helper.from_array(np.asarray(values, np.float32), name))
        return name

    def add(self, operator, *inputs, name=None, **attributes):
        name = name or f"{operator.lower()}{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, [self.x, *inputs], [name], name=name, **attributes))
        self.x = name

    def weight(self, name, *shape):
        limit = np.sqrt(6 / np.prod(shape[1:]))
        return self.constant(f"{name}.weight", self.random.uniform(-limit, limit, shape))

    def norm(self, name, channels):
        self.add("BatchNormalization", *[self.constant(f"{name}.{part}", np.full(channels, value)) for part, value in
                                         (("scale", 1), ("bias", 0), ("mean", 0), ("var", 1))], name=f"{name}.norm")

    def relu(self):
        self.add("Relu")

    def conv(self, channels, kernel, pad=0, stride=1):
        self.count += 1
        name, channels = f"conv{self.count}", channels // self.narrow
        self.add("Conv", self.weight(name, channels, self.channels, kernel, kernel), name=name,
                 kernel_shape=[kernel] * 2, pads=[pad] * 4, strides=[stride] * 2)
        self.norm(name, channels)
        self.channels, self.size = channels, (self.size + 2 * pad - kernel) // stride + 1

    def pool(self, kernel=2, stride=2, pad=0):
        self.add("MaxPool", kernel_shape=[kernel] * 2, strides=[stride] * 2, pads=[pad] * 4)
        self.size = (self.size + 2 * pad - kernel) // stride + 1

    def block(self, channels, stride):
        """Two convolutions and a way around them, which is a convolution where shapes differ."""
        start, before, size = self.x, self.channels, self.size
        self.conv(channels, 3, 1, stride)
        self.relu()
        self.conv(channels, 3, 1)
        end, end_size = self.x, self.size
        if stride > 1 or before != self.channels:
            self.x, self.channels, self.size = start, before, size
            self.conv(channels, 1, 0, stride)
            start = self.x
        self.x, self.size = end, end_size
        self.add("Add", start)
        self.relu()

    def hidden(self, outputs):
        inputs, outputs = self.channels * self.size ** 2, outputs // self.narrow
        self.add("Flatten")
        self.add("Gemm", self.weight("fc1", outputs, inputs), name="fc1", transB=1)
        self.norm("fc1", outputs)
        self.relu()
        self.channels = outputs

    def average(self):
        self.add("GlobalAveragePool")
        self.add("Flatten")

    def classifier(self, classes):
        self.classes = classes
        self.add("Gemm", self.weight("classifier", classes, self.channels),
                 self.constant("classifier.bias", np.zeros(classes)), name="score", transB=1)

    def save(self, name, path):
        value = helper.make_tensor_value_info
        graph = helper.make_graph(self.nodes, name, [value("image", TensorProto.FLOAT, self.input)],
                                  [value("score", TensorProto.FLOAT, [1, self.classes])], self.constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], producer_name="make.py")
        model.ir_version = 8
        onnx.checker.check_model(model)
        onnx.save(model, path)


def lenet5(args):
    net = Network(1, 28, args)
    for channels in (32, 64):
        net.conv(channels, 5)
        net.relu()
        net.pool()
    net.hidden(512)
    net.classifier(10)
    return net


def vgg7(args):
    net = Network(3, 32, args)
    for channels in (128, 256, 512):
        for _ in range(2):
            net.conv(channels, 3, 1)
            net.relu()
        net.pool()
    net.hidden(1024)
    net.classifier(10)
    return net


def stages(net, widths, blocks):
    for i, channels in enumerate(widths):
        for k in range(blocks):
            net.block(channels, 2 if i and not k else 1)
    net.average()


def resnet20(args):
    net = Network(3, 32, args)
    net.conv(16, 3, 1)
    net.relu()
    stages(net, (16, 32, 64), 3)
    net.classifier(10)
    return net


def resnet18(args):
    net = Network(3, 224, args)
    net.conv(64, 7, 3, 2)
    net.relu()
    net.pool(3, 2, 1)
    stages(net, (64, 128, 256, 512), 2)
    net.classifier(1000)
    return net


NETWORKS = {make.__name__: make for make in (lenet5, vgg7, resnet20, resnet18)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("network", choices=NETWORKS)
    parser.add_argument("file")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--narrow", type=int, default=1)
    parser.add_argument("--size", type=int)
    args = parser.parse_args()
    NETWORKS[args.network](args).save(args.network, args.file)


if __name__ == "__main__":
    main()
