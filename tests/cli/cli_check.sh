# cli_check.sh - check on the command line: what it prints when code is sound, and when a compiler breaks it.
. "$TERNC_SOURCE/tests/cli/expect.sh"
need clang gcc
make_models

mkdir temporary
TMPDIR=$PWD/temporary
export TMPDIR

expect 0 "" ternc check m/tiny.onnx
says "PASS: m/tiny.onnx: generated C (clang -O2) and evaluator agree on 2 samples"
says "weights proven by"
for lowering in auto unroll sparse packed dense; do
    for method in none twn; do
        expect 0 "" ternc check m/tiny.onnx --lowering $lowering --method $method --cc gcc --cflags "-O0 -std=c99" --samples 3
        says "PASS"
    done
done
expect 0 "" ternc check m/tiny.onnx --json --seed 7
says '"passed":	true'
says '"wrong":	0'
expect 0 "" ternc check m/tiny.onnx --activations int8 --calibrate m/x.npy --quiet
grep -q "ternary weights proven by [0-9]* sums, 16-bit sums, \([0-9]*\) of \1 extremes" out || complain "no extremes of 16-bit sums"
grep -q "int8 weights proven by [0-9]* sums, 32-bit sums, \([0-9]*\) of \1 extremes" out || complain "int8 weights are not proven"
# A compiler that turns the first term of the first layer round.
cat >broken <<'END'
#!/bin/sh
for f in "$@"; do
    case $f in
    */tiny.c) awk '!done && /a[0-9]+ [+]= v[0-9]/ && sub(/ [+]= v/, " -= v") { done = 1 } { print }' "$f" >"$f.new" && mv "$f.new" "$f" ;;
    esac
done
exec clang "$@"
END
chmod +x broken
"$TERNC_BIN" check m/tiny.onnx --cc ./broken --lowering unroll >out 2>err
[ $? -eq 1 ] || complain "broken code passes"
says "FAIL: m/tiny.onnx"
says "DIFFERS"
says "under impulses: weight ["
says "the evaluator has"
"$TERNC_BIN" check m/tiny.onnx --cc ./broken --lowering unroll --json >out 2>err
[ $? -eq 1 ] || complain "broken code passes"
says '"passed":	false'

expect 1 "...no_such_compiler: cannot run: No such file or directory" ternc check m/tiny.onnx --cc no_such_compiler
expect 1 "...--no-such-flag" ternc check m/tiny.onnx --cflags "-O1 --no-such-flag"
expect 2 "...'0' is not a whole number" ternc check m/tiny.onnx --samples 0
TMPDIR=/nowhere expect 1 "...TMPDIR names another place" ternc check m/tiny.onnx
[ -z "$(ls temporary)" ] || complain "temporary folders stay behind: $(ls temporary)"
finish
