/* unit_fuse_models.c - real models compute the same before and after fusing. Skipped, visibly, where the
 * shared models are missing. */
#include "ops/ops.h"
#include "passes/passes.h"
#include "pipeline.h"

#include <CUnit/Basic.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *models; /* folder */

static float *make_input(Type t)
{
    int64_t n = type_elems(t);
    float *x = NEW_ARRAY(float, n);
    uint32_t state = 1;
    for (int64_t i = 0; i < n; i++) {
        state = state * 1664525u + 1013904223u;
        x[i] = (float)(state >> 8) / (1 << 24);
    }
    return x;
}

static float *compute(const Graph *g)
{
    const void *inputs[] = {make_input(g->inputs[0]->type)};
    void **values = eval_graph(g, inputs);
    size_t bytes = type_bytes(g->outputs[0]->type);
    float *y = memcpy(mem_alloc(bytes), values[g->outputs[0]->id], bytes);
    free(values);
    return y;
}

static void compare(const char *name, Method method)
{
    Options opt = {.method = method, .quiet = true};
    Model *m = pipeline_load(mem_printf("%s/%s", models, name), &opt);
    pipeline_ternarize(m, &opt);
    const float *before = compute(m->graph);
    pass_fuse(m->graph);
    pass_dce(m->graph);
    verify_graph(m->graph, "fuse");
    const float *after = compute(m->graph);
    float largest = 0, error = 0;
    for (int64_t i = 0; i < type_elems(m->graph->outputs[0]->type); i++) {
        largest = fmaxf(largest, fabsf(before[i]));
        error = fmaxf(error, fabsf(before[i] - after[i]));
    }
    if (!(error <= 1e-5f * largest))
        fprintf(stderr, "%s: off by %g of %g\n", name, (double)error, (double)largest);
    CU_ASSERT(error <= 1e-5f * largest);
}

static void test_models(void)
{
    static const char *const names[] = {
        "mnist-8.onnx",        "deepC_mnist.onnx",          "micro_kws_m_fp32.onnx",   "ic01_resnet8_bn.onnx",
        "kws01_dscnn_bn.onnx", "qonnx_espcn_subpixel.onnx", "tfl_helloworld_sine.onnx"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        compare(names[i], METHOD_none);
        compare(names[i], METHOD_twn);
    }
}

int main(void)
{
    const char *shared = getenv("TERNC_SHARED");
    models = mem_printf("%s/models", shared ? shared : "../shared");
    if (access(models, R_OK) != 0) {
        fprintf(stderr, "skipped: %s is not there\n", models);
        return 77;
    }
    CU_initialize_registry();
    CU_pSuite s = CU_add_suite("fuse models", NULL, NULL);
    CU_add_test(s, "fusing keeps what models compute", test_models);
    CU_basic_run_tests();
    unsigned failures = CU_get_number_of_failures();
    CU_cleanup_registry();
    return failures != 0;
}
