/* value.c - the values of tensors while training: memory, dense copies of what lies in the library's formats,
 * and the sum of gradients over several readers. */
#include "train/engine.h"

#include <stdlib.h>
#include <string.h>

float *floats_new(int64_t n)
{
    size_t bytes = ((size_t)(n > 0 ? n : 1) * sizeof(float) + 63) & ~(size_t)63;
    void *p = aligned_alloc(64, bytes);
    if (!p)
        fail("out of memory while training: %zu bytes", bytes);
    return memset(p, 0, bytes);
}

/* ---- memory ---- */

/* The smallest block that fits and serves nothing else from v's producer to its last reader. Values come in
 * the order of their producers, but v may come again later. */
static float *gradient_new(const Value *v, int64_t n)
{
    GradPool *p = v->pool;
    GradBlock *best = NULL;
    for (GradBlock *b = p->items; b < p->items + p->count; b++)
        if (b->last < v->first && b->size >= n && (!best || b->size < best->size))
            best = b;
    if (!best) {
        best = &p->items[p->count++];
        *best = (GradBlock){.data = floats_new(n), .size = n};
    }
    best->last = v->last;
    return best->data;
}

static void serve_longer(GradPool *p, const float *data, int last)
{
    for (int i = 0; i < p->count; i++)
        if (p->items[i].data == data && p->items[i].last < last)
            p->items[i].last = last;
}

void pool_free(GradPool *p)
{
    for (int i = 0; i < p->count; i++)
        free(p->items[i].data);
}

Value *value_of(Engine *e, const Tensor *t)
{
    return &e->values[t->id];
}

bool value_is_dense(const Value *v)
{
    return v->t->type.dtype != DT_F32 || format_is_dense(v->format);
}

void value_allocate(Value *v, const MemoryFormat *format)
{
    if (v->t->type.dtype != DT_F32) {
        v->data = v->dense = floats_new((int64_t)(type_bytes(v->t->type) / sizeof(float)) + 1);
        return;
    }
    v->format = format ? format : format_dense(v->t->type);
    v->size = format_size(v->format);
    if (!v->data)
        v->data = floats_new(v->size);
    if (v->wanted && !v->grad)
        v->grad = gradient_new(v, v->size);
    if (v->wanted && v->readers > 1)
        v->scratch = gradient_new(v, v->size);
    if (value_is_dense(v)) {
        v->dense = v->data;
        v->dense_grad = v->grad;
    }
}

void value_share(Value *v, const Value *with)
{
    v->shared = true;
    v->data = with->data;
    v->grad = with->grad;
    serve_longer(v->pool, v->grad, v->last);
    value_allocate(v, with->format);
}

void value_need_dense(Value *v)
{
    if (v->dense)
        return;
    v->dense = floats_new(type_elems(v->t->type));
    if (!v->wanted)
        return;
    v->dense_grad = gradient_new(v, type_elems(v->t->type));
    if (!v->scratch)
        v->scratch = gradient_new(v, v->size);
}

const void *value_dense(Engine *e, Value *v)
{
    if (v->dense != v->data && !v->dense_valid)
        library_reorder(e->lib, v->format, v->data, format_dense(v->t->type), v->dense);
    v->dense_valid = true;
    return v->dense;
}

/* ---- gradients ---- */

float *value_grad(Value *v)
{
    bool *touched = v->dense_grad == v->grad ? &v->touched : &v->dense_touched;
    if (!*touched)
        memset(v->dense_grad, 0, (size_t)type_elems(v->t->type) * sizeof(float));
    *touched = true;
    return v->dense_grad;
}

float *value_grad_target(const Value *v)
{
    return v->readers > 1 ? v->scratch : v->grad;
}

static void add_floats(float *y, const float *x, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        y[i] += x[i];
}

void value_grad_arrived(Value *v)
{
    if (v->readers > 1 && v->touched)
        add_floats(v->grad, v->scratch, v->size);
    else if (v->readers > 1)
        memcpy(v->grad, v->scratch, (size_t)v->size * sizeof(float));
    v->touched = true;
}

void value_merge_grad(Engine *e, Value *v)
{
    if (!v->dense_touched || v->dense_grad == v->grad)
        return;
    float *to = v->touched ? v->scratch : v->grad;
    library_reorder(e->lib, format_dense(v->t->type), v->dense_grad, v->format, to);
    if (v->touched)
        add_floats(v->grad, v->scratch, v->size);
    v->touched = true;
    v->dense_touched = false;
}
