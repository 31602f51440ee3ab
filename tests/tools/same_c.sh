#!/bin/sh
# same_c.sh TERNC [TERNC2]: checksums of the C that a ternc generates, and of what --explain predicts: a line for each of
# all shared models, targets, aims and forms, and for the models of libonnx-testdata. With two, the lines in which they
# differ, exit code 1 if any do. For changes that must not change generated code.
#   TERNC_SHARED   folder with models/ and data/ (default: shared beside the checkout)
set -u
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
shared=$(realpath "${TERNC_SHARED:-$root/../shared}") || exit 1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM HUP
targets="generic x86-64 x86-64-v3 x86-64-v4 aarch64 cortex-m0 cortex-m3 cortex-m4 cortex-m7 cortex-m33 rv32imac rv32imafc avr"

# one TERNC MODEL OPTION...: a line
one() {
    ternc=$1
    model=$2
    shift 2
    rm -rf out
    "$ternc" compile "$model" -o out --name net --quiet --explain "$@" >log 2>&1
    code=$?
    echo "${model#"$shared/"}${*:+ $*}: $code $(cat log out/* 2>/dev/null | cksum | cut -d ' ' -f 1)"
}

all() {
    for model in "$shared"/models/*.onnx; do
        for aim in speed size; do
            for target in $targets; do
                one "$1" "$model" --target "$target" --optimize "$aim"
            done
            for target in x86-64-v3 cortex-m0 cortex-m4; do
                for form in unroll sparse packed dense; do
                    one "$1" "$model" --target "$target" --optimize "$aim" --keep none --lowering "$form"
                done
            done
            one "$1" "$model" --optimize "$aim" --sparsity 0.9 --split 3
        done
        one "$1" "$model" --method none
    done
    for model in /usr/share/libonnx-testdata/data/*/*/model.onnx; do
        one "$1" "$model"
        one "$1" "$model" --optimize size --target cortex-m0 --keep none
    done
}

# A path that stays right in the other folder.
first=$(realpath "$1") && second=$(realpath "${2:-$1}") && cd "$work" || exit 1
if [ $# -eq 1 ]; then
    all "$first"
    exit 0
fi
all "$first" >first
all "$second" >second
diff first second
code=$?
echo "$(wc -l <first) compilations, $(diff first second | grep -c '^>') differ"
exit "$code"
