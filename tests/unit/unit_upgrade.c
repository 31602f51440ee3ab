/* unit_upgrade.c - upgrade, text in, text out: every operator whose form changed between opset 1 and 18, and
 * the messages for what has no exact form of opset 17. */
#include "ops/ops.h"
#include "passes/passes.h"
#include "support/text.h"

#include <CUnit/Basic.h>
#include <stdlib.h>
#include <string.h>

typedef struct Case {
    int opset;
    const char *inputs, *constants, *nodes; /* of a graph that makes y */
    const char *want;                       /* its nodes after upgrade, or the message */
} Case;

static const Case cases[] = {
    /* axes, limits and other parameters become inputs */
    {12, "float[1,3] x", "", "y = Squeeze <axes = [0]> (x)", "y = Squeeze (x, y_axes)"},
    {12, "float[1,3] x", "", "y = Squeeze (x)", "y = Squeeze (x)"},
    {12, "float[3] x", "", "[u] y = Unsqueeze <axes = [0, 1]> (x)", "[u] y = Unsqueeze (x, u_axes)"},
    {12, "float[3] x", "", "y = ReduceSum <axes = [0], keepdims = 0> (x)",
     "y = ReduceSum <keepdims = 0> (x, y_axes)"},
    {12, "float[3] x", "", "y = ReduceMean <axes = [0]> (x)", "y = ReduceMean <axes = [0]> (x)"},
    {10, "float[3] x", "", "y = Clip <max = 6.0, min = 0.0> (x)", "y = Clip (x, y_min, y_max)"},
    {10, "float[3] x", "", "y = Clip <max = 6.0> (x)", "y = Clip (x, , y_max)"},
    {10, "float[3] x", "", "y = Clip (x)", "y = Clip (x)"},
    {9, "float[9] x", "", "y = Slice <starts = [1], ends = [3]> (x)", "y = Slice (x, y_starts, y_ends)"},
    {9, "float[9] x", "", "y = Slice <starts = [1], ends = [3], axes = [0]> (x)",
     "y = Slice (x, y_starts, y_ends, y_axes)"},
    {10, "float[3] x", "", "y = Pad <pads = [1, 2], value = 0.5> (x)", "y = Pad (x, y_pads, y_value)"},
    {10, "float[3] x", "", "y = Pad <mode = \"edge\", pads = [1, 2]> (x)",
     "y = Pad <mode = \"edge\"> (x, y_pads)"},
    {12, "float[6] x", "", "y, z = Split <axis = 0, split = [2, 4]> (x)",
     "y, z = Split <axis = 0> (x, y_split)"},
    {12, "float[6] x", "", "y, z = Split (x)", "y, z = Split (x)"},
    {13, "float[9] x, int64[1] k", "", "[t] y, = TopK <axis = 0> (x, k)",
     "[t] y, t_indices = TopK <axis = 0> (x, k)"},
    {13, "float[9] x", "", "[d] y, = Dropout (x)", "[d] y = Dropout (x)"},
    {9, "float[9] x", "", "y, i = TopK <k = 2, axis = 0> (x)", "y, i = TopK <axis = 0> (x, y_k)"},
    {11, "float[3] x", "", "y = Dropout <ratio = 0.25> (x)", "y = Dropout (x, y_ratio)"},
    {7, "float[3] x", "", "y, m = Dropout (x)", "y = Dropout (x)"},
    {13, "float[3] x", "", "y, m = Dropout (x)",
     "[y_shape] y_shape = Shape (x)|[y_mask] m = Expand (y_keep, y_shape)|y = Dropout (x)"},
    /* the types of new constants */
    {10, "float[3] x", "", "a = Cast <to = 11> (x) y = Clip <min = 0.5> (a)",
     "a = Cast <to = 11> (x)|y = Clip (a, y_min:double)"},
    {10, "double[3] x", "", "a = Relu (x) y = Clip <min = 0.5> (a)",
     "a = Relu (x)|y = Clip (a, y_min:double)"},
    /* training */
    {13, "float[3] x", "<float r = {0.5}, bool t = {0}>", "y = Dropout (x, r, t)", "y = Dropout (x, r)"},
    {13, "float[3] x", "<float r = {0.5}, bool t = {1}>", "y = Dropout (x, r, t)",
     "!node 'y' (Dropout): is in training mode; export the model for inference"},
    {13, "float[3] x, bool t", "<float r = {0.5}>", "y = Dropout (x, r, t)",
     "!node 'y' (Dropout): is in training mode; export the model for inference"},
    {9, "float[1,2,3] x", "<float[2] a = {1, 1}>", "y = BatchNormalization <epsilon = 0.5> (x, a, a, a, a)",
     "y = BatchNormalization <epsilon = 0.5> (x, a, a, a, a)"},
    {8, "float[1,2,3] x", "<float[2] a = {1, 1}>", "y = BatchNormalization <spatial = 1> (x, a, a, a, a)",
     "y = BatchNormalization (x, a, a, a, a)"},
    {8, "float[1,2,3] x", "<float[2] a = {1, 1}>", "y = BatchNormalization <spatial = 0> (x, a, a, a, a)",
     "!node 'y' (BatchNormalization): spatial = 0 (a mean per element) is not supported"},
    {9, "float[1,2,3] x", "<float[2] a = {1, 1}>", "y, m, v, n, w = BatchNormalization (x, a, a, a, a)",
     "!node 'y' (BatchNormalization): is in training mode; export the model for inference"},
    {15, "float[1,2,3] x", "<float[2] a = {1, 1}>",
     "y = BatchNormalization <training_mode = 0> (x, a, a, a, a)", "y = BatchNormalization (x, a, a, a, a)"},
    {15, "float[1,2,3] x", "<float[2] a = {1, 1}>",
     "y = BatchNormalization <training_mode = 1> (x, a, a, a, a)",
     "!node 'y' (BatchNormalization): is in training mode; export the model for inference"},
    /* Softmax */
    {11, "float[2,3] x", "", "y = Softmax (x)", "y = Softmax <axis = -1> (x)"},
    {12, "float[2,3,4] x", "", "y = Softmax <axis = -1> (x)", "y = Softmax <axis = -1> (x)"},
    {12, "float[2,3,4] x", "", "y = Softmax <axis = 2> (x)", "y = Softmax <axis = -1> (x)"},
    {12, "float[2,3,4] x", "", "[s] y = LogSoftmax (x)",
     "[s_shape] s_shape = Shape (x)|[s_flat] s_flat = Flatten <axis = 1> (x)|[s] s_rows = LogSoftmax <axis = "
     "-1> "
     "(s_flat)|[s_rows] y = Reshape (s_rows, s_shape)"},
    {12, "float[2,3,4] x", "", "[s] y = Hardmax <axis = -2> (x)",
     "[s_shape] s_shape = Shape (x)|[s_flat] s_flat = Flatten <axis = -2> (x)|[s] s_rows = Hardmax <axis = "
     "-1> "
     "(s_flat)|[s_rows] y = Reshape (s_rows, s_shape)"},
    {11, "float[2,3,4] x", "", "a = Flatten (x) y = Softmax (a)",
     "a = Flatten (x)|y = Softmax <axis = -1> (a)"},
    {13, "float[2,3,4] x", "", "y = Softmax <axis = 1> (x)", "y = Softmax <axis = 1> (x)"},
    {13, "float[2,3,4] x", "", "y = Softmax (x)", "y = Softmax (x)"},
    /* Gemm */
    {13, "float[2,3] x", "<float[2,4] b = seed 1>", "[g] y = Gemm <alpha = 2.0, transA = 1> (x, b)",
     "[g_a] g_a = Transpose <perm = [1, 0]> (x)|[g] y = Gemm <alpha = 2.0> (g_a, b)"},
    {13, "float[2,3] x", "<float[3,4] b = seed 1>", "y = Gemm <transA = 0, transB = 0> (x, b)",
     "y = Gemm <transB = 0> (x, b)"},
    /* Resize */
    {8, "float[1,1,2,2] x", "", "y = Upsample <mode = \"linear\", scales = [1.0, 1.0, 2.0, 2.0]> (x)",
     "y = Resize <mode = \"linear\", coordinate_transformation_mode = \"asymmetric\", nearest_mode = "
     "\"floor\"> "
     "(x, , y_scales)"},
    {9, "float[1,1,2,2] x", "<float[4] s = {1, 1, 2, 2}>", "y = Upsample (x, s)",
     "y = Resize <coordinate_transformation_mode = \"asymmetric\", nearest_mode = \"floor\"> (x, , s)"},
    {10, "float[1,1,2,2] x", "<float[4] s = {1, 1, 2, 2}>", "y = Resize (x, s)",
     "y = Resize <coordinate_transformation_mode = \"asymmetric\", nearest_mode = \"floor\"> (x, , s)"},
    {10, "float[1,1,2,2] x", "<float[4] s = {1, 1, 0.5, 2}>", "y = Resize (x, s)",
     "!node 'y' (Resize): the rounding of Resize in opset 10 is only defined for constant scales of at least "
     "1; export "
     "with opset 17"},
    {10, "float[1,1,2,2] x", "<float[4] s = {1, 1, 0.5, 2}>", "y = Resize <mode = \"linear\"> (x, s)",
     "y = Resize <mode = \"linear\", coordinate_transformation_mode = \"asymmetric\", nearest_mode = "
     "\"floor\"> "
     "(x, , s)"},
    {11, "float[1,1,2,2] x", "<float[0] r = {}, float[4] s = {1, 1, 2, 2}>", "y = Resize (x, r, s)",
     "y = Resize (x, , s)"},
    {11, "float[1,1,2,2] x", "<float[0] r = {}, int64[4] s = {1, 1, 4, 4}>", "y = Resize (x, r, r, s)",
     "y = Resize (x, , , s)"},
    {18, "float[1,1,2,2] x", "<float[4] s = {1, 1, 2, 2}>",
     "y = Resize <antialias = 0, keep_aspect_ratio_policy = \"stretch\"> (x, , s)", "y = Resize (x, , s)"},
    {18, "float[1,1,2,2] x", "<float[4] s = {1, 1, 2, 2}>", "y = Resize <antialias = 1> (x, , s)",
     "!node 'y' (Resize): antialias is not supported"},
    /* others */
    {10, "float[3] x, int64[1] i, float[1] u", "", "y = Scatter <axis = 0> (x, i, u)",
     "y = ScatterElements <axis = 0> (x, i, u)"},
    {10, "float[1,1,3,3] x", "<float[1,1,3,3] w = seed 1>",
     "y = ConvTranspose <output_shape = [6, 6]> (x, w)",
     "!node 'y' (ConvTranspose): output_shape and auto_pad SAME are ambiguous before opset 11; export with "
     "opset 17, "
     "or with pads"},
    {10, "float[1,1,3,3] x", "<float[1,1,3,3] w = seed 1>", "y = ConvTranspose <auto_pad = \"VALID\"> (x, w)",
     "y = ConvTranspose <auto_pad = \"VALID\"> (x, w)"},
    /* opset 18 */
    {18, "float[2,3] x", "<int64[1] a = {1}>", "y = ReduceMean <keepdims = 0> (x, a)",
     "y = ReduceMean <keepdims = 0, axes = [1]> (x)"},
    {18, "float[2,3] x", "", "y = ReduceMax (x)", "y = ReduceMax (x)"},
    {18, "float[2,3] x", "", "y = ReduceMax <noop_with_empty_axes = 1, keepdims = 0> (x)",
     "y = Identity (x)"},
    {18, "float[2,3] x", "", "y = ReduceMin <noop_with_empty_axes = 1> (x)", "y = Identity (x)"},
    {18, "float[2,3] x", "", "y = ReduceMean <noop_with_empty_axes = 1> (x)", "y = Identity (x)"},
    {18, "float[2,3] x", "", "y = ReduceProd <noop_with_empty_axes = 1> (x)", "y = Identity (x)"},
    {18, "float[2,3] x", "", "y = ReduceLogSumExp <noop_with_empty_axes = 1> (x)", "y = Identity (x)"},
    {18, "float[2,3] x", "", "y = ReduceL1 <noop_with_empty_axes = 1> (x)", "y = Abs (x)"},
    {18, "float[2,3] x", "", "y = ReduceL2 <noop_with_empty_axes = 1> (x)", "y = Abs (x)"},
    {18, "float[2,3] x", "", "y = ReduceLogSum <noop_with_empty_axes = 1> (x)", "y = Log (x)"},
    {18, "float[2,3] x", "", "y = ReduceSumSquare <noop_with_empty_axes = 1> (x)", "y = Mul (x, x)"},
    {18, "float[2,3] x", "", "y = ReduceSum <noop_with_empty_axes = 1> (x)",
     "y = ReduceSum <noop_with_empty_axes = 1> (x)"},
    {18, "float[2,3] x", "<int64[0] a = {}>",
     "y = ReduceSumSquare <noop_with_empty_axes = 1, keepdims = 0> (x, a)", "y = Mul (x, x)"},
    {18, "float[2,3] x", "<int64[1] a = {1}>", "y = ReduceL1 <noop_with_empty_axes = 1> (x, a)",
     "y = ReduceL1 <axes = [1]> (x)"},
    {18, "float[2,3] x, int64[1] a", "", "y = ReduceL2 (x, a)",
     "!node 'y' (ReduceL2): input 1 ('a') must be a constant: its value is not known at compile time"},
    {18, "float[2,3] x", "<int64[1] a = {1}>", "y = ReduceSum (x, a)", "y = ReduceSum (x, a)"},
    {18, "float[6] x", "", "y, z = Split <num_outputs = 2> (x)", "y, z = Split (x)"},
    {18, "float[6] x", "", "y, z = Split <num_outputs = 3> (x)",
     "!node 'y' (Split): num_outputs is 3, but there are 2"},
    {18, "float[2,3] x", "<int64[2] p = {1, 1}, float v = {0}, int64[1] a = {1}>", "y = Pad (x, p, v, a)",
     "y = Pad (x, y_pads, v)"},
    {18, "float[2,3] x", "<int64[2] p = {1, 1}, int64[1] a = {2}>", "y = Pad (x, p, , a)",
     "!node 'y' (Pad): axis 2 is out of range for rank 2"},
    {18, "float[2,3] x", "<int64[4] p = {1, 1, 1, 1}, int64[2] a = {1, -1}>", "y = Pad (x, p, , a)",
     "!node 'y' (Pad): axis 1 is named twice"},
    {18, "float[2,3] x", "<int64[4] p = {1, 1, 1, 1}, int64[1] a = {1}>", "y = Pad (x, p, , a)",
     "!node 'y' (Pad): 4 pads for 1 axes"},
    {18, "float[7] x", "", "y, z, w = Split <num_outputs = 3> (x)", "y, z, w = Split (x, y_split)"},
    /* Constant */
    {13, "float[2] x", "", "c = Constant <value = float[2] {1, 2}> () y = Add (x, c)",
     "y = Add (x, c:float)"},
    {13, "float[2] x", "", "c = Constant <value_float = 0.5> () y = Add (x, c)", "y = Add (x, c:float)"},
    {13, "int64[2] x", "", "c = Constant <value_int = 5> () y = Add (x, c)", "y = Add (x, c:int64)"},
    {13, "int64[2] x", "", "c = Constant <value_ints = [5, 6]> () y = Add (x, c)", "y = Add (x, c:int64)"},
    {13, "float[2] x", "", "c = Constant <value_floats = [0.5, 6.0]> () y = Add (x, c)",
     "y = Add (x, c:float)"},
    {13, "float[2] x", "", "c = Constant <value_string = \"a\"> () y = Identity (x)",
     "!node 'c' (Constant): attribute 'value_string' of Constant is not supported"},
    {12, "float[1] x", "", "c = Constant <value_int = 5> () y = Squeeze <axes = [0]> (x)",
     "y = Squeeze (x, y_axes)"},
    /* before opset 7 */
    {6, "float[2,3] x, float[3] z", "", "y = Mul <broadcast = 1> (x, z)", "y = Mul (x, z)"},
    {6, "float[2,3] x, float[2,3] z", "", "y = Mul <axis = 0> (x, z)", "y = Mul (x, z)"},
    {6, "float[2,3] x, float[2] z", "", "[m] y = Mul <broadcast = 1, axis = 0> (x, z)",
     "[m_a_shape] m_a_shape = Shape (x)|[m_b_shape] m_b_shape = Shape (z)|[m_b_rank] m_b_rank = Shape "
     "(m_b_shape)|"
     "[m_b_end] m_b_end = Add (m_b_rank, m_axis)|[m_tail] m_tail = Slice (m_a_shape, m_b_end, m_all)|"
     "[m_zeros] m_zeros = Sub (m_tail, m_tail)|[m_ones] m_ones = Add (m_zeros, m_one)|"
     "[m_shape] m_shape = Concat <axis = 0> (m_b_shape, m_ones)|[m_b] m_b = Reshape (z, m_shape)|[m] y = Mul "
     "(x, m_b)"},
    {6, "float[2,3] x, float[3] z", "", "y = Mul <broadcast = 1, axis = -1> (x, z)",
     "!node 'y' (Mul): axis = -1 is not supported before opset 7; export with opset 17"},
    {6, "float[2,3] x", "", "y = Mul <broadcast = 1> (x)", "!node 'y' (Mul): needs 2 inputs and an output"},
    {6, "float[2,3] x", "<float[3,4] b = seed 1, float[4] c = seed 2>", "y = Gemm <broadcast = 1> (x, b, c)",
     "y = Gemm (x, b, c)"},
    {6, "float[1,2,3] x", "<float[2] a = {1, 1}>", "y = BatchNormalization <is_test = 1> (x, a, a, a, a)",
     "y = BatchNormalization (x, a, a, a, a)"},
    {6, "float[1,2,3] x", "<float[2] a = {1, 1}>", "y = BatchNormalization (x, a, a, a, a)",
     "!node 'y' (BatchNormalization): is in training mode (is_test = 0, the default before opset 7); export "
     "the model "
     "for inference"},
    {6, "float[3] x", "", "y, m = Dropout <is_test = 1, ratio = 0.25> (x)", "y = Dropout (x, y_ratio)"},
    {6, "float[3] x", "", "y = Dropout (x)",
     "!node 'y' (Dropout): is in training mode (is_test = 0, the default before opset 7); export the model "
     "for "
     "inference"},
    {5, "float[3] x", "", "y = Relu <consumed_inputs = [1]> (x)", "y = Relu (x)"},
    {4, "float[6] x", "", "y = Reshape <shape = [2, 3]> (x)", "y = Reshape (x, y_shape)"},
    {3, "float[1,2] x", "", "y = Concat (x, x)", "y = Concat <axis = 1> (x, x)"},
    {5, "float[3] x", "", "y = Cast <to = \"INT64\"> (x)", "y = Cast <to = 7> (x)"},
    {5, "float[3] x", "", "y = Cast <to = \"FLOAT16\"> (x)", "y = Cast <to = 1> (x)"},
    {5, "float[3] x", "", "y = Cast <to = \"STRING\"> (x)",
     "!node 'y' (Cast): to = \"STRING\" is not supported"},
    {1, "float[3] x", "", "y = Pad <paddings = [1, 2]> (x)", "y = Pad (x, y_pads)"},
    {1, "float[6] x", "", "y, z = Split (x)",
     "!node 'y' (Split): does not say its axis, which opset 1 leaves open; export with opset 17"},
    {5, "float[3] x", "", "y = Selu <gamma = 2.0> (x)", "y = Selu <gamma = 2.0, alpha = 1.6732> (x)"},
    {5, "float[3] x, int64 t, int64 a", "", "y = Tile (x, t, a)",
     "!node 'y' (Tile): its form of opset 5 is not supported; export with opset 17"},
    /* contradictions */
    {12, "float[1,3] x, int64[1] a", "", "y = Squeeze <axes = [0]> (x, a)",
     "!node 'y' (Squeeze): input 1 does not exist in opset 12"},
    {12, "float[1,3] x", "", "y = Squeeze <axes = 0> (x)",
     "!node 'y' (Squeeze): attribute 'axes' has the wrong type"},
    {19, "float[1,3] x", "", "y = Relu (x)",
     "!opset 19 is not supported; 1 to 18 are. Export the model with opset 17"},
    {12, "float[1,3] x", "", "a = Nothing <axes = 0> (x) b = NoMore (a) y = Squeeze <axes = 0> (b)",
     "!unsupported operators: Nothing (node 'a'), NoMore (node 'b')"},
};

