/* op_codes.c - the internal operators CodeTable, CodeAdd, CodeAverage and CodeSoftmax: what stands between
 * layers that read and write codes (passes/codes.c makes them). All is in whole numbers, so generated code
 * and evaluator agree exactly. */
#include "ops/ops.h"

#include <string.h>

static int64_t code_of(const void *data, DType d, int64_t i)
{
    return d == DT_I8 ? ((const int8_t *)data)[i] : ((const uint8_t *)data)[i];
}

/* (v + addend) / 2^shift to the nearest, halves to even, plus zero, between the attributes low and high. */
static void put_code(const Node *n, void *y, int64_t i, int64_t v)
{
    int64_t w = v + attr_int(n, "addend"), shift = attr_int(n, "shift"), odd = (w >> shift) & 1;
    int64_t q = ((w + ((int64_t)1 << (shift - 1)) - 1 + odd) >> shift) + attr_int(n, "zero");
    elem_set(y, n->out[0]->type.dtype, i, (double)clamp(q, attr_int(n, "low"), attr_int(n, "high")));
}

static void infer_codes(Graph *g, Node *n)
{
    (void)g;
    bug("types are inferred before '%s' is made", node_label(n));
}

static int is_signed(const Tensor *t)
{
    return t->type.dtype == DT_I8;
}

/* "addend, shift, zero, low, high" */
static const char *rounding_text(const Node *n)
{
    return mem_printf("%s, %s, %s, %s, %s", int_text(attr_int(n, "addend")), int_text(attr_int(n, "shift")),
                      int_text(attr_int(n, "zero")), int_text(attr_int(n, "low")),
                      int_text(attr_int(n, "high")));
}

#define ROUNDING_ATTRS                                                                                       \
    {.name = "addend", .type = ATTR_INT}, {.name = "shift", .type = ATTR_INT},                               \
        {.name = "zero", .type = ATTR_INT}, {.name = "low", .type = ATTR_INT},                               \
    {                                                                                                        \
        .name = "high", .type = ATTR_INT                                                                     \
    }

/* ---- CodeTable (x, table): y[i] = table[x[i] as an unsigned byte] ---- */

static void eval_table(const Graph *g, const Node *n, const void *const *in, void *const *out)
{
    (void)g;
    const uint8_t *x = in[0], *table = in[1];
    for (int64_t i = 0; i < type_elems(n->out[0]->type); i++)
        ((uint8_t *)out[0])[i] = table[x[i]];
}

static void emit_table(Emitter *e, const Node *n)
{
    emit_line(e, "%s(%s, %s, %s, %s);", emit_kernel(e, "code_table", DT_NONE), emit_ptr(e, n->out[0]),
              emit_ptr(e, n->in[0]), int_text(type_elems(n->out[0]->type)), emit_ptr(e, n->in[1]));
}

const OpDef op_CodeTable = {
    .name = "CodeTable",
    .internal = true,
    .in_place = true,
    .min_in = 2,
    .max_in = 2,
    .min_out = 1,
    .max_out = 1,
    .infer = infer_codes,
    .eval = eval_table,
    .emit = emit_table,
};

/* ---- CodeAdd (a, b): y = (a * factor_a + b * factor_b + addend) / 2^shift + zero ---- */

static void eval_add(const Graph *g, const Node *n, const void *const *in, void *const *out)
{
    (void)g;
    for (int64_t i = 0; i < type_elems(n->out[0]->type); i++)
        put_code(n, out[0], i,
                 code_of(in[0], n->in[0]->type.dtype, i) * attr_int(n, "factor_a") +
                     code_of(in[1], n->in[1]->type.dtype, i) * attr_int(n, "factor_b"));
}

static void emit_add(Emitter *e, const Node *n)
{
    emit_line(e, "%s(%s, %s, %d, %s, %d, %s, %s, %s, %s);", emit_kernel(e, "add_codes", DT_NONE),
              emit_ptr(e, n->out[0]), emit_ptr(e, n->in[0]), is_signed(n->in[0]), emit_ptr(e, n->in[1]),
              is_signed(n->in[1]), int_text(type_elems(n->out[0]->type)), int_text(attr_int(n, "factor_a")),
              int_text(attr_int(n, "factor_b")), rounding_text(n));
}

const OpDef op_CodeAdd = {
    .name = "CodeAdd",
    .internal = true,
    .in_place = true,
    .min_in = 2,
    .max_in = 2,
    .min_out = 1,
    .max_out = 1,
    .attrs = {{.name = "factor_a", .type = ATTR_INT}, {.name = "factor_b", .type = ATTR_INT}, ROUNDING_ATTRS},
    .infer = infer_codes,
    .eval = eval_add,
    .emit = emit_add,
};

/* ---- CodeAverage (x): planes [planes][in[0]][in[1]], windows inside of them; y = (sum * factor + addend) /
 * 2^shift + zero ---- */

