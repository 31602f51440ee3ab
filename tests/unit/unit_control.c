/* unit_control.c - If, Loop, Scan and sequences: what they compute, what is unrolled, what is refused. */
#include "ops/ops.h"
#include "pipeline.h"
#include "support/onnx_build.h"

#include <CUnit/Basic.h>
#include <stdlib.h>
#include <string.h>

typedef Onnx__GraphProto Graph_;

/* ---- building ---- */

static Graph_ *new_body(void)
{
    Graph_ *g = NEW(Graph_);
    onnx__graph_proto__init(g);
    g->name = mem_strdup("body");
    return g;
}

static Node_ *add(Graph_ *g, const char *op, const char *in0, const char *in1, const char *out)
{
    return APPEND(g->node, g->n_node, make_node(op, "", in0, in1, out));
}

static void add_in(Node_ *n, const char *name)
{
    APPEND(n->input, n->n_input, mem_strdup(name));
}

static void add_out(Node_ *n, const char *name)
{
    APPEND(n->output, n->n_output, mem_strdup(name));
}

static void input(Graph_ *g, const char *name, int type, int rank, const int64_t *dims)
{
    Onnx__ValueInfoProto *v = make_value(name, rank, dims);
    v->type->tensor_type->elem_type = type;
    APPEND(g->input, g->n_input, v);
}

/* An output of unknown type. */
static void output(Graph_ *g, const char *name)
{
    Onnx__ValueInfoProto *v = make_value(name, 0, NULL);
    v->type->value_case = ONNX__TYPE_PROTO__VALUE__NOT_SET;
    APPEND(g->output, g->n_output, v);
}

static void constant(Graph_ *g, const char *name, int type, const void *data, size_t len)
{
    Tensor_ *t = APPEND(g->initializer, g->n_initializer, make_tensor(name, type, 1));
    t->n_dims = 0;
    set_raw(t, data, len);
}

static void set_body(Node_ *n, const char *name, Graph_ *body)
{
    Attr_ *a = add_attr(n, name);
    a->type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__GRAPH;
    a->has_i = 0;
    a->g = body;
}

static void set_ints(Node_ *n, const char *name, int64_t v)
{
    Attr_ *a = add_attr(n, name);
    a->type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS;
    a->has_i = 0;
    a->n_ints = 1;
    a->ints = NEW(int64_t);
    a->ints[0] = v;
}

static const int64_t three = 3;
enum { FLOAT = 1, INT64 = 7, BOOL = 9 };

/* x float[3], no nodes, output y. */
static Model_ *empty_model(void)
{
    Model_ *m = make_model();
    Graph_ *g = m->graph;
    g->n_node = g->n_initializer = g->n_input = g->n_output = 0;
    input(g, "x", FLOAT, 1, &three);
    output(g, "y");
    return m;
}

/* ---- running ---- */

static Graph *prepare(const Model_ *m)
{
    Model *r = read_with(m, &quiet);
    pipeline_prepare(r, &quiet);
    return r->graph;
}

static const char *refusal(const Model_ *m)
{
    static Trap t;
    if (CATCH(&t))
        return t.message;
    prepare(m);
    trap_end();
    return "";
}

static void expect(const Model_ *m, const void *const *in, const float *want, int count)
{
    const Graph *g = prepare(m);
    void **values = eval_graph(g, in);
    const float *y = values[g->outputs[0]->id];
    CU_ASSERT_EQUAL(type_elems(g->outputs[0]->type), count);
    for (int i = 0; i < count && i < type_elems(g->outputs[0]->type); i++)
        CU_ASSERT_EQUAL(y[i], want[i]);
    free(values);
}

static int count_nodes(const Graph *g, OpKind op)
{
    int count = 0;
    for (int i = 0; i < g->num_nodes; i++)
        count += g->nodes[i]->op == op;
    return count;
}

static const float x123[] = {1, -2, 3};

/* ---- If ---- */

/* y = c ? Neg(t) : Abs(t) with t = Add(x, x), which only the branches read and which comes behind them in the
 * file. */
