/* train_codes.c - training with activations that will be codes: which they are, and what the passes behind
 * training get to know of their ranges. */
#include "ops/ops.h"
#include "passes/passes.h"
#include "train/training.h"

bool trains_codes(const TrainJob *j)
{
    return j->opt->codes && !j->opt->calibrate.count;
}

/* As the passes behind training will choose, on the graph as they will see it: tensors keep their ids. Those
 * that only these passes make have no range. */
const CodePlan *plan_codes(const Trainer *t)
{
    Graph *g = graph_with_batch(t->g, 1);
    (t->job.again ? pass_fold_after_training : pass_fold)(g);
    pass_dce(g);
    Range *any = NEW_ARRAY(Range, g->num_tensors);
    for (int i = 0; i < t->g->num_tensors; i++)
        any[i].known = true;
    CodePlan *p = NEW(CodePlan);
    *p =
        (CodePlan){coded_tensors(g, any, t->opt), t->g->num_tensors, t->opt->calibration_rule, t->opt->codes};
    return p;
}

/* The Softmax at the end, which the loss has in it, is not computed in training. */
const Range *trained_ranges(const Trainer *t)
{
    if (!t->plan)
        return NULL;
    const Range *of_roots = fake_ranges(t->e, t->best_running, t->g->num_tensors);
    Range *r = NEW_ARRAY(Range, t->g->num_tensors);
    for (int i = 0; i < t->g->num_tensors; i++) {
        const Node *n = t->g->tensors[i]->producer;
        if (t->plan->roots[i] >= 0)
            r[i] = n && n->op == OP_Softmax ? (Range){0, 1, true} : of_roots[t->plan->roots[i]];
    }
    return r;
}
