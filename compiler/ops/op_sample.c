/* op_sample.c - images seen between their pixels: GridSample and RoiAlign. Both evaluate by the runtime's
 * kernels. Refused is what ONNX's own implementation, onnxruntime and PyTorch read differently: GridSample's
 * bicubic mode where it leaves an image with a border, and RoiAlign's mode max. */
#include "print/print.h"

#include <string.h>

#define T float
#define TS f32
#define TF f
#include "sample.h"
#undef T
#undef TS
#undef TF

#define T double
#define TS f64
#define TF
#include "sample.h"

/* x is a batch of images with pixels, and all else, the indices aside, of its type. */
static void check_images(const Graph *g, const Node *n, int others)
{
    Type x = n->in[0]->type;
    if (x.rank != 4)
        fail_node(g, n, "unsupported: an input of rank %d; it must be [batch, channels, height, width]",
                  x.rank);
    if (x.dtype != DT_F32 && x.dtype != DT_F64)
        fail_node(g, n, "unsupported: %s of %s", n->op_name, dtype_name(x.dtype));
    if (type_elems(x) == 0)
        fail_node(g, n, "unsupported: an empty input");
    for (int i = 1; i <= others; i++)
        if (n->in[i]->type.dtype != x.dtype)
            fail_node(g, n, "unsupported: input %d must be %s like the image", i, dtype_name(x.dtype));
}

/* ---- GridSample ---- */

static int grid_border(const Graph *g, const Node *n)
{
    static const char *const names[] = {"zeros", "border", "reflection", NULL};
    return attr_choice(g, n, "padding_mode", names);
}

static int grid_taps(const Graph *g, const Node *n)
{
    static const char *const names[] = {"nearest", "bilinear", "bicubic", NULL};
    return 1 << attr_choice(g, n, "mode", names);
}

static void infer_grid(Graph *g, Node *n)
{
    Type x = n->in[0]->type, grid = n->in[1]->type;
    check_images(g, n, 1);
    if (grid.rank != 4 || grid.dims[0] != x.dims[0] || grid.dims[3] != 2)
        fail_node(g, n, "the grid must be [%s, height, width, 2]", int_text(x.dims[0]));
    int border = grid_border(g, n), taps = grid_taps(g, n);
    if (border && taps == 4)
        fail_node(
            g, n,
            "unsupported: 'mode' = 'bicubic' with 'padding_mode' = '%s', which is read in different ways",
            attr_string(n, "padding_mode"));
    n->out[0]->type =
        type_make(x.dtype, 4, (const int64_t[]){x.dims[0], x.dims[1], grid.dims[1], grid.dims[2]});
}

static void eval_grid(const Graph *g, const Node *n, const void *const *in, void *const *out)
{
    Type x = n->in[0]->type, y = n->out[0]->type;
    int32_t size[2] = {(int32_t)x.dims[2], (int32_t)x.dims[3]}, batch = (int32_t)x.dims[0];
    int32_t taps = grid_taps(g, n);
    int32_t channels = (int32_t)x.dims[1], positions = (int32_t)(y.dims[2] * y.dims[3]);
    int32_t border = grid_border(g, n);
    int32_t corners = attr_int(n, "align_corners") != 0;
    if (x.dtype == DT_F32)
        tn_grid_sample_f32(out[0], in[0], in[1], batch, channels, size, positions, taps, border, corners);
    else
        tn_grid_sample_f64(out[0], in[0], in[1], batch, channels, size, positions, taps, border, corners);
}

static void emit_grid(Emitter *e, const Node *n)
{
    const Graph *g = emit_plan(e)->g;
    Type x = n->in[0]->type, y = n->out[0]->type;
    emit_line(e, "%s(%s, %s, %s, %s, %s, %s, %s, %d, %d, %d);", emit_kernel(e, "grid_sample", x.dtype),
              emit_ptr(e, n->out[0]), emit_ptr(e, n->in[0]), emit_ptr(e, n->in[1]), int_text(x.dims[0]),
              int_text(x.dims[1]), emit_dims(x.dims + 2, 2), int_text(y.dims[2] * y.dims[3]), grid_taps(g, n),
              grid_border(g, n), attr_int(n, "align_corners") != 0);
}

static double grid_steps(const Graph *g, const Node *n)
{
    (void)g, (void)n;
    return 32; /* 4 taps along each of 2 axes, and their weights */
}

