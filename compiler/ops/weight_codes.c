/* weight_codes.c - float weights and biases as whole numbers by a step for each output channel, where they
 * are exactly that: what DequantizeLinear makes of the codes again, to the last bit. */
#include "ops/ops.h"

#include <math.h>
#include <stdlib.h>

/* Whether w[k] == codes[k] * step for whole numbers of 8 bits. */
static bool are_steps(const float *w, int64_t n, float step, int8_t *codes)
{
    for (int64_t k = 0; k < n; k++) {
        float whole = roundf(w[k] / step);
        if (!(whole >= INT8_MIN && whole <= INT8_MAX) || whole * step != w[k])
            return false;
        codes[k] = (int8_t)whole;
    }
    return true;
}

/* The largest step; 0: all weights are 0; negative: there is none. The last bits of a step are lost in the
 * largest weight, so those beside it are tried too. */
static float find_step(const float *w, int64_t n, int8_t *codes)
{
    enum { BESIDE = 2 };
    float most = 0;
    for (int64_t k = 0; k < n; k++)
        most = fmaxf(most, fabsf(w[k]));
    if (most == 0)
        return are_steps(w, n, 1, codes) ? 0 : -1;
    for (int steps = 1; steps <= -INT8_MIN; steps++) {
        float step = most / (float)steps;
        for (int i = 0; i < BESIDE; i++)
            step = nextafterf(step, 0);
        for (int i = 0; i <= 2 * BESIDE; i++) {
            if (isnormal(step) && are_steps(w, n, step, codes))
                return step;
            step = nextafterf(step, INFINITY);
        }
    }
    return -1;
}

/* Halves the step as long as codes stay within 64: two products by a byte then fit into 16 bits, as
 * processors add them. The numbers stay the same to the last bit. */
static float refine(float step, int64_t n, int8_t *codes)
{
    enum { MOST = 64 };
    int most = 0;
    for (int64_t k = 0; k < n; k++)
        most = abs(codes[k]) > most ? abs(codes[k]) : most;
    for (; most > 0 && 2 * most <= MOST && isnormal(step / 2); most *= 2) {
        step /= 2;
        for (int64_t k = 0; k < n; k++)
            codes[k] = (int8_t)(2 * codes[k]);
    }
    return step;
}

/* Channels without weights: as fine as the finest of the others. */
static void fill_steps(float *scales, int64_t count)
{
    float least = INFINITY;
    for (int64_t c = 0; c < count; c++)
        if (scales[c] > 0)
            least = fminf(least, scales[c]);
    for (int64_t c = 0; c < count; c++)
        if (scales[c] == 0)
            scales[c] = isfinite(least) ? least : 1;
}

bool weight_codes(const Tensor *t, const Ternary *box, bool fine, Ternary *result)
{
    int64_t channels = ternary_channels(box), n = box->mid * box->inner;
    int8_t *all = NEW_ARRAY(int8_t, type_elems(t->type)), *codes = NEW_ARRAY(int8_t, n);
    float *scales = NEW_ARRAY(float, channels), *w = NEW_ARRAY(float, n);
    for (int64_t c = 0; c < channels; c++) {
        for (int64_t k = 0; k < n; k++)
            w[k] = ((const float *)t->data)[ternary_position(box, c, k)];
        scales[c] = find_step(w, n, codes);
        if (scales[c] < 0)
            return false;
        if (fine)
            scales[c] = refine(scales[c], n, codes);
        for (int64_t k = 0; k < n; k++)
            all[ternary_position(box, c, k)] = codes[k];
    }
    fill_steps(scales, channels);
    *result = *box;
    result->codes = all;
    result->scales = scales;
    result->num_scales = channels;
    return true;
}

void weights_to_grid(float *w, const Ternary *box)
{
    for (int64_t c = 0; c < ternary_channels(box); c++) {
        float most = 0;
        for (int64_t k = 0; k < box->mid * box->inner; k++)
            most = fmaxf(most, fabsf(w[ternary_position(box, c, k)]));
        float step = most / INT8_MAX;
        for (int64_t k = 0; k < box->mid * box->inner; k++) {
            float *v = &w[ternary_position(box, c, k)];
            *v = step > 0 ? fminf(roundf(*v / step), INT8_MAX) * step : 0;
        }
    }
}

const Tensor *channel_bias(const Node *n, const LinearWeights *w)
{
    const Tensor *b = n->num_in > 2 ? n->in[2] : NULL;
    if (!b || !b->data || b->type.dtype != DT_F32 || b->type.rank != 1 ||
        b->type.dims[0] != ternary_channels(&w->box))
        return NULL;
    bool plain =
        n->op == OP_Conv || n->op == OP_ConvTranspose ||
        (n->op == OP_Gemm && w->input == 1 && attr_float(n, "alpha") == 1 && attr_float(n, "beta") == 1);
    return plain ? b : NULL;
}

bool bias_codes(const Tensor *bias, float step, const float *scales, int32_t *codes, float *steps)
{
    const float exact = 1 << 24; /* as floats */
    for (int64_t c = 0; c < bias->type.dims[0]; c++) {
        steps[c] = step * scales[c];
        float whole = roundf(((const float *)bias->data)[c] / steps[c]);
        if (!isnormal(steps[c]) || !(fabsf(whole) < exact))
            return false;
        codes[c] = (int32_t)whole;
    }
    return true;
}
