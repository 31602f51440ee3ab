/* layer_words.h - layers of codes on cores without vectors: two 16-bit sums in a word of 32 bits, those of an output
 * row of the upper half and of the one as far down in the lower half. One add or subtract serves both: what one half
 * borrows from the other is put right when they are taken apart. */
#include "layer_codes.h"

typedef uint32_t tn_vec_w2;
/* Sums of whole numbers come out the same in any order, so compilers choose their own, with more variables than there
 * are registers. This keeps an add where it stands. */
#if defined(__GNUC__)
#define TN_KEEP(a) __asm__("" : "+r"(a))
#else
#define TN_KEEP(a) ((void)0)
#endif
#if defined(__thumb__) && !defined(__thumb2__)
#define TN_KEEP_FEW(a) TN_KEEP(a) /* eight registers do not hold what compilers find in common to addresses */
#else
#define TN_KEEP_FEW(a) ((void)0)
#endif
#define TN_LOAD_W2(p) (*(p))
#define TN_STORE_W2(p, v) (*(p) = (v))
#define TN_LOW(w) ((int32_t)(int16_t)(w))
#define TN_HIGH(w, low) ((int32_t)((uint32_t)(w) - (uint32_t)(low)) >> 16)
/* The sum at p of the lower half, 0, or of the upper one, 1. */
#define TN_HALF_W2(p, half) ((half) ? TN_HIGH(*(p), TN_LOW(*(p))) : TN_LOW(*(p)))
#define TN_HALF_X2(p, half) (((const int32_t *)(const void *)(p))[half])
/* Pairs of 32-bit sums lie in the place of a 64-bit number. */
#define TN_STORE_X2(p, w) (((int32_t *)(void *)(p))[0] = TN_LOW(w), ((int32_t *)(void *)(p))[1] = TN_HIGH(w, TN_LOW(w)))
#define TN_ADD_X2(p, w) (((int32_t *)(void *)(p))[0] += TN_LOW(w), ((int32_t *)(void *)(p))[1] += TN_HIGH(w, TN_LOW(w)))

/* The words of a staged image before anything is copied there: the code of zero in both halves. */
TN_KERNEL void tn_fill_w2(uint32_t *y, int32_t zero, int32_t n)
{
    const uint32_t z = (uint32_t)zero, none = z + (z << 16);
    for (int32_t i = 0; i < n; i++)
        y[i] = none;
}

/* Codes a and b side by side: the word of element i. */
TN_KERNEL uint32_t tn_pair(const uint8_t *a, const uint8_t *b, int32_t i, int32_t sign)
{
    return (uint32_t)tn_code(a, i, sign) + ((uint32_t)tn_code(b, i, sign) << 16);
}

/* y[i] = the pair of a[i] and b[i], i < n; four at once, whose addresses need no steps. */
TN_KERNEL void tn_pair_row(uint32_t *y, const uint8_t *a, const uint8_t *b, int32_t sign, int32_t n)
{
    const uint8_t *const end = a + (n & ~3);
    while (a != end) {
        y[0] = tn_pair(a, b, 0, sign);
        y[1] = tn_pair(a, b, 1, sign);
        y[2] = tn_pair(a, b, 2, sign);
        y[3] = tn_pair(a, b, 3, sign);
        y += 4;
        a += 4;
        b += 4;
        TN_KEEP_FEW(y);
        TN_KEEP_FEW(a);
        TN_KEEP_FEW(b);
    }
    for (int32_t i = 0; i < (n & 3); i++)
        y[i] = tn_pair(a, b, i, sign);
}

/* The first element of a staged row that is inside of the image, and the first behind these that is not: elements are
 * columns i * sw + fx - left of [0, iw). */
TN_KERNEL int32_t tn_first_inside(int32_t left, int32_t sw, int32_t fx)
{
    return left > fx ? (left - fx + sw - 1) / sw : 0;
}

TN_KERNEL int32_t tn_end_inside(int32_t iw, int32_t left, int32_t sw, int32_t fx, int32_t pcols)
{
    const int32_t end = (iw - 1 + left - fx + sw) / sw;
    return end < pcols ? end : pcols;
}

/* n elements of a row of a staged plane: y[i] = a[i * sw], and b likewise in the upper half; `zero` for a row that is
 * not inside. What lies beside them was filled before. */
TN_KERNEL void tn_stage_row_w2(uint32_t *y, const uint8_t *a, int32_t a_inside, const uint8_t *b, int32_t b_inside,
                               int32_t sign, int32_t zero, int32_t sw, int32_t n)
{
    const uint32_t z = (uint32_t)zero;
    if (a_inside && b_inside && sw == 1)
        tn_pair_row(y, a, b, sign, n);
    else if (a_inside && b_inside)
        for (int32_t i = 0; i < n; i++, a += sw, b += sw)
            y[i] = tn_pair(a, b, 0, sign);
    else
        for (int32_t i = 0; i < n; i++, a += sw, b += sw) {
            uint32_t u = a_inside ? (uint32_t)tn_code(a, 0, sign) : z, v = b_inside ? (uint32_t)tn_code(b, 0, sign) : z;
            y[i] = u + (v << 16);
        }
}

