/* check.c - building a program that checks generated C, and the verdict.
 *
 * The C text of a plan is compiled together with a harness (runtime/check) that runs it. check_values.c
 * compares what every node wrote with the evaluator, on the generated code's own inputs of that node;
 * check_impulses.c has the harness prove every ternary weight by itself. */
#include "base/host.h"
#include "check/check.h"
#include "codegen/codegen.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

extern const char *const check_harness_lines[];
extern const char *const check_impulse_lines[];

/* ---- building ---- */

static char *path_in(const Program *p, const char *name)
{
    return mem_printf("%s/%s", p->folder, name);
}

Program *program_open(const Plan *plan, const char *cc, const char *cflags)
{
    Program *p = NEW(Program);
    *p = (Program){.plan = plan, .cc = cc, .cflags = cflags, .folder = temp_folder()};
    p->binary = path_in(p, "harness");
    if (mkdir(raw_text(path_in(p, "model")), 0700))
        fail("%s: cannot make a folder: %s", p->folder, strerror(errno));
    file_write_lines(path_in(p, "harness.c"), check_harness_lines);
    file_write_lines(path_in(p, "impulse.h"), check_impulse_lines);
    program_describe(p);
    return p;
}

/* The harness depends on the header only through names and the arena's size: it is compiled once. */
static void compile_harness(Program *p)
{
    if (p->harness)
        return;
    p->harness = path_in(p, "harness.o");
    const char *files[] = {"-c", "-o", p->harness, path_in(p, "harness.c"), NULL};
    bool sanitized = strstr(p->cflags, "-fsanitize=") != NULL;
    cc_compile(p->cc, sanitized ? "-std=gnu99 -O1 -w -DGUARD_BYTES=0" : "-std=gnu99 -O1 -w", files);
}

const char **files_write(const SourceFiles *files, const char *folder)
{
    const char **sources = NEW_ARRAY(const char *, files->count + 1);
    for (int i = 0, n = 0; i < files->count; i++) {
        const SourceFile *f = &files->items[i];
        const char *path = mem_printf("%s/%s", folder, f->name), *end = strrchr(f->name, '.');
        file_write(path, f->text.data, f->text.len);
        if (!strcmp(end, ".c") || !strcmp(end, ".S"))
            sources[n++] = path;
    }
    return sources;
}

bool program_build_files(Program *p, const SourceFiles *files, Text *err)
{
    const char **sources = files_write(files, path_in(p, "model"));
    compile_harness(p);
    const char **objects =
        cc_objects(p->cc, p->cflags, sources,
                   (const char *[]){program_define(p->plan), "-I", path_in(p, "model"), NULL}, err);
    return objects && cc_link(p->cc, p->cflags, objects,
                              (const char *[]){p->harness, "-lm", "-o", p->binary, NULL}, err);
}

bool program_build(Program *p, const Text *c, const Text *h, Text *err)
{
    const SourceFiles files = {
        (SourceFile[]){{mem_printf("%s.c", p->plan->id), *c}, {mem_printf("%s.h", p->plan->id), *h}}, 2};
    return program_build_files(p, &files, err);
}

void program_close(Program *p)
{
    temp_remove(p->folder);
}

/* ---- the verdict ---- */

CheckReport *report_new(const Plan *plan)
{
    CheckReport *r = NEW(CheckReport);
    r->nodes = NEW_ARRAY(NodeCheck, plan->g->num_nodes);
    r->num_layers = layer_count(plan->g);
    r->layers = NEW_ARRAY(LayerCheck, r->num_layers);
    return r;
}

int64_t layer_extremes(const Layer *l)
{
    return l->quantised ? 2 * l->co : 0;
}

bool report_passed(const Plan *plan, const CheckReport *r)
{
    bool passed = r->problems.len == 0;
    for (int i = 0; i < plan->g->num_nodes; i++)
        passed &= r->nodes[i].wrong == 0;
    for (int i = 0; i < r->num_layers; i++) {
        const LayerCheck *l = &r->layers[i];
        passed &= l->wrong == 0 && l->missing == 0 && l->stray == 0 && (!l->driven || l->checked > 0);
        passed &= !l->driven || l->extremes == layer_extremes(l->layer);
    }
    return passed;
}

