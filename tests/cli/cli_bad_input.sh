# cli_bad_input.sh - every bad model: a clear message, exit code 1, and nothing written by any command.
. "$TERNC_SOURCE/tests/cli/expect.sh"
make_models

# refuse MODEL TEXT: TEXT is a part of the message of every command
refuse() {
    expect 1 "...$2" ternc inspect "m/$1.onnx"
    expect 1 "...$2" ternc compile "m/$1.onnx" -o new
    expect 1 "...$2" ternc ternarize "m/$1.onnx" -o new.onnx
    expect 1 "...$2" ternc run "m/$1.onnx" -i m/x.npy -o new.npy
    expect 1 "...$2" ternc eval "m/$1.onnx" --data m/scores.npz
    grep -q "^ternc: error: m/$1.onnx: " err || complain "$1: the message does not start with the file"
    absent new
    absent new.onnx
    absent new.npy
}

refuse missing "m/missing.onnx: cannot read: No such file or directory"
refuse folder "m/folder.onnx: cannot read: it is a directory"
refuse empty "not an ONNX file: it is empty"
refuse text "not an ONNX file: it is text"
refuse cut "a field reaches behind the end"
refuse nested "it is nested too deeply"
refuse no_outputs "the graph has no outputs"
refuse cycle "the graph has a cycle: 'second' -> 'first' -> 'second'"
refuse dangling "node 'act' (Relu): its input 'nowhere' is not made by any node"
refuse no_producer "output 'y' is not made by any node"
refuse duplicate "node 'second' (Relu): its output 'y' is defined twice"
refuse unsupported "unsupported operators: Frobnicate (node 'f1'), com.example.Wobble (node 'w1')"
refuse old_opset "opset -6"
refuse new_opset "opset 99"
refuse contradiction "node 'fc' (MatMul): inner sizes 4 and 5 differ"
refuse wrong_output "output 'y' is declared as float[1,5], but the graph computes float[1,4]"
refuse negative_dim "input 'x': dimension 1 is -4"
refuse huge_dim "input 'x': shape float[1099511627776,1099511627776] is too large"
refuse kernel_too_large "node 'conv' (Conv): the window covers 5 elements, the padded input has 3"
refuse short_data "initializer 'w': float[5,3] needs 60 bytes, but raw_data has 56"
refuse unknown_attribute "node 'act' (Relu): unsupported: attribute 'slope' of Relu"
refuse attribute_type "node 'soft' (Softmax): attribute 'axis' must be of type int, not float"
refuse attribute_range "node 'soft' (Softmax): axis 5 is out of range for rank 2"
refuse zero_stride "node 'conv' (Conv): attribute 'strides' has the value 0"

refuse nan_weight "node 'fc1' (MatMul): weight 'w' has the value NaN at position 7 of 12"
refuse infinite_weight "node 'fc1' (MatMul): weight 'w' has the value +infinity"
finish
