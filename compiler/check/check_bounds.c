/* check_bounds.c - how much the generated code's values may differ from the evaluator's, by the rule that
 * each operator names (OpDef.rounding). */
#include "check/check.h"
#include "ops/ops.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static double unit_roundoff(DType d)
{
    return d == DT_F64 ? DBL_EPSILON / 2 : FLT_EPSILON / 2;
}

/* Below the normal numbers rounding is absolute. */
static double smallest(DType d)
{
    return d == DT_F64 ? 4 * DBL_MIN : 4 * (double)FLT_MIN;
}

static double largest(DType d)
{
    return d == DT_F64 ? DBL_MAX : (double)FLT_MAX;
}

/* ---- sums ---- */

static int64_t product(const int64_t *v, int from, int to)
{
    int64_t p = 1;
    for (int i = from; i < to; i++)
        p *= v[i];
    return p;
}

static double count_terms(const Graph *g, const Node *n)
{
    int64_t outputs = type_elems(n->out[0]->type);
    if (op_def(n->op)->terms)
        return op_def(n->op)->terms(g, n);
    return (double)type_elems(n->in[0]->type) / (double)(outputs ? outputs : 1);
}

/* An infinity bounds nothing: it is the result. */
static void *absolute_copy(const Tensor *t, const void *data)
{
    void *copy = malloc(type_bytes(t->type) + 1);
    if (!copy)
        fail("out of memory: %s", type_text(t->type));
    memcpy(copy, data, type_bytes(t->type));
    if (dtype_is_float(t->type.dtype))
        for (int64_t i = 0; i < type_elems(t->type); i++) {
            double size = fabs(elem_get(copy, t->type.dtype, i));
            elem_set(copy, t->type.dtype, i, isfinite(size) ? size : 0);
        }
    return copy;
}

/* Sums of finite terms may leave the range of the type on the way: then order decides. */
static void sum_bounds(const Graph *g, const Node *n, int k, const void *const *in, double *bound)
{
    void **magnitudes = NEW_ARRAY(void *, n->num_in), **out = NEW_ARRAY(void *, n->num_out);
    for (int i = 0; i < n->num_in; i++)
        magnitudes[i] = n->in[i] ? absolute_copy(n->in[i], in[i]) : NULL;
    for (int i = 0; i < n->num_out; i++)
        out[i] = zeroed_values(n->out[i]);
    if (op_def(n->op)->eval_absolute)
        op_def(n->op)->eval_absolute(g, n, (const void *const *)magnitudes, out);
    else
        eval_node(g, n, (const void *const *)magnitudes, out);
    DType d = n->out[k]->type.dtype;
    double factor = (count_terms(g, n) + 8) * unit_roundoff(d);
    for (int64_t i = 0; i < type_elems(n->out[k]->type); i++)
        bound[i] =
            isinf(elem_get(out[k], d, i)) ? NO_BOUND : factor * fabs(elem_get(out[k], d, i)) + smallest(d);
    for (int i = 0; i < n->num_in; i++)
        free(magnitudes[i]);
    for (int i = 0; i < n->num_out; i++)
        free(out[i]);
}

/* ---- norms ---- */

/* Statistics that a normalisation takes over the elements of a group. */
typedef struct Group {
    double count, mean, inverse; /* of the deviation */
    double largest;              /* |x| */
} Group;

typedef struct Norm {
    Type x;
    bool reduced[MAX_RANK]; /* axes inside a group */
    Group *groups;
    double scale, bias; /* the largest */
} Norm;

static double largest_of(const Node *n, const void *const *in, int i)
{
    double m = 0;
    const Tensor *t = i < n->num_in ? n->in[i] : NULL;
    for (int64_t j = 0; t && j < type_elems(t->type); j++)
        m = fmax(m, fabs(elem_get(in[i], t->type.dtype, j)));
    return m;
}

/* InstanceNormalization: from axis 2 on; LayerNormalization: from `axis` on; BatchNormalization: its
 * statistics are given, each element stands alone. */
