/* layers.h - number formats, targets, prices, strips, forms of layers; prints nothing. */
#ifndef TERNC_LAYERS_H
#define TERNC_LAYERS_H

#include "ops/ops.h"

/* Rows of the prices of layers of codes (costs.def): of unrolled ones by their number format, else by form.
 */
typedef enum CodeRow {
#define CODE_ROW(name) CODES_##name,
#include "layers/code_rows.def"
#undef CODE_ROW
    NUM_CODE_ROWS
} CodeRow;

/* ---- format.c ---- */

/* The numbers that a layer computes with, and how runtime/ holds them. Everything that kernels, planner,
 * check and header need of a type comes from here; inputs and outputs are those of the layer. */
typedef struct Format {
    const char *name;   /* for people */
    const char *suffix; /* of its kernels in runtime/: "f32" of tn_put_rows_f32 */
    DType staged, acc;  /* staged inputs and accumulators in memory */
    DType sum;          /* the numbers that accumulators are, */
    bool pairs;         /* two of them in one: an output of the upper and one of the lower half */
    bool bytes;         /* a staged number has the codes of four inputs */
    const char *vec;    /* "vec": accumulators are held in vectors of type tn_vec */
    const char *lanes;  /* the macro of their length */
    const char *input;  /* the macro that loads inputs as such a vector */
    const char *load,
        *store;       /* those that load and store accumulators; load NULL: every function begins at 0, */
    const char *half; /* the macro that takes one of two sums out of a pair; NULL: there are none */
    const char *add;  /* and this macro adds to what the one before has left */
    const char *keep; /* the macro behind every add that keeps compilers from moving it; NULL: none */
    bool fused;       /* TN_ADD adds such vectors by a target's multiply-add unit */
    CodeRow prices;   /* of unrolled layers of codes */
    int lane_bytes;   /* of a number in a vector */
    int max_lanes;    /* the most that a target may have: memory is rounded up to them */
    int64_t exact_in, exact_acc; /* whole numbers up to these are exact in inputs and in accumulators */
    int64_t exact_sum;           /* and in the sums of a function, where those begin at 0 */
    double half_ulp;             /* largest relative rounding error of an accumulator, */
    double out_half_ulp;         /* and of its way to an output; 0: there is none */
} Format;
/* Words of four bytes. */
int64_t words_of(int64_t bytes);
/* Format.bytes: a word has the codes of four columns of the kernel, where those of four channels took more.
 */
bool packs_columns(const Layer *l);
int64_t word_planes(const Layer *l, int64_t channels); /* of words, for so many channels of a group */
int64_t word_taps(const Layer *l);                     /* of such a plane */
const Format *layer_format(const Layer *l);            /* its own; float where lower.c has not set it yet */
const Format *choose_format(const Layer *l, const Options *opt); /* of its form */
bool format_in_place(const Layer *l);                  /* accumulators can become outputs where they lie */
int format_lanes(const Format *f, const Options *opt); /* of the target's vectors */
/* Digits of base 4 that accumulators hold exactly, when inputs carry one each. */
int format_digits(const Format *f);

/* ---- requantise.c: layers with Layer.quantised ---- */

int layer_weight(const Layer *l, int64_t i);         /* in canonical order */
int64_t weight_sum(const Layer *l, int64_t channel); /* of an output channel */
typedef struct SumRange {
    int64_t low, high;
} SumRange;
SumRange sum_range(const Layer *l, int64_t channel); /* of its sums, whatever the codes */
void set_sum_range(const Layer *l, Quantised *q);    /* of all channels */
int sum_bits(const Quantised *q);                    /* that hold all sums, with a sign */
/* Sets factor, addend, shift or shifts, and wide so that outputs are sum * factor[co] + offset[co], halves
 * rounded up. False: there is no such multiplication. */
bool requantise(const Layer *l, const double *factor, const double *offset, Quantised *q);
bool requantise_by_products(const Layer *l, const double *factor, const double *offset, Quantised *q);
int64_t quantised_output(const Quantised *q, int64_t channel, int64_t sum);
SumRange code_range(const Layer *l); /* of its outputs before they are clamped, whatever the codes */
/* Outputs are clamped by a table, which the layer pays for by their number. */
bool crops_codes(const Layer *l, const Options *opt);

/* ---- snap.c ---- */

/* Changes scales[co] of the weights a little, where that lets floats and whole numbers take the same from
 * sums of codes of `in` to those of `out`. l: weights and quantised.in, .in_zero; bias[co]: in real numbers,
 * or NULL. */
