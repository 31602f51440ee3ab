/* quant.h - 8-bit numbers, and in kernels of int16_t those of 16: real = (code - zero) * scale. Codes are uint8_t or
 * int8_t; `sign` says which (1: int8_t) and is a literal at the call. Rounding is to the nearest, halves to even, then
 * saturation; NaN becomes the lowest code.
 */
#ifndef TN_QUANT_H
#define TN_QUANT_H

#include "box.h"

/* Code i of p */
TN_KERNEL int32_t tn_code(const void *p, int32_t i, int32_t sign)
{
    return sign ? ((const int8_t *)p)[i] : ((const uint8_t *)p)[i];
}

/* Zero i of p, 0 where p is NULL */
TN_KERNEL int32_t tn_zero_code(const void *p, int32_t i, int32_t sign)
{
    return p ? tn_code(p, i, sign) : 0;
}

/* v, but at least low and at most high */
TN_KERNEL int32_t tn_clamp(int32_t v, int32_t low, int32_t high)
{
    v = v < low ? low : v;
    return v > high ? high : v;
}

/* The byte of v, but at least low and at most high. */
TN_KERNEL uint8_t tn_clamp_code(int32_t v, int32_t low, int32_t high)
{
#if defined(__clang__) && defined(__ARM_FEATURE_SAT) /* which other compilers find by themselves */
    if (low == 0 && high == 255)
        return (uint8_t)__builtin_arm_usat(v, 8);
    if (low == -128 && high == 127)
        return (uint8_t)__builtin_arm_ssat(v, 8);
#elif defined(__thumb__) || defined(__riscv) /* few steps: what is out of range is rare, or on one side */
    if (high - low == 255)
        return (uint8_t)((uint32_t)v - (uint32_t)low > 255 ? (v >> 31) ^ high : v);
#endif
    v = v < low ? low : v;
    return (uint8_t)(v > high ? high : v);
}

/* y[i] = round(v) + zero, saturated */
TN_KERNEL void tn_put_code(void *y, int32_t i, float v, int32_t zero, int32_t sign)
{
    float low = sign ? -128.0f : 0.0f, r = rintf(v) + (float)zero;
    r = r > low ? r : low;
    r = r < low + 255 ? r : low + 255;
    if (sign)
        ((int8_t *)y)[i] = (int8_t)r;
    else
        ((uint8_t *)y)[i] = (uint8_t)r;
}

/* y = round(x / scale) + zero, saturated; x [outer][n][inner], scale and zero [n]; zero may be NULL */
TN_KERNEL void tn_quantize(void *y, const float *x, const float *scale, const void *zero, int32_t outer, int32_t n,
                           int32_t inner, int32_t sign)
{
    for (int32_t i = 0; i < outer * n * inner; i++) {
        int32_t c = i / inner % n;
        tn_put_code(y, i, x[i] / scale[c], tn_zero_code(zero, c, sign), sign);
    }
}

/* The same to 16 bits. */
TN_KERNEL void tn_quantize_i16(int16_t *y, const float *x, const float *scale, const int16_t *zero, int32_t outer,
                               int32_t n, int32_t inner)
{
    for (int32_t i = 0; i < outer * n * inner; i++) {
        int32_t c = i / inner % n;
        float r = rintf(x[i] / scale[c]) + (float)(zero ? zero[c] : 0);
        r = r > -32768.0f ? r : -32768.0f;
        y[i] = (int16_t)(r < 32767.0f ? r : 32767.0f);
    }
}

/* y = (x - zero) * scale; sizes as in quantize */
TN_KERNEL void tn_dequantize(float *y, const void *x, const float *scale, const void *zero, int32_t outer, int32_t n,
                             int32_t inner, int32_t sign)
{
    for (int32_t i = 0; i < outer * n * inner; i++) {
        int32_t c = i / inner % n;
        y[i] = (float)(tn_code(x, i, sign) - tn_zero_code(zero, c, sign)) * scale[c];
    }
}

/* The same of 16 bits. */
TN_KERNEL void tn_dequantize_i16(float *y, const int16_t *x, const float *scale, const int16_t *zero, int32_t outer,
                                 int32_t n, int32_t inner)
{
    for (int32_t i = 0; i < outer * n * inner; i++) {
        int32_t c = i / inner % n;
        y[i] = (float)(x[i] - (zero ? zero[c] : 0)) * scale[c];
    }
}

/* y = x * scale, of the 32-bit codes of sums; sizes as in quantize */
TN_KERNEL void tn_dequantize_i32(float *y, const int32_t *x, const float *scale, int32_t outer, int32_t n,
                                 int32_t inner)
{
    for (int32_t i = 0; i < outer * n * inner; i++)
        y[i] = (float)x[i] * scale[i / inner % n];
}

