/* node_cost.c - what a node costs in parameters and operations. */
#include "ops/ops.h"

/* The side of a linear operator that holds its weights, constant or not; -1 for other operators. */
static int weight_input(const Node *n)
{
    if (n->op == OP_Conv || n->op == OP_ConvTranspose || n->op == OP_ConvInteger)
        return 1;
    if (n->op == OP_MatMul || n->op == OP_Gemm || n->op == OP_MatMulInteger)
        return n->in[0]->data && !n->in[1]->data ? 0 : 1;
    return -1;
}

/* Multiplications: each weight of a convolution meets every position; a matrix product runs over the shared
 * axis. */
static int64_t count_macs(const Node *n)
{
    const Type *w = &n->in[1]->type, *x = &n->in[0]->type, *y = &n->out[0]->type;
    if (n->op == OP_Conv || n->op == OP_ConvInteger)
        return w->dims[0] ? type_elems(*y) * (type_elems(*w) / w->dims[0]) : 0;
    if (n->op == OP_ConvTranspose)
        return w->dims[0] ? type_elems(*x) * (type_elems(*w) / w->dims[0]) : 0;
    if (n->op == OP_Gemm)
        return type_elems(*y) * x->dims[attr_int(n, "transA") ? 0 : 1];
    return type_elems(*y) * (x->rank ? x->dims[x->rank - 1] : 1);
}

int64_t tensor_zeros(const Tensor *t)
{
    int64_t n = type_elems(t->type), zeros = 0;
    for (int64_t i = 0; i < n; i++)
        zeros += elem_get(t->data, t->type.dtype, i) == 0;
    return zeros;
}

static bool is_recurrent(const Node *n)
{
    return n->op == OP_LSTM || n->op == OP_GRU || n->op == OP_RNN;
}

int node_cost_rows(const Node *n)
{
    return is_recurrent(n) ? 2 : 1;
}

const char *node_row_text(const Node *n, int row)
{
    if (!is_recurrent(n))
        return n->op_name;
    return mem_printf("%s %s", n->op_name, row ? "R" : "W");
}

/* X * W of a recurrent node, with all other parameters, or R * h. W and R [directions][rows][...] meet every
 * step. */
static NodeCost recurrent_cost(const Node *n, NodeCost c, int row)
{
    const Tensor *w = n->in[row + 1], *r = n->in[2], *x = n->in[0];
    int64_t r_params = r->data ? type_elems(r->type) : 0;
    c.params = row ? r_params : c.params - r_params;
    c.macs = type_elems(w->type) * x->type.dims[0] * x->type.dims[1];
    c.weight = w->data ? w : NULL;
    return c;
}

bool is_parameter(const Node *n, int input)
{
    const Tensor *t = n->in[input];
    return t && t->data && t->type.rank > 0 && (dtype_is_float(t->type.dtype) || input == weight_input(n));
}

NodeCost node_cost(const Node *n, int row)
{
    NodeCost c = {0};
    for (int i = 0; i < n->num_in; i++)
        if (is_parameter(n, i))
            c.params += type_elems(n->in[i]->type);
    if (n->num_in < 2 || !n->in[0] || !n->in[1])
        return c;
    int side = weight_input(n);
    if (is_recurrent(n)) {
        c = recurrent_cost(n, c, row);
    } else if (side >= 0) {
        c.macs = count_macs(n);
        c.weight = n->in[side]->data ? n->in[side] : NULL;
    }
    if (!c.weight)
        return c;
    c.weights = type_elems(c.weight->type);
    c.zeros = tensor_zeros(c.weight);
    if (c.weight->ternary && c.weights)
        c.adds = c.macs / c.weights * (c.weights - c.zeros);
    return c;
}
