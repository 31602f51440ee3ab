/* unit_quant.c - models that come quantised: codes behind DequantizeLinear and QONNX's Quant and BipolarQuant
 * are ternary weights bit for bit; QLinearConv and QLinearMatMul give the codes of their definitions. */
#include "ops/ops.h"
#include "pipeline.h"
#include "support/text.h"

#include <CUnit/Basic.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const Options none = {.method = METHOD_none, .quiet = true};

static Model *prepare(const char *text)
{
    Model *m = text_read("m", text);
    m->quiet = true;
    pipeline_prepare(m, &none);
    return m;
}

static const char *refusal(const char *text)
{
    static Trap t;
    if (CATCH(&t))
        return t.message;
    prepare(text);
    trap_end();
    return "";
}

/* The weights of the one linear node, after recognition. */
static const Tensor *weights_of(const char *text)
{
    Model *m = prepare(text);
    pipeline_ternarize(m, &none);
    LinearWeights w;
    for (int i = 0; i < m->graph->num_nodes; i++)
        if (linear_weights(m->graph->nodes[i], &w))
            return m->graph->nodes[i]->in[w.input];
    CU_FAIL_FATAL("no linear node has constant weights");
    return NULL;
}

static void expect_ternary(const char *text, const char *codes, const float *scales, int num_scales)
{
    const Tensor *w = weights_of(text);
    CU_ASSERT_PTR_NOT_NULL_FATAL(w->ternary);
    CU_ASSERT_EQUAL_FATAL(w->ternary->num_scales, num_scales);
    CU_ASSERT_EQUAL(memcmp(w->ternary->scales, scales, (size_t)num_scales * sizeof *scales), 0);
    for (int64_t i = 0; i < type_elems(w->type); i++)
        CU_ASSERT_EQUAL(w->ternary->codes[i], codes[i] == '+' ? 1 : codes[i] == '-' ? -1 : 0);
}

/* ---- weights ---- */

#define MATMUL(constants, node)                                                                              \
    "g (float[1,4] x) => (float[1,3] y) <" constants "> { " node " y = MatMul (x, d) }"
#define CONV(constants, node)                                                                                \
    "g (float[1,1,3,3] x) => (float[1,2,2,2] y) <" constants "> { " node " y = Conv (x, d) }"
#define CODES "int8[4,3] w = {1, 0, -1, 0, 0, 1, -1, 1, 0, 1, 1, 1}"

static void test_codes(void)
{
    static const float columns[] = {0.1f, 0.0123f, 3e-5f}, same[] = {0.1f, 0.1f, 0.1f}, rows[] = {0.3f, 0.7f};
    expect_ternary(
        MATMUL(CODES ", float[3] s = {0.1, 0.0123, 0.00003}", "d = DequantizeLinear <axis = 1> (w, s)"),
        "+0-00+-+0+++", columns, 3);
    expect_ternary(MATMUL(CODES ", float s = {0.1}, int8 z = {0}", "d = DequantizeLinear (w, s, z)"),
                   "+0-00+-+0+++", same, 3);
    expect_ternary(CONV("int8[2,1,2,2] w = {1, 0, -1, 1, 0, -1, -1, 0}, float[2] s = {0.3, 0.7}",
                        "d = DequantizeLinear <axis = 0> (w, s)"),
                   "+0-+0--0", rows, 2);
    expect_ternary(
        CONV("uint8[2,1,2,2] w = {2, 1, 0, 2, 1, 0, 0, 1}, float[2] s = {0.3, 0.7}, uint8[2] z = {1, 1}",
             "d = DequantizeLinear <axis = 0> (w, s, z)"),
        "+0-+0--0", rows, 2);
    expect_ternary(CONV("int8[2,1,2,2] w = {1, 0, -1, 1, 0, -1, -1, 0}, float[2] s = {-0.3, 0.7}",
                        "d = DequantizeLinear <axis = 0> (w, s)"),
                   "-0+-0--0", rows, 2);
    CU_ASSERT_PTR_NULL(weights_of(CONV("int8[2,1,2,2] w = {1, 0, -1, 2, 0, -1, -1, 0}, float s = {0.3}",
                                       "d = DequantizeLinear (w, s)"))
                           ->ternary);
}

#define FLOATS "float[4,3] w = {0.9, 0.1, -0.2, -0.04, 0.1, 5, -0.12, 0.7, 0.01, 0.2, 0.15, 0.4}"
#define QUANT "d = qonnx.custom_op.general.Quant <signed = 1, narrow = 1> (w, s, z, b)"

