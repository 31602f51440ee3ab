/* semihosting.h - text and exit code through the debugger or emulator, on ARM Cortex-M and RISC-V. */
#ifndef SEMIHOSTING_H
#define SEMIHOSTING_H

#include <stdint.h>

enum { SEMI_WRITE0 = 0x04, SEMI_EXIT_EXTENDED = 0x20, SEMI_APPLICATION_EXIT = 0x20026 };

static inline intptr_t semi_call(intptr_t operation, const void *argument)
{
#if defined(__arm__)
    register intptr_t r0 __asm__("r0") = operation;
    register const void *r1 __asm__("r1") = argument;
    __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
#else
    /* The debugger knows the call by these three instructions, which must be uncompressed and on one page. */
    register intptr_t a0 __asm__("a0") = operation;
    register const void *a1 __asm__("a1") = argument;
    __asm__ volatile(".balign 16\n\t.option push\n\t.option norvc\n\t"
                     "slli x0, x0, 0x1f\n\tebreak\n\tsrai x0, x0, 7\n\t.option pop"
                     : "+r"(a0)
                     : "r"(a1)
                     : "memory");
    return a0;
#endif
}

static inline void semi_print(const char *text)
{
    semi_call(SEMI_WRITE0, text);
}

static inline _Noreturn void semi_exit(int code)
{
    const uintptr_t block[2] = {SEMI_APPLICATION_EXIT, (uintptr_t)code};
    semi_call(SEMI_EXIT_EXTENDED, block);
    for (;;)
        ;
}

#endif
