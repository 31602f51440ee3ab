/* unit_functions.c - functions that a model brings along: inlined with their names, attributes and versions,
 * or refused; and elements of tensors in other files. */
#include "base/host.h"
#include "graph/op.h"
#include "onnx/onnx.h"
#include "passes/passes.h"
#include "support/onnx_build.h"
#include "support/text.h"

#include <CUnit/Basic.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef Onnx__FunctionProto Function_;

/* ---- functions ---- */

/* Function "my.NAME" of x and y, which makes z; no nodes yet. */
static Function_ *add_function(Model_ *m, const char *name)
{
    Function_ *f = NEW(Function_);
    onnx__function_proto__init(f);
    f->name = mem_strdup(name);
    f->domain = mem_strdup("my");
    APPEND(f->input, f->n_input, mem_strdup("x"));
    APPEND(f->input, f->n_input, mem_strdup("y"));
    APPEND(f->output, f->n_output, mem_strdup("z"));
    Onnx__OperatorSetIdProto *o = NEW(Onnx__OperatorSetIdProto);
    onnx__operator_set_id_proto__init(o);
    o->has_version = 1;
    o->version = 13;
    APPEND(f->opset_import, f->n_opset_import, o);
    return APPEND(m->functions, m->n_functions, f);
}

static Node_ *add_node(Function_ *f, const char *op, const char *name, const char *in0, const char *in1,
                       const char *out)
{
    return APPEND(f->node, f->n_node, make_node(op, name, in0, in1, out));
}

static Node_ *in_domain(Node_ *n, const char *domain)
{
    n->domain = mem_strdup(domain);
    return n;
}

/* t = Mul(x, y); z = LeakyRelu <alpha: @slope> (t), called as node 0 of the model. */
static Model_ *with_function(void)
{
    Model_ *m = make_model();
    Function_ *f = add_function(m, "F");
    add_node(f, "Mul", "product", "x", "y", "t");
    Attr_ *a = add_attr(add_node(f, "LeakyRelu", "act", "t", NULL, "z"), "alpha");
    a->type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT;
    a->has_i = 0;
    a->ref_attr_name = mem_strdup("slope");
    APPEND(f->attribute, f->n_attribute, mem_strdup("slope"));
    m->graph->node[0] = in_domain(make_node("F", "call", "x", "w", "s"), "my");
    return m;
}

static Attr_ *set_float(Attr_ *a, float v)
{
    a->type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT;
    a->has_i = 0;
    a->has_f = 1;
    a->f = v;
    return a;
}

static const char *nodes_text(const Model_ *m)
{
    Model *r = read_with(m, &quiet);
    return strstr(dump_text(r->graph), "{\n");
}

static void test_inlined(void)
{
    Model_ *m = with_function();
    set_float(add_attr(m->graph->node[0], "slope"), 0.5f);
    const char *text = strstr(dump_text(read_with(m, &quiet)->graph), "\n{") + 1;
    expect_text(text, "{\n"
                      "   [\"call/product\"] \"call/t\" = Mul (x, w)  # undefined[]\n"
                      "   [\"call/act\"] s = LeakyRelu <alpha = 0.5> (\"call/t\")  # undefined[]\n"
                      "   [act] y = Relu (s)  # float[2,4]\n"
                      "}\n");
}

/* An attribute that is neither given nor has a default leaves the node's own default. */
static void test_attribute_left_out(void)
{
    CU_ASSERT_PTR_NOT_NULL(strstr(nodes_text(with_function()), "s = LeakyRelu (\"call/t\")"));
}

/* FunctionProto.attribute_proto, which the schema does not know: LeakyRelu's slope is 0.25 unless given. */
static void test_attribute_default(void)
{
    Model_ *m = with_function();
    Function_ *f = m->functions[0];
    f->n_attribute = 0;
    Attr_ *a = NEW(Attr_);
    onnx__attribute_proto__init(a);
    a->name = mem_strdup("slope");
    a->has_type = 1;
    set_float(a, 0.25f);
    size_t len;
    const uint8_t *packed = pack(a, &len);
    uint8_t *field = mem_alloc(len + 1);
    field[0] = (uint8_t)len;
    memcpy(field + 1, packed, len);
    f->base.n_unknown_fields = 1;
    f->base.unknown_fields = NEW(ProtobufCMessageUnknownField);
    *f->base.unknown_fields =
        (ProtobufCMessageUnknownField){11, PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED, len + 1, field};
    CU_ASSERT_PTR_NOT_NULL(strstr(nodes_text(m), "LeakyRelu <alpha = 0.25>"));
    set_float(add_attr(m->graph->node[0], "slope"), 0.5f);
    CU_ASSERT_PTR_NOT_NULL(strstr(nodes_text(m), "LeakyRelu <alpha = 0.5>"));
    field[1] = 0xff;
    CU_ASSERT_PTR_NOT_NULL(strstr(message_of(m, &quiet), "damaged"));
}

