/* fuse_prologue.c - what a layer can take over before its sums: a Transpose in front of a fully connected
 * layer, as exporters from channels-last frameworks leave it where a feature map is flattened; and the
 * normalisation of pixels, x * factor + offset.
 *
 * A factor commutes with the sums, padding included. An offset becomes a share of the bias, the sum of w *
 * offset, where no padding takes part in the sums; for pixels only: sums of bytes are exact in float, but
 * elsewhere x + offset may be a difference of large numbers that must be taken first. */
#include "fuse_draft.h"
#include "ops/ops.h"

#include <float.h>
#include <math.h>

/* The Transpose whose output x is, seen through views, when nobody else reads what lies between. */
static const Node *find_transpose(const Draft *d)
{
    for (const Tensor *t = d->x; t->producer && only_user(d, t); t = t->producer->in[0]) {
        if (t->producer->op == OP_Transpose)
            return t->producer;
        if (!is_reshape(t->producer))
            return NULL;
    }
    return NULL;
}

/* Whether the rows of the layer are the first axis, which stays in place. */
static bool keeps_rows(const Draft *d, const Node *n, const int64_t *perm)
{
    Type t = n->in[0]->type;
    return perm && perm[0] == 0 && t.rank > 1 && t.dims[0] == d->l->batch;
}

/* order[k]: place in x of element k of its transposed form; both of one row. */
static int64_t *transposed_order(Type x, const int64_t *perm, int64_t count)
{
    int64_t strides[MAX_RANK], at[MAX_RANK] = {0}, *order = NEW_ARRAY(int64_t, count);
    dense_strides(x, strides);
    for (int64_t k = 0; k < count; k++) {
        for (int i = 1; i < x.rank; i++)
            order[k] += at[i] * strides[perm[i]];
        for (int i = x.rank - 1; i > 0 && ++at[i] == x.dims[perm[i]]; i--)
            at[i] = 0;
    }
    return order;
}

static Node *view_as_rows(Graph *g, Tensor *x, int64_t rows, int64_t columns)
{
    const int64_t dims[] = {rows, columns};
    Node *view = node_new(OP_Reshape, "", 2, 1);
    view->in[0] = x;
    view->in[1] = graph_const_i64(g, mem_printf("%s_rows_shape", x->name), 2, dims);
    view->out[0] = graph_tensor(g, mem_printf("%s_rows", x->name), type_make(DT_F32, 2, dims));
    return view;
}

Node *absorb_transpose(Graph *g, Draft *d)
{
    const Node *n = d->l->kind == LAYER_FC ? find_transpose(d) : NULL;
    int rank;
    const int64_t *perm = n ? attr_ints(n, "perm", &rank) : NULL;
    if (!n || !keeps_rows(d, n, perm))
        return NULL;
    d->order = transposed_order(n->in[0]->type, perm, d->l->ci);
    Node *view = view_as_rows(g, n->in[0], d->l->batch, d->l->ci);
    d->x = view->out[0];
    return view;
}

/* ---- normalisation of the input ---- */

enum { MAX_CHAIN = 8 };

/* Arithmetic with constants in front of the layer, the nearest first; views may stand between it and the
 * layer. */
typedef struct Chain {
    const Node *nodes[MAX_CHAIN];
    int count;
    Node *view; /* the first view behind the chain, or NULL */
    bool bytes; /* the chain starts at a Cast of bytes */
} Chain;

static const Tensor *constant_of(const Node *n)
{
    return n->in[n->in[1]->data ? 1 : 0];
}

static Tensor *variable_of(const Node *n)
{
    return n->in[n->in[1]->data ? 0 : 1];
}

/* x op constant, of x's shape; for Add and Mul the constant may come first. */
static bool is_arithmetic(const Node *n)
{
    bool commutes = n->op == OP_Add || n->op == OP_Mul;
    if (!commutes && n->op != OP_Sub && n->op != OP_Div)
        return false;
    if (!n->in[1]->data == !n->in[0]->data || (!commutes && !n->in[1]->data))
        return false;
    return constant_of(n)->type.dtype == DT_F32 && type_equal(variable_of(n)->type, n->out[0]->type);
}

