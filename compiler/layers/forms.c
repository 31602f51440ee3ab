/* forms.c - the forms that a layer's code can take, as a table. What is printed for each is codegen's. */
#include "layers/layers.h"

/* ---- output channels of a convolution that are accumulated at once ---- */

BlockShape conv_shape_of(const Layer *l, const Options *opt)
{
    const Core *t = find_core(opt->target);
    return layer_format(l)->pairs ? t->words : t->conv;
}

static int64_t most_sums(const Layer *l, const Options *opt)
{
    const Core *t = find_core(opt->target);
    enum { DEPTHWISE = 8 /* nothing is gained by more, which share no input */ };
    if (layer_format(l)->pairs)
        return l->co == l->groups && t->words.sums > DEPTHWISE ? DEPTHWISE : t->words.sums;
    bool sparse = 4 * (layer_weight_count(l) - l->zeros) <= layer_weight_count(l);
    return sparse && t->sparse_sums ? t->sparse_sums : t->conv.sums;
}

/* Blocks of about the same size, of one group each, or of whole groups of one output. */
static int64_t unrolled_block(const Layer *l, const Options *opt)
{
    int64_t per_group = l->co / l->groups, all = per_group == 1 ? l->co : per_group, most = most_sums(l, opt);
    int64_t blocks = (all + most - 1) / most;
    return (all + blocks - 1) / blocks;
}

static int64_t one_channel(const Layer *l, const Options *opt)
{
    (void)l, (void)opt;
    return 1;
}

static int64_t eight_channels(const Layer *l, const Options *opt)
{
    (void)opt;
    return l->co / l->groups < 4 ? 1 : 8;
}

/* As many as share what is made of their inputs, in blocks of about the same size. */
static int64_t many_channels(const Layer *l, const Options *opt)
{
    enum { MOST = 128 };
    (void)opt;
    const int64_t outs = l->co / l->groups, blocks = (outs + MOST - 1) / MOST;
    return (outs + blocks - 1) / blocks;
}

/* ---- the table ---- */

static const LayerForm form_unroll = {
    .id = FORM_unroll,
    .floats = true,
    .codes = true,
    .name = "unroll",
    .lowering = LOWER_UNROLL,
    .small_id = FORM_unroll,
    .unrolled = true,
    .ternary = true,
    .conv_channels = unrolled_block,
    .conv_work = unrolled_conv_work,
    .fc_work = unrolled_fc_work,
};

static const LayerForm form_sparse = {
    .id = FORM_sparse,
    .floats = true,
    .name = "sparse",
    .lowering = LOWER_SPARSE,
    .small_id = FORM_small_sparse,
    .ternary = true,
    .decodes = true,
    .conv_channels = one_channel,
    .conv_table = gap_lists,
    .fc_table = gap_lists,
    .conv_work = table_conv_work,
    .fc_work = table_fc_work,
};

static const LayerForm form_packed = {
    .id = FORM_packed,
    .floats = true,
    .name = "packed",
    .lowering = LOWER_PACKED,
    .small_id = FORM_small_packed,
    .ternary = true,
    .decodes = true,
    .fc_stack = 6 * 32 * 4, /* tn_packed_words_f32: what a word's codes pick from */
    .conv_channels = one_channel,
    .conv_table = packed_bytes,
    .fc_table = packed_words,
    .conv_work = table_conv_work,
    .fc_work = table_fc_work,
};

static const LayerForm form_dense = {
    .id = FORM_dense,
    .floats = true,
    .name = "dense",
    .lowering = LOWER_DENSE,
    .small_id = FORM_dense,
    .conv_channels = eight_channels,
    .conv_table = dense_weights,
    .fc_table = dense_weights,
    .conv_work = table_conv_work,
    .fc_work = table_fc_work,
};

static const LayerForm form_small_sparse = {
    .id = FORM_small_sparse,
    .prices = CODES_sparse,
    .floats = true,
    .codes = true,
    .name = "small sparse",
    .lowering = LOWER_SPARSE,
    .small = true,
    .small_id = FORM_small_sparse,
    .ternary = true,
    .decodes = true,
    .unstaged = true,
    .conv_channels = one_channel,
    .conv_table = rice_codes,
    .fc_table = rice_codes,
    .conv_work = table_conv_work,
    .fc_work = table_fc_work,
};

