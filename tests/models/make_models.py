"""make_models.py FOLDER: writes the small ONNX models, good and bad, that the command-line tests use.

Every bad model breaks one rule; its name says which. Weights come from a fixed seed."""
import os
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

rng = np.random.RandomState(1)


def weights(name, *shape):
    return numpy_helper.from_array(rng.randn(*shape).astype(np.float32), name)


def value(name, shape, dtype=TensorProto.FLOAT):
    return helper.make_tensor_value_info(name, dtype, shape)


def save(name, nodes, inputs, outputs, constants=(), opset=13, domains=()):
    graph = helper.make_graph(nodes, "graph", inputs, outputs, list(constants))
    imports = [helper.make_opsetid("", opset)] + [helper.make_opsetid(d, 1) for d in domains]
    onnx.save(helper.make_model(graph, ir_version=7, opset_imports=imports), name + ".onnx")


def relu(name="y", x="x", node="act"):
    return helper.make_node("Relu", [x], [name], node)


def one(name, node, x=(1, 4), y=(1, 4), constants=(), **more):
    """A model of one node from x to y."""
    save(name, [node], [value("x", list(x))], [value("y", list(y))], constants, **more)


def good():
    save("tiny", [helper.make_node("Conv", ["x", "w1", "b1"], ["a"], "conv1", pads=[1, 1, 1, 1]),
                  helper.make_node("Relu", ["a"], ["b"], "relu1"),
                  helper.make_node("MaxPool", ["b"], ["c"], "pool1", kernel_shape=[2, 2], strides=[2, 2]),
                  helper.make_node("Conv", ["c", "w2"], ["d"], "conv2"),
                  helper.make_node("Relu", ["d"], ["e"], "relu2"),
                  helper.make_node("Flatten", ["e"], ["f"], "flatten"),
                  helper.make_node("Gemm", ["f", "w3", "b3"], ["y"], "fc", transB=1)],
         [value("x", [1, 1, 8, 8])], [value("y", [1, 5])],
         [weights("w1", 4, 1, 3, 3), weights("b1", 4), weights("w2", 6, 4, 3, 3), weights("w3", 5, 24),
          weights("b3", 5)])
    for name, last in (("logits", "Identity"), ("softmax", "Softmax"), ("logsoftmax", "LogSoftmax")):
        save(name, [helper.make_node("MatMul", ["x", "w"], ["m"], "fc"), helper.make_node(last, ["m"], ["y"], "last")],
             [value("x", [1, 3])], [value("y", [1, 3])], [numpy_helper.from_array(np.eye(3, dtype=np.float32), "w")])
    save("two", [helper.make_node("Add", ["a", "b"], ["sum"], "add"), helper.make_node("Neg", ["n"], ["minus"], "neg")],
         [value("a", [2]), value("b", [2]), value("n", [3], TensorProto.INT64)],
         [value("sum", [2]), value("minus", [3], TensorProto.INT64)])
    save("reshape", [helper.make_node("Mul", ["x", "k"], ["a"], "mul"),
                     helper.make_node("Reshape", ["a", "shape"], ["y"], "view")],
         [value("x", [2, "length"]), value("k", ["length"]), value("shape", [2], TensorProto.INT64)],
         [value("y", ["rows", "columns"])], [numpy_helper.from_array(np.full(3, 2, np.float32), "k")])
    body = helper.make_graph([helper.make_node("Add", ["v", "v"], ["v1"]),
                              helper.make_node("ReduceSum", ["v1"], ["sum"], keepdims=0),
                              helper.make_node("Less", ["sum", "limit"], ["more"])], "body",
                             [value("i", [], TensorProto.INT64), value("on", [], TensorProto.BOOL), value("v", [3])],
                             [value("more", [], TensorProto.BOOL), value("v1", [3])])
    branches = {name: helper.make_graph([helper.make_node(op, ["r"], [name])], name, [], [value(name, [3])])
                for name, op in (("large", "Sqrt"), ("small", "Neg"))}
    save("while", [helper.make_node("Loop", ["", "", "x"], ["r"], "double", body=body),
                   helper.make_node("ReduceMax", ["r"], ["max"], keepdims=0),
                   helper.make_node("Greater", ["max", "limit"], ["c"]),
                   helper.make_node("If", ["c"], ["y"], "choice", then_branch=branches["large"],
                                    else_branch=branches["small"])],
         [value("x", [3]), value("limit", [])], [value("y", [3])])
    save("symbolic", [relu()], [value("x", ["batch", "length", 2])], [value("y", ["batch", "length", 2])])


def bad_graphs():
    save("no_outputs", [relu()], [value("x", [1, 4])], [])
    save("cycle", [relu("b", "a", "first"), relu("a", "b", "second"), helper.make_node("Add", ["x", "a"], ["y"], "sum")],
         [value("x", [1, 4])], [value("y", [1, 4])])
    save("dangling", [relu("y", "nowhere")], [value("x", [1, 4])], [value("y", [1, 4])])
    save("no_producer", [relu("z")], [value("x", [1, 4])], [value("y", [1, 4])])
    save("duplicate", [relu("y", "x", "first"), relu("y", "x", "second")], [value("x", [1, 4])], [value("y", [1, 4])])
    save("unsupported", [helper.make_node("Frobnicate", ["x"], ["a"], "f1"),
                         helper.make_node("Wobble", ["a"], ["b"], "w1", domain="com.example"),
                         helper.make_node("Frobnicate", ["b"], ["y"], "f2")],
         [value("x", [1, 4])], [value("y", [1, 4])], domains=["com.example"])
    one("old_opset", relu(), opset=-6)
    one("new_opset", relu(), opset=99)


