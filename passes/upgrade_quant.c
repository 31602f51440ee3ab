/* upgrade_quant.c - QONNX's Quant and BipolarQuant (domain qonnx.custom_op.general) are the steps of their
 * definitions. Every step rounds as the definition does, so the results are the same bit for bit. Source:
 * QONNX's text on its operators. */
#include "graph/op.h"
#include "upgrade.h"

#include <string.h>

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
    upgrade_inputs(u, n, 4, 4);
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
    Tensor *code = upgrade_make(u, n, "Add", upgrade_make(u, n, "Div", n->in[0], scale), zero);
    Node *clip = upgrade_node(u, n, "Clip", "clip", 3);
    clip->in[0] = code;
    clip->in[1] = upgrade_float(u, n, (float)low);
    clip->in[2] = upgrade_float(u, n, (float)high);
    upgrade_place(u, clip);
    code = upgrade_make(u, n, "Sub", upgrade_make(u, n, round, clip->out[0], NULL), zero);
    upgrade_become(n, "Mul", code, scale, NULL);
}

/* y = x >= 0 ? scale : -scale */
static void lower_bipolar(Upgrade *u, Node *n)
{
    upgrade_inputs(u, n, 2, 2);
    Tensor *scale = n->in[1], *zero = upgrade_float(u, n, 0);
    Node *sign = upgrade_node(u, n, "Where", "sign", 3);
    sign->in[0] = upgrade_make(u, n, "GreaterOrEqual", n->in[0], zero);
    sign->in[1] = upgrade_float(u, n, 1);
    sign->in[2] = upgrade_float(u, n, -1);
    upgrade_place(u, sign);
    upgrade_become(n, "Mul", sign->out[0], scale, NULL);
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
