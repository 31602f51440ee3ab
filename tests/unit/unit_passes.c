/* unit_passes.c - what golden text does not show: fusing random networks keeps their values, ternarising
 * twice is the identity bit for bit, verify finds broken graphs, and the pipeline's own errors. */
#include "ops/ops.h"
#include "passes/passes.h"
#include "pipeline.h"
#include "support/pick.h"
#include "support/text.h"

#include <CUnit/Basic.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- random networks, as text ---- */

typedef struct Net {
    Text constants, nodes;
    int count;       /* tensors so far; the newest is t<count> */
    int64_t c, h, w; /* shape [2][c][h][w] of the newest, or [2][c] when flat */
    bool flat;
} Net;

/* A new constant of random values (positive: squared) and its name. */
static const char *add_constant(Net *n, const char *shape)
{
    const char *name = mem_printf("c%d", (int)pick(0, 1 << 30));
    text_printf(&n->constants, "%sfloat%s %s = seed %d", n->constants.len ? ", " : "", shape, name,
                (int)pick(1, 1 << 20));
    return name;
}

static const char *channel_shape(const Net *n)
{
    return mem_printf(n->flat ? "[%lld]" : "[%lld, 1, 1]", (long long)n->c);
}

/* The newest tensor goes through `op <attrs>`, with more inputs behind it. */
static void add_node(Net *n, const char *op, const char *attrs, const char *more)
{
    text_printf(&n->nodes, "t%d = %s%s (t%d%s)\n", n->count + 1, op, attrs, n->count, more);
    n->count++;
}

static int64_t conv_size(int64_t in, int64_t pads, int64_t kernel, int64_t stride, int64_t dilation)
{
    return (in + pads - (kernel - 1) * dilation - 1) / stride + 1;
}

static void add_conv(Net *n)
{
    int64_t k = pick(1, 3), s = pick(1, 2), d = k == 1 ? 1 : pick(1, 2), a = pick(0, 2), b = pick(0, 2);
    int64_t group = n->c % 2 == 0 && pick(0, 1) ? 2 : 1, co = group * pick(1, 3);
    int64_t reach = (k - 1) * d + 1;
    if (n->h + a + b < reach || n->w + 2 * a < reach)
        return;
    const char *shape = mem_printf("[%lld,%lld,%lld,%lld]", (long long)co, (long long)(n->c / group),
                                   (long long)k, (long long)k);
    const char *attrs = mem_printf(
        " <group = %lld, strides = [%lld, 1], dilations = [%lld, %lld], pads = [%lld, %lld, %lld, %lld]>",
        (long long)group, (long long)s, (long long)d, (long long)d, (long long)a, (long long)a, (long long)b,
        (long long)a);
    const char *w = add_constant(n, shape);
    const char *bias =
        pick(0, 1) ? mem_printf(", %s", add_constant(n, mem_printf("[%lld]", (long long)co))) : "";
    add_node(n, "Conv", attrs, mem_printf(", %s%s", w, bias));
    n->h = conv_size(n->h, a + b, k, s, d);
    n->w = conv_size(n->w, 2 * a, k, 1, d);
    n->c = co;
}

static void add_conv_transpose(Net *n)
{
    int64_t k = pick(1, 3), s = pick(1, 2), group = n->c % 2 == 0 && pick(0, 1) ? 2 : 1, co = pick(1, 2);
    const char *w = add_constant(
        n, mem_printf("[%lld,%lld,%lld,%lld]", (long long)n->c, (long long)co, (long long)k, (long long)k));
    add_node(
        n, "ConvTranspose",
        mem_printf(" <group = %lld, strides = [%lld, %lld]>", (long long)group, (long long)s, (long long)s),
        mem_printf(", %s", w));
    n->h = (n->h - 1) * s + k;
    n->w = (n->w - 1) * s + k;
    n->c = co * group;
}

static void add_fully_connected(Net *n)
{
    if (!n->flat) {
        add_node(n, "Flatten", "", "");
        n->c *= n->h * n->w;
        n->flat = true;
    }
    int64_t co = pick(1, 5);
    if (pick(0, 1)) {
        const char *w = add_constant(n, mem_printf("[%lld,%lld]", (long long)n->c, (long long)co));
        add_node(n, "MatMul", "", mem_printf(", %s", w));
    } else {
        const char *w = add_constant(n, mem_printf("[%lld,%lld]", (long long)co, (long long)n->c));
        const char *b = add_constant(n, mem_printf("[%lld]", (long long)co));
        add_node(n, "Gemm", " <transB = 1, alpha = 0.5, beta = 2.0>", mem_printf(", %s, %s", w, b));
    }
    n->c = co;
}

