/* op_linear.c - Conv, ConvTranspose, Gemm and MatMul. Those with constant float weights become OP_Layer
 * (passes/fuse.c) before C is printed; the emit hooks here print the rest: weights known at run time only,
 * double, 3-D. */
#include "ops/ops.h"
#include "ops/grad.h"
#include "ops/reference.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void need_float(const Graph *g, const Node *n)
{
    DType d = n->in[0]->type.dtype;
    if (d != DT_F32 && d != DT_F64)
        fail_node(g, n, "unsupported: %s of %s", n->op_name, dtype_name(d));
    for (int i = 1; i < n->num_in; i++)
        if (n->in[i] && n->in[i]->type.dtype != d)
            fail_node(g, n, "input %d is %s, input 0 is %s", i, dtype_name(n->in[i]->type.dtype),
                      dtype_name(d));
}

static const Tensor *optional(const Node *n, int i)
{
    return i < n->num_in ? n->in[i] : NULL;
}

/* ---- Conv, ConvTranspose ---- */

/* Channels and groups against the weights: Conv [co][ci / groups]..., ConvTranspose [ci][co / groups]... */
ConvShape conv_shape(const Graph *g, const Node *n)
{
    Type x = n->in[0]->type, w = n->in[1]->type;
    if (w.rank != x.rank)
        fail_node(g, n, "input of rank %d and weights of rank %d", x.rank, w.rank);
    ConvShape s = {.groups = attr_int(n, "group"), .ci = x.rank > 1 ? x.dims[1] : 0};
    if (s.groups < 1 || s.ci < 1 || w.dims[0] < 1 || w.dims[1] < 1 || s.ci % s.groups)
        fail_node(g, n, "%s input channels do not make %s groups", int_text(s.ci), int_text(s.groups));
    bool transpose = n->op == OP_ConvTranspose;
    s.co = transpose ? w.dims[1] * s.groups : w.dims[0];
    if (transpose ? w.dims[0] != s.ci : w.dims[1] != s.ci / s.groups || s.co % s.groups)
        fail_node(g, n, "weights %s do not fit %s input channels in %s groups", type_text(w), int_text(s.ci),
                  int_text(s.groups));
    const Tensor *b = optional(n, 2);
    if (b && (b->type.rank != 1 || b->type.dims[0] != s.co))
        fail_node(g, n, "bias %s for %s output channels", type_text(b->type), int_text(s.co));
    s.w = op_window(g, n);
    return s;
}

static void infer_conv(Graph *g, Node *n)
{
    need_float(g, n);
    ConvShape s = conv_shape(g, n);
    Type y = n->in[0]->type;
    y.dims[1] = s.co;
    for (int i = 2; i < y.rank; i++)
        y.dims[i] = s.w.out[3 - s.w.rank + i - 2];
    n->out[0]->type = y;
}

static int64_t volume(const int64_t *v)
{
    return v[0] * v[1] * v[2];
}

/* ConvTranspose's weights [ci][co / groups][taps] as [co][ci / groups][taps]. */
static double *swap_channels(const ConvShape *s, const double *w)
{
    int64_t cin = s->ci / s->groups, cout = s->co / s->groups, taps = volume(s->w.kernel);
    double *r = doubles_new(s->co * cin * taps), *to = r;
    for (int64_t o = 0; o < s->co; o++)
        for (int64_t c = 0; c < cin; c++, to += taps) {
            int64_t ci = o / cout * cin + c;
            memcpy(to, w + (ci * cout + o % cout) * taps, (size_t)taps * sizeof *w);
        }
    return r;
}

static void add_channel_bias(double *acc, const double *bias, int64_t channels, int64_t plane)
{
    for (int64_t i = 0; i < channels * plane; i++)
        acc[i] += bias[i / plane];
}

