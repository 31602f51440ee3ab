/* op_quant.c - QuantizeLinear, DequantizeLinear and DynamicQuantizeLinear: between float and codes of 8 or 16
 * bits. They evaluate by the runtime's kernels; every step is one correctly rounded operation of float, so
 * that generated code agrees exactly. */
#include "ops/ops.h"

#include "quant.h"

#include <math.h>

static const Tensor *zero_of(const Node *n)
{
    return n->num_in > 2 ? n->in[2] : NULL;
}

bool node_step(const Node *n, CodeStep *s)
{
    const Tensor *scale = n->in[1], *zero = zero_of(n);
    if (!scale->data || type_elems(scale->type) != 1 || (zero && !zero->data))
        return false;
    s->scale = elem_get(scale->data, scale->type.dtype, 0);
    s->zero = zero ? (int)elem_get(zero->data, zero->type.dtype, 0) : 0;
    return s->scale > 0 && isfinite(s->scale);
}

/* The tensor as [outer][n][inner], n the number of scales: one, or one for each index of `axis`. */
static AxisSplit scale_split(const Graph *g, const Node *n)
{
    Type x = n->in[0]->type, s = n->in[1]->type;
    if (s.dtype != DT_F32)
        fail_node(g, n, "unsupported: scales of %s", dtype_name(s.dtype));
    if (s.rank == 0 || (s.rank == 1 && s.dims[0] == 1))
        return (AxisSplit){1, 1, type_elems(x)};
    AxisSplit split = split_axis(x, norm_axis(g, n, attr_int(n, "axis"), x.rank));
    if (s.rank != 1 || s.dims[0] != split.n)
        fail_node(g, n, "scales %s for an axis of %s", type_text(s), int_text(split.n));
    return split;
}

static void check_zero(const Graph *g, const Node *n, DType codes)
{
    const Tensor *z = zero_of(n);
    if (z && z->type.dtype != codes)
        fail_node(g, n, "the zero point is %s, the codes are %s", dtype_name(z->type.dtype),
                  dtype_name(codes));
    if (z && type_elems(z->type) != type_elems(n->in[1]->type))
        fail_node(g, n, "zero points %s for scales %s", type_text(z->type), type_text(n->in[1]->type));
}

/* A constant scale that makes no codes, or no numbers, of anything. Zero ones are those of channels without
 * weights, where they multiply. */
static void check_scales(const Graph *g, const Node *n)
{
    const Tensor *s = n->in[1];
    for (int64_t i = 0; s->data && i < type_elems(s->type); i++) {
        double v = elem_get(s->data, s->type.dtype, i);
        if (!isfinite(v) || (v == 0 && n->op == OP_QuantizeLinear))
            fail_node(
                g, n,
                "scale %s of '%s' is %g: the range of '%s' must be found anew where the model was quantised",
                int_text(i), s->name, v, n->in[0]->name);
    }
}

static void check_size(const Graph *g, const Node *n)
{
    if (type_elems(n->in[0]->type) > INT32_MAX)
        fail_node(g, n, "unsupported: more than %d elements", INT32_MAX);
}

bool is_float_scalar(const Tensor *t)
{
    return t->data && type_elems(t->type) == 1 && t->type.dtype == DT_F32;
}

static bool has_scalars(const Node *n)
{
    for (int i = 0; i < n->num_in; i++)
        if (n->in[i] && is_float_scalar(n->in[i]))
            return true;
    return false;
}

bool moves_input(const Node *n, int k)
{
    switch (n->op) {
    case OP_Reshape:
    case OP_Flatten:
    case OP_Squeeze:
    case OP_Unsqueeze:
    case OP_Identity:
    case OP_Transpose:
    case OP_Slice:
    case OP_Split:
    case OP_Expand:
    case OP_Tile:
    case OP_DepthToSpace:
    case OP_SpaceToDepth:
    case OP_ReverseSequence:
    case OP_Gather:
    case OP_GatherElements:
    case OP_GatherND:
    case OP_ReduceMax:
    case OP_ReduceMin:
    case OP_GlobalMaxPool: return k == 0;
    case OP_MaxPool: return k == 0 && (n->num_out == 1 || !n->out[1]);
    case OP_Resize: return k == 0 && picks_nearest(n);
    case OP_Pad: return k == 0 || k == 2;
    case OP_Where: return k > 0;
    case OP_Max:
    case OP_Min: return !has_scalars(n);
    case OP_Concat: return true;
    default: return false;
    }
}

bool moves_codes(const Node *n)
{
    for (int k = 0; k < n->num_in; k++)
        if (n->in[k] && moves_input(n, k))
            return n->in[k]->type.dtype == DT_F32 && n->out[0];
    return false;
}

