/* infer_control.c - If, Loop and Scan are replaced by the nodes in their bodies, while types are inferred.
 *
 * If with a known condition is its branch. With a condition known at run time only, both branches are in the
 * graph and Where chooses: the code computes the one that is chosen (flow.c). Loop and Scan are unrolled:
 * each iteration is a copy of the body. A short Loop whose condition is not known runs to its trip count, and
 * Where keeps the values of the last iteration that counts. A longer one, and one whose trip count is not
 * known, stays a loop: its body stands between LoopBegin and LoopEnd. Refused: what would need shapes that
 * depend on run-time values. */
#include "infer.h"
#include "ops/ops.h"

#include <string.h>

enum { MAX_COPIED = 1 << 16 };
static const size_t max_text = (size_t)64 << 20;

/* ---- nodes around bodies ---- */

static Tensor *new_tensor(Walk *w, const Node *of, const char *what)
{
    return graph_tensor(w->g, mem_printf("%s.%s%s", node_label(of), what, int_text(w->copied)),
                        (Type){.rank = -1});
}

/* out = op(a, b, c), those that are not NULL */
static void add_node(Walk *w, const Node *of, OpKind op, Tensor *out, Tensor *a, Tensor *b, Tensor *c)
{
    Tensor *in[] = {a, b, c};
    int count = 1 + (b != NULL) + (c != NULL);
    Node *n = node_new(op, of->name, count, 1);
    memcpy(n->in, in, (size_t)count * sizeof *in);
    n->out[0] = out;
    out->producer = n;
    infer_nodes(w, &n, 1);
}

Tensor *walk_make(Walk *w, const Node *of, OpKind op, Tensor *a, Tensor *b, Tensor *c)
{
    w->copied++;
    Tensor *out = new_tensor(w, of, "v");
    add_node(w, of, op, out, a, b, c);
    return out;
}

Tensor *walk_int(Walk *w, const Node *of, int64_t v)
{
    int64_t *data = NEW(int64_t);
    *data = v;
    Tensor *t = new_tensor(w, of, "i");
    t->type = type_make(DT_I64, 0, NULL);
    t->data = data;
    return t;
}

static Tensor *make_bool(Walk *w, const Node *of, bool v)
{
    uint8_t *data = NEW(uint8_t);
    *data = v;
    Tensor *t = new_tensor(w, of, "c");
    t->type = type_make(DT_BOOL, 0, NULL);
    t->data = data;
    return t;
}

/* A condition as a scalar. */
static Tensor *as_condition(Walk *w, const Node *n, Tensor *t)
{
    if (t->type.dtype != DT_BOOL || type_elems(t->type) != 1)
        fail_node(w->g, n, "the condition '%s' must be a single bool, not %s", t->name, type_text(t->type));
    if (t->type.rank == 0)
        return t;
    return walk_make(w, n, OP_Reshape, t, graph_const_i64(w->g, mem_printf("%s.shape", t->name), 0, NULL),
                     NULL);
}

static bool is_true(const Tensor *t)
{
    return t->data && *(const uint8_t *)t->data;
}

static bool is_false(const Tensor *t)
{
    return t->data && !*(const uint8_t *)t->data;
}

/* condition ? a : b, which must be of one type */
static Tensor *choose(Walk *w, const Node *n, Tensor *condition, Tensor *a, Tensor *b)
{
    if (a == b)
        return a;
    if (!type_known(a->type) || !type_known(b->type))
        fail_node(w->g, n, "unsupported: %s of sequences, with a condition that is not known at compile time",
                  n->op_name);
    if (!type_equal(a->type, b->type))
        fail_node(
            w->g, n,
            "unsupported: %s gives %s or %s, depending on a condition that is not known at compile time",
            n->op_name, type_text(a->type), type_text(b->type));
    return walk_make(w, n, OP_Where, condition, a, b);
}

void walk_give(Walk *w, const Node *n, int output, Tensor *t)
{
    if (n->out[output])
        add_node(w, n, OP_Identity, n->out[output], t, NULL, NULL);
}

static const Graph *body_of(const Walk *w, const Node *n, const char *name, int inputs, int min_outputs)
{
    const Graph *body = node_attr(n, name)->graph;
    if (body->num_inputs != inputs || body->num_outputs < min_outputs)
        fail_node(w->g, n, "'%s' has %d inputs and %d outputs; %d inputs and at least %d outputs are needed",
                  name, body->num_inputs, body->num_outputs, inputs, min_outputs);
    return body;
}

