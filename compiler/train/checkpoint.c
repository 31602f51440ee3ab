/* checkpoint.c - a training run on disk after each epoch: protobuf of our own schema
 * (schemas/checkpoint.proto), written beside and renamed, so that a good file is never lost. */
#include "base/out_file.h"
#include "train/training.h"

#include <checkpoint.pb-c.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

enum { VERSION = 3 };

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

static uint64_t hash_data(const DataFeed *f, uint64_t hash)
{
    const Dataset *d = f->data;
    hash = XXH64(&f->scale, sizeof f->scale, hash);
    hash = XXH64(&f->inner, sizeof f->inner, hash);
    hash = XXH64(&f->own_inner, sizeof f->own_inner, hash);
    hash = XXH64(f->mean, (size_t)f->c * sizeof *f->mean, hash);
    hash = XXH64(f->std, (size_t)f->c * sizeof *f->std, hash);
    hash = XXH64(d->values, (size_t)d->count * type_bytes(d->sample), hash);
    if (d->labels)
        hash = XXH64(d->labels, (size_t)d->count * sizeof *d->labels, hash);
    if (d->targets)
        hash = XXH64(d->targets, (size_t)(d->count * d->target_size) * sizeof *d->targets, hash);
    return hash;
}

uint64_t checkpoint_hash(const Trainer *t)
{
    return hash_data(t->valid.feed, hash_data(t->train.feed, 0));
}

/* All that must be the same for the same bits to come out: options, model, data. The rate stands last: it may
 * change on purpose. */
static const char *settings_of(const Trainer *t)
{
    const TrainOptions *o = t->o;
    const Options *p = t->opt;
    uint64_t model = 0;
    for (int i = 0; i < t->e->params.count; i++)
        model =
            XXH64(t->e->params.items[i].t->data, (size_t)t->e->params.items[i].count * sizeof(float), model);
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
    text_printf(&s,
                " flip %d crop %s scope %d train %s valid %s ternary %d weights %016llx data %016llx "
                "rate %.17g",
                o->flip, int_text(o->crop), o->sparsity_per_layer, int_text(t->train.count),
                int_text(t->valid.count), t->num_ternary, (unsigned long long)model,
                (unsigned long long)t->data_hash, o->rate);
    return text_take(&s);
}

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
    c->version = VERSION;
    c->settings = (char *)(uintptr_t)settings_of(t);
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

static uint8_t *pack(Ternc__Checkpoint *c, size_t *len)
{
    *len = ternc__checkpoint__get_packed_size(c);
    uint8_t *data = malloc(*len);
    if (!data)
        fail("out of memory: a checkpoint of %zu bytes", *len);
    ternc__checkpoint__pack(c, data);
    return data;
}

void checkpoint_write(const Trainer *t)
{
    void *mark = mem_mark();
    Ternc__Checkpoint c;
    pack_state(&c, t);
    pack_lists(&c, t);
    size_t len;
    uint8_t *data = pack(&c, &len);
    c.digest = XXH64(data, len, 0);
    free(data);
    data = pack(&c, &len);
    OutFile *f = out_open(t->checkpoint);
    fwrite(data, 1, len, f->f);
    out_commit(f);
    free(data);
    mem_release(mark);
}

/* ---- reading ---- */

static void take_block(const Trainer *t, float *to, int64_t count, ProtobufCBinaryData from)
{
    if (from.len != (size_t)count * sizeof(float))
        fail("%s: damaged: a block of %zu bytes where %zu belong", t->checkpoint, from.len,
             (size_t)count * sizeof(float));
    memcpy(to, from.data, from.len);
}

static void check_digest(const Trainer *t, Ternc__Checkpoint *c)
{
    uint64_t digest = c->digest;
    size_t len;
    c->digest = 0;
    uint8_t *data = pack(c, &len);
    if (XXH64(data, len, 0) != digest)
        fail("%s: damaged: the contents do not fit their digest", t->checkpoint);
    free(data);
}