static void read_layer(const char *line, CheckReport *r)
{
    int number;
    long long runs, checked, wrong, missing, stray, extremes;
    if (sscanf(line, "layer %d runs %lld checked %lld wrong %lld missing %lld stray %lld extremes %lld",
               &number, &runs, &checked, &wrong, &missing, &stray, &extremes) != 7 ||
        number < 0 || number >= r->num_layers)
        bug("harness: %s", line);
    LayerCheck *l = &r->layers[number];
    l->runs = runs;
    l->checked = checked;
    l->wrong = wrong;
    l->missing = missing;
    l->stray = stray;
    l->extremes = extremes;
}

static void read_wrong(const char *line, CheckReport *r)
{
    int number, want;
    long long image, co, row, column, ci, ky, kx;
    double got;
    if (sscanf(line,
               "wrong %d image %lld channel %lld row %lld column %lld got %lf want %d weight %lld %lld %lld",
               &number, &image, &co, &row, &column, &got, &want, &ci, &ky, &kx) != 10 ||
        number < 0 || number >= r->num_layers)
        bug("harness: %s", line);
    char *weight =
        ci < 0 ? mem_strdup("some weight") : mem_printf("weight [%lld][%lld][%lld][%lld]", co, ci, ky, kx);
    if (ci >= 0 && (ky < 0 || kx < 0))
        weight = mem_printf("input channel %lld outside the kernel", ci);
    r->layers[number].first =
        mem_printf("output [%lld][%lld][%lld][%lld] sums to %.9g instead of %d under impulses: %s is wrong",
                   image, co, row, column, got, want, weight);
}

static void read_extreme(const char *line, CheckReport *r)
{
    int number;
    long long image, co, row, column, want;
    double got;
    if (sscanf(line, "extreme %d image %lld channel %lld row %lld column %lld got %lf want %lld", &number,
               &image, &co, &row, &column, &got, &want) != 7 ||
        number < 0 || number >= r->num_layers)
        bug("harness: %s", line);
    r->layers[number].first =
        mem_printf("output [%lld][%lld][%lld][%lld] sums to %.9g instead of %lld, which is "
                   "as far as inputs can take it: its sum is too narrow",
                   image, co, row, column, got, want);
}

static void read_line(const char *line, CheckReport *r)
{
    if (!strncmp(line, "layer ", 6))
        read_layer(line, r);
    else if (!strncmp(line, "wrong ", 6))
        read_wrong(line, r);
    else if (!strncmp(line, "extreme ", 8))
        read_extreme(line, r);
    else if (!strncmp(line, "overrun ", 8))
        text_printf(&r->problems, "generated code writes outside of the %s\n", line + 8);
    else if (!strncmp(line, "static ", 7))
        text_printf(&r->problems, "output %s of a second run, on the static arena, is different\n", line + 7);
    else if (strcmp(line, "done"))
        bug("harness: %s", line);
}

bool program_run(const Program *p, const char *const *args, CheckReport *r)
{
    char *argv[8] = {p->binary};
    for (int i = 0; args[i]; i++)
        argv[i + 1] = mem_strdup(args[i]);
    Text out = {0}, err = {0};
    int code = run_program(argv, &out, &err);
    if (code == 3)
        text_printf(&r->problems, "%s", err.data);
    else if (code > 128)
        text_printf(&r->problems, "the generated code ended with signal %d\n%s", code - 128, err.data);
    else if (code)
        text_printf(&r->problems, "the generated code ended with exit code %d\n%s", code, err.data);
    char *rest = NULL;
    for (char *l = strtok_r(out.data, "\n", &rest); l && !code; l = strtok_r(NULL, "\n", &rest))
        read_line(l, r);
    text_free(&out);
    text_free(&err);
    return code == 0;
}
