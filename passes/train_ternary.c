/* train_ternary.c - the methods: how latent weights become the weights that the graph computes with, and how gradients
 * come back to them.
 *
 * TWN: T and a from the latent weights in every step, straight-through gradients: Li et al., arXiv 1605.04711; the
 * threshold is relative (0.75 mean |W|) unless the user names a factor or a sparsity.
 * SCA: w = tanh(theta), a regulariser that pushes |w| to 0 or 1, no straight-through: Deng and Zhang, arXiv 2011.00580.
 * STP: straight-through training with growing sparsity and L2, pruning to a fixed mask, retraining: Faraone et al.,
 * arXiv 1709.06262; the staging is the paper's. The threshold by quantile, the growth, and the share of each layer are
 * ours (derived). */
#include "train.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- walking channels, in the order in which the elements lie ---- */

/* Runs BODY for each element i of its channel ch. */
#define FOR_CHANNELS(box, BODY)                                                                                        \
    do {                                                                                                               \
        int64_t i = 0;                                                                                                 \
        for (int64_t gr = 0; gr < (box)->groups; gr++)                                                                 \
            for (int64_t mi = 0; mi < (box)->mid; mi++)                                                                \
                for (int64_t ch = gr * (box)->chan; ch < (gr + 1) * (box)->chan; ch++)                                 \
                    for (int64_t in = 0; in < (box)->inner; in++, i++) {                                               \
                        BODY                                                                                           \
                    }                                                                                                  \
    } while (0)

static int64_t channels(const TernaryWeight *w)
{
    return ternary_channels(&w->box);
}

static int64_t per_channel(const TernaryWeight *w)
{
    return w->box.mid * w->box.inner;
}

/* ---- selection ---- */

static uint32_t magnitude_bits(float v)
{
    uint32_t u;
    memcpy(&u, &v, sizeof u);
    return u & 0x7fffffffu;
}

/* The magnitude with rank k (0: the smallest) among n, by counting. */
static float select_magnitude(const float *w, int64_t n, int64_t k)
{
    enum { BINS = 1 << 16 };
    int64_t *count = calloc(BINS, sizeof *count);
    if (!count)
        fail("out of memory while training");
    for (int64_t i = 0; i < n; i++)
        count[magnitude_bits(w[i]) >> 16]++;
    uint32_t high = 0;
    while (k >= count[high])
        k -= count[high++];
    memset(count, 0, BINS * sizeof *count);
    for (int64_t i = 0; i < n; i++)
        if (magnitude_bits(w[i]) >> 16 == high)
            count[magnitude_bits(w[i]) & 0xffff]++;
    uint32_t low = 0;
    while (k >= count[low])
        k -= count[low++];
    free(count);
    uint32_t bits = high << 16 | low;
    float v;
    memcpy(&v, &bits, sizeof v);
    return v;
}

/* At or below this magnitude a share s of the weights lies; at least one weight lies above. */
static float quantile(const float *w, int64_t n, double s)
{
    int64_t zeros = llround(s * (double)n);
    if (zeros > n - 1)
        zeros = n - 1;
    return zeros < 1 ? -1 : select_magnitude(w, n, zeros - 1);
}

/* ---- thresholds -> the engine's weights ---- */

/* used = a * sign(w) where kept(i), a = mean |w| of the kept ones of the channel */
#define APPLY(w, latent, used, kept)                                                                                   \
    do {                                                                                                               \
        int64_t all = channels(w);                                                                                     \
        float *sums = (w)->magnitudes, *counts = sums + all;                                                           \
        memset(sums, 0, 2 * (size_t)all * sizeof *sums);                                                               \
        FOR_CHANNELS(                                                                                                  \
            &(w)->box, if (kept) {                                                                                     \
                sums[ch] += fabsf((latent)[i]);                                                                        \
                counts[ch] += 1;                                                                                       \
            });                                                                                                        \
        for (int64_t c = 0; c < all; c++)                                                                              \
            sums[c] = counts[c] > 0 ? sums[c] / counts[c] : 0;                                                         \
        FOR_CHANNELS(&(w)->box, (used)[i] = !(kept) ? 0 : (latent)[i] > 0 ? sums[ch] : -sums[ch];);                    \
    } while (0)

