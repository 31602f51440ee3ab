#!/bin/sh
# instructions.sh TARGET MODEL.onnx OPTION...: how many instructions one run of a compiled model executes on an emulated
# microcontroller, counted by a plugin of QEMU: the whole program with two runs less the one with one. OPTION: of
# `ternc compile`. Prints "COUNT CHECKSUM", a checksum of the outputs' bytes for inputs that are always the same.
#   MODEL.onnx or a folder with its net.c and net.h, compiled already
#   TARGET     cortex-m0, cortex-m4, rv32imac, rv32imafc or rv32ic, which has no multiplication; those without float unit need a GCC for its libgcc
#   TERNC_BIN  the ternc to use
#   CFLAGS     of the model (default: the level that the header recommends)
# Works in the current folder. Exit code 77: a tool is missing.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
target=$1
model=$2
shift 2
predicted=$target
[ "$target" != rv32ic ] || predicted=rv32imac
ram=0x20000000
flash=0x0
entry=reset
libgcc=
case $target in
cortex-m0) # the emulated M3 knows all instructions of an M0 and has more memory
    cpu="--target=thumbv6m-none-eabi -mcpu=cortex-m0 -mfloat-abi=soft"
    qemu="qemu-system-arm -M mps2-an385"
    gcc="arm-none-eabi-gcc -mcpu=cortex-m0"
    ;;
cortex-m4)
    cpu="--target=thumbv7em-none-eabihf -mcpu=cortex-m4 -mfpu=fpv4-sp-d16 -mfloat-abi=hard"
    qemu="qemu-system-arm -M mps2-an386"
    gcc=
    ;;
rv32imac | rv32imafc | rv32ic)
    abi=ilp32
    gcc="riscv64-unknown-elf-gcc -march=$target -mabi=ilp32"
    [ "$target" != rv32imafc ] || { abi=ilp32f gcc=; }
    cpu="--target=riscv32-unknown-elf -march=$target -mabi=$abi -mcmodel=medany"
    qemu="qemu-system-riscv32 -M virt -bios none"
    flash=0x80000000
    ram=0x81000000
    entry=start
    ;;
*)
    echo "instructions.sh: unknown target $target" >&2
    exit 2
    ;;
esac
for tool in clang ld.lld gcc ${qemu%% *} ${gcc%% *}; do
    command -v "$tool" >/dev/null || { echo "skipped: no $tool" >&2; exit 77; }
done
[ -z "$gcc" ] || libgcc=$($gcc -print-libgcc-file-name)

if [ -d "$model" ]; then
    mkdir -p gen
    cp "$model/net.c" "$model/net.h" gen
else
    "$TERNC_BIN" compile "$model" -o gen --name net --quiet --target "$predicted" "$@" >ternc.log
fi
level=$(sed -n 's/^ \* Compile net.c with \(-O[0-9a-z]*\)[ ,].*/\1/p' gen/net.h)
sed "/^\/\*/d;s/ENTRY_POINT/$entry/;s/FLASH_START/$flash/;s/FLASH_BYTES/4M/;s/RAM_START/$ram/;s/RAM_BYTES/4M/" \
    "$root/examples/bare-metal/link.ld.in" >link.ld
cat >count_main.c <<'END'
#include "net.h"
#include "semihosting.h"

static NET_INPUT0_TYPE in[NET_INPUT_SIZE];
static NET_OUTPUT0_TYPE out[NET_OUTPUT_SIZE];

int main(void)
{
    for (uint32_t i = 0; i < NET_INPUT_SIZE; i++)
        in[i] = (NET_INPUT0_TYPE)(i * 2654435761u >> 24);
    for (int i = 0; i < RUNS; i++)
        net_run(in, out);
    uint32_t sum = 0;
    const unsigned char *bytes = (const unsigned char *)out;
    for (uint32_t i = 0; i < sizeof out; i++)
        sum = sum * 31 + bytes[i];
    char text[] = "12345678\n";
    for (int i = 0; i < 8; i++, sum <<= 4)
        text[i] = "0123456789abcdef"[sum >> 28];
    semi_print(text);
    return 0;
}
END
[ -f count_instructions.so ] || # of an earlier call
    gcc -O2 -shared -fPIC "$root/tests/tools/count_instructions.c" -o count_instructions.so
flags="$cpu -std=c11 -ffreestanding -ffunction-sections -fdata-sections -Igen -I$root/examples/bare-metal"
flags="$flags -isystem $root/examples/bare-metal/include -isystem $root/runtime/freestanding"
# shellcheck disable=SC2086
clang $flags ${CFLAGS:-$level} -c gen/net.c -o net.o
for runs in 1 2; do
    # shellcheck disable=SC2086
    clang $flags -O1 -DRUNS=$runs -nostdlib -fuse-ld=lld -Wl,-T,link.ld -Wl,--gc-sections count_main.c \
        "$root/examples/bare-metal/start.c" net.o $libgcc -o count$runs.elf
    $qemu -nographic -monitor none -serial none -semihosting-config enable=on,target=native -kernel count$runs.elf \
        -plugin ./count_instructions.so >count$runs.out 2>&1
done
count() {
    sed -n 's/^instructions //p' "count$1.out"
}
echo "$(($(count 2) - $(count 1))) $(head -n 1 count2.out)"
