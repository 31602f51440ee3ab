/* cmd_ternarize.c - `ternc ternarize`: ternary weights as an ordinary ONNX model, and a report of every
 * layer. */
#include "base/out_file.h"
#include "cli/cli.h"
#include "cli/sensitivity.h"
#include "onnx/onnx.h"
#include "ops/ops.h"
#include "ops/recurrent.h"
#include "passes/methods/methods.h"
#include "pipeline.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* Shannon entropy of the codes in bits per weight: what no coding of single weights can beat. */
static double entropy_bits(const Ternary *t, int64_t n)
{
    int64_t counts[UINT8_MAX + 1] = {0};
    for (int64_t i = 0; i < n; i++)
        counts[t->codes[i] - INT8_MIN]++;
    double bits = 0;
    for (int i = 0; i <= UINT8_MAX; i++) {
        double p = (double)counts[i] / (double)n;
        bits -= p > 0 ? p * log2(p) : 0;
    }
    return bits;
}

/* "0.0312", or the smallest and the largest of several. */
static const char *scale_text(const Ternary *t)
{
    float low = FLT_MAX, high = 0;
    for (int64_t i = 0; i < t->num_scales; i++) {
        low = t->scales[i] < low ? t->scales[i] : low;
        high = t->scales[i] > high ? t->scales[i] : high;
    }
    return low == high ? mem_printf("%.4g", (double)high)
                       : mem_printf("%.4g to %.4g", (double)low, (double)high);
}

/* ---- what each layer would cost by itself ---- */

/* The float model with one layer ternary, by the best threshold of each channel, on some of the held-back
 * data; the same measure whatever the method was. */
static Sensitivity *measure_layers(const CommandLine *c, const Source *valid)
{
    CommandLine *copy = NEW(CommandLine);
    *copy = *c;
    copy->opt.method = METHOD_twn;
    copy->opt.threshold = copy->opt.sparsity = 0;
    Source some = *valid;
    some.count = some.count < 2000 ? some.count : 2000;
    Sensitivity *s = sensitivity_new(copy, float_graph(copy), &some);
    sensitivity_measure(s);
    return s;
}

static const char *judged_short(const Sensitivity *s, Judged j)
{
    return sensitivity_measure_name(s) ? mem_printf("%.2f %%", 100 * j.accuracy) : mem_printf("%.4g", j.loss);
}

/* "\t98.20 %", for a column of its own; "" where nothing was measured. */
static const char *alone_text(const Sensitivity *s, const char *weight)
{
    for (int i = 0; s && i < s->count; i++)
        if (!strcmp(s->layers[i].name, weight))
            return mem_printf("\t%s", judged_short(s, s->layers[i].alone));
    return s ? "\t-" : "";
}

static void print_alone(const Sensitivity *s)
{
    const char *name = sensitivity_measure_name(s);
    printf("alone: only this layer ternary, untrained, %s held-back samples; none: %s%s\n",
           count_text(s->source.count), name ? "" : "loss ", judged_short(s, s->of_float));
}

/* ---- the report ---- */

/* Weights that are codes in the file, though not ternary. */
static bool is_int8(const Graph *g, const Node *n, int row, Ternary *codes)
{
    LinearWeights w;
    if (!node_weights(n, row, &w) || n->in[w.input]->ternary || (row && !cell_counts(g, n)))
        return false;
    const Node *from = n->in[row ? CELL_X : 1 - w.input]->producer;
    return from && from->op == OP_DequantizeLinear && weight_codes(n->in[w.input], &w.box, false, codes);
}

/* Returns the entropy. */
static double print_row(Table *table, const Graph *g, const Node *n, int row, const NodeCost *c,
                        const Sensitivity *s)
{
    Ternary int8;
    const Ternary *t = c->weight->ternary, *codes = !t && is_int8(g, n, row, &int8) ? &int8 : t;
    double entropy = codes ? entropy_bits(codes, c->weights) : 32;
    const char *kind = codes ? "int8" : "float";
    table_row(table, "%s\t%s\t%s\t%.1f %%\t%s\t%.3f%s", short_text(node_label(n), 48), node_row_text(n, row),
              count_text(c->weights), 100.0 * (double)c->zeros / (double)c->weights, t ? scale_text(t) : kind,
              entropy, alone_text(s, c->weight->name));
    return entropy;
}

