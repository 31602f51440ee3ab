/* op_gather.c - operators that move elements by indices: Gather, GatherElements, GatherND, ScatterElements,
 * ScatterND, OneHot. Constant indices are checked here; what a run-time index outside of its axis does,
 * runtime/gather.h says. */
#include "ops/grad.h"
#include "ops/ops.h"

#include <string.h>

#define T int32_t
#define TS i32
#include "gather.h"
#undef T
#undef TS

#define T int64_t
#define TS i64
#include "gather.h"
#undef T
#undef TS

/* Numbers as the kernels take them. */
typedef struct Dims32 {
    int32_t v[MAX_RANK];
} Dims32;

static int32_t narrow(int64_t v)
{
    if (v > INT32_MAX)
        fail("a tensor with more than %d elements is too large to move", INT32_MAX);
    return (int32_t)v;
}

static Dims32 narrow_all(const int64_t *v, int count)
{
    Dims32 d = {{0}};
    for (int i = 0; i < count; i++)
        d.v[i] = narrow(v[i]);
    return d;
}

static int64_t product(const int64_t *v, int from, int to)
{
    int64_t p = 1;
    for (int i = from; i < to; i++)
        p *= v[i];
    return p;
}

static void need_index_type(const Graph *g, const Node *n, int input)
{
    DType d = n->in[input]->type.dtype;
    if (d != DT_I32 && d != DT_I64)
        fail_node(g, n, "indices (input %d) must be int32 or int64, not %s", input, dtype_name(d));
}

/* Constant indices must lie in [-size, size), where size is that of the axis i % depth. */
static void check_indices(const Graph *g, const Node *n, const int64_t *sizes, int64_t depth)
{
    const Tensor *t = n->in[1];
    need_index_type(g, n, 1);
    int64_t count;
    const int64_t *v = t->data ? const_ints(g, n, 1, &count) : NULL;
    for (int64_t i = 0; v && i < count; i++)
        if (v[i] < -sizes[i % depth] || v[i] >= sizes[i % depth])
            fail_node(g, n, "index %s is outside of an axis of size %s", int_text(v[i]),
                      int_text(sizes[i % depth]));
    if (!t->data && type_elems(t->type) && product(sizes, 0, (int)depth) == 0)
        fail_node(g, n, "indices into an empty axis");
}

static int axis_of(const Graph *g, const Node *n)
{
    if (n->in[0]->type.rank < 1)
        fail_node(g, n, "needs an input with at least one axis");
    return (int)norm_axis(g, n, attr_int(n, "axis"), n->in[0]->type.rank);
}

/* The scalar kernel that joins an update with what is there; NULL: the update takes its place. */
static const char *reduction(const Graph *g, const Node *n)
{
    static const char *const names[] = {"add", "mul", "min", "max"};
    static const char *const of_int[] = {"add_int", "mul_int", "min_int", "max_int"};
    const char *r = attr_string(n, "reduction");
    DType d = n->in[0]->type.dtype;
    for (int i = 0; i < 4; i++)
        if (!strcmp(r, names[i]) && d != DT_BOOL)
            return dtype_is_float(d) ? names[i] : of_int[i];
    if (strcmp(r, "none") != 0)
        fail_node(g, n, "unsupported: 'reduction' = '%s' of %s", r, dtype_name(n->in[0]->type.dtype));
    return NULL;
}

static size_t elem_bytes(const Node *n)
{
    return dtype_size(n->in[0]->type.dtype);
}

/* ---- Gather ---- */

static void infer_gather(Graph *g, Node *n)
{
    Type x = n->in[0]->type, index = n->in[1]->type;
    int axis = axis_of(g, n);
    check_indices(g, n, &x.dims[axis], 1);
    Type y = {.dtype = x.dtype, .rank = x.rank - 1 + index.rank};
    if (y.rank > MAX_RANK)
        fail_node(g, n, "unsupported: rank %d, at most %d is possible", y.rank, MAX_RANK);
    for (int i = 0; i < y.rank; i++)
        if (i < axis)
            y.dims[i] = x.dims[i];
        else if (i < axis + index.rank)
            y.dims[i] = index.dims[i - axis];
        else
            y.dims[i] = x.dims[i - index.rank + 1];
    n->out[0]->type = y;
}

