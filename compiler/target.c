/* target.c - what lowering and emission know of the machines that --target names.
 *
 * Measured with clang 14 on layer B of docs/internals.md (32 -> 64 channels, 5x5, 12x12 -> 8x8, density 0.5): the block
 * and window that give the smallest and, on PCs, the fastest code; bytes per term with them. A target with software
 * floating point calls a function for each add, and in convolutions shared pairs cost it more in saved registers than
 * they save. A fully connected layer of 1024x1024 weights took 0.14 ns per unrolled term, 0.8 ns per listed one,
 * and per packed weight 0.015 ns with AVX-512, 0.03 with AVX2, 0.08 to 0.13 in plain C; microcontrollers executed
 * (tests/instructions.sh) 1.5, 11 and 1.8 instructions on a Cortex-M4, 67 to 72, 70 and 18 on a Cortex-M0. */
#include "emitter.h"

#include <string.h>

static const Target targets[] = {
    {"cortex-m0", .conv_bytes = 8.7, .fc_bytes = 6.2, .conv = {8, 1}, .fc = {16, 8}, .packed_per_term = 3.7,
     .packed_per_listed = 3.9, .soft_float = true},
    {"cortex-m3", .conv_bytes = 8.7, .fc_bytes = 6.2, .conv = {8, 1}, .fc = {16, 8}, .packed_per_term = 3.7,
     .packed_per_listed = 3.9, .soft_float = true},
    {"cortex-m", .conv_bytes = 5.3, .fc_bytes = 3.6, .conv = {8, 8}, .fc = {16, 8}, .packed_per_term = 0.9,
     .packed_per_listed = 6},
    {"rv32imac", .conv_bytes = 10.9, .fc_bytes = 8.0, .conv = {8, 1}, .fc = {16, 8}, .packed_per_term = 3.7,
     .packed_per_listed = 3.9, .soft_float = true},
    {"rv", .conv_bytes = 3.9, .fc_bytes = 3.6, .conv = {16, 4}, .fc = {16, 8}, .packed_per_term = 0.9,
     .packed_per_listed = 6},
    {"aarch64", .conv_bytes = 7.7, .fc_bytes = 5.0, .conv = {24, 8}, .fc = {16, 8}, .packed_per_term = 4,
     .packed_per_listed = 24},
    {"avr", .conv_bytes = 28, .fc_bytes = 28, .conv = {8, 1}, .fc = {8, 1}, .packed_per_term = 3.7,
     .packed_per_listed = 3.9, .soft_float = true, .small_tables = true},
    {"x86-64-v4", .conv_bytes = 5.6, .fc_bytes = 5.7, .conv = {24, 8}, .fc = {12, 4}, .packed_per_term = 9,
     .packed_per_listed = 50, .mixed = true},
    {"", .conv_bytes = 6.6, .fc_bytes = 5.7, .conv = {16, 8}, .fc = {12, 4}, .packed_per_term = 4,
     .packed_per_listed = 24, .mixed = true},
};

const Target *find_target(const char *name)
{
    const Target *t = targets;
    while (strncmp(name ? name : "", t->prefix, strlen(t->prefix)) != 0)
        t++;
    return t;
}

const char *host_target(void)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl"))
        return "x86-64-v4";
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? "x86-64-v3" : "x86-64";
#elif defined(__aarch64__)
    return "aarch64";
#else
    return "generic";
#endif
}
