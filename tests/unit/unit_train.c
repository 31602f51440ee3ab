/* unit_train.c - training's parts: the engine on whole models against the evaluator, gradients through whole
 * models, the loss, the order of samples. The methods are in unit_methods.c. Models come from TERNC_SHARED;
 * without it those tests are skipped and say so. */
#include "ops/ops.h"
#include "passes/passes.h"
#include "pipeline.h"
#include "support/text.h"

#include <CUnit/Basic.h>
#include <glob.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 3 };

static const char *shared(void)
{
    const char *s = getenv("TERNC_SHARED");
    return s ? s : "../shared";
}

static double random_value(uint64_t i)
{
    return 2 * random_unit(5, i) - 1;
}

/* Largest difference between the samples of a batch and the same samples evaluated alone, relative to the
 * largest. */
static double compare_batch(const Graph *g, Engine *e, const Tensor *score)
{
    int64_t size = type_elems(g->inputs[0]->type), n = type_elems(score->type);
    float *x = engine_input(e);
    for (int64_t i = 0; i < BATCH * size; i++)
        x[i] = (float)random_value((uint64_t)i);
    const float *y = engine_forward(e);
    double worst = 0, largest = 1e-6;
    for (int64_t b = 0; b < BATCH; b++) {
        const void *in[] = {x + b * size};
        void **values = eval_graph(g, in);
        const float *want = values[score->id];
        for (int64_t i = 0; i < n; i++) {
            worst = fmax(worst, fabs((double)y[b * n + i] - (double)want[i]));
            largest = fmax(largest, fabs((double)want[i]));
        }
        free(values);
    }
    return worst / largest;
}

static double score_sum(Engine *e, const float *factors)
{
    const float *y = engine_forward(e);
    double sum = 0;
    for (int64_t i = 0; i < type_elems(e->score->type); i++)
        sum += (double)y[i] * (double)factors[i];
    return sum;
}

/* The slope along the gradient itself, over all parameters at once. */
static void check_slope(Engine *e)
{
    int64_t n = type_elems(e->score->type);
    float *factors = NEW_ARRAY(float, n), *start = NEW_ARRAY(float, e->params.total);
    for (int64_t i = 0; i < n; i++)
        factors[i] = (float)random_value((uint64_t)i + 99);
    score_sum(e, factors);
    engine_backward(e, factors);
    double norm = 0;
    for (int64_t i = 0; i < e->params.total; i++)
        norm += (double)e->grads[i] * (double)e->grads[i];
    CU_ASSERT_TRUE(norm > 0);
    double step = 1e-3 / sqrt(norm), sums[2];
    memcpy(start, e->weights, (size_t)e->params.total * sizeof *start);
    for (int side = 0; side < 2; side++) {
        for (int64_t i = 0; i < e->params.total; i++)
            e->weights[i] = (float)((double)start[i] + (side ? -step : step) * (double)e->grads[i]);
        sums[side] = score_sum(e, factors);
    }
    double slope = (sums[0] - sums[1]) / (2 * step * norm);
    if (!(fabs(slope - 1) < 0.05))
        fprintf(stderr, "\n%s: the slope along the gradient is %g of the gradient's length\n", e->g->file,
                slope);
    CU_ASSERT_TRUE(fabs(slope - 1) < 0.05);
}

static void check_model(const char *path)
{
    Options opt = {.quiet = true, .train = true};
    Trap trap;
    if (CATCH(&trap)) {
        bool known = strstr(trap.message, "LSTM") || strstr(trap.message, "--dim");
        if (!known)
            fprintf(stderr, "\n%s\n", trap.message);
        CU_ASSERT_TRUE(known);
        return;
    }
    const Graph *g = pipeline_load(path, &opt)->graph;
    const Tensor *score = loss_find(g, &(Dataset){0}).score;
    Engine *e = engine_new(g, score, BATCH, 1, WANT_PARAMS);
    double off = compare_batch(g, e, score);
    if (!(off < 1e-4))
        fprintf(stderr, "\n%s: a batch is off by %g\n", path, off);
    CU_ASSERT_TRUE(off < 1e-4);
    e->momentum = 1;
    e->training = true;
    check_slope(e);
    engine_free(e);
    trap_end();
}

