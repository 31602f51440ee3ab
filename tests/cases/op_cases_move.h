/* op_cases_move.h - rows of the case table: shapes and data movement. */
#define ROW(NAME, ...) {.name = #NAME, .text = __VA_ARGS__},

/* clang-format off */
ROW(reshape_free, "g (float[2,3,4] x) => (y) <int64[3] s = {0, -1, 2}> { t = Reshape (x, s)\n y = Transpose (t) }")
ROW(reshape_bad, "g (float[2,3] x) => (y) <int64[2] s = {4, -1}> { y = Reshape (x, s) }",
    .error = "6 elements do not divide into rows of 4")
ROW(reshape_run_time, "g (float[2,3] x, int64[2] s) => (y) { y = Reshape (x, s) }",
    .error = "'s') must be a constant: its value is not known at compile time")
ROW(reshape_allowzero, "g (float[0,3] x) => (y) <int64[2] s = {3, 0}> { y = Reshape <allowzero = 1> (x, s) }", .no_oracle = true)
ROW(flatten_axis, "g (float[2,3,4] x) => (y) { t = Flatten <axis = 2> (x)\n y = Transpose (t) }")
ROW(flatten_scalar, "g (float[2,3,4] x) => (y) { t = Flatten <axis = -3> (x)\n y = Transpose (t) }")
ROW(squeeze_all, "g (float[1,3,1,2] x) => (y) { t = Squeeze (x)\n y = Transpose (t) }", .in = "1 2 3 4 5 6", .out = "1 3 5 2 4 6")
ROW(squeeze_axes, "g (float[1,3,1,2] x) => (y) <int64[1] a = {-2}> { t = Squeeze (x, a)\n y = Transpose (t) }")
ROW(squeeze_bad, "g (float[1,3] x) => (y) <int64[1] a = {1}> { y = Squeeze (x, a) }", .error = "axis 1 has the size 3, not 1")
ROW(unsqueeze, "g (float[3,2] x) => (y) <int64[2] a = {0, -1}> { t = Unsqueeze (x, a)\n y = Transpose (t) }")
ROW(identity, "g (float[3,2] x) => (y) { y = Identity (x) }", .in = "1 2 3 4 5 6", .out = "1 2 3 4 5 6")
/* An output that is listed more than once: each place is written. */
ROW(output_twice, "g (float[2] x) => (y, y) { y = Relu (x) }", .in = "-1 2", .out = "0 2; 0 2")
ROW(output_thrice, "g (float[1,2] x) => (y, z, y, y) <float[2,2] w = {1, 0, 0, 2}> { y = MatMul (x, w)\n z = Neg (y) }",
    .in = "1 2", .out = "1 4; -1 -4; 1 4; 1 4")
ROW(output_identity_twice, "g (float[2] x) => (y, y) { y = Identity (x) }", .in = "1 2", .out = "1 2; 1 2")
ROW(output_behind_identity, "g (float[2] x) => (y, z, z) { y = Neg (x)\n z = Identity (y) }", .in = "1 2", .out = "-1 -2; -1 -2; -1 -2")
ROW(output_constant_twice, "g (float[2] x) => (c, y, c) <int32[1] c = {5}> { y = Neg (x) }", .in = "1 2", .out = "5; -1 -2; 5")
ROW(output_twice_branch, "g (float[2] x, bool c) => (y, z) { y, z = If <then_branch = yes () => (a, a) { a = Neg (x) },"
    " else_branch = no () => (b, d) { b = Abs (x)\n d = Exp (x) }> (c) }", .in = "1 2; 1", .out = "-1 -2; -1 -2")
ROW(dropout, "g (float[3] x) => (y) <float r = {0.5}> { y = Dropout (x, r) }", .in = "1 2 3", .out = "1 2 3")
ROW(dropout_training, "g (float[3] x) => (y) <float r = {0.5}, bool t = {1}> { y = Dropout (x, r, t) }", .error = "training mode")
ROW(shape_and_gather, "g (float[2,3,4] x) => (y) <int64[1] one = {-1}>"
    " { s = Shape <start = 0, end = 1> (x)\n t = Concat <axis = 0> (s, one)\n y = Reshape (x, t) }")
ROW(size_of, "g (float[2,3,4] x) => (y) <int64[1] a = {0}> { s = Size (x)\n t = Unsqueeze (s, a)\n y = Reshape (x, t) }")
ROW(eye_like, "g (float[2,3] x) => (y) { e = EyeLike <k = 1> (x)\n y = Add (x, e) }", .in = "0 0 0 0 0 0", .out = "0 1 0 0 0 1")
ROW(constant_of_shape, "g (float[2] x) => (y) <int64[1] s = {3}>"
    " { c = ConstantOfShape <value = float[1] {3}> (s)\n y = Concat <axis = 0> (c, x) }", .in = "1 2", .out = "3 3 3 1 2")
ROW(range_index, "g (float[3] x) => (y) <int64 a = {5}, int64 b = {0}, int64 c = {-2}>"
    " { r = Range (a, b, c)\n f = Cast <to = 1> (r)\n y = Add (x, f) }", .in = "0 0 0", .out = "5 3 1")
/* the distance is rounded to the type, the quotient is that of doubles: 0.6 / 0.2 of floats is above 3 */
ROW(range_float_above, "g (float x) => (float[4] y) <float a = {0}, float b = {0.6}, float c = {0.2}>"
    " { r = Range (a, b, c)\n y = Add (x, r) }", .in = "0", .out = "0 0.2 0.4 0.6")
