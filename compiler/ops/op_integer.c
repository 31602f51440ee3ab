/* op_integer.c - ConvInteger and MatMulInteger: sums of products of 8-bit codes, less their zero points,
 * modulo 2^32. QLinearConv and QLinearMatMul become these and DequantizeLinear, QuantizeLinear
 * (passes/upgrade_qlinear.c). */
#include "ops/reference.h"
#include "print/print.h"

#include <stdlib.h>

static const Tensor *zero_of(const Node *n, int i)
{
    return i < n->num_in ? n->in[i] : NULL;
}

/* Types of both inputs and of their zero points: zero i belongs to input i - 2 and has one element, or
 * `counts[i - 2]`. */
static void check_codes(const Graph *g, const Node *n, const int64_t *counts)
{
    for (int i = 0; i < 2; i++) {
        DType d = n->in[i]->type.dtype;
        const Tensor *z = zero_of(n, 2 + i);
        if (!dtype_is_byte(d))
            fail_node(g, n, "unsupported: %s of %s", n->op_name, dtype_name(d));
        if (z && z->type.dtype != d)
            fail_node(g, n, "zero points of type %s for codes of type %s", dtype_name(z->type.dtype),
                      dtype_name(d));
        bool one = z && z->type.rank <= 1 && type_elems(z->type) == 1;
        if (z && !one && (z->type.rank != 1 || z->type.dims[0] != counts[i]))
            fail_node(g, n, "unsupported: zero points %s", type_text(z->type));
    }
}

/* 1 where each channel, row or column has a zero point of its own. */
static int zero_step(const Node *n, int i)
{
    return zero_of(n, i) && type_elems(zero_of(n, i)->type) > 1;
}

static void store_sums(const double *sums, void *y, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        ((uint32_t *)y)[i] = (uint32_t)(uint64_t)(int64_t)sums[i];
}

/* ---- ConvInteger ---- */

static ConvShape integer_shape(const Graph *g, const Node *n)
{
    Node conv = *n;
    conv.op = OP_Conv;
    conv.num_in = 2;
    return conv_shape(g, &conv);
}

static void infer_conv_integer(Graph *g, Node *n)
{
    ConvShape s = integer_shape(g, n);
    check_codes(g, n, (const int64_t[]){1, s.co});
    Type y = n->in[0]->type;
    y.dtype = DT_I32;
    y.dims[1] = s.co;
    for (int i = 2; i < y.rank; i++)
        y.dims[i] = s.w.out[3 - s.w.rank + i - 2];
    n->out[0]->type = y;
}

/* Codes less their zero points, which change every `repeat` elements when there are several. */
static double *centred(const Node *n, const void *const *in, int i, int64_t repeat)
{
    int64_t elems = type_elems(n->in[i]->type);
    int64_t count = zero_of(n, 2 + i) ? type_elems(n->in[2 + i]->type) : 0;
    DType d = n->in[i]->type.dtype;
    double *v = doubles_from(in[i], d, elems);
    for (int64_t k = 0; k < elems && count; k++)
        v[k] -= elem_get(in[2 + i], d, k / repeat % count);
    return v;
}

static void eval_conv_integer(const Graph *g, const Node *n, const void *const *in, void *const *out)
{
    ConvShape s = integer_shape(g, n);
    int64_t batch = n->in[0]->type.dims[0], image = s.ci * s.w.in[0] * s.w.in[1] * s.w.in[2];
    int64_t sums = s.co * s.w.out[0] * s.w.out[1] * s.w.out[2];
    double *x = centred(n, in, 0, 1), *w = centred(n, in, 1, type_elems(n->in[1]->type) / s.co);
    double *acc = doubles_new(sums);
    for (int64_t b = 0; b < batch; b++) {
        reference_conv(&s, x + b * image, w, acc);
        store_sums(acc, (int32_t *)out[0] + b * sums, sums);
    }
    free(x);
    free(w);
    free(acc);
}

static const char *zero_text(Emitter *e, const Node *n, int i)
{
    return zero_of(n, i) ? emit_ptr(e, n->in[i]) : "NULL";
}

static void emit_conv_integer(Emitter *e, const Node *n)
{
    ConvShape s = integer_shape(emit_plan(e)->g, n);
    emit_line(e, "%s(%s, %s, %s, %d, %s, %s, %d, %d, %s);", emit_kernel(e, "conv_integer", DT_NONE),
              emit_ptr(e, n->out[0]), emit_ptr(e, n->in[0]), zero_text(e, n, 2),
              n->in[0]->type.dtype == DT_I8, emit_ptr(e, n->in[1]), zero_text(e, n, 3), zero_step(n, 3),
              n->in[1]->type.dtype == DT_I8, emit_conv_shape(&s, n->in[0]->type.dims[0]));
}

const OpDef op_ConvInteger = {
    .name = "ConvInteger",
    .min_in = 2,
    .max_in = 4,
    .min_out = 1,
    .max_out = 1,
    .attrs = {CONV_ATTRS},
    .infer = infer_conv_integer,
    .eval = eval_conv_integer,
    .steps = conv_terms,
    .emit = emit_conv_integer,
};

/* ---- MatMulInteger ---- */

static void infer_matmul_integer(Graph *g, Node *n)
{
    StackShape s = stack_shape(g, n);
    check_codes(g, n, (const int64_t[]){s.mat.m, s.mat.n});
    n->out[0]->type = stack_type(n, &s, DT_I32);
}

static void eval_matmul_integer(const Graph *g, const Node *n, const void *const *in, void *const *out)
{
    StackShape s = stack_shape(g, n);
    int64_t elems = type_elems(n->out[0]->type);
    double *a = centred(n, in, 0, s.mat.k ? s.mat.k : 1), *b = centred(n, in, 1, 1), *y = doubles_new(elems);
    reference_matmul(&s, a, b, y);
    store_sums(y, out[0], elems);
    free(a);
    free(b);
    free(y);
}

static void emit_matmul_integer(Emitter *e, const Node *n)
{
    StackShape s = stack_shape(emit_plan(e)->g, n);
    const MatShape *m = &s.mat;
    emit_line(e, "%s(%s, %s, %s, %d, %d, %s, %s, %d, %d, %s, %s, %s, %s, %d, %s, %s, %s);",
              emit_kernel(e, "matmul_integer", DT_NONE), emit_ptr(e, n->out[0]), emit_ptr(e, n->in[0]),
              zero_text(e, n, 2), zero_step(n, 2), n->in[0]->type.dtype == DT_I8, emit_ptr(e, n->in[1]),
              zero_text(e, n, 3), zero_step(n, 3), n->in[1]->type.dtype == DT_I8, int_text(m->m),
              int_text(m->n), int_text(m->k), int_text(stack_count(&s)), s.rank, emit_dims(s.dims, s.rank),
              emit_dims(s.a_steps, s.rank), emit_dims(s.b_steps, s.rank));
}

const OpDef op_MatMulInteger = {
    .name = "MatMulInteger",
    .min_in = 2,
    .max_in = 4,
    .min_out = 1,
    .max_out = 1,
    .infer = infer_matmul_integer,
    .eval = eval_matmul_integer,
    .steps = matmul_terms,
    .emit = emit_matmul_integer,
};
