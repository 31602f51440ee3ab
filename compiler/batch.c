/* batch.c - the graph for many samples at once. ONNX files for inference have a batch of one, written into constants
 * as well (the shape of a Reshape); training wants more.
 *
 * Every view (Reshape, Flatten, Squeeze, Unsqueeze) becomes a Reshape whose first dimension is multiplied: samples lie
 * behind each other, whatever the axes are called. All other operators infer their types anew. That samples do not mix
 * then is checked by values, not here (train.c compares a batch with samples evaluated alone). */
#include "train.h"

#include <string.h>

static Tensor **copy_list(Tensor *const *list, int count, Tensor *const *tensors)
{
    Tensor **copy = NEW_ARRAY(Tensor *, count);
    for (int i = 0; i < count; i++)
        copy[i] = list[i] ? tensors[list[i]->id] : NULL;
    return copy;
}

static Node *copy_node(const Node *n, Tensor *const *tensors)
{
    Node *copy = NEW(Node);
    *copy = *n;
    copy->in = copy_list(n->in, n->num_in, tensors);
    copy->out = copy_list(n->out, n->num_out, tensors);
    for (int i = 0; i < n->num_out; i++)
        if (copy->out[i])
            copy->out[i]->producer = copy;
    return copy;
}

/* Tensors keep their ids; constant data is shared. */
static Graph *copy_graph(const Graph *g)
{
    Graph *c = graph_new(g->file, g->name);
    for (int i = 0; i < g->num_tensors; i++) {
        Tensor *t = graph_tensor(c, g->tensors[i]->name, g->tensors[i]->type);
        t->data = g->tensors[i]->data;
        t->ternary = g->tensors[i]->ternary;
    }
    c->inputs = copy_list(g->inputs, g->num_inputs, c->tensors);
    c->num_inputs = g->num_inputs;
    c->outputs = copy_list(g->outputs, g->num_outputs, c->tensors);
    c->num_outputs = g->num_outputs;
    for (int i = 0; i < g->num_nodes; i++)
        node_append(c, copy_node(g->nodes[i], c->tensors));
    return c;
}

static void multiply_batch(const Graph *g, const Tensor *of, Type *t, int64_t batch)
{
    if (!t->rank) {
        t->rank = 1;
        t->dims[0] = 1;
    }
    if (t->dims[0] > ((int64_t)1 << 40) / batch)
        fail("%s: '%s' of %s is too large for a batch of %lld", g->file, of->name, type_text(of->type),
             (long long)batch);
    t->dims[0] *= batch;
}

static bool is_view(const Node *n)
{
    return n->op == OP_Reshape || n->op == OP_Flatten || n->op == OP_Squeeze || n->op == OP_Unsqueeze;
}

/* n becomes a Reshape to the shape that it had for one sample, the first dimension multiplied. */
static void rebatch_view(Graph *g, Node *n, int64_t batch)
{
    Type t = n->out[0]->type;
    multiply_batch(g, n->out[0], &t, batch);
    n->op = OP_Reshape;
    n->op_name = op_def(OP_Reshape)->name;
    n->num_attrs = 0;
    n->num_in = 2;
    n->in = (Tensor *[]){n->in[0], NULL};
    Tensor **in = NEW_ARRAY(Tensor *, 2);
    in[0] = n->in[0];
    in[1] = graph_const_i64(g, mem_printf("%s_shape", n->out[0]->name), t.rank, t.dims);
    n->in = in;
}

/* Sizes given to Resize, and shapes given to Expand, name the batch as well. */
static void rebatch_sizes(Graph *g, Node *n, int input, int64_t batch)
{
    int64_t count;
    const int64_t *old = input < n->num_in && n->in[input] ? const_ints(g, n, input, &count) : NULL;
    if (!old || !count)
        return;
    int64_t *sizes = NEW_ARRAY(int64_t, count);
    memcpy(sizes, old, (size_t)count * sizeof *sizes);
    if (count == n->out[0]->type.rank)
        sizes[0] *= batch;
    n->in[input] = graph_const_i64(g, mem_printf("%s_sizes", n->out[0]->name), count, sizes);
}

Graph *graph_with_batch(const Graph *g, int64_t batch)
{
    Graph *c = copy_graph(g);
    if (batch == 1)
        return c;
    for (int i = 0; i < c->num_nodes; i++) {
        Node *n = c->nodes[i];
        if (is_view(n) && !n->in[0]->data)
            rebatch_view(c, n, batch);
        else if (n->op == OP_Resize)
            rebatch_sizes(c, n, 3, batch);
        else if (n->op == OP_Expand)
            rebatch_sizes(c, n, 1, batch);
    }
    for (int i = 0; i < c->num_inputs; i++)
        multiply_batch(c, c->inputs[i], &c->inputs[i]->type, batch);
    for (int i = 0; i < c->num_outputs; i++)
        c->outputs[i]->type = (Type){.rank = -1};
    pass_infer(c);
    return c;
}