/* Two calls, one of them from another function; inner names do not meet. */
static void test_nested(void)
{
    Model_ *m = with_function();
    Function_ *g = add_function(m, "G");
    in_domain(add_node(g, "F", "inner", "x", "y", "t"), "my");
    in_domain(add_node(g, "F", "", "t", "y", "z"), "my");
    m->graph->node[0]->op_type = mem_strdup("G");
    Graph *r = read_with(m, &quiet)->graph;
    CU_ASSERT_EQUAL_FATAL(r->num_nodes, 5);
    CU_ASSERT_STRING_EQUAL(r->nodes[0]->name, "call/inner/product");
    CU_ASSERT_STRING_EQUAL(r->nodes[1]->out[0]->name, "call/t");
    CU_ASSERT_STRING_EQUAL(r->nodes[2]->name, "s/product");
    CU_ASSERT_PTR_EQUAL(r->nodes[2]->in[0], r->nodes[1]->out[0]);
    CU_ASSERT_STRING_EQUAL(r->nodes[3]->out[0]->name, "s");
}

/* Optional inputs that the call leaves out are left out inside; outputs that are inputs are copied; names of
 * the model are not seen inside. */
static void test_edges(void)
{
    Model_ *m = make_model();
    Function_ *f = add_function(m, "F");
    APPEND(f->input, f->n_input, mem_strdup("w"));
    APPEND(f->output, f->n_output, mem_strdup("y"));
    Node_ *clip = add_node(f, "Clip", "", "x", "w", "z");
    APPEND(clip->input, clip->n_input, mem_strdup("y"));
    m->graph->node[0] = in_domain(make_node("F", "call", "x", "w", "s"), "my");
    APPEND(m->graph->node[0]->output, m->graph->node[0]->n_output, mem_strdup("second"));
    Graph *r = read_with(m, &quiet)->graph;
    CU_ASSERT_EQUAL_FATAL(r->num_nodes, 3);
    CU_ASSERT_STRING_EQUAL(r->nodes[0]->op_name, "Identity");
    CU_ASSERT_STRING_EQUAL(r->nodes[0]->out[0]->name, "second");
    CU_ASSERT_STRING_EQUAL(r->nodes[0]->in[0]->name, "w");
    CU_ASSERT_EQUAL_FATAL(r->nodes[1]->num_in, 3);
    CU_ASSERT_PTR_NULL(r->nodes[1]->in[1]);
    CU_ASSERT_STRING_EQUAL(r->nodes[1]->in[2]->name, "w");
    m->functions[0]->node[0]->input[0] = mem_strdup("s");
    CU_ASSERT_PTR_NOT_NULL(strstr(message_of(m, &quiet), "its input 's' is not made by any node"));
}

/* The model's Clip has its limits as inputs, the function's as attributes. */
static void test_own_version(void)
{
    Model_ *m = make_model();
    Function_ *f = add_function(m, "F");
    f->opset_import[0]->version = 9;
    set_float(add_attr(add_node(f, "Clip", "", "x", NULL, "z"), "min"), 0.5f);
    m->graph->node[0] = in_domain(make_node("F", "call", "x", "w", "s"), "my");
    Model *r = read_with(m, &quiet);
    pass_upgrade(r);
    check_supported(r->graph);
    CU_ASSERT_EQUAL_FATAL(r->graph->nodes[0]->num_in, 2);
    CU_ASSERT_EQUAL(((const float *)r->graph->nodes[0]->in[1]->data)[0], 0.5f);
    f->opset_import[0]->version = 99;
    CU_ASSERT_PTR_NOT_NULL(strstr(message_of(m, &quiet), "opset 99 is not supported"));
    f->n_opset_import = 0;
    CU_ASSERT_PTR_NOT_NULL(strstr(message_of(m, &quiet), "does not say which version"));
}