static void project_relative(const TernaryWeight *w, const float *latent, float *used, float factor)
{
    int64_t num = channels(w);
    float *limits = w->magnitudes + 2 * num;
    memset(limits, 0, (size_t)num * sizeof *limits);
    FOR_CHANNELS(&w->box, limits[ch] += fabsf(latent[i]););
    for (int64_t c = 0; c < num; c++)
        limits[c] *= factor / (float)per_channel(w);
    APPLY(w, latent, used, fabsf(latent[i]) > limits[ch]);
}

static void project_limit(const TernaryWeight *w, const float *latent, float *used, float limit)
{
    APPLY(w, latent, used, fabsf(latent[i]) > limit);
}

static void project_mask(const TernaryWeight *w, const float *latent, float *used)
{
    const uint8_t *mask = w->mask;
    APPLY(w, latent, used, mask[i]);
}

/* ---- STP: how many zeros, and where ---- */

enum { STP_GROWTH = 0, STP_RETRAIN = 1 };

static int64_t growth_epochs(const Trainer *t)
{
    return (t->o->epochs + 1) / 2;
}

/* The sparsity asked for at this step: it grows from half of it, fast at first, and stands at the full one for the last
 * fifth of the stage. */
static double sparsity_now(const Trainer *t)
{
    double s = (double)t->opt->sparsity;
    double steps = (double)(growth_epochs(t) * t->steps_per_epoch) * 0.8;
    double p = (double)(t->epoch * t->steps_per_epoch + t->step) / steps;
    return p >= 1 ? s : s - 0.5 * s * (1 - p) * (1 - p) * (1 - p);
}

/* Over all layers: each keeps a number of weights in proportion to the square root of its size, so that wide layers
 * become sparser than narrow ones; no layer keeps more than 0.6 of its weights while another could. Returns the share
 * of zeros of layer k. */
static double layer_sparsity(const Trainer *t, int k, double s)
{
    if (t->o->sparsity_per_layer)
        return s;
    double total = 0, keep;
    for (int i = 0; i < t->num_ternary; i++)
        total += (double)t->ternary[i].p->count;
    keep = (1 - s) * total;
    double limit = 1 - s > 0.6 ? 1 - s : 0.6, share = 0;
    for (int round = 0; round <= t->num_ternary; round++) {
        double rest = keep, roots = 0;
        for (int i = 0; i < t->num_ternary; i++) {
            double n = (double)t->ternary[i].p->count;
            bool full = round && share * sqrt(n) >= limit * n;
            rest -= full ? limit * n : 0;
            roots += full ? 0 : sqrt(n);
        }
        if (roots <= 0)
            break;
        share = rest / roots;
    }
    double n = (double)t->ternary[k].p->count, kept = share * sqrt(n) / n;
    return 1 - (kept < limit ? kept : limit);
}

static void prune(Trainer *t)
{
    for (int k = 0; k < t->num_ternary; k++) {
        TernaryWeight *w = &t->ternary[k];
        const float *latent = t->latent + w->p->at;
        float limit = quantile(latent, w->p->count, layer_sparsity(t, k, (double)t->opt->sparsity));
        w->mask = NEW_ARRAY(uint8_t, w->p->count);
        for (int64_t i = 0; i < w->p->count; i++)
            w->mask[i] = fabsf(latent[i]) > limit;
    }
}

/* ---- SCA ---- */

static int64_t sca_end(const Trainer *t)
{
    return t->o->epochs - t->o->recovery;
}

/* Geometric over the first half, then held. */
static double lambda_now(const Trainer *t)
{
    double steps = 0.5 * (double)(sca_end(t) * t->steps_per_epoch);
    double p = (double)(t->epoch * t->steps_per_epoch + t->step) / (steps > 0 ? steps : 1);
    return t->o->lambda * pow(1e-3, p < 1 ? 1 - p : 0);
}

