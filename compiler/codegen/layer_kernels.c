/* layer_kernels.c - the kernels of runtime/ that layers call: by their number format, by the type of what
 * they read, and activations. */
#include "codegen/layer_code.h"

const char *format_kernel(Emitter *e, const Format *f, const char *name)
{
    return emit_kernel(e, mem_printf("%s_%s", name, f->suffix), DT_NONE);
}

const char *table_kernel(Emitter *e, const Layer *l, const char *name)
{
    return l->quantised ? emit_kernel(e, name, layer_input(l)) : format_kernel(e, layer_format(l), name);
}

void emit_activation(Emitter *e, const Layer *l, const char *v, const char *n)
{
    static const char *const kernels[] = {
        [ACT_RELU] = "act_relu",
        [ACT_CLIP] = "act_clip",
        [ACT_LEAKY_RELU] = "act_leaky_relu",
        [ACT_SIGMOID] = "act_sigmoid",
        [ACT_TANH] = "act_tanh",
        [ACT_HARD_SIGMOID] = "act_hard_sigmoid",
        [ACT_HARD_SWISH] = "act_hard_swish",
    };
    const Activation *a = &l->act;
    if (a->kind == ACT_NONE)
        return;
    const char *f = emit_kernel(e, kernels[a->kind], DT_F32);
    if (a->kind == ACT_CLIP || a->kind == ACT_HARD_SIGMOID)
        emit_line(e, "%s(%s, %s, %s, %s);", f, v, n, float_text(a->a, DT_F32), float_text(a->b, DT_F32));
    else if (a->kind == ACT_LEAKY_RELU)
        emit_line(e, "%s(%s, %s, %s);", f, v, n, float_text(a->a, DT_F32));
    else
        emit_line(e, "%s(%s, %s);", f, v, n);
}

void begin_channels(const Conv *c)
{
    emit_line(c->e, "for (int32_t c = first; c < first + count; c++) {");
    emit_line(c->e, "%s *const v = acc + (c - first) * %s;", dtype_c(c->f->acc), int_text(c->s->acc_pitch));
}

void next_channels(const Conv *c)
{
    if (c->e->plan->opt->optimize != OPTIMIZE_SPEED)
        return;
    emit_line(c->e, "}");
    begin_channels(c);
}

const char *rows_shape(const Conv *c, const ConvPart *p)
{
    long long ow = c->turned->ow, cols = p->cols, pitch = c->s->acc_row;
    bool whole = cols == pitch && cols == ow && p->row_step == 1 && p->col_step == 1;
    return whole ? mem_printf("1, rows * %lld, 0, 0", cols)
                 : mem_printf("rows, %lld, %lld, %s", cols, pitch, int_text(p->row_step * ow));
}
