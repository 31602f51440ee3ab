/* start.c - from reset to main, and the part of <string.h> that compilers call. ARM Cortex-M and RISC-V. */
#include "semihosting.h"

#include <string.h>

int main(void);
extern unsigned char stack_top[], data_start[], data_end[], data_load[], bss_start[], bss_end[];

/* Words, which may be of any type, while both sides are aligned. The barriers keep the compiler from making
 * these loops calls of themselves. */
typedef uint32_t __attribute__((may_alias)) Word;

void *memcpy(void *restrict to, const void *restrict from, size_t n)
{
    unsigned char *a = to;
    const unsigned char *b = from;
    for (; n >= 4 && !(((uintptr_t)a | (uintptr_t)b) & 3); n -= 4, a += 4, b += 4) {
        *(Word *)(void *)a = *(const Word *)(const void *)b;
        __asm__ volatile("" ::: "memory");
    }
    while (n--) {
        *a++ = *b++;
        __asm__ volatile("" ::: "memory");
    }
    return to;
}

void *memset(void *to, int value, size_t n)
{
    unsigned char *a = to;
    for (; n >= 4 && !((uintptr_t)a & 3); n -= 4, a += 4) {
        *(Word *)(void *)a = (unsigned char)value * 0x01010101u;
        __asm__ volatile("" ::: "memory");
    }
    while (n--) {
        *a++ = (unsigned char)value;
        __asm__ volatile("" ::: "memory");
    }
    return to;
}

static _Noreturn void run(void)
{
    memcpy(data_start, data_load, (size_t)(data_end - data_start));
    memset(bss_start, 0, (size_t)(bss_end - bss_start));
    semi_exit(main());
}

#if defined(__arm__)
void *__aeabi_memcpy(void *to, const void *from, size_t n) __attribute__((alias("memcpy")));
void *__aeabi_memcpy4(void *to, const void *from, size_t n) __attribute__((alias("memcpy")));

void __aeabi_memclr(void *to, size_t n)
{
    memset(to, 0, n);
}

void __aeabi_memclr4(void *to, size_t n) __attribute__((alias("__aeabi_memclr")));

_Noreturn void reset(void);
_Noreturn void reset(void)
{
#if defined(__ARM_FP)
    *(volatile uint32_t *)0xE000ED88 |= 0xFu << 20; /* CPACR: the float unit is on */
    __asm__ volatile("dsb\n\tisb" ::: "memory");
#endif
    run();
}

static _Noreturn void fault(void)
{
    semi_print("fault\n");
    semi_exit(99);
}

typedef union Vector {
    void *stack;
    void (*handler)(void);
} Vector;

__attribute__((section(".start"), used)) static const Vector vectors[16] = {
    {.stack = stack_top}, {.handler = reset}, {.handler = fault}, {.handler = fault},
    {.handler = fault},   {.handler = fault}, {.handler = fault},
};
#else
__attribute__((naked, section(".start"), used)) void start(void);
void start(void)
{
    __asm__ volatile(".option push\n\t.option norelax\n\tla sp, stack_top\n\t.option pop\n\t"
#if defined(__riscv_flen)
                     "li t0, 0x2000\n\tcsrs mstatus, t0\n\t" /* the float unit is on */
#endif
                     "tail %0" ::"i"(run));
}
#endif
