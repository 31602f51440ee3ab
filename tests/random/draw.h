/* draw.h - random networks are made of choices: small numbers, drawn from a seed by counter or given, in the
 * order in which the network asks for them. 0 is always the simplest answer, so that a list of choices with
 * some of them left out or made smaller is a simpler network: shrink.c knows nothing else. */
#ifndef TERNC_TESTS_DRAW_H
#define TERNC_TESTS_DRAW_H

#include "graph/op.h"

enum { MAX_CHOICES = 4000, MAX_STEPS = 24, MAX_POOL = 400 };

typedef struct Choices {
    int count, num_steps;
    uint16_t made[MAX_CHOICES];
    int steps[MAX_STEPS + 1]; /* where each operator's choices begin, and the end of the last */
} Choices;

typedef struct Draw {
    uint64_t seed;        /* of the choices, when none are given */
    const Choices *given; /* NULL, or these, and 0 behind them */
    Choices *out;         /* all that were made */
    bool chain;           /* operators read what the one before made */
    bool odd, zeros;      /* names that are no C names; sizes of 0 */
    bool codes;           /* pairs of QuantizeLinear and DequantizeLinear stand behind most operators */
    bool oracle;          /* for onnxruntime, which is told more; all that is made is an output */
    Graph *g;
    Tensor *pool[MAX_POOL]; /* what operators may read */
    int num_pool;
    Trap refused; /* of the first node that its own infer did not take; code 0: none */
    Node *refused_node;
} Draw;

/* ---- draw.c ---- */

int64_t draw(Draw *d, int64_t low, int64_t high);                    /* both included, low is the simplest */
int64_t draw_or(Draw *d, int64_t low, int64_t high, int64_t wanted); /* `wanted`, unless choices are given */
bool maybe(Draw *d, int one_in);                                     /* simplest: false */
double value(Draw *d);                                               /* of an attribute */

#define BIT(dtype) (1u << (dtype))
#define F32 BIT(DT_F32)
#define FLOATS (F32 | BIT(DT_F64))
#define INTS (BIT(DT_I64) | BIT(DT_I32))
#define UNSIGNED (BIT(DT_U8) | BIT(DT_U16) | BIT(DT_U32) | BIT(DT_U64))
#define NUMBERS (FLOATS | INTS)
#define ALL (NUMBERS | BIT(DT_BOOL) | BIT(DT_U8) | BIT(DT_I8))

/* A tensor of one of these types with a rank in [low, high]: often the last one made, or a new input or
 * constant. */
Tensor *any(Draw *d, unsigned dtypes, int low, int high);
Tensor *of_type(Draw *d, Type t); /* of exactly this type */
Tensor *new_input(Draw *d, Type t);
Tensor *constant(Draw *d, Type t);
Tensor *constant_in(Draw *d, Type t, double low, double high); /* values in between */
Tensor *weights(Draw *d, Type t);                              /* constant, seldom not */
Tensor *ints(Draw *d, int count, const int64_t *v);            /* int64[count] */
Tensor *scalar(Draw *d, DType dtype, double v);                /* a constant of rank 0 */
/* int64 or int32 in [low, high]: constant, or where 0 and 1 are valid an input, which holds these. */
Tensor *indices(Draw *d, int rank, const int64_t *dims, int64_t low, int64_t high);
Type smaller(Draw *d, Type t);             /* a type that broadcasts to t */
int64_t axis_of(Draw *d, const Tensor *t); /* negative ones too; t is no scalar */
int64_t size(Draw *d);                     /* of a dimension */

/* A node without attributes and without a place in the graph. */
Node *node(Draw *d, OpKind op, int num_out, int num_in, Tensor *const *in);
#define NODE(d, op, num_out, ...)                                                                            \
    node(d, op, num_out, (int)(sizeof(Tensor *[]){__VA_ARGS__} / sizeof(Tensor *)), (Tensor *[]){__VA_ARGS__})
void float_attrs(Draw *d, Node *n); /* all of this type */
void flag(Draw *d, Node *n, const char *name);
void choose_string(Draw *d, Node *n, const char *name, int count, const char *const *names);
/* Into the graph; false, and nothing done, when infer refuses it or its outputs are too large. */
bool place(Draw *d, Node *n);
/* The same for nodes whose outputs have types already, or none: control flow and sequences. */
void place_as_is(Draw *d, Graph *to, Node *n);

/* ---- recipes_*.c: one operator with inputs and attributes that are valid together; NULL: none found ---- */

typedef struct Recipe Recipe;
typedef Node *Make(Draw *d, const Recipe *r);
struct Recipe {
    OpKind op;
    Make *make;
    unsigned dtypes;
};

/* The QuantizeLinear and the DequantizeLinear of one step behind x go into the graph. */
void place_pair(Draw *d, Tensor *x);

Make make_unary, make_flags, make_binary, make_shift, make_divide, make_prelu, make_variadic, make_clip,
    make_where, make_cast, make_cast_like, make_dropout, make_reduce, make_reduce_sum, make_arg, make_cumsum,
    make_axis, make_lp_norm, make_mvn, make_lrn, make_instance_norm, make_layer_norm, make_batch_norm;
Make make_conv, make_conv_transpose, make_gemm, make_matmul, make_einsum, make_pool, make_global_pool,
    make_unpool, make_recurrent, make_quantize, make_dequantize, make_dynamic_quantize, make_conv_integer,
    make_matmul_integer;
Make make_reshape, make_flatten, make_squeeze, make_unsqueeze, make_shape, make_eye, make_constant_of_shape,
    make_range, make_transpose, make_concat, make_split, make_slice, make_expand, make_tile, make_blocks,
    make_pad;
Make make_gather, make_gather_elements, make_gather_nd, make_scatter_elements, make_scatter_nd, make_one_hot,
    make_trilu, make_top_k, make_resize, make_grid_sample, make_roi_align, make_reverse_sequence, make_window,
    make_nms, make_loss;
Make make_if, make_loop, make_scan, make_sequence, make_split_to_sequence, make_sequence_length;

/* ---- net.c ---- */

extern const Recipe recipes[];
extern const int num_recipes;
/* A whole graph; its outputs are what no operator reads. */
Graph *draw_net(Draw *d);

#endif
