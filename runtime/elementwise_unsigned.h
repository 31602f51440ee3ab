/* elementwise_unsigned.h - scalar kernels of the unsigned integers. x / 0 and x mod 0 are 0. Typed: see tn.h. */
#include "tn.h"

/* y = 0 or 1 */
TN_KERNEL T TN(sign_uint)(T x)
{
    return (T)(x != 0);
}

/* y = a / b */
TN_KERNEL T TN(div_uint)(T a, T b)
{
    if (b == 0)
        return 0;
    return (T)(a / b);
}

/* y = a mod b */
TN_KERNEL T TN(mod_uint)(T a, T b)
{
    if (b == 0)
        return 0;
    return (T)(a % b);
}

/* y = a * 2^b, bits beyond the type lost */
TN_KERNEL T TN(shift_left)(T a, T b)
{
    if (b >= 8 * sizeof(T))
        return 0;
    return (T)((uint64_t)a << b);
}

/* y = a / 2^b */
TN_KERNEL T TN(shift_right)(T a, T b)
{
    if (b >= 8 * sizeof(T))
        return 0;
    return (T)(a >> b);
}
