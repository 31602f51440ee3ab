/* cmd_inspect.c - `ternc inspect`: inputs, outputs, the layers with their sizes and costs, totals. */
#include "cli/cli.h"
#include "layers/layers.h"
#include "ops/ops.h"
#include "pipeline.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

typedef struct Totals {
    int64_t params, macs, weights, zeros, adds;
    int layers, ternary;
} Totals;

/* A node, or one weight of a recurrent node. */
typedef struct CostRow {
    const Node *n;
    int number; /* of the node's rows */
    NodeCost cost;
} CostRow;

typedef struct CostRows {
    CostRow *list;
    int count;
} CostRows;

/* In execution order; counting zeros reads every weight, so it is done once. */
static CostRows cost_nodes(const Graph *g)
{
    CostRows r = {.list = NEW_ARRAY(CostRow, 2 * g->num_nodes + 1)};
    for (int i = 0; i < g->num_nodes; i++)
        for (int k = 0; k < node_cost_rows(g->nodes[i]); k++)
            r.list[r.count++] = (CostRow){g->nodes[i], k, node_cost(g->nodes[i], k)};
    return r;
}

static Type output_type(const Node *n)
{
    int i = 0;
    while (i < n->num_out - 1 && !n->out[i])
        i++;
    return n->out[i]->type;
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
            if (!is_parameter(g->nodes[i], j) || seen[t->id])
                continue;
            seen[t->id] = true;
            total += type_elems(t->type);
        }
    return total;
}

static Totals count_totals(const Graph *g, const CostRows *rows)
{
    Totals t = {.params = count_params(g)};
    for (int i = 0; i < rows->count; i++) {
        NodeCost c = rows->list[i].cost;
        t.layers += is_layer(&c);
        t.ternary += c.weight && c.weight->ternary;
        t.macs += c.macs;
        t.weights += c.weights;
        t.zeros += c.zeros;
        t.adds += c.adds;
    }
    return t;
}

/* Whether this row's weights are multiplied by codes, and are whole numbers of 8 bits. */
static bool has_int8_weights(const CostRow *r)
{
    LinearWeights w;
    Ternary codes;
    if (!node_weights(r->n, r->number, &w) || r->n->num_in < 2 || w.input > 1)
        return false;
    const Tensor *x = r->n->in[1 - w.input];
    const Node *from = x ? x->producer : NULL;
    return from && from->op == OP_DequantizeLinear && weight_codes(r->cost.weight, &w.box, false, &codes);
}

static const char *weight_kind(const CostRow *r)
{
    if (!r->cost.weight)
        return "-";
    if (r->cost.weight->ternary)
        return "ternary";
    if (!dtype_is_float(r->cost.weight->type.dtype))
        return dtype_name(r->cost.weight->type.dtype);
    return has_int8_weights(r) ? "int8" : "float";
}

/* A tensor that is codes. */
typedef struct CodedTensor {
    const char *name;
    DType dtype;
    CodeStep step;
} CodedTensor;

typedef struct CodedTensors {
    CodedTensor *list;
    int count;
} CodedTensors;

