/* op_shape.c - operators that change a shape but no value (views), and those that make values from shapes or
 * constants. The latter are all evaluated while types are inferred: they never reach the emitter. */
#include "ops/grad.h"
#include "ops/ops.h"

#include <math.h>
#include <string.h>

/* ---- views ---- */

static void eval_copy(const Graph *g, const Node *n, const void *const *in, void *const *out)
{
    (void)g;
    memcpy(out[0], in[0], type_bytes(n->out[0]->type));
}

/* The same elements in the given shape. */
static void set_shape(const Graph *g, Node *n, int rank, const int64_t *dims)
{
    Type x = n->in[0]->type, y = type_make(x.dtype, rank, dims);
    if (type_elems(y) != type_elems(x))
        fail_node(g, n, "%s elements do not make the shape %s", int_text(type_elems(x)), type_text(y));
    n->out[0]->type = y;
}

static void infer_reshape(Graph *g, Node *n)
{
    int64_t count, dims[MAX_RANK], known = 1;
    const int64_t *shape = const_ints(g, n, 1, &count);
    Type x = n->in[0]->type;
    int free_axis = -1;
    if (count > MAX_RANK)
        fail_node(g, n, "unsupported: rank %s, at most %d is possible", int_text(count), MAX_RANK);
    for (int i = 0; i < count; i++) {
        dims[i] = shape[i];
        if (dims[i] == 0 && !attr_int(n, "allowzero")) {
            if (i >= x.rank)
                fail_node(g, n, "shape entry %d is 0 but the input has no such axis", i);
            dims[i] = x.dims[i];
        }
        if (dims[i] < -1 || dims[i] > MAX_ELEMS || known > MAX_ELEMS || (dims[i] == -1 && free_axis >= 0))
            fail_node(g, n, "shape entry %d is %s", i, int_text(dims[i]));
        if (dims[i] == -1)
            free_axis = i;
        else
            known *= dims[i];
    }
    if (free_axis >= 0) {
        if (!known || type_elems(x) % known)
            fail_node(g, n, "%s elements do not divide into rows of %s", int_text(type_elems(x)),
                      int_text(known));
        dims[free_axis] = type_elems(x) / known;
    }
    set_shape(g, n, (int)count, dims);
}

static void infer_flatten(Graph *g, Node *n)
{
    Type x = n->in[0]->type;
    int64_t axis = attr_int(n, "axis"), dims[2] = {1, 1};
    if (axis < -x.rank || axis > x.rank)
        fail_node(g, n, "axis %s is out of range for rank %d", int_text(axis), x.rank);
    axis += axis < 0 ? x.rank : 0;
    for (int i = 0; i < x.rank; i++)
        dims[i >= axis] *= x.dims[i];
    set_shape(g, n, 2, dims);
}

/* Which axes the constant input 1 names, of a tensor of that rank. Returns false if the input is absent. */
static bool read_axes(const Graph *g, const Node *n, int rank, bool *named)
{
    int64_t count;
    const int64_t *axes = const_ints(g, n, 1, &count);
    for (int64_t i = 0; axes && i < count; i++) {
        int64_t a = norm_axis(g, n, axes[i], rank);
        if (named[a])
            fail_node(g, n, "axis %s is named twice", int_text(a));
        named[a] = true;
    }
    return axes;
}

static void infer_squeeze(Graph *g, Node *n)
{
    Type x = n->in[0]->type;
    bool named[MAX_RANK] = {false}, all = !read_axes(g, n, x.rank, named);
    int64_t dims[MAX_RANK];
    int rank = 0;
    for (int i = 0; i < x.rank; i++) {
        if (named[i] && x.dims[i] != 1)
            fail_node(g, n, "axis %d has the size %s, not 1", i, int_text(x.dims[i]));
        if (!named[i] && !(all && x.dims[i] == 1))
            dims[rank++] = x.dims[i];
    }
    set_shape(g, n, rank, dims);
}

static void infer_unsqueeze(Graph *g, Node *n)
{
    Type x = n->in[0]->type;
    int64_t count, dims[MAX_RANK];
    const_ints(g, n, 1, &count);
    int rank = x.rank + (int)count, from = 0;
    if (count > MAX_RANK || rank > MAX_RANK)
        fail_node(g, n, "unsupported: rank %s, at most %d is possible", int_text(x.rank + count), MAX_RANK);
    bool named[MAX_RANK] = {false};
    read_axes(g, n, rank, named);
    for (int i = 0; i < rank; i++)
        dims[i] = named[i] ? 1 : x.dims[from++];
    set_shape(g, n, rank, dims);
}

