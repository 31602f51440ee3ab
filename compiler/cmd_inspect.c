/* cmd_inspect.c - `ternc inspect`: inputs, outputs, the layers with their sizes and costs, totals. */
#include "ir.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

typedef struct Totals {
    int64_t params, macs, weights, zeros, adds;
    int layers, ternary;
} Totals;

/* By node index; counting zeros reads every weight, so it is done once. */
static const NodeCost *cost_nodes(const Graph *g)
{
    NodeCost *costs = NEW_ARRAY(NodeCost, g->num_nodes);
    for (int i = 0; i < g->num_nodes; i++)
        costs[i] = node_cost(g->nodes[i]);
    return costs;
}

static bool is_layer(const NodeCost *c)
{
    return c->params || c->macs;
}

/* Parameters that several nodes share count once. */
static int64_t count_params(const Graph *g)
{
    bool *seen = NEW_ARRAY(bool, g->num_tensors);
    int64_t total = 0;
    for (int i = 0; i < g->num_nodes; i++)
        for (int j = 0; j < g->nodes[i]->num_in; j++) {
            const Tensor *t = g->nodes[i]->in[j];
            if (!t || !t->data || seen[t->id] || !dtype_is_float(t->type.dtype) || !t->type.rank)
                continue;
            seen[t->id] = true;
            total += type_elems(t->type);
        }
    return total;
}

static Totals count_totals(const Graph *g, const NodeCost *costs)
{
    Totals t = {.params = count_params(g)};
    for (int i = 0; i < g->num_nodes; i++) {
        NodeCost c = costs[i];
        t.layers += is_layer(&c);
        t.ternary += c.weight && c.weight->ternary;
        t.macs += c.macs;
        t.weights += c.weights;
        t.zeros += c.zeros;
        t.adds += c.adds;
    }
    return t;
}

static const char *weight_kind(const NodeCost *c)
{
    return !c->weight ? "-" : c->weight->ternary ? "ternary" : "float";
}

static double percent(int64_t part, int64_t whole)
{
    return whole ? 100.0 * (double)part / (double)whole : 0;
}

/* ---- for people ---- */

static void print_edges(const char *title, Tensor *const *t, int count)
{
    Table *table = table_new(mem_printf("%s\ttype", title));
    for (int i = 0; i < count; i++)
        table_row(table, "%s\t%s", t[i]->name, type_text(t[i]->type));
    table_print(table, stdout);
    printf("\n");
}

static void print_layers(const Graph *g, const NodeCost *costs)
{
    Table *t = table_new(">#\tlayer\toperator\toutput\t>parameters\t>MACs\t>zeros\tweights\t>adds");
    for (int i = 0, index = 0; i < g->num_nodes; i++) {
        const Node *n = g->nodes[i];
        NodeCost c = costs[i];
        if (!is_layer(&c))
            continue;
        const char *zeros = c.weight ? mem_printf("%.1f %%", percent(c.zeros, c.weights)) : "-";
        const char *adds = c.weight && c.weight->ternary ? count_text(c.adds) : "-";
        table_row(t, "%d\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s", index++, short_text(node_label(n), 48), n->op_name,
                  type_text(n->out[0]->type), count_text(c.params), c.macs ? count_text(c.macs) : "-", zeros,
                  weight_kind(&c), adds);
    }
    table_print(t, stdout);
}

/* "Relu x3, MaxPool x2": operators without parameters, in order of appearance. */
static const char *list_other_operators(const Graph *g, const NodeCost *costs)
{
    Text list = {0};
    for (int i = 0; i < g->num_nodes; i++) {
        int count = 0, first = g->num_nodes;
        for (int k = 0; k < g->num_nodes; k++) {
            if (is_layer(&costs[k]) || strcmp(g->nodes[k]->op_name, g->nodes[i]->op_name) != 0)
                continue;
            count++;
            first = k < first ? k : first;
        }
        if (first == i)
            text_printf(&list, "%s%s x%d", list.len ? ", " : "", g->nodes[i]->op_name, count);
    }
    const char *copy = list.len ? mem_strdup(list.data) : "none";
    text_free(&list);
    return copy;
}

