/* cmd_bench.c - `ternc bench`: how fast the generated C is on this machine. The float model and every
 * lowering of the ternary one are built into one program (runtime/check/bench.c), which times them in turn;
 * what is reported are medians and medians of the rounds' ratios, so that other load on the machine does not
 * favour any of them. */
#include "cli/cli.h"
#include "base/out_file.h"
#include "codegen/codegen.h"
#include "pipeline.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_BUILDS = 8 };

extern const char *const bench_harness_lines[];
extern const char *const bench_rival_lines[];

/* What the program printed: a line of times per round, in ns. */
typedef struct Rounds {
    double **ns;
    int count, cap;
} Rounds;

/* One build of the model, or the rival. */
typedef struct Contender {
    const char *name;                /* "float" or, on codes, "int8"; then "auto", ... */
    const Plan *plan;                /* NULL: the rival */
    const char **sources, **objects; /* paths, NULL at the end */
    double compile_seconds;
    double ns, ratio, rival_ratio; /* medians; the float build's time and the rival's over this one's */
    double difference, largest;    /* of outputs from the float build's */
    Rounds node_rounds;            /* by node, with --layers */
} Contender;

typedef struct Bench {
    const CommandLine *c;
    const char *folder;
    Contender builds[MAX_BUILDS];
    int num_builds; /* the rival not counted */
    int count;      /* with the rival */
    Rounds rounds;  /* by build */
} Bench;

/* ---- building ---- */

static char *path_in(const Bench *b, const char *name)
{
    return mem_printf("%s/%s", b->folder, name);
}

/* Contenders are named b0, b1, ... in C. */
static void add_build(Bench *b, const char *name, Method method, Lowering lowering)
{
    Options *opt = NEW(Options); /* the plan points to it */
    *opt = b->c->opt;
    opt->method = method;
    opt->lowering = lowering;
    opt->quiet |= b->num_builds > 0; /* notes once */
    opt->name = mem_printf("b%d", b->num_builds);
    Model *m = pipeline_load(b->c->model, opt);
    pipeline_ternarize(m, opt);
    Plan *plan = pipeline_lower(m, opt);
    const SourceFiles files = model_files(plan);
    const char **sources = files_write(&files, b->folder);
    b->builds[b->num_builds++] = (Contender){.name = name, .plan = plan, .sources = sources};
}

static void add_builds(Bench *b)
{
    const CommandLine *c = b->c;
    add_build(b, "float", METHOD_none, LOWER_DENSE);
    if (has_codes(b->builds[0].plan->g))
        b->builds[0].name = "int8";
    for (int i = 0; i < c->num_lowerings; i++)
        add_build(b, lowering_name(c->lowerings[i]), c->opt.method, c->lowerings[i]);
    b->count = b->num_builds + (c->rival != NULL);
    if (c->rival)
        b->builds[b->num_builds].name = "rival";
}

/* As bench.c knows them. */
static const char *letter_of(DType d)
{
    switch (d) {
    case DT_F32: return "'f'";
    case DT_U8: return "'u'";
    case DT_I8: return "'i'";
    default: return "0";
    }
}

static void add_tensors(Text *t, const char *name, const char *macro, Tensor *const *list, int count)
{
    text_printf(t, "#define NUM_%s %d\nstatic const Tensor %s[] = {\n", macro, count, name);
    for (int i = 0; i < count; i++) {
        text_printf(t, "    {%d, {", list[i]->type.rank);
        for (int d = 0; d < list[i]->type.rank; d++)
            text_printf(t, "%s, ", int_text(list[i]->type.dims[d]));
        text_printf(t, "0}, %zu, %s},\n", type_bytes(list[i]->type), letter_of(list[i]->type.dtype));
    }
    text_printf(t, "    {0, {0}, 0, 0}};\n");
}

static void add_run(Text *t, const Plan *p)
{
    const Graph *g = p->g;
    text_printf(
        t,
        "#include \"%s.h\"\nstatic void run_%s(void *const *x, void *const *y)\n{\n    (void)x, (void)y;\n",
        p->id, p->id);
    text_printf(t, "    %s_run(", p->id);
    for (int i = 0; i < g->num_inputs; i++)
        text_printf(t, "%sx[%d]", i ? ", " : "", i);
    for (int i = 0; i < g->num_outputs; i++)
        text_printf(t, "%sy[%d]", i || g->num_inputs ? ", " : "", i);
    text_printf(t, ");\n}\n");
}

