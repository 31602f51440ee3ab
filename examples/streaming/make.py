#!/usr/bin/python3
"""make.py - the models of the streaming example: a GRU behind an LSTM with random weights, once as stream.onnx for one
frame, which takes its state as an input and gives it back, and once as sequence.onnx for 16 frames at once. Both compute
the same. Needs python3-onnx and python3-numpy: /usr/bin/python3 make.py"""
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

FEATURES, HIDDEN, CLASSES, FRAMES = 8, 16, 4, 16


def weights():
    rng = np.random.default_rng(7)

    def draw(name, *shape):
        return numpy_helper.from_array(rng.normal(0, 0.4, shape).astype(np.float32), name)

    return [
        draw("lstm_w", 1, 4 * HIDDEN, FEATURES),
        draw("lstm_r", 1, 4 * HIDDEN, HIDDEN),
        draw("lstm_b", 1, 8 * HIDDEN),
        draw("gru_w", 1, 3 * HIDDEN, HIDDEN),
        draw("gru_r", 1, 3 * HIDDEN, HIDDEN),
        draw("gru_b", 1, 6 * HIDDEN),
        draw("classes", HIDDEN, CLASSES),
    ]


def layers(states):
    lstm_in, gru_in = (["", "h0", "c0"], ["", "g0"]) if states else ([], [])
    return [
        helper.make_node("LSTM", ["frame", "lstm_w", "lstm_r", "lstm_b"] + lstm_in, ["a", "h1", "c1"], "lstm",
                         hidden_size=HIDDEN),
        helper.make_node("Squeeze", ["a", "direction"], ["b"]),
        helper.make_node("GRU", ["b", "gru_w", "gru_r", "gru_b"] + gru_in, ["c", "g1"], "gru", hidden_size=HIDDEN,
                         linear_before_reset=1),
        helper.make_node("Squeeze", ["c", "direction"], ["d"]),
        helper.make_node("MatMul", ["d", "classes"], ["score"], "score"),
    ]


def save(path, frames, nodes, inputs, outputs):
    def value(name, *shape):
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)

    state = [value("state", 3, 1, 1, HIDDEN)] if inputs else []
    new_state = [value("new_state", 3, 1, 1, HIDDEN)] if outputs else []
    direction = numpy_helper.from_array(np.array([1], np.int64), "direction")
    zero = numpy_helper.from_array(np.array([0], np.int64), "zero")
    graph = helper.make_graph(nodes, "streaming", [value("frame", frames, 1, FEATURES)] + state,
                              [value("score", frames, 1, CLASSES)] + new_state,
                              weights() + [direction] + ([zero] if inputs else []))
    model = helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 17)], producer_name="make.py")
    onnx.checker.check_model(model)
    onnx.save(model, path)


def main():
    split = [helper.make_node("Split", ["state"], ["s0", "s1", "s2"], axis=0)]
    split += [helper.make_node("Squeeze", [s, "zero"], [n]) for s, n in (("s0", "h0"), ("s1", "c0"), ("s2", "g0"))]
    join = [helper.make_node("Unsqueeze", [s, "zero"], [s + "_"]) for s in ("h1", "c1", "g1")]
    join += [helper.make_node("Concat", ["h1_", "c1_", "g1_"], ["new_state"], axis=0)]
    save("stream.onnx", 1, split + layers(True) + join, True, True)
    save("sequence.onnx", FRAMES, layers(False), False, False)


main()
