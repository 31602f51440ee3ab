/* unit_lower.c - the form that each layer gets: limits, predictions, shared sums; and what is said of the
 * adds against the generated text. */
#include "codegen/codegen.h"
#include "passes/passes.h"
#include "support/layers.h"

#include <CUnit/Basic.h>
#include <string.h>

enum { TEXT_LAYERS = 12 };

/* Of weights of which `percent` are not 0. */
static Layer *make_layer(LayerKind kind, int64_t ci, int64_t co, int64_t kernel, int64_t size,
                         uint32_t percent)
{
    return draw_weights(kind, 1, ci, co, kernel, 1, size, percent / 100.0);
}

static Graph *lower(Layer *l, Options *opt)
{
    Graph *g = layer_graph(l, false, false);
    opt->name = "net";
    pass_lower(g, opt);
    return g;
}

static Lowering choose(const char *target, Optimize aim, Layer *l)
{
    Options opt = {.target = target, .optimize = aim};
    lower(l, &opt);
    return l->lowering;
}

static void test_extremes(void)
{
    static const char *const pcs[] = {"x86-64-v4", "x86-64-v3", "x86-64"};
    for (int i = 0; i < 3; i++) {
        CU_ASSERT_EQUAL(choose(pcs[i], OPTIMIZE_SPEED, make_layer(LAYER_FC, 1024, 1024, 1, 1, 2)),
                        LOWER_UNROLL);
        CU_ASSERT_EQUAL(choose(pcs[i], OPTIMIZE_SPEED, make_layer(LAYER_FC, 1024, 1024, 1, 1, 50)),
                        LOWER_PACKED);
        CU_ASSERT_EQUAL(choose(pcs[i], OPTIMIZE_SPEED, make_layer(LAYER_CONV, 32, 64, 5, 12, 50)),
                        LOWER_UNROLL);
        CU_ASSERT_EQUAL(choose(pcs[i], OPTIMIZE_SIZE, make_layer(LAYER_FC, 1024, 1024, 1, 1, 2)),
                        LOWER_SPARSE);
    }
    CU_ASSERT_EQUAL(choose("cortex-m4", OPTIMIZE_SIZE, make_layer(LAYER_CONV, 32, 32, 3, 8, 90)),
                    LOWER_PACKED);
    CU_ASSERT_EQUAL(choose("cortex-m4", OPTIMIZE_SIZE, make_layer(LAYER_CONV, 32, 32, 3, 8, 2)),
                    LOWER_SPARSE);
    CU_ASSERT_EQUAL(choose("cortex-m4", OPTIMIZE_SPEED, make_layer(LAYER_CONV, 32, 32, 3, 8, 50)),
                    LOWER_UNROLL);
}

/* For speed no form is predicted to be much faster than what is taken, but for fully connected layers
 * multiplying floats; for size none without multiplications smaller. */
static void test_least(void)
{
    static const char *const machines[] = {NULL, "x86-64-v4", "cortex-m4", "cortex-m0", "rv32imafc", "avr"};
    for (int i = 0; i < 48; i++) {
        static const uint32_t densities[] = {1, 5, 20, 60};
        LayerKind kind = i % 2 ? LAYER_FC : LAYER_CONV;
        int64_t kernel = kind == LAYER_FC ? 1 : 3;
        for (Optimize aim = OPTIMIZE_SPEED; aim <= OPTIMIZE_SIZE; aim++) {
            Layer *l = make_layer(kind, 24, 20, kernel, kind == LAYER_FC ? 1 : 9, densities[i / 2 % 4]);
            Lowering taken = choose(machines[i / 8], aim, l);
            CU_ASSERT(aim == OPTIMIZE_SPEED || taken != LOWER_DENSE);
            for (Lowering form = LOWER_UNROLL; form <= LOWER_DENSE; form++) {
                if (form == LOWER_DENSE && (aim == OPTIMIZE_SIZE || kind == LAYER_FC))
                    continue;
                CU_ASSERT(l->time[form] > 0 && l->bytes[form] > 0);
                double most = aim == OPTIMIZE_SPEED ? 1.1 * l->time[form] : 1.1 * (double)l->bytes[form];
                CU_ASSERT((aim == OPTIMIZE_SPEED ? l->time[taken] : (double)l->bytes[taken]) <= most);
            }
        }
    }
}

/* Layers of codes have prices of their own on microcontrollers: forms are compared with multiplying by bytes
 * as well, and on a core without a float unit an add is no call. */
