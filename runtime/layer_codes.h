/* layer_codes.h - layers whose inputs are 8-bit codes: staging as 16-bit numbers, sums of whole numbers, and the way
 * from sums to codes, y = clamp((sum * factor + addend) >> shift, low, high), halves rounded up by the addend. Outputs
 * are bytes of uint8_t or int8_t alike. Padding has the code of zero. */
#include "layer.h"
#include "quant.h"

/* tn_vec_i16: TN_LANES_I16 numbers of 16 bits, added and subtracted as one; others of as many numbers. Rows that are
 * shorter take 8 at once. */
#if TN_LANES > 1
#if defined(__AVX512BW__)
#define TN_LANES_I16 32
#elif defined(__AVX2__)
#define TN_LANES_I16 16
#else
#define TN_LANES_I16 8
#endif
typedef int16_t tn_vec_i16 __attribute__((vector_size(2 * TN_LANES_I16), aligned(2), may_alias));
typedef int32_t tn_vec_i32 __attribute__((vector_size(4 * TN_LANES_I16), aligned(4), may_alias));
typedef uint8_t tn_vec_u8 __attribute__((vector_size(TN_LANES_I16), aligned(1), may_alias));
typedef int8_t tn_vec_i8 __attribute__((vector_size(TN_LANES_I16), aligned(1), may_alias));
typedef int16_t tn_vec8_i16 __attribute__((vector_size(16), aligned(2), may_alias));
typedef uint8_t tn_vec8_u8 __attribute__((vector_size(8), aligned(1), may_alias));
typedef int8_t tn_vec8_i8 __attribute__((vector_size(8), aligned(1), may_alias));
/* Numbers of v, but at least low and at most high. */
#if defined(__clang__) && __clang_major__ >= 14
#define TN_GREATER_I32(v, u) __builtin_elementwise_max(v, (tn_vec_i32){0} + (u))
#define TN_LESSER_I32(v, u) __builtin_elementwise_min(v, (tn_vec_i32){0} + (u))
#else
#define TN_GREATER_I32(v, u) (((v) & ((v) > (u))) | ((u) & ~((v) > (u))))
#define TN_LESSER_I32(v, u) (((v) & ((v) < (u))) | ((u) & ~((v) < (u))))
#endif
#define TN_CLAMP_I32(v, low, high) TN_LESSER_I32(TN_GREATER_I32(v, low), high)
/* Where the vector behind the one at i begins: the last one ends with the last of n. */
#define TN_NEXT_VECTOR(i, n, lanes) ((i) + (lanes) < (n) && (i) + 2 * (lanes) > (n) ? (n) - (lanes) : (i) + (lanes))
#define TN_CONVERT(p, from, to) __builtin_convertvector(*(const from *)(const void *)(p), to)
/* Sums of whole numbers come out the same in any order, so compilers choose their own, with more variables than there
 * are registers. This keeps an add where it stands. */
#if defined(__AVX512BW__)
#define TN_KEEP_I16(a) __asm__("" : "+v"(a))
#elif defined(__SSE2__)
#define TN_KEEP_I16(a) __asm__("" : "+x"(a))
#elif defined(__ARM_NEON)
#define TN_KEEP_I16(a) __asm__("" : "+w"(a))
#else
#define TN_KEEP_I16(a) ((void)0)
#endif
#define TN_LOAD_I16(p) (*(const tn_vec_i16 *)(p))
#define TN_STORE_I16(p, v) (*(tn_vec_i16 *)(void *)(p) = (v))
#define TN_STORE_I32(p, v) (*(tn_vec_i32 *)(void *)(p) = __builtin_convertvector(v, tn_vec_i32))
#define TN_ADD_I32(p, v) (*(tn_vec_i32 *)(void *)(p) += __builtin_convertvector(v, tn_vec_i32))
#else
#define TN_LANES_I16 1
typedef int tn_vec_i16;
#define TN_KEEP_I16(a) ((void)0)
#define TN_LOAD_I16(p) ((int)*(p))
#define TN_STORE_I16(p, v) (*(p) = (int16_t)(v))
#define TN_STORE_I32(p, v) (*(p) = (v))
#define TN_ADD_I32(p, v) (*(p) += (v))
#endif

