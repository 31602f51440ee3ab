/* calibrate.c - the range of every float tensor of a graph on samples without labels, for quantised
 * activations.
 *
 * minmax takes all that was seen. percentile leaves the outermost 0.01 % of the values outside. mse takes,
 * among limits between a fifth and all of the range, those with which rounding to 255 steps and clamping lose
 * least in the sum of squares. The histograms of the second walk have BINS between the extremes that the
 * first one found. */
#include "train/calibrate.h"
#include "ops/ops.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BINS = 2048, STEPS = 255, LIMITS = 64, MAX_BATCH = 32 };

typedef struct Histogram {
    int64_t *bins; /* NULL: not a float tensor that is computed */
    double low, high;
    bool finite;
} Histogram;

typedef struct Calibration {
    Engine *e;
    const Source *s;
    Histogram *all; /* by tensor id */
    int tensors;    /* of the model: the engine's graph may have more */
} Calibration;

static bool is_measured(const Tensor *t)
{
    return !t->data && t->type.dtype == DT_F32 && type_elems(t->type) > 0;
}

typedef void Visit(Histogram *h, const float *v, int64_t n);

static void see_range(Histogram *h, const float *v, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        h->finite &= isfinite(v[i]) != 0;
        h->low = fmin(h->low, (double)v[i]);
        h->high = fmax(h->high, (double)v[i]);
    }
}

static void count_values(Histogram *h, const float *v, int64_t n)
{
    double width = (h->high - h->low) / BINS;
    for (int64_t i = 0; i < n && width > 0 && h->finite; i++) {
        int64_t bin = (int64_t)(((double)v[i] - h->low) / width);
        h->bins[clamp(bin, 0, BINS - 1)]++;
    }
}

/* One walk over the samples. The last batch is filled up with samples that were seen, which counts them
 * again. */
static void walk(Calibration *c, Visit *visit)
{
    const Loss none = {0};
    Engine *e = c->e;
    int64_t *samples = NEW_ARRAY(int64_t, e->batch);
    for (int64_t at = 0; at < c->s->count; at += e->batch) {
        int64_t count = c->s->count - at < e->batch ? c->s->count - at : e->batch;
        for (int64_t i = 0; i < count; i++)
            samples[i] = c->s->first + at + i;
        void *mark = mem_mark();
        fill_batch(e, &none, c->s, NULL, samples, count);
        mem_release(mark);
        engine_forward(e);
        for (int i = 0; i < c->tensors; i++)
            if (c->all[i].bins)
                visit(&c->all[i], value_dense(e, value_of(e, e->g->tensors[i])),
                      type_elems(e->g->tensors[i]->type));
    }
}

/* ---- limits ---- */

/* What clamping to [low, high] and rounding to STEPS there lose. */
static double squared_loss(const Histogram *h, double low, double high)
{
    double width = (h->high - h->low) / BINS, step = (high - low) / STEPS, loss = 0;
    for (int i = 0; i < BINS; i++) {
        double v = h->low + (i + 0.5) * width, out = v < low ? low - v : v > high ? v - high : 0;
        loss += (double)h->bins[i] * (out > 0 ? out * out : step * step / 12);
    }
    return loss;
}

static Range least_squares(const Histogram *h)
{
    Range best = {(float)h->low, (float)h->high, true};
    double least = INFINITY;
    for (int i = LIMITS / 5; i <= LIMITS; i++) {
        double low = h->low * i / LIMITS, high = h->high * i / LIMITS, loss = squared_loss(h, low, high);
        if (loss <= least) {
            least = loss;
            best = (Range){(float)low, (float)high, true};
        }
    }
    return best;
}

static Range percentile(const Histogram *h)
{
    const double outside = 1e-4;
    int64_t count = 0, below = 0, above = 0;
    for (int i = 0; i < BINS; i++)
        count += h->bins[i];
    int64_t most = (int64_t)(outside * (double)count / 2);
    int first = 0, last = BINS - 1;
    while (first < last && below + h->bins[first] <= most)
        below += h->bins[first++];
    while (last > first && above + h->bins[last] <= most)
        above += h->bins[last--];
    double width = (h->high - h->low) / BINS;
    return (Range){(float)(h->low + first * width), (float)(h->low + (last + 1) * width), true};
}

static Range choose_range(const Histogram *h, CalibrationRule rule)
{
    if (!h->finite)
        return (Range){-INFINITY, INFINITY, true};
    switch (rule) {
    case CALIBRATE_PERCENTILE: return percentile(h);
    case CALIBRATE_MSE: return least_squares(h);
    case CALIBRATE_MINMAX: break;
    }
    return (Range){(float)h->low, (float)h->high, true};
}

/* ---- all ---- */

/* What output y is made of, but tensors whose range is known. */
static void measure(const Graph *g, const Tensor *y, const Source *s, CalibrationRule rule, int threads,
                    Range *r)
{
    int64_t batch = s->count < MAX_BATCH ? s->count : MAX_BATCH;
    Calibration c = {.s = s, .all = NEW_ARRAY(Histogram, g->num_tensors), .tensors = g->num_tensors};
    c.e = engine_new(g, y, batch, threads, WANT_NONE);
    for (int i = 0; i < c.tensors; i++)
        if (!r[i].known && is_measured(c.e->g->tensors[i]) && value_of(c.e, c.e->g->tensors[i])->size) {
            c.all[i] = (Histogram){.bins = NEW_ARRAY(int64_t, BINS), .finite = true};
            value_need_dense(value_of(c.e, c.e->g->tensors[i]));
        }
    walk(&c, see_range);
    if (rule != CALIBRATE_MINMAX)
        walk(&c, count_values);
    for (int i = 0; i < g->num_tensors; i++)
        if (c.all[i].bins)
            r[i] = choose_range(&c.all[i], rule);
    engine_free(c.e);
}

Range *calibrate(const Graph *g, const Source *s, CalibrationRule rule, int threads)
{
    Range *r = NEW_ARRAY(Range, g->num_tensors);
    for (int i = 0; i < g->num_outputs; i++)
        if (!r[g->outputs[i]->id].known)
            measure(g, g->outputs[i], s, rule, threads, r);
    return r;
}
