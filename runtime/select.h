/* select.h - choosing elements: triangles and the largest ones. Typed: see tn.h. */
#include "order.h"
#include "tn.h"

/* y = x [matrices][rows][cols] with zeros below (upper 1) or above (upper 0) the diagonal j = i + k. */
TN_KERNEL void TN(trilu)(T *restrict y, const T *x, int32_t matrices, int32_t rows, int32_t cols, int64_t k,
                         int32_t upper)
{
    for (int32_t m = 0; m < matrices; m++)
        for (int32_t i = 0; i < rows; i++)
            for (int32_t j = 0; j < cols; j++, x++)
                *y++ = (upper ? j >= i + k : j <= i + k) ? *x : 0;
}

/* The k largest (sign 1) or smallest (sign -1) elements along the middle axis of x [outer][size][inner], in order,
 * equal ones by position, NaN above all numbers: values y and positions index [outer][k][inner]; y may be NULL. */
TN_KERNEL void TN(top_k)(T *y, int64_t *index, const T *x, int32_t outer, int32_t size, int32_t inner, int32_t k,
                         int32_t sign)
{
    for (int32_t l = 0; l < outer * inner; l++) {
        int32_t from = l / inner * size * inner + l % inner, to = l / inner * k * inner + l % inner;
        for (int32_t i = 0; i < size; i++) {
            T v = x[from + i * inner];
            int32_t at = i < k ? i : k;
            for (; at > 0; at--) {
                int64_t before = index[to + (at - 1) * inner];
                T u = x[from + before * inner];
                if (sign > 0 ? !tn_above(v, u) : !tn_above(u, v))
                    break;
                if (at < k)
                    index[to + at * inner] = before;
            }
            if (at < k)
                index[to + at * inner] = i;
        }
        for (int32_t i = 0; y && i < k; i++)
            y[to + i * inner] = x[from + index[to + i * inner] * inner];
    }
}
