/* emit_recurrent.c - the internal operator Recurrent as C: a loop over the steps of each direction. R * h is
 * a layer with a function of its own, ternary or float, or a matrix known at run time; the rest are the
 * kernels of runtime/recurrent.h on one batch row after the other.
 *
 * Where input and output states share memory, as the header allows for state pairs: a direction reads its
 * states before its first step and writes them behind its last. */
#include "codegen/cell_code.h"

#include <math.h>

static const char *const function_kernels[] = {
#define X(onnx, kernel, has_alpha, has_beta, alpha, beta) "gate_" #kernel,
    GATE_FUNCTIONS(X)
#undef X
};

/* ---- one direction ---- */

static const char *kernel(const CellWalk *w, const char *name)
{
    return emit_kernel(w->e, name, w->c->dtype);
}

static void declare_block(const CellWalk *w, const char *name, DType d, int64_t at)
{
    const char *t = dtype_c(d);
    int64_t base = w->e->plan->scratch[plan_node_index(w->e->plan, w->n)];
    emit_line(w->e, "%s *%s = (%s *)(void *)(arena + %s);", t, name, t, int_text(base + at));
}

static void emit_function(const CellWalk *w, const char *v, int64_t count, int function)
{
    const Cell *c = w->c;
    const GateFunction *f = &c->functions[w->d][function];
    emit_line(w->e, "%s(%s, %s, %s, %s);", kernel(w, function_kernels[f->kind]), v, int_text(count),
              float_text(f->alpha, c->dtype), float_text(f->beta, c->dtype));
}

static void emit_clip(const CellWalk *w, const char *v, int64_t count)
{
    if (isfinite(w->c->clip))
        emit_line(w->e, "%s(%s, %s, %s);", kernel(w, "gate_clip"), v, int_text(count),
                  float_text(w->c->clip, w->c->dtype));
}

static void emit_gate(const CellWalk *w, const char *v, int64_t count, int function)
{
    emit_clip(w, v, count);
    emit_function(w, v, count, function);
}

static void emit_add(const CellWalk *w, const char *v, const char *x, int64_t count)
{
    emit_line(w->e, "%s(%s, %s, %s);", kernel(w, "gate_add"), v, x, int_text(count));
}

static void add_bias(const CellWalk *w, const char *v, int which, int64_t gate, int64_t gates)
{
    int64_t rows = w->c->gates * w->c->hidden;
    emit_add(w, v, cell_place(w, CELL_B, (w->d * 2 + which) * rows + gate * w->c->hidden),
             gates * w->c->hidden);
}

static void emit_bias(const CellWalk *w, const char *v, int which, int64_t gate, int64_t gates)
{
    if (cell_input(w->n, CELL_B) && !w->c->bias_in_products)
        add_bias(w, v, which, gate, gates);
}

/* Rb of the hidden gate with linear_before_reset is never in the products, but layers add it. */
static void emit_reset_bias(const CellWalk *w, const char *v)
{
    bool in_layer = w->c->bias_in_products && w->c->num_products;
    if (cell_input(w->n, CELL_B) && !in_layer)
        add_bias(w, v, 1, 2, 1);
}

static void emit_peephole(const CellWalk *w, const char *v, int which)
{
    int64_t hidden = w->c->hidden;
    if (cell_input(w->n, CELL_P))
        emit_line(w->e, "%s(%s, %s, cell, %s);", kernel(w, "gate_peephole"), v,
                  cell_place(w, CELL_P, (w->d * 3 + which) * hidden), int_text(hidden));
}

/* sums = R * h of product i, [batch][gates of the product]. */
static void emit_product(const CellWalk *w, int i, const char *sums, const char *h)
{
    const Cell *c = w->c;
    int first[3], count = cell_products(c, first);
    long long rows = (first[i + 1] - first[i]) * c->hidden, hidden = c->hidden;
    if (c->num_products)
        emit_line(w->e, "layer%d(%s, %s);", c->products[w->d * count + i]->index, h, sums);
    else
        emit_line(w->e, "%s(%s, %s, %s, %s, %lld, %lld, %lld, 1, 1, %lld);", kernel(w, "matmul"), sums, h,
                  cell_place(w, CELL_R, (w->d * c->gates + first[i]) * c->hidden * c->hidden),
                  int_text(c->batch), rows, hidden, hidden, hidden);
}

/* ---- one batch row ---- */

static void close_rows(const CellWalk *w, bool store)
{
    if (store && cell_output(w, CELL_Y))
        emit_line(w->e, "memcpy(%s, state, %s * sizeof *h);", cell_y_place(w), int_text(w->c->hidden));
    emit_line(w->e, "}");
}

static const char *gate(const CellWalk *w, int i)
{
    return i ? mem_printf("g + %s", int_text(i * w->c->hidden)) : "g";
}

