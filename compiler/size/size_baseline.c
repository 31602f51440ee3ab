/* size_baseline.c - what grew since an earlier `ternc size --json`. Combinations are found again by model,
 * method, lowering and target. */
#include "base/out_file.h"
#include "size/size.h"

#include <cjson/cJSON.h>
#include <string.h>

static const char *string_of(const cJSON *o, const char *key, const char *path)
{
    const cJSON *s = cJSON_GetObjectItemCaseSensitive(o, key);
    if (!cJSON_IsString(s))
        fail("%s: no baseline: '%s' is missing; make one with --save-baseline", path, key);
    return s->valuestring;
}

Baseline baseline_read(const char *path)
{
    size_t len;
    const uint8_t *text = file_map(path, &len);
    cJSON *o = len ? cJSON_ParseWithLength((const char *)text, len) : NULL;
    if (!o || !cJSON_IsArray(cJSON_GetObjectItemCaseSensitive(o, "results")))
        fail("%s: no baseline: it is not the JSON of 'ternc size'; make one with --save-baseline", path);
    return (Baseline){path, o};
}

static bool is_row(const cJSON *o, const SizeRow *r, const char *path)
{
    return !strcmp(string_of(o, "model", path), r->model) &&
           !strcmp(string_of(o, "method", path), r->method) &&
           !strcmp(string_of(o, "lowering", path), r->lowering) &&
           !strcmp(string_of(o, "target", path), r->target->name);
}

static const cJSON *find_row(const cJSON *results, const SizeRow *r, const char *path)
{
    const cJSON *o;
    cJSON_ArrayForEach(o, results) if (is_row(o, r, path)) return o;
    return NULL;
}

/* -1: the combination had failed then. */
static int64_t number_of(const cJSON *o, const char *key, const char *path)
{
    const cJSON *n = cJSON_GetObjectItemCaseSensitive(o, key);
    if (cJSON_GetObjectItemCaseSensitive(o, "error"))
        return -1;
    if (!cJSON_IsNumber(n))
        fail("%s: no baseline: '%s' is missing; make one with --save-baseline", path, key);
    return (int64_t)n->valuedouble;
}

static const char *change_text(int64_t before, int64_t now)
{
    if (before == now)
        return mem_printf("%s, as before", count_text(now));
    const char *share =
        before ? mem_printf(", %+.1f %%", 100.0 * (double)(now - before) / (double)before) : "";
    return mem_printf("%s -> %s (%s%s%s)", count_text(before), count_text(now), now > before ? "+" : "",
                      count_text(now - before), share);
}

static bool has_grown(int64_t before, int64_t now, double tolerance)
{
    return (double)now > (double)before * (1 + tolerance / 100);
}

/* Different tools explain a difference. */
static void compare_tools(const cJSON *o, const SizeReport *s, const char *path)
{
    const char *const keys[] = {"compiler", "cflags", "optimize"};
    const char *const now[] = {s->compiler, s->cflags, s->optimize};
    for (int i = 0; i < 3; i++)
        if (strcmp(string_of(o, keys[i], path), now[i]) != 0)
            note("%s was measured with %s '%s', not '%s'", path, keys[i],
                 shown_text(string_of(o, keys[i], path)), now[i]);
}

/* 1 if the combination grew. */
static int compare_row(Table *t, const SizeRow *r, const cJSON *o, const char *path, double tolerance)
{
    const char *verdict = "ok";
    int64_t flash = o ? number_of(o, "flash", path) : -1;
    int64_t ram = o ? number_of(o, "ram", path) : -1;
    bool comparable = flash >= 0 && !r->error;
    if (r->error)
        verdict = "failed";
    else if (!comparable)
        verdict = o ? "failed before" : "new";
    else if (has_grown(flash, row_flash(r), tolerance) || has_grown(ram, row_ram(r), tolerance))
        verdict = "GREW";
    const char *changes = "-\t-";
    if (comparable)
        changes = mem_printf("%s\t%s", change_text(flash, row_flash(r)), change_text(ram, row_ram(r)));
    table_row(t, "%s\t%s\t%s\t%s\t%s\t%s", r->model, r->method, r->lowering, r->target->name, changes,
              verdict);
    return !strcmp(verdict, "GREW");
}

int baseline_compare(const Baseline *b, const SizeReport *s, double tolerance, FILE *f)
{
    const cJSON *results = cJSON_GetObjectItemCaseSensitive(b->json, "results");
    int grown = 0, found = 0;
    compare_tools(b->json, s, b->path);
    Table *t = table_new("model\tmethod\tlowering\ttarget\tflash\tRAM\tverdict");
    for (int i = 0; i < s->count; i++) {
        const cJSON *row = find_row(results, &s->rows[i], b->path);
        found += row != NULL;
        grown += compare_row(t, &s->rows[i], row, b->path, tolerance);
    }
    if (!found)
        fail("%s: the baseline has none of the combinations that were measured; a model's path counts as it "
             "is given",
             b->path);
    fprintf(f, "\nagainst %s, tolerance %g %%:\n\n", b->path, tolerance);
    table_print(t, f);
    return grown;
}
