/* unit_check.c - the impulses of `ternc check`, against a convolution written out: every weight at every
 * output is met, sums are the expected ones, and no single wrong weight stays hidden; and the
 * bounds of operators whose own coefficients cancel. */
#include "check/check.h"
#include "check/impulse.h"
#include "cases/op_values.h"
#include "layers/layers.h"
#include "support/checked.h"
#include "support/pick.h"

#include <CUnit/Basic.h>
#include <CUnit/CUnit.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdbool.h>
#include <string.h>

/* A random axis with at least one output. */
static Axis pick_axis(void)
{
    for (;;) {
        Axis a = {(int)pick(0, 1), pick(1, 14), 0, pick(1, 5), pick(1, 4), pick(1, 3), 0};
        int64_t reach = (a.kernel - 1) * a.dilation + 1, end = pick(0, reach - 1);
        a.pad = pick(0, reach - 1);
        a.out = a.transposed ? (a.in - 1) * a.stride + reach - a.pad - end
                             : (a.in + a.pad + end - reach) / a.stride + 1;
        if (a.out > 0 && (a.transposed || a.in + a.pad + end >= reach))
            return a;
    }
}

/* ---- one axis ---- */

static void count_hits(const Axis *a, int64_t o, int64_t k, int64_t input)
{
    int64_t step = axis_step(a);
    int hits = 0;
    for (int64_t position = 0; position < step; position++)
        hits += axis_tap(a, step, position, o) == k;
    CU_ASSERT_EQUAL(hits, input >= 0);
}

/* How many points of the lattice reach output o. */
static int seen_points(const Axis *a, int64_t position, int64_t o)
{
    int points = 0;
    for (int64_t k = 0; k < a->kernel; k++) {
        int64_t i = axis_input(a, o, k);
        points += i >= 0 && i % axis_step(a) == position;
    }
    return points;
}

static void test_axis_covers_each_pair_once(void)
{
    for (int round = 0; round < 2000; round++) {
        Axis a = pick_axis();
        for (int64_t o = 0; o < a.out; o++) {
            for (int64_t k = 0; k < a.kernel; k++)
                count_hits(&a, o, k, axis_input(&a, o, k));
            for (int64_t position = 0; position < axis_step(&a); position++)
                CU_ASSERT(seen_points(&a, position, o) <= 1);
        }
    }
}

/* axis_input against the definitions in ir.h, run forwards. */
static void test_axis_input_is_the_definition(void)
{
    for (int round = 0; round < 2000; round++) {
        Axis a = pick_axis();
        for (int64_t o = 0; o < a.out; o++)
            for (int64_t k = 0; k < a.kernel; k++) {
                int64_t want = -1;
                for (int64_t i = 0; i < a.in; i++)
                    if (a.transposed ? i * a.stride - a.pad + k * a.dilation == o
                                     : o * a.stride - a.pad + k * a.dilation == i)
                        want = i;
                CU_ASSERT_EQUAL(axis_input(&a, o, k), want);
            }
    }
}

static void test_step_is_the_least(void)
{
    Axis strided = {0, 100, 48, 3, 2, 2, 0}, transposed = {1, 100, 300, 5, 3, 1, 0},
         pointwise = {0, 9, 9, 1, 1, 1, 0};
    CU_ASSERT_EQUAL(axis_step(&strided), 5);
    CU_ASSERT_EQUAL(axis_step(&transposed), 2);
    CU_ASSERT_EQUAL(axis_step(&pointwise), 1);
}

/* ---- whole layers ---- */

enum { MAX_WEIGHTS = 4096 };

typedef struct Case {
    Patterns p;
    int64_t images, co;
    int8_t codes[MAX_WEIGHTS]; /* [co][channels][kh][kw] */
} Case;

