/* recipes_linear.c - convolutions, products, pooling, recurrent operators and their 8-bit forms. */
#include "random/draw.h"

#include <string.h>

/* ---- windows ---- */

typedef struct Window {
    int axes; /* spatial ones */
    int64_t kernel[3], strides[3], dilations[3], pads[6];
    int auto_pad; /* 0: pads */
} Window;

static const char *const auto_pads[] = {"NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID"};

/* One that fits into x, a [N][C][...]. */
static Window draw_window(Draw *d, Type x, bool dilated)
{
    Window w = {.axes = x.rank - 2};
    bool padded = maybe(d, 2);
    w.auto_pad = maybe(d, 6) ? (int)draw(d, 1, 3) : 0;
    dilated &= !(w.auto_pad && d->oracle); /* forgets them there */
    for (int i = 0; i < w.axes; i++) {
        w.kernel[i] = draw(d, 1, 3);
        w.strides[i] = draw(d, 1, 3);
        w.dilations[i] = dilated && maybe(d, 4) ? 2 : 1;
        for (int side = 0; side < 2 && padded && !w.auto_pad; side++)
            w.pads[i + side * w.axes] = maybe(d, 3) ? draw(d, 0, w.kernel[i] - 1) : 0;
        if (w.auto_pad && d->oracle && w.strides[i] > w.kernel[i])
            w.strides[i] = w.kernel[i]; /* has its own rule for this */
        int64_t room = x.dims[2 + i] + w.pads[i] + w.pads[i + w.axes];
        if (w.auto_pad % 3)
            continue;
        while (w.kernel[i] > 1 && (w.kernel[i] - 1) * w.dilations[i] + 1 > room) {
            w.kernel[i]--;
            w.pads[i] = w.pads[i + w.axes] = 0;
            room = x.dims[2 + i];
        }
    }
    return w;
}

static bool all_one(const int64_t *v, int count)
{
    for (int i = 0; i < count; i++)
        if (v[i] != 1)
            return false;
    return true;
}

static void set_window(Draw *d, Node *n, const Window *w, bool strided)
{
    if (!all_one(w->strides, w->axes) && strided)
        attr_set_ints(n, "strides", w->axes, w->strides);
    if (!all_one(w->dilations, w->axes))
        attr_set_ints(n, "dilations", w->axes, w->dilations);
    if (w->auto_pad)
        attr_set_string(n, "auto_pad", auto_pads[w->auto_pad]);
    else if (maybe(d, 2) || memcmp(w->pads, (int64_t[6]){0}, sizeof w->pads))
        attr_set_ints(n, "pads", 2 * w->axes, w->pads);
}

/* ---- convolutions ---- */

static int64_t draw_groups(Draw *d, int64_t channels)
{
    int64_t g = draw(d, 0, 3) ? 1 : channels;
    if (channels % 2 == 0 && channels && maybe(d, 4))
        g = 2;
    return g ? g : 1;
}

static Type weight_type(Type x, int64_t first, int64_t second, const Window *w)
{
    Type t = {.dtype = x.dtype, .rank = x.rank};
    t.dims[0] = first;
    t.dims[1] = second;
    memcpy(t.dims + 2, w->kernel, (size_t)w->axes * sizeof(int64_t));
    return t;
}

static Tensor *draw_bias(Draw *d, DType dtype, int64_t count)
{
    return maybe(d, 2) ? weights(d, type_make(dtype, 1, &count)) : NULL;
}

/* Rank 4 more often than 3, and 5 seldom. */
static Tensor *any_image(Draw *d, unsigned dtypes)
{
    static const int low[] = {4, 4, 3, 3}, high[] = {4, 4, 4, 5};
    int64_t k = draw(d, 0, 3);
    return any(d, dtypes, low[k], high[k]);
}

static void set_kernel(Draw *d, Node *n, const Window *w)
{
    if (maybe(d, 2))
        attr_set_ints(n, "kernel_shape", w->axes, w->kernel);
}

