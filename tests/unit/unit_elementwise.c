/* unit_elementwise.c - elementwise operators, reductions, softmax and normalisations: every operator on every
 * element type that it takes, on shapes that broadcast in many ways, generated C (gcc and clang) against the
 * evaluator; and the evaluator against known values where C alone would leave the result open. */
#include "layers/layers.h"
#include "passes/passes.h"
#include "support/generated.h"
#include "support/pick.h"

#include <CUnit/Basic.h>
#include <math.h>
#include <string.h>

enum { MAX_INPUTS = 128, MAX_NODES = 400 };

static const DType all_types[] = {DT_F32, DT_F64, DT_I8,  DT_I16, DT_I32, DT_I64,
                                  DT_U8,  DT_U16, DT_U32, DT_U64, DT_BOOL};
enum { NUM_TYPES = sizeof all_types / sizeof all_types[0] };

/* Small values, both signs where there are any, zeros, and for floating types fractions. */
static void *draw_values(Type t)
{
    int64_t n = type_elems(t);
    void *data = mem_array(n, dtype_size(t.dtype));
    for (int64_t i = 0; i < n; i++) {
        int64_t v = pick(-9, 9);
        if (t.dtype == DT_BOOL)
            elem_set(data, t.dtype, i, v > 0);
        else if (dtype_is_float(t.dtype))
            elem_set(data, t.dtype, i, (double)(float)((double)v / 2.5 + 0.125));
        else if (t.dtype == DT_U8 || t.dtype == DT_U16 || t.dtype == DT_U32 || t.dtype == DT_U64)
            elem_set(data, t.dtype, i, (double)(v < 0 ? -v : v));
        else
            elem_set(data, t.dtype, i, (double)v);
    }
    return data;
}

/* ---- building graphs ---- */

static Graph *test_graph(void)
{
    Graph *g = graph_new("test", "test");
    g->inputs = NEW_ARRAY(Tensor *, MAX_INPUTS);
    g->outputs = NEW_ARRAY(Tensor *, MAX_NODES);
    return g;
}

static Tensor *add_input(Graph *g, DType d, int rank, const int64_t *dims)
{
    Tensor *t = graph_tensor(g, mem_printf("x%d", g->num_inputs), type_make(d, rank, dims));
    g->inputs[g->num_inputs++] = t;
    return t;
}

/* A node whose only output is an output of the graph, or NULL where the operator refuses the types. The
 * attributes are set by `prepare`. */
static Node *add_node(Graph *g, OpKind op, int count, Tensor *const *in, void (*prepare)(Node *n))
{
    Trap trap;
    Node *n = node_new(op, "", count, 1);
    memcpy(n->in, in, (size_t)count * sizeof *in);
    n->out[0] = graph_tensor(g, mem_printf("y%d", g->num_outputs), (Type){.rank = -1});
    if (prepare)
        prepare(n);
    if (CATCH(&trap))
        return NULL;
    op_def(op)->infer(g, n);
    trap_end();
    node_append(g, n);
    g->outputs[g->num_outputs++] = n->out[0];
    return n;
}

/* ---- generated C against the evaluator ---- */

typedef struct Case {
    Graph *g;
    const char *name;
    const void **inputs;
    void **values; /* of the evaluator, by tensor id */
    int64_t arena_bytes;
} Case;

static Case make_case(Generated *s, Graph *g, const char *name)
{
    Case c = {g, name, NEW_ARRAY(const void *, g->num_inputs), NULL, 0};
    for (int i = 0; i < g->num_inputs; i++)
        c.inputs[i] = draw_values(g->inputs[i]->type);
    c.values = eval_graph(g, c.inputs);
    c.arena_bytes = generated_add(s, g, name);
    return c;
}

static int64_t wrong_elements(const Tensor *t, const void *got, const void *want)
{
    int64_t wrong = 0;
    for (int64_t i = 0; i < type_elems(t->type); i++)
        if (!values_agree(got, want, t->type.dtype, i, 2e-6, 1e-6)) {
            if (!wrong++)
                printf("\n%s %s[%lld]: %.9g, evaluator %.9g", t->producer->op_name, type_text(t->type),
                       (long long)i, elem_get(got, t->type.dtype, i), elem_get(want, t->type.dtype, i));
        }
    return wrong;
}

