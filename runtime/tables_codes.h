/* tables_codes.h - layers of codes from tables of weights: sums in 32 bits, inputs read where they lie. Typed by the
 * codes: see tn.h. The tables are those of tables.h. */
#include "tables.h"

/* Element c of input row p, a row of the image if `inside`; `zero` where the image has none. */
TN_KERNEL int32_t TN(padded)(const T *p, int32_t inside, int32_t zero, int32_t c, int32_t first, int32_t last,
                             int32_t sw)
{
    return inside && c >= first && c < last ? p[c * sw] : zero;
}

/* What a weight of an output channel adds to its rows; as tn_add_tap_f32, but what x does not have is `zero`. */
TN_KERNEL void TN(add_tap)(int32_t *acc, const T *x, const TN_ROM tn_shape *g, int32_t zero, int32_t row, int32_t rows,
                           int32_t code)
{
    int32_t channel = (code >> 1) / g->taps, tap = (code >> 1) - channel * g->taps, ky = tap / g->kw, sw = g->sw;
    int32_t iy = row * g->sh + ky * g->dh - g->top, ix = (tap - ky * g->kw) * g->dw - g->left;
    int32_t first = ix < 0 ? (sw - 1 - ix) / sw : 0, last = ix < g->iw ? (g->iw - ix + sw - 1) / sw : 0;
    last = last < g->cols ? last : g->cols;
    x += channel * g->ih * g->iw;
    for (; rows > 0; rows--, iy += g->sh, acc += g->cols) {
        int32_t inside = iy >= 0 && iy < g->ih;
        const T *p = x + iy * g->iw + ix;
        for (int32_t c = zero ? 0 : first; c < (zero ? g->cols : inside ? last : first); c++) {
            int32_t v = TN(padded)(p, inside, zero, c, first, last, sw);
            acc[c] += code & 1 ? -v : v;
        }
    }
}

/* The same of an 8-bit weight at position `at`. */
TN_KERNEL void TN(multiply_tap)(int32_t *acc, const T *x, const TN_ROM tn_shape *g, int32_t zero, int32_t row,
                                int32_t rows, int32_t at, int32_t weight)
{
    int32_t channel = at / g->taps, tap = at - channel * g->taps, ky = tap / g->kw, sw = g->sw;
    int32_t iy = row * g->sh + ky * g->dh - g->top, ix = (tap - ky * g->kw) * g->dw - g->left;
    int32_t first = ix < 0 ? (sw - 1 - ix) / sw : 0, last = ix < g->iw ? (g->iw - ix + sw - 1) / sw : 0;
    last = last < g->cols ? last : g->cols;
    x += channel * g->ih * g->iw;
    for (; rows > 0; rows--, iy += g->sh, acc += g->cols)
        for (int32_t c = 0; c < g->cols; c++)
            acc[c] += weight * TN(padded)(x + iy * g->iw + ix, iy >= 0 && iy < g->ih, zero, c, first, last, sw);
}

/* Rows [row, row + rows) of one output channel of a convolution of Rice codes, acc [rows][cols]; x: the first input
 * channel of its group. Leaves c at the next output channel. */
TN_KERNEL void TN(coded_conv)(int32_t *acc, const T *x, const TN_ROM tn_shape *g, int32_t zero, int32_t row,
                              int32_t rows, tn_codes *c)
{
    memset(acc, 0, (size_t)(rows * g->cols) * sizeof *acc);
    for (; c->at < g->weights; tn_next_code(c))
        TN(add_tap)(acc, x, g, zero, row, rows, c->at * 2 + c->sign);
    c->at -= g->weights;
}

/* The same of packed bytes, in the code of tn_packed_conv_f32. Returns where the next channel's weights start. */
TN_KERNEL const TN_ROM uint8_t *TN(packed_rows)(int32_t *acc, const T *x, const TN_ROM tn_shape *g, int32_t zero,
                                                int32_t row, int32_t rows, const TN_ROM uint8_t *w)
{
    uint32_t q = 0;
    memset(acc, 0, (size_t)(rows * g->cols) * sizeof *acc);
    for (int32_t at = 0, left = 0; at < g->weights; at++, left--) {
        if (left == 0) {
            q = *w++;
            left = 5;
        }
        q *= 3;
        if (q >> 8 != 1)
            TN(add_tap)(acc, x, g, zero, row, rows, at * 2 + (q < 256));
        q &= 255;
    }
    return w;
}

/* The same of 8-bit weights. */
TN_KERNEL const TN_ROM int8_t *TN(dense_rows)(int32_t *acc, const T *x, const TN_ROM tn_shape *g, int32_t zero,
                                              int32_t row, int32_t rows, const TN_ROM int8_t *w)
{
    memset(acc, 0, (size_t)(rows * g->cols) * sizeof *acc);
    for (int32_t at = 0; at < g->weights; at++)
        TN(multiply_tap)(acc, x, g, zero, row, rows, at, w[at]);
    return w + g->weights;
}

/* y[o] = sum of +x[i] and -x[i] over the weights of output o < outputs, from Rice codes. */
TN_KERNEL void TN(coded_fc)(int32_t *y, const T *x, int32_t inputs, int32_t outputs, const TN_ROM uint8_t *s)
{
    tn_codes c;
    tn_start_codes(&c, s);
    for (int32_t o = 0; o < outputs; o++) {
        int32_t sum = 0;
        for (; c.at < inputs; tn_next_code(&c))
            sum += c.sign ? -x[c.at] : x[c.at];
        y[o] = sum;
        c.at -= inputs;
    }
}

/* The same by packed bytes w [ceil(inputs / 5)][outputs]. */
TN_KERNEL void TN(packed_bytes)(int32_t *y, const T *x, int32_t inputs, int32_t outputs, const TN_ROM uint8_t *w)
{
    memset(y, 0, (size_t)outputs * sizeof *y);
    for (int32_t i = 0; i < inputs; i += 5, w += outputs)
        for (int32_t o = 0; o < outputs; o++) {
            uint32_t q = w[o];
            for (int32_t j = i; j < i + 5 && j < inputs; j++, q &= 255) {
                q *= 3;
                if (q >> 8 != 1)
                    y[o] += q < 256 ? -x[j] : x[j];
            }
        }
}

/* y[o] = sum over i of w[o][i] * x[i]: 8-bit weights [outputs][inputs]. */
TN_KERNEL void TN(dense_fc)(int32_t *y, const T *x, int32_t inputs, int32_t outputs, const TN_ROM int8_t *w)
{
    for (int32_t o = 0; o < outputs; o++, w += inputs) {
        int32_t sum = 0;
        for (int32_t i = 0; i < inputs; i++)
            sum += w[i] * x[i];
        y[o] = sum;
    }
}
