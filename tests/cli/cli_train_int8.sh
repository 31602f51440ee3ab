# cli_train_int8.sh: training with activations that are codes: what was judged is what is written and compiled, by every
# method; without labels; a run that was killed continues to the same file; what makes ranges impossible is said.
. "$TERNC_SOURCE/tests/cli/expect.sh"
need_onnx
need clang
/usr/bin/python3 "$TERNC_SOURCE/tests/models/make_classes.py" || exit 1
/usr/bin/python3 - <<'PY' || exit 1
import numpy as np
d = np.load("train.npz")
x, y = d["x"], d["y"]
np.savez("held.npz", x=x[1080:], y=y[1080:])
np.savez("zero.npz", x=x * 0, y=y)
PY
int8="--activations int8 --batch 20 --quiet --threads 1"

# loss MODEL DATA OPTION...: of generated C
loss() {
    model=$1 data=$2
    shift 2
    ternc eval "$model" --data "$data" --json --quiet "$@" | sed -n 's/.*"loss":[^0-9]*\([0-9.e-]*\).*/\1/p'
}

# near A B: within a twentieth, and what a step of the scores makes
near() {
    awk -v a="$1" -v b="$2" 'BEGIN { d = a - b; exit !((d < 0 ? -d : d) < 0.05 * b + 0.002) }' || complain "loss $1, not $2"
}

# On little data losses are not near 0, and differ by what is computed.
few="--data train.npz --valid 120 --epochs 4 --lr 0.002"
for method in none twn stp sca; do
    # Options are a list: split on purpose.
    # shellcheck disable=SC2086
    try ternc ternarize net.onnx -o $method.onnx --method $method $few $int8
    judged=$(sed -n 's/^  [at][a-z]* *accuracy.* loss \([0-9.]*\)$/\1/p' out)
    near "$(loss $method.onnx held.npz)" "$judged"
    for io in float int8; do
        try ternc check $method.onnx --method none --io $io --target cortex-m4 -q
        grep -q "conv, .*two 16-bit sums\|conv, .*16-bit\|conv, .*int8 weights" out || complain "$method: conv is not an integer layer"
    done
done

# The steps in the file are those of training: without them, by ranges of other data, another network comes of it.
/usr/bin/python3 - <<'PY' || complain "not the steps and weights of a quantised network"
import numpy as np, onnx
from onnx import numpy_helper as nh
for name in ("none", "twn", "stp", "sca"):
    m = onnx.load(name + ".onnx")
    value = {t.name: nh.to_array(t) for t in m.graph.initializer}
    steps = [n for n in m.graph.node if n.op_type == "QuantizeLinear"]
    assert {n.input[0] for n in steps} == {"x", "e", "f", "g", "i"}, [n.input[0] for n in steps]
    assert all(0 < value[n.input[1]] < 1 for n in steps)
    codes = [value[n.input[0]] for n in m.graph.node if n.op_type == "DequantizeLinear" and n.input[0] in value]
    weights = [c for c in codes if c.dtype == np.int8]
    assert len(weights) == 3 and (name == "none" or len(np.unique(weights[0])) <= 3), name
    meta = [p.value for p in m.metadata_props if p.key == "ternc"][0]
    assert "activations=int8" in meta and " ranges=percentile " in meta, meta
PY

# What is kept stays float in training, and is judged so.
try ternc ternarize net.onnx -o float_last.onnx --keep last --keep-as float $few $int8
judged=$(sed -n 's/^  [at][a-z]* *accuracy.* loss \([0-9.]*\)$/\1/p' out)
near "$(loss float_last.onnx held.npz)" "$judged"
try ternc check float_last.onnx --method none -q
grep -q "connected, .*float weights" out || complain "--keep-as float: no layer is float behind training"
grep -q "connected, .*int8 weights" out && complain "--keep-as float: a layer has int8 weights"

expect 2 "ternc: usage: --scales pow2 needs --calibrate SPEC: training chooses scales of any size" \
    ternc ternarize net.onnx -o no.onnx --scales pow2 $few $int8

# Inputs and outputs that are codes; other rules of ranges; compile trains as well.
try ternc ternarize net.onnx -o io.onnx --io int8 --calibration mse $few $int8
try ternc check io.onnx --method none --io int8 -q
try ternc compile net.onnx -o gen --name net --io int8 --calibration minmax $few $int8
grep -q "^void net_run(const int8_t" gen/net.h || complain "compile --data has no codes"

# Without labels the float model is the teacher; the same seed gives the same file.
try ternc ternarize net.onnx -o float.onnx --method none --data train.npz --epochs 6 --batch 20 --quiet --threads 1
for i in 1 2; do
    try ternc ternarize float.onnx -o taught$i.onnx --method twn --data inputs.npz --epochs 4 $int8
