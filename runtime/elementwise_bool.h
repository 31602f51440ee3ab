/* elementwise_bool.h - logic on bool, which is 0 or 1 in a uint8_t. Included once, with that type. */
#include "tn.h"

/* y = not x */
TN_KERNEL T TN(logic_not)(T x)
{
    return (T)(x == 0);
}

/* y = a and b */
TN_KERNEL T TN(logic_and)(T a, T b)
{
    return (T)(a && b);
}

/* y = a or b */
TN_KERNEL T TN(logic_or)(T a, T b)
{
    return (T)(a || b);
}

/* y = exactly one of a, b */
TN_KERNEL T TN(logic_xor)(T a, T b)
{
    return (T)(!a != !b);
}
