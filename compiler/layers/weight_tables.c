/* weight_tables.c - weights of a layer as constant arrays, in the forms that runtime/tables.h and layer.h
 * decode. Ternary ones have a fast and a small form (LayerForm.small): gap lists and Rice codes, packed words
 * and packed bytes. The rows of these forms stand at the end. */
#include "layers/layers.h"

#include <string.h>

static int64_t weights_per_output(const Layer *l)
{
    return l->ci / l->groups * l->kh * l->kw;
}

static WeightTable new_table(DType d, int64_t len)
{
    return (WeightTable){d, mem_array(len, dtype_size(d)), len};
}

/* ---- gap lists: the positions of one sign by their differences ---- */

static void put(WeightTable *t, int64_t v)
{
    uint8_t *data = t->data;
    for (; v >= 255; v -= 255)
        data[t->len++] = 255;
    data[t->len++] = (uint8_t)v;
}

static void put_list(WeightTable *t, const int8_t *codes, int64_t n, int8_t sign)
{
    int64_t count = 0, last = 0;
    for (int64_t i = 0; i < n; i++)
        count += codes[i] == sign;
    put(t, count);
    for (int64_t i = 0; i < n; i++)
        if (codes[i] == sign) {
            put(t, i - last);
            last = i;
        }
}

/* Per output channel: the count and gaps of its +1 weights, then of its -1 weights. */
WeightTable gap_lists(const Layer *l, int64_t block)
{
    (void)block;
    int64_t n = weights_per_output(l);
    WeightTable t = new_table(DT_U8, l->co * (2 * n + 2 * (n / 255) + 16));
    t.len = 0;
    for (int64_t c = 0; c < l->co; c++) {
        put_list(&t, l->codes + c * n, n, 1);
        put_list(&t, l->codes + c * n, n, -1);
    }
    return t;
}

/* ---- Rice codes: R. F. Rice, "Some practical universal noiseless coding techniques", 1979 ---- */

enum { MAX_LOW_BITS = 15 };

static void put_bit(uint8_t *data, int64_t *at, int bit)
{
    data[*at / 8] |= (uint8_t)(bit << (7 - *at % 8));
    ++*at;
}

static void put_code(uint8_t *data, int64_t *at, int64_t zeros, int low_bits, bool minus)
{
    for (int64_t i = zeros >> low_bits; i > 0; i--)
        put_bit(data, at, 1);
    put_bit(data, at, 0);
    for (int i = low_bits - 1; i >= 0; i--)
        put_bit(data, at, zeros >> i & 1);
    put_bit(data, at, minus);
}

/* The next weight that is not 0, from i on; n if there is none. */
static int64_t next_weight(const int8_t *codes, int64_t n, int64_t i)
{
    while (i < n && !codes[i])
        i++;
    return i;
}

/* Bits of all codes by how many low bits they have. */
static void count_bits(const int8_t *codes, int64_t n, int64_t bits[MAX_LOW_BITS + 1])
{
    for (int64_t i = 0, at; i <= n; i = at + 1) {
        at = next_weight(codes, n, i);
        for (int k = 0; k <= MAX_LOW_BITS; k++)
            bits[k] += ((at - i) >> k) + k + 2;
    }
}

/* The count of low bits, then the codes of all weights that are not 0 and of one behind the last. */
WeightTable rice_codes(const Layer *l, int64_t block)
{
    (void)block;
    int64_t n = l->co * weights_per_output(l), bits[MAX_LOW_BITS + 1] = {0};
    int low_bits = 0;
    count_bits(l->codes, n, bits);
    for (int k = 1; k <= MAX_LOW_BITS; k++)
        low_bits = bits[k] < bits[low_bits] ? k : low_bits;
    WeightTable t = new_table(DT_U8, 1 + (bits[low_bits] + 7) / 8);
    uint8_t *data = t.data;
    *data++ = (uint8_t)low_bits;
    for (int64_t i = 0, at, bit = 0; i <= n; i = at + 1) {
        at = next_weight(l->codes, n, i);
        put_code(data, &bit, at - i, low_bits, at < n && l->codes[at] < 0);
    }
    return t;
}

