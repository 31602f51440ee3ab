/* shapes.c - shape rules that many operators share. */
#include "ops/ops.h"

Type infer_broadcast(const Graph *g, const Node *n, int count)
{
    Type r = n->in[0]->type;
    for (int i = 1; i < count; i++) {
        Type t = n->in[i]->type;
        int rank = t.rank > r.rank ? t.rank : r.rank;
        Type m = {.dtype = r.dtype, .rank = rank};
        for (int k = 0; k < rank; k++) {
            int64_t a = k < rank - r.rank ? 1 : r.dims[k - (rank - r.rank)];
            int64_t b = k < rank - t.rank ? 1 : t.dims[k - (rank - t.rank)];
            if (a != b && a != 1 && b != 1)
                fail_node(g, n, "shapes %s and %s do not broadcast", type_text(r), type_text(t));
            m.dims[k] = a == 1 ? b : a;
        }
        r = m;
    }
    return r;
}

int64_t norm_axis(const Graph *g, const Node *n, int64_t axis, int rank)
{
    if (axis < -rank || axis >= rank)
        fail_node(g, n, "axis %s is out of range for rank %d", int_text(axis), rank);
    return axis < 0 ? axis + rank : axis;
}

int64_t clamp(int64_t v, int64_t low, int64_t high)
{
    if (v < low)
        return low;
    return v > high ? high : v;
}

AxisSplit split_axis(Type t, int64_t axis)
{
    AxisSplit s = {1, t.dims[axis], 1};
    for (int64_t k = 0; k < t.rank; k++)
        if (k < axis)
            s.outer *= t.dims[k];
        else if (k > axis)
            s.inner *= t.dims[k];
    return s;
}

const char *split_text(AxisSplit s)
{
    return mem_printf("%s, %s, %s", int_text(s.outer), int_text(s.n), int_text(s.inner));
}

bool is_reshape(const Node *n)
{
    return n->op == OP_Reshape || n->op == OP_Flatten || n->op == OP_Squeeze || n->op == OP_Unsqueeze;
}

void transpose_perm(const Node *n, int64_t *perm)
{
    int count, rank = n->in[0]->type.rank;
    const int64_t *given = attr_ints(n, "perm", &count);
    for (int i = 0; i < rank; i++)
        perm[i] = given ? given[i] : rank - 1 - i;
}

int32_t *broadcast_map(Type out, Type in)
{
    if (type_elems(out) == type_elems(in))
        return NULL;
    int64_t own[MAX_RANK], strides[MAX_RANK], total = type_elems(out);
    dense_strides(in, own);
    broadcast_strides(out, in, own, strides);
    int32_t *map = NEW_ARRAY(int32_t, total);
    for (int64_t i = 0; i < total; i++) {
        int64_t rest = i, at = 0;
        for (int k = out.rank - 1; k >= 0; k--) {
            at += rest % out.dims[k] * strides[k];
            rest /= out.dims[k];
        }
        map[i] = (int32_t)at;
    }
    return map;
}