static void test_refused(void)
{
    Model_ *m = with_function();
    in_domain(add_node(m->functions[0], "F", "", "x", "y", "u"), "my");
    CU_ASSERT_STRING_EQUAL(message_of(m, &quiet),
                           "m.onnx: function 'F' calls itself, which is not supported");
    m = with_function();
    add_function(m, "F");
    CU_ASSERT_STRING_EQUAL(message_of(m, &quiet), "m.onnx: function 'F' is defined twice");
    m = with_function();
    m->functions[0]->node[1]->output[0] = mem_strdup("other");
    CU_ASSERT_STRING_EQUAL(message_of(m, &quiet), "m.onnx: function 'F' does not make its output 'z'");
    m = with_function();
    add_attr(m->graph->node[0], "slop");
    CU_ASSERT_STRING_EQUAL(message_of(m, &quiet),
                           "m.onnx: node 'call': function 'F' has no attribute 'slop'");
    m = with_function();
    add_attr(m->graph->node[0], "slope");
    CU_ASSERT_PTR_NOT_NULL(
        strstr(message_of(m, &quiet), "has another type than attribute 'slope' of the function"));
    m = with_function();
    m->functions[0]->n_attribute = 0;
    CU_ASSERT_PTR_NOT_NULL(
        strstr(message_of(m, &quiet), "refers to 'slope', which function 'F' does not have"));
    m = with_function();
    APPEND(m->graph->node[0]->input, m->graph->node[0]->n_input, mem_strdup("x"));
    CU_ASSERT_PTR_NOT_NULL(strstr(message_of(m, &quiet), "has 2 inputs and 1 outputs, the call 3 and 1"));
}

/* Twenty functions, each of which calls the next twice: a million nodes. */
static void test_explosion(void)
{
    Model_ *m = with_function();
    for (int i = 0; i < 20; i++) {
        Function_ *f = add_function(m, mem_printf("f%d", i));
        for (int k = 0; k < 2; k++)
            in_domain(add_node(f, i ? mem_printf("f%d", i - 1) : "F", "", "x", "y", k ? "z" : "t"), "my");
    }
    m->graph->node[0]->op_type = mem_strdup("f19");
    CU_ASSERT_PTR_NOT_NULL(strstr(message_of(m, &quiet), "its functions make more than"));
}

/* NodeProto.overload, which the schema does not know. */
static void test_overload(void)
{
    Model_ *m = with_function();
    ProtobufCMessageUnknownField field = {8, PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED, 2, (uint8_t *)"\1a"};
    m->graph->node[0]->base.n_unknown_fields = 1;
    m->graph->node[0]->base.unknown_fields = &field;
    CU_ASSERT_PTR_NOT_NULL(
        strstr(message_of(m, &quiet), "has no function of that name with the overload 'a'"));
    ProtobufCMessageUnknownField own = {13, PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED, 2, (uint8_t *)"\1a"};
    m->functions[0]->base.n_unknown_fields = 1;
    m->functions[0]->base.unknown_fields = &own;
    CU_ASSERT_STRING_EQUAL(message_of(m, &quiet), "");
}

/* ---- elements in other files ---- */

static const char *folder;

static void add_entry(Tensor_ *t, const char *key, const char *value)
{
    Onnx__StringStringEntryProto *e = NEW(Onnx__StringStringEntryProto);
    onnx__string_string_entry_proto__init(e);
    e->key = mem_strdup(key);
    e->value = mem_strdup(value);
    APPEND(t->external_data, t->n_external_data, e);
}

/* The model with w[4] in `location`, at offset and with length unless NULL. */
static Model_ *with_external(const char *location, const char *offset, const char *length)
{
    Model_ *m = make_model();
    Tensor_ *t = m->graph->initializer[0];
    t->raw_data = (ProtobufCBinaryData){0, NULL};
    t->has_data_location = 1;
    t->data_location = ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL;
    add_entry(t, "location", location);
    if (offset)
        add_entry(t, "offset", offset);
    if (length)
        add_entry(t, "length", length);
    return m;
}

/* Reads the model as a file in the folder; "" or the message. */
static const char *external_message(const Model_ *m)
{
    static Trap t;
    size_t len;
    const uint8_t *data = pack(m, &len);
    if (CATCH(&t))
        return t.message;
    const Model *r = onnx_read_memory(mem_printf("%s/in/m.onnx", folder), data, len, &quiet);
    CU_ASSERT_EQUAL(memcmp(graph_find(r->graph, "w")->data, ones, sizeof ones), 0);
    trap_end();
    return "";
}

#define REFUSED(m, part) CU_ASSERT_PTR_NOT_NULL(strstr(external_message(m), part))

