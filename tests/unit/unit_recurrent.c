/* unit_recurrent.c - LSTM, GRU and RNN: `check` passes the generated code of every kind in every lowering and
 * finds what is broken in it; W and R are ternary tensors of their own; which outputs are the state of which
 * inputs. */
#include "codegen/states.h"
#include "graph/cell.h"
#include "ops/ops.h"
#include "support/checked.h"

#include <CUnit/Basic.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char lstm[] =
    "g (float[3,2,4] x, float[2,2,3] h0) => (y, h, c) <float[2,12,4] w = seed 1, float[2,12,3] r = seed 2,"
    " float[2,24] b = seed 3, float[2,9] p = seed 4> { [cell] y, h, c = LSTM <direction = \"bidirectional\","
    " clip = 2.0> (x, w, r, b, , h0, , p) }";
static const char gru[] =
    "g (float[3,2,4] x) => (y, h) <int32[2] n = {3, 2}, float[1,9,4] w = seed 1, float[1,9,3] r = seed 2, "
    "float[1,18] b = seed 3>"
    " { [cell] y, h = GRU <direction = \"reverse\"> (x, w, r, b, n) }";
static const char linear_gru[] =
    "g (float[2,3,4] x) => (y, h) <float[2,9,4] w = seed 1, float[2,9,3] r = seed 2, float[2,18] b = seed 3>"
    " { [cell] y, h = GRU <direction = \"bidirectional\", linear_before_reset = 1, layout = 1> (x, w, r, b) "
    "}";
static const char rnn[] = "g (float[4,1,4] x) => (h) <float[1,3,4] w = seed 1, float[1,3,3] r = seed 2>"
                          " { [cell] , h = RNN (x, w, r) }";
/* 1 / x and 1 / 0 */
static const char infinite[] =
    "g (float[1,1,1] x, float[1,1,1] c0) => (y) <int64[6] p = {0, 0, 1, 0, 0, 0}, float[1,1,1] one = {1},"
    " float[1,4,2] w = {1, 1, 1, 1, 1, 1, 1, 1}, float[1,4,1] r = {1, 1, 1, 1}, float[1,8] b = seed 1>"
    " { q = Pad (x, p)\n i = Div (one, q)\n [cell] y = LSTM (i, w, r, b, , , c0) }";
/* Codes in, and out where Y is rounded: whole numbers in between. */
#define CODES_IN                                                                                             \
    " float s = {0.03}, int8 z = {5}, float t = {0.0078125}, int8 o = {0}> { f = DequantizeLinear (x, s, "   \
    "z)\n"
static const char coded_lstm[] =
    "g (int8[3,2,4] x, float[2,2,3] h0, float[2,2,3] c0) => (q, h, c) <float[2,12,4] w = seed 1,"
    " float[2,12,3] r = seed 2, float[2,24] b = seed 3," CODES_IN
    " [cell] y, h, c = LSTM <direction = \"bidirectional\", clip = 2.0> (f, w, r, b, , h0, c0)"
    " q = QuantizeLinear (y, t, o) }";
static const char coded_coupled[] =
    "g (uint8[5,1,4] x) => (y, h) <float[1,12,4] w = seed 1, float[1,12,3] r = seed 2, float s = {0.01}>"
    " { f = DequantizeLinear (x, s) [cell] y, h = LSTM <input_forget = 1, activations = [\"HardSigmoid\","
    " \"Tanh\", \"Sigmoid\"]> (f, w, r) }";
static const char coded_gru[] =
    "g (int8[3,2,4] x, float[1,2,3] h0) => (q, p) <int32[2] n = {3, 2}, float[1,9,4] w = seed 1,"
    " float[1,9,3] r = seed 2, float[1,18] b = seed 3," CODES_IN
    " [cell] y, h = GRU <direction = \"reverse\"> (f, w, r, b, n, h0) q = QuantizeLinear (y, t, o)"
    " p = QuantizeLinear (h, t, o) }";
static const char coded_linear_gru[] =
    "g (int8[2,3,4] x) => (y, h) <float[2,9,4] w = seed 1, float[2,9,3] r = seed 2, float[2,18] b = seed "
    "3," CODES_IN " [cell] y, h = GRU <direction = \"bidirectional\", linear_before_reset = 1, layout = 1>"
    " (f, w, r, b) }";
static const char coded_rnn[] =
    "g (int8[4,1,4] x) => (h) <float[1,3,4] w = seed 1, float[1,3,3] r = seed 2," CODES_IN
    " [cell] , h = RNN (f, w, r) }";

