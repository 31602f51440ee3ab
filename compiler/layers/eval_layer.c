/* eval_layer.c - a fused layer, naive, in double; and how far float code may be off. */
#include "layers/layers.h"
#include "ops/reference.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* NaN stays. */
static double clip(double v, double low, double high)
{
    if (v < low)
        v = low;
    return v > high ? high : v;
}

static double activate(Activation a, double v)
{
    switch (a.kind) {
    case ACT_NONE: return v;
    case ACT_RELU: return v < 0 ? 0 : v;
    case ACT_CLIP: return clip(v, (double)a.a, (double)a.b);
    case ACT_LEAKY_RELU: return v < 0 ? (double)a.a * v : v;
    case ACT_SIGMOID: return 1 / (1 + exp(-v));
    case ACT_TANH: return tanh(v);
    case ACT_HARD_SIGMOID: return clip((double)a.a * v + (double)a.b, 0, 1);
    case ACT_HARD_SWISH: return v * clip(v / 6 + 0.5, 0, 1);
    }
    bug("activation %d", (int)a.kind);
}

/* The rounding error of y = act(v) when v is off by up to `error`: Lipschitz bound times error, and the
 * rounding of the activation's own steps. ulp: Format.half_ulp. */
static double activation_error(Activation a, double error, double ulp)
{
    switch (a.kind) {
    case ACT_NONE:
    case ACT_RELU:
    case ACT_CLIP: return error;
    case ACT_LEAKY_RELU: return error * fmax(1, fabs((double)a.a));
    case ACT_SIGMOID: return error / 4 + 4 * ulp;
    case ACT_TANH: return error + 4 * ulp;
    case ACT_HARD_SIGMOID: return error * fabs((double)a.a) + 4 * ulp * (1 + fabs((double)a.b));
    case ACT_HARD_SWISH: return error * 1.5 + 16 * ulp;
    }
    bug("activation %d", (int)a.kind);
}

static ConvShape layer_shape(const Layer *l)
{
    return (ConvShape){.groups = l->groups,
                       .ci = l->ci,
                       .co = l->co,
                       .w = {.rank = 2,
                             .in = {1, l->ih, l->iw},
                             .out = {1, l->oh, l->ow},
                             .kernel = {1, l->kh, l->kw},
                             .stride = {1, l->sh, l->sw},
                             .dilation = {1, l->dh, l->dw},
                             .pad_begin = {0, l->pt, l->pl},
                             .pad_end = {0, l->pb, l->pr}}};
}

static void accumulate(const Layer *l, const double *x, const double *w, double *acc)
{
    ConvShape s = layer_shape(l);
    if (l->kind == LAYER_FC)
        reference_fc(l->ci, l->co, x, w, acc);
    else if (l->kind == LAYER_CONV)
        reference_conv(&s, x, w, acc);
    else
        reference_conv_transpose(&s, x, w, acc);
}

static double *absolute(const double *v, int64_t n)
{
    double *a = doubles_new(n);
    for (int64_t i = 0; i < n; i++)
        a[i] = fabs(v[i]);
    return a;
}

/* 1 where a number is not finite, else 0; NULL: all are finite. */
static double *mark_odd(const double *v, int64_t n)
{
    double *odd = doubles_new(n), any = 0;
    for (int64_t i = 0; i < n; i++)
        any += odd[i] = !isfinite(v[i]);
    if (any > 0)
        return odd;
    free(odd);
    return NULL;
}

/* Forms that multiply do not drop what meets a zero weight: what becomes of a sum is not known where an input
 * that is no finite number does. Its error is NaN. */
static void mark_multiplied(const Layer *l, const double *x, const double *w, double *error)
{
    int64_t out = l->co * l->oh * l->ow, weights = layer_weight_count(l);
    bool multiplies = l->form && !l->form->ternary;
    double *odd = multiplies ? mark_odd(x, l->ci * l->ih * l->iw) : NULL;
    if (!odd)
        return;
    double *zeros = doubles_new(weights), *met = doubles_new(out);
    for (int64_t i = 0; i < weights; i++)
        zeros[i] = w[i] == 0;
    accumulate(l, odd, zeros, met);
    for (int64_t i = 0; i < out; i++)
        error[i] = met[i] > 0 ? NAN : error[i];
    free(odd);
    free(zeros);
    free(met);
}