ROW(range_float_distance, "g (float x) => (float[4] y) <float a = {0.1}, float b = {0.4}, float c = {0.1}>"
    " { r = Range (a, b, c)\n y = Add (x, r) }", .in = "0", .out = "0.1 0.2 0.3 0.4")
ROW(range_double, "g (double x) => (double[3] y) <double a = {0.1}, double b = {0.7}, double c = {0.2}>"
    " { r = Range (a, b, c)\n y = Add (x, r) }", .in = "0", .out = "0.1 0.3 0.5")
ROW(range_float_down, "g (float x) => (float[3] y) <float a = {1}, float b = {-0.5}, float c = {-0.5}>"
    " { r = Range (a, b, c)\n y = Add (x, r) }", .in = "0", .out = "1 0.5 0")

ROW(transpose_2d, "g (float[2,3] x) => (y) { y = Transpose (x) }", .in = "1 2 3 4 5 6", .out = "1 4 2 5 3 6")
ROW(transpose_nhwc, "g (float[2,4,5,3] x) => (y) { y = Transpose <perm = [0, 3, 1, 2]> (x) }")
ROW(transpose_5d, "g (float[2,3,2,4,3] x) => (y) { y = Transpose <perm = [4, 1, 0, 3, 2]> (x) }")
ROW(transpose_int64, "g (int64[2,3] x) => (y) { y = Transpose (x) }", .low = -9, .high = 9)
ROW(transpose_bool, "g (bool[2,3] x) => (y) { y = Transpose (x) }")
ROW(transpose_trivial, "g (float[1,3,1] x) => (y) { y = Transpose <perm = [2, 1, 0]> (x) }")
ROW(transpose_bad, "g (float[2,3] x) => (y) { y = Transpose <perm = [0, 0]> (x) }", .error = "not a permutation")
ROW(concat_rows, "g (float[1,2] a, float[2,2] b) => (y) { y = Concat <axis = 0> (a, b) }", .in = "1 2; 3 4 5 6", .out = "1 2 3 4 5 6")
ROW(concat_columns, "g (float[2,1] a, float[2,2] b) => (y) { y = Concat <axis = -1> (a, b) }", .in = "1 2; 3 4 5 6", .out = "1 3 4 2 5 6")
ROW(concat_channels, "g (float[2,1,3,3] a, float[2,2,3,3] b, float[2,3,3,3] c) => (y) { y = Concat <axis = 1> (a, b, c) }")
ROW(concat_twice, "g (float[2,2] a) => (y) { y = Concat <axis = 1> (a, a) }", .in = "1 2 3 4", .out = "1 2 1 2 3 4 3 4")
ROW(concat_bad, "g (float[2,1] a, float[3,2] b) => (y) { y = Concat <axis = 1> (a, b) }", .error = "does not fit the others along axis 1")
ROW(split_equal, "g (float[2,4] x) => (a, b) { a, b = Split <axis = 1> (x) }", .in = "1 2 3 4 5 6 7 8", .out = "1 2 5 6; 3 4 7 8")
ROW(split_sizes, "g (float[5,2] x) => (a, b, c) <int64[3] s = {1, 3, 1}> { a, b, c = Split (x, s) }")
ROW(split_unused, "g (float[2,4] x) => (b) { a, b = Split <axis = 1> (x) }")
ROW(split_bad, "g (float[5,2] x) => (a, b) <int64[2] s = {1, 3}> { a, b = Split (x, s) }", .error = "the parts sum up to 4, the axis has 5")
ROW(slice_plain, "g (float[4,4] x) => (y) <int64[2] s = {1, 0}, int64[2] e = {3, 2}> { y = Slice (x, s, e) }",
    .in = "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16", .out = "5 6 9 10")
ROW(slice_negative_step, "g (float[6] x) => (y) <int64[1] s = {-1}, int64[1] e = {-9223372036854775807}, int64[1] a = {0}, int64[1] t = {-2}>"
    " { y = Slice (x, s, e, a, t) }", .in = "1 2 3 4 5 6", .out = "6 4 2")
ROW(slice_reverse_to, "g (float[6] x) => (y) <int64[1] s = {10}, int64[1] e = {1}, int64[1] a = {0}, int64[1] t = {-1}>"
    " { y = Slice (x, s, e, a, t) }", .in = "1 2 3 4 5 6", .out = "6 5 4 3")
ROW(slice_steps, "g (float[2,7,8] x) => (y) <int64[2] s = {-6, 1}, int64[2] e = {100, -1}, int64[2] a = {1, -1}, int64[2] t = {3, 2}>"
    " { y = Slice (x, s, e, a, t) }")
ROW(slice_empty, "g (float[4] x) => (y) <int64[1] s = {3}, int64[1] e = {1}> { y = Slice (x, s, e) }", .no_oracle = true)
ROW(slice_of_nothing, "g (int32[0] x) => (y) <int64[1] s = {-3}, int64[1] e = {-1}, int64[1] a = {0}, int64[1] t = {-2}>"
    " { y = Slice (x, s, e, a, t) }", .in = "", .out = "")
ROW(slice_bad_axis, "g (float[4] x) => (y) <int64[1] s = {0}, int64[1] e = {1}, int64[1] a = {1}> { y = Slice (x, s, e, a) }",
    .error = "axis 1 is out of range")
