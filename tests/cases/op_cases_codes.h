/* op_cases_codes.h - rows of the case table: what stands between DequantizeLinear and QuantizeLinear, which
 * passes/codes.c computes on codes. */
#define ROW(NAME, ...) {.name = #NAME, .text = __VA_ARGS__},

/* clang-format off */

/* functions of one code: exact */
ROW(codes_sigmoid, "g (uint8[256] x) => (y) <float s = {0.05}, uint8 z = {128}, float t = {0.00392156886}, uint8 u = {0}>"
    " { f = DequantizeLinear (x, s, z) h = Sigmoid (f) y = QuantizeLinear (h, t, u) }", .low = 0, .high = 255)
ROW(codes_signs, "g (int8[200] x) => (y) <float s = {0.1}, int8 z = {-128}, float t = {0.2}, uint8 u = {255}>"
    " { f = DequantizeLinear (x, s, z) h = Neg (f) y = QuantizeLinear (h, t, u) }", .low = -128, .high = 127)
ROW(codes_hard_swish, "g (int8[2,3,4,5] x) => (y) <float s = {0.06}, int8 z = {3}, float[1] three = {3}, float low = {0}, float high = {6}, float[1,1] six = {6}, int8 u = {-100}>"
    " { f = DequantizeLinear (x, s, z) a = Add (f, three) b = Clip (a, low, high) c = Mul (f, b) d = Div (c, six) y = QuantizeLinear (d, s, u) }",
    .low = -128, .high = 127)
/* constants of one element and of a rank like that of what they are joined with */
ROW(codes_constant_rank, "g (uint8[2,3,4,5] x) => (y) <float s = {0.06}, uint8 z = {100}, float[1,1,1,1] c = {1.5}, float[1,1,1] slope = {0.25}>"
    " { f = DequantizeLinear (x, s, z) a = Mul (f, c) b = Sub (c, a) d = PRelu (b, slope) y = QuantizeLinear (d, s, z) }", .low = 0, .high = 255)
ROW(codes_matrix_of_one, "g (uint8[7] x) => (y) <float s = {0.06}, uint8 z = {100}, float[1] c = {1.5}>"
    " { f = DequantizeLinear (x, s, z) a = Max (f, c) b = Pow (a, c) d = Min (b, a, c) y = QuantizeLinear (d, s, z) }", .low = 0, .high = 255)
ROW(codes_reciprocal, "g (uint8[300] x) => (y) <float s = {0.5}, uint8 z = {7}, float t = {0.01}, uint8 u = {128}>"
    " { f = DequantizeLinear (x, s, z) h = Reciprocal (f) y = QuantizeLinear (h, t, u) }", .low = 8, .high = 255)
ROW(codes_sines, "g (uint8[256] x) => (y, w, v) <float s = {0.05}, uint8 z = {128}, float t = {0.01}, int8 u = {0}>"
    " { f = DequantizeLinear (x, s, z) a = Sin (f) y = QuantizeLinear (a, t, u) b = Atan (f) c = Shrink (b) w = QuantizeLinear (c, t, u) d = Sign (f) v = QuantizeLinear (d, t, u) }",
    .low = 0, .high = 255)
ROW(codes_between_two, "g (uint8[40] x) => (y, q) <float s = {0.05}, uint8 z = {128}, float t = {0.01}, uint8 u = {0}>"
    " { f = DequantizeLinear (x, s, z) h = Tanh (f) y = QuantizeLinear (h, s, z) e = Exp (h) q = QuantizeLinear (e, t, u) }", .low = 0, .high = 255)
ROW(codes_other_step, "g (uint8[256] x) => (y) <float s = {0.5}, uint8 z = {100}, float t = {0.2}, int8 u = {-5}>"
    " { f = DequantizeLinear (x, s, z) y = QuantizeLinear (f, t, u) }", .low = 0, .high = 255)
ROW(codes_same_step, "g (uint8[9] x) => (y) <float s = {0.5}, uint8 z = {100}> { f = DequantizeLinear (x, s, z) y = QuantizeLinear (f, s, z) }",
    .low = 0, .high = 255)

