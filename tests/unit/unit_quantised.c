/* unit_quantised.c - random layers that read codes, made by the passes from DequantizeLinear, a linear node
 * and QuantizeLinear: the generated C for PCs and for cores that compute otherwise, compiled and run here,
 * against eval_layer, code for code; and eval_layer against the graph as it was. An argument is the seed of
 * the layers. */
#include "layers/layers.h"
#include "support/coded.h"
#include "support/generated.h"
#include "support/pick.h"

#include <CUnit/Basic.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LAYERS = 150, GUARD = 64 };

/* ---- what was met ---- */

static const char *const all_formats[] = {"16-bit sums",
                                          "16-bit sums added into 32 bits",
                                          "two 16-bit sums in a word",
                                          "two 16-bit sums in a word, added into 32 bits",
                                          "32-bit sums",
                                          "products of bytes in 32-bit sums",
                                          "32-bit sums of 16-bit codes"};
enum { NUM_FORMATS = sizeof all_formats / sizeof all_formats[0] };
static int met[NUM_FORMATS][2]; /* [1]: with products of 64 bits */
static int met_dense;           /* convolutions whose rows lie without gaps */

static void meet(const Layer *l, const Options *opt)
{
    met_dense += l->kind != LAYER_FC && conv_frame(l, opt).s.dense;
    for (int i = 0; i < NUM_FORMATS; i++)
        if (!strcmp(layer_format(l)->name, all_formats[i]))
            met[i][l->quantised->wide]++;
}

/* ---- one layer ---- */

typedef enum Fill { FILL_RANDOM, FILL_LOW, FILL_HIGH, NUM_FILLS } Fill;

static void *draw_codes(const Coded *q, int64_t n, Fill fill)
{
    void *x = mem_alloc((size_t)n * dtype_size(q->in));
    const int low = code_low(q->in), high = code_high(q->in);
    const int64_t from = fill == FILL_HIGH ? high : low, to = fill == FILL_LOW ? low : high;
    for (int64_t i = 0; i < n; i++)
        elem_set(x, q->in, i, (double)pick(from, to));
    return x;
}

static const Node *layer_node(const Graph *g)
{
    for (int i = 0; i < g->num_nodes; i++)
        if (g->nodes[i]->op == OP_Layer)
            return g->nodes[i];
    return NULL;
}

/* What may stand beside the layer moves elements only. */
static void compare(const Graph *g, GeneratedRun *run, int64_t arena_bytes, const void *x, const char *about)
{
    const Node *n = layer_node(g);
    const Tensor *y = g->outputs[0];
    int64_t count = type_elems(y->type), bytes = (int64_t)type_bytes(y->type);
    const void *inputs[] = {x};
    void **values = eval_graph(g, inputs);
    float *bound = NEW_ARRAY(float, count);
    void *want = mem_alloc((size_t)bytes);
    eval_layer(n->layer, values[n->in[0]->id], want, bound);
    unsigned char *arena = mem_alloc((size_t)arena_bytes + GUARD), *got = mem_alloc((size_t)bytes + GUARD);
    memset(arena, 0xFF, (size_t)arena_bytes + GUARD);
    memset(got, 0xA5, (size_t)bytes + GUARD);
    run(arena, x, got);
    int64_t wrong = 0;
    for (int64_t i = 0; i < count; i++) {
        double a = elem_get(got, y->type.dtype, i), b = elem_get(want, y->type.dtype, i);
        double limit = y->type.dtype == DT_F32 ? (double)bound[i] + 1e-6 * fabs(b) : 0;
        wrong += !(fabs(a - b) <= limit);
    }
    for (int i = 0; i < GUARD; i++)
        wrong += arena[arena_bytes + i] != 0xFF || got[bytes + i] != 0xA5;
    if (wrong)
        printf("\n%d outputs of %d are wrong: %s\n", (int)wrong, (int)count, about);
    CU_ASSERT(wrong == 0);
    free(values);
}

/* The largest sum as a number: floats that cancel are off by parts of it. */
static double most_sum(const Layer *l)
{
    const Quantised *q = l->quantised;
    double most = 0;
    for (int64_t c = 0; q && q->out == DT_F32 && c < l->co; c++)
        most = fmax(most, fabs((double)l->scale[c]) * fmax(-(double)q->sum_low, (double)q->sum_high));
    return most;
}

