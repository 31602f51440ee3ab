/* unit_golden.c - passes, text in and text out: every file tests/cases/golden/NAME.txt is a case.
 *
 *   #! infer fold dce             passes to run, in order; none: only read and print
 *   #! keep=none threshold=0.7    options of the ternarize pass (optional line)
 *   ...graph...
 *   ----
 *   ...expected graph, or "error N: message"...
 *
 * Every case is also run on values: a pass other than ternarize must not change what the graph computes. With
 * TERNC_UPDATE=1 the expected texts that are others are written anew. */
#include "base/out_file.h"
#include "ops/ops.h"
#include "passes/passes.h"
#include "support/text.h"

#include <CUnit/Basic.h>
#include <dirent.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct Case {
    const char *path;
    char *passes, *options; /* may be empty */
    char *graph, *expected;
} Case;

static char *read_file(const char *path)
{
    size_t len;
    const uint8_t *data = file_map(path, &len);
    return mem_printf("%.*s", (int)len, (const char *)data);
}

/* The rest of the line behind "#! ", and on to the next line; "" when there is none. */
static char *take_directive(char **text)
{
    if (strncmp(*text, "#!", 2) != 0)
        return mem_strdup("");
    char *end = *text + strcspn(*text, "\n");
    char *line = mem_printf("%.*s", (int)(end - *text - 2), *text + 2);
    *text = end + 1;
    return line;
}

static Case read_case(const char *path)
{
    Case c = {.path = path};
    char *text = read_file(path);
    c.passes = take_directive(&text);
    c.options = take_directive(&text);
    c.graph = text;
    char *mark = strstr(text, "\n----\n");
    if (mark) {
        c.expected = mark + 6;
        mark[1] = 0;
    } else {
        c.expected = mem_strdup("");
    }
    return c;
}

/* ---- options ---- */

static void set_keep(Options *o, char *names)
{
    const char **list = NEW_ARRAY(const char *, 8);
    for (char *save, *p = strtok_r(names, ",", &save); p; p = strtok_r(NULL, ",", &save))
        list[o->num_keep++] = p;
    o->keep = list;
}

static void set_option(Options *o, const char *name, char *value)
{
    if (!strcmp(name, "method"))
        o->method = strcmp(value, "none") ? METHOD_twn : METHOD_none;
    else if (!strcmp(name, "granularity"))
        o->per_layer = !strcmp(value, "layer");
    else if (!strcmp(name, "threshold"))
        o->threshold = strtof(value, NULL);
    else if (!strcmp(name, "sparsity"))
        o->sparsity = strtof(value, NULL);
    else if (!strcmp(name, "keep"))
        set_keep(o, value);
    else if (!strcmp(name, "scales"))
        o->powers = !strcmp(value, "pow2");
    else if (!strcmp(name, "keep-as"))
        o->keep_float = !strcmp(value, "float");
    else if (!strcmp(name, "activations"))
        o->codes = code_kind(!strcmp(value, "int16"));
    else if (!strcmp(name, "io"))
        o->io = strcmp(value, "int8") ? NULL : code_kind(0);
    else
        bug("unknown option '%s'", name);
}

static Options read_options(const Case *c)
{
    Options o = {.quiet = true, .codes = code_kind(0)};
    char *text = mem_strdup(c->options);
    for (char *save, *p = strtok_r(text, " ", &save); p; p = strtok_r(NULL, " ", &save)) {
        char *value = strchr(p, '=');
        if (!value)
            bug("option '%s' has no value", p);
        *value++ = 0;
        set_option(&o, p, value);
    }
    return o;
}

/* ---- passes ---- */

/* Floats in [-2, 2), integers in 0..127. */
static double input_value(DType d, uint32_t random)
{
    if (dtype_is_float(d))
        return (double)(random >> 8) / (1 << 22) - 2;
    return random >> (d == DT_BOOL ? 31 : 25);
}

/* The same values for each run of a case. */
static const void **make_inputs(const Graph *g)
{
    const void **inputs = NEW_ARRAY(const void *, g->num_inputs);
    uint32_t state = 7;
    for (int i = 0; i < g->num_inputs; i++) {
        Type t = g->inputs[i]->type;
        void *data = mem_alloc(type_bytes(t));
        for (int64_t k = 0; k < type_elems(t); k++) {
            state = state * 1664525u + 1013904223u;
            elem_set(data, t.dtype, k, input_value(t.dtype, state));
        }
        inputs[i] = data;
    }
    return inputs;
}

/* Of the float tensors on those values. */
static const Range *make_ranges(const Graph *g)
{
    void **values = eval_graph(g, make_inputs(g));
    Range *r = NEW_ARRAY(Range, g->num_tensors);
    for (int i = 0; i < g->num_tensors; i++) {
        const Tensor *t = g->tensors[i];
        if (!values[i] || t->data || t->type.dtype != DT_F32)
            continue;
        r[i] = (Range){INFINITY, -INFINITY, true};
        for (int64_t k = 0; k < type_elems(t->type); k++) {
            float v = ((const float *)values[i])[k];
            r[i].low = v < r[i].low ? v : r[i].low;
            r[i].high = v > r[i].high ? v : r[i].high;
        }
    }
    free(values);
    return r;
}