static Model_ *if_model(bool known, bool value)
{
    Model_ *m = empty_model();
    Graph_ *yes = new_body(), *no = new_body();
    add(yes, "Neg", "t", NULL, "r");
    output(yes, "r");
    add(no, "Abs", "t", NULL, "r");
    output(no, "r");
    Node_ *n = add(m->graph, "If", "c", NULL, "y");
    set_body(n, "then_branch", yes);
    set_body(n, "else_branch", no);
    add(m->graph, "Add", "x", "x", "t");
    if (known)
        constant(m->graph, "c", BOOL, value ? "\1" : "\0", 1);
    else
        input(m->graph, "c", BOOL, 0, NULL);
    return m;
}

static void test_if(void)
{
    const float negative[] = {-2, 4, -6}, absolute[] = {2, 4, 6};
    const void *in[] = {x123, "\1"};
    expect(if_model(true, true), in, negative, 3);
    expect(if_model(true, false), in, absolute, 3);
    CU_ASSERT_EQUAL(count_nodes(prepare(if_model(true, true)), OP_Abs), 0);
    expect(if_model(false, false), in, negative, 3);
    in[1] = "\0";
    expect(if_model(false, false), in, absolute, 3);
    CU_ASSERT_EQUAL(count_nodes(prepare(if_model(false, false)), OP_Where), 1);
}

static void test_if_shapes(void)
{
    Model_ *m = if_model(false, false);
    Graph_ *no = m->graph->node[0]->attribute[1]->g;
    constant(no, "axis", INT64, "\0\0\0\0\0\0\0", 8);
    no->node[0] = make_node("Gather", "", "t", "axis", "r");
    CU_ASSERT_PTR_NOT_NULL(strstr(refusal(m), "unsupported: If gives float[3] or float[]"));
    no->n_output = 0;
    CU_ASSERT_PTR_NOT_NULL(strstr(refusal(m), "'else_branch' has 0 inputs and 0 outputs"));
    m = if_model(false, false);
    m->graph->input[1]->type->tensor_type->elem_type = FLOAT;
    CU_ASSERT_PTR_NOT_NULL(strstr(refusal(m), "the condition 'c' must be a single bool, not float[]"));
    m = if_model(false, false);
    m->graph->node[0]->attribute[0]->g->node[0]->op_type = mem_strdup("Foo");
    CU_ASSERT_PTR_NOT_NULL(strstr(refusal(m), "unsupported operators: Foo"));
    m = if_model(false, false);
    m->graph->node[0]->attribute[0]->g->node[0]->input[0] = mem_strdup("nowhere");
    CU_ASSERT_PTR_NOT_NULL(strstr(refusal(m), "its input 'nowhere' is not made by any node"));
    m = if_model(false, false);
    m->graph->node[1]->input[0] = mem_strdup("y");
    CU_ASSERT_PTR_NOT_NULL(strstr(refusal(m), "the graph has a cycle"));
}

/* ---- Loop ---- */

/* y, z = Loop(trips, go, x) with v' = v + x, collecting v'; while `still`, an outer name or "go_in". */
static Model_ *loop_model(int64_t trips, const char *go)
{
    Model_ *m = empty_model();
    Graph_ *body = new_body();
    input(body, "i", INT64, 0, NULL);
    input(body, "go_in", BOOL, 0, NULL);
    input(body, "v", FLOAT, 1, &three);
    add(body, "Add", "v", "x", "v_out");
    add(body, "Identity", "go_in", NULL, "go_out");
    add(body, "Neg", "v_out", NULL, "collected");
    output(body, "go_out");
    output(body, "v_out");
    output(body, "collected");
    Node_ *n = add(m->graph, "Loop", trips < 0 ? "" : "trips", go, "y");
    add_in(n, "x");
    set_body(n, "body", body);
    if (trips >= 0)
        constant(m->graph, "trips", INT64, memcpy(NEW(int64_t), &trips, 8), 8);
    return m;
}

