/* unit_grad.c - every row of the case table whose operators have gradients: the engine's forward pass against
 * the evaluator, its gradients against central differences of its forward pass in training mode. The loss is
 * a sum of the outputs with random factors. An argument runs the rows whose name contains it.
 *
 * Values come from the row, moved a little so that none lies on a kink. Every operator with a gradient must
 * have a row. */
#include "cases/op_values.h"
#include "ops/ops.h"
#include "train/engine.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *only = "";

typedef struct Check {
    const OpCase *row;
    Graph *g;
    Engine *e;
    float *factors; /* of the outputs */
} Check;

static bool covered[NUM_OPS];

static const void **make_inputs(const OpCase *row, const Graph *g)
{
    uint64_t seed = 1, shake = 2;
    const char *s = row->in;
    const void **in = NEW_ARRAY(const void *, g->num_inputs);
    for (int i = 0; i < g->num_inputs; i++) {
        Type t = g->inputs[i]->type;
        float *data = mem_alloc(type_bytes(t));
        if (s)
            s = parse_values(s, t, data);
        else
            fill_random(row, t, data, &seed);
        for (int64_t k = 0; row->in && t.dtype == DT_F32 && k < type_elems(t); k++)
            data[k] += (float)(0.01 + 0.05 * draw_unit(&shake));
        in[i] = data;
    }
    return in;
}

static double loss_of(const Check *c)
{
    const float *y = engine_forward(c->e);
    double sum = 0;
    for (int64_t i = 0; i < type_elems(c->e->score->type); i++)
        sum += (double)y[i] * (double)c->factors[i];
    return sum;
}

/* The gradient of the elements x, against grad. */
static void check_elements(const Check *c, const char *name, float *x, const float *grad, int64_t count)
{
    float *numeric = NEW_ARRAY(float, count), largest = 0.01f;
    for (int64_t i = 0; i < count; i++) {
        float before = x[i], step = 1e-3f * fmaxf(1, sqrtf(fabsf(before)));
        volatile float high = before + step, low = before - step;
        x[i] = high;
        double up = loss_of(c);
        x[i] = low;
        double down = loss_of(c);
        x[i] = before;
        numeric[i] = (float)((up - down) / ((double)high - (double)low));
        largest = fmaxf(largest, fabsf(numeric[i]));
    }
    for (int64_t i = 0; i < count; i++)
        if (!(fabsf(numeric[i] - grad[i]) <= 0.02f * largest)) {
            CHECK(c->row, false, "gradient of element %lld of '%s' is %.6g, differences give %.6g",
                  (long long)i, name, (double)grad[i], (double)numeric[i]);
            return;
        }
}

static void check_gradients(const Check *c)
{
    Engine *e = c->e;
    loss_of(c);
    engine_backward(e, c->factors);
    float *grads = NEW_ARRAY(float, e->params.total + 1);
    memcpy(grads, e->grads, (size_t)e->params.total * sizeof *grads);
    const float **of_input = NEW_ARRAY(const float *, e->g->num_inputs);
    for (int i = 0; i < e->g->num_inputs; i++) {
        const Value *v = &e->values[e->g->inputs[i]->id];
        float *copy = NEW_ARRAY(float, type_elems(v->t->type) + 1);
        if (v->wanted && v->touched)
            memcpy(copy, v->grad, type_bytes(v->t->type));
        of_input[i] = copy;
    }
    for (int i = 0; i < e->g->num_inputs; i++) {
        const Value *v = &e->values[e->g->inputs[i]->id];
        if (v->wanted)
            check_elements(c, v->t->name, v->data, of_input[i], type_elems(v->t->type));
    }
    for (int i = 0; i < e->params.count; i++) {
        const Param *p = &e->params.items[i];
        if (e->values[p->t->id].wanted)
            check_elements(c, p->t->name, e->weights + p->at, grads + p->at, p->count);
    }
}