ROW(expand_rows, "g (float[3,1] x) => (y) <int64[3] s = {2, 1, 2}> { y = Expand (x, s) }", .in = "1 2 3", .out = "1 1 2 2 3 3 1 1 2 2 3 3")
ROW(expand_shorter, "g (float[2,1,3] x) => (y) <int64[2] s = {4, 1}> { y = Expand (x, s) }")
ROW(expand_bad, "g (float[3] x) => (y) <int64[1] s = {2}> { y = Expand (x, s) }", .error = "does not expand to 2")
ROW(tile_2d, "g (float[2,2] x) => (y) <int64[2] r = {2, 2}> { y = Tile (x, r) }", .in = "1 2 3 4", .out = "1 2 1 2 3 4 3 4 1 2 1 2 3 4 3 4")
ROW(tile_3d, "g (float[2,3,2] x) => (y) <int64[3] r = {1, 2, 3}> { y = Tile (x, r) }")
ROW(depth_to_space_dcr, "g (float[1,8,2,3] x) => (y) { y = DepthToSpace <blocksize = 2> (x) }")
ROW(depth_to_space_crd, "g (float[2,8,2,3] x) => (y) { y = DepthToSpace <blocksize = 2, mode = \"CRD\"> (x) }")
ROW(depth_to_space_hand, "g (float[1,8,1,1] x) => (y) { y = DepthToSpace <blocksize = 2> (x) }",
    .in = "0 1 2 3 4 5 6 7", .out = "0 2 4 6 1 3 5 7")
ROW(depth_to_space_crd_hand, "g (float[1,8,1,1] x) => (y) { y = DepthToSpace <blocksize = 2, mode = \"CRD\"> (x) }",
    .in = "0 1 2 3 4 5 6 7", .out = "0 1 2 3 4 5 6 7")
ROW(space_to_depth, "g (float[2,2,4,6] x) => (y) { y = SpaceToDepth <blocksize = 2> (x) }")
ROW(space_to_depth_hand, "g (float[1,1,2,4] x) => (y) { y = SpaceToDepth <blocksize = 2> (x) }",
    .in = "0 1 2 3 4 5 6 7", .out = "0 2 1 3 4 6 5 7")
ROW(pad_constant, "g (float[2,2] x) => (y) <int64[4] p = {1, 0, 0, 2}, float v = {9}> { y = Pad (x, p, v) }",
    .in = "1 2 3 4", .out = "9 9 9 9 1 2 9 9 3 4 9 9")
ROW(pad_zero, "g (float[1,2,3,3] x) => (y) <int64[8] p = {0, 0, 1, 1, 0, 0, 1, 1}> { y = Pad (x, p) }")
ROW(pad_crop, "g (float[3,4] x) => (y) <int64[4] p = {-1, 1, 1, -2}> { y = Pad (x, p) }",
    .in = "1 2 3 4 5 6 7 8 9 10 11 12", .out = "0 5 6 0 9 10 0 0 0")
ROW(pad_run_time_value, "g (float[2,2] x, float v) => (y) <int64[4] p = {0, 1, 1, 0}> { y = Pad (x, p, v) }")
ROW(pad_edge, "g (float[2,3] x) => (y) <int64[4] p = {1, 2, 0, 1}> { y = Pad <mode = \"edge\"> (x, p) }",
    .in = "1 2 3 4 5 6", .out = "1 1 1 2 3 3 1 1 1 2 3 3 4 4 4 5 6 6")
ROW(pad_reflect, "g (float[2,3] x) => (y) <int64[4] p = {1, 2, 0, 1}> { y = Pad <mode = \"reflect\"> (x, p) }",
    .in = "1 2 3 4 5 6", .out = "6 5 4 5 6 5 3 2 1 2 3 2 6 5 4 5 6 5")
ROW(pad_reflect_4d, "g (float[1,2,4,5] x) => (y) <int64[8] p = {0, 0, 2, 3, 0, 0, 1, 1}> { y = Pad <mode = \"reflect\"> (x, p) }")
ROW(pad_edge_int, "g (int32[3] x) => (y) <int64[2] p = {2, -1}> { y = Pad <mode = \"edge\"> (x, p) }", .in = "1 2 3", .out = "1 1 1 2")
ROW(pad_reflect_too_far, "g (float[3] x) => (y) <int64[2] p = {3, 0}> { y = Pad <mode = \"reflect\"> (x, p) }", .error = "cannot be reflected 3")
ROW(pad_bad_mode, "g (float[3] x) => (y) <int64[2] p = {1, 0}> { y = Pad <mode = \"wrap\"> (x, p) }", .error = "'mode' is 'wrap'")
ROW(gather_rows, "g (float[3,2] x) => (y) <int64[3] i = {2, 0, -1}> { y = Gather (x, i) }", .in = "1 2 3 4 5 6", .out = "5 6 1 2 5 6")
ROW(gather_columns, "g (float[2,3] x) => (y) <int32[2,2] i = {0, 2, 1, 1}> { y = Gather <axis = 1> (x, i) }",
    .in = "1 2 3 4 5 6", .out = "1 3 2 2 4 6 5 5")
ROW(gather_scalar, "g (float[2,3] x) => (y) <int64 i = {1}> { y = Gather <axis = -1> (x, i) }", .in = "1 2 3 4 5 6", .out = "2 5")
ROW(gather_run_time, "g (int64[2,3] i) => (y) <float[5,4] x = seed 1> { y = Gather (x, i) }", .low = -5, .high = 4)
ROW(gather_double, "g (double[2,3,2] x, int32[2] i) => (y) { y = Gather <axis = 1> (x, i) }", .low = 0, .high = 2)
ROW(gather_clamped, "g (float[3] x, int64[3] i) => (y) { y = Gather (x, i) }", .in = "1 2 3; 3 -4 -9000000000", .out = "3 1 1",
    .no_oracle = true) /* an error there */
