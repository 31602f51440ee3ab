/* size.h - shared by the files of `ternc size` only: cmd_size.c says what is measured, size_build.c compiles
 * it, size_object.c reads the objects, size_count.c says what belongs to which layer, size_*.c print and
 * compare. */
#ifndef TERNC_SIZE_H
#define TERNC_SIZE_H

#include "base/host.h"
#include "layers/layers.h"
#include "print/print.h"

/* ---- size_targets.c ---- */

/* The machines that --targets names, in its order: from the table, or --custom-target NAME[:TARGET]=FLAGS. */
const Target *const *size_targets(Strings names, Strings custom, int *count);
void size_list_targets(FILE *f);

/* ---- size_build.c, size_cache.c ---- */

typedef struct Hash {
    uint64_t low, high;
} Hash;

/* One call of the compiler: net.c and net.h to an object and its stack report. Equal ones are made once. */
typedef struct SizeBuild {
    Hash key; /* of compiler, flags and all texts */
    const char *flags;
    const char *c, *h; /* texts */
    const char *label; /* for messages: "net.onnx, twn, auto, cortex-m4" */
    /* afterwards */
    const uint8_t *object; /* NULL: the compiler failed */
    size_t object_len;
    const char *stack; /* text of the .su file */
    const char *error; /* what the compiler said */
    bool cached;
    const char *folder; /* while it runs */
} SizeBuild;

typedef struct Builder {
    const char *cc, *cflags;
    const char *version; /* first line of `cc --version` */
    bool use_cache;
    int processes;
    SizeBuild **builds;
    int count, cap;
} Builder;

Builder *builder_new(const BuildOptions *o, int processes); /* at most so many at the same time */
/* The build of these texts for a machine; runs nothing yet. */
SizeBuild *builder_add(Builder *b, const Target *m, const char *c, const char *h, const char *label);
void builder_run(Builder *b);

/* NULL, or where the cache lies: $XDG_CACHE_HOME/ternc or ~/.cache/ternc, made if it is missing. */
const char *cache_folder(void);
bool cache_load(const char *folder, SizeBuild *b);
void cache_store(const char *folder, const SizeBuild *b);
void cache_expire(const char *folder); /* removes what nobody asked for in a month */

/* ---- size_object.c ---- */

/* What a loaded section is for. The first two lie in flash, data in flash and RAM, bss in RAM. */
typedef enum SectionKind {
    SECTION_CODE,
    SECTION_CONST,
    SECTION_DATA,
    SECTION_BSS,
    NUM_SECTION_KINDS
} SectionKind;

/* A loaded section, or a symbol inside one whose name says nothing of what it holds. */
typedef struct SizePart {
    const char *section; /* ".text.layer0" */
    const char *name;    /* "layer0" */
    SectionKind kind;
    int64_t bytes;
} SizePart;

/* Function `from` refers to function `to`; to == NULL: to a symbol that is not defined here. */
typedef struct SizeCall {
    const char *from, *to;
} SizeCall;

typedef struct SizeObject {
    SizePart *parts; /* in the object's order; not empty ones only */
    int num_parts;
    SizeCall *calls; /* ELF only */
    int num_calls;
    const char **undefined; /* sorted names */
    int num_undefined;
    bool is_wasm;                     /* sections are not divided by functions */
    int64_t total[NUM_SECTION_KINDS]; /* of all parts */
} SizeObject;

/* Fails unless it is ELF or WebAssembly. */
SizeObject *object_read(const uint8_t *data, size_t len, const char *label);
/* size_wasm.c: names of imported functions from the IMPORT section's contents. */
int wasm_imports(const uint8_t *data, size_t len, const char ***names);

/* ---- size_count.c ---- */

typedef struct SizeLayer {
    int index;
    const char *source, *lowering;
    bool ternary;
    const char *kind; /* of its weights: layer_weight_word */
    int64_t weights, zeros;
    double entropy;          /* bits per weight that no code of single weights goes under; 32 for float */
    int64_t code, constants; /* of its functions and tables */
} SizeLayer;

/* Something that no layer owns: a kernel, the run function, a literal pool. */
typedef struct SizeShared {
    const char *name, *what;
    int64_t code, constants;
} SizeShared;

/* A model with a method and a lowering on a target, measured. */
typedef struct SizeRow {
    const char *model, *method, *lowering;
    const Target *target;
    SizeBuild *build;
    const char *error; /* NULL: measured, and what follows is valid */
    SizeLayer *layers;
    int num_layers;
    SizeShared *shared;
    int num_shared;
    bool by_layer; /* layers and shared are divided; else shared is empty and the layers' bytes are 0 */
    int64_t code, constants, data, bss;
    int64_t arena;               /* bytes, as the header says */
    int64_t static_arena;        /* of them in bss */
    int64_t ram_constants;       /* constants that also lie in RAM: Target.copies_constants */
    int64_t stack;               /* -1: not known */
    int64_t weights;             /* of all layers */
    double entropy;              /* mean over the weights */
    const char *const *unlinked; /* not counted */
    int num_unlinked;
} SizeRow;

typedef struct SizeReport {
    SizeRow *rows; /* by model, method, lowering, target */
    int count;
    const char *compiler, *cflags, *optimize;
    bool explain; /* list what is shared */
} SizeReport;

void count_layers(SizeRow *r, const Plan *p); /* what the plan says, before the object is there */
void count_object(SizeRow *r);
int64_t row_flash(const SizeRow *r);
int64_t row_ram(const SizeRow *r); /* without the stack where it is not known */
int64_t shared_code(const SizeRow *r);
int64_t shared_constants(const SizeRow *r);
double bits_per_weight(int64_t bytes, int64_t weights); /* 0 without weights */
/* size_stack.c: worst case below `root`, by clang's frames and the calls; -1: not known. */
int64_t stack_depth(const char *su, const SizeObject *o, const char *root, int call_bytes);

/* ---- size_table.c, size_json.c, size_html.c, size_baseline.c ---- */

int size_end_of_model(const SizeReport *s, int first); /* behind the rows of the same model as row `first` */
void size_print_table(const SizeReport *s, FILE *f);
void size_print_csv(const SizeReport *s, FILE *f);
char *size_json(const SizeReport *s); /* to free() */
void size_print_html(const SizeReport *s, FILE *f);

typedef struct Baseline {
    const char *path;
    const struct cJSON *json; /* an earlier size_json */
} Baseline;
Baseline baseline_read(const char *path);
/* Prints what changed since then; returns how many combinations grew by more than tolerance percent in flash
 * or RAM. */
int baseline_compare(const Baseline *b, const SizeReport *s, double tolerance, FILE *f);

/* ---- size_budget.c ---- */

/* Fails when the compiled plan takes more than the budget on --target, naming the layers. */
void check_budget(const Plan *p, const Budget *budget, const BuildOptions *o);

#endif
