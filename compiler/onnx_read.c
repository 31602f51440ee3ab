/* onnx_read.c - an ONNX file as a Model: names become edges, nodes are put into execution order, symbolic dimensions
 * get their sizes. Operators keep the form of the file's opset; upgrade.c changes that.
 *
 * Refused here: what is not ONNX, what contradicts itself (dangling and duplicate names, cycles), and what ternc has no
 * notion of (functions, training graphs, sparse weights, sequences and maps). Unsupported operators and attributes are
 * kept, so that they can be reported all together. Source: ONNX's IR specification. */
#include "onnx_proto.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

typedef struct Symbol {
    const char *name;
    bool missing; /* nothing says how large it is */
} Symbol;

typedef struct Reader {
    const char *file;
    const Options *opt;
    const Onnx__GraphProto *p;
    Graph *g;
    DimValue *batch; /* symbolic first dimensions of inputs, taken as 1 */
    int num_batch;
    bool *dim_used;  /* by index in opt->dims */
    Symbol *symbols; /* the dimensions of inputs that are no numbers, in order of appearance */
    int num_symbols, cap_symbols;
} Reader;

static const char *text_or_empty(const char *s)
{
    return s ? s : "";
}

static const char *node_text(const Onnx__NodeProto *n)
{
    const char *name = text_or_empty(n->name);
    for (size_t i = 0; i < n->n_output && !name[0]; i++)
        name = n->output[i];
    return mem_printf("node '%s' (%s)", name, text_or_empty(n->op_type));
}

/* ---- symbolic dimensions ---- */

/* The symbol of dimension k of an input: its name in the file, or INPUT.k. NULL: the dimension is a number. */
static const char *dim_symbol(const char *input, size_t k, const Onnx__TensorShapeProto__Dimension *d)
{
    if (d->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE && d->dim_value > 0)
        return NULL;
    if (d->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM && text_or_empty(d->dim_param)[0])
        return d->dim_param;
    return mem_printf("%s.%zu", input, k);
}

/* -1 when nothing says how large it is. */
static int64_t symbol_value(const Reader *r, const char *symbol)
{
    for (int i = 0; i < r->opt->num_dims; i++)
        if (!strcmp(r->opt->dims[i].name, symbol)) {
            r->dim_used[i] = true;
            return r->opt->dims[i].value;
        }
    for (int i = 0; i < r->num_batch; i++)
        if (!strcmp(r->batch[i].name, symbol))
            return r->batch[i].value;
    return -1;
}

static void add_symbol(Reader *r, const char *name, bool missing)
{
    if (r->num_symbols == r->cap_symbols) {
        r->cap_symbols = r->cap_symbols ? 2 * r->cap_symbols : 16;
        Symbol *more = NEW_ARRAY(Symbol, r->cap_symbols);
        if (r->num_symbols)
            memcpy(more, r->symbols, (size_t)r->num_symbols * sizeof *more);
        r->symbols = more;
    }
    r->symbols[r->num_symbols++] = (Symbol){name, missing};
}

/* The symbols, or the missing ones, each once between `before` and `after`; "" when there are none. */
static const char *list_symbols(const Reader *r, bool missing, const char *before, const char *after)
{
    enum { MAX_SHOWN = 32 };
    const char *list = "", *shown[MAX_SHOWN];
    int count = 0;
    for (int i = 0; i < r->num_symbols && count < MAX_SHOWN; i++) {
        const Symbol *s = &r->symbols[i];
        bool known = missing && !s->missing;
        for (int k = 0; k < count && !known; k++)
            known = !strcmp(shown[k], s->name);
        if (known)
            continue;
        list = mem_printf("%s%s%s%s", list, before, s->name, after);
        shown[count++] = s->name;
    }
    return list;
}

static void bind_batch(Reader *r, const char *input, const Onnx__TensorShapeProto *shape)
{
    const char *symbol = shape->n_dim ? dim_symbol(input, 0, shape->dim[0]) : NULL;
    if (!symbol || symbol_value(r, symbol) >= 0)
        return;
    if (!r->opt->quiet)
        note("%s: the first dimension of input '%s' ('%s', the batch) is taken as 1; --dim %s=N changes that", r->file,
             input, symbol, symbol);
    r->batch[r->num_batch++] = (DimValue){symbol, 1};
}

