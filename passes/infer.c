/* infer.c - shape inference and constant folding in one walk: every node's output types are set by its OpDef,
 * and every node whose inputs are all constants is evaluated, so that chains of Shape, Gather, Concat and
 * Reshape vanish.
 *
 * Requires: opset 17 form or nodes that wait for it, supported operators, graph inputs of known type. Gives:
 * all types known and static; the types that the file declares for its outputs hold; no node computes from
 * constants alone, but one that makes a graph output (an Identity of the constant) or costs too much
 * (infer_cost.c); no control flow (infer_control.c). */
#include "infer.h"
#include "ops/ops.h"
#include "passes/passes.h"

static void check_inputs(const Graph *g)
{
    for (int i = 0; i < g->num_inputs; i++) {
        const Tensor *t = g->inputs[i];
        if (!type_known(t->type))
            fail("%s: the shape of input '%s' is not known: %s; name its dimensions with --dim NAME=SIZE",
                 g->file, t->name, type_text(t->type));
    }
}

/* Whether an inferred type is one of those that the file declares; -1 stands for anything. */
static bool type_matches(Type declared, Type t)
{
    if (declared.dtype != DT_NONE && declared.dtype != t.dtype)
        return false;
    if (declared.rank < 0)
        return true;
    if (declared.rank != t.rank)
        return false;
    for (int i = 0; i < t.rank; i++)
        if (declared.dims[i] >= 0 && declared.dims[i] != t.dims[i])
            return false;
    return true;
}

static void infer_node(Graph *g, Node *n)
{
    for (int i = 0; i < n->num_out; i++)
        if (n->out[i] && !op_def(n->op)->declared_size)
            n->out[i]->type = (Type){.rank = -1};
    for (int i = 0; i < n->num_in; i++)
        if (n->in[i] && !type_known(n->in[i]->type))
            fail_node(g, n, "unsupported: input '%s' is a sequence", n->in[i]->name);
    op_def(n->op)->infer(g, n);
    for (int i = 0; i < n->num_out; i++) {
        if (n->out[i] && !type_known(n->out[i]->type))
            fail_node(g, n, "the shape of output '%s' depends on values that are not known at compile time",
                      n->out[i]->name);
        if (n->out[i] && !type_fits(n->out[i]->type))
            fail_node(g, n, "output '%s' is too large: %s; at most %d elements are supported",
                      n->out[i]->name, type_text(n->out[i]->type), MAX_ELEMS);
    }
}

/* Shape, Size and EyeLike look at their input's type only. */
static bool reads_type_only(const Node *n)
{
    return n->op == OP_Shape || n->op == OP_Size || n->op == OP_EyeLike;
}

static bool inputs_constant(const Node *n)
{
    for (int i = 0; i < n->num_in; i++)
        if (n->in[i] && !n->in[i]->data)
            return false;
    return true;
}

bool walk_is_output(const Walk *w, const Tensor *t)
{
    return t->id < w->num_first && w->is_output[t->id];
}

static bool is_output_copy(const Walk *w, const Node *n)
{
    return n->op == OP_Identity && walk_is_output(w, n->out[0]);
}

static bool can_evaluate(Walk *w, const Node *n)
{
    if (!op_def(n->op)->eval || !(inputs_constant(n) || reads_type_only(n)))
        return false;
    return !is_output_copy(w, n) && infer_take_budget(w, n);
}

static void evaluate(const Graph *g, Node *n)
{
    const void **in = NEW_ARRAY(const void *, n->num_in);
    void **out = NEW_ARRAY(void *, n->num_out);
    for (int i = 0; i < n->num_in; i++)
        in[i] = n->in[i] ? n->in[i]->data : NULL;
    for (int i = 0; i < n->num_out; i++)
        out[i] = n->out[i] ? mem_alloc(type_bytes(n->out[i]->type)) : NULL;
    eval_node(g, n, in, out);
    for (int i = 0; i < n->num_out; i++)
        if (n->out[i])
            n->out[i]->data = out[i];
}

