/* upgrade_nodes.h - what the rules of upgrade*.c work with. */
#ifndef TERNC_UPGRADE_NODES_H
#define TERNC_UPGRADE_NODES_H

#include "graph/ir.h"

typedef struct Upgrade {
    Graph *g;
    int64_t opset;
    const int *uses;      /* graph_use_counts of the file's graph */
    const bool *is_input; /* graph_mark_inputs of it, */
    int num_first;        /* of so many tensors; 0: types and constants are known already */
    Graph kept;           /* only its array of nodes is used */
    Node *after;          /* what the rule wants placed behind its node; NULL: nothing */
} Upgrade;

/* NULL when not given; fails on one of another type. */
const Attr *upgrade_attr(const Upgrade *u, const Node *n, const char *name, AttrType type);
int64_t upgrade_take_int(const Upgrade *u, Node *n, const char *name, int64_t otherwise); /* and removes it */
void put_input(const Upgrade *u, Node *n, int index, Tensor *t); /* fails when there is one already */
/* The attribute becomes an input. */
void upgrade_ints(const Upgrade *u, Node *n, const char *name, int index);
const char *upgrade_name(const Node *n, const char *what); /* "LABEL_what" */
/* A node with one new output, "LABEL_what"; not yet placed. */
Node *upgrade_node(const Upgrade *u, const Node *of, const char *op_name, const char *what, int num_in);
void upgrade_place(Upgrade *u, Node *n);
void upgrade_rename(Node *n, const char *op_name);
void upgrade_need_input(const Upgrade *u, const Node *n); /* the first one, and an output */
/* OP(a, b), placed; b may be NULL. */
Tensor *upgrade_make(Upgrade *u, const Node *of, const char *op, Tensor *a, Tensor *b);
Tensor *upgrade_float(const Upgrade *u, const Node *of, float v);
/* n becomes OP(a, b, c), those that are not NULL, without attributes. */
void upgrade_become(Node *n, const char *op, Tensor *a, Tensor *b, Tensor *c);
/* Fails without min to max inputs, the first min of them there, and one output. */
void upgrade_inputs(const Upgrade *u, const Node *n, int min, int max);

#endif
