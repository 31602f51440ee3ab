/* recipes_move.c - shapes and data movement. */
#include "random/draw.h"

/* ---- shapes ---- */

/* Other sizes with the same product. */
static int other_sizes(Draw *d, Type t, int64_t *dims)
{
    int64_t left = type_elems(t);
    int rank = (int)draw(d, 0, 4);
    if (left == 0 || rank == 0) { /* the same, a 1 before or behind */
        int at = 0;
        if (maybe(d, 2) && t.rank < 5)
            dims[at++] = 1;
        for (int i = 0; i < t.rank; i++)
            dims[at++] = t.dims[i];
        return at;
    }
    for (int i = 0; i < rank - 1; i++) {
        int64_t wish = draw(d, 1, 4);
        while (left % wish)
            wish--;
        dims[i] = wish;
        left /= wish;
    }
    dims[rank - 1] = left;
    return rank;
}

Node *make_reshape(Draw *d, const Recipe *r)
{
    Tensor *x = any(d, r->dtypes, 0, 5);
    int64_t dims[MAX_RANK];
    int rank = other_sizes(d, x->type, dims);
    int free = (int)draw(d, 0, rank);
    if (free < rank && type_elems(x->type))
        dims[free] = -1;
    bool empty = type_elems(x->type) == 0; /* then a size of 0 is meant as it is */
    if (maybe(d, 4) && rank && x->type.rank && dims[0] == x->type.dims[0] && !empty)
        dims[0] = 0;
    Node *n = NODE(d, r->op, 1, x, ints(d, rank, dims));
    if (empty)
        attr_set_int(n, "allowzero", 1);
    return n;
}

Node *make_flatten(Draw *d, const Recipe *r)
{
    Node *n = NODE(d, r->op, 1, any(d, r->dtypes, 0, 5));
    int rank = n->in[0]->type.rank;
    if (maybe(d, 2))
        attr_set_int(n, "axis", draw(d, -rank, rank));
    return n;
}

Node *make_squeeze(Draw *d, const Recipe *r)
{
    Tensor *x = any(d, r->dtypes, 0, 5);
    int64_t axes[MAX_RANK];
    int count = 0, rank = x->type.rank;
    for (int i = 0; i < rank; i++)
        if (x->type.dims[i] == 1 && !maybe(d, 3))
            axes[count++] = maybe(d, 3) ? i - rank : i;
    return NODE(d, r->op, 1, x, count && !maybe(d, 3) ? ints(d, count, axes) : NULL);
}

Node *make_unsqueeze(Draw *d, const Recipe *r)
{
    Tensor *x = any(d, r->dtypes, 0, 4);
    int rank = x->type.rank;
    int64_t axis = draw(d, 0, rank), axes[] = {maybe(d, 3) ? axis - rank - 1 : axis};
    return NODE(d, r->op, 1, x, ints(d, 1, axes));
}

/* Shape and Size. */
Node *make_shape(Draw *d, const Recipe *r)
{
    Node *n = NODE(d, r->op, 1, any(d, r->dtypes, 0, 5));
    int rank = n->in[0]->type.rank;
    if (r->op == OP_Shape && maybe(d, 3))
        attr_set_int(n, "start", draw(d, -rank, rank));
    if (r->op == OP_Shape && maybe(d, 3))
        attr_set_int(n, "end", draw(d, -rank, rank));
    return n;
}

Node *make_eye(Draw *d, const Recipe *r)
{
    Node *n = NODE(d, r->op, 1, any(d, r->dtypes, 2, 2));
    if (maybe(d, 2))
        attr_set_int(n, "k", draw(d, -2, 2));
    if (maybe(d, 2))
        attr_set_int(n, "dtype", 1);
    return n;
}

Node *make_constant_of_shape(Draw *d, const Recipe *r)
{
    int64_t dims[3];
    int rank = (int)draw(d, 0, 3);
    for (int i = 0; i < rank; i++)
        dims[i] = size(d);
    return NODE(d, r->op, 1, ints(d, rank, dims));
}

Node *make_range(Draw *d, const Recipe *r)
{
    static const double steps[] = {2, -1, 0.1, -0.7};
    DType t = r->dtypes & F32 && maybe(d, 2) ? DT_F32 : DT_I64;
    double step = steps[draw(d, 0, t == DT_F32 ? 3 : 1)];
    return NODE(d, r->op, 1, scalar(d, t, 1), scalar(d, t, 1 + step * (double)draw(d, 1, 5)),
                scalar(d, t, step));
}

/* ---- movement ---- */

Node *make_transpose(Draw *d, const Recipe *r)
{
    Node *n = NODE(d, r->op, 1, any(d, r->dtypes, 0, 5));
    int rank = n->in[0]->type.rank;
    int64_t perm[MAX_RANK] = {0};
    for (int i = 0; i < rank; i++)
        perm[i] = i;
    for (int i = 0; i < rank; i++) {
        int k = (int)draw(d, i, rank - 1);
        int64_t t = perm[i];
        perm[i] = perm[k];
        perm[k] = t;
    }
    if (!maybe(d, 5))
        attr_set_ints(n, "perm", rank, perm);
    return n;
}

