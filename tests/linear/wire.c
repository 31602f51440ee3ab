/* wire.c - protobuf's wire format of ONNX models, message by message; nothing is looked up twice, so that a
 * model of a hundred thousand nodes takes no time. */
#include "base/host.h"
#include "linear/linear.h"

#include <stdlib.h>
#include <string.h>

/* ---- the wire format ---- */

static void put_varint(Text *t, uint64_t v)
{
    char bytes[10];
    size_t n = 0;
    for (; v > 127; v >>= 7)
        bytes[n++] = (char)(v | 128);
    bytes[n++] = (char)v;
    text_add(t, bytes, n);
}

static void put_int(Text *t, unsigned tag, int64_t v)
{
    put_varint(t, tag << 3);
    put_varint(t, (uint64_t)v);
}

static void put_bytes(Text *t, unsigned tag, const void *data, size_t len)
{
    put_varint(t, tag << 3 | 2);
    put_varint(t, len);
    text_add(t, data ? data : "", len);
}

static void put_text(Text *t, unsigned tag, const char *s)
{
    put_bytes(t, tag, s, strlen(s));
}

/* The message's bytes become a field; it is freed. */
static void put_message(Text *t, unsigned tag, Text *message)
{
    put_bytes(t, tag, message->data, message->len);
    text_free(message);
}

const char *numbered(const char *start, int i)
{
    return mem_printf("%s%d", start, i);
}

/* ---- nodes ---- */

/* Fields of NodeProto. */
enum { NODE_INPUT = 1, NODE_OUTPUT, NODE_NAME, NODE_OP, NODE_ATTRIBUTE, NODE_DOC, NODE_DOMAIN };
/* AttributeProto: its fields, its types. */
enum { ATTR_F = 2, ATTR_I, ATTR_S, ATTR_T, ATTR_G, ATTR_FLOATS, ATTR_INTS, ATTR_KIND = 20 };
enum { KIND_FLOAT = 1, KIND_INT, KIND_STRING, KIND_GRAPH = 5, KIND_INTS = 7 };
enum { GRAPH_NODE = 1, GRAPH_NAME, GRAPH_INITIALIZER = 5, GRAPH_INPUT = 11, GRAPH_OUTPUT, GRAPH_VALUE };

static void put_names(Text *node, unsigned tag, const char *names)
{
    for (size_t n; *names; names += n + (names[n] == ' ')) {
        n = strcspn(names, " ");
        bool none = n == 1 && names[0] == '-';
        put_bytes(node, tag, names, none ? 0 : n);
    }
}

static void put_value(Text *a, const char *value)
{
    if (value[0] == '\'') {
        put_bytes(a, ATTR_S, value + 1, strcspn(value + 1, "'"));
        put_int(a, ATTR_KIND, KIND_STRING);
    } else if (value[0] == '[') {
        for (char *p = (char *)value; *p == '[' || *p == ',';)
            put_int(a, ATTR_INTS, strtoll(p + 1, &p, 10));
        put_int(a, ATTR_KIND, KIND_INTS);
    } else if (memchr(value, '.', strcspn(value, " "))) {
        float f = strtof(value, NULL);
        put_varint(a, ATTR_F << 3 | 5);
        text_add(a, (const char *)&f, sizeof f);
        put_int(a, ATTR_KIND, KIND_FLOAT);
    } else {
        put_int(a, ATTR_I, strtoll(value, NULL, 10));
        put_int(a, ATTR_KIND, KIND_INT);
    }
}

static void put_attrs(Text *node, const char *attrs)
{
    for (size_t n; *attrs; attrs += n + (attrs[n] == ' ')) {
        n = strcspn(attrs, " ");
        size_t name = strcspn(attrs, "=");
        Text a = {0};
        put_bytes(&a, 1, attrs, name);
        put_value(&a, attrs + name + 1);
        put_message(node, NODE_ATTRIBUTE, &a);
    }
}

/* "f.name" is an operator of the domain f. */
static void put_op(Text *node, const char *op)
{
    const char *dot = strchr(op, '.');
    put_text(node, NODE_OP, dot ? dot + 1 : op);
    if (dot)
        put_bytes(node, NODE_DOMAIN, op, (size_t)(dot - op));
}

void add_node(Big *b, const char *op, const char *in, const char *out, const char *attrs)
{
    Text node = {0};
    put_names(&node, NODE_INPUT, in);
    put_names(&node, NODE_OUTPUT, out);
    put_op(&node, op);
    put_attrs(&node, attrs);
    put_message(&b->graph, GRAPH_NODE, &node);
}

void add_flow(Big *b, const char *op, const char *in, const char *out, const char *graphs, const char *attrs,
              Text *body)
{
    Text node = {0};
    put_names(&node, NODE_INPUT, in);
    put_names(&node, NODE_OUTPUT, out);
    put_op(&node, op);
    put_attrs(&node, attrs);
    for (const char *end; *graphs; graphs = end + (*end == ' ')) {
        end = graphs + strcspn(graphs, " ");
        Text a = {0};
        put_bytes(&a, 1, graphs, (size_t)(end - graphs));
        put_bytes(&a, ATTR_G, body->data, body->len);
        put_int(&a, ATTR_KIND, KIND_GRAPH);
        put_message(&node, NODE_ATTRIBUTE, &a);
    }
    text_free(body);
    put_message(&b->graph, GRAPH_NODE, &node);
}

