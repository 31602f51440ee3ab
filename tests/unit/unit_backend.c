/* unit_backend.c - the ONNX project's backend cases (package libonnx-testdata): every case is evaluated,
 * compiled to C, built and run, and compared with the expected outputs at ONNX's own tolerance.
 *
 * Inputs are passed at run time; where ternc needs a value at compile time, such as axes and shapes, the
 * lists and single numbers among the inputs are given by --const, and the case counts apart ("with
 * constants"). backend_status.txt names every case that does not simply pass, with ternc's reason, and the
 * cases that are left out, with ours. Any other outcome is a failure: a wrong value, an internal error, C
 * that does not compile, a case that passes or is refused unexpectedly. Usage: unit_backend [-v] [--write]
 * [FOLDER]; -v prints the outcomes, --write makes the status file anew. Built with -DTERNC_SANITIZE=ON,
 * generated C runs under ASan and UBSan too. */
#include "base/out_file.h"
#include "onnx/onnx.h"
#include "support/generated.h"
#include "onnx/onnx_proto.h"
#include "ops/ops.h"
#include "passes/passes.h"
#include "pipeline.h"

#include <CUnit/Basic.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_CASES = 1200, MAX_SETS = 16, NOT_BOUND = 1000 };

static const double RELATIVE = 1e-3, ABSOLUTE = 1e-7;

typedef enum Status { PASSED, PASSED_WITH_CONSTANTS, REFUSED, LEFT_OUT, WRONG, NUM_STATUS } Status;

static const char *const status_names[] = {"passed", "with constants", "refused", "left out", "wrong"};

/* Cases of each suite that must pass, with constants or without. */
static const struct {
    const char *name;
    int at_least;
} suites[] = {{"node", 550}, {"simple", 12}, {"pytorch-operator", 28}, {"pytorch-converted", 75}};
enum { NUM_SUITES = sizeof suites / sizeof suites[0] };

/* A line of the status file: "SUITE/CASE: STATUS[: REASON]". */
typedef struct Outcome {
    const char *id; /* "node/test_abs" */
    int suite;
    Status status;
    const char *line;
} Outcome;

typedef struct DataSet {
    const void **in; /* by graph input */
    Tensor **want;   /* by graph output */
} DataSet;

typedef struct BackendCase {
    const char *name; /* C identifier: "c12" */
    const char *folder;
    Graph *g;
    int num_sets;
    DataSet sets[MAX_SETS];
    int64_t arena_bytes;
} BackendCase;

static const char *data_root = "/usr/share/libonnx-testdata/data";
static bool verbose, writing;
static BackendCase *compiled[MAX_CASES];
static Outcome outcomes[MAX_CASES];
static int num_compiled, num_outcomes;
static const char *status_path;
static Text status_file; /* begins with a newline */
static Generated program;

/* ---- reading a case ---- */

static float half_to_float(uint16_t h)
{
    int exponent = h >> 10 & 31, mantissa = h & 1023;
    double v = exponent ? (1024 + mantissa) * 0x1p-25 : mantissa * 0x1p-24;
    for (int i = 1; i < exponent; i++)
        v *= 2;
    if (exponent == 31)
        v = mantissa ? (double)__builtin_nanf("") : (double)__builtin_inff();
    else if (exponent)
        v *= 2;
    return (float)(h >> 15 ? -v : v);
}

/* A tensor of the case; float16 becomes float, as inside ternc. */
static Tensor *read_pb(const char *folder, int set, const char *kind, int i)
{
    Tensor *t = onnx_read_tensor(mem_printf("%s/test_data_set_%d/%s_%d.pb", folder, set, kind, i));
    if (t->type.dtype != DT_F16)
        return t;
    float *wide = NEW_ARRAY(float, type_elems(t->type));
    for (int64_t k = 0; k < type_elems(t->type); k++)
        wide[k] = half_to_float(((const uint16_t *)t->data)[k]);
    t->data = wide;
    t->type.dtype = DT_F32;
    return t;
}

/* --const for the inputs from `first` on that are single numbers or lists. kept[] gets the file index of the
 * others. */
static void bind_inputs(const Graph *g, const char *folder, int first, Options *opt, int *kept)
{
    const char **given = NEW_ARRAY(const char *, g->num_inputs);
    int left = 0;
    for (int i = 0; i < g->num_inputs; i++)
        if (i >= first && g->inputs[i]->type.rank <= 1)
            given[opt->consts.count++] =
                mem_printf("%s=%s/test_data_set_0/input_%d.pb", g->inputs[i]->name, folder, i);
        else
            kept[left++] = i;
    opt->consts.items = given;
}

