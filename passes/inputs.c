/* inputs.c - inputs as the application has them: uint8 pixels, channels first or last.
 *
 * Requires an ordinary graph with static shapes, and channels. An input named by --input-uint8 becomes uint8,
 * and nodes behind it compute (raw * scale - mean) / std; with --layout the channels of the images among the
 * inputs move, and a Transpose stands behind them. Where the model starts with a Transpose of its own, the
 * two are one, or none where they cancel out, and the pixels' arithmetic comes behind it: in front of the
 * first layer, which can take it over. The ONNX file that ternarize writes is not affected: this runs when C
 * is made. */
#include "ops/ops.h"
#include "passes/passes.h"

#include <string.h>

/* One input: its axes, named by those that the model has. */
typedef struct Conversion {
    Graph *g;
    Node ***first; /* where new nodes go */
    const Options *opt;
    Tensor *x;
    Type model;            /* of x */
    Channels channels;     /* of x */
    int given[MAX_RANK];   /* axis i of the application's form */
    int wanted[MAX_RANK];  /* axis i behind the model's own Transpose, if there is one */
    const Node *transpose; /* that one, which alone reads x; or NULL */
} Conversion;

static Tensor *add_node(const Conversion *c, OpKind op, Tensor *x, Tensor *operand, Type type)
{
    Node *n = node_new(op, "", operand ? 2 : 1, 1);
    n->in[0] = x;
    if (operand)
        n->in[1] = operand;
    n->out[0] = graph_tensor(c->g, mem_printf("%s_%s", x->name, op_def(op)->name), type);
    n->out[0]->producer = n;
    *(*c->first)++ = n;
    return n->out[0];
}

/* ---- pixels ---- */

/* A scalar, or [channels][1]... so that it broadcasts over the axes from that of the channels on. */
static Tensor *channel_constant(Graph *g, int rank, const char *name, const double *v, int count)
{
    float *data = NEW_ARRAY(float, count);
    for (int i = 0; i < count; i++)
        data[i] = (float)v[i];
    int64_t dims[MAX_RANK] = {count, 1, 1, 1, 1, 1, 1, 1};
    return graph_const(g, name, type_make(DT_F32, count == 1 ? 0 : rank, dims), data);
}

static double number_at(Numbers n, int i, double absent)
{
    if (!n.count)
        return absent;
    return n.items[n.count == 1 ? 0 : i];
}

static void check_count(const Conversion *c, Numbers n, const char *option)
{
    const char *what = mem_printf("%s: %s has %d numbers, but input '%s' is %s", c->g->file, option, n.count,
                                  c->x->name, type_text(c->model));
    if (n.count < 2)
        return;
    if (!c->channels.told)
        fail("%s, and its layers do not show which axis has the channels: add --model-layout nchw or nhwc",
             what);
    if (c->channels.axis < 0)
        fail("%s, which has no axis of channels", what);
    if (c->model.dims[c->channels.axis] != n.count)
        fail("%s, whose channels are its axis %d: there are %s", what, c->channels.axis,
             int_text(c->model.dims[c->channels.axis]));
}

/* raw -> float(raw) * (scale / std) - mean / std; raw has the axes c->wanted. */
static Tensor *add_normalisation(const Conversion *c, Tensor *raw)
{
    const InputForm *f = &c->opt->input;
    check_count(c, f->mean, "--mean");
    check_count(c, f->std, "--std");
    Type type = raw->type;
    type.dtype = DT_F32;
    int count = f->mean.count > f->std.count ? f->mean.count : f->std.count, rank = type.rank;
    for (int i = 0; i < type.rank && c->wanted[i] != c->channels.axis; i++)
        rank--;
    count = count < 1 ? 1 : count;
    double *factor = NEW_ARRAY(double, count), *offset = NEW_ARRAY(double, count);
    bool scaled = false, shifted = false;
    for (int i = 0; i < count; i++) {
        factor[i] = f->scale / number_at(f->std, i, 1);
        offset[i] = -number_at(f->mean, i, 0) / number_at(f->std, i, 1);
        scaled |= factor[i] != 1;
        shifted |= offset[i] != 0;
    }
    Tensor *t = add_node(c, OP_Cast, raw, NULL, type);
    attr_set_int(t->producer, "to", dtype_to_onnx(DT_F32));
    if (scaled)
        t = add_node(c, OP_Mul, t, channel_constant(c->g, rank, "input_factor", factor, count), type);
    if (shifted)
        t = add_node(c, OP_Add, t, channel_constant(c->g, rank, "input_offset", offset, count), type);
    return t;
}

