/* flow.c - the order in which nodes run. Guards are found from the uses: what only goes into one side of a
 * Where whose condition is a single bool, or into nodes under such a guard, need not be computed when the
 * other side is chosen. So that the branches of an If, and the iterations of an unrolled Loop, run only when
 * they count. */
#include "ops/flow.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_DEPTH = 32, NO_USE = -1 };

/* The states that the next iteration starts with, or that the loop gives. */
typedef struct LoopRun {
    int64_t iteration;
    void **next; /* by state; [0, num) */
    int num;
} LoopRun;

static void *get_memory(size_t count, size_t size)
{
    void *p = calloc(count ? count : 1, size);
    if (!p)
        fail("out of memory");
    return p;
}

/* ---- loops ---- */

int loop_states(const Node *n)
{
    return n->op == OP_LoopBegin ? n->num_in - 2 : (n->num_in - 1) / 2;
}

Tensor *loop_next(const Node *end, int k)
{
    return end->in[1 + k];
}

Tensor *loop_state(const Node *end, int k)
{
    return end->in[1 + loop_states(end) + k];
}

const Node *loop_begin(const Node *end)
{
    return loop_state(end, 0)->producer;
}

static void find_partners(Flow *f)
{
    int open = -1, count = 0; /* LoopBegin of the innermost loop; loops that have begun */
    for (int i = 0; i < f->g->num_nodes; i++) {
        OpKind op = f->g->nodes[i]->op;
        f->partner[i] = -1;
        f->loop[i] = open;
        if (op == OP_LoopBegin) {
            f->number[i] = count++;
            open = i;
        }
        if (op != OP_LoopEnd)
            continue;
        if (open < 0)
            bug("a loop ends that never began");
        f->partner[i] = open;
        f->partner[open] = i;
        open = f->loop[i] = f->loop[open];
    }
}

/* ---- guards ---- */

typedef struct Finder {
    Flow *f;
    int *use;   /* by tensor id: the guard that all uses have in common, or NO_USE */
    int *maker; /* by tensor id: the node; -1: an input or a constant */
} Finder;

int common_guard(const Flow *f, int a, int b)
{
    while (a != b)
        if (f->guards[a].depth >= f->guards[b].depth)
            a = f->guards[a].outer;
        else
            b = f->guards[b].outer;
    return a;
}

static void add_use(Finder *d, const Tensor *t, int guard)
{
    if (t)
        d->use[t->id] = d->use[t->id] == NO_USE ? guard : common_guard(d->f, d->use[t->id], guard);
}

static int make_guard(Flow *f, int outer, const Tensor *condition, bool value)
{
    if (f->guards[outer].depth == MAX_DEPTH)
        return outer;
    for (int i = f->num_guards - 1; i > 0; i--) { /* those of one If are made together */
        const Guard *g = &f->guards[i];
        if (g->outer == outer && g->condition == condition && g->value == value)
            return i;
        if (f->num_guards - i > 16)
            break;
    }
    f->guards[f->num_guards] = (Guard){condition, value, outer, f->guards[outer].depth + 1};
    return f->num_guards++;
}

/* The innermost guard of those around whose condition, and all outer ones, are known before node `at`. */
static int known_guard(const Finder *d, int guard, int at)
{
    int known = guard;
    for (int i = guard; i; i = d->f->guards[i].outer)
        if (d->maker[d->f->guards[i].condition->id] >= at)
            known = d->f->guards[i].outer;
    return known;
}

static bool is_choice(const Node *n)
{
    return n->op == OP_Where && type_elems(n->in[0]->type) == 1;
}

static int guard_of_uses(const Finder *d, const Node *n, int loop)
{
    int guard = NO_USE, around = loop < 0 ? 0 : d->f->guard[d->f->partner[loop]];
    for (int k = 0; k < n->num_out; k++) {
        int use = n->out[k] ? d->use[n->out[k]->id] : NO_USE;
        if (use != NO_USE)
            guard = guard == NO_USE ? use : common_guard(d->f, guard, use);
    }
    return guard == NO_USE ? around : guard;
}

static int find_guard(const Finder *d, int i)
{
    const Flow *f = d->f;
    const Node *n = f->g->nodes[i];
    if (n->op == OP_LoopBegin)
        return f->guard[f->partner[i]];
    return known_guard(d, guard_of_uses(d, n, f->loop[i]), n->op == OP_LoopEnd ? f->partner[i] : i);
}

static void guard_node(Finder *d, int i)
{
    Flow *f = d->f;
    const Node *n = f->g->nodes[i];
    int guard = find_guard(d, i);
    f->guard[i] = guard;
    bool choice = is_choice(n);
    for (int j = 0; j < n->num_in; j++)
        add_use(d, n->in[j], choice && j > 0 ? make_guard(f, guard, n->in[0], j == 1) : guard);
}

static void find_guards(Flow *f)
{
    const Graph *g = f->g;
    size_t tensors = (size_t)g->num_tensors;
    Finder d = {f, get_memory(tensors, sizeof *d.use), get_memory(tensors, sizeof *d.maker)};
    for (int i = 0; i < g->num_tensors; i++)
        d.use[i] = d.maker[i] = -1;
    for (int i = 0; i < g->num_outputs; i++)
        d.use[g->outputs[i]->id] = 0;
    for (int i = 0; i < g->num_nodes; i++)
        for (int k = 0; k < g->nodes[i]->num_out; k++)
            if (g->nodes[i]->out[k])
                d.maker[g->nodes[i]->out[k]->id] = i;
    for (int i = g->num_nodes - 1; i >= 0; i--)
        guard_node(&d, i);
    free(d.use);
    free(d.maker);
}