/* Copy a strip of padded planes of codes as tn_stage_f32 does it, with the rows `second` further down. */
TN_KERNEL void tn_stage_w2(uint32_t *y, const void *x, int32_t sign, int32_t zero, int32_t second, int32_t channels,
                           int32_t ih, int32_t iw, int32_t row, int32_t top, int32_t left, int32_t sh, int32_t sw,
                           int32_t fys, int32_t fxs, int32_t prows, int32_t pcols)
{
    const uint8_t *p = (const uint8_t *)x;
    for (int32_t c = 0; c < channels; c++, p += ih * iw)
        for (int32_t fy = 0; fy < fys; fy++)
            for (int32_t fx = 0; fx < fxs; fx++) {
                const int32_t first = tn_first_inside(left, sw, fx), from = first * sw + fx - left;
                const int32_t n = tn_end_inside(iw, left, sw, fx, pcols) - first;
                for (int32_t r = 0; r < prows; r++, y += pcols) {
                    int32_t ia = (row + r) * sh + fy - top, ib = ia + second;
                    tn_stage_row_w2(y + first, p + ia * iw + from, ia >= 0 && ia < ih, p + ib * iw + from,
                                    ib >= 0 && ib < ih, sign, zero, sw, n);
                }
            }
}

/* The same where rows follow each other without padding or stride. */
TN_KERNEL void tn_stage_flat_w2(uint32_t *y, const void *x, int32_t sign, int32_t zero, int32_t second,
                                int32_t channels, int32_t ih, int32_t iw, int32_t row, int32_t prows)
{
    const uint8_t *p = (const uint8_t *)x + row * iw;
    const int32_t both = ih - second - row < prows ? (ih - second - row) * iw : prows * iw;
    const int32_t all = second - row < prows ? (second - row) * iw : prows * iw;
    for (int32_t c = 0; c < channels; c++, p += ih * iw, y += prows * iw) {
        const uint8_t *q = p + second * iw;
        tn_pair_row(y, p, q, sign, both);
        for (int32_t i = both; i < all; i++)
            y[i] = (uint32_t)tn_code(p, i, sign) + ((uint32_t)zero << 16);
    }
}

/* n bytes from x on of each channel, `plane` bytes apart, to y one after the other. */
TN_KERNEL void tn_save_rows(uint8_t *y, const void *x, int32_t channels, int32_t plane, int32_t n)
{
    for (int32_t c = 0; c < channels; c++)
        memcpy(y + c * n, (const uint8_t *)x + c * plane, (size_t)n);
}

/* The same for the next strip of an image without strides: the last `kept` of the prows rows of each plane are its
 * first ones, the others follow. saved: the first `saves` rows from `second` on of each channel, where outputs may have
 * taken their place. */
TN_KERNEL void tn_stage_next_w2(uint32_t *y, const void *x, int32_t sign, int32_t zero, int32_t second,
                                const uint8_t *saved, int32_t saves, int32_t channels, int32_t ih, int32_t iw,
                                int32_t row, int32_t top, int32_t left, int32_t kept, int32_t prows, int32_t pcols)
{
    const uint8_t *p = (const uint8_t *)x;
    const int32_t n = iw < pcols - left ? iw : pcols - left;
    for (int32_t c = 0; c < channels; c++, p += ih * iw) {
        for (int32_t i = 0; i < kept * pcols; i++)
            y[i] = y[i + (prows - kept) * pcols];
        y += kept * pcols;
        for (int32_t r = kept; r < prows; r++, y += pcols) {
            int32_t ia = row + r - top, ib = ia + second;
            const uint8_t *a = ia < second ? p + ia * iw : saved + (c * saves + ia - second) * iw;
            tn_stage_row_w2(y + left, a, ia >= 0 && ia < ih, p + ib * iw, ib >= 0 && ib < ih, sign, zero, 1, n);
        }
    }
}

/* The maximum of the window of kh rows and kw columns that begins at word p, in its lower and in its upper half; their
 * sums where `add` is 1. */
TN_KERNEL void tn_window_w2(const uint32_t *p, int32_t pitch, int32_t kh, int32_t kw, int32_t add, int32_t *low,
                            int32_t *high)
{
    int32_t s = TN_LOW(p[0]), t = TN_HIGH(p[0], s);
    for (int32_t i = 0; i < kh; i++)
        for (int32_t j = i ? 0 : 1; j < kw; j++) {
            uint32_t w = p[i * pitch + j];
            int32_t a = TN_LOW(w), b = TN_HIGH(w, a);
            s = add ? s + a : a > s ? a : s;
            t = add ? t + b : b > t ? b : t;
        }
    *low = s;
    *high = t;
}

/* Rows of a strip as codes: output (r, c) is y[r * cols + c], the one with it y[second + r * cols + c], which there is
 * for r < lower. Windows as in put_codes of layer_codes.h. */