static const char *const coded[] = {coded_lstm, coded_coupled, coded_gru, coded_linear_gru, coded_rnn};
static const char run_time[] = "g (float[2,2,3] x, float[1,8,3] w, float[1,8,2] r, float[1,16] b) => (y) { "
                               "[cell] y = LSTM (x, w, r, b) }";

/* ---- check ---- */

static void test_sound_code_passes(void)
{
    static const char *const models[] = {lstm, gru, linear_gru, rnn, run_time, infinite};
    for (size_t i = 0; i < sizeof models / sizeof models[0]; i++) {
        expect_sound(models[i], METHOD_none, LOWER_AUTO);
        for (Lowering l = LOWER_UNROLL; l <= LOWER_DENSE; l++)
            expect_sound(models[i], METHOD_twn, l);
    }
}

/* ---- whole numbers ---- */

static const Node *recurrent_node(const Graph *g)
{
    for (int i = 0; i < g->num_nodes; i++)
        if (g->nodes[i]->op == OP_Recurrent)
            return g->nodes[i];
    return NULL;
}

static void test_whole_numbers_are_sound(void)
{
    for (size_t i = 0; i < sizeof coded / sizeof coded[0]; i++) {
        CU_ASSERT_PTR_NOT_NULL(
            recurrent_node(plan_text(coded[i], options(METHOD_twn, LOWER_AUTO))->g)->cell->codes);
        expect_sound(coded[i], METHOD_twn, LOWER_AUTO);
        expect_sound(coded[i], METHOD_twn, (Lowering)(LOWER_UNROLL + i % (NUM_LOWERINGS - LOWER_UNROLL)));
    }
}

#define FINE_TEXT                                                                                            \
    "g (int8[2,1,3] x) => (q) <float[1,6,3] w = seed 1, float[1,6,2] r = seed 2, float s = {0.1},"           \
    " float t = {%s}, int8 o = {%d}> { f = DequantizeLinear (x, s) [cell] y = GRU (f, w, r)"                 \
    " q = QuantizeLinear (y, t, o) }"

/* Small states have fine codes, where what reads them wants such. */
static void test_fine_codes(void)
{
    static const struct {
        const char *step;
        int zero, bits;
    } rows[] = {
        {"0.0078125", 0, 7}, {"0.001953125", 0, 9}, {"0.01", 0, 7}, {"0.001", 9, 9}, {"0.000001", 0, 14}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *model = mem_printf(FINE_TEXT, rows[i].step, rows[i].zero);
        const Cell *c = recurrent_node(plan_text(model, options(METHOD_twn, LOWER_AUTO))->g)->cell;
        CU_ASSERT_EQUAL(c->codes->h_bits, rows[i].bits);
        if (rows[i].bits != LEAST_H_BITS)
            expect_sound(model, METHOD_twn, LOWER_AUTO);
    }
}

/* What cannot be: float weights, activations without bounds, peepholes. */
static void test_what_stays_float(void)
{
    static const char *const texts[] = {
        "g (int8[2,1,3] x) => (y) <float[1,2,3] w = seed 1, float[1,2,2] r = seed 2, float s = {0.1}>"
        " { f = DequantizeLinear (x, s) y = RNN <activations = [\"Relu\"]> (f, w, r) }",
        "g (int8[2,1,3] x) => (y) <float[1,8,3] w = seed 1, float[1,8,2] r = seed 2, float[1,6] p = seed 3,"
        " float s = {0.1}> { f = DequantizeLinear (x, s) y = LSTM (f, w, r, , , , , p) }",
        "g (float[2,1,3] x) => (y) <float[1,2,3] w = seed 1, float[1,2,2] r = seed 2> { y = RNN (x, w, r) }"};
    CU_ASSERT_PTR_NULL(
        recurrent_node(plan_text(coded_lstm, options(METHOD_none, LOWER_AUTO))->g)->cell->codes);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        CU_ASSERT_PTR_NULL(
            recurrent_node(plan_text(texts[i], options(METHOD_twn, LOWER_AUTO))->g)->cell->codes);
}

/* Values for the inputs, of all codes and between -1 and 1. */
static const void **some_inputs(const Graph *g)
{
    const void **in = NEW_ARRAY(const void *, g->num_inputs);
    for (int i = 0; i < g->num_inputs; i++) {
        const Tensor *x = g->inputs[i];
        void *v = mem_alloc(type_bytes(x->type));
        for (int64_t k = 0; k < type_elems(x->type); k++)
            elem_set(v, x->type.dtype, k,
                     x->type.dtype == DT_F32 ? sin((double)k) : (double)(k * 37 % 251 % 128));
        in[i] = v;
    }
    return in;
}

