/* codes_numbers.c - sums and products of two, PRelu, averages and Softmax between DequantizeLinear and
 * QuantizeLinear become CodeAdd, CodeMul, CodeSlope, CodeAverage and CodeSoftmax: their factors, in fixed
 * point, and their limits. */
#include "codes_walk.h"
#include "layers/layers.h"
#include "ops/ops.h"

#include <math.h>
#include <string.h>

/* The limits of codes behind n, through an activation that is a clamp. */
typedef struct Outlet {
    const Node *quantizer;
    CodeStep step;
    int low, high;
} Outlet;

static bool clamp_of(const Node *n, double *low, double *high)
{
    *low = -INFINITY;
    *high = INFINITY;
    if (n->op == OP_Relu)
        *low = 0;
    else if (n->op != OP_Clip)
        return false;
    for (int i = 1; i < n->num_in; i++) {
        if (n->in[i] && !is_float_scalar(n->in[i]))
            return false;
        if (n->in[i])
            *(i == 1 ? low : high) = elem_get(n->in[i]->data, DT_F32, 0);
    }
    return true;
}

static int limit_code(DType d, const CodeStep *s, double v)
{
    double q = floor(v / s->scale + 0.5) + s->zero;
    return (int)fmin(fmax(q, code_low(d)), code_high(d));
}

/* From QuantizeLinear q, perhaps over a clamp, back to what makes the numbers; NULL: not so. */
static Node *source_of(const Codes *c, const Node *q, Outlet *o)
{
    double low = -INFINITY, high = INFINITY;
    if (q->op != OP_QuantizeLinear || !node_step(q, &o->step))
        return NULL;
    Node *n = q->in[0]->producer;
    if (n && clamp_of(n, &low, &high) && only_user(c, n->out[0]) == q)
        n = n->in[0]->producer;
    if (!n || !n->out[0] || !only_user(c, n->out[0]))
        return NULL;
    o->quantizer = q;
    o->low = limit_code(q->out[0]->type.dtype, &o->step, low);
    o->high = limit_code(q->out[0]->type.dtype, &o->step, high);
    return n;
}

static bool makes_words(const Outlet *o)
{
    return o->quantizer->out[0]->type.dtype == DT_I16;
}

/* The node that makes t of codes of as many bits as those behind o; NULL: there is none. */
static Node *dequantizer_for(const Outlet *o, const Tensor *t, CodeStep *s)
{
    Node *n = dequantizer(t, s);
    return n && (n->in[0]->type.dtype == DT_I16) == makes_words(o) ? n : NULL;
}

/* The same where 16 bits are not supported. */
static Node *byte_source(const Outlet *o, const Tensor *t, CodeStep *s)
{
    return makes_words(o) ? NULL : dequantizer_for(o, t, s);
}

/* The largest code of either sign, roughly. */
static double most_code(const Outlet *o)
{
    return makes_words(o) ? -INT16_MIN : UINT8_MAX;
}

/* What no number on the way to a code exceeds: products, offset, and the half that rounds. */
static double most_shifted(const double *factors, int count, double reach, double offset, int shift)
{
    double most = fabs(round(ldexp(offset, shift))) + ldexp(1, shift - 1);
    for (int i = 0; i < count; i++)
        most += fabs(round(ldexp(factors[i], shift))) * reach;
    return most;
}

static double largest(const double *factors, int count)
{
    double most = 0;
    for (int i = 0; i < count; i++)
        most = fmax(most, fabs(factors[i]));
    return most;
}

/* Factors and offset by the largest 2^shift that 31 bits allow, of 16-bit codes 62, where factors have 31;
 * reach: of what the factors multiply. */
