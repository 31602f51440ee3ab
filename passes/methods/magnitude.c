/* magnitude.c - the quantile of magnitudes, by selection on their bits. */
#include "passes/methods/methods.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static uint32_t magnitude_bits(float v)
{
    uint32_t u;
    memcpy(&u, &v, sizeof u);
    return u & 0x7fffffffu;
}

/* The magnitude with rank k (0: the smallest) among n, by counting. */
static float select_magnitude(const float *w, int64_t n, int64_t k)
{
    enum { BINS = 1 << 16 };
    int64_t *count = calloc(BINS, sizeof *count);
    if (!count)
        fail("out of memory while training");
    for (int64_t i = 0; i < n; i++)
        count[magnitude_bits(w[i]) >> 16]++;
    uint32_t high = 0;
    while (k >= count[high])
        k -= count[high++];
    memset(count, 0, BINS * sizeof *count);
    for (int64_t i = 0; i < n; i++)
        if (magnitude_bits(w[i]) >> 16 == high)
            count[magnitude_bits(w[i]) & 0xffff]++;
    uint32_t low = 0;
    while (k >= count[low])
        k -= count[low++];
    free(count);
    uint32_t bits = high << 16 | low;
    float v;
    memcpy(&v, &bits, sizeof v);
    return v;
}

float magnitude_quantile(const float *w, int64_t n, double s)
{
    int64_t zeros = llround(s * (double)n);
    if (zeros > n - 1)
        zeros = n - 1;
    return zeros < 1 ? -1 : select_magnitude(w, n, zeros - 1);
}
