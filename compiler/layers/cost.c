/* cost.c - how long a layer takes in its lowering: amounts of work, each at a price of costs.def.
 *
 * The amounts are exact: they come from the geometry and the weights as the emitter takes them. Prices are measured by
 * tests/tools/calibrate.c. A price is per amount, in this order:
 *
 *   convolutions, unrolled   vectors * adds, vectors * loads of inputs, vectors * loads and stores of accumulators,
 *                            adds walked through where the code outgrows the instruction cache, vectors * shared pairs,
 *                            outputs, inputs staged
 *   convolutions, tables     vectors * weights not 0, vectors * weights, walks * weights not 0, walks * weights,
 *                            walks * channels, outputs, inputs staged
 *   of them small tables     the first two: vectors of rows * weights not 0, outputs of rows beside these * weights not
 *                            0; the fifth: rows * weights not 0
 *   fully connected          as unrolled convolutions of one vector; tables: weights not 0, weights, inputs, outputs;
 *                            a price per row of the batch stands sixth
 *
 * vectors: steps of the target's lanes over the positions of a strip; tables go over those between rows as well. walks:
 * how often all weights are gone through, once per strip. Inputs that two strips read are staged twice. */
#include "base/host.h"
#include "layers/layers.h"

enum { CACHED_ADDS = 5000 /* what 32 kB of instructions hold */ };

/* Soft-float convolutions have small tables only; transposed ones, which have none, are taken to cost the same. */
static bool has_small_prices(const Layer *l, const Target *t)
{
    return l->small || (t->soft_float && l->kind != LAYER_FC);
}

int layer_form(const Layer *l, const Options *opt)
{
    return (int)l->lowering - 1 + (decodes_ternary(l) && has_small_prices(l, find_target(opt->target)) ? 3 : 0);
}

double outgrown(double adds)
{
    return adds > CACHED_ADDS ? adds : 0;
}

static void add_code(Work *w, const Unrolled *u, double walks, double vectors, int64_t positions)
{
    double adds = (double)u->adds;
    add_unrolled(&w->code, u);
    w->terms += positions * u->terms;
    w->adds += positions * u->adds;
    w->amount[0] += vectors * adds;
    w->amount[1] += vectors * (double)u->taps;
    w->amount[2] += vectors * (double)u->moves;
    w->amount[3] += walks * outgrown(adds);
    w->amount[4] += vectors * (double)u->pairs;
}

/* Dense tables do the same for every weight. */
static double count_terms(const Layer *l, double weights)
{
    double terms = 0;
    for (int64_t i = 0; l->lowering != LOWER_DENSE && i < (int64_t)weights; i++)
        terms += l->codes[i] != 0;
    return terms;
}

/* Each weight goes over the rows by itself: vectors, and what they leave of a row. */
static void set_small_tables(Work *w, const Layer *l, const Target *t, double terms)
{
    bool transposed = l->kind == LAYER_CONV_TRANSPOSE;
    int64_t lanes = l->sw > 1 ? 1 : t->lanes, cols = transposed ? l->iw : l->ow;
    double rows = (double)(l->batch * (transposed ? l->ih : l->oh));
    w->amount[0] = rows * (double)(lanes > 1 ? cols / lanes : 0) * terms;
    w->amount[1] = rows * (double)(lanes > 1 ? cols % lanes : cols) * terms;
    w->amount[4] = rows * terms;
}

static Work conv_work(const Layer *l, const Options *opt)
{
    Work w = {0};
    w.amount[5] = (double)(l->batch * l->co * l->oh * l->ow);
    const ConvWalk *walks;
    int parts = conv_walks(l, opt, &walks);
    w.amount[6] = walks[0].staged;
    const int64_t inputs = l->ci / l->groups;
    double weights = (double)(l->co * inputs * l->kh * l->kw), terms = count_terms(l, weights);
    for (int i = 0; i < parts; i++) {
        double vectors = (double)walks[i].vectors, strips = (double)walks[i].strips;
        if (l->lowering == LOWER_UNROLL) {
            add_code(&w, &walks[i].code, strips, vectors, walks[i].positions);
            continue;
        }
        w.amount[0] += vectors * terms;
        w.amount[1] += vectors * weights;
        w.amount[2] += strips * terms;
        w.amount[3] += strips * weights;
        w.amount[4] += strips * (double)l->co;
    }
    if (decodes_ternary(l) && has_small_prices(l, find_target(opt->target)))
        set_small_tables(&w, l, find_target(opt->target), terms);
    return w;
}

static Work fc_work(const Layer *l, const Options *opt)
{
    Work w = {0};
    double rows = (double)l->batch, weights = (double)(l->co * l->ci);
    w.amount[5] = rows;
    if (l->lowering == LOWER_UNROLL) {
        Unrolled u = fc_code(l, opt);
        add_code(&w, &u, rows, rows, l->batch);
        return w;
    }
    w.amount[0] = rows * count_terms(l, weights);
    w.amount[1] = rows * weights;
    w.amount[2] = rows * (double)l->ci;
    w.amount[3] = rows * (double)l->co;
    return w;
}

Work layer_work(const Layer *l, const Options *opt)
{
    return l->kind == LAYER_FC ? fc_work(l, opt) : conv_work(l, opt);
}

double work_time(const Work *w, const Layer *l, const Options *opt)
{
    const Costs *c = find_target(opt->target)->costs;
    const double *price = (l->kind == LAYER_FC ? c->fc : c->conv)[layer_form(l, opt)];
    double time = 0;
    for (int i = 0; i < NUM_WORK; i++)
        time += price[i] * w->amount[i];
    return time;
}

const char *time_unit(const Options *opt)
{
    return find_target(opt->target)->unit;
}

const char *time_text(double time, const Options *opt)
{
    if (time < 0)
        return "-";
    if (find_target(opt->target)->instructions)
        return count_text((int64_t)time);
    return mem_printf(time < 1e4 ? "%.2f" : time < 1e5 ? "%.1f" : "%.0f", time / 1000);
}