/* acc becomes act(acc * scale + bias); error, if not NULL, goes from sum |w x| to the bound on it. */
static void finish(const Layer *l, const double *w, int64_t weights, double *acc, double *error)
{
    const double ulp = layer_format(l)->half_ulp;
    int64_t plane = l->oh * l->ow;
    for (int64_t o = 0; o < l->co; o++, acc += plane) {
        double scale = l->scale ? (double)l->scale[o] : 1;
        double bias = l->bias ? (double)l->bias[o] : 0;
        int64_t terms = 0;
        for (int64_t i = 0; i < weights; i++)
            terms += w[o * weights + i] != 0;
        for (int64_t i = 0; i < plane; i++)
            acc[i] = activate(l->act, acc[i] * scale + bias);
        for (int64_t i = 0; error && i < plane; i++)
            error[o * plane + i] = activation_error(
                l->act, (double)(terms + 8) * ulp * (error[o * plane + i] * fabs(scale) + fabs(bias)), ulp);
    }
}

/* Pooled value at the window that starts at v; error likewise, with the rounding of the average itself. ulp:
 * Format.half_ulp. */
static double pool_window(const Pool *p, int64_t width, const double *v, const double *error, double ulp,
                          double *e)
{
    double max = v[0], sum = 0, sum_abs = 0, max_error = 0, sum_error = 0, count = (double)(p->kh * p->kw);
    for (int64_t ky = 0; ky < p->kh; ky++)
        for (int64_t kx = 0; kx < p->kw; kx++) {
            double u = v[ky * width + kx], d = error ? error[ky * width + kx] : 0;
            max = is_larger(u, max) ? u : max;
            max_error = fmax(max_error, d);
            sum += u;
            sum_abs += fabs(u);
            sum_error += d;
        }
    bool known = !isnan(sum_error);
    *e = p->kind == POOL_MAX && known ? max_error : (sum_error + (count + 2) * ulp * sum_abs) / count;
    return p->kind == POOL_MAX ? max : sum / count;
}

/* One image: round, or pool and round, to y and bound. */
static void store(const Layer *l, const double *v, const double *error, float *y, float *bound)
{
    const Format *f = layer_format(l);
    static const Pool none = {POOL_MAX, 1, 1, 1, 1, 0, 0};
    Pool p = l->pool.kind == POOL_NONE ? none : l->pool;
    if (l->pool.kind == POOL_NONE) {
        p.oh = l->oh;
        p.ow = l->ow;
    }
    int64_t i = 0;
    for (int64_t o = 0; o < l->co; o++)
        for (int64_t oy = 0; oy < p.oh; oy++)
            for (int64_t ox = 0; ox < p.ow; ox++, i++) {
                int64_t at = (o * l->oh + oy * p.sh) * l->ow + ox * p.sw;
                double e;
                double u = pool_window(&p, l->ow, v + at, error ? error + at : NULL, f->half_ulp, &e);
                y[i] = (float)u;
                if (bound)
                    bound[i] = nextafterf((float)(e + f->out_half_ulp * fabs(u)), INFINITY);
            }
}

static double *layer_weights(const Layer *l, int64_t n)
{
    double *w = doubles_new(n);
    for (int64_t i = 0; i < n; i++)
        w[i] = l->weights ? (double)l->weights[i] : (double)layer_weight(l, i);
    return w;
}

