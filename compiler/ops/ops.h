/* ops.h - what operators share: shapes, windows, loops, weights, the evaluator, costs. */
#ifndef TERNC_OPS_H
#define TERNC_OPS_H

#include "print/print.h"

/* ---- shapes.c ---- */

/* ONNX multidirectional broadcast of the types of inputs [0, count); fails naming the node. */
Type infer_broadcast(const Graph *g, const Node *n, int count);
/* The input's element that each element of the output reads; NULL when there are as many. */
int32_t *broadcast_map(Type out, Type in);
/* A negative axis made positive; fails out of range. */
int64_t norm_axis(const Graph *g, const Node *n, int64_t axis, int rank);
int64_t clamp(int64_t v, int64_t low, int64_t high); /* low where high < low */

/* A tensor seen as [outer][n][inner], n its dimension `axis`. */
typedef struct AxisSplit {
    int64_t outer, n, inner;
} AxisSplit;
AxisSplit split_axis(Type t, int64_t axis);
const char *split_text(AxisSplit s);               /* "outer, n, inner" */
bool is_reshape(const Node *n);                    /* Reshape, Flatten, Squeeze or Unsqueeze */
void transpose_perm(const Node *n, int64_t *perm); /* of a Transpose: axis i of the output is perm[i] */

/* ---- window.c ---- */

/* The window of a Conv, ConvTranspose or pooling node over 1 to 3 spatial axes, right-aligned: [2] is the
 * width, [1] the height (1-D: sizes 1, padding 0), [0] the depth. auto_pad, ceil_mode, output_shape and
 * output_padding are resolved. Position of tap k for output o: o * stride - pad_begin + k * dilation
 * (ConvTranspose: of output, for input o). */
typedef struct Window {
    int rank; /* spatial axes of the node */
    int64_t in[3], out[3], kernel[3], stride[3], dilation[3], pad_begin[3], pad_end[3];
} Window;
Window op_window(const Graph *g, const Node *n); /* fails on contradictions; needs the types of the inputs */

/* ---- loops.c, scalar.c ---- */

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
/* The next position in the outer dimensions; false at the end. */
bool loops_next(const Loops *l, int64_t *at, int outer);
int64_t loops_position(const Loops *l, int operand, const int64_t *at, int outer);
const char *loops_index(const Loops *l, int operand); /* "i0 * 36 + i1" */
void emit_loops_open(Emitter *e, const Loops *l);     /* loops over i0, i1, ... */
void emit_loops_close(Emitter *e, const Loops *l);

/* y[i] = kernel(x[0][i * step[0]], ...) for i < n, on the kernel's own types */
typedef void (*ScalarRow)(int64_t n, void *y, const void *const *x, const int64_t *step);
ScalarRow scalar_row(const char *kernel, DType d); /* bug if there is none */

/* ---- op_resize.c ---- */

bool picks_nearest(const Node *n); /* of a Resize: whether it only takes elements of its input */

/* ---- op_quant.c ---- */

/* Of a QuantizeLinear or DequantizeLinear with one constant scale and zero point for the whole tensor; false:
 * not so. */
bool node_step(const Node *n, CodeStep *s);
/* Whether elements of the outputs are some of those of input k, or the largest or least of some, whatever
 * they are: where all such inputs are codes of one step, it does the same with codes. */
bool moves_input(const Node *n, int k);
bool moves_codes(const Node *n); /* whether it moves floats of any input */
bool has_codes(const Graph *g);  /* whether anything is quantised, or layers are */
/* Whether each element of its output follows from those at its place in the inputs and from single constants:
 * of one input it is a table of codes. */
bool is_code_function(const Node *n);
/* Whether it is a sum, a difference or a product of two tensors, or a PRelu, which has integer code. */
bool is_code_arithmetic(const Node *n);
bool is_float_scalar(const Tensor *t); /* constant */

/* ---- op_codes.c ---- */

enum { EXPONENTIALS = 32 };
/* Input 1 of CodeSoftmax, of codes with steps of `scale`: the exponentials of 0, 16, 32, ... codes less, then
 * of 0 to 15. */
uint16_t *code_exponentials(double scale);

/* ---- weights.c ---- */

/* The constant weights of a linear node (Conv, ConvTranspose, Gemm, MatMul; float32, at least rank 2) and the
 * box that tells the output channel of each element. */
typedef struct LinearWeights {
    int input;   /* of the node */
    Ternary box; /* groups, mid, chan, inner only */
} LinearWeights;
bool linear_weights(const Node *n, LinearWeights *w); /* false: not linear, or its weights are not constant */
/* The same for weights k = 0, 1, ... of any node: recurrent ones have W and R. False behind the last. */
bool node_weights(const Node *n, int k, LinearWeights *w);
/* Those of products with what may be codes: of a linear node, or W of a recurrent one; its h are floats. */
bool product_weights(const Node *n, LinearWeights *w);
int64_t ternary_channels(const Ternary *box);
/* Position of element k (< mid * inner) of a channel. In order of channel and k the weights are Layer's
 * [co][ci/groups][kh][kw]. */
int64_t ternary_position(const Ternary *box, int64_t channel, int64_t k);

/* ---- weight_codes.c ---- */

/* Weights of 8 bits: data[i] == codes[i] * scale of its channel, exactly, as DequantizeLinear computes it,
 * with codes of -128 to 127 and scales greater than 0, the largest; fine: small ones with larger codes, for
 * the sake of a bias in steps of the sums. False: they are not. */
bool weight_codes(const Tensor *t, const Ternary *box, bool fine, Ternary *result);
/* To the nearest of 127 steps of either sign for each channel. */
void weights_to_grid(float *w, const Ternary *box);
/* The constant bias with one number for each output channel, added as it is; NULL: there is none. */
const Tensor *channel_bias(const Node *n, const LinearWeights *w);
/* The nearest codes of a bias by steps[c] = step * scales[c], exact as floats. False: some are too large. */
bool bias_codes(const Tensor *bias, float step, const float *scales, int32_t *codes, float *steps);

/* ---- eval.c, eval_cost.c ---- */

/* Evaluate the graph. inputs[i] is dense data of graph input i. Returns the values of all tensors by id (NULL
 * where not computed); constants and inputs point to their data, all else lies in the returned block, which
 * free() releases. */
void **eval_graph(const Graph *g, const void *const *inputs);
/* One node on given dense values; used by constant folding and check. out[] is allocated by the caller. */
void eval_node(const Graph *g, const Node *n, const void *const *in, void *const *out);
void *zeroed_values(const Tensor *t);             /* memory for them, for free(); NULL for no tensor */
double eval_steps(const Graph *g, const Node *n); /* what that takes, in steps of its loops; eval_cost.c */

/* ---- node_cost.c ---- */

/* What a node of a graph before fusing costs. */
typedef struct NodeCost {
    const Tensor *weight; /* constant weights of a linear operator, or NULL */
    int64_t params;       /* elements of constant float inputs but scalars */
    int64_t macs;         /* of linear operators; borders count in full */
    int64_t weights;      /* elements of weight */
    int64_t zeros;        /* among them */
    int64_t adds;         /* with ternary weights: adds and subtracts left; else 0 */
} NodeCost;
int64_t tensor_zeros(const Tensor *t);       /* how many elements of a constant are 0 */
int node_cost_rows(const Node *n);           /* 2 for recurrent nodes: W and R; else 1 */
bool is_parameter(const Node *n, int input); /* constants of floats, weights of codes */
NodeCost node_cost(const Node *n, int row);
const char *node_row_text(const Node *n, int row); /* "Conv", "LSTM W", "LSTM R" */

#endif
