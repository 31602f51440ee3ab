/* unit_onnx.c - reading and writing ONNX: every encoding of tensors, symbolic dimensions, the order of nodes,
 * size and speed, and models that are written and read back. */
#include "base/host.h"
#include "base/out_file.h"
#include "layers/layers.h"
#include "onnx/onnx.h"
#include "passes/passes.h"
#include "support/onnx_build.h"
#include "support/text.h"

#include <CUnit/Basic.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

/* ---- good models ---- */

static void test_plain(void)
{
    expect_text(dump_text(read_with(make_model(), &quiet)->graph), "g (float[2,4] x) => (float[2,4] y)\n"
                                                                   "<\n"
                                                                   "   float[4] w = {1, 2, 3, 4}\n"
                                                                   ">\n"
                                                                   "{\n"
                                                                   "   [sum] s = Add (x, w)  # undefined[]\n"
                                                                   "   [act] y = Relu (s)  # float[2,4]\n"
                                                                   "}\n");
}

static void test_order(void)
{
    Model_ *m = make_model();
    Node_ *first = m->graph->node[0];
    m->graph->node[0] = m->graph->node[1];
    m->graph->node[1] = first;
    Graph *g = read_with(m, &quiet)->graph;
    CU_ASSERT_STRING_EQUAL(g->nodes[0]->name, "sum");
    CU_ASSERT_STRING_EQUAL(g->nodes[1]->name, "act");
    CU_ASSERT_PTR_EQUAL(g->outputs[0]->producer, g->nodes[1]);
}

static void test_output_twice(void)
{
    Model_ *m = make_model();
    APPEND(m->graph->output, m->graph->n_output, m->graph->output[0]);
    Graph *g = read_with(m, &quiet)->graph;
    CU_ASSERT_EQUAL(g->num_outputs, 2);
    CU_ASSERT_PTR_EQUAL(g->outputs[0], g->outputs[1]);
}

static void test_optional_inputs(void)
{
    Model_ *m = make_model();
    Node_ *n = m->graph->node[1] = make_node("Clip", "act", "s", "", "y");
    APPEND(n->input, n->n_input, (void *)"w");
    APPEND(n->input, n->n_input, (void *)"");
    Graph *g = read_with(m, &quiet)->graph;
    CU_ASSERT_EQUAL_FATAL(g->nodes[1]->num_in, 3);
    CU_ASSERT_PTR_NULL(g->nodes[1]->in[1]);
    CU_ASSERT_STRING_EQUAL(g->nodes[1]->in[2]->name, "w");
}

static void test_constant_input(void)
{
    Model_ *m = make_model();
    const int64_t four = 4;
    APPEND(m->graph->input, m->graph->n_input, make_value("w", 1, &four));
    Graph *g = read_with(m, &quiet)->graph;
    CU_ASSERT_EQUAL(g->num_inputs, 1);
    CU_ASSERT_PTR_NOT_NULL(graph_find(g, "w")->data);
}

/* Graph outputs may be inputs and constants. */
static void test_plain_outputs(void)
{
    Model_ *m = make_model();
    const int64_t four = 4;
    APPEND(m->graph->output, m->graph->n_output, make_value("w", 1, &four));
    APPEND(m->graph->output, m->graph->n_output, make_value("x", 2, dims_2_4));
    Graph *g = read_with(m, &quiet)->graph;
    CU_ASSERT_EQUAL_FATAL(g->num_outputs, 3);
    CU_ASSERT_PTR_EQUAL(g->outputs[1], graph_find(g, "w"));
    CU_ASSERT_PTR_EQUAL(g->outputs[2], g->inputs[0]);
}

static void test_attributes(void)
{
    Model_ *m = make_model();
    Node_ *n = m->graph->node[1];
    add_attr(n, "i")->i = -7;
    Attr_ *a = add_attr(n, "untyped");
    a->has_type = a->has_i = 0;
    a->has_f = 1;
    a->f = 0.5f;
    a = add_attr(n, "zero"); /* as written where zeros are left out */
    a->has_i = 0;
    a = add_attr(n, "s");
    a->type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRING;
    a->has_i = 0;
    a->has_s = 1;
    a->s = (ProtobufCBinaryData){3, (uint8_t *)"abc"};
    a = add_attr(n, "others");
    a->has_i = 0;
    a->type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__TENSORS;
    APPEND(a->tensors, a->n_tensors, make_tensor("t", 1, 0));
    const Node *r = read_with(m, &quiet)->graph->nodes[1];
    CU_ASSERT_EQUAL_FATAL(r->num_attrs, 5);
    CU_ASSERT_EQUAL(r->attrs[0].i, -7);
    CU_ASSERT_EQUAL(r->attrs[1].type, ATTR_FLOAT);
    CU_ASSERT_EQUAL(r->attrs[1].f, 0.5f);
    CU_ASSERT_EQUAL(r->attrs[2].type, ATTR_INT);
    CU_ASSERT_EQUAL(r->attrs[2].i, 0);
    CU_ASSERT_STRING_EQUAL(r->attrs[3].s, "abc");
    CU_ASSERT_EQUAL(r->attrs[4].type, ATTR_OTHER);
}

