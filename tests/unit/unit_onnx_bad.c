/* unit_onnx_bad.c - every message for an ONNX file that is broken, hostile or beyond ternc. */
#include "onnx/onnx.h"
#include "passes/passes.h"
#include "support/onnx_build.h"

#include <CUnit/Basic.h>
#include <string.h>

/* ---- refused tensors ---- */

static void test_bad_tensors(void)
{
    Tensor_ *p = make_tensor("t", 8, 0);
    CU_ASSERT_STRING_EQUAL(decode_message(p),
                           "m.onnx: initializer 't': element type 8 (string) is not supported");
    p->data_type = 14;
    CU_ASSERT_PTR_NOT_NULL(strstr(decode_message(p), "(complex64) is not supported"));
    p->data_type = 99;
    CU_ASSERT_PTR_NOT_NULL(strstr(decode_message(p), "element type 99 (unknown) is not supported"));
    p = make_tensor("t", 1, 4);
    p->has_data_location = 1;
    p->data_location = ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL;
    CU_ASSERT_PTR_NOT_NULL(strstr(decode_message(p), "external data: no location is given"));
    set_raw(p, ones, sizeof ones);
    CU_ASSERT_PTR_NOT_NULL(strstr(decode_message(p), "has elements here and in another file"));
    p = make_tensor("t", 1, 4);
    p->segment = NEW(Onnx__TensorProto__Segment);
    onnx__tensor_proto__segment__init(p->segment);
    CU_ASSERT_PTR_NOT_NULL(strstr(decode_message(p), "segment"));
    CU_ASSERT_PTR_NOT_NULL(strstr(decode_message(make_tensor("t", 1, -1)), "dimension 0 is negative: -1"));
    CU_ASSERT_PTR_NOT_NULL(strstr(decode_message(make_tensor("t", 1, INT64_MAX)), "is too large"));
    p = make_tensor("t", 1, 4);
    p->n_dims = 9;
    p->dims = NEW_ARRAY(int64_t, 9);
    CU_ASSERT_STRING_EQUAL(decode_message(p),
                           "m.onnx: initializer 't': rank 9 is too large; at most 8 is supported");
    p = make_tensor("t", 1, 4);
    set_raw(p, ones, sizeof ones);
    p->n_float_data = 4;
    p->float_data = (float *)ones;
    CU_ASSERT_PTR_NOT_NULL(strstr(decode_message(p), "in raw_data and in a typed field"));
}

/* ---- broken models: each changes the good one ---- */

