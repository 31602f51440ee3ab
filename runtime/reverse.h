/* reverse.h - sequences of their own lengths turned round. */
#include "tn.h"

/* y[t][b] = x[length[b] - 1 - t][b] where t < length[b], else x[t][b]; steps of t and b in rows of `bytes` bytes. A
 * length beyond `times` counts as that. */
TN_KERNEL void tn_reverse_sequence(void *restrict y, const void *x, const int64_t *length, int32_t times, int32_t batch,
                                   int32_t time_step, int32_t batch_step, size_t bytes)
{
    for (int32_t b = 0; b < batch; b++)
        for (int32_t t = 0; t < times; t++) {
            int64_t n = length[b] < times ? length[b] : times, from = t < n ? n - 1 - t : t;
            memcpy((unsigned char *)y + ((size_t)t * (size_t)time_step + (size_t)b * (size_t)batch_step) * bytes,
                   (const unsigned char *)x +
                       ((size_t)from * (size_t)time_step + (size_t)b * (size_t)batch_step) * bytes,
                   bytes);
        }
}