ROW(gather_outside, "g (float[3,2] x) => (y) <int64[1] i = {3}> { y = Gather (x, i) }", .error = "index 3 is outside of an axis of size 3")
ROW(gather_elements, "g (float[2,2] x) => (y) <int64[2,2] i = {0, 0, 1, 0}> { y = GatherElements <axis = 1> (x, i) }",
    .in = "1 2 3 4", .out = "1 1 4 3")
ROW(gather_elements_3d, "g (float[3,4,2] x, int32[2,4,2] i) => (y) { y = GatherElements (x, i) }", .low = -3, .high = 2)
ROW(gather_nd_elements, "g (float[2,2] x) => (y) <int64[2,2] i = {0, 0, 1, 1}> { y = GatherND (x, i) }", .in = "1 2 3 4", .out = "1 4")
ROW(gather_nd_rows, "g (float[2,3,2] x) => (y) <int64[2,1] i = {1, -2}> { y = GatherND (x, i) }")
ROW(gather_nd_batch, "g (float[2,3,4] x, int64[2,2,1] i) => (y) { y = GatherND <batch_dims = 1> (x, i) }", .low = -3, .high = 2)
ROW(scatter_elements, "g (float[3,3] x, float[2,3] u) => (y) <int64[2,3] i = {1, 0, 2, 0, 2, 1}> { y = ScatterElements (x, i, u) }",
    .in = "0 0 0 0 0 0 0 0 0; 1 2 3 4 5 6", .out = "4 2 0 1 0 6 0 5 3")
ROW(scatter_elements_axis, "g (float[2,5] x, float[2,2] u) => (y) <int32[2,2] i = {1, -1, 0, 3}> { y = ScatterElements <axis = 1> (x, i, u) }")
ROW(scatter_elements_add, "g (float[1,5] x, float[1,3] u) => (y) <int64[1,3] i = {1, 1, -1}> { y = ScatterElements <axis = 1, reduction = \"add\"> (x, i, u) }",
    .in = "1 2 3 4 5; 10 20 30", .out = "1 32 3 4 35")
ROW(scatter_elements_mul, "g (int32[3,2] x, int32[2,2] u, int32[2,2] i) => (y) { y = ScatterElements <reduction = \"mul\"> (x, i, u) }",
    .in = "1 2 3 4 5 6; 2 3 4 5; 2 0 2 1", .out = "1 6 3 20 40 6")
ROW(scatter_elements_odd, "g (float[3] x, float[1] u) => (y) <int64[1] i = {1}> { y = ScatterElements <reduction = \"xor\"> (x, i, u) }",
    .error = "unsupported: 'reduction' = 'xor'")
ROW(scatter_nd_add, "g (float[3,2] x, float[3,2] u) => (y) <int64[3,1] i = {2, 0, 2}> { y = ScatterND <reduction = \"add\"> (x, i, u) }",
    .in = "1 2 3 4 5 6; 10 20 30 40 50 60", .out = "31 42 3 4 65 86")
ROW(scatter_nd_mul, "g (int64[2,3] x, int64[4] u, int64[4,2] i) => (y) { y = ScatterND <reduction = \"mul\"> (x, i, u) }",
    .in = "1 2 3 4 5 6; 2 3 4 5; 0 0 1 2 0 0 1 -2", .out = "8 2 3 4 25 18")
/* Of opset 18. */
ROW(scatter_nd_max, "g (float[4] x, float[3] u, int64[3,1] i) => (y) { y = ScatterND <reduction = \"max\"> (x, i, u) }",
    .in = "1 2 3 4; 0 9 -1; 0 2 3", .out = "1 2 9 4", .no_oracle = true)
ROW(scatter_nd_elements, "g (float[8] x, float[4] u) => (y) <int64[4,1] i = {4, 3, 1, 7}> { y = ScatterND (x, i, u) }",
    .in = "1 2 3 4 5 6 7 8; 9 10 11 12", .out = "1 11 3 10 9 6 7 12")
ROW(scatter_nd_rows, "g (float[3,2,2] x, float[2,2,2] u) => (y) <int64[2,1] i = {2, 0}> { y = ScatterND (x, i, u) }")
ROW(one_hot_last, "g (int64[3] i) => (y) <int64 d = {3}, float[2] v = {0, 5}> { y = OneHot (i, d, v) }", .in = "0 2 -2", .out = "5 0 0 0 0 5 0 5 0")
ROW(one_hot_axis, "g (int64[2,3] i) => (y) <int64 d = {4}, float[2] v = {-1, 1}> { y = OneHot <axis = 1> (i, d, v) }", .low = -5, .high = 5)
ROW(one_hot_int32, "g (int32[2,3] i) => (y) <int64 d = {4}, float[2] v = {-1, 1}> { y = OneHot <axis = 1> (i, d, v) }", .low = -5, .high = 5, .no_oracle = true) /* not implemented there */
ROW(trilu_upper, "g (float[2,3] x) => (y) <int64 k = {1}> { y = Trilu (x, k) }", .in = "1 2 3 4 5 6", .out = "0 2 3 0 0 6")
ROW(trilu_lower, "g (float[3,3] x) => (y) { y = Trilu <upper = 0> (x) }", .in = "1 2 3 4 5 6 7 8 9", .out = "1 0 0 4 5 0 7 8 9")
ROW(trilu_stack, "g (float[2,4,3] x) => (y) <int64 k = {-2}> { y = Trilu <upper = 0> (x, k) }")
ROW(trilu_bool, "g (bool[3,3] x) => (y) { y = Trilu (x) }", .no_oracle = true) /* not implemented there */
ROW(top_k, "g (float[2,4] x) => (v, i) <int64[1] k = {2}> { v, i = TopK (x, k) }",
    .in = "1 4 2 4 -1 -2 -3 -4", .out = "4 4 -1 -2; 1 3 0 1")
