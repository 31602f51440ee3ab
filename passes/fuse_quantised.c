/* fuse_quantised.c - layers between codes: DequantizeLinear in front and QuantizeLinear behind become part of
 * them.
 *
 * The scale of the inputs goes into that of the layer, the zero point of the inputs into its bias, since the
 * sums are of the codes as they are. Weights are ternary, or a grid of 8 bits is found in them again: they
 * come from a DequantizeLinear of constants that was folded. */
#include "fuse_draft.h"
#include "layers/layers.h"
#include "ops/ops.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

/* The largest share of a step by which a weight may be off its grid: two roundings of float on 128 steps. */
static const double OFF_GRID = 128 * 4 * (double)FLT_EPSILON;

/* Limits within which requantise cannot fail. */
enum { MAX_FACTOR = 1 << 15, MAX_OFFSET = 1 << 24 };

/* ---- weights ---- */

/* Whether weight k of the channel is w[k] = step * codes[k] for whole numbers of 8 bits. */
static bool lies_on(const double *w, int64_t n, double step, int8_t *codes)
{
    for (int64_t k = 0; k < n; k++) {
        double steps = w[k] / step, whole = round(steps);
        if (fabs(steps - whole) > OFF_GRID || whole < INT8_MIN || whole > INT8_MAX)
            return false;
        codes[k] = (int8_t)whole;
    }
    return true;
}

/* The coarsest grid; 0: there is none. */
static double find_step(const double *w, int64_t n, int8_t *codes)
{
    double most = 0;
    for (int64_t k = 0; k < n; k++)
        most = fmax(most, fabs(w[k]));
    if (most == 0)
        return lies_on(w, n, 1, codes) ? 1 : 0;
    for (int steps = 1; steps <= -INT8_MIN; steps++)
        if (lies_on(w, n, most / steps, codes))
            return most / steps;
    return 0;
}

/* Weights that are codes by a step only nearly: they were computed in another order. */
static bool find_near(const Draft *d, const float *weights, const Ternary *box, int8_t *ints, double *steps)
{
    int64_t n = box->mid * box->inner;
    int8_t *codes = NEW_ARRAY(int8_t, n);
    double *w = NEW_ARRAY(double, n);
    for (int64_t c = 0; c < d->l->co; c++) {
        for (int64_t k = 0; k < n; k++)
            w[k] = (double)weights[ternary_position(box, c, k)];
        steps[c] = find_step(w, n, codes);
        if (steps[c] == 0)
            return false;
        for (int64_t k = 0; k < n; k++)
            ints[ternary_position(box, c, k)] = codes[k];
    }
    return true;
}

/* Weights that are not ternary as whole numbers by steps[co]; NULL: they are none. */
static const int8_t *find_ints(const Draft *d, const Tensor *weights, const Ternary *box, double *steps)
{
    Ternary exact;
    int8_t *ints = NEW_ARRAY(int8_t, type_elems(weights->type));
    if (!weight_codes(weights, box, false, &exact))
        return find_near(d, weights->data, box, ints, steps) ? ints : NULL;
    for (int64_t c = 0; c < d->l->co; c++)
        steps[c] = (double)exact.scales[c];
    return exact.codes;
}

/* ---- in front ---- */

/* The largest sum of weights without their signs of an output channel. codes: in the order of the tensor. */
static int64_t most_weights(const Ternary *box, const int8_t *codes, int64_t channels)
{
    int64_t most = 0;
    for (int64_t c = 0; c < channels; c++) {
        int64_t sum = 0;
        for (int64_t k = 0; k < box->mid * box->inner; k++)
            sum += abs(codes[ternary_position(box, c, k)]);
        most = sum > most ? sum : most;
    }
    return most;
}

static int64_t most_code(DType d)
{
    return code_high(d) > -code_low(d) ? code_high(d) : -(int64_t)code_low(d);
}

bool sums_fit(const Draft *d, int64_t windows)
{
    return d->most_sum * windows <= INT32_MAX;
}

