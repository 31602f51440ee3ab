/* recurrent.c - LSTM, GRU and RNN become a product X * W over all steps at once, an ordinary Gemm, and the
 * internal operator Recurrent, which walks the steps. Constant R become layers inside of it, one for all
 * gates of a direction; GRU's hidden gate has its own where it waits for the reset gate. Constant biases go
 * into the Gemm.
 *
 * Where X comes from codes and W and R are whole numbers by a step for each row, all of it is in whole
 * numbers (Cell.codes): what the Gemm makes becomes numbers of 16 bits, by a QuantizeLinear that fuse.c makes
 * part of its layer, and outputs that are read as codes are the codes of h.
 *
 * Requires: infer, ternarize. Gives: no LSTM, GRU or RNN is left. The layers get their numbers from fuse. */
#include "layers/layers.h"
#include "ops/ops.h"
#include "ops/recurrent.h"
#include "passes/passes.h"

#include <math.h>
#include <string.h>

typedef struct Splitting {
    Graph *g;
    Graph result;           /* only its array of nodes is used */
    const Node **quantizer; /* by tensor id: a QuantizeLinear that reads it; NULL: there is none */
    ActivationTables tables;
} Splitting;

typedef struct Split {
    Graph *g;
    Graph *result; /* of Splitting */
    const Node *n;
    Cell *c;
    const int8_t *codes[CELL_R + 1]; /* of W and R, where the cell is one of whole numbers */
    const float *scales[CELL_R + 1]; /* of their rows */
} Split;

static int64_t gate_rows(const Cell *c)
{
    return c->gates * c->hidden;
}

/* ---- X * W ---- */

static const char *new_name(const Split *s, const char *what)
{
    return mem_printf("%s_%s", node_label(s->n), what);
}

static Tensor *constant_step(const Split *s, const char *what, int bits)
{
    float *step = NEW(float);
    *step = ldexpf(1, -bits);
    return graph_const(s->g, new_name(s, what), type_make(DT_F32, 0, NULL), step);
}

/* QuantizeLinear or DequantizeLinear of steps of 2 to the power of -bits, zero 0. */
static void add_step(const Split *s, OpKind op, Tensor *x, Tensor *y, int bits)
{
    const DType d = op == OP_QuantizeLinear ? y->type.dtype : x->type.dtype;
    Node *n = node_new(op, mem_printf("%s_codes", x->name), 3, 1);
    n->in[0] = x;
    n->in[1] = constant_step(s, mem_printf("%s_step", x->name), bits);
    n->in[2] = graph_const(s->g, new_name(s, mem_printf("%s_zero", x->name)), type_make(d, 0, NULL),
                           mem_alloc(dtype_size(d)));
    n->out[0] = y;
    node_append(s->result, n);
}

static Tensor *reshape(Split *s, Tensor *t, const char *what, int64_t rows, int64_t columns)
{
    const int64_t dims[] = {rows, columns};
    Node *view = node_new(OP_Reshape, new_name(s, what), 2, 1);
    view->in[0] = t;
    view->in[1] = graph_const_i64(s->g, new_name(s, mem_printf("%s_shape", what)), 2, dims);
    view->out[0] = graph_tensor(s->g, new_name(s, what), type_make(s->c->dtype, 2, dims));
    node_append(s->result, view);
    return view->out[0];
}

/* W as one matrix of all directions; constants share their values and codes. */
static Tensor *input_weights(Split *s)
{
    Tensor *w = s->n->in[CELL_W];
    const int64_t dims[] = {s->c->directions * gate_rows(s->c), s->c->inputs};
    if (!w->data)
        return reshape(s, w, "W", dims[0], dims[1]);
    Tensor *t = graph_const(s->g, new_name(s, "W"), type_make(s->c->dtype, 2, dims), w->data);
    t->ternary = w->ternary;
    return t;
}

/* Wb + Rb per row of W; Rb of the hidden gate stays behind where the reset gate is applied to it. */
static Tensor *input_bias(const Split *s)
{
    const Cell *c = s->c;
    const Tensor *b = cell_input(s->n, CELL_B);
    if (!b || !b->data)
        return NULL;
    int64_t rows = gate_rows(c), count = c->directions * rows;
    void *sum = mem_array(count, dtype_size(c->dtype));
    for (int64_t i = 0; i < count; i++) {
        int64_t at = i / rows * 2 * rows + i % rows;
        bool later = c->linear_before_reset && i % rows >= 2 * c->hidden;
        double w = elem_get(b->data, c->dtype, at), r = elem_get(b->data, c->dtype, at + rows);
        elem_set(sum, c->dtype, i, later ? w : w + r);
    }
    return graph_const(s->g, new_name(s, "bias"), type_make(c->dtype, 1, &count), sum);
}

