/* normal.h - random numbers between 0 and 1, and normal ones, the same on every machine; each file has its
 * own. */
#ifndef TERNC_TESTS_NORMAL_H
#define TERNC_TESTS_NORMAL_H

#include <math.h>
#include <stdint.h>

static uint64_t random_state = 1;

static double uniform(void)
{
    random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return ((double)(random_state >> 11) + 0.5) / 9007199254740992.0;
}

static double normal(void)
{
    return sqrt(-2 * log(uniform())) * cos(6.283185307179586 * uniform());
}

#endif
