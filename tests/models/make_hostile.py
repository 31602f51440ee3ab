"""make_hostile.py FOLDER: models of at most a megabyte that ask for far more work or memory than their size suggests.

cli_hostile.sh runs them under limits of memory and time. Most are legal ONNX."""
import os
import sys

import numpy as np
from onnx import TensorProto, helper, numpy_helper

FLOAT, INT64, BOOL = TensorProto.FLOAT, TensorProto.INT64, TensorProto.BOOL


def value(name, shape, dtype=FLOAT):
    return helper.make_tensor_value_info(name, dtype, shape)


def ints(name, *v):
    return numpy_helper.from_array(np.array(v, np.int64), name)


def floats(name, v):
    return numpy_helper.from_array(np.asarray(v, np.float32), name)


def scalar(name, v, dtype=np.int64):
    return numpy_helper.from_array(np.array(v, dtype), name)


node = helper.make_node


def save(name, nodes, inputs=None, outputs=None, constants=(), functions=(), opset=16):
    graph = helper.make_graph(nodes, "graph", [value("x", [4])] if inputs is None else inputs,
                              [value("y", None)] if outputs is None else outputs, list(constants))
    imports = [helper.make_opsetid("", opset)] + ([helper.make_opsetid("f", 1)] if functions else [])
    model = helper.make_model(graph, ir_version=8, opset_imports=imports, functions=list(functions))
    data = model.SerializeToString()
    assert len(data) <= 1 << 20, (name, len(data))
    with open(name + ".onnx", "wb") as f:
        f.write(data)


def chain(count, op, first="x", last="y", more=(), **attributes):
    names = [first] + ["t%d" % i for i in range(count - 1)] + [last]
    return [node(op, [names[i], *more], [names[i + 1]], **attributes) for i in range(count)]


# ---- many nodes ----

def many_nodes():
    save("chain", chain(30000, "Relu"))
    save("chain_views", chain(14000, "Flatten"), [value("x", [4, 4])])
    save("chain_identity", chain(30000, "Identity"))
    save("chain_transpose", chain(25000, "Transpose"), [value("x", [4, 5])])
    save("chain_add", chain(20000, "Add", more=["x"]))
    save("doubling", [node("Add", [a, a], [b]) for a, b in zip(["x"] + ["t%d" % i for i in range(19999)],
                                                              ["t%d" % i for i in range(19999)] + ["y"])])
    save("fan", [node("Relu", ["x"], ["t%d" % i]) for i in range(20000)] +
         [node("Sum", ["t%d" % i for i in range(20000)], ["y"])])
    save("concat", [node("Relu", ["x"], ["t%d" % i]) for i in range(20000)] +
         [node("Concat", ["t%d" % i for i in range(20000)], ["y"], axis=0)])
    save("split", [node("Split", ["x"], ["t%d" % i for i in range(60000)], axis=0),
                   node("Relu", ["t7"], ["y"])], [value("x", [60000])])
    save("outputs", [node("Relu", ["x"], ["t%d" % i]) for i in range(12000)], None,
         [value("t%d" % i, [4]) for i in range(12000)])
    save("inputs", [node("Sum", ["x%d" % i for i in range(20000)], ["y"])],
         [value("x%d" % i, [4]) for i in range(20000)])
    save("conv", [node("Conv", ["x" if i == 0 else "t%d" % (i - 1), "w"], ["t%d" % i if i < 14999 else "y"])
                  for i in range(15000)], [value("x", [1, 4, 3, 3])],
         constants=[floats("w", np.ones((4, 4, 1, 1)))])
    save("long_name", chain(200, "Relu", "x" * 2000, "y" * 2000), [value("x" * 2000, [4])],
         [value("y" * 2000, [4])])
    save("long_names", [node("Relu", ["x" if i == 0 else "n" * 500 + str(i - 1)],
                             ["n" * 500 + str(i) if i < 899 else "y"]) for i in range(900)])
    save("same_names", [node("Relu", ["x" if i == 0 else "+" * 48 + str(i - 1)],
                             ["+" * 48 + str(i) if i < 7999 else "y"]) for i in range(8000)])
    save("constants", [node("Sum", ["x"] + ["c%d" % i for i in range(15000)], ["y"])],
         constants=[floats("c%d" % i, [1, 2, 3, i]) for i in range(15000)])
    save("matmuls", [node("MatMul", ["x" if i == 0 else "t%d" % (i - 1), "w%d" % i],
                          ["t%d" % i if i < 7999 else "y"]) for i in range(8000)], [value("x", [1, 4])],
         constants=[floats("w%d" % i, np.eye(4)) for i in range(8000)])
    save("dropouts", [node("Dropout", ["x" if i == 0 else "t%d" % (i - 1)],
                           ["t%d" % i if i < 14999 else "y", "m%d" % i]) for i in range(15000)])
    save("unsupported", [node("Wobble%d" % i, ["x"], ["t%d" % i]) for i in range(20000)], None, [value("t1", [4])])
    save("attributes", [node("Relu", ["x"], ["y"], **{"a%d" % i: i for i in range(30000)})])
    save("backwards", list(reversed(chain(25000, "Relu"))))
    save("sequences", [node("SequenceEmpty", [], ["s0"])] +
         [node("SequenceInsert", ["s%d" % i, "x"], ["s%d" % (i + 1)]) for i in range(18000)] +
         [node("ConcatFromSequence", ["s18000"], ["y"], axis=0)])


