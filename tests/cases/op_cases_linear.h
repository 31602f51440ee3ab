/* op_cases_linear.h - rows of the case table: convolutions, matrix products, pooling. */
#define ROW(NAME, ...) {.name = #NAME, .text = __VA_ARGS__},

/* clang-format off */
ROW(conv_2d, "g (float[1,1,3,3] x) => (y) <float[1,1,2,2] w = {1, 0, 0, -1}> { y = Conv (x, w) }",
    .in = "1 2 3 4 5 6 7 8 10", .out = "-4 -4 -4 -5")
ROW(conv_pads, "g (float[1,2,4,4] x) => (y) <float[3,2,3,3] w = seed 1, float[3] b = {1, 2, 3}>"
    " { y = Conv <kernel_shape = [3, 3], pads = [1, 1, 1, 1]> (x, w, b) }")
ROW(conv_uneven, "g (float[2,3,5,7] x) => (y) <float[4,3,2,3] w = seed 2>"
    " { y = Conv <pads = [0, 2, 1, 0], strides = [2, 1], dilations = [1, 2]> (x, w) }")
ROW(conv_groups, "g (float[1,4,5,5] x) => (y) <float[6,2,3,3] w = seed 3> { y = Conv <group = 2> (x, w) }")
ROW(conv_depthwise, "g (float[1,3,6,6] x) => (y) <float[3,1,3,3] w = seed 4, float[3] b = seed 5>"
    " { y = Conv <group = 3, auto_pad = \"SAME_UPPER\", strides = [2, 2]> (x, w, b) }")
ROW(conv_same_lower, "g (float[1,1,4] x) => (y) <float[1,1,2] w = {1, 10}>"
    " { y = Conv <auto_pad = \"SAME_LOWER\"> (x, w) }", .in = "1 2 3 4", .out = "10 21 32 43")
ROW(conv_same_upper, "g (float[1,1,4] x) => (y) <float[1,1,2] w = {1, 10}>"
    " { y = Conv <auto_pad = \"SAME_UPPER\"> (x, w) }", .in = "1 2 3 4", .out = "21 32 43 4")
ROW(conv_valid, "g (float[1,1,5] x) => (y) <float[1,1,2] w = {1, 10}>"
    " { y = Conv <auto_pad = \"VALID\", strides = [2]> (x, w) }", .in = "1 2 3 4 5", .out = "21 43")
ROW(conv_1d, "g (float[2,3,9] x) => (y) <float[4,3,3] w = seed 6, float[4] b = seed 7>"
    " { y = Conv <pads = [1, 2], dilations = [2], strides = [2]> (x, w, b) }")
ROW(conv_3d, "g (float[1,2,3,4,5] x) => (y) <float[3,2,2,3,2] w = seed 8>"
    " { y = Conv <pads = [1, 0, 1, 0, 1, 0], strides = [1, 2, 1]> (x, w) }")
ROW(conv_double, "g (double[1,2,4,4] x) => (y) <double[2,2,3,3] w = seed 9> { y = Conv (x, w) }",
    .no_oracle = true) /* not implemented there */
ROW(conv_run_time, "g (float[2,4,5,6] x, float[4,2,3,3] w, float[4] b) => (y)"
    " { y = Conv <group = 2, pads = [1, 0, 2, 1], strides = [1, 2], dilations = [2, 1]> (x, w, b) }")
ROW(conv_bad_kernel, "g (float[1,1,4,4] x) => (y) <float[1,1,2,2] w = seed 1> { y = Conv <kernel_shape = [3, 3]> (x, w) }",
    .error = "'kernel_shape' contradicts the weights' shape")
ROW(conv_bad_channels, "g (float[1,3,4,4] x) => (y) <float[1,2,2,2] w = seed 1> { y = Conv (x, w) }",
    .error = "do not fit 3 input channels")
ROW(conv_bad_bias, "g (float[1,2,4,4] x) => (y) <float[1,2,2,2] w = seed 1, float[2] b = {1, 2}> { y = Conv (x, w, b) }",
    .error = "bias float[2] for 1 output channels")