/* The largest difference in codes, of what the graph was made for and what it has become. */
static void compare_graphs(const Graph *before, const Graph *after, const void *x, const char *about)
{
    const void *inputs[] = {x};
    void **a = eval_graph(before, inputs), **b = eval_graph(after, inputs);
    const Tensor *y = after->outputs[0];
    DType d = y->type.dtype;
    double worst = 0, most = 0;
    for (int64_t i = 0; i < type_elems(y->type); i++) {
        double u = elem_get(a[before->outputs[0]->id], d, i), v = elem_get(b[y->id], d, i);
        most = fmax(most, fabs(u));
        worst = fmax(worst, fabs(u - v));
    }
    double limit =
        d == DT_F32 ? 1e-3 * (1 + most) + 2 * (double)FLT_EPSILON * most_sum(only_layer(after)) : 1;
    if (!(worst <= limit))
        printf("\nthe layer is off by %g, allowed is %g: %s\n", worst, limit, about);
    CU_ASSERT(worst <= limit);
    free(a);
    free(b);
}

static void test_coded(const Coded *q, const Options *opt, const char *cc, const char *flags, int number)
{
    const Graph *before = coded_graph(q);
    Graph *g = coded_graph(q);
    pass_codes(g, false);
    pass_fuse(g);
    verify_graph(g, "fuse");
    pass_lower(g, opt);
    const Layer *l = only_layer(g);
    CU_ASSERT_PTR_NOT_NULL_FATAL(l);
    CU_ASSERT_PTR_NOT_NULL_FATAL(l->quantised);
    const char *about = mem_printf("%d: %s, %s, %s%s, lowering %s, for %s, %s %s", number, coded_text(q),
                                   layer_format(l)->name, l->quantised->wide ? "wide, " : "",
                                   opt->optimize == OPTIMIZE_SIZE ? "size" : "speed",
                                   lowering_name(l->lowering), opt->target, cc, flags);
    meet(l, opt);
    bool sole = g->nodes[g->num_nodes - 1] == layer_node(g) && l->quantised->out == q->out;
    if (!sole)
        printf("\nnot one layer: %s\n", about);
    CU_ASSERT(sole);
    const Plan *p = plan_graph(g, opt);
    GeneratedRun *run = generated_run(p, cc, flags);
    for (Fill f = 0; sole && f < NUM_FILLS; f++) {
        const void *x = draw_codes(q, type_elems(g->inputs[0]->type), f);
        compare(g, run, p->arena_bytes, x, about);
        compare_graphs(before, g, x, about);
    }
}

/* ---- tests ---- */

static const char *const targets[] = {"generic", "cortex-m4", "cortex-m0", "x86-64-v4"};
static const char *const compilers[] = {"gcc", "clang"};
static const char *const flags[] = {
    "-O1 -march=native", "-O1 -march=native -DTN_NO_VECTORS", "-O1",
    "-O1 -DTN_NO_VECTORS -fsanitize=undefined -fsanitize-undefined-trap-on-error"};

static void test_with(const Coded *q, Lowering lowering, Optimize optimize, const char *target,
                      const char *cc, const char *cflags, int number)
{
    Options opt = {.lowering = q->l->codes ? lowering : LOWER_DENSE,
                   .optimize = optimize,
                   .target = target,
                   .name = "net"};
    test_coded(q, &opt, cc, cflags, number);
}

static void test_for(const Coded *q, Lowering lowering, Optimize optimize, const char *target, int number)
{
    test_with(q, lowering, optimize, target, compilers[pick(0, 1)], flags[pick(0, 3)], number);
}

static void test_somewhere(const Coded *q, Lowering lowering, const char *target, int number)
{
    test_for(q, lowering, pick(0, 1) ? OPTIMIZE_SIZE : OPTIMIZE_SPEED, target, number);
}

static LayerWish draw_wish(int i)
{
    LayerWish wish = {.kind = i % 4 ? LAYER_CONV : LAYER_FC, .ternary = pick(0, 4)};
    wish.one_row = wish.kind == LAYER_CONV && !pick(0, 3);
    return wish;
}

