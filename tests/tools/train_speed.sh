#!/bin/sh
# train_speed.sh: an epoch of float training of VGG-7 and ResNet-20, batch 100, SGD with momentum, by ternc and by PyTorch, on
# one and on two threads: seconds per 1,000 images and the peak memory of the process. Both run in turns, of which the
# least counts. Writes its section of docs/measurements.md. Takes some five minutes; not part of run.sh. Needs the Debian
# packages python3-torch, python3-onnx and libopenblas0-pthread: without the last PyTorch's matrix products are slow.
#   TERNC_BIN   the ternc to measure (default: a release build under build/measure)
#   TURNS       default: 3
#   IMAGES      of an epoch (default: 500), in whole batches
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
cd "$root"
. tests/tools/measurements.sh
begin_section
out=$root/build/measure
ternc=${TERNC_BIN:-$out/ternc/ternc}
: "${TURNS:=3}" "${IMAGES:=500}"
/usr/bin/python3 -c 'import onnx, torch' 2>/dev/null || {
    echo "skipped: python3-torch or python3-onnx is not installed" >&2
    exit 77
}
mkdir -p "$out"
[ "${TERNC_BIN:-}" ] || {
    cmake -S . -B "$out/ternc" -G Ninja -DCMAKE_BUILD_TYPE=Release && ninja -C "$out/ternc" ternc
} >"$out/build.log" 2>&1 || {
    tail -n 40 "$out/build.log"
    exit 1
}

# network NAME TITLE THREADS: a row
network() {
    printf '%s, %s threads\n' "$1" "$3" >&2
    /usr/bin/python3 tests/tools/train_speed.py "$ternc" "$1" "$3" "$IMAGES" "$TURNS" >"$out/train_speed.txt"
    {
        read -r ours our_memory
        read -r theirs their_memory
    } <"$out/train_speed.txt"
    row "$2" "$3" "$ours" "$theirs" "$(awk -v a="$ours" -v b="$theirs" 'BEGIN { printf "%.2f", a / b }')" \
        "$our_memory" "$their_memory"
}

report() {
    section_facts "$IMAGES images, the second of two epochs, the least of $TURNS turns, $(version gcc)"
    printf '\n### Float training beside PyTorch 1.13: seconds per 1,000 images, peak MB of the process\n'
    columns network threads "ternc, s" "PyTorch, s" ratio "ternc, MB" "PyTorch, MB"
    for threads in 1 2; do
        network resnet20 ResNet-20 $threads
        network vgg7 VGG-7 $threads
    done
}

report >"$out/report.md"
cat "$out/report.md"
write_section train_speed.sh "$out/report.md"
