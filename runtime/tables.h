/* tables.h - layers from tables of ternary weights: gap lists and packed words, which are fast, Rice codes and packed
 * bytes, which are small. compiler/layers/weight_tables.c makes the tables. */
#include "layer_dense.h"

/* The next number of a gap list: bytes of 255 add 255 and go on. */
TN_KERNEL int32_t tn_next_gap(const TN_ROM uint8_t **s)
{
    int32_t v = 0;
    while (**s == 255) {
        v += 255;
        (*s)++;
    }
    v += **s;
    (*s)++;
    return v;
}

/* Offsets of the weights of either sign, decoded once for all vectors of a strip. */
#define tn_listed 64

/* acc[i] += x[at[0][j] + i] for j < plus, acc[i] -= x[at[1][j] + i] for j < minus; i < n. */
TN_KERNEL void tn_add_listed_f32(float *acc, int32_t n, const float *x, int32_t at[2][tn_listed], int32_t plus,
                                 int32_t minus)
{
    int32_t i = 0;
    for (; i + 3 * TN_LANES < n; i += 4 * TN_LANES) {
        float *q = acc + i;
        tn_vec a = TN_LOAD(q), b = TN_LOAD(q + TN_LANES), c = TN_LOAD(q + 2 * TN_LANES), d = TN_LOAD(q + 3 * TN_LANES);
        for (int32_t j = 0; j < plus; j++) {
            const float *p = x + at[0][j] + i;
            a += TN_LOAD(p);
            b += TN_LOAD(p + TN_LANES);
            c += TN_LOAD(p + 2 * TN_LANES);
            d += TN_LOAD(p + 3 * TN_LANES);
        }
        for (int32_t j = 0; j < minus; j++) {
            const float *p = x + at[1][j] + i;
            a -= TN_LOAD(p);
            b -= TN_LOAD(p + TN_LANES);
            c -= TN_LOAD(p + 2 * TN_LANES);
            d -= TN_LOAD(p + 3 * TN_LANES);
        }
        TN_STORE(q, a);
        TN_STORE(q + TN_LANES, b);
        TN_STORE(q + 2 * TN_LANES, c);
        TN_STORE(q + 3 * TN_LANES, d);
    }
    for (; i < n; i += TN_LANES) {
        tn_vec a = TN_LOAD(acc + i);
        for (int32_t j = 0; j < plus; j++)
            a += TN_LOAD(x + at[0][j] + i);
        for (int32_t j = 0; j < minus; j++)
            a -= TN_LOAD(x + at[1][j] + i);
        TN_STORE(acc + i, a);
    }
}

/* One output channel of a convolution from gap lists: acc[i] = sum of +x[offset + i] and -x[offset + i] over its
 * non-zero weights, i < n. s: the count and gaps of its +1 weights, then of its -1 weights, in positions
 * input channel * taps + tap; offset = input channel * stride + koff[tap], where INT32_MIN marks a tap without part in
 * these outputs. Returns where the next channel's lists start. */
TN_KERNEL const TN_ROM uint8_t *tn_sparse_conv_f32(float *acc, int32_t n, const float *x, int32_t stride, int32_t taps,
                                                   const TN_ROM int32_t *koff, const TN_ROM uint8_t *s)
{
    int32_t at[2][tn_listed], listed[2] = {0, 0};
    memset(acc, 0, (size_t)(n + TN_LANES - 1) * sizeof *acc);
    for (int32_t sign = 0; sign < 2; sign++) {
        int32_t k = 0, channel = 0;
        for (int32_t count = tn_next_gap(&s); count > 0; count--) {
            k += tn_next_gap(&s);
            channel += k / taps * stride;
            k %= taps;
            if (koff[k] == INT32_MIN)
                continue;
            at[sign][listed[sign]++] = channel + koff[k];
            if (listed[sign] == tn_listed) {
                tn_add_listed_f32(acc, n, x, at, listed[0], listed[1]);
                listed[0] = listed[1] = 0;
            }
        }
    }
    tn_add_listed_f32(acc, n, x, at, listed[0], listed[1]);
    return s;
}

