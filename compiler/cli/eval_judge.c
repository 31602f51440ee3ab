/* eval_judge.c - what the scores of a sample are worth. Results lie in memory by sample, so that sums do not
 * depend on how the work was split. */
#include "cli/eval.h"

#include <float.h>
#include <math.h>

/* -log of the label's probability; one that underflowed counts as the smallest float, so that the loss stays
 * finite. */
static double label_loss(const float *y, int64_t classes, int64_t label, Scores scores)
{
    if (scores == SCORES_LOG_PROBABILITIES)
        return -(double)y[label];
    if (scores == SCORES_PROBABILITIES)
        return -log(y[label] > FLT_MIN ? (double)y[label] : (double)FLT_MIN);
    return cross_entropy(y, classes, label, NULL, 1, 0, NULL);
}

void eval_judge(const EvalJob *j, int64_t sample, const float *y)
{
    Result *r = &j->results[sample];
    int64_t best = 0, label = j->feed->data->labels[sample];
    r->nan = false;
    for (int64_t i = 0; i < j->classes; i++) {
        r->nan |= isnan(y[i]) != 0;
        best = y[i] > y[best] ? i : best;
    }
    r->correct = !r->nan && best == label;
    r->loss = label_loss(y, j->classes, label, j->scores);
}
