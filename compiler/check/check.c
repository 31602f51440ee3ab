/* check.c - building a program that checks generated C, and the verdict.
 *
 * The C text of a plan is compiled together with a harness (runtime/check) that runs it. check_values.c compares what
 * every node wrote with the evaluator, on the generated code's own inputs of that node; check_impulses.c has the
 * harness prove every ternary weight by itself. */
#include "check/check.h"

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
    if (mkdir(path_in(p, "model"), 0700))
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

bool program_build(Program *p, const Text *c, const Text *h, Text *err)
{
    file_write(path_in(p, mem_printf("model/%s.h", p->plan->id)), h->data, h->len);
    char *source = path_in(p, mem_printf("model/%s.c", p->plan->id));
    file_write(source, c->data, c->len);
    compile_harness(p);
    int n = 0, parts = 0;
    while (p->parts && p->parts[parts])
        parts++;
    const char **files = NEW_ARRAY(const char *, parts + 7);
    files[n++] = program_define(p->plan);
    files[n++] = "-o";
    files[n++] = p->binary;
    files[n++] = p->harness;
    files[n++] = source;
    for (int i = 0; i < parts; i++)
        files[n++] = p->parts[i];
    files[n] = "-lm";
    return cc_try(p->cc, p->cflags, files, err);
}

void program_add_parts(Program *p, int count, const Text *header, const Text *files)
{
    p->parts = NEW_ARRAY(const char *, count + 1);
    file_write(path_in(p, mem_printf("model/%s", split_header_name(p->plan->id))), header->data, header->len);
    for (int i = 0; i < count; i++) {
        p->parts[i] = path_in(p, mem_printf("model/%s", split_file_name(p->plan->id, i)));
        file_write(p->parts[i], files[i].data, files[i].len);
    }
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
