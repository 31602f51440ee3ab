/* emit_conv.c - convolutions as C: the frame of strips, the lowerings that work from tables, the epilogue. How a
 * convolution is cut into strips, parts and blocks is in conv_strip.c. */
#include "codegen/codegen.h"
#include "print/emitter.h"

typedef struct Conv {
    Emitter *e;
    const Layer *l;
    const Format *f;
    const ConvFrame *frame;
    const Layer *turned; /* of the frame: what is emitted */
    const ConvStrip *s;  /* of the frame */
    int *functions;      /* unrolled: how many per [part][output channel that starts a block] */
    const char *table;   /* tables: the weights' array */
    const char **koff;   /* tables: the array of tap offsets per part; split: its shape */
} Conv;

static Conv make_conv(Emitter *e, const Layer *l, const ConvFrame *frame)
{
    return (Conv){.e = e,
                  .l = l,
                  .f = layer_format(l),
                  .frame = frame,
                  .turned = &frame->turned,
                  .s = &frame->s,
                  .koff = NEW_ARRAY(const char *, frame->s.num_parts)};
}

/* The functions of unrolled terms of all blocks. */
static void emit_block_functions(Conv *c)
{
    const Options *opt = c->e->plan->opt;
    c->functions = NEW_ARRAY(int, c->s->num_parts * c->l->co);
    if (find_target(opt->target)->mixed)
        emit_kernel(c->e, "ones", DT_NONE);
    for (int part = 0; part < c->s->num_parts; part++)
        for (int64_t first = 0; first < c->l->co; first += conv_block(c->frame, first)) {
            void *mark = mem_mark();
            const UnrolledBlock *b = unroll_conv(c->turned, c->s, part, first, conv_block(c->frame, first), opt);
            c->functions[part * c->l->co + first] = b->size.functions;
            emit_unrolled_conv(c->e, c->frame, part, b);
            mem_release(mark);
        }
}

/* The C text of element c of a per-channel array: a literal when all are equal. NULL array: `absent`. */
static const char *channel_value(Emitter *e, const Layer *l, const float *v, const char *what, const char *absent)
{
    if (!v)
        return absent;
    if (all_equal(v, l->co))
        return float_text(v[0], DT_F32);
    return mem_printf("%s[c]", emit_const_array(e, mem_printf("layer%d_%s", l->index, what), DT_F32, v, l->co));
}

static void emit_affine(Emitter *e, const Layer *l, const char *v, const char *n)
{
    if (!l->scale && !l->bias)
        return;
    const char *bias = channel_value(e, l, l->bias, "bias", "0.0f");
    if (l->scale)
        emit_line(e, "%s(%s, %s, %s, %s);", emit_kernel(e, "affine", layer_format(l)->acc), v, n,
                  channel_value(e, l, l->scale, "scale", "1.0f"), bias);
    else
        emit_line(e, "%s(%s, %s, %s);", emit_kernel(e, "bias", layer_format(l)->acc), v, n, bias);
}

/* A loop over the channels of a block; v: the accumulators of channel c. */
static void begin_channels(const Conv *c)
{
    emit_line(c->e, "for (int32_t c = first; c < first + count; c++) {");
    emit_line(c->e, "%s *const v = acc + (c - first) * %lld;", dtype_c(c->f->acc), (long long)c->s->acc_pitch);
}

/* For speed another loop, so that loads wait until the stores of all channels are through: what lies across two stores
 * has to wait for both. */
static void next_channels(const Conv *c)
{
    if (c->e->plan->opt->optimize != OPTIMIZE_SPEED)
        return;
    emit_line(c->e, "}");
    begin_channels(c);
}

static bool has_epilogue(const Layer *l)
{
    return l->scale || l->bias || l->act.kind;
}

/* Scale, bias and activation, on whole vectors where there is room for them. */
static void emit_epilogue(Conv *c, const ConvPart *p)
{
    Emitter *e = c->e;
    const Layer *l = c->turned;
    if (!has_epilogue(l) || pools_sums(l))
        return;
    emit_line(e,
              c->s->split ? "const int32_t n = (rows - 1) * %lld + %lld;"
                          : "const int32_t n = ((rows - 1) * %lld + %lld + TN_LANES - 1) / TN_LANES * TN_LANES;",
              (long long)c->s->pitch, (long long)p->cols);
    emit_affine(e, l, "v", "n");
    emit_activation(e, &l->act, "v", "n");
    if (l->pool.kind || p->cols < c->f->max_lanes) /* longer rows that are only copied are far enough behind */
        next_channels(c);
}

