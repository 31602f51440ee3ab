/* calibrate.c - measures how long layers take in each lowering and fits the prices of
 * compiler/layers/costs.def to it.
 *
 *     calibrate TARGET FOLDER [EARLIER]    target of a PC that this machine is, or one of
 * tests/tools/instructions.sh; FOLDER: the checkout; EARLIER: a file with what was printed before, to fit the
 * same measurements to other amounts of work
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

enum { ROUNDS = 25, MAX_SAMPLES = 2000, BUILDS = 8, MOST_TERMS = 26000, MAX_DENSITIES = 3 };

typedef struct Case {
    LayerKind kind;
    int64_t groups, ci, co, kernel, stride, size; /* size: rows and columns of the input */
    bool embedded;                                /* small enough for a microcontroller */
} Case;

static const Case cases[] = {
    {LAYER_CONV, 1, 32, 64, 5, 1, 12, false},  {LAYER_CONV, 1, 16, 32, 3, 1, 34, false},
    {LAYER_CONV, 1, 64, 64, 1, 1, 16, false},  {LAYER_CONV, 1, 16, 16, 3, 1, 14, true},
    {LAYER_CONV, 1, 24, 24, 3, 2, 17, false},  {LAYER_CONV, 1, 32, 32, 3, 1, 4, true},
    {LAYER_CONV, 32, 32, 32, 3, 1, 18, true},  {LAYER_CONV, 1, 32, 16, 1, 1, 8, true},
    {LAYER_CONV, 1, 1, 8, 3, 1, 34, false},    {LAYER_CONV, 1, 3, 12, 3, 1, 26, false},
    {LAYER_FC, 1, 1024, 1024, 1, 1, 1, false}, {LAYER_FC, 1, 256, 256, 1, 1, 1, false},
    {LAYER_FC, 1, 784, 100, 1, 1, 1, true},    {LAYER_FC, 1, 256, 32, 1, 1, 1, true},
    {LAYER_FC, 1, 64, 10, 1, 1, 1, true},
};
static const double conv_densities[MAX_DENSITIES] = {0.5, 0.08},
                    fc_densities[MAX_DENSITIES] = {0.5, 0.1, 0.02};

typedef struct Sample {
    const Layer *layer; /* with its lowering */
    int shape;          /* its case */
    int group;          /* a layer of one density; its forms are to be compared */
    double density, time, predicted;
    Work work;
} Sample;

typedef struct Calibration {
    const char *target, *folder, *source; /* source: of ternc */
    bool emulated;
    FILE *earlier; /* or NULL */
    Options options;
    Sample samples[MAX_SAMPLES];
    int count;
} Calibration;

/* A layer of random weights with an epilogue as most have. */
static Layer *make_layer(const Case *c, double density)
{
    Layer *l = draw_weights(c->kind, c->groups, c->ci, c->co, c->kernel, c->stride, c->size, density);
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

/* The layer in a form, written to folder i; share_taps 0: the compiler's choice. */
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
        l->share_taps = share_taps;
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

typedef void Run(const float *x, float *y);

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

static double time_runs(Run *run, const float *x, float *y, int repeats)
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
        x[i] = (float)(i % 17) / 17.0f;
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

static void read_earlier(const Calibration *a, Sample *s, int count)
{
    char line[256];
    for (int i = 0; i < count; i++) {
        const char *time = fgets(line, sizeof line, a->earlier) ? strrchr(line, ':') : NULL;
        if (!time || sscanf(time, ": %lf", &s[i].time) != 1)
            fail("the earlier measurements are of other layers");
    }
}

static void measure_layer(Calibration *a, int shape, double density, int group)
{
    const Case *c = &cases[shape];
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
    const Core *core = find_core(a->target);
    const int most = c->kind == LAYER_FC ? core->fc.share_taps : core->conv.share_taps;
    Layer *l = make_layer(c, density);
    Sample *s = a->samples + a->count;
    const int64_t weights = c->ci * c->co * c->kernel * c->kernel / c->groups;
    int count = 0;
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        bool unroll = forms[i].form == LOWER_UNROLL;
        if (unroll && ((double)weights * density > MOST_TERMS || (i && most == 1)))
            continue;
        if (forms[i].form == LOWER_DENSE && density < 0.5)
            continue; /* the same for all */
        s[count] =
            make_form(a, l, forms[i].form, forms[i].aim, i && unroll ? most : forms[i].share_taps, count);
        s[count].shape = shape;
        s[count].group = group;
        s[count++].density = density;
    }
    (a->earlier ? read_earlier : a->emulated ? measure_emulated : measure_native)(a, s, count);
    for (int i = 0; i < count; i++)
        printf("/* %s %lldx%lldx%lld %lld, density %.2f: %-6s %s window %d: %.0f, predicted %.0f */\n",
               c->kind == LAYER_FC ? "fc" : "conv", (long long)c->co, (long long)(c->ci / c->groups),
               (long long)c->kernel, (long long)c->size, density, lowering_name(s[i].layer->lowering),
               s[i].layer->form->small ? "small" : "", s[i].layer->share_taps, s[i].time, s[i].predicted);
    fflush(stdout);
    a->count += count;
}

/* ---- fitting ---- */

static bool has_price(const Calibration *a, const Sample *s, bool fc, FormId form)
{
    return (s->layer->kind == LAYER_FC) == fc && price_row(s->layer, &a->options) == form;
}

static double priced(const Sample *s, const double price[NUM_WORK])
{
    double time = 0;
    for (int k = 0; k < NUM_WORK; k++)
        time += price[k] * s->work.amount[k];
    return time;
}

