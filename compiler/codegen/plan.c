/* plan.c - names in C and places in the arena. Only this file writes arena offsets.
 *
 * Views share the memory of what they view; an elementwise node may write over an input that dies with it.
 * What then needs memory of its own is an interval of node indices with a size; intervals are placed largest
 * first at the lowest offset that is free for their whole life, among them each node's scratch. Where that
 * takes more than the fullest moment needs, which no plan can do without, other orders are tried. */
#include "codegen/codegen.h"
#include "ops/flow.h"
#include "ops/recurrent.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { ARENA_ALIGN = 16, MAX_NAME = 48 };

typedef struct Interval {
    int64_t bytes, offset;
    int from, to; /* node indices, inclusive */
    int tensor;   /* id, or -1: scratch of node `from` */
} Interval;

/* ---- names ---- */

/* prefix_ONNXNAME with everything but letters and digits as "_", made unique among `names` by a number. */
static void name_tensor(Graph *names, Tensor *t, const char *prefix)
{
    char base[MAX_NAME + 1];
    size_t n = 0;
    for (const char *p = t->name; *p && n < MAX_NAME; p++)
        base[n++] = isalnum((unsigned char)*p) ? *p : '_';
    base[n] = 0;
    t->c_name = graph_free_name(names, mem_printf("%s_%s", prefix, base), 2);
    graph_tensor(names, t->c_name, (Type){.rank = -1});
}

static void name_tensors(const Graph *g)
{
    Graph *names = graph_new(g->file, "names"); /* the identifiers that are taken */
    for (int i = 0; i < g->num_inputs; i++)
        name_tensor(names, g->inputs[i], "in");
    for (int i = 0; i < g->num_outputs; i++)
        if (!g->outputs[i]->c_name && !g->outputs[i]->data)
            name_tensor(names, g->outputs[i], "out");
    for (int i = 0; i < g->num_tensors; i++)
        if (g->tensors[i]->data)
            name_tensor(names, g->tensors[i], "c");
}

/* ---- sharing memory ---- */

static Tensor *root_of(const Graph *g, const Tensor *t)
{
    return g->tensors[memory_of(t)->id];
}

/* By tensor id: it lies in memory that is the plan's to give; inputs and outputs are the caller's. */
static const bool *find_own(const Graph *g)
{
    bool *own = NEW_ARRAY(bool, g->num_tensors);
    for (int i = 0; i < g->num_tensors; i++)
        own[i] = !g->tensors[i]->data;
    for (int i = 0; i < g->num_inputs; i++)
        own[g->inputs[i]->id] = false;
    for (int i = 0; i < g->num_outputs; i++)
        own[g->outputs[i]->id] = false;
    return own;
}

/* Conditions are read in front of each node that they guard. */
static void add_guard_uses(const Flow *f, int *last)
{
    for (int i = 0; i < f->g->num_nodes; i++)
        for (int k = f->guard[i]; k; k = f->guards[k].outer)
            last[f->guards[k].condition->id] =
                i > last[f->guards[k].condition->id] ? i : last[f->guards[k].condition->id];
}

/* By tensor id: the index of the node that makes it; -1: none. */
static int *find_makers(const Graph *g)
{
    int *maker = NEW_ARRAY(int, g->num_tensors);
    for (int i = 0; i < g->num_tensors; i++)
        maker[i] = -1;
    for (int i = 0; i < g->num_nodes; i++)
        for (int k = 0; k < g->nodes[i]->num_out; k++)
            if (g->nodes[i]->out[k])
                maker[g->nodes[i]->out[k]->id] = i;
    return maker;
}

/* What is made in front of a loop and used inside is used by every iteration. */
static void add_loop_uses(const Flow *f, const int *maker, int *last)
{
    for (int i = 0; i < f->g->num_tensors; i++)
        for (int loop = last[i] < 0 ? -1 : f->loop[last[i]]; loop > maker[i]; loop = f->loop[loop])
            last[i] = f->partner[loop];
}

/* The last node that uses each tensor, by id; graph outputs live to the end. */
static int *last_uses(const Graph *g, const Flow *f, const int *maker)
{
    int *last = NEW_ARRAY(int, g->num_tensors);
    for (int i = 0; i < g->num_tensors; i++)
        last[i] = -1;
    for (int i = 0; i < g->num_nodes; i++)
        for (int j = 0; j < g->nodes[i]->num_in; j++)
            if (g->nodes[i]->in[j])
                last[g->nodes[i]->in[j]->id] = i;
    add_guard_uses(f, last);
    add_loop_uses(f, maker, last);
    for (int i = 0; i < g->num_outputs; i++)
        last[g->outputs[i]->id] = g->num_nodes;
    return last;
}

