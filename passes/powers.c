/* powers.c - of --scales pow2: scales that are powers of two, so that layers take sums to codes by shifts.
 *
 * What a layer multiplies a sum by is the step of its inputs, the scale of its weights, the gain of a
 * BatchNormalization or a multiplication behind it, by the step of its outputs. Steps are powers of two; the
 * weights get the scale that makes one of itself times the gain. Of two it is the nearer one for ternary
 * weights, whose error is least so, since their scale is the best for their codes; weights of 8 bits get the
 * one that is not finer than 127 steps. */
#include "ops/ops.h"
#include "passes/passes.h"

#include <math.h>

/* The least that is not less than v > 0. */
static double power_above(double v)
{
    int e;
    double m = frexp(v, &e);
    return ldexp(1, m > 0.5 ? e : e - 1);
}

static double nearest_power(double v)
{
    double high = power_above(v), low = high / 2;
    return v - low < high - v ? low : high;
}

CodeStep power_step(CodeStep s, Range r, DType d)
{
    CodeStep p = {power_above(s.scale), s.zero};
    if (d == DT_I8)
        p.zero = (int)fmin(fmax(round(-(double)r.low / p.scale) + INT8_MIN, INT8_MIN), INT8_MAX);
    return p;
}

/* Element c of a constant for each channel, or of a single number. */
static double channel_value(const Tensor *t, int64_t c, int64_t channels)
{
    return (double)((const float *)t->data)[type_elems(t->type) == channels ? c : 0];
}

/* By what n multiplies channel c. */
static double gain_of(const Node *n, int64_t c, int64_t channels)
{
    if (n->op == OP_BatchNormalization)
        return channel_value(n->in[1], c, channels) /
               sqrt(channel_value(n->in[4], c, channels) + (double)attr_float(n, "epsilon"));
    const Tensor *by = n->in[0]->data ? n->in[0] : n->in[1];
    if (n->op == OP_Mul)
        return channel_value(by, c, channels);
    return n->op == OP_Div && by == n->in[1] ? 1 / channel_value(by, c, channels) : 1;
}

static bool has_gain(const Node *n)
{
    bool arithmetic = n->op == OP_Add || n->op == OP_Sub || n->op == OP_Mul || n->op == OP_Div;
    return n->op == OP_BatchNormalization || (arithmetic && !n->in[0]->data != !n->in[1]->data);
}

/* Of all that goes into the layer of n. */
static double gain_behind(const Node *n, int64_t c, int64_t channels, Node *const *only)
{
    LinearWeights w;
    double gain = 1;
    if (!linear_weights(n, &w)) /* LSTM, GRU, RNN: what follows is behind activations */
        return 1;
    for (const Node *m = only[n->out[0]->id]; m && has_gain(m); m = only[m->out[0]->id])
        gain *= fabs(gain_of(m, c, channels));
    return gain > 0 && isfinite(gain) ? gain : 1;
}

static double largest_weight(const float *w, const Ternary *box, int64_t c)
{
    double most = 0;
    for (int64_t k = 0; k < box->mid * box->inner; k++)
        most = fmax(most, fabs((double)w[ternary_position(box, c, k)]));
    return most;
}

static Ternary *with_scales(const Ternary *t, float *scales)
{
    Ternary *r = NEW(Ternary);
    *r = *t;
    r->scales = scales;
    r->num_scales = ternary_channels(t);
    return r;
}

Tensor *power_weights(Graph *g, const Node *n, int input, const Ternary *box, Node *const *only)
{
    const Tensor *t = n->in[input];
    int64_t channels = ternary_channels(box), count = type_elems(t->type);
    const float *from = t->data;
    float *to = NEW_ARRAY(float, count), *scales = NEW_ARRAY(float, channels);
    for (int64_t c = 0; c < channels; c++) {
        double gain = gain_behind(n, c, channels, only), most = largest_weight(from, box, c);
        if (most == 0)
            continue;
        double step = t->ternary ? nearest_power(most * gain) : power_above(most * gain / INT8_MAX);
        double unit = t->ternary ? most : step / gain;
        scales[c] = (float)(step / gain);
        for (int64_t k = 0; k < box->mid * box->inner; k++) {
            int64_t at = ternary_position(box, c, k);
            to[at] = (float)round((double)from[at] / unit) * scales[c];
        }
    }
    Tensor *r = graph_const(g, mem_printf("%s_rounded", t->name), t->type, to);
    r->ternary = t->ternary ? with_scales(t->ternary, scales) : NULL;
    return r;
}
