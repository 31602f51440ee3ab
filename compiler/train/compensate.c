/* compensate.c - ternary weights without training: layer after layer, in the order in which they run, weights
 * become those that make of the samples, as the layers in front of them now leave them, what the given model
 * makes of the samples (ternary_fit.c). What remains of the difference is no mean: the bias, or the
 * statistics of BatchNormalization behind, take that up.
 *
 * Left as they are: weights that something else reads as well, those of recurrent nodes and ConvTranspose,
 * and of layers whose sums of products would take too much memory. */
#include "train/compensate.h"
#include "ops/ops.h"
#include "passes/passes.h"
#include "train/ternary_fit.h"

#include <stdlib.h>
#include <string.h>

enum {
    MAX_BATCH = 32,
    MAX_INPUTS = 8192,    /* of a channel */
    MAX_ROWS = 1 << 15,   /* positions that are looked at */
    MAX_TOGETHER = 1 << 9 /* of them in a matrix */
};

typedef struct Compensation {
    Graph *g;
    const Graph *given;
    const Samples *s;
    const Options *opt;
    const bool *chosen; /* these by tensor id */
    const int *uses;
    Node *const *users;
    int64_t batch;
} Compensation;

/* A layer whose weights are found. */
typedef struct Site {
    Node *n;
    Tensor *weight;
    Ternary box;
    int64_t groups, chan, inputs; /* as in FitProblem */
    Node *norm;                   /* BatchNormalization behind, or NULL */
    const Tensor *bias;           /* or NULL */
} Site;

typedef struct Sums {
    FitProblem p;
    double *x, *y; /* [groups][inputs], [channels]: of inputs and wanted outputs */
    int64_t rows;
    float *rows_x, *rows_y; /* [MAX_TOGETHER][inputs], [MAX_TOGETHER][chan]: a part of a group's */
    int64_t waiting;        /* of these */
} Sums;

/* ---- which layers ---- */

static bool is_plain(const Node *n)
{
    if (n->op == OP_Gemm)
        return !attr_int(n, "transA") && attr_float(n, "alpha") == 1 && attr_float(n, "beta") == 1;
    return n->op == OP_Conv || n->op == OP_MatMul;
}

static Node *norm_of(const Compensation *c, const Node *n)
{
    Node *user = c->users[n->out[0]->id];
    bool is_norm = user && user->op == OP_BatchNormalization && user->in[0] == n->out[0];
    return is_norm && user->in[3]->data && user->in[4]->data ? user : NULL;
}

static bool find_site(const Compensation *c, Node *n, Site *s)
{
    LinearWeights w;
    if (!linear_weights(n, &w) || w.input != 1 || !is_plain(n))
        return false;
    Tensor *t = n->in[1];
    *s = (Site){.n = n, .weight = t, .box = w.box, .norm = norm_of(c, n), .bias = channel_bias(n, &w)};
    s->groups = n->op == OP_Conv ? attr_int(n, "group") : 1;
    s->chan = ternary_channels(&w.box) / s->groups;
    s->inputs = w.box.mid * w.box.inner;
    bool other_bias = n->num_in > 2 && n->in[2] && !s->bias;
    return c->chosen[t->id] && c->uses[t->id] == 1 && !n->in[0]->data && !other_bias &&
           s->inputs <= MAX_INPUTS && !recognise_ternary(t->data, w.box);
}

/* ---- sums ---- */

static void add_rows(Sums *s, int64_t group)
{
    FitProblem *p = &s->p;
    int64_t n = p->n, chan = p->chan, rows = s->waiting;
    library_sgemm(true, false, n, n, rows, 1, s->rows_x, s->rows_x, 1, p->h + group * n * n);
    library_sgemm(true, false, chan, n, rows, 1, s->rows_y, s->rows_x, 1, p->b + group * chan * n);
    for (int64_t r = 0; r < rows; r++) {
        for (int64_t i = 0; i < n; i++)
            s->x[group * n + i] += (double)s->rows_x[r * n + i];
        for (int64_t c = 0; c < chan; c++)
            s->y[group * chan + c] += (double)s->rows_y[r * chan + c];
    }
    s->rows += group ? 0 : rows;
    s->waiting = 0;
}

