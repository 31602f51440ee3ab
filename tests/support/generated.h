/* generated.h - for tests: graphs compiled to C, built into shared objects and called with arrays of
 * pointers. */
#ifndef TERNC_TESTS_GENERATED_H
#define TERNC_TESTS_GENERATED_H

#include "base/host.h"
#include "codegen/codegen.h"
#include "passes/passes.h"

typedef void GeneratedCall(void *arena, const void *const *in, void *const *out);

enum { MAX_OBJECTS = 32 };

/* Shared objects in the making: every graph of them has its own name. */
typedef struct Generated {
    const char *folder;
    const char **files;
    int count, num_handles;
    void *handles[MAX_OBJECTS]; /* after generated_build */
} Generated;

Generated generated_new(int max);
Options *generated_options(const char *name);
/* Plan and print graph g, lowered already, as NAME.c with a function NAME_call. Returns the bytes of its
 * arena. */
int64_t generated_add_lowered(Generated *s, Graph *g, const char *name);
int64_t generated_add(Generated *s, Graph *g, const char *name); /* likewise, lowering it first */
/* Compile everything, warnings as errors; exits with the compiler's message where that fails. */
void generated_build(Generated *s, const char *cc, const char *flags);
GeneratedCall *generated_find(const Generated *s, const char *name);

/* A plan named "net" with one input and one output, as a function of this process. */
typedef void GeneratedRun(void *arena, const void *x, void *y);
GeneratedRun *generated_run(const Plan *p, const char *cc, const char *flags);

/* Whether two values of type d agree: equal, both NaN, or floating and within the tolerance. */
bool values_agree(const void *got, const void *want, DType d, int64_t i, double relative, double absolute);

#endif