static void test_codes(void)
{
    static const char *const machines[] = {"cortex-m0", "cortex-m3", "cortex-m4", "rv32imac", "rv32imafc"};
    static const uint32_t densities[] = {2, 20, 60};
    for (int i = 0; i < 30; i++) {
        LayerKind kind = i % 2 ? LAYER_FC : LAYER_CONV;
        Layer *l = make_layer(kind, 40, 24, i % 2 ? 1 : 3, i % 2 ? 1 : 9, densities[i / 2 % 3]);
        make_codes(l, i % 4 ? 0 : -3, ANY_CODES);
        for (Optimize aim = OPTIMIZE_SPEED; aim <= OPTIMIZE_SIZE; aim++) {
            Lowering taken = choose(machines[i / 6], aim, l);
            for (Lowering form = LOWER_UNROLL; form <= LOWER_DENSE; form++) {
                CU_ASSERT(l->time[form] > 0 && l->bytes[form] > 0);
                CU_ASSERT(aim == OPTIMIZE_SIZE || l->time[taken] <= 1.1 * l->time[form]);
                CU_ASSERT(aim == OPTIMIZE_SPEED || form == LOWER_DENSE ||
                          (double)l->bytes[taken] <= 1.1 * (double)l->bytes[form]);
            }
            CU_ASSERT(aim == OPTIMIZE_SIZE ? taken != LOWER_DENSE : l->time[taken] <= l->time[LOWER_DENSE]);
        }
    }
}

/* What a run takes as codes is a small share of what it takes as floats. */
static void test_codes_without_floats(void)
{
    static const char *const machines[] = {"cortex-m0", "rv32imac"};
    for (int i = 0; i < 2; i++) {
        Layer *floats = make_layer(LAYER_CONV, 16, 16, 3, 12, 50), *codes = NEW(Layer);
        *codes = *floats;
        make_codes(codes, 0, ANY_CODES);
        choose(machines[i], OPTIMIZE_SPEED, floats);
        choose(machines[i], OPTIMIZE_SPEED, codes);
        CU_ASSERT(codes->lowering == LOWER_UNROLL && floats->lowering == LOWER_UNROLL);
        CU_ASSERT(20 * codes->time[LOWER_UNROLL] < floats->time[LOWER_UNROLL]);
        CU_ASSERT(codes->bytes[LOWER_UNROLL] < floats->bytes[LOWER_UNROLL]);
    }
}

static void test_limits(void)
{
    Layer *l = make_layer(LAYER_FC, 1024, 1024, 1, 1, 20);
    CU_ASSERT_NOT_EQUAL(choose("cortex-m4", OPTIMIZE_SPEED, l), LOWER_UNROLL);
    CU_ASSERT(l->time[LOWER_UNROLL] < 0);
    Options opt = {.lowering = LOWER_UNROLL};
    lower(l, &opt);
    CU_ASSERT_EQUAL(l->lowering, LOWER_UNROLL);
    CU_ASSERT(l->time[LOWER_UNROLL] > 0);
    l->codes = NULL;
    l->weights = NEW_ARRAY(float, 1024 * 1024);
    CU_ASSERT_EQUAL(choose(NULL, OPTIMIZE_SPEED, l), LOWER_DENSE);
    CU_ASSERT(l->time[LOWER_DENSE] > 0 && l->time[LOWER_PACKED] < 0);
}

/* Layers of more terms than are unrolled: by sums of four, or by lists, as many weights are left. */
static void test_large(void)
{
    static const char *const pcs[] = {"x86-64-v4", "x86-64-v3", "x86-64"};
    for (int i = 0; i < 3; i++) {
        Layer *half = make_layer(LAYER_CONV, 512, 512, 3, 6, 50);
        CU_ASSERT_EQUAL(choose(pcs[i], OPTIMIZE_SPEED, half), LOWER_PACKED);
        CU_ASSERT(half->form->sums && half->time[LOWER_UNROLL] < 0);
    }
    Layer *few = make_layer(LAYER_CONV, 1536, 1536, 3, 4, 5);
    CU_ASSERT_EQUAL(choose("x86-64-v3", OPTIMIZE_SPEED, few), LOWER_SPARSE);
    CU_ASSERT(few->form->vectors && few->time[LOWER_UNROLL] < 0);
    Layer *small = make_layer(LAYER_CONV, 64, 64, 3, 6, 50);
    Options opt = {.target = "cortex-m4", .lowering = LOWER_PACKED};
    lower(small, &opt);
    CU_ASSERT(!small->form->vectors);
}

static void test_sharing(void)
{
    Layer *dense = make_layer(LAYER_CONV, 32, 64, 5, 12, 50),
          *thin = make_layer(LAYER_CONV, 32, 64, 5, 12, 1);
    choose("x86-64-v4", OPTIMIZE_SPEED, dense);
    CU_ASSERT(dense->share_taps > 1 && (double)dense->adds < 0.85 * (double)dense->terms);
    choose("x86-64-v4", OPTIMIZE_SPEED, thin);
    CU_ASSERT(thin->adds <= thin->terms);
    choose("cortex-m0", OPTIMIZE_SPEED, dense); /* adds are calls: fewer take less time, but more bytes */
    CU_ASSERT(dense->share_taps > 1 && (double)dense->adds < 0.85 * (double)dense->terms);
    choose("cortex-m0", OPTIMIZE_SIZE, dense);
    CU_ASSERT(dense->share_taps == 1 && dense->adds == dense->terms);
}