static void set_rounding(Node *n, const char *const *names, const double *factors, int count, double reach,
                         double offset, const Outlet *o)
{
    const bool words = makes_words(o);
    const double limit = words ? 0x1p62 : 0x1p31;
    int shift = words ? 30 : 24;
    while (shift > 1 && (most_shifted(factors, count, reach, offset, shift) >= limit ||
                         ldexp(largest(factors, count), shift) >= 0x1p31))
        shift--;
    for (int i = 0; i < count; i++)
        attr_set_int(n, names[i], (int64_t)round(ldexp(factors[i], shift)));
    attr_set_int(n, "addend", (int64_t)round(ldexp(offset, shift)));
    attr_set_int(n, "shift", shift);
    attr_set_int(n, "zero", o->step.zero);
    attr_set_int(n, "low", o->low);
    attr_set_int(n, "high", o->high);
}

static bool make_add(Codes *c, const Node *q)
{
    static const char *const names[] = {"factor_a", "factor_b"};
    enum { MAX_RATIO = 1 << 12 };
    Outlet o;
    CodeStep a, b;
    Node *n = source_of(c, q, &o);
    if (!n || !is_code_arithmetic(n) || n->op == OP_Mul || n->op == OP_PRelu)
        return false;
    const Node *from_a = dequantizer_for(&o, n->in[0], &a), *from_b = dequantizer_for(&o, n->in[1], &b);
    if (!from_a || !from_b || a.scale > MAX_RATIO * o.step.scale || b.scale > MAX_RATIO * o.step.scale)
        return false;
    /* In float, as onnxruntime divides: where they are exact numbers of bits then, both compute the same. */
    double sign = n->op == OP_Sub ? -1 : 1;
    double factors[] = {(double)((float)a.scale / (float)o.step.scale),
                        sign * (double)((float)b.scale / (float)o.step.scale)};
    Node *add = node_new(OP_CodeAdd, n->name, 2, 1);
    add->in[0] = from_a->in[0];
    add->in[1] = from_b->in[0];
    add->out[0] = q->out[0];
    set_rounding(add, names, factors, 2, most_code(&o), -factors[0] * a.zero - factors[1] * b.zero, &o);
    node_append(&c->result, add);
    return true;
}

/* (a, b) of more elements first, where b is one for all of a row of a. */
static bool make_product(Codes *c, const Node *q)
{
    enum { SPLIT = 14, MAX_SHIFT = 22 };
    Outlet o;
    CodeStep a, b;
    Node *n = source_of(c, q, &o);
    if (!n || n->op != OP_Mul || !is_code_arithmetic(n))
        return false;
    int more = type_elems(n->in[1]->type) > type_elems(n->in[0]->type), shift = MAX_SHIFT;
    const Node *from_a = byte_source(&o, n->in[more], &a), *from_b = byte_source(&o, n->in[!more], &b);
    double factor = from_a && from_b ? a.scale * b.scale / o.step.scale : INFINITY;
    while (shift > 0 && ldexp(factor, shift) > 1 << SPLIT)
        shift--;
    if (!shift)
        return false;
    Node *mul = node_new(OP_CodeMul, n->name, 2, 1);
    mul->in[0] = from_a->in[0];
    mul->in[1] = from_b->in[0];
    mul->out[0] = q->out[0];
    attr_set_int(mul, "zero_a", a.zero);
    attr_set_int(mul, "zero_b", b.zero);
    attr_set_int(mul, "factor", (int64_t)round(ldexp(factor, shift + SPLIT)));
    attr_set_int(mul, "addend", 0);
    attr_set_int(mul, "shift", shift);
    attr_set_int(mul, "zero", o.step.zero);
    attr_set_int(mul, "low", o.low);
    attr_set_int(mul, "high", o.high);
    node_append(&c->result, mul);
    return true;
}