static void test_models(void)
{
    glob_t models;
    if (glob(mem_printf("%s/models/*.onnx", shared()), 0, NULL, &models)) {
        printf("skipped: no models in %s ", shared());
        return;
    }
    for (size_t i = 0; i < models.gl_pathc; i++)
        if (!strstr(models.gl_pathv[i], "dtln") && !strstr(models.gl_pathv[i], "super-resolution"))
            check_model(models.gl_pathv[i]);
    globfree(&models);
}

/* ---- graphs as text ---- */

static Graph *graph_of(const char *text)
{
    Graph *g = text_read("test", text)->graph;
    check_supported(g);
    pass_infer(g);
    return g;
}

static const char small[] =
    "g (float[1,2,4,4] x) => (y) <float[4,2,3,3] w = seed 1, float[4] b = seed 2,"
    " float[6,16] v = seed 3> { c = Conv <pads = [1, 1, 1, 1], strides = [2, 2]> (x, w, b)\n"
    " r = Relu (c)\n f = Flatten (r)\n y = Gemm <transB = 1> (f, v) }";

static void test_batch(void)
{
    Graph *g = graph_of(small);
    Engine *e = engine_new(g, g->outputs[0], BATCH, 1, WANT_PARAMS);
    CU_ASSERT_TRUE(compare_batch(g, e, g->outputs[0]) < 1e-6);
    CU_ASSERT_EQUAL(e->params.count, 3);
    check_slope(e);
    engine_free(e);
}

/* As PyTorch exports attention: the batch in the middle, beside the heads, behind the steps; and for images a
 * class token in front of the steps, queries, keys and values out of one product. */
static const char sequence_first[] =
    "g (float[1,3,4] x) => (y) <float[4,12] w = seed 1, float[4,4] o = seed 2, int64[3] heads = {3, 2, 2},"
    " int64[2] flat = {3, 4}, int64[3] back = {3, 1, 4}>"
    " { t = Transpose <perm = [1, 0, 2]> (x)\n p = MatMul (t, w)\n a, b, c = Split <axis = 2> (p)\n"
    " q = Reshape (a, heads)\n k = Reshape (b, heads)\n v = Reshape (c, heads)\n"
    " q1 = Transpose <perm = [1, 0, 2]> (q)\n k1 = Transpose <perm = [1, 2, 0]> (k)\n"
    " v1 = Transpose <perm = [1, 0, 2]> (v)\n s = MatMul (q1, k1)\n m = Softmax (s)\n z = MatMul (m, v1)\n"
    " z1 = Transpose <perm = [1, 0, 2]> (z)\n f = Reshape (z1, flat)\n u = Gemm <transB = 1> (f, o)\n"
    " r = Reshape (u, back)\n y = Transpose <perm = [1, 0, 2]> (r) }";
static const char class_token[] =
    "g (float[1,3,4] x) => (y) <float[4,12] w = seed 1, float[1,1,4] token = seed 2, int64[5] heads = {1, 4, "
    "3, 2, 2},"
    " int64[3] flat = {1, 4, 4}, int64 zero = {0}, int64 one = {1}, int64 two = {2}>"
    " { c = Concat <axis = 1> (token, x)\n p = MatMul (c, w)\n r = Reshape (p, heads)\n"
    " t = Transpose <perm = [2, 0, 3, 1, 4]> (r)\n q = Gather (t, zero)\n k = Gather (t, one)\n v = Gather "
    "(t, two)\n"
    " k1 = Transpose <perm = [0, 1, 3, 2]> (k)\n s = MatMul (q, k1)\n m = Softmax (s)\n z = MatMul (m, v)\n"
    " z1 = Transpose <perm = [0, 2, 1, 3]> (z)\n f = Reshape (z1, flat)\n y = Gather <axis = 1> (f, zero) }";

static void test_attention(void)
{
    const char *const texts[] = {sequence_first, class_token};
    for (int i = 0; i < 2; i++) {
        Graph *g = graph_of(texts[i]);
        Engine *e = engine_new(g, g->outputs[0], BATCH, 1, WANT_PARAMS);
        CU_ASSERT(compare_batch(g, e, g->outputs[0]) < 1e-5);
        check_slope(e);
        engine_free(e);
    }
}