static void end_row(Sums *s, int64_t group)
{
    if (++s->waiting == MAX_TOGETHER)
        add_rows(s, group);
}

/* What a channel sees of x, [channels] images, at output position `at`. */
static void copy_patch(const Window *w, int64_t at, const float *x, int64_t channels, float *row)
{
    const int64_t *in = w->in, *out = w->out;
    int64_t first[3] = {at / out[2] / out[1], at / out[2] % out[1], at % out[2]};
    for (int a = 0; a < 3; a++)
        first[a] = first[a] * w->stride[a] - w->pad_begin[a];
    for (int64_t c = 0; c < channels; c++, x += in[0] * in[1] * in[2])
        for (int64_t i = 0; i < w->kernel[0]; i++)
            for (int64_t j = 0; j < w->kernel[1]; j++)
                for (int64_t k = 0; k < w->kernel[2]; k++) {
                    int64_t d = first[0] + i * w->dilation[0], h = first[1] + j * w->dilation[1],
                            l = first[2] + k * w->dilation[2];
                    bool inside = d >= 0 && d < in[0] && h >= 0 && h < in[1] && l >= 0 && l < in[2];
                    *row++ = inside ? x[(d * in[1] + h) * in[2] + l] : 0;
                }
}

/* Values of a layer for some samples. */
typedef struct Values {
    const float *x, *y;
    int64_t count; /* images, or rows of a matrix */
    int64_t step;  /* this is how many of their positions, or rows, are left out, and one */
} Values;

static void add_images(Sums *s, const Site *site, const Window *w, const Values *v, int64_t group)
{
    int64_t size = w->in[0] * w->in[1] * w->in[2], places = w->out[0] * w->out[1] * w->out[2];
    int64_t channels = site->inputs / (w->kernel[0] * w->kernel[1] * w->kernel[2]);
    for (int64_t i = 0; i < v->count; i++) {
        const float *x = v->x + (i * site->groups + group) * channels * size;
        const float *y = v->y + (i * site->groups + group) * site->chan * places;
        for (int64_t at = i % v->step; at < places; at += v->step) {
            copy_patch(w, at, x, channels, s->rows_x + s->waiting * site->inputs);
            for (int64_t c = 0; c < site->chan; c++)
                s->rows_y[s->waiting * site->chan + c] = y[c * places + at];
            end_row(s, group);
        }
    }
    add_rows(s, group);
}

static void add_matrix(Sums *s, const Site *site, const Values *v)
{
    for (int64_t i = 0; i < v->count; i += v->step) {
        memcpy(s->rows_x + s->waiting * site->inputs, v->x + i * site->inputs,
               (size_t)site->inputs * sizeof(float));
        memcpy(s->rows_y + s->waiting * site->chan, v->y + i * site->chan,
               (size_t)site->chan * sizeof(float));
        end_row(s, 0);
    }
    add_rows(s, 0);
}

static Engine *engine_up_to(const Compensation *c, const Graph *g, const Site *s)
{
    Engine *e = engine_new(g, s->n->out[0], c->batch, c->opt->threads, WANT_NONE);
    value_need_dense(value_of(e, s->n->in[0]));
    return e;
}

/* Inputs are those of the model as it is by now, wanted outputs those of the given one. */
static void add_samples(const Compensation *c, const Site *site, Sums *s)
{
    bool conv = site->n->op == OP_Conv;
    Window w = conv ? op_window(c->g, site->n) : (Window){.out = {1, 1, 1}};
    int64_t places = w.out[0] * w.out[1] * w.out[2];
    int64_t each = type_elems(site->n->out[0]->type) / (site->groups * site->chan * places);
    Engine *now = engine_up_to(c, c->g, site), *before = engine_up_to(c, c->given, site);
    Values v = {.step = each * places * c->s->count / MAX_ROWS + 1};
    for (int64_t at = 0; at < c->s->count; at += c->batch) {
        samples_fill(now, c->s, at);
        samples_fill(before, c->s, at);
        engine_forward(now);
        v.y = engine_forward(before);
        v.x = value_dense(now, value_of(now, site->n->in[0]));
        v.count = each * (c->s->count - at < c->batch ? c->s->count - at : c->batch);
        for (int64_t g = 0; conv && g < site->groups; g++)
            add_images(s, site, &w, &v, g);
        if (!conv)
            add_matrix(s, site, &v);
    }
    engine_free(now);
    engine_free(before);
}

