/* sensitivity.c - what ternary weights cost before any training: a layer at a time, and all together with
 * those kept in float that must be to stay within a loss. Nothing in a graph is changed: the model is loaded
 * twice, once to stay float, once to be ternarised, and an engine on the second computes with the weights of
 * either, layer by layer. */
#include "cli/cli.h"
#include "cli/sensitivity.h"
#include "ops/ops.h"
#include "passes/methods/methods.h"
#include "passes/passes.h"
#include "pipeline.h"

#include <stdlib.h>
#include <string.h>

/* ---- the layers ---- */

static bool is_listed(const Sensitivity *s, const Tensor *t)
{
    for (int i = 0; i < s->count; i++)
        if (s->layers[i].t == t)
            return true;
    return false;
}

/* Nodes are the same in both graphs, and in the same order. */
static void list_layers(Sensitivity *s, const Graph *plain, const Graph *ternary, const bool *chosen)
{
    LinearWeights w;
    s->layers = NEW_ARRAY(SensitiveLayer, 2 * plain->num_nodes + 1);
    for (int i = 0; i < plain->num_nodes; i++)
        for (int k = 0; node_weights(plain->nodes[i], k, &w); k++) {
            const Tensor *from = plain->nodes[i]->in[w.input], *t = ternary->nodes[i]->in[w.input];
            int64_t n = type_elems(t->type);
            bool same = !memcmp(from->data, t->data, (size_t)n * sizeof(float));
            if (!is_listed(s, t) && !same)
                s->layers[s->count++] = (SensitiveLayer){.n = ternary->nodes[i],
                                                         .row = k,
                                                         .t = t,
                                                         .name = from->name,
                                                         .plain = from->data,
                                                         .weights = n,
                                                         .zeros = tensor_zeros(t),
                                                         .kept = !chosen[from->id]};
        }
}

/* ---- measuring ---- */

static Judged judge_with(const Sensitivity *s, bool (*is_ternary)(const SensitiveLayer *l, const void *arg),
                         const void *arg)
{
    for (int i = 0; i < s->count; i++) {
        const SensitiveLayer *l = &s->layers[i];
        engine_set_constant(s->e, l->t, is_ternary(l, arg) ? l->t->data : l->plain);
    }
    return judge_source(s->e, &s->loss, &s->source);
}

static bool is_this(const SensitiveLayer *l, const void *arg)
{
    return l == arg;
}

static bool is_not_kept(const SensitiveLayer *l, const void *arg)
{
    (void)arg;
    return !l->kept;
}

static const Options *measured_options(const CommandLine *c)
{
    Options *opt = NEW(Options);
    *opt = c->opt;
    opt->train = true; /* which leaves the batch where it is */
    opt->codes = NULL; /* nodes are the same in both */
    opt->calibrate = (Strings){0};
    if (method_def(opt->method)->needs_data)
        opt->method = METHOD_twn;
    return opt;
}

Graph *float_graph(const CommandLine *c)
{
    return pipeline_load(c->model, measured_options(c))->graph;
}

Sensitivity *sensitivity_new(const CommandLine *c, Graph *plain, const Source *source)
{
    Sensitivity *s = NEW(Sensitivity);
    const Options *opt = measured_options(c);
    Options all = *opt, quiet = *opt;
    quiet.quiet = all.quiet = true;
    all.keep = (const char *const[]){NULL};
    all.num_keep = 0;
    Model *ternary = pipeline_load(c->model, &quiet);
    pipeline_ternarize(ternary, &all);
    list_layers(s, plain, ternary->graph, ternary_tensors(plain, opt));
    s->source = *source;
    s->loss = loss_find(plain, s->source.feed->data);
    int64_t batch = s->source.count < 100 ? s->source.count : 100;
    s->e =
        engine_new(ternary->graph, ternary->graph->tensors[s->loss.score->id], batch, c->threads, WANT_NONE);
    if (s->loss.kind == LOSS_TEACHER_CLASSES || s->loss.kind == LOSS_TEACHER_SCORES)
        s->loss.teacher = engine_new(plain, s->loss.score, batch, c->threads, WANT_NONE);
    s->of_float = judge_with(s, is_this, NULL);
    check_engine(s->e, plain, &s->loss, &s->source);
    s->of_ternary = judge_with(s, is_not_kept, NULL);
    return s;
}

void sensitivity_free(Sensitivity *s)
{
    engine_free(s->e);
    if (s->loss.teacher)
        engine_free(s->loss.teacher);
}

void sensitivity_measure(Sensitivity *s)
{
    Progress p;
    progress_begin(&p, "sensitivity", s->count);
    for (int i = 0; i < s->count; i++) {
        s->layers[i].alone = judge_with(s, is_this, &s->layers[i]);
        progress_update(&p, i + 1);
    }
    progress_end(&p);
}

const char *sensitivity_measure_name(const Sensitivity *s)
{
    if (s->loss.kind == LOSS_TARGETS || s->loss.classes < 2)
        return NULL;
    return s->loss.kind == LOSS_LABELS ? "accuracy" : "agreement";
}

/* ---- choosing ---- */

double sensitivity_cost(const Sensitivity *s, Judged j)
{
    return 100 * (s->of_float.accuracy - j.accuracy);
}

/* Hits are whole samples: a hair less than the limit is the limit. */
static bool is_within(const Sensitivity *s, double points)
{
    return sensitivity_cost(s, s->of_ternary) <= points + 1e-9;
}

/* The layer with the fewest weights that is not kept; NULL: all are. */
static SensitiveLayer *smallest_ternary(const Sensitivity *s)
{
    SensitiveLayer *best = NULL;
    for (int i = 0; i < s->count; i++)
        if (!s->layers[i].kept && (!best || s->layers[i].weights < best->weights))
            best = &s->layers[i];
    return best;
}

static SensitiveLayer *largest_chosen(const Sensitivity *s, const bool *chosen)
{
    SensitiveLayer *best = NULL;
    for (int i = 0; i < s->count; i++)
        if (chosen[i] && (!best || s->layers[i].weights > best->weights))
            best = &s->layers[i];
    return best;
}

static void judge_kept(Sensitivity *s, Progress *p, int64_t *done)
{
    s->of_ternary = judge_with(s, is_not_kept, NULL);
    progress_update(p, ++*done);
}

void sensitivity_choose(Sensitivity *s, double points)
{
    Progress p;
    int64_t done = 0;
    if (!sensitivity_measure_name(s))
        usage("--max-loss counts points of accuracy: it needs labels, or a model with one score per class");
    bool *chosen = NEW_ARRAY(bool, s->count);
    progress_begin(&p, "max-loss", 2 * (int64_t)s->count); /* at most */
    for (SensitiveLayer *l; !is_within(s, points) && (l = smallest_ternary(s));) {
        l->kept = chosen[l - s->layers] = true;
        judge_kept(s, &p, &done);
    }
    /* What came before the layer that mattered may not be needed. */
    for (SensitiveLayer *l; (l = largest_chosen(s, chosen));) {
        Judged before = s->of_ternary;
        l->kept = chosen[l - s->layers] = false;
        judge_kept(s, &p, &done);
        if (is_within(s, points))
            continue;
        l->kept = true;
        s->of_ternary = before;
    }
    progress_end(&p);
}

const char *const *sensitivity_keep(const Sensitivity *s, int *count)
{
    const char **names = NEW_ARRAY(const char *, s->count + 1);
    *count = 0;
    for (int i = 0; i < s->count; i++)
        if (s->layers[i].kept)
            names[(*count)++] = s->layers[i].name;
    return names;
}
