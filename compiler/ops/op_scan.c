/* op_scan.c - operators that walk along one axis: ArgMax, ArgMin, CumSum. Kernels: runtime/reduce*.h. */
#include "ops/ops.h"
#include "ops/reference.h"

/* ---- ArgMax, ArgMin ---- */

static AxisSplit arg_split(const Graph *g, const Node *n)
{
    Type x = n->in[0]->type;
    return split_axis(x, norm_axis(g, n, attr_int(n, "axis"), x.rank));
}

static void infer_arg(Graph *g, Node *n)
{
    Type x = n->in[0]->type, y = {.dtype = DT_I64};
    int64_t axis = norm_axis(g, n, attr_int(n, "axis"), x.rank);
    if (x.dtype == DT_BOOL)
        fail_node(g, n, "%s is not supported for elements of type bool", n->op_name);
    if (x.dims[axis] == 0)
        fail_node(g, n, "%s along an axis without elements", n->op_name);
    for (int k = 0; k < x.rank; k++)
        if (k != axis)
            y.dims[y.rank++] = x.dims[k];
        else if (attr_int(n, "keepdims"))
            y.dims[y.rank++] = 1;
    n->out[0]->type = y;
}

/* Above 0: element a is before element b, the larger one with sign 1, the smaller one with sign -1, NaN
 * before all numbers; 0: neither. */
static int compare(const void *x, DType d, int64_t a, int64_t b, int sign)
{
    if (d == DT_I64 || d == DT_U64) {
        int64_t i = ((const int64_t *)x)[a], j = ((const int64_t *)x)[b];
        return sign *
               (d == DT_I64 ? (i > j) - (i < j) : ((uint64_t)i > (uint64_t)j) - ((uint64_t)i < (uint64_t)j));
    }
    double i = sign * elem_get(x, d, a), j = sign * elem_get(x, d, b);
    return is_larger(i, j) - is_larger(j, i);
}

static void eval_arg(const Graph *g, const Node *n, const void *const *in, void *const *out)
{
    AxisSplit s = arg_split(g, n);
    DType d = n->in[0]->type.dtype;
    bool last = attr_int(n, "select_last_index") != 0;
    int sign = n->op == OP_ArgMin ? -1 : 1;
    int64_t *y = out[0];
    for (int64_t o = 0; o < s.outer; o++)
        for (int64_t i = 0; i < s.inner; i++) {
            int64_t first = o * s.n * s.inner + i, best = 0;
            for (int64_t k = 1; k < s.n; k++) {
                int order = compare(in[0], d, first + k * s.inner, first + best * s.inner, sign);
                if (order > 0 || (last && order == 0))
                    best = k;
            }
            *y++ = best;
        }
}

static void emit_arg(Emitter *e, const Node *n)
{
    AxisSplit s = arg_split(emit_plan(e)->g, n);
    const char *kernel = emit_kernel(e, n->op == OP_ArgMin ? "argmin" : "argmax", n->in[0]->type.dtype);
    emit_line(e, "%s(%s, %s, %s, %d);", kernel, emit_ptr(e, n->out[0]), emit_ptr(e, n->in[0]), split_text(s),
              attr_int(n, "select_last_index") != 0);
}

#define ARG(op)                                                                                              \
    const OpDef op_##op = {.name = #op,                                                                      \
                           .min_in = 1,                                                                      \
                           .max_in = 1,                                                                      \
                           .min_out = 1,                                                                     \
                           .max_out = 1,                                                                     \
                           .attrs = {{.name = "axis", .type = ATTR_INT, .i = 0},                             \
                                     {.name = "keepdims", .type = ATTR_INT, .i = 1},                         \
                                     {.name = "select_last_index", .type = ATTR_INT, .i = 0}},               \
                           .infer = infer_arg,                                                               \
                           .eval = eval_arg,                                                                 \
                           .emit = emit_arg}
ARG(ArgMax);
ARG(ArgMin);

/* ---- CumSum ---- */

static AxisSplit cumsum_split(const Graph *g, const Node *n)
{
    int64_t count;
    const int64_t *axis = const_ints(g, n, 1, &count);
    if (count != 1)
        fail_node(g, n, "the axis must be a single number");
    return split_axis(n->in[0]->type, norm_axis(g, n, axis[0], n->in[0]->type.rank));
}

static void infer_cumsum(Graph *g, Node *n)
{
    cumsum_split(g, n);
    if (dtype_size(n->in[0]->type.dtype) < 4)
        fail_node(g, n, "elements must be float, double or 32- or 64-bit integers");
    n->out[0]->type = n->in[0]->type;
}

/* Floating types in double; integers modulo 2^bits. */
static void add_running(DType d, const void *x, void *y, int64_t i, bool exclusive, double *sum,
                        uint64_t *bits)
{
    double before = *sum;
    uint64_t bits_before = *bits;
    if (dtype_is_float(d)) {
        *sum += elem_get(x, d, i);
        elem_set(y, d, i, exclusive ? before : *sum);
    } else if (dtype_size(d) == 8) {
        *bits += ((const uint64_t *)x)[i];
        ((uint64_t *)y)[i] = exclusive ? bits_before : *bits;
    } else {
        *bits += ((const uint32_t *)x)[i];
        ((uint32_t *)y)[i] = (uint32_t)(exclusive ? bits_before : *bits);
    }
}

static void eval_cumsum(const Graph *g, const Node *n, const void *const *in, void *const *out)
{
    AxisSplit s = cumsum_split(g, n);
    bool exclusive = attr_int(n, "exclusive") != 0, reverse = attr_int(n, "reverse") != 0;
    for (int64_t o = 0; o < s.outer; o++)
        for (int64_t i = 0; i < s.inner; i++) {
            double sum = 0;
            uint64_t bits = 0;
            for (int64_t k = 0; k < s.n; k++) {
                int64_t at = (o * s.n + (reverse ? s.n - 1 - k : k)) * s.inner + i;
                add_running(n->in[0]->type.dtype, in[0], out[0], at, exclusive, &sum, &bits);
            }
        }
}

static void emit_cumsum(Emitter *e, const Node *n)
{
    AxisSplit s = cumsum_split(emit_plan(e)->g, n);
    DType d = n->in[0]->type.dtype;
    emit_line(e, "%s(%s, %s, %s, %d, %d);", emit_kernel(e, dtype_is_float(d) ? "cumsum" : "cumsum_int", d),
              emit_ptr(e, n->out[0]), emit_ptr(e, n->in[0]), split_text(s), attr_int(n, "exclusive") != 0,
              attr_int(n, "reverse") != 0);
}

static double cumsum_terms(const Graph *g, const Node *n)
{
    return (double)cumsum_split(g, n).n;
}

const OpDef op_CumSum = {
    .name = "CumSum",
    .min_in = 2,
    .max_in = 2,
    .min_out = 1,
    .max_out = 1,
    .attrs = {{.name = "exclusive", .type = ATTR_INT}, {.name = "reverse", .type = ATTR_INT}},
    .in_place = true,
    .infer = infer_cumsum,
    .eval = eval_cumsum,
    .rounding = {.rule = ROUND_SUM},
    .terms = cumsum_terms,
    .emit = emit_cumsum};
