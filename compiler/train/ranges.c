/* ranges.c - the range of values, for codes of them.
 *
 * minmax takes all that was seen. percentile leaves the outermost 0.01 % of the values outside. mse takes,
 * among limits between a fifth and all of the range, those with which rounding to 255 steps and clamping lose
 * least in the sum of squares. Histograms have BINS between the extremes that were found first. */
#include "train/ranges.h"
#include "ops/ops.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BINS = 2048, STEPS = 255, LIMITS = 64 };

const char *calibration_name(CalibrationRule rule)
{
    const char *word = CALIBRATION_WORDS;
    for (int i = 0; i < (int)rule; i++)
        word = strchr(word, '|') + 1;
    return mem_printf("%.*s", (int)strcspn(word, "|"), word);
}

Histogram histogram_new(void)
{
    return (Histogram){.bins = NEW_ARRAY(int64_t, BINS), .finite = true};
}

void see_range(Histogram *h, const float *v, int64_t n)
{
    float low = (float)h->low, high = (float)h->high;
    for (int64_t i = 0; i < n; i++) {
        h->finite &= isfinite(v[i]) != 0;
        low = v[i] < low ? v[i] : low;
        high = v[i] > high ? v[i] : high;
    }
    h->low = (double)low;
    h->high = (double)high;
}

void count_values(Histogram *h, const float *v, int64_t n)
{
    double bins = BINS / (h->high - h->low);
    for (int64_t i = 0; i < n && isfinite(bins) && h->finite; i++) {
        int64_t bin = (int64_t)(((double)v[i] - h->low) * bins);
        h->bins[clamp(bin, 0, BINS - 1)]++;
    }
}

/* ---- limits ---- */

/* What clamping to [low, high] and rounding to STEPS there lose. */
static double squared_loss(const Histogram *h, double low, double high)
{
    double width = (h->high - h->low) / BINS, step = (high - low) / STEPS, loss = 0;
    for (int i = 0; i < BINS; i++) {
        double v = h->low + (i + 0.5) * width, out = v < low ? low - v : v > high ? v - high : 0;
        loss += (double)h->bins[i] * (out > 0 ? out * out : step * step / 12);
    }
    return loss;
}

static Range least_squares(const Histogram *h)
{
    Range best = {(float)h->low, (float)h->high, true};
    double least = INFINITY;
    for (int i = LIMITS / 5; i <= LIMITS; i++) {
        double low = h->low * i / LIMITS, high = h->high * i / LIMITS, loss = squared_loss(h, low, high);
        if (loss <= least) {
            least = loss;
            best = (Range){(float)low, (float)high, true};
        }
    }
    return best;
}

static Range percentile(const Histogram *h)
{
    const double outside = 1e-4;
    int64_t count = 0, below = 0, above = 0;
    for (int i = 0; i < BINS; i++)
        count += h->bins[i];
    int64_t most = (int64_t)(outside * (double)count / 2);
    int first = 0, last = BINS - 1;
    while (first < last && below + h->bins[first] <= most)
        below += h->bins[first++];
    while (last > first && above + h->bins[last] <= most)
        above += h->bins[last--];
    double width = (h->high - h->low) / BINS;
    return (Range){(float)(h->low + first * width), (float)(h->low + (last + 1) * width), true};
}

Range choose_range(const Histogram *h, CalibrationRule rule)
{
    if (!h->finite)
        return (Range){-INFINITY, INFINITY, true};
    switch (rule) {
    case CALIBRATE_PERCENTILE: return percentile(h);
    case CALIBRATE_MSE: return least_squares(h);
    case CALIBRATE_MINMAX: break;
    }
    return (Range){(float)h->low, (float)h->high, true};
}

Range range_of_values(const float *v, int64_t n, CalibrationRule rule)
{
    void *mark = mem_mark();
    Histogram h = histogram_new();
    see_range(&h, v, n);
    if (rule != CALIBRATE_MINMAX)
        count_values(&h, v, n);
    Range r = choose_range(&h, rule);
    mem_release(mark);
    return r;
}
