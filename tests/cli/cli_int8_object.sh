# cli_int8_object.sh - whole networks of codes as object files: nothing of a library of floats is linked, no instruction
# of a float unit is there, and nothing is multiplied but sums that become codes and addresses. Shown from symbols, map and
# disassembly, for a small network like MNIST-8 and, where they are at hand, for DS-CNN and ResNet-8.
. "$TERNC_SOURCE/tests/cli/expect.sh"
need_onnx
need clang ld.lld nm llvm-objdump
/usr/bin/python3 - <<'P' || exit 1
import numpy as np, onnx
from onnx import helper, numpy_helper, TensorProto
rng = np.random.RandomState(0)
window = dict(kernel_shape=[2, 2], strides=[2, 2])
nodes = [("Conv", ["x", "w", "b"], ["c"], dict(pads=[2] * 4)), ("Relu", ["c"], ["r"], {}), ("MaxPool", ["r"], ["p"], window),
         ("Conv", ["p", "v", "d"], ["e"], dict(pads=[2] * 4)), ("Relu", ["e"], ["s"], {}), ("MaxPool", ["s"], ["q"], window),
         ("Reshape", ["q", "shape"], ["l"], {}), ("MatMul", ["l", "f"], ["m"], {}), ("Add", ["m", "g"], ["y"], {})]
values = dict(w=rng.randn(8, 1, 5, 5), b=rng.randn(8), v=rng.randn(12, 8, 5, 5), d=rng.randn(12), f=rng.randn(192, 10),
              g=rng.randn(10))
info = [[helper.make_tensor_value_info(n, TensorProto.FLOAT, s)] for n, s in (("x", [1, 1, 16, 16]), ("y", [1, 10]))]
constants = [numpy_helper.from_array(t.astype(np.float32), n) for n, t in values.items()]
constants.append(numpy_helper.from_array(np.int64([1, 192]), "shape"))
graph = helper.make_graph([helper.make_node(*n, **more) for *n, more in nodes], "small", *info, constants)
onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), "small.onnx")
np.save("small", rng.rand(40, 1, 16, 16).astype(np.float32) * 255)
np.save("kws01_dscnn_bn", rng.randn(8, 1, 49, 10).astype(np.float32) * 20)
np.save("ic01_resnet8_bn", rng.rand(8, 3, 32, 32).astype(np.float32) * 255)
P

# What sums become codes by: a product for each output, for Softmax one for each exponential, for CodeAdd two.
sums='tn_(requantise|add_codes|average_codes|exponential|crop)'
# Where rows and planes lie: the places of blocks, strips, staged rows and taps.
places='layer[0-9]+(_put_[0-9]+)?|tn_(stage|window|fill|padded|add_tap|packed|coded_conv|pooled_sum|put_codes)[a-z0-9_]*'

# machine TARGET: sets flags of clang and the prefix of libgcc's compiler
machine() {
    gcc=
    case $1 in
    cortex-m0)
        flags="--target=thumbv6m-none-eabi -mcpu=cortex-m0 -mfloat-abi=soft"
        gcc="arm-none-eabi-gcc -mcpu=cortex-m0"
        ;;
    cortex-m4) flags="--target=thumbv7em-none-eabihf -mcpu=cortex-m4 -mfpu=fpv4-sp-d16 -mfloat-abi=hard" ;;
    rv32imac) flags="--target=riscv32-unknown-elf -march=rv32imac -mabi=ilp32" ;;
    esac
}

# object FILE.c FLAG...: FILE.o, for the machine
object() {
    file=$1
    shift
    # shellcheck disable=SC2086
    clang $flags -Werror -std=c11 -ffreestanding -isystem "$TERNC_SOURCE/examples/bare-metal/include" \
        -isystem "$TERNC_SOURCE/runtime/freestanding" "$@" -c "$file" -o "${file%.c}.o" || exit 1
}

