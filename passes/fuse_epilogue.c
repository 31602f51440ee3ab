/* fuse_epilogue.c - what a layer can take over behind its sums: y = pool(act(acc * scale + bias)).
 *
 * Before the activation any per-channel multiply-add goes into scale and bias, in double. Behind the pooling
 * it does so too where it commutes: with averages always, with maxima when the factors are not negative. A
 * monotonic activation commutes with maxima. Nothing is absorbed that makes a scale or bias not finite. */
#include "fuse_draft.h"
#include "ops/ops.h"

#include <float.h>
#include <math.h>
#include <string.h>

bool channel_values(const Draft *d, const Tensor *t, double *v)
{
    Type y = d->y->type;
    if (!t || !t->data || t->type.dtype != DT_F32 || t->type.rank > y.rank)
        return false;
    int axis = d->axis - (y.rank - t->type.rank);
    for (int i = 0; i < t->type.rank; i++)
        if (t->type.dims[i] != 1 && (i != axis || t->type.dims[i] != d->l->co))
            return false;
    bool one = type_elems(t->type) == 1;
    for (int64_t c = 0; c < d->l->co; c++)
        v[c] = elem_get(t->data, DT_F32, one ? 0 : c);
    return true;
}

/* y * factor + offset per channel. */
typedef struct Affine {
    double *factor, *offset; /* [co] */
} Affine;

static Affine new_affine(int64_t co)
{
    Affine a = {NEW_ARRAY(double, co), NEW_ARRAY(double, co)};
    for (int64_t c = 0; c < co; c++)
        a.factor[c] = 1;
    return a;
}

static bool fits_float(double v)
{
    return fabs(v) <= (double)FLT_MAX; /* false for NaN */
}

static bool has_place_for(const Draft *d, const Affine *a)
{
    if (d->l->act.kind != ACT_NONE)
        return false;
    for (int64_t c = 0; c < d->l->co; c++) {
        if (d->l->pool.kind == POOL_MAX && a->factor[c] < 0)
            return false;
        if (!fits_float(d->scale[c] * a->factor[c]) || !fits_float(d->bias[c] * a->factor[c] + a->offset[c]))
            return false;
    }
    return true;
}

static bool take_affine(Draft *d, const Affine *a)
{
    if (!has_place_for(d, a))
        return false;
    for (int64_t c = 0; c < d->l->co; c++) {
        d->scale[c] *= a->factor[c];
        d->bias[c] = d->bias[c] * a->factor[c] + a->offset[c];
    }
    return true;
}

static void negate(double *v, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        v[i] = -v[i];
}

static void invert(double *v, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        v[i] = 1 / v[i];
}

/* Add, Sub, Mul, Div with a constant on either side, but c / y. */
static bool absorb_arithmetic(Draft *d, const Node *n)
{
    bool second = n->in[0] == d->y; /* the constant's place */
    int64_t co = d->l->co;
    Affine a = new_affine(co);
    bool adds = n->op == OP_Add || n->op == OP_Sub;
    if (!channel_values(d, n->in[second], adds ? a.offset : a.factor))
        return false;
    if (n->op == OP_Sub)
        negate(second ? a.offset : a.factor, co);
    if (n->op == OP_Div) {
        if (!second)
            return false;
        invert(a.factor, co);
    }
    return take_affine(d, &a);
}

static bool is_channel_vector(const Draft *d, const Tensor *t)
{
    return t && t->data && type_elems(t->type) == d->l->co;
}

/* (y - mean) / sqrt(var + epsilon) * gamma + beta over axis 1. */
static bool absorb_batch_norm(Draft *d, const Node *n)
{
    if (d->axis != 1 || attr_int(n, "training_mode"))
        return false;
    const double epsilon = (double)attr_float(n, "epsilon");
    for (int i = 1; i < 5; i++)
        if (!is_channel_vector(d, n->in[i]))
            return false;
    Affine a = new_affine(d->l->co);
    for (int64_t c = 0; c < d->l->co; c++) {
        double v[5];
        for (int i = 1; i < 5; i++)
            v[i] = elem_get(n->in[i]->data, n->in[i]->type.dtype, c);
        a.factor[c] = v[1] / sqrt(v[4] + epsilon);
        a.offset[c] = v[2] - v[3] * a.factor[c];
    }
    return take_affine(d, &a);
}

/* ---- activation ---- */

/* A limit of Clip; absent: the largest float. */
static bool clip_limit(const Node *n, int input, float absent, float *limit)
{
    const Tensor *t = input < n->num_in ? n->in[input] : NULL;
    *limit = absent;
    if (!t)
        return true;
    if (!t->data || type_elems(t->type) != 1)
        return false;
    *limit = (float)elem_get(t->data, t->type.dtype, 0);
    return !isnan(*limit);
}

static bool read_clip(const Node *n, Activation *a)
{
    a->kind = ACT_CLIP;
    if (!clip_limit(n, 1, -FLT_MAX, &a->a) || !clip_limit(n, 2, FLT_MAX, &a->b))
        return false;
    if (a->a == 0 && a->b >= FLT_MAX)
        *a = (Activation){.kind = ACT_RELU};
    return fits_float((double)a->a) && fits_float((double)a->b);
}

