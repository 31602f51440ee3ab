/* emit_conv.c - convolutions as C: the frame of strips around what the layer's form prints (emit_forms.c).
 * How a convolution is cut into strips, parts and blocks is in layers/conv_strip.c. */
#include "codegen/layer_code.h"

/* One part of a strip: the rows that it has there. */
static void emit_part(Conv *c, int part)
{
    Emitter *e = c->e;
    const ConvPart *p = &c->s->parts[part];
    bool partial = p->rows % c->s->rows != 0 || p->rows != c->s->total_rows;
    if (c->s->num_parts > 1)
        emit_line(e, "{");
    if (partial)
        emit_line(e, "const int32_t rows = %s - r < %s ? %s - r : %s;", int_text(p->rows),
                  int_text(c->s->rows), int_text(p->rows), int_text(c->s->rows));
    else
        emit_line(e, "const int32_t rows = %s;", int_text(c->s->rows));
    if (!c->s->unstaged && !c->f->pairs)
        emit_line(e, "const int32_t n = (rows - 1) * %s + %s;", int_text(c->s->pitch), int_text(p->cols));
    if (p->rows < c->s->total_rows)
        emit_line(e, "if (rows > 0) {");
    c->code->conv_strip(c, part);
    if (p->rows < c->s->total_rows)
        emit_line(e, "}");
    if (c->s->num_parts > 1)
        emit_line(e, "}");
}

static void emit_conv_function(Conv *c)
{
    Emitter *e = c->e;
    const Layer *l = c->l;
    const char *staged = dtype_c(c->f->staged), *acc = dtype_c(c->f->acc);
    long long in = l->ci * l->ih * l->iw;
    long long out = l->co * (l->pool.kind ? l->pool.oh * l->pool.ow : l->oh * l->ow);
    emit_line(e, "static %s_LAYER void layer%d(const %s *x, %s *y, unsigned char *scratch)", e->macro,
              l->index, dtype_c(layer_input(l)), dtype_c(layer_output(l)));
    emit_line(e, "{");
    if (l->form->vectors)
        emit_line(e, "scratch += -(uintptr_t)scratch %% %d;", VECTOR_BYTES);
    emit_line(e, "%s *const acc = (%s *)(void *)scratch;", acc, acc);
    if (!l->direct && !c->s->unstaged)
        emit_line(e, "%s *const p = (%s *)(void *)(scratch + %s);", staged, staged,
                  int_text(c->s->stage_offset));
    if (!c->s->unstaged)
        emit_stage_borders(c);
    if (l->batch > 1)
        emit_line(e, "for (int32_t image = 0; image < %s; image++, x += %lld, y += %lld) {",
                  int_text(l->batch), in, out);
    emit_line(e, "for (int32_t r = 0; r < %s; r += %s) {", int_text(c->s->total_rows), int_text(c->s->rows));
    if (!c->s->unstaged && c->s->staged == c->l->ci)
        emit_stage(c, "x");
    for (int part = 0; part < c->s->num_parts; part++)
        emit_part(c, part);
    emit_line(e, "}");
    if (l->quantised)
        emit_quantised_rest(c);
    else if (pools_sums(l))
        emit_pooled_epilogue(c);
    if (l->batch > 1)
        emit_line(e, "}");
    emit_line(e, "}");
    emit_blank(e);
}

static Conv make_conv(Emitter *e, const Layer *l, const ConvFrame *frame)
{
    return (Conv){.e = e,
                  .l = l,
                  .f = layer_format(l),
                  .code = form_code(l),
                  .frame = frame,
                  .turned = &frame->turned,
                  .s = &frame->s,
                  .koff = NEW_ARRAY(const char *, frame->s.num_parts)};
}

void emit_conv(Emitter *e, const Layer *l)
{
    const ConvFrame frame = conv_frame(l, e->plan->opt);
    Conv c = make_conv(e, l, &frame);
    if (l->pool.kind && l->kind != LAYER_CONV)
        bug("pooling fused into a transposed convolution");
    c.code->conv_data(&c);
    for (int part = 0; part < c.s->num_parts; part++)
        emit_put(&c, part);
    emit_conv_function(&c);
}