static Case make_case(void)
{
    Case c;
    do {
        int64_t groups = pick(0, 1) ? 1 : pick(1, 4);
        Axis rows = pick_axis(), columns = pick_axis();
        columns.transposed = rows.transposed;
        if (columns.transposed)
            columns.out =
                (columns.in - 1) * columns.stride + (columns.kernel - 1) * columns.dilation + 1 - columns.pad;
        else
            columns.out =
                (columns.in + columns.pad - (columns.kernel - 1) * columns.dilation - 1) / columns.stride + 1;
        c.p =
            patterns_make(rows, columns, groups, pick(1, pick(0, 3) ? 4 : 30), pick(0, 1) ? 12 : pick(1, 15));
        c.images = pick(1, 2);
        c.co = groups * pick(1, 3);
    } while (c.p.columns.out < 1 || c.co * c.p.channels * c.p.rows.kernel * c.p.columns.kernel > MAX_WEIGHTS);
    for (int i = 0; i < MAX_WEIGHTS; i++)
        c.codes[i] = (int8_t)pick(-1, 1);
    return c;
}

/* One weight that reads its input somewhere else. */
typedef struct Shift {
    int64_t weight, rows, columns; /* weight -1: none */
} Shift;
static const Shift no_shift = {-1, 0, 0};

static int64_t input_value(const Case *c, const Impulse *m, int64_t group, int64_t ci, int64_t iy, int64_t ix)
{
    const Patterns *p = &c->p;
    if (iy < 0 || ix < 0 || iy >= p->rows.in || ix >= p->columns.in)
        return 0;
    bool lattice = iy % p->row_step == m->row && ix % p->column_step == m->column;
    return lattice ? pattern_value(p, m->batch, pattern_turn(p, group, iy, ix), ci) : 0;
}

/* What the accumulator at (image, co, oy, ox) is in a run, summed over all inputs. */
static int64_t convolve(const Case *c, const Shift *shift, int64_t run, int64_t image, int64_t co, int64_t oy,
                        int64_t ox)
{
    const Patterns *p = &c->p;
    int64_t group = co / (c->co / p->groups), sum = 0, taps = p->rows.kernel * p->columns.kernel;
    Impulse m = pattern_at(p, run, image, group);
    for (int64_t i = 0; i < p->channels * taps; i++) {
        int64_t iy = axis_input(&p->rows, oy, i % taps / p->columns.kernel),
                weight = co * p->channels * taps + i;
        int64_t ix = axis_input(&p->columns, ox, i % p->columns.kernel);
        if (iy < 0 || ix < 0)
            continue;
        if (weight == shift->weight) {
            iy += shift->rows;
            ix += shift->columns;
        }
        sum += c->codes[weight] * input_value(c, &m, group, i / taps, iy, ix);
    }
    return sum;
}

/* What the harness expects there. */
static int64_t expect(const Case *c, int64_t run, int64_t image, int64_t co, int64_t oy, int64_t ox)
{
    const Patterns *p = &c->p;
    int64_t group = co / (c->co / p->groups), sum = 0;
    Impulse m = pattern_at(p, run, image, group);
    int64_t ky = axis_tap(&p->rows, p->row_step, m.row, oy),
            kx = axis_tap(&p->columns, p->column_step, m.column, ox);
    if (ky < 0 || kx < 0)
        return 0;
    int64_t turn = pattern_turn(p, group, axis_input(&p->rows, oy, ky), axis_input(&p->columns, ox, kx));
    for (int64_t ci = 0; ci < p->channels; ci++)
        sum += c->codes[((co * p->channels + ci) * p->rows.kernel + ky) * p->columns.kernel + kx] *
               pattern_value(&c->p, m.batch, turn, ci);
    return sum;
}

static int64_t compare_all(const Case *right, const Case *wrong, const Shift *shift)
{
    int64_t differ = 0;
    for (int64_t run = 0; run < right->p.count; run++)
        for (int64_t image = 0; image < right->images; image++)
            for (int64_t co = 0; co < right->co; co++)
                for (int64_t oy = 0; oy < right->p.rows.out; oy++)
                    for (int64_t ox = 0; ox < right->p.columns.out; ox++)
                        differ += expect(right, run, image, co, oy, ox) !=
                                  convolve(wrong, shift, run, image, co, oy, ox);
    return differ;
}

static void test_sums_are_exact_and_expected(void)
{
    for (int round = 0; round < 40; round++) {
        Case c = make_case();
        CU_ASSERT_EQUAL(compare_all(&c, &c, &no_shift), 0);
    }
}

