/* op_elementwise.c - operators that compute each element of the output from the elements at its place in the
 * (broadcast) inputs: one table of operators, one way to infer, evaluate and print them all.
 *
 * An operator resolves to a call of one scalar kernel of runtime/elementwise*.h or runtime/convert*.h
 * (ElemCall); the evaluator and the generated code then call that kernel in their own loops. In place is
 * legal for an input of the output's own type and layout: an element is read before its place is written, and
 * no other place is read. */
#include "ops/grad.h"
#include "ops/ops.h"

#include <string.h>

enum { FLOAT, SIGNED, UNSIGNED, BOOLEAN, NUM_CLASSES };

typedef struct ElemArg {
    const Tensor *t; /* NULL: the number `value` */
    int input;       /* of the node, with t */
    double value;
    DType dtype; /* of the kernel's parameter; t is converted */
} ElemArg;

typedef struct ElemCall {
    const char *kernel;
    DType dtype;  /* the kernel's type */
    DType result; /* what the kernel returns */
    int num_args;
    ElemArg *args;
    bool fold;          /* kernel(kernel(args[0], args[1]), args[2])... */
    const char *finish; /* a kernel of type `result` on top, or NULL */
    double divisor;     /* second argument of `finish`; 0: it has none */
    DType type;         /* of the output */
} ElemCall;

typedef struct ElemOp {
    void (*resolve)(const Graph *g, const Node *n, ElemCall *c);
    const char *kernel[NUM_CLASSES]; /* NULL: the operator does not take this class of types */
} ElemOp;

static const ElemOp elem_ops[NUM_OPS];

/* ---- from node to call ---- */

static int class_of(DType d)
{
    switch (d) {
    case DT_F32:
    case DT_F64: return FLOAT;
    case DT_I8:
    case DT_I16:
    case DT_I32:
    case DT_I64: return SIGNED;
    case DT_BOOL: return BOOLEAN;
    case DT_U8:
    case DT_U16:
    case DT_U32:
    case DT_U64: return UNSIGNED;
    case DT_F16:
    case DT_NONE: break;
    }
    bug("elementwise operator on %s", dtype_name(d));
}

static const char *kernel_of(const Graph *g, const Node *n, DType d)
{
    const char *k = elem_ops[n->op].kernel[class_of(d)];
    if (!k)
        fail_node(g, n, "%s is not supported for elements of type %s", n->op_name, dtype_name(d));
    return k;
}

static void add_input(ElemCall *c, const Node *n, int input, DType d)
{
    c->args[c->num_args++] = (ElemArg){.t = n->in[input], .input = input, .dtype = d};
}

static void add_value(ElemCall *c, double v, DType d)
{
    c->args[c->num_args++] = (ElemArg){.value = v, .dtype = d};
}

/* The element type of input `first`, which all later ones must have. */
static DType check_same_dtype(const Graph *g, const Node *n, int first)
{
    DType d = n->in[first]->type.dtype;
    for (int i = first + 1; i < n->num_in; i++)
        if (n->in[i] && n->in[i]->type.dtype != d)
            fail_node(g, n, "inputs must have one element type");
    return d;
}

/* The inputs, all of one type, then the attributes in the order of the OpDef. */
static void resolve_plain(const Graph *g, const Node *n, ElemCall *c)
{
    DType d = check_same_dtype(g, n, 0);
    c->kernel = kernel_of(g, n, d);
    c->dtype = c->result = c->type = d;
    for (int i = 0; i < n->num_in; i++) {
        if (!n->in[i])
            fail_node(g, n, "input %d is missing", i);
        add_input(c, n, i, d);
    }
    for (const AttrSpec *s = op_def(n->op)->attrs; s->name; s++)
        add_value(c, s->type == ATTR_FLOAT ? (double)attr_float(n, s->name) : (double)attr_int(n, s->name),
                  d);
}

/* Unsigned elements are never negative. */
static void resolve_prelu(const Graph *g, const Node *n, ElemCall *c)
{
    resolve_plain(g, n, c);
    if (class_of(c->dtype) == UNSIGNED)
        c->num_args = 1;
}

