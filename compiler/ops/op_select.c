/* op_select.c - operators that choose elements: Trilu and TopK. Both evaluate by the runtime's kernels. */
#include "ops/ops.h"

#define T uint8_t
#define TS u8
#include "select.h"
#undef T
#undef TS

#define T uint16_t
#define TS u16
#include "select.h"
#undef T
#undef TS

#define T uint32_t
#define TS u32
#include "select.h"
#undef T
#undef TS

#define T uint64_t
#define TS u64
#include "select.h"
#undef T
#undef TS

#define T int32_t
#define TS i32
#include "select.h"
#undef T
#undef TS

#define T int64_t
#define TS i64
#include "select.h"
#undef T
#undef TS

#define T float
#define TS f32
#include "select.h"
#undef T
#undef TS

#define T double
#define TS f64
#include "select.h"

static int64_t product(const int64_t *v, int from, int to)
{
    int64_t p = 1;
    for (int i = from; i < to; i++)
        p *= v[i];
    if (p > INT32_MAX)
        fail("a tensor with more than %d elements is too large to move", INT32_MAX);
    return p;
}

/* ---- Trilu ---- */

static int64_t diagonal(const Graph *g, const Node *n)
{
    int64_t k = n->num_in > 1 && n->in[1] ? const_int(g, n, 1) : 0;
    if (k > INT32_MAX || k < -INT32_MAX)
        fail_node(g, n, "k is %s", int_text(k));
    return k;
}

static void infer_trilu(Graph *g, Node *n)
{
    if (n->in[0]->type.rank < 2)
        fail_node(g, n, "needs a matrix or a stack of matrices");
    diagonal(g, n);
    n->out[0]->type = n->in[0]->type;
}

static void eval_trilu(const Graph *g, const Node *n, const void *const *in, void *const *out)
{
    Type x = n->in[0]->type;
    int32_t count = (int32_t)product(x.dims, 0, x.rank - 2), upper = attr_int(n, "upper") != 0;
    int32_t rows = (int32_t)x.dims[x.rank - 2], cols = (int32_t)x.dims[x.rank - 1];
    int64_t k = diagonal(g, n);
    switch (dtype_size(x.dtype)) {
    case 1: tn_trilu_u8(out[0], in[0], count, rows, cols, k, upper); return;
    case 2: tn_trilu_u16(out[0], in[0], count, rows, cols, k, upper); return;
    case 4: tn_trilu_u32(out[0], in[0], count, rows, cols, k, upper); return;
    case 8: tn_trilu_u64(out[0], in[0], count, rows, cols, k, upper); return;
    default: bug("elements of %zu bytes", dtype_size(x.dtype));
    }
}

static void emit_trilu(Emitter *e, const Node *n)
{
    Type x = n->in[0]->type;
    emit_line(e, "%s(%s, %s, %s, %s, %s, %s, %d);", emit_kernel(e, "trilu", x.dtype), emit_ptr(e, n->out[0]),
              emit_ptr(e, n->in[0]), int_text(product(x.dims, 0, x.rank - 2)), int_text(x.dims[x.rank - 2]),
              int_text(x.dims[x.rank - 1]), int_text(diagonal(emit_plan(e)->g, n)),
              attr_int(n, "upper") != 0);
}

const OpDef op_Trilu = {
    .name = "Trilu",
    .min_in = 1,
    .max_in = 2,
    .min_out = 1,
    .max_out = 1,
    .attrs = {{.name = "upper", .type = ATTR_INT, .i = 1}},
    .infer = infer_trilu,
    .eval = eval_trilu,
    .emit = emit_trilu,
};

/* ---- TopK ---- */

static int top_axis(const Graph *g, const Node *n)
{
    if (n->in[0]->type.rank < 1)
        fail_node(g, n, "needs an input with at least one axis");
    return (int)norm_axis(g, n, attr_int(n, "axis"), n->in[0]->type.rank);
}

static void infer_top_k(Graph *g, Node *n)
{
    Type x = n->in[0]->type;
    int axis = top_axis(g, n);
    int64_t k = const_int(g, n, 1);
    if (x.dtype != DT_F32 && x.dtype != DT_F64 && x.dtype != DT_I32 && x.dtype != DT_I64)
        fail_node(g, n, "unsupported: TopK of %s", dtype_name(x.dtype));
    if (k < 0 || k > x.dims[axis])
        fail_node(g, n, "the %s largest of %s elements", int_text(k), int_text(x.dims[axis]));
    x.dims[axis] = k;
    n->out[0]->type = x;
    x.dtype = DT_I64;
    n->out[1]->type = x;
}

static void eval_top_k(const Graph *g, const Node *n, const void *const *in, void *const *out)
{
    Type x = n->in[0]->type;
    int axis = top_axis(g, n), sign = attr_int(n, "largest") ? 1 : -1;
    int32_t outer = (int32_t)product(x.dims, 0, axis), inner = (int32_t)product(x.dims, axis + 1, x.rank);
    int32_t size = (int32_t)x.dims[axis], k = (int32_t)const_int(g, n, 1);
    switch (x.dtype) {
    case DT_F32: tn_top_k_f32(out[0], out[1], in[0], outer, size, inner, k, sign); return;
    case DT_F64: tn_top_k_f64(out[0], out[1], in[0], outer, size, inner, k, sign); return;
    case DT_I32: tn_top_k_i32(out[0], out[1], in[0], outer, size, inner, k, sign); return;
    case DT_I64: tn_top_k_i64(out[0], out[1], in[0], outer, size, inner, k, sign); return;
    default: bug("TopK of %s", dtype_name(x.dtype));
    }
}

static void emit_top_k(Emitter *e, const Node *n)
{
    const Graph *g = emit_plan(e)->g;
    Type x = n->in[0]->type;
    int axis = top_axis(g, n);
    const char *values = n->out[0] ? emit_ptr(e, n->out[0]) : "NULL";
    emit_line(e, "%s(%s, %s, %s, %s, %s, %s, %s, %d);", emit_kernel(e, "top_k", x.dtype), values,
              emit_ptr(e, n->out[1]), emit_ptr(e, n->in[0]), int_text(product(x.dims, 0, axis)),
              int_text(x.dims[axis]), int_text(product(x.dims, axis + 1, x.rank)),
              int_text(const_int(g, n, 1)), attr_int(n, "largest") ? 1 : -1);
}

static double top_k_steps(const Graph *g, const Node *n)
{
    (void)g, (void)n;
    return 32; /* places that a newcomer moves others by, in the mean of unsorted elements */
}

const OpDef op_TopK = {
    .name = "TopK",
    .min_in = 2,
    .max_in = 2,
    .min_out = 2,
    .max_out = 2,
    .attrs = {{.name = "axis", .type = ATTR_INT, .i = -1},
              {.name = "largest", .type = ATTR_INT, .i = 1},
              {.name = "sorted", .type = ATTR_INT, .i = 1}},
    .infer = infer_top_k,
    .eval = eval_top_k,
    .steps = top_k_steps,
    .emit = emit_top_k,
};
