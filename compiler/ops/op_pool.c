/* op_pool.c - MaxPool, AveragePool, LpPool and their global forms, and MaxUnpool. Evaluation is naive and
 * shares nothing with runtime/pool.h. */
#include "ops/grad.h"
#include "ops/ops.h"
#include "ops/reference.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int64_t volume(const int64_t *v)
{
    return v[0] * v[1] * v[2];
}

static bool wants_index(const Node *n)
{
    return n->num_out > 1 && n->out[1];
}

/* Whether window o along axis a holds an element: its first tap not in front of the input lies in it. */
static bool holds_element(const Window *w, int a, int64_t o)
{
    int64_t at = o * w->stride[a] - w->pad_begin[a];
    int64_t skipped = at < 0 ? (-at + w->dilation[a] - 1) / w->dilation[a] : 0;
    return skipped < w->kernel[a] && at + skipped * w->dilation[a] < w->in[a];
}

/* All windows must; behind those that start in front of the input, the last is the one to look at. */
static void check_windows(const Graph *g, const Node *n, const Window *w, int a)
{
    bool good = w->out[a] < 1 || holds_element(w, a, w->out[a] - 1);
    for (int64_t o = 0; o < w->out[a] && o * w->stride[a] < w->pad_begin[a]; o++)
        good &= holds_element(w, a, o);
    if (!good)
        fail_node(g, n, "unsupported: a window that lies in the padding alone");
}

/* The window of a pooling node; global pooling has one window over everything. */
static Window pool_window(const Graph *g, const Node *n)
{
    if (n->op == OP_MaxPool || n->op == OP_AveragePool || n->op == OP_LpPool)
        return op_window(g, n);
    Type x = n->in[0]->type;
    Window w = {.rank = 1};
    for (int a = 0; a < 3; a++)
        w.in[a] = w.out[a] = w.kernel[a] = w.stride[a] = w.dilation[a] = 1;
    for (int i = 2; i < x.rank; i++)
        w.in[2] *= x.dims[i];
    w.kernel[2] = w.in[2];
    return w;
}

static void infer_pool(Graph *g, Node *n)
{
    Type x = n->in[0]->type;
    bool is_max = n->op == OP_MaxPool || n->op == OP_GlobalMaxPool;
    if (!dtype_is_float(x.dtype) && !(is_max && (x.dtype == DT_I8 || x.dtype == DT_U8)))
        fail_node(g, n, "unsupported: %s of %s", n->op_name, dtype_name(x.dtype));
    if (x.rank < 3)
        fail_node(g, n, "needs an input [batch, channels, spatial axes...]");
    Window w = pool_window(g, n);
    if (type_elems(x) == 0)
        fail_node(g, n, "unsupported: an empty input");
    if (wants_index(n) && attr_int(n, "storage_order"))
        fail_node(g, n, "unsupported: 'storage_order' = 1 with the output Indices");
    for (int a = 0; a < 3; a++)
        check_windows(g, n, &w, a);
    Type y = x;
    bool global = n->op == OP_GlobalMaxPool || n->op == OP_GlobalAveragePool || n->op == OP_GlobalLpPool;
    for (int i = 2; i < x.rank; i++)
        y.dims[i] = global ? 1 : w.out[3 - w.rank + i - 2];
    n->out[0]->type = y;
    if (wants_index(n)) {
        n->out[1]->type = y;
        n->out[1]->type.dtype = DT_I64;
    }
}

/* Position in the input plane of tap t of the window of output o, or -1 in the padding. *counts: whether it
 * lies within the padded input. */
