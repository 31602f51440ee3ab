/* recipes_index.c - what reads or chooses by indices, and samples. */
#include "random/draw.h"

#include <string.h>

static int64_t length(const Tensor *x, int64_t axis)
{
    return x->type.dims[axis < 0 ? axis + x->type.rank : axis];
}

static int draw_dims(Draw *d, int low, int high, int64_t *dims)
{
    int rank = (int)draw(d, low, high);
    for (int i = 0; i < rank; i++)
        dims[i] = draw(d, 1, 3);
    return rank;
}

/* ---- gather and scatter ---- */

Node *make_gather(Draw *d, const Recipe *r)
{
    Tensor *x = any(d, r->dtypes, 1, 4);
    int64_t axis = axis_of(d, x), n = length(x, axis), dims[2];
    int rank = draw_dims(d, 0, 2, dims);
    if (n == 0)
        return NULL;
    Node *g = NODE(d, r->op, 1, x, indices(d, rank, dims, -n, n - 1));
    attr_set_int(g, "axis", axis);
    return g;
}

/* Sizes of x, smaller now and then. */
static void part_of(Draw *d, const Tensor *x, int64_t *dims)
{
    for (int i = 0; i < x->type.rank; i++)
        dims[i] = maybe(d, 2) ? draw(d, 1, x->type.dims[i]) : x->type.dims[i];
}

Node *make_gather_elements(Draw *d, const Recipe *r)
{
    Tensor *x = any(d, r->dtypes, 1, 4);
    int64_t axis = axis_of(d, x), n = length(x, axis), dims[MAX_RANK];
    part_of(d, x, dims);
    if (type_elems(x->type) == 0)
        return NULL;
    dims[axis < 0 ? axis + x->type.rank : axis] = draw(d, 1, 4);
    Node *g = NODE(d, r->op, 1, x, indices(d, x->type.rank, dims, -n, n - 1));
    attr_set_int(g, "axis", axis);
    return g;
}

/* The least of the first `count` sizes. */
static int64_t least(const Tensor *x, int count)
{
    int64_t n = x->type.dims[0];
    for (int i = 1; i < count; i++)
        n = x->type.dims[i] < n ? x->type.dims[i] : n;
    return n;
}

/* int64 indices of tuples with `depth` places into the first axes of x. */
static Tensor *tuples(Draw *d, const Tensor *x, int64_t count, int depth)
{
    int64_t n = least(x, depth), dims[] = {count, depth};
    return constant_in(d, type_make(DT_I64, 2, dims), (double)-n, (double)(n - 1));
}

Node *make_gather_nd(Draw *d, const Recipe *r)
{
    Tensor *x = any(d, r->dtypes, 1, 4);
    int depth = (int)draw(d, 1, x->type.rank);
    if (type_elems(x->type) == 0)
        return NULL;
    return NODE(d, r->op, 1, x, tuples(d, x, draw(d, 1, 4), depth));
}

static void draw_reduction(Draw *d, Node *n)
{
    static const char *const reductions[] = {"none", "add", "mul"};
    choose_string(d, n, "reduction", 3, reductions);
}

Node *make_scatter_elements(Draw *d, const Recipe *r)
{
    Tensor *x = any(d, r->dtypes, 1, 4);
    int64_t axis = axis_of(d, x), n = length(x, axis), dims[MAX_RANK];
    part_of(d, x, dims);
    if (type_elems(x->type) == 0)
        return NULL;
    Tensor *at = constant_in(d, type_make(DT_I64, x->type.rank, dims), (double)-n, (double)(n - 1));
    Node *s = NODE(d, r->op, 1, x, at, of_type(d, type_make(x->type.dtype, x->type.rank, dims)));
    attr_set_int(s, "axis", axis);
    draw_reduction(d, s);
    return s;
}

Node *make_scatter_nd(Draw *d, const Recipe *r)
{
    Tensor *x = any(d, r->dtypes, 1, 4);
    int depth = (int)draw(d, 1, x->type.rank);
    if (type_elems(x->type) == 0)
        return NULL;
    int64_t count = draw(d, 1, 3);
    Type t = {.dtype = x->type.dtype, .rank = 1 + x->type.rank - depth, .dims = {count}};
    memcpy(t.dims + 1, x->type.dims + depth, (size_t)(x->type.rank - depth) * sizeof(int64_t));
    Node *n = NODE(d, r->op, 1, x, tuples(d, x, count, depth), of_type(d, t));
    draw_reduction(d, n);
    return n;
}