static void add_linear(Net *n)
{
    if (n->flat || pick(0, 5) == 0)
        add_fully_connected(n);
    else if (pick(0, 3) == 0 && n->h < 12 && n->w < 12)
        add_conv_transpose(n);
    else
        add_conv(n);
}

static void add_arithmetic(Net *n)
{
    static const char *const ops[] = {"Add", "Sub", "Mul"};
    const char *shape = pick(0, 2) ? channel_shape(n) : "";
    const char *c = add_constant(n, shape);
    const char *op = ops[pick(0, 2)];
    if (pick(0, 2)) {
        add_node(n, op, "", mem_printf(", %s", c));
        return;
    }
    text_printf(&n->nodes, "t%d = %s (%s, t%d)\n", n->count + 1, op, c, n->count);
    n->count++;
}

static void add_batch_norm(Net *n)
{
    const char *shape = mem_printf("[%lld]", (long long)n->c), *v[4];
    for (int i = 0; i < 4; i++)
        v[i] = add_constant(n, shape);
    add_node(n, "BatchNormalization", " <epsilon = 2.0>",
             mem_printf(", %s, %s, %s, %s", v[0], v[1], v[2], v[3]));
}

static void add_activation(Net *n)
{
    static const char *const ops[] = {"Relu",      "Sigmoid",     "Tanh",
                                      "HardSwish", "HardSigmoid", "LeakyRelu <alpha = 0.3>"};
    add_node(n, ops[pick(0, 5)], "", "");
}

static void add_pool(Net *n)
{
    if (n->flat || n->h < 2 || n->w < 2)
        return;
    int64_t k = pick(1, 2), s = pick(1, 3);
    const char *attrs =
        mem_printf(" <kernel_shape = [%lld, 2], strides = [%lld, 2]>", (long long)k, (long long)s);
    add_node(n, pick(0, 1) ? "MaxPool" : "AveragePool", attrs, "");
    n->h = (n->h - k) / s + 1;
    n->w = (n->w - 2) / 2 + 1;
}

static void add_any(Net *n)
{
    switch (pick(0, 5)) {
    case 0:
    case 1: add_linear(n); return;
    case 2: add_arithmetic(n); return;
    case 3: add_batch_norm(n); return;
    case 4: add_activation(n); return;
    default: add_pool(n); return;
    }
}

static Model *random_model(void)
{
    Net n = {.c = pick(1, 4), .h = pick(2, 9), .w = pick(2, 9)};
    const char *input =
        mem_printf("(float[2,%lld,%lld,%lld] t0)", (long long)n.c, (long long)n.h, (long long)n.w);
    add_linear(&n);
    for (int i = 0; i < 8; i++)
        add_any(&n);
    add_activation(&n);
    const char *text = mem_printf("%s => (t%d) <%s> {\n%s}", input, n.count,
                                  n.constants.data ? n.constants.data : "", n.nodes.data);
    text_free(&n.constants);
    text_free(&n.nodes);
    return text_read("random", text);
}

/* ---- values ---- */

static float *random_input(const Graph *g)
{
    int64_t n = type_elems(g->inputs[0]->type);
    float *x = NEW_ARRAY(float, n);
    for (int64_t i = 0; i < n; i++)
        x[i] = (float)pick(-1000, 1000) / 500;
    return x;
}

static float *output_of(const Graph *g, const float *x)
{
    const void *inputs[] = {x};
    void **values = eval_graph(g, inputs);
    size_t bytes = type_bytes(g->outputs[0]->type);
    float *y = memcpy(mem_alloc(bytes), values[g->outputs[0]->id], bytes);
    free(values);
    return y;
}

static void check_close(const float *a, const float *b, int64_t n)
{
    int64_t far = 0;
    for (int64_t i = 0; i < n; i++)
        far += !(fabsf(a[i] - b[i]) <= 1e-4f * (1 + fabsf(a[i])));
    CU_ASSERT_EQUAL(far, 0);
}

static int count_op(const Graph *g, OpKind op)
{
    int count = 0;
    for (int i = 0; i < g->num_nodes; i++)
        count += g->nodes[i]->op == op;
    return count;
}

