/* recipes_math.c - elementwise operators, reductions and normalisations. */
#include "random/draw.h"

/* ---- elementwise ---- */

Node *make_unary(Draw *d, const Recipe *r)
{
    Node *n = NODE(d, r->op, 1, any(d, r->dtypes, 0, 5));
    float_attrs(d, n);
    return n;
}

/* Like unary, with attributes that are 0 or 1. */
Node *make_flags(Draw *d, const Recipe *r)
{
    Node *n = NODE(d, r->op, 1, any(d, r->dtypes, 0, 5));
    for (const AttrSpec *a = op_def(n->op)->attrs; a->name; a++)
        if (a->type == ATTR_INT)
            flag(d, n, a->name);
    return n;
}

/* A number for each channel, of axis 1 or of the last. */
static Type channels_of(Draw *d, Type t)
{
    int axis = t.rank > 2 ? 1 : t.rank - 1, rank = t.rank - (maybe(d, 2) ? axis : 0);
    Type c = {.dtype = t.dtype, .rank = rank};
    for (int i = 0; i < rank; i++)
        c.dims[i] = i == axis - (t.rank - rank) ? t.dims[axis] : 1;
    return c;
}

/* What an operator with broadcasting reads beside x. */
static Tensor *beside(Draw *d, const Tensor *x)
{
    if (x->type.rank && maybe(d, d->chain ? 2 : 4))
        return constant(d, channels_of(d, x->type));
    Type t = smaller(d, x->type);
    return maybe(d, 2) ? of_type(d, t) : constant(d, t);
}

static Node *two_inputs(Draw *d, OpKind op, Tensor *x, Tensor *y)
{
    return maybe(d, 2) ? NODE(d, op, 1, y, x) : NODE(d, op, 1, x, y);
}

Node *make_binary(Draw *d, const Recipe *r)
{
    Tensor *x = any(d, r->dtypes, 0, 5);
    return two_inputs(d, r->op, x, beside(d, x));
}

/* Integers are divided by constants that are not 0. */
Node *make_divide(Draw *d, const Recipe *r)
{
    Tensor *x = any(d, r->dtypes, 0, 5);
    bool real = dtype_is_float(x->type.dtype);
    Node *n = real ? two_inputs(d, r->op, x, beside(d, x))
                   : NODE(d, r->op, 1, x, constant_in(d, smaller(d, x->type), 1, 4));
    if (r->op == OP_Mod && (real || maybe(d, 2)))
        attr_set_int(n, "fmod", 1);
    return n;
}

Node *make_shift(Draw *d, const Recipe *r)
{
    Tensor *x = any(d, r->dtypes, 0, 5);
    Node *n = NODE(d, r->op, 1, x, constant_in(d, smaller(d, x->type), 0, 7));
    attr_set_string(n, "direction", maybe(d, 2) ? "RIGHT" : "LEFT");
    return n;
}

Node *make_prelu(Draw *d, const Recipe *r)
{
    Tensor *x = any(d, r->dtypes, 0, 5);
    return NODE(d, r->op, 1, x, beside(d, x));
}

Node *make_variadic(Draw *d, const Recipe *r)
{
    Tensor *in[4] = {any(d, r->dtypes, 0, 5)};
    int count = (int)draw(d, 1, 4);
    for (int i = 1; i < count; i++)
        in[i] = beside(d, in[0]);
    return node(d, r->op, 1, count, in);
}

static Tensor *limit(Draw *d, DType dtype, double low, double high)
{
    switch (draw(d, 0, 3)) {
    case 0: return NULL;
    case 1: return of_type(d, type_make(dtype, 0, NULL));
    default: return constant_in(d, type_make(dtype, 0, NULL), low, high);
    }
}

Node *make_clip(Draw *d, const Recipe *r)
{
    Tensor *x = any(d, r->dtypes, 0, 5);
    Tensor *min = limit(d, x->type.dtype, -1, 0), *max = limit(d, x->type.dtype, 1, 6);
    return NODE(d, r->op, 1, x, min, max);
}

Node *make_where(Draw *d, const Recipe *r)
{
    Tensor *x = any(d, r->dtypes, 0, 5), *y = beside(d, x);
    Type t = smaller(d, x->type);
    t.dtype = DT_BOOL;
    return NODE(d, r->op, 1, of_type(d, t), x, y);
}

Node *make_cast(Draw *d, const Recipe *r)
{
    static const DType to[] = {DT_F32, DT_F64, DT_I64, DT_I32, DT_BOOL, DT_U8, DT_I8};
    Node *n = NODE(d, r->op, 1, any(d, r->dtypes, 0, 5));
    attr_set_int(n, "to",
                 dtype_to_onnx(to[draw(d, 0, d->oracle ? 4 : 6)])); /* what does not fit, others wrap */
    return n;
}

Node *make_cast_like(Draw *d, const Recipe *r)
{
    Tensor *x = any(d, r->dtypes, 0, 5);
    return NODE(d, r->op, 1, x, any(d, r->dtypes, 0, 5));
}

Node *make_dropout(Draw *d, const Recipe *r)
{
    Tensor *x = any(d, r->dtypes, 0, 5);
    Tensor *ratio = maybe(d, 2) ? scalar(d, DT_F32, 0.5) : NULL;
    return NODE(d, r->op, 1 + (int)draw(d, 0, 1), x, ratio);
}