bool snap_scales(const Layer *l, CodeStep in, CodeStep out, const float *bias, float *scales);
/* The step, or one a little larger, of which step / by is a number of few bits, in float. */
float snap_step(float step, float by);

/* ---- target.c ---- */

typedef struct BlockShape {
    int sums;       /* accumulators of an unrolled block, at most MAX_SUMS */
    int share_taps; /* taps among which pairs are shared, at most MAX_SHARE_TAPS; 1: no sharing */
} BlockShape;

typedef enum FormId {
#define FORM(name) FORM_##name,
#include "layers/forms.def"
#undef FORM
    NUM_FORMS
} FormId;

/* Prices of Work.amount by form, and of layers of codes by CodeRow, with those of bytes: costs.def, which
 * tests/tools/calibrate.c measures. */
enum { NUM_WORK = 14, NUM_BYTES = 8 };
typedef struct Costs {
    double conv[NUM_FORMS][NUM_WORK], fc[NUM_FORMS][NUM_WORK];
} Costs;
typedef struct CodeCosts {
    double conv[NUM_CODE_ROWS][NUM_WORK], fc[NUM_CODE_ROWS][NUM_WORK];
} CodeCosts;
typedef struct CodeBytes {
    double conv[NUM_CODE_ROWS][NUM_BYTES], fc[NUM_CODE_ROWS][NUM_BYTES];
} CodeBytes;
/* What lowering and emission know of a processor core. */
typedef struct Core {
    const char *name;                  /* of the machine that its prices were measured for */
    double conv_bytes[3], fc_bytes[3]; /* unrolled: per add, load of an input, load or store of a sum */
    int conv_code;                     /* bytes of a convolution's loops and epilogue, compiled for speed */
    BlockShape conv, fc;
    BlockShape words; /* of convolutions with two 16-bit sums in a register; sums 0: it has none of 32 bits */
    int reach;        /* words behind an address that a load reaches by itself */
    int sparse_sums;  /* conv.sums where at most a quarter of the weights is left; 0: as many */
    const Costs *costs;
    const CodeCosts *code_costs; /* NULL: none */
    const CodeBytes *code_bytes; /* NULL: none */
    int lanes;                   /* of its vectors of floats */
    bool instructions;           /* costs are instructions executed; else ns */
    const char *unit;            /* for people: instructions, or us, and of what machine */
    bool mixed;                  /* may have a multiply-add unit that adds beside the adder */
    bool soft_float;             /* an add is a call, beside which the other costs of a form hardly count */
    bool crops;                  /* a load clamps a code in less time than comparisons */
    bool small_tables;           /* too little stack for the fast forms of tables */
} Core;

/* A machine that --target and --targets name: a row of targets.def, or one that the user describes. */
typedef struct Target {
    const char *name, *aliases; /* aliases: exact names too, words with a space between two */
    const Core *core;           /* several targets share one */
    const char *flags;          /* of clang */
    const char *about;
    int call_bytes;        /* that a call puts on the stack beside what clang reports as the caller's frame */
    bool copies_constants; /* to RAM when the program starts, but those in .progmem */
    bool only_arrays;      /* constants are never rows of text (--weights) */
} Target;
extern const Target target_table[];
extern const int num_targets;
const char *host_target(void); /* the machine of the table that this one is */

/* target_names.c */
const Core *find_core(const char *name);     /* of a machine that there is; NULL: of "generic" */
const Target *find_target(const char *name); /* by name or alias, in capitals too; NULL: there is none */
const char *near_targets(const char *name);  /* of a wrong name, for messages: "; near ones: m3, m4", or "" */
char *target_words(const Target *m);         /* its name and aliases, with a space between two */

/* ---- conv_strip.c ---- */

/* How a convolution is cut into strips of rows, blocks of output channels and parts.
 *
 * A part is a set of outputs with the same taps: a convolution has one; a transposed one has one for every
 * residue of the output position modulo the stride. Output (q, p) of a part lies at row row0 + q * row_step,
 * column col0 + p * col_step; its flat position in the accumulators is q * acc_row + p. Its tap k reads input
 * element koff[k] + q * pitch + p of a channel's plane. */
typedef struct ConvPart {
    int64_t row0, row_step, col0, col_step;
    int64_t rows, cols;  /* outputs; with fused pooling only the rows that pooling reads */
    const int64_t *koff; /* [kh * kw]; NO_TAP where a tap has no part in these outputs */
} ConvPart;

