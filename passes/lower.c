/* lower.c - how each linear layer is computed: unroll, sparse, packed or dense.
 *
 * Requires fused layers (fuse). Gives Layer.lowering, why, bytes, zeros, direct and the layout of every tensor.
 *
 * The estimate is simple on purpose. Bytes: a term of unrolled code costs what was measured per target family
 * (target.c), tables cost exactly their length, and each form some code. `size` takes the fewest bytes. `speed` unrolls
 * convolutions where a weight is used at several positions, or where few terms are left; the weights of fully connected
 * layers are used once and stream like data, so there measured times per weight of each form decide (target.c). */
#include "ir.h"
#include "emitter.h"

#include <math.h>

enum {
    REUSE = 4,                 /* positions per weight from which unrolled code pays by itself */
    MAX_REUSED_TERMS = 400000, /* unrolled convolution terms per layer: about 2 MB of code */
    MAX_SINGLE_TERMS = 65536,  /* unrolled terms of a layer whose weights are used once */
    BLOCK_CODE = 48,           /* bytes around the terms of one function */
    CONV_CODE = 450,           /* a convolution's loop and epilogue */
    STAGE_CODE = 150,          /* and what copies its padded input */
    FC_CODE = 120,             /* a fully connected layer's epilogue */
    TABLE_CODE = 250,          /* the share of a table-driven layer in its kernel */
};

/* Two forms whose bytes, or times, differ by less are as good as each other. */
static const double CLOSE = 1.1;

static int64_t weight_count(const Layer *l)
{
    return l->co * (l->ci / l->groups) * l->kh * l->kw;
}

static int64_t count_zeros(const Layer *l)
{
    int64_t zeros = 0;
    for (int64_t i = 0; l->codes && i < weight_count(l); i++)
        zeros += l->codes[i] == 0;
    return zeros;
}

static int64_t reuse(const Layer *l)
{
    return l->batch * (l->kind == LAYER_CONV_TRANSPOSE ? l->ih * l->iw : l->oh * l->ow);
}

static int64_t table_bytes(const Layer *l, Lowering form)
{
    WeightTable t = weight_table(l, form, 1);
    return t.len * (int64_t)dtype_size(t.dtype);
}

static void predict_bytes(Layer *l, const Options *opt)
{
    int64_t n = weight_count(l), terms = n - l->zeros, frame = (l->kind == LAYER_FC ? FC_CODE : CONV_CODE) + 8 * l->co;
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

/* Fully connected layers: every row of a batch streams all weights. Among the forms that are about as fast as the
 * fastest, the smallest. */
static void choose_for_streaming(Layer *l, const Options *opt)
{
    const Target *target = find_target(opt->target);
    double weights = (double)weight_count(l), terms = weights - (double)l->zeros;
    double time[] = {[LOWER_UNROLL] = terms <= MAX_SINGLE_TERMS ? terms * target->packed_per_term : INFINITY,
                     [LOWER_SPARSE] = terms * target->packed_per_listed,
                     [LOWER_PACKED] = weights};
    double least = fmin(fmin(time[LOWER_UNROLL], time[LOWER_SPARSE]), time[LOWER_PACKED]);
    int64_t bytes = INT64_MAX;
    for (Lowering form = LOWER_UNROLL; form <= LOWER_PACKED; form++)
        if (time[form] <= CLOSE * least && l->bytes[form] < bytes) {
            l->lowering = form;
            bytes = l->bytes[form];
        }
    l->why = mem_printf("each weight is used once, and %.0f of %.0f are left", terms, weights);
}

static void choose_for_speed(Layer *l, const Options *opt)
{
    static const Lowering tables[] = {LOWER_SPARSE, LOWER_PACKED};
    int64_t terms = weight_count(l) - l->zeros;
    bool reused = reuse(l) >= REUSE;
    if (l->kind == LAYER_FC) {
        choose_for_streaming(l, opt);
        return;
    }
    if (l->kind == LAYER_CONV && find_target(opt->target)->soft_float) {
        choose_for_size(l);
        l->why = "adds are calls here, so no form is faster; fewest bytes";
        return;
    }
    l->lowering = LOWER_UNROLL;
    if (reused && terms <= MAX_REUSED_TERMS) {
        l->why = mem_printf("each weight is used at %lld positions", (long long)reuse(l));
    } else if (terms <= MAX_SINGLE_TERMS) {
        l->why = mem_printf("only %lld terms are left", (long long)terms);
    } else {
        l->lowering = fewest_bytes(l, tables, 2);
        l->why = mem_printf("%lld terms are too many to unroll; the smaller table", (long long)terms);
    }
}

static bool has_small_table(const Layer *l, const Options *opt)
{
    const Target *target = find_target(opt->target);
    if (l->kind == LAYER_CONV_TRANSPOSE)
        return false;
    return opt->optimize == OPTIMIZE_SIZE || target->small_tables || (l->kind == LAYER_CONV && target->soft_float);
}

static void choose_lowering(Layer *l, const Options *opt)
{
    l->zeros = count_zeros(l);
    l->small = has_small_table(l, opt);
    predict_bytes(l, opt);
    if (!l->codes) {
        l->lowering = LOWER_DENSE;
        l->why = "float weights";
    } else if (opt->lowering != LOWER_AUTO) {
        l->lowering = opt->lowering;
        l->why = "asked for by --lowering";
    } else if (opt->optimize == OPTIMIZE_SIZE) {
        choose_for_size(l);
    } else {
        choose_for_speed(l, opt);
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
    for (int i = 0; i < g->num_tensors; i++)
        if (type_known(g->tensors[i]->type))
            g->tensors[i]->layout = layout_dense(g->tensors[i]->type);
    for (int i = 0; i < g->num_nodes; i++) {
        Node *n = g->nodes[i];
        Layer *l;
        for (int k = 0; (l = node_layer(n, k)); k++)
            choose_lowering(l, opt);
        if (n->op != OP_Layer)
            continue;
        n->layer->direct = can_read_directly(g, n);
        if (n->layer->direct)
            n->in[0]->layout.size += layer_format(n->layer)->max_lanes;
    }
}