/* The dump's node lines without comments, "|" between them. A name followed by ":TYPE" in `want` asks for the
 * type of that constant, so all constants named so are marked in the result. */
static char *nodes_text(const Graph *g, const char *want)
{
    char *text, *result = mem_strdup("");
    size_t len;
    FILE *f = open_memstream(&text, &len);
    dump_graph(f, g);
    fclose(f);
    char *rest = strstr(text, "\n{\n") + 3;
    for (char *line; (line = strsep(&rest, "\n")) && line[0] == ' ';) {
        line[strcspn(line, "#")] = 0;
        size_t n = strlen(line);
        while (n && line[n - 1] == ' ')
            line[--n] = 0;
        result = mem_printf("%s%s%s", result, result[0] ? "|" : "", line + 3);
    }
    free(text);
    for (int i = 0; i < g->num_tensors; i++) {
        const Tensor *t = g->tensors[i];
        const char *mark = t->data ? mem_printf("%s:%s", t->name, dtype_name(t->type.dtype)) : NULL;
        char *at = mark && strstr(want, mark) ? strstr(result, mem_printf("%s)", t->name)) : NULL;
        if (at)
            result = mem_printf("%.*s%s%s", (int)(at - result), result, mark, at + strlen(t->name));
    }
    return result;
}

