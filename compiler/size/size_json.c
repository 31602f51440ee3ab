/* size_json.c - the measurements as JSON: for other programs, and as the baseline of a later run
 * (size_baseline.c). */
#include "size/size.h"

#include <cjson/cJSON.h>

static void add_count(cJSON *o, const char *key, int64_t n)
{
    cJSON_AddNumberToObject(o, key, (double)n);
}

static cJSON *layer_json(const SizeLayer *l, bool measured)
{
    cJSON *o = cJSON_CreateObject();
    add_count(o, "index", l->index);
    cJSON_AddStringToObject(o, "source", l->source);
    cJSON_AddStringToObject(o, "form", l->lowering);
    cJSON_AddBoolToObject(o, "ternary", l->ternary);
    cJSON_AddStringToObject(o, "weight_kind", l->kind);
    add_count(o, "weights", l->weights);
    if (l->ternary)
        add_count(o, "zeros", l->zeros);
    cJSON_AddNumberToObject(o, "entropy", l->entropy);
    if (!measured)
        return o;
    add_count(o, "code", l->code);
    add_count(o, "constants", l->constants);
    cJSON_AddNumberToObject(o, "bits_per_weight", bits_per_weight(l->code + l->constants, l->weights));
    return o;
}

static cJSON *shared_json(const SizeRow *r)
{
    cJSON *o = cJSON_CreateObject();
    add_count(o, "code", shared_code(r));
    add_count(o, "constants", shared_constants(r));
    cJSON *parts = cJSON_AddArrayToObject(o, "parts");
    for (int i = 0; i < r->num_shared; i++) {
        cJSON *p = cJSON_CreateObject();
        cJSON_AddStringToObject(p, "name", r->shared[i].name);
        cJSON_AddStringToObject(p, "what", r->shared[i].what);
        add_count(p, "code", r->shared[i].code);
        add_count(p, "constants", r->shared[i].constants);
        cJSON_AddItemToArray(parts, p);
    }
    return o;
}

static void add_measured(cJSON *o, const SizeRow *r)
{
    add_count(o, "code", r->code);
    add_count(o, "constants", r->constants);
    add_count(o, "data", r->data);
    add_count(o, "bss", r->bss);
    add_count(o, "arena", r->arena);
    if (r->stack >= 0)
        add_count(o, "stack", r->stack);
    else
        cJSON_AddNullToObject(o, "stack");
    add_count(o, "flash", row_flash(r));
    add_count(o, "ram", row_ram(r));
    cJSON_AddNumberToObject(o, "bits_per_weight", bits_per_weight(row_flash(r), r->weights));
    cJSON_AddItemToObject(o, "not_counted", cJSON_CreateStringArray(r->unlinked, r->num_unlinked));
    if (r->by_layer)
        cJSON_AddItemToObject(o, "shared", shared_json(r));
}

static cJSON *row_json(const SizeRow *r)
{
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "model", r->model);
    cJSON_AddStringToObject(o, "method", r->method);
    cJSON_AddStringToObject(o, "lowering", r->lowering);
    cJSON_AddStringToObject(o, "target", r->target->name);
    if (r->error)
        cJSON_AddStringToObject(o, "error", r->error);
    else
        add_measured(o, r);
    add_count(o, "weights", r->weights);
    cJSON_AddNumberToObject(o, "entropy", r->entropy);
    cJSON *layers = cJSON_AddArrayToObject(o, "layers");
    for (int i = 0; i < r->num_layers; i++)
        cJSON_AddItemToArray(layers, layer_json(&r->layers[i], r->by_layer));
    return o;
}

char *size_json(const SizeReport *s)
{
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "ternc", TERNC_VERSION);
    cJSON_AddStringToObject(o, "compiler", s->compiler);
    cJSON_AddStringToObject(o, "cflags", s->cflags);
    cJSON_AddStringToObject(o, "optimize", s->optimize);
    cJSON *results = cJSON_AddArrayToObject(o, "results");
    for (int i = 0; i < s->count; i++)
        cJSON_AddItemToArray(results, row_json(&s->rows[i]));
    char *text = cJSON_Print(o);
    cJSON_Delete(o);
    return text;
}