static void fuse_and_compare(Model *m, const Options *opt, int *layers, int *saved)
{
    Graph *g = m->graph;
    pipeline_prepare(m, opt);
    pipeline_ternarize(m, opt);
    const float *x = random_input(g), *before = output_of(g, x);
    int nodes = g->num_nodes;
    pass_fuse(g);
    verify_graph(g, "fuse");
    check_close(before, output_of(g, x), type_elems(g->outputs[0]->type));
    CU_ASSERT_EQUAL(count_op(g, OP_Conv) + count_op(g, OP_ConvTranspose) + count_op(g, OP_Gemm), 0);
    *layers += count_op(g, OP_Layer);
    *saved += nodes - g->num_nodes;
}

static void test_fusing_keeps_values(void)
{
    static const char *const none[] = {"none"};
    int layers = 0, saved = 0;
    for (int round = 0; round < 400; round++) {
        Options opt = {
            .quiet = true, .method = round % 2 ? METHOD_none : METHOD_twn, .keep = none, .num_keep = 1};
        fuse_and_compare(random_model(), &opt, &layers, &saved);
    }
    CU_ASSERT(layers > 600);
    CU_ASSERT(saved > 600);
}

/* ---- ternarising twice ---- */

static bool same_constants(const Graph *a, const Graph *b)
{
    if (a->num_tensors != b->num_tensors)
        return false;
    for (int i = 0; i < a->num_tensors; i++) {
        const Tensor *s = a->tensors[i], *t = b->tensors[i];
        if (!s->data != !t->data || !s->ternary != !t->ternary || strcmp(s->name, t->name) != 0)
            return false;
        if (s->data && memcmp(s->data, t->data, type_bytes(s->type)) != 0)
            return false;
    }
    return true;
}

/* The same graph again, the ternary facts forgotten. */
static Graph *forget(const Graph *g)
{
    Graph *copy = NEW(Graph);
    *copy = *g;
    copy->tensors = NEW_ARRAY(Tensor *, g->num_tensors);
    for (int i = 0; i < g->num_tensors; i++) {
        copy->tensors[i] = NEW(Tensor);
        *copy->tensors[i] = *g->tensors[i];
    }
    return copy;
}

static void test_ternarising_twice_is_the_identity(void)
{
    static const char *const none[] = {"none"};
    for (int round = 0; round < 100; round++) {
        Options opt = {.quiet = true, .per_layer = round % 3 == 0, .keep = none, .num_keep = 1};
        if (round % 4 == 1)
            opt.threshold = 0.7f;
        if (round % 4 == 2)
            opt.sparsity = 0.8f;
        Model *m = random_model();
        pipeline_prepare(m, &opt);
        pass_ternarize(m->graph, &opt);
        const Graph *once = forget(m->graph);
        for (int i = 0; i < m->graph->num_tensors; i++)
            m->graph->tensors[i]->ternary = NULL;
        Options other = {.quiet = true, .threshold = 2, .method = round % 2 ? METHOD_none : METHOD_twn};
        pass_ternarize(m->graph, &other);
        verify_graph(m->graph, "ternarize");
        CU_ASSERT(same_constants(once, m->graph));
    }
}

static void test_sparsity_is_met(void)
{
    static const char *const none[] = {"none"};
    for (int s = 10; s < 100; s += 10) {
        Options opt = {.quiet = true, .sparsity = (float)s / 100, .keep = none, .num_keep = 1};
        Model *m = text_read(
            "net", "(float[1,9] x) => (y) <float[50,9] w = seed 1> { y = Gemm <transB = 1> (x, w) }");
        pipeline_prepare(m, &opt);
        pass_ternarize(m->graph, &opt);
        const Ternary *q = m->graph->nodes[0]->in[1]->ternary;
        int zeros = 0;
        for (int i = 0; i < 450; i++)
            zeros += q->codes[i] == 0;
        CU_ASSERT(abs(zeros - 450 * s / 100) <= 1);
    }
}

/* ---- verify ---- */

static Model *prepared(const char *text)
{
    Options opt = {.quiet = true};
    Model *m = text_read("net", text);
    pipeline_prepare(m, &opt);
    pipeline_ternarize(m, &opt);
    return m;
}

static const char *const small =
    "(float[1,2] x) => (y) <float[2,2] w = {1, 0, -1, 0.5}, float[2,2] v = seed 1>"
    "{ s = MatMul (x, w)\n t = Relu (s)\n u = MatMul (t, v)\n y = Neg (u) }";

/* Whether verify reports a bug whose message contains the text. */
static bool verify_finds(const Graph *g, const char *text)
{
    Trap trap;
    if (CATCH(&trap))
        return trap.code == 3 && strstr(trap.message, text);
    verify_graph(g, "test");
    trap_end();
    return false;
}

