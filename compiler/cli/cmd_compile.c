/* cmd_compile.c - `ternc compile`: a model as NAME.c and NAME.h in a folder, and what its layers became. */
#include "cli/cli.h"
#include "base/cleanup.h"
#include "base/out_file.h"
#include "codegen/codegen.h"
#include "graph/cell.h"
#include "pipeline.h"
#include "size/size.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- writing ---- */

/* It goes again if nothing comes to lie in it. */
static void make_folder(const char *path)
{
    struct stat st;
    const char *raw = raw_text(path);
    if (!stat(raw, &st)) {
        if (!S_ISDIR(st.st_mode))
            fail("%s: cannot write: it is not a directory", path);
        return;
    }
    sigset_t before = cleanup_hold();
    bool made = !mkdir(raw, 0777);
    if (made)
        cleanup_add(LEFT_EMPTY_FOLDER, raw);
    cleanup_release(&before);
    if (!made)
        fail("%s: cannot make this directory: %s", path, strerror(errno));
}

/* All files, or none. */
static void write_files(const char *folder, const SourceFiles *files)
{
    OutFile **out = NEW_ARRAY(OutFile *, files->count);
    make_folder(folder);
    for (int i = 0; i < files->count; i++)
        out[i] = out_open(mem_printf("%s/%s", folder, files->items[i].name));
    for (int i = 0; i < files->count; i++) {
        const Text *t = &files->items[i].text;
        fwrite(t->data, 1, t->len, out[i]->f);
        out_sync(out[i]);
    }
    sigset_t before = cleanup_hold();
    for (int i = 0; i < files->count; i++)
        out_commit(out[i]);
    cleanup_release(&before);
}

/* ---- reporting ---- */

static const char *shape_text(const Layer *l)
{
    if (l->kind == LAYER_FC)
        return mem_printf("%sx%s", int_text(l->co), int_text(l->ci));
    return mem_printf("%sx%sx%sx%s", int_text(l->co), int_text(l->ci / l->groups), int_text(l->kh),
                      int_text(l->kw));
}

static const char *bytes_text(int64_t bytes)
{
    return bytes < 0 ? "-" : count_text(bytes);
}

static const Layer *const *list_layers(const Graph *g)
{
    const Layer **list = NEW_ARRAY(const Layer *, layer_count(g) + 1), *l;
    for (int i = 0; i < g->num_nodes; i++)
        for (int k = 0; (l = node_layer(g->nodes[i], k)); k++)
            list[l->index] = l;
    return list;
}

static const char *adds_text(const Layer *l, int64_t adds)
{
    return l->codes ? count_text(adds) : "-";
}

static const char *zeros_text(const Layer *l)
{
    return l->codes ? mem_printf("%.1f %%", 100.0 * (double)l->zeros / (double)layer_weight_count(l)) : "-";
}

static void print_layers(const Layer *const *layers, int count)
{
    Table *t =
        table_new(">#\tlayer\tweights\t>zeros\t>non-zeros\t>MACs\t>adds\t>shared\tlowering\tnumbers\twhy");
    for (int i = 0; i < count; i++) {
        const Layer *l = layers[i];
        const char *shared = l->lowering == LOWER_UNROLL ? count_text(l->adds) : "-";
        table_row(t, "%d\t%s\t%s %s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s", l->index, short_text(l->source, 60),
                  shape_text(l), layer_weight_word(l), zeros_text(l),
                  adds_text(l, layer_weight_count(l) - l->zeros), count_text(layer_macs(l)),
                  adds_text(l, l->terms), shared, lowering_name(l->lowering), layer_format(l)->name, l->why);
    }
    table_print(t, stdout);
}

/* Every form of every ternary layer, what it would take and whether it was taken. */
static void print_forms(const Layer *const *layers, int count, const Options *opt)
{
    Table *t = table_new(">#\t>unroll\t>bytes\t>sparse\t>bytes\t>packed\t>bytes\t>dense\t>bytes\ttaken");
    for (int i = 0; i < count; i++) {
        const Layer *l = layers[i];
        Text row = {0};
        for (Lowering form = LOWER_UNROLL; form <= LOWER_DENSE; form++)
            text_printf(&row, "\t%s\t%s", time_text(l->time[form], opt), bytes_text(l->bytes[form]));
        table_row(t, "%d%s\t%s", l->index, row.data, lowering_name(l->lowering));
        text_free(&row);
    }
    printf("\nEstimates per form: time of a run (%s), bytes of code and constants\n", time_unit(opt));
    table_print(t, stdout);
    printf("\n");
}

static void print_explanation(const Plan *p)
{
    const Layer *const *layers = list_layers(p->g);
    int count = layer_count(p->g);
    print_layers(layers, count);
    if (count)
        print_forms(layers, count, p->opt);
}

