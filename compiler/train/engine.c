/* engine.c - forward and backward through a graph for a batch of samples.
 *
 * Heavy operators are kernels of the library (dnnl.c) or of train_kernels.c. The others are computed by the
 * elementwise and data-movement kernels of the runtime (OpDef.eval) and by their gradient rule (OpDef.grad)
 * on dense elements. Broadcasting is handled here, once: a rule with OpDef.grad_flat sees every input in the
 * shape of the output.
 *
 * Gradients are sums over the readers of a tensor. The first part is stored, later ones are added; nothing is
 * zeroed in advance. */
#include "ops/grad.h"
#include "ops/ops.h"
#include "train/engine.h"

#include <stdlib.h>
#include <string.h>

struct Step {
    bool used;          /* the score depends on it */
    NodeKernel *kernel; /* NULL: OpDef.eval and OpDef.grad */
    const void **in;
    void **out;
    const float **dout;
    float **din;
    int32_t **maps;  /* by input: the input's element for each of the output; NULL: the same shape */
    void **expanded; /* by input with a map */
    float **expanded_grad;
    void *own; /* the rule's */
};

/* ---- what is trained ---- */

static bool is_norm(OpKind op)
{
    return op == OP_BatchNormalization || op == OP_LayerNormalization || op == OP_InstanceNormalization;
}

static bool is_linear(OpKind op)
{
    return op == OP_Conv || op == OP_ConvTranspose || op == OP_Gemm || op == OP_MatMul;
}

static bool is_arithmetic(OpKind op)
{
    return op == OP_Add || op == OP_Sub || op == OP_Mul || op == OP_Div;
}

/* Whether constant input i of n is trained. Numbers of the architecture (limits, single factors) are not, nor
 * what prepares the input of the model. */
static bool is_trained(const Node *n, int i, const bool *depends)
{
    const Tensor *t = n->in[i];
    if (!t || !t->data || t->type.dtype != DT_F32 || !type_elems(t->type))
        return false;
    if (is_linear(n->op))
        return true;
    if (is_norm(n->op))
        return i == 1 || i == 2;
    if (n->op == OP_PRelu)
        return i == 1;
    const Tensor *other = n->num_in == 2 ? n->in[1 - i] : NULL;
    return is_arithmetic(n->op) && type_elems(t->type) > 1 && other && depends[other->id];
}

static void add_param(ParamList *l, const Node *n, const Tensor *t)
{
    for (int i = 0; i < l->count; i++)
        if (l->items[i].t == t)
            return;
    Param *p = &l->items[l->count++];
    *p = (Param){.t = t, .node = n, .at = l->total, .count = type_elems(t->type)};
    LinearWeights w;
    if (linear_weights(n, &w) && n->in[w.input] == t) {
        p->is_weight = p->decays = true;
        p->box = w.box;
    }
    l->total += (p->count + 15) & ~(int64_t)15;
}

static int count_inputs(const Graph *g)
{
    int count = 0;
    for (int i = 0; i < g->num_nodes; i++)
        count += g->nodes[i]->num_in;
    return count;
}

/* Fills the lists; depends[id]: computed from a parameter, or one itself. */
static void find_params(Engine *e, bool *depends)
{
    int most = count_inputs(e->g);
    e->params.items = NEW_ARRAY(Param, most);
    e->stats.items = NEW_ARRAY(Param, most + e->g->num_tensors);
    for (int i = 0; i < e->g->num_nodes; i++) {
        const Node *n = e->g->nodes[i];
        bool any = false;
        for (int j = 0; j < n->num_in; j++) {
            if (is_trained(n, j, depends)) {
                add_param(&e->params, n, n->in[j]);
                depends[n->in[j]->id] = true;
            } else if (n->op == OP_BatchNormalization && j > 2 && n->in[j]->data &&
                       n->in[j]->type.dtype == DT_F32) {
                add_param(&e->stats, n, n->in[j]);
            }
            any |= n->in[j] && depends[n->in[j]->id];
        }
        for (int j = 0; j < n->num_out; j++)
            if (n->out[j])
                depends[n->out[j]->id] = any;
    }
}

/* ---- what needs a gradient ---- */