/* Prices that are not negative with the least sum of squares of relative errors, coordinate by coordinate.
 * Layers of shape `without` do not count; -1: all do. */
static void fit_prices(const Calibration *a, bool fc, FormId form, int without, double price[NUM_WORK])
{
    memset(price, 0, NUM_WORK * sizeof *price);
    for (int round = 0; round < 20000; round++)
        for (int k = 0; k < NUM_WORK; k++) {
            double slope = 0, curve = 0;
            for (int i = 0; i < a->count; i++) {
                const Sample *s = &a->samples[i];
                if (!has_price(a, s, fc, form) || s->shape == without)
                    continue;
                double left = s->time - priced(s, price);
                slope += left * s->work.amount[k] / (s->time * s->time);
                curve += s->work.amount[k] * s->work.amount[k] / (s->time * s->time);
            }
            price[k] = curve > 0 ? fmax(0, price[k] + slope / curve) : 0;
        }
}

/* Forms of layers of codes alone keep the prices that they have. */
static void print_rows(const Calibration *a, bool fc, double prices[NUM_FORMS][NUM_WORK])
{
    const Costs *costs = find_core(a->options.target)->costs;
    printf("     {\n");
    for (FormId form = 0; form < NUM_FORMS; form++) {
        if (form_at(form)->floats)
            fit_prices(a, fc, form, -1, prices[form]);
        else
            memcpy(prices[form], (fc ? costs->fc : costs->conv)[form], sizeof prices[form]);
        printf("         {");
        for (int k = 0; k < NUM_WORK; k++)
            printf("%s%.4g", k ? ", " : "", prices[form][k]);
        printf("}, /* %s %s */\n", fc ? "fully connected" : "convolution", form_at(form)->name);
    }
    printf("     }%s\n", fc ? ")" : ",");
}

/* ---- how good they are ---- */

/* Every layer by prices that were fitted to the layers of all other shapes. */
static void predict_unseen(const Calibration *a, double *predicted)
{
    for (int shape = 0; shape < (int)(sizeof cases / sizeof cases[0]); shape++)
        for (FormId form = 0; form < NUM_FORMS; form++) {
            double price[NUM_WORK];
            bool fc = cases[shape].kind == LAYER_FC;
            fit_prices(a, fc, form, shape, price);
            for (int i = 0; i < a->count; i++)
                if (a->samples[i].shape == shape && has_price(a, &a->samples[i], fc, form))
                    predicted[i] = priced(&a->samples[i], price);
        }
}

static void print_errors(const Calibration *a, const double *predicted, const char *what)
{
    for (int fc = 0; fc < 2; fc++)
        for (FormId form = 0; form < NUM_FORMS; form++) {
            double ratios[MAX_SAMPLES];
            int n = 0;
            for (int i = 0; i < a->count; i++)
                if (has_price(a, &a->samples[i], fc, form))
                    ratios[n++] = predicted[i] / a->samples[i].time;
            qsort(ratios, (size_t)n, sizeof *ratios, compare_doubles);
            if (n)
                printf("/* %s, %s form %d: predicted / measured: median %.2f, from %.2f to %.2f */\n", what,
                       fc ? "fc" : "conv", form, ratios[n / 2], ratios[0], ratios[n - 1]);
        }
}

/* What it costs to trust the predictions: the time of the fast form that is predicted to take least, over the
 * least. */
static void print_choices(const Calibration *a, const double *predicted, const char *what)
{
    double losses[MAX_SAMPLES] = {0};
    int n = 0, right = 0;
    for (int i = 0; i < a->count; n++) {
        int best = i, chosen = i, group = a->samples[i].group;
        for (; i < a->count && a->samples[i].group == group; i++) {
            if (a->samples[i].layer->form->small)
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
    Costs *fitted = NEW(Costs);
    double compiled[MAX_SAMPLES] = {0}, now[MAX_SAMPLES] = {0}, unseen[MAX_SAMPLES] = {0};
    char *name = mem_strdup(a->target);
    for (char *p = name; *p; p++)
        *p = *p == '-' ? '_' : *p;
    printf("COSTS(%s,\n", name);
    print_rows(a, false, fitted->conv);
    print_rows(a, true, fitted->fc);
    for (int i = 0; i < a->count; i++) {
        const Sample *s = &a->samples[i];
        compiled[i] = s->predicted;
        now[i] = priced(
            s, (s->layer->kind == LAYER_FC ? fitted->fc : fitted->conv)[price_row(s->layer, &a->options)]);
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
    if (argc != 3 && argc != 4) {
        fprintf(stderr, "calibrate: arguments: the target, the folder of ternc, earlier output\n");
        return 2;
    }
    Calibration *a = NEW(Calibration);
    const Target *machine = find_target(argv[1]);
    if (!machine)
        fail("there is no target '%s'", argv[1]);
    a->target = machine->name;
    a->source = argv[2];
    if (argc == 4 && !(a->earlier = fopen(argv[3], "r")))
        fail("%s: cannot read", argv[3]);
    a->folder = temp_folder();
    a->emulated = find_core(a->target)->instructions;
    a->options = (Options){.target = a->target, .quiet = true};
    int group = 0;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const double *density = cases[i].kind == LAYER_FC ? fc_densities : conv_densities;
        for (int d = 0; d < MAX_DENSITIES && density[d] > 0 && (cases[i].embedded || !a->emulated); d++)
            measure_layer(a, (int)i, density[d], group++);
    }
    print_result(a);
    return 0;
}