static void eval_conv(const Graph *g, const Node *n, const void *const *in, void *const *out)
{
    ConvShape s = conv_shape(g, n);
    DType d = n->in[0]->type.dtype;
    int64_t batch = n->in[0]->type.dims[0], image = s.ci * volume(s.w.in), plane = volume(s.w.out);
    double *x = doubles_from(in[0], d, batch * image), *acc = doubles_new(s.co * plane);
    double *w = doubles_from(in[1], d, type_elems(n->in[1]->type));
    double *bias = optional(n, 2) ? doubles_from(in[2], d, s.co) : doubles_new(s.co);
    if (n->op == OP_ConvTranspose) {
        double *swapped = swap_channels(&s, w);
        free(w);
        w = swapped;
    }
    for (int64_t b = 0; b < batch; b++) {
        if (n->op == OP_Conv)
            reference_conv(&s, x + b * image, w, acc);
        else
            reference_conv_transpose(&s, x + b * image, w, acc);
        add_channel_bias(acc, bias, s.co, plane);
        doubles_to(acc, (char *)out[0] + (size_t)(b * s.co * plane) * dtype_size(d), d, s.co * plane);
    }
    free(x);
    free(acc);
    free(w);
    free(bias);
}

const char *emit_conv_shape(const ConvShape *s, int64_t batch)
{
    const Window *w = &s->w;
    return mem_printf("%s, %s, %s, %s, %s, %s, %s, %s, %s, %s", int_text(batch), int_text(s->groups),
                      int_text(s->ci / s->groups), int_text(s->co / s->groups), emit_dims(w->in, 3),
                      emit_dims(w->out, 3), emit_dims(w->kernel, 3), emit_dims(w->stride, 3),
                      emit_dims(w->dilation, 3), emit_dims(w->pad_begin, 3));
}

static void emit_conv(Emitter *e, const Node *n)
{
    const Graph *g = emit_plan(e)->g;
    ConvShape s = conv_shape(g, n);
    const char *bias = optional(n, 2) ? emit_ptr(e, n->in[2]) : "NULL";
    emit_line(e, "%s(%s, %s, %s, %s, %s);",
              emit_kernel(e, n->op == OP_Conv ? "conv" : "conv_transpose", n->in[0]->type.dtype),
              emit_ptr(e, n->out[0]), emit_ptr(e, n->in[0]), emit_ptr(e, n->in[1]), bias,
              emit_conv_shape(&s, n->in[0]->type.dims[0]));
}

double conv_terms(const Graph *g, const Node *n)
{
    Type w = n->in[1]->type;
    (void)g;
    return (double)type_elems(w) / (n->op == OP_ConvTranspose || !w.dims[0] ? 1 : (double)w.dims[0]);
}

const OpDef op_Conv = {
    .name = "Conv",
    .min_in = 2,
    .max_in = 3,
    .min_out = 1,
    .max_out = 1,
    .attrs = {CONV_ATTRS},
    .infer = infer_conv,
    .eval = eval_conv,
    .rounding = {.rule = ROUND_SUM},
    .terms = conv_terms,
    .steps = conv_terms,
    .emit = emit_conv,
    .grad = grad_kernel,
};

const OpDef op_ConvTranspose = {
    .name = "ConvTranspose",
    .min_in = 2,
    .max_in = 3,
    .min_out = 1,
    .max_out = 1,
    .attrs = {CONV_ATTRS,
              {.name = "output_padding", .type = ATTR_INTS},
              {.name = "output_shape", .type = ATTR_INTS}},
    .infer = infer_conv,
    .eval = eval_conv,
    .rounding = {.rule = ROUND_SUM},
    .terms = conv_terms,
    .steps = conv_terms,
    .emit = emit_conv,
    .grad = grad_kernel,
};

/* ---- Gemm, MatMul: y[i][j] = sum over k of a[i * ai + k * ak] * b[k * bk + j * bj] ---- */

static void multiply(const MatShape *s, const double *a, const double *b, double *y)
{
    for (int64_t i = 0; i < s->m; i++)
        for (int64_t j = 0; j < s->n; j++) {
            double sum = 0;
            for (int64_t k = 0; k < s->k; k++)
                sum += a[i * s->ai + k * s->ak] * b[k * s->bk + j * s->bj];
            y[i * s->n + j] = sum;
        }
}

