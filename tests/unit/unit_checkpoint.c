/* unit_checkpoint.c - checkpoints: a run that stops after any epoch goes on as if it had not; whatever is
 * changed in one is refused with a message, or changes nothing: bytes, ends, and, with a digest that fits,
 * every field of the schema. */
#include "support/tiny_run.h"
#include "base/host.h"
#include "passes/methods/methods.h"
#include "train/checkpoint.h"

#include <CUnit/Basic.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

typedef Ternc__Checkpoint Checkpoint;

static const char *folder;

/* A run that was stopped after `epochs`, its checkpoint, and what came of it when it went on. */
typedef struct Stopped {
    TinyRun *run;
    uint8_t *data;
    size_t len;
    float *weights;
    uint64_t state; /* of the trainer that goes on from it */
} Stopped;

static size_t weight_bytes(const Trainer *t)
{
    return (size_t)t->e->params.total * sizeof(float);
}

static uint64_t hash_floats(const float *block, int64_t count, uint64_t hash)
{
    return XXH64(block, (size_t)count * sizeof *block, hash);
}

/* All that the next epochs, and the result, depend on. */
static uint64_t hash_state(const Trainer *t)
{
    const int64_t numbers[] = {t->epoch, t->epochs, t->freeze_epoch, t->frozen, t->best_epoch};
    uint64_t hash = XXH64(numbers, sizeof numbers, 0);
    hash = XXH64(&t->best.loss, sizeof t->best.loss, hash);
    hash = XXH64(&t->best.accuracy, sizeof t->best.accuracy, hash);
    const float *blocks[] = {t->latent, t->first, t->second};
    for (int i = 0; i < 3; i++)
        hash = blocks[i] ? hash_floats(blocks[i], t->params.total, hash) : hash;
    hash = hash_floats(t->best_weights, t->e->params.total, hash);
    hash = hash_floats(t->best_running, t->e->stats.total, hash);
    hash = hash_floats(t->e->running, t->e->stats.total, hash);
    for (int i = 0; i < t->num_ternary; i++) {
        const TernaryWeight *w = &t->ternary[i];
        const double of_method[] = {w->alpha, w->lambda, w->start, (double)w->fixed};
        hash = XXH64(of_method, sizeof of_method, XXH64(w->kept, (size_t)w->p->count, hash));
    }
    return hash;
}

/* The message with which the bytes are refused, or NULL. */
static const char *take(const Stopped *s, const uint8_t *data, size_t len)
{
    static Trap trap;
    tiny_run_restart(s->run);
    if (CATCH(&trap)) {
        CU_ASSERT_EQUAL(trap.code, 1);
        CU_ASSERT_PTR_NOT_NULL(strstr(trap.message, "tiny.ckpt: "));
        return trap.message;
    }
    checkpoint_take(s->run->t, data, len);
    trap_end();
    return NULL;
}

static Stopped stop_after(Method m, int64_t epochs, bool codes)
{
    Stopped s = {.run = tiny_run_new(folder, m, "Relu", NULL, codes)};
    Trainer *t = s.run->t;
    s.data = tiny_run_checkpoint(s.run, epochs, &s.len);
    trainer_run(t, t->epochs);
    s.weights = floats_new(t->e->params.total);
    memcpy(s.weights, t->best_weights, weight_bytes(t));
    const char *message = take(&s, s.data, s.len);
    if (message)
        fprintf(stderr, "\n%s, epoch %d: %s\n", t->method->name, (int)epochs, message);
    CU_ASSERT_PTR_NULL(message);
    s.state = hash_state(t);
    return s;
}

static void stopped_free(Stopped *s)
{
    engine_free(s->run->t->e);
    free(s->data);
    free(s->weights);
}

/* ---- going on ---- */

static void test_resumes(void)
{
    for (int m = 0; m < 2 * NUM_METHODS; m++)
        for (int epochs = 1; epochs <= TINY_EPOCHS; epochs++) {
            Stopped s = stop_after((Method)(m / 2), epochs, m % 2);
            trainer_run(s.run->t, s.run->t->epochs);
            CU_ASSERT(!memcmp(s.weights, s.run->t->best_weights, weight_bytes(s.run->t)));
            stopped_free(&s);
        }
}

/* ---- damage ---- */

static void test_bytes(void)
{
    Stopped s = stop_after(METHOD_sca, 4, false);
    for (size_t i = 0; i < s.len; i++) {
        CU_ASSERT_PTR_NOT_NULL(take(&s, s.data, i));
        for (int bit = 0; bit < 8; bit += 3) {
            s.data[i] ^= (uint8_t)(1 << bit);
            CU_ASSERT_PTR_NOT_NULL(take(&s, s.data, s.len));
            s.data[i] ^= (uint8_t)(1 << bit);
        }
    }
    CU_ASSERT_PTR_NULL(take(&s, s.data, s.len));
    stopped_free(&s);
}

