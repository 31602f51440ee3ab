# make_nasty.py: a network whose names are as bad as a file may have them, and files that are wrong besides, in the current
# folder. model_path, layer_name, input_name and names say what they are.
import os
import numpy as np
import onnx
from onnx import TensorProto, helper as h, numpy_helper as nh

rng = np.random.default_rng(1)
# Python refuses what is no UTF-8, so it is put into the finished file: of the same length.
NO_UTF8, BYTES = "ZQZQ", b"\xff\xc0\x80\xfe"


def nasty(what):
    return what + "\n\t\x1b[31m*/??/ \\\n/* <&\"'>,;%s%n\x7f\x07\r\nternc: error: forged " + NO_UTF8 + " \u202eabc\u009b \\x41"


def raw(text):
    return text.encode().replace(NO_UTF8.encode(), BYTES)


def save(model, path):
    with open(path, "wb") as f:
        f.write(model.SerializeToString().replace(NO_UTF8.encode(), BYTES))


def weights(name, *shape):
    return nh.from_array(rng.standard_normal(shape).astype(np.float32), name)


def make(name, **change):
    # A comma separates layers on the command line.
    nodes = [h.make_node("Conv", [name("x"), name("w")], [name("c")], name=name("conv").replace(",", ""), pads=[1, 1, 1, 1]),
             h.make_node("Relu", [name("c")], [name("r")], name=name("relu")),
             h.make_node("Flatten", [name("r")], [name("f")], name=name("flat")),
             h.make_node("Gemm", [name("f"), name("v")], [name("g")], name=name("fc")),
             h.make_node("Gemm", [name("g"), name("u")], [name("y")], name=name("last"))]
    if "op" in change:
        nodes[1].op_type = change["op"]
    if "input" in change:
        nodes[1].input[0] = change["input"]
    if "attribute" in change:
        nodes[1].attribute.append(h.make_attribute(change["attribute"], "value"))
    graph = h.make_graph(nodes, name("graph"),
                         [h.make_tensor_value_info(name("x"), TensorProto.FLOAT, [name("batch"), 1, 6, 6])],
                         [h.make_tensor_value_info(name("y"), TensorProto.FLOAT, change.get("shape", [name("batch"), 3]))],
                         [weights(name("w"), 4, 1, 3, 3), weights(name("v"), 144, 10), weights(name("u"), 10, 3)])
    m = h.make_model(graph, opset_imports=[h.make_opsetid("", 17)], producer_name=name("producer"))
    h.set_model_props(m, {name("key"): name("value")})
    return m


os.makedirs(b"dir\n\x1b")
path = b"dir\n\x1b/net\n\t\x1b[31m\xff <&\"'>,%s \\x41.onnx"
save(make(nasty), path)
for file, text in ("model_path", path), ("layer_name", raw(nasty("conv").replace(",", ""))), ("input_name", raw(nasty("x"))):
    with open(file, "wb") as f:
        f.write(text)
with open("names", "w") as f:
    print([raw(nasty(what)) for what in ("x", "y", "w", "v", "relu", "fc", "graph", "key", "value")], file=f)

save(make(lambda name: name), "plain.onnx")
save(make(nasty, op=nasty("Op")), "bad_operator.onnx")
save(make(nasty, input=nasty("nowhere")), "bad_input.onnx")
save(make(nasty, attribute=nasty("attribute")), "bad_attribute.onnx")
save(make(nasty, shape=[1, 7]), "bad_shape.onnx")
external = make(nasty)
external.graph.initializer[0].ClearField("raw_data")
external.graph.initializer[0].data_location = TensorProto.EXTERNAL
external.graph.initializer[0].external_data.add(key="location", value=nasty("weights"))
save(external, "bad_external.onnx")

x = rng.standard_normal((60, 1, 6, 6)).astype(np.float32)
np.savez("train.npz", x=x, y=np.arange(60) % 3)
np.save("x.npy", x[:1])
np.savez("array.npz", **{"a\n\x1b[31m": x})
header = b"{'descr': '\x1b[31m\n', 'fortran_order': False, 'shape': (1,), }\n"
with open("header.npy", "wb") as f:
    f.write(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header)
