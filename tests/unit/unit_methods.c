/* unit_methods.c - TWN, SCA and STP while training, against values worked out by hand: which weights are
 * zero, the scale, the gradient that comes back, the regularisers, the start, the allocation of zeros; and
 * the table of methods. */
#include "passes/methods/methods.h"
#include "passes/passes.h"
#include "support/text.h"

#include <CUnit/Basic.h>
#include <math.h>
#include <string.h>

/* x -> Gemm with two channels of four weights -> y, nothing behind it that takes up a scale */
static const char plain[] = "g (float[1,4] x) => (y) <float[2,4] w = {1, -0.5, 0.1, 0.2, -2, 0.4, 0, 0.8}>"
                            " { y = Gemm <transB = 1> (x, w) }";
static const char normed[] =
    "g (float[1,4] x) => (y) <float[2,4] w = {1, -0.5, 0.1, 0.2, -2, 0.4, 0, 0.8}, float[2] b = {3, 6},"
    " float[2] one = {1, 1}, float[2] mean = {1, 2}, float[2] variance = {4, 9}>"
    " { h = Gemm <transB = 1> (x, w, b)\n y = BatchNormalization (h, one, one, mean, variance) }";

enum { STEPS = 10 }; /* of an epoch */

static Trainer *trainer_of(const char *text, Options *opt, TrainOptions *o)
{
    Trainer *t = NEW(Trainer);
    Graph *g = text_read("test", text)->graph;
    check_supported(g);
    pass_infer(g);
    opt->keep = (const char *const[]){NULL};
    *t = (Trainer){.method = method_def(opt->method),
                   .opt = opt,
                   .o = o,
                   .g = g,
                   .steps_per_epoch = STEPS,
                   .epochs = o->epochs};
    t->freeze_epoch = o->epochs - o->recovery;
    t->e = engine_new(g, g->outputs[0], 2, 1, WANT_PARAMS);
    latent_prepare(t);
    opt->keep = NULL;
    t->grads = floats_new(t->params.total);
    return t;
}

static const float *used(Trainer *t, bool hard)
{
    latent_project(t, hard);
    return t->e->weights + t->ternary[0].p->at;
}

static void check_floats(int line, const float *got, const float *want, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        bool near = fabsf(got[i] - want[i]) <= 1e-6f * fmaxf(1, fabsf(want[i]));
        if (!near)
            fprintf(stderr, "\nline %d: element %lld is %.8g, not %.8g\n", line, (long long)i, (double)got[i],
                    (double)want[i]);
        CU_ASSERT(near);
    }
}

#define CHECK_FLOATS(got, ...)                                                                               \
    check_floats(__LINE__, got, (const float[]){__VA_ARGS__},                                                \
                 sizeof((const float[]){__VA_ARGS__}) / sizeof(float))

/* ---- TWN ---- */

/* Channel 0: mean |w| 0.45, D = 0.3375, a = (1 + 0.5) / 2. Channel 1: mean 0.8, D = 0.6, a = (2 + 0.8) /
 * 2. */
static void test_twn_relative(void)
{
    Options opt = {.threshold = 0.75f};
    TrainOptions o = {.epochs = 2};
    CHECK_FLOATS(used(trainer_of(plain, &opt, &o), true), 0.75f, -0.75f, 0, 0, -1.4f, 0, 0, 1.4f);
}

/* S^2 / k: channel 0 has 1, 1.125, 0.963, 0.81; channel 1 has 4, 3.92, 3.41. */
static void test_twn_exact(void)
{
    Options opt = {0};
    TrainOptions o = {.epochs = 2};
    CHECK_FLOATS(used(trainer_of(plain, &opt, &o), true), 0.75f, -0.75f, 0, 0, -2, 0, 0, 0);
}

/* mean |w| 0.625, D = 0.46875, a = (1 + 0.5 + 2 + 0.8) / 4; and no scale per channel may break the layer's
 * one. */
