/* onnx_order.c - execution order: nodes stand behind those that they read from, those that only the graphs in
 * their attributes read from included. A stable depth-first walk with its own stack. */
#include "onnx/onnx_proto.h"

#include <string.h>

enum { UNSEEN, OPEN, DONE };

typedef struct Sorter {
    OnnxReader *r;
    Node *const *all; /* in the file's order */
    int count;
    int **makers;      /* by node: the nodes that it reads from, each as node + 1; ends at 0 */
    uint8_t *state;    /* by node: UNSEEN, OPEN (on the stack), DONE */
    int *stack, *next; /* open nodes, each waiting for the one above; the maker to look at next */
    int depth;
    Node **sorted;
    int num_sorted;
} Sorter;

/* ---- what a node reads ---- */

typedef struct Ids {
    int *items, count, cap;
} Ids;

static void add_maker(const OnnxReader *r, Ids *list, const Tensor *t)
{
    if (!t || t->id >= r->cap_maker || !r->maker[t->id])
        return;
    if (list->count + 1 >= list->cap) {
        list->cap = list->cap ? 2 * list->cap : 4;
        int *more = NEW_ARRAY(int, list->cap);
        if (list->count)
            memcpy(more, list->items, (size_t)list->count * sizeof *more);
        list->items = more;
    }
    list->items[list->count++] = r->maker[t->id];
}

static void add_inputs(const OnnxReader *r, Ids *list, const Node *n)
{
    for (int i = 0; i < n->num_in; i++)
        add_maker(r, list, n->in[i]);
    for (int i = 0; i < n->num_attrs; i++) {
        const Graph *body = n->attrs[i].graph;
        for (int k = 0; body && k < body->num_nodes; k++)
            add_inputs(r, list, body->nodes[k]);
        for (int k = 0; body && k < body->num_outputs; k++)
            add_maker(r, list, body->outputs[k]);
    }
}

/* ---- the walk ---- */

static _Noreturn void fail_cycle(const Sorter *s, int back_to)
{
    enum { MAX_SHOWN = 8 };
    const char *list = "";
    int from = 0, shown = 0;
    while (s->stack[from] != back_to)
        from++;
    for (int i = s->depth - 1; i >= from && shown < MAX_SHOWN; i--, shown++)
        list = mem_printf("%s'%s' -> ", list, node_label(s->all[s->stack[i]]));
    bool cut = s->depth - from > MAX_SHOWN;
    fail("%s: the graph has a cycle: %s%s'%s'", s->r->file, list, cut ? "... -> " : "",
         node_label(s->all[s->stack[s->depth - 1]]));
}

static void open_node(Sorter *s, int index)
{
    s->state[index] = OPEN;
    s->next[s->depth] = 0;
    s->stack[s->depth++] = index;
}

/* One step of the depth-first walk: opens a node that the top one waits for, or places the top one. */
static void step(Sorter *s)
{
    int top = s->stack[s->depth - 1];
    const int *makers = s->makers[top];
    while (makers && makers[s->next[s->depth - 1]]) {
        int before = makers[s->next[s->depth - 1]++] - 1;
        if (s->state[before] == DONE)
            continue;
        if (s->state[before] == OPEN)
            fail_cycle(s, before);
        open_node(s, before);
        return;
    }
    s->state[top] = DONE;
    s->depth--;
    s->sorted[s->num_sorted++] = s->all[top];
}

/* ---- the entry ---- */

static void grow_makers(OnnxReader *r)
{
    if (r->cap_maker >= r->g->num_tensors)
        return;
    r->cap_maker = 2 * r->g->num_tensors;
    r->maker = NEW_ARRAY(int, r->cap_maker);
}

static void mark_outputs(OnnxReader *r, const Node *n, int mark)
{
    for (int i = 0; i < n->num_out; i++)
        if (n->out[i])
            r->maker[n->out[i]->id] = mark;
}

static void find_makers(Sorter *s)
{
    grow_makers(s->r);
    for (int i = 0; i < s->count; i++)
        mark_outputs(s->r, s->all[i], i + 1);
    for (int i = 0; i < s->count; i++) {
        Ids list = {0};
        add_inputs(s->r, &list, s->all[i]);
        s->makers[i] = list.items;
    }
    for (int i = 0; i < s->count; i++)
        mark_outputs(s->r, s->all[i], 0);
}

Node **onnx_order(OnnxReader *r, Node *const *all, int count)
{
    Sorter s = {.r = r, .all = all, .count = count};
    s.makers = NEW_ARRAY(int *, count);
    s.state = NEW_ARRAY(uint8_t, count);
    s.stack = NEW_ARRAY(int, count);
    s.next = NEW_ARRAY(int, count);
    s.sorted = NEW_ARRAY(Node *, count);
    find_makers(&s);
    for (int i = 0; i < count; i++) {
        if (s.state[i] == UNSEEN)
            open_node(&s, i);
        while (s.depth)
            step(&s);
    }
    return s.sorted;
}
