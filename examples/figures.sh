# figures.sh - for the figures.sh of lenet5 and fashion: train with ternc, compile what came out, count what it gets
# right, and print a row of a table.
#   TERNC    the compiler of networks (default: ternc)
#   CC       the C compiler (default: cc)
#   THREADS  of training (default: 1, which gives the same figures on every machine of one instruction set)
# Who includes this sets: root (of the sources), out (a folder), data (four IDX files, gzipped), held (images for choosing
# the epoch, the last ones), pixels (options of ternc: what the network sees), pixel_flags (the same for examples/fashion/
# main.c), pixel_scale and pixel_offset (for onnxruntime), augment (how ternc changes images when it makes $out/float.onnx
# ternary).
# shellcheck shell=sh disable=SC2154
: "${TERNC:=ternc}" "${CC:=cc}" "${THREADS:=1}"
failures=0
for file in train-images-idx3 train-labels-idx1 t10k-images-idx3 t10k-labels-idx1; do
    [ -e "$data/$file-ubyte.gz" ] || {
        echo "figures.sh: there is no $data/$file-ubyte.gz" >&2
        exit 77
    }
done
command -v "$TERNC" >/dev/null || {
    echo "figures.sh: there is no $TERNC: set TERNC to where ternc is" >&2
    exit 1
}
images=$data/train-images-idx3-ubyte.gz,$data/train-labels-idx1-ubyte.gz
mkdir -p "$out"
sh "$root/tests/tools/onnxruntime.sh" "$root/build/npm" || echo "The column onnxruntime stays empty."

# train NAME MODEL OPTION...: $out/NAME.onnx. What is there from an earlier run is not trained again.
train() {
    result=$1
    model=$2
    shift 2
    [ ! -e "$out/$result.onnx" ] || return 0
    # Options are a list: split on purpose.
    # shellcheck disable=SC2086
    "$TERNC" ternarize "$model" -o "$out/$result.onnx" --data "$images" $pixels --valid "$held" --threads "$THREADS" \
        --log "$out/$result.log" --plot "$out/$result.svg" "$@" >"$out/$result.txt"
}

# build NAME: the C of the network in an application; its line of results in $out/NAME/printed.
build() {
    mkdir -p "$out/$1"
    "$TERNC" compile "$out/$1.onnx" -o "$out/$1" --name net --quiet --method none >"$out/$1/compile.txt"
    # shellcheck disable=SC2086
    "$CC" -std=gnu99 -O2 $pixel_flags -I"$out/$1" "$root/examples/fashion/main.c" "$out/$1/net.c" -lz -lm -o "$out/$1/app"
    "$out/$1/app" "$data/t10k-images-idx3-ubyte.gz" "$data/t10k-labels-idx1-ubyte.gz" "$out/$1/classes" >"$out/$1/printed"
}

# onnxruntime NAME: percent that it gets right with the same file, on the same images; "-": it is not there.
onnxruntime() {
    [ -d "$root/build/npm/node_modules/onnxruntime-node" ] || {
        echo -
        return 0
    }
    NODE_PATH=$root/build/npm/node_modules node "$root/tests/tools/ort_classes.js" "$out/$1.onnx" \
        "$data/t10k-images-idx3-ubyte.gz" "$pixel_scale" "$out/$1/ort" "$pixel_offset"
    sh "$root/tests/cli/labels.sh" "$data/t10k-labels-idx1-ubyte.gz" | paste - "$out/$1/ort" |
        awk '{ right += $1 == $2 } END { printf "%.2f\n", 100 * right / NR }'
}

# from NAME COMMAND: what sed finds in the report of the training; "-": nothing.
from() {
    sed -n "$2" "$out/$1.txt" 2>/dev/null | grep . || echo -
}

# zeros NAME: percent over all ternary weights
zeros() {
    from "$1" 's/^ternary: .* weights, \([0-9.]*\) % zeros.*/\1/p'
}

heading() {
    printf '%-34s %7s %10s %11s %12s %8s\n' 'percent' zeros 'held back' 'compiled C' onnxruntime wanted
}

# row TITLE NAME WANTED: compile $out/NAME.onnx, measure it, print. WANTED: least percent of the C; "-": nothing.
row() {
    build "$2"
    right=$(cut -d' ' -f2 "$out/$2/printed")
    best=$(from "$2" 's/^  [at][a-z]* *a[a-z]* \([0-9.]*\) %.*/\1/p') # after, ternary; accuracy, agreement
    note=$(awk -v right="$right" -v wanted="$3" 'BEGIN { if (wanted != "-" && right < wanted) print "  MISSED" }')
    [ -z "$note" ] || failures=$((failures + 1))
    printf '%-34s %7s %10s %11s %12s %8s%s\n' "$1" "$(zeros "$2")" "$best" "$right" "$(onnxruntime "$2")" "$3" "$note"
}

# try NAME TITLE WANTED OPTION...: a row of $out/float.onnx made ternary with the options.
try() {
    name=$1
    title=$2
    wanted=$3
    shift 3
    train "$name" "$out/float.onnx" --augment "$augment" "$@"
    row "$title" "$name" "$wanted"
}

# rising NAME...: zeros rise strictly from one to the next.
rising() {
    last=-1
    for name in "$@"; do
        now=$(zeros "$name")
        awk -v a="$last" -v b="$now" 'BEGIN { exit !(b > a) }' || {
            echo "MISSED: zeros do not rise: $last, then $now % ($name)"
            failures=$((failures + 1))
        }
        last=$now
    done
}
