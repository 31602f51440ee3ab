/* window.c - the sliding window of convolutions and pooling: kernel, strides, dilations, padding and output
 * sizes from a node's attributes. The one place that knows auto_pad, ceil_mode, output_shape and
 * output_padding. Source: the ONNX operator texts of Conv, ConvTranspose, MaxPool and AveragePool. */
#include "ops/ops.h"

#include <string.h>

enum { MAX_SPATIAL = 3, MAX_PARAMETER = 1 << 24 };

/* Attribute `name` of `per_axis` values for each of the window's axes, into to[] of the last axes; left alone
 * if absent. Returns whether it was there. */
static bool read_sizes(const Graph *g, const Node *n, const char *name, int rank, int64_t min, int64_t *to)
{
    int count;
    const int64_t *v = attr_ints(n, name, &count);
    if (!v)
        return false;
    if (count != rank)
        fail_node(g, n, "attribute '%s' has %d values for %d spatial axes", name, count, rank);
    for (int i = 0; i < rank; i++) {
        if (v[i] < min || v[i] > MAX_PARAMETER)
            fail_node(g, n, "attribute '%s' has the value %s, it must be at least %s", name, int_text(v[i]),
                      int_text(min));
        to[MAX_SPATIAL - rank + i] = v[i];
    }
    return true;
}

static void read_kernel(const Graph *g, const Node *n, Window *w)
{
    int64_t given[3] = {1, 1, 1};
    bool has_weights = n->op == OP_Conv || n->op == OP_ConvTranspose;
    bool set = read_sizes(g, n, "kernel_shape", w->rank, 1, given);
    for (int a = MAX_SPATIAL - w->rank; a < MAX_SPATIAL; a++) {
        int64_t k = has_weights ? n->in[1]->type.dims[2 + a - (MAX_SPATIAL - w->rank)] : given[a];
        if (set && k != given[a])
            fail_node(g, n, "attribute 'kernel_shape' contradicts the weights' shape");
        if (k < 1 || k > MAX_PARAMETER)
            fail_node(g, n, "a kernel of size %s", int_text(k));
        w->kernel[a] = k;
    }
}

/* Explicit padding; returns whether any is not 0. */
static bool read_pads(const Graph *g, const Node *n, Window *w)
{
    int count;
    const int64_t *v = attr_ints(n, "pads", &count);
    if (!v)
        return false;
    if (count != 2 * w->rank)
        fail_node(g, n, "attribute 'pads' has %d values for %d spatial axes", count, w->rank);
    bool any = false;
    for (int i = 0; i < count; i++) {
        if (v[i] < 0 || v[i] > MAX_PARAMETER)
            fail_node(g, n, "unsupported: attribute 'pads' has the value %s; cut with Slice instead",
                      int_text(v[i]));
        any |= v[i] != 0;
        int64_t *to = i < w->rank ? w->pad_begin : w->pad_end;
        to[MAX_SPATIAL - w->rank + i % w->rank] = v[i];
    }
    return any;
}

/* Elements that the window covers along axis a. */
static int64_t extent(const Window *w, int a)
{
    return (w->kernel[a] - 1) * w->dilation[a] + 1;
}

static void split_padding(Window *w, int a, int64_t total, bool more_at_end)
{
    int64_t half = total / 2;
    w->pad_begin[a] = more_at_end ? half : total - half;
    w->pad_end[a] = total - w->pad_begin[a];
}

/* Whether a window that is larger than the padded input, by `more`, is one all the same: ONNX's shape
 * inference and onnxruntime round (in + pads - extent) / stride towards 0 where they pool. How many elements
 * an average then counts with its padding, they do not agree on. */
static bool may_reach(const Node *n, int64_t more, int64_t stride)
{
    bool plain = n->op == OP_AveragePool && !attr_int(n, "count_include_pad");
    return (n->op == OP_MaxPool || n->op == OP_LpPool || plain) && more < stride;
}

/* Conv and pooling: out = floor or ceil of (in + pads - extent) / stride + 1. With ceil_mode a window that
 * would start behind the input and its leading padding is left out, as exporters and runtimes agree. */
