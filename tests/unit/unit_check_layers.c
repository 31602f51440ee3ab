/* unit_check_layers.c - `ternc check` on what becomes a layer of some other shape than its node has: a
 * constant at the left or right of MatMul and Gemm with inputs of every rank, and poolings that stay nodes of
 * their own. Each graph is compiled in every lowering; the impulses must find every weight, and nothing else.
 */
#include "check/check.h"
#include "codegen/codegen.h"
#include "graph/op.h"
#include "pipeline.h"
#include "support/text.h"

#include <CUnit/Basic.h>
#include <stdlib.h>

typedef struct Case {
    const char *name, *text;
} Case;

static const Case cases[] = {
    {"left",
     "left (float[4] a, float[4,3] b, float[4,1] c, float[2,4,3] d, float[1,4,5] e, float[3,4,1] f,"
     " float[2,3,4,5] h, float[1,1,4,6] i, float[2,1,4,1] j, float[2,1,3,4,5] k, float[1,1,1,4,2] l)"
     " => (ya, yb, yc, yd, ye, yf, yh, yi, yj, yk, yl) <float[5,4] w = seed 1, float[1,1,5,4] v = seed 2> {"
     " ya = MatMul (w, a)\n yb = MatMul (w, b)\n yc = MatMul (w, c)\n yd = MatMul (w, d)\n"
     " ye = MatMul (v, e)\n yf = MatMul (w, f)\n yh = MatMul (w, h)\n yi = MatMul (v, i)\n"
     " yj = MatMul (w, j)\n yk = MatMul (v, k)\n yl = MatMul (w, l) }"},
    {"left_epilogue", /* what the layers take over behind them */
     "left_epilogue (float[2,4,6] a, float[4,6] b, float[2,3,4,6] c) => (y, z, u)"
     " <float[5,4] w = seed 3, float[5,1] o = seed 4> {"
     " p = MatMul (w, a)\n q = Add (p, o)\n r = Relu (q)\n y = MaxPool <kernel_shape = [2], strides = [2]> "
     "(r)\n"
     " s = MatMul (w, b)\n t = Mul (s, o)\n z = Sigmoid (t)\n v = MatMul (w, c)\n u = Add (v, o) }"},
    {"right", "right (float[4] a, float[3,4] b, float[2,3,4] c, float[2,3,1,4] d, float[2,1,3,2,4] e)"
              " => (ya, yb, yc, yd, ye) <float[4,5] w = seed 5, float[1,4,5] v = seed 6> {"
              " ya = MatMul (a, w)\n yb = MatMul (b, w)\n yc = MatMul (c, v)\n yd = MatMul (d, w)\n ye = "
              "MatMul (e, v) }"},
    {"gemm_a",
     "gemm_a (float[4,3] a, float[4,1] b, float[1,4] c, float[3,4] d) => (ya, yb, yc, yd, ye, yf, yg)"
     " <float[5,4] w = seed 7, float[4,5] v = seed 8, float[5,1] o = seed 9, float[3] k = seed 10> {"
     " ya = Gemm (w, a)\n yb = Gemm <transA = 1> (v, a, o)\n yc = Gemm <alpha = 0.5> (w, b, o)\n"
     " yd = Gemm <transA = 1, transB = 1> (v, c, o)\n ye = Gemm <transB = 1> (w, d)\n"
     " yf = Gemm <transA = 1> (v, a, k)\n yg = Gemm <transB = 1, beta = 2.0> (w, c, o) }"},
    {"gemm_b", "gemm_b (float[3,4] a, float[1,4] b, float[4,1] c, float[4,3] d) => (ya, yb, yc, yd, ye)"
               " <float[4,5] w = seed 11, float[5,4] v = seed 12, float[5] o = seed 13> {"
               " ya = Gemm (a, w, o)\n yb = Gemm <transB = 1> (b, v, o)\n yc = Gemm <transA = 1> (c, w)\n"
               " yd = Gemm <transA = 1, transB = 1> (c, v, o)\n ye = Gemm <transA = 1> (d, w, o) }"},
    {"pools", "pools (float[2,3,5] a, float[1,2,3,4] b, float[1,4,3,3] c) => (ya, yb, yc, yd)"
              " <float[3,2,3] w = seed 14, float[2,2,2,3] v = seed 15, float[4,1,2,2] z = seed 16> {"
              " p = ConvTranspose <strides = [2]> (a, w)\n q = Relu (p)\n ya = MaxPool <kernel_shape = [2], "
              "strides = [2]> (q)\n"
              " r = ConvTranspose <strides = [2, 1]> (b, v)\n yb = GlobalAveragePool (r)\n"
              " s = ConvTranspose (b, v)\n t = Sigmoid (s)\n yc = GlobalMaxPool (t)\n"
              " u = ConvTranspose <group = 4, strides = [2, 2]> (c, z)\n"
              " yd = AveragePool <kernel_shape = [2, 3], strides = [2, 3]> (u) }"},
};

