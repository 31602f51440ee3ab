/* quantise.c - activations become codes: QuantizeLinear and DequantizeLinear around every tensor
 * between nodes that compute on codes.
 *
 * Requires an ordinary graph with static types, ternary weights chosen (ternarize), and the range of every
 * tensor (calibrate.c). Gives an ordinary graph still, which onnxruntime runs as well; codes.c and fuse.c
 * make integer layers of it.
 *
 * A tensor stays float where only nodes read it that compute in float, inside of what becomes one layer (a
 * linear node, its per-channel arithmetic, its clamp), inside of a function that becomes one table, and as an
 * output that shall. Tensors whose elements are moved have one step with what they are moved to. Codes are
 * unsigned where nothing is below 0. Weights that are not ternary are rounded to 127 steps for each output
 * channel, biases to steps of the sums; steps of weights are such that all runtimes multiply sums alike. Or
 * layers with such weights compute in float (--keep-as). */
#include "layers/layers.h"
#include "ops/ops.h"
#include "ops/recurrent.h"
#include "passes/passes.h"

#include <float.h>
#include <math.h>
#include <string.h>

typedef struct Quantising {
    Graph *g;
    const CodeKind *kind;
    const Range *ranges;
    int count; /* of the tensors that there were before */
    const bool *is_output;
    bool powers;          /* steps and scales of weights are powers of two */
    const bool *floats;   /* by tensor id: these weights stay in float, and so does their layer; NULL: none */
    Node *const *only;    /* graph_only_users */
    bool *coded;          /* by tensor id: gets a step */
    bool *linear;         /* by tensor id: made by a linear node, or by arithmetic that goes into its layer */
    bool *inner;          /* by tensor id: only read by the function that it is inside of */
    bool *ends;           /* by tensor id: what it is inside of makes codes */
    const Tensor **from;  /* by tensor id: what a function of one tensor is of; else itself */
    Tensor **root;        /* by tensor id: has the same step */
    Range *shared;        /* of a root */
    float *steps;         /* of a root: in place of what follows from its range; 0: that */
    bool *settled;        /* of a root: its step stays as it is */
    bool *even;           /* of a root: so is its zero */
    bool *states;         /* of a root: has outputs of cells in whole numbers */
    Tensor **replacement; /* by tensor id */
} Quantising;

/* ---- what nodes are ---- */

static bool is_linear(const Node *n)
{
    LinearWeights w;
    return n->op != OP_ConvTranspose && linear_weights(n, &w);
}

/* With the weights w that its layer has; in whole numbers. */
static bool counts(const Quantising *q, const Node *n, LinearWeights *w)
{
    return n->op != OP_ConvTranspose && product_weights(n, w) &&
           !(q->floats && q->floats[n->in[w->input]->id]);
}

/* An LSTM, GRU or RNN that will be in whole numbers where it reads codes. */
static bool is_cell(const Quantising *q, const Node *n)
{
    LinearWeights w;
    return q->kind->tables && node_weights(n, 1, &w) && counts(q, n, &w) &&
           !(q->floats && q->floats[n->in[CELL_R]->id]) && cell_counts(q->g, n);
}

static bool is_clamp(const Node *n)
{
    return n->op == OP_Relu || n->op == OP_Clip;
}

/* Arithmetic with a constant for each channel, or BatchNormalization: what a layer takes over in front of its
 * clamp. */
static bool is_affine(const Node *n)
{
    if (n->op == OP_BatchNormalization)
        return true;
    if (n->op != OP_Add && n->op != OP_Sub && n->op != OP_Mul && n->op != OP_Div)
        return false;
    return !n->in[0]->data != !n->in[1]->data;
}

static bool is_average(const Node *n)
{
    return n->op == OP_AveragePool || n->op == OP_GlobalAveragePool || n->op == OP_ReduceMean;
}

static bool is_sum(const Node *n)
{
    return (n->op == OP_Add || n->op == OP_Sum || n->op == OP_Sub) && is_code_arithmetic(n);
}