static void find_axes(const Node *n, Norm *m)
{
    static const int64_t usual[] = {0, 2, 3};
    int count = 0;
    int64_t first = 2;
    if (n->op == OP_BatchNormalization)
        return;
    if (n->op == OP_LayerNormalization)
        first = attr_int(n, "axis");
    if (n->op != OP_MeanVarianceNormalization) {
        for (int64_t k = first < 0 ? first + m->x.rank : first; k < m->x.rank; k++)
            m->reduced[k] = true;
        return;
    }
    const int64_t *axes = attr_ints(n, "axes", &count);
    for (int i = 0; i < (axes ? count : 3); i++) {
        int64_t k = axes ? axes[i] : usual[i];
        m->reduced[k < 0 ? k + m->x.rank : k] = true;
    }
}

static int64_t group_of(const Norm *m, int64_t i)
{
    int64_t group = 0, strides[MAX_RANK];
    dense_strides(m->x, strides);
    for (int k = 0; k < m->x.rank; k++)
        if (!m->reduced[k])
            group = group * m->x.dims[k] + i / strides[k] % m->x.dims[k];
    return group;
}

static void given_statistics(const Node *n, const void *const *in, Norm *m)
{
    DType d = n->in[3]->type.dtype;
    int64_t channels = type_elems(n->in[3]->type), inner = product(m->x.dims, 2, m->x.rank);
    for (int64_t i = 0; i < type_elems(m->x); i++) {
        int64_t c = i / inner % channels;
        Group *g = &m->groups[i];
        g->count = 1;
        g->inverse = 1 / sqrt(elem_get(in[4], d, c) + (double)attr_float(n, "epsilon"));
        g->largest = fabs(elem_get(in[0], m->x.dtype, i)) + fabs(elem_get(in[3], d, c));
    }
}

static void take_statistics(const void *x, double epsilon, Norm *m)
{
    int64_t elements = type_elems(m->x);
    for (int64_t i = 0; i < elements; i++) {
        Group *g = &m->groups[group_of(m, i)];
        double v = elem_get(x, m->x.dtype, i);
        g->count++;
        g->mean += (v - g->mean) / g->count;
        g->largest = fmax(g->largest, fabs(v));
    }
    for (int64_t i = 0; i < elements; i++) {
        Group *g = &m->groups[group_of(m, i)];
        g->inverse += pow(elem_get(x, m->x.dtype, i) - g->mean, 2) / g->count;
    }
    for (int64_t i = 0; i < elements; i++)
        if (m->groups[i].count > 0)
            m->groups[i].inverse = 1 / sqrt(m->groups[i].inverse + epsilon);
}

/* A mean of n elements is off by (n + 8) u max|x| at most, which the inverse deviation and the scale magnify;
 * a variance below the normal numbers has lost digits; all else is relative. Output 1 of LayerNormalization
 * is the mean, output 2 the inverse deviation. */
static double norm_bound(const Norm *m, const Group *g, int k, double want)
{
    double lost = smallest(m->x.dtype) * g->inverse * g->inverse;
    double terms = g->count + 16, relative = 2 * g->largest * g->inverse * (1 + lost);
    if (k == 1)
        return terms * g->largest;
    if (k == 2)
        return terms * g->inverse * (1 + lost + relative);
    return terms * (relative * m->scale + fabs(want)) + 4 * m->bias;
}

/* Whether the sum of the elements of a group stays in the range of the type, on the way too. An infinite
 * element makes all of them NaN. */
static bool has_mean(const Norm *m, const Group *g)
{
    return g->count * g->largest <= largest(m->x.dtype) || isinf(g->largest);
}

static void norm_bounds(const Node *n, int k, const void *const *in, const void *want, double *bound)
{
    Norm m = {
        .x = n->in[0]->type, .scale = n->num_in > 1 ? largest_of(n, in, 1) : 1, .bias = largest_of(n, in, 2)};
    find_axes(n, &m);
    m.groups = calloc((size_t)type_elems(m.x) + 1, sizeof *m.groups);
    if (!m.groups)
        fail("out of memory");
    if (n->op == OP_BatchNormalization)
        given_statistics(n, in, &m);
    else
        take_statistics(in[0],
                        n->op == OP_MeanVarianceNormalization ? 1e-18 : (double)attr_float(n, "epsilon"), &m);
    const Type t = n->out[k]->type;
    for (int64_t i = 0; i < type_elems(t); i++) {
        const Group *g = &m.groups[k ? i : group_of(&m, i)];
        double units = norm_bound(&m, g, k, elem_get(want, t.dtype, i));
        bound[i] = has_mean(&m, g) ? unit_roundoff(t.dtype) * units + smallest(t.dtype) : NO_BOUND;
    }
    free(m.groups);
}