/* None of the weights stays float: there is nothing to prove then. */
static bool has_float_layer(const Plan *plan)
{
    for (int i = 0; i < plan->g->num_nodes; i++)
        if (plan->g->nodes[i]->layer && !plan->g->nodes[i]->layer->codes)
            return true;
    return false;
}

static void check_case(const Case *c, Options *opt)
{
    Model *m = text_read(c->name, c->text);
    pipeline_prepare(m, opt);
    pipeline_ternarize(m, opt);
    Plan *plan = pipeline_lower(m, opt);
    CU_ASSERT_EQUAL(has_float_layer(plan), opt->method == METHOD_none);
    const DataOptions data = {.scale = 1};
    const CheckInputs from = {.data = &data, .samples = 1, .seed = 1};
    int num_sets;
    const void *const *const *sets = make_input_sets(plan->g, &from, &num_sets);
    Text code = {0}, header = {0}, err = {0};
    emit_c(plan, &code, &header);
    Program *p = program_open(plan, "clang", "-O1");
    if (!program_build(p, &code, &header, &err))
        fail("%s: %s", c->name, err.data);
    CheckReport *r = report_new(plan);
    compare_values(p, sets, num_sets, r);
    compare_impulses(p, r);
    if (!report_passed(plan, r)) {
        fprintf(stderr, "%s, %s: %s\n", c->name, lowering_name(opt->lowering), r->problems.data);
        for (int i = 0; i < r->num_layers; i++)
            fprintf(stderr, "layer %d: %s\n", i,
                    r->layers[i].first ? r->layers[i].first : "no single weight is wrong");
    }
    CU_ASSERT(report_passed(plan, r));
    program_close(p);
    text_free(&code);
    text_free(&header);
    text_free(&r->problems);
}

static void try_case(const Case *c, Method method, Lowering lowering)
{
    static const char *const keep[] = {"none"};
    Trap trap;
    if (CATCH(&trap)) {
        fprintf(stderr, "%s, %s: %s\n", c->name, lowering_name(lowering), trap.message);
        CU_FAIL("an error");
        return;
    }
    Options *opt = NEW(Options);
    *opt = (Options){.method = method, .lowering = lowering, .name = c->name, .quiet = true};
    if (method != METHOD_none)
        opt->keep = keep, opt->num_keep = 1;
    check_case(c, opt);
    trap_end();
}

static void test_ternary(void)
{
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (Lowering l = LOWER_AUTO; l < NUM_LOWERINGS; l++)
            try_case(&cases[i], METHOD_twn, l);
}

static void test_float(void)
{
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        try_case(&cases[i], METHOD_none, LOWER_AUTO);
}

int main(void)
{
    CU_initialize_registry();
    CU_pSuite s = CU_add_suite("check of layers", NULL, NULL);
    CU_add_test(s, "ternary weights in every lowering", test_ternary);
    CU_add_test(s, "float weights", test_float);
    CU_basic_run_tests();
    int failures = (int)CU_get_number_of_failures();
    CU_cleanup_registry();
    return failures != 0;
}
