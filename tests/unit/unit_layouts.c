/* unit_layouts.c - which axis of an input has the channels, as the layers behind it show; and inputs as the
 * application has them, compared with the model as it was. */
#include "graph/options.h"
#include "ops/ops.h"
#include "passes/passes.h"
#include "support/text.h"

#include <CUnit/Basic.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- what layers show ---- */

static Graph *read_graph(const char *text, const Options *opt)
{
    Model *m = text_read("m.onnx", text);
    check_supported(m->graph);
    pass_infer(m->graph);
    pass_fold(m->graph);
    pass_dce(m->graph);
    pass_channels(m->graph, opt);
    return m->graph;
}

/* "n3 1 ?": of each input whether axis 0 is the batch, and its axis of channels; "-": it has none */
static const char *channels_text(const Graph *g)
{
    Text t = {0};
    for (int i = 0; i < g->num_inputs; i++) {
        Channels c = g->inputs[i]->channels;
        const char *axis = c.axis < 0 ? "-" : int_text(c.axis);
        text_printf(&t, "%s%s%s", i ? " " : "", c.told && c.batch ? "n" : "", c.told ? axis : "?");
    }
    return text_take(&t);
}

#define CONV2 "float[2,3,1,1] w = {1, 1, 1, 1, 1, 1}"
#define CONV1 "float[2,3,1] w = {1, 1, 1, 1, 1, 1}"
#define CONV3 "float[2,3,1,1,1] w = {1, 1, 1, 1, 1, 1}"

static const struct {
    const char *text, *shows;
} graphs[] = {
    {"g (float[1,3,4,5] x) => (y) <" CONV2 "> { y = Conv (x, w) }", "n1"},
    {"g (float[1,4,5,3] x) => (y) <" CONV2 "> { t = Transpose <perm = [0, 3, 1, 2]> (x) y = Conv (t, w) }",
     "n3"},
    /* rows and columns in the other order, channels between them */
    {"g (float[1,4,5,3] x) => (y) <" CONV2 "> { t = Transpose <perm = [0, 3, 2, 1]> (x) y = Conv (t, w) }",
     "n3"},
    {"g (float[1,4,3,5] x) => (y) <" CONV2 "> { t = Transpose <perm = [0, 2, 1, 3]> (x) y = Conv (t, w) }",
     "n2"},
    /* through arithmetic, also of fewer axes */
    {"g (float[1,4,5,3] x) => (y) <" CONV2 ", float[3] m = {1, 2, 3}> { s = Sub (x, m) r = Relu (s) "
     "t = Transpose <perm = [0, 3, 1, 2]> (r) y = Conv (t, w) }",
     "n3"},
    {"g (float[1,4,5,3] x, float[5,3] z) => (y) <" CONV2 "> { s = Add (x, z) "
     "t = Transpose <perm = [0, 3, 1, 2]> (s) y = Conv (t, w) }",
     "n3 1"},
    {"g (float[4,5,3] x, float[4,5,3] z) => (y) <" CONV2
     ", int64[4] h = {1, 4, 5, 6}> { c = Concat <axis = 2> (x, z) "
     "v = Reshape (c, h) t = Transpose <perm = [0, 3, 1, 2]> (v) y = MaxPool <kernel_shape = [2, 2]> (t) }",
     "2 2"},
    /* images without a batch, gray ones, some without channels at all */
    {"g (float[4,5,3] x) => (y) <" CONV2 ", int64[4] s = {1, 4, 5, 3}> { v = Reshape (x, s) "
     "t = Transpose <perm = [0, 3, 1, 2]> (v) y = Conv (t, w) }",
     "2"},
    {"g (float[3,4,5] x) => (y) <" CONV2 ", int64[1] a = {0}> { v = Unsqueeze (x, a) y = Conv (v, w) }", "0"},
    {"g (float[1,4,5,1] x) => (y) { t = Transpose <perm = [0, 3, 1, 2]> (x) y = GlobalMaxPool (t) }", "n3"},
    {"g (float[4,5] x) => (y) <int64[4] s = {1, 1, 4, 5}> { v = Reshape (x, s) y = GlobalMaxPool (v) }", "-"},
    {"g (float[1,20] x) => (y) <int64[4] s = {1, 1, 4, 5}> { v = Reshape (x, s) y = GlobalMaxPool (v) }",
     "n1"},
    /* signals and volumes */
    {"g (float[1,3,5] x) => (y) <" CONV1 "> { y = Conv (x, w) }", "n1"},
    {"g (float[1,5,3] x) => (y) <" CONV1 "> { t = Transpose <perm = [0, 2, 1]> (x) y = Conv (t, w) }", "n2"},
    {"g (float[1,2,4,5,3] x) => (y) <" CONV3
     "> { t = Transpose <perm = [0, 4, 1, 2, 3]> (x) y = Conv (t, w) }",
     "n4"},
    /* it cannot be told: no such layer, two that disagree, channels mixed with positions, the batch elsewhere
     */
    {"g (float[1,4,5,3] x) => (y) { y = Relu (x) }", "?"},
    {"g (float[1,3,3,3] x) => (y, z) <" CONV2 "> { t = Transpose <perm = [0, 3, 1, 2]> (x) y = Conv (t, w) "
     "z = Conv (x, w) }",
     "?"},
    {"g (float[1,2,3,20] x) => (y) <int64[4] s = {1, 6, 4, 5}> { v = Reshape (x, s) y = GlobalMaxPool (v) }",
     "?"},
    {"g (float[3,4,5,2] x) => (y) <" CONV2 "> { t = Transpose <perm = [3, 0, 1, 2]> (x) y = Conv (t, w) }",
     "?"},
    /* outputs that nobody wants */
    {"g (float[1,2,1] x) => (y) <float[1,3,1] w = {1, 1, 1}, float[1,3,3] r = {1, 1, 1, 1, 1, 1, 1, 1, 1}, "
     "float[2] b = {1, 1}> { , h = RNN <hidden_size = 3> (x, w, r) "
     "y = BatchNormalization (h, b, b, b, b) }",
     "?"},
    /* features */
    {"g (float[1,3] x, float[4] z) => (y, u) { y = Relu (x) u = Relu (z) }", "n1 0"},
};