static void test_twn_per_layer(void)
{
    Options opt = {.threshold = 0.75f, .per_layer = true};
    TrainOptions o = {.epochs = 2};
    Trainer *t = trainer_of(plain, &opt, &o);
    CU_ASSERT_PTR_NULL(t->ternary[0].scales);
    CHECK_FLOATS(used(t, true), 1.075f, -1.075f, 0, 0, -1.075f, 0, 0, 1.075f);
}

/* Without BatchNormalization behind: y = s a T, dL/dw = s dL/dq straight through, dL/ds = sum dL/dq a T. */
static void test_trained_scale(void)
{
    Options opt = {.threshold = 0.75f};
    TrainOptions o = {.epochs = 2};
    Trainer *t = trainer_of(plain, &opt, &o);
    CU_ASSERT_PTR_NOT_NULL_FATAL(t->ternary[0].scales);
    float *scales = t->latent + t->ternary[0].scales->at;
    CHECK_FLOATS(scales, 1, 1);
    scales[0] = 2;
    CHECK_FLOATS(used(t, true), 1.5f, -1.5f, 0, 0, -1.4f, 0, 0, 1.4f);
    for (int i = 0; i < 8; i++)
        t->e->grads[t->ternary[0].p->at + i] = (float)(i + 1);
    latent_chain(t);
    CHECK_FLOATS(t->grads + t->ternary[0].p->at, 2, 4, 6, 8, 5, 6, 7, 8);
    CHECK_FLOATS(t->grads + t->ternary[0].scales->at, 0.75f * (1 - 2), 1.4f * (-5 + 8));
    CU_ASSERT_PTR_NULL(trainer_of(normed, &opt, &o)->ternary[0].scales);
}

/* ---- clipping ---- */

/* 8 gradients of 3 have the length 8.49. */
static void test_clip(void)
{
    Options opt = {.threshold = 0.75f};
    TrainOptions o = {.epochs = 2, .clip = 9};
    Trainer *t = trainer_of(plain, &opt, &o);
    float *g = t->e->grads;
    for (int i = 0; i < 8; i++)
        g[i] = i % 2 ? 3 : -3;
    optimizer_clip(t);
    CHECK_FLOATS(g, -3, 3, -3, 3, -3, 3, -3, 3);
    o.clip = sqrt(8);
    optimizer_clip(t);
    CHECK_FLOATS(g, -1, 1, -1, 1, -1, 1, -1, 1);
    o.clip = 0;
    optimizer_clip(t);
    CHECK_FLOATS(g, -1, 1, -1, 1, -1, 1, -1, 1);
}

/* ---- SCA ---- */

