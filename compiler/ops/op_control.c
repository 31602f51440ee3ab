/* op_control.c - If, Loop and Scan. Shape inference replaces them by what is in their bodies
 * (passes/infer_control.c), so that nothing behind it meets them. */
#include "graph/op.h"

static void infer_never(Graph *g, Node *n)
{
    bug("%s: node '%s' (%s) is still there", g->file, node_label(n), n->op_name);
}

const OpDef op_If = {
    .name = "If",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = -1,
    .attrs = {{.name = "then_branch", .type = ATTR_GRAPH, .required = true},
              {.name = "else_branch", .type = ATTR_GRAPH, .required = true}},
    .infer = infer_never,
};

const OpDef op_Loop = {
    .name = "Loop",
    .max_in = -1,
    .min_out = 1,
    .max_out = -1,
    .attrs = {{.name = "body", .type = ATTR_GRAPH, .required = true}},
    .infer = infer_never,
};

const OpDef op_Scan = {
    .name = "Scan",
    .min_in = 1,
    .max_in = -1,
    .min_out = 1,
    .max_out = -1,
    .attrs = {{.name = "body", .type = ATTR_GRAPH, .required = true},
              {.name = "num_scan_inputs", .type = ATTR_INT, .required = true},
              {.name = "scan_input_axes", .type = ATTR_INTS},
              {.name = "scan_input_directions", .type = ATTR_INTS},
              {.name = "scan_output_axes", .type = ATTR_INTS},
              {.name = "scan_output_directions", .type = ATTR_INTS}},
    .infer = infer_never,
};

#define SEQUENCE(NAME, MIN_IN, MAX_IN, ...)                                                                  \
    const OpDef op_##NAME = {.name = #NAME,                                                                  \
                             .min_in = MIN_IN,                                                               \
                             .max_in = MAX_IN,                                                               \
                             .min_out = 1,                                                                   \
                             .max_out = 1,                                                                   \
                             .attrs = {__VA_ARGS__},                                                         \
                             .infer = infer_never}

SEQUENCE(SequenceEmpty, 0, 0, {.name = "dtype", .type = ATTR_INT});
SEQUENCE(SequenceConstruct, 1, -1, {0});
SEQUENCE(SequenceInsert, 2, 3, {0});
SEQUENCE(SequenceErase, 1, 2, {0});
SEQUENCE(SequenceAt, 2, 2, {0});
SEQUENCE(SequenceLength, 1, 1, {0});
SEQUENCE(SplitToSequence, 1, 2, {.name = "axis", .type = ATTR_INT},
         {.name = "keepdims", .type = ATTR_INT, .i = 1});
SEQUENCE(ConcatFromSequence, 1, 1, {.name = "axis", .type = ATTR_INT, .required = true},
         {.name = "new_axis", .type = ATTR_INT});