/* A view shares its input's memory; one that is a graph output lends the caller's to what it views. */
static void share_views(const Graph *g, const bool *own)
{
    for (int i = 0; i < g->num_nodes; i++) {
        Node *n = g->nodes[i];
        if (!op_def(n->op)->view)
            continue;
        Tensor *in = root_of(g, n->in[0]), *out = n->out[0];
        if (own[out->id])
            out->alias = in;
        else if (own[in->id])
            in->alias = out;
    }
}

/* What a loop gives lies where its iterations leave it. */
static void share_states(const Graph *g, const bool *own)
{
    for (int i = 0; i < g->num_nodes; i++) {
        const Node *n = g->nodes[i];
        for (int k = 0; n->op == OP_LoopEnd && k < n->num_out; k++)
            if (n->out[k] && !n->out[k]->alias && own[n->out[k]->id])
                n->out[k]->alias = root_of(g, loop_state(n, k));
    }
}

/* The last use of the memory of each root, by its id. */
static int *last_uses_of_memory(const Graph *g, const int *last)
{
    int *use = NEW_ARRAY(int, g->num_tensors);
    for (int i = 0; i < g->num_tensors; i++)
        use[i] = -1;
    for (int i = 0; i < g->num_tensors; i++) {
        int *of_root = &use[memory_of(g->tensors[i])->id];
        *of_root = last[i] > *of_root ? last[i] : *of_root;
    }
    return use;
}

static bool same_layout(const Tensor *a, const Tensor *b)
{
    if (!type_equal(a->type, b->type) || a->layout.base != b->layout.base)
        return false;
    return !memcmp(a->layout.strides, b->layout.strides, (size_t)a->type.rank * sizeof *a->layout.strides);
}

/* Codes are bytes, of either sign. */
static bool same_bytes(const Tensor *a, const Tensor *b)
{
    Type t = a->type;
    t.dtype = b->type.dtype;
    return type_equal(t, b->type) && dtype_size(a->type.dtype) == 1 && dtype_size(t.dtype) == 1 &&
           a->layout.dense && b->layout.dense;
}

static bool works_in_place(const Node *n, const Options *opt)
{
    return n->op == OP_Layer ? conv_in_place(n->layer, opt) : op_def(n->op)->in_place;
}

static void share_in_place(const Graph *g, const Options *opt, const bool *own, const int *last)
{
    int *use = last_uses_of_memory(g, last);
    for (int i = 0; i < g->num_nodes; i++) {
        Node *n = g->nodes[i];
        Tensor *out = n->num_out ? n->out[0] : NULL;
        if (!works_in_place(n, opt) || !out || !own[out->id] || memory_of(out) != out)
            continue;
        for (int j = 0; j < n->num_in && !out->alias; j++) {
            Tensor *root = n->in[j] ? root_of(g, n->in[j]) : NULL;
            if (!root || use[root->id] != i || !own[root->id] ||
                (!same_layout(n->in[j], out) && !same_bytes(n->in[j], out)))
                continue;
            out->alias = root;
            use[root->id] = use[out->id] > i ? use[out->id] : i;
        }
    }
}

/* ---- placing ---- */

static void add_lives(const Graph *g, const int *last, Interval *by_root)
{
    for (int i = 0; i < g->num_nodes; i++)
        for (int j = 0; j < g->nodes[i]->num_out; j++) {
            Tensor *t = g->nodes[i]->out[j];
            if (!t)
                continue;
            Interval *v = &by_root[memory_of(t)->id];
            int64_t bytes = t->layout.size * (int64_t)dtype_size(t->type.dtype);
            v->from = v->bytes ? v->from : i;
            v->to = last[t->id] > v->to ? last[t->id] : v->to;
            v->to = i > v->to ? i : v->to;
            v->bytes = bytes > v->bytes ? bytes : v->bytes;
            v->bytes = v->bytes ? v->bytes : 1;
        }
}

int64_t layer_scratch(const Plan *p, const Node *n, const Layer *l)
{
    if (!layer_scratch_bytes(l, p->opt))
        return -1;
    return p->scratch[plan_node_index(p, n)] + (n->op == OP_Recurrent ? cell_scratch(n->cell).total : 0);
}

