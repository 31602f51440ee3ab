/* lower.c - how each linear layer is computed: unroll, sparse, packed or dense.
 *
 * Requires fused layers (fuse). Gives Layer.format, form, lowering, share_taps, why, bytes, time, terms,
 * adds, zeros, direct and the layout of every tensor.
 *
 * Bytes: unrolled code has its prices per add, load and move (target.c), tables cost exactly their length,
 * and each form some code. Time: cost.c. `size` takes the fewest bytes; `speed` the least time within limits
 * on what is unrolled, and of forms that are about as fast the smallest. */
#include "base/host.h"
#include "layers/layers.h"
#include "passes/passes.h"

#include <math.h>

enum {
    MAX_CONV_TERMS = 1000000,  /* unrolled convolution terms per layer: about 6 MB of code */
    MAX_FC_TERMS = 65536,      /* unrolled terms of a layer whose weights are used once */
    MAX_MODEL_TERMS = 3200000, /* of all layers: two minutes of a C compiler */
    CONV_CODE = 300,        /* a convolution's loops and epilogue, compiled for size; for speed: target.c */
    FAST_POOLING = 2000,    /* compilers unroll its loops for speed where there are no vectors */
    TABLE_CODE = 300,       /* a table-driven layer's kernel, compiled for size */
    FAST_CONV_TABLE = 2000, /* and for speed */
    FAST_FC_TABLE = 600,
    CODES_CONV_KERNEL = 350, /* tables of layers of codes: their kernel, compiled for size, once in a model */
    CODES_FC_KERNEL = 150,
};

/* What the layers before have taken. */
typedef struct Taken {
    int64_t left;                                /* unrolled terms that the model may still have */
    bool conv[NUM_LOWERINGS], fc[NUM_LOWERINGS]; /* for size, of codes: kernels that there are */
} Taken;

/* Two forms whose bytes, or times, differ by less are as good as each other. */
static const double CLOSE = 1.1;

/* Of the table of the layer's form. */
static int64_t table_bytes(const Layer *l)
{
    if (!l->form->ternary && !l->quantised)
        return layer_weight_count(l) * (int64_t)sizeof(float);
    WeightTable t = layer_table(l, 1);
    return t.len * (int64_t)dtype_size(t.dtype);
}

static int64_t values_bytes(const Layer *l, const float *v)
{
    return v && !all_equal(v, l->co) ? l->co * (int64_t)sizeof *v : 0;
}

/* Of numbers for each channel, of which convolutions have none where they are the same. */
static int64_t numbers_bytes(const Layer *l, DType d, const int64_t *v)
{
    bool same = l->kind != LAYER_FC;
    for (int64_t c = 1; same && c < l->co; c++)
        same = v[c] == v[0];
    return same ? 0 : l->co * (int64_t)dtype_size(d);
}

static int64_t *widened(const int32_t *v, int64_t n)
{
    int64_t *w = NEW_ARRAY(int64_t, n);
    for (int64_t i = 0; i < n; i++)
        w[i] = v[i];
    return w;
}

/* Of what takes sums of codes to outputs. */
static int64_t epilogue_bytes(const Layer *l)
{
    const Quantised *q = l->quantised;
    if (q->out == DT_F32 && l->kind == LAYER_FC)
        return 2 * l->co * (int64_t)sizeof(float);
    if (q->out == DT_F32)
        return values_bytes(l, l->scale) + values_bytes(l, l->bias);
    int64_t factors = q->shifts ? numbers_bytes(l, DT_U8, widened(q->shifts, l->co))
                                : numbers_bytes(l, q->wide ? DT_I32 : DT_I16, widened(q->factor, l->co));
    return factors + numbers_bytes(l, q->wide ? DT_I64 : DT_I32, q->addend);
}