static void infer_same(Graph *g, Node *n)
{
    (void)g;
    n->out[0]->type = n->in[0]->type;
}

static void infer_dropout(Graph *g, Node *n)
{
    if (n->num_in > 2 && n->in[2] && const_scalar(g, n, 2) != 0)
        fail_node(g, n, "unsupported: Dropout in training mode; export the model for inference");
    if (n->num_out > 1 && n->out[1])
        fail_node(g, n, "unsupported: the output 'mask' of Dropout");
    infer_same(g, n);
}

#define VIEW(NAME, MIN_IN, MAX_IN, MAX_OUT, INFER, ...)                                                      \
    const OpDef op_##NAME = {.name = #NAME,                                                                  \
                             .min_in = MIN_IN,                                                               \
                             .max_in = MAX_IN,                                                               \
                             .min_out = 1,                                                                   \
                             .max_out = MAX_OUT,                                                             \
                             .view = true,                                                                   \
                             .infer = INFER,                                                                 \
                             .eval = eval_copy,                                                              \
                             .grad = grad_kernel,                                                            \
                             .attrs = {__VA_ARGS__}}

VIEW(Reshape, 2, 2, 1, infer_reshape, {.name = "allowzero", .type = ATTR_INT});
VIEW(Flatten, 1, 1, 1, infer_flatten, {.name = "axis", .type = ATTR_INT, .i = 1});
VIEW(Squeeze, 1, 2, 1, infer_squeeze, {0});
VIEW(Unsqueeze, 2, 2, 1, infer_unsqueeze, {0});
VIEW(Identity, 1, 1, 1, infer_same, {0});
VIEW(Dropout, 1, 3, 2, infer_dropout, {.name = "seed", .type = ATTR_INT});

/* ---- values from shapes ---- */

static void shape_range(const Node *n, int64_t *start, int64_t *end)
{
    int64_t rank = n->in[0]->type.rank;
    *start = attr_int(n, "start");
    *end = node_attr(n, "end") ? attr_int(n, "end") : rank;
    *start += *start < 0 ? rank : 0;
    *end += *end < 0 ? rank : 0;
    *start = clamp(*start, 0, rank);
    *end = clamp(*end, *start, rank);
}

static void infer_shape(Graph *g, Node *n)
{
    (void)g;
    int64_t start, end;
    shape_range(n, &start, &end);
    n->out[0]->type = type_make(DT_I64, 1, (int64_t[]){end - start});
}

static void eval_shape(const Graph *g, const Node *n, const void *const *in, void *const *out)
{
    (void)g, (void)in;
    int64_t start, end;
    shape_range(n, &start, &end);
    for (int64_t i = start; i < end; i++)
        ((int64_t *)out[0])[i - start] = n->in[0]->type.dims[i];
}

const OpDef op_Shape = {
    .name = "Shape",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .attrs = {{.name = "start", .type = ATTR_INT}, {.name = "end", .type = ATTR_INT}},
    .infer = infer_shape,
    .eval = eval_shape,
};

static void infer_size(Graph *g, Node *n)
{
    (void)g;
    n->out[0]->type = type_make(DT_I64, 0, NULL);
}

static void eval_size(const Graph *g, const Node *n, const void *const *in, void *const *out)
{
    (void)g, (void)in;
    *(int64_t *)out[0] = type_elems(n->in[0]->type);
}

const OpDef op_Size = {
    .name = "Size",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .infer = infer_size,
    .eval = eval_size,
};

static void infer_eye_like(Graph *g, Node *n)
{
    Type x = n->in[0]->type;
    if (x.rank != 2)
        fail_node(g, n, "needs a matrix");
    if (node_attr(n, "dtype"))
        x.dtype = dtype_from_onnx(attr_int(n, "dtype"));
    if (x.dtype == DT_NONE || x.dtype == DT_F16)
        fail_node(g, n, "unsupported: 'dtype' = %s", int_text(attr_int(n, "dtype")));
    n->out[0]->type = x;
}

static void eval_eye_like(const Graph *g, const Node *n, const void *const *in, void *const *out)
{
    (void)g, (void)in;
    Type y = n->out[0]->type;
    int64_t k = attr_int(n, "k"), rows = y.dims[0], cols = y.dims[1];
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < cols; j++)
            elem_set(out[0], y.dtype, i * cols + j, j - i == k);
}

