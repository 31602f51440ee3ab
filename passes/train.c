/* train.c - training a model's weights on data: the loop over epochs, its reports, and the result put into the graph.
 *
 * Requires: infer, fold (Dropout kept), dce; before ternarise. Gives: the same graph with trained constants; weights of
 * the chosen layers are exactly ternary (a magnitude per channel and zeros), which pass_ternarize then recognises. The
 * best epoch on held-back data is taken, judged by what will be written; the test set is never seen here. */
#include "train.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---- one batch ---- */

/* Fills the input with these samples; the first ones again where there are too few. */
static void fill_batch(Trainer *t, const Source *s, int64_t *samples, int64_t count, bool random)
{
    TrainOptions plain = {0};
    int64_t size = type_elems(s->feed->input);
    for (int64_t i = 0; i < t->e->batch; i++) {
        if (i >= count)
            samples[i] = samples[i % count];
        uint64_t seed = random_bits(t->c->seed + 1, (uint64_t)(t->epoch * s->feed->data->count + samples[i]));
        draw_sample(s->feed, random ? t->o : &plain, samples[i], seed, (float *)engine_input(t->e) + i * size);
    }
    if (t->loss.teacher)
        memcpy(engine_input(t->loss.teacher), engine_input(t->e), (size_t)(t->e->batch * size) * sizeof(float));
}

static const float *teach(const Trainer *t)
{
    return t->loss.teacher ? engine_forward(t->loss.teacher) : NULL;
}

static void train_batch(Trainer *t, int64_t *samples, float *grad, Judged *sum)
{
    void *mark = mem_mark();
    fill_batch(t, &t->train, samples, t->e->batch, true);
    mem_release(mark);
    const float *of_teacher = teach(t);
    ternary_project(t, false);
    t->e->noise = random_bits(t->c->seed + 2, (uint64_t)(t->epoch * t->steps_per_epoch + t->step));
    const float *score = engine_forward(t->e);
    Judged j = loss_judge(&t->loss, t->train.feed->data, samples, t->e->batch, t->e->batch, score, of_teacher, grad);
    if (!isfinite(j.loss))
        fail("the loss is no longer a number in epoch %lld, step %lld: try a lower --lr%s%s", (long long)t->epoch + 1,
             (long long)t->step + 1, t->epoch ? "; --resume continues from " : "", t->epoch ? t->checkpoint : "");
    engine_backward(t->e, grad);
    ternary_chain(t);
    optimizer_step(t);
    sum->loss += j.loss;
    sum->correct += j.correct;
}

/* ---- judging ---- */

/* Running statistics as they are with the weights in the engine: a mean over batches of the training data. */
static void estimate_statistics(Trainer *t)
{
    int64_t batches = t->steps_per_epoch < 60 ? t->steps_per_epoch : 60;
    int64_t *samples = NEW_ARRAY(int64_t, t->e->batch);
    t->e->training = true;
    for (int64_t b = 0; b < batches; b++) {
        for (int64_t i = 0; i < t->e->batch; i++)
            samples[i] = t->train.first + (b * t->e->batch + i) % t->train.count;
        fill_batch(t, &t->train, samples, t->e->batch, false);
        t->e->momentum = (double)b / (double)(b + 1);
        engine_forward(t->e);
    }
    t->e->momentum = 0.9;
}

static Judged judge_source(Trainer *t, const Source *s)
{
    Judged sum = {0};
    int64_t *samples = NEW_ARRAY(int64_t, t->e->batch);
    t->e->training = false;
    for (int64_t at = 0; at < s->count; at += t->e->batch) {
        int64_t count = s->count - at < t->e->batch ? s->count - at : t->e->batch;
        for (int64_t i = 0; i < count; i++)
            samples[i] = s->first + at + i;
        fill_batch(t, s, samples, count, false);
        const float *of_teacher = teach(t);
        Judged j =
            loss_judge(&t->loss, s->feed->data, samples, count, t->e->batch, engine_forward(t->e), of_teacher, NULL);
        sum.loss += j.loss;
        sum.correct += j.correct;
    }
    return sum;
}

