/* op_move.c - operators that copy boxes of elements: Transpose, Concat, Split, Slice, Expand, Tile,
 * DepthToSpace, SpaceToDepth. Each says which boxes it copies; evaluation and C follow from that. */
#include "ops/boxes.h"
#include "ops/grad.h"
#include "ops/ops.h"

#include <string.h>

/* ---- one way to evaluate and print them all ---- */

/* The box that copies input `in` to output `out`. Operators with several inputs or outputs have one box for
 * each; start: where that piece begins along the axis. */
static Box node_box(const Graph *g, const Node *n, int in, int out, int64_t start);

static bool by_input(const Node *n)
{
    return n->op == OP_Concat;
}

/* What Concat joins, or Split makes, along its axis. */
typedef struct Pieces {
    int axis;
    const int64_t *given; /* the sizes; NULL: all are equal, or those of the inputs */
    int64_t equal;
} Pieces;

static Pieces find_pieces(const Graph *g, const Node *n);

static int64_t piece_size(const Pieces *p, const Node *n, int i)
{
    if (by_input(n))
        return n->in[i]->type.dims[p->axis];
    return p->given ? p->given[i] : p->equal;
}

static void eval_boxes(const Graph *g, const Node *n, const void *const *in, void *const *out)
{
    Pieces p = find_pieces(g, n);
    int64_t start = 0;
    for (int i = 0; i < (by_input(n) ? n->num_in : n->num_out); start += piece_size(&p, n, i++)) {
        int from = by_input(n) ? i : 0;
        int to = by_input(n) ? 0 : i;
        if (!n->out[to] || !type_elems(n->in[from]->type))
            continue;
        Box b = node_box(g, n, from, to, start);
        box_copy(&b, n->in[0]->type.dtype, out[to], in[from]);
    }
}

static void emit_boxes(Emitter *e, const Node *n)
{
    const Graph *g = emit_plan(e)->g;
    Pieces p = find_pieces(g, n);
    int64_t start = 0;
    for (int i = 0; i < (by_input(n) ? n->num_in : n->num_out); start += piece_size(&p, n, i++)) {
        int from = by_input(n) ? i : 0;
        int to = by_input(n) ? 0 : i;
        if (!n->out[to] || !type_elems(n->in[from]->type))
            continue;
        Box b = node_box(g, n, from, to, start);
        emit_box_copy(e, &b, n->in[0]->type.dtype, emit_ptr(e, n->out[to]), emit_ptr(e, n->in[from]));
    }
}

/* ---- Transpose ---- */

static void permutation(const Graph *g, const Node *n, int64_t *perm)
{
    int count, rank = n->in[0]->type.rank;
    const int64_t *p = attr_ints(n, "perm", &count);
    bool used[MAX_RANK] = {false};
    if (p && count != rank)
        fail_node(g, n, "attribute 'perm' has %d values for rank %d", count, rank);
    for (int i = 0; i < rank; i++) {
        perm[i] = p ? p[i] : rank - 1 - i;
        if (perm[i] < 0 || perm[i] >= rank || used[perm[i]])
            fail_node(g, n, "attribute 'perm' is not a permutation of the %d axes", rank);
        used[perm[i]] = true;
    }
}

static void infer_transpose(Graph *g, Node *n)
{
    int64_t perm[MAX_RANK];
    permutation(g, n, perm);
    Type x = n->in[0]->type, y = x;
    for (int i = 0; i < x.rank; i++)
        y.dims[i] = x.dims[perm[i]];
    n->out[0]->type = y;
}

static Box transpose_box(const Graph *g, const Node *n, Type y)
{
    Type x = n->in[0]->type;
    int64_t perm[MAX_RANK] = {0}, xs[MAX_RANK], ys[MAX_RANK];
    permutation(g, n, perm);
    dense_strides(x, xs);
    dense_strides(y, ys);
    Box b = {0};
    for (int i = 0; i < y.rank; i++)
        box_axis(&b, y.dims[i], ys[i], xs[perm[i]]);
    return b;
}

/* ---- Concat, Split ---- */

/* Axis attribute, positive. */
static int axis_of(const Graph *g, const Node *n)
{
    return (int)norm_axis(g, n, attr_int(n, "axis"), n->in[0]->type.rank);
}

