/* methods.h - the ways to make weights ternary by training: their table, and what they are made of. */
#ifndef TERNC_METHODS_H
#define TERNC_METHODS_H

#include "train/training.h"

#define METHOD(name, key) extern const MethodDef method_##name;
#include "graph/methods.def"
#undef METHOD

/* methods.c */
const MethodDef *method_def(Method m);
Method method_at(int i);         /* in the order of help, i < NUM_METHODS */
void set_knobs(TrainOptions *o); /* those of all methods, to their defaults */
double knob_value(const Knob *k, const TrainOptions *o);

/* magnitude.c. At or below this magnitude a share s of the weights lies; at least one weight lies above. */
float magnitude_quantile(const float *w, int64_t n, double s);

/* straight_through.c */
void keep_above(const TernaryWeight *w, const float *latent, float limit); /* sets w->kept */
void project_kept(const Trainer *t, const TernaryWeight *w);               /* by w->kept */
void chain_kept(const Trainer *t, TernaryWeight *w);

/* sca.c */
double sca_slope(double w, double alpha);           /* of the regulariser, by theta */
float sca_round(float w);                           /* -1, 0, 1 */
void sca_steer(const Trainer *t, TernaryWeight *w); /* w->lambda for this step */
double sca_distance(const Trainer *t); /* of w to -1, 0, 1 after latent_project: mean of the worst layer */
void sca_end_epoch(Trainer *t, double distance); /* the stage ends once the weights are near 0 and 1 */

/* stp.c */
int64_t stp_prune_epoch(const Trainer *t);
double stp_sparsity(const Trainer *t); /* least one of this step */
/* Of layer w, when s is asked for. */
double stp_layer_sparsity(const Trainer *t, const TernaryWeight *w, double s);

#endif
