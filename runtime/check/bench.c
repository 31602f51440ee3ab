/* bench.c - the program that `ternc bench` builds around several builds of one model.
 *
 *   bench SECONDS INPUTS MODEL [RIVAL]
 *
 * A round times every build in turn, so that whatever else the machine does meets all of them; a line of the output is
 * a round: nanoseconds per run of each build, in order. model.h, written by cmd_bench.c, declares the builds. With
 * RIVAL, a library as rival.h says, that one is timed last in each round. */
#include <dlfcn.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "rival.h"

typedef struct Tensor {
    int rank;
    int64_t dims[8];
    size_t bytes;
    char type; /* 'f': float32, 'u' and 'i': 8 bits without and with a sign, 0: another */
} Tensor;

typedef struct Step { /* of codes; 1 and 0 of other numbers */
    double scale;
    int zero;
} Step;

typedef void (*Run)(void *const *in, void *const *out);

#include "model.h"

enum { MIN_ROUNDS = 11, MAX_ROUNDS = 20000, MIN_BATCH_NS = 200000 };

typedef struct Build {
    Run run;
    void *out[NUM_OUTPUTS + 1];
    long batch; /* runs per round */
} Build;

static Build builds[NUM_BUILDS + 1];
static void *in[NUM_INPUTS + 1];
static const char *(*rival_run_once)(void);

static void die(const char *what, const char *why)
{
    fprintf(stderr, "bench: %s: %s\n", what, why);
    exit(3);
}

static double read_clock(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void *get_memory(size_t bytes)
{
    void *p = NULL;
    if (posix_memalign(&p, 64, bytes + 64))
        die("memory", "there is none left");
    memset(p, 0, bytes + 64);
    return p;
}

static void read_inputs(const char *path)
{
    FILE *f = fopen(path, "rb");
    for (int i = 0; i < NUM_INPUTS; i++) {
        in[i] = get_memory(input_tensors[i].bytes);
        if (!f || fread(in[i], 1, input_tensors[i].bytes, f) != input_tensors[i].bytes)
            die(path, "cannot read the inputs");
    }
    if (f)
        fclose(f);
}

/* ---- the rival ---- */

static void run_rival(void *const *inputs, void *const *outputs)
{
    (void)inputs, (void)outputs;
    const char *why = rival_run_once();
    if (why)
        die("rival", why);
}

static void *find(void *library, const char *name)
{
    void *symbol = dlsym(library, name);
    if (!symbol)
        die("rival", dlerror());
    return symbol;
}

static void list_tensors(RivalTensor *list, const Tensor *t, void *const *data, int count)
{
    for (int i = 0; i < count; i++)
        list[i] = (RivalTensor){t[i].rank, t[i].dims, data[i], t[i].bytes};
}

static void open_rival(const char *path, const char *model, Build *b)
{
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!library)
        die("rival", dlerror());
    static RivalTensor inputs[NUM_INPUTS + 1], outputs[NUM_OUTPUTS + 1];
    list_tensors(inputs, input_tensors, in, NUM_INPUTS);
    list_tensors(outputs, output_tensors, b->out, NUM_OUTPUTS);
    const char *(*open_model)(const char *, const RivalTensor *, int, const RivalTensor *, int);
    const char *(*get_name)(void);
    *(void **)&open_model = find(library, "rival_open");
    *(void **)&get_name = find(library, "rival_name");
    *(void **)&rival_run_once = find(library, "rival_run");
    const char *why = open_model(model, inputs, NUM_INPUTS, outputs, NUM_OUTPUTS);
    if (why)
        die(model, why);
    b->run = run_rival;
    printf("rival %s\n", get_name());
}

/* ---- comparing ---- */

/* Element i of output k. The rival's codes have the steps of the first build. */
static double output_value(int build, int k, size_t i)
{
    const void *p = builds[build].out[k];
    const Step *s = &output_steps[build < NUM_BUILDS ? build : 0][k];
    switch (output_tensors[k].type) {
    case 'f': return (double)((const float *)p)[i];
    case 'u': return s->scale * (((const uint8_t *)p)[i] - s->zero);
    default: return s->scale * (((const int8_t *)p)[i] - s->zero);
    }
}

