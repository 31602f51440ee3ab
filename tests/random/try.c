/* try.c - a network is drawn, compiled with drawn options, built and checked as `ternc check` does it, in a
 * process of its own; what becomes of it is left in shared memory. */
#include "random/known.h"
#include "base/cleanup.h"
#include "base/host.h"
#include "check/check.h"
#include "codegen/codegen.h"
#include "onnx/onnx.h"
#include "passes/passes.h"
#include "pipeline.h"
#include "support/text.h"

#include <ctype.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    SECONDS = 60, /* of processor time */
    WAITING = 10, /* times as long by the clock */
    MEGABYTES = 1024,
};

static Outcome *shared; /* with the process that tries */

/* ---- options ---- */

#define STRICT " -Wall -Wextra -Wpedantic -Wconversion -Werror"
#define SANITIZE " -fsanitize=address,undefined -fno-sanitize-recover=undefined"

typedef struct Setup {
    Options opt;
    const char *cc, *cflags;
    bool reread;    /* written as ONNX and read again */
    bool dry;       /* the C is printed, and not compiled: this takes most of the time */
    int64_t pixels; /* this image of the inputs is uint8; 0: none */
} Setup;

static const char *const builds[][2] = {
    {"gcc", "-O0" STRICT},     {"clang", "-O1" STRICT}, {"gcc", "-O2 -std=c99 -DTN_NO_VECTORS" STRICT},
    {"clang", "-O1" SANITIZE}, {"gcc", "-O1" SANITIZE}, {"clang", "-O2 -ffp-contract=off" STRICT},
};

static const char *const targets[] = {NULL, "cortex-m0", "cortex-m4", "x86-64-v4", "avr", "aarch64"};
static const Method methods[] = {METHOD_none, METHOD_twn, METHOD_stp};
static const LayoutWord layouts[] = {{.layout = IMAGES_NCHW}, {.layout = IMAGES_NHWC}};
static const char *const keep[] = {"none", "first", "last"};

static void draw_options(Draw *d, Setup *s)
{
    Options *o = &s->opt;
    *o = (Options){.quiet = true, .name = "net", .input.scale = 1};
    o->method = methods[draw(d, 0, 2)];
    o->sparsity = o->method == METHOD_stp ? 0.5f : 0;
    o->per_layer = maybe(d, 3);
    o->keep = &keep[maybe(d, 4) ? draw(d, 0, 2) : 0];
    o->num_keep = 1;
    o->lowering = (Lowering)draw(d, 0, NUM_LOWERINGS - 1);
    o->optimize = maybe(d, 3) ? OPTIMIZE_SIZE : OPTIMIZE_SPEED;
    o->target = targets[maybe(d, 2) ? draw(d, 0, 5) : 0];
    o->split = maybe(d, 8) ? (int)draw(d, 1, 3) : 0;
    o->float_guard = maybe(d, 6);
    o->input.layout = (LayoutWords){&layouts[draw(d, 0, 1)], maybe(d, 8)};
    o->model_layout = (LayoutWords){&layouts[draw(d, 0, 1)], o->input.layout.count};
    s->pixels = maybe(d, 8);
    const char *const *build = builds[draw(d, 0, 5)];
    s->cc = build[0];
    s->cflags = build[1];
    s->reread = maybe(d, 3);
    s->dry = draw(d, 0, 3) != 0;
}

static const Tensor *first_float(const Graph *g)
{
    for (int i = 0; i < g->num_inputs; i++)
        if (g->inputs[i]->type.dtype == DT_F32)
            return g->inputs[i];
    return NULL;
}

static bool has_images(const Graph *g)
{
    for (int i = 0; i < g->num_inputs; i++)
        if (g->inputs[i]->type.rank > 2)
            return true;
    return false;
}

/* The options that depend on the network. */
static void finish_options(Setup *s, const Graph *g)
{
    const char **names = NEW_ARRAY(const char *, 1);
    const Tensor *x = first_float(g);
    if (!has_images(g))
        s->opt.input.layout.count = s->opt.model_layout.count = 0;
    s->pixels = s->pixels && x;
    if (!s->pixels)
        return;
    names[0] = x->name;
    s->opt.input.uint8 = names;
    s->opt.input.num_uint8 = 1;
    s->opt.input.scale = 1.0 / 255;
}

