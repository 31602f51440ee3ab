/* check.c - `ternc check`: does the generated C compute what the graph says?
 *
 * The C text of a plan is built together with a harness (runtime/check) and run. check_values.c compares what every
 * node wrote with the evaluator, on the generated code's own inputs of that node; check_impulses.c has the harness
 * prove every ternary weight by itself. A report says what differed, by how much, and where. */
#include "ir.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

extern const char *const check_harness_lines[];
extern const char *const check_impulse_lines[];

/* ---- building ---- */

static char *path_in(const Program *p, const char *name)
{
    return mem_printf("%s/%s", p->folder, name);
}

static void write_lines(const char *path, const char *const *lines)
{
    Text t = {0};
    for (; *lines; lines++)
        text_printf(&t, "%s\n", *lines);
    file_write(path, t.data, t.len);
    text_free(&t);
}

Program *program_open(const Plan *plan, const char *cc, const char *cflags)
{
    Program *p = NEW(Program);
    *p = (Program){.plan = plan, .cc = cc, .cflags = cflags, .folder = temp_folder()};
    p->binary = path_in(p, "harness");
    write_lines(path_in(p, "harness.c"), check_harness_lines);
    write_lines(path_in(p, "impulse.h"), check_impulse_lines);
    program_describe(p);
    return p;
}

/* The harness depends on the header only through names and the arena's size: it is compiled once. */
static void compile_harness(Program *p)
{
    if (p->harness)
        return;
    p->harness = path_in(p, "harness.o");
    const char *files[] = {"-c", "-o", p->harness, "-I", p->folder, path_in(p, "harness.c"), NULL};
    cc_compile(p->cc, "-std=gnu99 -O1 -w", files);
}

bool program_build(Program *p, const Text *c, const Text *h, Text *err)
{
    file_write(path_in(p, mem_printf("%s.h", p->plan->id)), h->data, h->len);
    char *source = path_in(p, mem_printf("%s.c", p->plan->id));
    file_write(source, c->data, c->len);
    compile_harness(p);
    const char *files[] = {program_define(p->plan), "-I", p->folder, "-o", p->binary, p->harness, source, "-lm", NULL};
    return cc_try(p->cc, p->cflags, files, err);
}

/* ---- reporting ---- */

CheckReport *report_new(const Plan *plan)
{
    CheckReport *r = NEW(CheckReport);
    r->nodes = NEW_ARRAY(NodeCheck, plan->g->num_nodes);
    r->num_layers = layer_count(plan->g);
    r->layers = NEW_ARRAY(LayerCheck, r->num_layers);
    return r;
}

bool report_passed(const Plan *plan, const CheckReport *r)
{
    bool passed = r->problems.len == 0;
    for (int i = 0; i < plan->g->num_nodes; i++)
        passed &= r->nodes[i].wrong == 0;
    for (int i = 0; i < r->num_layers; i++) {
        const LayerCheck *l = &r->layers[i];
        passed &= l->wrong == 0 && l->missing == 0 && l->stray == 0 && (!l->ternary || l->checked > 0);
    }
    return passed;
}

static void print_translation(const LayerCheck *l)
{
    if (!l->ternary)
        printf("  %s", "float weights");
    else if (l->wrong || l->missing || l->stray)
        printf("  %lld wrong, %lld missing, %lld stray of %lld sums", (long long)l->wrong, (long long)l->missing,
               (long long)l->stray, (long long)l->checked);
    else
        printf("  %lld weights proven by %lld sums", (long long)l->weights, (long long)l->checked);
}

static void print_row(const Graph *g, int i, const CheckReport *r)
{
    const Node *n = g->nodes[i];
    const NodeCheck *c = &r->nodes[i];
    printf("%4d  %-16.16s %-28.28s %10lld  %9.3g  %6.1f %%  %s", i, n->op_name, node_label(n), (long long)c->elements,
           c->error, 100 * c->share, c->wrong ? "DIFFERS" : "ok     ");
    if (n->layer)
        print_translation(&r->layers[n->layer->index]);
    printf("\n");
}

static void print_problems(const Graph *g, const CheckReport *r)
{
    for (int i = 0; i < g->num_nodes; i++)
        if (r->nodes[i].first)
            printf("node %d '%s' (%s): %s\n", i, node_label(g->nodes[i]), g->nodes[i]->op_name, r->nodes[i].first);
    for (int i = 0; i < r->num_layers; i++)
        if (r->layers[i].first)
            printf("layer %d: %s\n", i, r->layers[i].first);
    if (r->problems.len)
        printf("%s", r->problems.data);
}

static void print_report(const Plan *plan, const CheckReport *r, int num_sets, const CommandLine *c)
{
    printf("node  operator         name                           elements      error   of bound\n");
    for (int i = 0; i < plan->g->num_nodes; i++)
        print_row(plan->g, i, r);
    print_problems(plan->g, r);
    printf("%s: %s: generated C (%s %s) and evaluator %s on %d samples\n", r->passed ? "PASS" : "FAIL", c->model, c->cc,
           c->cflags, r->passed ? "agree" : "differ", num_sets);
}

static cJSON *layer_json(const LayerCheck *l)
{
    cJSON *o = cJSON_CreateObject();
    cJSON_AddNumberToObject(o, "weights", (double)l->weights);
    cJSON_AddNumberToObject(o, "runs", (double)l->runs);
    cJSON_AddNumberToObject(o, "sums", (double)l->checked);
    cJSON_AddNumberToObject(o, "wrong", (double)l->wrong);
    cJSON_AddNumberToObject(o, "missing", (double)l->missing);
    cJSON_AddNumberToObject(o, "stray", (double)l->stray);
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
    if (n->layer && r->layers[n->layer->index].ternary)
        cJSON_AddItemToObject(o, "translation", layer_json(&r->layers[n->layer->index]));
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

int cmd_check(const CommandLine *c)
{
    Model *m = pipeline_load(c->model, &c->opt);
    pipeline_ternarize(m, &c->opt);
    Plan *plan = pipeline_lower(m, &c->opt);
    int num_sets;
    const void *const *const *sets = make_input_sets(plan->g, c, &num_sets);
    Text code = {0}, header = {0}, err = {0};
    emit_c(plan, &code, &header);
    Program *p = program_open(plan, c->cc, c->cflags);
    if (!program_build(p, &code, &header, &err))
        fail("%s does not compile the generated C:\n%s", c->cc, err.data);
    CheckReport *r = report_new(plan);
    compare_values(p, sets, num_sets, r);
    compare_impulses(p, r);
    r->passed = report_passed(plan, r);
    (c->json ? print_json : print_report)(plan, r, num_sets, c);
    return r->passed ? 0 : 1;
}
