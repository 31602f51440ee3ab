/* format.c - number formats of layers. Everything that the emitter and the planner know of the type and the vector
 * shape of activations and accumulators comes from here; 32-bit floats are the only format so far. */
#include "layers/layers.h"

static const Format float_format = {
    .act = DT_F32,
    .acc = DT_F32,
    .vec = "tn_vec",
    .load = "TN_LOAD",
    .store = "TN_STORE",
    .max_lanes = 16,
};

const Format *layer_format(const Layer *l)
{
    (void)l;
    return &float_format;
}
