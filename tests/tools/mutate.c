/* mutate.c - does `ternc check` notice? Generated code is broken in one place at a time: the sign of a term
 * flipped, a term dropped, one added, and a tap read from the wrong place; in tables, one weight changed; or
 * sums of codes have fewer bits than they need. The impulses and extremes alone must find each of them.
 *
 *   mutate COUNT SEED     exit code 1 if a mutant survives, if fewer than COUNT were made, or if sound code
 * is refused */
#include "base/host.h"
#include "check/check.h"
#include "codegen/codegen.h"
#include "passes/passes.h"
#include "support/coded.h"
#include "support/pick.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static const char *const compiler = "gcc", *const flags = "-O0";

typedef enum Mutation { FLIP, PAIR, DROP, ADD, MOVE, TABLE, NARROW, NUM_MUTATIONS } Mutation;
static const char *const mutation_names[] = {"flipped", "flipped in pairs",  "dropped",   "added",
                                             "moved",   "changed in tables", "too narrow"};

typedef struct Tally {
    int made[NUM_MUTATIONS], survived;
} Tally;

/* A sound model and the harness around it. */
typedef struct Subject {
    const Plan *plan;
    const Layer *layer;
    Text c, h;
    Program *program;
} Subject;

/* ---- text ---- */

static Text splice(const Text *t, size_t at, size_t drop, const char *insert)
{
    Text r = {0};
    text_add(&r, t->data, at);
    text_add(&r, insert, strlen(insert));
    text_add(&r, t->data + at + drop, t->len - at - drop);
    return r;
}

static size_t digits(const char *s)
{
    return strspn(s, "0123456789");
}

/* A term is " aJ += vK;", " aJ -= vK;" or " TN_ADD(aJ, vK);". */
typedef struct Term {
    size_t length;      /* 0: no term */
    size_t accumulator; /* where J stands */
    size_t variable;    /* where K stands */
    bool plus, fused;
} Term;

/* `text`, then a number; its place, or 0. */
static size_t skip(const char *start, const char **s, const char *text)
{
    size_t n = strlen(text);
    if (strncmp(*s, text, n) != 0 || !digits(*s + n))
        return 0;
    size_t at = (size_t)(*s - start) + n;
    *s += n + digits(*s + n);
    return at;
}

static Term term_at(const char *p)
{
    static const char *const before[] = {" a", " a", " TN_ADD(a"};
    static const char *const between[] = {" += v", " -= v", ", v"};
    for (int form = 0; form < 3; form++) {
        const char *s = p;
        Term t = {.plus = form % 2 == 0, .fused = form > 1};
        if (!(t.accumulator = skip(p, &s, before[form])) || !(t.variable = skip(p, &s, between[form])))
            continue;
        if (strncmp(s, t.fused ? ");" : ";", t.fused ? 2 : 1) != 0)
            continue;
        t.length = (size_t)(s - p) + (t.fused ? 2 : 1);
        return t;
    }
    return (Term){0};
}

static size_t term_length(const char *p)
{
    return term_at(p).length;
}

/* Up to where the offset stands in " vK = TN_LOAD(p + OFFSET)" or " vK = x[OFFSET]"; or 0. */
static size_t tap_length(const char *p)
{
    const char *s = p;
    if (strncmp(s, " v", 2) != 0 || !digits(s + 2))
        return 0;
    s += 2 + digits(s + 2);
    size_t load = !strncmp(s, " = TN_LOAD(p + ", 15) ? 15 : !strncmp(s, " = x[", 5) ? 5 : 0;
    return load ? (size_t)(s - p) + load : 0;
}

/* Up to the sign in a shared pair, " vK = vA + vB"; or 0. */
static size_t pair_length(const char *p)
{
    const char *s = p;
    if (!skip(p, &s, " v") || strncmp(s, " = ", 3) != 0)
        return 0;
    s += 3;
    return skip(p, &s, "v") && (s[1] == '+' || s[1] == '-') ? (size_t)(s + 1 - p) : 0;
}

/* The start of a random place that `length` accepts; SIZE_MAX if there is none. */
static size_t pick_place(const Text *t, size_t (*length)(const char *))
{
    int64_t seen = 0;
    size_t place = SIZE_MAX;
    for (size_t i = 0; i < t->len; i++)
        if (t->data[i] == ' ' && length(t->data + i) && pick(0, seen++) == 0)
            place = i;
    return place;
}