Node *make_concat(Draw *d, const Recipe *r)
{
    Tensor *in[3] = {any(d, r->dtypes, 1, 5)};
    int count = (int)draw(d, 1, 3), rank = in[0]->type.rank;
    int64_t axis = axis_of(d, in[0]);
    for (int i = 1; i < count; i++) {
        Type t = in[0]->type;
        if (maybe(d, 2))
            t.dims[axis < 0 ? axis + rank : axis] = size(d);
        in[i] = of_type(d, t);
    }
    Node *n = node(d, r->op, 1, count, in);
    attr_set_int(n, "axis", axis);
    return n;
}

Node *make_split(Draw *d, const Recipe *r)
{
    Tensor *x = any(d, r->dtypes, 1, 5);
    int64_t axis = axis_of(d, x), whole = x->type.dims[axis < 0 ? axis + x->type.rank : axis];
    int64_t first = draw(d, 0, whole), parts[2] = {first, whole - first};
    bool even = whole % 2 == 0 && maybe(d, 2);
    Node *n = NODE(d, r->op, 2, x, even ? NULL : ints(d, 2, parts));
    attr_set_int(n, "axis", axis);
    return n;
}

Node *make_slice(Draw *d, const Recipe *r)
{
    Tensor *x = any(d, r->dtypes, 1, 5);
    int64_t start[MAX_RANK], end[MAX_RANK], axes[MAX_RANK], steps[MAX_RANK];
    int count = 0, rank = x->type.rank;
    bool plain = maybe(d, 4); /* without axes and steps */
    for (int i = 0; i < rank; i++) {
        if (!plain && maybe(d, 2))
            continue;
        steps[count] = plain ? 1 : draw(d, 1, 2) * (maybe(d, 3) ? -1 : 1);
        bool back = steps[count] < 0;
        start[count] = draw(d, 0, 2) * (back ? -1 : 1) + (back ? -1 : 0);
        end[count] = maybe(d, 2) ? (back ? INT64_MIN : INT64_MAX)
                     : back      ? -x->type.dims[i] - 1
                                 : x->type.dims[i];
        axes[count++] = maybe(d, 4) ? i - rank : i;
    }
    Tensor *a = ints(d, count, start), *b = ints(d, count, end);
    return plain ? NODE(d, r->op, 1, x, a, b)
                 : NODE(d, r->op, 1, x, a, b, ints(d, count, axes), ints(d, count, steps));
}

Node *make_expand(Draw *d, const Recipe *r)
{
    Tensor *x = any(d, r->dtypes, 0, 4);
    int64_t dims[MAX_RANK];
    int more = (int)draw(d, 0, 1), rank = x->type.rank;
    for (int i = 0; i < rank + more; i++) {
        int64_t have = i < more ? 1 : x->type.dims[i - more];
        dims[i] = have == 1 ? size(d) : maybe(d, 2) ? 1 : have;
    }
    return NODE(d, r->op, 1, x, ints(d, rank + more, dims));
}

Node *make_tile(Draw *d, const Recipe *r)
{
    Tensor *x = any(d, r->dtypes, 0, 5);
    int64_t repeats[MAX_RANK];
    for (int i = 0; i < x->type.rank; i++)
        repeats[i] = d->zeros && maybe(d, 8) ? 0 : draw(d, 1, 3);
    return NODE(d, r->op, 1, x, ints(d, x->type.rank, repeats));
}

/* DepthToSpace and SpaceToDepth, with the axes that they take made to fit. */
Node *make_blocks(Draw *d, const Recipe *r)
{
    Tensor *x = any(d, r->dtypes, 4, 4);
    bool deep = r->op == OP_DepthToSpace;
    Type t = x->type;
    if (deep ? t.dims[1] % 4 != 0 : t.dims[2] % 2 || t.dims[3] % 2) {
        t.dims[1] = 4;
        t.dims[2] = t.dims[3] = 2;
        x = of_type(d, t);
    }
    Node *n = NODE(d, r->op, 1, x);
    attr_set_int(n, "blocksize", 2);
    if (deep && maybe(d, 2))
        attr_set_string(n, "mode", "CRD");
    return n;
}

Node *make_pad(Draw *d, const Recipe *r)
{
    static const char *const modes[] = {"constant", "reflect", "edge"};
    Tensor *x = any(d, r->dtypes, 1, 5);
    int mode = maybe(d, 3) ? (int)draw(d, 1, 2) : 0, rank = x->type.rank;
    int64_t pads[2 * MAX_RANK] = {0};
    for (int i = 0; i < rank; i++)
        for (int side = 0; side < 2; side++) {
            int64_t room = mode == 0 ? 2 : mode == 1 ? x->type.dims[i] - 1 : x->type.dims[i] ? 2 : 0;
            if (i >= rank - 2 || maybe(d, 4))
                pads[i + side * rank] = draw(d, 0, room < 2 ? room : 2);
            if (mode == 0 && maybe(d, 12) && x->type.dims[i] > 1)
                pads[i + side * rank] = -1;
        }
    Tensor *fill = !mode && maybe(d, 3) ? constant(d, type_make(x->type.dtype, 0, NULL)) : NULL;
    Node *n = NODE(d, r->op, 1, x, ints(d, 2 * rank, pads), fill);
    if (mode)
        attr_set_string(n, "mode", modes[mode]);
    return n;
}
