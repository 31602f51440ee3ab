/* upgrade_qlinear.c - operators on codes, ONNX's and com.microsoft's, in terms of others: what they compute
 * in real numbers between DequantizeLinear and QuantizeLinear, of which codes.c and fuse.c make integer code.
 *
 * QLinearConv and QLinearMatMul with weights whose codes, less their zero point, are not constants of 8 bits
 * are integer sums that DequantizeLinear multiplies by x_scale * w_scale / y_scale and QuantizeLinear rounds:
 * bit for bit what their definitions say. Sources: the operators' texts in ONNX; onnxruntime's
 * ContribOperators.md. */
#include "graph/op.h"
#include "upgrade.h"

#include <string.h>

static bool is_single(const Tensor *t)
{
    return type_known(t->type) && type_elems(t->type) == 1;
}

/* A zero point for each scale, where there is one for all. */
static Tensor *spread_zero(const Upgrade *u, const Node *n, Tensor *zero, const Tensor *scale)
{
    if (!zero || !zero->data || type_elems(zero->type) != 1 || !type_known(scale->type) ||
        type_elems(scale->type) == 1)
        return zero;
    Type t = scale->type;
    t.dtype = zero->type.dtype;
    void *data = mem_alloc(type_bytes(t));
    for (int64_t i = 0; i < type_elems(t); i++)
        elem_set(data, t.dtype, i, elem_get(zero->data, t.dtype, 0));
    return graph_const(u->g, upgrade_name(n, "zeros"), t, data);
}

/* The tensor, scale and zero point that are inputs i, i + 1, i + 2, in real numbers. */
static Tensor *dequantized(Upgrade *u, const Node *n, int i, int64_t axis)
{
    Tensor *zero = i + 2 < n->num_in ? spread_zero(u, n, n->in[i + 2], n->in[i + 1]) : NULL;
    Node *d = upgrade_node(u, n, "DequantizeLinear", "real", zero ? 3 : 2);
    d->in[0] = n->in[i];
    d->in[1] = n->in[i + 1];
    if (zero)
        d->in[2] = zero;
    attr_set_int(d, "axis", axis);
    upgrade_place(u, d);
    return d->out[0];
}

static Tensor *real_bias(Upgrade *u, const Node *n, Tensor *bias, Tensor *scales)
{
    Node *d = upgrade_node(u, n, "DequantizeLinear", "bias", 2);
    d->in[0] = bias;
    d->in[1] = scales;
    attr_set_int(d, "axis", 0);
    upgrade_place(u, d);
    return d->out[0];
}

/* The node gets n's attributes but `without`, and its place. */
static void place_real(Upgrade *u, const Node *n, Node *real, const char *without)
{
    real->attrs = NEW_ARRAY(Attr, n->num_attrs);
    for (int i = 0; i < n->num_attrs; i++)
        if (!without || strcmp(n->attrs[i].name, without) != 0)
            real->attrs[real->num_attrs++] = n->attrs[i];
    upgrade_place(u, real);
}

/* Whether all codes less their zero point are constants of 8 bits; inner: codes in a row that have one zero
 * point. */
static bool has_ints(const Tensor *w, const Tensor *zero, int64_t inner)
{
    if (!w->data || !dtype_is_byte(w->type.dtype) || (zero && !zero->data))
        return false;
    int64_t zeros = zero ? type_elems(zero->type) : 0;
    for (int64_t i = 0; i < type_elems(w->type); i++) {
        double z = zeros ? elem_get(zero->data, zero->type.dtype, i / inner % zeros) : 0;
        double v = elem_get(w->data, w->type.dtype, i) - z;
        if (v < INT8_MIN || v > INT8_MAX)
            return false;
    }
    return true;
}

/* ---- QLinearConv, QLinearMatMul: (a, a_scale, a_zero, b, b_scale, b_zero, y_scale, y_zero) ---- */

/* The node of the integer sums, with n's attributes. */
static Node *make_sums(Upgrade *u, const Node *n, const char *op)
{
    Node *sums = upgrade_node(u, n, op, "sums", 4);
    sums->in[0] = n->in[0];
    sums->in[1] = n->in[3];
    sums->in[2] = n->in[2];
    sums->in[3] = n->in[5];
    sums->attrs = n->attrs;
    sums->num_attrs = n->num_attrs;
    upgrade_place(u, sums);
    return sums;
}

