/* cell.h - what an LSTM, GRU or RNN computes, beside the node; read by ops/op_recurrent.c. */
#ifndef TERNC_CELL_H
#define TERNC_CELL_H

#include "graph/ir.h"

/* Activation functions: X(name in ONNX, name here, takes alpha, takes beta, default alpha, default beta).
 * NAN: there is none, for ONNX has no operator of this name any more. */
#define GATE_FUNCTIONS(X)                                                                                    \
    X(Sigmoid, sigmoid, 0, 0, 0, 0)                                                                          \
    X(Tanh, tanh, 0, 0, 0, 0)                                                                                \
    X(Relu, relu, 0, 0, 0, 0)                                                                                \
    X(Affine, affine, 1, 1, NAN, NAN)                                                                        \
    X(LeakyRelu, leaky_relu, 1, 0, 0.01, 0)                                                                  \
    X(ThresholdedRelu, thresholded_relu, 1, 0, 1, 0)                                                         \
    X(ScaledTanh, scaled_tanh, 1, 1, NAN, NAN)                                                               \
    X(HardSigmoid, hard_sigmoid, 1, 1, 0.2, 0.5)                                                             \
    X(Elu, elu, 1, 0, 1, 0)                                                                                  \
    X(Softsign, softsign, 0, 0, 0, 0)                                                                        \
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

/* Inputs of a node, by place; LSTM has all, GRU and RNN those up to CELL_H. The internal operator Recurrent
 * has the products X * W [steps * batch][directions * gates * hidden] in place of X, and no W. */
enum { CELL_X, CELL_W, CELL_R, CELL_B, CELL_LENGTHS, CELL_H, CELL_C, CELL_P };
enum { CELL_Y, CELL_Y_H, CELL_Y_C };

enum { MAX_PRODUCTS = 4 };

/* A cell in whole numbers: h has codes of 1 / 128 or, where all of it is small, finer ones; what goes into an
 * activation steps of 1 / 1024, an LSTM's C steps of 1 / 2048, gates and a GRU's h, of which its codes are
 * made, steps of 1 / 32768. */
enum { LEAST_H_BITS = 7, MOST_H_BITS = 14, GATE_BITS = 10, MEMORY_BITS = 11, UNIT_BITS = 15 };
enum { ACTIVATION_RANGE = 8, ACTIVATION_PARTS = 16, ACTIVATION_ENTRIES = 2 * 8 * 16 + 1 };

/* A function of -8 to 8 in sixteenths, in UNIT_BITS; beyond it is as at the ends. */
typedef struct ActivationTable {
    int number; /* from 0, in the model */
    int16_t values[ACTIVATION_ENTRIES];
} ActivationTable;

typedef struct CellCodes {
    int h_bits;                          /* the step of h is 2 to the power of -h_bits */
    const ActivationTable *tables[2][3]; /* of Cell.functions, clipped before */
} CellCodes;

typedef struct Cell {
    OpKind op; /* LSTM, GRU or RNN */
    const char *source;
    DType dtype;
    int64_t directions, steps, batch, inputs, hidden, gates; /* gates: rows of W and R are [gates][hidden] */
    bool backward;    /* direction 0 walks from the last step to the first */
    bool batch_first; /* layout = 1 */
    bool coupled;     /* input_forget: f = 1 - i */
    bool linear_before_reset;
    double clip;                  /* of what goes into activations; infinite: none */
    GateFunction functions[2][3]; /* by direction: f, g, h */
    /* Recurrent: B is in the products; only Rb of h with linear_before_reset is left */
    bool bias_in_products;
    /* Recurrent with constant R: per direction its layers, see cell_products */
    Layer *products[MAX_PRODUCTS];
    int num_products; /* 0: R is a run-time input, or of double */
    /* Recurrent in whole numbers, of products X * W and R * h in GATE_BITS; NULL: in dtype */
    const CellCodes *codes;
} Cell;

#endif