static bool make_slope(Codes *c, const Node *q)
{
    static const char *const names[] = {"factor"};
    enum { MAX_RATIO = 1 << 12 };
    Outlet o;
    CodeStep s;
    Node *n = source_of(c, q, &o);
    const Node *from = n && n->op == OP_PRelu && is_code_arithmetic(n) ? byte_source(&o, n->in[0], &s) : NULL;
    if (!from)
        return false;
    const float *slopes = n->in[1]->data;
    int64_t count = type_elems(n->in[1]->type);
    double factor = s.scale / o.step.scale, most = 1;
    for (int64_t i = 0; i < count; i++)
        most = fmax(most, fabs((double)slopes[i]));
    if (!(factor * most <= MAX_RATIO))
        return false;
    Node *slope = node_new(OP_CodeSlope, n->name, 2, 1);
    set_rounding(slope, names, &factor, 1, UINT8_MAX * most, 0, &o);
    int32_t *factors = NEW_ARRAY(int32_t, count);
    for (int64_t i = 0; i < count; i++)
        factors[i] = (int32_t)round(ldexp(factor * (double)slopes[i], (int)attr_int(slope, "shift")));
    Type type = n->in[1]->type;
    type.dtype = DT_I32;
    slope->in[0] = from->in[0];
    slope->in[1] = graph_const(c->g, mem_printf("%s_factors", n->in[1]->name), type, factors);
    slope->out[0] = q->out[0];
    attr_set_int(slope, "zero_x", s.zero);
    node_append(&c->result, slope);
    return true;
}

/* Of an average: the attributes of CodeAverage. */
typedef struct Averaging {
    int64_t window[9]; /* planes, ih, iw, oh, ow, kh, kw, sh, sw */
    int64_t begin[2];  /* of padding */
    bool edges, pads;  /* windows lie over the edge; and what is there counts */
} Averaging;

/* Over all that lies side by side in each plane. */
static Averaging row_window(int64_t planes, int64_t size)
{
    return (Averaging){.window = {planes, 1, size, 1, 1, 1, size, 1, 1}};
}

static bool pool_window(const Graph *g, const Node *n, Averaging *w)
{
    Type x = n->in[0]->type;
    if (x.rank != 3 && x.rank != 4)
        return false;
    Window v = op_window(g, n);
    *w = (Averaging){.window = {x.dims[0] * x.dims[1], v.in[1], v.in[2], v.out[1], v.out[2], v.kernel[1],
                                v.kernel[2], v.stride[1], v.stride[2]},
                     .begin = {v.pad_begin[1], v.pad_begin[2]},
                     .pads = attr_int(n, "count_include_pad")};
    bool beyond = false;
    for (int a = 1; a < 3; a++) {
        int64_t end = (v.out[a] - 1) * v.stride[a] + v.kernel[a] - v.pad_begin[a];
        w->edges = w->edges || v.pad_begin[a] || end > v.in[a];
        beyond = beyond || end > v.in[a] + v.pad_end[a];
    }
    /* What lies behind the padding never counts. */
    return !(beyond && w->pads);
}

/* Means over axes that follow each other. */
static bool mean_window(const Graph *g, const Node *n, Averaging *w)
{
    Type x = n->in[0]->type;
    int count = 0, first = x.rank, last = 0;
    const int64_t *axes = attr_ints(n, "axes", &count);
    for (int i = 0; i < count; i++) {
        int axis = (int)norm_axis(g, n, axes[i], x.rank);
        first = axis < first ? axis : first;
        last = axis > last ? axis : last;
    }
    if (!axes || last - first + 1 != count)
        return false;
    int64_t planes = 1, size = 1, rest = 1;
    for (int i = 0; i < x.rank; i++)
        *(i < first ? &planes : i > last ? &rest : &size) *= x.dims[i];
    *w = rest == 1 ? row_window(planes, size)
                   : (Averaging){.window = {planes, size, rest, 1, rest, size, 1, 1, 1}};
    return true;
}

static bool average_window(const Graph *g, const Node *n, Averaging *w)
{
    Type x = n->in[0]->type;
    if (n->op == OP_AveragePool)
        return pool_window(g, n, w);
    if (n->op == OP_ReduceMean)
        return mean_window(g, n, w);
    int64_t planes = x.dims[0] * x.dims[1], size = planes ? type_elems(x) / planes : 0;
    *w = row_window(planes, size);
    return n->op == OP_GlobalAveragePool;
}

