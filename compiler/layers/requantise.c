/* requantise.c - quantised layers in whole numbers: the range of their sums, and the multiplications that
 * take sums to codes.
 *
 * A layer's real outputs are sum * scale + bias; as codes of step `step` around `zero` they are
 * round(sum * scale / step + bias / step) + zero. Here scale / step is a whole number by a power of two, the
 * largest with which the number fits 16 bits and all products 32. Halves round up. Where that is not exact
 * and would take an output, but one that is clamped, further than allowed_off from the exact one before it is
 * rounded, products take 64 bits, and the largest number has 31. For bytes that is enough where it is up to
 * 2^12 times as large as the smallest: a sum whose output is not clamped is below (256 + |offset|) /
 * smallest, each unit is off by 2^-31 of the largest, so outputs are off by 2^-10 codes, with offsets beyond
 * all codes, of up to 2^14, by 2^-5. Where every scale / step is a power of two (--scales pow2) nothing is
 * multiplied. Sums of codes of 16 bits always take 64. */
#include "layers/layers.h"

#include <float.h>
#include <math.h>

enum { FACTOR_BITS = 31, NARROW_BITS = 31, WIDE_BITS = 62, MAX_SHIFT = 30, MAX_WIDE_SHIFT = 56 };

/* In codes. Those of 16 bits are fine, and may be as far off only at the ends of their range. */
static double allowed_off(const Quantised *q)
{
    return q->out == DT_I16 ? 8 : 0.125;
}

int layer_weight(const Layer *l, int64_t i)
{
    return whole_weights(l)[i];
}

int64_t weight_sum(const Layer *l, int64_t channel)
{
    int64_t n = layer_weight_count(l) / l->co, sum = 0;
    for (int64_t i = channel * n; i < (channel + 1) * n; i++)
        sum += layer_weight(l, i);
    return sum;
}

SumRange sum_range(const Layer *l, int64_t channel)
{
    int64_t n = layer_weight_count(l) / l->co, low = code_low(l->quantised->in),
            high = code_high(l->quantised->in);
    SumRange r = {0, 0};
    for (int64_t i = channel * n; i < (channel + 1) * n; i++) {
        int64_t w = layer_weight(l, i);
        r.low += w * (w > 0 ? low : high);
        r.high += w * (w > 0 ? high : low);
    }
    return r;
}

/* Sums of a fused average are those of all its windows. */
static int64_t pooled_sums(const Layer *l)
{
    return l->pool.kind == POOL_AVERAGE ? l->pool.kh * l->pool.kw : 1;
}

void set_sum_range(const Layer *l, Quantised *q)
{
    q->sum_low = q->sum_high = 0;
    for (int64_t c = 0; c < l->co; c++) {
        SumRange r = sum_range(l, c);
        q->sum_low = r.low < q->sum_low ? r.low : q->sum_low;
        q->sum_high = r.high > q->sum_high ? r.high : q->sum_high;
    }
}

int sum_bits(const Quantised *q)
{
    int bits = 1;
    while (q->sum_high >= (int64_t)1 << (bits - 1) || q->sum_low < -((int64_t)1 << (bits - 1)))
        bits++;
    return bits;
}

/* The largest sum of a channel as it is multiplied, without its sign. */
static double most_sum(const Layer *l, int64_t channel)
{
    SumRange r = sum_range(l, channel);
    return (double)pooled_sums(l) * (double)(r.high > -r.low ? r.high : -r.low);
}

/* Whether sums times round(factor * 2^shift), and with the addend, stay below 2^bits. */
static bool fits_bits(const Layer *l, const double *factor, const double *offset, int shift, int bits)
{
    double limit = ldexp(1, bits);
    for (int64_t c = 0; c < l->co; c++) {
        double m = fabs(round(ldexp(factor[c], shift))), most = m * most_sum(l, c);
        double largest = bits == NARROW_BITS ? INT16_MAX : INT32_MAX;
        if (!(most < limit) || !(most + ldexp(fabs(offset[c]) + 0.5, shift) + 1 < limit) || !(m <= largest))
            return false;
    }
    return true;
}

/* How far an output that is not clamped may be off before it is rounded: half a unit of the factor for each
 * of the sum. The addend loses nothing where it is rounded down, as the product is whole. */
static double most_off(const Layer *l, const double *factor, const double *offset, int shift)
{
    double units = 0, codes = code_high(l->quantised->out) - code_low(l->quantised->out) + 1;
    for (int64_t c = 0; c < l->co; c++)
        if (factor[c] != 0) {
            double reach = (codes + fabs(offset[c])) / fabs(factor[c]);
            units = fmax(units, fmin(reach, most_sum(l, c)) / 2);
        }
    return ldexp(units, -shift);
}

/* Whether factors are whole numbers but for a last bit of float: they were made so (snap.c). */
static bool is_exact(const Layer *l, const double *factor, int shift)
{
    for (int64_t c = 0; c < l->co; c++) {
        double m = ldexp(factor[c], shift);
        if (fabs(m - round(m)) > (double)FLT_EPSILON * fabs(m))
            return false;
    }
    return true;
}

static double largest_factor(const Layer *l, const double *factor)
{
    double most = 0;
    for (int64_t c = 0; c < l->co; c++)
        most = fmax(most, fabs(factor[c]));
    return most;
}

