/* unit_backend.c - the ONNX project's backend cases (package libonnx-testdata): every case that ternc takes is
 * evaluated and compared with the expected outputs at ONNX's own tolerance, then compiled to C, built and compared
 * again.
 *
 * A case that ternc refuses is skipped with its reason (-v prints them); a wrong value, an internal error or C that
 * does not compile is a failure, and so is a count below the ones known to pass. Inputs that ternc needs to know at
 * compile time, such as axes and shapes, become constants. Usage: unit_backend [-v] [FOLDER] */
#include "generated.h"

#include <dirent.h>
#include <unistd.h>

enum { MAX_CASES = 1200, MAX_SETS = 16, NOT_BOUND = 1000, EVALUATED_AT_LEAST = 813, COMPILED_AT_LEAST = 813 };

static const double RELATIVE = 1e-3, ABSOLUTE = 1e-7;
static const char *const suites[] = {"node", "simple", "pytorch-operator", "pytorch-converted"};

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

/* Cases left out. The first declares bfloat16 bits as uint16. The others align corners with an output length that is
 * not rounded (2.4 columns); onnxruntime and ternc use the length that the output has. */
static const char *const left_out[] = {
    "test_cast_FLOAT_to_BFLOAT16",
    "test_resize_downsample_scales_cubic_align_corners",
    "test_resize_downsample_scales_linear_align_corners",
};

static const char *data_root = "/usr/share/libonnx-testdata/data";
static bool verbose;
static BackendCase *compiled[MAX_CASES];
static int num_compiled, num_evaluated, num_refused, num_unsupported, num_eval_only;
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

/* Make constants of the inputs from `first` on that are single numbers or lists. kept[] gets the file index of the
 * others. */
static void bind_inputs(Graph *g, const char *folder, int first, int *kept)
{
    int left = 0;
    for (int i = 0; i < g->num_inputs; i++) {
        Tensor *t = g->inputs[i];
        if (i >= first && t->type.rank <= 1) {
            const Tensor *value = onnx_read_tensor(mem_printf("%s/test_data_set_0/input_%d.pb", folder, i));
            t->type = value->type;
            t->data = value->data;
            continue;
        }
        kept[left] = i;
        g->inputs[left++] = t;
    }
    g->num_inputs = left;
}

static DataSet read_set(const Graph *g, const char *folder, int set, const int *kept)
{
    DataSet s = {NEW_ARRAY(const void *, g->num_inputs), NEW_ARRAY(Tensor *, g->num_outputs)};
    for (int i = 0; i < g->num_inputs; i++) {
        const Tensor *t = read_pb(folder, set, "input", kept[i]);
        if (!type_equal(t->type, g->inputs[i]->type))
            fail("%s: input %d has type %s, the model wants %s", folder, i, type_text(t->type),
                 type_text(g->inputs[i]->type));
        s.in[i] = t->data;
    }
    for (int i = 0; i < g->num_outputs; i++)
        s.want[i] = read_pb(folder, set, "output", i);
    return s;
}

static BackendCase *load_case(const char *folder, int first_bound)
{
    Options *opt = NEW(Options);
    opt->quiet = true;
    opt->method = METHOD_NONE;
    Model *m = onnx_read(mem_printf("%s/model.onnx", folder), opt);
    int *kept = NEW_ARRAY(int, m->graph->num_inputs);
    BackendCase *c = NEW(BackendCase);
    c->folder = folder;
    c->g = m->graph;
    bind_inputs(c->g, folder, first_bound, kept);
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
        printf("\n%s: %s: output %d is %s, expected %s", c->folder, what, i, type_text(type), type_text(want->type));
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
            right &= output_agrees(c, "evaluator", s, i, c->g->outputs[i]->type, values[c->g->outputs[i]->id]);
        free(values);
    }
    return right;
}