/* Whether n would be CodeAdd, CodeMul, CodeSlope or CodeAverage. */
static bool computes_on_codes(const Quantising *q, const Node *n)
{
    return is_average(n) || (q->kind->tables ? is_code_arithmetic(n) : is_sum(n));
}

static bool is_float(const Tensor *t)
{
    return t && !t->data && t->type.dtype == DT_F32 && type_elems(t->type) > 0;
}

/* ---- what tensors are ---- */

/* What n is a function of; NULL: not of one tensor. */
static const Tensor *source_of(const Quantising *q, const Node *n)
{
    const Tensor *of = NULL;
    for (int k = 0; k < n->num_in; k++) {
        const Tensor *t = n->in[k];
        if (!t || t->data)
            continue;
        if ((of && q->from[t->id] != of) || !type_equal(t->type, n->out[0]->type))
            return NULL;
        of = q->from[t->id];
    }
    return of;
}

static void find_sources(Quantising *q)
{
    for (int i = 0; i < q->g->num_tensors; i++)
        q->from[i] = q->g->tensors[i];
    for (int i = 0; i < q->g->num_nodes; i++) {
        const Node *n = q->g->nodes[i];
        if (!n->out[0])
            continue;
        const Tensor *of = q->kind->tables && is_code_function(n) ? source_of(q, n) : NULL;
        if (of)
            q->from[n->out[0]->id] = of;
        q->inner[n->out[0]->id] = of != NULL;
    }
    for (int i = 0; i < q->g->num_nodes; i++)
        for (int k = 0; k < q->g->nodes[i]->num_in; k++) {
            const Tensor *t = q->g->nodes[i]->in[k];
            const Tensor *y = q->g->nodes[i]->out[0];
            if (t && (!y || q->from[y->id] != q->from[t->id]))
                q->inner[t->id] = false;
        }
    for (int i = 0; i < q->g->num_outputs; i++)
        q->inner[q->g->outputs[i]->id] = false;
}

/* The operand of arithmetic that is no constant. */
static const Tensor *operand(const Node *n)
{
    return n->in[n->in[0]->data != NULL];
}

static void find_linear(Quantising *q)
{
    for (int i = 0; i < q->g->num_nodes; i++) {
        const Node *n = q->g->nodes[i];
        if (!n->out[0])
            continue;
        bool goes_on = is_affine(n) && q->linear[operand(n)->id] && q->only[operand(n)->id] == n;
        q->linear[n->out[0]->id] = is_linear(n) || goes_on;
    }
}

/* Whether t goes on inside of the layer, sum or average that makes it. */
static bool inside_layer(const Quantising *q, const Tensor *t)
{
    const Node *user = q->only[t->id], *n = t->producer;
    if (!user || !n)
        return false;
    if (q->linear[t->id])
        return is_affine(user) || is_clamp(user);
    return is_clamp(user) && computes_on_codes(q, n);
}

static bool inside_function(const Quantising *q, const Tensor *t)
{
    return q->inner[t->id];
}

/* Whether n moves elements of its input k with their step. */
static bool moves(const Quantising *q, const Node *n, int k)
{
    return moves_input(n, k) && n->out[0] && q->from[n->out[0]->id] == n->out[0];
}

static bool any_coded(const Quantising *q, const Node *n)
{
    for (int k = 0; k < n->num_out; k++)
        if (n->out[k] && q->coded[n->out[k]->id])
            return true;
    return false;
}

/* Whether n would compute on codes of its input k. */
static bool reads_codes(const Quantising *q, const Node *n, int k)
{
    LinearWeights w;
    if (counts(q, n, &w))
        return k == 1 - w.input;
    if (is_linear(n))
        return false;
    const Tensor *y = n->num_out ? n->out[0] : NULL;
    if (!y || !is_float(y))
        return false;
    if (moves(q, n, k))
        return any_coded(q, n);
    if (n->op == OP_Softmax)
        return q->kind->tables && k == 0 && q->coded[y->id];
    bool computes = computes_on_codes(q, n) || q->from[y->id] != y;
    return computes && (q->coded[y->id] || q->ends[y->id]);
}

