/* target.c - what lowering and emission know of machines, and the table of the machines that --target names.
 *
 * Measured with clang 14 on layer B of docs/measurements.md (32 -> 64 channels, 5x5, 12x12 -> 8x8, density
 * 0.5): the block and the number of taps among which sums are shared that give the smallest and, on PCs, the
 * fastest code; bytes per term with them. A target with software floating point calls a function for each
 * add; shared pairs save it time, but more bytes in saved registers than they are worth, so its bytes are
 * those without. Times are in costs.def. */
#include "layers/layers.h"

#define COSTS(name, ...) static const Costs name##_costs = {__VA_ARGS__};
#define CODE_COSTS(name, ...) static const CodeCosts name##_code_costs = {__VA_ARGS__};
#define CODE_BYTES(name, ...) static const CodeBytes name##_code_bytes = {__VA_ARGS__};
#include "layers/costs.def"

#define ON_M0 "instructions of a Cortex-M0"
#define ON_M3 "instructions of a Cortex-M0, in layers of codes of a Cortex-M4"
#define ON_M4 "instructions of a Cortex-M4"
#define ON_RV32IMAC "instructions of an RV32IMAC"
#define ON_RV32IMAFC "instructions of an RV32IMAFC, in layers of codes of an RV32IMAC"
#define ON_V4 "us on a Zen 5 core with AVX-512"
#define ON_V3 "us on a Zen 3 core with AVX2"
#define ON_V1 "us on a Zen 3 core with SSE2"

enum { M0, M3, M4, RV32IMAC, RV32IMAFC, AARCH64, AVR, V4, V3, V1 };
static const Core cores[] = {
    [M0] = {"cortex-m0", .conv_bytes = {5.7, 11.4, 11.6}, .fc_bytes = {6.0, 6.4, 2.6}, .conv_code = 1190,
            .conv = {16, 16}, .words = {32, 4}, .reach = 31, .fc = {16, 8}, .costs = &cortex_m0_costs,
            .code_costs = &cortex_m0_code_costs, .code_bytes = &cortex_m0_code_bytes, .unit = ON_M0,
            .lanes = 1, .instructions = true, .soft_float = true, .crops = true},
    [M3] = {"cortex-m3", .conv_bytes = {10.1, 2.8, 13.2}, .fc_bytes = {10.2, 1.7, 8.0}, .conv_code = 1190,
            .conv = {16, 16}, .words = {8, 8}, .reach = 1023, .fc = {16, 8}, .costs = &cortex_m0_costs,
            .code_costs = &cortex_m4_code_costs, .code_bytes = &cortex_m4_code_bytes, .unit = ON_M3,
            .lanes = 1, .instructions = true, .soft_float = true},
    [M4] = {"cortex-m4", .conv_bytes = {3.6, 7.7, 12.8}, .fc_bytes = {3.6, 4.1, 9.5}, .conv_code = 1120,
            .conv = {16, 16}, .words = {8, 8}, .reach = 1023, .fc = {16, 8}, .costs = &cortex_m4_costs,
            .code_costs = &cortex_m4_code_costs, .code_bytes = &cortex_m4_code_bytes, .unit = ON_M4,
            .lanes = 1, .instructions = true},
    [RV32IMAC] = {"rv32imac", .conv_bytes = {13.8, 3.8, 15.2}, .fc_bytes = {14.1, 1.8, 10.3},
                  .conv_code = 590, .conv = {16, 16}, .words = {16, 8}, .reach = 511, .fc = {16, 8},
                  .costs = &rv32imac_costs, .code_costs = &rv32imac_code_costs,
                  .code_bytes = &cortex_m4_code_bytes, .unit = ON_RV32IMAC, .lanes = 1, .instructions = true,
                  .soft_float = true, .crops = true},
    [RV32IMAFC] = {"rv32imafc", .conv_bytes = {3.6, 6.0, 12.9}, .fc_bytes = {3.6, 4.0, 9.5}, .conv_code = 540,
                   .conv = {16, 16}, .words = {16, 8}, .reach = 511, .fc = {16, 8}, .costs = &rv32imafc_costs,
                   .code_costs = &rv32imac_code_costs, .code_bytes = &cortex_m4_code_bytes,
                   .unit = ON_RV32IMAFC, .lanes = 1, .instructions = true, .crops = true},
    [AARCH64] = {"aarch64", .conv_bytes = {3.6, 6.1, 13.9}, .fc_bytes = {3.5, 3.8, 9.4}, .conv_code = 1270,
                 .conv = {24, 16}, .fc = {16, 8}, .costs = &x86_64_costs, .unit = ON_V1, .lanes = 4},
    [AVR] = {"avr", .conv_bytes = {34.2, 32.2, 47.3}, .fc_bytes = {39.5, 15.5, 0}, .conv_code = 580,
             .conv = {8, 1}, .fc = {8, 1}, .costs = &cortex_m0_costs, .unit = ON_M0, .lanes = 1,
             .instructions = true, .soft_float = true, .small_tables = true},
    [V4] = {"x86-64-v4", .conv_bytes = {7.0, 4.1, 16.2}, .fc_bytes = {4.9, 3.9, 8.1}, .conv_code = 2120,
            .conv = {24, 16}, .sparse_sums = 28, .fc = {12, 4}, .costs = &x86_64_v4_costs, .unit = ON_V4,
            .lanes = 16, .mixed = true},
    [V3] = {"x86-64-v3", .conv_bytes = {6.8, 2.4, 22.5}, .fc_bytes = {4.7, 3.9, 8.0}, .conv_code = 2620,
            .conv = {14, 16}, .fc = {12, 4}, .costs = &x86_64_v3_costs, .unit = ON_V3, .lanes = 8,
            .mixed = true},
    [V1] = {"x86-64", .conv_bytes = {5.8, 5.1, 14.7}, .fc_bytes = {5.5, 4.4, 8.3}, .conv_code = 2200,
            .conv = {16, 16}, .fc = {12, 4}, .costs = &x86_64_costs, .unit = ON_V1, .lanes = 4,
            .mixed = true},
};

const Target target_table[] = {
#include "layers/targets.def"
};
const int num_targets = sizeof target_table / sizeof target_table[0];

const char *host_target(void)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512vl"))
        return "x86-64-v4";
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? "x86-64-v3" : "x86-64";
#elif defined(__aarch64__)
    return "aarch64";
#else
    return "generic";
#endif
}
