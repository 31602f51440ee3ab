/* op_cases_recurrent.h - rows of the case table: LSTM, GRU and RNN. Constant weights become layers, run-time
 * weights stay matrices; both are here. onnxruntime cannot do without hidden_size. */
#define ROW(NAME, ...) {.name = #NAME, .text = __VA_ARGS__},

/* clang-format off */
ROW(rnn_hand, "g (float[2,1,1] x) => (y, h) <float[1,1,1] w = {2}, float[1,1,1] r = {10}, float[1,2] b = {0.5, 0.25}>"
    " { y, h = RNN <hidden_size = 1, activations = [\"Affine\"], activation_alpha = [1.0], activation_beta = [0.0]> (x, w, r, b) }", .in = "1 3", .out = "2.75 34.25; 34.25")
ROW(rnn_reverse_hand, "g (float[2,1,1] x) => (y, h) <float[1,1,1] w = {2}, float[1,1,1] r = {10}>"
    " { y, h = RNN <hidden_size = 1, activations = [\"Relu\"], direction = \"reverse\"> (x, w, r) }", .in = "1 3", .out = "62 6; 62")
ROW(rnn_forward, "g (float[4,2,3] x) => (y, h) <float[1,5,3] w = seed 1, float[1,5,5] r = seed 2, float[1,10] b = seed 3>"
    " { y, h = RNN <hidden_size = 5> (x, w, r, b) }")
ROW(rnn_bidirectional, "g (float[4,2,3] x, float[2,2,5] h0) => (y, h) <float[2,5,3] w = seed 1, float[2,5,5] r = seed 2>"
    " { y, h = RNN <hidden_size = 5, activations = [\"Tanh\", \"Sigmoid\"], direction = \"bidirectional\"> (x, w, r, , , h0) }")
ROW(rnn_lengths, "g (float[4,3,2] x, int32[3] n) => (y, h) <float[1,3,2] w = seed 1, float[1,3,3] r = seed 2>"
    " { y, h = RNN <hidden_size = 3> (x, w, r, , n) }", .low = 1, .high = 4)
ROW(rnn_lengths_hand, "g (float[3,2,1] x, int32[2] n, float[2,2,1] h0) => (y, h)"
    " <float[2,1,1] w = {1, 1}, float[2,1,1] r = {10, 10}>"
    " { y, h = RNN <hidden_size = 1, activations = [\"Affine\", \"Affine\"], activation_alpha = [1.0, 1.0], activation_beta = [0.0, 0.0], direction = \"bidirectional\"> (x, w, r, , n, h0) }",
    .in = "1 2 3 4 5 6; 2 1; 1 2 3 4", .out = "11 22 331 42 113 0 33 0 0 0 0 0; 113 22 331 42")
ROW(rnn_length_zero, "g (float[2,1,1] x, int32[1] n, float[1,1,1] h0) => (y, h)"
    " <float[1,1,1] w = {1}, float[1,1,1] r = {10}> { y, h = RNN <hidden_size = 1, activations = [\"Affine\"], activation_alpha = [1.0], activation_beta = [0.0]> (x, w, r, , n, h0) }",
    .in = "1 2; 0; 7", .out = "0 0; 7", .no_oracle = true) /* refuses a length of 0 */
ROW(rnn_run_time, "g (float[3,2,4] x, float[2,5,4] w, float[2,5,5] r, float[2,10] b, float[2,2,5] h0) => (y, h)"
    " { y, h = RNN <hidden_size = 5, direction = \"bidirectional\"> (x, w, r, b, , h0) }")
ROW(rnn_batch_first, "g (float[2,3,4] x, float[2,2,5] h0) => (y, h) <float[2,5,4] w = seed 1, float[2,5,5] r = seed 2>"
    " { y, h = RNN <hidden_size = 5, direction = \"bidirectional\", layout = 1> (x, w, r, , , h0) }",
    .no_oracle = true) /* layout 1 is not implemented there */