Node *make_conv(Draw *d, const Recipe *r)
{
    Tensor *x = any_image(d, r->dtypes);
    Window w = draw_window(d, x->type, true);
    int64_t groups = draw_groups(d, x->type.dims[1]), co = groups * draw(d, 1, 4);
    Tensor *k = weights(d, weight_type(x->type, co, x->type.dims[1] / groups, &w));
    Node *n = NODE(d, r->op, 1, x, k, draw_bias(d, x->type.dtype, co));
    set_kernel(d, n, &w);
    set_window(d, n, &w, true);
    if (groups != 1)
        attr_set_int(n, "group", groups);
    return n;
}

static void more_output(Draw *d, Node *n, const Window *w)
{
    int64_t more[3] = {0};
    if (w->auto_pad && d->oracle) /* adds it to what auto_pad says */
        return;
    for (int i = 0; i < w->axes; i++)
        more[i] = draw(d, 0, w->strides[i] - 1);
    if (maybe(d, 3))
        attr_set_ints(n, "output_padding", w->axes, more);
}

Node *make_conv_transpose(Draw *d, const Recipe *r)
{
    Tensor *x = any_image(d, r->dtypes);
    Window w = draw_window(d, x->type, true);
    int64_t groups = draw_groups(d, x->type.dims[1]), each = draw(d, 1, 4);
    Tensor *k = weights(d, weight_type(x->type, x->type.dims[1], each, &w));
    Node *n = NODE(d, r->op, 1, x, k, draw_bias(d, x->type.dtype, groups * each));
    set_kernel(d, n, &w);
    set_window(d, n, &w, true);
    more_output(d, n, &w);
    if (groups != 1)
        attr_set_int(n, "group", groups);
    return n;
}

Node *make_conv_integer(Draw *d, const Recipe *r)
{
    Tensor *x = any_image(d, r->dtypes);
    Window w = draw_window(d, x->type, true);
    int64_t groups = draw_groups(d, x->type.dims[1]), co = groups * draw(d, 1, 4);
    Type t = weight_type(x->type, co, x->type.dims[1] / groups, &w);
    t.dtype = maybe(d, 2) ? DT_U8 : DT_I8;
    Tensor *k = weights(d, t);
    Tensor *zx = maybe(d, 2) ? constant(d, type_make(x->type.dtype, 0, NULL)) : NULL;
    Tensor *zw = maybe(d, 2) ? constant(d, type_make(t.dtype, maybe(d, 2) ? 1 : 0, &co)) : NULL;
    Node *n = NODE(d, r->op, 1, x, k, zx, zw);
    set_window(d, n, &w, true);
    if (groups != 1)
        attr_set_int(n, "group", groups);
    return n;
}

/* ---- products ---- */

static Type matrix(DType dtype, int64_t rows, int64_t columns, bool transposed)
{
    return type_make(dtype, 2, transposed ? (int64_t[]){columns, rows} : (int64_t[]){rows, columns});
}

Node *make_gemm(Draw *d, const Recipe *r)
{
    Tensor *x = any(d, r->dtypes, 2, 2);
    bool left = maybe(d, 4), ta = maybe(d, 3), tb = maybe(d, 2), tx = left ? tb : ta;
    int64_t rows = x->type.dims[tx], columns = x->type.dims[!tx], other = size(d); /* of x as it is used */
    int64_t m = left ? other : rows, n_ = left ? columns : other;
    DType dtype = x->type.dtype;
    Tensor *w = weights(d, left ? matrix(dtype, other, rows, ta) : matrix(dtype, columns, other, tb));
    Tensor *c = maybe(d, 2) ? weights(d, smaller(d, matrix(dtype, m, n_, false))) : NULL;
    Node *n = left ? NODE(d, r->op, 1, w, x, c) : NODE(d, r->op, 1, x, w, c);
    float_attrs(d, n);
    if (ta)
        attr_set_int(n, "transA", 1);
    if (tb)
        attr_set_int(n, "transB", 1);
    return n;
}

