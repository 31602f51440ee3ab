/* latent.c - latent weights, which are what is trained: which of them become ternary, and how the method
 * brings them into the graph and gradients back to them.
 *
 * A layer whose scale no BatchNormalization takes up (most often because it was folded at export) gets a
 * trained scale s per channel in its place: the graph computes with s times what the method makes of the
 * weights. */
#include "ops/ops.h"
#include "passes/passes.h"
#include "train/training.h"

#include <math.h>
#include <string.h>

/* ---- the start ---- */

const Node *norm_behind(const Engine *e, const Node *n)
{
    const Node *user = e->users[n->out[0]->id];
    return user && user->op == OP_BatchNormalization && user->in[0] == n->out[0] ? user : NULL;
}

static void add_scales(Trainer *t, TernaryWeight *w)
{
    w->scales = &t->params.items[t->params.count++];
    *w->scales = (Param){.node = w->p->node, .at = t->params.total, .count = ternary_channels(&w->box)};
    t->params.total += (w->scales->count + 15) & ~(int64_t)15;
}

/* One threshold and scale for the layer, where that was asked for, leaves none per channel to be trained. */
static void add_weight(Trainer *t, const Param *p)
{
    TernaryWeight *w = &t->ternary[t->num_ternary++];
    int users = t->e->uses[p->t->id];
    *w = (TernaryWeight){.p = p, .box = p->box, .base = 1};
    w->normed = users == 1 && norm_behind(t->e, p->node);
    if (t->opt->per_layer || users > 1)
        w->box = (Ternary){.groups = 1, .mid = 1, .chan = 1, .inner = p->count};
    w->sums = NEW_ARRAY(double, 2 * ternary_channels(&w->box));
    w->kept = NEW_ARRAY(uint8_t, p->count);
    if (!w->normed && (t->method->layer_scale || !t->opt->per_layer))
        add_scales(t, w);
}

static void add_weights(Trainer *t)
{
    const bool *chosen = ternary_tensors(t->g, t->opt);
    t->ternary = NEW_ARRAY(TernaryWeight, t->e->params.count + 1);
    t->params = t->e->params;
    t->params.items = NEW_ARRAY(Param, 2 * t->e->params.count + 1);
    memcpy(t->params.items, t->e->params.items, (size_t)t->params.count * sizeof *t->params.items);
    for (int i = 0, count = t->params.count; i < count; i++)
        if (t->params.items[i].is_weight && chosen[t->params.items[i].t->id])
            add_weight(t, &t->params.items[i]);
}

static bool becomes_ternary(const Trainer *t, const Param *p)
{
    for (int k = 0; k < t->num_ternary; k++)
        if (t->ternary[k].p == p)
            return true;
    return false;
}

/* Weights that are kept where their node reads codes are codes as well, but for --keep-as float. */
static void find_rounded(Trainer *t)
{
    LinearWeights w;
    t->rounded = NEW_ARRAY(const Param *, t->params.count);
    for (int i = 0; i < t->params.count && !t->opt->keep_float; i++) {
        const Param *p = &t->params.items[i];
        if (!p->is_weight || becomes_ternary(t, p) || !linear_weights(p->node, &w))
            continue;
        if (t->plan && t->plan->roots[p->node->in[1 - w.input]->id] >= 0)
            t->rounded[t->num_rounded++] = p;
    }
}

/* Else the graph computes with the latent weights themselves. */
static bool is_projected(const Trainer *t)
{
    return t->num_ternary || t->num_rounded;
}

void latent_prepare(Trainer *t)
{
    add_weights(t);
    find_rounded(t);
    t->latent = t->e->weights;
    if (is_projected(t)) {
        t->latent = floats_new(t->params.total);
        memcpy(t->latent, t->e->weights, (size_t)t->e->params.total * sizeof(float));
    }
    for (int k = 0; k < t->num_ternary; k++)
        for (int64_t c = 0; t->ternary[k].scales && c < t->ternary[k].scales->count; c++)
            t->latent[t->ternary[k].scales->at + c] = 1;
    for (int k = 0; t->method->start && k < t->num_ternary; k++)
        t->method->start(t, &t->ternary[k]);
}

/* ---- stages ---- */

bool stage_is_last(const Trainer *t, int64_t epoch)
{
    return !t->method->last_stage || epoch >= t->method->last_stage(t);
}

const char *stage_name(const Trainer *t, int64_t epoch)
{
    return t->method->stages[t->method->last_stage && stage_is_last(t, epoch)];
}

/* ---- forward and backward ---- */

static void round_latent(const Trainer *t)
{
    for (int i = 0; i < t->num_rounded; i++)
        weights_to_grid(t->e->weights + t->rounded[i]->at, &t->rounded[i]->box);
}

void latent_project(const Trainer *t, bool hard)
{
    if (!is_projected(t))
        return;
    memcpy(t->e->weights, t->latent, (size_t)t->e->params.total * sizeof(float));
    void *mark = mem_mark();
    for (int k = 0; k < t->num_ternary; k++)
        t->method->project(t, &t->ternary[k], hard);
    round_latent(t);
    mem_release(mark);
}

void latent_chain(const Trainer *t)
{
    if (t->grads != t->e->grads)
        memcpy(t->grads, t->e->grads, (size_t)t->e->params.total * sizeof(float));
    for (int k = 0; k < t->num_ternary; k++)
        t->method->chain(t, &t->ternary[k]);
}

double latent_zeros(const Trainer *t)
{
    int64_t zeros = 0, total = 0;
    for (int k = 0; k < t->num_ternary; k++) {
        const TernaryWeight *w = &t->ternary[k];
        for (int64_t i = 0; i < w->p->count; i++)
            zeros += w->values ? fabsf(w->values[i]) < 0.5f : !w->kept[i];
        total += w->p->count;
    }
    return total ? (double)zeros / (double)total : 0;
}
