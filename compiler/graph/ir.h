/* ir.h - the table of contents of ternc: every shared type, then every prototype under the name of the file
 * that defines it. cli.h has what stands around the compiler: command line, files, reports.
 *
 * Data flows one way (pipeline.c):
 *
 *   model.onnx -> read -> upgrade -> infer -> fold, dce -> ternarise -> fuse -> lower -> plan -> emit -> net.c, net.h
 *                                                       \-> write -> ternary.onnx
 *
 * Rules: only onnx_*.c know protobuf; only upgrade.c looks at opset versions; only plan.c writes arena offsets; only
 * emit*.c and the emit hooks of operators print C. Passes never include each other. */
#ifndef TERNC_IR_H
#define TERNC_IR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* ---------------------------------------------------------------- types ---- */

enum { MAX_RANK = 8, MAX_ELEMS = INT32_MAX };

/* X(enumerator, ONNX text name, C type in generated code, bytes, kernel suffix, ONNX TensorProto number) */
#define DTYPES(X)                                                                                                      \
    X(DT_F32, "float", "float", 4, "f32", 1)                                                                           \
    X(DT_F64, "double", "double", 8, "f64", 11)                                                                        \
    X(DT_I8, "int8", "int8_t", 1, "i8", 3)                                                                             \
    X(DT_I16, "int16", "int16_t", 2, "i16", 5)                                                                         \
    X(DT_I32, "int32", "int32_t", 4, "i32", 6)                                                                         \
    X(DT_I64, "int64", "int64_t", 8, "i64", 7)                                                                         \
    X(DT_U8, "uint8", "uint8_t", 1, "u8", 2)                                                                           \
    X(DT_U16, "uint16", "uint16_t", 2, "u16", 4)                                                                       \
    X(DT_U32, "uint32", "uint32_t", 4, "u32", 12)                                                                      \
    X(DT_U64, "uint64", "uint64_t", 8, "u64", 13)                                                                      \
    X(DT_BOOL, "bool", "uint8_t", 1, "b8", 9)                                                                          \
    X(DT_F16, "float16", "uint16_t", 2, "f16", 10) /* only between onnx_read.c and upgrade.c, which widens it */

typedef enum DType {
    DT_NONE, /* not known yet */
#define X(id, text, ctype, bytes, suffix, onnx) id,
    DTYPES(X)
#undef X
} DType;

/* A Type is a value. rank -1: shape unknown (before infer). dims[i] -1: unknown (before infer). */
typedef struct Type {
    DType dtype;
    int rank;
    int64_t dims[MAX_RANK];
} Type;

/* Where an activation's elements lie, in elements from the tensor's first byte. Set by lower.c; a dense row-major
 * layout unless every producer and consumer takes strides (OpDef.strided). For padded planes the space around the
 * elements is kept zero by `zero_border`. */
typedef struct Layout {
    bool dense;
    int64_t strides[MAX_RANK];
    int64_t base; /* position of element 0 */
    int64_t size; /* elements to reserve, with borders and vector slack */
} Layout;

/* Ternary constant: value[i] = codes[i] * scales[channel(i)], channel = 0 for one scale. The elements are seen as a
 * box [groups][mid][chan][inner] in the tensor's own order; the channel of an element is group * chan + its chan
 * index. Conv: {Cout, 1, 1, rest}; Gemm/MatMul B [K][N]: {1, K, N, 1}; ConvTranspose: {group, Cin/g, Cout/g, kernel}.
 */
typedef struct Ternary {
    int8_t *codes;      /* -1, 0, +1 */
    float *scales;      /* >= 0; 0 for an all-zero channel */
    int64_t num_scales; /* 1, or groups * chan */
    int64_t groups, mid, chan, inner;
} Ternary;

typedef struct Node Node;

/* An edge of the graph. */
typedef struct Tensor {
    const char *name;   /* ONNX name, for messages; unique in the graph */
    const char *c_name; /* identifier in generated code; set by plan.c */
    Type type;
    const void *data;     /* constant value, dense; NULL for a run-time tensor */
    Ternary *ternary;     /* set beside data by ternarisation: data[i] == codes[i] * scale exactly */
    Node *producer;       /* NULL for inputs and constants */
    int id;               /* index in Graph.tensors */
    Layout layout;        /* valid after lower */
    int64_t arena_offset; /* bytes; valid after plan; -1: no place in the arena (input, output, constant) */
    struct Tensor *alias; /* shares this tensor's memory; valid after plan; NULL: has its own */
} Tensor;

typedef enum AttrType {
    ATTR_INT,
    ATTR_FLOAT,
    ATTR_STRING,
    ATTR_TENSOR,
    ATTR_INTS,
    ATTR_FLOATS,
    ATTR_STRINGS,
    ATTR_GRAPH,
    ATTR_OTHER
} AttrType;

