/* emit_forms.c - the forms of layers as C: what stands before a layer's function, and how the function
 * accumulates. */
#include "codegen/layer_code.h"

/* ---- unrolled ---- */

/* The functions of unrolled terms of all blocks. */
static void unrolled_data(Conv *c)
{
    const Options *opt = c->e->plan->opt;
    const int64_t stages = c->s->stages;
    c->functions = NEW_ARRAY(int, c->s->num_parts * c->l->co * stages);
    if (conv_is_mixed(c->l, opt))
        emit_kernel(c->e, "ones", DT_NONE);
    for (int part = 0; part < c->s->num_parts; part++)
        for (int64_t first = 0; first < c->l->co; first += conv_block(c->frame, first)) {
            void *mark = mem_mark();
            const UnrolledBlock *b =
                unroll_conv(c->turned, c->s, part, first, conv_block(c->frame, first), opt);
            for (int64_t i = 0; i < stages; i++)
                c->functions[(part * c->l->co + first) * stages + i] = b->staged[i];
            emit_unrolled_conv(c->e, c->frame, part, b);
            mem_release(mark);
        }
}

/* A call of a function of unrolled terms for every position of a strip. */
static void emit_walk_pairs(const Conv *c, const char *function)
{
    long long pitch = c->s->pitch, cols = c->s->acc_row;
    if (cols == pitch) {
        emit_line(c->e, "for (int32_t i = 0; i < rows * %lld; i++)", cols);
        emit_line(c->e, "%s(p + i, acc + i);", function);
        return;
    }
    emit_line(c->e, "for (int32_t i = 0; i < rows; i++)");
    emit_line(c->e, "for (int32_t k = 0; k < %lld; k++)", cols);
    emit_line(c->e, "%s(p + i * %lld + k, acc + i * %lld + k);", function, pitch, cols);
}

static const char *block_function(const Conv *c, int part, int64_t first, int function)
{
    return mem_printf("layer%d_%d_%s_%d", c->l->index, part, int_text(first), function);
}

/* Whether a layer's code is so much that it is fetched from far in every run. */
static bool fetches_ahead(const Conv *c)
{
    enum { NEAR_TERMS = 20000 /* some hundred kB are in no first cache, and hardly stay in the second */ };
    return !c->l->quantised && find_core(c->e->plan->opt->target)->lanes > 1 &&
           layer_weight_count(c->l) - c->l->zeros > NEAR_TERMS;
}

/* Code of function `next`, NULL: none, a part at every vector of the function before it. */
static void emit_ahead(const Conv *c, const char *next)
{
    enum { FUNCTION_BYTES = 8192 /* about; what is fetched behind its end is what comes then */ };
    const int64_t positions = c->s->rows * c->s->pitch;
    if (!next || !fetches_ahead(c))
        return;
    const char *bytes = int_text((FUNCTION_BYTES + positions - 1) / positions);
    emit_line(c->e, "%s((uintptr_t)%s, i * %s, TN_LANES * %s);", emit_kernel(c->e, "fetch_code", DT_NONE),
              next, bytes, bytes);
}

/* A call of a function of unrolled terms for every vector of a strip, none between the rows; next: the
 * function that is called then. */
static void emit_walk(const Conv *c, int part, const char *function, const char *next)
{
    long long pitch = c->s->pitch, cols = c->s->parts[part].cols;
    if (c->f->pairs) {
        emit_walk_pairs(c, function);
        return;
    }
    if (c->s->rows > 1 && cols < pitch)
        emit_line(c->e, "for (int32_t i = 0; i < n; i = TN_IN_ROW(i + %s, %lld, %lld)) {", c->f->lanes, pitch,
                  cols);
    else
        emit_line(c->e, "for (int32_t i = 0; i < n; i += %s) {", c->f->lanes);
    emit_line(c->e, "%s(p + i, acc + i);", function);
    emit_ahead(c, next);
    emit_line(c->e, "}");
}

static int block_functions(const Conv *c, int part, int64_t first)
{
    const int64_t stages = c->s->stages;
    int count = 0;
    for (int64_t i = 0; i < stages; i++)
        count += c->functions[(part * c->l->co + first) * stages + i];
    return count;
}

/* What is called behind that function of the block; NULL: nothing, or another strip. */
static const char *next_function(const Conv *c, int part, int64_t first, int function)
{
    const int64_t next = first + conv_block(c->frame, first);
    if (function + 1 < block_functions(c, part, first))
        return block_function(c, part, first, function + 1);
    return next < c->l->co && block_functions(c, part, next) ? block_function(c, part, next, 0) : NULL;
}