static void resolve_test(const Graph *g, const Node *n, ElemCall *c)
{
    resolve_plain(g, n, c);
    c->result = c->type = DT_BOOL;
}

static void resolve_fold(const Graph *g, const Node *n, ElemCall *c)
{
    resolve_plain(g, n, c);
    c->fold = true;
    if (n->num_in == 1)
        c->kernel = "same";
}

static void resolve_mean(const Graph *g, const Node *n, ElemCall *c)
{
    resolve_fold(g, n, c);
    c->finish = "div";
    c->divisor = n->num_in;
}

static void resolve_where(const Graph *g, const Node *n, ElemCall *c)
{
    if (n->in[0]->type.dtype != DT_BOOL)
        fail_node(g, n, "the condition must be bool, not %s", type_text(n->in[0]->type));
    c->dtype = c->result = c->type = check_same_dtype(g, n, 1);
    c->kernel = kernel_of(g, n, c->dtype);
    add_input(c, n, 0, DT_BOOL);
    add_input(c, n, 1, c->dtype);
    add_input(c, n, 2, c->dtype);
}

/* `both` with two limits; one alone is a maximum or minimum. */
static const char *clip_kernel(const char *both, DType d, bool has_low, bool has_high)
{
    bool is_float = class_of(d) == FLOAT;
    if (has_low && has_high)
        return both;
    if (has_low)
        return is_float ? "max" : "max_int";
    if (has_high)
        return is_float ? "min" : "min_int";
    return "same";
}

/* Inputs x, min, max; the limits are single numbers and may be absent. */
static void resolve_clip(const Graph *g, const Node *n, ElemCall *c)
{
    DType d = check_same_dtype(g, n, 0);
    bool has[3] = {true, n->num_in > 1 && n->in[1], n->num_in > 2 && n->in[2]};
    c->dtype = c->result = c->type = d;
    c->kernel = clip_kernel(kernel_of(g, n, d), d, has[1], has[2]);
    for (int i = 0; i < 3; i++) {
        if (!has[i])
            continue;
        if (i && type_elems(n->in[i]->type) != 1)
            fail_node(g, n, "the limit '%s' must be a single number", n->in[i]->name);
        add_input(c, n, i, d);
    }
}

/* Floating types to integers saturate; see runtime/convert_float.h. */
static const char *convert_kernel(DType from, DType to)
{
    if (from == to)
        return "same";
    bool saturate = class_of(from) == FLOAT && (class_of(to) == SIGNED || class_of(to) == UNSIGNED);
    return mem_printf("%s_%s", saturate ? "sat" : "to", dtype_suffix(to));
}

static void resolve_convert(const Node *n, ElemCall *c, DType to)
{
    c->dtype = n->in[0]->type.dtype;
    c->result = c->type = to;
    c->kernel = convert_kernel(c->dtype, to);
    add_input(c, n, 0, c->dtype);
}

static void resolve_cast(const Graph *g, const Node *n, ElemCall *c)
{
    int64_t number = attr_int(n, "to");
    DType to = dtype_from_onnx(number);
    if (to == DT_NONE || to == DT_F16)
        fail_node(g, n, "conversion to the ONNX element type %s is not supported", int_text(number));
    resolve_convert(n, c, to);
}

static void resolve_cast_like(const Graph *g, const Node *n, ElemCall *c)
{
    (void)g;
    resolve_convert(n, c, n->in[1]->type.dtype);
}

static void resolve_mod(const Graph *g, const Node *n, ElemCall *c)
{
    bool fmod = attr_int(n, "fmod") != 0;
    c->dtype = c->result = c->type = check_same_dtype(g, n, 0);
    c->kernel = kernel_of(g, n, c->dtype);
    if (class_of(c->dtype) == FLOAT && !fmod)
        fail_node(g, n, "elements of type %s need the attribute fmod = 1", dtype_name(c->dtype));
    if (class_of(c->dtype) == SIGNED && fmod)
        c->kernel = "rem_int";
    add_input(c, n, 0, c->dtype);
    add_input(c, n, 1, c->dtype);
}