ROW(top_k_smallest, "g (float[4,2] x) => (v, i) <int64[1] k = {3}> { v, i = TopK <axis = 0, largest = 0> (x, k) }",
    .in = "3 1 1 2 2 2 0 9", .out = "0 1 1 2 2 2; 3 0 1 1 2 2")
ROW(top_k_nan, "g (float[4] x) => (v, i) <int64[1] k = {3}> { v, i = TopK (x, k) }", .in = "1 nan 2 nan", .out = "nan nan 2; 1 3 2", .no_oracle = true)
ROW(top_k_smallest_nan, "g (float[4] x) => (v, i) <int64[1] k = {3}> { v, i = TopK <largest = 0> (x, k) }", .in = "nan 1 nan 0", .out = "0 1 nan; 3 1 0", .no_oracle = true)
ROW(top_k_indices, "g (float[3,7,2] x) => (i) <int64[1] k = {7}> { v, i = TopK <axis = 1> (x, k) }")
ROW(top_k_values, "g (int64[3,5] x) => (v) <int64[1] k = {4}> { v, i = TopK (x, k) }", .low = -100, .high = 100)
ROW(top_k_too_many, "g (float[3] x) => (v, i) <int64[1] k = {4}> { v, i = TopK (x, k) }", .error = "the 4 largest of 3 elements")
ROW(resize_nearest, "g (float[1,1,2,2] x) => (y) <float[4] s = {1, 1, 2, 3}>"
    " { y = Resize <mode = \"nearest\", coordinate_transformation_mode = \"asymmetric\", nearest_mode = \"floor\"> (x, , s) }",
    .in = "1 2 3 4", .out = "1 1 1 2 2 2 1 1 1 2 2 2 3 3 3 4 4 4 3 3 3 4 4 4")
ROW(resize_nearest_default, "g (float[1,2,3,5] x) => (y) <float[4] s = {1, 1, 2.5, 0.6}> { y = Resize (x, , s) }")
ROW(resize_nearest_sizes, "g (float[1,2,3,5] x) => (y) <int64[4] s = {1, 2, 7, 8}>"
    " { y = Resize <coordinate_transformation_mode = \"align_corners\", nearest_mode = \"round_prefer_ceil\"> (x, , , s) }")
ROW(resize_nearest_ceil, "g (float[1,2,4,4] x) => (y) <int64[4] s = {1, 2, 3, 9}>"
    " { y = Resize <nearest_mode = \"ceil\", coordinate_transformation_mode = \"pytorch_half_pixel\"> (x, , , s) }")
ROW(resize_nearest_3d, "g (float[1,1,2,3,2] x) => (y) <float[5] s = {1, 1, 2, 2, 2}>"
    " { y = Resize <coordinate_transformation_mode = \"asymmetric\"> (x, , s) }")
ROW(resize_nearest_int, "g (int32[1,1,2,2] x) => (y) <float[4] s = {1, 1, 2, 2}>"
    " { y = Resize <coordinate_transformation_mode = \"asymmetric\", nearest_mode = \"floor\"> (x, , s) }",
    .in = "1 2 3 4", .out = "1 1 2 2 1 1 2 2 3 3 4 4 3 3 4 4")
ROW(resize_tie_ceil, "g (float[20] x) => (y) <int64[1] s = {6}> { y = Resize <nearest_mode = \"round_prefer_ceil\"> (x, , , s) }",
    .in = "0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19", .out = "1 5 8 11 15 18")
ROW(resize_tie_floor, "g (float[20] x) => (y) <int64[1] s = {6}> { y = Resize (x, , , s) }",
    .in = "0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19", .out = "1 4 8 11 14 18")
ROW(resize_tie_scale, "g (float[20] x) => (y) <float[1] s = {0.3}> { y = Resize <nearest_mode = \"round_prefer_ceil\"> (x, , s) }",
    .in = "0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19", .out = "1 5 8 11 15 18")
ROW(resize_linear, "g (float[1,1,2,2] x) => (y) <float[4] s = {1, 1, 2, 2}> { y = Resize <mode = \"linear\"> (x, , s) }",
    .in = "1 2 3 4", .out = "1 1.25 1.75 2 1.5 1.75 2.25 2.5 2.5 2.75 3.25 3.5 3 3.25 3.75 4")
ROW(resize_linear_corners, "g (float[1,1,1,3] x) => (y) <int64[4] s = {1, 1, 1, 5}>"
    " { y = Resize <mode = \"linear\", coordinate_transformation_mode = \"align_corners\"> (x, , , s) }",
    .in = "1 2 4", .out = "1 1.5 2 3 4")
ROW(resize_corners_fraction, "g (float[1,1,2,4] x) => (y) <float[4] s = {1, 1, 0.6, 0.6}>"
    " { y = Resize <mode = \"linear\", coordinate_transformation_mode = \"align_corners\"> (x, , s) }", .in = "1 2 3 4 5 6 7 8", .out = "1 4")
