/* op_codes.c - the internal operators CodeTable, CodeAdd, CodeMul, CodeSlope, CodeAverage and CodeSoftmax:
 * what stands between layers that read and write codes (passes/codes.c makes them). All is in whole numbers,
 * so generated code and evaluator agree exactly. */
#include "ops/ops.h"

#include <math.h>
#include <string.h>

static int64_t code_of(const void *data, DType d, int64_t i)
{
    switch (d) {
    case DT_I8: return ((const int8_t *)data)[i];
    case DT_I16: return ((const int16_t *)data)[i];
    default: return ((const uint8_t *)data)[i];
    }
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

/* ", 1" for int8, ", 0" for uint8; kernels of 16-bit codes take no such argument. */
static const char *sign_text(const Tensor *t)
{
    if (t->type.dtype == DT_I16)
        return "";
    return is_signed(t) ? ", 1" : ", 0";
}

/* The kernel of that name for the codes of n, all of which have as many bits. */
static const char *code_kernel(Emitter *e, const Node *n, const char *name)
{
    return emit_kernel(e, n->out[0]->type.dtype == DT_I16 ? mem_printf("%s16", name) : name, DT_NONE);
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

/* ---- two inputs, of which either may broadcast ---- */

typedef struct Pairs {
    const int32_t *place[2]; /* broadcast_map */
} Pairs;

static Pairs find_pairs(const Node *n)
{
    Type y = n->out[0]->type;
    return (Pairs){{broadcast_map(y, n->in[0]->type), broadcast_map(y, n->in[1]->type)}};
}

static int64_t pair_place(const Pairs *p, int k, int64_t i)
{
    return p->place[k] ? p->place[k][i] : i;
}

/* What input k has for element i of the output. */
static int64_t pair_code(const Pairs *p, const Node *n, const void *const *in, int k, int64_t i)
{
    return code_of(in[k], n->in[k]->type.dtype, pair_place(p, k, i));
}

/* Rows of elements of the output and a that lie side by side, and of b where `step` is 1; with 0 all of a row
 * are for one element of b. */
typedef struct Rows {
    Loops loops; /* over the rows */
    int64_t count, step;
    const char *y, *a, *b; /* their beginnings */
} Rows;

static const char *row_text(const Loops *l, int operand, const char *ptr)
{
    const char *index = loops_index(l, operand);
    return strcmp(index, "0") ? mem_printf("%s + %s", ptr, index) : ptr;
}

/* Prints the loops over rows. b: where the second operand begins; steps: whether it may be one element for
 * all of a row. */
static Rows open_rows(Emitter *e, const Node *n, const char *b, bool steps)
{
    const Tensor *t[] = {n->out[0], n->in[0], n->in[1]};
    int64_t(*strides)[MAX_RANK] = mem_array(3, sizeof *strides);
    for (int i = 0; i < 3; i++)
        broadcast_strides(t[0]->type, t[i]->type, layout_strides(t[i]), strides[i]);
    Rows r = {.loops = loops_make(t[0]->type, 3, strides), .count = 1};
    int inner = r.loops.rank - 1;
    if (inner >= 0 && strides[1][inner] == 1 && (strides[2][inner] == 1 || steps)) {
        r.count = r.loops.dims[inner];
        r.step = strides[2][inner];
        r.loops.rank--;
    }
    r.y = row_text(&r.loops, 0, emit_ptr(e, t[0]));
    r.a = row_text(&r.loops, 1, emit_ptr(e, t[1]));
    r.b = row_text(&r.loops, 2, b);
    emit_loops_open(e, &r.loops);
    return r;
}

static void close_rows(Emitter *e, const Rows *r)
{
    emit_loops_close(e, &r->loops);
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
              emit_ptr(e, n->in[0]), int_text(type_elems(n->out[0]->type)), emit_table_ptr(e, n->in[1]));
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
    const Pairs p = find_pairs(n);
    for (int64_t i = 0; i < type_elems(n->out[0]->type); i++)
        put_code(n, out[0], i,
                 pair_code(&p, n, in, 0, i) * attr_int(n, "factor_a") +
                     pair_code(&p, n, in, 1, i) * attr_int(n, "factor_b"));
}

static void emit_add(Emitter *e, const Node *n)
{
    const Rows r = open_rows(e, n, emit_ptr(e, n->in[1]), false);
    emit_line(e, "%s(%s, %s%s, %s%s, %s, %s, %s, %s);", code_kernel(e, n, "add_codes"), r.y, r.a,
              sign_text(n->in[0]), r.b, sign_text(n->in[1]), int_text(r.count),
              int_text(attr_int(n, "factor_a")), int_text(attr_int(n, "factor_b")), rounding_text(n));
    close_rows(e, &r);
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

/* ---- CodeMul (a, b): y = ((a - zero_a) * (b - zero_b) * factor / 2^14 + addend) / 2^shift +
 * zero ---- */

static void eval_mul(const Graph *g, const Node *n, const void *const *in, void *const *out)
{
    (void)g;
    const Pairs p = find_pairs(n);
    int64_t factor = attr_int(n, "factor"), zero_a = attr_int(n, "zero_a"), zero_b = attr_int(n, "zero_b");
    for (int64_t i = 0; i < type_elems(n->out[0]->type); i++)
        put_code(n, out[0], i,
                 (pair_code(&p, n, in, 0, i) - zero_a) * (pair_code(&p, n, in, 1, i) - zero_b) * factor >>
                     14);
}

static void emit_mul(Emitter *e, const Node *n)
{
    const Rows r = open_rows(e, n, emit_ptr(e, n->in[1]), true);
    emit_line(e, "%s(%s, %s, %d, %s, %d, %s, %s, %s, %s, %s, %s);", emit_kernel(e, "mul_codes", DT_NONE), r.y,
              r.a, is_signed(n->in[0]), r.b, is_signed(n->in[1]), int_text(r.step), int_text(r.count),
              int_text(attr_int(n, "zero_a")), int_text(attr_int(n, "zero_b")),
              int_text(attr_int(n, "factor")), rounding_text(n));
    close_rows(e, &r);
}

const OpDef op_CodeMul = {
    .name = "CodeMul",
    .internal = true,
    .in_place = true,
    .min_in = 2,
    .max_in = 2,
    .min_out = 1,
    .max_out = 1,
    .attrs = {{.name = "zero_a", .type = ATTR_INT},
              {.name = "zero_b", .type = ATTR_INT},
              {.name = "factor", .type = ATTR_INT},
              ROUNDING_ATTRS},
    .infer = infer_codes,
    .eval = eval_mul,
    .emit = emit_mul,
};

/* ---- CodeSlope (x, slopes): v = x - zero_x, y = (v * (v < 0 ? slopes : factor) + addend) / 2^shift + zero
 * ---- */

static void eval_slope(const Graph *g, const Node *n, const void *const *in, void *const *out)
{
    (void)g;
    const Pairs p = find_pairs(n);
    const int32_t *slopes = in[1];
    for (int64_t i = 0; i < type_elems(n->out[0]->type); i++) {
        int64_t v = pair_code(&p, n, in, 0, i) - attr_int(n, "zero_x");
        put_code(n, out[0], i, v * (v < 0 ? slopes[pair_place(&p, 1, i)] : attr_int(n, "factor")));
    }
}

static void emit_slope(Emitter *e, const Node *n)
{
    const Rows r = open_rows(e, n, emit_table_ptr(e, n->in[1]), true);
    emit_line(e, "%s(%s, %s, %d, %s, %s, %s, %s, %s, %s);", emit_kernel(e, "slope_codes", DT_NONE), r.y, r.a,
              is_signed(n->in[0]), r.b, int_text(r.step), int_text(r.count), int_text(attr_int(n, "zero_x")),
              int_text(attr_int(n, "factor")), rounding_text(n));
    close_rows(e, &r);
}

const OpDef op_CodeSlope = {
    .name = "CodeSlope",
    .internal = true,
    .in_place = true,
    .min_in = 2,
    .max_in = 2,
    .min_out = 1,
    .max_out = 1,
    .attrs = {{.name = "zero_x", .type = ATTR_INT}, {.name = "factor", .type = ATTR_INT}, ROUNDING_ATTRS},
    .infer = infer_codes,
    .eval = eval_slope,
    .emit = emit_slope,
};

/* ---- CodeAverage (x, factors): planes [planes][in[0]][in[1]], windows inside of them; y = (sum * factor +
 * addend) / 2^shift + zero. With factors, where windows lie over edges: those of `begin` elements of padding
 * in front; the sum is of x - zero_x, and its factor is factors[how many elements lie inside] ---- */

/* Attribute `window`: planes, ih, iw, oh, ow, kh, kw, sh, sw. */
enum { PLANES, IH, IW, OH, OW, KH, KW, SH, SW, WINDOW };

static const int64_t *ints_of(const Node *n, const char *name, int expected)
{
    int count;
    const int64_t *v = attr_ints(n, name, &count);
    if (count != expected)
        bug("'%s' has %d numbers for '%s'", node_label(n), count, name);
    return v;
}

/* Of window i, with the begin that it has without padding: what of it lies inside, and how many elements. */
static int64_t sum_window(const Node *n, const void *x, int64_t i, int64_t zero, int64_t *count)
{
    static const int64_t none[] = {0, 0};
    const int64_t *w = ints_of(n, "window", WINDOW), *begin = n->num_in > 1 ? ints_of(n, "begin", 2) : none;
    int64_t plane = i / (w[OH] * w[OW]), sum = 0;
    int64_t row = i / w[OW] % w[OH] * w[SH] - begin[0], column = i % w[OW] * w[SW] - begin[1];
    *count = 0;
    for (int64_t k = 0; k < w[KH] * w[KW]; k++) {
        int64_t r = row + k / w[KW], c = column + k % w[KW];
        if (r < 0 || r >= w[IH] || c < 0 || c >= w[IW])
            continue;
        sum += code_of(x, n->in[0]->type.dtype, (plane * w[IH] + r) * w[IW] + c) - zero;
        ++*count;
    }
    return sum;
}

static void eval_average(const Graph *g, const Node *n, const void *const *in, void *const *out)
{
    (void)g;
    const int32_t *factors = n->num_in > 1 ? in[1] : NULL;
    for (int64_t i = 0; i < type_elems(n->out[0]->type); i++) {
        int64_t count, sum = sum_window(n, in[0], i, attr_int(n, "zero_x"), &count);
        put_code(n, out[0], i, sum * (factors ? factors[count] : attr_int(n, "factor")));
    }
}

static void emit_average(Emitter *e, const Node *n)
{
    const int64_t *w = ints_of(n, "window", WINDOW);
    bool edges = n->num_in > 1;
    Text t = {0};
    for (int i = 0; i < WINDOW; i++)
        text_printf(&t, "%s, ", int_text(w[i]));
    if (edges) {
        const int64_t *begin = ints_of(n, "begin", 2);
        text_printf(&t, "%s, %s, %s, %s", int_text(begin[0]), int_text(begin[1]),
                    int_text(attr_int(n, "zero_x")), emit_table_ptr(e, n->in[1]));
    } else {
        text_printf(&t, "%s", int_text(attr_int(n, "factor")));
    }
    emit_line(e, "%s(%s, %s%s, %s, %s);", code_kernel(e, n, edges ? "average_edges" : "average_codes"),
              emit_ptr(e, n->out[0]), emit_ptr(e, n->in[0]), sign_text(n->in[0]), t.data, rounding_text(n));
    text_free(&t);
}

const OpDef op_CodeAverage = {
    .name = "CodeAverage",
    .internal = true,
    .min_in = 1,
    .max_in = 2,
    .min_out = 1,
    .max_out = 1,
    .attrs = {{.name = "window", .type = ATTR_INTS},
              {.name = "begin", .type = ATTR_INTS},
              {.name = "zero_x", .type = ATTR_INT},
              {.name = "factor", .type = ATTR_INT},
              ROUNDING_ATTRS},
    .infer = infer_codes,
    .eval = eval_average,
    .emit = emit_average,
};

/* ---- CodeSoftmax (x, exponentials): rows of the last axis; e = that of largest code - code,
 * y = (e * steps + sum / 2) / sum + zero ---- */

enum { FINE = EXPONENTIALS / 2 };

uint16_t *code_exponentials(double scale)
{
    uint16_t *e = NEW_ARRAY(uint16_t, EXPONENTIALS);
    for (int i = 0; i < FINE; i++) {
        e[i] = (uint16_t)round(UINT16_MAX * exp(-scale * FINE * i));
        e[FINE + i] = (uint16_t)round(UINT16_MAX * exp(-scale * i));
    }
    return e;
}

/* The exponential of d codes less, a product of two. */
static int64_t exponential(const uint16_t *e, int64_t d)
{
    return ((int64_t)e[d / FINE] * e[FINE + d % FINE] + (1 << 15)) >> 16;
}

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
            sum += exponential(exponentials, most - code_of(in[0], x.dtype, i));
        for (int64_t i = first; i < first + row; i++) {
            int64_t e = exponential(exponentials, most - code_of(in[0], x.dtype, i)),
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
              int_text(type_elems(x) / row), int_text(row), emit_table_ptr(e, n->in[1]),
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
