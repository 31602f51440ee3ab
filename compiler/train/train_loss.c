/* train_loss.c - what training minimises, and its gradient: softmax cross-entropy from labels, mean squared
 * error from targets, and without either the outputs of the float model itself: its probabilities where it
 * ends in Softmax, else its scores, in units of their spread.
 *
 * A row of scores without Softmax is learnt both ways at once, for most of them belong to classes: Ba and
 * Caruana, arXiv 1312.6184, match scores, Hinton et al., arXiv 1503.02531, probabilities. Both losses are
 * least where the scores are the teacher's. Scores that spread widely, as those of classes do not, are
 * divided first (derived): probabilities of 0 and 1 would only teach which score is the largest.
 *
 * A Softmax or LogSoftmax at the end is taken off: the loss works on what goes into it. */
#include "train/training.h"

#include <math.h>
#include <string.h>

const Node *last_node(const Graph *g)
{
    return viewed_tensor(g->outputs[0])->producer;
}

static void check_labels(const Graph *g, const Dataset *d, int64_t classes)
{
    if (classes < 2)
        fail("%s: labels need a model with one score per class; output '%s' is %s", g->file,
             g->outputs[0]->name, type_text(g->outputs[0]->type));
    data_check_labels(d, g, classes);
}

static LossKind loss_kind(const Dataset *d, bool softmax)
{
    if (d->labels)
        return LOSS_LABELS;
    if (d->targets)
        return LOSS_TARGETS;
    return softmax ? LOSS_TEACHER_CLASSES : LOSS_TEACHER_SCORES;
}

Loss loss_find(const Graph *g, const Dataset *d)
{
    if (g->num_outputs != 1)
        fail("%s: training needs a model with one float output; this one has %d", g->file, g->num_outputs);
    if (g->outputs[0]->type.dtype != DT_F32)
        fail("%s: training needs a model with one float output; '%s' is %s", g->file, g->outputs[0]->name,
             type_text(g->outputs[0]->type));
    const Node *n = last_node(g);
    bool softmax = n && (n->op == OP_Softmax || n->op == OP_LogSoftmax);
    Loss l = {.score = softmax && !d->targets ? n->in[0] : g->outputs[0]};
    l.classes = type_elems(l.score->type);
    l.kind = loss_kind(d, softmax);
    l.compared = l.kind == LOSS_TEACHER_SCORES && l.score->type.rank == 2 && l.classes > 1;
    if (d->labels)
        check_labels(g, d, l.classes);
    if (d->targets && d->target_size != l.classes)
        fail("%s: targets of %s numbers per sample for output '%s' of %s", d->spec, int_text(d->target_size),
             g->outputs[0]->name, type_text(g->outputs[0]->type));
    return l;
}

static int64_t best_of(const float *y, int64_t n)
{
    int64_t best = 0;
    for (int64_t i = 1; i < n; i++)
        best = y[i] > y[best] ? i : best;
    return best;
}

/* log sum exp (y / heat) */
static double normaliser(const float *y, int64_t n, double heat)
{
    double top = (double)y[best_of(y, n)] / heat, sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += exp((double)y[i] / heat - top);
    return top + log(sum);
}

double cross_entropy(const float *y, int64_t n, int64_t label, const float *teacher, double heat,
                     double factor, float *grad)
{
    double all = normaliser(y, n, heat), of_teacher = teacher ? normaliser(teacher, n, heat) : 0, loss = 0;
    for (int64_t i = 0; i < n; i++) {
        double q = teacher ? exp((double)teacher[i] / heat - of_teacher) : i == label;
        double log_p = (double)y[i] / heat - all;
        loss -= q > 0 ? q * log_p : 0;
        if (grad)
            grad[i] += (float)((exp(log_p) - q) / heat * factor);
    }
    return loss;
}

/* mean (y - want)^2 / spread; grad += its slope * factor */
static double squared_error(const float *y, const float *want, int64_t n, double spread, double factor,
                            float *grad)
{
    double loss = 0;
    for (int64_t i = 0; i < n; i++) {
        double d = (double)y[i] - (double)want[i];
        loss += d * d / (spread * (double)n);
        if (grad)
            grad[i] += (float)(2 * d / (spread * (double)n) * factor);
    }
    return loss;
}

/* Variance of the teacher's scores over a batch. */
static double spread_of(const float *y, int64_t n)
{
    double sum = 0, squares = 0;
    for (int64_t i = 0; i < n; i++)
        sum += (double)y[i];
    for (int64_t i = 0; i < n; i++)
        squares += ((double)y[i] - sum / (double)n) * ((double)y[i] - sum / (double)n);
    return squares > 0 ? squares / (double)n : 1;
}

Judged loss_judge(const Loss *l, const Dataset *d, const int64_t *samples, int64_t count, int64_t batch,
                  const float *score, const float *teacher, float *grad)
{
    Judged r = {0};
    int64_t n = l->classes;
    double factor = 1 / (double)count;
    double spread = l->kind == LOSS_TEACHER_SCORES ? spread_of(teacher, batch * n) : 1;
    double heat = fmax(1, sqrt(spread) / 4); /* classes: some units between likely and unlikely */
    bool scores = l->kind == LOSS_TARGETS || l->kind == LOSS_TEACHER_SCORES, classes = !scores || l->compared;
    if (grad)
        memset(grad, 0, (size_t)(batch * n) * sizeof *grad);
    for (int64_t i = 0; i < batch; i++) {
        const float *y = score + i * n, *of_teacher = teacher ? teacher + i * n : NULL;
        float *to = grad ? grad + i * n : NULL;
        int64_t label = of_teacher ? best_of(of_teacher, n) : 0;
        if (d->labels)
            label = d->labels[samples[i]];
        double loss = 0;
        if (classes)
            loss += cross_entropy(y, n, label, l->kind == LOSS_LABELS ? NULL : of_teacher, heat, factor, to);
        if (scores)
            loss += squared_error(y, of_teacher ? of_teacher : d->targets + samples[i] * n, n, spread, factor,
                                  to);
        r.loss += i < count ? loss : 0;
        r.correct += i < count && !d->targets && best_of(y, n) == label;
    }
    return r;
}