static void test_channels(void)
{
    const Options opt = {.quiet = true};
    for (size_t i = 0; i < sizeof graphs / sizeof graphs[0]; i++) {
        const char *got = channels_text(read_graph(graphs[i].text, &opt));
        if (strcmp(got, graphs[i].shows) != 0)
            fprintf(stderr, "%s: %s, not %s\n", graphs[i].text, got, graphs[i].shows);
        CU_ASSERT_STRING_EQUAL(got, graphs[i].shows);
    }
}

static void check_model_layout(const char *text, LayoutWord word, const char *shows)
{
    const Options opt = {.quiet = true, .model_layout = {&word, 1}};
    CU_ASSERT_STRING_EQUAL(channels_text(read_graph(text, &opt)), shows);
}

static void test_model_layout(void)
{
    static const char relu[] = "g (float[1,4,5,3] x, float[1,4] z) => (y, u) { y = Relu (x) u = Relu (z) }";
    check_model_layout(relu, (LayoutWord){NULL, IMAGES_NHWC}, "n3 n1");
    check_model_layout(relu, (LayoutWord){"x", IMAGES_NCHW}, "n1 n1");
    check_model_layout(graphs[0].text, (LayoutWord){NULL, IMAGES_NHWC}, "n3");
    check_model_layout(graphs[7].text, (LayoutWord){NULL, IMAGES_NCHW}, "0");
}

/* ---- inputs of the application ---- */

static int axis_in(const Graph *g)
{
    return g->inputs[0]->channels.axis;
}

/* Elements behind axis `axis`, once the channels have gone there from axis `from`. */
static int64_t elements_behind(Type t, int from, int axis)
{
    int64_t n = 1;
    for (int i = t.rank - 1, left = t.rank - 1 - axis; left; i--)
        if (i != from) {
            n *= t.dims[i];
            left--;
        }
    return n;
}

/* y gets x with the channels on axis `to` instead of `from`; the type is that of x. */
static void move_channels(Type t, int from, int to, const float *x, float *y)
{
    int64_t c = t.dims[from], before = elements_behind(t, from, from), after = elements_behind(t, from, to);
    for (int64_t p = 0; p < type_elems(t) / c; p++)
        for (int64_t k = 0; k < c; k++)
            y[(p / after * c + k) * after + p % after] = x[(p / before * c + k) * before + p % before];
}