static int64_t resolve_dim(Reader *r, const char *input, size_t k, const Onnx__TensorShapeProto__Dimension *d)
{
    const char *symbol = dim_symbol(input, k, d);
    if (!symbol)
        return d->dim_value;
    int64_t v = symbol_value(r, symbol);
    add_symbol(r, symbol, v < 0);
    return v;
}

static void check_dims(const Reader *r)
{
    for (int i = 0; i < r->opt->num_dims; i++) {
        const char *known = list_symbols(r, false, " ", "");
        if (!r->dim_used[i])
            usage("--dim %s: %s has no symbolic dimension of that name; %s%s", r->opt->dims[i].name, r->file,
                  known[0] ? "it has:" : "all its dimensions are fixed", known);
    }
    const char *missing = list_symbols(r, true, " --dim ", "=N");
    if (missing[0])
        fail("%s: the sizes of some dimensions are not known; add%s", r->file, missing);
}

/* ---- declared types ---- */

/* The tensor part of a declared type; fails on sequences, maps and the like. NULL: no type. */
static const Onnx__TypeProto__Tensor *tensor_type(const Place *at, const Onnx__ValueInfoProto *v)
{
    if (!v->type || v->type->value_case == ONNX__TYPE_PROTO__VALUE__NOT_SET)
        return NULL;
    if (v->type->value_case != ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE)
        fail("%s: %s '%s' is not a tensor but a sequence, map, optional or sparse tensor, which is not supported",
             at->file, at->what, at->name);
    return v->type->tensor_type;
}

/* What the file says about a value that is not an input: unknown where it says nothing, or a symbol. */
static Type declared_type(const Place *at, const Onnx__ValueInfoProto *v)
{
    Type t = {.rank = -1};
    const Onnx__TypeProto__Tensor *p = tensor_type(at, v);
    if (!p)
        return t;
    if (p->elem_type)
        t.dtype = onnx_dtype(at, p->elem_type);
    if (!p->shape)
        return t;
    if (p->shape->n_dim > MAX_RANK)
        fail("%s: %s '%s': rank %zu is too large; at most %d is supported", at->file, at->what, at->name,
             p->shape->n_dim, MAX_RANK);
    t.rank = (int)p->shape->n_dim;
    for (int i = 0; i < t.rank; i++) {
        const Onnx__TensorShapeProto__Dimension *d = p->shape->dim[i];
        bool number = d->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
        if (number && d->dim_value < -1) /* -1: some exporters' unknown */
            fail("%s: %s '%s': dimension %d is %" PRId64, at->file, at->what, at->name, i, d->dim_value);
        t.dims[i] = number && d->dim_value > 0 ? d->dim_value : -1;
    }
    return t;
}

static void check_size(const Place *at, Type t)
{
    const int64_t limit = (int64_t)1 << 40;
    int64_t n = 1;
    for (int i = 0; i < t.rank; i++) {
        if (t.dims[i] > 0 && n > limit / t.dims[i])
            fail("%s: %s '%s': shape %s is too large", at->file, at->what, at->name, type_text(t));
        n *= t.dims[i] > 0 ? t.dims[i] : 1;
    }
}

static Type input_type(Reader *r, const Onnx__ValueInfoProto *v)
{
    Place at = {r->file, "input", v->name};
    Type t = declared_type(&at, v);
    if (t.dtype == DT_NONE)
        fail("%s: input '%s' has no element type", r->file, v->name);
    if (v->type->tensor_type->elem_type == ONNX__TENSOR_PROTO__DATA_TYPE__BFLOAT16 && !r->opt->quiet)
        note("%s: input '%s' is bfloat16; it is taken as float", r->file, v->name);
    if (t.rank < 0)
        fail("%s: input '%s' has no shape; save the model with one (onnx.shape_inference, or the exporter's input "
             "shape)",
             r->file, v->name);
    for (int i = 0; i < t.rank; i++)
        t.dims[i] = resolve_dim(r, v->name, (size_t)i, v->type->tensor_type->shape->dim[i]);
    check_size(&at, t);
    return t;
}