static void eval_gather(const Graph *g, const Node *n, const void *const *in, void *const *out)
{
    Type x = n->in[0]->type;
    int axis = axis_of(g, n);
    int32_t outer = narrow(product(x.dims, 0, axis)), size = narrow(x.dims[axis]);
    int32_t count = narrow(type_elems(n->in[1]->type));
    size_t bytes = (size_t)product(x.dims, axis + 1, x.rank) * elem_bytes(n);
    if (n->in[1]->type.dtype == DT_I32)
        tn_gather_i32(out[0], in[0], in[1], outer, size, count, bytes);
    else
        tn_gather_i64(out[0], in[0], in[1], outer, size, count, bytes);
}

static void emit_gather(Emitter *e, const Node *n)
{
    Type x = n->in[0]->type;
    int axis = axis_of(emit_plan(e)->g, n);
    emit_line(e, "%s(%s, %s, %s, %s, %s, %s, %zu);", emit_kernel(e, "gather", n->in[1]->type.dtype),
              emit_ptr(e, n->out[0]), emit_ptr(e, n->in[0]), emit_ptr(e, n->in[1]),
              int_text(product(x.dims, 0, axis)), int_text(x.dims[axis]),
              int_text(type_elems(n->in[1]->type)),
              (size_t)product(x.dims, axis + 1, x.rank) * elem_bytes(n));
}

const OpDef op_Gather = {
    .name = "Gather",
    .min_in = 2,
    .max_in = 2,
    .min_out = 1,
    .max_out = 1,
    .attrs = {{.name = "axis", .type = ATTR_INT}},
    .infer = infer_gather,
    .eval = eval_gather,
    .emit = emit_gather,
    .grad = grad_move,
};

/* ---- GatherElements, ScatterElements ---- */

static void infer_elements(Graph *g, Node *n)
{
    Type x = n->in[0]->type, index = n->in[1]->type;
    int axis = axis_of(g, n);
    bool scatter = n->op == OP_ScatterElements;
    check_indices(g, n, &x.dims[axis], 1);
    if (index.rank != x.rank)
        fail_node(g, n, "indices of rank %d for data of rank %d", index.rank, x.rank);
    for (int i = 0; i < x.rank; i++)
        if (i != axis && index.dims[i] > x.dims[i])
            fail_node(g, n, "indices are larger than the data along axis %d", i);
    if (scatter) {
        reduction(g, n);
        Type updates = index;
        updates.dtype = x.dtype;
        if (!type_equal(n->in[2]->type, updates))
            fail_node(g, n, "updates must be %s", type_text(updates));
    }
    n->out[0]->type = scatter ? x : index;
    n->out[0]->type.dtype = x.dtype;
}

/* y[at] = kernel(y[at], updates[p]) */
static void join_element(const Node *n, const char *kernel, void *y, const void *updates, size_t at, size_t p)
{
    static const int64_t step[] = {1, 1};
    unsigned char *to = (unsigned char *)y + at * elem_bytes(n);
    const void *x[] = {to, (const unsigned char *)updates + p * elem_bytes(n)};
    scalar_row(kernel, n->in[0]->type.dtype)(1, to, x, step);
}

static void eval_elements(const Graph *g, const Node *n, const void *const *in, void *const *out)
{
    Type x = n->in[0]->type, index = n->in[1]->type;
    int64_t strides[MAX_RANK];
    dense_strides(x, strides);
    int axis = axis_of(g, n);
    int32_t count = narrow(type_elems(index));
    Dims32 dims = narrow_all(index.dims, x.rank), sizes = narrow_all(x.dims, x.rank);
    Dims32 steps = narrow_all(strides, x.rank);
    bool scatter = n->op == OP_ScatterElements, narrow_index = index.dtype == DT_I32;
    if (scatter)
        memcpy(out[0], in[0], type_bytes(x));
    const char *kernel = scatter ? reduction(g, n) : NULL;
    for (int32_t p = 0; kernel && p < count; p++)
        join_element(n, kernel, out[0], in[2],
                     narrow_index ? tn_element_at_i32(in[1], p, x.rank, dims.v, axis, sizes.v, steps.v)
                                  : tn_element_at_i64(in[1], p, x.rank, dims.v, axis, sizes.v, steps.v),
                     (size_t)p);
    if (kernel)
        return;
    if (scatter && narrow_index)
        tn_scatter_elements_i32(out[0], in[2], in[1], count, x.rank, dims.v, axis, sizes.v, steps.v,
                                elem_bytes(n));
    else if (scatter)
        tn_scatter_elements_i64(out[0], in[2], in[1], count, x.rank, dims.v, axis, sizes.v, steps.v,
                                elem_bytes(n));
    else if (narrow_index)
        tn_gather_elements_i32(out[0], in[0], in[1], count, x.rank, dims.v, axis, sizes.v, steps.v,
                               elem_bytes(n));
    else
        tn_gather_elements_i64(out[0], in[0], in[1], count, x.rank, dims.v, axis, sizes.v, steps.v,
                               elem_bytes(n));
}

