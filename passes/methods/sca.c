/* sca.c - SCA: Deng and Zhang, "Sparsity-Control Ternary Weight Networks", arXiv 2011.00580.
 *
 * w = tanh(theta), theta is trained, nothing is straight-through:
 *
 *   loss = task + lambda * sum over the ternary layers of sum_i (alpha - w_i^2) w_i^2
 *   d reg / d theta = 2 w (alpha - 2 w^2) (1 - w^2)
 *
 * which pushes |w| below sqrt(alpha / 2) to 0 and above it to 1: alpha is the knob for zeros. Derived, not
 * the paper's words: the scale at the start (once per layer and independent of alpha, or it would cancel the
 * knob), alpha from a share of zeros, the course of lambda, by layer, and the last stage, in which the
 * weights are rounded and frozen while scales, biases and BatchNormalization recover what rounding cost. */
#include "ops/ops.h"
#include "passes/methods/methods.h"

#include <math.h>
#include <string.h>

/* ---- formulas ---- */

double sca_slope(double w, double alpha)
{
    return 2 * w * (alpha - 2 * w * w) * (1 - w * w);
}

float sca_round(float w)
{
    return (float)(w >= 0.5f) - (float)(w <= -0.5f);
}

/* ---- the course of lambda ---- */

/* Shares of the stage: lambda is 0 before the first and full from the second on. */
static const double ramp_from = 0.2, ramp_to = 0.8;
/* Of the full lambda, where that of a layer starts. Layers turn ternary when lambda outweighs their
 * gradients: wide ones where a millionth does, small convolutions at a tenth and more. */
static const double ramp_start = 1e-7;
/* How often lambda could go all the way in the time between. */
static const double ramp_speed = 2.5;

/* Mean distance of |w| to {0, 1}. */
static double layer_distance(const TernaryWeight *w)
{
    double sum = 0;
    for (int64_t i = 0; i < w->p->count; i++) {
        double v = fabs((double)w->values[i]);
        sum += v < 0.5 ? v : 1 - v;
    }
    return sum / (double)w->p->count;
}

/* Nothing for the first fifth of the stage, so that the task finds its place in the new form of the weights.
 * Then lambda goes up where a layer's distance is more than it should be by now, from what it was evenly down
 * to 0, and down where it is less: left alone, most weights of a layer would settle within one epoch, and
 * those around them could not follow. In the second half the rate falls: both must overlap, or the weights do
 * not reach 0 and 1. */
void sca_steer(const Trainer *t, TernaryWeight *w)
{
    const double full = t->o->lambda, least = full * ramp_start;
    double steps = (double)(t->freeze_epoch * t->steps_per_epoch);
    double p = (double)(t->epoch * t->steps_per_epoch + t->step) / steps;
    double past = (p - ramp_from) / (ramp_to - ramp_from);
    if (past < 0 || t->frozen)
        return;
    double distance = layer_distance(w);
    double step = pow(ramp_start, -ramp_speed / (steps * (ramp_to - ramp_from)));
    if (w->lambda == 0) {
        w->lambda = least;
        w->start = distance;
    }
    w->lambda *= distance > w->start * (1 - past) ? step : 1 / step;
    w->lambda = past < 1 ? fmax(least, fmin(w->lambda, full)) : full;
}

/* ---- forward and backward ---- */

static float value_of_latent(const Trainer *t, float latent)
{
    return t->frozen ? latent : tanhf(latent);
}

static void project(const Trainer *t, TernaryWeight *w, bool hard)
{
    const float *latent = t->latent + w->p->at, *scales = w->scales ? t->latent + w->scales->at : NULL;
    float *used = t->e->weights + w->p->at, base = (float)w->base;
    for (int64_t i = 0; i < w->p->count; i++)
        w->values[i] = value_of_latent(t, latent[i]);
    bool rounded = hard || t->frozen;
    FOR_CHANNELS(&w->box, float v = rounded ? sca_round(w->values[i]) : w->values[i];
                 used[i] = scales ? base * scales[ch] * v : v;);
}

/* d/dtheta = dL/dused * base * s * (1 - w^2) + lambda * slope,
 * d/ds = sum dL/dused * base * w, w of project */
static void chain(const Trainer *t, TernaryWeight *w)
{
    sca_steer(t, w);
    float *g = t->grads + w->p->at, *of_scales = w->scales ? t->grads + w->scales->at : NULL;
    const float *scales = w->scales ? t->latent + w->scales->at : NULL;
    float base = (float)w->base;
    if (of_scales)
        memset(of_scales, 0, (size_t)ternary_channels(&w->box) * sizeof *of_scales);
    FOR_CHANNELS(
        &w->box, float v = w->values[i]; if (of_scales) {
            of_scales[ch] += base * g[i] * v;
            g[i] *= base * scales[ch];
        } g[i] = g[i] * (1 - v * v) + (float)(w->lambda * sca_slope((double)v, w->alpha)););
}

/* Of the layer that is farthest: large layers would hide small ones, whose gradients are the larger ones. */
double sca_distance(const Trainer *t)
{
    double worst = 0;
    for (int k = 0; k < t->num_ternary; k++)
        worst = fmax(worst, layer_distance(&t->ternary[k]));
    return worst;
}

/* ---- the rate ---- */

/* Held for half of the time that makes weights ternary; it starts again for the frozen ones, lower. */
static double schedule(const Trainer *t)
{
    double rate = t->o->rate, end = (double)t->freeze_epoch;
    if (t->frozen)
        return rate / 3 * cosine_fall(epoch_share(t, end, (double)t->epochs));
    double late = epoch_share(t, end / 2, end);
    return late < 0 ? rate : rate * (1 + 2 * cosine_fall(late)) / 3;
}

