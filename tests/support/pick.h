/* pick.h - random numbers for tests, the same in every run. */
#ifndef TERNC_TESTS_PICK_H
#define TERNC_TESTS_PICK_H

#include <stdint.h>

int64_t pick(int64_t low, int64_t high); /* both included */
void pick_seed(uint64_t seed);           /* optional: other numbers */

#endif
