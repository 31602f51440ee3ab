/* tiny_run.c - a tiny training run; see tiny_run.h. */
#include "support/tiny_run.h"
#include "base/out_file.h"
#include "passes/methods/methods.h"
#include "passes/passes.h"
#include "support/text.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { SAMPLES = 40, INPUTS = 4, CLASSES = 2 };

static const char net[] =
    "g (float[1,4] x) => (y) <float[3,4] v = seed 1, float[3] one = {1, 1, 1}, float[3] zero = {0, 0, 0},"
    " float[2,3] w = seed 2, float[2] b = {0.1, 0}>"
    " { h = Gemm <transB = 1> (x, v)\n n = BatchNormalization (h, one, zero, zero, one)\n a = %s (n)\n"
    " y = Gemm <transB = 1> (a, w, b) }";

/* The class is the sign of a sum. */
static void write_data(const char *x_path, const char *y_path)
{
    float x[SAMPLES * INPUTS];
    int64_t y[SAMPLES];
    for (int i = 0; i < SAMPLES; i++) {
        float sum = 0;
        for (int k = 0; k < INPUTS; k++)
            sum += x[i * INPUTS + k] = (float)(2 * random_unit(3, (uint64_t)(i * INPUTS + k)) - 1);
        y[i] = sum > 0;
    }
    npy_write(x_path, (Type){.dtype = DT_F32, .rank = 2, .dims = {SAMPLES, INPUTS}}, x);
    npy_write(y_path, (Type){.dtype = DT_I64, .rank = 1, .dims = {SAMPLES}}, y);
}

static Options *options_of(const MethodDef *method, Method m, const char *keep)
{
    Options *opt = NEW(Options);
    *opt = (Options){.method = m, .train = true, .quiet = true};
    opt->threshold = method->threshold;
    opt->sparsity = method->sparsity > 0 ? 0.5f : 0;
    const char **list = NEW_ARRAY(const char *, 1);
    list[0] = keep;
    opt->keep = list;
    opt->num_keep = keep != NULL;
    return opt;
}

static const TrainOptions *train_options(const char *folder)
{
    TrainOptions *o = NEW(TrainOptions);
    *o = (TrainOptions){.epochs = TINY_EPOCHS, .batch = 8, .momentum = 0.9, .decay = -1, .clip = 10};
    o->valid = "8";
    o->checkpoint = mem_printf("%s/tiny.ckpt", folder);
    set_knobs(o);
    return o;
}

static float *copy_floats(const float *from, int64_t count)
{
    float *to = NEW_ARRAY(float, count);
    if (count)
        memcpy(to, from, (size_t)count * sizeof *to);
    return to;
}

TinyRun *tiny_run_new(const char *folder, Method m, const char *activation, const char *keep, bool codes)
{
    const char *x = mem_printf("%s/x.npy", folder), *y = mem_printf("%s/y.npy", folder);
    write_data(x, y);
    Graph *g = text_read("tiny", mem_printf(net, activation))->graph;
    check_supported(g);
    pass_infer(g);
    DataOptions *data = NEW(DataOptions);
    *data = (DataOptions){.spec = mem_printf("%s,%s", x, y), .scale = 1};
    Options *opt = options_of(method_def(m), m, keep);
    opt->codes = codes ? code_kind(0) : NULL;
    TrainJob j = {.method = method_def(m), .opt = opt, .data = data};
    j.train = train_options(folder);
    j.seed = 1;
    j.threads = 1;
    TinyRun *r = NEW(TinyRun);
    r->t = trainer_new(g, &j);
    r->start = *r->t;
    r->latent = copy_floats(r->t->latent, r->t->params.total);
    r->running = copy_floats(r->t->e->running, r->t->e->stats.total);
    r->ternary = NEW_ARRAY(TernaryWeight, r->t->num_ternary);
    for (int i = 0; i < r->t->num_ternary; i++)
        r->ternary[i] = r->t->ternary[i];
    return r;
}

void tiny_run_restart(TinyRun *r)
{
    Trainer *t = r->t;
    size_t params = (size_t)t->params.total * sizeof(float);
    *t = r->start;
    memcpy(t->latent, r->latent, params);
    memset(t->first, 0, params);
    if (t->second)
        memset(t->second, 0, params);
    memcpy(t->e->running, r->running, (size_t)t->e->stats.total * sizeof(float));
    for (int i = 0; i < t->num_ternary; i++) {
        t->ternary[i] = r->ternary[i];
        memset(t->ternary[i].kept, 0, (size_t)t->ternary[i].p->count);
    }
}

uint8_t *tiny_run_checkpoint(TinyRun *r, int64_t epochs, size_t *len)
{
    trainer_run(r->t, epochs);
    const uint8_t *mapped = file_map(r->t->checkpoint, len);
    uint8_t *copy = malloc(*len);
    if (!copy)
        fail("out of memory");
    memcpy(copy, mapped, *len);
    munmap((void *)(uintptr_t)mapped, *len);
    return copy;
}

uint8_t *checkpoint_pack(Ternc__Checkpoint *c, size_t *len)
{
    checkpoint_seal(c);
    uint8_t *data = malloc(ternc__checkpoint__get_packed_size(c));
    if (!data)
        fail("out of memory: a checkpoint");
    *len = ternc__checkpoint__pack(c, data);
    return data;
}
