/* ir.h - the graph: types, tensors, nodes, linear layers, and what asks and changes them.
 *
 * Data flows one way (pipeline.c):
 *
 *   model.onnx -> read -> upgrade -> infer -> fold, dce -> ternarise
 *     -> fuse -> lower -> plan -> emit -> net.c, net.h
 *     -> write -> ternary.onnx
 */
#ifndef TERNC_IR_H
#define TERNC_IR_H

#include "base/base.h"

enum { MAX_RANK = 8, MAX_ELEMS = INT32_MAX };

/* X(enumerator, ONNX text name, C type in generated code, bytes, kernel suffix, ONNX TensorProto number).
 * float16 exists only between onnx_read.c and upgrade.c, which widens it. */
#define DTYPES(X)                                                                                            \
    X(DT_F32, "float", "float", 4, "f32", 1)                                                                 \
    X(DT_F64, "double", "double", 8, "f64", 11)                                                              \
    X(DT_I8, "int8", "int8_t", 1, "i8", 3)                                                                   \
    X(DT_I16, "int16", "int16_t", 2, "i16", 5)                                                               \
    X(DT_I32, "int32", "int32_t", 4, "i32", 6)                                                               \
    X(DT_I64, "int64", "int64_t", 8, "i64", 7)                                                               \
    X(DT_U8, "uint8", "uint8_t", 1, "u8", 2)                                                                 \
    X(DT_U16, "uint16", "uint16_t", 2, "u16", 4)                                                             \
    X(DT_U32, "uint32", "uint32_t", 4, "u32", 12)                                                            \
    X(DT_U64, "uint64", "uint64_t", 8, "u64", 13)                                                            \
    X(DT_BOOL, "bool", "uint8_t", 1, "b8", 9)                                                                \
    X(DT_F16, "float16", "uint16_t", 2, "f16", 10)

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

/* Where an activation's elements lie, in elements from the tensor's first byte. Set by lower.c; a dense
 * row-major layout unless every producer and consumer takes strides (OpDef.strided). For padded planes the
 * space around the elements is kept zero by `zero_border`. */
typedef struct Layout {
    bool dense;
    int64_t strides[MAX_RANK];
    int64_t base; /* position of element 0 */
    int64_t size; /* elements to reserve, with borders and vector slack */
} Layout;

/* Ternary constant: value[i] = codes[i] * scales[channel(i)], channel = 0 for one scale. The elements are
 * seen as a box [groups][mid][chan][inner] in the tensor's own order; the channel of an element is group *
 * chan + its chan index. Conv: {Cout, 1, 1, rest}; Gemm/MatMul B [K][N]: {1, K, N, 1};
 * ConvTranspose: {group, Cin/g, Cout/g, kernel}. */
typedef struct Ternary {
    int8_t *codes;      /* -1, 0, +1 */
    float *scales;      /* >= 0; 0 for an all-zero channel */
    int64_t num_scales; /* 1, or groups * chan */
    int64_t groups, mid, chan, inner;
} Ternary;

/* Where an input has its channels. */
typedef struct Channels {
    bool told;  /* by the layers behind the input, its rank or --model-layout */
    bool batch; /* axis 0 is the batch */
    int axis;   /* -1: there are none */
} Channels;

/* What 8-bit codes stand for: real = scale * (code - zero). */
typedef struct CodeStep {
    double scale;
    int zero;
} CodeStep;

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
    Channels channels;    /* of an input of the graph; valid after channels */
    const CodeStep *step; /* of an input or output of the graph that is codes; valid after codes; else NULL */
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
    /* Of ai.onnx, where a function of the model says so; 0: the model's. Between upgrade and infer: that of
     * the form which the node still has, because a rule waits for a constant or a type; 0: it has its form.
     */
    int64_t opset;
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
    Names names; /* of tensors: their ids */
} Graph;

typedef struct KeyValue {
    const char *key, *value;
} KeyValue;

typedef struct Range Range; /* of activations: options.h */

