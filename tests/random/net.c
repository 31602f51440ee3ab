/* net.c - a graph: operators by the table, or a chain of those that layers take over. */
#include "random/draw.h"

/* ---- the table ---- */

#define FEW (F32 | BIT(DT_I64))
#define BYTES (BIT(DT_U8) | BIT(DT_I8))

const Recipe recipes[] = {
    {OP_Conv, make_conv, FLOATS},
    {OP_ConvTranspose, make_conv_transpose, FLOATS},
    {OP_Gemm, make_gemm, FLOATS},
    {OP_MatMul, make_matmul, NUMBERS},
    {OP_Einsum, make_einsum, F32},
    {OP_MaxPool, make_pool, F32},
    {OP_AveragePool, make_pool, F32},
    {OP_GlobalMaxPool, make_global_pool, F32},
    {OP_GlobalAveragePool, make_global_pool, F32},
    {OP_LpPool, make_pool, F32},
    {OP_GlobalLpPool, make_global_pool, F32},
    {OP_MaxUnpool, make_unpool, F32},
    {OP_LSTM, make_recurrent, F32},
    {OP_GRU, make_recurrent, F32},
    {OP_RNN, make_recurrent, F32},
    {OP_QuantizeLinear, make_quantize, F32},
    {OP_DequantizeLinear, make_dequantize, BYTES | BIT(DT_I32)},
    {OP_DynamicQuantizeLinear, make_dynamic_quantize, F32},
    {OP_ConvInteger, make_conv_integer, BYTES},
    {OP_MatMulInteger, make_matmul_integer, BYTES},
    {OP_Reshape, make_reshape, ALL},
    {OP_Flatten, make_flatten, ALL},
    {OP_Squeeze, make_squeeze, ALL},
    {OP_Unsqueeze, make_unsqueeze, ALL},
    {OP_Identity, make_unary, ALL},
    {OP_Dropout, make_dropout, FLOATS},
    {OP_Shape, make_shape, ALL},
    {OP_Size, make_shape, ALL},
    {OP_EyeLike, make_eye, NUMBERS},
    {OP_ConstantOfShape, make_constant_of_shape, 0},
    {OP_Range, make_range, FEW},
    {OP_Transpose, make_transpose, ALL},
    {OP_Concat, make_concat, ALL},
    {OP_Split, make_split, ALL},
    {OP_Slice, make_slice, ALL},
    {OP_Expand, make_expand, ALL},
    {OP_Tile, make_tile, ALL},
    {OP_DepthToSpace, make_blocks, F32},
    {OP_SpaceToDepth, make_blocks, F32},
    {OP_Pad, make_pad, NUMBERS},
    {OP_Gather, make_gather, ALL},
    {OP_GatherElements, make_gather_elements, ALL},
    {OP_GatherND, make_gather_nd, ALL},
    {OP_ScatterElements, make_scatter_elements, NUMBERS},
    {OP_ScatterND, make_scatter_nd, NUMBERS},
    {OP_OneHot, make_one_hot, 0},
    {OP_Trilu, make_trilu, ALL},
    {OP_TopK, make_top_k, FEW},
    {OP_Resize, make_resize, F32},
    {OP_NonMaxSuppression, make_nms, F32},
    {OP_GridSample, make_grid_sample, F32},
    {OP_RoiAlign, make_roi_align, F32},
    {OP_ReverseSequence, make_reverse_sequence, ALL},
    {OP_HannWindow, make_window, 0},
    {OP_HammingWindow, make_window, 0},
    {OP_BlackmanWindow, make_window, 0},
    {OP_Abs, make_unary, NUMBERS},
    {OP_Neg, make_unary, NUMBERS},
    {OP_Sign, make_unary, NUMBERS},
    {OP_Relu, make_unary, NUMBERS},
    {OP_Floor, make_unary, FLOATS},
    {OP_Ceil, make_unary, FLOATS},
    {OP_Round, make_unary, FLOATS},
    {OP_Reciprocal, make_unary, FLOATS},
    {OP_Sqrt, make_unary, FLOATS},
    {OP_Exp, make_unary, FLOATS},
    {OP_Log, make_unary, FLOATS},
    {OP_Sin, make_unary, FLOATS},
    {OP_Cos, make_unary, FLOATS},
    {OP_Tan, make_unary, FLOATS},
    {OP_Asin, make_unary, FLOATS},
    {OP_Acos, make_unary, FLOATS},
    {OP_Atan, make_unary, FLOATS},
    {OP_Sinh, make_unary, FLOATS},
    {OP_Cosh, make_unary, FLOATS},
    {OP_Tanh, make_unary, FLOATS},
    {OP_Asinh, make_unary, FLOATS},
    {OP_Acosh, make_unary, FLOATS},
    {OP_Atanh, make_unary, FLOATS},
    {OP_Erf, make_unary, FLOATS},
    {OP_LeakyRelu, make_unary, FLOATS},
    {OP_Elu, make_unary, FLOATS},
    {OP_Selu, make_unary, FLOATS},
    {OP_Celu, make_unary, F32},
    {OP_ThresholdedRelu, make_unary, FLOATS},
    {OP_HardSigmoid, make_unary, FLOATS},
    {OP_HardSwish, make_unary, FLOATS},
    {OP_Sigmoid, make_unary, FLOATS},
    {OP_Softplus, make_unary, FLOATS},
    {OP_Softsign, make_unary, FLOATS},
    {OP_Shrink, make_unary, FLOATS},
    {OP_Not, make_unary, BIT(DT_BOOL)},
    {OP_IsNaN, make_unary, FLOATS},
    {OP_IsInf, make_flags, FLOATS},
    {OP_Clip, make_clip, NUMBERS},
    {OP_Cast, make_cast, ALL},
    {OP_CastLike, make_cast_like, ALL},
    {OP_Add, make_binary, NUMBERS},
    {OP_Sub, make_binary, NUMBERS},
    {OP_Mul, make_binary, NUMBERS},
    {OP_Div, make_divide, NUMBERS},
    {OP_Mod, make_divide, NUMBERS},
    {OP_Pow, make_binary, NUMBERS},
    {OP_PRelu, make_prelu, FLOATS},
    {OP_BitShift, make_shift, UNSIGNED},
    {OP_Equal, make_binary, NUMBERS | BIT(DT_BOOL)},
    {OP_Greater, make_binary, NUMBERS},
    {OP_GreaterOrEqual, make_binary, NUMBERS},
    {OP_Less, make_binary, NUMBERS},
    {OP_LessOrEqual, make_binary, NUMBERS},
    {OP_And, make_binary, BIT(DT_BOOL)},
    {OP_Or, make_binary, BIT(DT_BOOL)},
    {OP_Xor, make_binary, BIT(DT_BOOL)},
    {OP_Where, make_where, ALL},
    {OP_Min, make_variadic, NUMBERS},
    {OP_Max, make_variadic, NUMBERS},
    {OP_Sum, make_variadic, FLOATS},
    {OP_Mean, make_variadic, FLOATS},
    {OP_NegativeLogLikelihoodLoss, make_loss, FLOATS},
    {OP_If, make_if, FLOATS},
    {OP_Loop, make_loop, FLOATS},
    {OP_Scan, make_scan, FLOATS},
    {OP_SequenceAt, make_sequence, NUMBERS},
    {OP_SequenceLength, make_sequence_length, NUMBERS},
    {OP_SplitToSequence, make_split_to_sequence, NUMBERS},
    {OP_ConcatFromSequence, make_sequence, NUMBERS},
    {OP_ReduceSum, make_reduce_sum, NUMBERS},
    {OP_ReduceMean, make_reduce, NUMBERS},
    {OP_ReduceProd, make_reduce, NUMBERS},
    {OP_ReduceMax, make_reduce, NUMBERS},
    {OP_ReduceMin, make_reduce, NUMBERS},
    {OP_ReduceL1, make_reduce, NUMBERS},
    {OP_ReduceL2, make_reduce, FLOATS},
    {OP_ReduceLogSum, make_reduce, FLOATS},
    {OP_ReduceLogSumExp, make_reduce, FLOATS},
    {OP_ReduceSumSquare, make_reduce, NUMBERS},
    {OP_ArgMax, make_arg, NUMBERS},
    {OP_ArgMin, make_arg, NUMBERS},
    {OP_CumSum, make_cumsum, NUMBERS},
    {OP_Softmax, make_axis, FLOATS},
    {OP_LogSoftmax, make_axis, FLOATS},
    {OP_Hardmax, make_axis, FLOATS},
    {OP_BatchNormalization, make_batch_norm, FLOATS},
    {OP_InstanceNormalization, make_instance_norm, FLOATS},
    {OP_LayerNormalization, make_layer_norm, FLOATS},
    {OP_MeanVarianceNormalization, make_mvn, FLOATS},
    {OP_LpNormalization, make_lp_norm, FLOATS},
    {OP_LRN, make_lrn, F32},
};
const int num_recipes = sizeof recipes / sizeof recipes[0];

