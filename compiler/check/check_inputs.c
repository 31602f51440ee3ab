/* check_inputs.c - what `ternc check` feeds a model with: given files, samples of a data set, or seeded
 * random values. */
#include "check/check.h"
#include "onnx/files.h"

#include <math.h>

/* ---- random values ---- */

static double uniform(uint64_t *state)
{
    return ((double)(random_next(state) >> 11) + 0.5) / 9007199254740992.0;
}

static double normal(uint64_t *state)
{
    double radius = sqrt(-2 * log(uniform(state)));
    return radius * cos(6.283185307179586 * uniform(state));
}

/* Pixels, normal values, or 0 and 1, which are valid indices as well. */
static double random_value(DType d, double spread, uint64_t *state)
{
    switch (d) {
    case DT_F32:
    case DT_F64: return spread * normal(state);
    case DT_U8: return (double)(random_next(state) % 256);
    case DT_I8: return (double)(random_next(state) % 256) - 128;
    case DT_I16: return (double)(random_next(state) % 65536) - 32768;
    default: return (double)(random_next(state) % 2);
    }
}

static const void *random_tensor(Type t, double spread, uint64_t *state)
{
    void *data = mem_alloc(type_bytes(t) + 1);
    for (int64_t i = 0; i < type_elems(t); i++)
        elem_set(data, t.dtype, i, random_value(t.dtype, spread, state));
    return data;
}

/* ---- the sets ---- */

/* Samples of growing spread: small values round differently from large ones, and saturate nothing. */
static const double spreads[] = {1, 16, 0.05, 200};

static void make_random(const Graph *g, int sample, uint64_t *state, const void **set)
{
    double spread = spreads[(size_t)sample % (sizeof spreads / sizeof spreads[0])];
    for (int i = 0; i < g->num_inputs; i++)
        set[i] = random_tensor(g->inputs[i]->type, spread, state);
}

static void read_sample(const Graph *g, const DataFeed *feed, int sample, const void **set)
{
    float *x = NEW_ARRAY(float, type_elems(g->inputs[0]->type));
    data_sample(feed, sample, x);
    set[0] = x;
}

const void *const *const *make_input_sets(const Graph *g, const CheckInputs *c, int *num_sets)
{
    int64_t count = c->files.count ? 1 : c->samples;
    DataFeed *feed = NULL;
    if (c->data->spec) {
        Dataset *d = data_open(c->data->spec);
        feed = data_feed(d, g, c->data);
        count = d->count < count ? d->count : count;
        count = c->data->limit && c->data->limit < count ? c->data->limit : count;
    }
    const void *const **sets = NEW_ARRAY(const void *const *, count);
    uint64_t state = c->seed;
    for (int s = 0; s < count; s++) {
        const void **set = c->files.count ? read_inputs(g, c->files) : NEW_ARRAY(const void *, g->num_inputs);
        if (feed)
            read_sample(g, feed, s, set);
        else if (!c->files.count)
            make_random(g, s, &state, set);
        sets[s] = set;
    }
    *num_sets = (int)count;
    return sets;
}
