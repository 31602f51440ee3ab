/* store.c - weights and biases as codes, as ONNX files have them: DequantizeLinear of constants in front of
 * the nodes that read codes.
 *
 * Requires an ordinary graph in which DequantizeLinear stands in front of linear nodes (quantise, or a model
 * that came so). Gives another graph with the same values and tensors; the nodes of the first stay as they
 * were. Weights have int8 codes and a step for each output channel, biases int32 codes of the step of the
 * inputs times that of the weights, zero points are 0. What is not exactly such numbers stays float. */
#include "ops/ops.h"
#include "ops/recurrent.h"
#include "passes/passes.h"

#include <string.h>

typedef struct Store {
    Graph *g;         /* has the tensors */
    Graph result;     /* only its array of nodes is used */
    Tensor **weights; /* by twice the tensor id, and 1 where there is a bias: what stands for them */
} Store;

/* DequantizeLinear (codes, steps, 0) on this axis, in place of t. */
static Tensor *add_dequantize(Store *s, const Tensor *t, DType d, const void *codes, const float *steps,
                              int axis)
{
    Type type = t->type, each = type_make(DT_F32, 1, &t->type.dims[axis]);
    type.dtype = d;
    Node *n = node_new(OP_DequantizeLinear, mem_printf("%s_dequantize", t->name), 3, 1);
    n->in[0] = graph_const(s->g, mem_printf("%s_codes", t->name), type, codes);
    n->in[1] = graph_const(s->g, mem_printf("%s_step", t->name), each, steps);
    each.dtype = d;
    n->in[2] = graph_const(s->g, mem_printf("%s_zero", t->name), each, mem_alloc(type_bytes(each)));
    n->out[0] = graph_tensor(s->g, mem_printf("%s_exact", t->name), t->type);
    attr_set_int(n, "axis", axis);
    node_append(&s->result, n);
    return n->out[0];
}

/* The axis of this size behind such of 1; -1: there is none. */
static int first_axis(Type t, int64_t size)
{
    int i = 0;
    while (i < t.rank - 1 && t.dims[i] == 1 && size > 1)
        i++;
    return t.dims[i] == size ? i : -1;
}

/* The axis of the output channels; -1: they are on several. */
static int channel_axis(Type t, const Ternary *box)
{
    if (box->chan == 1 && box->mid == 1)
        return first_axis(t, box->groups);
    int64_t inner = 1;
    for (int i = t.rank - 1; i >= 0 && box->groups == 1; inner *= t.dims[i], i--)
        if (inner == box->inner && t.dims[i] == box->chan)
            return i;
    return -1;
}

static void store_bias(Store *s, Node *n, const LinearWeights *w, const Ternary *codes, double step)
{
    const Tensor *bias = channel_bias(n, w);
    int64_t count = ternary_channels(&w->box);
    int32_t *whole = NEW_ARRAY(int32_t, count);
    float *steps = NEW_ARRAY(float, count);
    if (!bias || !bias_codes(bias, (float)step, codes->scales, whole, steps))
        return;
    for (int64_t c = 0; c < count; c++)
        if ((float)whole[c] * steps[c] != ((const float *)bias->data)[c])
            return;
    n->in[2] = add_dequantize(s, bias, DT_I32, whole, steps, 0);
}

/* t in rows of one output channel each, where its channels are on several axes. */
static Tensor *add_rows(Store *s, const Tensor *t, const Ternary *codes)
{
    const int64_t dims[] = {codes->groups, codes->inner};
    Tensor rows = *t;
    rows.type = type_make(t->type.dtype, 2, dims);
    Node *view = node_new(OP_Reshape, mem_printf("%s_view", t->name), 2, 1);
    view->in[0] = add_dequantize(s, &rows, DT_I8, codes->codes, codes->scales, 0);
    view->in[1] = graph_const_i64(s->g, mem_printf("%s_shape", t->name), t->type.rank, t->type.dims);
    view->out[0] = graph_tensor(s->g, mem_printf("%s_rows", t->name), t->type);
    node_append(&s->result, view);
    return view->out[0];
}

/* What stands for the weights t; NULL: nothing can. */
static Tensor *store_weights(Store *s, const Tensor *t, const Ternary *codes, bool fine)
{
    Tensor **stored = &s->weights[2 * t->id + fine];
    int axis = channel_axis(t->type, codes);
    if (!*stored && axis >= 0)
        *stored = add_dequantize(s, t, DT_I8, codes->codes, codes->scales, axis);
    else if (!*stored && codes->chan == 1 && codes->mid == 1)
        *stored = add_rows(s, t, codes);
    return *stored;
}

/* A copy of n that has inputs of its own. */
static Node *copy_node(const Node *n)
{
    Node *copy = NEW(Node);
    *copy = *n;
    copy->in = NEW_ARRAY(Tensor *, n->num_in);
    memcpy(copy->in, n->in, (size_t)n->num_in * sizeof(Tensor *));
    return copy;
}

/* R of a cell that is in whole numbers. */
static void store_states(Store *s, Node *copy)
{
    LinearWeights r;
    Ternary codes;
    if (!cell_counts(s->g, copy) || !node_weights(copy, 1, &r) ||
        !weight_codes(copy->in[r.input], &r.box, false, &codes))
        return;
    Tensor *stored = store_weights(s, copy->in[r.input], &codes, false);
    copy->in[r.input] = stored ? stored : copy->in[r.input];
}

/* A copy of n whose weights are codes; n itself where it has none, or reads floats. */
static Node *store_node(Store *s, Node *n)
{
    LinearWeights w;
    CodeStep step;
    Ternary codes;
    if (!product_weights(n, &w))
        return n;
    const Node *from = n->in[1 - w.input]->producer;
    bool fine = channel_bias(n, &w) != NULL;
    if (!from || from->op != OP_DequantizeLinear || !node_step(from, &step) ||
        !weight_codes(n->in[w.input], &w.box, fine, &codes))
        return n;
    Tensor *stored = store_weights(s, n->in[w.input], &codes, fine);
    if (!stored)
        return n;
    Node *copy = copy_node(n);
    store_states(s, copy);
    copy->in[w.input] = stored;
    store_bias(s, copy, &w, &codes, step.scale);
    return copy;
}

Graph *pass_store(Graph *g)
{
    Store s = {.g = g, .weights = NEW_ARRAY(Tensor *, 2 * (int64_t)g->num_tensors)};
    for (int i = 0; i < g->num_nodes; i++)
        node_append(&s.result, store_node(&s, g->nodes[i]));
    Graph *to = NEW(Graph);
    *to = *g;
    to->nodes = s.result.nodes;
    to->num_nodes = s.result.num_nodes;
    return to;
}
