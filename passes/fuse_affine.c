/* fuse_affine.c - what a layer takes over behind its sums goes into its weights and its bias: arithmetic with
 * a constant for each output channel, and BatchNormalization.
 *
 * Requires an ordinary graph with static types; weights that are ternary are marked (ternarize). Gives such a
 * graph, with the same values up to rounding, in which a linear node makes at once what comes before its
 * activation. A file of integers needs that: its runtimes round the sums of a node directly. Only
 * Conv, and Gemm and MatMul of a matrix with the weights on the right, hold a bias; a MatMul that needs one
 * becomes a Gemm. */
#include "fuse_draft.h"
#include "ops/ops.h"
#include "passes/passes.h"

#include <math.h>

/* Whether n has one bias for each channel, or place for it; the axis of its channels. */
static bool holds_bias(const Node *n, const LinearWeights *w, int *axis)
{
    *axis = 1;
    if (w->input != 1 || n->op == OP_ConvTranspose || !n->out[0])
        return false;
    if (n->op == OP_MatMul)
        return n->in[0]->type.rank == 2 && n->in[1]->type.rank == 2;
    return n->num_in < 3 || !n->in[2] || channel_bias(n, w);
}

static bool start(Draft *d, const Node *n, LinearWeights *w)
{
    if (!linear_weights(n, w) || !holds_bias(n, w, &d->axis) ||
        (n->op == OP_Gemm && (attr_float(n, "alpha") != 1 || attr_float(n, "beta") != 1)))
        return false;
    d->y = n->out[0];
    d->l = NEW(Layer);
    d->l->co = ternary_channels(&w->box);
    d->scale = NEW_ARRAY(double, d->l->co);
    d->bias = NEW_ARRAY(double, d->l->co);
    for (int64_t c = 0; c < d->l->co; c++) {
        d->scale[c] = 1;
        d->bias[c] = n->num_in > 2 && n->in[2] ? elem_get(n->in[2]->data, DT_F32, c) : 0;
    }
    return true;
}

/* Weights that still are ternary, with a scale for each channel. */
static Ternary *ternary_of(const Draft *d, const Ternary *box, const float *data)
{
    Ternary *q = NEW(Ternary);
    int64_t n = box->mid * box->inner;
    *q = *box;
    q->num_scales = d->l->co;
    q->codes = NEW_ARRAY(int8_t, d->l->co * n);
    q->scales = NEW_ARRAY(float, d->l->co);
    for (int64_t c = 0; c < d->l->co; c++)
        for (int64_t k = 0; k < n; k++) {
            int64_t i = ternary_position(box, c, k);
            q->codes[i] = (int8_t)((data[i] > 0) - (data[i] < 0));
            q->scales[c] = fmaxf(q->scales[c], fabsf(data[i]));
        }
    return q;
}

/* The weights times the draft's scale. */
static Tensor *scale_weights(Graph *g, const Draft *d, const Tensor *t, const Ternary *box)
{
    int64_t n = box->mid * box->inner;
    float *to = NEW_ARRAY(float, d->l->co *n);
    for (int64_t c = 0; c < d->l->co; c++)
        for (int64_t k = 0; k < n; k++) {
            int64_t i = ternary_position(box, c, k);
            to[i] = (float)(elem_get(t->data, DT_F32, i) * d->scale[c]) + 0; /* never -0 */
        }
    Tensor *scaled = graph_const(g, mem_printf("%s_scaled", t->name), t->type, to);
    scaled->ternary = t->ternary ? ternary_of(d, box, to) : NULL;
    return scaled;
}

static Tensor *make_bias(Graph *g, const Draft *d, const Node *n)
{
    float *bias = NEW_ARRAY(float, d->l->co);
    for (int64_t c = 0; c < d->l->co; c++)
        bias[c] = (float)d->bias[c];
    const Tensor *t = n->num_in > 2 ? n->in[2] : NULL;
    const char *name = t ? mem_printf("%s_moved", t->name) : mem_printf("%s_bias", n->in[1]->name);
    return graph_const(g, name, type_make(DT_F32, 1, &d->l->co), bias);
}

static bool is_one(const Draft *d)
{
    for (int64_t c = 0; c < d->l->co; c++)
        if (d->scale[c] != 1)
            return false;
    return true;
}

static void put_back(Graph *g, const Draft *d, Node *n, const Ternary *box)
{
    Tensor **in = NEW_ARRAY(Tensor *, 3);
    in[0] = n->in[0];
    in[1] = is_one(d) ? n->in[1] : scale_weights(g, d, n->in[1], box);
    in[2] = make_bias(g, d, n);
    n->in = in;
    n->num_in = 3;
    if (n->op == OP_MatMul) {
        n->op = OP_Gemm;
        n->op_name = op_def(OP_Gemm)->name;
    }
    n->out[0] = d->y;
    d->y->producer = n;
}

typedef struct Walk {
    Graph *g;
    Node **users; /* graph_only_users, of tensors that there were before */
    int num_users;
    int *position; /* by tensor id: of the node that makes it */
    bool *taken;   /* by index of node: what it does is in the weights of an earlier one */
} Walk;

/* What the linear node takes over of those behind it. */
static void take_over(Walk *w, Node *n)
{
    Draft d = {.g = w->g, .only_users = w->users, .num_users = w->num_users};
    LinearWeights weights;
    if (!start(&d, n, &weights))
        return;
    for (const Node *user; (user = only_user(&d, d.y)) && absorb_affine(&d, user);) {
        d.y = user->out[0];
        w->taken[w->position[d.y->id]] = true;
    }
    if (d.y != n->out[0])
        put_back(w->g, &d, n, &weights.box);
}

void pass_affine(Graph *g)
{
    Walk w = {.g = g,
              .users = graph_only_users(g),
              .num_users = g->num_tensors,
              .position = NEW_ARRAY(int, g->num_tensors),
              .taken = NEW_ARRAY(bool, g->num_nodes)};
    int kept = 0;
    for (int i = 0; i < g->num_nodes; i++)
        if (g->nodes[i]->num_out && g->nodes[i]->out[0])
            w.position[g->nodes[i]->out[0]->id] = i;
    for (int i = 0; i < g->num_nodes; i++)
        if (!w.taken[i]) {
            take_over(&w, g->nodes[i]);
            g->nodes[kept++] = g->nodes[i];
        }
    g->num_nodes = kept;
}
