/* ranges.h - ranges of values, for codes of them. */
#ifndef TERNC_RANGES_H
#define TERNC_RANGES_H

#include "graph/options.h"

typedef struct Histogram {
    int64_t *bins; /* NULL: of nothing */
    double low, high;
    bool finite;
} Histogram;

Histogram histogram_new(void);
/* Of all values first, then of all values again; then the range. */
void see_range(Histogram *h, const float *v, int64_t n);
void count_values(Histogram *h, const float *v, int64_t n);             /* minmax does without */
Range choose_range(const Histogram *h, CalibrationRule rule);           /* not finite where a value is not */
Range range_of_values(const float *v, int64_t n, CalibrationRule rule); /* of these alone */
const char *calibration_name(CalibrationRule rule);                     /* as --calibration has it */

#endif