static int64_t tap_position(const Window *w, int64_t o, int64_t t, bool *counts)
{
    int64_t at[3], position = 0;
    bool inside = true;
    *counts = true;
    for (int a = 2; a >= 0; a--) {
        at[a] = o % w->out[a] * w->stride[a] - w->pad_begin[a] + t % w->kernel[a] * w->dilation[a];
        o /= w->out[a];
        t /= w->kernel[a];
        inside &= at[a] >= 0 && at[a] < w->in[a];
        *counts &= at[a] < w->in[a] + w->pad_end[a];
    }
    for (int a = 0; a < 3; a++)
        position = position * w->in[a] + at[a];
    return inside ? position : -1;
}

static int64_t find_max(const Window *w, int64_t o, const double *x)
{
    int64_t best = -1;
    for (int64_t t = 0; t < volume(w->kernel); t++) {
        bool counts;
        int64_t p = tap_position(w, o, t, &counts);
        if (p >= 0 && (best < 0 || is_larger(x[p], x[best])))
            best = p;
    }
    return best;
}

static void eval_max(const Graph *g, const Node *n, const void *const *in, void *const *out)
{
    Window w = pool_window(g, n);
    Type x = n->in[0]->type;
    int64_t planes = x.dims[0] * x.dims[1], size = volume(w.in), results = volume(w.out);
    double *v = doubles_from(in[0], x.dtype, planes * size);
    for (int64_t i = 0; i < planes * results; i++) {
        const int64_t plane = i / results, best = find_max(&w, i % results, v + plane * size);
        elem_set(out[0], x.dtype, i, v[plane * size + best]);
        if (wants_index(n))
            ((int64_t *)out[1])[i] = plane * size + best;
    }
    free(v);
}

/* The sum is rounded to the type. */
static double average(const Window *w, int64_t o, const double *x, DType d, bool count_pad)
{
    double sum = 0, count = 0;
    for (int64_t t = 0; t < volume(w->kernel); t++) {
        bool counts;
        int64_t p = tap_position(w, o, t, &counts);
        sum += p >= 0 ? x[p] : 0;
        count += p >= 0 || (count_pad && counts) ? 1 : 0;
    }
    return elem_rounded(sum, d) / count;
}

static void eval_average(const Graph *g, const Node *n, const void *const *in, void *const *out)
{
    Window w = pool_window(g, n);
    Type x = n->in[0]->type;
    int64_t planes = x.dims[0] * x.dims[1], size = volume(w.in), results = volume(w.out);
    bool count_pad = n->op == OP_AveragePool && attr_int(n, "count_include_pad");
    double *v = doubles_from(in[0], x.dtype, planes * size);
    for (int64_t i = 0; i < planes * results; i++)
        elem_set(out[0], x.dtype, i, average(&w, i % results, v + i / results * size, x.dtype, count_pad));
    free(v);
}

static void infer_lp_pool(Graph *g, Node *n)
{
    if (attr_int(n, "p") < 1 || attr_int(n, "p") > 1 << 20)
        fail_node(g, n, "'p' = %s, it must be at least 1", int_text(attr_int(n, "p")));
    infer_pool(g, n);
}

/* Sum of |x|^p over the window of output o; powers and sum overflow and vanish as in their type. */
static double power_sum(const Window *w, int64_t o, const double *x, DType d, double p)
{
    double sum = 0;
    for (int64_t t = 0; t < volume(w->kernel); t++) {
        bool counts;
        int64_t at = tap_position(w, o, t, &counts);
        sum += at >= 0 ? elem_rounded(pow(fabs(x[at]), p), d) : 0;
    }
    return elem_rounded(sum, d);
}

static void eval_lp(const Graph *g, const Node *n, const void *const *in, void *const *out)
{
    Window w = pool_window(g, n);
    Type x = n->in[0]->type;
    int64_t planes = x.dims[0] * x.dims[1], size = volume(w.in), results = volume(w.out);
    double *v = doubles_from(in[0], x.dtype, planes * size), p = (double)attr_int(n, "p");
    for (int64_t i = 0; i < planes * results; i++)
        elem_set(out[0], x.dtype, i,
                 pow(power_sum(&w, i % results, v + i / results * size, x.dtype, p), 1 / p));
    free(v);
}

