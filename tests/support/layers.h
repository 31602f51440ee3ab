/* layers.h - random linear layers as one-layer models, for tests of generated code that need no ONNX file. */
#ifndef TERNC_TESTS_LAYERS_H
#define TERNC_TESTS_LAYERS_H

#include "layers/layers.h"

/* What a random layer has to be; all else is drawn. */
typedef struct LayerWish {
    LayerKind kind;
    bool one_row; /* a 1-D convolution, on tensors of rank 3 */
    bool ternary;
    bool seen; /* each tap of the kernel reads an input for some output that is used: else its weight does not
                  matter */
} LayerWish;

float pick_float(void); /* -2 to 2 */
Layer *draw_layer(LayerWish wish);
/* Random ternary weights in a square convolution without padding, or with kernel and size 1 in a fully
 * connected layer; no epilogue. size: rows and columns of the input; density: the share of weights that are
 * not 0. */
Layer *draw_weights(LayerKind kind, int64_t groups, int64_t ci, int64_t co, int64_t kernel, int64_t stride,
                    int64_t size, double density);
/* It reads codes, unsigned ones where zero is the code 0, and writes them; CLIPPED_CODES: not up to the
 * largest code, WIDE_CODES: products take 64 bits. */
typedef enum CodeOutputs { ANY_CODES, CLIPPED_CODES, WIDE_CODES, FLOAT_OUTPUTS } CodeOutputs;
void make_codes(Layer *l, int zero, CodeOutputs outputs);
const char *layer_text(const Layer *l); /* its shape, for messages */

Type layer_input_type(const Layer *l, bool one_row);
Type layer_output_type(const Layer *l, bool one_row);
/* A model of this layer, which it keeps. `behind`: behind a Neg, so that the layer's input lies in the
 * arena. */
Graph *layer_graph(Layer *l, bool one_row, bool behind);
Plan *layer_plan(Graph *g, const Options *opt); /* verified, lowered, planned */

#endif