/* Those of all builds, which have ranges of their own. */
static void add_steps(Text *t, const Bench *b)
{
    text_printf(t, "static const Step output_steps[][NUM_OUTPUTS + 1] = {\n");
    for (int i = 0; i < b->num_builds; i++) {
        const Graph *g = b->builds[i].plan->g;
        text_printf(t, "    {");
        for (int k = 0; k < g->num_outputs; k++) {
            const CodeStep *s = g->outputs[k]->step;
            text_printf(t, "{%.9g, %d}, ", s ? s->scale : 1, s ? s->zero : 0);
        }
        text_printf(t, "{0, 0}},\n");
    }
    text_printf(t, "};\n");
}

static void describe(const Bench *b)
{
    const Graph *g = b->builds[0].plan->g;
    Text t = {0};
    int nodes = 0;
    for (int i = 0; i < b->num_builds; i++) {
        add_run(&t, b->builds[i].plan);
        nodes = b->builds[i].plan->g->num_nodes > nodes ? b->builds[i].plan->g->num_nodes : nodes;
    }
    text_printf(&t, "#define NUM_BUILDS %d\n#define NUM_NODES %d\nstatic const Run runs[] = {", b->num_builds,
                nodes);
    for (int i = 0; i < b->num_builds; i++)
        text_printf(&t, "run_b%d, ", i);
    text_printf(&t, "NULL};\n");
    add_tensors(&t, "input_tensors", "INPUTS", g->inputs, g->num_inputs);
    add_tensors(&t, "output_tensors", "OUTPUTS", g->outputs, g->num_outputs);
    add_steps(&t, b);
    file_write(path_in(b, "model.h"), t.data, t.len);
    text_free(&t);
    file_write_lines(path_in(b, "bench.c"), bench_harness_lines);
    file_write_lines(path_in(b, "rival.h"), bench_rival_lines);
    static const char hook[] = "void bench_node(int node);\n";
    file_write(path_in(b, "node.h"), hook, sizeof hook - 1);
}

static void write_inputs(const Bench *b)
{
    int num_sets;
    const Graph *g = b->builds[0].plan->g;
    const CheckInputs from = check_inputs(b->c);
    const void *const *const *sets = make_input_sets(g, &from, &num_sets);
    Text t = {0};
    text_add(&t, "", 0);
    for (int i = 0; i < g->num_inputs; i++)
        text_add(&t, sets[0][i], type_bytes(g->inputs[i]->type));
    file_write(path_in(b, "inputs"), t.data, t.len);
    text_free(&t);
}

/* nodes: with a call behind every node. */
static void compile_build(Bench *b, int i, bool nodes)
{
    const BuildOptions *o = &b->c->build;
    Contender *k = &b->builds[i];
    const char *hook = nodes ? mem_printf("-DB%d_PROFILE=bench_node", i) : "-DTERNC_BENCH";
    Text err = {0};
    double start = seconds_now();
    k->objects = cc_objects(o->cc, o->cflags, k->sources,
                            (const char *[]){"-include", path_in(b, "node.h"), hook, NULL}, &err);
    k->compile_seconds = seconds_now() - start;
    if (!k->objects)
        cc_refused(o->cc, o->cflags, &err);
    text_free(&err);
}

/* Of all builds; NULL at the end. */
static const char **all_objects(const Bench *b)
{
    int n = 0;
    for (int i = 0; i < b->num_builds; i++)
        for (int k = 0; b->builds[i].objects[k]; k++)
            n++;
    const char **objects = NEW_ARRAY(const char *, n + 1);
    n = 0;
    for (int i = 0; i < b->num_builds; i++)
        for (int k = 0; b->builds[i].objects[k]; k++)
            objects[n++] = b->builds[i].objects[k];
    return objects;
}

