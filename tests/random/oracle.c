/* oracle.c - float networks for onnxruntime: models, inputs, and what the evaluator makes of every tensor, so
 * that the first that differs names the operator. */
#include "random/try.h"
#include "base/host.h"
#include "check/check.h"
#include "onnx/onnx.h"
#include "ops/ops.h"
#include "pipeline.h"
#include "support/text.h"

#include <string.h>

typedef struct Job {
    const char *folder;
    uint64_t seed, number;
} Job;

static void write_values(FILE *f, const Job *j, const char *kind, int i, const Tensor *t, const void *data,
                         const char *by)
{
    const char *file = mem_printf("net%d.%s%d", (int)j->number, kind, i);
    file_write(mem_printf("%s/%s", j->folder, file), data, type_bytes(t->type));
    fprintf(f, "%s{\"name\": \"%s\", \"type\": \"%s\", \"file\": \"%s\", \"dims\": [", i ? ", " : "", t->name,
            dtype_name(t->type.dtype), file);
    for (int k = 0; k < t->type.rank; k++)
        fprintf(f, "%s%lld", k ? ", " : "", (long long)t->type.dims[k]);
    fprintf(f, "], \"by\": \"%s\"}", by);
}

static void write_case(const Job *j, const Graph *g, const void *const *in, void *const *values,
                       const char *const *by)
{
    FILE *f = fopen(mem_printf("%s/net%d.json", j->folder, (int)j->number), "w");
    if (!f)
        fail("%s: cannot write", j->folder);
    fprintf(f, "{\"name\": \"net%d\", \"tolerance\": 1e-4, \"in\": [", (int)j->number);
    for (int i = 0; i < g->num_inputs; i++)
        write_values(f, j, "in", i, g->inputs[i], in[i], "");
    fprintf(f, "], \"out\": [");
    for (int i = 0; i < g->num_outputs; i++)
        write_values(f, j, "out", i, g->outputs[i], values[g->outputs[i]->id], by[i]);
    fprintf(f, "]}");
    if (fclose(f))
        fail("%s: cannot write", j->folder);
}

static void make_case(const void *job)
{
    const Job *j = job;
    const Options opt = {.quiet = true};
    const DataOptions none = {0};
    const CheckInputs from = {.data = &none, .samples = 1, .seed = 1};
    Choices *made = NEW(Choices);
    Draw d = {.seed = random_bits(j->seed, j->number), .out = made, .oracle = true};
    Model *m = model_of(draw_net(&d));
    const char *path = mem_printf("%s/net%d.onnx", j->folder, (int)j->number);
    bool control = has_control(m->graph);
    int count;
    if (!m->graph->num_outputs)
        return;
    const char **by = NEW_ARRAY(const char *, m->graph->num_outputs);
    for (int i = 0; i < m->graph->num_outputs; i++)
        by[i] = m->graph->outputs[i]->producer->op_name;
    const char *text = dump_text(m->graph);
    file_write(mem_printf("%s/net%d.txt", j->folder, (int)j->number), text, strlen(text));
    if (!control)
        onnx_write(m, path);
    pipeline_prepare(m, &opt);
    if (control)
        onnx_write(m, path);
    const void *const *const *sets = make_input_sets(m->graph, &from, &count);
    write_case(j, m->graph, sets[0], eval_graph(m->graph, sets[0]), by);
}

/* The cases that came about, as one list. */
static void join_cases(const char *folder, int count)
{
    Text all = {0};
    for (int i = 0; i < count; i++) {
        FILE *f = fopen(mem_printf("%s/net%d.json", folder, i), "r");
        if (!f)
            continue;
        text_printf(&all, "%s", all.len ? ",\n" : "[\n");
        read_back(f, &all);
    }
    text_printf(&all, "%s", all.len ? "]\n" : "[]\n");
    file_write(mem_printf("%s/cases.json", folder), all.data, all.len);
    text_free(&all);
}

void write_for_oracle(const char *folder, int count, uint64_t seed)
{
    for (int i = 0; i < count; i++) {
        const Job j = {folder, seed, (uint64_t)i};
        FILE *err = temp_file();
        run_apart(make_case, &j, err);
        fclose(err);
    }
    join_cases(folder, count);
}
