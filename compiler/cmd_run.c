/* cmd_run.c - `ternc run`: evaluate a model on given inputs with ternc's own naive evaluator. */
#include "ir.h"

#include <string.h>

/* ---- inputs ---- */

/* The edge that "NAME=PATH" names; then *path is PATH. Names may hold '='. NULL: the text names none. */
static Tensor *find_named(Tensor *const *edges, int count, const char *text, const char **path)
{
    for (int i = 0; i < count; i++) {
        size_t n = strlen(edges[i]->name);
        if (!strncmp(text, edges[i]->name, n) && text[n] == '=') {
            *path = text + n + 1;
            return edges[i];
        }
    }
    return NULL;
}

static const char *list_edges(Tensor *const *edges, int count)
{
    Text t = {0};
    for (int i = 0; i < count; i++)
        text_printf(&t, "%s%s %s", i ? ", " : "", edges[i]->name, type_text(edges[i]->type));
    const char *copy = t.len ? mem_strdup(t.data) : "none";
    text_free(&t);
    return copy;
}

/* "a.npy" for an edge that is not named: the first one free. */
static int first_free(const char *const *paths, int count)
{
    for (int i = 0; i < count; i++)
        if (!paths[i])
            return i;
    return -1;
}

/* The path for each edge, NULL where none is given. */
static const char **assign_paths(const Graph *g, const char *option, Tensor *const *edges, int count, Strings given)
{
    const char **paths = NEW_ARRAY(const char *, count);
    for (int pass = 0; pass < 2; pass++) /* the named ones first */
        for (int i = 0; i < given.count; i++) {
            const char *path = given.items[i];
            const Tensor *named = find_named(edges, count, path, &path);
            if ((named != NULL) != (pass == 0))
                continue;
            int k = first_free(paths, count);
            for (int e = 0; named && e < count; e++)
                k = edges[e] == named ? e : k;
            if (k < 0 || paths[k])
                fail("%s: --%s %s is one too many; the model has: %s", g->file, option, given.items[i],
                     list_edges(edges, count));
            paths[k] = path;
        }
    return paths;
}

static bool ends_with(const char *s, const char *end)
{
    size_t n = strlen(s), k = strlen(end);
    return n >= k && !strcmp(s + n - k, end);
}

static const void *read_input(const Graph *g, const Tensor *edge, const char *path)
{
    const Tensor *t = ends_with(path, ".pb") ? onnx_read_tensor(path) : npy_read(path);
    if (!type_equal(t->type, edge->type))
        fail("%s: %s does not fit input '%s' of %s, which is %s", path, type_text(t->type), edge->name, g->file,
             type_text(edge->type));
    return t->data;
}

static const void **read_inputs(const Graph *g, Strings given)
{
    const char **paths = assign_paths(g, "input", g->inputs, g->num_inputs, given);
    if (first_free(paths, g->num_inputs) >= 0)
        fail("%s: %s '%s' needs a value (--input [NAME=]FILE.npy); the inputs are: %s", g->file, "input",
             g->inputs[first_free(paths, g->num_inputs)]->name, list_edges(g->inputs, g->num_inputs));
    const void **data = NEW_ARRAY(const void *, g->num_inputs);
    for (int i = 0; i < g->num_inputs; i++)
        data[i] = read_input(g, g->inputs[i], paths[i]);
    return data;
}

/* ---- outputs ---- */

static void print_element(const void *data, DType d, int64_t i)
{
    switch (d) {
    case DT_I64: printf("%lld", (long long)((const int64_t *)data)[i]); break;
    case DT_U64: printf("%llu", (unsigned long long)((const uint64_t *)data)[i]); break;
    case DT_F64: printf("%.17g", elem_get(data, d, i)); break;
    default: printf("%.9g", elem_get(data, d, i)); break;
    }
}

/* One line per row of the last axis. */
static void print_values(const Tensor *t, const void *data)
{
    int64_t n = type_elems(t->type), row = t->type.rank ? t->type.dims[t->type.rank - 1] : 1;
    printf("%s %s\n", t->name, type_text(t->type));
    for (int64_t i = 0; i < n; i++) {
        print_element(data, t->type.dtype, i);
        putchar((i + 1) % row ? ' ' : '\n');
    }
}

static const char **output_paths(const Graph *g, Strings given)
{
    const char **paths = assign_paths(g, "output", g->outputs, g->num_outputs, given);
    for (int i = 0; i < g->num_outputs; i++)
        for (int k = 0; k < i; k++)
            if (paths[i] && paths[k] && !strcmp(paths[i], paths[k]))
                usage("--output: '%s' is given for two outputs", paths[i]);
    return paths;
}

int cmd_run(const CommandLine *c)
{
    Model *m = pipeline_load(c->model, &c->opt);
    pipeline_ternarize(m, &c->opt);
    const Graph *g = m->graph;
    const char **paths = output_paths(g, c->outputs);
    void **values = eval_graph(g, read_inputs(g, c->inputs));
    for (int i = 0; i < g->num_outputs; i++) {
        const Tensor *t = g->outputs[i];
        if (paths[i])
            npy_write(paths[i], t->type, values[t->id]);
        else if (!c->outputs.count)
            print_values(t, values[t->id]);
    }
    return 0;
}