static void resolve_shift(const Graph *g, const Node *n, ElemCall *c)
{
    const char *direction = attr_string(n, "direction");
    c->dtype = c->result = c->type = check_same_dtype(g, n, 0);
    c->kernel = kernel_of(g, n, c->dtype);
    if (!strcmp(direction, "RIGHT"))
        c->kernel = "shift_right";
    else if (strcmp(direction, "LEFT"))
        fail_node(g, n, "attribute 'direction' must be LEFT or RIGHT, not '%s'", direction);
    add_input(c, n, 0, c->dtype);
    add_input(c, n, 1, c->dtype);
}

/* Whether every possible value of an exponent is exact in float. */
static bool exact_in_float(const Tensor *t)
{
    DType d = t->type.dtype;
    if (d == DT_F32 || dtype_size(d) <= 2)
        return true;
    if (!t->data)
        return false;
    for (int64_t i = 0; i < type_elems(t->type); i++) {
        double v = elem_get(t->data, d, i);
        if (dtype_is_float(d) ? v != (double)(float)v : v < -0x1p24 || v > 0x1p24)
            return false;
    }
    return true;
}

/* The result has the type of the base. Exponents of another type: integers stay exact, and where either side
 * needs double the power is computed in double. */
static void resolve_pow(const Graph *g, const Node *n, ElemCall *c)
{
    DType base = n->in[0]->type.dtype, exponent = n->in[1]->type.dtype;
    c->type = base;
    c->kernel = kernel_of(g, n, base);
    if (class_of(base) == SIGNED && dtype_size(base) < 4)
        fail_node(g, n, "the base must be float, double, int32 or int64");
    if (class_of(exponent) == BOOLEAN || (class_of(base) == SIGNED && exponent == DT_U64))
        fail_node(g, n, "exponents of type %s are not supported", dtype_name(exponent));
    c->dtype = base;
    if (class_of(base) == SIGNED && class_of(exponent) != FLOAT) {
        c->result = base;
        add_input(c, n, 0, base);
        add_input(c, n, 1, DT_I64);
        return;
    }
    if (base != DT_F32 || !exact_in_float(n->in[1]))
        c->dtype = DT_F64;
    c->kernel = "pow";
    c->result = c->dtype;
    c->finish = base == c->dtype ? NULL : convert_kernel(c->dtype, base);
    add_input(c, n, 0, c->dtype);
    add_input(c, n, 1, c->dtype);
}

static ElemCall resolve_node(const Graph *g, const Node *n)
{
    ElemCall c = {.args = NEW_ARRAY(ElemArg, n->num_in + 3)};
    elem_ops[n->op].resolve(g, n, &c);
    return c;
}

/* ---- types ---- */

static void infer_elementwise(Graph *g, Node *n)
{
    ElemCall c = resolve_node(g, n);
    Type t = c.num_args > 1 && c.args[1].t ? infer_broadcast(g, n, n->num_in) : n->in[0]->type;
    t.dtype = c.type;
    n->out[0]->type = t;
}

/* The first input gives the shape; what broadcasts into it must not enlarge it. */
static void infer_like_first(Graph *g, Node *n)
{
    ElemCall c = resolve_node(g, n);
    Type t = n->in[0]->type;
    if (n->op == OP_PRelu && !type_equal(infer_broadcast(g, n, 2), t))
        fail_node(g, n, "slope %s does not broadcast to %s", type_text(n->in[1]->type), type_text(t));
    t.dtype = c.type;
    n->out[0]->type = t;
}

/* ---- evaluation: everything dense ---- */

typedef struct Operand {
    const void *data;
    Type type;
} Operand;

