/* upgrade.c - any opset from 1 to 18 becomes the one form that the rest of ternc knows, that of opset 17.
 *
 * Gives: parameters that became inputs are inputs (axes, Clip's limits, Slice, Pad, Split, TopK), Softmax and
 * its kin work along one axis, Upsample is Resize, Scatter is ScatterElements, Constant nodes are constants,
 * float16 is float, Gemm's A is not transposed, optional inputs and outputs that nobody uses are gone from
 * the ends of the lists. auto_pad, alpha and beta stay attributes. What cannot be put into that form exactly
 * is refused. A rule that asks for the value of a computed input, or for a type, waits until infer knows it:
 * then the node keeps its opset.
 *
 * Only this file and upgrade_old.c (opsets before 7) look at opset versions. Unsupported operators fail here
 * already, so that they are reported before the details of others. Source: the operators' texts and their
 * history in ONNX. */
#include "graph/op.h"
#include "passes/passes.h"
#include "upgrade.h"

#include <inttypes.h>
#include <string.h>

enum { OLDEST = 1, NEWEST = 18, FORM = 17, IR_VERSION = 8 };

/* ---- attributes and inputs ---- */

/* The floating-point type of t, as far as can be seen without shape inference: double where a declared type
 * or a Cast up the chain of first inputs says so, else float. */
static DType float_type(const Tensor *t)
{
    while (t && t->type.dtype == DT_NONE && t->producer) {
        const Node *n = t->producer;
        for (int i = 0; i < n->num_attrs; i++)
            if (!strcmp(n->attrs[i].name, "to"))
                return n->attrs[i].i == dtype_to_onnx(DT_F64) ? DT_F64 : DT_F32;
        t = n->num_in ? n->in[0] : NULL;
    }
    return t && t->type.dtype == DT_F64 ? DT_F64 : DT_F32;
}

static void float_to_input(const Upgrade *u, Node *n, const char *name, int index)
{
    const Attr *a = upgrade_attr(u, n, name, ATTR_FLOAT);
    if (!a)
        return;
    DType d = n->num_in ? float_type(n->in[0]) : DT_F32;
    void *data = mem_alloc(dtype_size(d));
    elem_set(data, d, 0, (double)a->f);
    put_input(u, n, index, graph_const(u->g, upgrade_name(n, name), type_make(d, 0, NULL), data));
    attr_remove(n, name);
}

/* ---- rules: attributes that became inputs ---- */

static void axes_to_input(Upgrade *u, Node *n)
{
    upgrade_ints(u, n, "axes", 1);
}

static void upgrade_clip(Upgrade *u, Node *n)
{
    float_to_input(u, n, "min", 1);
    float_to_input(u, n, "max", 2);
}

static void upgrade_slice(Upgrade *u, Node *n)
{
    upgrade_ints(u, n, "starts", 1);
    upgrade_ints(u, n, "ends", 2);
    upgrade_ints(u, n, "axes", 3);
}

static void upgrade_pad(Upgrade *u, Node *n)
{
    upgrade_ints(u, n, "pads", 1);
    float_to_input(u, n, "value", 2);
}

static void upgrade_split(Upgrade *u, Node *n)
{
    upgrade_ints(u, n, "split", 1);
}

/* A first output that nobody wants is one that nobody reads. */
static void name_first_output(Upgrade *u, Node *n)
{
    if (!n->num_out || n->out[0])
        return;
    n->out[0] = graph_tensor(u->g, upgrade_name(n, "unwanted"), (Type){.rank = -1});
    n->out[0]->producer = n;
}

static void upgrade_top_k(Upgrade *u, Node *n)
{
    const Attr *a = upgrade_attr(u, n, "k", ATTR_INT);
    if (!a)
        return;
    put_input(u, n, 1, graph_const_i64(u->g, upgrade_name(n, "k"), 1, &a->i));
    attr_remove(n, "k");
}