static int largest_shift(const Layer *l, const double *factor, const double *offset, int most, int bits)
{
    int shift = most;
    while (shift >= 0 && !fits_bits(l, factor, offset, shift, bits))
        shift--;
    return shift;
}

/* factor is 2 to the power of -shift, but for the rounding of the scales that it comes from. */
static bool is_shift(double factor, int *shift)
{
    static const double NEAR = 1e-6;
    *shift = factor > 0 ? (int)lround(-log2(factor)) : -1;
    return *shift >= 0 && *shift <= MAX_SHIFT && fabs(factor * ldexp(1, *shift) - 1) < NEAR;
}

/* Where all factors are such powers a shift of each channel does, without multiplications. */
static bool requantise_by_shifts(const Layer *l, const double *factor, const double *offset, Quantised *q)
{
    int32_t *shifts = NEW_ARRAY(int32_t, l->co), *ones = NEW_ARRAY(int32_t, l->co);
    int64_t *b = NEW_ARRAY(int64_t, l->co);
    for (int64_t c = 0; c < l->co; c++) {
        int shift = 0;
        if (most_sum(l, c) > 0 && !is_shift(factor[c], &shift))
            return false;
        if (!(most_sum(l, c) + ldexp(fabs(offset[c]) + 0.5, shift) + 1 < ldexp(1, NARROW_BITS)))
            return false;
        shifts[c] = shift;
        ones[c] = 1;
        b[c] = (int64_t)floor(ldexp(offset[c] + 0.5, shift));
    }
    q->factor = ones;
    q->addend = b;
    q->shifts = shifts;
    q->shift = 0;
    q->wide = false;
    return true;
}

/* Codes of 16 bits whose products always take 64: those that are read, and that convolutions write. */
static bool has_words(const Layer *l, const Quantised *q)
{
    return q->in == DT_I16 || (q->out == DT_I16 && l->kind != LAYER_FC);
}

/* One shift for all channels, whatever the factors. */
bool requantise_by_products(const Layer *l, const double *factor, const double *offset, Quantised *q)
{
    double most = largest_factor(l, factor);
    q->shift = largest_shift(l, factor, offset, MAX_SHIFT, NARROW_BITS);
    bool exact = q->shift >= 0 && is_exact(l, factor, q->shift);
    q->wide = has_words(l, q) ||
              (!exact && (q->shift < 0 || most_off(l, factor, offset, q->shift) > allowed_off(q)));
    if (q->wide && most > 0) {
        int shift = FACTOR_BITS - 1 - ilogb(most);
        q->shift =
            largest_shift(l, factor, offset, shift < MAX_WIDE_SHIFT ? shift : MAX_WIDE_SHIFT, WIDE_BITS);
    }
    if (q->shift < 0)
        return false;
    int32_t *m = NEW_ARRAY(int32_t, l->co);
    int64_t *b = NEW_ARRAY(int64_t, l->co);
    for (int64_t c = 0; c < l->co; c++) {
        m[c] = (int32_t)round(ldexp(factor[c], q->shift));
        b[c] = (int64_t)floor(ldexp(offset[c] + 0.5, q->shift));
    }
    q->factor = m;
    q->addend = b;
    q->shifts = NULL;
    return true;
}

bool requantise(const Layer *l, const double *factor, const double *offset, Quantised *q)
{
    return (!has_words(l, q) && requantise_by_shifts(l, factor, offset, q)) ||
           requantise_by_products(l, factor, offset, q);
}

static int64_t whole_output(const Quantised *q, int64_t channel, int64_t sum)
{
    int shift = q->shifts ? q->shifts[channel] : q->shift;
    return (sum * q->factor[channel] + q->addend[channel]) >> shift;
}

int64_t quantised_output(const Quantised *q, int64_t channel, int64_t sum)
{
    int64_t v = whole_output(q, channel, sum);
    v = v < q->low ? q->low : v;
    return v > q->high ? q->high : v;
}

SumRange code_range(const Layer *l)
{
    const int64_t windows = pooled_sums(l);
    SumRange r = {INT64_MAX, INT64_MIN};
    for (int64_t c = 0; c < l->co; c++) {
        const SumRange s = sum_range(l, c);
        const int64_t a = whole_output(l->quantised, c, windows * s.low),
                      b = whole_output(l->quantised, c, windows * s.high);
        r.low = a < r.low ? a : r.low;
        r.low = b < r.low ? b : r.low;
        r.high = a > r.high ? a : r.high;
        r.high = b > r.high ? b : r.high;
    }
    return r;
}

bool crops_codes(const Layer *l, const Options *opt)
{
    enum { MOST_OUT = 2048 /* codes beyond the clamped ones, on either side */ };
    const Quantised *q = l->quantised;
    bool plain = layer_format(l)->pairs && layer_format(l)->load && !l->pool.kind;
    if (!plain || !find_core(opt->target)->crops || opt->optimize != OPTIMIZE_SPEED ||
        q->high - q->low != UINT8_MAX)
        return false;
    const SumRange r = code_range(l);
    return r.low >= q->low - MOST_OUT && r.high <= q->high + MOST_OUT &&
           r.high - r.low < l->co * l->oh * l->ow;
}