/* y[over] = kernel(x[0], ...), inputs broadcast */
static void run_kernel(const char *kernel, DType d, Type over, DType result, void *y, int num,
                       const Operand *x)
{
    int64_t(*strides)[MAX_RANK] = mem_array(num + 1, sizeof *strides), own[MAX_RANK], at[MAX_RANK] = {0};
    dense_strides(over, strides[0]);
    for (int i = 0; i < num; i++) {
        dense_strides(x[i].type, own);
        broadcast_strides(over, x[i].type, own, strides[i + 1]);
    }
    Loops l = loops_make(over, num + 1, strides);
    ScalarRow row = scalar_row(kernel, d);
    int outer = l.rank ? l.rank - 1 : 0;
    int64_t inner = l.rank ? l.dims[outer] : 1;
    if (type_elems(over) == 0)
        return;
    do {
        const void *p[3];
        int64_t step[3];
        for (int i = 0; i < num; i++) {
            p[i] = (const char *)x[i].data +
                   loops_position(&l, i + 1, at, outer) * (int64_t)dtype_size(x[i].type.dtype);
            step[i] = l.rank ? strides[i + 1][outer] : 0;
        }
        row(inner, (char *)y + loops_position(&l, 0, at, outer) * (int64_t)dtype_size(result), p, step);
    } while (loops_next(&l, at, outer));
}

/* An argument in the type of the kernel's parameter. */
static Operand arg_operand(const ElemArg *a, const void *const *in)
{
    Operand o = {.type = {.dtype = a->dtype}};
    if (!a->t) {
        void *value = mem_alloc(sizeof(double));
        elem_set(value, a->dtype, 0, a->value);
        o.data = value;
        return o;
    }
    o.type = a->t->type;
    o.data = in[a->input];
    DType from = o.type.dtype;
    if (from == a->dtype)
        return o;
    void *converted = mem_array(type_elems(o.type), dtype_size(a->dtype));
    run_kernel(convert_kernel(from, a->dtype), from, o.type, a->dtype, converted, 1, &o);
    return (Operand){converted, type_make(a->dtype, o.type.rank, o.type.dims)};
}

static void eval_elementwise(const Graph *g, const Node *n, const void *const *in, void *const *out)
{
    ElemCall c = resolve_node(g, n);
    Type over = n->out[0]->type, between = over;
    between.dtype = c.result;
    void *y = c.result == c.type ? out[0] : mem_alloc(type_bytes(between));
    Operand x[3], acc = {y, between};
    for (int i = 0; i < c.num_args && i < (c.fold ? 2 : 3); i++)
        x[i] = arg_operand(&c.args[i], in);
    run_kernel(c.kernel, c.dtype, over, c.result, y, c.fold && c.num_args > 2 ? 2 : c.num_args, x);
    for (int i = 2; c.fold && i < c.num_args; i++) {
        Operand pair[2] = {acc, arg_operand(&c.args[i], in)};
        run_kernel(c.kernel, c.dtype, over, c.result, y, 2, pair);
    }
    if (c.finish) {
        ElemArg divisor = {.value = c.divisor, .dtype = c.result};
        Operand pair[2] = {acc, arg_operand(&divisor, in)};
        run_kernel(c.finish, c.result, over, c.type, out[0], c.divisor != 0 ? 2 : 1, pair);
    }
}

/* ---- emission ---- */

static bool is_single(const ElemArg *a)
{
    return a->t && type_elems(a->t->type) == 1;
}

/* Print what the loops need of an argument; returns the C expression of its element. */
static const char *emit_arg(Emitter *e, const ElemArg *a, int i, const char *index)
{
    if (!a->t)
        return float_text(a->value, a->dtype);
    if (a->t->data && is_single(a)) {
        Operand o = arg_operand(&(ElemArg){.t = a->t, .dtype = a->dtype}, &a->t->data);
        return emit_literal(a->dtype, o.data, 0);
    }
    const char *c = dtype_c(a->t->type.dtype);
    const char *cast = a->t->type.dtype == a->dtype ? "" : mem_printf("(%s)", dtype_c(a->dtype));
    if (is_single(a)) {
        emit_line(e, "const %s x%d = *%s;", c, i, emit_ptr(e, a->t));
        return mem_printf("%sx%d", cast, i);
    }
    emit_line(e, "const %s *x%d = %s;", c, i, emit_ptr(e, a->t));
    return mem_printf("%sx%d[%s]", cast, i, index);
}