/* scale and zero such that the codes of uint8_t reach from the least to the largest of x [n] and 0; then y = codes. All
 * zeros have scale 1. */
TN_KERNEL void tn_quantize_dynamic(uint8_t *y, float *scale, uint8_t *zero, const float *x, int32_t n)
{
    float low = 0, high = 0;
    for (int32_t i = 0; i < n; i++) {
        low = x[i] < low ? x[i] : low;
        high = x[i] > high ? x[i] : high;
    }
    *scale = high > low ? (high - low) / 255 : 1;
    tn_put_code(zero, 0, -low / *scale, 0, 0);
    for (int32_t i = 0; i < n; i++)
        tn_put_code(y, i, x[i] / *scale, *zero, 0);
}

/* sum over k of (a[k] - a_zero) * (b[k * bk] - b_zero), modulo 2^32 */
TN_KERNEL int32_t tn_dot_codes(const void *a, int32_t a_first, int32_t a_zero, int32_t a_sign, const void *b,
                               int32_t b_first, int32_t bk, int32_t b_zero, int32_t b_sign, int32_t k)
{
    uint32_t sum = 0;
    for (int32_t l = 0; l < k; l++)
        sum += (uint32_t)((tn_code(a, a_first + l, a_sign) - a_zero) * (tn_code(b, b_first + l * bk, b_sign) - b_zero));
    return (int32_t)sum;
}

/* count products y[p] = a[p] b[p] of codes, dense [m][k] times [k][n]: a_zero by row when az is 1, b_zero by column
 * when bz is 1. The stack is as in matmul_stack. */
TN_KERNEL void tn_matmul_integer(int32_t *y, const void *a, const void *a_zero, int32_t az, int32_t a_sign,
                                 const void *b, const void *b_zero, int32_t bz, int32_t b_sign, int32_t m, int32_t n,
                                 int32_t k, int32_t count, int32_t rank, const int32_t *dims, const int32_t *a_steps,
                                 const int32_t *b_steps)
{
    for (int32_t i = 0; i < count * m * n; i++) {
        int32_t p = i / (m * n), row = i / n % m, col = i % n;
        y[i] = tn_dot_codes(a, tn_box_offset(p, rank, dims, a_steps) + row * k, tn_zero_code(a_zero, row * az, a_sign),
                            a_sign, b, tn_box_offset(p, rank, dims, b_steps) + col, n,
                            tn_zero_code(b_zero, col * bz, b_sign), b_sign, k);
    }
}

/* y[b][g * co + o][out] = sum of (w[g * co + o][c][kernel] - w_zero) * (x[b][g * ci + c][out * stride - pad + k *
 * dilation] - x_zero), modulo 2^32; x_zero is one number, w_zero by output channel when wz is 1; the rest as in conv.
 */
TN_KERNEL void tn_conv_integer(int32_t *y, const void *x, const void *x_zero, int32_t x_sign, const void *w,
                               const void *w_zero, int32_t wz, int32_t w_sign, int32_t batch, int32_t groups,
                               int32_t ci, int32_t co, const int32_t *in, const int32_t *out, const int32_t *kernel,
                               const int32_t *stride, const int32_t *dilation, const int32_t *pad)
{
    int32_t plane = in[0] * in[1] * in[2], taps = kernel[0] * kernel[1] * kernel[2],
            xz = tn_zero_code(x_zero, 0, x_sign);
    int32_t space = out[0] * out[1] * out[2];
    for (int32_t p = 0; p < batch * groups * co * space; p++) {
        int32_t bo = p / space, o = bo % (groups * co), wzero = tn_zero_code(w_zero, o * wz, w_sign);
        int32_t z = p / (out[1] * out[2]) % out[0] * stride[0] - pad[0];
        int32_t r = p / out[2] % out[1] * stride[1] - pad[1], c = p % out[2] * stride[2] - pad[2];
        uint32_t sum = 0;
        for (int32_t i = 0; i < ci * taps; i++) {
            int32_t iz = z + i % taps / (kernel[1] * kernel[2]) * dilation[0];
            int32_t iy = r + i % taps / kernel[2] % kernel[1] * dilation[1], ix = c + i % kernel[2] * dilation[2];
            if (iz < 0 || iz >= in[0] || iy < 0 || iy >= in[1] || ix < 0 || ix >= in[2])
                continue;
            int32_t at = (bo / co * ci + i / taps) * plane + (iz * in[1] + iy) * in[2] + ix;
            sum += (uint32_t)((tn_code(w, o * ci * taps + i, w_sign) - wzero) * (tn_code(x, at, x_sign) - xz));
        }
        y[p] = (int32_t)sum;
    }
}

#endif
