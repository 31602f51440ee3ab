/* unit_requantise.c - the multiplications that take sums to codes: their results against exact ones, for
 * factors and offsets of all sizes and all sums that a layer can have. An argument is the only seed. */
#include "layers/layers.h"
#include "support/pick.h"

#include <CUnit/Basic.h>
#include <math.h>
#include <stdlib.h>

enum { SEEDS = 5, LAYERS = 1500, SUMS = 60, MAX_CHANNELS = 4 };

/* The largest error, in codes, of an output that is not clamped; of offsets, and of factors by the smallest,
 * for which that is promised. */
static const double MOST_OFF = 0.125, MOST_OFFSET = 0x1p14, MOST_SPREAD = 0x1p12;

typedef struct Sample {
    Layer l;
    SumRange range[MAX_CHANNELS];
    double factor[MAX_CHANNELS], offset[MAX_CHANNELS];
    Quantised q;
} Sample;

/* ---- what is drawn ---- */

/* From 2^low to 2^high, each power as likely. */
static double draw_power(int low, int high)
{
    double mantissa = 1 + (double)pick(0, 999) / 1000;
    return ldexp(mantissa, (int)pick(low, high - 1));
}

static int8_t draw_weight(bool ternary, int sign)
{
    int v = (int)(ternary ? pick(-1, 1) : pick(-INT8_MAX, INT8_MAX));
    return (int8_t)(sign ? sign * abs(v) : v);
}

static void draw_layer_of_codes(Layer *l)
{
    int64_t most = pick(0, 3) ? 300 : 20000;
    *l = (Layer){
        .kind = LAYER_CONV, .batch = 1, .groups = 1, .co = pick(1, MAX_CHANNELS), .ci = pick(1, most)};
    l->kh = l->kw = l->sh = l->sw = l->dh = l->dw = l->ih = l->iw = l->oh = l->ow = 1;
    bool ternary = pick(0, 1);
    int8_t *w = NEW_ARRAY(int8_t, l->co * l->ci);
    for (int64_t c = 0; c < l->co; c++) {
        int64_t used = pick(0, 2) ? l->ci : pick(0, l->ci);
        int sign = (int)pick(-1, 1);
        for (int64_t i = 0; i < used; i++)
            w[c * l->ci + i] = draw_weight(ternary, sign);
    }
    *(ternary ? &l->codes : &l->ints) = w;
    if (!pick(0, 3))
        l->pool = (Pool){.kind = POOL_AVERAGE, .kh = pick(1, 7), .kw = pick(1, 7)};
}

/* Where factors are alike, outputs use the codes that there are; else any within the limits of fusing. */
static void draw_numbers(Sample *s)
{
    bool alike = pick(0, 1);
    double base = draw_power(-30, 15);
    int spread = (int)pick(1, 12);
    bool powers = !pick(0, 4); /* of two, of which shifts come */
    for (int64_t c = 0; c < s->l.co; c++) {
        SumRange r = s->range[c] = sum_range(&s->l, c);
        double reach = (double)(r.high - r.low + 1);
        s->factor[c] = alike ? 255 / reach * draw_power(-3, 5) : base / draw_power(0, spread);
        if (r.low == r.high || !pick(0, 5)) /* as fusing leaves a channel without weights */
            s->factor[c] = 0;
        s->factor[c] *= powers || pick(0, 1) ? 1 : -1;
        if (powers)
            s->factor[c] = r.low == r.high ? 0 : ldexp(1, -(int)pick(0, 12));
        s->offset[c] = (double)pick(-2560, 2560) / 10;
        if (!pick(0, 9))
            s->offset[c] = draw_power(8, 24) * (pick(0, 1) ? 1 : -1);
    }
}

static Sample *draw_sample(void)
{
    Sample *s = NEW(Sample);
    draw_layer_of_codes(&s->l);
    s->q.in = pick(0, 1) ? DT_U8 : DT_I8;
    s->q.out = pick(0, 1) ? DT_U8 : DT_I8;
    s->q.low = pick(0, 1) ? code_low(s->q.out) : (int)pick(code_low(s->q.out), code_high(s->q.out));
    s->q.high = pick(0, 1) ? code_high(s->q.out) : (int)pick(s->q.low, code_high(s->q.out));
    s->l.quantised = &s->q;
    draw_numbers(s);
    return s;
}

