/* codes.h - between layers: 8-bit codes to others, in whole numbers. Results are (v + addend) / 2^shift to the nearest,
 * halves to even, plus zero, between low and high: bytes of uint8_t or int8_t alike. sign: see quant.h. */
#include "quant.h"

/* y[i] = (v + addend) / 2^shift to the nearest, halves to even, plus zero, between low and high; shift > 0 */
TN_KERNEL void tn_put_shifted(void *y, int32_t i, int32_t v, int32_t addend, int32_t shift, int32_t zero, int32_t low,
                              int32_t high)
{
    v += addend + ((int32_t)1 << (shift - 1));
    int32_t q = v >> shift;
    if ((uint32_t)v << (32 - shift) == 0)
        q &= ~1;
    ((uint8_t *)y)[i] = tn_clamp_code(q + zero, low, high);
}

/* The same as a code of 16 bits, by numbers of 64. */
TN_KERNEL int16_t tn_shifted16(int64_t v, int64_t addend, int32_t shift, int32_t zero, int32_t low, int32_t high)
{
    v += addend + ((int64_t)1 << (shift - 1));
    int64_t q = v >> shift;
    if ((uint64_t)v << (64 - shift) == 0)
        q &= ~1;
    q += zero;
    q = q < low ? low : q;
    return (int16_t)(q > high ? high : q);
}

/* y[i] = table[x[i] as an unsigned byte], i < n */
TN_KERNEL void tn_code_table(void *y, const void *x, int32_t n, const TN_ROM void *table)
{
    const TN_ROM uint8_t *t = (const TN_ROM uint8_t *)table;
    for (int32_t i = 0; i < n; i++)
        ((uint8_t *)y)[i] = t[((const uint8_t *)x)[i]];
}

/* y[i] = a[i] * factor_a + b[i] * factor_b, i < n */
TN_KERNEL void tn_add_codes(void *y, const void *a, int32_t a_sign, const void *b, int32_t b_sign, int32_t n,
                            int32_t factor_a, int32_t factor_b, int32_t addend, int32_t shift, int32_t zero,
                            int32_t low, int32_t high)
{
    for (int32_t i = 0; i < n; i++)
        tn_put_shifted(y, i, tn_code(a, i, a_sign) * factor_a + tn_code(b, i, b_sign) * factor_b, addend, shift, zero,
                       low, high);
}

/* The same of 16-bit codes. */
TN_KERNEL void tn_add_codes16(int16_t *y, const int16_t *a, const int16_t *b, int32_t n, int32_t factor_a,
                              int32_t factor_b, int64_t addend, int32_t shift, int32_t zero, int32_t low, int32_t high)
{
    for (int32_t i = 0; i < n; i++)
        y[i] = tn_shifted16((int64_t)a[i] * factor_a + (int64_t)b[i] * factor_b, addend, shift, zero, low, high);
}

/* y[i] = v * factor / 2^14 with v = (a[i] - zero_a) * (b[i * step] - zero_b), i < n; |v| * factor < 2^44. The factor
 * has more bits than fit beside v: its upper and its lower ones are multiplied on their own. */
TN_KERNEL void tn_mul_codes(void *y, const void *a, int32_t a_sign, const void *b, int32_t b_sign, int32_t step,
                            int32_t n, int32_t zero_a, int32_t zero_b, int32_t factor, int32_t addend, int32_t shift,
                            int32_t zero, int32_t low, int32_t high)
{
    int32_t upper = factor >> 14, lower = factor & 16383;
    for (int32_t i = 0; i < n; i++) {
        int32_t v = (tn_code(a, i, a_sign) - zero_a) * (tn_code(b, i * step, b_sign) - zero_b);
        tn_put_shifted(y, i, v * upper + (v * lower >> 14), addend, shift, zero, low, high);
    }
}

/* y[i] = v * factor, below 0 v * slopes[i * step], with v = x[i] - zero_x, i < n */
TN_KERNEL void tn_slope_codes(void *y, const void *x, int32_t sign, const TN_ROM int32_t *slopes, int32_t step,
                              int32_t n, int32_t zero_x, int32_t factor, int32_t addend, int32_t shift, int32_t zero,
                              int32_t low, int32_t high)
{
    for (int32_t i = 0; i < n; i++) {
        int32_t v = tn_code(x, i, sign) - zero_x;
        tn_put_shifted(y, i, v * (v < 0 ? slopes[i * step] : factor), addend, shift, zero, low, high);
    }
}