/* 1 / p is rounded before it is an exponent: |log y| roundings. */
static void magnify_lp(const Graph *g, const Node *n, const void *const *in, const void *want, double *by)
{
    (void)g, (void)in;
    DType d = n->out[0]->type.dtype;
    double p = (double)attr_int(n, "p");
    for (int64_t i = 0; i < type_elems(n->out[0]->type); i++) {
        double y = elem_get(want, d, i);
        by[i] = small_sum_factor(pow(y, p), d) + (p > 2 && y > 0 ? fabs(log(y)) / 8 : 0);
    }
}

static void emit_lp_pool(Emitter *e, const Node *n)
{
    Window w = pool_window(emit_plan(e)->g, n);
    Type x = n->in[0]->type;
    emit_line(e, "%s(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s);", emit_kernel(e, "lp_pool", x.dtype),
              emit_ptr(e, n->out[0]), emit_ptr(e, n->in[0]), int_text(x.dims[0] * x.dims[1]),
              emit_dims(w.in, 3), emit_dims(w.out, 3), emit_dims(w.kernel, 3), emit_dims(w.stride, 3),
              emit_dims(w.dilation, 3), emit_dims(w.pad_begin, 3), int_text(attr_int(n, "p")));
}

/* Of planes of 8-bit numbers. */
static void emit_max_codes(Emitter *e, const Node *n, const Window *w)
{
    Type x = n->in[0]->type;
    emit_line(e, "%s(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s);",
              emit_kernel(e, "max_codes", x.dtype), emit_ptr(e, n->out[0]), emit_ptr(e, n->in[0]),
              int_text(x.dims[0] * x.dims[1]), int_text(w->in[1]), int_text(w->in[2]), int_text(w->out[1]),
              int_text(w->out[2]), int_text(w->kernel[1]), int_text(w->kernel[2]), int_text(w->stride[1]),
              int_text(w->stride[2]), int_text(w->dilation[1]), int_text(w->dilation[2]),
              int_text(w->pad_begin[1]), int_text(w->pad_begin[2]));
}

static void emit_max_pool(Emitter *e, const Node *n)
{
    Window w = pool_window(emit_plan(e)->g, n);
    Type x = n->in[0]->type;
    if ((x.dtype == DT_U8 || x.dtype == DT_I8) && w.in[0] == 1 && !wants_index(n)) {
        emit_max_codes(e, n, &w);
        return;
    }
    emit_line(e, "%s(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s);", emit_kernel(e, "max_pool", x.dtype),
              emit_ptr(e, n->out[0]), wants_index(n) ? emit_ptr(e, n->out[1]) : "NULL", emit_ptr(e, n->in[0]),
              int_text(x.dims[0] * x.dims[1]), emit_dims(w.in, 3), emit_dims(w.out, 3),
              emit_dims(w.kernel, 3), emit_dims(w.stride, 3), emit_dims(w.dilation, 3),
              emit_dims(w.pad_begin, 3));
}

static void emit_average_pool(Emitter *e, const Node *n)
{
    Window w = pool_window(emit_plan(e)->g, n);
    Type x = n->in[0]->type;
    emit_line(e, "%s(%s, %s, %s, %s, %s, %s, %s, %s, %s, %d);", emit_kernel(e, "average_pool", x.dtype),
              emit_ptr(e, n->out[0]), emit_ptr(e, n->in[0]), int_text(x.dims[0] * x.dims[1]),
              emit_dims(w.in, 3), emit_dims(w.out, 3), emit_dims(w.kernel, 3), emit_dims(w.stride, 3),
              emit_dims(w.pad_begin, 3), emit_dims(w.pad_end, 3), attr_int(n, "count_include_pad") != 0);
}

