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
} Cell;

#endif
