/* emit_cell_rows.c - what cells of floats and of codes have in common: where their numbers lie, and the loop
 * over the rows of a batch. */
#include "codegen/cell_code.h"

const char *cell_place(const CellWalk *w, int input, int64_t at)
{
    return mem_printf("%s + %s", emit_ptr(w->e, w->n->in[input]), int_text(at));
}

const Tensor *cell_output(const CellWalk *w, int i)
{
    return i < w->n->num_out ? w->n->out[i] : NULL;
}

int64_t cell_row_step(const CellWalk *w)
{
    return cell_state(w->c, 0, 1) - cell_state(w->c, 0, 0);
}

void open_cell_rows(const CellWalk *w)
{
    const Cell *c = w->c;
    const char *t = dtype_c(c->codes ? DT_I16 : c->dtype);
    long long rows = c->gates * c->hidden, all = c->directions * rows;
    emit_line(w->e, "for (int32_t b = 0; b < %s; b++) {", int_text(c->batch));
    emit_line(w->e, "const %s *x = %s + (%s) * %lld;", t, cell_place(w, CELL_X, w->d * rows),
              c->batch_first ? mem_printf("b * %s + t", int_text(c->steps))
                             : mem_printf("t * %s + b", int_text(c->batch)),
              all);
    emit_line(w->e, "%s *state = h + b * %s;", dtype_c(c->codes ? DT_I8 : c->dtype), int_text(c->hidden));
}

const char *cell_y_place(const CellWalk *w)
{
    const Cell *c = w->c;
    int64_t start = cell_y(c, 0, w->d, 0);
    return mem_printf("%s + %s + t * %s + b * %s", emit_ptr(w->e, cell_output(w, CELL_Y)), int_text(start),
                      int_text(cell_y(c, 1, w->d, 0) - start), int_text(cell_y(c, 0, w->d, 1) - start));
}

/* Behind its length a row keeps its state and its Y is zero. */
void emit_cell_length(const CellWalk *w)
{
    if (!cell_input(w->n, CELL_LENGTHS))
        return;
    emit_line(w->e, "if (t >= (%s)[b]) {", emit_ptr(w->e, w->n->in[CELL_LENGTHS]));
    if (cell_output(w, CELL_Y))
        emit_line(w->e, "memset(%s, 0, %s * sizeof(%s));", cell_y_place(w), int_text(w->c->hidden),
                  dtype_c(cell_output(w, CELL_Y)->type.dtype));
    emit_line(w->e, "continue;");
    emit_line(w->e, "}");
}
