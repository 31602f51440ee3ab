/* op_layer.c - the internal operator Layer: a fused linear layer, made by passes/fuse.c. */
#include "ops/recurrent.h"

const char *lowering_name(Lowering l)
{
    static const char *const names[] = {[LOWER_AUTO] = "auto",
                                        [LOWER_UNROLL] = "unroll",
                                        [LOWER_SPARSE] = "sparse",
                                        [LOWER_PACKED] = "packed",
                                        [LOWER_DENSE] = "dense"};
    return names[l];
}

Layer *node_layer(const Node *n, int k)
{
    if (n->op == OP_Layer)
        return k == 0 ? n->layer : NULL;
    return n->cell && k < n->cell->num_products ? n->cell->products[k] : NULL;
}

int layer_count(const Graph *g)
{
    int count = 0;
    for (int i = 0; i < g->num_nodes; i++)
        for (int k = 0; node_layer(g->nodes[i], k); k++)
            count++;
    return count;
}

bool activation_never_falls(const Activation *a)
{
    if (a->kind == ACT_HARD_SWISH)
        return false;
    return (a->kind != ACT_LEAKY_RELU && a->kind != ACT_HARD_SIGMOID) || a->a >= 0;
}

int64_t layer_weight_count(const Layer *l)
{
    return l->co * (l->ci / l->groups) * l->kh * l->kw;
}

int64_t layer_macs(const Layer *l)
{
    int64_t positions = l->batch * (l->kind == LAYER_CONV_TRANSPOSE ? l->ih * l->iw : l->oh * l->ow);
    return positions * layer_weight_count(l);
}

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
