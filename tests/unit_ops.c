/* unit_ops.c - every row of the case table: the evaluator against the values given by hand, and the generated C,
 * compiled by gcc and by clang without a warning, against the evaluator. Rows are compiled in batches, because starting
 * a compiler costs more than a row. An argument runs the rows whose name contains it.
 *
 * --write FOLDER runs nothing but writes the rows as .onnx files with their inputs and the evaluator's outputs, for
 * oracle.mjs. */
#include "op_cases.h"
#include "ir.h"

#include <CUnit/Basic.h>
#include <dlfcn.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BATCH = 40, GUARD = 64 };

#define FLAGS "-std=c99 -Wall -Wextra -Wpedantic -Wconversion -Werror -shared -fPIC"

/* A row with its graph and reference. */
typedef struct Run {
    const OpCase *row;
    Graph *g;
    const void **in;
    void **values;
} Run;

static const char *only = ""; /* the argument */
static char temporary[] = "/tmp/ternc_ops_XXXXXX", *folder = temporary;

#define CHECK(row, ok, ...)                                                                                            \
    do {                                                                                                               \
        bool good = (ok);                                                                                              \
        if (!good)                                                                                                     \
            fprintf(stderr, "\n%s: %s\n", (row)->name, mem_printf(__VA_ARGS__));                                       \
        CU_ASSERT(good);                                                                                               \
    } while (0)

/* ---- inputs ---- */

