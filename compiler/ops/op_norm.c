/* op_norm.c - normalisations: BatchNormalization (inference), InstanceNormalization, LayerNormalization,
 * MeanVarianceNormalization, LpNormalization, LRN. Kernels: runtime/norm.h; the evaluator has its own, in
 * double. */
#include "ops/grad.h"
#include "ops/ops.h"
#include "ops/reference.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- shared ---- */

/* All inputs have one floating type. */
static void check_dtypes(const Graph *g, const Node *n)
{
    DType d = n->in[0]->type.dtype;
    if (!dtype_is_float(d))
        fail_node(g, n, "%s is not supported for elements of type %s", n->op_name, dtype_name(d));
    for (int i = 1; i < n->num_in; i++)
        if (n->in[i] && n->in[i]->type.dtype != d)
            fail_node(g, n, "inputs must have one element type");
}

/* And input i, for i > 0, has `elems` elements. */
static void check_inputs(const Graph *g, const Node *n, int64_t elems)
{
    check_dtypes(g, n);
    for (int i = 1; i < n->num_in; i++)
        if (n->in[i] && type_elems(n->in[i]->type) != elems)
            fail_node(g, n, "input %d ('%s') must have %s elements", i, n->in[i]->name, int_text(elems));
}

/* [batch][channels][size]; a vector is a batch of one channel. */
typedef struct Planes {
    int64_t batch, channels, size;
} Planes;

static Planes planes_of(Type x)
{
    if (x.rank < 2)
        return (Planes){x.rank ? x.dims[0] : 1, 1, 1};
    AxisSplit s = split_axis(x, 1);
    return (Planes){s.outer, s.n, s.inner};
}

/* v^2 as an element holds it: squares overflow and vanish as ONNX's function bodies have it, which compute in
 * the type of the tensor. */
static double square(double v, DType d)
{
    return elem_rounded(v * v, d);
}

/* Mean and variance of a box of r0 x r1 elements with strides s0, 1; sums are rounded to the type. */
static void moments(const void *x, DType d, int64_t first, int64_t r0, int64_t s0, int64_t r1, double *mean,
                    double *var)
{
    double sum = 0, squares = 0;
    for (int64_t i = 0; i < r0; i++)
        for (int64_t j = 0; j < r1; j++)
            sum += elem_get(x, d, first + i * s0 + j);
    *mean = elem_rounded(sum, d) / (double)(r0 * r1);
    for (int64_t i = 0; i < r0; i++)
        for (int64_t j = 0; j < r1; j++) {
            double v = elem_get(x, d, first + i * s0 + j) - *mean;
            squares += square(v, d);
        }
    *var = elem_rounded(squares, d) / (double)(r0 * r1);
}

/* An attribute as a literal of the tensor's type. */
static const char *attr_text(const Node *n, const char *name)
{
    return float_text((double)attr_float(n, name), n->in[0]->type.dtype);
}

/* "y, x" */
static const char *main_args(Emitter *e, const Node *n)
{
    return mem_printf("%s, %s", emit_ptr(e, n->out[0]), emit_ptr(e, n->in[0]));
}

static const char *norm_kernel(Emitter *e, const Node *n, const char *name)
{
    return emit_kernel(e, name, n->in[0]->type.dtype);
}

/* ---- BatchNormalization, InstanceNormalization ---- */

static void infer_batch_norm(Graph *g, Node *n)
{
    if (attr_int(n, "training_mode"))
        fail_node(g, n, "training_mode is not supported: export the model for inference");
    for (int i = 1; i < n->num_out; i++)
        if (n->out[i])
            fail_node(g, n, "output %d ('%s') exists in training only: export the model for inference", i,
                      n->out[i]->name);
    check_inputs(g, n, planes_of(n->in[0]->type).channels);
    n->out[0]->type = n->in[0]->type;
}

static void infer_instance_norm(Graph *g, Node *n)
{
    if (n->in[0]->type.rank < 3)
        fail_node(g, n, "the input must have at least 3 dimensions");
    check_inputs(g, n, planes_of(n->in[0]->type).channels);
    n->out[0]->type = n->in[0]->type;
}

