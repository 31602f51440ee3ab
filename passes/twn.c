/* twn.c - one channel or layer of weights to codes and a scale, as pure functions.
 *
 * Minimise J = sum (w - a t)^2 over a >= 0 and t in {-1, 0, +1}. With I = { i : |w_i| > D } the best scale is
 * the mean of |w| over I, and J = sum w^2 - (sum over I of |w|)^2 / |I|. The threshold is strict: a weight at
 * D becomes 0. Sums run in double, the scale is rounded to float32 once.
 *
 * Sources: Li et al., "Ternary Weight Networks", arXiv 1605.04711 (objective, scale, relative threshold); the
 * exact threshold by sorting is derived from its objective; the quantile is how Faraone et al., arXiv
 * 1709.06262, prune to a given sparsity (derived from its abstract). */
#include "passes/passes.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Codes for the threshold; returns the scale, 0 when nothing is above it. */
static float apply_threshold(const float *w, int64_t n, double d, int8_t *codes)
{
    double sum = 0;
    int64_t count = 0;
    for (int64_t i = 0; i < n; i++) {
        double v = (double)w[i];
        codes[i] = (int8_t)((v > d) - (v < -d));
        sum += codes[i] ? fabs(v) : 0;
        count += codes[i] != 0;
    }
    return count ? (float)(sum / (double)count) : 0.0f;
}

enum { DIGIT_BITS = 8, DIGITS = 1 << DIGIT_BITS };

/* Floats without a sign are ordered as their bits are. The largest digit is 0. */
static unsigned digit_of(float magnitude, int shift)
{
    uint32_t bits;
    memcpy(&bits, &magnitude, sizeof bits);
    return DIGITS - 1 - (bits >> shift & (DIGITS - 1));
}

/* A step of a radix sort, which takes a fraction of qsort's time: numbers of one digit stay in order. */
static void sort_by_digit(const float *from, float *to, int64_t n, int shift)
{
    int64_t place[DIGITS + 1] = {0};
    for (int64_t i = 0; i < n; i++)
        place[digit_of(from[i], shift) + 1]++;
    for (int d = 1; d < DIGITS; d++)
        place[d] += place[d - 1];
    for (int64_t i = 0; i < n; i++)
        to[place[digit_of(from[i], shift)]++] = from[i];
}

/* Descending. Not of the arena, because the caller works on many channels. */
static float *sorted_magnitudes(const float *w, int64_t n)
{
    float *m = calloc(n ? 2 * (size_t)n : 1, sizeof *m);
    if (!m)
        fail("out of memory: %zu weights to sort", (size_t)n);
    float *other = m + n;
    for (int64_t i = 0; i < n; i++)
        m[i] = fabsf(w[i]);
    for (int shift = 0; shift < 32; shift += 2 * DIGIT_BITS) {
        sort_by_digit(m, other, n, shift);
        sort_by_digit(other, m, n, shift + DIGIT_BITS);
    }
    return m;
}

/* The optimum lies between two different magnitudes; of equal optima the one with more zeros is taken. */
float twn_exact(const float *w, int64_t n, int8_t *codes)
{
    float *m = sorted_magnitudes(w, n);
    double sum = 0, best = 0, threshold = INFINITY;
    for (int64_t k = 1; k <= n && m[k - 1] > 0; k++) {
        sum += (double)m[k - 1];
        double next = k < n ? (double)m[k] : 0, gain = sum * sum / (double)k;
        if (next < (double)m[k - 1] && gain > best) {
            best = gain;
            threshold = next;
        }
    }
    free(m);
    return apply_threshold(w, n, threshold, codes);
}

float twn_relative(const float *w, int64_t n, float factor, int8_t *codes)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += fabs((double)w[i]);
    return apply_threshold(w, n, n ? (double)factor * sum / (double)n : 0, codes);
}

/* Weights equal to the first one that goes become 0 with it; but when all that were to stay are equal to it,
 * they stay, so that ties cannot empty a layer. */
float twn_quantile(const float *w, int64_t n, float sparsity, int8_t *codes)
{
    int64_t keep = llround((1.0 - (double)sparsity) * (double)n);
    if (keep <= 0)
        return apply_threshold(w, n, INFINITY, codes);
    if (keep >= n)
        return apply_threshold(w, n, 0, codes);
    float *m = sorted_magnitudes(w, n);
    double threshold = (double)m[keep];
    if (m[keep] == m[0])
        threshold = (double)nextafterf(m[keep], 0);
    free(m);
    return apply_threshold(w, n, threshold, codes);
}
