/* op_softmax.c - Softmax, LogSoftmax and Hardmax in the meaning of opset 13: along one axis. */
#include "ops/grad.h"
#include "ops/ops.h"
#include "ops/reference.h"

#include <math.h>

static AxisSplit softmax_split(const Graph *g, const Node *n)
{
    Type x = n->in[0]->type;
    return split_axis(x, norm_axis(g, n, attr_int(n, "axis"), x.rank));
}

static void infer_softmax(Graph *g, Node *n)
{
    softmax_split(g, n);
    if (!dtype_is_float(n->in[0]->type.dtype))
        fail_node(g, n, "%s is not supported for elements of type %s", n->op_name,
                  dtype_name(n->in[0]->type.dtype));
    n->out[0]->type = n->in[0]->type;
}

/* Of an element that is v above the largest; sum: of exp(v) over the line. */
static double line_value(OpKind op, double v, double sum, bool is_best)
{
    if (op == OP_Softmax)
        return exp(v) / sum;
    if (op == OP_LogSoftmax)
        return v - log(sum);
    return is_best;
}

/* One line of n elements, `step` apart, from element `first` on. */
static void eval_line(OpKind op, DType d, const void *x, void *y, int64_t first, int64_t n, int64_t step)
{
    int64_t best = 0;
    double sum = 0;
    for (int64_t k = 1; k < n; k++)
        if (is_larger(elem_get(x, d, first + k * step), elem_get(x, d, first + best * step)))
            best = k;
    double m = n ? elem_get(x, d, first + best * step) : 0;
    for (int64_t k = 0; k < n; k++)
        sum += exp(elem_get(x, d, first + k * step) - m);
    for (int64_t k = 0; k < n; k++) {
        double v = elem_get(x, d, first + k * step) - m;
        elem_set(y, d, first + k * step, line_value(op, v, sum, k == best));
    }
}

static void eval_softmax(const Graph *g, const Node *n, const void *const *in, void *const *out)
{
    AxisSplit s = softmax_split(g, n);
    for (int64_t o = 0; o < s.outer; o++)
        for (int64_t i = 0; i < s.inner; i++)
            eval_line(n->op, n->in[0]->type.dtype, in[0], out[0], o * s.n * s.inner + i, s.n, s.inner);
}

/* One line: Softmax dx = y (dy - sum dy y), LogSoftmax dx = dy - exp(y) sum dy */
static void grad_line(bool is_log, const float *y, const float *dy, float *dx, int64_t n, int64_t step)
{
    double sum = 0;
    for (int64_t k = 0; k < n; k++)
        sum += (double)dy[k * step] * (is_log ? 1 : (double)y[k * step]);
    for (int64_t k = 0; k < n; k++) {
        double v = (double)y[k * step], w = (double)dy[k * step];
        dx[k * step] += (float)(is_log ? w - exp(v) * sum : v * (w - sum));
    }
}

static void grad_softmax(const Graph *g, const Node *n, const Gradient *d)
{
    AxisSplit s = softmax_split(g, n);
    for (int64_t o = 0; o < s.outer; o++)
        for (int64_t i = 0; i < s.inner; i++) {
            int64_t at = o * s.n * s.inner + i;
            grad_line(n->op == OP_LogSoftmax, (const float *)d->out[0] + at, d->dout[0] + at, d->din[0] + at,
                      s.n, s.inner);
        }
}

static const char *softmax_kernel(OpKind op)
{
    if (op == OP_Softmax)
        return "softmax";
    return op == OP_LogSoftmax ? "log_softmax" : "hardmax";
}

static void emit_softmax(Emitter *e, const Node *n)
{
    AxisSplit s = softmax_split(emit_plan(e)->g, n);
    if (type_elems(n->out[0]->type) == 0)
        return;
    emit_line(e, "%s(%s, %s, %s);", emit_kernel(e, softmax_kernel(n->op), n->in[0]->type.dtype),
              emit_ptr(e, n->out[0]), emit_ptr(e, n->in[0]), split_text(s));
}

#define SOFTMAX(op, rounds, gradient)                                                                        \
    const OpDef op_##op = {.name = #op,                                                                      \
                           .min_in = 1,                                                                      \
                           .max_in = 1,                                                                      \
                           .min_out = 1,                                                                     \
                           .max_out = 1,                                                                     \
                           .attrs = {{.name = "axis", .type = ATTR_INT, .i = -1}},                           \
                           .in_place = true,                                                                 \
                           .infer = infer_softmax,                                                           \
                           .eval = eval_softmax,                                                             \
                           .rounding = {.rule = rounds},                                                     \
                           .emit = emit_softmax,                                                             \
                           .grad = gradient}
SOFTMAX(Softmax, ROUND_SOFTMAX, grad_softmax);
SOFTMAX(LogSoftmax, ROUND_LOG_SOFTMAX, grad_softmax);
SOFTMAX(Hardmax, ROUND_NOT, NULL);