static void compare_case(const Generated *s, const Case *c)
{
    const Graph *g = c->g;
    void **out = NEW_ARRAY(void *, g->num_outputs);
    for (int i = 0; i < g->num_outputs; i++)
        out[i] = mem_alloc(type_bytes(g->outputs[i]->type) + 1);
    void *arena = mem_alloc((size_t)c->arena_bytes + 1);
    generated_find(s, c->name)(arena, c->inputs, out);
    for (int i = 0; i < g->num_outputs; i++)
        CU_ASSERT_EQUAL(wrong_elements(g->outputs[i], out[i], c->values[g->outputs[i]->id]), 0);
}

static void build_and_compare(Generated *s, const Case *cases, int count)
{
    static const char *const compilers[] = {"gcc", "clang"};
    for (int k = 0; k < 2; k++) {
        generated_build(s, compilers[k],
                        k ? "-O1 -fsanitize=undefined -fsanitize-undefined-trap-on-error" : "-O2");
        for (int i = 0; i < count; i++)
            compare_case(s, &cases[i]);
    }
}

/* ---- every operator on every type ---- */

static void set_fmod(Node *n)
{
    attr_set_int(n, "fmod", 1);
}

static void set_left(Node *n)
{
    attr_set_string(n, "direction", "LEFT");
}

static void set_right(Node *n)
{
    attr_set_string(n, "direction", "RIGHT");
}

static const OpKind unary[] = {
    OP_Abs,
    OP_Neg,
    OP_Sign,
    OP_Relu,
    OP_Floor,
    OP_Ceil,
    OP_Round,
    OP_Reciprocal,
    OP_Sqrt,
    OP_Exp,
    OP_Log,
    OP_Sin,
    OP_Cos,
    OP_Tan,
    OP_Asin,
    OP_Acos,
    OP_Atan,
    OP_Sinh,
    OP_Cosh,
    OP_Tanh,
    OP_Asinh,
    OP_Acosh,
    OP_Atanh,
    OP_Erf,
    OP_LeakyRelu,
    OP_Elu,
    OP_Selu,
    OP_Celu,
    OP_ThresholdedRelu,
    OP_HardSigmoid,
    OP_HardSwish,
    OP_Sigmoid,
    OP_Softplus,
    OP_Softsign,
    OP_Shrink,
    OP_Not,
    OP_IsNaN,
    OP_IsInf,
    OP_Clip,
    OP_ReduceSum,
    OP_ReduceMean,
    OP_ReduceProd,
    OP_ReduceMax,
    OP_ReduceMin,
    OP_ReduceL1,
    OP_ReduceL2,
    OP_ReduceLogSum,
    OP_ReduceLogSumExp,
    OP_ReduceSumSquare,
    OP_ArgMax,
    OP_ArgMin,
    OP_Softmax,
    OP_LogSoftmax,
    OP_Hardmax,
    OP_MeanVarianceNormalization,
    OP_LpNormalization,
};
static const OpKind binary[] = {
    OP_Add,         OP_Sub, OP_Mul,  OP_Div,   OP_Pow,     OP_PRelu,          OP_Min,
    OP_Max,         OP_Sum, OP_Mean, OP_Equal, OP_Greater, OP_GreaterOrEqual, OP_Less,
    OP_LessOrEqual, OP_And, OP_Or,   OP_Xor,   OP_Mod,
};

static void add_casts(Graph *g, Tensor *x)
{
    for (int i = 0; i < NUM_TYPES; i++) {
        Node *n = node_new(OP_Cast, "", 1, 1);
        n->in[0] = x;
        n->out[0] = graph_tensor(g, "cast", (Type){.rank = -1});
        attr_set_int(n, "to", dtype_to_onnx(all_types[i]));
        op_def(OP_Cast)->infer(g, n);
        node_append(g, n);
        g->outputs[g->num_outputs++] = n->out[0];
    }
}