const OpDef op_EyeLike = {
    .name = "EyeLike",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .attrs = {{.name = "dtype", .type = ATTR_INT}, {.name = "k", .type = ATTR_INT}},
    .infer = infer_eye_like,
    .eval = eval_eye_like,
};

/* ---- values from constants ---- */

static void infer_constant_of_shape(Graph *g, Node *n)
{
    int64_t count;
    const int64_t *dims = const_ints(g, n, 0, &count);
    const Attr *value = node_attr(n, "value");
    if (value && type_elems(value->t->type) != 1)
        fail_node(g, n, "attribute 'value' has %s elements, not one", int_text(type_elems(value->t->type)));
    if (count > MAX_RANK)
        fail_node(g, n, "unsupported: rank %s, at most %d is possible", int_text(count), MAX_RANK);
    for (int64_t i = 0; i < count; i++)
        if (dims[i] < 0)
            fail_node(g, n, "size %s of axis %s", int_text(dims[i]), int_text(i));
    n->out[0]->type = type_make(value ? value->t->type.dtype : DT_F32, (int)count, dims);
}

static void eval_constant_of_shape(const Graph *g, const Node *n, const void *const *in, void *const *out)
{
    (void)g, (void)in;
    const Attr *value = node_attr(n, "value");
    size_t bytes = type_bytes(n->out[0]->type), step = dtype_size(n->out[0]->type.dtype);
    memset(out[0], 0, bytes);
    for (size_t at = 0; value && at < bytes; at += step)
        memcpy((char *)out[0] + at, value->t->data, step);
}

const OpDef op_ConstantOfShape = {
    .name = "ConstantOfShape",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .attrs = {{.name = "value", .type = ATTR_TENSOR}},
    .infer = infer_constant_of_shape,
    .eval = eval_constant_of_shape,
};

/* Elements of a range of int64: exact, and without an overflow wherever its ends lie. */
static int64_t count_integers(const Graph *g, const Node *n)
{
    int64_t start = const_int(g, n, 0), limit = const_int(g, n, 1), delta = const_int(g, n, 2);
    bool up = delta > 0;
    uint64_t way = up ? (uint64_t)limit - (uint64_t)start : (uint64_t)start - (uint64_t)limit;
    uint64_t step = up ? (uint64_t)delta : -(uint64_t)delta;
    if (delta && (up ? limit <= start : limit >= start))
        return 0;
    if (!delta || (way - 1) / step >= MAX_ELEMS)
        fail_node(g, n, "from %s to %s in steps of %s", int_text(start), int_text(limit), int_text(delta));
    return (int64_t)((way - 1) / step) + 1;
}

/* Of other types: the distance is rounded to the type, all else is in double, as onnxruntime and ONNX's shape
 * inference have it. */
static int64_t count_numbers(const Graph *g, const Node *n)
{
    double start = const_scalar(g, n, 0), limit = const_scalar(g, n, 1), delta = const_scalar(g, n, 2);
    double way = elem_rounded(limit - start, n->in[0]->type.dtype);
    double count = delta != 0 ? ceil(way / delta) : -1;
    if (delta == 0 || !(count < (double)((int64_t)1 << 31)))
        fail_node(g, n, "from %g to %g in steps of %g", start, limit, delta);
    return count > 0 ? (int64_t)count : 0;
}

static void infer_range(Graph *g, Node *n)
{
    DType d = n->in[0]->type.dtype;
    for (int i = 1; i < 3; i++)
        if (n->in[i]->type.dtype != d)
            fail_node(g, n, "start, limit and delta must be of one type");
    int64_t count = d == DT_I64 ? count_integers(g, n) : count_numbers(g, n);
    n->out[0]->type = type_make(d, 1, &count);
}

static void eval_range(const Graph *g, const Node *n, const void *const *in, void *const *out)
{
    (void)g;
    Type y = n->out[0]->type;
    if (y.dtype == DT_I64) {
        uint64_t start = *(const uint64_t *)in[0], delta = *(const uint64_t *)in[2];
        for (int64_t i = 0; i < y.dims[0]; i++)
            ((uint64_t *)out[0])[i] = start + (uint64_t)i * delta;
        return;
    }
    double start = elem_get(in[0], y.dtype, 0), delta = elem_get(in[2], y.dtype, 0);
    for (int64_t i = 0; i < y.dims[0]; i++)
        elem_set(out[0], y.dtype, i, start + (double)i * delta);
}

const OpDef op_Range = {
    .name = "Range",
    .min_in = 3,
    .max_in = 3,
    .min_out = 1,
    .max_out = 1,
    .infer = infer_range,
    .eval = eval_range,
};
