/* batch.c - the graph for many samples at once. ONNX files for inference have a batch of one, written into
 * constants as well (the shape of a Reshape); training wants more.
 *
 * The axis of the batch is followed from the inputs through the graph: transposed models have it in the
 * middle. Every view (Reshape, Flatten, Squeeze, Unsqueeze) becomes a Reshape with that dimension multiplied;
 * all other operators infer their types anew. That samples do not mix then is checked by values, not here
 * (check_engine compares a batch with samples evaluated alone). */
#include "ops/ops.h"
#include "passes/passes.h"
#include "train/engine.h"

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
    copy->attrs = NEW_ARRAY(Attr, n->num_attrs);
    if (n->num_attrs)
        memcpy(copy->attrs, n->attrs, (size_t)n->num_attrs * sizeof *copy->attrs);
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

static void multiply_batch(const Graph *g, const Tensor *of, Type *t, int axis, int64_t batch)
{
    if (!t->rank) {
        t->rank = 1;
        t->dims[0] = 1;
    }
    if (t->dims[axis] > ((int64_t)1 << 40) / batch)
        fail("%s: '%s' of %s is too large for a batch of %s", g->file, of->name, type_text(of->type),
             int_text(batch));
    t->dims[axis] *= batch;
}

/* ---- where the batch is: types are those of one sample ---- */

typedef struct BatchAxis {
    int axis;      /* -1: does not depend on the batch */
    int64_t outer; /* elements of that axis in front of the batch: 1 unless a view merged it behind others */
} BatchAxis;

/* Behind as many elements as before. Where that is between two axes the batch goes to the second one, unless
 * that is the last, which holds the features of something. */
static BatchAxis axis_in_view(Type from, BatchAxis p, Type to)
{
    int64_t want = p.outer;
    for (int i = 0; i < p.axis; i++)
        want *= from.dims[i];
    for (int i = 0; i < to.rank; want /= to.dims[i++]) {
        bool before_last = i + 2 == to.rank && want == to.dims[i];
        if (want == 1 || (want < to.dims[i] && to.dims[i] % want == 0) || before_last)
            return (BatchAxis){i, want};
        if (!to.dims[i] || want % to.dims[i])
            break;
    }
    return (BatchAxis){0, 1};
}

/* Dimensions of size 1 make that ambiguous, where axes are named it is not. */
static int axis_of_unsqueeze(const Graph *g, const Node *n, int axis)
{
    int64_t count;
    const int64_t *axes = const_ints(g, n, 1, &count);
    bool named[MAX_RANK] = {false};
    for (int64_t i = 0; i < count; i++)
        named[norm_axis(g, n, axes[i], n->out[0]->type.rank)] = true;
    for (int i = 0, from = 0; i < n->out[0]->type.rank; i++)
        if (!named[i] && from++ == axis)
            return i;
    return 0;
}

static int axis_of_transpose(const Node *n, int axis)
{
    int count, rank = n->in[0]->type.rank;
    const int64_t *perm = attr_ints(n, "perm", &count);
    for (int i = 0; i < rank; i++)
        if ((perm ? (int)perm[i] : rank - 1 - i) == axis)
            return i;
    return axis;
}

/* Shapes broadcast from the right; an axis that goes away was in front of the batch, or behind where all in
 * front of it stays. */
static int axis_of_other(Type from, int axis, Type to)
{
    bool same = to.rank > axis;
    for (int i = 0; i < axis && same; i++)
        same = from.dims[i] == to.dims[i];
    if (same && to.rank <= from.rank)
        return axis;
    int moved = axis + to.rank - from.rank;
    return moved < 0 ? 0 : moved;
}

static BatchAxis axis_in_output(const Graph *g, const Node *n, int input, BatchAxis p)
{
    Type from = n->in[input]->type, to = n->out[0]->type;
    if (n->op == OP_Transpose)
        p.axis = axis_of_transpose(n, p.axis);
    else if (n->op == OP_Unsqueeze)
        p.axis = axis_of_unsqueeze(g, n, p.axis);
    else if (is_reshape(n))
        return axis_in_view(from, p, to);
    else if (n->op == OP_Gather && input == 1)
        p.axis += (int)norm_axis(g, n, attr_int(n, "axis"), n->in[0]->type.rank);
    else
        p.axis = axis_of_other(from, p.axis, to);
    return p;
}

/* By tensor id. */
static BatchAxis *find_axes(const Graph *g)
{
    BatchAxis *axes = NEW_ARRAY(BatchAxis, g->num_tensors);
    for (int i = 0; i < g->num_tensors; i++)
        axes[i].axis = -1;
    for (int i = 0; i < g->num_inputs; i++)
        axes[g->inputs[i]->id] = (BatchAxis){0, 1};
    for (int i = 0; i < g->num_nodes; i++) {
        const Node *n = g->nodes[i];
        int input = 0;
        while (input < n->num_in && (!n->in[input] || axes[n->in[input]->id].axis < 0))
            input++;
        if (input == n->num_in || !n->out[0])
            continue;
        BatchAxis p = axis_in_output(g, n, input, axes[n->in[input]->id]);
        for (int k = 0; k < n->num_out; k++)
            if (n->out[k])
                axes[n->out[k]->id] = p.axis < n->out[k]->type.rank ? p : (BatchAxis){0, 1};
    }
    return axes;
}

