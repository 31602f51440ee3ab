/* conv_input.c - what the strips of all forms do around the accumulation: input rows into place, raw
 * accumulators to `ternc check`. */
#include "codegen/layer_code.h"

/* The first arguments of what copies codes: "x, SIGN, ZERO", without the sign where they have 16 bits, and of
 * pairs the rows between the two of a staged row. */
static const char *codes_input(const Conv *c, const char *x)
{
    const Quantised *q = c->l->quantised;
    if (!q)
        return x;
    if (q->in == DT_I16)
        return mem_printf("%s, %d", x, q->in_zero);
    x = mem_printf("%s, %d, %d", x, q->in == DT_I8, q->in_zero);
    return c->f->pairs ? mem_printf("%s, %s", x, int_text(c->s->second * c->turned->sh)) : x;
}

static void emit_stage_next(const Conv *c, const char *x)
{
    Emitter *e = c->e;
    const ConvStrip *s = c->s;
    int64_t kept = s->stage_rows - s->rows, saved = kept - s->top;
    if (saved)
        emit_line(e, "uint8_t *const saved = (uint8_t *)(p + %s);",
                  int_text(s->staged * s->plane + c->f->max_lanes));
    if (saved)
        emit_line(e, "if (r == 0) %s(saved, %s, %s, %s);", emit_kernel(e, "save_rows", DT_NONE),
                  mem_printf("x + %s", int_text(s->second * c->turned->iw)),
                  mem_printf("%s, %s", int_text(s->staged), int_text(c->turned->ih * c->turned->iw)),
                  int_text(saved * c->turned->iw));
    emit_line(e, "if (r > 0)");
    emit_line(e, "%s(p, %s, %s, %s, %s, %s, %s, r, %s, %s, %s, %s, %s);",
              emit_kernel(e, "stage_next_w2", DT_NONE), x, saved ? "saved" : "NULL", int_text(saved),
              int_text(s->staged), int_text(c->turned->ih), int_text(c->turned->iw), int_text(s->top),
              int_text(s->left), int_text(kept), int_text(s->stage_rows), int_text(s->pitch));
    emit_line(e, "else");
}

void emit_stage_borders(const Conv *c)
{
    const ConvStrip *s = c->s;
    if (c->f->pairs && !strip_is_flat(c->turned, s))
        emit_line(c->e, "%s(p, %d, %s);", emit_kernel(c->e, "fill_w2", DT_NONE), c->l->quantised->in_zero,
                  int_text(s->staged * s->plane));
}

/* As words of four codes; rows that follow each other as one. */
static void emit_stage_words(const Conv *c, const char *x)
{
    const Layer *l = c->turned;
    const ConvStrip *s = c->s;
    const bool columns = packs_columns(l);
    const char *kernel = emit_kernel(c->e, columns ? "stage_columns" : "stage_words", DT_NONE);
    if (!columns && strip_is_flat(l, s)) {
        emit_line(c->e, "%s(p, %s, %s, 1, %s, 0, 0, r * -%s, 1, 1, 1, 1, 1, %s);", kernel, x,
                  int_text(s->staged), int_text(l->ih * l->iw), int_text(l->iw),
                  int_text(s->stage_rows * l->iw));
        return;
    }
    emit_line(c->e, "%s(p, %s, %s, %s, %s, r, %s, %s, %s, %s, %s, %s, %s, %s%s);", kernel, x,
              int_text(s->staged), int_text(l->ih), int_text(l->iw), int_text(s->top), int_text(s->left),
              int_text(l->sh), int_text(l->sw), int_text(s->phase_rows), int_text(s->phase_cols),
              int_text(s->stage_rows), int_text(s->pitch),
              columns ? mem_printf(", %s", int_text(l->dw)) : "");
}

