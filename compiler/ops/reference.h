/* reference.h - naive linear algebra in double: what generated code is compared with. Shared by eval.c and
 * the operators only. */
#ifndef TERNC_REFERENCE_H
#define TERNC_REFERENCE_H

#include "ops/ops.h"

/* One image of a convolution; ci and co count all groups. Weights are [co][ci / groups][kernel], also of a
 * transposed one. */
typedef struct ConvShape {
    int64_t groups, ci, co;
    Window w;
} ConvShape;

/* The attributes that every kind of convolution has, for OpDef.attrs. */
#define CONV_ATTRS                                                                                           \
    {.name = "auto_pad", .type = ATTR_STRING, .s = "NOTSET"}, {.name = "dilations", .type = ATTR_INTS},      \
        {.name = "group", .type = ATTR_INT, .i = 1}, {.name = "kernel_shape", .type = ATTR_INTS},            \
        {.name = "pads", .type = ATTR_INTS},                                                                 \
    {                                                                                                        \
        .name = "strides", .type = ATTR_INTS                                                                 \
    }

/* What the kernels conv of runtime/matmul.h take behind the tensors: batch, groups, channels of a group, the
 * window. */
const char *emit_conv_shape(const ConvShape *s, int64_t batch);

/* Channels and groups of a Conv or ConvTranspose node against the weights; fails on contradictions. */
ConvShape conv_shape(const Graph *g, const Node *n);

/* y[i][j] = sum over k of a[i * ai + k * ak] * b[k * bk + j * bj] */
typedef struct MatShape {
    int64_t m, n, k, ai, ak, bk, bj;
} MatShape;

/* MatMul is a batch of products; stacks broadcast. */
typedef struct StackShape {
    MatShape mat;
    int rank; /* of the stack of matrices */
    int64_t dims[MAX_RANK], a_steps[MAX_RANK], b_steps[MAX_RANK];
} StackShape;

StackShape stack_shape(const Graph *g, const Node *n);
int64_t stack_count(const StackShape *s);
Type stack_type(const Node *n, const StackShape *s, DType d); /* of the result */
/* a and b to y, dense, all products of the stack */
void reference_matmul(const StackShape *s, const double *a, const double *b, double *y);

/* acc[co][out] = sum of w * x. A zero weight drops its input, also a NaN. */
void reference_conv(const ConvShape *s, const double *x, const double *w, double *acc);
void reference_conv_transpose(const ConvShape *s, const double *x, const double *w, double *acc);
/* acc[o] = sum over i of w[o][i] * x[i] */
void reference_fc(int64_t ci, int64_t co, const double *x, const double *w, double *acc);

/* OpDef.terms of all convolutions, and of products of matrices. */
double conv_terms(const Graph *g, const Node *n);
double matmul_terms(const Graph *g, const Node *n);

/* Whether v > m, where NaN is larger than all numbers. */
bool is_larger(double v, double m);

/* malloc'ed doubles, for free(); doubles_from converts n elements of float, double or an integer type. */
double *doubles_new(int64_t n);
double *doubles_from(const void *data, DType d, int64_t n);
void doubles_to(const double *v, void *data, DType d, int64_t n);

/* For OpDef.magnify: a sum of powers below the normal numbers has lost digits. */
double small_sum_factor(double sum, DType d);

#endif
