/* grad_elementwise.c - gradients of elementwise operators. Every array has the shape of the output: the
 * engine expands inputs that broadcast and sums their gradients (OpDef.grad_flat). At a kink the gradient of
 * one side is taken, the side that a comparison with > leaves: 0 for Relu at 0. */
#include "ops/grad.h"

#include <math.h>

/* dx[i] += dy[i] * (expression of x[i] and y[i]) */
#define EACH(expression)                                                                                     \
    do {                                                                                                     \
        for (int64_t i = 0; i < count; i++) {                                                                \
            double x = (double)xs[i], y = (double)ys[i];                                                     \
            (void)x;                                                                                         \
            (void)y;                                                                                         \
            dx[i] += (float)((double)dy[i] * (expression));                                                  \
        }                                                                                                    \
        return;                                                                                              \
    } while (0)

static double sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}

static void grad_sides(const Node *n, int64_t count, const float *xs, const float *ys, const float *dy,
                       float *dx)
{
    double a = attr_float(n, "alpha");
    switch (n->op) {
    case OP_LeakyRelu: EACH(x > 0 ? 1 : a);
    case OP_Elu: EACH(x > 0 ? 1 : a * exp(x));
    case OP_Selu: EACH((double)attr_float(n, "gamma") * (x > 0 ? 1 : a * exp(x)));
    case OP_Celu: EACH(x > 0 ? 1 : exp(x / a));
    case OP_ThresholdedRelu: EACH(x > a ? 1 : 0);
    case OP_HardSigmoid: EACH(y > 0 && y < 1 ? a : 0);
    default: bug("no gradient of %s", n->op_name);
    }
}

static void grad_math(const Node *n, int64_t count, const float *xs, const float *ys, const float *dy,
                      float *dx)
{
    switch (n->op) {
    case OP_Reciprocal: EACH(-y * y);
    case OP_Sqrt: EACH(0.5 / y);
    case OP_Exp: EACH(y);
    case OP_Log: EACH(1 / x);
    case OP_Sin: EACH(cos(x));
    case OP_Cos: EACH(-sin(x));
    case OP_Tan: EACH(1 + y * y);
    case OP_Asin: EACH(1 / sqrt(1 - x * x));
    case OP_Acos: EACH(-1 / sqrt(1 - x * x));
    case OP_Atan: EACH(1 / (1 + x * x));
    case OP_Sinh: EACH(cosh(x));
    case OP_Cosh: EACH(sinh(x));
    case OP_Tanh: EACH(1 - y * y);
    case OP_Asinh: EACH(1 / sqrt(x * x + 1));
    case OP_Acosh: EACH(1 / sqrt(x * x - 1));
    case OP_Atanh: EACH(1 / (1 - x * x));
    case OP_Erf: EACH(2 / sqrt(acos(-1)) * exp(-x * x));
    default: grad_sides(n, count, xs, ys, dy, dx);
    }
}

double sign_of(double x)
{
    if (x > 0)
        return 1;
    return x < 0 ? -1 : 0;
}

static double hard_swish_slope(double x)
{
    if (x <= -3)
        return 0;
    return x >= 3 ? 1 : x / 3 + 0.5;
}

void grad_unary(const Graph *g, const Node *n, const Gradient *d)
{
    (void)g;
    int64_t count = type_elems(n->out[0]->type);
    const float *xs = d->in[0], *ys = d->out[0], *dy = d->dout[0];
    float *dx = d->din[0];
    if (!dx)
        return;
    switch (n->op) {
    case OP_Cast:
    case OP_CastLike: EACH(1);
    case OP_Abs: EACH(sign_of(x));
    case OP_Neg: EACH(-1);
    case OP_Relu: EACH(x > 0 ? 1 : 0);
    case OP_HardSwish: EACH(hard_swish_slope(x));
    case OP_Sigmoid: EACH(y * (1 - y));
    case OP_Softplus: EACH(sigmoid(x));
    case OP_Softsign: EACH(1 / ((1 + fabs(x)) * (1 + fabs(x))));
    case OP_Shrink: EACH(fabs(x) > (double)attr_float(n, "lambd") ? 1 : 0);
    default: grad_math(n, count, xs, ys, dy, dx);
    }
}