/* y[o] = sum of x at the +1 minus the sum of x at the -1 weights of output o < outputs; s as in tn_sparse_conv_f32. */
TN_KERNEL void tn_sparse_fc_f32(float *y, const float *x, int32_t inputs, int32_t outputs, const TN_ROM uint8_t *s)
{
    (void)inputs;
    for (int32_t o = 0; o < outputs; o++) {
        float sum[2] = {0, 0};
        for (int32_t sign = 0; sign < 2; sign++) {
            const float *p = x;
            for (int32_t count = tn_next_gap(&s); count > 0; count--) {
                p += tn_next_gap(&s);
                sum[sign] += *p;
            }
        }
        y[o] = sum[0] - sum[1];
    }
}

/* A reader of Rice codes. The weights that are not 0 of all outputs in turn, each by the count of zeros before it: `k`
 * low bits of the count come behind the others, which stand as that many ones and a zero; then the sign, 1 for -1. Bits
 * are read from the top; the table's first byte is k. A weight behind the last ends the table. */
typedef struct tn_codes {
    const TN_ROM uint8_t *s; /* the next byte */
    uint32_t bits;           /* read; the lowest `left` of them are not used yet */
    int32_t left, k;
    int32_t at, sign; /* the next weight that is not 0, counted from the output's first; 1: it is -1 */
} tn_codes;

TN_KERNEL uint32_t tn_read_bits(tn_codes *c, int32_t n)
{
    for (; c->left < n; c->left += 8)
        c->bits = c->bits << 8 | *c->s++;
    c->left -= n;
    return c->bits >> c->left & (((uint32_t)1 << n) - 1);
}

TN_KERNEL void tn_next_code(tn_codes *c)
{
    int32_t high = 0;
    while (tn_read_bits(c, 1))
        high++;
    int32_t low = (int32_t)tn_read_bits(c, c->k + 1);
    c->at += 1 + (high << c->k) + (low >> 1);
    c->sign = low & 1;
}

TN_KERNEL void tn_start_codes(tn_codes *c, const TN_ROM uint8_t *s)
{
    c->s = s + 1;
    c->bits = 0;
    c->left = 0;
    c->k = s[0];
    c->at = -1;
    tn_next_code(c);
}

/* y[o] = sum of +x[i] and -x[i] over the weights of output o < outputs. */
TN_KERNEL void tn_coded_fc_f32(float *y, const float *x, int32_t inputs, int32_t outputs, const TN_ROM uint8_t *s)
{
    tn_codes c;
    tn_start_codes(&c, s);
    for (int32_t o = 0; o < outputs; o++) {
        float sum = 0;
        for (; c.at < inputs; tn_next_code(&c))
            sum += c.sign ? -x[c.at] : x[c.at];
        y[o] = sum;
        c.at -= inputs;
    }
}

/* The shape of a convolution that is accumulated from its input where it lies: borders are cut off each tap's rows
 * instead of padded. */
typedef struct tn_shape {
    int32_t ih, iw, cols;  /* input rows and columns, output columns */
    int32_t weights, taps; /* of an output channel, of an input channel */
    int32_t kw, sh, sw, dh, dw, top, left;
} tn_shape;

/* What a weight of an output channel adds to its rows [row, row + rows), or subtracts; code: its position * 2, + 1 for
 * -1. acc[r][c] += x[channel][(row + r) * sh + ky * dh - top][c * sw + kx * dw - left], where x has such an element. */
TN_KERNEL void tn_add_tap_f32(float *acc, const float *x, const TN_ROM tn_shape *g, int32_t row, int32_t rows,
                              int32_t code)
{
    int32_t channel = (code >> 1) / g->taps, tap = (code >> 1) - channel * g->taps, ky = tap / g->kw, sw = g->sw;
    int32_t iy = row * g->sh + ky * g->dh - g->top, ix = (tap - ky * g->kw) * g->dw - g->left;
    int32_t first = ix < 0 ? (sw - 1 - ix) / sw : 0, last = ix < g->iw ? (g->iw - ix + sw - 1) / sw : 0;
    last = last < g->cols ? last : g->cols;
    x += channel * g->ih * g->iw;
    for (; rows > 0; rows--, iy += g->sh, acc += g->cols) {
        if (iy < 0 || iy >= g->ih)
            continue;
        const float *p = x + iy * g->iw + ix;
        int32_t c = first;
#if TN_LANES > 1 /* no branch on the sign: half of them would be guessed wrong */
        const tn_ivec sign = (tn_ivec){0} + (code & 1 ? INT32_MIN : 0);
        for (; sw == 1 && c + TN_LANES <= last; c += TN_LANES)
            TN_STORE(acc + c, TN_LOAD(acc + c) + (tn_vec)((tn_ivec)TN_LOAD(p + c) ^ sign));
        for (; c < last; c++)
            acc[c] += code & 1 ? -p[c * sw] : p[c * sw];
#else
        if (code & 1)
            for (; c < last; c++)
                acc[c] -= p[c * sw];
        else
            for (; c < last; c++)
                acc[c] += p[c * sw];
#endif
    }
}

