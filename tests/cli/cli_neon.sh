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

# A wrong sign in the table look-ups of NEON is found: the programs above did run them.
cat >broken <<'END'
#!/bin/sh
for f; do
    case $f in
    */fashion.c) sed 's/vshlq_n_u32(q, 27)/vshlq_n_u32(q, 26)/' "$f" >"$f.new" && ! cmp -s "$f" "$f.new" && mv "$f.new" "$f" ;;
    esac
done
exec ./cc "$@"
END
chmod +x broken
ternc check "$fashion" --quiet --target aarch64 --cc ./broken --samples 1 --lowering packed --optimize speed >out 2>err
[ $? -eq 1 ] || complain "a wrong sign in NEON's look-ups passes"
says DIFFERS
finish
