/* layers.h - number formats, targets, prices, strips, forms of layers; prints nothing. */
#ifndef TERNC_LAYERS_H
#define TERNC_LAYERS_H

#include "ops/ops.h"

/* format.c: the numbers that a layer computes with, and the vectors that hold them. */
typedef struct Format {
    DType act, acc;                 /* activations in memory, accumulators */
    const char *vec, *load, *store; /* runtime/: the vector type and its access macros */
    int max_lanes;                  /* the most lanes that a target may have: memory is rounded up to them */
} Format;
const Format *layer_format(const Layer *l);

/* target.c */
typedef struct BlockShape {
    int sums;   /* accumulators of an unrolled block, at most MAX_SUMS */
    int window; /* taps among which pairs are shared, at most MAX_WINDOW; 1: no sharing */
} BlockShape;
/* cost.c: how long layers take, by the prices of costs.def, which tests/tools/calibrate.c measures. */
enum { NUM_WORK = 7, NUM_FORMS = 6 };
/* Prices of Work.amount by form: unroll, sparse, packed, dense, small sparse, small packed. */
typedef struct Costs {
    double conv[NUM_FORMS][NUM_WORK], fc[NUM_FORMS][NUM_WORK];
} Costs;
typedef struct Unrolled { /* of one walk through the code */
    int pieces;           /* functions */
    int64_t terms;        /* weights that are not 0 */
    int64_t adds;         /* and subtracts that are left, those of pairs included */
    int64_t taps, pairs;  /* loads of inputs; shared pairs */
    int64_t moves;        /* loads and stores of accumulators, beginning with zeros */
} Unrolled;
/* What one run of a layer does in its lowering, as amounts that have a price each. */
typedef struct Work {
    double amount[NUM_WORK];
    int64_t terms, adds; /* unrolled: adds and subtracts, before and after sharing */
    Unrolled code;       /* unrolled: of all functions, once */
} Work;
Work layer_work(const Layer *l, const Options *opt);
int layer_form(const Layer *l, const Options *opt);                  /* its row of Costs */
double work_time(const Work *w, const Layer *l, const Options *opt); /* in the target's unit */
double outgrown(double adds); /* those adds if their code does not stay in the instruction cache, else 0 */

typedef struct Target {
    const char *name;                  /* of the machine that its prices were measured for */
    double conv_bytes[3], fc_bytes[3]; /* unrolled: per add, load of an input, load or store of a sum */
    int conv_code;                     /* bytes of a convolution's loops and epilogue, compiled for speed */
    BlockShape conv, fc;
    int sparse_sums; /* conv.sums where at most a quarter of the weights is left, so few pairs wait; 0: as many */
    const Costs *costs;
    int lanes;         /* of its vectors of floats */
    bool instructions; /* costs are instructions executed; else ns */
    const char *unit;  /* for people: instructions, or us, and of what machine */
    bool mixed;        /* may have a multiply-add unit that adds beside the adder */
    bool soft_float;   /* an add is a call, beside which the other costs of a form hardly count */
    bool small_tables; /* too little stack for the fast forms of tables */
} Target;

/* A machine that --target and --targets name: a row of targets.def, or one that the user describes. */
typedef struct Machine {
    const char *name, *aliases; /* aliases: exact names too, words with a space between two */
    const Target *prices;       /* several machines share them */
    const char *flags;          /* of clang */
    const char *about;
    int call_bytes;            /* that a call puts on the stack beside what clang reports as the caller's frame */
    bool copies_constants;     /* to RAM when the program starts, but those in .progmem */
    const Target *size_prices; /* that `ternc size` chooses forms by; NULL: the same */
} Machine;
extern const Machine machine_table[];
extern const int num_machines;
const char *host_target(void); /* the machine of the table that this one is */

/* target_names.c */
const Target *find_target(const char *name);   /* of a machine that there is; NULL: of "generic" */
const Machine *find_machine(const char *name); /* by name or alias, in capitals too; NULL: there is none */
const char *near_machines(const char *name);   /* of a wrong name, for messages: "; near ones: m3, m4", or "" */
char *machine_words(const Machine *m);         /* its name and aliases, with a space between two */

/* conv_strip.c: how a convolution is cut into strips of rows, blocks of output channels and parts.
 *
 * A part is a set of outputs with the same taps: a convolution has one; a transposed one has one for every residue of
 * the output position modulo the stride. Output (q, p) of a part lies at row row0 + q * row_step, column
 * col0 + p * col_step; its flat position in the accumulators is q * pitch + p. Its tap k reads input element
 * koff[k] + q * pitch + p of a channel's plane. */
