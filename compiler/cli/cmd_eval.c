/* cmd_eval.c - `ternc eval`: accuracy and cross-entropy of a classifier on a labelled data set. How samples
 * are evaluated is in eval_run.c. */
#include "cli/cli.h"
#include "cli/eval.h"
#include "pipeline.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <sys/mman.h>

/* That computes the scores, before they are rounded to codes. */
static const Node *scores_node(const Graph *g)
{
    const Node *n = last_node(g);
    while (n && (n->op == OP_QuantizeLinear || n->op == OP_DequantizeLinear))
        n = viewed_tensor(n->in[0])->producer;
    return n;
}

static Scores find_scores(const Graph *g)
{
    const Node *n = scores_node(g);
    if (n && n->op == OP_Softmax)
        return SCORES_PROBABILITIES;
    return n && n->op == OP_LogSoftmax ? SCORES_LOG_PROBABILITIES : SCORES_LOGITS;
}

/* ---- checks and report ---- */

static void *share_memory(size_t bytes)
{
    void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED)
        fail("out of memory: cannot share %zu bytes", bytes);
    return p;
}

static int64_t count_classes(const Graph *g)
{
    const Tensor *y = g->outputs[0];
    if (g->num_outputs != 1)
        fail("%s: eval needs a model with one output, the scores of the classes; this one has %d", g->file,
             g->num_outputs);
    int64_t classes = type_elems(y->type);
    bool row = y->type.rank > 0;
    for (int i = 0; i < y->type.rank; i++)
        row &= y->type.dims[i] == 1 || y->type.dims[i] == classes;
    if (y->type.dtype != DT_F32 || !row || classes < 2)
        fail("%s: eval needs an output of one float score per class; '%s' is %s", g->file, y->name,
             type_text(y->type));
    return classes;
}

static void check_labels(const Dataset *d, int64_t classes, const Graph *g)
{
    if (d->targets)
        fail("%s: labels must be whole numbers; these are float", d->spec);
    if (!d->labels)
        fail("%s: there are no labels; eval needs them: --data IMAGES,LABELS or an .npz with x and y",
             d->spec);
    data_check_labels(d, g, classes);
}

static void print_score(const CommandLine *c, const EvalScore *s)
{
    if (!c->json) {
        printf("accuracy %.4f, loss %.6g, samples %s\n", s->accuracy, s->loss, int_text(s->count));
        printf("evaluated by %s\n", s->by);
        return;
    }
    cJSON *o = cJSON_CreateObject();
    cJSON_AddNumberToObject(o, "accuracy", s->accuracy);
    cJSON_AddNumberToObject(o, "loss", s->loss); /* null when it is not finite */
    cJSON_AddNumberToObject(o, "samples", (double)s->count);
    cJSON_AddStringToObject(o, "evaluated_by", s->by);
    char *text = cJSON_Print(o);
    puts(text);
    free(text);
    cJSON_Delete(o);
}

static EvalScore sum_up(const EvalJob *j)
{
    double loss = 0;
    int64_t correct = 0, nans = 0;
    for (int64_t i = 0; i < j->count; i++) {
        loss += j->results[i].loss;
        correct += j->results[i].correct;
        nans += j->results[i].nan;
    }
    if (nans)
        note("%s of %s outputs are not numbers and count as wrong", int_text(nans), int_text(j->count));
    double count = (double)j->count;
    return (EvalScore){(double)correct / count, loss / count, j->count, j->by};
}

EvalScore eval_model(const CommandLine *c)
{
    Model *m = eval_load(c, &c->opt);
    const Dataset *d = data_open(c->data.spec);
    EvalJob j = {.c = c, .g = m->graph, .classes = count_classes(m->graph), .scores = find_scores(m->graph)};
    j.feed = data_feed(d, m->graph, &c->data);
    check_labels(d, j.classes, m->graph);
    j.count = c->data.limit && c->data.limit < d->count ? c->data.limit : d->count;
    j.results = share_memory((size_t)j.count * sizeof *j.results);
    j.done = share_memory(sizeof *j.done);
    eval_run(&j);
    return sum_up(&j);
}

int cmd_eval(const CommandLine *c)
{
    const EvalScore s = eval_model(c);
    print_score(c, &s);
    return 0;
}