static double zeros_of(const Trainer *t, double *by_layer)
{
    double zeros = 0, total = 0;
    for (int k = 0; k < t->num_ternary; k++) {
        const Param *p = t->ternary[k].p;
        int64_t count = 0;
        for (int64_t i = 0; i < p->count; i++)
            count += t->e->weights[p->at + i] == 0;
        by_layer[k] = (double)count / (double)p->count;
        zeros += (double)count;
        total += (double)p->count;
    }
    return total > 0 ? zeros / total : 0;
}

static void keep_best(Trainer *t, const EpochRecord *r)
{
    bool classes = t->loss.kind == LOSS_LABELS || t->loss.kind == LOSS_TEACHER_CLASSES;
    bool better =
        classes && r->accuracy != t->best_accuracy ? r->accuracy > t->best_accuracy : r->valid_loss < t->best_loss;
    if (!ternary_eligible(t, t->epoch) || (t->best_epoch && !better))
        return;
    t->best_epoch = t->epoch + 1;
    t->best_accuracy = r->accuracy;
    t->best_loss = r->valid_loss;
    memcpy(t->best_weights, t->e->weights, (size_t)t->e->params.total * sizeof(float));
    memcpy(t->best_running, t->e->running, (size_t)t->e->stats.total * sizeof(float));
}

/* The network as it would be written now, on held-back data. */
static void judge_epoch(Trainer *t, EpochRecord *r)
{
    float *running = floats_new(t->e->stats.total);
    double *zeros = NEW_ARRAY(double, t->num_ternary);
    memcpy(running, t->e->running, (size_t)t->e->stats.total * sizeof(float));
    ternary_project(t, true);
    if (ternary_needs_statistics(t))
        estimate_statistics(t);
    Judged j = judge_source(t, &t->valid);
    r->valid_loss = j.loss / (double)t->valid.count;
    r->accuracy = (double)j.correct / (double)t->valid.count;
    r->sparsity = zeros_of(t, zeros);
    r->zeros = zeros;
    r->distance = t->opt->method == METHOD_SCA ? sca_distance(t) : 0;
    keep_best(t, r);
    memcpy(t->e->running, running, (size_t)t->e->stats.total * sizeof(float));
    free(running);
}

/* ---- reports ---- */

static char *record_json(const Trainer *t, const EpochRecord *r)
{
    cJSON *o = cJSON_CreateObject();
    cJSON_AddNumberToObject(o, "epoch", (double)r->epoch);
    cJSON_AddStringToObject(o, "stage", r->stage);
    cJSON_AddNumberToObject(o, "loss", r->loss);
    cJSON_AddNumberToObject(o, "valid_loss", r->valid_loss);
    cJSON_AddNumberToObject(o, "accuracy", r->accuracy);
    cJSON_AddNumberToObject(o, "sparsity", r->sparsity);
    cJSON_AddNumberToObject(o, "rate", r->rate);
    cJSON_AddNumberToObject(o, "seconds", r->seconds);
    cJSON *zeros = cJSON_AddObjectToObject(o, "zeros");
    for (int k = 0; k < t->num_ternary; k++)
        cJSON_AddNumberToObject(zeros, t->ternary[k].p->t->name, r->zeros[k]);
    char *text = cJSON_PrintUnformatted(o);
    cJSON_Delete(o);
    return text;
}

/* The whole run so far, anew: a resumed run has one log as well. */
static void write_log(const Trainer *t)
{
    OutFile *f = out_open(t->o->log);
    for (int i = 0; i < t->num_history; i++) {
        char *line = record_json(t, &t->history[i]);
        fprintf(f->f, "%s\n", line);
        free(line);
    }
    out_commit(f);
}