ROW(rnn_clip, "g (float[3,2,3] x) => (y) <float[1,4,3] w = seed 1, float[1,4,4] r = seed 2>"
    " { y = RNN <hidden_size = 4, clip = 0.25> (x, w, r) }", .low = -4, .high = 4)
ROW(rnn_only_last, "g (float[3,1,3] x) => (h) <float[1,4,3] w = seed 1, float[1,4,4] r = seed 2> { , h = RNN <hidden_size = 4> (x, w, r) }")
ROW(rnn_double, "g (double[3,2,3] x, double[1,4,3] w, double[1,4,4] r, double[1,8] b) => (y, h) { y, h = RNN <hidden_size = 4> (x, w, r, b) }",
    .no_oracle = true) /* not implemented there */
ROW(rnn_leaky_relu, "g (float[3,2,3] x) => (y) <float[2,4,3] w = seed 1, float[2,4,4] r = seed 2>"
    " { y = RNN <hidden_size = 4, activations = [\"LeakyRelu\", \"LeakyRelu\"], activation_alpha = [0.25], direction = \"bidirectional\"> (x, w, r) }")
ROW(rnn_thresholded_relu, "g (float[3,2,3] x) => (y) <float[1,4,3] w = seed 1, float[1,4,4] r = seed 2>"
    " { y = RNN <hidden_size = 4, activations = [\"ThresholdedRelu\"], activation_alpha = [0.125]> (x, w, r) }")
ROW(rnn_scaled_tanh, "g (float[3,2,3] x) => (y) <float[1,4,3] w = seed 1, float[1,4,4] r = seed 2>"
    " { y = RNN <hidden_size = 4, activations = [\"ScaledTanh\"], activation_alpha = [0.5], activation_beta = [2.0]> (x, w, r) }")
ROW(rnn_affine, "g (float[3,2,3] x) => (y) <float[1,4,3] w = seed 1, float[1,4,4] r = seed 2>"
    " { y = RNN <hidden_size = 4, activations = [\"Affine\"], activation_alpha = [0.5], activation_beta = [0.25]> (x, w, r) }")
ROW(rnn_hard_sigmoid, "g (float[3,2,3] x) => (y) <float[1,4,3] w = seed 1, float[1,4,4] r = seed 2>"
    " { y = RNN <hidden_size = 4, activations = [\"HardSigmoid\"]> (x, w, r) }", .low = -3, .high = 3)
ROW(rnn_elu, "g (float[3,2,3] x) => (y) <float[1,4,3] w = seed 1, float[1,4,4] r = seed 2>"
    " { y = RNN <hidden_size = 4, activations = [\"Elu\"], activation_alpha = [0.75]> (x, w, r) }")
ROW(rnn_softsign, "g (float[3,2,3] x) => (y) <float[1,4,3] w = seed 1, float[1,4,4] r = seed 2>"
    " { y = RNN <hidden_size = 4, activations = [\"Softsign\"]> (x, w, r) }")
ROW(rnn_softplus, "g (float[3,2,3] x) => (y) <float[1,4,3] w = seed 1, float[1,4,4] r = seed 2>"
    " { y = RNN <hidden_size = 4, activations = [\"Softplus\"]> (x, w, r) }")
ROW(rnn_bad_activation, "g (float[3,2,3] x) => (y) <float[1,4,3] w = seed 1, float[1,4,4] r = seed 2>"
    " { y = RNN <activations = [\"Gelu\"]> (x, w, r) }", .error = "unsupported: activation 'Gelu'")
ROW(rnn_many_alphas, "g (float[3,2,3] x) => (y) <float[1,4,3] w = seed 1, float[1,4,4] r = seed 2>"
    " { y = RNN <activations = [\"Tanh\"], activation_alpha = [0.5]> (x, w, r) }",
    .error = "'activation_alpha' has 1 values, but only 0 activations take one")