/* ---- chains: what fuse_prologue.c, fuse.c and fuse_epilogue.c look at ---- */

static const OpKind before[] = {OP_Transpose,          OP_Mul, OP_Add,     OP_Sub, OP_Div,
                                OP_BatchNormalization, OP_Pad, OP_Reshape, OP_Cast};
static const OpKind linear[] = {OP_Conv,          OP_ConvTranspose, OP_Gemm, OP_MatMul, OP_Conv,
                                OP_ConvTranspose, OP_LSTM,          OP_GRU,  OP_RNN};
static const OpKind behind[] = {OP_Relu,          OP_Add,
                                OP_Mul,           OP_Sub,
                                OP_Div,           OP_BatchNormalization,
                                OP_Clip,          OP_HardSwish,
                                OP_HardSigmoid,   OP_LeakyRelu,
                                OP_Sigmoid,       OP_Tanh,
                                OP_MaxPool,       OP_AveragePool,
                                OP_GlobalMaxPool, OP_GlobalAveragePool,
                                OP_Reshape,       OP_Flatten,
                                OP_Squeeze,       OP_Unsqueeze,
                                OP_Transpose,     OP_Softmax,
                                OP_Max,           OP_PRelu};
/* With codes, also what passes/codes.c looks at; no Where, one side of which may not be computed at all. */
static const OpKind coded[] = {OP_Add,
                               OP_Mul,
                               OP_Sub,
                               OP_Sum,
                               OP_Max,
                               OP_Min,
                               OP_Concat,
                               OP_Split,
                               OP_Slice,
                               OP_Pad,
                               OP_Gather,
                               OP_Resize,
                               OP_Expand,
                               OP_Tile,
                               OP_ReduceMax,
                               OP_ReduceMin,
                               OP_ReduceMean,
                               OP_DepthToSpace,
                               OP_ArgMax,
                               OP_Reshape,
                               OP_Transpose,
                               OP_PRelu,
                               OP_ReverseSequence,
                               OP_GatherElements,
                               OP_HardSwish,
                               OP_Atan,
                               OP_Neg,
                               OP_Softmax,
                               OP_GlobalAveragePool,
                               OP_MaxPool,
                               OP_AveragePool};
