/* emit_quantised.c - what becomes of the sums of layers that read codes: one multiplication and a shift for
 * each output, or a shift alone, to codes; or floats. */
#include "codegen/layer_code.h"

static bool all_same(const int64_t *v, int64_t n)
{
    for (int64_t i = 1; i < n; i++)
        if (v[i] != v[0])
            return false;
    return true;
}

/* The array of numbers for each channel, as short as they are; its name. */
static const char *emit_numbers(Emitter *e, const Layer *l, const char *what, DType d, const int64_t *v)
{
    void *data = mem_alloc((size_t)l->co * dtype_size(d));
    for (int64_t c = 0; c < l->co; c++)
        elem_set(data, d, c, (double)v[c]);
    return emit_const_array(e, mem_printf("layer%d_%s", l->index, what), d, data, l->co);
}

/* That of channel c: a literal when all are equal. */
static const char *channel_number(Emitter *e, const Layer *l, const char *what, DType d, const int64_t *v)
{
    if (all_same(v, l->co))
        return int_text(v[0]);
    return mem_printf("%s[c]", emit_numbers(e, l, what, d, v));
}

static int64_t *factors(const Layer *l)
{
    int64_t *v = NEW_ARRAY(int64_t, l->co);
    for (int64_t c = 0; c < l->co; c++)
        v[c] = l->quantised->factor[c];
    return v;
}

static int64_t *shifts(const Layer *l)
{
    int64_t *v = NEW_ARRAY(int64_t, l->co);
    for (int64_t c = 0; c < l->co; c++)
        v[c] = l->quantised->shifts[c];
    return v;
}

static DType factor_type(const Layer *l)
{
    return l->quantised->wide ? DT_I32 : DT_I16;
}

static DType addend_type(const Layer *l)
{
    return l->quantised->wide ? DT_I64 : DT_I32;
}

static float float_at(const float *v, int64_t c, float absent)
{
    return v ? v[c] : absent;
}

static const char *channel_float(Emitter *e, const Layer *l, const char *what, const float *v, float absent)
{
    if (!v)
        return float_text(absent, DT_F32);
    if (all_equal(v, l->co))
        return float_text(v[0], DT_F32);
    return mem_printf("%s[c]",
                      emit_const_array(e, mem_printf("layer%d_%s", l->index, what), DT_F32, v, l->co));
}

/* Averages are sums by their number. */
static const float *window_scale(const Layer *l)
{
    if (l->pool.kind != POOL_AVERAGE || !l->scale)
        return l->scale;
    float *v = NEW_ARRAY(float, l->co);
    for (int64_t c = 0; c < l->co; c++)
        v[c] = l->scale[c] / (float)(l->pool.kh * l->pool.kw);
    return v;
}

static const char *channel_shift(Emitter *e, const Layer *l)
{
    const Quantised *q = l->quantised;
    return q->shifts ? channel_number(e, l, "shift", DT_U8, shifts(l)) : int_text(q->shift);
}

/* What stands last in the call that writes the outputs of channel c. */
static const char *channel_arguments(Emitter *e, const Layer *l)
{
    const Quantised *q = l->quantised;
    if (q->out == DT_F32)
        return mem_printf("%s, %s", channel_float(e, l, "scale", window_scale(l), 1),
                          channel_float(e, l, "bias", l->bias, 0));
    return mem_printf("%s, %s, %s, %d, %d", channel_number(e, l, "factor", factor_type(l), factors(l)),
                      channel_number(e, l, "addend", addend_type(l), q->addend), channel_shift(e, l), q->low,
                      q->high);
}

static const char *put_kernel(const Quantised *q)
{
    if (q->out == DT_F32)
        return "put_floats";
    if (q->out == DT_I16)
        return "put_words_wide";
    return q->wide ? "put_codes_wide" : "put_codes";
}

/* "KH, KW, SH, SW, ADD": the windows of which sums are taken. */
static const char *window_arguments(const Pool *p)
{
    if (!p->kind)
        return "1, 1, 1, 1, 0";
    return mem_printf("%s, %s, %s, %s, %d", int_text(p->kh), int_text(p->kw), int_text(p->sh),
                      int_text(p->sw), p->kind == POOL_AVERAGE);
}

/* For speed whole vectors become codes, whatever the rows; what pools them has fewer. */
static bool makes_codes_at_once(const Conv *c)
{
    const Quantised *q = c->l->quantised;
    return c->f->max_lanes > 1 && q->out != DT_F32 && !q->wide && !c->turned->pool.kind &&
           c->e->plan->opt->optimize == OPTIMIZE_SPEED;
}