/* ---- copies of bodies ---- */

static void set_copy(Walk *w, const Tensor *t, Tensor *copy)
{
    if (t->id >= w->cap_copies) {
        int cap = 2 * w->g->num_tensors;
        Tensor **more = NEW_ARRAY(Tensor *, cap);
        if (w->cap_copies)
            memcpy(more, w->copies, (size_t)w->cap_copies * sizeof *more);
        w->copies = more;
        w->cap_copies = cap;
    }
    w->copies[t->id] = copy;
}

static Tensor *copy_of(const Walk *w, Tensor *t)
{
    return t && t->id < w->cap_copies && w->copies[t->id] ? w->copies[t->id] : t;
}

static Tensor *copy_tensor(Walk *w, const Tensor *t)
{
    w->copied_text += strlen(t->name) + 24;
    Tensor *copy = graph_tensor(w->g, mem_printf("%s.%s", t->name, int_text(w->copied)), t->type);
    set_copy(w, t, copy);
    return copy;
}

static void count_copy(Walk *w, const Node *n)
{
    if (++w->copied > MAX_COPIED || w->copied_text > max_text)
        fail("%s: its loops make more than %d nodes when they are unrolled (node '%s'), which is not "
             "supported",
             w->g->file, MAX_COPIED, node_label(n));
}

static void copy_nodes(Walk *w, const Graph *body, Graph *to);

static Graph *copy_inner(Walk *w, const Graph *body)
{
    Graph *copy = graph_new(body->file, body->name);
    copy->inputs = NEW_ARRAY(Tensor *, body->num_inputs);
    copy->num_inputs = body->num_inputs;
    for (int i = 0; i < body->num_inputs; i++)
        copy->inputs[i] = copy_tensor(w, body->inputs[i]);
    copy_nodes(w, body, copy);
    return copy;
}

static Node *copy_node(Walk *w, const Node *n)
{
    count_copy(w, n);
    Node *copy = node_new(n->op, n->name, n->num_in, n->num_out);
    copy->op_name = n->op_name;
    copy->domain = n->domain;
    copy->opset = n->opset;
    copy->num_attrs = n->num_attrs;
    copy->attrs = NEW_ARRAY(Attr, n->num_attrs);
    for (int i = 0; i < n->num_in; i++)
        copy->in[i] = copy_of(w, n->in[i]);
    for (int i = 0; i < n->num_attrs; i++) {
        copy->attrs[i] = n->attrs[i];
        if (n->attrs[i].graph)
            copy->attrs[i].graph = copy_inner(w, n->attrs[i].graph);
    }
    for (int i = 0; i < n->num_out; i++)
        copy->out[i] = n->out[i] ? copy_tensor(w, n->out[i]) : NULL;
    return copy;
}

static void copy_nodes(Walk *w, const Graph *body, Graph *to)
{
    for (int i = 0; i < body->num_nodes; i++)
        node_append(to, copy_node(w, body->nodes[i]));
    to->outputs = NEW_ARRAY(Tensor *, body->num_outputs);
    to->num_outputs = body->num_outputs;
    for (int i = 0; i < body->num_outputs; i++)
        to->outputs[i] = copy_of(w, body->outputs[i]);
    for (int i = 0; i < body->num_inputs; i++)
        set_copy(w, body->inputs[i], NULL);
    for (int i = 0; i < body->num_nodes; i++)
        for (int k = 0; k < body->nodes[i]->num_out; k++)
            if (body->nodes[i]->out[k])
                set_copy(w, body->nodes[i]->out[k], NULL);
}

/* One run of the body on these inputs. Returns its outputs. */
static Tensor **run_body(Walk *w, const Node *n, const Graph *body, Tensor *const *inputs)
{
    Graph copy = {0};
    count_copy(w, n);
    for (int i = 0; i < body->num_inputs; i++)
        set_copy(w, body->inputs[i], inputs[i]);
    copy_nodes(w, body, &copy);
    infer_nodes(w, copy.nodes, copy.num_nodes);
    return copy.outputs;
}

/* ---- If ---- */

