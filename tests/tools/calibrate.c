/* calibrate.c - measures how long layers take in each lowering and fits the prices of
 * compiler/layers/costs.def to it.
 *
 *     calibrate TARGET FOLDER floats|codes|bytes [EARLIER]    target of a PC that this machine is, or one of
 * tests/tools/instructions.sh; FOLDER: the checkout; codes: of layers whose activations are, on
 * microcontrollers; bytes: that these take; EARLIER: a file with what was printed before, to fit the same
 * measurements to other amounts of work
 *
 * Prints the target's entry of costs.def, and as comments how far the predictions by these prices, by those
 * that are compiled in, and for each shape by prices of the others, are from what was measured. PCs: the
 * forms of a layer take turns in one thread, a form's time is the lower quartile of its processor time.
 * Microcontrollers: instructions. Takes minutes; no test. */
#include "base/host.h"
#include "codegen/codegen.h"
#include "passes/passes.h"
#include "support/layers.h"

#include <dlfcn.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum {
    ROUNDS = 25,
    MAX_SAMPLES = 2000,
    BUILDS = 8,
    MOST_TERMS = 26000,
    MAX_DENSITIES = 3,
    MOST_PLANES = 5000,
    FLOAT_WORK = 7 /* amounts that layers of floats have */
};

typedef struct Case {
    LayerKind kind;
    int64_t groups, ci, co, kernel, stride, size; /* size: rows and columns of the input */
    bool embedded;                                /* small enough for a microcontroller */
    int64_t pad, pool; /* of layers of codes, as all below; pool: maxima, and stride */
    int zero;
    CodeOutputs outputs;
} Case;

