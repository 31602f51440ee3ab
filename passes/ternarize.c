/* ternarize.c - makes the constant weights of linear operators ternary.
 *
 * Weights whose non-zeros already share one magnitude per channel are recognised and kept bit for bit; the
 * others are ternarised by the chosen method (twn.c), but those that the user keeps in float. So ternarising
 * twice is the identity.
 *
 * Requires: infer, fold, dce. Gives: Tensor.ternary set where the weights are ternary, with data == codes *
 * scale exactly; the graph is still ordinary ONNX. A weight that something else reads as well is copied
 * first. */
#include "base/host.h"
#include "ops/ops.h"
#include "passes/passes.h"

#include <math.h>
#include <string.h>

/* Constant weights of a linear or recurrent node. */
typedef struct Site {
    Node *node;
    LinearWeights w;
    bool keep;         /* in float */
    bool later;        /* an earlier site has the same weight */
    struct Site *next; /* of the same weight */
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

static void link_shared(const Sites *all)
{
    Site **last = NEW_ARRAY(Site *, all->g->num_tensors); /* by tensor id */
    for (int i = 0; i < all->count; i++) {
        Site *s = &all->list[i], **before = &last[weight_of(s)->id];
        s->later = *before != NULL;
        if (s->later)
            (*before)->next = s;
        *before = s;
    }
}

static Sites find_sites(Graph *g, const Options *opt)
{
    Sites all = {
        .g = g, .opt = opt, .list = NEW_ARRAY(Site, 2 * g->num_nodes + 1), .uses = graph_use_counts(g)};
    for (int i = 0; i < g->num_nodes; i++)
        for (int k = 0; node_weights(g->nodes[i], k, &all.list[all.count].w); k++)
            all.list[all.count++].node = g->nodes[i];
    link_shared(&all);
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

static void check_weights(const Sites *all)
{
    for (int i = 0; i < all->count; i++)
        if (!all->list[i].later)
            check_finite(all->g, &all->list[i]);
}

/* ---- what the user keeps ---- */

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

static bool is_word(const char *name)
{
    return !strcmp(name, "first") || !strcmp(name, "last") || !strcmp(name, "none");
}

/* All sites whose layer or weight is named; each name must name something. */
static void keep_by_name(Sites *all, const char *const *names, int count)
{
    bool *found = NEW_ARRAY(bool, count);
    Names wanted = {0};
    for (int i = 0; i < count; i++)
        if (names_find(&wanted, names[i]) < 0)
            names_add(&wanted, names[i], i);
    for (int i = 0; i < all->count; i++) {
        Site *s = &all->list[i];
        int by[] = {names_find(&wanted, node_label(s->node)), names_find(&wanted, weight_of(s)->name)};
        for (int k = 0; k < 2; k++)
            if (by[k] >= 0 && !is_word(names[by[k]]))
                s->keep = found[by[k]] = true;
    }
    for (int i = 0; i < count; i++)
        if (!is_word(names[i]) && !found[names_find(&wanted, names[i])])
            fail_unknown_layer(all, names[i]);
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
        if (!strcmp(names[i], "first") || !strcmp(names[i], "last"))
            keep_node(all, names[i][0] == 'f');
    keep_by_name(all, names, count);
}

const bool *ternary_tensors(Graph *g, const Options *opt)
{
    bool *chosen = NEW_ARRAY(bool, g->num_tensors);
    Sites all = find_sites(g, opt);
    mark_kept(&all);
    check_weights(&all);
    for (int i = 0; i < all.count; i++)
        if (opt->method != METHOD_none)
            chosen[weight_of(&all.list[i])->id] = true;
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

Ternary *recognise_ternary(const float *w, Ternary box)
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

/* first: of the sites with its weight. */
static SharedUse find_sharing(const Site *first)
{
    SharedUse r = {.same_axes = true};
    for (const Site *o = first; o; o = o->next) {
        r.sites++;
        r.keep |= o->keep;
        r.same_axes &= same_box(&o->w.box, &first->w.box);
    }
    return r;
}

static Ternary *recognise_shared(const float *w, Ternary box, bool same_axes)
{
    if (same_axes)
        return recognise_ternary(w, box);
    Ternary *whole = recognise_ternary(w, whole_box(&box));
    return whole ? with_layer_scale(whole, box) : NULL;
}

static Ternary *ternarize_shared(const Options *opt, const float *w, Ternary box, bool same_axes)
{
    if (same_axes && !opt->per_layer)
        return ternarize_weights(opt, w, box);
    return with_layer_scale(ternarize_weights(opt, w, whole_box(&box)), box);
}

Ternary *ternarize_alone(const Options *opt, const float *w, Ternary box)
{
    return ternarize_shared(opt, w, box, true);
}

/* Other readers (operators that are not linear, graph outputs) keep the original. */
static Tensor *own_tensor(const Sites *all, const Site *first, int sites)
{
    Tensor *t = weight_of(first);
    if (all->uses[t->id] == sites)
        return t;
    Tensor *copy = graph_const(all->g, mem_printf("%s_ternary", t->name), t->type, t->data);
    for (const Site *s = first; s; s = s->next)
        s->node->in[s->w.input] = copy;
    return copy;
}

static void ternarize_weight(const Sites *all, const Site *s)
{
    const Options *opt = all->opt;
    Tensor *t = weight_of(s);
    SharedUse sharing = find_sharing(s);
    t->ternary = recognise_shared(t->data, s->w.box, sharing.same_axes);
    if (t->ternary || sharing.keep || opt->method == METHOD_none)
        return;
    if (!sharing.same_axes && !opt->per_layer && !opt->quiet)
        note("weight '%s' is shared by nodes that see other channels: it gets one scale for the layer",
             t->name);
    Ternary *q = ternarize_shared(opt, t->data, s->w.box, sharing.same_axes);
    t = own_tensor(all, s, sharing.sites);
    t->ternary = q;
    t->data = ternary_values(q);
}

void pass_ternarize(Graph *g, const Options *opt)
{
    Sites all = find_sites(g, opt);
    mark_kept(&all);
    check_weights(&all);
    Progress bar;
    progress_begin(&bar, "ternarize", all.count);
    for (int i = 0; i < all.count; i++) {
        if (!all.list[i].later && !weight_of(&all.list[i])->ternary)
            ternarize_weight(&all, &all.list[i]);
        progress_update(&bar, i + 1);
    }
    progress_end(&bar);
}
