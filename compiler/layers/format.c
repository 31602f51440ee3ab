/* format.c - number formats of layers: floats, and whole numbers for layers that read codes. */
#include "layers/layers.h"

static const Format float_format = {
    .name = "float",
    .suffix = "f32",
    .staged = DT_F32,
    .acc = DT_F32,
    .sum = DT_F32,
    .vec = "vec",
    .lanes = "TN_LANES",
    .input = "TN_LOAD",
    .load = "TN_LOAD",
    .store = "TN_STORE",
    .fused = true,
    .lane_bytes = 4,
    .max_lanes = 16,
    .exact_in = 1 << 24,
    .exact_acc = 1 << 24,
    .half_ulp = 0x1p-24,
};

/* No sum of the layer leaves 16 bits. */
static const Format narrow_format = {
    .prices = CODES_narrow,
    .name = "16-bit sums",
    .suffix = "i16",
    .staged = DT_I16,
    .acc = DT_I16,
    .sum = DT_I16,
    .vec = "vec_i16",
    .keep = "TN_KEEP_I16",
    .lanes = "TN_LANES_I16",
    .input = "TN_LOAD_I16",
    .load = "TN_LOAD_I16",
    .store = "TN_STORE_I16",
    .lane_bytes = 2,
    .max_lanes = 32,
    .exact_in = INT8_MAX,
    .exact_acc = INT16_MAX,
    .half_ulp = 0x1p-24, /* of outputs that are floats */
};

/* No sum of a function's terms leaves 16 bits; functions add into 32. */
static const Format split_format = {
    .prices = CODES_split,
    .name = "16-bit sums added into 32 bits",
    .suffix = "i32",
    .staged = DT_I16,
    .acc = DT_I32,
    .sum = DT_I32,
    .vec = "vec_i16",
    .keep = "TN_KEEP_I16",
    .lanes = "TN_LANES_I16",
    .input = "TN_LOAD_I16",
    .store = "TN_STORE_I32",
    .add = "TN_ADD_I32",
    .lane_bytes = 2,
    .max_lanes = 32,
    .exact_in = INT8_MAX,
    .exact_acc = INT32_MAX,
    .exact_sum = INT16_MAX,
    .half_ulp = 0x1p-24,
};

/* Two sums of 16 bits in a word of 32, added and subtracted as one: for cores without vectors. No sum leaves
 * 16 bits. */
static const Format paired_format = {
    .prices = CODES_words,
    .name = "two 16-bit sums in a word",
    .suffix = "w2",
    .staged = DT_U32,
    .acc = DT_U32,
    .sum = DT_I16,
    .pairs = true,
    .vec = "vec_w2",
    .keep = "TN_KEEP",
    .lanes = "1",
    .input = "TN_LOAD_W2",
    .load = "TN_LOAD_W2",
    .store = "TN_STORE_W2",
    .half = "TN_HALF_W2",
    .lane_bytes = 4,
    .max_lanes = 1,
    .exact_in = INT8_MAX,
    .exact_acc = INT16_MAX,
    .half_ulp = 0x1p-24,
};

/* No sum of a function's terms leaves 16 bits; functions add into pairs of 32. */
static const Format split_paired_format = {
    .prices = CODES_split_words,
    .name = "two 16-bit sums in a word, added into 32 bits",
    .suffix = "x2",
    .staged = DT_U32,
    .acc = DT_I64,
    .sum = DT_I32,
    .pairs = true,
    .vec = "vec_w2",
    .keep = "TN_KEEP",
    .lanes = "1",
    .input = "TN_LOAD_W2",
    .store = "TN_STORE_X2",
    .half = "TN_HALF_X2",
    .add = "TN_ADD_X2",
    .lane_bytes = 4,
    .max_lanes = 1,
    .exact_in = INT8_MAX,
    .exact_acc = INT32_MAX,
    .exact_sum = INT16_MAX,
    .half_ulp = 0x1p-24,
};

