/* layer_codes16.h - layers whose codes have 16 bits: staging as 32-bit numbers, sums in 32 bits, and the way from sums
 * to codes by products of 64. Tables are read by the kernels of tables_codes.h. */
#include "layer_codes.h"

/* tn_vec_s32: TN_LANES numbers of 32 bits, added and subtracted as one. */
#if TN_LANES > 1
typedef int32_t tn_vec_s32 __attribute__((vector_size(4 * TN_LANES), aligned(4), may_alias));
#else
typedef int32_t tn_vec_s32;
#endif
/* As TN_KEEP_I16, and where there are no vectors too: compilers would keep sums in memory. */
#if TN_LANES > 1 && defined(__AVX512F__)
#define TN_KEEP_S32(a) __asm__("" : "+v"(a))
#elif TN_LANES > 1 && defined(__SSE2__)
#define TN_KEEP_S32(a) __asm__("" : "+x"(a))
#elif TN_LANES > 1 && defined(__ARM_NEON)
#define TN_KEEP_S32(a) __asm__("" : "+w"(a))
#elif TN_LANES == 1 && defined(__GNUC__)
#define TN_KEEP_S32(a) __asm__("" : "+r"(a))
#else
#define TN_KEEP_S32(a) ((void)0)
#endif
#define TN_LOAD_S32(p) (*(const tn_vec_s32 *)(p))
#define TN_STORE_S32(p, v) (*(tn_vec_s32 *)(void *)(p) = (v))

/* Codes of n elements in a row as 32-bit numbers, `zero` where x is NULL. */
TN_KERNEL void tn_widen_row(int32_t *y, const int16_t *x, int32_t n, int32_t zero)
{
    for (int32_t i = 0; i < n; i++)
        y[i] = x ? x[i] : zero;
}

/* Copy a strip of padded planes of codes as tn_stage_f32 does it. */
TN_KERNEL void tn_stage_i32(int32_t *y, const int16_t *x, int32_t zero, int32_t channels, int32_t ih, int32_t iw,
                            int32_t row, int32_t top, int32_t left, int32_t sh, int32_t sw, int32_t fys, int32_t fxs,
                            int32_t prows, int32_t pcols)
{
    for (int32_t c = 0; c < channels; c++, x += ih * iw)
        for (int32_t fy = 0; fy < fys; fy++)
            for (int32_t fx = 0; fx < fxs; fx++)
                for (int32_t r = 0; r < prows; r++, y += pcols) {
                    int32_t iy = (row + r) * sh + fy - top, inside = iy >= 0 && iy < ih;
                    for (int32_t i = 0; i < pcols; i++) {
                        int32_t ix = i * sw + fx - left;
                        y[i] = inside && ix >= 0 && ix < iw ? x[iy * iw + ix] : zero;
                    }
                }
}

/* The same where rows follow each other without padding or stride; as tn_stage_flat_f32. */
TN_KERNEL void tn_stage_flat_i32(int32_t *y, const int16_t *x, int32_t zero, int32_t channels, int32_t ih, int32_t iw,
                                 int32_t row, int32_t top, int32_t prows)
{
    int32_t first = row < top ? top - row : 0, last = ih + top - row < prows ? ih + top - row : prows;
    first = first < prows ? first : prows;
    last = last < first ? first : last;
    for (int32_t c = 0; c < channels; c++, x += ih * iw, y += prows * iw) {
        tn_widen_row(y, NULL, first * iw, zero);
        if (first < last)
            tn_widen_row(y + first * iw, x + (row + first - top) * iw, (last - first) * iw, zero);
        tn_widen_row(y + last * iw, NULL, (prows - last) * iw, zero);
    }
}

/* Rows of a strip as codes of 16 bits into an output plane, as TN(put_codes_wide) makes those of 8. Typed by the sums:
 * see tn.h. */
TN_KERNEL void TN(put_words_wide)(int16_t *y, const T *v, int32_t rows, int32_t cols, int32_t pitch, int32_t ystep,
                                  int32_t xstep, int32_t kh, int32_t kw, int32_t sh, int32_t sw, int32_t add,
                                  int32_t factor, int64_t addend, int32_t shift, int32_t low, int32_t high)
{
    for (int32_t r = 0; r < rows; r++)
        for (int32_t c = 0; c < cols; c++) {
            int32_t sum = TN(pooled_sum)(v + r * sh * pitch + c * sw, pitch, kh, kw, add);
            y[r * ystep + c * xstep] = (int16_t)tn_requantise_wide(sum, factor, addend, shift, low, high);
        }
}