Node *make_one_hot(Draw *d, const Recipe *r)
{
    int64_t dims[2], depth = draw(d, 2, 4), two = 2;
    int rank = draw_dims(d, d->oracle ? 1 : 0, 2, dims);
    Tensor *at = indices(d, rank, dims, -depth, depth - 1), *values = constant(d, type_make(DT_F32, 1, &two));
    Node *n = NODE(d, r->op, 1, at, scalar(d, DT_I64, (double)depth), values);
    if (maybe(d, 2))
        attr_set_int(n, "axis", draw(d, -rank - 1, rank));
    return n;
}

/* ---- choosing ---- */

Node *make_trilu(Draw *d, const Recipe *r)
{
    Tensor *x = any(d, r->dtypes, 2, 4);
    Node *n = NODE(d, r->op, 1, x, maybe(d, 2) ? scalar(d, DT_I64, (double)draw(d, -2, 2)) : NULL);
    flag(d, n, "upper");
    return n;
}

Node *make_top_k(Draw *d, const Recipe *r)
{
    Tensor *x = any(d, r->dtypes, 1, 4);
    int64_t axis = axis_of(d, x), k[] = {draw(d, length(x, axis) ? 1 : 0, length(x, axis))};
    Node *n = NODE(d, r->op, 2, x, ints(d, 1, k));
    attr_set_int(n, "axis", axis);
    flag(d, n, "largest");
    return n;
}

Node *make_nms(Draw *d, const Recipe *r)
{
    int64_t count = draw(d, 1, 5), most = draw(d, 1, 3);
    Tensor *boxes = of_type(d, type_make(DT_F32, 3, (int64_t[]){1, count, 4}));
    Tensor *scores = of_type(d, type_make(DT_F32, 3, (int64_t[]){1, 1, count}));
    Node *n = NODE(d, r->op, 1, boxes, scores, scalar(d, DT_I64, (double)most), scalar(d, DT_F32, 0.5));
    flag(d, n, "center_point_box");
    n->out[0]->type = type_make(DT_I64, 2, (int64_t[]){most < count ? most : count, 3});
    return n;
}

Node *make_loss(Draw *d, const Recipe *r)
{
    static const char *const reductions[] = {"none", "sum", "mean"};
    Tensor *x = any(d, r->dtypes, 2, 4);
    int64_t classes = x->type.dims[1];
    Type t = {.dtype = DT_I64, .rank = x->type.rank - 1, .dims = {x->type.dims[0]}};
    memcpy(t.dims + 1, x->type.dims + 2, (size_t)(x->type.rank - 2) * sizeof(int64_t));
    if (classes == 0)
        return NULL;
    Tensor *target = indices(d, t.rank, t.dims, 0, classes - 1);
    double least = maybe(d, 3) ? -1 : 0.5; /* weights that cancel */
    Tensor *w = maybe(d, 2) ? constant_in(d, type_make(x->type.dtype, 1, &classes), least, 2) : NULL;
    Node *n = NODE(d, r->op, 1, x, target, w);
    choose_string(d, n, "reduction", 3, reductions);
    if (maybe(d, 3))
        attr_set_int(n, "ignore_index", draw(d, 0, classes - 1));
    return n;
}

/* ---- sampling ---- */

static Tensor *draw_scales(Draw *d, int rank)
{
    static const float scales[] = {1, 2, 0.5f, 1.5f, 0.75f, 3};
    float *v = NEW_ARRAY(float, rank);
    int64_t count = rank;
    for (int i = 0; i < rank; i++)
        v[i] = i < rank - 2 ? 1 : scales[draw(d, 0, 5)];
    return graph_const(d->g, "scales", type_make(DT_F32, 1, &count), v);
}