enum { NO_TAP = INT32_MIN };
enum { VECTOR_BYTES = 64 /* of the longest, to which LayerForm.vectors aligns what it reads most */ };

typedef struct ConvStrip {
    bool unstaged; /* nothing is staged: the borders are cut off each tap's rows */
    bool skips;    /* vectors of accumulators skip what lies between the rows */
    bool dense;    /* nothing lies there: a copy is staged for each column of the kernel, moved by that */
    int num_parts;
    ConvPart *parts;
    int64_t rows;                   /* output rows of a strip, per part */
    int64_t second;                 /* pairs: the output row below row 0 that is computed with it; else 0 */
    int64_t total_rows;             /* the most rows of any part */
    int64_t pitch;                  /* elements between staged input rows */
    int64_t acc_row;                /* accumulators between two of their rows */
    int64_t plane;                  /* elements between input channels */
    int64_t top, left;              /* staging: zeros before the image */
    int64_t phase_rows, phase_cols; /* staging: phases, 1 but for strided convolutions */
    int64_t stage_rows;             /* rows of one phase plane; its columns are `pitch` */
    int64_t staged;                 /* input channels staged at once; fewer than all: those of one block */
    int64_t planes;                 /* staged at once */
    int64_t taps;                   /* of a plane */
    int64_t stages;                 /* in which the inputs of a block are staged, one after the other */
    int64_t block;                  /* output channels accumulated at once */
    int64_t acc_pitch;              /* accumulators per output channel, a multiple of Format.max_lanes */
    int64_t sums;                   /* elements of each sum of four inputs; 0: there are none */
    int64_t stage_offset, sums_offset, scratch_bytes; /* accumulators first, the staged input, then sums */
} ConvStrip;
ConvStrip conv_strip(const Layer *l, const Options *opt);
bool strip_is_flat(const Layer *l,
                   const ConvStrip *s); /* staged rows follow each other without padding or stride */
/* Pairs: the rows that two strips have in common stay staged, and the first input rows of the lower half,
 * which the last strips of the upper one read, are kept behind the staged ones. */
bool strip_slides(const Layer *l, const ConvStrip *s);
/* How many cover rows of outputs. */
int64_t strip_vectors(const ConvStrip *s, int64_t rows, int64_t cols, int64_t lanes);
double outgrown(double adds); /* those adds if their code does not stay in the instruction cache, else 0 */
double strip_inputs(const Layer *l, const ConvStrip *s); /* staged for a strip */
bool reads_in_place(const Layer *l); /* a convolution whose input is not staged in its form */
/* The input channel that is staged first for the block of this output channel. */
int64_t conv_first_input(const Layer *l, const ConvStrip *s, int64_t output, int64_t stage);

/* ---- share.c ---- */

/* The sums of a block over a few taps, with pairs of variables shared between sums. */
enum { MAX_SUMS = 32 /* a bit of a mask for each */, MAX_SHARE_TAPS = 16, MAX_PAIRS = 32 };
typedef struct SharedPair {
    int a, b, sign; /* variable a + sign * b */
} SharedPair;
typedef struct Sharing {
    int taps, vars;                             /* variables: the taps, then one for each pair */
    uint32_t plus[MAX_SHARE_TAPS + MAX_PAIRS];  /* bit j: sum j adds the variable */
    uint32_t minus[MAX_SHARE_TAPS + MAX_PAIRS]; /* bit j: it subtracts it */
    int uses[MAX_SHARE_TAPS + MAX_PAIRS];       /* how many sums hold the variable; share.c's */
    SharedPair pairs[MAX_PAIRS];
} Sharing;
void share_pairs(Sharing *s);       /* from the taps, vars == taps, to fewest adds */
int sharing_adds(const Sharing *s); /* adds and subtracts, those of pairs included */

/* ---- unroll.c: the adds and subtracts of one block of outputs, as data ---- */

