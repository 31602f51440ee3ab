/* eval_run.c - the samples of `ternc eval`: by generated C, compiled for this machine and loaded; by the
 * training engine, where no C compiler works or the weights are so many that it would take long; by the
 * reference evaluator, which takes every model, one sample after the other and naively.
 *
 * Generated C and the reference evaluator take one sample at a time: processes share the work, each on a run
 * of samples. */
#include "base/cleanup.h"
#include "cli/eval.h"
#include "codegen/codegen.h"
#include "ops/ops.h"
#include "passes/passes.h"
#include "pipeline.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Compilers take some seconds for a million weights. */
enum { MOST_COMPILED = 2000000 };

Model *eval_load(const CommandLine *c, const Options *opt)
{
    Model *m = pipeline_load(c->model, opt);
    pass_real_ends(m->graph);
    pipeline_ternarize(m, opt);
    return m;
}

/* ---- one sample after the other ---- */

static void reference_scores(const EvalJob *j, const float *x, float *y)
{
    const void *inputs[] = {x};
    void **values = eval_graph(j->g, inputs);
    memcpy(y, values[j->g->outputs[0]->id], (size_t)j->classes * sizeof *y);
    free(values);
}

static void eval_range(const EvalJob *j, int64_t from, int64_t to)
{
    float *x = NEW_ARRAY(float, type_elems(j->feed->input)), *y = NEW_ARRAY(float, j->classes);
    for (int64_t i = from; i < to; i++) {
        void *mark = mem_mark();
        data_sample(j->feed, i, x);
        if (j->net)
            j->net(x, y);
        else
            reference_scores(j, x, y);
        eval_judge(j, i, y);
        mem_release(mark);
        atomic_fetch_add(j->done, 1);
    }
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

/* Several for each process: one that other programs hold up gets fewer of them. */
static int64_t choose_run(const EvalJob *j, int threads)
{
    int64_t run = j->count / (8 * (int64_t)threads);
    return run < 1 ? 1 : run;
}

static void run_workers(const EvalJob *j)
{
    Progress p;
    progress_begin(&p, "eval", j->count);
    int64_t run = choose_run(j, j->c->threads);
    int working = 0;
    fflush(stdout);
    for (int64_t from = 0; from < j->count; from += run) {
        if (working == j->c->threads) {
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

/* ---- generated C ---- */

/* Lowering changes the graph, so this is another one. Ternary weights are multiplied by: unrolled adds would
 * run in less time, and compile in far more. */
static const Plan *plan_dense(const EvalJob *j)
{
    Options *opt = NEW(Options); /* the plan points to it */
    *opt = j->c->opt;
    opt->quiet = true;
    opt->name = "net";
    opt->target = host_target();
    opt->lowering = LOWER_DENSE;
    Model *m = eval_load(j->c, opt);
    opt->io = NULL; /* outputs are codes, and read as the numbers that they stand for */
    return pipeline_lower(m, opt);
}

static bool compile_by(EvalJob *j, const Plan *p, const char *cc, Text *err)
{
    const char *flags = j->c->build.cflags;
    if (!flags)
        flags = mem_printf("%s -march=native", recommended_flags(OPTIMIZE_SPEED, cc));
    j->net = net_load(p, cc, flags, err);
    if (j->net)
        j->by = mem_printf("generated C, built by %s %s", cc, flags);
    return j->net != NULL;
}

static const char *first_line(const Text *t)
{
    return t->len ? mem_printf("%.*s", (int)strcspn(t->data, "\n"), t->data) : "";
}

static void compile_given(EvalJob *j)
{
    Text err = {0};
    if (!compile_by(j, plan_dense(j), j->c->build.cc, &err))
        fail("%s does not compile the generated C:\n%s", j->c->build.cc, text_take(&err));
}

static void compile_any(EvalJob *j)
{
    static const char *const compilers[] = {"clang", "gcc", "cc"};
    const char *why = "there is no C compiler (clang, gcc, cc)";
    const Plan *p = plan_dense(j);
    for (size_t i = 0; !j->net && i < sizeof compilers / sizeof compilers[0]; i++) {
        Text err = {0};
        if (program_exists(compilers[i]) && !compile_by(j, p, compilers[i], &err))
            why = mem_printf("%s does not compile the generated C (%s)", compilers[i], first_line(&err));
        text_free(&err);
    }
    if (!j->net)
        fail("%s", why);
}

/* ---- the engine ---- */

static void run_engine(EvalJob *j)
{
    Options opt = j->c->opt;
    opt.quiet = true;
    opt.train = true; /* which leaves the batch where it is */
    const Graph *g = eval_load(j->c, &opt)->graph;
    const Loss loss = {.kind = LOSS_LABELS, .score = g->outputs[0], .classes = j->classes};
    const Source all = {j->feed, 0, j->count};
    int64_t batch = j->count < 100 ? j->count : 100, *samples = NEW_ARRAY(int64_t, batch);
    Engine *e = engine_new(g, loss.score, batch, j->c->threads, WANT_NONE);
    check_engine(e, g, &loss, &all);
    Progress p;
    progress_begin(&p, "eval", j->count);
    for (int64_t at = 0; at < j->count; at += batch) {
        int64_t count = j->count - at < batch ? j->count - at : batch;
        for (int64_t i = 0; i < count; i++)
            samples[i] = at + i;
        fill_batch(e, &loss, &all, NULL, samples, count);
        const float *y = engine_forward(e);
        for (int64_t i = 0; i < count; i++)
            eval_judge(j, at + i, y + i * j->classes);
        progress_update(&p, at + count);
    }
    progress_end(&p);
    engine_free(e);
    j->by = "the training engine";
}

/* ---- the choice ---- */

static int64_t count_weights(const Graph *g)
{
    int64_t weights = 0;
    for (int i = 0; i < g->num_tensors; i++)
        weights += g->tensors[i]->data ? type_elems(g->tensors[i]->type) : 0;
    return weights;
}

/* NULL, or why it cannot be done: by failing it says so. */
static const char *attempt(EvalJob *j, void (*act)(EvalJob *j))
{
    static Trap t;
    if (CATCH(&t)) {
        if (t.code == 3)
            bug("%s", t.message);
        return mem_strdup(t.message);
    }
    act(j);
    trap_end();
    return NULL;
}

static const char *try_compiled(EvalJob *j)
{
    if (j->c->build.cc)
        compile_given(j);
    else if (count_weights(j->g) > MOST_COMPILED)
        return "the C of so many weights takes long to compile";
    const char *why = j->net ? NULL : attempt(j, compile_any);
    if (!why)
        run_workers(j);
    return why;
}

static const char *try_fast(EvalJob *j)
{
    const char *why = try_compiled(j);
    if (!why)
        return NULL;
    const char *refused = attempt(j, run_engine);
    if (!refused && !j->c->opt.quiet)
        note("%s: samples go through the training engine; --cc names a C compiler", why);
    return refused ? mem_printf("%s, and the training engine refuses: %s", why, refused) : NULL;
}

void eval_run(EvalJob *j)
{
    const char *why = j->c->reference ? NULL : try_fast(j);
    if (j->by)
        return;
    if (why && !j->c->opt.quiet)
        note("%s; evaluating naively, which is slow: --cc COMPILER names a C compiler that makes it fast",
             why);
    j->by = "the reference evaluator";
    run_workers(j);
}
