# cli_instructions.sh - generated code on emulated microcontrollers: ternary builds execute fewer instructions than the
# float build of the same model, and compute the same on every machine. What lacks its tools is skipped by name.
. "$TERNC_SOURCE/tests/cli/expect.sh"

# count TARGET MODEL OPTION...: sets instructions and checksum
count() {
    sh "$TERNC_SOURCE/tests/tools/instructions.sh" "$@" >out 2>err
    case $? in
    0) read -r instructions checksum <out ;;
    77)
        cat err
        skipped=yes
        return 1
        ;;
    *)
        complain "$*"
        return 1
        ;;
    esac
}

# compare TARGET MODEL PERCENT: the ternary build needs at most that share of the float build's instructions
compare() {
    count "$1" "$2" --method none || return 0
    float=$instructions
    [ "$float" -gt 1000 ] || complain "$1: a run of $2 of $float instructions"
    count "$1" "$2" --method twn || return 0
    echo "$1 $(basename "$2"): float $float, ternary $instructions instructions"
    [ $((100 * instructions)) -le $((float * $3)) ] ||
        complain "$1: $2: $instructions instructions, more than $3 % of the $float of the float build"
}

fashion=$TERNC_SOURCE/examples/fashion/fashion.onnx
compare cortex-m4 "$fashion" 50
compare rv32imafc "$fashion" 50
compare cortex-m0 "$fashion" 50
compare rv32imac "$fashion" 50
! have_shared models/mnist-8.onnx || compare cortex-m4 "$TERNC_SHARED/models/mnist-8.onnx" 33

# Without a multiplication shifts save calls of __mulsi3: at least a fifth of all instructions.
shifts() {
    mnist=$TERNC_SHARED/models/mnist-8.onnx
    set -- --keep none --io int8 --activations int8 --calibrate "$TERNC_SHARED/data/mnist/t10k-images-idx3-ubyte.gz"
    count rv32ic "$mnist" "$@" || return 0
    any=$instructions
    count rv32ic "$mnist" "$@" --scales pow2 || return 0
    echo "rv32ic mnist-8.onnx: scales of any size $any, powers of two $instructions instructions"
    [ $((5 * instructions)) -le $((4 * any)) ] || complain "rv32ic: $instructions instructions with shifts, $any without"
}
! have_shared models/mnist-8.onnx || shifts

# The same tables on two machines: additions in the same order, so the same bits.
if count cortex-m4 "$fashion" --optimize size --lowering packed; then
    first=$checksum
    ! count cortex-m0 "$fashion" --optimize size --lowering packed || [ "$checksum" = "$first" ] ||
        complain "a Cortex-M0 computes something else than a Cortex-M4"
fi
finish