/* Both: y = (x - mean) / sqrt(var + epsilon) * scale + bias for one plane. */
static void eval_plane(const Node *n, const void *const *in, void *y, int64_t plane, int64_t c, int64_t size)
{
    DType d = n->in[0]->type.dtype;
    double mean, var;
    if (n->op == OP_BatchNormalization) {
        mean = elem_get(in[3], d, c);
        var = elem_get(in[4], d, c);
    } else {
        moments(in[0], d, plane * size, 1, 0, size, &mean, &var);
    }
    double factor = elem_get(in[1], d, c) / sqrt(var + (double)attr_float(n, "epsilon"));
    for (int64_t i = plane * size; i < (plane + 1) * size; i++)
        elem_set(y, d, i, (elem_get(in[0], d, i) - mean) * factor + elem_get(in[2], d, c));
}

static void eval_planes(const Graph *g, const Node *n, const void *const *in, void *const *out)
{
    (void)g;
    Planes p = planes_of(n->in[0]->type);
    for (int64_t b = 0; b < p.batch; b++)
        for (int64_t c = 0; c < p.channels; c++)
            eval_plane(n, in, out[0], b * p.channels + c, c, p.size);
}

static void emit_planes(Emitter *e, const Node *n)
{
    Planes p = planes_of(n->in[0]->type);
    bool batch = n->op == OP_BatchNormalization;
    const char *args =
        mem_printf("%s, %s, %s", main_args(e, n), emit_ptr(e, n->in[1]), emit_ptr(e, n->in[2]));
    if (batch)
        args = mem_printf("%s, %s, %s", args, emit_ptr(e, n->in[3]), emit_ptr(e, n->in[4]));
    emit_line(e, "%s(%s, %s, %s, %s, %s);", norm_kernel(e, n, batch ? "batch_norm" : "instance_norm"), args,
              attr_text(n, "epsilon"), int_text(p.batch), int_text(p.channels), int_text(p.size));
}

/* One group of `size` elements, x^ = (x - mean) * f, y = scale x^ + bias; scale[i * step]:
 * dx = f (ds - mean(ds) - x^ mean(ds x^)) with ds = dy scale; dscale += dy x^, dbias += dy. */
static void grad_group(const float *x, const float *dy, const float *scale, int64_t step, int64_t size,
                       double epsilon, float *dx, float *dscale, float *dbias)
{
    double mean, var, sum = 0, product = 0;
    moments(x, DT_F32, 0, 1, 0, size, &mean, &var);
    double f = 1 / sqrt(var + epsilon);
    for (int64_t i = 0; i < size; i++) {
        double ds = (double)dy[i] * (double)scale[i * step], hat = ((double)x[i] - mean) * f;
        sum += ds;
        product += ds * hat;
    }
    for (int64_t i = 0; i < size; i++) {
        double ds = (double)dy[i] * (double)scale[i * step], hat = ((double)x[i] - mean) * f;
        if (dx)
            dx[i] += (float)(f * (ds - (sum + hat * product) / (double)size));
        if (dscale)
            dscale[i * step] += (float)((double)dy[i] * hat);
        if (dbias)
            dbias[i * step] += dy[i];
    }
}

/* p + at, or NULL where nothing is wanted */
static float *wanted_at(float *p, int64_t at)
{
    return p ? p + at : NULL;
}

static void grad_instance_norm(const Graph *g, const Node *n, const Gradient *d)
{
    (void)g;
    Planes p = planes_of(n->in[0]->type);
    for (int64_t k = 0; k < p.batch * p.channels; k++) {
        int64_t at = k * p.size, c = k % p.channels;
        grad_group((const float *)d->in[0] + at, d->dout[0] + at, (const float *)d->in[1] + c, 0, p.size,
                   (double)attr_float(n, "epsilon"), wanted_at(d->din[0], at), wanted_at(d->din[1], c),
                   wanted_at(d->din[2], c));
    }
}

#define EPSILON_ATTR                                                                                         \
    {                                                                                                        \
        .name = "epsilon", .type = ATTR_FLOAT, .f = 1e-5f                                                    \
    }