/* The rows that a strip reads of the input channels from x on, into p. */
void emit_stage(const Conv *c, const char *x)
{
    Emitter *e = c->e;
    const Layer *l = c->turned;
    const ConvStrip *s = c->s;
    bool transposed = l->kind == LAYER_CONV_TRANSPOSE;
    const int64_t sh = transposed ? 1 : l->sh;
    const int64_t sw = transposed ? 1 : l->sw;
    x = codes_input(c, x);
    if (strip_slides(l, s))
        emit_stage_next(c, x);
    if (c->f->bytes)
        emit_stage_words(c, x);
    else if (l->direct)
        emit_line(e, "const %s *p = x + r * %s;", dtype_c(c->f->staged), int_text(l->iw));
    else if (c->f->pairs && strip_is_flat(l, s))
        emit_line(e, "%s(p, %s, %s, %s, %s, r, %s);", emit_kernel(e, "stage_flat_w2", DT_NONE), x,
                  int_text(s->staged), int_text(l->ih), int_text(l->iw), int_text(s->stage_rows));
    else if (!c->f->pairs && sh == 1 && sw == 1 && !s->left && s->pitch == l->iw && s->phase_cols == 1)
        emit_line(e, "%s(p, %s, %s, %s, %s, r, %s, %s);", emit_kernel(e, "stage_flat", c->f->staged), x,
                  int_text(s->staged), int_text(l->ih), int_text(l->iw), int_text(s->top),
                  int_text(s->stage_rows));
    else
        emit_line(e, "%s(p, %s, %s, %s, %s, r, %s, %s, %s, %s, %s, %s, %s, %s);",
                  emit_kernel(e, c->f->pairs ? "stage_w2" : "stage", c->f->pairs ? DT_NONE : c->f->staged), x,
                  int_text(s->staged), int_text(l->ih), int_text(l->iw), int_text(s->top), int_text(s->left),
                  int_text(sh), int_text(sw), int_text(s->phase_rows), int_text(s->phase_cols),
                  int_text(s->stage_rows), int_text(s->pitch));
}

/* "BASE + c / OUTS * SIZE": where the inputs of output channel c begin, SIZE elements a group. */
const char *group_start(const Layer *l, const char *base, int64_t size)
{
    int64_t outs = l->co / l->groups;
    if (l->groups == 1)
        return base;
    return outs == 1 ? mem_printf("%s + c * %s", base, int_text(size))
                     : mem_printf("%s + c / %s * %s", base, int_text(outs), int_text(size));
}

/* Row r + i of either half, as numbers by themselves. */
static void emit_check_pairs(const Conv *c, const char *first)
{
    Emitter *e = c->e;
    const ConvPart *p = &c->s->parts[0];
    const char *image = c->l->batch > 1 ? "image" : "0", *number = dtype_c(c->f->sum);
    long long rows = c->turned->oh, second = c->s->second, cols = p->cols;
    emit_line(e, "for (int32_t i = 0; i < rows; i++) {");
    emit_line(e, "%s sums[%lld];", number, cols);
    for (int half = 0; half < 2; half++) {
        const char *row = half ? mem_printf("r + i + %lld", second) : "r + i";
        emit_line(e, "for (int32_t k = 0; k < %lld; k++)", cols);
        emit_line(e, "sums[k] = (%s)%s(acc + j * %s + i * %s + k, %d);", number, c->f->half,
                  int_text(c->s->acc_pitch), int_text(c->s->acc_row), half);
        if (half)
            emit_line(e, "if (r + i + %lld < %lld)", second, rows);
        emit_line(e, "%s_check_acc(%d, %s, %s + j, %s, 1, sums, %lld);", e->plan->id, c->l->index, image,
                  first, c->frame->is_turned ? mem_printf("0, %s", row) : mem_printf("%s, 0", row), cols);
    }
    emit_line(e, "}");
}

/* Report the raw accumulators of output channels [first, first + count). */
void emit_check_acc(const Conv *c, int part, const char *first, const char *count)
{
    Emitter *e = c->e;
    const ConvPart *p = &c->s->parts[part];
    const char *image = c->l->batch > 1 ? "image" : "0";
    const char *pitch = int_text(c->s->acc_pitch);
    emit_begin_check(e);
    emit_line(e, "for (int32_t j = 0; j < %s; j++) {", count);
    if (c->f->pairs)
        emit_check_pairs(c, first);
    else if (c->frame->is_turned) {
        emit_line(e, "%s_check_acc(%d, %s, %s + j, 0, r, 1, acc + j * %s, rows);", e->plan->id, c->l->index,
                  image, first, pitch);
    } else {
        emit_line(e, "for (int32_t i = 0; i < rows; i++) {");
        emit_line(e, "%s_check_acc(%d, %s, %s + j, (r + i) * %s + %s, %s, %s, acc + j * %s + i * %s, %s);",
                  e->plan->id, c->l->index, image, first, int_text(p->row_step), int_text(p->row0),
                  int_text(p->col0), int_text(p->col_step), pitch, int_text(c->s->acc_row),
                  int_text(p->cols));
        emit_line(e, "}");
    }
    emit_line(e, "}");
    emit_end_check(e);
}
