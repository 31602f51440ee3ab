/* generated.c - graphs compiled to C, built into shared objects and called. */
#include "support/generated.h"

#include <dlfcn.h>
#include <string.h>

enum { FILES_PER_OBJECT = 64 };

Generated generated_new(int max)
{
    return (Generated){.folder = temp_folder(), .files = NEW_ARRAY(const char *, max)};
}

Options *generated_options(const char *name)
{
    Options *opt = NEW(Options);
    opt->name = name;
    opt->quiet = true;
    return opt;
}

int64_t generated_add_lowered(Generated *s, Graph *g, const char *name)
{
    Plan *p = plan_graph(g, generated_options(name));
    Text c = {0}, h = {0};
    emit_c(p, &c, &h);
    text_printf(&c, "\nvoid %s_call(void *arena, const void *const *in, void *const *out);\n", name);
    text_printf(&c, "void %s_call(void *arena, const void *const *in, void *const *out)\n{\n    (void)in;\n",
                name);
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

int64_t generated_add(Generated *s, Graph *g, const char *name)
{
    pass_lower(g, generated_options(name));
    return generated_add_lowered(s, g, name);
}

static void *build_object(const char *so, const char *const *sources, int count, const char *cc,
                          const char *flags)
{
    const char *files[FILES_PER_OBJECT + 4];
    const char *rest[] = {"-o", so, "-lm", NULL};
    memcpy(files, sources, (size_t)count * sizeof *files);
    memcpy(files + count, rest, sizeof rest);
    cc_compile(cc,
               mem_printf("-shared -fPIC -std=c99 -Wall -Wextra -Wpedantic -Wconversion -Werror %s", flags),
               files);
    void *handle = dlopen(so, RTLD_NOW | RTLD_LOCAL);
    if (!handle)
        fail("%s", dlerror());
    return handle;
}

void generated_build(Generated *s, const char *cc, const char *flags)
{
    s->num_handles = 0;
    for (int i = 0; i < s->count; i += FILES_PER_OBJECT) {
        int left = s->count - i;
        s->handles[s->num_handles++] =
            build_object(mem_printf("%s/%s%d.so", s->folder, cc, i), s->files + i,
                         left < FILES_PER_OBJECT ? left : FILES_PER_OBJECT, cc, flags);
    }
}

GeneratedCall *generated_find(const Generated *s, const char *name)
{
    GeneratedCall *call = NULL;
    void *symbol = NULL;
    for (int i = 0; i < s->num_handles && !symbol; i++)
        symbol = dlsym(s->handles[i], mem_printf("%s_call", name));
    if (!symbol)
        fail("%s: no such graph", name);
    memcpy(&call, &symbol, sizeof call);
    return call;
}

GeneratedRun *generated_run(const Plan *p, const char *cc, const char *flags)
{
    static const char *folder;
    static int number;
    if (!folder)
        folder = temp_folder();
    Text c = {0}, h = {0};
    emit_c(p, &c, &h);
    const char *source = mem_printf("%s/net.c", folder);
    file_write(source, c.data, c.len);
    file_write(mem_printf("%s/net.h", folder), h.data, h.len);
    text_free(&c);
    text_free(&h);
    void *object = build_object(mem_printf("%s/net%d.so", folder, number++), &source, 1, cc, flags);
    void *symbol = dlsym(object, "net_run_in");
    if (!symbol)
        fail("there is no net_run_in");
    GeneratedRun *run;
    memcpy(&run, &symbol, sizeof run);
    return run;
}

bool values_agree(const void *got, const void *want, DType d, int64_t i, double relative, double absolute)
{
    if (!dtype_is_float(d))
        return !memcmp((const char *)got + (size_t)i * dtype_size(d),
                       (const char *)want + (size_t)i * dtype_size(d), dtype_size(d));
    double a = elem_get(got, d, i), b = elem_get(want, d, i);
    if (a != a || b != b)
        return a != a && b != b;
    double size = b < 0 ? -b : b, difference = a < b ? b - a : a - b;
    return a == b || difference <= absolute + relative * size;
}
