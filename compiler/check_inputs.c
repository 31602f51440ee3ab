/* check_inputs.c - what `ternc check` feeds a model with: given files, samples of a data set, or seeded random values.
 */
#include "ir.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- random values ---- */

static uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9E3779B97F4A7C15); /* splitmix64 */
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

static double uniform(uint64_t *state)
{
    return ((double)(next_random(state) >> 11) + 0.5) / 9007199254740992.0;
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
    case DT_U8: return (double)(next_random(state) % 256);
    case DT_I8: return (double)(next_random(state) % 256) - 128;
    default: return (double)(next_random(state) % 2);
    }
}

static const void *random_tensor(Type t, double spread, uint64_t *state)
{
    void *data = mem_alloc(type_bytes(t) + 1);
    for (int64_t i = 0; i < type_elems(t); i++)
        elem_set(data, t.dtype, i, random_value(t.dtype, spread, state));
    return data;
}

/* ---- files ---- */

static Tensor *read_value(const char *path)
{
    size_t n = strlen(path);
    return n > 3 && !strcmp(path + n - 3, ".pb") ? onnx_read_tensor(path) : npy_read(path);
}

static int find_input(const Graph *g, const char *spec, const char **path)
{
    const char *equals = strchr(spec, '=');
    *path = equals ? equals + 1 : spec;
    if (!equals && g->num_inputs == 1)
        return 0;
    for (int i = 0; equals && i < g->num_inputs; i++)
        if (strlen(g->inputs[i]->name) == (size_t)(equals - spec) &&
            !strncmp(g->inputs[i]->name, spec, (size_t)(equals - spec)))
            return i;
    if (g->num_inputs == 1) { /* a file name with '=' in it */
        *path = spec;
        return 0;
    }
    fail("--input %s: the model has %d inputs; say NAME=FILE with one of their names", spec, g->num_inputs);
}

static void read_given(const Graph *g, const Strings *files, const void **set)
{
    for (int i = 0; i < files->count; i++) {
        const char *path;
        int input = find_input(g, files->items[i], &path);
        const Tensor *t = read_value(path), *want = g->inputs[input];
        if (t->type.dtype != want->type.dtype || type_elems(t->type) != type_elems(want->type))
            fail("%s: has %s, input '%s' takes %s", path, type_text(t->type), want->name, type_text(want->type));
        set[input] = t->data;
    }
    for (int i = 0; i < g->num_inputs; i++)
        if (!set[i])
            fail("%s: input '%s' has no value: give all inputs by --input, or none", g->file, g->inputs[i]->name);
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

const void *const *const *make_input_sets(const Graph *g, const CommandLine *c, int *num_sets)
{
    int64_t count = c->inputs.count ? 1 : c->samples;
    DataFeed *feed = NULL;
    if (c->data) {
        Dataset *d = data_open(c->data, c->nhwc);
        feed = data_feed(d, g, c);
        count = d->count < count ? d->count : count;
        count = c->limit && c->limit < count ? c->limit : count;
    }
    const void *const **sets = NEW_ARRAY(const void *const *, count);
    uint64_t state = c->seed;
    for (int s = 0; s < count; s++) {
        const void **set = NEW_ARRAY(const void *, g->num_inputs);
        if (feed)
            read_sample(g, feed, s, set);
        else if (c->inputs.count)
            read_given(g, &c->inputs, set);
        else
            make_random(g, s, &state, set);
        sets[s] = set;
    }
    *num_sets = (int)count;
    return sets;
}
