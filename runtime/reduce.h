/* reduce.h - positions of extremes along one axis. x is [outer][n][inner]. Typed: see tn.h. */
#include "order.h"
#include "tn.h"

/* y [outer][inner] = index of the largest of each n, NaN before all numbers; of equal ones the first, or with `last`
 * the last. */
TN_KERNEL void TN(argmax)(int64_t *y, const T *x, int32_t outer, int32_t n, int32_t inner, int32_t last)
{
    for (int32_t o = 0; o < outer; o++, x += n * inner)
        for (int32_t i = 0; i < inner; i++) {
            int32_t best = 0;
            for (int32_t k = 1; k < n; k++)
                if (tn_above(x[k * inner + i], x[best * inner + i]) ||
                    (last && !tn_above(x[best * inner + i], x[k * inner + i])))
                    best = k;
            *y++ = best;
        }
}

/* y [outer][inner] = index of the smallest of each n, NaN before all numbers; of equal ones the first, or with `last`
 * the last. */
TN_KERNEL void TN(argmin)(int64_t *y, const T *x, int32_t outer, int32_t n, int32_t inner, int32_t last)
{
    for (int32_t o = 0; o < outer; o++, x += n * inner)
        for (int32_t i = 0; i < inner; i++) {
            int32_t best = 0;
            for (int32_t k = 1; k < n; k++)
                if (tn_below(x[k * inner + i], x[best * inner + i]) ||
                    (last && !tn_below(x[best * inner + i], x[k * inner + i])))
                    best = k;
            *y++ = best;
        }
}