ROW(rnn_no_alpha, "g (float[3,2,3] x) => (y) <float[1,4,3] w = seed 1, float[1,4,4] r = seed 2>"
    " { y = RNN <activations = [\"Affine\"], activation_alpha = [0.5]> (x, w, r) }",
    .error = "activation 'Affine' has no default for 'activation_beta'")
ROW(rnn_bad_direction, "g (float[3,2,3] x) => (y) <float[1,4,3] w = seed 1, float[1,4,4] r = seed 2>"
    " { y = RNN <direction = \"sideways\"> (x, w, r) }", .error = "'direction' is 'sideways'")
ROW(rnn_bad_hidden, "g (float[3,2,3] x) => (y) <float[1,4,3] w = seed 1, float[1,4,4] r = seed 2>"
    " { y = RNN <hidden_size = 5> (x, w, r) }", .error = "'hidden_size' is 5, R has 4 columns")
ROW(rnn_bad_weights, "g (float[3,2,3] x) => (y) <float[1,4,2] w = seed 1, float[1,4,4] r = seed 2> { y = RNN (x, w, r) }",
    .error = "input 1 is float[1,4,2], it must be float[1,4,3]")
ROW(rnn_bad_state, "g (float[3,2,3] x, float[2,4] h) => (y) <float[1,4,3] w = seed 1, float[1,4,4] r = seed 2>"
    " { y = RNN (x, w, r, , , h) }", .error = "input 5 is float[2,4], it must be float[1,2,4]")
ROW(rnn_bad_clip, "g (float[3,2,3] x) => (y) <float[1,4,3] w = seed 1, float[1,4,4] r = seed 2>"
    " { y = RNN <clip = -1.0> (x, w, r) }", .error = "'clip' is -1; it must be positive")

ROW(lstm_hand, "g (float[2,1,1] x) => (y, h, c) <float[1,4,1] w = {1, 2, 3, 4}, float[1,4,1] r = {5, 6, 7, 8}>"
    " { y, h, c = LSTM <hidden_size = 1, activations = [\"Affine\", \"Affine\", \"Affine\"], activation_alpha = [1.0, 1.0, 1.0], activation_beta = [0.0, 0.0, 0.0]> (x, w, r) }",
    .in = "1 0.5", .out = "8 142247; 142247; 2903") /* step 2: i = 40.5, o = 49, f = 57.5, g = 66 */
ROW(lstm_forward, "g (float[4,2,3] x, float[1,2,5] h0, float[1,2,5] c0) => (y, h, c)"
    " <float[1,20,3] w = seed 1, float[1,20,5] r = seed 2, float[1,40] b = seed 3>"
    " { y, h, c = LSTM <hidden_size = 5> (x, w, r, b, , h0, c0) }")
ROW(lstm_reverse, "g (float[4,2,3] x) => (y, h, c) <float[1,20,3] w = seed 1, float[1,20,5] r = seed 2>"
    " { y, h, c = LSTM <hidden_size = 5, direction = \"reverse\"> (x, w, r) }")
ROW(lstm_bidirectional, "g (float[4,2,3] x, float[2,2,5] h0, float[2,2,5] c0) => (y, h, c)"
    " <float[2,20,3] w = seed 1, float[2,20,5] r = seed 2, float[2,40] b = seed 3>"
    " { y, h, c = LSTM <hidden_size = 5, direction = \"bidirectional\"> (x, w, r, b, , h0, c0) }")
ROW(lstm_everything, "g (float[4,3,3] x, int32[3] n, float[2,3,5] h0, float[2,3,5] c0) => (y, h, c)"
    " <float[2,20,3] w = seed 1, float[2,20,5] r = seed 2, float[2,40] b = seed 3, float[2,15] p = seed 4>"
    " { y, h, c = LSTM <hidden_size = 5, direction = \"bidirectional\", activations = [\"HardSigmoid\", \"Tanh\", \"Relu\","
    " \"Sigmoid\", \"Softsign\", \"Elu\"], activation_alpha = [0.25, 0.5], activation_beta = [0.375]> (x, w, r, b, n, h0, c0, p) }",
    .low = 1, .high = 4)