/* ---- constants that name the batch ---- */

/* n becomes a Reshape to the shape that it had for one sample, the batch's dimension multiplied. */
static void rebatch_view(Graph *g, Node *n, int axis, int64_t batch)
{
    Type t = n->out[0]->type;
    multiply_batch(g, n->out[0], &t, axis, batch);
    n->op = OP_Reshape;
    n->op_name = op_def(OP_Reshape)->name;
    n->num_attrs = 0;
    n->num_in = 2;
    Tensor **in = NEW_ARRAY(Tensor *, 2);
    in[0] = n->in[0];
    in[1] = graph_const_i64(g, mem_printf("%s_shape", n->out[0]->name), t.rank, t.dims);
    n->in = in;
}

/* Sizes given to Resize, and shapes given to Expand, name the batch as well. */
static void rebatch_sizes(Graph *g, Node *n, int input, int axis, int64_t batch)
{
    int64_t count;
    const int64_t *old = input < n->num_in && n->in[input] ? const_ints(g, n, input, &count) : NULL;
    if (!old || !count)
        return;
    int64_t *sizes = NEW_ARRAY(int64_t, count);
    memcpy(sizes, old, (size_t)count * sizeof *sizes);
    if (count == n->out[0]->type.rank)
        sizes[axis] *= batch;
    n->in[input] = graph_const_i64(g, mem_printf("%s_sizes", n->out[0]->name), count, sizes);
}

/* A constant that is put beside every sample, such as a class token. */
static void repeat_constants(Graph *g, Node *n, int axis, int64_t batch)
{
    for (int j = 0; j < n->num_in; j++) {
        const Tensor *t = n->in[j];
        if (!t->data || t->type.dims[axis] != 1 || norm_axis(g, n, attr_int(n, "axis"), t->type.rank) == axis)
            continue;
        Type many = t->type;
        multiply_batch(g, t, &many, axis, batch);
        AxisSplit s = split_axis(t->type, axis);
        size_t part = (size_t)s.inner * dtype_size(t->type.dtype);
        char *data = mem_alloc(type_bytes(many));
        for (int64_t i = 0; i < s.outer * batch; i++)
            memcpy(data + (size_t)i * part, (const char *)t->data + (size_t)(i / batch) * part, part);
        n->in[j] = graph_const(g, mem_printf("%s_repeated", t->name), many, data);
    }
}

static void rebatch(Graph *g, Node *n, const BatchAxis *axes, int64_t batch)
{
    int axis = n->out[0] ? axes[n->out[0]->id].axis : -1;
    if (axis < 0)
        return;
    if (is_reshape(n))
        rebatch_view(g, n, axis, batch);
    else if (n->op == OP_Resize)
        rebatch_sizes(g, n, 3, axis, batch);
    else if (n->op == OP_Expand)
        rebatch_sizes(g, n, 1, axis, batch);
    else if (n->op == OP_Concat)
        repeat_constants(g, n, axis, batch);
}

static bool lacks_batch(const Tensor *x)
{
    return x->type.rank > 1 && x->channels.told && !x->channels.batch;
}

static void check_batch_axis(const Graph *g, const Tensor *x)
{
    if (lacks_batch(x))
        fail("%s: training needs models whose inputs have the batch in front; '%s' is %s, without one",
             g->file, x->name, type_text(x->type));
}

Graph *graph_with_batch(const Graph *g, int64_t batch)
{
    Graph *c = copy_graph(g);
    if (batch == 1)
        return c;
    for (int i = 0; i < c->num_inputs; i++)
        check_batch_axis(g, g->inputs[i]);
    const BatchAxis *axes = find_axes(c);
    for (int i = 0; i < c->num_nodes; i++)
        rebatch(c, c->nodes[i], axes, batch);
    for (int i = 0; i < c->num_inputs; i++)
        multiply_batch(c, c->inputs[i], &c->inputs[i]->type, 0, batch);
    for (int i = 0; i < c->num_outputs; i++)
        if (c->outputs[i]->producer)
            c->outputs[i]->type = (Type){.rank = -1};
    pass_infer(c);
    return c;
}

bool takes_batch(const Graph *g, const Tensor *score, int64_t batch)
{
    for (int i = 0; i < g->num_inputs; i++)
        if (lacks_batch(g->inputs[i]))
            return false;
    Trap trap;
    if (CATCH(&trap)) /* nodes that are for one sample alone */
        return false;
    const Tensor *of_all = graph_with_batch(g, batch)->tensors[score->id];
    trap_end();
    return type_elems(of_all->type) == batch * type_elems(score->type);
}