/* Each build by itself, with its time; then the program. */
static const char *compile_program(Bench *b, bool nodes)
{
    static const char flags[] = "-std=gnu99 -O1 -w";
    const char *program = path_in(b, nodes ? "bench_nodes" : "bench");
    Text err = {0};
    for (int i = 0; i < b->num_builds; i++)
        compile_build(b, i, nodes);
    const char *const more[] = {
        path_in(b, "bench.c"), nodes ? "-DBENCH_NODES" : "-DTERNC_BENCH", "-o", program, "-lm", "-ldl", NULL};
    if (!cc_link(b->c->build.cc, flags, all_objects(b), more, &err))
        cc_refused(b->c->build.cc, flags, &err);
    text_free(&err);
    return program;
}

/* ---- running ---- */

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *v, int n)
{
    qsort(v, (size_t)n, sizeof *v, compare_doubles);
    return n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

static void add_round(Rounds *r, char *numbers, int count)
{
    if (r->count == r->cap) {
        r->cap = r->cap ? 2 * r->cap : 64;
        double **more = NEW_ARRAY(double *, r->cap);
        for (int i = 0; i < r->count; i++)
            more[i] = r->ns[i];
        r->ns = more;
    }
    double *v = r->ns[r->count++] = NEW_ARRAY(double, count);
    for (int i = 0; i < count; i++)
        v[i] = strtod(numbers, &numbers);
}

static void read_line(Bench *b, char *line)
{
    int build, at = 0;
    double difference, largest;
    if (sscanf(line, "difference %d %lf %lf", &build, &difference, &largest) == 3) {
        b->builds[build].difference = difference;
        b->builds[build].largest = largest;
    } else if (!strncmp(line, "rival ", 6)) {
        b->builds[b->num_builds].name = mem_strdup(line + 6);
    } else if (!strncmp(line, "round ", 6)) {
        add_round(&b->rounds, line + 6, b->count);
    } else if (sscanf(line, "nodes %d%n", &build, &at) == 1) {
        add_round(&b->builds[build].node_rounds, line + at, b->builds[build].plan->g->num_nodes);
    } else if (line[0]) {
        bug("bench: %s", line);
    }
}

static void run_bench(Bench *b, const char *program)
{
    Text out = {0}, err = {0};
    char *argv[] = {mem_strdup(program),
                    mem_printf("%.9g", b->c->seconds),
                    path_in(b, "inputs"),
                    mem_strdup(b->c->model),
                    b->c->rival ? mem_strdup(b->c->rival) : NULL,
                    NULL};
    int code = run_program(argv, &out, &err);
    if (code)
        fail("the timed program ended with exit code %d: %s", code, err.len ? err.data : "no message");
    char *rest = out.data;
    while (rest && *rest)
        read_line(b, strsep(&rest, "\n"));
    text_free(&out);
    text_free(&err);
}

/* The median of one column, or of the ratio of another to it. */
static double column_median(const Rounds *r, int over, int column)
{
    double *v = NEW_ARRAY(double, r->count + 1);
    for (int i = 0; i < r->count; i++)
        v[i] = over < 0 ? r->ns[i][column] : r->ns[i][over] / r->ns[i][column];
    return r->count ? median(v, r->count) : 0;
}

static void summarize(Bench *b)
{
    for (int i = 0; i < b->count; i++) {
        b->builds[i].ns = column_median(&b->rounds, -1, i);
        b->builds[i].ratio = column_median(&b->rounds, 0, i);
        b->builds[i].rival_ratio = column_median(&b->rounds, b->count - 1, i);
    }
}

/* ---- reporting ---- */

static void print_table(const Bench *b)
{
    bool rival = b->c->rival != NULL;
    Table *t = table_new(mem_printf("build\t>us/run\t>x %s%s\t>arena\t>compile s\t>difference",
                                    b->builds[0].name, rival ? "\t>x rival" : ""));
    for (int i = 0; i < b->count; i++) {
        const Contender *p = &b->builds[i];
        const char *ratio =
            rival ? mem_printf("%.2f\t%.2f", p->ratio, p->rival_ratio) : mem_printf("%.2f", p->ratio);
        const char *arena = p->plan ? count_text(p->plan->arena_bytes) : "-";
        const char *seconds = p->plan ? mem_printf("%.2f", p->compile_seconds) : "-";
        table_row(t, "%s\t%.2f\t%s\t%s\t%s\t%.2g of %.2g", p->name, p->ns / 1e3, ratio, arena, seconds,
                  p->difference, p->largest);
    }
    table_print(t, stdout);
    printf("%s: %d rounds, %s %s\n", b->c->model, b->rounds.count, b->c->build.cc, b->c->build.cflags);
}

/* A node's time in a build; builds whose graphs differ are not compared. */
static const char *node_text(const Bench *b, int build, int node)
{
    const Contender *p = &b->builds[build];
    if (p->plan->g->num_nodes != b->builds[0].plan->g->num_nodes)
        return "-";
    return mem_printf("%.2f", column_median(&p->node_rounds, -1, node) / 1e3);
}

static void print_nodes(const Bench *b)
{
    const char *heading = ">#\toperator\tname";
    for (int i = 0; i < b->num_builds; i++)
        heading = mem_printf("%s\t>%s us", heading, b->builds[i].name);
    Table *t = table_new(heading);
    const Graph *g = b->builds[0].plan->g;
    for (int n = 0; n < g->num_nodes; n++) {
        const char *row =
            mem_printf("%d\t%s\t%s", n, g->nodes[n]->op_name, short_text(node_label(g->nodes[n]), 40));
        for (int i = 0; i < b->num_builds; i++)
            row = mem_printf("%s\t%s", row, node_text(b, i, n));
        table_row(t, "%s", row);
    }
    table_print(t, stdout);
}

static cJSON *build_json(const Bench *b, const Contender *p)
{
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "build", p->name);
    cJSON_AddNumberToObject(o, "ns", p->ns);
    cJSON_AddNumberToObject(o, mem_printf("times_%s", b->builds[0].name), p->ratio);
    if (b->c->rival)
        cJSON_AddNumberToObject(o, "times_rival", p->rival_ratio);
    cJSON_AddNumberToObject(o, "difference", p->difference);
    cJSON_AddNumberToObject(o, "largest", p->largest);
    if (!p->plan)
        return o;
    cJSON_AddNumberToObject(o, "arena", (double)p->plan->arena_bytes);
    cJSON_AddNumberToObject(o, "compile_seconds", p->compile_seconds);
    cJSON *nodes = p->node_rounds.count ? cJSON_AddArrayToObject(o, "node_ns") : NULL;
    for (int i = 0; nodes && i < p->plan->g->num_nodes; i++)
        cJSON_AddItemToArray(nodes, cJSON_CreateNumber(column_median(&p->node_rounds, -1, i)));
    return o;
}

