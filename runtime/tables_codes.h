/* tables_codes.h - layers of codes from tables of weights: sums in 32 bits, inputs read where they lie. Typed by the
 * codes: see tn.h. The tables are those of tables.h. */
#include "layer_codes.h"
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

/* A packed byte holds five digits of base 3, of which the upper k are v[k] = byte * 3^k >> 8: the sum of digit[k] *
 * x[k] is that of v[k + 1] * (x[k] - 3 * x[k + 1]). c: these factors of inputs x[0..n), in both halves of a word;
 * factors of whole bytes. Returns - sum x. */
#if TN_LANES > 1
TN_KERNEL int32_t TN(digit_factors)(uint32_t *c, const T *x, int32_t n)
{
    int32_t minus = 0;
    for (int32_t i = 0; i < n; i += 5)
        for (int32_t k = i; k < i + 5; k++) {
            int32_t v = k < n ? x[k] : 0, next = k < i + 4 && k + 1 < n ? x[k + 1] : 0;
            minus -= v;
            c[k] = (uint16_t)(v - 3 * next) * 0x10001u;
        }
    return minus;
}
#endif

/* Sums of packed bytes, 16 bits each, which what they are made of may leave. TN_DIGITS(q, c): what bytes q add. */
#if TN_LANES > 1
typedef uint16_t tn_digits __attribute__((vector_size(sizeof(tn_vec_i16)), aligned(2), may_alias));
typedef uint16_t tn_digits8 __attribute__((vector_size(16), aligned(2), may_alias));
typedef int32_t tn_sums8 __attribute__((vector_size(32), aligned(4), may_alias));
typedef uint32_t tn_factors __attribute__((vector_size(sizeof(tn_vec_i16))));
typedef uint32_t tn_factors8 __attribute__((vector_size(16)));
#define TN_DIGITS(q, v)                                                                                                \
    (((q)*3 >> 8) * (v)[0] + ((q)*9 >> 8) * (v)[1] + ((q)*27 >> 8) * (v)[2] + ((q)*81 >> 8) * (v)[3] +                 \
     ((q)*243 >> 8) * (v)[4])
#endif

/* y[0..2 * TN_LANES_I16) += start + the sums of `bytes` packed bytes each, which lie `pitch` apart; at most 25, of
 * which no sum of codes leaves 16 bits. c, start: of digit_factors. */
#if TN_LANES > 1
TN_KERNEL void tn_add_packed(int32_t *y, const TN_ROM uint8_t *w, int32_t pitch, int32_t bytes, const uint32_t *c,
                             int32_t start)
{
    tn_digits a = (tn_digits){0} + (uint16_t)start, b = a;
    for (; bytes > 0; bytes--, w += pitch, c += 5) {
        tn_digits q = TN_CONVERT(w, tn_vec_u8, tn_digits), s = TN_CONVERT(w + TN_LANES_I16, tn_vec_u8, tn_digits);
        tn_digits v[5];
        for (int32_t k = 0; k < 5; k++)
            v[k] = (tn_digits)((tn_factors){0} + c[k]);
        a += TN_DIGITS(q, v);
        b += TN_DIGITS(s, v);
    }
    TN_ADD_I32(y, (tn_vec_i16)a);
    TN_ADD_I32(y + TN_LANES_I16, (tn_vec_i16)b);
}
#endif

/* The same of y[0..left), at most 8; what stands behind them is read too, but not behind the last byte. */
#if TN_LANES > 1
TN_KERNEL void tn_add_packed8(int32_t *y, int32_t left, const TN_ROM uint8_t *w, int32_t pitch, int32_t bytes,
                              const uint32_t *c, int32_t start)
{
    tn_digits8 a = (tn_digits8){0} + (uint16_t)start;
    uint8_t last[8] = {0};
    for (; bytes > 0; bytes--, w += pitch, c += 5) {
        const int32_t ends = left + (bytes - 1) * pitch < 8;
        for (int32_t o = 0; ends && o < left; o++)
            last[o] = w[o];
        tn_digits8 q = TN_CONVERT(ends ? last : w, tn_vec8_u8, tn_digits8), v[5];
        for (int32_t k = 0; k < 5; k++)
            v[k] = (tn_digits8)((tn_factors8){0} + c[k]);
        a += TN_DIGITS(q, v);
    }
    for (int32_t o = 0; o < left; o++)
        y[o] += (int16_t)a[o];
}
#endif