static void infer_concat(Graph *g, Node *n)
{
    int axis = axis_of(g, n);
    Type y = n->in[0]->type;
    for (int i = 1; i < n->num_in; i++) {
        if (!n->in[i])
            fail_node(g, n, "input %d is missing", i);
        Type x = n->in[i]->type;
        bool fits = x.dtype == y.dtype && x.rank == y.rank;
        for (int k = 0; fits && k < y.rank; k++)
            fits = k == axis || x.dims[k] == y.dims[k];
        if (!fits)
            fail_node(g, n, "input %d of type %s does not fit the others along axis %d", i, type_text(x),
                      axis);
        y.dims[axis] += x.dims[axis];
    }
    n->out[0]->type = y;
}

/* All of `part`, which is the piece of `whole` that starts at `start` along `axis`: steps in the whole. */
static Box piece_box(Type whole, Type part, int axis, int64_t start, bool into_whole)
{
    int64_t ws[MAX_RANK], ps[MAX_RANK];
    dense_strides(whole, ws);
    dense_strides(part, ps);
    const int64_t *to = into_whole ? ws : ps;
    const int64_t *from = into_whole ? ps : ws;
    Box b = {0};
    for (int i = 0; i < part.rank; i++)
        box_axis(&b, part.dims[i], to[i], from[i]);
    *(into_whole ? &b.y_base : &b.x_base) = start * ws[axis];
    return b;
}

/* Sizes of the outputs along the axis: input 1, or NULL for equal parts. */
static const int64_t *split_sizes(const Graph *g, const Node *n, int64_t size)
{
    int64_t count, sum = 0;
    const int64_t *given = const_ints(g, n, 1, &count);
    if (given && count != n->num_out)
        fail_node(g, n, "%s sizes for %d outputs", int_text(count), n->num_out);
    if (!given && size % n->num_out)
        fail_node(g, n, "%s elements do not split into %d equal parts", int_text(size), n->num_out);
    for (int i = 0; given && i < n->num_out; i++) {
        if (given[i] < 0 || given[i] > size - sum)
            fail_node(g, n, "size %s of output %d, where the axis has %s elements left", int_text(given[i]),
                      i, int_text(size - sum));
        sum += given[i];
    }
    if (given && sum != size)
        fail_node(g, n, "the parts sum up to %s, the axis has %s", int_text(sum), int_text(size));
    return given;
}

static void infer_split(Graph *g, Node *n)
{
    int axis = axis_of(g, n);
    Type y = n->in[0]->type;
    int64_t size = y.dims[axis];
    const int64_t *given = split_sizes(g, n, size);
    for (int i = 0; i < n->num_out; i++) {
        y.dims[axis] = given ? given[i] : size / n->num_out;
        if (n->out[i])
            n->out[i]->type = y;
    }
}

static Pieces find_pieces(const Graph *g, const Node *n)
{
    if (n->op != OP_Concat && n->op != OP_Split)
        return (Pieces){0};
    Pieces p = {.axis = axis_of(g, n)};
    int64_t count;
    if (n->op == OP_Split) {
        p.given = const_ints(g, n, 1, &count);
        p.equal = n->in[0]->type.dims[p.axis] / n->num_out;
    }
    return p;
}

/* ---- Slice ---- */

typedef struct SliceAxis {
    int64_t start, step, count;
} SliceAxis;

static SliceAxis slice_axis(int64_t size, int64_t start, int64_t end, int64_t step)
{
    if (size == 0)
        return (SliceAxis){0, step, 0};
    int64_t low = step < 0 ? -1 : 0;
    int64_t high = step < 0 ? size - 1 : size;
    start = start < -size ? -size - 1 : start;
    end = end < -size ? -size - 1 : end;
    start += start < 0 ? size : 0;
    end += end < 0 ? size : 0;
    start = clamp(start, 0, high);
    end = clamp(end, low, size);
    int64_t reach = step < 0 ? start - end : end - start;
    int64_t by = step < 0 ? -step : step;
    return (SliceAxis){start, step, reach > 0 ? (reach - 1) / by + 1 : 0};
}

static void slice_axes(const Graph *g, const Node *n, SliceAxis *to)
{
    Type x = n->in[0]->type;
    int64_t count, ends, axes, steps;
    const int64_t *start = const_ints(g, n, 1, &count), *end = const_ints(g, n, 2, &ends);
    const int64_t *axis = const_ints(g, n, 3, &axes), *step = const_ints(g, n, 4, &steps);
    if (ends != count || (axis && axes != count) || (step && steps != count) || count > x.rank)
        fail_node(g, n, "starts, ends, axes and steps do not match each other or the rank");
    for (int i = 0; i < x.rank; i++)
        to[i] = (SliceAxis){0, 1, x.dims[i]};
    bool used[MAX_RANK] = {false};
    for (int64_t i = 0; i < count; i++) {
        int64_t a = norm_axis(g, n, axis ? axis[i] : i, x.rank);
        int64_t s = step ? step[i] : 1;
        if (used[a] || s == 0 || s == INT64_MIN)
            fail_node(g, n, used[a] ? "axis %s is named twice" : "the step of axis %s is 0", int_text(a));
        used[a] = true;
        to[a] = slice_axis(x.dims[a], start[i], end[i], s);
    }
}

