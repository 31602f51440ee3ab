/* op_cases_control.h - rows of the case table: If and Loop whose course is known at run time. */
#define ROW(NAME, ...) {.name = #NAME, .text = __VA_ARGS__},

/* clang-format off */
#define IF_TEXT "g (float[3] x, bool c) => (y) { y = If <then_branch = yes () => (a) { t = Exp (x)\n a = Add (t, x) }," \
    " else_branch = no () => (b) { b = Neg (x) }> (c) }"
ROW(if_then, IF_TEXT, .in = "0 0 0; 1", .out = "1 1 1")
ROW(if_else, IF_TEXT, .in = "1 2 3; 0", .out = "-1 -2 -3")
/* Two outputs, an If in a branch, a value made in front of both, a condition that is computed. */
#define NESTED_TEXT "g (float[2] x, bool c, bool d) => (y, z) { s = Mul (x, x)\n n = Not (c)\n" \
    " y, z = If <then_branch = outer () => (a, e) {" \
    "   a = If <then_branch = yes () => (p) { p = Sqrt (s) }, else_branch = no () => (q) { q = Add (s, x) }> (d)\n e = Neg (s) }," \
    " else_branch = other () => (b, f) { b = Identity (x)\n f = Sub (s, x) }> (n) }"
ROW(if_nested_then, NESTED_TEXT, .in = "3 4; 0; 1", .out = "3 4; -9 -16")
ROW(if_nested_else, NESTED_TEXT, .in = "3 4; 0; 0", .out = "12 20; -9 -16")
ROW(if_nested_other, NESTED_TEXT, .in = "3 4; 1; 0", .out = "3 4; 6 12")
ROW(if_shapes, "g (float[3] x, bool c) => (y) <int64[1] a = {0}> { y = If <then_branch = yes () => (u) { u = Neg (x) },"
    " else_branch = no () => (v) { v = ReduceSum (x, a) }> (c) }", .error = "unsupported: If gives float[3] or float[1]")
/* A Where with one condition is a choice as well. */
ROW(where_choice, "g (float[2,3] x, bool[1,1] c) => (y) { a = Exp (x)\n b = Sin (x)\n y = Where (c, a, b) }", .in = "0 0 0 0 0 0; 0", .out = "0 0 0 0 0 0")

/* v, k = v + x, k + i, as often as n says. */
#define COUNTED_TEXT "g (float[2] x, int64 n) => (y, z) <int64 zero = {0}, bool yes = {1}> {" \
    " y, z = Loop <body = body (int64 i, bool go, float[2] v, int64 k) => (go_on, v2, k2) {" \
    " v2 = Add (v, x)\n k2 = Add (k, i)\n go_on = Identity (go) }> (n, yes, x, zero) }"
ROW(loop_counted, COUNTED_TEXT, .in = "1 2; 5", .out = "6 12; 10")
ROW(loop_counted_never, COUNTED_TEXT, .in = "1 2; 0", .out = "1 2; 0")
/* while (sum of v < limit) v = v + v: without a trip count. */
#define WHILE_TEXT "g (float[3] x, float limit) => (y) {" \
    " s0 = ReduceSum <keepdims = 0> (x)\n c0 = Less (s0, limit)\n" \
    " y = Loop <body = body (int64 i, bool go, float[3] v) => (c1, v1) {" \
    " v1 = Add (v, v)\n s1 = ReduceSum <keepdims = 0> (v1)\n c1 = Less (s1, limit) }> (, c0, x) }"
ROW(loop_while, WHILE_TEXT, .in = "1 2 3; 40", .out = "8 16 24")
ROW(loop_while_never, WHILE_TEXT, .in = "1 2 3; 4", .out = "1 2 3")
/* States that change places, one that stays, one that is a value from outside. */
#define CROSSED_TEXT "g (float[2] x, float[2] w, int64 n) => (a, b, c, d) {" \
    " t = Neg (w)\n" \
    " a, b, c, d = Loop <body = body (int64 i, bool go, float[2] p, float[2] q, float[2] r, float[2] s) => (on, q2, p2, r2, s2) {" \
    " q2 = Identity (q)\n p2 = Identity (p)\n r2 = Identity (r)\n s2 = Identity (t)\n on = Identity (go) }> (n, , x, w, x, w) }"
