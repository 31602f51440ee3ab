/* elementwise_int.h - scalar kernels that signed and unsigned integers share. Results wrap around. Typed: see tn.h. */
#include "tn.h"

/* y = x^2 */
TN_KERNEL T TN(square_int)(T x)
{
    return (T)((uint64_t)x * (uint64_t)x);
}

/* y = a + b */
TN_KERNEL T TN(add_int)(T a, T b)
{
    return (T)((uint64_t)a + (uint64_t)b);
}

/* y = a - b */
TN_KERNEL T TN(sub_int)(T a, T b)
{
    return (T)((uint64_t)a - (uint64_t)b);
}

/* y = a * b */
TN_KERNEL T TN(mul_int)(T a, T b)
{
    return (T)((uint64_t)a * (uint64_t)b);
}

/* y = the smaller */
TN_KERNEL T TN(min_int)(T a, T b)
{
    return a < b ? a : b;
}

/* y = the larger */
TN_KERNEL T TN(max_int)(T a, T b)
{
    return a > b ? a : b;
}
