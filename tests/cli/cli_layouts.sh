# cli_layouts.sh - images with channels first or last, whatever the model has: generated C on the application's bytes
# against the model on the same image as floats; data sets; training.
. "$TERNC_SOURCE/tests/cli/expect.sh"
need gcc clang
need_onnx
/usr/bin/python3 "$TERNC_SOURCE/tests/models/make_layouts.py" m || exit 1
pixels="--scale 1/255 --mean .1,.2,.3 --std 1,2,3"
gray="--scale 1/255 --mean .1 --std 2"

cat >main.c <<'END'
#include "net.h"
#include <stdio.h>
static NET_INPUT0_TYPE image[NET_INPUT0_SIZE];
static NET_OUTPUT0_TYPE score[NET_OUTPUT0_SIZE];
int main(void)
{
    if (fread(image, sizeof image, 1, stdin) != 1 || getchar() != EOF)
        return 1;
    net_run(image, score);
    for (int i = 0; i < NET_OUTPUT0_SIZE; i++)
        printf("%.9g\n", (double)score[i]);
    return 0;
}
END

# The image as the model itself takes it, in floats.
make_input() {
    /usr/bin/python3 - "$@" <<'P' || exit 1
import sys
import numpy as np
kind, layout, shape = sys.argv[1], sys.argv[2], [int(n) for n in sys.argv[3].split(",")]
x = np.load("m/%s_%s.npz" % (kind, layout))["x"][:1].astype(float) / 255
c = 1 if layout == "first" else x.ndim - 1
of_channel = [1] * x.ndim
of_channel[c] = x.shape[c]
mean, std = ([.1], [2]) if kind == "gray" else ([.1, .2, .3], [1, 2, 3])
x = (x - np.reshape(mean, of_channel)) / np.reshape(std, of_channel)
np.save("x.npy", x.reshape(shape).astype(np.float32))
P
}

compare() {
    /usr/bin/python3 - <<'P' || complain "$1: other results"
import numpy as np
a, b = np.loadtxt("out"), np.load("y.npy").flatten()
assert a.shape == b.shape and np.abs(a - b).max() <= 1e-5 * np.abs(b).max(), (a, b)
P
}

# model_takes MODEL KIND ORDER-OF-THE-MODEL SHAPE: the C gets images in both orders, and in the model's own.
model_takes() {
    make_input "$2" "$3" "$4"
    try ternc run m/"$1".onnx --input x.npy --output y.npy
    form=$pixels
    [ "$2" = gray ] && form=$gray
    for given in "" nchw nhwc; do
        order=$3
        [ "$given" = nchw ] && order=first
        [ "$given" = nhwc ] && order=last
        expect 0 "" ternc compile -q m/"$1".onnx -o c --name net --method none --input-uint8 x $form \
            ${given:+--layout $given}
        try gcc -O1 -Ic main.c c/net.c -lm -o main
        ./main <m/"$2"_"$order".raw >out 2>err || complain "$1 --layout $given: the program fails"
        compare "$1 --layout $given"
    done
    expect 0 "" ternc check -q m/"$1".onnx --input-uint8 x $form --layout nchw --lowering unroll
    expect 0 "" ternc check -q m/"$1".onnx --layout nhwc --keep none
}
model_takes nchw image first 1,3,6,6
model_takes nhwc image last 1,6,6,3
model_takes hwc image last 6,6,3
model_takes scaled image last 1,6,6,3
model_takes gray_nchw gray first 1,1,6,6
model_takes gray_nhwc gray last 1,6,6,1
model_takes ncw signal first 1,3,9
model_takes nwc signal last 1,9,3
model_takes ncdhw volume first 1,3,2,4,4
model_takes ndhwc volume last 1,2,4,4,3

# The header says what it is.
header_says() {
    expect 0 "" ternc compile -q m/"$1".onnx -o c --name net --input-uint8 x $2
    grep -qF "$3" c/net.h || complain "$1 $2: the header lacks '$3'"
    grep -qF " * dimensions: $4 */" c/net.h || complain "$1 $2: the header lacks '$4'"
}
header_says nhwc "" "'x', uint8[1,6,6,3]" "batch, height, width, channels"
header_says nhwc "--layout nhwc" "'x', uint8[1,6,6,3]" "batch, height, width, channels"
header_says nhwc "--layout nchw" "'x', uint8[1,3,6,6]" "batch, channels, height, width"
header_says hwc "--layout nchw" "'x', uint8[3,6,6]" "channels, height, width"
header_says nwc "--layout x=nchw" "'x', uint8[1,3,9]" "batch, channels, width"
header_says ndhwc "" "'x', uint8[1,2,4,4,3]" "batch, depth, height, width, channels"
header_says mlp "--model-layout nhwc --layout nchw --mean 1,2,3" "'x', uint8[1,3,6,6]" "batch, channels, height, width"
if have_shared cases/faults/F8_nhwc_model.onnx; then
    for form in "--scale 1/255 --mean .4,.4,.4" "--layout nhwc"; do
        expect 0 "" ternc compile -q "$TERNC_SHARED/cases/faults/F8_nhwc_model.onnx" -o c --name net --input-uint8 img $form
        grep -qF "'img', uint8[1,4,5,3]" c/net.h || complain "F8 $form: another input"
    done
