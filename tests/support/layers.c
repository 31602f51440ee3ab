/* layers.c - the generator of random linear layers. Groups, strides, dilations, uneven padding, batches,
 * pooling, activations, absent or equal scales and biases, 1-D, flat and transposed convolutions all meet. */
#include "codegen/codegen.h"
#include "passes/passes.h"
#include "support/layers.h"
#include "support/pick.h"

#include <inttypes.h>

float pick_float(void)
{
    return (float)pick(-1000, 1000) / 500;
}

/* ---- shapes ---- */

/* Rows or columns, with the pooling behind them. */
typedef struct Axis {
    int64_t in, out, kernel, stride, dilation, before, after;
    int64_t window, step, pooled;
} Axis;

static bool is_pooled(const Axis *a, int64_t o)
{
    return o / a->step < a->pooled && o % a->step < a->window;
}

/* Whether tap k meets an input and an output that is used, both inside. */
static bool tap_is_seen(const Axis *a, int64_t k, bool transposed)
{
    int64_t from = transposed ? a->in : a->out, to = transposed ? a->out : a->in;
    for (int64_t i = 0; i < from; i++) {
        int64_t at = i * a->stride - a->before + k * a->dilation;
        if (at >= 0 && at < to && is_pooled(a, transposed ? at : i))
            return true;
    }
    return false;
}

static bool taps_are_seen(const Axis *a, bool transposed)
{
    bool seen = true;
    for (int64_t k = 0; k < a->kernel; k++)
        seen &= tap_is_seen(a, k, transposed);
    return seen;
}

/* False when the sizes leave no output. Without pooling each output is a window of its own. */
static bool draw_sizes(Axis *a, bool transposed, bool pool, int64_t longest)
{
    *a = (Axis){.in = pick(1, pick(0, 2) ? longest : 13), .kernel = pick(1, 5), .window = 1, .step = 1};
    a->stride = pick(1, 3);
    a->dilation = pick(1, 2);
    if (pick(0, 2)) {
        a->before = pick(0, 3);
        a->after = pick(0, 3);
    }
    if (pool) {
        a->window = pick(1, 3);
        a->step = a->window + pick(0, 1);
    }
    int64_t reach = (a->kernel - 1) * a->dilation + 1, padding = a->before + a->after;
    if (transposed)
        a->out = (a->in - 1) * a->stride + reach - padding + pick(0, a->stride - 1);
    else if (a->in + padding >= reach)
        a->out = (a->in + padding - reach) / a->stride + 1;
    a->pooled = a->out >= a->window ? (a->out - a->window) / a->step + 1 : 0;
    return a->pooled > 0;
}

static Axis draw_axis(const LayerWish *wish, bool pool, int64_t longest)
{
    bool transposed = wish->kind == LAYER_CONV_TRANSPOSE;
    Axis a;
    while (!draw_sizes(&a, transposed, pool, longest) || (wish->seen && !taps_are_seen(&a, transposed)))
        ;
    return a;
}

static void draw_convolution(Layer *l, const LayerWish *wish)
{
    bool pool = l->kind == LAYER_CONV && pick(0, 1), flat = wish->one_row || !pick(0, 3);
    Axis x = draw_axis(wish, pool, 40), y = {1, 1, 1, 1, 1, 0, 0, 1, 1, 1};
    if (!flat)
        y = draw_axis(wish, pool, 20);
    else if (pool && !wish->one_row)
        y.step = pick(1, 2);
    l->iw = x.in, l->ow = x.out, l->kw = x.kernel, l->sw = x.stride, l->dw = x.dilation, l->pl = x.before;
    l->ih = y.in, l->oh = y.out, l->kh = y.kernel, l->sh = y.stride, l->dh = y.dilation, l->pt = y.before;
    l->pr = x.after, l->pb = y.after;
    if (pool)
        l->pool = (Pool){
            (PoolKind)pick(POOL_MAX, POOL_AVERAGE), y.window, x.window, y.step, x.step, y.pooled, x.pooled};
    l->groups = pick(0, 1) ? pick(1, 4) : 1;
    bool depthwise = l->groups > 1 && !pick(0, 2);
    l->ci = l->groups * (depthwise ? 1 : pick(1, pick(0, 2) ? 6 : 15));
    l->co = l->groups * (depthwise ? 1 : pick(1, pick(0, 2) ? 20 : 6));
}