/* Pooling of rows v into output rows. For speed by whole vectors first, over the rows of all windows. */
static void emit_pool(const Conv *c)
{
    Emitter *e = c->e;
    const Pool *p = &c->turned->pool;
    bool max = p->kind == POOL_MAX;
    long long pitch = c->s->pitch, kh = p->kh, kw = p->kw, sh = p->sh, sw = p->sw, ow = p->ow;
    emit_line(e, "const int32_t pooled = (rows + %lld) / %lld;", sh - kh, sh);
    if (e->plan->opt->optimize == OPTIMIZE_SPEED && kh > 1) {
        emit_line(e, "%s(v, pooled, %lld, %lld, %lld, %lld);", emit_kernel(e, max ? "max_rows" : "add_rows", c->f->acc),
                  (ow - 1) * sw + kw, pitch, kh, sh);
        next_channels(c);
        emit_line(e, "const int32_t pooled = (rows + %lld) / %lld;", sh - kh, sh);
        kh = 1;
    }
    emit_line(e, "%s(y + c * %lld + r / %lld * %lld, v, pooled, %lld, %lld, %lld, %lld, %lld, %lld%s);",
              emit_kernel(e, max ? "put_max" : "put_average", c->f->acc), (long long)p->oh * ow, sh, ow, ow, pitch, kh,
              kw, sh, sw, max ? "" : mem_printf(", %s", float_text((double)(p->kh * p->kw), c->f->acc)));
}

/* Rows v into those of the output, at once where they follow each other in both. */
static void emit_rows(const Conv *c, const ConvPart *p)
{
    Emitter *e = c->e;
    long long ow = c->turned->ow, plane = ow * c->turned->oh, cols = p->cols, pitch = c->s->pitch;
    bool whole = cols == pitch && cols == ow && p->row_step == 1 && p->col_step == 1;
    const char *shape = whole ? mem_printf("1, rows * %lld, 0, 0", cols)
                              : mem_printf("rows, %lld, %lld, %lld", cols, pitch, (long long)p->row_step * ow);
    emit_line(e, "%s(y + c * %lld + (r * %lld + %lld) * %lld + %lld, v, %s, %lld);",
              emit_kernel(e, "put_rows", c->f->acc), plane, (long long)p->row_step, (long long)p->row0, ow,
              (long long)p->col0, shape, (long long)p->col_step);
}

/* layerN_put_P: scale, bias, activation and pooling of the accumulators of `count` output channels from `first` on,
 * into rows r.. of the output. */
static void emit_put(Conv *c, int part)
{
    Emitter *e = c->e;
    const Layer *l = c->turned;
    const ConvPart *p = &c->s->parts[part];
    bool shared =
        e->plan->opt->optimize == OPTIMIZE_SPEED && l->lowering == LOWER_UNROLL && conv_block(c->frame, 0) < l->co;
    emit_line(e, "static %svoid layer%d_put_%d(%s *y, %s *acc, int32_t first, int32_t count, int32_t r, int32_t rows)",
              shared ? "TN_EPILOGUE " : "", l->index, part, dtype_c(c->f->act), dtype_c(c->f->acc));
    emit_line(e, "{");
    begin_channels(c);
    emit_epilogue(c, p);
    if (l->pool.kind)
        emit_pool(c);
    else
        emit_rows(c, p);
    emit_line(e, "}");
    emit_line(e, "}");
    emit_blank(e);
}

/* Scale, bias and activation of the whole pooled output y. */
static void emit_pooled_epilogue(const Conv *c)
{
    Emitter *e = c->e;
    const Layer *l = c->turned;
    long long plane = l->pool.oh * l->pool.ow;
    if (l->scale || l->bias) {
        emit_line(e, "for (int32_t c = 0; c < %lld; c++) {", (long long)l->co);
        emit_affine(e, l, mem_printf("y + c * %lld", plane), mem_printf("%lld", plane));
        emit_line(e, "}");
    }
    emit_activation(e, &l->act, "y", mem_printf("%lld", l->co * plane));
}

