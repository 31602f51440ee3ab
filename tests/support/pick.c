/* pick.c - random numbers for tests: the upper bits of a linear congruential generator. One test is one
 * process, so its state is this file's. */
#include "support/pick.h"

static uint64_t state = 1;

void pick_seed(uint64_t seed)
{
    state = seed * UINT64_C(0x9E3779B97F4A7C15) + 1;
}

int64_t pick(int64_t low, int64_t high)
{
    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    uint64_t count = (uint64_t)(high - low + 1);
    return count ? low + (int64_t)((state >> 33) % count) : low;
}