static void add_all(Graph *g, DType d)
{
    static const int64_t dims[] = {2, 3, 2, 2}, row[] = {3, 1, 1}, one[] = {1};
    Tensor *x = add_input(g, d, 4, dims), *y = add_input(g, d, 4, dims), *z = add_input(g, d, 3, row);
    Tensor *mask = add_input(g, DT_BOOL, 3, row), *single = add_input(g, d, 1, one);
    Tensor *whole[] = {x, y}, *rows[] = {x, z}, *scalar[] = {x, single}, *many[] = {x, z, y, single};
    Tensor *where[] = {mask, x, z};
    for (size_t i = 0; i < sizeof unary / sizeof unary[0]; i++)
        add_node(g, unary[i], 1, &x, NULL);
    for (size_t i = 0; i < sizeof binary / sizeof binary[0]; i++) {
        void (*prepare)(Node *) = binary[i] == OP_Mod && dtype_is_float(d) ? set_fmod : NULL;
        add_node(g, binary[i], 2, whole, prepare);
        add_node(g, binary[i], 2, rows, prepare);
        add_node(g, binary[i], 2, scalar, prepare);
    }
    add_node(g, OP_Mod, 2, whole, set_fmod);
    add_node(g, OP_BitShift, 2, rows, set_left);
    add_node(g, OP_BitShift, 2, rows, set_right);
    add_node(g, OP_Where, 3, where, NULL);
    add_node(g, OP_Max, 4, many, NULL);
    add_node(g, OP_Mean, 4, many, NULL);
    add_node(g, OP_Max, 1, many, NULL);
    add_casts(g, x);
}

static void test_all_types(void)
{
    /* of the nodes that add_all tries; the others are refused */
    static const int accepted[NUM_TYPES] = {119, 119, 68, 68, 71, 71, 68, 68, 68, 68, 25};
    Generated s = generated_new(NUM_TYPES);
    Case cases[NUM_TYPES];
    for (int i = 0; i < NUM_TYPES; i++) {
        Graph *g = test_graph();
        add_all(g, all_types[i]);
        CU_ASSERT_EQUAL(g->num_outputs, accepted[i]);
        cases[i] = make_case(&s, g, dtype_suffix(all_types[i]));
    }
    build_and_compare(&s, cases, NUM_TYPES);
}

/* ---- mixed types of Pow ---- */

static void test_pow_types(void)
{
    static const DType bases[] = {DT_F32, DT_F64, DT_I32, DT_I64};
    static const int64_t dims[] = {4, 5};
    Generated s = generated_new(1);
    Graph *g = test_graph();
    for (int b = 0; b < 4; b++)
        for (int i = 0; i < NUM_TYPES - 1; i++) {
            Tensor *in[] = {add_input(g, bases[b], 2, dims), add_input(g, all_types[i], 2, dims)};
            if (!add_node(g, OP_Pow, 2, in, NULL)) {
                CU_ASSERT(!dtype_is_float(bases[b]) && all_types[i] == DT_U64);
                g->num_inputs -= 2;
            }
        }
    Case c = make_case(&s, g, "powers");
    build_and_compare(&s, &c, 1);
}

/* ---- broadcasting ---- */

/* A shape that broadcasts with `dims`: leading dimensions dropped, some others 1. */
static Tensor *draw_operand(Graph *g, int rank, const int64_t *dims)
{
    int64_t shape[MAX_RANK];
    int drop = (int)pick(0, rank);
    for (int k = drop; k < rank; k++)
        shape[k - drop] = pick(0, 2) ? dims[k] : 1;
    return add_input(g, DT_F32, rank - drop, shape);
}

