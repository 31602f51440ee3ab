# cli_demo.sh - the demo's network: check in every lowering, and the application around the
# generated code finds the same classes as the evaluator.
. "$TERNC_SOURCE/tests/cli/expect.sh"
demo=$TERNC_SOURCE/examples/fashion
data=/usr/share/datasets/fashion-mnist
images=$data/t10k-images-idx3-ubyte.gz
labels=$data/t10k-labels-idx1-ubyte.gz
[ -e "$images" ] || {
    echo "SKIPPED: dataset-fashion-mnist is not installed"
    exit 77
}

expect 0 "" ternc check "$demo/fashion.onnx" --quiet --method none --data "$images,$labels" --scale 1/255 --samples 3
for lowering in auto sparse packed; do
    expect 0 "" ternc check "$demo/fashion.onnx" --quiet --keep first,last --lowering "$lowering" \
        --data "$images,$labels" --scale 1/255 --samples 3
    says "PASS"
done
expect 0 "" ternc check "$demo/fashion.onnx" --quiet --keep first,last --optimize size --cc gcc --cflags -O2
says "PASS"

# The first 500 images: rounding may turn a tie, so one image may differ.
for method in none twn; do
    expect 0 "" ternc compile "$demo/fashion.onnx" -o "$method" --name net --quiet --method "$method"
    gcc -std=gnu99 -O2 -Wall -Wextra -Wpedantic -Wconversion -Werror -I"$method" "$demo/main.c" "$method/net.c" -lz -lm \
        -o app 2>err || complain "the application does not compile"
    ./app "$images" "$labels" classes >out 2>err || complain "the application fails"
    right=$(sh "$TERNC_SOURCE/tests/cli/labels.sh" "$labels" | paste - classes | head -n 500 |
        awk '$1 == $2 { n++ } END { print n }')
    expect 0 "" ternc eval "$demo/fashion.onnx" --quiet --method "$method" --data "$images,$labels" --scale 1/255 \
        --limit 500 --json
    sed -n 's/.*"accuracy":[^0-9]*\([0-9.]*\).*/\1/p' out | awk -v right="$right" '
        { d = $1 * 500 - right; found = 1 } END { exit !(found && d < 1.5 && d > -1.5) }' ||
        complain "accuracy of the application ($right of 500) and of ternc eval differ"
done

# Ternary by 512 images without labels: within a point and a half of the float model, where thresholds alone lose 25.
# The same bytes from any number of threads; another time there is nothing to do.
accuracy() {
    expect 0 "" ternc eval "$@" --quiet --data "$images,$labels" --scale 1/255 --json
    awk -F'[:,]' '/"accuracy"/ { print $2 * 10000 }' out
}
by_samples() {
    expect 0 "" ternc ternarize "$1" -o "$2.onnx" --calibrate "$data/train-images-idx3-ubyte.gz" --scale 1/255 --threads "$3"
}
by_samples "$demo/fashion.onnx" one 1
by_samples "$demo/fashion.onnx" two 2
same one.onnx two.onnx
by_samples one.onnx again 2
same one.onnx again.onnx
float=$(accuracy "$demo/fashion.onnx") ternary=$(accuracy one.onnx) kept=$(accuracy one.onnx --method twn)
[ "$((float - ternary))" -le 150 ] || complain "--calibrate: $ternary of 10,000 images are right, $float of the float model"
[ "$ternary" = "$kept" ] || complain "weights of --calibrate are not ternary"
finish