/* codes of 16 bits: a function is in float, sums, averages and maxima are not */
ROW(codes16_quantize, "g (float[300] x) => (y, z) <float s = {0.01}, int16 p = {-3}> { y = QuantizeLinear (x, s, p) z = DequantizeLinear (y, s, p) }",
    .low = -400, .high = 400)
ROW(codes16_axis, "g (int16[2,3,4] x) => (y, q) <float[3] s = {0.01, 2, 0.5}, int16[3] p = {-3, 0, 32767}>"
    " { y = DequantizeLinear <axis = 1> (x, s, p) q = QuantizeLinear <axis = 1> (y, s, p) }", .low = -32768, .high = 32767)
ROW(codes16_sigmoid, "g (int16[90] x) => (y) <float s = {0.0003}, int16 z = {0}, float t = {0.00003}>"
    " { f = DequantizeLinear (x, s, z) h = Sigmoid (f) y = QuantizeLinear (h, t, z) }", .low = -32768, .high = 32767, .steps = 1)
ROW(codes16_add, "g (int16[2,30] a, int16[30] b) => (y) <float s = {0.005}, int16 z = {128}, float t = {0.0002}, int16 u = {-3000}, float v = {0.006}>"
    " { f = DequantizeLinear (a, s, z) h = DequantizeLinear (b, t, u) k = Add (f, h) l = Relu (k) y = QuantizeLinear (l, v, u) }",
    .low = -32768, .high = 32767, .steps = 1)
ROW(codes16_average, "g (int16[1,3,6,6] x) => (y, w) <float s = {0.005}, int16 z = {128}, float t = {0.002}, int16 u = {-3000}>"
    " { f = DequantizeLinear (x, s, z) a = AveragePool <kernel_shape = [3, 2], strides = [2, 2]> (f) y = QuantizeLinear (a, t, u)"
    " b = AveragePool <kernel_shape = [3, 3], pads = [1, 1, 1, 1]> (f) w = QuantizeLinear (b, t, u) }",
    .low = -32768, .high = 32767, .steps = 1)
ROW(codes16_moves, "g (int16[1,3,6,6] x) => (y) <float s = {0.005}, int16 z = {128}>"
    " { f = DequantizeLinear (x, s, z) a = MaxPool <kernel_shape = [2, 2], pads = [1, 1, 1, 1]> (f) b = Transpose (a) c = ReduceMax <axes = [0]> (b)"
    " d = Max (c, b) y = QuantizeLinear (d, s, z) }", .low = -32768, .high = 32767)

/* sums of two */
ROW(codes_add, "g (uint8[2,30] a, int8[2,30] b) => (y) <float s = {0.05}, uint8 z = {128}, float t = {0.02}, int8 u = {-128}, float v = {0.06}, uint8 w = {77}>"
    " { f = DequantizeLinear (a, s, z) h = DequantizeLinear (b, t, u) k = Add (f, h) y = QuantizeLinear (k, v, w) }",
    .low = 0, .high = 127, .steps = 1)
ROW(codes_add_relu, "g (int8[70] a, int8[70] b) => (y) <float s = {0.05}, int8 z = {127}, float t = {0.02}, int8 u = {-128}, int8 w = {-128}>"
    " { f = DequantizeLinear (a, s, z) h = DequantizeLinear (b, t, u) k = Add (f, h) l = Relu (k) y = QuantizeLinear (l, t, w) }",
    .low = -128, .high = 127, .steps = 1)
ROW(codes_add_clip, "g (uint8[70] a, uint8[70] b) => (y) <float s = {0.05}, uint8 z = {0}, float low = {1}, float high = {3}>"
    " { f = DequantizeLinear (a, s, z) h = DequantizeLinear (b, s, z) k = Add (f, h) l = Clip (k, low, high) y = QuantizeLinear (l, s, z) }",
    .low = 0, .high = 127, .steps = 1)
ROW(codes_add_far_steps, "g (uint8[70] a, uint8[70] b) => (y) <float s = {40}, float t = {0.0001}, float v = {0.01}, uint8 z = {128}>"
    " { f = DequantizeLinear (a, s, z) h = DequantizeLinear (b, t, z) k = Add (f, h) y = QuantizeLinear (k, v, z) }",
    .low = 0, .high = 255, .steps = 1)
