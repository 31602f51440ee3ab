/* graph.c - types, tensors, nodes and attributes: making them and asking about them. */
#include "graph/op.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- types ---- */

typedef struct DTypeInfo {
    const char *name, *c, *suffix;
    size_t bytes;
    int64_t onnx;
} DTypeInfo;

static const DTypeInfo dtype_info[] = {[DT_NONE] = {"?", "?", "?", 0, 0},
#define X(id, text, ctype, bytes, suffix, onnx) [id] = {text, ctype, suffix, bytes, onnx},
                                       DTYPES(X)
#undef X
};
enum { NUM_DTYPES = sizeof dtype_info / sizeof dtype_info[0] };

const char *dtype_name(DType d)
{
    return dtype_info[d].name;
}

const char *dtype_c(DType d)
{
    return dtype_info[d].c;
}

const char *dtype_suffix(DType d)
{
    return dtype_info[d].suffix;
}

size_t dtype_size(DType d)
{
    return dtype_info[d].bytes;
}

DType dtype_from_onnx(int64_t number)
{
    for (int d = 1; d < NUM_DTYPES; d++)
        if (dtype_info[d].onnx == number)
            return (DType)d;
    return DT_NONE;
}

int64_t dtype_to_onnx(DType d)
{
    return dtype_info[d].onnx;
}

bool dtype_is_float(DType d)
{
    return d == DT_F32 || d == DT_F64 || d == DT_F16;
}

bool dtype_is_byte(DType d)
{
    return d == DT_I8 || d == DT_U8;
}

bool dtype_is_code(DType d)
{
    return dtype_is_byte(d) || d == DT_I16;
}

int code_low(DType d)
{
    if (d == DT_I16)
        return INT16_MIN;
    return d == DT_I8 ? INT8_MIN : 0;
}

int code_high(DType d)
{
    if (d == DT_I16)
        return INT16_MAX;
    return d == DT_I8 ? INT8_MAX : UINT8_MAX;
}

Type type_make(DType d, int rank, const int64_t *dims)
{
    if (rank > MAX_RANK)
        bug("rank %d", rank);
    Type t = {.dtype = d, .rank = rank};
    for (int i = 0; i < rank; i++)
        t.dims[i] = dims[i];
    return t;
}

bool type_equal(Type a, Type b)
{
    if (a.dtype != b.dtype || a.rank != b.rank)
        return false;
    for (int i = 0; i < a.rank; i++)
        if (a.dims[i] != b.dims[i])
            return false;
    return true;
}

bool type_known(Type t)
{
    if (t.dtype == DT_NONE || t.rank < 0)
        return false;
    for (int i = 0; i < t.rank; i++)
        if (t.dims[i] < 0)
            return false;
    return true;
}

bool type_fits(Type t)
{
    int64_t n = 1;
    for (int i = 0; i < t.rank; i++) {
        if (t.dims[i] > MAX_ELEMS / n)
            return false;
        n *= t.dims[i] > 0 ? t.dims[i] : 1;
    }
    return true;
}

int64_t type_elems(Type t)
{
    const int64_t limit = (int64_t)1 << 40;
    int64_t n = 1;
    for (int i = 0; i < t.rank; i++) {
        if (t.dims[i] < 0)
            bug("elements of %s", type_text(t));
        if (t.dims[i] && n > limit / t.dims[i])
            fail("a tensor of shape %s is too large for any target", type_text(t));
        n *= t.dims[i];
    }
    return n;
}

size_t type_bytes(Type t)
{
    return (size_t)type_elems(t) * dtype_size(t.dtype);
}

const char *type_text(Type t)
{
    Text s = {0};
    text_printf(&s, "%s[", dtype_name(t.dtype));
    if (t.rank < 0)
        text_printf(&s, "...");
    for (int i = 0; i < t.rank; i++)
        if (t.dims[i] < 0)
            text_printf(&s, "%s?", i ? "," : "");
        else
            text_printf(&s, "%s%s", i ? "," : "", int_text(t.dims[i]));
    text_printf(&s, "]");
    return text_take(&s);
}