/* Where a bias takes up means, only what differs from them counts. */
static void center(Sums *s)
{
    FitProblem *p = &s->p;
    for (int64_t g = 0; g < p->groups; g++) {
        const double *x = s->x + g * p->n;
        for (int64_t i = 0; i < p->n; i++)
            for (int64_t k = 0; k < p->n; k++)
                p->h[(g * p->n + i) * p->n + k] -= (float)(x[i] * x[k] / (double)s->rows);
        for (int64_t c = g * p->chan; c < (g + 1) * p->chan; c++)
            for (int64_t i = 0; i < p->n; i++)
                p->b[c * p->n + i] -= (float)(s->y[c] * x[i] / (double)s->rows);
    }
}

/* ---- what comes of them ---- */

static const float *copy_weights(const Site *s)
{
    int64_t channels = s->groups * s->chan;
    float *w = floats_new(channels * s->inputs);
    for (int64_t c = 0; c < channels; c++)
        for (int64_t k = 0; k < s->inputs; k++)
            w[c * s->inputs + k] = ((const float *)s->weight->data)[ternary_position(&s->box, c, k)];
    return w;
}

/* Zeros that --threshold or --sparsity chooses; NULL: none do. */
static const int8_t *copy_zeros(const Site *s, const Options *opt)
{
    if (!(opt->threshold > 0) && !(opt->sparsity > 0))
        return NULL;
    const Ternary *q = ternarize_alone(opt, s->weight->data, s->box);
    int8_t *codes = NEW_ARRAY(int8_t, s->groups * s->chan * s->inputs);
    for (int64_t c = 0; c < s->groups * s->chan; c++)
        for (int64_t k = 0; k < s->inputs; k++)
            codes[c * s->inputs + k] = q->codes[ternary_position(&s->box, c, k)];
    return codes;
}

static Sums sums_new(const Site *s, const Options *opt)
{
    int64_t channels = s->groups * s->chan, inputs = s->groups * s->inputs;
    return (Sums){.p = {.groups = s->groups,
                        .chan = s->chan,
                        .n = s->inputs,
                        .h = floats_new(inputs * s->inputs),
                        .b = floats_new(channels * s->inputs),
                        .w = copy_weights(s),
                        .codes = copy_zeros(s, opt),
                        .one_scale = opt->per_layer},
                  .x = NEW_ARRAY(double, inputs),
                  .y = NEW_ARRAY(double, channels),
                  .rows_x = floats_new(MAX_TOGETHER * s->inputs),
                  .rows_y = floats_new(MAX_TOGETHER * s->chan)};
}

static void sums_free(Sums *s)
{
    free(s->p.h);
    free(s->p.b);
    free((float *)(uintptr_t)s->p.w);
    free(s->rows_x);
    free(s->rows_y);
}

/* From the mean of the sums of channel c to that of the wanted outputs. */
static double missing_mean(const Sums *s, int64_t c, const int8_t *codes, float scale)
{
    double sum = 0;
    for (int64_t k = 0; k < s->p.n; k++)
        sum += codes[c * s->p.n + k] * s->x[c / s->p.chan * s->p.n + k];
    return (s->y[c] - (double)scale * sum) / (double)s->rows;
}

