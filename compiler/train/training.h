/* training.h - training: the trainer and what its parts do. */
#ifndef TERNC_TRAINING_H
#define TERNC_TRAINING_H

#include "base/host.h"
#include "data/data.h"
#include "train/engine.h"

/* ---- what is minimised: train_loss.c ---- */

typedef enum LossKind { LOSS_LABELS, LOSS_TARGETS, LOSS_TEACHER_SCORES, LOSS_TEACHER_CLASSES } LossKind;

typedef struct Loss {
    LossKind kind;
    const Tensor *score; /* of the model */
    int64_t classes;     /* elements of the score per sample */
    bool compared;   /* LOSS_TEACHER_SCORES: they may be scores of classes, so their order counts as well */
    Engine *teacher; /* the float model; NULL: there are labels or targets */
} Loss;

typedef struct Judged {
    double loss;     /* of loss_judge: the sum over its samples; of judge_source: the mean */
    int64_t correct; /* samples whose best class is the label's or the teacher's */
    double accuracy; /* of judge_source: their share */
} Judged;

const Node *last_node(const Graph *g); /* that makes the output; what only views it is left out */
Loss loss_find(const Graph *g, const Dataset *d);
/* -sum q log p of n scores divided by heat, where q is 1 for the label or, if there is one, the teacher's
 * probability. grad += (p - q) / heat * factor; NULL: not wanted. */
double cross_entropy(const float *y, int64_t n, int64_t label, const float *teacher, double heat,
                     double factor, float *grad);
/* count samples of the batch are real, the others fill it up; grad NULL: not wanted. */
Judged loss_judge(const Loss *l, const Dataset *d, const int64_t *samples, int64_t count, int64_t batch,
                  const float *score, const float *teacher_score, float *grad);

/* ---- samples: train_data.c ---- */

typedef struct Source {
    const DataFeed *feed;
    int64_t first, count; /* samples in use */
} Source;

void order_samples(int64_t *order, const Source *s, uint64_t seed, int64_t epoch);
/* Sample i as input x, changed at random when the options ask for it. */
void draw_sample(const DataFeed *f, const TrainOptions *o, int64_t i, uint64_t seed, float *x);

/* ---- train_judge.c ---- */

/* Random changes to samples, drawn by key and sample. */
typedef struct Augment {
    const TrainOptions *o;
    uint64_t key;
} Augment;

Source source_open(const DataOptions *o, const Graph *g); /* all of --data, up to --limit */
/* held: --valid. */
void source_split(const DataOptions *o, const char *held, const Graph *g, Source *train, Source *valid);
/* Fills the engine's input, and the teacher's, with `count` samples; the first ones again where there are too
 * few. a NULL: as they are. */
void fill_batch(Engine *e, const Loss *l, const Source *s, const Augment *a, int64_t *samples, int64_t count);
const float *loss_teach(const Loss *l); /* the teacher's score of the batch; NULL: there is none */
Judged judge_source(Engine *e, const Loss *l, const Source *s);
bool loss_has_classes(const Loss *l);                               /* hits count, not only the loss */
const char *judged_text(const Loss *l, Judged j);                   /* "accuracy 99.10 %, loss 0.0312" */
void check_sample(const Source *s, int64_t sample, const float *x); /* fails on what is no number */
typedef struct Mismatch {
    int64_t element;
    double got, want;
} Mismatch;
/* Whether the engine's score of a sample is the evaluator's, of these inputs; else where it is not. */
bool sample_agrees(const Graph *g, const Tensor *score, const void *const *in, const float *got, Mismatch *m);
/* Fails when samples mix within a batch, or the engine computes anything else than the evaluator. */
void check_engine(Engine *e, const Graph *g, const Loss *l, const Source *s);

/* ---- ternary weights: latent.c ---- */

typedef struct TernaryWeight {
    const Param *p;
    Ternary box;   /* channels that have a scale of their own; one for the whole layer */
    bool normed;   /* BatchNormalization follows and takes up any scale */
    Param *scales; /* without it: trained, start at 1, in the blocks behind the graph's; NULL: none */
    uint8_t *kept; /* weights that are not zero, where there are no values; set by project */
    bool fixed;    /* STP: pruned, kept stays as it is */
    double *sums;  /* TWN, STP: a by channel, then room for another number by channel */
    float limit;   /* STP: threshold of this step */
    float *values; /* SCA: w, to be rounded to -1, 0, 1; set by project; else NULL */
    double alpha;  /* SCA */
    double lambda; /* SCA: now */
    double start;  /* SCA: distance when lambda began */
    double base;   /* SCA: scales are in units of this */
} TernaryWeight;