/* ---- intent: every field, with a digest that fits ---- */

/* What is only told, such as the seconds of an epoch, may be taken. */
static void try_packed(const Stopped *s, Checkpoint *c, const char *name)
{
    size_t len;
    uint8_t *data = checkpoint_pack(c, &len);
    bool fine = take(s, data, len) || hash_state(s->run->t) == s->state;
    if (!fine)
        fprintf(stderr, "\n%s is taken, and trains otherwise\n", name);
    CU_ASSERT(fine);
    free(data);
}

typedef struct Field {
    const Stopped *s;
    Checkpoint *c;
    const ProtobufCFieldDescriptor *d;
} Field;

static void try_number(const Field *f, void *at, size_t size, const void *value)
{
    char before[8];
    memcpy(before, at, size);
    memcpy(at, value, size);
    try_packed(f->s, f->c, f->d->name);
    memcpy(at, before, size);
}

/* Of lambda and start nothing but their range is known: extremes alone. */
static void try_double(const Field *f, double *at)
{
    const double values[] = {NAN, INFINITY, -INFINITY, -1,         2,       -1e300, 1e300,
                             0,   1,        5e-324,    *at + 1e-9, *at * 3, 0.5};
    const size_t extremes = 7;
    bool ranged = !strcmp(f->d->name, "lambda") || !strcmp(f->d->name, "start");
    for (size_t i = 0; i < (ranged ? extremes : sizeof values / sizeof values[0]); i++)
        try_number(f, at, sizeof *at, &values[i]);
}

static void try_integer(const Field *f, int64_t *at)
{
    const int64_t values[] = {0, 1, -1, *at - 1, *at + 1, TINY_EPOCHS, INT64_MAX, INT64_MIN, INT32_MAX};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
        try_number(f, at, sizeof *at, &values[i]);
}

/* Other sizes; elements that are no numbers; of masks, what is neither 0 nor 1. */
static void try_bytes(const Field *f, ProtobufCBinaryData *at)
{
    const ProtobufCBinaryData before = *at;
    const float values[] = {NAN, INFINITY, -INFINITY};
    uint8_t *longer = NEW_ARRAY(uint8_t, (int64_t)before.len + 4);
    at->data = longer;
    for (size_t len = 0; len <= before.len + 4; len++) {
        at->len = len;
        if (len != before.len)
            try_packed(f->s, f->c, f->d->name);
    }
    at->len = before.len;
    for (size_t i = 0; before.len && i < sizeof values / sizeof values[0]; i++) {
        memcpy(longer, before.data, before.len);
        memcpy(longer + before.len - 4, &values[i], 4);
        try_packed(f->s, f->c, f->d->name);
    }
    *at = before;
}

static void try_text(const Field *f, char **at)
{
    static const char *const values[] = {"", "x", " rate ", "polarise", "recover"};
    char *before = *at;
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        *at = (char *)(uintptr_t)values[i];
        try_packed(f->s, f->c, f->d->name);
    }
    *at = NULL;
    if (f->d->label != PROTOBUF_C_LABEL_REQUIRED)
        try_packed(f->s, f->c, f->d->name);
    *at = mem_printf("%s and more", before);
    try_packed(f->s, f->c, f->d->name);
    *at = before;
}

static void try_fields(const Field *in, ProtobufCMessage *m);

static void try_value(const Field *f, void *at)
{
    switch (f->d->type) {
    case PROTOBUF_C_TYPE_DOUBLE: try_double(f, at); break;
    case PROTOBUF_C_TYPE_INT64: try_integer(f, at); break;
    case PROTOBUF_C_TYPE_UINT32:
        for (uint32_t v = 0; v < 8; v++)
            try_number(f, at, sizeof v, &v);
        break;
    case PROTOBUF_C_TYPE_BOOL:
        try_number(f, at, sizeof(protobuf_c_boolean), &(protobuf_c_boolean){!*(protobuf_c_boolean *)at});
        break;
    case PROTOBUF_C_TYPE_BYTES: try_bytes(f, at); break;
    case PROTOBUF_C_TYPE_STRING: try_text(f, at); break;
    case PROTOBUF_C_TYPE_MESSAGE: try_fields(f, *(ProtobufCMessage **)at); break;
    case PROTOBUF_C_TYPE_FIXED64: break; /* the digest, which is made to fit */
    default: CU_FAIL("the schema has a field of another type");
    }
}

static void try_list(const Field *f, size_t *count, char *items)
{
    static const size_t sizes[] = {[PROTOBUF_C_TYPE_DOUBLE] = sizeof(double),
                                   [PROTOBUF_C_TYPE_BYTES] = sizeof(ProtobufCBinaryData),
                                   [PROTOBUF_C_TYPE_MESSAGE] = sizeof(void *)};
    const size_t before = *count;
    for (size_t n = 0; n < before; n++) {
        *count = n;
        try_packed(f->s, f->c, f->d->name);
    }
    *count = before;
    for (size_t i = 0; i < before; i++)
        try_value(f, items + i * sizes[f->d->type]);
}