static void print_report(const Model *m)
{
    const Graph *g = m->graph;
    const NodeCost *costs = cost_nodes(g);
    Totals t = count_totals(g, costs);
    print_edges("input", g->inputs, g->num_inputs);
    print_edges("output", g->outputs, g->num_outputs);
    print_layers(g, costs);
    printf("\nother operators: %s\n", list_other_operators(g, costs));
    printf("total: %s parameters, %s MACs; %s of %s weights are zero (%.1f %%); %d layers, %d ternary",
           count_text(t.params), count_text(t.macs), count_text(t.zeros), count_text(t.weights),
           percent(t.zeros, t.weights), t.layers, t.ternary);
    if (t.ternary)
        printf(" with %s adds", count_text(t.adds));
    printf("\n");
}

/* ---- JSON ---- */

static cJSON *json_shape(Type t)
{
    cJSON *a = cJSON_CreateArray();
    for (int i = 0; i < t.rank; i++)
        cJSON_AddItemToArray(a, cJSON_CreateNumber((double)t.dims[i]));
    return a;
}

static void add_edges(cJSON *o, const char *key, Tensor *const *t, int count)
{
    cJSON *a = cJSON_AddArrayToObject(o, key);
    for (int i = 0; i < count; i++) {
        cJSON *e = cJSON_CreateObject();
        cJSON_AddStringToObject(e, "name", t[i]->name);
        cJSON_AddStringToObject(e, "type", dtype_name(t[i]->type.dtype));
        cJSON_AddItemToObject(e, "shape", json_shape(t[i]->type));
        cJSON_AddItemToArray(a, e);
    }
}

static cJSON *json_layer(const Node *n, const NodeCost *c, int index)
{
    cJSON *o = cJSON_CreateObject();
    cJSON_AddNumberToObject(o, "index", index);
    cJSON_AddStringToObject(o, "name", node_label(n));
    cJSON_AddStringToObject(o, "operator", n->op_name);
    cJSON_AddItemToObject(o, "output", json_shape(n->out[0]->type));
    cJSON_AddNumberToObject(o, "parameters", (double)c->params);
    cJSON_AddNumberToObject(o, "macs", (double)c->macs);
    if (!c->weight)
        return o;
    cJSON_AddItemToObject(o, "weight_shape", json_shape(c->weight->type));
    cJSON_AddNumberToObject(o, "weights", (double)c->weights);
    cJSON_AddNumberToObject(o, "zeros", (double)c->zeros);
    cJSON_AddBoolToObject(o, "ternary", c->weight->ternary != NULL);
    if (c->weight->ternary)
        cJSON_AddNumberToObject(o, "adds", (double)c->adds);
    return o;
}

static cJSON *json_totals(const Totals *t)
{
    cJSON *o = cJSON_CreateObject();
    cJSON_AddNumberToObject(o, "layers", t->layers);
    cJSON_AddNumberToObject(o, "ternary_layers", t->ternary);
    cJSON_AddNumberToObject(o, "parameters", (double)t->params);
    cJSON_AddNumberToObject(o, "macs", (double)t->macs);
    cJSON_AddNumberToObject(o, "weights", (double)t->weights);
    cJSON_AddNumberToObject(o, "zeros", (double)t->zeros);
    cJSON_AddNumberToObject(o, "adds", (double)t->adds);
    return o;
}

static void print_json(const Model *m)
{
    const Graph *g = m->graph;
    const NodeCost *costs = cost_nodes(g);
    Totals totals = count_totals(g, costs);
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "file", m->file);
    add_edges(o, "inputs", g->inputs, g->num_inputs);
    add_edges(o, "outputs", g->outputs, g->num_outputs);
    cJSON *layers = cJSON_AddArrayToObject(o, "layers");
    for (int i = 0, index = 0; i < g->num_nodes; i++)
        if (is_layer(&costs[i]))
            cJSON_AddItemToArray(layers, json_layer(g->nodes[i], &costs[i], index++));
    cJSON_AddItemToObject(o, "totals", json_totals(&totals));
    char *text = cJSON_Print(o);
    puts(text);
    free(text);
    cJSON_Delete(o);
}

int cmd_inspect(const CommandLine *c)
{
    Model *m = pipeline_load(c->model, &c->opt);
    pipeline_ternarize(m, &c->opt);
    if (c->json)
        print_json(m);
    else
        print_report(m);
    return 0;
}