/* The largest difference of an output, codes as real numbers, from what floats make of the same weights. */
static double most_off(const char *text)
{
    const Graph *g = read_model(text, options(METHOD_twn, LOWER_AUTO))->graph;
    const Graph *whole = plan_text(text, options(METHOD_twn, LOWER_AUTO))->g;
    const void **in = some_inputs(g);
    void **a = eval_graph(g, in), **b = eval_graph(whole, in);
    double most = 0;
    for (int i = 0; i < g->num_outputs; i++) {
        const Tensor *y = g->outputs[i], *z = whole->outputs[i];
        double step = y->type.dtype == DT_F32 ? 1 : 1.0 / 128;
        for (int64_t k = 0; k < type_elems(y->type); k++)
            most = fmax(most, step * fabs(elem_get(a[y->id], y->type.dtype, k) -
                                          elem_get(b[z->id], z->type.dtype, k)));
    }
    free(a);
    free(b);
    return most;
}

/* h has codes of 1 / 128: half of one is lost in every step. */
static void test_whole_numbers_are_close(void)
{
    for (size_t i = 0; i < sizeof coded / sizeof coded[0]; i++) {
        double off = most_off(coded[i]);
        if (!(off < 2.0 / 128))
            fprintf(stderr, "off by %g: %s\n", off, coded[i]);
        CU_ASSERT(off < 2.0 / 128);
    }
}

/* ---- what is constant, and what comes at run time ---- */

typedef struct CellText {
    const char *op, *attrs;
    int gates;
} CellText;

/* W, R and B of a cell, each an input or a constant. */
static void add_cell(Text *in, Text *constants, Text *nodes, const CellText *c, const char *type, int which)
{
    static const char *const names[] = {"w", "r", "b"};
    int rows = 2 * c->gates, id = (int)(100 * (c->op[0] + c->attrs[0])) + which;
    const char *shapes[] = {mem_printf("1,%d,3", rows), mem_printf("1,%d,2", rows),
                            mem_printf("1,%d", 2 * rows)};
    for (int i = 0; i < 3; i++) {
        bool fixed = (which >> i) & 1;
        text_printf(fixed ? constants : in, "%s%s[%s] %s%d%s", fixed && !constants->len ? "" : ", ", type,
                    shapes[i], names[i], id, fixed ? mem_printf(" = seed %d", id + i) : "");
    }
    text_printf(nodes, " y%d = %s <%s> (x, w%d, r%d, b%d)", id, c->op, c->attrs, id, id, id);
}

static void expect_cells(const char *type, int steps, int batch)
{
    static const CellText cells[] = {{"LSTM", "layout = 0", 4},
                                     {"GRU", "layout = 0", 3},
                                     {"GRU", "direction = \"reverse\", linear_before_reset = 1", 3},
                                     {"RNN", "layout = 0", 1}};
    Text in = {0}, constants = {0}, nodes = {0}, out = {0};
    for (size_t i = 0; i < sizeof cells / sizeof cells[0]; i++)
        for (int which = 0; which < 8; which++) {
            add_cell(&in, &constants, &nodes, &cells[i], type, which);
            text_printf(&out, "%sy%d", out.len ? ", " : "",
                        (int)(100 * (cells[i].op[0] + cells[i].attrs[0])) + which);
        }
    char *text = mem_printf("g (%s[%d,%d,3] x%s) => (%s) <%s> {%s }", type, steps, batch, in.data, out.data,
                            constants.data, nodes.data);
    expect_sound(text, METHOD_none, LOWER_AUTO);
    text_free(&in), text_free(&constants), text_free(&nodes), text_free(&out);
}

/* No part of W, R and B is lost, whichever of them are known; no step, and no row, is sound too. */
static void test_constant_and_not(void)
{
    expect_cells("float", 3, 2);
    expect_cells("double", 2, 1);
    expect_cells("float", 2, 0);
    expect_cells("float", 0, 2);
}

/* The last place of `find` in the text is replaced: kernels and tables come first, then the layers, then the
 * steps. */
typedef struct Fault {
    const char *model, *find, *replace;
} Fault;

