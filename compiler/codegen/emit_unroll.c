/* emit_unroll.c - the functions of unrolled terms (layers/unroll.c). A convolution's block is called for
 * TN_LANES positions at once, outside of any loop: what compilers do to loops would take a quarter more of
 * their time. A fully connected layer's block is the same text on scalars. */
#include "codegen/layer_code.h"

#include <string.h>

typedef struct Printer {
    Emitter *e;
    const Layer *l;
    const Format *f;
    const UnrolledBlock *b;
    const ConvStrip *s; /* NULL for a fully connected layer */
    int part;
    int reach;                                 /* words that p and q reach; 0: any */
    int64_t p_at, q_at;                        /* where they are, in the current function */
    bool mixed;                                /* some adds go through the multiply-add unit */
    bool declared[MAX_SHARE_TAPS + MAX_PAIRS]; /* variables, in the current function */
    Text line;
} Printer;

/* "a0 = START, a1 = START": zero in the first function, afterwards what the one before has left. */
static const char *accumulators(const Printer *p, int function)
{
    Text t = {0};
    long long first = p->b->first, pitch = p->s ? p->s->acc_pitch : 0;
    for (long long j = 0; j < p->b->count; j++) {
        text_printf(&t, "%sa%lld = ", j ? ", " : "", j);
        if (function == 0 || (p->s && !p->f->load))
            text_printf(&t, "%s", p->s ? "{0}" : "0");
        else if (p->s)
            text_printf(&t, "%s(q + %lld)", p->f->load, j * pitch);
        else
            text_printf(&t, "y[%lld]", first + j);
    }
    return text_take(&t);
}

static void begin_function(const Printer *p, int function)
{
    Emitter *e = p->e;
    const char *in = dtype_c(p->s ? p->f->staged : layer_input(p->l)), *acc = dtype_c(p->f->acc);
    const char *first = int_text(p->b->first);
    if (p->s) {
        emit_begin_part(e, mem_printf("layer%d_%d_%s_%d", p->l->index, p->part, first, function),
                        mem_printf("const %s *p, %s *q", in, acc));
        emit_line(e, "{");
        if (p->mixed) {
            emit_kernel(e, "ones", DT_NONE);
            emit_line(e, "const tn_%s ones = tn_ones();", p->f->vec);
            emit_line(e, "(void)ones;");
        }
        emit_line(e, "tn_%s %s;", p->f->vec, accumulators(p, function));
    } else {
        emit_begin_part(e, mem_printf("layer%d_%s_%d", p->l->index, first, function),
                        mem_printf("const %s *x, %s *y", in, acc));
        emit_line(e, "{");
        emit_line(e, "%s %s;", acc, accumulators(p, function));
    }
}

/* Pairs: moves the pointer so far that it reaches the element; the element's offset then. */
static int64_t reach_for(Printer *p, const char *pointer, int64_t *at, int64_t offset)
{
    if (!p->reach || (offset >= *at && offset <= *at + p->reach))
        return offset - *at;
    emit_line(p->e, "%s += %lld; %s(%s);", pointer, (long long)(offset - *at), p->f->keep, pointer);
    *at = offset;
    return 0;
}

static void end_line(Printer *p)
{
    if (p->line.len)
        emit_line(p->e, "%s", p->line.data);
    p->line.len = 0;
}

/* "v0 = ", with its type where the function has it first: one variable for all windows takes compilers less
 * time than one in each. */
static void begin_variable(Printer *p, int v)
{
    end_line(p);
    if (!p->declared[v] && p->s)
        text_printf(&p->line, "tn_%s ", p->f->vec);
    else if (!p->declared[v])
        text_printf(&p->line, "%s ", dtype_c(p->f->acc));
    p->declared[v] = true;
    text_printf(&p->line, "v%d = ", v);
}

/* A variable begins a line; what it adds to stands behind it: "v0 = TN_LOAD(p + 0); a0 += v0; a7 -= v0;". */
static void print_statement(Printer *p, const Statement *s)
{
    switch (s->kind) {
    case STATEMENT_LOAD:
        end_line(p);
        int64_t offset = p->s ? reach_for(p, "p", &p->p_at, s->offset) : s->offset;
        begin_variable(p, s->to);
        if (p->s)
            text_printf(&p->line, "%s(p + %lld);", p->f->input, (long long)offset);
        else
            text_printf(&p->line, "x[%lld];", (long long)s->offset);
        break;
    case STATEMENT_PAIR:
        begin_variable(p, s->to);
        text_printf(&p->line, "v%d %c v%d;", s->a, s->sign > 0 ? '+' : '-', s->b);
        break;
    case STATEMENT_ADD:
        if (s->fused)
            text_printf(&p->line, " TN_ADD(a%d, v%d);", s->to, s->a);
        else
            text_printf(&p->line, " a%d %s v%d;", s->to, s->sign > 0 ? "+=" : "-=", s->a);
        if (p->s && p->f->keep)
            text_printf(&p->line, " %s(a%d);", p->f->keep, s->to);
        break;
    }
}

static void end_function(Printer *p, int function)
{
    const char *store = function && !p->f->load ? p->f->add : p->f->store;
    long long first = p->b->first, pitch = p->s ? p->s->acc_pitch : 0;
    for (long long j = 0; j < p->b->count; j++)
        if (p->s)
            emit_line(p->e, "%s(q + %lld, a%lld);", store, (long long)reach_for(p, "q", &p->q_at, j * pitch),
                      j);
        else
            emit_line(p->e, "y[%lld] = a%lld;", first + j, j);
    emit_line(p->e, "}");
    emit_blank(p->e);
    emit_end_part(p->e);
}

static void print_function(Printer *p, int function)
{
    int from = function ? p->b->ends[function - 1] : 0;
    memset(p->declared, 0, sizeof p->declared);
    p->p_at = p->q_at = 0;
    begin_function(p, function);
    if (p->b->ends[function] == from)
        emit_line(p->e, "(void)%s;", p->s ? "p" : "x");
    for (int i = from; i < p->b->ends[function]; i++)
        print_statement(p, &p->b->statements[i]);
    end_line(p);
    end_function(p, function);
}

static void print_block(Printer *p)
{
    for (int i = 0; i < p->b->size.functions; i++)
        print_function(p, i);
    text_free(&p->line);
}

void emit_unrolled_conv(Emitter *e, const ConvFrame *c, int part, const UnrolledBlock *b)
{
    const Layer *l = &c->turned;
    Printer p = {.e = e, .l = l, .f = layer_format(l), .b = b, .s = &c->s, .part = part};
    p.mixed = conv_is_mixed(l, e->plan->opt);
    p.reach = p.f->pairs ? find_core(e->plan->opt->target)->reach : 0;
    print_block(&p);
}

void emit_unrolled_fc(Emitter *e, const Layer *l, const UnrolledBlock *b)
{
    Printer p = {.e = e, .l = l, .f = layer_format(l), .b = b};
    print_block(&p);
}