static const char *options_text(const Setup *s)
{
    const Options *o = &s->opt;
    Text t = {0};
    text_printf(&t, "--method %s --keep %s",
                o->method == METHOD_none  ? "none"
                : o->method == METHOD_twn ? "twn"
                                          : "stp --sparsity 0.5",
                o->keep[0]);
    if (o->per_layer)
        text_printf(&t, " --granularity layer");
    if (o->lowering)
        text_printf(&t, " --lowering %s", lowering_name(o->lowering));
    if (o->optimize)
        text_printf(&t, " --optimize size");
    if (o->target)
        text_printf(&t, " --target %s", o->target);
    if (o->split)
        text_printf(&t, " --split %d", o->split);
    if (o->float_guard)
        text_printf(&t, " --float-guard");
    if (s->pixels)
        text_printf(&t, " --input-uint8 '%s' --scale 1/255", o->input.uint8[0]);
    if (o->input.layout.count)
        text_printf(&t, " --layout %s", layout_name(o->input.layout.items->layout));
    if (o->model_layout.count)
        text_printf(&t, " --model-layout %s", layout_name(o->model_layout.items->layout));
    text_printf(&t, " --cc %s --cflags '%s'%s", s->cc, s->cflags,
                s->reread ? " (written and read again)" : "");
    return text_take(&t);
}

/* ---- the process: verdicts ---- */

static void copy_text(char *to, size_t room, const char *from)
{
    size_t n = strlen(from);
    n = n < room ? n : room - 1;
    memcpy(to, from, n);
    to[n] = 0;
}

/* Without numbers and what stands in quotes, from which messages of one cause differ; to the line's end. */
static void set_kind(Outcome *o, const char *message)
{
    size_t n = 0;
    char quote = 0;
    for (const char *p = message; *p && *p != '\n' && n + 1 < sizeof o->kind; p++) {
        if (*p == '\'')
            quote = quote ? 0 : '\'';
        if (*p == '[')
            break;
        if (!quote && !isdigit((unsigned char)*p))
            o->kind[n++] = *p;
    }
    o->kind[n] = 0;
}

static void conclude(Outcome *o, Verdict v, const char *message)
{
    copy_text(o->message, sizeof o->message, message);
    set_kind(o, message);
    o->verdict = v;
}

/* Behind a message of the model: only what comes after "node 'NAME' " is told, so that kinds compare. */
static void conclude_trap(Outcome *o, const Trap *t)
{
    const char *m = t->message;
    if (!strncmp(m, "net.onnx: ", 10))
        m += 10;
    conclude(o, t->code == 1 && !strstr(m, "C compiler failed") ? REFUSED : FOUND, m);
}

static void conclude_report(Outcome *o, const Plan *plan, const CheckReport *r)
{
    const Graph *g = plan->g;
    for (int i = 0; i < g->num_nodes; i++)
        if (r->nodes[i].wrong) {
            const char *what = g->nodes[i]->layer ? g->nodes[i]->layer->source : g->nodes[i]->op_name;
            conclude(o, FOUND, mem_printf("%s differs: %s", what, r->nodes[i].first));
            set_kind(o, mem_printf("%s differs", g->nodes[i]->op_name));
            return;
        }
    for (int i = 0; i < r->num_layers; i++)
        if (r->layers[i].first) {
            conclude(o, FOUND, mem_printf("layer: %s", r->layers[i].first));
            set_kind(o, "layer: impulses");
            return;
        }
    conclude(o, FOUND, r->problems.len ? r->problems.data : "a layer without verdict");
}

/* ---- the process: steps ---- */

static void count_ops(Outcome *o, const Graph *g)
{
    for (int i = 0; i < g->num_nodes; i++)
        o->ops[g->nodes[i]->op]++;
}

Model *model_of(Graph *g)
{
    Model *m = NEW(Model);
    *m = (Model){.file = "net.onnx", .ir_version = 8, .opset = 17, .quiet = true, .graph = g};
    return m;
}

bool has_control(const Graph *g)
{
    for (int i = 0; i < g->num_nodes; i++)
        if (g->nodes[i]->op >= OP_If && g->nodes[i]->op <= OP_ConcatFromSequence)
            return true;
    return false;
}

/* As the file has it where it can be written so, else as it is once prepared. */
static Model *prepare(Graph *g, const Setup *s, const char *folder)
{
    Model *m = model_of(g);
    const char *path = mem_printf("%s/model.onnx", folder ? folder : s->reread ? temp_folder() : "");
    bool control = has_control(g);
    if (!control && (folder || s->reread))
        onnx_write(m, path);
    if (!control && s->reread)
        m = onnx_read(path, &s->opt);
    pipeline_prepare(m, &s->opt);
    if (control && (folder || s->reread))
        onnx_write(m, path);
    if (control && s->reread) {
        m = onnx_read(path, &s->opt);
        pipeline_prepare(m, &s->opt);
    }
    return m;
}

static Program *build(const Plan *plan, const Setup *s, Text *err)
{
    Program *p = program_open(plan, s->cc, s->cflags);
    const SourceFiles files = model_files(plan);
    return s->dry || program_build_files(p, &files, err) ? p : NULL;
}