static void no_graph(Model_ *m)
{
    m->graph = NULL;
}
static void no_outputs(Model_ *m)
{
    m->graph->n_output = 0;
}
static void old_ir(Model_ *m)
{
    m->ir_version = 2;
}
static void no_opset(Model_ *m)
{
    m->n_opset_import = 0;
}
static void opset_below_1(Model_ *m)
{
    m->opset_import[0]->version = -6;
}
static void opset_99(Model_ *m)
{
    m->opset_import[0]->version = 99;
}
static void add_opset(Onnx__OperatorSetIdProto ***list, size_t *n, const char *domain, int64_t version)
{
    Onnx__OperatorSetIdProto *o = NEW(Onnx__OperatorSetIdProto);
    onnx__operator_set_id_proto__init(o);
    o->domain = domain ? mem_strdup(domain) : NULL;
    o->has_version = 1;
    o->version = version;
    append((void ***)(void *)list, n, o);
}
static void two_opsets(Model_ *m)
{
    add_opset(&m->opset_import, &m->n_opset_import, "ai.onnx", 12);
}
static void same_opset_twice(Model_ *m)
{
    add_opset(&m->opset_import, &m->n_opset_import, NULL, 9);
}
static void opset_0_first(Model_ *m)
{
    m->opset_import[0]->version = 0;
    add_opset(&m->opset_import, &m->n_opset_import, "ai.onnx", 13);
}
static void function_of_two_opsets(Model_ *m)
{
    Onnx__FunctionProto *f = NEW(Onnx__FunctionProto);
    onnx__function_proto__init(f);
    f->name = mem_strdup("f");
    f->domain = mem_strdup("d");
    add_opset(&f->opset_import, &f->n_opset_import, "", 13);
    add_opset(&f->opset_import, &f->n_opset_import, "ai.onnx", 17);
    APPEND(m->functions, m->n_functions, f);
}
static void dangling_input(Model_ *m)
{
    m->graph->node[1]->input[0] = mem_strdup("nowhere");
}
static void dangling_output(Model_ *m)
{
    m->graph->output[0]->name = mem_strdup("nowhere");
}
static void input_twice(Model_ *m)
{
    APPEND(m->graph->input, m->graph->n_input, m->graph->input[0]);
}
static void initializer_twice(Model_ *m)
{
    APPEND(m->graph->initializer, m->graph->n_initializer, m->graph->initializer[0]);
}
static void edge_twice(Model_ *m)
{
    m->graph->node[1]->output[0] = mem_strdup("s");
}
static void edge_like_input(Model_ *m)
{
    m->graph->node[0]->output[0] = mem_strdup("x");
}
static void cycle(Model_ *m)
{
    m->graph->node[0]->input[1] = mem_strdup("y");
}
static void self_cycle(Model_ *m)
{
    m->graph->node[0]->input[1] = mem_strdup("s");
}
static void no_operator(Model_ *m)
{
    m->graph->node[0]->op_type = NULL;
}
static void no_shape(Model_ *m)
{
    m->graph->input[0]->type->tensor_type->shape = NULL;
}
static void no_type(Model_ *m)
{
    m->graph->input[0]->type = NULL;
}
static void string_input(Model_ *m)
{
    m->graph->input[0]->type->tensor_type->elem_type = 8;
}
static void sequence_input(Model_ *m)
{
    Onnx__TypeProto *t = m->graph->input[0]->type;
    t->value_case = ONNX__TYPE_PROTO__VALUE_SEQUENCE_TYPE;
    t->sequence_type = NEW(Onnx__TypeProto__Sequence);
    onnx__type_proto__sequence__init(t->sequence_type);
}
static void huge_input(Model_ *m)
{
    dim_of(m->graph->input[0], 0)->dim_value = INT64_MAX;
}
static void negative_input(Model_ *m)
{
    dim_of(m->graph->input[0], 1)->dim_value = -5;
}
static void unknown_input(Model_ *m)
{
    dim_of(m->graph->input[0], 1)->dim_value = -1;
}
static void deep_input(Model_ *m)
{
    const int64_t dims[9] = {1, 1, 1, 1, 1, 1, 1, 1, 1};
    m->graph->input[0] = make_value("x", 9, dims);
}
static void contradicting_input(Model_ *m)
{
    const int64_t five = 5;
    APPEND(m->graph->input, m->graph->n_input, make_value("w", 1, &five));
}
static void has_training(Model_ *m)
{
    Onnx__TrainingInfoProto *t = NEW(Onnx__TrainingInfoProto);
    onnx__training_info_proto__init(t);
    APPEND(m->training_info, m->n_training_info, t);
}
static void has_sparse(Model_ *m)
{
    Onnx__SparseTensorProto *t = NEW(Onnx__SparseTensorProto);
    onnx__sparse_tensor_proto__init(t);
    APPEND(m->graph->sparse_initializer, m->graph->n_sparse_initializer, t);
}
static void attr_twice(Model_ *m)
{
    add_attr(m->graph->node[1], "a");
    add_attr(m->graph->node[1], "a");
}
static void attr_reference(Model_ *m)
{
    add_attr(m->graph->node[1], "a")->ref_attr_name = mem_strdup("b");
}
static void attr_other_value(Model_ *m)
{
    Attr_ *a = add_attr(m->graph->node[1], "a");
    a->type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT;
}
static void attr_no_value(Model_ *m)
{
    Attr_ *a = add_attr(m->graph->node[1], "a");
    a->has_i = 0;
    a->type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__TENSOR;
}
static void attr_nul(Model_ *m)
{
    Attr_ *a = add_attr(m->graph->node[1], "a");
    a->has_i = 0;
    a->type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRING;
    a->has_s = 1;
    a->s = (ProtobufCBinaryData){3, (uint8_t *)"a\0b"};
}
static void unsupported(Model_ *m)
{
    m->graph->node[0]->domain = mem_strdup("com.example");
    m->graph->node[1]->op_type = mem_strdup("NoSuchOp");
}
static void other_domain_only(Model_ *m)
{
    unsupported(m);
    m->opset_import[0]->domain = mem_strdup("com.example");
}