static DataSet read_set(const Graph *g, const char *folder, int set, const int *kept)
{
    DataSet s = {NEW_ARRAY(const void *, g->num_inputs), NEW_ARRAY(Tensor *, g->num_outputs)};
    for (int i = 0; i < g->num_inputs; i++) {
        const Tensor *t = read_pb(folder, set, "input", kept[i]);
        if (!type_equal(t->type, g->inputs[i]->type))
            fail("%s: input %d has type %s, the model wants %s", strrchr(folder, '/') + 1, i,
                 type_text(t->type), type_text(g->inputs[i]->type));
        s.in[i] = t->data;
    }
    for (int i = 0; i < g->num_outputs; i++)
        s.want[i] = read_pb(folder, set, "output", i);
    return s;
}

/* The sizes of the dimensions of inputs that are no numbers, as the first data set has them. */
static void bind_dims(const char *folder, Options *opt)
{
    size_t len;
    const char *path = mem_printf("%s/model.onnx", folder);
    const uint8_t *data = file_map(path, &len);
    const Onnx__ModelProto *m = onnx_unpack(path, &onnx__model_proto__descriptor, data, len);
    DimValue *dims = NEW_ARRAY(DimValue, (int64_t)m->graph->n_input * MAX_RANK);
    opt->dims = dims;
    for (size_t i = 0; i < m->graph->n_input; i++) {
        const Onnx__ValueInfoProto *v = m->graph->input[i];
        const char *file = mem_printf("%s/test_data_set_0/input_%zu.pb", folder, i);
        if (!v->type || v->type->value_case != ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE ||
            !v->type->tensor_type->shape || access(file, R_OK) != 0)
            continue;
        const Onnx__TensorShapeProto *shape = v->type->tensor_type->shape;
        Type actual = onnx_read_tensor(file)->type;
        for (int k = 0; k < actual.rank && k < (int)shape->n_dim; k++) {
            const Onnx__TensorShapeProto__Dimension *d = shape->dim[k];
            bool named =
                d->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM && d->dim_param[0];
            if (d->value_case != ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE || d->dim_value < 1)
                dims[opt->num_dims++] =
                    (DimValue){named ? d->dim_param : mem_printf("%s.%d", v->name, k), actual.dims[k]};
        }
    }
}

static BackendCase *load_case(const char *folder, int first_bound)
{
    Options *opt = NEW(Options);
    opt->quiet = true;
    opt->method = METHOD_none;
    bind_dims(folder, opt);
    const char *path = mem_printf("%s/model.onnx", folder);
    Model *m = onnx_read(path, opt);
    int *kept = NEW_ARRAY(int, m->graph->num_inputs);
    bind_inputs(m->graph, folder, first_bound, opt, kept);
    if (opt->consts.count)
        m = onnx_read(path, opt);
    BackendCase *c = NEW(BackendCase);
    c->folder = folder;
    c->g = m->graph;
    pipeline_prepare(m, opt);
    while (c->num_sets < (first_bound < NOT_BOUND ? 1 : MAX_SETS) &&
           !access(mem_printf("%s/test_data_set_%d", folder, c->num_sets), F_OK)) {
        c->sets[c->num_sets] = read_set(c->g, folder, c->num_sets, kept);
        c->num_sets++;
    }
    return c;
}

/* ---- comparing ---- */

static bool output_agrees(const BackendCase *c, const char *what, int set, int i, Type type, const void *got)
{
    const Tensor *want = c->sets[set].want[i];
    if (!type_equal(type, want->type)) {
        printf("\n%s: %s: output %d is %s, expected %s", c->folder, what, i, type_text(type),
               type_text(want->type));
        return false;
    }
    for (int64_t k = 0; k < type_elems(type); k++)
        if (!values_agree(got, want->data, type.dtype, k, RELATIVE, ABSOLUTE)) {
            printf("\n%s: %s: output %d[%lld] is %.9g, expected %.9g", c->folder, what, i, (long long)k,
                   elem_get(got, type.dtype, k), elem_get(want->data, type.dtype, k));
            return false;
        }
    return true;
}

static bool evaluated_right(const BackendCase *c)
{
    bool right = true;
    for (int s = 0; s < c->num_sets; s++) {
        void **values = eval_graph(c->g, c->sets[s].in);
        for (int i = 0; i < c->g->num_outputs; i++)
            right &=
                output_agrees(c, "evaluator", s, i, c->g->outputs[i]->type, values[c->g->outputs[i]->id]);
        free(values);
    }
    return right;
}