/* What every form of a layer has beside its weights. */
static int64_t frame_bytes(const Layer *l, const Options *opt)
{
    int64_t values = values_bytes(l, l->scale) + values_bytes(l, l->bias);
    const Core *t = find_core(opt->target);
    if (l->kind == LAYER_FC)
        return values;
    if (opt->optimize == OPTIMIZE_SIZE)
        return values + CONV_CODE;
    return values + t->conv_code + (l->pool.kind && t->lanes == 1 ? FAST_POOLING : 0);
}

static int64_t unrolled_bytes(const Layer *l, const Options *opt, const Unrolled *code)
{
    if (has_code_bytes(l, opt))
        return epilogue_bytes(l) + code_bytes(l, code, opt);
    const Core *t = find_core(opt->target);
    const double *price = l->kind == LAYER_FC ? t->fc_bytes : t->conv_bytes;
    double bytes =
        price[0] * (double)code->adds + price[1] * (double)code->taps + price[2] * (double)code->moves;
    return frame_bytes(l, opt) + (int64_t)bytes;
}

/* Whether unrolled code is thought of; left: terms that the model may still have. */
static bool may_unroll(const Layer *l, const Options *opt, int64_t left)
{
    int64_t terms = layer_weight_count(l) - l->zeros,
            most = l->kind == LAYER_FC ? MAX_FC_TERMS : MAX_CONV_TERMS;
    return l->codes && (opt->lowering == LOWER_UNROLL || (terms <= most && terms <= left));
}

/* Unrolled code shares sums, or not: for speed whatever is predicted to take less time, for size fewer adds
 * where an add is an instruction. */
static void predict_unrolled(Layer *l, const Options *opt)
{
    const Core *core = find_core(opt->target);
    layer_set_form(l, form_of(l, LOWER_UNROLL, false, opt), opt);
    const int most = l->kind == LAYER_FC ? core->fc.share_taps : conv_shape_of(l, opt).share_taps;
    const bool instructions = l->quantised || !core->soft_float;
    int64_t adds = 0;
    for (int taps = 1; taps <= most; taps = taps < most ? most : most + 1) {
        Layer t = *l;
        layer_set_form(&t, form_of(l, LOWER_UNROLL, false, opt), opt);
        t.share_taps = taps;
        Work w = layer_work(&t, opt);
        double time = work_time(&w, &t, opt);
        bool better =
            opt->optimize == OPTIMIZE_SIZE ? instructions && w.adds < adds : time < l->time[LOWER_UNROLL];
        if (taps == 1 || better) {
            l->share_taps = taps;
            l->time[LOWER_UNROLL] = time;
            l->bytes[LOWER_UNROLL] = unrolled_bytes(&t, opt, &w.code);
            adds = w.adds;
            l->adds = w.terms ? (int64_t)((double)l->terms * (double)w.adds / (double)w.terms + 0.5) : 0;
        }
    }
}

/* Of the layer in the form that it has. */
static int64_t table_form_bytes(const Layer *l, const Options *opt)
{
    if (has_code_bytes(l, opt))
        return code_bytes(l, &(Unrolled){0}, opt) + epilogue_bytes(l) + table_bytes(l);
    int64_t code = l->kind == LAYER_FC ? FAST_FC_TABLE : FAST_CONV_TABLE;
    if (opt->optimize == OPTIMIZE_SIZE)
        code = TABLE_CODE;
    return code + frame_bytes(l, opt) + table_bytes(l);
}

static void predict_table(Layer *l, const LayerForm *form, const Options *opt)
{
    Layer t = *l;
    layer_set_form(&t, form, opt);
    Work w = layer_work(&t, opt);
    l->time[form->lowering] = work_time(&w, &t, opt);
    l->bytes[form->lowering] = table_form_bytes(&t, opt);
}

/* For size, kernels of tables of codes are functions: whoever is the first pays for them. */
static void add_kernels(Layer *l, const Options *opt, const Taken *taken)
{
    const bool fc = l->kind == LAYER_FC;
    if (!has_code_bytes(l, opt) || opt->optimize != OPTIMIZE_SIZE)
        return;
    for (Lowering i = LOWER_UNROLL + 1; i < NUM_LOWERINGS; i++)
        if (l->bytes[i] >= 0 && !(fc ? taken->fc : taken->conv)[i])
            l->bytes[i] += fc ? CODES_FC_KERNEL : CODES_CONV_KERNEL;
}

