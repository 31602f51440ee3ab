/* fuse.c - linear nodes with constant weights become OP_Layer, the one form that lowering and emission know,
 * and take over what follows them (fuse_epilogue.c): per-channel arithmetic, BatchNormalization, activation,
 * pooling; and a Transpose or the normalisation of pixels before them (fuse_prologue.c).
 *
 * Requires: infer, fold, dce, ternarize. Gives: OP_Layer nodes numbered in execution order; every graph
 * output is made by a node of its own. Linear nodes whose form has no layer (3-D convolutions, run-time
 * weights or biases) stay as they are. Arithmetic on scales and biases runs in double and is rounded once. */
#include "fuse_draft.h"
#include "ops/ops.h"
#include "passes/passes.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- geometry ---- */

static void set_sizes_one(Layer *l)
{
    l->groups = l->ih = l->iw = l->oh = l->ow = l->kh = l->kw = l->sh = l->sw = l->dh = l->dw = 1;
}

static bool shape_conv(Draft *d, const Node *n)
{
    Type x = n->in[0]->type;
    if (x.rank != 3 && x.rank != 4)
        return false;
    Window w = op_window(d->g, n);
    *d->l = (Layer){.kind = n->op == OP_Conv ? LAYER_CONV : LAYER_CONV_TRANSPOSE,
                    .batch = x.dims[0],
                    .groups = attr_int(n, "group"),
                    .ci = x.dims[1],
                    .co = n->out[0]->type.dims[1],
                    .ih = w.in[1],
                    .iw = w.in[2],
                    .oh = w.out[1],
                    .ow = w.out[2],
                    .kh = w.kernel[1],
                    .kw = w.kernel[2],
                    .sh = w.stride[1],
                    .sw = w.stride[2],
                    .dh = w.dilation[1],
                    .dw = w.dilation[2],
                    .pt = w.pad_begin[1],
                    .pl = w.pad_begin[2],
                    .pb = w.pad_end[1],
                    .pr = w.pad_end[2]};
    d->axis = 1;
    return true;
}

/* Rows of x times a constant matrix. */
static void shape_rows(Draft *d, const LinearWeights *w)
{
    *d->l = (Layer){.kind = LAYER_FC, .ci = w->box.mid * w->box.inner, .co = ternary_channels(&w->box)};
    d->l->batch = type_elems(d->x->type) / d->l->ci;
    set_sizes_one(d->l);
    d->axis = d->y->type.rank - 1;
}

/* A constant matrix times x [...][ci][n]: a convolution with a window of one. */
static void shape_columns(Draft *d, const LinearWeights *w, int64_t n)
{
    *d->l = (Layer){.kind = LAYER_CONV, .ci = w->box.mid * w->box.inner, .co = ternary_channels(&w->box)};
    d->l->batch = type_elems(d->x->type) / (d->l->ci * n);
    set_sizes_one(d->l);
    d->l->iw = d->l->ow = n;
}

static bool shape_matmul(Draft *d, const LinearWeights *w)
{
    Type x = d->x->type;
    if (w->input == 1) {
        shape_rows(d, w);
        return true;
    }
    shape_columns(d, w, x.rank == 1 ? 1 : x.dims[x.rank - 1]);
    d->axis = d->y->type.rank - (x.rank == 1 ? 1 : 2);
    return true;
}

/* The run-time side must lie in memory as the layer reads it: not transposed, or a vector. */
static bool shape_gemm(Draft *d, const Node *n, const LinearWeights *w)
{
    Type x = d->x->type;
    if (attr_int(n, w->input ? "transA" : "transB") && x.dims[0] != 1 && x.dims[1] != 1)
        return false;
    if (w->input == 1) {
        shape_rows(d, w);
        return true;
    }
    shape_columns(d, w, d->y->type.dims[1]);
    d->axis = 0;
    return true;
}

/* A window that covers its whole plane is a fully connected layer. */
static void simplify_to_rows(Layer *l)
{
    if (l->kind != LAYER_CONV || l->groups != 1 || l->oh != 1 || l->ow != 1 || l->kh != l->ih ||
        l->kw != l->iw)
        return;
    if (l->pt || l->pl || l->pb || l->pr)
        return;
    l->kind = LAYER_FC;
    l->ci *= l->kh * l->kw;
    set_sizes_one(l);
}

/* ---- weights and bias ---- */

static void start_scale(Draft *d, const Tensor *t, double factor)
{
    const Ternary *q = t->ternary;
    d->scale = NEW_ARRAY(double, d->l->co);
    d->bias = NEW_ARRAY(double, d->l->co);
    for (int64_t c = 0; c < d->l->co; c++) {
        d->scale[c] = factor;
        if (q)
            d->scale[c] *= (double)q->scales[q->num_scales == 1 ? 0 : c];
    }
}

