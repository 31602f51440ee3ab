/* eval_cost.c - how many steps the evaluator's loops take for a node, roughly and rather too many. */
#include "reference.h"

static double elements(Tensor *const *list, int count)
{
    double n = 0;
    for (int i = 0; i < count; i++)
        n += list[i] ? (double)type_elems(list[i]->type) : 0;
    return n;
}

static double input_elements(const Node *n, int i)
{
    return i < n->num_in ? elements(&n->in[i], 1) : 0;
}

/* Elements of an input per index of its axis. */
static double per_index(const Node *n, int input, int axis)
{
    const Type *t = &n->in[input]->type;
    return t->rank > axis && t->dims[axis] ? (double)type_elems(*t) / (double)t->dims[axis] : 1;
}

/* Steps per element of the output, for operators that look at many elements for each. */
static double steps_each(const Graph *g, const Node *n)
{
    int rank = n->num_in && n->in[0] ? n->in[0]->type.rank : 0, count;
    const int64_t *kernel;
    double product = 1;
    switch (n->op) {
    case OP_Conv:
    case OP_ConvInteger: return per_index(n, 1, 0);
    case OP_ConvTranspose: return input_elements(n, 1);
    case OP_Gemm:
    case OP_MatMul:
    case OP_MatMulInteger: return rank ? (double)n->in[0]->type.dims[rank - 1] : 1;
    case OP_Einsum: return (double)einsum_terms(g, n);
    case OP_MaxPool:
    case OP_AveragePool:
    case OP_LpPool:
        kernel = attr_ints(n, "kernel_shape", &count);
        for (int i = 0; i < count; i++)
            product *= (double)kernel[i];
        return product;
    case OP_LRN: return (double)attr_int(n, "size");
    case OP_RoiAlign: return 1 << 20;
    case OP_GridSample:
    case OP_Resize:
    case OP_TopK: return 32;
    case OP_LSTM:
    case OP_GRU:
    case OP_RNN: return input_elements(n, 1) + input_elements(n, 2);
    default: return 1;
    }
}

/* Each box is looked for among all, and compared with those chosen. */
static double suppression_steps(const Node *n)
{
    const Type *scores = &n->in[1]->type;
    return 8 * input_elements(n, 1) * (double)scores->dims[scores->rank - 1];
}

double eval_steps(const Graph *g, const Node *n)
{
    if (n->op == OP_Shape || n->op == OP_Size) /* do not look at elements */
        return 1;
    if (n->op == OP_NonMaxSuppression)
        return suppression_steps(n);
    double in = elements(n->in, n->num_in), out = elements(n->out, n->num_out);
    return in + out * steps_each(g, n);
}
