/* layer_bytes.h - convolutions of codes by products of bytes. Inputs are staged as words of four codes, the least
 * significant byte first: of four channels, or of four columns of the kernel where there are few channels. Weights lie
 * in words of four as well, so a word of either gives four products of a sum. Exact whatever the machine has for it. */
#include "tables_codes.h"

/* tn_words: a word, or a sum of 32 bits, for each of TN_LANES positions. TN_DOT(a, x, w): a +=
 * the four products of what TN_TAKE makes of unsigned bytes and TN_WEIGHT of signed ones. TN_FLIPS: the codes, signed
 * or not, whose upper bit is flipped to make them bytes of the kind that TN_DOT takes; that moves them by TN_MOVED. */
#if TN_LANES > 1
typedef int32_t tn_words __attribute__((vector_size(4 * TN_LANES)));
typedef uint32_t tn_bits __attribute__((vector_size(4 * TN_LANES)));
typedef uint16_t tn_halves __attribute__((vector_size(4 * TN_LANES)));
typedef int32_t tn_words_at __attribute__((vector_size(4 * TN_LANES), aligned(4), may_alias));
#define TN_WORDS_AT(p) (*(tn_words_at *)(void *)(p))
#define TN_SPLAT(w) ((tn_words){0} + (int32_t)(w))
#if TN_LANES == 16 && defined(__AVX512VNNI__) && defined(__clang__)
#define TN_BYTES(a, x, w) a = __builtin_ia32_vpdpbusd512(a, x, w)
#elif TN_LANES == 16 && defined(__AVX512VNNI__)
#define TN_BYTES(a, x, w) a = (tn_words)__builtin_ia32_vpdpbusd_v16si(a, x, w)
#elif TN_LANES == 8 && defined(__AVXVNNI__) && defined(__clang__)
#define TN_BYTES(a, x, w) a = __builtin_ia32_vpdpbusd256(a, x, w)
#elif TN_LANES == 8 && defined(__AVXVNNI__)
#define TN_BYTES(a, x, w) a = (tn_words)__builtin_ia32_vpdpbusd_v8si(a, x, w)
#elif defined(__aarch64__) && defined(__ARM_FEATURE_DOTPROD)
#define TN_BYTES(a, x, w) __asm__("sdot %0.4s, %1.16b, %2.16b" : "+w"(a) : "w"(x), "w"(w))
#define TN_FLIPS(sign) !(sign)
#define TN_MOVED(sign) ((sign) ? 0 : -128)
#endif
#ifndef TN_FLIPS
#define TN_FLIPS(sign) (sign)
#define TN_MOVED(sign) ((sign) ? 128 : 0)
#endif
#ifdef TN_BYTES
typedef tn_words tn_taken, tn_weight;
#define TN_TAKE(v) (v)
#define TN_WEIGHT(w) TN_SPLAT(w)
#define TN_DOT(a, x, w) TN_BYTES(a, x, w)
#elif defined(__SSE2__) && TN_LANES_I16 == 2 * TN_LANES
typedef struct tn_taken {
    tn_vec_i16 even, odd;
} tn_taken, tn_weight;
#define TN_TAKE(v) ((tn_taken){(tn_vec_i16)((v)&0xFF00FF), (tn_vec_i16)((tn_halves)(v) >> 8)})
#define TN_WEIGHT(w) ((tn_weight){(tn_vec_i16)((tn_bits)TN_SPLAT(w) << 8) >> 8, (tn_vec_i16)TN_SPLAT(w) >> 8})
#define TN_DOT(a, x, w)                                                                                                \
    do {                                                                                                               \
        tn_products s = {0};                                                                                           \
        TN_MADD(s, (x).even, (w).even);                                                                                \
        TN_MADD(s, (x).odd, (w).odd);                                                                                  \
        a += (tn_words)s;                                                                                              \
    } while (0)
#else
typedef struct tn_taken {
    tn_words first, second, third, fourth;
} tn_taken;
typedef uint32_t tn_weight;
#define TN_TAKE(v) ((tn_taken){(v)&255, (v) >> 8 & 255, (v) >> 16 & 255, (tn_words)((tn_bits)(v) >> 24)})
#define TN_WEIGHT(w) (w)
#define TN_DOT(a, x, w)                                                                                                \
    a += (x).first * (int8_t)(w) + (x).second * (int8_t)((w) >> 8) + (x).third * (int8_t)((w) >> 16) +                 \
         (x).fourth * (int8_t)((w) >> 24)
