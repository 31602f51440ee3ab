/* emit_fc.c - fully connected layers as C. Sums are made in the output itself where the types allow it. */
#include "codegen/layer_code.h"

static void emit_row(const Fc *c)
{
    Emitter *e = c->e;
    c->code->fc_sums(c);
    emit_begin_check(e);
    emit_line(e, "%s_check_acc(%d, %s, 0, 0, 0, 1, %s, %s);", e->plan->id, c->l->index,
              c->l->batch > 1 ? "row" : "0", c->acc, int_text(c->l->co));
    emit_end_check(e);
    emit_fc_epilogue(c);
}

void emit_fc(Emitter *e, const Layer *l)
{
    const Format *f = layer_format(l);
    const bool in_place = format_in_place(l);
    Fc c = {.e = e, .l = l, .f = f, .code = form_code(l), .acc = in_place ? "y" : "acc"};
    if (c.code->fc_data)
        c.code->fc_data(&c);
    emit_line(e, "static %s_LAYER void layer%d(const %s *x, %s *y%s)", e->macro, l->index,
              dtype_c(layer_input(l)), dtype_c(layer_output(l)), in_place ? "" : ", unsigned char *scratch");
    emit_line(e, "{");
    if (!in_place)
        emit_line(e, "%s *const acc = (%s *)(void *)scratch;", dtype_c(f->acc), dtype_c(f->acc));
    if (l->batch > 1)
        emit_line(e, "for (int32_t row = 0; row < %s; row++, x += %s, y += %s) {", int_text(l->batch),
                  int_text(l->ci), int_text(l->co));
    emit_row(&c);
    if (l->batch > 1)
        emit_line(e, "}");
    emit_line(e, "}");
    emit_blank(e);
}
