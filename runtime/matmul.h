/* matmul.h - products of matrices and convolutions with weights known at run time only. Typed: see tn.h. */
#include "box.h"

/* y[i][j] = sum over k of a[i * ai + k * ak] * b[k * bk + j * bj], i < m, j < n */
TN_KERNEL void TN(matmul)(T *restrict y, const T *a, const T *b, int32_t m, int32_t n, int32_t k, int32_t ai,
                          int32_t ak, int32_t bk, int32_t bj)
{
    for (int32_t i = 0; i < m; i++, y += n)
        if (bj == 1) {
            for (int32_t j = 0; j < n; j++)
                y[j] = 0;
            for (int32_t l = 0; l < k; l++) {
                T v = a[i * ai + l * ak];
                for (int32_t j = 0; j < n; j++)
                    y[j] += v * b[l * bk + j];
            }
        } else {
            for (int32_t j = 0; j < n; j++) {
                T sum = 0;
                for (int32_t l = 0; l < k; l++)
                    sum += a[i * ai + l * ak] * b[l * bk + j * bj];
                y[j] = sum;
            }
        }
}

/* y = alpha * y + beta * c, y [m][n], c[i * si + j * sj] */
TN_KERNEL void TN(gemm_add)(T *restrict y, const T *c, int32_t m, int32_t n, int32_t si, int32_t sj, T alpha, T beta)
{
    for (int32_t i = 0; i < m; i++)
        for (int32_t j = 0; j < n; j++)
            y[i * n + j] = alpha * y[i * n + j] + beta * c[i * si + j * sj];
}

/* y = alpha * y */
TN_KERNEL void TN(gemm_scale)(T *restrict y, int32_t n, T alpha)
{
    for (int32_t i = 0; i < n; i++)
        y[i] *= alpha;
}

/* count products y[p] = a[p] b[p], dense [m][k] times [k][n]. The stack has the given dims; a_steps and b_steps are the
 * elements from one matrix to the next along each of its axes, 0 where one is used again. */
TN_KERNEL void TN(matmul_stack)(T *restrict y, const T *a, const T *b, int32_t m, int32_t n, int32_t k, int32_t count,
                                int32_t rank, const int32_t *dims, const int32_t *a_steps, const int32_t *b_steps)
{
    for (int32_t p = 0; p < count; p++, y += m * n) {
        const T *ap = a + tn_box_offset(p, rank, dims, a_steps), *bp = b + tn_box_offset(p, rank, dims, b_steps);
        TN(matmul)(y, ap, bp, m, n, k, k, 1, n, 1);
    }
}

/* y[b][g * co + o][out] = bias + sum of w[g * co + o][c][kernel] * x[b][g * ci + c][out * stride - pad + k * dilation],
 * ci and co per group; bias may be NULL; sizes are depth, height, width. */
TN_KERNEL void TN(conv)(T *restrict y, const T *x, const T *w, const T *bias, int32_t batch, int32_t groups, int32_t ci,
                        int32_t co, const int32_t *in, const int32_t *out, const int32_t *kernel, const int32_t *stride,
                        const int32_t *dilation, const int32_t *pad)
{
    int32_t plane = in[0] * in[1] * in[2], taps = kernel[0] * kernel[1] * kernel[2];
    for (int32_t bo = 0; bo < batch * groups * co; bo++) {
        int32_t o = bo % (groups * co);
        const T *group = x + bo / co * ci * plane;
        for (int32_t z = -pad[0]; z < out[0] * stride[0] - pad[0]; z += stride[0])
            for (int32_t r = -pad[1]; r < out[1] * stride[1] - pad[1]; r += stride[1])
                for (int32_t c = -pad[2]; c < out[2] * stride[2] - pad[2]; c += stride[2]) {
                    T sum = bias ? bias[o] : 0;
                    for (int32_t i = 0; i < ci * taps; i++) {
                        int32_t t = i % taps;
                        int32_t iz = z + t / (kernel[1] * kernel[2]) * dilation[0];
                        int32_t iy = r + t / kernel[2] % kernel[1] * dilation[1];
                        int32_t ix = c + t % kernel[2] * dilation[2];
                        if (iz >= 0 && iz < in[0] && iy >= 0 && iy < in[1] && ix >= 0 && ix < in[2])
                            sum += w[o * ci * taps + i] * group[i / taps * plane + (iz * in[1] + iy) * in[2] + ix];
                    }
                    *y++ = sum;
                }
    }
}

/* y = bias, then y[b][g * co + o][in * stride - pad + k * dilation] += w[g * ci + c][o][kernel] * x[b][g * ci + c][in];
 * the rest as in conv. */
TN_KERNEL void TN(conv_transpose)(T *restrict y, const T *x, const T *w, const T *bias, int32_t batch, int32_t groups,
                                  int32_t ci, int32_t co, const int32_t *in, const int32_t *out, const int32_t *kernel,
                                  const int32_t *stride, const int32_t *dilation, const int32_t *pad)
{
    int32_t plane = in[0] * in[1] * in[2], taps = kernel[0] * kernel[1] * kernel[2];
    int32_t space = out[0] * out[1] * out[2];
    for (int32_t bo = 0; bo < batch * groups * co; bo++, y += space) {
        int32_t o = bo % (groups * co), first = o / co * ci;
        const T *group = x + bo / co * ci * plane;
        for (int32_t i = 0; i < space; i++)
            y[i] = bias ? bias[o] : 0;
        for (int32_t i = 0; i < ci * plane; i++)
            for (int32_t t = 0; t < taps; t++) {
                int32_t p = i % plane;
                int32_t z = p / (in[1] * in[2]) * stride[0] - pad[0] + t / (kernel[1] * kernel[2]) * dilation[0];
                int32_t r = p / in[2] % in[1] * stride[1] - pad[1] + t / kernel[2] % kernel[1] * dilation[1];
                int32_t c = p % in[2] * stride[2] - pad[2] + t % kernel[2] * dilation[2];
                if (z >= 0 && z < out[0] && r >= 0 && r < out[1] && c >= 0 && c < out[2])
                    y[(z * out[1] + r) * out[2] + c] += w[((first + i / plane) * co + o % co) * taps + t] * group[i];
            }
    }
}