static void emit_codes_at_once(const Conv *c, const ConvPart *p)
{
    Emitter *e = c->e;
    const Layer *l = c->turned;
    const char *n = mem_printf("(rows - 1) * %s + %s", int_text(c->s->acc_row), int_text(p->cols));
    emit_line(e, "const int32_t n = (%s + %s - 1) / %s * %s;", n, c->f->lanes, c->f->lanes, c->f->lanes);
    emit_line(e, "%s(v, n, %s);", emit_kernel(e, "codes", c->f->acc), channel_arguments(e, l));
    next_channels(c);
    emit_line(e, "%s(y + c * %s + (r * %s + %s) * %s + %s, v, %s, %s);",
              emit_kernel(e, "put_bytes", c->f->acc), int_text(l->oh * l->ow), int_text(p->row_step),
              int_text(p->row0), int_text(l->ow), int_text(p->col0), rows_shape(c, p), int_text(p->col_step));
}

/* How far codes are out of the clamped ones, of all layers that clamp them by the table. */
static SumRange crop_reach(const Plan *p)
{
    SumRange reach = {0, 0};
    for (int i = 0; i < p->g->num_nodes; i++) {
        const Layer *l = p->g->nodes[i]->op == OP_Layer ? p->g->nodes[i]->layer : NULL;
        if (!l || !l->quantised || !crops_codes(l, p->opt))
            continue;
        const SumRange r = code_range(l);
        const int64_t below = l->quantised->low - r.low, above = r.high - l->quantised->high;
        reach.low = below > reach.low ? below : reach.low;
        reach.high = above > reach.high ? above : reach.high;
    }
    return reach;
}

/* The table that clamps codes: the entry of the least code, which is 0 there. */
static const char *emit_crop(Emitter *e)
{
    if (e->crop)
        return e->crop;
    const SumRange reach = crop_reach(e->plan);
    const int64_t n = reach.low + UINT8_MAX + 1 + reach.high;
    uint8_t *table = NEW_ARRAY(uint8_t, n);
    for (int64_t i = reach.low; i < n; i++)
        table[i] = (uint8_t)(i - reach.low < UINT8_MAX ? i - reach.low : UINT8_MAX);
    const char *name = emit_const_array(e, "crop", DT_U8, table, n);
    return e->crop = mem_printf("%s + %s", name, int_text(reach.low));
}

/* Rows r to r + rows of the upper half, and those of the lower half that there are. */
static void emit_cropped_rows(const Conv *c)
{
    Emitter *e = c->e;
    const Layer *l = c->turned;
    const Quantised *q = l->quantised;
    long long plane = l->oh * l->ow, ow = l->ow, second = c->s->second, lower = l->oh - second;
    emit_line(e, "const int32_t both = rows < %lld - r ? rows : %lld - r;", lower, lower);
    emit_line(e, "%s(y + c * %lld + r * %lld, %lld, v, rows * %lld, both * %lld, %s, %s, %s, %d, %s - (%d));",
              format_kernel(e, c->f, "put_crop"), plane, ow, second * ow, ow, ow,
              channel_number(e, l, "factor", factor_type(l), factors(l)),
              channel_number(e, l, "addend", addend_type(l), q->addend), channel_shift(e, l), q->low,
              emit_crop(e), q->low);
}

/* Rows of the upper half from r on, and those of the lower half that there are. */
static void emit_paired_rows(const Conv *c, const ConvPart *p)
{
    Emitter *e = c->e;
    const Layer *l = c->turned;
    const Pool *pool = &l->pool;
    long long oh = pool->kind ? pool->oh : l->oh, ow = pool->kind ? pool->ow : l->ow;
    long long sh = pool->kind ? pool->sh : 1, kh = pool->kind ? pool->kh : 1, second = c->s->second / sh;
    emit_line(e, "const int32_t done = r / %lld, all = (rows + %lld) / %lld;", sh, sh - kh, sh);
    emit_line(e, "%s(y + c * %lld + done * %lld, %lld, v, all, %lld - done, %lld, %s, %s, %s);",
              format_kernel(e, c->f, "put_codes"), oh * ow, ow, second * ow, oh - second,
              pool->kind ? ow : (long long)p->cols, int_text(c->s->acc_row), window_arguments(pool),
              channel_arguments(e, l));
}

