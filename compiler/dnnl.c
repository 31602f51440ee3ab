/* dnnl.c - oneDNN: forward and backward of convolutions, matrix products, pooling, normalisations, softmax and the
 * common activations. No other file knows the library; version 3 changed its interface.
 *
 * A convolution chooses the format of its output, what follows keeps it, and whatever needs elements in their plain
 * order gets a reordered copy (Value.dense). Sums run in the library's order: the same threads and instruction set give
 * the same bits. */
#include "train.h"

#include <dnnl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

void omp_set_num_threads(int n); /* of libgomp, which the library runs on */

struct Library {
    dnnl_engine_t engine;
    dnnl_stream_t stream;
};

struct Format {
    dnnl_memory_desc_t md;
    bool dense;
};

enum { MAX_ARGS = 12 };

/* Copies between formats, in front of a call and behind it. */
typedef struct Move {
    dnnl_primitive_t primitive; /* NULL: no move */
    dnnl_memory_t from, to;
} Move;

typedef struct Call {
    dnnl_primitive_t primitive; /* NULL: nothing to do */
    dnnl_exec_arg_t args[MAX_ARGS];
    int num_args;
    Move before[MAX_ARGS], after[MAX_ARGS];
    int num_before, num_after;
} Call;

struct Calls {
    Call train, infer, back_data, back_weights; /* infer without primitive: the same as train */
    dnnl_memory_t workspace;
    float *mean, *variance; /* of the batch */
};

/* ---- errors ---- */

static void check_status(const Kernel *k, dnnl_status_t status)
{
    if (status == dnnl_out_of_memory)
        fail("out of memory while training");
    if (status != dnnl_success)
        fail_node(k->e->g, k->n, "oneDNN refuses this operation (status %d)", (int)status);
}

static void require(dnnl_status_t status)
{
    if (status == dnnl_out_of_memory)
        fail("out of memory while training");
    if (status != dnnl_success)
        bug("oneDNN: status %d", (int)status);
}

Library *library_open(int threads)
{
    Library *l = NEW(Library);
    omp_set_num_threads(threads);
    require(dnnl_engine_create(&l->engine, dnnl_cpu, 0));
    require(dnnl_stream_create(&l->stream, l->engine, dnnl_stream_default_flags));
    return l;
}

void library_close(Library *l)
{
    require(dnnl_stream_destroy(l->stream));
    require(dnnl_engine_destroy(l->engine));
}

/* ---- formats ---- */

static dnnl_memory_desc_t dense_md(int rank, const int64_t *dims)
{
    dnnl_memory_desc_t md;
    dnnl_dims_t d = {1}, strides = {1};
    for (int i = 0; i < rank; i++)
        d[i] = dims[i];
    int64_t step = 1;
    for (int i = rank - 1; i >= 0; i--) {
        strides[i] = step;
        step *= d[i];
    }
    require(dnnl_memory_desc_init_by_strides(&md, rank ? rank : 1, d, dnnl_f32, strides));
    return md;
}

static dnnl_memory_desc_t any_md(int rank, const int64_t *dims)
{
    dnnl_memory_desc_t md;
    dnnl_dims_t d;
    for (int i = 0; i < rank; i++)
        d[i] = dims[i];
    require(dnnl_memory_desc_init_by_tag(&md, rank, d, dnnl_f32, dnnl_format_tag_any));
    return md;
}

static dnnl_memory_desc_t type_md(Type t)
{
    return dense_md(t.rank, t.dims);
}

static const Format *format_new(const dnnl_memory_desc_t *md, Type t)
{
    Format *f = NEW(Format);
    dnnl_memory_desc_t dense = type_md(t);
    f->md = *md;
    f->dense = dnnl_memory_desc_equal(md, &dense);
    return f;
}

const Format *format_dense(Type t)
{
    dnnl_memory_desc_t md = type_md(t);
    return format_new(&md, t);
}

bool format_is_dense(const Format *f)
{
    return f->dense;
}

int64_t format_size(const Format *f)
{
    return (int64_t)(dnnl_memory_desc_get_size(&f->md) / sizeof(float));
}

static dnnl_memory_t memory_new(Library *l, const dnnl_memory_desc_t *md, void *data)
{
    dnnl_memory_t m;
    require(dnnl_memory_create(&m, md, l->engine, data ? data : DNNL_MEMORY_ALLOCATE));
    return m;
}

