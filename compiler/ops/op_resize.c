/* op_resize.c - Resize: nearest, linear and cubic. Positions and weights are computed here, in float as
 * runtimes do, and become tables. Source: the ONNX text of Resize-13. */
#include "ops/grad.h"
#include "ops/reference.h"
#include "print/print.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct Sampling {
    int64_t outer, inner, in[3], out[3];
    float scale[3], start[3], end[3]; /* start, end: of the cropped part, in shares of the axis */
    int taps;                         /* 1, 2 or 4 */
    int32_t *index;                   /* [out[0] + out[1] + out[2]][taps] */
    double *weight;                   /* likewise */
    int64_t entries;
    uint8_t *outside; /* [out[0] + out[1] + out[2]]: positions that lie outside of the input; NULL: none */
} Sampling;

/* ---- sizes ---- */

static const Tensor *given(const Node *n, int i)
{
    return i < n->num_in && n->in[i] && type_elems(n->in[i]->type) ? n->in[i] : NULL;
}

/* Multiplied in float, as ONNX's shape inference and onnxruntime do: 0.7f * 10 is 7. */
static int64_t scaled_size(const Graph *g, const Node *n, int64_t size, float scale)
{
    double out = (double)floorf((float)size * scale);
    if (!(scale > 0) || !(out >= 1 && out < (double)INT32_MAX))
        fail_node(g, n, "a scale of %g for an axis of size %s", (double)scale, int_text(size));
    return (int64_t)out;
}

/* Output size and scale of each axis, from the constant inputs scales or sizes. */
static void read_target(const Graph *g, const Node *n, int64_t *out, float *scale)
{
    Type x = n->in[0]->type;
    const Tensor *scales = given(n, 2), *sizes = given(n, 3);
    if (!scales == !sizes)
        fail_node(g, n, "needs either scales or sizes");
    if (type_elems(scales ? scales->type : sizes->type) != x.rank)
        fail_node(g, n, "scales or sizes must have %d values", x.rank);
    if (scales && !scales->data)
        fail_not_constant(g, n, "scales", scales);
    if (scales && scales->type.dtype != DT_F32)
        fail_node(g, n, "scales must be floats");
    int64_t count;
    const int64_t *size = sizes ? const_ints(g, n, 3, &count) : NULL;
    for (int i = 0; i < x.rank; i++) {
        if (x.dims[i] < 1 || (size && (size[i] < 1 || size[i] > INT32_MAX)))
            fail_node(g, n, "axis %d of size %s cannot be resized to %s", i, int_text(x.dims[i]),
                      int_text(size ? size[i] : 0));
        scale[i] = size ? (float)size[i] / (float)x.dims[i] : ((const float *)scales->data)[i];
        out[i] = size ? size[i] : scaled_size(g, n, x.dims[i], scale[i]);
    }
}

static bool is_cropped(const Node *n)
{
    return !strcmp(attr_string(n, "coordinate_transformation_mode"), "tf_crop_and_resize");
}

bool picks_nearest(const Node *n)
{
    return !strcmp(attr_string(n, "mode"), "nearest") && !is_cropped(n);
}

/* The part of an axis that is taken, all of it but for tf_crop_and_resize. */
static void read_crop(const Graph *g, const Node *n, int axis, float *start, float *end)
{
    int rank = n->in[0]->type.rank;
    const Tensor *roi = is_cropped(n) ? given(n, 1) : NULL;
    *start = 0;
    *end = 1;
    if (!is_cropped(n))
        return;
    if (!roi || roi->type.dtype != DT_F32 || type_elems(roi->type) != (int64_t)2 * rank)
        fail_node(g, n, "roi must be float[%d]", 2 * rank);
    if (!roi->data)
        fail_not_constant(g, n, "roi", roi);
    *start = ((const float *)roi->data)[axis];
    *end = ((const float *)roi->data)[rank + axis];
}