# ---- small things that become large ----

def large_values():
    save("expand", [node("Expand", ["one", "shape"], ["big"]), node("MatMul", ["big", "big"], ["m"]),
                    node("ReduceSum", ["m"], ["s"], keepdims=0), node("Add", ["x", "s"], ["y"])],
         constants=[floats("one", 1), ints("shape", 4000, 4000)])
    save("constant_of_shape", [node("ConstantOfShape", ["shape"], ["big"]), node("Add", ["x", "big"], ["y"])],
         [value("x", [1])], constants=[ints("shape", 1 << 39)])
    big = ["b%d" % i for i in range(8000)]
    save("many_expands", [node("Expand", ["one", "shape"], [b]) for b in big] + [node("Sum", ["x"] + big, ["y"])],
         [value("x", [1])], constants=[floats("one", 1), ints("shape", 4096, 4096)])
    save("many_small_expands", [node("Expand", ["one", "shape"], [b]) for b in big] +
         [node("Sum", ["x"] + big, ["y"])], [value("x", [64, 1024])],
         constants=[floats("one", 1), ints("shape", 64, 1024)])
    save("tile", [node("Tile", ["x", "r"], ["y"])], constants=[ints("r", 1 << 36)])
    save("tiles", [node("Tile", ["c" if i == 0 else "t%d" % (i - 1), "r"], ["t%d" % i]) for i in range(30)] +
         [node("ReduceSum", ["t29"], ["s"], keepdims=0), node("Add", ["x", "s"], ["y"])],
         constants=[floats("c", [1]), ints("r", 2)])
    save("pad", [node("Pad", ["x", "p"], ["y"])], constants=[ints("p", 1 << 38, 1 << 38)])
    save("resize", [node("Resize", ["x", "", "", "s"], ["y"])], [value("x", [1, 1, 2, 2])],
         constants=[ints("s", 1, 1, 1 << 18, 1 << 18)])
    save("range", [node("Range", ["a", "b", "c"], ["r"]), node("ReduceSum", ["r"], ["s"], keepdims=0),
                   node("Cast", ["s"], ["f"], to=FLOAT), node("Add", ["x", "f"], ["y"])],
         constants=[scalar("a", 0), scalar("b", 1 << 40), scalar("c", 1)])
    save("one_hot", [node("OneHot", ["i", "d", "v"], ["y"])], [value("i", [1000], INT64)],
         constants=[scalar("d", 1 << 28), floats("v", [0, 1])])
    save("eye", [node("EyeLike", ["x"], ["y"])], [value("x", [1 << 19, 1 << 19])])
    save("gather", [node("Gather", ["c", "i"], ["t"]), node("Gather", ["t", "i"], ["u"], axis=1),
                    node("Relu", ["u"], ["r"]), node("ReduceSum", ["r"], ["s"], keepdims=0),
                    node("Add", ["x", "s"], ["y"])],
         constants=[floats("c", np.ones((2, 2))), ints("i", *[1] * 20000)])
    save("outer", [node("Reshape", ["c", "col"], ["a"]), node("Mul", ["a", "c"], ["p"]),
                   node("ReduceMax", ["p"], ["s"], keepdims=0), node("Add", ["x", "s"], ["y"])],
         constants=[floats("c", np.ones(100000)), ints("col", 100000, 1)])
    save("pool", [node("MaxPool", ["x"], ["y"], kernel_shape=[3], pads=[1, 1], ceil_mode=1)],
         [value("x", [1, 1, 1 << 38])])
    save("average_pool", [node("AveragePool", ["x"], ["y"], kernel_shape=[1 << 20], pads=[1 << 19, 1 << 19])],
         [value("x", [1, 1, 1 << 21])])
    save("pool_constant", [node("Expand", ["one", "shape"], ["big"]),
                           node("AveragePool", ["big"], ["p"], kernel_shape=[100, 100]),
                           node("ReduceSum", ["p"], ["s"], keepdims=0), node("Add", ["x", "s"], ["y"])],
         constants=[floats("one", 1), ints("shape", 1, 1, 4000, 4000)])
    save("cumsum", [node("Expand", ["one", "shape"], ["big"]), node("CumSum", ["big", "axis"], ["c"]),
                    node("TopK", ["c", "k"], ["t", "i"]), node("ReduceSum", ["t"], ["s"], keepdims=0),
                    node("Add", ["x", "s"], ["y"])],
         constants=[floats("one", 1), ints("shape", 16 << 20), scalar("axis", 0), ints("k", 8 << 20)])
    save("conv_constant", [node("Expand", ["one", "shape"], ["big"]), node("Conv", ["big", "w"], ["p"]),
                           node("ReduceSum", ["p"], ["s"], keepdims=0), node("Add", ["x", "s"], ["y"])],
         constants=[floats("one", 1), ints("shape", 1, 1, 3000, 3000), floats("w", np.ones((1, 1, 300, 300)))])
    save("einsum", [node("Einsum", ["c", "c", "c"], ["s"], equation="a,b,c->"), node("Add", ["x", "s"], ["y"])],
         constants=[floats("c", np.ones(30000))])
    save("einsum_two", [node("Einsum", ["c", "d"], ["s"], equation="abc,def->"), node("Add", ["x", "s"], ["y"])],
         constants=[floats("c", np.ones((50, 50, 50))), floats("d", np.ones((50, 50, 40)))])
    boxes = np.random.RandomState(1).rand(1, 20000, 4).astype(np.float32)
    save("suppression", [node("NonMaxSuppression", ["b", "s", "m", "t"], ["i"]), node("Cast", ["i"], ["f"], to=FLOAT),
                         node("ReduceSum", ["f"], ["r"], keepdims=0), node("Add", ["x", "r"], ["y"])],
         constants=[floats("b", boxes), floats("s", boxes[:, None, :, 0]), ints("m", 1 << 40), floats("t", [1])])
    save("scatter", [node("ScatterND", ["big", "i", "u"], ["c"]), node("ReduceSum", ["c"], ["s"], keepdims=0),
                     node("Add", ["x", "s"], ["y"])],
         constants=[floats("big", np.ones(4)), numpy_helper.from_array(np.zeros((60000, 1), np.int64), "i"),
                    floats("u", np.ones(60000))])