static bool *find_reaching(const Engine *e)
{
    bool *reaches = NEW_ARRAY(bool, e->g->num_tensors);
    reaches[e->score->id] = true;
    for (int i = e->g->num_nodes - 1; i >= 0; i--) {
        const Node *n = e->g->nodes[i];
        for (int j = 0; j < n->num_out; j++)
            e->steps[i].used |= n->out[j] && reaches[n->out[j]->id];
        for (int j = 0; j < n->num_in; j++)
            if (n->in[j] && e->steps[i].used)
                reaches[n->in[j]->id] = true;
    }
    return reaches;
}

static bool has_float_output(const Node *n)
{
    for (int j = 0; j < n->num_out; j++)
        if (n->out[j] && n->out[j]->type.dtype == DT_F32)
            return true;
    return false;
}

/* Comparisons and the like are flat almost everywhere: their gradient is zero, not missing. */
static bool needs_rule(const Node *n)
{
    bool decides = !has_float_output(n) && n->op != OP_Cast;
    return !decides && n->op != OP_Shape && n->op != OP_Size;
}

static void check_rules(const Engine *e, const bool *depends)
{
    Text list = {0};
    for (int i = 0; i < e->g->num_nodes; i++)
        if (e->g->nodes[i]->op == OP_LoopBegin)
            fail_node(e->g, e->g->nodes[i],
                      "a Loop whose course is not known at compile time cannot be trained");
    for (int i = 0; i < e->g->num_nodes; i++) {
        const Node *n = e->g->nodes[i];
        bool any = false;
        for (int j = 0; j < n->num_in; j++)
            any |= n->in[j] && depends[n->in[j]->id];
        bool has = op_def(n->op)->grad && has_float_output(n);
        if (e->steps[i].used && any && !has && needs_rule(n))
            text_printf(&list, "%s%s (node '%s')", list.len ? ", " : "", n->op_name, node_label(n));
    }
    if (!list.data)
        return;
    char *names = text_take(&list);
    fail("%s: cannot be trained: operators without a gradient lie between its weights and its output: %s",
         e->g->file, names);
}

static bool node_wanted(const Engine *e, const Node *n)
{
    for (int j = 0; j < n->num_out; j++)
        if (n->out[j] && e->values[n->out[j]->id].wanted)
            return true;
    return false;
}

static void mark_wanted(Engine *e, const bool *depends, const bool *reaches)
{
    for (int i = 0; i < e->g->num_tensors; i++) {
        const Tensor *t = e->g->tensors[i];
        e->values[i].wanted = depends[i] && reaches[i] && t->type.dtype == DT_F32;
    }
    for (int i = 0; i < e->g->num_nodes; i++) {
        const Node *n = e->g->nodes[i];
        for (int j = 0; e->steps[i].used && node_wanted(e, n) && j < n->num_in; j++)
            if (n->in[j])
                e->values[n->in[j]->id].readers++;
    }
}

/* ---- memory ---- */

static float *block_new(Engine *e, const ParamList *l, float *grads)
{
    float *block = floats_new(l->total);
    for (int i = 0; i < l->count; i++) {
        const Param *p = &l->items[i];
        if (!p->t)
            continue;
        Value *v = &e->values[p->t->id];
        memcpy(block + p->at, p->t->data, (size_t)p->count * sizeof(float));
        v->data = block + p->at;
        v->grad = grads && v->wanted ? grads + p->at : NULL;
    }
    return block;
}

static void find_lifetimes(Engine *e)
{
    enum { OF_A_VALUE = 3 }; /* grad, scratch, dense_grad */
    e->pool.items = NEW_ARRAY(GradBlock, (int64_t)OF_A_VALUE * e->g->num_tensors);
    for (int i = 0; i < e->g->num_tensors; i++) {
        Value *v = &e->values[i];
        v->pool = &e->pool;
        v->first = v->last = -1;
    }
    for (int i = 0; i < e->g->num_nodes; i++) {
        const Node *n = e->g->nodes[i];
        for (int j = 0; j < n->num_in; j++)
            if (n->in[j])
                e->values[n->in[j]->id].last = i;
        for (int j = 0; j < n->num_out; j++)
            if (n->out[j])
                e->values[n->out[j]->id].first = e->values[n->out[j]->id].last = i;
    }
    e->values[e->score->id].last = e->g->num_nodes;
}