static void check_modes(const Graph *g, const Node *n)
{
    static const char *const coordinates[] = {"half_pixel", "pytorch_half_pixel",   "align_corners",
                                              "asymmetric", "tf_half_pixel_for_nn", "tf_crop_and_resize",
                                              NULL};
    static const char *const modes[] = {"nearest", "linear", "cubic", NULL};
    static const char *const nearest[] = {"round_prefer_floor", "round_prefer_ceil", "floor", "ceil", NULL};
    attr_choice(g, n, "coordinate_transformation_mode", coordinates);
    attr_choice(g, n, "nearest_mode", nearest);
    DType d = n->in[0]->type.dtype;
    if (attr_choice(g, n, "mode", modes) && d != DT_F32 && d != DT_F64)
        fail_node(g, n, "unsupported: interpolation of %s", dtype_name(d));
}

/* ---- positions and weights ---- */

/* Where position p of the output lies in the input, along axis a of the three. */
static float source_position(const char *mode, const Sampling *s, int a, int64_t p)
{
    float scale = s->scale[a], length = (float)(s->in[a] - 1);
    int64_t in = s->in[a], out = s->out[a];
    if (!strcmp(mode, "tf_crop_and_resize"))
        return out == 1
                   ? 0.5f * (s->start[a] + s->end[a]) * length
                   : s->start[a] * length + (float)p * (s->end[a] - s->start[a]) * length / (float)(out - 1);
    if (scale >= 1 && scale <= 1)
        return (float)p;
    if (!strcmp(mode, "asymmetric"))
        return (float)p / scale;
    if (!strcmp(mode, "align_corners"))
        return out == 1 ? 0 : (float)p * (float)(in - 1) / (float)(out - 1);
    if (!strcmp(mode, "pytorch_half_pixel") && out == 1)
        return 0;
    float middle = ((float)p + 0.5f) / scale;
    return strcmp(mode, "tf_half_pixel_for_nn") ? middle - 0.5f : middle;
}

static int32_t inside(int64_t i, int64_t size)
{
    return (int32_t)clamp(i, 0, size - 1);
}

/* num / den, rounded down */
static int64_t floor_divide(int64_t num, int64_t den)
{
    return num / den - (num % den < 0);
}

static int64_t round_fraction(const char *mode, int64_t num, int64_t den)
{
    if (!strcmp(mode, "floor"))
        return floor_divide(num, den);
    if (!strcmp(mode, "ceil"))
        return -floor_divide(-num, den);
    if (!strcmp(mode, "round_prefer_ceil"))
        return floor_divide(2 * num + den, 2 * den);
    return -floor_divide(den - 2 * num, 2 * den);
}

/* source_position as the fraction that it is, where the scale is the ratio of the lengths; else false. */
static bool source_fraction(const char *mode, const Sampling *s, int a, int64_t p, int64_t *num, int64_t *den)
{
    int64_t in = s->in[a], out = s->out[a];
    bool corners = !strcmp(mode, "align_corners"), ratio = s->scale[a] == (float)out / (float)in;
    if (!strcmp(mode, "tf_crop_and_resize") || (!ratio && !corners))
        return false;
    *den = 2 * out;
    *num = (2 * p + 1) * in - (strcmp(mode, "tf_half_pixel_for_nn") ? out : 0);
    if (in == out) {
        *num = p, *den = 1;
    } else if (corners) {
        *num = p * (in - 1), *den = out > 1 ? out - 1 : 1;
    } else if (!strcmp(mode, "asymmetric")) {
        *num = p * in, *den = out;
    } else if (!strcmp(mode, "pytorch_half_pixel") && out == 1) {
        *num = 0;
    }
    return true;
}

static int64_t round_position(const char *mode, float at)
{
    if (!strcmp(mode, "floor"))
        return (int64_t)floorf(at);
    if (!strcmp(mode, "ceil"))
        return (int64_t)ceilf(at);
    if (!strcmp(mode, "round_prefer_ceil"))
        return (int64_t)roundf(at);
    float low = floorf(at);
    return (int64_t)(at - low > 0.5f ? low + 1 : low);
}

static int64_t nearest(const Node *n, const Sampling *s, int a, int64_t p)
{
    const char *mode = attr_string(n, "coordinate_transformation_mode");
    const char *rounding = attr_string(n, "nearest_mode");
    int64_t num, den;
    if (source_fraction(mode, s, a, p, &num, &den))
        return round_fraction(rounding, num, den);
    return round_position(rounding, source_position(mode, s, a, p));
}

