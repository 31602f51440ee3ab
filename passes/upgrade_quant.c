/* upgrade_quant.c - quantised operators in terms of others: QLinearConv and QLinearMatMul are integer sums
 * that DequantizeLinear multiplies by x_scale * w_scale / y_scale and QuantizeLinear rounds; QONNX's Quant
 * and BipolarQuant (domain qonnx.custom_op.general) are the steps of their definitions. Every step rounds as
 * the definition does, so the results are the same bit for bit. Sources: the operators' texts in ONNX;
 * QONNX's text on its operators. */
#include "graph/op.h"
#include "upgrade.h"

#include <string.h>

/* ---- nodes ---- */

static Tensor *make(Upgrade *u, const Node *of, const char *op, Tensor *a, Tensor *b)
{
    Node *n = upgrade_node(u, of, op, op, b ? 2 : 1);
    n->in[0] = a;
    if (b)
        n->in[1] = b;
    upgrade_place(u, n);
    return n->out[0];
}

static Tensor *make_float(const Upgrade *u, const Node *of, float v)
{
    float *data = NEW(float);
    *data = v;
    return graph_const(u->g, upgrade_name(of, "value"), type_make(DT_F32, 0, NULL), data);
}

/* n becomes OP(a, b, c), those that are not NULL, without attributes. */
static void become(Node *n, const char *op, Tensor *a, Tensor *b, Tensor *c)
{
    n->domain = "";
    n->op_name = op;
    n->op = op_find("", op);
    n->num_attrs = 0;
    n->num_in = 1 + (b != NULL) + (c != NULL);
    n->in = NEW_ARRAY(Tensor *, 3);
    n->in[0] = a;
    n->in[1] = b;
    n->in[2] = c;
}

static void require_inputs(const Upgrade *u, const Node *n, int min, int max)
{
    bool good = n->num_in >= min && n->num_in <= max && n->num_out == 1 && n->out[0];
    for (int i = 0; i < min && good; i++)
        good = n->in[i] != NULL;
    if (!good)
        fail_node(u->g, n, "needs %d to %d inputs and one output", min, max);
}

static bool is_single(const Tensor *t)
{
    return type_known(t->type) && type_elems(t->type) == 1;
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
    Tensor *factor = make(u, n, "Div", make(u, n, "Mul", n->in[1], n->in[4]), n->in[6]);
    Node *scaled = upgrade_node(u, n, "DequantizeLinear", "scaled", 2);
    scaled->in[0] = sums;
    scaled->in[1] = factor;
    attr_set_int(scaled, "axis", axis);
    upgrade_place(u, scaled);
    become(n, "QuantizeLinear", scaled->out[0], make_float(u, n, 1), n->in[7]);
}

void upgrade_qlinear_conv(Upgrade *u, Node *n)
{
    require_inputs(u, n, 8, 9);
    int rank = n->in[3]->type.rank;
    if (rank < 3 || rank > MAX_RANK || !is_single(n->in[1]))
        fail_node(u->g, n, "unsupported: weights of rank %d, or several scales of the input", rank);
    Tensor *sums = make_sums(u, n, "ConvInteger")->out[0];
    if (n->num_in > 8) {
        int64_t shape[MAX_RANK] = {1, -1};
        for (int i = 2; i < rank; i++)
            shape[i] = 1;
        Tensor *to = graph_const_i64(u->g, upgrade_name(n, "shape"), rank, shape);
        sums = make(u, n, "Add", sums, make(u, n, "Reshape", n->in[8], to));
    }
    round_sums(u, n, sums, 1);
}

void upgrade_qlinear_matmul(Upgrade *u, Node *n)
{
    require_inputs(u, n, 8, 8);
    bool rows = !is_single(n->in[1]), columns = !is_single(n->in[4]);
    if (rows && columns)
        fail_node(u->g, n, "unsupported: scales for each row and each column");
    round_sums(u, n, make_sums(u, n, "MatMulInteger")->out[0], rows ? -2 : -1);
}