# built MODEL TARGET OPTION...: gen/net.o as the header says, all weights ternary
built() {
    model=$1
    machine "$2"
    shift
    expect 0 "" ternc compile "$model" --target "$@" --keep none --name net -o gen -q
    object gen/net.c "$(sed -n 's/^ \* Compile net.c with \(-O[0-9a-z]*\)[ ,].*/\1/p' gen/net.h)"
}

# What the object wants of libraries but division of whole numbers and memory.
wanted() {
    nm -u gen/net.o | awk '{ print $NF }' | grep -Ev '^(__aeabi_u?idiv(mod)?|memcpy|memmove|memset)$'
}

# Members of libgcc that a program with the object has but those of division.
linked() {
    # shellcheck disable=SC2086
    ld.lld -e net_run --gc-sections --unresolved-symbols=ignore-all gen/net.o "$($gcc -print-libgcc-file-name)" -o linked.elf -Map=map
    grep -o 'libgcc.a([^)]*)' map | sort -u | grep -Ev '^libgcc.a\((_u?divsi3|_dvmd_tls)\.o\)$'
}

# Instructions of the float unit, whose names alone begin with v here.
float_instructions() {
    llvm-objdump -d --no-show-raw-insn gen/net.o | awk '$2 ~ /^v[a-z]/ { print $2 }' | sort | uniq -c | grep .
}

# A line "FUNCTION COUNT" for each function that multiplies. Nothing is inlined, so that kernels are functions.
products() {
    sed 's/ __attribute__((always_inline))//' gen/net.c >gen/kernels.c
    object gen/kernels.c -Igen -O2 -fno-inline
    llvm-objdump -d --no-show-raw-insn gen/kernels.o | awk '
        $2 ~ /^<.*>:$/ { f = substr($2, 2, length($2) - 3) }
        $2 ~ /^mul/ { count[f]++ }
        END { for (f in count) print f, count[f] }' | sort >products
}

# whole NAME MODEL TARGET...: what must hold of an integer network, for speed and for size; on a Cortex-M0, too
whole() {
    name=$1
    model=$2
    shift 2
    targets="$* cortex-m0"
    set -- --activations int8 --io int8 --calibrate "$name.npy"
    for optimize in speed size; do
        what="$name, $optimize"
        for target in $targets; do
            built "$model" "$target" --optimize $optimize "$@"
            wanted >found && { cat found; complain "$what, $target: functions of a library"; }
            [ "$target" != cortex-m4 ] || ! float_instructions >found ||
                { cat found; complain "$what: instructions of the float unit"; }
        done
        [ -z "$have_libgcc" ] || ! linked >found || { cat found; complain "$what: more of libgcc than division"; }
        products
        echo "$what: functions with products, each with their number: $(tr '\n' ',' <products)"
        grep -Eq "^$sums " products || complain "$what: sums become codes without a product"
        grep -Ev "^($sums|$places) " products >found && { cat found; complain "$what: products elsewhere"; }
    done
}

have_libgcc=
! have arm-none-eabi-gcc || have_libgcc=yes
whole small small.onnx rv32imac cortex-m4
for name in kws01_dscnn_bn ic01_resnet8_bn; do
    ! have_shared models/$name.onnx || whole $name "$TERNC_SHARED/models/$name.onnx"
done

# Each of these finds what it looks for.
int8="--activations int8 --calibrate small.npy"
# shellcheck disable=SC2086
built small.onnx cortex-m0 $int8 # floats in and out
wanted >found || complain "outputs in float want no function of a library"
[ -z "$have_libgcc" ] || linked >found || complain "outputs in float link nothing of libgcc"
# shellcheck disable=SC2086
built small.onnx cortex-m4 $int8
float_instructions >found || complain "outputs in float need no float unit"
# shellcheck disable=SC2086
built small.onnx cortex-m0 $int8 --io int8 --lowering dense
products
grep -Ev "^($sums|$places) " products >found || complain "products with weights are not noticed"
finish
