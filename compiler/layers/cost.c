/* cost.c - how long a layer takes in its lowering: amounts of work, each at a price of costs.def.
 *
 * The amounts are exact: they come from the geometry and the weights as the emitter takes them. Prices are
 * measured by tests/tools/calibrate.c. A price is per amount, in this order:
 *
 * - Convolutions, unrolled: vectors * adds, vectors * loads of inputs, vectors * loads and stores of
 * accumulators, adds walked through where the code outgrows the instruction cache, vectors * shared pairs,
 * outputs, inputs staged.
 * - Convolutions, tables: vectors * weights not 0, vectors * weights, walks * weights not 0, walks * weights,
 * walks * channels, outputs, inputs staged. Of them small tables: the first two: vectors of rows * weights
 * not 0, outputs of rows beside these * weights not 0; the fifth: rows * weights not 0.
 * - Fully connected: as unrolled convolutions of one vector; tables: weights not 0, weights, inputs, outputs;
 * a price per row of the batch stands sixth.
 *
 * Layers of codes have more amounts, from the eighth on: channels of strips, vectors * functions; outputs
 * behind pooling by what makes them: comparisons, a table, 64 bits, or they are floats; rows of inputs
 * staged. Their tables of convolutions, which read inputs where they lie: positions * weights, walks *
 * weights of the table, walks * weights, rows * weights, positions * weights where zero is another code than
 * 0, outputs, positions * weights of kernels larger than 1x1; weights: those that are not 0, or all where
 * they are multiplied.
 *
 * vectors: steps of the target's lanes over the positions of a strip; tables go over those between rows as
 * well. walks: how often all weights are gone through, once per strip. Inputs that two strips read are staged
 * twice. */
#include "base/host.h"
#include "layers/layers.h"

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
    w->amount[8] += vectors * (double)u->functions;
}

/* Weights whose sign a table's kernel looks at. Dense tables do the same for every weight. */
static double table_terms(const Layer *l)
{
    return l->form->ternary ? (double)(layer_weight_count(l) - l->zeros) : 0;
}

/* ---- convolutions ---- */

void unrolled_conv_work(Work *w, const Layer *l, const ConvWalk *walk, const Options *opt)
{
    (void)l;
    enum { NEAR_ADDS = 60000 };
    add_code(w, &walk->code, (double)walk->strips, (double)walk->vectors, walk->positions);
    if (!find_core(opt->target)->instructions && walk->code.adds > NEAR_ADDS)
        w->far += (double)(walk->strips * walk->code.adds);
}

/* Small tables: each weight goes over the rows by itself: vectors, and what they leave of a row. */
static void set_small_table(Work *w, const Layer *l, const Options *opt)
{
    bool transposed = l->kind == LAYER_CONV_TRANSPOSE;
    int64_t lanes = l->sw > 1 ? 1 : format_lanes(layer_format(l), opt);
    int64_t cols = transposed ? l->iw : l->ow;
    double rows = (double)(l->batch * (transposed ? l->ih : l->oh)), terms = table_terms(l);
    w->amount[0] = rows * (double)(lanes > 1 ? cols / lanes : 0) * terms;
    w->amount[1] = rows * (double)(lanes > 1 ? cols % lanes : cols) * terms;
    w->amount[4] = rows * terms;
}

/* Tables of layers of codes: each weight goes over the rows of its strip, where they lie. */
static void set_code_table(Work *w, const Layer *l, const ConvWalk *walk)
{
    double weights = (double)layer_weight_count(l), strips = (double)walk->strips;
    double terms = l->form->ternary ? table_terms(l) : weights;
    double positions = (double)walk->positions;
    w->amount[0] = positions * terms;
    w->amount[1] = strips * weights;
    w->amount[2] = strips * terms;
    w->amount[3] = positions / (double)l->ow * terms;
    w->amount[4] = l->quantised->in_zero ? positions * terms : 0;
    w->amount[6] = l->kh * l->kw > 1 ? positions * terms : 0;
}