static const float *outputs_for(const Graph *g, const void *x, int64_t *n)
{
    void **values = eval_graph(g, &x);
    *n = type_elems(g->outputs[0]->type);
    return values[g->outputs[0]->id];
}

static void expect_equal(const char *text, const float *a, int64_t na, const float *b, int64_t nb)
{
    bool same = na == nb;
    for (int64_t i = 0; i < na && same; i++)
        same = fabsf(a[i] - b[i]) <= 1e-5f * (1 + fabsf(a[i]));
    if (!same)
        fprintf(stderr, "%s: the application's form gives other results\n", text);
    CU_ASSERT(same);
}

/* The same image, as floats for the model itself, and as the application's bytes. */
static void check_form(const char *text, ImageLayout l, bool pixels)
{
    static const char *const names[] = {"x"};
    static const double mean[] = {1, 20, 300}, std[] = {1, 2, 4};
    const LayoutWord word = {"x", l};
    Options opt = {.quiet = true, .input = {.scale = 0.5, .layout = {&word, l ? 1 : 0}}};
    if (pixels)
        opt.input = (InputForm){names, 1, opt.input.layout, 0.5, {mean, 3}, {std, 3}};
    const Graph *own = read_graph(text, &opt);
    Graph *g = read_graph(text, &opt);
    Type t = own->inputs[0]->type;
    int64_t n = type_elems(t), na, nb;
    float *x = NEW_ARRAY(float, n), *wanted = NEW_ARRAY(float, n), *raw = NEW_ARRAY(float, n);
    uint8_t *bytes = NEW_ARRAY(uint8_t, n);
    pass_inputs(g, &opt);
    verify_graph(g, "inputs");
    for (int64_t i = 0; i < n; i++)
        raw[i] = (float)(i * 37 % 251);
    int64_t inner = elements_behind(t, axis_in(own), axis_in(own));
    for (int64_t i = 0; i < n; i++) {
        int64_t c = i / inner % 3;
        x[i] = pixels ? (float)((raw[i] * 0.5 - mean[c]) / std[c]) : raw[i];
    }
    move_channels(t, axis_in(own), axis_in(g), raw, wanted);
    for (int64_t i = 0; i < n; i++)
        bytes[i] = (uint8_t)wanted[i];
    CU_ASSERT_EQUAL(g->inputs[0]->type.dims[axis_in(g)], 3);
    if (l)
        CU_ASSERT_EQUAL(axis_in(g), l == IMAGES_NHWC ? t.rank - 1 : (int)own->inputs[0]->channels.batch);
    const float *a = outputs_for(own, x, &na);
    const float *b = outputs_for(g, pixels ? (const void *)bytes : wanted, &nb);
    expect_equal(text, a, na, b, nb);
}

static void test_forms(void)
{
    for (size_t i = 0; i < sizeof graphs / sizeof graphs[0]; i++) {
        const Options opt = {.quiet = true};
        const Graph *g = read_graph(graphs[i].text, &opt);
        Channels c = g->inputs[0]->channels;
        if (g->num_inputs > 1 || !c.told || c.axis < 0 || g->inputs[0]->type.dims[c.axis] != 3)
            continue;
        for (ImageLayout l = IMAGES_UNSAID; l <= IMAGES_NHWC; l++)
            for (int pixels = 0; pixels < 2; pixels++)
                check_form(graphs[i].text, l, pixels);
    }
}

static int count_ops(const Graph *g, OpKind op)
{
    int count = 0;
    for (int i = 0; i < g->num_nodes; i++)
        count += g->nodes[i]->op == op;
    return count;
}

static void check_moves(const char *text, ImageLayout l, const char *type, int transposes, int views)
{
    const LayoutWord word = {NULL, l};
    const Options opt = {.quiet = true, .input = {.layout = {&word, l ? 1 : 0}}};
    Graph *g = read_graph(text, &opt);
    pass_inputs(g, &opt);
    verify_graph(g, "inputs");
    CU_ASSERT_STRING_EQUAL(type_text(g->inputs[0]->type), type);
    CU_ASSERT_EQUAL(count_ops(g, OP_Transpose), transposes);
    CU_ASSERT_EQUAL(count_ops(g, OP_Reshape), views);
}