static void eval_floats(const Layer *l, const float *x, float *y, float *bound)
{
    int64_t per_channel = l->ci / l->groups * l->kh * l->kw, in = l->ci * l->ih * l->iw,
            out = l->co * l->oh * l->ow;
    int64_t pooled = l->pool.kind == POOL_NONE ? out : l->co * l->pool.oh * l->pool.ow;
    double *w = layer_weights(l, l->co * per_channel), *w_abs = absolute(w, l->co * per_channel);
    double *acc = doubles_new(out), *error = bound ? doubles_new(out) : NULL;
    for (int64_t b = 0; b < l->batch; b++) {
        double *image = doubles_from(x + b * in, DT_F32, in);
        accumulate(l, image, w, acc);
        if (bound) {
            double *image_abs = absolute(image, in);
            accumulate(l, image_abs, w_abs, error);
            mark_multiplied(l, image, w, error);
            free(image_abs);
        }
        free(image);
        finish(l, w, per_channel, acc, error);
        store(l, acc, error, y + b * pooled, bound ? bound + b * pooled : NULL);
    }
    free(w);
    free(w_abs);
    free(acc);
    free(error);
}

/* ---- layers that read codes ---- */

/* One image of sums to codes of y. */
static void store_codes(const Layer *l, const double *sums, void *y, int64_t first)
{
    const Quantised *q = l->quantised;
    static const Pool none = {POOL_MAX, 1, 1, 1, 1, 0, 0};
    Pool p = l->pool.kind == POOL_NONE ? none : l->pool;
    int64_t oh = l->pool.kind == POOL_NONE ? l->oh : p.oh, ow = l->pool.kind == POOL_NONE ? l->ow : p.ow;
    for (int64_t i = 0; i < l->co * oh * ow; i++) {
        int64_t c = i / (oh * ow), at = (c * l->oh + i / ow % oh * p.sh) * l->ow + i % ow * p.sw;
        double e, v = pool_window(&p, l->ow, sums + at, NULL, 0, &e);
        if (p.kind == POOL_AVERAGE)
            v *= (double)(p.kh * p.kw);
        elem_set(y, q->out, first + i, (double)quantised_output(q, c, llround(v)));
    }
}

/* From sums of (code - in_zero) to those of codes, padding included. */
static void add_zeros(const Layer *l, double *acc)
{
    int64_t plane = l->oh * l->ow;
    for (int64_t c = 0; c < l->co && l->quantised->in_zero; c++)
        for (int64_t i = 0; i < plane; i++)
            acc[c * plane + i] += (double)(l->quantised->in_zero * weight_sum(l, c));
}

static void eval_quantised(const Layer *l, const void *x, void *y, float *bound)
{
    const Quantised *q = l->quantised;
    int64_t per_channel = layer_weight_count(l) / l->co, in = l->ci * l->ih * l->iw,
            out = l->co * l->oh * l->ow;
    int64_t pooled = l->pool.kind == POOL_NONE ? out : l->co * l->pool.oh * l->pool.ow;
    double *w = layer_weights(l, l->co * per_channel), *w_abs = absolute(w, l->co * per_channel);
    double *acc = doubles_new(out), *error = doubles_new(out);
    for (int64_t b = 0; b < l->batch; b++) {
        double *image = doubles_from((const char *)x + b * in * (int64_t)dtype_size(q->in), q->in, in);
        for (int64_t i = 0; i < in; i++)
            image[i] -= q->in_zero;
        accumulate(l, image, w, acc);
        add_zeros(l, acc);
        if (q->out != DT_F32) {
            store_codes(l, acc, y, b * pooled);
        } else {
            for (int64_t i = 0; i < in; i++)
                image[i] = fabs(image[i]) + abs(q->in_zero);
            accumulate(l, image, w_abs, error);
            finish(l, w, per_channel, acc, error);
            store(l, acc, error, (float *)y + b * pooled, bound ? bound + b * pooled : NULL);
        }
        free(image);
    }
    free(w);
    free(w_abs);
    free(acc);
    free(error);
}

void eval_layer(const Layer *l, const void *x, void *y, float *bound)
{
    if (l->quantised)
        eval_quantised(l, x, y, bound);
    else
        eval_floats(l, x, y, bound);
}
