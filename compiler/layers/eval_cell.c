/* eval_cell.c - a Recurrent in whole numbers, step by step, as the generated code computes it: to the bit.
 * Its products with R are layers, whose outputs have the steps of the products with W. */
#include "layers/layers.h"
#include "ops/recurrent.h"

#include <stdlib.h>
#include <string.h>

typedef struct CellRun {
    const CellRows *r;
    const Cell *c;
    int64_t hidden;
    int16_t *sums; /* [batch][gates of a product][hidden] */
} CellRun;

/* For free(). */
static void *numbers_new(int64_t n, size_t size)
{
    void *v = calloc((size_t)(n > 0 ? n : 1), size);
    if (!v)
        fail("out of memory");
    return v;
}

/* v / 2^bits to the nearest, halves up, as a number of 8 or 16 bits. */
static int16_t shifted(int64_t v, int bits, DType d)
{
    int64_t w = (v + ((int64_t)1 << (bits - 1))) >> bits;
    w = w < code_low(d) ? code_low(d) : w;
    return (int16_t)(w > code_high(d) ? code_high(d) : w);
}

/* The function of v steps of 2 to the power of -bits. */
static int64_t activate(const CellRun *k, int function, int64_t v, int bits)
{
    const int16_t *table = k->c->codes->tables[k->r->direction][function]->values;
    int64_t part = ((int64_t)1 << bits) / ACTIVATION_PARTS,
            from = v + ACTIVATION_RANGE * ((int64_t)1 << bits);
    if (from < 0)
        return table[0];
    int64_t i = from / part;
    if (i >= ACTIVATION_ENTRIES - 1)
        return table[ACTIVATION_ENTRIES - 1];
    int64_t rise = (table[i + 1] - table[i]) * (from % part) + part / 2;
    return table[i] + (rise >= 0 ? rise / part : -((-rise + part - 1) / part));
}

/* R * h of product i, for all rows. */
static void multiply(const CellRun *k, int i, const int8_t *h)
{
    int first[3], count = cell_products(k->c, first);
    eval_layer(k->c->products[k->r->direction * count + i], h, k->sums, NULL);
}

static bool runs(const CellRun *k, int64_t b)
{
    return cell_runs(k->r->lengths, b, k->r->t);
}

/* X * W of unit j of a gate. */
static int64_t input_sum(const CellRun *k, int64_t b, int64_t gate, int64_t j)
{
    int64_t row = cell_row(k->c, k->r->t, b) * k->c->directions + k->r->direction;
    return k->r->xw[(row * k->c->gates + gate) * k->hidden + j];
}

/* Unit j of gate g, which is row `at` of the `gates` of the product. */
static int64_t gate(const CellRun *k, int function, int64_t b, int64_t g, int64_t at, int64_t gates,
                    int64_t j)
{
    int64_t sum = k->sums[(b * gates + at) * k->hidden + j] + input_sum(k, b, g, j);
    return activate(k, function, sum, GATE_BITS);
}

static void multiply_h(const CellRun *k)
{
    int64_t n = k->c->batch * k->hidden;
    int8_t *codes = numbers_new(n, sizeof *codes);
    for (int64_t i = 0; i < n; i++)
        codes[i] = (int8_t)cell_state_as(k->c, false, DT_I8, k->r->h[i]);
    multiply(k, 0, codes);
    free(codes);
}

/* Gates i, o, f, c; functions f, g, h. */
static void step_lstm(const CellRun *k, int64_t b, int64_t j)
{
    int16_t *c = &k->r->memory[b * k->hidden + j];
    int64_t in = gate(k, 0, b, 0, 0, 4, j), out = gate(k, 0, b, 1, 1, 4, j), g = gate(k, 1, b, 3, 3, 4, j);
    int64_t f = k->c->coupled ? INT16_MAX - in : gate(k, 0, b, 2, 2, 4, j);
    const int lost = 2 * UNIT_BITS - UNIT_BITS - MEMORY_BITS;
    *c = shifted(f * *c + (in * g >> lost), UNIT_BITS, DT_I16);
    k->r->h[b * k->hidden + j] =
        shifted(out * activate(k, 2, *c, MEMORY_BITS), 2 * UNIT_BITS - k->c->codes->h_bits, DT_I8);
}

static void step_rnn(const CellRun *k, int64_t b, int64_t j)
{
    k->r->h[b * k->hidden + j] = shifted(gate(k, 0, b, 0, 0, 1, j), UNIT_BITS - k->c->codes->h_bits, DT_I8);
}

/* h = (1 - z) * g + z * h */
static void mix(const CellRun *k, int64_t b, int64_t j, int64_t z, int64_t g)
{
    int16_t *h = &k->r->h[b * k->hidden + j];
    *h = shifted(((1 << UNIT_BITS) - z) * g + z * *h, UNIT_BITS, DT_I16);
}

/* Gates z, r, h; functions f, g. */
static void step_linear_gru(const CellRun *k, int64_t b, int64_t j)
{
    int64_t z = gate(k, 0, b, 0, 0, 3, j), r = gate(k, 0, b, 1, 1, 3, j);
    int64_t linear = shifted(r * k->sums[(b * 3 + 2) * k->hidden + j], UNIT_BITS, DT_I16);
    mix(k, b, j, z, activate(k, 1, linear + input_sum(k, b, 2, j), GATE_BITS));
}