static void place_constants(Engine *e)
{
    for (int i = 0; i < e->g->num_tensors; i++) {
        Value *v = &e->values[i];
        const Tensor *t = e->g->tensors[i];
        if (!t->data)
            continue;
        if (t->type.dtype != DT_F32)
            v->data = v->dense = (void *)(uintptr_t)t->data;
        else if (!v->data)
            v->data = (void *)(uintptr_t)t->data;
        if (t->type.dtype == DT_F32)
            value_allocate(v, NULL);
    }
}

static void prepare_expansion(Engine *e, Step *s, const Node *n)
{
    Type y = n->out[0]->type;
    for (int i = 0; i < n->num_in; i++) {
        s->maps[i] = n->in[i] ? broadcast_map(y, n->in[i]->type) : NULL;
        if (!s->maps[i])
            continue;
        s->expanded[i] = mem_array(type_elems(y), dtype_size(n->in[i]->type.dtype));
        if (e->values[n->in[i]->id].wanted)
            s->expanded_grad[i] = NEW_ARRAY(float, type_elems(y));
    }
}

static void prepare_plain(Engine *e, Step *s, const Node *n)
{
    s->in = NEW_ARRAY(const void *, n->num_in);
    s->out = NEW_ARRAY(void *, n->num_out);
    s->dout = NEW_ARRAY(const float *, n->num_out);
    s->din = NEW_ARRAY(float *, n->num_in);
    s->maps = NEW_ARRAY(int32_t *, n->num_in);
    s->expanded = NEW_ARRAY(void *, n->num_in);
    s->expanded_grad = NEW_ARRAY(float *, n->num_in);
    for (int j = 0; j < n->num_in; j++)
        if (n->in[j])
            value_need_dense(&e->values[n->in[j]->id]);
    for (int j = 0; j < n->num_out; j++)
        if (n->out[j]) {
            value_allocate(&e->values[n->out[j]->id], NULL);
            s->out[j] = e->values[n->out[j]->id].data;
        }
    if (n->out[0] && op_def(n->op)->grad_flat && node_wanted(e, n))
        prepare_expansion(e, s, n);
}

/* Gradient rules see what their node made, not the codes. */
static void keep_exact(Engine *e)
{
    for (int i = 0; i < e->g->num_nodes; i++) {
        const Node *n = e->g->nodes[i];
        Step *s = &e->steps[i];
        for (int j = 0; s->used && !s->kernel && j < n->num_out; j++) {
            FakeCodes *c = n->out[j] ? e->values[n->out[j]->id].codes : NULL;
            if (c)
                s->out[j] = c->exact = floats_new(e->values[n->out[j]->id].size);
        }
    }
}

/* Of a node for which there is no kernel. */
static bool has_gradient(const Graph *g, const Node *n)
{
    const OpDef *def = op_def(n->op);
    return def->grad != grad_kernel && (!def->has_grad || def->has_grad(g, n));
}

static void prepare_steps(Engine *e)
{
    for (int i = 0; i < e->g->num_inputs; i++)
        value_allocate(&e->values[e->g->inputs[i]->id], NULL);
    for (int i = 0; i < e->g->num_nodes; i++) {
        Step *s = &e->steps[i];
        const Node *n = e->g->nodes[i];
        if (!s->used)
            continue;
        s->kernel = n->out[0] ? train_kernel(e, n) : NULL;
        if (!s->kernel && n->out[0])
            s->kernel = library_kernel(e, n);
        if (!s->kernel && node_wanted(e, n) && !has_gradient(e->g, n))
            fail_node(e->g, n, "this form of %s has no gradient", n->op_name);
        if (!s->kernel)
            prepare_plain(e, s, n);
    }
    value_need_dense(&e->values[e->score->id]);
}

/* A constant, or what mixes the samples. */
static void check_score(const Engine *e, const Tensor *of_one)
{
    if (type_elems(e->score->type) != e->batch * type_elems(of_one->type))
        fail("%s: cannot be computed in batches: '%s' has no value for each sample, it is %s for one and %s "
             "for "
             "%s of them",
             e->g->file, of_one->name, type_text(of_one->type), type_text(e->score->type),
             int_text(e->batch));
}

