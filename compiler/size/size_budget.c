/* size_budget.c - `ternc compile --max-flash --max-ram`: the plan is compiled and measured as `ternc size`
 * does before anything is written; what is over a limit fails with the layers in order of their bytes and
 * what would make each smaller. */
#include "codegen/codegen.h"
#include "size/size.h"

#include <stdlib.h>
#include <string.h>

static int by_bytes(const void *a, const void *b)
{
    const SizeLayer *x = a, *y = b;
    int64_t d = y->code + y->constants - x->code - x->constants;
    if (d)
        return d > 0 ? 1 : -1;
    return x->index - y->index;
}

static const Layer *find_layer(const Plan *p, int index)
{
    const Layer *l;
    for (int i = 0; i < p->g->num_nodes; i++)
        for (int k = 0; (l = node_layer(p->g->nodes[i], k)); k++)
            if (l->index == index)
                return l;
    bug("there is no layer %d", index);
}

/* What a smaller form of the layer would be, by the prediction. */
static const char *advice(const Plan *p, const SizeLayer *s)
{
    const Layer *l = find_layer(p, s->index);
    Lowering best = l->lowering;
    if (!l->codes)
        return "make it ternary (--method, --keep)";
    for (int i = LOWER_UNROLL; i <= LOWER_DENSE; i++)
        if (l->bytes[i] >= 0 && l->bytes[i] < l->bytes[best])
            best = (Lowering)i;
    if (best != l->lowering)
        return mem_printf("as %s: about %s bytes", lowering_name(best), count_text(l->bytes[best]));
    return "more zeros (--method stp --sparsity)";
}

static const char *list_layers(const Plan *p, SizeRow *r)
{
    char *text = NULL;
    size_t len;
    FILE *f = open_memstream(&text, &len);
    if (!f)
        fail("out of memory");
    Table *t = table_new("layer\tweights\tform\t>code\t>constants\tsmaller");
    qsort(r->layers, (size_t)r->num_layers, sizeof *r->layers, by_bytes);
    for (int i = 0; i < r->num_layers; i++) {
        const SizeLayer *l = &r->layers[i];
        table_row(t, "%d %s\t%s %s\t%s\t%s\t%s\t%s", l->index, short_text(l->source, 40),
                  count_text(l->weights), l->kind, l->lowering, count_text(l->code), count_text(l->constants),
                  advice(p, l));
    }
    table_row(t, "shared\t\t\t%s\t%s\t", count_text(shared_code(r)), count_text(shared_constants(r)));
    table_print(t, f);
    fclose(f);
    char *copy = mem_strdup(text);
    free(text);
    for (size_t n = strlen(copy); n && (copy[n - 1] == '\n' || copy[n - 1] == ' ');)
        copy[--n] = 0;
    return copy;
}

static SizeRow measure_plan(const Plan *p, const BuildOptions *o)
{
    BuildOptions with = *o;
    with.no_cache = true;
    Builder *b = builder_new(&with, 1);
    Plan *renamed = NEW(Plan);
    *renamed = *p;
    renamed->id = "net";
    Text source = {0}, header = {0};
    emit_c(renamed, &source, &header);
    const char *target = p->opt->target;
    SizeRow r = {.model = p->g->file, .target = find_target(target ? target : "host"), .stack = -1};
    count_layers(&r, renamed);
    r.build = builder_add(b, r.target, text_take(&source), text_take(&header), p->g->file);
    builder_run(b);
    if (r.build->error)
        fail("%s: %s does not compile the generated C for %s:\n%s", p->g->file, o->cc, r.target->name,
             r.build->error);
    count_object(&r);
    return r;
}

void check_budget(const Plan *p, const Budget *budget, const BuildOptions *o)
{
    if (budget->max_flash < 0 && budget->max_ram < 0)
        return;
    SizeRow r = measure_plan(p, o);
    int64_t flash = row_flash(&r), ram = row_ram(&r);
    const char *file = p->g->file, *on = r.target->name;
    if (budget->max_flash >= 0 && flash > budget->max_flash)
        fail("%s: %s bytes of flash on %s (%s), %s over --max-flash\n%s%s", file, count_text(flash), on,
             o->cflags, count_text(flash - budget->max_flash), list_layers(p, &r),
             p->opt->optimize == OPTIMIZE_SIZE ? ""
                                               : "\n--optimize size takes the smallest form of each layer");
    if (budget->max_ram >= 0 && r.stack < 0)
        fail("%s: the stack on %s is not known, so --max-ram cannot be checked", file, on);
    if (budget->max_ram >= 0 && ram > budget->max_ram)
        fail("%s: %s bytes of RAM on %s (%s), %s over --max-ram: arena %s, stack %s, other data %s%s", file,
             count_text(ram), on, o->cflags, count_text(ram - budget->max_ram), count_text(r.arena),
             count_text(r.stack), count_text(ram - r.arena - r.stack),
             p->opt->optimize == OPTIMIZE_SIZE ? "" : "\n--optimize size needs a smaller arena");
}