/* ---- lists, of many output channels at a time ---- */

/* Output channels of the block that begins at `first`: blocks end with their group. */
static int64_t block_at(const Layer *l, int64_t first, int64_t block)
{
    const int64_t outs = l->co / l->groups, left = outs - first % outs;
    return left < block ? left : block;
}

static void put_listed(WeightTable *t, const int8_t *codes, int64_t n, int8_t sign)
{
    uint8_t *data = t->data;
    const int64_t length = t->len++;
    for (int64_t i = 0; i < n; i++)
        if (codes[i] == sign)
            data[t->len++] = (uint8_t)i;
    data[length] = (uint8_t)(t->len - length - 1);
}

/* Per block, per 255 weights, per output channel: how many are +1 and which, how many are -1 and which. */
WeightTable weight_lists(const Layer *l, int64_t block)
{
    enum { LISTED = 255 };
    const int64_t n = weights_per_output(l);
    WeightTable t = new_table(DT_U8, l->co * (n + 2 * (n / LISTED + 1)));
    t.len = 0;
    for (int64_t first = 0; first < l->co; first += block_at(l, first, block))
        for (int64_t i = 0; i < n; i += LISTED)
            for (int64_t c = first; c < first + block_at(l, first, block); c++) {
                const int64_t count = n - i < LISTED ? n - i : LISTED;
                put_listed(&t, l->codes + c * n + i, count, 1);
                put_listed(&t, l->codes + c * n + i, count, -1);
            }
    return t;
}

/* ---- numbers of sums of four inputs ---- */

int64_t fours_at_once(const Layer *l)
{
    enum { FEW = 4 };
    const int64_t taps = l->kh * l->kw;
    return taps < FEW ? FEW / taps : 1;
}

/* Of output channel c, from input channel `first` of its group on; tap k. */
static uint8_t sum_number(const Layer *l, int64_t c, int64_t first, int64_t k)
{
    const int64_t inputs = l->ci / l->groups, taps = l->kh * l->kw;
    int number = 0;
    for (int64_t i = first; i < first + 4; i++)
        number = 3 * number + 1 + (i < inputs ? l->codes[(c * inputs + i) * taps + k] : 0);
    return (uint8_t)number;
}

/* Per block, per so many input channels as are summed at once, per output channel: of every four and tap. */
WeightTable sum_numbers(const Layer *l, int64_t block)
{
    const int64_t inputs = l->ci / l->groups, taps = l->kh * l->kw, once = 4 * fours_at_once(l);
    WeightTable t = new_table(DT_U8, l->co * ((inputs + 3) / 4) * taps);
    uint8_t *data = t.data;
    for (int64_t first = 0; first < l->co; first += block_at(l, first, block))
        for (int64_t begin = 0; begin < inputs; begin += once)
            for (int64_t c = first; c < first + block_at(l, first, block); c++)
                for (int64_t i = begin; i < begin + once && i < inputs; i += 4)
                    for (int64_t k = 0; k < taps; k++)
                        *data++ = sum_number(l, c, i, k);
    return t;
}

/* ---- packed ---- */

/* Five digits code + 1, the first the most significant, scaled so that multiplying by 3 brings them out. */
static uint8_t pack_byte(const int8_t *codes, int64_t count)
{
    int v = 0;
    for (int64_t j = 0; j < 5; j++)
        v = 3 * v + (j < count ? codes[j] + 1 : 1);
    return (uint8_t)((v * 256 + 242) / 243);
}

/* Convolutions: [co][ceil(n / 5)]; fully connected layers: [ceil(n / 5)][co]. */
WeightTable packed_bytes(const Layer *l, int64_t block)
{
    (void)block;
    int64_t n = weights_per_output(l), groups = (n + 4) / 5;
    WeightTable t = new_table(DT_U8, l->co * groups);
    uint8_t *data = t.data;
    for (int64_t c = 0; c < l->co; c++)
        for (int64_t i = 0; i < groups; i++)
            data[l->kind == LAYER_FC ? i * l->co + c : c * groups + i] =
                pack_byte(l->codes + c * n + 5 * i, n - 5 * i);
    return t;
}

