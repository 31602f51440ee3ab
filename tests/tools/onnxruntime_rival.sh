#!/bin/sh
# onnxruntime_rival.sh FOLDER: FOLDER/rival.so, onnxruntime for bench --rival. Exit code 77, visibly: out of reach.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
sh "$root/tests/tools/onnxruntime.sh" "$1"
case $(uname -m) in
aarch64) machine=arm64 ;;
*) machine=x64 ;;
esac
library=$(cd "$1" && pwd)/node_modules/onnxruntime-node/bin/napi-v6/linux/$machine
cc -std=gnu11 -Wall -O1 -shared -fPIC -I"$root/runtime/check" "$root/tests/tools/onnxruntime_rival.c" "$library/libonnxruntime.so.1" \
    -Wl,-rpath,"$library" -o "$1/rival.so"