/* Of what number the codes are is what stands behind them: in front of QuantizeLinear. */
static CodedTensors find_coded(const Graph *g)
{
    CodedTensors c = {.list = NEW_ARRAY(CodedTensor, g->num_nodes + 1)};
    for (int i = 0; i < g->num_nodes; i++) {
        const Node *n = g->nodes[i];
        CodeStep s;
        if (n->op == OP_QuantizeLinear && node_step(n, &s))
            c.list[c.count++] = (CodedTensor){n->in[0]->name, n->out[0]->type.dtype, s};
    }
    return c;
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

static void print_layers(const CostRows *rows)
{
    Table *t = table_new(">#\tlayer\toperator\toutput\t>parameters\t>MACs\t>zeros\tweights\t>adds");
    for (int i = 0, index = 0; i < rows->count; i++) {
        const Node *n = rows->list[i].n;
        NodeCost c = rows->list[i].cost;
        if (!is_layer(&c))
            continue;
        const char *zeros = c.weight ? mem_printf("%.1f %%", percent(c.zeros, c.weights)) : "-";
        const char *adds = c.weight && c.weight->ternary ? count_text(c.adds) : "-";
        table_row(t, "%d\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s", index++, short_text(node_label(n), 48),
                  node_row_text(n, rows->list[i].number), type_text(output_type(n)), count_text(c.params),
                  c.macs ? count_text(c.macs) : "-", zeros, weight_kind(&rows->list[i]), adds);
    }
    table_print(t, stdout);
}

/* "Relu x3, MaxPool x2": operators without parameters, in order of appearance. */
static const char *list_other_operators(const CostRows *rows)
{
    Text list = {0};
    int counts[NUM_OPS] = {0};
    for (int i = 0; i < rows->count; i++)
        if (!is_layer(&rows->list[i].cost))
            counts[rows->list[i].n->op]++;
    for (int i = 0; i < rows->count; i++) {
        const Node *n = rows->list[i].n;
        if (is_layer(&rows->list[i].cost) || !counts[n->op])
            continue;
        text_printf(&list, "%s%s x%d", list.len ? ", " : "", n->op_name, counts[n->op]);
        counts[n->op] = 0;
    }
    const char *copy = list.len ? mem_strdup(list.data) : "none";
    text_free(&list);
    return copy;
}

static void print_coded(const CodedTensors *c)
{
    if (!c->count)
        return;
    Table *t = table_new("codes of\ttype\t>scale\t>zero point\t>lowest\t>highest");
    for (int i = 0; i < c->count; i++) {
        const CodedTensor *k = &c->list[i];
        table_row(t, "%s\t%s\t%.6g\t%d\t%.4g\t%.4g", short_text(k->name, 48), dtype_name(k->dtype),
                  k->step.scale, k->step.zero, k->step.scale * (code_low(k->dtype) - k->step.zero),
                  k->step.scale * (code_high(k->dtype) - k->step.zero));
    }
    printf("\n");
    table_print(t, stdout);
}

static void print_report(const Model *m)
{
    const Graph *g = m->graph;
    CostRows rows = cost_nodes(g);
    Totals t = count_totals(g, &rows);
    print_edges("input", g->inputs, g->num_inputs);
    print_edges("output", g->outputs, g->num_outputs);
    CodedTensors coded = find_coded(g);
    print_layers(&rows);
    print_coded(&coded);
    printf("\nother operators: %s\n", list_other_operators(&rows));
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

static void add_coded(cJSON *o, const CodedTensors *c)
{
    cJSON *a = cJSON_AddArrayToObject(o, "codes");
    for (int i = 0; i < c->count; i++) {
        cJSON *e = cJSON_CreateObject();
        cJSON_AddStringToObject(e, "tensor", c->list[i].name);
        cJSON_AddStringToObject(e, "type", dtype_name(c->list[i].dtype));
        cJSON_AddNumberToObject(e, "scale", c->list[i].step.scale);
        cJSON_AddNumberToObject(e, "zero_point", c->list[i].step.zero);
        cJSON_AddItemToArray(a, e);
    }
}

static cJSON *json_layer(const CostRow *r, int index)
{
    const Node *n = r->n;
    const NodeCost *c = &r->cost;
    cJSON *o = cJSON_CreateObject();
    cJSON_AddNumberToObject(o, "index", index);
    cJSON_AddStringToObject(o, "name", node_label(n));
    cJSON_AddStringToObject(o, "operator", n->op_name);
    if (node_cost_rows(n) > 1)
        cJSON_AddStringToObject(o, "part", r->number ? "R" : "W");
    cJSON_AddItemToObject(o, "output", json_shape(output_type(n)));
    cJSON_AddNumberToObject(o, "parameters", (double)c->params);
    cJSON_AddNumberToObject(o, "macs", (double)c->macs);
    if (!c->weight)
        return o;
    cJSON_AddItemToObject(o, "weight_shape", json_shape(c->weight->type));
    cJSON_AddNumberToObject(o, "weights", (double)c->weights);
    cJSON_AddNumberToObject(o, "zeros", (double)c->zeros);
    cJSON_AddBoolToObject(o, "ternary", c->weight->ternary != NULL);
    cJSON_AddStringToObject(o, "weight_kind", weight_kind(r));
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
    CostRows rows = cost_nodes(g);
    Totals totals = count_totals(g, &rows);
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "file", m->file);
    add_edges(o, "inputs", g->inputs, g->num_inputs);
    add_edges(o, "outputs", g->outputs, g->num_outputs);
    cJSON *layers = cJSON_AddArrayToObject(o, "layers");
    for (int i = 0, index = 0; i < rows.count; i++)
        if (is_layer(&rows.list[i].cost))
            cJSON_AddItemToArray(layers, json_layer(&rows.list[i], index++));
    CodedTensors coded = find_coded(g);
    if (coded.count)
        add_coded(o, &coded);
    cJSON_AddItemToObject(o, "totals", json_totals(&totals));
    char *text = cJSON_Print(o);
    puts(text);
    free(text);
    cJSON_Delete(o);
}

int cmd_inspect(const CommandLine *c)
{
    if (c->list_operators) {
        print_operators(stdout);
        return 0;
    }
    if (c->sensitivity) {
        print_sensitivity(c);
        return 0;
    }
    Model *m = pipeline_load(c->model, &c->opt);
    pipeline_ternarize(m, &c->opt);
    if (c->json)
        print_json(m);
    else
        print_report(m);
    return 0;
}
