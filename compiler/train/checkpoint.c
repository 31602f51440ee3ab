/* checkpoint.c - a training run on disk after each epoch: protobuf of our own schema
 * (schemas/checkpoint.proto), written beside and renamed, so that a good file is never lost; and what a file
 * must agree with to be continued. checkpoint_read.c reads it. */
#include "base/out_file.h"
#include "train/checkpoint.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

const char *checkpoint_path(const TrainJob *j)
{
    return j->train->checkpoint ? j->train->checkpoint : mem_printf("%s.ckpt", j->output);
}

/* What is no file would take it, and never give it back. */
void checkpoint_check(const char *path)
{
    struct stat st;
    if (!stat(raw_text(path), &st) && !S_ISREG(st.st_mode))
        fail("%s: cannot hold a checkpoint: it is not a regular file; --checkpoint names another place",
             path);
}

void checkpoint_remove(const TrainJob *j)
{
    if (!j->train->checkpoint)
        unlink(raw_text(checkpoint_path(j)));
}

/* ---- model, data and settings ---- */

static uint64_t hash_data(const DataFeed *f, uint64_t hash)
{
    const Dataset *d = f->data;
    hash = XXH64(&f->scale, sizeof f->scale, hash);
    hash = XXH64(&f->inner, sizeof f->inner, hash);
    hash = XXH64(&f->own_inner, sizeof f->own_inner, hash);
    hash = XXH64(f->mean, (size_t)f->c * sizeof *f->mean, hash);
    hash = XXH64(f->std, (size_t)f->c * sizeof *f->std, hash);
    hash = XXH64(d->sample.dims, sizeof d->sample.dims, hash);
    hash = XXH64(d->values, (size_t)d->count * type_bytes(d->sample), hash);
    if (d->labels)
        hash = XXH64(d->labels, (size_t)d->count * sizeof *d->labels, hash);
    if (d->targets)
        hash = XXH64(d->targets, (size_t)(d->count * d->target_size) * sizeof *d->targets, hash);
    return hash;
}

static ssize_t hash_text(void *state, const char *text, size_t len)
{
    XXH64_update(state, text, len);
    return (ssize_t)len;
}

/* Operators, attributes, constants: all that a dump shows; and which weights become ternary. */
static uint64_t hash_model(const Trainer *t)
{
    XXH64_state_t *state = XXH64_createState();
    FILE *f = state ? fopencookie(state, "w", (cookie_io_functions_t){.write = hash_text}) : NULL;
    if (!f)
        fail("out of memory");
    XXH64_reset(state, 0);
    dump_graph(f, t->g);
    for (int i = 0; i < t->num_ternary; i++)
        fprintf(f, "%s,", int_text(t->ternary[i].p->at));
    fclose(f);
    uint64_t hash = XXH64_digest(state);
    XXH64_freeState(state);
    return hash;
}

void checkpoint_hash(Trainer *t)
{
    t->data_hash = hash_data(t->valid.feed, hash_data(t->train.feed, 0));
    t->model_hash = hash_model(t);
}

/* All that must be the same for the same bits to come out: options, model, data. The rate stands last: it may
 * change on purpose. */
const char *checkpoint_settings(const Trainer *t)
{
    const TrainOptions *o = t->o;
    const Options *p = t->opt;
    Text s = {0};
    text_printf(&s, "method %d layer %d threshold %.9g sparsity %.9g", (int)p->method, p->per_layer,
                (double)p->threshold, (double)p->sparsity);
    text_printf(&s, " epochs %s batch %s seed %llu threads %d", int_text(o->epochs), int_text(t->e->batch),
                (unsigned long long)t->job.seed, t->job.threads);
    text_printf(&s,
                " decay %.17g clip %.17g adam %d step %d alpha %.17g lambda %.17g eta %.17g pull %.17g "
                "momentum %.17g",
                o->decay, o->clip, o->adam, o->step_schedule, o->alpha, o->lambda, o->eta, o->pull,
                o->momentum);
    text_printf(&s, " flip %d crop %s scope %d train %s valid %s model %016llx data %016llx", o->flip,
                int_text(o->crop), o->sparsity_per_layer, int_text(t->train.count), int_text(t->valid.count),
                (unsigned long long)t->model_hash, (unsigned long long)t->data_hash);
    if (t->plan)
        text_printf(&s, " codes %s io %d rule %d%s", p->codes->name, p->io != NULL, (int)p->calibration_rule,
                    p->keep_float ? " floats" : "");
    text_printf(&s, CHECKPOINT_RATE "%.17g", o->rate);
    return text_take(&s);
}