static const char *upgraded(const Case *c)
{
    static Trap t;
    if (CATCH(&t))
        return t.message;
    Model *m = text_read("m", mem_printf("<opset_import: [\"\" : %d]> g (%s) => (y) %s { %s }", c->opset,
                                         c->inputs, c->constants, c->nodes));
    m->quiet = true;
    pass_upgrade(m);
    verify_graph(m->graph, "upgrade");
    CU_ASSERT_EQUAL(m->opset, 17);
    const char *have = nodes_text(m->graph, c->want);
    trap_end();
    return have;
}

/* A message must start as wanted: the types of the inputs follow. */
static void test_cases(void)
{
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const Case *c = &cases[i];
        const char *have = upgraded(c);
        const char *want = c->want[0] == '!' ? mem_printf("m: %s", c->want + 1) : c->want;
        bool same = c->want[0] == '!' ? !strncmp(have, want, strlen(want)) : !strcmp(have, want);
        if (!same)
            fprintf(stderr, "opset %d: %s\nhave: %s\nwant: %s\n", c->opset, c->nodes, have, want);
        CU_ASSERT_TRUE(same);
    }
}

/* The values of new constants. */
static void test_values(void)
{
    Model *m = text_read("m", "<opset_import: [\"\" : 9]> g (float[9] x) => (y)\n"
                              "{ a = Slice <starts = [2], ends = [-1], axes = [0]> (x)\n"
                              "  b = Clip <min = -0.5, max = 6.0> (a) y = Unsqueeze <axes = [0, 2]> (b) }");
    pass_upgrade(m);
    const Graph *g = m->graph;
    CU_ASSERT_EQUAL(((const int64_t *)graph_find(g, "a_starts")->data)[0], 2);
    CU_ASSERT_EQUAL(((const int64_t *)graph_find(g, "a_ends")->data)[0], -1);
    CU_ASSERT_EQUAL(((const int64_t *)graph_find(g, "a_axes")->data)[0], 0);
    CU_ASSERT_EQUAL(((const float *)graph_find(g, "b_min")->data)[0], -0.5f);
    CU_ASSERT_EQUAL(((const float *)graph_find(g, "b_max")->data)[0], 6);
    CU_ASSERT_EQUAL(graph_find(g, "b_max")->type.rank, 0);
    CU_ASSERT_EQUAL(((const int64_t *)graph_find(g, "y_axes")->data)[1], 2);
}

