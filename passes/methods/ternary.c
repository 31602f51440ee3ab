/* train_ternary.c - how latent weights become the weights that the graph computes with, and how gradients come back to
 * them: what the methods have in common, and TWN. train_sca.c and train_stp.c have the others.
 *
 * TWN (Li et al., arXiv 1605.04711): in every step T and a from the latent weights, T_i = sign(w_i) where |w_i| > D and
 * a the mean of |w| there; the gradient by a T goes to the latent weights unchanged (straight-through). STP differs in
 * how it chooses what is zero, SCA has no straight-through at all.
 *
 * A layer whose scale no BatchNormalization takes up (most often because it was folded at export) gets a trained scale
 * s per channel in its place: the graph computes with s a T. */
#include "ops/ops.h"
#include "passes/passes.h"
#include "train/training.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- selection ---- */

/* ---- what is zero ---- */

static void keep_above(const TernaryWeight *w, const float *latent, float limit)
{
    for (int64_t i = 0; i < w->p->count; i++)
        w->kept[i] = fabsf(latent[i]) > limit;
}

static void keep_relative(const TernaryWeight *w, const float *latent, double factor)
{
    double *limits = w->sums;
    memset(limits, 0, (size_t)ternary_channels(&w->box) * sizeof *limits);
    FOR_CHANNELS(&w->box, limits[ch] += fabs((double)latent[i]););
    for (int64_t c = 0; c < ternary_channels(&w->box); c++)
        limits[c] *= factor / (double)(w->box.mid * w->box.inner);
    FOR_CHANNELS(&w->box, w->kept[i] = fabs((double)latent[i]) > limits[ch];);
}

static void keep_exact(const TernaryWeight *w, const float *latent)
{
    int64_t n = w->box.mid * w->box.inner;
    float *channel = floats_new(n);
    int8_t *codes = NEW_ARRAY(int8_t, n);
    for (int64_t c = 0; c < ternary_channels(&w->box); c++) {
        for (int64_t k = 0; k < n; k++)
            channel[k] = latent[ternary_position(&w->box, c, k)];
        twn_exact(channel, n, codes);
        for (int64_t k = 0; k < n; k++)
            w->kept[ternary_position(&w->box, c, k)] = codes[k] != 0;
    }
    free(channel);
}

static void choose_kept(Trainer *t, int k)
{
    const TernaryWeight *w = &t->ternary[k];
    const float *latent = t->latent + w->p->at;
    if (t->opt->method == METHOD_stp)
        keep_above(w, latent, stp_threshold(t, k));
    else if (t->opt->sparsity > 0)
        keep_above(w, latent, magnitude_quantile(latent, w->p->count, (double)t->opt->sparsity));
    else if (t->opt->threshold > 0)
        keep_relative(w, latent, (double)t->opt->threshold);
    else
        keep_exact(w, latent);
}

/* ---- straight-through: used = s a sign(w) where kept ---- */

static void project_kept(const Trainer *t, const TernaryWeight *w, const float *latent, float *used)
{
    int64_t num = ternary_channels(&w->box);
    double *sums = w->sums, *counts = sums + num;
    memset(sums, 0, 2 * (size_t)num * sizeof *sums);
    FOR_CHANNELS(
        &w->box, if (w->kept[i]) {
            sums[ch] += fabs((double)latent[i]);
            counts[ch] += 1;
        });
    for (int64_t c = 0; c < num; c++) {
        sums[c] = counts[c] > 0 ? sums[c] / counts[c] : 0;
        counts[c] = sums[c] * (w->scales ? (double)t->latent[w->scales->at + c] : 1);
    }
    FOR_CHANNELS(&w->box, used[i] = !w->kept[i] ? 0 : (float)(latent[i] > 0 ? counts[ch] : -counts[ch]););
}

/* d/dlatent = s dL/dused, d/ds = sum dL/dused a T; what is pruned for good gets none. */
static void chain_kept(const Trainer *t, const TernaryWeight *w)
{
    float *g = t->grads + w->p->at;
    const float *latent = t->latent + w->p->at;
    if (w->scales) {
        const float *scales = t->latent + w->scales->at;
        double *sums = w->sums, *slopes = sums + ternary_channels(&w->box);
        memset(slopes, 0, (size_t)ternary_channels(&w->box) * sizeof *slopes);
        FOR_CHANNELS(&w->box, if (w->kept[i]) slopes[ch] += latent[i] > 0 ? (double)g[i] : -(double)g[i];
                     g[i] *= scales[ch];);
        for (int64_t c = 0; c < ternary_channels(&w->box); c++)
            t->grads[w->scales->at + c] = (float)(slopes[c] * sums[c]);
    }
    for (int64_t i = 0; w->fixed && i < w->p->count; i++)
        g[i] = w->kept[i] ? g[i] : 0;
}

/* ---- the start ---- */

const Node *norm_behind(const Engine *e, const Node *n)
{
    const Node *user = e->users[n->out[0]->id];
    return user && user->op == OP_BatchNormalization && user->in[0] == n->out[0] ? user : NULL;
}