/* Codes x[0..n) as 16-bit numbers. sign: see quant.h. */
TN_KERNEL void tn_widen_codes(int16_t *y, const uint8_t *x, int32_t n, int32_t sign)
{
    int32_t i = 0;
#if TN_LANES > 1
    for (; n >= TN_LANES_I16 && i < n; i = TN_NEXT_VECTOR(i, n, TN_LANES_I16)) {
        tn_vec_i16 v = sign ? TN_CONVERT(x + i, tn_vec_i8, tn_vec_i16) : TN_CONVERT(x + i, tn_vec_u8, tn_vec_i16);
        TN_STORE_I16(y + i, v);
    }
    for (; n >= 8 && i < n; i = TN_NEXT_VECTOR(i, n, 8))
        *(tn_vec8_i16 *)(y + i) =
            sign ? TN_CONVERT(x + i, tn_vec8_i8, tn_vec8_i16) : TN_CONVERT(x + i, tn_vec8_u8, tn_vec8_i16);
#endif
    for (; i < n; i++)
        y[i] = (int16_t)tn_code(x, i, sign);
}

/* y[0..n) = zero */
TN_KERNEL void tn_fill_i16(int16_t *y, int32_t n, int32_t zero)
{
    for (int32_t i = 0; i < n; i++)
        y[i] = (int16_t)zero;
}

/* One row of a staged plane: y[i] = x[i * sw + fx - left] for i < pcols, `zero` outside of [0, iw). sign: see quant.h.
 */
TN_KERNEL void tn_stage_row_i16(int16_t *y, const uint8_t *x, int32_t sign, int32_t zero, int32_t iw, int32_t left,
                                int32_t sw, int32_t fx, int32_t pcols)
{
    int32_t first = left - fx < 0 ? 0 : (left - fx + sw - 1) / sw, last = (iw - 1 + left - fx) / sw + 1;
    last = iw - 1 + left < fx ? 0 : last < pcols ? last : pcols;
    first = first < last ? first : last;
    x += first < last ? first * sw + fx - left : 0;
    tn_fill_i16(y, first, zero);
    if (sw == 1)
        tn_widen_codes(y + first, x, last - first, sign);
    else
        for (int32_t i = 0; i < last - first; i++)
            y[first + i] = (int16_t)tn_code(x, i * sw, sign);
    tn_fill_i16(y + last, pcols - last, zero);
}

/* The same where rows follow each other without padding or stride; as tn_stage_flat_f32. */
TN_KERNEL void tn_stage_flat_i16(int16_t *y, const void *x, int32_t sign, int32_t zero, int32_t channels, int32_t ih,
                                 int32_t iw, int32_t row, int32_t top, int32_t prows)
{
    int32_t first = row < top ? top - row : 0, last = ih + top - row < prows ? ih + top - row : prows;
    first = first < prows ? first : prows;
    last = last < first ? first : last;
    for (int32_t c = 0; c < channels; c++, y += prows * iw) {
        const uint8_t *p = (const uint8_t *)x + (c * ih + row + first - top) * iw;
        tn_fill_i16(y, first * iw, zero);
        tn_widen_codes(y + first * iw, p, (last - first) * iw, sign);
        tn_fill_i16(y + last * iw, (prows - last) * iw, zero);
    }
}

/* Copy a strip of padded planes of codes as tn_stage_f32 does it. */
TN_KERNEL void tn_stage_i16(int16_t *y, const void *x, int32_t sign, int32_t zero, int32_t channels, int32_t ih,
                            int32_t iw, int32_t row, int32_t top, int32_t left, int32_t sh, int32_t sw, int32_t fys,
                            int32_t fxs, int32_t prows, int32_t pcols)
{
    for (int32_t c = 0; c < channels; c++)
        for (int32_t fy = 0; fy < fys; fy++)
            for (int32_t fx = 0; fx < fxs; fx++)
                for (int32_t r = 0; r < prows; r++, y += pcols) {
                    int32_t iy = (row + r) * sh + fy - top, inside = iy >= 0 && iy < ih;
                    const uint8_t *p = (const uint8_t *)x + (c * ih + (inside ? iy : 0)) * iw;
                    tn_stage_row_i16(y, p, sign, zero, inside ? iw : 0, left, sw, fx, pcols);
                }
}

/* A sum by its factor. A file whose factors are all 1 has a definition of its own, without a multiplication. */
#ifndef tn_times
#define tn_times(sum, factor) ((sum) * (factor))
#endif

/* A sum as a code. */
TN_KERNEL uint8_t tn_requantise(int32_t sum, int32_t factor, int32_t addend, int32_t shift, int32_t low, int32_t high)
{
    return tn_clamp_code((tn_times(sum, factor) + addend) >> shift, low, high);
}

/* The same where products take more than 32 bits. */
TN_KERNEL int32_t tn_requantise_wide(int32_t sum, int32_t factor, int64_t addend, int32_t shift, int32_t low,
                                     int32_t high)
{
    int64_t v = ((int64_t)sum * factor + addend) >> shift;
    v = v < low ? low : v;
    return (int32_t)(v > high ? high : v);
}

