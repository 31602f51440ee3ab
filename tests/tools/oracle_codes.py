"""oracle_codes.py TERNC FOLDER: random models of a node each on 8-bit codes, of QLinear operators and of what dynamic quantization
writes, as FOLDER/NAME.onnx, with their inputs and what `ternc run` makes of them, for oracle.mjs."""
import json
import subprocess
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

EACH = 20
random = np.random.RandomState(1)
TYPES = {np.dtype(np.uint8): (TensorProto.UINT8, "uint8"), np.dtype(np.int8): (TensorProto.INT8, "int8"),
         np.dtype(np.float32): (TensorProto.FLOAT, "float"), np.dtype(bool): (TensorProto.BOOL, "bool")}
# The other operators are onnxruntime's own.
ONNX = ("QLinearConv", "QLinearMatMul", "ConvInteger", "MatMulInteger", "DynamicQuantizeLinear", "Cast", "Mul", "Add")


class Model:
    """Nodes, their constants, and inputs with values."""

    def __init__(self):
        self.nodes, self.constants, self.inputs = [], [], []

    def constant(self, value):
        self.constants.append(numpy_helper.from_array(np.asarray(value), f"c{len(self.constants)}"))
        return self.constants[-1].name

    def input(self, value):
        self.inputs.append((f"x{len(self.inputs)}", np.asarray(value)))
        return self.inputs[-1][0]

    def node(self, operator, inputs, outputs="y", **attributes):
        domain = "" if operator in ONNX else "com.microsoft"
        self.nodes.append(helper.make_node(operator, inputs, outputs.split(), domain=domain, **attributes))
        return outputs.split()[0]

    def save(self, path, dtype):
        inputs = [helper.make_tensor_value_info(n, TYPES[v.dtype][0], v.shape) for n, v in self.inputs]
        outputs = [helper.make_tensor_value_info("y", dtype, None)]
        graph = helper.make_graph(self.nodes, "oracle", inputs, outputs, self.constants)
        imports = [helper.make_opsetid("", 13), helper.make_opsetid("com.microsoft", 1)]
        onnx.save(helper.make_model(graph, ir_version=8, opset_imports=imports), path)


def pick(*values):
    return values[random.randint(len(values))]


def codes(dtype, *shape):
    low = -128 if dtype == np.int8 else 0
    return random.randint(low, low + 256, shape).astype(dtype)


def zero(dtype):
    return dtype(pick(0, random.randint(-20, 20) if dtype == np.int8 else random.randint(100, 150)))


def scale(reach=1.0):
    return np.float32(reach * (0.5 + random.rand()))


def weights(*shape):
    """Of at most 64: sums of two products fit into 16 bits, beyond which some processors' kernels saturate."""
    return random.randint(-64, 65, shape).astype(np.int8)


def step(m, dtype, reach=1 / 64):
    return [m.constant(scale(reach)), m.constant(zero(dtype))]


def operand(m, dtype, *shape):
    return [m.input(codes(dtype, *shape))] + step(m, dtype)