#define FLOATS 0, 0, 0, ANY_CODES
static const Case cases[] = {
    {LAYER_CONV, 1, 32, 64, 5, 1, 12, false, FLOATS},  {LAYER_CONV, 1, 16, 32, 3, 1, 34, false, FLOATS},
    {LAYER_CONV, 1, 64, 64, 1, 1, 16, false, FLOATS},  {LAYER_CONV, 1, 16, 16, 3, 1, 14, true, FLOATS},
    {LAYER_CONV, 1, 24, 24, 3, 2, 17, false, FLOATS},  {LAYER_CONV, 1, 32, 32, 3, 1, 4, true, FLOATS},
    {LAYER_CONV, 32, 32, 32, 3, 1, 18, true, FLOATS},  {LAYER_CONV, 1, 32, 16, 1, 1, 8, true, FLOATS},
    {LAYER_CONV, 1, 1, 8, 3, 1, 34, false, FLOATS},    {LAYER_CONV, 1, 3, 12, 3, 1, 26, false, FLOATS},
    {LAYER_FC, 1, 1024, 1024, 1, 1, 1, false, FLOATS}, {LAYER_FC, 1, 256, 256, 1, 1, 1, false, FLOATS},
    {LAYER_FC, 1, 784, 100, 1, 1, 1, true, FLOATS},    {LAYER_FC, 1, 256, 32, 1, 1, 1, true, FLOATS},
    {LAYER_FC, 1, 64, 10, 1, 1, 1, true, FLOATS},
};
static const Case code_cases[] = {
    {LAYER_CONV, 1, 16, 16, 3, 1, 14, true, 1, 0, 0, ANY_CODES},
    {LAYER_CONV, 1, 32, 32, 3, 1, 5, true, 1, 0, 0, ANY_CODES},
    {LAYER_CONV, 32, 32, 32, 3, 1, 18, true, 1, 0, 0, ANY_CODES},
    {LAYER_CONV, 1, 32, 16, 1, 1, 8, true, 0, 0, 0, ANY_CODES},
    {LAYER_CONV, 1, 64, 48, 1, 1, 12, true, 0, 0, 0, ANY_CODES},
    {LAYER_CONV, 1, 1, 8, 5, 1, 28, true, 2, 2, 0, ANY_CODES},
    {LAYER_CONV, 1, 8, 16, 5, 1, 14, true, 2, 3, 0, ANY_CODES},
    {LAYER_CONV, 1, 16, 24, 3, 2, 16, true, 1, 0, 0, ANY_CODES},
    {LAYER_CONV, 1, 64, 32, 3, 1, 6, true, 1, 0, 0, ANY_CODES},
    {LAYER_CONV, 1, 96, 24, 3, 1, 8, true, 0, 2, 0, ANY_CODES},
    {LAYER_CONV, 1, 16, 8, 3, 1, 10, true, 1, 0, -3, CLIPPED_CODES},
    {LAYER_CONV, 1, 8, 8, 3, 1, 8, true, 1, 0, 0, WIDE_CODES},
    {LAYER_CONV, 1, 12, 16, 3, 1, 9, true, 0, 0, 5, FLOAT_OUTPUTS},
    {LAYER_CONV, 1, 64, 16, 1, 1, 1, true, 0, 0, 0, ANY_CODES},
    {LAYER_CONV, 1, 80, 16, 3, 1, 5, true, 0, 0, 0, FLOAT_OUTPUTS},
    {LAYER_CONV, 1, 80, 12, 3, 1, 4, true, 1, 0, 0, WIDE_CODES},
    {LAYER_CONV, 1, 64, 24, 3, 1, 8, true, 1, 0, 0, ANY_CODES},
    {LAYER_CONV, 1, 600, 16, 1, 1, 4, true, 0, 0, 0, ANY_CODES},
    {LAYER_CONV, 1, 600, 10, 1, 1, 1, true, 0, 0, 0, ANY_CODES},
    {LAYER_CONV, 1, 100, 8, 3, 1, 7, true, 1, 0, 0, FLOAT_OUTPUTS},
    {LAYER_CONV, 1, 32, 64, 5, 1, 12, false, 0, 0, 0, ANY_CODES},
    {LAYER_CONV, 1, 16, 32, 3, 1, 32, false, 1, 0, 0, ANY_CODES},
    {LAYER_CONV, 1, 64, 64, 1, 1, 16, false, 0, 0, 0, ANY_CODES},
    {LAYER_CONV, 1, 3, 12, 3, 1, 26, false, 1, 0, 4, ANY_CODES},
    {LAYER_CONV, 64, 64, 64, 3, 1, 25, false, 1, 0, 0, ANY_CODES},
    {LAYER_FC, 1, 1024, 1024, 1, 1, 1, false, 0, 0, 0, ANY_CODES},
    {LAYER_FC, 1, 256, 256, 1, 1, 1, false, 0, 0, 0, ANY_CODES},
    {LAYER_FC, 1, 784, 100, 1, 1, 1, true, 0, 0, 0, ANY_CODES},
    {LAYER_FC, 1, 256, 32, 1, 1, 1, true, 0, 0, 0, ANY_CODES},
    {LAYER_FC, 1, 64, 10, 1, 1, 1, true, 0, 0, -3, ANY_CODES},
    {LAYER_FC, 1, 96, 40, 1, 1, 1, true, 0, 0, 0, WIDE_CODES},
    {LAYER_FC, 1, 120, 24, 1, 1, 1, true, 0, 0, 0, FLOAT_OUTPUTS},
};
static const double conv_densities[MAX_DENSITIES] = {0.5, 0.08},
                    fc_densities[MAX_DENSITIES] = {0.5, 0.1, 0.02};

typedef double Prices[NUM_WORK];

typedef struct Sample {
    const Layer *layer; /* with its lowering */
    int shape;          /* its case */
    int group;          /* a layer of one density; its forms are to be compared */
    double density, time, predicted;
    Work work;
} Sample;

typedef struct Calibration {
    const char *target, *folder, *source; /* source: of ternc */
    const Case *cases;
    int num_cases;
    bool emulated, codes, bytes; /* codes: activations are; bytes: of them */
    FILE *earlier;               /* or NULL */
    Options options;
    Sample samples[MAX_SAMPLES];
    int count;
} Calibration;

