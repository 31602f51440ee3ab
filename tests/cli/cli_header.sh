# cli_header.sh - the header: constants of the right value, the example in its comment as a program, the stack estimate
# against what compilers report, --float-guard.
. "$TERNC_SOURCE/tests/cli/expect.sh"
need gcc clang
make_models
/usr/bin/python3 "$TERNC_SOURCE/tests/models/make_kinds.py" m/kinds.onnx || exit 1
fashion=$TERNC_SOURCE/examples/fashion/fashion.onnx
warnings="-Wall -Wextra -Wpedantic -Wconversion -Werror"

# Constants.
expect 0 "" ternc compile m/tiny.onnx -o c --name net --method none --input-uint8 x --scale 1/255 --std 0.5 --layout nhwc
cat >sizes.c <<'END'
#include "net.h"
#define EQUAL(a, b) typedef char equal_##a[(a) == (b) ? 1 : -1]
EQUAL(NET_NUM_INPUTS, 1);
EQUAL(NET_NUM_OUTPUTS, 1);
EQUAL(NET_INPUT0_RANK, 4);
EQUAL(NET_INPUT0_DIM0, 1);
EQUAL(NET_INPUT0_DIM1, 8);
EQUAL(NET_INPUT0_DIM2, 8);
EQUAL(NET_INPUT0_DIM3, 1);
EQUAL(NET_INPUT0_SIZE, 64);
EQUAL(NET_INPUT_SIZE, 64);
EQUAL(NET_OUTPUT0_RANK, 2);
EQUAL(NET_OUTPUT0_DIM1, 5);
EQUAL(NET_OUTPUT_SIZE, 5);
/* two convolutions on 8 x 8 and 2 x 2 positions, a fully connected layer; the second has no bias */
EQUAL(NET_MULTIPLIES, 64 * 4 * 9 + 4 * 6 * 4 * 9 + 24 * 5);
EQUAL(NET_ADDS, NET_MULTIPLIES + 64 * 4 + 5);
int main(void)
{
    static NET_INPUT0_TYPE image[NET_INPUT0_SIZE];
    static NET_OUTPUT0_TYPE score[NET_OUTPUT0_SIZE];
    const uint8_t *is_pixels = image;
    net_run(is_pixels, score);
    return score[0] != score[0];
}
END
for cc in gcc clang; do
    try $cc -std=c99 $warnings -Ic sizes.c c/net.c -lm -o sizes
    try ./sizes
done
grep -qF "the model sees (pixel * 0.00392156862745098) / 0.5" c/net.h || complain "the header lacks the normalisation"

# The example of a header's comment is a program.
example() {
    ternc compile -q "$1" -o c --name net $2 >/dev/null || complain "compile $1 $2"
    {
        echo '#include "net.h"'
        sed -n 's/^ \*     static /static /p' c/net.h
        echo 'int main(void)'
        echo '{'
        sed -n 's/^ \*     \(.*net_run.*;\)/    { \1'" ${3:-} }/p" c/net.h
        echo '    return 0;'
        echo '}'
    } >example.c
    [ "$(grep -c net_run example.c)" -eq 2 ] || complain "no example in the header of $1"
    for cc in gcc clang; do
        try $cc -std=c99 $warnings -Ic example.c c/net.c -lm -o example
        try ./example
    done
}
example m/kinds.onnx ""
example m/kinds.onnx "--float-guard --optimize size" "if (status) return 1;"
example "$fashion" "--input-uint8 image"