/* The same by packed bytes w [ceil(inputs / 5)][outputs], one by one, of codes of any length. */
TN_KERNEL void TN(packed_each)(int32_t *y, const T *x, int32_t inputs, int32_t outputs, const TN_ROM uint8_t *w)
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

/* The same of 8-bit codes. */
TN_KERNEL void TN(packed_bytes)(int32_t *y, const T *x, int32_t inputs, int32_t outputs, const TN_ROM uint8_t *w)
{
    memset(y, 0, (size_t)outputs * sizeof *y);
#if TN_LANES > 1
    for (int32_t i = 0; i < inputs; i += 125, w += 25 * outputs) {
        uint32_t c[125];
        int32_t n = inputs - i < 125 ? inputs - i : 125, bytes = (n + 4) / 5, o = 0;
        int32_t start = TN(digit_factors)(c, x + i, n);
        for (; o + 2 * TN_LANES_I16 <= outputs; o += 2 * TN_LANES_I16)
            tn_add_packed(y + o, w + o, outputs, bytes, c, start);
        for (; o < outputs; o += 8)
            tn_add_packed8(y + o, outputs - o < 8 ? outputs - o : 8, w + o, outputs, bytes, c, start);
    }
#else
    for (int32_t i = 0; i < inputs; i += 5, w += outputs)
        for (int32_t o = 0; o < outputs; o++) {
            uint32_t q = w[o];
            for (int32_t j = i; j < i + 5 && j < inputs; j++, q &= 255) {
                q *= 3;
                if (q >> 8 != 1)
                    y[o] += q < 256 ? -x[j] : x[j];
            }
        }
#endif
}

/* TN_MADD(a, x, y): a += the products of 16-bit codes x and 8-bit weights y; where there is an instruction for it, a
 * has half as many sums, each of two products. */
#if TN_LANES > 1
#if defined(__SSE2__)
typedef int32_t tn_products __attribute__((vector_size(sizeof(tn_vec_i16))));
#if defined(__AVX512BW__) && defined(__clang__)
#define TN_MADD(a, x, y) a += (tn_products)__builtin_ia32_pmaddwd512(x, y)
#elif defined(__AVX512BW__)
#define TN_MADD(a, x, y) a += (tn_products)__builtin_ia32_pmaddwd512_mask(x, y, (tn_products){0}, 0xFFFF)
#elif defined(__AVX2__)
#define TN_MADD(a, x, y) a += (tn_products)__builtin_ia32_pmaddwd256(x, y)
#else
#define TN_MADD(a, x, y) a += (tn_products)__builtin_ia32_pmaddwd128(x, y)
#endif
#else
typedef tn_vec_i32 tn_products;
#define TN_MADD(a, x, y) a += __builtin_convertvector((x) * (y), tn_vec_i32)
#endif
#define TN_PRODUCTS ((int32_t)(sizeof(tn_products) / 4))
#endif

/* Bytes taken two by two, which is less work than making each one of 16 bits: even and odd ones, signed where `sign`.
 */
