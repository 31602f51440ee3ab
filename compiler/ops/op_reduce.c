/* op_reduce.c - the Reduce operators: one table of what is done with every element, how elements are joined
 * and what is done with the result.
 *
 * Generated code walks the kept dimensions, and inside them the reduced ones, with literal strides, and calls
 * the scalar kernels of runtime/. The evaluator has its own arithmetic: double for floating types, 64 bits
 * for integers. */
#include "ops/grad.h"
#include "ops/ops.h"
#include "ops/reference.h"

#include <float.h>
#include <math.h>
#include <string.h>

typedef enum Each { EACH_SAME, EACH_ABS, EACH_SQUARE, EACH_EXP } Each;
typedef enum Join { JOIN_SUM, JOIN_PROD, JOIN_MAX, JOIN_MIN } Join;
typedef enum Finish { FINISH_NONE, FINISH_MEAN, FINISH_SQRT, FINISH_LOG } Finish;

/* EACH_EXP with FINISH_LOG works relative to the largest element. */
typedef struct ReduceOp {
    Each each;
    Join join;
    Finish finish;
} ReduceOp;

static const ReduceOp reduce_ops[NUM_OPS] = {
    [OP_ReduceSum] = {EACH_SAME, JOIN_SUM, FINISH_NONE},
    [OP_ReduceMean] = {EACH_SAME, JOIN_SUM, FINISH_MEAN},
    [OP_ReduceProd] = {EACH_SAME, JOIN_PROD, FINISH_NONE},
    [OP_ReduceMax] = {EACH_SAME, JOIN_MAX, FINISH_NONE},
    [OP_ReduceMin] = {EACH_SAME, JOIN_MIN, FINISH_NONE},
    [OP_ReduceL1] = {EACH_ABS, JOIN_SUM, FINISH_NONE},
    [OP_ReduceL2] = {EACH_SQUARE, JOIN_SUM, FINISH_SQRT},
    [OP_ReduceLogSum] = {EACH_SAME, JOIN_SUM, FINISH_LOG},
    [OP_ReduceLogSumExp] = {EACH_EXP, JOIN_SUM, FINISH_LOG},
    [OP_ReduceSumSquare] = {EACH_SQUARE, JOIN_SUM, FINISH_NONE},
};

static bool is_unsigned(DType d)
{
    return d == DT_U8 || d == DT_U16 || d == DT_U32 || d == DT_U64;
}

/* ---- types ---- */

/* Which dimensions of input 0 are reduced. */
static void find_axes(const Graph *g, const Node *n, bool *reduced)
{
    int rank = n->in[0]->type.rank, attr_count = 0;
    int64_t count = 0;
    const int64_t *axes = NULL;
    bool none = false; /* without axes nothing is reduced, instead of everything */
    if (n->op == OP_ReduceSum) {
        axes = const_ints(g, n, 1, &count);
        none = attr_int(n, "noop_with_empty_axes") != 0;
    } else {
        axes = attr_ints(n, "axes", &attr_count);
        count = attr_count;
    }
    for (int k = 0; k < MAX_RANK; k++)
        reduced[k] = count == 0 && !none && k < rank;
    for (int64_t i = 0; i < count; i++) {
        int64_t a = norm_axis(g, n, axes[i], rank);
        if (reduced[a])
            fail_node(g, n, "axis %s is listed twice", int_text(a));
        reduced[a] = true;
    }
}

static void infer_reduce(Graph *g, Node *n)
{
    const ReduceOp *op = &reduce_ops[n->op];
    Type x = n->in[0]->type, y = {.dtype = x.dtype};
    bool reduced[MAX_RANK], empty = false;
    find_axes(g, n, reduced);
    for (int k = 0; k < x.rank; k++) {
        empty |= reduced[k] && x.dims[k] == 0;
        if (!reduced[k])
            y.dims[y.rank++] = x.dims[k];
        else if (attr_int(n, "keepdims"))
            y.dims[y.rank++] = 1;
    }
    if (x.dtype == DT_BOOL)
        fail_node(g, n, "%s is not supported for elements of type bool", n->op_name);
    if (!dtype_is_float(x.dtype) && (op->finish == FINISH_SQRT || op->finish == FINISH_LOG))
        fail_node(g, n, "%s is supported for float and double, not for %s", n->op_name, dtype_name(x.dtype));
    if (empty && (op->join == JOIN_MAX || op->join == JOIN_MIN || op->finish == FINISH_MEAN))
        fail_node(g, n, "%s of no elements", n->op_name);
    n->out[0]->type = y;
}