/* halves go to the even code, above and below 0 */
ROW(codes_add_halves, "g (uint8[3,90] a, int8[3,90] b) => (y) <float s = {0.5}, uint8 z = {128}, float t = {1.5}, int8 u = {-3}, float v = {1}, int8 w = {1}>"
    " { f = DequantizeLinear (a, s, z) h = DequantizeLinear (b, t, u) k = Add (f, h) y = QuantizeLinear (k, v, w) }",
    .low = 0, .high = 127)
ROW(codes_add_itself, "g (uint8[70] a) => (y) <float s = {0.05}, uint8 z = {30}> { f = DequantizeLinear (a, s, z) k = Add (f, f) y = QuantizeLinear (k, s, z) }",
    .low = 0, .high = 255)
ROW(codes_add_broadcast, "g (uint8[2,7] a, uint8[7] b) => (y) <float s = {0.05}, uint8 z = {30}>"
    " { f = DequantizeLinear (a, s, z) h = DequantizeLinear (b, s, z) k = Add (f, h) y = QuantizeLinear (k, s, z) }", .low = 0, .high = 255)

ROW(codes_sub, "g (uint8[2,30] a, int8[2,30] b) => (y) <float s = {0.05}, uint8 z = {128}, float t = {0.02}, int8 u = {-128}, float v = {0.06}, uint8 w = {77}>"
    " { f = DequantizeLinear (a, s, z) h = DequantizeLinear (b, t, u) k = Sub (f, h) y = QuantizeLinear (k, v, w) }",
    .low = 0, .high = 127, .steps = 1)
ROW(codes_sum, "g (uint8[2,30] a, uint8[2,30] b) => (y) <float s = {0.05}, uint8 z = {128}, float t = {0.02}>"
    " { f = DequantizeLinear (a, s, z) h = DequantizeLinear (b, t, z) k = Sum (f, h) y = QuantizeLinear (k, s, z) }",
    .low = 0, .high = 255, .steps = 1)
ROW(codes_sub_crossed, "g (uint8[3,1,4] a, uint8[2,1] b) => (y, w) <float s = {0.05}, uint8 z = {128}, float t = {0.02}>"
    " { f = DequantizeLinear (a, s, z) h = DequantizeLinear (b, t, z) k = Sub (f, h) y = QuantizeLinear (k, s, z) l = Sub (h, f) w = QuantizeLinear (l, s, z) }",
    .low = 0, .high = 255, .steps = 1)

/* products of two */
ROW(codes_mul, "g (uint8[2,30] a, int8[2,30] b) => (y) <float s = {0.05}, uint8 z = {128}, float t = {0.02}, int8 u = {-3}, float v = {0.06}, uint8 w = {77}>"
    " { f = DequantizeLinear (a, s, z) h = DequantizeLinear (b, t, u) k = Mul (f, h) y = QuantizeLinear (k, v, w) }",
    .low = 0, .high = 127, .steps = 1)
ROW(codes_mul_extremes, "g (uint8[2,30] a, int8[2,30] b) => (y, d) <float s = {0.05}, uint8 z = {0}, float t = {0.02}, int8 u = {127}, float v = {0.0001}, float w = {40}, int8 o = {-128}>"
    " { f = DequantizeLinear (a, s, z) h = DequantizeLinear (b, t, u) k = Mul (f, h) y = QuantizeLinear (k, v, u) d = QuantizeLinear (k, w, o) }",
    .low = 0, .high = 127, .steps = 1)
ROW(codes_mul_clip, "g (int8[70] a, uint8[70] b) => (y) <float s = {0.05}, int8 z = {-128}, float t = {0.00390625}, uint8 u = {0}, float high = {6}, float low = {0}>"
    " { f = DequantizeLinear (a, s, z) h = DequantizeLinear (b, t, u) k = Mul (f, h) l = Clip (k, low, high) y = QuantizeLinear (l, s, z) }",
    .low = 0, .high = 127, .steps = 1)
