#!/bin/sh
# measure.sh: the figures that ternc promises, measured on this machine: compile time and memory, bytes, RAM, speed against
# the dense build, accuracy against onnxruntime, function lengths. Takes some minutes; not part of run.sh.
#   TERNC_SHARED   folder with models/ and data/ (default: shared beside the checkout); without it most is skipped
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
cd "$root"
shared=${TERNC_SHARED:-$root/../shared}
out=build/measure
ternc=$out/ternc/ternc
mnist=$shared/data/mnist
fashion=/usr/share/datasets/fashion-mnist

title() {
    printf '\n%s\n' "$*"
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

# Seconds and peak memory of `ternc compile` with the options given, on each model.
compile_cost() {
    /usr/bin/python3 - "$ternc" "$out/gen" "$@" <<'PY'
import os, pathlib, subprocess, sys, time
ternc, folder, *models = sys.argv[1:]
for model in models:
    for options in (["--optimize", "speed"], ["--optimize", "size"], ["--lowering", "unroll"]):
        begin = time.time()
        child = subprocess.Popen([ternc, "compile", model, "-o", folder, "--name", "net", "--quiet", *options],
                                 stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        message = child.stderr.read().decode().strip()
        _, status, usage = os.wait4(child.pid, 0)
        name = f"  {pathlib.Path(model).stem:22} {' '.join(options):18}"
        if os.waitstatus_to_exitcode(status):
            print(f"{name} {message}")
            break
        print(f"{name} {time.time() - begin:7.3f} s {usage.ru_maxrss / 1024:7.1f} MB peak")
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
    printf '  %-48s Cortex-M4 clang %7d, x86-64 clang %7d, gcc %7d bytes\n' "$(basename "$model" .onnx) $*" "$m4" "$x86" \
        "$(sh tests/tools/bytes.sh "$out/gen/net.o")"
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
        awk -v name="$(basename "$1" .onnx)" -v cc="$cc" -v d="$dense" -v l="$last" -v b="$both" 'BEGIN { printf \
            "  %-10s %-6s dense %6.1f us, TWN %6.1f us (%.2f times), TWN --keep first,last %6.1f us (%.2f times)\n",
            name, cc, d, l, d / l, b, d / b }'
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

# accuracy_of MODEL SCALE DATA
accuracy_of() {
    name=$(basename "$1" .onnx)
    generate "$1" --method none
    object "-O2 -march=native" gcc
    application gcc "$2"
    float=$(images "$3" | cut -d' ' -f2)
    cp "$out/gen/classes" "$out/gen/float_classes"
    generate "$1" --method twn --keep last
    object "-O2 -march=native" gcc
    application gcc "$2"
    last=$(images "$3" | cut -d' ' -f2)
    generate "$1" --method twn --keep first,last
    object "-O2 -march=native" gcc
    application gcc "$2"
    printf '  %-12s float C %s %%, TWN %s %%, TWN --keep first,last %s %%; ' "$name" "$float" "$last" \
        "$(images "$3" | cut -d' ' -f2)"
    compare_onnxruntime "$1" "$2" "$3"
}

compare_onnxruntime() {
    sh tests/tools/onnxruntime.sh build/npm || return 0
    scale=$(echo "$2" | tr -d 'f()' | awk -F/ '{ printf "%.17g", NF == 2 ? $1 / $2 : $1 }')
    NODE_PATH=build/npm/node_modules node tests/tools/ort_classes.js "$1" "$3/t10k-images-idx3-ubyte.gz" "$scale" "$out/gen/ort"
    sh tests/cli/labels.sh "$3/t10k-labels-idx1-ubyte.gz" >"$out/gen/labels"
    paste "$out/gen/ort" "$out/gen/float_classes" "$out/gen/labels" | awk '{ same += $1 == $2; right += $1 == $3 }
        END { printf "onnxruntime float %.2f %%, the same class as float C on %d of %d images\n", 100 * right / NR, same, NR }'
}

sh tests/setup.sh
mkdir -p "$out/gen"
{ cmake -S . -B "$out/ternc" -G Ninja -DCMAKE_BUILD_TYPE=Release && ninja -C "$out/ternc" ternc; } >"$out/build.log" 2>&1 || {
    tail -n 40 "$out/build.log"
    exit 1
}

title "Compile time and peak memory of ternc"
make_million
compile_cost "$out/million.onnx" examples/fashion/fashion.onnx
if [ -d "$shared/models" ]; then
    compile_cost "$shared"/models/*.onnx
    title "Bytes of code and constants, --optimize size"
    sizes_of "$shared/models/deepC_mnist.onnx" --method none
    sizes_of "$shared/models/deepC_mnist.onnx" --keep last
    sizes_of "$shared/models/deepC_mnist.onnx" --keep none
    title "RAM (arena)"
    for name in mnist-8 micro_kws_m_fp32 ic01_resnet8_bn kws01_dscnn_bn; do
        generate "$shared/models/$name.onnx"
        speed=$(arena)
        generate "$shared/models/$name.onnx" --optimize size
        printf '  %-22s %6d bytes, --optimize size %6d\n' "$name" "$speed" "$(arena)"
    done
fi

title "Speed, median per image, -march=native, the better of -O2 and -O3"
speed_of examples/fashion/fashion.onnx '(1.0f/255.0f)' "$fashion"
[ ! -d "$shared/models" ] || speed_of "$shared/models/mnist-8.onnx" 1.0f "$mnist"

title "Instructions of one run on emulated microcontrollers (QEMU)"
for model in "$root/examples/fashion/fashion.onnx" "$shared/models/mnist-8.onnx"; do
    for target in cortex-m4 cortex-m0 rv32imafc rv32imac; do
        for options in "--method none" "--method twn" "--method twn --optimize size"; do
            # shellcheck disable=SC2086
            [ ! -f "$model" ] || printf '  %-12s %-10s %-28s %s\n' "$(basename "$model" .onnx)" $target "$options" \
                "$(cd "$out/gen" && TERNC_BIN=$root/$ternc sh "$root/tests/tools/instructions.sh" $target "$model" $options 2>&1 |
                    cut -d' ' -f1 | tail -n 1)"
        done
    done
done

title "Accuracy on 10,000 test images"
accuracy_of examples/fashion/fashion.onnx '(1.0f/255.0f)' "$fashion"
if [ -d "$shared/models" ]; then
    accuracy_of "$shared/models/mnist-8.onnx" 1.0f "$mnist"
    accuracy_of "$shared/models/deepC_mnist.onnx" '(1.0f/255.0f)' "$mnist"
else
    title "SKIPPED: shared models, no folder $shared"
fi

title "Source"
sh tests/lint/lengths.sh | sed 's/^/  /'