static void emit_global_pool(Emitter *e, const Node *n)
{
    Window w = pool_window(emit_plan(e)->g, n);
    Type x = n->in[0]->type;
    emit_line(e, "%s(%s, %s, %s, %s);",
              emit_kernel(e, n->op == OP_GlobalMaxPool ? "global_max" : "global_average", x.dtype),
              emit_ptr(e, n->out[0]), emit_ptr(e, n->in[0]), int_text(x.dims[0] * x.dims[1]),
              int_text(w.in[2]));
}

static double window_size(const Graph *g, const Node *n)
{
    int length;
    const int64_t *kernel = attr_ints(n, "kernel_shape", &length);
    double size = 1;
    (void)g;
    for (int i = 0; i < length; i++)
        size *= (double)kernel[i];
    return size;
}

const OpDef op_MaxPool = {
    .name = "MaxPool",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 2,
    .attrs = {{.name = "auto_pad", .type = ATTR_STRING, .s = "NOTSET"},
              {.name = "ceil_mode", .type = ATTR_INT},
              {.name = "dilations", .type = ATTR_INTS},
              {.name = "kernel_shape", .type = ATTR_INTS, .required = true},
              {.name = "pads", .type = ATTR_INTS},
              {.name = "storage_order", .type = ATTR_INT},
              {.name = "strides", .type = ATTR_INTS}},
    .infer = infer_pool,
    .eval = eval_max,
    .steps = window_size,
    .emit = emit_max_pool,
    .grad = grad_kernel,
};

const OpDef op_AveragePool = {
    .name = "AveragePool",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .attrs = {{.name = "auto_pad", .type = ATTR_STRING, .s = "NOTSET"},
              {.name = "ceil_mode", .type = ATTR_INT},
              {.name = "count_include_pad", .type = ATTR_INT},
              {.name = "kernel_shape", .type = ATTR_INTS, .required = true},
              {.name = "pads", .type = ATTR_INTS},
              {.name = "strides", .type = ATTR_INTS}},
    .infer = infer_pool,
    .eval = eval_average,
    .rounding = {.rule = ROUND_SUM},
    .terms = window_size,
    .steps = window_size,
    .emit = emit_average_pool,
    .grad = grad_kernel,
};

const OpDef op_GlobalMaxPool = {
    .name = "GlobalMaxPool",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .infer = infer_pool,
    .eval = eval_max,
    .emit = emit_global_pool,
    .grad = grad_kernel,
};

const OpDef op_GlobalAveragePool = {
    .name = "GlobalAveragePool",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .infer = infer_pool,
    .eval = eval_average,
    .rounding = {.rule = ROUND_SUM},
    .emit = emit_global_pool,
    .grad = grad_kernel,
};

const OpDef op_LpPool = {
    .name = "LpPool",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .attrs = {{.name = "auto_pad", .type = ATTR_STRING, .s = "NOTSET"},
              {.name = "ceil_mode", .type = ATTR_INT},
              {.name = "dilations", .type = ATTR_INTS},
              {.name = "kernel_shape", .type = ATTR_INTS, .required = true},
              {.name = "p", .type = ATTR_INT, .i = 2},
              {.name = "pads", .type = ATTR_INTS},
              {.name = "strides", .type = ATTR_INTS}},
    .infer = infer_lp_pool,
    .eval = eval_lp,
    .rounding = {.rule = ROUND_POSITIVE},
    .magnify = magnify_lp,
    .terms = window_size,
    .steps = window_size,
    .emit = emit_lp_pool,
};

const OpDef op_GlobalLpPool = {
    .name = "GlobalLpPool",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .attrs = {{.name = "p", .type = ATTR_INT, .i = 2}},
    .infer = infer_lp_pool,
    .eval = eval_lp,
    .rounding = {.rule = ROUND_POSITIVE},
    .magnify = magnify_lp,
    .emit = emit_lp_pool,
};

/* ---- MaxUnpool ---- */

static int64_t value_at(const int64_t *v, int i, int64_t otherwise)
{
    return v ? v[i] : otherwise;
}

