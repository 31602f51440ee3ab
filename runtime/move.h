/* move.h - data movement. Typed: see tn.h. */
#include "box.h"

/* y[i . y_steps] = x[i . x_steps] for all positions i of a box with the given dims, rank >= 3; outer: the product of
 * all dims but the last three. Steps may be 0 or negative. */
TN_KERNEL void TN(copy_box)(T *restrict y, const T *x, int32_t outer, int32_t rank, const int32_t *dims,
                            const int32_t *y_steps, const int32_t *x_steps)
{
    const int32_t *d = dims + rank - 3, *ys = y_steps + rank - 3, *xs = x_steps + rank - 3;
    for (int32_t p = 0; p < outer; p++) {
        T *yp = y + tn_box_offset(p, rank - 3, dims, y_steps);
        const T *xp = x + tn_box_offset(p, rank - 3, dims, x_steps);
        for (int32_t i = 0; i < d[0]; i++)
            for (int32_t j = 0; j < d[1]; j++)
                for (int32_t k = 0; k < d[2]; k++)
                    yp[i * ys[0] + j * ys[1] + k * ys[2]] = xp[i * xs[0] + j * xs[1] + k * xs[2]];
    }
}

/* y[i] = *value for i < n */
TN_KERNEL void TN(fill)(T *restrict y, const T *value, int32_t n)
{
    for (int32_t i = 0; i < n; i++)
        y[i] = *value;
}