static const struct {
    void (*change)(Model_ *m);
    const char *message;
} broken[] = {
    {no_graph, "m.onnx: not an ONNX model: it has no graph"},
    {no_outputs, "m.onnx: the graph has no outputs"},
    {old_ir, "m.onnx: version 2 of the file format is not supported; 3 and later are"},
    {no_opset, "m.onnx: does not say which version of ONNX's operator set it uses (opset_import)"},
    {opset_below_1, "m.onnx: opset -6 is not supported; 1 to 18 are. Export the model with opset 17"},
    {opset_99, "m.onnx: opset 99 is not supported; 1 to 18 are. Export the model with opset 17"},
    {two_opsets, "m.onnx: imports two versions of ONNX's operator set: 13 as '' and 12 as 'ai.onnx', "
                 "which are the same domain; keep the one in opset_import that the nodes are of"},
    {same_opset_twice, "m.onnx: imports two versions of ONNX's operator set: 13 as '' and 9 as '', "
                       "which are the same domain; keep the one in opset_import that the nodes are of"},
    {opset_0_first, "m.onnx: imports two versions of ONNX's operator set: 0 as '' and 13 as 'ai.onnx', "
                    "which are the same domain; keep the one in opset_import that the nodes are of"},
    {function_of_two_opsets,
     "m.onnx: function 'f': imports two versions of ONNX's operator set: 13 as '' and 17 as 'ai.onnx', "
     "which are the same domain; keep the one in opset_import that the nodes are of"},
    {dangling_input,
     "m.onnx: node 'act' (Relu): its input 'nowhere' is not made by any node, nor an input or "
     "initializer of the graph"},
    {dangling_output, "m.onnx: output 'nowhere' is not made by any node"},
    {input_twice, "m.onnx: input 'x' is defined twice"},
    {initializer_twice, "m.onnx: initializer 'w' is defined twice"},
    {edge_twice, "m.onnx: node 'act' (Relu): its output 's' is defined twice"},
    {edge_like_input, "m.onnx: node 'sum' (Add): its output 'x' is defined twice"},
    {cycle, "m.onnx: the graph has a cycle: 'act' -> 'sum' -> 'act'"},
    {self_cycle, "m.onnx: the graph has a cycle: 'sum' -> 'sum'"},
    {no_operator, "m.onnx: node 0 ('sum') names no operator"},
    {no_shape,
     "m.onnx: input 'x' has no shape; save the model with one (onnx.shape_inference, or the exporter's input "
     "shape)"},
    {no_type, "m.onnx: input 'x' has no element type"},
    {string_input, "m.onnx: input 'x': element type 8 (string) is not supported"},
    {sequence_input,
     "m.onnx: input 'x' is not a tensor but a sequence, map, optional or sparse tensor, which is not "
     "supported"},
    {huge_input, "m.onnx: input 'x': shape float[9223372036854775807,4] is too large; at most 2147483647 "
                 "elements are supported"},
    {negative_input, "m.onnx: input 'x': dimension 1 is -5"},
    {unknown_input, "m.onnx: the sizes of some dimensions are not known; add --dim x.1=SIZE"},
    {deep_input, "m.onnx: input 'x': rank 9 is too large; at most 8 is supported"},
    {contradicting_input, "m.onnx: input 'w' is declared as float[5], but its initializer is float[4]"},
    {has_training, "m.onnx: a graph for training is not supported; export the model for inference"},
    {has_sparse, "m.onnx: sparse initializers are not supported; save the weights as dense tensors"},
    {attr_twice, "m.onnx: node 'act' (Relu): attribute 'a' is given twice"},
    {attr_reference,
     "m.onnx: node 'act' (Relu): attribute 'a' refers to a function's attribute, outside of a "
     "function"},
    {attr_other_value,
     "m.onnx: node 'act' (Relu): attribute 'a' has a value of another type than it declares"},
    {attr_no_value, "m.onnx: node 'act' (Relu): attribute 'a' has no value"},
    {attr_nul, "m.onnx: node 'act' (Relu): attribute 'a' contains a NUL byte"},
    {unsupported, "m.onnx: unsupported operators: com.example.Add (node 'sum'), NoSuchOp (node 'act')"},
    {other_domain_only, "m.onnx: unsupported operators: com.example.Add (node 'sum'), NoSuchOp (node 'act')"},
};

static void test_broken(void)
{
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
        Model_ *m = make_model();
        broken[i].change(m);
        expect_text(message_of(m, &quiet), broken[i].message);
    }
}

/* ---- broken bytes ---- */

static const char *bytes_message(const void *data, size_t len)
{
    static Trap t;
    if (CATCH(&t))
        return t.message;
    pass_upgrade(onnx_read_memory("m.onnx", data, len, &quiet));
    trap_end();
    return "";
}

static void test_no_onnx(void)
{
    CU_ASSERT_STRING_EQUAL(bytes_message("", 0), "m.onnx: not an ONNX file: it is empty");
    CU_ASSERT_STRING_EQUAL(bytes_message("hello\n", 6), "m.onnx: not an ONNX file: it is text");
    static const char lfs[] = "version https://git-lfs.github.com/spec/v1\noid sha256:0\n";
    CU_ASSERT_PTR_NOT_NULL(strstr(bytes_message(lfs, sizeof lfs - 1), "Git LFS"));
    CU_ASSERT_PTR_NOT_NULL(strstr(bytes_message("\x89PNG\r\n\x1a\n", 8), "not an ONNX file"));
    CU_ASSERT_PTR_NOT_NULL(strstr(bytes_message("\x08\x07", 2), "it has no graph"));
}

