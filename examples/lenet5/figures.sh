#!/bin/sh
# figures.sh: LeNet-5 on MNIST, trained from scratch by ternc, then made ternary by every method; a table of what the
# compiled C gets right of the 10,000 test images, beside onnxruntime with the same ONNX file. The epoch is chosen on
# the last 5,000 training images, nothing on the test images. Takes some 30 minutes of one core.
#   figures.sh MNIST_FOLDER [quick]    quick: two epochs on few images, to see that everything works
# Environment: TERNC, CC, THREADS (see examples/figures.sh), OUT (default: build/lenet5). Needs python3-onnx. Exit code 1
# if a figure misses what is wanted.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
data=${1:?a folder with the four files of MNIST}
out=${OUT:-$root/build/lenet5}
held=5000
pixels="--scale 1/255 --mean 0.1307 --std 0.3081"
pixel_flags="-DPIXEL_SCALE=(1.0f/255.0f/0.3081f) -DPIXEL_OFFSET=(-0.1307f/0.3081f)"
pixel_scale=0.012728548  # 1 / 255 / 0.3081
pixel_offset=-0.42421292 # -0.1307 / 0.3081
augment=crop=2
. "$root/examples/figures.sh"

all() {
    train float "$out/net.onnx" --method none
    row "float" float 99.35
    try twn "TWN" 99.30 --method twn
    try sca "SCA" 99.30 --method sca
    try stp90 "STP, 90 % zeros" 99.30 --method stp --sparsity 0.90
    try stp98 "STP, 98 % zeros" 99.25 --method stp --sparsity 0.98
    try stp99 "STP, 99 % zeros" 99.00 --method stp --sparsity 0.99
    for alpha in 0.1 0.3 0.5 0.7 0.9; do # the knob for zeros, on a third of the images
        try sca$alpha "SCA, alpha $alpha, short" - --method sca --alpha $alpha --limit 20000 --epochs 6
    done
    rising sca0.1 sca0.3 sca0.5 sca0.7 sca0.9
}

quick() {
    held=200
    short="--limit 1200 --epochs 2"
    # Options are a list: split on purpose.
    # shellcheck disable=SC2086
    {
        train float "$out/net.onnx" --method none $short
        row "float" float -
        try twn "TWN" - --method twn $short
        try stp98 "STP, 98 % zeros" - --method stp --sparsity 0.98 $short
    }
}

/usr/bin/python3 "$root/examples/lenet5/make.py" "$out/net.onnx"
heading
"${2:-all}"
"$TERNC" size "$out/stp98.onnx" --methods none --optimize size --targets cortex-m4 --quiet
[ "$failures" -eq 0 ]
