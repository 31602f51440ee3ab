/* checkpoint_read.c - --resume: a checkpoint's bytes become the state of the trainer. Nothing of a file is
 * believed that the run's options, or the file's other fields, say as well: the history of epochs tells when
 * weights were frozen, which epoch was the best, and so on; it is gone through as it was made. What nothing
 * else says must at least be a number that such a run can have. */
#include "base/out_file.h"
#include "train/checkpoint.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static _Noreturn void refuse(const Trainer *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static _Noreturn void refuse(const Trainer *t, const char *fmt, ...)
{
    char what[256];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(what, sizeof what, fmt, ap);
    va_end(ap);
    fail("%s: damaged: %s; without --resume training starts at the beginning", t->checkpoint, what);
}

/* ---- blocks ---- */

/* least: of every element. */
static void take_block(const Trainer *t, const char *name, float *to, int64_t count, ProtobufCBinaryData from,
                       float least)
{
    if (from.len != (size_t)count * sizeof *to)
        refuse(t, "%s has %zu bytes in place of %zu", name, from.len, (size_t)count * sizeof *to);
    if (!count)
        return;
    memcpy(to, from.data, from.len);
    for (int64_t i = 0; i < count; i++)
        if (!isfinite(to[i]) || to[i] < least)
            refuse(t, "element %s of %s is %g", int_text(i), name, (double)to[i]);
}

static void check_ranges(const Trainer *t, const char *name, const float *running)
{
    for (int i = 0; i < t->e->num_codes; i++) {
        const FakeCodes *c = &t->e->codes[i];
        float low = running[c->at], high = running[c->at + 1];
        if (low > 0 || high < 0)
            refuse(t, "the range of '%s' in %s is %g to %g", c->t->name, name, (double)low, (double)high);
    }
}

static void take_blocks(const Trainer *t, const Ternc__Checkpoint *c)
{
    if (c->has_second != (t->second != NULL))
        refuse(t, "second moments are there, or not, as with another optimizer");
    take_block(t, "latent", t->latent, t->params.total, c->latent, -FLT_MAX);
    take_block(t, "first", t->first, t->params.total, c->first, -FLT_MAX);
    if (t->second)
        take_block(t, "second", t->second, t->params.total, c->second, 0);
    take_block(t, "running", t->e->running, t->e->stats.total, c->running, -FLT_MAX);
    take_block(t, "best_weights", t->best_weights, t->e->params.total, c->best_weights, -FLT_MAX);
    take_block(t, "best_running", t->best_running, t->e->stats.total, c->best_running, -FLT_MAX);
    check_ranges(t, "running", t->e->running);
    check_ranges(t, "best_running", t->best_running);
}

/* ---- the history ---- */

/* The numbers of an epoch, and what they can be. */
static const struct {
    const char *name;
    size_t value, has; /* where they are in the entry */
    double low, high;
} numbers[] = {
#define NUMBER(name, low, high)                                                                              \
    {#name, offsetof(Ternc__EpochEntry, name), offsetof(Ternc__EpochEntry, has_##name), low, high},
    NUMBER(loss, -DBL_MAX, DBL_MAX) NUMBER(valid_loss, -DBL_MAX, DBL_MAX) NUMBER(accuracy, 0, 1)
        NUMBER(sparsity, 0, 1) NUMBER(distance, 0, 1) NUMBER(rate, 0, DBL_MAX) NUMBER(seconds, 0, DBL_MAX)
#undef NUMBER
};

static bool is_within(double v, double low, double high)
{
    return v >= low && v <= high; /* NaN is not */
}

static const double *take_zeros(const Trainer *t, const Ternc__EpochEntry *e)
{
    double *zeros = NEW_ARRAY(double, t->num_ternary);
    if (e->n_zeros != (size_t)t->num_ternary)
        refuse(t, "an epoch has zeros of %zu weights in place of %d", e->n_zeros, t->num_ternary);
    for (int i = 0; i < t->num_ternary; i++) {
        zeros[i] = e->zeros[i];
        if (!is_within(zeros[i], 0, 1))
            refuse(t, "an epoch has %g as its share of zeros", zeros[i]);
    }
    return zeros;
}

static EpochRecord take_record(const Trainer *t, const Ternc__EpochEntry *e)
{
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        const char *at = (const char *)e;
        double v = *(const double *)(const void *)(at + numbers[i].value);
        if (!*(const protobuf_c_boolean *)(const void *)(at + numbers[i].has) ||
            !is_within(v, numbers[i].low, numbers[i].high))
            refuse(t, "%s of epoch %d is %g", numbers[i].name, t->num_history + 1, v);
    }
    return (EpochRecord){.epoch = t->num_history + 1,
                         .stage = stage_name(t, t->num_history),
                         .loss = e->loss,
                         .valid_loss = e->valid_loss,
                         .accuracy = e->accuracy,
                         .sparsity = e->sparsity,
                         .distance = e->distance,
                         .rate = e->rate,
                         .seconds = e->seconds,
                         .zeros = take_zeros(t, e)};
}

