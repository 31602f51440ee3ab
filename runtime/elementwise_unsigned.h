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
    return b == 0 ? (T)0 : (T)(a / b);
}

/* y = a mod b */
TN_KERNEL T TN(mod_uint)(T a, T b)
{
    return b == 0 ? (T)0 : (T)(a % b);
}

/* y = a * 2^b, bits beyond the type lost */
TN_KERNEL T TN(shift_left)(T a, T b)
{
    return b < 8 * sizeof(T) ? (T)((uint64_t)a << b) : (T)0;
}

/* y = a / 2^b */
TN_KERNEL T TN(shift_right)(T a, T b)
{
    return b < 8 * sizeof(T) ? (T)(a >> b) : (T)0;
}
