/* op_einsum.c - Einsum of one or two operands: every form of the equation, with the ellipsis, repeated
 * letters and the output left out. Source: ONNX's text and NumPy's on einsum. */
#include "print/print.h"

#include <ctype.h>
#include <string.h>

enum {
    MAX_LABELS = 2 * MAX_RANK,
    ELLIPSIS = 256
}; /* axis k of the ellipsis, from the right, is label ELLIPSIS + k */

/* Labels in the order of the output's axes, then those that are summed over. */
typedef struct Einsum {
    int count, rank; /* of labels; of the output */
    int label[MAX_LABELS];
    int64_t size[MAX_LABELS], steps[2][MAX_LABELS];
} Einsum;

/* One side's labels of an operand or of the output. */
typedef struct Term {
    int labels[2 * MAX_RANK];
    int count, ellipsis; /* axes of the ellipsis; -1: it has none */
} Term;

static void add_label(const Graph *g, const Node *n, Term *t, int label)
{
    if (t->count == 2 * MAX_RANK)
        fail_node(g, n, "unsupported: more than %d letters in a term of the equation", 2 * MAX_RANK);
    t->labels[t->count++] = label;
}

/* The term in [p, end); an operand of `rank` axes, or the output, whose ellipsis has `axes` axes. */
static Term parse_term(const Graph *g, const Node *n, const char *p, const char *end, int rank, int axes)
{
    Term t = {.ellipsis = -1};
    int letters = 0;
    for (const char *q = p; q < end; q++)
        letters += isalpha((unsigned char)*q) != 0;
    while (p < end) {
        if (isalpha((unsigned char)*p)) {
            add_label(g, n, &t, (unsigned char)*p++);
        } else if (end - p >= 3 && !strncmp(p, "...", 3) && t.ellipsis < 0) {
            t.ellipsis = rank >= 0 ? rank - letters : axes;
            for (int k = t.ellipsis - 1; k >= 0; k--)
                add_label(g, n, &t, ELLIPSIS + k);
            p += 3;
        } else if (*p++ != ' ') {
            fail_node(g, n, "attribute 'equation' is not well-formed: '%s'", attr_string(n, "equation"));
        }
    }
    if (rank >= 0 && t.count != rank)
        fail_node(g, n, "attribute 'equation' names %d axes of an input of rank %d", t.count, rank);
    return t;
}

static int find_label(const Einsum *e, int label)
{
    for (int i = 0; i < e->count; i++)
        if (e->label[i] == label)
            return i;
    return -1;
}

static void add_to_labels(const Graph *g, const Node *n, Einsum *e, int label)
{
    if (find_label(e, label) >= 0)
        return;
    if (e->count == MAX_LABELS)
        fail_node(g, n, "unsupported: more than %d different letters", MAX_LABELS);
    e->size[e->count] = 1;
    e->label[e->count++] = label;
}

/* Sizes and steps of operand i. */
static void bind_operand(const Graph *g, const Node *n, Einsum *e, int i, const Term *t)
{
    Type x = n->in[i]->type;
    int64_t strides[MAX_RANK];
    dense_strides(x, strides);
    for (int k = 0; k < t->count; k++) {
        int at = find_label(e, t->labels[k]);
        bool spread = t->labels[k] >= ELLIPSIS && x.dims[k] == 1;
        if (!spread && e->size[at] != 1 && e->size[at] != x.dims[k])
            fail_node(g, n, "one letter stands for axes of %s and %s elements", int_text(e->size[at]),
                      int_text(x.dims[k]));
        if (!spread)
            e->size[at] = x.dims[k];
        e->steps[i][at] += spread ? 0 : strides[k];
    }
}

/* A letter has one size wherever it stands. */
static void check_sizes(const Graph *g, const Node *n, const Einsum *e, int i, const Term *t)
{
    for (int k = 0; k < t->count; k++)
        if (t->labels[k] < ELLIPSIS && n->in[i]->type.dims[k] != e->size[find_label(e, t->labels[k])])
            fail_node(g, n, "letter '%c' stands for axes of different sizes", t->labels[k]);
}

/* Without "->": the ellipsis, then the letters that stand once, in order. */
static Term implicit_output(const Graph *g, const Node *n, const Term *terms, int axes)
{
    Term out = {0};
    for (int k = axes - 1; k >= 0; k--)
        add_label(g, n, &out, ELLIPSIS + k);
    for (int c = 'A'; c <= 'z'; c++) {
        int seen = 0;
        for (int i = 0; i < n->num_in; i++)
            for (int k = 0; k < terms[i].count; k++)
                seen += terms[i].labels[k] == c;
        if (seen == 1)
            add_label(g, n, &out, c);
    }
    return out;
}

static void set_output(const Graph *g, const Node *n, Einsum *e, const Term *out, const Term *terms)
{
    for (int k = 0; k < out->count; k++) {
        bool known = false;
        for (int i = 0; i < n->num_in; i++)
            for (int j = 0; j < terms[i].count; j++)
                known |= terms[i].labels[j] == out->labels[k];
        if (!known || find_label(e, out->labels[k]) >= 0)
            fail_node(g, n, "attribute 'equation': the output has a letter twice, or one that no input has");
        add_to_labels(g, n, e, out->labels[k]);
    }
    e->rank = e->count;
    if (e->rank > MAX_RANK)
        fail_node(g, n, "unsupported: an output of rank %d", e->rank);
}

