/* op_layer.c - the internal operator Layer: a fused linear layer, made by passes/fuse.c. */
#include "codegen/codegen.h"
#include "ops/recurrent.h"

static void infer_layer(Graph *g, Node *n)
{
    (void)g;
    bug("types are inferred before layers are fused (%s)", n->layer->source);
}

static void eval_layer_node(const Graph *g, const Node *n, const void *const *in, void *const *out)
{
    (void)g;
    eval_layer(n->layer, in[0], out[0], NULL);
}

const OpDef op_Layer = {
    .name = "Layer",
    .internal = true,
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .strided = true,
    .infer = infer_layer,
    .eval = eval_layer_node,
    .emit = emit_layer,
};

static void eval_recurrent_node(const Graph *g, const Node *n, const void *const *in, void *const *out)
{
    if (n->cell->codes)
        eval_cell(n, in, out);
    else
        eval_recurrent(g, n, in, out);
}

static void infer_recurrent(Graph *g, Node *n)
{
    (void)g;
    bug("types are inferred before recurrent nodes are split (%s)", n->cell->source);
}

const OpDef op_Recurrent = {
    .name = "Recurrent",
    .internal = true,
    .min_in = 3,
    .max_in = 8,
    .min_out = 1,
    .max_out = 3,
    .infer = infer_recurrent,
    .eval = eval_recurrent_node,
    .emit = emit_recurrent,
};
