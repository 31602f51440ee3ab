/* conv_input.c - what the strips of all forms do around the accumulation: input rows into place, raw
 * accumulators to `ternc check`. */
#include "codegen/layer_code.h"

/* The rows that a strip reads of the input channels from x on, into p. */
void emit_stage(const Conv *c, const char *x)
{
    Emitter *e = c->e;
    const Layer *l = c->turned;
    const ConvStrip *s = c->s;
    bool transposed = l->kind == LAYER_CONV_TRANSPOSE;
    long long sh = transposed ? 1 : l->sh, sw = transposed ? 1 : l->sw;
    if (l->direct)
        emit_line(e, "const %s *p = x + r * %lld;", dtype_c(c->f->in), (long long)l->iw);
    else if (sh == 1 && sw == 1 && !s->left && s->pitch == l->iw)
        emit_line(e, "%s(p, %s, %lld, %lld, %lld, r, %lld, %lld);", emit_kernel(e, "stage_flat", c->f->in), x,
                  (long long)s->staged, (long long)l->ih, (long long)l->iw, (long long)s->top,
                  (long long)s->stage_rows);
    else
        emit_line(e, "%s(p, %s, %lld, %lld, %lld, r, %lld, %lld, %lld, %lld, %lld, %lld, %lld, %lld);",
                  emit_kernel(e, "stage", c->f->in), x, (long long)s->staged, (long long)l->ih,
                  (long long)l->iw, (long long)s->top, (long long)s->left, sh, sw, (long long)s->phase_rows,
                  (long long)s->phase_cols, (long long)s->stage_rows, (long long)s->pitch);
}

/* "BASE + c / OUTS * SIZE": where the inputs of output channel c begin, SIZE elements a group. */
const char *group_start(const Layer *l, const char *base, int64_t size)
{
    long long outs = l->co / l->groups;
    if (l->groups == 1)
        return base;
    return outs == 1 ? mem_printf("%s + c * %lld", base, (long long)size)
                     : mem_printf("%s + c / %lld * %lld", base, outs, (long long)size);
}

/* Report the raw accumulators of output channels [first, first + count). */
void emit_check_acc(const Conv *c, int part, const char *first, const char *count)
{
    Emitter *e = c->e;
    const ConvPart *p = &c->s->parts[part];
    const char *image = c->l->batch > 1 ? "image" : "0";
    long long acc = c->s->acc_pitch;
    emit_begin_check(e);
    emit_line(e, "for (int32_t j = 0; j < %s; j++) {", count);
    if (c->frame->is_turned) {
        emit_line(e, "%s_check_acc(%d, %s, %s + j, 0, r, 1, acc + j * %lld, rows);", e->plan->id, c->l->index,
                  image, first, acc);
    } else {
        emit_line(e, "for (int32_t i = 0; i < rows; i++) {");
        emit_line(e,
                  "%s_check_acc(%d, %s, %s + j, (r + i) * %lld + %lld, %lld, %lld, acc + j * %lld + i * "
                  "%lld, %lld);",
                  e->plan->id, c->l->index, image, first, (long long)p->row_step, (long long)p->row0,
                  (long long)p->col0, (long long)p->col_step, acc, (long long)c->s->pitch,
                  (long long)p->cols);
        emit_line(e, "}");
    }
    emit_line(e, "}");
    emit_end_check(e);
}
