/* size_table.c - the measurements as tables for people, and as CSV for other programs. */
#include "size/size.h"

#include <string.h>

enum { TARGET_COLUMNS = 6 /* per table */ };

/* ---- rows of one model ---- */

/* Where the rows that have the same model, method and lowering as row `first` end. */
static int end_of_group(const SizeReport *s, int first)
{
    int i = first + 1;
    while (i < s->count && s->rows[i].model == s->rows[first].model &&
           s->rows[i].method == s->rows[first].method && s->rows[i].lowering == s->rows[first].lowering)
        i++;
    return i;
}

int size_end_of_model(const SizeReport *s, int first)
{
    int i = first + 1;
    while (i < s->count && s->rows[i].model == s->rows[first].model)
        i++;
    return i;
}

/* ---- totals ---- */

static const char *list_unlinked(const SizeRow *r, const char *separator)
{
    Text t = {0};
    for (int i = 0; i < r->num_unlinked; i++)
        text_printf(&t, "%s%s", i ? separator : "", r->unlinked[i]);
    return text_take(&t);
}

static void add_total(Table *t, const SizeRow *r)
{
    if (r->error) {
        table_row(t, "%s\t%s\t%s\tfailed\t\t\t\t\t\t\t\t\t", r->method, r->lowering, r->target->name);
        return;
    }
    const char *stack = r->stack < 0 ? "?" : count_text(r->stack);
    table_row(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%.2f\t%.2f\t%s", r->method, r->lowering,
              r->target->name, count_text(r->code), count_text(r->constants), count_text(r->data),
              count_text(row_flash(r)), count_text(r->arena), stack, count_text(row_ram(r)),
              bits_per_weight(row_flash(r), r->weights), r->entropy,
              r->num_unlinked ? short_text(list_unlinked(r, " "), 60) : "-");
}

static void print_totals(const SizeReport *s, int first, int end, FILE *f)
{
    Table *t = table_new(
        "method\tlowering\ttarget\t>code\t>constants\t>data\t>flash\t>arena\t>stack\t>RAM\t>bits/weight\t"
        ">entropy\tnot counted");
    for (int i = first; i < end; i++)
        add_total(t, &s->rows[i]);
    table_print(t, f);
}

static void print_errors(const SizeReport *s, int first, int end, FILE *f)
{
    for (int i = first; i < end; i++)
        if (s->rows[i].error)
            fprintf(f, "\n%s, %s, %s on %s failed:\n%s\n", s->rows[i].model, s->rows[i].method,
                    s->rows[i].lowering, s->rows[i].target->name, s->rows[i].error);
}

/* ---- layers: targets side by side ---- */

typedef struct Columns {
    const SizeRow *rows[TARGET_COLUMNS];
    int count;
} Columns;

static const SizeRow *any_measured(const Columns *c)
{
    for (int i = 0; i < c->count; i++)
        if (!c->rows[i]->error)
            return c->rows[i];
    return NULL;
}

static const char *bytes_cell(int64_t code, int64_t constants)
{
    return mem_printf("%s + %s", count_text(code), count_text(constants));
}

static const char *layer_cell(const SizeRow *r, int layer)
{
    if (r->error || !r->by_layer)
        return "-";
    const SizeLayer *l = &r->layers[layer];
    return bytes_cell(l->code, l->constants);
}

/* An entry of the shared bytes by name; absent entries are those that the target does not have. */
static const char *shared_cell(const SizeRow *r, const char *name)
{
    for (int i = 0; i < r->num_shared; i++)
        if (!strcmp(r->shared[i].name, name))
            return bytes_cell(r->shared[i].code, r->shared[i].constants);
    return "-";
}

typedef const char *(*CellText)(const SizeRow *r, const void *what);

static const char *cell_layer(const SizeRow *r, const void *what)
{
    return layer_cell(r, *(const int *)what);
}

static const char *cell_shared(const SizeRow *r, const void *what)
{
    (void)what;
    return r->error || !r->by_layer ? "-" : bytes_cell(shared_code(r), shared_constants(r));
}

static const char *cell_named(const SizeRow *r, const void *what)
{
    return shared_cell(r, what);
}

static const char *cell_total(const SizeRow *r, const void *what)
{
    (void)what;
    return r->error ? "failed" : bytes_cell(r->code, r->constants);
}

static void add_cells(Table *t, const char *head, const Columns *c, CellText cell, const void *what)
{
    Text line = {0};
    text_printf(&line, "%s", head);
    for (int i = 0; i < c->count; i++)
        text_printf(&line, "\t%s", cell(c->rows[i], what));
    table_row(t, "%s", line.data);
    text_free(&line);
}

static const char *weights_text(const SizeLayer *l)
{
    if (!l->ternary)
        return mem_printf("%s %s", count_text(l->weights), l->kind);
    double zeros = l->weights ? 100.0 * (double)l->zeros / (double)l->weights : 0;
    return mem_printf("%s ternary, %.0f %% zeros", count_text(l->weights), zeros);
}

/* The first two columns of a group's first row. */
static const char *group_text(const SizeRow *sample)
{
    return mem_printf("%s\t%s", sample->method, sample->lowering);
}

static void add_layers(Table *t, const Columns *c, const SizeRow *sample)
{
    for (int i = 0; i < sample->num_layers; i++) {
        const SizeLayer *l = &sample->layers[i];
        const char *form = l->lowering;
        for (int k = 0; k < c->count; k++)
            if (!c->rows[k]->error && strcmp(c->rows[k]->layers[i].lowering, form) != 0)
                form = "varies";
        add_cells(t,
                  mem_printf("%s\t%d %s\t%s\t%s\t%.2f", i ? "\t" : group_text(sample), l->index,
                             short_text(l->source, 40), weights_text(l), form, l->entropy),
                  c, cell_layer, &i);
    }
}