bool has_codes(const Graph *g)
{
    const Layer *l;
    for (int i = 0; i < g->num_nodes; i++) {
        const Node *n = g->nodes[i];
        if (n->op == OP_QuantizeLinear || n->op == OP_DequantizeLinear)
            return true;
        for (int k = 0; (l = node_layer(n, k)); k++)
            if (l->quantised)
                return true;
    }
    return false;
}

static bool has_other_constants(const Node *n)
{
    for (int i = 0; i < n->num_in; i++)
        if (n->in[i] && n->in[i]->data && !is_float_scalar(n->in[i]))
            return true;
    return false;
}

bool is_code_function(const Node *n)
{
    static const OpKind functions[] = {OP_Relu,       OP_Clip,        OP_LeakyRelu,
                                       OP_PRelu,      OP_Elu,         OP_Selu,
                                       OP_Celu,       OP_HardSigmoid, OP_HardSwish,
                                       OP_Sigmoid,    OP_Sin,         OP_Cos,
                                       OP_Tan,        OP_Asin,        OP_Acos,
                                       OP_Atan,       OP_Sinh,        OP_Cosh,
                                       OP_Tanh,       OP_Asinh,       OP_Acosh,
                                       OP_Atanh,      OP_Softplus,    OP_Softsign,
                                       OP_Shrink,     OP_Sign,        OP_ThresholdedRelu,
                                       OP_Erf,        OP_Exp,         OP_Log,
                                       OP_Sqrt,       OP_Abs,         OP_Neg,
                                       OP_Reciprocal, OP_Round,       OP_Floor,
                                       OP_Ceil,       OP_Pow,         OP_Add,
                                       OP_Sub,        OP_Mul,         OP_Div,
                                       OP_Max,        OP_Min,         OP_Sum,
                                       OP_Mean};
    for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++)
        if (n->op == functions[i])
            return n->out[0]->type.dtype == DT_F32 && !has_other_constants(n);
    return false;
}

bool is_code_arithmetic(const Node *n)
{
    if (n->num_in != 2 || n->in[0]->data || n->out[0]->type.dtype != DT_F32)
        return false;
    if (n->op == OP_PRelu)
        return n->in[1]->data != NULL;
    return (n->op == OP_Add || n->op == OP_Sum || n->op == OP_Sub || n->op == OP_Mul) && !n->in[1]->data;
}

/* ---- QuantizeLinear ---- */

static void infer_quantize(Graph *g, Node *n)
{
    Type y = n->in[0]->type;
    if (y.dtype != DT_F32)
        fail_node(g, n, "unsupported: %s of %s", n->op_name, dtype_name(y.dtype));
    y.dtype = zero_of(n) ? zero_of(n)->type.dtype : DT_U8;
    if (!dtype_is_code(y.dtype))
        fail_node(g, n, "unsupported: %s to %s", n->op_name, dtype_name(y.dtype));
    check_size(g, n);
    scale_split(g, n);
    check_scales(g, n);
    check_zero(g, n, y.dtype);
    n->out[0]->type = y;
}

static void eval_quantize(const Graph *g, const Node *n, const void *const *in, void *const *out)
{
    AxisSplit s = scale_split(g, n);
    int32_t outer = (int32_t)s.outer, count = (int32_t)s.n, inner = (int32_t)s.inner;
    const void *zero = zero_of(n) ? in[2] : NULL;
    DType d = n->out[0]->type.dtype;
    if (d == DT_I16)
        tn_quantize_i16(out[0], in[0], in[1], zero, outer, count, inner);
    else
        tn_quantize(out[0], in[0], in[1], zero, outer, count, inner, d == DT_I8);
}

static const char *zero_text(Emitter *e, const Node *n)
{
    return zero_of(n) ? emit_ptr(e, n->in[2]) : "NULL";
}

static void emit_quantize(Emitter *e, const Node *n)
{
    AxisSplit s = scale_split(emit_plan(e)->g, n);
    bool forth = n->op == OP_QuantizeLinear;
    const char *name = forth ? "quantize" : "dequantize";
    const Tensor *narrow = forth ? n->out[0] : n->in[0];
    const char *sign = ", 0";
    if (narrow->type.dtype == DT_I8)
        sign = ", 1";
    if (narrow->type.dtype == DT_I16) {
        name = mem_printf("%s_i16", name);
        sign = "";
    }
    emit_line(e, "%s(%s, %s, %s, %s, %s%s);", emit_kernel(e, name, DT_NONE), emit_ptr(e, n->out[0]),
              emit_ptr(e, n->in[0]), emit_ptr(e, n->in[1]), zero_text(e, n), split_text(s), sign);
}