Engine *engine_new(const Graph *g, const Tensor *score, int64_t batch, int threads, Wanted wanted)
{
    return engine_new_coded(g, score, batch, threads, wanted, NULL);
}

Engine *engine_new_coded(const Graph *g, const Tensor *score, int64_t batch, int threads, Wanted wanted,
                         const CodePlan *plan)
{
    Engine *e = NEW(Engine);
    Graph *b = graph_with_batch(g, batch);
    *e = (Engine){.g = b, .batch = batch, .score = b->tensors[score->id], .momentum = 0.9};
    check_score(e, score);
    e->values = NEW_ARRAY(Value, b->num_tensors);
    e->steps = NEW_ARRAY(Step, b->num_nodes);
    e->uses = graph_use_counts(b);
    e->users = graph_only_users(b);
    for (int i = 0; i < b->num_tensors; i++)
        e->values[i].t = b->tensors[i];
    bool *depends = NEW_ARRAY(bool, b->num_tensors), *reaches = find_reaching(e);
    for (int i = 0; wanted == WANT_INPUTS && i < b->num_inputs; i++)
        depends[b->inputs[i]->id] = b->inputs[i]->type.dtype == DT_F32;
    find_params(e, depends);
    if (plan)
        fake_find(e, plan);
    if (wanted != WANT_NONE) {
        check_rules(e, depends);
        mark_wanted(e, depends, reaches);
        e->grads = floats_new(e->params.total);
    }
    find_lifetimes(e);
    e->lib = library_open(threads);
    e->weights = block_new(e, &e->params, e->grads);
    e->running = block_new(e, &e->stats, NULL);
    place_constants(e);
    prepare_steps(e);
    fake_prepare(e);
    keep_exact(e);
    return e;
}

void engine_set_constant(Engine *e, const Tensor *t, const float *data)
{
    for (int i = 0; i < e->params.count; i++) {
        const Param *p = &e->params.items[i];
        if (p->t->id == t->id) {
            memcpy(e->weights + p->at, data, (size_t)p->count * sizeof *data);
            return;
        }
    }
    Value *v = &e->values[t->id];
    v->data = v->dense = (void *)(uintptr_t)data;
}

void engine_free(Engine *e)
{
    for (int i = 0; i < e->g->num_nodes; i++) {
        free(e->steps[i].own);
        if (e->steps[i].kernel)
            library_kernel_free(e->steps[i].kernel);
    }
    for (int i = 0; i < e->num_codes; i++)
        free(e->codes[i].exact);
    for (int i = 0; i < e->g->num_tensors; i++) {
        Value *v = &e->values[i];
        if (v->dense != v->data)
            free(v->dense);
        if (!v->shared && !v->t->data)
            free(v->data);
    }
    pool_free(&e->pool);
    free(e->weights);
    free(e->running);
    free(e->grads);
    library_close(e->lib);
}

/* ---- forward ---- */

void *engine_input(Engine *e)
{
    return e->values[e->g->inputs[0]->id].data;
}

static void forward_plain(Engine *e, Step *s, const Node *n)
{
    for (int j = 0; j < n->num_in; j++)
        s->in[j] = n->in[j] ? value_dense(e, &e->values[n->in[j]->id]) : NULL;
    eval_node(e->g, n, s->in, s->out);
}

static void make_codes(Engine *e, Tensor *const *tensors, int count)
{
    for (int j = 0; j < count; j++)
        if (tensors[j] && e->values[tensors[j]->id].codes)
            fake_forward(e, &e->values[tensors[j]->id]);
}

const float *engine_forward(Engine *e)
{
    void *mark = mem_mark();
    for (int i = 0; i < e->g->num_tensors; i++)
        e->values[i].dense_valid = false;
    if (e->num_codes && e->quantises)
        fake_begin(e);
    make_codes(e, e->g->inputs, e->g->num_inputs);
    for (int i = 0; i < e->g->num_nodes; i++) {
        Step *s = &e->steps[i];
        if (s->kernel)
            s->kernel->forward(s->kernel);
        else if (s->used)
            forward_plain(e, s, e->g->nodes[i]);
        make_codes(e, e->g->nodes[i]->out, e->g->nodes[i]->num_out);
    }
    const float *score = value_dense(e, &e->values[e->score->id]);
    mem_release(mark);
    return score;
}