# ---- layers ----

def large_layers():
    save("fc_expanded", [node("Expand", ["one", "shape"], ["w"]), node("MatMul", ["x", "w"], ["y"])],
         [value("x", [1, 4000])], constants=[floats("one", 1), ints("shape", 4000, 4000)])
    save("fc_expanded_twice", [node("Expand", ["one", "shape"], ["w"]), node("MatMul", ["x", "w"], ["t"]),
                               node("MatMul", ["t", "w"], ["y"])],
         [value("x", [1, 3000])], constants=[floats("one", 1), ints("shape", 3000, 3000)])
    save("fc_many", [node("Expand", ["one", "shape"], ["w"])] + chain(2000, "MatMul", more=["w"]),
         [value("x", [1, 200])], constants=[floats("one", 1), ints("shape", 200, 200)])
    save("fc_flood", [node("Expand", ["one", "shape"], ["w"])] + chain(20000, "MatMul", more=["w"]),
         [value("x", [1, 200])], constants=[floats("one", 1), ints("shape", 200, 200)])
    save("fc_random", [node("MatMul", ["x", "w"], ["y"])], [value("x", [1, 500])],
         constants=[floats("w", np.random.RandomState(1).randn(500, 500))])
    save("conv_wide", [node("Expand", ["one", "shape"], ["w"]), node("Conv", ["x", "w"], ["y"], pads=[100] * 4)],
         [value("x", [1, 1, 10000, 10000])], constants=[floats("one", 1), ints("shape", 1, 1, 201, 201)])
    save("conv_strided", [node("Conv", ["x", "w"], ["y"], strides=[1, 1], dilations=[1 << 20, 1 << 20])],
         [value("x", [1, 1, (1 << 20) + 1, (1 << 20) + 1])], constants=[floats("w", np.ones((1, 1, 2, 2)))])
    save("conv_transposed", [node("ConvTranspose", ["x", "w"], ["y"], strides=[1 << 18, 1 << 18])],
         [value("x", [1, 1, 3, 3])], constants=[floats("w", np.ones((1, 1, 2, 2)))])
    save("conv_groups", [node("Expand", ["one", "shape"], ["w"]), node("Conv", ["x", "w"], ["y"], group=1 << 20)],
         [value("x", [1, 1 << 20, 1, 1])], constants=[floats("one", 1), ints("shape", 1 << 20, 1, 1, 1)])
    save("batch", [node("MatMul", ["x", "w"], ["y"])], [value("x", [1 << 30, 4])],
         constants=[floats("w", np.ones((4, 4)))])
    save("lstm", [node("Expand", ["one", "ws"], ["w"]), node("Expand", ["one", "rs"], ["r"]),
                  node("LSTM", ["x", "w", "r"], ["y"], hidden_size=1000)],
         [value("x", [100000, 1, 1000])],
         constants=[floats("one", 1), ints("ws", 1, 4000, 1000), ints("rs", 1, 4000, 1000)])
    save("norm", [node("InstanceNormalization", ["x", "s", "s"], ["y"])], [value("x", [1, 1, 1 << 38])],
         constants=[floats("s", [1])])


