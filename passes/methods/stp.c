/* train_stp.c - STP: Faraone et al., "Compressing Low Precision Deep Neural Networks Using Sparsity-Induced
 * Regularization in Ternary Networks", arXiv 1709.06262. The three stages are the paper's, the formulas are derived:
 *
 * 1. sparsify: straight-through training with L2 and the threshold D = eta * max |W|. D does not shrink with the other
 *    weights, so L2 really moves them into the dead zone; weights less than a tenth above D are pulled into it. So that
 *    the last stage starts near its target, D is at least the quantile of a sparsity that grows to it, and never beyond
 *    the target's own.
 * 2. prune: by magnitude to the target; zeros become a fixed mask.
 * 3. retrain: sign and scale of the survivors, while the rate falls on.
 *
 * The target holds over all layers together (or in each): wide layers become sparser than narrow ones, and no layer
 * falls below one weight per output channel. */
#include "ops/ops.h"
#include "train/training.h"

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

/* The share of zeros of layer k when s is asked for: kept_of with the one factor that meets s over all layers. No layer
 * keeps more than 0.6 of its weights while another could. */
double stp_layer_sparsity(const Trainer *t, int k, double s)
{
    const TernaryWeight *w = t->ternary;
    double total = 0, low = 0, high = 0, most = 1 - s > 0.6 ? 1 - s : 0.6;
    if (t->o->sparsity_per_layer)
        return 1 - kept_of(&w[k], INFINITY, 1 - s) / (double)w[k].p->count;
    for (int i = 0; i < t->num_ternary; i++) {
        total += (double)w[i].p->count;
        high = fmax(high, sqrt((double)w[i].p->count));
    }
    for (int round = 0; round < 60; round++) {
        double middle = (low + high) / 2, kept = 0;
        for (int i = 0; i < t->num_ternary; i++)
            kept += kept_of(&w[i], middle, most);
        *(kept < (1 - s) * total ? &low : &high) = middle;
    }
    return 1 - kept_of(&w[k], (low + high) / 2, most) / (double)w[k].p->count;
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

float stp_threshold(Trainer *t, int k)
{
    TernaryWeight *w = &t->ternary[k];
    const float *latent = t->latent + w->p->at;
    int64_t n = w->p->count;
    double least = stp_layer_sparsity(t, k, stp_sparsity(t)), most = stp_layer_sparsity(t, k, (double)t->opt->sparsity);
    float limit = eta_threshold(t, latent, n);
    double share = (double)count_below(latent, n, limit) / (double)n;
    if (share < least || share > most)
        limit = magnitude_quantile(latent, n, share < least ? least : most);
    w->limit = limit;
    return limit;
}

/* The regulariser of the threshold: pull * D * |w| for D < |w| < 1.1 D, that is, weight decay as it is at D, so that it
 * works at any scale. */
void stp_pull(Trainer *t, int k)
{
    const TernaryWeight *w = &t->ternary[k];
    const float *latent = t->latent + w->p->at;
    float *g = t->grads + w->p->at, pull = (float)t->o->pull * w->limit;
    for (int64_t i = 0; i < w->p->count; i++)
        if (fabsf(latent[i]) > w->limit && fabsf(latent[i]) < 1.1f * w->limit)
            g[i] += latent[i] > 0 ? pull : -pull;
}

/* ---- over the epochs ---- */

static void prune(Trainer *t)
{
    for (int k = 0; k < t->num_ternary; k++) {
        TernaryWeight *w = &t->ternary[k];
        const float *latent = t->latent + w->p->at;
        float limit = magnitude_quantile(latent, w->p->count, stp_layer_sparsity(t, k, (double)t->opt->sparsity));
        for (int64_t i = 0; i < w->p->count; i++)
            w->kept[i] = fabsf(latent[i]) > limit;
        w->fixed = true;
    }
}

void stp_start_epoch(Trainer *t)
{
    if (t->epoch == stp_prune_epoch(t))
        prune(t);
}
