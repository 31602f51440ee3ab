/* train_kernels.c - operators that training computes in a way of its own: matrix products (Gemm, MatMul; by
 * the library's sgemm), views and residual additions (which keep or leave the library's formats), and
 * Dropout, which is nothing at inference. */
#include "ops/ops.h"
#include "train/engine.h"

#include <string.h>

static Value *value_at(const NodeKernel *k, int input)
{
    return &k->e->values[k->n->in[input]->id];
}

/* ---- y[stack] = alpha * a[stack] b[stack] + beta * c ---- */

static bool is_transposed(const NodeKernel *k, int side)
{
    return k->n->op == OP_Gemm && attr_int(k->n, side ? "transB" : "transA");
}

/* Where the matrix of a side lies for stack s of the result. */
static int64_t matrix_at(const NodeKernel *k, int side, int64_t s)
{
    int64_t size = side ? k->inner * k->cols : k->rows * k->inner;
    return size * (k->maps[side] ? k->maps[side][s] : s);
}

/* Element (i, j) of C, broadcast, is c[i * *si + j * *sj]. */
static void bias_steps(const NodeKernel *k, int64_t *si, int64_t *sj)
{
    Type t = k->n->in[2]->type;
    *si = t.rank == 2 && t.dims[0] > 1 ? t.dims[1] : 0;
    *sj = t.rank && t.dims[t.rank - 1] > 1 ? 1 : 0;
}

static void add_bias(NodeKernel *k, float *y)
{
    const float *c = value_dense(k->e, value_at(k, 2));
    float beta = attr_float(k->n, "beta");
    int64_t si, sj;
    bias_steps(k, &si, &sj);
    for (int64_t i = 0; i < k->rows; i++)
        for (int64_t j = 0; j < k->cols; j++)
            y[i * k->cols + j] += beta * c[i * si + j * sj];
}

static void forward_matmul(NodeKernel *k)
{
    const float *a = value_dense(k->e, value_at(k, 0)), *b = value_dense(k->e, value_at(k, 1));
    float *y = k->e->values[k->n->out[0]->id].data;
    float alpha = k->n->op == OP_Gemm ? attr_float(k->n, "alpha") : 1;
    for (int64_t s = 0; s < k->stacks; s++)
        library_sgemm(is_transposed(k, 0), is_transposed(k, 1), k->rows, k->cols, k->inner, alpha,
                      a + matrix_at(k, 0, s), b + matrix_at(k, 1, s), 0, y + s * k->rows * k->cols);
    if (k->n->num_in > 2 && k->n->in[2])
        add_bias(k, y);
}

static void backward_bias(NodeKernel *k, const float *dy)
{
    float *dc = value_grad(value_at(k, 2)), beta = attr_float(k->n, "beta");
    int64_t si, sj;
    bias_steps(k, &si, &sj);
    for (int64_t i = 0; i < k->rows; i++)
        for (int64_t j = 0; j < k->cols; j++)
            dc[i * si + j * sj] += beta * dy[i * k->cols + j];
}

/* da = alpha * dy b', db = alpha * a' dy, in the order in which a and b lie. */
static void backward_matmul(NodeKernel *k)
{
    bool ta = is_transposed(k, 0), tb = is_transposed(k, 1);
    const float *a = value_dense(k->e, value_at(k, 0)), *b = value_dense(k->e, value_at(k, 1));
    const float *dy = k->e->values[k->n->out[0]->id].grad;
    float *da = value_at(k, 0)->wanted ? value_grad(value_at(k, 0)) : NULL;
    float *db = value_at(k, 1)->wanted ? value_grad(value_at(k, 1)) : NULL;
    float alpha = k->n->op == OP_Gemm ? attr_float(k->n, "alpha") : 1;
    for (int64_t s = 0; s < k->stacks; s++, dy += k->rows * k->cols) {
        int64_t sa = matrix_at(k, 0, s), sb = matrix_at(k, 1, s);
        if (da && !ta)
            library_sgemm(false, !tb, k->rows, k->inner, k->cols, alpha, dy, b + sb, 1, da + sa);
        else if (da)
            library_sgemm(tb, true, k->inner, k->rows, k->cols, alpha, b + sb, dy, 1, da + sa);
        if (db && !tb)
            library_sgemm(!ta, false, k->inner, k->cols, k->rows, alpha, a + sa, dy, 1, db + sb);
        else if (db)
            library_sgemm(true, ta, k->cols, k->inner, k->rows, alpha, dy, a + sa, 1, db + sb);
    }
    if (k->n->num_in > 2 && k->n->in[2] && value_at(k, 2)->wanted)
        backward_bias(k, k->e->values[k->n->out[0]->id].grad);
}

/* What is in front of the last two dimensions. */
static Type stacks_of(Type t)
{
    t.rank = t.rank > 2 ? t.rank - 2 : 0;
    return t;
}

/* A vector is one row on the left, one column on the right. */
static void measure_matmul(NodeKernel *k)
{
    Type a = k->n->in[0]->type, b = k->n->in[1]->type;
    bool ta = is_transposed(k, 0), tb = is_transposed(k, 1);
    k->rows = a.rank > 1 ? a.dims[a.rank - 2 + ta] : 1;
    k->inner = a.dims[a.rank - 1 - ta];
    k->cols = b.rank > 1 ? b.dims[b.rank - 1 - tb] : 1;
}

