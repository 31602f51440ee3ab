/* size_targets.c - the machines that `ternc size` knows, as flags of clang, and those that its user describes. */
#include "layers/layers.h"
#include "size/size.h"

#include <string.h>

#define CORTEX(core, arch, abi) "--target=" arch " -mcpu=" core " " abi
#define SOFT "-mfloat-abi=soft"
#define HARD "-mfloat-abi=hard"

static const SizeTarget targets[] = {
    {"host", "", "generic", sizeof(void *), "this machine, as clang takes it without flags"},
    {"x86-64", "--target=x86_64-linux-gnu", "x86-64", 8, "any 64-bit PC"},
    {"x86-64-v3", "--target=x86_64-linux-gnu -march=x86-64-v3", "x86-64", 8, "PC with AVX2 and FMA"},
    {"x86-64-v4", "--target=x86_64-linux-gnu -march=x86-64-v4", "x86-64", 8, "PC with AVX-512"},
    {"i686", "--target=i686-linux-gnu", "generic", 4, "32-bit PC"},
    {"aarch64", "--target=aarch64-none-elf", "aarch64", 0, "64-bit ARM with NEON"},
    {"cortex-a7", CORTEX("cortex-a7", "armv7a-none-eabihf", HARD), "generic", 0, "ARMv7-A with NEON"},
    {"cortex-m0", CORTEX("cortex-m0", "thumbv6m-none-eabi", SOFT), "cortex-m0", 0, "ARMv6-M, software float"},
    {"cortex-m0plus", CORTEX("cortex-m0plus", "thumbv6m-none-eabi", SOFT), "cortex-m0", 0, "ARMv6-M, software float"},
    {"cortex-m3", CORTEX("cortex-m3", "thumbv7m-none-eabi", SOFT), "cortex-m3", 0, "ARMv7-M, software float"},
    {"cortex-m4", CORTEX("cortex-m4", "thumbv7em-none-eabihf", HARD), "cortex-m4", 0, "ARMv7E-M with float unit"},
    {"cortex-m7", CORTEX("cortex-m7", "thumbv7em-none-eabihf", HARD), "cortex-m7", 0, "ARMv7E-M with double unit"},
    {"cortex-m33", CORTEX("cortex-m33", "thumbv8m.main-none-eabihf", HARD), "cortex-m33", 0, "ARMv8-M with float unit"},
    {"cortex-m55", CORTEX("cortex-m55", "thumbv8.1m.main-none-eabihf", HARD), "cortex-m33", 0, "ARMv8.1-M with Helium"},
    {"rv32imac", "--target=riscv32-none-elf -march=rv32imac -mabi=ilp32", "rv32imac", 0, "RISC-V, software float"},
    {"rv32imafc", "--target=riscv32-none-elf -march=rv32imafc -mabi=ilp32f", "rv32imafc", 0, "RISC-V with float unit"},
    {"rv64gc", "--target=riscv64-none-elf -march=rv64gc -mabi=lp64d", "rv32imafc", 0, "RISC-V, 64 bits, double unit"},
    {"avr", "--target=avr -mmcu=atmega1284p", "avr", 2, "AVR (ATmega1284P); constants also take RAM"},
    {"avr-flash", "--target=avr -mmcu=atmega1284p -DTN_ROM=__flash", "avr", 2,
     "the same, tables stay in flash (TN_ROM)"},
    {"msp430", "--target=msp430-none-elf", "generic", 2, "MSP430, software float"},
    {"wasm32", "--target=wasm32-unknown-unknown", "generic", 0, "WebAssembly; totals only"},
};
enum { NUM_TARGETS = sizeof targets / sizeof targets[0] };

bool target_copies_constants(const SizeTarget *t)
{
    return strstr(t->flags, "--target=avr") != NULL;
}

void size_list_targets(FILE *f)
{
    Table *t = table_new("target\tclang flags\tpredicted as\tmachine");
    for (int i = 0; i < NUM_TARGETS; i++)
        table_row(t, "%s\t%s\t%s\t%s", targets[i].name, targets[i].flags[0] ? targets[i].flags : "(none)",
                  targets[i].cost, targets[i].about);
    table_print(t, f);
}

const SizeTarget *target_of_option(const char *name)
{
    for (int i = 0; name && i < NUM_TARGETS; i++)
        if (!strcmp(targets[i].name, name))
            return &targets[i];
    return &targets[0];
}

static SizeTarget *parse_custom(const char *text)
{
    const char *equals = strchr(text, '=');
    if (!equals || equals == text || !equals[1])
        usage("--custom-target NAME=FLAGS: '%s' is not of that form", text);
    SizeTarget *t = NEW(SizeTarget);
    *t = (SizeTarget){.name = mem_printf("%.*s", (int)(equals - text), text),
                      .flags = equals + 1,
                      .cost = "generic",
                      .about = "given by --custom-target"};
    return t;
}

static const SizeTarget *find_size_target(const char *name, const SizeTarget *const *custom, int num_custom)
{
    for (int i = 0; i < num_custom; i++)
        if (!strcmp(custom[i]->name, name))
            return custom[i];
    for (int i = 0; i < NUM_TARGETS; i++)
        if (!strcmp(targets[i].name, name))
            return &targets[i];
    usage("--targets: there is no target '%s'; 'ternc size --list-targets' lists them, --custom-target %s=FLAGS makes "
          "one of flags for clang",
          name, name);
}

static void check_repeats(const SizeTarget *const *list, int count)
{
    for (int i = 0; i < count; i++)
        for (int k = 0; k < i; k++)
            if (!strcmp(list[i]->name, list[k]->name))
                usage("--targets: '%s' is named twice", list[i]->name);
}

/* Custom targets count as named, whether --targets names them or not. */
const SizeTarget *const *size_targets(Strings names, Strings custom, int *count)
{
    const SizeTarget **made = NEW_ARRAY(const SizeTarget *, custom.count + 1);
    const SizeTarget **list = NEW_ARRAY(const SizeTarget *, names.count + custom.count + 1);
    int n = 0;
    for (int i = 0; i < custom.count; i++)
        made[i] = parse_custom(custom.items[i]);
    check_repeats(made, custom.count);
    for (int i = 0; i < names.count; i++)
        list[n++] = find_size_target(names.items[i], made, custom.count);
    check_repeats(list, n);
    for (int i = 0; i < custom.count; i++) {
        bool named = false;
        for (int k = 0; k < names.count; k++)
            named |= list[k] == made[i];
        if (!named)
            list[n++] = made[i];
    }
    if (!n)
        list[n++] = &targets[0];
    *count = n;
    return list;
}