fi

# Two inputs, each in a layout of its own.
expect 0 "" ternc compile -q m/pair.onnx -o c --name net --input-uint8 b --layout a=nhwc --layout b=nchw --mean 1,2,3
grep -qF "'a', float[1,6,6,3]" c/net.h || complain "pair: another input a"
grep -qF "'b', uint8[1,3,6,6]" c/net.h || complain "pair: another input b"
expect 0 "" ternc check -q m/pair.onnx --input-uint8 b --layout a=nhwc --layout b=nchw --mean 1,2,3
expect 0 "" ternc check -q m/pair.onnx --layout nhwc --layout a=nchw

# Data sets say what they are, or have the shape that fits; all models see the same.
expect 0 "" ternc eval m/nchw.onnx --data m/image_first.npz $pixels --json
cp out wanted
for model in nchw nhwc hwc scaled; do
    for data in "first.npz" "last.npz" "first.npz --layout nchw" "last.npz --layout nhwc"; do
        expect 0 "" ternc eval m/$model.onnx --data m/image_$data $pixels --json
        same out wanted
    done
    expect 1 "...samples of uint8[3,6,6], nhwc, do not fit input 'x' of m/$model.onnx" \
        ternc eval m/$model.onnx --data m/image_first.npz --layout nhwc
done
for pair in "ncw nwc signal" "ncdhw ndhwc volume" "gray_nchw gray_nhwc gray"; do
    set -- $pair
    form=$pixels
    [ "$3" = gray ] && form=$gray
    expect 0 "" ternc eval m/"$1".onnx --data m/"$3"_first.npz $form --json
    cp out wanted
    for model in "$1" "$2"; do
        for data in "first.npz" "last.npz --layout nhwc"; do
            expect 0 "" ternc eval m/"$model".onnx --data m/"$3"_$data $form --json
            same out wanted
        done
    done
done
expect 0 "" ternc check -q m/nhwc.onnx --data m/image_first.npz $pixels

# Training sees the same images, mirrored and shifted alike.
train() {
    expect 0 "" ternc ternarize -q m/"$1".onnx -o t.onnx --keep none --data m/$2 --valid 8 --epochs 3 --batch 8 \
        --threads 1 $pixels --augment flip,crop=2
    expect 0 "" ternc eval t.onnx --data m/image_first.npz $pixels --json
}
train nchw image_first.npz
cp out wanted
train nhwc image_last.npz
same out wanted
train scaled "image_first.npz --layout nchw"
same out wanted
expect 1 "ternc: error: m/hwc.onnx: training needs models whose inputs have the batch in front; 'x' is float[6,6,3], without one" \
    ternc ternarize -q m/hwc.onnx -o t.onnx --keep none --data m/image_first.npz
expect 1 "...--augment needs images, and to know their axis of channels" \
    ternc ternarize -q m/mlp.onnx -o t.onnx --keep none --data m/image_last.npz --augment flip
expect 0 "" ternc ternarize -q m/mlp.onnx -o t.onnx --keep none --data m/image_last.npz --epochs 2 --scale 1/255 \
    --model-layout nhwc --augment flip

# What cannot be told must be said.
expect 1 "ternc: error: m/mlp.onnx: --layout: no input is an image whose layers show which axis has the channels: add --model-layout nchw or nhwc" \
    ternc compile m/mlp.onnx -o c --layout nhwc
expect 1 "ternc: error: m/mlp.onnx: --mean has 3 numbers, but input 'x' is float[1,6,6,3], and its layers do not show which axis has the channels: add --model-layout nchw or nhwc" \
    ternc compile m/mlp.onnx -o c --input-uint8 x --mean 1,2,3
expect 1 "ternc: error: m/nhwc.onnx: --mean has 2 numbers, but input 'x' is float[1,6,6,3], whose channels are its axis 3: there are 3" \
    ternc compile m/nhwc.onnx -o c --input-uint8 x --mean 1,2
expect 2 "ternc: usage: --mean: 3 numbers, but which axis of the samples, uint8[6,6,3], has the channels is not known: add --layout nchw or nhwc" \
    ternc eval m/mlp.onnx --data m/image_last.npz --mean 1,2,3
expect 2 "ternc: usage: --mean: 2 numbers, but axis 2 of the samples, uint8[6,6,3], has 3 channels" \
    ternc eval m/nhwc.onnx --data m/image_last.npz --mean 1,2
expect 1 "ternc: error: m/nhwc.onnx: --layout: there is no input 'z'; 'ternc inspect' lists them" \
    ternc eval m/nhwc.onnx --data m/image_last.npz --layout z=nhwc
expect 2 "ternc: usage: --layout is given twice for 'x'" ternc compile m/nhwc.onnx -o c --layout x=nchw --layout x=nhwc
expect 2 "ternc: usage: --layout: 'nhw' is not one of nchw|nhwc" ternc compile m/nhwc.onnx -o c --layout x=nhw
/usr/bin/python3 -c 'open("c.bin", "wb").write(bytes(3073))'
expect 2 "ternc: usage: --layout nhwc: CIFAR-10 .bin files are nchw" ternc eval m/nhwc.onnx --data c.bin --layout nhwc
finish
