/* layer_cases.h - random linear layers as one-layer models, for tests of generated code that need no ONNX file. */
#ifndef TERNC_LAYER_CASES_H
#define TERNC_LAYER_CASES_H

#include "graph/ir.h"
#include "support/pick.h"

static inline float pick_float(void)
{
    return (float)pick(-1000, 1000) / 1000;
}

static inline int64_t weights_of(const Layer *l)
{
    return l->co * (l->ci / l->groups) * l->kh * l->kw;
}

/* Sizes along one axis; false when they leave no output, or a tap that only ever meets padding. */
static inline bool pick_axis(LayerKind kind, int64_t *in, int64_t *out, int64_t *k, int64_t *s, int64_t *d,
                             int64_t *before, int64_t *after)
{
    *in = pick(2, 13);
    *k = pick(1, 4);
    *s = pick(1, 3);
    *d = pick(1, 2);
    int64_t reach = (*k - 1) * *d + 1;
    *before = pick(0, reach / 2);
    *after = pick(0, reach / 2);
    if (kind == LAYER_CONV_TRANSPOSE) {
        *out = (*in - 1) * *s + reach - *before - *after;
        return *out >= reach && *in > 2;
    }
    *out = (*in + *before + *after - reach) / *s + 1;
    return *in >= reach && *in + *before + *after >= reach + *s;
}

static inline void pick_geometry(Layer *l, bool one_row)
{
    *l = (Layer){.kind = l->kind, .ih = 1, .oh = 1, .kh = 1, .sh = 1, .dh = 1};
    while (!pick_axis(l->kind, &l->iw, &l->ow, &l->kw, &l->sw, &l->dw, &l->pl, &l->pr))
        ;
    while (!one_row && !pick_axis(l->kind, &l->ih, &l->oh, &l->kh, &l->sh, &l->dh, &l->pt, &l->pb))
        ;
    l->groups = pick(0, 2) ? 1 : pick(1, 4);
    bool depthwise = l->groups > 1 && pick(0, 1);
    l->ci = l->groups * (depthwise ? 1 : pick(1, pick(0, 3) ? 5 : 15));
    l->co = l->groups * (depthwise ? 1 : pick(1, pick(0, 3) ? 5 : 20));
}

static inline void pick_fully_connected(Layer *l)
{
    *l = (Layer){.kind = LAYER_FC, .groups = 1, .ih = 1, .iw = 1, .oh = 1, .ow = 1, .kh = 1, .kw = 1};
    l->sh = l->sw = l->dh = l->dw = 1;
    l->ci = pick(1, 40);
    l->co = pick(1, 30);
}

static inline void pick_pool(Layer *l)
{
    int64_t kh = l->oh > 1 ? 2 : 1, sh = kh + (l->oh > 4 && !pick(0, 3)), sw = 2 + pick(0, 1);
    if (l->kind != LAYER_CONV || l->ow < 2 || pick(0, 2))
        return;
    l->pool = (Pool){.kind = pick(0, 1) ? POOL_MAX : POOL_AVERAGE, .kh = kh, .kw = 2, .sh = sh, .sw = sw};
    l->pool.oh = (l->oh - kh) / sh + 1;
    l->pool.ow = (l->ow - 2) / sw + 1;
}

static inline void pick_activation(Layer *l)
{
    static const Activation acts[] = {{ACT_NONE, 0, 0},
                                      {ACT_RELU, 0, 0},
                                      {ACT_CLIP, 0, 6},
                                      {ACT_LEAKY_RELU, .1f, 0},
                                      {ACT_SIGMOID, 0, 0},
                                      {ACT_TANH, 0, 0},
                                      {ACT_HARD_SIGMOID, .2f, .5f},
                                      {ACT_HARD_SWISH, 0, 0}};
    l->act = acts[pick(0, sizeof acts / sizeof acts[0] - 1)];
}

/* Ternary weights of random density, or float ones; scale and bias may be absent, or the same for all channels. */
static inline void pick_values(Layer *l, bool ternary)
{
    int64_t n = weights_of(l), density = pick(0, 9) ? pick(1, 10) : 0;
    int8_t *codes = NEW_ARRAY(int8_t, n);
    float *weights = NEW_ARRAY(float, n), *scale = NEW_ARRAY(float, l->co), *bias = NEW_ARRAY(float, l->co);
    for (int64_t i = 0; i < n; i++) {
        codes[i] = (int8_t)(pick(0, 9) < density ? 2 * pick(0, 1) - 1 : 0);
        weights[i] = pick_float();
    }
    bool same = pick(0, 3) == 0;
    for (int64_t c = 0; c < l->co; c++) {
        scale[c] = same && c ? scale[0] : 0.001f + pick_float() * pick_float();
        bias[c] = same && c ? bias[0] : pick_float();
    }
    for (int64_t i = 0; ternary && i < n; i++)
        l->zeros += codes[i] == 0;
    l->codes = ternary ? codes : NULL;
    l->weights = ternary ? NULL : weights;
    l->scale = pick(0, 4) ? scale : NULL;
    l->bias = pick(0, 4) ? bias : NULL;
}

static inline Layer *pick_layer(LayerKind kind, bool one_row, bool ternary)
{
    Layer *l = NEW(Layer);
    l->kind = kind;
    if (kind == LAYER_FC)
        pick_fully_connected(l);
    else
        pick_geometry(l, one_row);
    l->batch = pick(0, 2) ? 1 : pick(2, 3);
    pick_pool(l);
    pick_activation(l);
    pick_values(l, ternary);
    l->source = "a random layer";
    return l;
}

static inline Type layer_type(const Layer *l, bool output, bool one_row)
{
    bool pooled = l->pool.kind != POOL_NONE;
    int64_t h = !output ? l->ih : pooled ? l->pool.oh : l->oh, w = !output ? l->iw : pooled ? l->pool.ow : l->ow;
    int64_t dims[] = {l->batch, output ? l->co : l->ci, h, w};
    if (l->kind == LAYER_FC)
        return type_make(DT_F32, 2, dims);
    if (!one_row)
        return type_make(DT_F32, 4, dims);
    dims[2] = w;
    return type_make(DT_F32, 3, dims);
}

/* A model of this layer. `behind`: behind a Neg, so that its input lies in the arena. */
static inline Graph *layer_graph(const Layer *l, bool one_row, bool behind)
{
    Graph *g = graph_new("layer.onnx", "layer");
    Tensor *x = graph_tensor(g, "x", layer_type(l, false, one_row));
    g->inputs = NEW_ARRAY(Tensor *, 1);
    g->inputs[g->num_inputs++] = x;
    if (behind) {
        Node *n = node_new(OP_Neg, "negate", 1, 1);
        n->in[0] = x;
        n->out[0] = x = graph_tensor(g, "t", x->type);
        node_append(g, n);
    }
    Node *n = node_new(OP_Layer, "layer", 1, 1);
    n->in[0] = x;
    n->out[0] = graph_tensor(g, "y", layer_type(l, true, one_row));
    n->layer = NEW(Layer);
    *n->layer = *l;
    node_append(g, n);
    g->outputs = NEW_ARRAY(Tensor *, 1);
    g->outputs[g->num_outputs++] = n->out[0];
    return g;
}

static inline Plan *layer_plan(Graph *g, const Options *opt)
{
    verify_graph(g, "layer_cases");
    pass_lower(g, opt);
    return plan_graph(g, opt);
}

#endif
