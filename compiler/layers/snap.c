/* snap.c - scales of weights, and steps of codes, with which multiplications are by numbers of few bits.
 *
 * Runtimes of ONNX files take sums to codes by a float: the scale of the inputs times that of the weights by
 * the step of the outputs. A layer here takes a whole number by a power of two (requantise.c). Both compute
 * the same where the float is such a number, so scales of weights that are free to be chosen are chosen so.
 * They change by less than the last bits of that number, 15 for the largest of a layer. */
#include "layers/layers.h"

#include <math.h>

/* The scale with which x * scale / y is the factor in float, each step rounded; 0: there is none. */
static float scale_for(double factor, float x, float y)
{
    enum { BESIDE = 4 };
    float v = (float)(factor * (double)y / (double)x);
    for (int i = 0; i < BESIDE; i++)
        v = nextafterf(v, 0);
    for (int i = 0; i <= 2 * BESIDE; i++) {
        if (isnormal(v) && (double)(x * v / y) == factor)
            return v;
        v = nextafterf(v, INFINITY);
    }
    return 0;
}

/* The scale for a factor of few bits near the given one, no larger than round(factor * 2^shift) by 2^shift.
 * With odd m of at least 512 no sum is half way between two codes, but those that are clamped; by no more
 * than 2^16 all results are exact in float. 0: there is none. */
static float snapped(double factor, int shift, float x, float y)
{
    enum { EXACT_SHIFT = 16, LEAST = 1024, MOST_CHANGE = 256 /* 1 / 256 */ };
    if (shift > EXACT_SHIFT && ldexp(factor, EXACT_SHIFT) >= LEAST)
        shift = EXACT_SHIFT;
    int64_t m = (int64_t)round(ldexp(factor, shift)), tries = m < LEAST ? 1 : m / MOST_CHANGE / 2;
    if (m >= LEAST)
        m = (m - 1) | 1;
    for (int64_t i = 0; i < tries; i++) {
        float v = scale_for(ldexp((double)(m - 2 * i), -shift), x, y);
        if (v > 0)
            return v;
    }
    return (float)(ldexp((double)m, -shift) * (double)y / (double)x);
}

bool snap_scales(const Layer *l, CodeStep in, CodeStep out, const float *bias, float *scales)
{
    const float x = (float)in.scale, y = (float)out.scale;
    double *factor = NEW_ARRAY(double, l->co), *offset = NEW_ARRAY(double, l->co);
    for (int64_t c = 0; c < l->co; c++) {
        factor[c] = (double)(x * scales[c] / y);
        offset[c] = out.zero - factor[c] * in.zero * (double)weight_sum(l, c) +
                    (bias ? (double)bias[c] / out.scale : 0);
    }
    Quantised q = *l->quantised;
    if (!requantise_by_products(l, factor, offset, &q) || q.wide)
        return false;
    bool changed = false;
    for (int64_t c = 0; c < l->co; c++) {
        float v = snapped(factor[c], q.shift, x, y);
        if (!isnormal(v) || v == scales[c])
            continue;
        scales[c] = v;
        changed = true;
    }
    return changed;
}

float snap_step(float step, float by)
{
    enum { BITS = 12, TRIES = 16 };
    int exponent;
    double ratio = frexp((double)(step / by), &exponent), m = ceil(ldexp(ratio, BITS));
    for (int i = 0; i < TRIES; i++) {
        double factor = ldexp(m + i, exponent - BITS);
        float v = scale_for(factor, 1, by);
        if (v > 0)
            return fmaxf(v, step); /* several floats give the same factor, the step among them */
    }
    return step;
}
