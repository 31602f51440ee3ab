/* dnnl_format.c - the library's descriptions of memory, and copies from one to another. */
#include "train/dnnl_calls.h"

void check_status(const NodeKernel *k, dnnl_status_t status)
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

const MemoryFormat *format_new(const dnnl_memory_desc_t *md, Type t)
{
    MemoryFormat *f = NEW(MemoryFormat);
    dnnl_memory_desc_t dense = type_md(t);
    f->md = *md;
    f->dense = dnnl_memory_desc_equal(md, &dense);
    return f;
}

const MemoryFormat *format_dense(Type t)
{
    dnnl_memory_desc_t md = type_md(t);
    return format_new(&md, t);
}

bool format_is_dense(const MemoryFormat *f)
{
    return f->dense;
}

int64_t format_size(const MemoryFormat *f)
{
    return (int64_t)(dnnl_memory_desc_get_size(&f->md) / sizeof(float));
}

dnnl_memory_t memory_new(Library *l, const dnnl_memory_desc_t *md, void *data)
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

void run_move(Library *l, const Move *m)
{
    dnnl_exec_arg_t args[] = {{DNNL_ARG_FROM, m->from}, {DNNL_ARG_TO, m->to}};
    check_call(dnnl_primitive_execute(m->primitive, l->stream, 2, args));
}

Move move_new(Library *l, const dnnl_memory_desc_t *from, void *from_data, const dnnl_memory_desc_t *to,
              void *to_data)
{
    return (Move){reorder_new(l, from, to), memory_new(l, from, from_data), memory_new(l, to, to_data)};
}

void move_free(Move *m)
{
    if (!m->primitive)
        return;
    dnnl_primitive_destroy(m->primitive);
    dnnl_memory_destroy(m->from);
    dnnl_memory_destroy(m->to);
    m->primitive = NULL;
}

void library_reorder(Library *l, const MemoryFormat *from, const void *x, const MemoryFormat *to, void *y)
{
    Move m = move_new(l, &from->md, (void *)(uintptr_t)x, &to->md, y);
    run_move(l, &m);
    check_call(dnnl_stream_wait(l->stream));
    move_free(&m);
}
