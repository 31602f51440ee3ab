/* layer.h - kernels around and inside linear layers: staging of inputs, accumulation by tables, epilogues.
 *
 * A convolution works on strips of output rows. Its input planes lie with a pitch (elements between rows), and the
 * accumulators of a strip are flat: position i = row * pitch + column, so that one loop over i covers all rows; what
 * falls between the rows is computed and ignored, or skipped by vectors of unrolled terms. Loops run in steps of
 * TN_LANES: n is rounded up, and input planes and accumulators have room for 16 elements more. */
#ifndef TN_LAYER_H
#define TN_LAYER_H

#include "tn.h"

/* tn_vec: TN_LANES floats, added and subtracted as one. */
#if defined(__GNUC__) && !defined(TN_NO_VECTORS)
#if defined(__AVX512F__)
#define TN_LANES 16
#elif defined(__AVX__)
#define TN_LANES 8
#elif defined(__SSE2__) || defined(__ARM_NEON) || defined(__wasm_simd128__) || defined(__VSX__)
#define TN_LANES 4
#endif
#endif
#ifdef TN_LANES
typedef float tn_vec __attribute__((vector_size(4 * TN_LANES), aligned(4), may_alias));
typedef int32_t tn_ivec __attribute__((vector_size(4 * TN_LANES)));
typedef uint8_t tn_bytes __attribute__((vector_size(TN_LANES), aligned(1), may_alias));
#else
#define TN_LANES 1
typedef float tn_vec;
#endif
/* A part of a layer stays a function, and a single one: all in one, they take compilers twice the time. */
#if defined(__clang__)
#define TN_APART __attribute__((noinline))
#elif defined(__GNUC__)
#define TN_APART __attribute__((noinline, noclone))
#else
#define TN_APART
#endif
/* So does the epilogue of several blocks: clang would copy it, with loops unrolled, to each of them. */
#if defined(__clang__)
#define TN_EPILOGUE __attribute__((noinline))
#else
#define TN_EPILOGUE
#endif
#define TN_LOAD(p) (*(const tn_vec *)(p))
#define TN_LOAD_ROM(p) (*(const TN_ROM tn_vec *)(const TN_ROM void *)(p))
#define TN_STORE(p, v) (*(tn_vec *)(void *)(p) = (v))
/* Position i of a strip if it lies in a row, of `cols` outputs; else the first of the next row, `pitch` further on. */
#define TN_IN_ROW(i, pitch, cols) ((i) % (pitch) < (cols) ? (i) : ((i) / (pitch) + 1) * (pitch))

/* TN_ADD(a, v): a += v as a multiply-add with `ones`, to the same bits. AMD's processors, and Intel's for vectors of
 * 256 bits, have units for these beside those that only add, and both kinds together add up to twice as fast as one.
 * Intel's have none for 512 bits: there it is a plain add. (Flags of AMD's processors alone define SSE4A; those of any
 * processor with AVX-512, x86-64-v4, leave AES out.) An expression that clang contracts by itself takes it less time
 * than a builtin. The ones come from memory, so that no compiler sees through them, and as the result of a function, so
 * that clang keeps vectors of 512 bits whole where they are used; it would rather have two of 256. */
#if defined(__FMA__) && !defined(TN_NO_VECTORS) && !(TN_LANES == 16 && defined(__AES__) && !defined(__SSE4A__))
#if defined(__clang__) && __clang_major__ >= 14
#define TN_ADD(a, v) a += (v)*ones
#elif TN_LANES == 16 && defined(__clang__)
#define TN_ADD(a, v) a = __builtin_ia32_vfmaddps512_mask(v, ones, a, 0xFFFFu, 4)
#elif TN_LANES == 16
#define TN_ADD(a, v) a = __builtin_ia32_vfmaddps512_mask(v, ones, a, -1, 4)
#elif TN_LANES == 8
#define TN_ADD(a, v) a = __builtin_ia32_vfmaddps256(v, ones, a)
#endif
#endif
#ifdef TN_ADD
static const volatile float tn_one = 1.0f;
#else
#define tn_one 1.0f
#define TN_ADD(a, v) a += v
#endif
TN_KERNEL tn_vec tn_ones(void)
{
    return (tn_vec){0} + tn_one;
}

