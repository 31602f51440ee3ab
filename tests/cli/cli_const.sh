# cli_const.sh - --const NAME=FILE: an input whose value is known at compile time becomes a constant.
. "$TERNC_SOURCE/tests/cli/expect.sh"
make_models

expect 1 "ternc: error: m/reshape.onnx: node 'view' (Reshape): input 1 ('shape') must be a constant: its value is not known at compile time; --const shape=FILE gives it [inputs float[2,3], int64[2]]" \
    ternc compile m/reshape.onnx -o none --dim length=3
absent none
for value in rows3.npy rows3.pb; do
    expect 0 "" ternc run m/reshape.onnx --dim length=3 --const shape=m/$value --input m/six.npy --output y.npy
    /usr/bin/python3 -c 'import numpy as np; assert np.load("y.npy").tolist() == [[0, 2], [4, 6], [8, 10]]' ||
        complain "run --const: wrong values"
done
# A value for an input that has a default; its size is that of the symbolic dimension.
expect 0 "" ternc run m/reshape.onnx --const shape=m/rows3.npy --const k=m/k.npy --input m/six.npy --output y.npy
/usr/bin/python3 -c 'import numpy as np; assert np.load("y.npy").tolist() == [[0, 10], [200, 3], [40, 500]]' ||
    complain "run --const: the default stays"
expect 0 "" ternc inspect m/reshape.onnx --const shape=m/rows3.npy --const k=m/k.npy
says "x      float[2,3]"
grep -q "^shape " out && complain "inspect lists a constant among the inputs"
expect 0 "" ternc check m/reshape.onnx --const shape=m/rows3.npy --const k=m/k.npy
expect 0 "" ternc compile m/reshape.onnx -o gen --const shape=m/rows3.npy --const k=m/k.npy
grep -q "void reshape_run(const float \*in_x, float \*out_y);" gen/reshape.h || complain "the constants are still inputs"
expect 0 "" ternc ternarize m/reshape.onnx -o fixed.onnx --const shape=m/rows3.npy --const k=m/k.npy
expect 0 "" ternc run fixed.onnx --input m/six.npy --output y2.npy
same y.npy y2.npy

expect 2 "ternc: usage: --const s=m/k.npy: m/reshape.onnx has no input of that name; it has: x k shape" \
    ternc compile m/reshape.onnx -o none --const s=m/k.npy
expect 2 "ternc: usage: --const k=m/k.npy: the input is given twice" \
    ternc compile m/reshape.onnx -o none --const k=m/k.npy --const k=m/k.npy
expect 1 "ternc: error: m/k.npy: float[3] does not fit input 'shape' of m/reshape.onnx, which is int64[2]" \
    ternc compile m/reshape.onnx -o none --const shape=m/k.npy
expect 1 "ternc: error: m/k.npy: float[3] does not fit input 'k' of m/reshape.onnx, whose dimension 'length' is 4" \
    ternc compile m/reshape.onnx -o none --dim length=4 --const k=m/k.npy
expect 1 "ternc: error: missing.npy: cannot read: No such file or directory" \
    ternc compile m/reshape.onnx -o none --const k=missing.npy
absent none

# CONST of ternc_add_model: files are found from the project's folder, and a changed one compiles the model anew.
build=$(dirname "$TERNC_BIN")
if have cmake; then
    mkdir project
    cat >project/CMakeLists.txt <<'P'
cmake_minimum_required(VERSION 3.20)
project(p C)
find_package(ternc REQUIRED)
ternc_add_model(net MODEL ../m/reshape.onnx NAME net DIM length=3 CONST shape=../m/rows3.npy)
P
    cmake -S project -B project/build "-Dternc_DIR=$build" >out 2>err || complain "ternc_add_model: CONST"
    cmake --build project/build >out 2>err || complain "the model with a constant was not built"
    grep -q "define NET_OUTPUT0*_DIM0 *3" project/build/ternc/net/net.h || complain "CONST was not used"
    sed -i 's/shape=/shape /' project/CMakeLists.txt
    if cmake -S project -B project/build >out 2>err; then complain "CONST without = was accepted"; fi
    grep -q "CONST shape is not NAME=FILE" err || complain "no message on CONST without ="
    # Samples of CALIBRATE likewise.
    cat >lists <<'P'
ternc_add_model(net MODEL ../m/tiny.onnx NAME net ACTIVATIONS int8 CALIBRATE x=../m/x.npy CALIBRATION minmax IO int8)
P
    sed '/^ternc_add_model/d' project/CMakeLists.txt | cat - lists >joined && mv joined project/CMakeLists.txt
    cmake -S project -B project/build >out 2>err || complain "ternc_add_model: CALIBRATE"
    cmake --build project/build >out 2>err || complain "the model of codes was not built"
    grep -q "define NET_INPUT0_ZERO_POINT" project/build/ternc/net/net.h || complain "IO int8 was not used"
    touch m/x.npy
    cmake --build project/build >out 2>err
    grep -q "Compiling the model" out || complain "other samples do not compile the model anew"
fi
finish
