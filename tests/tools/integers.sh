#!/bin/sh
# integers.sh: the figures of integer activations: instructions of microcontrollers, RAM, flash, layers against ternc's own
# float form, accuracy, codes against onnxruntime's. Prints tables and writes them into docs/measurements.md, as the section of this processor. Takes
# some minutes; not part of run.sh.
#   TERNC_SHARED   folder with models/ and data/ (default: shared beside the checkout); skipped without it
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
cd "$root"
. tests/tools/measurements.sh
begin_section
shared=${TERNC_SHARED:-$root/../shared}
out=$root/build/integers
codes=$root/build/npm # with onnxruntime
export TERNC_BIN="$out/ternc/ternc"
mnist=$shared/data/mnist
fashion=/usr/share/datasets/fashion-mnist # of the Debian package dataset-fashion-mnist
[ -d "$shared/models" ] || {
    echo "skipped: no folder $shared/models" >&2
    exit 77
}

part() {
    printf 'measuring: %s\n' "$1" >&2
    printf '\n### %s\n' "$1"
}

# Samples for the networks whose data are not at hand: their ranges matter here, not their meaning.
make_samples() {
    /usr/bin/python3 - "$out" <<'PY'
import sys
import numpy as np
random = np.random.RandomState(1)
np.save(sys.argv[1] + "/kws01_dscnn_bn.npy", random.randn(64, 1, 49, 10).astype(np.float32) * 20)
np.save(sys.argv[1] + "/ic01_resnet8_bn.npy", (random.rand(64, 3, 32, 32) * 255).astype(np.float32))
np.save(sys.argv[1] + "/kws01_dscnn_bn_test.npy", random.randn(300, 1, 49, 10).astype(np.float32) * 20)
np.save(sys.argv[1] + "/ic01_resnet8_bn_test.npy", (random.rand(300, 3, 32, 32) * 255).astype(np.float32))
PY
}

# integers_of NAME [int16]: the options that make its activations codes
integers_of() {
    samples=$out/$1.npy
    [ -f "$samples" ] || samples=$mnist/train-images-idx3-ubyte.gz
    printf -- '--activations %s --io %s --calibrate %s' "${2:-int8}" "${2:-int8}" "$samples"
}

# instructions_of NAME SPARSITY [int16]
instructions_of() {
    cells=
    for target in cortex-m4 cortex-m0 rv32imac; do
        # shellcheck disable=SC2046
        count=$(cd "$out/count" && sh "$root/tests/tools/instructions.sh" "$target" "$shared/models/$1.onnx" $(integers_of "$1" "${3:-}") \
            --sparsity "$2" | cut -d' ' -f1)
        cells="$cells $(grouped "$count")"
    done
    arena=$(sed -n 's/^#define NET_ARENA_BYTES //p' "$out/count/gen/net.h")
    # shellcheck disable=SC2086
    row "$1${3:+, $3}" "$2" $cells "$(grouped "$arena")"
}

