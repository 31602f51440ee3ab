#!/usr/bin/python3
"""Write three classes of noisy 8 x 8 images (train.npz, test.npz, inputs.npz without labels, bad.npz with wrong ones) and an
untrained network for them, net.onnx; steps.onnx is the same with an operator that has no gradient. For the cli_*.sh."""
import numpy as np, onnx
from onnx import TensorProto as T, helper as h, numpy_helper as nh
r = np.random.default_rng(3)
centres = r.normal(size=(3, 1, 8, 8))
def samples(n):
    y = r.integers(0, 3, n)
    return (centres[y] + 0.9 * r.normal(size=(n, 1, 8, 8))).astype(np.float32), y.astype(np.int64)
x, y = samples(1200)
np.savez("train.npz", x=x, y=y)
np.savez("inputs.npz", x=x)
np.savez("bad.npz", x=x, y=y + 1)
x, y = samples(600)
np.savez("test.npz", x=x, y=y)
def c(name, v): return nh.from_array(np.asarray(v, np.float32), name)
w = lambda name, *s: c(name, r.normal(size=s) * np.sqrt(2 / np.prod(s[1:])))
norm = lambda p, n: [c(f"{p}{k}", np.full(n, v)) for k, v in (("s", 1), ("b", 0), ("m", 0), ("v", 1))]
constants = [w("w1", 16, 1, 3, 3), *norm("n", 16), w("w2", 24, 256), c("b2", np.zeros(24)), w("w3", 3, 24), c("b3", np.zeros(3))]
nodes = [h.make_node("Conv", ["x", "w1"], ["c"], "conv", pads=[1, 1, 1, 1]),
         h.make_node("BatchNormalization", ["c", "ns", "nb", "nm", "nv"], ["d"], "norm"),
         h.make_node("Relu", ["d"], ["e"], "relu"),
         h.make_node("MaxPool", ["e"], ["f"], "pool", kernel_shape=[2, 2], strides=[2, 2]),
         h.make_node("Flatten", ["f"], ["g"], "flat"),
         h.make_node("Gemm", ["g", "w2", "b2"], ["h"], "fc", transB=1), h.make_node("Relu", ["h"], ["i"], "relu2"),
         h.make_node("Dropout", ["i"], ["j"], "drop"),
         h.make_node("Gemm", ["j", "w3", "b3"], ["k"], "last", transB=1), h.make_node("Softmax", ["k"], ["y"], "soft", axis=-1)]
def save(nodes, name):
    g = h.make_graph(nodes, "g", [h.make_tensor_value_info("x", T.FLOAT, ["N", 1, 8, 8])],
                     [h.make_tensor_value_info("y", T.FLOAT, ["N", 3])], constants)
    m = h.make_model(g, opset_imports=[h.make_opsetid("", 13)]); m.ir_version = 8; onnx.save(m, name)
save(nodes, "net.onnx")
nodes[6] = h.make_node("Floor", ["h"], ["i"], "steps")
save(nodes, "steps.onnx")