/* ---- one channel ---- */

static int64_t windows(const Layer *l)
{
    return l->pool.kind == POOL_AVERAGE ? l->pool.kh * l->pool.kw : 1;
}

/* The ends, those around 0, those whose outputs are neither clamped nor all the same, and any. */
static int64_t draw_sum(const Sample *s, int64_t c, int i)
{
    SumRange r = s->range[c];
    int64_t n = windows(&s->l), low = n * r.low, high = n * r.high, v = low + pick(0, high - low);
    if (i < 2)
        return i ? high : low;
    if (i < 5)
        v = i - 3;
    else if (i % 2 && s->factor[c] != 0)
        v = llround(
            fmin(fmax(((double)pick(-128, 255) - s->offset[c]) / s->factor[c], (double)low), (double)high));
    return v < low ? low : v > high ? high : v;
}

static double clamped(const Quantised *q, double v)
{
    return fmin(fmax(floor(v + 0.5), q->low), q->high);
}

/* What the factor is off for each of the sum; shifts are exact. */
static double error_bound(const Quantised *q, double factor, int64_t sum)
{
    if (q->shifts)
        return 0;
    double off = fabs(ldexp(factor, q->shift) - round(ldexp(factor, q->shift)));
    return ldexp(off * fabs((double)sum), -q->shift);
}

static double largest_factor(const Sample *s)
{
    double most = 0;
    for (int64_t c = 0; c < s->l.co; c++)
        most = fmax(most, fabs(s->factor[c]));
    return most;
}

static void check_range(const Quantised *q, int64_t c, int64_t sum)
{
    double product = (double)sum * q->factor[c], all = product + (double)q->addend[c];
    double limit = q->wide ? 0x1p63 : 0x1p31;
    CU_ASSERT(fabs(product) < limit && fabs((double)q->addend[c]) < limit && fabs(all) < limit);
}

/* Returns how far the code may be off where it is not clamped. Doubles here round, too. */
static double check_sum(const Sample *s, int64_t c, int64_t sum)
{
    const Quantised *q = &s->q;
    double product = (double)sum * s->factor[c], exact = product + s->offset[c];
    double bound = error_bound(q, s->factor[c], sum) + 0x1p-50 * (fabs(product) + fabs(s->offset[c]));
    double code = (double)quantised_output(q, c, sum);
    check_range(q, c, sum);
    CU_ASSERT(code >= clamped(q, exact - bound) && code <= clamped(q, exact + bound));
    CU_ASSERT(code >= q->low && code <= q->high);
    bool counts = exact > q->low && exact < q->high && fabs(s->offset[c]) < MOST_OFFSET &&
                  largest_factor(s) <= MOST_SPREAD * fabs(s->factor[c]);
    return counts ? bound : 0;
}

/* The range of codes before they are clamped is the one that the ends of the sums give. */
static void check_code_range(const Sample *s)
{
    const Quantised *q = &s->q;
    SumRange r = code_range(&s->l), found = {INT64_MAX, INT64_MIN};
    for (int64_t c = 0; c < s->l.co; c++)
        for (int k = 0; k < SUMS; k++) {
            int shift = q->shifts ? q->shifts[c] : q->shift;
            int64_t v = (draw_sum(s, c, k) * q->factor[c] + q->addend[c]) >> shift;
            found.low = v < found.low ? v : found.low;
            found.high = v > found.high ? v : found.high;
        }
    CU_ASSERT(found.low == r.low && found.high == r.high);
}

/* ---- tests ---- */

static int narrow, wide, refused, shifted, multiplied, compared, exact, halves, steps, others;
static double worst;

/* Shifts give the codes that products of the same factors do, where these are exact. */
static void check_shifts(const Sample *s)
{
    Quantised q = s->q;
    if (!s->q.shifts || !requantise_by_products(&s->l, s->factor, s->offset, &q))
        return;
    shifted++;
    CU_ASSERT(!q.shifts);
    for (int64_t c = 0; c < s->l.co; c++) {
        double factor = ldexp(s->factor[c], q.shift);
        for (int k = 0; k < SUMS && factor == floor(factor); k++) {
            int64_t sum = draw_sum(s, c, k);
            multiplied++;
            CU_ASSERT(quantised_output(&q, c, sum) == quantised_output(&s->q, c, sum));
        }
    }
}