static bool take_bias(Draft *d, const Node *n, int input)
{
    const Tensor *t = input < n->num_in ? n->in[input] : NULL;
    if (!t)
        return true;
    if (!t->data || type_elems(t->type) != d->l->co)
        return false;
    for (int64_t c = 0; c < d->l->co; c++)
        d->bias[c] = elem_get(t->data, t->type.dtype, c);
    return true;
}

/* What Gemm adds when it is not one number per channel: a node behind the layer. NULL: nothing. */
static Node *split_addend(Graph *g, Draft *d, Node *n)
{
    Node *add = node_new(OP_Add, n->name, 2, 1);
    d->y = graph_tensor(g, mem_printf("%s_product", d->y->name), d->y->type);
    add->in[0] = d->y;
    add->in[1] = n->in[2];
    add->out[0] = n->out[0];
    return add;
}

/* beta * C; *rest gets what the layer cannot hold. */
static bool take_gemm_addend(Graph *g, Draft *d, Node *n, Node **rest)
{
    Tensor *t = n->num_in > 2 ? n->in[2] : NULL;
    double beta = (double)attr_float(n, "beta");
    if (!t)
        return true;
    if (channel_values(d, t, d->bias)) {
        for (int64_t c = 0; c < d->l->co; c++)
            d->bias[c] *= beta;
        return true;
    }
    if (beta != 1)
        return false;
    *rest = split_addend(g, d, n);
    return true;
}

static bool is_dead(const int8_t *codes, int64_t n)
{
    for (int64_t k = 0; k < n; k++)
        if (codes[k])
            return false;
    return true;
}

static int64_t input_of(const Draft *d, int64_t k)
{
    return d->order ? d->order[k] : k;
}

/* In front of a maximum a scale that is not negative can stay behind it: the codes take the sign. */
static int8_t take_sign(Draft *d, int64_t c)
{
    if (d->l->pool.kind != POOL_MAX || !(d->scale[c] < 0))
        return 1;
    d->scale[c] = -d->scale[c];
    return -1;
}

/* Whole weights in canonical order; box: how the tensor holds them. */
static int8_t *take_codes(Draft *d, const Ternary *box, const int8_t *from)
{
    int64_t n = box->mid * box->inner;
    int8_t *codes = NEW_ARRAY(int8_t, d->l->co * n);
    for (int64_t c = 0; c < d->l->co; c++) {
        int8_t sign = take_sign(d, c), *to = codes + c * n;
        for (int64_t k = 0; k < n; k++)
            to[input_of(d, k)] = (int8_t)(sign * from[ternary_position(box, c, k)]);
        if (is_dead(to, n))
            d->scale[c] = 0;
    }
    return codes;
}

static const float *rounded(const double *v, int64_t n)
{
    float *f = NEW_ARRAY(float, n);
    for (int64_t i = 0; i < n; i++)
        f[i] = (float)(v[i] + 0.0); /* no -0 */
    return f;
}

static bool all_are(const double *v, int64_t n, double to)
{
    for (int64_t i = 0; i < n; i++)
        if (v[i] != to)
            return false;
    return true;
}

/* The largest magnitude of a channel still fits a float after scaling. */
static bool fits(const float *w, int64_t n, double scale)
{
    for (int64_t i = 0; i < n; i++)
        if (fabs((double)w[i] * scale) > (double)FLT_MAX)
            return false;
    return true;
}

/* Float weights in canonical order, the scales multiplied in. */
static void set_weights(Draft *d, const float *from, const Ternary *box)
{
    int64_t n = box->mid * box->inner;
    float *w = NEW_ARRAY(float, d->l->co *n);
    d->l->weights = w;
    bool fold = true;
    for (int64_t c = 0; c < d->l->co; c++) {
        for (int64_t k = 0; k < n; k++)
            w[c * n + input_of(d, k)] = from[ternary_position(box, c, k)];
        fold &= fits(w + c * n, n, d->scale[c]);
    }
    for (int64_t c = 0; c < d->l->co && fold; c++) {
        for (int64_t k = 0; k < n; k++)
            w[c * n + k] = (float)((double)w[c * n + k] * d->scale[c]);
        d->scale[c] = 1;
    }
}

/* ---- one layer ---- */

static bool is_conv(const Node *n)
{
    return n->op == OP_Conv || n->op == OP_ConvTranspose;
}

static bool take_shape(Draft *d, const Node *n, const LinearWeights *w)
{
    if (is_conv(n))
        return shape_conv(d, n);
    return n->op == OP_Gemm ? shape_gemm(d, n, w) : shape_matmul(d, w);
}

static bool take_addend(Graph *g, Draft *d, Node *n, Node **rest)
{
    if (is_conv(n))
        return take_bias(d, n, 2);
    return n->op != OP_Gemm || take_gemm_addend(g, d, n, rest);
}