static void add_explained(Table *t, const Columns *c)
{
    const char **seen = NEW_ARRAY(const char *, 4096);
    int count = 0;
    for (int k = 0; k < c->count; k++)
        for (int i = 0; i < c->rows[k]->num_shared; i++) {
            const SizeShared *s = &c->rows[k]->shared[i];
            bool known = count == 4096;
            for (int j = 0; j < count; j++)
                known |= !strcmp(seen[j], s->name);
            if (known)
                continue;
            seen[count++] = s->name;
            const char *what = strcmp(s->what, s->name) ? mem_printf("%s ", s->what) : "";
            add_cells(t, mem_printf("\t\t  %s%s\t\t\t", what, s->name), c, cell_named, s->name);
        }
}

static void add_group(Table *t, const SizeReport *s, const Columns *c)
{
    const SizeRow *sample = any_measured(c);
    if (!sample)
        return;
    add_layers(t, c, sample);
    add_cells(t, mem_printf("%s\tshared\t\t\t", sample->num_layers ? "\t" : group_text(sample)), c,
              cell_shared, NULL);
    if (s->explain)
        add_explained(t, c);
    add_cells(t, mem_printf("\t\ttotal\t%s\t\t%.2f", count_text(sample->weights), sample->entropy), c,
              cell_total, NULL);
}

/* All groups of a model on targets [from, from + count) of each. */
static void print_layers(const SizeReport *s, int first, int end, int from, int count, FILE *f)
{
    Text head = {0};
    text_printf(&head, "method\tlowering\tlayer\tweights\tform\t>entropy");
    for (int i = 0; i < count; i++)
        text_printf(&head, "\t>%s", s->rows[first + from + i].target->name);
    Table *t = table_new(head.data);
    text_free(&head);
    for (int group = first; group < end; group = end_of_group(s, group)) {
        Columns c = {.count = count};
        for (int i = 0; i < count; i++)
            c.rows[i] = &s->rows[group + from + i];
        add_group(t, s, &c);
    }
    table_print(t, f);
}

void size_print_table(const SizeReport *s, FILE *f)
{
    fprintf(f, "%s, %s, --optimize %s; bytes\n", s->compiler, s->cflags, s->optimize);
    for (int first = 0; first < s->count; first = size_end_of_model(s, first)) {
        int end = size_end_of_model(s, first), targets = end_of_group(s, first) - first;
        fprintf(f, "\n%s\n\n", s->rows[first].model);
        print_totals(s, first, end, f);
        for (int from = 0; from < targets; from += TARGET_COLUMNS) {
            int count = targets - from < TARGET_COLUMNS ? targets - from : TARGET_COLUMNS;
            fprintf(f, "\n%s: code + constants of each layer\n\n", s->rows[first].model);
            print_layers(s, first, end, from, count, f);
        }
        print_errors(s, first, end, f);
    }
}

/* ---- CSV ---- */

/* A field in quotes where it needs them (RFC 4180). */
static const char *csv_field(const char *s)
{
    if (!strpbrk(s, ",\"\r\n"))
        return s;
    Text t = {0};
    text_add(&t, "\"", 1);
    for (; *s; s++)
        text_printf(&t, *s == '"' ? "\"\"" : "%c", *s);
    text_add(&t, "\"", 1);
    return text_take(&t);
}

static void csv_start(const SizeRow *r, const char *part, const char *name, FILE *f)
{
    fprintf(f, "%s,%s,%s,%s,%s,%s,", csv_field(r->model), r->method, r->lowering, csv_field(r->target->name),
            part, csv_field(name));
}

static void csv_bytes(int64_t code, int64_t constants, int64_t weights, double entropy, FILE *f)
{
    fprintf(f, "%s,%s,", int_text(code), int_text(constants));
    if (weights)
        fprintf(f, "%s,%.4f,%.4f,", int_text(weights), bits_per_weight(code + constants, weights), entropy);
    else
        fprintf(f, ",,,");
}

static void csv_row(const SizeRow *r, FILE *f)
{
    csv_start(r, "total", "", f);
    if (r->error) {
        fprintf(f, ",,,,,,,,,,failed\n");
        return;
    }
    csv_bytes(r->code, r->constants, r->weights, r->entropy, f);
    fprintf(f, "%s,%s,%s,", int_text(r->data), int_text(r->bss), int_text(r->arena));
    if (r->stack >= 0)
        fprintf(f, "%s", int_text(r->stack));
    fprintf(f, ",%s,%s\n", int_text(row_ram(r)), csv_field(list_unlinked(r, " ")));
    for (int i = 0; r->by_layer && i < r->num_layers; i++) {
        const SizeLayer *l = &r->layers[i];
        csv_start(r, mem_printf("layer%d", l->index), l->source, f);
        csv_bytes(l->code, l->constants, l->weights, l->entropy, f);
        fprintf(f, ",,,,,\n");
    }
    for (int i = 0; i < r->num_shared; i++) {
        csv_start(r, "shared", r->shared[i].name, f);
        csv_bytes(r->shared[i].code, r->shared[i].constants, 0, 0, f);
        fprintf(f, ",,,,,\n");
    }
}

void size_print_csv(const SizeReport *s, FILE *f)
{
    fprintf(f, "model,method,lowering,target,part,name,code,constants,weights,bits_per_weight,entropy,data,"
               "bss,arena,"
               "stack,ram,not_counted\n");
    for (int i = 0; i < s->count; i++)
        csv_row(&s->rows[i], f);
}
