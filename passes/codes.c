/* codes.c - graphs with QuantizeLinear and DequantizeLinear: what stands between layers computes on codes.
 *
 * Requires an ordinary graph with static types. Gives the same values but for CodeAdd, CodeMul, CodeSlope,
 * CodeAverage and layers, whose codes may be one step off where the real value lies between two.
 *
 * 1. What only moves elements, or takes maxima, does so with codes: DequantizeLinear goes behind it,
 * QuantizeLinear in front, for each of its inputs. A DequantizeLinear that meets a QuantizeLinear of the same
 * step is gone with it.
 * 2. A function of one code is a table of 256 (CodeTable): its nodes are evaluated for all codes here.
 * 3. Sums and products of two, PRelu and averages become CodeAdd, CodeMul, CodeSlope and CodeAverage
 * (codes_numbers.c).
 * What is left runs in float between the two. Inputs and outputs that are codes know their step. */
#include "codes_walk.h"
#include "layers/layers.h"
#include "ops/ops.h"
#include "passes/passes.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- steps ---- */

static bool same_step(const Node *a, const Node *b)
{
    CodeStep s, t;
    return node_step(a, &s) && node_step(b, &t) && s.scale == t.scale && s.zero == t.zero;
}

static bool is_output(const Codes *c, const Tensor *t)
{
    return t->id < c->num_tensors && c->is_output[t->id];
}

/* The QuantizeLinear with one step that alone uses t. */
static Node *only_quantizer(const Codes *c, const Tensor *t, CodeStep *s)
{
    Node *n = only_user(c, t);
    return n && n->op == OP_QuantizeLinear && n->in[0] == t && node_step(n, s) ? n : NULL;
}

/* ---- 1. what moves elements ---- */

static Tensor *code_tensor(Codes *c, const Tensor *like, DType d)
{
    Type t = like->type;
    t.dtype = d;
    return graph_tensor(c->g, mem_printf("%s_codes", like->name), t);
}

/* QuantizeLinear or DequantizeLinear from x to y, with the step of n. */
static Node *copy_step(const Node *n, OpKind op, Tensor *x, Tensor *y)
{
    Node *copy = node_new(op, n->name, n->num_in, 1);
    memcpy(copy->in, n->in, (size_t)n->num_in * sizeof(Tensor *));
    copy->in[0] = x;
    copy->out[0] = y;
    return copy;
}

/* What the QuantizeLinear or DequantizeLinear `step` makes of dense values in `from`, for the tensor y. */
static void *convert(const Codes *c, OpKind op, const Node *step, Tensor *x, const void *from, Tensor *y)
{
    Node *n = copy_step(step, op, x, y);
    const void *in[] = {from, n->in[1]->data, n->num_in > 2 && n->in[2] ? n->in[2]->data : NULL};
    void *to = mem_alloc(type_bytes(y->type));
    void *out[] = {to};
    eval_node(c->g, n, in, out);
    return to;
}

/* The constant t as codes of a step. */
static Tensor *constant_codes(Codes *c, Tensor *t, const Node *step, DType d)
{
    Tensor *codes = code_tensor(c, t, d);
    codes->data = convert(c, OP_QuantizeLinear, step, t, t->data, codes);
    return codes;
}

/* Whether the constant t is codes of a step exactly. */
static bool has_codes_of(const Codes *c, Tensor *t, const Node *step, DType d)
{
    Type type = t->type;
    type.dtype = d;
    Tensor codes = {.name = "codes", .type = type};
    const void *found = convert(c, OP_QuantizeLinear, step, t, t->data, &codes);
    const float *again = convert(c, OP_DequantizeLinear, step, &codes, found, t);
    for (int64_t i = 0; i < type_elems(type); i++)
        if (again[i] != ((const float *)t->data)[i])
            return false;
    return true;
}

/* A Pad without a value pads with 0. */
static void give_value(Codes *c, Node *n)
{
    if (n->op != OP_Pad || strcmp(attr_string(n, "mode"), "constant") != 0 || (n->num_in > 2 && n->in[2]))
        return;
    Tensor **in = NEW_ARRAY(Tensor *, 3);
    memcpy(in, n->in, 2 * sizeof *in);
    in[2] = graph_const(c->g, mem_printf("%s_value", node_label(n)), type_make(DT_F32, 0, NULL), NEW(float));
    n->in = in;
    n->num_in = 3;
}