/* The kernel writes both values and indices. */
static void make_outputs(Upgrade *u, Node *n)
{
    for (int i = 0; i < n->num_out; i++)
        if (!n->out[i]) {
            n->out[i] = graph_tensor(u->g, upgrade_name(n, i ? "indices" : "values"), (Type){.rank = -1});
            n->out[i]->producer = n;
        }
}

/* ---- rules: training ---- */

/* At inference the mask keeps all. */
static void split_mask(Upgrade *u, Node *n)
{
    static const uint8_t yes = 1;
    if (n->num_out > 2)
        fail_node(u->g, n, "has %d outputs, Dropout gives 1 or 2", n->num_out);
    if (n->num_out < 2 || !n->out[1])
        return;
    upgrade_need_input(u, n);
    Node *shape = upgrade_node(u, n, "Shape", "shape", 1), *mask = upgrade_node(u, n, "Expand", "mask", 2);
    shape->in[0] = n->in[0];
    mask->in[0] = graph_const(u->g, upgrade_name(n, "keep"), type_make(DT_BOOL, 0, NULL), &yes);
    mask->in[1] = shape->out[0];
    mask->out[0] = n->out[1];
    mask->out[0]->producer = mask;
    n->num_out = 1;
    upgrade_place(u, shape);
    upgrade_place(u, mask);
}

static void upgrade_dropout(Upgrade *u, Node *n)
{
    bool mask = n->num_out > 1 && n->out[1];
    if (u->opset < 10 && mask && u->uses[n->out[1]->id])
        fail_node(u->g, n, "the mask of Dropout before opset 10 is not supported");
    if (u->opset >= 10)
        split_mask(u, n);
    float_to_input(u, n, "ratio", 1);
}

static void check_dropout(Upgrade *u, Node *n)
{
    split_mask(u, n);
    if (n->num_in < 3 || !n->in[2])
        return;
    if (!n->in[2]->data || const_scalar(u->g, n, 2) != 0)
        fail_node(u->g, n, "is in training mode; export the model for inference");
    n->in[2] = NULL;
}

/* Before opset 14 the further outputs said that the node was in training mode, used or not. */
static void check_batch_norm(Upgrade *u, Node *n)
{
    bool training = upgrade_take_int(u, n, "training_mode", 0) != 0;
    for (int i = 1; i < n->num_out; i++)
        training |= n->out[i] != NULL;
    if (training)
        fail_node(u->g, n, "is in training mode; export the model for inference");
    if (u->opset < 9 && upgrade_take_int(u, n, "spatial", 1) != 1)
        fail_node(u->g, n, "spatial = 0 (a mean per element) is not supported");
}

/* ---- rules: meaning ---- */

/* The rank of t where it is beyond doubt, else -1. */
static int sure_rank(const Tensor *t)
{
    const Node *n = t->producer;
    if (!n)
        return t->type.rank;
    if (!strcmp(n->op_name, "Flatten") || !strcmp(n->op_name, "Gemm"))
        return 2;
    bool shaped = !strcmp(n->op_name, "Reshape") && n->num_in == 2 && n->in[1] && n->in[1]->data;
    return shaped ? (int)type_elems(n->in[1]->type) : -1;
}

/* Before opset 13 Softmax saw x as a matrix, [dims before axis][all others], and worked along its rows:
 * Flatten(axis), Softmax, Reshape back. */
static void upgrade_softmax(Upgrade *u, Node *n)
{
    upgrade_need_input(u, n);
    Tensor *x = n->in[0], *y = n->out[0];
    int64_t axis = upgrade_take_int(u, n, "axis", 1);
    int rank = sure_rank(x);
    attr_set_int(n, "axis", -1);
    if (axis == -1 || (rank > 0 && axis == rank - 1))
        return;
    Node *shape = upgrade_node(u, n, "Shape", "shape", 1);
    shape->in[0] = x;
    upgrade_place(u, shape);
    Node *flat = upgrade_node(u, n, "Flatten", "flat", 1);
    flat->in[0] = x;
    attr_set_int(flat, "axis", axis);
    upgrade_place(u, flat);
    Node *back = upgrade_node(u, n, "Reshape", "rows", 2);
    back->in[0] = n->out[0] = back->out[0];
    back->in[1] = shape->out[0];
    back->out[0] = y;
    n->in[0] = flat->out[0];
    u->after = back;
}

