/* prices.c - the rows of costs.def that a layer has in its form and number format. */
#include "layers/layers.h"

/* Soft-float convolutions have small tables only; transposed ones, which have none, are taken to cost the
 * same. */
FormId price_row(const Layer *l, const Options *opt)
{
    return l->kind != LAYER_FC && find_core(opt->target)->soft_float ? l->form->small_id : l->form->id;
}

CodeRow code_row(const Layer *l)
{
    return l->form->unrolled ? layer_format(l)->prices : l->form->prices;
}

bool has_code_prices(const Layer *l, const Options *opt)
{
    return l->quantised && find_core(opt->target)->code_costs;
}

bool has_code_bytes(const Layer *l, const Options *opt)
{
    return l->quantised && find_core(opt->target)->code_bytes;
}

const double *layer_prices(const Layer *l, const Options *opt)
{
    const Core *core = find_core(opt->target);
    if (has_code_prices(l, opt))
        return (l->kind == LAYER_FC ? core->code_costs->fc : core->code_costs->conv)[code_row(l)];
    return (l->kind == LAYER_FC ? core->costs->fc : core->costs->conv)[price_row(l, opt)];
}

void code_bytes_amounts(const Layer *l, const Unrolled *u, Optimize aim, double amount[NUM_BYTES])
{
    const bool pools = l->pool.kind != POOL_NONE, small = aim == OPTIMIZE_SIZE;
    amount[0] = (double)u->adds;
    amount[1] = (double)u->taps;
    amount[2] = (double)u->moves;
    amount[3] = u->functions;
    amount[4] = !small;
    amount[5] = small;
    amount[6] = pools && !small;
    amount[7] = pools && small;
}

int64_t code_bytes(const Layer *l, const Unrolled *u, const Options *opt)
{
    const CodeBytes *c = find_core(opt->target)->code_bytes;
    const double *price = (l->kind == LAYER_FC ? c->fc : c->conv)[code_row(l)];
    double amount[NUM_BYTES], bytes = 0;
    code_bytes_amounts(l, u, opt->optimize, amount);
    for (int i = 0; i < NUM_BYTES; i++)
        bytes += price[i] * amount[i];
    return (int64_t)bytes;
}
