/* cli.h - what stands around the compiler: the command line, files and data sets, reports, other programs. Passes and
 * emitters need none of it. */
#ifndef TERNC_CLI_H
#define TERNC_CLI_H

#include "graph/ir.h"

/* ---------------------------------------------------------------- the command line: options.c ---- */

/* Every subcommand, in the order of the help text; cmd_NAME.c defines `int cmd_NAME`. */
#define COMMANDS(X) X(inspect) X(compile) X(ternarize) X(run) X(eval) X(check) X(size) X(bench)

typedef enum Command {
#define X(name) CMD_##name,
    COMMANDS(X)
#undef X
        NUM_COMMANDS
} Command;

/* The command line, parsed and checked. A field belongs to the option of its name in the table of options_table.c and
 * has its default where that option was not given. */
typedef struct CommandLine {
    Command command;
    const char *model; /* path, never NULL but with list_targets */
    Strings models;    /* of compile and size: one or more */
    Strings names;     /* --name: none, or one for each model */
    Options opt;       /* opt.name is never NULL: from --name or the model's file name */
    bool json, explain;
    Strings outputs;    /* --output PATH or NAME=PATH; one path for compile and ternarize */
    Strings inputs;     /* --input PATH or NAME=PATH */
    const char *data;   /* --data SPEC or NULL */
    TrainOptions train; /* with data, of ternarize and compile */
    bool untrained;     /* --epochs 0: data is for --max-loss alone */
    bool sensitivity;   /* --sensitivity, of inspect */
    double max_loss;    /* --max-loss, points; negative: not given */
    double scale;       /* --scale, default 1 */
    Numbers mean;       /* --mean, one or one per channel; none: 0 */
    Numbers std;        /* --std, likewise; none: 1 */
    bool nhwc;          /* --layout nhwc: the data's images are [height][width][channels] */
    int64_t memory;     /* --memory, MiB; 0: by the size of the files */
    int64_t limit;      /* --limit, samples; 0: all */
    int threads;        /* --threads, default: the machine's cores */
    uint64_t seed;      /* --seed, default 1 */
    const char *cc;     /* --cc, default clang */
    const char *cflags; /* --cflags, default: recommended_flags, bench: with -march=native */
    int64_t samples;    /* --samples, of random input; default 2 */
    /* of bench */
    double seconds;    /* --seconds, default 2 */
    const char *rival; /* --rival FILE.so or NULL */
    bool layers;       /* --layers */
    /* of size */
    Method methods[4]; /* --methods, default none, twn */
    int num_methods;
    Lowering lowerings[5];  /* --lowerings, default auto */
    int num_lowerings;      /* of bench too, default auto, unroll, sparse, packed */
    Strings targets;        /* --targets; none: host */
    Strings custom_targets; /* --custom-target NAME=FLAGS */
    bool list_operators;    /* inspect --operators */
    bool list_targets, csv, no_cache;
    const char *html;          /* --html FILE or NULL */
    const char *baseline;      /* --baseline FILE or NULL */
    const char *save_baseline; /* --save-baseline FILE or NULL */
    double tolerance;          /* --tolerance, percent; default 0 */
    int64_t max_flash;         /* --max-flash, bytes; -1: no limit */
    int64_t max_ram;           /* --max-ram, likewise */
} CommandLine;

/* Fails with `usage`. Returns NULL after printing --help or --version to stdout. */
const CommandLine *options_parse(int argc, char **argv);

#define X(name) int cmd_##name(const CommandLine *c); /* returns the exit code */
COMMANDS(X)
#undef X

/* ---------------------------------------------------------------- files.c, npy.c, dataset.c ---- */

/* Inputs or outputs of a model, as the command line names them. */
typedef struct Edges {
    const char *option; /* "input", "output": for messages */
    Tensor *const *items;
    int count;
} Edges;
/* The path for each edge out of "NAME=PATH" and, in order of what is left, "PATH"; NULL for an edge without one. */
const char **assign_paths(const Graph *g, const Edges *e, Strings given);
/* The values of all inputs from .npy or .pb files (--input). Fails unless each has one of its own type. */
const void **read_inputs(const Graph *g, Strings given);

/* Arrays of NumPy's .npy format: any byte order and element order in, little-endian C order out; float16 is widened. */
Tensor *npy_read(const char *path);
Tensor *npy_parse(const char *path, const uint8_t *data, size_t len); /* path: for messages; data must stay */
void npy_write(const char *path, Type t, const void *data);