static void test_broadcast(void)
{
    Generated s = generated_new(1);
    Graph *g = test_graph();
    for (int i = 0; i < 20; i++) {
        int64_t dims[5];
        for (int k = 0; k < 5; k++)
            dims[k] = pick(1, 4);
        Tensor *in[] = {draw_operand(g, 5, dims), draw_operand(g, 5, dims), draw_operand(g, 5, dims)};
        CU_ASSERT_PTR_NOT_NULL(add_node(g, OP_Sum, 3, in, NULL));
    }
    Case c = make_case(&s, g, "broadcast");
    build_and_compare(&s, &c, 1);
}

/* ---- strided layouts ---- */

static Tensor *add_inner(Graph *g, OpKind op, int count, Tensor *const *in)
{
    Tensor *t = add_node(g, op, count, in, NULL)->out[0];
    g->num_outputs--;
    return t;
}

/* Activations in padded planes, dense inputs and outputs: y = max(-x, abs(x)) * z with z per channel. */
static void test_strided(void)
{
    static const int64_t dims[] = {2, 3, 4, 5}, channels[] = {3, 1, 1};
    const Layout padded = {.strides = {126, 42, 7, 1}, .base = 8, .size = 252};
    const Layout wide = {.strides = {96, 32, 8, 1}, .size = 192};
    Generated s = generated_new(1);
    Graph *g = test_graph();
    Tensor *x = add_input(g, DT_F32, 4, dims), *z = add_input(g, DT_F32, 3, channels);
    Tensor *negative = add_inner(g, OP_Neg, 1, &x), *positive = add_inner(g, OP_Abs, 1, &x);
    Tensor *largest = add_inner(g, OP_Max, 2, (Tensor *[]){negative, positive});
    add_node(g, OP_Mul, 2, (Tensor *[]){largest, z}, NULL);
    pass_lower(g, generated_options("strided"));
    negative->layout = largest->layout = padded;
    positive->layout = wide;
    Case c = {g, "strided", NEW_ARRAY(const void *, 2), NULL, 0};
    c.inputs[0] = draw_values(x->type);
    c.inputs[1] = draw_values(z->type);
    c.values = eval_graph(g, c.inputs);
    c.arena_bytes = generated_add_lowered(&s, g, c.name);
    build_and_compare(&s, &c, 1);
}

/* ---- known values ---- */

/* The only output of an operator on constants. */
static const void *value_of(OpKind op, int count, const Type *types, const void *const *data,
                            void (*prepare)(Node *n))
{
    Graph *g = test_graph();
    Tensor *in[4];
    for (int i = 0; i < count; i++)
        in[i] = graph_const(g, "c", types[i], data[i]);
    Node *n = add_node(g, op, count, in, prepare);
    CU_ASSERT_PTR_NOT_NULL_FATAL(n);
    return eval_graph(g, NULL)[n->out[0]->id];
}

#define EXPECT(op, prepare, ctype, dtype, a, b, rtype, ...)                                                  \
    do {                                                                                                     \
        static const ctype in0[] = a, in1[] = b;                                                             \
        static const rtype want[] = __VA_ARGS__;                                                             \
        int64_t n = sizeof in0 / sizeof in0[0];                                                              \
        Type t[] = {type_make(dtype, 1, &n), type_make(dtype, 1, &n)};                                       \
        const void *in[] = {in0, in1};                                                                       \
        const rtype *got = value_of(op, 2, t, in, prepare);                                                  \
        for (int64_t i = 0; i < n; i++)                                                                      \
            CU_ASSERT(got[i] == want[i] || (got[i] != got[i] && want[i] != want[i]));                        \
    } while (0)
#define LIST(...)                                                                                            \
    {                                                                                                        \
        __VA_ARGS__                                                                                          \
    }