/* A graph output must come from a node: an Identity makes it from a new constant, which takes over all uses
 * inside the graph when the walk is over (release_outputs). */
static Node *copy_to_output(Walk *w, Tensor *t)
{
    Node *copy = node_new(OP_Identity, "", 1, 1);
    copy->in[0] = graph_const(w->g, mem_printf("%s_value", t->name), t->type, t->data);
    copy->out[0] = t;
    w->made[w->num_made++] = t;
    return copy;
}

static void replace_by_value(Walk *w, Node *n)
{
    evaluate(w->g, n);
    for (int i = 0; i < n->num_out; i++) {
        if (!n->out[i])
            continue;
        n->out[i]->producer = NULL;
        if (walk_is_output(w, n->out[i]))
            node_append(&w->kept, copy_to_output(w, n->out[i]));
    }
}

static void release_outputs(Walk *w)
{
    Tensor **values = NEW_ARRAY(Tensor *, w->num_first); /* by tensor id */
    for (int i = 0; i < w->num_made; i++) {
        Tensor *value = w->made[i]->producer->in[0];
        bool known = walk_is_output(w, value) && values[value->id];
        w->made[i]->data = NULL;
        values[w->made[i]->id] = known ? values[value->id] : value;
    }
    for (int k = 0; k < w->kept.num_nodes; k++) {
        const Node *n = w->kept.nodes[k];
        for (int j = 0; j < n->num_in; j++)
            if (n->in[j] && walk_is_output(w, n->in[j]) && values[n->in[j]->id])
                n->in[j] = values[n->in[j]->id];
    }
}

/* An Identity that makes a graph output stays, but what it makes is known to others. */
static void keep(Walk *w, Node *n)
{
    node_append(&w->kept, n);
    if (!is_output_copy(w, n) || !n->in[0]->data)
        return;
    n->out[0]->data = n->in[0]->data;
    w->made[w->num_made++] = n->out[0];
}

/* A node that upgrade could not bring into its form before types and constants were known. */
static void infer_waiting(Walk *w, Node *n)
{
    Graph list = upgrade_waiting(w->g, n);
    for (int i = 0; i < list.num_nodes; i++)
        check_supported_node(w->g, list.nodes[i]);
    infer_nodes(w, list.nodes, list.num_nodes);
}

static void check_outputs(const Graph *g, const Type *declared)
{
    for (int i = 0; i < g->num_outputs; i++) {
        const Tensor *t = g->outputs[i];
        if (!type_known(t->type))
            fail("%s: output '%s' is not made by any node", g->file, t->name);
        if (!type_matches(declared[i], t->type))
            fail("%s: output '%s' is declared as %s, but the graph computes %s", g->file, t->name,
                 type_text(declared[i]), type_text(t->type));
    }
}

void infer_nodes(Walk *w, Node *const *nodes, int count)
{
    for (int i = 0; i < count; i++) {
        Node *n = nodes[i];
        if (n->opset) {
            infer_waiting(w, n);
            continue;
        }
        if (n->op == OP_If || n->op == OP_Loop || n->op == OP_Scan) {
            infer_control(w, n);
            continue;
        }
        if (is_sequence_node(w, n)) {
            infer_sequence(w, n);
            continue;
        }
        infer_node(w->g, n);
        if (can_evaluate(w, n))
            replace_by_value(w, n);
        else
            keep(w, n);
    }
}

void pass_infer(Graph *g)
{
    check_inputs(g);
    Type *declared = NEW_ARRAY(Type, g->num_outputs);
    for (int i = 0; i < g->num_outputs; i++)
        declared[i] = g->outputs[i]->type;
    Walk w = {.g = g, .made = NEW_ARRAY(Tensor *, g->num_outputs)};
    w.is_output = graph_mark_outputs(g);
    w.num_first = g->num_tensors;
    infer_set_budget(&w);
    infer_nodes(&w, g->nodes, g->num_nodes);
    release_outputs(&w);
    g->nodes = w.kept.nodes;
    g->num_nodes = w.kept.num_nodes;
    check_outputs(g, declared);
}