static void linear_taps(float at, int64_t in, int32_t *index, double *weight)
{
    float last = (float)(in - 1);
    if (at < 0)
        at = 0;
    else if (at > last)
        at = last;
    index[0] = inside((int64_t)at, in);
    index[1] = inside((int64_t)at + 1, in);
    weight[1] = (double)(at - (float)index[0]);
    weight[0] = 1 - weight[1];
}

/* Keys' kernel with parameter a, at distance d of a tap. */
static double cubic_weight(double a, double d)
{
    d = fabs(d);
    if (d <= 1)
        return ((a + 2) * d - (a + 3)) * d * d + 1;
    return d < 2 ? ((a * d - 5 * a) * d + 8 * a) * d - 4 * a : 0;
}

static void cubic_taps(const Node *n, float at, int64_t in, int32_t *index, double *weight)
{
    int64_t first = (int64_t)floorf(at) - 1;
    double a = (double)attr_float(n, "cubic_coeff_a"), sum = 0;
    bool exclude = attr_int(n, "exclude_outside");
    for (int t = 0; t < 4; t++) {
        bool outside = first + t < 0 || first + t >= in;
        index[t] = inside(first + t, in);
        weight[t] = exclude && outside ? 0 : cubic_weight(a, (double)at - (double)(first + t));
        sum += weight[t];
    }
    for (int t = 0; exclude && t < 4; t++)
        weight[t] /= sum;
}

static void mark_outside(Sampling *s, int64_t p)
{
    if (!s->outside)
        s->outside = NEW_ARRAY(uint8_t, s->entries / s->taps);
    s->outside[p] = 1;
}

/* Table entries of axis a, the first of them number `first`. */
static void sample_axis(const Node *n, Sampling *s, int a, int64_t first)
{
    const char *mode = attr_string(n, "coordinate_transformation_mode");
    int64_t in = s->in[a], taps = s->taps;
    int32_t *index = s->index + first * taps;
    double *weight = s->weight + first * taps;
    for (int64_t p = 0; p < s->out[a]; p++, index += taps, weight += taps) {
        float at = source_position(mode, s, a, p);
        if (is_cropped(n) && !(at >= 0 && at <= (float)(in - 1)))
            mark_outside(s, first + p);
        if (taps == 1) {
            index[0] = inside(nearest(n, s, a, p), in);
            weight[0] = 1;
        } else if (taps == 2) {
            linear_taps(at, in, index, weight);
        } else {
            cubic_taps(n, at, in, index, weight);
        }
    }
}

static bool is_resized(const Graph *g, const Node *n, int axis, const int64_t *out, const float *scale)
{
    float start, end;
    read_crop(g, n, axis, &start, &end);
    return out[axis] != n->in[0]->type.dims[axis] || scale[axis] < 1 || scale[axis] > 1 || start < 0 ||
           start > 0 || end < 1 || end > 1;
}

/* The resized axes, which must be three neighbours at most. */
static Sampling sampling_axes(const Graph *g, const Node *n)
{
    Type x = n->in[0]->type;
    int64_t out[MAX_RANK];
    float scale[MAX_RANK];
    read_target(g, n, out, scale);
    int first = 0, last = x.rank;
    while (first < x.rank && !is_resized(g, n, first, out, scale))
        first++;
    while (last > first && !is_resized(g, n, last - 1, out, scale))
        last--;
    if (last - first > 3)
        fail_node(g, n, "unsupported: resizing of axes more than three apart");
    Sampling s = {
        .outer = 1, .inner = 1, .in = {1, 1, 1}, .out = {1, 1, 1}, .scale = {1, 1, 1}, .end = {1, 1, 1}};
    for (int i = 0; i < x.rank; i++) {
        s.outer *= i < first ? x.dims[i] : 1;
        s.inner *= i >= last ? x.dims[i] : 1;
    }
    for (int i = first; i < last; i++) {
        s.in[3 - last + i] = x.dims[i];
        s.out[3 - last + i] = out[i];
        s.scale[3 - last + i] = scale[i];
        read_crop(g, n, i, &s.start[3 - last + i], &s.end[3 - last + i]);
    }
    return s;
}