static int count_text_of(const char *text, const char *word)
{
    int n = 0;
    for (; (text = strstr(text, word)); n++)
        text += strlen(word);
    return n;
}

/* Adds of the text: to accumulators, and those that make a pair, "v8 = v0 - v1;". */
static int count_adds(const char *text)
{
    int n = 0;
    for (const char *p = text; (p = strstr(p, " v")); p++) {
        int v, a, b;
        char sign;
        n += sscanf(p, " v%d = v%d %c v%d;", &v, &a, &sign, &b) == 4;
    }
    return n + count_text_of(text, " += v") + count_text_of(text, " -= v") + count_text_of(text, " TN_ADD(a");
}

/* The C of layer l, unrolled: its text adds what the layer's report says. Returns its functions of terms. */
static int check_text(Layer *l, const char *target)
{
    Options opt = {.lowering = LOWER_UNROLL, .target = target};
    Text c = {0}, h = {0};
    emit_c(plan_graph(lower(l, &opt), &opt), &c, &h);
    const char *terms = strstr(c.data, "layer0_0_0_0");
    CU_ASSERT_PTR_NOT_NULL_FATAL(terms);
    if (!terms)
        return 0;
    CU_ASSERT_EQUAL(count_adds(terms), l->adds / (l->oh * l->ow));
    CU_ASSERT_PTR_NOT_NULL(strstr(c.data, mem_printf("%lld with shared sums", (long long)l->adds)));
    int functions = count_text_of(c.data, "static TN_APART void");
    text_free(&c);
    text_free(&h);
    return functions;
}

static int count_fetches(Layer *l, const char *target)
{
    Options opt = {.lowering = LOWER_UNROLL, .target = target};
    Text c = {0}, h = {0};
    emit_c(plan_graph(lower(l, &opt), &opt), &c, &h);
    int n = count_text_of(c.data, "tn_fetch_code((uintptr_t)layer0_0_");
    int functions = count_text_of(c.data, "static TN_APART void");
    text_free(&c);
    text_free(&h);
    return n ? functions - n : -1;
}

/* Where a layer has much code, every function but the last is followed by code that fetches the next one. */
static void test_fetches(void)
{
    CU_ASSERT_EQUAL(count_fetches(make_layer(LAYER_CONV, 64, 96, 3, 6, 50), "x86-64-v4"), 1);
    CU_ASSERT_EQUAL(count_fetches(make_layer(LAYER_CONV, 64, 96, 3, 6, 50), "x86-64"), 1);
    CU_ASSERT_EQUAL(count_fetches(make_layer(LAYER_CONV, 64, 96, 3, 6, 50), "cortex-m4"), -1);
    CU_ASSERT_EQUAL(count_fetches(make_layer(LAYER_CONV, 64, 64, 3, 6, 50), "x86-64-v4"), -1);
}

static void test_text(void)
{
    for (uint32_t i = 0; i < TEXT_LAYERS; i++)
        check_text(make_layer(LAYER_CONV, 5 + i, 9 + i, 3, 6, 8 * i + 4), i % 2 ? "x86-64-v4" : "x86-64");
}

static void test_blocks(void)
{
    CU_ASSERT_EQUAL(check_text(make_layer(LAYER_CONV, 3, 28, 3, 6, 10), "x86-64-v4"), 1);
    CU_ASSERT_EQUAL(check_text(make_layer(LAYER_CONV, 3, 28, 3, 6, 50), "x86-64-v4"), 2);
    CU_ASSERT_EQUAL(check_text(make_layer(LAYER_CONV, 3, 28, 3, 6, 10), "x86-64-v3"), 2);
}

int main(void)
{
    CU_initialize_registry();
    CU_pSuite s = CU_add_suite("lower", NULL, NULL);
    CU_add_test(s, "the extremes", test_extremes);
    CU_add_test(s, "the least time, the fewest bytes", test_least);
    CU_add_test(s, "layers of codes", test_codes);
    CU_add_test(s, "codes on cores without a float unit", test_codes_without_floats);
    CU_add_test(s, "limits", test_limits);
    CU_add_test(s, "large convolutions", test_large);
    CU_add_test(s, "shared sums", test_sharing);
    CU_add_test(s, "adds of the generated text", test_text);
    CU_add_test(s, "blocks of channels", test_blocks);
    CU_add_test(s, "code is fetched ahead", test_fetches);
    CU_basic_set_mode(CU_BRM_VERBOSE);
    CU_basic_run_tests();
    return CU_get_number_of_failures() != 0;
}