done
same taught1.onnx taught2.onnx
near "$(loss taught1.onnx held.npz)" "$(loss float.onnx held.npz)"

# Killed, then resumed. The process itself is started in the background, not the function: the signal must hit ternc.
long="--method stp --data train.npz --epochs 30 $int8"
# shellcheck disable=SC2086
{
    try ternc ternarize float.onnx -o whole.onnx $long
    "$TERNC_BIN" ternarize float.onnx -o resumed.onnx $long --log kill.log >out 2>err &
}
child=$!
while [ "$(wc -l 2>/dev/null <kill.log || echo 0)" -lt 5 ] && kill -0 $child 2>/dev/null; do sleep 0.01; done
kill -9 $child 2>/dev/null || complain "the run ended before it could be killed"
wait $child
try ternc ternarize float.onnx -o resumed.onnx $long --resume
same whole.onnx resumed.onnx

# With --calibrate activations are floats in training; what each layer alone costs is told of floats.
for calibrate in "" "--calibrate train.npz"; do
    # shellcheck disable=SC2086
    try ternc ternarize float.onnx -o after.onnx --method twn --data train.npz --epochs 1 $calibrate $int8
    says "alone: only this layer ternary, untrained, 120 held-back samples; none: "
    grep "^conv\|^fc\|^last" out | sed 's/.* //' >"alone${calibrate:+2}"
done
same alone alone2

# Without training: BatchNormalization gets the means and variances that ternary weights make of the samples; where weights
# stay as they were it keeps its own. The file holds it in the weights and biases in front of it.
for method in twn none; do
    try ternc ternarize float.onnx -o norm_$method.onnx --method $method --activations int8 --calibrate inputs.npz -q
done
/usr/bin/python3 - <<'PY' || complain "not the statistics of the samples"
import numpy as np, onnx
from onnx import numpy_helper as nh
x = np.pad(np.load("inputs.npz")["x"][:512], ((0, 0), (0, 0), (1, 1), (1, 1)))
def constants(graph):
    value = {t.name: nh.to_array(t).astype(float) for t in graph.initializer}
    for n in graph.node:
        if n.op_type == "DequantizeLinear" and n.input[0] in value:
            codes, step = value[n.input[0]], value[n.input[1]]
            value[n.output[0]] = codes * step.reshape((-1,) + (1,) * (codes.ndim - 1))
    return value
def channels(name):
    """The mean and the deviation of each channel behind the first convolution, and the constants of what normalizes."""
    graph = onnx.load(name + ".onnx").graph
    value, conv = constants(graph), [n for n in graph.node if n.op_type == "Conv"][0]
    w = value[conv.input[1]]
    y = sum(np.einsum("nchw,oc->nohw", x[:, :, i:i + 8, k:k + 8], w[:, :, i, k]) for i in range(3) for k in range(3))
    y += value[conv.input[2]].reshape(1, -1, 1, 1) if len(conv.input) > 2 else 0
    return y.mean((0, 2, 3)), y.std((0, 2, 3)), [value[k] for n in graph.node if n.op_type == "BatchNormalization" for k in n.input[1:5]]
mean, deviation, (gamma, beta, old_mean, old_variance) = channels("float")
twn, none = channels("norm_twn"), channels("norm_none")
assert not twn[2] and not none[2]
assert np.abs(twn[0] - beta).max() < 0.02 * np.abs(gamma).max(), (twn[0], beta)
assert np.abs(twn[1] / np.abs(gamma) - 1).max() < 0.02, (twn[1], gamma)
factor = gamma / np.sqrt(old_variance + 1e-5)
assert np.abs(none[0] - (mean - old_mean) * factor - beta).max() < 0.02 * np.abs(gamma).max(), (none[0], mean)
assert np.abs(none[1] / (deviation * np.abs(factor)) - 1).max() < 0.02, (none[1], deviation)
PY

# ---- what cannot be ----

expect 2 "ternc: usage: --activations int8 needs samples for the ranges of activations: --calibrate SPEC, or --data SPEC, which trains with them" \
    ternc ternarize net.onnx -o no.onnx --activations int8
expect 2 "ternc: usage: --activations int8 needs samples for the ranges of activations: --calibrate SPEC" \
    ternc eval net.onnx --data test.npz --activations int8
expect 1 "...net.onnx: input 'x' is 0 in all samples; its range needs samples as the application has them" \
    ternc ternarize net.onnx -o no.onnx --data zero.npz --epochs 1 $int8
expect 1 "...try a lower --lr" ternc ternarize net.onnx -o no.onnx --method none --data train.npz --epochs 1 --lr 1e20 $int8
absent no.onnx
finish
