/* recipes_control.c - If, Loop and Scan with small bodies, and sequences from their making to their use.
 * Shape inference replaces all of them, so the types of what they give are set here. */
#include "random/draw.h"

#include <string.h>

/* ---- bodies ---- */

static void set_body(Node *n, const char *name, Graph *body)
{
    Attr *more = NEW_ARRAY(Attr, n->num_attrs + 1);
    if (n->num_attrs)
        memcpy(more, n->attrs, (size_t)n->num_attrs * sizeof *more);
    more[n->num_attrs++] = (Attr){.name = name, .type = ATTR_GRAPH, .graph = body};
    n->attrs = more;
}

static void set_edges(Tensor ***list, int *count, int n, Tensor *const *from)
{
    *list = NEW_ARRAY(Tensor *, n);
    memcpy(*list, from, (size_t)n * sizeof **list);
    *count = n;
}

/* A node in a body, whose output is like t. */
static Tensor *inside(Draw *d, Graph *body, OpKind op, Tensor *x, Tensor *y, Type t)
{
    Node *n = y ? NODE(d, op, 1, x, y) : NODE(d, op, 1, x);
    n->out[0]->type = t;
    place_as_is(d, body, n);
    return n->out[0];
}

/* x, changed. */
static Tensor *change(Draw *d, Graph *body, Tensor *x)
{
    static const OpKind ops[] = {OP_Neg, OP_Relu, OP_Abs, OP_Sigmoid, OP_Exp, OP_Identity};
    if (x->type.rank == 2 && x->type.dtype == DT_F32 && maybe(d, 3)) {
        Type square = type_make(DT_F32, 2, (int64_t[]){x->type.dims[1], x->type.dims[1]});
        return inside(d, body, OP_MatMul, x, constant(d, square), x->type);
    }
    if (maybe(d, 3))
        return inside(d, body, OP_Add, x, constant(d, x->type), x->type);
    return inside(d, body, ops[draw(d, 0, 5)], x, NULL, x->type);
}

static Graph *branch(Draw *d, const char *name, Tensor *x)
{
    Graph *body = graph_new("body", name);
    Tensor *y = change(d, body, x);
    if (maybe(d, 2))
        y = change(d, body, y);
    set_edges(&body->outputs, &body->num_outputs, 1, &y);
    return body;
}

static Tensor *inner(Draw *d, Type t)
{
    return graph_tensor(d->g, "b", t);
}

/* ---- control flow ---- */

Node *make_if(Draw *d, const Recipe *r)
{
    Tensor *x = any(d, r->dtypes, 0, 4);
    Node *n = NODE(d, r->op, 1, of_type(d, type_make(DT_BOOL, 0, NULL)));
    set_body(n, "then_branch", branch(d, "yes", x));
    set_body(n, "else_branch", branch(d, "no", x));
    n->out[0]->type = x->type;
    return n;
}

/* A state, and where the number of iterations is known a stack of values. */
Node *make_loop(Draw *d, const Recipe *r)
{
    Tensor *x = any(d, r->dtypes, 0, 3);
    bool known = maybe(d, 2), stacked = known && maybe(d, 2);
    int64_t trips = draw(d, 1, 3);
    Tensor *count = known ? scalar(d, DT_I64, (double)trips) : new_input(d, type_make(DT_I64, 0, NULL));
    Graph *body = graph_new("body", "body");
    Type flag_type = type_make(DT_BOOL, 0, NULL);
    Tensor *in[] = {inner(d, count->type), inner(d, flag_type), inner(d, x->type)};
    Tensor *next = change(d, body, in[2]);
    if (maybe(d, 2))
        next = inside(d, body, OP_Add, next, x, x->type);
    Tensor *out[] = {inside(d, body, OP_Identity, in[1], NULL, flag_type), next,
                     stacked ? inside(d, body, OP_Neg, next, NULL, x->type) : NULL};
    set_edges(&body->inputs, &body->num_inputs, 3, in);
    set_edges(&body->outputs, &body->num_outputs, stacked ? 3 : 2, out);
    Node *n = NODE(d, r->op, stacked ? 2 : 1, count, NULL, x);
    set_body(n, "body", body);
    n->out[0]->type = x->type;
    if (stacked) {
        Type t = {.dtype = x->type.dtype, .rank = x->type.rank + 1, .dims = {trips}};
        memcpy(t.dims + 1, x->type.dims, (size_t)x->type.rank * sizeof(int64_t));
        n->out[1]->type = t;
    }
    return n;
}

