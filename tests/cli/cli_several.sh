# cli_several.sh - models that are compiled together share their kernels: the same values as apart, one copy of each
# kernel, no warning; names that would collide are refused.
. "$TERNC_SOURCE/tests/cli/expect.sh"
need gcc clang nm
make_models
/usr/bin/python3 "$TERNC_SOURCE/tests/models/make_kinds.py" m/kinds.onnx || exit 1
warnings="-Wall -Wextra -Wpedantic -Wconversion -Werror"

# reentrant.c runs both models on many threads and compares; here its two models share kernels.
for aim in size speed; do
    expect 0 "" ternc compile -q m/kinds.onnx m/tiny.onnx -o $aim --optimize $aim
    says "$aim/kinds.c, $aim/kinds.h, $aim/tiny.c, $aim/tiny.h"
    expect 0 "" ternc compile -q m/kinds.onnx m/tiny.onnx -o again --optimize $aim
    for file in kinds.c kinds.h tiny.c tiny.h kernels.h; do
        same $aim/$file again/$file
    done
    for cc in gcc clang; do
        for std in c99 c11; do
            for file in $aim/*.c; do
                try $cc -std=$std $warnings -O1 -c "$file" -o "${file%.c}.o"
                try $cc -std=$std $warnings -O0 -DTN_NO_VECTORS -c "$file" -o plain.o
            done
        done
        try $cc -std=c99 -Wall -Wextra -O1 -I$aim "$TERNC_SOURCE/tests/models/reentrant.c" $aim/*.o -lpthread -lm -o reentrant
        try ./reentrant
    done
done
[ -e speed/kernels.c ] && complain "kernels.c is there though all kernels are inlined"

# No kernel twice; with several alike, less than apart.
expect 0 "" ternc compile -q m/kinds.onnx m/kinds.onnx m/tiny.onnx -o size --optimize size --name one --name two --name tiny
for name in one two tiny; do
    expect 0 "" ternc compile -q m/kinds.onnx -o apart --optimize size --name $name
    try gcc -std=c99 -Os -c apart/$name.c -o apart/$name.o
    try gcc -std=c99 -Os -c size/$name.c -o size/$name.o
    nm size/$name.o | grep -q "[tT] tn_" && complain "$name has a kernel of its own"
done
try gcc -std=c99 -Os -c size/kernels.c -o size/kernels.o
nm size/kernels.o | grep -q "T tn_" || complain "kernels.o has no kernels"
together=$(sh "$TERNC_SOURCE/tests/tools/bytes.sh" size/one.o size/two.o size/kernels.o)
apart=$(sh "$TERNC_SOURCE/tests/tools/bytes.sh" apart/one.o apart/two.o)
[ "$together" -lt "$apart" ] || complain "together $together bytes, apart $apart"
expect 0 "" ternc compile -q m/tiny.onnx -o apart --optimize size
try gcc -std=c99 -Os -c apart/tiny.c -o apart/tiny.o

# Values: as apart, bit for bit.
cat >values.c <<'END'
#include "tiny.h"
#include <stdio.h>
int main(void)
{
    static float x[TINY_INPUT_SIZE], y[TINY_OUTPUT_SIZE];
    for (int i = 0; i < TINY_INPUT_SIZE; i++)
        x[i] = (float)(i * 37 % 64) / 32 - 1;
    tiny_run(x, y);
    for (int i = 0; i < TINY_OUTPUT_SIZE; i++)
        printf("%a\n", (double)y[i]);
    return 0;
}
END
try gcc -std=c99 -Isize values.c size/tiny.o size/kernels.o -lm -o values
./values >together.txt
try gcc -std=c99 -Iapart values.c apart/tiny.o -lm -o values
./values >apart.txt
same together.txt apart.txt

# Names.
expect 0 "" ternc compile -q m/tiny.onnx m/tiny.onnx -o named --name left --name right
[ "$(ls named | tr '\n' ' ')" = "kernels.h left.c left.h right.c right.h " ] || complain "named holds $(ls named)"
expect 2 "ternc: usage: two models would be named 'tiny'; --name, once for each, gives other names" \
    ternc compile -q m/tiny.onnx m/tiny.onnx -o none
expect 2 "ternc: usage: a model cannot be named 'kernels' beside others; --name, once for each, gives other names" \
    ternc compile -q m/tiny.onnx m/kinds.onnx -o none --name Kernels --name x
expect 1 "...Frobnicate" ternc compile m/tiny.onnx m/unsupported.onnx -o none
absent none
finish