static void choose_tensors(Quantising *q)
{
    for (int i = q->g->num_nodes - 1; i >= 0; i--) {
        const Node *n = q->g->nodes[i];
        const Tensor *y = n->out[0];
        bool ends = y && (q->coded[y->id] || q->ends[y->id]);
        for (int k = 0; k < n->num_in; k++) {
            const Tensor *t = n->in[k];
            if (!is_float(t) || !q->ranges[t->id].known)
                continue;
            if (inside_layer(q, t) || inside_function(q, t))
                q->ends[t->id] |= ends;
            else if (reads_codes(q, n, k))
                q->coded[t->id] = true;
        }
    }
}

/* ---- what has one step ---- */

static Tensor *root_of(const Quantising *q, const Tensor *t)
{
    while (q->root[t->id] != t)
        t = q->root[t->id];
    return q->root[t->id];
}

static void join(Quantising *q, const Tensor *a, const Tensor *b)
{
    if (!q->coded[a->id] || !q->coded[b->id])
        return;
    Tensor *to = root_of(q, a), *from = root_of(q, b);
    Range *r = &q->shared[to->id], s = q->shared[from->id];
    r->low = s.low < r->low ? s.low : r->low;
    r->high = s.high > r->high ? s.high : r->high;
    q->root[from->id] = to;
    q->states[to->id] |= q->states[from->id];
}

/* What h of cells, and all that has its step, is in codes of. */
static bool is_state(const Quantising *q, int root)
{
    const Range r = q->shared[root];
    return q->states[root] && r.low >= -1 && r.high <= 1;
}

static void mark_states(const Quantising *q)
{
    for (int i = 0; i < q->g->num_nodes; i++) {
        const Node *n = q->g->nodes[i];
        LinearWeights w;
        if (!is_cell(q, n) || !counts(q, n, &w) || !q->coded[n->in[CELL_X]->id])
            continue;
        for (int k = CELL_Y; k <= CELL_Y_H && k < n->num_out; k++)
            if (n->out[k])
                q->states[n->out[k]->id] = true;
    }
}

static void join_moved(Quantising *q)
{
    for (int i = 0; i < q->g->num_tensors; i++) {
        q->root[i] = q->g->tensors[i];
        q->shared[i] = q->ranges[i];
    }
    mark_states(q);
    for (int i = 0; i < q->g->num_nodes; i++) {
        const Node *n = q->g->nodes[i];
        for (int k = 0; k < n->num_in; k++)
            for (int j = 0; n->in[k] && j < n->num_out && moves(q, n, k); j++)
                join(q, n->out[j], n->in[k]);
    }
}

/* Whether the range leads to no step: nothing but 0 was seen. */
static bool is_zero(Range r)
{
    return fabsf(r.low) < FLT_MIN * UINT8_MAX && fabsf(r.high) < FLT_MIN * UINT8_MAX;
}

/* An inner tensor may be 0 whatever the inputs are. */
void check_input_range(const Graph *g, const Tensor *x, Range r)
{
    if (is_zero(r))
        fail("%s: input '%s' is 0 in all samples; its range needs samples as the application has them",
             g->file, x->name);
}

static bool is_softmax(const CodeKind *kind, const Tensor *t)
{
    return kind->tables && t->producer && t->producer->op == OP_Softmax;
}

CodeStep choose_step(const Graph *g, const Tensor *t, const CodeKind *kind, Range r, DType *d)
{
    if (is_softmax(kind, t)) { /* a whole number of steps is 1 */
        *d = kind->positive;
        return (CodeStep){1.0f / 256, 0};
    }
    if (!isfinite(r.low) || !isfinite(r.high))
        fail("%s: tensor '%s' has values that are not finite on the data of --calibrate; it cannot be "
             "quantised",
             g->file, t->name);
    double low = fmin(0, (double)r.low), high = fmax(0, (double)r.high);
    *d = low < 0 ? kind->any : kind->positive;
    double least = code_low(*d), most = code_high(*d);
    float step = (float)(kind->centred ? fmax(-low, high) / most : (high - low) / (most - least));
    if (!isnormal(step))
        step = 1;
    double zero = kind->centred ? 0 : fmin(fmax(round(-low / (double)step) + least, least), most);
    return (CodeStep){(double)step, (int)zero};
}

