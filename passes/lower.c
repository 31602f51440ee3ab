/* lower.c - how each linear layer is computed: unroll, sparse, packed or dense.
 *
 * Requires fused layers (fuse). Gives Layer.lowering, window, why, bytes, time, terms, adds, zeros, direct and the
 * layout of every tensor.
 *
 * Bytes: a term of unrolled code costs what was measured per target family (target.c), tables cost exactly their
 * length, and each form some code. Time: cost.c. `size` takes the fewest bytes; `speed` the least time within limits on
 * what is unrolled, and of forms that are about as fast the smallest. */
#include "ir.h"
#include "emitter.h"

#include <math.h>

enum {
    MAX_CONV_TERMS = 400000,   /* unrolled convolution terms per layer: about 2 MB of code */
    MAX_FC_TERMS = 65536,      /* unrolled terms of a layer whose weights are used once */
    MAX_MODEL_TERMS = 1 << 22, /* of all layers: minutes of a C compiler */
    BLOCK_CODE = 48,           /* bytes around the terms of one function */
    CONV_CODE = 450,           /* a convolution's loop and epilogue */
    STAGE_CODE = 150,          /* and what copies its padded input */
    FC_CODE = 120,             /* a fully connected layer's epilogue */
    TABLE_CODE = 250,          /* the share of a table-driven layer in its kernel */
};

/* Two forms whose bytes, or times, differ by less are as good as each other. */
static const double CLOSE = 1.1;

static int64_t count_zeros(const Layer *l)
{
    int64_t zeros = 0;
    for (int64_t i = 0; l->codes && i < layer_weight_count(l); i++)
        zeros += l->codes[i] == 0;
    return zeros;
}

static int64_t table_bytes(const Layer *l, Lowering form)
{
    WeightTable t = weight_table(l, form, 1);
    return t.len * (int64_t)dtype_size(t.dtype);
}

static void predict_bytes(Layer *l, const Options *opt)
{
    int64_t n = layer_weight_count(l), terms = n - l->zeros;
    int64_t frame = (l->kind == LAYER_FC ? FC_CODE : CONV_CODE) + 8 * l->co;
    const Target *target = find_target(opt->target);
    for (int i = 0; i < 5; i++)
        l->bytes[i] = -1;
    int64_t stage = l->kind == LAYER_FC ? 0 : STAGE_CODE, table = TABLE_CODE + (l->small ? 0 : stage);
    l->bytes[LOWER_DENSE] = frame + stage + TABLE_CODE + 4 * n;
    if (!l->codes)
        return;
    double per_term = l->kind == LAYER_FC ? target->fc_bytes : target->conv_bytes;
    l->bytes[LOWER_UNROLL] =
        frame + stage + (int64_t)((double)terms * per_term) + BLOCK_CODE * (1 + terms / 500 + l->co / 12);
    l->bytes[LOWER_SPARSE] = frame + table + table_bytes(l, LOWER_SPARSE);
    l->bytes[LOWER_PACKED] = frame + table + table_bytes(l, LOWER_PACKED);
}

static Lowering fewest_bytes(const Layer *l, const Lowering *candidates, int count)
{
    Lowering best = candidates[0];
    for (int i = 1; i < count; i++)
        if (l->bytes[candidates[i]] < l->bytes[best])
            best = candidates[i];
    return best;
}

static void choose_for_size(Layer *l)
{
    static const Lowering all[] = {LOWER_UNROLL, LOWER_SPARSE, LOWER_PACKED};
    l->lowering = fewest_bytes(l, all, 3);
    l->why = "fewest bytes of code and constants";
    if (l->kind == LAYER_FC && l->lowering == LOWER_SPARSE &&
        (double)l->bytes[LOWER_PACKED] <= CLOSE * (double)l->bytes[LOWER_SPARSE]) {
        l->lowering = LOWER_PACKED;
        l->why = "hardly more bytes than as Rice codes, and read several times as fast";
    }
}

/* Whether unrolled code is thought of; left: terms that the model may still have. */
static bool may_unroll(const Layer *l, const Options *opt, int64_t left)
{
    int64_t terms = layer_weight_count(l) - l->zeros, most = l->kind == LAYER_FC ? MAX_FC_TERMS : MAX_CONV_TERMS;
    return l->codes && (opt->lowering == LOWER_UNROLL || (terms <= most && terms <= left));
}

/* Unrolled code shares sums, or not: for speed whatever is predicted to take less time, for size fewer adds where an
 * add is an instruction. */
static void predict_unrolled(Layer *l, const Options *opt)
{
    const Target *target = find_target(opt->target);
    const int most = l->kind == LAYER_FC ? target->fc.window : target->conv.window;
    int64_t adds = 0;
    for (int window = 1; window <= most; window = window < most ? most : most + 1) {
        Layer t = *l;
        t.lowering = LOWER_UNROLL;
        t.window = window;
        Work w = layer_work(&t, opt);
        double time = work_time(&w, &t, opt);
        bool better =
            opt->optimize == OPTIMIZE_SIZE ? !target->soft_float && w.adds < adds : time < l->time[LOWER_UNROLL];
        if (window == 1 || better) {
            l->window = window;
            l->time[LOWER_UNROLL] = time;
            adds = w.adds;
            l->adds = w.terms ? (int64_t)((double)l->terms * (double)w.adds / (double)w.terms + 0.5) : 0;
        }
    }
}