/* Gates i, o, f, c. */
static void emit_lstm_row(const CellWalk *w)
{
    const int64_t hidden = w->c->hidden;
    emit_line(w->e, "%s *g = sums + b * %s, *cell = c + b * %s;", dtype_c(w->c->dtype), int_text(4 * hidden),
              int_text(hidden));
    emit_add(w, "g", "x", 4 * hidden);
    emit_bias(w, "g", 0, 0, 4);
    emit_bias(w, "g", 1, 0, 4);
    emit_peephole(w, gate(w, 0), 0);
    emit_gate(w, gate(w, 0), hidden, 0);
    if (w->c->coupled) {
        emit_line(w->e, "%s(%s, g, %s);", kernel(w, "gate_couple"), gate(w, 2), int_text(hidden));
    } else {
        emit_peephole(w, gate(w, 2), 2);
        emit_gate(w, gate(w, 2), hidden, 0);
    }
    emit_gate(w, gate(w, 3), hidden, 1);
    emit_line(w->e, "%s(cell, g, %s, %s, %s);", kernel(w, "cell_lstm"), gate(w, 2), gate(w, 3),
              int_text(hidden));
    emit_peephole(w, gate(w, 1), 1);
    emit_gate(w, gate(w, 1), hidden, 0);
    emit_line(w->e, "memcpy(state, cell, %s * sizeof *h);", int_text(hidden));
    emit_gate(w, "state", hidden, 2);
    emit_line(w->e, "%s(state, %s, %s);", kernel(w, "gate_multiply"), gate(w, 1), int_text(hidden));
}

static void emit_lstm_step(const CellWalk *w)
{
    emit_product(w, 0, "sums", "h");
    open_cell_rows(w);
    emit_cell_length(w);
    emit_lstm_row(w);
    close_rows(w, true);
}

static void emit_rnn_step(const CellWalk *w)
{
    const int64_t hidden = w->c->hidden;
    emit_product(w, 0, "sums", "h");
    open_cell_rows(w);
    emit_cell_length(w);
    emit_line(w->e, "memcpy(state, sums + b * %s, %s * sizeof *h);", int_text(hidden), int_text(hidden));
    emit_add(w, "state", "x", hidden);
    emit_bias(w, "state", 0, 0, 1);
    emit_bias(w, "state", 1, 0, 1);
    emit_gate(w, "state", hidden, 0);
    close_rows(w, true);
}

/* Gates z and r, which lie at the start of a row of `gates`. */
static void emit_update_and_reset(const CellWalk *w, int gates)
{
    const int64_t hidden = w->c->hidden;
    emit_line(w->e, "%s *g = sums + b * %s;", dtype_c(w->c->dtype), int_text(gates * hidden));
    emit_add(w, "g", "x", 2 * hidden);
    emit_bias(w, "g", 0, 0, 2);
    emit_bias(w, "g", 1, 0, 2);
    emit_gate(w, "g", 2 * hidden, 0);
}

static void emit_hidden_gate(const CellWalk *w, const char *v)
{
    const long long hidden = w->c->hidden;
    emit_gate(w, v, hidden, 1);
    emit_line(w->e, "%s(state, g, %s, %lld);", kernel(w, "cell_gru"), v, hidden);
}

static void emit_gru_linear_step(const CellWalk *w)
{
    const int64_t hidden = w->c->hidden;
    const char *v = gate(w, 2);
    emit_product(w, 0, "sums", "h");
    open_cell_rows(w);
    emit_cell_length(w);
    emit_update_and_reset(w, 3);
    emit_reset_bias(w, v);
    emit_line(w->e, "%s(%s, %s, %s);", kernel(w, "gate_multiply"), v, gate(w, 1), int_text(hidden));
    emit_add(w, v, mem_printf("x + %s", int_text(2 * hidden)), hidden);
    emit_bias(w, v, 0, 2, 1);
    emit_hidden_gate(w, v);
    close_rows(w, true);
}

/* r must be known for all of h before the last product. */
static void emit_gru_step(const CellWalk *w)
{
    const int64_t hidden = w->c->hidden;
    emit_product(w, 0, "sums", "h");
    open_cell_rows(w);
    emit_update_and_reset(w, 2);
    emit_line(w->e, "%s(reset_h + b * %s, %s, state, %s);", kernel(w, "gate_product"), int_text(hidden),
              gate(w, 1), int_text(hidden));
    close_rows(w, false);
    emit_product(w, 1, mem_printf("sums + %s", int_text(2 * w->c->batch * hidden)), "reset_h");
    open_cell_rows(w);
    emit_cell_length(w);
    emit_line(w->e, "%s *g = sums + b * %s, *v = sums + %s + b * %s;", dtype_c(w->c->dtype),
              int_text(2 * hidden), int_text(2 * w->c->batch * hidden), int_text(hidden));
    emit_add(w, "v", mem_printf("x + %s", int_text(2 * hidden)), hidden);
    emit_bias(w, "v", 0, 2, 1);
    emit_bias(w, "v", 1, 2, 1);
    emit_hidden_gate(w, "v");
    close_rows(w, true);
}

