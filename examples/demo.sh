#!/bin/sh
# demo.sh: the main job from end to end. Installs what is missing, builds ternc, compiles a small Fashion-MNIST network
# (float; ternary without data; fine-tuned with data for a minute or two), builds each result into the application
# examples/fashion/main.c, runs it on the 10,000 test images and prints one table.
#   CC   C compiler for the generated code (default: clang, else gcc)
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
cd "$root"
out=build/demo
model=examples/fashion/fashion.onnx
data=/usr/share/datasets/fashion-mnist
keep=first,last # these two layers stay float: they hold few weights and cost most accuracy

say() {
    printf '%s\n' "$*"
}

build_ternc() {
    cmake -S . -B "$out/ternc" -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_C_COMPILER="${CC:-cc}" &&
        ninja -C "$out/ternc" ternc texts
}

# tune NAME OPTION...: fine-tune the model on the training images, to NAME.onnx; the process ends with it. One thread: the
# same figures anywhere.
tune() {
    name=$1
    shift
    say "  ternc ternarize $model --keep $keep --data ... $*"
    exec "$out/ternc/ternc" ternarize "$model" -o "$out/$name.onnx" --keep "$keep" --scale 1/255 --augment flip --valid 5000 \
        --threads 1 --data "$data/train-images-idx3-ubyte.gz,$data/train-labels-idx1-ubyte.gz" "$@" >"$out/$name.log"
}

# variant NAME MODEL FLAGS OPTION...: compile the model, build the application, run it. NAME/result: what the
# application printed, then the bytes of net.o.
variant() {
    name=$1
    from=$2
    flags=$3
    shift 3
    say "  ternc compile $from $*   ($CC $flags)"
    "$out/ternc/ternc" compile "$from" -o "$out/$name" --name net --quiet "$@" >"$out/$name.log"
    # Flags are a list: split on purpose.
    # shellcheck disable=SC2086
    $CC -std=c99 $flags -fno-asynchronous-unwind-tables -c "$out/$name/net.c" -o "$out/$name/net.o"
    # shellcheck disable=SC2086
    $CC -std=gnu99 $flags -I"$out/$name" examples/fashion/main.c "$out/$name/net.o" -lz -lm -o "$out/$name/fashion"
    "$out/$name/fashion" "$data/t10k-images-idx3-ubyte.gz" "$data/t10k-labels-idx1-ubyte.gz" >"$out/$name/printed"
    say "$(cat "$out/$name/printed") $(sh tests/tools/bytes.sh "$out/$name/net.o")" >"$out/$name/result"
}

# row TITLE NAME
row() {
    awk -v title="$1" '{ printf "  %-28s %7.2f %% %13.1f kB %8.1f kB %12.1f us\n", title, $2, $5 / 1000, $4 / 1000, $3 }' \
        "$out/$2/result"
}

sh tests/setup.sh
mkdir -p "$out"
if [ -z "${CC:-}" ]; then
    CC=clang
    command -v clang >/dev/null || CC=gcc
fi

say "Building ternc ..."
build_ternc >"$out/build.log" 2>&1 || {
    tail -n 40 "$out/build.log"
    say "demo: building ternc failed; the whole log is $root/$out/build.log" >&2
    exit 1
}
say "Fine-tuning the network, the last 5,000 training images held back ..."
(tune twn --method twn --epochs 4) &
first=$!
trap 'kill "$first" 2>/dev/null || true' EXIT
trap 'exit 1' INT TERM HUP
(tune stp --method stp --sparsity 0.9 --epochs 6)
wait "$first"
trap - EXIT INT TERM HUP

say "Compiling with ternc and $CC, running 10,000 images with each result ..."
small="-Os -march=native"
fast="-O2 -march=native"
variant float $model "$fast" --method none --lowering dense
variant size $model "$small" --method twn --keep "$keep" --optimize size
variant speed $model "$fast" --method twn --keep "$keep" --optimize speed
variant twn_size $out/twn.onnx "$small" --method none --optimize size
variant twn_speed $out/twn.onnx "$fast" --method none --optimize speed
variant stp_size $out/stp.onnx "$small" --method none --optimize size
variant stp_speed $out/stp.onnx "$fast" --method none --optimize speed

say
say "Fashion-MNIST, 10,000 test images, one thread of this machine, $CC:"
say
say "                                accuracy  code + constants        RAM   time per image"
row "float" float
row "ternary, for size" size
row "ternary, for speed" speed
row "fine-tuned, for size" twn_size
row "fine-tuned, for speed" twn_speed
row "90 % zeros, for size" stp_size
row "90 % zeros, for speed" stp_speed

say
say "The network was trained in float. \"ternary\": its weights were made ternary without any data or training. The others"
say "were fine-tuned on the training images. First and last layer stay float. \"for size\" decodes weights from tables,"
say "for microcontrollers short of flash and RAM; \"for speed\" has adds as code. RAM is the arena that net.h states."