static dnnl_primitive_t reorder_new(Library *l, const dnnl_memory_desc_t *from, const dnnl_memory_desc_t *to)
{
    dnnl_primitive_desc_t pd;
    dnnl_primitive_t p;
    require(dnnl_reorder_primitive_desc_create(&pd, from, l->engine, to, l->engine, NULL));
    require(dnnl_primitive_create(&p, pd));
    require(dnnl_primitive_desc_destroy(pd));
    return p;
}

static void run_move(Library *l, const Move *m)
{
    dnnl_exec_arg_t args[] = {{DNNL_ARG_FROM, m->from}, {DNNL_ARG_TO, m->to}};
    require(dnnl_primitive_execute(m->primitive, l->stream, 2, args));
}

static Move move_new(Library *l, const dnnl_memory_desc_t *from, void *from_data, const dnnl_memory_desc_t *to,
                     void *to_data)
{
    return (Move){reorder_new(l, from, to), memory_new(l, from, from_data), memory_new(l, to, to_data)};
}

static void move_free(Move *m)
{
    if (!m->primitive)
        return;
    dnnl_primitive_destroy(m->primitive);
    dnnl_memory_destroy(m->from);
    dnnl_memory_destroy(m->to);
    m->primitive = NULL;
}

void library_reorder(Library *l, const Format *from, const void *x, const Format *to, void *y)
{
    Move m = move_new(l, &from->md, (void *)(uintptr_t)x, &to->md, y);
    run_move(l, &m);
    require(dnnl_stream_wait(l->stream));
    move_free(&m);
}

/* ---- calls ---- */

static dnnl_primitive_desc_t make_desc(const Kernel *k, const void *op_desc, const_dnnl_primitive_desc_t hint)
{
    dnnl_primitive_desc_t pd;
    check_status(k, dnnl_primitive_desc_create(&pd, op_desc, NULL, k->e->lib->engine, hint));
    return pd;
}

static void call_start(Call *c, dnnl_primitive_desc_t pd)
{
    require(dnnl_primitive_create(&c->primitive, pd));
}

static void call_memory(Call *c, int arg, dnnl_memory_t m)
{
    c->args[c->num_args++] = (dnnl_exec_arg_t){arg, m};
}

/* An argument that lies at data in format `have`, while the primitive wants `want`. */
static void call_in(Kernel *k, Call *c, int arg, const dnnl_memory_desc_t *want, const dnnl_memory_desc_t *have,
                    void *data)
{
    if (dnnl_memory_desc_equal(want, have)) {
        call_memory(c, arg, memory_new(k->e->lib, have, data));
        return;
    }
    Move m = {reorder_new(k->e->lib, have, want), memory_new(k->e->lib, have, data), memory_new(k->e->lib, want, NULL)};
    c->before[c->num_before++] = m;
    call_memory(c, arg, m.to);
}

static void call_out(Kernel *k, Call *c, int arg, const dnnl_memory_desc_t *want, const dnnl_memory_desc_t *have,
                     void *data)
{
    if (dnnl_memory_desc_equal(want, have)) {
        call_memory(c, arg, memory_new(k->e->lib, have, data));
        return;
    }
    Move m = {reorder_new(k->e->lib, want, have), memory_new(k->e->lib, want, NULL), memory_new(k->e->lib, have, data)};
    c->after[c->num_after++] = m;
    call_memory(c, arg, m.from);
}

/* An argument that is just where and as it lies. */
static void call_at(Kernel *k, Call *c, int arg, const dnnl_memory_desc_t *md, float *data)
{
    call_memory(c, arg, memory_new(k->e->lib, md, data));
}

/* What forward keeps for backward, if anything. */
static void call_workspace(Kernel *k, Call *c, const_dnnl_primitive_desc_t pd)
{
    const dnnl_memory_desc_t *md = dnnl_primitive_desc_query_md(pd, dnnl_query_workspace_md, 0);
    if (!md || !dnnl_memory_desc_get_size(md))
        return;
    k->c->workspace = memory_new(k->e->lib, md, NULL);
    call_memory(c, DNNL_ARG_WORKSPACE, k->c->workspace);
}

static void call_run(Kernel *k, const Call *c)
{
    Library *l = k->e->lib;
    if (!c->primitive)
        return;
    for (int i = 0; i < c->num_before; i++)
        run_move(l, &c->before[i]);
    check_status(k, dnnl_primitive_execute(c->primitive, l->stream, c->num_args, c->args));
    for (int i = 0; i < c->num_after; i++)
        run_move(l, &c->after[i]);
    require(dnnl_stream_wait(l->stream));
}

