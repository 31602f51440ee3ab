/* stp.c - STP: Faraone et al., "Compressing Low Precision Deep Neural Networks Using Sparsity-Induced
 * Regularization in Ternary Networks", arXiv 1709.06262. The three stages are the paper's, the formulas are
 * derived:
 *
 * 1. sparsify: straight-through training with L2 and the threshold D = eta * max |W|. D does not shrink with
 * the other weights, so L2 really moves them into the dead zone; weights less than a tenth above D are pulled
 * into it. So that the last stage starts near its target, D is at least the quantile of a sparsity that grows
 * to it, and never beyond the target's own.
 * 2. prune: by magnitude to the target; zeros become a fixed mask.
 * 3. retrain: sign and scale of the survivors, while the rate falls on.
 *
 * The target holds over all layers together (or in each): wide layers become sparser than narrow ones, and no
 * layer falls below one weight per output channel. */
#include "ops/ops.h"
#include "passes/methods/methods.h"

#include <math.h>

int64_t stp_prune_epoch(const Trainer *t)
{
    return t->epochs < 2 ? 0 : (t->epochs + 1) / 2;
}

/* Cubic, fast at first (as Zhu and Gupta, arXiv 1710.01878); full for the last fifth of the stage. */
double stp_sparsity(const Trainer *t)
{
    double steps = (double)(stp_prune_epoch(t) * t->steps_per_epoch) * 0.8;
    double p = (double)(t->epoch * t->steps_per_epoch + t->step) / steps;
    return (double)t->opt->sparsity * (p >= 1 ? 1 : 1 - (1 - p) * (1 - p) * (1 - p));
}

/* ---- how many weights each layer keeps ---- */

/* In proportion to the square root of its size, at most a share `most` of it and at least the floor. */
static double kept_of(const TernaryWeight *w, double share, double most)
{
    double n = (double)w->p->count, least = (double)ternary_channels(&w->p->box), kept = share * sqrt(n);
    kept = kept < most * n ? kept : most * n;
    kept = kept > least ? kept : least;
    return kept < n ? kept : n;
}

/* kept_of with the one factor that meets s over all layers. No layer keeps more than 0.6 of its weights while
 * another could. */
double stp_layer_sparsity(const Trainer *t, const TernaryWeight *w, double s)
{
    const TernaryWeight *all = t->ternary;
    double total = 0, low = 0, high = 0, most = 1 - s > 0.6 ? 1 - s : 0.6;
    if (t->o->sparsity_per_layer)
        return 1 - kept_of(w, INFINITY, 1 - s) / (double)w->p->count;
    for (int i = 0; i < t->num_ternary; i++) {
        total += (double)all[i].p->count;
        high = fmax(high, sqrt((double)all[i].p->count));
    }
    for (int round = 0; round < 60; round++) {
        double middle = (low + high) / 2, kept = 0;
        for (int i = 0; i < t->num_ternary; i++)
            kept += kept_of(&all[i], middle, most);
        *(kept < (1 - s) * total ? &low : &high) = middle;
    }
    return 1 - kept_of(w, (low + high) / 2, most) / (double)w->p->count;
}

/* ---- the threshold ---- */

static int64_t count_below(const float *w, int64_t n, float limit)
{
    int64_t count = 0;
    for (int64_t i = 0; i < n; i++)
        count += fabsf(w[i]) <= limit;
    return count;
}

static float eta_threshold(const Trainer *t, const float *latent, int64_t n)
{
    float top = 0;
    for (int64_t i = 0; i < n; i++)
        top = fmaxf(top, fabsf(latent[i]));
    return (float)t->o->eta * top;
}

static float threshold(const Trainer *t, const TernaryWeight *w)
{
    const float *latent = t->latent + w->p->at;
    int64_t n = w->p->count;
    double least = stp_layer_sparsity(t, w, stp_sparsity(t));
    double most = stp_layer_sparsity(t, w, (double)t->opt->sparsity);
    float limit = eta_threshold(t, latent, n);
    double share = (double)count_below(latent, n, limit) / (double)n;
    if (share < least || share > most)
        limit = magnitude_quantile(latent, n, share < least ? least : most);
    return limit;
}

static void project(const Trainer *t, TernaryWeight *w, bool hard)
{
    (void)hard;
    if (!w->fixed) {
        w->limit = threshold(t, w);
        keep_above(w, t->latent + w->p->at, w->limit);
    }
    project_kept(t, w);
}

/* The regulariser of the threshold: pull * D * |w| for D < |w| < 1.1 D, that is, weight decay as it is at D,
 * so that it works at any scale. */
static void add_pull(const Trainer *t, const TernaryWeight *w)
{
    const float *latent = t->latent + w->p->at;
    float *g = t->grads + w->p->at, pull = (float)t->o->pull * w->limit;
    for (int64_t i = 0; i < w->p->count; i++)
        if (fabsf(latent[i]) > w->limit && fabsf(latent[i]) < 1.1f * w->limit)
            g[i] += latent[i] > 0 ? pull : -pull;
}

/* What is pruned for good gets no gradient. */
static void chain(const Trainer *t, TernaryWeight *w)
{
    float *g = t->grads + w->p->at;
    chain_kept(t, w);
    if (!w->fixed)
        add_pull(t, w);
    for (int64_t i = 0; w->fixed && i < w->p->count; i++)
        g[i] = w->kept[i] ? g[i] : 0;
}

/* ---- over the epochs ---- */

static void prune(Trainer *t)
{
    for (int k = 0; k < t->num_ternary; k++) {
        TernaryWeight *w = &t->ternary[k];
        const float *latent = t->latent + w->p->at;
        double zeros = stp_layer_sparsity(t, w, (double)t->opt->sparsity);
        keep_above(w, latent, magnitude_quantile(latent, w->p->count, zeros));
        w->fixed = true;
    }
}

static void start_epoch(Trainer *t)
{
    if (t->epoch == stp_prune_epoch(t))
        prune(t);
}

static bool resumes(const Trainer *t, const TernaryWeight *w)
{
    return w->fixed == (t->epoch > stp_prune_epoch(t)) && w->alpha == 0 && w->lambda == 0 && w->start == 0;
}

static void settings(Text *s, const TrainOptions *o)
{
    text_printf(s, " scope=%s eta=%.9g pull=%.9g", o->sparsity_per_layer ? "layer" : "global", o->eta,
                o->pull);
}

static const Knob knobs[] = {{"sparsity-scope", 0, 0},
                             {"eta", offsetof(TrainOptions, eta), 0.05},
                             {"pull", offsetof(TrainOptions, pull), 1e-3},
                             {NULL, 0, 0}};

const MethodDef method_stp = {.name = "stp",
                              .epochs = 10,
                              .rate = 0.02,
                              .decay = 1e-4,
                              .sparsity = 0.9f,
                              .knobs = knobs,
                              .stages = {"sparsify", "retrain"},
                              .last_stage = stp_prune_epoch,
                              .start_epoch = start_epoch,
                              .project = project,
                              .chain = chain,
                              .resumes = resumes,
                              .settings = settings};