/* ---- dimensions ---- */

static void test_batch(void)
{
    Model_ *m = make_model();
    set_symbol(m->graph->input[0], 0, "N");
    set_symbol(m->graph->output[0], 0, "N");
    CU_ASSERT_EQUAL(read_with(m, &quiet)->graph->inputs[0]->type.dims[0], 1);
    CU_ASSERT_EQUAL(read_with(m, &quiet)->graph->outputs[0]->type.dims[0], -1);
    const DimValue n5[] = {{"N", 5}};
    CU_ASSERT_EQUAL(
        read_with(m, &(Options){.quiet = true, .dims = n5, .num_dims = 1})->graph->inputs[0]->type.dims[0],
        5);
    set_symbol(m->graph->input[0], 0, NULL);
    CU_ASSERT_EQUAL(read_with(m, &quiet)->graph->inputs[0]->type.dims[0], 1);
    const DimValue x3[] = {{"x.0", 3}};
    CU_ASSERT_EQUAL(
        read_with(m, &(Options){.quiet = true, .dims = x3, .num_dims = 1})->graph->inputs[0]->type.dims[0],
        3);
}

/* Two imports that say the same are no contradiction. */
static void test_opset_twice(void)
{
    Model_ *m = make_model();
    Onnx__OperatorSetIdProto *o = NEW(Onnx__OperatorSetIdProto);
    onnx__operator_set_id_proto__init(o);
    o->domain = mem_strdup("ai.onnx");
    o->has_version = 1;
    o->version = m->opset_import[0]->version;
    APPEND(m->opset_import, m->n_opset_import, o);
    CU_ASSERT_EQUAL(read_with(m, &quiet)->opset, o->version);
}

/* A size of 0 is one: the input has no elements, unless --dim says otherwise. */
static void test_zero_dim(void)
{
    Model_ *m = make_model();
    Onnx__TensorShapeProto__Dimension *d = m->graph->input[0]->type->tensor_type->shape->dim[0];
    d->value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
    d->dim_value = 0;
    set_symbol(m->graph->output[0], 0, "N");
    CU_ASSERT_EQUAL(read_with(m, &quiet)->graph->inputs[0]->type.dims[0], 0);
    const DimValue x3[] = {{"x.0", 3}};
    CU_ASSERT_EQUAL(
        read_with(m, &(Options){.quiet = true, .dims = x3, .num_dims = 1})->graph->inputs[0]->type.dims[0],
        3);
}

static void test_named_dims(void)
{
    Model_ *m = make_model();
    set_symbol(m->graph->input[0], 0, "N");
    set_symbol(m->graph->input[0], 1, "width");
    CU_ASSERT_STRING_EQUAL(message_of(m, &quiet),
                           "m.onnx: the sizes of some dimensions are not known; add --dim width=SIZE");
    const DimValue good[] = {{"width", 4}}, bad[] = {{"width", 4}, {"height", 4}};
    CU_ASSERT_EQUAL(
        read_with(m, &(Options){.quiet = true, .dims = good, .num_dims = 1})->graph->inputs[0]->type.dims[1],
        4);
    CU_ASSERT_STRING_EQUAL(message_of(m, &(Options){.quiet = true, .dims = bad, .num_dims = 2}),
                           "--dim height: m.onnx has no symbolic dimension of that name; it has: N width");
    CU_ASSERT_STRING_EQUAL(
        message_of(make_model(), &(Options){.quiet = true, .dims = good, .num_dims = 1}),
        "--dim width: m.onnx has no symbolic dimension of that name; all its dimensions are fixed");
}

/* ---- encodings ---- */

static const Tensor *decode(const Tensor_ *p)
{
    Model_ *m = make_model();
    APPEND(m->graph->initializer, m->graph->n_initializer, (void *)p);
    return graph_find(read_with(m, &quiet)->graph, p->name);
}