/* nearest, linear, cubic */
static int taps_of(const Node *n)
{
    switch (attr_string(n, "mode")[0]) {
    case 'n': return 1;
    case 'l': return 2;
    default: return 4;
    }
}

static Sampling sampling(const Graph *g, const Node *n)
{
    Sampling s = sampling_axes(g, n);
    s.taps = taps_of(n);
    s.entries = (s.out[0] + s.out[1] + s.out[2]) * s.taps;
    s.index = NEW_ARRAY(int32_t, s.entries);
    s.weight = NEW_ARRAY(double, s.entries);
    int64_t at = 0;
    for (int a = 0; a < 3; a++) {
        sample_axis(n, &s, a, at);
        at += s.out[a];
    }
    return s;
}

/* ---- hooks ---- */

static void infer_resize(Graph *g, Node *n)
{
    float scale[MAX_RANK];
    check_modes(g, n);
    Type y = n->in[0]->type;
    read_target(g, n, y.dims, scale);
    sampling_axes(g, n);
    n->out[0]->type = y;
}

/* Value at position p of the output box of plane x. */
static double sample(const Sampling *s, const double *x, int64_t p, int64_t inner, double otherwise)
{
    int64_t at[3] = {p / s->out[2] / s->out[1], s->out[0] + p / s->out[2] % s->out[1],
                     s->out[0] + s->out[1] + p % s->out[2]};
    double sum = 0;
    if (s->outside && (s->outside[at[0]] || s->outside[at[1]] || s->outside[at[2]]))
        return otherwise;
    for (int a = 0; a < s->taps; a++)
        for (int b = 0; b < s->taps; b++)
            for (int c = 0; c < s->taps; c++) {
                int64_t i = at[0] * s->taps + a, j = at[1] * s->taps + b, k = at[2] * s->taps + c;
                double w = s->weight[i] * s->weight[j] * s->weight[k];
                int64_t from = (s->index[i] * s->in[1] + s->index[j]) * s->in[2] + s->index[k];
                sum += w != 0 ? w * x[from * s->inner + inner] : 0;
            }
    return sum;
}

static void resample(const Sampling *s, const Node *n, double otherwise, const void *const *in,
                     void *const *out)
{
    DType d = n->in[0]->type.dtype;
    int64_t size = s->in[0] * s->in[1] * s->in[2] * s->inner, positions = s->out[0] * s->out[1] * s->out[2];
    int64_t to = 0;
    double *x = doubles_from(in[0], d, s->outer * size);
    for (int64_t o = 0; o < s->outer; o++)
        for (int64_t p = 0; p < positions; p++)
            for (int64_t i = 0; i < s->inner; i++)
                elem_set(out[0], d, to++, sample(s, x + o * size, p, i, otherwise));
    free(x);
}

static void eval_resize(const Graph *g, const Node *n, const void *const *in, void *const *out)
{
    Sampling s = sampling(g, n);
    resample(&s, n, (double)attr_float(n, "extrapolation_value"), in, out);
}

/* Cubic weights may be negative. */
static void eval_resize_absolute(const Graph *g, const Node *n, const void *const *in, void *const *out)
{
    Sampling s = sampling(g, n);
    for (int64_t i = 0; i < s.entries; i++)
        s.weight[i] = fabs(s.weight[i]);
    resample(&s, n, fabs((double)attr_float(n, "extrapolation_value")), in, out);
}

/* What lies outside of the input comes from nowhere. */
static bool has_grad_resize(const Graph *g, const Node *n)
{
    return !sampling(g, n).outside;
}

/* Every value goes back to the elements that it was mixed from, by the same weights. */
static void grad_resize(const Graph *g, const Node *n, const Gradient *d)
{
    Sampling s = sampling(g, n);
    int64_t size = s.in[0] * s.in[1] * s.in[2] * s.inner, positions = s.out[0] * s.out[1] * s.out[2];
    int64_t taps = s.taps;
    for (int64_t k = 0; k < s.outer * positions * taps * taps * taps; k++) {
        int64_t tap = k % (taps * taps * taps), p = k / (taps * taps * taps) % positions;
        int64_t o = k / (taps * taps * taps) / positions;
        int64_t at0 = p / s.out[2] / s.out[1] * taps + tap / taps / taps;
        int64_t at1 = (s.out[0] + p / s.out[2] % s.out[1]) * taps + tap / taps % taps;
        int64_t at2 = (s.out[0] + s.out[1] + p % s.out[2]) * taps + tap % taps;
        double w = s.weight[at0] * s.weight[at1] * s.weight[at2];
        int64_t from = (s.index[at0] * s.in[1] + s.index[at1]) * s.in[2] + s.index[at2];
        for (int64_t i = 0; i < s.inner; i++)
            d->din[0][o * size + from * s.inner + i] +=
                (float)(w * (double)d->dout[0][(o * positions + p) * s.inner + i]);
    }
}