/* ---- all ---- */

/* Up to `size` samples are summed; an image changes by 4 of its largest value per pixel at most, and
 * positions are off by some u times the size of the image and what the grid or the boxes say. */
static double sampled_bound(const Node *n, const void *const *in)
{
    Type x = n->in[0]->type;
    double size = (double)(x.dims[2] * x.dims[3]), length = (double)(x.dims[2] + x.dims[3]);
    return (64 + 4 * size + 16 * length * (1 + largest_of(n, in, 1))) * largest_of(n, in, 0);
}

/* |y| * relative + offset, in units of u. */
static void simple_bounds(const Tensor *t, const void *want, double relative, double offset, double *bound)
{
    double u = unit_roundoff(t->type.dtype);
    for (int64_t i = 0; i < type_elems(t->type); i++)
        bound[i] = u * (relative * fabs(elem_get(want, t->type.dtype, i)) + offset) + smallest(t->type.dtype);
}

static void magnify_bounds(const Graph *g, const Node *n, const void *const *in, const void *want,
                           double *bound)
{
    int64_t count = type_elems(n->out[0]->type);
    double *by = calloc((size_t)count + 1, sizeof *by);
    if (!by)
        fail("out of memory");
    op_def(n->op)->magnify(g, n, in, want, by);
    for (int64_t i = 0; i < count; i++)
        if (bound[i] != NO_BOUND)
            bound[i] = isfinite(by[i]) ? bound[i] * by[i] : NO_BOUND;
    free(by);
}

static void rule_bounds(const Graph *g, const Node *n, int k, const void *const *in, const void *want,
                        double *bound)
{
    const Rounding *r = &op_def(n->op)->rounding;
    const Tensor *t = n->out[k];
    bool softmax = r->rule == ROUND_SOFTMAX || r->rule == ROUND_LOG_SOFTMAX;
    double terms = softmax ? (double)t->type.dims[norm_axis(g, n, attr_int(n, "axis"), t->type.rank)]
                           : count_terms(g, n);
    switch (terms > 0 ? r->rule : ROUND_NOT) {
    case ROUND_NOT: break;
    case ROUND_ULPS: simple_bounds(t, want, r->ulps, r->offset, bound); break;
    case ROUND_SUM: sum_bounds(g, n, k, in, bound); break;
    case ROUND_POSITIVE: simple_bounds(t, want, terms + 8, 0, bound); break;
    case ROUND_LOG_SUM: simple_bounds(t, want, 4, terms + 128, bound); break;
    case ROUND_SOFTMAX: simple_bounds(t, want, terms + 120, 0, bound); break;
    case ROUND_LOG_SOFTMAX: simple_bounds(t, want, 4, terms + 120, bound); break;
    case ROUND_SAMPLED: simple_bounds(t, want, 0, sampled_bound(n, in), bound); break;
    case ROUND_NORM: norm_bounds(n, k, in, want, bound); break;
    }
}

void node_bounds(const Graph *g, const Node *n, int k, const void *const *in, const void *want, double *bound)
{
    if (op_def(n->op)->rounding.rule == ROUND_NOT)
        return;
    rule_bounds(g, n, k, in, want, bound);
    if (op_def(n->op)->magnify && type_elems(n->out[0]->type))
        magnify_bounds(g, n, in, want, bound);
}

/* eval_layer bounds everything but what falls below the normal numbers; NaN: nothing is known. */
void layer_bounds(const Tensor *t, const float *layer_bound, double *bound)
{
    for (int64_t i = 0; i < type_elems(t->type); i++)
        bound[i] = isnan(layer_bound[i]) ? NO_BOUND : (double)layer_bound[i] + smallest(t->type.dtype);
}
