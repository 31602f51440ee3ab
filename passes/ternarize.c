/* ternarize.c - makes the constant weights of linear operators ternary.
 *
 * Weights whose non-zeros already share one magnitude per channel are recognised and kept bit for bit; the
 * others are ternarised by the chosen method (twn.c), but those that the user keeps in float. So ternarising
 * twice is the identity.
 *
 * Requires: infer, fold, dce. Gives: Tensor.ternary set where the weights are ternary, with data == codes *
 * scale exactly; the graph is still ordinary ONNX. A weight that something else reads as well is copied
 * first. */
#include "ops/ops.h"
#include "passes/passes.h"

#include <math.h>
#include <string.h>

/* Constant weights of a linear or recurrent node. */
typedef struct Site {
    Node *node;
    LinearWeights w;
    bool keep; /* in float */
} Site;

typedef struct Sites {
    Graph *g;
    const Options *opt;
    Site *list; /* in execution order */
    int count;
    const int *uses; /* by tensor id, of all tensors that there were at first */
} Sites;

/* ---- where the weights are ---- */

static Tensor *weight_of(const Site *s)
{
    return s->node->in[s->w.input];
}

static Sites find_sites(Graph *g, const Options *opt)
{
    Sites all = {
        .g = g, .opt = opt, .list = NEW_ARRAY(Site, 2 * g->num_nodes + 1), .uses = graph_use_counts(g)};
    for (int i = 0; i < g->num_nodes; i++)
        for (int k = 0; node_weights(g->nodes[i], k, &all.list[all.count].w); k++)
            all.list[all.count++].node = g->nodes[i];
    return all;
}

static const char *value_text(float v)
{
    if (isnan(v))
        return "NaN";
    return v > 0 ? "+infinity" : "-infinity";
}

static void check_finite(const Graph *g, const Site *s)
{
    const Tensor *t = weight_of(s);
    const float *w = t->data;
    int64_t n = type_elems(t->type);
    for (int64_t i = 0; i < n; i++)
        if (!isfinite(w[i]))
            fail_node(g, s->node, "weight '%s' has the value %s at position %s of %s: repair the model",
                      t->name, value_text(w[i]), int_text(i), int_text(n));
}

/* ---- what the user keeps ---- */

static bool has_name(const Site *s, const char *name)
{
    return !strcmp(node_label(s->node), name) || !strcmp(weight_of(s)->name, name);
}

static _Noreturn void fail_unknown_layer(const Sites *all, const char *name)
{
    Text list = {0};
    text_printf(&list, "--keep %s: no layer and no weight of %s has this name; the layers are", name,
                all->g->file);
    for (int i = 0; i < all->count; i++)
        text_printf(&list, "%s %s (weight %s)", i ? "," : "", node_label(all->list[i].node),
                    weight_of(&all->list[i])->name);
    char *message = text_take(&list);
    usage("%s", message);
}

static void keep_by_name(Sites *all, const char *name)
{
    bool found = false;
    for (int i = 0; i < all->count; i++)
        if (has_name(&all->list[i], name))
            all->list[i].keep = found = true;
    if (!found)
        fail_unknown_layer(all, name);
}

/* The first or last layer, with all its weights. */
static void keep_node(Sites *all, bool first)
{
    for (int i = 0; i < all->count; i++)
        if (all->list[i].node == all->list[first ? 0 : all->count - 1].node)
            all->list[i].keep = true;
}

static void mark_kept(Sites *all)
{
    static const char *const defaults[] = {"last"};
    const char *const *names = all->opt->keep ? all->opt->keep : defaults;
    int count = all->opt->keep ? all->opt->num_keep : 1;
    for (int i = 0; i < count; i++)
        if (!strcmp(names[i], "first") || !strcmp(names[i], "last")) {
            keep_node(all, names[i][0] == 'f');
        } else if (strcmp(names[i], "none") != 0) {
            keep_by_name(all, names[i]);
        }
}

const bool *ternary_tensors(Graph *g, const Options *opt)
{
    bool *chosen = NEW_ARRAY(bool, g->num_tensors);
    Sites all = find_sites(g, opt);
    mark_kept(&all);
    for (int i = 0; i < all.count; i++) {
        check_finite(g, &all.list[i]);
        if (opt->method != METHOD_none)
            chosen[weight_of(&all.list[i])->id] = true;
    }
    for (int i = 0; i < all.count; i++)
        if (all.list[i].keep)
            chosen[weight_of(&all.list[i])->id] = false;
    return chosen;
}

/* ---- channels ---- */

static bool same_box(const Ternary *a, const Ternary *b)
{
    return a->groups == b->groups && a->mid == b->mid && a->chan == b->chan && a->inner == b->inner;
}

/* Per layer: the elements in any order are one channel. */
static Ternary whole_box(const Ternary *q)
{
    return (Ternary){.groups = 1, .mid = 1, .chan = 1, .inner = ternary_channels(q) * q->mid * q->inner};
}

static Ternary *new_ternary(Ternary box)
{
    Ternary *q = NEW(Ternary);
    *q = box;
    q->num_scales = ternary_channels(q);
    q->codes = NEW_ARRAY(int8_t, ternary_channels(q) * q->mid * q->inner);
    q->scales = NEW_ARRAY(float, q->num_scales);
    return q;
}