static void predict_times(Layer *l, const Options *opt, int64_t *left)
{
    for (int i = 0; i < 5; i++)
        l->time[i] = -1;
    l->window = 1;
    l->terms = layer_macs(l) / layer_weight_count(l) * (layer_weight_count(l) - l->zeros);
    if (may_unroll(l, opt, *left)) {
        predict_unrolled(l, opt);
        *left -= layer_weight_count(l) - l->zeros;
    }
    for (Lowering form = l->codes ? LOWER_SPARSE : LOWER_DENSE; form <= LOWER_DENSE; form++) {
        Layer t = *l;
        t.lowering = form;
        Work w = layer_work(&t, opt);
        l->time[form] = work_time(&w, &t, opt);
    }
}

/* The least time; of those that are about as fast, the fewest bytes. Multiplying by ternary weights is no candidate:
 * where it is predicted to be faster, it is by little, for sixteen times the bytes. */
static void choose_for_speed(Layer *l)
{
    double least = INFINITY;
    for (Lowering form = LOWER_UNROLL; form <= LOWER_PACKED; form++)
        if (l->time[form] >= 0 && l->time[form] < least) {
            least = l->time[form];
            l->lowering = form;
        }
    const Lowering fastest = l->lowering;
    for (Lowering form = LOWER_UNROLL; form <= LOWER_PACKED; form++)
        if (l->time[form] >= 0 && l->time[form] <= CLOSE * least && l->bytes[form] < l->bytes[l->lowering])
            l->lowering = form;
    l->why = "predicted to be the fastest form";
    if (l->lowering != fastest)
        l->why = "predicted to be about as fast as the fastest form, and smaller";
    else if (l->time[LOWER_UNROLL] < 0)
        l->why = mem_printf("predicted to be the fastest form but unroll, for which %lld terms are too many",
                            (long long)(layer_weight_count(l) - l->zeros));
}

static bool has_small_table(const Layer *l, const Options *opt)
{
    const Target *target = find_target(opt->target);
    if (l->kind == LAYER_CONV_TRANSPOSE)
        return false;
    return opt->optimize == OPTIMIZE_SIZE || target->small_tables || (l->kind == LAYER_CONV && target->soft_float);
}

static void choose_lowering(Layer *l, const Options *opt, int64_t *left)
{
    l->zeros = count_zeros(l);
    l->small = has_small_table(l, opt);
    void *mark = mem_mark(); /* predictions are numbers: what it takes to make them goes */
    predict_bytes(l, opt);
    predict_times(l, opt, left);
    mem_release(mark);
    if (!l->codes) {
        l->lowering = LOWER_DENSE;
        l->why = "float weights";
    } else if (opt->lowering != LOWER_AUTO) {
        l->lowering = opt->lowering;
        l->why = "asked for by --lowering";
    } else if (opt->optimize == OPTIMIZE_SIZE) {
        choose_for_size(l);
    } else {
        choose_for_speed(l);
    }
}

/* ---- layouts ---- */

/* The tensor whose memory a chain of views shares. */
static const Tensor *viewed(const Tensor *t)
{
    while (t->producer && op_def(t->producer->op)->view)
        t = t->producer->in[0];
    return t;
}

static bool view_is_output(const Graph *g, const Tensor *root)
{
    for (int i = 0; i < g->num_outputs; i++)
        if (viewed(g->outputs[i]) == root)
            return true;
    return false;
}

/* A convolution without padding and stride reads its input where it lies if that is in the arena, where there is room
 * for the vector loads that run over its end. */
static bool can_read_directly(const Graph *g, const Node *n)
{
    const Layer *l = n->layer;
    const Tensor *root = viewed(n->in[0]);
    return l->kind == LAYER_CONV && l->sh == 1 && l->sw == 1 && !l->pt && !l->pl && !l->pb && !l->pr &&
           root->producer && !view_is_output(g, root) && !conv_is_split(l);
}

void pass_lower(Graph *g, const Options *opt)
{
    int64_t left = MAX_MODEL_TERMS;
    for (int i = 0; i < g->num_tensors; i++)
        if (type_known(g->tensors[i]->type))
            g->tensors[i]->layout = layout_dense(g->tensors[i]->type);
    for (int i = 0; i < g->num_nodes; i++) {
        Node *n = g->nodes[i];
        Layer *l;
        for (int k = 0; (l = node_layer(n, k)); k++)
            choose_lowering(l, opt, &left);
        if (n->op != OP_Layer)
            continue;
        n->layer->direct = can_read_directly(g, n);
        if (n->layer->direct)
            n->in[0]->layout.size += layer_format(n->layer)->max_lanes;
    }
}