/* Sums v[0..n) become codes where they lie, as tn_requantise makes them; n rounded up to whole vectors. What is
 * between the rows may be any number, whose product may overflow. Typed by the sums. */
TN_KERNEL void TN(codes)(T *v, int32_t n, int32_t factor, int32_t addend, int32_t shift, int32_t low, int32_t high)
{
#if TN_LANES > 1
    typedef T sums __attribute__((vector_size(sizeof(T) * TN_LANES_I16), aligned(sizeof(T)), may_alias));
    for (int32_t i = 0; i < n; i += TN_LANES_I16) {
        tn_vec_i32 s = (tn_times(TN_CONVERT(v + i, sums, tn_vec_i32), factor) + addend) >> shift;
        s = TN_CLAMP_I32(s, low, high);
        *(sums *)(v + i) = __builtin_convertvector(s, sums);
    }
#else
    for (int32_t i = 0; i < n; i++) {
        int32_t s = (int32_t)(tn_times((uint32_t)v[i], (uint32_t)factor) + (uint32_t)addend) >> shift;
        s = s < low ? low : s;
        v[i] = (T)(s > high ? high : s);
    }
#endif
}

/* y[0..n) = codes v. Typed by the sums that they were. */
TN_KERNEL void TN(narrow_codes)(uint8_t *y, const T *v, int32_t n)
{
    int32_t i = 0;
#if TN_LANES > 1
    typedef T sums __attribute__((vector_size(sizeof(T) * TN_LANES_I16), aligned(sizeof(T)), may_alias));
    typedef T sums8 __attribute__((vector_size(sizeof(T) * 8), aligned(sizeof(T)), may_alias));
    for (; n >= TN_LANES_I16 && i < n; i = TN_NEXT_VECTOR(i, n, TN_LANES_I16))
        *(tn_vec_u8 *)(y + i) = TN_CONVERT(v + i, sums, tn_vec_u8);
    for (; n >= 8 && i < n; i = TN_NEXT_VECTOR(i, n, 8))
        *(tn_vec8_u8 *)(y + i) = TN_CONVERT(v + i, sums8, tn_vec8_u8);
#endif
    for (; i < n; i++)
        y[i] = (uint8_t)v[i];
}

/* Rows of codes of a strip into an output plane: y[r * ystep + c * xstep] = v[r * pitch + c]. */
TN_KERNEL void TN(put_bytes)(void *y, const T *v, int32_t rows, int32_t cols, int32_t pitch, int32_t ystep,
                             int32_t xstep)
{
    for (int32_t r = 0; r < rows; r++)
        if (xstep == 1)
            TN(narrow_codes)((uint8_t *)y + r * ystep, v + r * pitch, cols);
        else
            for (int32_t c = 0; c < cols; c++)
                ((uint8_t *)y)[r * ystep + c * xstep] = (uint8_t)v[r * pitch + c];
}

/* Of a strip's sums v, the maximum of the window of kh rows and kw columns there; their sum where `add` is 1. Typed by
 * the sums: see tn.h. */
TN_KERNEL int32_t TN(pooled_sum)(const T *v, int32_t pitch, int32_t kh, int32_t kw, int32_t add)
{
    int32_t s = v[0];
    for (int32_t i = 0; i < kh; i++)
        for (int32_t j = 0; j < kw; j++) {
            int32_t u = v[i * pitch + j];
            if (add)
                s += i + j > 0 ? u : 0;
            else
                s = u > s ? u : s;
        }
    return s;
}

/* Rows of a strip as codes into an output plane: y[r * ystep + c * xstep] is that of the window at v[r * sh * pitch + c
 * * sw]. */
TN_KERNEL void TN(put_codes)(void *y, const T *v, int32_t rows, int32_t cols, int32_t pitch, int32_t ystep,
                             int32_t xstep, int32_t kh, int32_t kw, int32_t sh, int32_t sw, int32_t add, int32_t factor,
                             int32_t addend, int32_t shift, int32_t low, int32_t high)
{
    uint8_t *u = (uint8_t *)y;
    for (int32_t r = 0; r < rows; r++)
        for (int32_t c = 0; c < cols; c++) {
            int32_t sum = TN(pooled_sum)(v + r * sh * pitch + c * sw, pitch, kh, kw, add);
            u[r * ystep + c * xstep] = tn_requantise(sum, factor, addend, shift, low, high);
        }
}

