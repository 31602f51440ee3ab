/* dnnl_norm.c - BatchNormalization and activations by oneDNN, forward and backward. */
#include "train/dnnl_calls.h"

#include <math.h>

static unsigned norm_flags(NodeKernel *k)
{
    bool rectified = value_of(k->e, k->n->out[0])->rectified;
    return dnnl_use_scale | dnnl_use_shift | (rectified ? (unsigned)dnnl_fuse_norm_relu : 0);
}

/* Statistics of the batch; without them, the running ones. */
static void norm_forward_call(NodeKernel *k, bool training)
{
    const Node *n = k->n;
    Value *x = value_of(k->e, n->in[0]), *y = value_of(k->e, n->out[0]);
    Call *c = training ? &k->c->train : &k->c->infer;
    unsigned flags = norm_flags(k) | (training ? 0 : dnnl_use_global_stats);
    dnnl_memory_desc_t channel = type_md(n->in[1]->type);
    dnnl_batch_normalization_desc_t d;
    check_status(k, dnnl_batch_normalization_forward_desc_init(
                        &d, training ? dnnl_forward_training : dnnl_forward_inference, &x->format->md,
                        attr_float(n, "epsilon"), flags));
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

static void norm_backward_call(NodeKernel *k)
{
    const Node *n = k->n;
    Value *x = value_of(k->e, n->in[0]), *y = value_of(k->e, n->out[0]);
    Value *scale = value_of(k->e, n->in[1]), *shift = value_of(k->e, n->in[2]);
    dnnl_memory_desc_t channel = type_md(n->in[1]->type);
    unsigned flags = norm_flags(k);
    float epsilon = attr_float(n, "epsilon");
    dnnl_batch_normalization_desc_t f, b;
    Call *c = &k->c->back_data;
    check_status(k, dnnl_batch_normalization_forward_desc_init(&f, dnnl_forward_training, &x->format->md,
                                                               epsilon, flags));
    check_status(k, dnnl_batch_normalization_backward_desc_init(&b, dnnl_backward, &x->format->md,
                                                                &x->format->md, epsilon, flags));
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

static void forward_norm(NodeKernel *k)
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

bool prepare_norm(NodeKernel *k)
{
    const Node *n = k->n;
    for (int i = 1; i < 5; i++)
        if (!n->in[i]->data)
            return false;
    Value *x = value_of(k->e, n->in[0]);
    const Node *user = k->e->users[n->out[0]->id];
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
static bool describe_eltwise(const NodeKernel *k, dnnl_alg_kind_t *alg, float *a, float *b)
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

static void eltwise_backward_call(NodeKernel *k, dnnl_alg_kind_t alg, float a, float b,
                                  dnnl_primitive_desc_t hint)
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

static void forward_rectified(NodeKernel *k)
{
    (void)k;
}

static void backward_rectified(NodeKernel *k)
{
    value_of(k->e, k->n->in[0])->touched = true;
}

/* A Relu that BatchNormalization in front of it computes. */
bool prepare_rectified(NodeKernel *k)
{
    value_share(value_of(k->e, k->n->out[0]), value_of(k->e, k->n->in[0]));
    k->forward = forward_rectified;
    k->backward = backward_rectified;
    return true;
}

bool prepare_eltwise(NodeKernel *k)
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
    if (input_wanted(k, 0))
        eltwise_backward_call(k, alg, a, b, pd);
    dnnl_primitive_desc_destroy(pd);
    k->forward = forward_calls;
    k->backward = backward_calls;
    return true;
}