/* "m, n, k" */
static const char *sizes_text(const MatShape *s)
{
    return mem_printf("%s, %s, %s", int_text(s->m), int_text(s->n), int_text(s->k));
}

static MatShape gemm_shape(const Graph *g, const Node *n)
{
    Type a = n->in[0]->type, b = n->in[1]->type;
    if (a.rank != 2 || b.rank != 2)
        fail_node(g, n, "needs two matrices");
    bool ta = attr_int(n, "transA"), tb = attr_int(n, "transB");
    MatShape s = {.m = a.dims[ta], .n = b.dims[!tb], .k = a.dims[!ta]};
    if (b.dims[tb] != s.k)
        fail_node(g, n, "inner sizes %s and %s differ", int_text(s.k), int_text(b.dims[tb]));
    s.ai = ta ? 1 : a.dims[1];
    s.ak = ta ? a.dims[1] : 1;
    s.bk = tb ? 1 : b.dims[1];
    s.bj = tb ? b.dims[1] : 1;
    return s;
}

/* Steps of C broadcast to [m][n]: element (i, j) is c[i * *si + j * *sj]. */
static void gemm_c_steps(const Graph *g, const Node *n, const MatShape *s, int64_t *si, int64_t *sj)
{
    *si = *sj = 0;
    if (!optional(n, 2))
        return;
    Type c = n->in[2]->type;
    int64_t rows = c.rank == 2 ? c.dims[0] : 1;
    int64_t cols = c.rank ? c.dims[c.rank - 1] : 1;
    if (c.rank > 2 || (rows != 1 && rows != s->m) || (cols != 1 && cols != s->n))
        fail_node(g, n, "C of shape %s does not broadcast to [%s,%s]", type_text(c), int_text(s->m),
                  int_text(s->n));
    *si = rows == 1 ? 0 : cols;
    *sj = cols == 1 ? 0 : 1;
}

static void infer_gemm(Graph *g, Node *n)
{
    need_float(g, n);
    MatShape s = gemm_shape(g, n);
    int64_t si, sj;
    gemm_c_steps(g, n, &s, &si, &sj);
    n->out[0]->type = type_make(n->in[0]->type.dtype, 2, (int64_t[]){s.m, s.n});
}

static void gemm(const Graph *g, const Node *n, double alpha, double beta, const void *const *in,
                 void *const *out)
{
    MatShape s = gemm_shape(g, n);
    int64_t si, sj;
    gemm_c_steps(g, n, &s, &si, &sj);
    DType d = n->in[0]->type.dtype;
    double *a = doubles_from(in[0], d, s.m * s.k), *b = doubles_from(in[1], d, s.k * s.n);
    double *y = doubles_new(s.m * s.n);
    multiply(&s, a, b, y);
    for (int64_t i = 0; i < s.m; i++)
        for (int64_t j = 0; j < s.n; j++) {
            double c = optional(n, 2) ? elem_get(in[2], d, i * si + j * sj) : 0;
            y[i * s.n + j] = alpha * y[i * s.n + j] + beta * c;
        }
    doubles_to(y, out[0], d, s.m * s.n);
    free(a);
    free(b);
    free(y);
}

static void eval_gemm(const Graph *g, const Node *n, const void *const *in, void *const *out)
{
    gemm(g, n, (double)attr_float(n, "alpha"), (double)attr_float(n, "beta"), in, out);
}

static void eval_gemm_absolute(const Graph *g, const Node *n, const void *const *in, void *const *out)
{
    gemm(g, n, fabs((double)attr_float(n, "alpha")), fabs((double)attr_float(n, "beta")), in, out);
}

