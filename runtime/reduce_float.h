/* reduce_float.h - what reductions of floating tensors need beside the elementwise kernels. Typed: see tn.h, with TF.
 */
#include "tn.h"

/* e^(x - m), a term of log_sum_exp */
TN_KERNEL T TN(exp_below)(T x, T m)
{
    return TM(exp)(x - m);
}

/* log of the sum of e^x, from m, the largest x, and the sum of e^(x - m) */
TN_KERNEL T TN(log_sum_exp)(T sum, T m)
{
    return m == INFINITY || m == -INFINITY ? m : m + TM(log)(sum);
}

/* y [outer][n][inner] = running sum along n, from the end with `reverse`; without the element itself with
 * `exclusive`. */
TN_KERNEL void TN(cumsum)(T *y, const T *x, int32_t outer, int32_t n, int32_t inner, int32_t exclusive, int32_t reverse)
{
    for (int32_t o = 0; o < outer; o++)
        for (int32_t i = 0; i < inner; i++) {
            T sum = 0;
            for (int32_t k = 0; k < n; k++) {
                int32_t at = (o * n + (reverse ? n - 1 - k : k)) * inner + i;
                T v = x[at];
                y[at] = exclusive ? sum : sum + v;
                sum += v;
            }
        }
}