/* The codes of weights that are ternary already, or NULL. */
static Ternary *recognise(const float *w, Ternary box)
{
    Ternary *q = new_ternary(box);
    for (int64_t c = 0; c < q->num_scales; c++)
        for (int64_t k = 0; k < q->mid * q->inner; k++) {
            int64_t i = ternary_position(q, c, k);
            float a = fabsf(w[i]);
            if (a == 0)
                continue;
            if (q->scales[c] != 0 && q->scales[c] != a)
                return NULL;
            q->scales[c] = a;
            q->codes[i] = w[i] > 0 ? 1 : -1;
        }
    return q;
}

/* ---- the method ---- */

static float ternarize_channel(const Options *opt, const float *w, int64_t n, double sparsity, int8_t *codes)
{
    if (opt->sparsity > 0)
        return twn_quantile(w, n, (float)sparsity, codes);
    if (opt->threshold > 0)
        return twn_relative(w, n, opt->threshold, codes);
    return twn_exact(w, n, codes);
}

/* Channels are small: each takes a share of zeros such that the sum over the channels so far meets the
 * target. */
static double channel_sparsity(const Options *opt, int64_t c, int64_t n)
{
    double keep = (1.0 - (double)opt->sparsity) * (double)n;
    double here = round(keep * (double)(c + 1)) - round(keep * (double)c);
    return 1.0 - here / (double)n;
}

static Ternary *ternarize_weights(const Options *opt, const float *w, Ternary box)
{
    Ternary *q = new_ternary(box);
    int64_t n = q->mid * q->inner;
    float *channel = NEW_ARRAY(float, n);
    int8_t *codes = NEW_ARRAY(int8_t, n);
    for (int64_t c = 0; c < q->num_scales; c++) {
        for (int64_t k = 0; k < n; k++)
            channel[k] = w[ternary_position(q, c, k)];
        q->scales[c] = ternarize_channel(opt, channel, n, channel_sparsity(opt, c, n), codes);
        for (int64_t k = 0; k < n; k++)
            q->codes[ternary_position(q, c, k)] = codes[k];
    }
    return q;
}

/* The weights' own box again, with the one scale of the whole layer. */
static Ternary *with_layer_scale(Ternary *whole, Ternary box)
{
    Ternary *q = NEW(Ternary);
    *q = box;
    q->codes = whole->codes;
    q->scales = whole->scales;
    q->num_scales = 1;
    return q;
}

static const float *ternary_values(const Ternary *q)
{
    int64_t n = q->mid * q->inner;
    float *w = NEW_ARRAY(float, ternary_channels(q) * n);
    for (int64_t c = 0; c < ternary_channels(q); c++)
        for (int64_t k = 0; k < n; k++) {
            int64_t i = ternary_position(q, c, k);
            if (q->codes[i])
                w[i] = (float)q->codes[i] * q->scales[q->num_scales == 1 ? 0 : c];
        }
    return w;
}

/* ---- one weight tensor with all the nodes that share it ---- */

typedef struct SharedUse {
    int sites;      /* that read the tensor */
    bool keep;      /* one of them is kept in float */
    bool same_axes; /* all see the same channels */
} SharedUse;

static SharedUse find_sharing(const Sites *all, const Site *s)
{
    SharedUse r = {.same_axes = true};
    for (int i = 0; i < all->count; i++) {
        const Site *o = &all->list[i];
        if (weight_of(o) != weight_of(s))
            continue;
        r.sites++;
        r.keep |= o->keep;
        r.same_axes &= same_box(&o->w.box, &s->w.box);
    }
    return r;
}

static Ternary *recognise_shared(const float *w, Ternary box, bool same_axes)
{
    if (same_axes)
        return recognise(w, box);
    Ternary *whole = recognise(w, whole_box(&box));
    return whole ? with_layer_scale(whole, box) : NULL;
}

static Ternary *ternarize_shared(const Options *opt, const float *w, Ternary box, bool same_axes)
{
    if (same_axes && !opt->per_layer)
        return ternarize_weights(opt, w, box);
    return with_layer_scale(ternarize_weights(opt, w, whole_box(&box)), box);
}

/* Other readers (operators that are not linear, graph outputs) keep the original. */
static Tensor *own_tensor(const Sites *all, Tensor *t, int sites)
{
    if (all->uses[t->id] == sites)
        return t;
    Tensor *copy = graph_const(all->g, mem_printf("%s_ternary", t->name), t->type, t->data);
    for (int i = 0; i < all->count; i++)
        if (weight_of(&all->list[i]) == t)
            all->list[i].node->in[all->list[i].w.input] = copy;
    return copy;
}

static void ternarize_site(const Sites *all, const Site *s)
{
    const Options *opt = all->opt;
    Tensor *t = weight_of(s);
    SharedUse sharing = find_sharing(all, s);
    t->ternary = recognise_shared(t->data, s->w.box, sharing.same_axes);
    if (t->ternary || sharing.keep || opt->method == METHOD_none)
        return;
    if (!sharing.same_axes && !opt->per_layer && !opt->quiet)
        note("weight '%s' is shared by nodes that see other channels: it gets one scale for the layer",
             t->name);
    Ternary *q = ternarize_shared(opt, t->data, s->w.box, sharing.same_axes);
    t = own_tensor(all, t, sharing.sites);
    t->ternary = q;
    t->data = ternary_values(q);
}

void pass_ternarize(Graph *g, const Options *opt)
{
    Sites all = find_sites(g, opt);
    mark_kept(&all);
    for (int i = 0; i < all.count; i++)
        check_finite(g, &all.list[i]);
    for (int i = 0; i < all.count; i++)
        if (!weight_of(&all.list[i])->ternary)
            ternarize_site(&all, &all.list[i]);
}
