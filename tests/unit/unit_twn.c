/* unit_twn.c - ternarising one channel: the optimum against brute force, the facts that follow from the
 * formulas, and the edges: ties, zeros, weights that are ternary already. */
#include "passes/passes.h"
#include "support/normal.h"

#include <CUnit/Basic.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static double laplace(void)
{
    return (uniform() < 0.5 ? -1 : 1) * -log(uniform());
}

static int64_t count_zeros(const int8_t *codes, int64_t n)
{
    int64_t zeros = 0;
    for (int64_t i = 0; i < n; i++)
        zeros += codes[i] == 0;
    return zeros;
}

/* ---- exact ---- */

/* J of the best scale for these codes. */
static double loss(const float *w, const int8_t *codes, int64_t n)
{
    double squares = 0, dot = 0, count = 0;
    for (int64_t i = 0; i < n; i++) {
        squares += (double)w[i] * (double)w[i];
        dot += (double)w[i] * codes[i];
        count += codes[i] != 0;
    }
    return count > 0 && dot > 0 ? squares - dot * dot / count : squares;
}

static double brute_force(const float *w, int n)
{
    int8_t codes[8];
    int cases = 1;
    for (int i = 0; i < n; i++)
        cases *= 3;
    double best = INFINITY;
    for (int k = 0; k < cases; k++) {
        for (int i = 0, rest = k; i < n; i++, rest /= 3)
            codes[i] = (int8_t)(rest % 3 - 1);
        best = fmin(best, loss(w, codes, n));
    }
    return best;
}

static void test_exact_is_the_optimum(void)
{
    for (int round = 0; round < 300; round++) {
        int n = 1 + round % 8;
        float w[8];
        int8_t codes[8];
        for (int i = 0; i < n; i++)
            w[i] = (float)(round % 3 == 0 ? round / 3 % 5 * floor(3 * normal()) : normal());
        twn_exact(w, n, codes);
        CU_ASSERT_DOUBLE_EQUAL(loss(w, codes, n), brute_force(w, n), 1e-9);
    }
}

static int descending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x < y) - (x > y);
}

static void check_threshold_facts(const float *w, int64_t n)
{
    int8_t *codes = malloc((size_t)n);
    double *m = malloc((size_t)n * sizeof *m);
    double a = (double)twn_exact(w, n, codes), sum = 0;
    int64_t k = n - count_zeros(codes, n);
    for (int64_t i = 0; i < n; i++) {
        m[i] = fabs((double)w[i]);
        sum += codes[i] ? m[i] : 0;
        CU_ASSERT(codes[i] * w[i] >= 0);
    }
    qsort(m, (size_t)n, sizeof *m, descending);
    CU_ASSERT(m[k - 1] >= a / 2);
    CU_ASSERT(k == n || m[k] <= a / 2);
    CU_ASSERT_EQUAL((float)(sum / (double)k), (float)a);
    free(m);
    free(codes);
}

static void test_threshold_is_half_the_scale(void)
{
    float w[500];
    for (int round = 0; round < 100; round++) {
        for (int i = 0; i < 500; i++)
            w[i] = (float)(round % 2 ? normal() : laplace());
        check_threshold_facts(w, 1 + 5 * round);
    }
}

/* Share of zeros at the optimum, and the optimum's threshold in units of mean |w|. */
static void check_distribution(double (*draw)(void), double zeros, double factor)
{
    enum { N = 200000 };
    float *w = malloc(N * sizeof *w);
    int8_t *codes = malloc(N);
    double mean = 0;
    for (int i = 0; i < N; i++) {
        w[i] = (float)draw();
        mean += fabs((double)w[i]) / N;
    }
    double a = (double)twn_exact(w, N, codes);
    CU_ASSERT_DOUBLE_EQUAL((double)count_zeros(codes, N) / N, zeros, 0.01);
    CU_ASSERT_DOUBLE_EQUAL(a / 2 / mean, factor, 0.02);
    twn_relative(w, N, (float)factor, codes);
    CU_ASSERT_DOUBLE_EQUAL((double)count_zeros(codes, N) / N, zeros, 0.01);
    free(w);
    free(codes);
}

static double symmetric(void)
{
    return 2 * uniform() - 1;
}

static void test_known_distributions(void)
{
    check_distribution(normal, 0.46, 0.767);
    check_distribution(laplace, 0.63, 1.0);
    check_distribution(symmetric, 0.333, 0.667);
}

