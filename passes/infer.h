/* infer.h - what infer*.c share. */
#ifndef TERNC_INFER_H
#define TERNC_INFER_H

#include "graph/ir.h"

typedef struct Walk {
    Graph *g;
    Graph kept;            /* only its array of nodes is used */
    const bool *is_output; /* by tensor id, of those that there were at first */
    int num_first;
    Tensor **made; /* graph outputs that were evaluated: constants for the time of the walk */
    int num_made;
    Tensor **copies; /* infer_control.c: by tensor id, what stands for it in the copy that is being made */
    int cap_copies;
    struct Sequence **sequences; /* infer_sequence.c: by tensor id */
    int cap_sequences;
    int64_t sequence_items; /* of all sequences */
    int64_t copied;         /* nodes made from bodies so far */
    size_t copied_text;     /* bytes of their names */
    double steps;           /* infer_cost.c: what evaluating may still take */
    size_t bytes;           /* likewise: of results */
} Walk;

/* The types of the nodes' outputs, in order; nodes are evaluated, kept, or (control flow) replaced. */
void infer_nodes(Walk *w, Node *const *nodes, int count);
bool walk_is_output(const Walk *w, const Tensor *t); /* of the model */
/* If, Loop and Scan. */
void infer_control(Walk *w, const Node *n);

/* infer_cost.c */
void infer_set_budget(Walk *w);
bool infer_take_budget(Walk *w, const Node *n); /* whether the node may be evaluated */

/* infer_control.c: nodes around bodies, with the label of n: op(a, b, c), those that are not NULL. */
Tensor *walk_make(Walk *w, const Node *n, OpKind op, Tensor *a, Tensor *b, Tensor *c);
Tensor *walk_int(Walk *w, const Node *n, int64_t v);
void walk_give(Walk *w, const Node *n, int output, Tensor *t); /* t is the node's output */

/* Tensors that are collected to become one. */
typedef struct Collector {
    Tensor **items;
    int count, cap;
} Collector;
/* The items, along a new axis, make an output of n. */
void walk_join(Walk *w, const Node *n, int output, const Collector *c, int64_t axis, bool reverse);

/* infer_sequence.c: whether n makes, takes or copies a sequence; then infer_sequence does what it says. */
bool is_sequence_node(const Walk *w, const Node *n);
void infer_sequence(Walk *w, const Node *n);

#endif
