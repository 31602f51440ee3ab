# cli_max_loss.sh: `inspect --sensitivity` says for each layer what `ternarize` and `eval` find when it alone is ternary, and
# --max-loss keeps no layer that it need not keep.
. "$TERNC_SOURCE/tests/cli/expect.sh"
need_onnx
/usr/bin/python3 "$TERNC_SOURCE/tests/models/make_classes.py" || exit 1

accuracy() {
    "$TERNC_BIN" eval "$1" --data test.npz --json --quiet | sed -n 's/.*"accuracy":[^0-9]*\([0-9.]*\).*/\1/p'
}

# field NAME PATH...: a number out of report.json
field() {
    /usr/bin/python3 -c 'import functools, json, sys
get = lambda o, k: o[int(k) if isinstance(o, list) else k]
print(functools.reduce(get, sys.argv[1:], json.load(open("report.json"))))' "$@"
}

near() {
    awk -v a="$1" -v b="$2" 'BEGIN { exit !(a - b < 1e-9 && b - a < 1e-9) }' || complain "$3: $1 is not $2"
}

"$TERNC_BIN" ternarize net.onnx -o float.onnx --method none --data train.npz --epochs 3 --batch 20 --quiet --threads 1 >out
method="--method stp --sparsity 0.96"
# shellcheck disable=SC2086
"$TERNC_BIN" inspect float.onnx --sensitivity --data test.npz $method --max-loss 2 --json --quiet >report.json 2>err ||
    complain "inspect --sensitivity failed"
i=0
near "$(field float accuracy)" "$(accuracy float.onnx)" float
for others in w2,w3 w1,w3 w1,w2; do
    # shellcheck disable=SC2086
    "$TERNC_BIN" ternarize float.onnx -o one.onnx $method --keep $others --quiet >out
    near "$(field layers $i accuracy)" "$(accuracy one.onnx)" "all but $others"
    i=$((i + 1))
done
# shellcheck disable=SC2086
"$TERNC_BIN" ternarize float.onnx -o all.onnx $method --quiet >out
near "$(field ternary accuracy)" "$(accuracy all.onnx)" "all but the last"

# By itself every one of the layers that this run finds is needed.
# shellcheck disable=SC2086
expect 0 "" ternc ternarize float.onnx -o within.onnx $method --data test.npz --max-loss 2 --epochs 0 --quiet
says "within 2 points: all but --keep "
near "$(field within accuracy)" "$(accuracy within.onnx)" "within 2 points"
awk -v f="$(accuracy float.onnx)" -v w="$(accuracy within.onnx)" -v a="$(accuracy all.onnx)" \
    'BEGIN { exit !(f - w <= 0.02 + 1e-9 && f - a > 0.02) }' || complain "2 points are not kept, or all layers keep them"
[ "$(field within keep)" = "['w1', 'w3']" ] || complain "not the fewest weights are kept: $(field within keep)"

# Without labels: agreement with the float model. With training behind it: the metadata has what was kept.
expect 0 "" ternc inspect float.onnx --sensitivity --data inputs.npz --quiet
says "float: agreement 100.00 %"
# shellcheck disable=SC2086
expect 0 "..." ternc ternarize float.onnx -o trained.onnx $method --data train.npz --max-loss 2 --epochs 2 --threads 1
says "on 120 samples"
says "conv   Conv          144   0.0 %"

# --activations auto: int8 with ranges of samples like those of the test, float with ranges of others, which clamp all.
/usr/bin/python3 -c 'import numpy as np; x = np.load("train.npz")["x"].astype(np.float32); np.save("x", x); np.save("faint", x / 200)'
auto="--activations auto --data test.npz --max-loss 1"
# shellcheck disable=SC2086
expect 0 "" ternc compile float.onnx -o auto --name net --method none --quiet --calibrate x.npy $auto
says "points of 1: int8"
cp out said
expect 0 "" ternc compile float.onnx -o int8 --name net --method none --quiet --calibrate x.npy --activations int8
same auto/net.c int8/net.c
for activations in float int8; do
    options=
    [ $activations = float ] || options="--activations int8 --calibrate x.npy"
    # shellcheck disable=SC2086
    expect 0 "" ternc eval float.onnx --data test.npz --quiet --json $options
    points=$(sed -n 's/.*"accuracy":[^0-9]*\([0-9.]*\).*/\1/p' out | awk '{ printf "%.2f", 100 * $1 }')
    grep -q "$activations $points %" said || complain "auto does not say what eval says of $activations, $points"
done
# shellcheck disable=SC2086
expect 0 "" ternc compile float.onnx -o auto --name net --method none --quiet --calibrate faint.npy $auto
says "points of 1: float"
expect 0 "" ternc compile float.onnx -o plain --name net --method none --quiet
same auto/net.c plain/net.c
# shellcheck disable=SC2086
expect 0 "" ternc ternarize float.onnx -o auto.onnx --method none --quiet --calibrate x.npy $auto
says "points of 1: int8"
grep -qa "activations=int8" auto.onnx || complain "auto.onnx has no codes"
expect 2 "ternc: usage: --activations auto needs --data SPEC, with labels, to measure on, and --max-loss POINTS" \
    ternc compile float.onnx -o no --activations auto --calibrate x.npy --max-loss 1
expect 2 "ternc: usage: --activations auto needs --data SPEC, with labels, to measure on, and --max-loss POINTS" \
    ternc compile float.onnx -o no --activations auto --calibrate x.npy --data test.npz
# shellcheck disable=SC2086
expect 2 "ternc: usage: --activations auto needs --calibrate SPEC, samples for the ranges of int8 activations" \
    ternc compile float.onnx -o no $auto
# shellcheck disable=SC2086
expect 2 "ternc: usage: --activations auto does not go with --io: types of the application would depend on the choice" \
    ternc compile float.onnx -o no $auto --calibrate x.npy --io int8
# shellcheck disable=SC2086
expect 2 "ternc: usage: --activations auto does not train: train with 'ternc ternarize' first" \
    ternc compile float.onnx -o no $auto --calibrate x.npy --epochs 2
expect 1 "...inputs.npz: there are no labels; eval needs them" \
    ternc compile float.onnx -o no --activations auto --calibrate x.npy --max-loss 1 --data inputs.npz --method none
expect 2 "...--activations: 'auto' is not one of float|int8|int16" ternc check float.onnx --activations auto

expect 2 "ternc: usage: --sensitivity needs --data SPEC to measure on" ternc inspect float.onnx --sensitivity
expect 2 "ternc: usage: --max-loss needs --data SPEC to measure on" ternc compile float.onnx -o no --max-loss 1
expect 2 "ternc: usage: 'ternc inspect' takes --max-loss with --sensitivity" ternc inspect float.onnx --max-loss 1
expect 2 "ternc: usage: --epochs 0 does not train: that is for --max-loss" \
    ternc ternarize float.onnx -o no.onnx --data train.npz --epochs 0
finish
