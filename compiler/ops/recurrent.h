/* recurrent.h - LSTM, GRU and RNN: what one node computes, read from its attributes and shapes. Shared by the operators
 * (op_recurrent.c), the pass that splits them (passes/recurrent.c), the printer (emit_recurrent.c) and check. */
#ifndef TERNC_RECURRENT_H
#define TERNC_RECURRENT_H

#include "graph/ir.h"

/* Activation functions: X(name in ONNX, name here, takes alpha, takes beta, default alpha, default beta). NAN: there is
 * none, because ONNX has no operator of this name any more from which the default would come. */
#define GATE_FUNCTIONS(X)                                                                                              \
    X(Sigmoid, sigmoid, 0, 0, 0, 0)                                                                                    \
    X(Tanh, tanh, 0, 0, 0, 0)                                                                                          \
    X(Relu, relu, 0, 0, 0, 0)                                                                                          \
    X(Affine, affine, 1, 1, NAN, NAN)                                                                                  \
    X(LeakyRelu, leaky_relu, 1, 0, 0.01, 0)                                                                            \
    X(ThresholdedRelu, thresholded_relu, 1, 0, 1, 0)                                                                   \
    X(ScaledTanh, scaled_tanh, 1, 1, NAN, NAN)                                                                         \
    X(HardSigmoid, hard_sigmoid, 1, 1, 0.2, 0.5)                                                                       \
    X(Elu, elu, 1, 0, 1, 0)                                                                                            \
    X(Softsign, softsign, 0, 0, 0, 0)                                                                                  \
    X(Softplus, softplus, 0, 0, 0, 0)

typedef enum GateKind {
#define X(onnx, kernel, has_alpha, has_beta, alpha, beta) GATE_##onnx,
    GATE_FUNCTIONS(X)
#undef X
        NUM_GATE_KINDS
} GateKind;

typedef struct GateFunction {
    GateKind kind;
    double alpha, beta;
} GateFunction;

/* Inputs of a node, by place; LSTM has all, GRU and RNN those up to CELL_H. The internal operator Recurrent has the
 * same, but in place of X the products X * W [steps * batch][directions * gates * hidden], and no W. */
enum { CELL_X, CELL_W, CELL_R, CELL_B, CELL_LENGTHS, CELL_H, CELL_C, CELL_P };
enum { CELL_Y, CELL_Y_H, CELL_Y_C };

enum { MAX_PRODUCTS = 4 };

typedef struct Cell {
    OpKind op; /* LSTM, GRU or RNN */
    const char *source;
    DType dtype;
    int64_t directions, steps, batch, inputs, hidden, gates; /* gates: rows of W and R are [gates][hidden] */
    bool backward;                                           /* direction 0 walks from the last step to the first */
    bool batch_first;                                        /* layout = 1 */
    bool coupled;                                            /* input_forget: f = 1 - i */
    bool linear_before_reset;
    double clip;                   /* of what goes into activations; infinite: none */
    GateFunction functions[2][3];  /* by direction: f, g, h */
    bool bias_in_products;         /* Recurrent: B is in the products; only Rb of h with linear_before_reset is left */
    Layer *products[MAX_PRODUCTS]; /* Recurrent with constant R: per direction its layers, see cell_products */
    int num_products;              /* 0: R is a run-time input */
} Cell;

/* Of an LSTM, GRU or RNN whose inputs have their types; fails on contradictions. */
Cell cell_read(const Graph *g, const Node *n);
const Tensor *cell_input(const Node *n, int place); /* NULL: left out */

/* How R * h falls into products: GRU needs r before the last third, but with linear_before_reset. Returns how many a
 * direction has, product i covering gates [first[i], first[i + 1]). */
int cell_products(const Cell *c, int *first);

/* Places of step t, direction d, batch row b in the products X * W (rows), Y and the states (elements). */
int64_t cell_row(const Cell *c, int64_t t, int64_t b);
int64_t cell_y(const Cell *c, int64_t t, int64_t d, int64_t b);
int64_t cell_state(const Cell *c, int64_t d, int64_t b);
int64_t cell_time(const Cell *c, int64_t d, int64_t s); /* the time at which direction d is in its step s */
bool cell_has_memory(const Cell *c);                    /* a second state, C */

int cell_records(const Cell *c); /* what `check` is told of: directions * steps * states */

/* A value and how far rounding may have moved the same computation in the cell's own type. */
typedef struct Approx {
    double v, e;
} Approx;

/* One step of one batch row in double. All values are those of direction d. */
typedef struct CellStep {
    const Cell *cell;
    int64_t direction;
    const double *xw;        /* [gates][hidden] */
    const double *r, *b, *p; /* r [gates][hidden][hidden], b [2][gates][hidden] or NULL, p [3][hidden] or NULL */
    const double *h, *c;     /* the states before; c NULL without memory */
    Approx *new_h, *new_c;   /* behind; rounding of this step alone */
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

/* check_states.c: records[k] is a state behind a step, [batch][hidden], as the generated code reported it, in the order
 * [direction][step][h, c]. Each step is computed again from the states before it; outputs must be the states. */
typedef struct StateCheck {
    const Node *n;
    const void *const *in; /* of the node */
    const void *const *records;
} StateCheck;
Tensor state_tensor(const StateCheck *s, int k); /* record k's name and type */
void state_wanted(const StateCheck *s, int k, void *want, double *bound);
void state_output_wanted(const StateCheck *s, int k, void *want); /* output k */

/* states.c: graph inputs that want a graph output of the run before; at most one pair per input. After plan. */
typedef struct StatePair {
    int input, output;
    bool in_place; /* one array may be both */
} StatePair;
int find_state_pairs(const Graph *g, StatePair *pairs);

void emit_recurrent(Emitter *e, const Node *n);
int64_t recurrent_scratch_bytes(const Node *n);

#endif