/* Rows [row, row + rows) of one output channel of a convolution of Rice codes, acc [rows][cols]; x: the first input
 * channel of its group. Leaves c at the next output channel. */
TN_KERNEL void tn_coded_conv_f32(float *acc, const float *x, const TN_ROM tn_shape *g, int32_t row, int32_t rows,
                                 tn_codes *c)
{
    memset(acc, 0, (size_t)(rows * g->cols) * sizeof *acc);
    for (; c->at < g->weights; tn_next_code(c))
        tn_add_tap_f32(acc, x, g, row, rows, c->at * 2 + c->sign);
    c->at -= g->weights;
}

/* One output channel of a convolution from packed weights: five to a byte, base 3, digit = weight + 1, the byte
 * ceil(value * 256 / 243), so that the digits come out most significant first by multiplying by 3. The rest as in
 * tn_sparse_conv_f32; channels: of the input. Returns where the next channel's weights start. */
TN_KERNEL const TN_ROM uint8_t *tn_packed_conv_f32(float *acc, int32_t n, const float *x, int32_t stride,
                                                   int32_t channels, int32_t taps, const TN_ROM int32_t *koff,
                                                   const TN_ROM uint8_t *w)
{
    int32_t at[2][tn_listed], plus = 0, minus = 0, left = 0;
    uint32_t q = 0;
    at[0][0] = at[1][0] = 0; /* for compilers that do not see that one is read only when it was set */
    memset(acc, 0, (size_t)(n + TN_LANES - 1) * sizeof *acc);
    for (int32_t c = 0; c < channels; c++)
        for (int32_t k = 0; k < taps; k++) {
            if (left-- == 0) {
                q = *w++;
                left = 4;
            }
            q *= 3;
            if (koff[k] != INT32_MIN) { /* no branch on the weight: half of them would be guessed wrong */
                at[0][plus] = at[1][minus] = c * stride + koff[k];
                plus += q >> 8 == 2;
                minus += q < 256;
            }
            q &= 255;
            if (plus == tn_listed || minus == tn_listed) {
                tn_add_listed_f32(acc, n, x, at, plus, minus);
                plus = minus = 0;
            }
        }
    tn_add_listed_f32(acc, n, x, at, plus, minus);
    return w;
}

/* The same of packed bytes, in the code of tn_packed_conv_f32. Returns where the next channel's weights start. */
TN_KERNEL const TN_ROM uint8_t *tn_packed_rows_f32(float *acc, const float *x, const TN_ROM tn_shape *g, int32_t row,
                                                   int32_t rows, const TN_ROM uint8_t *w)
{
    uint32_t q = 0;
    memset(acc, 0, (size_t)(rows * g->cols) * sizeof *acc);
    for (int32_t at = 0, left = 0; at < g->weights; at++, left--) {
        if (left == 0) {
            q = *w++;
            left = 5;
        }
        q *= 3;
        if (q >> 8 != 1)
            tn_add_tap_f32(acc, x, g, row, rows, at * 2 + (q < 256));
        q &= 255;
    }
    return w;
}

/* The sums of n inputs under all 3^n ternary weights: t[k] for the base-3 number k, digit = weight + 1, the first
 * input's digit the most significant. */
TN_KERNEL void tn_ternary_sums_f32(float *t, const float *x, int32_t n)
{
    int32_t count = 1;
    t[0] = 0.0f;
    for (int32_t j = 0; j < n; j++, count *= 3)
        for (int32_t i = count; i-- > 0;) {
            float sum = t[i];
            t[3 * i + 2] = sum + x[j];
            t[3 * i + 1] = sum;
            t[3 * i] = sum - x[j];
        }
}

