#!/bin/sh
# figures.sh: the demo's network, fashion.onnx, made ternary with data by every method, and without labels; a table of
# what the compiled C gets right of the 10,000 test images, beside onnxruntime with the same ONNX file. The epoch is
# chosen on the last 5,000 training images, nothing on the test images. Takes some ten minutes of one core.
#   figures.sh [quick]    quick: two epochs on few images, to see that everything works
# Environment: TERNC, CC, THREADS (see examples/figures.sh), OUT (default: build/fashion). Needs the Debian package
# dataset-fashion-mnist. Exit code 1 if a figure misses what is wanted.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
data=/usr/share/datasets/fashion-mnist
out=${OUT:-$root/build/fashion}
held=5000
pixels="--scale 1/255"
pixel_flags="-DPIXEL_SCALE=(1.0f/255.0f)"
pixel_scale=0.00392156862745098
pixel_offset=0
augment=flip
. "$root/examples/figures.sh"

# below NAME POINTS: what is wanted of others
below() {
    awk -v points="$2" '{ printf "%.2f\n", $2 - points }' "$out/$1/printed"
}

all() {
    row "float" float -
    try twn "TWN" "$(below float 0.7)" --method twn
    try sca "SCA" "$(below float 0.7)" --method sca
    try stp90 "STP, 90 % zeros" "$(below float 1.5)" --method stp --sparsity 0.90
    images=$data/train-images-idx3-ubyte.gz
    try taught "TWN, taught by the float network" "$(below twn 1)" --method twn
}

quick() {
    short="--limit 2400 --epochs 2"
    held=400
    # Options are a list: split on purpose.
    # shellcheck disable=SC2086
    {
        row "float" float -
        try sca "SCA" - --method sca $short
        images=$data/train-images-idx3-ubyte.gz
        try taught "TWN, taught by the float network" - --method twn $short
    }
}

cp "$root/examples/fashion/fashion.onnx" "$out/float.onnx"
heading
"${1:-all}"
[ "$failures" -eq 0 ]