static bool types_contradict(Type a, Type b)
{
    if (a.dtype != DT_NONE && b.dtype != DT_NONE && a.dtype != b.dtype)
        return true;
    if (a.rank < 0 || b.rank < 0)
        return false;
    for (int i = 0; i < a.rank && a.rank == b.rank; i++)
        if (a.dims[i] >= 0 && b.dims[i] >= 0 && a.dims[i] != b.dims[i])
            return true;
    return a.rank != b.rank;
}

/* ---- constants, inputs, outputs ---- */

static void read_initializers(Reader *r)
{
    if (r->p->n_sparse_initializer)
        fail("%s: sparse initializers are not supported; save the weights as dense tensors", r->file);
    for (size_t i = 0; i < r->p->n_initializer; i++) {
        const Onnx__TensorProto *p = r->p->initializer[i];
        const char *name = text_or_empty(p->name);
        Place at = {r->file, "initializer", name};
        if (!name[0])
            fail("%s: initializer %zu has no name", r->file, i);
        if (graph_find(r->g, name))
            fail("%s: initializer '%s' is defined twice", r->file, name);
        const Tensor *t = onnx_decode_tensor(&at, p);
        graph_const(r->g, name, t->type, t->data);
    }
}

static void bind_batches(Reader *r)
{
    r->batch = NEW_ARRAY(DimValue, (int64_t)r->p->n_input);
    for (size_t i = 0; i < r->p->n_input; i++) {
        const Onnx__ValueInfoProto *v = r->p->input[i];
        if (!text_or_empty(v->name)[0])
            fail("%s: input %zu has no name", r->file, i);
        const Onnx__TypeProto__Tensor *t =
            graph_find(r->g, v->name) ? NULL : tensor_type(&(Place){r->file, "input", v->name}, v);
        if (t && t->shape)
            bind_batch(r, v->name, t->shape);
    }
}

static void check_constant_input(const Reader *r, const Onnx__ValueInfoProto *v, const Tensor *t)
{
    Type declared = declared_type(&(Place){r->file, "input", v->name}, v);
    if (types_contradict(declared, t->type))
        fail("%s: input '%s' is declared as %s, but its initializer is %s", r->file, v->name, type_text(declared),
             type_text(t->type));
}

static void read_graph_inputs(Reader *r)
{
    bind_batches(r);
    r->g->inputs = NEW_ARRAY(Tensor *, (int64_t)r->p->n_input);
    for (size_t i = 0; i < r->p->n_input; i++) {
        const Onnx__ValueInfoProto *v = r->p->input[i];
        const Tensor *known = graph_find(r->g, v->name);
        if (known && !known->data)
            fail("%s: input '%s' is defined twice", r->file, v->name);
        if (known)
            check_constant_input(r, v, known);
        else
            r->g->inputs[r->g->num_inputs++] = graph_tensor(r->g, v->name, input_type(r, v));
    }
}

static void read_outputs(Reader *r)
{
    if (!r->p->n_output)
        fail("%s: the graph has no outputs", r->file);
    r->g->outputs = NEW_ARRAY(Tensor *, (int64_t)r->p->n_output);
    for (size_t i = 0; i < r->p->n_output; i++) {
        const Onnx__ValueInfoProto *v = r->p->output[i];
        const char *name = text_or_empty(v->name);
        Tensor *t = graph_find(r->g, name);
        if (!name[0] || !t)
            fail("%s: output '%s' is not made by any node", r->file, name);
        if (graph_is_output(r->g, t))
            fail("%s: output '%s' is listed twice", r->file, name);
        Type declared = declared_type(&(Place){r->file, "output", name}, v);
        if (t->producer)
            t->type = declared;
        else if (types_contradict(declared, t->type))
            fail("%s: output '%s' is declared as %s, but it is %s", r->file, name, type_text(declared),
                 type_text(t->type));
        r->g->outputs[r->g->num_outputs++] = t;
    }
}

