# cli_many_nodes.sh - models of many nodes are functions of some nodes each, cut where no If and no Loop is open; layers
# stay functions, so that compilers' time grows with a model's size and no faster.
. "$TERNC_SOURCE/tests/cli/expect.sh"
need_onnx
need clang
warnings="-Wall -Wextra -Wpedantic -Wconversion -Werror"

/usr/bin/python3 - <<'PY'
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

FLOAT, node, value = TensorProto.FLOAT, helper.make_node, helper.make_tensor_value_info


def chain(prefix, first, count):
    """Nodes from `first`, which stay between 0 and some thousands; the name of the last."""
    nodes = []
    for i in range(count):
        op, name = ("Softmax", "Add", "Sigmoid", "Mul")[i % 4], f"{prefix}{i}"
        nodes.append(node(op, [first] if op in ("Softmax", "Sigmoid") else [first, "x"], [name]))
        first = name
    return nodes, first


def branch(prefix, count):
    nodes, last = chain(prefix, "a99", count)
    return helper.make_graph(nodes, prefix, [], [value(last, FLOAT, [8, 8])])


def save(name, nodes, inputs, last):
    graph = helper.make_graph(nodes, "g", inputs, [value(last, FLOAT, [8, 8])],
                              [numpy_helper.from_array(np.int64(3), "three"), numpy_helper.from_array(np.array(True), "yes")])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), name)


x = value("x", FLOAT, [8, 8])
nodes, last = chain("a", "x", 400)
save("plain.onnx", nodes, [x], last)
before, last = chain("a", "x", 100)
middle = node("If", ["c"], ["chosen"], then_branch=branch("t", 90), else_branch=branch("e", 90))
after, last = chain("b", "chosen", 100)
save("if.onnx", before + [middle] + after, [x, value("c", TensorProto.BOOL, [])], last)
steps, inner = chain("s", "state", 30)
body = helper.make_graph(steps + [node("Identity", ["go"], ["going"])], "body",
                         [value("i", TensorProto.INT64, []), value("go", TensorProto.BOOL, []), value("state", FLOAT, [8, 8])],
                         [value("going", TensorProto.BOOL, []), value(inner, FLOAT, [8, 8])])
looped = node("Loop", ["turns", "yes", last], ["looped"], body=body)
after, end = chain("d", "looped", 70)
save("loop.onnx", before + [middle] + chain("b", "chosen", 100)[0] + [looped] + after,
     [x, value("c", TensorProto.BOOL, []), value("turns", TensorProto.INT64, [])], end)
PY

for model in plain if loop; do
    expect 0 "" ternc check $model.onnx -q
    expect 0 "" ternc compile $model.onnx -o gen --name net -q
    [ "$(grep -c '^static TN_APART void net_nodes' gen/net.c)" -ge 3 ] || complain "$model: not three functions"
    try clang -std=c99 -O1 $warnings -c gen/net.c -o net.o
done
expect 0 "" ternc compile "$TERNC_SOURCE/examples/tiny/tiny.onnx" -o gen --name net -q
! grep -q net_nodes gen/net.c || complain "a small model is cut"
! grep -q '#define NET_LAYER TN_APART' gen/net.c || complain "few layers are not inlined"
/usr/bin/python3 "$TERNC_SOURCE/tests/models/make_large.py" . detector || complain "make_large.py"
expect 0 "" ternc compile detector.onnx -o gen --name net -q
grep -q '#define NET_LAYER TN_APART' gen/net.c || complain "many layers are inlined"
finish