static void test_int32_data(void)
{
    static const struct {
        int32_t onnx, a, b;
        DType dtype;
    } rows[] = {{3, -128, 127, DT_I8}, {2, 0, 255, DT_U8}, {5, -32768, 32767, DT_I16},
                {4, 0, 65535, DT_U16}, {9, 1, 0, DT_BOOL}, {6, INT32_MIN, INT32_MAX, DT_I32}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        Tensor_ *p = make_tensor("t", rows[i].onnx, 2);
        set_int32(p, rows[i].a, rows[i].b);
        const Tensor *t = decode(p);
        CU_ASSERT_EQUAL(t->type.dtype, rows[i].dtype);
        CU_ASSERT_EQUAL(elem_get(t->data, t->type.dtype, 0), rows[i].a);
        CU_ASSERT_EQUAL(elem_get(t->data, t->type.dtype, 1), rows[i].b);
        if (rows[i].dtype == DT_I32)
            continue;
        set_int32(p, 0, rows[i].dtype == DT_BOOL ? 2 : rows[i].dtype == DT_I8 ? -129 : 65536);
        CU_ASSERT_PTR_NOT_NULL(strstr(decode_message(p), "which does not fit"));
    }
}

static void test_wide_data(void)
{
    Tensor_ *p = make_tensor("t", 7, 2);
    int64_t ints[] = {INT64_MIN, INT64_MAX};
    p->n_int64_data = 2;
    p->int64_data = ints;
    CU_ASSERT_EQUAL(memcmp(decode(p)->data, ints, sizeof ints), 0);
    uint64_t words[] = {0, UINT64_MAX};
    p = make_tensor("t", 13, 2);
    p->n_uint64_data = 2;
    p->uint64_data = words;
    CU_ASSERT_EQUAL(memcmp(decode(p)->data, words, sizeof words), 0);
    p->data_type = 12;
    CU_ASSERT_PTR_NOT_NULL(strstr(decode_message(p), "which does not fit uint32"));
    words[1] = UINT32_MAX;
    CU_ASSERT_EQUAL(((const uint32_t *)decode(p)->data)[1], UINT32_MAX);
    double doubles[] = {1e300, -0.5};
    p = make_tensor("t", 11, 2);
    p->n_double_data = 2;
    p->double_data = doubles;
    CU_ASSERT_EQUAL(memcmp(decode(p)->data, doubles, sizeof doubles), 0);
    float floats[] = {1e30f, -0.5f};
    p = make_tensor("t", 1, 2);
    p->n_float_data = 2;
    p->float_data = floats;
    CU_ASSERT_EQUAL(memcmp(decode(p)->data, floats, sizeof floats), 0);
}

static void test_raw_data(void)
{
    static const int32_t types[] = {1, 11, 3, 5, 6, 7, 2, 4, 12, 13, 9};
    const uint8_t bytes[16] = {1, 0, 1, 1};
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        Tensor_ *p = make_tensor("t", types[i], 2);
        set_raw(p, bytes, 2 * dtype_size(dtype_from_onnx(types[i])));
        const Tensor *t = decode(p);
        CU_ASSERT_EQUAL(t->type.dtype, dtype_from_onnx(types[i]));
        CU_ASSERT_EQUAL(memcmp(t->data, bytes, p->raw_data.len), 0);
        CU_ASSERT_EQUAL((uintptr_t)t->data % 16, 0);
        p->raw_data.len--;
        CU_ASSERT_PTR_NOT_NULL(strstr(decode_message(p), "but raw_data has"));
    }
    Tensor_ *p = make_tensor("t", 9, 2);
    set_raw(p, "\1\2", 2);
    CU_ASSERT_STRING_EQUAL(decode_message(p), "m.onnx: initializer 't': element 1 is 2, neither 0 nor 1");
    p = make_tensor("t", 1, 0);
    CU_ASSERT_PTR_NOT_NULL(decode(p)->data);
    p = make_tensor("t", 1, 2);
    CU_ASSERT_PTR_NOT_NULL(strstr(decode_message(p), "float[2] needs 8 bytes, but raw_data has 0"));
    p = make_tensor("t", 7, 2);
    set_int32(p, 1, 2);
    CU_ASSERT_PTR_NOT_NULL(strstr(decode_message(p), "int64[2] needs 2 elements, but int64_data has 0"));
}

