/* infer_cost.c - what evaluating a node on constants would take, so that a small file cannot ask for endless
 * folding: the steps of the evaluator's loops, and the bytes of the results. What is over the budget stays in
 * the graph. */
#include "infer.h"
#include "ops/ops.h"

/* A step takes some nanoseconds. The budgets grow with the constants that the file brings. */
static const double base_steps = 1 << 27, steps_per_element = 64;
static const size_t base_bytes = (size_t)32 << 20, bytes_per_byte = 16;
enum { MAX_FOLDED_BYTES = 16 << 20, ALWAYS_BYTES = 1 << 10 };

static size_t bytes_of(Tensor *const *list, int count)
{
    size_t bytes = 0;
    for (int i = 0; i < count; i++)
        bytes += list[i] ? type_bytes(list[i]->type) : 0;
    return bytes;
}

void infer_set_budget(Walk *w)
{
    w->steps = base_steps;
    w->bytes = base_bytes;
    for (int i = 0; i < w->g->num_tensors; i++)
        if (w->g->tensors[i]->data) {
            w->steps += steps_per_element * (double)type_elems(w->g->tensors[i]->type);
            w->bytes += bytes_per_byte * type_bytes(w->g->tensors[i]->type);
        }
}

bool infer_take_budget(Walk *w, const Node *n)
{
    size_t in = bytes_of(n->in, n->num_in), out = bytes_of(n->out, n->num_out);
    double steps = eval_steps(w->g, n);
    bool worth_keeping = out <= MAX_FOLDED_BYTES || out / 4 <= in;
    bool fits = steps <= w->steps && out <= w->bytes;
    if (!(worth_keeping && fits) && (steps > ALWAYS_BYTES || out > ALWAYS_BYTES))
        return false;
    w->steps -= fits ? steps : 0;
    w->bytes -= fits ? out : 0;
    return true;
}