/* splitmix64 */
static double draw_unit(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (double)((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

static void fill_random(const OpCase *row, Type t, void *data, uint64_t *seed)
{
    double low = row->low, high = row->high;
    if (low == 0 && high == 0) {
        low = -1;
        high = 1;
    }
    for (int64_t i = 0; i < type_elems(t); i++) {
        double u = draw_unit(seed), v = low + (high - low) * u;
        if (t.dtype == DT_BOOL)
            v = u < 0.5;
        else if (!dtype_is_float(t.dtype))
            v = floor(low + (high - low + 1) * u);
        elem_set(data, t.dtype, i, v);
    }
}

/* Reads count numbers up to ';' or the end; returns what follows, NULL if there are fewer or more. */
static const char *parse_values(const char *s, Type t, void *data)
{
    int64_t count = type_elems(t);
    for (int64_t i = 0; i < count; i++) {
        char *end;
        double v = strtod(s, &end);
        if (end == s)
            return NULL;
        elem_set(data, t.dtype, i, v);
        s = end;
    }
    s += strspn(s, " ");
    return *s == ';' ? s + 1 : *s ? NULL : s;
}

static void make_inputs(Run *r)
{
    uint64_t seed = 1;
    const char *s = r->row->in;
    r->in = NEW_ARRAY(const void *, r->g->num_inputs);
    for (int i = 0; i < r->g->num_inputs; i++) {
        Type t = r->g->inputs[i]->type;
        void *data = mem_alloc(type_bytes(t));
        if (s)
            s = parse_values(s, t, data);
        else
            fill_random(r->row, t, data, &seed);
        if (r->row->in && !s)
            fail("%s: the values given for input %d do not fit its type", r->row->name, i);
        r->in[i] = data;
    }
}

/* ---- comparing ---- */

static double largest(Type t, const void *data)
{
    double max = 0;
    for (int64_t i = 0; i < type_elems(t); i++) {
        double v = fabs(elem_get(data, t.dtype, i));
        max = isfinite(v) && v > max ? v : max;
    }
    return max;
}

static bool close_enough(double a, double b, double error)
{
    if (isnan(a) || isnan(b))
        return isnan(a) && isnan(b);
    return a == b || fabs(a - b) <= error;
}

static void compare(const OpCase *row, const char *what, const Tensor *t, const void *got, const void *want)
{
    double tolerance = row->tolerance > 0 ? row->tolerance : 1e-5, scale = largest(t->type, want);
    for (int64_t i = 0; i < type_elems(t->type); i++) {
        double a = elem_get(got, t->type.dtype, i), b = elem_get(want, t->type.dtype, i);
        if (close_enough(a, b, dtype_is_float(t->type.dtype) ? tolerance * (scale + fabs(b)) / 2 : 0))
            continue;
        CHECK(row, false, "%s: element %lld of '%s' %s is %.9g, not %.9g", what, (long long)i, t->name,
              type_text(t->type), a, b);
        return;
    }
}

static void compare_given(const Run *r)
{
    const char *s = r->row->out;
    for (int i = 0; s && i < r->g->num_outputs; i++) {
        const Tensor *t = r->g->outputs[i];
        void *want = mem_alloc(type_bytes(t->type));
        s = parse_values(s, t->type, want);
        CHECK(r->row, s, "the values given for output %d do not fit its type %s", i, type_text(t->type));
        if (s)
            compare(r->row, "evaluator", t, r->values[t->id], want);
    }
}

/* ---- evaluator ---- */

static Graph *load(const OpCase *row)
{
    Graph *g = text_read(row->name, row->text)->graph;
    check_supported(g);
    pass_infer(g);
    return g;
}

static void expect_refusal(const OpCase *row)
{
    Trap trap;
    if (CATCH(&trap)) {
        CHECK(row, trap.code == 1 && strstr(trap.message, row->error), "refused with: %s", trap.message);
        return;
    }
    load(row);
    trap_end();
    CHECK(row, false, "was not refused");
}

/* False if the row cannot be loaded, which is a failure. */
static bool evaluate(const OpCase *row, Run *r)
{
    Trap trap;
    if (CATCH(&trap)) {
        CHECK(row, false, "%s", trap.message);
        return false;
    }
    *r = (Run){.row = row, .g = load(row)};
    make_inputs(r);
    r->values = eval_graph(r->g, r->in);
    compare_given(r);
    trap_end();
    return true;
}

/* ---- generated C ---- */

static void write_file(const char *name, const Text *t)
{
    FILE *f = fopen(mem_printf("%s/%s", folder, name), "w");
    if (!f || fwrite(t->data, 1, t->len, f) != t->len || fclose(f))
        fail("cannot write %s/%s", folder, name);
}

/* Prints the C of the row; a run_ROW in `calls` passes arrays of pointers on to it. */
static bool generate(Run *r, Text *calls)
{
    Trap trap;
    if (CATCH(&trap)) {
        CHECK(r->row, false, "%s", trap.message);
        return false;
    }
    Options opt = {.method = METHOD_NONE, .quiet = true};
    Model *m = text_read(r->row->name, r->row->text);
    pass_infer(m->graph);
    pass_dce(m->graph);
    Plan *p = pipeline_lower(m, &opt);
    p->id = r->row->name;
    Text c = {0}, h = {0};
    emit_c(p, &c, &h);
    write_file(mem_printf("%s.c", r->row->name), &c);
    write_file(mem_printf("%s.h", r->row->name), &h);
    text_printf(calls, "#include \"%s.h\"\nvoid run_%s(const void *const *in, void *const *out);\n", r->row->name,
                r->row->name);
    text_printf(calls, "void run_%s(const void *const *in, void *const *out)\n{\n    (void)in;\n    %s_run(",
                r->row->name, r->row->name);
    for (int i = 0; i < m->graph->num_inputs; i++)
        text_printf(calls, "in[%d], ", i);
    for (int i = 0; i < m->graph->num_outputs; i++)
        text_printf(calls, "out[%d]%s", i, i + 1 < m->graph->num_outputs ? ", " : ");\n}\n");
    trap_end();
    text_free(&c);
    text_free(&h);
    return true;
}

static void run_generated(const Run *r, const char *cc, void *library)
{
    void *symbol = dlsym(library, mem_printf("run_%s", r->row->name));
    void (*run)(const void *const *, void *const *);
    CU_ASSERT_PTR_NOT_NULL_FATAL(symbol);
    memcpy(&run, &symbol, sizeof run);
    void **out = NEW_ARRAY(void *, r->g->num_outputs);
    for (int i = 0; i < r->g->num_outputs; i++) {
        size_t bytes = type_bytes(r->g->outputs[i]->type) + 2 * GUARD;
        out[i] = (char *)memset(mem_alloc(bytes), 0xa5, bytes) + GUARD;
    }
    run(r->in, out);
    for (int i = 0; i < r->g->num_outputs; i++) {
        const Tensor *t = r->g->outputs[i];
        compare(r->row, cc, t, out[i], r->values[t->id]);
        size_t bytes = type_bytes(t->type);
        const unsigned char *low = (const unsigned char *)out[i] - GUARD, *high = low + GUARD + bytes;
        for (int k = 0; k < GUARD; k++)
            CHECK(r->row, low[k] == 0xa5 && high[k] == 0xa5, "%s: writes outside of output %d", cc, i);
    }
}

static void test_batch(Run *runs, int count, const char *cc, int batch, const Text *calls)
{
    Text command = {0};
    write_file(mem_printf("batch%d.c", batch), calls);
    text_printf(&command, "cd %s && %s -O1 " FLAGS " -o %s%d.so batch%d.c", folder, cc, cc, batch, batch);
    for (int i = 0; i < count; i++)
        text_printf(&command, " %s.c", runs[i].row->name);
    text_printf(&command, " -lm");
    int status = system(command.data);
    text_free(&command);
    CU_ASSERT_EQUAL(status, 0);
    if (status)
        return;
    void *library = dlopen(mem_printf("%s/%s%d.so", folder, cc, batch), RTLD_NOW | RTLD_LOCAL);
    if (!library)
        fail("%s", dlerror());
    for (int i = 0; i < count; i++)
        run_generated(&runs[i], cc, library);
    dlclose(library);
}

/* ---- the walk ---- */

static void test_rows(void)
{
    Run runs[BATCH];
    Text calls = {0};
    int count = 0, batch = 0;
    for (int i = 0; i < num_op_cases; i++) {
        const OpCase *row = &op_cases[i];
        if (strstr(row->name, only) && row->error)
            expect_refusal(row);
        else if (strstr(row->name, only) && evaluate(row, &runs[count]) && generate(&runs[count], &calls))
            count++;
        if (count == 0 || (count < BATCH && i + 1 < num_op_cases))
            continue;
        test_batch(runs, count, "gcc", batch, &calls);
        test_batch(runs, count, "clang", batch, &calls);
        text_free(&calls);
        count = 0;
        batch++;
    }
}

/* ---- for the oracle ---- */

static void write_values(FILE *index, const char *file, const Tensor *t, const void *data)
{
    FILE *f = fopen(mem_printf("%s/%s", folder, file), "wb");
    size_t bytes = type_bytes(t->type);
    if (!f || fwrite(data, 1, bytes, f) != bytes || fclose(f))
        fail("cannot write %s/%s", folder, file);
    fprintf(index, "{\"name\": \"%s\", \"type\": \"%s\", \"file\": \"%s\", \"dims\": [", t->name,
            dtype_name(t->type.dtype), file);
    for (int i = 0; i < t->type.rank; i++)
        fprintf(index, "%s%lld", i ? ", " : "", (long long)t->type.dims[i]);
    fprintf(index, "]}");
}

static void write_row(FILE *index, const Run *r)
{
    const char *name = r->row->name;
    Model m = {.file = name, .ir_version = 8, .opset = 17, .graph = r->g};
    onnx_write(&m, mem_printf("%s/%s.onnx", folder, name));
    fprintf(index, "{\"name\": \"%s\", \"tolerance\": %g, \"in\": [", name,
            r->row->tolerance > 0 ? r->row->tolerance : 1e-5);
    for (int i = 0; i < r->g->num_inputs; i++, fputs(i < r->g->num_inputs ? ", " : "", index))
        write_values(index, mem_printf("%s.in%d", name, i), r->g->inputs[i], r->in[i]);
    fprintf(index, "], \"out\": [");
    for (int i = 0; i < r->g->num_outputs; i++, fputs(i < r->g->num_outputs ? ", " : "", index))
        write_values(index, mem_printf("%s.out%d", name, i), r->g->outputs[i], r->values[r->g->outputs[i]->id]);
    fprintf(index, "]}");
}

static void write_rows(void)
{
    FILE *index = fopen(mem_printf("%s/cases.json", folder), "w");
    if (!index)
        fail("cannot write %s/cases.json", folder);
    fprintf(index, "[");
    int written = 0;
    for (int i = 0; i < num_op_cases; i++) {
        Run r;
        if (op_cases[i].error || op_cases[i].no_oracle)
            continue;
        fprintf(index, "%s", written++ ? ",\n" : "\n");
        r = (Run){.row = &op_cases[i], .g = load(&op_cases[i])};
        make_inputs(&r);
        r.values = eval_graph(r.g, r.in);
        write_row(index, &r);
    }
    fprintf(index, "\n]\n");
    if (fclose(index))
        fail("cannot write %s/cases.json", folder);
}

static void test_names(void)
{
    for (int i = 0; i < num_op_cases; i++)
        for (int j = 0; j < i; j++)
            CHECK(&op_cases[i], strcmp(op_cases[i].name, op_cases[j].name) != 0, "the name is used twice");
}

int main(int argc, char **argv)
{
    if (argc == 3 && !strcmp(argv[1], "--write")) {
        folder = argv[2];
        write_rows();
        return 0;
    }
    only = argc > 1 ? argv[1] : "";
    if (!mkdtemp(folder) || CU_initialize_registry() != CUE_SUCCESS)
        return 1;
    CU_pSuite s = CU_add_suite("operators", NULL, NULL);
    CU_add_test(s, "names are unique", test_names);
    CU_add_test(s, "rows", test_rows);
    CU_basic_run_tests();
    if (system(mem_printf("rm -rf %s", folder)))
        return 1;
    return (int)CU_get_number_of_failures() != 0;
}
