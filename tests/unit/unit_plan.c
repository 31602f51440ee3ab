/* unit_plan.c - the arena of random graphs: tensors that live at the same time never overlap, and the plan is
 * the least possible, or close to it. */
#include "codegen/codegen.h"
#include "support/pick.h"

#include <CUnit/Basic.h>

enum { GRAPHS = 200, NODES = 24, MANY_NODES = 12000, REACH = 8 };

/* Each node reads one to three of the last tensors; the planner looks at sizes and uses alone. */
static Graph *draw_graph(int nodes)
{
    Graph *g = graph_new("random", "random");
    for (int i = 0; i <= nodes; i++) {
        Type t = type_make(DT_F32, 1, (const int64_t[]){4 * pick(1, 200)});
        graph_tensor(g, mem_printf("t%d", i), t)->layout = layout_dense(t);
    }
    g->inputs = NEW_ARRAY(Tensor *, 1);
    g->outputs = NEW_ARRAY(Tensor *, 1);
    g->inputs[g->num_inputs++] = g->tensors[0];
    g->outputs[g->num_outputs++] = g->tensors[nodes];
    for (int i = 0; i < nodes; i++) {
        int reads = (int)pick(1, 3);
        Node *n = node_new(OP_Concat, "", reads, 1);
        for (int j = 0; j < reads; j++)
            n->in[j] = g->tensors[j == 0 ? i : pick(i > REACH ? i - REACH : 0, i)];
        n->out[0] = g->tensors[i + 1];
        node_append(g, n);
    }
    return g;
}

static int *last_uses(const Graph *g)
{
    int *last = NEW_ARRAY(int, g->num_tensors);
    for (int i = 0; i < g->num_nodes; i++)
        for (int j = 0; j < g->nodes[i]->num_in; j++)
            last[g->nodes[i]->in[j]->id] = i;
    return last;
}

/* Tensor k is written by node k - 1. */
static void check_overlaps(const Graph *g, const Plan *p)
{
    const int *last = last_uses(g);
    for (int a = 1; a < g->num_nodes; a++)
        for (int b = a + 1; b < g->num_nodes && b <= a + REACH + 1; b++) {
            const Tensor *x = g->tensors[a], *y = g->tensors[b];
            int64_t x_end = x->arena_offset + (int64_t)type_bytes(x->type);
            int64_t y_end = y->arena_offset + (int64_t)type_bytes(y->type);
            if (last[a] >= b - 1)
                CU_ASSERT(x_end <= y->arena_offset || y_end <= x->arena_offset);
            CU_ASSERT(y->arena_offset >= 0 && y_end <= p->arena_bytes);
        }
}

static void test_random_graphs(void)
{
    int least = 0;
    for (int i = 0; i < GRAPHS; i++) {
        Graph *g = draw_graph(NODES);
        const Plan *p = plan_graph(g, &(Options){.name = "net"});
        check_overlaps(g, p);
        CU_ASSERT(p->arena_bytes >= p->lower_bound);
        CU_ASSERT((double)p->arena_bytes <= 1.03 * (double)p->lower_bound);
        least += p->arena_bytes == p->lower_bound;
    }
    printf("%d of %d plans are the least possible ", least, GRAPHS);
    CU_ASSERT(100 * least >= 98 * GRAPHS);
}

/* Placed in one walk, without a search for the least. */
static void test_many_tensors(void)
{
    Graph *g = draw_graph(MANY_NODES);
    const Plan *p = plan_graph(g, &(Options){.name = "net"});
    check_overlaps(g, p);
    printf("%lld of %lld bytes ", (long long)p->arena_bytes, (long long)p->lower_bound);
    CU_ASSERT(p->arena_bytes >= p->lower_bound);
    CU_ASSERT(p->arena_bytes <= 2 * p->lower_bound);
}

int main(void)
{
    CU_initialize_registry();
    CU_pSuite s = CU_add_suite("plan", NULL, NULL);
    CU_add_test(s, "random graphs", test_random_graphs);
    CU_add_test(s, "many tensors", test_many_tensors);
    CU_basic_set_mode(CU_BRM_VERBOSE);
    CU_basic_run_tests();
    return CU_get_number_of_failures() != 0;
}