static void infer_if(Walk *w, const Node *n)
{
    const Graph *yes = body_of(w, n, "then_branch", 0, n->num_out);
    const Graph *no = body_of(w, n, "else_branch", 0, n->num_out);
    Tensor *condition = as_condition(w, n, n->in[0]);
    if (!is_false(condition))
        infer_nodes(w, yes->nodes, yes->num_nodes);
    if (!is_true(condition))
        infer_nodes(w, no->nodes, no->num_nodes);
    for (int i = 0; i < n->num_out; i++) {
        if (!n->out[i])
            continue;
        Tensor *a = yes->outputs[i], *b = no->outputs[i];
        if (is_true(condition))
            walk_give(w, n, i, a);
        else
            walk_give(w, n, i, is_false(condition) ? b : choose(w, n, condition, a, b));
    }
}

/* ---- outputs that collect a value from each iteration ---- */

static void collect(Collector *c, Tensor *t)
{
    if (c->count == c->cap) {
        c->cap = c->cap ? 2 * c->cap : 16;
        Tensor **more = NEW_ARRAY(Tensor *, c->cap);
        if (c->count)
            memcpy(more, c->items, (size_t)c->count * sizeof *more);
        c->items = more;
    }
    c->items[c->count++] = t;
}

void walk_join(Walk *w, const Node *n, int output, const Collector *c, int64_t axis, bool reverse)
{
    if (!n->out[output])
        return;
    if (!c->count)
        fail_node(w->g, n, "unsupported: %s without iterations, whose output '%s' has no known shape",
                  n->op_name, n->out[output]->name);
    axis = norm_axis(w->g, n, axis, c->items[0]->type.rank + 1);
    Tensor *axes = graph_const_i64(w->g, mem_printf("%s.axes", n->out[output]->name), 1, &axis);
    Node *join = node_new(OP_Concat, n->name, c->count, 1);
    attr_set_int(join, "axis", axis);
    for (int i = 0; i < c->count; i++)
        join->in[reverse ? c->count - 1 - i : i] = walk_make(w, n, OP_Unsqueeze, c->items[i], axes, NULL);
    join->out[0] = n->out[output];
    infer_nodes(w, &join, 1);
}

/* ---- Loop ---- */

typedef struct Unroll {
    const Graph *body;
    int64_t trips; /* INT64_MAX: no limit */
    int num_state;
    Tensor **in;    /* of the body: iteration, condition, state */
    Tensor *active; /* whether the iteration counts, known at run time; NULL: it does */
    Collector *collected;
} Unroll;

static bool has_limit(const Node *n)
{
    return n->num_in && n->in[0];
}

static int64_t trip_count(const Walk *w, const Node *n)
{
    if (!has_limit(n))
        return INT64_MAX;
    if (n->in[0]->type.dtype != DT_I64 || type_elems(n->in[0]->type) != 1)
        fail_node(w->g, n, "the trip count must be a single int64");
    return n->in[0]->data ? *(const int64_t *)n->in[0]->data : INT64_MAX;
}

static Unroll loop_start(Walk *w, const Node *n)
{
    Unroll u = {.trips = trip_count(w, n), .num_state = n->num_in > 2 ? n->num_in - 2 : 0};
    u.body = body_of(w, n, "body", 2 + u.num_state, 1 + u.num_state);
    if (n->num_out > u.body->num_outputs - 1)
        fail_node(w->g, n, "has %d outputs, its body makes %d", n->num_out, u.body->num_outputs - 1);
    u.in = NEW_ARRAY(Tensor *, 2 + u.num_state);
    u.in[1] = n->num_in > 1 && n->in[1] ? as_condition(w, n, n->in[1]) : make_bool(w, n, true);
    for (int i = 0; i < u.num_state; i++) {
        u.in[2 + i] = n->in[2 + i];
        if (!n->in[2 + i])
            fail_node(w->g, n, "input %d is missing", 2 + i);
    }
    if (!u.in[1]->data)
        u.active = u.in[1];
    u.collected = NEW_ARRAY(Collector, u.body->num_outputs);
    return u;
}

static void loop_step(Walk *w, const Node *n, Unroll *u, int64_t iteration)
{
    u->in[0] = walk_int(w, n, iteration);
    Tensor **out = run_body(w, n, u->body, u->in);
    for (int i = 0; i < u->num_state; i++) {
        Tensor *next = out[1 + i];
        u->in[2 + i] = u->active ? choose(w, n, u->active, next, u->in[2 + i]) : next;
    }
    for (int i = u->num_state; i < n->num_out; i++)
        collect(&u->collected[i], out[1 + i]);
    u->in[1] = as_condition(w, n, out[0]);
    if (!u->in[1]->data)
        u->active = u->active ? walk_make(w, n, OP_And, u->active, u->in[1], NULL) : u->in[1];
}

