/* random_layer.h - for tests and calibrate.c: a layer of random ternary weights, and a graph of that layer alone. */
#ifndef TERNC_TESTS_RANDOM_LAYER_H
#define TERNC_TESTS_RANDOM_LAYER_H

#include "layers/layers.h"

static inline uint32_t random_below(uint32_t *state, uint32_t limit)
{
    *state = *state * 1664525u + 1013904223u;
    return (*state >> 8) % limit;
}

/* A square convolution, or with kernel and size 1 a fully connected layer. density: the share of weights not 0. */
static inline Layer *random_layer(LayerKind kind, int64_t groups, int64_t ci, int64_t co, int64_t kernel,
                                  int64_t stride, int64_t size, double density)
{
    Layer *l = NEW(Layer);
    int64_t out = (size - kernel) / stride + 1, n = co * (ci / groups) * kernel * kernel;
    *l = (Layer){.kind = kind,
                 .batch = 1,
                 .groups = groups,
                 .ci = ci,
                 .co = co,
                 .ih = size,
                 .iw = size,
                 .oh = out,
                 .ow = out,
                 .kh = kernel,
                 .kw = kernel,
                 .sh = stride,
                 .sw = stride,
                 .dh = 1,
                 .dw = 1,
                 .source = "a layer"};
    int8_t *codes = NEW_ARRAY(int8_t, n);
    uint32_t state = 1;
    for (int64_t i = 0; i < n; i++)
        if (random_below(&state, 10000) < (uint32_t)(density * 10000))
            codes[i] = random_below(&state, 2) ? 1 : -1;
    l->codes = codes;
    return l;
}

static inline Graph *layer_alone(Layer *l)
{
    Graph *g = graph_new("layer", "layer");
    int64_t x[] = {1, l->ci, l->ih, l->iw}, y[] = {1, l->co, l->oh, l->ow};
    int rank = l->kind == LAYER_FC ? 2 : 4;
    Node *n = node_new(OP_Layer, "", 1, 1);
    g->inputs = NEW_ARRAY(Tensor *, 1);
    g->outputs = NEW_ARRAY(Tensor *, 1);
    g->inputs[0] = n->in[0] = graph_tensor(g, "x", type_make(DT_F32, rank, x));
    g->outputs[0] = n->out[0] = graph_tensor(g, "y", type_make(DT_F32, rank, y));
    n->out[0]->producer = n;
    n->layer = l;
    node_append(g, n);
    g->num_inputs = g->num_outputs = 1;
    return g;
}

#endif