/* Pads of one axis, and parts that do not come out even. */
static void test_opset_18(void)
{
    Model *m =
        text_read("m", "<opset_import: [\"\" : 18]> g (float[2,1] x, float[5] z) => (y, a, b)\n"
                       "<int64[2] p = {1, 2}, int64[1] axis = {-1}, float v = {9}>\n"
                       "{ i = Identity (p) y = Pad (x, i, v, axis) a, b = Split <num_outputs = 2> (z) }");
    m->quiet = true;
    pass_upgrade(m);
    pass_infer(m->graph);
    const float x[] = {3, 4}, z[] = {1, 2, 3, 4, 5}, padded[] = {9, 3, 9, 9, 9, 4, 9, 9};
    const void *inputs[] = {x, z};
    void **values = eval_graph(m->graph, inputs);
    Tensor *const *out = m->graph->outputs;
    CU_ASSERT_EQUAL(memcmp(values[out[0]->id], padded, sizeof padded), 0);
    CU_ASSERT_EQUAL(memcmp(values[out[1]->id], z, 3 * sizeof *z), 0);
    CU_ASSERT_EQUAL(memcmp(values[out[2]->id], z + 3, 2 * sizeof *z), 0);
}

/* Softmax of opset 12 over a rank-3 tensor from axis 1 sums each image, not each row, to 1. */
static void test_softmax_meaning(void)
{
    Model *m = text_read(
        "m", "<opset_import: [\"\" : 12]> g (float[2,3,4] x) => (float[2,3,4] y) { y = Softmax (x) }");
    pass_upgrade(m);
    pass_infer(m->graph);
    float x[24];
    for (int i = 0; i < 24; i++)
        x[i] = (float)(i * 7 % 11) * 0.25f;
    const void *inputs[] = {x};
    const float *y = eval_graph(m->graph, inputs)[m->graph->outputs[0]->id];
    for (int image = 0; image < 2; image++) {
        double sum = 0;
        for (int i = 0; i < 12; i++)
            sum += (double)y[12 * image + i];
        CU_ASSERT_DOUBLE_EQUAL(sum, 1, 1e-6);
    }
    CU_ASSERT_DOUBLE_EQUAL(y[1] / y[0], 5.754602676, 1e-5); /* exp(1.75) */
}