typedef struct Model {
    const char *file;
    int64_t ir_version, opset; /* opset of ai.onnx in the file, 0: none; 17 after upgrade */
    KeyValue *metadata;        /* metadata_props, kept for writing */
    int num_metadata;
    bool quiet; /* no notes on stderr */
    Graph *graph;
    const Range *ranges; /* by tensor id: of activations, from training; NULL: not known */
    int num_ranges;
} Model;

/* ---- linear layers ---- */

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

/* X(enumerator, word of --lowering), in the order of help and reports. */
#define LOWERINGS(X) X(AUTO, auto) X(UNROLL, unroll) X(SPARSE, sparse) X(PACKED, packed) X(DENSE, dense)

typedef enum Lowering {
#define X(id, word) LOWER_##id,
    LOWERINGS(X)
#undef X
        NUM_LOWERINGS
} Lowering;
typedef enum LayerKind { LAYER_CONV, LAYER_CONV_TRANSPOSE, LAYER_FC } LayerKind;

/* What a layer computes between codes (8-bit numbers; real = scale * (code - zero)). Its sums are of the
 * codes as they lie in memory, padding counts as in_zero. Outputs are codes clamp((sum * factor[co] +
 * addend[co]) >> shift, low, high) in whole numbers, or floats as for other layers (out is DT_F32). The
 * pooling of a layer is that of its sums: the maximum, or their sum. */
typedef struct Quantised {
    DType in, out;
    int in_zero;
    int64_t sum_low, sum_high; /* no sum is outside */
    const int32_t *factor;     /* [co] */
    const int64_t *addend;     /* [co] */
    int shift, low, high;
    const int32_t *shifts; /* [co]; all factors are 1, and these stand for shift; NULL: not so */
    bool wide;             /* the multiplication takes 64 bits, else 32 */
} Quantised;

/* A linear layer with constant weights and its fused epilogue, the one form that lowering and emission know:
 *
 *   CONV            acc[co][oy][ox] = sum over ci/groups, ky, kx
 *                                     of w * x[ci][oy*sh - pt + ky*dh][ox*sw - pl + kx*dw]
 *   CONV_TRANSPOSE  acc[co][iy*sh - pt + ky*dh][ix*sw - pl + kx*dw] += w * x[ci][iy][ix]
 *   FC              acc[row][co] = sum over ci of w * x[row][ci]
 *   all             y = pool(act(acc * scale[co] + bias[co]))
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
    const int8_t *ints;   /* the same order: weights of a quantised layer that are not ternary; else NULL */
    const Quantised *quantised; /* NULL: inputs and outputs are floats */
    const float *scale;         /* [co], or NULL for 1 */
    const float *bias;          /* [co], or NULL for 0 */
    Activation act;
    Pool pool;
    int index;          /* 0.. in execution order among layers; set by fuse */
    const char *source; /* ONNX operator and node names it came from, for comments and messages */
    int64_t zeros;      /* of codes */
    /* Set by lower.c; Format and LayerForm are those of layers.h. */
    bool direct;                  /* reads its input tensor where it lies, no staging */
    const struct Format *format;  /* the numbers it computes with */
    const struct LayerForm *form; /* how its code is made */
    Lowering lowering;            /* of the form */
    int share_taps;               /* unrolled: taps among which sums are shared, 1: no sharing */
    int64_t terms, adds;          /* unrolled: adds of a run, before and after sharing */
    const char *why;              /* one sentence */
    /* Predicted for every Lowering: bytes on the target and time of a run, in the target's unit; negative:
     * not possible. */
    int64_t bytes[NUM_LOWERINGS];
    double time[NUM_LOWERINGS];
} Layer;

/* ---- graph.c ---- */