static Tensor *input_products(Split *s)
{
    const Cell *c = s->c;
    int64_t dims[] = {c->steps * c->batch, c->directions * gate_rows(c)};
    Tensor *x = reshape(s, s->n->in[CELL_X], "X", dims[0], c->inputs);
    Tensor *w = input_weights(s), *bias = input_bias(s);
    s->c->bias_in_products = bias != NULL;
    Node *gemm = node_new(OP_Gemm, new_name(s, "XW"), bias ? 3 : 2, 1);
    gemm->in[0] = x;
    gemm->in[1] = w;
    if (bias)
        gemm->in[2] = bias;
    attr_set_int(gemm, "transB", 1);
    gemm->out[0] = graph_tensor(s->g, new_name(s, "XW"), type_make(c->dtype, 2, dims));
    node_append(s->result, gemm);
    if (!c->codes)
        return gemm->out[0];
    Tensor *words = graph_tensor(s->g, new_name(s, "XW_codes"), type_make(DT_I16, 2, dims));
    add_step(s, OP_QuantizeLinear, gemm->out[0], words, GATE_BITS);
    return words;
}

/* ---- R * h ---- */

static const float *row_scales(const Ternary *q, int64_t first, int64_t count)
{
    float *scales = NEW_ARRAY(float, count);
    for (int64_t i = 0; i < count; i++)
        scales[i] = q->scales[q->num_scales == 1 ? 0 : first + i];
    return scales;
}

/* Rb of the hidden gate, the last third of the rows. */
static const float *reset_bias(const Split *s, int64_t d)
{
    const Cell *c = s->c;
    const Tensor *b = cell_input(s->n, CELL_B);
    if (!c->linear_before_reset || !c->bias_in_products)
        return NULL;
    float *bias = NEW_ARRAY(float, gate_rows(c));
    for (int64_t i = 2 * c->hidden; i < gate_rows(c); i++)
        bias[i] = ((const float *)b->data)[(2 * d + 1) * gate_rows(c) + i];
    return bias;
}

/* Rows [first, first + count) of all directions of R, in whole numbers: what they make of codes of h are
 * steps of GATE_BITS. */
static void make_codes(const Split *s, Layer *l, int64_t first)
{
    const float *bias = reset_bias(s, first / gate_rows(s->c));
    double *factor = NEW_ARRAY(double, l->co), *offset = NEW_ARRAY(double, l->co);
    Quantised *q = NEW(Quantised);
    *q = (Quantised){.in = DT_I8, .out = DT_I16, .low = INT16_MIN, .high = INT16_MAX};
    for (int64_t i = 0; i < l->co; i++) {
        factor[i] = ldexp((double)s->scales[CELL_R][first + i], GATE_BITS - s->c->codes->h_bits);
        offset[i] = bias ? ldexp((double)bias[first % gate_rows(s->c) + i], GATE_BITS) : 0;
    }
    l->quantised = q;
    set_sum_range(l, q);
    if (!requantise(l, factor, offset, q))
        bug("%s: its sums have no multiplication", l->source);
}

/* The same in floats. */
static void make_floats(const Split *s, Layer *l, int64_t first)
{
    const Tensor *r = s->n->in[CELL_R];
    if (r->ternary)
        l->scale = row_scales(r->ternary, first, l->co);
    else
        l->weights = (const float *)r->data + first * s->c->hidden;
    l->bias = reset_bias(s, first / gate_rows(s->c));
}

static Layer *make_product(const Split *s, int64_t first, int64_t count, const char *part)
{
    const Tensor *r = s->n->in[CELL_R];
    const Cell *c = s->c;
    Layer *l = NEW(Layer);
    *l = (Layer){.kind = LAYER_FC, .batch = c->batch, .ci = c->hidden, .co = count};
    l->groups = l->ih = l->iw = l->oh = l->ow = l->kh = l->kw = l->sh = l->sw = l->dh = l->dw = 1;
    l->source = mem_printf("%s R%s", c->source, part);
    if (r->ternary) {
        l->codes = r->ternary->codes + first * c->hidden;
        l->zeros = code_zeros(l->codes, count * c->hidden);
    } else if (c->codes) {
        l->ints = s->codes[CELL_R] + first * c->hidden;
    }
    if (c->codes)
        make_codes(s, l, first);
    else
        make_floats(s, l, first);
    return l;
}

static void make_products(const Split *s)
{
    static const char *const ways[] = {"", ", backward"};
    static const char *const parts[] = {", update and reset gates", ", hidden gate"};
    Cell *c = s->c;
    const Tensor *r = s->n->in[CELL_R];
    int first[3], count = cell_products(c, first);
    if (!r->data || r->type.dtype != DT_F32 || !c->batch)
        return;
    for (int64_t d = 0; d < c->directions; d++)
        for (int i = 0; i < count; i++) {
            const char *gates = count == 1 ? "" : parts[i != 0];
            c->products[c->num_products++] = make_product(
                s, d * gate_rows(c) + first[i] * c->hidden, (first[i + 1] - first[i]) * c->hidden,
                mem_printf("%s%s", ways[d == 1 || c->backward], gates));
        }
}