/* A slope per channel, and a bias that starts at axis 1. */
static void test_old_broadcast(void)
{
    Model *m = text_read("m", "<opset_import: [\"\" : 6]> g (float[1,2,2] x) => (float[1,2,2] y)\n"
                              "<float[2] slope = {2, 3}, float[2] bias = {10, 20}>\n"
                              "{ p = PRelu (x, slope) y = Add <broadcast = 1, axis = 1> (p, bias) }");
    pass_upgrade(m);
    pass_infer(m->graph);
    const float x[] = {-1, 1, -1, 1}, want[] = {8, 11, 17, 21};
    const void *inputs[] = {x};
    const float *y = eval_graph(m->graph, inputs)[m->graph->outputs[0]->id];
    for (int i = 0; i < 4; i++)
        CU_ASSERT_EQUAL(y[i], want[i]);
    CU_ASSERT_EQUAL(m->graph->num_nodes, 2);
}

/* ---- parameters that are computed from constants ---- */

/* How p comes from the constant c, and its f (float), q (scalar) and b (bool) kin from it. */
static const char *const chains[] = {
    "p = Identity (c)",
    "p = Concat <axis = 0> (c, none)",
    "d = Cast <to = 11> (c) p = Cast <to = 7> (d)",
    "d = Add (c, c) p = Sub (d, c)",
    "n = Shape (c) k = Squeeze (n) i = Range (zero, k, one) p = Gather (c, i)",
    "d = Unsqueeze (c, ax) e = Expand (d, two) p = ReduceMax <axes = [0], keepdims = 0> (e)",
};