/* Output positions at which a tap reads an input at all. */
static bool tap_is_used(const Axis *a, int64_t k)
{
    for (int64_t o = 0; o < a->out; o++)
        if (axis_input(a, o, k) >= 0)
            return true;
    return false;
}

static void test_no_wrong_weight_stays_hidden(void)
{
    for (int round = 0; round < 100; round++) {
        Case right = make_case(), wrong = right;
        int64_t taps = right.p.rows.kernel * right.p.columns.kernel;
        int64_t at = pick(0, right.co * right.p.channels * taps - 1);
        do
            wrong.codes[at] = (int8_t)pick(-2, 2); /* 2: the term is there twice */
        while (wrong.codes[at] == right.codes[at]);
        bool used = tap_is_used(&right.p.rows, at % taps / right.p.columns.kernel) &&
                    tap_is_used(&right.p.columns, at % right.p.columns.kernel);
        CU_ASSERT_EQUAL(compare_all(&right, &wrong, &no_shift) > 0, used);
    }
}

/* A weight whose input is taken from up to two positions beside the right one. */
static void test_no_wrong_position_stays_hidden(void)
{
    for (int round = 0; round < 200; round++) {
        Case c = make_case();
        int64_t taps = c.p.rows.kernel * c.p.columns.kernel;
        Shift shift = {pick(0, c.co * c.p.channels * taps - 1), pick(-2, 2), pick(-2, 2)};
        bool used = tap_is_used(&c.p.rows, shift.weight % taps / c.p.columns.kernel) &&
                    tap_is_used(&c.p.columns, shift.weight % c.p.columns.kernel);
        bool wrong = c.codes[shift.weight] && (shift.rows || shift.columns) && used;
        CU_ASSERT_EQUAL(compare_all(&c, &c, &shift) > 0, wrong);
    }
}

/* The most channels that share a run: their sum is exact in accumulators, one more would not be; likewise
 * inputs. */
static void expect_digits(int64_t exact_in, int64_t exact_acc, int digits)
{
    const Format f = {.exact_in = exact_in, .exact_acc = exact_acc};
    const Patterns p = {.shared = digits};
    int64_t sum = 0;
    for (int64_t c = 0; c < digits; c++) {
        CU_ASSERT(pattern_value(&p, 0, 0, c) <= exact_in);
        sum += pattern_value(&p, 0, 0, c);
    }
    CU_ASSERT(sum <= exact_acc);
    CU_ASSERT_EQUAL(format_digits(&f), digits);
}

static void test_values_stay_exact(void)
{
    const Layer float_layer = {0};
    CU_ASSERT_EQUAL(format_digits(layer_format(&float_layer)), 12);
    expect_digits(1 << 24, 1 << 24, 12);
    expect_digits((int64_t)1 << 53, (int64_t)1 << 53, 15);
    expect_digits(127, INT32_MAX, 4);
    expect_digits(127, INT16_MAX, 4);
    expect_digits(INT16_MAX, INT16_MAX, 8);
    expect_digits(1, 1, 1);
}

static void test_values_of_batches(void)
{
    const Patterns p = {.shared = 12};
    CU_ASSERT_EQUAL(pattern_value(&p, -1, 0, 0), 0);
    CU_ASSERT_EQUAL(pattern_value(&p, 1, 0, 11), 0);
    CU_ASSERT_EQUAL(pattern_value(&p, 1, 0, 12), 1);
}

/* ---- bounds of values ---- */

/* The bound of output element 0 of the only node, all of whose run-time inputs are ones. */
static double bound_of_ones(const char *text)
{
    const OpCase row = {.name = "bounds", .text = text};
    Graph *g = load_row(&row);
    const Node *n = g->nodes[0];
    static float ones[16], want[16];
    for (int i = 0; i < 16; i++)
        ones[i] = 1;
    const void *in[4] = {ones, ones, ones, NULL};
    for (int i = 0; i < n->num_in; i++)
        in[i] = n->in[i] && n->in[i]->data ? n->in[i]->data : ones;
    double bound[16] = {0};
    node_bounds(g, n, 0, in, want, bound);
    return bound[0] / (FLT_EPSILON / 2);
}

