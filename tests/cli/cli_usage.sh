# cli_usage.sh - help, version, exit code 2, the program's own file: nothing here reads a model.
. "$TERNC_SOURCE/tests/cli/expect.sh"

expect 0 "" ternc --version
says "ternc "
expect 0 "" ternc --help
for command in inspect compile ternarize run eval check size bench; do
    says "  $command "
    expect 0 "" ternc "$command" --help
    says "Usage: ternc $command MODEL.onnx"
    says "Examples:"
    says "  ternc $command net.onnx"
    expect 0 "" ternc --help
done
expect 0 "" ternc compile --help
says "  -o, --output DIR "
says "      --lowering auto|unroll|sparse|packed|dense"
expect 0 "" ternc compile -h
expect 0 "" ternc inspect missing.onnx --frob --help

expect 2 "ternc: usage: no command given; 'ternc --help' lists the commands" ternc
expect 2 "ternc: usage: unknown command 'walk'; there are: inspect, compile, ternarize, run, eval, check, size, bench" ternc walk m
expect 2 "ternc: usage: 'ternc inspect' needs a model: ternc inspect MODEL.onnx" ternc inspect
expect 2 "ternc: usage: unexpected argument 'b.onnx': ternc inspect MODEL.onnx" ternc inspect a.onnx b.onnx
expect 2 "ternc: usage: unknown option '--frob'; 'ternc compile --help' lists the options" ternc compile m --frob
expect 2 "ternc: usage: --output needs a value: --output DIR" ternc compile m -o
expect 2 "ternc: usage: 'ternc compile' needs --output: ternc compile MODEL.onnx... -o DIR" ternc compile m
expect 2 "ternc: usage: --method: 'foo' is not one of none|twn|sca|stp" ternc inspect m --method foo
expect 2 "ternc: usage: --sparsity S: '1.5' is not a number between 0 and 1" ternc compile m -o d --sparsity 1.5
expect 2 "ternc: usage: --method sca trains the weights: use 'ternc ternarize' or 'ternc compile' with --data SPEC" \
    ternc ternarize m -o d --method sca
expect 2 "ternc: usage: --lr is for training: it needs --data SPEC" ternc ternarize m -o d --method stp --lr 0.1
expect 2 "ternc: usage: 'ternc inspect' does not take --explain; it belongs to: compile, size" ternc inspect m --explain
expect 2 "ternc: usage: 'ternc eval' needs --data SPEC" ternc eval m

# The program does not say where it was built; sanitizers put it in.
for folder in "$TERNC_SOURCE" "$(dirname "$TERNC_BIN")"; do
    grep -aqF __asan_init "$TERNC_BIN" || ! grep -aqF "$folder" "$TERNC_BIN" ||
        complain "the program contains the path $folder"
done

expect 1 "ternc: error: cannot write to standard output" sh -c '"$TERNC_BIN" --help >/dev/full'
finish
