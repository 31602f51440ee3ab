/* coded.c - the generator of random linear nodes that read codes. */
#include "support/coded.h"
#include "layers/layers.h"
#include "support/pick.h"

#include <math.h>
#include <stdlib.h>

/* ---- what is drawn ---- */

/* Both ends of the range, the middle, or any. */
static int draw_zero(DType d)
{
    const int low = code_low(d), high = code_high(d);
    const int usual[] = {low, high, 0, (low + high + 1) / 2, (int)pick(low, high)};
    return usual[pick(0, 4)];
}

static int8_t with_sign(int v, Signs signs)
{
    if (signs == SIGNS_BOTH)
        return (int8_t)v;
    return (int8_t)(signs == SIGNS_PLUS ? abs(v) : -abs(v));
}

/* One channel in eight has no weights at all. */
static void draw_whole_weights(Coded *q)
{
    Layer *l = q->l;
    int64_t n = layer_weight_count(l);
    int8_t *whole = NEW_ARRAY(int8_t, n);
    for (int64_t c = 0; c < l->co; c++) {
        bool dead = !pick(0, 7);
        for (int64_t i = c * (n / l->co); i < (c + 1) * (n / l->co); i++) {
            int v = l->codes ? l->codes[i] : (int)pick(-INT8_MAX, INT8_MAX);
            whole[i] = with_sign(dead ? 0 : v, q->signs);
        }
    }
    *(l->codes ? &l->codes : &l->ints) = whole;
    l->weights = NULL;
}

/* Real sums vary by this much, roughly. */
static double spread(const Coded *q)
{
    int64_t n = layer_weight_count(q->l);
    double squares = 1;
    for (int64_t i = 0; i < n; i++) {
        double w = (double)q->alpha[i / (n / q->l->co)] * layer_weight(q->l, i);
        squares += w * w;
    }
    double codes = code_high(q->in) - code_low(q->in);
    return q->in_step * .29 * codes * sqrt(squares / (double)q->l->co);
}

void coded_set_steps(Coded *q, double share)
{
    q->out_step = (double)(float)(4 * spread(q) / (code_high(q->out) - code_low(q->out)) / share);
    for (int64_t c = 0; q->bias && c < q->l->co; c++)
        q->bias[c] = (float)(pick_float() * q->out_step * 40);
}

/* In front of an average there is none: it would not become part of the layer. */
static void draw_clamp(Coded *q)
{
    if (q->l->pool.kind == POOL_AVERAGE)
        return;
    static const ActKind kinds[] = {ACT_NONE, ACT_RELU, ACT_CLIP, ACT_SIGMOID, ACT_LEAKY_RELU};
    q->act.kind = kinds[pick(0, q->out == DT_F32 ? 4 : 2)];
    if (q->act.kind == ACT_CLIP)
        q->act =
            (Activation){ACT_CLIP, (float)(-q->out_step * (double)pick(0, 60)), (float)(q->out_step * 70)};
    if (q->act.kind == ACT_LEAKY_RELU)
        q->act.a = .25f;
}

static DType draw_type(void)
{
    static const DType types[] = {DT_U8, DT_I8, DT_I16};
    return types[pick(0, 2)];
}

/* Whether sums of codes of 16 bits stay in 32. */
static bool holds_words(const Coded *q)
{
    const Layer *l = q->l;
    int64_t n = layer_weight_count(l) / l->co, most = 0;
    for (int64_t c = 0; c < l->co; c++) {
        int64_t sum = 0;
        for (int64_t i = c * n; i < (c + 1) * n; i++)
            sum += abs(layer_weight(l, i));
        most = sum > most ? sum : most;
    }
    return most * (l->pool.kind ? l->pool.kh * l->pool.kw : 1) <= INT32_MAX / -INT16_MIN;
}

