/* cell_codes.c - LSTM, GRU and RNN in whole numbers: which can be, the tables of their activations, what
 * their states hold. One step is in layers/eval_cell.c, for products with R are layers. */
#include "ops/ops.h"
#include "ops/recurrent.h"

#include <math.h>

/* ---- activations ---- */

/* Of what is clipped before. Entry i of the table; the last at either end stands for all beyond it. */
static double table_value(const Cell *c, GateFunction f, int i)
{
    static const double FAR = 64;
    double x = (double)i / ACTIVATION_PARTS - ACTIVATION_RANGE;
    if (i == 0 || i == ACTIVATION_ENTRIES - 1)
        x = x < 0 ? -FAR : FAR;
    return gate_value(f, fmin(fmax(x, -c->clip), c->clip));
}

/* What lies between two entries is taken from both. */
static bool has_table(const Cell *c, GateFunction f, double low)
{
    static const double MOST_STEP = 0.125;
    for (int i = 0; i < ACTIVATION_ENTRIES; i++) {
        double v = table_value(c, f, i);
        if (!(v >= low && v <= 1) || (i > 0 && !(fabs(v - table_value(c, f, i - 1)) <= MOST_STEP)))
            return false;
    }
    return true;
}

static int functions_of(const Cell *c)
{
    if (c->op == OP_LSTM)
        return 3;
    return c->op == OP_GRU ? 2 : 1;
}

/* The first is that of gates, but of an RNN, which has none. */
static bool have_tables(const Cell *c)
{
    for (int64_t d = 0; d < c->directions; d++)
        for (int i = 0; i < functions_of(c); i++)
            if (!has_table(c, c->functions[d][i], i == 0 && c->op != OP_RNN ? 0 : -1))
                return false;
    return true;
}

static ActivationTable *make_table(const Cell *c, GateFunction f)
{
    ActivationTable *t = NEW(ActivationTable);
    for (int i = 0; i < ACTIVATION_ENTRIES; i++)
        t->values[i] = (int16_t)fmin(round(ldexp(table_value(c, f, i), UNIT_BITS)), INT16_MAX);
    return t;
}

static const ActivationTable *find_table(const Cell *c, GateFunction f, ActivationTables *all)
{
    const char *name = mem_printf("%d %a %a %a", (int)f.kind, f.alpha, f.beta, c->clip);
    int number = names_find(&all->names, name);
    if (number >= 0)
        return all->list[number];
    if (all->count == all->cap) {
        all->cap = all->cap ? 2 * all->cap : 4;
        ActivationTable **more = NEW_ARRAY(ActivationTable *, all->cap);
        for (int i = 0; i < all->count; i++)
            more[i] = all->list[i];
        all->list = more;
    }
    ActivationTable *t = all->list[all->count] = make_table(c, f);
    t->number = all->count++;
    names_add(&all->names, name, t->number);
    return t;
}

const CellCodes *cell_codes(const Cell *c, int h_bits, ActivationTables *all)
{
    CellCodes *codes = NEW(CellCodes);
    codes->h_bits = h_bits;
    for (int64_t d = 0; d < c->directions; d++)
        for (int i = 0; i < functions_of(c); i++)
            codes->tables[d][i] = find_table(c, c->functions[d][i], all);
    return codes;
}

/* ---- which cells ---- */

static bool is_constant(const Tensor *t)
{
    return !t || t->data;
}

bool cell_counts(const Graph *g, const Node *n)
{
    LinearWeights w;
    if ((n->op != OP_LSTM && n->op != OP_GRU && n->op != OP_RNN) || !node_weights(n, 1, &w))
        return false;
    const Cell c = cell_read(g, n);
    return c.dtype == DT_F32 && is_constant(cell_input(n, CELL_B)) && !cell_input(n, CELL_P) &&
           c.steps * c.batch > 0 && have_tables(&c);
}

/* ---- states ---- */

int h_bits_for(Range r)
{
    double most = fmax(fabs((double)r.low), fabs((double)r.high));
    int bits = LEAST_H_BITS;
    while (bits < MOST_H_BITS && ldexp(most, bits + 1) <= INT8_MAX)
        bits++;
    return bits;
}

int h_bits_of(const Node *quantizer)
{
    CodeStep s;
    if (!quantizer || !node_step(quantizer, &s))
        return LEAST_H_BITS;
    bool sign = quantizer->out[0]->type.dtype == DT_I8;
    int low = sign ? -INT8_MAX : 0, high = sign ? INT8_MAX : UINT8_MAX;
    return h_bits_for(
        (Range){.low = (float)(s.scale * (low - s.zero)), .high = (float)(s.scale * (high - s.zero))});
}

DType cell_state_type(const Cell *c, bool memory)
{
    if (!c->codes)
        return c->dtype;
    return memory || c->op == OP_GRU ? DT_I16 : DT_I8;
}

int cell_state_bits(const Cell *c, bool memory)
{
    if (memory)
        return MEMORY_BITS;
    return c->op == OP_GRU ? UNIT_BITS : c->codes->h_bits;
}

static double saturate(double v, double high)
{
    return isnan(v) ? -high - 1 : fmin(fmax(v, -high - 1), high);
}

double cell_state_from(const Cell *c, bool memory, double v)
{
    if (!c->codes)
        return v;
    double high = cell_state_type(c, memory) == DT_I16 ? INT16_MAX : INT8_MAX;
    return saturate(nearbyint(ldexp(v, cell_state_bits(c, memory))), high);
}

double cell_state_as(const Cell *c, bool memory, DType d, double state)
{
    if (!c->codes)
        return state;
    int bits = cell_state_bits(c, memory);
    return d == DT_I8 ? saturate(floor(ldexp(state, c->codes->h_bits - bits) + 0.5), INT8_MAX)
                      : ldexp(state, -bits);
}