static void test_loop(void)
{
    const void *in[] = {x123};
    const float want[] = {4, -8, 12}, collected[] = {-2, 4, -6, -3, 6, -9};
    expect(loop_model(3, ""), in, want, 3);
    CU_ASSERT_EQUAL(count_nodes(prepare(loop_model(3, "")), OP_Add), 3);
    expect(loop_model(0, ""), in, x123, 3);
    Model_ *m = loop_model(2, "");
    add_out(m->graph->node[0], "z");
    m->graph->node[0]->output[0] = mem_strdup("other");
    m->graph->node[0]->output[1] = mem_strdup("y");
    expect(m, in, collected, 6);
    m = loop_model(0, "");
    add_out(m->graph->node[0], "z");
    CU_ASSERT_PTR_NOT_NULL(strstr(refusal(m), "unsupported: Loop without iterations, whose output 'z'"));
}

/* go' = i < 2: three iterations, found out while unrolling. */
static void test_loop_condition(void)
{
    const void *in[] = {x123};
    const float want[] = {4, -8, 12};
    Model_ *m = loop_model(-1, "");
    Graph_ *body = m->graph->node[0]->attribute[0]->g;
    const int64_t two = 2;
    constant(body, "two", INT64, &two, 8);
    body->node[1] = make_node("Less", "", "i", "two", "go_out");
    expect(m, in, want, 3);
    m = loop_model(-1, "");
    CU_ASSERT_PTR_NOT_NULL(
        strstr(refusal(m), "never ends: it has no trip count, and its condition stays true"));
    add_out(m->graph->node[0], "z");
    CU_ASSERT_PTR_NOT_NULL(strstr(refusal(m), "its loops make more than"));
}

/* Too many iterations to unroll. */
static void test_long_loop(void)
{
    expect(loop_model(1000000, ""), (const void *[]){x123}, (float[]){1000001, -2000002, 3000003}, 3);
    const Graph *g = prepare(loop_model(1000000, ""));
    CU_ASSERT_EQUAL(count_nodes(g, OP_Add), 1);
    CU_ASSERT_EQUAL(count_nodes(g, OP_LoopBegin), 1);
    CU_ASSERT_EQUAL(count_nodes(g, OP_LoopEnd), 1);
}

/* The file names fewer outputs than the loop has states. */
static void test_unnamed_states(void)
{
    Model_ *m = loop_model(1000000, "");
    Graph_ *body = m->graph->node[0]->attribute[0]->g;
    body->n_output = 2;
    for (int i = 0; i < 8; i++) {
        const char *state = mem_printf("state%d", i), *next = mem_printf("next%d", i);
        add_in(m->graph->node[0], "x");
        input(body, state, FLOAT, 1, &three);
        add(body, "Neg", state, NULL, next);
        output(body, next);
    }
    expect(m, (const void *[]){x123}, (float[]){1000001, -2000002, 3000003}, 3);
}

/* go' = |v'[0]| < limit, a value of the run: at most five iterations, then Where keeps the result. */
static void test_loop_run_time(void)
{
    Model_ *m = loop_model(5, "");
    Graph_ *body = m->graph->node[0]->attribute[0]->g;
    body->n_output = 2;
    constant(body, "zero", INT64, "\0\0\0\0\0\0\0", 8);
    const float limit = 2.5f, want[] = {3, -6, 9}, slow[] = {0.75f, 0, 0}, fast[] = {8, 8, 8};
    const float fast_want[] = {16, 16, 16};
    constant(body, "limit", FLOAT, &limit, 4);
    body->node[1] = make_node("Less", "", "first", "limit", "go_out");
    add(body, "Gather", "v_out", "zero", "first");
    expect(m, (const void *[]){x123}, want, 3);
    expect(m, (const void *[]){slow}, (float[]){3, 0, 0}, 3);
    expect(m, (const void *[]){fast}, fast_want, 3);
    expect(m, (const void *[]){(float[]){0, 0, 0.25f}}, (float[]){0, 0, 1.5f}, 3);
    m->graph->node[0]->input[0] = mem_strdup("");
    expect(m, (const void *[]){slow}, (float[]){3, 0, 0}, 3);
    CU_ASSERT_EQUAL(count_nodes(prepare(m), OP_LoopBegin), 1);
    m = loop_model(3, "go");
    input(m->graph, "go", BOOL, 0, NULL);
    expect(m, (const void *[]){x123, "\0"}, x123, 3);
    expect(m, (const void *[]){x123, "\1"}, (float[]){4, -8, 12}, 3);
    add_out(m->graph->node[0], "z");
    CU_ASSERT_PTR_NOT_NULL(strstr(refusal(m), "collects values in 'z', whose shape depends on it"));
    m = loop_model(3, "");
    m->graph->n_initializer = 0;
    input(m->graph, "trips", INT64, 0, NULL);
    const int64_t twice = 2;
    expect(m, (const void *[]){x123, &twice}, want, 3);
    m->graph->input[1]->type->tensor_type->elem_type = FLOAT;
    CU_ASSERT_PTR_NOT_NULL(strstr(refusal(m), "the trip count must be a single int64"));
}