/* r must be known for all of h before the last product. */
static void step_gru(const CellRun *k)
{
    int64_t n = k->c->batch * k->hidden;
    int64_t *z = numbers_new(n, sizeof *z);
    int8_t *reset = numbers_new(n, sizeof *reset);
    for (int64_t i = 0; i < n; i++) {
        int64_t b = i / k->hidden, j = i % k->hidden;
        z[i] = gate(k, 0, b, 0, 0, 2, j);
        reset[i] = (int8_t)shifted(gate(k, 0, b, 1, 1, 2, j) * k->r->h[i],
                                   2 * UNIT_BITS - k->c->codes->h_bits, DT_I8);
    }
    multiply(k, 1, reset);
    for (int64_t i = 0; i < n; i++)
        if (runs(k, i / k->hidden))
            mix(k, i / k->hidden, i % k->hidden, z[i], gate(k, 1, i / k->hidden, 2, 0, 1, i % k->hidden));
    free(z);
    free(reset);
}

static void step_unit(const CellRun *k, int64_t b, int64_t j)
{
    if (k->c->op == OP_LSTM)
        step_lstm(k, b, j);
    else if (k->c->op == OP_RNN)
        step_rnn(k, b, j);
    else
        step_linear_gru(k, b, j);
}

static void step_units(const CellRun *k)
{
    for (int64_t b = 0; b < k->c->batch; b++)
        for (int64_t j = 0; runs(k, b) && j < k->hidden; j++)
            step_unit(k, b, j);
}

void cell_step_codes(const Cell *c, const CellRows *r)
{
    int first[3];
    CellRun k = {.r = r, .c = c, .hidden = c->hidden};
    k.sums = numbers_new(c->batch * c->gates * c->hidden, sizeof *k.sums);
    multiply_h(&k);
    if (cell_products(c, first) > 1)
        step_gru(&k);
    else
        step_units(&k);
    free(k.sums);
}

/* ---- all steps ---- */

/* Of row b of a direction; initial states are floats, 0 where there are none. */
static void load_state(const Cell *c, bool memory, const float *from, int64_t d, int64_t b, int16_t *to)
{
    for (int64_t j = 0; j < c->hidden; j++)
        to[b * c->hidden + j] =
            (int16_t)cell_state_from(c, memory, from ? (double)from[cell_state(c, d, b) + j] : 0);
}

static void store_state(const Cell *c, bool memory, const int16_t *from, const Tensor *t, void *to,
                        int64_t at)
{
    for (int64_t j = 0; j < c->hidden; j++)
        elem_set(to, t->type.dtype, at + j, cell_state_as(c, memory, t->type.dtype, from[j]));
}

static const void *given(const Node *n, const void *const *in, int input)
{
    return cell_input(n, input) ? in[input] : NULL;
}

static const Tensor *wanted(const Node *n, int k)
{
    return k < n->num_out ? n->out[k] : NULL;
}

static void store_step(const Node *n, const CellRows *r, void *const *out)
{
    const Cell *c = n->cell;
    for (int64_t b = 0; wanted(n, CELL_Y) && b < c->batch; b++)
        if (cell_runs(r->lengths, b, r->t))
            store_state(c, false, r->h + b * c->hidden, n->out[CELL_Y], out[CELL_Y],
                        cell_y(c, r->t, r->direction, b));
}

static void store_last(const Node *n, const CellRows *r, void *const *out)
{
    const Cell *c = n->cell;
    for (int64_t b = 0; b < c->batch; b++) {
        int64_t at = cell_state(c, r->direction, b);
        if (wanted(n, CELL_Y_H))
            store_state(c, false, r->h + b * c->hidden, n->out[CELL_Y_H], out[CELL_Y_H], at);
        if (wanted(n, CELL_Y_C))
            store_state(c, true, r->memory + b * c->hidden, n->out[CELL_Y_C], out[CELL_Y_C], at);
    }
}

static void walk_direction(const Node *n, CellRows *r, const void *const *in, void *const *out)
{
    const Cell *c = n->cell;
    for (int64_t b = 0; b < c->batch; b++) {
        load_state(c, false, given(n, in, CELL_H), r->direction, b, r->h);
        load_state(c, true, given(n, in, CELL_C), r->direction, b, r->memory);
    }
    for (int64_t s = 0; s < c->steps; s++) {
        r->t = cell_time(c, r->direction, s);
        cell_step_codes(c, r);
        store_step(n, r, out);
    }
    store_last(n, r, out);
}

void eval_cell(const Node *n, const void *const *in, void *const *out)
{
    const Cell *c = n->cell;
    int64_t count = c->batch * c->hidden;
    CellRows r = {.xw = in[CELL_X],
                  .lengths = given(n, in, CELL_LENGTHS),
                  .h = numbers_new(count, sizeof *r.h),
                  .memory = numbers_new(count, sizeof *r.memory)};
    if (wanted(n, CELL_Y))
        memset(out[CELL_Y], 0, type_bytes(n->out[CELL_Y]->type));
    for (r.direction = 0; r.direction < c->directions; r.direction++)
        walk_direction(n, &r, in, out);
    free(r.h);
    free(r.memory);
}
