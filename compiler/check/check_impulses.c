/* check_impulses.c - translation: the harness drives every ternary layer with impulses (runtime/check/impulse.h) and
 * compares raw accumulators with the weights; here its findings are read. The harness runs as a process of its own:
 * wrong code may crash it. */
#include "check/check.h"

#include <stdlib.h>
#include <string.h>

static void read_layer(const char *line, CheckReport *r)
{
    int number;
    long long runs, checked, wrong, missing, stray;
    if (sscanf(line, "layer %d runs %lld checked %lld wrong %lld missing %lld stray %lld", &number, &runs, &checked,
               &wrong, &missing, &stray) != 6 ||
        number < 0 || number >= r->num_layers)
        bug("harness: %s", line);
    LayerCheck *l = &r->layers[number];
    l->runs = runs;
    l->checked = checked;
    l->wrong = wrong;
    l->missing = missing;
    l->stray = stray;
}

static void read_wrong(const char *line, CheckReport *r)
{
    int number, want;
    long long image, co, row, column, ci, ky, kx;
    double got;
    if (sscanf(line, "wrong %d image %lld channel %lld row %lld column %lld got %lf want %d weight %lld %lld %lld",
               &number, &image, &co, &row, &column, &got, &want, &ci, &ky, &kx) != 10 ||
        number < 0 || number >= r->num_layers)
        bug("harness: %s", line);
    char *weight = ci < 0 ? mem_strdup("some weight") : mem_printf("weight [%lld][%lld][%lld][%lld]", co, ci, ky, kx);
    if (ci >= 0 && (ky < 0 || kx < 0))
        weight = mem_printf("input channel %lld outside the kernel", ci);
    r->layers[number].first =
        mem_printf("output [%lld][%lld][%lld][%lld] sums to %.9g instead of %d under impulses: %s is wrong", image, co,
                   row, column, got, want, weight);
}

static void read_line(const char *line, CheckReport *r)
{
    if (!strncmp(line, "layer ", 6))
        read_layer(line, r);
    else if (!strncmp(line, "wrong ", 6))
        read_wrong(line, r);
    else if (!strncmp(line, "overrun ", 8))
        text_printf(&r->problems, "generated code writes outside of the %s\n", line + 8);
    else if (!strncmp(line, "static ", 7))
        text_printf(&r->problems, "output %s of a second run, on the static arena, is different\n", line + 7);
    else if (strcmp(line, "done"))
        bug("harness: %s", line);
}

bool program_run(const Program *p, const char *const *args, CheckReport *r)
{
    char *argv[8] = {p->binary};
    for (int i = 0; args[i]; i++)
        argv[i + 1] = mem_strdup(args[i]);
    Text out = {0}, err = {0};
    int code = run_program(argv, &out, &err);
    if (code == 3)
        text_printf(&r->problems, "%s", err.data);
    else if (code)
        text_printf(&r->problems, "the generated code ended with %s %d\n%s", code > 128 ? "signal" : "exit code",
                    code > 128 ? code - 128 : code, err.data);
    char *rest = NULL;
    for (char *l = strtok_r(out.data, "\n", &rest); l && !code; l = strtok_r(NULL, "\n", &rest))
        read_line(l, r);
    text_free(&out);
    text_free(&err);
    return code == 0;
}

void compare_impulses(const Program *p, CheckReport *r)
{
    const Graph *g = p->plan->g;
    for (int i = 0; i < g->num_nodes; i++) {
        const Layer *l;
        for (int k = 0; (l = node_layer(g->nodes[i], k)); k++)
            if (l->codes) {
                r->layers[l->index].ternary = true;
                r->layers[l->index].weights = layer_weight_count(l);
            }
    }
    const char *args[] = {"impulses", mem_printf("%s/codes.bin", p->folder), NULL};
    program_run(p, args, r);
}