def bad_shapes():
    one("contradiction", helper.make_node("MatMul", ["x", "w"], ["y"], "fc"), y=(1, 3), constants=[weights("w", 5, 3)])
    one("wrong_output", relu(), y=(1, 5))
    one("negative_dim", relu(), x=(1, -4), y=(1, -4))
    one("huge_dim", relu(), x=(1 << 40, 1 << 40), y=(1 << 40, 1 << 40))
    conv = helper.make_node("Conv", ["x", "w"], ["y"], "conv")
    one("kernel_too_large", conv, x=(1, 1, 3, 3), y=(1, 1, 1, 1), constants=[weights("w", 1, 1, 5, 5)])
    short = weights("w", 5, 3)
    short.raw_data = short.raw_data[:-4]
    one("short_data", helper.make_node("MatMul", ["x", "w"], ["y"], "fc"), x=(1, 5), y=(1, 3), constants=[short])


def bad_values():
    one("unknown_attribute", helper.make_node("Relu", ["x"], ["y"], "act", slope=1.0))
    one("attribute_type", helper.make_node("Softmax", ["x"], ["y"], "soft", axis=1.5))
    one("attribute_range", helper.make_node("Softmax", ["x"], ["y"], "soft", axis=5))
    conv = helper.make_node("Conv", ["x", "w"], ["y"], "conv", strides=[0, 1])
    one("zero_stride", conv, x=(1, 1, 3, 3), y=(1, 1, 3, 3), constants=[weights("w", 1, 1, 1, 1)])
    for name, v in (("nan", np.nan), ("infinite", np.inf)):
        w = np.ones((4, 3), np.float32)
        w[2, 1] = v
        save(name + "_weight", [helper.make_node("MatMul", ["x", "w"], ["m"], "fc1"),
                                helper.make_node("MatMul", ["m", "w2"], ["y"], "fc2")],
             [value("x", [1, 4])], [value("y", [1, 2])], [numpy_helper.from_array(w, "w"), weights("w2", 3, 2)])


def field(number, body):
    """A length-delimited field of the wire format."""
    size, head = len(body), bytes([number << 3 | 2])
    while size >= 128:
        head += bytes([size & 127 | 128])
        size >>= 7
    return head + bytes([size]) + body


def nested_graph(depth):
    """A node with an attribute with a graph with a node ..."""
    body = b""
    for _ in range(depth):
        body = field(1, field(5, field(6, body)))
    return body


def bad_files():
    open("empty.onnx", "wb").close()
    with open("text.onnx", "w") as f:
        f.write("This is not a model.\n" * 20)
    with open("tiny.onnx", "rb") as f:
        data = f.read()
    with open("cut.onnx", "wb") as f:
        f.write(data[:len(data) // 2])
    with open("nested.onnx", "wb") as f:
        f.write(field(7, nested_graph(3000)))
    os.mkdir("folder.onnx")


def arrays():
    np.save("x", rng.randn(1, 1, 8, 8).astype(np.float32))
    np.save("x_double", rng.randn(1, 1, 8, 8))
    np.save("x_small", rng.randn(1, 1, 4, 4).astype(np.float32))
    np.save("a", np.array([1.5, -2], np.float32))
    np.save("b", np.array([0.25, 100], np.float32))
    np.save("n", np.array([1, -2, 1 << 60], np.int64))
    np.save("six", np.arange(6, dtype=np.float32).reshape(2, 3))
    np.save("k", np.array([1, 10, 100], np.float32))
    np.save("ones", np.array([1, 2, 3], np.float32))
    np.save("forty", np.array(40, np.float32))
    np.save("rows3", np.array([3, 2]))
    with open("rows3.pb", "wb") as f:
        f.write(numpy_helper.from_array(np.array([3, 2])).SerializeToString())
    with open("x.pb", "wb") as f:
        f.write(numpy_helper.from_array(np.load("x.npy")).SerializeToString())
    scores = np.array([[1, 2, 3], [0, 0, 9], [5, 1, 1], [-1, 4, 2]], np.float32)
    np.savez("scores.npz", x=scores, y=np.array([2, 2, 0, 2]))
    np.savez("images.npz", x=rng.randint(0, 256, (20, 8, 8)).astype(np.uint8), y=np.arange(20) % 5)
    np.savez("too_high.npz", x=scores, y=np.array([2, 2, 0, 3]))
    np.savez("no_labels.npz", x=scores)
    np.savez("nan.npz", x=np.array([[1, 2, 3], [np.nan, 1, 2]], np.float32), y=np.array([2, 2]))


os.makedirs(sys.argv[1], exist_ok=True)
os.chdir(sys.argv[1])
good()
bad_graphs()
bad_shapes()
bad_values()
bad_files()
arrays()