/* ---- the start ---- */

static Param *param_of(const ParamList *l, const Tensor *t)
{
    for (int i = 0; i < l->count; i++)
        if (l->items[i].t == t)
            return &l->items[i];
    return NULL;
}

static void scale_param(const ParamList *l, float *block, const Tensor *t, double factor)
{
    const Param *p = t ? param_of(l, t) : NULL;
    for (int64_t i = 0; p && i < p->count; i++)
        block[p->at + i] = (float)((double)block[p->at + i] * factor);
}

/* Factor c that puts TWN's threshold at |w| = 0.5, so that alpha = 0.5 starts at TWN's zeros. Where
 * more zeros are asked for, it puts theirs there: theta is slow, and would have to bring weights down from
 * where tanh is flat. BatchNormalization behind takes c up; else scales of 1 / c are trained. */
static void start(const Trainer *t, TernaryWeight *w)
{
    float *latent = t->latent + w->p->at;
    double sum = 0;
    for (int64_t i = 0; i < w->p->count; i++)
        sum += fabs((double)latent[i]);
    double half = (double)method_twn.threshold * sum / (double)w->p->count;
    if (t->opt->sparsity > 0)
        half = fmax(half, (double)magnitude_quantile(latent, w->p->count, (double)t->opt->sparsity));
    double c = half > 0 ? 0.5 / half : 1;
    for (int64_t i = 0; i < w->p->count; i++)
        latent[i] = (float)atanh(fmax(-0.95, fmin(0.95, c * (double)latent[i])));
    w->values = NEW_ARRAY(float, w->p->count);
    w->alpha = t->o->alpha;
    w->base = w->normed ? 1 : 1 / c;
    if (!w->normed)
        return;
    const Node *n = w->p->node, *norm = norm_behind(t->e, n);
    scale_param(&t->params, t->latent, n->num_in > 2 ? n->in[2] : NULL, c);
    scale_param(&t->e->stats, t->e->running, norm->in[3], c);
    scale_param(&t->e->stats, t->e->running, norm->in[4], c * c);
}

/* ---- over the epochs ---- */

/* The share s of a layer's weights lies below sqrt(alpha / 2). */
static void solve_alpha(const Trainer *t, TernaryWeight *w)
{
    double q = tanh((double)magnitude_quantile(t->latent + w->p->at, w->p->count, (double)t->opt->sparsity));
    w->alpha = 2 * q * q;
}

/* The weights as they are written become the latent ones. */
static void freeze(Trainer *t)
{
    for (int k = 0; k < t->num_ternary; k++) {
        float *latent = t->latent + t->ternary[k].p->at;
        for (int64_t i = 0; i < t->ternary[k].p->count; i++)
            latent[i] = sca_round(tanhf(latent[i]));
    }
    t->frozen = true;
}

static void start_epoch(Trainer *t)
{
    if (t->opt->sparsity > 0 && (double)t->epoch <= ramp_to * (double)t->freeze_epoch)
        for (int i = 0; i < t->num_ternary; i++)
            solve_alpha(t, &t->ternary[i]);
    if (t->epoch == t->freeze_epoch)
        freeze(t);
}

static int64_t recover_epoch(const Trainer *t)
{
    return t->freeze_epoch;
}

void sca_end_epoch(Trainer *t, double distance)
{
    if (t->frozen || distance >= 0.02)
        return;
    t->freeze_epoch = t->epoch + 1;
    t->epochs = t->freeze_epoch + t->o->recovery;
}

/* Lambda has not started, or lies on its course; alpha is given, or was solved for; frozen weights are
 * rounded ones. */
static bool resumes(const Trainer *t, const TernaryWeight *w)
{
    const float *latent = t->latent + w->p->at;
    const double full = t->o->lambda, least = full * ramp_start;
    bool alpha = t->opt->sparsity > 0 ? w->alpha >= 0 && w->alpha <= 2 : w->alpha == t->o->alpha;
    bool waits = w->lambda == 0 && w->start == 0;
    bool runs = w->lambda >= least && w->lambda <= full && w->start >= 0 && w->start <= 0.5;
    for (int64_t i = 0; t->frozen && i < w->p->count; i++)
        if (latent[i] != sca_round(latent[i]))
            return false;
    return alpha && (waits || runs) && !w->fixed;
}

static void settings(Text *s, const TrainOptions *o)
{
    text_printf(s, " lambda=%.9g recovery=%s", o->lambda, int_text(o->recovery));
}

static const Knob knobs[] = {{"alpha", offsetof(TrainOptions, alpha), 0.5},
                             {"lambda", offsetof(TrainOptions, lambda), 1},
                             {NULL, 0, 0}};

/* Latent weights do not decay: they are what tanh is taken of, and would only be pulled to 0. */
const MethodDef method_sca = {.name = "sca",
                              .needs_data = true,
                              .epochs = 18,
                              .recovery = 3,
                              .rate = 3e-3,
                              .decay = 3e-2,
                              .adam = true,
                              .knobs = knobs,
                              .zeros = &knobs[0],
                              .stages = {"polarise", "recover"},
                              .last_stage = recover_epoch,
                              .soft = true,
                              .layer_scale = true,
                              .undecayed = true,
                              .start = start,
                              .start_epoch = start_epoch,
                              .project = project,
                              .chain = chain,
                              .distance = sca_distance,
                              .end_epoch = sca_end_epoch,
                              .resumes = resumes,
                              .schedule = schedule,
                              .settings = settings};