static void test_half(void)
{
    static const struct {
        uint16_t bits;
        float value;
    } halves[] = {{0x3c00, 1}, {0xc000, -2}, {0x0001, 0x1p-24f}, {0x7bff, 65504}, {0x03ff, 0x3ffp-24f}};
    for (size_t i = 0; i < sizeof halves / sizeof halves[0]; i++)
        CU_ASSERT_EQUAL(half_value(halves[i].bits), halves[i].value);
    CU_ASSERT_TRUE(half_value(0x7c01) != half_value(0x7c01));
    Model_ *m = make_model();
    const uint16_t bits[] = {0x3c00, 0xc000, 0, 0x3800};
    m->graph->initializer[0]->data_type = 10;
    set_raw(m->graph->initializer[0], bits, sizeof bits);
    m->graph->input[0]->type->tensor_type->elem_type = 10;
    m->graph->output[0]->type->tensor_type->elem_type = 10;
    Model *r = read_with(m, &quiet);
    pass_upgrade(r);
    const float want[] = {1, -2, 0, 0.5f};
    CU_ASSERT_EQUAL(memcmp(graph_find(r->graph, "w")->data, want, sizeof want), 0);
    CU_ASSERT_EQUAL(r->graph->inputs[0]->type.dtype, DT_F32);
    CU_ASSERT_EQUAL(r->graph->outputs[0]->type.dtype, DT_F32);
    Tensor_ *p = make_tensor("t", 16, 2);
    set_int32(p, 0x3f80, 0xc020);
    CU_ASSERT_EQUAL(((const float *)decode(p)->data)[0], 1);
    CU_ASSERT_EQUAL(((const float *)decode(p)->data)[1], -2.5f);
}

static void test_tensor_file(void)
{
    const char *path = mem_printf("%s/t.pb", temp_folder());
    Tensor_ *p = make_tensor("t", 1, 4);
    set_raw(p, ones, sizeof ones);
    size_t len;
    const uint8_t *data = pack(p, &len);
    file_write(path, data, len);
    const Tensor *t = onnx_read_tensor(path);
    CU_ASSERT_TRUE(type_equal(t->type, type_make(DT_F32, 1, &(int64_t){4})));
    CU_ASSERT_EQUAL(memcmp(t->data, ones, sizeof ones), 0);
}

/* ---- writing ---- */

static Model *upgraded(const char *text)
{
    Model *m = text_read("t.txt", text);
    m->quiet = true;
    pass_upgrade(m);
    return m;
}

/* Constants of every type, attributes of every type, absent inputs, names that are no identifiers. */
static const char every_type[] =
    "g (float[2,3] x, int64[2] n) => (float[2,3] y, float[2,3] z, float[3] f)\n"
    "<float[3] f = {1.5, -2, 0.25}, double[1] d = {0.1}, int8[2] \"a/b:0\" = {-1, 1}, uint8[1] u8 = {255},\n"
    " int16[1] i16 = {-300}, uint16[1] u16 = {65535}, int32[1] i32 = {-70000}, uint32[1] u32 = "
    "{4294967295},\n"
    " uint64[1] u64 = {18446744073709551615}, bool[2] b = {0, 1}, int64 s = {7}, float[0] none = {}>\n"
    "{\n"
    "   [first] \"y\" = Clip <i = 3, f = 0.5, s = \"text\", is = [1, 2], fs = [0.5, 1.5], ss = [\"a\", "
    "\"b\"],\n"
    "                         t = float[2] {1, 2}> (x, , f)\n"
    "   \"t:0\" = Concat (d, \"a/b:0\", u8, i16, u16, i32, u32, u64, b, s, none)\n"
    "   z = Add (x, \"t:0\")\n"
    "}\n";

static void test_round_trip(void)
{
    const char *a = mem_printf("%s/a.onnx", temp_folder()), *b = mem_printf("%s/b.onnx", temp_folder());
    Model *m = upgraded(every_type);
    m->num_metadata = 1;
    m->metadata = NEW(KeyValue);
    m->metadata[0] = (KeyValue){"author", "somebody"};
    onnx_write(m, a);
    Model *back = onnx_read(a, &quiet);
    expect_text(dump_text(back->graph), dump_text(m->graph));
    CU_ASSERT_EQUAL(back->ir_version, 8);
    CU_ASSERT_EQUAL(back->opset, 17);
    CU_ASSERT_EQUAL_FATAL(back->num_metadata, 1);
    CU_ASSERT_STRING_EQUAL(back->metadata[0].key, "author");
    CU_ASSERT_STRING_EQUAL(back->metadata[0].value, "somebody");
    onnx_write(back, b);
    size_t a_len, b_len;
    const uint8_t *a_data = file_map(a, &a_len), *b_data = file_map(b, &b_len);
    CU_ASSERT_EQUAL_FATAL(a_len, b_len);
    CU_ASSERT_EQUAL(memcmp(a_data, b_data, a_len), 0);
}