/* Batches of the other operand: fewer, 1, or the same. */
static Type other_matrix(Draw *d, const Tensor *x, bool left)
{
    Type t = x->type, batch = type_make(t.dtype, t.rank > 2 ? t.rank - 2 : 0, t.dims);
    int64_t inner = left && t.rank > 1 ? t.dims[t.rank - 2] : t.dims[t.rank - 1], other = size(d);
    batch = smaller(d, batch);
    if (maybe(d, 4))
        return type_make(t.dtype, 1, &inner);
    batch.dims[batch.rank] = left ? other : inner;
    batch.dims[batch.rank + 1] = left ? inner : other;
    batch.rank += 2;
    return batch;
}

Node *make_matmul(Draw *d, const Recipe *r)
{
    Tensor *x = any(d, r->dtypes, 1, 5);
    bool left = maybe(d, 3);
    Tensor *w = weights(d, other_matrix(d, x, left));
    return left ? NODE(d, r->op, 1, w, x) : NODE(d, r->op, 1, x, w);
}

Node *make_matmul_integer(Draw *d, const Recipe *r)
{
    Tensor *x = any(d, r->dtypes, 1, 5);
    Type t = other_matrix(d, x, false);
    t.dtype = maybe(d, 2) ? DT_U8 : DT_I8;
    Tensor *w = weights(d, t);
    Tensor *zx = maybe(d, 2) ? constant(d, type_make(x->type.dtype, 0, NULL)) : NULL;
    Tensor *zw = maybe(d, 2) ? constant(d, type_make(t.dtype, 0, NULL)) : NULL;
    return NODE(d, r->op, 1, x, w, zx, zw);
}

/* ---- Einsum ---- */

Node *make_einsum(Draw *d, const Recipe *r)
{
    static const char *const equations[] = {
        "i->i", "ij->ji",  "ij,jk->ik",       "i,i->",        "ij,kj->ik",       "ii->i", "bij,bjk->bik",
        "ij->", "i,j->ij", "bhij,bhkj->bhik", "ij,jk,kl->il", "...ij,jk->...ik", "ij,ij", "kij->jk"};
    const char *text = equations[draw(d, 0, 13)];
    int64_t sizes[256] = {0};
    Tensor *in[3];
    int count = 0;
    Type t = {.dtype = maybe(d, 8) ? DT_F64 : DT_F32};
    const char *end = strchr(text, '-') ? strchr(text, '-') : text + strlen(text);
    for (const char *p = text; p <= end; p++) {
        if (p == end || *p == ',') {
            in[count++] = of_type(d, t);
            t.rank = 0;
            continue;
        }
        unsigned char c = (unsigned char)*p;
        if (c == '.' && p[1] == '.' && p[2] == '.')
            c = 'b'; /* one axis in place of the dots */
        else if (c == '.')
            continue;
        if (!sizes[c])
            sizes[c] = draw(d, 1, 4);
        t.dims[t.rank++] = sizes[c];
    }
    Node *n = node(d, r->op, 1, count, in);
    attr_set_string(n, "equation", text);
    return n;
}

/* ---- pooling ---- */

static bool knows(const Node *n, const char *name)
{
    for (const AttrSpec *a = op_def(n->op)->attrs; a->name; a++)
        if (!strcmp(a->name, name))
            return true;
    return false;
}

Node *make_pool(Draw *d, const Recipe *r)
{
    Tensor *x = any_image(d, r->dtypes);
    bool max = r->op == OP_MaxPool;
    Window w = draw_window(d, x->type, max || (r->op == OP_LpPool && !d->oracle)); /* of opset 18 */
    if (maybe(d, 2))                                                               /* as is usual */
        memcpy(w.strides, w.kernel, sizeof w.strides);
    Node *n = NODE(d, r->op, max && maybe(d, 6) ? 2 : 1, x);
    attr_set_ints(n, "kernel_shape", w.axes, w.kernel);
    set_window(d, n, &w, true);
    static const char *const flags[] = {"ceil_mode", "count_include_pad"};
    for (int i = 0; i < 2 && !(d->oracle && (r->op == OP_LpPool || w.auto_pad)); i++)
        if (knows(n, flags[i]) && maybe(d, 3))
            attr_set_int(n, flags[i], 1);
    if (n->num_out == 2 && maybe(d, 2))
        attr_set_int(n, "storage_order", 1);
    if (r->op == OP_LpPool && maybe(d, 2))
        attr_set_int(n, "p", draw(d, 1, 3));
    return n;
}