/* Memory of just that size, so that the sanitizers see what is read behind it. */
static const void *exact_copy(const void *data, size_t bytes)
{
    void *copy = mem_alloc(bytes);
    if (bytes)
        memcpy(copy, data, bytes);
    return copy;
}

static bool computed_right(const BackendCase *c)
{
    bool right = true;
    GeneratedCall *call = generated_find(&program, c->name);
    void **out = NEW_ARRAY(void *, c->g->num_outputs), *arena = mem_alloc((size_t)c->arena_bytes);
    const void **in = NEW_ARRAY(const void *, c->g->num_inputs);
    for (int s = 0; s < c->num_sets; s++) {
        for (int i = 0; i < c->g->num_outputs; i++)
            out[i] = mem_alloc(type_bytes(c->g->outputs[i]->type));
        for (int i = 0; i < c->g->num_inputs; i++)
            in[i] = exact_copy(c->sets[s].in[i], type_bytes(c->g->inputs[i]->type));
        call(arena, in, out);
        for (int i = 0; i < c->g->num_outputs; i++)
            right &= output_agrees(c, "generated C", s, i, c->g->outputs[i]->type, out[i]);
    }
    return right;
}

/* ---- outcomes ---- */

/* The message without the path in front and the types behind. */
static const char *short_reason(const char *message)
{
    const char *name = strstr(message, ".onnx: "), *types = strstr(message, " [inputs ");
    const char *start = name ? name + 7 : message;
    return mem_printf("%.*s", (int)(types ? (size_t)(types - start) : strlen(start)), start);
}

static void add_outcome(int suite, const char *id, Status status, const char *reason)
{
    const char *line =
        mem_printf("%s: %s%s%s", id, status_names[status], reason ? ": " : "", reason ? reason : "");
    outcomes[num_outcomes++] = (Outcome){id, suite, status, line};
    if (verbose)
        printf("\n%s", line);
    CU_ASSERT(status != WRONG);
}

/* What the status file says about the case from behind its name on; NULL: nothing. */
static const char *known_line(const char *id)
{
    const char *at = status_file.data ? strstr(status_file.data, mem_printf("\n%s: ", id)) : NULL;
    return at ? mem_printf("%.*s", (int)strcspn(at + 1, "\n"), at + 1) : NULL;
}

static void read_status(void)
{
    FILE *f = fopen(status_path, "r");
    text_add(&status_file, "\n", 1);
    for (int c; f && (c = fgetc(f)) != EOF;)
        text_add(&status_file, (const char[]){(char)c}, 1);
    if (f)
        fclose(f);
}

/* ---- running a case ---- */

/* NULL: refused, with the reason in the trap. */
static BackendCase *try_load(const char *folder, int first_bound, Trap *t)
{
    if (CATCH(t))
        return NULL;
    BackendCase *c = load_case(folder, first_bound);
    trap_end();
    return c;
}

/* NULL, or the message with which it was refused. */
static const char *add_to_program(BackendCase *c)
{
    static Trap trap;
    c->name = mem_printf("c%d", num_compiled);
    if (CATCH(&trap))
        return trap.message;
    pass_recurrent(c->g);
    pass_fuse(c->g);
    c->arena_bytes = generated_add(&program, c->g, c->name);
    trap_end();
    compiled[num_compiled++] = c;
    return NULL;
}

static bool wants_constant(const Trap *t)
{
    return strstr(t->message, "known at compile time") || strstr(t->message, "must be constant");
}

