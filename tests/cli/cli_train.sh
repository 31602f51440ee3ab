# cli_train.sh: training from the command line on a small set of three classes: every method learns, the result is
# ternary, the same seed gives the same file, and a run that was killed continues to the same file.
. "$TERNC_SOURCE/tests/cli/expect.sh"
need_onnx
/usr/bin/python3 "$TERNC_SOURCE/tests/models/make_classes.py" || exit 1

accuracy() {
    ternc eval "$1" --data test.npz --json --quiet | sed -n 's/.*"accuracy":[^0-9]*\([0-9.]*\).*/\1/p'
}

# at_least LEAST MODEL
at_least() {
    got=$(accuracy "$2")
    awk -v a="$got" -v b="$1" 'BEGIN { exit !(a >= b) }' || complain "$2 has accuracy $got, not at least $1"
}

train() {
    ternc ternarize "$@" >out 2>err || complain "ternc ternarize $* failed"
}

train net.onnx -o float.onnx --method none --data train.npz --epochs 6 --batch 20 --quiet --threads 1
at_least 0.9 float.onnx
for method in twn stp sca; do
    train float.onnx -o $method.onnx --method $method --data train.npz --epochs 8 --batch 20 --quiet --threads 1 --log $method.log --plot $method.svg
    at_least 0.88 $method.onnx
    epochs=$(sed -n 's/^trained \([0-9]*\) epochs.*/\1/p' out)
    [ "$(wc -l <$method.log)" -eq "$epochs" ] || complain "$method.log has not a line for each of $epochs epochs"
    [ "$epochs" -eq 8 ] || [ $method = sca ] || complain "$method has run $epochs epochs"
    /usr/bin/python3 -c 'import sys, xml.etree.ElementTree as tree
svg = tree.parse(sys.argv[1]).getroot()
lines = svg.findall("{*}polyline")
assert len(lines) == 6 and all(len(line.get("points").split()) == int(sys.argv[2]) for line in lines)
assert {"conv", "fc"} < {text.text for text in svg.findall("{*}text")}' $method.svg "$(wc -l <$method.log)" ||
        complain "$method.svg has not a line for each of six numbers, with a point per epoch"
    grep -q 'conv .*float' out && complain "$method: conv stayed float"
    [ ! -e $method.onnx.ckpt ] || complain "the checkpoint of $method stayed"
done
/usr/bin/python3 - <<'PY' || complain "zeros or values are wrong"
import numpy as np, onnx
from onnx import numpy_helper as nh
load = lambda f: {t.name: nh.to_array(t) for t in onnx.load(f).graph.initializer}
for f in ("twn", "stp", "sca"):
    m = load(f + ".onnx")
    for w in (m["w1"], m["w2"]):
        for row in w.reshape(len(w), -1):
            assert len(set(np.abs(row[row != 0]).tolist())) <= 1, f
m = load("stp.onnx")
zeros = sum(np.sum(m[k] == 0) for k in ("w1", "w2")) / (m["w1"].size + m["w2"].size)
assert abs(zeros - 0.9) < 0.002, zeros
PY

# Alpha is the knob for zeros, and the metadata says how a model was made.
meta() {
    /usr/bin/python3 -c 'import onnx, sys
print([p.value for p in onnx.load(sys.argv[1]).metadata_props if p.key == "ternc"][0])' "$1"
}

has() {
    meta "$1" | grep -qF -- "$2" || complain "the metadata of $1 lacks '$2': $(meta "$1")"
}

for alpha in 0.1 0.3 0.5 0.7 0.9; do
    train float.onnx -o alpha.onnx --method sca --alpha $alpha --data train.npz --epochs 5 --batch 20 --quiet --threads 1
    sed -n 's/^ternary: .* weights, \([0-9.]*\) % zeros.*/\1/p' out
done >alphas
sort -n -u alphas >rising
same alphas rising
[ "$(wc -l <alphas)" -eq 5 ] || complain "not five shares of zeros: $(cat alphas)"
has alpha.onnx "method=sca granularity=channel alpha=0.9 keep=last trained epochs="
has alpha.onnx " batch=20 optimizer=adam lr=0.003 weight-decay=0.03 schedule=cosine lambda=1 recovery=2 clip=10 seed=1 threads=1"
has twn.onnx "method=twn granularity=channel threshold=0.75 keep=last trained epochs=8 best="
has stp.onnx "method=stp granularity=channel sparsity=0.9"
has stp.onnx " optimizer=sgd lr=0.02 weight-decay=0.0001 schedule=cosine momentum=0.9 scope=global eta=0.05 pull=0.001 clip=10 seed=1"
train float.onnx -o exact.onnx --threshold exact --data train.npz --epochs 2 --quiet --threads 1
has exact.onnx "threshold=exact"

# SCA with a share of zeros asked for comes near it in every layer, also beyond where its weights start.
for sparsity in 0.3 0.6 0.9; do
    train float.onnx -o share.onnx --method sca --sparsity $sparsity --data train.npz --epochs 8 --batch 20 --quiet --threads 1
    at_least 0.88 share.onnx
    awk -v wanted=$sparsity '/^(conv|fc) /{ d = $4 / 100 - wanted; good += d < 0.03 && d > -0.03 } END { exit good != 2 }' out ||
        complain "not $sparsity zeros: $(cat out)"
done

