/* check_values.c - values: the generated code runs on whole samples and reports what every node wrote; each
 * node is then evaluated on exactly those inputs, so that errors do not add up and a difference is found
 * where it arises. How much a value may differ is said in check_bounds.c. */
#include "base/out_file.h"
#include "base/host.h"
#include "check/check.h"
#include "layers/layers.h"
#include "ops/flow.h"
#include "ops/recurrent.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct Compare {
    const Graph *g;
    CheckReport *report;
    int sample;
    const void **values;       /* by tensor id, dense: inputs, constants, and what was reported so far */
    const void *const *states; /* of a recurrent node, see check_states.c */
    Flow *flow;
    const uint8_t *at, *end;
} Compare;

/* ---- one node ---- */

static char *index_text(Type t, int64_t i)
{
    Text s = {0};
    int64_t strides[MAX_RANK];
    dense_strides(t, strides);
    text_printf(&s, "[");
    for (int k = 0; k < t.rank; k++)
        text_printf(&s, "%s%s", k ? "," : "", int_text(i / strides[k] % t.dims[k]));
    text_printf(&s, "]");
    return text_take(&s);
}

static void note_wrong(const Compare *c, NodeCheck *r, const Tensor *t, int64_t i, double got, double want,
                       double bound)
{
    r->wrong++;
    if (!r->first)
        r->first = mem_printf(
            "'%s'%s is %.9g, the evaluator has %.9g from the same inputs; they differ by %.3g, the "
            "bound is %.3g (sample %d)",
            t->name, index_text(t->type, i), got, want, fabs(got - want), bound, c->sample);
}

/* NaN is NaN and an infinity is itself; everything else stays within its bound, if it has one. */
static void compare_floats(const Compare *c, NodeCheck *r, const Tensor *t, const void *got, const void *want,
                           const double *bound)
{
    int64_t count = type_elems(t->type);
    for (int64_t i = 0; i < count; i++) {
        double a = elem_get(got, t->type.dtype, i), b = elem_get(want, t->type.dtype, i);
        double error = fabs(a - b);
        if (a == b || (isnan(a) && isnan(b)) || bound[i] == NO_BOUND)
            continue;
        if (!(error <= bound[i]) || isinf(a) || isinf(b))
            note_wrong(c, r, t, i, a, b, bound[i]);
        r->error = error > r->error ? error : r->error;
        r->share = error > r->share * bound[i] ? error / bound[i] : r->share;
    }
}

/* The same bytes; but a NaN of a constant has another sign in C than in the file. */
static bool same_element(DType d, const uint8_t *got, const uint8_t *want, int64_t i)
{
    size_t size = dtype_size(d), at = (size_t)i * size;
    return !memcmp(got + at, want + at, size) ||
           (dtype_is_float(d) && isnan(elem_get(got, d, i)) && isnan(elem_get(want, d, i)));
}

static void compare_bytes(const Compare *c, NodeCheck *r, const Tensor *t, const uint8_t *got,
                          const uint8_t *want)
{
    DType d = t->type.dtype;
    for (int64_t i = 0; i < type_elems(t->type); i++)
        if (!same_element(d, got, want, i))
            note_wrong(c, r, t, i, elem_get(got, d, i), elem_get(want, d, i), 0);
}

static void compare_output(const Compare *c, NodeCheck *r, const Node *n, int k, const void *const *in,
                           const void *want, const float *layer_bound)
{
    const Tensor *t = n->out[k];
    const void *got = c->values[t->id];
    r->elements += type_elems(t->type);
    if (!dtype_is_float(t->type.dtype)) {
        compare_bytes(c, r, t, got, want);
        return;
    }
    double *bound = calloc((size_t)type_elems(t->type) + 1, sizeof *bound);
    if (!bound)
        fail("out of memory");
    if (layer_bound)
        layer_bounds(t, layer_bound, bound);
    else
        node_bounds(c->g, n, k, in, want, bound);
    compare_floats(c, r, t, got, want, bound);
    free(bound);
}