static void predict_forms(Layer *l, bool small, const Options *opt, Taken *taken)
{
    for (int i = 0; i < NUM_LOWERINGS; i++) {
        l->bytes[i] = -1;
        l->time[i] = -1;
    }
    l->share_taps = 1;
    l->terms = layer_macs(l) / layer_weight_count(l) * (layer_weight_count(l) - l->zeros);
    if (may_unroll(l, opt, taken->left)) {
        predict_unrolled(l, opt);
        taken->left -= layer_weight_count(l) - l->zeros;
    }
    for (Lowering i = LOWER_UNROLL + 1; i < NUM_LOWERINGS; i++)
        if ((l->codes || !form_of(l, i, small, opt)->ternary))
            predict_table(l, form_of(l, i, small, opt), opt);
    add_kernels(l, opt, taken);
}

/* Multiplying floats by ternary weights takes sixteen times the bytes: only in convolutions, which read each
 * of them many times, and where nothing else is as fast. Codes may be multiplied by bytes. */
static bool is_candidate(const Layer *l, Lowering i, bool small, const Options *opt)
{
    const LayerForm *form = form_of(l, i, small, opt);
    const bool floats = l->kind != LAYER_FC && form->floats;
    bool multiplies = form->bytes || ((floats || has_code_prices(l, opt)) && opt->optimize == OPTIMIZE_SPEED);
    return l->bytes[i] >= 0 && (form->ternary || multiplies);
}

/* The fewest bytes. */
static Lowering choose_for_size(Layer *l, const Options *opt)
{
    Lowering best = LOWER_SPARSE;
    for (Lowering i = LOWER_UNROLL; i < NUM_LOWERINGS; i++)
        if (is_candidate(l, i, true, opt) && l->bytes[i] < l->bytes[best])
            best = i;
    l->why = "fewest bytes of code and constants";
    if (l->kind == LAYER_FC && best == LOWER_SPARSE &&
        (double)l->bytes[LOWER_PACKED] <= CLOSE * (double)l->bytes[LOWER_SPARSE]) {
        best = LOWER_PACKED;
        l->why = "hardly more bytes than as Rice codes, and read several times as fast";
    }
    return best;
}

/* About as fast as the fastest form; where codes have prices, not slower than multiplying. */
static bool is_fast(const Layer *l, Lowering i, Lowering fastest, const Options *opt)
{
    bool slower = has_code_prices(l, opt) && l->time[i] > l->time[LOWER_DENSE];
    return l->time[i] <= CLOSE * l->time[fastest] && !slower;
}

/* The least time; of those that are about as fast, the fewest bytes. */
static Lowering choose_for_speed(Layer *l, bool small, const Options *opt)
{
    Lowering fastest = LOWER_SPARSE, best;
    for (Lowering i = LOWER_UNROLL; i < NUM_LOWERINGS; i++)
        if (is_candidate(l, i, small, opt) && l->time[i] < l->time[fastest])
            fastest = i;
    best = fastest;
    for (Lowering i = LOWER_UNROLL; i < NUM_LOWERINGS; i++)
        if (is_candidate(l, i, small, opt) && is_fast(l, i, fastest, opt) && l->bytes[i] < l->bytes[best])
            best = i;
    l->why = "predicted to be the fastest form";
    if (best != fastest)
        l->why = "predicted to be about as fast as the fastest form, and smaller";
    else if (!form_of(l, best, small, opt)->ternary)
        l->why = "predicted to be the fastest form, though it multiplies";
    else if (l->time[LOWER_UNROLL] < 0)
        l->why = mem_printf("predicted to be the fastest form but unroll, for which %s terms are too many",
                            int_text(layer_weight_count(l) - l->zeros));
    return best;
}