static bool guard_holds(const Flow *f, int guard, const void *const *values)
{
    if (!guard)
        return true;
    const Guard *g = &f->guards[guard];
    return guard_holds(f, g->outer, values) && (*(const uint8_t *)values[g->condition->id] != 0) == g->value;
}

/* ---- the whole ---- */

Flow *flow_new(const Graph *g)
{
    Flow *f = get_memory(1, sizeof *f);
    size_t nodes = (size_t)g->num_nodes;
    f->g = g;
    f->guard = get_memory(nodes, sizeof *f->guard);
    f->guards = get_memory(2 * nodes + 1, sizeof *f->guards);
    f->num_guards = 1;
    f->partner = get_memory(nodes, sizeof *f->partner);
    f->loop = get_memory(nodes, sizeof *f->loop);
    f->number = get_memory(nodes, sizeof *f->number);
    f->runs = get_memory(nodes, sizeof *f->runs);
    find_partners(f);
    find_guards(f);
    return f;
}

void flow_free(Flow *f)
{
    for (int i = 0; i < f->g->num_nodes; i++) {
        for (int k = 0; k < f->runs[i].num; k++)
            free(f->runs[i].next[k]);
        free(f->runs[i].next);
    }
    free(f->guard);
    free(f->guards);
    free(f->partner);
    free(f->loop);
    free(f->number);
    free(f->runs);
    free(f);
}

const Flow *flow_kept(const Graph *g)
{
    Flow *f = flow_new(g), *kept = NEW(Flow);
    *kept = (Flow){g,
                   NEW_ARRAY(int, g->num_nodes),
                   NEW_ARRAY(Guard, f->num_guards),
                   f->num_guards,
                   NEW_ARRAY(int, g->num_nodes),
                   NEW_ARRAY(int, g->num_nodes),
                   NEW_ARRAY(int, g->num_nodes),
                   NULL};
    if (g->num_nodes) {
        memcpy(kept->guard, f->guard, (size_t)g->num_nodes * sizeof *f->guard);
        memcpy(kept->partner, f->partner, (size_t)g->num_nodes * sizeof *f->partner);
        memcpy(kept->loop, f->loop, (size_t)g->num_nodes * sizeof *f->loop);
        memcpy(kept->number, f->number, (size_t)g->num_nodes * sizeof *f->number);
    }
    memcpy(kept->guards, f->guards, (size_t)f->num_guards * sizeof *f->guards);
    flow_free(f);
    return kept;
}

/* ---- running ---- */

static LoopRun *start_run(Flow *f, int begin)
{
    LoopRun *r = &f->runs[begin];
    const Node *n = f->g->nodes[begin];
    r->iteration = 0;
    if (r->next)
        return r;
    r->num = loop_states(n);
    r->next = get_memory((size_t)r->num, sizeof *r->next);
    for (int k = 0; k < r->num; k++)
        r->next[k] = get_memory(type_bytes(n->out[1 + k]->type) + 1, 1);
    return r;
}

static void take_states(const LoopRun *r, Tensor *const *states, const void *const *values)
{
    for (int k = 0; k < r->num; k++)
        memcpy(r->next[k], values[states[k]->id], type_bytes(states[k]->type));
}

static bool is_true(const Tensor *go, const void *const *values)
{
    return !go || *(const uint8_t *)values[go->id];
}

static bool below_limit(const Node *begin, const LoopRun *r, const void *const *values)
{
    return !begin->in[0] || r->iteration < *(const int64_t *)values[begin->in[0]->id];
}

static int enter_loop(Flow *f, int begin, const void *const *values)
{
    const Node *n = f->g->nodes[begin];
    LoopRun *r = start_run(f, begin);
    take_states(r, n->in + 2, values);
    return is_true(n->in[1], values) && below_limit(n, r, values) ? begin : f->partner[begin];
}

static int repeat_loop(Flow *f, int end, const void *const *values)
{
    const Node *n = f->g->nodes[end];
    int begin = f->partner[end];
    LoopRun *r = &f->runs[begin];
    take_states(r, n->in + 1, values);
    r->iteration++;
    return is_true(n->in[0], values) && below_limit(f->g->nodes[begin], r, values) ? begin : end;
}

int flow_next(Flow *f, int i, const void *const *values)
{
    for (i++; i < f->g->num_nodes; i++) {
        if (!guard_holds(f, f->guard[i], values))
            continue;
        switch (f->g->nodes[i]->op) {
        case OP_LoopBegin: return enter_loop(f, i, values);
        case OP_LoopEnd: return repeat_loop(f, i, values);
        default: return i;
        }
    }
    return i;
}

const void *flow_value(const Flow *f, int i, int k)
{
    if (f->g->nodes[i]->op == OP_LoopEnd)
        return f->runs[f->partner[i]].next[k];
    return k ? f->runs[i].next[k - 1] : &f->runs[i].iteration;
}