/* How many accumulators the function around `at` has. */
static int count_accumulators(const Text *t, size_t at)
{
    while (strncmp(t->data + at, "{\n", 2) != 0 || t->data[at - 1] != '\n')
        at--;
    int count = 0;
    char name[32];
    const char *end = strstr(t->data + at, "\n}");
    do
        snprintf(name, sizeof name, " a%d = ", count++);
    while (strstr(t->data + at, name) && strstr(t->data + at, name) < end);
    return count - 1;
}

/* ---- mutations of unrolled code ---- */

static bool flip_term(const Text *t, Text *r)
{
    size_t at = pick_place(t, term_length);
    if (at == SIZE_MAX)
        return false;
    Term term = term_at(t->data + at);
    const char *p = t->data + at, *a = p + term.accumulator, *v = p + term.variable;
    if (term.fused)
        *r = splice(t, at, term.length, mem_printf(" a%.*s -= v%.*s;", (int)digits(a), a, (int)digits(v), v));
    else
        *r = splice(t, at + term.variable - 4, 1, term.plus ? "-" : "+");
    return true;
}

static bool flip_pair(const Text *t, Text *r)
{
    size_t at = pick_place(t, pair_length);
    if (at == SIZE_MAX)
        return false;
    at += pair_length(t->data + at);
    *r = splice(t, at, 1, t->data[at] == '+' ? "-" : "+");
    return true;
}

static bool drop_term(const Text *t, Text *r)
{
    size_t at = pick_place(t, term_length);
    if (at == SIZE_MAX)
        return false;
    *r = splice(t, at, term_length(t->data + at), "");
    return true;
}

static bool add_term(const Text *t, Text *r)
{
    size_t at = pick_place(t, term_length);
    if (at == SIZE_MAX)
        return false;
    int64_t j = pick(0, count_accumulators(t, at) - 1);
    Term term = term_at(t->data + at);
    const char *v = t->data + at + term.variable;
    *r = splice(t, at + term.length, 0,
                mem_printf(" a%d %c= v%.*s;", (int)j, pick(0, 1) ? '+' : '-', (int)digits(v), v));
    return true;
}

/* The tap one element further on. */
static bool move_tap(const Text *t, Text *r)
{
    size_t at = pick_place(t, tap_length);
    if (at == SIZE_MAX)
        return false;
    *r = splice(t, at + tap_length(t->data + at), 0, "1 + ");
    return true;
}

/* ---- mutations of tables ---- */

/* The bytes of the layer's table, as the emitter printed them, replaced by those of one wrong weight. */
static bool change_table(const Subject *s, Text *r)
{
    Layer wrong = *s->layer;
    int64_t n = layer_weight_count(&wrong), at = pick(0, n - 1);
    int8_t *codes = NEW_ARRAY(int8_t, n);
    memcpy(codes, whole_weights(&wrong), (size_t)n);
    codes[at] = (int8_t)(wrong.ints ? -1 - codes[at] : (codes[at] + 1 + pick(1, 2)) % 3 - 1);
    *(wrong.ints ? &wrong.ints : &wrong.codes) = codes;
    WeightTable b = layer_table(&wrong, 1);
    char *start = strstr(s->c.data, "_t layer0_weights"), *open = strchr(start, '['),
         *end = strstr(open, "};");
    Text list = {0};
    text_printf(&list, "[%lld] = {", (long long)b.len);
    for (int64_t i = 0; i < b.len; i++)
        text_printf(&list, "%s, ", emit_literal(b.dtype, b.data, i));
    *r = splice(&s->c, (size_t)(open - s->c.data), (size_t)(end - open), list.data);
    text_free(&list);
    return true;
}

static bool mutate(const Subject *s, Mutation m, Text *r)
{
    switch (m) {
    case FLIP: return flip_term(&s->c, r);
    case PAIR: return flip_pair(&s->c, r);
    case DROP: return drop_term(&s->c, r);
    case ADD: return add_term(&s->c, r);
    case MOVE: return move_tap(&s->c, r);
    default: return change_table(s, r);
    }
}

/* ---- verdicts ---- */

static bool impulses_pass(const Subject *s, const Text *c)
{
    Text err = {0};
    if (!program_build(s->program, c, &s->h, &err)) {
        fprintf(stderr, "mutate: does not compile:\n%s\n", err.data);
        exit(1);
    }
    CheckReport *r = report_new(s->plan);
    compare_impulses(s->program, r);
    text_free(&err);
    bool passed = report_passed(s->plan, r);
    text_free(&r->problems);
    return passed;
}