ROW(codes_mul_gate, "g (uint8[2,5,3,4] a, uint8[2,5,1,1] b) => (y, w) <float s = {0.05}, uint8 z = {100}, float t = {0.00390625}, uint8 u = {0}>"
    " { f = DequantizeLinear (a, s, z) h = DequantizeLinear (b, t, u) k = Mul (f, h) y = QuantizeLinear (k, s, z) l = Mul (h, f) w = QuantizeLinear (l, t, u) }",
    .low = 0, .high = 255, .steps = 1)
ROW(codes_mul_positions, "g (uint8[2,5,3,4] a, int8[2,1,3,4] b) => (y) <float s = {0.05}, uint8 z = {100}, float t = {0.0078125}, int8 u = {0}>"
    " { f = DequantizeLinear (a, s, z) h = DequantizeLinear (b, t, u) k = Mul (f, h) y = QuantizeLinear (k, s, z) }", .low = 0, .high = 127, .steps = 1)
ROW(codes_mul_crossed, "g (uint8[3,1,4] a, uint8[2,1] b) => (y) <float s = {0.05}, uint8 z = {128}>"
    " { f = DequantizeLinear (a, s, z) h = DequantizeLinear (b, s, z) k = Mul (f, h) y = QuantizeLinear (k, s, z) }", .low = 0, .high = 255, .steps = 1)
ROW(codes_mul_far_steps, "g (uint8[70] a, uint8[70] b) => (y) <float s = {40}, float v = {0.0001}, uint8 z = {128}>"
    " { f = DequantizeLinear (a, s, z) h = DequantizeLinear (b, s, z) k = Mul (f, h) y = QuantizeLinear (k, v, z) }", .low = 0, .high = 255, .steps = 1)

/* PRelu with a slope for each channel, or for each element */
ROW(codes_slope, "g (uint8[2,3,2,5] x) => (y) <float s = {0.05}, uint8 z = {200}, float t = {0.03}, int8 u = {-10}, float[3,1,1] slope = {0.25, -2, 0}>"
    " { f = DequantizeLinear (x, s, z) h = PRelu (f, slope) y = QuantizeLinear (h, t, u) }", .low = 0, .high = 255, .steps = 1)
ROW(codes_slopes, "g (int8[2,6] x) => (y) <float s = {0.05}, int8 z = {3}, float[6] slope = {0.25, -2, 0, 100, 1, 0.001}, float high = {1}>"
    " { f = DequantizeLinear (x, s, z) h = PRelu (f, slope) c = Clip (h, , high) y = QuantizeLinear (c, s, z) }", .low = -128, .high = 127, .steps = 1)

/* averages; those that stay in float meet halves, too, which rounding there moves */
ROW(codes_average, "g (uint8[2,3,7,9] x) => (y) <float s = {0.05}, uint8 z = {128}, float t = {0.03}, int8 u = {0}>"
    " { f = DequantizeLinear (x, s, z) h = AveragePool <kernel_shape = [3, 2], strides = [2, 3]> (f) y = QuantizeLinear (h, t, u) }",
    .low = 0, .high = 255, .steps = 1)
ROW(codes_average_halves, "g (int8[2,3,8,8] x) => (y) <float s = {1}, int8 z = {1}, float t = {0.5}, uint8 u = {101}>"
    " { f = DequantizeLinear (x, s, z) h = AveragePool <kernel_shape = [2, 2], strides = [2, 2]> (f) y = QuantizeLinear (h, t, u) }",
    .low = -30, .high = 60)
ROW(codes_average_1d, "g (int8[2,3,17] x) => (y) <float s = {0.05}, int8 z = {-128}, float low = {0.5}>"
    " { f = DequantizeLinear (x, s, z) h = AveragePool <kernel_shape = [4], strides = [3]> (f) c = Clip (h, low) y = QuantizeLinear (c, s, z) }",
    .low = -128, .high = 127, .steps = 1)
ROW(codes_average_padded, "g (uint8[1,2,5,5] x) => (y) <float s = {0.05}, uint8 z = {128}>"
    " { f = DequantizeLinear (x, s, z) h = AveragePool <kernel_shape = [3, 3], pads = [1, 1, 1, 1]> (f) y = QuantizeLinear (h, s, z) }", .low = 0, .high = 255, .steps = 1)