/* n becomes round(sums * (a_scale * b_scale / y_scale)) + y_zero; factors lie along `axis` when there are
 * several. */
static void round_sums(Upgrade *u, Node *n, Tensor *sums, int64_t axis)
{
    if (!is_single(n->in[6]))
        fail_node(u->g, n, "unsupported: several scales of the output");
    Tensor *factor = upgrade_make(u, n, "Div", upgrade_make(u, n, "Mul", n->in[1], n->in[4]), n->in[6]);
    Node *scaled = upgrade_node(u, n, "DequantizeLinear", "scaled", 2);
    scaled->in[0] = sums;
    scaled->in[1] = factor;
    attr_set_int(scaled, "axis", axis);
    upgrade_place(u, scaled);
    upgrade_become(n, "QuantizeLinear", scaled->out[0], upgrade_float(u, n, 1), n->in[7]);
}

static void conv_of_sums(Upgrade *u, Node *n, int rank)
{
    Tensor *sums = make_sums(u, n, "ConvInteger")->out[0];
    if (n->num_in > 8) {
        int64_t shape[MAX_RANK] = {1, -1};
        for (int i = 2; i < rank; i++)
            shape[i] = 1;
        Tensor *to = graph_const_i64(u->g, upgrade_name(n, "shape"), rank, shape);
        sums = upgrade_make(u, n, "Add", sums, upgrade_make(u, n, "Reshape", n->in[8], to));
    }
    round_sums(u, n, sums, 1);
}

static Tensor *input(const Node *n, int i)
{
    return i < n->num_in ? n->in[i] : NULL;
}

void upgrade_qlinear_conv(Upgrade *u, Node *n)
{
    upgrade_inputs(u, n, 8, 9);
    int rank = n->in[3]->type.rank;
    if (rank < 3 || rank > MAX_RANK || !is_single(n->in[1]))
        fail_node(u->g, n, "unsupported: weights of rank %d, or several scales of the input", rank);
    int64_t channels = n->in[3]->type.dims[0];
    int64_t each = channels > 0 ? type_elems(n->in[3]->type) / channels : 1;
    if (!is_single(n->in[6]) || !has_ints(n->in[3], n->in[5], each)) {
        conv_of_sums(u, n, rank);
        return;
    }
    Node *real = upgrade_node(u, n, "Conv", "real", input(n, 8) ? 3 : 2);
    real->in[0] = dequantized(u, n, 0, 0);
    real->in[1] = dequantized(u, n, 3, 0);
    if (input(n, 8))
        real->in[2] = real_bias(u, n, n->in[8], upgrade_make(u, n, "Mul", n->in[1], n->in[4]));
    place_real(u, n, real, NULL);
    upgrade_become(n, "QuantizeLinear", real->out[0], n->in[6], n->in[7]);
}

void upgrade_qlinear_matmul(Upgrade *u, Node *n)
{
    upgrade_inputs(u, n, 8, 8);
    if (n->in[3]->type.rank == 2 && is_single(n->in[1]) && is_single(n->in[6]) &&
        has_ints(n->in[3], n->in[5], 1)) {
        Tensor *a = dequantized(u, n, 0, 0), *b = dequantized(u, n, 3, 1);
        upgrade_become(n, "QuantizeLinear", upgrade_make(u, n, "MatMul", a, b), n->in[6], n->in[7]);
        return;
    }
    bool rows = !is_single(n->in[1]), columns = !is_single(n->in[4]);
    if (rows && columns)
        fail_node(u->g, n, "unsupported: scales for each row and each column");
    round_sums(u, n, make_sums(u, n, "MatMulInteger")->out[0], rows ? -2 : -1);
}

/* ---- com.microsoft ---- */

void upgrade_qgemm(Upgrade *u, Node *n)
{
    upgrade_inputs(u, n, 6, 9);
    const Attr *transposed = upgrade_attr(u, n, "transB", ATTR_INT),
               *alpha = upgrade_attr(u, n, "alpha", ATTR_FLOAT);
    Node *real = upgrade_node(u, n, "Gemm", "real", input(n, 6) ? 3 : 2);
    real->in[0] = dequantized(u, n, 0, 0);
    real->in[1] = dequantized(u, n, 3, !(transposed && transposed->i));
    if (input(n, 6)) {
        Tensor *scale = upgrade_make(u, n, "Mul", n->in[1], n->in[4]);
        scale = alpha ? upgrade_make(u, n, "Mul", scale, upgrade_float(u, n, alpha->f)) : scale;
        real->in[2] = real_bias(u, n, n->in[6], scale);
    }
    if (!input(n, 7)) {
        int count = n->num_attrs;
        upgrade_become(n, "Gemm", real->in[0], real->in[1], input(n, 6) ? real->in[2] : NULL);
        n->num_attrs = count; /* they are Gemm's */
        return;
    }
    place_real(u, n, real, NULL);
    upgrade_become(n, "QuantizeLinear", real->out[0], n->in[7], input(n, 8));
}