static void check_forward(const Check *c, const void *const *in)
{
    void **values = eval_graph(c->g, in);
    const float *want = values[c->e->score->id], *got = engine_forward(c->e);
    double largest = 0, worst = 0;
    for (int64_t i = 0; i < type_elems(c->e->score->type); i++) {
        largest = fmax(largest, fabs((double)want[i]));
        worst = fmax(worst, fabs((double)want[i] - (double)got[i]));
    }
    CHECK(c->row, worst <= 1e-4 * (largest + 1e-3), "forward is off by %g where the largest is %g", worst,
          largest);
    free(values);
}

static void check_row(const OpCase *row, Graph *g, int output)
{
    Check c = {.row = row, .g = g};
    const void **in = make_inputs(row, g);
    c.e = engine_new(g, g->outputs[output], 1, 1, WANT_INPUTS);
    for (int i = 0; i < g->num_inputs; i++)
        memcpy(c.e->values[g->inputs[i]->id].data, in[i], type_bytes(g->inputs[i]->type));
    int64_t count = type_elems(c.e->score->type);
    c.factors = NEW_ARRAY(float, count);
    uint64_t seed = 3;
    for (int64_t i = 0; i < count; i++)
        c.factors[i] = (float)(2 * draw_unit(&seed) - 1);
    check_forward(&c, in);
    c.e->training = true;
    c.e->momentum = 1;
    c.e->noise = 7;
    check_gradients(&c);
    for (int i = 0; i < g->num_nodes; i++)
        for (int k = 0; k < g->nodes[i]->num_out; k++)
            covered[g->nodes[i]->op] |= g->nodes[i]->out[k] && c.e->values[g->nodes[i]->out[k]->id].wanted;
    engine_free(c.e);
}

static bool has_gradient(const Graph *g, int output)
{
    bool any = false;
    for (int i = 0; i < g->num_inputs; i++)
        any |= g->inputs[i]->type.dtype == DT_F32 && type_elems(g->inputs[i]->type);
    return any && g->outputs[output]->type.dtype == DT_F32 && type_elems(g->outputs[output]->type);
}

/* Operators without a gradient; and the forms of others that have none. */
static bool is_refusal(const OpCase *row, const char *message)
{
    static const char *const forms[] = {"max_pool_index", "batch_norm_run_time", "batch_norm_rows",
                                        "resize_crop"};
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++)
        if (!strcmp(row->name, forms[i]))
            return strstr(message, "this form of") != NULL;
    if (strstr(message, "(LoopBegin)"))
        return strstr(message, "a Loop whose course is not known") != NULL;
    return strstr(message, "operators without a gradient") != NULL;
}

static void test_rows(void)
{
    for (int i = 0; i < num_op_cases; i++) {
        const OpCase *row = &op_cases[i];
        Trap trap;
        if (row->error || !strstr(row->name, only) || strstr(row->name, "nan"))
            continue;
        if (CATCH(&trap)) {
            CHECK(row, is_refusal(row, trap.message), "%s", trap.message);
            continue;
        }
        Graph *g = load_row(row);
        for (int k = 0; k < g->num_outputs; k++)
            if (has_gradient(g, k))
                check_row(row, g, k);
        trap_end();
    }
}

/* Those that another operator stands for once the graph has a batch. */
static bool needs_row(OpKind op)
{
    return op_def(op) && op_def(op)->grad && op != OP_Layer;
}

static void test_coverage(void)
{
    for (int op = 1; op < NUM_OPS && !only[0]; op++)
        if (needs_row((OpKind)op) && !covered[op]) {
            fprintf(stderr, "\n%s has a gradient and no row that checks it\n", op_def((OpKind)op)->name);
            CU_FAIL("an operator is not covered");
        }
}

int main(int argc, char **argv)
{
    only = argc > 1 ? argv[1] : "";
    if (CU_initialize_registry() != CUE_SUCCESS)
        return 1;
    CU_pSuite s = CU_add_suite("gradients", NULL, NULL);
    CU_add_test(s, "rows", test_rows);
    CU_add_test(s, "coverage", test_coverage);
    CU_basic_run_tests();
    return (int)CU_get_number_of_failures() != 0;
}
