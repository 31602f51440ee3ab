/* trainer.c - training a model's weights on data: the loop over epochs, its reports, and the result put into
 * the graph.
 *
 * Requires: infer, fold (Dropout kept), dce; before ternarise. Gives: the same graph with trained constants;
 * weights of the chosen layers are exactly ternary (a magnitude per channel and zeros), which pass_ternarize
 * then recognises. The best epoch on held-back data is taken, judged by what will be written; the test set is
 * never seen here. */
#include "base/out_file.h"
#include "passes/passes.h"
#include "train/ranges.h"
#include "train/training.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- one batch ---- */

static void check_loss(const Trainer *t, double loss, const char *data)
{
    if (isfinite(loss))
        return;
    const char *resume = t->epoch ? mem_printf("; --resume continues from %s", t->checkpoint) : "";
    fail("the loss on the %s data is no longer a number in epoch %s, step %s: try a lower --lr%s", data,
         int_text(t->epoch + 1), int_text(t->step + 1), resume);
}

static void train_batch(Trainer *t, int64_t *samples, float *grad, Judged *sum)
{
    void *mark = mem_mark();
    Augment a = {t->o, random_bits(t->job.seed + 1, (uint64_t)t->epoch)};
    fill_batch(t->e, &t->loss, &t->train, &a, samples, t->e->batch);
    mem_release(mark);
    const float *of_teacher = loss_teach(&t->loss);
    latent_project(t, false);
    t->e->noise = random_bits(t->job.seed + 2, (uint64_t)(t->epoch * t->steps_per_epoch + t->step));
    const float *score = engine_forward(t->e);
    Judged j =
        loss_judge(&t->loss, t->train.feed->data, samples, t->e->batch, t->e->batch, score, of_teacher, grad);
    check_loss(t, j.loss, "training");
    engine_backward(t->e, grad);
    optimizer_clip(t);
    latent_chain(t);
    optimizer_step(t);
    sum->loss += j.loss;
    sum->correct += j.correct;
}

/* ---- judging ---- */

/* Running statistics and ranges as they are with the weights in the engine: a mean over batches of the
 * training data. */
static void estimate_statistics(Trainer *t, int64_t batches)
{
    batches = t->steps_per_epoch < batches ? t->steps_per_epoch : batches;
    int64_t *samples = NEW_ARRAY(int64_t, t->e->batch);
    t->e->training = t->e->estimates = true;
    for (int64_t b = 0; b < batches; b++) {
        for (int64_t i = 0; i < t->e->batch; i++)
            samples[i] = t->train.first + (b * t->e->batch + i) % t->train.count;
        fill_batch(t->e, &t->loss, &t->train, NULL, samples, t->e->batch);
        t->e->momentum = (double)b / (double)(b + 1);
        engine_forward(t->e);
    }
    t->e->momentum = 0.9;
    t->e->estimates = false;
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
    if (!epoch_is_best(t, r))
        return;
    t->best_epoch = t->epoch + 1;
    t->best = (Judged){.loss = r->valid_loss, .accuracy = r->accuracy};
    memcpy(t->best_weights, t->e->weights, (size_t)t->e->params.total * sizeof(float));
    memcpy(t->best_running, t->e->running, (size_t)t->e->stats.total * sizeof(float));
}

/* The network as it would be written now, on held-back data. */
static void judge_epoch(Trainer *t, EpochRecord *r)
{
    float *running = floats_new(t->e->stats.total);
    double *zeros = NEW_ARRAY(double, t->num_ternary);
    memcpy(running, t->e->running, (size_t)t->e->stats.total * sizeof(float));
    latent_project(t, true);
    if (t->method->soft && !t->frozen)
        estimate_statistics(t, 60);
    Judged j = judge_source(t->e, &t->loss, &t->valid);
    r->valid_loss = j.loss;
    r->accuracy = j.accuracy;
    check_loss(t, j.loss, "held-back");
    r->sparsity = zeros_of(t, zeros);
    r->zeros = zeros;
    r->distance = t->method->distance ? t->method->distance(t) : 0;
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
    if (t->method->distance)
        cJSON_AddNumberToObject(o, "distance", r->distance);
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
    if (t->opt->quiet)
        return;
    Judged j = {.loss = r->valid_loss, .accuracy = r->accuracy};
    fprintf(stderr, "epoch %s/%s %-8s loss %.4f, held back: %s, zeros %.1f %%", int_text(r->epoch),
            int_text(t->epochs), r->stage, r->loss, judged_text(&t->loss, j), 100 * r->sparsity);
    if (t->method->distance)
        fprintf(stderr, ", distance %.3f", r->distance);
    fprintf(stderr, ", %.1f s%s\n", r->seconds, t->best_epoch == r->epoch ? " *" : "");
}

