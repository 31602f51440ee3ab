/* cmd_size.c - `ternc size`: what models take in flash and RAM, by method, lowering and target, layer by
 * layer. */
#include "cli/cli.h"
#include "base/out_file.h"
#include "codegen/codegen.h"
#include "passes/methods/methods.h"
#include "pipeline.h"
#include "size/size.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

/* ---- generating ---- */

/* The C of one model, method and lowering, for all targets of the same core. */
typedef struct SizeInput {
    const Core *core;
    const Plan *plan;
    const char *c, *h;
} SizeInput;

/* A method whose zeros are a share of the weights is measured. */
static bool measures_shares(const CommandLine *c)
{
    for (int i = 0; i < c->num_methods; i++)
        if (method_def(c->methods[i])->sparsity > 0)
            return true;
    return false;
}

/* Where such a method is measured, --sparsity is for it alone, --threshold for the others. */
static Options method_options(const CommandLine *c, Method method, Lowering lowering, const Core *core)
{
    Options opt = c->opt;
    float share = method_def(method)->sparsity;
    opt.method = method;
    opt.lowering = lowering;
    opt.target = core->name;
    opt.name = "net";
    if (share > 0)
        opt.threshold = 0;
    if (share > 0 && !(opt.sparsity > 0))
        opt.sparsity = share;
    if (!(share > 0) && measures_shares(c))
        opt.sparsity = 0;
    return opt;
}

static SizeInput generate(const char *path, const Options *options)
{
    Options *opt = NEW(Options); /* the plan points to it */
    *opt = *options;
    Model *m = pipeline_load(path, opt);
    pipeline_ternarize(m, opt);
    SizeInput g = {.core = find_core(opt->target), .plan = pipeline_lower(m, opt)};
    Text source = {0}, header = {0};
    emit_c(g.plan, &source, &header);
    g.c = text_take(&source);
    g.h = text_take(&header);
    return g;
}

/* ---- the rows ---- */

typedef struct Combination {
    const CommandLine *c;
    const Target *const *targets;
    int num_targets;
    Builder *builder;
} Combination;

/* Rows of one model, method and lowering. */
static void add_rows(SizeReport *s, const Combination *k, const char *path, Method method, Lowering lowering)
{
    SizeInput *made = NEW_ARRAY(SizeInput, k->num_targets);
    int count = 0;
    for (int i = 0; i < k->num_targets; i++) {
        const Target *t = k->targets[i];
        const Core *core = t->core;
        SizeRow *r = &s->rows[s->count];
        Options opt = method_options(k->c, method, lowering, core);
        opt.quiet |= s->count > 0 && s->rows[s->count - 1].model == path; /* notes once a model */
        int same = 0;
        while (same < count && made[same].core != core)
            same++;
        if (same == count)
            made[count++] = generate(path, &opt);
        *r = (SizeRow){.model = path,
                       .method = method_def(method)->name,
                       .lowering = lowering_name(lowering),
                       .target = t,
                       .stack = -1};
        count_layers(r, made[same].plan);
        r->build = builder_add(k->builder, t, made[same].c, made[same].h,
                               mem_printf("%s, %s, %s, %s", path, r->method, r->lowering, t->name));
        s->count++;
    }
}

static void check_repeats(Strings models)
{
    Names known = {0};
    for (int i = 0; i < models.count; i++) {
        if (names_find(&known, models.items[i]) >= 0)
            usage("the model '%s' is given twice", models.items[i]);
        names_add(&known, models.items[i], i);
    }
}

static SizeReport *measure(const CommandLine *c)
{
    Combination k = {.c = c};
    k.targets = size_targets(c->targets, c->custom_targets, &k.num_targets);
    check_repeats(c->models);
    k.builder = builder_new(&c->build, c->threads);
    SizeReport *s = NEW(SizeReport);
    *s = (SizeReport){.compiler = k.builder->version,
                      .cflags = c->build.cflags,
                      .optimize = c->opt.optimize == OPTIMIZE_SIZE ? "size" : "speed",
                      .explain = c->explain};
    s->rows =
        NEW_ARRAY(SizeRow, (int64_t)c->models.count * c->num_methods * c->num_lowerings * k.num_targets);
    for (int i = 0; i < c->models.count; i++)
        for (int m = 0; m < c->num_methods; m++)
            for (int l = 0; l < c->num_lowerings; l++)
                add_rows(s, &k, c->models.items[i], c->methods[m], c->lowerings[l]);
    builder_run(k.builder);
    for (int i = 0; i < s->count; i++) {
        SizeRow *r = &s->rows[i];
        r->error = r->build->error;
        if (!r->error)
            count_object(r);
    }
    return s;
}