/* Report the raw accumulators of output channels [first, first + count). */
static void emit_check_acc(const Conv *c, int part, const char *first, const char *count)
{
    Emitter *e = c->e;
    const ConvPart *p = &c->s->parts[part];
    const char *image = c->l->batch > 1 ? "image" : "0";
    long long acc = c->s->acc_pitch;
    emit_begin_check(e);
    emit_line(e, "for (int32_t j = 0; j < %s; j++) {", count);
    if (c->frame->is_turned) {
        emit_line(e, "%s_check_acc(%d, %s, %s + j, 0, r, 1, acc + j * %lld, rows);", e->plan->id, c->l->index, image,
                  first, acc);
    } else {
        emit_line(e, "for (int32_t i = 0; i < rows; i++) {");
        emit_line(e,
                  "%s_check_acc(%d, %s, %s + j, (r + i) * %lld + %lld, %lld, %lld, acc + j * %lld + i * %lld, %lld);",
                  e->plan->id, c->l->index, image, first, (long long)p->row_step, (long long)p->row0,
                  (long long)p->col0, (long long)p->col_step, acc, (long long)c->s->pitch, (long long)p->cols);
        emit_line(e, "}");
    }
    emit_line(e, "}");
    emit_end_check(e);
}

/* The rows that a strip reads of the input channels from x on, into p. */
static void emit_stage(const Conv *c, const char *x)
{
    Emitter *e = c->e;
    const Layer *l = c->turned;
    const ConvStrip *s = c->s;
    bool transposed = l->kind == LAYER_CONV_TRANSPOSE;
    long long sh = transposed ? 1 : l->sh, sw = transposed ? 1 : l->sw;
    if (l->direct)
        emit_line(e, "const %s *p = x + r * %lld;", dtype_c(c->f->act), (long long)l->iw);
    else if (sh == 1 && sw == 1 && !s->left && s->pitch == l->iw)
        emit_line(e, "%s(p, %s, %lld, %lld, %lld, r, %lld, %lld);", emit_kernel(e, "stage_flat", c->f->acc), x,
                  (long long)s->staged, (long long)l->ih, (long long)l->iw, (long long)s->top,
                  (long long)s->stage_rows);
    else
        emit_line(e, "%s(p, %s, %lld, %lld, %lld, r, %lld, %lld, %lld, %lld, %lld, %lld, %lld, %lld);",
                  emit_kernel(e, "stage", c->f->acc), x, (long long)s->staged, (long long)l->ih, (long long)l->iw,
                  (long long)s->top, (long long)s->left, sh, sw, (long long)s->phase_rows, (long long)s->phase_cols,
                  (long long)s->stage_rows, (long long)s->pitch);
}

/* A call of a function of unrolled terms for every vector of a strip, none between the rows. */
static void emit_walk(const Conv *c, int part, const char *function)
{
    long long pitch = c->s->pitch, cols = c->s->parts[part].cols;
    if (c->s->rows > 1 && cols < pitch)
        emit_line(c->e, "for (int32_t i = 0; i < n; i = TN_IN_ROW(i + TN_LANES, %lld, %lld)) {", pitch, cols);
    else
        emit_line(c->e, "for (int32_t i = 0; i < n; i += TN_LANES) {");
    emit_line(c->e, "%s(p + i, acc + i);", function);
    emit_line(c->e, "}");
}

/* Accumulate and write out a strip by unrolled functions. */
static void emit_unrolled_strip(Conv *c, int part)
{
    for (int64_t first = 0; first < c->l->co; first += conv_block(c->frame, first)) {
        int64_t in = conv_first_input(c->l, c->s, first);
        if (c->s->staged < c->l->ci)
            emit_stage(c, in ? mem_printf("x + %lld", (long long)(in * c->l->ih * c->l->iw)) : "x");
        for (int i = 0; i < c->functions[part * c->l->co + first]; i++)
            emit_walk(c, part, mem_printf("layer%d_%d_%lld_%d", c->l->index, part, (long long)first, i));
        emit_check_acc(c, part, mem_printf("%lld", (long long)first),
                       mem_printf("%lld", (long long)conv_block(c->frame, first)));
        emit_line(c->e, "layer%d_put_%d(y, acc, %lld, %lld, r, rows);", c->l->index, part, (long long)first,
                  (long long)conv_block(c->frame, first));
    }
}

/* The call that accumulates output channel(s) c from a table. */
static void emit_table_call(Conv *c, int part, const char *x)
{
    Emitter *e = c->e;
    const Layer *l = c->l;
    long long plane = c->s->plane, inputs = l->ci / l->groups, taps = l->kh * l->kw;
    const char *koff = c->koff[part];
    if (l->lowering == LOWER_SPARSE)
        emit_line(e, "w = %s(acc, n, %s, %lld, %lld, %s, w);", emit_kernel(e, "sparse_conv", c->f->acc), x, plane, taps,
                  koff);
    else if (l->lowering == LOWER_PACKED)
        emit_line(e, "w = %s(acc, n, %s, %lld, %lld, %lld, %s, w);", emit_kernel(e, "packed_conv", c->f->acc), x, plane,
                  inputs, taps, koff);
    else if (c->s->block == 1)
        emit_line(e, "w = %s(acc, n, %s, %lld, %lld, %lld, %s, w);", emit_kernel(e, "dense_conv", c->f->acc), x, plane,
                  inputs, taps, koff);
    else
        emit_line(e, "w = %s(acc, %lld, n, %s, %lld, %lld, %lld, %s, w);", emit_kernel(e, "dense_conv8", c->f->acc),
                  (long long)c->s->acc_pitch, x, plane, inputs, taps, koff);
}

