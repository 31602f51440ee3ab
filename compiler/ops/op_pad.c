/* op_pad.c - Pad: with a constant, the edge's elements, or the mirror image. */
#include "ops/boxes.h"
#include "ops/grad.h"
#include "print/print.h"

#include <string.h>

static const char *pad_mode(const Graph *g, const Node *n)
{
    const char *mode = attr_string(n, "mode");
    if (strcmp(mode, "constant") != 0 && strcmp(mode, "edge") != 0 && strcmp(mode, "reflect") != 0)
        fail_node(g, n, "attribute 'mode' is '%s', not constant, edge or reflect", mode);
    return mode;
}

/* The element that constant padding writes: input 2, or zero. NULL: it is known at run time only. */
static const void *pad_value(const Node *n, const void *given)
{
    static const char zero[8];
    return n->num_in > 2 && n->in[2] ? given : zero;
}

static void infer_pad(Graph *g, Node *n)
{
    int64_t count;
    const int64_t *pads = const_ints(g, n, 1, &count);
    Type x = n->in[0]->type, y = x;
    const char *mode = pad_mode(g, n);
    if (count != 2 * (int64_t)x.rank)
        fail_node(g, n, "%s pads for rank %d", int_text(count), x.rank);
    if (n->num_in > 2 && n->in[2] && (n->in[2]->type.dtype != x.dtype || type_elems(n->in[2]->type) != 1))
        fail_node(g, n, "the padding value is of type %s", type_text(n->in[2]->type));
    for (int i = 0; i < x.rank; i++) {
        int64_t before = pads[i], behind = pads[x.rank + i], most = before > behind ? before : behind;
        if (before > INT32_MAX || behind > INT32_MAX || before < -x.dims[i] || behind < -x.dims[i] ||
            x.dims[i] + before + behind < 0)
            fail_node(g, n, "pads %s and %s of axis %d", int_text(before), int_text(behind), i);
        if (mode[0] == 'r' && most > 0 && most >= x.dims[i])
            fail_node(g, n, "axis %d of size %s cannot be reflected %s elements far", i, int_text(x.dims[i]),
                      int_text(most));
        if (mode[0] != 'c' && most > 0 && !x.dims[i])
            fail_node(g, n, "axis %d is empty: nothing to pad it with", i);
        y.dims[i] += before + behind;
    }
    n->out[0]->type = y;
}

/* Negative pads cut elements off. */
static int64_t cut(int64_t pad)
{
    return pad < 0 ? pad : 0;
}

/* The part of the input that stays. */
static Box kept_box(const Graph *g, const Node *n)
{
    int64_t count, xs[MAX_RANK], ys[MAX_RANK];
    const int64_t *pads = const_ints(g, n, 1, &count);
    Type x = n->in[0]->type, y = n->out[0]->type;
    dense_strides(x, xs);
    dense_strides(y, ys);
    Box b = {0};
    for (int i = 0; i < x.rank; i++) {
        int64_t before = pads[i], behind = pads[x.rank + i];
        box_axis(&b, x.dims[i] + cut(before) + cut(behind), ys[i], xs[i]);
        b.y_base += before > 0 ? before * ys[i] : 0;
        b.x_base -= before < 0 ? before * xs[i] : 0;
    }
    return b;
}

static void eval_pad(const Graph *g, const Node *n, const void *const *in, void *const *out)
{
    int64_t count;
    const int64_t *pads = const_ints(g, n, 1, &count);
    Type x = n->in[0]->type, y = n->out[0]->type;
    const char *mode = pad_mode(g, n);
    if (mode[0] != 'c') {
        box_pad(y, x, pads, mode[0] == 'r', out[0], in[0]);
        return;
    }
    Box b = kept_box(g, n);
    box_fill(y.dtype, out[0], pad_value(n, n->num_in > 2 ? in[2] : NULL), type_elems(y));
    box_copy(&b, y.dtype, out[0], in[0]);
}

static void emit_pad_self(Emitter *e, const Node *n, bool reflect)
{
    int64_t count, rows = 1;
    const int64_t *pads = const_ints(emit_plan(e)->g, n, 1, &count);
    Type x = n->in[0]->type, y = n->out[0]->type;
    for (int i = 0; i < y.rank - 1; i++)
        rows *= y.dims[i];
    emit_line(e, "%s(%s, %s, %s, %d, %s, %s, %s, %d);", emit_kernel(e, "pad_self", y.dtype),
              emit_ptr(e, n->out[0]), emit_ptr(e, n->in[0]), int_text(rows), y.rank,
              emit_dims(y.dims, y.rank), emit_dims(x.dims, x.rank), emit_dims(pads, x.rank), reflect);
}

static void emit_pad(Emitter *e, const Node *n)
{
    const char *mode = pad_mode(emit_plan(e)->g, n);
    if (mode[0] != 'c') {
        emit_pad_self(e, n, mode[0] == 'r');
        return;
    }
    Type y = n->out[0]->type;
    const char *to = emit_ptr(e, n->out[0]);
    Box b = kept_box(emit_plan(e)->g, n);
    if (n->num_in > 2 && n->in[2])
        emit_box_fill(e, y.dtype, to, emit_ptr(e, n->in[2]), type_elems(y));
    else
        emit_line(e, "memset(%s, 0, %zu);", to, type_bytes(y));
    emit_box_copy(e, &b, y.dtype, to, emit_ptr(e, n->in[0]));
}

const OpDef op_Pad = {
    .name = "Pad",
    .min_in = 2,
    .max_in = 3,
    .min_out = 1,
    .max_out = 1,
    .attrs = {{.name = "mode", .type = ATTR_STRING, .s = "constant"}},
    .infer = infer_pad,
    .eval = eval_pad,
    .emit = emit_pad,
    .grad = grad_move,
};