/* Half of them unrolled, where number formats differ. */
static void test_random_layers(void)
{
    for (int i = 0; i < LAYERS; i++) {
        const Coded *q = draw_coded(draw_wish(i), pick(0, 3));
        Lowering lowering = pick(0, 1) ? LOWER_UNROLL : (Lowering)pick(LOWER_UNROLL, LOWER_DENSE);
        test_somewhere(q, lowering, targets[i % 3], i);
    }
}

/* Sums of so many terms of one sign that 16 bits do not hold them, or that no factor in 32 bits is exact
 * enough. share: see coded_set_steps. */
static Coded *draw_long(LayerKind kind, int64_t inputs, int64_t outputs, int64_t kernel, int64_t size,
                        double share)
{
    Coded *q = draw_coded((LayerWish){.kind = kind, .ternary = true}, true);
    q->l = draw_weights(kind, 1, inputs, outputs, kernel, 1, size, .95);
    int8_t *codes = NEW_ARRAY(int8_t, layer_weight_count(q->l));
    for (int64_t i = 0; i < layer_weight_count(q->l); i++)
        codes[i] = (int8_t)abs(q->l->codes[i]);
    q->l->codes = codes;
    q->alpha = NEW_ARRAY(float, q->l->co);
    for (int64_t c = 0; c < q->l->co; c++)
        q->alpha[c] = 0.1f * (float)(c + 1);
    q->in = DT_U8;
    q->in_zero = 0;
    q->bias = NULL;
    q->act = (Activation){.kind = ACT_NONE};
    coded_set_steps(q, share);
    return q;
}

static void test_long_sums(void)
{
    for (int i = 0; i < 3; i++) {
        test_somewhere(draw_long(LAYER_CONV, 30, 3, 3, 7, 1), LOWER_UNROLL, targets[i], i);
        test_somewhere(draw_long(LAYER_CONV, 400, 3, 5, 6, 10), LOWER_UNROLL, targets[i], i);
        test_somewhere(draw_long(LAYER_FC, 9000, 3, 1, 1, 10), LOWER_PACKED, targets[i], i);
    }
}

/* Rows of which several go into a vector, with padding that is not 0. */
static void test_short_rows(void)
{
    for (int i = 0; i < 4; i++) {
        const int64_t pad = i % 3, kernel = 3 + 2 * (i % 2);
        Coded *q = draw_long(LAYER_CONV, 12, 20, kernel, kernel + 4 - 2 * pad, 1);
        Layer *l = q->l;
        q->in_zero = 7;
        l->pt = l->pb = l->pl = l->pr = pad;
        l->oh = l->ow = l->oh + 2 * pad;
        test_for(q, LOWER_UNROLL, OPTIMIZE_SPEED, "x86-64-v4", i);
    }
}

/* More inputs and outputs than vectors have numbers, and some beside those. */
static void test_wide_rows(void)
{
    static const int64_t outputs[] = {75, 3, 130, 12};
    for (int i = 0; i < 8; i++) {
        Coded *q = draw_long(LAYER_FC, 270 + i, outputs[i % 4], 1, 1, 1);
        Layer *l = q->l;
        int8_t *whole = NEW_ARRAY(int8_t, layer_weight_count(l));
        for (int64_t k = 0; k < layer_weight_count(l); k++)
            whole[k] = (int8_t)(i < 4 ? -l->codes[k] : pick(0, 3) ? INT8_MAX : -INT8_MAX);
        *(i < 4 ? &l->codes : &l->ints) = whole;
        if (i >= 4)
            l->codes = NULL;
        q->in = i % 2 ? DT_I8 : DT_U8;
        test_somewhere(q, LOWER_PACKED, targets[i % 4], i);
    }
}