/* The model's own Transpose and the application's are one, or none. */
static void test_moves(void)
{
    static const char gray[] = "g (float[1,1,4,5] x) => (y) { y = GlobalMaxPool (x) }";
    const char *nchw = graphs[0].text, *nhwc = graphs[1].text, *swapped = graphs[2].text;
    check_moves(nchw, IMAGES_NCHW, "float[1,3,4,5]", 0, 0);
    check_moves(nchw, IMAGES_NHWC, "float[1,4,5,3]", 1, 0);
    check_moves(nhwc, IMAGES_NHWC, "float[1,4,5,3]", 1, 0);
    check_moves(nhwc, IMAGES_NCHW, "float[1,3,4,5]", 0, 0);
    check_moves(swapped, IMAGES_NCHW, "float[1,3,4,5]", 1, 0);
    check_moves(gray, IMAGES_NHWC, "float[1,4,5,1]", 0, 1);
}

/* ---- messages ---- */

static void refuse(const char *text, const Options *opt, const char *message)
{
    Trap t;
    if (!CATCH(&t)) {
        pass_inputs(read_graph(text, opt), opt);
        trap_end();
    }
    CU_ASSERT_EQUAL(t.code, 1);
    if (strcmp(t.message, message) != 0)
        fprintf(stderr, "got: %s\n", t.message);
    CU_ASSERT_STRING_EQUAL(t.message, message);
}

static Options pixel_options(int numbers)
{
    static const char *const names[] = {"x"};
    static const double mean[] = {1, 2, 3, 4, 5, 6};
    return (Options){.quiet = true,
                     .input = {.uint8 = names, .num_uint8 = 1, .scale = 1, .mean = {mean, numbers}}};
}

static void test_messages(void)
{
    static const char relu[] = "g (float[1,4,5,3] x) => (y) { y = Relu (x) }";
    static const LayoutWord all = {NULL, IMAGES_NHWC}, named = {"x", IMAGES_NHWC}, wrong = {"z", IMAGES_NHWC};
    Options opt = pixel_options(4);
    refuse(graphs[1].text, &opt,
           "m.onnx: --mean has 4 numbers, but input 'x' is float[1,4,5,3], whose channels are its axis 3: "
           "there are 3");
    refuse(relu, &opt,
           "m.onnx: --mean has 4 numbers, but input 'x' is float[1,4,5,3], and its layers do not show which "
           "axis has the channels: add --model-layout nchw or nhwc");
    opt = pixel_options(2);
    refuse("g (float[4,5] x) => (y) <int64[4] s = {1, 1, 4, 5}> { v = Reshape (x, s) y = GlobalMaxPool (v) }",
           &opt, "m.onnx: --mean has 2 numbers, but input 'x' is float[4,5], which has no axis of channels");
    opt = (Options){.quiet = true, .input.layout = {&all, 1}};
    refuse(relu, &opt,
           "m.onnx: --layout: no input is an image whose layers show which axis has the channels: add "
           "--model-layout nchw or nhwc");
    opt.input.layout.items = &named;
    refuse(relu, &opt,
           "m.onnx: --layout: input 'x' is float[1,4,5,3], and its layers do not show which axis has the "
           "channels: add --model-layout nchw or nhwc");
    opt.input.layout.items = &wrong;
    refuse(relu, &opt, "m.onnx: --layout: there is no input 'z'; 'ternc inspect' lists them");
    opt = (Options){.quiet = true, .model_layout = {&wrong, 1}};
    refuse(relu, &opt, "m.onnx: --model-layout: there is no input 'z'; 'ternc inspect' lists them");
    opt.model_layout.items = &named;
    refuse("g (float[1,4] x) => (y) { y = Relu (x) }", &opt,
           "m.onnx: --model-layout: input 'x', float[1,4], has no axes for channels and positions");
}

int main(void)
{
    CU_initialize_registry();
    CU_pSuite s = CU_add_suite("layouts", NULL, NULL);
    CU_add_test(s, "channels", test_channels);
    CU_add_test(s, "model layout", test_model_layout);
    CU_add_test(s, "forms", test_forms);
    CU_add_test(s, "moves", test_moves);
    CU_add_test(s, "messages", test_messages);
    CU_basic_set_mode(CU_BRM_VERBOSE);
    CU_basic_run_tests();
    return CU_get_number_of_failures() != 0;
}
