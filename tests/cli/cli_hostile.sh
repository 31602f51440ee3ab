# cli_hostile.sh - small files that ask for a lot (make_hostile.py) are compiled, or refused with a message that says what
# is too large, within a gigabyte of memory. The limit of time only keeps a hanging command from hanging the tests.
. "$TERNC_SOURCE/tests/cli/expect.sh"
need_onnx
/usr/bin/python3 "$TERNC_SOURCE/tests/models/make_hostile.py" m || exit 1
ulimit -v 1048576
ulimit -t 120

# refuse MODEL TEXT: TEXT is a part of the message
refuse() {
    expect 1 "...$2" ternc compile "m/$1.onnx" -o new --quiet
    grep -q "^ternc: error: m/$1.onnx: " err || complain "$1: the message does not start with the file"
    absent new
    rm "m/$1.onnx"
}

refuse attributes "has 30000 attributes; at most 1024 are supported"
refuse batch "input 'x': shape float[1073741824,4] is too large"
refuse constant_of_shape "node 'big' (ConstantOfShape): output 'big' is too large: float[549755813888]"
refuse conv_strided "input 'x': shape float[1,1,1048577,1048577] is too large"
refuse conv_transposed "node 'y' (ConvTranspose): output 'y' is too large"
refuse einsum "unsupported: Einsum of 3 inputs"
refuse einsum_two "unsupported: sums of more than 2147483647 products"
refuse eye "input 'x': shape float[524288,524288] is too large"
refuse fc_flood "needs more than 546 MiB of memory; --memory MIB allows more"
refuse functions "its functions make more than 262144 nodes"
refuse functions_wide "its functions make more than 262144 nodes"
refuse if_deep "it is nested too deeply"
refuse norm "input 'x': shape float[1,1,274877906944] is too large"
refuse one_hot "node 'y' (OneHot): output 'y' is too large: float[1000,268435456]"
refuse outer "node 'p' (Mul): output 'p' is too large: float[100000,100000]"
refuse pad "node 'y' (Pad): pads 274877906944 and 274877906944 of axis 0"
refuse pool "input 'x': shape float[1,1,274877906944] is too large"
refuse range "node 'r' (Range): from 0 to 1099511627776 in steps of 1"
refuse resize "node 'y' (Resize): output 'y' is too large: float[1,1,262144,262144]"
refuse sequences "(SequenceInsert): unsupported: sequences of more than 4194304 elements in all"
refuse tile "node 'y' (Tile): 68719476736 repeats of axis 0"
refuse unsupported "unsupported operators: Wobble0 (node 't0'), Wobble1 (node 't1')"

expect 1 "...m/chain.onnx: needs more than 8 MiB of memory" ternc compile m/chain.onnx -o new --quiet --memory 8
absent new

# How much of control flow is supported changes; here it matters that it ends, and with a message.
for model in m/loop*.onnx m/scan.onnx m/suppression.onnx; do
    "$TERNC_BIN" compile "$model" -o new --quiet >out 2>err </dev/null
    code=$?
    [ $code -eq 0 ] || { [ $code -eq 1 ] && grep -q "^ternc: error: $model: " err; } ||
        complain "$model: exit code $code, or no message"
    rm -rf new "$model"
done

for model in m/*.onnx; do
    expect 0 "" ternc compile "$model" -o new --quiet
    expect 0 "" ternc inspect "$model" --quiet
    rm -rf new
done
finish