static uint64_t only_seed;

static void for_seeds(void (*test)(void))
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++)
        if (!only_seed || seed == 1) {
            pick_seed(only_seed ? only_seed : seed);
            test();
        }
}

static void requantise_layers(void)
{
    for (int i = 0; i < LAYERS; i++) {
        Sample *s = draw_sample();
        set_sum_range(&s->l, &s->q);
        if (!requantise(&s->l, s->factor, s->offset, &s->q)) {
            refused++;
            continue;
        }
        *(s->q.wide ? &wide : &narrow) += 1;
        check_code_range(s);
        check_shifts(s);
        for (int64_t c = 0; c < s->l.co; c++)
            for (int k = 0; k < SUMS; k++)
                worst = fmax(worst, check_sum(s, c, draw_sum(s, c, k)));
    }
}

static void test_random(void)
{
    for_seeds(requantise_layers);
    int layers = narrow + wide;
    printf("\nworst %g; %d with products of 32 bits, %d of 64, %d refused, %d by shifts ", worst, narrow,
           wide, refused, shifted);
    CU_ASSERT(worst <= MOST_OFF);
    CU_ASSERT(narrow > layers / 4 && wide > layers / 20);
    CU_ASSERT(refused == 0);
    CU_ASSERT(shifted > layers / 10 && multiplied > shifted * SUMS);
}

/* Codes of 16 bits on either side or on both. */
static Sample *draw_words(void)
{
    Sample *s = draw_sample();
    int sides = (int)pick(1, 3);
    if (sides & 1)
        s->q.in = DT_I16;
    if (sides & 2) {
        s->q.out = DT_I16;
        s->q.low = pick(0, 1) ? INT16_MIN : (int)pick(INT16_MIN, 0);
        s->q.high = pick(0, 1) ? INT16_MAX : (int)pick(1, INT16_MAX);
    }
    draw_numbers(s);
    return s;
}

static void test_words(void)
{
    int met = 0;
    for (int i = 0; i < LAYERS / 4; i++) {
        Sample *s = draw_words();
        set_sum_range(&s->l, &s->q);
        if (sum_bits(&s->q) + 4 > 32) /* an average adds up as many as 16 */
            continue;
        met++;
        CU_ASSERT(requantise(&s->l, s->factor, s->offset, &s->q) && s->q.wide && !s->q.shifts);
        check_code_range(s);
        for (int64_t c = 0; c < s->l.co; c++)
            for (int k = 0; k < SUMS; k++)
                CU_ASSERT(check_sum(s, c, draw_sum(s, c, k)) <= MOST_OFF);
    }
    CU_ASSERT(met > LAYERS / 8);
}

/* The output as runtimes of ONNX files compute it before they round, in float: the sum and the bias times
 * x * scale / y. */
static float float_output(const Sample *s, int64_t c, int64_t sum)
{
    return (float)(sum + (int64_t)s->offset[c]) * (float)s->factor[c];
}

static int float_code(const Quantised *q, float v)
{
    return (int)fmaxf(fminf(rintf(v), (float)q->high), (float)q->low);
}

/* Codes of exact numbers differ from those of floats only where the product rounded to float lies half way
 * between two codes, by one. Others differ where the half lies within what both are off. */
static void compare_sum(const Sample *s, int64_t c, int64_t sum)
{
    const Quantised *q = &s->q;
    const float v = float_output(s, c, sum);
    const double factor = ldexp(q->factor[c], -q->shift), to_half = fabs(fabs((double)(v - truncf(v))) - 0.5);
    const int differ = abs((int)quantised_output(q, c, sum) - float_code(q, v));
    const bool is_exact = factor == s->factor[c];
    compared++;
    exact += is_exact;
    CU_ASSERT(differ <= 1);
    if (differ && is_exact)
        halves++;
    if (differ)
        CU_ASSERT(to_half <= (is_exact ? 0 : error_bound(q, s->factor[c], sum) + (double)fabsf(v) * 0x1p-24));
}

static void check_scales(const Sample *s, const float *given, const float *scales, double largest)
{
    for (int64_t c = 0; c < s->l.co; c++) {
        double change = fabs((double)(scales[c] / given[c]) - 1);
        CU_ASSERT(change <= 1.0 / 128 || (double)given[c] < largest / 64);
    }
}