/* One row of a staged plane: y[i] = x[i * sw + fx - left] for i < pcols, 0 outside of [0, iw). */
TN_KERNEL void tn_stage_row_f32(float *y, const float *x, int32_t iw, int32_t left, int32_t sw, int32_t fx,
                                int32_t pcols)
{
    if (sw == 1) {
        const int32_t shift = left - fx, last = iw + shift < pcols ? iw + shift : pcols;
        const int32_t begin = shift > 0 ? shift : 0, end = last > begin ? last : begin;
        memset(y, 0, (size_t)begin * sizeof *y);
        memcpy(y + begin, x + begin - shift, (size_t)(end - begin) * sizeof *y);
        memset(y + end, 0, (size_t)(pcols - end) * sizeof *y);
    } else {
        for (int32_t i = 0; i < pcols; i++) {
            int32_t ix = i * sw + fx - left;
            y[i] = ix < 0 || ix >= iw ? 0 : x[ix];
        }
    }
}

/* Copy a strip of the zero-padded image planes x [channels][ih][iw] to y [channels][fys][fxs][prows][pcols], so that a
 * convolution with strides sh, sw reads every tap with unit stride: row r, column c of phase (fy, fx) is the padded
 * image's row (row + r) * sh + fy, column c * sw + fx. top, left: zeros before the image. */
TN_KERNEL void tn_stage_f32(float *y, const float *x, int32_t channels, int32_t ih, int32_t iw, int32_t row,
                            int32_t top, int32_t left, int32_t sh, int32_t sw, int32_t fys, int32_t fxs, int32_t prows,
                            int32_t pcols)
{
    for (int32_t c = 0; c < channels; c++, x += ih * iw)
        for (int32_t fy = 0; fy < fys; fy++)
            for (int32_t fx = 0; fx < fxs; fx++)
                for (int32_t r = 0; r < prows; r++, y += pcols) {
                    int32_t iy = (row + r) * sh + fy - top;
                    if (iy < 0 || iy >= ih)
                        memset(y, 0, (size_t)pcols * sizeof *y);
                    else
                        tn_stage_row_f32(y, x + iy * iw, iw, left, sw, fx, pcols);
                }
}

/* The same where rows follow each other without padding or stride: y [channels][prows * iw] from row `row` on. */
TN_KERNEL void tn_stage_flat_f32(float *y, const float *x, int32_t channels, int32_t ih, int32_t iw, int32_t row,
                                 int32_t top, int32_t prows)
{
    int32_t first = row < top ? top - row : 0, last = ih + top - row < prows ? ih + top - row : prows;
    first = first < prows ? first : prows;
    last = last < first ? first : last;
    for (int32_t c = 0; c < channels; c++, x += ih * iw, y += prows * iw) {
        memset(y, 0, (size_t)(first * iw) * sizeof *y);
        memcpy(y + first * iw, x + (row + first - top) * iw, (size_t)((last - first) * iw) * sizeof *y);
        memset(y + last * iw, 0, (size_t)((prows - last) * iw) * sizeof *y);
    }
}

/* Bytes [first, first + bytes) of a function's code, into the second cache: processors fetch code that comes from far a
 * line after the other, and wait for each. */
TN_KERNEL void tn_fetch_code(uintptr_t code, int32_t first, int32_t bytes)
{
#if defined(__GNUC__)
    for (int32_t i = 0; i < bytes; i += 64)
        __builtin_prefetch((const char *)code + first + i, 0, 2);
#else
    (void)code, (void)first, (void)bytes;
#endif
}