const OpDef op_BatchNormalization = {.name = "BatchNormalization",
                                     .min_in = 5,
                                     .max_in = 5,
                                     .min_out = 1,
                                     .max_out = 3,
                                     .attrs = {EPSILON_ATTR,
                                               {.name = "momentum", .type = ATTR_FLOAT, .f = 0.9f},
                                               {.name = "training_mode", .type = ATTR_INT}},
                                     .in_place = true,
                                     .infer = infer_batch_norm,
                                     .eval = eval_planes,
                                     .rounding = {.rule = ROUND_NORM},
                                     .emit = emit_planes,
                                     .grad = grad_kernel};

const OpDef op_InstanceNormalization = {.name = "InstanceNormalization",
                                        .min_in = 3,
                                        .max_in = 3,
                                        .min_out = 1,
                                        .max_out = 1,
                                        .attrs = {EPSILON_ATTR},
                                        .in_place = true,
                                        .infer = infer_instance_norm,
                                        .eval = eval_planes,
                                        .rounding = {.rule = ROUND_NORM},
                                        .emit = emit_planes,
                                        .grad = grad_instance_norm};

/* ---- LayerNormalization ---- */

/* Rows of x and their length; an axis equal to the rank means rows of one element. */
static void layer_rows(const Graph *g, const Node *n, int64_t *rows, int64_t *size)
{
    Type x = n->in[0]->type;
    int64_t axis = attr_int(n, "axis");
    if (axis != x.rank)
        axis = norm_axis(g, n, axis, x.rank);
    *rows = *size = 1;
    for (int k = 0; k < x.rank; k++)
        *(k < axis ? rows : size) *= x.dims[k];
}

/* Scale and bias broadcast to x. */
static void check_spread(const Graph *g, const Node *n, const Tensor *t)
{
    Type x = n->in[0]->type;
    bool fits = t->type.rank <= x.rank;
    for (int k = 1; fits && k <= t->type.rank; k++) {
        int64_t dim = t->type.dims[t->type.rank - k];
        fits = dim == 1 || dim == x.dims[x.rank - k];
    }
    if (!fits)
        fail_node(g, n, "input '%s' %s does not broadcast to %s", t->name, type_text(t->type), type_text(x));
}

/* Whether scale or bias, t, has one number for each element of a row. */
static bool is_row(const Node *n, const Tensor *t)
{
    Type x = n->in[0]->type;
    int64_t axis = attr_int(n, "axis");
    axis = axis < 0 ? axis + x.rank : axis;
    for (int k = 0; k < x.rank; k++) {
        int own = k - (x.rank - t->type.rank);
        int64_t size = own < 0 ? 1 : t->type.dims[own], of_row = k < axis ? 1 : x.dims[k];
        if (size != of_row)
            return false;
    }
    return true;
}

/* Whether scale and bias both are rows; else they are seen through steps. */
static bool has_rows(const Node *n)
{
    return is_row(n, n->in[1]) && (n->num_in < 3 || !n->in[2] || is_row(n, n->in[2]));
}

static void spread_steps(const Node *n, int input, int64_t *steps)
{
    int64_t own[MAX_RANK];
    memset(steps, 0, MAX_RANK * sizeof *steps);
    if (input >= n->num_in || !n->in[input])
        return;
    dense_strides(n->in[input]->type, own);
    broadcast_strides(n->in[0]->type, n->in[input]->type, own, steps);
}

/* Element of scale or bias that belongs to element i of x. */
static int64_t spread_position(Type x, const int64_t *steps, int64_t i)
{
    int64_t at = 0;
    for (int k = x.rank - 1; k >= 0; k--) {
        at += i % x.dims[k] * steps[k];
        i /= x.dims[k];
    }
    return at;
}

static void infer_layer_norm(Graph *g, Node *n)
{
    int64_t rows, size, axis = attr_int(n, "axis");
    Type x = n->in[0]->type, stats = x;
    layer_rows(g, n, &rows, &size);
    check_dtypes(g, n);
    for (int i = 1; i < n->num_in; i++)
        if (n->in[i])
            check_spread(g, n, n->in[i]);
    for (int64_t k = axis < 0 ? axis + x.rank : axis; k < x.rank; k++)
        stats.dims[k] = 1;
    n->out[0]->type = x;
    for (int i = 1; i < n->num_out; i++) {
        if (!n->out[i])
            continue;
        if (x.dtype != DT_F32)
            fail_node(g, n, "outputs Mean and InvStdDev are supported for float only");
        n->out[i]->type = stats;
    }
}

