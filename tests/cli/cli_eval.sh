# cli_eval.sh - accuracy and loss against values computed here, and what is wrong with data sets.
. "$TERNC_SOURCE/tests/cli/expect.sh"
make_models

# The model's scores are its inputs, as logits, probabilities or log probabilities: the loss is the same.
check_json() {
    /usr/bin/python3 - "$@" <<'P' || complain "eval: wrong result for $*"
import json, sys
import numpy as np
samples, scale, mean, std = int(sys.argv[1]), *(float(v) for v in sys.argv[2:5])
d = json.load(open("out"))
data = np.load("m/scores.npz")
x, y = (data["x"][:samples].astype(float) * scale - mean) / std, data["y"][:samples]
p = np.exp(x) / np.exp(x).sum(axis=1, keepdims=True)
assert set(d) == {"accuracy", "loss", "samples", "evaluated_by"} and d["samples"] == samples, d
assert d["accuracy"] == np.mean(x.argmax(axis=1) == y), d
loss = -np.log(p[np.arange(samples), y]).mean()
assert abs(d["loss"] - loss) < 1e-5 * loss, (d, loss)
P
}
for model in logits softmax logsoftmax; do
    expect 0 "" ternc eval m/$model.onnx --data m/scores.npz --json
    check_json 4 1 0 1
done
expect 0 "" ternc eval m/logits.onnx --data m/scores.npz --json --limit 3 --threads 1
check_json 3 1 0 1
expect 0 "" ternc eval m/logits.onnx --data m/scores.npz --json --limit 99 --threads 3 --scale 1/2 --mean -0.25 --std 3
check_json 4 0.5 -0.25 3
expect 0 "" ternc eval m/logits.onnx --data m/scores.npz
says "accuracy 0.7500, loss "
says ", samples 4"
says "evaluated by generated C, built by "

# The result does not depend on how the work is split, and .npy pairs are the same as .npz.
expect 0 "" ternc eval m/tiny.onnx --data m/images.npz --scale 1/255 --json --threads 1
cp out one
expect 0 "" ternc eval m/tiny.onnx --data m/images.npz --scale 1/255 --json --threads 7
same one out
/usr/bin/python3 -c 'import numpy as np; d = np.load("m/images.npz"); np.save("x", d["x"]); np.save("y", d["y"])'
expect 0 "" ternc eval m/tiny.onnx --data x.npy,y.npy --scale 1/255 --json
same one out
expect 0 "" ternc eval m/tiny.onnx --data x.npy,y.npy --scale 1/255 --json --method twn --keep none
cmp -s one out && complain "eval --method twn gives the float model's loss"