/* ---- files ---- */

static void make_folder(const char *path)
{
    if (mkdir(raw_text(path), 0777) && errno != EEXIST)
        fail("%s: cannot make this directory: %s", path, strerror(errno));
}

static void save_file(const char *path, const void *data, size_t len)
{
    OutFile *o = out_open(path);
    fwrite(data, 1, len, o->f);
    out_commit(o);
}

/* DIR/MODEL-METHOD-LOWERING-TARGET/net.c, net.h, net.o */
static void keep_objects(const SizeReport *s, const char *folder)
{
    make_folder(folder);
    for (int i = 0; i < s->count; i++) {
        const SizeRow *r = &s->rows[i];
        const SizeBuild *b = r->build;
        const char *to =
            mem_printf("%s/%s-%s-%s-%s", folder, model_id(r->model), r->method, r->lowering, r->target->name);
        make_folder(to);
        save_file(mem_printf("%s/net.c", to), b->c, strlen(b->c));
        save_file(mem_printf("%s/net.h", to), b->h, strlen(b->h));
        if (b->object)
            save_file(mem_printf("%s/net.o", to), b->object, b->object_len);
    }
}

static const char *lower_case(const char *s)
{
    char *lower = mem_strdup(s);
    for (char *p = lower; *p; p++)
        *p = (char)tolower((unsigned char)*p);
    return lower;
}

static void check_folders(Strings models)
{
    Names known = {0};
    for (int i = 0; i < models.count; i++) {
        const char *id = lower_case(model_id(models.items[i])); /* some file systems know no other */
        int k = names_find(&known, id);
        if (k >= 0)
            usage("--output: '%s' and '%s' would share a folder; measure them one by one", models.items[k],
                  models.items[i]);
        names_add(&known, id, i);
    }
}

static void save_html(const SizeReport *s, const char *path)
{
    OutFile *o = out_open(path);
    size_print_html(s, o->f);
    out_commit(o);
}

static void save_json(const SizeReport *s, const char *path)
{
    char *text = size_json(s);
    save_file(path, text, strlen(text));
    free(text);
}

static void print_report(const SizeReport *s, const CommandLine *c)
{
    if (c->csv) {
        size_print_csv(s, stdout);
    } else if (c->json) {
        char *text = size_json(s);
        puts(text);
        free(text);
    } else {
        size_print_table(s, stdout);
    }
}

/* ---- the command ---- */

static void write_files(const SizeReport *s, const CommandLine *c)
{
    if (c->outputs.count)
        keep_objects(s, c->outputs.items[0]);
    if (c->html)
        save_html(s, c->html);
}

static int count_failed(const SizeReport *s)
{
    int failed = 0;
    for (int i = 0; i < s->count; i++)
        failed += s->rows[i].error != NULL;
    return failed;
}

int cmd_size(const CommandLine *c)
{
    if (c->list_targets) {
        size_list_targets(stdout);
        return 0;
    }
    if (c->outputs.count)
        check_folders(c->models);
    Baseline base = {0};
    if (c->baseline)
        base = baseline_read(c->baseline);
    const SizeReport *s = measure(c);
    int failed = count_failed(s), grown = 0;
    write_files(s, c);
    print_report(s, c);
    if (c->baseline)
        grown = baseline_compare(&base, s, c->tolerance, c->json || c->csv ? stderr : stdout);
    if (c->save_baseline && !failed)
        save_json(s, c->save_baseline);
    if (failed)
        fprintf(stderr, "ternc: error: %d of %d combinations could not be compiled%s\n", failed, s->count,
                c->save_baseline ? "; no baseline is written" : "");
    if (grown)
        fprintf(stderr, "ternc: error: %d of %d combinations grew\n", grown, s->count);
    return failed || grown ? 1 : 0;
}
