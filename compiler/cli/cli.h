/* cli.h - the command line, and its commands. */
#ifndef TERNC_CLI_H
#define TERNC_CLI_H

#include "check/check.h"
#include "train/training.h"

/* ---- options.c ---- */

/* Every subcommand, in the order of the help text; cmd_NAME.c defines `int cmd_NAME`. */
#define COMMANDS(X) X(inspect) X(compile) X(ternarize) X(run) X(eval) X(check) X(size) X(bench)

typedef enum Command {
#define X(name) CMD_##name,
    COMMANDS(X)
#undef X
        NUM_COMMANDS
} Command;

/* The command line, parsed and checked. A field belongs to the option of its name in the table of
 * options_table.c and has its default where that option was not given. */
typedef struct CommandLine {
    Command command;
    const char *model; /* path, never NULL but with list_targets */
    Strings models;    /* of compile and size: one or more */
    Strings names;     /* --name: none, or one for each model */
    Options opt;       /* opt.name is never NULL: from --name or the model's file name */
    bool json, explain;
    Strings outputs; /* --output PATH or NAME=PATH; one path for compile and ternarize */
    Strings inputs;  /* --input PATH or NAME=PATH */
    DataOptions data;
    TrainOptions train; /* with data, of ternarize and compile */
    bool untrained;     /* --epochs 0: data is for --max-loss alone */
    bool sensitivity;   /* --sensitivity, of inspect */
    double max_loss;    /* --max-loss, points; negative: not given */
    bool automatic; /* --activations auto: int8 within max_loss, else float; opt.codes is int8 till then */
    int64_t memory; /* --memory, MiB; 0: by the size of the files */
    uint64_t seed;  /* --seed, default 1 */
    BuildOptions build;
    bool reference;  /* --reference, of eval */
    int threads;     /* --threads, default: free_cores */
    int64_t samples; /* --samples, of random input; default 2 */
    /* of bench */
    double seconds;    /* --seconds, default 2 */
    const char *rival; /* --rival FILE.so or NULL */
    bool layers;       /* --layers */
    /* of size */
    Method methods[NUM_METHODS]; /* --methods, default none, twn */
    int num_methods;
    Lowering lowerings[NUM_LOWERINGS]; /* --lowerings, default auto */
    int num_lowerings;                 /* of bench too, default auto, unroll, sparse, packed */
    Strings targets;                   /* --targets; none: host */
    Strings custom_targets;            /* --custom-target NAME[:TARGET]=FLAGS */
    bool list_operators;               /* inspect --operators */
    bool list_targets, csv;
    const char *html;          /* --html FILE or NULL */
    const char *baseline;      /* --baseline FILE or NULL */
    const char *save_baseline; /* --save-baseline FILE or NULL */
    double tolerance;          /* --tolerance, percent; default 0 */
    Budget budget;
} CommandLine;

/* Fails with `usage`. Returns NULL after printing --help or --version to stdout. */
const CommandLine *options_parse(int argc, char **argv);

/* What training and comparing are given of it. */
TrainJob train_job(const CommandLine *c);
CheckInputs check_inputs(const CommandLine *c);

#define X(name) int cmd_##name(const CommandLine *c); /* returns the exit code */
COMMANDS(X)
#undef X

/* ---- max_loss.c ---- */

void print_sensitivity(const CommandLine *c); /* inspect --sensitivity */
/* The command line with the --keep that --max-loss asks for; itself where that was not given. Reads the
 * model. */
const CommandLine *keep_within_loss(const CommandLine *c);

/* ---- choose_activations.c ---- */

/* The command line with the activations that --activations auto chooses; itself where that was not given.
 * Reads the model. */
const CommandLine *choose_activations(const CommandLine *c);

/* ---- operators.c ---- */

void print_operators(FILE *f); /* the table for users, in Markdown */

#endif
