/* unit_unroll.c - the adds of blocks as data (layers/unroll.c): executed here, they are the sums of the
 * ternary weights; what is counted of them is what they are; functions keep their length. */
#include "layers/layers.h"
#include "passes/passes.h"
#include "support/layers.h"
#include "support/pick.h"

#include <CUnit/Basic.h>
#include <string.h>

enum { LAYERS = 150, INPUTS = 1 << 16 };

/* Whole numbers, whose sums are exact in any order. */
static int64_t inputs[INPUTS];

static int64_t input_at(int64_t offset)
{
    CU_ASSERT(offset >= 0 && offset < INPUTS);
    return inputs[offset & (INPUTS - 1)];
}

/* What execution meets, to compare with what the block says of itself. */
typedef struct Met {
    int64_t adds, taps, pairs, fused, plain;
} Met;

/* sums[j]: of output first + j. A variable is read only where the same function has made it. */
static Met execute(const UnrolledBlock *b, int64_t *sums)
{
    int64_t vars[MAX_SHARE_TAPS + MAX_PAIRS];
    bool made[MAX_SHARE_TAPS + MAX_PAIRS];
    Met met = {0};
    for (int f = 0, i = 0; f < b->size.functions; f++) {
        memset(made, 0, sizeof made);
        for (; i < b->ends[f]; i++) {
            const Statement *s = &b->statements[i];
            CU_ASSERT(s->kind == STATEMENT_LOAD || made[s->a]);
            CU_ASSERT(s->kind != STATEMENT_PAIR || made[s->b]);
            if (s->kind == STATEMENT_LOAD)
                vars[s->to] = input_at(s->offset);
            else if (s->kind == STATEMENT_PAIR)
                vars[s->to] = vars[s->a] + s->sign * vars[s->b];
            else
                sums[s->to] += s->sign * vars[s->a];
            if (s->kind != STATEMENT_ADD)
                made[s->to] = true;
            met.taps += s->kind == STATEMENT_LOAD;
            met.pairs += s->kind == STATEMENT_PAIR;
            met.adds += s->kind != STATEMENT_LOAD;
            met.fused += s->fused;
            met.plain += s->kind != STATEMENT_LOAD && !s->fused;
        }
    }
    CU_ASSERT_EQUAL(b->ends[b->size.functions - 1], b->num_statements);
    return met;
}

static void check_counts(const UnrolledBlock *b, Met met, bool mixed)
{
    CU_ASSERT_EQUAL(met.adds, b->size.adds);
    CU_ASSERT_EQUAL(met.taps, b->size.taps);
    CU_ASSERT_EQUAL(met.pairs, b->size.pairs);
    CU_ASSERT_EQUAL(b->size.moves, b->count * (2 * b->size.functions - 1));
    CU_ASSERT(met.adds <= b->size.terms);
    CU_ASSERT(mixed ? met.fused <= met.plain : met.fused == 0);
}

/* The sum of output `out` at the first position of a part. */
static int64_t conv_sum(const Layer *l, const ConvStrip *s, const ConvPart *p, int64_t out, int64_t staged)
{
    int64_t inputs_of = l->ci / l->groups, taps = l->kh * l->kw, sum = 0;
    int64_t first = out / (l->co / l->groups) * inputs_of;
    for (int64_t c = 0; c < inputs_of; c++)
        for (int64_t k = 0; k < taps; k++)
            if (p->koff[k] != NO_TAP)
                sum += l->codes[(out * inputs_of + c) * taps + k] *
                       input_at((first + c - staged) * s->plane + p->koff[k]);
    return sum;
}

static void check_conv_part(const ConvFrame *c, int part, const Options *opt)
{
    const Layer *l = &c->turned;
    for (int64_t first = 0; first < l->co; first += conv_block(c, first)) {
        int64_t sums[MAX_SUMS] = {0}, staged = conv_first_input(l, &c->s, first, 0);
        const UnrolledBlock *b = unroll_conv(l, &c->s, part, first, conv_block(c, first), opt);
        check_counts(b, execute(b, sums), conv_is_mixed(l, opt));
        for (int64_t j = 0; j < b->count; j++)
            CU_ASSERT_EQUAL(sums[j], conv_sum(l, &c->s, &c->s.parts[part], first + j, staged));
    }
}

