#!/bin/sh
# bench.sh [MODEL.onnx...]: the speed that ternc promises, against onnxruntime on one thread in the same run. Without
# models: convolutions with random ternary weights (bench_layers.py), then the shared models as ternary networks. Takes
# minutes; not part of run.sh. Needs npm, which has onnxruntime as a library.
#   TERNC_BIN      the ternc to measure (default: a release build under build/measure)
#   TERNC_SHARED   folder with models/ (default: shared beside the checkout)
#   BENCH_OPTIONS  more options for `ternc bench`, such as "--seconds 5 --cc gcc --cflags -O1"
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
shared=${TERNC_SHARED:-$root/../shared}
out=$root/build/measure
mkdir -p "$out/layers"
if [ -z "${TERNC_BIN:-}" ]; then
    TERNC_BIN=$out/ternc/ternc
    { cmake -S "$root" -B "$out/ternc" -G Ninja -DCMAKE_BUILD_TYPE=Release && ninja -C "$out/ternc" ternc; } >"$out/build.log" 2>&1 ||
        { tail -n 40 "$out/build.log"; exit 1; }
fi

sh "$root/tests/tools/onnxruntime.sh" "$root/build/npm"
case $(uname -m) in
aarch64) machine=arm64 ;;
*) machine=x64 ;;
esac
library=$root/build/npm/node_modules/onnxruntime-node/bin/napi-v6/linux/$machine
cc -std=gnu11 -Wall -O1 -shared -fPIC -I"$root/runtime/check" "$root/tests/tools/onnxruntime_rival.c" "$library/libonnxruntime.so.1" \
    -Wl,-rpath,"$library" -o "$out/rival.so"

# measure MODEL OPTION...
measure() {
    # shellcheck disable=SC2086
    "$TERNC_BIN" bench "$@" --quiet --rival "$out/rival.so" ${BENCH_OPTIONS:-}
    echo
}

if [ $# -gt 0 ]; then
    for model in "$@"; do
        measure "$model"
    done
    exit 0
fi
/usr/bin/python3 "$root/tests/tools/bench_layers.py" "$out/layers"
for model in "$out"/layers/*.onnx; do
    measure "$model" --lowerings auto
done
for name in mnist-8 ic01_resnet8_bn kws01_dscnn_bn micro_kws_m_fp32; do
    measure "$shared/models/$name.onnx" --threshold 1.0 --lowerings auto
done