static void unpool_sizes(const Graph *g, const Node *n, Type *y)
{
    int kernels, strides, pads, axes = y->rank - 2;
    const int64_t *kernel = attr_ints(n, "kernel_shape", &kernels);
    const int64_t *stride = attr_ints(n, "strides", &strides);
    const int64_t *pad = attr_ints(n, "pads", &pads);
    if (kernels != axes || (stride && strides != axes) || (pad && pads != 2 * axes))
        fail_node(g, n, "'kernel_shape', 'strides' or 'pads' do not have the length for %d spatial axes",
                  axes);
    for (int i = 0; i < axes; i++) {
        int64_t k = kernel[i], s = value_at(stride, i, 1), a = value_at(pad, i, 0);
        int64_t b = value_at(pad, axes + i, 0);
        bool good = k > 0 && s > 0 && a >= 0 && b >= 0 && k <= 1 << 24 && s <= 1 << 24 && a <= 1 << 24 &&
                    b <= 1 << 24;
        y->dims[2 + i] = good ? s * (y->dims[2 + i] - 1) + k - a - b : 0;
        if (y->dims[2 + i] < 1)
            fail_node(g, n, "'kernel_shape', 'strides' and 'pads' leave nothing of spatial axis %d", i);
    }
}

/* The size that MaxPool's input had: stride * (in - 1) + kernel - pads. What indices mean in another one, the
 * text and ONNX's own case do not agree on. */
static void infer_unpool(Graph *g, Node *n)
{
    Type x = n->in[0]->type, index = n->in[1]->type, y = x;
    int64_t count;
    const int64_t *given = const_ints(g, n, 2, &count);
    if (x.rank < 3 || x.rank > 5 || (x.dtype != DT_F32 && x.dtype != DT_F64))
        fail_node(g, n, "unsupported: needs float [batch, channels, 1 to 3 spatial axes]");
    if (index.dtype != DT_I64 || !type_equal(type_make(x.dtype, index.rank, index.dims), x))
        fail_node(g, n, "the indices must be int64 of the shape of input 0");
    unpool_sizes(g, n, &y);
    if (given && (count != y.rank || memcmp(given, y.dims, (size_t)count * sizeof *given) != 0))
        fail_node(
            g, n,
            "unsupported: another 'output_shape' than kernel, strides and pads give, %s; Pad can follow",
            type_text(y));
    n->out[0]->type = y;
}

static void eval_unpool(const Graph *g, const Node *n, const void *const *in, void *const *out)
{
    (void)g;
    const int64_t *index = in[1], size = type_elems(n->out[0]->type);
    DType d = n->in[0]->type.dtype;
    memset(out[0], 0, type_bytes(n->out[0]->type));
    for (int64_t i = 0; i < type_elems(n->in[0]->type); i++)
        if (index[i] >= 0 && index[i] < size)
            elem_set(out[0], d, index[i], elem_get(in[0], d, i));
}

static void emit_unpool(Emitter *e, const Node *n)
{
    emit_line(e, "%s(%s, %s, %s, %s, %s);", emit_kernel(e, "max_unpool", n->in[0]->type.dtype),
              emit_ptr(e, n->out[0]), emit_ptr(e, n->in[0]), emit_ptr(e, n->in[1]),
              int_text(type_elems(n->in[0]->type)), int_text(type_elems(n->out[0]->type)));
}

const OpDef op_MaxUnpool = {
    .name = "MaxUnpool",
    .min_in = 2,
    .max_in = 3,
    .min_out = 1,
    .max_out = 1,
    .attrs = {{.name = "kernel_shape", .type = ATTR_INTS, .required = true},
              {.name = "pads", .type = ATTR_INTS},
              {.name = "strides", .type = ATTR_INTS}},
    .infer = infer_unpool,
    .eval = eval_unpool,
    .emit = emit_unpool,
};
