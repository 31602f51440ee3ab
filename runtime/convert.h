/* convert.h - conversions as C does them where C defines them: between integers modulo 2^bits, to floating types
 * rounded, to bool "is not 0". The kernel's type is the source. Typed: see tn.h. */
#include "tn.h"

/* y = x as float */
TN_KERNEL float TN(to_f32)(T x)
{
    return (float)x;
}

/* y = x as double */
TN_KERNEL double TN(to_f64)(T x)
{
    return (double)x;
}

/* y = x as int8 */
TN_KERNEL int8_t TN(to_i8)(T x)
{
    return (int8_t)x;
}

/* y = x as int16 */
TN_KERNEL int16_t TN(to_i16)(T x)
{
    return (int16_t)x;
}

/* y = x as int32 */
TN_KERNEL int32_t TN(to_i32)(T x)
{
    return (int32_t)x;
}

/* y = x as int64 */
TN_KERNEL int64_t TN(to_i64)(T x)
{
    return (int64_t)x;
}

/* y = x as uint8 */
TN_KERNEL uint8_t TN(to_u8)(T x)
{
    return (uint8_t)x;
}

/* y = x as uint16 */
TN_KERNEL uint16_t TN(to_u16)(T x)
{
    return (uint16_t)x;
}

/* y = x as uint32 */
TN_KERNEL uint32_t TN(to_u32)(T x)
{
    return (uint32_t)x;
}

/* y = x as uint64 */
TN_KERNEL uint64_t TN(to_u64)(T x)
{
    return (uint64_t)x;
}

/* y = x is not 0 */
TN_KERNEL uint8_t TN(to_b8)(T x)
{
    return (uint8_t)(x != 0);
}