/* ---- all steps ---- */

static void load_state(const CellWalk *w, const char *name, int input)
{
    const Cell *c = w->c;
    if (!cell_input(w->n, input))
        emit_line(w->e, "memset(%s, 0, %s * sizeof *%s);", name, int_text(c->batch * c->hidden), name);
    else
        emit_line(w->e, "%s(%s, %s, %s, %s, %s, %s);", kernel(w, "state_rows"), name,
                  cell_place(w, input, cell_state(c, w->d, 0)), int_text(c->batch), int_text(c->hidden),
                  int_text(c->hidden), int_text(cell_row_step(w)));
}

static void load_states(const CellWalk *w)
{
    load_state(w, "h", CELL_H);
    if (cell_has_memory(w->c))
        load_state(w, "c", CELL_C);
}

static void store_state(const CellWalk *w, const char *name, int i)
{
    const Cell *c = w->c;
    if (cell_output(w, i))
        emit_line(w->e, "%s(%s + %s, %s, %s, %s, %s, %s);", kernel(w, "state_rows"),
                  emit_ptr(w->e, cell_output(w, i)), int_text(cell_state(c, w->d, 0)), name,
                  int_text(c->batch), int_text(c->hidden), int_text(cell_row_step(w)), int_text(c->hidden));
}

static void store_states(const CellWalk *w)
{
    store_state(w, "h", CELL_Y_H);
    store_state(w, "c", CELL_Y_C);
}

/* For `ternc check`: the states behind every step, numbered behind the outputs. */
static void emit_check_states(const CellWalk *w)
{
    const Cell *c = w->c;
    int kinds = cell_has_memory(c) ? 2 : 1, index = plan_node_index(w->e->plan, w->n);
    emit_begin_check(w->e);
    for (int i = 0; i < kinds; i++)
        emit_line(w->e, "%s_check_tensor(%d, %s + s * %d, %s);", w->e->plan->id, index,
                  int_text(w->n->num_out + w->d * c->steps * kinds + i), kinds, i ? "c" : cell_state_name(c));
    emit_end_check(w->e);
}

static void emit_step(const CellWalk *w)
{
    if (w->c->codes)
        emit_code_step(w);
    else if (w->c->op == OP_LSTM)
        emit_lstm_step(w);
    else if (w->c->op == OP_RNN)
        emit_rnn_step(w);
    else if (w->c->linear_before_reset)
        emit_gru_linear_step(w);
    else
        emit_gru_step(w);
}

static void declare_blocks(const CellWalk *w)
{
    const Cell *c = w->c;
    const DType code = c->codes ? DT_I8 : c->dtype, number = c->codes ? DT_I16 : c->dtype;
    int first[3];
    declare_block(w, "h", code, w->scratch.h);
    if (w->scratch.sums > w->scratch.c)
        declare_block(w, "c", number, w->scratch.c);
    declare_block(w, "sums", number, w->scratch.sums);
    if (cell_products(c, first) > 1)
        declare_block(w, "reset_h", code, w->scratch.reset_h);
}

static void emit_steps(const CellWalk *w)
{
    const Cell *c = w->c;
    emit_line(w->e, "for (int32_t s = 0; s < %s; s++) {", int_text(c->steps));
    if (cell_time(c, w->d, 0) || (c->steps == 1 && (c->backward || w->d)))
        emit_line(w->e, "const int32_t t = %s - s;", int_text(c->steps - 1));
    else
        emit_line(w->e, "const int32_t t = s;");
    emit_step(w);
    emit_check_states(w);
    emit_line(w->e, "}");
}

static void emit_direction(const CellWalk *w)
{
    const bool codes = w->c->codes != NULL;
    emit_line(w->e, "{");
    declare_blocks(w);
    (codes ? load_code_states : load_states)(w);
    emit_steps(w);
    (codes ? store_code_states : store_states)(w);
    emit_line(w->e, "}");
}

/* The products with W, in whole numbers too. */
static void require_codes(const Node *n)
{
    const Node *from = n->in[CELL_X]->producer;
    if (n->cell->codes && (!from || !from->layer))
        bug("%s reads no layer", n->cell->source);
}

void emit_recurrent(Emitter *e, const Node *n)
{
    CellWalk w = {.e = e, .n = n, .c = n->cell, .scratch = cell_scratch(n->cell)};
    require_codes(n);
    for (int i = 0; i < n->cell->num_products; i++)
        emit_layer_functions(e, n->cell->products[i]);
    if (!w.scratch.total)
        return;
    for (w.d = 0; w.d < n->cell->directions; w.d++)
        emit_direction(&w);
}