ROW(lstm_peepholes, "g (float[4,2,3] x) => (y, h, c) <float[1,20,3] w = seed 1, float[1,20,5] r = seed 2, float[1,15] p = seed 4>"
    " { y, h, c = LSTM <hidden_size = 5> (x, w, r, , , , , p) }")
ROW(lstm_input_forget, "g (float[4,2,3] x) => (y, h, c) <float[1,20,3] w = seed 1, float[1,20,5] r = seed 2>"
    " { y, h, c = LSTM <hidden_size = 5, input_forget = 1> (x, w, r) }")
ROW(lstm_clip, "g (float[4,2,3] x) => (y, h, c) <float[1,20,3] w = seed 1, float[1,20,5] r = seed 2>"
    " { y, h, c = LSTM <hidden_size = 5, clip = 0.5> (x, w, r) }", .low = -4, .high = 4)
ROW(lstm_clip_cell, "g (float[1,1,1] x, float[1,1,1] h0, float[1,1,1] c0) => (h, c) <float[1,4,1] w = {1, 1, 1, 1}, float[1,4,1] r = {1, 1, 1, 1}>"
    " { , h, c = LSTM <hidden_size = 1, clip = 2.0, activations = [\"Affine\", \"Affine\", \"Affine\"],"
    " activation_alpha = [1.0, 1.0, 1.0], activation_beta = [0.0, 0.0, 0.0]> (x, w, r, , , h0, c0) }",
    .in = "1; 9; 1", .out = "4; 6", .no_oracle = true) /* does not clip what goes into h, the text does */
ROW(lstm_run_time, "g (float[3,2,3] x, float[2,20,3] w, float[2,20,5] r, float[2,40] b, float[2,15] p) => (y, h, c)"
    " { y, h, c = LSTM <hidden_size = 5, direction = \"bidirectional\"> (x, w, r, b, , , , p) }")
ROW(lstm_run_time_bias, "g (float[3,2,3] x, float[1,40] b) => (y) <float[1,20,3] w = seed 1, float[1,20,5] r = seed 2>"
    " { y = LSTM <hidden_size = 5> (x, w, r, b) }")
ROW(lstm_batch_first, "g (float[2,3,4] x, float[2,2,5] h0, float[2,2,5] c0) => (y, h, c)"
    " <float[2,20,4] w = seed 1, float[2,20,5] r = seed 2, float[2,40] b = seed 3>"
    " { y, h, c = LSTM <hidden_size = 5, direction = \"bidirectional\", layout = 1> (x, w, r, b, , h0, c0) }",
    .no_oracle = true) /* layout 1 is not implemented there */
ROW(lstm_only_cell, "g (float[3,1,3] x) => (c) <float[1,20,3] w = seed 1, float[1,20,5] r = seed 2> { , , c = LSTM <hidden_size = 5> (x, w, r) }")
ROW(lstm_ternary, "g (float[3,2,4] x) => (y) <float[1,8,4] w = {1, 0, -1, 0, 0, 0, 0, 0, 1, 1, 0, 0, -1, 0, 0, 1, 0, 1, 0, 1,"
    " -1, -1, 0, 0, 1, 0, 0, 0, 0, 0, 1, 1}, float[1,8,2] r = {1, 0, 0, -1, 0, 0, 2, 2, 0, -2, 1, 0, 0, 1, 3, 0}>"
    " { y = LSTM <hidden_size = 2> (x, w, r) }")
ROW(lstm_bad_peephole, "g (float[4,2,3] x) => (y) <float[1,20,3] w = seed 1, float[1,20,5] r = seed 2, float[1,20] p = seed 4>"
    " { y = LSTM (x, w, r, , , , , p) }", .error = "input 7 is float[1,20], it must be float[1,15]")