/* Nodes of a body and of those in it, but copies, which vanish. */
static int64_t count_nodes(const Graph *body)
{
    int64_t count = 0;
    for (int i = 0; i < body->num_nodes; i++) {
        const Node *n = body->nodes[i];
        count += n->op != OP_Identity;
        for (int k = 0; k < n->num_attrs; k++)
            count += n->attrs[k].graph ? count_nodes(n->attrs[k].graph) : 0;
    }
    return count;
}

static Node *begin_loop(const Node *n, const Unroll *u)
{
    Node *begin = node_new(OP_LoopBegin, n->name, 2 + u->num_state, 1 + u->num_state);
    const Tensor *go = n->num_in > 1 ? n->in[1] : NULL;
    begin->in[0] = has_limit(n) ? n->in[0] : NULL;
    begin->in[1] = go && !is_true(go) ? n->in[1] : NULL;
    begin->out[0] = u->body->inputs[0];
    for (int k = 0; k < u->num_state; k++) {
        begin->in[2 + k] = n->in[2 + k];
        begin->out[1 + k] = u->body->inputs[2 + k];
    }
    return begin;
}

static Node *end_loop(const Node *n, const Unroll *u, Tensor *go)
{
    Node *end = node_new(OP_LoopEnd, n->name, 1 + 2 * u->num_state, u->num_state);
    end->in[0] = is_true(go) ? NULL : go;
    for (int k = 0; k < u->num_state; k++) {
        end->in[1 + k] = u->body->outputs[1 + k];
        end->in[1 + u->num_state + k] = u->body->inputs[2 + k];
        end->out[k] = k < n->num_out ? n->out[k] : NULL;
    }
    return end;
}

/* A loop in C: the nodes of the body stand between LoopBegin and LoopEnd (flow.h). */
static void keep_loop(Walk *w, const Node *n, const Unroll *u)
{
    static const uint8_t yes = 1;
    Node *begin = begin_loop(n, u);
    infer_nodes(w, &begin, 1);
    u->body->inputs[1]->type = type_make(DT_BOOL, 0, NULL);
    u->body->inputs[1]->data = &yes; /* else the body does not run */
    infer_nodes(w, u->body->nodes, u->body->num_nodes);
    Tensor *go = as_condition(w, n, u->body->outputs[0]);
    if (!has_limit(n) && is_true(go))
        fail_node(w->g, n, "never ends: it has no trip count, and its condition stays true");
    Node *end = end_loop(n, u, go);
    infer_nodes(w, &end, 1);
}

/* The first output that collects values and is wanted; NULL: none. */
static const Tensor *collected_output(const Node *n, const Unroll *u)
{
    for (int i = u->num_state; i < n->num_out; i++)
        if (n->out[i])
            return n->out[i];
    return NULL;
}

static bool has_sequence(const Node *n, const Unroll *u)
{
    for (int i = 0; i < u->num_state; i++)
        if (!type_known(n->in[2 + i]->type))
            return true;
    return false;
}

static void check_static(const Walk *w, const Node *n, const Unroll *u)
{
    const Tensor *collected = collected_output(n, u);
    if (collected)
        fail_node(w->g, n,
                  "unsupported: Loop whose course is not known at compile time, and which collects values in "
                  "'%s', whose "
                  "shape depends on it",
                  collected->name);
    if (has_sequence(n, u))
        fail_node(w->g, n, "unsupported: Loop over a sequence, whose course is not known at compile time");
}

/* Whether iteration i had better not be made. */
static bool is_too_long(const Node *n, const Unroll *u, int64_t i)
{
    enum { MAX_UNROLLED = 1 << 14, MAX_GUARDED = 1 << 10 };
    int64_t nodes = count_nodes(u->body);
    if (u->active)
        return nodes > MAX_GUARDED / u->trips;
    return i * nodes > MAX_UNROLLED && !collected_output(n, u) && !has_sequence(n, u);
}

/* Iterations as long as they follow from constants, and some under conditions. False: the course of the loop
 * is not known; then nothing has changed. */
static bool unroll(Walk *w, const Node *n, Unroll *u)
{
    int before = w->kept.num_nodes;
    if (has_limit(n) && !n->in[0]->data)
        return false;
    for (int64_t i = 0; i < u->trips && !is_false(u->in[1]); i++) {
        if (u->active)
            check_static(w, n, u);
        if (is_too_long(n, u, i)) {
            w->kept.num_nodes = before;
            return false;
        }
        loop_step(w, n, u, i);
    }
    return true;
}

