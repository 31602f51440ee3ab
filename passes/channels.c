/* channels.c - which axis of each input has the channels.
 *
 * ONNX has no layouts, but convolutions, pooling and their kind have the batch on axis 0 and the channels on
 * axis 1. From there it goes back to the inputs, through all that leaves axes what they are: elementwise
 * operators, Transpose, Reshape of axes of size one, Pad, Slice, ... So a model from a channels-last
 * framework, whose first node is a Transpose, shows its channels on the last axis. An input of one or two
 * axes has its features on the last.
 *
 * Requires: infer. Gives: Tensor.channels of the inputs. Nodes stay as they are. */
#include "ops/ops.h"
#include "passes/passes.h"

#include <string.h>

/* What an axis is seen as from the other side of a node, where it is no axis there. */
enum { NEW_AXIS = -1, LOST_AXIS = -2 };

/* What the nodes behind a tensor say of its axes. */
typedef struct Reading {
    bool told;
    int batch, channel; /* axes, or NEW_AXIS: added behind the tensor; LOST_AXIS: mixed with others, or nodes
                           disagree */
} Reading;

/* ---- Reshape ---- */

typedef struct AxisList {
    int count, axis[MAX_RANK];
} AxisList;

static AxisList list_axes(Type t, bool of_one)
{
    AxisList l = {0};
    for (int i = 0; i < t.rank; i++)
        if ((t.dims[i] == 1) == of_one)
            l.axis[l.count++] = i;
    return l;
}

static void map_axes(AxisList in, AxisList out, int *map)
{
    for (int i = 0; i < in.count && i < out.count; i++)
        map[out.axis[i]] = in.axis[i];
}

/* Axes longer than one, from the front: groups with the same product are the same; in a group of one on each
 * side it is the same axis. */
static void map_groups(Type in, AxisList a, Type out, AxisList b, int *map)
{
    for (int i = 0, j = 0; i < a.count && j < b.count;) {
        int first_in = i, first_out = j;
        int64_t x = in.dims[a.axis[i++]], y = out.dims[b.axis[j++]];
        while (x != y)
            if (x < y && i < a.count)
                x *= in.dims[a.axis[i++]];
            else if (y < x && j < b.count)
                y *= out.dims[b.axis[j++]];
            else
                return;
        if (i - first_in == 1 && j - first_out == 1)
            map[b.axis[first_out]] = a.axis[first_in];
    }
}

/* Axes of size one at the front and at the end; all others of this size are new. */
static void map_ends(Type in, Type out, int *map)
{
    for (int i = 0; i < out.rank && i < in.rank && in.dims[i] == 1 && out.dims[i] == 1; i++)
        map[i] = i;
    for (int i = 1; i <= out.rank && i <= in.rank; i++) {
        if (in.dims[in.rank - i] != 1 || out.dims[out.rank - i] != 1)
            break;
        map[out.rank - i] = in.rank - i;
    }
}

/* map[axis of the output]: axis of the input */
static void map_reshape(Type in, Type out, int *map)
{
    AxisList ones_in = list_axes(in, true), ones_out = list_axes(out, true);
    AxisList long_in = list_axes(in, false), long_out = list_axes(out, false);
    for (int i = 0; i < out.rank; i++)
        map[i] = out.dims[i] == 1 ? NEW_AXIS : LOST_AXIS;
    if (type_elems(in) != type_elems(out) || !type_elems(in))
        return;
    map_groups(in, long_in, out, long_out, map);
    if (ones_in.count == ones_out.count) /* a Transpose that moves only such axes is a Reshape by now */
        map_axes(ones_in, ones_out, map);
    else
        map_ends(in, out, map);
}

/* ---- nodes ---- */

/* Axis 0 of input 0 is the batch, axis 1 the channels. */
static bool has_channels(OpKind op)
{
    switch (op) {
    case OP_Conv:
    case OP_ConvTranspose:
    case OP_ConvInteger:
    case OP_MaxPool:
    case OP_AveragePool:
    case OP_LpPool:
    case OP_GlobalMaxPool:
    case OP_GlobalAveragePool:
    case OP_GlobalLpPool:
    case OP_BatchNormalization:
    case OP_InstanceNormalization:
    case OP_LRN:
    case OP_DepthToSpace:
    case OP_SpaceToDepth:
    case OP_GridSample:
    case OP_RoiAlign: return true;
    default: return false;
    }
}

