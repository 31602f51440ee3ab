/* eval.c - the evaluator: a graph, a node, and a fused layer, the reference for generated code. */
#include "ops/flow.h"
#include "ops/ops.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- graphs and nodes ---- */

static bool has_elements(const Node *n)
{
    for (int i = 0; i < n->num_out; i++)
        if (n->out[i] && type_elems(n->out[i]->type))
            return true;
    return false;
}

/* Nothing is computed for outputs without elements: they may have two thousand million rows of none. */
void eval_node(const Graph *g, const Node *n, const void *const *in, void *const *out)
{
    const OpDef *d = op_def(n->op);
    if (!d || !d->eval)
        bug("operator %s cannot be evaluated", n->op_name);
    if (has_elements(n))
        d->eval(g, n, in, out);
}

static size_t padded_bytes(const Tensor *t)
{
    return (type_bytes(t->type) + 16 + 15) & ~(size_t)15;
}

/* One block: the pointers, then the values of all node outputs. */
static void **new_values(const Graph *g)
{
    size_t pointers = ((size_t)g->num_tensors * sizeof(void *) + 15) & ~(size_t)15, bytes = pointers;
    for (int i = 0; i < g->num_nodes; i++)
        for (int j = 0; j < g->nodes[i]->num_out; j++)
            if (g->nodes[i]->out[j])
                bytes += padded_bytes(g->nodes[i]->out[j]);
    void **values = calloc(1, bytes ? bytes : 1);
    if (!values)
        fail("%s: out of memory: the values of the graph take %zu bytes", g->file, bytes);
    char *next = (char *)values + pointers;
    for (int i = 0; i < g->num_nodes; i++)
        for (int j = 0; j < g->nodes[i]->num_out; j++)
            if (g->nodes[i]->out[j]) {
                values[g->nodes[i]->out[j]->id] = next;
                next += padded_bytes(g->nodes[i]->out[j]);
            }
    return values;
}

static void step_loop(const Flow *f, int i, void **values)
{
    const Node *n = f->g->nodes[i];
    for (int k = 0; k < n->num_out; k++)
        if (n->out[k])
            memcpy(values[n->out[k]->id], flow_value(f, i, k), type_bytes(n->out[k]->type));
}

static void eval_in_graph(const Graph *g, const Node *n, void **values)
{
    const void **in = calloc((size_t)(n->num_in + n->num_out + 1), sizeof *in);
    if (!in)
        fail("out of memory");
    void **out = (void **)in + n->num_in;
    for (int i = 0; i < n->num_in; i++)
        in[i] = n->in[i] ? values[n->in[i]->id] : NULL;
    for (int i = 0; i < n->num_out; i++)
        out[i] = n->out[i] ? values[n->out[i]->id] : NULL;
    eval_node(g, n, in, out);
    free(in);
}

void **eval_graph(const Graph *g, const void *const *inputs)
{
    void **values = new_values(g);
    for (int i = 0; i < g->num_tensors; i++)
        if (g->tensors[i]->data)
            values[i] = (void *)(uintptr_t)g->tensors[i]->data;
    for (int i = 0; i < g->num_inputs; i++)
        values[g->inputs[i]->id] = (void *)(uintptr_t)inputs[i];
    Flow *f = flow_new(g);
    for (int i = -1; (i = flow_next(f, i, (const void *const *)values)) < g->num_nodes;)
        if (f->partner[i] >= 0)
            step_loop(f, i, values);
        else
            eval_in_graph(g, g->nodes[i], values);
    flow_free(f);
    return values;
}

void *zeroed_values(const Tensor *t)
{
    void *p = t ? calloc(type_bytes(t->type) + 1, 1) : NULL;
    if (t && !p)
        fail("out of memory: %s", type_text(t->type));
    return p;
}
