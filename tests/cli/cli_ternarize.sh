# cli_ternarize.sh - ternarize: ordinary ONNX, the same bytes every time, and a fixed point.
. "$TERNC_SOURCE/tests/cli/expect.sh"
make_models

expect 0 "" ternc ternarize m/tiny.onnx -o t.onnx
says "conv1"
says "bits per weight"
/usr/bin/python3 - <<'P' || complain "t.onnx: wrong content"
import numpy as np
import onnx
from onnx import numpy_helper
m = onnx.load("t.onnx")
onnx.checker.check_model(m, full_check=True)
assert m.ir_version == 8 and m.opset_import[0].version == 17
meta = {p.key: p.value for p in m.metadata_props}
assert meta["ternc"] == "method=twn granularity=channel threshold=exact keep=last", meta
old = {i.name: numpy_helper.to_array(i) for i in onnx.load("m/tiny.onnx").graph.initializer}
new = {i.name: numpy_helper.to_array(i) for i in m.graph.initializer}
for w in ("w1", "w2"):
    for a, b in zip(new[w], old[w]):
        size = set(np.abs(a[a != 0]).tolist())
        assert len(size) <= 1 and np.all((np.sign(a) == np.sign(b)) | (a == 0)), w
        assert not np.any(np.signbit(a[a == 0]))
assert np.array_equal(new["w3"], old["w3"])
P
expect 0 "" ternc ternarize m/tiny.onnx -o again.onnx
same t.onnx again.onnx
expect 0 "" ternc ternarize t.onnx -o fixed.onnx --keep last
expect 0 "" ternc run t.onnx -i m/x.npy -o y1.npy
expect 0 "" ternc run fixed.onnx -i m/x.npy -o y2.npy
expect 0 "" ternc run m/tiny.onnx --method twn -i m/x.npy -o y3.npy
same y1.npy y2.npy
same y1.npy y3.npy

# Compiling the ternary model without a method is compiling the model with it.
expect 0 "" ternc compile m/tiny.onnx -o c1 --name net
mkdir copy && cp t.onnx copy/tiny.onnx
expect 0 "" ternc compile copy/tiny.onnx -o c2 --name net --method none
same c1/net.c c2/net.c
same c1/net.h c2/net.h

expect 0 "" ternc ternarize m/tiny.onnx -o s.onnx --method stp --sparsity 0.75 --keep none
expect 0 "" ternc inspect s.onnx --json
/usr/bin/python3 - <<'P' || complain "stp: wrong sparsity"
import json
for l in json.load(open("out"))["layers"]:
    assert l["ternary"] and abs(l["zeros"] / l["weights"] - 0.75) < 0.02, l
P

# Quantised: weights are int8 codes by a step for each output channel, biases int32 codes of the step of the sums; read
# again they are the same layers, and written again the same codes.
int8="--activations int8 --calibrate m/x.npy --io int8"
expect 0 "" ternc ternarize m/tiny.onnx -o q.onnx $int8
says "int8"
cat >codes.py <<'P'
import sys
import numpy as np
import onnx
from onnx import numpy_helper
m = onnx.load(sys.argv[1])
onnx.checker.check_model(m, full_check=True)
data = {i.name: numpy_helper.to_array(i) for i in m.graph.initializer}
by = {n.output[0]: n for n in m.graph.node}
layers = [n for n in m.graph.node if n.op_type in ("Conv", "Gemm")]
assert len(layers) == 3
for n in layers:
    x, w = (by[i] for i in n.input[:2])
    assert x.op_type == w.op_type == "DequantizeLinear"
    codes, steps, zero = (data[i] for i in w.input)
    assert codes.dtype == np.int8 and zero.dtype == np.int8 and not zero.any()
    assert steps.shape == zero.shape == codes.shape[:1] and (steps > 0).all()
    assert w.attribute[0].name == "axis" and w.attribute[0].i == 0
    assert np.abs(codes).max() == {"conv1": 64, "conv2": 1, "fc": 127}[n.name] # the second has no bias
    if len(n.input) > 2:
        codes, bias, zero = (data[i] for i in by[n.input[2]].input)
        assert codes.dtype == zero.dtype == np.int32 and not zero.any() and codes.any()
        assert np.array_equal(bias, data[x.input[1]] * steps)