# flash_of NAME: of --optimize size on a Cortex-M4, all layers ternary
flash_of() {
    # shellcheck disable=SC2046
    "$TERNC_BIN" size "$shared/models/$1.onnx" $(integers_of "$1") --methods twn --sparsity 0.9 --keep none \
        --targets cortex-m4 --csv 2>"$out/size.log" >"$out/size.csv"
    cells=$(/usr/bin/python3 -c '
import csv, sys
first = next(csv.DictReader(sys.stdin))
flash = sum(int(first[k]) for k in ("code", "constants", "data"))
print("{:,} {:,}".format(flash, int(first["arena"])))' <"$out/size.csv")
    # shellcheck disable=SC2086
    row "$1" $cells
}

# speed_of LAYER: microseconds as floats and as codes, one after the other, twice; the lesser
speed_of() {
    for form in float int8; do
        for _ in 1 2; do
            "$TERNC_BIN" bench "$out/layers/$1_$form.onnx" --method none --lowerings auto --seconds 1 --json
        done >"$out/bench_$form.json"
    done
    cells=$(/usr/bin/python3 - "$out/bench_float.json" "$out/bench_int8.json" <<'PY'
import json, sys

def least(path):
    text, at, times = open(path).read(), 0, []
    while text[at:].strip():
        report, end = json.JSONDecoder().raw_decode(text[at:].lstrip())
        at += len(text[at:]) - len(text[at:].lstrip()) + end
        times.append(report["builds"][1]["ns"] / 1e3)
    return min(times)

a, b = least(sys.argv[1]), least(sys.argv[2])
print(f"{a:.2f} {b:.2f} {a / b:.2f}")
PY
    )
    # shellcheck disable=SC2086
    row "$1" $cells
}

# shifts_of TARGET KEEP: instructions of MNIST-8 with scales of any size, then powers of two
shifts_of() {
    cells=
    for scales in any pow2; do
        # shellcheck disable=SC2046
        count=$(cd "$out/count" && sh "$root/tests/tools/instructions.sh" "$1" "$shared/models/mnist-8.onnx" $(integers_of mnist-8) \
            --scales $scales --keep "$2" | cut -d' ' -f1)
        cells="$cells $(grouped "$count")"
    done
    # shellcheck disable=SC2086
    row "$1" "$2" $cells
}

# avr_of ACTIVATIONS OPTIMIZE OPTION...: MNIST-8, whose pixels are bytes either way
avr_of() {
    activations=$1
    optimize=$2
    shift 2
    (cd "$out/count" && sh "$root/tests/tools/avr.sh" "$shared/models/mnist-8.onnx" --keep none --optimize "$optimize" "$@") >"$out/avr"
    read -r cycles _ flash ram <"$out/avr"
    row "$activations" "$optimize" "$(grouped "$cycles")" "$(grouped "$flash")" "$(grouped "$ram")"
}

# accuracy_of MODEL FOLDER SCALE OPTION...: FOLDER has the images
accuracy_of() {
    model=$1
    images=$2
    scale=$3
    shift 3
    data="$images/t10k-images-idx3-ubyte.gz,$images/t10k-labels-idx1-ubyte.gz"
    samples="--calibrate $images/train-images-idx3-ubyte.gz"
    for activations in "" "--activations int8 $samples" "--activations int8 --scales pow2 $samples" "--activations int16 $samples"; do
        # shellcheck disable=SC2086
        "$TERNC_BIN" eval "$model" --data "$data" --scale "$scale" "$@" $activations --json
    done | /usr/bin/python3 -c '
import re, sys
print(*(f"{100 * float(v):.2f}" for v in re.findall(r"\"accuracy\":\s*([0-9.]+)", sys.stdin.read())))' >"$out/accuracy"
    # shellcheck disable=SC2046
    row "$(basename "$model" .onnx)" "$*" $(cat "$out/accuracy")
}

# rival_of NAME MODEL: microseconds of a Q/DQ file and onnxruntime's of the same, one thread, in one run
rival_of() {
    "$TERNC_BIN" bench "$2" --method none --lowerings auto --rival "$codes/rival.so" --quiet --json >"$out/rival.json"
    cells=$(/usr/bin/python3 - "$out/rival.json" <<'PY'
import json, sys
ternary, rival = json.load(open(sys.argv[1]))["builds"][1:]
print(f"{ternary['ns'] / 1e3:.2f} {rival['ns'] / 1e3:.2f} {ternary['times_rival']:.2f}")
PY
    )
    # shellcheck disable=SC2086
    row "$1" $cells
}

# network_rival_of NAME: made ternary to half zeros, as ternarize writes it
network_rival_of() {
    # shellcheck disable=SC2046
    "$TERNC_BIN" ternarize "$shared/models/$1.onnx" -o "$out/rival.onnx" --method twn --sparsity 0.5 $(integers_of "$1") -q \
        >"$out/rival.log"
    rival_of "$1" "$out/rival.onnx"
}

# codes_of NAME METHOD COUNT: the file that ternarize writes, in onnxruntime and compiled
codes_of() {
    samples=$out/$1_test.npy
    [ -f "$samples" ] || samples=$mnist/t10k-images-idx3-ubyte.gz
    # shellcheck disable=SC2046
    "$TERNC_BIN" ternarize "$shared/models/$1.onnx" -o "$codes/model.onnx" --method "$2" $(integers_of "$1") -q >"$out/codes.log"
    cells=$(/usr/bin/python3 tests/tools/same_codes.py "$TERNC_BIN" "$codes" "$codes/model.onnx" "$samples" "$3")
    # shellcheck disable=SC2086
    row "$1" "$2" "$3" $cells
}

report() {
    section_facts "$(version clang), $(version gcc)"
    part "Instructions of one run with integer inputs and outputs, and bytes of the arena"
    columns network "share of zeros" Cortex-M4 Cortex-M0 RV32IMAC arena
    for name in mnist-8 kws01_dscnn_bn ic01_resnet8_bn; do
        instructions_of $name 0.5
        instructions_of $name 0.9
    done
    instructions_of mnist-8 0.5 int16
    instructions_of mnist-8 0.9 int16
    part "Bytes of flash and of the arena, --optimize size, 90 % zeros, Cortex-M4"
    columns network flash arena
    for name in mnist-8 kws01_dscnn_bn ic01_resnet8_bn; do
        flash_of $name
    done
    part "Microseconds of layers, -march=native"
    columns layer "float activations" "integer activations" "times as fast"
    for layer in a_50 a_10 b_50 b_10; do
        speed_of $layer
    done
    part "Instructions of one run of MNIST-8, --scales any and pow2"
    columns target "--keep" any pow2
    for target in rv32ic cortex-m0; do
        shifts_of $target none
        shifts_of $target last
    done
    part "MNIST-8 on an 8-bit ATmega1284P: cycles of one run, bytes of the program's flash and RAM"
    columns activations "--optimize" cycles flash RAM
    # For speed float activations take more RAM than there is.
    avr_of float size --input-uint8 Input3
    for optimize in size speed; do
        # shellcheck disable=SC2046
        avr_of integer $optimize $(integers_of mnist-8)
    done
    part "Percent right of 10,000 test images, ranges from 512 training images"
    columns model options "float activations" "integer activations" "powers of two" "16 bits"
    accuracy_of "$shared/models/mnist-8.onnx" "$mnist" 1 --method twn
    accuracy_of "$shared/models/deepC_mnist.onnx" "$mnist" 1/255 --method twn
    accuracy_of "$shared/models/mnist-8.onnx" "$mnist" 1 --method none
    [ ! -d "$fashion" ] || accuracy_of examples/fashion/fashion.onnx "$fashion" 1/255 --method twn --keep first,last
    [ -f "$codes/rival.so" ] || return 0
    part "Microseconds of Q/DQ models, codes in and out, against onnxruntime on one thread, -march=native"
    columns model ternc onnxruntime "times as fast"
    for layer in a_50 a_10 b_50 b_10; do
        rival_of $layer "$out/layers/${layer}_int8.onnx"
    done
    for name in mnist-8 kws01_dscnn_bn ic01_resnet8_bn; do
        network_rival_of $name
    done
    part "Codes of the written file in onnxruntime against those of the compiled C"
    columns network method samples codes differ "most steps" "other class"
    for method in twn none; do
        codes_of mnist-8 $method 10000
        codes_of kws01_dscnn_bn $method 300
        codes_of ic01_resnet8_bn $method 300
    done
}

sh tests/setup.sh >&2
mkdir -p "$out/count" "$out/layers" "$codes"
sh tests/tools/onnxruntime_rival.sh "$codes" >&2 || echo "without the comparison with onnxruntime" >&2
cp tests/tools/codes.mjs "$codes"
{ cmake -S . -B "$out/ternc" -G Ninja -DCMAKE_BUILD_TYPE=Release && ninja -C "$out/ternc" ternc; } >"$out/build.log" 2>&1 || {
    tail -n 40 "$out/build.log"
    exit 1
}
make_samples
/usr/bin/python3 tests/tools/integer_layers.py "$out/layers"
report >"$out/report.md"
cat "$out/report.md"
write_section integers.sh "$out/report.md"
