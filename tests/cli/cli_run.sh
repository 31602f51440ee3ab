# cli_run.sh - inspect and run: results, and what is wrong with inputs and outputs.
. "$TERNC_SOURCE/tests/cli/expect.sh"
make_models

expect 0 "" ternc inspect m/tiny.onnx
says "x      float[1,1,8,8]"
says "other operators: Relu x2, MaxPool x1"
says "total: 381 parameters"
expect 0 "" ternc inspect m/tiny.onnx --method twn --keep none --json
/usr/bin/python3 - <<'P' || complain "inspect --json: wrong numbers"
import json
d = json.load(open("out"))
assert d["inputs"] == [{"name": "x", "type": "float", "shape": [1, 1, 8, 8]}], d["inputs"]
assert d["outputs"] == [{"name": "y", "type": "float", "shape": [1, 5]}], d["outputs"]
layers = {l["name"]: l for l in d["layers"]}
assert set(layers) == {"conv1", "conv2", "fc"}
assert layers["conv1"]["macs"] == 4 * 9 * 64 and layers["conv2"]["macs"] == 6 * 4 * 9 * 4
assert layers["fc"]["macs"] == 24 * 5 and layers["fc"]["parameters"] == 24 * 5 + 5
for l in layers.values():
    assert l["ternary"] and l["adds"] == l["macs"] // l["weights"] * (l["weights"] - l["zeros"])
assert d["totals"]["weights"] == 36 + 216 + 120 and d["totals"]["ternary_layers"] == 3
assert d["totals"]["zeros"] == sum(l["zeros"] for l in layers.values())
P

expect 0 "" ternc run m/tiny.onnx --input m/x.npy
says "y float[1,5]"
expect 0 "" ternc run m/tiny.onnx --input x=m/x.npy --output y.npy
[ -s out ] && complain "run --output prints values too"
expect 0 "" ternc run m/tiny.onnx -i m/x.pb -o y=y2.npy
same y.npy y2.npy
expect 0 "" ternc run m/tiny.onnx -i m/x.npy --method twn -o t.npy
cmp -s y.npy t.npy && complain "run --method twn gives the float model's values"
expect 0 "" ternc run m/two.onnx --input n=m/n.npy --input m/a.npy --input m/b.npy --output minus=minus.npy --output s.npy
/usr/bin/python3 - <<'P' || complain "run: wrong values"
import numpy as np
s, minus = np.load("s.npy"), np.load("minus.npy")
assert s.dtype == np.float32 and s.tolist() == [1.75, 98.0], s
assert minus.dtype == np.int64 and minus.tolist() == [-1, 2, -(1 << 60)], minus
P
expect 0 "" ternc run m/two.onnx -i a=m/a.npy -i b=m/b.npy -i n=m/n.npy
says "-1 2 -1152921504606846976"

expect 1 "ternc: error: m/tiny.onnx: input 'x' needs a value: --input [NAME=]FILE; the inputs are: x float[1,1,8,8]" \
    ternc run m/tiny.onnx
expect 1 "ternc: error: m/x_double.npy: double[1,1,8,8] does not fit input 'x' of m/tiny.onnx, which is float[1,1,8,8]" \
    ternc run m/tiny.onnx --input m/x_double.npy
expect 1 "ternc: error: m/x_small.npy: float[1,1,4,4] does not fit input 'x' of m/tiny.onnx, which is float[1,1,8,8]" \
    ternc run m/tiny.onnx --input m/x_small.npy
expect 1 "ternc: error: m/tiny.onnx: --input m/x.npy is one too many; the model has: x float[1,1,8,8]" \
    ternc run m/tiny.onnx --input m/x.npy --input m/x.npy
expect 1 "ternc: error: m/tiny.onnx: --input z=m/x.npy: there is nothing of that name; the model has: x float[1,1,8,8]" \
    ternc run m/tiny.onnx --input z=m/x.npy
expect 1 "ternc: error: missing.npy: cannot read: No such file or directory" ternc run m/tiny.onnx --input missing.npy
expect 1 "ternc: error: m/tiny.onnx: not an .npy file" ternc run m/tiny.onnx --input m/tiny.onnx
expect 1 "ternc: error: m/folder.onnx: cannot read: it is a directory" ternc run m/tiny.onnx --input m/folder.onnx
expect 2 "ternc: usage: --output: 'o.npy' is given for two outputs" \
    ternc run m/two.onnx -i a=m/a.npy -i b=m/b.npy -i n=m/n.npy -o o.npy -o o.npy
expect 1 "...y.npy/z.npy: cannot write: Not a directory" ternc run m/tiny.onnx -i m/x.npy -o y.npy/z.npy
expect 1 "...no/such/z.npy: cannot write: No such file or directory" ternc run m/tiny.onnx -i m/x.npy -o no/such/z.npy
expect 1 "ternc: error: m: cannot write: it is a directory" ternc run m/tiny.onnx -i m/x.npy -o m
expect 1 "ternc: error: /dev/full: cannot write: No space left on device" ternc run m/tiny.onnx -i m/x.npy -o /dev/full
[ -c /dev/full ] || complain "/dev/full was replaced"

expect 1 "...--dim" ternc run m/symbolic.onnx
expect 0 "" ternc compile m/symbolic.onnx --dim length=0 -o none --quiet # no past yet, as in a transformer's first step
grep -q "INPUT0_SIZE 0" none/symbolic.h || complain "a dimension of size 0 is not 0"
expect 1 "...x float[1,7,2]" ternc run m/symbolic.onnx --dim length=7
expect 1 "...x float[3,7,2]" ternc run m/symbolic.onnx --dim length=7 --dim batch=3
finish
