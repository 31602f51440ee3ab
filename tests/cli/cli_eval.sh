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
assert set(d) == {"accuracy", "loss", "samples"} and d["samples"] == samples, d
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