static void run_pass(Model *m, const char *name, const Options *o)
{
    if (!strcmp(name, "upgrade"))
        pass_upgrade(m);
    else if (!strcmp(name, "infer"))
        check_supported(m->graph), pass_infer(m->graph);
    else if (!strcmp(name, "fold"))
        pass_fold(m->graph);
    else if (!strcmp(name, "dce"))
        pass_dce(m->graph);
    else if (!strcmp(name, "ternarize"))
        pass_ternarize(m->graph, o);
    else if (!strcmp(name, "affine"))
        pass_affine(m->graph);
    else if (!strcmp(name, "quantise"))
        pass_quantise(m->graph, make_ranges(m->graph), o);
    else if (!strcmp(name, "codes"))
        pass_codes(m->graph, o->io != NULL);
    else if (!strcmp(name, "recurrent"))
        pass_recurrent(m->graph);
    else if (!strcmp(name, "fuse"))
        pass_fuse(m->graph);
    else
        bug("unknown pass '%s'", name);
    verify_graph(m->graph, name);
}

/* All outputs, as doubles. */
static double *compute(const Graph *g, int64_t *count)
{
    void **values = eval_graph(g, make_inputs(g));
    *count = 0;
    for (int i = 0; i < g->num_outputs; i++)
        *count += type_elems(g->outputs[i]->type);
    double *all = NEW_ARRAY(double, *count), *to = all;
    for (int i = 0; i < g->num_outputs; i++)
        for (int64_t k = 0; k < type_elems(g->outputs[i]->type); k++)
            *to++ = elem_get(values[g->outputs[i]->id], g->outputs[i]->type.dtype, k);
    free(values);
    return all;
}

/* What computes on codes may be one off. */
static void check_same(const Case *c, const char *pass, const double *a, int64_t na, const double *b,
                       int64_t nb)
{
    bool same = na == nb;
    double error = strstr(c->passes, "codes") ? 1 : 1e-5;
    for (int64_t i = 0; i < na && same; i++)
        same = a[i] == b[i] || fabs(a[i] - b[i]) <= error * (1 + fabs(a[i]));
    if (!same)
        fprintf(stderr, "%s: %s changes what the graph computes\n", c->path, pass);
    CU_ASSERT(same);
}

/* With --io int8 inputs and outputs are others. */
static bool keeps_values(const char *pass, const Options *o)
{
    return strcmp(pass, "ternarize") != 0 && strcmp(pass, "quantise") != 0 &&
           !(o->io && !strcmp(pass, "codes"));
}

static void run_passes(const Case *c, Model *m)
{
    Options o = read_options(c);
    double *before = NULL;
    int64_t count = 0;
    char *names = mem_strdup(c->passes);
    for (char *save, *p = strtok_r(names, " ", &save); p; p = strtok_r(NULL, " ", &save)) {
        run_pass(m, p, &o);
        if (!strcmp(p, "upgrade"))
            continue;
        int64_t n;
        double *values = compute(m->graph, &n);
        if (before && keeps_values(p, &o))
            check_same(c, p, before, count, values, n);
        before = values;
        count = n;
    }
}

/* What is printed can be read and prints the same again, but types and ternary facts, which stand in
 * comments. */
static void check_reads_back(const Case *c, const char *text)
{
    if (strstr(text, "...") || strstr(text, "Layer <"))
        return;
    Model *m = text_read("dump", text);
    if (!strstr(c->passes, "infer")) {
        CU_ASSERT_STRING_EQUAL(dump_text(m->graph), text);
        return;
    }
    Model *again = text_read("dump", dump_text(m->graph));
    CU_ASSERT_STRING_EQUAL(dump_text(again->graph), dump_text(m->graph));
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static char *run_case(const Case *c)
{
    Trap trap;
    if (CATCH(&trap))
        return mem_printf("error %d: %s\n", trap.code, trap.message);
    Model *m = text_read(base_name(c->path), c->graph);
    run_passes(c, m);
    char *text = dump_text(m->graph);
    check_reads_back(c, text);
    trap_end();
    return text;
}

/* ---- the runner ---- */

static void update_case(const Case *c, const char *result)
{
    OutFile *o = out_open(c->path);
    fprintf(o->f, "#!%s\n", c->passes);
    if (c->options[0])
        fprintf(o->f, "#!%s\n", c->options);
    fprintf(o->f, "%s----\n%s", c->graph, result);
    out_commit(o);
}

/* Counts the files that it writes. */
static bool check_case(const char *path, int *written)
{
    Case c = read_case(path);
    const char *result = run_case(&c);
    if (!strcmp(result, c.expected))
        return true;
    if (!getenv("TERNC_UPDATE")) {
        fprintf(stderr, "%s: expected\n%s\nbut got\n%s\n", path, c.expected, result);
        return false;
    }
    update_case(&c, result);
    ++*written;
    return true;
}

static int is_case(const struct dirent *d)
{
    size_t n = strlen(d->d_name);
    return n > 4 && !strcmp(d->d_name + n - 4, ".txt");
}

static void test_golden(void)
{
    const char *source = getenv("TERNC_SOURCE");
    char *folder = mem_printf("%s/tests/cases/golden", source ? source : ".");
    struct dirent **list;
    int written = 0, n = scandir(folder, &list, is_case, alphasort);
    CU_ASSERT_FATAL(n > 0);
    for (int i = 0; i < n; i++) {
        CU_ASSERT(check_case(mem_printf("%s/%s", folder, list[i]->d_name), &written));
        free(list[i]);
    }
    free(list);
    if (getenv("TERNC_UPDATE"))
        printf("%d files written\n", written);
}

int main(void)
{
    CU_initialize_registry();
    CU_pSuite s = CU_add_suite("golden", NULL, NULL);
    CU_add_test(s, "every case of tests/cases/golden", test_golden);
    CU_basic_run_tests();
    unsigned failures = CU_get_number_of_failures();
    CU_cleanup_registry();
    return failures != 0;
}
