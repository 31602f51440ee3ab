/* calibrate.c - the range of every float tensor of a graph on samples without labels, for quantised
 * activations. The first walk over the samples finds the extremes, the second fills histograms between them.
 */
#include "train/calibrate.h"
#include "ops/ops.h"
#include "train/ranges.h"

enum { MAX_BATCH = 32 };

typedef struct Calibration {
    Engine *e;
    const Samples *s;
    Histogram *all; /* by tensor id */
    int tensors;    /* of the model: the engine's graph may have more */
} Calibration;

static bool is_measured(const Tensor *t)
{
    return !t->data && t->type.dtype == DT_F32 && type_elems(t->type) > 0;
}

typedef void Visit(Histogram *h, const float *v, int64_t n);

/* One walk over the samples. What fills the last batch up counts too. */
static void walk(Calibration *c, Visit *visit)
{
    Engine *e = c->e;
    for (int64_t at = 0; at < c->s->count; at += e->batch) {
        samples_fill(e, c->s, at);
        engine_forward(e);
        for (int i = 0; i < c->tensors; i++)
            if (c->all[i].bins)
                visit(&c->all[i], value_dense(e, value_of(e, e->g->tensors[i])),
                      type_elems(e->g->tensors[i]->type));
    }
}

/* What output y is made of, but tensors whose range is known. */
static void measure(const Graph *g, const Tensor *y, const Samples *s, CalibrationRule rule, int threads,
                    Range *r)
{
    Calibration c = {.s = s, .all = NEW_ARRAY(Histogram, g->num_tensors), .tensors = g->num_tensors};
    c.e = samples_engine(g, y, s, MAX_BATCH, threads);
    for (int i = 0; i < c.tensors; i++)
        if (!r[i].known && is_measured(c.e->g->tensors[i]) && value_of(c.e, c.e->g->tensors[i])->size) {
            c.all[i] = histogram_new();
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

Range *calibrate(const Graph *g, const Samples *s, CalibrationRule rule, int threads)
{
    Range *r = NEW_ARRAY(Range, g->num_tensors);
    for (int i = 0; i < g->num_outputs; i++)
        if (!r[g->outputs[i]->id].known)
            measure(g, g->outputs[i], s, rule, threads, r);
    return r;
}
