/* resize.h - resampling of up to three neighbouring axes by tables: x [outer][in[0]][in[1]][in[2]][inner], y likewise
 * with out. The tables of the three axes stand behind one another. Typed: see tn.h. */
#include "tn.h"

/* y[p] = x[index[p]] along each axis: index holds out[0] + out[1] + out[2] positions. */
TN_KERNEL void TN(resize_nearest)(T *restrict y, const T *x, int32_t outer, const int32_t *in, const int32_t *out,
                                  int32_t inner, const TN_ROM int32_t *index)
{
    const TN_ROM int32_t *iy = index + out[0], *ix = iy + out[1];
    for (int32_t o = 0; o < outer; o++, x += in[0] * in[1] * in[2] * inner)
        for (int32_t a = 0; a < out[0]; a++)
            for (int32_t b = 0; b < out[1]; b++) {
                const T *row = x + (index[a] * in[1] + iy[b]) * in[2] * inner;
                for (int32_t c = 0; c < out[2]; c++)
                    for (int32_t i = 0; i < inner; i++)
                        *y++ = row[ix[c] * inner + i];
            }
}

/* y[p] = sum over t < taps of weight[p][t] * x[index[p][t]] along each axis. */
TN_KERNEL void TN(resize_linear)(T *restrict y, const T *x, int32_t outer, const int32_t *in, const int32_t *out,
                                 int32_t inner, int32_t taps, const TN_ROM int32_t *index, const TN_ROM T *weight)
{
    for (int32_t p = 0; p < outer * out[0] * out[1] * out[2]; p++, y += inner) {
        int32_t a = p / (out[1] * out[2]) % out[0] * taps, b = (out[0] + p / out[2] % out[1]) * taps;
        int32_t c = (out[0] + out[1] + p % out[2]) * taps, o = p / (out[0] * out[1] * out[2]);
        for (int32_t i = 0; i < inner; i++)
            y[i] = 0;
        for (int32_t t = 0; t < taps * taps * taps; t++) {
            int32_t ta = a + t / (taps * taps), tb = b + t / taps % taps, tc = c + t % taps;
            T w = weight[ta] * weight[tb] * weight[tc];
            const T *from = x + (((o * in[0] + index[ta]) * in[1] + index[tb]) * in[2] + index[tc]) * inner;
            if (w < 0 || w > 0)
                for (int32_t i = 0; i < inner; i++)
                    y[i] += w * from[i];
        }
    }
}

/* y[p] = value where outside, a table of the three axes like index, has a 1 for one of p's positions. */
TN_KERNEL void TN(resize_outside)(T *restrict y, int32_t outer, const int32_t *out, int32_t inner,
                                  const TN_ROM uint8_t *outside, T value)
{
    const TN_ROM uint8_t *oy = outside + out[0], *ox = oy + out[1];
    for (int32_t p = 0; p < outer * out[0] * out[1] * out[2]; p++, y += inner)
        if (outside[p / (out[1] * out[2]) % out[0]] || oy[p / out[2] % out[1]] || ox[p % out[2]])
            for (int32_t i = 0; i < inner; i++)
                y[i] = value;
}