/* "FILE: node NAME (Op): MESSAGE [inputs float[1,3], int64[2]]" */
_Noreturn void fail_node(const Graph *g, const Node *n, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

const char *dtype_name(DType d); /* ONNX text name */
const char *dtype_c(DType d);
const char *dtype_suffix(DType d);
size_t dtype_size(DType d);
DType dtype_from_onnx(int64_t number); /* DT_NONE for unknown ones */
int64_t dtype_to_onnx(DType d);
bool dtype_is_float(DType d);
bool dtype_is_byte(DType d); /* int8 or uint8: what codes of 8 bits are */
bool dtype_is_code(DType d); /* one of these or int16 */
int code_low(DType d);       /* the least and the largest code of a type */
int code_high(DType d);

Type type_make(DType d, int rank, const int64_t *dims);
bool type_equal(Type a, Type b);
bool type_known(Type t);    /* dtype, rank and all dims */
bool type_fits(Type t);     /* as a tensor of a graph: at most MAX_ELEMS elements; unknown sizes count as 1 */
int64_t type_elems(Type t); /* product of dims; fails over 2^40 */
size_t type_bytes(Type t);  /* dense */
const char *type_text(Type t); /* "float[1,3,?]" */
void dense_strides(Type t, int64_t *strides);
Layout layout_dense(Type t);

Graph *graph_new(const char *file, const char *name);
/* A new tensor; the name is made unique if taken. */
Tensor *graph_tensor(Graph *g, const char *name, Type type);
Tensor *graph_find(const Graph *g, const char *name); /* NULL if there is none; names never change */
/* The name, else NAME_N with N from first. */
const char *graph_free_name(const Graph *g, const char *name, int first);
Tensor *graph_const(Graph *g, const char *name, Type type, const void *data); /* data is not copied */
/* Of rank 1; values are copied. */
Tensor *graph_const_i64(Graph *g, const char *name, int64_t count, const int64_t *values);
/* Without a place in the graph, edges NULL. */
Node *node_new(OpKind op, const char *name, int num_in, int num_out);
void node_append(Graph *g, Node *n);                     /* at the end; sets producers */
void graph_replace(Graph *g, Tensor *old, Tensor *with); /* in all inputs of nodes and graph outputs */
int *graph_use_counts(const Graph *g);                   /* by tensor id; a graph output is a use */
Node **graph_only_users(const Graph *g);                 /* by tensor id; NULL: none, or several uses */
bool *graph_mark_outputs(const Graph *g);                /* by tensor id: it is an output */
bool *graph_mark_inputs(const Graph *g);
bool graph_is_input(const Graph *g, const Tensor *t);
const Tensor *memory_of(const Tensor *t); /* the tensor whose memory it shares, or itself; valid after plan */
const char *node_label(const Node *n);    /* its name, or its first output's name */

/* NULL if not set; bug if the OpDef does not know the name. */
const Attr *node_attr(const Node *n, const char *name);
int64_t attr_int(const Node *n, const char *name); /* value or default */
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
/* An element as double: exact for all but large 64-bit integers. */
double elem_get(const void *data, DType d, int64_t i);
void elem_set(void *data, DType d, int64_t i, double v);
double elem_rounded(double v, DType d); /* as an element holds it; infinite where it is too large */
float half_value(uint16_t bits);        /* float16 */
void tensor_widen_half(Tensor *t);      /* DT_F16 becomes DT_F32, in a copy of constant data */

/* ---- layer.c ---- */

const char *lowering_name(Lowering l); /* as --lowering has it */
/* Layer k of a node: that of OP_Layer, those inside of OP_Recurrent; NULL behind the last. */
Layer *node_layer(const Node *n, int k);
int layer_count(const Graph *g);
DType layer_input(const Layer *l); /* the type of what it reads, and of what it writes */
DType layer_output(const Layer *l);
bool activation_never_falls(const Activation *a); /* so it commutes with maxima */
int64_t layer_weight_count(const Layer *l);
const int8_t *whole_weights(const Layer *l);   /* ternary or int8; NULL: floats */
const char *layer_weight_word(const Layer *l); /* "ternary", "int8" or "float" */
int64_t code_zeros(const int8_t *codes, int64_t n);
/* Multiply-accumulates of a run with dense weights; borders count in full. */
int64_t layer_macs(const Layer *l);
bool all_equal(const float *v, int64_t n); /* bit for bit */

/* ---- dump.c ---- */

/* The dump format is a subset of ONNX's text syntax, read back by tests. */
void dump_graph(FILE *f, const Graph *g);
const char *number_text(double v, DType d); /* shortest decimal text that reads back as the same v */

/* ---- verify.c ---- */

void verify_graph(const Graph *g, const char *after); /* bug on a broken invariant */

#endif