/* Layers large enough for several blocks, functions and strips, and small enough to compile fast. */
static Subject open_subject(LayerKind kind, bool one_row, Lowering lowering, Optimize optimize)
{
    Options *opt = NEW(Options);
    *opt = (Options){.lowering = lowering, .optimize = optimize, .weights = WEIGHTS_ARRAY, .name = "net"};
    Layer *l;
    do
        l = draw_layer((LayerWish){kind, one_row, .ternary = true, .seen = true});
    while (l->zeros == layer_weight_count(l) || layer_weight_count(l) < 4 || layer_weight_count(l) > 1500);
    Subject s = {.plan = layer_plan(layer_graph(l, one_row, pick(0, 1)), opt)};
    s.layer = s.plan->g->nodes[s.plan->g->num_nodes - 1]->layer;
    emit_c(s.plan, &s.c, &s.h);
    s.program = program_open(s.plan, compiler, flags);
    return s;
}

/* ---- layers of codes ---- */

/* More than 128 terms of either sign: with 8-bit codes their sums need more than 16 bits. */
static Graph *draw_wide_graph(bool ternary)
{
    Coded *q = draw_coded((LayerWish){.kind = LAYER_FC, .ternary = ternary}, true);
    if (!dtype_is_byte(q->in)) /* sums of 16-bit codes are never narrow */
        q->in = DT_I8;
    if (ternary) {
        q->l = draw_weights(LAYER_CONV, 1, 40, 6, 3, 1, pick(5, 9), .95);
        q->alpha = NEW_ARRAY(float, q->l->co);
        for (int64_t c = 0; c < q->l->co; c++)
            q->alpha[c] = .01f;
        q->bias = NULL;
        q->act.kind = ACT_NONE;
    }
    coded_set_steps(q, 1);
    Graph *g = coded_graph(q);
    pass_codes(g, false);
    pass_fuse(g);
    return g;
}

static Subject open_coded(Graph *g, const char *target, Lowering lowering)
{
    Options *opt = NEW(Options);
    *opt = (Options){.lowering = lowering, .target = target, .weights = WEIGHTS_ARRAY, .name = "net"};
    pass_lower(g, opt);
    Subject s = {.plan = plan_graph(g, opt), .layer = only_layer(g)};
    if (!s.layer || !s.layer->quantised)
        bug("the layer does not compute on codes");
    return s;
}

static void print_subject(Subject *s)
{
    emit_c(s->plan, &s->c, &s->h);
    s->program = program_open(s->plan, compiler, flags);
}

/* Whoever chooses the format believes that sums are small. */
static void believe_small(Graph *g)
{
    for (int i = 0; i < g->num_nodes; i++)
        if (g->nodes[i]->layer) {
            Quantised *q = NEW(Quantised);
            *q = *g->nodes[i]->layer->quantised;
            q->sum_low = -1, q->sum_high = 1;
            g->nodes[i]->layer->quantised = q;
        }
}

/* Functions may add any number of terms before they widen. */
static void believe_any(Subject *s)
{
    Format *f = NEW(Format);
    *f = *layer_format(s->layer);
    f->exact_sum = INT32_MAX;
    for (int i = 0; i < s->plan->g->num_nodes; i++)
        if (s->plan->g->nodes[i]->layer)
            s->plan->g->nodes[i]->layer->format = f;
}

static void close_subject(Subject *s)
{
    program_close(s->program);
    text_free(&s->c);
    text_free(&s->h);
}

static void try_mutant(const Subject *s, Mutation m, Tally *t)
{
    Text wrong = {0};
    if (!mutate(s, m, &wrong))
        return;
    t->made[m]++;
    if (impulses_pass(s, &wrong)) {
        t->survived++;
        file_write("survivor.c", wrong.data, wrong.len);
        fprintf(stderr, "mutate: a mutant survives (%s), see survivor.c\n", mutation_names[m]);
    }
    text_free(&wrong);
}

static int count_made(const Tally *t)
{
    int made = 0;
    for (int m = 0; m < NUM_MUTATIONS; m++)
        made += t->made[m];
    return made;
}

/* A layer, sound first, then with up to `mutants` faults of its lowering's kinds. */
static bool try_subject(LayerKind kind, bool one_row, Lowering lowering, Optimize optimize, int mutants,
                        Tally *t)
{
    Subject s = open_subject(kind, one_row, lowering, optimize);
    bool sound = impulses_pass(&s, &s.c);
    if (!sound)
        fprintf(stderr, "mutate: sound code is refused (layer kind %d, lowering %d)\n", (int)kind,
                (int)lowering);
    for (int i = 0; sound && i < mutants; i++)
        try_mutant(&s, lowering == LOWER_UNROLL ? (Mutation)pick(FLIP, MOVE) : TABLE, t);
    close_subject(&s);
    return sound;
}