/* A full disk, as seen by a process that may write only little. */
static void test_full_disk(void)
{
    Model *m =
        upgraded("g (float[100000] x) => (float[100000] y) <float[100000] w = seed 1> { y = Add (x, w) }");
    const char *folder = temp_folder(), *path = mem_printf("%s/full.onnx", folder);
    struct rlimit old, small;
    getrlimit(RLIMIT_FSIZE, &old);
    small = old;
    small.rlim_cur = 4096;
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &small);
    static Trap t;
    if (CATCH(&t)) {
        setrlimit(RLIMIT_FSIZE, &old);
        CU_ASSERT_EQUAL(t.code, 1);
        CU_ASSERT_PTR_NOT_NULL(strstr(t.message, "full.onnx: cannot write: File too large"));
    } else {
        onnx_write(m, path);
        trap_end();
        setrlimit(RLIMIT_FSIZE, &old);
        CU_FAIL("a cut file was taken as written");
    }
    CU_ASSERT_NOT_EQUAL(access(path, F_OK), 0);
}

/* ---- size and speed ---- */

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Unpacking makes the only copy of the weights, and takes the time of a copy. */
static void test_large(void)
{
    enum { COUNT = 8 << 20 };
    Model_ *m = make_model();
    set_raw(m->graph->initializer[0], mem_alloc((size_t)4 * COUNT), (size_t)4 * COUNT);
    m->graph->initializer[0]->dims[0] = COUNT;
    size_t len;
    const uint8_t *data = pack(m, &len);
    struct rusage before, after;
    getrusage(RUSAGE_SELF, &before);
    double start = seconds();
    const Model *r = onnx_read_memory("m.onnx", data, len, &quiet);
    CU_ASSERT_TRUE(seconds() - start < 1);
    getrusage(RUSAGE_SELF, &after);
    CU_ASSERT_TRUE((size_t)(after.ru_maxrss - before.ru_maxrss) * 1024 < len + len / 4);
    CU_ASSERT_EQUAL(type_elems(graph_find(r->graph, "w")->type), COUNT);
}

static void test_many_nodes(void)
{
    enum { COUNT = 100000 };
    Model_ *m = make_model();
    Node_ **nodes = NEW_ARRAY(Node_ *, COUNT);
    for (int i = 0; i < COUNT; i++)
        nodes[COUNT - 1 - i] = make_node("Relu", mem_printf("n%d", i), i ? mem_printf("t%d", i) : "x", NULL,
                                         i == COUNT - 1 ? "y" : mem_printf("t%d", i + 1));
    m->graph->node = nodes;
    m->graph->n_node = COUNT;
    double start = seconds();
    const Graph *g = read_with(m, &quiet)->graph;
    CU_ASSERT_TRUE(seconds() - start < 5);
    CU_ASSERT_EQUAL_FATAL(g->num_nodes, COUNT);
    for (int i = 0; i < COUNT; i++)
        CU_ASSERT_EQUAL(atoi(g->nodes[i]->name + 1), i);
}

int main(void)
{
    CU_initialize_registry();
    CU_pSuite s = CU_add_suite("onnx", NULL, NULL);
    CU_add_test(s, "plain", test_plain);
    CU_add_test(s, "order", test_order);
    CU_add_test(s, "output twice", test_output_twice);
    CU_add_test(s, "optional inputs", test_optional_inputs);
    CU_add_test(s, "constant input", test_constant_input);
    CU_add_test(s, "plain outputs", test_plain_outputs);
    CU_add_test(s, "attributes", test_attributes);
    CU_add_test(s, "batch", test_batch);
    CU_add_test(s, "dimension 0", test_zero_dim);
    CU_add_test(s, "named dimensions", test_named_dims);
    CU_add_test(s, "opset twice", test_opset_twice);
    CU_add_test(s, "int32_data", test_int32_data);
    CU_add_test(s, "wide data", test_wide_data);
    CU_add_test(s, "raw_data", test_raw_data);
    CU_add_test(s, "half", test_half);
    CU_add_test(s, "tensor file", test_tensor_file);
    CU_add_test(s, "round trip", test_round_trip);
    CU_add_test(s, "full disk", test_full_disk);
    CU_add_test(s, "large", test_large);
    CU_add_test(s, "many nodes", test_many_nodes);
    CU_basic_run_tests();
    int failures = (int)CU_get_number_of_failures();
    mem_reset();
    return failures != 0;
}