static bool is_uint8_input(const Options *opt, const Tensor *x)
{
    for (int i = 0; i < opt->input.num_uint8; i++)
        if (!strcmp(opt->input.uint8[i], x->name))
            return true;
    return false;
}

/* ---- axes ---- */

static Type take_axes(const Conversion *c, const int *axes, DType dtype)
{
    Type t = {.dtype = dtype, .rank = c->model.rank};
    for (int i = 0; i < t.rank; i++)
        t.dims[i] = c->model.dims[axes[i]];
    return t;
}

/* From the application's axes to those that are wanted: nothing where they are the same, a Reshape where only
 * axes of size one move. */
static Tensor *add_transpose(const Conversion *c)
{
    int64_t perm[MAX_RANK], last = -1;
    bool same = true, still = true;
    for (int i = 0; i < c->model.rank; i++) {
        for (perm[i] = 0; c->given[perm[i]] != c->wanted[i];)
            perm[i]++;
        same &= perm[i] == i;
        if (c->model.dims[c->wanted[i]] == 1)
            continue;
        still &= perm[i] > last;
        last = perm[i];
    }
    if (same)
        return c->x;
    Type type = take_axes(c, c->wanted, c->x->type.dtype);
    if (still)
        return add_node(c, OP_Reshape, c->x,
                        graph_const_i64(c->g, mem_printf("%s_shape", c->x->name), type.rank, type.dims),
                        type);
    Tensor *t = add_node(c, OP_Transpose, c->x, NULL, type);
    attr_set_ints(t->producer, "perm", type.rank, perm);
    return t;
}

/* The axes with the channels first, behind the batch, or last. */
static void order_axes(Conversion *c, ImageLayout layout)
{
    int to = 0, axis = c->channels.axis;
    if (c->channels.batch)
        c->given[to++] = 0;
    if (layout == IMAGES_NCHW)
        c->given[to++] = axis;
    for (int i = c->channels.batch; i < c->model.rank; i++)
        if (i != axis)
            c->given[to++] = i;
    if (layout == IMAGES_NHWC)
        c->given[to] = axis;
}

/* Whether an input has channels that can move. One that --layout names must say where they are. */
static bool can_order(const Conversion *c, const LayoutWord *w)
{
    int images = c->model.rank - (c->channels.batch ? 1 : 0);
    bool moves = c->channels.told && c->channels.axis >= 0 && images > 1;
    if (!moves && w->input)
        fail("%s: --layout: input '%s' is %s, and its layers do not show which axis has the channels%s",
             c->g->file, c->x->name, type_text(c->model),
             c->model.rank > 2 ? ": add --model-layout nchw or nhwc" : "");
    return moves;
}

static bool has_layout(const Options *opt)
{
    for (int i = 0; i < opt->input.layout.count; i++)
        if (!opt->input.layout.items[i].input)
            return true;
    return false;
}

/* --layout without a name speaks of what may be an image and is none that we know of. */
static void note_left(const Graph *g)
{
    for (int i = 0; i < g->num_inputs; i++)
        if (g->inputs[i]->type.rank > 3 && !g->inputs[i]->channels.told)
            note("%s: --layout leaves input '%s', %s, as it is: its layers do not show which axis has the "
                 "channels (--model-layout)",
                 g->file, g->inputs[i]->name, type_text(g->inputs[i]->type));
}

/* ---- the pass ---- */

/* The graph as it was before the pass. */
typedef struct Before {
    Node *const *users; /* graph_only_users */
    const bool *is_output;
} Before;

