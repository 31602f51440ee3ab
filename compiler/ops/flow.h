/* flow.h - the order in which nodes run: loops, and nodes that only run while a condition holds.
 *
 * A Loop whose course is not known at compile time is the nodes of its body between two of ternc's own, in
 * the one flat list that every pass walks:
 *
 *   LoopBegin(trips?, go?, state...) -> (iteration, state_now...)
 *   ... the body: reads state_now, makes go_next and state_next
 *   LoopEnd(go_next?, state_next..., state_now...) -> (state...)
 *
 * Tensors made between the two are used there only; LoopEnd gives the states behind the last iteration, or
 * those in front of the loop where there was none. An absent trips is no limit, an absent go or go_next is
 * true. */
#ifndef TERNC_FLOW_H
#define TERNC_FLOW_H

#include "graph/op.h"

int loop_states(const Node *n);             /* how many, of LoopBegin or LoopEnd */
const Node *loop_begin(const Node *end);    /* of this LoopEnd, which has at least one state */
Tensor *loop_next(const Node *end, int k);  /* state k behind an iteration, */
Tensor *loop_state(const Node *end, int k); /* and where an iteration finds it */

/* A condition under which nodes run, known at run time; and those around it. */
typedef struct Guard {
    const Tensor *condition; /* a single bool */
    bool value;
    int outer; /* index of the guard around this one; 0: none */
    int depth;
} Guard;

/* Which nodes only make what a Where with a single condition does not choose; what belongs to loops. */
typedef struct Flow {
    const Graph *g;
    int *guard; /* by node: index in guards; 0: it always runs */
    Guard *guards;
    int num_guards;
    int *partner;         /* by node: of LoopBegin and LoopEnd the other one; else -1 */
    int *loop;            /* by node: LoopBegin of the innermost loop around it; -1: none */
    int *number;          /* by node: of LoopBegin, how many loops begin before it */
    struct LoopRun *runs; /* by node: of LoopBegin, while it runs */
} Flow;

int64_t loop_scratch_bytes(const Node *end); /* op_loop.c: to exchange states; valid once memory is shared */

Flow *flow_new(const Graph *g); /* malloc: the evaluator makes one per sample */
void flow_free(Flow *f);
const Flow *flow_kept(const Graph *g);         /* the same in the arena, for looking only */
int common_guard(const Flow *f, int a, int b); /* the innermost one around both */
/* The node that runs behind node i, -1 to begin with; num_nodes at the end. Where it is LoopBegin or LoopEnd,
 * its output k is flow_value(f, i, k) then. values: by tensor id, of what has run. */
int flow_next(Flow *f, int i, const void *const *values);
const void *flow_value(const Flow *f, int i, int k);

#endif
