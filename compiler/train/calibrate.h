/* calibrate.h - ranges of activations on samples. */
#ifndef TERNC_CALIBRATE_H
#define TERNC_CALIBRATE_H

#include "train/training.h"

/* Samples of all inputs. */
typedef struct Samples {
    Source *sources; /* by input */
    int64_t count;   /* in use */
} Samples;

Samples samples_open(const Graph *g, const Options *opt); /* those of --calibrate */
/* By tensor id, of every float tensor that is computed. */
Range *calibrate(const Graph *g, const Samples *s, CalibrationRule rule, int threads);

#endif
