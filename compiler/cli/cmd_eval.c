/* cmd_eval.c - `ternc eval`: accuracy and cross-entropy of a classifier on a labelled data set.
 *
 * Samples are evaluated one by one. Processes share the work, each on a run of samples, and leave when it is
 * done: that also gives back the memory, which within a process lives to exit. Their results lie in shared
 * memory by sample, so that sums do not depend on how the work was split. */
#include "base/cleanup.h"
#include "cli/cli.h"
#include "ops/ops.h"
#include "pipeline.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <float.h>
#include <math.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* ---- one sample ---- */

/* What the model's output is, read from the operator that makes it. */
typedef enum Scores { SCORES_LOGITS, SCORES_PROBABILITIES, SCORES_LOG_PROBABILITIES } Scores;

static Scores find_scores(const Graph *g)
{
    const Node *n = last_node(g);
    if (n && n->op == OP_Softmax)
        return SCORES_PROBABILITIES;
    return n && n->op == OP_LogSoftmax ? SCORES_LOG_PROBABILITIES : SCORES_LOGITS;
}

/* -log of the label's probability; one that underflowed counts as the smallest float, so that the loss stays
 * finite. */
static double label_loss(const float *y, int64_t classes, int64_t label, Scores scores)
{
    if (scores == SCORES_LOG_PROBABILITIES)
        return -(double)y[label];
    if (scores == SCORES_PROBABILITIES)
        return -log(y[label] > FLT_MIN ? (double)y[label] : (double)FLT_MIN);
    return cross_entropy(y, classes, label, NULL, 1, 0, NULL);
}

typedef struct Result {
    double loss;
    bool correct, nan;
} Result;

static Result judge(const float *y, int64_t classes, int64_t label, Scores scores)
{
    Result r = {0};
    int64_t best = 0;
    for (int64_t i = 0; i < classes; i++) {
        r.nan |= isnan(y[i]) != 0;
        best = y[i] > y[best] ? i : best;
    }
    r.correct = !r.nan && best == label;
    r.loss = label_loss(y, classes, label, scores);
    return r;
}

/* ---- many samples ---- */

typedef struct EvalJob {
    const Graph *g;
    const DataFeed *feed;
    int64_t count, classes;
    Scores scores;
    Result *results;       /* shared memory, [count] */
    _Atomic int64_t *done; /* shared memory */
} EvalJob;

static void eval_range(const EvalJob *j, int64_t from, int64_t to)
{
    float *x = NEW_ARRAY(float, type_elems(j->feed->input));
    for (int64_t i = from; i < to; i++) {
        data_sample(j->feed, i, x);
        const void *inputs[] = {x};
        void **values = eval_graph(j->g, inputs);
        j->results[i] = judge(values[j->g->outputs[0]->id], j->classes, j->feed->data->labels[i], j->scores);
        atomic_fetch_add(j->done, 1);
    }
}

/* Samples that one process takes: enough to pay for the fork, few enough to keep its memory below 256 MB. */
static int64_t choose_run(const EvalJob *j, int threads)
{
    size_t bytes = 1;
    for (int i = 0; i < j->g->num_nodes; i++)
        for (int k = 0; k < j->g->nodes[i]->num_out; k++)
            if (j->g->nodes[i]->out[k])
                bytes += type_bytes(j->g->nodes[i]->out[k]->type);
    int64_t run = (int64_t)(((size_t)256 << 20) / bytes), share = (j->count + threads - 1) / threads;
    run = run < 64 ? run : 64;
    run = run < share ? run : share;
    return run < 1 ? 1 : run;
}

/* A worker fails with its own message; its exit code becomes ours. */
static void wait_for_worker(const EvalJob *j, Progress *p)
{
    int status;
    pid_t ended;
    while ((ended = waitpid(-1, &status, WNOHANG)) == 0) {
        progress_update(p, atomic_load(j->done));
        nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
    }
    if (ended < 0)
        bug("waitpid: %s", strerror(errno));
    cleanup_drop_child(ended);
    if (WIFEXITED(status) && !WEXITSTATUS(status))
        return;
    progress_end(p);
    if (WIFEXITED(status))
        exit(WEXITSTATUS(status));
    if (WTERMSIG(status) == SIGKILL)
        fail("a worker was killed, perhaps for memory; try fewer --threads");
    bug("a worker died of signal %d", WTERMSIG(status));
}

static void eval_all(const EvalJob *j, int threads)
{
    Progress p;
    progress_begin(&p, "eval", j->count);
    int64_t run = choose_run(j, threads);
    int working = 0;
    fflush(stdout);
    for (int64_t from = 0; from < j->count; from += run) {
        if (working == threads) {
            wait_for_worker(j, &p);
            working--;
        }
        pid_t pid = cleanup_fork();
        if (pid < 0)
            fail("cannot start a worker; try fewer --threads");
        if (!pid) {
            eval_range(j, from, from + run < j->count ? from + run : j->count);
            _exit(0);
        }
        working++;
    }
    for (; working; working--)
        wait_for_worker(j, &p);
    progress_end(&p);
}

static void *share_memory(size_t bytes)
{
    void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED)
        fail("out of memory: cannot share %zu bytes", bytes);
    return p;
}

/* ---- checks and report ---- */

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

static void print_result(const CommandLine *c, double accuracy, double loss, int64_t samples)
{
    if (!c->json) {
        printf("accuracy %.4f, loss %.6g, samples %s\n", accuracy, loss, int_text(samples));
        return;
    }
    cJSON *o = cJSON_CreateObject();
    cJSON_AddNumberToObject(o, "accuracy", accuracy);
    cJSON_AddNumberToObject(o, "loss", loss); /* null when it is not finite */
    cJSON_AddNumberToObject(o, "samples", (double)samples);
    char *text = cJSON_Print(o);
    puts(text);
    free(text);
    cJSON_Delete(o);
}

int cmd_eval(const CommandLine *c)
{
    Model *m = pipeline_load(c->model, &c->opt);
    pipeline_ternarize(m, &c->opt);
    const Dataset *d = data_open(c->data.spec);
    EvalJob j = {.g = m->graph, .classes = count_classes(m->graph), .scores = find_scores(m->graph)};
    j.feed = data_feed(d, m->graph, &c->data);
    check_labels(d, j.classes, m->graph);
    j.count = c->data.limit && c->data.limit < d->count ? c->data.limit : d->count;
    j.results = share_memory((size_t)j.count * sizeof *j.results);
    j.done = share_memory(sizeof *j.done);
    eval_all(&j, c->threads);
    double loss = 0;
    int64_t correct = 0, nans = 0;
    for (int64_t i = 0; i < j.count; i++) {
        loss += j.results[i].loss;
        correct += j.results[i].correct;
        nans += j.results[i].nan;
    }
    if (nans)
        note("%s of %s outputs are not numbers and count as wrong", int_text(nans), int_text(j.count));
    print_result(c, (double)correct / (double)j.count, loss / (double)j.count, j.count);
    return 0;
}
