/* check_bounds.c - how much the generated code's values may differ from the evaluator's. u is the unit roundoff of the
 * element type: 2^-24 for float. An operator that is not listed must agree exactly: data movement, integers,
 * comparisons, and single operations that IEEE arithmetic rounds correctly. */
#include "ir.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef enum Rule {
    EXACT,
    /* (ulps |y| + offset) u: a library function, or a few operations; `offset` where terms of that size may cancel */
    FEW_ULPS,
    /* (n + 8) u * the same operator on absolute values: a sum of n products */
    SUM,
    /* (n + 8) u |y|: a sum or product of n terms of one sign */
    POSITIVE,
    /* softmax: the exponent x - max is rounded, which counts |x - max| <= 104 ulps where the result is not 0 */
    SOFTMAX,
    LOG_SOFTMAX,
    /* (x - mean) / deviation * scale + bias with statistics of n elements: see norm_bounds */
    NORM,
} Rule;

typedef struct OpRule {
    const char *op;
    Rule rule;
    double ulps, offset;
} OpRule;

static const OpRule op_rules[] = {
    {"Exp", FEW_ULPS, 4, 0},
    {"Log", FEW_ULPS, 4, 0},
    {"Sin", FEW_ULPS, 4, 0},
    {"Cos", FEW_ULPS, 4, 0},
    {"Tan", FEW_ULPS, 4, 0},
    {"Asin", FEW_ULPS, 4, 0},
    {"Acos", FEW_ULPS, 4, 0},
    {"Atan", FEW_ULPS, 4, 0},
    {"Sinh", FEW_ULPS, 4, 0},
    {"Cosh", FEW_ULPS, 4, 0},
    {"Tanh", FEW_ULPS, 4, 0},
    {"Asinh", FEW_ULPS, 4, 0},
    {"Acosh", FEW_ULPS, 4, 0},
    {"Atanh", FEW_ULPS, 4, 0},
    {"Erf", FEW_ULPS, 4, 0},
    {"Pow", FEW_ULPS, 4, 0},
    {"Sigmoid", FEW_ULPS, 8, 0},
    {"HardSigmoid", FEW_ULPS, 2, 2},
    {"HardSwish", FEW_ULPS, 4, 8},
    {"Softplus", FEW_ULPS, 8, 4},
    {"Softsign", FEW_ULPS, 4, 0},
    {"Elu", FEW_ULPS, 8, 4},
    {"Selu", FEW_ULPS, 8, 8},
    {"Celu", FEW_ULPS, 8, 4},
    {"Gelu", FEW_ULPS, 16, 4},
    {"Mish", FEW_ULPS, 16, 4},
    {"Conv", SUM, 0, 0},
    {"ConvTranspose", SUM, 0, 0},
    {"Gemm", SUM, 0, 0},
    {"MatMul", SUM, 0, 0},
    {"AveragePool", SUM, 0, 0},
    {"GlobalAveragePool", SUM, 0, 0},
    {"ReduceSum", SUM, 0, 0},
    {"ReduceMean", SUM, 0, 0},
    {"Sum", SUM, 0, 0},
    {"Mean", SUM, 0, 0},
    {"CumSum", SUM, 0, 0},
    {"Resize", SUM, 0, 0},
    {"Upsample", SUM, 0, 0},
    {"ReduceL1", POSITIVE, 0, 0},
    {"ReduceL2", POSITIVE, 0, 0},
    {"ReduceSumSquare", POSITIVE, 0, 0},
    {"ReduceProd", POSITIVE, 0, 0},
    {"LRN", POSITIVE, 0, 0},
    {"Softmax", SOFTMAX, 0, 0},
    {"LogSoftmax", LOG_SOFTMAX, 0, 0},
    {"BatchNormalization", NORM, 0, 0},
    {"InstanceNormalization", NORM, 0, 0},
    {"LayerNormalization", NORM, 0, 0},
};