/* ---- loops ---- */

typedef struct Nest {
    Loops kept;    /* operands: y, x */
    Loops reduced; /* operand: x */
    int64_t count; /* elements that make one */
} Nest;

static Nest make_nest(const Graph *g, const Node *n)
{
    Type x = n->in[0]->type, over[2] = {{.dtype = x.dtype}, {.dtype = x.dtype}}; /* kept, reduced */
    bool reduced[MAX_RANK];
    int64_t own[MAX_RANK], (*kept_strides)[MAX_RANK] = mem_array(2, sizeof *kept_strides),
                           (*reduced_strides)[MAX_RANK] = mem_array(1, sizeof *reduced_strides);
    find_axes(g, n, reduced);
    dense_strides(x, own);
    for (int k = 0; k < x.rank; k++) {
        Type *t = &over[reduced[k]];
        (reduced[k] ? reduced_strides[0] : kept_strides[1])[t->rank] = own[k];
        t->dims[t->rank++] = x.dims[k];
    }
    dense_strides(over[0], kept_strides[0]);
    Nest nest = {loops_make(over[0], 2, kept_strides), loops_make(over[1], 1, reduced_strides),
                 type_elems(over[1])};
    nest.reduced.var = 'j';
    return nest;
}

/* ---- evaluation ---- */

/* Products are rounded one by one, so that they overflow and vanish where generated code does. */
static double join_floats(Join join, double a, double b, DType d)
{
    switch (join) {
    case JOIN_SUM: return a + b;
    case JOIN_PROD: return elem_rounded(a * b, d);
    case JOIN_MAX: return a > b || isnan(a) ? a : b;
    case JOIN_MIN: return a < b || isnan(a) ? a : b;
    }
    bug("join %d", (int)join);
}

/* m: the largest element, for EACH_EXP */
static double each_value(Each each, double v, double m, DType d)
{
    switch (each) {
    case EACH_SAME: return v;
    case EACH_ABS: return fabs(v);
    case EACH_SQUARE: return elem_rounded(v * v, d);
    case EACH_EXP: return exp(v - m);
    }
    bug("each %d", (int)each);
}

static double reduce_floats(const ReduceOp *op, const Nest *nest, const void *x, DType d, int64_t base)
{
    static const double starts[] = {
        [JOIN_SUM] = 0, [JOIN_PROD] = 1, [JOIN_MAX] = -INFINITY, [JOIN_MIN] = INFINITY};
    const ReduceOp largest = {EACH_SAME, JOIN_MAX, FINISH_NONE};
    double acc = starts[op->join], m = 0;
    int64_t at[MAX_RANK] = {0};
    if (op->each == EACH_EXP) {
        m = reduce_floats(&largest, nest, x, d, base);
        if (isinf(m))
            return m;
    }
    if (nest->count > 0)
        do {
            double v = elem_get(x, d, base + loops_position(&nest->reduced, 0, at, nest->reduced.rank));
            acc = join_floats(op->join, acc, each_value(op->each, v, m, d), d);
        } while (loops_next(&nest->reduced, at, nest->reduced.rank));
    acc = elem_rounded(acc, d);
    switch (op->finish) {
    case FINISH_MEAN: return acc / (double)nest->count;
    case FINISH_SQRT: return sqrt(acc);
    case FINISH_LOG: return m + log(acc);
    case FINISH_NONE: break;
    }
    return acc;
}

/* Integers are handled as 64 bits, sign- or zero-extended. */
static uint64_t get_bits(const void *data, DType d, int64_t i)
{
    if (dtype_size(d) == 8)
        return ((const uint64_t *)data)[i];
    return (uint64_t)(int64_t)elem_get(data, d, i);
}