/* By how many elements count: what their sum is multiplied by. */
static Tensor *edge_factors(const Codes *c, const Node *average, int64_t size, double factor, bool pads)
{
    int64_t count = size + 1;
    int32_t *factors = NEW_ARRAY(int32_t, count);
    for (int64_t i = 1; i <= size; i++) {
        double of = pads ? factor : factor * (double)size / (double)i;
        factors[i] = (int32_t)round(ldexp(of, (int)attr_int(average, "shift")));
    }
    return graph_const(c->g, mem_printf("%s_factors", average->out[0]->name), type_make(DT_I32, 1, &count),
                       factors);
}

static bool make_average(Codes *c, const Node *q)
{
    static const char *const names[] = {"factor"};
    enum { MAX_WINDOW = 1 << 16, WINDOW = 9 };
    Outlet o;
    CodeStep s;
    Averaging w;
    Node *n = source_of(c, q, &o);
    const Node *from = n && n->num_in > 0 ? dequantizer_for(&o, n->in[0], &s) : NULL;
    if (!from || !average_window(c->g, n, &w) || (w.edges && makes_words(&o)))
        return false;
    double size = (double)(w.window[5] * w.window[6]),
           factor = (double)((float)s.scale / ((float)o.step.scale * (float)size));
    if (size > MAX_WINDOW || factor * size > MAX_WINDOW)
        return false;
    Node *average = node_new(OP_CodeAverage, n->name, w.edges ? 2 : 1, 1);
    average->in[0] = from->in[0];
    average->out[0] = q->out[0];
    attr_set_ints(average, "window", WINDOW, w.window);
    /* At edges zeros are taken off before; a bit is for factors that are rounded up. */
    double offset = w.edges ? 0 : -factor * size * s.zero, reach = most_code(&o) * size * (w.edges ? 2 : 1);
    set_rounding(average, names, &factor, 1, reach, offset, &o);
    if (w.edges) {
        average->in[1] = edge_factors(c, average, w.window[5] * w.window[6], factor, w.pads);
        attr_set_ints(average, "begin", 2, w.begin);
        attr_set_int(average, "zero_x", s.zero);
        attr_remove(average, "factor");
    }
    node_append(&c->result, average);
    return true;
}

/* Softmax of the last axis, to steps of which a whole number is 1. */
static bool make_softmax(Codes *c, const Node *q)
{
    enum { MAX_ROW = 1 << 15, MAX_STEPS = 1 << 15 };
    Outlet o;
    CodeStep s;
    Node *n = source_of(c, q, &o);
    const Node *from = n && n->op == OP_Softmax ? byte_source(&o, n->in[0], &s) : NULL;
    if (!from || q->in[0] != n->out[0])
        return false;
    Type x = n->in[0]->type;
    double steps = 1 / o.step.scale;
    if (norm_axis(c->g, n, attr_int(n, "axis"), x.rank) != x.rank - 1 || x.dims[x.rank - 1] > MAX_ROW ||
        !(steps <= MAX_STEPS) || fabs(steps - round(steps)) > 1e-3)
        return false;
    const int64_t dims[] = {EXPONENTIALS};
    Node *y = node_new(OP_CodeSoftmax, n->name, 2, 1);
    y->in[0] = from->in[0];
    y->in[1] = graph_const(c->g, mem_printf("%s_exponentials", q->out[0]->name), type_make(DT_U16, 1, dims),
                           code_exponentials(s.scale));
    y->out[0] = q->out[0];
    attr_set_int(y, "steps", (int64_t)round(steps));
    attr_set_int(y, "zero", o.step.zero);
    attr_set_int(y, "low", o.low);
    attr_set_int(y, "high", o.high);
    node_append(&c->result, y);
    return true;
}

bool compute_on_codes(Codes *c, Node *q)
{
    return make_add(c, q) || make_product(c, q) || make_slope(c, q) || make_average(c, q) ||
           make_softmax(c, q);
}