static const LayerForm form_small_packed = {
    .id = FORM_small_packed,
    .prices = CODES_packed,
    .floats = true,
    .codes = true,
    .name = "small packed",
    .lowering = LOWER_PACKED,
    .small = true,
    .small_id = FORM_small_packed,
    .ternary = true,
    .decodes = true,
    .unstaged = true,
    .conv_channels = one_channel,
    .conv_table = packed_bytes,
    .fc_table = packed_bytes,
    .conv_work = table_conv_work,
    .fc_work = table_fc_work,
};

static const LayerForm form_dense_bytes = {
    .id = FORM_dense_bytes,
    .codes = true,
    .name = "dense bytes",
    .lowering = LOWER_DENSE,
    .small_id = FORM_dense_codes,
    .bytes = true,
    .conv_channels = eight_channels,
    .conv_table = word_weights,
    .conv_work = table_conv_work,
};

static const LayerForm form_dense_codes = {
    .id = FORM_dense_codes,
    .prices = CODES_dense,
    .codes = true,
    .name = "dense codes",
    .lowering = LOWER_DENSE,
    .small = true,
    .small_id = FORM_dense_codes,
    .unstaged = true,
    .conv_channels = one_channel,
    .conv_table = int_weights,
    .fc_table = int_weights,
    .conv_work = table_conv_work,
    .fc_work = table_fc_work,
};

static const LayerForm form_lists = {
    .id = FORM_lists,
    .floats = true,
    .name = "lists",
    .lowering = LOWER_SPARSE,
    .small_id = FORM_small_sparse,
    .ternary = true,
    .decodes = true,
    .vectors = true,
    .conv_channels = many_channels,
    .conv_table = weight_lists,
    .conv_work = table_conv_work,
};

static const LayerForm form_sums = {
    .id = FORM_sums,
    .floats = true,
    .name = "sums of four",
    .lowering = LOWER_PACKED,
    .small_id = FORM_small_packed,
    .ternary = true,
    .decodes = true,
    .vectors = true,
    .sums = true,
    .conv_channels = many_channels,
    .conv_table = sum_numbers,
    .conv_work = table_conv_work,
};

static const LayerForm *const forms[NUM_FORMS] = {
#define FORM(name) [FORM_##name] = &form_##name,
#include "layers/forms.def"
#undef FORM
};

const LayerForm *form_at(FormId id)
{
    return forms[id];
}

/* Forms that hold sums of many output channels in vectors. */
static bool allows_vectors(const LayerForm *form, const Layer *l, const Options *opt)
{
    enum { FEWEST = 8 /* output channels for which sums of four are worth making */ };
    return l->kind == LAYER_CONV && find_core(opt->target)->lanes > 1 && l->co >= FEWEST * l->groups &&
           (!form->sums || l->kh * l->kw <= MOST_SUMS);
}

static bool allows(const LayerForm *form, const Layer *l, const Options *opt)
{
    if (form->vectors && !allows_vectors(form, l, opt))
        return false;
    if (!l->quantised)
        return form->floats;
    return form->codes && (!form->bytes || (l->kind == LAYER_CONV && dtype_is_byte(l->quantised->in)));
}

/* The small ones, and behind them those for vectors, stand last. */
static const LayerForm *find_form(const Layer *l, Lowering lowering, bool small, const Options *opt)
{
    for (int i = NUM_FORMS - 1; i >= 0; i--)
        if (forms[i]->lowering == lowering && allows(forms[i], l, opt) &&
            (small ? !forms[i]->vectors : !forms[i]->small))
            return forms[i];
    return NULL;
}

/* Layers of codes have some lowerings in a small form alone. */
const LayerForm *form_of(const Layer *l, Lowering lowering, bool small, const Options *opt)
{
    const LayerForm *form = find_form(l, lowering, small, opt);
    if (!form)
        form = find_form(l, lowering, true, opt);
    if (!form)
        bug("there is no form for %s", lowering_name(lowering));
    return form;
}

void layer_set_form(Layer *l, const LayerForm *form, const Options *opt)
{
    l->form = form;
    l->lowering = form->lowering;
    l->format = choose_format(l, opt);
}
