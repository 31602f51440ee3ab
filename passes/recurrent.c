/* recurrent.c - LSTM, GRU and RNN become a product X * W over all steps at once, an ordinary Gemm, and the
 * internal operator Recurrent, which walks the steps. Constant R become layers inside of it, one for all
 * gates of a direction; GRU's hidden gate has its own where it waits for the reset gate. Constant biases go
 * into the Gemm.
 *
 * Requires: infer, ternarize. Gives: no LSTM, GRU or RNN is left. The layers get their numbers from fuse. */
#include "ops/recurrent.h"
#include "passes/passes.h"

#include <string.h>

typedef struct Split {
    Graph *g;
    Graph result; /* only its array of nodes is used */
    const Node *n;
    Cell *c;
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

static Tensor *reshape(Split *s, Tensor *t, const char *what, int64_t rows, int64_t columns)
{
    const int64_t dims[] = {rows, columns};
    Node *view = node_new(OP_Reshape, new_name(s, what), 2, 1);
    view->in[0] = t;
    view->in[1] = graph_const_i64(s->g, new_name(s, mem_printf("%s_shape", what)), 2, dims);
    view->out[0] = graph_tensor(s->g, new_name(s, what), type_make(s->c->dtype, 2, dims));
    node_append(&s->result, view);
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
    node_append(&s->result, gemm);
    return gemm->out[0];
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

/* Rows [first, first + count) of all directions of R. */
static Layer *make_product(const Split *s, int64_t first, int64_t count, const char *part)
{
    const Tensor *r = s->n->in[CELL_R];
    const Cell *c = s->c;
    Layer *l = NEW(Layer);
    *l = (Layer){.kind = LAYER_FC, .batch = c->batch, .ci = c->hidden, .co = count};
    l->groups = l->ih = l->iw = l->oh = l->ow = l->kh = l->kw = l->sh = l->sw = l->dh = l->dw = 1;
    if (r->ternary) {
        l->codes = r->ternary->codes + first * c->hidden;
        l->scale = row_scales(r->ternary, first, count);
        l->zeros = code_zeros(l->codes, count * c->hidden);
    } else {
        l->weights = (const float *)r->data + first * c->hidden;
    }
    l->bias = reset_bias(s, first / gate_rows(c));
    l->source = mem_printf("%s R%s", c->source, part);
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

/* ---- the pass ---- */

static void split_node(Graph *g, Graph *result, const Node *n)
{
    Split s = {.g = g, .n = n, .c = NEW(Cell)};
    s.result = *result;
    *s.c = cell_read(g, n);
    Node *r = node_new(OP_Recurrent, n->name, n->num_in, n->num_out);
    for (int i = CELL_R; i < n->num_in; i++)
        r->in[i] = n->in[i];
    r->in[CELL_X] = input_products(&s);
    make_products(&s);
    r->cell = s.c;
    for (int i = 0; i < n->num_out; i++)
        r->out[i] = n->out[i];
    node_append(&s.result, r);
    *result = s.result;
}

void pass_recurrent(Graph *g)
{
    Graph result = {0};
    for (int i = 0; i < g->num_nodes; i++) {
        Node *n = g->nodes[i];
        if (n->op == OP_LSTM || n->op == OP_GRU || n->op == OP_RNN)
            split_node(g, &result, n);
        else
            node_append(&result, n);
    }
    g->nodes = result.nodes;
    g->num_nodes = result.num_nodes;
}
