/* boxes.c - copies between strided boxes, and padding: evaluated and printed through the same runtime
 * kernels. The evaluator moves elements by their size alone. */
#include "ops/boxes.h"
#include "print/print.h"

#include <string.h>

#define T uint8_t
#define TS u8
#include "move.h"
#include "pad.h"
#undef T
#undef TS

#define T uint16_t
#define TS u16
#include "move.h"
#include "pad.h"
#undef T
#undef TS

#define T uint32_t
#define TS u32
#include "move.h"
#include "pad.h"
#undef T
#undef TS

#define T uint64_t
#define TS u64
#include "move.h"
#include "pad.h"

void box_axis(Box *b, int64_t size, int64_t y_step, int64_t x_step)
{
    int last = b->rank - 1;
    if (size == 1)
        return;
    if (b->rank && b->y_steps[last] == y_step * size && b->x_steps[last] == x_step * size) {
        b->dims[last] *= size;
        b->y_steps[last] = y_step;
        b->x_steps[last] = x_step;
        return;
    }
    if (b->rank == BOX_RANK)
        bug("a box of more than %d axes", BOX_RANK);
    b->dims[b->rank] = size;
    b->y_steps[b->rank] = y_step;
    b->x_steps[b->rank++] = x_step;
}

/* A box as the kernel takes it: at least three axes, 32-bit numbers. */
typedef struct KernelBox {
    int32_t outer, rank, dims[BOX_RANK + 3], y_steps[BOX_RANK + 3], x_steps[BOX_RANK + 3];
} KernelBox;

static int32_t narrow(int64_t v)
{
    if (v > INT32_MAX || v < -INT32_MAX)
        fail("a tensor with more than %d elements is too large to move", INT32_MAX);
    return (int32_t)v;
}

static KernelBox kernel_box(const Box *b)
{
    KernelBox k = {.outer = 1};
    for (int i = b->rank; i < 3; i++)
        k.dims[k.rank++] = 1;
    for (int i = 0; i < b->rank; i++, k.rank++) {
        k.dims[k.rank] = narrow(b->dims[i]);
        k.y_steps[k.rank] = narrow(b->y_steps[i]);
        k.x_steps[k.rank] = narrow(b->x_steps[i]);
    }
    for (int i = 0; i < k.rank - 3; i++)
        k.outer = narrow((int64_t)k.outer * k.dims[i]);
    return k;
}

void box_copy(const Box *b, DType d, void *y, const void *x)
{
    KernelBox k = kernel_box(b);
    int64_t size = (int64_t)dtype_size(d);
    void *to = (char *)y + b->y_base * size;
    const void *from = (const char *)x + b->x_base * size;
    switch (size) {
    case 1: tn_copy_box_u8(to, from, k.outer, k.rank, k.dims, k.y_steps, k.x_steps); return;
    case 2: tn_copy_box_u16(to, from, k.outer, k.rank, k.dims, k.y_steps, k.x_steps); return;
    case 4: tn_copy_box_u32(to, from, k.outer, k.rank, k.dims, k.y_steps, k.x_steps); return;
    case 8: tn_copy_box_u64(to, from, k.outer, k.rank, k.dims, k.y_steps, k.x_steps); return;
    default: bug("elements of %s bytes", int_text(size));
    }
}

/* "p + 12", or just p */
static const char *pointer_at(const char *p, int64_t offset)
{
    return offset ? mem_printf("%s + %s", p, int_text(offset)) : p;
}

static bool is_plain(const Box *b)
{
    return !b->rank || (b->rank == 1 && b->y_steps[0] == 1 && b->x_steps[0] == 1);
}

void emit_box_copy(Emitter *e, const Box *b, DType d, const char *y, const char *x)
{
    int64_t dims[BOX_RANK + 3], y_steps[BOX_RANK + 3], x_steps[BOX_RANK + 3];
    KernelBox k = kernel_box(b);
    for (int i = 0; i < k.rank; i++) {
        dims[i] = k.dims[i];
        y_steps[i] = k.y_steps[i];
        x_steps[i] = k.x_steps[i];
        if (!dims[i])
            return;
    }
    y = pointer_at(y, b->y_base);
    x = pointer_at(x, b->x_base);
    if (is_plain(b))
        emit_line(e, "memcpy(%s, %s, %s);", y, x,
                  int_text((b->rank ? b->dims[0] : 1) * (int64_t)dtype_size(d)));
    else
        emit_line(e, "%s(%s, %s, %d, %d, %s, %s, %s);", emit_kernel(e, "copy_box", d), y, x, k.outer, k.rank,
                  emit_dims(dims, k.rank), emit_dims(y_steps, k.rank), emit_dims(x_steps, k.rank));
}

void box_fill(DType d, void *y, const void *value, int64_t count)
{
    size_t size = dtype_size(d);
    for (int64_t i = 0; i < count; i++)
        memcpy((char *)y + (size_t)i * size, value, size);
}

void emit_box_fill(Emitter *e, DType d, const char *y, const char *value, int64_t count)
{
    emit_line(e, "%s(%s, %s, %s);", emit_kernel(e, "fill", d), y, value, int_text(count));
}

void box_pad(Type yt, Type xt, const int64_t *begin, bool reflect, void *y, const void *x)
{
    int32_t y_dims[MAX_RANK], x_dims[MAX_RANK], first[MAX_RANK], rows = 1;
    for (int i = 0; i < yt.rank; i++) {
        y_dims[i] = narrow(yt.dims[i]);
        x_dims[i] = narrow(xt.dims[i]);
        first[i] = narrow(begin[i]);
        rows = i < yt.rank - 1 ? narrow((int64_t)rows * y_dims[i]) : rows;
    }
    switch (dtype_size(yt.dtype)) {
    case 1: tn_pad_self_u8(y, x, rows, yt.rank, y_dims, x_dims, first, reflect); return;
    case 2: tn_pad_self_u16(y, x, rows, yt.rank, y_dims, x_dims, first, reflect); return;
    case 4: tn_pad_self_u32(y, x, rows, yt.rank, y_dims, x_dims, first, reflect); return;
    case 8: tn_pad_self_u64(y, x, rows, yt.rank, y_dims, x_dims, first, reflect); return;
    default: bug("elements of %zu bytes", dtype_size(yt.dtype));
    }
}
