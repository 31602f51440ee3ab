/* twn_training.c - TWN while training (Li et al., arXiv 1605.04711): in every step the threshold D from the
 * latent weights; what lies above is kept, straight-through. Without training passes/twn.c has the same. */
#include "ops/ops.h"
#include "passes/methods/methods.h"
#include "passes/passes.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void keep_relative(const TernaryWeight *w, const float *latent, double factor)
{
    double *limits = w->sums;
    memset(limits, 0, (size_t)ternary_channels(&w->box) * sizeof *limits);
    FOR_CHANNELS(&w->box, limits[ch] += fabs((double)latent[i]););
    for (int64_t c = 0; c < ternary_channels(&w->box); c++)
        limits[c] *= factor / (double)(w->box.mid * w->box.inner);
    FOR_CHANNELS(&w->box, w->kept[i] = fabs((double)latent[i]) > limits[ch];);
}

static void keep_exact(const TernaryWeight *w, const float *latent)
{
    int64_t n = w->box.mid * w->box.inner;
    float *channel = floats_new(n);
    int8_t *codes = NEW_ARRAY(int8_t, n);
    for (int64_t c = 0; c < ternary_channels(&w->box); c++) {
        for (int64_t k = 0; k < n; k++)
            channel[k] = latent[ternary_position(&w->box, c, k)];
        twn_exact(channel, n, codes);
        for (int64_t k = 0; k < n; k++)
            w->kept[ternary_position(&w->box, c, k)] = codes[k] != 0;
    }
    free(channel);
}

static void project(const Trainer *t, TernaryWeight *w, bool hard)
{
    (void)hard;
    const float *latent = t->latent + w->p->at;
    if (t->opt->sparsity > 0)
        keep_above(w, latent, magnitude_quantile(latent, w->p->count, (double)t->opt->sparsity));
    else if (t->opt->threshold > 0)
        keep_relative(w, latent, (double)t->opt->threshold);
    else
        keep_exact(w, latent);
    project_kept(t, w);
}

const MethodDef method_twn = {.name = "twn",
                              .epochs = 6,
                              .rate = 0.02,
                              .decay = 1e-4,
                              .threshold = 0.75f,
                              .stages = {"train"},
                              .project = project,
                              .chain = chain_kept};
