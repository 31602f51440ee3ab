#!/bin/sh
# large.sh [NAME...]: the networks of the papers with random weights (make_large.py): what ternc and clang take to compile
# them, and their speed against onnxruntime's, as floats and as codes. Prints tables and writes them into
# docs/measurements.md, as the section of this processor; with names of networks, prints those alone. Takes some half an
# hour; not part of run.sh.
#   TERNC_BIN   the ternc to measure (default: a release build under build/large)
#   RIVAL       onnxruntime_rival.sh's library (default: fetched and built under build/npm); without it no speed
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
cd "$root"
. tests/tools/measurements.sh
begin_section
out=$root/build/large
ternary="--method twn --keep first,last"
names=${*:-mlp vgg7 resnet18 mobilenetv2 detector}

part() {
    printf 'measuring: %s\n' "$1" >&2
    printf '\n### %s\n' "$1"
}

# compile_of NAME WEIGHTS OPTION...: ternc, then clang file by file; what a weight that is not zero takes of it
compile_of() {
    name=$1
    weights=$2
    shift 2
    cells=$(/usr/bin/python3 - "$TERNC_BIN" "$out/models/$name.onnx" "$out/gen" "$@" <<'PY'
import os, pathlib, re, shutil, subprocess, sys

ternc, model, folder, *options = sys.argv[1:]
shutil.rmtree(folder, ignore_errors=True)

def timed(*command):
    with open(folder + ".log", "w") as log:
        child = subprocess.Popen(command, stdout=log, stderr=log)
        _, status, usage = os.wait4(child.pid, 0)
    if status:
        sys.exit(" ".join(command) + ": " + open(folder + ".log").read())
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024

seconds, memory = timed(ternc, "compile", model, "-o", folder, "--target", "host", *options)
found = re.search(r"ternary weights: ([0-9,]+), ([0-9.]+) % zeros", open(folder + ".log").read())
files = sorted(pathlib.Path(folder).glob("*.c"))
compiles = [timed("clang", "-std=c99", "-O2", "-march=native", "-c", str(f), "-o", folder + ".o") for f in files]
clang = sum(s for s, _ in compiles)
term = "-"
if found:
    weights = int(found[1].replace(",", "")) * (1 - float(found[2]) / 100)
    term = f"{1e6 * clang / weights:.1f}"
print(f"{seconds:.2f} {memory:.0f} {len(files)} {sum(f.stat().st_size for f in files) / 1e6:.1f}",
      f"{clang:.1f} {max(m for _, m in compiles):.0f} {term}")
PY
    )
    # shellcheck disable=SC2086
    row "$name" "$weights" $cells
}

# cells_of REPORT: microseconds of the ternary build and of the rival, and how many times as fast it is
cells_of() {
    /usr/bin/python3 - "$1" <<'PY'
import json, sys
ternary, rival = json.load(open(sys.argv[1]))["builds"][1:]
print(f"{ternary['ns'] / 1e3:,.0f} {rival['ns'] / 1e3:,.0f} {ternary['times_rival']:.2f}")
PY
}

# speed_of NAME WEIGHTS OPTION...: as floats
speed_of() {
    name=$1
    weights=$2
    shift 2
    "$TERNC_BIN" bench "$out/models/$name.onnx" --lowerings auto --rival "$RIVAL" --quiet --json "$@" >"$out/bench.json"
    # shellcheck disable=SC2046
    row "$name" "$weights" $(cells_of "$out/bench.json")
}

# codes_of NAME WEIGHTS OPTION...: the Q/DQ file that ternarize writes, in both
codes_of() {
    name=$1
    weights=$2
    shift 2
    "$TERNC_BIN" ternarize "$out/models/$name.onnx" -o "$out/codes.onnx" --quiet --activations int8 --io int8 \
        --calibrate "$out/models/$name.npy" "$@" >"$out/codes.log"
    "$TERNC_BIN" bench "$out/codes.onnx" --method none --lowerings auto --rival "$RIVAL" --quiet --json >"$out/bench.json"
    # shellcheck disable=SC2046
    row "$name" "$weights" $(cells_of "$out/bench.json")
}

# Ranges matter here, not what the images show.
make_images() {
    /usr/bin/python3 - "$out/models" <<'PY'
import sys
import numpy as np
random = np.random.RandomState(1)
shapes = {"mlp": (784,), "vgg7": (3, 32, 32), "resnet18": (3, 224, 224), "mobilenetv2": (3, 224, 224), "detector": (24, 44, 44)}
for name, shape in shapes.items():
    np.save(f"{sys.argv[1]}/{name}.npy", random.randn(16, *shape).astype(np.float32))
PY
}

# rows FUNCTION: of all networks, each as TWN, with 90 % zeros and with weights that are not ternary
rows() {
    for network in $names; do
        # Options are a list: split on purpose.
        # shellcheck disable=SC2086
        "$1" "$network" TWN $ternary
        # shellcheck disable=SC2086
        "$1" "$network" "90 % zeros" $ternary --sparsity 0.9
        "$1" "$network" "not ternary" --method none
    done
}

report() {
    section_facts "$(version clang), one thread, -O2 -march=native"
    part "Seconds of processor time and peak MB: of ternc compile; of clang, all files together and the largest"
    columns network weights "ternc s" "ternc MB" files "MB of C" "clang s" "clang MB" "clang us a weight not zero"
    rows compile_of
    [ -f "$RIVAL" ] || return 0
    part "Microseconds of float activations, against onnxruntime's float network"
    columns network weights ternc onnxruntime "times as fast"
    rows speed_of
    part "Microseconds of integer activations, codes in and out, against onnxruntime's run of the same file"
    columns network weights ternc onnxruntime "times as fast"
    rows codes_of
}

mkdir -p "$out/models" "$root/build/npm"
if [ -z "${RIVAL:-}" ]; then
    RIVAL=$root/build/npm/rival.so
    sh tests/tools/onnxruntime_rival.sh "$root/build/npm" >&2 || echo "without the comparison with onnxruntime" >&2
fi
if [ -z "${TERNC_BIN:-}" ]; then
    TERNC_BIN=$out/ternc/ternc
    { cmake -S . -B "$out/ternc" -G Ninja -DCMAKE_BUILD_TYPE=Release && ninja -C "$out/ternc" ternc; } >"$out/build.log" 2>&1 || {
        tail -n 40 "$out/build.log"
        exit 1
    }
fi
# shellcheck disable=SC2086
/usr/bin/python3 tests/models/make_large.py "$out/models" $names
make_images
report >"$out/report.md"
cat "$out/report.md"
[ $# -gt 0 ] || write_section large.sh "$out/report.md"