/* Operators whose inputs are `first` others, then codes, scale and zero point of each operand, then scale and
 * zero point of the output, which QLinearConcat has in front. */
typedef struct QLinear {
    const char *op, *real;
    int first, operands; /* 0: any number */
    const char *without; /* an attribute that the other has not */
} QLinear;

static const QLinear qlinear[] = {
    {"QLinearAdd", "Add", 0, 2, NULL},
    {"QLinearMul", "Mul", 0, 2, NULL},
    {"QLinearWhere", "Where", 1, 2, NULL},
    {"QLinearConcat", "Concat", 2, 0, NULL},
    {"QLinearSigmoid", "Sigmoid", 0, 1, NULL},
    {"QLinearLeakyRelu", "LeakyRelu", 0, 1, NULL},
    {"QLinearSoftmax", "Softmax", 0, 1, "opset"},
    {"QLinearReduceMean", "ReduceMean", 0, 1, NULL},
    {"QLinearAveragePool", "AveragePool", 0, 1, "channels_last"},
    {"QLinearGlobalAveragePool", "GlobalAveragePool", 0, 1, "channels_last"},
};

static const QLinear *find_qlinear(const Node *n)
{
    for (size_t i = 0; i < sizeof qlinear / sizeof qlinear[0]; i++)
        if (!strcmp(n->op_name, qlinear[i].op))
            return &qlinear[i];
    bug("%s has no row", n->op_name);
}

/* Of what the attributes that others have not may be. */
static void check_attrs(const Upgrade *u, const Node *n)
{
    const Attr *last = upgrade_attr(u, n, "channels_last", ATTR_INT),
               *opset = upgrade_attr(u, n, "opset", ATTR_INT);
    if (last && last->i)
        fail_node(u->g, n, "unsupported: channels_last; quantise the model with its channels first");
    if (opset && opset->i < 13)
        fail_node(u->g, n, "unsupported: Softmax of opset %s; convert the model to opset 13 or later",
                  int_text(opset->i));
}

static Tensor *zero_like(const Upgrade *u, const Node *n, const Tensor *codes)
{
    DType d = codes->type.dtype == DT_I8 ? DT_I8 : DT_U8;
    return graph_const(u->g, upgrade_name(n, "zero"), type_make(d, 0, NULL), mem_alloc(1));
}

/* Zero points may be absent. */
static void check_inputs(const Upgrade *u, const Node *n, int first, int operands, int scale)
{
    int behind = first + 3 * operands;
    bool good = operands > 0 && n->num_in <= (scale < behind ? behind : behind + 2) && input(n, scale) &&
                n->num_out == 1 && n->out[0];
    for (int k = 0; k < operands && good; k++)
        good = input(n, first + 3 * k) && input(n, first + 3 * k + 1);
    if (!good)
        fail_node(u->g, n,
                  "needs codes, scale and zero point of each operand, scale and zero point of its output, "
                  "and has no other");
}

void upgrade_qlinear(Upgrade *u, Node *n)
{
    const QLinear *q = find_qlinear(n);
    bool concat = q->operands == 0;
    int operands = concat ? n->num_in / 3 : q->operands, others = concat ? 0 : q->first;
    int scale = concat ? 0 : q->first + 3 * operands;
    check_inputs(u, n, q->first, operands, scale);
    check_attrs(u, n);
    Node *real = upgrade_node(u, n, q->real, "real", others + operands);
    for (int i = 0; i < others; i++)
        real->in[i] = n->in[i];
    for (int k = 0; k < operands; k++)
        real->in[others + k] = dequantized(u, n, q->first + 3 * k, 0);
    place_real(u, n, real, q->without);
    Tensor *zero = input(n, scale + 1);
    upgrade_become(n, "QuantizeLinear", real->out[0], n->in[scale],
                   zero ? zero : zero_like(u, n, n->in[q->first]));
}
