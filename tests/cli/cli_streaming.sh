# cli_streaming.sh - the streaming example: frame by frame with the state carried along is the same as the whole sequence
# at once, in one array as in two; and the same program around a speech model whose state has four parts.
. "$TERNC_SOURCE/tests/cli/expect.sh"
example=$TERNC_SOURCE/examples/streaming
speech=${TERNC_SHARED:-}/models/dtln_model_1.onnx
/usr/bin/python3 -c 'import numpy' 2>/dev/null || {
    echo "skipped: python3-numpy is not installed"
    exit 77
}

# frames FEATURES COUNT: random positive frames as raw floats and as .npy
frames() {
    /usr/bin/python3 - "$1" "$2" <<'END'
import sys
import numpy as np
x = np.random.default_rng(3).uniform(0, 2, (int(sys.argv[2]), 1, int(sys.argv[1]))).astype(np.float32)
x.tofile("frames.f32")
np.save("frames.npy", x)
END
}

# stream MODEL OPTIONS: builds the example around it, runs it in both ways
stream() {
    model=$1
    shift
    expect 0 "" ternc compile "$model" -o net --name net --quiet "$@"
    gcc -std=c99 -O1 -Wall -Wextra -Wpedantic -Wconversion -Werror -Inet "$example/main.c" net/net.c -lm -o stream \
        2>err || complain "the example does not compile"
    ./stream <frames.f32 >one.f32 2>err || complain "the example fails"
    ./stream two <frames.f32 >two.f32 2>err || complain "the example fails"
    same one.f32 two.f32
}

# close FILE.f32 FILE.npy: equal but for rounding
close() {
    /usr/bin/python3 - "$1" "$2" >out 2>err <<'END' || complain "$1 and $2 differ"
import sys
import numpy as np
a, b = np.fromfile(sys.argv[1], np.float32), np.load(sys.argv[2]).ravel()
assert a.shape == b.shape and a.size and np.abs(b).max() > 0.01, (a.shape, b.shape)
assert np.abs(a - b).max() < 1e-5, np.abs(a - b).max()
END
}

frames 8 16
# The method's words are split on purpose.
for method in "none" "twn --keep none"; do
    # shellcheck disable=SC2086
    expect 0 "" ternc run "$example/sequence.onnx" --quiet --method $method --input frames.npy --output whole.npy
    for lowering in dense packed sparse unroll auto; do
        for model in stream sequence; do
            # shellcheck disable=SC2086
            expect 0 "" ternc check "$example/$model.onnx" --quiet --method $method --lowering "$lowering"
        done
        # shellcheck disable=SC2086
        stream "$example/stream.onnx" --method $method --lowering "$lowering"
        close one.f32 whole.npy
    done
done

# What a ternary model says of itself, and the same from its ONNX file.
expect 0 "" ternc inspect "$example/stream.onnx" --method twn --keep none
says "LSTM R"
says "GRU W"
expect 0 "" ternc ternarize "$example/stream.onnx" --keep none --quiet -o ternary.onnx
expect 0 "" ternc compile ternary.onnx -o again --name net --quiet --method none
sed 's/ternary\.onnx/stream.onnx/' again/net.c >again.c
same again.c net/net.c

if have_shared models/dtln_model_1.onnx; then
    expect 0 "" ternc check "$speech" --quiet --method none
    says "PASS"
    for lowering in auto unroll sparse packed dense; do
        expect 0 "" ternc check "$speech" --quiet --method twn --lowering "$lowering"
        says "PASS"
    done
    frames 257 5
    stream "$speech"
    /usr/bin/python3 -c 'import numpy as np; np.save("state.npy", np.zeros((1, 2, 128, 2), np.float32))'
    for i in 0 1 2 3 4; do
        /usr/bin/python3 -c "import numpy as np; np.save('frame.npy', np.load('frames.npy')[$i:$i + 1])"
        expect 0 "" ternc run "$speech" --quiet --method twn --input frame.npy --input state.npy \
            --output "y$i.npy" --output state.npy
    done
    /usr/bin/python3 -c 'import numpy as np; np.save("whole.npy", np.concatenate([np.load(f"y{i}.npy") for i in range(5)]))'
    close one.f32 whole.npy
fi
finish
