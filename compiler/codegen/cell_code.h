/* cell_code.h - what emit_recurrent.c and emit_cell_codes.c share: a direction of a Recurrent being printed.
 */
#ifndef TERNC_CELL_CODE_H
#define TERNC_CELL_CODE_H

#include "codegen/layer_code.h"
#include "ops/recurrent.h"

typedef struct CellWalk {
    Emitter *e;
    const Node *n;
    const Cell *c;
    CellScratch scratch;
    int64_t d;
} CellWalk;

/* ---- emit_cell_rows.c ---- */

const char *cell_place(const CellWalk *w, int input, int64_t at); /* an element of an input */
const Tensor *cell_output(const CellWalk *w, int i);              /* NULL: not wanted */
int64_t cell_row_step(const CellWalk *w);    /* elements from a row of a state to the next, in the tensors */
const char *cell_y_place(const CellWalk *w); /* Y of time t and row b */
/* The loop over rows b, x the products with W of the row, state its h. The caller closes it. */
void open_cell_rows(const CellWalk *w);
void emit_cell_length(const CellWalk *w); /* behind its length a row keeps its state and its Y is zero */

/* ---- emit_cell_codes.c: cells in whole numbers ---- */

const char *cell_state_name(const Cell *c); /* what h is made of */
void load_code_states(const CellWalk *w);
void emit_code_step(const CellWalk *w);
void store_code_states(const CellWalk *w);

#endif
