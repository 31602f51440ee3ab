/* unit_faults.c - what impulses cannot see, and what the checker claims besides: generated code with one
 * fault each, in scale, bias, activation, pooling, memory or reports, must be found, and named as what it
 * is. */
#include "check/check.h"
#include "codegen/codegen.h"
#include "support/layers.h"

#include <CUnit/Basic.h>
#include <CUnit/CUnit.h>
#include <string.h>

typedef enum Finder { VALUES, IMPULSES, PROBLEM } Finder;

/* The first `find` in the C text becomes `replace`. */
typedef struct Fault {
    const char *find, *replace;
    Finder finder;
    const char *says; /* part of the message */
} Fault;

static const Fault faults[] = {
    {"(v + i) * scale + bias;", "(v + i) * scale;", VALUES, "the evaluator has"},
    {"(v + i) * scale + bias;", "(v + i) * scale * 1.00001f + bias;", VALUES, "the bound is"},
    {"a = (tn_vec)((tn_ivec)a & ~(a < 0));", ";", VALUES, "differ by"},
    {"(v + i) * scale + bias;", "(v + i) * (0.0f / 0.0f);", VALUES, "nan, the evaluator has"},
    {"m = q > m ||", "m = q < m ||", VALUES, "'y'["},
    {"net_check_tensor(1, 0, ", "net_check_tensor(0, 0, ", PROBLEM, "where output 0 of node 1, 'y', is due"},
    {"net_check_tensor(1, 0, ", "if (0) net_check_tensor(1, 0, ", PROBLEM, "'y', is due"},
    {"    NET_PROFILE(1);", "    NET_PROFILE(1);\n    out_y[0] += 1;", PROBLEM, "caller's output 'y'"},
    {"    NET_PROFILE(1);", "    NET_PROFILE(1);\n    arena[NET_ARENA_BYTES] = 1;", PROBLEM,
     "outside of the arena"},
    {"    NET_PROFILE(1);", "    NET_PROFILE(1);\n    arena[-1] = 1;", PROBLEM, "outside of the arena"},
    {"    NET_PROFILE(1);", "    NET_PROFILE(1);\n    out_y[NET_OUTPUT_SIZE] = 1;", PROBLEM,
     "outside of the output"},
    {"net_run_in(arena.bytes, in_x, out_y);", "net_run_in(arena.bytes, in_x, out_y);\n    out_y[1] = 7;",
     PROBLEM, "on the static arena"},
    {"    NET_PROFILE(0);", "    NET_PROFILE(0);\n    *(volatile char *)0 = 1;", PROBLEM, "signal 11"},
    {"    NET_PROFILE(0);", "    NET_PROFILE(0);\n    memset(arena, 0, NET_ARENA_BYTES);", VALUES, "'y'["},
    {"net_check_acc(0, 0, ", "if (r == 0) net_check_acc(0, 0, ", IMPULSES, "missing"},
    {"net_check_acc(0, 0, ", "net_check_acc(0, 1, ", IMPULSES, "stray"},
    {"net_check_acc(0, 0, ", "net_check_acc(7, 0, ", PROBLEM, "of another layer"},
    {"memset(y, 0, (size_t)begin * sizeof *y);", ";", IMPULSES, "wrong"},
};

/* Padded convolution, scale, bias, ReLU and pooling, behind a Neg, in strips of two rows. */
static Plan *make_plan(void)
{
    Layer *l = NEW(Layer);
    *l = (Layer){
        .kind = LAYER_CONV, .batch = 1, .groups = 1, .ci = 3, .co = 4, .ih = 8, .iw = 8, .oh = 8, .ow = 8};
    l->kh = l->kw = 3;
    l->sh = l->sw = l->dh = l->dw = l->pt = l->pl = l->pb = l->pr = 1;
    l->pool = (Pool){POOL_MAX, 2, 2, 2, 2, 4, 4};
    int8_t *codes = NEW_ARRAY(int8_t, layer_weight_count(l));
    float *scale = NEW_ARRAY(float, l->co), *bias = NEW_ARRAY(float, l->co);
    for (int64_t i = 0; i < layer_weight_count(l); i++) {
        codes[i] = (int8_t)(i % 5 % 3 - 1);
        l->zeros += codes[i] == 0;
    }
    for (int64_t c = 0; c < l->co; c++) {
        scale[c] = 0.25f + 0.1f * (float)c;
        bias[c] = 0.5f - 0.3f * (float)c;
    }
    l->codes = codes;
    l->scale = scale;
    l->bias = bias;
    l->act.kind = ACT_RELU;
    l->source = "Conv 'conv'";
    Options *opt = NEW(Options);
    *opt = (Options){.lowering = LOWER_UNROLL, .name = "net", .optimize = OPTIMIZE_SIZE};
    return layer_plan(layer_graph(l, false, true), opt);
}

