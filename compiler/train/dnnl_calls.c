/* dnnl_calls.c - a primitive of the library with its arguments, in front of it and behind it what must be
 * copied. */
#include "train/dnnl_calls.h"

dnnl_primitive_desc_t make_desc(const NodeKernel *k, const void *op_desc, const_dnnl_primitive_desc_t hint)
{
    dnnl_primitive_desc_t pd;
    check_status(k, dnnl_primitive_desc_create(&pd, op_desc, NULL, k->e->lib->engine, hint));
    return pd;
}

void call_start(Call *c, dnnl_primitive_desc_t pd)
{
    check_call(dnnl_primitive_create(&c->primitive, pd));
}

void call_memory(Call *c, int arg, dnnl_memory_t m)
{
    c->args[c->num_args++] = (dnnl_exec_arg_t){arg, m};
}

void call_in(NodeKernel *k, Call *c, int arg, const dnnl_memory_desc_t *want, const dnnl_memory_desc_t *have,
             void *data)
{
    if (dnnl_memory_desc_equal(want, have)) {
        call_memory(c, arg, memory_new(k->e->lib, have, data));
        return;
    }
    Move m = move_new(k->e->lib, have, data, want, NULL);
    c->before[c->num_before++] = m;
    call_memory(c, arg, m.to);
}

void call_out(NodeKernel *k, Call *c, int arg, const dnnl_memory_desc_t *want, const dnnl_memory_desc_t *have,
              void *data)
{
    if (dnnl_memory_desc_equal(want, have)) {
        call_memory(c, arg, memory_new(k->e->lib, have, data));
        return;
    }
    Move m = move_new(k->e->lib, want, NULL, have, data);
    c->after[c->num_after++] = m;
    call_memory(c, arg, m.from);
}

void call_at(NodeKernel *k, Call *c, int arg, const dnnl_memory_desc_t *md, float *data)
{
    call_memory(c, arg, memory_new(k->e->lib, md, data));
}

void call_workspace(NodeKernel *k, Call *c, const_dnnl_primitive_desc_t pd)
{
    const dnnl_memory_desc_t *md = dnnl_primitive_desc_query_md(pd, dnnl_query_workspace_md, 0);
    if (!md || !dnnl_memory_desc_get_size(md))
        return;
    k->c->workspace = memory_new(k->e->lib, md, NULL);
    call_memory(c, DNNL_ARG_WORKSPACE, k->c->workspace);
}

static void call_run(NodeKernel *k, const Call *c)
{
    Library *l = k->e->lib;
    if (!c->primitive)
        return;
    for (int i = 0; i < c->num_before; i++)
        run_move(l, &c->before[i]);
    check_status(k, dnnl_primitive_execute(c->primitive, l->stream, c->num_args, c->args));
    for (int i = 0; i < c->num_after; i++)
        run_move(l, &c->after[i]);
    check_call(dnnl_stream_wait(l->stream));
}

void call_free(Call *c, dnnl_memory_t keep)
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

const dnnl_memory_desc_t *wanted_md(const_dnnl_primitive_desc_t pd, dnnl_query_t what, int index)
{
    return dnnl_primitive_desc_query_md(pd, what, index);
}

void forward_calls(NodeKernel *k)
{
    call_run(k, !k->e->training && k->c->infer.primitive ? &k->c->infer : &k->c->train);
}

void backward_calls(NodeKernel *k)
{
    call_run(k, &k->c->back_data);
    call_run(k, &k->c->back_weights);
    for (int i = 0; i < k->n->num_in && i < 3; i++) {
        Value *v = k->n->in[i] ? value_of(k->e, k->n->in[i]) : NULL;
        if (v && v->wanted)
            value_grad_arrived(v);
    }
}

bool input_wanted(const NodeKernel *k, int input)
{
    return input < k->n->num_in && k->n->in[input] && value_of(k->e, k->n->in[input])->wanted;
}
