/* einsum.h - sums of products over named axes. Typed: see tn.h. */
#include "box.h"

/* y[o] = sum over s of a[o . a_steps + s . a_sums] * b[o . b_steps + s . b_sums]; o runs over the box dims [rank], s
 * over the box sums [sum_rank]; b NULL: without the second factor. */
TN_KERNEL void TN(einsum)(T *restrict y, const T *a, const T *b, int32_t count, int32_t rank, const int32_t *dims,
                          const int32_t *a_steps, const int32_t *b_steps, int32_t terms, int32_t sum_rank,
                          const int32_t *sums, const int32_t *a_sums, const int32_t *b_sums)
{
    for (int32_t o = 0; o < count; o++) {
        const T *ao = a + tn_box_offset(o, rank, dims, a_steps);
        const T *bo = b ? b + tn_box_offset(o, rank, dims, b_steps) : NULL;
        T sum = 0;
        for (int32_t s = 0; s < terms; s++) {
            T v = ao[tn_box_offset(s, sum_rank, sums, a_sums)];
            sum += bo ? v * bo[tn_box_offset(s, sum_rank, sums, b_sums)] : v;
        }
        y[o] = sum;
    }
}