/* A view of no elements says nothing about the batch, nor does it divide by them. */
static void test_empty_view(void)
{
    Graph *g = graph_of(
        "g (float[1,4] x) => (y, r) <float[4,2] w = seed 1, int64[1] none = {0}>"
        " { y = MatMul (x, w)\n t = Transpose <perm = [1, 0]> (x)\n s = Slice (t, none, none, none)\n"
        " r = Reshape <allowzero = 1> (s, none) }");
    const Graph *many = graph_with_batch(g, 2);
    CU_ASSERT_STRING_EQUAL(type_text(many->outputs[0]->type), "float[2,2]");
    CU_ASSERT_STRING_EQUAL(type_text(many->outputs[1]->type), "float[0]");
}

static void test_refusal(void)
{
    Trap trap;
    if (CATCH(&trap)) {
        CU_ASSERT_PTR_NOT_NULL(strstr(trap.message, "Floor (node 'r')"));
        CU_ASSERT_EQUAL(trap.code, 1);
        return;
    }
    Graph *g = graph_of("g (float[1,3] x) => (y) <float[3,4] w = seed 1, float[4,2] v = seed 2>"
                        " { c = MatMul (x, w)\n r = Floor (c)\n y = MatMul (r, v) }");
    engine_new(g, g->outputs[0], 2, 1, WANT_PARAMS);
    trap_end();
    CU_FAIL("was not refused");
}

/* Nor does a form of an operator get as far as the first step. */
static void test_form_refused(void)
{
    Trap trap;
    if (CATCH(&trap)) {
        CU_ASSERT_PTR_NOT_NULL(strstr(trap.message, "(Resize): this form of Resize has no gradient"));
        return;
    }
    Graph *g = graph_of(
        "g (float[1,1,4,4] x) => (y) <float[1,1,1,1] w = {2}, float[8] r = {0, 0, 0.5, 0, 1, 1, 1, 1.5},"
        " int64[4] s = {1, 1, 6, 6}> { c = Conv (x, w)\n y = Resize <coordinate_transformation_mode ="
        " \"tf_crop_and_resize\", mode = \"linear\"> (c, r, , s) }");
    engine_new(g, g->outputs[0], 2, 1, WANT_PARAMS);
    trap_end();
    CU_FAIL("was not refused");
}

static void test_many_inputs(void)
{
    Text text = {0};
    text_printf(
        &text,
        "g (float[1,2] x) => (y) <float[2,3] w = seed 1> { m = MatMul (x, w)\n y = Concat <axis = 1> (m");
    for (int i = 1; i < 70; i++)
        text_printf(&text, ", m");
    text_printf(&text, ") }");
    Graph *g = graph_of(text.data);
    text_free(&text);
    Engine *e = engine_new(g, g->outputs[0], BATCH, 1, WANT_PARAMS);
    CU_ASSERT(compare_batch(g, e, g->outputs[0]) < 1e-6);
    check_slope(e);
    engine_free(e);
}

/* What lies before the first weight is no obstacle. */
static void test_no_gradient_needed(void)
{
    Graph *g =
        graph_of("g (float[1,3] x) => (y) <float[3,4] w = seed 1> { r = Floor (x)\n y = MatMul (r, w) }");
    Engine *e = engine_new(g, g->outputs[0], 2, 1, WANT_PARAMS);
    CU_ASSERT_EQUAL(e->params.count, 1);
    engine_free(e);
}

/* Blocks of memory serve gradients by turns, however long the network; what a later reader still adds to is
 * not overwritten. Five channels: the library pads them. */
static void test_gradient_memory(void)
{
    Text text = {0};
    text_printf(&text, "g (float[1,5,6,6] x0) => (y) <float[5,5,3,3] w = seed 1> {\n");
    for (int i = 0; i < 8; i++)
        text_printf(&text,
                    "c%d = Conv <pads = [1, 1, 1, 1]> (x%d, w)\n r%d = Relu (c%d)\n s%d = Sigmoid (x%d)\n"
                    "x%d = Add (r%d, s%d)\n",
                    i, i, i, i, i, i, i + 1, i, i);
    text_printf(&text, "y = Add (x8, x4) }");
    Graph *g = graph_of(text.data);
    text_free(&text);
    Engine *e = engine_new(g, g->outputs[0], BATCH, 1, WANT_INPUTS);
    CU_ASSERT(compare_batch(g, e, g->outputs[0]) < 1e-5);
    check_slope(e);
    CU_ASSERT(e->pool.count > 1 && e->pool.count <= 12);
    engine_free(e);
}

/* ---- activations that are codes ---- */