/* A Loop in a Loop, with an If on the outer counter: copies of copies. */
static void test_nested(void)
{
    Model_ *m = loop_model(2, "");
    Graph_ *outer = m->graph->node[0]->attribute[0]->g, *inner = loop_model(3, "")->graph;
    Graph_ *yes = new_body(), *no = new_body();
    const int64_t one = 1, trips = 3;
    constant(outer, "one", INT64, &one, 8);
    constant(outer, "inner_trips", INT64, &trips, 8);
    add(yes, "Neg", "w", NULL, "r");
    output(yes, "r");
    add(no, "Identity", "w", NULL, "s");
    output(no, "s");
    outer->node[0] = inner->node[0];
    outer->node[0]->input[0] = mem_strdup("inner_trips");
    outer->node[0]->input[2] = mem_strdup("v");
    outer->node[0]->output[0] = mem_strdup("w");
    add(outer, "Equal", "i", "one", "second");
    Node_ *choice = add(outer, "If", "second", NULL, "v_out");
    set_body(choice, "then_branch", yes);
    set_body(choice, "else_branch", no);
    expect(m, (const void *[]){x123}, (float[]){-7, 14, -21}, 3);
    CU_ASSERT_EQUAL(count_nodes(prepare(m), OP_Add), 6);
}

/* ---- Scan ---- */

/* y, z = Scan(0, m): y the sum of m's rows, or columns, z the running sums. */
static Model_ *scan_model(void)
{
    static const int64_t dims[] = {2, 3};
    Model_ *m = empty_model();
    Graph_ *body = new_body();
    input(m->graph, "m", FLOAT, 2, dims);
    input(body, "s", FLOAT, 1, &three);
    input(body, "row", FLOAT, 1, &three);
    add(body, "Add", "s", "row", "sum");
    add(body, "Identity", "sum", NULL, "copy");
    output(body, "sum");
    output(body, "copy");
    Node_ *n = add(m->graph, "Scan", "x", "m", "total");
    add_out(n, "y");
    set_body(n, "body", body);
    Attr_ *a = add_attr(n, "num_scan_inputs");
    a->i = 1;
    return m;
}

/* y = Scan(0, 0, m), the sum of the running sums of m's rows: the state that runs, and the running sums,
 * nobody wants. */
static Model_ *two_states_model(void)
{
    static const int64_t dims[] = {2, 3};
    Model_ *m = empty_model();
    Graph_ *body = new_body();
    input(m->graph, "m", FLOAT, 2, dims);
    input(body, "s", FLOAT, 1, &three);
    input(body, "run", FLOAT, 1, &three);
    input(body, "row", FLOAT, 1, &three);
    add(body, "Add", "run", "row", "next");
    add(body, "Add", "s", "next", "sum");
    add(body, "Identity", "next", NULL, "copy");
    output(body, "sum");
    output(body, "next");
    output(body, "copy");
    Node_ *n = add(m->graph, "Scan", "x", "x", "y");
    add_in(n, "m");
    add_out(n, "");
    add_out(n, "");
    set_body(n, "body", body);
    Attr_ *a = add_attr(n, "num_scan_inputs");
    a->i = 1;
    set_ints(n, "scan_output_axes", 1);
    return m;
}

static void test_unwanted_states(void)
{
    const float rows[] = {10, 20, 30, 100, 200, 300};
    const void *in[] = {x123, rows};
    expect(two_states_model(), in, (float[]){123, 234, 369}, 3);
    Model_ *m = two_states_model();
    m->graph->node[0]->n_output = 1;
    expect(m, in, (float[]){123, 234, 369}, 3);
}