static void print_summary(const Plan *p)
{
    int count[NUM_LOWERINGS] = {0}, layers = layer_count(p->g), ternary = 0;
    int64_t weights = 0, zeros = 0, bytes = 0, macs = 0, terms = 0, adds = 0;
    const Layer *const *list = list_layers(p->g);
    for (int i = 0; i < layers; i++) {
        const Layer *l = list[i];
        count[l->lowering]++;
        bytes += l->bytes[l->lowering];
        if (!l->codes)
            continue;
        ternary++;
        weights += layer_weight_count(l);
        zeros += l->zeros;
        macs += layer_macs(l);
        terms += l->terms;
        adds += l->lowering == LOWER_UNROLL ? l->adds : l->terms;
    }
    Text t = {0};
    for (int i = LOWER_AUTO + 1; i < NUM_LOWERINGS; i++)
        if (count[i])
            text_printf(&t, ", %d %s", count[i], lowering_name((Lowering)i));
    printf("layers: %d, %d ternary%s\n", layers, ternary, t.len ? t.data : "");
    text_free(&t);
    if (weights)
        printf("ternary weights: %s, %.1f %% zeros\n", count_text(weights),
               100.0 * (double)zeros / (double)weights);
    if (weights)
        printf("ternary layers in a run: %s multiply-accumulates if dense, %s adds without zeros, %s with "
               "shared sums\n",
               count_text(macs), count_text(terms), count_text(adds));
    printf("predicted code and constants of the layers: %s bytes\n", count_text(bytes));
    printf("arena: %s bytes, %s\n", count_text(p->arena_bytes),
           p->arena_bytes <= p->lower_bound
               ? "the least that its tensors fit in"
               : mem_printf("at least %s are needed", count_text(p->lower_bound)));
}

/* ---- what a quantised model computes in float ---- */

static bool has_float(Tensor *const *tensors, int count)
{
    for (int k = 0; k < count; k++)
        if (tensors[k] && !tensors[k]->data && dtype_is_float(tensors[k]->type.dtype))
            return true;
    return false;
}

static bool runs_in_float(const Node *n)
{
    if (n->op == OP_QuantizeLinear || n->op == OP_DequantizeLinear || op_def(n->op)->view)
        return false;
    if ((n->layer && n->layer->quantised) || (n->cell && n->cell->codes))
        return false;
    return has_float(n->in, n->num_in) || has_float(n->out, n->num_out);
}

static const char *float_name(const Node *n)
{
    if (n->layer)
        return n->layer->source;
    return n->cell ? n->cell->source : mem_printf("%s '%s'", n->op_name, node_label(n));
}

/* One note for a model that has codes. */
static void note_floats(const Graph *g)
{
    enum { SHOWN = 3 };
    Text names = {0};
    int count = 0;
    for (int i = 0; i < g->num_nodes; i++) {
        const Node *n = g->nodes[i];
        if (!runs_in_float(n) || count++ >= SHOWN)
            continue;
        text_printf(&names, "%s%s", names.len ? ", " : "", float_name(n));
    }
    if (count > SHOWN)
        text_printf(&names, " and %d more", count - SHOWN);
    if (count)
        note("%s: %d node%s in float between codes: %s", g->file, count, count > 1 ? "s run" : " runs",
             names.data);
    text_free(&names);
}

/* ---- the command ---- */

/* Names as files and as macros must differ whatever the case. */
static void check_ids(const Plan *const *plans, int count)
{
    Names known = {0};
    for (int i = 0; i < count; i++) {
        if (count > 1 && !strcasecmp(plans[i]->id, "kernels"))
            usage(
                "a model cannot be named 'kernels' beside others; --name, once for each, gives other names");
        const char *id = macro_prefix(plans[i]->id); /* in capitals */
        if (names_find(&known, id) >= 0)
            usage("two models would be named '%s'; --name, once for each, gives other names", plans[i]->id);
        names_add(&known, id, i);
    }
}

/* A file of `ternc compile` whose name has more than one meaning: NAME_1.c is a part of NAME, split, or a
 * model of its own; so are NAME_split.h and kernels.c. Only a model's own files have its function. Asked of
 * files that have the title of made_from. */
static bool is_model_file(const char *path, const char *stem)
{
    size_t len;
    const uint8_t *text = file_map(path, &len);
    int n = (int)strlen(stem);
    bool found = false;
    if (len > strlen("/* ") + (size_t)n) { /* the name in the file's own case */
        const char *name = mem_printf("%.*s_run_in(", n, (const char *)text + strlen("/* "));
        found = memmem(text, len, name, strlen(name));
    }
    file_unmap(text, len);
    return found;
}

/* What stands in the first line between the title and a full stop; NULL: another first line. */
static const char *model_in_title(const char *text, size_t len, const char *title)
{
    size_t n = strlen(title);
    const char *end = len > n && !strncasecmp(text, title, n) ? memchr(text, '\n', len) : NULL;
    if (!end)
        return NULL;
    const char *model = shown_text(mem_printf("%.*s", (int)(end - text - (ptrdiff_t)n), text + n));
    return model[0] ? mem_printf("%.*s", (int)strlen(model) - 1, model) : NULL;
}

/* The model that the file says it was made from; NULL: it is no file of ternc's, or not there. Where names
 * differ in case alone, it is the same file to some file systems. */
