/* pick.h - random numbers for tests, the same in every run: the upper bits of a linear congruential generator. */
#ifndef TERNC_TESTS_PICK_H
#define TERNC_TESTS_PICK_H

#include <stdint.h>

static uint64_t pick_state = 1;

static inline int64_t pick(int64_t low, int64_t high)
{
    pick_state = pick_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    uint64_t count = (uint64_t)(high - low + 1);
    return count ? low + (int64_t)((pick_state >> 33) % count) : low;
}

#endif