static void draw_fully_connected(Layer *l)
{
    l->groups = l->ih = l->iw = l->oh = l->ow = l->kh = l->kw = l->sh = l->sw = l->dh = l->dw = 1;
    l->ci = pick(1, pick(0, 2) ? 200 : 40);
    l->co = pick(1, pick(0, 2) ? 60 : 30);
}

/* ---- values ---- */

/* density: the share of codes that are not 0. */
static void draw_codes(Layer *l, double density)
{
    int64_t n = layer_weight_count(l);
    int8_t *codes = NEW_ARRAY(int8_t, n);
    for (int64_t i = 0; i < n; i++) {
        codes[i] = (int8_t)((double)pick(0, 9999) < 10000 * density ? 2 * pick(0, 1) - 1 : 0);
        l->zeros += codes[i] == 0;
    }
    l->codes = codes;
}

static float *draw_floats(int64_t n)
{
    float *v = NEW_ARRAY(float, n);
    for (int64_t i = 0; i < n; i++)
        v[i] = pick_float();
    return v;
}

/* The parameters that models mostly have, or any. */
static Activation draw_activation(void)
{
    static const Activation usual[] = {{ACT_NONE, 0, 0},
                                       {ACT_RELU, 0, 0},
                                       {ACT_CLIP, 0, 6},
                                       {ACT_LEAKY_RELU, .1f, 0},
                                       {ACT_SIGMOID, 0, 0},
                                       {ACT_TANH, 0, 0},
                                       {ACT_HARD_SIGMOID, .2f, .5f},
                                       {ACT_HARD_SWISH, 0, 0}};
    Activation act = usual[pick(0, sizeof usual / sizeof usual[0] - 1)];
    return pick(0, 1) ? act : (Activation){act.kind, .25f, .75f};
}

/* Scale and bias may be absent, or the same for all channels. */
static void draw_epilogue(Layer *l)
{
    float *scale = draw_floats(l->co), *bias = draw_floats(l->co);
    bool same = !pick(0, 3);
    for (int64_t c = 1; same && c < l->co; c++) {
        scale[c] = scale[0];
        bias[c] = bias[0];
    }
    l->scale = pick(0, 4) ? scale : NULL;
    l->bias = pick(0, 3) ? bias : NULL;
    l->act = draw_activation();
}

Layer *draw_layer(LayerWish wish)
{
    Layer *l = NEW(Layer);
    *l = (Layer){.kind = wish.kind, .batch = pick(0, 1) ? 1 : pick(2, 3), .source = "a random layer"};
    if (wish.kind == LAYER_FC)
        draw_fully_connected(l);
    else
        draw_convolution(l, &wish);
    if (wish.ternary)
        draw_codes(l, (double)pick(0, 10) / 10);
    else
        l->weights = draw_floats(layer_weight_count(l));
    draw_epilogue(l);
    return l;
}

Layer *draw_weights(LayerKind kind, int64_t groups, int64_t ci, int64_t co, int64_t kernel, int64_t stride,
                    int64_t size, double density)
{
    Layer *l = NEW(Layer);
    *l = (Layer){.kind = kind,
                 .batch = 1,
                 .groups = groups,
                 .ci = ci,
                 .co = co,
                 .dh = 1,
                 .dw = 1,
                 .source = "a layer"};
    l->ih = l->iw = size;
    l->oh = l->ow = (size - kernel) / stride + 1;
    l->kh = l->kw = kernel;
    l->sh = l->sw = stride;
    draw_codes(l, density);
    return l;
}