ROW(loop_crossed, CROSSED_TEXT, .in = "1 2; 3 4; 3", .out = "3 4; 1 2; 1 2; -3 -4")
ROW(loop_crossed_never, CROSSED_TEXT, .in = "1 2; 3 4; 0", .out = "1 2; 3 4; 1 2; 3 4")
/* Views of states, and arithmetic that could be done in place. */
ROW(loop_of_views, "g (float[2,3] x, float[3,2] w, int64 n) => (y, z) <int64[2] flat = {3, 2}, int64[2] back = {2, 3}> {"
    " y, z = Loop <body = body (int64 i, bool go, float[2,3] p, float[3,2] q) => (on, q2, p3) {"
    " q2 = Reshape (q, back)\n p2 = Reshape (p, flat)\n p3 = Neg (p2)\n on = Identity (go) }> (n, , x, w) }",
    .in = "1 2 3 4 5 6; 7 8 9 10 11 12; 3", .out = "-7 -8 -9 -10 -11 -12; 1 2 3 4 5 6")
/* A layer in the body, its state in front of it and behind it; a value from outside that the body uses last. */
#define LAYER_TEXT "g (float[1,4] x, int64 n) => (y) <float[4,4] w = seed 3> { u = Exp (x)\n" \
    " y = Loop <body = body (int64 i, bool go, float[1,4] h) => (on, h3) {" \
    " h1 = MatMul (h, w)\n h2 = Tanh (h1)\n h3 = Add (h2, u)\n on = Identity (go) }> (n, , x) }"
ROW(loop_layer, LAYER_TEXT, .in = "1 -1 0.5 2; 4")
/* A loop in a loop, an If with a loop in a branch, a loop under a condition of the body. */
#define LOOPS_TEXT "g (float[2] x, int64 n, int64 m, bool c) => (y, z) {" \
    " y = Loop <body = body (int64 i, bool go, float[2] v) => (on, v2) {" \
    "   v1 = Loop <body = inner (int64 j, bool go2, float[2] w) => (on2, w2) { w2 = Add (w, x)\n on2 = Identity (go2) }> (m, , v)\n" \
    "   f = Cast <to = 1> (i)\n v2 = Add (v1, f)\n on = Identity (go) }> (n, , x)\n" \
    " z = If <then_branch = yes () => (a) {" \
    "   a = Loop <body = third (int64 k, bool go3, float[2] s) => (on3, s2) { s2 = Mul (s, x)\n on3 = Identity (go3) }> (n, , x) }," \
    " else_branch = no () => (b) { b = Neg (x) }> (c) }"
ROW(loop_nested, LOOPS_TEXT, .in = "1 2; 3; 2; 1", .out = "10 17; 1 16")
ROW(loop_not_chosen, LOOPS_TEXT, .in = "1 2; 3; 0; 0", .out = "4 5; -1 -2")
#define BRANCHES_TEXT "g (float[2] x, float limit) => (y) <int64 n = {2000}, float one = {1}> {" \
    " y = Loop <body = body (int64 i, bool go, float[2] v) => (on, v2) {" \
    " m = ReduceMax <keepdims = 0> (v)\n big = Greater (m, limit)\n" \
    " v2 = If <then_branch = yes () => (a) { e = Sub (v, x)\n a = Sub (e, one) }, else_branch = no () => (b) { b = Add (v, x) }> (big)\n" \
    " on = Less (m, limit) }> (n, , x) }"
ROW(loop_branches, BRANCHES_TEXT, .in = "1 2; 7", .out = "2 5")
ROW(loop_collects, "g (float[2] x, int64 n) => (y, z) { y, z = Loop <body = body (int64 i, bool go, float[2] v) => (on, v2, c) {"
    " v2 = Add (v, x)\n c = Neg (v)\n on = Identity (go) }> (n, , x) }",
    .error = "collects values in 'z', whose shape depends on it")
ROW(loop_grows, "g (float[2] x, int64 n) => (y) { y = Loop <body = body (int64 i, bool go, float[2] v) => (on, v2) {"
    " v2 = Concat <axis = 0> (v, x)\n on = Identity (go) }> (n, , x) }",
    .error = "whose state 0 changes from float[2] to float[4]")
ROW(loop_forever, "g (float[2] x) => (y) { y = Loop <body = body (int64 i, bool go, float[2] v) => (on, v2) {"
    " v2 = Add (v, x)\n on = Identity (go) }> (, , x) }",
    .error = "never ends: it has no trip count, and its condition stays true")
/* clang-format on */
#undef ROW
