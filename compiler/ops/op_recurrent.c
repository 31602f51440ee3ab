/* op_recurrent.c - LSTM, GRU and RNN, and the internal operator Recurrent that passes/recurrent.c makes of
 * them: the same without the products X * W. What a node computes is in recurrent.h, one step in cell_step.c;
 * C is printed by emit_recurrent.c. Source: the operators' texts in ONNX. */
#include "graph/op.h"
#include "ops/recurrent.h"
#include "ops/reference.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- attributes ---- */

typedef struct FunctionRow {
    const char *name;
    bool has_alpha, has_beta;
    float alpha, beta;
} FunctionRow;

static const FunctionRow function_rows[] = {
#define X(onnx, kernel, has_alpha, has_beta, alpha, beta)                                                    \
    {#onnx, has_alpha, has_beta, (float)(alpha), (float)(beta)},
    GATE_FUNCTIONS(X)
#undef X
};

static GateKind find_function(const Graph *g, const Node *n, const char *name)
{
    for (int k = 0; k < NUM_GATE_KINDS; k++)
        if (!strcasecmp(function_rows[k].name, name))
            return (GateKind)k;
    fail_node(g, n, "unsupported: activation '%s'", name);
}

/* Parameters come in the order of the functions that take them; the last may be left to their defaults. */
typedef struct Parameters {
    const char *name;
    const Attr *list;
    int used;
} Parameters;

static double next_parameter(const Graph *g, const Node *n, Parameters *p, const FunctionRow *row,
                             float otherwise)
{
    if (p->list && p->used < p->list->count)
        return (double)p->list->floats[p->used++];
    if (isnan(otherwise))
        fail_node(g, n, "activation '%s' has no default for '%s'", row->name, p->name);
    return (double)otherwise;
}

static void check_used(const Graph *g, const Node *n, const Parameters *p)
{
    if (p->list && p->used < p->list->count)
        fail_node(g, n, "'%s' has %d values, but only %d activations take one", p->list->name, p->list->count,
                  p->used);
}

static int functions_per_direction(OpKind op)
{
    if (op == OP_LSTM)
        return 3;
    return op == OP_GRU ? 2 : 1;
}

static int gates_of(OpKind op)
{
    if (op == OP_LSTM)
        return 4;
    return op == OP_GRU ? 3 : 1;
}

/* RNN's attribute has two names by default, whatever the direction. */
static void read_functions(const Graph *g, const Node *n, Cell *c)
{
    static const char *const defaults[][3] = {{"Sigmoid", "Tanh", "Tanh"}, {"Tanh", "Tanh", "Tanh"}};
    int per = functions_per_direction(c->op), need = per * (int)c->directions;
    const Attr *names = node_attr(n, "activations");
    if (names && names->count != need && !(c->op == OP_RNN && names->count == 2))
        fail_node(g, n, "'activations' has %d names, %d are needed", names->count, need);
    Parameters alpha = {"activation_alpha", node_attr(n, "activation_alpha"), 0};
    Parameters beta = {"activation_beta", node_attr(n, "activation_beta"), 0};
    for (int i = 0; i < need; i++) {
        GateFunction *f = &c->functions[i / per][i % per];
        f->kind = find_function(g, n, names ? names->strings[i] : defaults[c->op == OP_RNN][i % per]);
        const FunctionRow *row = &function_rows[f->kind];
        f->alpha = row->has_alpha ? next_parameter(g, n, &alpha, row, row->alpha) : 0;
        f->beta = row->has_beta ? next_parameter(g, n, &beta, row, row->beta) : 0;
    }
    check_used(g, n, &alpha);
    check_used(g, n, &beta);
}

static void read_direction(const Graph *g, const Node *n, Cell *c)
{
    const char *d = attr_string(n, "direction");
    c->backward = !strcmp(d, "reverse");
    c->directions = strcmp(d, "bidirectional") ? 1 : 2;
    if (c->directions == 1 && !c->backward && strcmp(d, "forward") != 0)
        fail_node(g, n, "'direction' is '%s', not forward, reverse or bidirectional", d);
}

static void read_clip(const Graph *g, const Node *n, Cell *c)
{
    const Attr *a = node_attr(n, "clip");
    c->clip = a ? (double)a->f : INFINITY;
    if (!(c->clip > 0))
        fail_node(g, n, "'clip' is %g; it must be positive", c->clip);
}

/* ---- shapes ---- */

const Tensor *cell_input(const Node *n, int place)
{
    return place < n->num_in ? n->in[place] : NULL;
}

static void need_shape(const Graph *g, const Node *n, int place, DType d, int rank, const int64_t *dims)
{
    const Tensor *t = cell_input(n, place);
    if (!t)
        return;
    if (!type_equal(t->type, type_make(d, rank, dims)))
        fail_node(g, n, "input %d is %s, it must be %s", place, type_text(t->type),
                  type_text(type_make(d, rank, dims)));
}

static void check_shapes(const Graph *g, const Node *n, const Cell *c)
{
    const int64_t rows = c->gates * c->hidden, d = c->directions, h = c->hidden;
    int64_t state[] = {d, c->batch, h}, state_batch_first[] = {c->batch, d, h};
    int64_t *s = c->batch_first ? state_batch_first : state;
    need_shape(g, n, CELL_W, c->dtype, 3, (int64_t[]){d, rows, c->inputs});
    need_shape(g, n, CELL_R, c->dtype, 3, (int64_t[]){d, rows, h});
    need_shape(g, n, CELL_B, c->dtype, 2, (int64_t[]){d, 2 * rows});
    need_shape(g, n, CELL_LENGTHS, DT_I32, 1, (int64_t[]){c->batch});
    need_shape(g, n, CELL_H, c->dtype, 3, s);
    need_shape(g, n, CELL_C, c->dtype, 3, s);
    need_shape(g, n, CELL_P, c->dtype, 2, (int64_t[]){d, 3 * h});
}

static void read_sizes(const Graph *g, const Node *n, Cell *c)
{
    Type x = n->in[CELL_X]->type, r = n->in[CELL_R]->type;
    if (x.rank != 3 || r.rank != 3)
        fail_node(g, n, "X and R must have 3 dimensions");
    if (!dtype_is_float(x.dtype))
        fail_node(g, n, "unsupported: %s of %s", n->op_name, dtype_name(x.dtype));
    c->dtype = x.dtype;
    c->batch_first = attr_int(n, "layout") != 0;
    c->steps = x.dims[c->batch_first];
    c->batch = x.dims[!c->batch_first];
    c->inputs = x.dims[2];
    c->hidden = r.dims[2];
    c->gates = gates_of(c->op);
    const Attr *hidden = node_attr(n, "hidden_size");
    if (c->hidden < 1 || (hidden && hidden->i != c->hidden))
        fail_node(g, n, "'hidden_size' is %s, R has %s columns", int_text(hidden ? hidden->i : 0),
                  int_text(c->hidden));
}

Cell cell_read(const Graph *g, const Node *n)
{
    Cell c = {.op = n->op, .source = mem_printf("%s '%s'", n->op_name, node_label(n))};
    for (int i = CELL_X; i <= CELL_R; i++)
        if (!n->in[i])
            fail_node(g, n, "input %d is missing", i);
    read_sizes(g, n, &c);
    read_direction(g, n, &c);
    read_clip(g, n, &c);
    read_functions(g, n, &c);
    c.coupled = c.op == OP_LSTM && attr_int(n, "input_forget");
    c.linear_before_reset = c.op == OP_GRU && attr_int(n, "linear_before_reset");
    check_shapes(g, n, &c);
    return c;
}

static void infer_cell(Graph *g, Node *n)
{
    Cell c = cell_read(g, n);
    int64_t y[] = {c.steps, c.directions, c.batch, c.hidden},
            y_first[] = {c.batch, c.steps, c.directions, c.hidden};
    int64_t s[] = {c.directions, c.batch, c.hidden}, s_first[] = {c.batch, c.directions, c.hidden};
    Type all = type_make(c.dtype, 4, c.batch_first ? y_first : y);
    Type last = type_make(c.dtype, 3, c.batch_first ? s_first : s);
    for (int i = 0; i < n->num_out; i++)
        if (n->out[i])
            n->out[i]->type = i == CELL_Y ? all : last;
}

/* ---- places ---- */

int cell_products(const Cell *c, int *first)
{
    bool split = c->op == OP_GRU && !c->linear_before_reset;
    first[0] = 0;
    first[1] = split ? 2 : (int)c->gates;
    first[2] = (int)c->gates;
    return split ? 2 : 1;
}

int64_t cell_row(const Cell *c, int64_t t, int64_t b)
{
    return c->batch_first ? b * c->steps + t : t * c->batch + b;
}

int64_t cell_y(const Cell *c, int64_t t, int64_t d, int64_t b)
{
    int64_t row =
        c->batch_first ? (b * c->steps + t) * c->directions + d : (t * c->directions + d) * c->batch + b;
    return row * c->hidden;
}

int64_t cell_state(const Cell *c, int64_t d, int64_t b)
{
    return (c->batch_first ? b * c->directions + d : d * c->batch + b) * c->hidden;
}

int64_t cell_time(const Cell *c, int64_t d, int64_t s)
{
    return c->backward || d == 1 ? c->steps - 1 - s : s;
}

bool cell_has_memory(const Cell *c)
{
    return c->op == OP_LSTM;
}

int cell_records(const Cell *c)
{
    int64_t steps = c->batch ? c->directions * c->steps : 0;
    return (int)steps * (cell_has_memory(c) ? 2 : 1);
}

bool cell_runs(const int32_t *lengths, int64_t b, int64_t t)
{
    return !lengths || t < lengths[b];
}

/* ---- evaluation ---- */

static double *values_of(const Node *n, const void *const *in, int place)
{
    const Tensor *t = cell_input(n, place);
    return t ? doubles_from(in[place], t->type.dtype, type_elems(t->type)) : NULL;
}

/* What is left of B when the rest is in the products: Rb of h, where r is applied behind it. */
static void keep_reset_bias(const Cell *c, double *b)
{
    int64_t rows = c->gates * c->hidden, kept = rows + 2 * c->hidden;
    for (int64_t i = 0; b && i < 2 * rows * c->directions; i++)
        if (!c->linear_before_reset || i % (2 * rows) < kept)
            b[i] = 0;
}

CellWeights cell_weights(const Cell *c, const Node *n, const void *const *in)
{
    CellWeights w = {
        .r = values_of(n, in, CELL_R), .b = values_of(n, in, CELL_B), .p = values_of(n, in, CELL_P)};
    if (c->bias_in_products)
        keep_reset_bias(c, w.b);
    return w;
}

void cell_weights_free(CellWeights *w)
{
    free(w->r);
    free(w->b);
    free(w->p);
}

void cell_step_weights(CellStep *s, const CellWeights *w, int64_t d)
{
    const Cell *c = s->cell;
    int64_t rows = c->gates * c->hidden;
    s->direction = d;
    s->r = w->r + d * rows * c->hidden;
    s->b = w->b ? w->b + d * 2 * rows : NULL;
    s->p = w->p ? w->p + d * 3 * c->hidden : NULL;
}

/* Buffers of one batch row. */
typedef struct RowState {
    double *h, *c;
    Approx *new_h, *new_c;
} RowState;

static RowState row_state_new(const Cell *c)
{
    RowState r = {.h = doubles_new(c->hidden), .c = cell_has_memory(c) ? doubles_new(c->hidden) : NULL};
    r.new_h = calloc((size_t)(2 * c->hidden), sizeof *r.new_h);
    if (!r.new_h)
        fail("out of memory");
    r.new_c = r.new_h + c->hidden;
    return r;
}

static void row_state_free(RowState *r)
{
    free(r->h);
    free(r->c);
    free(r->new_h);
}

static void load_state(const Cell *c, double *to, const Tensor *t, const void *data, int64_t at)
{
    for (int64_t i = 0; to && i < c->hidden; i++)
        to[i] = t ? elem_get(data, c->dtype, at + i) : 0;
}

static void store_state(const Cell *c, const double *from, void *data, int64_t at)
{
    for (int64_t i = 0; from && data && i < c->hidden; i++)
        elem_set(data, c->dtype, at + i, from[i]);
}

static void take_values(double *to, const Approx *from, int64_t n)
{
    for (int64_t i = 0; to && i < n; i++)
        to[i] = from[i].v;
}

/* Outputs by place; those that are not wanted, or that the node does not have, are NULL. */
typedef struct CellOutputs {
    void *y[3];
} CellOutputs;

/* Direction d of batch row b over all steps. */
static void walk_row(const Cell *c, const Node *n, const void *const *in, const CellWeights *w,
                     const double *xw, const CellOutputs *out, int64_t d, int64_t b)
{
    RowState r = row_state_new(c);
    CellStep s = {.cell = c, .h = r.h, .c = r.c, .new_h = r.new_h, .new_c = r.new_c};
    const Tensor *lengths = cell_input(n, CELL_LENGTHS), *h0 = cell_input(n, CELL_H);
    const Tensor *c0 = cell_input(n, CELL_C);
    int64_t rows = c->gates * c->hidden, state = cell_state(c, d, b);
    load_state(c, r.h, h0, h0 ? in[CELL_H] : NULL, state);
    load_state(c, r.c, c0, c0 ? in[CELL_C] : NULL, state);
    cell_step_weights(&s, w, d);
    double *zero = doubles_new(c->hidden);
    for (int64_t i = 0; i < c->steps; i++) {
        int64_t t = cell_time(c, d, i);
        bool runs = cell_runs(lengths ? in[CELL_LENGTHS] : NULL, b, t);
        if (runs) {
            s.xw = xw + (cell_row(c, t, b) * c->directions + d) * rows;
            cell_step(&s);
            take_values(r.h, r.new_h, c->hidden);
            take_values(r.c, r.new_c, c->hidden);
        }
        store_state(c, runs ? r.h : zero, out->y[CELL_Y], cell_y(c, t, d, b));
    }
    store_state(c, r.h, out->y[CELL_Y_H], state);
    store_state(c, r.c, out->y[CELL_Y_C], state);
    free(zero);
    row_state_free(&r);
}

static void walk(const Cell *c, const Node *n, const void *const *in, const double *xw, void *const *out)
{
    CellOutputs o = {{NULL}};
    for (int i = 0; i < n->num_out; i++)
        o.y[i] = out[i];
    CellWeights w = cell_weights(c, n, in);
    for (int64_t d = 0; d < c->directions; d++)
        for (int64_t b = 0; b < c->batch; b++)
            walk_row(c, n, in, &w, xw, &o, d, b);
    cell_weights_free(&w);
}

/* xw[row][direction][gate][hidden] = x[row] * W */
static double *multiply_inputs(const Cell *c, const void *const *in)
{
    int64_t count = c->steps * c->batch, rows = c->directions * c->gates * c->hidden;
    double *x = doubles_from(in[CELL_X], c->dtype, count * c->inputs);
    double *w = doubles_from(in[CELL_W], c->dtype, rows * c->inputs), *xw = doubles_new(count * rows);
    for (int64_t i = 0; i < count; i++)
        reference_fc(c->inputs, rows, x + i * c->inputs, w, xw + i * rows);
    free(x);
    free(w);
    return xw;
}

static void eval_cell(const Graph *g, const Node *n, const void *const *in, void *const *out)
{
    Cell c = cell_read(g, n);
    double *xw = multiply_inputs(&c, in);
    walk(&c, n, in, xw, out);
    free(xw);
}

/* ---- Recurrent ---- */

void eval_recurrent(const Graph *g, const Node *n, const void *const *in, void *const *out)
{
    (void)g;
    double *xw = doubles_from(in[CELL_X], n->cell->dtype, type_elems(n->in[CELL_X]->type));
    walk(n->cell, n, in, xw, out);
    free(xw);
}

#define COMMON_ATTRS                                                                                         \
    {.name = "activation_alpha", .type = ATTR_FLOATS}, {.name = "activation_beta", .type = ATTR_FLOATS},     \
        {.name = "activations", .type = ATTR_STRINGS}, {.name = "clip", .type = ATTR_FLOAT},                 \
        {.name = "direction", .type = ATTR_STRING, .s = "forward"},                                          \
        {.name = "hidden_size", .type = ATTR_INT},                                                           \
    {                                                                                                        \
        .name = "layout", .type = ATTR_INT                                                                   \
    }

static double cell_steps(const Graph *g, const Node *n)
{
    (void)g;
    return (double)type_elems(n->in[1]->type) + (double)type_elems(n->in[2]->type);
}

const OpDef op_LSTM = {
    .name = "LSTM",
    .min_in = 3,
    .max_in = 8,
    .min_out = 0,
    .max_out = 3,
    .attrs = {COMMON_ATTRS, {.name = "input_forget", .type = ATTR_INT}},
    .infer = infer_cell,
    .eval = eval_cell,
    .steps = cell_steps,
};

const OpDef op_GRU = {
    .name = "GRU",
    .min_in = 3,
    .max_in = 6,
    .min_out = 0,
    .max_out = 2,
    .attrs = {COMMON_ATTRS, {.name = "linear_before_reset", .type = ATTR_INT}},
    .infer = infer_cell,
    .eval = eval_cell,
    .steps = cell_steps,
};

const OpDef op_RNN = {
    .name = "RNN",
    .min_in = 3,
    .max_in = 6,
    .min_out = 0,
    .max_out = 2,
    .attrs = {COMMON_ATTRS},
    .infer = infer_cell,
    .eval = eval_cell,
    .steps = cell_steps,
};

/* A block of so many bytes. */
static int64_t next_block(int64_t *total, int64_t bytes)
{
    enum { BLOCK = 16 };
    int64_t at = *total;
    *total += (bytes + BLOCK - 1) / BLOCK * BLOCK;
    return at;
}

CellScratch cell_scratch(const Cell *c)
{
    int first[3];
    const int64_t state = c->batch * c->hidden, code = (int64_t)dtype_size(c->codes ? DT_I8 : c->dtype);
    const int64_t number = (int64_t)dtype_size(c->codes ? DT_I16 : c->dtype);
    bool second = cell_has_memory(c) || (c->codes && c->op == OP_GRU);
    CellScratch s = {0};
    s.h = next_block(&s.total, state * code);
    s.c = next_block(&s.total, second ? state * number : 0);
    s.sums = next_block(&s.total, state * c->gates * number);
    s.reset_h = next_block(&s.total, cell_products(c, first) > 1 ? state * code : 0);
    return s;
}