/* v[i] = v[i] * scale + bias */
TN_KERNEL void tn_affine_f32(float *v, int32_t n, float scale, float bias)
{
    int32_t i = 0;
#if TN_LANES > 1
    for (; i + TN_LANES <= n; i += TN_LANES) {
        tn_vec a = TN_LOAD(v + i) * scale + bias;
        TN_STORE(v + i, a);
    }
#endif
    for (; i < n; i++)
        v[i] = v[i] * scale + bias;
}

/* v[i] = v[i] + bias */
TN_KERNEL void tn_bias_f32(float *v, int32_t n, float bias)
{
    int32_t i = 0;
#if TN_LANES > 1
    for (; i + TN_LANES <= n; i += TN_LANES) {
        tn_vec a = TN_LOAD(v + i) + bias;
        TN_STORE(v + i, a);
    }
#endif
    for (; i < n; i++)
        v[i] += bias;
}

/* v[i] = v[i] * scale[i] + bias[i] */
TN_KERNEL void tn_affine_each_f32(float *v, int32_t n, const TN_ROM float *scale, const TN_ROM float *bias)
{
    for (int32_t i = 0; i < n; i++)
        v[i] = v[i] * scale[i] + bias[i];
}

/* v[i] = v[i] * scale[i] */
TN_KERNEL void tn_scale_each_f32(float *v, int32_t n, const TN_ROM float *scale)
{
    for (int32_t i = 0; i < n; i++)
        v[i] *= scale[i];
}

/* v[i] = v[i] + bias[i] */
TN_KERNEL void tn_bias_each_f32(float *v, int32_t n, const TN_ROM float *bias)
{
    for (int32_t i = 0; i < n; i++)
        v[i] += bias[i];
}

/* v[i] = max(v[i], 0) */
TN_KERNEL void tn_act_relu_f32(float *v, int32_t n)
{
    int32_t i = 0;
#if TN_LANES > 1
    for (; i + TN_LANES <= n; i += TN_LANES) {
        tn_vec a = TN_LOAD(v + i);
        a = (tn_vec)((tn_ivec)a & ~(a < 0));
        TN_STORE(v + i, a);
    }
#endif
    for (; i < n; i++)
        v[i] = v[i] < 0 ? 0 : v[i];
}

/* v[i] = min(max(v[i], a), b) */
TN_KERNEL void tn_act_clip_f32(float *v, int32_t n, float a, float b)
{
    for (int32_t i = 0; i < n; i++) {
        float u = v[i] < a ? a : v[i];
        v[i] = u > b ? b : u;
    }
}

/* v[i] = v[i] < 0 ? a * v[i] : v[i] */
TN_KERNEL void tn_act_leaky_relu_f32(float *v, int32_t n, float a)
{
    for (int32_t i = 0; i < n; i++)
        v[i] = v[i] < 0 ? a * v[i] : v[i];
}

/* v[i] = 1 / (1 + exp(-v[i])), without overflow */
TN_KERNEL void tn_act_sigmoid_f32(float *v, int32_t n)
{
    for (int32_t i = 0; i < n; i++) {
        float e = expf(v[i] < 0 ? v[i] : -v[i]);
        v[i] = (v[i] < 0 ? e : 1.0f) / (1.0f + e);
    }
}

/* v[i] = tanh(v[i]) */
TN_KERNEL void tn_act_tanh_f32(float *v, int32_t n)
{
    for (int32_t i = 0; i < n; i++)
        v[i] = tanhf(v[i]);
}

/* v[i] = min(max(a * v[i] + b, 0), 1) */
TN_KERNEL void tn_act_hard_sigmoid_f32(float *v, int32_t n, float a, float b)
{
    for (int32_t i = 0; i < n; i++) {
        float u = a * v[i] + b;
        u = u < 0 ? 0 : u;
        v[i] = u > 1 ? 1 : u;
    }
}

/* v[i] = v[i] * min(max(v[i] / 6 + 1/2, 0), 1) */
TN_KERNEL void tn_act_hard_swish_f32(float *v, int32_t n)
{
    for (int32_t i = 0; i < n; i++) {
        float u = v[i] * (1.0f / 6) + 0.5f;
        u = u < 0 ? 0 : u;
        v[i] *= u > 1 ? 1 : u;
    }
}

