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

/* values[id] of what the node moves numbers to. */
static void move_through(const Graph *g, const Node *n, void **values)
{
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

/* Of the graph's outputs, and of all tensors that states go through. */
static void **number_outputs(const Graph *g, const States *states)
{
    void **values = NEW_ARRAY(void *, g->num_tensors);
    for (int i = 0; i < states->count; i++) {
        const State *s = &states->list[i];
        for (int k = 0; k < s->n->num_out; k++)
            if (s->n->out[k] && is_state_output(s, k))
                values[s->n->out[k]->id] = number_elements(s->n->out[k]->type, s->first);
    }
    for (int i = 0; i < g->num_nodes; i++)
        if (moves_data(g->nodes[i]->op) && is_numbered(g->nodes[i], values))
            move_through(g, g->nodes[i], values);
    return values;
}

/* ---- who reads a tensor, which states there are in an output ---- */

/* Lists of numbers, by the number of what they belong to. */
typedef struct Lists {
    int *first;       /* index in next and item; 0: an empty list */
    int *next, *item; /* from 1 on */
    int count;
} Lists;

static Lists lists_new(int64_t owners, int64_t items)
{
    return (Lists){NEW_ARRAY(int, owners), NEW_ARRAY(int, items + 1), NEW_ARRAY(int, items + 1), 0};
}

static void lists_add(Lists *l, int owner, int item)
{
    l->item[++l->count] = item;
    l->next[l->count] = l->first[owner];
    l->first[owner] = l->count;
}

typedef struct Search {
    const Graph *g;
    States states;
    Lists users;         /* by tensor id: nodes that move what they read from it */
    Lists before;        /* by tensor id: states that it holds before a run */
    Lists outputs;       /* by state: outputs that begin with it */
    void **in, **out;    /* by tensor id: numbers of the input that is looked at, and of states */
    int *reached, count; /* ids of tensors that have numbers in `in` */
    int *last_read;      /* by id of memory: the last node that reads it, -1: none */
    int *first_write;    /* likewise: the first node that writes it */
} Search;

static Lists list_users(const Graph *g)
{
    int64_t edges = 0;
    for (int i = 0; i < g->num_nodes; i++)
        edges += moves_data(g->nodes[i]->op) ? g->nodes[i]->num_in : 0;
    Lists users = lists_new(g->num_tensors, edges);
    for (int i = 0; i < g->num_nodes; i++)
        for (int k = 0; moves_data(g->nodes[i]->op) && k < g->nodes[i]->num_in; k++)
            if (g->nodes[i]->in[k])
                lists_add(&users, g->nodes[i]->in[k]->id, i);
    return users;
}

static Lists list_before(const Graph *g, const States *states)
{
    Lists before = lists_new(g->num_tensors, states->count);
    for (int i = 0; i < states->count; i++) {
        const Tensor *t = cell_input(states->list[i].n, states->list[i].place);
        if (t)
            lists_add(&before, t->id, i);
    }
    return before;
}

/* The state that has the number; their numbers rise. */
static int state_of_number(const States *states, int64_t number)
{
    int low = 0;
    for (int high = states->count; high - low > 1;) {
        int middle = (low + high) / 2;
        if (states->list[middle].first <= number)
            low = middle;
        else
            high = middle;
    }
    return low;
}

static Lists list_outputs(const Search *f)
{
    Lists outputs = lists_new(f->states.count, f->g->num_outputs);
    for (int o = 0; o < f->g->num_outputs; o++) {
        const Tensor *t = f->g->outputs[o];
        const void *numbers = f->out[t->id];
        if (numbers && type_elems(t->type))
            lists_add(&outputs, state_of_number(&f->states, (int64_t)elem_get(numbers, t->type.dtype, 0)), o);
    }
    return outputs;
}

/* ---- where an input goes ---- */

static void reach(Search *f, const Tensor *t)
{
    f->reached[f->count++] = t->id;
}

static bool is_moved(const Node *n, void *const *values)
{
    for (int k = 0; k < n->num_out; k++)
        if (n->out[k])
            return values[n->out[k]->id] != NULL;
    return true;
}

static void move_to_users(Search *f, int id)
{
    for (int u = f->users.first[id]; u; u = f->users.next[u]) {
        const Node *n = f->g->nodes[f->users.item[u]];
        if (is_moved(n, f->in) || !is_numbered(n, f->in))
            continue;
        move_through(f->g, n, f->in);
        for (int k = 0; k < n->num_out; k++)
            if (n->out[k])
                reach(f, n->out[k]);
    }
}

static void number_input(Search *f, const Tensor *t)
{
    f->count = 0;
    f->in[t->id] = number_elements(t->type, 0);
    reach(f, t);
    for (int i = 0; i < f->count; i++)
        move_to_users(f, f->reached[i]);
}

static void forget_input(Search *f)
{
    for (int i = 0; i < f->count; i++)
        f->in[f->reached[i]] = NULL;
}

/* Whether the state behind a run, as the output has it, lies where the input has the one before it; counts
 * the elements. */
static bool state_matches(const Search *f, const State *s, const Tensor *output, int64_t *matched)
{
    const void *from = f->in[cell_input(s->n, s->place)->id], *out = f->out[output->id];
    DType d = output->type.dtype;
    for (int64_t e = 0; e < s->count; e++, ++*matched)
        if ((int64_t)elem_get(out, d, (int64_t)elem_get(from, d, e)) != s->first + e)
            return false;
    return true;
}

static bool is_pair(const Search *f, const Tensor *output)
{
    int64_t matched = 0;
    for (int i = 0; i < f->count; i++)
        for (int b = f->before.first[f->reached[i]]; b; b = f->before.next[b])
            if (!state_matches(f, &f->states.list[f->before.item[b]], output, &matched))
                return false;
    return matched == type_elems(output->type);
}

/* The first output that is the input's pair; -1: none. */
static int find_pair(const Search *f, const Tensor *input)
{
    int found = -1;
    for (int i = 0; i < f->count; i++)
        for (int b = f->before.first[f->reached[i]]; b; b = f->before.next[b])
            for (int k = f->outputs.first[f->before.item[b]]; k; k = f->outputs.next[k]) {
                int o = f->outputs.item[k];
                const Tensor *y = f->g->outputs[o];
                if ((found < 0 || o < found) && type_equal(y->type, input->type) && is_pair(f, y))
                    found = o;
            }
    return found;
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

static void find_uses_of_memory(Search *f)
{
    f->last_read = NEW_ARRAY(int, f->g->num_tensors);
    f->first_write = NEW_ARRAY(int, f->g->num_tensors);
    for (int i = 0; i < f->g->num_tensors; i++)
        f->last_read[i] = f->first_write[i] = -1;
    for (int i = 0; i < f->g->num_nodes; i++) {
        const Node *n = f->g->nodes[i];
        for (int p = 0; p < n->num_in; p++)
            if (n->in[p])
                f->last_read[memory_of(n->in[p])->id] = i;
        for (int k = 0; k < n->num_out; k++)
            if (n->out[k] && f->first_write[memory_of(n->out[k])->id] < 0)
                f->first_write[memory_of(n->out[k])->id] = i;
    }
}

/* Whether nothing of the output is written while something of the input will still be read. */
static bool may_overlap(const Search *f, const Tensor *input, const Tensor *output)
{
    int read = f->last_read[input->id], write = f->first_write[output->id];
    if (read != write || read < 0)
        return write < 0 || read < write;
    const Node *n = f->g->nodes[read];
    for (int p = 0; p < n->num_in; p++)
        if (n->in[p] && memory_of(n->in[p]) == input && writes_before(n, p, output))
            return false;
    return true;
}

static Search start_search(const Graph *g, States states)
{
    Search f = {.g = g, .states = states, .users = list_users(g), .before = list_before(g, &states)};
    f.out = number_outputs(g, &states);
    f.in = NEW_ARRAY(void *, g->num_tensors);
    f.reached = NEW_ARRAY(int, g->num_tensors);
    f.outputs = list_outputs(&f);
    find_uses_of_memory(&f);
    return f;
}

int find_state_pairs(const Graph *g, StatePair *pairs)
{
    States states = list_states(g);
    int count = 0;
    if (!states.count || states.numbers > MAX_LABEL)
        return 0;
    Search f = start_search(g, states);
    for (int i = 0; i < g->num_inputs; i++) {
        const Tensor *t = g->inputs[i];
        if (!dtype_is_float(t->type.dtype) || type_elems(t->type) > MAX_LABEL)
            continue;
        number_input(&f, t);
        int o = find_pair(&f, t);
        if (o >= 0)
            pairs[count++] = (StatePair){i, o, may_overlap(&f, t, g->outputs[o])};
        forget_input(&f);
    }
    return count;
}