/* LogSoftmax over the classes, which is output 1, then the loss. */
static void upgrade_cross_entropy(Upgrade *u, Node *n)
{
    upgrade_need_input(u, n);
    if (n->num_out > 2)
        fail_node(u->g, n, "has %d outputs, SoftmaxCrossEntropyLoss gives 1 or 2", n->num_out);
    Node *prob = upgrade_node(u, n, "LogSoftmax", "log_prob", 1);
    prob->in[0] = n->in[0];
    attr_set_int(prob, "axis", 1);
    if (n->num_out > 1 && n->out[1])
        prob->out[0] = n->out[1];
    upgrade_place(u, prob);
    n->in[0] = prob->out[0];
    n->num_out = 1;
    upgrade_rename(n, "NegativeLogLikelihoodLoss");
}

static void untranspose_gemm(Upgrade *u, Node *n)
{
    upgrade_need_input(u, n);
    if (!upgrade_take_int(u, n, "transA", 0))
        return;
    static const int64_t perm[] = {1, 0};
    Node *t = upgrade_node(u, n, "Transpose", "a", 1);
    t->in[0] = n->in[0];
    attr_set_ints(t, "perm", 2, perm);
    upgrade_place(u, t);
    n->in[0] = t->out[0];
}

/* The rounding of pads changed sides, and the old text contradicts itself. */
static void check_conv_transpose(Upgrade *u, Node *n)
{
    const Attr *pad = upgrade_attr(u, n, "auto_pad", ATTR_STRING);
    if (upgrade_attr(u, n, "output_shape", ATTR_INTS) || (pad && !strncmp(pad->s, "SAME", 4)))
        fail_node(u->g, n,
                  "output_shape and auto_pad SAME are ambiguous before opset 11; export with opset 17, or "
                  "with pads");
}

static void check_one_hot(Upgrade *u, Node *n)
{
    const Tensor *indices = n->num_in ? n->in[0] : NULL;
    int64_t count = indices && indices->data ? type_elems(indices->type) : -1;
    bool good = count >= 0;
    for (int64_t i = 0; i < count; i++)
        good &= elem_get(indices->data, indices->type.dtype, i) >= 0;
    if (!good)
        fail_node(u->g, n, "negative indices meant something else before opset 11; export with opset 17");
}

static void upgrade_roi_align(Upgrade *u, Node *n)
{
    (void)u;
    attr_set_string(n, "coordinate_transformation_mode", "output_half_pixel");
}

static void refuse_scan(Upgrade *u, Node *n)
{
    fail_node(u->g, n, "unsupported: Scan of opset 8, which had a batch; export with opset 17");
}

static void upgrade_scatter(Upgrade *u, Node *n)
{
    (void)u;
    upgrade_rename(n, "ScatterElements");
}

/* ---- rules: Resize ---- */

static void upgrade_upsample_7(Upgrade *u, Node *n)
{
    const Attr *a = upgrade_attr(u, n, "scales", ATTR_FLOATS);
    if (!a)
        fail_node(u->g, n, "attribute 'scales' is required");
    int64_t count = a->count;
    put_input(u, n, 1, graph_const(u->g, upgrade_name(n, "scales"), type_make(DT_F32, 1, &count), a->floats));
    attr_remove(n, "scales");
}

