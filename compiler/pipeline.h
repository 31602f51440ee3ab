/* pipeline.h - what happens to a model, in order. */
#ifndef TERNC_PIPELINE_H
#define TERNC_PIPELINE_H

#include "print/print.h"
#include "train/training.h"

/* read, upgrade, infer, fold, dce: a model as ternarisation sees it. */
Model *pipeline_load(const char *path, const Options *opt);
void pipeline_prepare(Model *m, const Options *opt); /* the same for a model that was read already */
/* Trains by j->opt->method; pipeline_ternarize then recognises the ternary weights. Once the result is
 * written, checkpoint_remove. */
Training pipeline_train(Model *m, const TrainJob *j);
/* ternarise (opt->method). */
void pipeline_ternarize(Model *m, const Options *opt);
/* The model for a file; the given one can still be reported on, and nothing else. */
Model *pipeline_store(const Model *given, const Options *opt);
/* fuse, lower, plan. */
Plan *pipeline_lower(Model *m, const Options *opt);

#endif
