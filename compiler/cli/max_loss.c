/* max_loss.c - `ternc inspect --sensitivity`: what each layer costs as ternary, on data; and --max-loss:
 * which layers stay float so that the accuracy stays within it. */
#include "cli/cli.h"
#include "cli/sensitivity.h"
#include "ops/ops.h"

#include <cjson/cJSON.h>
#include <stdlib.h>

static const char *result_text(const Sensitivity *s, Judged j)
{
    if (!sensitivity_measure_name(s))
        return mem_printf("loss %.6g", j.loss);
    return mem_printf("%s %.2f %%, loss %.4f", sensitivity_measure_name(s), 100 * j.accuracy, j.loss);
}

static const char *list_text(const char *const *names, int count)
{
    Text t = {0};
    for (int i = 0; i < count; i++)
        text_printf(&t, "%s%s", i ? "," : "", names[i]);
    const char *copy = mem_strdup(count ? t.data : "none");
    text_free(&t);
    return copy;
}

static const char *kept_text(const Sensitivity *s)
{
    int count;
    const char *const *names = sensitivity_keep(s, &count);
    return list_text(names, count);
}

/* ---- for people ---- */

static void print_layers(const Sensitivity *s)
{
    bool points = sensitivity_measure_name(s) != NULL;
    Table *t =
        table_new(points ? mem_printf("layer\toperator\tweight\t>weights\t>zeros\t>%s\t>loss\t>costs, points",
                                      sensitivity_measure_name(s))
                         : "layer\toperator\tweight\t>weights\t>zeros\t>loss");
    for (int i = 0; i < s->count; i++) {
        const SensitiveLayer *l = &s->layers[i];
        const char *row = mem_printf("%s\t%s\t%s\t%s\t%.1f %%", short_text(node_label(l->n), 40),
                                     node_row_text(l->n, l->row), short_text(l->name, 40),
                                     count_text(l->weights), 100.0 * (double)l->zeros / (double)l->weights);
        if (points)
            table_row(t, "%s\t%.2f %%\t%.4f\t%.2f", row, 100 * l->alone.accuracy, l->alone.loss,
                      sensitivity_cost(s, l->alone));
        else
            table_row(t, "%s\t%.6g", row, l->alone.loss);
    }
    table_print(t, stdout);
}

static void print_all(const Sensitivity *s)
{
    printf("all but --keep %s: %s", kept_text(s), result_text(s, s->of_ternary));
    if (sensitivity_measure_name(s))
        printf(", costs %.2f points", sensitivity_cost(s, s->of_ternary));
    printf("\n");
}

static void print_report(Sensitivity *s, double max_loss)
{
    printf("float: %s; with one layer ternary, untrained, on %s samples:\n", result_text(s, s->of_float),
           count_text(s->source.count));
    print_layers(s);
    print_all(s);
    if (max_loss < 0)
        return;
    sensitivity_choose(s, max_loss);
    printf("within %.4g points: ", max_loss);
    print_all(s);
}

/* ---- for programs ---- */

static cJSON *json_result(const Sensitivity *s, Judged j)
{
    cJSON *o = cJSON_CreateObject();
    if (sensitivity_measure_name(s))
        cJSON_AddNumberToObject(o, sensitivity_measure_name(s), j.accuracy);
    cJSON_AddNumberToObject(o, "loss", j.loss);
    return o;
}

static cJSON *json_kept(const Sensitivity *s)
{
    cJSON *o = json_result(s, s->of_ternary), *keep = cJSON_AddArrayToObject(o, "keep");
    int count;
    const char *const *names = sensitivity_keep(s, &count);
    for (int i = 0; i < count; i++)
        cJSON_AddItemToArray(keep, cJSON_CreateString(names[i]));
    return o;
}

static void print_json(Sensitivity *s, double max_loss)
{
    cJSON *o = cJSON_CreateObject();
    cJSON_AddNumberToObject(o, "samples", (double)s->source.count);
    cJSON_AddItemToObject(o, "float", json_result(s, s->of_float));
    cJSON *layers = cJSON_AddArrayToObject(o, "layers");
    for (int i = 0; i < s->count; i++) {
        const SensitiveLayer *l = &s->layers[i];
        cJSON *row = json_result(s, l->alone);
        cJSON_AddStringToObject(row, "layer", node_label(l->n));
        cJSON_AddStringToObject(row, "operator", node_row_text(l->n, l->row));
        cJSON_AddStringToObject(row, "weight", l->name);
        cJSON_AddNumberToObject(row, "weights", (double)l->weights);
        cJSON_AddNumberToObject(row, "zeros", (double)l->zeros);
        cJSON_AddItemToArray(layers, row);
    }
    cJSON_AddItemToObject(o, "ternary", json_kept(s));
    if (max_loss >= 0) {
        sensitivity_choose(s, max_loss);
        cJSON_AddItemToObject(o, "within", json_kept(s));
    }
    char *text = cJSON_Print(o);
    puts(text);
    free(text);
    cJSON_Delete(o);
}

void print_sensitivity(const CommandLine *c)
{
    Graph *plain = float_graph(c);
    Source all = source_open(&c->data, plain);
    Sensitivity *s = sensitivity_new(c, plain, &all);
    sensitivity_measure(s);
    if (c->json)
        print_json(s, c->max_loss);
    else
        print_report(s, c->max_loss);
    sensitivity_free(s);
}

/* ---- for ternarize and compile ---- */

const CommandLine *keep_within_loss(const CommandLine *c)
{
    if (c->max_loss < 0 || c->automatic)
        return c;
    Graph *plain = float_graph(c);
    Source train, valid;
    if (c->untrained)
        valid = source_open(&c->data, plain);
    else
        source_split(&c->data, c->train.valid, plain, &train, &valid);
    Sensitivity *s = sensitivity_new(c, plain, &valid);
    sensitivity_choose(s, c->max_loss);
    CommandLine *copy = NEW(CommandLine);
    *copy = *c;
    copy->opt.keep = sensitivity_keep(s, &copy->opt.num_keep);
    printf("float: %s on %s samples\nwithin %.4g points: ", result_text(s, s->of_float),
           count_text(s->source.count), c->max_loss);
    print_all(s);
    sensitivity_free(s);
    return copy;
}
