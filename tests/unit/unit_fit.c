/* unit_fit.c - ternary codes fitted to inputs (train/ternary_fit.c): against brute force, against data-free
 * thresholds, and the edges: no inputs, zeros that stay, one scale, sums that are not finite. */
#include "passes/passes.h"
#include "train/ternary_fit.h"
#include "support/normal.h"

#include <CUnit/Basic.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_INPUTS = 64, MOST_CHANNELS = 8, SAMPLES = 200 };

/* Layers whose wanted outputs are those of their weights. */
typedef struct Case {
    FitProblem p;
    float h[MOST_CHANNELS * MOST_INPUTS * MOST_INPUTS], b[MOST_CHANNELS * MOST_INPUTS],
        w[MOST_CHANNELS * MOST_INPUTS], scales[MOST_CHANNELS];
    int8_t codes[MOST_CHANNELS * MOST_INPUTS];
} Case;

/* Neighbours are alike, as in images. */
static void add_sample(Case *c, int64_t group)
{
    double x[MOST_INPUTS];
    int64_t n = c->p.n;
    for (int64_t i = 0; i < n; i++)
        x[i] = normal() + (i ? 0.8 * x[i - 1] : 0);
    for (int64_t i = 0; i < n; i++)
        for (int64_t k = 0; k < n; k++)
            c->h[(group * n + i) * n + k] += (float)(x[i] * x[k]);
}

static Case *new_case(int64_t groups, int64_t chan, int64_t n, int samples)
{
    Case *c = calloc(1, sizeof *c);
    c->p = (FitProblem){.groups = groups, .chan = chan, .n = n, .h = c->h, .b = c->b, .w = c->w};
    for (int64_t g = 0; g < groups; g++)
        for (int i = 0; i < samples; i++)
            add_sample(c, g);
    for (int64_t k = 0; k < groups * chan; k++)
        for (int64_t i = 0; i < n; i++)
            c->w[k * n + i] = (float)normal();
    for (int64_t k = 0; k < groups * chan; k++)
        for (int64_t i = 0; i < n; i++)
            for (int64_t j = 0; j < n; j++)
                c->b[k * n + i] += c->h[(k / chan * n + i) * n + j] * c->w[k * n + j];
    return c;
}

/* E of channel k over that of all zeros, after fit_ternary, with the damping that it adds. */
static double loss(const Case *c, int64_t k, const int8_t *t, double scale)
{
    int64_t n = c->p.n;
    double error = 0, of_zeros = 0;
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++) {
            double h = (double)c->h[(k / c->p.chan * n + i) * n + j];
            double wi = (double)c->w[k * n + i], wj = (double)c->w[k * n + j];
            error += h * (wi - scale * t[i]) * (wj - scale * t[j]);
            of_zeros += h * wi * wj;
        }
    return error / of_zeros;
}

static double best_scale(const Case *c, int64_t k, const int8_t *t)
{
    int64_t n = c->p.n;
    double tb = 0, tht = 0;
    for (int64_t i = 0; i < n; i++) {
        tb += t[i] * (double)c->b[k * n + i];
        for (int64_t j = 0; j < n; j++)
            tht += t[i] * t[j] * (double)c->h[(k / c->p.chan * n + i) * n + j];
    }
    return tb > 0 && tht > 0 ? tb / tht : 0;
}

static double fitted_loss(const Case *c, int64_t k)
{
    return loss(c, k, c->codes + k * c->p.n, (double)c->scales[c->p.one_scale ? 0 : k]);
}

static double brute_force(const Case *c)
{
    int8_t t[MOST_INPUTS];
    int cases = 1;
    for (int i = 0; i < c->p.n; i++)
        cases *= 3;
    double best = INFINITY;
    for (int k = 0; k < cases; k++) {
        for (int i = 0, rest = k; i < c->p.n; i++, rest /= 3)
            t[i] = (int8_t)(rest % 3 - 1);
        best = fmin(best, loss(c, 0, t, best_scale(c, 0, t)));
    }
    return best;
}

/* The way is greedy: near the optimum on the whole, never below it. */
static void test_near_the_optimum(void)
{
    enum { ROUNDS = 100 };
    double fitted = 0, best = 0;
    for (int round = 0; round < ROUNDS; round++) {
        Case *c = new_case(1, 1, 2 + round % 6, SAMPLES);
        CU_ASSERT(fit_ternary(&c->p, c->codes, c->scales));
        double least = brute_force(c), here = fitted_loss(c, 0);
        CU_ASSERT(here >= least - 1e-5);
        fitted += here;
        best += least;
        free(c);
    }
    CU_ASSERT(fitted <= 1.06 * best);
}

static double data_free_loss(const Case *c, int64_t k)
{
    int8_t t[MOST_INPUTS];
    twn_exact(c->w + k * c->p.n, c->p.n, t);
    return loss(c, k, t, best_scale(c, k, t));
}

