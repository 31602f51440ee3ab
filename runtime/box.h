/* box.h - positions in boxes: row-major blocks of numbers that are seen with other strides. */
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
