# cli_check_models.sh - check on the shared models: float and ternary, in every lowering.
: "${TERNC_BIN:?}" "${TERNC_SHARED:?}"
models=$TERNC_SHARED/models
[ -d "$models" ] || { echo "skipped: no folder $models"; exit 77; }
command -v clang >/dev/null || { echo "skipped: no clang"; exit 77; }
failed=0

check() {
    "$TERNC_BIN" check -q "$models/$1.onnx" --method "$2" --lowering "$3" --samples "$4" --optimize "${5:-speed}" >out 2>&1 &&
        return
    failed=1
    echo "FAILED: $1 --method $2 --lowering $3 --optimize ${5:-speed}"
    sed 's/^/    /' out
}

# Float layers have one lowering; others matter only to weights that are ternary already, of which these have none.
for model in deepC_mnist ic01_resnet8_bn kws01_dscnn_bn micro_kws_m_fp32 mnist-8 qonnx_espcn_subpixel tfl_helloworld_sine; do
    check $model none auto 2
    for lowering in auto unroll sparse packed dense; do
        check $model twn $lowering 1
    done
    for lowering in sparse packed; do # their small tables
        check $model twn $lowering 1 size
    done
done
check super-resolution-10 none auto 1
check super-resolution-10 twn auto 1
check super-resolution-10 twn sparse 1

# Inputs from files, and from a data set.
"$TERNC_BIN" check -q "$models/mnist-8.onnx" --input "$models/mnist-8_testdata/test_data_set_0/input_0.pb" >out 2>&1 ||
    { failed=1; cat out; }
digits=$TERNC_SHARED/data/mnist/t10k-images-idx3-ubyte.gz,$TERNC_SHARED/data/mnist/t10k-labels-idx1-ubyte.gz
"$TERNC_BIN" check -q "$models/mnist-8.onnx" --data "$digits" --samples 5 >out 2>&1 || { failed=1; cat out; }
grep -q 'agree on 5 samples' out || { failed=1; cat out; }
exit $failed
