# cli_bench.sh - bench on the command line: every build is timed and compared, another implementation too.
. "$TERNC_SOURCE/tests/cli/expect.sh"
need clang
make_models

# field NAME BUILD: of the JSON in the file out
field() {
    awk -F'[:,]' -v name="\"$1\"" -v build="\"$2\"" '
        index($1, "\"build\"") { mine = index($2, build) } mine && index($1, name) { print $2 + 0; exit }' out
}

expect 0 "" ternc bench m/tiny.onnx --seconds 0.05 --layers
for word in float auto unroll sparse packed us/run operator Layer; do
    says "$word"
done
expect 0 "" ternc bench m/tiny.onnx --seconds 0.05 --json --lowerings unroll,dense --method none
for build in float unroll dense; do
    awk -v ns="$(field ns $build)" -v ratio="$(field times_float $build)" 'BEGIN { exit !(ns > 0 && ratio > 0) }' ||
        complain "no time of build $build"
done
[ "$(field times_float float)" = 1 ] || complain "the float build is not as fast as itself"
[ "$(field difference dense)" = 0 ] || complain "two dense builds differ"

# Codes: the first build has weights of 8 bits; its outputs, too, are compared in real numbers.
/usr/bin/python3 -c "import numpy as np; np.save('x', np.random.RandomState(1).randn(40, 1, 8, 8).astype(np.float32))"
expect 0 "" ternc bench m/tiny.onnx --seconds 0.05 --lowerings auto --activations int8 --calibrate x.npy --io int8
says "x int8"
grep -q "^auto .* [0-9.]*[1-9][^ ]* of [0-9.]*[1-9]" out || complain "outputs of codes are not compared"

# Another implementation, which only writes zeros: it gets every input and output, and is seen to be wrong.
cat >zeros.c <<'END'
#include "rival.h"
#include <string.h>
static RivalTensor y;
const char *rival_open(const char *model, const RivalTensor *in, int num_in, const RivalTensor *out, int num_out)
{
    y = out[0];
    return strcmp(model, "m/tiny.onnx") || num_in != 1 || num_out != 1 || !in[0].data || in[0].rank < 1 ? "surprised" : NULL;
}
const char *rival_run(void) { memset(y.data, 0, y.bytes); return NULL; }
const char *rival_name(void) { return "zeros"; }
END
clang -shared -fPIC -I "$TERNC_SOURCE/runtime/check" zeros.c -o zeros.so || exit 1
expect 0 "" ternc bench m/tiny.onnx --seconds 0.05 --json --lowerings auto --rival ./zeros.so
[ "$(field ns zeros)" ] || complain "the rival is not timed"
[ "$(field difference zeros)" = "$(field largest zeros)" ] && [ "$(field largest zeros)" != 0 ] ||
    complain "zeros are not seen to be wrong"

clang -shared -fPIC -Drival_run=rival_walk -I "$TERNC_SOURCE/runtime/check" zeros.c -o broken.so || exit 1
expect 1 "...rival_run" ternc bench m/tiny.onnx --seconds 0.05 --rival ./broken.so
expect 1 "...nowhere.so" ternc bench m/tiny.onnx --seconds 0.05 --rival ./nowhere.so
expect 2 "...not positive" ternc bench m/tiny.onnx --seconds 0
expect 1 "...the C compiler failed" ternc bench m/tiny.onnx --cflags=-std=nonsense
finish
