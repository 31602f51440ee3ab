/* calibrate.h - ranges of activations on samples. */
#ifndef TERNC_CALIBRATE_H
#define TERNC_CALIBRATE_H

#include "train/training.h"

/* By tensor id, of every float tensor that is computed. */
Range *calibrate(const Graph *g, const Source *s, CalibrationRule rule, int threads);

#endif