/* y[o] = sum of +x[i] and -x[i] by packed bytes w [ceil(inputs / 5)][outputs]: a byte holds five inputs of one output
 * in the code of tn_packed_conv_f32. The sums of all combinations of three and of two inputs are made once for all, so
 * a byte costs two additions, without a branch. */
TN_KERNEL void tn_packed_bytes_f32(float *y, const float *x, int32_t inputs, int32_t outputs, const TN_ROM uint8_t *w)
{
    memset(y, 0, (size_t)outputs * sizeof *y);
    for (int32_t i = 0; i < inputs; i += 5, w += outputs) {
        float v[5] = {0, 0, 0, 0, 0}, three[27], two[9];
        for (int32_t j = 0; j < 5 && i + j < inputs; j++)
            v[j] = x[i + j];
        tn_ternary_sums_f32(three, v, 3);
        tn_ternary_sums_f32(two, v + 3, 2);
        for (int32_t o = 0; o < outputs; o++) {
            uint32_t q = w[o] * 27u;
            y[o] += three[q >> 8] + two[(q & 255u) * 9u >> 8];
        }
    }
}

/* Vector instructions that no operator of C stands for. */
#if defined(__GNUC__) && !defined(TN_NO_VECTORS) && defined(__AVX2__)
#include <immintrin.h>
#define tn_shuffles 1
#elif defined(__GNUC__) && !defined(TN_NO_VECTORS) && defined(__aarch64__)
#include <arm_neon.h>
#define tn_shuffles 1
#else
#define tn_shuffles 0
#endif

/* The sums of three inputs a, b, c under all ternary weights: t[m] for the balanced number m = 9 a + 3 b + c > 0 of the
 * weights' digits, t[16 + m] = -t[m] for the opposite ones. */
TN_KERNEL void tn_balanced_sums_f32(float *t, float a, float b, float c)
{
    t[0] = 0;
    t[1] = c;
    t[2] = b - c;
    t[3] = b;
    t[4] = b + c;
    t[9] = a;
    for (int32_t j = 1; j <= 4; j++) {
        t[9 - j] = a - t[j];
        t[9 + j] = a + t[j];
    }
    t[14] = t[15] = 0;
    for (int32_t m = 0; m < 16; m++)
        t[16 + m] = -t[m];
}

/* y[o] += the sums that the six codes of w[o] pick from t, o < outputs. As many outputs as vectors take; returns how
 * many. */
#if tn_shuffles && defined(__AVX512F__)
TN_KERNEL int32_t tn_pick_sums_f32(float *y, float t[6][32], int32_t outputs, const TN_ROM uint32_t *w)
{
    int32_t o = 0;
    __m512 lo[6], hi[6];
    for (int32_t j = 0; j < 6; j++) {
        lo[j] = _mm512_loadu_ps(t[j]);
        hi[j] = _mm512_loadu_ps(t[j] + 16);
    }
    for (; o + 16 <= outputs; o += 16) {
        __m512i q = _mm512_loadu_si512(w + o);
        __m512 a = _mm512_permutex2var_ps(lo[0], q, hi[0]);
        __m512 b = _mm512_permutex2var_ps(lo[1], _mm512_srli_epi32(q, 5), hi[1]);
        __m512 c = _mm512_permutex2var_ps(lo[2], _mm512_srli_epi32(q, 10), hi[2]);
        a = _mm512_add_ps(a, _mm512_permutex2var_ps(lo[3], _mm512_srli_epi32(q, 15), hi[3]));
        b = _mm512_add_ps(b, _mm512_permutex2var_ps(lo[4], _mm512_srli_epi32(q, 20), hi[4]));
        c = _mm512_add_ps(c, _mm512_permutex2var_ps(lo[5], _mm512_srli_epi32(q, 25), hi[5]));
        a = _mm512_add_ps(_mm512_add_ps(a, b), _mm512_add_ps(c, _mm512_loadu_ps(y + o)));
        _mm512_storeu_ps(y + o, a);
    }
    return o;
}
#elif tn_shuffles && defined(__AVX2__)
/* A code shifted to the top has its sign in bit 31, and below it |m|, which the tables have there as well: so one xor
 * gives the sum its sign and takes |m| away. */