/* "BASE + c / OUTS * SIZE": where the inputs of output channel c begin, SIZE elements a group. */
static const char *group_start(const Layer *l, const char *base, int64_t size)
{
    long long outs = l->co / l->groups;
    if (l->groups == 1)
        return base;
    return outs == 1 ? mem_printf("%s + c * %lld", base, (long long)size)
                     : mem_printf("%s + c / %lld * %lld", base, outs, (long long)size);
}

/* Stages the input of a group at its first output channel, where not all are staged at once; the staged input of c. */
static const char *emit_stage_group(const Conv *c)
{
    const Layer *l = c->l;
    int64_t inputs = l->ci / l->groups;
    if (c->s->staged == l->ci)
        return group_start(l, "p", inputs * c->s->plane);
    if (l->co > l->groups)
        emit_line(c->e, "if (c %% %lld == 0) {", (long long)(l->co / l->groups));
    emit_stage(c, group_start(l, "x", inputs * l->ih * l->iw));
    if (l->co > l->groups)
        emit_line(c->e, "}");
    return "p";
}

/* Accumulate and write out a strip from tables, one output channel (dense: eight) at a time. */
static void emit_table_strip(Conv *c, int part)
{
    Emitter *e = c->e;
    const Layer *l = c->l;
    long long outs = l->co / l->groups, block = c->s->block;
    bool dense = l->lowering == LOWER_DENSE;
    emit_line(e, "const TN_ROM %s *w = %s;", dense ? dtype_c(DT_F32) : dtype_c(DT_U8), c->table);
    if (block > 1 && outs % block) { /* blocks end with their group */
        emit_line(e, "for (int32_t g = 0; g < %lld; g++)", (long long)l->groups);
        emit_line(e, "for (int32_t c = g * %lld, left = %lld; left > 0; c += %lld, left -= %lld) {", outs, outs, block,
                  block);
        emit_line(e, "const int32_t count = left < %lld ? left : %lld;", block, block);
    } else {
        emit_line(e, "for (int32_t c = 0; c < %lld; c += %lld) {", (long long)l->co, block);
        emit_line(e, "const int32_t count = %lld;", block);
    }
    emit_table_call(c, part, emit_stage_group(c));
    emit_check_acc(c, part, "c", "count");
    emit_line(e, "layer%d_put_%d(y, acc, c, count, r, rows);", l->index, part);
    emit_line(e, "}");
}

/* The constant tn_shape of a split convolution; its name. */
static const char *emit_shape(Emitter *e, const Layer *l)
{
    long long inputs = l->ci / l->groups, taps = l->kh * l->kw;
    emit_kernel(e, "shape", DT_NONE);
    text_printf(&e->consts, "static %s_CONST const TN_ROM tn_shape layer%d_shape = {", e->macro, l->index);
    text_printf(&e->consts, "%lld, %lld, %lld, %lld, %lld, ", (long long)l->ih, (long long)l->iw, (long long)l->ow,
                inputs * taps, taps);
    text_printf(&e->consts, "%lld, %lld, %lld, %lld, %lld, %lld, %lld};\n", (long long)l->kw, (long long)l->sh,
                (long long)l->sw, (long long)l->dh, (long long)l->dw, (long long)l->pt, (long long)l->pl);
    return mem_printf("&layer%d_shape", l->index);
}

/* Accumulate and write out a strip from the input where it lies, one output channel at a time. */
static void emit_split_strip(Conv *c)
{
    Emitter *e = c->e;
    const Layer *l = c->l;
    bool coded = l->lowering == LOWER_SPARSE;
    const char *x = group_start(l, "x", l->ci / l->groups * l->ih * l->iw), *shape = c->koff[0];
    if (coded) {
        const char *start = emit_kernel(e, "start_codes", DT_NONE);
        emit_line(e, "tn_codes w;");
        emit_line(e, "%s(&w, %s);", start, c->table);
    } else {
        emit_line(e, "const TN_ROM uint8_t *w = %s;", c->table);
    }
    emit_line(e, "for (int32_t c = 0; c < %lld; c++) {", (long long)l->co);
    if (coded)
        emit_line(e, "%s(acc, %s, %s, r, rows, &w);", emit_kernel(e, "coded_conv", c->f->acc), x, shape);
    else
        emit_line(e, "w = %s(acc, %s, %s, r, rows, w);", emit_kernel(e, "packed_rows", c->f->acc), x, shape);
    emit_check_acc(c, 0, "c", "1");
    emit_line(e, "layer%d_put_0(y, acc, c, 1, r, rows);", l->index);
    emit_line(e, "}");
}

