/* op_nms.c - NonMaxSuppression. How many boxes are chosen is known at run time only, so the output has as
 * many rows as the file declares for it, else as there can be; rows without a box are -1. */
#include "ops/ops.h"

#include "nms.h"

enum { BOXES, SCORES, MOST, OVERLAP, LEAST };

static const Tensor *given(const Node *n, int i)
{
    return i < n->num_in ? n->in[i] : NULL;
}

static void need_scalar(const Graph *g, const Node *n, int i, DType d)
{
    const Tensor *t = given(n, i);
    if (t && (t->type.dtype != d || type_elems(t->type) != 1))
        fail_node(g, n, "input %d ('%s') must be a single %s", i, t->name, dtype_name(d));
}

/* The most boxes that can be chosen. */
static int64_t capacity(const Node *n)
{
    Type scores = n->in[SCORES]->type;
    const Tensor *most = given(n, MOST);
    int64_t each = 0;
    if (most)
        each = most->data ? *(const int64_t *)most->data : scores.dims[2];
    return scores.dims[0] * scores.dims[1] * clamp(each, 0, scores.dims[2]);
}

static void infer_nms(Graph *g, Node *n)
{
    Type boxes = n->in[BOXES]->type, scores = n->in[SCORES]->type, declared = n->out[0]->type;
    if (boxes.dtype != DT_F32 || scores.dtype != DT_F32 || boxes.rank != 3 || scores.rank != 3 ||
        boxes.dims[2] != 4 || boxes.dims[0] != scores.dims[0] || boxes.dims[1] != scores.dims[2])
        fail_node(g, n, "needs boxes float[B,N,4] and scores float[B,C,N]");
    need_scalar(g, n, MOST, DT_I64);
    need_scalar(g, n, OVERLAP, DT_F32);
    need_scalar(g, n, LEAST, DT_F32);
    int64_t rows = declared.rank == 2 && declared.dims[0] >= 0 ? declared.dims[0] : capacity(n);
    if (type_elems(boxes) > INT32_MAX || type_elems(scores) > INT32_MAX || rows > INT32_MAX / 3)
        fail_node(g, n, "unsupported: more than %d boxes or scores", INT32_MAX);
    n->out[0]->type = type_make(DT_I64, 2, (const int64_t[]){rows, 3});
}

static float value_of(const void *const *in, const Node *n, int i, float otherwise)
{
    return given(n, i) ? *(const float *)in[i] : otherwise;
}

static void eval_nms(const Graph *g, const Node *n, const void *const *in, void *const *out)
{
    (void)g;
    Type s = n->in[SCORES]->type;
    tn_nms(out[0], (int32_t)n->out[0]->type.dims[0], in[BOXES], in[SCORES], (int32_t)s.dims[0],
           (int32_t)s.dims[1], (int32_t)s.dims[2], given(n, MOST) ? *(const int64_t *)in[MOST] : 0,
           value_of(in, n, OVERLAP, 0), value_of(in, n, LEAST, -INFINITY),
           attr_int(n, "center_point_box") != 0);
}

static const char *argument(Emitter *e, const Node *n, int i, const char *otherwise)
{
    return given(n, i) ? mem_printf("*%s", emit_ptr(e, n->in[i])) : otherwise;
}

static void emit_nms(Emitter *e, const Node *n)
{
    Type s = n->in[SCORES]->type;
    emit_line(e, "%s(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %d);", emit_kernel(e, "nms", DT_NONE),
              emit_ptr(e, n->out[0]), int_text(n->out[0]->type.dims[0]), emit_ptr(e, n->in[BOXES]),
              emit_ptr(e, n->in[SCORES]), int_text(s.dims[0]), int_text(s.dims[1]), int_text(s.dims[2]),
              argument(e, n, MOST, "0"), argument(e, n, OVERLAP, "0"), argument(e, n, LEAST, "-INFINITY"),
              attr_int(n, "center_point_box") != 0);
}

/* Each box is looked for among all, and compared with those chosen. */
static double nms_steps(const Graph *g, const Node *n)
{
    Type scores = n->in[SCORES]->type;
    int64_t out = type_elems(n->out[0]->type);
    (void)g;
    return 8 * (double)type_elems(scores) * (double)scores.dims[2] / (double)(out ? out : 1);
}

const OpDef op_NonMaxSuppression = {
    .name = "NonMaxSuppression",
    .min_in = 2,
    .max_in = 5,
    .min_out = 1,
    .max_out = 1,
    .attrs = {{.name = "center_point_box", .type = ATTR_INT}},
    .declared_size = true,
    .infer = infer_nms,
    .eval = eval_nms,
    .steps = nms_steps,
    .emit = emit_nms,
};