static void check_net(Outcome *o, Graph *g, const Graph *drawn, const Setup *s, const char *folder)
{
    const DataOptions none = {0};
    const CheckInputs from = {.data = &none, .samples = 2, .seed = 1};
    Text err = {0};
    int count;
    Model *m = prepare(g, s, folder);
    pipeline_ternarize(m, &s->opt);
    Plan *plan = pipeline_lower(m, &s->opt);
    const void *const *const *sets = make_input_sets(plan->g, &from, &count);
    const char *wrong = drawn ? compare_codes(drawn, plan->g, sets[0]) : NULL;
    if (wrong) {
        conclude(o, FOUND, wrong);
        return;
    }
    Program *p = build(plan, s, &err);
    if (!p) {
        const char *message = strstr(err.data, "error: ");
        conclude(o, FOUND, mem_printf("does not compile: %s", message ? message : err.data));
        return;
    }
    o->built = !s->dry;
    if (s->dry) {
        o->verdict = PASSED;
        return;
    }
    CheckReport *r = report_new(plan);
    compare_values(p, sets, count, r);
    compare_impulses(p, r);
    if (report_passed(plan, r))
        o->verdict = PASSED;
    else
        conclude_report(o, plan, r);
}

/* The network as it is before it is fused, drawn and prepared once more: NULL without codes. */
static Graph *draw_again(uint64_t seed, const Choices *made, const Setup *s)
{
    Setup same;
    Draw d = {.seed = seed, .given = made, .out = NEW(Choices)};
    draw_options(&d, &same);
    Graph *g = draw_net(&d);
    if (!d.codes || has_control(g))
        return NULL;
    Model *m = model_of(g);
    pipeline_prepare(m, &s->opt);
    pipeline_ternarize(m, &s->opt);
    pass_inputs(m->graph, &s->opt);
    return m->graph;
}

static void draw_and_check(Outcome *o, uint64_t seed, const Choices *given, const char *folder)
{
    Draw d = {.seed = seed, .given = given, .out = &o->choices};
    Setup s;
    Trap t;
    draw_options(&d, &s);
    Graph *g = draw_net(&d);
    finish_options(&s, g);
    count_ops(o, g);
    bool refused = d.refused.code && (d.refused.code == 3 || !is_allowed_refusal(d.refused.message));
    if (refused)
        node_append(g, d.refused_node);
    copy_text(o->options, sizeof o->options, options_text(&s));
    if (g->num_outputs || refused)
        copy_text(o->text, sizeof o->text, dump_text(g));
    if (d.refused.code)
        conclude_trap(o, &d.refused);
    if (refused)
        return;
    o->verdict = g->num_outputs ? UNFINISHED : NOTHING;
    if (!g->num_outputs)
        return;
    if (CATCH(&t)) {
        conclude_trap(o, &t);
        return;
    }
    check_net(o, g, draw_again(seed, &o->choices, &s), &s, folder);
    trap_end();
}

/* ---- the parent ---- */

/* Ends as by SIGTERM, which takes the compiler or the harness that it waits for with it. */
static void too_long(int sig)
{
    (void)sig;
    raise(SIGTERM);
}

int run_apart(void (*work)(const void *job), const void *job, FILE *err)
{
    fflush(NULL);
    int child = cleanup_fork();
    if (child < 0)
        fail("cannot fork");
    if (child > 0)
        return wait_program(&child);
    dup2(fileno(err), 2);
    const struct rlimit limit = {SECONDS, SECONDS + 1};
    setrlimit(RLIMIT_CPU, &limit); /* of each program by itself: other work on this machine does not count */
    signal(SIGXCPU, too_long);
    signal(SIGALRM, too_long);
    alarm(WAITING * SECONDS);
    mem_limit("random_nets", (size_t)MEGABYTES << 20, 0);
    work(job);
    exit(0);
}

typedef struct Trial {
    uint64_t seed;
    const Choices *given;
    const char *folder;
} Trial;

static void run_trial(const void *job)
{
    const Trial *t = job;
    draw_and_check(shared, t->seed, t->given, t->folder);
}

/* What a process that did not come to a verdict printed: a sanitizer's report, say. */
static void conclude_crash(int code, const Text *said)
{
    const char *summary = said->data ? strstr(said->data, "SUMMARY: ") : NULL;
    if (code == 128 + SIGTERM)
        conclude(shared, FOUND, "takes too long");
    else
        conclude(shared, FOUND,
                 mem_printf("the compiler ends with code %d: %s", code,
                            summary     ? summary
                            : said->len ? said->data
                                        : ""));
}

const Outcome *try_net(uint64_t seed, uint64_t number, const Choices *given, const char *folder)
{
    if (!shared)
        shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
        fail("out of memory");
    Choices copy = given ? *given : (Choices){0};
    const Trial t = {random_bits(seed, number), given ? &copy : NULL, folder};
    FILE *err = temp_file();
    Text said = {0};
    memset(shared, 0, sizeof *shared);
    int code = run_apart(run_trial, &t, err);
    read_back(err, &said);
    if (shared->verdict == UNFINISHED)
        conclude_crash(code, &said);
    text_free(&said);
    return shared;
}