static void set_bits(void *data, DType d, int64_t i, uint64_t v)
{
    switch (dtype_size(d)) {
    case 1: ((uint8_t *)data)[i] = (uint8_t)v; return;
    case 2: ((uint16_t *)data)[i] = (uint16_t)v; return;
    case 4: ((uint32_t *)data)[i] = (uint32_t)v; return;
    default: ((uint64_t *)data)[i] = v;
    }
}

static uint64_t join_ints(Join join, bool is_signed, uint64_t a, uint64_t b)
{
    bool more = is_signed ? (int64_t)a > (int64_t)b : a > b;
    switch (join) {
    case JOIN_SUM: return a + b;
    case JOIN_PROD: return a * b;
    case JOIN_MAX: return more ? a : b;
    case JOIN_MIN: return more ? b : a;
    }
    bug("join %d", (int)join);
}

static uint64_t reduce_ints(const ReduceOp *op, const Nest *nest, const void *x, DType d, int64_t base)
{
    bool is_signed = !is_unsigned(d), first = op->join == JOIN_MAX || op->join == JOIN_MIN;
    uint64_t acc = op->join == JOIN_PROD;
    int64_t at[MAX_RANK] = {0};
    if (nest->count > 0)
        do {
            uint64_t v = get_bits(x, d, base + loops_position(&nest->reduced, 0, at, nest->reduced.rank));
            if (op->each == EACH_ABS && is_signed && (int64_t)v < 0)
                v = 0 - v;
            else if (op->each == EACH_SQUARE)
                v *= v;
            acc = first ? v : join_ints(op->join, is_signed, acc, v);
            first = false;
        } while (loops_next(&nest->reduced, at, nest->reduced.rank));
    if (op->finish == FINISH_MEAN)
        return is_signed ? (uint64_t)((int64_t)acc / nest->count) : acc / (uint64_t)nest->count;
    return acc;
}

static void eval_reduce(const Graph *g, const Node *n, const void *const *in, void *const *out)
{
    const ReduceOp *op = &reduce_ops[n->op];
    DType d = n->in[0]->type.dtype;
    Nest nest = make_nest(g, n);
    int64_t at[MAX_RANK] = {0};
    if (type_elems(n->out[0]->type) == 0)
        return;
    do {
        int64_t y = loops_position(&nest.kept, 0, at, nest.kept.rank);
        int64_t x = loops_position(&nest.kept, 1, at, nest.kept.rank);
        if (dtype_is_float(d))
            elem_set(out[0], d, y, reduce_floats(op, &nest, in[0], d, x));
        else
            set_bits(out[0], d, y, reduce_ints(op, &nest, in[0], d, x));
    } while (loops_next(&nest.kept, at, nest.kept.rank));
}

/* ---- bounds ---- */

/* Of the logarithm of a sum, by the sum of |x|: 1 / |the sum|, unless rounding can halve it: then nothing is
 * known of its logarithm. */
static double cancelled_sum_factor(double sum, double size, int64_t terms, DType d)
{
    double u = (d == DT_F64 ? DBL_EPSILON : (double)FLT_EPSILON) / 2, error = (double)(terms + 8) * u * size;
    return 2 * error < fabs(sum) ? size / fabs(sum) : INFINITY;
}

/* The sum of |x| over |the sum of x|, and how y, a root, follows from digits that small squares lost. */
static void magnify_reduce(const Graph *g, const Node *n, const void *const *in, const void *want, double *by)
{
    (void)want;
    static const ReduceOp sizes = {EACH_ABS, JOIN_SUM, FINISH_NONE}, sum = {EACH_SAME, JOIN_SUM, FINISH_NONE};
    static const ReduceOp squares = {EACH_SQUARE, JOIN_SUM, FINISH_NONE};
    DType d = n->in[0]->type.dtype;
    Nest nest = make_nest(g, n);
    int64_t at[MAX_RANK] = {0}, terms = type_elems(n->in[0]->type) / type_elems(n->out[0]->type);
    do {
        int64_t x = loops_position(&nest.kept, 1, at, nest.kept.rank);
        double *to = &by[loops_position(&nest.kept, 0, at, nest.kept.rank)];
        if (n->op == OP_ReduceL2)
            *to = small_sum_factor(reduce_floats(&squares, &nest, in[0], d, x), d);
        else
            *to = cancelled_sum_factor(reduce_floats(&sum, &nest, in[0], d, x),
                                       reduce_floats(&sizes, &nest, in[0], d, x), terms, d);
    } while (loops_next(&nest.kept, at, nest.kept.rank));
}