/* Of codes, with padding and pooling. */
static void set_codes(Layer *l, const Case *c)
{
    l->pt = l->pl = l->pb = l->pr = c->pad;
    l->oh = l->ow = (c->size + 2 * c->pad - c->kernel) / c->stride + 1;
    if (c->pool)
        l->pool = (Pool){POOL_MAX, c->pool, c->pool, c->pool, c->pool, l->oh / c->pool, l->ow / c->pool};
    make_codes(l, c->zero, c->outputs);
}

/* A layer of random weights with an epilogue as most have. */
static Layer *make_layer(const Calibration *a, const Case *c, double density)
{
    Layer *l = draw_weights(c->kind, c->groups, c->ci, c->co, c->kernel, c->stride, c->size, density);
    if (a->codes) {
        set_codes(l, c);
        return l;
    }
    float *bias = NEW_ARRAY(float, c->co);
    for (int64_t i = 0; i < c->co; i++)
        bias[i] = (float)(i % 10) / 10.0f;
    l->bias = bias;
    l->act.kind = ACT_RELU;
    return l;
}

/* ---- building ---- */

/* Folder i holds form i of a layer as net.c and net.h. */
static const char *form_folder(const Calibration *a, int i)
{
    return mem_printf("%s/%d", a->folder, i);
}

/* Among which its form shares sums. */
static int most_taps(const Layer *l, const Options *opt)
{
    return l->kind == LAYER_FC ? find_core(opt->target)->fc.share_taps : conv_shape_of(l, opt).share_taps;
}

/* The layer in a form, written to folder i; share_taps 0: the compiler's choice, more than 1: the most of its
 * form. */
static Sample make_form(const Calibration *a, const Layer *layer, Lowering form, Optimize aim, int share_taps,
                        int i)
{
    Layer *l = NEW(Layer);
    *l = *layer;
    Options *opt = NEW(Options);
    *opt = a->options;
    opt->lowering = form;
    opt->optimize = aim;
    opt->name = "net";
    Graph *g = layer_graph(l, false, false);
    pass_lower(g, opt);
    if (share_taps)
        l->share_taps = share_taps > 1 ? most_taps(l, opt) : 1;
    Text c = {0}, h = {0};
    emit_c(plan_graph(g, opt), &c, &h);
    mkdir(form_folder(a, i), 0700);
    file_write(mem_printf("%s/net.c", form_folder(a, i)), c.data, c.len);
    file_write(mem_printf("%s/net.h", form_folder(a, i)), h.data, h.len);
    text_free(&c);
    text_free(&h);
    Sample s = {.layer = l, .work = layer_work(l, opt)};
    s.predicted = work_time(&s.work, l, opt);
    return s;
}

/* ---- measuring ---- */

typedef void Run(const void *x, void *y);

/* Every object has its own name: one that is loaded already would be taken again. */
static Run *build_native(const Calibration *a, int i)
{
    const char *so = mem_printf("%s/net%d.so", form_folder(a, i), a->count),
               *source = mem_printf("%s/net.c", form_folder(a, i));
    cc_compile(
        "clang",
        mem_printf("%s -shared -fPIC -march=%s", recommended_flags(OPTIMIZE_SPEED, "clang"), a->target),
        (const char *[]){source, "-o", so, "-lm", NULL});
    void *handle = dlopen(so, RTLD_NOW | RTLD_LOCAL);
    void *symbol = handle ? dlsym(handle, "net_run") : NULL;
    if (!symbol)
        fail("%s", dlerror());
    Run *run;
    memcpy(&run, &symbol, sizeof run);
    return run;
}