void dense_strides(Type t, int64_t *strides)
{
    int64_t s = 1;
    for (int i = t.rank - 1; i >= 0; i--) {
        strides[i] = s;
        s *= t.dims[i];
    }
}

Layout layout_dense(Type t)
{
    Layout l = {.dense = true, .size = type_elems(t)};
    dense_strides(t, l.strides);
    return l;
}

/* ---- graph ---- */

Graph *graph_new(const char *file, const char *name)
{
    Graph *g = NEW(Graph);
    g->file = file;
    g->name = name;
    return g;
}

static void grow_tensors(Graph *g)
{
    g->cap_tensors = g->cap_tensors ? 2 * g->cap_tensors : 64;
    Tensor **more = NEW_ARRAY(Tensor *, g->cap_tensors);
    if (g->num_tensors)
        memcpy(more, g->tensors, (size_t)g->num_tensors * sizeof *more);
    g->tensors = more;
}

Tensor *graph_find(const Graph *g, const char *name)
{
    int id = names_find(&g->names, name);
    return id < 0 ? NULL : g->tensors[id];
}

static const char *numbered(const char *name, int64_t number)
{
    return mem_printf("%s_%s", name, int_text(number));
}

/* Behind the first few numbers in growing steps to one that is free, and back by halves: many tensors may
 * want the same name. */
const char *graph_free_name(const Graph *g, const char *name, int first)
{
    enum { FEW = 8, LARGE = 1 << 30 };
    if (!graph_find(g, name))
        return name;
    int64_t taken = first - 1, open = first;
    for (; graph_find(g, numbered(name, open));
         open = open < first + FEW || open > LARGE ? open + 1 : 2 * open)
        taken = open;
    while (open - taken > 1) {
        int64_t middle = taken + (open - taken) / 2;
        bool free = !graph_find(g, numbered(name, middle));
        taken = free ? taken : middle;
        open = free ? middle : open;
    }
    return numbered(name, open);
}

Tensor *graph_tensor(Graph *g, const char *name, Type type)
{
    if (g->num_tensors == g->cap_tensors)
        grow_tensors(g);
    Tensor *t = NEW(Tensor);
    t->name = graph_free_name(g, name, 1);
    t->type = type;
    t->id = g->num_tensors;
    t->arena_offset = -1;
    g->tensors[g->num_tensors++] = t;
    names_add(&g->names, t->name, t->id);
    return t;
}

Tensor *graph_const(Graph *g, const char *name, Type type, const void *data)
{
    Tensor *t = graph_tensor(g, name, type);
    t->data = data;
    return t;
}

Tensor *graph_const_i64(Graph *g, const char *name, int64_t count, const int64_t *values)
{
    int64_t *copy = NEW_ARRAY(int64_t, count);
    if (count)
        memcpy(copy, values, (size_t)count * sizeof *copy);
    return graph_const(g, name, type_make(DT_I64, 1, &count), copy);
}

Node *node_new(OpKind op, const char *name, int num_in, int num_out)
{
    Node *n = NEW(Node);
    n->op = op;
    n->op_name = op == OP_UNSUPPORTED ? "" : op_def(op)->name;
    n->domain = "";
    n->name = name;
    n->num_in = num_in;
    n->num_out = num_out;
    n->in = NEW_ARRAY(Tensor *, num_in);
    n->out = NEW_ARRAY(Tensor *, num_out);
    return n;
}