static void call_free(Call *c, dnnl_memory_t keep)
{
    if (!c->primitive)
        return;
    for (int i = 0; i < c->num_args; i++) {
        bool moved = c->args[i].memory == keep;
        for (int j = 0; j < c->num_before; j++)
            moved |= c->before[j].to == c->args[i].memory;
        for (int j = 0; j < c->num_after; j++)
            moved |= c->after[j].from == c->args[i].memory;
        if (!moved)
            dnnl_memory_destroy(c->args[i].memory);
    }
    for (int i = 0; i < c->num_before; i++)
        move_free(&c->before[i]);
    for (int i = 0; i < c->num_after; i++)
        move_free(&c->after[i]);
    dnnl_primitive_destroy(c->primitive);
}

static const dnnl_memory_desc_t *want(const_dnnl_primitive_desc_t pd, dnnl_query_t what, int index)
{
    return dnnl_primitive_desc_query_md(pd, what, index);
}

/* Forward as planned, backward from all calls; nothing else to do. */
static void forward_calls(Kernel *k)
{
    call_run(k, !k->e->training && k->c->infer.primitive ? &k->c->infer : &k->c->train);
}

static void backward_calls(Kernel *k)
{
    call_run(k, &k->c->back_data);
    call_run(k, &k->c->back_weights);
    for (int i = 0; i < k->n->num_in && i < 3; i++) {
        Value *v = k->n->in[i] ? value_of(k->e, k->n->in[i]) : NULL;
        if (v && v->wanted)
            value_grad_arrived(v);
    }
}

static bool wants(const Kernel *k, int input)
{
    return input < k->n->num_in && k->n->in[input] && value_of(k->e, k->n->in[input])->wanted;
}

/* ---- Conv, ConvTranspose ---- */

typedef struct ConvDesc {
    dnnl_memory_desc_t x, y, any_y, weights, any_weights, bias;
    dnnl_dims_t strides, dilates, begin, end;
    bool has_bias;
} ConvDesc;

/* Weights seen as [g][co / g][ci / g][kernel], g left out when it is 1. */
static void describe_weights(ConvDesc *c, const Node *n, int64_t groups)
{
    Type t = n->in[1]->type;
    bool transpose = n->op == OP_ConvTranspose;
    int64_t co = transpose ? t.dims[1] : t.dims[0] / groups, ci = transpose ? t.dims[0] / groups : t.dims[1];
    dnnl_dims_t dims, strides;
    int rank = 0;
    int64_t step = 1;
    for (int i = t.rank - 1; i >= 2; i--) {
        dims[i + 1] = t.dims[i];
        strides[i + 1] = step;
        step *= t.dims[i];
    }
    dims[0] = groups;
    dims[1] = co;
    dims[2] = ci;
    strides[0] = co * ci * step;
    strides[1] = transpose ? step : ci * step;
    strides[2] = transpose ? co * step : step;
    int skip = groups == 1;
    rank = t.rank + 1 - skip;
    require(dnnl_memory_desc_init_by_strides(&c->weights, rank, dims + skip, dnnl_f32, strides + skip));
    require(dnnl_memory_desc_init_by_tag(&c->any_weights, rank, dims + skip, dnnl_f32, dnnl_format_tag_any));
}

static ConvDesc describe_conv(Kernel *k)
{
    const Node *n = k->n;
    Window w = op_window(k->e->g, n);
    Type y = n->out[0]->type;
    ConvDesc c = {.has_bias = n->num_in > 2 && n->in[2]};
    c.x = value_of(k->e, n->in[0])->format->md;
    c.y = any_md(y.rank, y.dims);
    c.any_y = c.y;
    if (c.has_bias)
        c.bias = type_md(n->in[2]->type);
    describe_weights(&c, n, attr_int(n, "group"));
    for (int i = 0; i < w.rank; i++) {
        int a = 3 - w.rank + i;
        int64_t extent = (w.kernel[a] - 1) * w.dilation[a] + 1;
        c.strides[i] = w.stride[a];
        c.dilates[i] = w.dilation[a] - 1;
        c.begin[i] = w.pad_begin[a];
        c.end[i] = n->op == OP_Conv ? w.pad_end[a] : (w.in[a] - 1) * w.stride[a] + extent - c.begin[i] - w.out[a];
    }
    return c;
}

/* The library's three descriptions of a convolution or transposed convolution. */
typedef struct ConvPds {
    dnnl_primitive_desc_t forward, data, weights;
} ConvPds;

static dnnl_memory_desc_t any_like(const dnnl_memory_desc_t *md)
{
    return any_md(md->ndims, md->dims);
}