static void test_fake_round(void)
{
    const float x[] = {-1, 0.24f, 0.25f, 0.26f, 0.75f, 2, 2.24f, 2.3f};
    const float want[] = {0, 0, 0, 0.5f, 1, 2, 2, 2};
    const unsigned char inside[] = {0, 1, 1, 1, 1, 1, 1, 0};
    float y[8];
    unsigned char got[8];
    FakeCodes c = {.step = 0.5f, .low = 0, .high = 4, .inside = got};
    fake_round(&c, x, y, 8);
    for (int i = 0; i < 8; i++) {
        CU_ASSERT_EQUAL(y[i], want[i]);
        CU_ASSERT_EQUAL(got[i], inside[i]);
    }
}

static int id_of(const Graph *g, const char *name)
{
    for (int i = 0; i < g->num_tensors; i++)
        if (!strcmp(g->tensors[i]->name, name))
            return i;
    return -1;
}

/* x and t of the graph are codes, with these ranges. */
static Engine *coded_engine(const Graph *g, const char *t, float high_x, float high_t)
{
    int *roots = NEW_ARRAY(int, g->num_tensors);
    for (int i = 0; i < g->num_tensors; i++)
        roots[i] = i == id_of(g, "x") || i == id_of(g, t) ? i : -1;
    const CodePlan plan = {roots, g->num_tensors, CALIBRATE_MINMAX, code_kind(0)};
    Engine *e = engine_new_coded(g, g->outputs[0], 1, 1, WANT_PARAMS, &plan);
    CU_ASSERT_EQUAL_FATAL(e->num_codes, 2);
    for (int i = 0; i < 2; i++)
        e->running[e->codes[i].at + 1] = strcmp(e->codes[i].t->name, t) ? high_x : high_t;
    e->quantises = true;
    return e;
}

static void check_grads(const Engine *e, const float *want)
{
    for (int i = 0; i < e->params.count; i++)
        for (int64_t k = 0; k < e->params.items[i].count; k++)
            CU_ASSERT_DOUBLE_EQUAL(e->grads[e->params.items[i].at + k], *want++, 1e-6);
}

static const char clamped[] = "g (float[1,2] x) => (y) <float[2,2] w = {1, 0.5, 2, 0}, float[2,1] v = {3, 4}>"
                              " { h = MatMul (x, w)\n r = Relu (h)\n y = MatMul (r, v) }";

/* x = 1, 0.5; r = 1.5, clamped from 2, and 0.5. */
static void test_fake_codes(void)
{
    const float one = 1, want[] = {0, 4, 0, 2, 1.5f, 0.5f}, as_floats[] = {3, 4, 1.5f, 2, 2, 0.5f};
    Graph *g = graph_of(clamped);
    Engine *e = coded_engine(g, "r", 2.55f, 1.5f);
    float *x = engine_input(e);
    x[0] = 1;
    x[1] = 0.504f;
    CU_ASSERT_DOUBLE_EQUAL(*engine_forward(e), 6.5, 1e-6);
    engine_backward(e, &one);
    check_grads(e, want);
    e->quantises = false;
    x[1] = 0.5f;
    CU_ASSERT_DOUBLE_EQUAL(*engine_forward(e), 8, 1e-6);
    engine_backward(e, &one);
    check_grads(e, as_floats);
    engine_free(e);
}

/* The rule of Sqrt divides by what Sqrt made, which as a code is 0. */
static void test_exact_for_rules(void)
{
    const float one = 1, want[] = {50, 0};
    Graph *g = graph_of("g (float[1,1] x) => (y) <float[1,1] w = {0.0001}, float[1,1] v = {1}>"
                        " { h = MatMul (x, w)\n r = Sqrt (h)\n y = MatMul (r, v) }");
    Engine *e = coded_engine(g, "r", 1, 255);
    *(float *)engine_input(e) = 1;
    CU_ASSERT_EQUAL(*engine_forward(e), 0);
    engine_backward(e, &one);
    CU_ASSERT_DOUBLE_EQUAL(e->grads[e->params.items[0].at], want[0], 1e-3);
    CU_ASSERT_EQUAL(e->grads[e->params.items[1].at], want[1]);
    engine_free(e);
}

