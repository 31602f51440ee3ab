/* grad_move.c - gradients of operators that only move elements: Transpose, Concat, Split, Slice, Pad, Gather,
 * Resize to the nearest and their kind. Where an element comes from is found by moving element numbers in
 * place of elements, once; then every gradient goes back to where its element came from. */
#include "ops/grad.h"
#include "ops/ops.h"

#include <stdlib.h>

typedef struct Moves {
    int64_t
        *from; /* the numbers, of one output behind the other; they start at 1, 0 is no element (padding) */
    int64_t first[]; /* number of input j's element 0 */
} Moves;

static Tensor *numbered(const Tensor *t, const int64_t *values)
{
    Tensor *c = NEW(Tensor);
    *c = *t;
    c->type.dtype = DT_I64;
    c->data = values;
    return c;
}

/* Inputs that hold elements; the others (shapes, indices, axes) stay as they are. A Pad's value does not come
 * from anywhere. */
static bool holds_elements(const Node *n, int j)
{
    if (n->op == OP_Concat)
        return true;
    return j == 0;
}

static Moves *find_moves(const Graph *g, const Node *n, const Gradient *d)
{
    int64_t next = 1, total = 0;
    for (int j = 0; j < n->num_out; j++)
        total += n->out[j] ? type_elems(n->out[j]->type) : 0;
    Moves *m = calloc(1, sizeof *m + (size_t)(n->num_in + total) * sizeof *m->from);
    if (!m)
        fail("out of memory while training");
    m->from = m->first + n->num_in;
    Node copy = *n;
    void **out = NEW_ARRAY(void *, n->num_out);
    const void **in = NEW_ARRAY(const void *, n->num_in);
    copy.in = NEW_ARRAY(Tensor *, n->num_in);
    copy.out = NEW_ARRAY(Tensor *, n->num_out);
    if (n->op == OP_Pad && n->num_in > 2)
        copy.num_in = 2;
    for (int j = 0; j < copy.num_in; j++) {
        copy.in[j] = n->in[j];
        in[j] = d->in[j];
        if (!n->in[j] || !holds_elements(n, j))
            continue;
        int64_t count = type_elems(n->in[j]->type), *numbers = NEW_ARRAY(int64_t, count);
        m->first[j] = next;
        for (int64_t i = 0; i < count; i++)
            numbers[i] = next++;
        in[j] = numbers;
        copy.in[j] = numbered(n->in[j], numbers);
    }
    int64_t *next_out = m->from;
    for (int j = 0; j < n->num_out; j++)
        if (n->out[j]) {
            copy.out[j] = numbered(n->out[j], NULL);
            out[j] = next_out;
            next_out += type_elems(n->out[j]->type);
        }
    eval_node(g, &copy, in, out);
    return m;
}

static void move_back(const Node *n, const Gradient *d, const Moves *m, const int64_t *from, int out)
{
    int j = 0;
    for (int64_t i = 0; i < type_elems(n->out[out]->type); i++) {
        int64_t number = from[i];
        if (!number) {
            if (n->num_in > 2 && d->din[2]) /* a Pad's value */
                d->din[2][0] += d->dout[out][i];
            continue;
        }
        if (n->op == OP_Concat)
            while (number < m->first[j] || number >= m->first[j] + type_elems(n->in[j]->type))
                j = (j + 1) % n->num_in;
        if (n->op != OP_Concat)
            j = 0;
        if (d->din[j])
            d->din[j][number - m->first[j]] += d->dout[out][i];
    }
}

static bool all_constant(const Node *n)
{
    for (int j = 0; j < n->num_in; j++)
        if (n->in[j] && !holds_elements(n, j) && !n->in[j]->data)
            return false;
    return true;
}

/* The map is kept when it depends on constants alone. */
void grad_move(const Graph *g, const Node *n, const Gradient *d)
{
    Moves *m = *d->own;
    if (!m)
        m = find_moves(g, n, d);
    const int64_t *from = m->from;
    for (int k = 0; k < n->num_out; k++) {
        if (n->out[k] && d->dout[k])
            move_back(n, d, m, from, k);
        from += n->out[k] ? type_elems(n->out[k]->type) : 0;
    }
    if (all_constant(n))
        *d->own = m;
    else
        free(m);
}