static Einsum read_einsum(const Graph *g, const Node *n)
{
    Einsum e = {0};
    Term terms[2];
    int axes = 0;
    const char *p = attr_string(n, "equation"), *arrow = strstr(p, "->");
    const char *end = arrow ? arrow : p + strlen(p);
    if (n->num_in > 2)
        fail_node(g, n, "unsupported: Einsum of %d inputs; 1 and 2 are possible", n->num_in);
    for (int i = 0; i < n->num_in; i++) {
        const char *comma = memchr(p, ',', (size_t)(end - p));
        const char *stop = i + 1 < n->num_in && comma ? comma : end;
        if (i + 1 < n->num_in && !comma)
            fail_node(g, n, "attribute 'equation' has fewer terms than there are inputs");
        terms[i] = parse_term(g, n, p, stop, n->in[i]->type.rank, 0);
        axes = terms[i].ellipsis > axes ? terms[i].ellipsis : axes;
        p = stop + 1;
    }
    Term out = arrow ? parse_term(g, n, arrow + 2, arrow + strlen(arrow), -1, axes)
                     : implicit_output(g, n, terms, axes);
    set_output(g, n, &e, &out, terms);
    for (int i = 0; i < n->num_in; i++)
        for (int k = 0; k < terms[i].count; k++)
            add_to_labels(g, n, &e, terms[i].labels[k]);
    for (int i = 0; i < n->num_in; i++)
        bind_operand(g, n, &e, i, &terms[i]);
    for (int i = 0; i < n->num_in; i++)
        check_sizes(g, n, &e, i, &terms[i]);
    return e;
}

/* How many products an output element sums up. */
static int64_t count_sums(const Graph *g, const Node *n, const Einsum *e)
{
    int64_t terms = 1;
    for (int i = e->rank; i < e->count; i++) {
        if (e->size[i] && terms > INT32_MAX / e->size[i])
            fail_node(g, n, "unsupported: sums of more than %d products", INT32_MAX);
        terms *= e->size[i];
    }
    return terms;
}

static double einsum_terms(const Graph *g, const Node *n)
{
    Einsum e = read_einsum(g, n);
    return (double)count_sums(g, n, &e);
}

static void infer_einsum(Graph *g, Node *n)
{
    DType d = n->in[0]->type.dtype;
    if (d != DT_F32 && d != DT_F64)
        fail_node(g, n, "unsupported: Einsum of %s", dtype_name(d));
    for (int i = 1; i < n->num_in; i++)
        if (!n->in[i] || n->in[i]->type.dtype != d)
            fail_node(g, n, "input %d must be %s", i, dtype_name(d));
    Einsum e = read_einsum(g, n);
    count_sums(g, n, &e);
    n->out[0]->type = type_make(d, e.rank, e.size);
}

static int64_t offset(const Einsum *e, int operand, int from, int to, int64_t p)
{
    int64_t at = 0;
    for (int i = to - 1; i >= from; i--) {
        at += p % e->size[i] * e->steps[operand][i];
        p /= e->size[i];
    }
    return at;
}

static void eval_einsum(const Graph *g, const Node *n, const void *const *in, void *const *out)
{
    Einsum e = read_einsum(g, n);
    DType d = n->in[0]->type.dtype;
    int64_t count = type_elems(n->out[0]->type), terms = count_sums(g, n, &e);
    for (int64_t o = 0; o < count; o++) {
        double sum = 0;
        for (int64_t s = 0; s < terms; s++) {
            double v = 1;
            for (int i = 0; i < n->num_in; i++)
                v *= elem_get(in[i], d, offset(&e, i, 0, e.rank, o) + offset(&e, i, e.rank, e.count, s));
            sum += v;
        }
        elem_set(out[0], d, o, sum);
    }
}

static void emit_einsum(Emitter *e, const Node *n)
{
    Einsum s = read_einsum(emit_plan(e)->g, n);
    int sums = s.count - s.rank;
    emit_line(e, "%s(%s, %s, %s, %s, %d, %s, %s, %s, %s, %d, %s, %s, %s);",
              emit_kernel(e, "einsum", n->in[0]->type.dtype), emit_ptr(e, n->out[0]), emit_ptr(e, n->in[0]),
              n->num_in > 1 ? emit_ptr(e, n->in[1]) : "NULL", int_text(type_elems(n->out[0]->type)), s.rank,
              emit_dims(s.size, s.rank), emit_dims(s.steps[0], s.rank), emit_dims(s.steps[1], s.rank),
              int_text(count_sums(emit_plan(e)->g, n, &s)), sums, emit_dims(s.size + s.rank, sums),
              emit_dims(s.steps[0] + s.rank, sums), emit_dims(s.steps[1] + s.rank, sums));
}

const OpDef op_Einsum = {
    .name = "Einsum",
    .min_in = 1,
    .max_in = -1,
    .min_out = 1,
    .max_out = 1,
    .attrs = {{.name = "equation", .type = ATTR_STRING, .required = true}},
    .infer = infer_einsum,
    .eval = eval_einsum,
    .rounding = {.rule = ROUND_SUM},
    .terms = einsum_terms,
    .steps = einsum_terms,
    .emit = emit_einsum,
};
