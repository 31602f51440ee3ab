/* infer.h - what infer.c and infer_control.c share. */
#ifndef TERNC_INFER_H
#define TERNC_INFER_H

#include "ir.h"

typedef struct Walk {
    Graph *g;
    Graph kept;    /* only its array of nodes is used */
    Tensor **made; /* graph outputs that were evaluated: constants for the time of the walk */
    int num_made;
    Tensor **copies; /* infer_control.c: by tensor id, what stands for it in the copy that is being made */
    int cap_copies;
    int64_t copied;     /* nodes made from bodies so far */
    size_t copied_text; /* bytes of their names */
} Walk;

/* The types of the nodes' outputs, in order; nodes are evaluated, kept, or (control flow) replaced. */
void infer_nodes(Walk *w, Node *const *nodes, int count);
/* If, Loop and Scan. */
void infer_control(Walk *w, const Node *n);

#endif