/* The DequantizeLinear behind which all lies that n moves; NULL: there is none. */
Node *dequantizer_of_all(const Codes *c, const Node *n)
{
    CodeStep s;
    Node *all = NULL;
    for (int k = 0; k < n->num_in; k++) {
        if (!n->in[k] || n->in[k]->data || !moves_input(n, k))
            continue;
        Node *from = dequantizer(n->in[k], &s);
        all = all ? all : from;
        if (!from || !same_step(from, all) || from->in[0]->type.dtype != all->in[0]->type.dtype)
            return NULL;
    }
    for (int k = 0; all && k < n->num_in; k++)
        if (n->in[k] && n->in[k]->data && moves_input(n, k) &&
            !has_codes_of(c, n->in[k], all, all->in[0]->type.dtype))
            return NULL;
    return all;
}

/* move (dequantize (x)) becomes dequantize (move (x)) */
static bool sink_dequantize(Codes *c, Node *n)
{
    const Node *from = moves_codes(n) ? dequantizer_of_all(c, n) : NULL;
    if (!from)
        return false;
    DType d = from->in[0]->type.dtype;
    give_value(c, n);
    for (int k = 0; k < n->num_in; k++)
        if (n->in[k] && moves_input(n, k))
            n->in[k] = n->in[k]->data ? constant_codes(c, n->in[k], from, d) : n->in[k]->producer->in[0];
    node_append(&c->result, n);
    for (int k = 0; k < n->num_out; k++) {
        Tensor *y = n->out[k];
        if (!y)
            continue;
        n->out[k] = code_tensor(c, y, d);
        n->out[k]->producer = n;
        node_append(&c->result, copy_step(from, OP_DequantizeLinear, n->out[k], y));
    }
    return true;
}

/* The largest and the least are at the same place among codes. */
static bool find_among_codes(Codes *c, Node *n)
{
    CodeStep s;
    const Node *from = n->op == OP_ArgMax || n->op == OP_ArgMin ? dequantizer(n->in[0], &s) : NULL;
    if (!from)
        return false;
    n->in[0] = from->in[0];
    node_append(&c->result, n);
    return true;
}

static Node *quantizer_behind(const Codes *c, const Node *n)
{
    CodeStep s;
    bool one = moves_codes(n);
    for (int k = 1; k < n->num_out; k++)
        one = one && !n->out[k];
    return one ? only_quantizer(c, n->out[0], &s) : NULL;
}

/* quantize (move (x)) becomes move (quantize (x)). In a walk from the last node to the first: nodes that are
 * appended come out in front of those before. */
static bool hoist_quantize(Codes *c, Node *n)
{
    Node *to = quantizer_behind(c, n);
    if (!to)
        return false;
    DType d = to->out[0]->type.dtype;
    give_value(c, n);
    n->out[0] = to->out[0];
    node_append(&c->result, n);
    for (int k = 0; k < n->num_in; k++) {
        Tensor *x = n->in[k];
        if (!x || !moves_input(n, k))
            continue;
        n->in[k] = x->data ? constant_codes(c, x, to, d) : code_tensor(c, x, d);
        if (x->data)
            continue;
        Node *copy = copy_step(to, OP_QuantizeLinear, x, n->in[k]);
        node_append(&c->result, copy);
        if (x->id < c->num_tensors && c->users[x->id])
            c->users[x->id] = copy;
    }
    to->op = OP_UNSUPPORTED; /* taken out behind the walk */
    return true;
}

/* What makes x, which only `reader` reads, makes y instead. */
static bool make_instead(const Codes *c, Node *reader, Tensor *y)
{
    Tensor *x = reader->in[0];
    Node *n = x->producer;
    if (!n || only_user(c, x) != reader)
        return false;
    for (int k = 0; k < n->num_out; k++)
        if (n->out[k] == x)
            n->out[k] = y;
    y->producer = n;
    reader->in[0] = y;
    return true;
}

/* quantize (dequantize (x)) of one step is x. */
static bool drop_pair(const Codes *c, const Node *n)
{
    CodeStep s;
    Node *from = n->op == OP_QuantizeLinear ? dequantizer(n->in[0], &s) : NULL;
    if (!from || !same_step(from, n) || from->in[0]->type.dtype != n->out[0]->type.dtype ||
        n->out[0]->id >= c->num_tensors)
        return false;
    if (is_output(c, n->out[0]))
        return make_instead(c, from, n->out[0]);
    c->replaced[n->out[0]->id] = from->in[0];
    return true;
}

/* ---- 2. functions of one code ---- */

enum { MAX_NODES = 16 };

/* Nodes from a QuantizeLinear back to one DequantizeLinear, the last first. */
typedef struct Region {
    const Node *nodes[MAX_NODES];
    int count;
    const Node *from;
} Region;

static bool region_has(const Region *r, const Node *n)
{
    for (int i = 0; i < r->count; i++)
        if (r->nodes[i] == n)
            return true;
    return false;
}

