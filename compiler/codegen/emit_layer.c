/* emit_layer.c - OP_Layer as C: the operator's hook, and the table of what forms print. Convolutions are in
 * emit_conv.c, fully connected layers in emit_fc.c, the unrolled terms in emit_unroll.c, the kernels in
 * runtime/layer.h. */
#include "codegen/layer_code.h"

void emit_layer_functions(Emitter *e, const Layer *l)
{
    emit_kernel(e, "vec", DT_NONE); /* what all formats are printed with, beside the vectors of floats */
    emit_kernel(e, layer_format(l)->vec, DT_NONE);
    Text *body = e->out;
    int indent = e->indent;
    e->out = &e->functions;
    e->indent = 0;
    if (l->kind == LAYER_FC)
        emit_fc(e, l);
    else
        emit_conv(e, l);
    e->out = body;
    e->indent = indent;
}

void emit_layer(Emitter *e, const Node *n)
{
    const Layer *l = n->layer;
    emit_layer_functions(e, l);
    const char *x = emit_ptr(e, n->in[0]), *y = emit_ptr(e, n->out[0]);
    int64_t scratch = layer_scratch(e->plan, n, l);
    if (scratch >= 0)
        emit_line(e, "layer%d(%s, %s, arena + %s);", l->index, x, y, int_text(scratch));
    else
        emit_line(e, "layer%d(%s, %s);", l->index, x, y);
}