static Node *step_node(OpKind op, const Tensor *of, Tensor *x, Tensor *scale, Tensor *zero, Tensor *y)
{
    Node *n = node_new(op, mem_printf("%s_%s", of->name, op == OP_QuantizeLinear ? "quantize" : "dequantize"),
                       3, 1);
    n->in[0] = x;
    n->in[1] = scale;
    n->in[2] = zero;
    n->out[0] = y;
    return n;
}

static CodeStep step_of(const Quantising *q, const Tensor *t, DType *d)
{
    int root = root_of(q, t)->id;
    if (is_state(q, root)) {
        *d = DT_I8;
        return (CodeStep){ldexp(1, -h_bits_for(q->shared[root])), 0};
    }
    CodeStep s = choose_step(q->g, t, q->kind, q->shared[root], d);
    if (q->powers)
        s = power_step(s, q->shared[root], *d);
    if (q->steps[root] > 0)
        s.scale = (double)q->steps[root];
    if (q->even[root] && s.zero % 2 != 0)
        s.zero += s.zero > 0 ? -1 : 1;
    return s;
}

/* What has the codes of n's results, with nothing but clamps between; NULL: there is none. */
static const Tensor *coded_behind(const Quantising *q, const Node *n)
{
    const Tensor *t = n->out[0];
    while (!q->coded[t->id]) {
        const Node *user = q->only[t->id];
        if (!user || !is_clamp(user))
            return NULL;
        t = user->out[0];
    }
    return t;
}

/* How many elements n takes the mean of. */
static int64_t mean_of(const Graph *g, const Node *n)
{
    if (n->op != OP_AveragePool)
        return type_elems(n->in[0]->type) / type_elems(n->out[0]->type);
    const Window w = op_window(g, n);
    return w.kernel[0] * w.kernel[1] * w.kernel[2];
}

/* Steps of what n adds up, by that of its sums or means. */
static void snap_terms(Quantising *q, const Node *n)
{
    DType d;
    const Tensor *y = coded_behind(q, n);
    if (!y)
        return;
    q->settled[root_of(q, y)->id] = true;
    float by = (float)step_of(q, y, &d).scale * (float)(is_sum(n) ? 1 : mean_of(q->g, n));
    for (int k = 0; k < n->num_in; k++) {
        const Tensor *t = n->in[k];
        int root = t && q->coded[t->id] ? root_of(q, t)->id : -1;
        if (root < 0 || q->settled[root])
            continue;
        q->steps[root] = snap_step((float)step_of(q, t, &d).scale, by);
        q->settled[root] = true;
    }
}

static bool adds_up(const Node *n)
{
    return is_sum(n) || is_average(n);
}

/* Some runtimes round halves to the even number, some to the even code: with an even zero that is the same.
 */
static void choose_zeros(Quantising *q)
{
    for (int i = 0; i < q->g->num_nodes; i++) {
        const Tensor *y = adds_up(q->g->nodes[i]) ? coded_behind(q, q->g->nodes[i]) : NULL;
        if (y)
            q->even[root_of(q, y)->id] = true;
    }
}

/* Steps of inputs are the application's, and Softmax has its own. */
static void snap_steps(Quantising *q)
{
    choose_zeros(q);
    for (int i = 0; i < q->count; i++) {
        const Tensor *t = q->g->tensors[i];
        if (q->coded[i] && (!t->producer || is_softmax(q->kind, t) || is_state(q, root_of(q, t)->id))) {
            q->settled[root_of(q, t)->id] = true;
            q->even[root_of(q, t)->id] = false;
        }
    }
    for (int i = q->g->num_nodes - 1; i >= 0 && q->kind->snaps && !q->powers; i--)
        if (adds_up(q->g->nodes[i]))
            snap_terms(q, q->g->nodes[i]);
}