static Text with_fault(const Text *c, const Fault *f)
{
    const char *at = strstr(c->data, f->find);
    Text t = {0};
    CU_ASSERT_PTR_NOT_NULL_FATAL(at);
    text_add(&t, c->data, (size_t)(at - c->data));
    text_printf(&t, "%s%s", f->replace, at + strlen(f->find));
    return t;
}

static CheckReport *check_text(const Plan *plan, const Text *c, const Text *h)
{
    Text err = {0};
    float *x = NEW_ARRAY(float, type_elems(plan->g->inputs[0]->type));
    for (int64_t i = 0; i < type_elems(plan->g->inputs[0]->type); i++)
        x[i] = (float)(i * 7 % 11 - 5) / 3;
    const void *input = x, *const *set = &input;
    Program *p = program_open(plan, "gcc", "-O1 -w");
    bool built = program_build(p, c, h, &err);
    if (!built)
        fprintf(stderr, "%s\n", err.data);
    CU_ASSERT_TRUE_FATAL(built);
    CheckReport *r = report_new(plan);
    compare_values(p, &set, 1, r);
    compare_impulses(p, r);
    program_close(p);
    text_free(&err);
    return r;
}

/* What the report says about one kind of finding. */
static const char *findings(const CheckReport *r, Finder finder)
{
    Text t = {0};
    const LayerCheck *l = &r->layers[0];
    text_printf(&t, "%s", finder == PROBLEM && r->problems.data ? r->problems.data : "");
    for (int i = 0; finder == VALUES && i < 2; i++)
        text_printf(&t, "%s\n", r->nodes[i].first ? r->nodes[i].first : "");
    if (finder == IMPULSES)
        text_printf(&t, "%s%s%s", l->wrong ? "wrong " : "", l->missing ? "missing " : "",
                    l->stray ? "stray " : "");
    char *s = mem_strdup(t.data);
    text_free(&t);
    return s;
}

static void test_sound_code_passes(void)
{
    Plan *plan = make_plan();
    Text c = {0}, h = {0};
    emit_c(plan, &c, &h);
    CU_ASSERT_TRUE(report_passed(plan, check_text(plan, &c, &h)));
    text_free(&c);
    text_free(&h);
}

static void test_faults_are_found(void)
{
    Plan *plan = make_plan();
    Text c = {0}, h = {0};
    emit_c(plan, &c, &h);
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        Text wrong = with_fault(&c, &faults[i]);
        CheckReport *r = check_text(plan, &wrong, &h);
        bool found = !report_passed(plan, r) && strstr(findings(r, faults[i].finder), faults[i].says);
        if (!found)
            fprintf(stderr, "not found as expected: %s -> %s\nvalues: %simpulses: %s\nproblems: %s\n",
                    faults[i].find, faults[i].replace, findings(r, VALUES), findings(r, IMPULSES),
                    findings(r, PROBLEM));
        CU_ASSERT_TRUE(found);
        text_free(&wrong);
        text_free(&r->problems);
    }
    text_free(&c);
    text_free(&h);
}

int main(void)
{
    CU_initialize_registry();
    CU_pSuite s = CU_add_suite("faults", NULL, NULL);
    CU_ADD_TEST(s, test_sound_code_passes);
    CU_ADD_TEST(s, test_faults_are_found);
    CU_basic_run_tests();
    bool failed = CU_get_number_of_failures() != 0;
    CU_cleanup_registry();
    return failed;
}
