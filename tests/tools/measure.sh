#!/bin/sh
# measure.sh: the figures that ternc promises, measured on this machine: compile time and memory, bytes, RAM, speed against
# the dense build, instructions of microcontrollers, accuracy against onnxruntime, function lengths. Prints tables and
# writes them into docs/measurements.md, as the section of this processor. Takes some minutes; not part of run.sh.
#   TERNC_SHARED   folder with models/ and data/ (default: shared beside the checkout); without it most is skipped, and
#                  nothing is written
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
cd "$root"
. tests/tools/measurements.sh
begin_section
shared=${TERNC_SHARED:-$root/../shared}
out=build/measure
ternc=$out/ternc/ternc
mnist=$shared/data/mnist
fashion=/usr/share/datasets/fashion-mnist

# part TITLE: of the report; on the terminal it says how far the script is.
part() {
    printf 'measuring: %s\n' "$1" >&2
    printf '\n### %s\n' "$1"
}

model_name() {
    basename "$1" .onnx
}

# generate MODEL OPTION...: the C of a model in $out/gen/net.c
generate() {
    model=$1
    shift
    "$ternc" compile "$model" -o "$out/gen" --name net --quiet "$@" >"$out/ternc.log"
}

# arena: the RAM of what was generated last
arena() {
    sed -n 's/^#define NET_ARENA_BYTES //p' "$out/gen/net.h"
}

# object FLAGS COMPILER...: net.o from what was generated last
object() {
    flags=$1
    shift
    # shellcheck disable=SC2086
    "$@" -std=c99 $flags -fno-asynchronous-unwind-tables -c "$out/gen/net.c" -o "$out/gen/net.o"
}

# application COMPILER SCALE: the test program around net.o
application() {
    "$1" -std=gnu99 -O2 -DPIXEL_SCALE="$2" -I"$out/gen" examples/fashion/main.c "$out/gen/net.o" -lz -lm -o "$out/gen/app"
}

# images DATA: runs it; "10000 ACCURACY MICROSECONDS ARENA"
images() {
    "$out/gen/app" "$1/t10k-images-idx3-ubyte.gz" "$1/t10k-labels-idx1-ubyte.gz" "$out/gen/classes"
}

# median_time DATA: median of five runs' medians
median_time() {
    for _ in 1 2 3 4 5; do
        images "$1"
    done | cut -d' ' -f3 | sort -n | sed -n 3p
}

make_million() {
    /usr/bin/python3 - "$out/million.onnx" <<'PY'
import sys
import numpy as np
import onnx
from onnx import helper, numpy_helper, TensorProto
random, nodes, weights, last = np.random.default_rng(1), [], [], "x"
for i, (m, n) in enumerate([(256, 1024), (1024, 512), (512, 512), (512, 10)]):
    weights.append(numpy_helper.from_array(random.laplace(size=(m, n)).astype(np.float32), f"w{i}"))
    nodes += [helper.make_node("MatMul", [last, f"w{i}"], [f"h{i}"]), helper.make_node("Relu", [f"h{i}"], [f"y{i}"])]
    last = f"y{i}"
value = helper.make_tensor_value_info
graph = helper.make_graph(nodes, "million", [value("x", TensorProto.FLOAT, [1, 256])],
                          [value(last, TensorProto.FLOAT, [1, 10])], weights)
onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)]), sys.argv[1])
PY
}

# compile_cost MODEL: seconds and peak memory of `ternc compile`
compile_cost() {
    /usr/bin/python3 - "$ternc" "$out/gen" "$1" <<'PY'
import os, pathlib, subprocess, sys, time
ternc, folder, model = sys.argv[1:]
cells = [pathlib.Path(model).stem]
for options in (["--optimize", "speed"], ["--optimize", "size"], ["--lowering", "unroll"]):
    begin = time.time()
    child = subprocess.Popen([ternc, "compile", model, "-o", folder, "--name", "net", "--quiet", *options],
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    refused = os.waitstatus_to_exitcode(status)
    cells.append("refused" if refused else f"{time.time() - begin:.3f} s, {usage.ru_maxrss / 1024:.1f} MB")
print("| " + " | ".join(cells) + " |")
PY
}

m4_flags="-Os -ffreestanding -isystem runtime/freestanding --target=thumbv7em-none-eabihf -mcpu=cortex-m4 -mfloat-abi=hard"

# sizes_of MODEL OPTION...
sizes_of() {
    model=$1
    shift
    generate "$model" --optimize size --target cortex-m4 "$@"
    object "$m4_flags" clang
    m4=$(sh tests/tools/bytes.sh "$out/gen/net.o")
    generate "$model" --optimize size "$@"
    object -Os clang
    x86=$(sh tests/tools/bytes.sh "$out/gen/net.o")
    object -Os gcc
    row "$(model_name "$model")" "\`$*\`" "$(grouped "$m4")" "$(grouped "$x86")" \
        "$(grouped "$(sh tests/tools/bytes.sh "$out/gen/net.o")")"
}

# arenas_of MODEL
arenas_of() {
    generate "$1"
    speed=$(arena)
    generate "$1" --optimize size
    row "$(model_name "$1")" "$(grouped "$speed")" "$(grouped "$(arena)")"
}

# speed_of MODEL SCALE DATA: dense and ternary, both compilers; the better of two levels for each
speed_of() {
    for cc in gcc clang; do
        generate "$1" --method none --lowering dense
        dense=$(best_time "$cc" "$2" "$3")
        generate "$1" --method twn --optimize speed --keep last
        last=$(best_time "$cc" "$2" "$3")
        generate "$1" --method twn --optimize speed --keep first,last
        both=$(best_time "$cc" "$2" "$3")
        row "$(model_name "$1")" "$cc" "$dense" "$last" "$both" \
            "$(awk "BEGIN { printf \"%.2f, %.2f\", $dense / $last, $dense / $both }")"
    done
}

# best_time COMPILER SCALE DATA: the better of -O2 and -O3
best_time() {
    for level in -O2 -O3; do
        object "$level -march=native" "$1"
        application "$1" "$2"
        median_time "$3"
    done | sort -n | head -n 1
}

# instructions TARGET MODEL OPTION...
instructions() {
    grouped "$(cd "$out/gen" &&
        TERNC_BIN=$root/$ternc sh "$root/tests/tools/instructions.sh" "$@" 2>&1 | cut -d' ' -f1 | tail -n 1)"
}