ROW(resize_float_length, "g (float[1,1,10] x) => (float[1,1,7] y) <float[3] s = {1, 1, 0.7}> { y = Resize <mode = \"linear\"> (x, , s) }",
    .in = "0 1 2 3 4 5 6 7 8 9", .out = "0.21428573 1.6428571 3.0714285 4.5 5.9285717 7.357143 8.785714")
ROW(resize_float_length_nearest, "g (float[1,1,10] x) => (float[1,1,7] y) <float[3] s = {1, 1, 0.7}> { y = Resize (x, , s) }",
    .in = "0 1 2 3 4 5 6 7 8 9", .out = "0 2 3 4 6 7 9")
ROW(resize_linear_down, "g (float[2,3,6,7] x) => (y) <float[4] s = {1, 1, 0.5, 0.75}> { y = Resize <mode = \"linear\"> (x, , s) }")
ROW(resize_linear_asymmetric, "g (float[1,2,3,3] x) => (y) <float[4] s = {1, 1, 2, 2}>"
    " { y = Resize <mode = \"linear\", coordinate_transformation_mode = \"asymmetric\"> (x, , s) }")
ROW(resize_linear_1d, "g (float[2,2,5] x) => (y) <float[3] s = {1, 1, 1.7}> { y = Resize <mode = \"linear\"> (x, , s) }",
    .no_oracle = true) /* not implemented there */
ROW(resize_linear_channels_last, "g (float[1,3,4,2] x) => (y) <float[4] s = {1, 2, 2, 1}> { y = Resize <mode = \"linear\"> (x, , s) }")
ROW(resize_cubic, "g (float[1,1,4,4] x) => (y) <float[4] s = {1, 1, 2, 2}> { y = Resize <mode = \"cubic\"> (x, , s) }")
ROW(resize_cubic_exclude, "g (float[1,2,4,5] x) => (y) <float[4] s = {1, 1, 1.5, 0.8}>"
    " { y = Resize <mode = \"cubic\", cubic_coeff_a = -0.5, exclude_outside = 1> (x, , s) }")
ROW(resize_cubic_corners, "g (float[1,1,4,4] x) => (y) <int64[4] s = {1, 1, 9, 3}>"
    " { y = Resize <mode = \"cubic\", coordinate_transformation_mode = \"align_corners\"> (x, , , s) }")
ROW(resize_half_pixel_for_nn, "g (float[1,1,4,4] x) => (y) <int64[4] s = {1, 1, 3, 2}>"
    " { y = Resize <coordinate_transformation_mode = \"tf_half_pixel_for_nn\", nearest_mode = \"floor\"> (x, , , s) }")
ROW(resize_crop, "g (float[2,3,5,4] x) => (y) <float[8] r = {0, 0, 0.2, -0.25, 1, 1, 0.9, 1.5}, int64[4] s = {2, 3, 4, 6}>"
    " { y = Resize <coordinate_transformation_mode = \"tf_crop_and_resize\", extrapolation_value = 7.5, mode = \"linear\"> (x, r, , s) }")
/* onnxruntime copies where all sizes stay, whatever the part that is taken. */
ROW(resize_crop_same_size, "g (float[1,1,3,3] x) => (y) <float[8] r = {0, 0, 0.5, 0, 1, 1, 1, 0.5}, float[4] s = {1, 1, 1, 1}>"
    " { y = Resize <coordinate_transformation_mode = \"tf_crop_and_resize\", mode = \"linear\"> (x, r, s) }",
    .in = "0 1 2 3 4 5 6 7 8", .out = "3 3.5 4 4.5 5 5.5 6 6.5 7", .no_oracle = true)
ROW(resize_crop_no_roi, "g (float[1,1,2,2] x) => (y) <float[4] s = {1, 1, 2, 2}>"
    " { y = Resize <coordinate_transformation_mode = \"tf_crop_and_resize\"> (x, , s) }", .error = "roi must be float[8]")
ROW(resize_nothing, "g (float[1,1,2,2] x) => (y) { y = Resize (x) }", .error = "needs either scales or sizes")

#define NMS_TEXT(MOST, MORE) "g (float[1,6,4] boxes, float[1,2,6] scores) => (y) <int64 n = {" #MOST "}, float o = {0.5}, float s = {0.1}>" \
    " { y = NonMaxSuppression " MORE " (boxes, scores, n, o, s) }"
#define NMS_BOXES "0 0 1 1  0 0.1 1 1.1  0 -0.1 1 0.9  0 10 1 11  0 10.1 1 11.1  1 101 0 100; "
ROW(nms_two_classes, NMS_TEXT(2, ""), .in = NMS_BOXES "0.9 0.75 0.6 0.95 0.5 0.3  0.2 0.2 0.3 0.05 0.4 0.3",
    .out = "0 0 3 0 0 0 0 1 4 0 1 2")
/* onnxruntime gives as many rows as there are boxes. */
ROW(nms_padded, NMS_TEXT(9, ""), .in = NMS_BOXES "0.9 0.75 0.6 0.95 0.5 0.3  0 0 0 0.05 0 0.2",
    .out = "0 0 3 0 0 0 0 0 5 0 1 5 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1", .no_oracle = true)
ROW(nms_declared, "g (float[1,4,4] boxes, float[1,1,4] scores, float o) => (int64[2,3] y) <int64 n = {4}>"
    " { y = NonMaxSuppression <center_point_box = 1> (boxes, scores, n, o) }",
    .in = "0.5 0.5 1 1  0.6 0.5 1 1  5 5 2 2  5 5.2 2 2; 0.5 0.5 0.8 0.9; 0.4", .out = "0 0 3 0 0 0")
