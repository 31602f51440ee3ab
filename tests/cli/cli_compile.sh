# cli_compile.sh - compile: both files or none, their names, the same bytes every time, full and unwritable places.
. "$TERNC_SOURCE/tests/cli/expect.sh"
make_models
warnings="-Wall -Wextra -Wpedantic -Wconversion -Werror"

expect 0 "" ternc compile m/tiny.onnx -o out1
says "out1/tiny.c, out1/tiny.h"
says "arena: "
[ "$(ls out1)" = "tiny.c
tiny.h" ] || complain "out1 holds something else: $(ls out1)"
expect 0 "" ternc compile "$PWD/m/tiny.onnx" -o "$PWD/out2"
same out1/tiny.c out2/tiny.c
same out1/tiny.h out2/tiny.h
grep -q "$PWD" out2/tiny.c out2/tiny.h && complain "generated files name a path"
for cc in gcc clang; do
    for std in c99 c11; do
        $cc -std=$std $warnings -c out1/tiny.c -o tiny.o 2>err || complain "$cc -std=$std"
    done
done
expect 0 "" ternc compile m/tiny.onnx -o out1 --explain
sed 's/  */ /g' out >explained
for row in "# layer weights zeros non-zeros MACs adds shared lowering numbers why" \
    "# unroll bytes sparse bytes packed bytes dense bytes taken" \
    "Estimates per form: time of a run (us on a Zen 3 core with AVX2), bytes of code and constants"; do
    grep -qxF -e "$row" explained || complain "--explain lacks the line '$row'"
done
expect 0 "" ternc compile m/tiny.onnx -o int8 --explain --activations int8 --calibrate m/x.npy
sed 's/  */ /g' out >explained
for row in "conv1.* ternary .* unroll 16-bit sums predicted" "fc.* 5x24 int8 .* dense 32-bit sums 8-bit weights"; do
    grep -q -e "$row" explained || complain "--explain lacks '$row'"
done
grep -q " \* 120 int8 weights\." int8/tiny.c || complain "a layer with int8 weights is called something else"
grep -q " \* Sums are whole numbers from -[0-9]* to [0-9]* whatever the codes: 1[0-6] bits hold them. Format: 16-bit sums.$" \
    int8/tiny.c || complain "the proof of the sums is missing"
# What has no integer form is named, once.
/usr/bin/python3 - <<'P' || exit 1
import numpy as np
from onnx import helper, numpy_helper, parser, save
g = parser.parse_graph("""g (float[1,4] x) => (float[1,4] y) {
    a = MatMul (x, w) b = LpNormalization (a) c = MatMul (b, w) d = LpNormalization (c) e = MatMul (d, w) f = LpNormalization (e)
    h = MatMul (f, w) o = ReduceSum <keepdims = 1> (h) y = Mul (h, o) }""")
g.initializer.append(numpy_helper.from_array(np.array([[1, 0, 2, -1]] * 4, np.float32), "w"))
save(helper.make_model(g, ir_version=8, opset_imports=[helper.make_opsetid("", 17)]), "mixed.onnx")
np.save("mixed.npy", np.linspace(-1, 1, 32).reshape(8, 4).astype(np.float32))
P
int8="--activations int8 --calibrate mixed.npy"
expect 0 "ternc: note: mixed.onnx: 5 nodes run in float between codes: LpNormalization 'b', LpNormalization 'd', LpNormalization 'f' and 2 more" \
    ternc compile mixed.onnx -o mixed $int8
expect 0 "" ternc compile mixed.onnx -o mixed $int8 --quiet
expect 0 "" ternc compile mixed.onnx -o mixed --method none
expect 0 "" ternc compile m/tiny.onnx -o explained-m4 --explain --target cortex-m4
says "(instructions of a Cortex-M4)"
# Every ternary layer has four forms with a time and bytes, and none is much faster than what is taken; float ones have one.
awk '/^#.*taken$/ { forms = 1; split($0, name) ; next } !NF { forms = 0 }
    forms { layers++; least = taken = 0
        for (i = 2; i <= 8; i += 2) {
            gsub(",", "", $i)
            if ($i == "-" || $(i + 1) == "-") { missing++; continue }
            if (name[i] == $10) taken = $i + 0
            if (!least || $i + 0 < least) least = $i + 0
        }
        if (!taken || taken > 1.15 * least + 0.1) bad = 1 }
    END { exit bad || layers != 3 || missing != 3 }' out || complain "--explain: forms"
awk '/^[0-9].* ternary / { n++; if ($0 !~ /predicted/) bad = 1 } END { exit bad || n != 2 }' out ||
    complain "--explain: reasons"
expect 0 "" ternc compile m/tiny.onnx -o out1 --name lenet --method none --lowering dense
gcc -std=c99 $warnings -c out1/lenet.c -o lenet.o 2>err || complain "gcc lenet"
cp m/tiny.onnx "2 nets-v1.0.onnx"
expect 0 "" ternc compile "2 nets-v1.0.onnx" -o out3/
[ -f out3/net_2_nets_v1_0.h ] || complain "out3/net_2_nets_v1_0.h is missing: $(ls out3)"

# A link stays a link.
touch real.h
mkdir links && ln -s ../real.h links/tiny.h
expect 0 "" ternc compile m/tiny.onnx -o links
same real.h out1/tiny.h
[ -L links/tiny.h ] || complain "links/tiny.h is no link any more"

# Nowhere to write: root may write anywhere, so what is in the way is not a permission.
expect 1 "ternc: error: real.h: cannot write: it is not a directory" ternc compile m/tiny.onnx -o real.h
expect 1 "ternc: error: real.h/new: cannot make this directory: Not a directory" ternc compile m/tiny.onnx -o real.h/new
expect 1 "ternc: error: no/such: cannot make this directory: No such file or directory" \
    ternc compile m/tiny.onnx -o no/such
mkdir -p taken/tiny.h
expect 1 "ternc: error: taken/tiny.h: cannot write: it is a directory" ternc compile m/tiny.onnx -o taken
[ "$(ls taken)" = "tiny.h" ] || complain "taken holds more: $(ls taken)"

# A full disk.
mkdir full && ln -s /dev/full full/tiny.h
expect 1 "ternc: error: /dev/full: cannot write: No space left on device" ternc compile m/tiny.onnx -o full
[ "$(ls full)" = "tiny.h" ] || complain "full holds more: $(ls full)"
mkdir small && echo old >small/tiny.c
expect 1 "...cannot write: File too large" sh -c 'ulimit -f 1; "$TERNC_BIN" compile m/tiny.onnx -o small'
[ "$(ls small)" = "tiny.c" ] || complain "small holds more: $(ls small)"
[ "$(cat small/tiny.c)" = old ] || complain "small/tiny.c has changed"
expect 1 "...cannot write: File too large" sh -c 'ulimit -f 1; "$TERNC_BIN" compile m/tiny.onnx -o small2'
absent small2

# A budget: measured, not predicted; over it nothing is written.
expect 0 "" ternc compile m/tiny.onnx -o budget1 --target cortex-m4 --max-flash 20000 --max-ram 20000
expect 1 "... bytes of flash on cortex-m4 (-O2), " ternc compile m/tiny.onnx -o budget2 --target cortex-m4 --max-flash 900
grep -q "^2 Gemm 'fc' .*make it ternary" err || complain "no advice on fc"
grep -q "^--optimize size takes" err || complain "no advice on --optimize"
expect 1 "... bytes of flash on cortex-m4 (-Os), " ternc compile m/tiny.onnx -o budget2 --target cortex-m4 --max-flash 900 \
    --optimize size --lowering unroll
grep -q "^1 Conv 'conv2' + Relu .*as sparse: about" err || complain "no advice on conv2"
expect 1 "... bytes of RAM on host (-O2), " ternc compile m/tiny.onnx -o budget2 --max-ram 500 --cflags -O2
absent budget2
expect 2 "ternc: usage: --cflags has no meaning without --max-flash or --max-ram" \
    ternc compile m/tiny.onnx -o budget2 --cflags -O2
expect 2 "ternc: usage: --max-flash BYTES: '20k' is not a whole number from 0 to 1099511627776" \
    ternc compile m/tiny.onnx -o budget2 --max-flash 20k

# A model that fails leaves nothing.
expect 1 "...Frobnicate" ternc compile m/unsupported.onnx -o none
absent none
# A model's header never stands where a header of the system is meant, nor its macros for those of generated code.
for name in stdint stddef string math float main time Math TN; do
    cp m/tiny.onnx "$name.onnx"
    expect 0 "" ternc compile "$name.onnx" -q -o names --method none
    says "names/net_$name.c, names/net_$name.h"
    expect 2 "...ternc: usage: --name ID: '$name' cannot start names in C" ternc compile m/tiny.onnx -q -o names --name "$name"
done
for name in stdint stddef string math float main time Math TN; do
    try gcc -std=c99 -Wall -Werror -Inames -c "names/net_$name.c" -o names/object.o
done
finish