static void run_case(int suite, const char *id, const char *folder)
{
    Trap trap;
    static const int first_bound[] = {NOT_BOUND, 1, 0};
    BackendCase *c = NULL;
    int tries = 0;
    while (tries < 3 && !c && (tries == 0 || wants_constant(&trap)))
        c = try_load(folder, first_bound[tries++], &trap);
    if (!c) {
        add_outcome(suite, id, trap.code == 1 ? REFUSED : WRONG, short_reason(trap.message));
        return;
    }
    const char *refused = evaluated_right(c) ? add_to_program(c) : "other values than expected";
    add_outcome(suite, id, refused ? WRONG : tries > 1 ? PASSED_WITH_CONSTANTS : PASSED, refused);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static void run_suite(int suite)
{
    struct dirent **entries;
    const char *path = mem_printf("%s/%s", data_root, suites[suite].name);
    int count = scandir(path, &entries, NULL, by_name);
    for (int i = 0; i < count; i++) {
        const char *folder = mem_printf("%s/%s", path, entries[i]->d_name);
        const char *id = mem_printf("%s/%s", suites[suite].name, entries[i]->d_name), *known = known_line(id);
        const char *reason = known ? strstr(known, ": left out: ") : NULL;
        if (entries[i]->d_name[0] == '.' || access(mem_printf("%s/model.onnx", folder), R_OK) != 0)
            ;
        else if (reason)
            add_outcome(suite, id, LEFT_OUT, reason + strlen(": left out: "));
        else
            run_case(suite, id, folder);
        free(entries[i]);
    }
    if (count >= 0)
        free(entries);
}

static void print_counts(void)
{
    printf("\n%-18s", "");
    for (int k = 0; k < NUM_STATUS; k++)
        printf("%16s", status_names[k]);
    for (int suite = 0; suite < NUM_SUITES; suite++) {
        int counts[NUM_STATUS] = {0};
        for (int i = 0; i < num_outcomes; i++)
            counts[outcomes[i].status] += outcomes[i].suite == suite;
        printf("\n%-18s", suites[suite].name);
        for (int k = 0; k < NUM_STATUS; k++)
            printf("%16d", counts[k]);
        CU_ASSERT(counts[PASSED] + counts[PASSED_WITH_CONSTANTS] >= suites[suite].at_least);
    }
    printf("\n");
}

static void test_evaluator(void)
{
    program = generated_new(MAX_CASES);
    read_status();
    for (int i = 0; i < NUM_SUITES; i++)
        run_suite(i);
    print_counts();
}

static void test_generated(void)
{
#ifdef TERNC_MALLOC /* the sanitized build: generated C as well */
    generated_build(&program, "clang", "-O1 -fsanitize=address,undefined -fno-sanitize-recover=all");
#else
    generated_build(&program, "gcc", "-O1");
#endif
    for (int i = 0; i < num_compiled; i++)
        CU_ASSERT(computed_right(compiled[i]));
}

/* ---- the status file ---- */

static void write_status(void)
{
    OutFile *o = out_open(status_path);
    fprintf(o->f, "# Backend cases that do not simply pass; written by `unit_backend --write`. \"with "
                  "constants\": inputs "
                  "are given at\n# compile time. \"left out\" is written by hand, and kept.\n");
    for (int i = 0; i < num_outcomes; i++)
        if (outcomes[i].status != PASSED)
            fprintf(o->f, "%s\n", outcomes[i].line);
    out_commit(o);
}

static void test_status(void)
{
    if (writing) {
        write_status();
        return;
    }
    int listed = 0, expected = 0;
    for (int i = 0; i < num_outcomes; i++) {
        const Outcome *o = &outcomes[i];
        const char *known = known_line(o->id);
        bool good = o->status == PASSED ? !known : known && !strcmp(known, o->line);
        listed += known != NULL;
        if (!good)
            printf("\nunexpected: %s\n  expected: %s", o->line, known ? known : "to pass");
        CU_ASSERT(good);
    }
    for (const char *p = status_file.data; (p = strchr(p, '\n')); p++)
        expected += p[1] && p[1] != '#';
    if (expected != listed)
        printf("\n%s names %d cases, %d of them exist", status_path, expected, listed);
    CU_ASSERT_EQUAL(expected, listed);
}

int main(int argc, char **argv)
{
    const char *source = getenv("TERNC_SOURCE");
    status_path = mem_printf("%s/tests/cases/backend_status.txt", source ? source : ".");
    for (int i = 1; i < argc; i++)
        if (!strcmp(argv[i], "-v"))
            verbose = true;
        else if (!strcmp(argv[i], "--write"))
            writing = true;
        else
            data_root = argv[i];
    if (access(mem_printf("%s/node", data_root), R_OK)) {
        printf("skipped: %s is missing (package libonnx-testdata)\n", data_root);
        return 77;
    }
    CU_initialize_registry();
    CU_pSuite s = CU_add_suite("ONNX backend cases", NULL, NULL);
    CU_add_test(s, "evaluator", test_evaluator);
    CU_add_test(s, "generated C", test_generated);
    CU_add_test(s, "status file", test_status);
    CU_basic_set_mode(CU_BRM_VERBOSE);
    CU_basic_run_tests();
    return CU_get_number_of_failures() != 0;
}
