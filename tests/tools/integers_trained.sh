#!/bin/sh
# integers_trained.sh: what integer activations cost networks that ternc trained: LeNet-5 on MNIST, from scratch, with
# float activations, with ranges chosen behind training, and trained with codes. Writes its section of
# docs/measurements.md. Takes some ten minutes; not part of run.sh.
#   TERNC_SHARED   folder with data/mnist (default: shared beside the checkout); skipped without it
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
cd "$root"
. tests/tools/measurements.sh
begin_section
mnist=${TERNC_SHARED:-$root/../shared}/data/mnist
out=$root/build/integers_trained
ternc="$out/ternc/ternc"
pixels="--scale 1/255 --mean 0.1307 --std 0.3081"
[ -d "$mnist" ] || {
    echo "skipped: no folder $mnist" >&2
    exit 77
}

# train NAME MODEL OPTION...
train() {
    printf 'training: %s\n' "$1" >&2
    result=$out/$1.onnx
    shift
    # Options are a list: split on purpose.
    # shellcheck disable=SC2086
    "$ternc" ternarize "$@" -o "$result" $pixels --valid 5000 --threads 1 --quiet \
        --data "$mnist/train-images-idx3-ubyte.gz,$mnist/train-labels-idx1-ubyte.gz" >"${result%.onnx}.txt"
}

# right NAME OPTION...: percent of the test images
right() {
    name=$1
    shift
    # shellcheck disable=SC2086
    "$ternc" eval "$out/$name.onnx" $pixels --quiet --json "$@" \
        --data "$mnist/t10k-images-idx3-ubyte.gz,$mnist/t10k-labels-idx1-ubyte.gz" |
        sed -n 's/.*"accuracy":[^0-9]*\([0-9.]*\).*/\1/p' | awk '{ printf "%.2f\n", 100 * $1 }'
}

# network NAME TITLE OPTION...: a row
network() {
    name=$1
    title=$2
    shift 2
    train "$name" "$out/float.onnx" --augment crop=2 "$@"
    train "${name}_codes" "$out/float.onnx" --augment crop=2 --activations int8 "$@"
    row "$title" "$(right "$name")" \
        "$(right "$name" --activations int8 --calibrate "$mnist/train-images-idx3-ubyte.gz")" "$(right "${name}_codes")"
}

report() {
    section_facts "one thread, seed 1, $(version clang)"
    printf '\n### LeNet-5: percent right of 10,000 test images, compiled C\n'
    columns method "float activations" "codes by calibration" "trained with codes"
    network none "\`none\`: weights of 8 bits where activations are codes" --method none
    network twn "\`twn\`" --method twn
    network sca "\`sca\`" --method sca
    network stp98 "\`stp\`, 98 % zeros" --method stp --sparsity 0.98
}

sh tests/setup.sh >&2
mkdir -p "$out"
{ cmake -S . -B "$out/ternc" -G Ninja -DCMAKE_BUILD_TYPE=Release && ninja -C "$out/ternc" ternc; } >"$out/build.log" 2>&1 || {
    tail -n 40 "$out/build.log"
    exit 1
}
/usr/bin/python3 examples/lenet5/make.py "$out/net.onnx"
train float "$out/net.onnx" --method none
report >"$out/report.md"
cat "$out/report.md"
write_section integers_trained.sh "$out/report.md"
