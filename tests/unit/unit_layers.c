/* unit_layers.c - random linear layers in every lowering: the generated C, compiled and run, against eval_layer. The
 * shapes are drawn so that groups, strides, dilations, uneven padding, batches, pooling, 1-D and transposed
 * convolutions all meet; the seed is fixed. */
#include "base/host.h"
#include "codegen/codegen.h"
#include "passes/passes.h"
#include "support/pick.h"

#include <CUnit/Basic.h>
#include <dlfcn.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LAYERS = 150 };

static float draw_float(void)
{
    return (float)pick(-1000, 1000) / 500;
}

static float *draw_floats(int64_t n)
{
    float *v = NEW_ARRAY(float, n);
    for (int64_t i = 0; i < n; i++)
        v[i] = draw_float();
    return v;
}

static int64_t weights_of(const Layer *l)
{
    return l->co * (l->ci / l->groups) * l->kh * l->kw;
}

static void draw_weights(Layer *l)
{
    int64_t n = weights_of(l), density = pick(0, 10);
    int8_t *codes = NEW_ARRAY(int8_t, n);
    for (int64_t i = 0; i < n; i++)
        codes[i] = pick(0, 10) < density ? (int8_t)(pick(0, 1) * 2 - 1) : 0;
    if (pick(0, 4))
        l->codes = codes;
    else
        l->weights = draw_floats(n);
    l->scale = l->codes || pick(0, 1) ? draw_floats(l->co) : NULL;
    l->bias = pick(0, 3) ? draw_floats(l->co) : NULL;
    l->act = (Activation){(ActKind)pick(ACT_NONE, ACT_HARD_SWISH), 0.25f, 0.75f};
}

static void draw_pool(Layer *l)
{
    int64_t kh = pick(1, 3), kw = pick(1, 3), sh = kh + pick(0, 1), sw = kw + pick(0, 1);
    if (pick(0, 1) || kh > l->oh || kw > l->ow)
        return;
    l->pool =
        (Pool){(PoolKind)pick(POOL_MAX, POOL_AVERAGE), kh, kw, sh, sw, (l->oh - kh) / sh + 1, (l->ow - kw) / sw + 1};
}

static bool draw_conv(Layer *l)
{
    bool flat = pick(0, 3) == 0, transposed = pick(0, 2) == 0;
    int64_t per_in = pick(1, 6), per_out = pick(1, 20);
    *l = (Layer){.kind = transposed ? LAYER_CONV_TRANSPOSE : LAYER_CONV, .batch = pick(1, 2), .groups = pick(1, 3)};
    l->ci = l->groups * per_in;
    l->co = l->groups * per_out;
    l->ih = flat ? 1 : pick(1, 20), l->iw = pick(1, 40);
    l->kh = flat ? 1 : pick(1, 5), l->kw = pick(1, 5);
    l->sh = flat ? 1 : pick(1, 3), l->sw = pick(1, 3);
    l->dh = flat ? 1 : pick(1, 2), l->dw = pick(1, 2);
    if (!flat && pick(0, 2))
        l->pt = pick(0, 3), l->pb = pick(0, 3);
    if (pick(0, 2))
        l->pl = pick(0, 3), l->pr = pick(0, 3);
    int64_t fh = (l->kh - 1) * l->dh + 1, fw = (l->kw - 1) * l->dw + 1;
    if (transposed) {
        l->oh = (l->ih - 1) * l->sh + fh - l->pt - l->pb + (flat ? 0 : pick(0, l->sh - 1));
        l->ow = (l->iw - 1) * l->sw + fw - l->pl - l->pr + pick(0, l->sw - 1);
        return l->oh > 0 && l->ow > 0;
    }
    if (l->ih + l->pt + l->pb < fh || l->iw + l->pl + l->pr < fw)
        return false;
    l->oh = (l->ih + l->pt + l->pb - fh) / l->sh + 1;
    l->ow = (l->iw + l->pl + l->pr - fw) / l->sw + 1;
    draw_pool(l);
    return true;
}

static Layer draw_layer(int i)
{
    Layer l;
    if (i % 4 == 0) {
        l = (Layer){.kind = LAYER_FC, .batch = pick(1, 3), .groups = 1, .ci = pick(1, 200), .co = pick(1, 60)};
        l.ih = l.iw = l.oh = l.ow = l.kh = l.kw = l.sh = l.sw = l.dh = l.dw = 1;
    } else {
        while (!draw_conv(&l))
            ;
    }
    draw_weights(&l);
    l.source = "a random layer";
    return l;
}

static Type output_type(const Layer *l)
{
    int64_t fc[] = {l->batch, l->co};
    int64_t conv[] = {l->batch, l->co, l->pool.kind ? l->pool.oh : l->oh, l->pool.kind ? l->pool.ow : l->ow};
    return l->kind == LAYER_FC ? type_make(DT_F32, 2, fc) : type_make(DT_F32, 4, conv);
}

static Type input_type(const Layer *l)
{
    int64_t fc[] = {l->batch, l->ci}, conv[] = {l->batch, l->ci, l->ih, l->iw};
    return l->kind == LAYER_FC ? type_make(DT_F32, 2, fc) : type_make(DT_F32, 4, conv);
}