#if TN_LANES > 1
typedef int16_t tn_byte_pairs __attribute__((vector_size(sizeof(tn_vec_i16)), aligned(1), may_alias));
typedef uint16_t tn_unsigned_pairs __attribute__((vector_size(sizeof(tn_vec_i16))));
#define TN_EVEN(v, sign) ((sign) ? (tn_vec_i16)((tn_unsigned_pairs)(v) << 8) >> 8 : (tn_vec_i16)((v)&255))
#define TN_ODD(v, sign) ((sign) ? (tn_vec_i16)((v) >> 8) : (tn_vec_i16)((tn_unsigned_pairs)(v) >> 8))
#define TN_LOAD_PAIRS(p) (*(const tn_byte_pairs *)(const void *)(p))
#endif

/* y[r] = sum over i of w[r * inputs + i] * x[i] for r < rows, at most 4. last: the inputs of the last vector, 0 where
 * the one before it has them too. */
#if TN_LANES > 1
TN_KERNEL void TN(dot_rows)(int32_t *y, const T *x, const T *last, int32_t inputs, const TN_ROM int8_t *w, int32_t rows)
{
    const int32_t sign = (T)-1 < 1, step = 2 * TN_LANES_I16;
    const TN_ROM int8_t *row[4];
    tn_products a = {0}, b = {0}, c = {0}, d = {0};
    int32_t sums[4] = {0};
    for (int32_t r = 0; r < 4; r++)
        row[r] = w + (r < rows ? r : 0) * inputs;
    for (int32_t i = 0; i < inputs; i += step) {
        const int32_t at = i + step <= inputs ? i : inputs - step;
        const tn_byte_pairs v = TN_LOAD_PAIRS(at == i ? x + i : last), p = TN_LOAD_PAIRS(row[0] + at),
                            q = TN_LOAD_PAIRS(row[1] + at), s = TN_LOAD_PAIRS(row[2] + at),
                            t = TN_LOAD_PAIRS(row[3] + at);
        const tn_vec_i16 even = TN_EVEN(v, sign), odd = TN_ODD(v, sign);
        TN_MADD(a, even, TN_EVEN(p, 1));
        TN_MADD(a, odd, TN_ODD(p, 1));
        TN_MADD(b, even, TN_EVEN(q, 1));
        TN_MADD(b, odd, TN_ODD(q, 1));
        TN_MADD(c, even, TN_EVEN(s, 1));
        TN_MADD(c, odd, TN_ODD(s, 1));
        TN_MADD(d, even, TN_EVEN(t, 1));
        TN_MADD(d, odd, TN_ODD(t, 1));
    }
    for (int32_t k = 0; k < TN_PRODUCTS; k++) {
        sums[0] += a[k];
        sums[1] += b[k];
        sums[2] += c[k];
        sums[3] += d[k];
    }
    memcpy(y, sums, (size_t)rows * sizeof *y);
}
#endif

/* y[o] = sum over i of w[o][i] * x[i]: 8-bit weights [outputs][inputs]. */
TN_KERNEL void TN(dense_each)(int32_t *y, const T *x, int32_t inputs, int32_t outputs, const TN_ROM int8_t *w)
{
    for (int32_t o = 0; o < outputs; o++, w += inputs) {
        int32_t sum = 0;
        for (int32_t i = 0; i < inputs; i++)
            sum += w[i] * x[i];
        y[o] = sum;
    }
}

/* The same of 8-bit codes. */
TN_KERNEL void TN(dense_fc)(int32_t *y, const T *x, int32_t inputs, int32_t outputs, const TN_ROM int8_t *w)
{
    int32_t o = 0;
#if TN_LANES > 1
    T last[2 * TN_LANES_I16] = {0};
    const int32_t rest = inputs % (2 * TN_LANES_I16);
    memcpy(last + 2 * TN_LANES_I16 - rest, x + inputs - rest, (size_t)rest);
    for (; inputs >= 2 * TN_LANES_I16 && o < outputs; o += 4, w += 4 * inputs)
        TN(dot_rows)(y + o, x, last, inputs, w, outputs - o < 4 ? outputs - o : 4);
#endif
    if (o < outputs)
        TN(dense_each)(y + o, x, inputs, outputs - o, w);
}