static bool read_activation(const Node *n, Activation *a)
{
    *a = (Activation){0};
    switch (n->op) {
    case OP_Relu: a->kind = ACT_RELU; return true;
    case OP_Sigmoid: a->kind = ACT_SIGMOID; return true;
    case OP_Tanh: a->kind = ACT_TANH; return true;
    case OP_HardSwish: a->kind = ACT_HARD_SWISH; return true;
    case OP_Clip: return read_clip(n, a);
    case OP_LeakyRelu:
        a->kind = ACT_LEAKY_RELU;
        a->a = attr_float(n, "alpha");
        return true;
    case OP_HardSigmoid:
        a->kind = ACT_HARD_SIGMOID;
        a->a = attr_float(n, "alpha");
        a->b = attr_float(n, "beta");
        return true;
    default: return false;
    }
}

static bool absorb_activation(Draft *d, const Node *n)
{
    Activation a;
    if (d->l->act.kind != ACT_NONE || !read_activation(n, &a))
        return false;
    if (d->l->pool.kind == POOL_AVERAGE || (d->l->pool.kind == POOL_MAX && !activation_never_falls(&a)))
        return false;
    d->l->act = a;
    return true;
}

/* ---- pooling ---- */

static bool pools_globally(const Node *n)
{
    return n->op == OP_GlobalMaxPool || n->op == OP_GlobalAveragePool;
}

static Pool read_pool(const Draft *d, const Node *n)
{
    bool max = n->op == OP_MaxPool || n->op == OP_GlobalMaxPool;
    Pool p = {.kind = max ? POOL_MAX : POOL_AVERAGE, .kh = d->l->oh, .kw = d->l->ow, .oh = 1, .ow = 1};
    if (!pools_globally(n)) {
        Window w = op_window(d->g, n);
        p.kh = w.kernel[1], p.kw = w.kernel[2];
        p.sh = w.stride[1], p.sw = w.stride[2];
        p.oh = w.out[1], p.ow = w.out[2];
    } else {
        p.sh = p.kh, p.sw = p.kw;
    }
    return p;
}

/* Windows side by side, none of them over the edge. */
static bool is_simple(const Draft *d, const Node *n)
{
    if (pools_globally(n))
        return true;
    Window w = op_window(d->g, n);
    for (int a = 1; a < 3; a++) {
        if (w.pad_begin[a] || w.pad_end[a] || w.dilation[a] != 1 || w.stride[a] < w.kernel[a])
            return false;
        if ((w.out[a] - 1) * w.stride[a] + w.kernel[a] > w.in[a])
            return false;
    }
    return true;
}

/* What pools sums of codes: maxima of what never falls with the sums, averages of what is linear in them. */
static bool pools_quantised(const Draft *d, const Pool *p)
{
    if (p->kind == POOL_AVERAGE)
        return d->l->act.kind == ACT_NONE && !(d->step.scale > 0) && sums_fit(d, p->kh * p->kw);
    for (int64_t c = 0; d->ints && c < d->l->co; c++)
        if (d->scale[c] < 0)
            return false;
    return activation_never_falls(&d->l->act);
}

/* Transposed convolutions have no pooling: their columns are made one phase after the other. */
static bool absorb_pool(Draft *d, const Node *n)
{
    int rank = d->y->type.rank;
    if (d->axis != 1 || (rank != 3 && rank != 4) || d->l->pool.kind != POOL_NONE)
        return false;
    if ((n->num_out > 1 && n->out[1]) || !is_simple(d, n))
        return false;
    Pool p = read_pool(d, n);
    if (p.kh == 1 && p.kw == 1 && p.oh == d->l->oh && p.ow == d->l->ow)
        return true; /* it changes nothing */
    if (d->l->kind == LAYER_CONV_TRANSPOSE || (d->quantised && !pools_quantised(d, &p)))
        return false;
    d->l->pool = p;
    return true;
}

bool absorb_affine(Draft *d, const Node *n)
{
    switch (n->op) {
    case OP_Add:
    case OP_Sub:
    case OP_Mul:
    case OP_Div: return type_equal(n->out[0]->type, d->y->type) && absorb_arithmetic(d, n);
    case OP_BatchNormalization: return n->in[0] == d->y && absorb_batch_norm(d, n);
    default: return false;
    }
}

static bool absorb_kind(Draft *d, const Node *n)
{
    if (d->step.scale > 0)
        return n->op == OP_MaxPool && absorb_pool(d, n);
    switch (n->op) {
    case OP_QuantizeLinear: return absorb_quantize(d, n);
    case OP_MaxPool:
    case OP_AveragePool:
    case OP_GlobalMaxPool:
    case OP_GlobalAveragePool: return absorb_pool(d, n);
    default: return absorb_affine(d, n) || (n->in[0] == d->y && absorb_activation(d, n));
    }
}

bool absorb_node(Draft *d, const Node *n)
{
    if (!absorb_kind(d, n))
        return false;
    d->y = n->out[0];
    return true;
}