/* ---- the loop ---- */

static void show_bar(Trainer *t, const Judged *sum)
{
    if (!progress_due(&t->bar))
        return;
    void *mark = mem_mark();
    double samples = (double)((t->step + 1) * t->e->batch);
    Judged j = {.loss = sum->loss / samples, .accuracy = (double)sum->correct / samples};
    t->bar.label =
        mem_printf("epoch %s/%s, %s", int_text(t->epoch + 1), int_text(t->epochs), judged_text(&t->loss, j));
    if (t->num_ternary)
        t->bar.label = mem_printf("%s, zeros %.1f %%", t->bar.label, 100 * latent_zeros(t));
    t->bar.total = (t->epochs - t->first_epoch) * t->steps_per_epoch;
    progress_update(&t->bar, (t->epoch - t->first_epoch) * t->steps_per_epoch + t->step + 1);
    mem_release(mark);
}

static void end_epoch(Trainer *t, const EpochRecord *r)
{
    t->history[t->num_history++] = *r;
    if (t->method->end_epoch)
        t->method->end_epoch(t, r->distance);
    progress_end(&t->bar);
    print_epoch(t, r);
}

static void run_epoch(Trainer *t, int64_t *order, float *grad)
{
    Judged sum = {0};
    EpochRecord r = {.epoch = t->epoch + 1, .stage = stage_name(t, t->epoch)};
    double started = seconds_now();
    t->step = 0;
    if (t->method->start_epoch)
        t->method->start_epoch(t);
    r.rate = optimizer_rate(t);
    order_samples(order, &t->train, t->job.seed, t->epoch);
    int64_t *samples = NEW_ARRAY(int64_t, t->e->batch);
    for (; t->step < t->steps_per_epoch; t->step++) {
        memcpy(samples, order + t->step * t->e->batch, (size_t)t->e->batch * sizeof *samples);
        t->e->training = true;
        train_batch(t, samples, grad, &sum);
        show_bar(t, &sum);
    }
    r.loss = sum.loss / (double)(t->steps_per_epoch * t->e->batch);
    judge_epoch(t, &r);
    r.seconds = seconds_now() - started;
    end_epoch(t, &r);
}

/* ---- the start ---- */

/* A method's own rate holds for its own optimizer. */
static double default_rate(const MethodDef *m, bool adam)
{
    if (adam == m->adam)
        return m->rate;
    return adam ? 1e-3 : 0.02;
}

static TrainOptions *fill_options(const TrainJob *j)
{
    TrainOptions *o = NEW(TrainOptions);
    const MethodDef *m = j->method;
    *o = *j->train;
    o->epochs = o->epochs ? o->epochs : m->epochs;
    o->recovery = m->recovery ? (o->epochs + m->recovery - 1) / m->recovery : 0;
    o->adam = o->optimizer_given ? o->adam : m->adam;
    o->rate = o->rate > 0 ? o->rate : default_rate(m, o->adam);
    o->decay = o->decay >= 0 ? o->decay : m->decay;
    return o;
}

static void check_augmentation(const Trainer *t)
{
    const DataFeed *f = t->train.feed;
    if ((t->o->flip || t->o->crop) && !f->w)
        fail("%s: --augment needs images, and to know their axis of channels (--layout, --model-layout): "
             "input "
             "'%s' is %s, samples are %s",
             t->g->file, t->g->inputs[0]->name, type_text(f->input), type_text(f->data->sample));
}