/* An epoch, as it was at its end. */
static void replay_epoch(Trainer *t, const Ternc__EpochEntry *e)
{
    if (t->epoch >= t->epochs)
        refuse(t, "it has more than the %s epochs of the run", int_text(t->epochs));
    t->frozen = t->epoch >= t->freeze_epoch;
    EpochRecord r = take_record(t, e);
    if (!e->stage || strcmp(e->stage, r.stage) != 0)
        refuse(t, "the stage of epoch %s is not %s", int_text(r.epoch), r.stage);
    if (epoch_is_best(t, &r)) {
        t->best_epoch = r.epoch;
        t->best = (Judged){.loss = r.valid_loss, .accuracy = r.accuracy};
    }
    t->history[t->num_history++] = r;
    if (t->method->end_epoch)
        t->method->end_epoch(t, r.distance);
}

static void replay(Trainer *t, const Ternc__Checkpoint *c)
{
    if (c->epoch < 1 || c->epoch > t->o->epochs || c->n_history != (size_t)c->epoch)
        refuse(t, "%s epochs are done and %zu are told of, of %s", int_text(c->epoch), c->n_history,
               int_text(t->o->epochs));
    for (t->epoch = 0; t->epoch < c->epoch; t->epoch++)
        replay_epoch(t, c->history[t->epoch]);
    t->frozen = t->epoch > t->freeze_epoch;
    if (!c->has_frozen || (c->frozen != 0) != t->frozen || c->freeze_epoch != t->freeze_epoch)
        refuse(t, "freeze_epoch %s does not fit its epochs", int_text(c->freeze_epoch));
    if (c->best_epoch != t->best_epoch || c->best_loss != t->best.loss ||
        c->best_accuracy != t->best.accuracy)
        refuse(t, "best_epoch %s does not fit its epochs", int_text(c->best_epoch));
}

/* ---- lists ---- */

static void take_mask(const Trainer *t, TernaryWeight *w, ProtobufCBinaryData from)
{
    if (from.len != (size_t)w->p->count)
        refuse(t, "a mask has %zu weights in place of %s", from.len, int_text(w->p->count));
    for (int64_t i = 0; i < w->p->count; i++) {
        if (from.data[i] > 1)
            refuse(t, "a mask holds %d", from.data[i]);
        w->kept[i] = from.data[i];
    }
    w->fixed = true;
}

static void take_lists(const Trainer *t, const Ternc__Checkpoint *c)
{
    size_t count = (size_t)t->num_ternary;
    if (c->n_alpha != count || c->n_lambda != count || c->n_start != count ||
        (c->n_mask && c->n_mask != count))
        refuse(t, "its lists are not of %zu ternary weights", count);
    for (size_t i = 0; i < count; i++) {
        TernaryWeight *w = &t->ternary[i];
        const TernaryWeight before = *w;
        w->alpha = c->alpha[i];
        w->lambda = c->lambda[i];
        w->start = c->start[i];
        if (c->n_mask)
            take_mask(t, w, c->mask[i]);
        bool same = w->alpha == before.alpha && w->lambda == before.lambda && w->start == before.start &&
                    w->fixed == before.fixed;
        if (t->method->resumes ? !t->method->resumes(t, w) : !same)
            refuse(t, "layer %zu is not as --method %s has it after epoch %s", i + 1, t->method->name,
                   int_text(t->epoch));
    }
}

/* ---- the whole ---- */

/* "0.1" behind " rate "; NULL: no such number. */
static const char *rate_text(const char *text)
{
    size_t prefix = strlen(CHECKPOINT_RATE);
    char *end = NULL;
    if (strncmp(text, CHECKPOINT_RATE, prefix) != 0 || !(strtod(text + prefix, &end) > 0) || *end)
        return NULL;
    return text + prefix;
}

static void check_settings(const Trainer *t, const char *there)
{
    const char *here = checkpoint_settings(t), *rate = strstr(here, CHECKPOINT_RATE);
    size_t same = (size_t)(rate - here);
    bool known = !strncmp(there, here, same) && rate_text(there + same);
    if (!known)
        fail("%s: is of a run with other settings, model or data; give those again, or leave out --resume:\n"
             "  there: %s\n  here:  %s",
             t->checkpoint, there, here);
    if (strcmp(there, here) != 0 && !t->opt->quiet)
        note("%s: continues at another --lr: rate %s there, rate %s here", t->checkpoint,
             rate_text(there + same), rate_text(rate));
}

static void check_digest(const Trainer *t, Ternc__Checkpoint *c)
{
    uint64_t digest = c->digest;
    checkpoint_seal(c);
    if (c->digest != digest)
        refuse(t, "the contents do not fit their digest");
}

void checkpoint_take(Trainer *t, const uint8_t *data, size_t len)
{
    Ternc__Checkpoint *c = ternc__checkpoint__unpack(NULL, len, data);
    if (!c || c->version != CHECKPOINT_VERSION)
        fail("%s: not a checkpoint of this version of ternc; without --resume training starts at the "
             "beginning",
             t->checkpoint);
    check_digest(t, c);
    check_settings(t, shown_text(c->settings));
    take_blocks(t, c);
    replay(t, c);
    take_lists(t, c);
    ternc__checkpoint__free_unpacked(c, NULL);
}

void checkpoint_read(Trainer *t)
{
    if (access(raw_text(t->checkpoint), F_OK)) {
        if (!t->opt->quiet)
            note("%s: there is no checkpoint; training starts at the beginning", t->checkpoint);
        return;
    }
    size_t len;
    const uint8_t *data = file_map(t->checkpoint, &len);
    checkpoint_take(t, data, len);
}
