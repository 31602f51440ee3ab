/* upgrade_old.c - the rules of upgrade for opsets 1 to 6: the form that an operator had in opset 7.
 *
 * Broadcasting was asked for by attributes and could start at any axis, shapes were attributes, training was
 * the default, and `consumed_inputs` is a hint without meaning. Source: the operators' history in ONNX. */
#include "upgrade.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>

/* ---- broadcasting ---- */

static Node *place_node(Upgrade *u, const Node *of, const char *op_name, const char *what, Tensor *a,
                        Tensor *b)
{
    Node *n = upgrade_node(u, of, op_name, what, b ? 2 : 1);
    n->in[0] = a;
    if (b)
        n->in[1] = b;
    upgrade_place(u, n);
    return n;
}

static Tensor *one_int(const Upgrade *u, const Node *n, const char *what, int64_t v)
{
    return graph_const_i64(u->g, upgrade_name(n, what), 1, &v);
}

/* Input 1 begins at `axis` of input 0: it gets as many dimensions of 1 behind it as input 0 has more. Ranks
 * are not known yet, so the new shape is computed by nodes that infer evaluates. */
static void align_second(Upgrade *u, Node *n, int64_t axis)
{
    Tensor *a = place_node(u, n, "Shape", "a_shape", n->in[0], NULL)->out[0];
    Tensor *b = place_node(u, n, "Shape", "b_shape", n->in[1], NULL)->out[0];
    Tensor *rank = place_node(u, n, "Shape", "b_rank", b, NULL)->out[0];
    Tensor *end = place_node(u, n, "Add", "b_end", rank, one_int(u, n, "axis", axis))->out[0];
    Node *tail = upgrade_node(u, n, "Slice", "tail", 3);
    tail->in[0] = a;
    tail->in[1] = end;
    tail->in[2] = one_int(u, n, "all", INT64_MAX);
    upgrade_place(u, tail);
    Tensor *zeros = place_node(u, n, "Sub", "zeros", tail->out[0], tail->out[0])->out[0];
    Tensor *ones = place_node(u, n, "Add", "ones", zeros, one_int(u, n, "one", 1))->out[0];
    Node *shape = place_node(u, n, "Concat", "shape", b, ones);
    attr_set_int(shape, "axis", 0);
    n->in[1] = place_node(u, n, "Reshape", "b", n->in[1], shape->out[0])->out[0];
}

static void need_two_inputs(const Upgrade *u, const Node *n)
{
    if (n->num_in != 2 || !n->in[0] || !n->in[1] || !n->num_out || !n->out[0])
        fail_node(u->g, n, "needs 2 inputs and an output");
}

static void old_broadcast(Upgrade *u, Node *n)
{
    need_two_inputs(u, n);
    bool broadcast = upgrade_take_int(u, n, "broadcast", 0) != 0;
    bool aligned = upgrade_attr(u, n, "axis", ATTR_INT) != NULL;
    int64_t axis = upgrade_take_int(u, n, "axis", 0);
    if (!broadcast || !aligned)
        return;
    if (axis < 0)
        fail_node(u->g, n, "axis = %" PRId64 " is not supported before opset 7; export with opset 17", axis);
    align_second(u, n, axis);
}

/* One slope, or one per channel. */
static void old_prelu(Upgrade *u, Node *n)
{
    need_two_inputs(u, n);
    align_second(u, n, 1);
}

static void old_gemm(Upgrade *u, Node *n)
{
    upgrade_take_int(u, n, "broadcast", 0);
}

/* ---- training ---- */

static void need_test_mode(Upgrade *u, Node *n)
{
    if (!upgrade_take_int(u, n, "is_test", 0))
        fail_node(u->g, n,
                  "is in training mode (is_test = 0, the default before opset 7); export the model for "
                  "inference");
}

/* ---- parameters ---- */

static void old_reshape(Upgrade *u, Node *n)
{
    if (u->opset < 5)
        upgrade_ints(u, n, "shape", 1);
}

static void old_pad(Upgrade *u, Node *n)
{
    (void)u;
    for (int i = 0; i < n->num_attrs; i++)
        if (!strcmp(n->attrs[i].name, "paddings"))
            n->attrs[i].name = "pads";
}

static void old_concat(Upgrade *u, Node *n)
{
    if (u->opset < 4 && !upgrade_attr(u, n, "axis", ATTR_INT))
        attr_set_int(n, "axis", 1);
}

static void old_split(Upgrade *u, Node *n)
{
    if (u->opset < 2 && !upgrade_attr(u, n, "axis", ATTR_INT))
        fail_node(u->g, n, "does not say its axis, which opset 1 leaves open; export with opset 17");
}

static void old_selu(Upgrade *u, Node *n)
{
    if (u->opset < 6 && !upgrade_attr(u, n, "alpha", ATTR_FLOAT))
        attr_set_float(n, "alpha", 1.6732f);
    if (u->opset < 6 && !upgrade_attr(u, n, "gamma", ATTR_FLOAT))
        attr_set_float(n, "gamma", 1.0507f);
}

/* "FLOAT", "INT64", ... */
static void old_cast(Upgrade *u, Node *n)
{
    const Attr *to = u->opset < 6 ? upgrade_attr(u, n, "to", ATTR_STRING) : NULL;
    if (!to)
        return;
    DType d = DT_F32;
    while (d <= DT_F16 && strcasecmp(dtype_name(d), to->s) != 0)
        d++;
    if (d > DT_F16)
        fail_node(u->g, n, "to = \"%s\" is not supported", to->s);
    attr_remove(n, "to");
    attr_set_int(n, "to", dtype_to_onnx(d == DT_F16 ? DT_F32 : d));
}

static void refuse_old_form(Upgrade *u, Node *n)
{
    fail_node(u->g, n, "its form of opset %" PRId64 " is not supported; export with opset 17", u->opset);
}

static void old_tile(Upgrade *u, Node *n)
{
    if (u->opset < 6)
        refuse_old_form(u, n);
}

static void old_recurrent(Upgrade *u, Node *n)
{
    upgrade_take_int(u, n, "output_sequence", 0); /* whether Y is there says its place in the outputs */
}

typedef struct OldRow {
    const char *op;
    void (*rule)(Upgrade *u, Node *n);
} OldRow;

static const OldRow old_rows[] = {
    {"Add", old_broadcast},
    {"And", old_broadcast},
    {"BatchNormalization", need_test_mode},
    {"Cast", old_cast},
    {"Concat", old_concat},
    {"Div", old_broadcast},
    {"Dropout", need_test_mode},
    {"Equal", old_broadcast},
    {"GRU", old_recurrent},
    {"Gemm", old_gemm},
    {"Greater", old_broadcast},
    {"LSTM", old_recurrent},
    {"Less", old_broadcast},
    {"Mul", old_broadcast},
    {"Or", old_broadcast},
    {"PRelu", old_prelu},
    {"Pad", old_pad},
    {"Pow", old_broadcast},
    {"RNN", old_recurrent},
    {"Reshape", old_reshape},
    {"Selu", old_selu},
    {"Split", old_split},
    {"Sub", old_broadcast},
    {"Tile", old_tile},
    {"Upsample", refuse_old_form},
    {"Xor", old_broadcast},
};

void upgrade_old(Upgrade *u, Node *n)
{
    if (u->opset < 6)
        attr_remove(n, "consumed_inputs");
    for (size_t i = 0; i < sizeof old_rows / sizeof old_rows[0]; i++)
        if (!strcmp(n->op_name, old_rows[i].op))
            old_rows[i].rule(u, n);
}
