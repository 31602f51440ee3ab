/* text.c - reads models written in a subset of ONNX's text syntax, the one that dump.c prints.
 *
 *   <ir_version: 8, opset_import: ["" : 17]>              optional
 *   name (float[1,3,8,8] x) => (float[1,2] y, z)          an output's type may be left out
 *   <float[2] c = {1, 2}, float[4,3,3,3] w = seed 7>      constants; `seed N`: our extension, values in [-1,
 * 1]
 *   {
 *      [node] t = Conv <kernel_shape = [3, 3]> (x, w)     [node]: optional node name
 *      y = Clip (t, , "max:0")                            nothing or "" is an absent input; quotes for other
 * names
 *   }
 *
 * As in ONNX `float` is a scalar, `float[]` of unknown rank, `?` or a name an unknown dimension, `#` a
 * comment. Nodes stand in execution order. Bodies (body = name (inputs) => (outputs) {...}) share their names
 * with the graph around. Not covered: functions, values of strings, types of inner tensors. */
#include "graph/op.h"
#include "support/text.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A graph whose nodes are being read, and the one around it. */
typedef struct Scope {
    Graph *nodes;
    struct Scope *outer;
} Scope;

typedef struct Parser {
    const char *path, *start, *p;
    Graph *g; /* has all tensors */
    Scope *scope;
} Parser;