void absorb_dequantize(Draft *d, const Tensor *weights, const Ternary *box)
{
    const Node *n = d->x->producer;
    CodeStep s;
    if (!n || n->op != OP_DequantizeLinear || !node_step(n, &s))
        return;
    DType in = n->in[0]->type.dtype;
    if (!dtype_is_code(in) || d->l->kind == LAYER_CONV_TRANSPOSE)
        return;
    double *steps = NEW_ARRAY(double, d->l->co);
    const int8_t *ints = weights->ternary ? NULL : find_ints(d, weights, box, steps);
    const int8_t *codes = weights->ternary ? weights->ternary->codes : ints;
    if (!codes)
        return;
    d->most_sum = most_weights(box, codes, d->l->co) * most_code(in);
    if (!sums_fit(d, 1))
        return;
    d->ints = ints;
    d->quantised = NEW(Quantised);
    *d->quantised = (Quantised){.in = in, .out = DT_F32, .in_zero = s.zero};
    d->x = n->in[0];
    for (int64_t c = 0; c < d->l->co; c++) {
        d->scale[c] *= ints ? steps[c] : 1;
        d->scale[c] *= s.scale;
    }
}

/* ---- behind ---- */

static bool is_clamp(const Activation *a)
{
    return a->kind == ACT_NONE || a->kind == ACT_RELU || a->kind == ACT_CLIP;
}

static bool within_limits(const Draft *d, const CodeStep *s)
{
    for (int64_t c = 0; c < d->l->co; c++)
        if (!(fabs(d->scale[c] / s->scale) < MAX_FACTOR) ||
            !(fabs(d->bias[c] / s->scale + s->zero) < MAX_OFFSET))
            return false;
    return true;
}

bool absorb_quantize(Draft *d, const Node *n)
{
    CodeStep s;
    if (!d->quantised || n->in[0] != d->y || !node_step(n, &s) || !is_clamp(&d->l->act) ||
        !within_limits(d, &s))
        return false;
    d->step = s;
    d->quantised->out = n->out[0]->type.dtype;
    return true;
}

/* ---- the numbers ---- */

static int clamp_code(DType d, double v)
{
    v = fmax(v, code_low(d));
    return (int)fmin(v, code_high(d));
}

/* The activation in codes: it is a clamp, and so is the range of the type. */
static void set_clamp(const Draft *d, Quantised *q)
{
    const Activation *a = &d->l->act;
    double low = a->kind == ACT_NONE ? -INFINITY : a->kind == ACT_RELU ? 0 : (double)a->a;
    double high = a->kind == ACT_CLIP ? (double)a->b : INFINITY;
    q->low = clamp_code(q->out, floor(low / d->step.scale + 0.5) + d->step.zero);
    q->high = clamp_code(q->out, floor(high / d->step.scale + 0.5) + d->step.zero);
}

/* The bias in steps of the sums; what floats have lost of a whole number of parts of a step is given back. */
static double bias_steps(const Draft *d, int64_t c)
{
    enum { PARTS = 64 };
    double steps = d->bias[c] / d->scale[c], whole = round(PARTS * steps) / PARTS;
    return fabs(steps - whole) <= 2 * (double)FLT_EPSILON * fabs(steps) ? whole : steps;
}

/* The factor is rounded to float as onnxruntime does: where it is a whole number by a power of two then, both
 * compute the same. */
static void set_codes_out(Draft *d, Quantised *q)
{
    int64_t co = d->l->co;
    double *factor = NEW_ARRAY(double, co), *offset = NEW_ARRAY(double, co);
    double windows = d->l->pool.kind == POOL_AVERAGE ? (double)(d->l->pool.kh * d->l->pool.kw) : 1;
    for (int64_t c = 0; c < co; c++) {
        double m = (double)((float)d->scale[c] / (float)d->step.scale);
        factor[c] = m / windows;
        offset[c] = d->step.zero + (m != 0 ? m * (bias_steps(d, c) - q->in_zero * (double)weight_sum(d->l, c))
                                           : d->bias[c] / d->step.scale);
    }
    set_clamp(d, q);
    if (!requantise(d->l, factor, offset, q))
        bug("layer %d: its codes have no multiplication", d->l->index);
    /* What the layer computes is in whole numbers now. */
    for (int64_t c = 0; c < co; c++) {
        d->scale[c] = 1;
        d->bias[c] = 0;
    }
    d->l->act = (Activation){.kind = ACT_NONE};
}

void finish_quantised(Draft *d)
{
    Layer *l = d->l;
    Quantised *q = d->quantised;
    l->quantised = q;
    set_sum_range(l, q);
    if (q->out != DT_F32) {
        set_codes_out(d, q);
        return;
    }
    for (int64_t c = 0; c < l->co; c++)
        d->bias[c] -= d->scale[c] * q->in_zero * (double)weight_sum(l, c);
}
