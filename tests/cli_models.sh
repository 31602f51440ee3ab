# cli_models.sh - check on real models: float and ternary, every lowering, gcc too. Their folder is not part of the
# repository.
. "$TERNC_SOURCE/tests/expect.sh"
models=$TERNC_SHARED/models
[ -d "$models" ] || {
    echo "SKIPPED: there is no folder $models"
    exit 77
}

# LSTM is not supported in this version, and said to be.
expect 1 "...unsupported operators: LSTM" ternc check "$models/dtln_model_1.onnx"

for model in "$models"/*.onnx; do
    case $model in
    *dtln*) continue ;;
    esac
    expect 0 "" ternc check "$model" --quiet --method none
    says "PASS"
    expect 0 "" ternc check "$model" --quiet --method none --lowering dense --cc gcc
    for lowering in auto unroll sparse packed; do
        expect 0 "" ternc check "$model" --quiet --lowering "$lowering"
        says "PASS"
    done
    expect 0 "" ternc check "$model" --quiet --keep none --optimize size --cc gcc --cflags "-O2"
    says "PASS"
done
finish