static void print_epoch(const Trainer *t, const EpochRecord *r)
{
    if (t->c->opt.quiet)
        return;
    fprintf(stderr, "epoch %lld/%lld %-8s loss %.4f, held back: loss %.4f, accuracy %.2f %%, zeros %.1f %%",
            (long long)r->epoch, (long long)t->epochs, r->stage, r->loss, r->valid_loss, 100 * r->accuracy,
            100 * r->sparsity);
    if (t->opt->method == METHOD_SCA)
        fprintf(stderr, ", distance %.3f", r->distance);
    fprintf(stderr, ", %.1f s%s\n", r->seconds, t->best_epoch == r->epoch ? " *" : "");
}

/* ---- the loop ---- */

static const char *bar_label(const Trainer *t, const Judged *sum)
{
    double samples = (double)((t->step + 1) * t->e->batch);
    return mem_printf("epoch %lld/%lld loss %.4f acc %.2f %%", (long long)t->epoch + 1, (long long)t->epochs,
                      sum->loss / samples, 100 * (double)sum->correct / samples);
}

static void run_epoch(Trainer *t, int64_t *order, float *grad)
{
    Progress p;
    Judged sum = {0};
    EpochRecord r = {.epoch = t->epoch + 1, .stage = ternary_stage(t, t->epoch)};
    double started = now();
    t->step = 0;
    ternary_start_epoch(t);
    r.rate = optimizer_rate(t);
    order_samples(order, &t->train, t->c->seed, t->epoch);
    int64_t *samples = NEW_ARRAY(int64_t, t->e->batch);
    progress_begin(&p, "train", t->steps_per_epoch);
    for (; t->step < t->steps_per_epoch; t->step++) {
        memcpy(samples, order + t->step * t->e->batch, (size_t)t->e->batch * sizeof *samples);
        t->e->training = true;
        train_batch(t, samples, grad, &sum);
        void *mark = mem_mark();
        p.label = bar_label(t, &sum);
        progress_update(&p, t->step + 1);
        mem_release(mark);
        p.label = "train";
    }
    progress_end(&p);
    r.loss = sum.loss / (double)(t->steps_per_epoch * t->e->batch);
    judge_epoch(t, &r);
    r.seconds = now() - started;
    t->history[t->num_history++] = r;
    if (t->opt->method == METHOD_SCA)
        sca_end_epoch(t, r.distance);
    print_epoch(t, &r);
    if (t->o->log)
        write_log(t);
}

/* ---- the start ---- */

static TrainOptions *fill_options(const CommandLine *c, Method m)
{
    TrainOptions *o = NEW(TrainOptions);
    static const struct {
        int64_t epochs, recovery;
        double rate, decay;
        bool adam;
    } defaults[] = {[METHOD_NONE] = {10, 0, 0.05, 1e-4, false},
                    [METHOD_TWN] = {6, 0, 0.02, 1e-4, false},
                    [METHOD_STP] = {10, 0, 0.02, 1e-4, false},
                    [METHOD_SCA] = {8, 2, 3e-3, 1e-4, true}};
    *o = c->train;
    o->epochs = o->epochs ? o->epochs : defaults[m].epochs;
    o->recovery = m != METHOD_SCA ? 0 : o->epochs >= 4 ? (o->epochs + 2) / 4 : o->epochs > 1;
    o->adam = o->optimizer_given ? o->adam : defaults[m].adam;
    o->rate = o->rate > 0 ? o->rate : o->adam == defaults[m].adam ? defaults[m].rate : o->adam ? 1e-3 : 0.02;
    o->decay = o->decay >= 0 ? o->decay : defaults[m].decay;
    return o;
}

static void check_augmentation(const Trainer *t)
{
    Type x = t->g->inputs[0]->type;
    if ((t->o->flip || t->o->crop) && (x.rank != 4 || t->train.feed->data->sample.rank < 2))
        fail("%s: --augment needs images; input '%s' is %s", t->g->file, t->g->inputs[0]->name, type_text(x));
}