static void size_forward(const Graph *g, const Node *n, Window *w, int a, bool same, bool upper,
                         bool ceil_mode)
{
    if (same) {
        w->out[a] = (w->in[a] + w->stride[a] - 1) / w->stride[a];
        int64_t total = (w->out[a] - 1) * w->stride[a] + extent(w, a) - w->in[a];
        split_padding(w, a, total > 0 ? total : 0, upper);
        return;
    }
    int64_t room = w->in[a] + w->pad_begin[a] + w->pad_end[a] - extent(w, a);
    if (room < 0 && !may_reach(n, -room, w->stride[a]))
        fail_node(g, n, "the window covers %s elements, the padded input has %s", int_text(extent(w, a)),
                  int_text(room + extent(w, a)));
    w->out[a] = room / w->stride[a] + 1;
    if (ceil_mode && room > 0 && room % w->stride[a] && w->out[a] * w->stride[a] < w->in[a] + w->pad_begin[a])
        w->out[a]++;
}

/* ConvTranspose: out = stride * (in - 1) + output_padding + extent - pads; with a given output size
 * (output_shape, or in * stride for auto_pad SAME_*) the pads follow from it. */
static void size_transposed(const Graph *g, const Node *n, Window *w, int a, int64_t given, int64_t extra,
                            bool upper)
{
    int64_t full = w->stride[a] * (w->in[a] - 1) + extra + extent(w, a);
    if (given) {
        w->out[a] = given;
        split_padding(w, a, full > given ? full - given : 0, upper);
        return;
    }
    w->out[a] = full - w->pad_begin[a] - w->pad_end[a];
    if (w->out[a] < 1)
        fail_node(g, n, "the padding leaves an output of size %s", int_text(w->out[a]));
}

static void size_all_transposed(const Graph *g, const Node *n, Window *w, bool same, bool upper)
{
    int64_t extra[3] = {0}, given[3] = {0};
    read_sizes(g, n, "output_padding", w->rank, 0, extra);
    read_sizes(g, n, "output_shape", w->rank, 1, given);
    for (int a = MAX_SPATIAL - w->rank; a < MAX_SPATIAL; a++) {
        if (extra[a] >= w->stride[a] && extra[a] >= w->dilation[a])
            fail_node(g, n, "attribute 'output_padding' must be less than the stride or the dilation");
        if (!given[a] && same)
            given[a] = w->in[a] * w->stride[a];
        size_transposed(g, n, w, a, given[a], extra[a], upper);
    }
}

static Window read_window(const Graph *g, const Node *n)
{
    Type x = n->in[0]->type;
    Window w = {.rank = x.rank - 2};
    if (w.rank < 1 || w.rank > MAX_SPATIAL)
        fail_node(g, n, "unsupported: %d spatial axes; 1 to %d are possible", w.rank, MAX_SPATIAL);
    for (int a = 0; a < MAX_SPATIAL; a++) {
        w.kernel[a] = w.stride[a] = w.dilation[a] = w.in[a] = w.out[a] = 1;
        if (a >= MAX_SPATIAL - w.rank)
            w.in[a] = x.dims[2 + a - (MAX_SPATIAL - w.rank)];
    }
    read_kernel(g, n, &w);
    read_sizes(g, n, "strides", w.rank, 1, w.stride);
    if (n->op == OP_Conv || n->op == OP_ConvTranspose || n->op == OP_MaxPool || n->op == OP_LpPool)
        read_sizes(g, n, "dilations", w.rank, 1, w.dilation);
    return w;
}

Window op_window(const Graph *g, const Node *n)
{
    Window w = read_window(g, n);
    bool padded = read_pads(g, n, &w);
    const char *mode = attr_string(n, "auto_pad");
    bool upper = !strcmp(mode, "SAME_UPPER"), same = upper || !strcmp(mode, "SAME_LOWER");
    bool valid = !strcmp(mode, "VALID");
    if (!same && !valid && strcmp(mode, "NOTSET"))
        fail_node(g, n, "attribute 'auto_pad' has the unknown value '%s'", mode);
    if ((same || valid) && padded)
        fail_node(g, n, "has both 'pads' and 'auto_pad' = '%s'", mode);
    if (n->op == OP_ConvTranspose) {
        size_all_transposed(g, n, &w, same, upper);
        return w;
    }
    bool pools = n->op == OP_MaxPool || n->op == OP_AveragePool || n->op == OP_LpPool;
    bool ceil_mode = pools && attr_int(n, "ceil_mode");
    if (ceil_mode && valid)
        fail_node(g, n, "unsupported: 'ceil_mode' together with 'auto_pad' = 'VALID'; leave one of them out");
    for (int a = MAX_SPATIAL - w.rank; a < MAX_SPATIAL; a++)
        size_forward(g, n, &w, a, same, upper, ceil_mode);
    return w;
}
