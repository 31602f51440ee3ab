/* cmd_run.c - `ternc run`: evaluate a model on given inputs with ternc's own naive evaluator. */
#include "cli/cli.h"
#include "onnx/files.h"
#include "ops/ops.h"
#include "pipeline.h"

#include <string.h>

static void print_element(const void *data, DType d, int64_t i)
{
    switch (d) {
    case DT_I64: printf("%lld", (long long)((const int64_t *)data)[i]); break;
    case DT_U64: printf("%llu", (unsigned long long)((const uint64_t *)data)[i]); break;
    case DT_F64: printf("%.17g", elem_get(data, d, i)); break;
    default: printf("%.9g", elem_get(data, d, i)); break;
    }
}

/* One line per row of the last axis that is longer than 1. */
static void print_values(const Tensor *t, const void *data)
{
    int64_t n = type_elems(t->type), row = 1;
    for (int i = t->type.rank - 1; i >= 0 && row == 1; i--)
        row = t->type.dims[i];
    printf("%s %s\n", t->name, type_text(t->type));
    for (int64_t i = 0; i < n; i++) {
        print_element(data, t->type.dtype, i);
        putchar((i + 1) % row ? ' ' : '\n');
    }
}

static const char **output_paths(const Graph *g, Strings given)
{
    const char **paths = assign_paths(g, &(Edges){"output", g->outputs, g->num_outputs}, given);
    for (int i = 0; i < g->num_outputs; i++)
        for (int k = 0; k < i; k++)
            if (paths[i] && paths[k] && !strcmp(paths[i], paths[k]))
                usage("--output: '%s' is given for two outputs", paths[i]);
    return paths;
}

/* Integers as the generated C computes them, in files with codes too. */
static const Graph *run_graph(const CommandLine *c)
{
    Model *m = pipeline_load(c->model, &c->opt);
    pipeline_ternarize(m, &c->opt);
    return c->opt.io || has_codes(m->graph) ? pipeline_lower(m, &c->opt)->g : m->graph;
}

int cmd_run(const CommandLine *c)
{
    const Graph *g = run_graph(c);
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