/* What t is made of joins the region. */
static bool grow_region(Region *r, const Tensor *t, Type type)
{
    CodeStep s;
    if (!t || is_float_scalar(t))
        return true;
    const Node *n = t->producer, *from = byte_dequantizer(t, &s);
    if (!n || !type_equal(t->type, type))
        return false;
    if (from) {
        bool same = !r->from || r->from->in[0] == from->in[0];
        r->from = r->from ? r->from : from;
        return same && same_step(r->from, from);
    }
    if (region_has(r, n))
        return true;
    if (!is_code_function(n) || r->count == MAX_NODES)
        return false;
    r->nodes[r->count++] = n;
    for (int i = 0; i < n->num_in; i++)
        if (!grow_region(r, n->in[i], type))
            return false;
    return true;
}

/* What makes t, copied on 256 elements into a graph of its own, where x is `all`. made: by tensor id. */
static Tensor *on_codes(Graph *g, const Tensor *t, Tensor **made, const Tensor *x, Tensor *all)
{
    if (!t)
        return NULL;
    if (t == x)
        return all;
    if (made[t->id])
        return made[t->id];
    if (t->data)
        return made[t->id] = graph_const(g, t->name, type_make(t->type.dtype, 0, NULL), t->data);
    const Node *n = t->producer;
    Node *copy = node_new(n->op, n->name, n->num_in, 1);
    copy->attrs = n->attrs;
    copy->num_attrs = n->num_attrs;
    for (int i = 0; i < n->num_in; i++)
        copy->in[i] = on_codes(g, n->in[i], made, x, all);
    Type type = t->type;
    type = type_make(type.dtype, 1, (const int64_t[]){CODES});
    copy->out[0] = made[t->id] = graph_tensor(g, t->name, type);
    node_append(g, copy);
    return copy->out[0];
}

static void forget_copies(Tensor **made, const Region *r)
{
    for (int i = 0; i < r->count; i++) {
        made[r->nodes[i]->out[0]->id] = NULL;
        for (int k = 0; k < r->nodes[i]->num_in; k++)
            if (r->nodes[i]->in[k])
                made[r->nodes[i]->in[k]->id] = NULL;
    }
}

/* What the region and the QuantizeLinear behind it make of each code. */
static uint8_t *tabulate(const Codes *c, const Region *r, const Node *quantizer)
{
    const int64_t dims[] = {CODES};
    const Region ends = {.nodes = {r->from, quantizer}, .count = 2};
    const Tensor *x = r->from->in[0];
    Graph *g = graph_new(c->g->file, "table");
    Tensor *all = graph_tensor(g, x->name, type_make(x->type.dtype, 1, dims));
    g->inputs = &all;
    g->num_inputs = 1;
    Tensor *result = on_codes(g, quantizer->out[0], c->made, x, all);
    forget_copies(c->made, r);
    forget_copies(c->made, &ends);
    uint8_t codes[CODES];
    for (int i = 0; i < CODES; i++)
        codes[i] = (uint8_t)i;
    const void *inputs[] = {codes};
    void **computed = eval_graph(g, inputs);
    uint8_t *table = memcpy(mem_alloc(CODES), computed[result->id], CODES);
    free(computed);
    return table;
}

static bool make_table(Codes *c, const Node *n)
{
    CodeStep s;
    Region r = {.count = 0};
    if (n->op != OP_QuantizeLinear || !dtype_is_byte(n->out[0]->type.dtype) || !node_step(n, &s) ||
        !grow_region(&r, n->in[0], n->in[0]->type) || !r.from)
        return false;
    const int64_t dims[] = {CODES};
    Type type = type_make(n->out[0]->type.dtype, 1, dims);
    Node *table = node_new(OP_CodeTable, n->name, 2, 1);
    table->in[0] = r.from->in[0];
    table->in[1] = graph_const(c->g, mem_printf("%s_table", n->out[0]->name), type, tabulate(c, &r, n));
    table->out[0] = n->out[0];
    node_append(&c->result, table);
    return true;
}

static void begin_walk(Codes *c)
{
    c->users = graph_only_users(c->g);
    c->is_output = graph_mark_outputs(c->g);
    c->num_tensors = c->g->num_tensors;
    c->replaced = NEW_ARRAY(Tensor *, c->num_tensors);
    c->made = NEW_ARRAY(Tensor *, c->num_tensors);
    c->result = (Graph){0};
}

/* ---- inputs and outputs ---- */

/* The codes t are of the step that n has. */
static void set_step(Tensor *t, const Node *n)
{
    CodeStep s;
    if (dtype_is_code(t->type.dtype) && node_step(n, &s))
        t->step = memcpy(NEW(CodeStep), &s, sizeof s);
}