const OpDef op_GridSample = {
    .name = "GridSample",
    .min_in = 2,
    .max_in = 2,
    .min_out = 1,
    .max_out = 1,
    .attrs = {{.name = "align_corners", .type = ATTR_INT},
              {.name = "mode", .type = ATTR_STRING, .s = "bilinear"},
              {.name = "padding_mode", .type = ATTR_STRING, .s = "zeros"}},
    .infer = infer_grid,
    .eval = eval_grid,
    .rounding = {.rule = ROUND_SAMPLED},
    .steps = grid_steps,
    .emit = emit_grid,
};

/* ---- RoiAlign ---- */

enum { MAX_SAMPLES = 1024 };

static int is_half_pixel(const Graph *g, const Node *n)
{
    static const char *const names[] = {"output_half_pixel", "half_pixel", NULL};
    return attr_choice(g, n, "coordinate_transformation_mode", names);
}

static void infer_roi(Graph *g, Node *n)
{
    static const char *const modes[] = {"avg", NULL};
    Type x = n->in[0]->type, rois = n->in[1]->type, index = n->in[2]->type;
    int64_t height = attr_int(n, "output_height"), width = attr_int(n, "output_width");
    int64_t samples = attr_int(n, "sampling_ratio");
    check_images(g, n, 1);
    attr_choice(g, n, "mode", modes);
    is_half_pixel(g, n);
    if (rois.rank != 2 || rois.dims[1] != 4 || index.rank != 1 || index.dims[0] != rois.dims[0] ||
        index.dtype != DT_I64)
        fail_node(g, n, "needs boxes [N, 4] and the numbers of their images, int64[N]");
    if (height < 1 || width < 1 || height > 1 << 15 || width > 1 << 15 || samples < 0 ||
        samples > MAX_SAMPLES)
        fail_node(g, n, "'output_height' = %s, 'output_width' = %s or 'sampling_ratio' = %s is out of range",
                  int_text(height), int_text(width), int_text(samples));
    n->out[0]->type = type_make(x.dtype, 4, (const int64_t[]){rois.dims[0], x.dims[1], height, width});
}

static void eval_roi(const Graph *g, const Node *n, const void *const *in, void *const *out)
{
    Type x = n->in[0]->type, y = n->out[0]->type;
    int32_t size[2] = {(int32_t)x.dims[2], (int32_t)x.dims[3]};
    int32_t bins[2] = {(int32_t)y.dims[2], (int32_t)y.dims[3]};
    int32_t batch = (int32_t)x.dims[0], channels = (int32_t)x.dims[1], half = is_half_pixel(g, n);
    int32_t count = (int32_t)y.dims[0], samples = (int32_t)attr_int(n, "sampling_ratio");
    float scale = attr_float(n, "spatial_scale");
    if (x.dtype == DT_F32)
        tn_roi_align_f32(out[0], in[0], in[1], in[2], count, batch, channels, size, bins, samples, scale,
                         half);
    else
        tn_roi_align_f64(out[0], in[0], in[1], in[2], count, batch, channels, size, bins, samples,
                         (double)scale, half);
}

static void emit_roi(Emitter *e, const Node *n)
{
    Type x = n->in[0]->type, y = n->out[0]->type;
    emit_line(e, "%s(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %d);", emit_kernel(e, "roi_align", x.dtype),
              emit_ptr(e, n->out[0]), emit_ptr(e, n->in[0]), emit_ptr(e, n->in[1]), emit_ptr(e, n->in[2]),
              int_text(y.dims[0]), int_text(x.dims[0]), int_text(x.dims[1]), emit_dims(x.dims + 2, 2),
              emit_dims(y.dims + 2, 2), int_text(attr_int(n, "sampling_ratio")),
              float_text((double)attr_float(n, "spatial_scale"), DT_F32), is_half_pixel(emit_plan(e)->g, n));
}

static double roi_steps(const Graph *g, const Node *n)
{
    (void)g, (void)n;
    return (double)MAX_SAMPLES * MAX_SAMPLES;
}

const OpDef op_RoiAlign = {
    .name = "RoiAlign",
    .min_in = 3,
    .max_in = 3,
    .min_out = 1,
    .max_out = 1,
    .attrs = {{.name = "coordinate_transformation_mode", .type = ATTR_STRING, .s = "half_pixel"},
              {.name = "mode", .type = ATTR_STRING, .s = "avg"},
              {.name = "output_height", .type = ATTR_INT, .i = 1},
              {.name = "output_width", .type = ATTR_INT, .i = 1},
              {.name = "sampling_ratio", .type = ATTR_INT},
              {.name = "spatial_scale", .type = ATTR_FLOAT, .f = 1}},
    .infer = infer_roi,
    .eval = eval_roi,
    .rounding = {.rule = ROUND_SAMPLED},
    .steps = roi_steps,
    .emit = emit_roi,
};