/* The codes of t, from x to y. */
static void add_step(const Quantising *q, Graph *result, const Tensor *t, Tensor *x, Tensor *y)
{
    DType d;
    CodeStep s = step_of(q, t, &d);
    float *step = NEW(float);
    *step = (float)s.scale;
    Type one = type_make(DT_F32, 0, NULL), code = t->type;
    code.dtype = d;
    void *z = mem_alloc(dtype_size(d));
    elem_set(z, d, 0, s.zero);
    Tensor *scale = graph_const(q->g, mem_printf("%s_step", t->name), one, step);
    one.dtype = d;
    Tensor *point = graph_const(q->g, mem_printf("%s_zero", t->name), one, z);
    Tensor *codes = graph_tensor(q->g, mem_printf("%s_codes", t->name), code);
    node_append(result, step_node(OP_QuantizeLinear, t, x, scale, point, codes));
    node_append(result, step_node(OP_DequantizeLinear, t, codes, scale, point, y));
}

/* ---- weights ---- */

static Tensor *round_weights(const Quantising *q, const Tensor *t, const Ternary *box)
{
    int64_t count = type_elems(t->type);
    float *to = NEW_ARRAY(float, count);
    memcpy(to, t->data, (size_t)count * sizeof *to);
    weights_to_grid(to, box);
    return graph_const(q->g, mem_printf("%s_rounded", t->name), t->type, to);
}

/* What tells the range of the sums of codes of t: one row of weights for each output channel. */
static Layer sums_of(const Quantising *q, const Tensor *t, const Ternary *codes, int8_t *rows)
{
    int64_t co = ternary_channels(codes), each = codes->mid * codes->inner;
    Quantised *r = NEW(Quantised);
    r->in_zero = step_of(q, t, &r->in).zero;
    for (int64_t i = 0; i < co * each; i++)
        rows[i] = codes->codes[ternary_position(codes, i / each, i % each)];
    return (Layer){
        .kind = LAYER_FC, .groups = 1, .ci = each, .co = co, .kh = 1, .kw = 1, .ints = rows, .quantised = r};
}

static Tensor *from_codes(const Quantising *q, const Tensor *like, const Ternary *codes)
{
    int64_t each = codes->mid * codes->inner;
    float *to = NEW_ARRAY(float, type_elems(like->type));
    for (int64_t i = 0; i < type_elems(like->type); i++) {
        int64_t at = ternary_position(codes, i / each, i % each);
        to[at] = (float)codes->codes[at] * codes->scales[i / each];
    }
    Tensor *t = graph_const(q->g, mem_printf("%s_exact", like->name), like->type, to);
    if (like->ternary) {
        t->ternary = NEW(Ternary);
        *t->ternary = *codes;
    }
    return t;
}

/* Scales with which all runtimes multiply the sums by the same. */
static Tensor *snap_weights(const Quantising *q, const Node *n, const LinearWeights *w)
{
    Tensor *t = n->in[w->input];
    const Tensor *x = n->in[1 - w->input], *y = coded_behind(q, n), *bias = channel_bias(n, w);
    Ternary codes;
    if (!y || !weight_codes(t, &w->box, false, &codes))
        return t;
    DType in, out;
    const Layer l = sums_of(q, x, &codes, NEW_ARRAY(int8_t, type_elems(t->type)));
    const float *b = bias ? bias->data : NULL;
    bool changed = snap_scales(&l, step_of(q, x, &in), step_of(q, y, &out), b, codes.scales);
    return changed ? from_codes(q, t, &codes) : t;
}