/* Inputs and outputs that were codes before. */
static void find_steps(Codes *c)
{
    begin_walk(c);
    for (int i = 0; i < c->g->num_inputs; i++) {
        const Node *n = only_user(c, c->g->inputs[i]);
        if (n && n->op == OP_DequantizeLinear && n->in[0] == c->g->inputs[i])
            set_step(c->g->inputs[i], n);
    }
    for (int i = 0; i < c->g->num_outputs; i++) {
        const Node *n = c->g->outputs[i]->producer;
        if (n && n->op == OP_QuantizeLinear)
            set_step(c->g->outputs[i], n);
    }
}

/* Inputs that only become codes are codes, and so are outputs that come from codes. The nodes between are
 * gone. */
static bool open_input(const Codes *c, Tensor *x)
{
    CodeStep s;
    Node *n = only_quantizer(c, x, &s);
    if (!n || is_output(c, n->out[0]))
        return false;
    x->type = n->out[0]->type;
    set_step(x, n);
    c->replaced[n->out[0]->id] = x;
    n->op = OP_UNSUPPORTED;
    return true;
}

/* The codes take the output's name; what reads the numbers reads them behind n as before. */
static bool open_output(const Codes *c, Tensor *y)
{
    CodeStep s;
    Node *n = dequantizer(y, &s), *from = n ? n->in[0]->producer : NULL;
    if (!from || is_output(c, n->in[0]) || c->replaced[n->in[0]->id])
        return false;
    Tensor *codes = n->in[0], *real = graph_tensor(c->g, mem_printf("%s_real", y->name), y->type);
    c->replaced[y->id] = real;
    c->replaced[codes->id] = y;
    for (int k = 0; k < from->num_out; k++)
        if (from->out[k] == codes)
            from->out[k] = y;
    y->type = codes->type;
    set_step(y, n);
    y->producer = from;
    n->out[0] = real;
    real->producer = n;
    return true;
}

static void read_replaced(const Codes *c, Node *n)
{
    for (int k = 0; k < n->num_in; k++)
        if (n->in[k] && n->in[k]->id < c->num_tensors && c->replaced[n->in[k]->id])
            n->in[k] = c->replaced[n->in[k]->id];
}

static void open_to_codes(Codes *c)
{
    Graph *g = c->g;
    int opened = 0, kept = 0;
    begin_walk(c);
    for (int i = 0; i < g->num_inputs; i++)
        opened += open_input(c, g->inputs[i]);
    for (int i = 0; i < g->num_outputs; i++)
        opened += open_output(c, g->outputs[i]);
    if (!opened)
        fail("%s: --io: no input or output is quantised; --activations int8 or int16 does that", g->file);
    for (int i = 0; i < g->num_nodes; i++) {
        read_replaced(c, g->nodes[i]);
        if (g->nodes[i]->op != OP_UNSUPPORTED)
            g->nodes[kept++] = g->nodes[i];
    }
    g->num_nodes = kept;
}

/* ---- the pass ---- */

typedef bool Rule(Codes *c, Node *n);

/* One walk; the first rule that fits a node replaces it. */
static void apply(Codes *c, Rule *rule)
{
    begin_walk(c);
    for (int i = 0; i < c->g->num_nodes; i++) {
        Node *n = c->g->nodes[i];
        if (n->op == OP_UNSUPPORTED)
            continue;
        read_replaced(c, n);
        if (rule(c, n))
            c->changed = true;
        else
            node_append(&c->result, n);
    }
    c->g->nodes = c->result.nodes;
    c->g->num_nodes = c->result.num_nodes;
}

/* One walk from the last node to the first. */
static void hoist_all(Codes *c)
{
    Graph *g = c->g;
    begin_walk(c);
    for (int i = g->num_nodes - 1; i >= 0; i--) {
        if (hoist_quantize(c, g->nodes[i]))
            c->changed = true;
        else
            node_append(&c->result, g->nodes[i]);
    }
    g->nodes = NEW_ARRAY(Node *, c->result.num_nodes);
    g->num_nodes = 0;
    for (int i = c->result.num_nodes - 1; i >= 0; i--)
        if (c->result.nodes[i]->op != OP_UNSUPPORTED)
            g->nodes[g->num_nodes++] = c->result.nodes[i];
}

static bool rule_sink(Codes *c, Node *n)
{
    return sink_dequantize(c, n) || find_among_codes(c, n);
}

/* Tables before what would be moved into them. */
static bool rule_drop(Codes *c, Node *n)
{
    return drop_pair(c, n) || make_table(c, n);
}

void pass_codes(Graph *g, bool io)
{
    Codes c = {.g = g, .changed = has_codes(g)};
    find_steps(&c);
    while (c.changed) {
        c.changed = false;
        apply(&c, rule_sink);
        apply(&c, rule_drop);
        hoist_all(&c);
        pass_dce(g);
    }
    if (has_codes(g))
        apply(&c, compute_on_codes);
    if (io)
        open_to_codes(&c);
    pass_dce(g);
}
