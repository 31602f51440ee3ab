# cli_figures.sh - the scripts that measure LeNet-5 and the demo's network, shortened: every step runs, every row is
# there, and what the C gets right differs from onnxruntime, where that is at hand, by rounding only.
. "$TERNC_SOURCE/tests/cli/expect.sh"
fashion=/usr/share/datasets/fashion-mnist
[ -e $fashion/train-images-idx3-ubyte.gz ] || {
    echo "SKIPPED: dataset-fashion-mnist is not installed"
    exit 77
}
# The files of both data sets have the same form.
mnist=${TERNC_SHARED:-}/data/mnist
[ -d "$mnist" ] || mnist=$fashion

# rows COUNT LEAST: of the table in out, with at least so many percent
rows() {
    awk -v count="$1" -v least="$2" '
        NR > 1 && $NF == "-" { rows++; c = $(NF - 2); ort = $(NF - 1); good += c >= least && (ort == "-" || (c - ort)^2 < 0.01) }
        END { exit !(rows == count && good == count) }' out || complain "not $1 rows that agree"
}

export TERNC="$TERNC_BIN" CC=gcc
OUT=$PWD/lenet5 sh "$TERNC_SOURCE/examples/lenet5/figures.sh" "$mnist" quick >out 2>err || complain "lenet5/figures.sh"
sed '/clang version/,$d' out >table
says "cortex-m4"
mv table out
rows 3 15
OUT=$PWD/fashion sh "$TERNC_SOURCE/examples/fashion/figures.sh" quick >out 2>err || complain "fashion/figures.sh"
rows 3 80
finish
