/* emit_unroll.c - the heart of ternc: every +1 weight is an add, every -1 weight a subtract, a zero is nothing.
 *
 * A block of output channels is held in accumulators; each input tap is loaded once and added to or subtracted from
 * every accumulator that uses it. A convolution's block is called for TN_LANES positions at once, outside of any loop:
 * what compilers do to loops would take a quarter more of their time. A fully connected layer's block is the same
 * text on scalars. Blocks are cut into functions of bounded length, which compile in linear time and stay in the
 * instruction cache; accumulators go through memory between them. */
#include "codegen/codegen.h"
#include "print/emitter.h"

#include <string.h>

enum { CONV_TERMS = 1000, FC_TERMS = 500 /* per function */ };

typedef struct Tap {
    int64_t in, k, offset; /* input channel, tap of the kernel, element of x */
} Tap;

typedef struct Block {
    Emitter *e; /* NULL: nothing is printed, only counted */
    const Layer *l;
    const Format *f;
    const ConvStrip *s; /* NULL for a fully connected layer */
    int part;
    int64_t first, count;                  /* output channels */
    Unrolled all;                          /* so far */
    int terms;                             /* in the current function */
    bool open;                             /* a function is being printed */
    bool mixed;                            /* every other term through the multiply-add unit */
    int plain, fused;                      /* adds by either unit */
    bool declared[MAX_WINDOW + MAX_PAIRS]; /* variables, in the current function */
    int window, taps;                      /* taps that are printed together; collected so far */
    Tap tap[MAX_WINDOW];
} Block;

static int8_t code_at(const Block *b, int64_t out, int64_t in, int64_t k)
{
    const Layer *l = b->l;
    int64_t per_group = l->ci / l->groups, taps = l->kh * l->kw;
    if (out / (l->co / l->groups) != in / per_group)
        return 0;
    return l->codes[(out * per_group + in % per_group) * taps + k];
}

/* ---- one function ---- */

/* "a0 = START, a1 = START": zero in the first function, afterwards what the one before has left. */
static const char *accumulators(const Block *b)
{
    Text t = {0};
    for (int64_t j = 0; j < b->count; j++) {
        text_printf(&t, "%sa%lld = ", j ? ", " : "", (long long)j);
        if (b->all.pieces == 0)
            text_printf(&t, "%s", b->s ? "{0}" : "0");
        else if (b->s)
            text_printf(&t, "%s(q + %lld)", b->f->load, (long long)(j * b->s->acc_pitch));
        else
            text_printf(&t, "y[%lld]", (long long)(b->first + j));
    }
    const char *s = mem_strdup(t.data);
    text_free(&t);
    return s;
}

static void print_begin(const Block *b)
{
    Emitter *e = b->e;
    const char *act = dtype_c(b->f->act), *acc = dtype_c(b->f->acc);
    if (b->s) {
        emit_begin_part(e, mem_printf("layer%d_%d_%lld_%d", b->l->index, b->part, (long long)b->first, b->all.pieces),
                        mem_printf("const %s *p, %s *q", act, acc));
        emit_line(e, "{");
        if (b->mixed) {
            emit_kernel(e, "ones", DT_NONE);
            emit_line(e, "const %s ones = tn_ones();", b->f->vec);
            emit_line(e, "(void)ones;");
        }
        emit_line(e, "%s %s;", b->f->vec, accumulators(b));
    } else {
        emit_begin_part(e, mem_printf("layer%d_%lld_%d", b->l->index, (long long)b->first, b->all.pieces),
                        mem_printf("const %s *x, %s *y", act, acc));
        emit_line(e, "{");
        emit_line(e, "%s %s;", acc, accumulators(b));
    }
}

static void begin_piece(Block *b)
{
    if (b->e)
        print_begin(b);
    b->all.moves += b->all.pieces ? 2 * b->count : b->count;
    b->all.pieces++;
    b->terms = 0;
    b->open = true;
    memset(b->declared, 0, sizeof b->declared);
}

static void print_end(const Block *b)
{
    if (!b->terms)
        emit_line(b->e, "(void)%s;", b->s ? "p" : "x");
    for (int64_t j = 0; j < b->count; j++)
        if (b->s)
            emit_line(b->e, "%s(q + %lld, a%lld);", b->f->store, (long long)(j * b->s->acc_pitch), (long long)j);
        else
            emit_line(b->e, "y[%lld] = a%lld;", (long long)(b->first + j), (long long)j);
    emit_line(b->e, "}");
    emit_blank(b->e);
    emit_end_part(b->e);
}

static void end_piece(Block *b)
{
    if (b->e)
        print_end(b);
    b->open = false;
}

/* ---- a window of taps ---- */

static Sharing share_window(Block *b)
{
    Sharing s = {.taps = b->taps, .vars = b->taps};
    for (int j = 0; j < b->count; j++)
        for (int t = 0; t < b->taps; t++) {
            int8_t code = code_at(b, b->first + j, b->tap[t].in, b->tap[t].k);
            s.plus[t] |= (uint32_t)(code > 0) << j;
            s.minus[t] |= (uint32_t)(code < 0) << j;
            b->all.terms += code != 0;
        }
    if (b->taps > 1)
        share_pairs(&s);
    return s;
}

