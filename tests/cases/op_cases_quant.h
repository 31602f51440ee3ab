/* op_cases_quant.h - rows of the case table: 8-bit numbers. */
#define ROW(NAME, ...) {.name = #NAME, .text = __VA_ARGS__},

/* clang-format off */
ROW(quantize, "g (float[7] x) => (y) <float s = {2}, uint8 z = {128}> { y = QuantizeLinear (x, s, z) }",
    .in = "0 1 3 -1 -5 1000 -1000", .out = "128 128 130 128 126 255 0")
ROW(quantize_int8, "g (float[6] x) => (y) <float[1] s = {0.5}, int8[1] z = {-3}> { y = QuantizeLinear (x, s, z) }",
    .in = "0.25 0.75 -0.25 100 -100 0", .out = "-3 -1 -3 127 -128 -3")
ROW(quantize_no_zero, "g (float[3] x) => (y) <float s = {1}> { y = QuantizeLinear (x, s) }", .in = "2.5 3.5 -1", .out = "2 4 0")
ROW(quantize_axis, "g (float[2,3] x, float[3] s, uint8[3] z) => (y) { y = QuantizeLinear (x, s, z) }",
    .in = "1 2 3 4 5 6; 1 2 0.5; 0 10 100", .out = "1 11 106 4 12 112")
ROW(quantize_first_axis, "g (float[2,2,2] x, float[2] s) => (y) { y = QuantizeLinear <axis = -3> (x, s) }",
    .in = "1 2 3 4 5 6 7 8; 1 2", .out = "1 2 3 4 2 3 4 4")
/* what becomes of infinities and NaN is left open by the standard */
ROW(quantize_extreme, "g (float[3] x) => (y) <float s = {1e-30}, int8 z = {5}> { y = QuantizeLinear (x, s, z) }",
    .in = "inf -inf nan", .out = "127 -128 -128", .no_oracle = true)
ROW(quantize_double, "g (double[1] x) => (y) <float s = {1}> { y = QuantizeLinear (x, s) }", .error = "unsupported: QuantizeLinear of double")
ROW(quantize_mixed, "g (float[1] x, uint8[2] z) => (y) <float s = {1}> { y = QuantizeLinear (x, s, z) }", .error = "zero points uint8[2] for scales float[]")
ROW(quantize_long, "g (float[2,3] x, float[2] s) => (y) { y = QuantizeLinear (x, s) }", .error = "scales float[2] for an axis of 3")
ROW(dequantize, "g (uint8[3] x) => (y) <float s = {0.5}, uint8 z = {128}> { y = DequantizeLinear (x, s, z) }", .in = "0 128 255", .out = "-64 0 63.5")
ROW(dequantize_int8, "g (int8[3] x) => (y) <float s = {0.1}, int8 z = {-128}> { y = DequantizeLinear (x, s, z) }", .in = "-128 0 127", .out = "0 12.8 25.5")
ROW(dequantize_axis, "g (int8[2,2,2] x, float[2] s, int8[2] z) => (y) { y = DequantizeLinear (x, s, z) }",
    .in = "1 2 3 4 5 6 7 8; 1 10; 0 3", .out = "1 2 0 10 5 6 40 50")
ROW(dequantize_int32, "g (int32[2] x) => (y) <float s = {0.25}> { y = DequantizeLinear (x, s) }", .in = "-100000 3", .out = "-25000 0.75")
ROW(dequantize_int32_zero, "g (int32[2] x) => (y) <float s = {0.25}, int32 z = {1}> { y = DequantizeLinear (x, s, z) }", .error = "zero point of int32 codes")
ROW(dequantize_mixed, "g (int8[2] x, uint8 z) => (y) <float s = {1}> { y = DequantizeLinear (x, s, z) }", .error = "the zero point is uint8, the codes are int8")
ROW(quantize_dynamic, "g (float[2,3] x) => (y, s, z) { y, s, z = DynamicQuantizeLinear (x) }",
    .in = "0 2 -3 -2.5 1.34 0.5", .out = "153 255 0 26 221 179; 0.0196078438; 153")
