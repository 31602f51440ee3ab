/* no_memory.c - libraries that do not look whether they were given memory (oneDNN where it makes code, LLVM)
 * fall over when it is short. That is no fault of the program, and is said as what it is. */
#include "base/cleanup.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/mman.h>

static const int deaths[] = {SIGSEGV, SIGABRT};
enum { NUM_DEATHS = sizeof deaths / sizeof deaths[0], PROBE_BYTES = 64 << 20, STACK_BYTES = 1 << 16 };
static struct sigaction before[NUM_DEATHS]; /* process-wide on purpose, as handlers are */

static bool memory_is_out(void)
{
    void *p = mmap(NULL, PROBE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return p == MAP_FAILED || munmap(p, PROBE_BYTES);
}

/* Where there is memory it dies when this returns, as if there were no handler. */
static void on_death(int sig)
{
    if (memory_is_out())
        end_in_handler(
            (const char *const[]){"out of memory: a library cannot go on; ternc needs more, or fewer "
                                  "--threads, or a smaller --batch",
                                  NULL});
    for (int i = 0; i < NUM_DEATHS; i++)
        if (deaths[i] == sig)
            sigaction(sig, &before[i], NULL);
}

/* A stack of its own, for what has no memory cannot grow the other. */
void report_no_memory(void)
{
    static char memory[STACK_BYTES];
    const stack_t stack = {.ss_sp = memory, .ss_size = STACK_BYTES};
    const struct sigaction now = {.sa_handler = on_death, .sa_flags = SA_ONSTACK};
    sigaltstack(&stack, NULL);
    for (int i = 0; i < NUM_DEATHS; i++)
        sigaction(deaths[i], &now, &before[i]);
}
