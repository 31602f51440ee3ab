/* layer_words.h - layers of codes on cores without vectors: two 16-bit sums in a word of 32 bits, those of an output row
 * of the upper half and of the one as far down in the lower half. One add or subtract serves both: what one half borrows
 * from the other is put right when they are taken apart. */
#include "layer_codes.h"

typedef uint32_t tn_vec_w2;
#define TN_LOAD_W2(p) (*(p))
#define TN_STORE_W2(p, v) (*(p) = (v))
#define TN_LOW(w) ((int32_t)(int16_t)(w))
#define TN_HIGH(w) ((int32_t)((w) + 0x8000u) >> 16)
/* Pairs of 32-bit sums lie in the place of a 64-bit number. */
#define TN_STORE_X2(p, w) (((int32_t *)(void *)(p))[0] = TN_LOW(w), ((int32_t *)(void *)(p))[1] = TN_HIGH(w))
#define TN_ADD_X2(p, w) (((int32_t *)(void *)(p))[0] += TN_LOW(w), ((int32_t *)(void *)(p))[1] += TN_HIGH(w))

/* One row of a staged plane: y[i] = a[i * sw + fx - left], and b likewise in the upper half, for i < pcols; `zero` outside
 * of [0, iw), and for a row that is not inside. */
TN_KERNEL void tn_stage_row_w2(uint32_t *y, const uint8_t *a, int32_t a_inside, const uint8_t *b, int32_t b_inside,
                               int32_t sign, int32_t zero, int32_t iw, int32_t left, int32_t sw, int32_t fx,
                               int32_t pcols)
{
    const uint32_t z = (uint32_t)zero, none = z + (z << 16);
    int32_t i = 0, x = fx - left;
    for (; i < pcols && x < 0; i++, x += sw)
        y[i] = none;
    if (a_inside && b_inside)
        for (; i < pcols && x < iw; i++, x += sw)
            y[i] = (uint32_t)tn_code(a, x, sign) + ((uint32_t)tn_code(b, x, sign) << 16);
    else if (a_inside)
        for (; i < pcols && x < iw; i++, x += sw)
            y[i] = (uint32_t)tn_code(a, x, sign) + (z << 16);
    else if (b_inside)
        for (; i < pcols && x < iw; i++, x += sw)
            y[i] = z + ((uint32_t)tn_code(b, x, sign) << 16);
    for (; i < pcols; i++)
        y[i] = none;
}

/* Copy a strip of padded planes of codes as tn_stage_f32 does it, with the rows `second` further down. */
TN_KERNEL void tn_stage_w2(uint32_t *y, const void *x, int32_t sign, int32_t zero, int32_t second, int32_t channels,
                           int32_t ih, int32_t iw, int32_t row, int32_t top, int32_t left, int32_t sh, int32_t sw,
                           int32_t fys, int32_t fxs, int32_t prows, int32_t pcols)
{
    const uint8_t *p = (const uint8_t *)x;
    for (int32_t c = 0; c < channels; c++, p += ih * iw)
        for (int32_t fy = 0; fy < fys; fy++)
            for (int32_t fx = 0; fx < fxs; fx++)
                for (int32_t r = 0; r < prows; r++, y += pcols) {
                    int32_t ia = (row + r) * sh + fy - top, ib = ia + second;
                    tn_stage_row_w2(y, p + ia * iw, ia >= 0 && ia < ih, p + ib * iw, ib >= 0 && ib < ih, sign, zero, iw,
                                    left, sw, fx, pcols);
                }
}

/* Rows of a strip as codes: output (r, c) is y[r * cols + c], the one with it y[second + r * cols + c], which there is
 * for r < lower. Windows as in put_codes of layer_codes.h. */
TN_KERNEL void tn_put_codes_w2(void *y, int32_t second, const uint32_t *v, int32_t rows, int32_t lower, int32_t cols,
                               int32_t pitch, int32_t kh, int32_t kw, int32_t sh, int32_t sw, int32_t add,
                               int32_t factor, int32_t addend, int32_t shift, int32_t low, int32_t high)
{
    uint8_t *u = (uint8_t *)y;
    for (int32_t r = 0; r < rows; r++)
        for (int32_t c = 0; c < cols; c++, u++) {
            const uint32_t *p = v + r * sh * pitch + c * sw;
            int32_t s = TN_LOW(p[0]), t = TN_HIGH(p[0]);
            for (int32_t i = 0; i < kh; i++)
                for (int32_t j = 0; j < kw; j++) {
                    int32_t a = TN_LOW(p[i * pitch + j]), b = TN_HIGH(p[i * pitch + j]);
                    if (i + j == 0)
                        continue;
                    s = add ? s + a : a > s ? a : s;
                    t = add ? t + b : b > t ? b : t;
                }
            u[0] = (uint8_t)tn_requantise(s, factor, addend, shift, low, high);
            if (r < lower)
                u[second] = (uint8_t)tn_requantise(t, factor, addend, shift, low, high);
        }
}

/* The same of pairs of 32-bit sums. */
TN_KERNEL void tn_put_codes_x2(void *y, int32_t second, const int64_t *v, int32_t rows, int32_t lower, int32_t cols,
                               int32_t pitch, int32_t kh, int32_t kw, int32_t sh, int32_t sw, int32_t add,
                               int32_t factor, int32_t addend, int32_t shift, int32_t low, int32_t high)
{
    uint8_t *u = (uint8_t *)y;
    for (int32_t r = 0; r < rows; r++)
        for (int32_t c = 0; c < cols; c++, u++) {
            const int32_t *p = (const int32_t *)(const void *)(v + r * sh * pitch + c * sw);
            int32_t s = p[0], t = p[1];
            for (int32_t i = 0; i < kh; i++)
                for (int32_t j = 0; j < kw; j++) {
                    int32_t a = p[2 * (i * pitch + j)], b = p[2 * (i * pitch + j) + 1];
                    if (i + j == 0)
                        continue;
                    s = add ? s + a : a > s ? a : s;
                    t = add ? t + b : b > t ? b : t;
                }
            u[0] = (uint8_t)tn_requantise(s, factor, addend, shift, low, high);
            if (r < lower)
                u[second] = (uint8_t)tn_requantise(t, factor, addend, shift, low, high);
        }
}

/* The sums of n words as numbers by themselves. */
TN_KERNEL void tn_unpack_w2(int16_t *low, int16_t *high, const uint32_t *v, int32_t n)
{
    for (int32_t i = 0; i < n; i++) {
        low[i] = (int16_t)TN_LOW(v[i]);
        high[i] = (int16_t)TN_HIGH(v[i]);
    }
}

/* The same of pairs of 32-bit sums. */
TN_KERNEL void tn_unpack_x2(int32_t *low, int32_t *high, const int64_t *v, int32_t n)
{
    for (int32_t i = 0; i < n; i++) {
        low[i] = ((const int32_t *)(const void *)v)[2 * i];
        high[i] = ((const int32_t *)(const void *)v)[2 * i + 1];
    }
}
