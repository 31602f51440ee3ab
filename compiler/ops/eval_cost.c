/* eval_cost.c - how many steps the evaluator's loops take for a node, roughly and rather too many. */
#include "ops/ops.h"

static double elements(Tensor *const *list, int count)
{
    double n = 0;
    for (int i = 0; i < count; i++)
        n += list[i] ? (double)type_elems(list[i]->type) : 0;
    return n;
}

double eval_steps(const Graph *g, const Node *n)
{
    const OpDef *d = op_def(n->op);
    if (n->op == OP_Shape || n->op == OP_Size) /* do not look at elements */
        return 1;
    double in = elements(n->in, n->num_in), out = elements(n->out, n->num_out);
    return in + out * (d->steps ? d->steps(g, n) : 1);
}
