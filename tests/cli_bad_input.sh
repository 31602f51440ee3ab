# cli_bad_input.sh - every bad model: a clear message, exit code 1, and nothing written by any command.
. "$TERNC_SOURCE/tests/expect.sh"
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
refuse nested "m/nested.onnx"
refuse no_outputs "the graph has no outputs"
refuse cycle "the graph has a cycle: 'second' -> 'first' -> 'second'"
refuse dangling "node 'act' (Relu): its input 'nowhere' is not made by any node"
refuse no_producer "output 'y' is not made by any node"
refuse duplicate "node 'second' (Relu): its output 'y' is defined twice"
refuse unsupported "unsupported operators: Frobnicate (node 'f1'), com.example.Wobble (node 'w1')"
refuse old_opset "opset 6"
refuse new_opset "opset 99"
refuse contradiction "node 'fc' (MatMul)"
refuse wrong_output "'y'"
refuse negative_dim "-4"
refuse huge_dim "m/huge_dim.onnx"
refuse kernel_too_large "node 'conv' (Conv)"
refuse short_data "'w'"
refuse unknown_attribute "node 'act' (Relu)"
refuse attribute_type "node 'soft' (Softmax)"
refuse attribute_range "node 'soft' (Softmax)"
refuse zero_stride "node 'conv' (Conv)"

# Weights that are not numbers cannot become ternary; as they are, they are the user's business.
for model in nan_weight infinite_weight; do
    expect 1 "...m/$model.onnx" ternc compile m/$model.onnx -o new
    expect 1 "...fc1" ternc ternarize m/$model.onnx -o new.onnx
    expect 0 "" ternc inspect m/$model.onnx
    absent new
    absent new.onnx
done
finish