static void eval_layer_norm(const Graph *g, const Node *n, const void *const *in, void *const *out)
{
    int64_t rows, size, scale_steps[MAX_RANK], bias_steps[MAX_RANK];
    Type x = n->in[0]->type;
    DType d = x.dtype;
    layer_rows(g, n, &rows, &size);
    spread_steps(n, 1, scale_steps);
    spread_steps(n, 2, bias_steps);
    for (int64_t r = 0; r < rows; r++) {
        double mean, var;
        moments(in[0], d, r * size, 1, 0, size, &mean, &var);
        double factor = 1 / sqrt(var + (double)attr_float(n, "epsilon"));
        for (int64_t i = 0; i < size; i++) {
            int64_t at = r * size + i;
            double scale = elem_get(in[1], d, spread_position(x, scale_steps, at));
            double bias = n->num_in > 2 && in[2] ? elem_get(in[2], d, spread_position(x, bias_steps, at)) : 0;
            elem_set(out[0], d, at, (elem_get(in[0], d, at) - mean) * factor * scale + bias);
        }
        if (n->num_out > 1 && out[1])
            elem_set(out[1], d, r, mean);
        if (n->num_out > 2 && out[2])
            elem_set(out[2], d, r, factor);
    }
}

/* Outputs mean and f = 1 / sqrt(var + epsilon) of one row: dx = dmean / size - df f^3 (x - mean) / size */
static void grad_row_moments(const float *x, int64_t size, double epsilon, double dmean, double df, float *dx)
{
    double mean, var;
    moments(x, DT_F32, 0, 1, 0, size, &mean, &var);
    double f = 1 / sqrt(var + epsilon);
    for (int64_t i = 0; i < size; i++)
        dx[i] += (float)((dmean - df * f * f * f * ((double)x[i] - mean)) / (double)size);
}

/* of an output that may be unused */
static double slope_at(const float *dy, int64_t i)
{
    return dy ? (double)dy[i] : 0;
}

/* by += d, the gradient of elements first to first + size of scale or bias as spread over x */
static void spread_back(Type x, const int64_t *steps, int64_t first, int64_t size, const float *d, float *by)
{
    for (int64_t i = 0; by && i < size; i++)
        by[spread_position(x, steps, first + i)] += d[i];
}

static void grad_layer_norm(const Graph *g, const Node *n, const Gradient *d)
{
    int64_t rows, size, steps[2][MAX_RANK];
    Type x = n->in[0]->type;
    layer_rows(g, n, &rows, &size);
    spread_steps(n, 1, steps[0]);
    spread_steps(n, 2, steps[1]);
    double epsilon = (double)attr_float(n, "epsilon");
    bool has_bias = n->num_in > 2 && n->in[2];
    const float *dmean = n->num_out > 1 ? d->dout[1] : NULL;
    const float *df = n->num_out > 2 ? d->dout[2] : NULL;
    for (int64_t r = 0; d->din[0] && (dmean || df) && r < rows; r++)
        grad_row_moments((const float *)d->in[0] + r * size, size, epsilon, slope_at(dmean, r),
                         slope_at(df, r), d->din[0] + r * size);
    float *row = calloc((size_t)size * 3 + 1, sizeof *row); /* scale, and the gradients of scale and bias */
    if (!row)
        fail("out of memory: a row of %s", type_text(x));
    for (int64_t r = 0; d->dout[0] && r < rows; r++) {
        memset(row + size, 0, 2 * (size_t)size * sizeof *row);
        for (int64_t i = 0; i < size; i++)
            row[i] = ((const float *)d->in[1])[spread_position(x, steps[0], r * size + i)];
        grad_group((const float *)d->in[0] + r * size, d->dout[0] + r * size, row, 1, size, epsilon,
                   wanted_at(d->din[0], r * size), row + size, row + 2 * size);
        spread_back(x, steps[0], r * size, size, row + size, d->din[1]);
        spread_back(x, steps[1], r * size, size, row + 2 * size, has_bias ? d->din[2] : NULL);
    }
    free(row);
}

