/* reduce.h - positions of extremes along one axis. x is [outer][n][inner]. Typed: see tn.h. */
#include "tn.h"

/* y [outer][inner] = index of the largest of each n; of equal ones the first, or with `last` the last. */
TN_KERNEL void TN(argmax)(int64_t *y, const T *x, int32_t outer, int32_t n, int32_t inner, int32_t last)
{
    for (int32_t o = 0; o < outer; o++, x += n * inner)
        for (int32_t i = 0; i < inner; i++) {
            int32_t best = 0;
            for (int32_t k = 1; k < n; k++)
                if (x[k * inner + i] > x[best * inner + i] || (last && x[k * inner + i] == x[best * inner + i]))
                    best = k;
            *y++ = best;
        }
}

/* y [outer][inner] = index of the smallest of each n; of equal ones the first, or with `last` the last. */
TN_KERNEL void TN(argmin)(int64_t *y, const T *x, int32_t outer, int32_t n, int32_t inner, int32_t last)
{
    for (int32_t o = 0; o < outer; o++, x += n * inner)
        for (int32_t i = 0; i < inner; i++) {
            int32_t best = 0;
            for (int32_t k = 1; k < n; k++)
                if (x[k * inner + i] < x[best * inner + i] || (last && x[k * inner + i] == x[best * inner + i]))
                    best = k;
            *y++ = best;
        }
}