/* Runs BODY for each element i, in the order in which they lie, of its channel ch. */
#define FOR_CHANNELS(box, BODY)                                                                              \
    do {                                                                                                     \
        int64_t i = 0;                                                                                       \
        for (int64_t gr = 0; gr < (box)->groups; gr++)                                                       \
            for (int64_t mi = 0; mi < (box)->mid; mi++)                                                      \
                for (int64_t ch = gr * (box)->chan; ch < (gr + 1) * (box)->chan; ch++)                       \
                    for (int64_t in = 0; in < (box)->inner; in++, i++) {                                     \
                        BODY                                                                                 \
                    }                                                                                        \
    } while (0)

typedef struct Trainer Trainer;

/* BatchNormalization that takes up n's scale, or NULL. */
const Node *norm_behind(const Engine *e, const Node *n);
void latent_prepare(Trainer *t); /* after the engine: finds the weights, sets the latent ones */
void latent_project(const Trainer *t, bool hard); /* -> the engine's weights; hard: as they will be written */
void latent_chain(const Trainer *t);              /* the engine's gradients -> those of the latent weights */
double latent_zeros(const Trainer *t);            /* share of zeros in the last latent_project */
bool stage_is_last(const Trainer *t, int64_t epoch); /* the epoch may be the result */
const char *stage_name(const Trainer *t, int64_t epoch);

/* ---- methods ---- */

/* An option of one method alone. */
typedef struct Knob {
    const char *option; /* its name; NULL: the list has ended */
    size_t field;       /* of TrainOptions, a double; 0: it is no number */
    double value;       /* where the option is not given */
} Knob;

/* A way to train weights; one definition per name of graph/methods.def, in a file of its own in
 * passes/methods/. The loop reaches a method by this alone. A hook is NULL where nothing is to be done;
 * methods that make weights ternary have project and chain. */
typedef struct MethodDef {
    const char *name; /* as --method has it */
    bool needs_data;  /* nothing without training */
    /* defaults */
    int64_t epochs;
    int64_t recovery; /* at the end, with frozen weights: one epoch of so many, rounded up; 0: none */
    double rate, decay;
    bool adam;
    float threshold;   /* in training; 0: exact, or there is none */
    float sparsity;    /* 0: zeros are by another measure */
    const Knob *knobs; /* NULL: none */
    const Knob *zeros; /* the one of them that stands in for --threshold; NULL: none does */
    /* facts */
    const char *stages[2]; /* the second one: with last_stage */
    bool soft;             /* until frozen, weights and running statistics are not as they will be written */
    bool layer_scale;      /* with --granularity layer as well a scale is trained, one for the layer */
    bool undecayed;        /* latent weights are no weights: decay leaves them alone */
    /* The epoch that starts the last stage, whose epochs alone may be the result. NULL: one stage. */
    int64_t (*last_stage)(const Trainer *t);
    double (*schedule)(const Trainer *t); /* the rate at this step. NULL: a cosine over all epochs */
    void (*settings)(Text *s, const TrainOptions *o); /* adds what matters for the result, for the metadata */
    void (*start_epoch)(Trainer *t);
    void (*end_epoch)(Trainer *t, double distance);
    /* from the weights to what will be written, after project: for reports */
    double (*distance)(const Trainer *t);
    /* Whether w, as a checkpoint has it, can be so after t->epoch epochs. NULL: alpha, lambda and start must
     * be as they start, and nothing fixed. */
    bool (*resumes)(const Trainer *t, const TernaryWeight *w);
    /* of one weight */
    void (*start)(const Trainer *t, TernaryWeight *w); /* the model's weights become latent ones */
    void (*project)(const Trainer *t, TernaryWeight *w, bool hard); /* latent -> e->weights */
    /* t->grads by e->weights -> by latent weights and scales */
    void (*chain)(const Trainer *t, TernaryWeight *w);
} MethodDef;