ROW(gru_hand, "g (float[1,1,1] x, float[1,1,1] h0) => (h) <float[1,3,1] w = {1, 2, 3}, float[1,3,1] r = {5, 6, 7}, float[1,6] b = {1, 2, 3, 4, 5, 6}>"
    " { , h = GRU <hidden_size = 1, activations = [\"Affine\", \"Affine\"], activation_alpha = [1.0, 1.0], activation_beta = [0.0, 0.0]> (x, w, r, b, , h0) }",
    .in = "1; 2", .out = "-4558") /* z = 16, r = 21, g = 3 + 21*2*7 + 9 = 306: (1 - 16)*306 + 32 = -4558 */
ROW(gru_forward, "g (float[4,2,3] x, float[1,2,5] h0) => (y, h)"
    " <float[1,15,3] w = seed 1, float[1,15,5] r = seed 2, float[1,30] b = seed 3> { y, h = GRU <hidden_size = 5> (x, w, r, b, , h0) }")
ROW(gru_linear_before_reset, "g (float[4,2,3] x, float[1,2,5] h0) => (y, h)"
    " <float[1,15,3] w = seed 1, float[1,15,5] r = seed 2, float[1,30] b = seed 3>"
    " { y, h = GRU <hidden_size = 5, linear_before_reset = 1> (x, w, r, b, , h0) }")
ROW(gru_reverse, "g (float[4,2,3] x) => (y, h) <float[1,15,3] w = seed 1, float[1,15,5] r = seed 2>"
    " { y, h = GRU <hidden_size = 5, direction = \"reverse\"> (x, w, r) }")
ROW(gru_bidirectional, "g (float[4,2,3] x, float[2,2,5] h0) => (y, h)"
    " <float[2,15,3] w = seed 1, float[2,15,5] r = seed 2, float[2,30] b = seed 3>"
    " { y, h = GRU <hidden_size = 5, direction = \"bidirectional\"> (x, w, r, b, , h0) }")
ROW(gru_bidirectional_linear, "g (float[4,3,3] x, int32[3] n) => (y, h)"
    " <float[2,15,3] w = seed 1, float[2,15,5] r = seed 2, float[2,30] b = seed 3>"
    " { y, h = GRU <hidden_size = 5, direction = \"bidirectional\", linear_before_reset = 1, clip = 2.0> (x, w, r, b, n) }", .low = 1, .high = 4)
ROW(gru_lengths, "g (float[4,3,3] x, int32[3] n) => (y, h) <float[1,15,3] w = seed 1, float[1,15,5] r = seed 2>"
    " { y, h = GRU <hidden_size = 5> (x, w, r, , n) }", .low = 1, .high = 4)
ROW(gru_run_time, "g (float[3,2,3] x, float[2,15,3] w, float[2,15,5] r, float[2,30] b) => (y, h)"
    " { y, h = GRU <hidden_size = 5, direction = \"bidirectional\"> (x, w, r, b) }")
ROW(gru_run_time_linear, "g (float[3,2,3] x, float[1,15,3] w, float[1,15,5] r, float[1,30] b) => (y, h)"
    " { y, h = GRU <hidden_size = 5, linear_before_reset = 1> (x, w, r, b) }")
ROW(gru_batch_first, "g (float[2,3,4] x) => (y, h) <float[2,15,4] w = seed 1, float[2,15,5] r = seed 2>"
    " { y, h = GRU <hidden_size = 5, direction = \"bidirectional\", layout = 1> (x, w, r) }",
    .no_oracle = true) /* layout 1 is not implemented there */
ROW(gru_activations, "g (float[3,2,3] x) => (y) <float[1,15,3] w = seed 1, float[1,15,5] r = seed 2>"
    " { y = GRU <hidden_size = 5, activations = [\"HardSigmoid\", \"ScaledTanh\"], activation_alpha = [0.3, 0.5], activation_beta = [0.4, 1.5]> (x, w, r) }")
/* clang-format on */
#undef ROW
