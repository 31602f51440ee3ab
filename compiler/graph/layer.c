/* layer.c - questions to linear layers. */
#include "graph/cell.h"

#include <string.h>

const char *lowering_name(Lowering l)
{
    static const char *const words[] = {
#define X(id, word) #word,
        LOWERINGS(X)
#undef X
    };
    return words[l];
}

Layer *node_layer(const Node *n, int k)
{
    if (n->op == OP_Layer)
        return k == 0 ? n->layer : NULL;
    return n->cell && k < n->cell->num_products ? n->cell->products[k] : NULL;
}

DType layer_input(const Layer *l)
{
    return l->quantised ? l->quantised->in : DT_F32;
}

DType layer_output(const Layer *l)
{
    return l->quantised ? l->quantised->out : DT_F32;
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

const int8_t *whole_weights(const Layer *l)
{
    return l->codes ? l->codes : l->ints;
}

const char *layer_weight_word(const Layer *l)
{
    if (l->codes)
        return "ternary";
    return l->ints ? "int8" : "float";
}

int64_t code_zeros(const int8_t *codes, int64_t n)
{
    int64_t zeros = 0;
    for (int64_t i = 0; i < n; i++)
        zeros += codes[i] == 0;
    return zeros;
}

int64_t layer_macs(const Layer *l)
{
    int64_t positions = l->batch * (l->kind == LAYER_CONV_TRANSPOSE ? l->ih * l->iw : l->oh * l->ow);
    return positions * layer_weight_count(l);
}

bool all_equal(const float *v, int64_t n)
{
    for (int64_t i = 1; i < n; i++)
        if (memcmp(&v[i], &v[0], sizeof *v) != 0)
            return false;
    return true;
}
