/* unroll.c - the heart of ternc: every +1 weight is an add, every -1 weight a subtract, a zero is nothing.
 *
 * A block of output channels is held in accumulators; each input tap is loaded once and added to or
 * subtracted from every accumulator that uses it, alone or in a pair that several share (share.c). The
 * statements are cut into functions of bounded length, which compile in linear time and stay in the
 * instruction cache; accumulators go through memory between them. */
#include "layers/layers.h"

#include <string.h>

enum { CONV_TERMS = 1000, FC_TERMS = 500 /* per function */ };

typedef struct Tap {
    int64_t group, weight; /* of the layer; of an output's weights in that group */
    int64_t offset;        /* element of the input */
} Tap;

typedef struct Unroller {
    const Layer *l;
    UnrolledBlock *b;
    int64_t weights;                         /* of an output */
    bool mixed;                              /* every other add through the multiply-add unit */
    int plain, fused;                        /* adds by either unit */
    int most_terms;                          /* of a function */
    int terms;                               /* in the current one */
    int64_t reach;                           /* of a sum of one function, from 0 to either side; 0: any */
    int64_t plus[MAX_SUMS], minus[MAX_SUMS]; /* how far the current one's sums may be */
    int taps;                                /* collected, not yet in statements */
    Tap tap[MAX_SHARE_TAPS];
} Unroller;

static Tap make_tap(const Layer *l, int64_t in, int64_t k, int64_t offset)
{
    int64_t per_group = l->ci / l->groups;
    return (Tap){in / per_group, in % per_group * l->kh * l->kw + k, offset};
}

/* Of output j of the block. */
static int8_t code_at(const Unroller *u, int64_t j, const Tap *tap)
{
    const Layer *l = u->l;
    int64_t out = u->b->first + j;
    if (l->groups > 1 && out / (l->co / l->groups) != tap->group)
        return 0;
    return l->codes[out * u->weights + tap->weight];
}

/* ---- statements ---- */

static void add_statement(Unroller *u, Statement s)
{
    u->b->statements[u->b->num_statements++] = s;
}

/* On targets with two units that add, up to half of the adds go to the one that multiplies too. It gets no
 * subtracts, which compilers take longer for, and no pairs, which it would have to copy. */
static void add_sum(Unroller *u, int sum, int var, int sign)
{
    bool fused = sign > 0 && u->mixed && u->plain > u->fused;
    *(fused ? &u->fused : &u->plain) += 1;
    add_statement(u, (Statement){.kind = STATEMENT_ADD,
                                 .to = (uint8_t)sum,
                                 .a = (uint8_t)var,
                                 .sign = (int8_t)sign,
                                 .fused = fused});
}

static void make_variable(Unroller *u, const Sharing *s, int v)
{
    if (v < s->taps) {
        add_statement(u, (Statement){.kind = STATEMENT_LOAD, .to = (uint8_t)v, .offset = u->tap[v].offset});
        return;
    }
    const SharedPair *p = &s->pairs[v - s->taps];
    u->plain++;
    add_statement(u, (Statement){.kind = STATEMENT_PAIR,
                                 .to = (uint8_t)v,
                                 .a = (uint8_t)p->a,
                                 .b = (uint8_t)p->b,
                                 .sign = (int8_t)p->sign});
}

/* A variable, what it adds to, and the pairs that it completes. */
static void add_variable(Unroller *u, const Sharing *s, int v, bool *known)
{
    make_variable(u, s, v);
    for (int j = 0; j < u->b->count; j++)
        if (s->plus[v] >> j & 1)
            add_sum(u, j, v, 1);
        else if (s->minus[v] >> j & 1)
            add_sum(u, j, v, -1);
    known[v] = true;
    for (int w = s->taps; w < s->vars; w++) {
        const SharedPair *p = &s->pairs[w - s->taps];
        if (!known[w] && (p->a == v || p->b == v) && known[p->a] && known[p->b])
            add_variable(u, s, w, known);
    }
}

/* The tap that completes the most pairs, so that few variables wait for each other. */
static int next_tap(const Sharing *s, const bool *known)
{
    int best = -1, most = -1;
    for (int tap = 0; tap < s->taps; tap++) {
        int pairs = 0;
        for (int w = 0; w < s->vars - s->taps; w++) {
            const SharedPair *p = &s->pairs[w];
            pairs += (p->a == tap && known[p->b]) || (p->b == tap && known[p->a]);
        }
        if (!known[tap] && pairs > most) {
            most = pairs;
            best = tap;
        }
    }
    return best;
}

/* ---- taps that share ---- */

static Sharing share_collected(Unroller *u)
{
    Sharing s = {.taps = u->taps, .vars = u->taps};
    for (int j = 0; j < u->b->count; j++)
        for (int t = 0; t < u->taps; t++) {
            int8_t code = code_at(u, j, &u->tap[t]);
            s.plus[t] |= (uint32_t)(code > 0) << j;
            s.minus[t] |= (uint32_t)(code < 0) << j;
            u->b->size.terms += code != 0;
        }
    if (u->taps > 1)
        share_pairs(&s);
    return s;
}

static void end_function(Unroller *u)
{
    UnrolledBlock *b = u->b;
    b->size.moves += b->size.functions ? 2 * b->count : b->count;
    b->ends[b->size.functions++] = b->num_statements;
    u->terms = 0;
    memset(u->plus, 0, sizeof u->plus);
    memset(u->minus, 0, sizeof u->minus);
}