typedef struct Parameter {
    int opset;
    const char *inputs, *values, *node;
} Parameter;

static const Parameter parameters[] = {
    {17, "float[2,3] x", "3, 2", "y = Reshape (x, p)"},
    {17, "float[2,1,3] x", "1", "y = Squeeze (x, p)"},
    {17, "float[2,3] x", "1", "y = Unsqueeze (x, p)"},
    {17, "float[2,1] x", "2, 3", "y = Expand (x, p)"},
    {17, "float[2,1] x", "2, 3", "y = Tile (x, p)"},
    {17, "float[9,9] x", "1, 2", "y = Slice (x, p, four)"},
    {17, "float[9,9] x", "5, 6", "y = Slice (x, ax1, p, ax1)"},
    {17, "float[9,9] x", "1", "y = Slice (x, ax, one1, p)"},
    {17, "float[9,9] x", "2", "y = Slice (x, ax, nine, one1, p)"},
    {17, "float[2,3] x", "1, 0, 2, 1", "y = Pad (x, p)"},
    {17, "float[6] x", "2, 4", "z, y = Split (x, p)"},
    {17, "float[6] x", "2", "y, z = TopK (x, p)"},
    {17, "float[2,3] x", "1", "y = ReduceSum (x, p)"},
    {17, "float[2,3] x", "2, 3", "o = ConstantOfShape (p) y = Add (x, o)"},
    {17, "float[3] x", "3", "o = Range (zero, q, one) o1 = Cast <to = 1> (o) y = Add (x, o1)"},
    {17, "int64[3] x", "4", "y = OneHot (x, q, two)"},
    {17, "float[2,3] x", "1", "y = CumSum (x, q)"},
    {17, "float[3,3] x", "1", "y = Trilu (x, q)"},
    {17, "float[1,1,2,2] x", "1, 1, 2, 3", "y = Resize (x, , f)"},
    {17, "float[1,1,2,2] x", "1, 1, 4, 5", "y = Resize (x, , , p)"},
    {17, "float[1,1,2,2] x, int64[1,1,2,2] at", "1, 1, 3, 3",
     "y = MaxUnpool <kernel_shape = [2, 2]> (x, at, p)"},
    {17, "float[3] x", "0", "y = Dropout (x, half, b)"},
    {17, "float[5] x", "2, 3", "l = SplitToSequence (x, p) y = SequenceAt (l, one)"},
    {17, "float[5] x", "1", "l = SplitToSequence (x) y = SequenceAt (l, q)"},
    {17, "float[3] x", "3", "o = HannWindow (q) y = Add (x, o)"},
    /* of other opsets */
    {18, "float[2,3] x", "1", "y = ReduceSum (x, p)"},
    {18, "float[2,3] x", "1", "y = ReduceMean (x, p)"},
    {18, "float[2,3] x", "1", "y = ReduceProd (x, p)"},
    {18, "float[2,3] x", "1", "y = ReduceMax (x, p)"},
    {18, "float[2,3] x", "-1", "y = ReduceMin <keepdims = 0> (x, p)"},
    {18, "float[2,3] x", "0, 1", "y = ReduceL1 <noop_with_empty_axes = 1> (x, p)"},
    {18, "float[2,3] x", "1", "y = ReduceL2 (x, p)"},
    {18, "float[2,3] x", "1", "y = ReduceLogSum (x, p)"},
    {18, "float[2,3] x", "1", "y = ReduceLogSumExp (x, p)"},
    {18, "float[2,3] x", "1", "y = ReduceSumSquare (x, p)"},
    {18, "float[2,3] x", "", "y = ReduceMax <noop_with_empty_axes = 1> (x, p)"},
    {18, "float[2,3] x", "", "y = ReduceSumSquare <noop_with_empty_axes = 1> (x, p)"},
    {18, "float[2,3] x", "", "y = ReduceMin (x, p)"},
    {18, "float[2,3] x", "1", "y = Pad (x, pads, , p)"},
    {18, "float[2,3] x", "2, 1", "y = Pad (x, p, , one1)"},
    {18, "float[1,1,2,2] x", "1, 1, 2, 3", "y = Resize (x, , f)"},
    {13, "float[3] x", "0", "y = Dropout (x, half, b)"},
    {11, "float[1,1,2,2] x", "", "y = Resize (x, f, scales)"},
    {11, "float[1,1,2,2] x", "1, 1, 4, 5", "y = Resize (x, nof, nof, p)"},
    {10, "float[1,1,2,2] x", "1, 1, 2, 3", "y = Resize (x, f)"},
    {10, "float[2] x", "3, 1", "h = OneHot (p, four0, x) y = Identity (h)"},
    {9, "float[1,1,2,2] x", "1, 1, 2, 3", "y = Upsample (x, f)"},
    {17, "float[3] x", "4", "y = qonnx.custom_op.general.Quant (x, half, half, f)"},
    /* what must be of a known rank or size */
    {17, "uint8[1,1,3] x", "5",
     "w8 = Cast <to = 3> (p) w = Reshape (w8, ones) s = Identity (half) "
     "y = QLinearConv (x, s, z8, w, half, z8s, s, z8)"},
    {17, "uint8[2,1] x", "5",
     "w8 = Cast <to = 3> (p) w = Reshape (w8, two1) s = Identity (half) "
     "y = QLinearMatMul (x, s, z8, w, s, z8s, s, z8)"},
    {18, "float[7] x", "7", "a = Reshape (x, p) z, v, y = Split <num_outputs = 3> (a)"},
};

