/* dce.c - dead code: nodes none of whose outputs is used are removed, and optional outputs that nobody uses
 * are no longer asked for.
 *
 * Requires: nodes in execution order. Gives: every node is used. Leaves everything else valid. */
#include "graph/op.h"
#include "passes/passes.h"

static bool is_live(const Node *n, const bool *used)
{
    for (int i = 0; i < n->num_out; i++)
        if (n->out[i] && used[n->out[i]->id])
            return true;
    return false;
}

static void drop_optional_outputs(Node *n, const bool *used)
{
    const OpDef *d = op_def(n->op);
    if (!d || d->max_out < 0)
        return;
    for (int i = d->min_out; i < n->num_out; i++)
        if (n->out[i] && !used[n->out[i]->id]) {
            n->out[i]->producer = NULL;
            n->out[i] = NULL;
        }
    while (n->num_out > d->min_out && !n->out[n->num_out - 1])
        n->num_out--;
}

void pass_dce(Graph *g)
{
    bool *used = NEW_ARRAY(bool, g->num_tensors);
    bool *live = NEW_ARRAY(bool, g->num_nodes);
    for (int i = 0; i < g->num_outputs; i++)
        used[g->outputs[i]->id] = true;
    for (int i = g->num_nodes - 1; i >= 0; i--) {
        Node *n = g->nodes[i];
        live[i] = is_live(n, used);
        for (int j = 0; j < n->num_in && live[i]; j++)
            if (n->in[j])
                used[n->in[j]->id] = true;
    }
    int kept = 0;
    for (int i = 0; i < g->num_nodes; i++) {
        if (!live[i])
            continue;
        drop_optional_outputs(g->nodes[i], used);
        g->nodes[kept++] = g->nodes[i];
    }
    g->num_nodes = kept;
}