static void print_json(const Bench *b)
{
    cJSON *o = cJSON_CreateObject(), *builds = cJSON_AddArrayToObject(o, "builds");
    cJSON_AddStringToObject(o, "model", b->c->model);
    cJSON_AddStringToObject(o, "cc", b->c->build.cc);
    cJSON_AddStringToObject(o, "cflags", b->c->build.cflags);
    cJSON_AddNumberToObject(o, "rounds", b->rounds.count);
    for (int i = 0; i < b->count; i++)
        cJSON_AddItemToArray(builds, build_json(b, &b->builds[i]));
    char *text = cJSON_Print(o);
    printf("%s\n", text);
    free(text);
    cJSON_Delete(o);
}

/* ---- the command ---- */

/* A name without a slash is looked for where libraries are. */
static void check_rival(const char *path)
{
    const char *problem;
    size_t len;
    if (!strchr(path, '/'))
        return;
    int fd = file_open(path, &len, &problem);
    if (fd < 0)
        fail("%s: cannot read: %s", path, problem);
    close(fd);
}

int cmd_bench(const CommandLine *c)
{
    if (c->rival)
        check_rival(c->rival);
    Bench *b = NEW(Bench);
    b->c = c;
    b->folder = temp_folder();
    add_builds(b);
    describe(b);
    write_inputs(b);
    if (c->layers)
        run_bench(b, compile_program(b, true));
    run_bench(b, compile_program(b, false));
    summarize(b);
    if (c->json) {
        print_json(b);
        return 0;
    }
    if (c->layers)
        print_nodes(b);
    print_table(b);
    return 0;
}