/* (X, scales) of Upsample and Resize-10: coordinates are x / scale, rounded down. */
static void upgrade_upsample(Upgrade *u, Node *n)
{
    if (n->num_in != 2)
        fail_node(u->g, n, "needs 2 inputs, not %d", n->num_in);
    put_input(u, n, 2, n->in[1]);
    n->in[1] = NULL;
    attr_set_string(n, "coordinate_transformation_mode", "asymmetric");
    attr_set_string(n, "nearest_mode", "floor");
    upgrade_rename(n, "Resize");
}

/* How opset 10 rounds when it shrinks is not said, and programs differ. */
static void upgrade_resize_10(Upgrade *u, Node *n)
{
    const Attr *mode = upgrade_attr(u, n, "mode", ATTR_STRING);
    const Tensor *scales = n->num_in > 1 ? n->in[1] : NULL;
    bool nearest = !mode || !strcmp(mode->s, "nearest");
    int64_t count = scales && scales->data && scales->type.dtype == DT_F32 ? type_elems(scales->type) : -1;
    bool grows = count >= 0;
    for (int64_t i = 0; i < count; i++)
        grows &= ((const float *)scales->data)[i] >= 1;
    if (nearest && !grows)
        fail_node(u->g, n,
                  "the rounding of Resize in opset 10 is only defined for constant scales of at least 1; "
                  "export with opset 17");
    upgrade_upsample(u, n);
}

/* Opset 11 wrote absent inputs as empty tensors. */
static void drop_empty_inputs(Upgrade *u, Node *n)
{
    (void)u;
    for (int i = 1; i < n->num_in; i++)
        if (n->in[i] && n->in[i]->data && type_elems(n->in[i]->type) == 0)
            n->in[i] = NULL;
}

/* Of another domain, which has it for more types. */
static void leave_domain(Upgrade *u, Node *n)
{
    upgrade_need_input(u, n);
    n->domain = "";
    upgrade_rename(n, n->op_name);
}

/* ---- the table ---- */

typedef struct UpgradeRow {
    const char *op;
    int from, to; /* the opsets whose form it changes */
    void (*rule)(Upgrade *u, Node *n);
    const char *becomes; /* "Conv, Add": made of it, the node itself one of them, mostly the
                          * last; NULL: the operator stays */
    const char *domain;  /* NULL: ai.onnx */
    /* Bits of inputs that must be constants, or of a known type. No two rows for an operator of one opset
     * may wait. */
    unsigned values, types;
} UpgradeRow;

/* Operators that are not here have had the form of opset 17 since opset 7 (upgrade_old.c knows the older
 * ones), or gained attributes whose default is the old meaning. */
#define KEEPS(op, from, to, rule)                                                                            \
    {                                                                                                        \
        op, from, to, rule, NULL, NULL, 0, 0                                                                 \
    }
#define WAITS(op, from, to, rule, values, types)                                                             \
    {                                                                                                        \
        op, from, to, rule, NULL, NULL, values, types                                                        \
    }
#define BECOMES(op, from, to, rule, becomes)                                                                 \
    {                                                                                                        \
        op, from, to, rule, becomes, NULL, 0, 0                                                              \
    }
#define QLINEAR(op, real, types)                                                                             \
    {                                                                                                        \
        op, OLDEST, NEWEST, upgrade_qlinear, "DequantizeLinear, " real ", QuantizeLinear", MICROSOFT, 0,     \
            types                                                                                            \
    }
#define SAME(op)                                                                                             \
    {                                                                                                        \
        op, OLDEST, NEWEST, leave_domain, op, MICROSOFT, 0, 0                                                \
    }
