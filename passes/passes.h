/* passes.h - the passes over the graph, in the order of pipeline.c. */
#ifndef TERNC_PASSES_H
#define TERNC_PASSES_H

#include "graph/options.h"

/* Each pass is one file of the same name (affine: fuse_affine.c), says what it requires and gives, and is
 * followed by verify. */
void pass_upgrade(Model *m); /* any opset 1..18 -> the one internal form (opset 17) */
/* What a node whose rule waited (its opset is set) becomes, for infer, which knows types and constants: nodes
 * in order; the graph has only its array. */
Graph upgrade_waiting(Graph *g, Node *n);
/* Entry i of the operators that upgrade replaces by others, and by which. False behind the last. */
bool upgraded_operator(int i, const char **op, const char **becomes);
void pass_infer(Graph *g);               /* all types known; nodes with constant inputs evaluated */
void pass_fold(Graph *g);                /* Identity, no-op Reshape/Transpose/... removed, and Dropout */
void pass_fold_for_training(Graph *g);   /* the same, but Dropout stays, and axes of the batch */
void pass_fold_after_training(Graph *g); /* without Dropout, but it may be trained again */
void pass_dce(Graph *g);                 /* nodes whose outputs nobody uses removed */
void pass_channels(Graph *g, const Options *opt);  /* which axis of each input has the channels */
void pass_ternarize(Graph *g, const Options *opt); /* recognition of ternary weights, then TWN (twn.c) */
void pass_affine(Graph *g); /* arithmetic behind linear nodes goes into their weights and biases */
/* activations -> codes; ranges by tensor id. False: there are none. */
bool pass_quantise(Graph *g, const Range *ranges, const Options *opt);
/* Its choices, before ternarize. By tensor id: the tensor that has the same step; -1: stays float. */
int *coded_tensors(Graph *g, const Range *ranges, const Options *opt);
/* The step and zero point that reach from low to high, and 0, and the type of the codes. */
CodeStep choose_step(const Graph *g, const Tensor *t, const CodeKind *kind, Range r, DType *d);
void check_input_range(const Graph *g, const Tensor *x, Range r);
/* powers.c: with --scales pow2, the least power of two that is no finer; the weights of n, its
 * input, by what follows it. */
CodeStep power_step(CodeStep s, Range r, DType d);
Tensor *power_weights(Graph *g, const Node *n, int input, const Ternary *box, Node *const *only);
Graph *pass_store(Graph *g);                    /* weights of such a graph as codes, for a file */
void pass_recurrent(Graph *g);                  /* LSTM, GRU, RNN -> Gemm and OP_Recurrent */
void pass_inputs(Graph *g, const Options *opt); /* uint8 and moved channels: inputs of the application */
void pass_codes(Graph *g,
                bool io); /* between layers that are quantised: on codes; io: inputs and outputs too */
void pass_fuse(Graph *g); /* linear nodes -> OP_Layer with epilogues */
void pass_lower(Graph *g, const Options *opt); /* lowering per layer, layouts of tensors */

void pass_real_ends(Graph *g); /* ends.c: inputs and outputs that are codes become floats, for eval */

/* ternarize.c: the weights that --keep leaves to ternarise, by tensor id. */
const bool *ternary_tensors(Graph *g, const Options *opt);
/* The codes of weights that are ternary already; NULL: they are not. */
Ternary *recognise_ternary(const float *w, Ternary box);
/* What --threshold or --sparsity makes of weights that nothing else reads. */
Ternary *ternarize_alone(const Options *opt, const float *w, Ternary box);

/* ---- twn.c: pure functions on one channel or layer of n weights ---- */

float twn_exact(const float *w, int64_t n, int8_t *codes);                    /* returns the scale */
float twn_relative(const float *w, int64_t n, float factor, int8_t *codes);   /* D = factor * mean|w| */
float twn_quantile(const float *w, int64_t n, float sparsity, int8_t *codes); /* top (1 - sparsity) share */

#endif