/* A batch adds a hundredth; where they are estimated, its part of the mean. */
static void test_fake_ranges(void)
{
    Graph *g = graph_of(clamped);
    Engine *e = coded_engine(g, "r", 2.55f, 1);
    float *x = engine_input(e);
    const float *high = e->running + e->codes[1].at + 1;
    x[0] = x[1] = 1; /* h = 3, 0.5 */
    e->training = true;
    engine_forward(e);
    CU_ASSERT_DOUBLE_EQUAL(*high, 0.99 + 0.01 * 3, 1e-6);
    e->estimates = true;
    e->quantises = false;
    for (int i = 0; i < 3; i++) {
        e->momentum = (double)i / (i + 1);
        x[0] = (float)i;
        x[1] = 0;
        engine_forward(e);
    }
    CU_ASSERT_DOUBLE_EQUAL(*high, (0 + 1 + 2) / 3.0, 1e-6);
    const Range *r = fake_ranges(e, e->running, g->num_tensors);
    CU_ASSERT(r[id_of(g, "r")].known && r[id_of(g, "r")].high == *high && !r[id_of(g, "h")].known);
    x[0] = NAN;
    static Trap trap;
    if (CATCH(&trap)) {
        CU_ASSERT_PTR_NOT_NULL(strstr(trap.message, "tensor 'x' has values in training that are not finite"));
        return;
    }
    engine_forward(e);
    CU_FAIL("NaN has a range");
}

/* ---- loss ---- */

static void check_loss(LossKind kind, bool compared, float range)
{
    enum { N = 4 };
    float score[2 * N], teacher[2 * N], targets[2 * N], grad[2 * N];
    int64_t labels[2] = {2, 0}, samples[2] = {0, 1};
    for (int i = 0; i < 2 * N; i++) {
        score[i] = (float)random_value((uint64_t)i);
        teacher[i] = range * (float)random_value((uint64_t)i + 20);
        targets[i] = (float)random_value((uint64_t)i + 40);
    }
    Loss l = {.kind = kind, .classes = N, .compared = compared};
    Dataset d = {.labels = kind == LOSS_LABELS ? labels : NULL,
                 .targets = kind == LOSS_TARGETS ? targets : NULL};
    bool taught = kind == LOSS_TEACHER_CLASSES || kind == LOSS_TEACHER_SCORES;
    const float *t = taught ? teacher : NULL;
    loss_judge(&l, &d, samples, 2, 2, score, t, grad);
    for (int i = 0; i < 2 * N; i++) {
        float before = score[i];
        score[i] = before + 1e-3f;
        double up = loss_judge(&l, &d, samples, 2, 2, score, t, NULL).loss / 2;
        score[i] = before - 1e-3f;
        double down = loss_judge(&l, &d, samples, 2, 2, score, t, NULL).loss / 2;
        score[i] = before;
        CU_ASSERT_DOUBLE_EQUAL((double)grad[i], (up - down) / 2e-3, 1e-3);
    }
}

static void test_losses(void)
{
    check_loss(LOSS_LABELS, false, 1);
    check_loss(LOSS_TARGETS, false, 1);
    check_loss(LOSS_TEACHER_CLASSES, false, 1);
    check_loss(LOSS_TEACHER_SCORES, false, 1);
    check_loss(LOSS_TEACHER_SCORES, true, 1);
    check_loss(LOSS_TEACHER_SCORES, true, 30);
}

static void test_score_before_softmax(void)
{
    Graph *g =
        graph_of("g (float[1,3] x) => (y) <float[3,4] w = seed 1> { s = MatMul (x, w)\n y = Softmax (s) }");
    Dataset none = {0};
    CU_ASSERT_STRING_EQUAL(loss_find(g, &none).score->name, "s");
    CU_ASSERT_EQUAL(loss_find(g, &none).kind, LOSS_TEACHER_CLASSES);
}

/* ---- random order ---- */

static void test_order(void)
{
    int64_t order[100], again[100], other[100], seen[100] = {0};
    Source s = {NULL, 10, 100};
    order_samples(order, &s, 1, 0);
    order_samples(again, &s, 1, 0);
    order_samples(other, &s, 1, 1);
    for (int i = 0; i < 100; i++)
        seen[order[i] - 10]++;
    for (int i = 0; i < 100; i++)
        CU_ASSERT_EQUAL(seen[i], 1);
    CU_ASSERT_EQUAL(memcmp(order, again, sizeof order), 0);
    CU_ASSERT_NOT_EQUAL(memcmp(order, other, sizeof order), 0);
}

/* ---- outputs that cannot be learnt ---- */

