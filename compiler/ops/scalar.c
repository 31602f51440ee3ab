/* scalar.c - the scalar kernels of runtime/ for the evaluator: every kernel of every element type, found by
 * name. What generated code computes per element and what the evaluator computes is the same text. */
#include "ops/ops.h"

#include "tn.h"

#include <string.h>

typedef struct ScalarEntry {
    const char *kernel;
    ScalarRow row;
} ScalarEntry;

#define KERNELS_ANY(R1, R2, R3)                                                                              \
    R1(same, T, T)                                                                                           \
    R3(where, T, uint8_t, T, T)                                                                              \
    R2(equal, uint8_t, T, T)                                                                                 \
    R2(greater, uint8_t, T, T)                                                                               \
    R2(greater_or_equal, uint8_t, T, T)                                                                      \
    R2(less, uint8_t, T, T)                                                                                  \
    R2(less_or_equal, uint8_t, T, T)                                                                         \
    R3(clip, T, T, T, T)                                                                                     \
    R1(to_f32, float, T)                                                                                     \
    R1(to_f64, double, T)                                                                                    \
    R1(to_i8, int8_t, T)                                                                                     \
    R1(to_i16, int16_t, T)                                                                                   \
    R1(to_i32, int32_t, T)                                                                                   \
    R1(to_i64, int64_t, T)                                                                                   \
    R1(to_u8, uint8_t, T)                                                                                    \
    R1(to_u16, uint16_t, T)                                                                                  \
    R1(to_u32, uint32_t, T)                                                                                  \
    R1(to_u64, uint64_t, T)                                                                                  \
    R1(to_b8, uint8_t, T)

#define KERNELS_BOOL(R1, R2, R3)                                                                             \
    KERNELS_ANY(R1, R2, R3)                                                                                  \
    R1(logic_not, T, T)                                                                                      \
    R2(logic_and, T, T, T)                                                                                   \
    R2(logic_or, T, T, T)                                                                                    \
    R2(logic_xor, T, T, T)

#define KERNELS_INT(R1, R2, R3)                                                                              \
    KERNELS_ANY(R1, R2, R3)                                                                                  \
    R2(add_int, T, T, T)                                                                                     \
    R2(sub_int, T, T, T)                                                                                     \
    R2(mul_int, T, T, T)                                                                                     \
    R2(min_int, T, T, T)                                                                                     \
    R2(max_int, T, T, T)

#define KERNELS_SIGNED(R1, R2, R3)                                                                           \
    KERNELS_INT(R1, R2, R3)                                                                                  \
    R1(neg_int, T, T)                                                                                        \
    R1(abs_int, T, T)                                                                                        \
    R1(sign_int, T, T)                                                                                       \
    R1(relu_int, T, T)                                                                                       \
    R2(prelu_int, T, T, T)                                                                                   \
    R2(div_int, T, T, T)                                                                                     \
    R2(rem_int, T, T, T)                                                                                     \
    R2(mod_int, T, T, T)                                                                                     \
    R2(pow_int, T, T, int64_t)

#define KERNELS_UNSIGNED(R1, R2, R3)                                                                         \
    KERNELS_INT(R1, R2, R3)                                                                                  \
    R1(sign_uint, T, T)                                                                                      \
    R2(div_uint, T, T, T)                                                                                    \
    R2(mod_uint, T, T, T)                                                                                    \
    R2(shift_left, T, T, T)                                                                                  \
    R2(shift_right, T, T, T)

#define KERNELS_FLOAT1(R1)                                                                                   \
    R1(abs, T, T)                                                                                            \
    R1(neg, T, T)                                                                                            \
    R1(round, T, T)                                                                                          \
    R1(sign, T, T)                                                                                           \
    R1(reciprocal, T, T)                                                                                     \
    R1(floor, T, T)                                                                                          \
    R1(ceil, T, T)                                                                                           \
    R1(sqrt, T, T)                                                                                           \
    R1(exp, T, T)                                                                                            \
    R1(log, T, T)                                                                                            \
    R1(sin, T, T)                                                                                            \
    R1(cos, T, T)                                                                                            \
    R1(tan, T, T)                                                                                            \
    R1(asin, T, T)                                                                                           \
    R1(acos, T, T)                                                                                           \
    R1(atan, T, T)                                                                                           \
    R1(sinh, T, T)                                                                                           \
    R1(cosh, T, T)                                                                                           \
    R1(tanh, T, T)                                                                                           \
    R1(asinh, T, T)                                                                                          \
    R1(acosh, T, T)                                                                                          \
    R1(atanh, T, T)                                                                                          \
    R1(erf, T, T)                                                                                            \
    R1(relu, T, T)                                                                                           \
    R1(hard_swish, T, T)                                                                                     \
    R1(sigmoid, T, T)                                                                                        \
    R1(softplus, T, T)                                                                                       \
    R1(softsign, T, T)                                                                                       \
    R1(is_nan, uint8_t, T)                                                                                   \
    R1(sat_i8, int8_t, T)                                                                                    \
    R1(sat_i16, int16_t, T)                                                                                  \
    R1(sat_i32, int32_t, T)                                                                                  \
    R1(sat_i64, int64_t, T)                                                                                  \
    R1(sat_u8, uint8_t, T)                                                                                   \
    R1(sat_u16, uint16_t, T)                                                                                 \
    R1(sat_u32, uint32_t, T)                                                                                 \
    R1(sat_u64, uint64_t, T)