static void test_quant(void)
{
    static const float columns[] = {0.2f, 0.2f, 0.3f}, same[] = {0.2f, 0.2f, 0.2f};
    expect_ternary(MATMUL(FLOATS ", float[1,3] s = {0.2, 0.2, 0.3}, float z = {0}, float b = {2}", QUANT),
                   "+0-00+-+0+++", columns, 3);
    expect_ternary(MATMUL(FLOATS ", float s = {0.2}", "d = qonnx.custom_op.general.BipolarQuant (w, s)"),
                   "++--++-+++++", same, 3);
    expect_ternary(MATMUL(FLOATS ", float s = {0.2}", "d = onnx.brevitas.BipolarQuant (w, s)"),
                   "++--++-+++++", same, 3);
    CU_ASSERT_PTR_NULL(
        weights_of(MATMUL(FLOATS ", float s = {0.2}, float z = {0}, float b = {3}", QUANT))->ternary);
}

static void test_quant_refused(void)
{
    static const char start[] =
        "g (float[4] x, float w) => (float[4] y) <float s = {1}, float z = {0}, float b = {";
    CU_ASSERT_PTR_NOT_NULL(strstr(
        refusal(mem_printf(
            "%s2}> { y = qonnx.custom_op.general.Quant <rounding_mode = \"UP\"> (x, s, z, b) }", start)),
        "unsupported: 'rounding_mode' = 'UP'"));
    CU_ASSERT_PTR_NOT_NULL(
        strstr(refusal(mem_printf("%s2}> { y = qonnx.custom_op.general.Quant (x, s, z, w) }", start)),
               "a bit width that is not one constant"));
    CU_ASSERT_PTR_NOT_NULL(
        strstr(refusal(mem_printf("%s1}> { y = qonnx.custom_op.general.Quant (x, s, z, b) }", start)),
               "unsupported: Quant of 1 bits"));
    CU_ASSERT_PTR_NOT_NULL(
        strstr(refusal(mem_printf("%s2.5}> { y = qonnx.custom_op.general.Quant (x, s, z, b) }", start)),
               "unsupported: Quant of 2.5 bits"));
    CU_ASSERT_PTR_NOT_NULL(strstr(
        refusal(mem_printf("%s2}> { y = qonnx.custom_op.general.Quant <foo = 1> (x, s, z, b) }", start)),
        "unsupported: attribute 'foo' of Quant"));
    CU_ASSERT_PTR_NOT_NULL(
        strstr(refusal(mem_printf("%s2}> { y = qonnx.custom_op.general.Trunc (x, s, z, b) }", start)),
               "unsupported operators: qonnx.custom_op.general.Trunc"));
}

/* ---- values ---- */

static void expect_values(const char *text, const void *const *in, const double *want)
{
    const Graph *g = prepare(text)->graph;
    void **values = eval_graph(g, in);
    const Tensor *y = g->outputs[0];
    for (int64_t i = 0; i < type_elems(y->type); i++)
        CU_ASSERT_EQUAL(elem_get(values[y->id], y->type.dtype, i), want[i]);
    free(values);
}

/* Activations: known at run time only. */
static void test_quant_values(void)
{
    const float x[] = {0.26f, -0.74f, 3, -9, 0.25f, 0.75f};
    const void *in[] = {x};
#define RUN "g (float[6] x) => (float[6] y) <float s = {0.5}, float z = {0}, float one = {1}, float b = {3}>"
    expect_values(RUN "{ y = qonnx.custom_op.general.Quant (x, s, z, b) }", in,
                  (const double[]){0.5, -0.5, 1.5, -2, 0, 1});
    expect_values(RUN "{ y = qonnx.custom_op.general.Quant <narrow = 1> (x, s, z, b) }", in,
                  (const double[]){0.5, -0.5, 1.5, -1.5, 0, 1});
    expect_values(RUN "{ y = qonnx.custom_op.general.Quant <signed = 0> (x, s, z, b) }", in,
                  (const double[]){0.5, 0, 3, 0, 0, 1});
    expect_values(RUN
                  "{ y = qonnx.custom_op.general.Quant <signed = 0, narrow = 1, rounding_mode = \"FLOOR\">"
                  " (x, s, one, b) }",
                  in, (const double[]){0, -0.5, 2.5, -0.5, 0, 0.5});
    expect_values(RUN "{ y = qonnx.custom_op.general.BipolarQuant (x, s) }", in,
                  (const double[]){0.5, -0.5, 0.5, -0.5, 0.5, 0.5});
}