#define COUNT(list) ((int)(sizeof(list) / sizeof(list)[0]))

static const Recipe *find_recipe(OpKind op)
{
    for (int i = 0; i < num_recipes; i++)
        if (recipes[i].op == op)
            return &recipes[i];
    bug("no recipe for %s", op_def(op)->name);
}

typedef enum Step { STOP, ANYTHING, BEFORE, LINEAR, BEHIND, CODED, NUM_STEPS } Step;

static const Recipe *draw_recipe(Draw *d, Step s)
{
    switch (s) {
    case BEFORE: return find_recipe(before[draw(d, 0, COUNT(before) - 1)]);
    case LINEAR: return find_recipe(linear[draw(d, 0, COUNT(linear) - 1)]);
    case CODED: return find_recipe(coded[draw(d, 0, COUNT(coded) - 1)]);
    case BEHIND: return find_recipe(behind[draw(d, 0, COUNT(behind) - 1)]);
    default: return &recipes[draw(d, 0, num_recipes - 1)];
    }
}

/* What step k of a new graph is: up to 6 operators, or up to two layers with what goes with them. */
static Step plan_step(const Draw *d, int k)
{
    uint64_t bits = random_bits(d->seed ^ UINT64_C(0x6e65747761790000), 0);
    if (!d->chain)
        return k <= (int)(bits % 6) ? ANYTHING : STOP;
    int front = (int)(bits % 3), back = 1 + (int)(bits / 3 % 4), length = front + 1 + back;
    if (k >= length * (bits / 12 % 4 ? 1 : 2))
        return STOP;
    k %= length;
    if (d->codes && (k < front || bits >> (8 + k) & 1))
        return CODED;
    return k < front ? BEFORE : k == front ? LINEAR : BEHIND;
}

