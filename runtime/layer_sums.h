/* layer_sums.h - convolutions of ternary weights that are not unrolled, on machines with vectors: `lists` of weights
 * that are not 0, and `sums` of four input channels under all their weights. compiler/layers/weight_tables.c makes the
 * tables.
 *
 * Both take a part of the inputs after the other, add it to a block of output channels, and hold all positions of a
 * channel, up to eight vectors of them, in registers meanwhile: whatever a table names is added to all of them, so no
 * add waits for the one before. */
#include "layer.h"

/* How many of `left` vectors go together: at most eight, and about as many each time. */
TN_KERNEL int32_t tn_together(int32_t left)
{
    int32_t times = (left + 7) / 8;
    return (left + times - 1) / times;
}

/* acc[o][i] += x[at[k] + i] for the weights k that are +1 of output channel o < count, -= for those that are -1, for i
 * < v vectors. s: per channel two lists, each its length and its weights. Returns what follows them. */
TN_KERNEL const TN_ROM uint8_t *tn_add_lists_f32(float *acc, int32_t pitch, int32_t count, const float *x,
                                                 const int32_t *at, const TN_ROM uint8_t *s, const int32_t v)
{
    for (; count > 0; count--, acc += pitch) {
        tn_vec a[8];
        for (int32_t j = 0; j < v; j++)
            a[j] = TN_LOAD(acc + j * TN_LANES);
        for (int32_t k = *s++; k > 0; k--) {
            const float *p = x + at[*s++];
            for (int32_t j = 0; j < v; j++)
                a[j] += TN_LOAD(p + j * TN_LANES);
        }
        for (int32_t k = *s++; k > 0; k--) {
            const float *p = x + at[*s++];
            for (int32_t j = 0; j < v; j++)
                a[j] -= TN_LOAD(p + j * TN_LANES);
        }
        for (int32_t j = 0; j < v; j++)
            TN_STORE(acc + j * TN_LANES, a[j]);
    }
    return s;
}

/* The same for v that no compiler knows. */
TN_KERNEL const TN_ROM uint8_t *tn_any_lists_f32(float *acc, int32_t pitch, int32_t count, const float *x,
                                                 const int32_t *at, const TN_ROM uint8_t *s, int32_t v)
{
    switch (v) {
    case 1: return tn_add_lists_f32(acc, pitch, count, x, at, s, 1);
    case 2: return tn_add_lists_f32(acc, pitch, count, x, at, s, 2);
    case 3: return tn_add_lists_f32(acc, pitch, count, x, at, s, 3);
    case 4: return tn_add_lists_f32(acc, pitch, count, x, at, s, 4);
    case 5: return tn_add_lists_f32(acc, pitch, count, x, at, s, 5);
    case 6: return tn_add_lists_f32(acc, pitch, count, x, at, s, 6);
    case 7: return tn_add_lists_f32(acc, pitch, count, x, at, s, 7);
    default: return tn_add_lists_f32(acc, pitch, count, x, at, s, 8);
    }
}

/* `count` output channels of a convolution from lists, acc [count][pitch], n positions. The `weights` of an output
 * channel, in positions input channel * taps + tap, are listed 255 at a time: their lists of all these channels, then
 * those of the next 255. Weight k reads x[k / taps * stride + koff[k % taps]]. Returns what follows the lists. */
TN_KERNEL const TN_ROM uint8_t *tn_lists_conv_f32(float *acc, int32_t pitch, int32_t count, int32_t n, const float *x,
                                                  int32_t stride, int32_t weights, int32_t taps,
                                                  const TN_ROM int32_t *koff, const TN_ROM uint8_t *s)
{
    memset(acc, 0, (size_t)(count * pitch) * sizeof *acc);
    for (int32_t first = 0; first < weights; first += 255) {
        const TN_ROM uint8_t *lists = s;
        int32_t at[255], together = 1;
        for (int32_t k = first; k < first + 255 && k < weights; k++)
            at[k - first] = k / taps * stride + koff[k % taps];
        for (int32_t i = 0, left = (n + TN_LANES - 1) / TN_LANES; left > 0; left -= together) {
            together = tn_together(left);
            s = tn_any_lists_f32(acc + i, pitch, count, x + i, at, lists, together);
            i += together * TN_LANES;
        }
    }
    return s;
}

/* t[c][i] = the sum of a[i] to d[i] by the ternary weights that c has as digits + 1 of base 3, that of a the most
 * significant; i < len, a whole number of vectors. */