# ---- bodies and functions ----

def body(name, nodes, inputs, outputs):
    return helper.make_graph(nodes, name, inputs, outputs)


def loop_body(nodes, out="v2"):
    return body("body", nodes + [node("Identity", ["c"], ["c2"])],
                [value("i", [], INT64), value("c", [], BOOL), value("v", None)],
                [value("c2", [], BOOL), value(out, None)])


def control():
    count = [scalar("n", 1 << 40), scalar("go", True, np.bool_)]
    step = [node("Relu", ["v"], ["v2"])]
    save("loop", [node("Loop", ["n", "go", "x"], ["y"], body=loop_body(step))], constants=count)
    save("loop_constant", [node("Loop", ["n", "go", "zero"], ["l"], body=loop_body(step)),
                           node("Add", ["x", "l"], ["y"])], constants=count + [floats("zero", [0])])
    save("loop_doubling", [node("Loop", ["n", "go", "x"], ["y"],
                                body=loop_body([node("Concat", ["v", "v"], ["v2"], axis=0)]))],
         constants=[scalar("n", 60), count[1]])
    save("loop_doubling_constant", [node("Loop", ["n", "go", "z"], ["l"],
                                         body=loop_body([node("Concat", ["v", "v"], ["v2"], axis=0)])),
                                    node("ReduceSum", ["l"], ["s"], keepdims=0), node("Add", ["x", "s"], ["y"])],
         constants=[scalar("n", 60), count[1], floats("z", [0])])
    nested = step
    for depth in range(8):
        nested = [node("Loop", ["n", "go", "v"], ["v2"], body=loop_body(nested))]
    save("loop_nested", [node("Loop", ["n", "go", "x"], ["y"], body=loop_body(nested))],
         constants=[scalar("n", 100), count[1]])
    branch = [node("Relu", ["x"], ["b"])]
    for depth in range(12):
        inner = body("b", branch, [], [value("b", None)])
        branch = [node("If", ["k"], ["b"], then_branch=inner, else_branch=inner)]
    save("if_nested", branch + [node("Identity", ["b"], ["y"])], [value("x", [4]), value("k", [], BOOL)])
    deep = [node("Relu", ["x"], ["b"])]
    for depth in range(200):
        deep = [node("If", ["k"], ["b"], then_branch=body("b", deep, [], [value("b", None)]),
                     else_branch=body("b", [node("Neg", ["x"], ["b"])], [], [value("b", None)]))]
    save("if_deep", deep + [node("Identity", ["b"], ["y"])], [value("x", [4]), value("k", [], BOOL)])
    ifs = [node("If", ["k"], ["t%d" % i], then_branch=body("b", [node("Relu", ["x"], ["b"])], [], [value("b", None)]),
                else_branch=body("b", [node("Neg", ["x"], ["b"])], [], [value("b", None)])) for i in range(6000)]
    save("ifs", ifs + [node("Relu", ["t3"], ["y"])], [value("x", [4]), value("k", [], BOOL)])
    scan = body("body", [node("Add", ["s", "e"], ["s2"])], [value("s", []), value("e", [])], [value("s2", [])])
    save("scan", [node("Scan", ["z", "x"], ["y"], body=scan, num_scan_inputs=1)], [value("x", [1 << 30])],
         constants=[floats("z", 0)])


