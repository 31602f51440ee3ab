/* weight_tables.c - ternary weights as bytes, in the forms that runtime/layer.h decodes: gap lists and base-3 packing.
 */
#include "emitter.h"

static void put(Bytes *b, int64_t v)
{
    for (; v >= 255; v -= 255)
        b->data[b->len++] = 255;
    b->data[b->len++] = (uint8_t)v;
}

static void put_list(Bytes *b, const int8_t *codes, int64_t n, int8_t sign)
{
    int64_t count = 0, last = 0;
    for (int64_t i = 0; i < n; i++)
        count += codes[i] == sign;
    put(b, count);
    for (int64_t i = 0; i < n; i++)
        if (codes[i] == sign) {
            put(b, i - last);
            last = i;
        }
}

static int64_t weights_per_output(const Layer *l)
{
    return l->ci / l->groups * l->kh * l->kw;
}

/* Per output channel: the count and gaps of its +1 weights, then of its -1 weights. */
Bytes sparse_bytes(const Layer *l)
{
    int64_t n = weights_per_output(l);
    Bytes b = {NEW_ARRAY(uint8_t, l->co * (2 * n + 2 * (n / 255) + 16)), 0};
    for (int64_t c = 0; c < l->co; c++) {
        put_list(&b, l->codes + c * n, n, 1);
        put_list(&b, l->codes + c * n, n, -1);
    }
    return b;
}

/* Five digits code + 1, the first the most significant, scaled so that multiplying by 3 brings them out. */
static uint8_t pack(const int8_t *codes, int64_t step, int64_t count)
{
    int v = 0;
    for (int64_t j = 0; j < 5; j++)
        v = 3 * v + (j < count ? codes[j * step] + 1 : 1);
    return (uint8_t)((v * 256 + 242) / 243);
}

/* Convolutions: [co][ceil(n / 5)]; fully connected layers: [ceil(n / 5)][co]. */
Bytes packed_bytes(const Layer *l)
{
    int64_t n = weights_per_output(l), groups = (n + 4) / 5;
    Bytes b = {NEW_ARRAY(uint8_t, l->co * groups), l->co * groups};
    for (int64_t c = 0; c < l->co; c++)
        for (int64_t i = 0; i < groups; i++) {
            uint8_t byte = pack(l->codes + c * n + 5 * i, 1, n - 5 * i);
            b.data[l->kind == LAYER_FC ? i * l->co + c : c * groups + i] = byte;
        }
    return b;
}

static float weight_at(const Layer *l, int64_t i)
{
    return l->codes ? (float)l->codes[i] : l->weights[i];
}

/* Blocks of `block` output channels of one group, [groups][blocks][ci/groups][taps][block], missing channels 0; with
 * block 1 the layer's own order. */
Floats dense_weights(const Layer *l, int64_t block)
{
    int64_t outs = l->co / l->groups, blocks = (outs + block - 1) / block, n = weights_per_output(l);
    Floats w = {NULL, l->groups * blocks * n * block};
    w.data = NEW_ARRAY(float, w.len);
    for (int64_t c = 0; c < l->co; c++) {
        int64_t b = c / outs * blocks + c % outs / block;
        for (int64_t i = 0; i < n; i++)
            w.data[(b * n + i) * block + c % outs % block] = weight_at(l, c * n + i);
    }
    return w;
}