static void make_files(void)
{
    uint8_t bytes[5000] = {0};
    memcpy(bytes, ones, sizeof ones);
    memcpy(bytes + 100, ones, sizeof ones);
    memcpy(bytes + 4097, ones, sizeof ones);
    folder = temp_folder();
    mkdir(mem_printf("%s/in", folder), 0700);
    mkdir(mem_printf("%s/in/sub", folder), 0700);
    mkdir(mem_printf("%s/inside", folder), 0700);
    file_write(mem_printf("%s/in/w.bin", folder), bytes, sizeof bytes);
    file_write(mem_printf("%s/in/sub/w.bin", folder), bytes, sizeof bytes);
    file_write(mem_printf("%s/secret", folder), bytes, sizeof bytes);
    file_write(mem_printf("%s/inside/secret", folder), bytes, sizeof bytes);
    CU_ASSERT_EQUAL(symlink("../secret", mem_printf("%s/in/link", folder)), 0);
    CU_ASSERT_EQUAL(symlink("../inside", mem_printf("%s/in/door", folder)), 0);
    CU_ASSERT_EQUAL(symlink("sub/w.bin", mem_printf("%s/in/good", folder)), 0);
    CU_ASSERT_EQUAL(mkfifo(mem_printf("%s/in/pipe", folder), 0600), 0);
}

static void test_external(void)
{
    make_files();
    CU_ASSERT_STRING_EQUAL(external_message(with_external("w.bin", NULL, NULL)), "");
    CU_ASSERT_STRING_EQUAL(external_message(with_external("w.bin", "100", "16")), "");
    CU_ASSERT_STRING_EQUAL(external_message(with_external("w.bin", "4097", "16")), "");
    CU_ASSERT_STRING_EQUAL(external_message(with_external("./sub/w.bin", "0", NULL)), "");
    CU_ASSERT_STRING_EQUAL(external_message(with_external("good", NULL, NULL)), "");
}

static void test_external_paths(void)
{
    static const char below[] = "must be a path below the model's folder";
    REFUSED(with_external("../secret", NULL, NULL), below);
    REFUSED(with_external("sub/../w.bin", NULL, NULL), below);
    REFUSED(with_external("sub/..", NULL, NULL), below);
    REFUSED(with_external(mem_printf("%s/in/w.bin", folder), NULL, NULL), below);
    REFUSED(with_external("/etc/passwd", NULL, NULL), below);
    REFUSED(with_external("link", NULL, NULL), "leads out of the model's folder");
    REFUSED(with_external("door/secret", NULL, NULL), "leads out of the model's folder");
    REFUSED(with_external("missing", NULL, NULL),
            "in/missing: No such file or directory; the file belongs beside");
    REFUSED(with_external("sub", NULL, NULL), "it is a directory");
    REFUSED(with_external("pipe", NULL, NULL), "is not a regular file");
    REFUSED(with_external("", NULL, NULL), "no location is given");
}

static void test_external_sizes(void)
{
    REFUSED(with_external("w.bin", "4985", NULL), "has 5000 bytes, but bytes 4985 to 5001 are wanted");
    REFUSED(with_external("w.bin", "5001", NULL), "has 5000 bytes");
    REFUSED(with_external("w.bin", "0", "15"), "float[4] needs 16 bytes, but its external data has 15");
    REFUSED(with_external("w.bin", "-4", NULL), "'offset' is '-4', not a number of bytes");
    REFUSED(with_external("w.bin", "99999999999999999999", NULL), "not a number of bytes");
    REFUSED(with_external("w.bin", "", NULL), "'offset' is empty");
    Model_ *m = with_external("w.bin", NULL, NULL);
    add_entry(m->graph->initializer[0], "key", "value");
    REFUSED(m, "unknown key 'key'");
    m = with_external("w.bin", NULL, NULL);
    m->graph->initializer[0]->data_location = ONNX__TENSOR_PROTO__DATA_LOCATION__DEFAULT;
    REFUSED(m, "does not say that its elements are there");
    m = with_external("w.bin", NULL, NULL);
    m->graph->initializer[0]->data_type = 9;
    m->graph->initializer[0]->dims[0] = 16;
    REFUSED(m, "neither 0 nor 1");
}

int main(void)
{
    CU_initialize_registry();
    CU_pSuite s = CU_add_suite("functions", NULL, NULL);
    CU_add_test(s, "inlined", test_inlined);
    CU_add_test(s, "attribute left out", test_attribute_left_out);
    CU_add_test(s, "attribute default", test_attribute_default);
    CU_add_test(s, "nested", test_nested);
    CU_add_test(s, "edges", test_edges);
    CU_add_test(s, "own version", test_own_version);
    CU_add_test(s, "refused", test_refused);
    CU_add_test(s, "explosion", test_explosion);
    CU_add_test(s, "overload", test_overload);
    s = CU_add_suite("external data", NULL, NULL);
    CU_add_test(s, "elements", test_external);
    CU_add_test(s, "paths", test_external_paths);
    CU_add_test(s, "sizes", test_external_sizes);
    CU_basic_run_tests();
    int failures = (int)CU_get_number_of_failures();
    mem_reset();
    return failures != 0;
}