static Node *only_transpose(const Before *b, const Tensor *x)
{
    Node *n = b->users[x->id];
    return n && n->op == OP_Transpose && !b->is_output[n->out[0]->id] ? n : NULL;
}

static Conversion start_conversion(Graph *g, const Before *b, Node ***first, const Options *opt, Tensor *x)
{
    Conversion c = {.g = g, .first = first, .opt = opt, .x = x, .model = x->type, .channels = x->channels};
    int64_t perm[MAX_RANK];
    c.transpose = only_transpose(b, x);
    if (c.transpose)
        transpose_perm(c.transpose, perm);
    for (int i = 0; i < x->type.rank; i++) {
        c.given[i] = i;
        c.wanted[i] = c.transpose ? (int)perm[i] : i;
    }
    return c;
}

static int axis_of(const int *axes, int axis)
{
    int i = 0;
    while (axes[i] != axis)
        i++;
    return i;
}

/* Put the application's form of an input before the model's: x becomes what the application gives, and what
 * used it, or its Transpose, uses the end of the new nodes. */
static void convert_input(const Conversion *c, bool pixels)
{
    Tensor *x = c->x, *used = c->transpose ? c->transpose->out[0] : x;
    if (pixels && c->model.dtype != DT_F32)
        fail("%s: --input-uint8: input '%s' is %s, not float", c->g->file, x->name, type_text(c->model));
    x->type = take_axes(c, c->given, pixels ? DT_U8 : c->model.dtype);
    if (c->channels.told && c->channels.axis >= 0)
        x->channels.axis = axis_of(c->given, c->channels.axis);
    Tensor *t = add_transpose(c);
    if (pixels)
        t = add_normalisation(c, t);
    graph_replace(c->g, used, t);
}

static void check_names(const Graph *g, const Options *opt)
{
    check_layout_names(g, &opt->input.layout, "--layout");
    for (int i = 0; i < opt->input.num_uint8; i++) {
        bool known = false;
        for (int j = 0; j < g->num_inputs; j++)
            known |= !strcmp(opt->input.uint8[i], g->inputs[j]->name);
        if (!known)
            fail("%s: --input-uint8: there is no input '%s'; 'ternc inspect' lists them", g->file,
                 opt->input.uint8[i]);
    }
}

static void remove_node(Graph *g, const Node *n)
{
    int kept = 0;
    for (int i = 0; i < g->num_nodes; i++)
        if (g->nodes[i] != n)
            g->nodes[kept++] = g->nodes[i];
    g->num_nodes = kept;
}

/* Whether --layout speaks of it. */
static bool visit_input(Graph *g, const Before *b, Node ***first, const Options *opt, Tensor *x)
{
    bool pixels = is_uint8_input(opt, x);
    const LayoutWord *w = layout_word(&opt->input.layout, x->name);
    if (!pixels && !w)
        return false;
    Conversion c = start_conversion(g, b, first, opt, x);
    bool ordered = w && can_order(&c, w);
    if (ordered)
        order_axes(&c, w->layout);
    if (!pixels && !ordered)
        return false;
    if (c.transpose)
        remove_node(g, c.transpose);
    convert_input(&c, pixels);
    return ordered;
}

void pass_inputs(Graph *g, const Options *opt)
{
    enum { NODES_PER_INPUT = 4 };
    check_names(g, opt);
    Node **nodes = NEW_ARRAY(Node *, g->num_nodes + NODES_PER_INPUT * g->num_inputs), **first = nodes;
    const Before b = {.users = graph_only_users(g), .is_output = graph_mark_outputs(g)};
    bool ordered = !has_layout(opt);
    for (int i = 0; i < g->num_inputs; i++)
        ordered |= visit_input(g, &b, &first, opt, g->inputs[i]);
    if (!ordered)
        fail("%s: --layout: no input is an image whose layers show which axis has the channels: add "
             "--model-layout nchw or nhwc",
             g->file);
    if (has_layout(opt) && !opt->quiet)
        note_left(g);
    if (g->num_nodes)
        memcpy(first, g->nodes, (size_t)g->num_nodes * sizeof *nodes);
    g->num_nodes += (int)(first - nodes);
    g->nodes = nodes;
}
