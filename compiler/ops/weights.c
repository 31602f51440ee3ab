/* weights.c - which input of a linear node is its constant weights, and how their elements fall into output
 * channels. Ternarisation and fusing see weights through this alone. */
#include "ops/ops.h"

static Ternary row_box(int64_t rows, int64_t columns)
{
    return (Ternary){.groups = rows, .mid = 1, .chan = 1, .inner = columns};
}

static Ternary column_box(int64_t rows, int64_t columns)
{
    return (Ternary){.groups = 1, .mid = rows, .chan = columns, .inner = 1};
}

static Ternary conv_box(Type t)
{
    return row_box(t.dims[0], type_elems(t) / t.dims[0]);
}

static Ternary conv_transpose_box(Type t, int64_t groups)
{
    int64_t mid = t.dims[0] / groups, chan = t.dims[1];
    return (Ternary){
        .groups = groups, .mid = mid, .chan = chan, .inner = type_elems(t) / (groups * mid * chan)};
}

/* Output channels are the rows of a left side and the columns of a right side; a transposed matrix has them
 * the other way round. */
static Ternary matrix_box(Type t, bool channels_are_rows)
{
    int64_t rows = t.dims[t.rank - 2], columns = t.dims[t.rank - 1];
    return channels_are_rows ? row_box(rows, columns) : column_box(rows, columns);
}

/* Rank 2, or more with leading ones. */
static bool is_matrix(Type t)
{
    for (int i = 0; i < t.rank - 2; i++)
        if (t.dims[i] != 1)
            return false;
    return t.rank >= 2;
}

static bool is_weight(const Tensor *t)
{
    return t && t->data && t->type.dtype == DT_F32 && t->type.rank >= 2 && type_elems(t->type) > 0;
}

static bool find_matrix(const Node *n, LinearWeights *w)
{
    w->input = is_weight(n->in[1]) ? 1 : 0;
    if (!is_weight(n->in[w->input]) || !is_matrix(n->in[w->input]->type))
        return false;
    bool transposed = n->op == OP_Gemm && attr_int(n, w->input ? "transB" : "transA");
    w->box = matrix_box(n->in[w->input]->type, (w->input == 0) != transposed);
    return true;
}

bool linear_weights(const Node *n, LinearWeights *w)
{
    *w = (LinearWeights){.input = 1};
    if (n->op == OP_Gemm || n->op == OP_MatMul)
        return find_matrix(n, w);
    if ((n->op != OP_Conv && n->op != OP_ConvTranspose) || !is_weight(n->in[1]))
        return false;
    Type t = n->in[1]->type;
    w->box = n->op == OP_Conv ? conv_box(t) : conv_transpose_box(t, attr_int(n, "group"));
    return true;
}

/* [directions][gates * hidden][inputs]: every row of a gate is a channel. */
static bool recurrent_weights(const Node *n, int k, LinearWeights *w)
{
    for (int i = 1; i <= 2; i++)
        if (is_weight(n->in[i]) && k-- == 0) {
            Type t = n->in[i]->type;
            *w = (LinearWeights){.input = i, .box = row_box(t.dims[0] * t.dims[1], t.dims[2])};
            return true;
        }
    return false;
}

bool node_weights(const Node *n, int k, LinearWeights *w)
{
    if (n->op == OP_LSTM || n->op == OP_GRU || n->op == OP_RNN)
        return recurrent_weights(n, k, w);
    return k == 0 && linear_weights(n, w);
}

bool product_weights(const Node *n, LinearWeights *w)
{
    return node_weights(n, 0, w) && w->input <= 1;
}

int64_t ternary_channels(const Ternary *box)
{
    return box->groups * box->chan;
}

int64_t ternary_position(const Ternary *box, int64_t channel, int64_t k)
{
    int64_t group = channel / box->chan, c = channel % box->chan;
    return ((group * box->mid + k / box->inner) * box->chan + c) * box->inner + k % box->inner;
}