# Whatever evaluates, the result is the same but for rounding, and one line says what did: generated C; without a C
# compiler, or with one that does not work, the training engine; for models that it refuses the reference evaluator.
# alike WHAT: the last result and the one in the file compiled
alike() {
    says "evaluated by $1"
    /usr/bin/python3 -c 'import sys
a, b = ([float(w.split()[1]) for w in open(f).readline().split(", ")] for f in ("compiled", "out"))
assert a[0] == b[0] and a[2] == b[2] and abs(a[1] - b[1]) < 1e-5 * a[1], (a, b)' || complain "another result than generated C"
}
mkdir none broken
printf '#!/bin/sh\necho "no headers" >&2\nexit 1\n' >broken/clang
chmod +x broken/clang
for model in tiny:images logits:scores; do
    data=m/${model#*:}.npz model=m/${model%:*}.onnx
    expect 0 "" ternc eval $model --data $data
    cp out compiled
    alike "generated C, built by "
    expect 0 "" ternc eval $model --data $data --reference
    alike "the reference evaluator"
    expect 0 "ternc: note: there is no C compiler (clang, gcc, cc): samples go through the training engine; --cc names a C compiler" \
        env PATH="$PWD/none" "$TERNC_BIN" eval $model --data $data
    alike "the training engine"
    expect 0 "ternc: note: clang does not compile the generated C (no headers): samples go through the training engine; --cc names a C compiler" \
        env PATH="$PWD/broken:$PWD/none" "$TERNC_BIN" eval $model --data $data
    alike "the training engine"
done
expect 0 "...ternc: note: there is no C compiler (clang, gcc, cc), and the training engine refuses: m/nan.npz: sample 1 holds NaN or infinity; evaluating naively, which is slow: --cc COMPILER names a C compiler that makes it fast" \
    env PATH="$PWD/none" "$TERNC_BIN" eval m/logits.onnx --data m/nan.npz
says "evaluated by the reference evaluator"
says "accuracy 0.5000"
expect 0 "...ternc: note: clang does not compile the generated C (no headers), and the training engine refuses: m/nan.npz" \
    env PATH="$PWD/broken:$PWD/none" "$TERNC_BIN" eval m/logits.onnx --data m/nan.npz
says "evaluated by the reference evaluator"
says "accuracy 0.5000"
expect 0 "...ternc: note: /nowhere: cannot make a temporary folder: No such file or directory" \
    env TMPDIR=/nowhere "$TERNC_BIN" eval m/logits.onnx --data m/scores.npz
says "evaluated by the training engine"
expect 1 "...nowhere: cannot run: No such file or directory; --cc names another C compiler" \
    ternc eval m/logits.onnx --data m/scores.npz --cc nowhere
expect 1 "...broken/clang does not compile the generated C:" ternc eval m/logits.onnx --data m/scores.npz --cc broken/clang
expect 0 "" ternc eval m/logits.onnx --data m/scores.npz --cc cc --cflags -O1
says "evaluated by generated C, built by cc -O1"

# A ResNet-20 with BatchNormalization and, of more weights than compile in a few seconds, two layers.
/usr/bin/python3 "$TERNC_SOURCE/tests/models/make_resnet20.py" . 6 || exit 1
expect 0 "" ternc eval resnet20.onnx --dim N=1 --data resnet20.npz --scale 1/255
cp out compiled
alike "generated C, built by "
expect 0 "" ternc eval resnet20.onnx --dim N=1 --data resnet20.npz --scale 1/255 --reference
alike "the reference evaluator"
/usr/bin/python3 - <<'PY' || exit 1
import numpy as np, onnx
from onnx import TensorProto as T, helper as h, numpy_helper as nh
r = np.random.default_rng(1)
w = [nh.from_array(r.standard_normal(s).astype(np.float32), n) for n, s in (("w", (1500, 1500)), ("v", (5, 1500)))]
nodes = [h.make_node("Gemm", ["x", "w"], ["h"], transB=1), h.make_node("Gemm", ["h", "v"], ["y"], transB=1)]
value = h.make_tensor_value_info
g = h.make_graph(nodes, "g", [value("x", T.FLOAT, [1, 1500])], [value("y", T.FLOAT, [1, 5])], w)
onnx.save(h.make_model(g, opset_imports=[h.make_opsetid("", 17)], ir_version=8), "wide.onnx")
np.savez("wide.npz", x=r.standard_normal((8, 1500)).astype(np.float32), y=np.arange(8) % 5)
PY
expect 0 "ternc: note: the C of so many weights takes long to compile: samples go through the training engine; --cc names a C compiler" \
    ternc eval wide.onnx --data wide.npz
cp out compiled
alike "the training engine"
expect 0 "" ternc eval wide.onnx --data wide.npz --reference
alike "the reference evaluator"

# Models whose inputs and outputs are codes take numbers and give scores: by their own steps, or code by code. Parts of a
# step are what is lost; the loss shows that scores are numbers, not codes, and that probabilities are known as such.
/usr/bin/python3 - <<'PY' || exit 1
import numpy as np, onnx
from onnx import TensorProto as T, helper as h, numpy_helper as nh
r = np.random.default_rng(2)
x, w = r.integers(0, 200, (12, 4)) / 4, r.integers(-3, 4, (4, 3))
scores = x @ w
constants = dict(s=np.float32(.25), z=np.uint8(7), w=w.astype(np.float32), t=np.float32(4), u=np.int8(-3), shape=np.array([3]),
                 low=np.int8(0), ws=np.float32(1), wz=np.int8(0), wi=w.astype(np.int8), z16=np.int16(-7), u16=np.int16(3))
def save(name, *nodes, x=T.UINT8, y=T.INT8):
    used = {i for n in nodes for i in n.input}
    g = h.make_graph(list(nodes), "g", [h.make_tensor_value_info("x", x, [1, 4])], [h.make_tensor_value_info("y", y, None)],
                     [nh.from_array(v, k) for k, v in constants.items() if k in used])
    onnx.save(h.make_model(g, opset_imports=[h.make_opsetid("", 13), h.make_opsetid("com.microsoft", 1)], ir_version=8), name + ".onnx")
save("codes", h.make_node("DequantizeLinear", ["x", "s", "z"], ["a"]), h.make_node("MatMul", ["a", "w"], ["b"]),
     h.make_node("QuantizeLinear", ["b", "t", "u"], ["c"]), h.make_node("Reshape", ["c", "shape"], ["y"]))
save("words", h.make_node("DequantizeLinear", ["x", "s", "z16"], ["a"], domain="com.microsoft"), h.make_node("MatMul", ["a", "w"], ["b"]),
     h.make_node("QuantizeLinear", ["b", "t", "u16"], ["y"], domain="com.microsoft"), x=T.INT16, y=T.INT16)
save("qlinear", h.make_node("QLinearMatMul", ["x", "s", "z", "wi", "ws", "wz", "t", "u"], ["y"]))
save("probabilities", h.make_node("DequantizeLinear", ["x", "s", "z"], ["a"]), h.make_node("MatMul", ["a", "w"], ["b"]),
     h.make_node("Softmax", ["b"], ["p"]), h.make_node("QuantizeLinear", ["p", "s", "low"], ["y"]))
save("bare", h.make_node("Cast", ["x"], ["a"], to=T.FLOAT), h.make_node("MatMul", ["a", "w"], ["b"]),
     h.make_node("Clip", ["b"], ["c"]), h.make_node("Cast", ["c"], ["y"], to=T.INT8))
def loss(y):
    return -np.log((np.exp(y) / np.exp(y).sum(axis=1, keepdims=True))[np.arange(12), labels]).mean()
codes = 4 * np.clip(np.rint(scores / 4), -125, 130)
labels = codes.argmax(axis=1)
np.savez("codes.npz", x=x.astype(np.float32), y=labels)
print("%.4g" % loss(codes), file=open("loss_codes", "w"))
PY
for model in codes words qlinear; do
    expect 0 "" ternc eval $model.onnx --data codes.npz
    says "accuracy 1.0000, loss $(cut -c1-5 loss_codes)"
    expect 0 "" ternc eval $model.onnx --data codes.npz --reference
    says "accuracy 1.0000, loss $(cut -c1-5 loss_codes)"
done
expect 0 "" ternc eval probabilities.onnx --data codes.npz
says "accuracy 1.0000, loss 0, "
expect 0 "" ternc eval bare.onnx --data codes.npz --reference
says "samples 12"

# More samples than one process takes, and a bar only on a terminal.
if script -qec true /dev/null >out 2>&1; then # not where terminals cannot be had, as in some chroots
    expect 0 "" script -qec "'$TERNC_BIN' eval m/tiny.onnx --data m/images.npz" /dev/null
    says "samples 20"
fi

expect 0 "ternc: note: 1 of 2 outputs are not numbers and count as wrong" ternc eval m/logits.onnx --data m/nan.npz --json
says '"accuracy":	0.5'
says '"loss":	null'
expect 1 "ternc: error: m/too_high.npz: label 3 of sample 3: m/logits.onnx has 3 classes, from 0" \
    ternc eval m/logits.onnx --data m/too_high.npz
expect 1 "ternc: error: m/no_labels.npz: there are no labels; eval needs them: --data IMAGES,LABELS or an .npz with x and y" \
    ternc eval m/logits.onnx --data m/no_labels.npz
expect 1 "ternc: error: m/images.npz: samples of uint8[8,8] do not fit input 'x' of m/logits.onnx, which is float[1,3]" \
    ternc eval m/logits.onnx --data m/images.npz --limit 1
expect 2 "ternc: usage: --mean: 3 numbers, but samples of uint8[8,8] have one channel" \
    ternc eval m/tiny.onnx --data m/images.npz --mean 1,2,3
expect 1 "ternc: error: m/two.onnx: eval needs a model with one output, the scores of the classes; this one has 2" \
    ternc eval m/two.onnx --data m/scores.npz
expect 1 "ternc: error: m/missing.npz: cannot read: No such file or directory" ternc eval m/logits.onnx --data m/missing.npz
finish