ROW(codes_average_over_edge, "g (uint8[1,2,6,6] x) => (y) <float s = {0.05}, uint8 z = {128}>"
    " { f = DequantizeLinear (x, s, z) h = AveragePool <kernel_shape = [3, 3], strides = [2, 2], ceil_mode = 1> (f) y = QuantizeLinear (h, s, z) }", .low = 0, .high = 255, .steps = 1)
ROW(codes_average_counted, "g (int8[2,2,5,6] x) => (y) <float s = {0.05}, int8 z = {-100}, float t = {0.03}, uint8 u = {40}>"
    " { f = DequantizeLinear (x, s, z) h = AveragePool <kernel_shape = [3, 2], pads = [1, 0, 2, 1], strides = [2, 1], count_include_pad = 1> (f) y = QuantizeLinear (h, t, u) }",
    .low = -128, .high = 127, .steps = 1)
ROW(codes_average_padded_1d, "g (int8[2,3,17] x) => (y) <float s = {0.05}, int8 z = {127}>"
    " { f = DequantizeLinear (x, s, z) h = AveragePool <kernel_shape = [4], pads = [3, 0], strides = [3]> (f) r = Relu (h) y = QuantizeLinear (r, s, z) }",
    .low = -128, .high = 127, .steps = 1)
ROW(codes_global_average, "g (uint8[2,5,7,6] x) => (y) <float s = {0.05}, uint8 z = {255}, float t = {0.01}, uint8 u = {255}>"
    " { f = DequantizeLinear (x, s, z) h = GlobalAveragePool (f) r = Relu (h) y = QuantizeLinear (r, t, u) }", .low = 0, .high = 255, .steps = 1)
ROW(codes_global_average_large, "g (uint8[1,1,120,120] x) => (y) <float s = {0.05}, uint8 z = {0}>"
    " { f = DequantizeLinear (x, s, z) h = GlobalAveragePool (f) y = QuantizeLinear (h, s, z) }", .low = 0, .high = 255, .steps = 1)
ROW(codes_mean, "g (int8[2,3,4,5] x) => (y) <float s = {0.05}, int8 z = {9}>"
    " { f = DequantizeLinear (x, s, z) h = ReduceMean <axes = [-1, 2], keepdims = 0> (f) y = QuantizeLinear (h, s, z) }", .low = -128, .high = 127, .steps = 1)
ROW(codes_mean_middle, "g (int8[2,3,4] x) => (y) <float s = {0.05}, int8 z = {9}>"
    " { f = DequantizeLinear (x, s, z) h = ReduceMean <axes = [1]> (f) y = QuantizeLinear (h, s, z) }", .low = -128, .high = 127, .steps = 1)
ROW(codes_mean_all, "g (int8[2,3,4] x) => (y) <float s = {0.05}, int8 z = {9}>"
    " { f = DequantizeLinear (x, s, z) h = ReduceMean <keepdims = 0> (f) y = QuantizeLinear (h, s, z) }", .low = -128, .high = 127, .steps = 1)

/* Softmax */
ROW(codes_softmax, "g (uint8[5,10] x) => (y) <float s = {0.05}, uint8 z = {128}, float t = {0.00390625}, uint8 u = {0}>"
    " { f = DequantizeLinear (x, s, z) h = Softmax (f) y = QuantizeLinear (h, t, u) }", .low = 0, .high = 255, .steps = 1)
ROW(codes_softmax_int8, "g (int8[2,3,7] x) => (y) <float s = {0.3}, int8 z = {-3}, float t = {0.00390625}, int8 u = {-128}>"
    " { f = DequantizeLinear (x, s, z) h = Softmax <axis = 2> (f) y = QuantizeLinear (h, t, u) }", .low = -128, .high = 127, .steps = 1)
ROW(codes_softmax_one, "g (uint8[4,1] x) => (y) <float s = {0.05}, uint8 z = {128}, float t = {0.00390625}, uint8 u = {0}>"
    " { f = DequantizeLinear (x, s, z) h = Softmax (f) y = QuantizeLinear (h, t, u) }", .low = 0, .high = 255, .steps = 1)