/* Inputs of a row, as bits. */
enum { IN_0 = 1, IN_1 = 2, IN_2 = 4, IN_3 = 8, IN_4 = 16, IN_6 = 64 };
static const UpgradeRow table[] = {
    KEEPS("BatchNormalization", OLDEST, NEWEST, check_batch_norm),
    KEEPS("Clip", OLDEST, 10, upgrade_clip),
    KEEPS("ConvTranspose", OLDEST, 10, check_conv_transpose),
    KEEPS("Dropout", OLDEST, 11, upgrade_dropout),
    WAITS("Dropout", 12, NEWEST, check_dropout, IN_2, 0),
    KEEPS("Gemm", OLDEST, NEWEST, untranspose_gemm),
    KEEPS("Hardmax", OLDEST, 12, upgrade_softmax),
    KEEPS("LogSoftmax", OLDEST, 12, upgrade_softmax),
    WAITS("OneHot", OLDEST, 10, check_one_hot, IN_0, 0),
    KEEPS("Pad", OLDEST, 10, upgrade_pad),
    WAITS("Pad", 18, NEWEST, downgrade_pad, IN_1 | IN_3, IN_0),
    {"QLinearConv", OLDEST, NEWEST, upgrade_qlinear_conv,
     "DequantizeLinear, Conv or ConvInteger, QuantizeLinear", NULL, 0, IN_1 | IN_3 | IN_6},
    {"QLinearMatMul", OLDEST, NEWEST, upgrade_qlinear_matmul,
     "DequantizeLinear, MatMul or MatMulInteger, QuantizeLinear", NULL, 0, IN_1 | IN_4 | IN_6},
    WAITS("ReduceL1", 18, NEWEST, downgrade_reduce, IN_1, 0),
    WAITS("ReduceL2", 18, NEWEST, downgrade_reduce, IN_1, 0),
    WAITS("ReduceLogSum", 18, NEWEST, downgrade_reduce, IN_1, 0),
    WAITS("ReduceLogSumExp", 18, NEWEST, downgrade_reduce, IN_1, 0),
    WAITS("ReduceMax", 18, NEWEST, downgrade_reduce, IN_1, 0),
    WAITS("ReduceMean", 18, NEWEST, downgrade_reduce, IN_1, 0),
    WAITS("ReduceMin", 18, NEWEST, downgrade_reduce, IN_1, 0),
    WAITS("ReduceProd", 18, NEWEST, downgrade_reduce, IN_1, 0),
    KEEPS("ReduceSum", OLDEST, 12, axes_to_input),
    WAITS("ReduceSumSquare", 18, NEWEST, downgrade_reduce, IN_1, 0),
    WAITS("Resize", OLDEST, 10, upgrade_resize_10, IN_1, 0),
    WAITS("Resize", 11, NEWEST, drop_empty_inputs, IN_1 | IN_2 | IN_3, 0),
    KEEPS("Resize", 18, NEWEST, downgrade_resize),
    KEEPS("RoiAlign", OLDEST, 15, upgrade_roi_align),
    KEEPS("Scan", OLDEST, 8, refuse_scan),
    BECOMES("Scatter", OLDEST, 10, upgrade_scatter, "ScatterElements"),
    KEEPS("Slice", OLDEST, 9, upgrade_slice),
    KEEPS("Softmax", OLDEST, 12, upgrade_softmax),
    BECOMES("SoftmaxCrossEntropyLoss", OLDEST, NEWEST, upgrade_cross_entropy,
            "LogSoftmax, NegativeLogLikelihoodLoss"),
    KEEPS("Split", OLDEST, NEWEST, name_first_output),
    KEEPS("Split", OLDEST, 12, upgrade_split),
    WAITS("Split", 18, NEWEST, downgrade_split, 0, IN_0),
    KEEPS("Squeeze", OLDEST, 12, axes_to_input),
    KEEPS("TopK", OLDEST, 9, upgrade_top_k),
    KEEPS("TopK", OLDEST, NEWEST, make_outputs),
    KEEPS("Unsqueeze", OLDEST, 12, axes_to_input),
    KEEPS("Upsample", OLDEST, 8, upgrade_upsample_7),
    BECOMES("Upsample", OLDEST, 9, upgrade_upsample, "Resize"),
    {"Quant", OLDEST, NEWEST, upgrade_qonnx, "Div, Add, Clip, Round, Sub, Mul", QONNX, IN_3, 0},
    {"BipolarQuant", OLDEST, NEWEST, upgrade_qonnx, "GreaterOrEqual, Where, Mul", QONNX, 0, 0},
    {"QGemm", OLDEST, NEWEST, upgrade_qgemm, "DequantizeLinear, Gemm, QuantizeLinear", MICROSOFT, 0,
     IN_1 | IN_3 | IN_4},
    SAME("QuantizeLinear"),
    SAME("DequantizeLinear"),
    QLINEAR("QLinearAdd", "Add", IN_0),
    QLINEAR("QLinearMul", "Mul", IN_0),
    QLINEAR("QLinearWhere", "Where", IN_1),
    QLINEAR("QLinearConcat", "Concat", IN_2),
    QLINEAR("QLinearSigmoid", "Sigmoid", IN_0),
    QLINEAR("QLinearLeakyRelu", "LeakyRelu", IN_0),
    QLINEAR("QLinearSoftmax", "Softmax", IN_0),
    QLINEAR("QLinearReduceMean", "ReduceMean", IN_0),
    QLINEAR("QLinearAveragePool", "AveragePool", IN_0),
    QLINEAR("QLinearGlobalAveragePool", "GlobalAveragePool", IN_0),
};
enum { NUM_ROWS = sizeof table / sizeof table[0] };