/* x -> Neg -> layer: the layer's input is in the arena, so that it may be read directly. */
static Graph *layer_graph(const Layer *l)
{
    Graph *g = graph_new("layer", "layer");
    Tensor *x = graph_tensor(g, "x", input_type(l)), *neg = graph_tensor(g, "neg", x->type);
    Tensor *y = graph_tensor(g, "y", output_type(l));
    Node *first = node_new(OP_Neg, "", 1, 1), *n = node_new(OP_Layer, "", 1, 1);
    first->in[0] = x;
    first->out[0] = n->in[0] = neg;
    n->out[0] = y;
    n->layer = NEW(Layer);
    *n->layer = *l;
    node_append(g, first);
    node_append(g, n);
    g->inputs = NEW_ARRAY(Tensor *, 1);
    g->outputs = NEW_ARRAY(Tensor *, 1);
    g->inputs[0] = x;
    g->outputs[0] = y;
    g->num_inputs = g->num_outputs = 1;
    return g;
}

typedef void Run(void *arena, const float *x, float *y);

static Run *build(const Graph *g, const Options *opt, const char *cc, const char *flags, int64_t *arena_bytes)
{
    Plan *p = plan_graph((Graph *)g, opt);
    Text c = {0}, h = {0};
    emit_c(p, &c, &h);
    static const char *dir;
    static int number;
    if (!dir)
        dir = temp_folder();
    const char *so = mem_printf("%s/net%d.so", dir, number++), *source = mem_printf("%s/net.c", dir);
    file_write(source, c.data, c.len);
    file_write(mem_printf("%s/net.h", dir), h.data, h.len);
    const char *files[] = {source, "-o", so, "-lm", NULL};
    cc_compile(cc, mem_printf("-shared -fPIC -std=c99 -Wall -Wextra -Wpedantic -Wconversion -Werror %s", flags), files);
    void *handle = dlopen(so, RTLD_NOW | RTLD_LOCAL);
    Run *run = NULL;
    void *symbol = handle ? dlsym(handle, "net_run_in") : NULL;
    memcpy(&run, &symbol, sizeof run);
    *arena_bytes = p->arena_bytes;
    text_free(&c);
    text_free(&h);
    return run;
}

/* The largest error as a share of the bound; the arena is filled with NaN and watched at its end. */
static double worst_error(const Layer *l, Run *run, int64_t arena_bytes)
{
    int64_t ni = type_elems(input_type(l)), no = type_elems(output_type(l));
    float *x = draw_floats(ni), *neg = NEW_ARRAY(float, ni), *y = NEW_ARRAY(float, no), *want = NEW_ARRAY(float, no);
    float *bound = NEW_ARRAY(float, no);
    for (int64_t i = 0; i < ni; i++)
        neg[i] = -x[i];
    eval_layer(l, neg, want, bound);
    unsigned char *arena = mem_alloc((size_t)arena_bytes + 64);
    memset(arena, 0xFF, (size_t)arena_bytes + 64);
    run(arena, x, y);
    double worst = 0;
    for (int64_t i = 0; i < no; i++) {
        double limit = (double)bound[i] + 1e-6 * fabs((double)want[i]); /* activations: some ulp */
        double err = fabs((double)y[i] - (double)want[i]);
        err = err == 0 ? 0 : limit > 0 ? err / limit : INFINITY;
        worst = err <= worst ? worst : err;
    }
    for (int i = 0; i < 64; i++)
        CU_ASSERT_EQUAL(arena[arena_bytes + i], 0xFF);
    return worst;
}

static void test_layer(const Layer *l, Lowering lowering, int i)
{
    static const char *const compilers[] = {"gcc", "clang"};
    static const char *const flags[] = {"-O1 -march=native", "-O1 -DTN_NO_VECTORS", "-O1"};
    Options opt = {.lowering = lowering, .optimize = i % 2 ? OPTIMIZE_SIZE : OPTIMIZE_SPEED, .name = "net"};
    Graph *g = layer_graph(l);
    pass_lower(g, &opt);
    int64_t arena_bytes;
    Run *run = build(g, &opt, compilers[i % 2], flags[i % 3], &arena_bytes);
    CU_ASSERT_PTR_NOT_NULL_FATAL(run);
    if (!run)
        return;
    double worst = worst_error(l, run, arena_bytes);
    if (!(worst <= 1))
        printf("\nlayer %d, lowering %d: error %g of the bound: kind %d batch %lld groups %lld %lldx%lldx%lld -> "
               "%lldx%lldx%lld "
               "kernel %lldx%lld stride %lldx%lld dilation %lldx%lld pads %lld,%lld,%lld,%lld pool %d act %d\n",
               i, lowering, worst, l->kind, (long long)l->batch, (long long)l->groups, (long long)l->ci,
               (long long)l->ih, (long long)l->iw, (long long)l->co, (long long)l->oh, (long long)l->ow,
               (long long)l->kh, (long long)l->kw, (long long)l->sh, (long long)l->sw, (long long)l->dh,
               (long long)l->dw, (long long)l->pt, (long long)l->pl, (long long)l->pb, (long long)l->pr, l->pool.kind,
               l->act.kind);
    CU_ASSERT(worst <= 1);
}

static void test_random_layers(void)
{
    for (int i = 0; i < LAYERS; i++) {
        Layer l = draw_layer(i);
        test_layer(&l, l.codes ? (Lowering)(LOWER_UNROLL + i / 4 % 4) : LOWER_DENSE, i);
    }
}

int main(void)
{
    CU_initialize_registry();
    CU_pSuite s = CU_add_suite("layers", NULL, NULL);
    CU_add_test(s, "random layers in every lowering", test_random_layers);
    CU_basic_set_mode(CU_BRM_VERBOSE);
    CU_basic_run_tests();
    return CU_get_number_of_failures() != 0;
}