static void emit_copy_of_input(Emitter *e, const Node *n)
{
    emit_line(e, "memcpy(%s, %s, %zu);", emit_ptr(e, n->out[0]), emit_ptr(e, n->in[0]),
              type_bytes(n->in[0]->type));
}

/* for p < count: y[at] = kernel(y[at], updates[p]) */
static void emit_join(Emitter *e, const Node *n, const char *kernel, int64_t count, const char *at)
{
    DType d = n->in[0]->type.dtype;
    emit_line(e, "for (int32_t p = 0; p < %s; p++) {", int_text(count));
    emit_line(e, "%s *const y = %s + %s;", dtype_c(d), emit_ptr(e, n->out[0]), at);
    emit_line(e, "*y = %s(*y, (%s)[p]);", emit_kernel(e, kernel, d), emit_ptr(e, n->in[2]));
    emit_line(e, "}");
}

static void emit_elements(Emitter *e, const Node *n)
{
    Type x = n->in[0]->type, index = n->in[1]->type;
    int64_t strides[MAX_RANK];
    dense_strides(x, strides);
    bool scatter = n->op == OP_ScatterElements;
    if (scatter)
        emit_copy_of_input(e, n);
    const char *kernel = scatter ? reduction(emit_plan(e)->g, n) : NULL;
    if (kernel) {
        emit_join(e, n, kernel, type_elems(index),
                  mem_printf("%s(%s, p, %d, %s, %d, %s, %s)", emit_kernel(e, "element_at", index.dtype),
                             emit_ptr(e, n->in[1]), x.rank, emit_dims(index.dims, x.rank),
                             axis_of(emit_plan(e)->g, n), emit_dims(x.dims, x.rank),
                             emit_dims(strides, x.rank)));
        return;
    }
    const char *name = scatter ? "scatter_elements" : "gather_elements";
    const Tensor *from = n->in[scatter ? 2 : 0];
    emit_line(e, "%s(%s, %s, %s, %s, %d, %s, %d, %s, %s, %zu);", emit_kernel(e, name, index.dtype),
              emit_ptr(e, n->out[0]), emit_ptr(e, from), emit_ptr(e, n->in[1]), int_text(type_elems(index)),
              x.rank, emit_dims(index.dims, x.rank), axis_of(emit_plan(e)->g, n), emit_dims(x.dims, x.rank),
              emit_dims(strides, x.rank), elem_bytes(n));
}

const OpDef op_GatherElements = {
    .name = "GatherElements",
    .min_in = 2,
    .max_in = 2,
    .min_out = 1,
    .max_out = 1,
    .attrs = {{.name = "axis", .type = ATTR_INT}},
    .infer = infer_elements,
    .eval = eval_elements,
    .emit = emit_elements,
    .grad = grad_move,
};

const OpDef op_ScatterElements = {
    .name = "ScatterElements",
    .min_in = 3,
    .max_in = 3,
    .min_out = 1,
    .max_out = 1,
    .attrs = {{.name = "axis", .type = ATTR_INT}, {.name = "reduction", .type = ATTR_STRING, .s = "none"}},
    .infer = infer_elements,
    .eval = eval_elements,
    .emit = emit_elements,
};

/* ---- GatherND, ScatterND ---- */

/* Indices [..batch.., ..count.., depth] name slices of the data [..batch.., ..indexed.., ..slice..]. */
typedef struct NdShape {
    int64_t batch, count, depth, slices;     /* slices: in the data of one batch entry */
    int64_t dims[MAX_RANK], steps[MAX_RANK]; /* of the indexed axes; steps in slices */
    int first, last;                         /* axes of the data: indexed ones are [first, last) */
    size_t bytes;                            /* of a slice */
} NdShape;