# Stack: run_in, the largest layer, and twice the largest other function, as the compiler reports them.
check_stack() {
    limit=$(sed -n 's/^#define NET_STACK_BYTES //p' c/net.h)
    used=$(awk -F'\t' '
        { n = split($1, part, ":"); name = part[n] }
        name == "net_run_in" { run = $2; next }
        name ~ /^layer[0-9]+$/ { layer = $2 > layer ? $2 : layer; next }
        name != "net_run" { other = $2 > other ? $2 : other }
        END { print run + layer + 2 * other }' net.su)
    [ "$used" -le "$limit" ] || complain "$1: $used bytes of stack, but the header says $limit"
}
have_shared models
for path in m/kinds.onnx "$fashion" "${TERNC_SHARED:-none}"/models/*.onnx; do
    [ -f "$path" ] || continue
    case $path in *dtln*) continue ;; esac
    for aim in speed size; do
        ternc compile -q "$path" -o c --name net --optimize $aim >out 2>err || complain "compile $path"
        [ "$(wc -c <c/net.c)" -lt 250000 ] || continue
        for cc in "gcc -O1" "gcc -O3" "clang -O2"; do
            try $cc -std=c99 -fstack-usage -c c/net.c -o net.o
            check_stack "$path for $aim, $cc"
        done
    done
done

# <math.h>, which bare compilers lack, is included only where it is called, whatever comments say.
for lowering in auto dense unroll sparse packed; do
    expect 0 "" ternc compile "$fashion" -o c --name net --optimize size --target cortex-m4 --lowering $lowering
    ! grep "math\.h" c/net.c || complain "$lowering: <math.h> without need"
done

# Adds go through the units for multiply-adds where there are such units beside those that only add.
expect 0 "" ternc compile "$fashion" -o c --name net
add_is() {
    flags=$1
    clang -E -dM $flags c/net.c | grep -qxF "#define TN_ADD(a,v) a += $2" || complain "clang $flags: TN_ADD is not $2"
}
if [ "$(uname -m)" = x86_64 ]; then
    add_is "-march=haswell" "(v)*ones"
    add_is "-march=x86-64-v4" "(v)*ones"
    add_is "-march=znver3 -mavx512f -mavx512bw -mavx512vl" "(v)*ones"
    add_is "-march=icelake-server" v
    add_is "-march=icelake-server -DTN_NO_VECTORS" v
fi

# --float-guard: the number of the input that is refused, and untouched outputs; also where the compiler assumes that
# there is no NaN.
expect 0 "" ternc compile m/kinds.onnx -o c --name net --float-guard
cat >guard.c <<'END'
#include "net.h"
#include <math.h>
static NET_INPUT0_TYPE a[NET_INPUT0_SIZE];
static NET_INPUT1_TYPE b[NET_INPUT1_SIZE];
static NET_INPUT2_TYPE c[NET_INPUT2_SIZE];
static NET_OUTPUT0_TYPE x[NET_OUTPUT0_SIZE];
static NET_OUTPUT1_TYPE y[NET_OUTPUT1_SIZE];
static NET_OUTPUT2_TYPE z[NET_OUTPUT2_SIZE];
static int run(void)
{
    x[0] = 77;
    return net_run(a, b, c, x, y, z);
}
int main(void)
{
    if (run() != 0 || x[0] == 77)
        return 1;
    c[NET_INPUT2_SIZE - 1] = NAN;
    if (run() != 3 || x[0] != 77)
        return 2;
    b[0] = -INFINITY;
    if (run() != 2)
        return 3;
    a[1] = INFINITY;
    if (run() != 1)
        return 4;
    a[1] = 3e38f;
    b[0] = c[NET_INPUT2_SIZE - 1] = 0;
    return run();
}
END
for cc in "gcc -O2" "clang -O2" "gcc -O2 -ffast-math" "clang -O2 -ffast-math"; do
    try $cc -std=c99 -Ic guard.c c/net.c -lm -o guard
    try ./guard
done
for cc in gcc clang; do
    try $cc -std=c99 $warnings -c c/net.c -o net.o
done
expect 0 "" ternc check m/tiny.onnx --float-guard

# Inputs and outputs that are codes: their step, and real numbers to codes as QuantizeLinear has them, in C and in C++.
cat >codes.c <<'END'
#include "net.h"
#include <math.h>
static int differs(float real)
{
    float code = rintf(real / NET_INPUT0_SCALE) + (float)NET_INPUT0_ZERO_POINT;
    code = code < LOW ? LOW : code > HIGH ? HIGH : code;
    return (float)net_input0_code(real) != code;
}
int main(void)
{
    int i;
    for (i = -3000; i <= 3000; i++)
        if (differs(NET_INPUT0_SCALE * (float)i / 8) || differs(NET_INPUT0_SCALE * (float)i * 1e9f))
            return 1;
    for (i = LOW; i <= HIGH; i++)
        if (net_input0_code(net_input0_real((NET_INPUT0_TYPE)i)) != i)
            return 2;
    for (i = -128; i <= 127; i++)
        if (net_output0_real((int8_t)i) != NET_OUTPUT0_SCALE * (float)(i - NET_OUTPUT0_ZERO_POINT))
            return 3;
    return net_input0_code(-1e30f) != LOW || net_input0_code(1e30f) != HIGH || net_input0_code(NAN) != LOW;
}
END
as_codes() {
    model=$1
    range=$2
    shift 2
    expect 0 "" ternc compile "$model" -o c --name net "$@"
    try gcc -std=c99 $warnings $range -Ic codes.c c/net.c -lm -o codes
    try ./codes
    try clang -std=c99 -c c/net.c -o net.o
    try clang++ -x c++ -std=c++11 $warnings $range -Ic codes.c -x none net.o -lm -o codes
    try ./codes
}
quantised="--activations int8 --calibrate m/x.npy --quiet"
as_codes m/tiny.onnx "-DLOW=-128 -DHIGH=127" $quantised --io int8
# one multiplication for each output of a layer, behind its pooling
cat >counts.c <<'END'
#include "net.h"
#define EQUAL(a, b) typedef char equal_##a[(a) == (b) ? 1 : -1]
EQUAL(NET_MULTIPLIES, 4 * 16 + 6 * 4 + 24 * 5 + 5);
END
try gcc -std=c99 -Ic -c counts.c -o counts.o
# floats have no step
expect 0 "" ternc compile m/tiny.onnx -o c --name net $quantised
! grep -E "_SCALE|_code\(" c/net.h || complain "floats have a step"
# codes that the model itself has
/usr/bin/python3 - <<'P' || exit 1
from onnx import helper, parser, save
g = parser.parse_graph("""g (uint8[1,4] x) => (int8[1,4] y)
    <float sx = {0.1}, uint8 zx = {3}, float sy = {0.25}, int8 zy = {-7}>
    { a = DequantizeLinear (x, sx, zx) b = Sqrt (a) y = QuantizeLinear (b, sy, zy) }""")
save(helper.make_model(g, ir_version=8, opset_imports=[helper.make_opsetid("", 17)]), "own.onnx")
P
as_codes own.onnx "-DLOW=0 -DHIGH=255"
grep -qx "#define NET_OUTPUT0_ZERO_POINT -7" c/net.h || complain "another zero point"
grep -qF "real: in the unit of 'y' as the float model has it; a step is 0.25f, codes reach from -30.25f to 33.5f" c/net.h ||
    complain "the helpers of a code say nothing about units"
finish