/* Of a factor below LEAST_FACTOR, what is left of a channel is a few codes. Sums by a power of two, which is
 * left where products take 64 bits, lie half way between codes. */
static bool is_compared(const Sample *s, int64_t c)
{
    enum { LEAST_FACTOR = 512 };
    int exponent;
    return s->q.factor[c] >= LEAST_FACTOR && frexp(s->factor[c], &exponent) != 0.5;
}

/* Of any mantissa, or of none. */
static double draw_scale(bool powers, int low, int high)
{
    return powers ? ldexp(1, (int)pick(low, high)) : draw_power(low, high);
}

/* Ternary layers with steps and scales, biases in whole steps of the sums. */
static void snap_layer(Sample *s)
{
    bool powers = !pick(0, 3);
    CodeStep in = {(double)(float)draw_scale(powers, -8, 2), 0},
             out = {(double)(float)draw_scale(powers, -8, 2), 0};
    float given[MAX_CHANNELS], scales[MAX_CHANNELS], bias[MAX_CHANNELS], x = (float)in.scale,
                                                                         y = (float)out.scale;
    double largest = 0;
    for (int64_t c = 0; c < s->l.co; c++) {
        double most = fmax(1, (double)(s->range[c].high - s->range[c].low));
        double used = powers ? ldexp(1, 8 - ilogb(most)) : 255 / most;
        given[c] = scales[c] = (float)(used * draw_scale(powers, -1, 4) * out.scale / in.scale);
        s->offset[c] = (double)pick(-100, 100);
        bias[c] = (float)s->offset[c] * x * scales[c];
        largest = fmax(largest, (double)given[c]);
    }
    snap_scales(&s->l, in, out, bias, scales);
    check_scales(s, given, scales, largest);
    double offset[MAX_CHANNELS];
    for (int64_t c = 0; c < s->l.co; c++) {
        s->factor[c] = (double)(x * scales[c] / y);
        offset[c] = s->offset[c] * s->factor[c];
    }
    if (!requantise(&s->l, s->factor, offset, &s->q))
        CU_FAIL("refused");
    for (int64_t c = 0; c < s->l.co; c++)
        for (int k = 0; k < SUMS && is_compared(s, c); k++)
            compare_sum(s, c, draw_sum(s, c, k));
}

static void snap_layers(void)
{
    enum { MOST_INPUTS = 1000 };
    for (int i = 0; i < LAYERS; i++) {
        Sample *s = draw_sample();
        s->l.pool = (Pool){0};
        if (s->l.codes && s->l.ci <= MOST_INPUTS)
            snap_layer(s);
    }
}

static void test_snapped(void)
{
    for_seeds(snap_layers);
    printf("\n%d of %d are of exact factors, %d of these differ from floats ", exact, compared, halves);
    CU_ASSERT(exact > compared / 2 && exact > LAYERS * SUMS / 2 && halves <= exact / 10000);
}

/* The step by another is a number of 12 bits, nearly always, and the step hardly larger. */
static void snap_steps(void)
{
    for (int i = 0; i < LAYERS; i++) {
        float step = (float)draw_power(-20, 20) * 1.001f;
        float by = (float)draw_power(-20, 20) * 1.003f;
        float v = snap_step(step, by);
        int exponent;
        double ratio = ldexp(frexp((double)(v / by), &exponent), 12);
        steps++;
        others += ratio != floor(ratio);
        CU_ASSERT(v >= step && v <= step * 1.01f);
    }
}

static void test_steps(void)
{
    for_seeds(snap_steps);
    CU_ASSERT(others <= steps / 100);
}

int main(int argc, char **argv)
{
    only_seed = argc > 1 ? (uint64_t)strtoull(argv[1], NULL, 10) : 0;
    CU_initialize_registry();
    CU_pSuite s = CU_add_suite("requantise", NULL, NULL);
    CU_add_test(s, "random factors and offsets", test_random);
    CU_add_test(s, "scales for which floats compute the same", test_snapped);
    CU_add_test(s, "steps of few bits by others", test_steps);
    CU_add_test(s, "codes of 16 bits", test_words);
    CU_basic_set_mode(CU_BRM_VERBOSE);
    CU_basic_run_tests();
    return CU_get_number_of_failures() != 0;
}
