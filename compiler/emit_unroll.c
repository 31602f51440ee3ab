/* emit_unroll.c - the heart of ternc: every +1 weight is an add, every -1 weight a subtract, a zero is nothing.
 *
 * A block of output channels is held in accumulators; each input tap is loaded once and added to or subtracted from
 * every accumulator that uses it. A convolution's block walks the strip in steps of TN_LANES positions; a fully
 * connected layer's block is the same text on scalars. Blocks are cut into functions of bounded length, which compile
 * in linear time and stay in the instruction cache; accumulators go through memory between them. */
#include "emitter.h"

enum { CONV_TERMS = 1000, FC_TERMS = 500 /* per function */ };

typedef struct Block {
    Emitter *e;
    const Layer *l;
    const Format *f;
    const ConvStrip *s; /* NULL for a fully connected layer */
    int part;
    int64_t first, count; /* output channels */
    int pieces, terms;    /* functions begun; terms in the current one */
    bool open;            /* a function is being printed */
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

/* ", a0 = START, a1 = START": zero in the first function, afterwards what the one before has left. */
static const char *accumulators(const Block *b)
{
    Text t = {0};
    for (int64_t j = 0; j < b->count; j++)
        if (b->pieces == 0)
            text_printf(&t, ", a%lld = %s", (long long)j, b->s ? "{0}" : "0");
        else if (b->s)
            text_printf(&t, ", a%lld = %s(q + %lld)", (long long)j, b->f->load, (long long)(j * b->s->acc_pitch));
        else
            text_printf(&t, ", a%lld = y[%lld]", (long long)j, (long long)(b->first + j));
    const char *s = mem_strdup(t.data);
    text_free(&t);
    return s;
}

static void begin_piece(Block *b)
{
    Emitter *e = b->e;
    const char *act = dtype_c(b->f->act), *acc = dtype_c(b->f->acc);
    if (b->s) {
        emit_line(e, "static void layer%d_%d_%lld_%d(const %s *x, %s *acc, int32_t n)", b->l->index, b->part,
                  (long long)b->first, b->pieces, act, acc);
        emit_line(e, "{");
        emit_line(e, "for (int32_t i = 0; i < n; i += TN_LANES) {");
        emit_line(e, "const %s *p = x + i;", act);
        emit_line(e, "%s *q = acc + i;", acc);
        emit_line(e, "%s v%s;", b->f->vec, accumulators(b));
    } else {
        emit_line(e, "static void layer%d_%lld_%d(const %s *x, %s *y)", b->l->index, (long long)b->first, b->pieces,
                  act, acc);
        emit_line(e, "{");
        emit_line(e, "%s v%s;", acc, accumulators(b));
    }
    b->pieces++;
    b->terms = 0;
    b->open = true;
}

static void end_piece(Block *b)
{
    if (!b->terms)
        emit_line(b->e, "(void)v, (void)%s;", b->s ? "p" : "x");
    for (int64_t j = 0; j < b->count; j++)
        if (b->s)
            emit_line(b->e, "%s(q + %lld, a%lld);", b->f->store, (long long)(j * b->s->acc_pitch), (long long)j);
        else
            emit_line(b->e, "y[%lld] = a%lld;", (long long)(b->first + j), (long long)j);
    if (b->s)
        emit_line(b->e, "}");
    emit_line(b->e, "}");
    emit_blank(b->e);
    b->open = false;
}

/* The line of one tap: load it once, use it in every accumulator whose weight is not zero. */
static void add_tap(Block *b, int64_t in, int64_t k, int64_t offset)
{
    Text line = {0};
    int terms = 0;
    if (b->s)
        text_printf(&line, "v = %s(p + %lld);", b->f->load, (long long)offset);
    else
        text_printf(&line, "v = x[%lld];", (long long)offset);
    for (int64_t j = 0; j < b->count; j++) {
        int8_t code = code_at(b, b->first + j, in, k);
        if (code)
            text_printf(&line, " a%lld %s v;", (long long)j, code > 0 ? "+=" : "-=");
        terms += code != 0;
    }
    int limit = b->s ? CONV_TERMS : FC_TERMS;
    if (terms && b->open && b->terms + terms > limit)
        end_piece(b);
    if (terms) {
        if (!b->open)
            begin_piece(b);
        emit_line(b->e, "%s", line.data);
        b->terms += terms;
    }
    text_free(&line);
}

static int finish_block(Block *b)
{
    if (!b->pieces)
        begin_piece(b);
    if (b->open)
        end_piece(b);
    return b->pieces;
}

/* ---- layers ---- */

int emit_unrolled_conv(Emitter *e, const Layer *l, const ConvStrip *s, int part, int64_t first, int64_t count)
{
    Block b = {.e = e, .l = l, .f = layer_format(l), .s = s, .part = part, .first = first, .count = count};
    const int64_t *koff = s->parts[part].koff;
    int64_t per_group = l->ci / l->groups, outs = l->co / l->groups;
    for (int64_t in = first / outs * per_group; in < ((first + count - 1) / outs + 1) * per_group; in++)
        for (int64_t k = 0; k < l->kh * l->kw; k++)
            if (koff[k] != NO_TAP)
                add_tap(&b, in, k, in * s->plane + koff[k]);
    return finish_block(&b);
}

int emit_unrolled_fc(Emitter *e, const Layer *l, int64_t first, int64_t count)
{
    Block b = {.e = e, .l = l, .f = layer_format(l), .first = first, .count = count};
    for (int64_t in = 0; in < l->ci; in++)
        add_tap(&b, in, 0, in);
    return finish_block(&b);
}