/* --valid N or SPEC, else the last tenth of the training data. */
static void split_data(Trainer *t)
{
    const CommandLine *c = t->c;
    Dataset *d = data_open(c->data, c->nhwc);
    t->train = (Source){data_feed(d, t->g, c), 0, c->limit && c->limit < d->count ? c->limit : d->count};
    char *end = NULL;
    long long held = t->o->valid ? strtoll(t->o->valid, &end, 10) : t->train.count / 10;
    if (t->o->valid && (*end || end == t->o->valid)) {
        const Dataset *v = data_open(t->o->valid, c->nhwc);
        t->valid = (Source){data_feed(v, t->g, c), 0, v->count};
        if (!v->labels != !d->labels || !v->targets != !d->targets)
            fail("%s: has other answers (labels, targets, none) than %s", v->spec, d->spec);
        loss_find(t->g, v);
        return;
    }
    if (held < 1 || held >= t->train.count)
        fail("%s: %lld of %lld samples cannot be held back for validation", d->spec, held, (long long)t->train.count);
    t->train.count -= held;
    t->valid = (Source){t->train.feed, t->train.count, held};
}

static bool close_enough(float a, double b, double largest)
{
    return fabs((double)a - b) <= 2e-3 * (largest + 1e-3);
}

/* Samples must not mix within a batch, and the engine must compute what the evaluator does. */
static void check_engine(Trainer *t)
{
    const Dataset *d = t->train.feed->data;
    int64_t *samples = NEW_ARRAY(int64_t, t->e->batch), size = type_elems(t->g->inputs[0]->type), n = t->loss.classes;
    for (int64_t i = 0; i < t->e->batch; i++)
        samples[i] = t->train.first + i % t->train.count;
    fill_batch(t, &t->train, samples, t->e->batch, false);
    t->e->training = false;
    const float *score = engine_forward(t->e);
    for (int64_t i = 0; i < 2 && i < t->e->batch; i++) {
        const void *in[] = {(const float *)engine_input(t->e) + i * size};
        void **values = eval_graph(t->g, in);
        const float *want = values[t->loss.score->id];
        double largest = 0;
        for (int64_t k = 0; k < n; k++)
            largest = fmax(largest, fabs((double)want[k]));
        for (int64_t k = 0; k < n; k++)
            if (!close_enough(score[i * n + k], (double)want[k], largest))
                fail("%s: cannot be trained in batches: score %lld of sample %lld of %s becomes %g, alone it is %g",
                     t->g->file, (long long)k, (long long)i, d->spec, (double)score[i * n + k], (double)want[k]);
        free(values);
    }
}

static void make_engines(Trainer *t)
{
    int64_t batch = t->o->batch ? t->o->batch : 100;
    batch = batch < t->train.count ? batch : t->train.count;
    t->e = engine_new(t->g, t->loss.score, batch, t->c->threads, WANT_PARAMS);
    if (t->loss.kind == LOSS_TEACHER_CLASSES || t->loss.kind == LOSS_TEACHER_SCORES)
        t->loss.teacher = engine_new(t->g, t->loss.score, batch, t->c->threads, WANT_NONE);
    if (!t->e->params.count)
        fail("%s: has nothing to train: no constant weights", t->g->file);
    t->steps_per_epoch = t->train.count / batch;
}

static void judge_float(Trainer *t)
{
    t->e->training = false;
    Judged j = judge_source(t, &t->valid);
    t->float_accuracy = (double)j.correct / (double)t->valid.count;
    t->float_loss = j.loss / (double)t->valid.count;
    if (!t->c->opt.quiet)
        fprintf(stderr, "%s samples, %s held back; float before training: loss %.4f, accuracy %.2f %%\n",
                count_text(t->train.count), count_text(t->valid.count), t->float_loss, 100 * t->float_accuracy);
}

