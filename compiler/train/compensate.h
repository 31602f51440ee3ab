/* compensate.h - ternary weights by samples without labels, without training. */
#ifndef TERNC_COMPENSATE_H
#define TERNC_COMPENSATE_H

#include "train/calibrate.h"

/* Weights that are to become ternary do, by what they make of the samples; those for which that is not
 * possible stay as they are, and the result is false. Biases and means of BatchNormalization follow. Of a
 * graph without Dropout. */
bool compensate_weights(Graph *g, const Samples *s, const Options *opt);

#endif
