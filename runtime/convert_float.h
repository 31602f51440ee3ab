/* convert_float.h - float and double to integers: towards zero, values beyond the integer's range to its nearest end,
 * NaN to 0. The kernel's type is the source. Typed: see tn.h. */
#include "tn.h"

/* y = x as int8, saturated */
TN_KERNEL int8_t TN(sat_i8)(T x)
{
    if (x != x || x <= -(T)128)
        return x != x ? 0 : INT8_MIN;
    return x >= (T)128 ? INT8_MAX : (int8_t)x;
}

/* y = x as int16, saturated */
TN_KERNEL int16_t TN(sat_i16)(T x)
{
    if (x != x || x <= -(T)32768)
        return x != x ? 0 : INT16_MIN;
    return x >= (T)32768 ? INT16_MAX : (int16_t)x;
}

/* y = x as int32, saturated */
TN_KERNEL int32_t TN(sat_i32)(T x)
{
    if (x != x || x <= -(T)2147483648)
        return x != x ? 0 : INT32_MIN;
    return x >= (T)2147483648 ? INT32_MAX : (int32_t)x;
}

/* y = x as int64, saturated */
TN_KERNEL int64_t TN(sat_i64)(T x)
{
    if (x != x || x <= -(T)9223372036854775808.0)
        return x != x ? 0 : INT64_MIN;
    return x >= (T)9223372036854775808.0 ? INT64_MAX : (int64_t)x;
}

/* y = x as uint8, saturated */
TN_KERNEL uint8_t TN(sat_u8)(T x)
{
    if (!(x > 0))
        return 0;
    return x >= (T)256 ? UINT8_MAX : (uint8_t)x;
}

/* y = x as uint16, saturated */
TN_KERNEL uint16_t TN(sat_u16)(T x)
{
    if (!(x > 0))
        return 0;
    return x >= (T)65536 ? UINT16_MAX : (uint16_t)x;
}

/* y = x as uint32, saturated */
TN_KERNEL uint32_t TN(sat_u32)(T x)
{
    if (!(x > 0))
        return 0;
    return x >= (T)4294967296 ? UINT32_MAX : (uint32_t)x;
}

/* y = x as uint64, saturated */
TN_KERNEL uint64_t TN(sat_u64)(T x)
{
    if (!(x > 0))
        return 0;
    return x >= (T)18446744073709551616.0 ? UINT64_MAX : (uint64_t)x;
}
