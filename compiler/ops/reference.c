/* reference.c - naive linear algebra in double. Clear before fast; only the order of loops is chosen for
 * speed: rows of output accumulate in place. */
#include "ops/ops.h"
#include "ops/reference.h"

#include <float.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

double *doubles_new(int64_t n)
{
    double *v = calloc((size_t)(n ? n : 1), sizeof *v);
    if (!v)
        fail("out of memory: %lld numbers", (long long)n);
    return v;
}

double *doubles_from(const void *data, DType d, int64_t n)
{
    double *v = doubles_new(n);
    if (d == DT_F32)
        for (int64_t i = 0; i < n; i++)
            v[i] = ((const float *)data)[i];
    else
        for (int64_t i = 0; i < n; i++)
            v[i] = elem_get(data, d, i);
    return v;
}

void doubles_to(const double *v, void *data, DType d, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        elem_set(data, d, i, v[i]);
}

bool is_larger(double v, double m)
{
    return v > m || (isnan(v) && !isnan(m));
}

static int64_t volume(const int64_t *v)
{
    return v[0] * v[1] * v[2];
}

/* The outputs o in [*lo, *hi) for which tap k reads inside the input along axis a. */
static void tap_range(const Window *w, int a, int64_t k, int64_t *lo, int64_t *hi)
{
    int64_t shift = w->pad_begin[a] - k * w->dilation[a], s = w->stride[a];
    *lo = shift > 0 ? (shift + s - 1) / s : 0;
    int64_t last = w->in[a] - 1 + shift;
    *hi = last < 0 ? 0 : last / s + 1;
    if (*hi > w->out[a])
        *hi = w->out[a];
}

/* acc[o] += v * x[o * stride + shift] for the columns where tap k reads inside. */
static void add_row(const Window *w, int64_t k, double v, const double *x, double *acc)
{
    int64_t lo, hi, s = w->stride[2], shift = k * w->dilation[2] - w->pad_begin[2];
    tap_range(w, 2, k, &lo, &hi);
    if (s == 1)
        for (int64_t o = lo; o < hi; o++)
            acc[o] += v * x[o + shift];
    else
        for (int64_t o = lo; o < hi; o++)
            acc[o] += v * x[o * s + shift];
}

/* All taps of one input channel x for the output row (z, y). */
static void add_taps(const Window *w, int64_t z, int64_t y, const double *x, const double *weights,
                     double *acc)
{
    for (int64_t kz = 0; kz < w->kernel[0]; kz++) {
        int64_t iz = z * w->stride[0] - w->pad_begin[0] + kz * w->dilation[0];
        if (iz < 0 || iz >= w->in[0])
            continue;
        for (int64_t ky = 0; ky < w->kernel[1]; ky++) {
            int64_t iy = y * w->stride[1] - w->pad_begin[1] + ky * w->dilation[1];
            if (iy < 0 || iy >= w->in[1])
                continue;
            const double *row = x + (iz * w->in[1] + iy) * w->in[2];
            const double *u = weights + (kz * w->kernel[1] + ky) * w->kernel[2];
            for (int64_t kx = 0; kx < w->kernel[2]; kx++)
                if (u[kx] != 0)
                    add_row(w, kx, u[kx], row, acc);
        }
    }
}

void reference_conv(const ConvShape *s, const double *x, const double *w, double *acc)
{
    const Window *win = &s->w;
    int64_t in = volume(win->in), taps = volume(win->kernel), rows = win->out[0] * win->out[1];
    int64_t cin = s->ci / s->groups, cout = s->co / s->groups;
    memset(acc, 0, (size_t)(s->co * volume(win->out)) * sizeof *acc);
    for (int64_t o = 0; o < s->co; o++)
        for (int64_t r = 0; r < rows; r++, acc += win->out[2])
            for (int64_t c = 0; c < cin; c++)
                add_taps(win, r / win->out[1], r % win->out[1], x + (o / cout * cin + c) * in,
                         w + (o * cin + c) * taps, acc);
}

/* Tap (kz, ky, kx) of one plane: y[i * stride - pad + k * dilation] += v * x[i], what falls outside is
 * dropped. */
static void scatter_tap(const Window *w, const int64_t *k, double v, const double *x, double *y)
{
    for (int64_t iz = 0; iz < w->in[0]; iz++)
        for (int64_t iy = 0; iy < w->in[1]; iy++, x += w->in[2]) {
            int64_t oz = iz * w->stride[0] - w->pad_begin[0] + k[0] * w->dilation[0];
            int64_t oy = iy * w->stride[1] - w->pad_begin[1] + k[1] * w->dilation[1];
            if (oz < 0 || oz >= w->out[0] || oy < 0 || oy >= w->out[1])
                continue;
            for (int64_t ix = 0; ix < w->in[2]; ix++) {
                int64_t ox = ix * w->stride[2] - w->pad_begin[2] + k[2] * w->dilation[2];
                if (ox >= 0 && ox < w->out[2])
                    y[(oz * w->out[1] + oy) * w->out[2] + ox] += v * x[ix];
            }
        }
}

void reference_conv_transpose(const ConvShape *s, const double *x, const double *w, double *acc)
{
    const Window *win = &s->w;
    int64_t in = volume(win->in), out = volume(win->out), taps = volume(win->kernel);
    int64_t cin = s->ci / s->groups, cout = s->co / s->groups;
    memset(acc, 0, (size_t)(s->co * out) * sizeof *acc);
    for (int64_t o = 0; o < s->co; o++)
        for (int64_t c = 0; c < cin; c++)
            for (int64_t t = 0; t < taps; t++, w++) {
                int64_t k[3] = {t / win->kernel[2] / win->kernel[1], t / win->kernel[2] % win->kernel[1],
                                t % win->kernel[2]};
                if (*w != 0)
                    scatter_tap(win, k, *w, x + (o / cout * cin + c) * in, acc + o * out);
            }
}

void reference_fc(int64_t ci, int64_t co, const double *x, const double *w, double *acc)
{
    for (int64_t o = 0; o < co; o++, w += ci) {
        double sum = 0;
        for (int64_t i = 0; i < ci; i++)
            sum += w[i] * x[i];
        if (!isfinite(sum)) { /* again, without the inputs that a zero weight drops */
            sum = 0;
            for (int64_t i = 0; i < ci; i++)
                sum += w[i] != 0 ? w[i] * x[i] : 0;
        }
        acc[o] = sum;
    }
}

double small_sum_factor(double sum, DType d)
{
    double least = d == DT_F64 ? DBL_MIN : (double)FLT_MIN;
    return sum > 0 ? 1 + 2 * least / sum : 1;
}