static void check_fc(const Layer *l, const Options *opt)
{
    for (int64_t first = 0; first < l->co; first += fc_block(l, first, opt)) {
        int64_t sums[MAX_SUMS] = {0};
        const UnrolledBlock *b = unroll_fc(l, first, fc_block(l, first, opt));
        check_counts(b, execute(b, sums), false);
        for (int64_t j = 0; j < b->count; j++) {
            int64_t want = 0;
            for (int64_t i = 0; i < l->ci; i++)
                want += l->codes[(first + j) * l->ci + i] * input_at(i);
            CU_ASSERT_EQUAL(sums[j], want);
        }
    }
}

static void check_layer(Layer *l, const Options *opt)
{
    pass_lower(layer_graph(l, false, true), opt);
    if (l->kind == LAYER_FC) {
        check_fc(l, opt);
        return;
    }
    ConvFrame c = conv_frame(l, opt);
    for (int part = 0; part < c.s.num_parts; part++)
        check_conv_part(&c, part, opt);
}

static void test_statements_are_the_weights(void)
{
    static const char *const names[] = {"x86-64-v4", "x86-64-v3", "cortex-m0", "cortex-m4", "avr"};
    for (int i = 0; i < INPUTS; i++)
        inputs[i] = pick(-1000000, 1000000);
    for (int i = 0; i < LAYERS; i++) {
        Options opt = {.lowering = LOWER_UNROLL,
                       .target = names[i % 5],
                       .optimize = i % 2 ? OPTIMIZE_SPEED : OPTIMIZE_SIZE};
        check_layer(draw_layer((LayerWish){.kind = (LayerKind)(i % 3), .ternary = true}), &opt);
    }
}

/* Large ones, which take several functions. */
static void test_functions_have_an_end(void)
{
    const Options opt = {.lowering = LOWER_UNROLL, .target = "x86-64-v4"};
    Layer *conv = draw_weights(LAYER_CONV, 1, 32, 40, 5, 1, 12, 0.5),
          *fc = draw_weights(LAYER_FC, 1, 900, 40, 1, 1, 1, 0.5);
    check_layer(conv, &opt);
    check_layer(fc, &opt);
    ConvFrame c = conv_frame(conv, &opt);
    const UnrolledBlock *b = unroll_conv(&c.turned, &c.s, 0, 0, conv_block(&c, 0), &opt);
    CU_ASSERT(b->size.functions > 1);
    for (int f = 0; f < b->size.functions; f++) {
        int adds = 0;
        for (int i = f ? b->ends[f - 1] : 0; i < b->ends[f]; i++)
            adds += b->statements[i].kind != STATEMENT_LOAD;
        CU_ASSERT(adds > 0 && adds <= 1000);
    }
}

/* No form has a price of nothing: a row that is missing in costs.def would make it the fastest. */
static void test_every_form_has_a_price(void)
{
    Layer *layers[] = {draw_weights(LAYER_CONV, 1, 8, 8, 3, 1, 10, 0.5),
                       draw_weights(LAYER_FC, 1, 64, 32, 1, 1, 1, 0.5)};
    for (int t = 0; t < num_targets; t++)
        for (int i = 0; i < 4; i++) {
            Options opt = {.target = target_table[t].name,
                           .optimize = i / 2 ? OPTIMIZE_SPEED : OPTIMIZE_SIZE};
            Layer l = *layers[i % 2];
            pass_lower(layer_graph(&l, false, true), &opt);
            for (int form = LOWER_AUTO + 1; form < NUM_LOWERINGS; form++)
                CU_ASSERT(l.time[form] > 0 && l.bytes[form] > 0);
        }
}

int main(void)
{
    CU_initialize_registry();
    CU_pSuite s = CU_add_suite("unroll", NULL, NULL);
    CU_ADD_TEST(s, test_statements_are_the_weights);
    CU_ADD_TEST(s, test_functions_have_an_end);
    CU_ADD_TEST(s, test_every_form_has_a_price);
    CU_basic_set_mode(CU_BRM_VERBOSE);
    CU_basic_run_tests();
    return CU_get_number_of_failures() ? 1 : CU_get_error() != 0;
}
