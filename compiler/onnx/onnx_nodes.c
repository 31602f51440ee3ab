/* onnx_nodes.c - nodes: names become edges. Calls of the model's functions are replaced by the functions'
 * nodes, with names "CALL/name"; graphs in attributes become bodies (Attr.graph), whose nodes read the
 * tensors around them directly.
 *
 * A scope is one list of nodes with its names: the model's graph, a body, which also sees the names around
 * it, or a function under one call, which sees its own names only. Source: ONNX's IR specification. */
#include "graph/op.h"
#include "onnx/onnx_proto.h"

#include <string.h>

typedef struct Name {
    const char *name;
    Tensor *t;    /* NULL: an input of the function that the call leaves out */
    bool pending; /* an output of the function: a node of it is still to make it */
} Name;

struct Scope {
    const Scope *outer;       /* whose names are seen too; NULL: none */
    const FunctionCall *call; /* NULL: not in a function */
    const char *prefix;       /* of new names */
    Names names;              /* index in list; the model's graph has none and uses Graph's own */
    Name *list;
    int count, cap;
    int64_t opset; /* of the function; 0: the model's */
};

/* Nodes in the file's order. */
typedef struct List {
    Node **nodes;
    int count, cap;
} List;

const FunctionCall *onnx_call_of(const Scope *s)
{
    return s->call;
}

/* ---- names ---- */

static Name *add_name(Scope *s, const char *name, Tensor *t)
{
    if (s->count == s->cap) {
        s->cap = s->cap ? 2 * s->cap : 8;
        Name *more = NEW_ARRAY(Name, s->cap);
        if (s->count)
            memcpy(more, s->list, (size_t)s->count * sizeof *more);
        s->list = more;
    }
    names_add(&s->names, name, s->count);
    s->list[s->count] = (Name){.name = name, .t = t};
    return &s->list[s->count++];
}

static Name *own_name(const Scope *s, const char *name)
{
    int at = names_find(&s->names, name);
    return at < 0 ? NULL : &s->list[at];
}

Tensor *onnx_find(const OnnxReader *r, const char *name)
{
    Tensor *t = graph_find(r->g, name);
    return t && t->id < r->num_own ? t : NULL;
}

static bool is_model(const Scope *s)
{
    return !s->outer && !s->call;
}

static bool is_known(const OnnxReader *r, const Scope *s, const char *name)
{
    return is_model(s) ? graph_find(r->g, name) != NULL : own_name(s, name) != NULL;
}

/* The tensor that a node of the scope reads by that name; NULL: it is left out. */
static Tensor *resolve(const OnnxReader *r, const Scope *s, const char *name, const Onnx__NodeProto *by)
{
    const Name *n = NULL;
    while (s && !is_model(s) && !(n = own_name(s, name)))
        s = s->outer;
    if (n)
        return n->t;
    Tensor *t = s ? onnx_find(r, name) : NULL;
    if (!t && by)
        fail("%s: %s: its input '%s' is not made by any node, nor an input or initializer of the graph",
             r->file, node_text(by), name);
    return t;
}

static const char *inner_name(const Scope *s, const char *name)
{
    return s->prefix[0] && name[0] ? mem_printf("%s/%s", s->prefix, name) : name;
}

/* ---- nodes ---- */

static Tensor *define_output(OnnxReader *r, Scope *s, const Onnx__NodeProto *p, const char *name)
{
    Name *known = own_name(s, name);
    if (known && known->pending) {
        known->pending = false;
        return known->t;
    }
    if (is_known(r, s, name))
        fail("%s: %s: its output '%s' is defined twice", r->file, node_text(p), name);
    Tensor *t = graph_tensor(r->g, inner_name(s, name), (Type){.rank = -1});
    if (!is_model(s))
        add_name(s, name, t);
    return t;
}

