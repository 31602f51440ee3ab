/* eval.h - what the files of `ternc eval` share. */
#ifndef TERNC_EVAL_H
#define TERNC_EVAL_H

#include "check/check.h"
#include "cli/cli.h"

#include <stdatomic.h>

/* What the model's output is, read from the operator that makes it. */
typedef enum Scores { SCORES_LOGITS, SCORES_PROBABILITIES, SCORES_LOG_PROBABILITIES } Scores;

typedef struct Result {
    double loss;
    bool correct, nan;
} Result;

typedef struct EvalJob {
    const CommandLine *c;
    const Graph *g; /* ternary where that is asked for; not lowered */
    const DataFeed *feed;
    int64_t count, classes;
    Scores scores;
    Result *results;       /* by sample, in shared memory */
    _Atomic int64_t *done; /* samples, in shared memory */
    NetRun *net;           /* the generated C; NULL: the reference evaluator */
    const char *by;        /* of eval_run: what evaluated the samples */
} EvalJob;

/* Of all samples. */
typedef struct EvalScore {
    double accuracy, loss;
    int64_t count;
    const char *by; /* what evaluated them */
} EvalScore;

/* cmd_eval.c: the model on --data, as the options say. */
EvalScore eval_model(const CommandLine *c);
/* eval_run.c: the model with these options, ternary and of codes where they say so, as samples and scores
 * need it: what it takes and gives are floats. */
Model *eval_load(const CommandLine *c, const Options *opt);
/* eval_judge.c: y are the scores of this sample. */
void eval_judge(const EvalJob *j, int64_t sample, const float *y);
/* eval_run.c: all samples, by whatever is the fastest that can; says what it lacked. */
void eval_run(EvalJob *j);

#endif