static void test_integers(void)
{
    EXPECT(OP_Div, NULL, int32_t, DT_I32, LIST(7, -7, 5, INT32_MIN, 7), LIST(2, 2, 0, -1, -2), int32_t,
           LIST(3, -3, 0, INT32_MIN, -3));
    EXPECT(OP_Mod, NULL, int32_t, DT_I32, LIST(7, -7, 7, -7, 5, INT32_MIN), LIST(3, 3, -3, -3, 0, -1),
           int32_t, LIST(1, 2, -2, -1, 0, 0));
    EXPECT(OP_Mod, set_fmod, int64_t, DT_I64, LIST(7, -7, 7, -7), LIST(3, 3, -3, -3), int64_t,
           LIST(1, -1, 1, -1));
    EXPECT(OP_Div, NULL, uint8_t, DT_U8, LIST(200, 5), LIST(3, 0), uint8_t, LIST(66, 0));
    EXPECT(OP_Add, NULL, int8_t, DT_I8, LIST(127, -128), LIST(1, -1), int8_t, LIST(-128, 127));
    EXPECT(OP_Mul, NULL, int64_t, DT_I64, LIST(INT64_MAX), LIST(2), int64_t, LIST(-2));
    EXPECT(OP_Pow, NULL, int32_t, DT_I32, LIST(3, 2, -1, -1, 0, 0), LIST(4, -1, -3, 2, 0, -1), int32_t,
           LIST(81, 0, -1, 1, 1, 0));
    EXPECT(OP_BitShift, set_left, uint8_t, DT_U8, LIST(1, 255, 3), LIST(7, 1, 8), uint8_t, LIST(128, 254, 0));
    EXPECT(OP_BitShift, set_right, uint64_t, DT_U64, LIST(16, UINT64_MAX), LIST(2, 64), uint64_t, LIST(4, 0));
}

static void test_floats(void)
{
    EXPECT(OP_Max, NULL, float, DT_F32, LIST(1, NAN, 2), LIST(NAN, 1, 3), float, LIST(NAN, NAN, 3));
    EXPECT(OP_Min, NULL, double, DT_F64, LIST(1, NAN, 2), LIST(NAN, 1, 3), double, LIST(NAN, NAN, 2));
    EXPECT(OP_Div, NULL, float, DT_F32, LIST(1, -1, 0), LIST(0, 0, 0), float, LIST(INFINITY, -INFINITY, NAN));
    EXPECT(OP_Less, NULL, float, DT_F32, LIST(1, NAN, 2), LIST(2, 1, 2), uint8_t, LIST(1, 0, 0));
}

static void expect_floats(OpKind op, int64_t n, const float *in, const float *want)
{
    Type t = type_make(DT_F32, 1, &n);
    const void *data = in;
    const float *got = value_of(op, 1, &t, &data, NULL);
    for (int64_t i = 0; i < n; i++)
        CU_ASSERT(values_agree(got, want, DT_F32, i, 1e-6, 0));
}

static void test_unary(void)
{
    expect_floats(OP_Round, 6, (float[]){0.5f, 1.5f, 2.5f, -0.5f, -1.5f, 2.4f}, (float[]){0, 2, 2, 0, -2, 2});
    expect_floats(OP_Sigmoid, 4, (float[]){0, 200, -200, NAN}, (float[]){0.5f, 1, 0, NAN});
    expect_floats(OP_Softplus, 4, (float[]){0, 200, -200, -10},
                  (float[]){0.69314718f, 200, 0, 4.5398899e-5f});
    expect_floats(OP_Relu, 3, (float[]){-1, 2, NAN}, (float[]){0, 2, NAN});
    expect_floats(OP_Sign, 4, (float[]){-3, 0, 2, NAN}, (float[]){-1, 0, 1, NAN});
    expect_floats(OP_Softmax, 3, (float[]){1000, 1000, -1000}, (float[]){0.5f, 0.5f, 0});
    expect_floats(OP_LogSoftmax, 2, (float[]){1000, 1000}, (float[]){-0.69314718f, -0.69314718f});
    expect_floats(OP_LpNormalization, 3, (float[]){0, 0, 0}, (float[]){0, 0, 0});
}

static void test_clip(void)
{
    static const float x[] = {-5, 0, 5, NAN}, lo[] = {2}, hi[] = {1}, want[] = {1, 1, 1, NAN};
    int64_t n = 4;
    Type t[] = {type_make(DT_F32, 1, &n), type_make(DT_F32, 0, NULL), type_make(DT_F32, 0, NULL)};
    const void *in[] = {x, lo, hi};
    const float *got = value_of(OP_Clip, 3, t, in, NULL);
    for (int i = 0; i < 4; i++)
        CU_ASSERT(values_agree(got, want, DT_F32, i, 0, 0));
}