/* What has coefficients of its own: the bound counts every term with its size. */
static void test_bounds_of_terms_that_cancel(void)
{
    double linear =
        bound_of_ones("g (float[4] x) => (y) <float[1] s = {2}> { y = Resize <mode = \"linear\"> (x, , s) }");
    double cubic =
        bound_of_ones("g (float[4] x) => (y) <float[1] s = {2}> { y = Resize <mode = \"cubic\"> (x, , s) }");
    CU_ASSERT(cubic > 1.2 * linear); /* |weights| of 0.25 away: 0.105, 0.879, 0.262, 0.035 */
    double sum = bound_of_ones("g (float[1,1] a, float[1,1] b, float[1,1] c) => (y) { y = Gemm (a, b, c) }");
    double difference = bound_of_ones(
        "g (float[1,1] a, float[1,1] b, float[1,1] c) => (y) { y = Gemm <alpha = -1.0> (a, b, c) }");
    CU_ASSERT(difference >= sum && sum >= 2);
    CU_ASSERT(bound_of_ones("g (float[1,1] a, float[1,1] b, float[1,1] c) => (y)"
                            " { y = Gemm <alpha = 0.5, beta = -0.5> (a, b, c) }") >= sum / 2);
}

/* A value out of range is compared all the same, but not what is made of sums out of range. */
static void test_bounds_of_infinities(void)
{
    static const struct {
        const char *text;
        bool bounded;
    } cases[] = {
        {"g (float[2] x) => (y) { y = Exp (x) }", true},
        {"g (float[2] x) => (y) { y = ReduceSum (x) }", false},
        {"g (float[2] x) => (y) { y = ReduceProd (x) }", true},
        {"g (float[1,1,2] x) => (y) <float[1] a = {1}> { y = InstanceNormalization (x, a, a) }", false}};
    const float huge[] = {FLT_MAX, -FLT_MAX}, ones[] = {1, 1}, want[] = {INFINITY, INFINITY};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const OpCase row = {.name = "infinities", .text = cases[i].text};
        Graph *g = load_row(&row);
        const void *in[3] = {huge, ones, ones};
        double bound[2] = {0};
        node_bounds(g, g->nodes[0], 0, in, want, bound);
        CU_ASSERT_EQUAL(bound[0] != NO_BOUND, cases[i].bounded);
    }
}

/* Forms drop what meets a zero weight, or multiply by it: 0 * NaN may come out, or not. */
static void test_zero_weights_of_no_numbers(void)
{
    static const char text[] =
        "g (float[5,2] x, float[1,1,3,3] m) => (y, z) <float[2,1] w = {2.3, -0.4},"
        " float[1,1,2,1] v = {0.1, 3}> { a = Sqrt (x)\n y = MatMul (a, w)\n b = Sqrt (m)\n"
        " c = Conv (b, v)\n z = MaxPool <kernel_shape = [2, 2]> (c) }";
    for (Lowering l = LOWER_UNROLL; l <= LOWER_DENSE; l++)
        expect_sound(text, METHOD_twn, l);
}

/* Of a sum that rounding can turn into nothing, the logarithm is not known. */
static void test_bounds_of_logarithms(void)
{
    const OpCase row = {.name = "logarithms", .text = "g (float[3] x) => (y) { y = ReduceLogSum (x) }"};
    Graph *g = load_row(&row);
    const float numbers[][3] = {{1, 1, 1}, {1, -1, 1e-3F}, {1, -1, 1e-8F}, {1, -1, 0}}, want[1] = {0};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        const void *in[1] = {numbers[i]};
        double bound[1] = {0};
        node_bounds(g, g->nodes[0], 0, in, want, bound);
        CU_ASSERT_EQUAL(bound[0] != NO_BOUND, i < 2);
    }
}

/* ---- sums that leave the range of the type, or cancel ---- */

/* Operators with sums of powers, or that divide by or take the logarithm of a sum; h: the numbers, [1,2,3,4].
 */