/* Flags of machines that this one can be. */
static int runnable_flags(const char **found)
{
    static const struct {
        const char *flags, *hosts;
    } machines[] = {{"-march=native", ""},
                    {"-DTN_NO_VECTORS", ""},
                    {"-msse2", "x86-64 x86-64-v3 x86-64-v4"},
                    {"-mssse3", "x86-64-v3 x86-64-v4"},
                    {"-mavx", "x86-64-v3 x86-64-v4"},
                    {"-march=x86-64-v3", "x86-64-v3 x86-64-v4"},
                    {"-mavx512f", "x86-64-v4"},
                    {"-march=x86-64-v4", "x86-64-v4"}};
    int n = 0;
    for (size_t i = 0; i < sizeof machines / sizeof machines[0]; i++)
        if (!machines[i].hosts[0] || strstr(machines[i].hosts, host_target()))
            found[n++] = mem_printf("-O1 %s", machines[i].flags);
    return n;
}

/* By every instruction that multiplies bytes, and where there is none; sums that leave 16 bits, too. */
static void test_bytes(void)
{
    const char *machines[8];
    const int n = runnable_flags(machines);
    for (int i = 0; i < n; i++) {
        const char *cc = compilers[pick(0, 1)];
        const Coded *q = draw_coded((LayerWish){.kind = LAYER_CONV, .ternary = i % 3 > 0}, pick(0, 3));
        test_with(q, LOWER_DENSE, OPTIMIZE_SPEED, "x86-64-v4", cc, machines[i], i);
        q = draw_long(LAYER_CONV, 50 + i, 9, 3, 7, 1);
        test_with(q, LOWER_DENSE, OPTIMIZE_SPEED, "x86-64-v4", cc, machines[i], i);
    }
}

static Lowering chosen(int64_t inputs, int64_t outputs, const char *target)
{
    const Options opt = {.lowering = LOWER_AUTO, .optimize = OPTIMIZE_SPEED, .target = target, .name = "net"};
    Graph *g = coded_graph(draw_long(LAYER_CONV, inputs, outputs, 3, 5, 1));
    pass_codes(g, false);
    pass_fuse(g);
    pass_lower(g, &opt);
    return only_layer(g)->lowering;
}

/* What is too large to be unrolled multiplies bytes: by vectors, or one by one where maps are small. */
static void test_choice(void)
{
    CU_ASSERT(chosen(900, 130, "x86-64-v4") == LOWER_DENSE);
    CU_ASSERT(chosen(900, 130, "x86-64-v3") == LOWER_DENSE);
    CU_ASSERT(chosen(900, 130, "aarch64") == LOWER_DENSE);
    CU_ASSERT(chosen(900, 130, "cortex-m4") == LOWER_DENSE);
    CU_ASSERT(chosen(30, 16, "x86-64-v4") == LOWER_UNROLL);
    CU_ASSERT(chosen(30, 16, "x86-64-v3") == LOWER_UNROLL);
    CU_ASSERT(chosen(30, 16, "cortex-m4") == LOWER_UNROLL);
}

static void test_all_met(void)
{
    for (int i = 0; i < NUM_FORMATS; i++) {
        printf("\n%s: %d, wide %d", all_formats[i], met[i][0], met[i][1]);
        CU_ASSERT(met[i][0] + met[i][1] > 0);
    }
    printf("\nwithout gaps: %d", met_dense);
    CU_ASSERT(met_dense > 2);
    CU_ASSERT(met[1][1] > 0); /* what takes 64 bits has long sums, and is never in pairs */
    CU_ASSERT(met[4][1] > 0);
}

int main(int argc, char **argv)
{
    pick_seed(argc > 1 ? (uint64_t)strtoull(argv[1], NULL, 10) : 1);
    CU_initialize_registry();
    CU_pSuite s = CU_add_suite("quantised layers", NULL, NULL);
    CU_add_test(s, "random layers in every lowering", test_random_layers);
    CU_add_test(s, "long sums", test_long_sums);
    CU_add_test(s, "short rows", test_short_rows);
    CU_add_test(s, "wide rows", test_wide_rows);
    CU_add_test(s, "products of bytes", test_bytes);
    CU_add_test(s, "choice of bytes", test_choice);
    CU_add_test(s, "every number format was met", test_all_met);
    CU_basic_set_mode(CU_BRM_VERBOSE);
    CU_basic_run_tests();
    return CU_get_number_of_failures() != 0;
}
