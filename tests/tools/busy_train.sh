#!/bin/sh
# busy_train.sh TERNC [ROUNDS]: how much slower training becomes when another program takes one core. Trains a ResNet-20 for
# an epoch, quiet and beside a busy loop, with ternc's own choice of waiting, libgomp's, and none; in turn, so that other
# load meets all alike. Prints seconds, the least and the middle of the rounds; compare the rows of one way of waiting.
#   THREADS   of training (default: ternc's)
set -eu
ternc=$1 rounds=${2:-5}
here=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
dir=$(mktemp -d)
loop=
trap '[ -z "$loop" ] || kill "$loop"; rm -rf "$dir"' EXIT
trap 'exit 1' INT TERM HUP
/usr/bin/python3 "$here/models/make_resnet20.py" "$dir" 440

# train FILE NAME=VALUE...: adds its seconds to the file
train() {
    file=$1
    shift
    begin=$(date +%s%N)
    env "$@" "$ternc" ternarize "$dir/resnet20.onnx" -o "$dir/out.onnx" --data "$dir/resnet20.npz" --valid 40 --scale 1/255 \
        --epochs 1 --batch 20 --quiet ${THREADS:+--threads "$THREADS"} >"$dir/report"
    echo "$begin $(date +%s%N)" | awk '{ printf "%.2f\n", ($2 - $1) / 1e9 }' >>"$dir/$file"
}

# waiting NAME VARIABLE=VALUE...
waiting() {
    name=$1
    shift
    train "$name.quiet" "$@"
    sh -c 'while :; do :; done' &
    loop=$!
    train "$name.busy" "$@"
    kill "$loop"
    wait "$loop" 2>/dev/null || :
    loop=
}

i=0
while [ "$i" -lt "$rounds" ]; do
    waiting ternc TERNC=own
    waiting libgomp GOMP_SPINCOUNT=300000
    waiting passive OMP_WAIT_POLICY=passive
    i=$((i + 1))
done
for name in ternc libgomp passive; do
    for load in quiet busy; do
        sort -n "$dir/$name.$load" | awk -v name="$name" -v load="$load" \
            '{ v[NR] = $1 } END { printf "%-8s %-6s least %s, middle %s\n", name, load, v[1], v[int((NR + 1) / 2)] }'
    done
done