/* The node with its outputs; inputs and attributes are connected when all outputs are known. */
static Node *read_node(OnnxReader *r, Scope *s, const Onnx__NodeProto *p, size_t index)
{
    if (!text_or_empty(p->op_type)[0])
        fail("%s: node %zu ('%s') names no operator", r->file, index, text_or_empty(p->name));
    Node *n = NEW(Node);
    n->op_name = p->op_type;
    n->domain = plain_domain(p->domain);
    n->op = op_find(n->domain, n->op_name);
    n->name = inner_name(s, text_or_empty(p->name));
    n->opset = s->opset;
    n->num_out = (int)p->n_output;
    n->out = NEW_ARRAY(Tensor *, n->num_out);
    for (int i = 0; i < n->num_out; i++) {
        if (!p->output[i][0])
            continue;
        n->out[i] = define_output(r, s, p, p->output[i]);
        n->out[i]->producer = n;
    }
    return n;
}

static void connect_inputs(const OnnxReader *r, const Scope *s, Node *n, const Onnx__NodeProto *p)
{
    n->num_in = (int)p->n_input;
    while (n->num_in && !p->input[n->num_in - 1][0])
        n->num_in--;
    n->in = NEW_ARRAY(Tensor *, n->num_in);
    for (int i = 0; i < n->num_in; i++)
        n->in[i] = p->input[i][0] ? resolve(r, s, p->input[i], p) : NULL;
    while (n->num_in && !n->in[n->num_in - 1])
        n->num_in--;
}

static void append(List *list, Node *n)
{
    if (list->count == list->cap) {
        list->cap = list->cap ? 2 * list->cap : 16;
        Node **more = NEW_ARRAY(Node *, list->cap);
        if (list->count)
            memcpy(more, list->nodes, (size_t)list->count * sizeof *more);
        list->nodes = more;
    }
    list->nodes[list->count++] = n;
}

/* ---- functions ---- */

/* An output of the function that is one of its inputs, or another output: a copy. */
static void copy_output(const OnnxReader *r, const FunctionCall *c, Tensor *from, Tensor *to, List *list)
{
    if (!from)
        fail("%s: node '%s' (%s): its output '%s' is an input that is left out", r->file, node_label(c->node),
             c->f->name, to->name);
    Node *copy = node_new(OP_Identity, "", 1, 1);
    copy->in[0] = from;
    copy->out[0] = to;
    to->producer = copy;
    append(list, copy);
}

static void bind_inputs(const OnnxReader *r, Scope *s)
{
    const Onnx__FunctionProto *p = s->call->f->p;
    const Node *n = s->call->node;
    if ((size_t)n->num_in > p->n_input || (size_t)n->num_out > p->n_output)
        fail("%s: node '%s': function '%s' has %zu inputs and %zu outputs, the call %d and %d", r->file,
             node_label(n), s->call->f->name, p->n_input, p->n_output, n->num_in, n->num_out);
    for (size_t i = 0; i < p->n_input; i++) {
        if (own_name(s, p->input[i]))
            fail("%s: function '%s' has two inputs '%s'", r->file, s->call->f->name, p->input[i]);
        add_name(s, p->input[i], i < (size_t)n->num_in ? n->in[i] : NULL);
    }
    for (int i = 0; i < n->num_attrs; i++)
        if (!onnx_declares(s->call->f, n->attrs[i].name))
            fail("%s: node '%s': function '%s' has no attribute '%s'", r->file, node_label(n),
                 s->call->f->name, n->attrs[i].name);
}

static void bind_outputs(const OnnxReader *r, Scope *s, List *list)
{
    const Node *n = s->call->node;
    for (int i = 0; i < n->num_out; i++) {
        const char *name = s->call->f->p->output[i];
        const Name *known = own_name(s, name);
        if (!n->out[i])
            continue;
        if (known)
            copy_output(r, s->call, known->t, n->out[i], list);
        else
            add_name(s, name, n->out[i])->pending = true;
    }
}

static void read_list(OnnxReader *r, Scope *s, Onnx__NodeProto *const *nodes, size_t count, List *list);

static void inline_call(OnnxReader *r, const Scope *around, const Node *n, const Function *f, List *list)
{
    const FunctionCall c = {.f = f, .node = n, .outer = around->call};
    Scope s = {.call = &c, .prefix = node_label(n), .opset = f->opset};
    onnx_check_call(r, &c);
    bind_inputs(r, &s);
    bind_outputs(r, &s, list);
    read_list(r, &s, f->p->node, f->p->n_node, list);
    for (int i = 0; i < n->num_out; i++) {
        const Name *made = own_name(&s, f->p->output[i]);
        if (n->out[i] && made->pending)
            fail("%s: function '%s' does not make its output '%s'", r->file, f->name, made->name);
    }
}