/* Words of four codes, multiplied by words of four weights. */
static const Format bytes_format = {
    .name = "products of bytes in 32-bit sums",
    .suffix = "words",
    .staged = DT_U32,
    .acc = DT_I32,
    .sum = DT_I32,
    .bytes = true,
    .vec = "words",
    .lanes = "TN_LANES_I16", /* of what makes codes of sums */
    .lane_bytes = 4,
    .max_lanes = 32,
    .exact_in = INT8_MAX,
    .exact_acc = INT32_MAX,
    .half_ulp = 0x1p-24,
};

int64_t words_of(int64_t bytes)
{
    return (bytes + 3) / 4;
}

bool packs_columns(const Layer *l)
{
    const int64_t inputs = l->ci / l->groups;
    return inputs * words_of(l->kw) < words_of(inputs) * l->kw;
}

int64_t word_planes(const Layer *l, int64_t channels)
{
    return packs_columns(l) ? channels : words_of(channels);
}

int64_t word_taps(const Layer *l)
{
    return l->kh * (packs_columns(l) ? words_of(l->kw) : l->kw);
}

/* Rows of fully connected layers, and tables: numbers one by one. */
static const Format plain_format = {
    .prices = CODES_plain,
    .name = "32-bit sums",
    .suffix = "i32",
    .staged = DT_I32,
    .acc = DT_I32,
    .sum = DT_I32,
    .vec = "vec_i16",
    .lanes = "1",
    .lane_bytes = 4,
    .max_lanes = 1,
    .exact_in = INT8_MAX,
    .exact_acc = INT32_MAX,
    .half_ulp = 0x1p-24,
};

/* Codes of 16 bits. */
static const Format word_format = {
    .prices = CODES_narrow, /* the nearest */
    .name = "32-bit sums of 16-bit codes",
    .suffix = "i32",
    .staged = DT_I32,
    .acc = DT_I32,
    .sum = DT_I32,
    .vec = "vec_s32",
    .keep = "TN_KEEP_S32",
    .lanes = "TN_LANES",
    .input = "TN_LOAD_S32",
    .load = "TN_LOAD_S32",
    .store = "TN_STORE_S32",
    .lane_bytes = 4,
    .max_lanes = 16,
    .exact_in = INT16_MAX,
    .exact_acc = INT32_MAX,
    .half_ulp = 0x1p-24,
};

const Format *layer_format(const Layer *l)
{
    return l->format ? l->format : &float_format;
}

/* Whether two rows of outputs go together. */
static bool can_pair(const Layer *l, const Options *opt)
{
    const Quantised *q = l->quantised;
    int64_t rows = l->pool.kind ? l->pool.oh : l->oh;
    bool turned = l->ih == 1 && l->kh == 1 && l->oh == 1; /* conv_walk.c turns it */
    if (turned)
        rows = l->pool.kind ? l->pool.ow : l->ow;
    return find_core(opt->target)->words.sums && q->out != DT_F32 && !q->wide && rows > 1;
}

const Format *choose_format(const Layer *l, const Options *opt)
{
    const Quantised *q = l->quantised;
    if (!q)
        return &float_format;
    if (l->form->bytes && l->kind == LAYER_CONV)
        return &bytes_format;
    if (!l->form->unrolled || l->kind == LAYER_FC)
        return &plain_format;
    if (q->in == DT_I16)
        return &word_format;
    bool narrow = q->sum_low >= INT16_MIN && q->sum_high <= INT16_MAX;
    if (can_pair(l, opt))
        return narrow ? &paired_format : &split_paired_format;
    return narrow ? &narrow_format : &split_format;
}

bool format_in_place(const Layer *l)
{
    return layer_format(l)->acc == layer_output(l);
}

/* A target's vectors are counted in 32-bit numbers. */
int format_lanes(const Format *f, const Options *opt)
{
    int lanes = find_core(opt->target)->lanes;
    lanes = f->max_lanes > 1 ? lanes * 4 / f->lane_bytes : 1;
    return lanes > 1 ? lanes : 1;
}

/* Channel k carries 4^k; the sum of all is a third of the next power. */
int format_digits(const Format *f)
{
    enum { MOST = 15 /* whose sums fit into 32 bits */ };
    int digits = 1;
    for (int64_t power = 4; digits < MOST && power <= f->exact_in && (4 * power - 1) / 3 <= f->exact_acc;
         power *= 4)
        digits++;
    return digits;
}
