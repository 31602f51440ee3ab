/* coded.h - random linear nodes between DequantizeLinear and QuantizeLinear, for tests of layers that read
 * codes. */
#ifndef TERNC_TESTS_CODED_H
#define TERNC_TESTS_CODED_H

#include "support/layers.h"

/* The signs of weights: what sums they make. */
typedef enum Signs { SIGNS_BOTH, SIGNS_PLUS, SIGNS_MINUS, NUM_SIGNS } Signs;

typedef struct Coded {
    Layer *l; /* its sizes, and its weights: codes, or ints of 8 bits */
    bool one_row;
    Signs signs;
    DType in, out; /* out DT_F32: there is no QuantizeLinear */
    int in_zero, out_zero;
    double in_step, out_step;
    float *alpha, *bias; /* [co]: real weights are alpha times whole numbers; bias NULL: none */
    Activation act;
    bool behind; /* behind a table of codes: the input lies in the arena */
} Coded;

/* wish.ternary: else weights of 8 bits. */
Coded *draw_coded(LayerWish wish, bool codes_out);
void coded_set_steps(Coded *q, double share); /* outputs use that many times the codes that there are */
Graph *coded_graph(const Coded *q);
const Layer *only_layer(const Graph *g); /* NULL: there is none, or there are several */
const char *coded_text(const Coded *q);

#endif
