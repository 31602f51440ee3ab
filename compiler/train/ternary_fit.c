/* ternary_fit.c - ternary codes and scales that keep what a layer makes of given inputs, by linear algebra
 * alone.
 *
 * For the weights of a channel minimise E = sum of (y - a t x)^2 over t in {-1, 0, +1} and a >= 0, where x
 * are columns of inputs and y what the channel is to make of them. With H = X X^T and b = X y^T that is a^2 t
 * H t - 2 a t b and a constant. A part of the mean of H_ii is added to it, and as much of w to b, so that
 * directions that no input shows follow the weights; v = H^-1 b are then the best weights of any value.
 *
 * Codes are first chosen one after the other, inputs with large H_ii first, and each error is made up for by
 * those that follow. With H = L L^T, E is the sum over k of (sum over j >= k of L_jk (v_j - a t_j))^2, so
 * code k is the nearest to v_k + (sum over j > k of L_jk (v_j - a t_j)) / L_kk. Then single codes change as
 * long as E falls, and a = t b / t H t is found anew in between.
 *
 * Sources: Frantar et al., "GPTQ", arXiv 2210.17323: order, damping and errors passed on (its equations 2 and
 * 3 by the inverse of H; the sums by L are the same, derived here); Behdin et al., "QuantEase", arXiv
 * 2309.01885: descent by single weights. */
#include "train/ternary_fit.h"
#include "passes/passes.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* All that is worked on, in one block each; rows of channels as in FitProblem. */
typedef struct Fit {
    FitProblem *p;
    int64_t channels;
    float *l;      /* [groups][n][n]: L, rows and columns in the order */
    int *order;    /* [groups][n]: of inputs, by rising H_ii */
    float *v;      /* in the order */
    float *ht;     /* H t */
    float *passed; /* [n]: by code, errors of those before it times L */
    int8_t *t;     /* a try */
    int8_t *codes; /* the result */
} Fit;

/* ---- vectors ---- */

static float dot(const float *x, const float *y, int64_t n)
{
    enum { LANES = 16 };
    float sums[LANES] = {0}, sum = 0;
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (int l = 0; l < LANES; l++)
            sums[l] += x[i + l] * y[i + l];
    for (; i < n; i++)
        sum += x[i] * y[i];
    for (int l = 0; l < LANES; l++)
        sum += sums[l];
    return sum;
}

static void add_scaled(float *y, float a, const float *x, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        y[i] += a * x[i];
}

/* ---- H = L L^T ---- */

/* Returns what was added to the diagonal; not finite: H is not. */
static float damp(const FitProblem *p, int64_t group)
{
    const double share = 0.03;
    float *h = p->h + group * p->n * p->n;
    double trace = 0;
    for (int64_t i = 0; i < p->n; i++)
        trace += (double)h[i * (p->n + 1)];
    float more = trace > 0 || !isfinite(trace) ? (float)(share * trace / (double)p->n) : 1;
    for (int64_t i = 0; i < p->n; i++)
        h[i * (p->n + 1)] += more;
    for (int64_t c = group * p->chan; c < (group + 1) * p->chan; c++)
        add_scaled(p->b + c * p->n, more, p->w + c * p->n, p->n);
    return more;
}

typedef struct Diagonal {
    float value;
    int at;
} Diagonal;

static int compare_diagonals(const void *a, const void *b)
{
    const Diagonal *x = a, *y = b;
    if (x->value != y->value)
        return x->value < y->value ? -1 : 1;
    return x->at - y->at;
}

static void find_order(const Fit *f, int64_t group)
{
    int64_t n = f->p->n;
    void *mark = mem_mark();
    Diagonal *d = NEW_ARRAY(Diagonal, n);
    for (int i = 0; i < n; i++)
        d[i] = (Diagonal){f->p->h[(group * n + i) * n + i], i};
    qsort(d, (size_t)n, sizeof *d, compare_diagonals);
    for (int64_t i = 0; i < n; i++)
        f->order[group * n + i] = d[i].at;
    mem_release(mark);
}