ROW(codes_softmax_long, "g (uint8[1,2000] x) => (y) <float s = {0.002}, uint8 z = {0}, float t = {0.00003051757}, uint8 u = {0}>"
    " { f = DequantizeLinear (x, s, z) h = Softmax (f) y = QuantizeLinear (h, t, u) }", .low = 0, .high = 255, .steps = 1)
ROW(codes_softmax_axis, "g (uint8[5,10] x) => (y) <float s = {0.05}, uint8 z = {128}, float t = {0.00390625}, uint8 u = {0}>"
    " { f = DequantizeLinear (x, s, z) h = Softmax <axis = 0> (f) y = QuantizeLinear (h, t, u) }", .low = 0, .high = 255)
ROW(codes_softmax_step, "g (uint8[5,10] x) => (y) <float s = {0.05}, uint8 z = {128}, float t = {0.007}, uint8 u = {0}>"
    " { f = DequantizeLinear (x, s, z) h = Softmax (f) y = QuantizeLinear (h, t, u) }", .low = 0, .high = 255)

/* what moves elements: exact */
ROW(codes_max_pool, "g (int8[1,2,6,7] x) => (y) <float s = {0.05}, int8 z = {-128}>"
    " { f = DequantizeLinear (x, s, z) h = MaxPool <kernel_shape = [3, 3], strides = [2, 2], pads = [1, 1, 1, 1]> (f) y = QuantizeLinear (h, s, z) }", .low = -128, .high = 127)
ROW(codes_max_pool_unsigned, "g (uint8[1,2,6,7] x) => (y) <float s = {0.05}, uint8 z = {200}>"
    " { f = DequantizeLinear (x, s, z) y = MaxPool <kernel_shape = [3, 3], dilations = [2, 1], pads = [1, 1, 1, 1]> (f) }", .low = 0, .high = 255)
ROW(codes_moved, "g (uint8[2,4,6] x) => (y) <float s = {0.05}, uint8 z = {200}, int64[4] shape = {2, 2, 2, 6}, int64[1] from = {1}, int64[1] to = {5}, int64[1] axis = {3}, int64[4] times = {1, 2, 1, 3}>"
    " { f = DequantizeLinear (x, s, z) a = Reshape (f, shape) b = Transpose <perm = [0, 2, 1, 3]> (a) c = Slice (b, from, to, axis) d = Tile (c, times) y = QuantizeLinear (d, s, z) }",
    .low = 0, .high = 255)
ROW(codes_expanded, "g (int8[2,4,1,3] x) => (y) <float s = {0.05}, int8 z = {20}, int64[4] shape = {2, 4, 2, 3}>"
    " { f = DequantizeLinear (x, s, z) a = Expand (f, shape) b = DepthToSpace <blocksize = 2> (a) c = SpaceToDepth <blocksize = 2> (b) y = GlobalMaxPool (c) }",
    .low = -128, .high = 127)
ROW(codes_hoisted, "g (float[2,4,6,6] x) => (y) <float s = {0.02}, int8 z = {20}, int64[2] shape = {2, 36}>"
    " { a = MaxPool <kernel_shape = [2, 2], strides = [2, 2]> (x) b = Reshape (a, shape) c = QuantizeLinear (b, s, z) y = DequantizeLinear (c, s, z) }")
ROW(codes_concat, "g (uint8[2,3,2] a, int8[2,4,2] b) => (y) <float s = {0.05}, uint8 z = {200}, float t = {0.03}, int8 u = {-7}, float v = {0.04}, uint8 w = {100}>"
    " { f = DequantizeLinear (a, s, z) h = DequantizeLinear (b, t, u) k = Concat <axis = 1> (f, h, f) y = QuantizeLinear (k, v, w) }", .low = 0, .high = 127)
ROW(codes_output_between, "g (uint8[2,6] x) => (c, y) <float s = {0.05}, uint8 z = {200}, int64[1] shape = {12}>"
    " { c = DequantizeLinear (x, s, z) a = Reshape (c, shape) y = QuantizeLinear (a, s, z) }", .low = 0, .high = 255)