static Trainer *trainer_new(Graph *g, const CommandLine *c, const Options *opt)
{
    Trainer *t = NEW(Trainer);
    *t = (Trainer){.c = c, .opt = opt, .g = g, .o = fill_options(c, opt->method)};
    split_data(t);
    check_augmentation(t);
    t->loss = loss_find(g, t->train.feed->data);
    make_engines(t);
    check_engine(t);
    judge_float(t);
    t->epochs = t->o->epochs;
    t->sca_end = t->epochs - t->o->recovery;
    ternary_prepare(t);
    t->grads = floats_new(t->params.total);
    t->first = floats_new(t->params.total);
    t->second = t->o->adam ? floats_new(t->params.total) : NULL;
    t->best_weights = floats_new(t->e->params.total);
    t->best_running = floats_new(t->e->stats.total);
    t->history = NEW_ARRAY(EpochRecord, t->o->epochs);
    t->checkpoint = t->o->checkpoint ? t->o->checkpoint : mem_printf("%s.ckpt", c->outputs.items[0]);
    return t;
}

/* ---- the end ---- */

static void store(const Trainer *t, const ParamList *l, const float *block)
{
    for (int i = 0; i < l->count; i++) {
        const Param *p = &l->items[i];
        Tensor *to = t->g->tensors[p->t->id];
        float *data = NEW_ARRAY(float, p->count);
        memcpy(data, block + p->at, (size_t)p->count * sizeof *data);
        for (int64_t k = 0; k < p->count; k++)
            data[k] = data[k] == 0 ? 0 : data[k]; /* no -0.0 */
        to->data = data;
        to->ternary = NULL;
    }
}

/* All that matters for the result, defaults filled in. */
static const char *settings_text(const Trainer *t)
{
    const TrainOptions *o = t->o;
    Text s = {0};
    text_printf(&s, "trained epochs=%lld best=%lld batch=%lld optimizer=%s lr=%.9g weight-decay=%.9g schedule=%s",
                (long long)t->epochs, (long long)t->best_epoch, (long long)t->e->batch, o->adam ? "adam" : "sgd",
                o->rate, o->decay, o->step_schedule ? "step" : "cosine");
    if (!o->adam)
        text_printf(&s, " momentum=%.9g", o->momentum);
    if (t->opt->method == METHOD_SCA)
        text_printf(&s, " lambda=%.9g recovery=%lld", o->lambda, (long long)o->recovery);
    if (t->opt->method == METHOD_STP)
        text_printf(&s, " scope=%s eta=%.9g pull=%.9g", o->sparsity_per_layer ? "layer" : "global", o->eta, o->pull);
    if (o->flip || o->crop)
        text_printf(&s, " flip=%d crop=%lld", o->flip, (long long)o->crop);
    text_printf(&s, " seed=%llu threads=%d", (unsigned long long)t->c->seed, t->c->threads);
    char *copy = mem_strdup(s.data);
    text_free(&s);
    return copy;
}

const char *pass_train(Graph *g, const CommandLine *c)
{
    Trainer *t = trainer_new(g, c, &c->opt);
    if (t->o->resume)
        checkpoint_read(t);
    int64_t *order = NEW_ARRAY(int64_t, t->train.count);
    float *grad = floats_new(type_elems(t->e->score->type));
    while (t->epoch < t->epochs) {
        run_epoch(t, order, grad);
        t->epoch++;
        checkpoint_write(t);
        if (t->o->plot)
            plot_write(t, t->o->plot);
    }
    store(t, &t->e->params, t->best_weights);
    store(t, &t->e->stats, t->best_running);
    printf("trained %lld epochs; best: epoch %lld, held-back accuracy %.2f %% (float before: %.2f %%)\n",
           (long long)t->epochs, (long long)t->best_epoch, 100 * t->best_accuracy, 100 * t->float_accuracy);
    if (!t->o->checkpoint)
        unlink(t->checkpoint);
    const char *settings = settings_text(t);
    engine_free(t->e);
    if (t->loss.teacher)
        engine_free(t->loss.teacher);
    return settings;
}
