/* codes.c - a network with QuantizeLinear and DequantizeLinear, as it was drawn and as it is compiled: codes
 * of one name are the same, or one step off. */
#include "ops/ops.h"
#include "random/try.h"

#include <string.h>

static const Tensor *find_codes(const Graph *g, const Tensor *like)
{
    for (int i = 0; i < g->num_tensors; i++)
        if (!strcmp(g->tensors[i]->name, like->name) && type_equal(g->tensors[i]->type, like->type))
            return g->tensors[i];
    return NULL;
}

/* Whether what n makes of this is not known to one code: the h of a cell is in codes too, whose rounding its
 * steps add up, and its initial states are clamped. unit_recurrent says how far cells are off. by_cell: by
 * tensor id. */
static bool follows_cell(const Node *n, const bool *by_cell)
{
    bool cell = n->op == OP_LSTM || n->op == OP_GRU || n->op == OP_RNN;
    for (int k = 0; k < n->num_in; k++)
        cell = cell || (n->in[k] && by_cell[n->in[k]->id]);
    return cell;
}

/* Codes are those of the compiled network again. */
static double allowed_off(const Node *n, bool *by_cell)
{
    bool follows = follows_cell(n, by_cell);
    for (int k = 0; k < n->num_out; k++)
        if (n->out[k])
            by_cell[n->out[k]->id] = follows && n->op != OP_QuantizeLinear;
    return follows ? UINT8_MAX : 1;
}

/* The codes of t become those of the compiled network, so that what follows from them is judged on its own.
 */
static const char *take_codes(const Tensor *t, void *ours, const void *compiled, double allowed)
{
    DType d = t->type.dtype;
    for (int64_t i = 0; i < type_elems(t->type); i++) {
        double a = elem_get(ours, d, i), b = elem_get(compiled, d, i);
        if (a - b > allowed || b - a > allowed)
            return mem_printf("codes of '%s' differ at %s: %g as drawn, %g as compiled", t->name, int_text(i),
                              a, b);
        elem_set(ours, d, i, b);
    }
    return NULL;
}

static void eval_on(const Graph *g, const Node *n, void **values)
{
    const void **in = NEW_ARRAY(const void *, n->num_in);
    void **out = NEW_ARRAY(void *, n->num_out);
    for (int k = 0; k < n->num_in; k++)
        in[k] = n->in[k] ? values[n->in[k]->id] : NULL;
    for (int k = 0; k < n->num_out; k++)
        out[k] = n->out[k] ? values[n->out[k]->id] : NULL;
    eval_node(g, n, in, out);
}

const char *compare_codes(const Graph *drawn, const Graph *compiled, const void *const *inputs)
{
    void **values = NEW_ARRAY(void *, drawn->num_tensors), **theirs = eval_graph(compiled, inputs);
    bool *by_cell = NEW_ARRAY(bool, drawn->num_tensors);
    const char *wrong = NULL;
    for (int i = 0; i < drawn->num_tensors; i++)
        values[i] = drawn->tensors[i]->data ? (void *)(uintptr_t)drawn->tensors[i]->data
                                            : zeroed_values(drawn->tensors[i]);
    for (int i = 0; i < drawn->num_inputs; i++)
        values[drawn->inputs[i]->id] = (void *)(uintptr_t)inputs[i];
    for (int i = 0; i < drawn->num_nodes && !wrong; i++) {
        const Node *n = drawn->nodes[i];
        double allowed = allowed_off(n, by_cell);
        eval_on(drawn, n, values);
        const Tensor *same = n->op == OP_QuantizeLinear ? find_codes(compiled, n->out[0]) : NULL;
        if (same && theirs[same->id])
            wrong = take_codes(n->out[0], values[n->out[0]->id], theirs[same->id], allowed);
    }
    return wrong;
}
