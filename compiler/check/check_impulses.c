/* check_impulses.c - translation: the harness drives every layer whose weights are whole numbers with
 * impulses (runtime/check/impulse.h) and compares raw accumulators with the weights, and drives sums of codes
 * to their extremes; here its findings are read. The harness runs as a process of its own: wrong code may
 * crash it. */
#include "check/check.h"

#include <stdlib.h>
#include <string.h>

void compare_impulses(const Program *p, CheckReport *r)
{
    const Graph *g = p->plan->g;
    for (int i = 0; i < g->num_nodes; i++) {
        const Layer *l;
        for (int k = 0; (l = node_layer(g->nodes[i], k)); k++) {
            r->layers[l->index].layer = l;
            if (whole_weights(l)) {
                r->layers[l->index].driven = true;
                r->layers[l->index].weights = layer_weight_count(l);
            }
        }
    }
    const char *args[] = {"impulses", mem_printf("%s/codes.bin", p->folder), NULL};
    program_run(p, args, r);
}
