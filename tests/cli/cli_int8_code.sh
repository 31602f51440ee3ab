# cli_int8_code.sh - what a Cortex-M0 executes for a network of codes: no float instruction, no product but where sums
# become codes and in addresses.
. "$TERNC_SOURCE/tests/cli/expect.sh"
need_onnx
need clang
/usr/bin/python3 - <<'P' || exit 1
import numpy as np, onnx
from onnx import helper, numpy_helper, TensorProto
rng = np.random.RandomState(0)
nodes = [("Conv", ["x", "w", "b"], ["c"]), ("Relu", ["c"], ["r"]), ("Conv", ["r", "v"], ["d"]), ("Add", ["d", "r"], ["a"]),
         ("Sigmoid", ["a"], ["s"]), ("GlobalAveragePool", ["s"], ["p"]), ("Flatten", ["p"], ["l"]), ("MatMul", ["l", "f"], ["y"])]
values = dict(w=rng.randn(8, 3, 3, 3), b=rng.randn(8), v=rng.randn(8, 8, 1, 1), f=rng.randn(8, 5))
info = [[helper.make_tensor_value_info(n, TensorProto.FLOAT, s)] for n, s in (("x", [1, 3, 9, 9]), ("y", [1, 5]))]
graph = helper.make_graph([helper.make_node(*n) for n in nodes], "net", *info,
                          [numpy_helper.from_array(t.astype(np.float32), n) for n, t in values.items()])
onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), "net.onnx")
np.save("x", rng.randn(40, 3, 9, 9).astype(np.float32))

values = dict(w=rng.randn(8, 2, 3, 3), b=rng.randn(8), v=rng.randn(8, 8, 1, 1))
nodes = [("Conv", ["x", "w", "b"], ["c"]), ("Relu", ["c"], ["r"]), ("Conv", ["r", "v"], ["y"])]
info = [[helper.make_tensor_value_info(n, TensorProto.FLOAT, [1, c, s, s])] for n, c, s in (("x", 2, 25), ("y", 8, 23))]
graph = helper.make_graph([helper.make_node(*n) for n in nodes], "wide", *info,
                          [numpy_helper.from_array(t.astype(np.float32), n) for n, t in values.items()])
onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), "wide.onnx")
np.save("wide", rng.randn(40, 2, 25, 25).astype(np.float32))
P

# compiled OPTION...: gen/net.c for the target; its assembly without inlining, so that each kernel is a function.
compiled() {
    expect 0 "" ternc compile net.onnx --target cortex-m0 --method twn --keep none --name net -o gen -q "$@"
    assemble
}
assemble() {
    sed 's/ __attribute__((always_inline))//' gen/net.c >gen/kernels.c
    clang --target=thumbv6m-none-eabi -mcpu=cortex-m0 -mfloat-abi=soft -O2 -fno-inline -Werror -std=c11 -ffreestanding \
        -isystem "$TERNC_SOURCE/examples/bare-metal/include" -isystem "$TERNC_SOURCE/runtime/freestanding" \
        -S gen/kernels.c -o net.s || exit 1
    # FUNCTION muls, or FUNCTION __aeabi_...: a line for each
    awk '/^[A-Za-z_][A-Za-z_0-9]*:/ { f = $1; sub(":", "", f) }
        $1 == "muls" { print f, $1 }
        $1 == "bl" && $2 ~ /^__aeabi_/ { print f, $2 }' net.s >costs
    grep -Ec '^layer[0-9]+_[0-9]+_[0-9]+(_[0-9]+)?:' net.s >functions
}
# All calls but whole-number division: of floats and doubles, conversions, 64-bit products.
calls() {
    grep -E ' __aeabi_' costs | grep -Ev ' __aeabi_(u?idiv(mod)?|mem[a-z0-9]*)$'
}
# Products in functions of unrolled terms.
products_of_terms() {
    grep -E '^layer[0-9]+_[0-9]+_[0-9]+(_[0-9]+)? muls' costs
}
# Division for each output would be slow: Softmax alone needs it, strips and windows are counted by it.
divisions() {
    grep -E '^(layer[0-9]+|tn_(put|requantise|window|sum|code|add_codes|average|stage)[a-z0-9_]*) __aeabi_u?idiv' costs
}
requantises_once() {
    [ "$(grep -Ec '^tn_requantise muls' costs)" = 1 ]
}

for optimize in speed size; do
    compiled --activations int8 --calibrate x.npy --io int8 --optimize $optimize --lowering unroll
    [ "$(cat functions)" -ge 3 ] || complain "$optimize: there are no functions of terms"
    calls >found && { cat found; complain "$optimize: not in whole numbers of 32 bits"; }
    products_of_terms >found && { cat found; complain "$optimize: terms have products"; }
    divisions >found && { cat found; complain "$optimize: divisions"; }
    requantises_once || { cat costs; complain "$optimize: a sum becomes a code by another number of products than one"; }
done

# With more outputs than its range of codes, a layer clamps by the one table that all such layers share.
wide="wide.onnx --activations int8 --calibrate wide.npy --io int8 --method twn --keep none -q --target cortex-m0"
expect 0 "" ternc compile $wide --name net -o wide
[ "$(grep -c '_w2(y + .* crop_0 + ' wide/net.c)" = 2 ] || complain "two layers do not clamp by a table"
[ "$(grep -c '^static .* crop_[0-9]*\[' wide/net.c)" = 1 ] || complain "there is not one table"
expect 0 "" ternc check $wide
expect 0 "" ternc compile $wide --name net -o wide --optimize size
grep -q crop wide/net.c && complain "for size there is a table"

# Powers of two: no sum is multiplied, those of tables that clamp neither.
for optimize in speed size; do
    compiled --activations int8 --calibrate x.npy --io int8 --optimize $optimize --lowering unroll --scales pow2
    grep -E '^tn_(requantise|put|crop)[a-z0-9_]* muls' costs >found && { cat found; complain "$optimize: sums are multiplied"; }
done
expect 0 "" ternc compile $wide --scales pow2 --name net -o gen
grep -q '_w2(y + .*layer[01]_shift_[0-9]*\[c\].* crop_0 + ' gen/net.c || complain "no layer with shifts clamps by a table"
assemble
grep -E '^tn_crop[a-z0-9_]* muls' costs >found && { cat found; complain "sums are multiplied for the table"; }
expect 0 "" ternc check $wide --scales pow2

# Each of these finds what it looks for.
compiled --activations int8 --calibrate x.npy --io int8 --optimize size --lowering unroll
sed 's/TN_STORE_W2(q + 0, a0)/TN_STORE_W2(q + 0, a0 * a1)/' gen/net.c >changed.c
cmp -s changed.c gen/net.c && complain "the code has other stores than this script thinks"
mv changed.c gen/net.c
assemble
products_of_terms >found || complain "a product among the terms is not noticed"
sed 's|tn_clamp_code((tn_times(sum, factor) + addend) >> shift|tn_clamp_code((sum * factor / shift + addend) >> shift|' gen/net.c >changed.c
cmp -s changed.c gen/net.c && complain "sums become codes in another way than this script thinks"
mv changed.c gen/net.c
assemble
divisions >found || complain "a division is not noticed"
compiled --activations int8 --calibrate x.npy
calls >found || complain "inputs and outputs in float need no float operation"
compiled
calls >found || complain "a float network needs no float operation"
requantises_once && complain "a float network has codes"
finish