/* Convolution and its transpose are described by functions of the same form. */
typedef dnnl_status_t DescribeForward(dnnl_convolution_desc_t *, dnnl_prop_kind_t, dnnl_alg_kind_t,
                                      const dnnl_memory_desc_t *, const dnnl_memory_desc_t *,
                                      const dnnl_memory_desc_t *, const dnnl_memory_desc_t *, const dnnl_dims_t,
                                      const dnnl_dims_t, const dnnl_dims_t, const dnnl_dims_t);
typedef dnnl_status_t DescribeData(dnnl_convolution_desc_t *, dnnl_alg_kind_t, const dnnl_memory_desc_t *,
                                   const dnnl_memory_desc_t *, const dnnl_memory_desc_t *, const dnnl_dims_t,
                                   const dnnl_dims_t, const dnnl_dims_t, const dnnl_dims_t);
typedef dnnl_status_t DescribeWeights(dnnl_convolution_desc_t *, dnnl_alg_kind_t, const dnnl_memory_desc_t *,
                                      const dnnl_memory_desc_t *, const dnnl_memory_desc_t *,
                                      const dnnl_memory_desc_t *, const dnnl_dims_t, const dnnl_dims_t,
                                      const dnnl_dims_t, const dnnl_dims_t);

static ConvPds conv_pds(Kernel *k, const ConvDesc *c)
{
    bool t = k->n->op == OP_ConvTranspose;
    dnnl_alg_kind_t alg = t ? dnnl_deconvolution_direct : dnnl_convolution_direct;
    DescribeForward *f = t ? dnnl_dilated_deconvolution_forward_desc_init : dnnl_dilated_convolution_forward_desc_init;
    DescribeData *d =
        t ? dnnl_dilated_deconvolution_backward_data_desc_init : dnnl_dilated_convolution_backward_data_desc_init;
    DescribeWeights *w =
        t ? dnnl_dilated_deconvolution_backward_weights_desc_init : dnnl_dilated_convolution_backward_weights_desc_init;
    ConvPds p = {0};
    dnnl_convolution_desc_t desc;
    const dnnl_memory_desc_t *bias = c->has_bias ? &c->bias : NULL;
    dnnl_memory_desc_t x = any_like(&c->x);
    check_status(k, f(&desc, dnnl_forward_training, alg, &x, &c->any_weights, bias, &c->any_y, c->strides, c->dilates,
                      c->begin, c->end));
    p.forward = make_desc(k, &desc, NULL);
    if (wants(k, 0)) {
        check_status(k, d(&desc, alg, &x, &c->any_weights, &c->any_y, c->strides, c->dilates, c->begin, c->end));
        p.data = make_desc(k, &desc, p.forward);
    }
    if (wants(k, 1) || wants(k, 2)) {
        check_status(k, w(&desc, alg, &x, &c->any_weights, bias, &c->any_y, c->strides, c->dilates, c->begin, c->end));
        p.weights = make_desc(k, &desc, p.forward);
    }
    return p;
}

static void conv_forward_call(Kernel *k, const ConvDesc *c, dnnl_primitive_desc_t pd)
{
    const Node *n = k->n;
    Value *x = value_of(k->e, n->in[0]), *w = value_of(k->e, n->in[1]), *y = value_of(k->e, n->out[0]);
    value_allocate(y, format_new(want(pd, dnnl_query_dst_md, 0), n->out[0]->type));
    call_start(&k->c->train, pd);
    call_in(k, &k->c->train, DNNL_ARG_SRC, want(pd, dnnl_query_src_md, 0), &x->format->md, x->data);
    call_in(k, &k->c->train, DNNL_ARG_WEIGHTS, want(pd, dnnl_query_weights_md, 0), &c->weights, w->dense);
    if (c->has_bias)
        call_in(k, &k->c->train, DNNL_ARG_BIAS, &c->bias, &c->bias, value_of(k->e, n->in[2])->dense);
    call_out(k, &k->c->train, DNNL_ARG_DST, want(pd, dnnl_query_dst_md, 0), &y->format->md, y->data);
}

