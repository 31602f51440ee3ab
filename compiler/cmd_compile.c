/* cmd_compile.c - `ternc compile`: a model as NAME.c and NAME.h in a folder, and what became of its layers. */
#include "ir.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const lowering_names[] = {[LOWER_AUTO] = "auto",
                                             [LOWER_UNROLL] = "unroll",
                                             [LOWER_SPARSE] = "sparse",
                                             [LOWER_PACKED] = "packed",
                                             [LOWER_DENSE] = "dense"};
enum { NUM_LOWERINGS = sizeof lowering_names / sizeof lowering_names[0] };

/* ---- writing ---- */

static const char *made_folder; /* by us: goes again if nothing came to lie in it */

static void remove_made_folder(void)
{
    rmdir(made_folder);
}

/* Before the first out_open, whose cleaning must run first. */
static void make_folder(const char *path)
{
    struct stat st;
    if (!stat(path, &st)) {
        if (!S_ISDIR(st.st_mode))
            fail("%s: cannot write: it is not a directory", path);
        return;
    }
    if (mkdir(path, 0777))
        fail("%s: cannot make this directory: %s", path, strerror(errno));
    made_folder = path;
    atexit(remove_made_folder);
}

/* Both files, or neither. */
static void write_pair(const char *folder, const char *id, const Text *c, const Text *h)
{
    make_folder(folder);
    OutFile *c_file = out_open(mem_printf("%s/%s.c", folder, id));
    OutFile *h_file = out_open(mem_printf("%s/%s.h", folder, id));
    fwrite(c->data, 1, c->len, c_file->f);
    fwrite(h->data, 1, h->len, h_file->f);
    out_sync(c_file);
    out_sync(h_file);
    out_commit(c_file);
    out_commit(h_file);
}

/* ---- reporting ---- */

static const char *shape_text(const Layer *l)
{
    if (l->kind == LAYER_FC)
        return mem_printf("%lldx%lld", (long long)l->co, (long long)l->ci);
    return mem_printf("%lldx%lldx%lldx%lld", (long long)l->co, (long long)(l->ci / l->groups), (long long)l->kh,
                      (long long)l->kw);
}

static int64_t weight_count(const Layer *l)
{
    return l->co * (l->ci / l->groups) * l->kh * l->kw;
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

static void print_explanation(const Graph *g)
{
    Table *t = table_new(">#\tlayer\tweights\t>zeros\tlowering\t>unroll\t>sparse\t>packed\t>dense\twhy");
    const Layer *const *layers = list_layers(g);
    for (int i = 0; i < layer_count(g); i++) {
        const Layer *l = layers[i];
        const char *zeros = l->codes ? mem_printf("%.1f %%", 100.0 * (double)l->zeros / (double)weight_count(l)) : "-";
        table_row(t, "%d\t%s\t%s %s\t%s\t%s\t%s\t%s\t%s\t%s\t%s", l->index, short_text(l->source, 60), shape_text(l),
                  l->codes ? "ternary" : "float", zeros, lowering_names[l->lowering],
                  bytes_text(l->bytes[LOWER_UNROLL]), bytes_text(l->bytes[LOWER_SPARSE]),
                  bytes_text(l->bytes[LOWER_PACKED]), bytes_text(l->bytes[LOWER_DENSE]), l->why);
    }
    table_print(t, stdout);
}

static void print_summary(const Plan *p)
{
    int count[NUM_LOWERINGS] = {0}, layers = layer_count(p->g), ternary = 0;
    int64_t weights = 0, zeros = 0, bytes = 0;
    const Layer *const *list = list_layers(p->g);
    for (int i = 0; i < layers; i++) {
        const Layer *l = list[i];
        ternary += l->codes != NULL;
        weights += l->codes ? weight_count(l) : 0;
        zeros += l->codes ? l->zeros : 0;
        count[l->lowering]++;
        bytes += l->bytes[l->lowering];
    }
    Text t = {0};
    for (int i = LOWER_AUTO + 1; i < NUM_LOWERINGS; i++)
        if (count[i])
            text_printf(&t, ", %d %s", count[i], lowering_names[i]);
    printf("layers: %d, %d ternary%s\n", layers, ternary, t.len ? t.data : "");
    text_free(&t);
    if (weights)
        printf("ternary weights: %s, %.1f %% zeros\n", count_text(weights), 100.0 * (double)zeros / (double)weights);
    printf("predicted code and constants of the layers: %s bytes\n", count_text(bytes));
    printf("arena: %s bytes\n", count_text(p->arena_bytes));
}

int cmd_compile(const CommandLine *c)
{
    Model *m = pipeline_load(c->model, &c->opt);
    if (c->data)
        pipeline_train(m, c);
    Options recognise = c->opt;
    recognise.method = c->data ? METHOD_NONE : c->opt.method;
    pipeline_ternarize(m, &recognise);
    const Plan *p = pipeline_lower(m, &c->opt);
    Text source = {0}, header = {0};
    check_budget(p, c);
    emit_c(p, &source, &header);
    const char *folder = c->outputs.items[0];
    write_pair(folder, p->id, &source, &header);
    printf("%s/%s.c, %s/%s.h\n", folder, p->id, folder, p->id);
    if (c->explain)
        print_explanation(p->g);
    print_summary(p);
    text_free(&source);
    text_free(&header);
    return 0;
}
