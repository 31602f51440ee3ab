#!/bin/sh
# random_nets.sh RANDOM_NETS FOLDER [COUNT [SEED]]: random float networks through onnxruntime, whose values of every
# tensor are compared with the evaluator's. Skips, visibly, where npm or the registry is out of reach. FOLDER keeps the
# installed package and, until the next call, the networks in FOLDER/random: netN.onnx, and netN.txt to read.
set -u
random_nets=$1
folder=$2
count=${3:-1000}
seed=${4:-1}
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)

sh "$here/onnxruntime.sh" "$folder" || exit $?
rm -rf "$folder/random"
mkdir -p "$folder/random" || exit 1
cp "$here/oracle.mjs" "$folder/" || exit 1
"$random_nets" --oracle "$folder/random" "$count" "$seed" || exit 1
from=0
result=0
while :; do
    node "$folder/oracle.mjs" "$folder/random" "$from"
    code=$?
    [ "$code" -ne 1 ] || result=1
    [ "$code" -gt 1 ] || exit "$result"
    at=$(cat "$folder/random/at")
    echo "case $at: node ends with code $code"
    result=1
    from=$((at + 1))
done