/* Sums along the first axis. */
Node *make_scan(Draw *d, const Recipe *r)
{
    Tensor *x = any(d, r->dtypes, 1, 4);
    Type row = type_make(x->type.dtype, x->type.rank - 1, x->type.dims + 1);
    Graph *body = graph_new("body", "body");
    Tensor *in[] = {inner(d, row), inner(d, row)};
    Tensor *sum = inside(d, body, OP_Add, in[0], in[1], row);
    Tensor *out[] = {sum, change(d, body, sum)};
    set_edges(&body->inputs, &body->num_inputs, 2, in);
    set_edges(&body->outputs, &body->num_outputs, 2, out);
    Node *n = NODE(d, r->op, 2, of_type(d, row), x);
    set_body(n, "body", body);
    attr_set_int(n, "num_scan_inputs", 1);
    if (maybe(d, 3))
        attr_set_ints(n, "scan_input_directions", 1, (const int64_t[]){1});
    n->out[0]->type = row;
    n->out[1]->type = x->type;
    return n;
}

/* ---- sequences ---- */

static Tensor *sequence(Draw *d, OpKind op, Tensor *a, Tensor *b, Tensor *c)
{
    Tensor *in[] = {a, b, c};
    Node *n = node(d, op, 1, c ? 3 : b ? 2 : a ? 1 : 0, in);
    place_as_is(d, d->g, n);
    return n->out[0];
}

/* A sequence of `*count` tensors like x. */
static Tensor *draw_sequence(Draw *d, Tensor *x, int *count)
{
    Tensor *s;
    if (x->type.dtype == DT_F32 && maybe(d, 3)) {
        s = sequence(d, OP_SequenceEmpty, NULL, NULL, NULL);
        s = sequence(d, OP_SequenceInsert, s, x, NULL);
        *count = 1;
    } else {
        s = sequence(d, OP_SequenceConstruct, x, of_type(d, x->type), NULL);
        *count = 2;
    }
    if (maybe(d, 2)) {
        s = sequence(d, OP_SequenceInsert, s, of_type(d, x->type),
                     scalar(d, DT_I64, (double)draw(d, 0, *count)));
        ++*count;
    }
    if (*count > 1 && maybe(d, 3)) {
        s = sequence(d, OP_SequenceErase, s, scalar(d, DT_I64, (double)draw(d, 0, *count - 1)), NULL);
        --*count;
    }
    return s;
}

/* SequenceAt and ConcatFromSequence. */
Node *make_sequence(Draw *d, const Recipe *r)
{
    Tensor *x = any(d, r->dtypes, 1, 4);
    int count, axis = (int)draw(d, 0, x->type.rank - 1);
    Tensor *s = draw_sequence(d, x, &count);
    if (r->op == OP_SequenceAt) {
        Node *n = NODE(d, r->op, 1, s, scalar(d, DT_I64, (double)draw(d, -count, count - 1)));
        n->out[0]->type = x->type;
        return n;
    }
    Node *n = NODE(d, r->op, 1, s);
    attr_set_int(n, "axis", axis);
    n->out[0]->type = x->type;
    if (maybe(d, 2)) {
        Type t = {.dtype = x->type.dtype, .rank = x->type.rank + 1};
        for (int i = 0; i < t.rank; i++)
            t.dims[i] = i == axis ? count : x->type.dims[i - (i > axis)];
        n->out[0]->type = t;
        attr_set_int(n, "new_axis", 1);
    } else {
        n->out[0]->type.dims[axis] *= count;
    }
    return n;
}

Node *make_sequence_length(Draw *d, const Recipe *r)
{
    int count;
    Node *n = NODE(d, r->op, 1, draw_sequence(d, any(d, r->dtypes, 0, 4), &count));
    n->out[0]->type = type_make(DT_I64, 0, NULL);
    return n;
}

/* One part of it. */
Node *make_split_to_sequence(Draw *d, const Recipe *r)
{
    Tensor *x = any(d, r->dtypes, 1, 4);
    int axis = (int)draw(d, 0, x->type.rank - 1);
    bool drop = maybe(d, 2);
    Node *n = NODE(d, r->op, 1, x), *at;
    attr_set_int(n, "axis", axis);
    if (drop)
        attr_set_int(n, "keepdims", 0);
    place_as_is(d, d->g, n);
    if (x->type.dims[axis] == 0)
        return NULL;
    at = NODE(d, OP_SequenceAt, 1, n->out[0], scalar(d, DT_I64, (double)draw(d, 0, x->type.dims[axis] - 1)));
    Type t = x->type;
    t.dims[axis] = 1;
    for (int i = axis; drop && i + 1 < t.rank; i++)
        t.dims[i] = t.dims[i + 1];
    t.rank -= drop;
    at->out[0]->type = t;
    return at;
}
