/* recurrent_codes.h - LSTM, GRU and RNN in whole numbers, on the gates of one batch row. h has codes of 2^-bits, what
 * goes into an activation steps of 1 / 1024, the cell state of an LSTM steps of 1 / 2048, and gates and the state of a
 * GRU steps of 1 / 32768. Rounding is to the nearest, halves up, then saturation. */
#include "quant.h"

/* v / 2^shift to the nearest, halves up, but at least -high - 1 and at most high */
TN_KERNEL int32_t tn_shifted(int32_t v, int32_t shift, int32_t high)
{
    return tn_clamp((v + ((int32_t)1 << (shift - 1))) >> shift, -high - 1, high);
}

/* An activation of v / 2^shift sixteenths by its table from -8 to 8 in sixteenths, linear between these. */
TN_KERNEL int32_t tn_activation(const TN_ROM int16_t *table, int32_t v, int32_t shift)
{
    const int32_t at = v + ((int32_t)128 << shift), i = at >> shift;
    if (i < 0)
        return table[0];
    if (i > 255)
        return table[256];
    const int32_t part = at & (((int32_t)1 << shift) - 1), half = (int32_t)1 << (shift - 1);
    return table[i] + (((table[i + 1] - table[i]) * part + half) >> shift);
}

/* v = activation(v + x) */
TN_KERNEL void tn_gate_codes(int16_t *v, const int16_t *x, int32_t n, const TN_ROM int16_t *table)
{
    for (int32_t i = 0; i < n; i++)
        v[i] = (int16_t)tn_activation(table, (int32_t)v[i] + x[i], 6);
}

/* f = 1 - in */
TN_KERNEL void tn_couple_codes(int16_t *f, const int16_t *in, int32_t n)
{
    for (int32_t i = 0; i < n; i++)
        f[i] = (int16_t)(32767 - in[i]);
}

/* c = f * c + in * g, h = out * activation(c) */
TN_KERNEL void tn_lstm_codes(int8_t *h, int16_t *c, const int16_t *in, const int16_t *out, const int16_t *f,
                             const int16_t *g, int32_t n, const TN_ROM int16_t *table, int32_t bits)
{
    for (int32_t i = 0; i < n; i++) {
        c[i] = (int16_t)tn_shifted((int32_t)f[i] * c[i] + ((int32_t)in[i] * g[i] >> 4), 15, 32767);
        h[i] = (int8_t)tn_shifted(out[i] * tn_activation(table, c[i], 7), 30 - bits, 127);
    }
}

/* y = r * h */
TN_KERNEL void tn_reset_codes(int8_t *y, const int16_t *r, const int16_t *h, int32_t n, int32_t bits)
{
    for (int32_t i = 0; i < n; i++)
        y[i] = (int8_t)tn_shifted((int32_t)r[i] * h[i], 30 - bits, 127);
}

/* v = r * v */
TN_KERNEL void tn_reset_sums(int16_t *v, const int16_t *r, int32_t n)
{
    for (int32_t i = 0; i < n; i++)
        v[i] = (int16_t)tn_shifted((int32_t)r[i] * v[i], 15, 32767);
}

/* h = (1 - z) * g + z * h */
TN_KERNEL void tn_gru_codes(int16_t *h, const int16_t *z, const int16_t *g, int32_t n)
{
    for (int32_t i = 0; i < n; i++)
        h[i] = (int16_t)tn_shifted(((int32_t)32768 - z[i]) * g[i] + (int32_t)z[i] * h[i], 15, 32767);
}

/* h = v */
TN_KERNEL void tn_round_codes(int8_t *h, const int16_t *v, int32_t n, int32_t bits)
{
    for (int32_t i = 0; i < n; i++)
        h[i] = (int8_t)tn_shifted(v[i], 15 - bits, 127);
}

/* y[r * ystep + i] = x[r * xstep + i] in steps of 1 / steps, i < n, of `rows` rows; halves to even */
TN_KERNEL void TN(load_state)(T *y, const float *x, int32_t rows, int32_t n, int32_t ystep, int32_t xstep, float steps)
{
    const float high = (float)(((int32_t)1 << (8 * sizeof(T) - 1)) - 1);
    for (int32_t r = 0; r < rows; r++)
        for (int32_t i = 0; i < n; i++) {
            float v = rintf(x[r * xstep + i] * steps);
            v = v > -high - 1 ? v : -high - 1;
            y[r * ystep + i] = (T)(v < high ? v : high);
        }
}

/* y[r * ystep + i] = x[r * xstep + i] as a number, of steps of `step` */
TN_KERNEL void TN(store_state)(float *y, const T *x, int32_t rows, int32_t n, int32_t ystep, int32_t xstep, float step)
{
    for (int32_t r = 0; r < rows; r++)
        for (int32_t i = 0; i < n; i++)
            y[r * ystep + i] = (float)x[r * xstep + i] * step;
}

/* y[r * ystep + i] = x[r * xstep + i] */
TN_KERNEL void tn_store_codes(int8_t *y, const int8_t *x, int32_t rows, int32_t n, int32_t ystep, int32_t xstep)
{
    for (int32_t r = 0; r < rows; r++)
        memcpy(y + r * ystep, x + r * xstep, (size_t)n);
}
