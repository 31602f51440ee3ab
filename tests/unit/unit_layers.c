/* unit_layers.c - random linear layers in every lowering: the generated C, compiled and run, against
 * eval_layer. An argument is the seed of the layers. */
#include "support/generated.h"
#include "support/layers.h"
#include "support/pick.h"

#include <CUnit/Basic.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LAYERS = 150 };

static float *draw_floats(int64_t n)
{
    float *v = NEW_ARRAY(float, n);
    for (int64_t i = 0; i < n; i++)
        v[i] = pick_float();
    return v;
}

/* The largest error as a share of the bound; the arena is filled with NaN and watched at its end. */
static double worst_error(const Layer *l, GeneratedRun *run, int64_t arena_bytes)
{
    int64_t ni = type_elems(layer_input_type(l, false)), no = type_elems(layer_output_type(l, false));
    float *x = draw_floats(ni), *neg = NEW_ARRAY(float, ni), *y = NEW_ARRAY(float, no),
          *want = NEW_ARRAY(float, no);
    float *bound = NEW_ARRAY(float, no);
    for (int64_t i = 0; i < ni; i++)
        neg[i] = -x[i];
    eval_layer(l, neg, want, bound);
    unsigned char *arena = mem_alloc((size_t)arena_bytes + 64);
    memset(arena, 0xFF, (size_t)arena_bytes + 64);
    run(arena, x, y);
    double worst = 0;
    for (int64_t i = 0; i < no; i++) {
        double limit = (double)bound[i] + 1e-6 * fabs((double)want[i]); /* activations: some ulp */
        double err = fabs((double)y[i] - (double)want[i]);
        err = err == 0 ? 0 : limit > 0 ? err / limit : INFINITY;
        worst = err <= worst ? worst : err;
    }
    for (int i = 0; i < 64; i++)
        CU_ASSERT_EQUAL(arena[arena_bytes + i], 0xFF);
    return worst;
}

/* The layer stands behind a Neg: its input is in the arena, so that it may be read directly. */
static void test_layer(Layer *l, bool one_row, Lowering lowering, int i)
{
    static const char *const compilers[] = {"gcc", "clang"};
    static const char *const flags[] = {"-O1 -march=native", "-O1 -DTN_NO_VECTORS", "-O1"};
    Options opt = {.lowering = lowering, .optimize = i % 2 ? OPTIMIZE_SIZE : OPTIMIZE_SPEED, .name = "net"};
    const Plan *p = layer_plan(layer_graph(l, one_row, true), &opt);
    GeneratedRun *run = generated_run(p, compilers[i % 2], flags[i % 3]);
    double worst = worst_error(l, run, p->arena_bytes);
    if (!(worst <= 1))
        printf("\nlayer %d: error %g of the bound: %s\n", i, worst, layer_text(l));
    CU_ASSERT(worst <= 1);
}

/* One in four is fully connected; of the convolutions one in three is transposed. */
static void test_random_layers(void)
{
    for (int i = 0; i < LAYERS; i++) {
        LayerWish wish = {.kind = LAYER_FC, .ternary = pick(0, 4)};
        if (i % 4) {
            wish.kind = pick(0, 2) ? LAYER_CONV : LAYER_CONV_TRANSPOSE;
            wish.one_row = !pick(0, 3);
        }
        Lowering lowering = wish.ternary ? (Lowering)(LOWER_UNROLL + i / 4 % 4) : LOWER_DENSE;
        test_layer(draw_layer(wish), wish.one_row, lowering, i);
    }
}

int main(int argc, char **argv)
{
    pick_seed(argc > 1 ? (uint64_t)strtoull(argv[1], NULL, 10) : 1);
    CU_initialize_registry();
    CU_pSuite s = CU_add_suite("layers", NULL, NULL);
    CU_add_test(s, "random layers in every lowering", test_random_layers);
    CU_basic_set_mode(CU_BRM_VERBOSE);
    CU_basic_run_tests();
    return CU_get_number_of_failures() != 0;
}