static void project_sca(const Trainer *t, const TernaryWeight *w, const float *latent, float *used, bool hard)
{
    const float *scales = w->scales ? t->latent + w->scales->at : NULL;
    FOR_CHANNELS(&w->box, float v = t->frozen ? latent[i] : tanhf(latent[i]);
                 v = hard ? (float)(v >= 0.5f) - (float)(v <= -0.5f) : v; used[i] = scales ? scales[ch] * v : v;);
}

/* d/dtheta = (dL/dused * scale + lambda * 2 w (alpha - 2 w^2)) * (1 - w^2); d/dscale = sum dL/dused * w */
static void chain_sca(const Trainer *t, const TernaryWeight *w)
{
    float *g = t->grads + w->p->at, *of_scales = w->scales ? t->grads + w->scales->at : NULL;
    const float *latent = t->latent + w->p->at, *scales = w->scales ? t->latent + w->scales->at : NULL;
    float lambda = (float)lambda_now(t), alpha = (float)w->alpha;
    if (of_scales)
        memset(of_scales, 0, (size_t)channels(w) * sizeof *of_scales);
    FOR_CHANNELS(
        &w->box, float v = t->frozen ? latent[i] : tanhf(latent[i]); if (of_scales) {
            of_scales[ch] += g[i] * v;
            g[i] *= scales[ch];
        } g[i] = (g[i] + lambda * 2 * v * (alpha - 2 * v * v)) * (1 - v * v););
}

/* The share s of a layer's weights lies below sqrt(alpha / 2). */
static void solve_alpha(const Trainer *t, TernaryWeight *w)
{
    double q = tanh((double)quantile(t->latent + w->p->at, w->p->count, (double)t->opt->sparsity));
    w->alpha = 2 * q * q;
}

/* The weights as they are written become the latent ones. */
static void freeze(Trainer *t)
{
    for (int k = 0; k < t->num_ternary; k++) {
        float *latent = t->latent + t->ternary[k].p->at;
        for (int64_t i = 0; i < t->ternary[k].p->count; i++) {
            float v = tanhf(latent[i]);
            latent[i] = (float)(v >= 0.5f) - (float)(v <= -0.5f);
        }
    }
    memset(t->first, 0, (size_t)t->params.total * sizeof(float));
    if (t->second)
        memset(t->second, 0, (size_t)t->params.total * sizeof(float));
    t->frozen = true;
}

/* ---- the start ---- */

static const Node *norm_behind(const Graph *g, const Node *n)
{
    const Node *user = graph_only_user(g, n->out[0]);
    return user && user->op == OP_BatchNormalization && user->in[0] == n->out[0] ? user : NULL;
}

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

/* Factor c that puts the TWN threshold at |w| = 0.5, once per layer. BatchNormalization behind takes it up; else scales
 * of 1 / c are trained. */
static void start_sca(Trainer *t, TernaryWeight *w)
{
    float *latent = t->latent + w->p->at;
    double sum = 0;
    for (int64_t i = 0; i < w->p->count; i++)
        sum += fabs((double)latent[i]);
    double c = sum > 0 ? 0.5 * (double)w->p->count / (0.75 * sum) : 1;
    for (int64_t i = 0; i < w->p->count; i++)
        latent[i] = (float)atanh(fmax(-0.95, fmin(0.95, c * (double)latent[i])));
    w->alpha = t->o->alpha;
    if (!w->normed) {
        for (int64_t k = 0; k < w->scales->count; k++)
            t->latent[w->scales->at + k] = (float)(1 / c);
        return;
    }
    const Node *n = w->p->node, *norm = norm_behind(t->e->g, n);
    scale_param(&t->params, t->latent, n->num_in > 2 ? n->in[2] : NULL, c);
    scale_param(&t->e->stats, t->e->running, norm->in[3], c);
    scale_param(&t->e->stats, t->e->running, norm->in[4], c * c);
}

static int count_users(const Graph *g, const Tensor *t)
{
    return graph_use_counts(g)[t->id];
}