static void test_scan(void)
{
    const float rows[] = {10, 20, 30, 100, 200, 300};
    const void *in[] = {x123, rows};
    expect(scan_model(), in, (float[]){11, 18, 33, 111, 218, 333}, 6);
    Model_ *m = scan_model();
    set_ints(m->graph->node[0], "scan_input_directions", 1);
    expect(m, in, (float[]){101, 198, 303, 111, 218, 333}, 6);
    m = scan_model();
    set_ints(m->graph->node[0], "scan_output_directions", 1);
    expect(m, in, (float[]){111, 218, 333, 11, 18, 33}, 6);
    m = scan_model();
    set_ints(m->graph->node[0], "scan_output_axes", -1);
    expect(m, in, (float[]){11, 111, 18, 218, 33, 333}, 6);
    m = scan_model();
    set_ints(m->graph->node[0], "scan_input_axes", 1);
    m->graph->input[0]->type->tensor_type->shape->dim[0]->dim_value = 2;
    expect(m, in, (float[]){11, 98, 31, 298, 61, 598}, 6);
    m = scan_model();
    m->graph->node[0]->attribute[1]->i = 3;
    CU_ASSERT_PTR_NOT_NULL(strstr(refusal(m), "attribute 'num_scan_inputs' is 3"));
    m = scan_model();
    m->opset_import[0]->version = 8;
    CU_ASSERT_PTR_NOT_NULL(strstr(refusal(m), "unsupported: Scan of opset 8"));
}

/* ---- unwanted first outputs ---- */

/* The node's first output is "", its next one y. */
static void want_second(Node_ *n)
{
    add_out(n, "y");
    n->output[0] = mem_strdup("");
}

static void test_unwanted_first_output(void)
{
    const float rows[] = {10, 20, 30, 100, 200, 300};
    const void *in[] = {x123, "\0"};
    Model_ *m = if_model(false, false);
    for (int i = 0; i < 2; i++) {
        Graph_ *branch = m->graph->node[0]->attribute[i]->g;
        add(branch, i ? "Neg" : "Abs", "r", NULL, "s");
        output(branch, "s");
    }
    want_second(m->graph->node[0]);
    expect(m, in, (float[]){-2, -4, -6}, 3);
    in[1] = "\1";
    expect(m, in, (float[]){2, 4, 6}, 3);

    m = loop_model(2, "");
    want_second(m->graph->node[0]);
    expect(m, in, (float[]){-2, 4, -6, -3, 6, -9}, 6);
    m = loop_model(100000, "");
    Graph_ *body = m->graph->node[0]->attribute[0]->g;
    body->n_output = 2;
    add_in(m->graph->node[0], "x");
    input(body, "u", FLOAT, 1, &three);
    add(body, "Neg", "u", NULL, "u_out");
    output(body, "u_out");
    want_second(m->graph->node[0]);
    expect(m, in, x123, 3);

    m = scan_model();
    m->graph->node[0]->output[0] = mem_strdup("");
    expect(m, (const void *[]){x123, rows}, (float[]){11, 18, 33, 111, 218, 333}, 6);

    m = empty_model();
    const int64_t sizes[] = {1, 2};
    Tensor_ *t = APPEND(m->graph->initializer, m->graph->n_initializer, make_tensor("sizes", INT64, 1));
    t->dims[0] = 2;
    set_raw(t, sizes, sizeof sizes);
    want_second(add(m->graph, "Split", "x", "sizes", "first"));
    expect(m, in, (float[]){-2, 3}, 2);
}

/* ---- sequences ---- */