bool upgraded_operator(int i, const char **op, const char **becomes)
{
    for (int k = 0; k < NUM_ROWS; k++)
        if (table[k].becomes && i-- == 0) {
            *op = table[k].domain ? mem_printf("%s.%s", table[k].domain, table[k].op) : table[k].op;
            *becomes = table[k].becomes;
            return true;
        }
    return false;
}

static bool applies(const UpgradeRow *r, int64_t opset, const char *domain, const char *op)
{
    return opset >= r->from && opset <= r->to && !strcmp(op, r->op) &&
           !strcmp(domain, r->domain ? r->domain : "");
}

/* What the node itself becomes, mostly. */
static const char *final_name(const UpgradeRow *r)
{
    const char *last = strrchr(r->becomes, ' ');
    return last ? last + 1 : r->becomes;
}

static void apply_row(Upgrade *u, const UpgradeRow *r, Node *n)
{
    r->rule(u, n);
    if (r->becomes && !strstr(r->becomes, n->op_name))
        bug("%s became %s", r->op, n->op_name);
}

static bool is_input(const Upgrade *u, const Tensor *t)
{
    return t->id < u->num_first && u->is_input[t->id];
}

/* Whether what the rule asks for is not known yet. A graph's input stays unknown. */
static bool must_wait(const Upgrade *u, const UpgradeRow *r, const Node *n)
{
    bool waits = false;
    for (int i = 0; i < n->num_in; i++) {
        const Tensor *t = n->in[i];
        bool value = (r->values >> i) & 1, type = (r->types >> i) & 1;
        if (t && ((value && !t->data && !is_input(u, t)) || (type && !type_known(t->type))))
            waits = true;
    }
    return waits;
}

static void place_upgraded(Upgrade *u, Node *n)
{
    while (n->num_in && !n->in[n->num_in - 1])
        n->num_in--;
    upgrade_place(u, n);
    if (u->after)
        upgrade_place(u, u->after);
}

/* A node for which a rule waits keeps its opset. */
static void apply_rules(Upgrade *u, Node *n)
{
    const char *op = n->op_name, *domain = qonnx_domain(n->domain);
    u->after = NULL;
    n->opset = 0;
    if (u->opset < 7)
        upgrade_old(u, n);
    for (int i = 0; i < NUM_ROWS; i++) {
        if (!applies(&table[i], u->opset, domain, op))
            continue;
        if (must_wait(u, &table[i], n))
            n->opset = u->opset;
        else
            apply_row(u, &table[i], n);
    }
    place_upgraded(u, n);
}