typedef enum StatementKind {
    STATEMENT_LOAD, /* variable `to` = input element `offset` */
    STATEMENT_PAIR, /* variable `to` = a + sign * b */
    STATEMENT_ADD   /* sum `to` += sign * a */
} StatementKind;
typedef struct Statement {
    uint8_t kind, to, a, b;
    int8_t sign;
    bool fused; /* an add that goes through the multiply-add unit */
    int64_t offset;
} Statement;
typedef struct Unrolled { /* what one walk through the statements meets */
    int functions;
    int64_t terms;       /* weights that are not 0 */
    int64_t adds;        /* and subtracts that are left, those of pairs included */
    int64_t taps, pairs; /* loads of inputs; shared pairs */
    int64_t moves;       /* loads and stores of sums, beginning with zeros */
} Unrolled;
typedef struct UnrolledBlock {
    int64_t first, count; /* output channels; sum j is that of first + j */
    Statement *statements;
    int num_statements;
    int *ends;   /* by function: behind its last statement */
    int *staged; /* of a convolution, by stage: how many functions read what is staged there */
    Unrolled size;
} UnrolledBlock;
/* Of the strip's part, offsets in the staged input; of a fully connected layer, offsets in the row. */
const UnrolledBlock *unroll_conv(const Layer *l, const ConvStrip *s, int part, int64_t first, int64_t count,
                                 const Options *opt);
bool conv_is_mixed(const Layer *l, const Options *opt); /* some adds go through the multiply-add unit */
const UnrolledBlock *unroll_fc(const Layer *l, int64_t first, int64_t count);
/* How many outputs the block that begins there has. */
int64_t fc_block(const Layer *l, int64_t first, const Options *opt);
Unrolled fc_code(const Layer *l, const Options *opt); /* of all blocks */
void add_unrolled(Unrolled *sum, const Unrolled *u);

/* ---- conv_walk.c: a convolution as its code goes through it ---- */

typedef struct ConvFrame {
    const Layer *l;
    Layer turned; /* what is emitted: 1-D convolutions run along rows of one column */
    bool is_turned;
    ConvStrip s;
} ConvFrame;
ConvFrame conv_frame(const Layer *l, const Options *opt);
int64_t conv_block(const ConvFrame *c, int64_t first); /* output channels of the block that begins there */
/* Whether the output may lie where the input does: every input is staged before an output takes its place. */
bool conv_in_place(const Layer *l, const Options *opt);
int64_t layer_scratch_bytes(const Layer *l, const Options *opt); /* 0: it needs none */
/* Whether scale, bias and activation come behind the pooling, where there is less for them to do: maxima of
 * sums are where those of the outputs are. */
bool pools_sums(const Layer *l);
/* How a run goes through the weights of a part. */
typedef struct ConvWalk {
    int64_t strips;    /* how often */
    int64_t vectors;   /* steps of vectors, each with all weights */
    int64_t positions; /* outputs of a channel */
    double staged;     /* inputs, for all parts */
    double rows;       /* of them */
    Unrolled code;     /* if it is unrolled */
} ConvWalk;
int conv_walks(const Layer *l, const Options *opt, const ConvWalk **walks); /* how many parts */

/* ---- weight_tables.c ---- */

/* Weights of a layer as a constant array. */
typedef struct WeightTable {
    DType dtype;
    void *data;
    int64_t len; /* elements */
} WeightTable;
/* block: of LayerForm.conv_channels, 1 for fully connected layers. */
WeightTable gap_lists(const Layer *l, int64_t block);
WeightTable rice_codes(const Layer *l, int64_t block);
WeightTable packed_bytes(const Layer *l, int64_t block);
WeightTable packed_words(const Layer *l, int64_t block);
WeightTable dense_weights(const Layer *l, int64_t block); /* interleaves so many output channels */
WeightTable int_weights(const Layer *l, int64_t block);   /* of 8 bits, as they are */
WeightTable word_weights(const Layer *l, int64_t block);  /* four to a word, as dense_weights */
WeightTable weight_lists(const Layer *l, int64_t block);
WeightTable sum_numbers(const Layer *l, int64_t block);
enum { MOST_SUMS = 64 /* of a weight of four inputs each that an output channel adds at once */ };
int64_t fours_at_once(const Layer *l); /* groups of four inputs whose sums are made at once */
WeightTable layer_table(const Layer *l, int64_t block); /* that of its form */

/* ---- prices.c ---- */

FormId price_row(const Layer *l, const Options *opt);           /* of Costs, for its form */
const double *layer_prices(const Layer *l, const Options *opt); /* of Work.amount in its form and format */
CodeRow code_row(const Layer *l);                               /* of CodeCosts */
/* Whether it is a layer of codes on a core that has prices of them: where not, it is taken to cost what it
 * would with floats. */
bool has_code_prices(const Layer *l, const Options *opt);
bool has_code_bytes(const Layer *l, const Options *opt);
/* Of layers of codes: what bytes have a price for: adds, loads of inputs, loads and stores of sums,
 * functions; a layer compiled for speed, or for size, and its pooling. */
