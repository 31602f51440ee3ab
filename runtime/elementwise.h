/* elementwise.h - scalar kernels that read the same for every element type, bool included. Typed: see tn.h. */
#include "tn.h"

/* y = x */
TN_KERNEL T TN(same)(T x)
{
    return x;
}

/* y = c ? a : b */
TN_KERNEL T TN(where)(uint8_t c, T a, T b)
{
    return c ? a : b;
}

/* y = a == b */
TN_KERNEL uint8_t TN(equal)(T a, T b)
{
    return (uint8_t)(a == b);
}

/* y = a > b */
TN_KERNEL uint8_t TN(greater)(T a, T b)
{
    return (uint8_t)(a > b);
}

/* y = a >= b */
TN_KERNEL uint8_t TN(greater_or_equal)(T a, T b)
{
    return (uint8_t)(a >= b);
}

/* y = a < b */
TN_KERNEL uint8_t TN(less)(T a, T b)
{
    return (uint8_t)(a < b);
}

/* y = a <= b */
TN_KERNEL uint8_t TN(less_or_equal)(T a, T b)
{
    return (uint8_t)(a <= b);
}

/* y = min(max(x, lo), hi): hi where lo > hi; NaN stays NaN. */
TN_KERNEL T TN(clip)(T x, T lo, T hi)
{
    if (x < lo)
        x = lo;
    return x > hi ? hi : x;
}
