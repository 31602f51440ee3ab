#!/bin/sh
# bench.sh [MODEL.onnx...]: the speed that ternc promises, against onnxruntime on one thread in the same run. Without
# models: layers with random ternary weights (bench_layers.py), then the shared models as ternary networks; the table is
# written into docs/measurements.md as well, as the section of this processor. Takes minutes; not part of run.sh. Needs
# npm, which has onnxruntime as a library.
#   TERNC_BIN      the ternc to measure (default: a release build under build/measure)
#   TERNC_SHARED   folder with models/ (default: shared beside the checkout)
#   BENCH_OPTIONS  more options for `ternc bench`, such as "--seconds 5 --cc gcc --cflags -O1"; with them nothing is written
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
. "$root/tests/tools/measurements.sh"
begin_section
shared=${TERNC_SHARED:-$root/../shared}
out=$root/build/measure
mkdir -p "$out/layers"
if [ -z "${TERNC_BIN:-}" ]; then
    TERNC_BIN=$out/ternc/ternc
    { cmake -S "$root" -B "$out/ternc" -G Ninja -DCMAKE_BUILD_TYPE=Release && ninja -C "$out/ternc" ternc; } >"$out/build.log" 2>&1 ||
        { tail -n 40 "$out/build.log"; exit 1; }
fi

sh "$root/tests/tools/onnxruntime_rival.sh" "$root/build/npm" >&2
package=$root/build/npm/node_modules/onnxruntime-node

# measure MODEL OPTION...
measure() {
    # shellcheck disable=SC2086
    "$TERNC_BIN" bench "$@" --quiet --rival "$root/build/npm/rival.so" ${BENCH_OPTIONS:-}
}

if [ $# -gt 0 ]; then
    for model in "$@"; do
        measure "$model"
        echo
    done
    exit 0
fi

# row_of MODEL OPTION...: the float build, the ternary one and onnxruntime
row_of() {
    printf 'measuring: %s\n' "$(basename "$1" .onnx)" >&2
    measure "$@" --lowerings auto --json >"$out/bench.json"
    /usr/bin/python3 - "$out/bench.json" "$(basename "$1" .onnx)" <<'PY'
import json, sys
report = json.load(open(sys.argv[1]))
dense, ternary, rival = report["builds"]
times = [f"{b['ns'] / 1e3:.2f}" for b in (dense, ternary, rival)]
cells = times + [f"{ternary['times_float']:.2f}", f"{ternary['times_rival']:.2f}", f"{ternary['arena']:,}",
                 f"{ternary['compile_seconds']:.2f}"]
print("| " + " | ".join(map(str, [sys.argv[2], *cells])) + " |")
PY
}

report() {
    section_facts "$(version clang), onnxruntime $(sed -n 's/^ *"version": "\(.*\)".*/\1/p' "$package/package.json")"
    cat <<'END'

Medians of one run on one thread, by processor time. Layers `fc_P`, `layer_a_P` and `layer_b_P` have random ternary
weights, of which P % are not zero: 1,024 x 1,024 fully connected; 128 -> 128 channels, 3x3, 34x34 -> 32x32; 32 -> 64
channels, 5x5, 12x12 -> 8x8. The networks are made ternary with `--threshold 1.0`. Arena: bytes. Seconds: clang's for
the ternary C, by the clock.
END
    columns model "dense float us" "ternary us" "onnxruntime us" "times as fast as float" "as onnxruntime" arena seconds
    for model in "$out"/layers/*.onnx; do
        row_of "$model"
    done
    for name in mnist-8 ic01_resnet8_bn kws01_dscnn_bn micro_kws_m_fp32; do
        row_of "$shared/models/$name.onnx" --threshold 1.0
    done
}

/usr/bin/python3 "$root/tests/tools/bench_layers.py" "$out/layers"
report >"$out/bench.md"
cat "$out/bench.md"
[ -n "${BENCH_OPTIONS:-}" ] || write_section bench.sh "$out/bench.md"