/* Many arguments one by one, in the variable s: C compilers limit how deep calls nest. */
static const char *emit_folded(Emitter *e, const ElemCall *c, const char *kernel, const char **arg)
{
    emit_line(e, "%s s = %s(%s, %s);", dtype_c(c->dtype), kernel, arg[0], arg[1]);
    for (int i = 2; i < c->num_args; i++)
        emit_line(e, "s = %s(s, %s);", kernel, arg[i]);
    return "s";
}

static const char *nested_text(const ElemCall *c, const char *kernel, const char **arg)
{
    const char *text = mem_printf("%s(%s", kernel, arg[0]);
    for (int i = 1; i < c->num_args; i++)
        text = c->fold && i > 1 ? mem_printf("%s(%s), %s", kernel, text, arg[i])
                                : mem_printf("%s, %s", text, arg[i]);
    return mem_printf("%s)", text);
}

static const char *call_text(Emitter *e, const ElemCall *c, const char **arg)
{
    enum { MAX_NESTED = 16 };
    const char *kernel = emit_kernel(e, c->kernel, c->dtype);
    bool folded = c->fold && c->num_args > MAX_NESTED;
    const char *text = folded ? emit_folded(e, c, kernel, arg) : nested_text(c, kernel, arg);
    if (!c->finish)
        return text;
    kernel = emit_kernel(e, c->finish, c->result);
    return c->divisor != 0 ? mem_printf("%s(%s, %s)", kernel, text, float_text(c->divisor, c->result))
                           : mem_printf("%s(%s)", kernel, text);
}

static void emit_elementwise(Emitter *e, const Node *n)
{
    const Tensor *y = n->out[0];
    ElemCall c = resolve_node(emit_plan(e)->g, n);
    if (type_elems(y->type) == 0)
        return;
    int64_t(*strides)[MAX_RANK] = mem_array(c.num_args + 1, sizeof *strides);
    memcpy(strides[0], layout_strides(y), sizeof strides[0]);
    for (int i = 0; i < c.num_args; i++)
        if (c.args[i].t)
            broadcast_strides(y->type, c.args[i].t->type, layout_strides(c.args[i].t), strides[i + 1]);
    Loops l = loops_make(y->type, c.num_args + 1, strides);
    const char **arg = NEW_ARRAY(const char *, c.num_args);
    emit_line(e, "{");
    emit_line(e, "%s *y = %s;", dtype_c(c.type), emit_ptr(e, y));
    for (int i = 0; i < c.num_args; i++)
        arg[i] = emit_arg(e, &c.args[i], i, loops_index(&l, i + 1));
    emit_loops_open(e, &l);
    const char *value = call_text(e, &c, arg);
    emit_line(e, "y[%s] = %s;", loops_index(&l, 0), value);
    emit_loops_close(e, &l);
    emit_line(e, "}");
}

/* ---- the table ---- */

static double count_inputs(const Graph *g, const Node *n)
{
    (void)g;
    return n->num_in;
}

#define FLOATS(f)                                                                                            \
    {                                                                                                        \
        f, NULL, NULL, NULL                                                                                  \
    }
#define NUMBERS(f, s, u)                                                                                     \
    {                                                                                                        \
        f, s, u, NULL                                                                                        \
    }
#define ANY(k)                                                                                               \
    {                                                                                                        \
        k, k, k, k                                                                                           \
    }
#define BOOLS(k)                                                                                             \
    {                                                                                                        \
        NULL, NULL, NULL, k                                                                                  \
    }
#define NO_ATTRS                                                                                             \
    {                                                                                                        \
        .name = NULL                                                                                         \
    }
#define FLOAT_ATTR(attr, value)                                                                              \
    {                                                                                                        \
        .name = attr, .type = ATTR_FLOAT, .f = value                                                         \
    }