void node_append(Graph *g, Node *n)
{
    int cap = 16; /* the array has room for the next power of two */
    while (cap < g->num_nodes)
        cap *= 2;
    if (!g->nodes || g->num_nodes == cap) {
        Node **more = NEW_ARRAY(Node *, g->nodes ? 2 * cap : cap);
        if (g->nodes)
            memcpy(more, g->nodes, (size_t)g->num_nodes * sizeof *more);
        g->nodes = more;
    }
    g->nodes[g->num_nodes++] = n;
    for (int i = 0; i < n->num_out; i++)
        if (n->out[i])
            n->out[i]->producer = n;
}

void graph_replace(Graph *g, Tensor *old, Tensor *with)
{
    for (int i = 0; i < g->num_nodes; i++)
        for (int j = 0; j < g->nodes[i]->num_in; j++)
            if (g->nodes[i]->in[j] == old)
                g->nodes[i]->in[j] = with;
    for (int i = 0; i < g->num_outputs; i++)
        if (g->outputs[i] == old)
            g->outputs[i] = with;
}

/* Of a graph or body, and of all bodies in it. */
static void count_uses(const Graph *list, int *uses)
{
    for (int i = 0; i < list->num_nodes; i++) {
        const Node *n = list->nodes[i];
        for (int j = 0; j < n->num_in; j++)
            if (n->in[j])
                uses[n->in[j]->id]++;
        for (int j = 0; j < n->num_attrs; j++)
            if (n->attrs[j].graph)
                count_uses(n->attrs[j].graph, uses);
    }
    for (int i = 0; i < list->num_outputs; i++)
        uses[list->outputs[i]->id]++;
}

int *graph_use_counts(const Graph *g)
{
    int *uses = NEW_ARRAY(int, g->num_tensors);
    count_uses(g, uses);
    return uses;
}

Node **graph_only_users(const Graph *g)
{
    Node **users = NEW_ARRAY(Node *, g->num_tensors);
    const int *uses = graph_use_counts(g);
    for (int i = 0; i < g->num_nodes; i++)
        for (int j = 0; j < g->nodes[i]->num_in; j++)
            if (g->nodes[i]->in[j] && uses[g->nodes[i]->in[j]->id] == 1)
                users[g->nodes[i]->in[j]->id] = g->nodes[i];
    return users;
}

static bool *mark_tensors(const Graph *g, Tensor *const *list, int count)
{
    bool *marks = NEW_ARRAY(bool, g->num_tensors);
    for (int i = 0; i < count; i++)
        marks[list[i]->id] = true;
    return marks;
}

bool *graph_mark_outputs(const Graph *g)
{
    return mark_tensors(g, g->outputs, g->num_outputs);
}

bool *graph_mark_inputs(const Graph *g)
{
    return mark_tensors(g, g->inputs, g->num_inputs);
}

bool graph_is_input(const Graph *g, const Tensor *t)
{
    for (int i = 0; i < g->num_inputs; i++)
        if (g->inputs[i] == t)
            return true;
    return false;
}

const Tensor *memory_of(const Tensor *t)
{
    while (t->alias)
        t = t->alias;
    return t;
}

const char *node_label(const Node *n)
{
    if (n->name && n->name[0])
        return n->name;
    for (int i = 0; i < n->num_out; i++)
        if (n->out[i])
            return n->out[i]->name;
    return "?";
}

/* ---- attributes ---- */

static const AttrSpec *attr_spec(const Node *n, const char *name)
{
    const OpDef *d = op_def(n->op);
    for (const AttrSpec *s = d ? d->attrs : NULL; s && s->name; s++)
        if (!strcmp(s->name, name))
            return s;
    bug("operator %s has no attribute %s", n->op_name, name);
}

static Attr *find_attr(const Node *n, const char *name)
{
    for (int i = 0; i < n->num_attrs; i++)
        if (!strcmp(n->attrs[i].name, name))
            return &n->attrs[i];
    return NULL;
}

const Attr *node_attr(const Node *n, const char *name)
{
    attr_spec(n, name);
    return find_attr(n, name);
}

int64_t attr_int(const Node *n, const char *name)
{
    const Attr *a = node_attr(n, name);
    return a ? a->i : attr_spec(n, name)->i;
}