static void infer_slice(Graph *g, Node *n)
{
    SliceAxis axes[MAX_RANK];
    slice_axes(g, n, axes);
    Type y = n->in[0]->type;
    for (int i = 0; i < y.rank; i++)
        y.dims[i] = axes[i].count;
    n->out[0]->type = y;
}

static Box slice_box(const Graph *g, const Node *n, Type y)
{
    SliceAxis axes[MAX_RANK];
    slice_axes(g, n, axes);
    int64_t xs[MAX_RANK], ys[MAX_RANK];
    dense_strides(n->in[0]->type, xs);
    dense_strides(y, ys);
    Box b = {0};
    for (int i = 0; i < y.rank; i++) {
        box_axis(&b, axes[i].count, ys[i], axes[i].count > 1 ? xs[i] * axes[i].step : 0);
        b.x_base += axes[i].count ? axes[i].start * xs[i] : 0;
    }
    return b;
}

/* ---- Expand, Tile ---- */

static void infer_expand(Graph *g, Node *n)
{
    int64_t count;
    const int64_t *shape = const_ints(g, n, 1, &count);
    Type x = n->in[0]->type, y = {.dtype = x.dtype, .rank = count > x.rank ? (int)count : x.rank};
    if (count > MAX_RANK)
        fail_node(g, n, "unsupported: rank %s, at most %d is possible", int_text(count), MAX_RANK);
    for (int i = 0; i < y.rank; i++) {
        int64_t a = i < y.rank - x.rank ? 1 : x.dims[i - (y.rank - x.rank)];
        int64_t b = i < y.rank - count ? 1 : shape[i - (y.rank - count)];
        if (b < 0 || (a != b && a != 1 && b != 1))
            fail_node(g, n, "size %s of axis %d does not expand to %s", int_text(a), i, int_text(b));
        y.dims[i] = a == 1 ? b : a;
    }
    n->out[0]->type = y;
}

static Box expand_box(const Node *n, Type y)
{
    Type x = n->in[0]->type;
    int64_t xs[MAX_RANK], ys[MAX_RANK];
    dense_strides(x, xs);
    dense_strides(y, ys);
    Box b = {0};
    for (int i = 0; i < y.rank; i++) {
        int k = i - (y.rank - x.rank);
        box_axis(&b, y.dims[i], ys[i], k < 0 || x.dims[k] == 1 ? 0 : xs[k]);
    }
    return b;
}

static void infer_tile(Graph *g, Node *n)
{
    int64_t count;
    const int64_t *repeats = const_ints(g, n, 1, &count);
    Type y = n->in[0]->type;
    if (count != y.rank)
        fail_node(g, n, "%s repeats for rank %d", int_text(count), y.rank);
    for (int i = 0; i < y.rank; i++) {
        if (repeats[i] < 0 || repeats[i] > MAX_ELEMS)
            fail_node(g, n, "%s repeats of axis %d", int_text(repeats[i]), i);
        y.dims[i] *= repeats[i];
    }
    n->out[0]->type = y;
}

static Box tile_box(const Node *n, Type y)
{
    Type x = n->in[0]->type;
    int64_t xs[MAX_RANK], ys[MAX_RANK];
    dense_strides(x, xs);
    dense_strides(y, ys);
    Box b = {0};
    for (int i = 0; i < y.rank; i++) {
        box_axis(&b, x.dims[i] ? y.dims[i] / x.dims[i] : 0, ys[i] * x.dims[i], 0);
        box_axis(&b, x.dims[i], ys[i], xs[i]);
    }
    return b;
}

/* ---- DepthToSpace, SpaceToDepth ---- */

static int64_t block_size(const Graph *g, const Node *n)
{
    int64_t size = attr_int(n, "blocksize");
    if (n->in[0]->type.rank != 4 || size < 1 || size > INT32_MAX)
        fail_node(g, n, "needs an input [batch, channels, height, width] and a positive 'blocksize'");
    return size;
}

static bool column_first(const Graph *g, const Node *n)
{
    if (n->op == OP_SpaceToDepth)
        return false;
    const char *mode = attr_string(n, "mode");
    if (strcmp(mode, "DCR") != 0 && strcmp(mode, "CRD") != 0)
        fail_node(g, n, "attribute 'mode' is '%s', not DCR or CRD", mode);
    return mode[0] == 'C';
}

