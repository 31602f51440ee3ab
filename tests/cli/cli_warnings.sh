# cli_warnings.sh - generated code as C: no warning from any compiler in any lowering, no names but its own, nothing
# linked but <string.h> and <math.h>, C++ and the plain C path, two models and several threads in one program.
. "$TERNC_SOURCE/tests/cli/expect.sh"
need gcc g++ clang clang++ nm
make_models
/usr/bin/python3 "$TERNC_SOURCE/tests/models/make_kinds.py" m/kinds.onnx || exit 1
warnings="-Wall -Wextra -Wpedantic -Wconversion -Werror"

# Each lowering, method and aim: both compilers and standards, hooks on and off.
compile_all() {
    for cc in gcc clang; do
        for std in c99 c11; do
            try $cc -std=$std $warnings -O0 -c "$1" -o object.o
        done
        try $cc -std=c99 $warnings -O2 "-D$2_CHECK" -DTN_NO_VECTORS -c "$1" -o object.o
        try $cc -std=c99 $warnings -O1 "-D$2_NO_STATIC_ARENA" -c "$1" -o object.o
    done
}

check_symbols() {
    names=$(nm -g --defined-only "$1" | awk '{ print $3 }' | sort | tr '\n' ' ')
    [ "$names" = "$2_run $2_run_in " ] || complain "$1 defines $names"
    others=$(nm -u "$1" | awk '$2 !~ /^(memcpy|memset|memmove|expf|logf|tanhf|sqrtf|_GLOBAL_OFFSET_TABLE_)$/ { print $2 }')
    [ -z "$others" ] || complain "$1 needs $others"
}

for path in m/kinds.onnx m/tiny.onnx "$TERNC_SOURCE"/examples/*/*.onnx; do
    [ -f "$path" ] || continue
    name=$(basename "$path" .onnx)
    capitals=$(printf %s "$name" | tr a-z A-Z)
    for lowering in auto unroll sparse packed dense; do
        for method in "none" "twn --keep none"; do
            for aim in speed size; do
                # Float layers have one lowering; the aim is for auto and tables.
                case "$method $aim $lowering" in
                *auto | "twn --keep none speed "* | "twn --keep none size sparse" | "twn --keep none size packed") ;;
                *) continue ;;
                esac
                expect 0 "" ternc compile -q "$path" -o c --lowering $lowering --method $method --optimize $aim
                compile_all "c/$name.c" "$capitals"
            done
        done
    done
    try gcc -std=c99 -O1 -fno-builtin -c "c/$name.c" -o object.o
    check_symbols object.o "$name"
done

# A transposed convolution of which some outputs have no weight: what reads none of its table is no variable unset.
/usr/bin/python3 - <<'END' || exit 1
import numpy as np
from onnx import TensorProto, helper, numpy_helper, save
node = helper.make_node("ConvTranspose", ["x", "w"], ["y"], strides=[2], group=8)
weights = np.where(np.arange(24) % 2, 1, -1).astype(np.float32).reshape(8, 3, 1)
graph = helper.make_graph([node], "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [3, 8, 2])],
                          [helper.make_tensor_value_info("y", TensorProto.FLOAT, [3, 24, 3])],
                          [numpy_helper.from_array(weights, "w")])
save(helper.make_model(graph, ir_version=7, opset_imports=[helper.make_opsetid("", 13)]), "m/phases.onnx")
END
for lowering in unroll sparse packed dense; do
    expect 0 "" ternc compile -q m/phases.onnx -o c --lowering $lowering --keep none --optimize size
    try gcc -std=c99 $warnings -O2 -DTN_NO_VECTORS -c c/phases.c -o object.o
done

# The header in C++, before and after linking.
expect 0 "" ternc compile m/tiny.onnx -o c
cat >user.cpp <<'END'
#include "tiny.h"
int main()
{
    static float x[TINY_INPUT_SIZE], y[TINY_OUTPUT_SIZE], z[TINY_OUTPUT_SIZE];
    static double arena[TINY_ARENA_BYTES / sizeof(double) + 1];
    x[3] = 1;
    tiny_run(x, y);
    tiny_run_in(arena, x, z);
    return y[0] != z[0];
}
END
for cxx in "gcc g++" "clang clang++"; do
    try ${cxx% *} -std=c99 -O1 -c c/tiny.c -o tiny.o
    try ${cxx#* } $warnings -Ic user.cpp tiny.o -o user
    try ./user
done

# Values under sanitizers, in the plain C path, with other lanes, and with what a compiler's default is.
for lowering in unroll sparse packed dense; do
    for flags in "-O1 -fsanitize=address,undefined -fno-sanitize-recover=undefined" "-O2 -std=c99 -DTN_NO_VECTORS"; do
        for cc in gcc clang; do
            expect 0 "" ternc check m/kinds.onnx --keep none --lowering $lowering --cc $cc --cflags "$flags"
            case $lowering in sparse | packed) ;; *) continue ;; esac
            expect 0 "" ternc check m/kinds.onnx --keep none --lowering $lowering --optimize size --cc $cc --cflags "$flags"
        done
    done
    expect 0 "" ternc check m/kinds.onnx --keep none --lowering $lowering --cc clang --cflags "-O3 -march=native"
    if grep -qw fma /proc/cpuinfo && grep -qw avx2 /proc/cpuinfo; then
        expect 0 "" ternc check m/kinds.onnx --keep none --lowering $lowering --cc gcc --cflags "-O2 -mavx2 -mfma"
    fi
    expect 0 "" ternc compile m/kinds.onnx -o c --keep none --lowering $lowering
    try gcc -std=c99 -Wall -Wextra -O1 -fsanitize=address,undefined -fno-sanitize-recover=undefined -Ic \
        "$TERNC_SOURCE/tests/models/reentrant.c" c/kinds.c c/tiny.c -lpthread -lm -o reentrant
    try ./reentrant
done

# Sums that fill their scratch to its last byte, below a maximum that reads them in vectors; and rows with more padding than
# a step's share of them, whose copy in one piece is in a branch that is not taken.
/usr/bin/python3 - <<'END' || exit 1
import onnx
from onnx import TensorProto, helper


def save(name, kernel, nodes, rows):
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 1, 2, 1])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 1, rows, 1])
    weights = helper.make_tensor("w", TensorProto.FLOAT, [1, 1, 1, kernel], [1.0] * kernel)
    graph = helper.make_graph(nodes, name, [x], [y], [weights])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)]), "m/" + name + ".onnx")


save("pool", 1, [helper.make_node("Conv", ["x", "w"], ["sums"]),
                 helper.make_node("MaxPool", ["sums"], ["y"], kernel_shape=[2, 1], strides=[2, 1])], 1)
save("steps", 3, [helper.make_node("Conv", ["x", "w"], ["y"], strides=[1, 3], pads=[0, 2, 0, 0])], 2)
END
expect 0 "" ternc compile m/steps.onnx --method none -o c
for level in 0 1 2 3; do
    try gcc -std=c99 $warnings -O$level -c c/steps.c -o object.o
done
for lowering in sparse packed; do
    expect 0 "" ternc check m/pool.onnx --method none --lowering $lowering --target cortex-m0 --cc clang \
        --cflags "-O1 -fsanitize=address"
done
finish