/* [x, -x], x inserted in front, the last one erased; then `last` takes the two. */
static Model_ *sequence_model(const char *last, const char *position)
{
    Model_ *m = empty_model();
    const int64_t numbers[] = {0, 1, -1, 5};
    const char *const names[] = {"zero", "one", "minus_one", "five"};
    for (int i = 0; i < 4; i++)
        constant(m->graph, names[i], INT64, memcpy(NEW(int64_t), &numbers[i], 8), 8);
    add(m->graph, "Neg", "x", NULL, "n");
    add(m->graph, "SequenceConstruct", "x", "n", "two");
    add(m->graph, "Identity", "two", NULL, "same");
    add_in(add(m->graph, "SequenceInsert", "same", "x", "three"), "zero");
    add(m->graph, "SequenceErase", "three", "minus_one", "first_two");
    add(m->graph, last, "first_two", position, "y");
    return m;
}

static void test_sequences(void)
{
    const void *in[] = {x123};
    expect(sequence_model("SequenceAt", "one"), in, x123, 3);
    Model_ *m = sequence_model("ConcatFromSequence", NULL);
    add_attr(m->graph->node[5], "axis")->i = 0;
    expect(m, in, (float[]){1, -2, 3, 1, -2, 3}, 6);
    add_attr(m->graph->node[5], "new_axis")->i = 1;
    m->graph->node[5]->attribute[0]->i = -1;
    m->graph->node[5]->input[0] = mem_strdup("three");
    expect(m, in, (float[]){1, 1, -1, -2, -2, 2, 3, 3, -3}, 9);
    CU_ASSERT_PTR_NOT_NULL(
        strstr(refusal(sequence_model("SequenceAt", "five")), "position 5 of a sequence of 2"));
    CU_ASSERT_PTR_NOT_NULL(
        strstr(refusal(sequence_model("Relu", NULL)), "unsupported: input 'first_two' is a sequence"));
    m = sequence_model("SequenceAt", "one");
    m->graph->node[5]->input[0] = mem_strdup("x");
    CU_ASSERT_PTR_NOT_NULL(strstr(refusal(m), "input 'x' is not a sequence"));
    m = sequence_model("SequenceAt", "p");
    input(m->graph, "p", INT64, 0, NULL);
    CU_ASSERT_PTR_NOT_NULL(strstr(refusal(m), "input 1 ('p') must be a constant"));
    m = sequence_model("SequenceAt", "one");
    m->graph->node[5] = make_node("Identity", "", "first_two", NULL, "y");
    CU_ASSERT_PTR_NOT_NULL(strstr(refusal(m), "unsupported: output 'y' of the model is a sequence"));
}

static void test_split_to_sequence(void)
{
    const void *in[] = {x123};
    Model_ *m = sequence_model("SequenceAt", "minus_one");
    m->graph->node[1] = make_node("SplitToSequence", "", "x", "one", "two");
    m->graph->node[5]->input[0] = mem_strdup("two");
    expect(m, in, (float[]){3}, 1);
    m->graph->node[1]->n_input = 1;
    add_attr(m->graph->node[1], "keepdims")->i = 0;
    CU_ASSERT_EQUAL(prepare(m)->outputs[0]->type.rank, 0);
    m->graph->node[1]->input[0] = mem_strdup("zero");
    CU_ASSERT_PTR_NOT_NULL(strstr(refusal(m), "axis 0 is out of range"));
}

int main(void)
{
    CU_initialize_registry();
    CU_pSuite s = CU_add_suite("control flow", NULL, NULL);
    CU_add_test(s, "If", test_if);
    CU_add_test(s, "If, refused", test_if_shapes);
    CU_add_test(s, "Loop", test_loop);
    CU_add_test(s, "Loop with a condition", test_loop_condition);
    CU_add_test(s, "Loop with a condition at run time", test_loop_run_time);
    CU_add_test(s, "Loop of many iterations", test_long_loop);
    CU_add_test(s, "nested", test_nested);
    CU_add_test(s, "Loop of unnamed states", test_unnamed_states);
    CU_add_test(s, "Scan", test_scan);
    CU_add_test(s, "Scan of unwanted states", test_unwanted_states);
    CU_add_test(s, "unwanted first outputs", test_unwanted_first_output);
    s = CU_add_suite("sequences", NULL, NULL);
    CU_add_test(s, "lists", test_sequences);
    CU_add_test(s, "SplitToSequence", test_split_to_sequence);
    CU_basic_run_tests();
    int failures = (int)CU_get_number_of_failures();
    mem_reset();
    return failures != 0;
}
