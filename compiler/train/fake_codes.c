/* fake_codes.c - activations as codes while training: behind the node that makes it, every tensor that will
 * be codes is rounded to their steps and clamped to their ends, as QuantizeLinear and DequantizeLinear do it.
 * Gradients pass straight through, but for elements that were clamped: theirs is zero (Jacob et al., arXiv
 * 1712.05877).
 *
 * The range of a tensor is an average over batches, as running statistics are: each batch of training adds
 * its own range, found by the rule of calibration. Tensors whose elements move from one to the other have one
 * step. */
#include "ops/ops.h"
#include "passes/passes.h"
#include "train/engine.h"
#include "train/ranges.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* How much of its range a tensor keeps from one batch of training to the next. */
static const double keep_range = 0.99;

/* ---- which tensors ---- */

/* Whether all elements of t are some of those of tensors with its step. */
static bool is_moved(const int *roots, const Tensor *t)
{
    const Node *n = t->producer;
    if (!n || !moves_codes(n) || is_code_function(n))
        return false;
    for (int k = 0; k < n->num_in; k++)
        if (n->in[k] && moves_input(n, k) && (n->in[k]->data || roots[n->in[k]->id] != roots[t->id]))
            return false;
    return true;
}

void fake_find(Engine *e, const CodePlan *plan)
{
    e->codes = NEW_ARRAY(FakeCodes, plan->count);
    e->rule = plan->rule;
    e->kind = plan->kind;
    for (int i = 0; i < plan->count; i++) {
        const Tensor *t = e->g->tensors[i];
        if (plan->roots[i] < 0 || is_moved(plan->roots, t))
            continue;
        e->codes[e->num_codes++] = (FakeCodes){.t = t, .root = plan->roots[i], .at = e->stats.total};
        e->stats.items[e->stats.count++] = (Param){.at = e->stats.total, .count = 2};
        e->stats.total += 16; /* blocks are aligned */
    }
}

/* Behind the preparation of all nodes: those that the score does not need make nothing. */
void fake_prepare(Engine *e)
{
    int used = 0;
    for (int i = 0; i < e->num_codes; i++) {
        FakeCodes *c = &e->codes[used];
        *c = e->codes[i];
        Value *v = value_of(e, c->t);
        if (!v->size)
            continue;
        c->inside = mem_alloc((size_t)v->size);
        if (v->size != type_elems(c->t->type))
            value_need_dense(v);
        v->codes = c;
        used++;
    }
    e->num_codes = used;
}

/* ---- ranges ---- */

static Range range_at(const float *running, const FakeCodes *c)
{
    return (Range){running[c->at], running[c->at + 1], true};
}

Range *fake_ranges(const Engine *e, const float *running, int count)
{
    Range *r = NEW_ARRAY(Range, count);
    for (int i = 0; i < e->num_codes; i++) {
        Range own = range_at(running, &e->codes[i]), *all = &r[e->codes[i].root];
        all->low = fminf(all->low, own.low);
        all->high = fmaxf(all->high, own.high);
        all->known = true;
    }
    return r;
}

void fake_begin(Engine *e)
{
    const Range *ranges = fake_ranges(e, e->running, e->g->num_tensors);
    for (int i = 0; i < e->num_codes; i++) {
        FakeCodes *c = &e->codes[i];
        DType d;
        CodeStep s = choose_step(e->g, c->t, e->kind, ranges[c->root], &d);
        c->step = (float)s.scale;
        c->low = (float)(code_low(d) - s.zero);
        c->high = (float)(code_high(d) - s.zero);
    }
}

/* In the order of the elements: what fills up the library's formats would count as values. */
static void see_batch(Engine *e, Value *v, const float *x)
{
    const FakeCodes *c = v->codes;
    int64_t n = type_elems(c->t->type);
    Range r = range_of_values(v->size == n ? x : value_dense(e, v), n, e->rule);
    if (!isfinite(r.low) || !isfinite(r.high))
        fail("%s: tensor '%s' has values in training that are not finite: try a lower --lr; do --scale, "
             "--mean and --std fit the model?",
             e->g->file, c->t->name);
    float keep = (float)(e->estimates ? e->momentum : keep_range), *to = e->running + c->at;
    to[0] = keep * to[0] + (1 - keep) * fminf(r.low, 0);
    to[1] = keep * to[1] + (1 - keep) * fmaxf(r.high, 0);
}

/* ---- forward and backward ---- */

void fake_round(FakeCodes *c, const float *x, float *y, int64_t n)
{
    const float low = c->low, high = c->high, step = c->step, whole = 1.5f * (1 << 23);
    for (int64_t i = 0; i < n; i++) {
        float v = x[i] / step;
        v = v < low - 1 ? low - 1 : v;
        v = v > high + 1 ? high + 1 : v;
        float code = v + whole - whole; /* as rintf, which would be a call */
        c->inside[i] = code >= low && code <= high;
        code = code < low ? low : code;
        y[i] = (code > high ? high : code) * step;
    }
}

void fake_forward(Engine *e, Value *v)
{
    FakeCodes *c = v->codes;
    float *y = v->data;
    const float *x = c->exact ? c->exact : y;
    if (e->training)
        see_batch(e, v, x);
    if (e->quantises)
        fake_round(c, x, y, v->size);
    else if (c->exact)
        memcpy(y, x, (size_t)v->size * sizeof *y);
    v->dense_valid = false;
}

void fake_backward(const Value *v)
{
    for (int64_t i = 0; i < v->size; i++)
        v->grad[i] = v->codes->inside[i] ? v->grad[i] : 0;
}
