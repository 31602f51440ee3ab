/* straight_through.c - what TWN and STP share: T_i = sign(w_i) where a weight is kept and a the mean of |w|
 * there; the gradient by a T goes to the latent weights unchanged. With a trained scale s the graph computes
 * with s a T. */
#include "ops/ops.h"
#include "passes/methods/methods.h"

#include <math.h>
#include <string.h>

void keep_above(const TernaryWeight *w, const float *latent, float limit)
{
    for (int64_t i = 0; i < w->p->count; i++)
        w->kept[i] = fabsf(latent[i]) > limit;
}

static double with_sign(double v, float of)
{
    return of > 0 ? v : -v;
}

void project_kept(const Trainer *t, const TernaryWeight *w)
{
    const float *latent = t->latent + w->p->at;
    float *used = t->e->weights + w->p->at;
    int64_t num = ternary_channels(&w->box);
    double *sums = w->sums, *counts = sums + num;
    memset(sums, 0, 2 * (size_t)num * sizeof *sums);
    FOR_CHANNELS(
        &w->box, if (w->kept[i]) {
            sums[ch] += fabs((double)latent[i]);
            counts[ch] += 1;
        });
    for (int64_t c = 0; c < num; c++) {
        sums[c] = counts[c] > 0 ? sums[c] / counts[c] : 0;
        counts[c] = sums[c] * (w->scales ? (double)t->latent[w->scales->at + c] : 1);
    }
    FOR_CHANNELS(&w->box, used[i] = w->kept[i] ? (float)with_sign(counts[ch], latent[i]) : 0;);
}

/* d/dlatent = s dL/dused, d/ds = sum dL/dused a T */
void chain_kept(const Trainer *t, TernaryWeight *w)
{
    if (!w->scales)
        return;
    float *g = t->grads + w->p->at;
    const float *latent = t->latent + w->p->at, *scales = t->latent + w->scales->at;
    double *sums = w->sums, *slopes = sums + ternary_channels(&w->box);
    memset(slopes, 0, (size_t)ternary_channels(&w->box) * sizeof *slopes);
    FOR_CHANNELS(&w->box, if (w->kept[i]) slopes[ch] += with_sign((double)g[i], latent[i]);
                 g[i] *= scales[ch];);
    for (int64_t c = 0; c < ternary_channels(&w->box); c++)
        t->grads[w->scales->at + c] = (float)(slopes[c] * sums[c]);
}
