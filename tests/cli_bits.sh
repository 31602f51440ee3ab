# cli_bits.sh - flash per ternary weight: LeNet-5 with random weights near their entropy, on a Cortex-M4, everything
# counted but scale and bias of the outputs; and the same from the predictions.
. "$TERNC_SOURCE/tests/expect.sh"
need_onnx
epilogues=$((2 * 4 * (32 + 64 + 512 + 10)))

# bits DENSITY LIMIT: in thousandths of a bit
bits() {
    /usr/bin/python3 "$TERNC_SOURCE/tests/make_lenet5.py" net.onnx "$1" || exit 1
    expect 0 "" ternc size net.onnx --methods twn --keep none --targets cortex-m4 --json --no-cache
    flash=$(/usr/bin/python3 -c 'import json; print(json.load(open("out"))["results"][0]["flash"])')
    thousandths=$((8000 * (flash - epilogues) / 581408))
    echo "density $1: $flash bytes of flash, $thousandths / 1000 bits per weight without scale and bias"
    [ "$thousandths" -le "$2" ] || complain "density $1: $thousandths / 1000 bits per weight, more than $2"
    expect 0 "" ternc compile net.onnx -o c --name net --keep none --optimize size --target cortex-m4 --quiet
    predicted=$(sed -n 's/^predicted .*: \([0-9,]*\) bytes$/\1/p' out | tr -d ,)
    [ $((predicted * 100)) -ge $((flash * 90)) ] && [ $((predicted * 100)) -le $((flash * 110)) ] ||
        complain "density $1: $predicted bytes predicted, $flash measured"
}
bits 0.02 200
bits 0.5 1700
finish