ROW(conv_too_small, "g (float[1,1,2,2] x) => (y) <float[1,1,3,3] w = seed 1> { y = Conv (x, w) }",
    .error = "the window covers 3 elements, the padded input has 2")
ROW(conv_both_pads, "g (float[1,1,4] x) => (y) <float[1,1,2] w = {1, 10}>"
    " { y = Conv <auto_pad = \"SAME_UPPER\", pads = [1, 0]> (x, w) }", .error = "both 'pads' and 'auto_pad'")
ROW(conv_zero_stride, "g (float[1,1,4] x) => (y) <float[1,1,2] w = {1, 10}> { y = Conv <strides = [0]> (x, w) }",
    .error = "'strides' has the value 0")

ROW(conv_transpose_1d, "g (float[1,1,3] x) => (y) <float[1,1,2] w = {1, 10}> { y = ConvTranspose <strides = [2]> (x, w) }",
    .in = "1 2 3", .out = "1 10 2 20 3 30")
ROW(conv_transpose_overlap, "g (float[1,1,3] x) => (y) <float[1,1,3] w = {1, 10, 100}>"
    " { y = ConvTranspose <strides = [2], pads = [1, 0], output_padding = [1]> (x, w) }",
    .in = "1 2 3", .out = "10 102 20 203 30 300 0")
ROW(conv_transpose_2d, "g (float[2,3,4,5] x) => (y) <float[3,2,3,3] w = seed 1, float[2] b = seed 2>"
    " { y = ConvTranspose <strides = [2, 1], pads = [1, 0, 0, 2], dilations = [1, 2]> (x, w, b) }")
ROW(conv_transpose_groups, "g (float[1,4,3,3] x) => (y) <float[4,3,2,2] w = seed 3, float[6] b = seed 4>"
    " { y = ConvTranspose <group = 2, strides = [2, 2]> (x, w, b) }")
ROW(conv_transpose_shape, "g (float[1,1,3,3] x) => (y) <float[1,2,3,3] w = seed 5>"
    " { y = ConvTranspose <strides = [3, 2], output_shape = [10, 8]> (x, w) }")
ROW(conv_transpose_same_upper, "g (float[1,1,3] x) => (y) <float[1,1,3] w = {1, 10, 100}>"
    " { y = ConvTranspose <strides = [2], auto_pad = \"SAME_UPPER\"> (x, w) }", .in = "1 2 3", .out = "1 10 102 20 203 30")
ROW(conv_transpose_same_lower, "g (float[1,1,3] x) => (y) <float[1,1,3] w = {1, 10, 100}>"
    " { y = ConvTranspose <strides = [2], auto_pad = \"SAME_LOWER\"> (x, w) }", .in = "1 2 3", .out = "10 102 20 203 30 300")
ROW(conv_transpose_3d, "g (float[1,2,2,3,2] x) => (y) <float[2,1,2,2,2] w = seed 6>"
    " { y = ConvTranspose <strides = [1, 2, 1], pads = [0, 1, 0, 1, 0, 0]> (x, w) }")
ROW(conv_transpose_run_time, "g (float[2,4,3,4] x, float[4,2,3,2] w, float[4] b) => (y)"
    " { y = ConvTranspose <group = 2, strides = [1, 2], pads = [1, 0, 1, 1]> (x, w, b) }")

/* Every pooling behind a transposed convolution, directly and behind what a layer takes over. */
#define UPPOOLED(NAME, X, W, PARAMETERS, BETWEEN, FROM, OP, STRIDES) \
    ROW(conv_transpose_##NAME, "g (" X " x) => (y) <" W " w = seed 2" PARAMETERS ">" \
        " { u = ConvTranspose <strides = " STRIDES "> (x, w) " BETWEEN " y = " OP " (" FROM ") }")