static double code(double v, double zero, double low)
{
    double r = rint(v) + zero;
    return r < low ? low : r > low + 255 ? low + 255 : r;
}

/* One by one: x has 2 channels of 3 numbers, w mixes them into 2. */
static void test_qlinear_conv(void)
{
    static const char text[] =
        "g (uint8[1,2,3] x) => (y) <float xs = {0.05}, uint8 xz = {120}, int8[2,2,1] w = {3, -7, 100, 1},"
        " float[2] ws = {0.02, 0.3}, int8[2] wz = {0, 2}, float ys = {0.4}, int8 yz = {-5}, int32[2] b = "
        "{1000, -40}>"
        "{ y = QLinearConv (x, xs, xz, w, ws, wz, ys, yz, b) }";
    const uint8_t x[] = {0, 120, 255, 7, 200, 121};
    const int w[] = {3, -7, 98, -1}, bias[] = {1000, -40};
    const float ws[] = {0.02f, 0.3f};
    double want[6];
    for (int o = 0; o < 2; o++)
        for (int i = 0; i < 3; i++) {
            int sum = bias[o] + w[2 * o] * (x[i] - 120) + w[2 * o + 1] * (x[3 + i] - 120);
            float factor = 0.05f * ws[o];
            want[3 * o + i] = code((double)((float)sum * (factor / 0.4f)), -5, -128);
        }
    expect_values(text, (const void *[]){x}, want);
}

static void test_qlinear_matmul(void)
{
#define MATRICES                                                                                             \
    "g (uint8[2,2] a, float[2] as) => (y) <float s = {0.5}, uint8 z = {3}, int8[2,2] b = {1, -2, 3, 100},"   \
    " float[2] bs = {0.1, 2}, int8 bz = {1}, float ys = {0.3}, uint8 yz = {9}>"
    const uint8_t a[] = {3, 200, 77, 0};
    const int b[] = {0, -3, 2, 99};
    const float rows[] = {0.5f, 0.25f}, columns[] = {0.1f, 2};
    double by_column[4], by_row[4];
    for (int i = 0; i < 4; i++) {
        int sum = (a[i / 2 * 2] - 3) * b[i % 2] + (a[i / 2 * 2 + 1] - 3) * b[2 + i % 2];
        float column = 0.5f * columns[i % 2], row = rows[i / 2] * 0.5f;
        by_column[i] = code((double)((float)sum * (column / 0.3f)), 9, 0);
        by_row[i] = code((double)((float)sum * (row / 0.3f)), 9, 0);
    }
    const void *in[] = {a, rows};
    expect_values(MATRICES "{ y = QLinearMatMul (a, s, z, b, bs, bz, ys, yz) }", in, by_column);
    expect_values(MATRICES "{ y = QLinearMatMul (a, as, z, b, s, bz, ys, yz) }", in, by_row);
    CU_ASSERT_PTR_NOT_NULL(strstr(refusal(MATRICES "{ y = QLinearMatMul (a, as, z, b, bs, bz, ys, yz) }"),
                                  "unsupported: scales for each row and each column"));
    CU_ASSERT_PTR_NOT_NULL(strstr(refusal(MATRICES "{ y = QLinearMatMul (a, s, z, b, s, bz, bs, yz) }"),
                                  "unsupported: several scales of the output"));
    CU_ASSERT_PTR_NOT_NULL(
        strstr(refusal(MATRICES "{ y = QLinearMatMul (a, s, z, b) }"), "needs 8 to 8 inputs"));
}

/* In real numbers x is 0, 1, -1, 77.5 and b is 0, 2, -2, -50; y is four times that plus 10. */
#define OPERANDS                                                                                             \
    "g (uint8[1,2,2] x) => (y) <float s = {0.5}, uint8 z = {100}, float t = {0.25}, uint8 u = {10}, float "  \
    "p ="                                                                                                    \
    " {0.00390625}, uint8[1,2,2] b = {100, 104, 96, 0}, bool[1,2,2] c = {1, 0, 1, 0}, int8 k = {0}, float "  \
    "n = {nan}, float o = {0}, float[3] l = {1, 1, 1}> { y = com.microsoft."