/* The sums of the block that begins at output channel `first`. */
static void emit_block(const Conv *c, int part, int64_t first)
{
    const ConvStrip *s = c->s;
    const Layer *l = c->l;
    int function = 0;
    for (int64_t stage = 0; stage < s->stages; stage++) {
        int64_t in = conv_first_input(l, s, first, stage),
                left = c->functions[(part * l->co + first) * s->stages + stage];
        if (s->staged < l->ci && left)
            emit_stage(c, in ? mem_printf("x + %s", int_text(in * l->ih * l->iw)) : "x");
        for (; left > 0; left--, function++)
            emit_walk(c, part, block_function(c, part, first, function),
                      next_function(c, part, first, function));
    }
}

/* Accumulate and write out a strip by unrolled functions. */
static void unrolled_strip(Conv *c, int part)
{
    for (int64_t first = 0; first < c->l->co; first += conv_block(c->frame, first)) {
        emit_block(c, part, first);
        emit_check_acc(c, part, int_text(first), int_text(conv_block(c->frame, first)));
        emit_line(c->e, "layer%d_put_%d(y, acc, %s, %s, r, rows);", c->l->index, part, int_text(first),
                  int_text(conv_block(c->frame, first)));
    }
}

/* The functions of all blocks. */
static void unrolled_fc_data(Fc *c)
{
    const Options *opt = c->e->plan->opt;
    int *functions = NEW_ARRAY(int, c->l->co);
    for (int64_t first = 0; first < c->l->co; first += fc_block(c->l, first, opt)) {
        void *mark = mem_mark();
        const UnrolledBlock *b = unroll_fc(c->l, first, fc_block(c->l, first, opt));
        functions[first] = b->size.functions;
        emit_unrolled_fc(c->e, c->l, b);
        mem_release(mark);
    }
    c->functions = functions;
}

static void unrolled_sums(const Fc *c)
{
    for (int64_t first = 0; first < c->l->co; first++)
        for (int i = 0; i < c->functions[first]; i++)
            emit_line(c->e, "layer%d_%s_%d(x, %s);", c->l->index, int_text(first), i, c->acc);
}

static const FormCode code_unroll = {
    .conv_data = unrolled_data,
    .conv_strip = unrolled_strip,
    .fc_data = unrolled_fc_data,
    .fc_sums = unrolled_sums,
};

/* ---- tables ---- */

/* The weights' array; its name. */
static const char *emit_table(Emitter *e, const Layer *l, WeightTable t)
{
    return emit_const_array(e, mem_printf("layer%d_weights", l->index), t.dtype, t.data, t.len);
}

static const char *emit_weights(Emitter *e, const Layer *l, int64_t block)
{
    return emit_table(e, l, layer_table(l, block));
}

static void table_data(Conv *c)
{
    const Layer *l = c->turned;
    int64_t taps = c->s->taps;
    for (int part = 0; part < c->s->num_parts; part++) {
        int32_t *koff = NEW_ARRAY(int32_t, taps);
        for (int64_t k = 0; k < taps; k++)
            koff[k] = (int32_t)c->s->parts[part].koff[k];
        c->koff[part] = emit_const_array(c->e, mem_printf("layer%d_taps", l->index), DT_I32, koff, taps);
    }
    WeightTable t = layer_table(l, c->s->block);
    c->table = emit_table(c->e, l, t);
    c->table_type = t.dtype;
}

/* Stages the input of a group at its first output channel, where not all are staged at once; the staged input
 * of c. */
static const char *emit_stage_group(const Conv *c)
{
    const Layer *l = c->l;
    int64_t inputs = l->ci / l->groups;
    if (c->s->staged == l->ci)
        return group_start(l, "p", inputs * c->s->plane);
    if (l->co > l->groups)
        emit_line(c->e, "if (c %% %s == 0) {", int_text(l->co / l->groups));
    emit_stage(c, group_start(l, "x", inputs * l->ih * l->iw));
    if (l->co > l->groups)
        emit_line(c->e, "}");
    return "p";
}

/* Accumulate and write out a strip from tables, one output channel (dense: eight) at a time. */
static void table_strip(Conv *c, int part)
{
    Emitter *e = c->e;
    const Layer *l = c->l;
    long long outs = l->co / l->groups, block = c->s->block;
    emit_line(e, "const TN_ROM %s *w = %s;", dtype_c(c->table_type), c->table);
    if (block > 1 && outs % block) { /* blocks end with their group */
        emit_line(e, "for (int32_t g = 0; g < %s; g++)", int_text(l->groups));
        emit_line(e, "for (int32_t c = g * %lld, left = %lld; left > 0; c += %lld, left -= %lld) {", outs,
                  outs, block, block);
        emit_line(e, "const int32_t count = left < %lld ? left : %lld;", block, block);
    } else {
        emit_line(e, "for (int32_t c = 0; c < %s; c += %lld) {", int_text(l->co), block);
        emit_line(e, "const int32_t count = %lld;", block);
    }
    c->code->conv_call(c, part, emit_stage_group(c));
    emit_check_acc(c, part, "c", "count");
    emit_line(e, "layer%d_put_%d(y, acc, c, count, r, rows);", l->index, part);
    emit_line(e, "}");
}

