#!/bin/sh
# demo.sh: the main job from end to end. Installs what is missing, builds ternc, compiles a small Fashion-MNIST network
# three times (float; ternary for size; ternary for speed), builds each into the application examples/fashion/main.c,
# runs it on the 10,000 test images and prints one table.
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
        ninja -C "$out/ternc" ternc
}

# variant NAME FLAGS OPTION...: compile the model, build the application, run it. NAME/result: what the application
# printed, then the bytes of net.o.
variant() {
    name=$1
    flags=$2
    shift 2
    say "  ternc compile $model $*   ($CC $flags)"
    "$out/ternc/ternc" compile "$model" -o "$out/$name" --name net --quiet "$@" >"$out/$name.log"
    # Flags are a list: split on purpose.
    # shellcheck disable=SC2086
    $CC -std=c99 $flags -fno-asynchronous-unwind-tables -c "$out/$name/net.c" -o "$out/$name/net.o"
    # shellcheck disable=SC2086
    $CC -std=gnu99 $flags -I"$out/$name" examples/fashion/main.c "$out/$name/net.o" -lz -lm -o "$out/$name/fashion"
    "$out/$name/fashion" "$data/t10k-images-idx3-ubyte.gz" "$data/t10k-labels-idx1-ubyte.gz" >"$out/$name/printed"
    say "$(cat "$out/$name/printed") $(sh tests/bytes.sh "$out/$name/net.o")" >"$out/$name/result"
}

# row TITLE NAME
row() {
    awk -v title="$1" '{ printf "  %-22s %7.2f %% %13.1f kB %8.1f kB %12.1f us\n", title, $2, $5 / 1000, $4 / 1000, $3 }' \
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
say "Compiling the network with ternc and $CC, running 10,000 images with each result ..."
variant float "-O2 -march=native" --method none --lowering dense
variant size "-Os -march=native" --method twn --keep "$keep" --optimize size
variant speed "-O2 -march=native" --method twn --keep "$keep" --optimize speed

say
say "Fashion-MNIST, 10,000 test images, one thread of this machine, $CC:"
say
say "                          accuracy  code + constants        RAM   time per image"
row "float" float
row "ternary, for size" size
row "ternary, for speed" speed
say
say "The network was trained in float; its weights were made ternary afterwards, without any data or training,"
say "which costs accuracy: compare the rows. First and last layer stay float. RAM is the arena that net.h states."
