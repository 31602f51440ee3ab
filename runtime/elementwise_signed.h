/* elementwise_signed.h - scalar kernels of the signed integers. Results wrap around; x / 0 and x mod 0 are 0. Typed:
 * see tn.h. */
#include "tn.h"

/* y = -x */
TN_KERNEL T TN(neg_int)(T x)
{
    return (T)(0 - (uint64_t)x);
}

/* y = |x| */
TN_KERNEL T TN(abs_int)(T x)
{
    if (x < 0)
        return TN(neg_int)(x);
    return x;
}

/* y = -1, 0 or 1 */
TN_KERNEL T TN(sign_int)(T x)
{
    return (T)((x > 0) - (x < 0));
}

/* y = max(x, 0) */
TN_KERNEL T TN(relu_int)(T x)
{
    if (x < 0)
        return 0;
    return x;
}

/* y = a < 0 ? a * slope : a */
TN_KERNEL T TN(prelu_int)(T a, T slope)
{
    if (a < 0)
        return (T)((uint64_t)a * (uint64_t)slope);
    return a;
}

/* y = a / b towards zero */
TN_KERNEL T TN(div_int)(T a, T b)
{
    if (b == 0)
        return 0;
    if (b == -1)
        return TN(neg_int)(a);
    return (T)(a / b);
}

/* y = a mod b with the sign of a */
TN_KERNEL T TN(rem_int)(T a, T b)
{
    if (b == 0 || b == -1)
        return 0;
    return (T)(a % b);
}

/* y = a mod b with the sign of b */
TN_KERNEL T TN(mod_int)(T a, T b)
{
    T r = TN(rem_int)(a, b);
    if (r != 0 && (r < 0) != (b < 0))
        return (T)(r + b);
    return r;
}

/* y = a^b; with b < 0 the quotient 1 / a^-b towards zero, 0 for a = 0 */
TN_KERNEL T TN(pow_int)(T a, int64_t b)
{
    uint64_t r = 1, f = (uint64_t)a;
    if (b < 0 && a != 1 && a != -1)
        return 0;
    for (uint64_t n = b < 0 ? 0 - (uint64_t)b : (uint64_t)b; n; n >>= 1, f *= f)
        if (n & 1)
            r *= f;
    return (T)r;
}