static _Noreturn void fail_at(const Parser *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void fail_at(const Parser *s, const char *fmt, ...)
{
    char message[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(message, sizeof message, fmt, ap);
    va_end(ap);
    int line = 1;
    for (const char *p = s->start; p < s->p; p++)
        line += *p == '\n';
    fail("%s:%d: %s", s->path, line, message);
}

/* ---- words ---- */

static char peek(Parser *s)
{
    while (isspace((unsigned char)*s->p) || *s->p == '#')
        if (*s->p == '#')
            s->p += strcspn(s->p, "\n");
        else
            s->p++;
    return *s->p;
}

static bool accept(Parser *s, const char *word)
{
    peek(s);
    size_t n = strlen(word);
    if (strncmp(s->p, word, n))
        return false;
    s->p += n;
    return true;
}

static void expect(Parser *s, const char *word)
{
    if (accept(s, word))
        return;
    int shown = (int)strcspn(s->p, " \t\r\n");
    fail_at(s, "expected '%s', found '%.*s'", word, shown > 20 ? 20 : shown, s->p);
}

static const char *parse_quoted(Parser *s)
{
    expect(s, "\"");
    Text t = {0};
    for (; *s->p && *s->p != '"'; s->p++) {
        if (*s->p == '\\' && s->p[1])
            s->p++;
        text_add(&t, s->p, 1);
    }
    const char *copy = text_take(&t);
    if (*s->p != '"')
        fail_at(s, "the string is not closed");
    s->p++;
    return copy;
}

static bool is_word_start(char c)
{
    return isalpha((unsigned char)c) || c == '_' || c == '"';
}

/* An identifier, with dots for operators of other domains, or a quoted name. */
static const char *parse_name(Parser *s)
{
    char c = peek(s);
    if (c == '"')
        return parse_quoted(s);
    if (!is_word_start(c))
        fail_at(s, "expected a name, found '%c'", c ? c : ' ');
    const char *from = s->p;
    while (isalnum((unsigned char)*s->p) || *s->p == '_' || *s->p == '.')
        s->p++;
    return mem_printf("%.*s", (int)(s->p - from), from);
}

static int64_t parse_int(Parser *s)
{
    peek(s);
    char *end;
    errno = 0;
    long long v = strtoll(s->p, &end, 10);
    if (end == s->p || errno)
        fail_at(s, "expected an integer");
    s->p = end;
    return v;
}

/* ---- types and values ---- */

static DType find_dtype(const char *name)
{
#define X(id, text, ctype, bytes, suffix, onnx)                                                              \
    if (!strcmp(name, text))                                                                                 \
        return id;
    DTYPES(X)
#undef X
    return DT_NONE;
}

/* What follows the element type's name. */
static Type parse_shape(Parser *s, DType dtype)
{
    Type t = {.dtype = dtype};
    if (!accept(s, "["))
        return t;
    if (accept(s, "]")) {
        t.rank = -1;
        return t;
    }
    do {
        if (t.rank == MAX_RANK)
            fail_at(s, "more than %d dimensions", MAX_RANK);
        int64_t d = -1;
        if (isdigit((unsigned char)peek(s)))
            d = parse_int(s);
        else if (!accept(s, "?"))
            parse_name(s);
        t.dims[t.rank++] = d;
    } while (accept(s, ","));
    expect(s, "]");
    return t;
}

static Type parse_type(Parser *s)
{
    const char *name = parse_name(s);
    DType d = find_dtype(name);
    if (d == DT_NONE)
        fail_at(s, "unknown element type '%s'", name);
    return parse_shape(s, d);
}

static void parse_value(Parser *s, DType d, void *data, int64_t i)
{
    char *end;
    peek(s);
    errno = 0;
    if (d == DT_F32)
        ((float *)data)[i] = strtof(s->p, &end);
    else if (d == DT_F64)
        ((double *)data)[i] = strtod(s->p, &end);
    else if (d == DT_I64)
        ((int64_t *)data)[i] = strtoll(s->p, &end, 10);
    else if (d == DT_U64)
        ((uint64_t *)data)[i] = strtoull(s->p, &end, 10);
    else
        elem_set(data, d, i, (double)strtoll(s->p, &end, 10));
    if (end == s->p)
        fail_at(s,
                strncmp(s->p, "...", 3) ? "expected a number of type %s"
                                        : "abbreviated constants cannot be read back (%s)",
                dtype_name(d));
    s->p = end;
}

static const void *parse_values(Parser *s, Type t)
{
    int64_t n = type_elems(t);
    void *data = mem_array(n, dtype_size(t.dtype));
    expect(s, "{");
    for (int64_t i = 0; i < n; i++) {
        if (i)
            expect(s, ",");
        parse_value(s, t.dtype, data, i);
    }
    if (!accept(s, "}"))
        fail_at(s, "expected %lld values for %s and then '}'", (long long)n, type_text(t));
    return data;
}

static const void *seeded_values(Parser *s, Type t)
{
    if (!dtype_is_float(t.dtype) || t.dtype == DT_F16)
        fail_at(s, "seeded values are float or double, not %s", dtype_name(t.dtype));
    uint64_t seed = (uint64_t)parse_int(s);
    int64_t n = type_elems(t);
    void *data = mem_array(n, dtype_size(t.dtype));
    for (int64_t i = 0; i < n; i++)
        elem_set(data, t.dtype, i, (double)(random_bits(seed, (uint64_t)i) >> 40) / (1 << 23) - 1.0);
    return data;
}

static const void *parse_constant(Parser *s, Type t)
{
    if (!type_known(t))
        fail_at(s, "a constant needs its whole shape, not %s", type_text(t));
    if (accept(s, "seed"))
        return seeded_values(s, t);
    return parse_values(s, t);
}

/* ---- attributes ---- */

/* One number or string appended to a list attribute; the first decides the type. */
static void parse_element(Parser *s, Attr *a)
{
    int64_t *ints = (int64_t *)a->ints;
    float *floats = (float *)a->floats;
    const char **strings = (const char **)a->strings;
    if (peek(s) == '"') {
        strings[a->count++] = parse_quoted(s);
        a->type = ATTR_STRINGS;
        return;
    }
    char *int_end, *float_end;
    long long i = strtoll(s->p, &int_end, 10);
    float f = strtof(s->p, &float_end);
    if (float_end == s->p)
        fail_at(s, "expected a number or a string");
    AttrType type = float_end > int_end || (a->count && a->type == ATTR_FLOATS) ? ATTR_FLOATS : ATTR_INTS;
    for (int k = 0; k < a->count && type == ATTR_FLOATS && a->type == ATTR_INTS; k++)
        floats[k] = (float)ints[k];
    a->type = type;
    ints[a->count] = i;
    floats[a->count++] = f;
    s->p = float_end;
}

static void parse_list(Parser *s, Attr *a)
{
    enum { MAX_LIST = 4096 };
    a->ints = NEW_ARRAY(int64_t, MAX_LIST);
    a->floats = NEW_ARRAY(float, MAX_LIST);
    a->strings = (const char *const *)NEW_ARRAY(const char *, MAX_LIST);
    a->type = ATTR_INTS;
    if (accept(s, "]"))
        return;
    do {
        if (a->count == MAX_LIST)
            fail_at(s, "more than %d values in a list", MAX_LIST);
        parse_element(s, a);
    } while (accept(s, ","));
    expect(s, "]");
}

static void parse_scalar(Parser *s, Attr *a)
{
    char *int_end, *float_end;
    a->i = strtoll(s->p, &int_end, 10);
    a->f = strtof(s->p, &float_end);
    if (float_end == s->p)
        fail_at(s, "expected a value for attribute '%s'", a->name);
    a->type = float_end > int_end ? ATTR_FLOAT : ATTR_INT;
    s->p = float_end;
}

static Graph *parse_body(Parser *s);

/* A word and "(": a body. */
static bool at_body(const Parser *s)
{
    const char *p = s->p;
    while (is_word_start(*p) || isdigit((unsigned char)*p))
        p++;
    while (*p == ' ')
        p++;
    return *p == '(';
}

static Attr parse_attr(Parser *s)
{
    Attr a = {.name = parse_name(s)};
    expect(s, "=");
    char c = peek(s);
    if (c == '"') {
        a.type = ATTR_STRING;
        a.s = parse_quoted(s);
    } else if (accept(s, "[")) {
        parse_list(s, &a);
    } else if (is_word_start(c) && at_body(s)) {
        a.type = ATTR_GRAPH;
        a.graph = parse_body(s);
    } else if (is_word_start(c) && strncmp(s->p, "inf", 3) && strncmp(s->p, "nan", 3)) {
        a.type = ATTR_TENSOR;
        Type t = parse_type(s);
        a.t = NEW(Tensor);
        *a.t = (Tensor){.name = a.name, .type = t, .data = parse_constant(s, t), .arena_offset = -1};
    } else {
        parse_scalar(s, &a);
    }
    return a;
}

static void parse_attrs(Parser *s, Node *n)
{
    enum { MAX_ATTRS = 32 };
    if (!accept(s, "<"))
        return;
    n->attrs = NEW_ARRAY(Attr, MAX_ATTRS);
    do {
        if (n->num_attrs == MAX_ATTRS)
            fail_at(s, "more than %d attributes", MAX_ATTRS);
        n->attrs[n->num_attrs++] = parse_attr(s);
    } while (accept(s, ","));
    expect(s, ">");
}

/* ---- graph ---- */

static Tensor *new_tensor(Parser *s, const char *name, Type type)
{
    if (graph_find(s->g, name))
        fail_at(s, "'%s' is defined twice", name);
    return graph_tensor(s->g, name, type);
}

enum { MAX_EDGES = 256 };

static void add_edge(Parser *s, Tensor **list, int *count, Tensor *t)
{
    if (*count == MAX_EDGES)
        fail_at(s, "more than %d names in a list", MAX_EDGES);
    list[(*count)++] = t;
}

static void parse_inputs(Parser *s, Graph *to)
{
    to->inputs = NEW_ARRAY(Tensor *, MAX_EDGES);
    expect(s, "(");
    if (accept(s, ")"))
        return;
    do {
        Type t = parse_type(s);
        add_edge(s, to->inputs, &to->num_inputs, new_tensor(s, parse_name(s), t));
    } while (accept(s, ","));
    expect(s, ")");
}

/* "float[2] y" or "y". An output may be an input too. */
static Tensor *parse_output(Parser *s)
{
    Type t = {.rank = -1};
    const char *name = parse_name(s);
    char c = peek(s);
    if (c != ',' && c != ')') {
        if (find_dtype(name) == DT_NONE)
            fail_at(s, "unknown element type '%s'", name);
        t = parse_shape(s, find_dtype(name));
        name = parse_name(s);
    }
    Tensor *known = graph_find(s->g, name);
    return known ? known : graph_tensor(s->g, name, t);
}

static void parse_outputs(Parser *s, Graph *to)
{
    to->outputs = NEW_ARRAY(Tensor *, MAX_EDGES);
    expect(s, "(");
    if (accept(s, ")"))
        return;
    do
        add_edge(s, to->outputs, &to->num_outputs, parse_output(s));
    while (accept(s, ","));
    expect(s, ")");
}

static bool is_defined(const Parser *s, const Tensor *t)
{
    bool input = false;
    for (const Scope *i = s->scope; i; i = i->outer)
        input |= graph_is_input(i->nodes, t);
    return t->data || t->producer || input;
}

static void parse_constants(Parser *s)
{
    if (!accept(s, "<"))
        return;
    if (accept(s, ">"))
        return;
    do {
        Type type = parse_type(s);
        const char *name = parse_name(s);
        expect(s, "=");
        Tensor *t = graph_find(s->g, name);
        if (t && is_defined(s, t))
            fail_at(s, "'%s' is defined twice", name);
        if (!t)
            t = graph_tensor(s->g, name, type);
        t->type = type;
        t->data = parse_constant(s, type);
    } while (accept(s, ","));
    expect(s, ">");
}

/* Names up to the closing word; nothing or "" stands for an absent one. */
static int parse_names(Parser *s, const char **names, const char *close)
{
    int count = 0;
    if (accept(s, close))
        return 0;
    do {
        if (count == MAX_EDGES)
            fail_at(s, "more than %d names in a list", MAX_EDGES);
        names[count++] = is_word_start(peek(s)) ? parse_name(s) : "";
    } while (accept(s, ","));
    expect(s, close);
    return count;
}

static Tensor **use_tensors(Parser *s, const char *const *names, int count)
{
    Tensor **list = NEW_ARRAY(Tensor *, count);
    for (int i = 0; i < count; i++) {
        list[i] = names[i][0] ? graph_find(s->g, names[i]) : NULL;
        if (names[i][0] && (!list[i] || !is_defined(s, list[i])))
            fail_at(s, "'%s' is used before it is defined", names[i]);
    }
    return list;
}

static void define_tensors(Parser *s, Node *n, const char *const *names)
{
    for (int i = 0; i < n->num_out; i++) {
        if (!names[i][0])
            continue;
        Tensor *t = graph_find(s->g, names[i]);
        if (t && is_defined(s, t))
            fail_at(s, "'%s' is defined twice", names[i]);
        n->out[i] = t ? t : graph_tensor(s->g, names[i], (Type){.rank = -1});
        n->out[i]->producer = n;
    }
}

static void set_operator(Node *n, const char *name)
{
    const char *dot = strrchr(name, '.');
    n->domain = dot ? mem_printf("%.*s", (int)(dot - name), name) : "";
    n->op_name = dot ? dot + 1 : name;
    n->op = op_find(n->domain, n->op_name);
}

static void parse_node(Parser *s)
{
    const char *outputs[MAX_EDGES], *inputs[MAX_EDGES];
    Node *n = NEW(Node);
    n->name = "";
    if (accept(s, "[")) {
        n->name = parse_name(s);
        expect(s, "]");
    }
    n->num_out = parse_names(s, outputs, "=");
    set_operator(n, parse_name(s));
    parse_attrs(s, n);
    expect(s, "(");
    n->num_in = parse_names(s, inputs, ")");
    if (!n->num_attrs)
        parse_attrs(s, n);
    n->in = use_tensors(s, inputs, n->num_in);
    n->out = NEW_ARRAY(Tensor *, n->num_out);
    define_tensors(s, n, outputs);
    node_append(s->scope->nodes, n);
}

/* Everything behind the name. */
static void parse_inside(Parser *s, Graph *to)
{
    Scope scope = {to, s->scope};
    s->scope = &scope;
    parse_inputs(s, to);
    expect(s, "=>");
    parse_outputs(s, to);
    parse_constants(s);
    expect(s, "{");
    while (!accept(s, "}"))
        parse_node(s);
    peek(s);
    for (int i = 0; i < to->num_outputs; i++)
        if (!is_defined(s, to->outputs[i]))
            fail_at(s, "output '%s' is not made by any node", to->outputs[i]->name);
    s->scope = scope.outer;
}

static Graph *parse_body(Parser *s)
{
    Graph *body = graph_new(s->path, parse_name(s));
    parse_inside(s, body);
    return body;
}

static void parse_graph(Parser *s)
{
    s->g = graph_new(s->path, is_word_start(peek(s)) ? parse_name(s) : "");
    parse_inside(s, s->g);
    if (peek(s))
        fail_at(s, "text behind the graph's end");
}

static void parse_opsets(Parser *s, Model *m)
{
    expect(s, "[");
    do {
        const char *domain = parse_quoted(s);
        expect(s, ":");
        int64_t version = parse_int(s);
        if (!domain[0])
            m->opset = version;
    } while (accept(s, ","));
    expect(s, "]");
}

static void parse_header(Parser *s, Model *m)
{
    if (!accept(s, "<"))
        return;
    do {
        const char *key = parse_name(s);
        expect(s, ":");
        if (!strcmp(key, "ir_version"))
            m->ir_version = parse_int(s);
        else if (!strcmp(key, "opset_import"))
            parse_opsets(s, m);
        else
            fail_at(s, "unknown model field '%s'", key);
    } while (accept(s, ","));
    expect(s, ">");
}

Model *text_read(const char *path, const char *text)
{
    Parser s = {.path = path, .start = text, .p = text};
    Model *m = NEW(Model);
    m->file = path;
    m->ir_version = 8;
    m->opset = 17;
    parse_header(&s, m);
    parse_graph(&s);
    m->graph = s.g;
    return m;
}

char *dump_text(const Graph *g)
{
    char *text;
    size_t len;
    FILE *f = open_memstream(&text, &len);
    dump_graph(f, g);
    fclose(f);
    char *copy = mem_strdup(text);
    free(text);
    return copy;
}
