/* emit_epilogue.c - what becomes of a layer's accumulators: scale, bias, activation, pooling, and the way to
 * the output. The kernels are those of the layer's number format. */
#include "codegen/layer_code.h"

/* The C text of element c of a per-channel array: a literal when all are equal. NULL array: `absent`. */
static const char *channel_value(Emitter *e, const Layer *l, const float *v, const char *what,
                                 const char *absent)
{
    if (!v)
        return absent;
    if (all_equal(v, l->co))
        return float_text(v[0], DT_F32);
    return mem_printf("%s[c]",
                      emit_const_array(e, mem_printf("layer%d_%s", l->index, what), DT_F32, v, l->co));
}

static void emit_affine(Emitter *e, const Layer *l, const char *v, const char *n)
{
    if (!l->scale && !l->bias)
        return;
    const char *bias = channel_value(e, l, l->bias, "bias", "0.0f");
    if (l->scale)
        emit_line(e, "%s(%s, %s, %s, %s);", format_kernel(e, layer_format(l), "affine"), v, n,
                  channel_value(e, l, l->scale, "scale", "1.0f"), bias);
    else
        emit_line(e, "%s(%s, %s, %s);", format_kernel(e, layer_format(l), "bias"), v, n, bias);
}

/* ---- fully connected layers ---- */

static const char *emit_values(const Fc *c, const char *what, const float *v)
{
    return emit_const_array(c->e, mem_printf("layer%d_%s", c->l->index, what), DT_F32, v, c->l->co);
}

static void emit_fc_affine(const Fc *c)
{
    Emitter *e = c->e;
    const Layer *l = c->l;
    const char *bias = l->bias ? emit_values(c, "bias", l->bias) : NULL;
    const char *sums = mem_printf("%s, %s", c->acc, int_text(l->co));
    if (!l->scale && bias)
        emit_line(e, "%s(%s, %s);", format_kernel(e, c->f, "bias_each"), sums, bias);
    else if (l->scale && !bias && all_equal(l->scale, l->co))
        emit_line(e, "%s(%s, %s, 0.0f);", format_kernel(e, c->f, "affine"), sums,
                  float_text(l->scale[0], DT_F32));
    else if (l->scale && !bias)
        emit_line(e, "%s(%s, %s);", format_kernel(e, c->f, "scale_each"), sums,
                  emit_values(c, "scale", l->scale));
    else if (l->scale)
        emit_line(e, "%s(%s, %s, %s);", format_kernel(e, c->f, "affine_each"), sums,
                  emit_values(c, "scale", l->scale), bias);
}

void emit_fc_epilogue(const Fc *c)
{
    const char *count = int_text(c->l->co);
    if (c->l->quantised) {
        emit_quantised_row(c);
        return;
    }
    emit_fc_affine(c);
    emit_activation(c->e, c->l, c->acc, count);
}

/* ---- convolutions: rows of a strip ---- */

static bool has_epilogue(const Layer *l)
{
    return l->scale || l->bias || l->act.kind;
}

/* Scale, bias and activation, on whole vectors where there is room for them. */
static void emit_epilogue(const Conv *c, const ConvPart *p)
{
    Emitter *e = c->e;
    const Layer *l = c->turned;
    if (!has_epilogue(l) || pools_sums(l))
        return;
    const char *n = mem_printf("(rows - 1) * %s + %s", int_text(c->s->acc_row), int_text(p->cols));
    if (!c->s->unstaged)
        n = mem_printf("(%s + %s - 1) / %s * %s", n, c->f->lanes, c->f->lanes, c->f->lanes);
    emit_line(e, "const int32_t n = %s;", n);
    emit_affine(e, l, "v", "n");
    emit_activation(e, l, "v", "n");
    /* Longer rows that are only copied are far enough behind. */
    if (l->pool.kind || p->cols < c->f->max_lanes)
        next_channels(c);
}

/* Pooling of rows v into output rows. For speed by whole vectors first, over the rows of all windows. */
static void emit_pool(const Conv *c)
{
    Emitter *e = c->e;
    const Pool *p = &c->turned->pool;
    bool max = p->kind == POOL_MAX;
    long long pitch = c->s->acc_row, kh = p->kh, kw = p->kw, sh = p->sh, sw = p->sw, ow = p->ow;
    emit_line(e, "const int32_t pooled = (rows + %lld) / %lld;", sh - kh, sh);
    if (e->plan->opt->optimize == OPTIMIZE_SPEED && kh > 1) {
        emit_line(e, "%s(v, pooled, %lld, %lld, %lld, %lld);",
                  format_kernel(e, c->f, max ? "max_rows" : "add_rows"), (ow - 1) * sw + kw, pitch, kh, sh);
        next_channels(c);
        emit_line(e, "const int32_t pooled = (rows + %lld) / %lld;", sh - kh, sh);
        kh = 1;
    }
    const char *count = max ? "" : mem_printf(", %s", float_text((double)(p->kh * p->kw), c->f->acc));
    emit_line(e, "%s(y + c * %s + r / %lld * %lld, v, pooled, %lld, %lld, %lld, %lld, %lld, %lld%s);",
              format_kernel(e, c->f, max ? "put_max" : "put_average"), int_text(p->oh * ow), sh, ow, ow,
              pitch, kh, kw, sh, sw, count);
}

/* Rows v into those of the output. */
static void emit_rows(const Conv *c, const ConvPart *p)
{
    Emitter *e = c->e;
    long long ow = c->turned->ow, plane = ow * c->turned->oh;
    emit_line(e, "%s(y + c * %lld + (r * %s + %s) * %lld + %s, v, %s, %s);",
              format_kernel(e, c->f, "put_rows"), plane, int_text(p->row_step), int_text(p->row0), ow,
              int_text(p->col0), rows_shape(c, p), int_text(p->col_step));
}

static void emit_float_rows(const Conv *c, const ConvPart *p)
{
    emit_epilogue(c, p);
    if (c->turned->pool.kind)
        emit_pool(c);
    else
        emit_rows(c, p);
}

/* layerN_put_P: scale, bias, activation and pooling of the accumulators of `count` output channels from
 * `first` on, into rows r.. of the output. */
void emit_put(const Conv *c, int part)
{
    Emitter *e = c->e;
    const Layer *l = c->turned;
    const ConvPart *p = &c->s->parts[part];
    bool shared =
        e->plan->opt->optimize == OPTIMIZE_SPEED && l->form->unrolled && conv_block(c->frame, 0) < l->co;
    emit_line(
        e,
        "static %svoid layer%d_put_%d(%s *y, %s *acc, int32_t first, int32_t count, int32_t r, int32_t rows)",
        shared ? "TN_EPILOGUE " : "", l->index, part, dtype_c(layer_output(l)), dtype_c(c->f->acc));
    emit_line(e, "{");
    begin_channels(c);
    if (l->quantised)
        emit_quantised_rows(c, p);
    else
        emit_float_rows(c, p);
    emit_line(e, "}");
    emit_line(e, "}");
    emit_blank(e);
}

/* Scale, bias and activation of the whole pooled output y. */
void emit_pooled_epilogue(const Conv *c)
{
    Emitter *e = c->e;
    const Layer *l = c->turned;
    long long plane = l->pool.oh * l->pool.ow;
    if (l->scale || l->bias) {
        emit_line(e, "for (int32_t c = 0; c < %s; c++) {", int_text(l->co));
        emit_affine(e, l, mem_printf("y + c * %lld", plane), mem_printf("%lld", plane));
        emit_line(e, "}");
    }
    emit_activation(e, l, "y", mem_printf("%lld", l->co * plane));
}