void table_conv_work(Work *w, const Layer *l, const ConvWalk *walk, const Options *opt)
{
    if (has_code_prices(l, opt)) {
        set_code_table(w, l, walk);
        return;
    }
    double vectors = (double)walk->vectors, strips = (double)walk->strips;
    double weights = (double)layer_weight_count(l), terms = table_terms(l);
    w->amount[0] += vectors * terms;
    w->amount[1] += vectors * weights;
    w->amount[2] += strips * terms;
    w->amount[3] += strips * weights;
    w->amount[4] += strips * (double)l->co;
    if (l->form->decodes && price_row(l, opt) == l->form->small_id)
        set_small_table(w, l, opt);
}

static Work conv_work(const Layer *l, const Options *opt)
{
    Work w = {0};
    const ConvWalk *walks;
    int parts = conv_walks(l, opt, &walks);
    w.amount[5] = (double)(l->batch * l->co * l->oh * l->ow);
    w.amount[6] = walks[0].staged;
    w.amount[13] = walks[0].rows;
    for (int i = 0; i < parts; i++) {
        w.amount[7] += (double)(walks[i].strips * l->co);
        l->form->conv_work(&w, l, &walks[i], opt);
    }
    return w;
}

/* ---- fully connected layers ---- */

void unrolled_fc_work(Work *w, const Layer *l, const Options *opt)
{
    Unrolled u = fc_code(l, opt);
    add_code(w, &u, (double)l->batch, (double)l->batch, l->batch);
}

void table_fc_work(Work *w, const Layer *l, const Options *opt)
{
    (void)opt;
    double rows = (double)l->batch;
    w->amount[0] = rows * table_terms(l);
    w->amount[1] = rows * (double)layer_weight_count(l);
    w->amount[2] = rows * (double)l->ci;
    w->amount[3] = rows * (double)l->co;
}

static Work fc_work(const Layer *l, const Options *opt)
{
    Work w = {0};
    w.amount[5] = (double)l->batch;
    l->form->fc_work(&w, l, opt);
    return w;
}

/* ---- all layers ---- */

/* Where the outputs of a layer of codes are counted, by how they become what they are. */
static int output_amount(const Layer *l, const Options *opt)
{
    enum { COMPARED = 9, CROPPED, WIDE, FLOATS };
    if (l->quantised->out == DT_F32)
        return FLOATS;
    if (l->quantised->wide)
        return WIDE;
    return crops_codes(l, opt) ? CROPPED : COMPARED;
}

static void add_outputs(Work *w, const Layer *l, const Options *opt)
{
    int64_t plane = l->pool.kind ? l->pool.oh * l->pool.ow : l->oh * l->ow;
    w->amount[output_amount(l, opt)] = (double)(l->batch * l->co * plane);
}

Work layer_work(const Layer *l, const Options *opt)
{
    Work w = l->kind == LAYER_FC ? fc_work(l, opt) : conv_work(l, opt);
    if (has_code_prices(l, opt))
        add_outputs(&w, l, opt);
    return w;
}

/* Of an add whose code comes from far, measured on a Zen 5: beside other layers' code that wants the same
 * cache, where layers of codes could multiply bytes instead; beside what floats could do, which is slower. */
static const double FAR_CODES_NS = 1, FAR_FLOATS_NS = 0.15;

double work_time(const Work *w, const Layer *l, const Options *opt)
{
    const double *price = layer_prices(l, opt);
    double time = (l->quantised ? FAR_CODES_NS : FAR_FLOATS_NS) * w->far;
    for (int i = 0; i < NUM_WORK; i++)
        time += price[i] * w->amount[i];
    return time;
}

const char *time_unit(const Options *opt)
{
    return find_core(opt->target)->unit;
}

const char *time_text(double time, const Options *opt)
{
    if (time < 0)
        return "-";
    if (find_core(opt->target)->instructions)
        return count_text((int64_t)time);
    if (time < 1e4)
        return mem_printf("%.2f", time / 1000);
    return mem_printf(time < 1e5 ? "%.1f" : "%.0f", time / 1000);
}