/* How far the collected taps can take sum j. */
static SumRange collected_range(const Unroller *u, int j)
{
    int64_t low = code_low(u->l->quantised->in), high = code_high(u->l->quantised->in);
    SumRange r = {0, 0};
    for (int t = 0; t < u->taps; t++) {
        int8_t code = code_at(u, j, &u->tap[t]);
        r.low += code * (code > 0 ? low : high);
        r.high += code * (code > 0 ? high : low);
    }
    return r;
}

static bool leaves_reach(const Unroller *u)
{
    for (int j = 0; u->reach && j < u->b->count; j++) {
        SumRange r = collected_range(u, j);
        if (u->plus[j] + r.high > u->reach || u->minus[j] - r.low > u->reach)
            return true;
    }
    return false;
}

static void add_reach(Unroller *u)
{
    for (int j = 0; j < u->b->count; j++) {
        SumRange r = collected_range(u, j);
        u->plus[j] += r.high;
        u->minus[j] -= r.low;
    }
}

/* The taps collected so far: each is loaded once and used in every accumulator whose weight is not zero. */
static void flush_taps(Unroller *u)
{
    if (!u->taps)
        return;
    Sharing s = share_collected(u);
    bool known[MAX_SHARE_TAPS + MAX_PAIRS] = {0};
    int adds = sharing_adds(&s);
    if (u->terms && (u->terms + adds > u->most_terms || leaves_reach(u)))
        end_function(u);
    if (u->reach)
        add_reach(u);
    for (int tap; (tap = next_tap(&s, known)) >= 0;)
        add_variable(u, &s, tap, known);
    u->b->size.adds += adds;
    u->b->size.taps += u->taps;
    u->b->size.pairs += s.vars - s.taps;
    u->terms += adds;
    u->taps = 0;
}

static void add_tap(Unroller *u, Tap tap)
{
    bool used = false;
    for (int64_t j = 0; j < u->b->count; j++)
        used |= code_at(u, j, &tap) != 0;
    if (!used)
        return;
    u->tap[u->taps++] = tap;
    if (u->taps == u->l->share_taps)
        flush_taps(u);
}

/* ---- blocks ---- */

static int64_t output_weights(const Layer *l)
{
    return l->ci / l->groups * l->kh * l->kw;
}

/* An empty block with room for all statements: a pair takes the place of two adds or more. */
static UnrolledBlock *new_block(const Layer *l, int64_t first, int64_t count)
{
    int64_t weights = output_weights(l), taps = l->ci * l->kh * l->kw;
    int64_t terms = count * weights - code_zeros(l->codes + first * weights, count * weights);
    taps = taps < terms ? taps : terms;
    UnrolledBlock *b = NEW(UnrolledBlock);
    b->first = first;
    b->count = count;
    b->statements = NEW_ARRAY(Statement, terms + taps);
    b->ends = NEW_ARRAY(int, taps + 1);
    return b;
}

/* A block has a function at least, to set its sums. */
static void end_stage(Unroller *u, bool last)
{
    flush_taps(u);
    if (u->terms || (last && !u->b->size.functions))
        end_function(u);
}

bool conv_is_mixed(const Layer *l, const Options *opt)
{
    return layer_format(l)->fused && find_core(opt->target)->mixed;
}

const UnrolledBlock *unroll_conv(const Layer *l, const ConvStrip *s, int part, int64_t first, int64_t count,
                                 const Options *opt)
{
    Unroller u = {.l = l,
                  .b = new_block(l, first, count),
                  .weights = output_weights(l),
                  .mixed = conv_is_mixed(l, opt),
                  .most_terms = CONV_TERMS};
    u.reach = layer_format(l)->load ? 0 : layer_format(l)->exact_sum;
    const int64_t *koff = s->parts[part].koff;
    int64_t per_group = l->ci / l->groups, outs = l->co / l->groups, from = first / outs * per_group;
    int64_t to = ((first + count - 1) / outs + 1) * per_group;
    u.b->staged = NEW_ARRAY(int, s->stages);
    for (int64_t stage = 0; stage < s->stages; stage++) {
        int64_t base = conv_first_input(l, s, first, stage), before = u.b->size.functions;
        for (int64_t in = from + (to - from) * stage / s->stages;
             in < from + (to - from) * (stage + 1) / s->stages; in++)
            for (int64_t k = 0; k < l->kh * l->kw; k++)
                if (koff[k] != NO_TAP)
                    add_tap(&u, make_tap(l, in, k, (in - base) * s->plane + koff[k]));
        end_stage(&u, stage + 1 == s->stages);
        u.b->staged[stage] = (int)(u.b->size.functions - before);
    }
    return u.b;
}

const UnrolledBlock *unroll_fc(const Layer *l, int64_t first, int64_t count)
{
    Unroller u = {
        .l = l, .b = new_block(l, first, count), .weights = output_weights(l), .most_terms = FC_TERMS};
    for (int64_t in = 0; in < l->ci; in++)
        add_tap(&u, make_tap(l, in, 0, in));
    end_stage(&u, true);
    return u.b;
}

void add_unrolled(Unrolled *sum, const Unrolled *u)
{
    sum->functions += u->functions;
    sum->terms += u->terms;
    sum->adds += u->adds;
    sum->taps += u->taps;
    sum->pairs += u->pairs;
    sum->moves += u->moves;
}

Unrolled fc_code(const Layer *l, const Options *opt)
{
    const int block = find_core(opt->target)->fc.sums;
    Unrolled sum = {0};
    for (int64_t first = 0; first < l->co; first += block)
        add_unrolled(&sum, &unroll_fc(l, first, fc_block(l, first, opt))->size);
    return sum;
}

int64_t fc_block(const Layer *l, int64_t first, const Options *opt)
{
    const int block = find_core(opt->target)->fc.sums;
    return l->co - first < block ? l->co - first : block;
}
