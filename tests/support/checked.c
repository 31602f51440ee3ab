/* checked.c - graphs as text, through the compiler, built and checked. */
#include "passes/passes.h"
#include "pipeline.h"
#include "support/checked.h"
#include "support/text.h"

#include <CUnit/Basic.h>
#include <CUnit/CUnit.h>

Model *read_model(const char *text, const Options *opt)
{
    Model *m = text_read("m", text);
    pass_infer(m->graph);
    pipeline_ternarize(m, opt);
    return m;
}

Options *options(Method method, Lowering lowering)
{
    static const char *const keep[] = {"none"};
    Options *opt = NEW(Options);
    *opt = (Options){.method = method, .lowering = lowering, .name = "net", .quiet = true};
    opt->keep = method == METHOD_none ? NULL : keep;
    opt->num_keep = 1;
    return opt;
}

Plan *plan_text(const char *text, const Options *opt)
{
    return pipeline_lower(read_model(text, opt), opt);
}

CheckReport *check_text(const Plan *plan, const Text *c, const Text *h)
{
    const DataOptions none = {0};
    const CheckInputs random = {.data = &none, .samples = 2, .seed = 1};
    Text err = {0};
    int count;
    const void *const *const *sets = make_input_sets(plan->g, &random, &count);
    Program *p = program_open(plan, "gcc", "-O1 -w");
    bool built = program_build(p, c, h, &err);
    if (!built)
        fprintf(stderr, "%s\n", err.data);
    CU_ASSERT_TRUE_FATAL(built);
    CheckReport *r = report_new(plan);
    compare_values(p, sets, count, r);
    compare_impulses(p, r);
    program_close(p);
    return r;
}

void expect_sound(const char *text, Method method, Lowering lowering)
{
    Plan *plan = plan_text(text, options(method, lowering));
    Text c = {0}, h = {0};
    emit_c(plan, &c, &h);
    CheckReport *r = check_text(plan, &c, &h);
    bool passed = report_passed(plan, r);
    if (!passed && r->problems.data)
        fprintf(stderr, "%s", r->problems.data);
    for (int i = 0; i < plan->g->num_nodes && !passed; i++)
        if (r->nodes[i].first)
            fprintf(stderr, "node %d, %s: %s\n", i, plan->g->nodes[i]->op_name, r->nodes[i].first);
    CU_ASSERT_TRUE(passed);
    text_free(&c);
    text_free(&h);
}