/* s NULL: nothing was trained. */
static void print_report(const Graph *g, const Sensitivity *s)
{
    Table *table = table_new(
        mem_printf("layer\toperator\t>weights\t>zeros\t>scale\t>bits per weight%s", s ? "\t>alone" : ""));
    int64_t weights = 0, zeros = 0;
    double bits = 0;
    for (int i = 0; i < g->num_nodes; i++)
        for (int k = 0; k < node_cost_rows(g->nodes[i]); k++) {
            NodeCost c = node_cost(g->nodes[i], k);
            if (!c.weight || !c.weights || !dtype_is_float(c.weight->type.dtype))
                continue;
            const Ternary *t = c.weight->ternary;
            double entropy = print_row(table, g, g->nodes[i], k, &c, s);
            weights += t ? c.weights : 0;
            zeros += t ? c.zeros : 0;
            bits += t ? entropy * (double)c.weights : 0;
        }
    table_print(table, stdout);
    if (s)
        print_alone(s);
    if (weights)
        printf("ternary: %s weights, %.1f %% zeros, %.3f bits per weight\n", count_text(weights),
               100.0 * (double)zeros / (double)weights, bits / (double)weights);
    else
        printf("ternary: no weights\n");
}

static const char *level_text(const CommandLine *c)
{
    const Options *o = &c->opt;
    const Knob *zeros = method_def(o->method)->zeros;
    if (o->sparsity > 0)
        return mem_printf(" sparsity=%.7g", (double)o->sparsity);
    if (zeros)
        return mem_printf(" %s=%.9g", zeros->option, knob_value(zeros, &c->train));
    return o->threshold > 0 ? mem_printf(" threshold=%.7g", (double)o->threshold) : " threshold=exact";
}

static void add_keep(Text *t, const Options *o)
{
    if (!o->keep)
        text_printf(t, " keep=last");
    else if (!o->num_keep)
        text_printf(t, " keep=none");
    else
        for (int i = 0; i < o->num_keep; i++)
            text_printf(t, "%s%s", i ? "," : " keep=", o->keep[i]);
}

/* How the model was made, by the options alone: "method=twn threshold=exact ...". */
static const char *settings_text(const CommandLine *c)
{
    const Options *o = &c->opt;
    Text t = {0};
    text_printf(&t, "method=%s", method_def(o->method)->name);
    if (o->method != METHOD_none) {
        text_printf(&t, " granularity=%s%s", o->per_layer ? "layer" : "channel", level_text(c));
        add_keep(&t, o);
        text_printf(&t, "%s", o->fit ? " calibrated" : "");
    }
    if (o->codes)
        text_printf(&t, " activations=%s%s%s", o->codes->name, o->powers ? " scales=pow2" : "",
                    o->keep_float ? " keep-as=float" : "");
    return text_take(&t);
}

static void set_metadata(Model *m, const char *key, const char *value)
{
    for (int i = 0; i < m->num_metadata; i++)
        if (!strcmp(m->metadata[i].key, key)) {
            m->metadata[i].value = value;
            return;
        }
    KeyValue *more = NEW_ARRAY(KeyValue, m->num_metadata + 1);
    if (m->num_metadata)
        memcpy(more, m->metadata, (size_t)m->num_metadata * sizeof *more);
    more[m->num_metadata++] = (KeyValue){key, value};
    m->metadata = more;
}

int cmd_ternarize(const CommandLine *given)
{
    bool trains = given->data.spec && !given->untrained;
    if (trains)
        out_check(given->outputs.items[0]); /* not after hours */
    const CommandLine *c = choose_activations(keep_within_loss(given));
    const TrainJob job = train_job(c);
    Model *m = pipeline_load(c->model, &c->opt);
    const char *settings = settings_text(c);
    Training training = {0};
    if (trains) {
        training = pipeline_train(m, &job);
        settings = mem_printf("%s %s", settings, training.settings);
    }
    Options recognise = c->opt;
    recognise.method = trains ? METHOD_none : c->opt.method;
    pipeline_ternarize(m, &recognise);
    set_metadata(m, "ternc", settings);
    onnx_write(pipeline_store(m, &c->opt), c->outputs.items[0]);
    if (trains) {
        checkpoint_remove(&job);
        fputs(training.report, stdout);
        fflush(stdout); /* the rest takes a moment */
    }
    Sensitivity *s = trains && c->opt.method != METHOD_none ? measure_layers(c, training.valid) : NULL;
    print_report(m->graph, s);
    if (s)
        sensitivity_free(s);
    return 0;
}
