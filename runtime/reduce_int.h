/* reduce_int.h - scans of integers; results wrap around. Typed: see tn.h. */
#include "tn.h"

/* y [outer][n][inner] = running sum along n, from the end with `reverse`; without the element itself with
 * `exclusive`. */
TN_KERNEL void TN(cumsum_int)(T *y, const T *x, int32_t outer, int32_t n, int32_t inner, int32_t exclusive,
                              int32_t reverse)
{
    for (int32_t o = 0; o < outer; o++)
        for (int32_t i = 0; i < inner; i++) {
            T sum = 0;
            for (int32_t k = 0; k < n; k++) {
                int32_t at = (o * n + (reverse ? n - 1 - k : k)) * inner + i;
                T v = x[at];
                y[at] = exclusive ? sum : TN(add_int)(sum, v);
                sum = TN(add_int)(sum, v);
            }
        }
}
