/* ternary_fit.h - ternary weights of a layer by what they make of given inputs. */
#ifndef TERNC_TERNARY_FIT_H
#define TERNC_TERNARY_FIT_H

#include "base/base.h"

/* Channel c, of group c / chan, sees the n inputs of its group. Sums are over all positions of all samples.
 */
typedef struct FitProblem {
    int64_t groups, chan, n;
    float *h;       /* [groups][n][n]: of products of two inputs; gets a small part of its diagonal added */
    float *b;       /* [channels][n]: of products of an input and the wanted output; follows h */
    const float *w; /* [channels][n]: weights that are wanted where inputs do not tell */
    const int8_t *codes; /* [channels][n]: zeros that stay, all else has a sign; NULL: any may be zero */
    bool one_scale;      /* for all channels */
} FitProblem;

/* codes: [channels][n]; scales: by channel. False, with nothing done: the sums are not finite. */
bool fit_ternary(FitProblem *p, int8_t *codes, float *scales);

#endif