static void conv_backward_calls(Kernel *k, const ConvDesc *c, const ConvPds *p)
{
    const Node *n = k->n;
    Value *x = value_of(k->e, n->in[0]), *w = value_of(k->e, n->in[1]), *y = value_of(k->e, n->out[0]);
    if (p->data) {
        Call *b = &k->c->back_data;
        call_start(b, p->data);
        call_in(k, b, DNNL_ARG_DIFF_DST, want(p->data, dnnl_query_diff_dst_md, 0), &y->format->md, y->grad);
        call_in(k, b, DNNL_ARG_WEIGHTS, want(p->data, dnnl_query_weights_md, 0), &c->weights, w->dense);
        call_out(k, b, DNNL_ARG_DIFF_SRC, want(p->data, dnnl_query_diff_src_md, 0), &x->format->md,
                 value_grad_target(x));
    }
    if (p->weights) {
        Call *b = &k->c->back_weights;
        const dnnl_memory_desc_t *dw = want(p->weights, dnnl_query_diff_weights_md, 0);
        call_start(b, p->weights);
        call_in(k, b, DNNL_ARG_SRC, want(p->weights, dnnl_query_src_md, 0), &x->format->md, x->data);
        call_in(k, b, DNNL_ARG_DIFF_DST, want(p->weights, dnnl_query_diff_dst_md, 0), &y->format->md, y->grad);
        if (wants(k, 1))
            call_out(k, b, DNNL_ARG_DIFF_WEIGHTS, dw, &c->weights, value_grad_target(w));
        else
            call_at(k, b, DNNL_ARG_DIFF_WEIGHTS, dw, NULL);
        if (c->has_bias)
            call_at(k, b, DNNL_ARG_DIFF_BIAS, &c->bias,
                    wants(k, 2) ? value_grad_target(value_of(k->e, n->in[2])) : NULL);
    }
}

static bool prepare_conv(Kernel *k)
{
    for (int i = 1; i < k->n->num_in; i++)
        if (k->n->in[i]) {
            value_need_dense(value_of(k->e, k->n->in[i]));
            if (!value_is_dense(value_of(k->e, k->n->in[i])))
                return false;
        }
    ConvDesc c = describe_conv(k);
    ConvPds p = conv_pds(k, &c);
    conv_forward_call(k, &c, p.forward);
    conv_backward_calls(k, &c, &p);
    dnnl_primitive_desc_destroy(p.forward);
    dnnl_primitive_desc_destroy(p.data);
    dnnl_primitive_desc_destroy(p.weights);
    k->forward = forward_calls;
    k->backward = backward_calls;
    return true;
}

/* ---- pooling ---- */

typedef struct PoolDesc {
    dnnl_alg_kind_t alg;
    dnnl_dims_t kernel, strides, dilation, begin, end;
} PoolDesc;

static PoolDesc describe_global(const Node *n)
{
    PoolDesc p = {.alg = n->op == OP_GlobalMaxPool ? dnnl_pooling_max : dnnl_pooling_avg_exclude_padding};
    for (int i = 2; i < n->in[0]->type.rank; i++) {
        p.kernel[i - 2] = n->in[0]->type.dims[i];
        p.strides[i - 2] = 1;
    }
    return p;
}

/* False: average over the padding with ceil_mode, which the library counts otherwise. */
static bool describe_pool(const Kernel *k, PoolDesc *p)
{
    const Node *n = k->n;
    Window w = op_window(k->e->g, n);
    bool counts = n->op == OP_AveragePool && attr_int(n, "count_include_pad");
    *p = (PoolDesc){.alg = n->op == OP_MaxPool ? dnnl_pooling_max
                           : counts            ? dnnl_pooling_avg_include_padding
                                               : dnnl_pooling_avg_exclude_padding};
    for (int i = 0; i < w.rank; i++) {
        int a = 3 - w.rank + i;
        int64_t extent = (w.kernel[a] - 1) * w.dilation[a] + 1;
        int64_t need = (w.out[a] - 1) * w.stride[a] + extent - w.in[a] - w.pad_begin[a];
        if (need > w.pad_end[a] && counts)
            return false;
        p->kernel[i] = w.kernel[a];
        p->strides[i] = w.stride[a];
        p->dilation[i] = w.dilation[a] - 1;
        p->begin[i] = w.pad_begin[a];
        p->end[i] = need > w.pad_end[a] ? need : w.pad_end[a];
    }
    return true;
}

