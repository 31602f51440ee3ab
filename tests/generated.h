/* generated.h - for tests: graphs compiled to C, built into one shared object and called with arrays of pointers. */
#ifndef TERNC_TESTS_GENERATED_H
#define TERNC_TESTS_GENERATED_H

#include "ir.h"

#include <CUnit/Basic.h>
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

typedef void GeneratedCall(void *arena, const void *const *in, void *const *out);

/* A shared object in the making: every graph of it has its own name. */
typedef struct Generated {
    const char *folder;
    const char **files; /* room for `max` sources and the other arguments of the compiler */
    int count;
    void *handle; /* after generated_build */
} Generated;

static inline Generated generated_new(int max)
{
    return (Generated){.folder = temp_folder(), .files = NEW_ARRAY(const char *, max + 8)};
}

/* Plan and print graph g, lowered already, as NAME.c with a function NAME_call. Returns the bytes of its arena. */
static inline int64_t generated_add(Generated *s, Graph *g, const char *name)
{
    Options *opt = NEW(Options);
    opt->name = name;
    opt->quiet = true;
    pass_lower(g, opt);
    Plan *p = plan_graph(g, opt);
    Text c = {0}, h = {0};
    emit_c(p, &c, &h);
    text_printf(&c, "\nvoid %s_call(void *arena, const void *const *in, void *const *out);\n", name);
    text_printf(&c, "void %s_call(void *arena, const void *const *in, void *const *out)\n{\n    (void)in;\n", name);
    text_printf(&c, "    %s_run_in(arena", name);
    for (int i = 0; i < g->num_inputs; i++)
        text_printf(&c, ", (const %s *)in[%d]", dtype_c(g->inputs[i]->type.dtype), i);
    for (int i = 0; i < g->num_outputs; i++)
        text_printf(&c, ", (%s *)out[%d]", dtype_c(g->outputs[i]->type.dtype), i);
    text_printf(&c, ");\n}\n");
    const char *source = mem_printf("%s/%s.c", s->folder, name);
    file_write(source, c.data, c.len);
    file_write(mem_printf("%s/%s.h", s->folder, name), h.data, h.len);
    s->files[s->count++] = source;
    text_free(&c);
    text_free(&h);
    return p->arena_bytes;
}

/* Compile everything, warnings as errors; exits with the compiler's message where that fails. */
static inline void generated_build(Generated *s, const char *cc, const char *flags)
{
    const char *so = mem_printf("%s/%s.so", s->folder, cc);
    const char *rest[] = {"-o", so, "-lm", NULL};
    memcpy(s->files + s->count, rest, sizeof rest);
    cc_compile(cc, mem_printf("-shared -fPIC -std=c99 -Wall -Wextra -Wpedantic -Wconversion -Werror %s", flags),
               s->files);
    s->handle = dlopen(so, RTLD_NOW | RTLD_LOCAL);
    if (!s->handle)
        fail("%s", dlerror());
}

static inline GeneratedCall *generated_find(const Generated *s, const char *name)
{
    GeneratedCall *call = NULL;
    void *symbol = dlsym(s->handle, mem_printf("%s_call", name));
    if (!symbol)
        fail("%s: no such graph", name);
    memcpy(&call, &symbol, sizeof call);
    return call;
}

/* Whether two values of type d agree: equal, both NaN, or floating and within the tolerance. */
static inline bool values_agree(const void *got, const void *want, DType d, int64_t i, double relative, double absolute)
{
    if (!dtype_is_float(d))
        return !memcmp((const char *)got + (size_t)i * dtype_size(d), (const char *)want + (size_t)i * dtype_size(d),
                       dtype_size(d));
    double a = elem_get(got, d, i), b = elem_get(want, d, i);
    if (a != a || b != b)
        return a != a && b != b;
    double size = b < 0 ? -b : b, difference = a < b ? b - a : a - b;
    return a == b || difference <= absolute + relative * size;
}

#endif