assert not any(a.size > 8 for a in data.values() if a.dtype == np.float32)
P
/usr/bin/python3 codes.py q.onnx || complain "q.onnx: wrong content"
grep -qa "keep=last activations=int8" q.onnx || complain "q.onnx does not say how it was made"
expect 0 "" ternc ternarize q.onnx -o q2.onnx --method none
/usr/bin/python3 codes.py q2.onnx || complain "q2.onnx: wrong content"
for io in "--io float" "--io int8"; do
    int8="--activations int8 --calibrate m/x.npy $io"
    expect 0 "" ternc ternarize m/tiny.onnx -o copy/tiny.onnx $int8
    expect 0 "" ternc compile m/tiny.onnx -o c1 --name net --quiet $int8
    expect 0 "" ternc compile copy/tiny.onnx -o c2 --name net --method none --quiet $io
    same c1/net.c c2/net.c
    same c1/net.h c2/net.h
done
expect 0 "" ternc run q.onnx -i m/x.npy -o y1.npy
expect 0 "" ternc run q2.onnx -i m/x.npy -o y2.npy
same y1.npy y2.npy
# a bias too large for its steps, channels without weights, weights of several nodes and of a node that reads floats
/usr/bin/python3 - <<'P' || exit 1
import numpy as np
from onnx import helper, numpy_helper, parser, save
g = parser.parse_graph("""g (float[1,4] x) => (float[1,4] y) {
    a = Gemm (x, w, huge) b = Relu (a) c = Gemm <transB = 1> (b, none, some) d = Gemm (b, w, some) e = Add (c, d)
    f = Sin (e) h = Mul (f, e) i = Gemm <beta = 2.0> (h, w, some) y = MatMul (i, w) }""")
for name, value in (("w", [[1e-3, 0, 2, -1]] * 4), ("huge", [1e6, 1e8, 3, 4]), ("none", [[0.0] * 4] * 4),
                    ("some", [0.5, -0.25, 3, 0])):
    g.initializer.append(numpy_helper.from_array(np.array(value, np.float32), name))
save(helper.make_model(g, ir_version=8, opset_imports=[helper.make_opsetid("", 17)]), "odd.onnx")
np.save("odd.npy", np.linspace(-1, 1, 32).reshape(8, 4).astype(np.float32))
P
for method in "twn --keep none" none; do
    expect 0 "" ternc ternarize odd.onnx -o q.onnx --activations int8 --calibrate odd.npy --method $method
    /usr/bin/python3 -c 'import onnx; onnx.checker.check_model(onnx.load("q.onnx"), full_check=True)' || complain "odd.onnx"
    cp q.onnx copy/odd.onnx
    expect 0 "" ternc compile odd.onnx -o c1 --activations int8 --calibrate odd.npy --method $method --quiet
    expect 0 "" ternc compile copy/odd.onnx -o c2 --method none --quiet
    same c1/odd.c c2/odd.c
done

# In place, and nothing half-written.
cp m/tiny.onnx self.onnx
expect 0 "" ternc ternarize self.onnx -o self.onnx
same self.onnx t.onnx
expect 1 "ternc: error: /dev/full: cannot write: No space left on device" ternc ternarize m/tiny.onnx -o /dev/full
expect 1 "...no/such.onnx: cannot write: No such file or directory" ternc ternarize m/tiny.onnx -o no/such.onnx
expect 1 "...nan_weight.onnx" ternc ternarize m/nan_weight.onnx -o bad.onnx
absent bad.onnx
finish
