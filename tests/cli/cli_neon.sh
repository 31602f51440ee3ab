# cli_neon.sh - generated code and the NEON kernels of runtime/ on an emulated AArch64: `check` as on this machine. The
# compiler given to it links a program for AArch64 and puts a script in its place that runs it in qemu-user.
. "$TERNC_SOURCE/tests/cli/expect.sh"
cat >cc <<'END'
#!/bin/sh
# A C compiler for AArch64 whose programs run here.
clang --target=aarch64-linux-gnu -fuse-ld=lld -static "$@" || exit
program=
while [ $# -gt 0 ]; do
    case $1 in
    -c) exit 0 ;;
    -o) program=$2 ;;
    esac
    shift
done
mv "$program" "$program.aarch64" &&
    printf '#!/bin/sh\nexec qemu-aarch64 "%s.aarch64" "$@"\n' "$program" >"$program" && chmod +x "$program"
END
chmod +x cc
cat >hello.c <<'END'
#include <math.h>
#if !defined(__aarch64__) || !defined(__ARM_NEON)
#error no NEON
#endif
int main(int count, char **words) { return words[0] && sinf((float)count) > 2; }
END
./cc hello.c -o hello -lm 2>err && ./hello 2>>err || {
    echo "skipped: clang, lld, qemu-user and libraries for AArch64 are needed: $(head -n 1 err)"
    exit 77
}

# neon MODEL OPTION...: check passes
neon() {
    expect 0 "" ternc check "$@" --quiet --target aarch64 --cc ./cc --samples 1
    says PASS
}
fashion=$TERNC_SOURCE/examples/fashion/fashion.onnx
for lowering in unroll sparse packed dense; do
    neon "$fashion" --lowering $lowering --optimize speed
done
neon "$fashion" --optimize size
neon "$fashion" --method none
if have_shared models/kws01_dscnn_bn.onnx; then
    for lowering in unroll packed; do
        neon "$TERNC_SHARED/models/kws01_dscnn_bn.onnx" --lowering $lowering --optimize speed
    done
fi
# Products of bytes, where there is an instruction for them and where there is none.
/usr/bin/python3 -c 'import numpy; numpy.save("samples.npy", numpy.random.RandomState(1).rand(4, 1, 28, 28).astype("f"))'
int8="--activations int8 --calibrate samples.npy --io int8 --lowering dense"
dots="-O1 -march=armv8.2-a+dotprod"
# shellcheck disable=SC2086
{
    neon "$fashion" $int8
    neon "$fashion" $int8 --cflags "$dots"
    neon "$fashion" $int8 --cflags "$dots" --method none
}

# breaks EDIT OPTION...: what sed makes of the generated C does not pass; the programs above did run that line.
breaks() {
    cat >broken <<END
#!/bin/sh
for f; do
    case \$f in
    */fashion.c) sed '$1' "\$f" >"\$f.new" && ! cmp -s "\$f" "\$f.new" && mv "\$f.new" "\$f" ;;
    esac
done
exec ./cc "\$@"
END
    chmod +x broken
    edit=$1
    shift
    ternc check "$fashion" --quiet --target aarch64 --cc ./broken --samples 1 "$@" >out 2>err
    [ $? -eq 1 ] || complain "passes with $edit"
    says DIFFERS
}
breaks 's/vshlq_n_u32(q, 27)/vshlq_n_u32(q, 26)/' --lowering packed
# shellcheck disable=SC2086
breaks 's/"sdot /"udot /' $int8 --cflags "$dots"
finish
