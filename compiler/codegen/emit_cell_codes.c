/* emit_cell_codes.c - the steps of a Recurrent in whole numbers, by the kernels of runtime/recurrent_codes.h.
 * h has its codes; c has an LSTM's C, or what the codes of a GRU's h are made of. */
#include "codegen/cell_code.h"

#include <math.h>

const char *cell_state_name(const Cell *c)
{
    return c->codes && c->op == OP_GRU ? "c" : "h";
}

static const char *kernel(const CellWalk *w, const char *name)
{
    return emit_kernel(w->e, name, DT_NONE);
}

static const char *table(const CellWalk *w, int function)
{
    const ActivationTable *t = w->c->codes->tables[w->d][function];
    return emit_shared_array(w->e, mem_printf("activation%d", t->number), DT_I16, t->values,
                             ACTIVATION_ENTRIES);
}

/* sums = R * h of product i. */
static void emit_product(const CellWalk *w, int i, const char *sums, const char *h)
{
    int first[3], count = cell_products(w->c, first);
    const Layer *l = w->c->products[w->d * count + i];
    emit_line(w->e, "layer%d(%s, %s, arena + %s);", l->index, h, sums,
              int_text(layer_scratch(w->e->plan, w->n, l)));
}

static const char *behind(const char *v, int64_t n)
{
    return n ? mem_printf("%s + %s", v, int_text(n)) : v;
}

static void emit_gates(const CellWalk *w, const char *v, int64_t first, int64_t gates, int function)
{
    emit_line(w->e, "%s(%s, %s, %s, %s);", kernel(w, "gate_codes"), v, behind("x", first * w->c->hidden),
              int_text(gates * w->c->hidden), table(w, function));
}

/* The gates of row b lie at the start of a row of `gates`. */
static void declare_gates(const CellWalk *w, int gates)
{
    emit_line(w->e, "int16_t *g = sums + b * %s;", int_text(gates * w->c->hidden));
}

static const char *memory(const CellWalk *w)
{
    return mem_printf("c + b * %s", int_text(w->c->hidden));
}

/* ---- states ---- */

static void emit_load(const CellWalk *w, const char *to, int input, bool wide)
{
    const Cell *c = w->c;
    const int bits = cell_state_bits(c, input == CELL_C);
    if (!cell_input(w->n, input)) {
        emit_line(w->e, "memset(%s, 0, %s * sizeof *%s);", to, int_text(c->batch * c->hidden), to);
        return;
    }
    const char *n = int_text(c->hidden);
    emit_line(w->e, "%s(%s, %s, %s, %s, %s, %s, %s);", emit_kernel(w->e, "load_state", wide ? DT_I16 : DT_I8),
              to, cell_place(w, input, cell_state(c, w->d, 0)), int_text(c->batch), n, n,
              int_text(cell_row_step(w)), float_text(ldexp(1, bits), DT_F32));
}

static void round_state(const CellWalk *w)
{
    emit_line(w->e, "%s(h, c, %s, %d);", kernel(w, "round_codes"), int_text(w->c->batch * w->c->hidden),
              w->c->codes->h_bits);
}

void load_code_states(const CellWalk *w)
{
    const bool gru = w->c->op == OP_GRU;
    emit_load(w, cell_state_name(w->c), CELL_H, gru);
    if (gru)
        round_state(w);
    if (cell_has_memory(w->c))
        emit_load(w, "c", CELL_C, true);
}

/* `rows` rows of h, or of C, from x on to an output. */
static void emit_store(const CellWalk *w, int i, const char *y, const char *x, int64_t rows)
{
    const Cell *c = w->c;
    const DType d = cell_output(w, i)->type.dtype, state = cell_state_type(c, i == CELL_Y_C);
    const char *shape = mem_printf("%s, %s, %s, %s", int_text(rows), int_text(c->hidden),
                                   int_text(cell_row_step(w)), int_text(c->hidden));
    if (d == DT_I8)
        emit_line(w->e, "%s(%s, %s, %s);", kernel(w, "store_codes"), y, x, shape);
    else
        emit_line(w->e, "%s(%s, %s, %s, %s);", emit_kernel(w->e, "store_state", state), y, x, shape,
                  float_text(ldexp(1, -cell_state_bits(c, i == CELL_Y_C)), DT_F32));
}

/* What an output of this type is made of. */
static const char *source(const CellWalk *w, int i)
{
    if (i == CELL_Y_C)
        return "c";
    return cell_output(w, i)->type.dtype == DT_I8 ? "h" : cell_state_name(w->c);
}