/* Declared types of inner edges: only a help to the reader of dumps and to upgrade, since infer computes them anew. */
static void read_value_info(Reader *r)
{
    for (size_t i = 0; i < r->p->n_value_info; i++) {
        const Onnx__ValueInfoProto *v = r->p->value_info[i];
        Tensor *t = graph_find(r->g, text_or_empty(v->name));
        if (t && t->producer && v->type && v->type->value_case == ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE)
            t->type = declared_type(&(Place){r->file, "value", v->name}, v);
    }
}

/* ---- attributes ---- */

static const char *copy_bytes(const Onnx__NodeProto *n, const char *attr, ProtobufCBinaryData b, const Reader *r)
{
    if (b.len && memchr(b.data, 0, b.len))
        fail("%s: %s: attribute '%s' contains a NUL byte", r->file, node_text(n), attr);
    char *s = mem_alloc(b.len + 1);
    if (b.len)
        memcpy(s, b.data, b.len);
    return s;
}

typedef struct AttrKind {
    Onnx__AttributeProto__AttributeType onnx;
    AttrType type;
    bool present; /* a value of this kind is in the file */
} AttrKind;

/* The kind of value that an attribute has: the declared one, or in old files that declare none the one that is there.
 * Writers leave out zeros and empty lists, but a value of another kind is a contradiction. */
static AttrType attr_kind(const Reader *r, const Onnx__NodeProto *n, const Onnx__AttributeProto *a)
{
    const AttrKind kinds[] = {
        {ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT, ATTR_FLOAT, a->has_f},
        {ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT, ATTR_INT, a->has_i},
        {ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRING, ATTR_STRING, a->has_s},
        {ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__TENSOR, ATTR_TENSOR, a->t != NULL},
        {ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__GRAPH, ATTR_GRAPH, a->g != NULL},
        {ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOATS, ATTR_FLOATS, a->n_floats > 0},
        {ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS, ATTR_INTS, a->n_ints > 0},
        {ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRINGS, ATTR_STRINGS, a->n_strings > 0},
    };
    const AttrKind *declared = NULL, *present = NULL;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (a->type == kinds[i].onnx)
            declared = &kinds[i];
        if (kinds[i].present && (!present || declared == &kinds[i]))
            present = &kinds[i];
    }
    if (a->type == ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__UNDEFINED)
        declared = present;
    else if (!declared)
        return ATTR_OTHER;
    bool needs_value = declared && (declared->type == ATTR_TENSOR || declared->type == ATTR_GRAPH);
    if (!declared || (needs_value && !declared->present))
        fail("%s: %s: attribute '%s' has no value", r->file, node_text(n), a->name);
    if (present && present != declared)
        fail("%s: %s: attribute '%s' has a value of another type than it declares", r->file, node_text(n), a->name);
    return declared->type;
}

static const char *const *read_strings(const Reader *r, const Onnx__NodeProto *n, const Onnx__AttributeProto *p)
{
    const char **strings = NEW_ARRAY(const char *, (int64_t)p->n_strings);
    for (size_t i = 0; i < p->n_strings; i++)
        strings[i] = copy_bytes(n, p->name, p->strings[i], r);
    return strings;
}

static Tensor *read_attr_tensor(const Reader *r, const Onnx__NodeProto *n, const Onnx__AttributeProto *p)
{
    return onnx_decode_tensor(&(Place){r->file, mem_printf("%s: attribute", node_text(n)), p->name}, p->t);
}

static Attr read_attr(const Reader *r, const Onnx__NodeProto *n, const Onnx__AttributeProto *p)
{
    if (!text_or_empty(p->name)[0])
        fail("%s: %s has an attribute without a name", r->file, node_text(n));
    if (text_or_empty(p->ref_attr_name)[0])
        fail("%s: %s: attribute '%s' refers to a function's attribute, outside of a function", r->file, node_text(n),
             p->name);
    Attr a = {.name = p->name, .type = attr_kind(r, n, p)};
    switch (a.type) {
    case ATTR_INT: a.i = p->i; break;
    case ATTR_FLOAT: a.f = p->f; break;
    case ATTR_STRING: a.s = copy_bytes(n, p->name, p->s, r); break;
    case ATTR_TENSOR: a.t = read_attr_tensor(r, n, p); break;
    case ATTR_INTS:
        a.ints = p->ints;
        a.count = (int)p->n_ints;
        break;
    case ATTR_FLOATS:
        a.floats = p->floats;
        a.count = (int)p->n_floats;
        break;
    case ATTR_STRINGS:
        a.strings = read_strings(r, n, p);
        a.count = (int)p->n_strings;
        break;
    case ATTR_GRAPH:
    case ATTR_OTHER: break;
    }
    return a;
}