static NdShape nd_shape(const Graph *g, const Node *n)
{
    Type x = n->in[0]->type, index = n->in[1]->type;
    int64_t first = n->op == OP_GatherND ? attr_int(n, "batch_dims") : 0;
    if (x.rank < 1 || index.rank < 1 || first < 0 || first >= index.rank || first > x.rank)
        fail_node(g, n, "data, indices and 'batch_dims' do not fit each other");
    NdShape s = {.batch = product(x.dims, 0, (int)first),
                 .count = product(index.dims, (int)first, index.rank - 1),
                 .depth = index.dims[index.rank - 1],
                 .first = (int)first};
    if (s.depth < 1 || s.depth > x.rank - first)
        fail_node(g, n, "indices name %s axes of %s", int_text(s.depth), int_text(x.rank - first));
    for (int i = 0; i < first; i++)
        if (x.dims[i] != index.dims[i])
            fail_node(g, n, "batch axis %d differs between data and indices", i);
    s.last = s.first + (int)s.depth;
    s.slices = product(x.dims, s.first, s.last);
    for (int i = 0; i < s.depth; i++) {
        s.dims[i] = x.dims[s.first + i];
        s.steps[i] = product(x.dims, s.first + i + 1, s.last);
    }
    s.bytes = (size_t)product(x.dims, s.last, x.rank) * elem_bytes(n);
    return s;
}

/* Shape of the slices that the indices name: those of the indices but the last, then that of a slice. */
static Type slices_type(const Graph *g, const Node *n, const NdShape *s)
{
    Type x = n->in[0]->type, y = n->in[1]->type;
    y.dtype = x.dtype;
    y.rank--;
    if (y.rank + x.rank - s->last > MAX_RANK)
        fail_node(g, n, "unsupported: rank %d, at most %d is possible", y.rank + x.rank - s->last, MAX_RANK);
    for (int i = s->last; i < x.rank; i++)
        y.dims[y.rank++] = x.dims[i];
    return y;
}

static void infer_nd(Graph *g, Node *n)
{
    NdShape s = nd_shape(g, n);
    check_indices(g, n, s.dims, s.depth);
    Type slices = slices_type(g, n, &s);
    if (n->op == OP_ScatterND) {
        reduction(g, n);
        if (!type_equal(n->in[2]->type, slices))
            fail_node(g, n, "updates must be %s", type_text(slices));
    }
    n->out[0]->type = n->op == OP_ScatterND ? n->in[0]->type : slices;
}

static void eval_nd(const Graph *g, const Node *n, const void *const *in, void *const *out)
{
    NdShape s = nd_shape(g, n);
    Dims32 dims = narrow_all(s.dims, (int)s.depth), steps = narrow_all(s.steps, (int)s.depth);
    int32_t batch = narrow(s.batch), count = narrow(s.count), depth = narrow(s.depth);
    int32_t slices = narrow(s.slices);
    bool scatter = n->op == OP_ScatterND, narrow_index = n->in[1]->type.dtype == DT_I32;
    if (scatter)
        memcpy(out[0], in[0], type_bytes(n->in[0]->type));
    const char *kernel = scatter ? reduction(g, n) : NULL;
    size_t inner = s.bytes / elem_bytes(n);
    for (size_t p = 0; kernel && p < (size_t)count * inner; p++) {
        size_t first = p / inner * (size_t)depth;
        size_t at = narrow_index ? tn_slice_at_i32((const int32_t *)in[1] + first, depth, dims.v, steps.v)
                                 : tn_slice_at_i64((const int64_t *)in[1] + first, depth, dims.v, steps.v);
        join_element(n, kernel, out[0], in[2], at * inner + p % inner, p);
    }
    if (kernel)
        return;
    if (scatter && narrow_index)
        tn_scatter_nd_i32(out[0], in[2], in[1], count, depth, dims.v, steps.v, s.bytes);
    else if (scatter)
        tn_scatter_nd_i64(out[0], in[2], in[1], count, depth, dims.v, steps.v, s.bytes);
    else if (narrow_index)
        tn_gather_nd_i32(out[0], in[0], in[1], batch, count, depth, dims.v, steps.v, slices, s.bytes);
    else
        tn_gather_nd_i64(out[0], in[0], in[1], batch, count, depth, dims.v, steps.v, slices, s.bytes);
}