static void infer_depth_space(Graph *g, Node *n)
{
    int64_t s = block_size(g, n);
    Type y = n->in[0]->type;
    column_first(g, n);
    bool to_space = n->op == OP_DepthToSpace;
    if (to_space ? y.dims[1] % (s * s) : y.dims[2] % s || y.dims[3] % s)
        fail_node(g, n, "the shape does not divide into blocks of %s", int_text(s));
    if (!to_space && y.dims[1] > MAX_ELEMS / s / s)
        fail_node(g, n, "blocks of %s make too many channels of %s", int_text(s), int_text(y.dims[1]));
    y.dims[1] = to_space ? y.dims[1] / (s * s) : y.dims[1] * s * s;
    y.dims[2] = to_space ? y.dims[2] * s : y.dims[2] / s;
    y.dims[3] = to_space ? y.dims[3] * s : y.dims[3] / s;
    n->out[0]->type = y;
}

/* Both move between space [c][h * s][w * s] and depth: DCR [s][s][c][h][w], CRD [c][s][s][h][w]. */
static Box depth_space_box(const Graph *g, const Node *n)
{
    bool to_space = n->op == OP_DepthToSpace;
    Type x = n->in[0]->type, y = n->out[0]->type;
    Type space = to_space ? y : x;
    Type depth = to_space ? x : y;
    int64_t s = block_size(g, n), c = space.dims[1], h = depth.dims[2], w = depth.dims[3], plane = h * w;
    int64_t dims[6] = {space.dims[0], c, h, s, w, s};
    int64_t in_space[6] = {c * plane * s * s, plane * s * s, w * s * s, w * s, s, 1};
    int64_t in_dcr[6] = {c * plane * s * s, plane, w, s * c * plane, 1, c * plane};
    int64_t in_crd[6] = {c * plane * s * s, s * s * plane, w, s * plane, 1, plane};
    const int64_t *in_depth = column_first(g, n) ? in_crd : in_dcr;
    const int64_t *to = to_space ? in_space : in_depth;
    const int64_t *from = to_space ? in_depth : in_space;
    Box b = {0};
    for (int i = 0; i < 6; i++)
        box_axis(&b, dims[i], to[i], from[i]);
    return b;
}

/* ---- definitions ---- */

static Box node_box(const Graph *g, const Node *n, int in, int out, int64_t start)
{
    Type y = n->out[out]->type;
    switch (n->op) {
    case OP_Transpose: return transpose_box(g, n, y);
    case OP_Concat: return piece_box(y, n->in[in]->type, axis_of(g, n), start, true);
    case OP_Split: return piece_box(n->in[0]->type, y, axis_of(g, n), start, false);
    case OP_Slice: return slice_box(g, n, y);
    case OP_Expand: return expand_box(n, y);
    case OP_Tile: return tile_box(n, y);
    case OP_DepthToSpace:
    case OP_SpaceToDepth: return depth_space_box(g, n);
    default: bug("operator %s copies no boxes", n->op_name);
    }
}

#define MOVE(NAME, MIN_IN, MAX_IN, MAX_OUT, INFER, ...)                                                      \
    const OpDef op_##NAME = {.name = #NAME,                                                                  \
                             .min_in = MIN_IN,                                                               \
                             .max_in = MAX_IN,                                                               \
                             .min_out = 1,                                                                   \
                             .max_out = MAX_OUT,                                                             \
                             .attrs = {__VA_ARGS__},                                                         \
                             .infer = INFER,                                                                 \
                             .eval = eval_boxes,                                                             \
                             .emit = emit_boxes,                                                             \
                             .grad = grad_move}

MOVE(Transpose, 1, 1, 1, infer_transpose, {.name = "perm", .type = ATTR_INTS});
MOVE(Concat, 1, -1, 1, infer_concat, {.name = "axis", .type = ATTR_INT, .required = true});
MOVE(Split, 1, 2, -1, infer_split, {.name = "axis", .type = ATTR_INT});
MOVE(Slice, 3, 5, 1, infer_slice, {0});
MOVE(Expand, 2, 2, 1, infer_expand, {0});
MOVE(Tile, 2, 2, 1, infer_tile, {0});
MOVE(DepthToSpace, 1, 1, 1, infer_depth_space, {.name = "blocksize", .type = ATTR_INT, .required = true},
     {.name = "mode", .type = ATTR_STRING, .s = "DCR"});
MOVE(SpaceToDepth, 1, 1, 1, infer_depth_space, {.name = "blocksize", .type = ATTR_INT, .required = true});
