/* report.c - what commands tell people: aligned tables, and what a node costs in parameters and operations. */
#include "ir.h"

#include <stdlib.h>
#include <string.h>

/* ---- tables ---- */

enum { MAX_COLUMNS = 16 };

struct Table {
    int columns, rows, cap;
    bool right[MAX_COLUMNS];
    int width[MAX_COLUMNS];
    const char *(*cells)[MAX_COLUMNS]; /* row 0: headings */
};

/* Columns on a terminal, not bytes: continuation bytes of UTF-8 take no place. */
static int text_width(const char *s)
{
    int n = 0;
    for (; *s; s++)
        n += ((unsigned char)*s & 0xc0) != 0x80;
    return n;
}

static void add_cells(Table *t, char *line)
{
    if (t->rows == t->cap) {
        t->cap = t->cap ? 2 * t->cap : 32;
        const char *(*more)[MAX_COLUMNS] = mem_array(t->cap, sizeof *more);
        if (t->rows)
            memcpy(more, t->cells, (size_t)t->rows * sizeof *more);
        t->cells = more;
    }
    for (int i = 0; i < t->columns; i++) {
        const char *cell = strsep(&line, "\t");
        if (!cell)
            bug("a table row of %d cells, not %d", i, t->columns);
        t->cells[t->rows][i] = cell;
        if (text_width(cell) > t->width[i])
            t->width[i] = text_width(cell);
    }
    t->rows++;
}

Table *table_new(const char *headings)
{
    Table *t = NEW(Table);
    char *rest = mem_strdup(headings), *cells = NEW_ARRAY(char, (int64_t)strlen(headings) + 1), *end = cells;
    for (char *heading; (heading = strsep(&rest, "\t")); t->columns++) {
        t->right[t->columns] = heading[0] == '>';
        end = stpcpy(stpcpy(end, t->columns ? "\t" : ""), heading + t->right[t->columns]);
    }
    add_cells(t, cells);
    return t;
}

void table_row(Table *t, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    char *line;
    if (vasprintf(&line, fmt, ap) < 0)
        fail("out of memory");
    va_end(ap);
    add_cells(t, mem_strdup(line));
    free(line);
}

void table_print(const Table *t, FILE *f)
{
    for (int r = 0; r < t->rows; r++)
        for (int i = 0; i < t->columns; i++) {
            const char *cell = t->cells[r][i];
            int pad = t->width[i] - text_width(cell);
            bool last = i == t->columns - 1;
            fprintf(f, "%*s%s%*s%s", t->right[i] ? pad : 0, "", cell, t->right[i] || last ? 0 : pad, "",
                    last ? "\n" : "  ");
        }
}

const char *count_text(int64_t n)
{
    char digits[32], out[48];
    int len = snprintf(digits, sizeof digits, "%lld", (long long)n), k = 0;
    for (int i = 0; i < len; i++) {
        out[k++] = digits[i];
        if ((len - i) % 3 == 1 && i < len - 1 && digits[i] != '-')
            out[k++] = ',';
    }
    out[k] = 0;
    return mem_strdup(out);
}

const char *short_text(const char *s, int bytes)
{
    if (strlen(s) <= (size_t)bytes)
        return s;
    int n = bytes - 3;
    while (n > 0 && ((unsigned char)s[n] & 0xc0) == 0x80)
        n--;
    return mem_printf("%.*s...", n, s);
}

/* ---- costs ---- */

static bool is_op(const Node *n, const char *name)
{
    return !n->domain[0] && !strcmp(n->op_name, name);
}

/* The side of a linear operator that holds its weights, constant or not; -1 for other operators. */
static int weight_input(const Node *n)
{
    if (is_op(n, "Conv") || is_op(n, "ConvTranspose"))
        return 1;
    if (is_op(n, "MatMul") || is_op(n, "Gemm"))
        return n->in[0]->data && !n->in[1]->data ? 0 : 1;
    return -1;
}

/* Multiplications: each weight of a convolution meets every position; a matrix product runs over the shared axis. */
static int64_t count_macs(const Node *n)
{
    const Type *w = &n->in[1]->type, *x = &n->in[0]->type, *y = &n->out[0]->type;
    if (is_op(n, "Conv"))
        return w->dims[0] ? type_elems(*y) * (type_elems(*w) / w->dims[0]) : 0;
    if (is_op(n, "ConvTranspose"))
        return w->dims[0] ? type_elems(*x) * (type_elems(*w) / w->dims[0]) : 0;
    if (is_op(n, "Gemm"))
        return type_elems(*y) * x->dims[attr_int(n, "transA") ? 0 : 1];
    return type_elems(*y) * (x->rank ? x->dims[x->rank - 1] : 1);
}

static int64_t count_zeros(const Tensor *t)
{
    int64_t n = type_elems(t->type), zeros = 0;
    for (int64_t i = 0; i < n; i++)
        zeros += elem_get(t->data, t->type.dtype, i) == 0;
    return zeros;
}

static bool is_recurrent(const Node *n)
{
    return is_op(n, "LSTM") || is_op(n, "GRU") || is_op(n, "RNN");
}

int node_cost_rows(const Node *n)
{
    return is_recurrent(n) ? 2 : 1;
}

const char *node_row_text(const Node *n, int row)
{
    return is_recurrent(n) ? mem_printf("%s %s", n->op_name, row ? "R" : "W") : n->op_name;
}

/* X * W of a recurrent node, with all other parameters, or R * h. W and R [directions][rows][...] meet every step. */
static NodeCost recurrent_cost(const Node *n, NodeCost c, int row)
{
    const Tensor *w = n->in[row + 1], *r = n->in[2], *x = n->in[0];
    int64_t r_params = r->data ? type_elems(r->type) : 0;
    c.params = row ? r_params : c.params - r_params;
    c.macs = type_elems(w->type) * x->type.dims[0] * x->type.dims[1];
    c.weight = w->data ? w : NULL;
    return c;
}

NodeCost node_cost(const Node *n, int row)
{
    NodeCost c = {0};
    for (int i = 0; i < n->num_in; i++) {
        const Tensor *t = n->in[i];
        if (t && t->data && dtype_is_float(t->type.dtype) && t->type.rank > 0)
            c.params += type_elems(t->type);
    }
    if (n->num_in < 2 || !n->in[0] || !n->in[1])
        return c;
    int side = weight_input(n);
    if (is_recurrent(n)) {
        c = recurrent_cost(n, c, row);
    } else if (side >= 0) {
        c.macs = count_macs(n);
        c.weight = n->in[side]->data ? n->in[side] : NULL;
    }
    if (!c.weight)
        return c;
    c.weights = type_elems(c.weight->type);
    c.zeros = count_zeros(c.weight);
    if (c.weight->ternary && c.weights)
        c.adds = c.macs / c.weights * (c.weights - c.zeros);
    return c;
}
