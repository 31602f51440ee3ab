/* grad.h - gradient rules, hooks of OpDef. */
#ifndef TERNC_GRAD_H
#define TERNC_GRAD_H

#include "graph/op.h"

/* What a rule is given, dense; it adds to din. */
typedef struct Gradient {
    const void *const *in;
    const void *const *out;
    const float *const *dout; /* NULL: zero */
    float *const *din;        /* NULL: not wanted */
    void **own;               /* malloc'ed memory that a rule may keep from step to step */
} Gradient;
typedef void GradRule(const Graph *g, const Node *n, const Gradient *d);
double sign_of(double x); /* -1, 0 or 1; grad_elementwise.c */
GradRule grad_unary, grad_clip, grad_binary, grad_pow, grad_where, grad_variadic; /* grad_elementwise.c */
GradRule grad_move;                                                               /* grad_move.c */
GradRule grad_kernel; /* the training engine has a kernel for it; never called */

#endif