ROW(quantize_dynamic_positive, "g (float[2] x) => (y, s, z) { y, s, z = DynamicQuantizeLinear (x) }", .in = "1 4", .out = "64 255; 0.0156862754; 0")
ROW(quantize_dynamic_random, "g (float[5,7] x) => (y, s, z) { y, s, z = DynamicQuantizeLinear (x) }", .low = -3, .high = 5)
ROW(quantize_dynamic_zeros, "g (float[2] x) => (y, s, z) { y, s, z = DynamicQuantizeLinear (x) }", .in = "0 0", .out = "0 0; 1; 0")

ROW(matmul_integer, "g (uint8[2,3] a, uint8[3,2] b) => (y) <uint8 az = {12}, uint8 bz = {1}> { y = MatMulInteger (a, b, az, bz) }",
    .in = "11 7 3 10 6 2; 1 4 2 5 3 6", .out = "-23 -68 -26 -80")
ROW(matmul_integer_signed, "g (int8[2,2] a, int8[2,2] b) => (y) { y = MatMulInteger (a, b) }", .in = "-128 127 1 -1; -128 5 127 -6", .out = "32513 -1402 -255 11")
ROW(matmul_integer_mixed, "g (uint8[3,4] a, int8[4,5] b) => (y) <uint8[1] az = {7}, int8[1] bz = {-2}> { y = MatMulInteger (a, b, az, bz) }", .low = -100, .high = 100)
ROW(matmul_integer_columns, "g (uint8[2,2] a, int8[2,2] b) => (y) <uint8 az = {0}, int8[2] bz = {1, -1}> { y = MatMulInteger (a, b, az, bz) }",
    .in = "1 2 3 4; 1 2 3 4", .out = "4 13 8 29")
/* onnxruntime takes one zero point only for the left side */
ROW(matmul_integer_rows, "g (uint8[2,2] a, int8[2,2] b) => (y) <uint8[2] az = {1, 3}> { y = MatMulInteger (a, b, az) }",
    .in = "1 2 3 4; 1 2 3 4", .out = "3 4 3 4", .no_oracle = true)
ROW(matmul_integer_stack, "g (uint8[2,3,2,4] a, uint8[3,4,3] b) => (y) { y = MatMulInteger (a, b) }", .low = 0, .high = 255)
ROW(matmul_integer_vector, "g (uint8[4] a, uint8[4,3] b) => (y) { y = MatMulInteger (a, b) }", .low = 0, .high = 255)
ROW(matmul_integer_float, "g (float[2,2] a, uint8[2,2] b) => (y) { y = MatMulInteger (a, b) }", .error = "unsupported: MatMulInteger of float")

ROW(conv_integer, "g (uint8[1,1,3,3] x, uint8[1,1,2,2] w) => (y) <uint8 xz = {1}> { y = ConvInteger (x, w, xz) }",
    .in = "2 3 4 5 6 7 8 9 10; 1 1 1 1", .out = "12 16 24 28")
ROW(conv_integer_padding, "g (uint8[1,1,3,3] x, uint8[1,1,2,2] w) => (y) <uint8 xz = {1}> { y = ConvInteger <pads = [1, 1, 1, 1]> (x, w, xz) }",
    .in = "2 3 4 5 6 7 8 9 10; 1 1 1 1", .out = "1 3 5 3 5 12 16 9 11 24 28 15 7 15 17 9")
ROW(conv_integer_groups, "g (uint8[2,4,5,4] x, int8[6,2,3,2] w) => (y) <uint8 xz = {100}, int8 wz = {3}>"
    " { y = ConvInteger <group = 2, strides = [2, 1], pads = [1, 0, 1, 1], dilations = [1, 2]> (x, w, xz, wz) }", .low = -120, .high = 120)
/* onnxruntime refuses zero points by channel here */
ROW(conv_integer_channels, "g (uint8[1,2,4,4] x, int8[3,2,2,2] w) => (y) <uint8 xz = {9}, int8[3] wz = {3, 0, -7}> { y = ConvInteger (x, w, xz, wz) }",
    .low = -120, .high = 120, .no_oracle = true)
ROW(conv_integer_1d, "g (uint8[1,2,9] x, uint8[3,2,3] w) => (y) { y = ConvInteger (x, w) }", .low = 0, .high = 255, .no_oracle = true)
ROW(conv_integer_zero_type, "g (uint8[1,1,3,3] x, uint8[1,1,2,2] w, int8 xz) => (y) { y = ConvInteger (x, w, xz) }", .error = "zero points of type int8 for codes of type uint8")
/* clang-format on */
#undef ROW
