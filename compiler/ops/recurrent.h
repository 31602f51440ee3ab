/* recurrent.h - LSTM, GRU and RNN: what one node computes, read from its attributes and shapes. Shared by the
 * operators (op_recurrent.c), the pass that splits them (passes/recurrent.c), the printer (emit_recurrent.c)
 * and check. */
#ifndef TERNC_RECURRENT_H
#define TERNC_RECURRENT_H

#include "graph/cell.h"
#include "graph/options.h"

/* Of an LSTM, GRU or RNN whose inputs have their types; fails on contradictions. */
Cell cell_read(const Graph *g, const Node *n);
const Tensor *cell_input(const Node *n, int place); /* NULL: left out */

/* How R * h falls into products: GRU needs r before the last third, but with linear_before_reset. Returns how
 * many a direction has, product i covering gates [first[i], first[i + 1]). */
int cell_products(const Cell *c, int *first);

/* Places of step t, direction d, batch row b in the products X * W (rows), Y and the states (elements). */
int64_t cell_row(const Cell *c, int64_t t, int64_t b);
int64_t cell_y(const Cell *c, int64_t t, int64_t d, int64_t b);
int64_t cell_state(const Cell *c, int64_t d, int64_t b);
int64_t cell_time(const Cell *c, int64_t d, int64_t s); /* the time at which direction d is in its step s */
bool cell_has_memory(const Cell *c);                    /* a second state, C */

/* What `check` is told of: directions * steps * states; nothing of no rows, whose code is empty. */
int cell_records(const Cell *c);

/* A value and how far rounding may have moved the same computation in the cell's own type. */
typedef struct Approx {
    double v, e;
} Approx;

/* One step of one batch row in double. All values are those of direction d. */
typedef struct CellStep {
    const Cell *cell;
    int64_t direction;
    const double *xw;      /* [gates][hidden] */
    const double *r;       /* [gates][hidden][hidden] */
    const double *b;       /* [2][gates][hidden], or NULL */
    const double *p;       /* [3][hidden], or NULL */
    const double *h, *c;   /* the states before; c NULL without memory */
    Approx *new_h, *new_c; /* behind; rounding of this step alone */
} CellStep;
void cell_step(const CellStep *s);

/* The weights of a node as doubles, for cell_step. */
typedef struct CellWeights {
    double *r, *b, *p; /* of all directions; b and p may be NULL */
} CellWeights;
CellWeights cell_weights(const Cell *c, const Node *n, const void *const *in);
void cell_weights_free(CellWeights *w);
void cell_step_weights(CellStep *s, const CellWeights *w, int64_t d); /* sets r, b, p, direction */
/* Whether row b still runs at time t; lengths NULL: all do. */
bool cell_runs(const int32_t *lengths, int64_t b, int64_t t);

/* What an activation makes of x, unclipped. */
double gate_value(GateFunction f, double x);

/* ---- cell_codes.c: cells in whole numbers ---- */

/* Whether the LSTM, GRU or RNN can be one: its weights are constant, and its activations are between -1 and
 * 1, those of gates between 0 and 1, continuous, and hardly change beyond -8 and 8. */
bool cell_counts(const Graph *g, const Node *n);
/* The tables of a model's cells, begins as {0}. */
typedef struct ActivationTables {
    Names names; /* of functions: their numbers */
    ActivationTable **list;
    int count, cap;
} ActivationTables;
const CellCodes *cell_codes(const Cell *c, int h_bits, ActivationTables *all);
int h_bits_for(Range r);              /* the finest codes that h of this range, within -1 and 1, can have */
int h_bits_of(const Node *quantizer); /* those of the range that its codes reach; NULL: of 1 */
/* The type of a state behind a step, with `memory` of C; with codes of a GRU's h that of which its codes are
 * made. */
DType cell_state_type(const Cell *c, bool memory);
int cell_state_bits(const Cell *c, bool memory); /* with codes: the steps of 1 are 2 to this power */
double cell_state_from(const Cell *c, bool memory, double v);            /* v as a state holds it */
double cell_state_as(const Cell *c, bool memory, DType d, double state); /* as an output of type d has it */

/* The internal operator Recurrent; out as in OpDef.eval. */
void eval_recurrent(const Graph *g, const Node *n, const void *const *in, void *const *out);

/* Blocks of scratch memory of its C, in bytes. c: an LSTM's C, or of a GRU in whole numbers what the codes in
 * h are made of. */
typedef struct CellScratch {
    int64_t h, c, sums, reset_h, total;
} CellScratch;
CellScratch cell_scratch(const Cell *c);

#endif