static const OpRule *find_rule(const Node *n)
{
    static const OpRule exact = {"", EXACT, 0, 0};
    for (size_t i = 0; i < sizeof op_rules / sizeof op_rules[0]; i++)
        if (!strcmp(op_rules[i].op, n->op_name))
            return &op_rules[i];
    return &exact;
}

static double unit_roundoff(DType d)
{
    return d == DT_F64 ? DBL_EPSILON / 2 : FLT_EPSILON / 2;
}

/* Below the normal numbers rounding is absolute. */
static double smallest(DType d)
{
    return d == DT_F64 ? 4 * DBL_MIN : 4 * (double)FLT_MIN;
}

/* ---- sums ---- */

static int64_t product(const int64_t *v, int from, int to)
{
    int64_t p = 1;
    for (int i = from; i < to; i++)
        p *= v[i];
    return p;
}

/* Terms that one output element sums, or more. */
static int64_t count_terms(const Node *n, int k)
{
    Type x = n->in[0]->type;
    if (!strcmp(n->op_name, "Conv") || !strcmp(n->op_name, "ConvTranspose"))
        return product(n->in[1]->type.dims, 1, n->in[1]->type.rank) * (n->op == OP_ConvTranspose ? x.dims[1] : 1);
    if (!strcmp(n->op_name, "MatMul"))
        return x.dims[x.rank - 1];
    if (!strcmp(n->op_name, "Gemm"))
        return product(x.dims, 0, x.rank) / n->out[k]->type.dims[0] + 2;
    if (!strcmp(n->op_name, "AveragePool") || !strcmp(n->op_name, "LRN") || !strcmp(n->op_name, "GlobalAveragePool"))
        return product(x.dims, 1, x.rank);
    if (!strcmp(n->op_name, "Sum") || !strcmp(n->op_name, "Mean"))
        return n->num_in;
    if (!strcmp(n->op_name, "Resize") || !strcmp(n->op_name, "Upsample")) /* and source positions are rounded */
        return 16 + 4 * product(x.dims, 2, x.rank);
    int64_t outputs = type_elems(n->out[k]->type);
    return type_elems(x) / (outputs ? outputs : 1);
}

static void *absolute_copy(const Tensor *t, const void *data)
{
    void *copy = malloc(type_bytes(t->type) + 1);
    if (!copy)
        fail("out of memory: %s", type_text(t->type));
    memcpy(copy, data, type_bytes(t->type));
    if (dtype_is_float(t->type.dtype))
        for (int64_t i = 0; i < type_elems(t->type); i++)
            elem_set(copy, t->type.dtype, i, fabs(elem_get(copy, t->type.dtype, i)));
    return copy;
}

static void sum_bounds(const Graph *g, const Node *n, int k, const void *const *in, double *bound)
{
    void **magnitudes = NEW_ARRAY(void *, n->num_in), **out = NEW_ARRAY(void *, n->num_out);
    for (int i = 0; i < n->num_in; i++)
        magnitudes[i] = n->in[i] ? absolute_copy(n->in[i], in[i]) : NULL;
    for (int i = 0; i < n->num_out; i++)
        out[i] = n->out[i] ? calloc(type_bytes(n->out[i]->type) + 1, 1) : NULL;
    eval_node(g, n, (const void *const *)magnitudes, out);
    DType d = n->out[k]->type.dtype;
    double factor = ((double)count_terms(n, k) + 8) * unit_roundoff(d);
    for (int64_t i = 0; i < type_elems(n->out[k]->type); i++)
        bound[i] = factor * fabs(elem_get(out[k], d, i)) + smallest(d);
    for (int i = 0; i < n->num_in; i++)
        free(magnitudes[i]);
    for (int i = 0; i < n->num_out; i++)
        free(out[i]);
}

/* ---- norms ---- */

static double largest(const Tensor *t, const void *data, int64_t from, int64_t count)
{
    double m = 0;
    for (int64_t i = from; t && i < from + count; i++)
        m = fmax(m, fabs(elem_get(data, t->type.dtype, i)));
    return m;
}