/* Rows of a strip into an output plane: y[r * ystep + c * xstep] = v[r * pitch + c]. */
TN_KERNEL void tn_put_rows_f32(float *y, const float *v, int32_t rows, int32_t cols, int32_t pitch, int32_t ystep,
                               int32_t xstep)
{
    for (int32_t r = 0; r < rows; r++)
        for (int32_t c = 0; c < cols; c++)
            y[r * ystep + c * xstep] = v[r * pitch + c];
}

/* For every position of the first of each kh rows, sh rows apart, the maximum of the kh elements below each other, into
 * that row; NaN if one of them is. rows: of them; cols: positions in a row. */
TN_KERNEL void tn_max_rows_f32(float *v, int32_t rows, int32_t cols, int32_t pitch, int32_t kh, int32_t sh)
{
    for (int32_t r = 0, i = 0; r < rows; r++) {
        int32_t start = r * sh * pitch;
        for (i = i < start ? start - start % TN_LANES : i; i < start + cols; i += TN_LANES) {
            tn_vec m = TN_LOAD(v + i);
            for (int32_t k = 1; k < kh; k++) {
                tn_vec q = TN_LOAD(v + i + k * pitch);
#if TN_LANES > 1
                tn_ivec other = (q > m) | (q != q);
                m = (tn_vec)(((tn_ivec)q & other) | ((tn_ivec)m & ~other));
#else
                m = q > m || q != q ? q : m;
#endif
            }
            TN_STORE(v + i, m);
        }
    }
}

/* The same for sums. */
TN_KERNEL void tn_add_rows_f32(float *v, int32_t rows, int32_t cols, int32_t pitch, int32_t kh, int32_t sh)
{
    for (int32_t r = 0, i = 0; r < rows; r++) {
        int32_t start = r * sh * pitch;
        for (i = i < start ? start - start % TN_LANES : i; i < start + cols; i += TN_LANES) {
            tn_vec sum = TN_LOAD(v + i);
            for (int32_t k = 1; k < kh; k++)
                sum += TN_LOAD(v + i + k * pitch);
            TN_STORE(v + i, sum);
        }
    }
}

/* Maximum pooling of a strip: y[r][c] = max of v over rows sh * r + [0, kh), columns sw * c + [0, kw); NaN if one of
 * them is. */
TN_KERNEL void tn_put_max_f32(float *y, const float *v, int32_t rows, int32_t cols, int32_t pitch, int32_t kh,
                              int32_t kw, int32_t sh, int32_t sw)
{
    for (int32_t r = 0; r < rows; r++)
        for (int32_t c = 0; c < cols; c++) {
            const float *p = v + r * sh * pitch + c * sw;
            float m = p[0];
            for (int32_t i = 0; i < kh; i++)
                for (int32_t j = 0; j < kw; j++) {
                    float q = p[i * pitch + j];
                    m = q > m || q != q ? q : m;
                }
            y[r * cols + c] = m;
        }
}

/* Average pooling of a strip: y[r][c] = sum of v over rows sh * r + [0, kh), columns sw * c + [0, kw), by `count`. */
TN_KERNEL void tn_put_average_f32(float *y, const float *v, int32_t rows, int32_t cols, int32_t pitch, int32_t kh,
                                  int32_t kw, int32_t sh, int32_t sw, float count)
{
    for (int32_t r = 0; r < rows; r++)
        for (int32_t c = 0; c < cols; c++) {
            const float *p = v + r * sh * pitch + c * sw;
            float sum = 0;
            for (int32_t i = 0; i < kh; i++) { /* rows by themselves: the adds of one need not wait for another's */
                float row = 0;
                for (int32_t j = 0; j < kw; j++)
                    row += p[i * pitch + j];
                sum += row;
            }
            y[r * cols + c] = sum / count;
        }
}

#endif