static void take_lists(Trainer *t, const Ternc__Checkpoint *c)
{
    if (c->n_alpha != (size_t)t->num_ternary || c->n_lambda != c->n_alpha || c->n_start != c->n_alpha ||
        (c->n_mask && c->n_mask != c->n_alpha) || c->n_history != (size_t)c->epoch || c->epoch > t->o->epochs)
        fail("%s: damaged: its lists do not fit each other", t->checkpoint);
    for (int i = 0; i < t->num_ternary; i++) {
        t->ternary[i].alpha = c->alpha[i];
        t->ternary[i].lambda = c->lambda[i];
        t->ternary[i].start = c->start[i];
        if (!c->n_mask)
            continue;
        if (c->mask[i].len != (size_t)t->ternary[i].p->count)
            fail("%s: damaged: a mask has the wrong size", t->checkpoint);
        memcpy(t->ternary[i].kept, c->mask[i].data, c->mask[i].len);
        t->ternary[i].fixed = true;
    }
    for (size_t i = 0; i < c->n_history; i++) {
        const Ternc__EpochEntry *e = c->history[i];
        double *zeros = NEW_ARRAY(double, t->num_ternary);
        if (e->n_zeros != (size_t)t->num_ternary)
            fail("%s: damaged: an epoch's list has the wrong size", t->checkpoint);
        memcpy(zeros, e->zeros, e->n_zeros * sizeof *zeros);
        t->history[t->num_history++] = (EpochRecord){.epoch = (int64_t)i + 1,
                                                     .stage = mem_strdup(shown_text(e->stage)),
                                                     .loss = e->loss,
                                                     .valid_loss = e->valid_loss,
                                                     .accuracy = e->accuracy,
                                                     .sparsity = e->sparsity,
                                                     .distance = e->distance,
                                                     .rate = e->rate,
                                                     .seconds = e->seconds,
                                                     .zeros = zeros};
    }
}

static void take_state(Trainer *t, const Ternc__Checkpoint *c)
{
    take_block(t, t->latent, t->params.total, c->latent);
    take_block(t, t->first, t->params.total, c->first);
    if (t->second)
        take_block(t, t->second, t->params.total, c->second);
    take_block(t, t->e->running, t->e->stats.total, c->running);
    take_block(t, t->best_weights, t->e->params.total, c->best_weights);
    take_block(t, t->best_running, t->e->stats.total, c->best_running);
    t->epoch = c->epoch;
    t->frozen = c->frozen;
    t->freeze_epoch = c->freeze_epoch;
    t->epochs = t->freeze_epoch + t->o->recovery;
    t->best_epoch = c->best_epoch;
    t->best.accuracy = c->best_accuracy;
    t->best.loss = c->best_loss;
}

static void check_settings(const Trainer *t, const char *there)
{
    const char *here = settings_of(t), *rate = strstr(here, " rate ");
    size_t same = (size_t)(rate - here);
    if (strncmp(there, here, same) != 0)
        fail("%s: is of a run with other settings, model or data:\n  there: %s\n  here:  %s", t->checkpoint,
             there, here);
    if (strcmp(there, here) != 0)
        note("%s: continues at another --lr:%s there,%s here", t->checkpoint, there + same, rate);
}

void checkpoint_read(Trainer *t)
{
    if (access(raw_text(t->checkpoint), F_OK)) {
        note("%s: there is no checkpoint; training starts at the beginning", t->checkpoint);
        return;
    }
    size_t len;
    const uint8_t *data = file_map(t->checkpoint, &len);
    Ternc__Checkpoint *c = ternc__checkpoint__unpack(NULL, len, data);
    if (!c || c->version != VERSION)
        fail("%s: not a checkpoint of this version of ternc", t->checkpoint);
    check_digest(t, c);
    check_settings(t, shown_text(c->settings));
    take_state(t, c);
    take_lists(t, c);
    ternc__checkpoint__free_unpacked(c, NULL);
}