static bool wants_small_tables(const Layer *l, const Options *opt)
{
    const Core *core = find_core(opt->target);
    if (l->kind == LAYER_CONV_TRANSPOSE)
        return false;
    return opt->optimize == OPTIMIZE_SIZE || core->small_tables || (l->quantised && core->lanes == 1) ||
           (l->kind == LAYER_CONV && core->soft_float);
}

static Lowering choose_lowering(Layer *l, bool small, const Options *opt)
{
    l->why = l->ints ? "8-bit weights" : "float weights";
    if (!l->codes)
        return LOWER_DENSE;
    l->why = "asked for by --lowering";
    if (opt->lowering != LOWER_AUTO)
        return opt->lowering;
    return opt->optimize == OPTIMIZE_SIZE ? choose_for_size(l, opt) : choose_for_speed(l, small, opt);
}

static void choose_form(Layer *l, const Options *opt, Taken *taken)
{
    bool small = wants_small_tables(l, opt);
    l->zeros = l->codes ? code_zeros(l->codes, layer_weight_count(l)) : 0;
    void *mark = mem_mark(); /* predictions are numbers: what it takes to make them goes */
    predict_forms(l, small, opt, taken);
    mem_release(mark);
    layer_set_form(l, form_of(l, choose_lowering(l, small, opt), small, opt), opt);
    if (l->quantised)
        (l->kind == LAYER_FC ? taken->fc : taken->conv)[l->lowering] = true;
}

/* ---- layouts ---- */

/* By tensor id. */
typedef struct Views {
    const Tensor **root; /* behind the views that made it, or itself */
    bool *is_output;     /* of a root: it is an output, or a view of it is */
} Views;

static Views find_views(const Graph *g)
{
    Views v = {NEW_ARRAY(const Tensor *, g->num_tensors), NEW_ARRAY(bool, g->num_tensors)};
    for (int i = 0; i < g->num_tensors; i++)
        v.root[i] = g->tensors[i];
    for (int i = 0; i < g->num_nodes; i++)
        if (op_def(g->nodes[i]->op)->view)
            v.root[g->nodes[i]->out[0]->id] = v.root[g->nodes[i]->in[0]->id];
    for (int i = 0; i < g->num_outputs; i++)
        v.is_output[v.root[g->outputs[i]->id]->id] = true;
    return v;
}

/* A convolution without padding and stride can read its input where it lies if that is in the arena, where
 * there is room for the vector loads that run over its end. Its form need not stage anything then. */
static bool can_read_directly(const Views *v, const Node *n)
{
    const Layer *l = n->layer;
    const Tensor *root = v->root[n->in[0]->id];
    return l->kind == LAYER_CONV && l->sh == 1 && l->sw == 1 && !l->pt && !l->pl && !l->pb && !l->pr &&
           root->producer && !v->is_output[root->id];
}

static void lower_layer(const Views *v, const Node *n, Layer *l, const Options *opt, Taken *taken)
{
    l->direct = n->op == OP_Layer && !l->quantised && can_read_directly(v, n);
    choose_form(l, opt, taken);
    l->direct &= !reads_in_place(l);
    if (l->direct)
        n->in[0]->layout.size += layer_format(l)->max_lanes;
}

void pass_lower(Graph *g, const Options *opt)
{
    Taken taken = {.left = MAX_MODEL_TERMS};
    for (int i = 0; i < g->num_tensors; i++)
        if (type_known(g->tensors[i]->type))
            g->tensors[i]->layout = layout_dense(g->tensors[i]->type);
    Views views = find_views(g);
    Layer *l;
    Progress bar;
    progress_begin(&bar, "lower", g->num_nodes);
    for (int i = 0; i < g->num_nodes; i++) {
        for (int k = 0; (l = node_layer(g->nodes[i], k)); k++)
            lower_layer(&views, g->nodes[i], l, opt, &taken);
        progress_update(&bar, i + 1);
    }
    progress_end(&bar);
}