static void make_engines(Trainer *t)
{
    int64_t batch = t->o->batch ? t->o->batch : 100;
    batch = batch < t->train.count ? batch : t->train.count;
    t->plan = trains_codes(&t->job) ? plan_codes(t) : NULL;
    t->e = engine_new_coded(t->g, t->loss.score, batch, t->job.threads, WANT_PARAMS, t->plan);
    if (t->loss.kind == LOSS_TEACHER_CLASSES || t->loss.kind == LOSS_TEACHER_SCORES)
        t->loss.teacher = engine_new(t->g, t->loss.score, batch, t->job.threads, WANT_NONE);
    if (!t->e->params.count)
        fail("%s: has nothing to train: no constant weights", t->g->file);
    t->steps_per_epoch = t->train.count / batch;
}

static void judge_float(Trainer *t)
{
    t->of_float = judge_source(t->e, &t->loss, &t->valid);
    if (!isfinite(t->of_float.loss))
        fail(
            "%s: its loss on held-back data is not a number before any training; does --scale fit the model?",
            t->g->file);
    if (!t->opt->quiet)
        fprintf(stderr, "%s samples, %s held back; before training: %s\n", count_text(t->train.count),
                count_text(t->valid.count), judged_text(&t->loss, t->of_float));
}

/* An input that is always 0 is an error before hours of training, not behind them. */
static void start_codes(Trainer *t)
{
    enum { BATCHES = 8 };
    if (!t->plan)
        return;
    latent_project(t, false);
    estimate_statistics(t, BATCHES);
    const Range *r = fake_ranges(t->e, t->e->running, t->g->num_tensors);
    for (int i = 0; i < t->g->num_inputs; i++) {
        int root = t->plan->roots[t->g->inputs[i]->id];
        if (root >= 0)
            check_input_range(t->g, t->g->inputs[i], r[root]);
    }
    t->e->quantises = true;
}

Trainer *trainer_new(Graph *g, const TrainJob *j)
{
    Trainer *t = NEW(Trainer);
    own_statistics(g);
    *t = (Trainer){.job = *j, .method = j->method, .opt = j->opt, .g = g, .o = fill_options(j)};
    source_split(j->data, j->train->valid, g, &t->train, &t->valid);
    check_augmentation(t);
    t->loss = loss_find(g, t->train.feed->data);
    make_engines(t);
    check_engine(t->e, g, &t->loss, &t->train);
    judge_float(t);
    t->epochs = t->o->epochs;
    t->freeze_epoch = t->epochs - t->o->recovery;
    latent_prepare(t);
    start_codes(t);
    bool no_scales = t->params.total == t->e->params.total;
    t->grads = no_scales ? t->e->grads : floats_new(t->params.total);
    t->first = floats_new(t->params.total);
    t->second = t->o->adam ? floats_new(t->params.total) : NULL;
    t->best_weights = floats_new(t->e->params.total);
    t->best_running = floats_new(t->e->stats.total);
    t->history = NEW_ARRAY(EpochRecord, t->o->epochs);
    t->checkpoint = checkpoint_path(j);
    checkpoint_hash(t);
    return t;
}

/* ---- the end ---- */

static void store(const Trainer *t, const ParamList *l, const float *block)
{
    for (int i = 0; i < l->count; i++) {
        const Param *p = &l->items[i];
        if (!p->t)
            continue;
        Tensor *to = t->g->tensors[p->t->id];
        float *data = NEW_ARRAY(float, p->count);
        memcpy(data, block + p->at, (size_t)p->count * sizeof *data);
        for (int64_t k = 0; k < p->count; k++)
            data[k] = data[k] == 0 ? 0 : data[k]; /* no -0.0 */
        to->data = data;
        to->ternary = NULL;
    }
}