void emit_quantised_rows(const Conv *c, const ConvPart *p)
{
    Emitter *e = c->e;
    const Layer *l = c->turned;
    const Pool *pool = &l->pool;
    long long oh = pool->kind ? pool->oh : l->oh, ow = pool->kind ? pool->ow : l->ow;
    long long cols = pool->kind ? ow : p->cols, sh = pool->kind ? pool->sh : 1,
              kh = pool->kind ? pool->kh : 1;
    const char *rows = pool->kind ? mem_printf("(rows + %lld) / %lld", sh - kh, sh) : "rows";
    if (crops_codes(l, e->plan->opt)) {
        emit_cropped_rows(c);
        return;
    }
    if (c->f->pairs) {
        emit_paired_rows(c, p);
        return;
    }
    if (makes_codes_at_once(c)) {
        emit_codes_at_once(c, p);
        return;
    }
    const char *first = pool->kind ? mem_printf("r / %lld", sh)
                                   : mem_printf("(r * %s + %s)", int_text(p->row_step), int_text(p->row0));
    emit_line(e, "%s(y + c * %lld + %s * %lld + %s, v, %s, %lld, %s, %s, %s, %s, %s);",
              emit_kernel(e, put_kernel(l->quantised), c->f->acc), oh * ow, first, ow, int_text(p->col0),
              rows, cols, int_text(c->s->acc_row), int_text(p->row_step * ow), int_text(p->col_step),
              window_arguments(pool), channel_arguments(e, l));
}

/* Activations of floats. */
void emit_quantised_rest(const Conv *c)
{
    const Layer *l = c->turned;
    if (l->quantised->out != DT_F32)
        return;
    long long plane = l->pool.kind ? l->pool.oh * l->pool.ow : l->oh * l->ow;
    emit_activation(c->e, l, "y", int_text(l->co * plane));
}

static float *floats_each(const Layer *l, const float *v, float absent)
{
    float *each = NEW_ARRAY(float, l->co);
    for (int64_t c = 0; c < l->co; c++)
        each[c] = float_at(v, c, absent);
    return each;
}

static void emit_floats_each(const Fc *c)
{
    Emitter *e = c->e;
    const Layer *l = c->l;
    const char *scale = emit_const_array(e, mem_printf("layer%d_scale", l->index), DT_F32,
                                         floats_each(l, l->scale, 1), l->co);
    const char *bias =
        emit_const_array(e, mem_printf("layer%d_bias", l->index), DT_F32, floats_each(l, l->bias, 0), l->co);
    emit_line(e, "%s(y, %s, %s, %s, %s);", emit_kernel(e, "put_floats_each", DT_NONE), c->acc,
              int_text(l->co), scale, bias);
    emit_activation(e, l, "y", int_text(l->co));
}

bool only_shifts(const Graph *g)
{
    int layers = 0;
    for (int i = 0; i < g->num_nodes; i++) {
        const Quantised *q = g->nodes[i]->layer ? g->nodes[i]->layer->quantised : NULL;
        if (!q || q->out == DT_F32)
            continue;
        if (!q->shifts)
            return false;
        layers++;
    }
    return layers > 0;
}

/* "put_codes_each", by the type of the outputs and how sums are multiplied. */
static const char *row_kernel(Emitter *e, const Quantised *q)
{
    const char *by = q->wide ? "_wide" : "";
    return emit_kernel(
        e, mem_printf("put_%s_each%s", q->out == DT_I16 ? "words" : "codes", q->shifts ? "_shifted" : by),
        DT_NONE);
}

void emit_quantised_row(const Fc *c)
{
    Emitter *e = c->e;
    const Layer *l = c->l;
    const Quantised *q = l->quantised;
    if (q->out == DT_F32) {
        emit_floats_each(c);
        return;
    }
    if (q->shifts) {
        emit_line(e, "%s(y, %s, %s, %s, %s, %d, %d);", row_kernel(e, q), c->acc, int_text(l->co),
                  emit_numbers(e, l, "addend", addend_type(l), q->addend),
                  emit_numbers(e, l, "shift", DT_U8, shifts(l)), q->low, q->high);
        return;
    }
    emit_line(e, "%s(y, %s, %s, %s, %s, %d, %d, %d);", row_kernel(e, q), c->acc, int_text(l->co),
              emit_numbers(e, l, "factor", factor_type(l), factors(l)),
              emit_numbers(e, l, "addend", addend_type(l), q->addend), q->shift, q->low, q->high);
}