static void emit_nd(Emitter *e, const Node *n)
{
    NdShape s = nd_shape(emit_plan(e)->g, n);
    const char *dims = emit_dims(s.dims, (int)s.depth), *steps = emit_dims(s.steps, (int)s.depth);
    DType index = n->in[1]->type.dtype;
    const char *kernel = n->op == OP_ScatterND ? reduction(emit_plan(e)->g, n) : NULL;
    if (n->op == OP_ScatterND)
        emit_copy_of_input(e, n);
    if (kernel) {
        size_t inner = s.bytes / elem_bytes(n);
        emit_join(e, n, kernel, s.count * (int64_t)inner,
                  mem_printf("%s(%s + p / %zu * %s, %s, %s, %s) * %zu + (size_t)(p %% %zu)",
                             emit_kernel(e, "slice_at", index), emit_ptr(e, n->in[1]), inner,
                             int_text(s.depth), int_text(s.depth), dims, steps, inner, inner));
    } else if (n->op == OP_ScatterND) {
        emit_line(e, "%s(%s, %s, %s, %s, %s, %s, %s, %zu);", emit_kernel(e, "scatter_nd", index),
                  emit_ptr(e, n->out[0]), emit_ptr(e, n->in[2]), emit_ptr(e, n->in[1]), int_text(s.count),
                  int_text(s.depth), dims, steps, s.bytes);
    } else {
        emit_line(e, "%s(%s, %s, %s, %s, %s, %s, %s, %s, %s, %zu);", emit_kernel(e, "gather_nd", index),
                  emit_ptr(e, n->out[0]), emit_ptr(e, n->in[0]), emit_ptr(e, n->in[1]), int_text(s.batch),
                  int_text(s.count), int_text(s.depth), dims, steps, int_text(s.slices), s.bytes);
    }
}

const OpDef op_GatherND = {
    .name = "GatherND",
    .min_in = 2,
    .max_in = 2,
    .min_out = 1,
    .max_out = 1,
    .attrs = {{.name = "batch_dims", .type = ATTR_INT}},
    .infer = infer_nd,
    .eval = eval_nd,
    .emit = emit_nd,
};

const OpDef op_ScatterND = {
    .name = "ScatterND",
    .min_in = 3,
    .max_in = 3,
    .min_out = 1,
    .max_out = 1,
    .attrs = {{.name = "reduction", .type = ATTR_STRING, .s = "none"}},
    .infer = infer_nd,
    .eval = eval_nd,
    .emit = emit_nd,
};

/* ---- OneHot ---- */

/* The new axis in the output. */
static int hot_axis(const Graph *g, const Node *n)
{
    return (int)norm_axis(g, n, attr_int(n, "axis"), n->in[0]->type.rank + 1);
}

static void infer_one_hot(Graph *g, Node *n)
{
    Type index = n->in[0]->type, values = n->in[2]->type, y = index;
    double depth = const_scalar(g, n, 1);
    int axis = hot_axis(g, n);
    need_index_type(g, n, 0);
    if (!(depth >= 1 && depth <= INT32_MAX) || depth != (double)(int32_t)depth)
        fail_node(g, n, "depth %g", depth);
    if (type_elems(values) != 2 || index.rank == MAX_RANK)
        fail_node(g, n, "values must be two numbers, off and on, and the output's rank at most %d", MAX_RANK);
    y.dtype = values.dtype;
    y.rank++;
    for (int i = axis + 1; i < y.rank; i++)
        y.dims[i] = index.dims[i - 1];
    y.dims[axis] = (int64_t)depth;
    n->out[0]->type = y;
}

static void eval_one_hot(const Graph *g, const Node *n, const void *const *in, void *const *out)
{
    Type index = n->in[0]->type;
    int axis = hot_axis(g, n);
    int32_t outer = narrow(product(index.dims, 0, axis));
    int32_t inner = narrow(product(index.dims, axis, index.rank));
    int32_t depth = narrow(n->out[0]->type.dims[axis]);
    size_t bytes = dtype_size(n->out[0]->type.dtype);
    if (index.dtype == DT_I32)
        tn_one_hot_i32(out[0], in[0], in[2], outer, depth, inner, bytes);
    else
        tn_one_hot_i64(out[0], in[0], in[2], outer, depth, inner, bytes);
}

static void emit_one_hot(Emitter *e, const Node *n)
{
    Type index = n->in[0]->type;
    int axis = hot_axis(emit_plan(e)->g, n);
    emit_line(e, "%s(%s, %s, %s, %s, %s, %s, %zu);", emit_kernel(e, "one_hot", index.dtype),
              emit_ptr(e, n->out[0]), emit_ptr(e, n->in[0]), emit_ptr(e, n->in[2]),
              int_text(product(index.dims, 0, axis)), int_text(n->out[0]->type.dims[axis]),
              int_text(product(index.dims, axis, index.rank)), dtype_size(n->out[0]->type.dtype));
}

const OpDef op_OneHot = {
    .name = "OneHot",
    .min_in = 3,
    .max_in = 3,
    .min_out = 1,
    .max_out = 1,
    .attrs = {{.name = "axis", .type = ATTR_INT, .i = -1}},
    .infer = infer_one_hot,
    .eval = eval_one_hot,
    .emit = emit_one_hot,
};
