/* emit_layer.c - OP_Layer as C: the operator's hook, and what convolutions (emit_conv.c) and fully connected layers
 * (emit_fc.c) share. The unrolled terms are in emit_unroll.c, the kernels in runtime/layer.h. */
#include "codegen/codegen.h"
#include "ops/flow.h"
#include "ops/recurrent.h"
#include "print/emitter.h"

#include <string.h>

void emit_activation(Emitter *e, const Activation *a, const char *v, const char *n)
{
    static const char *const kernels[] = {
        [ACT_RELU] = "act_relu",
        [ACT_CLIP] = "act_clip",
        [ACT_LEAKY_RELU] = "act_leaky_relu",
        [ACT_SIGMOID] = "act_sigmoid",
        [ACT_TANH] = "act_tanh",
        [ACT_HARD_SIGMOID] = "act_hard_sigmoid",
        [ACT_HARD_SWISH] = "act_hard_swish",
    };
    if (a->kind == ACT_NONE)
        return;
    const char *f = emit_kernel(e, kernels[a->kind], DT_F32);
    if (a->kind == ACT_CLIP || a->kind == ACT_HARD_SIGMOID)
        emit_line(e, "%s(%s, %s, %s, %s);", f, v, n, float_text(a->a, DT_F32), float_text(a->b, DT_F32));
    else if (a->kind == ACT_LEAKY_RELU)
        emit_line(e, "%s(%s, %s, %s);", f, v, n, float_text(a->a, DT_F32));
    else
        emit_line(e, "%s(%s, %s);", f, v, n);
}

const char *emit_weights(Emitter *e, const Layer *l, int64_t block)
{
    WeightTable t = weight_table(l, l->lowering, block);
    return emit_const_array(e, mem_printf("layer%d_weights", l->index), t.dtype, t.data, t.len);
}

int64_t layer_scratch_bytes(const Node *n, const Options *opt)
{
    if (n->op == OP_Recurrent)
        return recurrent_scratch_bytes(n);
    if (n->op == OP_LoopEnd)
        return loop_scratch_bytes(n);
    if (n->op != OP_Layer || n->layer->kind == LAYER_FC)
        return 0;
    return conv_scratch_bytes(n->layer, opt);
}

void emit_layer_functions(Emitter *e, const Layer *l)
{
    emit_kernel(e, "vec", DT_NONE);
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
    int64_t scratch = layer_scratch_bytes(n, e->plan->opt) ? e->plan->scratch[plan_node_index(e->plan, n)] : -1;
    if (scratch >= 0)
        emit_line(e, "layer%d(%s, %s, arena + %lld);", l->index, x, y, (long long)scratch);
    else
        emit_line(e, "layer%d(%s, %s);", l->index, x, y);
}