/* Sums of 16 bits where 32 are needed, as vectors and two in a word; in the whole layer, and in a function of
 * one. */
static bool try_narrow(const char *target, bool whole, Tally *t)
{
    uint64_t draw = (uint64_t)pick(0, INT32_MAX);
    pick_seed(draw);
    Subject sound = open_coded(draw_wide_graph(true), target, LOWER_UNROLL);
    print_subject(&sound);
    bool passes = impulses_pass(&sound, &sound.c);
    if (!passes)
        fprintf(stderr, "mutate: sound code is refused (layer of codes, for %s)\n", target);
    close_subject(&sound);
    pick_seed(draw);
    Graph *g = draw_wide_graph(true);
    if (whole)
        believe_small(g);
    Subject wrong = open_coded(g, target, LOWER_UNROLL);
    if (!whole)
        believe_any(&wrong);
    print_subject(&wrong);
    t->made[NARROW]++;
    if (impulses_pass(&wrong, &wrong.c)) {
        t->survived++;
        fprintf(stderr, "mutate: too narrow sums survive (for %s, %s)\n", target,
                whole ? "all" : "of a function");
    }
    close_subject(&wrong);
    return passes;
}

/* Weights of 8 bits. */
static bool try_ints(int mutants, Tally *t)
{
    Subject s = open_coded(draw_wide_graph(false), "generic", LOWER_AUTO);
    print_subject(&s);
    bool sound = impulses_pass(&s, &s.c);
    for (int i = 0; sound && i < mutants; i++)
        try_mutant(&s, TABLE, t);
    close_subject(&s);
    return sound;
}

static bool try_codes(Tally *t)
{
    return try_narrow("generic", true, t) && try_narrow("generic", false, t) &&
           try_narrow("cortex-m4", true, t) && try_narrow("cortex-m4", false, t) && try_ints(4, t);
}

int main(int argc, char **argv)
{
    enum { MUTANTS = 6 }; /* of one subject */
    static const struct Case {
        LayerKind kind;
        bool one_row;
        Lowering lowering;
        Optimize optimize;
    } cases[] = {
        {LAYER_CONV, false, LOWER_UNROLL, OPTIMIZE_SPEED},
        {LAYER_CONV, true, LOWER_UNROLL, OPTIMIZE_SPEED},
        {LAYER_FC, false, LOWER_UNROLL, OPTIMIZE_SPEED},
        {LAYER_CONV_TRANSPOSE, false, LOWER_UNROLL, OPTIMIZE_SPEED},
        {LAYER_CONV_TRANSPOSE, true, LOWER_UNROLL, OPTIMIZE_SPEED},
        {LAYER_CONV, false, LOWER_SPARSE, OPTIMIZE_SPEED},
        {LAYER_FC, false, LOWER_SPARSE, OPTIMIZE_SPEED},
        {LAYER_CONV, false, LOWER_UNROLL, OPTIMIZE_SPEED},
        {LAYER_FC, false, LOWER_PACKED, OPTIMIZE_SPEED},
        {LAYER_CONV, false, LOWER_PACKED, OPTIMIZE_SPEED},
        {LAYER_CONV_TRANSPOSE, false, LOWER_PACKED, OPTIMIZE_SPEED},
        {LAYER_CONV, true, LOWER_SPARSE, OPTIMIZE_SPEED},
        {LAYER_CONV, false, LOWER_SPARSE, OPTIMIZE_SIZE},
        {LAYER_FC, false, LOWER_SPARSE, OPTIMIZE_SIZE},
        {LAYER_CONV, false, LOWER_PACKED, OPTIMIZE_SIZE},
        {LAYER_FC, false, LOWER_PACKED, OPTIMIZE_SIZE},
        {LAYER_CONV, true, LOWER_SPARSE, OPTIMIZE_SIZE},
    };
    int count = argc > 1 ? atoi(argv[1]) : 100;
    pick_seed(argc > 2 ? (uint64_t)atoll(argv[2]) : 1);
    Tally t = {0};
    bool sound = try_codes(&t);
    for (size_t i = 0; sound && count_made(&t) < count; i = (i + 1) % (sizeof cases / sizeof cases[0])) {
        int left = count - count_made(&t);
        sound = try_subject(cases[i].kind, cases[i].one_row, cases[i].lowering, cases[i].optimize,
                            left < MUTANTS ? left : MUTANTS, &t);
    }
    for (int m = 0; m < NUM_MUTATIONS; m++)
        printf("%d %s, ", t.made[m], mutation_names[m]);
    printf("%d of %d survived\n", t.survived, count_made(&t));
    return !sound || t.survived || count_made(&t) != count;
}