/* Every start of a good file, and every single wrong byte, is read or refused. */
static void test_damaged(void)
{
    size_t len;
    const uint8_t *good = pack(make_model(), &len);
    uint8_t *copy = mem_alloc(len);
    for (size_t n = 0; n < len; n++)
        CU_ASSERT_TRUE(bytes_message(good, n)[0]);
    for (size_t n = 0; n < len; n++)
        for (int bit = 0; bit < 8; bit++) {
            memcpy(copy, good, len);
            copy[n] ^= (uint8_t)(1 << bit);
            bytes_message(copy, len);
        }
}

/* A graph's input whose type is a sequence of sequences of ..., `depth` messages in each other and the
 * model. */
static const uint8_t *nest(size_t depth, size_t *len)
{
    static const uint8_t first[] = {0x3a, 0x5a, 0x12}; /* graph, input, type; then sequence_type, elem_type */
    *len = (depth - 1) * 3;
    uint8_t *data = mem_alloc(*len);
    for (size_t i = 0; i < depth - 1; i++) {
        size_t inside = *len - 3 * (i + 1);
        data[3 * i] = i < sizeof first ? first[i] : i % 2 ? 0x22 : 0x0a;
        data[3 * i + 1] = (uint8_t)(inside & 127) | 128; /* the length in two bytes */
        data[3 * i + 2] = (uint8_t)(inside >> 7);
    }
    return data;
}

static void test_depth(void)
{
    size_t len;
    const uint8_t *data = nest(64, &len);
    CU_ASSERT_PTR_NOT_NULL(strstr(bytes_message(data, len), "version 0 of the file format is not supported"));
    data = nest(65, &len);
    CU_ASSERT_STRING_EQUAL(bytes_message(data, len),
                           "m.onnx: not an ONNX file, or damaged: it is nested too deeply");
}

static void test_memory(void)
{
    enum { EMPTY_NODES = 1000000 };
    static const uint8_t start[] = {0x3a, 0x80, 0x89, 0x7a}; /* a graph of 2,000,000 bytes */
    const size_t len = sizeof start + (size_t)2 * EMPTY_NODES;
    uint8_t *data = mem_alloc(len);
    memcpy(data, start, sizeof start);
    for (size_t i = 0; i < EMPTY_NODES; i++)
        data[sizeof start + 2 * i] = 0x0a;
    CU_ASSERT_STRING_EQUAL(
        bytes_message(data, len),
        "m.onnx: not an ONNX file, or damaged: it would take far more memory than its size allows");
}

static void test_hostile(void)
{
    CU_ASSERT_STRING_EQUAL(
        bytes_message("\x08\x07\x3a\x00\x3a\x00", 6),
        "m.onnx: not an ONNX file, or damaged: a message comes twice where only one may stand");
    CU_ASSERT_PTR_NOT_NULL(
        strstr(bytes_message("\x08\x07\x3a\x03\x12\x01\0", 7), "a name contains a NUL byte"));
    CU_ASSERT_PTR_NOT_NULL(strstr(bytes_message("\x08\x07\x3a\x7f", 4), "a field reaches behind the end"));
    CU_ASSERT_PTR_NOT_NULL(strstr(bytes_message("\x08\x07\x3b\x7f", 4), "a field has an unknown encoding"));
    CU_ASSERT_PTR_NOT_NULL(strstr(bytes_message("\x08\x87", 2), "a number is cut off"));
    CU_ASSERT_PTR_NOT_NULL(strstr(bytes_message("\x0d\x07\0\0\0", 5), "its fields have wrong encodings"));
}

static void test_newer_fields(void)
{
    /* Field 11 in ModelProto.graph (7), node (1); metadata of a node (9) says nothing. */
    CU_ASSERT_STRING_EQUAL(
        bytes_message("\x08\x07\x3a\x05\x0a\x03\x5a\x01x", 9),
        "m.onnx: field 11 of NodeProto is unknown: the file is newer than ternc understands, or not "
        "an ONNX file");
    CU_ASSERT_STRING_EQUAL(bytes_message("\x08\x07\x3a\x05\x0a\x03\x4a\x01x", 9),
                           "m.onnx: node 0 ('') names no operator");
}

int main(void)
{
    CU_initialize_registry();
    CU_pSuite s = CU_add_suite("onnx_bad", NULL, NULL);
    CU_add_test(s, "bad tensors", test_bad_tensors);
    CU_add_test(s, "broken", test_broken);
    CU_add_test(s, "no ONNX", test_no_onnx);
    CU_add_test(s, "damaged", test_damaged);
    CU_add_test(s, "depth", test_depth);
    CU_add_test(s, "memory", test_memory);
    CU_add_test(s, "hostile", test_hostile);
    CU_add_test(s, "newer fields", test_newer_fields);
    CU_basic_run_tests();
    int failures = (int)CU_get_number_of_failures();
    mem_reset();
    return failures != 0;
}