#define UPPOOLED_BY(NAME, X, W, STRIDES, POOL, OP) \
    UPPOOLED(NAME##_##POOL, X, W, "", "", "u", OP, STRIDES) \
    UPPOOLED(NAME##_relu_##POOL, X, W, "", "v = Relu (u)", "v", OP, STRIDES) \
    UPPOOLED(NAME##_norm_##POOL, X, W, ", float[2] k = {-2, 1}, float[2] o = {.5, -.25}, float[2] q = {2, 3}", \
        "v = BatchNormalization (u, k, o, o, q)", "v", OP, STRIDES) \
    UPPOOLED(NAME##_sigmoid_##POOL, X, W, "", "v = Sigmoid (u)", "v", OP, STRIDES) \
    UPPOOLED(NAME##_leaky_##POOL, X, W, "", "v = LeakyRelu <alpha = -0.5> (u)", "v", OP, STRIDES) \
    UPPOOLED(NAME##_clip_##POOL, X, W, ", float l = {-.25}, float h = {.5}", "v = Clip (u, l, h)", "v", OP, STRIDES)
#define UPPOOLED_IN(NAME, X, W, STRIDES, KERNEL) \
    UPPOOLED_BY(NAME, X, W, STRIDES, max, "MaxPool <kernel_shape = " KERNEL ", strides = " KERNEL ">") \
    UPPOOLED_BY(NAME, X, W, STRIDES, average, "AveragePool <kernel_shape = " KERNEL ", strides = " KERNEL ">") \
    UPPOOLED_BY(NAME, X, W, STRIDES, global_max, "GlobalMaxPool") \
    UPPOOLED_BY(NAME, X, W, STRIDES, global_average, "GlobalAveragePool")
UPPOOLED_IN(1d, "float[2,3,5]", "float[3,2,3]", "[2]", "[2]")
UPPOOLED_IN(2d, "float[1,2,3,4]", "float[2,2,2,3]", "[2, 1]", "[2, 3]")
#undef UPPOOLED_IN
#undef UPPOOLED_BY
#undef UPPOOLED
ROW(conv_transpose_pool_one, "g (float[1,2,3,3] x) => (y) <float[2,2,2,2] w = seed 9>"
    " { u = ConvTranspose (x, w) y = MaxPool <kernel_shape = [1, 1]> (u) }")
ROW(conv_transpose_pool_point, "g (float[1,2,1,1] x) => (y) <float[2,2,1,1] w = seed 9>"
    " { u = ConvTranspose (x, w) y = GlobalAveragePool (u) }")

ROW(matmul_2d, "g (float[2,3] a) => (y) <float[3,2] b = {1, 2, 3, 4, 5, 6}> { y = MatMul (a, b) }",
    .in = "1 0 -1 2 1 0", .out = "-4 -4 5 8")
ROW(matmul_left_constant, "g (float[3,4] b) => (y) <float[2,3] a = seed 1> { y = MatMul (a, b) }")
ROW(matmul_run_time, "g (float[5,7] a, float[7,3] b) => (y) { y = MatMul (a, b) }")
ROW(matmul_vectors, "g (float[4] a, float[4] b) => (y) { y = MatMul (a, b) }", .in = "1 2 3 4; 5 6 7 8", .out = "70")
ROW(matmul_row, "g (float[4] a, float[2,4,3] b) => (y) { y = MatMul (a, b) }")
ROW(matmul_column, "g (float[2,3,4] a, float[4] b) => (y) { y = MatMul (a, b) }")
ROW(matmul_stacks, "g (float[2,1,3,4] a, float[5,4,2] b) => (y) { y = MatMul (a, b) }")
ROW(matmul_stacks_both, "g (float[2,1,3,4] a, float[1,3,4,2] b) => (y) { y = MatMul (a, b) }")
ROW(matmul_attention, "g (float[1,4,6] x) => (y) <float[6,6] q = seed 1, float[6,6] k = seed 2, float[6,6] v = seed 3, float s = {0.5},"
    " int64[4] heads = {1, 4, 2, 3}, int64[3] flat = {1, 4, 6}> {"
    " a = MatMul (x, q)\n b = Reshape (a, heads)\n c = Transpose <perm = [0, 2, 1, 3]> (b)\n"
    " d = MatMul (x, k)\n e = Reshape (d, heads)\n f = Transpose <perm = [0, 2, 3, 1]> (e)\n"
    " h = MatMul (x, v)\n i = Reshape (h, heads)\n j = Transpose <perm = [0, 2, 1, 3]> (i)\n"
    " l = MatMul (c, f)\n m = Mul (l, s)\n n = Softmax (m)\n o = MatMul (n, j)\n"
    " p = Transpose <perm = [0, 2, 1, 3]> (o)\n y = Reshape (p, flat) }")
ROW(matmul_stack_constant, "g (float[2,3,4] a) => (y) <float[4,5] b = seed 2> { y = MatMul (a, b) }")
ROW(matmul_bad, "g (float[2,3] a, float[2,3] b) => (y) { y = MatMul (a, b) }", .error = "inner sizes 3 and 2 differ")
ROW(gemm_plain, "g (float[2,3] a) => (y) <float[3,2] b = {1, 2, 3, 4, 5, 6}, float[2] c = {10, 20}> { y = Gemm (a, b, c) }",
    .in = "1 0 -1 2 1 0", .out = "6 16 15 28")
ROW(gemm_transposed, "g (float[3,2] a, float[4,3] b, float[2,1] c) => (y)"
    " { y = Gemm <transA = 1, transB = 1, alpha = 0.5, beta = 2.0> (a, b, c) }")
ROW(gemm_no_c, "g (float[3,2] a, float[2,4] b) => (y) { y = Gemm <alpha = 0.25> (a, b) }")
ROW(gemm_scalar_c, "g (float[3,2] a, float[2,4] b, float c) => (y) { y = Gemm (a, b, c) }")
ROW(gemm_weights, "g (float[3,4] a) => (y) <float[5,4] b = seed 1, float[5] c = seed 2> { y = Gemm <transB = 1> (a, b, c) }")
ROW(gemm_alpha_weights, "g (float[1,4] a) => (y) <float[5,4] b = seed 1, float[5] c = seed 2>"
    " { y = Gemm <transB = 1, alpha = 0.5, beta = 3.0> (a, b, c) }")
ROW(gemm_bad_c, "g (float[3,2] a, float[2,4] b, float[3] c) => (y) { y = Gemm (a, b, c) }", .error = "does not broadcast")

ROW(max_pool_2d, "g (float[1,1,4,4] x) => (y) { y = MaxPool <kernel_shape = [2, 2], strides = [2, 2]> (x) }",
    .in = "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16", .out = "6 8 14 16")
ROW(max_pool_negative, "g (float[1,1,2,2] x) => (y) { y = MaxPool <kernel_shape = [3, 3], pads = [1, 1, 1, 1]> (x) }",
    .in = "-4 -3 -2 -1", .out = "-1 -1 -1 -1")
ROW(max_pool_ceil, "g (float[1,1,4,4] x) => (y) { y = MaxPool <kernel_shape = [3, 3], strides = [2, 2], ceil_mode = 1> (x) }",
    .in = "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16", .out = "11 12 15 16")
ROW(max_pool_ceil_no_window_in_padding, "g (float[1,1,3] x) => (y)"
    " { y = MaxPool <kernel_shape = [1], strides = [2], pads = [0, 0], ceil_mode = 1> (x) }", .in = "1 2 3", .out = "1 3")
ROW(max_pool_dilated, "g (float[1,2,6,7] x) => (y)"
    " { y = MaxPool <kernel_shape = [2, 3], dilations = [2, 2], strides = [1, 2], pads = [1, 1, 1, 1]> (x) }")
ROW(max_pool_index, "g (float[1,2,3,3] x) => (y, i) { y, i = MaxPool <kernel_shape = [2, 2]> (x) }",
    .in = "1 9 2 3 4 5 8 8 6 0 0 0 0 0 0 0 0 0", .out = "9 9 8 8 0 0 0 0; 1 1 6 7 9 10 12 13")
ROW(max_pool_1d, "g (float[2,3,8] x) => (y) { y = MaxPool <kernel_shape = [3], strides = [2], auto_pad = \"SAME_UPPER\"> (x) }")
ROW(max_pool_3d, "g (float[1,2,4,5,6] x) => (y) { y = MaxPool <kernel_shape = [2, 3, 2], strides = [2, 2, 1]> (x) }")
ROW(max_pool_int8, "g (int8[1,2,4,4] x) => (y) { y = MaxPool <kernel_shape = [2, 2]> (x) }", .low = -128, .high = 127)
ROW(max_pool_uint8, "g (uint8[1,2,9,75] x) => (y)"
    " { y = MaxPool <kernel_shape = [3, 3], strides = [2, 2], pads = [1, 1, 1, 1]> (x) }", .low = 0, .high = 255)
ROW(max_pool_uint8_one, "g (uint8[2,1,5,70] x) => (y) { y = MaxPool <kernel_shape = [3, 2], pads = [2, 0, 1, 1]> (x) }", .low = 0, .high = 255)
ROW(max_pool_int8_dilated, "g (int8[1,3,7,40] x) => (y)"
    " { y = MaxPool <kernel_shape = [2, 3], dilations = [2, 2], strides = [1, 3], pads = [1, 1, 1, 2]> (x) }", .low = -128, .high = 127)
ROW(max_pool_int8_below, "g (int8[1,1,2,2] x) => (y) { y = MaxPool <kernel_shape = [3, 3], pads = [1, 1, 1, 1]> (x) }",
    .in = "-4 -3 -2 -1", .out = "-1 -1 -1 -1")
ROW(max_pool_int8_index, "g (int8[1,1,2,3] x) => (y, i) { y, i = MaxPool <kernel_shape = [2, 2]> (x) }", .in = "-9 1 2 3 4 5", .out = "4 5; 4 5")
ROW(max_pool_int8_3d, "g (int8[1,1,2,2,3] x) => (y) { y = MaxPool <kernel_shape = [2, 2, 2]> (x) }", .low = -128, .high = 127)
/* One window that is larger than the padded input, by less than a stride. */
ROW(max_pool_reaches, "g (float[1,1,3] x) => (y) { y = MaxPool <kernel_shape = [4], strides = [2]> (x) }", .in = "1 2 3", .out = "3")
ROW(max_pool_reaches_ceil, "g (float[1,1,3] x) => (y) { y = MaxPool <kernel_shape = [4], strides = [2], ceil_mode = 1> (x) }", .in = "1 2 3", .out = "3")
ROW(max_pool_reaches_padded, "g (float[1,1,2] x) => (y) { y = MaxPool <kernel_shape = [5], strides = [3], pads = [1, 0]> (x) }",
    .in = "1 2", .out = "2")
ROW(max_pool_reaches_valid, "g (float[1,1,2] x) => (y) { y = MaxPool <kernel_shape = [3], strides = [2], auto_pad = \"VALID\"> (x) }",
    .in = "1 2", .out = "2")
ROW(max_pool_reaches_dilated, "g (float[1,1,2] x) => (y) { y = MaxPool <kernel_shape = [2], dilations = [2], strides = [2]> (x) }",
    .in = "1 2", .out = "1")
ROW(max_pool_reaches_rows, "g (float[1,1,1,5] x) => (y) { y = MaxPool <kernel_shape = [2, 2], strides = [2, 2]> (x) }",
    .in = "1 2 3 4 5", .out = "2 4")
ROW(max_pool_too_large, "g (float[1,1,2] x) => (y) { y = MaxPool <kernel_shape = [4], strides = [2]> (x) }", .error = "the window covers 4 elements")
ROW(max_pool_too_large_ceil, "g (float[1,1,2] x) => (y) { y = MaxPool <kernel_shape = [3], ceil_mode = 1> (x) }",
    .error = "the window covers 3 elements")
ROW(conv_reaches, "g (float[1,1,2] x) => (y) <float[1,1,3] w = {1, 1, 1}> { y = Conv <strides = [2]> (x, w) }",
    .error = "the window covers 3 elements")
ROW(conv_max_pool_reaches, "g (float[1,1,1,5] x) => (y) <float[1,1,1,1] w = {2}>"
    " { c = Conv (x, w) r = Relu (c) y = MaxPool <kernel_shape = [2, 2], strides = [2, 2]> (r) }", .in = "1 2 3 4 5", .out = "4 8")
ROW(conv_average_pool_reaches, "g (float[1,1,1,5] x) => (y) <float[1,1,1,1] w = {2}>"
    " { c = Conv (x, w) y = AveragePool <kernel_shape = [2, 2], strides = [2, 2]> (c) }", .in = "1 2 3 4 5", .out = "3 7")
ROW(average_pool_reaches, "g (float[1,1,2] x) => (y) { y = AveragePool <kernel_shape = [3], strides = [2]> (x) }", .in = "1 2", .out = "1.5")
ROW(average_pool_reaches_counted, "g (float[1,1,2] x) => (y) { y = AveragePool <kernel_shape = [3], strides = [2], count_include_pad = 1> (x) }",
    .error = "the window covers 3 elements")
ROW(lp_pool_reaches, "g (float[1,1,2] x) => (y) { y = LpPool <kernel_shape = [3], strides = [2]> (x) }", .in = "3 4", .out = "5")
ROW(max_pool_nan, "g (float[1,1,5] x) => (y, i) { y, i = MaxPool <kernel_shape = [2]> (x) }",
    .in = "1 nan 2 nan nan", .out = "nan nan nan nan; 1 1 3 3", .no_oracle = true)
ROW(conv_max_pool_rows_nan, "g (float[1,1,6,1] x) => (y) <float[1,1,1,1] w = {2}> { c = Conv (x, w) r = Relu (c) y = MaxPool <kernel_shape = [2, 1], strides = [2, 1]> (r) }",
    .in = "1 nan nan 2 3 1", .out = "nan nan 6", .no_oracle = true)
ROW(conv_hard_swish_nan, "g (float[1,1,4] x) => (y) <float[1,1,1] w = {1}> { c = Conv (x, w) y = HardSwish (c) }", .in = "-inf inf nan 3", .out = "nan inf nan 3")
ROW(conv_max_pool_nan, "g (float[1,1,1,6] x) => (y) <float[1,1,1,1] w = {2}> { c = Conv (x, w) r = Relu (c) y = MaxPool <kernel_shape = [1, 2], strides = [1, 2]> (r) }",
    .in = "1 nan nan 2 3 1", .out = "nan nan 6", .no_oracle = true)
ROW(max_pool_empty_window, "g (float[1,1,1] x) => (y) { y = MaxPool <kernel_shape = [2], dilations = [2], pads = [1, 1]> (x) }",
    .error = "a window that lies in the padding alone")
ROW(average_pool_2d, "g (float[1,1,4,4] x) => (y) { y = AveragePool <kernel_shape = [2, 2], strides = [2, 2]> (x) }",
    .in = "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16", .out = "3.5 5.5 11.5 13.5")
ROW(average_pool_pads, "g (float[1,1,2,2] x) => (y) { y = AveragePool <kernel_shape = [2, 2], pads = [1, 1, 0, 0]> (x) }",
    .in = "1 2 3 4", .out = "1 1.5 2 2.5")
ROW(average_pool_count_pads, "g (float[1,1,2,2] x) => (y)"
    " { y = AveragePool <kernel_shape = [2, 2], pads = [1, 1, 0, 0], count_include_pad = 1> (x) }",
    .in = "1 2 3 4", .out = "0.25 0.75 1 2.5")
ROW(average_pool_ceil, "g (float[1,1,4] x) => (y) { y = AveragePool <kernel_shape = [3], strides = [2], ceil_mode = 1> (x) }",
    .in = "1 2 3 4", .out = "2 3.5")
ROW(average_pool_ceil_count, "g (float[1,1,4] x) => (y)"
    " { y = AveragePool <kernel_shape = [3], strides = [3], pads = [1, 1], ceil_mode = 1, count_include_pad = 1> (x) }",
    .in = "1 2 3 4", .out = "1 2.333333333")
ROW(average_pool_same, "g (float[1,3,7,5] x) => (y)"
    " { y = AveragePool <kernel_shape = [3, 2], strides = [2, 2], auto_pad = \"SAME_LOWER\"> (x) }")
ROW(average_pool_3d, "g (float[1,2,3,4,5] x) => (y) { y = AveragePool <kernel_shape = [2, 2, 2], pads = [0, 1, 0, 1, 0, 1]> (x) }")
ROW(average_pool_double, "g (double[1,2,5,5] x) => (y) { y = AveragePool <kernel_shape = [3, 3]> (x) }",
    .no_oracle = true) /* not implemented there */
ROW(global_average_pool, "g (float[2,3,4,5] x) => (y) { y = GlobalAveragePool (x) }")
ROW(global_average_pool_hand, "g (float[1,2,2,2] x) => (y) { y = GlobalAveragePool (x) }",
    .in = "1 2 3 4 -1 -2 -3 -6", .out = "2.5 -3")
ROW(global_max_pool, "g (float[1,2,2,2] x) => (y) { y = GlobalMaxPool (x) }", .in = "1 2 4 3 -1 -2 -3 -6", .out = "4 -1")

ROW(global_max_pool_nan, "g (float[1,3,2] x) => (y) { y = GlobalMaxPool (x) }", .in = "1 nan nan 1 1 2", .out = "nan nan 2", .no_oracle = true)
ROW(lp_pool, "g (float[1,1,3,3] x) => (y) { y = LpPool <kernel_shape = [2, 2]> (x) }", .in = "3 0 0 -4 0 1 0 12 0", .out = "5 1 12.649111 12.041595")
ROW(lp_pool_1, "g (float[1,2,5] x) => (y) { y = LpPool <kernel_shape = [3], strides = [2], pads = [1, 1], p = 1> (x) }",
    .in = "1 -2 3 -4 5 0 0 0 0 -1", .out = "3 9 9 0 0 1")
ROW(lp_pool_3, "g (float[2,3,7,6] x) => (y) { y = LpPool <kernel_shape = [3, 2], strides = [2, 1], auto_pad = \"SAME_UPPER\", p = 3> (x) }")
ROW(lp_pool_dilated, "g (double[1,2,7,6] x) => (y) { y = LpPool <kernel_shape = [3, 2], dilations = [2, 2], strides = [2, 2], ceil_mode = 1> (x) }",
    .no_oracle = true /* ceil_mode and dilations are of opset 18 */)
ROW(lp_pool_p, "g (float[1,1,3,3] x) => (y) { y = LpPool <kernel_shape = [2, 2], p = 0> (x) }", .error = "'p' = 0, it must be at least 1")
ROW(global_lp_pool, "g (float[1,2,2,2] x) => (y) { y = GlobalLpPool (x) }", .in = "2 2 -2 2 0 3 0 -4", .out = "4 5")
ROW(global_lp_pool_3, "g (float[2,3,4,5] x) => (y) { y = GlobalLpPool <p = 3> (x) }")
ROW(max_unpool, "g (float[1,1,2,2] x, int64[1,1,2,2] i) => (y) { y = MaxUnpool <kernel_shape = [2, 2], strides = [2, 2]> (x, i) }",
    .in = "1 2 3 4; 5 7 13 15", .out = "0 0 0 0 0 1 0 2 0 0 0 0 0 3 0 4")
ROW(max_unpool_pads, "g (double[1,2,2] x, int64[1,2,2] i) => (y) { y = MaxUnpool <kernel_shape = [3], strides = [2], pads = [1, 0]> (x, i) }",
    .in = "1 2 3 4; 0 3 4 7", .out = "1 0 0 2 3 0 0 4", .no_oracle = true /* onnxruntime has it for float only */)
ROW(max_unpool_outside, "g (float[1,1,2] x, int64[1,1,2] i) => (y) { y = MaxUnpool <kernel_shape = [2], strides = [2]> (x, i) }",
    .in = "1 2; -1 3", .out = "0 0 0 2", .no_oracle = true /* there an error */)
ROW(max_unpool_shape, "g (float[1,1,2] x, int64[1,1,2] i) => (y) <int64[3] s = {1, 1, 5}>"
    " { y = MaxUnpool <kernel_shape = [2], strides = [2]> (x, i, s) }", .error = "unsupported: another 'output_shape'")

ROW(einsum_matmul, "g (float[2,3] a, float[3,2] b) => (y) { y = Einsum <equation = \"ij,jk->ik\"> (a, b) }", .in = "1 2 3 4 5 6; 1 2 3 4 5 6", .out = "22 28 49 64")
ROW(einsum_batch, "g (float[3,5,2] a, float[3,2,5] b) => (y) { y = Einsum <equation = \"bij, bjk -> bik\"> (a, b) }")
ROW(einsum_attention, "g (float[2,3,4,5] q, float[2,6,4,5] k) => (y) { y = Einsum <equation = \"bqhd,bkhd->bhqk\"> (q, k) }")
ROW(einsum_transpose, "g (float[2,3] a) => (y) { y = Einsum <equation = \"ij->ji\"> (a) }", .in = "1 2 3 4 5 6", .out = "1 4 2 5 3 6")
ROW(einsum_sum, "g (float[2,3] a) => (y) { y = Einsum <equation = \"ij->i\"> (a) }", .in = "1 2 3 4 5 6", .out = "6 15")
ROW(einsum_diagonal, "g (float[2,3,3] a) => (y) { y = Einsum <equation = \"...ii->...i\"> (a) }", .in = "1 2 3 4 5 6 7 8 9 1 0 0 0 2 0 0 0 3", .out = "1 5 9 1 2 3")
ROW(einsum_trace, "g (double[3,3] a) => (y) { y = Einsum <equation = \"ii\"> (a) }", .in = "1 2 3 4 5 6 7 8 9", .out = "15")
ROW(einsum_implicit, "g (float[2,3] b, float[3,4] a) => (y) { y = Einsum <equation = \"bc,ca\"> (b, a) }")
ROW(einsum_inner, "g (float[4] a, float[4] b) => (y) { y = Einsum <equation = \"i,i\"> (a, b) }", .in = "1 2 3 4; 1 10 100 1000", .out = "4321")
ROW(einsum_outer, "g (float[2] a, float[3] b) => (y) { y = Einsum <equation = \"i,j\"> (a, b) }", .in = "1 2; 1 10 100", .out = "1 10 100 2 20 200")
ROW(einsum_ellipsis, "g (float[2,1,3,4] a, float[1,5,4,2] b) => (y) { y = Einsum <equation = \"...ij,...jk->...ik\"> (a, b) }")
/* onnxruntime wants as many axes in each ellipsis; NumPy does not */
ROW(einsum_ellipsis_ranks, "g (float[2,1,3,4] a, float[5,4,2] b) => (y) { y = Einsum <equation = \"...ij,...jk->...ik\"> (a, b) }", .no_oracle = true)
ROW(einsum_unused, "g (float[2,3] a, float[4] b) => (y) { y = Einsum <equation = \"ij,k->j\"> (a, b) }")
ROW(einsum_three, "g (float[2] a) => (y) { y = Einsum <equation = \"i,i,i->i\"> (a, a, a) }", .error = "unsupported: Einsum of 3 inputs")
ROW(einsum_sizes, "g (float[2,3] a, float[4,2] b) => (y) { y = Einsum <equation = \"ij,jk->ik\"> (a, b) }", .error = "one letter stands for axes of 3 and 4 elements")
ROW(einsum_one, "g (float[2,1] a, float[4,2] b) => (y) { y = Einsum <equation = \"ij,jk->ik\"> (a, b) }", .error = "stands for axes of different sizes")
ROW(einsum_rank, "g (float[2,3] a) => (y) { y = Einsum <equation = \"ijk->ik\"> (a) }", .error = "names 3 axes of an input of rank 2")
ROW(einsum_letter, "g (float[2,3] a) => (y) { y = Einsum <equation = \"ij->ik\"> (a) }", .error = "one that no input has")
ROW(einsum_sign, "g (float[2,3] a) => (y) { y = Einsum <equation = \"i+j->i\"> (a) }", .error = "is not well-formed")
/* clang-format on */
#undef ROW
