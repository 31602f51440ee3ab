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
/* For as many samples at once as `batch`, if samples do not mix in one; else for one. */
Engine *samples_engine(const Graph *g, const Tensor *y, const Samples *s, int64_t batch, int threads);
void samples_fill(Engine *e, const Samples *s,
                  int64_t at); /* from sample `at` on, filled up with the last one */

/* norms.c: the means and variances of BatchNormalization, of a graph without Dropout, as they are on the
 * samples; as they were where samples mix, or are few. */
void estimate_norms(Graph *g, const Samples *s, int threads);
/* By tensor id, of every float tensor that is computed. */
Range *calibrate(const Graph *g, const Samples *s, CalibrationRule rule, int threads);

#endif