#define KERNELS_FLOAT(R1, R2, R3)                                                                            \
    KERNELS_ANY(R1, R2, R3)                                                                                  \
    KERNELS_FLOAT1(R1)                                                                                       \
    R2(leaky_relu, T, T, T)                                                                                  \
    R2(elu, T, T, T)                                                                                         \
    R3(selu, T, T, T, T)                                                                                     \
    R2(celu, T, T, T)                                                                                        \
    R2(thresholded_relu, T, T, T)                                                                            \
    R3(hard_sigmoid, T, T, T, T)                                                                             \
    R3(shrink, T, T, T, T)                                                                                   \
    R3(is_inf, uint8_t, T, T, T)                                                                             \
    R2(add, T, T, T)                                                                                         \
    R2(sub, T, T, T)                                                                                         \
    R2(mul, T, T, T)                                                                                         \
    R2(div, T, T, T)                                                                                         \
    R2(pow, T, T, T)                                                                                         \
    R2(rem, T, T, T)                                                                                         \
    R2(prelu, T, T, T)                                                                                       \
    R2(min, T, T, T)                                                                                         \
    R2(max, T, T, T)

#define KERNELS KERNELS_FLOAT
#define T float
#define TS f32
#define TF f
#include "elementwise.h"
#include "elementwise_float.h"
#include "convert.h"
#include "convert_float.h"
#include "ops/scalar_rows.h"

#define T double
#define TS f64
#define TF
#include "elementwise.h"
#include "elementwise_float.h"
#include "convert.h"
#include "convert_float.h"
#include "ops/scalar_rows.h"
#undef KERNELS

#define KERNELS KERNELS_BOOL
#define T uint8_t
#define TS b8
#include "elementwise.h"
#include "elementwise_bool.h"
#include "convert.h"
#include "ops/scalar_rows.h"
#undef KERNELS

#define KERNELS KERNELS_SIGNED
#define T int8_t
#define TS i8
#include "elementwise.h"
#include "elementwise_int.h"
#include "elementwise_signed.h"
#include "convert.h"
#include "ops/scalar_rows.h"

#define T int16_t
#define TS i16
#include "elementwise.h"
#include "elementwise_int.h"
#include "elementwise_signed.h"
#include "convert.h"
#include "ops/scalar_rows.h"

#define T int32_t
#define TS i32
#include "elementwise.h"
#include "elementwise_int.h"
#include "elementwise_signed.h"
#include "convert.h"
#include "ops/scalar_rows.h"

#define T int64_t
#define TS i64
#include "elementwise.h"
#include "elementwise_int.h"
#include "elementwise_signed.h"
#include "convert.h"
#include "ops/scalar_rows.h"
#undef KERNELS

#define KERNELS KERNELS_UNSIGNED
#define T uint8_t
#define TS u8
#include "elementwise.h"
#include "elementwise_int.h"
#include "elementwise_unsigned.h"
#include "convert.h"
#include "ops/scalar_rows.h"

#define T uint16_t
#define TS u16
#include "elementwise.h"
#include "elementwise_int.h"
#include "elementwise_unsigned.h"
#include "convert.h"
#include "ops/scalar_rows.h"

#define T uint32_t
#define TS u32
#include "elementwise.h"
#include "elementwise_int.h"
#include "elementwise_unsigned.h"
#include "convert.h"
#include "ops/scalar_rows.h"

#define T uint64_t
#define TS u64
#include "elementwise.h"
#include "elementwise_int.h"
#include "elementwise_unsigned.h"
#include "convert.h"
#include "ops/scalar_rows.h"
#undef KERNELS

static const ScalarEntry *entries_of(DType d)
{
    switch (d) {
    case DT_F32: return tn_scalar_entries_f32;
    case DT_F64: return tn_scalar_entries_f64;
    case DT_I8: return tn_scalar_entries_i8;
    case DT_I16: return tn_scalar_entries_i16;
    case DT_I32: return tn_scalar_entries_i32;
    case DT_I64: return tn_scalar_entries_i64;
    case DT_U8: return tn_scalar_entries_u8;
    case DT_U16: return tn_scalar_entries_u16;
    case DT_U32: return tn_scalar_entries_u32;
    case DT_U64: return tn_scalar_entries_u64;
    case DT_BOOL: return tn_scalar_entries_b8;
    case DT_F16:
    case DT_NONE: break;
    }
    bug("scalar kernels of %s", dtype_name(d));
}

ScalarRow scalar_row(const char *kernel, DType d)
{
    for (const ScalarEntry *s = entries_of(d); s->kernel; s++)
        if (!strcmp(s->kernel, kernel))
            return s->row;
    bug("no scalar kernel %s of %s", kernel, dtype_name(d));
}
