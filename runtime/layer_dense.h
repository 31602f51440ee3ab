/* layer_dense.h - linear layers with float weights. Sums are made in tiles, some output channels by some vectors of
 * positions, so that each load serves several products and no product waits for the one before it. */
#ifndef TN_LAYER_DENSE_H
#define TN_LAYER_DENSE_H

#include "layer.h"

/* tn_sums: sums of as many positions. TN_MULTIPLY(a, v, w): a += v * w, of a vector and a number, rounded once where
 * there is an instruction for it. gcc contracts no expression of standard C, and clang keeps vectors of 512
 * bits whole only where a builtin takes them. What is less zero is itself; plus zero, -0 would not be. */
#define tn_sums tn_vec
#if defined(__FMA__) && TN_LANES == 16 && defined(__clang__)
#define TN_MULTIPLY(a, v, w) a = __builtin_ia32_vfmaddps512_mask(v, (w) - (tn_vec){0}, a, 0xFFFFu, 4)
#elif defined(__FMA__) && TN_LANES == 16
#define TN_MULTIPLY(a, v, w) a = __builtin_ia32_vfmaddps512_mask(v, (w) - (tn_vec){0}, a, -1, 4)
#elif defined(__FMA__) && TN_LANES == 8 && !defined(__clang__)
#define TN_MULTIPLY(a, v, w) a = __builtin_ia32_vfmaddps256(v, (w) - (tn_vec){0}, a)
#else
#define TN_MULTIPLY(a, v, w) a += (v) * (w)
#endif
/* TN_TILE: the output channels of a tile of two or three vectors, whose sums all stay in registers. */
#if TN_LANES == 16 || defined(__aarch64__)
#define TN_TILE 8
#define TN_EACH_TILE(DO) DO(0) DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7)
#else
#define TN_TILE 4
#define TN_EACH_TILE(DO) DO(0) DO(1) DO(2) DO(3)
#endif
#define TN_TILE2_BEGIN(j) tn_sums a##j = {0}, b##j = {0};
#define TN_TILE2_STEP(j)                                                                                               \
    TN_MULTIPLY(a##j, v, w[j]);                                                                                        \
    TN_MULTIPLY(b##j, t, w[j]);
#define TN_TILE2_END(j)                                                                                                \
    TN_STORE(acc + j * pitch, a##j);                                                                                   \
    TN_STORE(acc + j * pitch + TN_LANES, b##j);
#define TN_TILE3_BEGIN(j) tn_sums a##j = {0}, b##j = {0}, c##j = {0};
#define TN_TILE3_STEP(j)                                                                                               \
    TN_MULTIPLY(a##j, v, w[j]);                                                                                        \
    TN_MULTIPLY(b##j, t, w[j]);                                                                                        \
    TN_MULTIPLY(c##j, u, w[j]);
#define TN_TILE3_END(j)                                                                                                \
    TN_STORE(acc + j * pitch, a##j);                                                                                   \
    TN_STORE(acc + j * pitch + TN_LANES, b##j);                                                                        \
    TN_STORE(acc + j * pitch + 2 * TN_LANES, c##j);

/* Sums of a vector of positions at x, of eight output channels: acc[channel * pitch]. w [channels][taps][8]; the rest
 * as in tn_sparse_conv_f32. */
TN_KERNEL void tn_dense_tile1_f32(float *acc, int32_t pitch, const float *x, int32_t stride, int32_t channels,
                                  int32_t taps, const TN_ROM int32_t *koff, const TN_ROM float *w)
{
    tn_sums a0 = {0}, a1 = {0}, a2 = {0}, a3 = {0}, a4 = {0}, a5 = {0}, a6 = {0}, a7 = {0};
    for (; channels > 0; channels--, x += stride)
        for (int32_t k = 0; k < taps; k++, w += 8) {
            if (koff[k] == INT32_MIN)
                continue;
            const tn_vec v = TN_LOAD(x + koff[k]);
            TN_MULTIPLY(a0, v, w[0]);
            TN_MULTIPLY(a1, v, w[1]);
            TN_MULTIPLY(a2, v, w[2]);
            TN_MULTIPLY(a3, v, w[3]);
            TN_MULTIPLY(a4, v, w[4]);
            TN_MULTIPLY(a5, v, w[5]);
            TN_MULTIPLY(a6, v, w[6]);
            TN_MULTIPLY(a7, v, w[7]);
        }
    TN_STORE(acc, a0);
    TN_STORE(acc + pitch, a1);
    TN_STORE(acc + 2 * pitch, a2);
    TN_STORE(acc + 3 * pitch, a3);
    TN_STORE(acc + 4 * pitch, a4);
    TN_STORE(acc + 5 * pitch, a5);
    TN_STORE(acc + 6 * pitch, a6);
    TN_STORE(acc + 7 * pitch, a7);
}

/* The same of two vectors, of TN_TILE channels. */
#if TN_LANES > 1
TN_KERNEL void tn_dense_tile2_f32(float *acc, int32_t pitch, const float *x, int32_t stride, int32_t channels,
                                  int32_t taps, const TN_ROM int32_t *koff, const TN_ROM float *w)
{
    TN_EACH_TILE(TN_TILE2_BEGIN)
    for (; channels > 0; channels--, x += stride)
        for (int32_t k = 0; k < taps; k++, w += 8) {
            if (koff[k] == INT32_MIN)
                continue;
            const float *p = x + koff[k];
            const tn_vec v = TN_LOAD(p), t = TN_LOAD(p + TN_LANES);
            TN_EACH_TILE(TN_TILE2_STEP)
        }
    TN_EACH_TILE(TN_TILE2_END)
}
#endif

/* The same of three. */
#if TN_LANES > 1
TN_KERNEL void tn_dense_tile3_f32(float *acc, int32_t pitch, const float *x, int32_t stride, int32_t channels,
                                  int32_t taps, const TN_ROM int32_t *koff, const TN_ROM float *w)
{
    TN_EACH_TILE(TN_TILE3_BEGIN)
    for (; channels > 0; channels--, x += stride)
        for (int32_t k = 0; k < taps; k++, w += 8) {
            if (koff[k] == INT32_MIN)
                continue;
            const float *p = x + koff[k];
            const tn_vec v = TN_LOAD(p), t = TN_LOAD(p + TN_LANES), u = TN_LOAD(p + 2 * TN_LANES);
            TN_EACH_TILE(TN_TILE3_STEP)
        }
    TN_EACH_TILE(TN_TILE3_END)
}
#endif

/* Eight output channels of a convolution with float weights w [channels][taps][8]: acc[channel * pitch + i], i < n. */
TN_KERNEL const TN_ROM float *tn_dense_conv8_f32(float *acc, int32_t pitch, int32_t n, const float *x, int32_t stride,
                                                 int32_t channels, int32_t taps, const TN_ROM int32_t *koff,
                                                 const TN_ROM float *w)
{
#if TN_LANES > 1
    int32_t left = (n + TN_LANES - 1) / TN_LANES;
    for (int32_t step; left > 0; left -= step, x += step * TN_LANES, acc += step * TN_LANES) {
        step = left == 2 || left == 4 ? 2 : left > 2 ? 3 : 1;
        if (step == 1)
            tn_dense_tile1_f32(acc, pitch, x, stride, channels, taps, koff, w);
        for (int32_t j = 0; step == 2 && j < 8; j += TN_TILE)
            tn_dense_tile2_f32(acc + j * pitch, pitch, x, stride, channels, taps, koff, w + j);
        for (int32_t j = 0; step == 3 && j < 8; j += TN_TILE)
            tn_dense_tile3_f32(acc + j * pitch, pitch, x, stride, channels, taps, koff, w + j);
    }
#else
    for (int32_t i = 0; i < n; i++)
        tn_dense_tile1_f32(acc + i, pitch, x + i, stride, channels, taps, koff, w);
#endif
    return w + 8 * channels * taps;
}

/* One output channel of a convolution with float weights w [channels][taps]; the rest as in tn_sparse_conv_f32. */
TN_KERNEL const TN_ROM float *tn_dense_conv_f32(float *acc, int32_t n, const float *x, int32_t stride, int32_t channels,
                                                int32_t taps, const TN_ROM int32_t *koff, const TN_ROM float *w)
{
    int32_t i = 0;
#if TN_LANES > 1
    for (; i < n - 3 * TN_LANES; i += 4 * TN_LANES) {
        tn_sums a = {0}, b = {0}, c = {0}, d = {0};
        const TN_ROM float *u = w;
        for (int32_t channel = 0; channel < channels; channel++)
            for (int32_t k = 0; k < taps; k++, u++) {
                if (koff[k] == INT32_MIN)
                    continue;
                const float *p = x + i + channel * stride + koff[k];
                TN_MULTIPLY(a, TN_LOAD(p), *u);
                TN_MULTIPLY(b, TN_LOAD(p + TN_LANES), *u);
                TN_MULTIPLY(c, TN_LOAD(p + 2 * TN_LANES), *u);
                TN_MULTIPLY(d, TN_LOAD(p + 3 * TN_LANES), *u);
            }
        TN_STORE(acc + i, a);
        TN_STORE(acc + i + TN_LANES, b);
        TN_STORE(acc + i + 2 * TN_LANES, c);
        TN_STORE(acc + i + 3 * TN_LANES, d);
    }
#endif
    for (; i < n; i += TN_LANES) {
        tn_sums a = {0};
        const float *p = x + i;
        const TN_ROM float *u = w;
        for (int32_t c = 0; c < channels; c++, p += stride)
            for (int32_t k = 0; k < taps; k++, u++)
                if (koff[k] != INT32_MIN)
                    TN_MULTIPLY(a, TN_LOAD(p + koff[k]), *u);
        TN_STORE(acc + i, a);
    }
    return w + channels * taps;
}

/* y[o] = sum over i of w[o][i] * x[i]: float weights [outputs][inputs]. */
TN_KERNEL void tn_dense_fc_f32(float *y, const float *x, int32_t inputs, int32_t outputs, const TN_ROM float *w)
{
    for (int32_t o = 0; o < outputs; o++, w += inputs) {
        tn_sums a = {0}, b = {0};
        int32_t i = 0;
        for (; i + 2 * TN_LANES <= inputs; i += 2 * TN_LANES) {
            a += TN_LOAD_ROM(w + i) * TN_LOAD(x + i);
            b += TN_LOAD_ROM(w + i + TN_LANES) * TN_LOAD(x + i + TN_LANES);
        }
        float part[TN_LANES], sum = 0;
        a += b;
        TN_STORE(part, a);
        for (int32_t l = 0; l < TN_LANES; l++)
            sum += part[l];
        for (; i < inputs; i++)
            sum += w[i] * x[i];
        y[o] = sum;
    }
}

#endif