static const Fault faults[] = {
    {lstm, " -= v1;", " += v1;"}, /* a term of R */
    {lstm, "for (int32_t s = 0; s < 3;", "for (int32_t s = 0; s < 2;"},
    {lstm, "t = 2 - s;", "t = s;"}, /* direction */
    {lstm, "tn_gate_peephole_f32(g + 3,", "tn_gate_peephole_f32(g + 6,"},
    {lstm, "tn_gate_clip_f32(state, 3, 2.0f);", ";"},
    {lstm, "tn_gate_clip_f32(g + 9, 3, 2.0f);", "tn_gate_clip_f32(g + 9, 3, 0.1f);"},
    {lstm, "tn_cell_lstm_f32(cell, g, g + 6, g + 9, 3);", "tn_cell_lstm_f32(cell, g, g + 9, g + 6, 3);"},
    {lstm, "tn_gate_tanh_f32(state", "tn_gate_sigmoid_f32(state"},
    {lstm, "memset(c, 0,", "memset(c, 64,"}, /* initial state */
    {lstm, "tn_state_rows_f32(h,", "(void)in_h0; tn_state_rows_f32(h, h, 1, 1, 1, 1); (void)("},
    {gru, "if (t >= ", "if (t > "}, /* lengths */
    {gru, "(1 - z[i]) * g[i] + z[i] * h[i]", "(1 - z[i]) * h[i] + z[i] * g[i]"},
    {gru, "tn_gate_product_f32(reset_h + b * 3, g + 3,", "tn_gate_product_f32(reset_h + b * 3, g,"},
    {linear_gru, "tn_gate_multiply_f32(g + 6, g + 3, 3);", ";"},
    {rnn, "tn_gate_add_f32(state, x, 3);", ";"},
    {rnn, "tn_state_rows_f32(out_h", "tn_state_rows_f32(h"}, /* the output never written */
    {coded_lstm, " -= v1;", " += v1;"},
    {coded_lstm, "tn_gate_codes(g + 9, x + 9, 3, activation1);",
     "tn_gate_codes(g + 9, x + 9, 3, activation0);"},
    {coded_lstm, "in[i] * g[i] >> 4", "in[i] * g[i] >> 5"},
    {coded_lstm, "tn_load_state_i8(h,", "tn_load_state_i8(h + 1 - 1, in_c0, 2, 3, 3, 3, 128.0f); (void)("},
    {coded_lstm, ", 2048.0f);", ", 1024.0f);"}, /* of C */
    {coded_lstm, "part + half) >> shift", "part) >> shift"},
    {coded_coupled, "32767 - in[i]", "32767 - in[i] / 2"},
    {coded_gru, "tn_reset_codes(reset_h + b * 3, g + 3,", "tn_reset_codes(reset_h + b * 3, g,"},
    {coded_gru, "if (t >= ", "if (t > "},
    {coded_linear_gru, "tn_reset_sums(g + 6, g + 3, 3);", ";"},
    {coded_rnn, "tn_store_state_i8(out_h", "(void)out_h; tn_store_state_i8((float *)(void *)arena"},
};

/* Like the text, with one fault; empty if it is not there. */
static Text with_fault(const Text *c, const Fault *f)
{
    Text t = {0};
    const char *at = NULL;
    for (const char *p = c->data; (p = strstr(p, f->find)); p++)
        at = p;
    if (!at)
        return t;
    text_add(&t, c->data, (size_t)(at - c->data));
    text_printf(&t, "%s%s", f->replace, at + strlen(f->find));
    return t;
}

static void test_faults_are_found(void)
{
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        const Fault *f = &faults[i];
        Plan *plan = plan_text(f->model, options(METHOD_twn, LOWER_UNROLL));
        Text c = {0}, h = {0};
        emit_c(plan, &c, &h);
        Text wrong = with_fault(&c, f);
        bool found = wrong.len && !report_passed(plan, check_text(plan, &wrong, &h));
        if (!found)
            fprintf(stderr, "%s: %s -> %s\n", wrong.len ? "not found" : "not in the text", f->find,
                    f->replace);
        CU_ASSERT_TRUE(found);
        text_free(&c);
        text_free(&h);
        text_free(&wrong);
    }
}

/* ---- ternary weights ---- */

static const Ternary *ternary_of(const Graph *g, int input)
{
    return g->nodes[0]->in[input]->ternary;
}

static void test_two_ternary_tensors(void)
{
    Model *m = read_model(lstm, options(METHOD_twn, LOWER_AUTO));
    CU_ASSERT_EQUAL(ternary_of(m->graph, CELL_W)->num_scales, 24);
    CU_ASSERT_EQUAL(ternary_of(m->graph, CELL_R)->num_scales, 24);
    CU_ASSERT_PTR_NULL(ternary_of(m->graph, CELL_B));
    CU_ASSERT_PTR_NULL(ternary_of(m->graph, CELL_P));
    verify_graph(m->graph, "ternarize");
}