void store_code_states(const CellWalk *w)
{
    for (int i = CELL_Y_H; i <= CELL_Y_C; i++)
        if (cell_output(w, i))
            emit_store(
                w, i,
                mem_printf("%s + %s", emit_ptr(w->e, cell_output(w, i)), int_text(cell_state(w->c, w->d, 0))),
                source(w, i), w->c->batch);
}

static void close_rows(const CellWalk *w)
{
    if (cell_output(w, CELL_Y))
        emit_store(w, CELL_Y, cell_y_place(w),
                   mem_printf("%s + b * %s", source(w, CELL_Y), int_text(w->c->hidden)), 1);
    emit_line(w->e, "}");
}

/* ---- steps ---- */

/* Gates i, o, f, c; the first three have one function. */
static void emit_lstm(const CellWalk *w)
{
    const int64_t n = w->c->hidden;
    emit_product(w, 0, "sums", "h");
    open_cell_rows(w);
    emit_cell_length(w);
    declare_gates(w, 4);
    emit_gates(w, "g", 0, w->c->coupled ? 2 : 3, 0);
    if (w->c->coupled)
        emit_line(w->e, "%s(%s, g, %s);", kernel(w, "couple_codes"), behind("g", 2 * n), int_text(n));
    emit_gates(w, behind("g", 3 * n), 3, 1, 1);
    emit_line(w->e, "%s(state, %s, g, %s, %s, %s, %s, %s, %d);", kernel(w, "lstm_codes"), memory(w),
              behind("g", n), behind("g", 2 * n), behind("g", 3 * n), int_text(n), table(w, 2),
              w->c->codes->h_bits);
    close_rows(w);
}

static void emit_rnn(const CellWalk *w)
{
    emit_product(w, 0, "sums", "h");
    open_cell_rows(w);
    emit_cell_length(w);
    declare_gates(w, 1);
    emit_gates(w, "g", 0, 1, 0);
    emit_line(w->e, "%s(state, g, %s, %d);", kernel(w, "round_codes"), int_text(w->c->hidden),
              w->c->codes->h_bits);
    close_rows(w);
}

/* h from gates z in g and h in v. */
static void emit_hidden(const CellWalk *w, const char *v)
{
    emit_gates(w, v, 2, 1, 1);
    emit_line(w->e, "%s(%s, g, %s, %s);", kernel(w, "gru_codes"), memory(w), v, int_text(w->c->hidden));
    emit_line(w->e, "%s(state, %s, %s, %d);", kernel(w, "round_codes"), memory(w), int_text(w->c->hidden),
              w->c->codes->h_bits);
    close_rows(w);
}

static void emit_linear_gru(const CellWalk *w)
{
    const int64_t n = w->c->hidden;
    emit_product(w, 0, "sums", "h");
    open_cell_rows(w);
    emit_cell_length(w);
    declare_gates(w, 3);
    emit_gates(w, "g", 0, 2, 0);
    emit_line(w->e, "%s(%s, %s, %s);", kernel(w, "reset_sums"), behind("g", 2 * n), behind("g", n),
              int_text(n));
    emit_hidden(w, behind("g", 2 * n));
}

/* r must be known for all of h before the last product. */
static void emit_gru(const CellWalk *w)
{
    const int64_t n = w->c->hidden, second = 2 * w->c->batch * n;
    emit_product(w, 0, "sums", "h");
    open_cell_rows(w);
    declare_gates(w, 2);
    emit_gates(w, "g", 0, 2, 0);
    emit_line(w->e, "%s(reset_h + b * %s, %s, %s, %s, %d);", kernel(w, "reset_codes"), int_text(n),
              behind("g", n), memory(w), int_text(n), w->c->codes->h_bits);
    emit_line(w->e, "(void)state;");
    emit_line(w->e, "}");
    emit_product(w, 1, behind("sums", second), "reset_h");
    open_cell_rows(w);
    emit_cell_length(w);
    declare_gates(w, 2);
    emit_line(w->e, "int16_t *v = %s + b * %s;", behind("sums", second), int_text(n));
    emit_hidden(w, "v");
}

void emit_code_step(const CellWalk *w)
{
    if (w->c->op == OP_LSTM)
        emit_lstm(w);
    else if (w->c->op == OP_RNN)
        emit_rnn(w);
    else if (w->c->linear_before_reset)
        emit_linear_gru(w);
    else
        emit_gru(w);
}