static void emit_gemm(Emitter *e, const Node *n)
{
    const Graph *g = emit_plan(e)->g;
    MatShape s = gemm_shape(g, n);
    int64_t si, sj;
    gemm_c_steps(g, n, &s, &si, &sj);
    DType d = n->in[0]->type.dtype;
    const char *y = emit_ptr(e, n->out[0]);
    emit_line(e, "%s(%s, %s, %s, %s, %s, %s, %s, %s);", emit_kernel(e, "matmul", d), y, emit_ptr(e, n->in[0]),
              emit_ptr(e, n->in[1]), sizes_text(&s), int_text(s.ai), int_text(s.ak), int_text(s.bk),
              int_text(s.bj));
    float alpha = attr_float(n, "alpha"), beta = attr_float(n, "beta");
    if (optional(n, 2))
        emit_line(e, "%s(%s, %s, %s, %s, %s, %s, %s, %s);", emit_kernel(e, "gemm_add", d), y,
                  emit_ptr(e, n->in[2]), int_text(s.m), int_text(s.n), int_text(si), int_text(sj),
                  float_text((double)alpha, d), float_text((double)beta, d));
    else if (alpha < 1 || alpha > 1)
        emit_line(e, "%s(%s, %s, %s);", emit_kernel(e, "gemm_scale", d), y, int_text(s.m * s.n),
                  float_text((double)alpha, d));
}

/* The products, C and its factor. */
static double gemm_terms(const Graph *g, const Node *n)
{
    (void)g;
    return (double)n->in[0]->type.dims[attr_int(n, "transA") ? 0 : 1] + 2;
}

const OpDef op_Gemm = {
    .name = "Gemm",
    .min_in = 2,
    .max_in = 3,
    .min_out = 1,
    .max_out = 1,
    .attrs = {{.name = "alpha", .type = ATTR_FLOAT, .f = 1},
              {.name = "beta", .type = ATTR_FLOAT, .f = 1},
              {.name = "transA", .type = ATTR_INT},
              {.name = "transB", .type = ATTR_INT}},
    .infer = infer_gemm,
    .eval = eval_gemm,
    .rounding = {.rule = ROUND_SUM},
    .eval_absolute = eval_gemm_absolute,
    .terms = gemm_terms,
    .steps = gemm_terms,
    .emit = emit_gemm,
    .grad = grad_kernel,
};

/* A vector on the left is one row, a vector on the right one column. */
static Type as_matrix(Type t, bool left)
{
    if (t.rank != 1)
        return t;
    return type_make(t.dtype, 2, left ? (int64_t[]){1, t.dims[0]} : (int64_t[]){t.dims[0], 1});
}

static void stack_axis(const Graph *g, const Node *n, StackShape *s, int axis, Type a, Type b)
{
    int ia = axis - (s->rank + 2 - a.rank), ib = axis - (s->rank + 2 - b.rank);
    int64_t da = ia < 0 ? 1 : a.dims[ia];
    int64_t db = ib < 0 ? 1 : b.dims[ib];
    int64_t strides[MAX_RANK];
    if (da != db && da != 1 && db != 1)
        fail_node(g, n, "stacks of matrices do not broadcast");
    s->dims[axis] = da == 1 ? db : da;
    dense_strides(a, strides);
    s->a_steps[axis] = da == 1 ? 0 : strides[ia];
    dense_strides(b, strides);
    s->b_steps[axis] = db == 1 ? 0 : strides[ib];
}

StackShape stack_shape(const Graph *g, const Node *n)
{
    if (n->in[0]->type.rank < 1 || n->in[1]->type.rank < 1)
        fail_node(g, n, "needs matrices or vectors");
    Type a = as_matrix(n->in[0]->type, true), b = as_matrix(n->in[1]->type, false);
    StackShape s = {.rank = (a.rank > b.rank ? a.rank : b.rank) - 2};
    MatShape *m = &s.mat;
    *m = (MatShape){
        .m = a.dims[a.rank - 2], .k = a.dims[a.rank - 1], .n = b.dims[b.rank - 1], .ak = 1, .bj = 1};
    m->ai = m->k;
    m->bk = m->n;
    if (b.dims[b.rank - 2] != m->k)
        fail_node(g, n, "inner sizes %s and %s differ", int_text(m->k), int_text(b.dims[b.rank - 2]));
    for (int i = 0; i < s.rank; i++)
        stack_axis(g, n, &s, i, a, b);
    return s;
}