/* The type of y, or the message; p is the constant itself where there is no chain. */
static const char *type_with(const Parameter *p, const char *chain, const char *outputs)
{
    static Trap t;
    if (CATCH(&t))
        return t.message;
    int64_t count = p->values[0] ? 1 : 0;
    for (const char *c = p->values; *c; c++)
        count += *c == ',';
    const char *kin = count == 1 ? "q = Squeeze (p) b = Cast <to = 9> (q)" : "";
    Model *m = text_read(
        "m",
        mem_printf(
            "<opset_import: [\"\" : %d]> g (%s) => (%s)\n<int64[%lld] %s = {%s}, int64[0] none = {}, "
            "int64 zero = {0}, int64 one = {1}, int64[1] ax = {0}, int64[1] one1 = {1}, int64[2] ax1 = {0, "
            "1}, "
            "int64[2] two = {2, 1}, int64[2] four = {4, 4}, int64[1] nine = {9}, int64 four0 = {4}, "
            "float half = {0.5}, float[0] nof = {}, uint8 z8 = {0}, int8 z8s = {0}, int64[3] ones = {1, 1, "
            "1}, int64[2] two1 = {1, 1}, int64[2] pads = {1, 2}, float[4] scales = {1, 1, 2, 3}>\n"
            "{ %s f = Cast <to = 1> (p) %s %s }",
            p->opset, p->inputs, outputs, (long long)count, chain ? "c" : "p", p->values, chain ? chain : "",
            kin, p->node));
    m->quiet = true;
    pass_upgrade(m);
    verify_graph(m->graph, "upgrade");
    check_supported(m->graph);
    pass_infer(m->graph);
    verify_graph(m->graph, "infer");
    check_supported(m->graph);
    const char *have = type_text(m->graph->outputs[0]->type);
    trap_end();
    return have;
}

