/* boxes.h - moving elements between boxes, shared by the data-movement operators. */
#ifndef TERNC_BOXES_H
#define TERNC_BOXES_H

#include "graph/op.h"

/* y[y_base + sum i_k * y_steps[k]] = x[x_base + sum i_k * x_steps[k]] for all i_k < dims[k]. */
enum { BOX_RANK = 2 * MAX_RANK };
typedef struct Box {
    int rank;
    int64_t dims[BOX_RANK], y_steps[BOX_RANK], x_steps[BOX_RANK];
    int64_t y_base, x_base;
} Box;

/* Appends an axis; axes go from the outermost to the innermost. */
void box_axis(Box *b, int64_t size, int64_t y_step, int64_t x_step);
void box_copy(const Box *b, DType d, void *y, const void *x);
void emit_box_copy(Emitter *e, const Box *b, DType d, const char *y, const char *x);
/* y[i] = *value for all elements. */
void box_fill(DType d, void *y, const void *value, int64_t count);
void emit_box_fill(Emitter *e, DType d, const char *y, const char *value, int64_t count);
/* y of type yt = x of type xt, moved by begin and continued with its own elements: runtime/pad.h. */
void box_pad(Type yt, Type xt, const int64_t *begin, bool reflect, void *y, const void *x);

#endif