ROW(codes_many_steps, "g (uint8[2,6] x) => (y) <float[6] s = {1, 2, 3, 4, 5, 6}, uint8[6] z = {1, 2, 3, 4, 5, 6}, int64[1] shape = {12}>"
    " { f = DequantizeLinear <axis = 1> (x, s, z) r = Relu (f) y = QuantizeLinear <axis = 1> (r, s, z) }", .low = 0, .high = 255)
ROW(codes_concat_constant, "g (uint8[2,3] a) => (y) <float s = {0.05}, uint8 z = {200}, float[2,2] c = {0.1, -0.33, 100, 0}>"
    " { f = DequantizeLinear (a, s, z) k = Concat <axis = 1> (f, c) y = QuantizeLinear (k, s, z) }", .low = 0, .high = 255)
ROW(codes_split, "g (uint8[2,7,3] x) => (y, w) <float s = {0.05}, uint8 z = {200}, int64[3] sizes = {2, 4, 1}>"
    " { f = DequantizeLinear (x, s, z) a, b, c = Split <axis = 1> (f, sizes) y = QuantizeLinear (a, s, z) d = Concat <axis = 1> (c, b) w = QuantizeLinear (d, s, z) }",
    .low = 0, .high = 255)
ROW(codes_pad, "g (int8[1,2,3,4] x) => (y) <float s = {0.05}, int8 z = {-20}, int64[8] pads = {0, 1, 2, -1, 0, 0, 1, 3}>"
    " { f = DequantizeLinear (x, s, z) a = Pad (f, pads) y = QuantizeLinear (a, s, z) }", .low = -128, .high = 127)
ROW(codes_pad_value, "g (uint8[3,4] x) => (y, w) <float s = {0.05}, uint8 z = {20}, int64[4] pads = {1, 1, 2, 2}, float inexact = {0.33}, float far = {-100}>"
    " { f = DequantizeLinear (x, s, z) a = Pad (f, pads, inexact) y = QuantizeLinear (a, s, z) b = Pad (f, pads, far) w = QuantizeLinear (b, s, z) }", .low = 0, .high = 255)
ROW(codes_pad_inexact_float, "g (uint8[3,4] x) => (y) <float s = {0.05}, uint8 z = {20}, int64[4] pads = {1, 1, 2, 2}, float inexact = {0.33}>"
    " { f = DequantizeLinear (x, s, z) y = Pad (f, pads, inexact) }", .low = 0, .high = 255)
ROW(codes_pad_edge, "g (uint8[2,3,4] x) => (y) <float s = {0.05}, uint8 z = {20}, int64[6] pads = {0, 1, 2, 0, 2, 1}>"
    " { f = DequantizeLinear (x, s, z) a = Pad <mode = \"reflect\"> (f, pads) b = Pad <mode = \"edge\"> (a, pads) y = QuantizeLinear (b, s, z) }", .low = 0, .high = 255)
ROW(codes_resize, "g (uint8[1,2,3,4] x) => (y) <float s = {0.05}, uint8 z = {20}, float[4] scales = {1, 1, 2, 1.5}>"
    " { f = DequantizeLinear (x, s, z) a = Resize <mode = \"nearest\"> (f, , scales) y = QuantizeLinear (a, s, z) }", .low = 0, .high = 255)
ROW(codes_resize_linear, "g (uint8[1,2,3,4] x) => (y) <float s = {0.05}, uint8 z = {20}, float[4] scales = {1, 1, 2, 2}>"
    " { f = DequantizeLinear (x, s, z) a = Resize <mode = \"linear\"> (f, , scales) y = QuantizeLinear (a, s, z) }", .low = 0, .high = 255, .steps = 1)
ROW(codes_gather, "g (int8[2,5,3] x) => (y, w) <float s = {0.05}, int8 z = {20}, int64[2,2] rows = {4, 0, -1, 2}, int64[2,1,3] some = {0, 1, 4, 2, 2, 3}>"
    " { f = DequantizeLinear (x, s, z) a = Gather <axis = 1> (f, rows) y = QuantizeLinear (a, s, z) b = GatherElements <axis = 1> (f, some) w = QuantizeLinear (b, s, z) }",
    .low = -128, .high = 127)
