/* random.c - splitmix64: numbers drawn by counter, so that nothing has to be saved to go on later, and the
 * same on every machine. Source: Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators",
 * OOPSLA 2014. */
#include "base/base.h"

static const uint64_t increment = 0x9e3779b97f4a7c15u;

uint64_t random_bits(uint64_t seed, uint64_t i)
{
    uint64_t z = seed + (i + 1) * increment;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

double random_unit(uint64_t seed, uint64_t i)
{
    return (double)(random_bits(seed, i) >> 11) * 0x1p-53;
}

uint64_t random_next(uint64_t *state)
{
    uint64_t bits = random_bits(*state, 0);
    *state += increment;
    return bits;
}