typedef struct OutputCase {
    const char *text, *says; /* NULL: the engine computes it for a batch */
} OutputCase;

static const OutputCase outputs[] = {
    {"g (float[1,4] x) => (float[1,4] y) <float[1,4] c = {1, 2, 3, 4}> { y = Identity (c) }",
     "'y' has no value for each sample"},
    {"g (float[1,4] x) => (float[1,1] y) <float[1,4] c = {1, 2, 3, 4}> { y = ReduceMax (c) }",
     "'y' has no value for each sample"},
    {"g (float[1,4] x) => (float[2] y) { s = Shape (x) y = Cast <to = 1> (s) }",
     "'y' has no value for each sample"},
    {"g (float[1,4] x) => (float[1,4] y) <float[1,4] c = {1, 2, 3, 4}> { y = Softmax (c) }",
     "has no value for each sample"},
    {"g (float[1,4] x) => (float y) { y = ReduceSum <keepdims = 0> (x) }", "has no value for each sample"},
    {"g (float[1,4] x) => (float[1,4] x) { }", NULL},
    {"g (float[1,4] x) => (float[1,4] y) { y = Identity (x) }", NULL},
    {"g (float[1,4] x) => (float[1,4] y) { y = Relu (x) }", NULL},
    {"g (float[1,4] x) => (float[1,4] y) { s = Shape (x) y = ConstantOfShape (s) }",
     "has no value for each sample"},
    {"g (float[1,4] x) => (float[1,3] y) <float[4,3] w = seed 1> { y = MatMul (x, w) }", NULL},
    {"g (float[1,4] x) => (int64[1,4] y) { y = Cast <to = 7> (x) }",
     "training needs a model with one float output; 'y' is int64[1,4]"},
    {"g (float[1,4] x) => (double[1,4] y) { y = Cast <to = 11> (x) }",
     "training needs a model with one float output; 'y' is double[1,4]"},
    {"g (float[1,4] x) => (float[1,4] y, float[1,4] y) { y = Relu (x) }",
     "training needs a model with one float output; this one has 2"},
};

static const char *engine_of(const char *text)
{
    static Trap t;
    if (CATCH(&t))
        return t.message;
    Model *m = text_read("m", text);
    m->quiet = true;
    pass_infer(m->graph);
    pass_fold_for_training(m->graph);
    const Dataset none = {0};
    Loss l = loss_find(m->graph, &none);
    Engine *e = engine_new(m->graph, l.score, BATCH, 1, WANT_NONE);
    memset(engine_input(e), 0, BATCH * 4 * sizeof(float));
    engine_forward(e);
    engine_free(e);
    trap_end();
    return NULL;
}

static void test_outputs(void)
{
    for (size_t i = 0; i < sizeof outputs / sizeof outputs[0]; i++) {
        const char *have = engine_of(outputs[i].text), *want = outputs[i].says;
        bool good = want ? have && strstr(have, want) : !have;
        if (!good)
            fprintf(stderr, "%s\nhave: %s\nwant: %s\n", outputs[i].text, have, want);
        CU_ASSERT_TRUE(good);
    }
}

int main(void)
{
    if (CU_initialize_registry() != CUE_SUCCESS)
        return 1;
    CU_pSuite s = CU_add_suite("training", NULL, NULL);
    CU_add_test(s, "models", test_models);
    CU_add_test(s, "batch", test_batch);
    CU_add_test(s, "a view of nothing", test_empty_view);
    CU_add_test(s, "attention", test_attention);
    CU_add_test(s, "refusal", test_refusal);
    CU_add_test(s, "refused form", test_form_refused);
    CU_add_test(s, "many inputs", test_many_inputs);
    CU_add_test(s, "no gradient needed", test_no_gradient_needed);
    CU_add_test(s, "memory of gradients", test_gradient_memory);
    CU_add_test(s, "rounding to codes", test_fake_round);
    CU_add_test(s, "gradients of codes", test_fake_codes);
    CU_add_test(s, "what rules see of codes", test_exact_for_rules);
    CU_add_test(s, "ranges of codes", test_fake_ranges);
    CU_add_test(s, "losses", test_losses);
    CU_add_test(s, "score before softmax", test_score_before_softmax);
    CU_add_test(s, "order", test_order);
    CU_ADD_TEST(s, test_outputs);
    CU_basic_run_tests();
    return (int)CU_get_number_of_failures() != 0;
}