static const char *optional_ptr(Emitter *e, Tensor *const *list, int count, int i)
{
    return i < count && list[i] ? emit_ptr(e, list[i]) : "NULL";
}

static void emit_layer_norm(Emitter *e, const Node *n)
{
    int64_t rows, size, steps[2][MAX_RANK];
    int rank = n->in[0]->type.rank;
    layer_rows(emit_plan(e)->g, n, &rows, &size);
    bool plain = has_rows(n);
    spread_steps(n, 1, steps[0]);
    spread_steps(n, 2, steps[1]);
    const char *spread = plain ? ""
                               : mem_printf(", %d, %s, %s, %s", rank, emit_dims(n->in[0]->type.dims, rank),
                                            emit_dims(steps[0], rank), emit_dims(steps[1], rank));
    emit_line(e, "%s(%s, %s, %s, %s, %s, %s, %s, %s, %s%s);",
              norm_kernel(e, n, plain ? "layer_norm" : "layer_norm_spread"), emit_ptr(e, n->out[0]),
              optional_ptr(e, n->out, n->num_out, 1), optional_ptr(e, n->out, n->num_out, 2),
              emit_ptr(e, n->in[0]), emit_ptr(e, n->in[1]), optional_ptr(e, n->in, n->num_in, 2),
              attr_text(n, "epsilon"), int_text(rows), int_text(size), spread);
}

const OpDef op_LayerNormalization = {.name = "LayerNormalization",
                                     .min_in = 2,
                                     .max_in = 3,
                                     .min_out = 1,
                                     .max_out = 3,
                                     .attrs = {EPSILON_ATTR,
                                               {.name = "axis", .type = ATTR_INT, .i = -1},
                                               {.name = "stash_type", .type = ATTR_INT, .i = 1}},
                                     .in_place = true,
                                     .infer = infer_layer_norm,
                                     .eval = eval_layer_norm,
                                     .rounding = {.rule = ROUND_NORM},
                                     .emit = emit_layer_norm,
                                     .grad = grad_layer_norm};

/* ---- MeanVarianceNormalization ---- */

/* x as [k0][r0][k1][r1], normalised over r0 and r1. */
typedef struct MvnBox {
    int64_t size[4];
} MvnBox;

static MvnBox mvn_box(const Graph *g, const Node *n)
{
    static const int64_t usual[] = {0, 2, 3};
    Type x = n->in[0]->type;
    MvnBox b = {{1, 1, 1, 1}};
    bool reduced[MAX_RANK] = {false};
    int count, part = 0;
    const int64_t *axes = attr_ints(n, "axes", &count);
    if (!axes) {
        axes = usual;
        count = 3;
    }
    for (int i = 0; i < count; i++)
        reduced[norm_axis(g, n, axes[i], x.rank)] = true;
    for (int k = 0; k < x.rank; k++) {
        if (x.dims[k] != 1 && (part % 2 == 1) != reduced[k])
            part++;
        if (part > 3)
            fail_node(g, n, "these axes are not supported: they lie in more than two groups");
        b.size[part] *= x.dims[k];
    }
    return b;
}

static void infer_mvn(Graph *g, Node *n)
{
    check_inputs(g, n, 0);
    mvn_box(g, n);
    n->out[0]->type = n->in[0]->type;
}

static void eval_mvn(const Graph *g, const Node *n, const void *const *in, void *const *out)
{
    DType d = n->in[0]->type.dtype;
    MvnBox box = mvn_box(g, n);
    int64_t k0 = box.size[0], r0 = box.size[1], k1 = box.size[2], r1 = box.size[3];
    for (int64_t a = 0; a < k0; a++)
        for (int64_t c = 0; c < k1; c++) {
            int64_t first = (a * r0 * k1 + c) * r1;
            double mean, var;
            moments(in[0], d, first, r0, k1 * r1, r1, &mean, &var);
            for (int64_t i = 0; i < r0; i++)
                for (int64_t j = first + i * k1 * r1; j < first + i * k1 * r1 + r1; j++)
                    elem_set(out[0], d, j, (elem_get(in[0], d, j) - mean) / (sqrt(var) + 1e-9));
        }
}