void code_bytes_amounts(const Layer *l, const Unrolled *u, Optimize aim, double amount[NUM_BYTES]);
int64_t code_bytes(const Layer *l, const Unrolled *u, const Options *opt); /* all but constants */

/* ---- cost.c: how long layers take ---- */

/* What one run of a layer does in its form, as amounts that have a price each. */
typedef struct Work {
    double amount[NUM_WORK];
    double far;          /* adds walked through whose code the second cache of a PC does not hold */
    int64_t terms, adds; /* unrolled: adds and subtracts, before and after sharing */
    Unrolled code;       /* unrolled: of all functions, once */
} Work;
Work layer_work(const Layer *l, const Options *opt);
double work_time(const Work *w, const Layer *l, const Options *opt); /* in the target's unit */
const char *time_unit(const Options *opt); /* of Layer.time once it went through time_text: "us on ..." */
const char *time_text(double time, const Options *opt);

/* Of LayerForm: the work of a part of a convolution, and of a fully connected layer. */
typedef void ConvWork(Work *w, const Layer *l, const ConvWalk *walk, const Options *opt);
typedef void FcWork(Work *w, const Layer *l, const Options *opt);
ConvWork unrolled_conv_work, table_conv_work;
FcWork unrolled_fc_work, table_fc_work;

/* ---- forms.c ---- */

/* How the code of a layer is made: a row for each name of forms.def. Codegen has what is printed for each. */
typedef struct LayerForm {
    FormId id;
    const char *name;
    Lowering lowering;  /* which --lowering names it */
    bool small;         /* its table is the smallest, not the fastest, of its lowering */
    FormId small_id;    /* the form of its lowering whose table is */
    CodeRow prices;     /* of layers of codes, if it is not unrolled */
    bool unrolled;      /* statements for every weight that is not 0, in place of a table */
    bool ternary;       /* adds and subtracts: what `auto` chooses among */
    bool decodes;       /* its table is decoded anew for every strip */
    bool unstaged;      /* convolutions read their input where it lies, the borders cut off each tap's rows */
    bool floats, codes; /* of which inputs it can be */
    bool bytes;         /* stages inputs as words of four codes; convolutions alone */
    bool vectors;       /* convolutions alone, on machines with vectors */
    bool sums;          /* sums of four inputs under all their weights are made beside the staged inputs */
    int fc_stack;       /* bytes that its kernel has on the stack beside what others have */
    int64_t (*conv_channels)(const Layer *l, const Options *opt); /* output channels accumulated at once */
    WeightTable (*conv_table)(const Layer *l, int64_t block); /* NULL: no table. block: of conv_channels */
    WeightTable (*fc_table)(const Layer *l, int64_t block);
    ConvWork *conv_work;
    FcWork *fc_work;
} LayerForm;
const LayerForm *form_at(FormId id);
/* Of those that the layer's inputs allow; small: the one with the smallest table, where there is a choice. */
const LayerForm *form_of(const Layer *l, Lowering lowering, bool small, const Options *opt);
/* And the number format of the layer in it. */
void layer_set_form(Layer *l, const LayerForm *form, const Options *opt);
BlockShape conv_shape_of(const Layer *l, const Options *opt); /* of its unrolled blocks */

/* ---- eval_layer.c ---- */

/* A fused layer, naive, accumulating in double. bound, if not NULL, gets per output element the largest
 * rounding error that its code may show: (n + 8) * Format.half_ulp * (sum |w x| * |scale| + |bias|) for the
 * n non-zero weights of the channel, times the activation's Lipschitz bound, plus the rounding of a sigmoid,
 * tanh, hard activation or average itself, and that of the output where it is of another type. Codes have
 * none; NaN: nothing is known, since the layer's form multiplies a zero weight by an infinity or NaN. */
void eval_layer(const Layer *l, const void *x, void *y, float *bound);

/* ---- eval_cell.c ---- */

/* All rows of a direction of a cell in whole numbers. */
typedef struct CellRows {
    int64_t direction, t;   /* and the time of the step */
    const int16_t *xw;      /* the products with W, of all steps */
    const int32_t *lengths; /* of rows; NULL: all run to the end */
    int16_t *h, *memory;    /* [batch][hidden]: as cell_state_type has them; memory: an LSTM's C */
} CellRows;
void cell_step_codes(const struct Cell *c, const CellRows *r); /* one step, to h and memory */
/* The internal operator Recurrent with Cell.codes; out as in OpDef.eval. */
void eval_cell(const Node *n, const void *const *in, void *const *out);

#endif