TN_KERNEL void tn_sums_of_four_f32(float *t, int32_t len, const float *a, const float *b, const float *c,
                                   const float *d)
{
    for (int32_t i = 0; i < len; i += TN_LANES) {
        const tn_vec va = TN_LOAD(a + i), vb = TN_LOAD(b + i), vc = TN_LOAD(c + i), vd = TN_LOAD(d + i), zero = {0};
        const tn_vec high[9] = {-va - vb, -va, vb - va, -vb, zero, vb, va - vb, va, va + vb};
        const tn_vec low[9] = {-vc - vd, -vc, vd - vc, -vd, zero, vd, vc - vd, vc, vc + vd};
        for (int32_t j = 0; j < 9; j++)
            for (int32_t k = 0; k < 9; k++)
                TN_STORE(t + (9 * j + k) * len + i, high[j] + low[k]);
    }
}

/* acc[o][i] += t[w[o][k] * len + at[k] + i] over k < codes for output channel o < count, for i < v vectors. */
TN_KERNEL void tn_add_sums_f32(float *acc, int32_t pitch, int32_t count, const float *t, int32_t len, const int32_t *at,
                               int32_t codes, const TN_ROM uint8_t *w, const int32_t v)
{
    for (; count > 0; count--, acc += pitch, w += codes) {
        tn_vec a[8];
        for (int32_t j = 0; j < v; j++)
            a[j] = TN_LOAD(acc + j * TN_LANES);
        for (int32_t k = 0; k < codes; k++) {
            const float *p = t + w[k] * len + at[k];
            for (int32_t j = 0; j < v; j++)
                a[j] += TN_LOAD(p + j * TN_LANES);
        }
        for (int32_t j = 0; j < v; j++)
            TN_STORE(acc + j * TN_LANES, a[j]);
    }
}

/* The same for v that no compiler knows. */
TN_KERNEL void tn_any_sums_f32(float *acc, int32_t pitch, int32_t count, const float *t, int32_t len, const int32_t *at,
                               int32_t codes, const TN_ROM uint8_t *w, int32_t v)
{
    switch (v) {
    case 1: tn_add_sums_f32(acc, pitch, count, t, len, at, codes, w, 1); break;
    case 2: tn_add_sums_f32(acc, pitch, count, t, len, at, codes, w, 2); break;
    case 3: tn_add_sums_f32(acc, pitch, count, t, len, at, codes, w, 3); break;
    case 4: tn_add_sums_f32(acc, pitch, count, t, len, at, codes, w, 4); break;
    case 5: tn_add_sums_f32(acc, pitch, count, t, len, at, codes, w, 5); break;
    case 6: tn_add_sums_f32(acc, pitch, count, t, len, at, codes, w, 6); break;
    case 7: tn_add_sums_f32(acc, pitch, count, t, len, at, codes, w, 7); break;
    default: tn_add_sums_f32(acc, pitch, count, t, len, at, codes, w, 8); break;
    }
}

/* `count` output channels of a convolution from sums of four, acc [count][pitch], n positions. t: room for `fours`
 * times 81 sums of a plane, len elements each. w [ceil(channels / 4 / fours)][count][fours of these][taps]: for four
 * input channels and a tap the number of their sum, as in tn_sums_of_four_f32; fours * taps is at most 64. Missing
 * channels have weight 0. Returns what follows the table. */
TN_KERNEL const TN_ROM uint8_t *tn_sums_conv_f32(float *acc, int32_t pitch, int32_t count, int32_t n, const float *x,
                                                 int32_t stride, int32_t channels, int32_t taps,
                                                 const TN_ROM int32_t *koff, float *t, int32_t len, int32_t fours,
                                                 const TN_ROM uint8_t *w)
{
    memset(acc, 0, (size_t)(count * pitch) * sizeof *acc);
    for (int32_t c = 0; c < channels;) {
        int32_t at[64], codes = 0, together = 1;
        for (int32_t f = 0; f < fours && c < channels; f++, c += 4) {
            const float *a = x + c * stride, *b = c + 1 < channels ? a + stride : a;
            const float *d = c + 2 < channels ? b + stride : a, *e = c + 3 < channels ? d + stride : a;
            tn_sums_of_four_f32(t + f * 81 * len, len, a, b, d, e);
            for (int32_t k = 0; k < taps; k++)
                at[codes++] = f * 81 * len + koff[k];
        }
        for (int32_t i = 0, left = (n + TN_LANES - 1) / TN_LANES; left > 0; left -= together) {
            together = tn_together(left);
            tn_any_sums_f32(acc + i, pitch, count, t + i, len, at, codes, w, together);
            i += together * TN_LANES;
        }
        w += count * codes;
    }
    return w;
}