static double processor_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static double time_runs(Run *run, const void *x, void *y, int repeats)
{
    double start = processor_ns();
    for (int i = 0; i < repeats; i++)
        run(x, y);
    return (processor_ns() - start) / repeats;
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void measure_native(const Calibration *a, Sample *s, int count)
{
    const Layer *l = s[0].layer;
    int64_t inputs = l->ci * l->ih * l->iw;
    float *x = NEW_ARRAY(float, inputs), *y = NEW_ARRAY(float, l->co * l->oh * l->ow);
    for (int64_t i = 0; i < inputs; i++)
        x[i] = (float)(i % 17) / 17.0f; /* codes: their bytes */
    Run *run[BUILDS];
    double times[BUILDS][ROUNDS];
    int repeats[BUILDS];
    for (int i = 0; i < count; i++) {
        run[i] = build_native(a, i);
        double once = time_runs(run[i], x, y, 2);
        repeats[i] = once > 300e3 ? 1 : (int)(300e3 / (once + 1)) + 1;
    }
    for (int r = 0; r < ROUNDS; r++)
        for (int i = 0; i < count; i++)
            times[i][r] = time_runs(run[i], x, y, repeats[i]);
    for (int i = 0; i < count; i++) {
        qsort(times[i], ROUNDS, sizeof(double), compare_doubles);
        s[i].time = times[i][ROUNDS / 4];
    }
}

static void measure_emulated(const Calibration *a, Sample *s, int count)
{
    for (int i = 0; i < count; i++) {
        char *argv[] = {mem_strdup("sh"), mem_strdup("-c"),
                        mem_printf("cd %s && sh %s/tests/tools/instructions.sh %s %d", a->folder, a->source,
                                   a->target, i),
                        NULL};
        Text out = {0}, err = {0};
        if (run_program(argv, &out, &err))
            fail("tests/tools/instructions.sh: %s", err.data);
        s[i].time = strtod(out.data, NULL);
        text_free(&out);
        text_free(&err);
    }
}

/* False: nothing more was measured. */
static bool read_earlier(const Calibration *a, Sample *s, int count)
{
    char line[256];
    for (int i = 0; i < count; i++) {
        const char *time = a->earlier && fgets(line, sizeof line, a->earlier) ? strrchr(line, ':') : NULL;
        if (!time && i == 0)
            return false;
        if (!time || sscanf(time, ": %lf", &s[i].time) != 1)
            fail("the earlier measurements are of other layers");
    }
    return true;
}

static void measure_layer(Calibration *a, int shape, double density, int group)
{
    const Case *c = &a->cases[shape];
    static const struct {
        Lowering form;
        Optimize aim;
        int share_taps;
    } forms[] = {
        {LOWER_UNROLL, OPTIMIZE_SPEED, 1}, {LOWER_UNROLL, OPTIMIZE_SPEED, MAX_SHARE_TAPS},
        {LOWER_SPARSE, OPTIMIZE_SPEED, 0}, {LOWER_PACKED, OPTIMIZE_SPEED, 0},
        {LOWER_DENSE, OPTIMIZE_SPEED, 0},  {LOWER_SPARSE, OPTIMIZE_SIZE, 0},
        {LOWER_PACKED, OPTIMIZE_SIZE, 0},
    };
    enum { OF_CODES = 5 /* of the forms, which have small tables alone */ };
    const Core *core = find_core(a->target);
    const int most = c->kind == LAYER_FC ? core->fc.share_taps : core->conv.share_taps;
    Layer *l = make_layer(a, c, density);
    Sample *s = a->samples + a->count;
    const int64_t weights = c->ci * c->co * c->kernel * c->kernel / c->groups;
    int count = 0;
    for (size_t i = 0; i < (a->codes ? OF_CODES : sizeof forms / sizeof forms[0]); i++) {
        bool unroll = forms[i].form == LOWER_UNROLL;
        if (unroll && ((double)weights * density > MOST_TERMS || (i && most == 1)))
            continue;
        if (forms[i].form == LOWER_DENSE && density < 0.5)
            continue; /* the same for all */
        s[count] = make_form(a, l, forms[i].form, forms[i].aim, forms[i].share_taps, count);
        s[count].shape = shape;
        s[count].group = group;
        s[count++].density = density;
    }
    if (!read_earlier(a, s, count))
        (a->emulated ? measure_emulated : measure_native)(a, s, count);
    for (int i = 0; i < count; i++)
        printf("/* %s %lldx%lldx%lld %lld, density %.2f: %-6s %s window %d: %.0f, predicted %.0f */\n",
               c->kind == LAYER_FC ? "fc" : "conv", (long long)c->co, (long long)(c->ci / c->groups),
               (long long)c->kernel, (long long)c->size, density, lowering_name(s[i].layer->lowering),
               s[i].layer->form->small ? "small" : "", s[i].layer->share_taps, s[i].time, s[i].predicted);
    fflush(stdout);
    a->count += count;
}

/* ---- bytes ---- */

/* A model of the first layers of a list, which all read its input; layers: copies of them. */
static Graph *layers_graph(Layer *const *list, int count, Layer **layers)
{
    Tensor **outputs = NEW_ARRAY(Tensor *, count);
    Graph *g = NULL;
    for (int i = 0; i < count; i++) {
        layers[i] = NEW(Layer);
        *layers[i] = *list[i];
        layers[i]->index = i;
        Node *n = node_new(OP_Layer, "layer", 1, 1);
        if (!g)
            g = layer_graph(layers[i], false, false);
        outputs[i] = i ? graph_tensor(g, mem_printf("y%d", i), outputs[0]->type) : g->outputs[0];
        if (i == 0)
            continue;
        n->in[0] = g->inputs[0];
        n->out[0] = outputs[i];
        n->layer = layers[i];
        node_append(g, n);
    }
    g->outputs = outputs;
    g->num_outputs = count;
    return g;
}

/* Bytes of code and constants of these layers, each in the form that is asked for. */
static double layers_bytes(const Calibration *a, Layer *const *list, int count, const Options *opt,
                           Layer **layers)
{
    Graph *g = layers_graph(list, count, layers);
    pass_lower(g, opt);
    Text c = {0}, h = {0}, out = {0}, err = {0};
    emit_c(plan_graph(g, opt), &c, &h);
    const char *source = mem_printf("%s/net.c", a->folder), *object = mem_printf("%s/net.o", a->folder);
    file_write(source, c.data, c.len);
    file_write(mem_printf("%s/net.h", a->folder), h.data, h.len);
    cc_compile(
        "clang",
        mem_printf(
            "%s %s -c -ffreestanding -fno-asynchronous-unwind-tables -DNET_LAYER=__attribute__((noinline)) "
            "-isystem %s/runtime/freestanding",
            recommended_flags(opt->optimize, "clang"), find_target(a->target)->flags, a->source),
        (const char *[]){source, "-o", object, NULL});
    char *argv[] = {mem_strdup("sh"), mem_printf("%s/tests/tools/bytes.sh", a->source), mem_strdup(object),
                    NULL};
    if (run_program(argv, &out, &err))
        fail("tests/tools/bytes.sh: %s", err.data);
    double bytes = strtod(out.data, NULL);
    text_free(&c), text_free(&h), text_free(&out), text_free(&err);
    return bytes;
}

/* What a third layer takes beside two: kernels are there already. */
static double added_bytes(const Calibration *a, Layer *const *list, const Options *opt)
{
    Layer *layers[3];
    double two = layers_bytes(a, list, 2, opt, layers);
    return layers_bytes(a, list, 3, opt, layers) - two;
}

/* Constants are known, and no part of what is measured. */
static void measure_bytes(Calibration *a, int shape, double density, Lowering form, Optimize aim)
{
    Options *opt = NEW(Options);
    *opt = a->options;
    opt->lowering = form;
    opt->optimize = aim;
    opt->name = "net";
    Layer *list[3], *layers[3];
    for (int i = 0; i < 3; i++)
        list[i] = make_layer(a, &a->cases[shape], density);
    pass_lower(layers_graph(list, 3, layers), opt);
    const Layer *l = layers[2];
    Sample *s = &a->samples[a->count++];
    *s = (Sample){.layer = l, .shape = shape, .density = density, .work = layer_work(l, opt)};
    s->predicted = (double)code_bytes(l, &s->work.code, opt);
    memset(s->work.amount, 0, sizeof s->work.amount);
    code_bytes_amounts(l, &s->work.code, aim, s->work.amount);
    if (!read_earlier(a, s, 1))
        s->time = added_bytes(a, list, opt) - ((double)l->bytes[form] - s->predicted);
    printf("/* %s, density %.2f: %-6s %s: %.0f, predicted %.0f */\n", layer_text(l), density,
           lowering_name(form), aim == OPTIMIZE_SIZE ? "size" : "speed", s->time, s->predicted);
    fflush(stdout);
}

static void measure_bytes_of(Calibration *a, int shape)
{
    for (Optimize aim = OPTIMIZE_SPEED; aim <= OPTIMIZE_SIZE; aim++) {
        for (int d = 0; d < 2; d++)
            measure_bytes(a, shape, conv_densities[d], LOWER_UNROLL, aim);
        for (Lowering form = LOWER_SPARSE; form <= LOWER_DENSE; form++)
            measure_bytes(a, shape, conv_densities[0], form, aim);
    }
}

/* ---- fitting ---- */

/* Of Costs, or of CodeCosts. */
static int row_of(const Calibration *a, const Sample *s)
{
    return a->codes ? (int)code_row(s->layer) : (int)price_row(s->layer, &a->options);
}

static int num_rows(const Calibration *a)
{
    return a->codes ? (int)NUM_CODE_ROWS : (int)NUM_FORMS;
}

static const char *row_name(const Calibration *a, int row)
{
    static const char *const names[] = {
#define CODE_ROW(name) #name,
#include "layers/code_rows.def"
#undef CODE_ROW
    };
    return a->codes ? names[row] : form_at((FormId)row)->name;
}

static bool has_price(const Calibration *a, const Sample *s, bool fc, int row)
{
    return (s->layer->kind == LAYER_FC) == fc && row_of(a, s) == row;
}

static double priced(const Sample *s, const double price[NUM_WORK])
{
    double time = 0;
    for (int k = 0; k < NUM_WORK; k++)
        time += price[k] * s->work.amount[k];
    return time;
}

/* How much a layer counts for a row. Few layers have sums that are split: what these have in common with
 * those that are not follows from more layers. */
static double weight_for(const Calibration *a, const Sample *s, bool fc, int row)
{
    static const double BORROWED = 0.1;
    int other = row == CODES_split ? CODES_narrow : row == CODES_split_words ? CODES_words : row;
    if (has_price(a, s, fc, row))
        return 1;
    return a->codes && has_price(a, s, fc, other) ? BORROWED : 0;
}

/* The sums of products of amounts, relative to what was measured, with each other and with 1. */
static void add_products(const Sample *s, double weight, double with[NUM_WORK][NUM_WORK],
                         double alone[NUM_WORK])
{
    for (int k = 0; k < NUM_WORK; k++) {
        for (int m = 0; m < NUM_WORK; m++)
            with[k][m] += weight * s->work.amount[k] * s->work.amount[m] / (s->time * s->time);
        alone[k] += weight * s->work.amount[k] / s->time;
    }
}

/* The least price of an amount: instructions for a channel of a strip of words, which fits to layers of few
 * strips tell badly from those of outputs. */
static double least_price(const Calibration *a, bool fc, int row, int amount)
{
    enum { CHANNELS = 7, PUT_CHANNEL = 25 };
    bool words = a->codes && !a->bytes && !fc && (row == CODES_words || row == CODES_split_words);
    return words && amount == CHANNELS ? PUT_CHANNEL : 0;
}

/* Code that outgrows a cache takes time, but no more instructions. */
static bool has_no_price(const Calibration *a, int row, int amount)
{
    enum { OUTGROWN = 3 };
    return a->codes && !a->bytes && a->emulated && row <= CODES_plain && amount == OUTGROWN;
}

/* Prices that are not negative with the least sum of squares of relative errors, coordinate by coordinate.
 * Layers of shape `without` do not count; -1: all do. */
static void fit_prices(const Calibration *a, bool fc, int row, int without, double price[NUM_WORK])
{
    double with[NUM_WORK][NUM_WORK] = {{0}}, alone[NUM_WORK] = {0};
    for (int i = 0; i < a->count; i++)
        if (a->samples[i].shape != without)
            add_products(&a->samples[i], weight_for(a, &a->samples[i], fc, row), with, alone);
    double least[NUM_WORK];
    for (int k = 0; k < NUM_WORK; k++)
        price[k] = least[k] = least_price(a, fc, row, k);
    for (int round = 0; round < 20000; round++)
        for (int k = 0; k < NUM_WORK; k++) {
            double slope = alone[k];
            for (int m = 0; m < NUM_WORK; m++)
                slope -= with[k][m] * price[m];
            bool priced = with[k][k] > 0 && !has_no_price(a, row, k);
            price[k] = priced ? fmax(least[k], price[k] + slope / with[k][k]) : 0;
        }
}

/* Of floats all rows have their place; those of codes, of which few have all numbers, say which they are. */
static void print_row(const Calibration *a, bool fc, int row, const double price[NUM_WORK])
{
    int last = a->codes ? NUM_WORK : FLOAT_WORK;
    while (a->codes && last > 1 && price[last - 1] == 0)
        last--;
    printf("         ");
    if (a->codes)
        printf("[CODES_%s] = ", row_name(a, row));
    printf("{");
    for (int k = 0; k < last; k++)
        printf("%s%.4g", k ? ", " : "", price[k]);
    printf("}, /* %s %s */\n", fc ? "fully connected" : "convolution", row_name(a, row));
}

static bool is_measured(const Calibration *a, bool fc, int row)
{
    for (int i = 0; i < a->count; i++)
        if (has_price(a, &a->samples[i], fc, row))
            return true;
    return false;
}

/* Forms of layers of codes alone keep the prices that they have among those of floats. */
static void set_prices(const Calibration *a, bool fc, int row, Prices *prices)
{
    const Costs *costs = find_core(a->options.target)->costs;
    if (a->codes || form_at((FormId)row)->floats)
        fit_prices(a, fc, row, -1, prices[row]);
    else
        memcpy(prices[row], (fc ? costs->fc : costs->conv)[row], sizeof prices[row]);
}

static void print_rows(const Calibration *a, bool fc, Prices *prices)
{
    printf("     %s{\n", !a->codes ? "" : fc ? ".fc = " : ".conv = ");
    for (int row = 0; row < num_rows(a); row++) {
        set_prices(a, fc, row, prices);
        if (!a->codes || is_measured(a, fc, row))
            print_row(a, fc, row, prices[row]);
    }
    printf("     }%s\n", fc ? ")" : ",");
}

/* ---- how good they are ---- */

/* Every layer by prices that were fitted to the layers of all other shapes. */
static void predict_unseen(const Calibration *a, double *predicted)
{
    for (int shape = 0; shape < a->num_cases; shape++)
        for (int row = 0; row < num_rows(a); row++) {
            double price[NUM_WORK];
            bool fc = a->cases[shape].kind == LAYER_FC;
            fit_prices(a, fc, row, shape, price);
            for (int i = 0; i < a->count; i++)
                if (a->samples[i].shape == shape && has_price(a, &a->samples[i], fc, row))
                    predicted[i] = priced(&a->samples[i], price);
        }
}

static void print_errors(const Calibration *a, const double *predicted, const char *what)
{
    for (int fc = 0; fc < 2; fc++)
        for (int row = 0; row < num_rows(a); row++) {
            double ratios[MAX_SAMPLES];
            int n = 0;
            for (int i = 0; i < a->count; i++)
                if (has_price(a, &a->samples[i], fc, row))
                    ratios[n++] = predicted[i] / a->samples[i].time;
            qsort(ratios, (size_t)n, sizeof *ratios, compare_doubles);
            if (n)
                printf("/* %s, %s %s: predicted / measured: median %.2f, from %.2f to %.2f */\n", what,
                       fc ? "fc" : "conv", row_name(a, row), ratios[n / 2], ratios[0], ratios[n - 1]);
        }
}

/* What it costs to trust the predictions: the time of the fast form that is predicted to take least, over the
 * least. */
static void print_choices(const Calibration *a, const double *predicted, const char *what)
{
    if (a->bytes)
        return;
    double losses[MAX_SAMPLES] = {0};
    int n = 0, right = 0;
    for (int i = 0; i < a->count; n++) {
        int best = i, chosen = i, group = a->samples[i].group;
        for (; i < a->count && a->samples[i].group == group; i++) {
            if (a->samples[i].layer->form->small && !a->codes)
                continue;
            best = a->samples[i].time < a->samples[best].time ? i : best;
            chosen = predicted[i] < predicted[chosen] ? i : chosen;
        }
        losses[n] = a->samples[chosen].time / a->samples[best].time;
        right += chosen == best;
    }
    qsort(losses, (size_t)n, sizeof *losses, compare_doubles);
    printf("/* %s: the fastest of %d layers' forms is found %d times; else its time at most %.2f times the "
           "least */\n",
           what, n, right, losses[n - 1]);
}

static void print_result(const Calibration *a)
{
    Prices *conv = NEW_ARRAY(Prices, num_rows(a)), *fc = NEW_ARRAY(Prices, num_rows(a));
    double compiled[MAX_SAMPLES] = {0}, now[MAX_SAMPLES] = {0}, unseen[MAX_SAMPLES] = {0};
    char *name = mem_strdup(a->target);
    for (char *p = name; *p; p++)
        *p = *p == '-' ? '_' : *p;
    printf("%s(%s,\n", a->bytes ? "CODE_BYTES" : a->codes ? "CODE_COSTS" : "COSTS", name);
    print_rows(a, false, conv);
    print_rows(a, true, fc);
    for (int i = 0; i < a->count; i++) {
        const Sample *s = &a->samples[i];
        compiled[i] = s->predicted;
        now[i] = priced(s, (s->layer->kind == LAYER_FC ? fc : conv)[row_of(a, s)]);
    }
    predict_unseen(a, unseen);
    print_errors(a, compiled, "prices compiled in");
    print_choices(a, compiled, "prices compiled in");
    print_errors(a, now, "prices fitted");
    print_choices(a, now, "prices fitted");
    print_errors(a, unseen, "each shape by the others' prices");
    print_choices(a, unseen, "each shape by the others' prices");
}

int main(int argc, char **argv)
{
    if ((argc != 4 && argc != 5) ||
        (strcmp(argv[3], "floats") && strcmp(argv[3], "codes") && strcmp(argv[3], "bytes"))) {
        fprintf(stderr, "calibrate: arguments: the target, the folder of ternc, floats, codes or bytes, "
                        "earlier output\n");
        return 2;
    }
    Calibration *a = NEW(Calibration);
    const Target *machine = find_target(argv[1]);
    if (!machine)
        fail("there is no target '%s'", argv[1]);
    a->target = machine->name;
    a->source = argv[2];
    a->bytes = !strcmp(argv[3], "bytes");
    a->codes = a->bytes || !strcmp(argv[3], "codes");
    if (argc == 5 && !(a->earlier = fopen(argv[4], "r")))
        fail("%s: cannot read", argv[4]);
    a->folder = temp_folder();
    a->emulated = find_core(a->target)->instructions;
    if (a->codes && !find_core(a->target)->code_costs)
        fail("layers of codes are priced as floats on %s: target.c gives its core no prices of them",
             a->target);
    a->options = (Options){.target = a->target, .quiet = true};
    a->cases = a->codes ? code_cases : cases;
    a->num_cases =
        (int)(a->codes ? sizeof code_cases / sizeof code_cases[0] : sizeof cases / sizeof cases[0]);
    int group = 0;
    for (int i = 0; a->bytes && i < a->num_cases; i++)
        if (a->cases[i].embedded && a->cases[i].ci * a->cases[i].co < MOST_PLANES)
            measure_bytes_of(a, i);
    for (int i = 0; !a->bytes && i < a->num_cases; i++) {
        const double *density = a->cases[i].kind == LAYER_FC ? fc_densities : conv_densities;
        for (int d = 0; d < MAX_DENSITIES && density[d] > 0 && (a->cases[i].embedded || !a->emulated); d++)
            measure_layer(a, i, density[d], group++);
    }
    print_result(a);
    return 0;
}