/* The bias, in steps of the sums; as it is, where that is not possible. */
static Tensor *round_bias(const Quantising *q, const Node *n, const LinearWeights *w)
{
    Tensor *bias = n->in[2];
    Ternary codes;
    DType d;
    if (!weight_codes(n->in[w->input], &w->box, true, &codes))
        return bias;
    float step = (float)step_of(q, n->in[1 - w->input], &d).scale;
    int64_t count = ternary_channels(&w->box);
    int32_t *whole = NEW_ARRAY(int32_t, count);
    float *steps = NEW_ARRAY(float, count), *to = NEW_ARRAY(float, count);
    if (!bias_codes(bias, step, codes.scales, whole, steps))
        return bias;
    for (int64_t c = 0; c < count; c++)
        to[c] = (float)whole[c] * steps[c];
    return graph_const(q->g, mem_printf("%s_rounded", bias->name), bias->type, to);
}

static void round_input(const Quantising *q, Node *n, const LinearWeights *w)
{
    if (q->powers)
        n->in[w->input] = power_weights(q->g, n, w->input, &w->box, q->only);
    else if (!n->in[w->input]->ternary)
        n->in[w->input] = round_weights(q, n->in[w->input], &w->box);
}

/* Of a node that reads codes: as a file of integers has them (store.c). */
static void round_constants(const Quantising *q, Node *n)
{
    LinearWeights w, r;
    if (!counts(q, n, &w) || !q->coded[n->in[1 - w.input]->id])
        return;
    bool cell = is_cell(q, n);
    round_input(q, n, &w);
    if (cell && node_weights(n, 1, &r))
        round_input(q, n, &r);
    if (!is_linear(n)) /* LSTM, GRU, RNN: the products are no codes */
        return;
    if (q->kind->snaps && !q->powers)
        n->in[w.input] = snap_weights(q, n, &w);
    if (channel_bias(n, &w))
        n->in[2] = round_bias(q, n, &w);
}

/* Dead channels are no fault, but what never was anything has no range either. */
static void note_zeros(const Quantising *q)
{
    for (int i = 0; i < q->count; i++) {
        const Tensor *t = q->g->tensors[i];
        if (q->coded[i] && t->producer && !moves_codes(t->producer) && is_zero(q->shared[root_of(q, t)->id]))
            note("%s: tensor '%s' is 0 in all samples: its step is 1; are they as the application has them?",
                 q->g->file, t->name);
    }
}

/* ---- the pass ---- */

/* An output keeps its name behind the two nodes; else what reads the tensor reads their end. */
static void add_output_step(Quantising *q, Graph *result, Node *n, int k)
{
    Tensor *t = n->out[k], *end = t;
    if (!t || t->id >= q->count || !q->coded[t->id])
        return;
    if (q->is_output[t->id]) {
        n->out[k] = graph_tensor(q->g, mem_printf("%s_exact", t->name), t->type);
        n->out[k]->producer = n;
    } else {
        end = q->replacement[t->id] = graph_tensor(q->g, mem_printf("%s_quantised", t->name), t->type);
    }
    add_step(q, result, t, n->out[k], end);
}

static void add_steps(Quantising *q, Graph *result)
{
    for (int i = 0; i < q->g->num_inputs; i++) {
        Tensor *x = q->g->inputs[i];
        if (!q->coded[x->id])
            continue;
        check_input_range(q->g, x, q->shared[root_of(q, x)->id]);
        q->replacement[x->id] = graph_tensor(q->g, mem_printf("%s_quantised", x->name), x->type);
        add_step(q, result, x, x, q->replacement[x->id]);
    }
    for (int i = 0; i < q->g->num_nodes; i++) {
        Node *n = q->g->nodes[i];
        round_constants(q, n);
        for (int k = 0; k < n->num_in; k++)
            if (n->in[k] && n->in[k]->id < q->count && q->replacement[n->in[k]->id])
                n->in[k] = q->replacement[n->in[k]->id];
        node_append(result, n);
        for (int k = 0; k < n->num_out; k++)
            add_output_step(q, result, n, k);
    }
}

