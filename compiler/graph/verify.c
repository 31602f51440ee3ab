/* verify.c - the invariants that hold between passes. A broken one is our bug, found where it was made: the
 * message names the pass. */
#include "graph/op.h"

#include <stdlib.h>
#include <string.h>

typedef struct Check {
    const Graph *g;
    const char *after;
    bool typed; /* infer has run */
} Check;

#define REQUIRE(c, condition, ...)                                                                           \
    do {                                                                                                     \
        if (!(condition))                                                                                    \
            bug("after %s: %s", (c)->after, mem_printf(__VA_ARGS__));                                        \
    } while (0)

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Elements of one channel. There are millions, in no order that a processor could guess. */
static void check_run(const Check *c, const Tensor *t, int64_t from, float scale)
{
    const int8_t *codes = t->ternary->codes;
    const float *data = t->data;
    for (int64_t i = from; i < from + t->ternary->inner; i++) {
        float want = (float)codes[i] * scale;
        REQUIRE(c, codes[i] >= -1 && codes[i] <= 1, "ternary '%s' has code %d", t->name, codes[i]);
        REQUIRE(c, scale >= 0 && data[i] == want, "ternary '%s'[%lld] is %.9g, not %.9g", t->name,
                (long long)i, (double)data[i], (double)want);
    }
}

static void check_ternary(const Check *c, const Tensor *t)
{
    const Ternary *q = t->ternary;
    int64_t n = type_elems(t->type), channels = q->groups * q->chan;
    REQUIRE(c, t->data && t->type.dtype == DT_F32, "ternary '%s' is not a float constant", t->name);
    REQUIRE(c, n == channels * q->mid * q->inner, "ternary '%s' has a box of other size", t->name);
    REQUIRE(c, q->num_scales == 1 || q->num_scales == channels, "ternary '%s' has %s scales", t->name,
            int_text(q->num_scales));
    int64_t at = 0;
    for (int64_t group = 0; group < q->groups; group++)
        for (int64_t mid = 0; mid < q->mid; mid++)
            for (int64_t chan = 0; chan < q->chan; chan++, at += q->inner)
                check_run(c, t, at, q->scales[q->num_scales == 1 ? 0 : group * q->chan + chan]);
}

static void check_tensors(const Check *c)
{
    const Graph *g = c->g;
    const char **names = NEW_ARRAY(const char *, g->num_tensors);
    for (int i = 0; i < g->num_tensors; i++) {
        const Tensor *t = g->tensors[i];
        REQUIRE(c, t && t->name, "tensor %d has no name", i);
        REQUIRE(c, t->id == i, "tensor '%s' has id %d in place %d", t->name, t->id, i);
        REQUIRE(c, !t->data || type_known(t->type), "constant '%s' is %s", t->name, type_text(t->type));
        REQUIRE(c, !t->data || !t->producer, "constant '%s' has a producer", t->name);
        if (t->ternary)
            check_ternary(c, t);
        names[i] = t->name;
    }
    if (g->num_tensors)
        qsort(names, (size_t)g->num_tensors, sizeof *names, compare_names);
    for (int i = 1; i < g->num_tensors; i++)
        REQUIRE(c, strcmp(names[i - 1], names[i]) != 0, "two tensors are called '%s'", names[i]);
}

static int64_t out_channels_size(const Layer *l)
{
    const Pool *p = &l->pool;
    return l->co * (p->kind == POOL_NONE ? l->oh * l->ow : p->oh * p->ow);
}

static void check_layer(const Check *c, const Node *n)
{
    const Layer *l = n->layer;
    const char *name = node_label(n);
    REQUIRE(c, l && n->num_in == 1 && n->num_out == 1 && n->in[0] && n->out[0], "layer '%s' is incomplete",
            name);
    REQUIRE(c, l->groups > 0 && l->ci % l->groups == 0 && l->co % l->groups == 0, "layer '%s' has odd groups",
            name);
    REQUIRE(c, (l->weights != NULL) + (l->codes != NULL) + (l->ints != NULL) == 1,
            "layer '%s' has several kinds of weights, or none", name);
    REQUIRE(c, !l->ints || l->quantised, "layer '%s' has whole weights for floats", name);
    REQUIRE(c, type_elems(n->in[0]->type) == l->batch * l->ci * l->ih * l->iw, "layer '%s' reads %s", name,
            type_text(n->in[0]->type));
    REQUIRE(c, type_elems(n->out[0]->type) == l->batch * out_channels_size(l), "layer '%s' writes %s", name,
            type_text(n->out[0]->type));
    REQUIRE(c, n->in[0]->type.dtype == layer_input(l) && n->out[0]->type.dtype == layer_output(l),
            "layer '%s' makes %s of %s", name, dtype_name(n->out[0]->type.dtype),
            dtype_name(n->in[0]->type.dtype));
    const Pool *p = &l->pool;
    REQUIRE(c, p->kind == POOL_NONE || (p->sh >= p->kh && p->sw >= p->kw),
            "layer '%s' pools overlapping windows", name);
    REQUIRE(c,
            p->kind == POOL_NONE ||
                ((p->oh - 1) * p->sh + p->kh <= l->oh && (p->ow - 1) * p->sw + p->kw <= l->ow),
            "layer '%s' pools beyond its plane", name);
    REQUIRE(c, !l->codes || code_zeros(l->codes, layer_weight_count(l)) == l->zeros,
            "layer '%s' counts its zeros wrong", name);
}

