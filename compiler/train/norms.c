/* norms.c - running statistics of BatchNormalization found anew on samples without labels: those of a model
 * whose weights have become ternary since no longer fit what reaches them. Every batch is normalised by its
 * own mean and variance, so one walk over the samples serves all layers. */
#include "train/calibrate.h"

#include <string.h>

void own_statistics(Graph *g)
{
    int *uses = graph_use_counts(g);
    for (int i = 0; i < g->num_nodes; i++)
        for (int k = 3; k < 5 && g->nodes[i]->op == OP_BatchNormalization; k++) {
            Tensor **t = &g->nodes[i]->in[k];
            if ((*t)->data && uses[(*t)->id]-- > 1)
                *t = graph_const(g, (*t)->name, (*t)->type, (*t)->data);
        }
}

static void average(Engine *e, const Samples *s)
{
    e->training = true;
    for (int64_t b = 0; b < s->count / e->batch; b++) {
        e->momentum = (double)b / (double)(b + 1);
        samples_fill(e, s, b * e->batch);
        engine_forward(e);
    }
}

static void store(Graph *g, const Engine *e)
{
    for (int i = 0; i < e->stats.count; i++) {
        const Param *p = &e->stats.items[i];
        float *data = NEW_ARRAY(float, p->count);
        memcpy(data, e->running + p->at, (size_t)p->count * sizeof *data);
        g->tensors[p->t->id]->data = data;
    }
}

void estimate_norms(Graph *g, const Samples *s, int threads)
{
    enum { BATCH = 128, LEAST = 16 };
    own_statistics(g);
    for (int i = 0; i < g->num_outputs; i++) {
        Engine *e = samples_engine(g, g->outputs[i], s, BATCH, threads);
        if (e->stats.count && e->batch >= LEAST) {
            average(e, s);
            store(g, e);
        }
        engine_free(e);
    }
}
