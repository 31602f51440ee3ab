"""make_layouts.py FOLDER: one network in several layouts: NAME.onnx takes images as NAME says, with the same weights;
and data sets of the same images in both orders.

nchw, nhwc as Keras exports it, hwc without a batch, scaled with arithmetic of its own in front; gray_nchw and gray_nhwc
of one channel; ncw, nwc, ncdhw, ndhwc; mlp, whose layers do not show where its channels are; pair, two inputs in two
layouts."""
import os
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

rng = np.random.RandomState(5)
H, W, C, CLASSES, SAMPLES = 6, 6, 3, 4, 40  # of square images: shapes alone do not tell rows from columns


def constant(name, v):
    return numpy_helper.from_array(np.asarray(v), name)


def weights(name, *shape):
    return constant(name, rng.randn(*shape).astype(np.float32))


def value(name, shape):
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


def save(name, nodes, inputs, classes, constants):
    graph = helper.make_graph(nodes, "graph", [value(*i) for i in inputs], [value("y", [1, classes])], constants)
    onnx.save(helper.make_model(graph, ir_version=7, opset_imports=[helper.make_opsetid("", 13)]), name + ".onnx")


def network(name, shape, front=(), x="x", constants=()):
    """What the layers see is x as [1, channels, positions...], made from the input by the nodes in front."""
    axes = len(shape_first[name])
    w = shared[axes, shape_first[name][0]]
    nodes = list(front) + [helper.make_node("Conv", [x, "w1", "b1"], ["c"], "conv"), helper.make_node("Relu", ["c"], ["r"]),
                           helper.make_node("Flatten", ["r"], ["f"]),
                           helper.make_node("Gemm", ["f", "w2"], ["y"], "fc", transB=1)]
    save(name, nodes, [("x", shape)], CLASSES, w + list(constants))


def make_weights(first):
    """For [channels, positions...]"""
    window = [3 if n > 2 else 1 for n in first[1:]]
    left = int(np.prod([n - k + 1 for n, k in zip(first[1:], window)]))
    return [weights("w1", 5, first[0], *window), weights("b1", 5), weights("w2", CLASSES, 5 * left)]


image, gray, signal, volume = [C, H, W], [1, H, W], [C, 9], [C, 2, 4, 4]
shared = {(len(f), f[0]): make_weights(f) for f in (image, gray, signal, volume)}
shape_first = dict(nchw=image, nhwc=image, hwc=image, scaled=image, gray_nchw=gray, gray_nhwc=gray, ncw=signal, nwc=signal,
                   ncdhw=volume, ndhwc=volume)


def models():
    for name, first in shape_first.items():
        last = first[1:] + first[:1]
        perm = [0, len(last)] + list(range(1, len(last)))
        to_first = helper.make_node("Transpose", ["x"], ["t"], "to_nchw", perm=perm)
        if name == "hwc":
            network(name, last, [helper.make_node("Unsqueeze", ["x", "zero"], ["u"]),
                                 helper.make_node("Transpose", ["u"], ["t"], "to_nchw", perm=perm)], "t",
                    [constant("zero", np.int64([0]))])
        elif name == "scaled":
            network(name, [1] + last, [helper.make_node("Mul", ["x", "k"], ["m"]),
                                       helper.make_node("Transpose", ["m"], ["t"], "to_nchw", perm=perm)], "t",
                    [constant("k", np.float32([1, 1, 1]))])
        elif name.endswith("c"):
            network(name, [1] + last, [to_first], "t")
        else:
            network(name, [1] + first)
    save("mlp", [helper.make_node("Flatten", ["x"], ["f"]), helper.make_node("MatMul", ["f", "w"], ["y"], "fc")],
         [("x", [1, H, W, C])], CLASSES, [weights("w", H * W * C, CLASSES)])
    first, last = ("a", [1] + image), ("b", [1] + image[1:] + image[:1])
    w = shared[3, C]
    save("pair", [helper.make_node("Transpose", ["b"], ["t"], "to_nchw", perm=[0, 3, 1, 2]),
                  helper.make_node("Sub", ["a", "t"], ["d"]), helper.make_node("Conv", ["d", "w1", "b1"], ["c"], "conv"),
                  helper.make_node("Flatten", ["c"], ["f"]), helper.make_node("Gemm", ["f", "w2"], ["y"], "fc", transB=1)],
         [first, last], CLASSES, w)


def data():
    for kind, first in (("image", image), ("gray", gray), ("signal", signal), ("volume", volume)):
        x = rng.randint(0, 256, [SAMPLES] + first).astype(np.uint8)
        y = rng.randint(0, CLASSES, SAMPLES).astype(np.int64)
        np.savez(kind + "_first.npz", x=x, y=y)
        np.savez(kind + "_last.npz", x=np.moveaxis(x, 1, -1), y=y)
        np.moveaxis(x[:1], 1, -1).tofile(kind + "_last.raw")
        x[:1].tofile(kind + "_first.raw")


os.makedirs(sys.argv[1], exist_ok=True)
os.chdir(sys.argv[1])
models()
data()