/* L_ij = (H_ij - sum over k < j of L_ik L_jk) / L_jj. No exact square of a pivot is less than what was added
 * to the diagonal; rounding may make it so. */
static void factorise(const Fit *f, int64_t group, float least)
{
    int64_t n = f->p->n;
    const int *order = f->order + group * n;
    float *l = f->l + group * n * n;
    for (int64_t i = 0; i < n; i++) {
        const float *h = f->p->h + (group * n + order[i]) * n;
        float *row = l + i * n;
        for (int64_t j = 0; j < i; j++)
            row[j] = (h[order[j]] - dot(row, l + j * n, j)) / l[j * n + j];
        row[i] = sqrtf(fmaxf(h[order[i]] - dot(row, row, i), least));
    }
}

/* v = H^-1 b: L z = b, then L^T v = z. */
static void solve(const Fit *f, int64_t c)
{
    int64_t n = f->p->n, group = c / f->p->chan;
    const float *l = f->l + group * n * n, *b = f->p->b + c * n;
    float *v = f->v + c * n;
    for (int64_t i = 0; i < n; i++)
        v[i] = (b[f->order[group * n + i]] - dot(l + i * n, v, i)) / l[i * n + i];
    for (int64_t i = n - 1; i >= 0; i--) {
        v[i] /= l[i * n + i];
        add_scaled(v, -v[i], l + i * n, i);
    }
}

/* ---- codes one after the other ---- */

/* may: a code that the weight may have; NULL: any. */
static int nearest_code(float x, float scale, const int8_t *may)
{
    int sign = x < 0 ? -1 : 1;
    if (may)
        return *may ? sign : 0;
    return fabsf(x) > scale / 2 ? sign : 0;
}

/* The codes of channel c with this scale, into f->t; returns E. */
static double round_channel(const Fit *f, int64_t c, float scale)
{
    int64_t n = f->p->n, group = c / f->p->chan;
    const int *order = f->order + group * n;
    memset(f->passed, 0, (size_t)n * sizeof *f->passed);
    double error = 0;
    for (int64_t k = n - 1; k >= 0; k--) {
        const float *l = f->l + (group * n + k) * n;
        int64_t at = c * n + order[k];
        float v = f->v[c * n + k];
        int t = nearest_code(v + f->passed[k] / l[k], scale, f->p->codes ? f->p->codes + at : NULL);
        float off = v - scale * (float)t, e = l[k] * off + f->passed[k];
        f->t[at] = (int8_t)t;
        error += (double)e * (double)e;
        add_scaled(f->passed, off, l, k);
    }
    return error;
}

/* Channels from to below end share a scale: the best of some about that of the best weights by themselves. */
static float round_channels(const Fit *f, int64_t from, int64_t end)
{
    static const float tries[] = {0.6f, 0.75f, 0.9f, 1.05f, 1.25f, 1.5f};
    size_t count = (size_t)((end - from) * f->p->n);
    float middle = twn_exact(f->v + from * f->p->n, (int64_t)count, f->t + from * f->p->n), scale = 0;
    double least = INFINITY;
    for (size_t i = 0; i < sizeof tries / sizeof tries[0]; i++) {
        double error = 0;
        for (int64_t c = from; c < end; c++)
            error += round_channel(f, c, tries[i] * middle);
        if (error >= least)
            continue;
        least = error;
        scale = tries[i] * middle;
        memcpy(f->codes + from * f->p->n, f->t + from * f->p->n, count);
    }
    return scale;
}

/* ---- single codes ---- */

static void multiply(const Fit *f, int64_t c)
{
    int64_t n = f->p->n;
    const float *h = f->p->h + c / f->p->chan * n * n;
    memset(f->ht + c * n, 0, (size_t)n * sizeof *f->ht);
    for (int64_t k = 0; k < n; k++)
        if (f->codes[c * n + k])
            add_scaled(f->ht + c * n, f->codes[c * n + k], h + k * n, n);
}

