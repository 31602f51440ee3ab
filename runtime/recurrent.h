/* recurrent.h - the elementwise part of LSTM, GRU and RNN on the gates of one batch row; the products are layers or
 * tn_matmul. Activation functions have one form, (v, n, alpha, beta), whatever they use of it. Typed: see tn.h, with
 * TF. */
#include "tn.h"

/* y[r * ystep + i] = x[r * xstep + i], i < n, of `rows` rows */
TN_KERNEL void TN(state_rows)(T *y, const T *x, int32_t rows, int32_t n, int32_t ystep, int32_t xstep)
{
    for (int32_t r = 0; r < rows; r++)
        memcpy(y + r * ystep, x + r * xstep, (size_t)n * sizeof *y);
}

/* v = v + x */
TN_KERNEL void TN(gate_add)(T *v, const T *x, int32_t n)
{
    for (int32_t i = 0; i < n; i++)
        v[i] += x[i];
}

/* v = v * x */
TN_KERNEL void TN(gate_multiply)(T *v, const T *x, int32_t n)
{
    for (int32_t i = 0; i < n; i++)
        v[i] *= x[i];
}

/* y = a * b */
TN_KERNEL void TN(gate_product)(T *y, const T *a, const T *b, int32_t n)
{
    for (int32_t i = 0; i < n; i++)
        y[i] = a[i] * b[i];
}

/* v = v + p * c */
TN_KERNEL void TN(gate_peephole)(T *v, const T *p, const T *c, int32_t n)
{
    for (int32_t i = 0; i < n; i++)
        v[i] += p[i] * c[i];
}

/* v = min(max(v, -limit), limit) */
TN_KERNEL void TN(gate_clip)(T *v, int32_t n, T limit)
{
    for (int32_t i = 0; i < n; i++)
        v[i] = v[i] > limit ? limit : v[i] < -limit ? -limit : v[i];
}

/* f = 1 - i */
TN_KERNEL void TN(gate_couple)(T *f, const T *in, int32_t n)
{
    for (int32_t i = 0; i < n; i++)
        f[i] = 1 - in[i];
}

/* c = f * c + in * g */
TN_KERNEL void TN(cell_lstm)(T *c, const T *in, const T *f, const T *g, int32_t n)
{
    for (int32_t i = 0; i < n; i++)
        c[i] = f[i] * c[i] + in[i] * g[i];
}

/* h = (1 - z) * g + z * h */
TN_KERNEL void TN(cell_gru)(T *h, const T *z, const T *g, int32_t n)
{
    for (int32_t i = 0; i < n; i++)
        h[i] = (1 - z[i]) * g[i] + z[i] * h[i];
}

/* v = 1 / (1 + e^-v) */
TN_KERNEL void TN(gate_sigmoid)(T *v, int32_t n, T alpha, T beta)
{
    (void)alpha, (void)beta;
    for (int32_t i = 0; i < n; i++)
        v[i] = TN(sigmoid)(v[i]);
}

/* v = tanh(v) */
TN_KERNEL void TN(gate_tanh)(T *v, int32_t n, T alpha, T beta)
{
    (void)alpha, (void)beta;
    for (int32_t i = 0; i < n; i++)
        v[i] = TN(tanh)(v[i]);
}

/* v = max(v, 0) */
TN_KERNEL void TN(gate_relu)(T *v, int32_t n, T alpha, T beta)
{
    (void)alpha, (void)beta;
    for (int32_t i = 0; i < n; i++)
        v[i] = TN(relu)(v[i]);
}

/* v = alpha * v + beta */
TN_KERNEL void TN(gate_affine)(T *v, int32_t n, T alpha, T beta)
{
    for (int32_t i = 0; i < n; i++)
        v[i] = alpha * v[i] + beta;
}

/* v = v < 0 ? alpha * v : v */
TN_KERNEL void TN(gate_leaky_relu)(T *v, int32_t n, T alpha, T beta)
{
    (void)beta;
    for (int32_t i = 0; i < n; i++)
        v[i] = TN(leaky_relu)(v[i], alpha);
}

/* v = v > alpha ? v : 0 */
TN_KERNEL void TN(gate_thresholded_relu)(T *v, int32_t n, T alpha, T beta)
{
    (void)beta;
    for (int32_t i = 0; i < n; i++)
        v[i] = TN(thresholded_relu)(v[i], alpha);
}

/* v = alpha * tanh(beta * v) */
TN_KERNEL void TN(gate_scaled_tanh)(T *v, int32_t n, T alpha, T beta)
{
    for (int32_t i = 0; i < n; i++)
        v[i] = alpha * TN(tanh)(beta * v[i]);
}

/* v = min(max(alpha * v + beta, 0), 1) */
TN_KERNEL void TN(gate_hard_sigmoid)(T *v, int32_t n, T alpha, T beta)
{
    for (int32_t i = 0; i < n; i++)
        v[i] = TN(hard_sigmoid)(v[i], alpha, beta);
}

/* v = v < 0 ? alpha * (e^v - 1) : v */
TN_KERNEL void TN(gate_elu)(T *v, int32_t n, T alpha, T beta)
{
    (void)beta;
    for (int32_t i = 0; i < n; i++)
        v[i] = TN(elu)(v[i], alpha);
}

/* v = v / (1 + |v|) */
TN_KERNEL void TN(gate_softsign)(T *v, int32_t n, T alpha, T beta)
{
    (void)alpha, (void)beta;
    for (int32_t i = 0; i < n; i++)
        v[i] = TN(softsign)(v[i]);
}

/* v = log(1 + e^v) */
TN_KERNEL void TN(gate_softplus)(T *v, int32_t n, T alpha, T beta)
{
    (void)alpha, (void)beta;
    for (int32_t i = 0; i < n; i++)
        v[i] = TN(softplus)(v[i]);
}
