/* calibrate.c - the range of every float tensor of a graph on samples without labels, for quantised
 * activations. The first walk over the samples finds the extremes, the second fills histograms between them.
 */
#include "train/calibrate.h"
#include "ops/ops.h"
#include "train/ranges.h"

#include <string.h>

enum { MAX_BATCH = 32 };

typedef struct Calibration {
    Engine *e;
    const Samples *s;
    Histogram *all; /* by tensor id */
    int tensors;    /* of the model: the engine's graph may have more */
} Calibration;

/* ---- samples ---- */

/* Of "NAME=SPEC" the SPEC; NULL: it is of another input. */
static const char *spec_of(const Graph *g, const Tensor *x, const char *text)
{
    size_t len = strlen(x->name);
    if (!strncmp(text, x->name, len) && text[len] == '=')
        return text + len + 1;
    return g->num_inputs == 1 ? text : NULL;
}

static const char *find_spec(const Graph *g, const Tensor *x, const Strings *all)
{
    const char *found = NULL;
    for (int i = 0; i < all->count; i++) {
        const char *spec = spec_of(g, x, all->items[i]);
        if (spec && found)
            fail("%s: --calibrate is given twice for input '%s'", g->file, x->name);
        found = spec ? spec : found;
    }
    if (!found)
        fail("%s: input '%s' has no samples; a model of %d inputs needs them for each: --calibrate %s=SPEC",
             g->file, x->name, g->num_inputs, x->name);
    return found;
}

static void check_names(const Graph *g, const Strings *all)
{
    for (int i = 0; i < all->count; i++) {
        bool known = false;
        for (int k = 0; k < g->num_inputs; k++)
            known |= spec_of(g, g->inputs[k], all->items[i]) != NULL;
        if (!known)
            fail("%s: --calibrate %s: starts with no input's name and '='", g->file, all->items[i]);
    }
}

Samples samples_open(const Graph *g, const Options *opt)
{
    enum { ENOUGH = 512 };
    Samples s = {.sources = NEW_ARRAY(Source, g->num_inputs)};
    check_names(g, &opt->calibrate);
    for (int i = 0; i < g->num_inputs; i++) {
        const Tensor *x = g->inputs[i];
        const Dataset *d = data_open(find_spec(g, x, &opt->calibrate));
        if (i && d->count != s.sources[0].count)
            fail("%s: has %s samples for input '%s', but there are %s for '%s'", d->spec, int_text(d->count),
                 x->name, int_text(s.sources[0].count), g->inputs[0]->name);
        s.sources[i] = (Source){data_feed_input(d, g, x, &opt->calibration), 0, d->count};
    }
    s.count = g->num_inputs ? s.sources[0].count : 1;
    s.count = opt->calibration.limit && opt->calibration.limit < s.count ? opt->calibration.limit : s.count;
    s.count = s.count < ENOUGH ? s.count : ENOUGH;
    return s;
}

/* The batch from sample `at` on, filled up with the last one. */
static void fill_inputs(const Calibration *c, int64_t at)
{
    void *mark = mem_mark();
    for (int i = 0; i < c->e->g->num_inputs; i++) {
        const Source *s = &c->s->sources[i];
        float *x = value_of(c->e, c->e->g->inputs[i])->data;
        for (int64_t b = 0; b < c->e->batch; b++, x += type_elems(s->feed->input)) {
            int64_t sample = at + b < c->s->count ? at + b : c->s->count - 1;
            data_sample(s->feed, sample, x);
            check_sample(s, sample, x);
        }
    }
    mem_release(mark);
}

/* ---- the walk ---- */

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
        fill_inputs(c, at);
        engine_forward(e);
        for (int i = 0; i < c->tensors; i++)
            if (c->all[i].bins)
                visit(&c->all[i], value_dense(e, value_of(e, e->g->tensors[i])),
                      type_elems(e->g->tensors[i]->type));
    }
}

/* Whether samples in a batch are what they are alone. */
static bool agrees(const Calibration *c, const Graph *g, const Tensor *y)
{
    Mismatch m;
    const void **in = NEW_ARRAY(const void *, g->num_inputs);
    fill_inputs(c, 0);
    const float *score = engine_forward(c->e);
    for (int i = 0; i < g->num_inputs; i++)
        in[i] = value_of(c->e, c->e->g->inputs[i])->data;
    return sample_agrees(g, y, in, score, &m);
}

/* For many samples at once, where that can be. */
static void make_engine(Calibration *c, const Graph *g, const Tensor *y, int threads)
{
    int64_t batch = c->s->count < MAX_BATCH ? c->s->count : MAX_BATCH;
    batch = takes_batch(g, y, batch) ? batch : 1;
    c->e = engine_new(g, y, batch, threads, WANT_NONE);
    if (batch == 1 || agrees(c, g, y))
        return;
    engine_free(c->e);
    c->e = engine_new(g, y, 1, threads, WANT_NONE);
}

/* What output y is made of, but tensors whose range is known. */
static void measure(const Graph *g, const Tensor *y, const Samples *s, CalibrationRule rule, int threads,
                    Range *r)
{
    Calibration c = {.s = s, .all = NEW_ARRAY(Histogram, g->num_tensors), .tensors = g->num_tensors};
    make_engine(&c, g, y, threads);
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