TN_KERNEL void tn_put_codes_w2(void *y, int32_t second, const uint32_t *v, int32_t rows, int32_t lower, int32_t cols,
                               int32_t pitch, int32_t kh, int32_t kw, int32_t sh, int32_t sw, int32_t add,
                               int32_t factor, int32_t addend, int32_t shift, int32_t low, int32_t high)
{
    uint8_t *u = (uint8_t *)y;
    int32_t s, t;
    for (int32_t r = 0; r < rows; r++, u += cols, v += sh * pitch)
        if (r < lower)
            for (int32_t c = 0; c < cols; c++) {
                tn_window_w2(v + c * sw, pitch, kh, kw, add, &s, &t);
                u[c] = tn_requantise(s, factor, addend, shift, low, high);
                u[c + second] = tn_requantise(t, factor, addend, shift, low, high);
            }
        else
            for (int32_t c = 0; c < cols; c++) {
                tn_window_w2(v + c * sw, pitch, kh, kw, add, &s, &t);
                u[c] = tn_requantise(s, factor, addend, shift, low, high);
            }
}

/* The code of a sum in word w, the lower one, 0, or the upper one, 1: crop[v] is v between the least and the greatest
 * code, above `low`. */
TN_KERNEL uint8_t tn_crop(uint32_t w, int32_t half, int32_t factor, int32_t addend, int32_t shift, int32_t low,
                          const TN_ROM uint8_t *crop)
{
    TN_KEEP(w);
    const int32_t sum = half ? (int32_t)(w + 0x8000) >> 16 : TN_LOW(w);
    return (uint8_t)(crop[(tn_times(sum, factor) + addend) >> shift] + low);
}

/* y[i] = the code of half a word of v[i], i < n; four at once, whose addresses need no steps. */
TN_KERNEL void tn_crop_row(uint8_t *y, const uint32_t *v, int32_t half, int32_t n, int32_t factor, int32_t addend,
                           int32_t shift, int32_t low, const TN_ROM uint8_t *crop)
{
    const uint32_t *const end = v + (n & ~3);
    TN_KEEP(crop);
    while (v != end) {
        y[0] = tn_crop(v[0], half, factor, addend, shift, low, crop);
        y[1] = tn_crop(v[1], half, factor, addend, shift, low, crop);
        y[2] = tn_crop(v[2], half, factor, addend, shift, low, crop);
        y[3] = tn_crop(v[3], half, factor, addend, shift, low, crop);
        v += 4;
        y += 4;
        TN_KEEP(v);
        TN_KEEP(y);
    }
    for (int32_t i = 0; i < (n & 3); i++)
        y[i] = tn_crop(v[i], half, factor, addend, shift, low, crop);
}

/* Codes of sums that are not pooled, of the lower halves of n words to y, of the upper ones of the first `both` to
 * y + second. */
TN_KERNEL void tn_put_crop_w2(void *y, int32_t second, const uint32_t *v, int32_t n, int32_t both, int32_t factor,
                              int32_t addend, int32_t shift, int32_t low, const TN_ROM uint8_t *crop)
{
    tn_crop_row((uint8_t *)y, v, 0, n, factor, addend, shift, low, crop);
    tn_crop_row((uint8_t *)y + second, v, 1, both, factor, addend, shift, low, crop);
}

/* As tn_window_w2, of pairs of 32-bit sums: half 0 or 1 of each. */
TN_KERNEL int32_t tn_sum_x2(const int64_t *v, int32_t half, int32_t pitch, int32_t kh, int32_t kw, int32_t add)
{
    const int32_t *p = (const int32_t *)(const void *)v;
    int32_t s = p[half];
    for (int32_t i = 0; i < kh; i++)
        for (int32_t j = i ? 0 : 1; j < kw; j++) {
            int32_t a = p[2 * (i * pitch + j) + half];
            s = add ? s + a : a > s ? a : s;
        }
    return s;
}

/* As tn_put_codes_w2, of pairs of 32-bit sums. */
TN_KERNEL void tn_put_codes_x2(void *y, int32_t second, const int64_t *v, int32_t rows, int32_t lower, int32_t cols,
                               int32_t pitch, int32_t kh, int32_t kw, int32_t sh, int32_t sw, int32_t add,
                               int32_t factor, int32_t addend, int32_t shift, int32_t low, int32_t high)
{
    uint8_t *u = (uint8_t *)y;
    for (int32_t r = 0; r < rows; r++, u += cols, v += sh * pitch) {
        for (int32_t c = 0; c < cols; c++)
            u[c] = tn_requantise(tn_sum_x2(v + c * sw, 0, pitch, kh, kw, add), factor, addend, shift, low, high);
        for (int32_t c = 0; c < cols && r < lower; c++)
            u[c + second] =
                tn_requantise(tn_sum_x2(v + c * sw, 1, pitch, kh, kw, add), factor, addend, shift, low, high);
    }
}
