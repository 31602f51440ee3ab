/* box.h - positions in boxes: row-major blocks of numbers that are seen with other strides. */
#ifndef TN_BOX_H
#define TN_BOX_H

#include "tn.h"

/* The place of element p of a box with the given dims when its axes lie steps apart. */
TN_KERNEL int32_t tn_box_offset(int32_t p, int32_t rank, const int32_t *dims, const int32_t *steps)
{
    int32_t offset = 0;
    for (int32_t i = rank - 1; i >= 0; i--) {
        offset += p % dims[i] * steps[i];
        p /= dims[i];
    }
    return offset;
}

/* The part of a window of `kernel` taps, `dilation` apart, that starts at `start` and lies in [0, size): taps
 * [first, end). */
TN_KERNEL void tn_window_part(int32_t start, int32_t kernel, int32_t dilation, int32_t size, int32_t *first,
                              int32_t *end)
{
    *first = start < 0 ? (dilation - 1 - start) / dilation : 0;
    *end = start >= size ? 0 : (size - 1 - start) / dilation + 1;
    *end = *end > kernel ? kernel : *end;
}

/* Where position i, which may lie outside of [0, n), takes its value from: the nearest element (reflect 0), or the
 * mirror image, edges not repeated (reflect 1). */
TN_KERNEL int32_t tn_pad_position(int32_t i, int32_t n, int32_t reflect)
{
    if (!reflect || n == 1)
        return i < 0 ? 0 : i >= n ? n - 1 : i;
    int32_t period = 2 * (n - 1);
    i = i % period;
    i = i < 0 ? i + period : i;
    return i < n ? i : period - i;
}

#endif
