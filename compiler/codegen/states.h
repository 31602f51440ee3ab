/* states.h - which outputs of a model are the state that an input wants back. */
#ifndef TERNC_STATES_H
#define TERNC_STATES_H

#include "graph/ir.h"

/* states.c: graph inputs that want a graph output of the run before, after plan; at most one per input. */
typedef struct StatePair {
    int input, output;
    bool in_place; /* one array may be both */
} StatePair;
int find_state_pairs(const Graph *g, StatePair *pairs);

#endif