ROW(nms_bad, "g (float[1,4,4] boxes, float[2,1,4] scores) => (y) { y = NonMaxSuppression (boxes, scores) }",
    .error = "needs boxes float[B,N,4] and scores float[B,C,N]")
/* Values: worked out in the order of steps of PyTorch, which samples by another way than runtime/sample.h. */
ROW(grid_bilinear_zeros, "g (float[1,1,2,3] x, float[1,2,3,2] p) => (y)"
    " { y = GridSample <mode = \"bilinear\", padding_mode = \"zeros\", align_corners = 0> (x, p) }",
    .in = "1 2 4 8 16 32; -1 -1 0.3 -0.2 1 1 1.4 0.1 -1.7 2.6 -0.1 -1.2",
    .out = "0.25 8.99 8 0 0 0.555")
ROW(grid_bilinear_zeros_corners, "g (float[1,1,2,3] x, float[1,2,3,2] p) => (y)"
    " { y = GridSample <mode = \"bilinear\", padding_mode = \"zeros\", align_corners = 1> (x, p) }",
    .in = "1 2 4 8 16 32; -1 -1 0.3 -0.2 1 1 1.4 0.1 -1.7 2.6 -0.1 -1.2",
    .out = "1 9.88 32 11.64 0.48 1.71")
ROW(grid_bilinear_border, "g (float[1,1,2,3] x, float[1,2,3,2] p) => (y)"
    " { y = GridSample <mode = \"bilinear\", padding_mode = \"border\", align_corners = 0> (x, p) }",
    .in = "1 2 4 8 16 32; -1 -1 0.3 -0.2 1 1 1.4 0.1 -1.7 2.6 -0.1 -1.2",
    .out = "1 8.99 32 20.8 8 1.85")
ROW(grid_bilinear_border_corners, "g (float[1,1,2,3] x, float[1,2,3,2] p) => (y)"
    " { y = GridSample <mode = \"bilinear\", padding_mode = \"border\", align_corners = 1> (x, p) }",
    .in = "1 2 4 8 16 32; -1 -1 0.3 -0.2 1 1 1.4 0.1 -1.7 2.6 -0.1 -1.2",
    .out = "1 9.88 32 19.4 8 1.9")
ROW(grid_bilinear_reflection, "g (float[1,1,2,3] x, float[1,2,3,2] p) => (y)"
    " { y = GridSample <mode = \"bilinear\", padding_mode = \"reflection\", align_corners = 0> (x, p) }",
    .in = "1 2 4 8 16 32; -1 -1 0.3 -0.2 1 1 1.4 0.1 -1.7 2.6 -0.1 -1.2",
    .out = "1 8.99 32 19.76 1.55 1.85")
ROW(grid_bilinear_reflection_corners, "g (float[1,1,2,3] x, float[1,2,3,2] p) => (y)"
    " { y = GridSample <mode = \"bilinear\", padding_mode = \"reflection\", align_corners = 1> (x, p) }",
    .in = "1 2 4 8 16 32; -1 -1 0.3 -0.2 1 1 1.4 0.1 -1.7 2.6 -0.1 -1.2",
    .out = "1 9.88 32 15.52 4.08 3.23")
ROW(grid_nearest_zeros, "g (float[1,1,2,3] x, float[1,2,3,2] p) => (y)"
    " { y = GridSample <mode = \"nearest\", padding_mode = \"zeros\", align_corners = 0> (x, p) }",
    .in = "1 2 4 8 16 32; -1 -1 0.3 -0.2 1 1 1.4 0.1 -1.7 2.6 -0.1 -1.2",
    .out = "1 2 0 0 0 0")
ROW(grid_nearest_border_corners, "g (float[1,1,2,3] x, float[1,2,3,2] p) => (y)"
    " { y = GridSample <mode = \"nearest\", padding_mode = \"border\", align_corners = 1> (x, p) }",
    .in = "1 2 4 8 16 32; -1 -1 0.3 -0.2 1 1 1.4 0.1 -1.7 2.6 -0.1 -1.2",
    .out = "1 2 32 32 8 2")
ROW(grid_nearest_reflection, "g (float[1,1,2,3] x, float[1,2,3,2] p) => (y)"
    " { y = GridSample <mode = \"nearest\", padding_mode = \"reflection\", align_corners = 0> (x, p) }",
    .in = "1 2 4 8 16 32; -1 -1 0.3 -0.2 1 1 1.4 0.1 -1.7 2.6 -0.1 -1.2",
    .out = "1 2 32 32 2 2")
ROW(grid_bicubic_zeros, "g (float[1,1,2,3] x, float[1,2,3,2] p) => (y)"
    " { y = GridSample <mode = \"bicubic\", padding_mode = \"zeros\", align_corners = 0> (x, p) }",
    .in = "1 2 4 8 16 32; -1 -1 0.3 -0.2 1 1 1.4 0.1 -1.7 2.6 -0.1 -1.2",
    .out = "-0.06347656 11.43818 10.18555 -1.51146 0 -0.08922185")
ROW(grid_bicubic_zeros_corners, "g (float[1,1,2,3] x, float[1,2,3,2] p) => (y)"
    " { y = GridSample <mode = \"bicubic\", padding_mode = \"zeros\", align_corners = 1> (x, p) }",
    .in = "1 2 4 8 16 32; -1 -1 0.3 -0.2 1 1 1.4 0.1 -1.7 2.6 -0.1 -1.2",
    .out = "1 12.5719 32 15.43413 0.365238 0.8885514")