/* Three weights as a balanced number m of base 3: |m|, and 16 when m is negative. */
static uint32_t pack_three(const int8_t *codes, int64_t count)
{
    int m = 0;
    for (int64_t j = 0; j < 3; j++)
        m = 3 * m + (j < count ? codes[j] : 0);
    return (uint32_t)(m < 0 ? 16 - m : m);
}

/* [ceil(n / 18)][co], six times three weights to a word, the first in the lowest bits. */
WeightTable packed_words(const Layer *l, int64_t block)
{
    (void)block;
    int64_t n = weights_per_output(l), groups = (n + 17) / 18;
    WeightTable t = new_table(DT_U32, l->co * groups);
    uint32_t *data = t.data;
    for (int64_t c = 0; c < l->co; c++)
        for (int64_t i = 0; i < n; i += 3)
            data[i / 18 * l->co + c] |= pack_three(l->codes + c * n + i, n - i) << i % 18 / 3 * 5;
    return t;
}

/* ---- floats ---- */

static float weight_at(const Layer *l, int64_t i)
{
    return l->codes ? (float)l->codes[i] : l->weights[i];
}

/* Blocks of `block` output channels of one group, [groups][blocks][ci/groups][taps][block], missing channels
 * 0; with block 1 the layer's own order. */
WeightTable dense_weights(const Layer *l, int64_t block)
{
    int64_t outs = l->co / l->groups, blocks = (outs + block - 1) / block, n = weights_per_output(l);
    WeightTable t = new_table(DT_F32, l->groups * blocks * n * block);
    float *data = t.data;
    for (int64_t c = 0; c < l->co; c++) {
        int64_t b = c / outs * blocks + c % outs / block;
        for (int64_t i = 0; i < n; i++)
            data[(b * n + i) * block + c % outs % block] = weight_at(l, c * n + i);
    }
    return t;
}

WeightTable int_weights(const Layer *l, int64_t block)
{
    (void)block;
    WeightTable t = new_table(DT_I8, layer_weight_count(l));
    int8_t *data = t.data;
    for (int64_t i = 0; i < t.len; i++)
        data[i] = (int8_t)layer_weight(l, i);
    return t;
}

/* The weights of channel c that are multiplied by the codes of a staged word: those of tap k of a plane. */
static uint32_t weight_word(const Layer *l, int64_t c, int64_t plane, int64_t k)
{
    const int64_t inputs = l->ci / l->groups, taps = l->kh * l->kw, across = words_of(l->kw);
    const bool columns = packs_columns(l);
    uint32_t word = 0;
    for (int64_t b = 0; b < 4; b++) {
        const int64_t channel = columns ? plane : 4 * plane + b, kx = 4 * (k % across) + b;
        if (columns ? kx >= l->kw : channel >= inputs)
            continue;
        const int64_t tap = columns ? k / across * l->kw + kx : k;
        word |= (uint32_t)(uint8_t)layer_weight(l, (c * inputs + channel) * taps + tap) << (8 * b);
    }
    return word;
}

/* Blocks of output channels as those of dense_weights: the sums of their weights, then [planes][taps][block].
 */
WeightTable word_weights(const Layer *l, int64_t block)
{
    int64_t outs = l->co / l->groups, blocks = (outs + block - 1) / block, taps = word_taps(l),
            words = word_planes(l, l->ci / l->groups) * taps;
    WeightTable t = new_table(DT_U32, l->groups * blocks * (words + 1) * block);
    uint32_t *data = t.data;
    for (int64_t c = 0; c < l->co; c++) {
        uint32_t *first =
            data + (c / outs * blocks + c % outs / block) * (words + 1) * block + c % outs % block;
        *first = (uint32_t)weight_sum(l, c);
        for (int64_t i = 0; i < words; i++)
            first[(i + 1) * block] = weight_word(l, c, i / taps, i % taps);
    }
    return t;
}

WeightTable layer_table(const Layer *l, int64_t block)
{
    return (l->kind == LAYER_FC ? l->form->fc_table : l->form->conv_table)(l, block);
}