/* ---- QONNX ---- */

static int64_t int_attr(const Upgrade *u, const Node *n, const char *name, int64_t otherwise)
{
    const Attr *a = upgrade_attr(u, n, name, ATTR_INT);
    return a ? a->i : otherwise;
}

/* The operator that rounds. */
static const char *rounding(const Upgrade *u, const Node *n)
{
    static const char *const known[][2] = {{"ROUND", "Round"}, {"FLOOR", "Floor"}, {"CEIL", "Ceil"}};
    const Attr *a = upgrade_attr(u, n, "rounding_mode", ATTR_STRING);
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (!strcmp(a ? a->s : "ROUND", known[i][0]))
            return known[i][1];
    fail_node(u->g, n, "unsupported: 'rounding_mode' = '%s'", a->s);
}

/* y = (round(clip(x / scale + zero, low, high)) - zero) * scale */
static void lower_quant(Upgrade *u, Node *n)
{
    enum { MAX_BITS = 24 }; /* codes are exact in float */
    require_inputs(u, n, 4, 4);
    const Tensor *width = n->in[3];
    if (!width->data || type_elems(width->type) != 1)
        fail_node(u->g, n, "unsupported: Quant with a bit width that is not one constant");
    double bits = const_scalar(u->g, n, 3), power = 1;
    bool has_sign = int_attr(u, n, "signed", 1) != 0, narrow = int_attr(u, n, "narrow", 0) != 0;
    if (!(bits >= 1 + has_sign && bits <= MAX_BITS) || bits > (double)(int)bits)
        fail_node(u->g, n, "unsupported: Quant of %g bits", bits);
    for (int i = 0; i < (int)bits - has_sign; i++)
        power *= 2;
    double high = has_sign ? power - 1 : power - 1 - narrow;
    double low = has_sign ? narrow - power : 0;
    const char *round = rounding(u, n);
    Tensor *scale = n->in[1], *zero = n->in[2];
    Tensor *code = make(u, n, "Add", make(u, n, "Div", n->in[0], scale), zero);
    Node *clip = upgrade_node(u, n, "Clip", "clip", 3);
    clip->in[0] = code;
    clip->in[1] = make_float(u, n, (float)low);
    clip->in[2] = make_float(u, n, (float)high);
    upgrade_place(u, clip);
    code = make(u, n, "Sub", make(u, n, round, clip->out[0], NULL), zero);
    become(n, "Mul", code, scale, NULL);
}

/* y = x >= 0 ? scale : -scale */
static void lower_bipolar(Upgrade *u, Node *n)
{
    require_inputs(u, n, 2, 2);
    Tensor *scale = n->in[1], *zero = make_float(u, n, 0);
    Node *sign = upgrade_node(u, n, "Where", "sign", 3);
    sign->in[0] = make(u, n, "GreaterOrEqual", n->in[0], zero);
    sign->in[1] = make_float(u, n, 1);
    sign->in[2] = make_float(u, n, -1);
    upgrade_place(u, sign);
    become(n, "Mul", sign->out[0], scale, NULL);
}

static void check_names(const Upgrade *u, const Node *n, const char *const *names)
{
    for (int i = 0; i < n->num_attrs; i++) {
        const char *const *p = names;
        while (*p && strcmp(*p, n->attrs[i].name) != 0)
            p++;
        if (!*p)
            fail_node(u->g, n, "unsupported: attribute '%s' of %s", n->attrs[i].name, n->op_name);
    }
}

const char *qonnx_domain(const char *domain)
{
    return strcmp(domain, "onnx.brevitas") != 0 ? domain : QONNX;
}

void upgrade_qonnx(Upgrade *u, Node *n)
{
    static const char *const quant[] = {"signed", "narrow", "rounding_mode", NULL}, *const none[] = {NULL};
    bool bipolar = !strcmp(n->op_name, "BipolarQuant");
    check_names(u, n, bipolar ? none : quant);
    if (bipolar)
        lower_bipolar(u, n);
    else
        lower_quant(u, n);
}