static void read_attrs(const Reader *r, Node *to, const Onnx__NodeProto *n)
{
    to->attrs = NEW_ARRAY(Attr, (int64_t)n->n_attribute);
    for (size_t i = 0; i < n->n_attribute; i++) {
        Attr a = read_attr(r, n, n->attribute[i]);
        for (int k = 0; k < to->num_attrs; k++)
            if (!strcmp(to->attrs[k].name, a.name))
                fail("%s: %s: attribute '%s' is given twice", r->file, node_text(n), a.name);
        to->attrs[to->num_attrs++] = a;
    }
}

/* ---- nodes ---- */

static const char *plain_domain(const char *domain)
{
    return !domain || !strcmp(domain, "ai.onnx") ? "" : domain;
}

/* The node with its outputs; inputs are connected when all outputs are known. */
static Node *read_node(Reader *r, const Onnx__NodeProto *p, size_t index)
{
    if (!text_or_empty(p->op_type)[0])
        fail("%s: node %zu ('%s') names no operator", r->file, index, text_or_empty(p->name));
    Node *n = NEW(Node);
    n->op_name = p->op_type;
    n->domain = plain_domain(p->domain);
    n->op = n->domain[0] ? OP_UNSUPPORTED : op_find(p->op_type);
    n->name = text_or_empty(p->name);
    n->num_out = (int)p->n_output;
    n->out = NEW_ARRAY(Tensor *, n->num_out);
    for (int i = 0; i < n->num_out; i++) {
        if (!p->output[i][0])
            continue;
        if (graph_find(r->g, p->output[i]))
            fail("%s: %s: its output '%s' is defined twice", r->file, node_text(p), p->output[i]);
        n->out[i] = graph_tensor(r->g, p->output[i], (Type){.rank = -1});
        n->out[i]->producer = n;
    }
    read_attrs(r, n, p);
    return n;
}

static void connect_inputs(Reader *r, Node *n, const Onnx__NodeProto *p)
{
    n->num_in = (int)p->n_input;
    while (n->num_in && !p->input[n->num_in - 1][0])
        n->num_in--;
    n->in = NEW_ARRAY(Tensor *, n->num_in);
    for (int i = 0; i < n->num_in; i++) {
        if (!p->input[i][0])
            continue;
        n->in[i] = graph_find(r->g, p->input[i]);
        if (!n->in[i])
            fail("%s: %s: its input '%s' is not made by any node, nor an input or initializer of the graph", r->file,
                 node_text(p), p->input[i]);
    }
}

/* ---- execution order ---- */

typedef struct Sorter {
    Reader *r;
    Node **all; /* in the file's order */
    int count;
    int *maker;           /* by tensor id: index of the node that makes it, -1: none */
    uint8_t *state;       /* by node: NEW, OPEN (on the stack), DONE */
    int *stack, *next_in; /* open nodes, each waiting for the one above; the input to look at next */
    int depth;
} Sorter;

enum { UNSEEN, OPEN, DONE };

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
    s->next_in[s->depth] = 0;
    s->stack[s->depth++] = index;
}

/* One step of the depth-first walk: opens a node that the top one waits for, or places the top one. */
static void step(Sorter *s)
{
    int top = s->stack[s->depth - 1];
    const Node *n = s->all[top];
    while (s->next_in[s->depth - 1] < n->num_in) {
        const Tensor *t = n->in[s->next_in[s->depth - 1]++];
        int before = t ? s->maker[t->id] : -1;
        if (before < 0 || s->state[before] == DONE)
            continue;
        if (s->state[before] == OPEN)
            fail_cycle(s, before);
        open_node(s, before);
        return;
    }
    s->state[top] = DONE;
    s->depth--;
    node_append(s->r->g, s->all[top]);
}