/* ---- gradients ---- */

/* dy / dx for an element x of the `count` that make y; *taken: whether one of them already is the maximum or
 * minimum */
static double reduce_slope(OpKind op, double x, double y, int64_t count, bool *taken)
{
    switch (op) {
    case OP_ReduceSum: return 1;
    case OP_ReduceMean: return 1 / (double)count;
    case OP_ReduceL1: return sign_of(x);
    case OP_ReduceL2: return y > 0 ? x / y : 0;
    case OP_ReduceSumSquare: return 2 * x;
    case OP_ReduceLogSum: return 1 / exp(y);
    case OP_ReduceLogSumExp: return exp(x - y);
    case OP_ReduceProd: return y / x;
    default: break;
    }
    bool first = !*taken && x >= y && x <= y;
    *taken |= first;
    return first;
}

static void grad_reduce(const Graph *g, const Node *n, const Gradient *d)
{
    Nest nest = make_nest(g, n);
    int64_t at[MAX_RANK] = {0};
    const float *x = d->in[0], *y = d->out[0];
    do {
        int64_t to = loops_position(&nest.kept, 0, at, nest.kept.rank), inner[MAX_RANK] = {0};
        int64_t from = loops_position(&nest.kept, 1, at, nest.kept.rank);
        bool taken = false;
        do {
            int64_t i = from + loops_position(&nest.reduced, 0, inner, nest.reduced.rank);
            double slope = reduce_slope(n->op, (double)x[i], (double)y[to], nest.count, &taken);
            d->din[0][i] += (float)(slope * (double)d->dout[0][to]);
        } while (loops_next(&nest.reduced, inner, nest.reduced.rank));
    } while (loops_next(&nest.kept, at, nest.kept.rank));
}

/* ---- emission ---- */

static const char *reduce_kernel(Emitter *e, const char *name, DType d)
{
    return emit_kernel(e, dtype_is_float(d) ? name : mem_printf("%s_int", name), d);
}

static const char *start_text(Join join, DType d)
{
    if (join == JOIN_SUM || join == JOIN_PROD)
        return join == JOIN_PROD ? "1" : "0";
    if (dtype_is_float(d))
        return join == JOIN_MAX ? "-INFINITY" : "INFINITY";
    if (join == JOIN_MAX && is_unsigned(d))
        return "0";
    const char *sign = is_unsigned(d) ? "U" : "";
    return mem_printf("%sINT%d_%s", sign, (int)(8 * dtype_size(d)), join == JOIN_MAX ? "MIN" : "MAX");
}

static const char *each_text(Emitter *e, Each each, DType d, const char *x)
{
    if (each == EACH_EXP)
        return mem_printf("%s(%s, m)", emit_kernel(e, "exp_below", d), x);
    if (each == EACH_SQUARE)
        return mem_printf("%s(%s)", reduce_kernel(e, "square", d), x);
    if (each == EACH_ABS && !is_unsigned(d))
        return mem_printf("%s(%s)", reduce_kernel(e, "abs", d), x);
    return x;
}

/* The loop that leaves in the new variable `name`, of type d, what the elements join to. */
static void emit_join(Emitter *e, const Nest *nest, Each each, Join join, DType x_type, DType d,
                      const char *name)
{
    static const char *const steps[] = {
        [JOIN_SUM] = "add", [JOIN_PROD] = "mul", [JOIN_MAX] = "max", [JOIN_MIN] = "min"};
    const char *outer = loops_index(&nest->kept, 1), *inner = loops_index(&nest->reduced, 0);
    const char *x = strcmp(outer, "0") ? mem_printf("x[%s + %s]", outer, inner) : mem_printf("x[%s]", inner);
    if (x_type != d)
        x = mem_printf("(%s)%s", dtype_c(d), x);
    emit_line(e, "%s %s = %s;", dtype_c(d), name, start_text(join, d));
    emit_loops_open(e, &nest->reduced);
    emit_line(e, "%s = %s(%s, %s);", name, reduce_kernel(e, steps[join], d), name, each_text(e, each, d, x));
    emit_loops_close(e, &nest->reduced);
}