static DType cast_to;

static void set_to(Node *n)
{
    attr_set_int(n, "to", dtype_to_onnx(cast_to));
}

static void test_cast(void)
{
    static const float x[] = {-1e30f, -1.5f, 1.5f, 300, 1e30f, NAN, INFINITY};
    static const struct {
        DType to;
        double want[7];
    } cases[] = {{DT_I8, {-128, -1, 1, 127, 127, 0, 127}},
                 {DT_U8, {0, 0, 1, 255, 255, 0, 255}},
                 {DT_I16, {-32768, -1, 1, 300, 32767, 0, 32767}},
                 {DT_I32, {-2147483648.0, -1, 1, 300, 2147483647, 0, 2147483647}},
                 {DT_U32, {0, 0, 1, 300, 4294967295.0, 0, 4294967295.0}},
                 {DT_I64, {-0x1p63, -1, 1, 300, 0x1p63, 0, 0x1p63}},
                 {DT_U64, {0, 0, 1, 300, 0x1p64, 0, 0x1p64}},
                 {DT_BOOL, {1, 1, 1, 1, 1, 1, 1}}};
    int64_t n = 7;
    Type t = type_make(DT_F32, 1, &n);
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
        const void *in = x;
        cast_to = cases[c].to;
        const void *got = value_of(OP_Cast, 1, &t, &in, set_to);
        for (int i = 0; i < 7; i++)
            CU_ASSERT_EQUAL(elem_get(got, cast_to, i), cases[c].want[i]);
    }
}

/* ---- refusals ---- */

static void expect_refusal(OpKind op, DType a, DType b, const char *message)
{
    static const int64_t dims[] = {2};
    Trap trap;
    Graph *g = test_graph();
    Node *n = node_new(op, "", 2, 1);
    n->in[0] = add_input(g, a, 1, dims);
    n->in[1] = add_input(g, b, 1, dims);
    n->out[0] = graph_tensor(g, "y", (Type){.rank = -1});
    if (CATCH(&trap)) {
        CU_ASSERT_EQUAL(trap.code, 1);
        CU_ASSERT_PTR_NOT_NULL(strstr(trap.message, message));
        return;
    }
    op_def(op)->infer(g, n);
    trap_end();
    CU_FAIL("not refused");
}

static void test_refusals(void)
{
    expect_refusal(OP_Add, DT_F32, DT_I32, "one element type");
    expect_refusal(OP_Add, DT_BOOL, DT_BOOL, "not supported for elements of type bool");
    expect_refusal(OP_And, DT_F32, DT_F32, "not supported for elements of type float");
    expect_refusal(OP_Mod, DT_F32, DT_F32, "fmod = 1");
    expect_refusal(OP_Pow, DT_I8, DT_I8, "the base must be");
    expect_refusal(OP_CumSum, DT_F32, DT_I64, "must be a constant");
    expect_refusal(OP_ReduceSum, DT_F32, DT_I64, "must be a constant");
}

int main(void)
{
    CU_initialize_registry();
    CU_pSuite s = CU_add_suite("elementwise", NULL, NULL);
    CU_add_test(s, "known values: integers", test_integers);
    CU_add_test(s, "known values: floats", test_floats);
    CU_add_test(s, "known values: unary", test_unary);
    CU_add_test(s, "Clip with min > max", test_clip);
    CU_add_test(s, "Cast out of range", test_cast);
    CU_add_test(s, "refusals", test_refusals);
    CU_add_test(s, "every operator on every type", test_all_types);
    CU_add_test(s, "types of Pow", test_pow_types);
    CU_add_test(s, "random broadcasts", test_broadcast);
    CU_add_test(s, "strided layouts", test_strided);
    CU_basic_set_mode(CU_BRM_VERBOSE);
    CU_basic_run_tests();
    return CU_get_number_of_failures() != 0;
}