static void emit_outside(Emitter *e, const Node *n, const Sampling *s)
{
    DType d = n->in[0]->type.dtype;
    float value = attr_float(n, "extrapolation_value");
    void *element = mem_alloc(dtype_size(d));
    elem_set(element, d, 0, (double)value);
    if (s->outside)
        emit_line(e, "%s(%s, %s, %s, %s, %s, %s);", emit_kernel(e, "resize_outside", d),
                  emit_ptr(e, n->out[0]), int_text(s->outer), emit_dims(s->out, 3), int_text(s->inner),
                  emit_const_array(e, "resize_outside", DT_U8, s->outside, s->entries / s->taps),
                  emit_literal(d, element, 0));
}

static void emit_resize(Emitter *e, const Node *n)
{
    Sampling s = sampling(emit_plan(e)->g, n);
    DType d = n->in[0]->type.dtype;
    const char *index = emit_const_array(e, "resize_index", DT_I32, s.index, s.entries);
    const char *y = emit_ptr(e, n->out[0]), *x = emit_ptr(e, n->in[0]);
    if (s.taps == 1) {
        emit_line(e, "%s(%s, %s, %s, %s, %s, %s, %s);", emit_kernel(e, "resize_nearest", d), y, x,
                  int_text(s.outer), emit_dims(s.in, 3), emit_dims(s.out, 3), int_text(s.inner), index);
        emit_outside(e, n, &s);
        return;
    }
    void *weight = mem_array(s.entries, dtype_size(d));
    doubles_to(s.weight, weight, d, s.entries);
    emit_line(e, "%s(%s, %s, %s, %s, %s, %s, %d, %s, %s);", emit_kernel(e, "resize_linear", d), y, x,
              int_text(s.outer), emit_dims(s.in, 3), emit_dims(s.out, 3), int_text(s.inner), s.taps, index,
              emit_const_array(e, "resize_weight", d, weight, s.entries));
    emit_outside(e, n, &s);
}

/* Few, but the positions that they are taken from are rounded, by some u times the size of the image. */
static double resize_terms(const Graph *g, const Node *n)
{
    Type x = n->in[0]->type;
    double size = 1;
    (void)g;
    for (int i = 2; i < x.rank; i++)
        size *= (double)x.dims[i];
    return strcmp(attr_string(n, "mode"), "nearest") ? 16 + 4 * size : 0;
}

static double resize_steps(const Graph *g, const Node *n)
{
    (void)g, (void)n;
    return 64; /* 4 taps along each of 3 axes */
}

const OpDef op_Resize = {
    .name = "Resize",
    .min_in = 1,
    .max_in = 4,
    .min_out = 1,
    .max_out = 1,
    .attrs = {{.name = "coordinate_transformation_mode", .type = ATTR_STRING, .s = "half_pixel"},
              {.name = "cubic_coeff_a", .type = ATTR_FLOAT, .f = -0.75f},
              {.name = "exclude_outside", .type = ATTR_INT},
              {.name = "extrapolation_value", .type = ATTR_FLOAT},
              {.name = "mode", .type = ATTR_STRING, .s = "nearest"},
              {.name = "nearest_mode", .type = ATTR_STRING, .s = "round_prefer_floor"}},
    .infer = infer_resize,
    .eval = eval_resize,
    .rounding = {.rule = ROUND_SUM},
    .eval_absolute = eval_resize_absolute,
    .terms = resize_terms,
    .steps = resize_steps,
    .emit = emit_resize,
    .grad = grad_resize,
    .has_grad = has_grad_resize,
};