static void emit_mvn(Emitter *e, const Node *n)
{
    MvnBox b = mvn_box(emit_plan(e)->g, n);
    emit_line(e, "%s(%s, %s, %s, %s, %s);", norm_kernel(e, n, "mean_variance_norm"), main_args(e, n),
              int_text(b.size[0]), int_text(b.size[1]), int_text(b.size[2]), int_text(b.size[3]));
}

const OpDef op_MeanVarianceNormalization = {.name = "MeanVarianceNormalization",
                                            .min_in = 1,
                                            .max_in = 1,
                                            .min_out = 1,
                                            .max_out = 1,
                                            .attrs = {{.name = "axes", .type = ATTR_INTS}},
                                            .in_place = true,
                                            .infer = infer_mvn,
                                            .eval = eval_mvn,
                                            .rounding = {.rule = ROUND_NORM},
                                            .emit = emit_mvn};

/* ---- LpNormalization ---- */

static AxisSplit lp_split(const Graph *g, const Node *n)
{
    Type x = n->in[0]->type;
    return split_axis(x, norm_axis(g, n, attr_int(n, "axis"), x.rank));
}

static void infer_lp(Graph *g, Node *n)
{
    int64_t p = attr_int(n, "p");
    check_inputs(g, n, 0);
    lp_split(g, n);
    if (p != 1 && p != 2)
        fail_node(g, n, "attribute 'p' must be 1 or 2, not %s", int_text(p));
    n->out[0]->type = n->in[0]->type;
}

/* Sum of |x| or x^2 along the axis, from element `first` on. */
static double lp_sum(const Node *n, AxisSplit s, const void *x, int64_t first)
{
    DType d = n->in[0]->type.dtype;
    bool p1 = attr_int(n, "p") == 1;
    double sum = 0;
    for (int64_t at = first; at < first + s.n * s.inner; at += s.inner) {
        double v = elem_get(x, d, at);
        sum += p1 ? fabs(v) : square(v, d);
    }
    return elem_rounded(sum, d);
}

static void eval_lp(const Graph *g, const Node *n, const void *const *in, void *const *out)
{
    AxisSplit s = lp_split(g, n);
    DType d = n->in[0]->type.dtype;
    for (int64_t o = 0; o < s.outer; o++)
        for (int64_t i = 0; i < s.inner; i++) {
            int64_t first = o * s.n * s.inner + i, end = first + s.n * s.inner;
            double sum = lp_sum(n, s, in[0], first), norm = attr_int(n, "p") == 1 ? sum : sqrt(sum);
            for (int64_t at = first; at < end; at += s.inner)
                elem_set(out[0], d, at, norm == 0 ? 0 : elem_get(in[0], d, at) / norm);
        }
}

static void magnify_lp(const Graph *g, const Node *n, const void *const *in, const void *want, double *by)
{
    (void)want;
    AxisSplit s = lp_split(g, n);
    for (int64_t at = 0; at < type_elems(n->in[0]->type); at++) {
        int64_t first = at / (s.n * s.inner) * s.n * s.inner + at % s.inner;
        by[at] = small_sum_factor(lp_sum(n, s, in[0], first), n->in[0]->type.dtype);
    }
}

static void emit_lp(Emitter *e, const Node *n)
{
    AxisSplit s = lp_split(emit_plan(e)->g, n);
    emit_line(e, "%s(%s, %s, %s);", norm_kernel(e, n, "lp_norm"), main_args(e, n), int_text(attr_int(n, "p")),
              split_text(s));
}

static double lp_terms(const Graph *g, const Node *n)
{
    return (double)lp_split(g, n).n;
}