static bool computed_right(const BackendCase *c)
{
    bool right = true;
    GeneratedCall *call = generated_find(&program, c->name);
    void **out = NEW_ARRAY(void *, c->g->num_outputs), *arena = mem_alloc((size_t)c->arena_bytes + 1);
    for (int s = 0; s < c->num_sets; s++) {
        for (int i = 0; i < c->g->num_outputs; i++)
            out[i] = mem_alloc(type_bytes(c->g->outputs[i]->type) + 1);
        call(arena, c->sets[s].in, out);
        for (int i = 0; i < c->g->num_outputs; i++)
            right &= output_agrees(c, "generated C", s, i, c->g->outputs[i]->type, out[i]);
    }
    return right;
}

/* ---- running a case ---- */

static bool trapped(const char *folder, const Trap *t)
{
    if (t->code == 3)
        printf("\n%s: %s", folder, t->message);
    else if (verbose)
        printf("\n%s: skipped: %s", strrchr(folder, '/') + 1, t->message);
    return t->code != 3;
}

/* NULL: refused, with the reason in the trap. */
static BackendCase *try_load(const char *folder, int first_bound, Trap *t)
{
    if (CATCH(t))
        return NULL;
    BackendCase *c = load_case(folder, first_bound);
    trap_end();
    return c;
}

static bool add_to_program(BackendCase *c)
{
    Trap trap;
    c->name = mem_printf("c%d", num_compiled);
    if (CATCH(&trap)) {
        num_eval_only++;
        return trapped(c->folder, &trap);
    }
    pass_recurrent(c->g);
    pass_fuse(c->g);
    c->arena_bytes = generated_add(&program, c->g, c->name);
    trap_end();
    compiled[num_compiled++] = c;
    return true;
}

static bool wants_constant(const Trap *t)
{
    return strstr(t->message, "known at compile time") || strstr(t->message, "must be constant");
}

/* Whether nothing is wrong with the case. */
static bool run_case(const char *folder)
{
    Trap trap;
    static const int first_bound[] = {NOT_BOUND, 1, 0};
    BackendCase *c = NULL;
    for (int i = 0; i < 3 && !c && (i == 0 || wants_constant(&trap)); i++)
        c = try_load(folder, first_bound[i], &trap);
    if (!c) {
        bool unsupported = strstr(trap.message, "unsupported") || strstr(trap.message, "not supported");
        *(unsupported ? &num_unsupported : &num_refused) += 1;
        return trapped(folder, &trap);
    }
    if (!evaluated_right(c))
        return false;
    num_evaluated++;
    return add_to_program(c);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static bool is_case(const char *name)
{
    for (size_t i = 0; i < sizeof left_out / sizeof left_out[0]; i++)
        if (!strcmp(name, left_out[i]))
            return false;
    return name[0] != '.';
}

static void run_suite(const char *suite)
{
    struct dirent **entries;
    const char *path = mem_printf("%s/%s", data_root, suite);
    int count = scandir(path, &entries, NULL, by_name);
    for (int i = 0; i < count; i++) {
        const char *folder = mem_printf("%s/%s", path, entries[i]->d_name);
        if (is_case(entries[i]->d_name) && !access(mem_printf("%s/model.onnx", folder), R_OK))
            CU_ASSERT(run_case(folder));
        free(entries[i]);
    }
    if (count >= 0)
        free(entries);
}

static void test_evaluator(void)
{
    program = generated_new(MAX_CASES);
    for (size_t i = 0; i < sizeof suites / sizeof suites[0]; i++)
        run_suite(suites[i]);
    printf("\n%d cases evaluated (%d of them not as C), %d with unsupported operators, %d refused otherwise ",
           num_evaluated, num_eval_only, num_unsupported, num_refused);
    CU_ASSERT(num_evaluated >= EVALUATED_AT_LEAST);
}

static void test_generated(void)
{
    generated_build(&program, "gcc", "-O1");
    for (int i = 0; i < num_compiled; i++)
        CU_ASSERT(computed_right(compiled[i]));
    printf("\n%d cases compiled to C ", num_compiled);
    CU_ASSERT(num_compiled >= COMPILED_AT_LEAST);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (!strcmp(argv[i], "-v"))
            verbose = true;
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
    CU_basic_set_mode(CU_BRM_VERBOSE);
    CU_basic_run_tests();
    return CU_get_number_of_failures() != 0;
}