static void check_inputs(const Check *c, const Node *n, const bool *ready)
{
    for (int i = 0; i < n->num_in; i++) {
        const Tensor *t = n->in[i];
        if (!t)
            continue;
        REQUIRE(c, t->id < c->g->num_tensors && c->g->tensors[t->id] == t, "'%s' is not of this graph",
                t->name);
        REQUIRE(c, ready[t->id], "node '%s' reads '%s' before it is made", node_label(n), t->name);
        REQUIRE(c, !c->typed || type_known(t->type), "'%s' is %s", t->name, type_text(t->type));
    }
}

static void check_outputs(const Check *c, const Node *n, bool *ready)
{
    for (int i = 0; i < n->num_out; i++) {
        const Tensor *t = n->out[i];
        if (!t)
            continue;
        REQUIRE(c, t->producer == n, "'%s' does not know its producer '%s'", t->name, node_label(n));
        REQUIRE(c, !ready[t->id], "'%s' is made twice", t->name);
        REQUIRE(c, !c->typed || type_known(t->type), "'%s' is %s", t->name, type_text(t->type));
        ready[t->id] = true;
    }
}

static void check_arity(const Check *c, const Node *n)
{
    const OpDef *d = op_def(n->op);
    if (!d) { /* upgrade may leave unsupported operators, which check_supported reports */
        REQUIRE(c, !c->typed, "node '%s' has no operator", node_label(n));
        return;
    }
    if (!c->typed)
        return;
    REQUIRE(c, n->num_in >= d->min_in && (d->max_in < 0 || n->num_in <= d->max_in),
            "node '%s' (%s) has %d inputs", node_label(n), d->name, n->num_in);
    REQUIRE(c, n->num_out >= d->min_out && (d->max_out < 0 || n->num_out <= d->max_out),
            "node '%s' (%s) has %d outputs", node_label(n), d->name, n->num_out);
}

/* Loops are nested, and what is made inside of one is used inside only. */
static void check_loops(const Check *c)
{
    const Graph *g = c->g;
    int *loop = NEW_ARRAY(int, g->num_tensors), *open = NEW_ARRAY(int, g->num_nodes + 1), depth = 0;
    for (int i = 0; i < g->num_nodes; i++) {
        const Node *n = g->nodes[i];
        if (n->op == OP_LoopBegin)
            open[++depth] = i + 1;
        for (int k = 0; k < n->num_in; k++)
            if (n->in[k] && loop[n->in[k]->id]) {
                bool inside = false;
                for (int d = 1; d <= depth; d++)
                    inside |= open[d] == loop[n->in[k]->id];
                REQUIRE(c, inside, "node '%s' reads '%s' outside of its loop", node_label(n), n->in[k]->name);
            }
        if (n->op == OP_LoopEnd)
            REQUIRE(c, depth-- > 0, "node '%s' ends a loop that never began", node_label(n));
        for (int k = 0; k < n->num_out; k++)
            if (n->out[k])
                loop[n->out[k]->id] = open[depth];
    }
    REQUIRE(c, !depth, "%d loops do not end", depth);
    for (int i = 0; i < g->num_outputs; i++)
        REQUIRE(c, !loop[g->outputs[i]->id], "output '%s' is made inside of a loop", g->outputs[i]->name);
}

void verify_graph(const Graph *g, const char *after)
{
    Check c = {g, after, strcmp(after, "upgrade") != 0};
    check_tensors(&c);
    bool *ready = NEW_ARRAY(bool, g->num_tensors);
    for (int i = 0; i < g->num_tensors; i++)
        ready[i] = g->tensors[i]->data != NULL;
    for (int i = 0; i < g->num_inputs; i++)
        ready[g->inputs[i]->id] = true;
    for (int i = 0; i < g->num_nodes; i++) {
        const Node *n = g->nodes[i];
        check_arity(&c, n);
        check_inputs(&c, n, ready);
        check_outputs(&c, n, ready);
        if (n->op == OP_Layer)
            check_layer(&c, n);
    }
    check_loops(&c);
    for (int i = 0; i < g->num_outputs; i++)
        REQUIRE(&c, ready[g->outputs[i]->id], "output '%s' is not made", g->outputs[i]->name);
}