#endif
#if TN_LANES == 16 || defined(__aarch64__)
#define TN_EACH_SUM(DO) DO(0) DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7)
#define TN_SUMS 8
#else
#define TN_EACH_SUM(DO) DO(0) DO(1) DO(2) DO(3)
#define TN_SUMS 4
#endif
/* Sum j of one vector, and of two. */
#define TN_ONE_BEGIN(j) tn_words a##j = TN_SPLAT(start[j]);
#define TN_ONE_STEP(j) TN_DOT(a##j, v, TN_WEIGHT(w[j]));
#define TN_ONE_END(j) TN_WORDS_AT(acc + j * pitch) = a##j;
#define TN_PAIR_BEGIN(j) tn_words a##j = TN_SPLAT(start[j]), b##j = a##j;
#define TN_PAIR_STEP(j)                                                                                                \
    {                                                                                                                  \
        const tn_weight u = TN_WEIGHT(w[j]);                                                                           \
        TN_DOT(a##j, v, u);                                                                                            \
        TN_DOT(b##j, t, u);                                                                                            \
    }
#define TN_PAIR_END(j)                                                                                                 \
    TN_WORDS_AT(acc + j * pitch) = a##j;                                                                               \
    TN_WORDS_AT(acc + j * pitch + TN_LANES) = b##j;
#else
typedef int32_t tn_words;
#define TN_FLIPS(sign) (sign)
#define TN_MOVED(sign) ((sign) ? 128 : 0)
#endif

/* Those at p. */
#if TN_LANES > 1
TN_KERNEL tn_words tn_words_of(const void *p)
{
    return (tn_words) * (const tn_words_at *)p;
}
#endif

/* y[0..n) = word */
TN_KERNEL void tn_fill_words(uint32_t *y, int32_t n, uint32_t word)
{
    for (int32_t i = 0; i < n; i++)
        y[i] = word;
}

/* Byte `at` of the words y[0..n): code x[i * sw - left] where the image has it; what was there is that of `zero`. */
TN_KERNEL void tn_stage_byte(uint32_t *y, const uint8_t *x, int32_t zero, int32_t iw, int32_t left, int32_t sw,
                             int32_t at, int32_t n)
{
    const uint32_t background = (uint8_t)zero;
    int32_t first, last;
    tn_window_part(-left, n, sw, iw, &first, &last);
    for (int32_t i = first; i < last; i++)
        y[i] ^= (x[i * sw - left] ^ background) << at;
}

/* y[0..n) = words of the codes of four rows, p[k][i * sw] the k-th, with `flips` flipped. */
TN_KERNEL void tn_word_row(uint32_t *y, const uint8_t *const *p, uint32_t flips, int32_t n, int32_t sw)
{
    const uint8_t *a = p[0], *b = p[1], *c = p[2], *d = p[3];
    int32_t i = 0;
#if TN_LANES > 1
#define TN_FOUR(at, from, to)                                                                                          \
    ((TN_CONVERT(a + (at), from, to) | TN_CONVERT(b + (at), from, to) << 8 | TN_CONVERT(c + (at), from, to) << 16 |    \
      TN_CONVERT(d + (at), from, to) << 24) ^                                                                          \
     flips)
    typedef uint32_t eight __attribute__((vector_size(32), aligned(4), may_alias));
    for (; sw == 1 && n >= TN_LANES && i < n; i = TN_NEXT_VECTOR(i, n, TN_LANES))
        TN_WORDS_AT(y + i) = (tn_words)TN_FOUR(i, tn_bytes, tn_bits);
    for (; sw == 1 && n >= 8 && i < n; i = TN_NEXT_VECTOR(i, n, 8))
        *(eight *)(void *)(y + i) = TN_FOUR(i, tn_vec8_u8, eight);
#endif
    for (; i < n; i++)
        y[i] = (a[i * sw] | (uint32_t)b[i * sw] << 8 | (uint32_t)c[i * sw] << 16 | (uint32_t)d[i * sw] << 24) ^ flips;
}

/* Copy a strip of padded planes of codes as tn_stage_f32 does it, to words of the codes of four channels; a channel
 * that there is not is any number. sign: see quant.h. */
TN_KERNEL void tn_stage_words(uint32_t *y, const void *x, int32_t sign, int32_t zero, int32_t channels, int32_t ih,
                              int32_t iw, int32_t row, int32_t top, int32_t left, int32_t sh, int32_t sw, int32_t fys,
                              int32_t fxs, int32_t prows, int32_t pcols)
{
    const uint32_t flips = TN_FLIPS(sign) ? 0x80808080u : 0, none = ((uint8_t)zero * 0x01010101u) ^ flips;
    const uint8_t *p = (const uint8_t *)x;
    for (int32_t c = 0; c < channels; c += 4, p += 4 * ih * iw)
        for (int32_t fy = 0; fy < fys; fy++)
            for (int32_t fx = 0; fx < fxs; fx++)
                for (int32_t r = 0; r < prows; r++, y += pcols) {
                    const int32_t iy = (row + r) * sh + fy - top;
                    const uint8_t *rows[4];
                    int32_t first, last;
                    tn_window_part(fx - left, pcols, sw, iw, &first, &last);
                    if (iy < 0 || iy >= ih || first >= last)
                        first = last = 0;
                    tn_fill_words(y, first, none);
                    for (int32_t k = 0; first < last && k < 4; k++)
                        rows[k] = p + ((c + k < channels ? k : 0) * ih + iy) * iw + first * sw + fx - left;
                    if (first < last)
                        tn_word_row(y + first, rows, flips, last - first, sw);
                    tn_fill_words(y + last, pcols - last, none);
                }
}

/* The same to words of the codes of four columns, `across` apart; a column of a phase is such a word. */
TN_KERNEL void tn_stage_columns(uint32_t *y, const void *x, int32_t sign, int32_t zero, int32_t channels, int32_t ih,
                                int32_t iw, int32_t row, int32_t top, int32_t left, int32_t sh, int32_t sw, int32_t fys,
                                int32_t fxs, int32_t prows, int32_t pcols, int32_t across)
{
    const uint32_t flips = TN_FLIPS(sign) ? 0x80808080u : 0, none = ((uint8_t)zero * 0x01010101u) ^ flips;
    const uint8_t *p = (const uint8_t *)x;
    for (int32_t c = 0; c < channels; c++, p += ih * iw)
        for (int32_t fy = 0; fy < fys; fy++)
            for (int32_t fx = 0; fx < fxs; fx++)
                for (int32_t r = 0; r < prows; r++, y += pcols) {
                    const int32_t iy = (row + r) * sh + fy - top;
                    tn_fill_words(y, pcols, none);
                    for (int32_t b = 0; iy >= 0 && iy < ih && b < 4; b++)
                        tn_stage_byte(y, p + iy * iw, zero, iw, left - (4 * fx + b) * across, sw, 8 * b, pcols);
                }
}

/* Sums of a vector of positions at x, of TN_SUMS output channels: acc[channel * pitch]. w: words of weights
 * [planes][taps][8]; start: what sums begin with. */
#if TN_LANES > 1
TN_KERNEL void tn_dense_one(int32_t *acc, int32_t pitch, const uint32_t *x, int32_t stride, int32_t planes,
                            int32_t taps, const TN_ROM int32_t *koff, const TN_ROM uint32_t *w, const int32_t *start)
{
    TN_EACH_SUM(TN_ONE_BEGIN)
    for (; planes > 0; planes--, x += stride)
        for (int32_t k = 0; k < taps; k++, w += 8) {
            const tn_taken v = TN_TAKE(tn_words_of(x + koff[k]));
            TN_EACH_SUM(TN_ONE_STEP)
        }
    TN_EACH_SUM(TN_ONE_END)
}
#endif

/* The same of two vectors. */
#if TN_LANES > 1
TN_KERNEL void tn_dense_pair(int32_t *acc, int32_t pitch, const uint32_t *x, int32_t stride, int32_t planes,
                             int32_t taps, const TN_ROM int32_t *koff, const TN_ROM uint32_t *w, const int32_t *start)
{
    TN_EACH_SUM(TN_PAIR_BEGIN)
    for (; planes > 0; planes--, x += stride)
        for (int32_t k = 0; k < taps; k++, w += 8) {
            const uint32_t *p = x + koff[k];
            const tn_taken v = TN_TAKE(tn_words_of(p)), t = TN_TAKE(tn_words_of(p + TN_LANES));
            TN_EACH_SUM(TN_PAIR_STEP)
        }
    TN_EACH_SUM(TN_PAIR_END)
}
#endif

/* Products of unsigned bytes and of weights -1, 0 and 1, of which 128 fit into 16 bits: without TN_BYTES those of two
 * codes are one instruction. TN_ROUNDS: words that are added up in 16 bits before they are in 32. */
#if TN_LANES > 1
typedef char tn_chars __attribute__((vector_size(4 * TN_LANES)));
#if !defined(TN_BYTES) && defined(__SSSE3__) && TN_LANES_I16 == 2 * TN_LANES
#if TN_LANES == 16 && defined(__clang__)
#define TN_TWO(x, w) (tn_vec_i16) __builtin_ia32_pmaddubsw512(x, w)
#elif TN_LANES == 16
#define TN_TWO(x, w) (tn_vec_i16) __builtin_ia32_pmaddubsw512_mask(x, w, (tn_vec_i16){0}, 0xFFFFFFFF)
#elif TN_LANES == 8
#define TN_TWO(x, w) (tn_vec_i16) __builtin_ia32_pmaddubsw256(x, w)
#else
#define TN_TWO(x, w) (tn_vec_i16) __builtin_ia32_pmaddubsw128(x, w)
#endif
#define TN_ROUNDS 64
#define TN_TWO_BEGIN(j)                                                                                                \
    tn_vec_i16 a##j = {0};                                                                                             \
    TN_WORDS_AT(acc + j * pitch) = TN_SPLAT(start[j]);
#define TN_TWO_BEGINS(j)                                                                                               \
    TN_TWO_BEGIN(j)                                                                                                    \
    tn_vec_i16 b##j = {0};                                                                                             \
    TN_WORDS_AT(acc + j * pitch + TN_LANES) = TN_SPLAT(start[j]);
#define TN_TWO_ADD(a, x, w)                                                                                            \
    a += TN_TWO(x, w);                                                                                                 \
    TN_KEEP_I16(a);
#define TN_TWO_STEP(j) TN_TWO_ADD(a##j, v, (tn_chars)TN_SPLAT(w[j]))
#define TN_TWO_STEPS(j)                                                                                                \
    {                                                                                                                  \
        const tn_chars u = (tn_chars)TN_SPLAT(w[j]);                                                                   \
        TN_TWO_ADD(a##j, v, u)                                                                                         \
        TN_TWO_ADD(b##j, t, u)                                                                                         \
    }
#define TN_TWO_MOVE(p, a)                                                                                              \
    {                                                                                                                  \
        tn_products s = (tn_products)tn_words_of(p);                                                                   \
        TN_MADD(s, a, ones);                                                                                           \
        TN_WORDS_AT(p) = (tn_words)s;                                                                                  \
        a = (tn_vec_i16){0};                                                                                           \
    }
#define TN_TWO_END(j) TN_TWO_MOVE(acc + j * pitch, a##j)
#define TN_TWO_ENDS(j) TN_TWO_MOVE(acc + j * pitch, a##j) TN_TWO_MOVE(acc + j * pitch + TN_LANES, b##j)
#endif
#endif

/* As tn_dense_one, for such weights. */
#ifdef TN_TWO
TN_KERNEL void tn_ternary_one(int32_t *acc, int32_t pitch, const uint32_t *x, int32_t stride, int32_t planes,
                              int32_t taps, const TN_ROM int32_t *koff, const TN_ROM uint32_t *w, const int32_t *start)
{
    const tn_vec_i16 ones = (tn_vec_i16){0} + 1;
    int32_t left = TN_ROUNDS;
    TN_EACH_SUM(TN_TWO_BEGIN)
    for (; planes > 0; planes--, x += stride)
        for (int32_t k = 0; k < taps; k++, w += 8) {
            const tn_chars v = (tn_chars)tn_words_of(x + koff[k]);
            TN_EACH_SUM(TN_TWO_STEP)
            if (--left == 0) {
                TN_EACH_SUM(TN_TWO_END)
                left = TN_ROUNDS;
            }
        }
    TN_EACH_SUM(TN_TWO_END)
}
#else
#define tn_ternary_one tn_dense_one
#endif

/* The same of two vectors. */
#ifdef TN_TWO
TN_KERNEL void tn_ternary_pair(int32_t *acc, int32_t pitch, const uint32_t *x, int32_t stride, int32_t planes,
                               int32_t taps, const TN_ROM int32_t *koff, const TN_ROM uint32_t *w, const int32_t *start)
{
    const tn_vec_i16 ones = (tn_vec_i16){0} + 1;
    int32_t left = TN_ROUNDS;
    TN_EACH_SUM(TN_TWO_BEGINS)
    for (; planes > 0; planes--, x += stride)
        for (int32_t k = 0; k < taps; k++, w += 8) {
            const uint32_t *p = x + koff[k];
            const tn_chars v = (tn_chars)tn_words_of(p), t = (tn_chars)tn_words_of(p + TN_LANES);
            TN_EACH_SUM(TN_TWO_STEPS)
            if (--left == 0) {
                TN_EACH_SUM(TN_TWO_ENDS)
                left = TN_ROUNDS;
            }
        }
    TN_EACH_SUM(TN_TWO_ENDS)
}
#else
#define tn_ternary_pair tn_dense_pair
#endif

/* The sum of four products, where there are no vectors. */
#if TN_LANES == 1
TN_KERNEL int32_t tn_word_product(uint32_t x, uint32_t w)
{
    int32_t sum = 0;
    for (int32_t i = 0; i < 32; i += 8)
        sum += (int32_t)(x >> i & 255) * (int8_t)(w >> i);
    return sum;
}
#endif

/* n sums of each of eight output channels: acc[channel * pitch + i]. x: staged words, `planes` of them `stride` apart.
 * w: the sums of these channels' weights, then words of weights [planes][taps][8], all of -1, 0 and 1 if
 * `ternary`. Returns where the next ones' are. */
TN_KERNEL const TN_ROM uint32_t *tn_dense_words(int32_t *acc, int32_t pitch, int32_t n, const uint32_t *x,
                                                int32_t stride, int32_t planes, int32_t taps,
                                                const TN_ROM int32_t *koff, const TN_ROM uint32_t *w, int32_t sign,
                                                int32_t ternary)
{
    int32_t start[8];
    (void)ternary;
    for (int32_t j = 0; j < 8; j++)
        start[j] = -TN_MOVED(sign) * (int32_t)w[j];
    w += 8;
#if TN_LANES > 1
    for (int32_t j = 0; j < 8; j += TN_SUMS) {
        int32_t *a = acc + j * pitch, i = 0;
        for (; i + TN_LANES < n; i += 2 * TN_LANES)
            if (ternary)
                tn_ternary_pair(a + i, pitch, x + i, stride, planes, taps, koff, w + j, start + j);
            else
                tn_dense_pair(a + i, pitch, x + i, stride, planes, taps, koff, w + j, start + j);
        if (i < n && ternary)
            tn_ternary_one(a + i, pitch, x + i, stride, planes, taps, koff, w + j, start + j);
        else if (i < n)
            tn_dense_one(a + i, pitch, x + i, stride, planes, taps, koff, w + j, start + j);
    }
#else
    for (int32_t j = 0; j < 8; j++)
        for (int32_t i = 0; i < n; i++) {
            int32_t sum = start[j];
            for (int32_t k = 0; k < planes * taps; k++)
                sum += tn_word_product(x[k / taps * stride + koff[k % taps] + i], w[8 * k + j]);
            acc[j * pitch + i] = sum;
        }
#endif
    return w + planes * taps * 8;
}

/* The same of one output channel: w begins with its sum. */
TN_KERNEL const TN_ROM uint32_t *tn_dense_words1(int32_t *acc, int32_t n, const uint32_t *x, int32_t stride,
                                                 int32_t planes, int32_t taps, const TN_ROM int32_t *koff,
                                                 const TN_ROM uint32_t *w, int32_t sign)
{
    const int32_t start = -TN_MOVED(sign) * (int32_t)*w++, words = planes * taps;
#if TN_LANES > 1
    for (int32_t i = 0; i < n; i += TN_LANES) {
        const uint32_t *p = x + i;
        const TN_ROM uint32_t *u = w;
        tn_words a = TN_SPLAT(start);
        for (int32_t c = 0; c < planes; c++, p += stride)
            for (int32_t k = 0; k < taps; k++, u++)
                TN_DOT(a, TN_TAKE(tn_words_of(p + koff[k])), TN_WEIGHT(*u));
        TN_WORDS_AT(acc + i) = a;
    }
#else
    for (int32_t i = 0; i < n; i++) {
        acc[i] = start;
        for (int32_t k = 0; k < words; k++)
            acc[i] += tn_word_product(x[k / taps * stride + koff[k % taps] + i], w[k]);
    }
#endif
    return w + words;
}