static float best_scale(const Fit *f, int64_t from, int64_t end)
{
    double tb = 0, tht = 0;
    for (int64_t i = from * f->p->n; i < end * f->p->n; i++) {
        tb += f->codes[i] * (double)f->p->b[i];
        tht += f->codes[i] * (double)f->ht[i];
    }
    return tb > 0 && tht > 0 ? (float)(tb / tht) : 0;
}

/* What a change of E costs when code t becomes another: (a d)^2 H_kk - 2 a d (b - a H t)_k. */
static int8_t better_code(const Fit *f, int64_t at, float scale, float diagonal)
{
    int8_t now = f->codes[at], best = now;
    float rest = f->p->b[at] - scale * f->ht[at], gain = 0;
    for (int8_t t = -1; t <= 1; t++) {
        if (f->p->codes && !t == !!f->p->codes[at])
            continue;
        float d = scale * (float)(t - now), change = d * d * diagonal - 2 * d * rest;
        if (change < gain) {
            gain = change;
            best = t;
        }
    }
    return best;
}

/* Returns how many changed. */
static int64_t descend(const Fit *f, int64_t c, float scale)
{
    int64_t n = f->p->n, changed = 0;
    const float *h = f->p->h + c / f->p->chan * n * n;
    for (int64_t k = 0; k < n; k++) {
        int64_t at = c * n + k;
        int8_t t = better_code(f, at, scale, h[k * n + k]);
        if (t == f->codes[at])
            continue;
        add_scaled(f->ht + c * n, (float)(t - f->codes[at]), h + k * n, n);
        f->codes[at] = t;
        changed++;
    }
    return changed;
}

static float fit_channels(const Fit *f, int64_t from, int64_t end)
{
    enum { MOST = 20 };
    round_channels(f, from, end);
    for (int64_t c = from; c < end; c++)
        multiply(f, c);
    float scale = best_scale(f, from, end);
    for (int64_t i = 0, changed = 1; i < MOST && changed; i++) {
        changed = 0;
        for (int64_t c = from; c < end; c++)
            changed += descend(f, c, scale);
        scale = best_scale(f, from, end);
    }
    return scale;
}

/* ---- the whole ---- */

static void *block(int64_t count, size_t size)
{
    void *p = calloc((size_t)(count > 0 ? count : 1), size);
    if (!p)
        fail("out of memory while fitting weights: %s numbers", int_text(count));
    return p;
}

static Fit fit_new(FitProblem *p, int8_t *codes)
{
    int64_t channels = p->groups * p->chan, inputs = p->groups * p->n, weights = channels * p->n;
    return (Fit){.p = p,
                 .channels = channels,
                 .l = block(inputs * p->n, sizeof(float)),
                 .order = block(inputs, sizeof(int)),
                 .v = block(weights, sizeof(float)),
                 .ht = block(weights, sizeof(float)),
                 .passed = block(p->n, sizeof(float)),
                 .t = block(weights, 1),
                 .codes = codes};
}

static void fit_free(Fit *f)
{
    free(f->l);
    free(f->order);
    free(f->v);
    free(f->ht);
    free(f->passed);
    free(f->t);
}

static bool is_finite(const float *x, int64_t n)
{
    bool all = true;
    for (int64_t i = 0; i < n; i++)
        all &= isfinite(x[i]) != 0;
    return all;
}

bool fit_ternary(FitProblem *p, int8_t *codes, float *scales)
{
    Fit f = fit_new(p, codes);
    bool finite = is_finite(p->h, p->groups * p->n * p->n) && is_finite(p->b, f.channels * p->n);
    for (int64_t g = 0; finite && g < p->groups; g++) {
        float least = damp(p, g);
        find_order(&f, g);
        factorise(&f, g, least);
    }
    for (int64_t c = 0; finite && c < f.channels; c++)
        solve(&f, c);
    for (int64_t c = 0; finite && !p->one_scale && c < f.channels; c++)
        scales[c] = fit_channels(&f, c, c + 1);
    if (finite && p->one_scale)
        scales[0] = fit_channels(&f, 0, f.channels);
    fit_free(&f);
    return finite;
}