const OpDef op_LpNormalization = {
    .name = "LpNormalization",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .attrs = {{.name = "axis", .type = ATTR_INT, .i = -1}, {.name = "p", .type = ATTR_INT, .i = 2}},
    .in_place = true,
    .infer = infer_lp,
    .eval = eval_lp,
    .rounding = {.rule = ROUND_POSITIVE},
    .magnify = magnify_lp,
    .terms = lp_terms,
    .emit = emit_lp};

/* ---- LRN ---- */

static void infer_lrn(Graph *g, Node *n)
{
    check_inputs(g, n, 0);
    if (n->in[0]->type.rank < 2)
        fail_node(g, n, "the input must have at least 2 dimensions");
    int64_t size = attr_int(n, "size");
    if (size < 1 || size > INT32_MAX)
        fail_node(g, n, "attribute 'size' is out of range: %s", int_text(size));
    n->out[0]->type = n->in[0]->type;
}

/* Sum of squares over the channels [from, to] of one image, at position i. */
static double sum_squares(const void *x, DType d, const Planes *p, int64_t image, int64_t from, int64_t to,
                          int64_t i)
{
    double sum = 0;
    for (int64_t c = from < 0 ? 0 : from; c <= to && c < p->channels; c++) {
        double v = elem_get(x, d, (image * p->channels + c) * p->size + i);
        sum += square(v, d);
    }
    return elem_rounded(sum, d);
}

/* alpha / size * the sum of squares around element `at` */
static double lrn_part(const Node *n, const void *x, int64_t at)
{
    Planes p = planes_of(n->in[0]->type);
    int64_t size = attr_int(n, "size"), plane = at / p.size, c = plane % p.channels;
    double sum = sum_squares(x, n->in[0]->type.dtype, &p, plane / p.channels, c - (size - 1) / 2,
                             c + size / 2, at % p.size);
    return (double)attr_float(n, "alpha") / (double)size * sum;
}

static void eval_lrn(const Graph *g, const Node *n, const void *const *in, void *const *out)
{
    (void)g;
    DType d = n->in[0]->type.dtype;
    double bias = (double)attr_float(n, "bias"), beta = (double)attr_float(n, "beta");
    for (int64_t at = 0; at < type_elems(n->in[0]->type); at++)
        elem_set(out[0], d, at, elem_get(in[0], d, at) / pow(bias + lrn_part(n, in[0], at), beta));
}

/* The base of the power may cancel. */
static void magnify_lrn(const Graph *g, const Node *n, const void *const *in, const void *want, double *by)
{
    (void)g, (void)want;
    double bias = (double)attr_float(n, "bias"), beta = (double)attr_float(n, "beta");
    for (int64_t at = 0; at < type_elems(n->in[0]->type); at++) {
        double part = lrn_part(n, in[0], at);
        by[at] = 1 + fabs(beta) * (fabs(bias) + fabs(part)) / fabs(bias + part);
    }
}

static void emit_lrn(Emitter *e, const Node *n)
{
    Planes p = planes_of(n->in[0]->type);
    emit_line(e, "%s(%s, %s, %s, %s, %s, %s, %s, %s);", norm_kernel(e, n, "lrn"), main_args(e, n),
              attr_text(n, "alpha"), attr_text(n, "beta"), attr_text(n, "bias"),
              int_text(attr_int(n, "size")), int_text(p.batch), int_text(p.channels), int_text(p.size));
}

static double lrn_terms(const Graph *g, const Node *n)
{
    (void)g;
    return (double)attr_int(n, "size");
}

const OpDef op_LRN = {.name = "LRN",
                      .min_in = 1,
                      .max_in = 1,
                      .min_out = 1,
                      .max_out = 1,
                      .attrs = {{.name = "size", .type = ATTR_INT, .required = true},
                                {.name = "alpha", .type = ATTR_FLOAT, .f = 1e-4f},
                                {.name = "beta", .type = ATTR_FLOAT, .f = 0.75f},
                                {.name = "bias", .type = ATTR_FLOAT, .f = 1.0f}},
                      .infer = infer_lrn,
                      .eval = eval_lrn,
                      .rounding = {.rule = ROUND_POSITIVE},
                      .magnify = magnify_lrn,
                      .terms = lrn_terms,
                      .steps = lrn_terms,
                      .emit = emit_lrn};
