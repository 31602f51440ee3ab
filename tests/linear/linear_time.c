/* linear_time.c - does ternc take time in proportion to a model? For each kind of model, a model of N nodes
 * and one of 4 N: the larger one may take MOST times the smaller one's processor time. N begins where what is
 * quadratic outweighs the rest, and grows until the time can be measured. Caches end somewhere, and what has
 * a limit may be slow up to it: only what grows too fast twice, from N to 4 N and from 4 N to 16 N, is not
 * linear.
 *
 *   linear_time TERNC [KIND...]              the test
 *   linear_time TERNC --table N [KIND...]    seconds and memory of each kind of N nodes
 *   linear_time --write KIND N FILE.onnx     the model */
#include "base/host.h"
#include "linear/linear.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FIRST_NODES = 5000, MOST_NODES = 20000, GROWTH = 4, MOST = 6, PATIENCE = 100 /* seconds */ };
static const double long_enough = 0.05; /* seconds */

typedef struct Command {
    const char *name, *words[8];
} Command;

static const Command commands[] = {
    {"compile", {"compile", "model.onnx", "-o", "out", "--quiet"}},
    {"inspect", {"inspect", "model.onnx", "--quiet"}},
    {"float", {"compile", "model.onnx", "-o", "out", "--quiet", "--method", "none"}},
    {"codes", {"compile", "model.onnx", "-o", "out", "--quiet", "--io", "int8"}},
};
enum { COMPILE, INSPECT, FLOAT, CODES, NUM_COMMANDS };

/* Whether command c is tested on models of this kind. */
static bool is_tested(const Kind *k, int c)
{
    return c == COMPILE || (c == INSPECT && k->layers) || (c == CODES && k->codes);
}

typedef struct Usage {
    double seconds; /* of the processor, in ternc itself */
    double mib;
    int code; /* 128 and more: a signal */
} Usage;

static _Noreturn void become_ternc(const char *ternc, const Command *c)
{
    char *words[10] = {(char *)ternc};
    for (int i = 0; c->words[i]; i++)
        words[i + 1] = (char *)c->words[i];
    int log = open("log", O_WRONLY | O_CREAT | O_TRUNC, 0666);
    dup2(log, 1);
    dup2(log, 2);
    alarm(PATIENCE);
    execv(ternc, words);
    _exit(127);
}

static Usage run_ternc(const char *ternc, const Command *c)
{
    pid_t child = fork();
    if (!child)
        become_ternc(ternc, c);
    struct rusage used;
    int status;
    if (child < 0 || wait4(child, &status, 0, &used) < 0)
        fail("cannot run %s", ternc);
    Usage u = {.seconds = (double)used.ru_utime.tv_sec + 1e-6 * (double)used.ru_utime.tv_usec,
               .mib = (double)used.ru_maxrss / 1024};
    u.code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    return u;
}

static void make(const Kind *k, int n, const char *path)
{
    Big b = {0};
    void *mark = mem_mark();
    k->make(&b, n);
    mem_release(mark);
    write_model(&b, path);
}

/* ---- the test ---- */

static Usage measure(const char *ternc, const Kind *k, const Command *c, int n)
{
    make(k, n, "model.onnx");
    Usage u = run_ternc(ternc, c);
    if (u.code != k->code)
        fail("%s, %d nodes, %s: exit code %d, not %d", k->name, n, c->name, u.code, k->code);
    return u;
}

/* The shorter of two runs. */
static double measure_again(const char *ternc, const Kind *k, const Command *c, int n, double before)
{
    double seconds = measure(ternc, k, c, n).seconds;
    return seconds < before ? seconds : before;
}

/* From n to GROWTH * n nodes; *seconds: of n, then of the larger model. */
static double growth(const char *ternc, const Kind *k, const Command *c, int n, double *seconds)
{
    double smaller = *seconds, larger = measure(ternc, k, c, GROWTH * n).seconds;
    if (larger > MOST * smaller) { /* the machine may have been busy */
        larger = measure_again(ternc, k, c, GROWTH * n, larger);
        smaller = measure_again(ternc, k, c, n, smaller);
    }
    printf("%-16s %-8s %7d nodes %6.3f s, %d times as many: %4.1f times as long\n", k->name, c->name, n,
           smaller, GROWTH, larger / smaller);
    fflush(stdout);
    *seconds = larger;
    return larger / smaller;
}

/* Models that take no time at MOST_NODES are linear enough. */
static bool is_linear(const char *ternc, const Kind *k, const Command *c)
{
    int n = FIRST_NODES;
    double seconds = measure(ternc, k, c, n).seconds;
    while (seconds < long_enough && n < MOST_NODES) {
        n *= GROWTH;
        seconds = measure(ternc, k, c, n).seconds;
    }
    if (seconds < long_enough || growth(ternc, k, c, n, &seconds) <= MOST)
        return true;
    if (growth(ternc, k, c, GROWTH * n, &seconds) <= MOST)
        return true;
    printf("%s, %s: NOT LINEAR\n", k->name, c->name);
    return false;
}

/* ---- the command ---- */

static bool is_wanted(const Kind *k, int argc, char **argv)
{
    bool wanted = !argc;
    for (int i = 0; i < argc; i++)
        wanted |= !strcmp(argv[i], k->name);
    return wanted;
}

static int test(const char *ternc, int argc, char **argv)
{
    bool good = true;
    for (int i = 0; i < num_kinds; i++)
        for (int c = 0; c < NUM_COMMANDS && is_wanted(&kinds[i], argc, argv); c++)
            if (is_tested(&kinds[i], c))
                good &= is_linear(ternc, &kinds[i], &commands[c]);
    return !good;
}

static int table(const char *ternc, int n, int argc, char **argv)
{
    printf("%d nodes; seconds and MiB of each command\n%-16s", n, "");
    for (int c = 0; c < NUM_COMMANDS; c++)
        printf(" %18s", commands[c].name);
    for (int i = 0; i < num_kinds; i++) {
        if (!is_wanted(&kinds[i], argc, argv))
            continue;
        make(&kinds[i], n, "model.onnx");
        printf("\n%-16s", kinds[i].name);
        for (int c = 0; c < NUM_COMMANDS; c++) {
            if (c == CODES && !kinds[i].codes)
                continue;
            Usage u = run_ternc(ternc, &commands[c]);
            printf(" %8.2f s %4.0f MiB%s", u.seconds, u.mib,
                   u.code == kinds[i].code ? "" : mem_printf("!%d", u.code));
            fflush(stdout);
        }
    }
    printf("\n");
    return 0;
}

static int write_one(const char *kind, int n, const char *path)
{
    for (int i = 0; i < num_kinds; i++)
        if (!strcmp(kinds[i].name, kind)) {
            make(&kinds[i], n, path);
            return 0;
        }
    usage("%s: there is no such kind", kind);
}

int main(int argc, char **argv)
{
    if (argc == 5 && !strcmp(argv[1], "--write"))
        return write_one(argv[2], atoi(argv[3]), argv[4]);
    if (argc < 2)
        usage("linear_time TERNC [--table N] [KIND...] or linear_time --write KIND N FILE.onnx");
    const char *ternc = realpath(argv[1], NULL), *folder = temp_folder();
    if (!ternc || chdir(folder))
        fail("%s: no such program", argv[1]);
    bool all = argc > 3 && !strcmp(argv[2], "--table");
    int code = all ? table(ternc, atoi(argv[3]), argc - 4, argv + 4) : test(ternc, argc - 2, argv + 2);
    temp_remove(folder);
    return code;
}
