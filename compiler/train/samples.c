/* samples.c - --calibrate: samples without labels for all inputs of a model, in batches where the model takes
 * them.
 */
#include "train/calibrate.h"

#include <string.h>

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

void samples_fill(Engine *e, const Samples *all, int64_t at)
{
    void *mark = mem_mark();
    for (int i = 0; i < e->g->num_inputs; i++) {
        const Source *s = &all->sources[i];
        float *x = value_of(e, e->g->inputs[i])->data;
        for (int64_t b = 0; b < e->batch; b++, x += type_elems(s->feed->input)) {
            int64_t sample = at + b < all->count ? at + b : all->count - 1;
            data_sample(s->feed, sample, x);
            check_sample(s, sample, x);
        }
    }
    mem_release(mark);
}

/* Whether samples in a batch are what they are alone. */
static bool agrees(Engine *e, const Graph *g, const Tensor *y, const Samples *s)
{
    Mismatch m;
    const void **in = NEW_ARRAY(const void *, g->num_inputs);
    samples_fill(e, s, 0);
    const float *score = engine_forward(e);
    for (int i = 0; i < g->num_inputs; i++)
        in[i] = value_of(e, e->g->inputs[i])->data;
    return sample_agrees(g, y, in, score, &m);
}

Engine *samples_engine(const Graph *g, const Tensor *y, const Samples *s, int64_t batch, int threads)
{
    batch = s->count < batch ? s->count : batch;
    batch = takes_batch(g, y, batch) ? batch : 1;
    Engine *e = engine_new(g, y, batch, threads, WANT_NONE);
    if (batch == 1 || agrees(e, g, y, s))
        return e;
    engine_free(e);
    return engine_new(g, y, 1, threads, WANT_NONE);
}
