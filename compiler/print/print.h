/* print.h - printing C: lines, literals, constants, kernels. What operators and layers print with. */
#ifndef TERNC_PRINT_H
#define TERNC_PRINT_H

#include "graph/op.h"
#include "graph/options.h"

typedef struct Plan {
    const Graph *g;
    const Options *opt;
    const char *id;          /* C identifier, "net" */
    int64_t arena_bytes;     /* tensors and scratch */
    const int *maker;        /* by tensor id: index of the node that makes it, -1 for none */
    int64_t *scratch;        /* by node index: arena offset of the node's scratch memory, -1 for none */
    const struct Flow *flow; /* flow.h */
    int64_t lower_bound;     /* bytes that any plan needs at its fullest moment */
} Plan;
int plan_node_index(const Plan *p, const Node *n);

/* ---- emit.c ---- */

/* Indents by itself: a line that ends with "{" opens a level, one that starts with "}" closes it. */
void emit_line(Emitter *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void emit_blank(Emitter *e);
/* "{1,2,3}" compound literal text for literal size arguments: (const int32_t[]){1,2,3}. */
const char *emit_dims(const int64_t *v, int count);
/* Shortest C literal that reads back as the same v, "1.5f"; INFINITY and NAN as C expressions. */
const char *float_text(double v, DType d);
const char *emit_literal(DType d, const void *data, int64_t i); /* one element as a C literal */
const Plan *emit_plan(const Emitter *e);
void emit_copy(Emitter *e, const char *to, const char *from, Type t); /* memcpy, unless they are the same */
void emit_begin_check(Emitter *e);                                    /* #ifdef NAME_CHECK */
void emit_end_check(Emitter *e);

/* ---- emit_const.c ---- */

/* C expression that points to the tensor's element 0 (layout.base included), with const for inputs and
 * constants. Makes sure that a constant is printed. */
const char *emit_ptr(Emitter *e, const Tensor *t);
/* The same of a constant that a pass made for kernels whose argument is const TN_ROM, in that address space;
 * nothing else may read it. */
const char *emit_table_ptr(Emitter *e, const Tensor *t);
/* An extra constant array, printed once before the functions; returns its identifier. */
const char *emit_const_array(Emitter *e, const char *hint, DType d, const void *data, int64_t count);
/* The same under this name, which is printed with the first one that wants it. */
const char *emit_shared_array(Emitter *e, const char *name, DType d, const void *data, int64_t count);

/* ---- emit_kernels.c ---- */

/* Asks for a runtime kernel by its name in runtime/ and element type, e.g. emit_kernel(e, "transpose",
 * DT_F32); returns the name to call, "tn_transpose_f32". The kernel and what it calls are carried into the
 * output once. DT_NONE: the kernel has no type parameter. */
const char *emit_kernel(Emitter *e, const char *name, DType d);

#endif