static void pool_backward_call(Kernel *k, const PoolDesc *p, dnnl_primitive_desc_t forward)
{
    Value *x = value_of(k->e, k->n->in[0]), *y = value_of(k->e, k->n->out[0]);
    dnnl_pooling_v2_desc_t d;
    dnnl_memory_desc_t any = any_like(&x->format->md);
    check_status(k, dnnl_pooling_v2_backward_desc_init(&d, p->alg, &any, &y->format->md, p->strides, p->kernel,
                                                       p->dilation, p->begin, p->end));
    dnnl_primitive_desc_t pd = make_desc(k, &d, forward);
    call_start(&k->c->back_data, pd);
    call_in(k, &k->c->back_data, DNNL_ARG_DIFF_DST, want(pd, dnnl_query_diff_dst_md, 0), &y->format->md, y->grad);
    call_out(k, &k->c->back_data, DNNL_ARG_DIFF_SRC, want(pd, dnnl_query_diff_src_md, 0), &x->format->md,
             value_grad_target(x));
    if (k->c->workspace)
        call_memory(&k->c->back_data, DNNL_ARG_WORKSPACE, k->c->workspace);
    dnnl_primitive_desc_destroy(pd);
}

static bool prepare_pool(Kernel *k)
{
    const Node *n = k->n;
    PoolDesc p;
    if (n->num_out > 1 && n->out[1])
        return false;
    if (n->op == OP_MaxPool || n->op == OP_AveragePool) {
        if (!describe_pool(k, &p))
            return false;
    } else {
        p = describe_global(n);
    }
    Value *x = value_of(k->e, n->in[0]), *y = value_of(k->e, n->out[0]);
    dnnl_pooling_v2_desc_t d;
    dnnl_memory_desc_t any = any_md(n->out[0]->type.rank, n->out[0]->type.dims);
    check_status(k, dnnl_pooling_v2_forward_desc_init(&d, dnnl_forward_training, p.alg, &x->format->md, &any, p.strides,
                                                      p.kernel, p.dilation, p.begin, p.end));
    dnnl_primitive_desc_t pd = make_desc(k, &d, NULL);
    value_allocate(y, format_new(want(pd, dnnl_query_dst_md, 0), n->out[0]->type));
    call_start(&k->c->train, pd);
    call_in(k, &k->c->train, DNNL_ARG_SRC, want(pd, dnnl_query_src_md, 0), &x->format->md, x->data);
    call_out(k, &k->c->train, DNNL_ARG_DST, want(pd, dnnl_query_dst_md, 0), &y->format->md, y->data);
    call_workspace(k, &k->c->train, pd);
    if (wants(k, 0))
        pool_backward_call(k, &p, pd);
    dnnl_primitive_desc_destroy(pd);
    k->forward = forward_calls;
    k->backward = backward_calls;
    return true;
}

/* ---- BatchNormalization ---- */

static unsigned norm_flags(Kernel *k)
{
    bool rectified = value_of(k->e, k->n->out[0])->rectified;
    return dnnl_use_scale | dnnl_use_shift | (rectified ? (unsigned)dnnl_fuse_norm_relu : 0);
}

/* Statistics of the batch; without them, the running ones. */
static void norm_forward_call(Kernel *k, bool training)
{
    const Node *n = k->n;
    Value *x = value_of(k->e, n->in[0]), *y = value_of(k->e, n->out[0]);
    Call *c = training ? &k->c->train : &k->c->infer;
    unsigned flags = norm_flags(k) | (training ? 0 : dnnl_use_global_stats);
    dnnl_memory_desc_t channel = type_md(n->in[1]->type);
    dnnl_batch_normalization_desc_t d;
    check_status(
        k, dnnl_batch_normalization_forward_desc_init(&d, training ? dnnl_forward_training : dnnl_forward_inference,
                                                      &x->format->md, attr_float(n, "epsilon"), flags));
    dnnl_primitive_desc_t pd = make_desc(k, &d, NULL);
    call_start(c, pd);
    call_at(k, c, DNNL_ARG_SRC, &x->format->md, x->data);
    call_at(k, c, DNNL_ARG_DST, &x->format->md, y->data);
    call_at(k, c, DNNL_ARG_SCALE, &channel, value_of(k->e, n->in[1])->dense);
    call_at(k, c, DNNL_ARG_SHIFT, &channel, value_of(k->e, n->in[2])->dense);
    float *mean = training ? k->c->mean : value_of(k->e, n->in[3])->dense;
    float *variance = training ? k->c->variance : value_of(k->e, n->in[4])->dense;
    call_at(k, c, DNNL_ARG_MEAN, &channel, mean);
    call_at(k, c, DNNL_ARG_VARIANCE, &channel, variance);
    if (training)
        call_workspace(k, c, pd);
    dnnl_primitive_desc_destroy(pd);
}