/* Whether the axes of input k are those of the outputs, right-aligned. */
static bool keeps_axes(const Node *n, int k)
{
    switch (n->op) {
    case OP_Identity:
    case OP_Dropout:
    case OP_QuantizeLinear:
    case OP_DequantizeLinear:
    case OP_Pad:
    case OP_Slice:
    case OP_Split:
    case OP_Resize:
    case OP_Expand: return k == 0;
    case OP_Concat: return true;
    default: return op_def(n->op)->grad_flat; /* elementwise */
    }
}

/* False: nothing is known of input k from an output of type `out`. */
static bool map_node(const Node *n, int k, Type out, int *map)
{
    Type in = n->in[k]->type;
    int64_t perm[MAX_RANK];
    if (is_reshape(n) && k == 0) {
        map_reshape(in, out, map);
        return true;
    }
    if (n->op == OP_Transpose)
        transpose_perm(n, perm);
    else if (!keeps_axes(n, k) || in.rank > out.rank)
        return false;
    for (int i = 0; i < out.rank; i++) {
        int same = i - (out.rank - in.rank);
        map[i] = n->op == OP_Transpose ? (int)perm[i] : same < 0 ? NEW_AXIS : same;
    }
    return true;
}

static int axis_before(const int *map, int axis)
{
    return axis < 0 ? axis : map[axis];
}

static void tell(Reading *of, Reading r)
{
    if (of->told && (of->batch != r.batch || of->channel != r.channel))
        r.batch = r.channel = LOST_AXIS;
    *of = r;
}

/* From what is known of the node's outputs to its inputs. */
static void read_back(const Node *n, Reading *readings)
{
    Reading r = {0};
    Type out = {0};
    int map[MAX_RANK];
    for (int i = 0; i < n->num_out && !r.told; i++)
        if (n->out[i]) {
            r = readings[n->out[i]->id];
            out = n->out[i]->type;
        }
    for (int k = 0; k < n->num_in && r.told; k++)
        if (n->in[k] && !n->in[k]->data && map_node(n, k, out, map))
            tell(&readings[n->in[k]->id],
                 (Reading){true, axis_before(map, r.batch), axis_before(map, r.channel)});
}

/* ---- inputs ---- */

static Channels conclude(const Tensor *x, Reading r)
{
    int rank = x->type.rank;
    if (r.told && (r.batch == 0 || r.batch == NEW_AXIS) && r.channel != LOST_AXIS) {
        bool row = rank == 2 && r.batch == 0; /* of features, whatever becomes of them */
        return (Channels){.told = true, .batch = r.batch == 0, .axis = row ? 1 : r.channel};
    }
    return (Channels){.told = rank == 1 || rank == 2, .batch = rank == 2, .axis = rank - 1};
}

/* As --model-layout has it. */
static void obey(const Graph *g, Tensor *x, const LayoutWord *w)
{
    Channels *c = &x->channels;
    if (!c->told)
        c->batch = true;
    if (x->type.rank - (c->batch ? 1 : 0) < 2)
        fail("%s: --model-layout: input '%s', %s, has no axes for channels and positions", g->file, x->name,
             type_text(x->type));
    c->told = true;
    c->axis = w->layout == IMAGES_NHWC ? x->type.rank - 1 : (int)c->batch;
}

void pass_channels(Graph *g, const Options *opt)
{
    Reading *readings = NEW_ARRAY(Reading, g->num_tensors);
    for (int i = g->num_nodes - 1; i >= 0; i--) {
        const Node *n = g->nodes[i];
        if (has_channels(n->op) && n->in[0]->type.rank > 1)
            tell(&readings[n->in[0]->id], (Reading){.told = true, .batch = 0, .channel = 1});
        else
            read_back(n, readings);
    }
    check_layout_names(g, &opt->model_layout, "--model-layout");
    for (int i = 0; i < g->num_inputs; i++) {
        Tensor *x = g->inputs[i];
        const LayoutWord *w = layout_word(&opt->model_layout, x->name);
        x->channels = conclude(x, readings[x->id]);
        if (w && (w->input || x->type.rank > 2))
            obey(g, x, w);
    }
}
