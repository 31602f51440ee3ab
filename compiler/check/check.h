/* check.h - what the files of `ternc check` share: check*.c, cmd_check.c and their tests. */
#ifndef TERNC_CHECK_H
#define TERNC_CHECK_H

#include "codegen/codegen.h"
#include "data/data.h"

/* What is checked: the generated C of a plan, built in a temporary folder together with a harness. */
typedef struct Program {
    const Plan *plan;
    const char *cc, *cflags;
    const char *folder;
    char *harness, *binary; /* paths; NULL: not yet compiled */
} Program;

/* Where the inputs of a comparison come from. */
typedef struct CheckInputs {
    Strings files;           /* --input; none: from data, */
    const DataOptions *data; /* or, without a specification, at random */
    int64_t samples;         /* at most */
    uint64_t seed;
} CheckInputs;

/* What comparing one node's outputs with the evaluator showed, over all samples. */
typedef struct NodeCheck {
    int64_t elements, wrong;
    double error; /* largest */
    double share; /* of its bound; 1 is the limit */
    char *first;  /* the first difference, as a sentence; NULL: none */
} NodeCheck;

/* What the impulses showed for one layer. */
typedef struct LayerCheck {
    const Layer *layer;
    bool driven;            /* with impulses: it has whole weights */
    int64_t weights, runs;  /* zeros included */
    int64_t checked;        /* accumulators */
    int64_t wrong, missing; /* of them; missing: reach an output and were not reported */
    int64_t stray;          /* reported for places that the layer does not have */
    int64_t extremes;       /* to which sums were driven */
    char *first;            /* the first wrong weight, as a sentence; NULL: none */
} LayerCheck;

typedef struct CheckReport {
    NodeCheck *nodes;   /* by node index */
    LayerCheck *layers; /* by Layer.index */
    int num_layers;
    Text problems; /* whatever else is wrong, a line each */
    bool passed;
} CheckReport;

void program_describe(const Program *p); /* check_model.c: model.h and the weights, for the harness */
const char *program_define(const Plan *plan);
/* Writes a model's files; the paths of those to compile, NULL at the end. */
const char **files_write(const SourceFiles *files, const char *folder);
/* Writes the harness to a temporary folder. */
Program *program_open(const Plan *plan, const char *cc, const char *cflags);
/* Compiles this text of the model (of emit_c) with the harness; false, with the compiler's words in err, when
 * it is refused. */
bool program_build(Program *p, const Text *c, const Text *h, Text *err);
bool program_build_files(Program *p, const SourceFiles *files, Text *err); /* the same of model_files */
void program_close(Program *p);                                            /* removes the folder */
CheckReport *report_new(const Plan *plan);
bool report_passed(const Plan *plan, const CheckReport *r);
int64_t layer_extremes(const Layer *l); /* of each channel's sum the largest and the least; floats: none */
/* Runs the harness; its findings go into the report. False when it did not end well. */
bool program_run(const Program *p, const char *const *args, CheckReport *r);
/* net_load.c: the generated C of a plan with one float input and one float output, built and loaded into this
 * process; it has one arena. NULL, with the reason in err. */
typedef void NetRun(const float *x, float *y);
NetRun *net_load(const Plan *plan, const char *cc, const char *cflags, Text *err);
/* check_inputs.c: sets[s][i] is the dense value of graph input i in sample s. */
const void *const *const *make_input_sets(const Graph *g, const CheckInputs *c, int *num_sets);
/* check_values.c */
void compare_values(const Program *p, const void *const *const *sets, int num_sets, CheckReport *r);
/* check_bounds.c: by how much output k may differ from `want`, per element; NO_BOUND: what its type cannot
 * hold may arise on the way, and any value will do. */
#define NO_BOUND (-1.0)
void node_bounds(const Graph *g, const Node *n, int k, const void *const *in, const void *want,
                 double *bound);
void layer_bounds(const Tensor *t, const float *layer_bound, double *bound); /* eval_layer's bound */
/* check_impulses.c */
void compare_impulses(const Program *p, CheckReport *r);

/* check_states.c: records[k] is a state behind a step, [batch][hidden], as the generated code reported it, in
 * the order [direction][step][h, c]. Each step is computed again from the states before it; outputs must be
 * the states. */
typedef struct StateCheck {
    const Node *n;
    const void *const *in; /* of the node */
    const void *const *records;
} StateCheck;
Tensor state_tensor(const StateCheck *s, int k); /* record k's name and type */
void state_wanted(const StateCheck *s, int k, void *want, double *bound);
void state_output_wanted(const StateCheck *s, int k, void *want); /* output k */

#endif