#define INT_ATTR(attr, value)                                                                                \
    {                                                                                                        \
        .name = attr, .type = ATTR_INT, .i = value                                                           \
    }

#define EXACT                                                                                                \
    {                                                                                                        \
        .rule = ROUND_NOT                                                                                    \
    }
#define ULPS(n, off)                                                                                         \
    {                                                                                                        \
        .rule = ROUND_ULPS, .ulps = n, .offset = off                                                         \
    }
#define SUMS                                                                                                 \
    {                                                                                                        \
        .rule = ROUND_SUM                                                                                    \
    }

/* X(operator, gradient rule, rounding, least and most inputs, infer, resolve, kernels, attributes) */
#define ELEMENTWISE_OPS(X)                                                                                   \
    X(Abs, grad_unary, EXACT, 1, 1, elementwise, plain, NUMBERS("abs", "abs_int", "same"), NO_ATTRS)         \
    X(Neg, grad_unary, EXACT, 1, 1, elementwise, plain, NUMBERS("neg", "neg_int", NULL), NO_ATTRS)           \
    X(Sign, NULL, EXACT, 1, 1, elementwise, plain, NUMBERS("sign", "sign_int", "sign_uint"), NO_ATTRS)       \
    X(Relu, grad_unary, EXACT, 1, 1, elementwise, plain, NUMBERS("relu", "relu_int", NULL), NO_ATTRS)        \
    X(Floor, NULL, EXACT, 1, 1, elementwise, plain, FLOATS("floor"), NO_ATTRS)                               \
    X(Ceil, NULL, EXACT, 1, 1, elementwise, plain, FLOATS("ceil"), NO_ATTRS)                                 \
    X(Round, NULL, EXACT, 1, 1, elementwise, plain, FLOATS("round"), NO_ATTRS)                               \
    X(Reciprocal, grad_unary, EXACT, 1, 1, elementwise, plain, FLOATS("reciprocal"), NO_ATTRS)               \
    X(Sqrt, grad_unary, EXACT, 1, 1, elementwise, plain, FLOATS("sqrt"), NO_ATTRS)                           \
    X(Exp, grad_unary, ULPS(4, 0), 1, 1, elementwise, plain, FLOATS("exp"), NO_ATTRS)                        \
    X(Log, grad_unary, ULPS(4, 0), 1, 1, elementwise, plain, FLOATS("log"), NO_ATTRS)                        \
    X(Sin, grad_unary, ULPS(4, 0), 1, 1, elementwise, plain, FLOATS("sin"), NO_ATTRS)                        \
    X(Cos, grad_unary, ULPS(4, 0), 1, 1, elementwise, plain, FLOATS("cos"), NO_ATTRS)                        \
    X(Tan, grad_unary, ULPS(4, 0), 1, 1, elementwise, plain, FLOATS("tan"), NO_ATTRS)                        \
    X(Asin, grad_unary, ULPS(4, 0), 1, 1, elementwise, plain, FLOATS("asin"), NO_ATTRS)                      \
    X(Acos, grad_unary, ULPS(4, 0), 1, 1, elementwise, plain, FLOATS("acos"), NO_ATTRS)                      \
    X(Atan, grad_unary, ULPS(4, 0), 1, 1, elementwise, plain, FLOATS("atan"), NO_ATTRS)                      \
    X(Sinh, grad_unary, ULPS(4, 0), 1, 1, elementwise, plain, FLOATS("sinh"), NO_ATTRS)                      \
    X(Cosh, grad_unary, ULPS(4, 0), 1, 1, elementwise, plain, FLOATS("cosh"), NO_ATTRS)                      \
    X(Tanh, grad_unary, ULPS(4, 0), 1, 1, elementwise, plain, FLOATS("tanh"), NO_ATTRS)                      \
    X(Asinh, grad_unary, ULPS(4, 0), 1, 1, elementwise, plain, FLOATS("asinh"), NO_ATTRS)                    \
    X(Acosh, grad_unary, ULPS(4, 0), 1, 1, elementwise, plain, FLOATS("acosh"), NO_ATTRS)                    \
    X(Atanh, grad_unary, ULPS(4, 0), 1, 1, elementwise, plain, FLOATS("atanh"), NO_ATTRS)                    \
    X(Erf, grad_unary, ULPS(4, 0), 1, 1, elementwise, plain, FLOATS("erf"), NO_ATTRS)                        \
    X(LeakyRelu, grad_unary, EXACT, 1, 1, elementwise, plain, FLOATS("leaky_relu"),                          \
      FLOAT_ATTR("alpha", 0.01f))                                                                            \
    X(Elu, grad_unary, ULPS(8, 4), 1, 1, elementwise, plain, FLOATS("elu"), FLOAT_ATTR("alpha", 1.0f))       \
    X(Selu, grad_unary, ULPS(8, 8), 1, 1, elementwise, plain, FLOATS("selu"),                                \
      FLOAT_ATTR("alpha", 1.67326319217681884765625f), FLOAT_ATTR("gamma", 1.05070102214813232421875f))      \
    X(Celu, grad_unary, ULPS(8, 4), 1, 1, elementwise, plain, FLOATS("celu"), FLOAT_ATTR("alpha", 1.0f))     \
    X(ThresholdedRelu, grad_unary, EXACT, 1, 1, elementwise, plain, FLOATS("thresholded_relu"),              \
      FLOAT_ATTR("alpha", 1.0f))                                                                             \
    X(HardSigmoid, grad_unary, ULPS(2, 2), 1, 1, elementwise, plain, FLOATS("hard_sigmoid"),                 \
      FLOAT_ATTR("alpha", 0.2f), FLOAT_ATTR("beta", 0.5f))                                                   \
    X(HardSwish, grad_unary, ULPS(4, 8), 1, 1, elementwise, plain, FLOATS("hard_swish"), NO_ATTRS)           \
    X(Sigmoid, grad_unary, ULPS(8, 0), 1, 1, elementwise, plain, FLOATS("sigmoid"), NO_ATTRS)                \
    X(Softplus, grad_unary, ULPS(8, 4), 1, 1, elementwise, plain, FLOATS("softplus"), NO_ATTRS)              \
    X(Softsign, grad_unary, ULPS(4, 0), 1, 1, elementwise, plain, FLOATS("softsign"), NO_ATTRS)              \
    X(Shrink, grad_unary, EXACT, 1, 1, elementwise, plain, FLOATS("shrink"), FLOAT_ATTR("bias", 0.0f),       \
      FLOAT_ATTR("lambd", 0.5f))                                                                             \
    X(Not, NULL, EXACT, 1, 1, elementwise, plain, BOOLS("logic_not"), NO_ATTRS)                              \
    X(IsNaN, NULL, EXACT, 1, 1, elementwise, test, FLOATS("is_nan"), NO_ATTRS)                               \
    X(IsInf, NULL, EXACT, 1, 1, elementwise, test, FLOATS("is_inf"), INT_ATTR("detect_negative", 1),         \
      INT_ATTR("detect_positive", 1))                                                                        \
    X(Clip, grad_clip, EXACT, 1, 3, like_first, clip, NUMBERS("clip", "clip", "clip"), NO_ATTRS)             \
    X(Cast, grad_unary, EXACT, 1, 1, like_first, cast, ANY("same"),                                          \
      {.name = "to", .type = ATTR_INT, .required = true})                                                    \
    X(CastLike, grad_unary, EXACT, 2, 2, like_first, cast_like, ANY("same"), NO_ATTRS)                       \
    X(Add, grad_binary, EXACT, 2, 2, elementwise, plain, NUMBERS("add", "add_int", "add_int"), NO_ATTRS)     \
    X(Sub, grad_binary, EXACT, 2, 2, elementwise, plain, NUMBERS("sub", "sub_int", "sub_int"), NO_ATTRS)     \
    X(Mul, grad_binary, EXACT, 2, 2, elementwise, plain, NUMBERS("mul", "mul_int", "mul_int"), NO_ATTRS)     \
    X(Div, grad_binary, EXACT, 2, 2, elementwise, plain, NUMBERS("div", "div_int", "div_uint"), NO_ATTRS)    \
    X(Mod, NULL, EXACT, 2, 2, elementwise, mod, NUMBERS("rem", "mod_int", "mod_uint"), INT_ATTR("fmod", 0))  \
    X(Pow, grad_pow, ULPS(4, 0), 2, 2, elementwise, pow, NUMBERS("pow", "pow_int", NULL), NO_ATTRS)          \
    X(PRelu, grad_binary, EXACT, 2, 2, like_first, prelu, NUMBERS("prelu", "prelu_int", "same"), NO_ATTRS)   \
    X(BitShift, NULL, EXACT, 2, 2, elementwise, shift, NUMBERS(NULL, NULL, "shift_left"),                    \
      {.name = "direction", .type = ATTR_STRING, .required = true})                                          \
    X(Equal, NULL, EXACT, 2, 2, elementwise, test, ANY("equal"), NO_ATTRS)                                   \
    X(Greater, NULL, EXACT, 2, 2, elementwise, test, NUMBERS("greater", "greater", "greater"), NO_ATTRS)     \
    X(GreaterOrEqual, NULL, EXACT, 2, 2, elementwise, test,                                                  \
      NUMBERS("greater_or_equal", "greater_or_equal", "greater_or_equal"), NO_ATTRS)                         \
    X(Less, NULL, EXACT, 2, 2, elementwise, test, NUMBERS("less", "less", "less"), NO_ATTRS)                 \
    X(LessOrEqual, NULL, EXACT, 2, 2, elementwise, test,                                                     \
      NUMBERS("less_or_equal", "less_or_equal", "less_or_equal"), NO_ATTRS)                                  \
    X(And, NULL, EXACT, 2, 2, elementwise, plain, BOOLS("logic_and"), NO_ATTRS)                              \
    X(Or, NULL, EXACT, 2, 2, elementwise, plain, BOOLS("logic_or"), NO_ATTRS)                                \
    X(Xor, NULL, EXACT, 2, 2, elementwise, plain, BOOLS("logic_xor"), NO_ATTRS)                              \
    X(Where, grad_where, EXACT, 3, 3, elementwise, where, ANY("where"), NO_ATTRS)                            \
    X(Min, grad_variadic, EXACT, 1, -1, elementwise, fold, NUMBERS("min", "min_int", "min_int"), NO_ATTRS)   \
    X(Max, grad_variadic, EXACT, 1, -1, elementwise, fold, NUMBERS("max", "max_int", "max_int"), NO_ATTRS)   \
    X(Sum, grad_variadic, SUMS, 1, -1, elementwise, fold, FLOATS("add"), NO_ATTRS)                           \
    X(Mean, grad_variadic, SUMS, 1, -1, elementwise, mean, FLOATS("add"), NO_ATTRS)

#define ROW(op, rule_of_grad, rounds, least, most, infer_rule, rule, kernels, ...)                           \
    [OP_##op] = {resolve_##rule, kernels},
static const ElemOp elem_ops[NUM_OPS] = {ELEMENTWISE_OPS(ROW)};

#define DEFINE(op, rule_of_grad, rounds, least, most, infer_rule, rule, kernels, ...)                        \
    const OpDef op_##op = {.name = #op,                                                                      \
                           .min_in = least,                                                                  \
                           .max_in = most,                                                                   \
                           .min_out = 1,                                                                     \
                           .max_out = 1,                                                                     \
                           .attrs = {__VA_ARGS__},                                                           \
                           .strided = true,                                                                  \
                           .in_place = true,                                                                 \
                           .infer = infer_##infer_rule,                                                      \
                           .eval = eval_elementwise,                                                         \
                           .emit = emit_elementwise,                                                         \
                           .rounding = rounds,                                                               \
                           .terms = count_inputs,                                                            \
                           .grad = rule_of_grad,                                                             \
                           .grad_flat = true};
ELEMENTWISE_OPS(DEFINE)