static Chain find_chain(const Draft *d)
{
    Chain c = {.count = 0};
    const Tensor *t = d->x;
    for (; t->producer && is_reshape(t->producer) && only_user(d, t); t = t->producer->in[0])
        c.view = t->producer;
    for (; t->producer && is_arithmetic(t->producer) && only_user(d, t); t = variable_of(t->producer))
        if (c.count < MAX_CHAIN)
            c.nodes[c.count++] = t->producer;
    const Node *n = t->producer;
    c.bytes = n && n->op == OP_Cast && (n->in[0]->type.dtype == DT_U8 || n->in[0]->type.dtype == DT_I8);
    return c;
}

static bool absorb_factor(Draft *d, const Node *n)
{
    const Tensor *t = constant_of(n);
    if (type_elems(t->type) != 1)
        return false;
    double v = elem_get(t->data, DT_F32, 0), factor = n->op == OP_Div ? 1 / v : v;
    if (!isnormal((float)factor))
        return false;
    for (int64_t c = 0; c < d->l->co; c++)
        if (!(fabs(d->scale[c] * factor) <= (double)FLT_MAX))
            return false;
    for (int64_t c = 0; c < d->l->co; c++)
        d->scale[c] *= factor;
    return true;
}

/* The constant as one number, or one for each position of axis 1 of x, which are the layer's channels; else
 * NULL. */
static double *input_values(const Draft *d, Type x, const Tensor *t, int64_t *count)
{
    *count = type_elems(t->type);
    if (*count != 1 &&
        (x.rank < 2 || t->type.rank > x.rank || x.dims[0] != d->l->batch || d->l->ci % x.dims[1]))
        return NULL;
    for (int i = 0; i < t->type.rank; i++)
        if (t->type.dims[i] != 1 && i + x.rank - t->type.rank != 1)
            return NULL;
    double *v = NEW_ARRAY(double, *count);
    for (int64_t i = 0; i < *count; i++)
        v[i] = elem_get(t->data, DT_F32, i);
    return v;
}

/* Sum over channel c of w * v[channel of its input]. */
static double weigh(const Draft *d, const Tensor *weights, const Ternary *box, int64_t c, const double *v,
                    int64_t count)
{
    const Layer *l = d->l;
    int64_t inputs = l->ci / l->groups, first = c / (l->co / l->groups) * inputs;
    double sum = 0;
    for (int64_t k = 0; k < box->mid * box->inner; k++) {
        int64_t i = ternary_position(box, c, k), input = first + k / (l->kh * l->kw);
        double w = weights->ternary ? weights->ternary->codes[i] : (double)((const float *)weights->data)[i];
        sum += w * v[input / (l->ci / count)];
    }
    return sum;
}

static bool absorb_offset(Draft *d, const Node *n, const Tensor *weights, const Ternary *box)
{
    const Layer *l = d->l;
    int64_t count;
    double *v = input_values(d, n->out[0]->type, constant_of(n), &count);
    if (!v || l->kind == LAYER_CONV_TRANSPOSE || l->pt || l->pl || l->pb || l->pr)
        return false;
    for (int64_t c = 0; c < l->co; c++) {
        double share = d->scale[c] * weigh(d, weights, box, c, v, count);
        d->bias[c] += n->op == OP_Sub ? -share : share;
    }
    return true;
}

static bool is_offset(const Node *n)
{
    return n->op == OP_Add || n->op == OP_Sub;
}

/* Behind a view the channels of an offset are not known any more, but one number is. */
static bool absorb_one(Draft *d, const Chain *c, const Node *n, const Tensor *weights, const Ternary *box)
{
    if (!is_offset(n))
        return absorb_factor(d, n);
    if (!c->bytes || (c->view && type_elems(constant_of(n)->type) != 1))
        return false;
    return absorb_offset(d, n, weights, box);
}

void absorb_normalisation(Draft *d, const Tensor *weights, const Ternary *box)
{
    Chain c = find_chain(d);
    int taken = 0;
    while (taken < c.count && absorb_one(d, &c, c.nodes[taken], weights, box))
        taken++;
    if (!taken)
        return;
    Tensor *from = variable_of(c.nodes[taken - 1]);
    if (c.view)
        c.view->in[0] = from;
    else
        d->x = from;
    while (taken--)
        text_printf(&d->source, "%s + ", c.nodes[taken]->op_name);
}