static const char *report_text(const Trainer *t)
{
    bool ternary = t->opt->method != METHOD_none;
    const char *before = ternary ? "float" : "before";
    const char *after = ternary ? "ternary" : "after";
    return mem_printf("trained %s epochs, the best is epoch %s; on held-back data\n  %-8s %s\n  %-8s %s\n",
                      int_text(t->epochs), int_text(t->best_epoch), before,
                      judged_text(&t->loss, t->of_float), after, judged_text(&t->loss, t->best));
}

/* The share of the most frequent label: what a constant answer gets right. */
static double largest_class(const Trainer *t)
{
    int64_t *counts = NEW_ARRAY(int64_t, t->loss.classes), most = 0;
    for (int64_t i = 0; i < t->valid.count; i++) {
        int64_t n = ++counts[t->valid.feed->data->labels[t->valid.first + i]];
        most = n > most ? n : most;
    }
    return (double)most / (double)t->valid.count;
}

/* A run whose loss stayed finite may have failed all the same: every unit of a layer is dead, say. */
static void note_failure(const Trainer *t)
{
    const char *what = NULL;
    if (t->loss.kind == LOSS_LABELS && t->best.accuracy <= largest_class(t))
        what = "the result answers no better than with always the same class";
    else if (t->opt->method == METHOD_none && t->best.loss > t->of_float.loss)
        what = "training has made the model worse";
    if (what && !t->opt->quiet)
        note("%s: try a lower --lr, or more --epochs; do --scale, --mean and --std fit the model?", what);
}

/* All that matters for the result, defaults filled in. */
static const char *settings_text(const Trainer *t)
{
    const TrainOptions *o = t->o;
    const char *optimizer = o->adam ? "adam" : "sgd";
    const char *schedule = o->step_schedule ? "step" : "cosine";
    Text s = {0};
    text_printf(&s, "trained epochs=%s best=%s batch=%s optimizer=%s lr=%.9g weight-decay=%.9g schedule=%s",
                int_text(t->epochs), int_text(t->best_epoch), int_text(t->e->batch), optimizer, o->rate,
                o->decay, schedule);
    if (!o->adam)
        text_printf(&s, " momentum=%.9g", o->momentum);
    if (t->method->settings)
        t->method->settings(&s, o);
    if (o->clip > 0)
        text_printf(&s, " clip=%.9g", o->clip);
    if (o->flip || o->crop)
        text_printf(&s, " flip=%d crop=%s", o->flip, int_text(o->crop));
    if (t->plan)
        text_printf(&s, " ranges=%s", calibration_name(t->opt->calibration_rule));
    text_printf(&s, " seed=%llu threads=%d", (unsigned long long)t->job.seed, t->job.threads);
    return text_take(&s);
}

/* Not after hours. */
static void check_outputs(const Trainer *t)
{
    const char *const paths[] = {t->checkpoint, t->o->log, t->o->plot};
    checkpoint_check(t->checkpoint);
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
        if (paths[i])
            out_check(paths[i]);
}

void trainer_run(Trainer *t, int64_t until)
{
    int64_t *order = NEW_ARRAY(int64_t, t->train.count);
    float *grad = floats_new(type_elems(t->e->score->type));
    t->first_epoch = t->epoch;
    progress_begin(&t->bar, "", 1);
    while (t->epoch < t->epochs && t->epoch < until) {
        run_epoch(t, order, grad);
        t->epoch++;
        checkpoint_write(t);
        if (t->o->log)
            write_log(t);
        if (t->o->plot)
            plot_write(t, t->o->plot);
    }
    free(grad);
}

Training pass_train(Graph *g, const TrainJob *j)
{
    Trainer *t = trainer_new(g, j);
    check_outputs(t);
    if (t->o->resume)
        checkpoint_read(t);
    trainer_run(t, t->epochs);
    note_failure(t);
    Training result = {.settings = settings_text(t),
                       .report = report_text(t),
                       .valid = &t->valid,
                       .ranges = trained_ranges(t)};
    engine_free(t->e); /* before the graph gets copies */
    if (t->loss.teacher)
        engine_free(t->loss.teacher);
    store(t, &t->e->params, t->best_weights);
    store(t, &t->e->stats, t->best_running);
    return result;
}