typedef struct Attr {
    const char *name;
    AttrType type;
    int64_t i;
    float f;
    const char *s; /* NUL-terminated copy */
    Tensor *t;     /* constant */
    int count;     /* of ints, floats, strings */
    const int64_t *ints;
    const float *floats;
    const char *const *strings;
    struct Graph *graph; /* a body: nodes, inputs and outputs; its tensors are those of the graph around it */
} Attr;

typedef enum OpKind {
    OP_UNSUPPORTED, /* Node.op_name says what it was */
#define OP(name) OP_##name,
#include "graph/ops.def"
#undef OP
    NUM_OPS
} OpKind;

struct Node {
    OpKind op;
    const char *op_name; /* ONNX operator name, never NULL */
    const char *domain;  /* "" for ai.onnx */
    const char *name;    /* ONNX node name, may be "" */
    int64_t opset;       /* of ai.onnx, where a function of the model says so; 0: the model's. Until upgrade */
    int num_in, num_out, num_attrs;
    Tensor **in;  /* NULL entry: optional input left out */
    Tensor **out; /* NULL entry: optional output not wanted */
    Attr *attrs;
    struct Layer *layer; /* for OP_Layer, set by fuse.c */
    struct Cell *cell;   /* for OP_Recurrent, set by recurrent.c */
};

/* Nodes are always in execution order. A pass rebuilds `nodes` in one loop; uses are counted on demand. */
typedef struct Graph {
    const char *file; /* for messages */
    const char *name;
    Node **nodes;
    int num_nodes;
    Tensor **inputs; /* run-time inputs only: initialisers that are also listed as inputs are constants */
    int num_inputs;
    Tensor **outputs;
    int num_outputs;
    Tensor **tensors; /* every tensor ever made, index = id; dead ones stay */
    int num_tensors, cap_tensors;
    int *names; /* hash table of names: tensor id + 1, 0 for a free place */
    int cap_names;
} Graph;

typedef struct KeyValue {
    const char *key, *value;
} KeyValue;

typedef struct Model {
    const char *file;
    int64_t ir_version, opset; /* opset of ai.onnx in the file, 0: none; 17 after upgrade */
    KeyValue *metadata;        /* metadata_props, kept for writing */
    int num_metadata;
    bool quiet; /* no notes on stderr */
    Graph *graph;
} Model;

/* ------------------------------------------------------- linear layers ---- */

typedef enum ActKind {
    ACT_NONE,
    ACT_RELU,
    ACT_CLIP,
    ACT_LEAKY_RELU,
    ACT_SIGMOID,
    ACT_TANH,
    ACT_HARD_SIGMOID,
    ACT_HARD_SWISH
} ActKind;

/* RELU max(x,0); CLIP min(max(x,a),b); LEAKY_RELU x<0 ? a*x : x; HARD_SIGMOID clip(a*x+b,0,1);
 * HARD_SWISH x*clip(x/6+0.5,0,1). */
typedef struct Activation {
    ActKind kind;
    float a, b;
} Activation;

typedef enum PoolKind { POOL_NONE, POOL_MAX, POOL_AVERAGE } PoolKind;

/* Fused pooling: windows never overlap (stride >= window) and need no padding. */
typedef struct Pool {
    PoolKind kind;
    int64_t kh, kw, sh, sw, oh, ow; /* oh, ow: pooled planes */
} Pool;

typedef enum Lowering { LOWER_AUTO, LOWER_UNROLL, LOWER_SPARSE, LOWER_PACKED, LOWER_DENSE } Lowering;
typedef enum LayerKind { LAYER_CONV, LAYER_CONV_TRANSPOSE, LAYER_FC } LayerKind;

/* A linear layer with constant weights and its fused epilogue, the one form that lowering and emission know:
 *
 *   acc[co][oy][ox] = sum over ci/groups, ky, kx of w * x[ci][oy*sh - pt + ky*dh][ox*sw - pl + kx*dw]      CONV
 *   acc[co][iy*sh - pt + ky*dh][ix*sw - pl + kx*dw] += w * x[ci][iy][ix]                        CONV_TRANSPOSE
 *   acc[row][co] = sum over ci of w * x[row][ci]                                                            FC
 *   y = pool(act(acc * scale[co] + bias[co]))
 *
 * CONV: x [batch][ci][ih][iw], y [batch][co][pool.oh or oh][pool.ow or ow]; 1-D has ih = oh = kh = 1. FC: x
 * [batch][ci], y [batch][co], all spatial sizes 1. in[0] is the node's only input. */
