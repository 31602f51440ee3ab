/* dnnl.c - oneDNN: forward and backward of convolutions, matrix products, pooling, normalisations, softmax and the
 * common activations. No files but dnnl*.c know the library; version 3 changed its interface.
 *
 * A convolution chooses the format of its output, what follows keeps it, and whatever needs elements in their plain
 * order gets a reordered copy (Value.dense). Sums run in the library's order: the same threads and instruction set give
 * the same bits. */
#include "train/dnnl_calls.h"

#include <stdlib.h>

void omp_set_num_threads(int n); /* of libgomp, which the library runs on */

/* ---- errors ---- */

void check_status(const Kernel *k, dnnl_status_t status)
{
    if (status == dnnl_out_of_memory)
        fail("out of memory while training");
    if (status != dnnl_success)
        fail_node(k->e->g, k->n, "oneDNN refuses this operation (status %d)", (int)status);
}

void check_call(dnnl_status_t status)
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
    check_call(dnnl_engine_create(&l->engine, dnnl_cpu, 0));
    check_call(dnnl_stream_create(&l->stream, l->engine, dnnl_stream_default_flags));
    return l;
}

void library_close(Library *l)
{
    check_call(dnnl_stream_destroy(l->stream));
    check_call(dnnl_engine_destroy(l->engine));
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
    check_call(dnnl_memory_desc_init_by_strides(&md, rank ? rank : 1, d, dnnl_f32, strides));
    return md;
}

dnnl_memory_desc_t any_md(int rank, const int64_t *dims)
{
    dnnl_memory_desc_t md;
    dnnl_dims_t d;
    for (int i = 0; i < rank; i++)
        d[i] = dims[i];
    check_call(dnnl_memory_desc_init_by_tag(&md, rank, d, dnnl_f32, dnnl_format_tag_any));
    return md;
}

dnnl_memory_desc_t type_md(Type t)
{
    return dense_md(t.rank, t.dims);
}

const Format *format_new(const dnnl_memory_desc_t *md, Type t)
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
    check_call(dnnl_memory_create(&m, md, l->engine, data ? data : DNNL_MEMORY_ALLOCATE));
    return m;
}

static dnnl_primitive_t reorder_new(Library *l, const dnnl_memory_desc_t *from, const dnnl_memory_desc_t *to)
{
    dnnl_primitive_desc_t pd;
    dnnl_primitive_t p;
    check_call(dnnl_reorder_primitive_desc_create(&pd, from, l->engine, to, l->engine, NULL));
    check_call(dnnl_primitive_create(&p, pd));
    check_call(dnnl_primitive_desc_destroy(pd));
    return p;
}

static void run_move(Library *l, const Move *m)
{
    dnnl_exec_arg_t args[] = {{DNNL_ARG_FROM, m->from}, {DNNL_ARG_TO, m->to}};
    check_call(dnnl_primitive_execute(m->primitive, l->stream, 2, args));
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
    check_call(dnnl_stream_wait(l->stream));
    move_free(&m);
}

/* ---- calls ---- */

dnnl_primitive_desc_t make_desc(const Kernel *k, const void *op_desc, const_dnnl_primitive_desc_t hint)
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

void call_in(Kernel *k, Call *c, int arg, const dnnl_memory_desc_t *want, const dnnl_memory_desc_t *have, void *data)
{
    if (dnnl_memory_desc_equal(want, have)) {
        call_memory(c, arg, memory_new(k->e->lib, have, data));
        return;
    }
    Move m = {reorder_new(k->e->lib, have, want), memory_new(k->e->lib, have, data), memory_new(k->e->lib, want, NULL)};
    c->before[c->num_before++] = m;
    call_memory(c, arg, m.to);
}

void call_out(Kernel *k, Call *c, int arg, const dnnl_memory_desc_t *want, const dnnl_memory_desc_t *have, void *data)
{
    if (dnnl_memory_desc_equal(want, have)) {
        call_memory(c, arg, memory_new(k->e->lib, have, data));
        return;
    }
    Move m = {reorder_new(k->e->lib, want, have), memory_new(k->e->lib, want, NULL), memory_new(k->e->lib, have, data)};
    c->after[c->num_after++] = m;
    call_memory(c, arg, m.from);
}

void call_at(Kernel *k, Call *c, int arg, const dnnl_memory_desc_t *md, float *data)
{
    call_memory(c, arg, memory_new(k->e->lib, md, data));
}

void call_workspace(Kernel *k, Call *c, const_dnnl_primitive_desc_t pd)
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
    check_call(dnnl_stream_wait(l->stream));
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

const dnnl_memory_desc_t *wanted_md(const_dnnl_primitive_desc_t pd, dnnl_query_t what, int index)
{
    return dnnl_primitive_desc_query_md(pd, what, index);
}

void forward_calls(Kernel *k)
{
    call_run(k, !k->e->training && k->c->infer.primitive ? &k->c->infer : &k->c->train);
}

void backward_calls(Kernel *k)
{
    call_run(k, &k->c->back_data);
    call_run(k, &k->c->back_weights);
    for (int i = 0; i < k->n->num_in && i < 3; i++) {
        Value *v = k->n->in[i] ? value_of(k->e, k->n->in[i]) : NULL;
        if (v && v->wanted)
            value_grad_arrived(v);
    }
}

bool input_wanted(const Kernel *k, int input)
{
    return input < k->n->num_in && k->n->in[input] && value_of(k->e, k->n->in[input])->wanted;
}

/* ---- all ---- */

void library_sgemm(bool ta, bool tb, int64_t m, int64_t n, int64_t k, float alpha, const float *a, const float *b,
                   float beta, float *c)
{
    check_call(dnnl_sgemm(ta ? 'T' : 'N', tb ? 'T' : 'N', m, n, k, alpha, a, ta ? m : k, b, tb ? k : n, beta, c, n));
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
