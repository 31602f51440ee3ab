/* train_judge.c - samples into an engine, and what it makes of them: loss and hits over a data set; where the
 * samples that train and those that judge come from. */
#include "ops/ops.h"
#include "train/training.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- data ---- */

static Source whole_source(const DataOptions *o, const Graph *g, const Dataset *d)
{
    return (Source){data_feed(d, g, o), 0, o->limit && o->limit < d->count ? o->limit : d->count};
}

Source source_open(const DataOptions *o, const Graph *g)
{
    return whole_source(o, g, data_open(o->spec));
}

/* text: --valid N or SPEC; NULL: the last tenth of the training data. */
void source_split(const DataOptions *o, const char *text, const Graph *g, Source *train, Source *valid)
{
    *train = source_open(o, g);
    const Dataset *d = train->feed->data;
    char *end = NULL;
    long long held = text ? strtoll(text, &end, 10) : train->count / 10;
    if (text && (*end || end == text)) {
        const Dataset *v = data_open(text);
        *valid = (Source){data_feed(v, g, o), 0, v->count};
        if (!v->labels != !d->labels || !v->targets != !d->targets)
            fail("%s: has other answers (labels, targets, none) than %s", v->spec, d->spec);
        loss_find(g, v);
        return;
    }
    if (held < 1 || held >= train->count)
        fail("%s: %lld of %s samples cannot be held back for validation", d->spec, held,
             int_text(train->count));
    train->count -= held;
    *valid = (Source){train->feed, train->count, held};
}

/* Relu and the like may swallow what is not a number: the loss does not tell. */
void check_sample(const Source *s, int64_t sample, const float *x)
{
    int64_t size = type_elems(s->feed->input);
    bool good = true;
    for (int64_t i = 0; i < size; i++)
        good &= isfinite(x[i]) != 0;
    if (!good)
        fail("%s: sample %s holds NaN or infinity", s->feed->data->spec, int_text(sample));
}

void fill_batch(Engine *e, const Loss *l, const Source *s, const Augment *a, int64_t *samples, int64_t count)
{
    TrainOptions plain = {0};
    int64_t size = type_elems(s->feed->input);
    for (int64_t i = 0; i < e->batch; i++) {
        if (i >= count)
            samples[i] = samples[i % count];
        uint64_t seed = a ? random_bits(a->key, (uint64_t)samples[i]) : 0;
        float *x = (float *)engine_input(e) + i * size;
        draw_sample(s->feed, a ? a->o : &plain, samples[i], seed, x);
        check_sample(s, samples[i], x);
    }
    if (l->teacher)
        memcpy(engine_input(l->teacher), engine_input(e), (size_t)(e->batch * size) * sizeof(float));
}

/* ---- judging ---- */

const float *loss_teach(const Loss *l)
{
    return l->teacher ? engine_forward(l->teacher) : NULL;
}

Judged judge_source(Engine *e, const Loss *l, const Source *s)
{
    Judged sum = {0};
    int64_t *samples = NEW_ARRAY(int64_t, e->batch);
    e->training = false;
    for (int64_t at = 0; at < s->count; at += e->batch) {
        int64_t count = s->count - at < e->batch ? s->count - at : e->batch;
        for (int64_t i = 0; i < count; i++)
            samples[i] = s->first + at + i;
        void *mark = mem_mark();
        fill_batch(e, l, s, NULL, samples, count);
        mem_release(mark);
        const float *of_teacher = loss_teach(l);
        Judged j =
            loss_judge(l, s->feed->data, samples, count, e->batch, engine_forward(e), of_teacher, NULL);
        sum.loss += j.loss / (double)s->count;
        sum.correct += j.correct;
    }
    sum.accuracy = (double)sum.correct / (double)s->count;
    return sum;
}

bool loss_has_classes(const Loss *l)
{
    return l->kind == LOSS_LABELS || l->kind == LOSS_TEACHER_CLASSES;
}

bool epoch_is_best(const Trainer *t, const EpochRecord *r)
{
    bool by_accuracy = loss_has_classes(&t->loss) && r->accuracy != t->best.accuracy;
    bool better = by_accuracy ? r->accuracy > t->best.accuracy : r->valid_loss < t->best.loss;
    return stage_is_last(t, t->epoch) && (!t->best_epoch || better);
}

const char *judged_text(const Loss *l, Judged j)
{
    if (!loss_has_classes(l))
        return mem_printf("loss %.4g", j.loss);
    return mem_printf("%s %.2f %%, loss %.4f", l->kind == LOSS_LABELS ? "accuracy" : "agreement",
                      100 * j.accuracy, j.loss);
}

/* ---- whether the engine can be trusted with this model ---- */

static bool close_enough(float a, double b, double largest)
{
    return fabs((double)a - b) <= 2e-3 * (largest + 1e-3);
}

bool sample_agrees(const Graph *g, const Tensor *score, const void *const *in, const float *got, Mismatch *m)
{
    void **values = eval_graph(g, in);
    const float *want = values[score->id];
    int64_t n = type_elems(score->type);
    double largest = 0;
    bool same = true;
    for (int64_t i = 0; i < n; i++)
        largest = fmax(largest, fabs((double)want[i]));
    for (int64_t k = 0; k < n && same; k++) {
        *m = (Mismatch){k, (double)got[k], (double)want[k]};
        same = close_enough(got[k], m->want, largest);
    }
    free(values);
    return same;
}

void check_engine(Engine *e, const Graph *g, const Loss *l, const Source *s)
{
    int64_t *samples = NEW_ARRAY(int64_t, e->batch), size = type_elems(g->inputs[0]->type), n = l->classes;
    for (int64_t i = 0; i < e->batch; i++)
        samples[i] = s->first + i % s->count;
    fill_batch(e, l, s, NULL, samples, e->batch);
    e->training = false;
    const float *score = engine_forward(e);
    for (int64_t i = 0; i < 2 && i < e->batch; i++) {
        const void *in[] = {(const float *)engine_input(e) + i * size};
        Mismatch m;
        if (!sample_agrees(g, l->score, in, score + i * n, &m))
            fail("%s: cannot be computed in batches: score %s of sample %s of %s becomes %g, alone it is %g",
                 g->file, int_text(m.element), int_text(i), s->feed->data->spec, m.got, m.want);
    }
}