void add_wide(Big *b, const char *op, Text *in, Text *out, const char *attrs)
{
    add_node(b, op, in->data, out->data, attrs);
    text_free(in);
    text_free(out);
}

/* ---- constants ---- */

/* The number of elements. */
static int64_t put_dims(Text *tensor, const char *dims)
{
    int64_t count = 1;
    while (*dims) {
        char *end;
        int64_t d = strtoll(dims, &end, 10);
        put_int(tensor, 1, d);
        count *= d;
        dims = end + (*end == ',');
    }
    return count;
}

static void add_tensor(Big *b, const char *name, Text *tensor, int type, const void *data, size_t bytes)
{
    put_int(tensor, 2, type);
    put_text(tensor, 8, name);
    put_bytes(tensor, 9, data, bytes);
    put_message(&b->graph, GRAPH_INITIALIZER, tensor);
}

void add_weights(Big *b, const char *name, const char *dims)
{
    Text tensor = {0};
    int64_t count = put_dims(&tensor, dims);
    float *v = malloc((size_t)count * sizeof *v);
    for (int64_t i = 0; i < count; i++)
        v[i] = (float)(i % 5 - 1);
    add_tensor(b, name, &tensor, 1, v, (size_t)count * sizeof *v);
    free(v);
}

static void put_entry(Text *tensor, const char *key, const char *value)
{
    Text entry = {0};
    put_text(&entry, 1, key);
    put_text(&entry, 2, value);
    put_message(tensor, 13, &entry);
}

void add_external(Big *b, const char *name, int count, int64_t offset, const char *file)
{
    Text tensor = {0};
    put_int(&tensor, 1, count);
    put_int(&tensor, 2, 1);
    put_text(&tensor, 8, name);
    put_entry(&tensor, "location", file);
    put_entry(&tensor, "offset", int_text(offset));
    put_int(&tensor, 14, 1);
    put_message(&b->graph, GRAPH_INITIALIZER, &tensor);
}

void add_ints(Big *b, const char *name, const char *dims, const char *values)
{
    Text tensor = {0};
    int64_t count = put_dims(&tensor, dims), v[8];
    for (int64_t i = 0; i < count && i < 8; i++) {
        char *end;
        v[i] = strtoll(values, &end, 10);
        values = end + (*end == ',');
    }
    add_tensor(b, name, &tensor, 7, v, (size_t)count * sizeof *v);
}

/* ---- values ---- */

static void add_value(Big *b, unsigned tag, const char *name, int type, const char *dims)
{
    Text value = {0}, kind = {0}, tensor = {0}, shape = {0};
    put_int(&tensor, 1, type);
    while (dims && *dims) {
        Text dim = {0};
        size_t n = strcspn(dims, ",");
        if (dims[0] < 'a')
            put_int(&dim, 1, strtoll(dims, NULL, 10));
        else
            put_bytes(&dim, 2, dims, n);
        put_message(&shape, 1, &dim);
        dims += n + (dims[n] == ',');
    }
    if (dims)
        put_message(&tensor, 2, &shape);
    put_message(&kind, 1, &tensor);
    put_text(&value, 1, name);
    put_message(&value, 2, &kind);
    put_message(&b->graph, tag, &value);
}

void add_input(Big *b, const char *name, int type, const char *dims)
{
    add_value(b, GRAPH_INPUT, name, type, dims);
}

void add_output(Big *b, const char *name, int type, const char *dims)
{
    add_value(b, GRAPH_OUTPUT, name, type, dims);
}

void add_value_info(Big *b, const char *name, int type, const char *dims)
{
    add_value(b, GRAPH_VALUE, name, type, dims);
}

/* ---- the model ---- */

enum { MODEL_VERSION = 1, MODEL_GRAPH = 7, MODEL_OPSET, MODEL_METADATA = 14, MODEL_FUNCTION = 25 };

void add_metadata(Big *b, const char *key, const char *value)
{
    Text entry = {0};
    put_text(&entry, 1, key);
    put_text(&entry, 2, value);
    put_message(&b->model, MODEL_METADATA, &entry);
}

static void put_opset(Text *t, unsigned tag, const char *domain, int version)
{
    Text opset = {0};
    put_text(&opset, 1, domain);
    put_int(&opset, 2, version);
    put_message(t, tag, &opset);
}

void add_opset(Big *b, const char *domain, int version)
{
    put_opset(&b->model, MODEL_OPSET, domain, version);
}

void add_function(Big *b, const char *name)
{
    Text function = {0};
    Big inner = {0};
    put_text(&function, 1, name);
    put_text(&function, 4, "x");
    put_text(&function, 5, "y");
    add_node(&inner, "Relu", "x", "y", "");
    text_add(&function, "\x3a", 1);
    put_varint(&function, inner.graph.len - 2);
    text_add(&function, inner.graph.data + 2, inner.graph.len - 2);
    text_free(&inner.graph);
    put_opset(&function, 9, "", 13);
    put_text(&function, 10, "f");
    put_message(&b->model, MODEL_FUNCTION, &function);
}

void write_model(Big *b, const char *path)
{
    put_text(&b->graph, GRAPH_NAME, "g");
    put_int(&b->model, MODEL_VERSION, 8);
    put_opset(&b->model, MODEL_OPSET, "", 13);
    put_message(&b->model, MODEL_GRAPH, &b->graph);
    file_write(path, b->model.data, b->model.len);
    text_free(&b->model);
}