typedef struct Layer {
    LayerKind kind;
    int64_t batch; /* images, or rows of an FC */
    int64_t groups, ci, co;
    int64_t ih, iw, oh, ow; /* oh, ow before pooling */
    int64_t kh, kw, sh, sw, dh, dw, pt, pl, pb, pr;
    const float *weights; /* [co][ci/groups][kh][kw]; NULL when ternary */
    const int8_t *codes;  /* the same order, -1, 0, +1; NULL when float */
    const float *scale;   /* [co], or NULL for 1 */
    const float *bias;    /* [co], or NULL for 0 */
    Activation act;
    Pool pool;
    int index;          /* 0.. in execution order among layers; set by fuse */
    const char *source; /* ONNX operator and node names it came from, for comments and messages */
    bool direct;        /* reads its input tensor where it lies, no staging; set by lower.c */
    Lowering lowering;  /* set by lower.c, never LOWER_AUTO afterwards */
    bool small;         /* its table is the smallest, not the fastest, of its lowering; set by lower.c */
    int window;         /* unrolled: taps among which sums are shared, 1: no sharing; set by lower.c */
    const char *why;    /* one sentence, set by lower.c */
    int64_t bytes[5];   /* predicted bytes per Lowering on the target; -1: not possible; set by lower.c */
    double time[5]; /* predicted time of a run per Lowering, in the target's unit; negative: not possible; lower.c */
    int64_t terms, adds; /* unrolled: adds of a run, before and after sharing; set by lower.c */
    int64_t zeros;       /* of codes */
} Layer;

/* ------------------------------------------------------------ operators ---- */

typedef struct AttrSpec {
    const char *name;
    AttrType type;
    bool required;
    int64_t i;     /* default of ATTR_INT */
    float f;       /* default of ATTR_FLOAT */
    const char *s; /* default of ATTR_STRING */
} AttrSpec;

typedef struct Emitter Emitter;
struct Gradient;
struct CommandLine;

/* How far results in floating point may be, in generated code, from what eval computes. u is the unit roundoff of the
 * element type, 2^-24 for float; check_bounds.c has the formulas. */
typedef enum RoundingRule {
    ROUND_NOT,         /* the same bits: data movement, integers, single operations that IEEE arithmetic rounds */
    ROUND_ULPS,        /* (ulps |y| + offset) u: a few operations; `offset` where terms of that size may cancel */
    ROUND_SUM,         /* (terms + 8) u * the same operator on absolute values */
    ROUND_POSITIVE,    /* (terms + 8) u |y|: a sum or product of terms of one sign */
    ROUND_LOG_SUM,     /* (4 |y| + terms + 128) u: the logarithm of a sum */
    ROUND_SOFTMAX,     /* the exponent x - max is rounded, which counts |x - max| <= 104 ulps where y is not 0 */
    ROUND_LOG_SOFTMAX, /* likewise */
    ROUND_SAMPLED,     /* values between the pixels of input 0, whose positions, by input 1, are rounded */
    ROUND_NORM         /* (x - mean) / deviation * scale + bias */
} RoundingRule;

typedef struct Rounding {
    RoundingRule rule;
    double ulps, offset;
} Rounding;

/* Facts and behaviour of one operator in its opset 17 form; one definition per name of ops.def, beside its code. */
typedef struct OpDef {
    const char *name;
    int min_in, max_in;   /* max -1: variadic */
    int min_out, max_out; /* max -1: variadic */
    AttrSpec attrs[12];   /* ends at name == NULL */
    bool internal;        /* made by passes, no operator of ONNX */
    bool declared_size;   /* infer finds the types in the outputs that the file declares, as a help */
    bool strided;         /* emit takes any Layout of inputs and outputs */
    bool in_place;        /* an output may take the memory of a dying input of the same type */
    bool view;            /* output is input 0's memory under another shape: nothing to compute */
    /* Set the types of the outputs; inputs are known. Fails on contradictions. */
    void (*infer)(Graph *g, Node *n);
    /* Compute outputs from inputs, all dense in the tensors' types; NULL for absent ones. Linear operators accumulate
     * in double with naive loops: the reference that generated code is compared with. */
    void (*eval)(const Graph *g, const Node *n, const void *const *in, void *const *out);
    Rounding rounding; /* default: none */
    /* Terms that an element of the output is made of (NULL: as many elements as input 0 has for each; 0: it is a copy),
     * and steps that eval takes for it (NULL: one). Too many do no harm. */
    double (*terms)(const Graph *g, const Node *n);
    double (*steps)(const Graph *g, const Node *n);
    /* Print the C that computes the node. Default NULL only for view operators. */
    void (*emit)(Emitter *e, const Node *n);
    /* Add the gradients of the inputs, from the gradients of the outputs (train.h). NULL: cannot be trained through. */
    void (*grad)(const Graph *g, const Node *n, const struct Gradient *d);
    /* Whether this form of the operator can be trained through. NULL: every form can. */
    bool (*has_grad)(const Graph *g, const Node *n);
    bool grad_flat; /* grad sees every input, and every gradient, in the shape of output 0 */
} OpDef;

/* ---------------------------------------------------------------- options ---- */