# The report: what each layer alone would cost is what eval finds; a run that came to nothing says so.
/usr/bin/python3 -c 'import numpy as np
d = np.load("train.npz")
np.savez("held.npz", x=d["x"][600:], y=d["y"][600:])'
train net.onnx -o poor.onnx --method none --data train.npz --limit 60 --epochs 2 --batch 20 --quiet --threads 1
train poor.onnx -o report.onnx --method stp --data train.npz --valid 600 --epochs 1 --batch 20 --quiet --threads 1
for layer in conv:w2,w3 fc:w1,w3 last:w1,w2; do
    ternc ternarize poor.onnx -o alone.onnx --keep "${layer#*:}" --quiet >alone
    want=$(ternc eval alone.onnx --data held.npz --json --quiet | sed -n 's/.*"accuracy":[^0-9]*\([0-9.]*\).*/\1/p')
    awk -v layer="${layer%:*}" -v want="$want" '$1 == layer { d = $(NF - 1) - 100 * want; found = d < 0.006 && d > -0.006 }
        END { exit !found }' out || complain "$layer alone has accuracy $want: $(cat out)"
done
says "alone: only this layer ternary, untrained, 600 held-back samples; none: "
expect 0 "...ternc: note: the result answers no better than with always the same class: try a lower --lr" \
    ternc ternarize net.onnx -o wild.onnx --method none --data train.npz --lr 300 --epochs 2 --threads 1

# No labels: the float model itself is the teacher.
train float.onnx -o taught.onnx --method twn --data inputs.npz --epochs 6 --batch 20 --quiet --threads 1
at_least 0.86 taught.onnx

# The same seed gives the same file; another one another.
train float.onnx -o again.onnx --method sca --data train.npz --epochs 8 --batch 20 --quiet --threads 1
same sca.onnx again.onnx
train float.onnx -o other.onnx --method sca --data train.npz --epochs 8 --batch 20 --seed 2 --quiet --threads 1
cmp -s sca.onnx other.onnx && complain "another seed gave the same file"

# Killed, then resumed: for each method the same file as in one run. The process itself is started in the background,
# not the function: the signal must hit ternc.
long="--data train.npz --epochs 30 --batch 20 --quiet --threads 1"
for method in twn stp sca; do
    train float.onnx -o whole.onnx --method $method $long --log whole.log
    # Options are a list: split on purpose.
    # shellcheck disable=SC2086
    "$TERNC_BIN" ternarize float.onnx -o resumed.onnx --method $method $long --log kill.log >out 2>err &
    child=$!
    while [ "$(wc -l 2>/dev/null <kill.log || echo 0)" -lt 5 ] && kill -0 $child 2>/dev/null; do sleep 0.01; done
    kill -9 $child 2>/dev/null || complain "$method: the run ended before it could be killed"
    wait $child
    absent resumed.onnx
    [ -s resumed.onnx.ckpt ] || complain "$method: there is no checkpoint"
    train float.onnx -o resumed.onnx --method $method $long --resume --log kill.log
    same whole.onnx resumed.onnx
    cut -d, -f1-7 whole.log >whole
    cut -d, -f1-7 kill.log >killed
    same whole killed
    rm -f resumed.onnx kill.log
done

# Threads spin for a short while, or as the user says: libgomp prints what it has read whenever it is loaded.
spins() {
    env OMP_DISPLAY_ENV=verbose "$@" "$TERNC_BIN" ternarize net.onnx -o spins.onnx --method none --data train.npz --limit 60 \
        --epochs 1 --batch 20 --quiet --threads 2 >out 2>err || complain "training failed: $*"
    sed -n "s/.*GOMP_SPINCOUNT = '\(.*\)'/\1/p" err | tail -n 1
}
[ "$(spins)" = 5000 ] || complain "threads spin otherwise"
[ "$(spins GOMP_SPINCOUNT=7)" = 7 ] || complain "the user's GOMP_SPINCOUNT is not heeded"
[ "$(spins OMP_WAIT_POLICY=passive)" = 0 ] || complain "the user's OMP_WAIT_POLICY is not heeded"
[ "$(grep -c SPINCOUNT err)" -eq 1 ] || complain "ternc was started again for nothing"

# Exporters write equal constants once: two norms that start with the same statistics do not share them when trained.
/usr/bin/python3 - <<'PY' || exit 1
import onnx
from onnx import helper as h
for own in ("", "_own"):
    m = onnx.load("net.onnx")
    inits, nodes = m.graph.initializer, m.graph.node
    for t in [t for t in inits if t.name in ("nm", "nv")]:
        inits.add().CopyFrom(t)
        inits[-1].name += "_own"
    nodes[1].output[0] = "d0"
    nodes.insert(2, h.make_node("BatchNormalization", ["d1", "ns", "nb", "nm" + own, "nv" + own], ["d"], "norm2"))
    nodes.insert(2, h.make_node("Mul", ["d0", "d0"], ["d1"], "square"))
    onnx.save(m, f"norms{own}.onnx")
PY
for model in norms norms_own; do
    train $model.onnx -o trained.onnx --method none --data train.npz --epochs 3 --batch 20 --quiet --threads 1
    ternc eval trained.onnx --data test.npz --json --quiet >$model.json
done
same norms.json norms_own.json

expect 1 "...ternc: error: steps.onnx: cannot be trained: operators without a gradient lie between its weights and its output: Floor (node 'steps')" \
    ternc ternarize steps.onnx -o no.onnx --data train.npz
[ ! -e no.onnx ] || complain "no.onnx was written"
finish