Graph upgrade_waiting(Graph *g, Node *n)
{
    Upgrade u = {.g = g, .opset = n->opset};
    const char *op = n->op_name, *domain = qonnx_domain(n->domain);
    n->opset = 0;
    for (int i = 0; i < NUM_ROWS; i++)
        if ((table[i].values | table[i].types) && applies(&table[i], u.opset, domain, op))
            apply_row(&u, &table[i], n);
    place_upgraded(&u, n);
    return u.kept;
}

/* ---- Constant nodes ---- */

static void constant_value(const Graph *g, const Node *n, const Attr *a, Tensor *t)
{
    int64_t count = a->count;
    if (!strcmp(a->name, "value") && a->type == ATTR_TENSOR) {
        t->type = a->t->type;
        t->data = a->t->data;
    } else if (!strcmp(a->name, "value_float") && a->type == ATTR_FLOAT) {
        t->type = type_make(DT_F32, 0, NULL);
        t->data = &a->f;
    } else if (!strcmp(a->name, "value_int") && a->type == ATTR_INT) {
        t->type = type_make(DT_I64, 0, NULL);
        t->data = &a->i;
    } else if (!strcmp(a->name, "value_floats") && a->type == ATTR_FLOATS) {
        t->type = type_make(DT_F32, 1, &count);
        t->data = count ? a->floats : mem_alloc(1);
    } else if (!strcmp(a->name, "value_ints") && a->type == ATTR_INTS) {
        t->type = type_make(DT_I64, 1, &count);
        t->data = count ? a->ints : mem_alloc(1);
    } else {
        fail_node(g, n, "attribute '%s' of Constant is not supported", a->name);
    }
}

static bool is_constant(const Node *n)
{
    return !n->domain[0] && !strcmp(n->op_name, "Constant");
}

/* Constant nodes of a graph or body. */
static void replace_constants(const Upgrade *u, Graph *list)
{
    Graph rest = {0};
    for (int i = 0; i < list->num_nodes; i++) {
        Node *n = list->nodes[i];
        for (int k = 0; k < n->num_attrs; k++)
            if (n->attrs[k].graph)
                replace_constants(u, n->attrs[k].graph);
        if (!is_constant(n)) {
            node_append(&rest, n);
            continue;
        }
        if (n->num_attrs != 1 || n->num_out != 1 || n->num_in)
            fail_node(u->g, n, "needs one attribute and one output, and no input");
        if (!n->out[0])
            continue;
        n->out[0]->producer = NULL;
        constant_value(u->g, n, &n->attrs[0], n->out[0]);
    }
    list->nodes = rest.nodes;
    list->num_nodes = rest.num_nodes;
}

/* ---- float16 ---- */

/* Attributes that name a 16-bit floating-point type: "to" of Cast, "dtype" of others. */
static void widen_attrs(const Node *n)
{
    const int64_t half = dtype_to_onnx(DT_F16), bfloat16 = 16;
    for (int i = 0; i < n->num_attrs; i++) {
        Attr *a = &n->attrs[i];
        bool names_type = a->type == ATTR_INT && (!strcmp(a->name, "to") || !strcmp(a->name, "dtype"));
        if (names_type && (a->i == half || a->i == bfloat16))
            a->i = dtype_to_onnx(DT_F32);
        if (a->type == ATTR_TENSOR && a->t->type.dtype == DT_F16)
            tensor_widen_half(a->t);
        for (int k = 0; a->graph && k < a->graph->num_nodes; k++)
            widen_attrs(a->graph->nodes[k]);
    }
}

static void widen_halves(const Model *m)
{
    const Graph *g = m->graph;
    int widened = 0;
    for (int i = 0; i < g->num_tensors; i++)
        if (g->tensors[i]->type.dtype == DT_F16) {
            tensor_widen_half(g->tensors[i]);
            widened++;
        }
    for (int i = 0; i < g->num_nodes; i++)
        widen_attrs(g->nodes[i]);
    if (widened && !m->quiet)
        note("%s: float16 is computed as float, inputs and outputs are float", g->file);
}