/* ---- lists of nodes ---- */

static void read_list(OnnxReader *r, Scope *s, Onnx__NodeProto *const *nodes, size_t count, List *list)
{
    Node **mine = NEW_ARRAY(Node *, (int64_t)count);
    for (size_t i = 0; i < count; i++)
        mine[i] = read_node(r, s, nodes[i], i);
    if (is_model(s))
        r->num_own = r->g->num_tensors;
    for (size_t i = 0; i < count; i++) {
        const Function *f = onnx_find_function(r, nodes[i]);
        connect_inputs(r, s, mine[i], nodes[i]);
        onnx_read_attrs(r, s, mine[i], nodes[i]);
        if (f)
            inline_call(r, s, mine[i], f, list);
        else
            append(list, mine[i]);
    }
}

void onnx_read_nodes(OnnxReader *r)
{
    Scope s = {.prefix = ""};
    List list = {0};
    read_list(r, &s, r->p->node, r->p->n_node, &list);
    Node **sorted = onnx_order(r, list.nodes, list.count);
    for (int i = 0; i < list.count; i++)
        node_append(r->g, sorted[i]);
}

/* ---- bodies ---- */

static Tensor *define_value(OnnxReader *r, Scope *s, const char *what, const char *name)
{
    if (!name[0] || own_name(s, name))
        fail("%s: %s '%s' of a graph in an attribute %s", r->file, what, name,
             name[0] ? "is defined twice" : "has no name");
    Tensor *t = graph_tensor(r->g, inner_name(s, name), (Type){.rank = -1});
    add_name(s, name, t);
    return t;
}

static void read_constants(OnnxReader *r, Scope *s, const Onnx__GraphProto *p)
{
    if (p->n_sparse_initializer)
        fail("%s: sparse initializers are not supported", r->file);
    for (size_t i = 0; i < p->n_initializer; i++) {
        const char *name = text_or_empty(p->initializer[i]->name);
        const Tensor *value = onnx_decode_tensor(&(Place){r->file, "initializer", name}, p->initializer[i]);
        Tensor *t = define_value(r, s, "initializer", name);
        t->type = value->type;
        t->data = value->data;
    }
}

static void read_outputs(const OnnxReader *r, const Scope *s, const Onnx__GraphProto *p, Graph *body)
{
    body->outputs = NEW_ARRAY(Tensor *, (int64_t)p->n_output);
    for (size_t i = 0; i < p->n_output; i++) {
        const char *name = text_or_empty(p->output[i]->name);
        onnx_tensor_type(&(Place){r->file, "output", name}, p->output[i]);
        Tensor *t = name[0] ? resolve(r, s, name, NULL) : NULL;
        if (!t)
            fail("%s: output '%s' of a graph in an attribute is not made by any node", r->file, name);
        body->outputs[body->num_outputs++] = t;
    }
}

Graph *onnx_read_body(OnnxReader *r, const Scope *around, const Onnx__GraphProto *p)
{
    Scope s = {.outer = around, .call = around->call, .prefix = around->prefix, .opset = around->opset};
    Graph *body = graph_new(r->file, text_or_empty(p->name));
    List list = {0};
    read_constants(r, &s, p);
    body->inputs = NEW_ARRAY(Tensor *, (int64_t)p->n_input);
    for (size_t i = 0; i < p->n_input; i++) {
        const char *name = text_or_empty(p->input[i]->name);
        onnx_tensor_type(&(Place){r->file, "input", name}, p->input[i]);
        body->inputs[body->num_inputs++] = define_value(r, &s, "input", name);
    }
    read_list(r, &s, p->node, p->n_node, &list);
    Node **sorted = onnx_order(r, list.nodes, list.count);
    for (int i = 0; i < list.count; i++)
        node_append(body, sorted[i]);
    read_outputs(r, &s, p, body);
    return body;
}
