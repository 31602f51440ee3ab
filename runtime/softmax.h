/* softmax.h - softmax and its relatives along the middle axis of x [outer][n][inner]; y may be x. Typed: see tn.h, with
 * TF. */
#include "order.h"
#include "tn.h"

/* y = e^(x - m) / sum of e^(x - m), m the largest of x */
TN_KERNEL void TN(softmax)(T *y, const T *x, int32_t outer, int32_t n, int32_t inner)
{
    for (int32_t o = 0; o < outer; o++, x += n * inner, y += n * inner)
        for (int32_t i = 0; i < inner; i++) {
            T m = x[i], sum = 0;
            for (int32_t k = 1; k < n; k++)
                m = x[k * inner + i] > m ? x[k * inner + i] : m;
            for (int32_t k = 0; k < n; k++) {
                y[k * inner + i] = TM(exp)(x[k * inner + i] - m);
                sum += y[k * inner + i];
            }
            for (int32_t k = 0; k < n; k++)
                y[k * inner + i] /= sum;
        }
}

/* y = x - m - log(sum of e^(x - m)), m the largest of x */
TN_KERNEL void TN(log_softmax)(T *y, const T *x, int32_t outer, int32_t n, int32_t inner)
{
    for (int32_t o = 0; o < outer; o++, x += n * inner, y += n * inner)
        for (int32_t i = 0; i < inner; i++) {
            T m = x[i], sum = 0;
            for (int32_t k = 1; k < n; k++)
                m = x[k * inner + i] > m ? x[k * inner + i] : m;
            for (int32_t k = 0; k < n; k++)
                sum += TM(exp)(x[k * inner + i] - m);
            sum = TM(log)(sum);
            for (int32_t k = 0; k < n; k++)
                y[k * inner + i] = x[k * inner + i] - m - sum;
        }
}

/* y = 1 for the first of the largest of x, NaN before all numbers, 0 for the others */
TN_KERNEL void TN(hardmax)(T *y, const T *x, int32_t outer, int32_t n, int32_t inner)
{
    for (int32_t o = 0; o < outer; o++, x += n * inner, y += n * inner)
        for (int32_t i = 0; i < inner; i++) {
            int32_t best = 0;
            for (int32_t k = 1; k < n; k++)
                if (tn_above(x[k * inner + i], x[best * inner + i]))
                    best = k;
            for (int32_t k = 0; k < n; k++)
                y[k * inner + i] = k == best;
        }
}