static void infer_loop(Walk *w, const Node *n)
{
    Unroll u = loop_start(w, n);
    if (!unroll(w, n, &u)) {
        check_static(w, n, &u);
        keep_loop(w, n, &u);
        return;
    }
    for (int i = 0; i < n->num_out; i++)
        if (i < u.num_state)
            walk_give(w, n, i, u.in[2 + i]);
        else
            walk_join(w, n, i, &u.collected[i], 0, false);
}

/* ---- Scan ---- */

/* Entry i of a list attribute, 0 where it is not given. */
static int64_t entry(const Walk *w, const Node *n, const char *name, int i, int wanted)
{
    int count;
    const int64_t *v = attr_ints(n, name, &count);
    if (v && count != wanted)
        fail_node(w->g, n, "attribute '%s' has %d values for %d inputs or outputs", name, count, wanted);
    return v ? v[i] : 0;
}

static int64_t scan_axis(const Walk *w, const Node *n, int i, int num_scan)
{
    const Tensor *x = n->in[n->num_in - num_scan + i];
    return norm_axis(w->g, n, entry(w, n, "scan_input_axes", i, num_scan), x->type.rank);
}

static int64_t scan_length(const Walk *w, const Node *n, int num_scan)
{
    int64_t length = -1;
    for (int i = 0; i < n->num_in; i++)
        if (!n->in[i])
            fail_node(w->g, n, "input %d is missing", i);
    for (int i = 0; i < num_scan; i++) {
        int64_t here = n->in[n->num_in - num_scan + i]->type.dims[scan_axis(w, n, i, num_scan)];
        if (length >= 0 && here != length)
            fail_node(w->g, n, "scans inputs of %s and %s elements", int_text(length), int_text(here));
        length = here;
    }
    return length;
}

/* Element `at` of scanned input i. */
static Tensor *scan_slice(Walk *w, const Node *n, int i, int num_scan, int64_t at)
{
    Node *pick = node_new(OP_Gather, n->name, 2, 1);
    attr_set_int(pick, "axis", scan_axis(w, n, i, num_scan));
    w->copied++;
    pick->in[0] = n->in[n->num_in - num_scan + i];
    pick->in[1] = walk_int(w, n, at);
    pick->out[0] = new_tensor(w, n, "v");
    infer_nodes(w, &pick, 1);
    return pick->out[0];
}

static void infer_scan(Walk *w, const Node *n)
{
    int64_t given = attr_int(n, "num_scan_inputs");
    if (given < 1 || given > n->num_in)
        fail_node(w->g, n, "attribute 'num_scan_inputs' is %s", int_text(given));
    int scan = (int)given, state = n->num_in - scan;
    const Graph *body = body_of(w, n, "body", n->num_in, n->num_out > state ? n->num_out : state);
    int outputs = body->num_outputs - state; /* more than n->num_out says where nobody wants the last ones */
    int64_t length = scan_length(w, n, scan);
    Tensor **in = NEW_ARRAY(Tensor *, n->num_in);
    Collector *collected = NEW_ARRAY(Collector, n->num_out);
    memcpy(in, n->in, (size_t)n->num_in * sizeof *in);
    for (int64_t t = 0; t < length; t++) {
        for (int i = 0; i < scan; i++) {
            bool back = entry(w, n, "scan_input_directions", i, scan) != 0;
            in[state + i] = scan_slice(w, n, i, scan, back ? length - 1 - t : t);
        }
        Tensor **out = run_body(w, n, body, in);
        for (int i = 0; i < state; i++)
            in[i] = out[i];
        for (int i = state; i < n->num_out; i++)
            collect(&collected[i], out[i]);
    }
    for (int i = 0; i < state && i < n->num_out; i++)
        walk_give(w, n, i, in[i]);
    for (int i = state; i < n->num_out; i++)
        walk_join(w, n, i, &collected[i], entry(w, n, "scan_output_axes", i - state, outputs),
                  entry(w, n, "scan_output_directions", i - state, outputs) != 0);
}

void infer_control(Walk *w, const Node *n)
{
    switch (n->op) {
    case OP_If: infer_if(w, n); return;
    case OP_Loop: infer_loop(w, n); return;
    case OP_Scan: infer_scan(w, n); return;
    default: bug("%s is no control flow", n->op_name);
    }
}
