/* unit_generated.c - random layers of every kind in every lowering, compiled and checked by the machinery of
 * `ternc check`: values against the evaluator, and every ternary weight by impulses. */
#include "check/check.h"
#include "codegen/codegen.h"
#include "support/layers.h"
#include "support/pick.h"

#include <CUnit/Basic.h>
#include <CUnit/CUnit.h>
#include <stdlib.h>

enum { ROUNDS = 3 };

static const char *const builds[][2] = {
    {"gcc", "-O0"},
    {"clang", "-O1"},
    {"gcc", "-O2 -std=c99 -DTN_NO_VECTORS"},
    {"clang", "-O1 -fsanitize=address,undefined -fno-sanitize-recover=undefined"},
};

static const void *random_input(const Graph *g)
{
    float *x = NEW_ARRAY(float, type_elems(g->inputs[0]->type));
    for (int64_t i = 0; i < type_elems(g->inputs[0]->type); i++)
        x[i] = 2 * pick_float();
    return x;
}

static void print_failure(const Plan *plan, const CheckReport *r, const char *flags)
{
    fprintf(stderr, "%s, flags %s\n", layer_text(plan->g->nodes[plan->g->num_nodes - 1]->layer), flags);
    for (int i = 0; i < plan->g->num_nodes; i++)
        if (r->nodes[i].first)
            fprintf(stderr, "  %s\n", r->nodes[i].first);
    if (r->num_layers && r->layers[0].first)
        fprintf(stderr, "  %s\n", r->layers[0].first);
    if (r->num_layers)
        fprintf(stderr, "  wrong %lld missing %lld stray %lld of %lld\n", (long long)r->layers[0].wrong,
                (long long)r->layers[0].missing, (long long)r->layers[0].stray,
                (long long)r->layers[0].checked);
    if (r->problems.len)
        fprintf(stderr, "  %s", r->problems.data);
}

static void check_plan(const Plan *plan, const char *const *build)
{
    const void *input = random_input(plan->g), *const *set = &input;
    Text c = {0}, h = {0}, err = {0};
    emit_c(plan, &c, &h);
    Program *p = program_open(plan, build[0], build[1]);
    bool built = program_build(p, &c, &h, &err);
    if (!built)
        fprintf(stderr, "%s\n", err.data);
    CU_ASSERT_TRUE_FATAL(built);
    CheckReport *r = report_new(plan);
    compare_values(p, &set, 1, r);
    compare_impulses(p, r);
    bool passed = report_passed(plan, r);
    if (!passed)
        print_failure(plan, r, build[1]);
    CU_ASSERT_TRUE(passed);
    program_close(p);
    text_free(&c);
    text_free(&h);
    text_free(&err);
}

/* Each layer in one lowering and build; over the rounds all of both come up. */
static void check_kind(LayerKind kind, bool one_row)
{
    static const Lowering lowerings[] = {LOWER_UNROLL, LOWER_SPARSE, LOWER_PACKED, LOWER_DENSE};
    for (int round = 0; round < ROUNDS; round++)
        for (int i = 0; i < 4; i++) {
            Options opt = {.lowering = lowerings[i],
                           .name = "net",
                           .optimize = pick(0, 1) ? OPTIMIZE_SPEED : OPTIMIZE_SIZE};
            bool ternary = lowerings[i] != LOWER_DENSE || pick(0, 1);
            Layer *l = draw_layer((LayerWish){kind, one_row, ternary, .seen = pick(0, 1)});
            check_plan(layer_plan(layer_graph(l, one_row, pick(0, 1)), &opt), builds[(round + i) % 4]);
        }
}

static void test_convolutions(void)
{
    check_kind(LAYER_CONV, false);
}

static void test_one_dimensional_convolutions(void)
{
    check_kind(LAYER_CONV, true);
}

static void test_transposed_convolutions(void)
{
    check_kind(LAYER_CONV_TRANSPOSE, false);
}

static void test_one_dimensional_transposed_convolutions(void)
{
    check_kind(LAYER_CONV_TRANSPOSE, true);
}

static void test_fully_connected(void)
{
    check_kind(LAYER_FC, false);
}

int main(int argc, char **argv)
{
    pick_seed(argc > 1 ? (uint64_t)strtoull(argv[1], NULL, 10) : 1);
    CU_initialize_registry();
    CU_pSuite s = CU_add_suite("layers", NULL, NULL);
    CU_ADD_TEST(s, test_convolutions);
    CU_ADD_TEST(s, test_one_dimensional_convolutions);
    CU_ADD_TEST(s, test_transposed_convolutions);
    CU_ADD_TEST(s, test_one_dimensional_transposed_convolutions);
    CU_ADD_TEST(s, test_fully_connected);
    CU_basic_run_tests();
    bool failed = CU_get_number_of_failures() != 0;
    CU_cleanup_registry();
    return failed;
}