/* ---- backward ---- */

static void expand_input(const Step *s, const Node *n, int i)
{
    int64_t total = type_elems(n->out[0]->type);
    size_t size = dtype_size(n->in[i]->type.dtype);
    const char *x = s->in[i];
    for (int64_t k = 0; k < total; k++)
        memcpy((char *)s->expanded[i] + (size_t)k * size, x + (size_t)s->maps[i][k] * size, size);
}

/* Inputs and their gradients in the shape of the output. */
static void expand(Step *s, const Node *n)
{
    size_t bytes = (size_t)type_elems(n->out[0]->type) * sizeof(float);
    for (int i = 0; i < n->num_in; i++) {
        if (!s->maps[i])
            continue;
        expand_input(s, n, i);
        s->in[i] = s->expanded[i];
        if (s->din[i])
            s->din[i] = memset(s->expanded_grad[i], 0, bytes);
    }
}

/* What broadcast forward is summed backward. */
static void reduce(Engine *e, const Step *s, const Node *n)
{
    int64_t total = type_elems(n->out[0]->type);
    for (int i = 0; i < n->num_in; i++) {
        if (!s->maps[i] || !s->din[i])
            continue;
        float *to = value_grad(&e->values[n->in[i]->id]);
        double *sums = calloc((size_t)type_elems(n->in[i]->type), sizeof *sums);
        if (!sums)
            fail("out of memory while training");
        for (int64_t k = 0; k < total; k++)
            sums[s->maps[i][k]] += (double)s->expanded_grad[i][k];
        for (int64_t k = 0; k < type_elems(n->in[i]->type); k++)
            to[k] += (float)sums[k];
        free(sums);
    }
}

static void backward_plain(Engine *e, Step *s, const Node *n)
{
    for (int j = 0; j < n->num_in; j++) {
        Value *v = n->in[j] ? &e->values[n->in[j]->id] : NULL;
        s->in[j] = v ? value_dense(e, v) : NULL;
        s->din[j] = NULL;
        if (v && v->wanted)
            s->din[j] = s->maps[j] ? s->expanded_grad[j] : value_grad(v);
    }
    for (int j = 0; j < n->num_out; j++) {
        const Value *v = n->out[j] ? &e->values[n->out[j]->id] : NULL;
        s->dout[j] = v && v->touched ? v->grad : NULL;
    }
    expand(s, n);
    Gradient d = {s->in, (const void *const *)s->out, s->dout, s->din, &s->own};
    op_def(n->op)->grad(e->g, n, &d);
    reduce(e, s, n);
}

static bool any_touched(Engine *e, const Node *n)
{
    bool any = false;
    for (int j = 0; j < n->num_out; j++) {
        Value *v = n->out[j] ? &e->values[n->out[j]->id] : NULL;
        if (!v || !v->wanted)
            continue;
        value_merge_grad(e, v);
        if (v->codes && v->touched && e->quantises)
            fake_backward(v);
        any |= v->touched;
    }
    return any;
}

void engine_backward(Engine *e, const float *score_grad)
{
    void *mark = mem_mark();
    for (int i = 0; i < e->g->num_tensors; i++)
        e->values[i].touched = e->values[i].dense_touched = false;
    Value *score = &e->values[e->score->id];
    memcpy(value_grad(score), score_grad, type_bytes(score->t->type));
    for (int i = e->g->num_nodes - 1; i >= 0; i--) {
        Step *s = &e->steps[i];
        const Node *n = e->g->nodes[i];
        if (!s->used || !node_wanted(e, n) || !any_touched(e, n))
            continue;
        if (s->kernel)
            s->kernel->backward(s->kernel);
        else
            backward_plain(e, s, n);
    }
    for (int i = 0; i < e->params.count; i++)
        if (!e->values[e->params.items[i].t->id].touched)
            memset(e->grads + e->params.items[i].at, 0, (size_t)e->params.items[i].count * sizeof(float));
    mem_release(mark);
}