static double largest_of(const Node *n, const void *const *in, int i)
{
    return i < n->num_in && n->in[i] ? largest(n->in[i], in[i], 0, type_elems(n->in[i]->type)) : 0;
}

static double inverse_deviation(const void *x, DType d, int64_t from, int64_t count, double epsilon)
{
    double mean = 0, variance = 0;
    for (int64_t i = from; i < from + count; i++)
        mean += elem_get(x, d, i) / (double)count;
    for (int64_t i = from; i < from + count; i++)
        variance += pow(elem_get(x, d, i) - mean, 2) / (double)count;
    return 1 / sqrt(variance + epsilon);
}

/* A mean of n elements is off by (n + 8) u max|x| at most, which the inverse deviation and the scale magnify; all else
 * is relative. BatchNormalization has given statistics: each element is a group of its own. */
static void norm_bounds(const Node *n, const void *const *in, const void *want, double *bound)
{
    Type x = n->in[0]->type;
    DType d = x.dtype;
    bool batch = !strcmp(n->op_name, "BatchNormalization"), layer = !strcmp(n->op_name, "LayerNormalization");
    int64_t axis = layer ? attr_int(n, "axis") : 2;
    int64_t count = batch ? 1 : product(x.dims, (int)(axis < 0 ? axis + x.rank : axis), x.rank);
    double epsilon = (double)attr_float(n, "epsilon"), scale = largest_of(n, in, 1), bias = largest_of(n, in, 2);
    double shift = batch ? largest_of(n, in, 3) : 0, least = INFINITY;
    for (int64_t i = 0; batch && i < type_elems(n->in[4]->type); i++)
        least = fmin(least, elem_get(in[4], n->in[4]->type.dtype, i));
    for (int64_t from = 0; from < type_elems(x); from += count) {
        double inverse = batch ? 1 / sqrt(least + epsilon) : inverse_deviation(in[0], d, from, count, epsilon);
        double size = largest(n->in[0], in[0], from, count) + shift, terms = (double)count + 16;
        for (int64_t i = from; i < from + count; i++)
            bound[i] =
                unit_roundoff(d) * (terms * (2 * size * inverse * scale + fabs(elem_get(want, d, i))) + 4 * bias) +
                smallest(d);
    }
}

/* ---- all ---- */

/* |y| * relative + offset, in units of u. */
static void simple_bounds(const Tensor *t, const void *want, double relative, double offset, double *bound)
{
    double u = unit_roundoff(t->type.dtype);
    for (int64_t i = 0; i < type_elems(t->type); i++)
        bound[i] = u * (relative * fabs(elem_get(want, t->type.dtype, i)) + offset) + smallest(t->type.dtype);
}

void node_bounds(const Graph *g, const Node *n, int k, const void *const *in, const void *want, double *bound)
{
    const OpRule *r = find_rule(n);
    const Tensor *t = n->out[k];
    int64_t axis = r->rule == SOFTMAX || r->rule == LOG_SOFTMAX ? attr_int(n, "axis") : 0;
    double length = t->type.rank ? (double)t->type.dims[axis < 0 ? axis + t->type.rank : axis] : 1;
    switch (r->rule) {
    case EXACT: break;
    case FEW_ULPS: simple_bounds(t, want, r->ulps, r->offset, bound); break;
    case SUM: sum_bounds(g, n, k, in, bound); break;
    case POSITIVE: simple_bounds(t, want, (double)count_terms(n, k) + 8, 0, bound); break;
    case SOFTMAX: simple_bounds(t, want, length + 120, 0, bound); break;
    case LOG_SOFTMAX: simple_bounds(t, want, 4, length + 120, bound); break;
    case NORM: norm_bounds(n, in, want, bound); break;
    }
}

/* eval_layer bounds everything but what falls below the normal numbers. */
void layer_bounds(const Tensor *t, const float *layer_bound, double *bound)
{
    for (int64_t i = 0; i < type_elems(t->type); i++)
        bound[i] = (double)layer_bound[i] + smallest(t->type.dtype);
}
