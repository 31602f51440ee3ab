# cli_weights.sh - --weights: long constants as text and as numbers are the same constants; short ones stay numbers.
. "$TERNC_SOURCE/tests/cli/expect.sh"
need_onnx
warnings="-Wall -Wextra -Wpedantic -Wconversion -Werror"

# Constants with every byte in front of every other one, with an end inside of a row, just short and just long enough.
/usr/bin/python3 - <<'PY'
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

random = np.random.default_rng(1)
pairs = np.stack(np.meshgrid(np.arange(256), np.arange(256)), -1).astype(np.uint8).ravel()
floats = random.integers(0, 1 << 32, 3000, dtype=np.uint32).view(np.float32)
floats = np.where(np.isfinite(floats), floats, np.float32(-0.0))
constants = {"pairs": pairs, "floats": floats, "longs": random.integers(-2**63, 2**63 - 1, 515),
             "short": random.standard_normal(1023).astype(np.float32),
             "doubles": random.standard_normal(512), "flags": random.integers(0, 2, 5000).astype(bool)}
nodes, inputs, outputs = [], [], []
for name, value in constants.items():
    kind = numpy_helper.from_array(value).data_type
    inputs.append(helper.make_tensor_value_info("in_" + name, TensorProto.INT64, [value.size]))
    outputs.append(helper.make_tensor_value_info("out_" + name, kind, [value.size]))
    nodes.append(helper.make_node("Gather", [name, "in_" + name], ["out_" + name]))
graph = helper.make_graph(nodes, "g", inputs, outputs, [numpy_helper.from_array(v, k) for k, v in constants.items()])
onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), "net.onnx")
open("want", "wb").write(b"".join(v.tobytes() for v in constants.values()))
PY

cat >main.c <<'END'
#include "net.h"
#include <stdio.h>
#define COUNT(i) (sizeof out##i / sizeof *out##i)
#define TENSORS(X) X(0) X(1) X(2) X(3) X(4) X(5)
#define DECLARE(i) static int64_t in##i[NET_INPUT##i##_SIZE]; static NET_OUTPUT##i##_TYPE out##i[NET_OUTPUT##i##_SIZE];
TENSORS(DECLARE)
#define FILL(i) for (size_t k = 0; k < COUNT(i); k++) in##i[k] = (int64_t)k;
#define WRITE(i) fwrite(out##i, sizeof *out##i, COUNT(i), stdout);
int main(void)
{
    TENSORS(FILL)
    net_run(in0, in1, in2, in3, in4, in5, out0, out1, out2, out3, out4, out5);
    TENSORS(WRITE)
    return 0;
}
END
for weights in auto string array file; do
    expect 0 "" ternc compile net.onnx -o $weights --weights $weights -q
    sources=$(find $weights -name '*.c' -o -name '*.S')
    for cc in gcc clang; do
        # shellcheck disable=SC2086
        try $cc -std=c99 -O1 $warnings -I$weights main.c $sources -lm -o app
        ./app >got
        cmp -s want got || complain "$weights: $cc: constants are not those of the model"
    done
done
same auto/net.c string/net.c
[ "$(grep -c 'rows\[' string/net.c)" -eq 5 ] || complain "not five constants are text"
grep -q 'const float .*\[1023\]' string/net.c || complain "a short constant is text"
! grep -q 'rows\[' array/net.c || complain "--weights array prints text"
LC_ALL=C grep -q '[^ -~]' string/net.c && complain "bytes that are no ASCII"

# Where text would be wrong: other orders of bytes, AVR's flash.
try gcc -std=c99 -fsyntax-only -U__BYTE_ORDER__ -D__BYTE_ORDER__=__ORDER_BIG_ENDIAN__ array/net.c
gcc -std=c99 -fsyntax-only -U__BYTE_ORDER__ -D__BYTE_ORDER__=__ORDER_BIG_ENDIAN__ string/net.c 2>err &&
    complain "text for a big-endian machine"
grep -q 'these constants are for little-endian machines; compile the model with --weights array' err || complain "no reason"
expect 0 "" ternc compile net.onnx -o avr --target avr-flash -q
! grep -q 'rows\[' avr/net.c || complain "AVR has text"

# A file: for other assemblers, for a section of its own, beside parts.
for target in thumbv6m-none-eabi riscv32-none-elf aarch64-none-elf; do
    try clang --target=$target -Ifile -c file/net_weights.S -o weights.o
done
# shellcheck disable=SC2016
try gcc -Ifile '-DNET_WEIGHTS_SECTION=.mine,"a"' -c file/net_weights.S -o weights.o
objdump -h weights.o | grep -q '\.mine' || complain "not in the section that was asked for"
[ "$(wc -c <file/net_weights.bin)" -eq "$((131072 + 12000 + 4128 + 4096 + 5008))" ] || complain "another number of bytes"
for weights in string file; do
    expect 0 "" ternc check net.onnx --weights $weights -q
done
expect 0 "" ternc check "$TERNC_SOURCE/examples/fashion/fashion.onnx" --weights file --lowering unroll --split 2 -q
expect 2 "ternc: usage: --weights file takes one model" ternc compile net.onnx net.onnx --name a --name b -o no --weights file
expect 2 "ternc: usage: --weights: atmega328p has constants as arrays alone" ternc compile net.onnx -o no --weights file --target uno
expect 2 "ternc: usage: --weights: 'binary' is not one of auto|array|string|file" ternc compile net.onnx -o no --weights binary
absent no
finish
