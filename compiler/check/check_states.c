/* check_states.c - recurrent nodes are compared step by step: what a state should be follows from the states
 * before it as the generated code had them, so that errors do not add up. The outputs are copies of the
 * states. */
#include "check/check.h"
#include "layers/layers.h"
#include "ops/recurrent.h"
#include "ops/reference.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What record k holds. */
typedef struct Record {
    int64_t direction, step;
    bool memory; /* c, not h */
} Record;

static Record record_at(const Cell *c, int k)
{
    int kinds = cell_has_memory(c) ? 2 : 1;
    return (Record){k / kinds / c->steps, k / kinds % c->steps, k % kinds == 1};
}

static int record_number(const Cell *c, Record r)
{
    int kinds = cell_has_memory(c) ? 2 : 1;
    return (int)(r.direction * c->steps + r.step) * kinds + r.memory;
}

Tensor state_tensor(const StateCheck *s, int k)
{
    const Cell *c = s->n->cell;
    Record r = record_at(c, k);
    const char *way = c->directions == 2 && r.direction ? ", backward" : "";
    return (Tensor){
        .name = mem_printf("%s of %s%s, step %s", r.memory ? "C" : "H", c->source, way, int_text(r.step)),
        .type = type_make(cell_state_type(c, r.memory), 2, (int64_t[]){c->batch, c->hidden})};
}

/* Row b of a state before a step. */
static void state_before(const StateCheck *s, Record r, int64_t b, double *to)
{
    const Cell *c = s->n->cell;
    int input = r.memory ? CELL_C : CELL_H;
    if (r.step) {
        r.step--;
        const void *from = s->records[record_number(c, r)];
        for (int64_t i = 0; i < c->hidden; i++)
            to[i] = elem_get(from, cell_state_type(c, r.memory), b * c->hidden + i);
        return;
    }
    const void *from = cell_input(s->n, input) ? s->in[input] : NULL;
    for (int64_t i = 0; i < c->hidden; i++)
        to[i] =
            from ? cell_state_from(c, r.memory, elem_get(from, c->dtype, cell_state(c, r.direction, b) + i))
                 : 0;
}

static void put_wanted(const Cell *c, const Approx *v, int64_t b, void *want, double *bound)
{
    double u = (c->dtype == DT_F64 ? DBL_EPSILON : (double)FLT_EPSILON) / 2;
    for (int64_t i = 0; i < c->hidden; i++) {
        elem_set(want, c->dtype, b * c->hidden + i, v[i].v);
        bound[b * c->hidden + i] = v[i].e + u * fabs(v[i].v) + 4 * (double)FLT_MIN;
    }
}

static void put_held(const Cell *c, const double *v, int64_t b, void *want, double *bound)
{
    for (int64_t i = 0; i < c->hidden; i++) {
        elem_set(want, c->dtype, b * c->hidden + i, v[i]);
        bound[b * c->hidden + i] = 0;
    }
}

static const void *lengths_of(const StateCheck *s)
{
    return cell_input(s->n, CELL_LENGTHS) ? s->in[CELL_LENGTHS] : NULL;
}

static void put_words(const StateCheck *s, Record r, int64_t b, int16_t *to)
{
    const Cell *c = s->n->cell;
    double *v = doubles_new(c->hidden);
    state_before(s, r, b, v);
    for (int64_t i = 0; i < c->hidden; i++)
        to[b * c->hidden + i] = (int16_t)v[i];
    free(v);
}

/* In whole numbers there are no errors. */
static void code_state_wanted(const StateCheck *s, int k, void *want)
{
    const Cell *c = s->n->cell;
    Record r = record_at(c, k);
    int64_t count = c->batch * c->hidden;
    int16_t *states = NEW_ARRAY(int16_t, 2 * count);
    CellRows rows = {.direction = r.direction,
                     .t = cell_time(c, r.direction, r.step),
                     .xw = s->in[CELL_X],
                     .lengths = lengths_of(s),
                     .h = states,
                     .memory = states + count};
    for (int64_t b = 0; b < c->batch; b++) {
        put_words(s, (Record){r.direction, r.step, false}, b, rows.h);
        if (cell_has_memory(c))
            put_words(s, (Record){r.direction, r.step, true}, b, rows.memory);
    }
    cell_step_codes(c, &rows);
    for (int64_t i = 0; i < count; i++)
        elem_set(want, cell_state_type(c, r.memory), i, (r.memory ? rows.memory : rows.h)[i]);
}

static void real_state_wanted(const StateCheck *s, int k, void *want, double *bound)
{
    const Cell *c = s->n->cell;
    Record r = record_at(c, k);
    int64_t rows = c->gates * c->hidden, t = cell_time(c, r.direction, r.step);
    CellWeights w = cell_weights(c, s->n, s->in);
    double *xw = doubles_from(s->in[CELL_X], c->dtype, type_elems(s->n->in[CELL_X]->type));
    double *h = doubles_new(2 * c->hidden), *memory = h + c->hidden;
    Approx *next = NEW_ARRAY(Approx, 2 * c->hidden);
    CellStep step = {.cell = c, .h = h, .c = memory, .new_h = next, .new_c = next + c->hidden};
    cell_step_weights(&step, &w, r.direction);
    for (int64_t b = 0; b < c->batch; b++) {
        state_before(s, (Record){r.direction, r.step, false}, b, h);
        if (cell_has_memory(c))
            state_before(s, (Record){r.direction, r.step, true}, b, memory);
        step.xw = xw + (cell_row(c, t, b) * c->directions + r.direction) * rows;
        if (cell_runs(lengths_of(s), b, t)) {
            cell_step(&step);
            put_wanted(c, r.memory ? step.new_c : step.new_h, b, want, bound);
        } else {
            put_held(c, r.memory ? memory : h, b, want, bound);
        }
    }
    cell_weights_free(&w);
    free(xw);
    free(h);
}

void state_wanted(const StateCheck *s, int k, void *want, double *bound)
{
    if (s->n->cell->codes)
        code_state_wanted(s, k, want);
    else
        real_state_wanted(s, k, want, bound);
}

/* Row b of the state behind step `step`; step -1: the initial one. */
static void copy_row(const StateCheck *s, Record r, int64_t b, DType d, void *to, int64_t at)
{
    const Cell *c = s->n->cell;
    double *v = doubles_new(c->hidden);
    r.step++;
    state_before(s, r, b, v);
    for (int64_t i = 0; i < c->hidden; i++)
        elem_set(to, d, at + i, cell_state_as(c, r.memory, d, v[i]));
    free(v);
}

static void wanted_y(const StateCheck *s, int64_t d, void *want)
{
    const Cell *c = s->n->cell;
    for (int64_t step = 0; step < c->steps; step++)
        for (int64_t b = 0; b < c->batch; b++) {
            int64_t t = cell_time(c, d, step);
            if (cell_runs(lengths_of(s), b, t))
                copy_row(s, (Record){d, step, false}, b, s->n->out[CELL_Y]->type.dtype, want,
                         cell_y(c, t, d, b));
        }
}

void state_output_wanted(const StateCheck *s, int k, void *want)
{
    const Cell *c = s->n->cell;
    memset(want, 0, type_bytes(s->n->out[k]->type));
    for (int64_t d = 0; d < c->directions; d++)
        if (k == CELL_Y)
            wanted_y(s, d, want);
        else
            for (int64_t b = 0; b < c->batch; b++)
                copy_row(s, (Record){d, c->steps - 1, k == CELL_Y_C}, b, s->n->out[k]->type.dtype, want,
                         cell_state(c, d, b));
}
