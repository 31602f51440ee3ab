# cli_bits.sh - flash per ternary weight: LeNet-5 with random weights near their entropy, on a Cortex-M4, everything
# counted but scale and bias of the outputs; and the same from the predictions, which unrolled layers are held to as well.
. "$TERNC_SOURCE/tests/cli/expect.sh"
need_onnx
epilogues=$((2 * 4 * (32 + 64 + 512 + 10)))

# bits DENSITY LIMIT: in thousandths of a bit
bits() {
    /usr/bin/python3 "$TERNC_SOURCE/tests/models/make_lenet5.py" net.onnx "$1" || exit 1
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

/usr/bin/python3 - "$TERNC_SOURCE/tests/tools" <<'END' || exit 1
import sys
tools, sys.argv[1] = sys.argv[1], "."
sys.path.insert(0, tools)
import bench_layers as layers
import numpy as np
import onnx
for density in (3, 50):
    shares = [density / 200, 1 - density / 100, density / 200]
    matrix = np.random.default_rng(density).choice([-1.0, 0.0, 1.0], (128, 256), p=shares)
    onnx.save(layers.one_node("MatMul", [1, 128], [1, 256], matrix), f"fc_{density}.onnx")
    onnx.save(layers.make_model(64, 64, 1, 10, density / 100, density), f"pointwise_{density}.onnx")
    onnx.save(layers.make_model(16, 32, 3, 16, density / 100, density), f"conv_{density}.onnx")
END
for model in fc_3 fc_50 pointwise_3 pointwise_50 conv_3 conv_50; do
    for aim in speed size; do
        expect 0 "" ternc size $model.onnx --methods twn --keep none --optimize $aim --lowerings unroll \
            --targets x86-64,aarch64,cortex-m4,rv32imac --csv --no-cache
        cp out sizes
        for target in x86-64 aarch64 cortex-m4 rv32imac; do
            flash=$(awk -F, -v target=$target '$4 == target && $5 == "total" { print $7 + $8 }' sizes)
            expect 0 "" ternc compile $model.onnx -o c --name net --keep none --optimize $aim --lowering unroll \
                --target $target --quiet
            predicted=$(sed -n 's/^predicted .*: \([0-9,]*\) bytes$/\1/p' out | tr -d ,)
            [ $((predicted * 3)) -ge $((flash * 2)) ] && [ $((predicted * 2)) -le $((flash * 3)) ] ||
                complain "$model for $aim, $target: $predicted bytes predicted, $flash measured"
        done
    done
done
finish