/* Samples, and a class per sample. */
typedef struct Dataset {
    const char *spec;      /* for messages */
    int64_t count;         /* samples */
    Type sample;           /* element type and shape of one, as the file has it */
    const uint8_t *values; /* count samples, dense */
    const int64_t *labels; /* NULL: none */
    const float *targets;  /* in place of labels, target_size numbers per sample; NULL: none */
    int64_t target_size;
    bool nhwc; /* sample is [height][width][channels] */
} Dataset;
Dataset *data_open(const char *spec, bool nhwc);
void data_check_labels(const Dataset *d, const Graph *g, int64_t classes); /* fails on one that the model has not */
/* How samples become a model's input: checked once, then data_sample writes sample i as type_elems(input) floats,
 * (raw * scale - mean) / std, in the channel order that the model's shape asks for. */
typedef struct DataFeed {
    const Dataset *data;
    Type input;     /* of the model */
    int64_t c, hw;  /* channels, positions per channel */
    bool transpose; /* the model has the other channel order */
    double scale;
    const double *mean, *std; /* [c] */
} DataFeed;
DataFeed *data_feed(const Dataset *d, const Graph *g, const CommandLine *c);
void data_sample(const DataFeed *f, int64_t i, float *x);

/* ---------------------------------------------------------------- report.c, progress.c ---- */

/* A table of text columns for people. Columns are split at '\t'; one whose heading starts with '>' is right-aligned. */
typedef struct Table Table;
Table *table_new(const char *headings);
void table_row(Table *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void table_print(const Table *t, FILE *f);
const char *method_name(Method m);                /* as --method has it */
const char *count_text(int64_t n);                /* "1,234,567" */
const char *short_text(const char *s, int bytes); /* cut at a character, ending in "...", when it is longer */
const char *xml_text(const char *s);              /* with &lt; and the like: names of models may hold anything */

double seconds_now(void); /* of a clock that only runs forward */

/* A bar on stderr, only on a terminal and only once a second has passed. */
typedef struct Progress {
    const char *label;
    int64_t total;
    bool tty, shown;
    double start, last; /* seconds */
} Progress;
void progress_begin(Progress *p, const char *label, int64_t total);
bool progress_due(const Progress *p); /* whether the next update shows anything: for costly labels */
void progress_update(Progress *p, int64_t done);
void progress_end(Progress *p); /* wipes the bar */

/* ---------------------------------------------------------------- checkpoint.c, max_loss.c ---- */

void checkpoint_remove(const CommandLine *c); /* the one that --checkpoint did not name */

void print_sensitivity(const CommandLine *c); /* inspect --sensitivity */
/* The command line with the --keep that --max-loss asks for; itself where that was not given. Reads the model. */
const CommandLine *keep_within_loss(const CommandLine *c);

/* ---------------------------------------------------------------- cc.c ---- */

const char *temp_folder(void);        /* a new one, removed with all in it when the process exits, */
void temp_remove(const char *folder); /* or now */
void file_write(const char *path, const void *data, size_t len);
void file_write_lines(const char *path, const char *const *lines); /* NULL ends them */
/* Runs argv[0] from PATH and waits; what it printed is added to `out` and `err`. Returns its exit code, 128 + the
 * signal that ended it, or 127 with a message in `err` when it cannot be run. */
int run_program(char *const argv[], Text *out, Text *err);
FILE *temp_file(void);            /* for what a program prints, */
void read_back(FILE *f, Text *t); /* which this adds to t; closes f */
/* The exit code of a child, as run_program's; *child -1: of the first that ends, which *child names then. */
int wait_program(int *child);
/* The C compiler on files and further arguments (NULL at the end); cc and flags are split at spaces. cc_try returns
 * false, with the compiler's messages in `err`, where cc_compile fails. */
bool cc_try(const char *cc, const char *flags, const char *const *files, Text *err);
void cc_compile(const char *cc, const char *flags, const char *const *files);
/* The same without waiting: returns the child for wait_program; all that the compiler prints goes to err. */
int cc_start(const char *cc, const char *flags, const char *const *files, FILE *err);

/* ---------------------------------------------------------------- size*.c ---- */

/* Fails when the compiled plan takes more than --max-flash or --max-ram on --target, naming the layers. */
void check_budget(const Plan *p, const CommandLine *c);

#endif