static const char *made_from(const char *path, const char *name)
{
    size_t len;
    struct stat st;
    const char *raw = raw_text(path);
    if (stat(raw, &st) || !S_ISREG(st.st_mode) || access(raw, R_OK))
        return NULL;
    const uint8_t *text = file_map(path, &len);
    const char *model =
        model_in_title((const char *)text, len, mem_printf("/* %s - made by ternc from ", name));
    file_unmap(text, len);
    return model;
}

/* Refuses to write the model's own file, or one that comes with a model, over one of the other kind. */
static void check_place(const char *folder, const char *file, const char *id, bool own)
{
    const char *path = mem_printf("%s/%s", folder, file), *from = made_from(path, file);
    char *stem = mem_strdup(file);
    *strrchr(stem, '.') = 0;
    if (!from || is_model_file(path, stem) == own)
        return;
    if (own)
        fail(
            "%s: the model '%s' would replace this file, which belongs to a model made from %s; take another "
            "folder or --name",
            path, id, from);
    fail("%s: '%s' would replace this file, which is the model '%s', made from %s; take another folder or "
         "--name",
         path, id, stem, from);
}

/* The same for `count` files of unrolled terms. */
static void check_parts(const CommandLine *c, int count, const char *id)
{
    for (int i = 0; i < count; i++)
        check_place(c->outputs.items[0], split_file_name(id, i), id, false);
    if (count > 0)
        check_place(c->outputs.items[0], split_header_name(id), id, false);
}

/* Before anything is computed: no file of another model is replaced. */
static void check_places(const CommandLine *c)
{
    const char *folder = c->outputs.items[0], *id = NULL;
    for (int i = 0; i < c->models.count; i++) {
        id = c->names.count ? c->names.items[i] : model_id(c->models.items[i]);
        check_place(folder, mem_printf("%s.c", id), id, true);
        check_place(folder, mem_printf("%s.h", id), id, true);
    }
    check_parts(c, c->opt.split, id);
    for (int i = 0; i < 2 && c->models.count > 1; i++)
        check_place(folder, i ? "kernels.h" : "kernels.c", id, false);
}

/* A trained model's weights are ternary already. */
static const Plan *plan_model(const CommandLine *c, int i, const TrainJob *job, Training *training)
{
    Options *opt = NEW(Options); /* the plan points to it */
    *opt = c->opt;
    opt->name = c->names.count ? c->names.items[i] : model_id(c->models.items[i]);
    Model *m = pipeline_load(c->models.items[i], opt);
    bool trains = c->data.spec && !c->untrained;
    if (trains)
        *training = pipeline_train(m, job);
    Options recognise = *opt;
    recognise.method = trains ? METHOD_none : opt->method;
    pipeline_ternarize(m, &recognise);
    const Plan *p = pipeline_lower(m, opt);
    if (!opt->quiet && has_codes(p->g))
        note_floats(p->g);
    return p;
}

/* The files of several models. */
static SourceFiles shared_files(const Plan *const *plans, int count)
{
    Text *texts = NEW_ARRAY(Text, 2 * count + 2), *c = texts, *h = texts + count, *shared = h + count;
    SourceFiles f = {NEW_ARRAY(SourceFile, 2 * count + 2), 0};
    emit_shared(plans, count, c, h, &shared[0], &shared[1]);
    for (int i = 0; i < count; i++) {
        f.items[f.count++] = (SourceFile){mem_printf("%s.c", plans[i]->id), c[i]};
        f.items[f.count++] = (SourceFile){mem_printf("%s.h", plans[i]->id), h[i]};
    }
    for (int i = 0; i < 2; i++)
        if (shared[i].len)
            f.items[f.count++] = (SourceFile){i ? "kernels.h" : "kernels.c", shared[i]};
    return f;
}

static void print_result(const CommandLine *c, const Plan *p)
{
    if (c->models.count > 1)
        printf("\n%s\n", p->id);
    if (c->explain)
        print_explanation(p);
    print_summary(p);
}

int cmd_compile(const CommandLine *given)
{
    const CommandLine *c = choose_activations(keep_within_loss(given));
    int count = c->models.count;
    check_places(c);
    const Plan **plans = NEW_ARRAY(const Plan *, count);
    const TrainJob job = train_job(c);
    Training training = {0};
    for (int i = 0; i < count; i++)
        plans[i] = plan_model(c, i, &job, &training);
    check_ids(plans, count);
    check_budget(plans[0], &c->budget, &c->build);
    const char *folder = c->outputs.items[0];
    if (count == 1 && c->opt.split == SPLIT_AUTO)
        check_parts(c, split_count(plans[0]), plans[0]->id);
    const SourceFiles files = count == 1 ? model_files(plans[0]) : shared_files(plans, count);
    write_files(folder, &files);
    if (training.report) {
        checkpoint_remove(&job);
        fputs(training.report, stdout);
    }
    for (int i = 0; i < files.count; i++)
        printf("%s%s/%s", i ? ", " : "", folder, files.items[i].name);
    printf("\n");
    for (int i = 0; i < count; i++)
        print_result(c, plans[i]);
    return 0;
}
