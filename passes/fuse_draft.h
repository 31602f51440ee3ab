/* fuse_draft.h - what fuse.c, fuse_prologue.c, fuse_epilogue.c, fuse_quantised.c and fuse_affine.c share: a
 * layer in the making. */
#ifndef TERNC_FUSE_DRAFT_H
#define TERNC_FUSE_DRAFT_H

#include "graph/ir.h"

typedef struct Draft {
    const Graph *g;
    Node *const *only_users; /* by the id of tensors that the graph had before the pass: graph_only_users */
    int num_users;
    Layer *l;
    Tensor *x, *y;        /* what the layer reads, and what it makes so far */
    int axis;             /* of y: the output channels */
    double *scale, *bias; /* [co], rounded to float once, when all is absorbed */
    const int64_t *order; /* weight k of a channel belongs to input order[k]; NULL: to input k */
    Quantised *quantised; /* the layer reads codes; NULL: floats */
    const int8_t *ints;   /* its weights where they are not ternary, in the order of their tensor */
    int64_t most_sum;     /* of a position, without its sign, whatever the codes */
    CodeStep step;        /* of the codes that it writes; scale 0: it writes floats */
    Text source;
} Draft;

/* The only node that uses t; NULL: there is none, there are several, or t is new. */
static inline const Node *only_user(const Draft *d, const Tensor *t)
{
    return t->id < d->num_users ? d->only_users[t->id] : NULL;
}

/* Whether the constant holds one number for each output channel of y, or one for all, under ONNX
 * broadcasting: then v[co] gets them. */
bool channel_values(const Draft *d, const Tensor *t, double *v);

/* A fully connected layer behind a Transpose, with nothing but views between them, reads the Transpose's
 * input instead, and its weights change places. The view that it reads then is returned, or NULL. */
Node *absorb_transpose(Graph *g, Draft *d);

/* Arithmetic with constants in front of the layer goes into its scale and bias, where exact enough. */
void absorb_normalisation(Draft *d, const Tensor *weights, const Ternary *box);

/* A DequantizeLinear in front of the layer: it reads the codes instead, where its weights are ternary or lie
 * on a grid of 8 bits for each output channel. */
void absorb_dequantize(Draft *d, const Tensor *weights, const Ternary *box);
bool sums_fit(const Draft *d, int64_t windows); /* no sum of so many positions leaves 32 bits */
/* A QuantizeLinear behind it: it writes codes. */
bool absorb_quantize(Draft *d, const Node *n);
/* The numbers of Layer.quantised, when weights, scale and bias are known. */
void finish_quantised(Draft *d);

/* Arithmetic with constants behind it, or BatchNormalization, goes into its scale and bias. */
bool absorb_affine(Draft *d, const Node *n);

/* Whether the layer can take over n, the only user of y: then d describes both, and y is n's output. */
bool absorb_node(Draft *d, const Node *n);

#endif