static void compare_node(const Compare *c, int index)
{
    const Node *n = c->g->nodes[index];
    const void **in = NEW_ARRAY(const void *, n->num_in);
    void **want = NEW_ARRAY(void *, n->num_out);
    for (int i = 0; i < n->num_in; i++)
        in[i] = n->in[i] ? c->values[n->in[i]->id] : NULL;
    for (int k = 0; k < n->num_out; k++)
        want[k] = zeroed_values(n->out[k]);
    float *layer_bound = n->layer ? zeroed_values(n->out[0]) : NULL;
    if (n->layer)
        eval_layer(n->layer, in[0], want[0], layer_bound);
    else
        eval_node(c->g, n, in, want);
    for (int k = 0; k < n->num_out; k++)
        if (n->out[k])
            compare_output(c, &c->report->nodes[index], n, k, in, want[k], layer_bound);
    for (int k = 0; k < n->num_out; k++)
        free(want[k]);
    free(layer_bound);
}

/* ---- recurrent nodes ---- */

static void compare_states(const Compare *c, int index)
{
    const Node *n = c->g->nodes[index];
    const void **in = NEW_ARRAY(const void *, CELL_P + 1);
    for (int i = 0; i < n->num_in; i++)
        in[i] = n->in[i] ? c->values[n->in[i]->id] : NULL;
    StateCheck s = {.n = n, .in = in, .records = c->states};
    NodeCheck *r = &c->report->nodes[index];
    for (int k = 0; k < cell_records(n->cell); k++) {
        Tensor t = state_tensor(&s, k);
        void *want = zeroed_values(&t);
        double *bound = NEW_ARRAY(double, type_elems(t.type));
        state_wanted(&s, k, want, bound);
        compare_floats(c, r, &t, c->states[k], want, bound);
        r->elements += type_elems(t.type);
        free(want);
    }
    for (int k = 0; k < n->num_out; k++) {
        void *want = zeroed_values(n->out[k]);
        if (!want)
            continue;
        state_output_wanted(&s, k, want);
        compare_bytes(c, r, n->out[k], c->values[n->out[k]->id], want);
        free(want);
    }
}

/* ---- loops ---- */

/* LoopBegin and LoopEnd hand on what they got, and count. */
static void compare_loop(const Compare *c, int index)
{
    const Node *n = c->g->nodes[index];
    NodeCheck *r = &c->report->nodes[index];
    for (int k = 0; k < n->num_out; k++) {
        if (!n->out[k])
            continue;
        r->elements += type_elems(n->out[k]->type);
        compare_bytes(c, r, n->out[k], c->values[n->out[k]->id], flow_value(c->flow, index, k));
    }
}

/* ---- one sample ---- */

/* The next record of the dump must be this one; NULL, with the problem noted, if it is not. */
static const uint8_t *next_record(Compare *c, int node, int output, const Tensor *t)
{
    int32_t head[2];
    size_t bytes = type_bytes(t->type);
    if ((size_t)(c->end - c->at) < sizeof head + bytes) {
        text_printf(&c->report->problems, "generated code never reports '%s' (sample %d)\n", t->name,
                    c->sample);
        return NULL;
    }
    memcpy(head, c->at, sizeof head);
    if (head[0] != node || head[1] != output) {
        text_printf(&c->report->problems,
                    "generated code reports output %d of node %d where output %d of node %d, '%s', is due\n",
                    head[1], head[0], output, node, t->name);
        return NULL;
    }
    const uint8_t *data = c->at + sizeof head;
    c->at = data + bytes;
    return data;
}

/* Dense copies, aligned for their type: records in the dump are not. */
static bool read_outputs(Compare *c, int index, void **copies)
{
    const Node *n = c->g->nodes[index];
    for (int k = 0; k < n->num_out; k++) {
        const Tensor *t = n->out[k];
        const uint8_t *data = t ? next_record(c, index, k, t) : NULL;
        if (!t)
            continue;
        if (!data)
            return false;
        if (!copies[t->id])
            copies[t->id] = zeroed_values(t);
        memcpy(copies[t->id], data, type_bytes(t->type));
        c->values[t->id] = copies[t->id];
    }
    return true;
}