static void add_scales(Trainer *t, TernaryWeight *w)
{
    w->scales = &t->params.items[t->params.count++];
    *w->scales = (Param){.node = w->p->node, .at = t->params.total, .count = ternary_channels(&w->box)};
    t->params.total += (w->scales->count + 15) & ~(int64_t)15;
}

/* One threshold and scale for the layer, where that was asked for, leaves no scale per channel to be trained. */
static void add_weight(Trainer *t, const Param *p)
{
    TernaryWeight *w = &t->ternary[t->num_ternary++];
    int users = t->e->uses[p->t->id];
    *w = (TernaryWeight){.p = p, .box = p->box, .base = 1};
    w->normed = users == 1 && norm_behind(t->e, p->node);
    if (t->opt->per_layer || users > 1)
        w->box = (Ternary){.groups = 1, .mid = 1, .chan = 1, .inner = p->count};
    w->sums = NEW_ARRAY(double, 2 * ternary_channels(&w->box));
    w->kept = NEW_ARRAY(uint8_t, p->count);
    w->values = t->opt->method == METHOD_sca ? NEW_ARRAY(float, p->count) : NULL;
    if (!w->normed && (t->opt->method == METHOD_sca || !t->opt->per_layer))
        add_scales(t, w);
}

void ternary_prepare(Trainer *t)
{
    const bool *chosen = ternary_tensors(t->g, t->opt);
    t->ternary = NEW_ARRAY(TernaryWeight, t->e->params.count + 1);
    t->params = t->e->params;
    t->params.items = NEW_ARRAY(Param, 2 * t->e->params.count + 1);
    memcpy(t->params.items, t->e->params.items, (size_t)t->params.count * sizeof *t->params.items);
    for (int i = 0, count = t->params.count; i < count; i++)
        if (t->params.items[i].is_weight && chosen[t->params.items[i].t->id])
            add_weight(t, &t->params.items[i]);
    t->latent = floats_new(t->params.total);
    memcpy(t->latent, t->e->weights, (size_t)t->e->params.total * sizeof(float));
    for (int k = 0; k < t->num_ternary; k++)
        for (int64_t c = 0; t->ternary[k].scales && c < t->ternary[k].scales->count; c++)
            t->latent[t->ternary[k].scales->at + c] = 1;
    for (int k = 0; t->opt->method == METHOD_sca && k < t->num_ternary; k++)
        sca_start(t, &t->ternary[k]);
}

/* ---- over the epochs ---- */

void ternary_start_epoch(Trainer *t)
{
    if (t->opt->method == METHOD_stp)
        stp_start_epoch(t);
    if (t->opt->method == METHOD_sca)
        sca_start_epoch(t);
}

const char *ternary_stage(const Trainer *t, int64_t epoch)
{
    if (t->opt->method == METHOD_stp)
        return epoch < stp_prune_epoch(t) ? "sparsify" : "retrain";
    if (t->opt->method == METHOD_sca)
        return epoch < t->sca_end ? "polarise" : "recover";
    return "train";
}

bool ternary_eligible(const Trainer *t, int64_t epoch)
{
    if (t->opt->method == METHOD_stp)
        return epoch >= stp_prune_epoch(t);
    return t->opt->method != METHOD_sca || epoch >= t->sca_end;
}

void ternary_project(Trainer *t, bool hard)
{
    memcpy(t->e->weights, t->latent, (size_t)t->e->params.total * sizeof(float));
    void *mark = mem_mark();
    for (int k = 0; k < t->num_ternary; k++) {
        const TernaryWeight *w = &t->ternary[k];
        if (t->opt->method == METHOD_sca) {
            sca_project(t, w, hard || t->frozen);
            continue;
        }
        if (!w->fixed)
            choose_kept(t, k);
        project_kept(t, w, t->latent + w->p->at, t->e->weights + w->p->at);
    }
    mem_release(mark);
}

void ternary_chain(Trainer *t)
{
    memcpy(t->grads, t->e->grads, (size_t)t->e->params.total * sizeof(float));
    for (int k = 0; k < t->num_ternary; k++) {
        TernaryWeight *w = &t->ternary[k];
        if (t->opt->method == METHOD_sca) {
            sca_steer(t, w);
            sca_chain(t, w);
            continue;
        }
        chain_kept(t, w);
        if (t->opt->method == METHOD_stp && !w->fixed)
            stp_pull(t, k);
    }
}

double ternary_zeros(const Trainer *t)
{
    int64_t zeros = 0, total = 0;
    for (int k = 0; k < t->num_ternary; k++) {
        const TernaryWeight *w = &t->ternary[k];
        for (int64_t i = 0; i < w->p->count; i++)
            zeros += w->values ? fabsf(w->values[i]) < 0.5f : !w->kept[i];
        total += w->p->count;
    }
    return total ? (double)zeros / (double)total : 0;
}

bool ternary_needs_statistics(const Trainer *t)
{
    return t->opt->method == METHOD_sca && !t->frozen;
}