static void sparse_call(const Conv *c, int part, const char *x)
{
    long long taps = c->l->kh * c->l->kw;
    emit_line(c->e, "w = %s(acc, n, %s, %s, %lld, %s, w);", format_kernel(c->e, c->f, "sparse_conv"), x,
              int_text(c->s->plane), taps, c->koff[part]);
}

/* "PLANE, INPUTS, TAPS, KOFF": what tables of every weight need to know. */
static const char *table_sizes(const Conv *c, int part)
{
    const Layer *l = c->l;
    return mem_printf("%s, %s, %s, %s", int_text(c->s->plane), int_text(l->ci / l->groups),
                      int_text(l->kh * l->kw), c->koff[part]);
}

static void packed_call(const Conv *c, int part, const char *x)
{
    emit_line(c->e, "w = %s(acc, n, %s, %s, w);", format_kernel(c->e, c->f, "packed_conv"), x,
              table_sizes(c, part));
}

static void dense_call(const Conv *c, int part, const char *x)
{
    if (c->s->block == 1)
        emit_line(c->e, "w = %s(acc, n, %s, %s, w);", format_kernel(c->e, c->f, "dense_conv"), x,
                  table_sizes(c, part));
    else
        emit_line(c->e, "w = %s(acc, %s, n, %s, %s, w);", format_kernel(c->e, c->f, "dense_conv8"),
                  int_text(c->s->acc_pitch), x, table_sizes(c, part));
}

static void table_sums(const Fc *c)
{
    const Layer *l = c->l;
    bool words = layer_input(l) == DT_I16 && c->code->fc_words;
    const char *kernel = table_kernel(c->e, l, words ? c->code->fc_words : c->code->fc_kernel);
    emit_line(c->e, "%s(%s, x, %s, %s, %s);", kernel, c->acc, int_text(l->ci), int_text(l->co),
              emit_weights(c->e, l, 1));
}

static const FormCode code_sparse = {
    .conv_data = table_data,
    .conv_strip = table_strip,
    .conv_call = sparse_call,
    .fc_sums = table_sums,
    .fc_kernel = "sparse_fc",
};

static const FormCode code_packed = {
    .conv_data = table_data,
    .conv_strip = table_strip,
    .conv_call = packed_call,
    .fc_sums = table_sums,
    .fc_kernel = "packed_words",
};

static const FormCode code_dense = {
    .conv_data = table_data,
    .conv_strip = table_strip,
    .conv_call = dense_call,
    .fc_sums = table_sums,
    .fc_kernel = "dense_fc",
};

/* ---- tables for vectors ---- */

static void lists_call(const Conv *c, int part, const char *x)
{
    const Layer *l = c->l;
    const int64_t taps = l->kh * l->kw;
    emit_line(c->e, "w = %s(acc, %s, count, n, %s, %s, %s, %s, %s, w);",
              format_kernel(c->e, c->f, "lists_conv"), int_text(c->s->acc_pitch), x, int_text(c->s->plane),
              int_text(l->ci / l->groups * taps), int_text(taps), c->koff[part]);
}

static void sums_call(const Conv *c, int part, const char *x)
{
    emit_line(c->e, "w = %s(acc, %s, count, n, %s, %s, (float *)(void *)(scratch + %s), %s, %s, w);",
              format_kernel(c->e, c->f, "sums_conv"), int_text(c->s->acc_pitch), x, table_sizes(c, part),
              int_text(c->s->sums_offset), int_text(c->s->sums), int_text(fours_at_once(c->l)));
}

static const FormCode code_lists = {
    .conv_data = table_data,
    .conv_strip = table_strip,
    .conv_call = lists_call,
};

static const FormCode code_sums = {
    .conv_data = table_data,
    .conv_strip = table_strip,
    .conv_call = sums_call,
};

/* ---- small tables ---- */

/* The constant tn_shape; its name. */
static const char *emit_shape(Emitter *e, const Layer *l)
{
    long long inputs = l->ci / l->groups, taps = l->kh * l->kw;
    emit_kernel(e, "shape", DT_NONE);
    text_printf(&e->consts, "static %s_CONST const TN_ROM tn_shape layer%d_shape = {", e->macro, l->index);
    text_printf(&e->consts, "%s, %s, %s, %lld, %lld, ", int_text(l->ih), int_text(l->iw), int_text(l->ow),
                inputs * taps, taps);
    text_printf(&e->consts, "%s, %s, %s, %s, %s, %s, %s};\n", int_text(l->kw), int_text(l->sh),
                int_text(l->sw), int_text(l->dh), int_text(l->dw), int_text(l->pt), int_text(l->pl));
    return mem_printf("&layer%d_shape", l->index);
}