static bool start_layer(Graph *g, Draft *d, Node *n, const LinearWeights *w, Node **rest)
{
    if (!take_shape(d, n, w))
        return false;
    start_scale(d, n->in[w->input], n->op == OP_Gemm ? (double)attr_float(n, "alpha") : 1.0);
    if (!take_addend(g, d, n, rest))
        return false;
    absorb_normalisation(d, n->in[w->input], &w->box);
    absorb_dequantize(d, n->in[w->input], &w->box);
    text_printf(&d->source, "%s '%s'", n->op_name, node_label(n));
    return true;
}

static void absorb_users(Draft *d, bool *taken, const int *position)
{
    for (;;) {
        const Node *user = only_user(d, d->y);
        if (!user || !absorb_node(d, user))
            return;
        taken[position[user->out[0]->id]] = true;
        text_printf(&d->source, " + %s", user->op_name);
    }
}

static Node *finish_layer(Draft *d, const Tensor *weights, const LinearWeights *w, const char *name)
{
    Layer *l = d->l;
    if (weights->ternary)
        l->codes = take_codes(d, weights->ternary, weights->ternary->codes);
    else if (d->ints)
        l->ints = take_codes(d, &w->box, d->ints);
    else
        set_weights(d, weights->data, &w->box);
    l->zeros = l->codes ? code_zeros(l->codes, layer_weight_count(l)) : 0;
    if (d->quantised)
        finish_quantised(d);
    if (!all_are(d->scale, l->co, 1))
        l->scale = rounded(d->scale, l->co);
    if (!all_are(d->bias, l->co, 0))
        l->bias = rounded(d->bias, l->co);
    l->source = mem_strdup(d->source.data);
    text_free(&d->source);
    Node *n = node_new(OP_Layer, name, 1, 1);
    n->layer = l;
    n->in[0] = d->x;
    n->out[0] = d->y;
    return n;
}

/* ---- the pass ---- */

typedef struct Fusing {
    Graph *g;
    bool *taken;   /* by index of node: absorbed by an earlier one */
    int *position; /* of a tensor's producer, by tensor id */
    Node *const *only_users;
    int num_users;
    Graph result; /* only its array of nodes is used */
    int layers;
} Fusing;

static bool fuse_node(Fusing *f, Node *n)
{
    LinearWeights w;
    if (!linear_weights(n, &w))
        return false;
    Draft d = {.g = f->g, .only_users = f->only_users, .num_users = f->num_users, .l = NEW(Layer)};
    d.x = n->in[1 - w.input];
    d.y = n->out[0];
    if (!d.x || !d.y || !type_elems(d.x->type) || !type_elems(d.y->type))
        return false;
    Node *rest = NULL;
    if (!start_layer(f->g, &d, n, &w, &rest))
        return false;
    simplify_to_rows(d.l);
    Node *view = absorb_transpose(f->g, &d);
    if (view)
        node_append(&f->result, view);
    absorb_users(&d, f->taken, f->position);
    d.l->index = f->layers++;
    node_append(&f->result, finish_layer(&d, n->in[w.input], &w, n->name));
    if (rest)
        node_append(&f->result, rest);
    return true;
}

/* A recurrent node has its layers inside. */
static void keep_node(Fusing *f, Node *n)
{
    Layer *l;
    for (int k = 0; (l = node_layer(n, k)); k++)
        l->index = f->layers++;
    node_append(&f->result, n);
}

/* Outputs that are inputs or constants, or listed twice, get a copy, so that each is made by a node of its
 * own. */
static void own_outputs(Graph *g)
{
    bool *owned = NEW_ARRAY(bool, g->num_tensors); /* by id, of the tensors that there are now */
    for (int i = 0; i < g->num_outputs; i++) {
        Tensor *t = g->outputs[i];
        if (t->producer && !owned[t->id]) {
            owned[t->id] = true;
            continue;
        }
        Node *copy = node_new(OP_Identity, "", 1, 1);
        copy->in[0] = t;
        copy->out[0] = g->outputs[i] = graph_tensor(g, mem_printf("%s_copy", t->name), t->type);
        node_append(g, copy);
    }
}

void pass_fuse(Graph *g)
{
    Fusing f = {.g = g, .taken = NEW_ARRAY(bool, g->num_nodes), .position = NEW_ARRAY(int, g->num_tensors)};
    f.only_users = graph_only_users(g);
    f.num_users = g->num_tensors;
    for (int i = 0; i < g->num_nodes; i++)
        for (int j = 0; j < g->nodes[i]->num_out; j++)
            if (g->nodes[i]->out[j])
                f.position[g->nodes[i]->out[j]->id] = i;
    for (int i = 0; i < g->num_nodes; i++)
        if (!f.taken[i] && !fuse_node(&f, g->nodes[i]))
            keep_node(&f, g->nodes[i]);
    g->nodes = f.result.nodes;
    g->num_nodes = f.result.num_nodes;
    own_outputs(g);
}