static const struct {
    const char *text;
    double want[8];
} qlinear[] = {
    {OPERANDS "QLinearAdd (x, s, z, b, s, z, t, u) }", {10, 22, 0, 120}},
    {OPERANDS "QLinearMul (x, s, z, b, s, z, t, u) }", {10, 18, 18, 0}},
    {OPERANDS "QLinearWhere (c, x, s, z, b, s, z, t, u) }", {10, 18, 6, 0}},
    {OPERANDS "QLinearConcat <axis = 1> (t, u, x, s, z, b, s, z) }", {10, 14, 6, 255, 10, 18, 2, 0}},
    {OPERANDS "QLinearSigmoid (x, s, z, p) }", {128, 187, 69, 255}},
    {OPERANDS "QLinearLeakyRelu <alpha = 0.5> (x, s, z, t, u) }", {10, 14, 8, 255}},
    {OPERANDS "QLinearSoftmax <axis = -1, opset = 13> (x, s, z, p) }", {69, 187, 0, 255}},
    {OPERANDS "QLinearReduceMean <axes = [2], keepdims = 0> (x, s, z, t, u) }", {12, 163}},
    {OPERANDS "QLinearAveragePool <kernel_shape = [2], channels_last = 0> (x, s, z, t, u) }", {12, 163}},
    {OPERANDS "QLinearGlobalAveragePool <channels_last = 0> (x, s, z, t, u) }", {12, 163}},
    {"g (uint8[1,4] x) => (y) <float s = {0.5}, uint8 z = {100}, int8[4,1] w = {1, 2, 3, -1}, int8 wz = {0}, "
     "int32[1] k = "
     "{4}>"
     "{ y = com.microsoft.QGemm <alpha = 2.0> (x, s, z, w, s, wz, k) }",
     {-76.5}},
};

static void test_qlinear(void)
{
    const uint8_t x[] = {100, 102, 98, 255};
    for (size_t i = 0; i < sizeof qlinear / sizeof qlinear[0]; i++)
        expect_values(qlinear[i].text, (const void *[]){x}, qlinear[i].want);
    CU_ASSERT_PTR_NOT_NULL(strstr(
        refusal(OPERANDS "QLinearAveragePool <kernel_shape = [2], channels_last = 1> (x, s, z, t, u) }"),
        "unsupported: channels_last; quantise the model with its channels first"));
    CU_ASSERT_PTR_NOT_NULL(strstr(refusal(OPERANDS "QLinearSigmoid (x, s, k, p) }"),
                                  "the zero point is int8, the codes are uint8"));
    CU_ASSERT_PTR_NOT_NULL(
        strstr(refusal(OPERANDS "QLinearSigmoid (x, n, z, p) }"), "scale 0 of 'n' is nan"));
    CU_ASSERT_PTR_NOT_NULL(strstr(refusal(OPERANDS "QLinearSigmoid (x, s, z, o) }"), "scale 0 of 'o' is 0"));
    CU_ASSERT_PTR_NOT_NULL(
        strstr(refusal(OPERANDS "QLinearSigmoid (x, l, z, p) }"), "scales float[3] for an axis of"));
    CU_ASSERT_PTR_NOT_NULL(strstr(refusal(OPERANDS "QLinearSoftmax <opset = 11> (x, s, z, t, u) }"),
                                  "unsupported: Softmax of opset 11"));
    CU_ASSERT_PTR_NOT_NULL(strstr(refusal(OPERANDS "QLinearConcat (t, u) }"),
                                  "needs codes, scale and zero point of each operand"));
    CU_ASSERT_PTR_NOT_NULL(strstr(refusal(OPERANDS "QLinearAdd (x, s, z, b, s, z) }"),
                                  "needs codes, scale and zero point of each operand"));
}

int main(void)
{
    CU_initialize_registry();
    CU_pSuite s = CU_add_suite("quantised models", NULL, NULL);
    CU_add_test(s, "codes", test_codes);
    CU_add_test(s, "Quant", test_quant);
    CU_add_test(s, "Quant, refused", test_quant_refused);
    CU_add_test(s, "Quant, values", test_quant_values);
    CU_add_test(s, "QLinearConv", test_qlinear_conv);
    CU_add_test(s, "QLinearMatMul", test_qlinear_matmul);
    CU_add_test(s, "QLinear operators of com.microsoft", test_qlinear);
    CU_basic_run_tests();
    int failures = (int)CU_get_number_of_failures();
    mem_reset();
    return failures != 0;
}
