/* loops.c - strided loop nests over several tensors at once, broadcasting included: their dimensions merged
 * as far as the strides allow, walked by the evaluator or printed as C with literal strides. */
#include "ops/ops.h"

void broadcast_strides(Type over, Type t, const int64_t *own, int64_t *strides)
{
    int lead = over.rank - t.rank;
    for (int k = 0; k < over.rank; k++)
        strides[k] = k < lead || t.dims[k - lead] == 1 ? 0 : own[k - lead];
}

const int64_t *layout_strides(const Tensor *t)
{
    if (t->layout.dense || t->data) {
        int64_t *s = NEW_ARRAY(int64_t, MAX_RANK);
        dense_strides(t->type, s);
        return s;
    }
    if (t->layout.size == 0 && type_elems(t->type) > 0)
        bug("tensor %s has no layout", t->name);
    return t->layout.strides;
}

/* Whether dimension k of size n can be walked as a part of the dimension before it, in every operand. */
static bool can_merge(const Loops *l, int64_t n, int k, int last)
{
    for (int i = 0; i < l->num; i++)
        if (l->strides[i][last] != l->strides[i][k] * n)
            return false;
    return true;
}

Loops loops_make(Type over, int num, int64_t (*strides)[MAX_RANK])
{
    Loops l = {.num = num, .strides = strides, .var = 'i'};
    for (int k = 0; k < over.rank; k++) {
        int64_t n = over.dims[k];
        if (n == 1)
            continue;
        if (l.rank && can_merge(&l, n, k, l.rank - 1))
            l.dims[l.rank - 1] *= n;
        else
            l.dims[l.rank++] = n;
        for (int i = 0; i < num; i++)
            strides[i][l.rank - 1] = strides[i][k];
    }
    return l;
}

bool loops_next(const Loops *l, int64_t *at, int outer)
{
    for (int k = outer - 1; k >= 0; k--) {
        if (++at[k] < l->dims[k])
            return true;
        at[k] = 0;
    }
    return false;
}

int64_t loops_position(const Loops *l, int operand, const int64_t *at, int outer)
{
    int64_t p = 0;
    for (int k = 0; k < outer; k++)
        p += at[k] * l->strides[operand][k];
    return p;
}

const char *loops_index(const Loops *l, int operand)
{
    Text t = {0};
    for (int k = 0; k < l->rank; k++) {
        int64_t s = l->strides[operand][k];
        if (s == 1)
            text_printf(&t, "%s%c%d", t.len ? " + " : "", l->var, k);
        else if (s)
            text_printf(&t, "%s%c%d * %s", t.len ? " + " : "", l->var, k, int_text(s));
    }
    char *index = mem_strdup(t.len ? t.data : "0");
    text_free(&t);
    return index;
}

/* Compilers warn of `size_t < 0`, which never holds; neither does `!=` at the start of a loop without rounds.
 */
void emit_loops_open(Emitter *e, const Loops *l)
{
    for (int k = 0; k < l->rank; k++)
        emit_line(e, "for (size_t %c%d = 0; %c%d %s %s; %c%d++) {", l->var, k, l->var, k,
                  l->dims[k] ? "<" : "!=", int_text(l->dims[k]), l->var, k);
}

void emit_loops_close(Emitter *e, const Loops *l)
{
    for (int k = 0; k < l->rank; k++)
        emit_line(e, "}");
}
