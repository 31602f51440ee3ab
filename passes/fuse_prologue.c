/* fuse_prologue.c - what a layer can take over before its sums: a Transpose in front of a fully connected layer, as
 * exporters from channels-last frameworks leave it where a feature map is flattened; and a factor, as normalisation of
 * pixels leaves it: the sum over w * (s * x) is s times the sum over w * x, padding included. */
#include "fuse.h"

#include <math.h>

static bool is_view(const Node *n)
{
    return n->op == OP_Reshape || n->op == OP_Flatten || n->op == OP_Squeeze || n->op == OP_Unsqueeze;
}

/* The Transpose whose output x is, seen through views, when nobody else reads what lies between. */
static const Node *find_transpose(const Draft *d)
{
    for (const Tensor *t = d->x; t->producer && graph_only_user(d->g, t); t = t->producer->in[0]) {
        if (t->producer->op == OP_Transpose)
            return t->producer;
        if (!is_view(t->producer))
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

void absorb_factor(Draft *d)
{
    const Node *n = d->x->producer;
    if (!n || n->op != OP_Mul || !graph_only_user(d->g, d->x))
        return;
    int factor = n->in[1]->data ? 1 : 0;
    const Tensor *s = n->in[factor], *x = n->in[1 - factor];
    if (!s->data || x->data || type_elems(s->type) != 1 || !type_equal(x->type, d->x->type))
        return;
    double v = elem_get(s->data, s->type.dtype, 0);
    if (!isnormal((float)v))
        return;
    for (int64_t c = 0; c < d->l->co; c++)
        d->scale[c] *= v;
    d->x = n->in[1 - factor];
}
