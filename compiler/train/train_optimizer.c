/* train_optimizer.c - SGD with momentum and Adam with decoupled weight decay (AdamW), on blocks of one
 * layout; and the learning rate over time. Sources: Sutskever et al. 2013 (momentum, in the form of the
 * common libraries); Kingma and Ba, arXiv 1412.6980; Loshchilov and Hutter, arXiv 1711.05101 (decoupled
 * decay) and 1608.03983 (cosine). */
#include "train/training.h"

#include <math.h>

double epoch_share(const Trainer *t, double from, double to)
{
    double epoch = (double)t->epoch + (double)t->step / (double)t->steps_per_epoch;
    return (epoch - from) / (to - from);
}

double cosine_fall(double p)
{
    return 0.5 * (1 + cos(acos(-1) * p));
}

static double step_fall(double p)
{
    if (p < 0.5)
        return 1;
    return p < 0.84 ? 0.1 : 0.01;
}

double optimizer_rate(const Trainer *t)
{
    const TrainOptions *o = t->o;
    double all = epoch_share(t, 0, (double)t->epochs);
    if (o->step_schedule)
        return o->rate * step_fall(all);
    return t->method->schedule ? t->method->schedule(t) : o->rate * cosine_fall(all);
}

/* By the length over all parameters (Pascanu et al., arXiv 1211.5063): without BatchNormalization the first
 * steps of an ordinary rate can be so long that no Relu is left alive, and the loss, which stays finite, does
 * not tell. */
void optimizer_clip(const Trainer *t)
{
    float *g = t->e->grads;
    double sum = 0;
    for (int64_t i = 0; i < t->e->params.total; i++)
        sum += (double)g[i] * (double)g[i];
    if (!(t->o->clip > 0) || sqrt(sum) <= t->o->clip)
        return;
    float factor = (float)(t->o->clip / sqrt(sum));
    for (int64_t i = 0; i < t->e->params.total; i++)
        g[i] *= factor;
}

static void sgd(const Trainer *t, const Param *p, float rate, float decay)
{
    float *w = t->latent + p->at, *v = t->first + p->at;
    const float *g = t->grads + p->at, keep = (float)t->o->momentum;
    for (int64_t i = 0; i < p->count; i++) {
        v[i] = keep * v[i] + g[i] + decay * w[i];
        w[i] -= rate * v[i];
    }
}

static void adam(const Trainer *t, const Param *p, float rate, float decay)
{
    float *w = t->latent + p->at, *m = t->first + p->at, *v = t->second + p->at;
    const float *g = t->grads + p->at;
    double step = (double)(t->epoch * t->steps_per_epoch + t->step + 1);
    float fix_m = (float)(1 / (1 - pow(0.9, step))), fix_v = (float)(1 / (1 - pow(0.999, step)));
    for (int64_t i = 0; i < p->count; i++) {
        m[i] = 0.9f * m[i] + 0.1f * g[i];
        v[i] = 0.999f * v[i] + 0.001f * g[i] * g[i];
        w[i] -= rate * (m[i] * fix_m / (sqrtf(v[i] * fix_v) + 1e-8f) + decay * w[i]);
    }
}

static bool is_frozen(const Trainer *t, const Param *p)
{
    for (int i = 0; t->frozen && i < t->num_ternary; i++)
        if (t->ternary[i].p == p)
            return true;
    return false;
}

static float decay_of(const Trainer *t, const Param *p)
{
    for (int i = 0; t->method->undecayed && i < t->num_ternary; i++)
        if (t->ternary[i].p == p)
            return 0;
    return p->decays ? (float)t->o->decay : 0;
}

void optimizer_step(Trainer *t)
{
    float rate = (float)optimizer_rate(t);
    for (int i = 0; i < t->params.count; i++) {
        const Param *p = &t->params.items[i];
        if (is_frozen(t, p))
            continue;
        if (t->second)
            adam(t, p, rate, decay_of(t, p));
        else
            sgd(t, p, rate, decay_of(t, p));
    }
}
