/* emit_fc.c - fully connected layers as C. Sums are accumulated in the output itself. */
#include "codegen/codegen.h"
#include "print/emitter.h"

static void emit_fc_affine(Emitter *e, const Layer *l)
{
    long long n = l->co;
    const char *bias =
        l->bias ? emit_const_array(e, mem_printf("layer%d_bias", l->index), DT_F32, l->bias, l->co) : NULL;
    if (!l->scale && bias)
        emit_line(e, "%s(y, %lld, %s);", emit_kernel(e, "bias_each", layer_format(l)->acc), n, bias);
    else if (l->scale && !bias && all_equal(l->scale, l->co))
        emit_line(e, "%s(y, %lld, %s, 0.0f);", emit_kernel(e, "affine", layer_format(l)->acc), n,
                  float_text(l->scale[0], DT_F32));
    else if (l->scale && !bias)
        emit_line(e, "%s(y, %lld, %s);", emit_kernel(e, "scale_each", layer_format(l)->acc), n,
                  emit_const_array(e, mem_printf("layer%d_scale", l->index), DT_F32, l->scale, l->co));
    else if (l->scale)
        emit_line(e, "%s(y, %lld, %s, %s);", emit_kernel(e, "affine_each", layer_format(l)->acc), n,
                  emit_const_array(e, mem_printf("layer%d_scale", l->index), DT_F32, l->scale, l->co), bias);
}

/* The functions of all blocks; how many each has, by its first output. */
static const int *emit_blocks(Emitter *e, const Layer *l)
{
    const Options *opt = e->plan->opt;
    int *functions = NEW_ARRAY(int, l->co);
    for (int64_t first = 0; first < l->co; first += fc_block(l, first, opt)) {
        void *mark = mem_mark();
        const UnrolledBlock *b = unroll_fc(l, first, fc_block(l, first, opt));
        functions[first] = b->size.functions;
        emit_unrolled_fc(e, l, b);
        mem_release(mark);
    }
    return functions;
}

static void emit_fc_sums(Emitter *e, const Layer *l, const int *functions)
{
    long long ci = l->ci, co = l->co;
    if (l->lowering == LOWER_UNROLL) {
        for (int64_t first = 0; first < l->co; first++)
            for (int i = 0; i < functions[first]; i++)
                emit_line(e, "layer%d_%lld_%d(x, y);", l->index, (long long)first, i);
        return;
    }
    static const char *const kernels[][2] = {
        [LOWER_SPARSE] = {"sparse_fc", "coded_fc"},
        [LOWER_PACKED] = {"packed_words", "packed_bytes"},
        [LOWER_DENSE] = {"dense_fc", "dense_fc"},
    };
    const char *kernel = emit_kernel(e, kernels[l->lowering][l->small], layer_format(l)->acc);
    emit_line(e, "%s(y, x, %lld, %lld, %s);", kernel, ci, co, emit_weights(e, l, 1));
}

void emit_fc(Emitter *e, const Layer *l)
{
    const int *functions = l->lowering == LOWER_UNROLL ? emit_blocks(e, l) : NULL;
    emit_line(e, "static %s_LAYER void layer%d(const %s *x, %s *y)", e->macro, l->index, dtype_c(layer_format(l)->act),
              dtype_c(layer_format(l)->acc));
    emit_line(e, "{");
    if (l->batch > 1)
        emit_line(e, "for (int32_t row = 0; row < %lld; row++, x += %lld, y += %lld) {", (long long)l->batch,
                  (long long)l->ci, (long long)l->co);
    emit_fc_sums(e, l, functions);
    emit_begin_check(e);
    emit_line(e, "%s_check_acc(%d, %s, 0, 0, 0, 1, y, %lld);", e->plan->id, l->index, l->batch > 1 ? "row" : "0",
              (long long)l->co);
    emit_end_check(e);
    emit_fc_affine(e, l);
    emit_activation(e, &l->act, "y", mem_printf("%lld", (long long)l->co));
    if (l->batch > 1)
        emit_line(e, "}");
    emit_line(e, "}");
    emit_blank(e);
}