static void expect_type(const Parameter *p, const char *chain, const char *outputs, const char *want)
{
    const char *have = type_with(p, chain, outputs);
    if (strcmp(have, want) != 0)
        fprintf(stderr, "opset %d: %s, %s\nhave: %s\nwant: %s\n", p->opset, chain, p->node, have, want);
    CU_ASSERT_STRING_EQUAL(have, want);
}

/* Whatever must be constant may be computed from constants, and be an output of the graph too. */
static void test_computed_parameters(void)
{
    for (size_t i = 0; i < sizeof parameters / sizeof parameters[0]; i++) {
        const Parameter *p = &parameters[i];
        const char *want = type_with(p, NULL, "y");
        CU_ASSERT_PTR_NULL(strstr(want, "m: "));
        for (size_t k = 0; k < sizeof chains / sizeof chains[0]; k++) {
            expect_type(p, chains[k], "y", want);
            expect_type(p, chains[k], "y, p", want);
        }
    }
}

int main(void)
{
    CU_initialize_registry();
    CU_pSuite s = CU_add_suite("upgrade", NULL, NULL);
    CU_add_test(s, "cases", test_cases);
    CU_add_test(s, "values", test_values);
    CU_add_test(s, "opset 18", test_opset_18);
    CU_add_test(s, "meaning of Softmax", test_softmax_meaning);
    CU_add_test(s, "old broadcasting", test_old_broadcast);
    CU_add_test(s, "computed parameters", test_computed_parameters);
    CU_basic_run_tests();
    int failures = (int)CU_get_number_of_failures();
    mem_reset();
    return failures != 0;
}