/* The same where products take more than 32 bits. */
TN_KERNEL void TN(put_codes_wide)(void *y, const T *v, int32_t rows, int32_t cols, int32_t pitch, int32_t ystep,
                                  int32_t xstep, int32_t kh, int32_t kw, int32_t sh, int32_t sw, int32_t add,
                                  int32_t factor, int64_t addend, int32_t shift, int32_t low, int32_t high)
{
    uint8_t *u = (uint8_t *)y;
    for (int32_t r = 0; r < rows; r++)
        for (int32_t c = 0; c < cols; c++) {
            int32_t sum = TN(pooled_sum)(v + r * sh * pitch + c * sw, pitch, kh, kw, add);
            u[r * ystep + c * xstep] = (uint8_t)tn_requantise_wide(sum, factor, addend, shift, low, high);
        }
}

/* The same as floats: sum * scale + bias. */
TN_KERNEL void TN(put_floats)(float *y, const T *v, int32_t rows, int32_t cols, int32_t pitch, int32_t ystep,
                              int32_t xstep, int32_t kh, int32_t kw, int32_t sh, int32_t sw, int32_t add, float scale,
                              float bias)
{
    for (int32_t r = 0; r < rows; r++)
        for (int32_t c = 0; c < cols; c++) {
            int32_t sum = TN(pooled_sum)(v + r * sh * pitch + c * sw, pitch, kh, kw, add);
            y[r * ystep + c * xstep] = (float)sum * scale + bias;
        }
}

/* The outputs of a fully connected layer: y[i] is the code of sum v[i]. factor and addend lie side by side for each. */
TN_KERNEL void tn_put_codes_each(void *y, const int32_t *v, int32_t n, const TN_ROM int16_t *factor,
                                 const TN_ROM int32_t *addend, int32_t shift, int32_t low, int32_t high)
{
    for (int32_t i = 0; i < n; i++)
        ((uint8_t *)y)[i] = tn_requantise(v[i], factor[i], addend[i], shift, low, high);
}

/* The same where products take more than 32 bits. */
TN_KERNEL void tn_put_codes_each_wide(void *y, const int32_t *v, int32_t n, const TN_ROM int32_t *factor,
                                      const TN_ROM int64_t *addend, int32_t shift, int32_t low, int32_t high)
{
    for (int32_t i = 0; i < n; i++)
        ((uint8_t *)y)[i] = (uint8_t)tn_requantise_wide(v[i], factor[i], addend[i], shift, low, high);
}

/* The same by shifts. */
TN_KERNEL void tn_put_codes_each_shifted(void *y, const int32_t *v, int32_t n, const TN_ROM int32_t *addend,
                                         const TN_ROM uint8_t *shift, int32_t low, int32_t high)
{
    for (int32_t i = 0; i < n; i++)
        ((uint8_t *)y)[i] = (uint8_t)tn_requantise(v[i], 1, addend[i], shift[i], low, high);
}

/* The same as numbers of 16 bits. */
TN_KERNEL void tn_put_words_each(int16_t *y, const int32_t *v, int32_t n, const TN_ROM int16_t *factor,
                                 const TN_ROM int32_t *addend, int32_t shift, int32_t low, int32_t high)
{
    for (int32_t i = 0; i < n; i++)
        y[i] = (int16_t)tn_clamp((tn_times(v[i], factor[i]) + addend[i]) >> shift, low, high);
}

/* The same where products take more than 32 bits. */
TN_KERNEL void tn_put_words_each_wide(int16_t *y, const int32_t *v, int32_t n, const TN_ROM int32_t *factor,
                                      const TN_ROM int64_t *addend, int32_t shift, int32_t low, int32_t high)
{
    for (int32_t i = 0; i < n; i++)
        y[i] = (int16_t)tn_requantise_wide(v[i], factor[i], addend[i], shift, low, high);
}

/* The same by shifts. */
TN_KERNEL void tn_put_words_each_shifted(int16_t *y, const int32_t *v, int32_t n, const TN_ROM int32_t *addend,
                                         const TN_ROM uint8_t *shift, int32_t low, int32_t high)
{
    for (int32_t i = 0; i < n; i++)
        y[i] = (int16_t)tn_clamp((v[i] + addend[i]) >> shift[i], low, high);
}

/* The same as floats: y[i] = v[i] * scale[i] + bias[i]. */
TN_KERNEL void tn_put_floats_each(float *y, const int32_t *v, int32_t n, const TN_ROM float *scale,
                                  const TN_ROM float *bias)
{
    for (int32_t i = 0; i < n; i++)
        y[i] = (float)v[i] * scale[i] + bias[i];
}