const OpDef op_QuantizeLinear = {
    .name = "QuantizeLinear",
    .min_in = 2,
    .max_in = 3,
    .min_out = 1,
    .max_out = 1,
    .attrs = {{.name = "axis", .type = ATTR_INT, .i = 1}},
    .infer = infer_quantize,
    .eval = eval_quantize,
    .emit = emit_quantize,
};

/* ---- DequantizeLinear ---- */

static bool all_zero(const Tensor *t)
{
    for (int64_t i = 0; t->data && i < type_elems(t->type); i++)
        if (elem_get(t->data, t->type.dtype, i) != 0)
            return false;
    return t->data != NULL;
}

static void infer_dequantize(Graph *g, Node *n)
{
    Type x = n->in[0]->type;
    if (!dtype_is_code(x.dtype) && x.dtype != DT_I32)
        fail_node(g, n, "unsupported: %s of %s", n->op_name, dtype_name(x.dtype));
    check_size(g, n);
    scale_split(g, n);
    check_scales(g, n);
    check_zero(g, n, x.dtype);
    if (x.dtype == DT_I32 && zero_of(n) && !all_zero(zero_of(n)))
        fail_node(g, n, "unsupported: a zero point of int32 codes that is not 0");
    x.dtype = DT_F32;
    n->out[0]->type = x;
}

static void eval_dequantize(const Graph *g, const Node *n, const void *const *in, void *const *out)
{
    AxisSplit s = scale_split(g, n);
    int32_t outer = (int32_t)s.outer, count = (int32_t)s.n, inner = (int32_t)s.inner;
    const void *zero = zero_of(n) ? in[2] : NULL;
    DType d = n->in[0]->type.dtype;
    if (d == DT_I32)
        tn_dequantize_i32(out[0], in[0], in[1], outer, count, inner);
    else if (d == DT_I16)
        tn_dequantize_i16(out[0], in[0], in[1], zero, outer, count, inner);
    else
        tn_dequantize(out[0], in[0], in[1], zero, outer, count, inner, d == DT_I8);
}

static void emit_dequantize(Emitter *e, const Node *n)
{
    if (n->in[0]->type.dtype != DT_I32) {
        emit_quantize(e, n);
        return;
    }
    AxisSplit s = scale_split(emit_plan(e)->g, n);
    emit_line(e, "%s(%s, %s, %s, %s);", emit_kernel(e, "dequantize_i32", DT_NONE), emit_ptr(e, n->out[0]),
              emit_ptr(e, n->in[0]), emit_ptr(e, n->in[1]), split_text(s));
}

const OpDef op_DequantizeLinear = {
    .name = "DequantizeLinear",
    .min_in = 2,
    .max_in = 3,
    .min_out = 1,
    .max_out = 1,
    .attrs = {{.name = "axis", .type = ATTR_INT, .i = 1}},
    .infer = infer_dequantize,
    .eval = eval_dequantize,
    .emit = emit_dequantize,
};

/* ---- DynamicQuantizeLinear ---- */

static void infer_dynamic(Graph *g, Node *n)
{
    Type y = n->in[0]->type;
    if (y.dtype != DT_F32)
        fail_node(g, n, "unsupported: %s of %s", n->op_name, dtype_name(y.dtype));
    check_size(g, n);
    y.dtype = DT_U8;
    Type types[] = {y, type_make(DT_F32, 0, NULL), type_make(DT_U8, 0, NULL)};
    for (int i = 0; i < 3; i++) {
        if (!n->out[i]) /* the kernel needs a place for it */
            n->out[i] = graph_tensor(g, mem_printf("%s_%d", node_label(n), i), types[i]);
        n->out[i]->producer = n;
        n->out[i]->type = types[i];
    }
}

static void eval_dynamic(const Graph *g, const Node *n, const void *const *in, void *const *out)
{
    (void)g;
    tn_quantize_dynamic(out[0], out[1], out[2], in[0], (int32_t)type_elems(n->in[0]->type));
}

static void emit_dynamic(Emitter *e, const Node *n)
{
    emit_line(e, "%s(%s, %s, %s, %s, %s);", emit_kernel(e, "quantize_dynamic", DT_NONE),
              emit_ptr(e, n->out[0]), emit_ptr(e, n->out[1]), emit_ptr(e, n->out[2]), emit_ptr(e, n->in[0]),
              int_text(type_elems(n->in[0]->type)));
}

const OpDef op_DynamicQuantizeLinear = {
    .name = "DynamicQuantizeLinear",
    .min_in = 1,
    .max_in = 1,
    .min_out = 3,
    .max_out = 3,
    .infer = infer_dynamic,
    .eval = eval_dynamic,
    .emit = emit_dynamic,
};