/* Attribute `window`: planes, ih, iw, oh, ow, kh, kw, sh, sw. */
enum { PLANES, IH, IW, OH, OW, KH, KW, SH, SW, WINDOW };

static const int64_t *window_of(const Node *n)
{
    int count;
    const int64_t *w = attr_ints(n, "window", &count);
    if (count != WINDOW)
        bug("'%s' has no window", node_label(n));
    return w;
}

static int64_t sum_window(const Node *n, const void *x, const int64_t *w, int64_t i)
{
    int64_t plane = i / (w[OH] * w[OW]), row = i / w[OW] % w[OH] * w[SH], column = i % w[OW] * w[SW], sum = 0;
    for (int64_t k = 0; k < w[KH] * w[KW]; k++)
        sum +=
            code_of(x, n->in[0]->type.dtype, (plane * w[IH] + row + k / w[KW]) * w[IW] + column + k % w[KW]);
    return sum;
}

static void eval_average(const Graph *g, const Node *n, const void *const *in, void *const *out)
{
    (void)g;
    const int64_t *w = window_of(n);
    for (int64_t i = 0; i < w[PLANES] * w[OH] * w[OW]; i++)
        put_code(n, out[0], i, sum_window(n, in[0], w, i) * attr_int(n, "factor"));
}

static void emit_average(Emitter *e, const Node *n)
{
    const int64_t *w = window_of(n);
    Text t = {0};
    for (int i = 0; i < WINDOW; i++)
        text_printf(&t, "%s, ", int_text(w[i]));
    emit_line(e, "%s(%s, %s, %d, %s%s, %s);", emit_kernel(e, "average_codes", DT_NONE),
              emit_ptr(e, n->out[0]), emit_ptr(e, n->in[0]), is_signed(n->in[0]), t.data,
              int_text(attr_int(n, "factor")), rounding_text(n));
    text_free(&t);
}

const OpDef op_CodeAverage = {
    .name = "CodeAverage",
    .internal = true,
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .attrs = {{.name = "window", .type = ATTR_INTS}, {.name = "factor", .type = ATTR_INT}, ROUNDING_ATTRS},
    .infer = infer_codes,
    .eval = eval_average,
    .emit = emit_average,
};

/* ---- CodeSoftmax (x, exponentials): rows of the last axis; e = exponentials[largest code - code],
 * y = (e * steps + sum / 2) / sum + zero ---- */

static void eval_softmax(const Graph *g, const Node *n, const void *const *in, void *const *out)
{
    (void)g;
    Type x = n->in[0]->type;
    const uint16_t *exponentials = in[1];
    int64_t row = x.dims[x.rank - 1], steps = attr_int(n, "steps"), zero = attr_int(n, "zero");
    for (int64_t first = 0; first < type_elems(x); first += row) {
        int64_t most = code_of(in[0], x.dtype, first), sum = 0;
        for (int64_t i = first; i < first + row; i++)
            most = code_of(in[0], x.dtype, i) > most ? code_of(in[0], x.dtype, i) : most;
        for (int64_t i = first; i < first + row; i++)
            sum += exponentials[most - code_of(in[0], x.dtype, i)];
        for (int64_t i = first; i < first + row; i++) {
            int64_t e = exponentials[most - code_of(in[0], x.dtype, i)],
                    q = (e * steps + sum / 2) / sum + zero;
            elem_set(out[0], n->out[0]->type.dtype, i,
                     (double)clamp(q, attr_int(n, "low"), attr_int(n, "high")));
        }
    }
}

static void emit_softmax(Emitter *e, const Node *n)
{
    Type x = n->in[0]->type;
    int64_t row = x.dims[x.rank - 1];
    emit_line(e, "%s(%s, %s, %d, %s, %s, %s, %s, %s, %s, %s);", emit_kernel(e, "softmax_codes", DT_NONE),
              emit_ptr(e, n->out[0]), emit_ptr(e, n->in[0]), is_signed(n->in[0]),
              int_text(type_elems(x) / row), int_text(row), emit_ptr(e, n->in[1]),
              int_text(attr_int(n, "steps")), int_text(attr_int(n, "zero")), int_text(attr_int(n, "low")),
              int_text(attr_int(n, "high")));
}

const OpDef op_CodeSoftmax = {
    .name = "CodeSoftmax",
    .internal = true,
    .min_in = 2,
    .max_in = 2,
    .min_out = 1,
    .max_out = 1,
    .attrs = {{.name = "steps", .type = ATTR_INT},
              {.name = "zero", .type = ATTR_INT},
              {.name = "low", .type = ATTR_INT},
              {.name = "high", .type = ATTR_INT}},
    .infer = infer_codes,
    .eval = eval_softmax,
    .emit = emit_softmax,
};
