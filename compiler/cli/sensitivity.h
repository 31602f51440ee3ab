/* sensitivity.h - what ternary weights cost, for inspect --sensitivity and --max-loss. */
#ifndef TERNC_SENSITIVITY_H
#define TERNC_SENSITIVITY_H

#include "train/training.h"

typedef struct SensitiveLayer {
    const Node *n;
    int row;          /* of its weights */
    const Tensor *t;  /* ternary weights */
    const char *name; /* of the weight in the model */
    const float *plain;
    int64_t weights, zeros;
    bool kept;    /* in float */
    Judged alone; /* with this layer alone ternary; after sensitivity_measure */
} SensitiveLayer;

typedef struct Sensitivity {
    SensitiveLayer *layers; /* in execution order, without those that are ternary already */
    int count;
    Engine *e;
    Loss loss;
    Source source;
    Judged of_float, of_ternary; /* of_ternary: all but the kept ones */
} Sensitivity;

Graph *float_graph(const CommandLine *c); /* the model as training sees it, which the source must fit */
Sensitivity *sensitivity_new(const CommandLine *c, Graph *plain, const Source *source);
void sensitivity_free(Sensitivity *s);
void sensitivity_measure(Sensitivity *s);
double sensitivity_cost(const Sensitivity *s, Judged j); /* points of accuracy */
/* Keeps layers in float, fewest weights first, until the others cost at most this; then gives back those that
 * turn out not to be needed, most weights first. */
void sensitivity_choose(Sensitivity *s, double points);
/* "accuracy" with labels; without, how often float's best class stays the best. NULL: no classes. */
const char *sensitivity_measure_name(const Sensitivity *s);
const char *const *sensitivity_keep(const Sensitivity *s, int *count); /* names for --keep */

#endif
