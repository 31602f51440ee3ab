/* fold.c - nodes that change nothing are removed, and pairs of data movements become one: Identity, Dropout
 * at inference, Cast, Pad, Slice, Reshape and their kind without effect, Concat of one, Transpose behind
 * Transpose, Reshape behind Reshape, Conv behind Pad with zeros; a Transpose that moves only axes of size one
 * is a Reshape.
 *
 * Requires: infer. Gives: none of these nodes is left, but one that a graph output needs. May leave unused
 * nodes (dce). */
#include "ops/ops.h"
#include "passes/passes.h"

#include <string.h>

static bool same_type(const Node *n)
{
    return type_equal(n->in[0]->type, n->out[0]->type);
}

/* ---- two nodes into one ---- */

static void merge_transposes(Node *n)
{
    const Node *before = n->in[0]->producer;
    if (!before || before->op != OP_Transpose)
        return;
    int64_t first[MAX_RANK], second[MAX_RANK], both[MAX_RANK];
    transpose_perm(before, first);
    transpose_perm(n, second);
    int rank = n->in[0]->type.rank;
    for (int i = 0; i < rank; i++)
        both[i] = first[second[i]];
    n->in[0] = before->in[0];
    attr_set_ints(n, "perm", rank, both);
}

/* n becomes a Reshape of x to its own static shape. */
static void make_reshape(Graph *g, Node *n, Tensor *x)
{
    Type t = n->out[0]->type;
    n->op = OP_Reshape;
    n->op_name = op_def(OP_Reshape)->name;
    n->num_attrs = 0;
    n->num_in = 2;
    n->in = NEW_ARRAY(Tensor *, 2);
    n->in[0] = x;
    n->in[1] = graph_const_i64(g, mem_printf("%s_shape", n->out[0]->name), t.rank, t.dims);
}

static void merge_views(Graph *g, Node *n)
{
    const Node *before = n->in[0]->producer;
    if (before && is_reshape(before) && type_elems(n->out[0]->type) > 0)
        make_reshape(g, n, before->in[0]);
}

/* The axes that are longer than one keep their order. */
static bool moves_nothing(const Node *n)
{
    int64_t perm[MAX_RANK], last = -1;
    transpose_perm(n, perm);
    for (int i = 0; i < n->in[0]->type.rank; i++) {
        if (n->in[0]->type.dims[perm[i]] == 1)
            continue;
        if (perm[i] < last)
            return false;
        last = perm[i];
    }
    return type_elems(n->in[0]->type) > 0;
}

/* Zeros around the spatial axes alone: then pads[2 * rank] of the Pad node is returned, else NULL. */
static const int64_t *spatial_zeros(const Graph *g, const Node *pad)
{
    int rank = pad->in[0]->type.rank;
    const Tensor *value = pad->num_in > 2 ? pad->in[2] : NULL;
    if (strcmp(attr_string(pad, "mode"), "constant") != 0 || (pad->num_in > 3 && pad->in[3]))
        return NULL;
    if (value && (!value->data || const_scalar(g, pad, 2) != 0))
        return NULL;
    int64_t count;
    const int64_t *pads = const_ints(g, pad, 1, &count);
    for (int i = 0; i < count; i++)
        if (pads[i] < 0 || (i % rank < 2 && pads[i]))
            return NULL;
    return count == (int64_t)2 * rank ? pads : NULL;
}

/* Pad in front of Conv becomes the convolution's own padding. */
static void merge_pad(const Graph *g, Node *n)
{
    const Node *before = n->in[0]->producer;
    const char *mode = attr_string(n, "auto_pad");
    if (!before || before->op != OP_Pad || (strcmp(mode, "NOTSET") != 0 && strcmp(mode, "VALID") != 0))
        return;
    const int64_t *more = spatial_zeros(g, before);
    if (!more)
        return;
    int count, rank = n->in[0]->type.rank, spatial = rank - 2;
    const int64_t *own = attr_ints(n, "pads", &count);
    int64_t pads[2 * MAX_RANK] = {0};
    for (int i = 0; i < spatial; i++) {
        pads[i] = more[2 + i] + (own ? own[i] : 0);
        pads[spatial + i] = more[rank + 2 + i] + (own ? own[spatial + i] : 0);
    }
    attr_set_string(n, "auto_pad", "NOTSET");
    attr_set_ints(n, "pads", 2 * spatial, pads);
    n->in[0] = before->in[0];
}

