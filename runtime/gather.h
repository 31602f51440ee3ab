/* gather.h - moving elements by indices known at run time. Elements are moved as bytes; the kernel's type is that of
 * the indices. Typed: see tn.h. */
#include "tn.h"

/* Index i of an axis of size n, negative ones counted from the end; what is still outside becomes the nearest one
 * inside, so that no memory is touched that is not the tensor's. */
TN_KERNEL size_t TN(index)(T i, int32_t n)
{
    int64_t k = i < 0 ? (int64_t)i + n : (int64_t)i;
    return (size_t)(k < 0 ? 0 : k >= n ? n - 1 : k);
}

/* y[o][j] = x[o][index[j]], o < outer, j < count: rows of `bytes` bytes, x [outer][size]. */
TN_KERNEL void TN(gather)(void *restrict y, const void *x, const T *index, int32_t outer, int32_t size, int32_t count,
                          size_t bytes)
{
    unsigned char *to = (unsigned char *)y;
    const unsigned char *from = (const unsigned char *)x;
    for (int32_t o = 0; o < outer; o++, from += (size_t)size * bytes)
        for (int32_t j = 0; j < count; j++, to += bytes)
            memcpy(to, from + TN(index)(index[j], size) * bytes, bytes);
}

/* Place in a tensor of element p of index, which has the given dims: the position is p's own but along `axis`, where
 * index[p] stands. x_dims, steps: sizes and steps of that tensor. */
TN_KERNEL size_t TN(element_at)(const T *index, int32_t p, int32_t rank, const int32_t *dims, int32_t axis,
                                const int32_t *x_dims, const int32_t *steps)
{
    int32_t rest = p;
    size_t at = 0;
    for (int32_t i = rank - 1; i >= 0; i--) {
        size_t k = i == axis ? TN(index)(index[p], x_dims[i]) : (size_t)(rest % dims[i]);
        at += k * (size_t)steps[i];
        rest /= dims[i];
    }
    return at;
}

/* y[i] = x[i with index[i] along axis], for the count positions i of index [dims]; elements of `bytes` bytes. */
TN_KERNEL void TN(gather_elements)(void *restrict y, const void *x, const T *index, int32_t count, int32_t rank,
                                   const int32_t *dims, int32_t axis, const int32_t *x_dims, const int32_t *steps,
                                   size_t bytes)
{
    for (int32_t p = 0; p < count; p++)
        memcpy((unsigned char *)y + (size_t)p * bytes,
               (const unsigned char *)x + TN(element_at)(index, p, rank, dims, axis, x_dims, steps) * bytes, bytes);
}

/* y[i with index[i] along axis] = updates[i], in order; the rest as in gather_elements. */
TN_KERNEL void TN(scatter_elements)(void *restrict y, const void *updates, const T *index, int32_t count, int32_t rank,
                                    const int32_t *dims, int32_t axis, const int32_t *y_dims, const int32_t *steps,
                                    size_t bytes)
{
    for (int32_t p = 0; p < count; p++)
        memcpy((unsigned char *)y + TN(element_at)(index, p, rank, dims, axis, y_dims, steps) * bytes,
               (const unsigned char *)updates + (size_t)p * bytes, bytes);
}

/* Place of the slice that `depth` indices name: their sum over steps. */
TN_KERNEL size_t TN(slice_at)(const T *index, int32_t depth, const int32_t *dims, const int32_t *steps)
{
    size_t at = 0;
    for (int32_t i = 0; i < depth; i++)
        at += TN(index)(index[i], dims[i]) * (size_t)steps[i];
    return at;
}

/* y[b][j] = x[b][index[b][j][0]]...[index[b][j][depth - 1]]: batch times count slices of `bytes` bytes; dims and steps
 * are those of the indexed axes, steps in slices; slices: in one x[b]. */
TN_KERNEL void TN(gather_nd)(void *restrict y, const void *x, const T *index, int32_t batch, int32_t count,
                             int32_t depth, const int32_t *dims, const int32_t *steps, int32_t slices, size_t bytes)
{
    unsigned char *to = (unsigned char *)y;
    const unsigned char *from = (const unsigned char *)x;
    for (int32_t b = 0; b < batch; b++, from += (size_t)slices * bytes)
        for (int32_t j = 0; j < count; j++, to += bytes, index += depth)
            memcpy(to, from + TN(slice_at)(index, depth, dims, steps) * bytes, bytes);
}

/* y[index[j][0]]...[index[j][depth - 1]] = updates[j], in order; the rest as in gather_nd. */
TN_KERNEL void TN(scatter_nd)(void *restrict y, const void *updates, const T *index, int32_t count, int32_t depth,
                              const int32_t *dims, const int32_t *steps, size_t bytes)
{
    for (int32_t j = 0; j < count; j++, index += depth)
        memcpy((unsigned char *)y + TN(slice_at)(index, depth, dims, steps) * bytes,
               (const unsigned char *)updates + (size_t)j * bytes, bytes);
}

/* y[o][d][i] = index[o][i] is d ? values[1] : values[0], d < depth, negative indices counted from the end; others give
 * no 1. Elements of `bytes` bytes. */
TN_KERNEL void TN(one_hot)(void *restrict y, const T *index, const void *values, int32_t outer, int32_t depth,
                           int32_t inner, size_t bytes)
{
    unsigned char *to = (unsigned char *)y;
    for (int32_t o = 0; o < outer; o++, index += inner)
        for (int32_t d = 0; d < depth; d++)
            for (int32_t i = 0; i < inner; i++, to += bytes) {
                int on = index[i] == (T)d || index[i] == (T)(d - depth);
                memcpy(to, (const unsigned char *)values + (on ? bytes : 0), bytes);
            }
}
