/* states.c - which outputs of a recurrent model are the state that an input wants back in the next run.
 *
 * Exporters carry states through slices, views and concatenations. Elements are numbered and the numbers sent
 * through these operators: an input and an output are a pair when every element of the output is the state
 * behind a run of just that unit whose state before it is the element of the input in the same place. */
#include "codegen/states.h"
#include "ops/ops.h"
#include "ops/recurrent.h"

#include <string.h>

enum { MAX_LABEL = 1 << 24 /* exact in float */ };

/* ---- numbers through data movement ---- */

static bool moves_data(OpKind op)
{
    return op == OP_Slice || op == OP_Squeeze || op == OP_Unsqueeze || op == OP_Reshape || op == OP_Flatten ||
           op == OP_Identity || op == OP_Transpose || op == OP_Concat || op == OP_Split || op == OP_Gather;
}

/* Whether all data among the inputs is numbered; constants may only be parameters. */
static bool is_numbered(const Node *n, void *const *values)
{
    for (int i = 0; i < n->num_in; i++)
        if (n->in[i] && (dtype_is_float(n->in[i]->type.dtype) ? !values[n->in[i]->id] : !n->in[i]->data))
            return false;
    return true;
}

static void *number_elements(Type t, int64_t first)
{
    void *v = mem_alloc(type_bytes(t) + 1);
    for (int64_t i = 0; i < type_elems(t); i++)
        elem_set(v, t.dtype, i, (double)(first + i));
    return v;
}

/* values[id] of what the numbered tensors are moved to. */
static void move_numbers(const Graph *g, void **values)
{
    for (int i = 0; i < g->num_nodes; i++) {
        const Node *n = g->nodes[i];
        if (!moves_data(n->op) || !is_numbered(n, values))
            continue;
        const void **in = NEW_ARRAY(const void *, n->num_in);
        void **out = NEW_ARRAY(void *, n->num_out);
        for (int k = 0; k < n->num_in; k++)
            if (n->in[k])
                in[k] = n->in[k]->data ? n->in[k]->data : values[n->in[k]->id];
        for (int k = 0; k < n->num_out; k++)
            if (n->out[k])
                out[k] = values[n->out[k]->id] = mem_alloc(type_bytes(n->out[k]->type) + 1);
        eval_node(g, n, in, out);
    }
}

/* ---- states ---- */

/* H or C of a recurrent node. */
typedef struct State {
    const Node *n;
    int place;     /* of the initial state among the inputs */
    int64_t first; /* number of element 0 */
    int64_t count;
} State;

typedef struct States {
    State *list;
    int count;
    int64_t numbers;
} States;

static States list_states(const Graph *g)
{
    States s = {.list = NEW_ARRAY(State, 2 * g->num_nodes + 1), .numbers = 1};
    for (int i = 0; i < g->num_nodes; i++) {
        const Cell *c = g->nodes[i]->cell;
        for (int k = 0; c && k < (cell_has_memory(c) ? 2 : 1); k++) {
            int64_t count = c->directions * c->batch * c->hidden;
            s.list[s.count++] = (State){g->nodes[i], CELL_H + k, s.numbers, count};
            s.numbers += count;
        }
    }
    return s;
}

/* Y of one step is Y_h. */
static bool is_state_output(const State *s, int k)
{
    return k == s->place - CELL_H + CELL_Y_H || (k == CELL_Y && s->place == CELL_H && s->n->cell->steps == 1);
}

static void **number_outputs(const Graph *g, const States *states)
{
    void **values = NEW_ARRAY(void *, g->num_tensors);
    for (int i = 0; i < states->count; i++) {
        const State *s = &states->list[i];
        for (int k = 0; k < s->n->num_out; k++)
            if (s->n->out[k] && is_state_output(s, k))
                values[s->n->out[k]->id] = number_elements(s->n->out[k]->type, s->first);
    }
    move_numbers(g, values);
    return values;
}

static void **number_input(const Graph *g, int i)
{
    void **values = NEW_ARRAY(void *, g->num_tensors);
    values[g->inputs[i]->id] = number_elements(g->inputs[i]->type, 0);
    move_numbers(g, values);
    return values;
}

static bool is_pair(const States *states, void *const *in, const Tensor *output, const void *out)
{
    DType d = output->type.dtype;
    int64_t matched = 0;
    for (int i = 0; i < states->count; i++) {
        const State *s = &states->list[i];
        const Tensor *before = cell_input(s->n, s->place);
        const void *from = before ? in[before->id] : NULL;
        for (int64_t e = 0; from && e < s->count; e++, matched++)
            if ((int64_t)elem_get(out, d, (int64_t)elem_get(from, d, e)) != s->first + e)
                return false;
    }
    return matched == type_elems(output->type);
}

/* ---- one array for both ---- */

/* Whether a node has read input `p` of its own before it writes output k: a recurrent node loads the states
 * of a direction, walks, and stores those of the same direction. */
static bool reads_before_writing(const Node *n, int p, int k)
{
    if (!n->cell || (p != CELL_H && p != CELL_C))
        return false;
    return is_state_output(&(State){.n = n, .place = p}, k);
}

static bool writes_before(const Node *n, int p, const Tensor *output)
{
    for (int k = 0; k < n->num_out; k++)
        if (n->out[k] && memory_of(n->out[k]) == output && !reads_before_writing(n, p, k))
            return true;
    return false;
}

/* Whether nothing of the output is written while something of the input will still be read. */
static bool may_overlap(const Graph *g, const Tensor *input, const Tensor *output)
{
    bool written = false;
    for (int i = 0; i < g->num_nodes; i++) {
        const Node *n = g->nodes[i];
        for (int p = 0; p < n->num_in; p++)
            if (n->in[p] && memory_of(n->in[p]) == input && (written || writes_before(n, p, output)))
                return false;
        for (int k = 0; k < n->num_out; k++)
            written |= n->out[k] && memory_of(n->out[k]) == output;
    }
    return true;
}

int find_state_pairs(const Graph *g, StatePair *pairs)
{
    States states = list_states(g);
    int count = 0;
    if (!states.count || states.numbers > MAX_LABEL)
        return 0;
    void **out = number_outputs(g, &states);
    for (int i = 0; i < g->num_inputs; i++) {
        const Tensor *t = g->inputs[i];
        if (!dtype_is_float(t->type.dtype) || type_elems(t->type) > MAX_LABEL)
            continue;
        void **in = number_input(g, i);
        for (int o = 0; o < g->num_outputs; o++) {
            const Tensor *y = g->outputs[o];
            if (out[y->id] && type_equal(y->type, t->type) && is_pair(&states, in, y, out[y->id])) {
                pairs[count++] = (StatePair){i, o, may_overlap(g, t, y)};
                break;
            }
        }
    }
    return count;
}