Node *make_global_pool(Draw *d, const Recipe *r)
{
    Node *n = NODE(d, r->op, 1, any_image(d, r->dtypes));
    if (r->op == OP_GlobalLpPool && maybe(d, 2))
        attr_set_int(n, "p", draw(d, 1, 3));
    return n;
}

/* A MaxPool with indices in front. */
Node *make_unpool(Draw *d, const Recipe *r)
{
    Tensor *x = any(d, r->dtypes, 3, 4);
    int64_t kernel[3], strides[3];
    int axes = x->type.rank - 2;
    for (int i = 0; i < axes; i++) {
        kernel[i] = x->type.dims[2 + i] % 2 ? 1 : 2;
        strides[i] = kernel[i];
    }
    Node *pool = NODE(d, OP_MaxPool, 2, x);
    attr_set_ints(pool, "kernel_shape", axes, kernel);
    attr_set_ints(pool, "strides", axes, strides);
    if (!place(d, pool))
        return NULL;
    Node *n = NODE(d, r->op, 1, pool->out[0], pool->out[1]);
    attr_set_ints(n, "kernel_shape", axes, kernel);
    attr_set_ints(n, "strides", axes, strides);
    return n;
}

/* ---- recurrent ---- */

enum { RNN_INPUTS = 8 };

static Type rank3(DType dtype, int64_t a, int64_t b, int64_t c)
{
    return type_make(dtype, 3, (int64_t[]){a, b, c});
}

static void recurrent_attrs(Draw *d, Node *n, int64_t hidden, int64_t direction)
{
    static const char *const directions[] = {"forward", "reverse", "bidirectional"};
    if (direction)
        attr_set_string(n, "direction", directions[direction]);
    if (maybe(d, 2) || d->oracle)
        attr_set_int(n, "hidden_size", hidden);
    if (maybe(d, 5) && !(d->oracle && n->op == OP_LSTM)) /* does not clip what goes into h */
        attr_set_float(n, "clip", (float)value(d));
    if (n->op == OP_LSTM && maybe(d, 5))
        attr_set_int(n, "input_forget", 1);
    if (n->op == OP_GRU && maybe(d, 2))
        attr_set_int(n, "linear_before_reset", 1);
}

/* Any of the outputs, at least one. */
static void drop_outputs(Draw *d, Node *n)
{
    int left = n->num_out;
    for (int i = 0; i < n->num_out; i++)
        if (left > 1 && maybe(d, 3)) {
            n->out[i] = NULL;
            left--;
        }
}

static Tensor *draw_lengths(Draw *d, int64_t batch, int64_t steps)
{
    return constant_in(d, type_make(DT_I32, 1, &batch), steps ? 1 : 0, (double)steps);
}