def functions():
    opset = [helper.make_opsetid("", 16), helper.make_opsetid("f", 1)]
    calls = [helper.make_function("f", "F0", ["a"], ["b"], [node("Relu", ["a"], ["b"])], opset)]
    for i in range(1, 40):
        calls.append(helper.make_function("f", "F%d" % i, ["a"], ["b"],
                                          [node("F%d" % (i - 1), ["a"], ["t"], domain="f"),
                                           node("F%d" % (i - 1), ["t"], ["b"], domain="f")], opset))
    save("functions", [node("F39", ["x"], ["y"], domain="f")], functions=calls)
    wide = helper.make_function("f", "Wide", ["a"], ["b"], chain(3000, "Relu", "a", "b"), opset)
    save("functions_wide", chain(3000, "Wide", domain="f"), functions=[wide])
    many = [helper.make_function("f", "F%d" % i, ["a"], ["b"], [node("Relu", ["a"], ["b"])], opset)
            for i in range(4000)]
    save("functions_many", [node("F%d" % (i % 4000), ["x" if i == 0 else "t%d" % (i - 1)],
                                 ["t%d" % i if i < 14999 else "y"], domain="f") for i in range(15000)], functions=many)


def main():
    os.makedirs(sys.argv[1], exist_ok=True)
    os.chdir(sys.argv[1])
    many_nodes()
    large_values()
    large_layers()
    control()
    functions()


main()