static void store_weights(const Site *s, const int8_t *codes, const float *scales, bool one_scale)
{
    int64_t channels = s->groups * s->chan;
    float *w = NEW_ARRAY(float, channels * s->inputs);
    for (int64_t c = 0; c < channels; c++)
        for (int64_t k = 0; k < s->inputs; k++)
            w[ternary_position(&s->box, c, k)] = (float)codes[c * s->inputs + k] * scales[one_scale ? 0 : c];
    s->weight->data = w;
}

/* To be changed: something else may read them too. */
static float *own_values(const Compensation *c, Tensor **t)
{
    int64_t n = type_elems((*t)->type);
    float *data = NEW_ARRAY(float, n);
    memcpy(data, (*t)->data, (size_t)n * sizeof *data);
    if (c->uses[(*t)->id] > 1)
        *t = graph_const(c->g, (*t)->name, (*t)->type, data);
    (*t)->data = data;
    return data;
}

/* Outputs have the means that they had. */
static void correct_means(const Compensation *c, const Site *s, const Sums *sums, const int8_t *codes,
                          const float *scales)
{
    const float *bias = s->bias ? s->bias->data : NULL;
    float *means = s->norm ? own_values(c, &s->norm->in[3]) : NULL;
    float *biases = s->norm ? NULL : own_values(c, &s->n->in[2]);
    for (int64_t k = 0; k < s->groups * s->chan; k++) {
        double missing = missing_mean(sums, k, codes, scales[sums->p.one_scale ? 0 : k]);
        if (s->norm)
            means[k] -= (float)(missing - (bias ? (double)bias[k] : 0));
        else
            biases[k] = (float)missing;
    }
}

static void compensate(const Compensation *c, const Site *s)
{
    Sums sums = sums_new(s, c->opt);
    int64_t channels = s->groups * s->chan;
    int8_t *codes = NEW_ARRAY(int8_t, channels * s->inputs);
    float *scales = NEW_ARRAY(float, channels);
    bool centered = s->norm || s->bias;
    add_samples(c, s, &sums);
    if (centered)
        center(&sums);
    if (fit_ternary(&sums.p, codes, scales)) {
        store_weights(s, codes, scales, sums.p.one_scale);
        if (centered)
            correct_means(c, s, &sums, codes, scales);
    }
    sums_free(&sums);
}

/* Samples that all outputs take at once. */
static int64_t common_batch(const Graph *g, const Samples *s, int threads)
{
    int64_t batch = MAX_BATCH;
    for (int i = 0; i < g->num_outputs; i++) {
        Engine *e = samples_engine(g, g->outputs[i], s, batch, threads);
        batch = e->batch;
        engine_free(e);
    }
    return batch;
}

/* Weights of n are to be ternary and are not. */
static bool is_left(const Compensation *c, const Node *n)
{
    bool left = false;
    LinearWeights w;
    void *mark = mem_mark();
    for (int k = 0; node_weights(n, k, &w); k++) {
        const Tensor *t = n->in[w.input];
        left |= c->chosen[t->id] && !recognise_ternary(t->data, w.box);
    }
    mem_release(mark);
    return left;
}

bool compensate_weights(Graph *g, const Samples *s, const Options *opt)
{
    own_statistics(g);
    Compensation c = {.g = g,
                      .given = graph_with_batch(g, 1),
                      .s = s,
                      .opt = opt,
                      .chosen = ternary_tensors(g, opt),
                      .uses = graph_use_counts(g),
                      .users = graph_only_users(g),
                      .batch = common_batch(g, s, opt->threads)};
    Progress bar;
    bool all = true;
    progress_begin(&bar, "calibrating weights", g->num_nodes);
    for (int i = 0; i < g->num_nodes; i++) {
        Site site;
        if (find_site(&c, g->nodes[i], &site))
            compensate(&c, &site);
        bool left = is_left(&c, g->nodes[i]);
        if (left && !opt->quiet)
            note("%s: %s '%s': its weights become ternary without the samples", g->file, g->nodes[i]->op_name,
                 node_label(g->nodes[i]));
        all &= !left;
        progress_update(&bar, i + 1);
    }
    progress_end(&bar);
    return all;
}