static const char *const sum_nodes[] = {
    "InstanceNormalization (h, two, two)",
    "InstanceNormalization <epsilon = 0.0> (h, two, two)",
    "LayerNormalization (h, one)",
    "LayerNormalization <epsilon = 0.0, axis = 1> (h, one)",
    "MeanVarianceNormalization (h)",
    "LpNormalization (h)",
    "LpNormalization <p = 1> (h)",
    "LRN <size = 3> (h)",
    "LRN <size = 2, bias = -0.1, alpha = 0.5> (h)",
    "LpPool <kernel_shape = [2, 2]> (h)",
    "LpPool <kernel_shape = [2, 2], p = 3> (h)",
    "LpPool <kernel_shape = [2, 2], p = 1> (h)",
    "GlobalLpPool (h)",
    "GlobalLpPool <p = 7> (h)",
    "AveragePool <kernel_shape = [2, 2]> (h)",
    "GlobalAveragePool (h)",
    "ReduceL1 (h)",
    "ReduceL2 <axes = [2, 3]> (h)",
    "ReduceSumSquare (h)",
    "ReduceLogSum <axes = [3]> (h)",
    "ReduceLogSumExp (h)",
    "ReduceMean (h)",
    "ReduceSum (h)",
    "ReduceProd (h)",
    "Mean (h, h, h)",
    "Sum (h, h, h)",
    "Softmax (h)",
    "LogSoftmax (h)",
    "CumSum (h, axis)",
    "NegativeLogLikelihoodLoss (h, labels, mixed)",
    "NegativeLogLikelihoodLoss <reduction = \"sum\"> (h, labels, mixed)",
};

static void expect_sound_at(const char *type, const char *scale)
{
    Text nodes = {0}, out = {0};
    for (int i = 0; i < (int)(sizeof sum_nodes / sizeof sum_nodes[0]); i++) {
        text_printf(&nodes, " y%d = %s", i, sum_nodes[i]);
        text_printf(&out, "%sy%d", i ? ", " : "", i);
    }
    char *text =
        mem_printf("g (%s[1,2,3,4] x) => (%s) <%s s = {%s}, %s[2] two = {1, 0.5}, %s one = {1}, int64 axis "
                   "= {2}, int64[1,3,4] labels = {0, 1, 0, 1, 1, 0, 0, 1, 1, 1, 0, 0}, %s[2] mixed = "
                   "{1.0001, -1}> { h = Mul (x, s)%s }",
                   type, out.data, type, scale, type, type, type, nodes.data);
    expect_sound(text, METHOD_none, LOWER_AUTO);
    text_free(&nodes);
    text_free(&out);
}

/* Squares overflow beyond 1.8e19 and vanish below 1e-19: in the evaluator as in generated code. */
static void test_sums_out_of_range(void)
{
    static const char *const scales[] = {"1",     "1e17",  "1e20",  "2e38", "1e-13",
                                         "1e-19", "1e-21", "1e-23", "1e-37"};
    for (size_t i = 0; i < sizeof scales / sizeof scales[0]; i++)
        expect_sound_at("float", scales[i]);
    expect_sound_at("double", "1e200");
    expect_sound_at("double", "1e-160");
}

int main(void)
{
    CU_initialize_registry();
    CU_pSuite s = CU_add_suite("check", NULL, NULL);
    CU_ADD_TEST(s, test_axis_covers_each_pair_once);
    CU_ADD_TEST(s, test_axis_input_is_the_definition);
    CU_ADD_TEST(s, test_step_is_the_least);
    CU_ADD_TEST(s, test_sums_are_exact_and_expected);
    CU_ADD_TEST(s, test_no_wrong_weight_stays_hidden);
    CU_ADD_TEST(s, test_no_wrong_position_stays_hidden);
    CU_ADD_TEST(s, test_values_stay_exact);
    CU_ADD_TEST(s, test_values_of_batches);
    CU_ADD_TEST(s, test_bounds_of_terms_that_cancel);
    CU_ADD_TEST(s, test_bounds_of_infinities);
    CU_ADD_TEST(s, test_bounds_of_logarithms);
    CU_ADD_TEST(s, test_zero_weights_of_no_numbers);
    CU_ADD_TEST(s, test_sums_out_of_range);
    CU_basic_run_tests();
    bool failed = CU_get_number_of_failures() != 0;
    CU_cleanup_registry();
    return failed;
}