ROW(codes_gather_constant, "g (int64[5] i) => (y) <float[3,2] c = {0.1, 2, -3, 0.35, 4, 0}, float s = {0.05}, int8 z = {20}>"
    " { a = Gather (c, i) y = QuantizeLinear (a, s, z) }", .low = 0, .high = 2)
ROW(codes_most, "g (uint8[2,3,5] x) => (y, w) <float s = {0.05}, uint8 z = {20}>"
    " { f = DequantizeLinear (x, s, z) a = ReduceMax <axes = [1]> (f) y = QuantizeLinear (a, s, z) b = ReduceMin <axes = [0, 2], keepdims = 0> (f) w = QuantizeLinear (b, s, z) }",
    .low = 0, .high = 255)
ROW(codes_max_of_two, "g (uint8[2,3,5] a, uint8[3,1] b) => (y, w) <float s = {0.05}, uint8 z = {20}, float t = {0.11}>"
    " { f = DequantizeLinear (a, s, z) h = DequantizeLinear (b, s, z) k = Max (f, h) y = QuantizeLinear (k, s, z) l = Min (h, f) w = QuantizeLinear (l, t, z) }", .low = 0, .high = 255)
ROW(codes_max_of_steps, "g (uint8[2,15] a, int8[2,15] b) => (y) <float s = {0.05}, uint8 z = {20}, float t = {0.11}, int8 u = {-3}, float[15] c = {1, 2, 3, 4, 5, 6, 7, 8, -1, 0, 0.5, 0.6, 1000, -1000, 0.01}>"
    " { f = DequantizeLinear (a, s, z) h = DequantizeLinear (b, t, u) k = Max (f, h, c) y = QuantizeLinear (k, t, z) }", .low = 0, .high = 127)
ROW(codes_max_of_function, "g (uint8[30] x) => (y) <float s = {0.05}, uint8 z = {128}, float c = {0.1}>"
    " { f = DequantizeLinear (x, s, z) h = Mul (f, c) k = Max (f, h) y = QuantizeLinear (k, s, z) }", .low = 0, .high = 255)
ROW(codes_max_twice, "g (uint8[30] x) => (y) <float s = {0.05}, uint8 z = {128}, float t = {0.07}>"
    " { f = DequantizeLinear (x, s, z) k = Max (f, f) y = QuantizeLinear (k, t, z) }", .low = 0, .high = 255)
ROW(codes_where, "g (bool[2,15] m, uint8[2,15] a, uint8[15] b) => (y) <float s = {0.05}, uint8 z = {20}, float t = {0.11}>"
    " { f = DequantizeLinear (a, s, z) h = DequantizeLinear (b, t, z) k = Where (m, f, h) y = QuantizeLinear (k, s, z) }", .low = 0, .high = 1)
ROW(codes_arg_max, "g (int8[2,6,3] x) => (y, w) <float s = {0.05}, int8 z = {20}>"
    " { f = DequantizeLinear (x, s, z) y = ArgMax <axis = 1> (f) w = ArgMin <axis = 2, select_last_index = 1> (f) }", .low = -128, .high = 127)
/* layers */
ROW(codes_conv, "g (uint8[1,3,8,8] x) => (y) <float s = {0.05}, uint8 z = {128}, int8[4,3,3,3] w = {"
    "1, -2, 3, 0, 5, -6, 7, 8, -9, 1, 1, 1, 2, 2, 2, 3, 3, 3, -1, -2, -3, 4, 5, 6, 7, 8, 9,"
    "0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,"
    "127, -127, 3, 0, 5, -6, 7, 8, -9, 1, 1, 1, 2, 2, 2, 3, 3, 3, -1, -2, -3, 4, 5, 6, 7, 8, 9,"
    "1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 1}, float[4] ws = {0.01, 0.02, 0.03, 0.2}, int8[4] wz = {0, 0, 0, 0}, float t = {0.2}, uint8 u = {110}>"
    " { f = DequantizeLinear (x, s, z) v = DequantizeLinear <axis = 0> (w, ws, wz) h = Conv <pads = [1, 0, 1, 0], strides = [1, 2]> (f, v) y = QuantizeLinear (h, t, u) }",
    .low = 0, .high = 255, .steps = 1)
/* clang-format on */
#undef ROW