/* Copies, aligned; NULL when one is missing. */
static void **read_states(Compare *c, int index)
{
    const Node *n = c->g->nodes[index];
    int count = cell_records(n->cell);
    StateCheck s = {.n = n};
    void **states = NEW_ARRAY(void *, count + 1);
    for (int k = 0; k < count; k++) {
        Tensor t = state_tensor(&s, k);
        const uint8_t *data = next_record(c, index, n->num_out + k, &t);
        if (!data)
            return NULL;
        states[k] = memcpy(mem_alloc(type_bytes(t.type) + 1), data, type_bytes(t.type));
    }
    return states;
}

static bool check_node(Compare *c, int index, void **copies)
{
    const Node *n = c->g->nodes[index];
    c->states = n->cell ? (const void *const *)read_states(c, index) : NULL;
    if ((n->cell && !c->states) || !read_outputs(c, index, copies))
        return false;
    if (n->cell)
        compare_states(c, index);
    else if (c->flow->partner[index] >= 0)
        compare_loop(c, index);
    else
        compare_node(c, index);
    return true;
}

/* The caller's buffers must hold what the last node wrote. */
static bool compare_results(Compare *c)
{
    for (int i = 0; i < c->g->num_outputs; i++) {
        const Tensor *t = c->g->outputs[i];
        const uint8_t *data = next_record(c, -1, i, t);
        if (!data)
            return false;
        bool same = true;
        for (int64_t k = 0; k < type_elems(t->type); k++)
            same &= same_element(t->type.dtype, data, c->values[t->id], k);
        if (!same)
            text_printf(&c->report->problems,
                        "the caller's output '%s' is not what the last node wrote (sample %d)\n", t->name,
                        c->sample);
    }
    return true;
}

/* A Where also gets the side that it does not choose and that was not computed: zeros. */
static void make_unchosen(const Compare *c, int index, void **copies)
{
    const Node *n = c->g->nodes[index];
    for (int k = 0; n->op == OP_Where && k < n->num_in; k++) {
        int id = n->in[k]->id;
        if (!c->values[id])
            c->values[id] = copies[id] = zeroed_values(n->in[k]);
    }
}

static bool compare_sample(Compare *c, const void *const *set)
{
    const Graph *g = c->g;
    void **copies = NEW_ARRAY(void *, g->num_tensors);
    c->values = NEW_ARRAY(const void *, g->num_tensors);
    for (int i = 0; i < g->num_tensors; i++)
        c->values[i] = g->tensors[i]->data;
    for (int i = 0; i < g->num_inputs; i++)
        c->values[g->inputs[i]->id] = set[i];
    bool good = true;
    c->flow = flow_new(g);
    for (int i = -1; good && (i = flow_next(c->flow, i, c->values)) < g->num_nodes;) {
        make_unchosen(c, i, copies);
        good = check_node(c, i, copies);
    }
    flow_free(c->flow);
    good = good && compare_results(c);
    for (int i = 0; i < g->num_tensors; i++)
        free(copies[i]);
    return good;
}

/* ---- all samples ---- */

static void write_sets(const char *path, const Graph *g, const void *const *const *sets, int num_sets)
{
    Text t = {0};
    text_add(&t, "", 0);
    for (int s = 0; s < num_sets; s++)
        for (int i = 0; i < g->num_inputs; i++)
            text_add(&t, sets[s][i], type_bytes(g->inputs[i]->type));
    file_write(path, t.data, t.len);
    text_free(&t);
}

void compare_values(const Program *p, const void *const *const *sets, int num_sets, CheckReport *r)
{
    const Graph *g = p->plan->g;
    char *in = mem_printf("%s/in.bin", p->folder), *out = mem_printf("%s/out.bin", p->folder);
    write_sets(in, g, sets, num_sets);
    const char *args[] = {"values", mem_printf("%d", num_sets), in, out, NULL};
    if (!program_run(p, args, r))
        return;
    size_t len;
    const uint8_t *dump = file_map(out, &len);
    Compare c = {.g = g, .report = r, .at = dump, .end = dump + len};
    bool good = true;
    Progress bar;
    progress_begin(&bar, "check", num_sets);
    for (c.sample = 0; good && c.sample < num_sets; c.sample++) {
        good = compare_sample(&c, sets[c.sample]);
        progress_update(&bar, c.sample);
    }
    progress_end(&bar);
    if (good && c.at != c.end)
        text_printf(&r->problems, "generated code reports more than the graph has\n");
}