Node *make_recurrent(Draw *d, const Recipe *r)
{
    Tensor *x = any(d, r->dtypes, 3, 3), *in[RNN_INPUTS] = {x};
    bool batch_first = maybe(d, 6);
    int64_t gates = r->op == OP_LSTM ? 4 : r->op == OP_GRU ? 3 : 1, hidden = draw(d, 1, 4);
    int64_t direction = draw(d, 0, 2), dirs = direction == 2 ? 2 : 1;
    int64_t steps = x->type.dims[batch_first], batch = x->type.dims[!batch_first];
    DType dtype = x->type.dtype;
    in[1] = weights(d, rank3(dtype, dirs, gates * hidden, x->type.dims[2]));
    in[2] = weights(d, rank3(dtype, dirs, gates * hidden, hidden));
    Type state = batch_first ? rank3(dtype, batch, dirs, hidden) : rank3(dtype, dirs, batch, hidden);
    if (maybe(d, 2))
        in[3] = weights(d, type_make(dtype, 2, (int64_t[]){dirs, 2 * gates * hidden}));
    if (maybe(d, 5))
        in[4] = draw_lengths(d, batch, steps);
    for (int i = 5; i < (r->op == OP_LSTM ? 7 : 6); i++)
        if (maybe(d, 3))
            in[i] = of_type(d, state);
    if (r->op == OP_LSTM && maybe(d, 4))
        in[7] = weights(d, type_make(dtype, 2, (int64_t[]){dirs, 3 * hidden}));
    Node *n = node(d, r->op, r->op == OP_LSTM ? 3 : 2, r->op == OP_LSTM ? 8 : 6, in);
    recurrent_attrs(d, n, hidden, direction);
    if (batch_first)
        attr_set_int(n, "layout", 1);
    drop_outputs(d, n);
    return n;
}

/* ---- 8-bit numbers ---- */

/* A scalar, or one for each channel along `axis`. */
static Type scale_type(DType dtype, const Tensor *x, int axis)
{
    return type_make(dtype, axis < 0 ? 0 : 1, axis < 0 ? NULL : &x->type.dims[axis]);
}

static int draw_channel_axis(Draw *d, const Tensor *x)
{
    return x->type.rank && maybe(d, 2) ? (int)draw(d, 0, x->type.rank - 1) : -1;
}

static Node *quant_node(Draw *d, OpKind op, Tensor *x, DType zero)
{
    int axis = draw_channel_axis(d, x);
    Tensor *scale = constant_in(d, scale_type(DT_F32, x, axis), 0.01, 0.5), *z = NULL;
    if (maybe(d, 2) && zero != DT_NONE)
        z = constant(d, scale_type(zero, x, axis));
    Node *n = NODE(d, op, 1, x, scale, z);
    if (axis >= 0)
        attr_set_int(n, "axis", maybe(d, 3) ? axis - x->type.rank : axis);
    return n;
}

void place_pair(Draw *d, Tensor *x)
{
    static const double most[] = {0.05, 0.01, 1, 0.0001};
    DType codes = maybe(d, 2) ? DT_I8 : DT_U8;
    int axis = maybe(d, 6) ? draw_channel_axis(d, x) : -1;
    double high = most[draw(d, 0, 3)];
    Type s = scale_type(DT_F32, x, axis), z = s;
    z.dtype = codes;
    Tensor *zero =
        axis < 0 ? scalar(d, codes, (double)draw(d, 0, 255) - (codes == DT_I8 ? 128 : 0)) : constant(d, z);
    Tensor *scale = axis < 0 && maybe(d, 3) ? scalar(d, DT_F32, 0.0625) : constant_in(d, s, high / 4, high);
    Node *q = NODE(d, OP_QuantizeLinear, 1, x, scale, zero);
    if (axis >= 0)
        attr_set_int(q, "axis", axis);
    if (!place(d, q))
        return;
    Node *dq = NODE(d, OP_DequantizeLinear, 1, q->out[0], scale, zero);
    if (axis >= 0)
        attr_set_int(dq, "axis", axis);
    place(d, dq);
}

Node *make_quantize(Draw *d, const Recipe *r)
{
    Tensor *x = any(d, r->dtypes, 0, 5);
    return quant_node(d, r->op, x, maybe(d, 2) ? DT_I8 : DT_U8);
}

Node *make_dequantize(Draw *d, const Recipe *r)
{
    Tensor *x = any(d, r->dtypes, 0, 5);
    return quant_node(d, r->op, x, x->type.dtype == DT_I32 ? DT_NONE : x->type.dtype);
}

Node *make_dynamic_quantize(Draw *d, const Recipe *r)
{
    return NODE(d, r->op, 3, any(d, r->dtypes, 0, 5));
}