typedef enum Method { METHOD_TWN, METHOD_NONE, METHOD_SCA, METHOD_STP } Method;
typedef enum Optimize { OPTIMIZE_SPEED, OPTIMIZE_SIZE } Optimize;

typedef struct Strings {
    const char *const *items;
    int count;
} Strings;

typedef struct DimValue {
    const char *name;
    int64_t value;
} DimValue;

typedef struct Numbers {
    const double *items;
    int count;
} Numbers;

/* How the application's inputs differ from the model's. */
typedef struct InputForm {
    const char *const *uint8; /* --input-uint8 NAME: these inputs are pixels, (raw * scale - mean) / std */
    int num_uint8;
    bool nhwc;         /* --layout nhwc: images are [N][H][W][C] */
    double scale;      /* --scale */
    Numbers mean, std; /* --mean, --std: none, one, or one per channel */
} InputForm;

/* What the command line says about one model; zero-initialised gives the documented defaults. */
typedef struct Options {
    Method method;
    bool per_layer;          /* --granularity layer; default channel */
    float threshold;         /* --threshold FACTOR: D = FACTOR * mean|W|; 0: exact. 0.75 in training, if not given */
    float sparsity;          /* --sparsity S: share of zeros per layer; 0: by threshold */
    const char *const *keep; /* --keep first,last,NAME...; NULL: { "last" } */
    int num_keep;            /* with keep != NULL */
    const DimValue *dims;    /* --dim NAME=N */
    int num_dims;
    Strings consts; /* --const NAME=FILE: inputs whose values are known */
    Optimize optimize;
    Lowering lowering;
    const char *target; /* --target; NULL: "generic" */
    const char *name;   /* --name ID; NULL: from the file name */
    InputForm input;
    bool float_guard; /* --float-guard: the run functions refuse NaN and infinity in inputs */
    int split;        /* --split: C files for unrolled terms beside NAME.c; 0: none */
    bool train;       /* pass_fold_for_training in place of pass_fold */
    const char *dump; /* --dump PASS or NULL */
    bool time_passes; /* --time */
    bool quiet;       /* no notes on stderr */
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
    double alpha;            /* --alpha, default 0.5 */
    double lambda;           /* --lambda, default 1 */
    double eta;              /* --eta, default 0.05 */
    double pull;             /* --pull, default 1e-3 */
    bool sparsity_per_layer; /* --sparsity-scope layer; default global */
    bool flip;               /* --augment flip */
    int64_t crop;            /* --augment crop=N */
    const char *log, *plot, *checkpoint;
    bool resume;
} TrainOptions;

/* ---------------------------------------------------------------- base.c ---- */
/* Memory comes from one arena that lives to exit; nothing is freed. With -DTERNC_MALLOC every object is its own
 * malloc, so that the sanitisers see each bound. All return zeroed, 16-byte aligned memory. */

void *mem_alloc(size_t bytes);
void *mem_array(int64_t count, size_t size); /* checks the product */
#define NEW(T) ((T *)mem_alloc(sizeof(T)))
#define NEW_ARRAY(T, n) ((T *)mem_array((n), sizeof(T)))
char *mem_strdup(const char *s);
char *mem_printf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* From now on fail, naming `what`, when these and texts take more than so many bytes and `per_byte` for each byte of
 * the files that are mapped. */
void mem_limit(const char *what, size_t bytes, size_t per_byte);
void mem_reset(void); /* frees everything: for fuzzers and tests only */
/* What is allocated between the two is freed again: for the steps of training, which are many. */
void *mem_mark(void);
void mem_release(void *mark);