float attr_float(const Node *n, const char *name)
{
    const Attr *a = node_attr(n, name);
    return a ? a->f : attr_spec(n, name)->f;
}

const char *attr_string(const Node *n, const char *name)
{
    const Attr *a = node_attr(n, name);
    return a ? a->s : attr_spec(n, name)->s;
}

int attr_choice(const Graph *g, const Node *n, const char *name, const char *const *names)
{
    const char *value = attr_string(n, name);
    for (int i = 0; names[i]; i++)
        if (!strcmp(names[i], value))
            return i;
    fail_node(g, n, "unsupported: '%s' = '%s'", name, value);
}

const int64_t *attr_ints(const Node *n, const char *name, int *count)
{
    const Attr *a = node_attr(n, name);
    *count = a ? a->count : 0;
    return a ? a->ints : NULL;
}

static Attr *put_attr(Node *n, const char *name, AttrType type)
{
    Attr *a = find_attr(n, name);
    if (!a) {
        Attr *more = NEW_ARRAY(Attr, n->num_attrs + 1);
        if (n->num_attrs)
            memcpy(more, n->attrs, (size_t)n->num_attrs * sizeof *more);
        n->attrs = more;
        a = &more[n->num_attrs++];
    }
    *a = (Attr){.name = name, .type = type};
    return a;
}

void attr_set_int(Node *n, const char *name, int64_t v)
{
    put_attr(n, name, ATTR_INT)->i = v;
}

void attr_set_float(Node *n, const char *name, float v)
{
    put_attr(n, name, ATTR_FLOAT)->f = v;
}

void attr_set_string(Node *n, const char *name, const char *v)
{
    put_attr(n, name, ATTR_STRING)->s = v;
}

void attr_set_ints(Node *n, const char *name, int count, const int64_t *v)
{
    int64_t *copy = NEW_ARRAY(int64_t, count);
    if (count)
        memcpy(copy, v, (size_t)count * sizeof *copy);
    Attr *a = put_attr(n, name, ATTR_INTS);
    a->ints = copy;
    a->count = count;
}

void attr_remove(Node *n, const char *name)
{
    Attr *a = find_attr(n, name);
    if (a)
        *a = n->attrs[--n->num_attrs];
}

/* ---- constants ---- */

void fail_not_constant(const Graph *g, const Node *n, const char *what, const Tensor *t)
{
    fail_node(g, n, "%s ('%s') must be a constant: its value is not known at compile time%s", what, t->name,
              graph_is_input(g, t) ? mem_printf("; --const %s=FILE gives it", t->name) : "");
}

const int64_t *const_ints(const Graph *g, const Node *n, int input, int64_t *count)
{
    *count = 0;
    if (input >= n->num_in || !n->in[input])
        return NULL;
    const Tensor *t = n->in[input];
    if (!t->data)
        fail_not_constant(g, n, mem_printf("input %d", input), t);
    if (t->type.dtype != DT_I64 && t->type.dtype != DT_I32)
        fail_node(g, n, "input %d ('%s') must be int64, not %s", input, t->name, type_text(t->type));
    *count = type_elems(t->type);
    if (t->type.dtype == DT_I64)
        return t->data;
    int64_t *wide = NEW_ARRAY(int64_t, *count);
    for (int64_t i = 0; i < *count; i++)
        wide[i] = ((const int32_t *)t->data)[i];
    return wide;
}

static void need_one(const Graph *g, const Node *n, int input)
{
    const Tensor *t = n->in[input];
    if (type_elems(t->type) != 1)
        fail_node(g, n, "input %d ('%s') must be a single number, not %s", input, t->name,
                  type_text(t->type));
}

int64_t const_int(const Graph *g, const Node *n, int input)
{
    int64_t count;
    const int64_t *v = const_ints(g, n, input, &count);
    need_one(g, n, input);
    return *v;
}