typedef struct ConvPart {
    int64_t row0, row_step, col0, col_step;
    int64_t rows, cols;  /* outputs; with fused pooling only the rows that pooling reads */
    const int64_t *koff; /* [kh * kw]; NO_TAP where a tap has no part in these outputs */
} ConvPart;

enum { NO_TAP = INT32_MIN };

typedef struct ConvStrip {
    bool split; /* nothing is staged: the borders are cut off each tap's rows */
    bool skips; /* vectors of accumulators skip what lies between the rows; else they cover all from first to last */
    int num_parts;
    ConvPart *parts;
    int64_t rows;                        /* output rows of a strip, per part */
    int64_t total_rows;                  /* the most rows of any part */
    int64_t pitch;                       /* elements between input rows, and between accumulator rows */
    int64_t plane;                       /* elements between input channels */
    int64_t top, left;                   /* staging: zeros before the image */
    int64_t phase_rows, phase_cols;      /* staging: phases, 1 but for strided convolutions */
    int64_t stage_rows;                  /* rows of one phase plane; its columns are `pitch` */
    int64_t staged;                      /* input channels staged at once; fewer than all: those of one block */
    int64_t block;                       /* output channels accumulated at once */
    int64_t acc_pitch;                   /* accumulators per output channel, a multiple of Format.max_lanes */
    int64_t stage_offset, scratch_bytes; /* accumulators first, then the staged input */
} ConvStrip;
ConvStrip conv_strip(const Layer *l, const Options *opt);
int64_t strip_vectors(const ConvStrip *s, int64_t rows, int64_t cols, int64_t lanes); /* that cover rows of outputs */
double strip_inputs(const Layer *l, const ConvStrip *s);                              /* staged for a strip */
int64_t conv_first_input(const Layer *l, const ConvStrip *s, int64_t output); /* staged first for this one's block */
bool conv_is_split(const Layer *l);                                           /* by its lowering and Layer.small */

/* share.c: the sums of a block over a window of taps, with pairs of variables shared between sums. */
enum { MAX_SUMS = 32 /* a bit of a mask for each */, MAX_WINDOW = 16, MAX_PAIRS = 32 };
typedef struct SharedPair {
    int a, b, sign; /* variable a + sign * b */
} SharedPair;
typedef struct Sharing {
    int taps, vars;                         /* variables: the taps, then one for each pair */
    uint32_t plus[MAX_WINDOW + MAX_PAIRS];  /* bit j: sum j adds the variable */
    uint32_t minus[MAX_WINDOW + MAX_PAIRS]; /* bit j: it subtracts it */
    SharedPair pairs[MAX_PAIRS];
} Sharing;
void share_pairs(Sharing *s);       /* from the taps, vars == taps, to fewest adds */
int sharing_adds(const Sharing *s); /* adds and subtracts, those of pairs included */

/* weight_tables.c: weights of a layer as the constant array that a lowering but `unroll` reads. */
typedef struct WeightTable {
    DType dtype;
    void *data;
    int64_t len; /* elements */
} WeightTable;
bool decodes_ternary(const Layer *l); /* its lowering is sparse or packed */
/* block: output channels that `dense` interleaves, 1: none. */
WeightTable weight_table(const Layer *l, Lowering form, int64_t block);

/* How a run of a convolution goes through the weights of a part. */
typedef struct ConvWalk {
    int64_t strips;    /* how often */
    int64_t vectors;   /* steps of vectors, each with all weights */
    int64_t positions; /* outputs of a channel */
    double staged;     /* inputs, for all parts */
    Unrolled code;     /* if it is unrolled */
} ConvWalk;
int conv_walks(const Layer *l, const Options *opt, const ConvWalk **walks); /* how many parts */
void add_unrolled(Unrolled *sum, Unrolled u);
Unrolled fc_code(const Layer *l, const Options *opt); /* unrolled */

const char *time_unit(const Options *opt); /* of Layer.time once it went through time_text: "us on ..." */
const char *time_text(double time, const Options *opt);

/* ---- eval_layer.c ---- */

/* A fused layer, naive, accumulating in double. bound, if not NULL, gets per output element the largest rounding error
 * that float code may show: (n + 8) * 2^-24 * (sum |w x| * |scale| + |bias|) for the n non-zero weights of the channel,
 * times the activation's Lipschitz bound, plus the rounding of a sigmoid, tanh, hard activation or average itself. */
void eval_layer(const Layer *l, const float *x, float *y, float *bound);

#endif