/* Growing text, allocated with malloc. */
typedef struct Text {
    char *data; /* NUL-terminated once something was added */
    size_t len, cap;
} Text;
void text_add(Text *t, const char *s, size_t n);
void text_printf(Text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void text_move(Text *to, Text *from); /* what is in from comes behind to */
char *text_take(Text *t);             /* a copy among the other memory, "" for nothing; frees t */
void text_free(Text *t);

/* The two error doors. fail: the user's model, data or system is at fault, exit 1; the message is "ternc: error: ...".
 * bug: ours, exit 3. usage: the command line is wrong, exit 2. */
_Noreturn void fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* "FILE: node NAME (Op): MESSAGE [inputs float[1,3], int64[2]]" */
_Noreturn void fail_node(const Graph *g, const Node *n, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
_Noreturn void usage(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
_Noreturn void bug_at(const char *file, int line, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
#define bug(...) bug_at(__FILE__, __LINE__, __VA_ARGS__)
void note(const char *fmt, ...) __attribute__((format(printf, 1, 2))); /* "ternc: note: ..." on stderr */
/* Tests and fuzzers catch fail, usage and bug: with a trap set they store the message and longjmp instead of exiting.
 *   if (CATCH(&trap)) { message in trap.message } else { ...; trap_end(); } */
#include <setjmp.h>
typedef struct Trap {
    jmp_buf env;
    int code; /* the exit code it would have been */
    char message[4096];
} Trap;
void trap_set(Trap *t);
void trap_end(void);
#define CATCH(t) (trap_set(t), setjmp((t)->env))

/* Files that appear complete or not at all: written to a temporary name beside PATH (removed on any exit), renamed by
 * out_commit. All fail with the path and the system's reason. */
typedef struct OutFile {
    FILE *f;
    char *path, *temp;
} OutFile;
OutFile *out_open(const char *path);
void out_sync(OutFile *o); /* all is on the disk: of several files, sync each, then commit each */
void out_commit(OutFile *o);
void out_check(const char *path); /* fails as out_open would: for what is to be written hours later */

/* A whole file, memory-mapped read-only; fails on directories and unreadable files. len 0 is allowed. */
const uint8_t *file_map(const char *path, size_t *len);

/* ---------------------------------------------------------------- random.c ---- */

uint64_t random_bits(uint64_t seed, uint64_t i); /* number i of this seed */
double random_unit(uint64_t seed, uint64_t i);   /* the same in [0, 1) */
uint64_t random_next(uint64_t *state);           /* the next one; state begins as the seed */

/* ---------------------------------------------------------------- graph.c ---- */

const char *dtype_name(DType d); /* ONNX text name */
const char *dtype_c(DType d);
const char *dtype_suffix(DType d);
size_t dtype_size(DType d);
DType dtype_from_onnx(int64_t number); /* DT_NONE for unknown ones */
int64_t dtype_to_onnx(DType d);
bool dtype_is_float(DType d);

Type type_make(DType d, int rank, const int64_t *dims);
bool type_equal(Type a, Type b);
bool type_known(Type t);       /* dtype, rank and all dims */
bool type_fits(Type t);        /* as a tensor of a graph: at most MAX_ELEMS elements; unknown sizes count as 1 */
int64_t type_elems(Type t);    /* product of dims; fails over 2^40 */
size_t type_bytes(Type t);     /* dense */
const char *type_text(Type t); /* "float[1,3,?]" */
void dense_strides(Type t, int64_t *strides);
Layout layout_dense(Type t);

Graph *graph_new(const char *file, const char *name);
Tensor *graph_tensor(Graph *g, const char *name, Type type); /* a new tensor; the name is made unique if taken */
Tensor *graph_find(const Graph *g, const char *name);        /* NULL if there is none; names never change */
const char *graph_free_name(const Graph *g, const char *name, int first); /* the name, else NAME_N with N from first */
Tensor *graph_const(Graph *g, const char *name, Type type, const void *data);              /* data is not copied */
Tensor *graph_const_i64(Graph *g, const char *name, int64_t count, const int64_t *values); /* copied, rank 1 */
Node *node_new(OpKind op, const char *name, int num_in, int num_out); /* without place in the graph, edges NULL */
void node_append(Graph *g, Node *n);                                  /* at the end; sets producers */
void graph_replace(Graph *g, Tensor *old, Tensor *with);              /* in all inputs of nodes and graph outputs */
int *graph_use_counts(const Graph *g);                                /* by tensor id; a graph output is a use */
Node **graph_only_users(const Graph *g);                              /* by tensor id; NULL: none, or several uses */
bool graph_is_output(const Graph *g, const Tensor *t);
bool graph_is_input(const Graph *g, const Tensor *t);
const char *node_label(const Node *n); /* its name, or its first output's name */

const Attr *node_attr(const Node *n, const char *name); /* NULL if not set; bug if the OpDef does not know the name */
int64_t attr_int(const Node *n, const char *name);      /* value or default */
float attr_float(const Node *n, const char *name);
const char *attr_string(const Node *n, const char *name);
/* The index of the value among names, which ends with NULL; another one is refused. */
int attr_choice(const Graph *g, const Node *n, const char *name, const char *const *names);
const int64_t *attr_ints(const Node *n, const char *name, int *count); /* NULL, 0 if not set */
void attr_set_int(Node *n, const char *name, int64_t v);
void attr_set_float(Node *n, const char *name, float v);
void attr_set_string(Node *n, const char *name, const char *v);
void attr_set_ints(Node *n, const char *name, int count, const int64_t *v);
void attr_remove(Node *n, const char *name);

/* Constant int64 (or int32) input as int64 values, or NULL when absent; fails when it is not constant. */
const int64_t *const_ints(const Graph *g, const Node *n, int input, int64_t *count);
/* Constant int64 (or int32) scalar. */
int64_t const_int(const Graph *g, const Node *n, int input);
/* Constant numeric scalar of any dtype. */
double const_scalar(const Graph *g, const Node *n, int input);
/* Input `what` of the node, t, is not constant. */
_Noreturn void fail_not_constant(const Graph *g, const Node *n, const char *what, const Tensor *t);
double elem_get(const void *data, DType d, int64_t i); /* element as double (exact for all but large 64-bit) */
void elem_set(void *data, DType d, int64_t i, double v);
float half_value(uint16_t bits);   /* float16 */
void tensor_widen_half(Tensor *t); /* DT_F16 becomes DT_F32, in a copy of constant data */

/* ---------------------------------------------------------------- ops.c ---- */

const OpDef *op_def(OpKind op);                       /* NULL for OP_UNSUPPORTED */
OpKind op_find(const char *domain, const char *name); /* OP_UNSUPPORTED when not in ops.def */
void print_operators(FILE *f);                        /* operators.c: the table for users, in Markdown */
/* Arity, attribute names and types of every node against its OpDef; lists all unsupported operators in one message. */
void check_supported(const Graph *g);
/* ONNX multidirectional broadcast of the types of inputs [0, count); fails naming the node. */
Type infer_broadcast(const Graph *g, const Node *n, int count);
int64_t norm_axis(const Graph *g, const Node *n, int64_t axis,
                  int rank); /* negative axis made positive; fails out of range */

/* A tensor seen as [outer][n][inner], n its dimension `axis`. */
typedef struct AxisSplit {
    int64_t outer, n, inner;
} AxisSplit;
AxisSplit split_axis(Type t, int64_t axis);
bool is_reshape(const Node *n); /* Reshape, Flatten, Squeeze or Unsqueeze */

/* ---------------------------------------------------------------- window.c ---- */

/* The window of a Conv, ConvTranspose or pooling node over 1 to 3 spatial axes, right-aligned: [2] is the width, [1]
 * the height (1-D: sizes 1, padding 0), [0] the depth. auto_pad, ceil_mode, output_shape and output_padding are
 * resolved. Position of tap k for output o: o * stride - pad_begin + k * dilation (ConvTranspose: of output, for input
 * o). */
typedef struct Window {
    int rank; /* spatial axes of the node */
    int64_t in[3], out[3], kernel[3], stride[3], dilation[3], pad_begin[3], pad_end[3];
} Window;
Window op_window(const Graph *g, const Node *n); /* fails on contradictions; needs the types of the inputs */

/* ---------------------------------------------------------------- loops.c, scalar.c ---- */

/* A loop nest over several tensors: dims[k] steps of strides[operand][k] elements, outermost first. */
typedef struct Loops {
    int rank; /* 0: one element */
    int64_t dims[MAX_RANK];
    int num; /* operands */
    int64_t (*strides)[MAX_RANK];
    char var; /* name of the printed counters: i0, i1, ... */
} Loops;
/* Strides of a tensor of type t, with strides `own`, as seen by a loop over `over`: 0 where it broadcasts. */
void broadcast_strides(Type over, Type t, const int64_t *own, int64_t *strides);
const int64_t *layout_strides(const Tensor *t); /* dense ones for constants */
/* Drops and merges dimensions as far as all operands allow; takes strides[num] and keeps it. */
Loops loops_make(Type over, int num, int64_t (*strides)[MAX_RANK]);
bool loops_next(const Loops *l, int64_t *at,
                int outer); /* the next position in the outer dimensions; false at the end */
int64_t loops_position(const Loops *l, int operand, const int64_t *at, int outer);
const char *loops_index(const Loops *l, int operand); /* "i0 * 36 + i1" */
void emit_loops_open(Emitter *e, const Loops *l);     /* loops over i0, i1, ... */
void emit_loops_close(Emitter *e, const Loops *l);

/* y[i] = kernel(x[0][i * step[0]], ...) for i < n, on the kernel's own types */
typedef void (*ScalarRow)(int64_t n, void *y, const void *const *x, const int64_t *step);
ScalarRow scalar_row(const char *kernel, DType d); /* bug if there is none */

/* ---------------------------------------------------------------- weights.c ---- */

/* The constant weights of a linear node (Conv, ConvTranspose, Gemm, MatMul; float32, at least rank 2) and the box that
 * tells the output channel of each element. */
typedef struct LinearWeights {
    int input;   /* of the node */
    Ternary box; /* groups, mid, chan, inner only */
} LinearWeights;
bool linear_weights(const Node *n, LinearWeights *w); /* false: not linear, or its weights are not constant */
/* The same for weights k = 0, 1, ... of any node: recurrent ones have W and R. False behind the last. */
bool node_weights(const Node *n, int k, LinearWeights *w);
int64_t ternary_channels(const Ternary *box);
/* Position of element k (< mid * inner) of a channel. In order of channel and k the weights are Layer's
 * [co][ci/groups][kh][kw]. */
int64_t ternary_position(const Ternary *box, int64_t channel, int64_t k);

/* ------------------------------------------------- onnx_scan.c, onnx_read.c, onnx_write.c ---- */

Model *onnx_read(const char *path, const Options *opt);
Model *onnx_read_memory(const char *path, const uint8_t *data, size_t len, const Options *opt); /* path: for messages */
void onnx_write(const Model *m, const char *path);                                              /* IR 8, opset 17 */
Tensor *onnx_read_tensor(const char *path); /* a TensorProto file (.pb) as a constant tensor */
Tensor *read_tensor_file(const char *path); /* files.c: that, or .npy */

/* ---------------------------------------------------------------- dump.c ---- */
/* The dump format is a subset of ONNX's text syntax, read back by tests. */
void dump_graph(FILE *f, const Graph *g);
const char *number_text(double v, DType d); /* shortest decimal text that reads back as the same v */

/* ---------------------------------------------------------------- evaluator: eval.c ---- */

/* Evaluate the graph. inputs[i] is dense data of graph input i. Returns the values of all tensors by id (NULL where not
 * computed); constants and inputs point to their data, all else lies in the returned block, which free() releases. */
void **eval_graph(const Graph *g, const void *const *inputs);
/* One node on given dense values; used by constant folding and check. out[] is allocated by the caller. */
void eval_node(const Graph *g, const Node *n, const void *const *in, void *const *out);
double eval_steps(const Graph *g, const Node *n); /* what that takes, in steps of its loops; eval_cost.c */
/* A fused layer, naive, accumulating in double. bound, if not NULL, gets per output element the largest rounding error
 * that float code may show: (n + 8) * 2^-24 * (sum |w x| * |scale| + |bias|) for the n non-zero weights of the channel,
 * times the activation's Lipschitz bound, plus the rounding of a sigmoid, tanh, hard activation or average itself. */
void eval_layer(const Layer *l, const float *x, float *y, float *bound);

/* ---------------------------------------------------------------- passes/ ---- */
/* Each pass is one file of the same name, says what it requires and gives, and is followed by verify. */
void pass_upgrade(Model *m); /* any opset 1..18 -> the one internal form (opset 17) */
/* Entry i of the operators that upgrade replaces by others, and by which. False behind the last. */
bool upgraded_operator(int i, const char **op, const char **becomes);
void pass_infer(Graph *g);                         /* all types known; nodes with constant inputs evaluated */
void pass_fold(Graph *g);                          /* Identity, no-op Reshape/Transpose/... removed, and Dropout */
void pass_fold_for_training(Graph *g);             /* the same, but Dropout stays, and axes of the batch */
void pass_fold_after_training(Graph *g);           /* without Dropout, but it may be trained again */
void pass_dce(Graph *g);                           /* nodes whose outputs nobody uses removed */
void pass_ternarize(Graph *g, const Options *opt); /* recognition of ternary weights, then TWN (twn.c) */
void pass_recurrent(Graph *g);                     /* LSTM, GRU, RNN -> Gemm and OP_Recurrent */
const bool *ternary_tensors(Graph *g, const Options *opt); /* by tensor id: weights that --keep leaves to ternarise */
typedef struct Training {
    const char *settings;       /* for the metadata: all that matters for the result */
    const char *report;         /* for people: what came of it */
    const struct Source *valid; /* held-back data, open */
} Training;
Training pass_train(Graph *g, const struct CommandLine *c); /* passes/train.c: the constants are trained */
void pass_inputs(Graph *g, const Options *opt);             /* uint8 and channels-last inputs of the application */
void pass_fuse(Graph *g);                                   /* linear nodes -> OP_Layer with epilogues */
void pass_lower(Graph *g, const Options *opt);              /* lowering per layer, layouts of tensors */
void verify_graph(const Graph *g, const char *after);       /* verify.c: bug on a broken invariant */

/* passes/twn.c: pure functions on one channel or layer of n weights. */
float twn_exact(const float *w, int64_t n, int8_t *codes);                    /* returns the scale */
float twn_relative(const float *w, int64_t n, float factor, int8_t *codes);   /* D = factor * mean|w| */
float twn_quantile(const float *w, int64_t n, float sparsity, int8_t *codes); /* the top (1 - sparsity) share */

/* ---------------------------------------------------------------- plan.c ---- */

typedef struct Plan {
    const Graph *g;
    const Options *opt;
    const char *id;          /* C identifier, "net" */
    int64_t arena_bytes;     /* tensors and scratch */
    int64_t *scratch;        /* by node index: arena offset of the node's scratch memory, -1 for none */
    const struct Flow *flow; /* flow.h */
    int64_t lower_bound;     /* bytes that any plan needs at its fullest moment */
} Plan;
Plan *plan_graph(Graph *g, const Options *opt);
int plan_node_index(const Plan *p, const Node *n);

/* ---------------------------------------------------------------- emit.c ---- */
/* Printing C. emit_line indents by itself: a line that ends with "{" opens a level, one that starts with "}" closes it.
 */
void emit_line(Emitter *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void emit_blank(Emitter *e);
/* emit_kernels.c: ask for a runtime kernel by its name in runtime/ and element type, e.g. emit_kernel(e, "transpose",
 * DT_F32); returns the name to call, "tn_transpose_f32". The kernel and what it calls are carried into the output once.
 * DT_NONE: the kernel has no type parameter. */
const char *emit_kernel(Emitter *e, const char *name, DType d);
/* C expression that points to the tensor's element 0 (layout.base included), with const for inputs and constants. Makes
 * sure that a constant is printed. */
const char *emit_ptr(Emitter *e, const Tensor *t);
/* An extra constant array, printed once before the functions; returns its identifier. */
const char *emit_const_array(Emitter *e, const char *hint, DType d, const void *data, int64_t count);
/* "{1,2,3}" compound literal text for literal size arguments: (const int32_t[]){1,2,3}. */
const char *emit_dims(const int64_t *v, int count);
const char *float_text(double v,
                       DType d); /* shortest round-trip C literal, "1.5f"; INFINITY and NAN as C expressions */
const char *emit_literal(DType d, const void *data, int64_t i); /* one element as a C literal */
const Plan *emit_plan(const Emitter *e);
void emit_copy(Emitter *e, const char *to, const char *from, Type t); /* memcpy, unless they are the same */
const Tensor *memory_of(const Tensor *t);                             /* the tensor whose memory it shares, or itself */

/* emit_file.c: the model as two texts. */
void emit_c(const Plan *p, Text *c, Text *h);
/* The same with the unrolled terms in `count` more files, which include `header`; --split. */
void emit_split(const Plan *p, int count, Text *c, Text *h, Text *header, Text *files);
const char *split_header_name(const char *id);      /* emit_split.c */
const char *split_file_name(const char *id, int i); /* from 0 */
/* Several models, c[i] and h[i] of plans[i], that share kernels.h and, where it does not stay empty, kernels.c. */
void emit_shared(const Plan *const *plans, int count, Text *c, Text *h, Text *kernels_c, Text *kernels_h);

/* op_layer.c */
const char *lowering_name(Lowering l); /* as --lowering has it */
/* Layer k of a node: that of OP_Layer, those inside of OP_Recurrent; NULL behind the last. */
Layer *node_layer(const Node *n, int k);
int layer_count(const Graph *g);
bool activation_never_falls(const Activation *a); /* so it commutes with maxima */
int64_t layer_weight_count(const Layer *l);
int64_t layer_macs(const Layer *l); /* multiply-accumulates of a run with dense weights; borders count in full */

/* emit_layer.c: OP_Layer */
void emit_layer(Emitter *e, const Node *n);
int64_t layer_scratch_bytes(const Node *n, const Options *opt);

/* ---------------------------------------------------------------- pipeline.c ---- */

/* read, upgrade, infer, fold, dce: a model as ternarisation sees it. */
Model *pipeline_load(const char *path, const Options *opt);
void pipeline_prepare(Model *m, const Options *opt); /* the same for a model that was read already */
/* Trains on c->data with c->opt.method; pipeline_ternarize then recognises the ternary weights. Once the result is
 * written, checkpoint_remove. */
Training pipeline_train(Model *m, const struct CommandLine *c);
/* ternarise (opt->method). */
void pipeline_ternarize(Model *m, const Options *opt);
/* fuse, lower, plan. */
Plan *pipeline_lower(Model *m, const Options *opt);

/* ---------------------------------------------------------------- target.c ---- */

const char *host_target(void); /* the --target that this machine is */

/* ---------------------------------------------------------------- cost.c ---- */

const char *time_unit(const Options *opt); /* of Layer.time once it went through time_text: "us on ..." */
const char *time_text(double time, const Options *opt);

/* ---------------------------------------------------------------- flags.c ---- */

const char *recommended_flags(Optimize aim, const char *cc); /* for generated C; cc: a compiler's command */

/* ---------------------------------------------------------------- cname.c ---- */

/* Whether generated C may start its names with s; and such a start from a path, "a/2 nets.onnx" ->
 * "net_2_nets". */
bool is_c_name(const char *s);
const char *model_id(const char *path);
const char *macro_prefix(const char *id); /* in capitals: "NET" */

/* ---------------------------------------------------------------- node_cost.c ---- */

/* What a node of a graph before fusing costs. */
typedef struct NodeCost {
    const Tensor *weight; /* constant weights of a linear operator, or NULL */
    int64_t params;       /* elements of constant float inputs but scalars */
    int64_t macs;         /* of linear operators; borders count in full */
    int64_t weights;      /* elements of weight */
    int64_t zeros;        /* among them */
    int64_t adds;         /* with ternary weights: adds and subtracts left; else 0 */
} NodeCost;
int node_cost_rows(const Node *n); /* 2 for recurrent nodes: W and R; else 1 */
NodeCost node_cost(const Node *n, int row);
const char *node_row_text(const Node *n, int row); /* "Conv", "LSTM W", "LSTM R" */

#endif