/* ---- writing ---- */

static ProtobufCBinaryData block(const float *data, int64_t count)
{
    return (ProtobufCBinaryData){(size_t)count * sizeof(float), (uint8_t *)(uintptr_t)data};
}

static Ternc__EpochEntry *pack_record(const EpochRecord *r, int layers)
{
    Ternc__EpochEntry *e = NEW(Ternc__EpochEntry);
    ternc__epoch_entry__init(e);
    e->stage = (char *)(uintptr_t)r->stage;
    e->loss = r->loss;
    e->valid_loss = r->valid_loss;
    e->accuracy = r->accuracy;
    e->sparsity = r->sparsity;
    e->distance = r->distance;
    e->rate = r->rate;
    e->seconds = r->seconds;
    e->has_loss = e->has_valid_loss = e->has_accuracy = e->has_sparsity = true;
    e->has_distance = e->has_rate = e->has_seconds = true;
    e->n_zeros = (size_t)layers;
    e->zeros = (double *)(uintptr_t)r->zeros;
    return e;
}

static void pack_state(Ternc__Checkpoint *c, const Trainer *t)
{
    ternc__checkpoint__init(c);
    c->version = CHECKPOINT_VERSION;
    c->settings = (char *)(uintptr_t)checkpoint_settings(t);
    c->epoch = t->epoch;
    c->latent = block(t->latent, t->params.total);
    c->first = block(t->first, t->params.total);
    c->has_second = t->second != NULL;
    c->second = block(t->second, t->second ? t->params.total : 0);
    c->running = block(t->e->running, t->e->stats.total);
    c->has_frozen = true;
    c->frozen = t->frozen;
    c->freeze_epoch = t->freeze_epoch;
    c->best_epoch = t->best_epoch;
    c->best_accuracy = t->best.accuracy;
    c->best_loss = t->best.loss;
    c->best_weights = block(t->best_weights, t->e->params.total);
    c->best_running = block(t->best_running, t->e->stats.total);
}

static void pack_lists(Ternc__Checkpoint *c, const Trainer *t)
{
    c->alpha = NEW_ARRAY(double, t->num_ternary);
    c->lambda = NEW_ARRAY(double, t->num_ternary);
    c->start = NEW_ARRAY(double, t->num_ternary);
    c->mask = NEW_ARRAY(ProtobufCBinaryData, t->num_ternary);
    c->n_alpha = c->n_lambda = c->n_start = (size_t)t->num_ternary;
    for (int i = 0; i < t->num_ternary; i++) {
        c->alpha[i] = t->ternary[i].alpha;
        c->lambda[i] = t->ternary[i].lambda;
        c->start[i] = t->ternary[i].start;
        if (t->ternary[i].fixed)
            c->mask[c->n_mask++] = (ProtobufCBinaryData){(size_t)t->ternary[i].p->count, t->ternary[i].kept};
    }
    c->n_history = (size_t)t->num_history;
    c->history = NEW_ARRAY(Ternc__EpochEntry *, t->num_history);
    for (int i = 0; i < t->num_history; i++)
        c->history[i] = pack_record(&t->history[i], t->num_ternary);
}

/* Where the bytes of a message go, piece by piece: several times the network is much memory. */
typedef struct Sink {
    ProtobufCBuffer base;
    XXH64_state_t *hash; /* or */
    FILE *f;
} Sink;

static void sink_append(ProtobufCBuffer *base, size_t len, const uint8_t *data)
{
    Sink *s = (Sink *)base;
    if (s->hash)
        XXH64_update(s->hash, data, len);
    else
        fwrite(data, 1, len, s->f);
}

void checkpoint_seal(Ternc__Checkpoint *c)
{
    Sink s = {{sink_append}, XXH64_createState(), NULL};
    if (!s.hash)
        fail("out of memory: a checkpoint");
    XXH64_reset(s.hash, 0);
    c->digest = 0;
    ternc__checkpoint__pack_to_buffer(c, &s.base);
    c->digest = XXH64_digest(s.hash);
    XXH64_freeState(s.hash);
}

void checkpoint_write(const Trainer *t)
{
    void *mark = mem_mark();
    Ternc__Checkpoint c;
    pack_state(&c, t);
    pack_lists(&c, t);
    checkpoint_seal(&c);
    OutFile *f = out_open(t->checkpoint);
    Sink s = {{sink_append}, NULL, f->f};
    ternc__checkpoint__pack_to_buffer(&c, &s.base);
    out_commit(f);
    mem_release(mark);
}