Coded *draw_coded(LayerWish wish, bool codes_out)
{
    static const double shares[] = {.02, .5, 1, 2, 20};
    Coded *q = NEW(Coded);
    *q = (Coded){.l = draw_layer(wish), .one_row = wish.one_row, .signs = (Signs)pick(0, NUM_SIGNS - 1)};
    draw_whole_weights(q);
    q->in = draw_type();
    if (!holds_words(q))
        q->in = DT_U8;
    q->out = codes_out ? draw_type() : DT_F32;
    q->in_zero = draw_zero(q->in);
    q->out_zero = codes_out ? draw_zero(q->out) : 0;
    q->in_step = (double)(float)(0.001 * (double)pick(1, 100));
    q->alpha = NEW_ARRAY(float, q->l->co);
    bool same = pick(0, 1);
    for (int64_t c = 0; c < q->l->co; c++)
        q->alpha[c] = same && c ? q->alpha[0] : (float)pick(1, 300) / 1000;
    q->bias = pick(0, 2) ? NEW_ARRAY(float, q->l->co) : NULL;
    coded_set_steps(q, shares[pick(0, 4)]);
    draw_clamp(q);
    q->behind = q->in != DT_I16 && pick(0, 1);
    return q;
}

/* ---- the graph ---- */

static Tensor *scalar(Graph *g, const char *name, DType d, double v)
{
    void *data = mem_alloc(dtype_size(d));
    elem_set(data, d, 0, v);
    return graph_const(g, name, type_make(d, 0, NULL), data);
}

static Tensor *with_type(Graph *g, const char *name, Type t, DType d)
{
    t.dtype = d;
    return graph_tensor(g, name, t);
}

static Tensor *add_node(Graph *g, Node *n, Tensor *x, Tensor *y)
{
    n->in[0] = x;
    n->out[0] = y;
    node_append(g, n);
    return y;
}

static Tensor *add_step(Graph *g, OpKind op, Tensor *x, Tensor *y, double step, int zero)
{
    Node *n = node_new(op, y->name, 3, 1);
    n->in[1] = scalar(g, mem_printf("%s_step", y->name), DT_F32, step);
    n->in[2] = scalar(g, mem_printf("%s_zero", y->name),
                      op == OP_QuantizeLinear ? y->type.dtype : x->type.dtype, zero);
    return add_node(g, n, x, y);
}

/* Codes go to other codes, all 256 to all 256. */
static Tensor *add_table(Graph *g, Tensor *x)
{
    enum { CODES = 256, STEP = 77 };
    const int64_t dims[] = {CODES};
    uint8_t *table = NEW_ARRAY(uint8_t, CODES);
    for (int i = 0; i < CODES; i++)
        table[i] = (uint8_t)(i * STEP);
    Node *n = node_new(OP_CodeTable, "shuffle", 2, 1);
    n->in[1] = graph_const(g, "table", type_make(x->type.dtype, 1, dims), table);
    return add_node(g, n, x, graph_tensor(g, "t", x->type));
}

static Tensor *add_weights(Graph *g, const Coded *q)
{
    const Layer *l = q->l;
    int64_t n = layer_weight_count(l), per_channel = n / l->co, tap[] = {l->kh, l->kw};
    float *w = NEW_ARRAY(float, n);
    for (int64_t i = 0; i < n; i++)
        w[i] = (float)layer_weight(l, i) * q->alpha[i / per_channel];
    int64_t dims[] = {l->co, l->ci / l->groups, q->one_row ? tap[1] : tap[0], tap[1]};
    Tensor *t = graph_const(g, "w", type_make(DT_F32, l->kind == LAYER_FC ? 2 : q->one_row ? 3 : 4, dims), w);
    if (l->codes) {
        int8_t *codes = NEW_ARRAY(int8_t, n);
        for (int64_t i = 0; i < n; i++)
            codes[i] = l->codes[i];
        t->ternary = NEW(Ternary);
        *t->ternary = (Ternary){codes, q->alpha, l->co, l->co, 1, 1, per_channel};
    }
    return t;
}

static void set_window(Node *n, const Layer *l, bool one_row)
{
    const int64_t strides[] = {l->sh, l->sw}, dilations[] = {l->dh, l->dw};
    const int64_t pads[] = {l->pt, l->pl, l->pb, l->pr}, flat[] = {l->pl, l->pr};
    attr_set_ints(n, "strides", 2 - one_row, strides + one_row);
    attr_set_ints(n, "dilations", 2 - one_row, dilations + one_row);
    attr_set_ints(n, "pads", one_row ? 2 : 4, one_row ? flat : pads);
    attr_set_int(n, "group", l->groups);
}