ROW(grid_many, "g (double[2,3,5,4] x, double[2,3,7,2] p) => (y) { y = GridSample <padding_mode = \"reflection\"> (x, p) }", .low = -3, .high = 3,
    .no_oracle = true /* onnxruntime has it for float only */)
ROW(grid_one_pixel, "g (float[1,2,1,1] x, float[1,1,2,2] p) => (y)"
    " { y = GridSample <padding_mode = \"reflection\", align_corners = 1> (x, p) }", .in = "5 7; 0 0 3 -9", .out = "5 5 7 7")
ROW(grid_far, "g (float[1,1,2,2] x, float[1,1,4,2] p) => (y) { y = GridSample (x, p) }",
    .in = "1 2 3 4; 1e30 0 0 -inf nan 0 0 0", .out = "0 0 0 2.5", .no_oracle = true /* there NaN is undefined behaviour */)
ROW(grid_bicubic_border, "g (float[1,1,2,2] x, float[1,1,4,2] p) => (y)"
    " { y = GridSample <mode = \"bicubic\", padding_mode = \"border\"> (x, p) }", .error = "unsupported: 'mode' = 'bicubic' with 'padding_mode' = 'border'")
ROW(grid_rank, "g (float[1,1,2,2] x, float[1,4,2] p) => (y) { y = GridSample (x, p) }", .error = "the grid must be [1, height, width, 2]")
ROW(roi_align_half_pixel_0, "g (float[1,1,4,5] x, float[2,4] b, int64[2] i) => (y)"
    " { y = RoiAlign <coordinate_transformation_mode = \"half_pixel\", output_height = 2, output_width = 2, sampling_ratio = 0,"
    " spatial_scale = 0.5> (x, b, i) }", .in = "0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19; 0 0 8 6 2 1 3 30; 0 0",
    .out = "2.0625 4.0625 9.25 11.25 4.736328 4.861328 0 0")
ROW(roi_align_half_pixel_2, "g (float[1,1,4,5] x, float[2,4] b, int64[2] i) => (y)"
    " { y = RoiAlign <coordinate_transformation_mode = \"half_pixel\", output_height = 2, output_width = 2, sampling_ratio = 2,"
    " spatial_scale = 0.5> (x, b, i) }", .in = "0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19; 0 0 8 6 2 1 3 30; 0 0",
    .out = "2.0625 4.0625 9.25 11.25 4.84375 4.96875 0 0")
ROW(roi_align_output_half_pixel_0, "g (float[1,1,4,5] x, float[2,4] b, int64[2] i) => (y)"
    " { y = RoiAlign <coordinate_transformation_mode = \"output_half_pixel\", output_height = 2, output_width = 2, sampling_ratio = 0,"
    " spatial_scale = 0.5> (x, b, i) }", .in = "0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19; 0 0 8 6 2 1 3 30; 0 0",
    .out = "4.75 6.75 12.25 14.25 5.986328 6.236328 0 0")
ROW(roi_align_batch, "g (float[2,3,9,8] x, float[4,4] b, int64[4] i) => (y)"
    " { y = RoiAlign <output_height = 3, output_width = 2> (x, b, i) }", .low = 0, .high = 1)
ROW(roi_align_bad_image, "g (float[2,1,1,1] x, float[2,4] b, int64[2] i) => (y) { y = RoiAlign (x, b, i) }",
    .in = "3 4; 0 0 1 1 0 0 1 1; -7 9", .out = "3 4", .no_oracle = true /* there an error */)
ROW(roi_align_max, "g (float[1,1,4,5] x, float[2,4] b, int64[2] i) => (y) { y = RoiAlign <mode = \"max\"> (x, b, i) }",
    .error = "unsupported: 'mode' = 'max'")
ROW(reverse_sequence, "g (float[4,3,2] x, int64[3] n) => (y) { y = ReverseSequence (x, n) }",
    .in = "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24; 4 1 3", .out = "19 20 3 4 17 18 13 14 9 10 11 12 7 8 15 16 5 6 1 2 21 22 23 24")
ROW(reverse_sequence_rows, "g (int64[2,3] x, int64[2] n) => (y) { y = ReverseSequence <batch_axis = 0, time_axis = 1> (x, n) }",
    .in = "1 2 3 4 5 6; 2 3", .out = "2 1 3 6 5 4")
ROW(reverse_sequence_axes, "g (float[2,3] x, int64[2] n) => (y) { y = ReverseSequence <batch_axis = 0, time_axis = 0> (x, n) }",
    .error = "'batch_axis' and 'time_axis' must be 0 and 1")
ROW(windows, "g (float[5] x) => (a, b, c) <int64 n = {5}> { h = HannWindow (n)\n m = HammingWindow <periodic = 0> (n)\n"
    " k = BlackmanWindow <output_datatype = 11> (n)\n f = Cast <to = 1> (k)\n a = Mul (x, h)\n b = Mul (x, m)\n c = Mul (x, f) }",
    .in = "1 1 1 1 1", .out = "0 0.3454915 0.9045085 0.9045085 0.3454915; 0.0869565 0.5434783 1 0.5434783 0.0869565; 0 0.2007701 0.8492299 0.8492299 0.2007701")
ROW(window_run_time, "g (int64 n) => (y) { y = HannWindow (n) }", .error = "'n') must be a constant")
/* clang-format on */
#undef ROW
