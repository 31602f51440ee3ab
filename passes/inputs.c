/* inputs.c - inputs as the application has them: uint8 pixels, or channels last.
 *
 * Requires an ordinary graph with static shapes. An input named by --input-uint8 becomes uint8, and nodes
 * behind it compute (raw * scale - mean) / std; with --layout nhwc the images among the inputs become
 * [N][H][W][C], and a Transpose stands behind them. The ONNX file that ternarize writes is not affected: this
 * runs when C is made. */
#include "graph/op.h"
#include "passes/passes.h"

#include <string.h>

static Tensor *add_node(Graph *g, Node ***first, OpKind op, Tensor *x, Tensor *operand, Type type)
{
    Node *n = node_new(op, "", operand ? 2 : 1, 1);
    n->in[0] = x;
    if (operand)
        n->in[1] = operand;
    n->out[0] = graph_tensor(g, mem_printf("%s_%s", x->name, op_def(op)->name), type);
    n->out[0]->producer = n;
    *(*first)++ = n;
    return n->out[0];
}

/* A scalar, or [channels][1]... so that it broadcasts over [N][channels]... */
static Tensor *channel_constant(Graph *g, Type model, const char *name, const double *v, int count)
{
    float *data = NEW_ARRAY(float, count);
    for (int i = 0; i < count; i++)
        data[i] = (float)v[i];
    int64_t dims[MAX_RANK] = {count, 1, 1, 1, 1, 1, 1, 1};
    return graph_const(g, name, type_make(DT_F32, count == 1 ? 0 : model.rank - 1, dims), data);
}

static double number_at(Numbers n, int i, double absent)
{
    if (!n.count)
        return absent;
    return n.items[n.count == 1 ? 0 : i];
}

static void check_channels(const Graph *g, Type model, Numbers n, const char *option)
{
    if (n.count > 1 && (model.rank < 2 || model.dims[1] != n.count))
        fail("%s: %s has %d numbers, but the input is %s", g->file, option, n.count, type_text(model));
}

/* raw -> float(raw) * (scale / std) - mean / std */
static Tensor *add_normalisation(Graph *g, Node ***first, const Options *opt, Tensor *raw, Type model)
{
    const InputForm *f = &opt->input;
    check_channels(g, model, f->mean, "--mean");
    check_channels(g, model, f->std, "--std");
    int count = f->mean.count > 1 || f->std.count > 1 ? (int)model.dims[1] : 1;
    double *factor = NEW_ARRAY(double, count), *offset = NEW_ARRAY(double, count);
    bool scaled = false, shifted = false;
    for (int i = 0; i < count; i++) {
        factor[i] = f->scale / number_at(f->std, i, 1);
        offset[i] = -number_at(f->mean, i, 0) / number_at(f->std, i, 1);
        scaled |= factor[i] != 1;
        shifted |= offset[i] != 0;
    }
    Tensor *t = add_node(g, first, OP_Cast, raw, NULL, model);
    attr_set_int(t->producer, "to", dtype_to_onnx(DT_F32));
    if (scaled)
        t = add_node(g, first, OP_Mul, t, channel_constant(g, model, "input_factor", factor, count), model);
    if (shifted)
        t = add_node(g, first, OP_Add, t, channel_constant(g, model, "input_offset", offset, count), model);
    return t;
}

static Tensor *add_transpose(Graph *g, Node ***first, Tensor *nhwc, Type model)
{
    static const int64_t to_nchw[] = {0, 3, 1, 2};
    model.dtype = nhwc->type.dtype;
    Tensor *t = add_node(g, first, OP_Transpose, nhwc, NULL, model);
    attr_set_ints(t->producer, "perm", 4, to_nchw);
    return t;
}

static bool is_uint8_input(const Options *opt, const Tensor *x)
{
    for (int i = 0; i < opt->input.num_uint8; i++)
        if (!strcmp(opt->input.uint8[i], x->name))
            return true;
    return false;
}

/* Put the application's form of input x before the model's: x becomes what the application gives, and what
 * used it uses the end of the new nodes. */
static void convert_input(Graph *g, Node ***first, const Options *opt, Tensor *x)
{
    bool pixels = is_uint8_input(opt, x), nhwc = opt->input.nhwc && x->type.rank == 4;
    if (!pixels && !nhwc)
        return;
    if (pixels && x->type.dtype != DT_F32)
        fail("%s: --input-uint8: input '%s' is %s, not float", g->file, x->name, type_text(x->type));
    Type model = x->type, given = model;
    given.dtype = pixels ? DT_U8 : model.dtype;
    if (nhwc)
        given = type_make(given.dtype, 4,
                          (const int64_t[]){model.dims[0], model.dims[2], model.dims[3], model.dims[1]});
    x->type = given;
    Tensor *t = nhwc ? add_transpose(g, first, x, model) : x;
    if (pixels)
        t = add_normalisation(g, first, opt, t, model);
    graph_replace(g, x, t);
}

static void check_names(const Graph *g, const Options *opt)
{
    for (int i = 0; i < opt->input.num_uint8; i++) {
        bool known = false;
        for (int j = 0; j < g->num_inputs; j++)
            known |= !strcmp(opt->input.uint8[i], g->inputs[j]->name);
        if (!known)
            fail("%s: --input-uint8: there is no input '%s'; 'ternc inspect' lists them", g->file,
                 opt->input.uint8[i]);
    }
}

void pass_inputs(Graph *g, const Options *opt)
{
    enum { NODES_PER_INPUT = 4 };
    check_names(g, opt);
    Node **nodes = NEW_ARRAY(Node *, g->num_nodes + NODES_PER_INPUT * g->num_inputs), **first = nodes;
    for (int i = 0; i < g->num_inputs; i++)
        convert_input(g, &first, opt, g->inputs[i]);
    if (g->num_nodes)
        memcpy(first, g->nodes, (size_t)g->num_nodes * sizeof *nodes);
    g->num_nodes += (int)(first - nodes);
    g->nodes = nodes;
}