static void emit_tables(Conv *c)
{
    const Layer *l = c->l;
    if (c->s->split) {
        c->koff[0] = emit_shape(c->e, l);
        c->table = emit_weights(c->e, l, 1);
        return;
    }
    int64_t taps = l->kh * l->kw;
    for (int part = 0; part < c->s->num_parts; part++) {
        int32_t *koff = NEW_ARRAY(int32_t, taps);
        for (int64_t k = 0; k < taps; k++)
            koff[k] = (int32_t)c->s->parts[part].koff[k];
        c->koff[part] = emit_const_array(c->e, mem_printf("layer%d_taps", l->index), DT_I32, koff, taps);
    }
    c->table = emit_weights(c->e, l, c->s->block);
}

/* One part of a strip: the rows that it has there. */
static void emit_part(Conv *c, int part)
{
    Emitter *e = c->e;
    const ConvPart *p = &c->s->parts[part];
    bool partial = p->rows % c->s->rows != 0 || p->rows != c->s->total_rows;
    if (c->s->num_parts > 1)
        emit_line(e, "{");
    if (partial)
        emit_line(e, "const int32_t rows = %lld - r < %lld ? %lld - r : %lld;", (long long)p->rows,
                  (long long)c->s->rows, (long long)p->rows, (long long)c->s->rows);
    else
        emit_line(e, "const int32_t rows = %lld;", (long long)c->s->rows);
    if (!c->s->split)
        emit_line(e, "const int32_t n = (rows - 1) * %lld + %lld;", (long long)c->s->pitch, (long long)p->cols);
    if (p->rows < c->s->total_rows)
        emit_line(e, "if (rows > 0) {");
    if (c->s->split)
        emit_split_strip(c);
    else if (c->l->lowering == LOWER_UNROLL)
        emit_unrolled_strip(c, part);
    else
        emit_table_strip(c, part);
    if (p->rows < c->s->total_rows)
        emit_line(e, "}");
    if (c->s->num_parts > 1)
        emit_line(e, "}");
}

static void emit_conv_function(Conv *c)
{
    Emitter *e = c->e;
    const Layer *l = c->l;
    const char *act = dtype_c(c->f->act), *acc = dtype_c(c->f->acc);
    long long in = l->ci * l->ih * l->iw;
    long long out = l->co * (l->pool.kind ? l->pool.oh * l->pool.ow : l->oh * l->ow);
    emit_line(e, "static %s_LAYER void layer%d(const %s *x, %s *y, unsigned char *scratch)", e->macro, l->index, act,
              act);
    emit_line(e, "{");
    emit_line(e, "%s *const acc = (%s *)(void *)scratch;", acc, acc);
    if (!l->direct && !c->s->split)
        emit_line(e, "%s *const p = (%s *)(void *)(scratch + %lld);", act, act, (long long)c->s->stage_offset);
    if (l->batch > 1)
        emit_line(e, "for (int32_t image = 0; image < %lld; image++, x += %lld, y += %lld) {", (long long)l->batch, in,
                  out);
    emit_line(e, "for (int32_t r = 0; r < %lld; r += %lld) {", (long long)c->s->total_rows, (long long)c->s->rows);
    if (!c->s->split && c->s->staged == c->l->ci)
        emit_stage(c, "x");
    for (int part = 0; part < c->s->num_parts; part++)
        emit_part(c, part);
    emit_line(e, "}");
    if (pools_sums(l))
        emit_pooled_epilogue(c);
    if (l->batch > 1)
        emit_line(e, "}");
    emit_line(e, "}");
    emit_blank(e);
}

void emit_conv(Emitter *e, const Layer *l)
{
    const ConvFrame frame = conv_frame(l, e->plan->opt);
    Conv c = make_conv(e, l, &frame);
    if (l->pool.kind && l->kind != LAYER_CONV)
        bug("pooling fused into a transposed convolution");
    if (l->lowering == LOWER_UNROLL)
        emit_block_functions(&c);
    else
        emit_tables(&c);
    for (int part = 0; part < c.s->num_parts; part++)
        emit_put(&c, part);
    emit_conv_function(&c);
}