/* ---- the pass ---- */

/* Operators that others replace have a supported kind at once, and their name when the rule has run. */
static void adopt_replaced(int64_t opset, Node *n)
{
    for (int i = 0; i < NUM_ROWS; i++)
        if (table[i].becomes && applies(&table[i], opset, qonnx_domain(n->domain), n->op_name))
            n->op = op_find("", final_name(&table[i]));
}

/* The version of the operator set that a node of the model, or of one of its functions, uses. */
static int64_t opset_of(const Model *m, const Node *n)
{
    int64_t opset = n->opset ? n->opset : m->opset;
    if (opset < OLDEST || opset > NEWEST)
        fail("%s: opset %" PRId64 " is not supported; %d to %d are. Export the model with opset %d", m->file,
             opset, OLDEST, NEWEST, FORM);
    return opset;
}

/* Whether all operators of a graph or body are supported. */
static bool check_operators(const Model *m, const Graph *list)
{
    bool good = true;
    for (int i = 0; i < list->num_nodes; i++) {
        Node *n = list->nodes[i];
        adopt_replaced(opset_of(m, n), n);
        good &= n->op != OP_UNSUPPORTED;
        for (int k = 0; k < n->num_attrs; k++)
            if (n->attrs[k].graph)
                good &= check_operators(m, n->attrs[k].graph);
    }
    return good;
}

static bool has_optional_outputs(const Node *n)
{
    static const char *const names[] = {"BatchNormalization", "Dropout", "GRU", "LSTM",
                                        "LayerNormalization", "MaxPool", "RNN"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (!strcmp(n->op_name, names[i]))
            return true;
    return false;
}

static void drop_unused_outputs(const Graph *list, const int *uses)
{
    for (int i = 0; i < list->num_nodes; i++) {
        Node *n = list->nodes[i];
        for (int k = 0; k < n->num_attrs; k++)
            if (n->attrs[k].graph)
                drop_unused_outputs(n->attrs[k].graph, uses);
        for (int k = 1; k < n->num_out && has_optional_outputs(n); k++)
            if (n->out[k] && !uses[n->out[k]->id]) {
                n->out[k]->producer = NULL;
                n->out[k] = NULL;
            }
        while (n->num_out > 1 && !n->out[n->num_out - 1])
            n->num_out--;
    }
}

/* The nodes of a graph or body, those of its bodies first. */
static void upgrade_list(const Model *m, Graph *list, const Upgrade *with)
{
    Upgrade u = *with;
    for (int i = 0; i < list->num_nodes; i++) {
        Node *n = list->nodes[i];
        for (int k = 0; k < n->num_attrs; k++)
            if (n->attrs[k].graph)
                upgrade_list(m, n->attrs[k].graph, with);
        u.opset = opset_of(m, n);
        apply_rules(&u, n);
    }
    list->nodes = u.kept.nodes;
    list->num_nodes = u.kept.num_nodes;
}

void pass_upgrade(Model *m)
{
    const Upgrade u = {.g = m->graph, .opset = m->opset};
    if (!m->opset) {
        check_supported(m->graph);
        fail("%s: does not say which version of ONNX's operator set it uses (opset_import)", m->file);
    }
    widen_halves(m);
    replace_constants(&u, m->graph);
    if (!check_operators(m, m->graph))
        check_supported(m->graph);
    const Upgrade all = {.g = m->graph,
                         .uses = graph_use_counts(m->graph),
                         .is_input = graph_mark_inputs(m->graph),
                         .num_first = m->graph->num_tensors};
    upgrade_list(m, m->graph, &all);
    drop_unused_outputs(m->graph, graph_use_counts(m->graph));
    m->opset = FORM;
    m->ir_version = IR_VERSION;
}