/* Whether output k of n is a state that came as an input, and goes back there in the next run. */
static bool goes_back(const Node *n, int k)
{
    bool cell = n->op == OP_LSTM || n->op == OP_GRU || n->op == OP_RNN;
    const Tensor *from = cell ? cell_input(n, k == CELL_Y_C ? CELL_C : CELL_H) : NULL;
    return from && !from->data && (k != CELL_Y || n->out[k]->type.dims[attr_int(n, "layout") != 0] == 1);
}

/* By tensor id: has such states, moved perhaps. */
static bool *mark_going_back(const Graph *g)
{
    bool *state = NEW_ARRAY(bool, g->num_tensors);
    for (int i = 0; i < g->num_nodes; i++) {
        const Node *n = g->nodes[i];
        bool moved = false;
        for (int k = 0; k < n->num_in; k++)
            moved |= n->in[k] && moves_input(n, k) && state[n->in[k]->id];
        for (int k = 0; k < n->num_out; k++)
            if (n->out[k])
                state[n->out[k]->id] = moved || goes_back(n, k);
    }
    return state;
}

/* States stay as they come in: those of a cell have more bits than codes. */
static void choose_outputs(Quantising *q)
{
    const bool *state = mark_going_back(q->g);
    for (int i = 0; i < q->g->num_outputs; i++) {
        const Tensor *t = q->g->outputs[i];
        q->coded[t->id] = is_float(t) && t->producer && q->ranges[t->id].known && !state[t->id];
    }
}

/* What gets a step, and which tensors have one together. */
static Quantising choose(Graph *g, const Range *ranges, const bool *floats, const Options *opt)
{
    int count = g->num_tensors;
    Quantising q = {.g = g,
                    .kind = opt->codes,
                    .ranges = ranges,
                    .count = count,
                    .floats = floats,
                    .only = graph_only_users(g),
                    .is_output = graph_mark_outputs(g),
                    .coded = NEW_ARRAY(bool, count),
                    .linear = NEW_ARRAY(bool, count),
                    .inner = NEW_ARRAY(bool, count),
                    .ends = NEW_ARRAY(bool, count),
                    .from = NEW_ARRAY(const Tensor *, count),
                    .root = NEW_ARRAY(Tensor *, count),
                    .shared = NEW_ARRAY(Range, count),
                    .steps = NEW_ARRAY(float, count),
                    .settled = NEW_ARRAY(bool, count),
                    .even = NEW_ARRAY(bool, count),
                    .states = NEW_ARRAY(bool, count),
                    .replacement = NEW_ARRAY(Tensor *, count)};
    find_sources(&q);
    find_linear(&q);
    if (opt->io)
        choose_outputs(&q);
    choose_tensors(&q);
    join_moved(&q);
    return q;
}

/* Of weights: NULL where all are to be whole numbers, else those that are not among `ternary`. */
static const bool *choose_floats(const Graph *g, const Options *opt, const bool *ternary)
{
    if (!opt->keep_float)
        return NULL;
    bool *floats = NEW_ARRAY(bool, g->num_tensors);
    for (int i = 0; i < g->num_tensors; i++)
        floats[i] = !g->tensors[i]->ternary && !(ternary && ternary[i]);
    return floats;
}

int *coded_tensors(Graph *g, const Range *ranges, const Options *opt)
{
    const bool *floats = choose_floats(g, opt, ternary_tensors(g, opt));
    const Quantising q = choose(g, ranges, floats, opt);
    int *roots = NEW_ARRAY(int, g->num_tensors);
    for (int i = 0; i < g->num_tensors; i++)
        roots[i] = q.coded[i] ? root_of(&q, g->tensors[i])->id : -1;
    return roots;
}

bool pass_quantise(Graph *g, const Range *ranges, const Options *opt)
{
    Quantising q = choose(g, ranges, choose_floats(g, opt, NULL), opt);
    q.powers = opt->powers;
    if (!opt->quiet)
        note_zeros(&q);
    snap_steps(&q);
    Graph result = {0};
    add_steps(&q, &result);
    bool changed = result.num_nodes > g->num_nodes;
    g->nodes = result.nodes;
    g->num_nodes = result.num_nodes;
    return changed;
}
