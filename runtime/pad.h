/* pad.h - padding with the input's own elements. Typed: see tn.h. */
#include "box.h"

/* y [y_dims] = x [x_dims], each axis moved by begin and continued on both sides as in tn_pad_position; rows: the
 * product of y_dims but the last. */
TN_KERNEL void TN(pad_self)(T *restrict y, const T *x, int32_t rows, int32_t rank, const int32_t *y_dims,
                            const int32_t *x_dims, const int32_t *begin, int32_t reflect)
{
    int32_t last = rank - 1;
    for (int32_t r = 0; r < rows; r++) {
        int32_t rest = r, row = 0, step = x_dims[last];
        for (int32_t a = last - 1; a >= 0; a--) {
            row += tn_pad_position(rest % y_dims[a] - begin[a], x_dims[a], reflect) * step;
            rest /= y_dims[a];
            step *= x_dims[a];
        }
        for (int32_t i = 0; i < y_dims[last]; i++)
            *y++ = x[row + tn_pad_position(i - begin[last], x_dims[last], reflect)];
    }
}