/* The input whose value Clip took; limits that meet count as the lower one. */
static int clip_source(float x, float y)
{
    if (x < y)
        return 1;
    return x > y ? 2 : 0;
}

void grad_clip(const Graph *g, const Node *n, const Gradient *d)
{
    (void)g;
    const float *x = d->in[0], *y = d->out[0];
    for (int64_t i = 0; i < type_elems(n->out[0]->type); i++) {
        int from = clip_source(x[i], y[i]);
        if (from < n->num_in && d->din[from])
            d->din[from][i] += d->dout[0][i];
    }
}

/* da[i] += dy[i] * fa, db[i] += dy[i] * fb */
#define PAIR(fa, fb)                                                                                         \
    do {                                                                                                     \
        for (int64_t i = 0; i < count; i++) {                                                                \
            double a = (double)as[i], b = (double)bs[i], dy = (double)dys[i];                                \
            (void)a;                                                                                         \
            (void)b;                                                                                         \
            if (da)                                                                                          \
                da[i] += (float)(dy * (fa));                                                                 \
            if (db)                                                                                          \
                db[i] += (float)(dy * (fb));                                                                 \
        }                                                                                                    \
        return;                                                                                              \
    } while (0)

static double negative_part(double x)
{
    return x > 0 ? 0 : x;
}

void grad_binary(const Graph *g, const Node *n, const Gradient *d)
{
    (void)g;
    int64_t count = type_elems(n->out[0]->type);
    const float *as = d->in[0], *bs = d->in[1], *dys = d->dout[0];
    float *da = d->din[0], *db = d->din[1];
    switch (n->op) {
    case OP_Add: PAIR(1, 1);
    case OP_Sub: PAIR(1, -1);
    case OP_Mul: PAIR(b, a);
    case OP_Div: PAIR(1 / b, -a / (b * b));
    case OP_PRelu: PAIR(a > 0 ? 1 : b, negative_part(a));
    default: bug("no gradient of %s", n->op_name);
    }
}

/* The exponent may have another type: it then has no gradient. */
void grad_pow(const Graph *g, const Node *n, const Gradient *d)
{
    (void)g;
    const float *x = d->in[0], *y = d->out[0], *dy = d->dout[0];
    for (int64_t i = 0; i < type_elems(n->out[0]->type); i++) {
        double e = elem_get(d->in[1], n->in[1]->type.dtype, i), b = (double)x[i];
        if (d->din[0] && e != 0)
            d->din[0][i] += (float)((double)dy[i] * e * pow(b, e - 1));
        if (d->din[1])
            d->din[1][i] += (float)((double)dy[i] * (double)y[i] * log(b));
    }
}

void grad_where(const Graph *g, const Node *n, const Gradient *d)
{
    (void)g;
    const uint8_t *condition = d->in[0];
    for (int64_t i = 0; i < type_elems(n->out[0]->type); i++) {
        float *to = condition[i] ? d->din[1] : d->din[2];
        if (to)
            to[i] += d->dout[0][i];
    }
}

/* The first of the inputs that are the result. */
static int winner(const Node *n, const Gradient *d, int64_t i)
{
    for (int k = 0; k < n->num_in; k++) {
        float x = ((const float *)d->in[k])[i], y = ((const float *)d->out[0])[i];
        if (x >= y && x <= y)
            return k;
    }
    return 0;
}

void grad_variadic(const Graph *g, const Node *n, const Gradient *d)
{
    (void)g;
    bool sums = n->op == OP_Sum || n->op == OP_Mean;
    float factor = n->op == OP_Mean ? 1.0f / (float)n->num_in : 1;
    for (int64_t i = 0; i < type_elems(n->out[0]->type); i++) {
        int first = 0, last = n->num_in - 1;
        if (!sums)
            first = last = winner(n, d, i);
        for (int k = first; k <= last; k++)
            if (d->din[k])
                d->din[k][i] += factor * d->dout[0][i];
    }
}

void grad_kernel(const Graph *g, const Node *n, const Gradient *d)
{
    (void)d;
    bug("%s: the gradient of %s is a kernel's", g->file, n->op_name);
}
