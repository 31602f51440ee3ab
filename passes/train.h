/* train.h - training, shared by passes/train*.c: the trainer and what its parts do. */
#ifndef TERNC_PASSES_TRAIN_H
#define TERNC_PASSES_TRAIN_H

#include "../compiler/cli.h"
#include "../compiler/train.h"

/* ---- what is minimised: train_loss.c ---- */

typedef enum LossKind { LOSS_LABELS, LOSS_TARGETS, LOSS_TEACHER_SCORES, LOSS_TEACHER_CLASSES } LossKind;

typedef struct Loss {
    LossKind kind;
    const Tensor *score; /* of the model */
    int64_t classes;     /* elements of the score per sample */
    Engine *teacher;     /* the float model; NULL: there are labels or targets */
} Loss;

typedef struct Judged {
    double loss;     /* sum over samples */
    int64_t correct; /* samples whose best class is the label's or the teacher's */
} Judged;

Loss loss_find(const Graph *g, const Dataset *d);
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
uint64_t random_bits(uint64_t seed, uint64_t i); /* of a counter: nothing to save for a later resume */
double random_unit(uint64_t seed, uint64_t i);   /* [0, 1) */

/* ---- ternary weights: train_ternary.c ---- */

typedef struct TernaryWeight {
    const Param *p;
    Ternary box;       /* channels that have a scale of their own; one for the whole layer */
    bool normed;       /* BatchNormalization follows and takes up any scale */
    Param *scales;     /* SCA without it: trained, in the blocks behind the graph's; NULL else */
    double alpha;      /* SCA */
    uint8_t *mask;     /* STP: weights that may be non-zero; NULL before pruning */
    float *magnitudes; /* by channel: room for sums */
} TernaryWeight;

/* ---- the trainer ---- */

typedef struct EpochRecord {
    int64_t epoch; /* from 1 */
    const char *stage;
    double loss, valid_loss, accuracy, sparsity, distance, rate, seconds;
    const double *zeros; /* by ternary weight */
} EpochRecord;

typedef struct Trainer {
    const CommandLine *c;
    const Options *opt;
    const TrainOptions *o; /* defaults filled in */
    Graph *g;              /* one sample; gets the result */
    Engine *e;
    Loss loss;
    Source train, valid;
    ParamList params;              /* the engine's, then the trainer's own */
    float *latent;                 /* blocks of params: what is trained; the engine computes with their ternary form */
    float *grads, *first, *second; /* second: of Adam, else NULL */
    TernaryWeight *ternary;
    int num_ternary;
    const Param **norm_of; /* room */
    int64_t epoch, step, steps_per_epoch;
    bool frozen; /* SCA: rounded, only scales, biases and norms are trained */
    /* the best epoch so far */
    double best_accuracy, best_loss;
    int64_t best_epoch;
    float *best_weights, *best_running;
    EpochRecord *history;
    int num_history;
    double float_accuracy, float_loss;
    const char *checkpoint; /* path */
} Trainer;

/* train_ternary.c */
void ternary_prepare(Trainer *t);     /* after the engine: finds the weights, sets the latent ones */
void ternary_start_epoch(Trainer *t); /* changes of stage */
const char *ternary_stage(const Trainer *t, int64_t epoch);
bool ternary_eligible(const Trainer *t, int64_t epoch); /* may be the result */
void ternary_project(Trainer *t, bool hard); /* latent -> the engine's weights; hard: as they will be written */
void ternary_chain(Trainer *t); /* the engine's gradients -> those of the latent weights, with regularisers */
double ternary_distance(const Trainer *t); /* SCA: mean distance of |w| to {0, 1} */
bool ternary_needs_statistics(const Trainer *t);

/* train_optimizer.c */
double optimizer_rate(const Trainer *t); /* at this step */
void optimizer_step(Trainer *t);

/* compiler/checkpoint.c */
void checkpoint_write(const Trainer *t);
void checkpoint_read(Trainer *t);

/* compiler/plot.c */
void plot_write(const Trainer *t, const char *path);

#endif