/* y [planes][oh][ow] = factor * the sum of x [planes][ih][iw] over rows r * sh + [0, kh), columns c * sw + [0, kw) */
TN_KERNEL void tn_average_codes(void *y, const void *x, int32_t sign, int32_t planes, int32_t ih, int32_t iw,
                                int32_t oh, int32_t ow, int32_t kh, int32_t kw, int32_t sh, int32_t sw, int32_t factor,
                                int32_t addend, int32_t shift, int32_t zero, int32_t low, int32_t high)
{
    for (int32_t p = 0, i = 0; p < planes; p++)
        for (int32_t r = 0; r < oh; r++)
            for (int32_t c = 0; c < ow; c++, i++) {
                int32_t sum = 0, at = (p * ih + r * sh) * iw + c * sw;
                for (int32_t j = 0; j < kh; j++, at += iw)
                    for (int32_t k = 0; k < kw; k++)
                        sum += tn_code(x, at + k, sign);
                tn_put_shifted(y, i, sum * factor, addend, shift, zero, low, high);
            }
}

/* The same of 16-bit codes. */
TN_KERNEL void tn_average_codes16(int16_t *y, const int16_t *x, int32_t planes, int32_t ih, int32_t iw, int32_t oh,
                                  int32_t ow, int32_t kh, int32_t kw, int32_t sh, int32_t sw, int32_t factor,
                                  int64_t addend, int32_t shift, int32_t zero, int32_t low, int32_t high)
{
    for (int32_t p = 0, i = 0; p < planes; p++)
        for (int32_t r = 0; r < oh; r++)
            for (int32_t c = 0; c < ow; c++, i++) {
                int32_t sum = 0, at = (p * ih + r * sh) * iw + c * sw;
                for (int32_t j = 0; j < kh; j++, at += iw)
                    for (int32_t k = 0; k < kw; k++)
                        sum += x[at + k];
                y[i] = tn_shifted16((int64_t)sum * factor, addend, shift, zero, low, high);
            }
}

/* y [planes][oh][ow] = the sum of x - zero_x over what lies in x [planes][ih][iw] of rows r * sh - top + [0, kh),
 * columns c * sw - left + [0, kw), times factors[how many elements these are] */
TN_KERNEL void tn_average_edges(void *y, const void *x, int32_t sign, int32_t planes, int32_t ih, int32_t iw,
                                int32_t oh, int32_t ow, int32_t kh, int32_t kw, int32_t sh, int32_t sw, int32_t top,
                                int32_t left, int32_t zero_x, const TN_ROM int32_t *factors, int32_t addend,
                                int32_t shift, int32_t zero, int32_t low, int32_t high)
{
    for (int32_t p = 0, i = 0; p < planes; p++)
        for (int32_t r = -top; r < oh * sh - top; r += sh)
            for (int32_t c = -left; c < ow * sw - left; c += sw, i++) {
                int32_t sum = 0, count = 0;
                for (int32_t j = r < 0 ? 0 : r; j < ih && j < r + kh; j++)
                    for (int32_t k = c < 0 ? 0 : c; k < iw && k < c + kw; k++, count++)
                        sum += tn_code(x, (p * ih + j) * iw + k, sign) - zero_x;
                tn_put_shifted(y, i, sum * factors[count], addend, shift, zero, low, high);
            }
}

/* The exponential of d steps less, 0 <= d < 256, by those of 16 and of 1 */
TN_KERNEL uint32_t tn_exponential(const TN_ROM uint16_t *exponentials, int32_t d)
{
    return ((uint32_t)exponentials[d >> 4] * exponentials[16 + (d & 15)] + 32768) >> 16;
}

/* Softmax of rows x [rows][n]: with e = the exponential of largest code - code, y = (e * steps + sum of e / 2) / sum of
 * e + zero, between low and high */
TN_KERNEL void tn_softmax_codes(void *y, const void *x, int32_t sign, int32_t rows, int32_t n,
                                const TN_ROM uint16_t *exponentials, int32_t steps, int32_t zero, int32_t low,
                                int32_t high)
{
    for (int32_t r = 0, at = 0; r < rows; r++, at += n) {
        int32_t most = tn_code(x, at, sign);
        uint32_t sum = 0;
        for (int32_t i = at; i < at + n; i++)
            most = tn_code(x, i, sign) > most ? tn_code(x, i, sign) : most;
        for (int32_t i = at; i < at + n; i++)
            sum += tn_exponential(exponentials, most - tn_code(x, i, sign));
        for (int32_t i = at; i < at + n; i++) {
            uint32_t e = tn_exponential(exponentials, most - tn_code(x, i, sign));
            int32_t q = (int32_t)((e * (uint32_t)steps + sum / 2) / sum) + zero;
            ((uint8_t *)y)[i] = tn_clamp_code(q, low, high);
        }
    }
}
