/* op_loss.c - NegativeLogLikelihoodLoss; SoftmaxCrossEntropyLoss becomes LogSoftmax and this
 * (passes/upgrade.c). */
#include "ops/ops.h"

#include <math.h>
#include <string.h>

typedef enum Reduction { REDUCE_NONE, REDUCE_SUM, REDUCE_MEAN } Reduction;

static Reduction reduction_of(const Graph *g, const Node *n)
{
    static const char *const names[] = {"none", "sum", "mean"};
    const char *s = attr_string(n, "reduction");
    for (int i = 0; i < 3; i++)
        if (!strcmp(s, names[i]))
            return (Reduction)i;
    fail_node(g, n, "attribute 'reduction' is '%s', not none, sum or mean", s);
}

static const Tensor *weights_of(const Node *n)
{
    return n->num_in > 2 ? n->in[2] : NULL;
}

static void infer_nll(Graph *g, Node *n)
{
    Type x = n->in[0]->type, labels = n->in[1]->type;
    if (x.dtype != DT_F32 && x.dtype != DT_F64)
        fail_node(g, n, "unsupported: %s of %s", n->op_name, dtype_name(x.dtype));
    if (labels.dtype != DT_I32 && labels.dtype != DT_I64)
        fail_node(g, n, "labels must be int32 or int64, not %s", dtype_name(labels.dtype));
    bool fits = x.rank >= 2 && labels.rank == x.rank - 1 && x.dims[0] == labels.dims[0];
    for (int i = 1; fits && i < labels.rank; i++)
        fits = labels.dims[i] == x.dims[i + 1];
    if (!fits || x.dims[1] < 1)
        fail_node(g, n, "labels %s do not fit scores %s", type_text(labels), type_text(x));
    Type w = weights_of(n) ? weights_of(n)->type : type_make(x.dtype, 1, &x.dims[1]);
    if (w.dtype != x.dtype || w.rank != 1 || w.dims[0] != x.dims[1])
        fail_node(g, n, "weights %s for %s classes", type_text(w), int_text(x.dims[1]));
    if (type_elems(x) > INT32_MAX)
        fail_node(g, n, "unsupported: more than %d elements", INT32_MAX);
    labels.dtype = x.dtype;
    n->out[0]->type = reduction_of(g, n) == REDUCE_NONE ? labels : type_make(x.dtype, 0, NULL);
}

static bool is_ignored(const Node *n, int64_t label)
{
    const Attr *ignore = node_attr(n, "ignore_index");
    return ignore && label == ignore->i;
}

/* The loss of label i, and its weight. */
static double one_loss(const Node *n, const void *const *in, int64_t i, double *weight)
{
    AxisSplit s = split_axis(n->in[0]->type, 1);
    DType d = n->in[0]->type.dtype;
    int64_t label =
        n->in[1]->type.dtype == DT_I64 ? ((const int64_t *)in[1])[i] : ((const int32_t *)in[1])[i];
    int64_t c = clamp(label, 0, s.n - 1);
    *weight = weights_of(n) ? elem_get(in[2], d, c) : 1;
    if (is_ignored(n, label))
        *weight = 0;
    return *weight == 0 ? 0 : -elem_get(in[0], d, (i / s.inner * s.n + c) * s.inner + i % s.inner) * *weight;
}

static void eval_nll(const Graph *g, const Node *n, const void *const *in, void *const *out)
{
    Reduction reduction = reduction_of(g, n);
    DType d = n->in[0]->type.dtype;
    double sum = 0, total = 0;
    for (int64_t i = 0; i < type_elems(n->in[1]->type); i++) {
        double weight, loss = one_loss(n, in, i, &weight);
        sum += loss;
        total += weight;
        if (reduction == REDUCE_NONE)
            elem_set(out[0], d, i, loss);
    }
    if (reduction != REDUCE_NONE)
        elem_set(out[0], d, 0, reduction == REDUCE_SUM ? sum : elem_rounded(sum, d) / elem_rounded(total, d));
}

/* Weights of both signs may cancel, m = the sum of |w| over |the sum of w|: the quotient is off by m times
 * what the sum of the losses is, and by m^2 times that for its own sum. */
static void magnify_nll(const Graph *g, const Node *n, const void *const *in, const void *want, double *by)
{
    (void)want;
    double total = 0, size = 0;
    for (int64_t i = 0; i < type_elems(n->out[0]->type); i++)
        by[i] = 1;
    if (reduction_of(g, n) != REDUCE_MEAN)
        return;
    for (int64_t i = 0; i < type_elems(n->in[1]->type); i++) {
        double weight;
        one_loss(n, in, i, &weight);
        total += weight;
        size += fabs(weight);
    }
    if (size > 0)
        by[0] = size / fabs(total) * (1 + size / fabs(total));
}

static void emit_nll(Emitter *e, const Node *n)
{
    AxisSplit s = split_axis(n->in[0]->type, 1);
    const Attr *ignore = node_attr(n, "ignore_index");
    const int64_t ignored = ignore ? ignore->i : 0;
    const char *weights = weights_of(n) ? emit_ptr(e, n->in[2]) : "NULL";
    emit_line(e, "%s(%s, %s, %s, %d, %s, %s, %d, %s, %d);", emit_kernel(e, "nll_loss", n->in[0]->type.dtype),
              emit_ptr(e, n->out[0]), emit_ptr(e, n->in[0]), emit_ptr(e, n->in[1]),
              n->in[1]->type.dtype == DT_I64, weights, split_text(s), ignore != NULL,
              emit_literal(DT_I64, &ignored, 0), (int)reduction_of(emit_plan(e)->g, n));
}

const OpDef op_NegativeLogLikelihoodLoss = {
    .name = "NegativeLogLikelihoodLoss",
    .min_in = 2,
    .max_in = 3,
    .min_out = 1,
    .max_out = 1,
    .attrs = {{.name = "ignore_index", .type = ATTR_INT},
              {.name = "reduction", .type = ATTR_STRING, .s = "mean"}},
    .infer = infer_nll,
    .eval = eval_nll,
    .rounding = {.rule = ROUND_SUM},
    .magnify = magnify_nll,
    .emit = emit_nll,
};