/* Appends the nodes in an order in which every one stands behind those it reads from; an order that is right stays. */
static void place_nodes(Reader *r, Node **all, int count)
{
    Sorter s = {.r = r, .all = all, .count = count};
    s.maker = NEW_ARRAY(int, r->g->num_tensors);
    s.state = NEW_ARRAY(uint8_t, count);
    s.stack = NEW_ARRAY(int, count);
    s.next_in = NEW_ARRAY(int, count);
    for (int i = 0; i < r->g->num_tensors; i++)
        s.maker[i] = -1;
    for (int i = 0; i < count; i++)
        for (int k = 0; k < all[i]->num_out; k++)
            if (all[i]->out[k])
                s.maker[all[i]->out[k]->id] = i;
    for (int i = 0; i < count; i++) {
        if (s.state[i] == UNSEEN)
            open_node(&s, i);
        while (s.depth)
            step(&s);
    }
}

static void read_nodes(Reader *r)
{
    Node **all = NEW_ARRAY(Node *, (int64_t)r->p->n_node);
    for (size_t i = 0; i < r->p->n_node; i++)
        all[i] = read_node(r, r->p->node[i], i);
    for (size_t i = 0; i < r->p->n_node; i++)
        connect_inputs(r, all[i], r->p->node[i]);
    place_nodes(r, all, (int)r->p->n_node);
}

/* ---- model ---- */

/* 0: none is named. */
static int64_t read_opset(const char *file, const Onnx__ModelProto *p)
{
    int64_t version = 0;
    for (size_t i = 0; i < p->n_opset_import; i++) {
        const Onnx__OperatorSetIdProto *o = p->opset_import[i];
        if (plain_domain(o->domain)[0])
            continue;
        if (version && version != o->version)
            fail("%s: imports two versions of the operator set: %" PRId64 " and %" PRId64, file, version, o->version);
        version = o->version;
    }
    return version;
}

static void check_model(const char *file, const Onnx__ModelProto *p)
{
    enum { OLDEST_IR = 3 };
    if (!p->graph)
        fail("%s: not an ONNX model: it has no graph", file);
    if (p->ir_version < OLDEST_IR)
        fail("%s: version %" PRId64 " of the file format is not supported; %d and later are", file, p->ir_version,
             OLDEST_IR);
    if (p->n_functions)
        fail("%s: functions in the model ('%s') are not supported yet; export it with functions inlined", file,
             text_or_empty(p->functions[0]->name));
    if (p->n_training_info)
        fail("%s: a graph for training is not supported; export the model for inference", file);
}

static Graph *read_graph(const char *file, const Onnx__GraphProto *p, const Options *opt)
{
    Reader r = {.file = file, .opt = opt, .p = p};
    r.g = graph_new(file, text_or_empty(p->name)[0] ? p->name : "graph");
    r.dim_used = NEW_ARRAY(bool, opt->num_dims);
    read_initializers(&r);
    read_graph_inputs(&r);
    check_dims(&r);
    read_nodes(&r);
    read_value_info(&r);
    read_outputs(&r);
    return r.g;
}

Model *onnx_read_memory(const char *path, const uint8_t *data, size_t len, const Options *opt)
{
    const char *file = mem_strdup(path);
    const Onnx__ModelProto *p = onnx_unpack(file, &onnx__model_proto__descriptor, data, len);
    check_model(file, p);
    Model *m = NEW(Model);
    m->file = file;
    m->ir_version = p->ir_version;
    m->opset = read_opset(file, p);
    m->quiet = opt->quiet;
    m->metadata = NEW_ARRAY(KeyValue, (int64_t)p->n_metadata_props);
    for (size_t i = 0; i < p->n_metadata_props; i++)
        m->metadata[m->num_metadata++] =
            (KeyValue){text_or_empty(p->metadata_props[i]->key), text_or_empty(p->metadata_props[i]->value)};
    m->graph = read_graph(file, p->graph, opt);
    return m;
}

Model *onnx_read(const char *path, const Options *opt)
{
    size_t len;
    const uint8_t *data = file_map(path, &len);
    return onnx_read_memory(path, data, len, opt);
}