/* The largest sums become the largest codes. SPREAD: the first channel's factor takes the bits of the
 * others'. */
static void set_output_codes(Layer *l, Quantised *q, CodeOutputs outputs)
{
    enum { SPREAD = 4096, CLIPPED = 200 };
    double *factor = NEW_ARRAY(double, l->co), *offset = NEW_ARRAY(double, l->co);
    double most = q->sum_high > -q->sum_low ? (double)q->sum_high : -(double)q->sum_low;
    for (int64_t c = 0; c < l->co; c++) {
        factor[c] =
            UINT8_MAX / (most + 1) * (1 + (double)c / 64) * (outputs == WIDE_CODES && !c ? SPREAD : 1);
        offset[c] = (double)((weight_sum(l, c) + c) % 16);
    }
    q->high = outputs == CLIPPED_CODES ? CLIPPED : UINT8_MAX;
    if (!requantise(l, factor, offset, q))
        bug("a layer of codes without factors");
}

void make_codes(Layer *l, int zero, CodeOutputs outputs)
{
    Quantised *q = NEW(Quantised);
    *q = (Quantised){.in = zero ? DT_I8 : DT_U8, .in_zero = zero, .out = DT_U8};
    l->quantised = q;
    set_sum_range(l, q);
    if (outputs == FLOAT_OUTPUTS)
        q->out = DT_F32;
    else
        set_output_codes(l, q, outputs);
}

const char *layer_text(const Layer *l)
{
    return mem_printf("kind %d lowering %d groups %" PRId64 " batch %" PRId64 " %" PRId64 "x%" PRId64
                      "x%" PRId64 " -> %" PRId64 "x%" PRId64 "x%" PRId64 " kernel %" PRId64 "x%" PRId64
                      " stride %" PRId64 "x%" PRId64 " dilation %" PRId64 "x%" PRId64 " pads %" PRId64
                      ",%" PRId64 ",%" PRId64 ",%" PRId64 " pool %d %" PRId64 "x%" PRId64 " steps %" PRId64
                      "x%" PRId64 " act %d",
                      (int)l->kind, (int)l->lowering, l->groups, l->batch, l->ci, l->ih, l->iw, l->co, l->oh,
                      l->ow, l->kh, l->kw, l->sh, l->sw, l->dh, l->dw, l->pt, l->pl, l->pb, l->pr,
                      (int)l->pool.kind, l->pool.kh, l->pool.kw, l->pool.sh, l->pool.sw, (int)l->act.kind);
}

/* ---- models ---- */

static Type make_type(const Layer *l, DType d, bool one_row, int64_t channels, int64_t rows, int64_t columns)
{
    int64_t dims[] = {l->batch, channels, one_row ? columns : rows, columns};
    return type_make(d, l->kind == LAYER_FC ? 2 : one_row ? 3 : 4, dims);
}

Type layer_input_type(const Layer *l, bool one_row)
{
    return make_type(l, layer_input(l), one_row, l->ci, l->ih, l->iw);
}

Type layer_output_type(const Layer *l, bool one_row)
{
    bool pooled = l->pool.kind != POOL_NONE;
    return make_type(l, layer_output(l), one_row, l->co, pooled ? l->pool.oh : l->oh,
                     pooled ? l->pool.ow : l->ow);
}

Graph *layer_graph(Layer *l, bool one_row, bool behind)
{
    Graph *g = graph_new("layer.onnx", "layer");
    Tensor *x = graph_tensor(g, "x", layer_input_type(l, one_row));
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
    n->out[0] = graph_tensor(g, "y", layer_output_type(l, one_row));
    n->layer = l;
    node_append(g, n);
    g->outputs = NEW_ARRAY(Tensor *, 1);
    g->outputs[g->num_outputs++] = n->out[0];
    return g;
}

Plan *layer_plan(Graph *g, const Options *opt)
{
    verify_graph(g, "layer_graph");
    pass_lower(g, opt);
    return plan_graph(g, opt);
}