static Tensor *add_linear(Graph *g, const Coded *q, Tensor *x)
{
    const Layer *l = q->l;
    bool dense = l->kind == LAYER_FC;
    Node *n = node_new(dense ? OP_Gemm : OP_Conv, "linear", 3, 1);
    n->in[1] = add_weights(g, q);
    if (q->bias)
        n->in[2] = graph_const(g, "b", type_make(DT_F32, 1, &l->co), q->bias);
    if (dense)
        attr_set_int(n, "transB", 1);
    else
        set_window(n, l, q->one_row);
    Layer sums = *l;
    sums.pool.kind = POOL_NONE;
    return add_node(g, n, x, graph_tensor(g, "sums", layer_output_type(&sums, q->one_row)));
}

static Tensor *add_activation(Graph *g, const Coded *q, Tensor *x)
{
    const Activation *a = &q->act;
    OpKind op = a->kind == ACT_RELU      ? OP_Relu
                : a->kind == ACT_CLIP    ? OP_Clip
                : a->kind == ACT_SIGMOID ? OP_Sigmoid
                                         : OP_LeakyRelu;
    if (a->kind == ACT_NONE)
        return x;
    Node *n = node_new(op, "activation", op == OP_Clip ? 3 : 1, 1);
    if (op == OP_Clip) {
        n->in[1] = scalar(g, "low", DT_F32, (double)a->a);
        n->in[2] = scalar(g, "high", DT_F32, (double)a->b);
    }
    if (op == OP_LeakyRelu)
        attr_set_float(n, "alpha", a->a);
    return add_node(g, n, x, graph_tensor(g, "activated", x->type));
}

static Tensor *add_pool(Graph *g, const Coded *q, Tensor *x)
{
    const Pool *p = &q->l->pool;
    const int64_t window[] = {p->kh, p->kw}, steps[] = {p->sh, p->sw};
    if (!p->kind)
        return x;
    Node *n = node_new(p->kind == POOL_MAX ? OP_MaxPool : OP_AveragePool, "pool", 1, 1);
    attr_set_ints(n, "kernel_shape", 2 - q->one_row, window + q->one_row);
    attr_set_ints(n, "strides", 2 - q->one_row, steps + q->one_row);
    return add_node(g, n, x, with_type(g, "pooled", layer_output_type(q->l, q->one_row), x->type.dtype));
}

/* A maximum may be taken of codes too. */
static Tensor *add_outputs(Graph *g, const Coded *q, Tensor *x)
{
    bool of_codes = q->l->pool.kind == POOL_MAX && q->bias;
    if (!of_codes)
        x = add_pool(g, q, x);
    if (q->out != DT_F32)
        x = add_step(g, OP_QuantizeLinear, x, with_type(g, "codes", x->type, q->out), q->out_step,
                     q->out_zero);
    return of_codes ? add_pool(g, q, x) : x;
}

Graph *coded_graph(const Coded *q)
{
    Graph *g = graph_new("coded.onnx", "coded");
    Type type = layer_input_type(q->l, q->one_row);
    Tensor *x = with_type(g, "x", type, q->in);
    g->inputs = NEW_ARRAY(Tensor *, 1);
    g->inputs[g->num_inputs++] = x;
    if (q->behind)
        x = add_table(g, x);
    x = add_step(g, OP_DequantizeLinear, x, graph_tensor(g, "real", type), q->in_step, q->in_zero);
    x = add_outputs(g, q, add_activation(g, q, add_linear(g, q, x)));
    g->outputs = NEW_ARRAY(Tensor *, 1);
    g->outputs[g->num_outputs++] = x;
    verify_graph(g, "coded_graph");
    return g;
}

const Layer *only_layer(const Graph *g)
{
    const Layer *found = NULL;
    for (int i = 0; i < g->num_nodes; i++)
        if (g->nodes[i]->op == OP_Layer) {
            if (found)
                return NULL;
            found = g->nodes[i]->layer;
        }
    return found;
}

const char *coded_text(const Coded *q)
{
    return mem_printf("%s %s(%d) -> %s(%d) steps %g %g act %d %s%s weights %d", layer_text(q->l),
                      dtype_name(q->in), q->in_zero, dtype_name(q->out), q->out_zero, q->in_step, q->out_step,
                      (int)q->act.kind, q->l->codes ? "ternary" : "8-bit", q->behind ? " behind" : "",
                      (int)q->signs);
}
