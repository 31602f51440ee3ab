/* dnnl.c - oneDNN: forward and backward of convolutions, matrix products, pooling, normalisations, softmax
 * and the common activations. No files but dnnl*.c know the library; version 3 changed its interface.
 *
 * A convolution chooses the format of its output, what follows keeps it, and whatever needs elements in their
 * plain order gets a reordered copy (Value.dense). Sums run in the library's order: the same threads and
 * instruction set give the same bits. */
#include "train/dnnl_calls.h"

#include <pthread.h>
#include <stdlib.h>

void omp_set_num_threads(int n); /* of libgomp, which the library runs on */

static void *wait_for_all(void *lock)
{
    pthread_mutex_lock(lock);
    pthread_mutex_unlock(lock);
    return NULL;
}

/* All at the same time: where libgomp cannot start one, it ends the process without saying what to do. */
static void try_threads(int threads)
{
    pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    pthread_t *started = NEW_ARRAY(pthread_t, threads);
    int count = 0;
    pthread_mutex_lock(&lock);
    while (count < threads - 1 && !pthread_create(&started[count], NULL, wait_for_all, &lock))
        count++;
    pthread_mutex_unlock(&lock);
    for (int i = 0; i < count; i++)
        pthread_join(started[i], NULL);
    if (count < threads - 1)
        fail("cannot start %d threads: out of memory, or too many of them; try fewer --threads", threads);
}

Library *library_open(int threads)
{
    Library *l = NEW(Library);
    try_threads(threads);
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

void library_sgemm(bool ta, bool tb, int64_t m, int64_t n, int64_t k, float alpha, const float *a,
                   const float *b, float beta, float *c)
{
    char order_a = ta ? 'T' : 'N';
    char order_b = tb ? 'T' : 'N';
    int64_t row_a = ta ? m : k;
    int64_t row_b = tb ? k : n;
    check_call(dnnl_sgemm(order_a, order_b, m, n, k, alpha, a, row_a, b, row_b, beta, c, n));
}

static bool prepare(NodeKernel *k)
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

NodeKernel *library_kernel(Engine *e, const Node *n)
{
    if (n->in[0]->type.dtype != DT_F32 || n->out[0]->type.dtype != DT_F32 || !type_elems(n->out[0]->type))
        return NULL;
    NodeKernel *k = NEW(NodeKernel);
    k->e = e;
    k->n = n;
    k->c = NEW(struct Calls);
    return prepare(k) ? k : NULL;
}

void library_kernel_free(NodeKernel *k)
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
