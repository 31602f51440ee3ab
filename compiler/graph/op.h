/* op.h - an operator's definition: facts and hooks. */
#ifndef TERNC_OP_H
#define TERNC_OP_H

#include "graph/ir.h"

typedef struct AttrSpec {
    const char *name;
    AttrType type;
    bool required;
    int64_t i;     /* default of ATTR_INT */
    float f;       /* default of ATTR_FLOAT */
    const char *s; /* default of ATTR_STRING */
} AttrSpec;

typedef struct Emitter Emitter;
struct Gradient;

/* How far results in floating point may be, in generated code, from what eval computes. u is the unit
 * roundoff of the element type, 2^-24 for float; check_bounds.c has the formulas. */
typedef enum RoundingRule {
    ROUND_NOT,         /* the same bits: data movement, integers, single operations that IEEE rounds */
    ROUND_ULPS,        /* (ulps |y| + offset) u: a few operations; `offset`: of terms that may cancel */
    ROUND_SUM,         /* (terms + 8) u * the same operator on absolute values (eval_absolute) */
    ROUND_POSITIVE,    /* (terms + 8) u |y|: a sum or product of terms of one sign */
    ROUND_LOG_SUM,     /* (4 |y| + terms + 128) u: the logarithm of a sum */
    ROUND_SOFTMAX,     /* x - max is rounded: |x - max| <= 104 ulps where y is not 0 */
    ROUND_LOG_SOFTMAX, /* likewise */
    ROUND_SAMPLED,     /* values between the pixels of input 0, at rounded positions by input 1 */
    ROUND_NORM         /* (x - mean) / deviation * scale + bias */
} RoundingRule;

typedef struct Rounding {
    RoundingRule rule;
    double ulps, offset;
} Rounding;

/* Facts and behaviour of one operator in its opset 17 form; one definition per name of ops.def, beside its
 * code. */
typedef struct OpDef {
    const char *name;
    int min_in, max_in;   /* max -1: variadic */
    int min_out, max_out; /* max -1: variadic */
    AttrSpec attrs[12];   /* ends at name == NULL */
    bool internal;        /* made by passes, no operator of ONNX */
    bool declared_size;   /* infer finds the types in the outputs that the file declares, as a help */
    bool strided;         /* emit takes any Layout of inputs and outputs */
    bool in_place;        /* an output may take the memory of a dying input of the same type */
    bool view;            /* output is input 0's memory under another shape: nothing to compute */
    /* Set the types of the outputs; inputs are known. Fails on contradictions. */
    void (*infer)(Graph *g, Node *n);
    /* Compute outputs from inputs, all dense in the tensors' types; NULL for absent ones. Linear operators
     * accumulate in double with naive loops: the reference that generated code is compared with. */
    void (*eval)(const Graph *g, const Node *n, const void *const *in, void *const *out);
    Rounding rounding; /* default: none */
    /* With ROUND_SUM, where the operator has coefficients of its own that may be negative: eval with their
     * absolute values. NULL: eval. */
    void (*eval_absolute)(const Graph *g, const Node *n, const void *const *in, void *const *out);
    /* By how much the bound of each element of output k grows, where a sum inside of it cancels or is below
     * the normal numbers, or its rounding is magnified; `want` is what eval gives. NULL: not at all. */
    void (*magnify)(const Graph *g, const Node *n, const void *const *in, const void *want, double *by);
    /* Terms that an element of the output is made of (NULL: as many elements as input 0 has for each; 0: it
     * is a copy), and steps that eval takes for it (NULL: one). Too many do no harm. */
    double (*terms)(const Graph *g, const Node *n);
    double (*steps)(const Graph *g, const Node *n);
    /* Print the C that computes the node. Default NULL only for view operators. */
    void (*emit)(Emitter *e, const Node *n);
    /* Add the gradients of the inputs, from those of the outputs (ops/grad.h). NULL: there is none. */
    void (*grad)(const Graph *g, const Node *n, const struct Gradient *d);
    /* Whether this form of the operator can be trained through. NULL: every form can. */
    bool (*has_grad)(const Graph *g, const Node *n);
    bool grad_flat; /* grad sees every input, and every gradient, in the shape of output 0 */
} OpDef;

/* ---- op_table.c ---- */

const OpDef *op_def(OpKind op);                       /* NULL for OP_UNSUPPORTED */
const Tensor *viewed_tensor(const Tensor *t);         /* behind the views that made it, or itself */
OpKind op_find(const char *domain, const char *name); /* OP_UNSUPPORTED when not in ops.def */

/* ---- supported.c ---- */

/* Arity, attribute names and types of a node against its OpDef. */
void check_supported_node(const Graph *g, const Node *n);
/* check_supported_node for all that do not wait for infer (Node.opset), in bodies too; lists all unsupported
 * operators in one message. */
void check_supported(const Graph *g);

#endif
