/* cmd_check.c - `ternc check`: does the generated C compute what the graph says? A table or JSON of what
 * check.c, check_values.c and check_impulses.c found. */
#include "cli/cli.h"
#include "codegen/codegen.h"
#include "pipeline.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

/* ---- reporting ---- */

static void print_translation(const LayerCheck *l)
{
    if (!l->driven)
        printf("  %s weights", layer_weight_word(l->layer));
    else if (l->wrong || l->missing || l->stray)
        printf("  %s wrong, %s missing, %s stray of %s sums", int_text(l->wrong), int_text(l->missing),
               int_text(l->stray), int_text(l->checked));
    else
        printf("  %s %s weights proven by %s sums", int_text(l->weights), layer_weight_word(l->layer),
               int_text(l->checked));
    if (l->layer->quantised)
        printf(", %s, %s of %s extremes", layer_format(l->layer)->name, int_text(l->extremes),
               int_text(layer_extremes(l->layer)));
}

/* Operators by name, layers by kind and lowering. */
static const char *operator_text(const Node *n)
{
    static const char *const kinds[] = {"conv", "transposed", "connected"};
    if (!n->layer)
        return n->op_name;
    return mem_printf("%s, %s", kinds[n->layer->kind], lowering_name(n->layer->lowering));
}

static void print_row(const Graph *g, int i, const CheckReport *r)
{
    const Node *n = g->nodes[i];
    const NodeCheck *c = &r->nodes[i];
    const char *verdict = c->elements ? "ok     " : "not run";
    if (c->wrong)
        verdict = "DIFFERS";
    printf("%4d  %-18.18s %-28.28s %10s  %9.3g  %6.1f %%  %s", i, operator_text(n), node_label(n),
           int_text(c->elements), c->error, 100 * c->share, verdict);
    const Layer *l;
    for (int k = 0; (l = node_layer(n, k)); k++)
        print_translation(&r->layers[l->index]);
    printf("\n");
}

static void print_problems(const Graph *g, const CheckReport *r)
{
    for (int i = 0; i < g->num_nodes; i++)
        if (r->nodes[i].first)
            printf("node %d '%s' (%s): %s\n", i, node_label(g->nodes[i]), g->nodes[i]->op_name,
                   r->nodes[i].first);
    for (int i = 0; i < r->num_layers; i++)
        if (r->layers[i].first)
            printf("layer %d: %s\n", i, r->layers[i].first);
    if (r->problems.len)
        printf("%s", r->problems.data);
}

static void print_report(const Plan *plan, const CheckReport *r, int num_sets, const CommandLine *c)
{
    printf("node  operator           name                           elements      error   of bound\n");
    for (int i = 0; i < plan->g->num_nodes; i++)
        print_row(plan->g, i, r);
    print_problems(plan->g, r);
    const char *text = r->passed ? "PASS: %s: generated C (%s %s) and evaluator agree on %d samples\n"
                                 : "FAIL: %s: generated C (%s %s) and evaluator differ on %d samples\n";
    printf(text, c->model, c->build.cc, c->build.cflags, num_sets);
}

static cJSON *layer_json(const LayerCheck *l)
{
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "numbers", layer_format(l->layer)->name);
    cJSON_AddNumberToObject(o, "weights", (double)l->weights);
    cJSON_AddNumberToObject(o, "runs", (double)l->runs);
    cJSON_AddNumberToObject(o, "sums", (double)l->checked);
    cJSON_AddNumberToObject(o, "wrong", (double)l->wrong);
    cJSON_AddNumberToObject(o, "missing", (double)l->missing);
    cJSON_AddNumberToObject(o, "stray", (double)l->stray);
    if (l->layer->quantised)
        cJSON_AddNumberToObject(o, "extremes", (double)l->extremes);
    if (l->first)
        cJSON_AddStringToObject(o, "first", l->first);
    return o;
}

static cJSON *node_json(const Node *n, const NodeCheck *c, const CheckReport *r)
{
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "operator", n->op_name);
    cJSON_AddStringToObject(o, "name", node_label(n));
    cJSON_AddNumberToObject(o, "elements", (double)c->elements);
    cJSON_AddNumberToObject(o, "wrong", (double)c->wrong);
    cJSON_AddNumberToObject(o, "error", c->error);
    cJSON_AddNumberToObject(o, "share_of_bound", c->share);
    if (c->first)
        cJSON_AddStringToObject(o, "first", c->first);
    const Layer *l;
    cJSON *products = n->cell ? cJSON_AddArrayToObject(o, "translations") : NULL;
    for (int k = 0; (l = node_layer(n, k)); k++)
        if (r->layers[l->index].driven && products)
            cJSON_AddItemToArray(products, layer_json(&r->layers[l->index]));
        else if (r->layers[l->index].driven)
            cJSON_AddItemToObject(o, "translation", layer_json(&r->layers[l->index]));
    return o;
}

static void print_json(const Plan *plan, const CheckReport *r, int num_sets, const CommandLine *c)
{
    cJSON *o = cJSON_CreateObject(), *nodes = cJSON_AddArrayToObject(o, "nodes");
    cJSON_AddStringToObject(o, "model", c->model);
    cJSON_AddBoolToObject(o, "passed", r->passed);
    cJSON_AddNumberToObject(o, "samples", num_sets);
    for (int i = 0; i < plan->g->num_nodes; i++)
        cJSON_AddItemToArray(nodes, node_json(plan->g->nodes[i], &r->nodes[i], r));
    cJSON_AddStringToObject(o, "problems", r->problems.len ? r->problems.data : "");
    char *text = cJSON_Print(o);
    printf("%s\n", text);
    free(text);
    cJSON_Delete(o);
}

/* ---- the command ---- */

static Program *build_program(const Plan *plan, const CommandLine *c)
{
    Program *p = program_open(plan, c->build.cc, c->build.cflags);
    const SourceFiles files = model_files(plan);
    Text err = {0};
    if (!program_build_files(p, &files, &err))
        fail("%s does not compile the generated C:\n%s", c->build.cc, err.data);
    text_free(&err);
    return p;
}

int cmd_check(const CommandLine *c)
{
    Model *m = pipeline_load(c->model, &c->opt);
    pipeline_ternarize(m, &c->opt);
    Plan *plan = pipeline_lower(m, &c->opt);
    int num_sets;
    const CheckInputs from = check_inputs(c);
    const void *const *const *sets = make_input_sets(plan->g, &from, &num_sets);
    Program *p = build_program(plan, c);
    CheckReport *r = report_new(plan);
    compare_values(p, sets, num_sets, r);
    compare_impulses(p, r);
    r->passed = report_passed(plan, r);
    (c->json ? print_json : print_report)(plan, r, num_sets, c);
    text_free(&r->problems);
    return r->passed ? 0 : 1;
}