static void test_keep(void)
{
    static const char *const names[] = {"r", "cell", "last"};
    for (int i = 0; i < 3; i++) {
        Options *opt = options(METHOD_twn, LOWER_AUTO);
        opt->keep = &names[i];
        Model *m = read_model(lstm, opt);
        CU_ASSERT_EQUAL(ternary_of(m->graph, CELL_W) != NULL, i == 0);
        CU_ASSERT_PTR_NULL(ternary_of(m->graph, CELL_R));
    }
}

/* ---- states ---- */

typedef struct PairCase {
    const char *text;
    int count, input, output;
    bool in_place;
} PairCase;

#define CELL_TEXT                                                                                            \
    " <float[1,8,3] w = seed 1, float[1,8,2] r = seed 2, int64[1] zero = {0}, int64[1] one = {1}> "

static const PairCase pair_cases[] = {
    {"g (float[1,1,3] x, float[1,1,2] h0) => (y, h)" CELL_TEXT "{ y, h = LSTM (x, w, r, , , h0) }", 1, 1, 1,
     true},
    {"g (float[1,1,2] c0, float[1,1,3] x) => (c, y)" CELL_TEXT "{ y, , c = LSTM (x, w, r, , , , c0) }", 1, 0,
     0, true},
    /* Y of a single step is H */
    {"g (float[1,1,3] x, float[1,1,1,2] h0) => (y)" CELL_TEXT
     "{ h = Squeeze (h0, zero) y = LSTM (x, w, r, , , h) }",
     1, 1, 0, true},
    {"g (float[2,1,3] x, float[2,1,1,2] h0) => (y)" CELL_TEXT
     "{ s, u = Split <axis = 0> (h0) h = Squeeze (s, zero) y = LSTM (x, w, r, , , h) }",
     0, 0, 0, false},
    /* both states in one tensor; in the other order they are no pair */
    {"g (float[1,1,3] x, float[2,1,2] s) => (y, t)" CELL_TEXT
     "{ h0, c0 = Split <axis = 0> (s) y, h, c = LSTM (x, w, r, , , h0, c0) t = Concat <axis = 0> (h, c) }",
     1, 1, 1, true},
    {"g (float[1,1,3] x, float[2,1,2] s) => (y, t)" CELL_TEXT
     "{ h0, c0 = Split <axis = 0> (s) y, h, c = LSTM (x, w, r, , , h0, c0) t = Concat <axis = 0> (c, h) }",
     0, 0, 0, false},
    /* a state that is changed between runs is none */
    {"g (float[1,1,3] x, float[1,1,2] h0) => (y, t)" CELL_TEXT
     "{ y, h = LSTM (x, w, r, , , h0) t = Neg (h) }",
     0, 0, 0, false},
    /* the old state is read behind the cell: two arrays */
    {"g (float[1,1,3] x, float[1,1,2] h0) => (h, z)" CELL_TEXT
     "{ y, h = LSTM (x, w, r, , , h0) z = Add (y, h0) }",
     1, 1, 0, false},
};

static void test_state_pairs(void)
{
    for (size_t i = 0; i < sizeof pair_cases / sizeof pair_cases[0]; i++) {
        const PairCase *c = &pair_cases[i];
        Plan *plan = plan_text(c->text, options(METHOD_none, LOWER_AUTO));
        StatePair *pairs = NEW_ARRAY(StatePair, plan->g->num_inputs);
        int count = find_state_pairs(plan->g, pairs);
        if (count != c->count)
            fprintf(stderr, "%d pairs, not %d: %s\n", count, c->count, c->text);
        CU_ASSERT_EQUAL_FATAL(count, c->count);
        if (!count)
            continue;
        CU_ASSERT_EQUAL(pairs[0].input, c->input);
        CU_ASSERT_EQUAL(pairs[0].output, c->output);
        CU_ASSERT_EQUAL(pairs[0].in_place, c->in_place);
    }
}

int main(void)
{
    CU_initialize_registry();
    CU_pSuite s = CU_add_suite("recurrent", NULL, NULL);
    CU_ADD_TEST(s, test_sound_code_passes);
    CU_ADD_TEST(s, test_whole_numbers_are_sound);
    CU_ADD_TEST(s, test_fine_codes);
    CU_ADD_TEST(s, test_what_stays_float);
    CU_ADD_TEST(s, test_whole_numbers_are_close);
    CU_ADD_TEST(s, test_constant_and_not);
    CU_ADD_TEST(s, test_faults_are_found);
    CU_ADD_TEST(s, test_two_ternary_tensors);
    CU_ADD_TEST(s, test_keep);
    CU_ADD_TEST(s, test_state_pairs);
    CU_basic_run_tests();
    bool failed = CU_get_number_of_failures() != 0;
    CU_cleanup_registry();
    return failed;
}