static Tensor *tensor(const Graph *g, const char *name)
{
    for (int i = 0; i < g->num_tensors; i++)
        if (!strcmp(g->tensors[i]->name, name))
            return g->tensors[i];
    return NULL;
}

static void test_verify_finds_broken_graphs(void)
{
    Graph *g = prepared(small)->graph;
    CU_ASSERT(!verify_finds(g, ""));
    Node *first = g->nodes[0];
    g->nodes[0] = g->nodes[1];
    g->nodes[1] = first;
    CU_ASSERT(verify_finds(g, "before it is made"));
    g = prepared(small)->graph;
    tensor(g, "t")->name = "s";
    CU_ASSERT(verify_finds(g, "two tensors are called 's'"));
    g = prepared(small)->graph;
    tensor(g, "t")->producer = g->nodes[0];
    CU_ASSERT(verify_finds(g, "does not know its producer"));
    g = prepared(small)->graph;
    tensor(g, "t")->type.dims[1] = -1;
    CU_ASSERT(verify_finds(g, "float[1,?]"));
    g = prepared(small)->graph;
    g->num_nodes--;
    CU_ASSERT(verify_finds(g, "output 'y' is not made"));
    g = prepared(small)->graph;
    g->nodes[1]->num_in = 0;
    CU_ASSERT(verify_finds(g, "has 0 inputs"));
}

static void test_verify_finds_broken_weights(void)
{
    Graph *g = prepared(small)->graph;
    CU_ASSERT_PTR_NOT_NULL_FATAL(tensor(g, "w")->ternary);
    tensor(g, "w")->ternary->codes[1] = 1;
    CU_ASSERT(verify_finds(g, "ternary 'w'[1]"));
    g = prepared(small)->graph;
    tensor(g, "w")->ternary->scales[0] = 0.75f;
    CU_ASSERT(verify_finds(g, "ternary 'w'"));
    g = prepared(small)->graph;
    pass_fuse(g);
    g->nodes[0]->layer->zeros++;
    CU_ASSERT(verify_finds(g, "counts its zeros wrong"));
    g->nodes[0]->layer->zeros--;
    g->nodes[0]->layer->co++;
    CU_ASSERT(verify_finds(g, "layer"));
}

/* ---- pipeline ---- */

static void test_unknown_dump_is_usage(void)
{
    Trap trap;
    Options opt = {.quiet = true, .dump = "fusing"};
    if (CATCH(&trap)) {
        CU_ASSERT_EQUAL(trap.code, 2);
        CU_ASSERT_PTR_NOT_NULL(strstr(trap.message,
                                      "infer, fold, dce, channels, train, fit, ternarize, norms, "
                                      "affine, quantise, inputs, recurrent, codes, fuse, lower, store"));
        return;
    }
    pipeline_load("/nonexistent.onnx", &opt);
    trap_end();
    CU_FAIL("no usage error");
}

static void test_numbers(void)
{
    CU_ASSERT_STRING_EQUAL(number_text(0.1f, DT_F32), "0.1");
    CU_ASSERT_STRING_EQUAL(number_text(0.1f, DT_F64), "0.10000000149011612");
    CU_ASSERT_STRING_EQUAL(number_text(-1e20, DT_F32), "-1e+20");
    CU_ASSERT_STRING_EQUAL(number_text(16777217, DT_I32), "16777217");
    CU_ASSERT_STRING_EQUAL(number_text(-(double)INFINITY, DT_F32), "-inf");
    for (int i = 0; i < 1000; i++) {
        float v = ldexpf((float)pick(-(1 << 24), 1 << 24), (int)pick(-149, 100));
        CU_ASSERT_EQUAL(strtof(number_text((double)v, DT_F32), NULL), v);
    }
}

int main(void)
{
    CU_initialize_registry();
    CU_pSuite s = CU_add_suite("passes", NULL, NULL);
    CU_add_test(s, "fusing keeps values", test_fusing_keeps_values);
    CU_add_test(s, "ternarising twice is the identity", test_ternarising_twice_is_the_identity);
    CU_add_test(s, "sparsity is met", test_sparsity_is_met);
    CU_add_test(s, "verify finds broken graphs", test_verify_finds_broken_graphs);
    CU_add_test(s, "verify finds broken weights", test_verify_finds_broken_weights);
    CU_add_test(s, "unknown --dump is a usage error", test_unknown_dump_is_usage);
    CU_add_test(s, "shortest numbers", test_numbers);
    CU_basic_run_tests();
    unsigned failures = CU_get_number_of_failures();
    CU_cleanup_registry();
    return failures != 0;
}