static void norm_backward_call(Kernel *k)
{
    const Node *n = k->n;
    Value *x = value_of(k->e, n->in[0]), *y = value_of(k->e, n->out[0]);
    Value *scale = value_of(k->e, n->in[1]), *shift = value_of(k->e, n->in[2]);
    dnnl_memory_desc_t channel = type_md(n->in[1]->type);
    unsigned flags = norm_flags(k);
    float epsilon = attr_float(n, "epsilon");
    dnnl_batch_normalization_desc_t f, b;
    Call *c = &k->c->back_data;
    check_status(k,
                 dnnl_batch_normalization_forward_desc_init(&f, dnnl_forward_training, &x->format->md, epsilon, flags));
    check_status(k, dnnl_batch_normalization_backward_desc_init(&b, dnnl_backward, &x->format->md, &x->format->md,
                                                                epsilon, flags));
    dnnl_primitive_desc_t hint = make_desc(k, &f, NULL), pd = make_desc(k, &b, hint);
    call_start(c, pd);
    call_at(k, c, DNNL_ARG_SRC, &x->format->md, x->data);
    call_at(k, c, DNNL_ARG_DIFF_DST, &x->format->md, y->grad);
    call_at(k, c, DNNL_ARG_MEAN, &channel, k->c->mean);
    call_at(k, c, DNNL_ARG_VARIANCE, &channel, k->c->variance);
    call_at(k, c, DNNL_ARG_SCALE, &channel, scale->dense);
    call_at(k, c, DNNL_ARG_SHIFT, &channel, shift->dense);
    call_at(k, c, DNNL_ARG_DIFF_SRC, &x->format->md, x->wanted ? value_grad_target(x) : NULL);
    call_at(k, c, DNNL_ARG_DIFF_SCALE, &channel, scale->wanted ? value_grad_target(scale) : NULL);
    call_at(k, c, DNNL_ARG_DIFF_SHIFT, &channel, shift->wanted ? value_grad_target(shift) : NULL);
    if (k->c->workspace)
        call_memory(c, DNNL_ARG_WORKSPACE, k->c->workspace);
    dnnl_primitive_desc_destroy(hint);
    dnnl_primitive_desc_destroy(pd);
}

static void forward_norm(Kernel *k)
{
    forward_calls(k);
    if (!k->e->training)
        return;
    float *mean = value_of(k->e, k->n->in[3])->dense, *variance = value_of(k->e, k->n->in[4])->dense;
    float keep = (float)k->e->momentum, take = (float)(1 - k->e->momentum);
    for (int64_t i = 0; i < k->n->in[3]->type.dims[0]; i++) {
        mean[i] = keep * mean[i] + take * k->c->mean[i];
        variance[i] = keep * variance[i] + take * k->c->variance[i];
    }
}

static bool prepare_norm(Kernel *k)
{
    const Node *n = k->n;
    for (int i = 1; i < 5; i++)
        if (!n->in[i]->data)
            return false;
    Value *x = value_of(k->e, n->in[0]);
    const Node *user = graph_only_user(k->e->g, n->out[0]);
    value_of(k->e, n->out[0])->rectified = user && user->op == OP_Relu;
    value_allocate(value_of(k->e, n->out[0]), x->format);
    k->c->mean = floats_new(n->in[1]->type.dims[0]);
    k->c->variance = floats_new(n->in[1]->type.dims[0]);
    norm_forward_call(k, true);
    norm_forward_call(k, false);
    if (value_of(k->e, n->out[0])->wanted)
        norm_backward_call(k);
    k->forward = forward_norm;
    k->backward = backward_calls;
    return true;
}

/* ---- activations ---- */

/* The library's name for an activation and its two numbers; false: not one of them. */
static bool describe_eltwise(const Kernel *k, dnnl_alg_kind_t *alg, float *a, float *b)
{
    const Node *n = k->n;
    *a = *b = 0;
    switch (n->op) {
    case OP_Relu: *alg = dnnl_eltwise_relu; return true;
    case OP_LeakyRelu:
        *alg = dnnl_eltwise_relu;
        *a = attr_float(n, "alpha");
        return true;
    case OP_Elu:
        *alg = dnnl_eltwise_elu;
        *a = attr_float(n, "alpha");
        return true;
    case OP_Tanh: *alg = dnnl_eltwise_tanh; return true;
    case OP_Sigmoid: *alg = dnnl_eltwise_logistic; return true;
    case OP_HardSwish: *alg = dnnl_eltwise_hardswish; return true;
    case OP_Clip: break;
    default: return false;
    }
    for (int i = 1; i < 3; i++)
        if (i < n->num_in && n->in[i] && !n->in[i]->data)
            return false;
    *alg = dnnl_eltwise_clip;
    *a = n->num_in > 1 && n->in[1] ? (float)const_scalar(k->e->g, n, 1) : -INFINITY;
    *b = n->num_in > 2 && n->in[2] ? (float)const_scalar(k->e->g, n, 2) : INFINITY;
    return *a <= *b;
}

