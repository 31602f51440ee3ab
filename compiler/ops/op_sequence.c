/* op_sequence.c - operators on sequences of samples: ReverseSequence, and the windows of signal processing,
 * whose sizes are known at compile time, so that they are constants. */
#include "print/print.h"
#include "reverse.h"

#include <math.h>

/* ---- ReverseSequence ---- */

static void infer_reverse(Graph *g, Node *n)
{
    Type x = n->in[0]->type, length = n->in[1]->type;
    int64_t batch = attr_int(n, "batch_axis"), time = attr_int(n, "time_axis");
    if (x.rank < 2 || batch < 0 || batch > 1 || time != 1 - batch)
        fail_node(g, n, "'batch_axis' and 'time_axis' must be 0 and 1 of an input with two axes or more");
    if (length.dtype != DT_I64 || length.rank != 1 || length.dims[0] != x.dims[batch])
        fail_node(g, n, "lengths must be int64[%s]", int_text(x.dims[batch]));
    if (type_elems(x) > INT32_MAX)
        fail_node(g, n, "unsupported: more than %d elements", INT32_MAX);
    n->out[0]->type = x;
}

/* Bytes of what stands at one time of one sequence. */
static size_t row_bytes(Type x)
{
    int64_t count = 1;
    for (int i = 2; i < x.rank; i++)
        count *= x.dims[i];
    return (size_t)count * dtype_size(x.dtype);
}

static void eval_reverse(const Graph *g, const Node *n, const void *const *in, void *const *out)
{
    (void)g;
    Type x = n->in[0]->type;
    int batch = (int)attr_int(n, "batch_axis");
    int32_t steps[2] = {(int32_t)x.dims[1], 1}; /* of the axes 0 and 1, in rows */
    tn_reverse_sequence(out[0], in[0], in[1], (int32_t)x.dims[1 - batch], (int32_t)x.dims[batch],
                        steps[1 - batch], steps[batch], row_bytes(x));
}

static void emit_reverse(Emitter *e, const Node *n)
{
    Type x = n->in[0]->type;
    int batch = (int)attr_int(n, "batch_axis");
    int64_t steps[2] = {x.dims[1], 1};
    emit_line(e, "%s(%s, %s, %s, %s, %s, %s, %s, %zu);", emit_kernel(e, "reverse_sequence", DT_NONE),
              emit_ptr(e, n->out[0]), emit_ptr(e, n->in[0]), emit_ptr(e, n->in[1]),
              int_text(x.dims[1 - batch]), int_text(x.dims[batch]), int_text(steps[1 - batch]),
              int_text(steps[batch]), row_bytes(x));
}

const OpDef op_ReverseSequence = {
    .name = "ReverseSequence",
    .min_in = 2,
    .max_in = 2,
    .min_out = 1,
    .max_out = 1,
    .attrs = {{.name = "batch_axis", .type = ATTR_INT, .i = 1}, {.name = "time_axis", .type = ATTR_INT}},
    .infer = infer_reverse,
    .eval = eval_reverse,
    .emit = emit_reverse,
};

/* ---- windows ---- */

static void infer_window(Graph *g, Node *n)
{
    int64_t size = const_int(g, n, 0);
    DType d = dtype_from_onnx(attr_int(n, "output_datatype"));
    if (size < 1 || size > 1 << 24)
        fail_node(g, n, "a window of %s samples", int_text(size));
    if (!dtype_is_float(d))
        fail_node(g, n, "unsupported: 'output_datatype' = %s", int_text(attr_int(n, "output_datatype")));
    n->out[0]->type = type_make(d == DT_F16 ? DT_F32 : d, 1, &size);
}

/* y[i] = a - b cos(2 pi i / n) + c cos(4 pi i / n), n the size, or one less for symmetric windows. */
static void eval_cosines(const Node *n, void *y, double a, double b, double c)
{
    int64_t size = n->out[0]->type.dims[0], steps = attr_int(n, "periodic") ? size : size - 1;
    for (int64_t i = 0; i < size; i++) {
        double t = 2 * 3.14159265358979323846 * (double)i / (double)(steps ? steps : 1);
        elem_set(y, n->out[0]->type.dtype, i, a - b * cos(t) + c * cos(2 * t));
    }
}

#define WINDOW(NAME, A, B, C)                                                                                \
    static void eval_##NAME(const Graph *g, const Node *n, const void *const *in, void *const *out)          \
    {                                                                                                        \
        (void)g, (void)in;                                                                                   \
        eval_cosines(n, out[0], A, B, C);                                                                    \
    }                                                                                                        \
    const OpDef op_##NAME = {                                                                                \
        .name = #NAME,                                                                                       \
        .min_in = 1,                                                                                         \
        .max_in = 1,                                                                                         \
        .min_out = 1,                                                                                        \
        .max_out = 1,                                                                                        \
        .attrs = {{.name = "output_datatype", .type = ATTR_INT, .i = 1},                                     \
                  {.name = "periodic", .type = ATTR_INT, .i = 1}},                                           \
        .infer = infer_window,                                                                               \
        .eval = eval_##NAME,                                                                                 \
    }

WINDOW(HannWindow, 0.5, 0.5, 0);
WINDOW(HammingWindow, 25.0 / 46, 21.0 / 46, 0);
WINDOW(BlackmanWindow, 0.42, 0.5, 0.08);
