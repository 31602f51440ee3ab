# cli_split.sh - --split: the files compile one by one without warnings, define nothing of foreign names, and compute the
# same bits as one file.
. "$TERNC_SOURCE/tests/cli/expect.sh"
warnings="-Wall -Wextra -Wpedantic -Wconversion -Wmissing-prototypes -Werror"
fashion=$TERNC_SOURCE/examples/fashion/fashion.onnx

cat >main.c <<'END'
#include "net.h"
#include <stdio.h>
int main(void)
{
    static NET_INPUT0_TYPE in[NET_INPUT_SIZE];
    static NET_OUTPUT0_TYPE out[NET_OUTPUT_SIZE];
    for (int i = 0; i < NET_INPUT_SIZE; i++)
        in[i] = (NET_INPUT0_TYPE)(i * 37 % 101);
    net_run(in, out);
    for (int i = 0; i < NET_OUTPUT_SIZE; i++)
        printf("%a\n", (double)out[i]);
    return 0;
}
END

for options in "--keep none --lowering unroll" "--method none --optimize size"; do
    # shellcheck disable=SC2086
    {
        expect 0 "" ternc compile "$fashion" -o one --name net $options
        expect 0 "" ternc compile "$fashion" -o four --name net --split 3 $options
    }
    says "four/net.c, four/net.h, four/net_split.h, four/net_1.c, four/net_2.c, four/net_3.c"
    cmp -s one/net.h four/net.h || complain "$options: --split changes the header"
    for cc in gcc clang; do
        objects=
        for name in net net_1 net_2 net_3; do
            # shellcheck disable=SC2086
            try $cc -std=c99 -O1 $warnings -c four/$name.c -o $name.o
            objects="$objects $name.o"
        done
        # shellcheck disable=SC2086
        try $cc -Ifour main.c $objects -lm -o four/app
        try $cc -std=c99 -O1 -Ione main.c one/net.c -lm -o one/app
        one/app >one/values
        four/app >four/values
        [ -s one/values ] || complain "no values"
        cmp -s one/values four/values || complain "$options: $cc: four files compute something else"
        # shellcheck disable=SC2086
        foreign=$(nm -g --defined-only $objects | awk 'NF == 3 && $3 !~ /^net_/ { print $3 }')
        [ -z "$foreign" ] || complain "$options: defines $foreign"
    done
done
terms=$(cat four/net_1.c | wc -c)
[ "$terms" -lt 1000 ] || complain "float weights are unrolled"
expect 0 "" ternc compile "$fashion" -o four --name net --split 3 --keep none --lowering unroll
sizes=$(wc -c four/net_1.c four/net_2.c four/net_3.c | awk '$2 != "total" { print $1 }' | sort -n | tr '\n' ' ')
echo "$sizes" | awk '{ exit !($1 > 0.8 * $3) }' || complain "files of $sizes bytes: not balanced"

expect 0 "" ternc check "$fashion" --split 2 --keep none --lowering unroll
says "agree on"
expect 2 "ternc: usage: --split takes one model; several are files of their own" ternc compile "$fashion" "$fashion" --name a --name b -o two --split 2
expect 2 "ternc: usage: --split auto|none|N: '0' is not a whole number from 1 to 999" ternc compile "$fashion" -o two --split 0
# What is called like a part of a model and is another model stays, in whatever order they come.
tiny=$TERNC_SOURCE/examples/tiny/tiny.onnx
compile() {
    ternc compile "$1" -q --method none -o "$2" --name "$3" ${4:-}
}
expect 0 "" compile "$tiny" apart a_1
expect 0 "" compile "$tiny" apart a_1
cp apart/a_1.c kept.c
expect 1 "ternc: error: apart/a_1.c: 'a' would replace this file, which is the model 'a_1', made from tiny.onnx; take another folder or --name" \
    compile "$fashion" apart a "--split 2"
same apart/a_1.c kept.c
absent apart/a.c
expect 0 "" compile "$fashion" apart b "--split 2"
expect 0 "" compile "$fashion" apart b "--split 2"
expect 1 "ternc: error: apart/b_2.c: the model 'b_2' would replace this file, which belongs to a model made from fashion.onnx; take another folder or --name" \
    compile "$tiny" apart b_2
expect 1 "...apart/b_split.h: the model 'b_split' would replace" compile "$tiny" apart b_split
expect 0 "" compile "$tiny" apart c_split
expect 1 "...apart/c_split.h: 'c' would replace this file, which is the model 'c_split'" compile "$fashion" apart c "--split 2"
expect 0 "" compile "$tiny" apart kernels
expect 1 "...apart/kernels.c: 'y' would replace this file, which is the model 'kernels'" \
    ternc compile -q "$tiny" "$fashion" -o apart --name x --name y
rm apart/kernels.*
expect 0 "" ternc compile -q "$tiny" "$fashion" -o apart --name x --name y --optimize size
expect 0 "" ternc compile -q "$tiny" "$fashion" -o apart --name x --name y --optimize size
expect 1 "...apart/kernels.c: the model 'kernels' would replace" compile "$tiny" apart kernels

# What a file system that does not tell the cases of letters apart would give for these names.
ln -s b_1.c apart/B_1.c
expect 1 "ternc: error: apart/B_1.c: the model 'B_1' would replace this file, which belongs to a model made from fashion.onnx; take another folder or --name" \
    compile "$tiny" apart B_1
ln -s a_1.c apart/A_1.c
expect 1 "...apart/A_1.c: 'A' would replace this file, which is the model" compile "$fashion" apart A "--split 2"

# Large models are split by themselves, as soon as that is known; their make rule names the parts.
need_onnx
/usr/bin/python3 - <<'PY'
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

random = np.random.default_rng(1)
value, shape = helper.make_tensor_value_info, (1024, 1000)
weights = [numpy_helper.from_array(random.laplace(size=s).astype(np.float32), n) for n, s in (("a", shape), ("b", shape[::-1]))]
nodes = [helper.make_node("MatMul", ["x", "a"], ["h"]), helper.make_node("MatMul", ["h", "b"], ["y"])]
graph = helper.make_graph(nodes, "g", [value("x", TensorProto.FLOAT, [1, shape[0]])],
                          [value("y", TensorProto.FLOAT, [1, shape[0]])], weights)
onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), "large.onnx")
PY
large="large.onnx --keep none --lowering unroll"
# shellcheck disable=SC2086
{
    expect 0 "" ternc compile -q $large -o large --sparsity 0.5
    says "large/large_split.h, large/large_1.c, large/large_2.c"
    [ "$(find large -name 'large_*.c' | wc -l)" -eq 11 ] || complain "not 11 parts"
    grep -q 'large_objects := large.o $(foreach i,$(shell seq 11),large_$(i).o)' large/large_split.h || complain "no rule"
    expect 0 "" ternc compile -q $large -o large --sparsity 0.9
    says "large/large.c, large/large.h
"
    expect 0 "" ternc compile -q $large -o single --sparsity 0.5 --split none
    says "single/large.c, single/large.h
"
    expect 0 "" compile "$tiny" taken large_3
    expect 1 "...taken/large_3.c: 'large' would replace this file, which is the model" ternc compile -q $large -o taken --sparsity 0.5
}

# Many files.
expect 0 "" compile "$tiny" many net "--split 900"
[ "$(find many -name 'net_*.c' | wc -l)" -eq 900 ] || complain "there are not 900 parts"
finish