/* alpha 0.5 has its edge at 0.5; the rest by hand from 2 w (alpha - 2 w^2) (1 - w^2). */
static void test_sca_slope(void)
{
    CU_ASSERT_DOUBLE_EQUAL(sca_slope(0.5, 0.5), 0, 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(sca_slope(0.25, 0.5), 0.17578125, 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(sca_slope(0.75, 0.5), -0.41015625, 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(sca_slope(-0.75, 0.5), 0.41015625, 1e-12);
    for (int i = 0; i < 10; i++)
        for (int k = -18; k < 19; k++) {
            double alpha = 0.1 + 0.2 * i, theta = 0.11 * k;
            double up = tanh(theta + 1e-5), down = tanh(theta - 1e-5), w = tanh(theta);
            double slope = ((alpha - up * up) * up * up - (alpha - down * down) * down * down) / 2e-5;
            CU_ASSERT_DOUBLE_EQUAL(sca_slope(w, alpha), slope, 1e-8);
            bool towards_zero = fabs(w) < sqrt(alpha / 2); /* descent makes |w| smaller */
            CU_ASSERT(!k || (sca_slope(w, alpha) * w > 0) == towards_zero);
        }
}

static void test_sca_round(void)
{
    const float w[] = {0.5f, 0.49f, -0.5f, -0.49f, 0, 0.95f}, want[] = {1, 0, -1, 0, 0, 1};
    for (int i = 0; i < 6; i++)
        CU_ASSERT_EQUAL(sca_round(w[i]), want[i]);
}

/* c = 0.5 / (0.75 * 0.625) = 16/15 puts TWN's D at 0.5: of 1, 0.5, 0.8, 2 all lie above. What reaches beyond
 * 0.95 / c is clipped; all else starts as it was, whatever alpha is. */
static void test_sca_start(void)
{
    Options opt = {.method = METHOD_sca};
    TrainOptions o = {.epochs = 4, .recovery = 1, .alpha = 0.3};
    Trainer *t = trainer_of(plain, &opt, &o);
    float top = 0.95f * 15 / 16, unit = 15.0f / 16;
    CHECK_FLOATS(used(t, false), top, -0.5f, 0.1f, 0.2f, -top, 0.4f, 0, 0.8f);
    CHECK_FLOATS(used(t, true), unit, -unit, 0, 0, -unit, 0, 0, unit);
    CU_ASSERT_DOUBLE_EQUAL(t->ternary[0].alpha, 0.3, 0);
    /* |w| of 0.5 is 8/15 now, and so on: 0.05, 7/15, 8/75, 16/75, 0.05, 32/75, 0, 11/75 from 0 or 1 */
    CU_ASSERT_DOUBLE_EQUAL(sca_distance(t), (0.1 + 102.0 / 75) / 8, 1e-6);
    t->ternary[1] = t->ternary[0];
    t->ternary[1].p = &(Param){.count = 1, .at = t->ternary[0].p->at + 1};
    t->ternary[1].values = t->ternary[0].values + 1;
    t->num_ternary = 2;
    CU_ASSERT_DOUBLE_EQUAL(sca_distance(t), 7.0 / 15, 1e-6); /* the worst layer's */
}

/* The same, with c in the bias and in the statistics of the BatchNormalization. */
static void test_sca_start_normed(void)
{
    Options opt = {.method = METHOD_sca};
    TrainOptions o = {.epochs = 4, .recovery = 1, .alpha = 0.5};
    Trainer *t = trainer_of(normed, &opt, &o);
    float c = 16.0f / 15;
    CHECK_FLOATS(used(t, false), 0.95f, -0.5f * c, 0.1f * c, 0.2f * c, -0.95f, 0.4f * c, 0, 0.8f * c);
    CHECK_FLOATS(used(t, true), 1, -1, 0, 0, -1, 0, 0, 1);
    CHECK_FLOATS(t->latent + t->params.items[1].at, 3 * c, 6 * c);
    CHECK_FLOATS(t->e->running + t->e->stats.items[0].at, 1 * c, 2 * c);
    CHECK_FLOATS(t->e->running + t->e->stats.items[1].at, 4 * c * c, 9 * c * c);
}

/* d/dtheta = dL/dq base s (1 - w^2) + lambda slope(w); d/ds = sum dL/dq base w */
static void test_sca_chain(void)
{
    Options opt = {.method = METHOD_sca};
    TrainOptions o = {.epochs = 4, .recovery = 1, .alpha = 0.5, .lambda = 0.25};
    Trainer *t = trainer_of(plain, &opt, &o);
    t->epoch = 2;
    t->step = STEPS - 1;
    for (int i = 0; i < 8; i++)
        t->e->grads[t->ternary[0].p->at + i] = 1;
    latent_project(t, false);
    latent_chain(t);
    CU_ASSERT_DOUBLE_EQUAL(t->ternary[0].lambda, 0.25, 1e-12);
    double base = 15.0 / 16, w = 0.5 / base;
    CU_ASSERT_DOUBLE_EQUAL((double)t->grads[t->ternary[0].p->at + 1],
                           base * (1 - w * w) + 0.25 * -2 * w * (0.5 - 2 * w * w) * (1 - w * w), 1e-6);
    CU_ASSERT_DOUBLE_EQUAL((double)t->grads[t->ternary[0].scales->at], 0.95 * base - 0.5 + 0.1 + 0.2, 1e-6);
}

/* The share of zeros asked for lies below the edge sqrt(alpha / 2), at first where rounding has its own: 0.8,
 * the sixth magnitude of eight, begins as |w| = 0.5. Later the edge follows the weights: the sixth is then 1,
 * that is 0.625. */
static void test_sca_sparsity(void)
{
    Options opt = {.method = METHOD_sca, .sparsity = 0.75f};
    TrainOptions o = {.epochs = 5, .recovery = 1, .alpha = 0.5};
    Trainer *t = trainer_of(plain, &opt, &o);
    t->method->start_epoch(t);
    CU_ASSERT_DOUBLE_EQUAL(sqrt(t->ternary[0].alpha / 2), 0.5, 1e-6);
    t->latent[t->ternary[0].p->at + 7] = atanhf(0.7f);
    t->method->start_epoch(t);
    CU_ASSERT_DOUBLE_EQUAL(sqrt(t->ternary[0].alpha / 2), 0.625, 1e-6);
}

/* Lambda after the step at this share of the stage. */
static double steer(Trainer *t, double at)
{
    int64_t step = (int64_t)(at * (double)(t->freeze_epoch * t->steps_per_epoch) + 0.5);
    t->epoch = step / t->steps_per_epoch;
    t->step = step % t->steps_per_epoch;
    sca_steer(t, &t->ternary[0]);
    return t->ternary[0].lambda;
}

/* lambda: 0, then up while a layer is behind its course and down while it is ahead, in the end full. */
static void test_sca_lambda(void)
{
    Options opt = {.method = METHOD_sca};
    TrainOptions o = {.epochs = 12, .recovery = 2, .alpha = 0.5, .lambda = 0.5};
    Trainer *t = trainer_of(plain, &opt, &o);
    latent_project(t, false);
    CU_ASSERT_EQUAL(steer(t, 0.15), 0);
    double before = steer(t, 0.2), first = before;
    CU_ASSERT_DOUBLE_EQUAL(t->ternary[0].start, sca_distance(t), 0);
    for (int tenth = 3; tenth < 8; tenth++) {
        CU_ASSERT(steer(t, tenth / 10.0) > before);
        before = t->ternary[0].lambda;
    }
    CU_ASSERT_DOUBLE_EQUAL(log(before / first), 5 * log(1e7) * 2.5 / (0.6 * 10 * STEPS), 1e-9);
    for (int i = 0; i < 8; i++)
        t->ternary[0].values[i] = sca_round(t->ternary[0].values[i]);
    CU_ASSERT(steer(t, 0.75) < before);
    for (int i = 0; i < 20; i++)
        CU_ASSERT(steer(t, 0.79) >= 0.5e-7);
    CU_ASSERT_EQUAL(steer(t, 0.8), 0.5);
    CU_ASSERT_EQUAL(steer(t, 0.95), 0.5);
}

/* Held for half of the stage, down to a third, and a second fall from there. */
static void test_sca_schedule(void)
{
    Options opt = {.method = METHOD_sca};
    TrainOptions o = {.epochs = 12, .recovery = 4, .alpha = 0.5, .rate = 0.3};
    Trainer *t = trainer_of(plain, &opt, &o);
    const double at[] = {0, 4, 6, 8}, want[] = {0.3, 0.3, 0.2, 0.1};
    for (int i = 0; i < 4; i++) {
        t->epoch = (int64_t)at[i];
        CU_ASSERT_DOUBLE_EQUAL(optimizer_rate(t), want[i], 1e-12);
    }
    t->frozen = true;
    CU_ASSERT_DOUBLE_EQUAL(optimizer_rate(t), 0.1, 1e-12);
    t->epoch = 10;
    CU_ASSERT_DOUBLE_EQUAL(optimizer_rate(t), 0.05, 1e-12);
    o.step_schedule = true;
    CU_ASSERT_DOUBLE_EQUAL(optimizer_rate(t), 0.03, 1e-12);
}

/* The stage ends early only when all weights are near 0 and 1. */
static void test_sca_end(void)
{
    Options opt = {.method = METHOD_sca};
    TrainOptions o = {.epochs = 12, .recovery = 2, .alpha = 0.5, .lambda = 1};
    Trainer *t = trainer_of(plain, &opt, &o);
    t->epoch = 3;
    sca_end_epoch(t, 0.021);
    CU_ASSERT_EQUAL(t->freeze_epoch, 10);
    sca_end_epoch(t, 0.019);
    CU_ASSERT_EQUAL(t->freeze_epoch, 4);
    CU_ASSERT_EQUAL(t->epochs, 6);
    t->epoch = 4;
    t->method->start_epoch(t);
    CU_ASSERT(t->frozen);
    CHECK_FLOATS(t->latent + t->ternary[0].p->at, 1, -1, 0, 0, -1, 0, 0, 1);
    latent_project(t, false);
    CU_ASSERT_EQUAL(sca_distance(t), 0);
}

/* ---- STP ---- */

/* Layers of 100 and 10,000 weights with 4 channels each. Of 90 % zeros 1,010 weights remain; by square
 * roots 91.8 and 918, but at most 0.6 of a layer: 60 and 950. Of 99 %, 101 remain: 9.18 and 91.8. Of 99.9
 * %, 10.1: the floor is a weight per channel, 4 for the small layer. */
static void test_stp_layers(void)
{
    Param small = {.count = 100, .box = {NULL, NULL, 0, 1, 1, 4, 25}};
    Param large = {.count = 10000, .box = {NULL, NULL, 0, 1, 1, 4, 2500}};
    TernaryWeight w[] = {{.p = &small}, {.p = &large}};
    TrainOptions o = {0};
    Trainer t = {.o = &o, .ternary = w, .num_ternary = 2};
    CU_ASSERT_DOUBLE_EQUAL(stp_layer_sparsity(&t, &w[0], 0.9), 0.4, 1e-6);
    CU_ASSERT_DOUBLE_EQUAL(stp_layer_sparsity(&t, &w[1], 0.9), 1 - 950.0 / 10000, 1e-6);
    CU_ASSERT_DOUBLE_EQUAL(stp_layer_sparsity(&t, &w[0], 0.99), 1 - 101.0 / 11 / 100, 1e-6);
    CU_ASSERT_DOUBLE_EQUAL(stp_layer_sparsity(&t, &w[1], 0.99), 1 - 1010.0 / 11 / 10000, 1e-6);
    CU_ASSERT_DOUBLE_EQUAL(stp_layer_sparsity(&t, &w[0], 0.999), 0.96, 1e-6);
    CU_ASSERT_DOUBLE_EQUAL(stp_layer_sparsity(&t, &w[1], 0.999), 1 - 6.1 / 10000, 1e-6);
    o.sparsity_per_layer = true;
    CU_ASSERT_DOUBLE_EQUAL(stp_layer_sparsity(&t, &w[0], 0.9), 0.9, 1e-6);
    CU_ASSERT_DOUBLE_EQUAL(stp_layer_sparsity(&t, &w[0], 0.99), 0.96, 1e-6);
}

/* One layer, 8 weights, max |W| = 2. At first D = eta max |W| = 0.3; weights in (D, 1.1 D) are pulled to
 * it. */
static void test_stp_first_stage(void)
{
    Options opt = {.method = METHOD_stp, .sparsity = 0.75f};
    TrainOptions o = {.epochs = 4, .eta = 0.15, .pull = 0.5};
    Trainer *t = trainer_of(plain, &opt, &o);
    float *latent = t->latent + t->ternary[0].p->at;
    latent[6] = -0.32f;
    CU_ASSERT_STRING_EQUAL(stage_name(t, 0), "sparsify");
    CHECK_FLOATS(used(t, true), 0.75f, -0.75f, 0, 0, -0.88f, 0.88f, -0.88f, 0.88f);
    memset(t->e->grads, 0, (size_t)t->e->params.total * sizeof(float));
    latent_chain(t);
    CHECK_FLOATS(t->grads + t->ternary[0].p->at, 0, 0, 0, 0, 0, 0, -0.15f, 0);
}

/* Later D is at least the quantile of the growing sparsity, and never beyond the target's. */
static void test_stp_growth(void)
{
    Options opt = {.method = METHOD_stp, .sparsity = 0.75f};
    TrainOptions o = {.epochs = 4, .eta = 0.15};
    Trainer *t = trainer_of(plain, &opt, &o);
    t->epoch = 1;
    t->step = STEPS - 1;
    CU_ASSERT_DOUBLE_EQUAL(stp_sparsity(t), 0.75, 1e-9);
    CHECK_FLOATS(used(t, true), 1, 0, 0, 0, -2, 0, 0, 0);
    o.eta = 0.99;
    t->epoch = t->step = 0;
    CHECK_FLOATS(used(t, true), 1, 0, 0, 0, -2, 0, 0, 0);
}

/* Pruned weights stay zero and get no gradient; survivors may turn. */
static void test_stp_mask(void)
{
    Options opt = {.method = METHOD_stp, .sparsity = 0.75f};
    TrainOptions o = {.epochs = 4, .eta = 0.05};
    Trainer *t = trainer_of(plain, &opt, &o);
    t->epoch = stp_prune_epoch(t);
    CU_ASSERT_EQUAL(t->epoch, 2);
    CU_ASSERT(!stage_is_last(t, 1) && stage_is_last(t, 2));
    t->method->start_epoch(t);
    CU_ASSERT_STRING_EQUAL(stage_name(t, 2), "retrain");
    float *latent = t->latent + t->ternary[0].p->at;
    latent[0] = -0.25f;
    latent[3] = 9;
    CHECK_FLOATS(used(t, true), -0.25f, 0, 0, 0, -2, 0, 0, 0);
    for (int i = 0; i < 8; i++)
        t->e->grads[t->ternary[0].p->at + i] = 1;
    latent_chain(t);
    CHECK_FLOATS(t->grads + t->ternary[0].p->at, 1, 0, 0, 0, 1, 0, 0, 0);
}

/* ---- the table ---- */

/* Files hold the keys. */
static void test_keys(void)
{
    CU_ASSERT(METHOD_twn == 0 && METHOD_none == 1 && METHOD_sca == 2 && METHOD_stp == 3);
    CU_ASSERT_EQUAL(method_at(0), METHOD_none);
    bool seen[NUM_METHODS] = {false};
    for (int i = 0; i < NUM_METHODS; i++) {
        CU_ASSERT_FATAL(method_at(i) < NUM_METHODS && !seen[method_at(i)]);
        seen[method_at(i)] = true;
    }
#define METHOD(id, key) CU_ASSERT_STRING_EQUAL(method_def(METHOD_##id)->name, #id);
#include "graph/methods.def"
#undef METHOD
}

static void check_knobs(const MethodDef *m)
{
    bool zeros = !m->zeros;
    for (const Knob *k = m->knobs; k && k->option; k++) {
        TrainOptions o = {0};
        set_knobs(&o);
        zeros |= k == m->zeros && k->field;
        CU_ASSERT(!k->field || knob_value(k, &o) == k->value);
        CU_ASSERT(k->field < sizeof o && k->value >= 0);
    }
    CU_ASSERT(zeros);
}

static void test_rows(void)
{
    for (Method i = 0; i < NUM_METHODS; i++) {
        const MethodDef *m = method_def(i);
        CU_ASSERT_EQUAL(m->project != NULL, i != METHOD_none);
        CU_ASSERT_EQUAL(m->chain != NULL, i != METHOD_none);
        CU_ASSERT(!m->needs_data || m->project);
        CU_ASSERT(m->epochs > 0 && m->rate > 0 && m->decay >= 0 && m->threshold >= 0);
        CU_ASSERT(m->sparsity >= 0 && m->sparsity < 1);
        CU_ASSERT_PTR_NOT_NULL(m->stages[0]);
        CU_ASSERT_EQUAL(m->stages[1] != NULL, m->last_stage != NULL);
        CU_ASSERT(m->recovery >= 0 && (!m->recovery || (m->last_stage && m->start_epoch)));
        CU_ASSERT(!m->soft || m->recovery);
        CU_ASSERT(!m->end_epoch || m->distance);
        check_knobs(m);
    }
}

/* As they would be written: zeros, and one magnitude in either channel. */
static void check_written(Trainer *t)
{
    const float *w = used(t, true);
    int zeros = 0;
    for (int c = 0; c < 2; c++) {
        float scale = 0;
        for (int i = 4 * c; i < 4 * c + 4; i++) {
            zeros += w[i] == 0;
            CU_ASSERT(w[i] == 0 || scale == 0 || fabsf(w[i]) == scale);
            scale = w[i] != 0 ? fabsf(w[i]) : scale;
        }
    }
    CU_ASSERT_EQUAL(latent_zeros(t), zeros / 8.0);
}

/* Every method, whatever the gradient, through all its stages. */
static void run_method(Method m, const char *text)
{
    Options opt = {.method = m, .threshold = method_def(m)->threshold, .sparsity = method_def(m)->sparsity};
    TrainOptions o = {.epochs = 6, .recovery = method_def(m)->recovery ? 2 : 0, .rate = 0.1};
    set_knobs(&o);
    Trainer *t = trainer_of(text, &opt, &o);
    for (; t->epoch < t->epochs; t->epoch++) {
        if (t->method->start_epoch)
            t->method->start_epoch(t);
        CU_ASSERT(optimizer_rate(t) > 0 && optimizer_rate(t) <= 1.001 * o.rate);
        for (int i = 0; i < 8; i++)
            t->e->grads[t->ternary[0].p->at + i] = i % 3 ? 0.1f : -0.2f;
        latent_project(t, false);
        latent_chain(t);
        for (int64_t i = 0; i < t->params.total; i++)
            CU_ASSERT(isfinite(t->grads[i]));
        check_written(t);
    }
    CU_ASSERT_STRING_EQUAL(stage_name(t, 0), t->method->stages[0]);
    CU_ASSERT(stage_is_last(t, t->epochs - 1));
    CU_ASSERT_EQUAL(stage_is_last(t, 0), !t->method->last_stage);
    CU_ASSERT_EQUAL(t->frozen, t->method->recovery > 0);
}

static void test_every_method(void)
{
    for (Method m = 0; m < NUM_METHODS; m++)
        if (m != METHOD_none) {
            run_method(m, plain);
            run_method(m, normed);
        }
}

int main(void)
{
    if (CU_initialize_registry() != CUE_SUCCESS)
        return 1;
    CU_pSuite s = CU_add_suite("methods", NULL, NULL);
    CU_add_test(s, "TWN, relative threshold", test_twn_relative);
    CU_add_test(s, "TWN, exact threshold", test_twn_exact);
    CU_add_test(s, "TWN, one scale per layer", test_twn_per_layer);
    CU_add_test(s, "trained scale", test_trained_scale);
    CU_add_test(s, "clipping", test_clip);
    CU_add_test(s, "SCA, slope", test_sca_slope);
    CU_add_test(s, "SCA, rounding", test_sca_round);
    CU_add_test(s, "SCA, start", test_sca_start);
    CU_add_test(s, "SCA, start with BatchNormalization", test_sca_start_normed);
    CU_add_test(s, "SCA, gradient", test_sca_chain);
    CU_add_test(s, "SCA, sparsity", test_sca_sparsity);
    CU_add_test(s, "SCA, lambda", test_sca_lambda);
    CU_add_test(s, "SCA, rate", test_sca_schedule);
    CU_add_test(s, "SCA, end", test_sca_end);
    CU_add_test(s, "STP, layers", test_stp_layers);
    CU_add_test(s, "STP, first stage", test_stp_first_stage);
    CU_add_test(s, "STP, growth", test_stp_growth);
    CU_add_test(s, "STP, mask", test_stp_mask);
    CU_add_test(s, "keys", test_keys);
    CU_add_test(s, "rows", test_rows);
    CU_add_test(s, "every method", test_every_method);
    CU_basic_run_tests();
    return (int)CU_get_number_of_failures() != 0;
}