/* ---- reductions ---- */

/* A set of axes; 0: none are given. */
static int draw_axes(Draw *d, const Tensor *x, int64_t *axes)
{
    int count = 0;
    for (int i = 0; i < x->type.rank; i++)
        if (maybe(d, 2))
            axes[count++] =
                maybe(d, 3) && !d->oracle ? i - x->type.rank : i; /* mixes those of both signs up */
    return count;
}

Node *make_reduce(Draw *d, const Recipe *r)
{
    Node *n = NODE(d, r->op, 1, any(d, r->dtypes, 0, 5));
    int64_t axes[MAX_RANK];
    int count = draw_axes(d, n->in[0], axes);
    if (count)
        attr_set_ints(n, "axes", count, axes);
    flag(d, n, "keepdims");
    return n;
}

Node *make_reduce_sum(Draw *d, const Recipe *r)
{
    Tensor *x = any(d, r->dtypes, 0, 5);
    int64_t axes[MAX_RANK];
    int count = draw_axes(d, x, axes);
    Node *n = NODE(d, r->op, 1, x, count || maybe(d, 2) ? ints(d, count, axes) : NULL);
    flag(d, n, "keepdims");
    flag(d, n, "noop_with_empty_axes");
    return n;
}

Node *make_arg(Draw *d, const Recipe *r)
{
    Node *n = NODE(d, r->op, 1, any(d, r->dtypes, 1, 5));
    attr_set_int(n, "axis", axis_of(d, n->in[0]));
    flag(d, n, "keepdims");
    flag(d, n, "select_last_index");
    return n;
}

Node *make_cumsum(Draw *d, const Recipe *r)
{
    Tensor *x = any(d, r->dtypes, 1, 5);
    Node *n = NODE(d, r->op, 1, x, scalar(d, DT_I64, (double)axis_of(d, x)));
    flag(d, n, "exclusive");
    flag(d, n, "reverse");
    return n;
}

/* Softmax and its kin. */
Node *make_axis(Draw *d, const Recipe *r)
{
    Node *n = NODE(d, r->op, 1, any(d, r->dtypes, 1, 5));
    if (maybe(d, 2))
        attr_set_int(n, "axis", axis_of(d, n->in[0]));
    return n;
}

Node *make_lp_norm(Draw *d, const Recipe *r)
{
    Node *n = make_axis(d, r);
    if (maybe(d, 2))
        attr_set_int(n, "p", draw(d, 1, 2));
    return n;
}

/* ---- normalisations ---- */

/* Constant, seldom not. */
static Tensor *per_channel(Draw *d, const Tensor *x, double low, double high)
{
    Type t = type_make(x->type.dtype, 1, &x->type.dims[1]);
    return maybe(d, 8) ? of_type(d, t) : constant_in(d, t, low, high);
}

Node *make_mvn(Draw *d, const Recipe *r)
{
    Node *n = NODE(d, r->op, 1, any(d, r->dtypes, 1, 5));
    int64_t axes[MAX_RANK];
    int count = draw_axes(d, n->in[0], axes);
    if (count || n->in[0]->type.rank != 4)
        attr_set_ints(n, "axes", count ? count : 1, count ? axes : (const int64_t[]){0});
    return n;
}

Node *make_lrn(Draw *d, const Recipe *r)
{
    Node *n = NODE(d, r->op, 1, any(d, r->dtypes, d->oracle ? 4 : 3, 4));
    attr_set_int(n, "size", 1 + 2 * draw(d, 0, 2));
    float_attrs(d, n);
    return n;
}

Node *make_instance_norm(Draw *d, const Recipe *r)
{
    Tensor *x = any(d, r->dtypes, 3, 5);
    Node *n = NODE(d, r->op, 1, x, per_channel(d, x, -2, 2), per_channel(d, x, -1, 1));
    float_attrs(d, n);
    return n;
}

Node *make_layer_norm(Draw *d, const Recipe *r)
{
    Tensor *x = any(d, r->dtypes, 1, 5);
    int64_t axis = axis_of(d, x), from = axis < 0 ? axis + x->type.rank : axis;
    Type t = type_make(x->type.dtype, x->type.rank - (int)from, x->type.dims + from);
    Tensor *scale = weights(d, maybe(d, 8) ? smaller(d, t) : t);
    Tensor *bias = maybe(d, 2) ? weights(d, maybe(d, 8) ? smaller(d, t) : t) : NULL;
    Node *n = NODE(d, r->op, (int)draw(d, 1, 3), x, scale, bias);
    attr_set_int(n, "axis", axis);
    float_attrs(d, n);
    return n;
}

Node *make_batch_norm(Draw *d, const Recipe *r)
{
    Tensor *x = any(d, r->dtypes, 2, 5);
    Tensor *scale = per_channel(d, x, -2, 2), *bias = per_channel(d, x, -1, 1);
    Tensor *mean = per_channel(d, x, -1, 1);
    Tensor *variance = constant_in(d, type_make(x->type.dtype, 1, &x->type.dims[1]), 0.1, 2);
    Node *n = NODE(d, r->op, 1, x, scale, bias, mean, variance);
    if (maybe(d, 2))
        attr_set_float(n, "epsilon", (float)value(d));
    return n;
}
