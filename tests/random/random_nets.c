/* random_nets.c - random networks through the whole compiler, built and checked. What goes wrong is made
 * small and printed.
 *
 *   random_nets SECONDS SEED [FOLDER]    as many networks as fit into the time; exit code 1 if anything is
 *                                        found that known.c does not have
 *   random_nets SEED:NUMBER [FOLDER]     one of them
 *   random_nets --oracle FOLDER COUNT SEED   writes float networks for oracle.mjs, see random_nets.sh
 *
 * FOLDER gets the smallest network as model.onnx. Behind the other arguments: --all makes known findings
 * small as well, --stats tells how often each operator was drawn, --first N ends after N networks, however
 * much time is left. */
#include "random/known.h"
#include "base/host.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_KINDS = 200, SHRINK_SECONDS = 40 };

/* Findings, or refusals, that are alike. */
typedef struct Kind {
    char name[160];
    char message[400];
    uint64_t number; /* of the first network */
    double at;       /* seconds until then */
    int64_t count;
    int known; /* row of known_faults, -1: none */
} Kind;

typedef struct Kinds {
    Kind list[MAX_KINDS];
    int count;
} Kinds;

typedef struct Run {
    uint64_t seed, first; /* first: how many at most */
    const char *folder;   /* or NULL */
    bool all, stats;
    double started;
    int64_t nets, built, passed, nothing;
    int64_t ops[NUM_OPS];
    Kinds found, refused;
} Run;

/* True if it is the first of its kind. */
static bool add_kind(Kinds *k, const Outcome *o, uint64_t number, double at)
{
    for (int i = 0; i < k->count; i++)
        if (!strcmp(k->list[i].name, o->kind)) {
            k->list[i].count++;
            return false;
        }
    if (k->count == MAX_KINDS)
        return false;
    Kind *n = &k->list[k->count++];
    *n = (Kind){.number = number, .at = at, .count = 1, .known = find_known(o)};
    memcpy(n->name, o->kind, sizeof n->name);
    memcpy(n->message, o->message, sizeof n->message - 1);
    return true;
}

/* ---- one network ---- */

static void print_net(const Outcome *o)
{
    printf("%s\n%s\nternc check model.onnx %s\n", o->message, o->text, o->options);
    fflush(stdout);
}

static void print_smallest(const Run *r, const Outcome *o, uint64_t number)
{
    printf("\n==== found: %llu:%llu, after %.0f s, %d operators, made small:\n", (unsigned long long)r->seed,
           (unsigned long long)number, seconds_now() - r->started, o->choices.num_steps);
    Choices small = shrink(o, SHRINK_SECONDS);
    print_net(try_net(0, 0, &small, r->folder));
}

/* A refusal that no list allows is a finding. */
static bool is_found(const Outcome *o)
{
    return o->verdict == FOUND || (o->verdict == REFUSED && !is_allowed_refusal(o->message));
}

static void judge(Run *r, const Outcome *o, uint64_t number)
{
    double at = seconds_now() - r->started;
    r->nets++;
    r->built += o->built;
    r->passed += o->verdict == PASSED;
    r->nothing += o->verdict == NOTHING;
    for (int i = 0; i < NUM_OPS; i++)
        r->ops[i] += o->ops[i];
    if (!is_found(o)) {
        if (o->message[0])
            add_kind(&r->refused, o, number, at);
        return;
    }
    bool first = add_kind(&r->found, o, number, at), known = find_known(o) >= 0;
    if (first && (!known || r->all))
        print_smallest(r, o, number);
}

/* ---- reports ---- */

static void print_kinds(const Kinds *k, const char *title, uint64_t seed)
{
    for (int i = 0; i < k->count; i++) {
        const Kind *n = &k->list[i];
        printf("%s %5lld, first %llu:%llu after %.1f s%s%s: %.*s\n", title, (long long)n->count,
               (unsigned long long)seed, (unsigned long long)n->number, n->at,
               n->known < 0 ? "" : ", known as ", n->known < 0 ? "" : known_faults[n->known].fault,
               (int)strcspn(n->message, "\n"), n->message);
    }
}

static void print_stats(const Run *r)
{
    for (int i = 1; i < NUM_OPS; i++)
        if (!op_def((OpKind)i)->internal)
            printf("%6lld %s\n", (long long)r->ops[i], op_def((OpKind)i)->name);
    print_kinds(&r->refused, "refused", r->seed);
}

static void print_unmet(const Run *r)
{
    for (int k = 0; k < num_known_faults; k++) {
        bool met = false;
        for (int i = 0; i < r->found.count; i++)
            met |= r->found.list[i].known == k;
        if (!met)
            printf("not met: fault %s, \"%s\"\n", known_faults[k].fault, known_faults[k].says);
    }
}

static int report(const Run *r)
{
    double seconds = seconds_now() - r->started;
    bool bad = false;
    print_kinds(&r->found, "found", r->seed);
    print_unmet(r);
    if (r->stats)
        print_stats(r);
    for (int i = 0; i < r->found.count; i++)
        bad |= r->found.list[i].known < 0;
    printf("random_nets: seed %llu, %lld networks in %.0f s, %lld of them built and run, %lld passed, %lld "
           "without operators; %d kinds of findings\n",
           (unsigned long long)r->seed, (long long)r->nets, seconds, (long long)r->built,
           (long long)r->passed, (long long)r->nothing, r->found.count);
    return bad;
}

/* ---- the command ---- */

static int run_one(Run *r, uint64_t number)
{
    const Outcome *o = try_net(r->seed, number, NULL, NULL);
    print_net(o);
    if (is_found(o))
        print_smallest(r, o, number);
    return is_found(o);
}

static int run_many(Run *r, double seconds)
{
    for (uint64_t number = 0; number < r->first && seconds_now() - r->started < seconds; number++)
        judge(r, try_net(r->seed, number, NULL, NULL), number);
    return report(r);
}

/* "--first N" at the end: the value; without it all that there is time for. */
static uint64_t take_first(int *argc, char **argv)
{
    if (*argc < 3 || strcmp(argv[*argc - 2], "--first") != 0)
        return UINT64_MAX;
    *argc -= 2;
    return strtoull(argv[*argc + 1], NULL, 10);
}

static bool take_flag(int *argc, char **argv, const char *name)
{
    if (*argc < 2 || strcmp(argv[*argc - 1], name) != 0)
        return false;
    --*argc;
    return true;
}

int main(int argc, char **argv)
{
    Run *r = NEW(Run);
    setenv("ASAN_OPTIONS", "detect_leaks=0", 0);
    setenv("TMPDIR", temp_folder(), 1);
    r->first = take_first(&argc, argv);
    r->stats = take_flag(&argc, argv, "--stats");
    r->all = take_flag(&argc, argv, "--all");
    if (argc < 2)
        usage("random_nets SECONDS SEED [FOLDER] [--first N] or random_nets SEED:NUMBER [FOLDER]");
    if (argc == 5 && !strcmp(argv[1], "--oracle")) {
        write_for_oracle(argv[2], atoi(argv[3]), strtoull(argv[4], NULL, 10));
        return 0;
    }
    r->started = seconds_now();
    const char *colon = strchr(argv[1], ':');
    r->seed = strtoull(colon ? argv[1] : argc > 2 ? argv[2] : "1", NULL, 10);
    r->folder = argc > (colon ? 2 : 3) ? argv[argc - 1] : NULL;
    return colon ? run_one(r, strtoull(colon + 1, NULL, 10)) : run_many(r, atof(argv[1]));
}
