/* dnnl_conv.c - convolutions and pooling by oneDNN, forward and backward. */
#include "ops/ops.h"
#include "train/dnnl_calls.h"

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
    int64_t co = transpose ? t.dims[1] : t.dims[0] / groups;
    int64_t ci = transpose ? t.dims[0] / groups : t.dims[1];
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
    check_call(dnnl_memory_desc_init_by_strides(&c->weights, rank, dims + skip, dnnl_f32, strides + skip));
    check_call(
        dnnl_memory_desc_init_by_tag(&c->any_weights, rank, dims + skip, dnnl_f32, dnnl_format_tag_any));
}

static ConvDesc describe_conv(NodeKernel *k)
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
        c.end[i] =
            n->op == OP_Conv ? w.pad_end[a] : (w.in[a] - 1) * w.stride[a] + extent - c.begin[i] - w.out[a];
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
                                      const dnnl_memory_desc_t *, const dnnl_memory_desc_t *,
                                      const dnnl_dims_t, const dnnl_dims_t, const dnnl_dims_t,
                                      const dnnl_dims_t);
typedef dnnl_status_t DescribeData(dnnl_convolution_desc_t *, dnnl_alg_kind_t, const dnnl_memory_desc_t *,
                                   const dnnl_memory_desc_t *, const dnnl_memory_desc_t *, const dnnl_dims_t,
                                   const dnnl_dims_t, const dnnl_dims_t, const dnnl_dims_t);
typedef dnnl_status_t DescribeWeights(dnnl_convolution_desc_t *, dnnl_alg_kind_t, const dnnl_memory_desc_t *,
                                      const dnnl_memory_desc_t *, const dnnl_memory_desc_t *,
                                      const dnnl_memory_desc_t *, const dnnl_dims_t, const dnnl_dims_t,
                                      const dnnl_dims_t, const dnnl_dims_t);

static ConvPds conv_pds(NodeKernel *k, const ConvDesc *c)
{
    bool t = k->n->op == OP_ConvTranspose;
    dnnl_alg_kind_t alg = t ? dnnl_deconvolution_direct : dnnl_convolution_direct;
    DescribeForward *f =
        t ? dnnl_dilated_deconvolution_forward_desc_init : dnnl_dilated_convolution_forward_desc_init;
    DescribeData *d = t ? dnnl_dilated_deconvolution_backward_data_desc_init
                        : dnnl_dilated_convolution_backward_data_desc_init;
    DescribeWeights *w = t ? dnnl_dilated_deconvolution_backward_weights_desc_init
                           : dnnl_dilated_convolution_backward_weights_desc_init;
    ConvPds p = {0};
    dnnl_convolution_desc_t desc;
    const dnnl_memory_desc_t *bias = c->has_bias ? &c->bias : NULL;
    dnnl_memory_desc_t x = any_like(&c->x);
    check_status(k, f(&desc, dnnl_forward_training, alg, &x, &c->any_weights, bias, &c->any_y, c->strides,
                      c->dilates, c->begin, c->end));
    p.forward = make_desc(k, &desc, NULL);
    if (input_wanted(k, 0)) {
        check_status(k,
                     d(&desc, alg, &x, &c->any_weights, &c->any_y, c->strides, c->dilates, c->begin, c->end));
        p.data = make_desc(k, &desc, p.forward);
    }
    if (input_wanted(k, 1) || input_wanted(k, 2)) {
        check_status(
            k, w(&desc, alg, &x, &c->any_weights, bias, &c->any_y, c->strides, c->dilates, c->begin, c->end));
        p.weights = make_desc(k, &desc, p.forward);
    }
    return p;
}

static void conv_forward_call(NodeKernel *k, const ConvDesc *c, dnnl_primitive_desc_t pd)
{
    const Node *n = k->n;
    Value *x = value_of(k->e, n->in[0]), *w = value_of(k->e, n->in[1]), *y = value_of(k->e, n->out[0]);
    value_allocate(y, format_new(wanted_md(pd, dnnl_query_dst_md, 0), n->out[0]->type));
    call_start(&k->c->train, pd);
    call_in(k, &k->c->train, DNNL_ARG_SRC, wanted_md(pd, dnnl_query_src_md, 0), &x->format->md, x->data);
    call_in(k, &k->c->train, DNNL_ARG_WEIGHTS, wanted_md(pd, dnnl_query_weights_md, 0), &c->weights,
            w->dense);
    if (c->has_bias)
        call_in(k, &k->c->train, DNNL_ARG_BIAS, &c->bias, &c->bias, value_of(k->e, n->in[2])->dense);
    call_out(k, &k->c->train, DNNL_ARG_DST, wanted_md(pd, dnnl_query_dst_md, 0), &y->format->md, y->data);
}