static void test_several_local_maxima(void)
{
    const float w[] = {10, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
    int8_t codes[21];
    CU_ASSERT_EQUAL(twn_exact(w, 21, codes), 10);
    CU_ASSERT_EQUAL(count_zeros(codes, 21), 20);
}

/* ---- thresholds and ties ---- */

static void test_tie_goes_to_zero(void)
{
    const float w[] = {1, -2, 3};
    int8_t codes[3];
    CU_ASSERT_EQUAL(twn_relative(w, 3, 1, codes), 3); /* D = 2 */
    CU_ASSERT(codes[0] == 0 && codes[1] == 0 && codes[2] == 1);
    const float equal[] = {0.5f, -0.5f};
    CU_ASSERT_EQUAL(twn_relative(equal, 2, 1, codes), 0);
    CU_ASSERT_EQUAL(count_zeros(codes, 2), 2);
}

static void test_quantile_keeps_the_largest(void)
{
    const float w[] = {1, -5, 3, 2, -4, 0.5f, 0.25f, -8, 0, 6};
    int8_t codes[10];
    CU_ASSERT_EQUAL(twn_quantile(w, 10, 0.7f, codes), (5.f + 8 + 6) / 3);
    const int8_t want[10] = {0, -1, 0, 0, 0, 0, 0, -1, 0, 1};
    CU_ASSERT(!memcmp(codes, want, 10));
    twn_quantile(w, 10, 0, codes);
    CU_ASSERT_EQUAL(count_zeros(codes, 10), 1);
    CU_ASSERT_EQUAL(twn_quantile(w, 10, 1, codes), 0);
    CU_ASSERT_EQUAL(count_zeros(codes, 10), 10);
}

static void test_quantile_meets_the_target(void)
{
    float w[1000];
    int8_t codes[1000];
    for (int i = 0; i < 1000; i++)
        w[i] = (float)normal();
    for (int s = 0; s <= 100; s += 5) {
        twn_quantile(w, 1000, (float)s / 100, codes);
        CU_ASSERT_EQUAL(count_zeros(codes, 1000), 10 * s);
    }
}

static void test_quantile_ties(void)
{
    const float w[] = {2, 2, 2, 2, 1};
    int8_t codes[5];
    CU_ASSERT_EQUAL(twn_quantile(w, 5, 0.6f, codes), 2); /* two are to stay, but four are equal */
    CU_ASSERT_EQUAL(count_zeros(codes, 5), 1);
    const float v[] = {3, 2, 2, 2, 1};
    CU_ASSERT_EQUAL(twn_quantile(v, 5, 0.6f, codes), 3); /* a tie goes to 0 */
    CU_ASSERT_EQUAL(count_zeros(codes, 5), 4);
}

/* ---- edges ---- */

static void test_zero_weights(void)
{
    const float w[] = {0, -0.0f, 0};
    int8_t codes[3] = {7, 7, 7};
    float scales[] = {twn_exact(w, 3, codes), twn_relative(w, 3, 0.7f, codes),
                      twn_quantile(w, 3, 0.5f, codes)};
    for (int i = 0; i < 3; i++)
        CU_ASSERT(scales[i] == 0 && !signbit(scales[i]) && codes[i] == 0);
}

static void test_ternary_is_a_fixed_point(void)
{
    const float w[] = {0.1f, 0, -0.1f, 0.1f, 0, 0, 0.1f};
    const int8_t want[] = {1, 0, -1, 1, 0, 0, 1};
    int8_t codes[7];
    CU_ASSERT_EQUAL(twn_exact(w, 7, codes), 0.1f);
    CU_ASSERT(!memcmp(codes, want, 7));
}

static void test_extreme_magnitudes(void)
{
    const float w[] = {3e38f, -3e38f, 1e-45f};
    int8_t codes[3];
    CU_ASSERT_EQUAL(twn_exact(w, 3, codes), 3e38f);
    CU_ASSERT_EQUAL(twn_exact(w + 2, 1, codes), 1e-45f);
    CU_ASSERT_EQUAL(codes[0], 1);
}

int main(void)
{
    CU_initialize_registry();
    CU_pSuite s = CU_add_suite("twn", NULL, NULL);
    CU_add_test(s, "exact is the optimum", test_exact_is_the_optimum);
    CU_add_test(s, "threshold is half the scale", test_threshold_is_half_the_scale);
    CU_add_test(s, "known distributions", test_known_distributions);
    CU_add_test(s, "several local maxima", test_several_local_maxima);
    CU_add_test(s, "tie goes to zero", test_tie_goes_to_zero);
    CU_add_test(s, "quantile keeps the largest", test_quantile_keeps_the_largest);
    CU_add_test(s, "quantile meets the target", test_quantile_meets_the_target);
    CU_add_test(s, "quantile with ties", test_quantile_ties);
    CU_add_test(s, "zero weights", test_zero_weights);
    CU_add_test(s, "ternary is a fixed point", test_ternary_is_a_fixed_point);
    CU_add_test(s, "extreme magnitudes", test_extreme_magnitudes);
    CU_basic_run_tests();
    unsigned failures = CU_get_number_of_failures();
    CU_cleanup_registry();
    return failures != 0;
}