def conv(m, dtype):
    groups = pick(1, 1, 2)
    ci, co, k = groups * random.randint(1, 4), groups * random.randint(1, 4), pick(1, 3)
    w, per_channel = weights(co, ci // groups, k, k), pick(0, 1)
    scales = [scale(1 / 64) for _ in range(co)] if per_channel else scale(1 / 64)
    more = [m.constant(random.randint(-2000, 2000, co).astype(np.int32))] if pick(0, 1) else []
    m.node("QLinearConv", operand(m, dtype, 1, ci, 7, 6) +
           [m.constant(w), m.constant(np.float32(scales)), m.constant(np.zeros(co if per_channel else (), np.int8))] +
           step(m, dtype, 1 / 4) + more, group=groups, pads=[k // 2] * 4, strides=[pick(1, 2)] * 2)


def matmul(m, dtype):
    k, n = random.randint(1, 40), random.randint(1, 9)
    shape = pick((3, k), (2, 3, k))
    w = m.constant(weights(k, n)) if pick(0, 1) else m.input(weights(k, n))
    m.node("QLinearMatMul", operand(m, dtype, *shape) + [w, m.constant(scale(1 / 64)), m.constant(np.int8(0))] +
           step(m, dtype, 1 / 4))


def gemm(m, dtype):
    k, n = random.randint(1, 40), random.randint(1, 9)
    m.node("QGemm", operand(m, dtype, 3, k) + [m.constant(weights(k, n)), m.constant(scale(1 / 64)), m.constant(np.int8(0)),
                                                m.constant(random.randint(-2000, 2000, n).astype(np.int32))] +
           step(m, dtype, 1 / 4), alpha=1.0, transB=0)


def two(operator):
    def make(m, dtype):
        b = pick((1, 3, 4, 5), (1, 3, 1, 1), (5,), ())
        m.node(operator, operand(m, dtype, 1, 3, 4, 5) + operand(m, dtype, *b) + step(m, dtype, pick(1 / 64, 1 / 32)))

    return make


def where(m, dtype):
    m.node("QLinearWhere", [m.input(random.rand(3, 5) > 0.5)] + operand(m, dtype, 3, 5) + operand(m, dtype, 3, 5) + step(m, dtype))


def concat(m, dtype):
    m.node("QLinearConcat", step(m, dtype) + operand(m, dtype, 2, 3, 4) + operand(m, dtype, 2, 2, 4), axis=1)


def one(operator, reach=1 / 64, **attributes):
    def make(m, dtype):
        m.node(operator, operand(m, dtype, 1, 3, 6, 6) + step(m, dtype, reach), **attributes)

    return make


def softmax(m, dtype):
    low = {np.uint8: 0, np.int8: -128}[dtype]
    m.node("QLinearSoftmax", operand(m, dtype, 4, 9) + [m.constant(np.float32(1 / 256)), m.constant(dtype(low))], axis=-1, opset=13)


def dynamic(operator, shape, make_weights, **attributes):
    """What quantize_dynamic of onnxruntime writes."""

    def make(m, dtype):
        m.node("DynamicQuantizeLinear", [m.input(random.randn(*shape).astype(np.float32) * 3)], "a s z")
        w = make_weights()
        m.node(operator, ["a", m.constant(w), "z", m.constant(np.int8(0))], "i", **attributes)
        m.node("Cast", ["i"], "f", to=TensorProto.FLOAT)
        m.node("Mul", ["s", m.constant(scale(1 / 64))], "t")
        m.node("Mul", ["f", "t"], "p")
        bias = (w.shape[0], 1, 1) if operator == "ConvInteger" else w.shape[-1:]
        m.node("Add", ["p", m.constant(random.randn(*bias).astype(np.float32))])

    return make


MAKERS = {
    "qlinear_conv": conv, "qlinear_matmul": matmul, "qgemm": gemm, "qlinear_add": two("QLinearAdd"),
    "qlinear_mul": two("QLinearMul"), "qlinear_where": where, "qlinear_concat": concat,
    "qlinear_sigmoid": one("QLinearSigmoid", 1 / 256), "qlinear_leaky_relu": one("QLinearLeakyRelu", alpha=0.1),
    "qlinear_softmax": softmax,
    "qlinear_average_pool": one("QLinearAveragePool", kernel_shape=[3, 3], pads=[1] * 4, strides=[2, 2]),
    "qlinear_global_average_pool": one("QLinearGlobalAveragePool", channels_last=0),
    "dynamic_conv": dynamic("ConvInteger", (1, 3, 6, 6), lambda: weights(4, 3, 3, 3), pads=[1] * 4),
    "dynamic_matmul": dynamic("MatMulInteger", (4, 30), lambda: weights(30, 7)),
}


def described(folder, name, tensor, value):
    value.tofile(f"{folder}/{name}.{tensor}")
    return {"name": tensor, "type": TYPES[value.dtype][1], "file": f"{name}.{tensor}", "dims": value.shape}


def case(ternc, folder, name, make):
    m, dtype = Model(), pick(np.uint8, np.int8)
    make(m, dtype)
    path = f"{folder}/{name}.onnx"
    m.save(path, TensorProto.FLOAT if name.startswith("dynamic") else TYPES[np.dtype(dtype)][0])
    command = [ternc, "run", path, "-q", "-o", f"{folder}/{name}.npy"]
    for tensor, value in m.inputs:
        np.save(f"{folder}/{name}_{tensor}", value)
        command += ["-i", f"{tensor}={folder}/{name}_{tensor}.npy"]
    subprocess.run(command, check=True)
    return {"name": name, "tolerance": 1e-5, "steps": 1, "in": [described(folder, name, *i) for i in m.inputs],
            "out": [described(folder, name, "y", np.load(f"{folder}/{name}.npy"))]}


ternc, folder = sys.argv[1:3]
cases = [case(ternc, folder, f"{kind}_{i}", make) for kind, make in MAKERS.items() for i in range(EACH)]
with open(folder + "/cases.json", "w") as f:
    json.dump(cases, f)
