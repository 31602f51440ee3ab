/* codes_walk.h - what codes.c and codes_numbers.c share: a walk over a graph with codes. */
#ifndef TERNC_CODES_WALK_H
#define TERNC_CODES_WALK_H

#include "ops/ops.h"

enum { CODES = 256 };

typedef struct Codes {
    Graph *g;
    /* Of the walk, by tensor id, of the tensors that there were when it began: */
    Node **users;          /* graph_only_users */
    const bool *is_output; /* graph_mark_outputs */
    Tensor **replaced;     /* what is read in its place */
    int num_tensors;
    Tensor **made; /* by tensor id: its copy for all codes, while a table is made; else NULL */
    Graph result;  /* only its array of nodes is used */
    bool changed;
} Codes;

/* The only node that uses t; NULL: there is none, there are several, or t is new. */
static inline Node *only_user(const Codes *c, const Tensor *t)
{
    return t->id < c->num_tensors ? c->users[t->id] : NULL;
}

/* The node that makes t, if it is a DequantizeLinear of codes with one step. t: NULL where a node has no such
 * input. */
static inline Node *dequantizer(const Tensor *t, CodeStep *s)
{
    Node *n = t ? t->producer : NULL;
    bool good = n && n->op == OP_DequantizeLinear && dtype_is_code(n->in[0]->type.dtype) && !n->in[0]->data;
    return good && node_step(n, s) ? n : NULL;
}

/* The same of bytes alone. */
static inline Node *byte_dequantizer(const Tensor *t, CodeStep *s)
{
    Node *n = dequantizer(t, s);
    return n && dtype_is_byte(n->in[0]->type.dtype) ? n : NULL;
}

/* codes_numbers.c: what QuantizeLinear q and the nodes in front of it compute becomes one node on codes. */
bool compute_on_codes(Codes *c, Node *q);

#endif