static void unstaged_data(Conv *c)
{
    c->koff[0] = emit_shape(c->e, c->l);
    c->table = emit_weights(c->e, c->l, 1);
}

/* Accumulate and write out a strip from the input where it lies, one output channel at a time; w reads the
 * table. */
static void unstaged_channels(const Conv *c)
{
    const Layer *l = c->l;
    emit_line(c->e, "for (int32_t c = 0; c < %s; c++) {", int_text(l->co));
    c->code->conv_call(c, 0, group_start(l, "x", l->ci / l->groups * l->ih * l->iw));
    emit_check_acc(c, 0, "c", "1");
    emit_line(c->e, "layer%d_put_0(y, acc, c, 1, r, rows);", l->index);
    emit_line(c->e, "}");
}

/* ", ZERO" of layers that read codes: what padding is. */
static const char *zero_argument(const Layer *l)
{
    return l->quantised ? mem_printf(", %d", l->quantised->in_zero) : "";
}

static void coded_strip(Conv *c, int part)
{
    (void)part;
    const char *start = emit_kernel(c->e, "start_codes", DT_NONE);
    emit_line(c->e, "tn_codes w;");
    emit_line(c->e, "%s(&w, %s);", start, c->table);
    unstaged_channels(c);
}

static void coded_call(const Conv *c, int part, const char *x)
{
    emit_line(c->e, "%s(acc, %s, %s%s, r, rows, &w);", table_kernel(c->e, c->l, "coded_conv"), x,
              c->koff[part], zero_argument(c->l));
}

static void packed_rows_strip(Conv *c, int part)
{
    (void)part;
    emit_line(c->e, "const TN_ROM uint8_t *w = %s;", c->table);
    unstaged_channels(c);
}

static void packed_rows_call(const Conv *c, int part, const char *x)
{
    emit_line(c->e, "w = %s(acc, %s, %s%s, r, rows, w);", table_kernel(c->e, c->l, "packed_rows"), x,
              c->koff[part], zero_argument(c->l));
}

static const FormCode code_small_sparse = {
    .conv_data = unstaged_data,
    .conv_strip = coded_strip,
    .conv_call = coded_call,
    .fc_sums = table_sums,
    .fc_kernel = "coded_fc",
};

static const FormCode code_small_packed = {
    .conv_data = unstaged_data,
    .conv_strip = packed_rows_strip,
    .conv_call = packed_rows_call,
    .fc_sums = table_sums,
    .fc_kernel = "packed_bytes",
    .fc_words = "packed_each",
};

/* ---- 8-bit weights ---- */

static void dense_rows_strip(Conv *c, int part)
{
    (void)part;
    emit_line(c->e, "const TN_ROM int8_t *w = %s;", c->table);
    unstaged_channels(c);
}

static void dense_rows_call(const Conv *c, int part, const char *x)
{
    emit_line(c->e, "w = %s(acc, %s, %s%s, r, rows, w);", table_kernel(c->e, c->l, "dense_rows"), x,
              c->koff[part], zero_argument(c->l));
}

/* For speed, where there are vectors: by words of four. */
static void dense_bytes_call(const Conv *c, int part, const char *x)
{
    const bool one = c->s->block == 1;
    const char *n = one ? "n" : mem_printf("%s, n", int_text(c->s->acc_pitch));
    emit_line(c->e, "w = %s(acc, %s, %s, %s, %s, %s, %s, w, %d%s);",
              emit_kernel(c->e, one ? "dense_words1" : "dense_words", DT_NONE), n, x, int_text(c->s->plane),
              int_text(c->s->planes), int_text(c->s->taps), c->koff[part], c->l->quantised->in == DT_I8,
              one ? "" : mem_printf(", %d", c->l->codes != NULL));
}

static const FormCode code_dense_bytes = {
    .conv_data = table_data,
    .conv_strip = table_strip,
    .conv_call = dense_bytes_call,
};

static const FormCode code_dense_codes = {
    .conv_data = unstaged_data,
    .conv_strip = dense_rows_strip,
    .conv_call = dense_rows_call,
    .fc_sums = table_sums,
    .fc_kernel = "dense_fc",
    .fc_words = "dense_each",
};

/* ---- all forms ---- */

static const FormCode *const codes[NUM_FORMS] = {
#define FORM(name) [FORM_##name] = &code_##name,
#include "layers/forms.def"
#undef FORM
};

const FormCode *form_code(const Layer *l)
{
    return codes[l->form->id];
}