/* Stacks broadcast against each other; a single matrix on the right makes one product of more rows. */
static bool prepare_stacks(NodeKernel *k)
{
    const Node *n = k->n;
    if (!type_elems(n->in[0]->type) || !type_elems(n->in[1]->type))
        return false;
    Type a = stacks_of(n->in[0]->type), b = stacks_of(n->in[1]->type), y = n->out[0]->type;
    y.rank -= (n->in[0]->type.rank > 1) + (n->in[1]->type.rank > 1);
    k->stacks = type_elems(y);
    if (type_elems(b) == 1) {
        k->rows *= k->stacks;
        k->stacks = 1;
        return true;
    }
    k->maps[0] = broadcast_map(y, a);
    k->maps[1] = broadcast_map(y, b);
    return true;
}

static bool prepare_matmul(NodeKernel *k)
{
    measure_matmul(k);
    if (!prepare_stacks(k))
        return false;
    for (int i = 0; i < k->n->num_in; i++)
        if (k->n->in[i])
            value_need_dense(value_at(k, i));
    value_allocate(&k->e->values[k->n->out[0]->id], NULL);
    k->forward = forward_matmul;
    k->backward = backward_matmul;
    return true;
}

/* ---- Dropout: y = x / (1 - ratio) where a number drawn for the element is at least ratio, else 0 ---- */

static double ratio_of(const NodeKernel *k)
{
    bool given = k->n->num_in > 1 && k->n->in[1] && k->n->in[1]->data;
    return given ? const_scalar(k->e->g, k->n, 1) : 0.5;
}

/* The backward pass draws the same numbers again. */
static uint64_t seed_of(const NodeKernel *k)
{
    return k->e->noise * 0xd1342543de82ef95u + (uint64_t)k->n->out[0]->id;
}

static void add_dropped(const NodeKernel *k, const float *from, float *to)
{
    double ratio = k->e->training ? ratio_of(k) : 0;
    float factor = ratio < 1 ? (float)(1 / (1 - ratio)) : 0;
    int64_t total = type_elems(k->n->out[0]->type);
    for (int64_t i = 0; i < total; i++)
        to[i] += ratio > 0 && random_unit(seed_of(k), (uint64_t)i) < ratio ? 0 : factor * from[i];
}

static void forward_dropout(NodeKernel *k)
{
    Value *y = &k->e->values[k->n->out[0]->id];
    memset(y->data, 0, type_bytes(y->t->type));
    add_dropped(k, value_dense(k->e, value_at(k, 0)), y->data);
}

static void backward_dropout(NodeKernel *k)
{
    add_dropped(k, k->e->values[k->n->out[0]->id].grad, value_grad(value_at(k, 0)));
}

static bool prepare_dropout(NodeKernel *k)
{
    value_need_dense(value_at(k, 0));
    value_allocate(&k->e->values[k->n->out[0]->id], NULL);
    k->forward = forward_dropout;
    k->backward = backward_dropout;
    return true;
}

/* ---- views: the same elements under another shape, always dense ---- */

static void forward_view(NodeKernel *k)
{
    const Value *x = value_at(k, 0);
    library_reorder(k->e->lib, x->format, x->data, format_dense(x->t->type),
                    value_of(k->e, k->n->out[0])->data);
}

static void backward_view(NodeKernel *k)
{
    Value *x = value_at(k, 0);
    const Value *y = value_of(k->e, k->n->out[0]);
    library_reorder(k->e->lib, format_dense(x->t->type), y->grad, x->format, value_grad_target(x));
    value_grad_arrived(x);
}

static bool prepare_view(NodeKernel *k)
{
    value_allocate(value_of(k->e, k->n->out[0]), NULL);
    k->forward = forward_view;
    k->backward = backward_view;
    return true;
}

/* ---- Add of equal shapes, in the format of the first, as residual connections have it ---- */

static void forward_add(NodeKernel *k)
{
    const Value *a = value_at(k, 0), *b = value_at(k, 1), *y = value_of(k->e, k->n->out[0]);
    const float *first = a->data;
    float *sum = y->data;
    library_reorder(k->e->lib, b->format, b->data, y->format, sum);
    for (int64_t i = 0; i < y->size; i++)
        sum[i] += first[i];
}

static void backward_add(NodeKernel *k)
{
    const Value *y = value_of(k->e, k->n->out[0]);
    for (int i = 0; i < 2; i++) {
        Value *x = value_at(k, i);
        if (!x->wanted)
            continue;
        library_reorder(k->e->lib, y->format, y->grad, x->format, value_grad_target(x));
        value_grad_arrived(x);
    }
}

static bool prepare_add(NodeKernel *k)
{
    const Node *n = k->n;
    if (!type_equal(n->in[0]->type, n->in[1]->type) || n->in[0] == n->in[1])
        return false;
    value_allocate(value_of(k->e, n->out[0]), value_at(k, 0)->format);
    k->forward = forward_add;
    k->backward = backward_add;
    return true;
}

static bool prepare(NodeKernel *k)
{
    switch (k->n->op) {
    case OP_Gemm:
    case OP_MatMul: return prepare_matmul(k);
    case OP_Dropout: return prepare_dropout(k);
    case OP_Reshape:
    case OP_Flatten:
    case OP_Squeeze:
    case OP_Unsqueeze:
    case OP_Identity: return prepare_view(k);
    case OP_Add: return prepare_add(k);
    default: return false;
    }
}

NodeKernel *train_kernel(Engine *e, const Node *n)
{
    if (n->out[0]->type.dtype != DT_F32 || !type_elems(n->out[0]->type))
        return NULL;
    NodeKernel *k = NEW(NodeKernel);
    k->e = e;
    k->n = n;
    return prepare(k) ? k : NULL;
}