/* Behind the blocks of the cell lie the sums of the layer that runs. */
static int64_t recurrent_scratch_bytes(const Node *n, const Options *opt)
{
    const Layer *l;
    int64_t most = 0;
    for (int k = 0; (l = node_layer(n, k)); k++) {
        int64_t bytes = layer_scratch_bytes(l, opt);
        most = bytes > most ? bytes : most;
    }
    return cell_scratch(n->cell).total + most;
}

/* Working memory of a node for the time in which it runs. */
static int64_t scratch_bytes(const Node *n, const Options *opt)
{
    if (n->op == OP_Recurrent)
        return recurrent_scratch_bytes(n, opt);
    if (n->op == OP_LoopEnd)
        return loop_scratch_bytes(n);
    return n->op == OP_Layer ? layer_scratch_bytes(n->layer, opt) : 0;
}

static Interval *collect(const Graph *g, const Options *opt, const bool *own, const int *last, int *count)
{
    Interval *by_root = NEW_ARRAY(Interval, g->num_tensors);
    Interval *all = NEW_ARRAY(Interval, g->num_tensors + g->num_nodes);
    add_lives(g, last, by_root);
    for (int i = 0; i < g->num_tensors; i++)
        if (by_root[i].bytes && own[i]) {
            by_root[i].tensor = i;
            all[(*count)++] = by_root[i];
        }
    for (int i = 0; i < g->num_nodes; i++) {
        int64_t scratch = scratch_bytes(g->nodes[i], opt);
        if (scratch)
            all[(*count)++] = (Interval){.bytes = scratch, .from = i, .to = i, .tensor = -1};
    }
    for (int i = 0; i < *count; i++)
        all[i].bytes = (all[i].bytes + ARENA_ALIGN - 1) / ARENA_ALIGN * ARENA_ALIGN;
    return all;
}

static int larger_first(const void *a, const void *b)
{
    const Interval *x = a, *y = b;
    if (x->bytes != y->bytes)
        return x->bytes > y->bytes ? -1 : 1;
    if (x->from != y->from)
        return x->from < y->from ? -1 : 1;
    return x->tensor < y->tensor ? -1 : x->tensor > y->tensor;
}

static bool overlap(const Interval *a, const Interval *b)
{
    return a->from <= b->to && b->from <= a->to;
}

/* The lowest offset that none of the placed intervals [0, i) of the same time covers. */
static int64_t lowest_free(const Interval *all, int i)
{
    int64_t offset = 0;
    for (bool moved = true; moved;) {
        moved = false;
        for (int j = 0; j < i; j++)
            if (overlap(&all[i], &all[j]) && all[j].offset < offset + all[i].bytes &&
                offset < all[j].offset + all[j].bytes) {
                offset = all[j].offset + all[j].bytes;
                moved = true;
            }
    }
    return offset;
}

static int64_t fullest_moment(const Interval *all, int count, int num_nodes)
{
    int64_t *change = NEW_ARRAY(int64_t, (int64_t)num_nodes + 2), bytes = 0, most = 0;
    for (int i = 0; i < count; i++) {
        change[all[i].from] += all[i].bytes;
        change[(all[i].to < num_nodes ? all[i].to : num_nodes) + 1] -= all[i].bytes;
    }
    for (int t = 0; t < num_nodes; t++) {
        bytes += change[t];
        most = bytes > most ? bytes : most;
    }
    return most;
}

/* Offsets for all, in their order; the bytes that it takes. */
static int64_t place_in_order(Interval *all, int count)
{
    int64_t bytes = 0;
    for (int i = 0; i < count; i++) {
        all[i].offset = lowest_free(all, i);
        if (all[i].offset + all[i].bytes > bytes)
            bytes = all[i].offset + all[i].bytes;
    }
    return bytes;
}

/* Largest first is near the best; where it misses the bound, random changes of its order often come down to
 * it. Keeps the best order in `all`; returns its bytes. */
static int64_t search_order(Interval *all, int count, int64_t bound)
{
    enum { STEPS = 20000000 /* about half a second */ };
    Interval *trial = NEW_ARRAY(Interval, count);
    int64_t best = place_in_order(all, count), tries = STEPS / ((int64_t)count * count + 1);
    uint64_t state = 1;
    for (int64_t t = 0; t < tries && best > bound; t++) {
        memcpy(trial, all, (size_t)count * sizeof *all);
        for (int swaps = 1 + (int)(t % 3); swaps > 0; swaps--) {
            state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
            Interval *a = &trial[(state >> 33) % (uint64_t)count];
            Interval *b = &trial[(state >> 12) % (uint64_t)count];
            Interval c = *a;
            *a = *b;
            *b = c;
        }
        int64_t bytes = place_in_order(trial, count);
        if (bytes > best)
            continue;
        best = bytes;
        memcpy(all, trial, (size_t)count * sizeof *all);
    }
    return best;
}