/* "v0 = TN_LOAD(p + 0);", "v8 = v0 - v1;", with its type where the function has it first: one variable for all windows
 * takes compilers less time than one in each. */
static void add_variable(Text *t, Block *b, const Sharing *s, int v)
{
    const SharedPair *p = &s->pairs[v < s->taps ? 0 : v - s->taps];
    if (!b->declared[v])
        text_printf(t, "%s ", b->s ? b->f->vec : dtype_c(b->f->acc));
    b->declared[v] = true;
    text_printf(t, "v%d = ", v);
    if (v < s->taps && b->s)
        text_printf(t, "%s(p + %lld);", b->f->load, (long long)b->tap[v].offset);
    else if (v < s->taps)
        text_printf(t, "x[%lld];", (long long)b->tap[v].offset);
    else
        text_printf(t, "v%d %c v%d;", p->a, p->sign > 0 ? '+' : '-', p->b);
    b->plain += v >= s->taps;
}

/* " a0 += v3; a7 -= v3; TN_ADD(a8, v3);": on targets with two units that add, up to half go to the one that multiplies
 * too. It gets no subtracts, which compilers take a sixth more time for, and no pairs, which it would have to copy. */
static void add_terms(Text *t, Block *b, const Sharing *s, int v)
{
    for (int j = 0; j < b->count; j++) {
        bool plus = s->plus[v] >> j & 1, minus = s->minus[v] >> j & 1;
        if (!plus && !minus)
            continue;
        bool fused = plus && b->mixed && b->plain > b->fused;
        *(fused ? &b->fused : &b->plain) += 1;
        if (fused)
            text_printf(t, " TN_ADD(a%d, v%d);", j, v);
        else
            text_printf(t, " a%d %s v%d;", j, plus ? "+=" : "-=", v);
    }
}

/* A variable, its terms, and the pairs that it completes. */
static void print_variable(Block *b, const Sharing *s, int v, bool *known)
{
    Text t = {0};
    add_variable(&t, b, s, v);
    add_terms(&t, b, s, v);
    emit_line(b->e, "%s", t.data);
    text_free(&t);
    known[v] = true;
    for (int w = s->taps; w < s->vars; w++) {
        const SharedPair *p = &s->pairs[w - s->taps];
        if (!known[w] && (p->a == v || p->b == v) && known[p->a] && known[p->b])
            print_variable(b, s, w, known);
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

static void print_window(Block *b, const Sharing *s)
{
    bool known[MAX_WINDOW + MAX_PAIRS] = {0};
    for (int tap; (tap = next_tap(s, known)) >= 0;)
        print_variable(b, s, tap, known);
}

/* Print the taps collected so far: each is loaded once and used in every accumulator whose weight is not zero. */
static void flush_window(Block *b)
{
    if (!b->taps)
        return;
    Sharing s = share_window(b);
    int adds = sharing_adds(&s);
    if (b->open && b->terms + adds > (b->s ? CONV_TERMS : FC_TERMS))
        end_piece(b);
    if (!b->open)
        begin_piece(b);
    if (b->e)
        print_window(b, &s);
    b->all.adds += adds;
    b->all.taps += b->taps;
    b->all.pairs += s.vars - s.taps;
    b->terms += adds;
    b->taps = 0;
}

static void add_tap(Block *b, Tap tap)
{
    bool used = false;
    for (int64_t j = 0; j < b->count; j++)
        used |= code_at(b, b->first + j, tap.in, tap.k) != 0;
    if (!used)
        return;
    b->tap[b->taps++] = tap;
    if (b->taps == b->window)
        flush_window(b);
}

static Unrolled finish_block(Block *b)
{
    flush_window(b);
    if (!b->all.pieces)
        begin_piece(b);
    if (b->open)
        end_piece(b);
    return b->all;
}

/* ---- layers ---- */

Unrolled emit_unrolled_conv(Emitter *e, const Layer *l, const ConvStrip *s, int part, int64_t first, int64_t count)
{
    Block b = {.e = e,
               .l = l,
               .f = layer_format(l),
               .s = s,
               .part = part,
               .first = first,
               .count = count,
               .mixed = e && find_target(e->plan->opt->target)->mixed,
               .window = l->window};
    const int64_t *koff = s->parts[part].koff;
    int64_t per_group = l->ci / l->groups, outs = l->co / l->groups, staged = conv_first_input(l, s, first);
    for (int64_t in = first / outs * per_group; in < ((first + count - 1) / outs + 1) * per_group; in++)
        for (int64_t k = 0; k < l->kh * l->kw; k++)
            if (koff[k] != NO_TAP)
                add_tap(&b, (Tap){in, k, (in - staged) * s->plane + koff[k]});
    return finish_block(&b);
}

Unrolled emit_unrolled_fc(Emitter *e, const Layer *l, int64_t first, int64_t count)
{
    Block b = {.e = e, .l = l, .f = layer_format(l), .first = first, .count = count, .window = l->window};
    for (int64_t in = 0; in < l->ci; in++)
        add_tap(&b, (Tap){in, 0, in});
    return finish_block(&b);
}

void add_unrolled(Unrolled *sum, Unrolled u)
{
    sum->pieces += u.pieces;
    sum->terms += u.terms;
    sum->adds += u.adds;
    sum->taps += u.taps;
    sum->pairs += u.pairs;
    sum->moves += u.moves;
}