int64_t stack_count(const StackShape *s)
{
    int64_t count = 1;
    for (int i = 0; i < s->rank; i++)
        count *= s->dims[i];
    return count;
}

Type stack_type(const Node *n, const StackShape *s, DType d)
{
    Type y = type_make(d, s->rank, s->dims);
    if (n->in[0]->type.rank > 1)
        y.dims[y.rank++] = s->mat.m;
    if (n->in[1]->type.rank > 1)
        y.dims[y.rank++] = s->mat.n;
    return y;
}

static void infer_matmul(Graph *g, Node *n)
{
    need_float(g, n);
    StackShape s = stack_shape(g, n);
    n->out[0]->type = stack_type(n, &s, n->in[0]->type.dtype);
}

static int64_t step_offset(const StackShape *s, const int64_t *steps, int64_t p)
{
    int64_t offset = 0;
    for (int i = s->rank - 1; i >= 0; i--) {
        offset += p % s->dims[i] * steps[i];
        p /= s->dims[i];
    }
    return offset;
}

void reference_matmul(const StackShape *s, const double *a, const double *b, double *y)
{
    int64_t count = stack_count(s);
    for (int64_t p = 0; p < count; p++)
        multiply(&s->mat, a + step_offset(s, s->a_steps, p), b + step_offset(s, s->b_steps, p),
                 y + p * s->mat.m * s->mat.n);
}

static void eval_matmul(const Graph *g, const Node *n, const void *const *in, void *const *out)
{
    StackShape s = stack_shape(g, n);
    DType d = n->in[0]->type.dtype;
    double *a = doubles_from(in[0], d, type_elems(n->in[0]->type));
    double *b = doubles_from(in[1], d, type_elems(n->in[1]->type));
    int64_t elems = type_elems(n->out[0]->type);
    double *y = doubles_new(elems);
    reference_matmul(&s, a, b, y);
    doubles_to(y, out[0], d, elems);
    free(a);
    free(b);
    free(y);
}

static void emit_matmul(Emitter *e, const Node *n)
{
    StackShape s = stack_shape(emit_plan(e)->g, n);
    const MatShape *m = &s.mat;
    DType d = n->in[0]->type.dtype;
    int64_t count = stack_count(&s);
    const char *y = emit_ptr(e, n->out[0]), *a = emit_ptr(e, n->in[0]), *b = emit_ptr(e, n->in[1]);
    const char *sizes = sizes_text(m);
    if (count == 1)
        emit_line(e, "%s(%s, %s, %s, %s, %s, %s, %s, %s);", emit_kernel(e, "matmul", d), y, a, b, sizes,
                  int_text(m->ai), int_text(m->ak), int_text(m->bk), int_text(m->bj));
    else
        emit_line(e, "%s(%s, %s, %s, %s, %s, %d, %s, %s, %s);", emit_kernel(e, "matmul_stack", d), y, a, b,
                  sizes, int_text(count), s.rank, emit_dims(s.dims, s.rank), emit_dims(s.a_steps, s.rank),
                  emit_dims(s.b_steps, s.rank));
}

double matmul_terms(const Graph *g, const Node *n)
{
    Type a = n->in[0]->type;
    (void)g;
    return a.rank ? (double)a.dims[a.rank - 1] : 1;
}

const OpDef op_MatMul = {
    .name = "MatMul",
    .min_in = 2,
    .max_in = 2,
    .min_out = 1,
    .max_out = 1,
    .infer = infer_matmul,
    .eval = eval_matmul,
    .rounding = {.rule = ROUND_SUM},
    .terms = matmul_terms,
    .steps = matmul_terms,
    .emit = emit_matmul,
    .grad = grad_kernel,
};
