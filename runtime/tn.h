/* tn.h - what runtime kernels are written with. Kernels are plain C, sizes as arguments; generated files carry those
 * that they use, with TN() and T replaced by the text of one type, and literal sizes at the call.
 *
 * A header with a typed kernel is included once per element type, with T the C type and TS its suffix defined:
 *     #define T float
 *     #define TS f32
 * A kernel is one paragraph: its comment, then its definition up to the "}" in the first column. */
#ifndef TN_H
#define TN_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Linkage of a kernel: generated code defines it by what it is optimised for. */
#define TN_KERNEL static inline
/* Address space of tables: empty, or the user's -DTN_ROM=__flash. */
#ifndef TN_ROM
#define TN_ROM
#endif
/* A kernel's name for the element type T: TN(copy) is tn_copy_f32 for float. */
#define TN_JOIN2(a, b) a##_##b
#define TN_JOIN(a, b) TN_JOIN2(a, b)
#define TN(name) TN_JOIN(tn_##name, TS)
/* The function of <math.h> for a floating T: TM(exp) is expf for float and exp for double. TF is the suffix of the
 * function, f or nothing, and defined beside T. */
#define TM(name) TN_JOIN3(name, TF)
#define TN_JOIN3(a, b) TN_JOIN4(a, b)
#define TN_JOIN4(a, b) a##b

#endif
