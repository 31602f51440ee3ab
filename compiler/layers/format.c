/* format.c - number formats of layers; 32-bit floats are the only one so far. */
#include "layers/layers.h"

static const Format float_format = {
    .suffix = "f32",
    .in = DT_F32,
    .acc = DT_F32,
    .out = DT_F32,
    .vec = "vec",
    .lanes = "TN_LANES",
    .input = "TN_LOAD",
    .load = "TN_LOAD",
    .store = "TN_STORE",
    .fused = true,
    .max_lanes = 16,
    .exact_in = 1 << 24,
    .exact_acc = 1 << 24,
    .half_ulp = 0x1p-24,
};

const Format *layer_format(const Layer *l)
{
    return l->format ? l->format : &float_format;
}

/* Layers inside of recurrent nodes have no memory for sums beside the outputs. */
const Format *choose_format(const Node *n, const Layer *l)
{
    (void)n, (void)l;
    return &float_format;
}

bool format_in_place(const Format *f)
{
    return f->acc == f->out;
}

/* A target's vectors are counted in 32-bit numbers. */
int format_lanes(const Format *f, const Options *opt)
{
    int lanes = find_core(opt->target)->lanes * 4 / (int)dtype_size(f->acc);
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