/* ---- the trainer ---- */

typedef struct EpochRecord {
    int64_t epoch; /* from 1 */
    const char *stage;
    double loss, valid_loss, accuracy, sparsity, distance, rate, seconds;
    const double *zeros; /* by ternary weight */
} EpochRecord;

/* What is asked for. */
typedef struct TrainJob {
    const MethodDef *method;
    const Options *opt; /* opt->method is its key */
    const TrainOptions *train;
    const DataOptions *data;
    uint64_t seed;
    int threads;
    bool again;         /* the result is written as a model that can be trained again */
    const char *output; /* that comes of it: the checkpoint lies beside it where --checkpoint does not say */
} TrainJob;

struct Trainer {
    TrainJob job;
    const MethodDef *method;
    const Options *opt;
    const TrainOptions *o; /* defaults filled in */
    Graph *g;              /* one sample; gets the result */
    Engine *e;
    Loss loss;
    Source train, valid;
    ParamList params; /* the engine's, then the trainer's own */
    float *latent;    /* blocks of params: what is trained; the engine computes with their ternary form */
    float *grads, *first, *second; /* second: of Adam, else NULL */
    TernaryWeight *ternary;
    int num_ternary;
    const CodePlan *plan;  /* activations that are codes already in training; NULL: none */
    const Param **rounded; /* weights that will be codes but are not ternary */
    int num_rounded;
    int64_t epoch, step, steps_per_epoch;
    int64_t epochs;       /* in all; fewer than asked for when the weights are ternary early */
    int64_t freeze_epoch; /* starts with the ternary weights as they will be written; epochs: none does */
    bool frozen;          /* they are; scales, biases, norms and float layers are trained */
    /* the best epoch so far */
    Judged best;
    int64_t best_epoch;
    float *best_weights, *best_running;
    EpochRecord *history;
    int num_history;
    Judged of_float;                /* held-back data before training */
    const char *checkpoint;         /* path */
    uint64_t data_hash, model_hash; /* data with how it is read; the model as it came */
    Progress bar;
    int64_t first_epoch; /* of this process */
};

/* trainer.c */
typedef struct Training {
    const char *settings; /* for the metadata: all that matters for the result */
    const char *report;   /* for people: what came of it */
    const Source *valid;  /* held-back data, open */
    const Range *ranges;  /* by tensor id, of activations that were codes; NULL: none were */
} Training;
Training pass_train(Graph *g, const TrainJob *j); /* the graph's constants are trained */
/* Its parts, for tests: before the first epoch; on to the end, or until so many epochs are done. */
Trainer *trainer_new(Graph *g, const TrainJob *j);
void trainer_run(Trainer *t, int64_t until);

/* norms.c. Exporters write equal constants once, and norms start with equal running statistics: each gets its
 * own. */
void own_statistics(Graph *g);

/* train_codes.c */
bool trains_codes(const TrainJob *j);          /* activations are codes in training */
const CodePlan *plan_codes(const Trainer *t);  /* before there is an engine */
const Range *trained_ranges(const Trainer *t); /* of the best epoch */

/* train_optimizer.c */
/* Of the way from epoch to epoch, at this step. */
double epoch_share(const Trainer *t, double from, double to);
double cosine_fall(double p);            /* 1 at p = 0, 0 at p = 1 */
double optimizer_rate(const Trainer *t); /* at this step */
void optimizer_clip(const Trainer *t);   /* the engine's gradient, to --clip */
void optimizer_step(Trainer *t);

/* train_judge.c: whether the epoch may be the result, and is better than those before it. */
bool epoch_is_best(const Trainer *t, const EpochRecord *r);

/* checkpoint.c */
const char *checkpoint_path(const TrainJob *j);
void checkpoint_check(const char *path);   /* fails where none can be kept */
void checkpoint_remove(const TrainJob *j); /* the one that --checkpoint did not name */
void checkpoint_hash(Trainer *t);          /* sets data_hash and model_hash, once */
void checkpoint_write(const Trainer *t);
void checkpoint_read(Trainer *t); /* checkpoint_read.c */

/* plot.c */
void plot_write(const Trainer *t, const char *path);

#endif