/* ---- in whole numbers ---- */

/* The weights of input W or R as codes by a step for each row. */
static bool find_codes(Split *s, int input)
{
    LinearWeights w;
    Ternary exact;
    const Tensor *t = s->n->in[input];
    if (!node_weights(s->n, input - CELL_W, &w))
        return false;
    if (t->ternary)
        s->scales[input] = row_scales(t->ternary, 0, ternary_channels(&w.box));
    if (!t->ternary && !weight_codes(t, &w.box, false, &exact))
        return false;
    if (!t->ternary) {
        s->scales[input] = exact.scales;
        s->codes[input] = exact.codes;
    }
    return true;
}

/* Limits within which fuse.c makes such numbers of products, scale for each code, and of what is added. */
static bool within_limits(double scale, double bias)
{
    return ldexp(scale, GATE_BITS) < 1 << 15 && fabs(ldexp(bias, GATE_BITS)) < 1 << 24;
}

static bool biases_fit(const Split *s)
{
    const Tensor *b = cell_input(s->n, CELL_B);
    for (int64_t i = 0; b && i < type_elems(b->type); i++)
        if (!within_limits(0, 2 * (double)((const float *)b->data)[i]))
            return false;
    return true;
}

static bool products_fit(const Split *s, double step)
{
    enum { MOST_TERMS = INT32_MAX / (128 * 255) };
    const Cell *c = s->c;
    for (int64_t i = 0; i < c->directions * gate_rows(c); i++)
        if (!within_limits(step * (double)s->scales[CELL_W][i], 0) ||
            !within_limits(ldexp((double)s->scales[CELL_R][i], -LEAST_H_BITS), 0))
            return false;
    return c->inputs < MOST_TERMS && c->hidden < MOST_TERMS && biases_fit(s);
}

/* Whether the cell is one of whole numbers. */
static bool counts(Split *s)
{
    CodeStep step;
    const Node *from = s->n->in[CELL_X]->producer;
    if (!from || from->op != OP_DequantizeLinear || !node_step(from, &step) || !cell_counts(s->g, s->n))
        return false;
    const DType d = from->in[0]->type.dtype;
    return (d == DT_I8 || d == DT_U8) && find_codes(s, CELL_W) && find_codes(s, CELL_R) &&
           products_fit(s, step.scale);
}

/* ---- the pass ---- */

/* Where codes of an output are read the node makes these. */
static Tensor *output_codes(const Split *s, const Splitting *all, int k)
{
    Tensor *y = s->n->out[k];
    if (!y || !s->c->codes || k == CELL_Y_C || !all->quantizer[y->id])
        return y;
    Type type = y->type;
    type.dtype = DT_I8;
    return graph_tensor(s->g, mem_printf("%s_codes", y->name), type);
}

/* Of the codes that outputs become. */
static int h_bits(const Splitting *all, const Node *n)
{
    const Node *quantizer = NULL;
    for (int k = CELL_Y; k <= CELL_Y_H && k < n->num_out; k++)
        if (n->out[k] && !quantizer)
            quantizer = all->quantizer[n->out[k]->id];
    return h_bits_of(quantizer);
}

static void split_node(Splitting *all, const Node *n)
{
    Split s = {.g = all->g, .result = &all->result, .n = n, .c = NEW(Cell)};
    *s.c = cell_read(s.g, n);
    if (counts(&s))
        s.c->codes = cell_codes(s.c, h_bits(all, n), &all->tables);
    Node *r = node_new(OP_Recurrent, n->name, n->num_in, n->num_out);
    for (int i = CELL_R; i < n->num_in; i++)
        r->in[i] = n->in[i];
    r->in[CELL_X] = input_products(&s);
    make_products(&s);
    r->cell = s.c;
    for (int i = 0; i < n->num_out; i++)
        r->out[i] = output_codes(&s, all, i);
    node_append(s.result, r);
    for (int i = 0; i < n->num_out; i++)
        if (r->out[i] != n->out[i])
            add_step(&s, OP_DequantizeLinear, r->out[i], n->out[i], s.c->codes->h_bits);
}

static const Node **find_quantizers(const Graph *g)
{
    const Node **quantizer = NEW_ARRAY(const Node *, g->num_tensors);
    for (int i = 0; i < g->num_nodes; i++)
        if (g->nodes[i]->op == OP_QuantizeLinear)
            quantizer[g->nodes[i]->in[0]->id] = g->nodes[i];
    return quantizer;
}

void pass_recurrent(Graph *g)
{
    Splitting all = {.g = g, .quantizer = find_quantizers(g)};
    for (int i = 0; i < g->num_nodes; i++) {
        Node *n = g->nodes[i];
        if (n->op == OP_LSTM || n->op == OP_GRU || n->op == OP_RNN)
            split_node(&all, n);
        else
            node_append(&all.result, n);
    }
    g->nodes = all.result.nodes;
    g->num_nodes = all.result.num_nodes;
}