# instructions_of MODEL
instructions_of() {
    for target in cortex-m4 cortex-m0 rv32imafc rv32imac; do
        row "$(model_name "$1")" $target "$(instructions $target "$1" --method none)" \
            "$(instructions $target "$1" --method twn)" "$(instructions $target "$1" --method twn --optimize size)"
    done
}

# right_of MODEL SCALE DATA OPTION...: percent that the C gets right
right_of() {
    model=$1
    scale=$2
    data=$3
    shift 3
    generate "$model" "$@"
    object "-O2 -march=native" gcc
    application gcc "$scale"
    images "$data" | cut -d' ' -f2
}

# accuracy_of MODEL SCALE DATA
accuracy_of() {
    float=$(right_of "$@" --method none)
    cp "$out/gen/classes" "$out/gen/float_classes"
    last=$(right_of "$@" --method twn --keep last)
    both=$(right_of "$@" --method twn --keep first,last)
    compare_onnxruntime "$@"
    row "$(model_name "$1")" "$float" "$last" "$both" "$oracle" "$agreeing"
}

# compare_onnxruntime MODEL SCALE DATA: sets oracle, percent that it gets right, and agreeing, images of one class with C
compare_onnxruntime() {
    oracle=-
    agreeing=-
    sh tests/tools/onnxruntime.sh build/npm >&2 || return 0
    scale=$(echo "$2" | tr -d 'f()' | awk -F/ '{ printf "%.17g", NF == 2 ? $1 / $2 : $1 }')
    NODE_PATH=build/npm/node_modules node tests/tools/ort_classes.js "$1" "$3/t10k-images-idx3-ubyte.gz" "$scale" "$out/gen/ort"
    sh tests/cli/labels.sh "$3/t10k-labels-idx1-ubyte.gz" >"$out/gen/labels"
    paste "$out/gen/ort" "$out/gen/float_classes" "$out/gen/labels" |
        awk '{ same += $1 == $2; right += $1 == $3 } END { printf "%.2f %d of %d\n", 100 * right / NR, same, NR }' >"$out/gen/compared"
    read -r oracle agreeing <"$out/gen/compared"
}

report() {
    section_facts "$(version gcc), $(version clang)"
    part "Compile time and peak memory of ternc compile"
    columns model "\`--optimize speed\`" "\`--optimize size\`" "\`--lowering unroll\`"
    for model in "$out/million.onnx" examples/fashion/fashion.onnx "$shared"/models/*.onnx; do
        [ ! -f "$model" ] || compile_cost "$model"
    done
    if [ -d "$shared/models" ]; then
        part "Bytes of code and constants with --optimize size"
        columns model options "Cortex-M4, clang" "x86-64, clang" "x86-64, gcc"
        for options in "--method none" "--keep last" "--keep none"; do
            # shellcheck disable=SC2086
            sizes_of "$shared/models/deepC_mnist.onnx" $options
        done
        part "Bytes of RAM: the arena"
        columns model "\`--optimize speed\`" "\`--optimize size\`"
        for name in mnist-8 micro_kws_m_fp32 ic01_resnet8_bn kws01_dscnn_bn; do
            arenas_of "$shared/models/$name.onnx"
        done
    fi

    part "Microseconds per image, -march=native, the better of -O2 and -O3"
    columns model compiler "dense float" "TWN, last layer float" "TWN, first and last float" "times as fast as dense"
    speed_of examples/fashion/fashion.onnx '(1.0f/255.0f)' "$fashion"
    [ ! -d "$shared/models" ] || speed_of "$shared/models/mnist-8.onnx" 1.0f "$mnist"

    part "Instructions of one run on emulated microcontrollers"
    columns model machine float TWN "TWN, \`--optimize size\`"
    for model in "$root/examples/fashion/fashion.onnx" "$shared/models/mnist-8.onnx"; do
        [ ! -f "$model" ] || instructions_of "$model"
    done

    part "Percent right of 10,000 test images"
    columns model "float C" "TWN, last layer float" "TWN, first and last float" "onnxruntime, float" "same class as float C"
    accuracy_of examples/fashion/fashion.onnx '(1.0f/255.0f)' "$fashion"
    if [ -d "$shared/models" ]; then
        accuracy_of "$shared/models/mnist-8.onnx" 1.0f "$mnist"
        accuracy_of "$shared/models/deepC_mnist.onnx" '(1.0f/255.0f)' "$mnist"
    fi

    part "The source"
    echo
    sh tests/lint/lengths.sh | sed 's/^/- /'
}

sh tests/setup.sh >&2
mkdir -p "$out/gen"
{ cmake -S . -B "$out/ternc" -G Ninja -DCMAKE_BUILD_TYPE=Release && ninja -C "$out/ternc" ternc; } >"$out/build.log" 2>&1 || {
    tail -n 40 "$out/build.log"
    exit 1
}
make_million
report >"$out/report.md"
cat "$out/report.md"
if [ -d "$shared/models" ]; then
    write_section measure.sh "$out/report.md"
else
    echo "SKIPPED: shared models, no folder $shared; docs/measurements.md is as it was"
fi
