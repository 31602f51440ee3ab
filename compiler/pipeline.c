/* pipeline.c - what happens to a model, in order: one call per pass, verified, dumped and timed alike. The
 * comments between the calls say what holds there. */
#include "codegen/codegen.h"
#include "onnx/onnx.h"
#include "passes/methods/methods.h"
#include "passes/passes.h"
#include "pipeline.h"
#include "train/calibrate.h"
#include "train/compensate.h"

#include <string.h>

static const char *const pass_names[] = {"read",   "upgrade",   "infer",     "fold",  "dce",    "channels",
                                         "train",  "fit",       "ternarize", "norms", "affine", "quantise",
                                         "inputs", "recurrent", "codes",     "fuse",  "lower",  "store"};
enum { NUM_PASSES = sizeof pass_names / sizeof pass_names[0] };

static void check_dump_name(const Options *opt)
{
    Text list = {0};
    for (int i = 0; i < NUM_PASSES; i++) {
        if (!opt->dump || !strcmp(opt->dump, pass_names[i])) {
            text_free(&list);
            return;
        }
        text_printf(&list, "%s%s", i ? ", " : "", pass_names[i]);
    }
    char *names = text_take(&list);
    usage("--dump %s: there is no such pass; the passes are %s", opt->dump, names);
}

/* Behind every pass. */
static void after(const char *name, const Graph *g, const Options *opt, double started)
{
    if (opt->time_passes)
        fprintf(stderr, "ternc: time: %-9s %8.3f ms\n", name, 1e3 * (seconds_now() - started));
    if (strcmp(name, "read") != 0)
        verify_graph(g, name);
    if (opt->dump && !strcmp(opt->dump, name))
        dump_graph(stdout, g);
}

/* RUN("infer", pass_infer(g)); */
#define RUN(name, call)                                                                                      \
    do {                                                                                                     \
        double started = seconds_now();                                                                      \
        call;                                                                                                \
        after(name, m->graph, opt, started);                                                                 \
    } while (0)

Model *pipeline_load(const char *path, const Options *opt)
{
    check_dump_name(opt);
    Model *m;
    RUN("read", m = onnx_read(path, opt));
    pipeline_prepare(m, opt);
    return m;
}

void pipeline_prepare(Model *m, const Options *opt)
{
    check_dump_name(opt);
    /* As the file has it: any opset, declared types, perhaps unknown operators. */
    RUN("upgrade", pass_upgrade(m));
    check_supported(m->graph);
    /* Operators are in their opset 17 form and all supported; types are those of inputs, constants and
     * declarations. */
    RUN("infer", pass_infer(m->graph));
    RUN("fold", opt->train || opt->codes || opt->calibrate.count ? pass_fold_for_training(m->graph)
                                                                 : pass_fold(m->graph));
    RUN("dce", pass_dce(m->graph));
    RUN("channels", pass_channels(m->graph, opt));
    /* All types are static, nothing computes from constants alone, every node is used; inputs know their axis
     * of channels. */
}

Training pipeline_train(Model *m, const TrainJob *j)
{
    const Options *opt = j->opt;
    Training result;
    RUN("train", result = pass_train(m->graph, j));
    m->ranges = result.ranges;
    m->num_ranges = m->graph->num_tensors;
    /* Weights to be ternary are: zeros and one magnitude per channel. */
    RUN("fold", j->again ? pass_fold_after_training(m->graph) : pass_fold(m->graph));
    RUN("dce", pass_dce(m->graph));
    /* Dropout is gone as well; a model that is written can be trained again. */
    return result;
}

/* There may be more tensors since. */
static const Range *known_ranges(const Model *m)
{
    Range *r = NEW_ARRAY(Range, m->graph->num_tensors);
    memcpy(r, m->ranges, (size_t)m->num_ranges * sizeof *r);
    return r;
}

static void add_codes(const Model *m, const Options *opt, const Samples *s)
{
    Graph *g = m->graph;
    const Range *ranges = m->ranges ? known_ranges(m) : calibrate(g, s, opt->calibration_rule, opt->threads);
    if (!pass_quantise(g, ranges, opt) && !opt->quiet)
        note("%s: --activations %s changes nothing: no node of it computes on codes", g->file,
             opt->codes->name);
}

static void quantise(Model *m, const Options *opt, const Samples *s)
{
    RUN("affine", pass_affine(m->graph));
    /* Linear nodes make at once what comes in front of their activation. */
    RUN("quantise", add_codes(m, opt, s));
    /* QuantizeLinear and DequantizeLinear stand between nodes that compute on codes. */
}

/* Samples are for a graph that still has the batch where the model has it. */
static void ternarize_by_samples(Model *m, const Options *opt, const Samples *s)
{
    bool all = false;
    if (opt->fit)
        RUN("fit", all = compensate_weights(m->graph, s, opt));
    /* Weights that samples chose are ternary; thresholds make the others so. */
    RUN("ternarize", pass_ternarize(m->graph, opt));
    if (!all)
        RUN("norms", estimate_norms(m->graph, s, opt->threads));
}

void pipeline_ternarize(Model *m, const Options *opt)
{
    const MethodDef *method = method_def(opt->method);
    if (method->needs_data || (method->sparsity > 0 && !(opt->sparsity > 0)))
        bug("%s without data, or without a share of zeros", method->name);
    Samples s = {0};
    if (opt->calibrate.count) {
        RUN("fold", pass_fold_after_training(m->graph));
        RUN("dce", pass_dce(m->graph));
        s = samples_open(m->graph, opt);
    }
    if (opt->calibrate.count && opt->method != METHOD_none)
        ternarize_by_samples(m, opt, &s);
    else
        RUN("ternarize", pass_ternarize(m->graph, opt));
    /* Weights are ternary, data[i] == codes[i] * scale exactly, but those kept in float. */
    if (opt->codes)
        quantise(m, opt, &s);
    if (opt->calibrate.count || opt->codes) {
        RUN("fold", pass_fold(m->graph));
        RUN("dce", pass_dce(m->graph));
    }
}

Model *pipeline_store(const Model *given, const Options *opt)
{
    Model *m = NEW(Model);
    *m = *given;
    RUN("store", m->graph = pass_store(m->graph));
    /* Weights of nodes that read codes are codes, as files have them. */
    return m;
}

Plan *pipeline_lower(Model *m, const Options *opt)
{
    RUN("inputs", pass_inputs(m->graph, opt));
    /* The graph's inputs are what the application gives. */
    RUN("recurrent", pass_recurrent(m->graph));
    /* LSTM, GRU and RNN are products and loops over steps. No longer ordinary ONNX. */
    RUN("codes", pass_codes(m->graph, opt->io != NULL));
    /* What stands between quantised layers computes on codes. */
    RUN("fuse", (pass_fuse(m->graph), pass_dce(m->graph)));
    /* Linear operators with constant weights are OP_Layer, numbered in execution order. */
    RUN("lower", pass_lower(m->graph, opt));
    /* Every layer has its lowering, every tensor its layout. */
    return plan_graph(m->graph, opt);
}