static void add_weight(Trainer *t, const Param *p)
{
    TernaryWeight *w = &t->ternary[t->num_ternary++];
    int users = count_users(t->e->g, p->t);
    *w = (TernaryWeight){.p = p, .box = p->box};
    w->normed = users == 1 && norm_behind(t->e->g, p->node);
    if (t->opt->per_layer || users > 1)
        w->box = (Ternary){.groups = 1, .mid = 1, .chan = 1, .inner = p->count};
    w->magnitudes = NEW_ARRAY(float, 3 * channels(w));
    if (t->opt->method != METHOD_SCA || w->normed)
        return;
    w->scales = &t->params.items[t->params.count++];
    *w->scales = (Param){.node = p->node, .at = t->params.total, .count = channels(w)};
    t->params.total += (w->scales->count + 15) & ~(int64_t)15;
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
    for (int i = 0; t->opt->method == METHOD_SCA && i < t->num_ternary; i++)
        start_sca(t, &t->ternary[i]);
}

/* ---- over the epochs ---- */

void ternary_start_epoch(Trainer *t)
{
    Method m = t->opt->method;
    if (m == METHOD_STP && t->epoch == growth_epochs(t))
        prune(t);
    if (m == METHOD_SCA && t->opt->sparsity > 0 && t->epoch <= sca_end(t) / 4)
        for (int i = 0; i < t->num_ternary; i++)
            solve_alpha(t, &t->ternary[i]);
    if (m == METHOD_SCA && t->epoch == sca_end(t))
        freeze(t);
}

const char *ternary_stage(const Trainer *t, int64_t epoch)
{
    if (t->opt->method == METHOD_STP)
        return epoch < growth_epochs(t) ? "grow" : "retrain";
    if (t->opt->method == METHOD_SCA)
        return epoch < sca_end(t) ? "polarise" : "recover";
    return "train";
}

bool ternary_eligible(const Trainer *t, int64_t epoch)
{
    if (t->opt->method == METHOD_STP)
        return epoch >= growth_epochs(t);
    return t->opt->method != METHOD_SCA || epoch >= sca_end(t);
}

static void project_one(Trainer *t, int k, bool hard)
{
    const TernaryWeight *w = &t->ternary[k];
    const float *latent = t->latent + w->p->at;
    float *used = t->e->weights + w->p->at;
    if (t->opt->method == METHOD_SCA)
        project_sca(t, w, latent, used, hard || t->frozen);
    else if (w->mask)
        project_mask(w, latent, used);
    else if (t->opt->method == METHOD_STP)
        project_limit(w, latent, used, quantile(latent, w->p->count, layer_sparsity(t, k, sparsity_now(t))));
    else if (t->opt->sparsity > 0)
        project_limit(w, latent, used, quantile(latent, w->p->count, (double)t->opt->sparsity));
    else
        project_relative(w, latent, used, t->opt->threshold > 0 ? t->opt->threshold : 0.75f);
}

void ternary_project(Trainer *t, bool hard)
{
    memcpy(t->e->weights, t->latent, (size_t)t->e->params.total * sizeof(float));
    for (int k = 0; k < t->num_ternary; k++)
        project_one(t, k, hard);
}

void ternary_chain(Trainer *t)
{
    memcpy(t->grads, t->e->grads, (size_t)t->e->params.total * sizeof(float));
    for (int k = 0; k < t->num_ternary; k++) {
        const TernaryWeight *w = &t->ternary[k];
        float *g = t->grads + w->p->at;
        if (t->opt->method == METHOD_SCA)
            chain_sca(t, w);
        for (int64_t i = 0; w->mask && i < w->p->count; i++)
            g[i] = w->mask[i] ? g[i] : 0;
    }
}

double ternary_distance(const Trainer *t)
{
    double sum = 0, count = 0;
    for (int k = 0; k < t->num_ternary; k++) {
        const Param *p = t->ternary[k].p;
        for (int64_t i = 0; i < p->count; i++) {
            double v = fabs(t->frozen ? (double)t->latent[p->at + i] : tanh((double)t->latent[p->at + i]));
            sum += v < 0.5 ? v : 1 - v;
        }
        count += (double)p->count;
    }
    return count > 0 ? sum / count : 0;
}

bool ternary_needs_statistics(const Trainer *t)
{
    return t->opt->method == METHOD_SCA && !t->frozen;
}