static const char *finish_text(Emitter *e, const ReduceOp *op, DType d, int64_t count)
{
    if (op->each == EACH_EXP)
        return mem_printf("%s(acc, m)", emit_kernel(e, "log_sum_exp", d));
    if (op->finish == FINISH_SQRT)
        return mem_printf("%s(acc)", emit_kernel(e, "sqrt", d));
    if (op->finish == FINISH_LOG)
        return mem_printf("%s(acc)", emit_kernel(e, "log", d));
    if (op->finish == FINISH_MEAN)
        return dtype_is_float(d) ? mem_printf("acc / %s", float_text((double)count, d))
                                 : mem_printf("acc / %s", int_text(count));
    return "acc";
}

/* The mean of integers is computed in 64 bits, everything else in the type of the tensor. */
static void emit_reduce(Emitter *e, const Node *n)
{
    const ReduceOp *op = &reduce_ops[n->op];
    DType type = n->in[0]->type.dtype, d = type;
    Nest nest = make_nest(emit_plan(e)->g, n);
    if (type_elems(n->out[0]->type) == 0)
        return;
    if (op->finish == FINISH_MEAN && !dtype_is_float(type))
        d = is_unsigned(type) ? DT_U64 : DT_I64;
    emit_line(e, "{");
    emit_line(e, "%s *y = %s;", dtype_c(type), emit_ptr(e, n->out[0]));
    emit_line(e, "const %s *x = %s;", dtype_c(type), emit_ptr(e, n->in[0]));
    emit_loops_open(e, &nest.kept);
    if (op->each == EACH_EXP)
        emit_join(e, &nest, EACH_SAME, JOIN_MAX, type, d, "m");
    emit_join(e, &nest, op->each, op->join, type, d, "acc");
    const char *to = loops_index(&nest.kept, 0), *finish = finish_text(e, op, d, nest.count);
    if (d == type)
        emit_line(e, "y[%s] = %s;", to, finish);
    else
        emit_line(e, "y[%s] = (%s)(%s);", to, dtype_c(type), finish);
    emit_loops_close(e, &nest.kept);
    emit_line(e, "}");
}

/* ---- the table ---- */

#define REDUCE(op, rounds, magnified, most, ...)                                                             \
    const OpDef op_##op = {.name = #op,                                                                      \
                           .min_in = 1,                                                                      \
                           .max_in = most,                                                                   \
                           .min_out = 1,                                                                     \
                           .max_out = 1,                                                                     \
                           .attrs = {{.name = "keepdims", .type = ATTR_INT, .i = 1}, __VA_ARGS__},           \
                           .infer = infer_reduce,                                                            \
                           .eval = eval_reduce,                                                              \
                           .rounding = {.rule = rounds},                                                     \
                           .magnify = magnified,                                                             \
                           .emit = emit_reduce,                                                              \
                           .grad = grad_reduce}
#define AXES_ATTR                                                                                            \
    {                                                                                                        \
        .name = "axes", .type = ATTR_INTS                                                                    \
    }
REDUCE(ReduceSum, ROUND_SUM, NULL, 2, {.name = "noop_with_empty_axes", .type = ATTR_INT});
REDUCE(ReduceMean, ROUND_SUM, NULL, 1, AXES_ATTR);
REDUCE(ReduceProd, ROUND_POSITIVE, NULL, 1, AXES_ATTR);
REDUCE(ReduceMax, ROUND_NOT, NULL, 1, AXES_ATTR);
REDUCE(ReduceMin, ROUND_NOT, NULL, 1, AXES_ATTR);
REDUCE(ReduceL1, ROUND_POSITIVE, NULL, 1, AXES_ATTR);
REDUCE(ReduceL2, ROUND_POSITIVE, magnify_reduce, 1, AXES_ATTR);
REDUCE(ReduceLogSum, ROUND_LOG_SUM, magnify_reduce, 1, AXES_ATTR);
REDUCE(ReduceLogSumExp, ROUND_LOG_SUM, NULL, 1, AXES_ATTR);
REDUCE(ReduceSumSquare, ROUND_POSITIVE, NULL, 1, AXES_ATTR);
