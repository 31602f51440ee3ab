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

# In place, and nothing half-written.
cp m/tiny.onnx self.onnx
expect 0 "" ternc ternarize self.onnx -o self.onnx
same self.onnx t.onnx
expect 1 "ternc: error: /dev/full: cannot write: No space left on device" ternc ternarize m/tiny.onnx -o /dev/full
expect 1 "...no/such.onnx: cannot write: No such file or directory" ternc ternarize m/tiny.onnx -o no/such.onnx
expect 1 "...nan_weight.onnx" ternc ternarize m/nan_weight.onnx -o bad.onnx
absent bad.onnx
finish