static void conv_backward_calls(NodeKernel *k, const ConvDesc *c, const ConvPds *p)
{
    const Node *n = k->n;
    Value *x = value_of(k->e, n->in[0]), *w = value_of(k->e, n->in[1]), *y = value_of(k->e, n->out[0]);
    if (p->data) {
        Call *b = &k->c->back_data;
        call_start(b, p->data);
        call_in(k, b, DNNL_ARG_DIFF_DST, wanted_md(p->data, dnnl_query_diff_dst_md, 0), &y->format->md,
                y->grad);
        call_in(k, b, DNNL_ARG_WEIGHTS, wanted_md(p->data, dnnl_query_weights_md, 0), &c->weights, w->dense);
        call_out(k, b, DNNL_ARG_DIFF_SRC, wanted_md(p->data, dnnl_query_diff_src_md, 0), &x->format->md,
                 value_grad_target(x));
    }
    if (p->weights) {
        Call *b = &k->c->back_weights;
        const dnnl_memory_desc_t *dw = wanted_md(p->weights, dnnl_query_diff_weights_md, 0);
        call_start(b, p->weights);
        call_in(k, b, DNNL_ARG_SRC, wanted_md(p->weights, dnnl_query_src_md, 0), &x->format->md, x->data);
        call_in(k, b, DNNL_ARG_DIFF_DST, wanted_md(p->weights, dnnl_query_diff_dst_md, 0), &y->format->md,
                y->grad);
        if (input_wanted(k, 1))
            call_out(k, b, DNNL_ARG_DIFF_WEIGHTS, dw, &c->weights, value_grad_target(w));
        else
            call_at(k, b, DNNL_ARG_DIFF_WEIGHTS, dw, NULL);
        if (c->has_bias)
            call_at(k, b, DNNL_ARG_DIFF_BIAS, &c->bias,
                    input_wanted(k, 2) ? value_grad_target(value_of(k->e, n->in[2])) : NULL);
    }
}

bool prepare_conv(NodeKernel *k)
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
static bool describe_pool(const NodeKernel *k, PoolDesc *p)
{
    const Node *n = k->n;
    Window w = op_window(k->e->g, n);
    bool counts = n->op == OP_AveragePool && attr_int(n, "count_include_pad");
    *p = (PoolDesc){.alg = counts ? dnnl_pooling_avg_include_padding : dnnl_pooling_avg_exclude_padding};
    if (n->op == OP_MaxPool)
        p->alg = dnnl_pooling_max;
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

static void pool_backward_call(NodeKernel *k, const PoolDesc *p, dnnl_primitive_desc_t forward)
{
    Value *x = value_of(k->e, k->n->in[0]), *y = value_of(k->e, k->n->out[0]);
    dnnl_pooling_v2_desc_t d;
    dnnl_memory_desc_t any = any_like(&x->format->md);
    check_status(k, dnnl_pooling_v2_backward_desc_init(&d, p->alg, &any, &y->format->md, p->strides,
                                                       p->kernel, p->dilation, p->begin, p->end));
    dnnl_primitive_desc_t pd = make_desc(k, &d, forward);
    call_start(&k->c->back_data, pd);
    call_in(k, &k->c->back_data, DNNL_ARG_DIFF_DST, wanted_md(pd, dnnl_query_diff_dst_md, 0), &y->format->md,
            y->grad);
    call_out(k, &k->c->back_data, DNNL_ARG_DIFF_SRC, wanted_md(pd, dnnl_query_diff_src_md, 0), &x->format->md,
             value_grad_target(x));
    if (k->c->workspace)
        call_memory(&k->c->back_data, DNNL_ARG_WORKSPACE, k->c->workspace);
    dnnl_primitive_desc_destroy(pd);
}

bool prepare_pool(NodeKernel *k)
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
    check_status(k, dnnl_pooling_v2_forward_desc_init(&d, dnnl_forward_training, p.alg, &x->format->md, &any,
                                                      p.strides, p.kernel, p.dilation, p.begin, p.end));
    dnnl_primitive_desc_t pd = make_desc(k, &d, NULL);
    value_allocate(y, format_new(wanted_md(pd, dnnl_query_dst_md, 0), n->out[0]->type));
    call_start(&k->c->train, pd);
    call_in(k, &k->c->train, DNNL_ARG_SRC, wanted_md(pd, dnnl_query_src_md, 0), &x->format->md, x->data);
    call_out(k, &k->c->train, DNNL_ARG_DST, wanted_md(pd, dnnl_query_dst_md, 0), &y->format->md, y->data);
    call_workspace(k, &k->c->train, pd);
    if (input_wanted(k, 0))
        pool_backward_call(k, &p, pd);
    dnnl_primitive_desc_destroy(pd);
    k->forward = forward_calls;
    k->backward = backward_calls;
    return true;
}