static Tensor *draw_sizes(Draw *d, const Tensor *x)
{
    int64_t dims[MAX_RANK];
    int rank = x->type.rank;
    for (int i = 0; i < rank; i++)
        dims[i] = i < rank - 2 ? x->type.dims[i] : draw(d, 1, 7);
    return ints(d, rank, dims);
}

Node *make_resize(Draw *d, const Recipe *r)
{
    static const char *const coordinates[] = {"half_pixel", "asymmetric", "align_corners",
                                              "pytorch_half_pixel", "tf_half_pixel_for_nn"};
    static const char *const nearest[] = {"round_prefer_floor", "round_prefer_ceil", "floor", "ceil"};
    static const char *const modes[] = {"nearest", "linear", "cubic"};
    Tensor *x = any(d, r->dtypes, 3, 4);
    bool by_size = maybe(d, 2);
    int mode = (int)draw(d, 0, x->type.rank == 4 ? 2 : 1);
    Node *n = NODE(d, r->op, 1, x, NULL, by_size ? NULL : draw_scales(d, x->type.rank),
                   by_size ? draw_sizes(d, x) : NULL);
    if (mode)
        attr_set_string(n, "mode", modes[mode]);
    choose_string(d, n, "coordinate_transformation_mode", d->oracle ? 4 : 5, coordinates);
    if (!mode)
        choose_string(d, n, "nearest_mode", 4, nearest);
    if (mode == 2 && maybe(d, 3))
        attr_set_int(n, "exclude_outside", 1);
    if (mode == 2 && maybe(d, 3))
        attr_set_float(n, "cubic_coeff_a", -0.5f);
    return n;
}

Node *make_grid_sample(Draw *d, const Recipe *r)
{
    static const char *const modes[] = {"bilinear", "nearest", "bicubic"};
    static const char *const paddings[] = {"zeros", "border", "reflection"};
    Tensor *x = any(d, r->dtypes, 4, 4);
    Type t = {.dtype = x->type.dtype, .rank = 4, .dims = {x->type.dims[0], draw(d, 1, 4), draw(d, 1, 4), 2}};
    Node *n = NODE(d, r->op, 1, x, of_type(d, t));
    choose_string(d, n, "mode", 3, modes);
    choose_string(d, n, "padding_mode", 3, paddings);
    flag(d, n, "align_corners");
    return n;
}

Node *make_roi_align(Draw *d, const Recipe *r)
{
    static const char *const modes[] = {"avg", "max"};
    static const char *const coordinates[] = {"half_pixel", "output_half_pixel"};
    Tensor *x = any(d, r->dtypes, 4, 4);
    int64_t count = draw(d, 1, 3), dims[] = {count, 4};
    if (x->type.dims[0] == 0)
        return NULL;
    Tensor *rois = constant_in(d, type_make(x->type.dtype, 2, dims), 0, 4);
    Tensor *images = constant_in(d, type_make(DT_I64, 1, &count), 0, (double)(x->type.dims[0] - 1));
    Node *n = NODE(d, r->op, 1, x, rois, images);
    choose_string(d, n, "mode", 2, modes);
    choose_string(d, n, "coordinate_transformation_mode", 2, coordinates);
    attr_set_int(n, "output_height", draw(d, 1, 3));
    attr_set_int(n, "output_width", draw(d, 1, 3));
    attr_set_int(n, "sampling_ratio", draw(d, 0, 2));
    return n;
}

Node *make_reverse_sequence(Draw *d, const Recipe *r)
{
    Tensor *x = any(d, r->dtypes, 2, 4);
    int64_t batch = draw(d, 0, 1), count = x->type.dims[batch], steps = x->type.dims[!batch];
    if (steps == 0)
        return NULL;
    Tensor *lengths = constant_in(d, type_make(DT_I64, 1, &count), 1, (double)steps);
    Node *n = NODE(d, r->op, 1, x, lengths);
    attr_set_int(n, "batch_axis", batch);
    attr_set_int(n, "time_axis", !batch);
    return n;
}

Node *make_window(Draw *d, const Recipe *r)
{
    Node *n = NODE(d, r->op, 1, scalar(d, DT_I64, (double)draw(d, d->oracle ? 2 : 1, 9)));
    flag(d, n, "periodic");
    return n;
}
