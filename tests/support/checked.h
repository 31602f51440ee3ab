/* checked.h - graphs as text, through the compiler, built and checked. */
#ifndef TERNC_TESTS_CHECKED_H
#define TERNC_TESTS_CHECKED_H

#include "check/check.h"
#include "codegen/codegen.h"

Model *read_model(const char *text, const Options *opt); /* inferred and ternarized */
Options *options(Method method, Lowering lowering);
Plan *plan_text(const char *text, const Options *opt);
CheckReport *check_text(const Plan *plan, const Text *c, const Text *h);
/* A test fails unless `check` passes the code of the graph. */
void expect_sound(const char *text, Method method, Lowering lowering);

#endif