TN_KERNEL int32_t tn_pick_sums_f32(float *y, float t[6][32], int32_t outputs, const TN_ROM uint32_t *w)
{
    const __m256i low = _mm256_slli_epi32(_mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7), 27);
    const __m256i high = _mm256_xor_si256(low, _mm256_set1_epi32(8 << 27));
    __m256 lo[6], hi[6];
    int32_t o = 0;
    for (int32_t j = 0; j < 6; j++) {
        lo[j] = _mm256_xor_ps(_mm256_loadu_ps(t[j]), _mm256_castsi256_ps(low));
        hi[j] = _mm256_xor_ps(_mm256_loadu_ps(t[j] + 8), _mm256_castsi256_ps(high));
    }
    for (; o + 8 <= outputs; o += 8) {
        __m256i q = _mm256_loadu_si256((const __m256i *)(const void *)(w + o));
        __m256 sum = _mm256_loadu_ps(y + o);
        for (int32_t j = 0; j < 6; j++, q = _mm256_srli_epi32(q, 5)) {
            __m256 half = _mm256_castsi256_ps(_mm256_slli_epi32(q, 28));
            __m256 v = _mm256_blendv_ps(_mm256_permutevar8x32_ps(lo[j], q), _mm256_permutevar8x32_ps(hi[j], q), half);
            sum = _mm256_add_ps(sum, _mm256_xor_ps(v, _mm256_castsi256_ps(_mm256_slli_epi32(q, 27))));
        }
        _mm256_storeu_ps(y + o, sum);
    }
    return o;
}
#elif tn_shuffles
TN_KERNEL int32_t tn_pick_sums_f32(float *y, float t[6][32], int32_t outputs, const TN_ROM uint32_t *w)
{
    const uint32x4_t low = vdupq_n_u32(15), bytes = vdupq_n_u32(0x03020100), sign = vdupq_n_u32(0x80000000);
    int32_t o = 0;
    for (; o + 4 <= outputs; o += 4) {
        uint32x4_t q = vld1q_u32(w + o);
        float32x4_t sum = vld1q_f32(y + o);
        for (int32_t j = 0; j < 6; j++, q = vshrq_n_u32(q, 5)) {
            uint8x16x4_t table = vld1q_u8_x4((const uint8_t *)(const void *)t[j]);
            uint32x4_t at = vmlaq_n_u32(bytes, vandq_u32(q, low), 0x04040404);
            uint32x4_t v = vreinterpretq_u32_u8(vqtbl4q_u8(table, vreinterpretq_u8_u32(at)));
            v = veorq_u32(v, vandq_u32(vshlq_n_u32(q, 27), sign));
            sum = vaddq_f32(sum, vreinterpretq_f32_u32(v));
        }
        vst1q_f32(y + o, sum);
    }
    return o;
}
#else
TN_KERNEL int32_t tn_pick_sums_f32(float *y, float t[6][32], int32_t outputs, const TN_ROM uint32_t *w)
{
    (void)y, (void)t, (void)outputs, (void)w;
    return 0;
}
#endif

/* y[o] = sum of +x[i] and -x[i] by packed words w [ceil(inputs / 18)][outputs]: a word holds 18 inputs of one output as
 * six codes of five bits from the lowest on, each three inputs as |m| and, in bit 4, the sign of m; m as in
 * tn_balanced_sums_f32. So three weights cost one table look-up and one addition. */
TN_KERNEL void tn_packed_words_f32(float *y, const float *x, int32_t inputs, int32_t outputs, const TN_ROM uint32_t *w)
{
    float t[6][32];
    memset(y, 0, (size_t)outputs * sizeof *y);
    for (int32_t i = 0; i < inputs; i += 18, w += outputs) {
        for (int32_t j = 0; j < 6; j++) {
            int32_t k = i + 3 * j;
            tn_balanced_sums_f32(t[j], k < inputs ? x[k] : 0, k + 1 < inputs ? x[k + 1] : 0,
                                 k + 2 < inputs ? x[k + 2] : 0);
        }
        for (int32_t o = tn_pick_sums_f32(y, t, outputs, w); o < outputs; o++) {
            uint32_t q = w[o];
            y[o] += t[0][q & 31] + t[1][q >> 5 & 31] + t[2][q >> 10 & 31] + t[3][q >> 15 & 31] + t[4][q >> 20 & 31] +
                    t[5][q >> 25 & 31];
        }
    }
}
