/* upgrade.h - what the rules of upgrade*.c share. */
#ifndef TERNC_UPGRADE_H
#define TERNC_UPGRADE_H

#include "graph/ir.h"

typedef struct Upgrade {
    Graph *g;
    int64_t opset;
    const int *uses; /* graph_use_counts of the file's graph */
    Graph kept;      /* only its array of nodes is used */
    Node *after;     /* what the rule wants placed behind its node; NULL: nothing */
} Upgrade;

/* NULL when not given; fails on one of another type. */
const Attr *upgrade_attr(const Upgrade *u, const Node *n, const char *name, AttrType type);
int64_t upgrade_take_int(const Upgrade *u, Node *n, const char *name, int64_t otherwise); /* and removes it */
void upgrade_ints(const Upgrade *u, Node *n, const char *name, int index); /* the attribute becomes an input */
const char *upgrade_name(const Node *n, const char *what);                 /* "LABEL_what" */
/* A node with one new output, "LABEL_what"; not yet placed. */
Node *upgrade_node(const Upgrade *u, const Node *of, const char *op_name, const char *what, int num_in);
void upgrade_place(Upgrade *u, Node *n);

/* upgrade_old.c: the form of opset 7 from that of 1 to 6. */
void upgrade_old(Upgrade *u, Node *n);

/* upgrade_quant.c: a node of QONNX, and ONNX's quantised operators, in terms of others. */
#define QONNX "qonnx.custom_op.general"
const char *qonnx_domain(const char *domain); /* QONNX for its older name too, else the same */
void upgrade_qonnx(Upgrade *u, Node *n);
void upgrade_qlinear_conv(Upgrade *u, Node *n);
void upgrade_qlinear_matmul(Upgrade *u, Node *n);

#endif