static void eltwise_backward_call(Kernel *k, dnnl_alg_kind_t alg, float a, float b, dnnl_primitive_desc_t hint)
{
    Value *x = value_of(k->e, k->n->in[0]), *y = value_of(k->e, k->n->out[0]);
    dnnl_eltwise_desc_t d;
    check_status(k, dnnl_eltwise_backward_desc_init(&d, alg, &x->format->md, &x->format->md, a, b));
    dnnl_primitive_desc_t pd = make_desc(k, &d, hint);
    call_start(&k->c->back_data, pd);
    call_at(k, &k->c->back_data, DNNL_ARG_SRC, &x->format->md, x->data);
    call_at(k, &k->c->back_data, DNNL_ARG_DIFF_DST, &x->format->md, y->grad);
    call_at(k, &k->c->back_data, DNNL_ARG_DIFF_SRC, &x->format->md, value_grad_target(x));
    dnnl_primitive_desc_destroy(pd);
}

static void forward_rectified(Kernel *k)
{
    (void)k;
}

static void backward_rectified(Kernel *k)
{
    value_of(k->e, k->n->in[0])->touched = true;
}

/* A Relu that BatchNormalization in front of it computes. */
static bool prepare_rectified(Kernel *k)
{
    value_share(value_of(k->e, k->n->out[0]), value_of(k->e, k->n->in[0]));
    k->forward = forward_rectified;
    k->backward = backward_rectified;
    return true;
}

static bool prepare_eltwise(Kernel *k)
{
    dnnl_alg_kind_t alg;
    float a, b;
    if (!describe_eltwise(k, &alg, &a, &b))
        return false;
    Value *x = value_of(k->e, k->n->in[0]), *y = value_of(k->e, k->n->out[0]);
    dnnl_eltwise_desc_t d;
    value_allocate(y, x->format);
    check_status(k, dnnl_eltwise_forward_desc_init(&d, dnnl_forward_training, alg, &x->format->md, a, b));
    dnnl_primitive_desc_t pd = make_desc(k, &d, NULL);
    call_start(&k->c->train, pd);
    call_at(k, &k->c->train, DNNL_ARG_SRC, &x->format->md, x->data);
    call_at(k, &k->c->train, DNNL_ARG_DST, &x->format->md, y->data);
    if (wants(k, 0))
        eltwise_backward_call(k, alg, a, b, pd);
    dnnl_primitive_desc_destroy(pd);
    k->forward = forward_calls;
    k->backward = backward_calls;
    return true;
}

/* ---- all ---- */

void library_sgemm(bool ta, bool tb, int64_t m, int64_t n, int64_t k, float alpha, const float *a, const float *b,
                   float beta, float *c)
{
    require(dnnl_sgemm(ta ? 'T' : 'N', tb ? 'T' : 'N', m, n, k, alpha, a, ta ? m : k, b, tb ? k : n, beta, c, n));
}

static bool prepare(Kernel *k)
{
    switch (k->n->op) {
    case OP_Conv:
    case OP_ConvTranspose: return prepare_conv(k);
    case OP_MaxPool:
    case OP_AveragePool:
    case OP_GlobalMaxPool:
    case OP_GlobalAveragePool: return prepare_pool(k);
    case OP_BatchNormalization: return prepare_norm(k);
    case OP_Relu: return value_of(k->e, k->n->in[0])->rectified ? prepare_rectified(k) : prepare_eltwise(k);
    default: return prepare_eltwise(k);
    }
}

Kernel *library_kernel(Engine *e, const Node *n)
{
    if (n->in[0]->type.dtype != DT_F32 || n->out[0]->type.dtype != DT_F32 || !type_elems(n->out[0]->type))
        return NULL;
    Kernel *k = NEW(Kernel);
    k->e = e;
    k->n = n;
    k->c = NEW(struct Calls);
    return prepare(k) ? k : NULL;
}

void library_kernel_free(Kernel *k)
{
    if (!k->c)
        return;
    call_free(&k->c->train, k->c->workspace);
    call_free(&k->c->infer, NULL);
    call_free(&k->c->back_data, k->c->workspace);
    call_free(&k->c->back_weights, NULL);
    if (k->c->workspace)
        dnnl_memory_destroy(k->c->workspace);
    free(k->c->mean);
    free(k->c->variance);
}
