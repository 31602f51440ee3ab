/* options.h - what the command line says, as data for all that compiles, trains and measures. */
#ifndef TERNC_OPTIONS_H
#define TERNC_OPTIONS_H

#include "graph/ir.h"

typedef enum Method {
#define METHOD(name, key) METHOD_##name = key,
#include "graph/methods.def"
#undef METHOD
    NUM_METHODS
} Method;

typedef enum Optimize { OPTIMIZE_SPEED, OPTIMIZE_SIZE } Optimize;

typedef struct DimValue {
    const char *name;
    int64_t value;
} DimValue;

/* Channels in front of the positions of an image (signal, volume), or behind them. */
typedef enum ImageLayout { IMAGES_UNSAID, IMAGES_NCHW, IMAGES_NHWC } ImageLayout;

typedef struct LayoutWord {
    const char *input; /* NULL: all that are images */
    ImageLayout layout;
} LayoutWord;

typedef struct LayoutWords {
    const LayoutWord *items;
    int count;
} LayoutWords;

/* How the application's inputs differ from the model's. */
typedef struct InputForm {
    const char *const *uint8; /* --input-uint8 NAME: these inputs are pixels, (raw * scale - mean) / std */
    int num_uint8;
    LayoutWords layout; /* --layout: of what the application gives; none: as the model has them */
    double scale;       /* --scale */
    Numbers mean, std;  /* --mean, --std: none, one, or one per channel */
} InputForm;

/* --data and how its samples become inputs: (raw * scale - mean) / std. */
typedef struct DataOptions {
    const char *spec;   /* --data SPEC or NULL */
    double scale;       /* --scale, default 1 */
    Numbers mean;       /* --mean, one or one per channel; none: 0 */
    Numbers std;        /* --std, likewise; none: 1 */
    LayoutWords layout; /* --layout: of the samples */
    int64_t limit;      /* --limit, samples; 0: all */
} DataOptions;

/* How the range of an activation follows from what it is on samples. */
typedef enum CalibrationRule { CALIBRATE_PERCENTILE, CALIBRATE_MSE, CALIBRATE_MINMAX } CalibrationRule;
#define CALIBRATION_WORDS "percentile|mse|minmax" /* in their order */

/* What the values of a tensor are between, on samples. */
struct Range {
    float low, high;
    bool known;
};

/* How constants of some length are printed. */
typedef enum WeightText { WEIGHTS_AUTO, WEIGHTS_ARRAY, WEIGHTS_STRING, WEIGHTS_FILE } WeightText;
#define WEIGHT_WORDS "auto|array|string|file" /* in their order */

/* --split without a number: by the number of terms, or a single file. */
enum { SPLIT_AUTO, SPLIT_NONE = -1, MAX_SPLIT = 999 };

/* What activations are as codes. */
typedef struct CodeKind {
    const char *name;    /* of --activations and --io */
    DType positive, any; /* of tensors that have nothing below 0, and of others */
    bool centred;        /* zero points are 0 */
    bool tables; /* functions are tables; products and cells have integer code, as sums and averages have */
    bool snaps;  /* other runtimes multiply their sums, exact ones, too: scales are chosen for that */
} CodeKind;
#define CODE_WORDS "int8|int16" /* the names, in the order of code_kind */

/* What the command line says about one model; zero-initialised gives the documented defaults. */
typedef struct Options {
    Method method;
    bool per_layer;          /* --granularity layer; default channel */
    float threshold;         /* --threshold FACTOR: D = FACTOR * mean|W|; 0: exact */
    float sparsity;          /* --sparsity S: share of zeros per layer; 0: by threshold */
    const char *const *keep; /* --keep first,last,NAME...; NULL: { "last" } */
    int num_keep;            /* with keep != NULL */
    const DimValue *dims;    /* --dim NAME=N */
    int num_dims;
    Strings consts;           /* --const NAME=FILE: inputs whose values are known */
    LayoutWords model_layout; /* --model-layout: of the model's own inputs */
    Optimize optimize;
    Lowering lowering;
    const char *target; /* --target, a name of targets.def; NULL: "generic" */
    const char *name;   /* --name ID; NULL: from the file name */
    InputForm input;
    const CodeKind *codes;            /* --activations int8 or int16; NULL: float */
    bool powers;                      /* --scales pow2: steps are powers of two, layers shift */
    bool keep_float;                  /* --keep-as float: with codes, what is kept computes in float */
    const CodeKind *io;               /* --io int8 or int16: inputs and outputs are codes; NULL: float */
    Strings calibrate;                /* --calibrate: samples for their ranges, for each input; */
    bool fit;                         /* weights become ternary by these samples */
    DataOptions calibration;          /* how they become inputs; spec is not used */
    CalibrationRule calibration_rule; /* --calibration */
    int threads;                      /* --threads, of calibration */
    WeightText weights;               /* --weights */
    bool float_guard;                 /* --float-guard: the run functions refuse NaN and infinity in inputs */
    int split;                        /* --split: C files for unrolled terms beside NAME.c, or a word */
    bool train;                       /* pass_fold_for_training in place of pass_fold */
    const char *dump;                 /* --dump PASS or NULL */
    bool time_passes;                 /* --time */
    bool quiet;                       /* no notes on stderr */
} Options;

/* How weights are trained; 0 and NULL where the option was not given, unless said otherwise. */
typedef struct TrainOptions {
    const char *valid; /* --valid: a data set, or how many of the last training samples are held back */
    int64_t epochs;    /* --epochs */
    int64_t recovery;  /* of them at the end, with frozen weights: SCA; set by training */
    int64_t batch;     /* --batch */
    double rate;       /* --lr */
    double momentum;   /* --momentum, default 0.9 */
    double decay;      /* --weight-decay; negative: not given */
    double clip;       /* --clip, default 10; 0: not at all */
    bool adam, optimizer_given;
    bool step_schedule;      /* --schedule step; default cosine */
    double alpha;            /* --alpha; this and the next have defaults by their methods */
    double lambda;           /* --lambda */
    double eta;              /* --eta */
    double pull;             /* --pull */
    bool sparsity_per_layer; /* --sparsity-scope layer; default global */
    bool flip;               /* --augment flip */
    int64_t crop;            /* --augment crop=N */
    const char *log, *plot, *checkpoint;
    bool resume;
} TrainOptions;

/* The compiler of generated C, and how it is called. */
typedef struct BuildOptions {
    const char *cc;     /* --cc, default clang; NULL: eval takes what there is */
    const char *cflags; /* --cflags, default: recommended_flags, bench and eval: with -march=native */
    bool no_cache;      /* --no-cache: objects are neither taken from the cache nor put there */
} BuildOptions;

/* What a program may take; bytes, -1: no limit. */
typedef struct Budget {
    int64_t max_flash; /* --max-flash */
    int64_t max_ram;   /* --max-ram */
} Budget;

/* ---- code_kinds.c ---- */

const CodeKind *code_kind(int i); /* of CODE_WORDS */

/* ---- layouts.c ---- */

const char *layout_name(ImageLayout l); /* as --layout has it */
/* What the words say of an input: the one with its name before the one for all; NULL: nothing. */
const LayoutWord *layout_word(const LayoutWords *words, const char *input);
/* Fails on a word for an input that the model has not. */
void check_layout_names(const Graph *g, const LayoutWords *words, const char *option);

#endif