double const_scalar(const Graph *g, const Node *n, int input)
{
    const Tensor *t = n->in[input];
    if (!t->data)
        fail_not_constant(g, n, mem_printf("input %d", input), t);
    need_one(g, n, input);
    return elem_get(t->data, t->type.dtype, 0);
}

double elem_get(const void *data, DType d, int64_t i)
{
    switch (d) {
    case DT_F32: return ((const float *)data)[i];
    case DT_F64: return ((const double *)data)[i];
    case DT_I8: return ((const int8_t *)data)[i];
    case DT_I16: return ((const int16_t *)data)[i];
    case DT_I32: return ((const int32_t *)data)[i];
    case DT_I64: return (double)((const int64_t *)data)[i];
    case DT_U8:
    case DT_BOOL: return ((const uint8_t *)data)[i];
    case DT_U16: return ((const uint16_t *)data)[i];
    case DT_U32: return ((const uint32_t *)data)[i];
    case DT_U64: return (double)((const uint64_t *)data)[i];
    case DT_F16:
    case DT_NONE: break;
    }
    bug("element of %s", dtype_name(d));
}

void elem_set(void *data, DType d, int64_t i, double v)
{
    switch (d) {
    case DT_F32: ((float *)data)[i] = (float)v; return;
    case DT_F64: ((double *)data)[i] = v; return;
    case DT_I8: ((int8_t *)data)[i] = (int8_t)v; return;
    case DT_I16: ((int16_t *)data)[i] = (int16_t)v; return;
    case DT_I32: ((int32_t *)data)[i] = (int32_t)v; return;
    case DT_I64: ((int64_t *)data)[i] = (int64_t)v; return;
    case DT_U8:
    case DT_BOOL: ((uint8_t *)data)[i] = (uint8_t)v; return;
    case DT_U16: ((uint16_t *)data)[i] = (uint16_t)v; return;
    case DT_U32: ((uint32_t *)data)[i] = (uint32_t)v; return;
    case DT_U64: ((uint64_t *)data)[i] = (uint64_t)v; return;
    case DT_F16:
    case DT_NONE: break;
    }
    bug("element of %s", dtype_name(d));
}

double elem_rounded(double v, DType d)
{
    return d == DT_F32 ? (double)(float)v : v;
}

float half_value(uint16_t bits)
{
    int exponent = bits >> 10 & 31;
    float mantissa = (float)(bits & 1023);
    float v;
    if (exponent == 31)
        v = bits & 1023 ? NAN : INFINITY;
    else if (exponent == 0)
        v = ldexpf(mantissa, -24);
    else
        v = ldexpf(mantissa + 1024, exponent - 25);
    return bits & 0x8000 ? -v : v;
}

void tensor_widen_half(Tensor *t)
{
    t->type.dtype = DT_F32;
    if (!t->data)
        return;
    int64_t n = type_elems(t->type);
    const uint16_t *half = t->data;
    float *wide = NEW_ARRAY(float, n);
    for (int64_t i = 0; i < n; i++)
        wide[i] = half_value(half[i]);
    t->data = wide;
}

static void add_input_types(Text *t, const Node *n)
{
    for (int i = 0; i < n->num_in; i++) {
        const char *type = n->in[i] ? type_text(n->in[i]->type) : "none";
        text_printf(t, "%s%s", i ? ", " : " [inputs ", type);
    }
    if (n->num_in)
        text_printf(t, "]");
}

void fail_node(const Graph *g, const Node *n, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    char message[2048];
    vsnprintf(message, sizeof message, fmt, ap);
    va_end(ap);
    Text inputs = {0};
    add_input_types(&inputs, n);
    char *all = mem_printf("%s: node '%s' (%s): %s%s", g->file, node_label(n), n->op_name, message,
                           inputs.data ? inputs.data : "");
    text_free(&inputs);
    fail("%s", all);
}
