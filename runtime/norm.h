/* norm.h - normalisations. y may be x. Typed: see tn.h, with TF. */
#include "box.h"

/* x [batch][channels][size]: y = (x - mean) / sqrt(var + epsilon) * scale + bias, four arrays [channels] */
TN_KERNEL void TN(batch_norm)(T *y, const T *x, const T *scale, const T *bias, const T *mean, const T *var, T epsilon,
                              int32_t batch, int32_t channels, int32_t size)
{
    for (int32_t b = 0; b < batch; b++)
        for (int32_t c = 0; c < channels; c++, x += size, y += size) {
            T factor = scale[c] / TM(sqrt)(var[c] + epsilon);
            for (int32_t i = 0; i < size; i++)
                y[i] = (x[i] - mean[c]) * factor + bias[c];
        }
}

/* x [batch][channels][size], mean and variance of each [size]: y = (x - mean) / sqrt(var + epsilon) * scale[c] +
 * bias[c] */
TN_KERNEL void TN(instance_norm)(T *y, const T *x, const T *scale, const T *bias, T epsilon, int32_t batch,
                                 int32_t channels, int32_t size)
{
    for (int32_t b = 0; b < batch; b++)
        for (int32_t c = 0; c < channels; c++, x += size, y += size) {
            T mean = 0, var = 0;
            for (int32_t i = 0; i < size; i++)
                mean += x[i];
            mean /= (T)size;
            for (int32_t i = 0; i < size; i++)
                var += (x[i] - mean) * (x[i] - mean);
            T factor = scale[c] / TM(sqrt)(var / (T)size + epsilon);
            for (int32_t i = 0; i < size; i++)
                y[i] = (x[i] - mean) * factor + bias[c];
        }
}

/* x [rows][size]: y = (x - mean) / sqrt(var + epsilon) * scale + bias, mean and variance of each row, scale and bias
 * [size]; bias, means [rows] and factors [rows] (1 / sqrt(var + epsilon)) may be NULL. */
TN_KERNEL void TN(layer_norm)(T *y, T *means, T *factors, const T *x, const T *scale, const T *bias, T epsilon,
                              int32_t rows, int32_t size)
{
    for (int32_t r = 0; r < rows; r++, x += size, y += size) {
        T mean = 0, var = 0;
        for (int32_t i = 0; i < size; i++)
            mean += x[i];
        mean /= (T)size;
        for (int32_t i = 0; i < size; i++)
            var += (x[i] - mean) * (x[i] - mean);
        T factor = 1 / TM(sqrt)(var / (T)size + epsilon);
        for (int32_t i = 0; i < size; i++)
            y[i] = (x[i] - mean) * factor * scale[i] + (bias ? bias[i] : 0);
        if (means)
            means[r] = mean;
        if (factors)
            factors[r] = factor;
    }
}

/* The same with scale and bias seen as of x's dims, their axes `scale_steps` and `bias_steps` apart. */
TN_KERNEL void TN(layer_norm_spread)(T *y, T *means, T *factors, const T *x, const T *scale, const T *bias, T epsilon,
                                     int32_t rows, int32_t size, int32_t rank, const int32_t *dims,
                                     const int32_t *scale_steps, const int32_t *bias_steps)
{
    for (int32_t r = 0; r < rows; r++, x += size, y += size) {
        T mean = 0, var = 0;
        for (int32_t i = 0; i < size; i++)
            mean += x[i];
        mean /= (T)size;
        for (int32_t i = 0; i < size; i++)
            var += (x[i] - mean) * (x[i] - mean);
        T factor = 1 / TM(sqrt)(var / (T)size + epsilon);
        for (int32_t i = 0; i < size; i++) {
            int32_t s = tn_box_offset(r * size + i, rank, dims, scale_steps);
            int32_t b = tn_box_offset(r * size + i, rank, dims, bias_steps);
            y[i] = (x[i] - mean) * factor * scale[s] + (bias ? bias[b] : 0);
        }
        if (means)
            means[r] = mean;
        if (factors)
            factors[r] = factor;
    }
}

/* x [k0][r0][k1][r1]: y = (x - mean) / (sqrt(var) + 1e-9), mean and variance over r0 and r1 */
TN_KERNEL void TN(mean_variance_norm)(T *y, const T *x, int32_t k0, int32_t r0, int32_t k1, int32_t r1)
{
    for (int32_t o = 0; o < k0 * k1; o++) {
        int32_t first = (o / k1 * r0 * k1 + o % k1) * r1;
        T mean = 0, var = 0;
        for (int32_t i = 0; i < r0; i++)
            for (int32_t j = 0; j < r1; j++)
                mean += x[first + i * k1 * r1 + j];
        mean /= (T)r0 * (T)r1;
        for (int32_t i = 0; i < r0; i++)
            for (int32_t j = 0; j < r1; j++) {
                T d = x[first + i * k1 * r1 + j] - mean;
                var += d * d;
            }
        T factor = 1 / (TM(sqrt)(var / ((T)r0 * (T)r1)) + (T)1e-9);
        for (int32_t i = 0; i < r0; i++)
            for (int32_t j = 0; j < r1; j++)
                y[first + i * k1 * r1 + j] = (x[first + i * k1 * r1 + j] - mean) * factor;
    }
}

/* x [outer][n][inner], along n: y = x / sum of |x| (p = 1) or x / sqrt(sum of x^2) (p = 2); 0 where that is 0 */
TN_KERNEL void TN(lp_norm)(T *y, const T *x, int32_t p, int32_t outer, int32_t n, int32_t inner)
{
    for (int32_t o = 0; o < outer; o++, x += n * inner, y += n * inner)
        for (int32_t i = 0; i < inner; i++) {
            T sum = 0;
            for (int32_t k = 0; k < n; k++)
                sum += p == 1 ? TM(fabs)(x[k * inner + i]) : x[k * inner + i] * x[k * inner + i];
            T norm = p == 1 ? sum : TM(sqrt)(sum);
            for (int32_t k = 0; k < n; k++)
                y[k * inner + i] = norm == 0 ? 0 : x[k * inner + i] / norm;
        }
}

/* x [batch][channels][size], across channels c - (window - 1) / 2 to c + window / 2, as far as they exist:
 * y = x / (bias + alpha / window * sum of x^2)^beta. y may not be x. */
TN_KERNEL void TN(lrn)(T *y, const T *x, T alpha, T beta, T bias, int32_t window, int32_t batch, int32_t channels,
                       int32_t size)
{
    for (int32_t b = 0; b < batch; b++, x += channels * size, y += channels * size)
        for (int32_t c = 0; c < channels; c++) {
            int32_t from = c - (window - 1) / 2, to = c + window / 2;
            from = from < 0 ? 0 : from;
            to = to < channels ? to : channels - 1;
            for (int32_t i = 0; i < size; i++) {
                T sum = 0;
                for (int32_t k = from; k <= to; k++)
                    sum += x[k * size + i] * x[k * size + i];
                y[c * size + i] = x[c * size + i] / TM(pow)(bias + alpha / (T)window * sum, beta);
            }
        }
}
