/* unit_ops.c - every row of the case table: the evaluator against the values given by hand, and the generated
 * C, compiled by gcc and by clang without a warning, against the evaluator. An argument runs the rows whose
 * name contains it.
 *
 * --write FOLDER runs nothing but writes the rows as .onnx files with their inputs and the evaluator's
 * outputs, for oracle.mjs. */
#include "base/host.h"
#include "cases/op_cases.h"
#include "cases/op_values.h"
#include "onnx/onnx.h"
#include "ops/ops.h"
#include "passes/passes.h"
#include "support/generated.h"

#include <math.h>
#include <string.h>

enum { MARK = 0xa5 };
static const size_t guard_bytes = 64; /* around what generated code writes */

/* A row with its graph and reference. */
typedef struct Run {
    const OpCase *row;
    Graph *g;
    const void **in;
    void **values;
    size_t arena_bytes;
} Run;

static const char *only = ""; /* the argument */

/* ---- inputs ---- */

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
        double error = dtype_is_float(t->type.dtype) ? tolerance * (scale + fabs(b)) / 2 : row->steps;
        if (close_enough(a, b, error))
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

static void expect_refusal(const OpCase *row)
{
    Trap trap;
    if (CATCH(&trap)) {
        CHECK(row, trap.code == 1 && strstr(trap.message, row->error), "refused with: %s", trap.message);
        return;
    }
    load_row(row);
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
    *r = (Run){.row = row, .g = load_row(row)};
    make_inputs(r);
    r->values = eval_graph(r->g, r->in);
    compare_given(r);
    trap_end();
    return true;
}

/* ---- generated C ---- */

/* Adds the C of the row to the program. */
static bool generate(Run *r, Generated *program)
{
    Trap trap;
    if (CATCH(&trap)) {
        CHECK(r->row, false, "%s", trap.message);
        return false;
    }
    Graph *g = load_row(r->row);
    pass_dce(g);
    pass_codes(g, false);
    pass_recurrent(g);
    pass_fuse(g);
    r->arena_bytes = (size_t)generated_add(program, g, r->row->name);
    trap_end();
    return true;
}

static char *guarded(size_t bytes)
{
    return (char *)memset(mem_alloc(bytes + 2 * guard_bytes), MARK, bytes + 2 * guard_bytes) + guard_bytes;
}

static bool is_intact(const char *p, size_t bytes)
{
    for (size_t k = 0; k < guard_bytes; k++)
        if ((unsigned char)p[bytes + k] != MARK || (unsigned char)*(p - k - 1) != MARK)
            return false;
    return true;
}

static void run_generated(const Run *r, const char *cc, const Generated *program)
{
    void **out = NEW_ARRAY(void *, r->g->num_outputs);
    char *arena = guarded(r->arena_bytes);
    for (int i = 0; i < r->g->num_outputs; i++)
        out[i] = guarded(type_bytes(r->g->outputs[i]->type));
    generated_find(program, r->row->name)(arena, r->in, out);
    CHECK(r->row, is_intact(arena, r->arena_bytes), "%s: writes outside of the arena", cc);
    for (int i = 0; i < r->g->num_outputs; i++) {
        const Tensor *t = r->g->outputs[i];
        compare(r->row, cc, t, out[i], r->values[t->id]);
        CHECK(r->row, is_intact(out[i], type_bytes(t->type)), "%s: writes outside of output %d", cc, i);
    }
}

/* ---- the walk ---- */

static void test_rows(void)
{
    static const char *const compilers[] = {"gcc", "clang"};
    Run *runs = NEW_ARRAY(Run, num_op_cases);
    Generated program = generated_new(num_op_cases);
    int count = 0;
    for (int i = 0; i < num_op_cases; i++) {
        const OpCase *row = &op_cases[i];
        if (!strstr(row->name, only))
            continue;
        if (row->error)
            expect_refusal(row);
        else if (evaluate(row, &runs[count]) && generate(&runs[count], &program))
            count++;
    }
    for (int c = 0; c < 2; c++) {
        generated_build(&program, compilers[c], "-O1");
        for (int i = 0; i < count; i++)
            run_generated(&runs[i], compilers[c], &program);
    }
}

/* ---- for the oracle ---- */

static void write_values(FILE *index, const char *folder, const char *file, const Tensor *t, const void *data)
{
    file_write(mem_printf("%s/%s", folder, file), data, type_bytes(t->type));
    fprintf(index, "{\"name\": \"%s\", \"type\": \"%s\", \"file\": \"%s\", \"dims\": [", t->name,
            dtype_name(t->type.dtype), file);
    for (int i = 0; i < t->type.rank; i++)
        fprintf(index, "%s%lld", i ? ", " : "", (long long)t->type.dims[i]);
    fprintf(index, "]}");
}

static void write_row(FILE *index, const char *folder, const Run *r)
{
    const char *name = r->row->name;
    Model m = {.file = name, .ir_version = 8, .opset = 17, .graph = r->g};
    onnx_write(&m, mem_printf("%s/%s.onnx", folder, name));
    fprintf(index, "{\"name\": \"%s\", \"tolerance\": %g, \"steps\": %d, \"in\": [", name,
            r->row->tolerance > 0 ? r->row->tolerance : 1e-5, r->row->steps);
    for (int i = 0; i < r->g->num_inputs; i++, fputs(i < r->g->num_inputs ? ", " : "", index))
        write_values(index, folder, mem_printf("%s.in%d", name, i), r->g->inputs[i], r->in[i]);
    fprintf(index, "], \"out\": [");
    for (int i = 0; i < r->g->num_outputs; i++, fputs(i < r->g->num_outputs ? ", " : "", index))
        write_values(index, folder, mem_printf("%s.out%d", name, i), r->g->outputs[i],
                     r->values[r->g->outputs[i]->id]);
    fprintf(index, "]}");
}

static void write_rows(const char *folder)
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
        r = (Run){.row = &op_cases[i], .g = load_row(&op_cases[i])};
        make_inputs(&r);
        r.values = eval_graph(r.g, r.in);
        write_row(index, folder, &r);
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
        write_rows(argv[2]);
        return 0;
    }
    only = argc > 1 ? argv[1] : "";
    if (CU_initialize_registry() != CUE_SUCCESS)
        return 1;
    CU_pSuite s = CU_add_suite("operators", NULL, NULL);
    CU_add_test(s, "names are unique", test_names);
    CU_add_test(s, "rows", test_rows);
    CU_basic_run_tests();
    return (int)CU_get_number_of_failures() != 0;
}