/* ---- placing very many: one walk through time ---- */

static int earlier_first(const void *a, const void *b)
{
    const Interval *x = a, *y = b;
    if (x->from != y->from)
        return x->from < y->from ? -1 : 1;
    return larger_first(a, b);
}

static int ends_first(const void *a, const void *b)
{
    const Interval *x = *(Interval *const *)a, *y = *(Interval *const *)b;
    if (x->to != y->to)
        return x->to < y->to ? -1 : 1;
    return (x > y) - (x < y);
}

/* Free memory below the top, by offset; gaps never touch. */
typedef struct Gap {
    int64_t from, to;
} Gap;

typedef struct Gaps {
    Gap *list;
    int count;
    int64_t top; /* everything from here on is free */
} Gaps;

static void remove_gap(Gaps *s, int i)
{
    memmove(s->list + i, s->list + i + 1, (size_t)(--s->count - i) * sizeof *s->list);
}

static int64_t take_gap(Gaps *s, int64_t bytes)
{
    for (int i = 0; i < s->count; i++)
        if (s->list[i].to - s->list[i].from >= bytes) {
            int64_t at = s->list[i].from;
            s->list[i].from += bytes;
            if (s->list[i].from == s->list[i].to)
                remove_gap(s, i);
            return at;
        }
    s->top += bytes;
    return s->top - bytes;
}

static void give_gap(Gaps *s, int64_t from, int64_t to)
{
    int i = 0;
    for (int high = s->count; i < high;) {
        int middle = (i + high) / 2;
        if (s->list[middle].from < from)
            i = middle + 1;
        else
            high = middle;
    }
    if (i < s->count && s->list[i].from == to) {
        to = s->list[i].to;
        remove_gap(s, i);
    }
    if (i > 0 && s->list[i - 1].to == from) {
        from = s->list[--i].from;
        remove_gap(s, i);
    }
    if (to == s->top) {
        s->top = from;
        return;
    }
    memmove(s->list + i + 1, s->list + i, (size_t)(s->count++ - i) * sizeof *s->list);
    s->list[i] = (Gap){from, to};
}

/* All in the order in which they begin, each into the first gap that holds it; each is not compared with each
 * other one, as place_in_order does it. */
static int64_t place_by_time(Interval *all, int count)
{
    Gaps s = {.list = NEW_ARRAY(Gap, (int64_t)count + 1)};
    Interval **ends = NEW_ARRAY(Interval *, count);
    int64_t bytes = 0;
    for (int i = 0; i < count; i++)
        ends[i] = &all[i];
    qsort(ends, (size_t)count, sizeof *ends, ends_first);
    for (int i = 0, ended = 0; i < count; i++) {
        for (; ends[ended]->to < all[i].from; ended++)
            give_gap(&s, ends[ended]->offset, ends[ended]->offset + ends[ended]->bytes);
        all[i].offset = take_gap(&s, all[i].bytes);
        bytes = s.top > bytes ? s.top : bytes;
    }
    return bytes;
}

static void place(Plan *p, Interval *all, int count)
{
    enum { MANY = 8192 };
    qsort(all, (size_t)count, sizeof *all, count > MANY ? earlier_first : larger_first);
    p->lower_bound = fullest_moment(all, count, p->g->num_nodes);
    p->arena_bytes = count > MANY ? place_by_time(all, count) : search_order(all, count, p->lower_bound);
    for (int i = 0; i < count; i++)
        if (all[i].tensor >= 0)
            p->g->tensors[all[i].tensor]->arena_offset = all[i].offset;
        else
            p->scratch[all[i].from] = all[i].offset;
}

/* ---- the plan ---- */

Plan *plan_graph(Graph *g, const Options *opt)
{
    Plan *p = NEW(Plan);
    p->g = g;
    p->opt = opt;
    p->id = opt->name ? opt->name : model_id(g->file);
    p->maker = find_makers(g);
    p->scratch = NEW_ARRAY(int64_t, g->num_nodes);
    for (int i = 0; i < g->num_nodes; i++)
        p->scratch[i] = -1;
    name_tensors(g);
    p->flow = flow_kept(g);
    const int *last = last_uses(g, p->flow, p->maker);
    const bool *own = find_own(g);
    share_views(g, own);
    share_states(g, own);
    share_in_place(g, opt, own, last);
    int count = 0;
    Interval *all = collect(g, opt, own, last, &count);
    place(p, all, count);
    return p;
}
