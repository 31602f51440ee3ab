/* guard.h - the refusal of NaN and infinity. By bits: a compiler that was told that there are none must not drop it. */
#include "tn.h"

/* Whether x[0..n) holds neither NaN nor infinity. */
TN_KERNEL int tn_finite_f32(const float *x, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        uint32_t bits;
        memcpy(&bits, x + i, sizeof bits);
        if ((bits >> 23 & 0xff) == 0xff)
            return 0;
    }
    return 1;
}

/* Whether x[0..n) holds neither NaN nor infinity. */
TN_KERNEL int tn_finite_f64(const double *x, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        uint64_t bits;
        memcpy(&bits, x + i, sizeof bits);
        if ((bits >> 52 & 0x7ff) == 0x7ff)
            return 0;
    }
    return 1;
}