/* The table has what onnxruntime takes as well; doubles, and small integers but for two operators, are for
 * ternc alone. */
static unsigned wider(const Draw *d, const Recipe *r)
{
    unsigned dtypes = r->dtypes;
    if (d->oracle)
        return dtypes;
    if ((dtypes & NUMBERS) == NUMBERS && r->op != OP_CumSum && r->op != OP_Pow)
        dtypes |= UNSIGNED | BIT(DT_I8) | BIT(DT_I16);
    return dtypes & F32 ? dtypes | FLOATS : dtypes;
}

static void add_step(Draw *d, Step s)
{
    const Recipe *r = draw_recipe(d, s);
    Recipe wide = {r->op, r->make, wider(d, r)}, floats = {r->op, r->make, r->dtypes & F32};
    Node *n = r->make(d, s != ANYTHING && floats.dtypes ? &floats : &wide);
    if (!n)
        return;
    if (n->op >= OP_If && n->op <= OP_ConcatFromSequence)
        place_as_is(d, d->g, n);
    else if (place(d, n) && d->codes && n->out[0] && n->out[0]->type.dtype == DT_F32 && draw(d, 0, 3))
        place_pair(d, n->out[0]);
}

/* ---- outputs ---- */

static void add_output(Graph *g, Tensor *t)
{
    g->outputs[g->num_outputs++] = t;
}

static void draw_outputs(Draw *d)
{
    Graph *g = d->g;
    const int *uses = graph_use_counts(g);
    g->outputs = NEW_ARRAY(Tensor *, g->num_tensors);
    for (int i = 0; i < d->num_pool; i++) {
        Tensor *t = d->pool[i];
        if (t->producer && (!uses[t->id] || d->oracle || maybe(d, 8)))
            add_output(g, t);
    }
}

Graph *draw_net(Draw *d)
{
    d->g = graph_new("net.onnx", "net");
    d->codes = maybe(d, 4) && !d->oracle;
    d->chain = draw(d, 0, 1) || d->codes;
    d->odd = maybe(d, 6);
    d->zeros = maybe(d, 16) && !d->oracle;
    int k = 0;
    for (;; k++) {
        d->out->steps[k] = d->out->count;
        if (k == MAX_STEPS)
            break;
        Step s = (Step)draw_or(d, STOP, NUM_STEPS - 1, plan_step(d, k));
        if (s == STOP)
            break;
        add_step(d, s);
    }
    d->out->num_steps = k;
    draw_outputs(d);
    return d->g;
}