static void try_fields(const Field *in, ProtobufCMessage *m)
{
    for (unsigned i = 0; i < m->descriptor->n_fields; i++) {
        Field f = *in;
        f.d = &m->descriptor->fields[i];
        char *at = (char *)m + f.d->offset, *quantifier = (char *)m + f.d->quantifier_offset;
        protobuf_c_boolean absent = false;
        if (f.d->label == PROTOBUF_C_LABEL_REPEATED) {
            try_list(&f, (size_t *)(void *)quantifier, *(char **)(void *)at);
            continue;
        }
        if (f.d->label == PROTOBUF_C_LABEL_OPTIONAL && f.d->quantifier_offset)
            try_number(&f, quantifier, sizeof absent, &absent);
        try_value(&f, at);
    }
}

static void test_fields(void)
{
    static const struct {
        Method m;
        int epochs;
        bool codes;
    } runs[] = {{METHOD_none, 2, false}, {METHOD_twn, 3, false}, {METHOD_stp, 2, false},
                {METHOD_stp, 5, false},  {METHOD_sca, 3, false}, {METHOD_sca, 5, false},
                {METHOD_twn, 3, true}};
    for (size_t i = 0; i < sizeof runs / sizeof runs[0]; i++) {
        Stopped s = stop_after(runs[i].m, runs[i].epochs, runs[i].codes);
        Field all = {.s = &s, .c = ternc__checkpoint__unpack(NULL, s.len, s.data)};
        CU_ASSERT_PTR_NOT_NULL_FATAL(all.c);
        try_fields(&all, &all.c->base);
        ternc__checkpoint__free_unpacked(all.c, NULL);
        stopped_free(&s);
    }
}

/* ---- ranges of codes ---- */

/* They have 0 inside. */
static void test_ranges(void)
{
    Stopped s = stop_after(METHOD_twn, 3, true);
    const Engine *e = s.run->t->e;
    CU_ASSERT_EQUAL_FATAL(e->num_codes, 2);
    for (int end = 0; end < 2; end++) {
        Checkpoint *c = ternc__checkpoint__unpack(NULL, s.len, s.data);
        size_t len;
        ((float *)(void *)c->best_running.data)[e->codes[1].at + end] = end ? -1 : 1;
        uint8_t *data = checkpoint_pack(c, &len);
        const char *message = take(&s, data, len);
        CU_ASSERT_PTR_NOT_NULL_FATAL(message);
        CU_ASSERT_PTR_NOT_NULL(strstr(message, "the range of 'a' in best_running is"));
        free(data);
        ternc__checkpoint__free_unpacked(c, NULL);
    }
    stopped_free(&s);
}

/* ---- of something else ---- */

static void expect_other(const Stopped *s, TinyRun *other)
{
    const Stopped o = {.run = other};
    const char *message = take(&o, s->data, s->len);
    CU_ASSERT_PTR_NOT_NULL_FATAL(message);
    CU_ASSERT_PTR_NOT_NULL(strstr(message, "is of a run with other settings, model or data"));
    engine_free(other->t->e);
}

static void test_other_runs(void)
{
    Stopped s = stop_after(METHOD_twn, 3, false);
    expect_other(&s, tiny_run_new(folder, METHOD_twn, "Tanh", NULL, false)); /* the same weights */
    expect_other(&s, tiny_run_new(folder, METHOD_twn, "Relu", "v", false));
    expect_other(&s, tiny_run_new(folder, METHOD_stp, "Relu", NULL, false));
    expect_other(&s, tiny_run_new(folder, METHOD_twn, "Relu", NULL, true));
    stopped_free(&s);
    s = stop_after(METHOD_twn, 3, false);
    Stopped keeps = {.run = tiny_run_new(folder, METHOD_twn, "Relu", "v", false)};
    keeps.data = tiny_run_checkpoint(keeps.run, 3, &keeps.len);
    expect_other(&keeps, tiny_run_new(folder, METHOD_twn, "Relu", "w", false)); /* as many ternary layers */
    stopped_free(&keeps);
    stopped_free(&s);
}

int main(void)
{
    folder = temp_folder();
    CU_initialize_registry();
    CU_pSuite suite = CU_add_suite("checkpoints", NULL, NULL);
    CU_add_test(suite, "runs go on as if they had not stopped", test_resumes);
    CU_add_test(suite, "bytes that changed, and ends that lack", test_bytes);
    CU_add_test(suite, "every field of the schema", test_fields);
    CU_add_test(suite, "ranges of codes", test_ranges);
    CU_add_test(suite, "checkpoints of other runs", test_other_runs);
    CU_basic_run_tests();
    int failed = (int)CU_get_number_of_failures();
    CU_cleanup_registry();
    return failed != 0;
}