/* How far the outputs of a build are from those of the first, in real numbers: the largest difference, and the largest
 * magnitude there. */
static void print_difference(int build)
{
    double difference = 0, largest = 0;
    for (int k = 0; k < NUM_OUTPUTS; k++) {
        const Tensor *t = &output_tensors[k];
        for (size_t i = 0; t->type && i < t->bytes / (t->type == 'f' ? sizeof(float) : 1); i++) {
            difference = fmax(difference, fabs(output_value(0, k, i) - output_value(build, k, i)));
            largest = fmax(largest, fabs(output_value(0, k, i)));
        }
    }
    printf("difference %d %.9g %.9g\n", build, difference, largest);
}

/* ---- timing ---- */

/* The processor's time, all threads together: what others run meanwhile does not count. The first run, which finds the
 * caches full of another build's code and weights, is not timed. */
static double time_batch(const Build *b)
{
    b->run(in, b->out);
    double begin = read_clock(CLOCK_PROCESS_CPUTIME_ID);
    for (long i = 0; i < b->batch; i++)
        b->run(in, b->out);
    return (read_clock(CLOCK_PROCESS_CPUTIME_ID) - begin) / (double)b->batch;
}

/* A batch takes long enough for the clock. */
static void set_batch(Build *b)
{
    b->batch = 1;
    time_batch(b);
    double ns = time_batch(b);
    while (ns * (double)b->batch < MIN_BATCH_NS) {
        b->batch *= 2;
        ns = time_batch(b);
    }
}

static void time_rounds(int count, double seconds)
{
    double end = read_clock(CLOCK_MONOTONIC) + seconds * 1e9;
    for (int round = 0; round < MAX_ROUNDS && (round < MIN_ROUNDS || read_clock(CLOCK_MONOTONIC) < end); round++) {
        printf("round");
        for (int i = 0; i < count; i++)
            printf(" %.1f", time_batch(&builds[i]));
        printf("\n");
    }
}

/* ---- nodes: built with ID_PROFILE, the second pass ---- */

#ifdef BENCH_NODES
static double node_start, node_ns[NUM_BUILDS][NUM_NODES + 1];
static int profiled;

void bench_node(int node);
void bench_node(int node)
{
    double t = read_clock(CLOCK_MONOTONIC);
    node_ns[profiled][node] = t - node_start;
    node_start = read_clock(CLOCK_MONOTONIC);
}

/* A line per build and round: nanoseconds of every node. */
static void time_nodes(double seconds)
{
    double end = read_clock(CLOCK_MONOTONIC) + seconds * 1e9;
    for (int round = 0; round < MAX_ROUNDS && (round < MIN_ROUNDS || read_clock(CLOCK_MONOTONIC) < end); round++)
        for (profiled = 0; profiled < NUM_BUILDS; profiled++) {
            builds[profiled].run(in, builds[profiled].out); /* as in time_batch */
            node_start = read_clock(CLOCK_MONOTONIC);
            builds[profiled].run(in, builds[profiled].out);
            printf("nodes %d", profiled);
            for (int i = 0; i < NUM_NODES; i++)
                printf(" %.0f", node_ns[profiled][i]);
            printf("\n");
        }
}
#endif

int main(int argc, char **argv)
{
    if (argc < 4)
        die("arguments", "SECONDS INPUTS MODEL [RIVAL]");
    read_inputs(argv[2]);
    int count = NUM_BUILDS + (argc > 4);
    for (int i = 0; i < count; i++) {
        for (int k = 0; k < NUM_OUTPUTS; k++)
            builds[i].out[k] = get_memory(output_tensors[k].bytes);
        if (i < NUM_BUILDS)
            builds[i].run = runs[i];
        else
            open_rival(argv[4], argv[3], &builds[i]);
        set_batch(&builds[i]);
    }
#ifdef BENCH_NODES
    time_nodes(atof(argv[1]));
#else
    for (int i = 1; i < count; i++)
        print_difference(i);
    time_rounds(count, atof(argv[1]));
#endif
    return 0;
}