/* Even with the best scale for the outputs, codes that are nearest to the weights lose far more. */
static void test_better_than_without_data(void)
{
    Case *c = new_case(1, MOST_CHANNELS, MOST_INPUTS, SAMPLES);
    CU_ASSERT(fit_ternary(&c->p, c->codes, c->scales));
    for (int64_t k = 0; k < MOST_CHANNELS; k++)
        CU_ASSERT(fitted_loss(c, k) < 0.5 * data_free_loss(c, k));
    free(c);
}

/* Neither another code nor another scale makes E less. */
static void test_no_single_change_helps(void)
{
    Case *c = new_case(1, 4, 24, SAMPLES);
    CU_ASSERT(fit_ternary(&c->p, c->codes, c->scales));
    for (int64_t k = 0; k < 4; k++) {
        int8_t *t = c->codes + k * 24;
        double here = fitted_loss(c, k);
        CU_ASSERT_DOUBLE_EQUAL((double)c->scales[k], best_scale(c, k, t), 1e-4);
        for (int i = 0; i < 24; i++)
            for (int8_t was = t[i], other = -1; other <= 1; other++) {
                t[i] = other;
                CU_ASSERT(loss(c, k, t, (double)c->scales[k]) >= here - 1e-6);
                t[i] = was;
            }
    }
    free(c);
}

/* Groups have inputs of their own: each is what it is alone. */
static void test_groups(void)
{
    Case *c = new_case(3, 2, 9, SAMPLES);
    for (int g = 0; g < 3; g++) {
        Case *one = new_case(1, 2, 9, 0);
        memcpy(one->h, c->h + g * 81, 81 * sizeof(float));
        memcpy(one->b, c->b + g * 18, 18 * sizeof(float));
        memcpy(one->w, c->w + g * 18, 18 * sizeof(float));
        CU_ASSERT(fit_ternary(&one->p, one->codes, one->scales));
        memcpy(c->codes + 18 * g, one->codes, 18);
        memcpy(c->scales + 2 * g, one->scales, 2 * sizeof(float));
        free(one);
    }
    int8_t codes[54];
    float scales[6];
    CU_ASSERT(fit_ternary(&c->p, codes, scales));
    CU_ASSERT(!memcmp(codes, c->codes, sizeof codes));
    CU_ASSERT(!memcmp(scales, c->scales, sizeof scales));
    free(c);
}

/* Inputs that are always zero tell nothing: the nearest codes are best. */
static void test_no_inputs(void)
{
    int8_t want[MOST_INPUTS];
    Case *c = new_case(1, 1, 5, 0);
    const float w[] = {0.9f, -1.1f, 0.1f, 1, -0.05f};
    memcpy(c->w, w, sizeof w);
    CU_ASSERT(fit_ternary(&c->p, c->codes, c->scales));
    CU_ASSERT_DOUBLE_EQUAL((double)c->scales[0], (double)twn_exact(w, 5, want), 1e-6);
    CU_ASSERT(!memcmp(c->codes, want, 5));
    free(c);
}

static void test_zeros_stay(void)
{
    int8_t given[2 * 30];
    Case *c = new_case(1, 2, 30, SAMPLES);
    for (int i = 0; i < 60; i++)
        given[i] = (int8_t)(i % 3 - 1);
    c->p.codes = given;
    CU_ASSERT(fit_ternary(&c->p, c->codes, c->scales));
    for (int i = 0; i < 60; i++)
        CU_ASSERT_EQUAL(!c->codes[i], !given[i]);
    for (int64_t k = 0; k < 2; k++)
        CU_ASSERT(fitted_loss(c, k) < loss(c, k, given + k * 30, best_scale(c, k, given + k * 30)));
    free(c);
}

static void test_one_scale(void)
{
    Case *c = new_case(2, 2, 16, SAMPLES);
    c->p.one_scale = true;
    CU_ASSERT(fit_ternary(&c->p, c->codes, c->scales));
    CU_ASSERT(c->scales[0] > 0);
    CU_ASSERT_EQUAL(c->scales[1], 0);
    for (int64_t k = 0; k < 4; k++)
        CU_ASSERT(fitted_loss(c, k) < 0.5);
    free(c);
}

static void test_not_finite(void)
{
    Case *c = new_case(1, 1, 4, SAMPLES);
    c->h[5] = INFINITY;
    CU_ASSERT(!fit_ternary(&c->p, c->codes, c->scales));
    c->h[5] = NAN;
    CU_ASSERT(!fit_ternary(&c->p, c->codes, c->scales));
    free(c);
}

int main(void)
{
    CU_initialize_registry();
    CU_pSuite s = CU_add_suite("fit", NULL, NULL);
    CU_add_test(s, "near the optimum", test_near_the_optimum);
    CU_add_test(s, "better than without data", test_better_than_without_data);
    CU_add_test(s, "no single change helps", test_no_single_change_helps);
    CU_add_test(s, "groups", test_groups);
    CU_add_test(s, "no inputs", test_no_inputs);
    CU_add_test(s, "zeros stay", test_zeros_stay);
    CU_add_test(s, "one scale", test_one_scale);
    CU_add_test(s, "not finite", test_not_finite);
    CU_basic_run_tests();
    unsigned failures = CU_get_number_of_failures();
    CU_cleanup_registry();
    return failures != 0;
}
