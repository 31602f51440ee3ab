/* ends.c - inputs and outputs that are codes become floats, for samples that are numbers and scores that are
 * compared: a QuantizeLinear stands behind each such input, a DequantizeLinear in front of each output.
 *
 * Requires static types. The step is that with which the model reads or makes the codes; where it has none, a
 * code is its own number. */
#include "ops/ops.h"
#include "passes/passes.h"

static bool reads_step(const Node *n, const Tensor *x, CodeStep *s)
{
    return n->op == OP_DequantizeLinear && n->in[0] == x && node_step(n, s);
}

static CodeStep step_of_input(const Graph *g, const Tensor *x)
{
    CodeStep s;
    for (int i = 0; i < g->num_nodes; i++)
        if (reads_step(g->nodes[i], x, &s))
            return s;
    return (CodeStep){1, 0};
}

/* What only moves elements leaves the step as it is. */
static CodeStep step_of_output(const Tensor *y)
{
    CodeStep s;
    const Node *n = y->producer;
    while (n && n->op != OP_QuantizeLinear && n->num_in > 0 && moves_input(n, 0))
        n = n->in[0]->producer;
    return n && n->op == OP_QuantizeLinear && node_step(n, &s) ? s : (CodeStep){1, 0};
}

/* QuantizeLinear or DequantizeLinear from x to y, of which one is `codes`. */
static Node *step_node(Graph *g, OpKind op, const Tensor *codes, CodeStep s, Tensor *x, Tensor *y)
{
    Node *n = node_new(op, codes->name, 3, 1);
    float *scale = NEW(float);
    *scale = (float)s.scale;
    void *zero = mem_alloc(dtype_size(codes->type.dtype));
    elem_set(zero, codes->type.dtype, 0, s.zero);
    n->in[0] = x;
    n->in[1] = graph_const(g, mem_printf("%s_step", codes->name), type_make(DT_F32, 0, NULL), scale);
    n->in[2] =
        graph_const(g, mem_printf("%s_zero", codes->name), type_make(codes->type.dtype, 0, NULL), zero);
    n->out[0] = y;
    return n;
}

static Tensor *tensor_as(Graph *g, const Tensor *t, const char *what, DType d)
{
    Type type = t->type;
    type.dtype = d;
    return graph_tensor(g, mem_printf("%s_%s", t->name, what), type);
}

/* The input keeps its name. */
static Node *take_numbers(Graph *g, Tensor *x)
{
    const CodeStep s = step_of_input(g, x);
    Tensor *codes = tensor_as(g, x, "codes", x->type.dtype);
    graph_replace(g, x, codes);
    x->type.dtype = DT_F32;
    return step_node(g, OP_QuantizeLinear, codes, s, x, codes);
}

static Node *give_numbers(Graph *g, int i)
{
    Tensor *codes = g->outputs[i], *real = tensor_as(g, codes, "real", DT_F32);
    g->outputs[i] = real;
    return step_node(g, OP_DequantizeLinear, codes, step_of_output(codes), codes, real);
}

void pass_real_ends(Graph *g)
{
    Graph result = {0};
    for (int i = 0; i < g->num_inputs; i++)
        if (dtype_is_code(g->inputs[i]->type.dtype))
            node_append(&result, take_numbers(g, g->inputs[i]));
    for (int i = 0; i < g->num_nodes; i++)
        node_append(&result, g->nodes[i]);
    for (int i = 0; i < g->num_outputs; i++)
        if (dtype_is_code(g->outputs[i]->type.dtype))
            node_append(&result, give_numbers(g, i));
    g->nodes = result.nodes;
    g->num_nodes = result.num_nodes;
}