/* Training will make the batch longer than one: a Transpose that moves it then does move something, and the
 * axes that a view names say where it is (batch.c). */
static void simplify_node(Graph *g, Node *n, bool keep_axes)
{
    if (n->op == OP_Conv)
        merge_pad(g, n);
    if (n->op == OP_Transpose) {
        merge_transposes(n);
        if (!keep_axes && moves_nothing(n))
            make_reshape(g, n, n->in[0]);
    }
    if (is_reshape(n) && !keep_axes)
        merge_views(g, n);
}

/* ---- nodes without effect ---- */

static bool all_zero(const Graph *g, const Node *n, int input)
{
    int64_t count;
    const int64_t *v = const_ints(g, n, input, &count);
    for (int64_t i = 0; i < count; i++)
        if (v[i])
            return false;
    return v != NULL;
}

static bool steps_forward(const Graph *g, const Node *n)
{
    int64_t count;
    const int64_t *steps = const_ints(g, n, 4, &count);
    for (int64_t i = 0; i < count; i++)
        if (steps[i] < 0)
            return false;
    return true;
}

static bool is_inference_dropout(const Graph *g, const Node *n)
{
    const Tensor *training = n->num_in > 2 ? n->in[2] : NULL;
    return !training || (training->data && const_scalar(g, n, 2) == 0);
}

static bool changes_nothing(const Graph *g, const Node *n, bool keep_dropout)
{
    switch (n->op) {
    case OP_Identity: return true;
    case OP_Dropout: return !keep_dropout && is_inference_dropout(g, n);
    case OP_Reshape:
    case OP_Flatten:
    case OP_Squeeze:
    case OP_Unsqueeze:
    case OP_Expand:
    case OP_Tile:
    case OP_Cast: return same_type(n);
    case OP_Pad: return same_type(n) && all_zero(g, n, 1);
    case OP_Slice: return same_type(n) && steps_forward(g, n);
    case OP_Concat:
    case OP_Sum:
    case OP_Mean:
    case OP_Min:
    case OP_Max: return n->num_in == 1;
    default: return false;
    }
}

typedef struct Folding {
    Graph *g;
    Tensor **instead;      /* by id: what everybody is to use for a tensor that goes; NULL: it stays */
    int count;             /* tensors that the graph had before */
    const bool *is_output; /* by id */
} Folding;

static Tensor *current(const Folding *f, Tensor *t)
{
    while (t && t->id < f->count && f->instead[t->id])
        t = f->instead[t->id];
    return t;
}

static void update_inputs(const Folding *f, Node *n)
{
    for (int i = 0; i < n->num_in; i++)
        n->in[i] = current(f, n->in[i]);
}

/* The output of a node that is to go is the graph's: the node before makes it instead. */
static bool move_output_up(const Folding *f, Tensor *in, Tensor *out)
{
    Node *before = in->producer;
    if (!before || f->is_output[in->id])
        return false;
    for (int i = 0; i < before->num_out; i++)
        if (before->out[i] == in)
            before->out[i] = out;
    out->producer = before;
    in->producer = NULL;
    f->instead[in->id] = out;
    return true;
}

/* Whether everybody could be made to use in for out. */
static bool bypass(const Folding *f, Tensor *in, Tensor *out)
{
    if (f->is_output[out->id])
        return move_output_up(f, in, out);
    f->instead[out->id] = in;
    out->producer = NULL;
    return true;
}

static void fold(Graph *g, bool keep_dropout, bool keep_axes)
{
    Folding f = {g, NEW_ARRAY(Tensor *, g->num_tensors), g->num_tensors, graph_mark_outputs(g)};
    int kept = 0;
    for (int i = 0; i < g->num_nodes; i++) {
        Node *n = g->nodes[i];
        update_inputs(&f, n);
        simplify_node(g, n, keep_axes);
        update_inputs(&f, n); /* what a node before reads may have gone since */
        if (!changes_nothing(g, n, keep_dropout) || !bypass(&f, n->in[0], n->out[0]))
            g->nodes[kept++] = n;
        else if (n->num_out > 1 && n->out[1])
            n->out[1]->producer = NULL;
    }
    g->num_nodes = kept;
    for (int i = 0; i < kept; i++)
        update_inputs(&f, g->nodes[i]);
}

void pass_fold(Graph *g)
{
    fold(g, false, false);
}

void pass_fold_for_training(Graph *g)
{
    fold(g, true, true);
}

void pass_fold_after_training(Graph *g)
{
    fold(g, false, true);
}
