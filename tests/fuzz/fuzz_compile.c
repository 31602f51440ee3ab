/* fuzz_compile.c - libFuzzer target: any bytes become C text, or are refused with a message. How they are
 * compiled depends on a sum over them, so every input meets one combination of options, and its mutants meet
 * others. */
#include "codegen/codegen.h"
#include "fuzz_wire.h"
#include "onnx/onnx.h"
#include "pipeline.h"

#include <math.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static uint32_t sum_of(const uint8_t *data, size_t len)
{
    uint32_t h = 2166136261u;
    for (size_t i = 0; i < len; i++)
        h = (h ^ data[i]) * 16777619u;
    return h ^ h >> 15;
}

static Options choose_options(uint32_t sum)
{
    static const char *const none[] = {"none"}, *const targets[] = {NULL, "cortex-m0", "cortex-m4",
                                                                    "x86-64-v4", "avr"};
    Options opt = {.quiet = true, .name = "net"};
    static const Method methods[] = {METHOD_none, METHOD_twn, METHOD_twn, METHOD_stp};
    opt.method = methods[sum >> 16 & 3];
    opt.sparsity = opt.method == METHOD_stp || (sum & 7) == 7 ? 0.75f : 0;
    opt.per_layer = sum >> 1 & 1;
    opt.threshold = sum >> 2 & 1 && !(opt.sparsity > 0) ? 0.7f : 0;
    opt.keep = sum >> 3 & 3 ? none : NULL;
    opt.num_keep = opt.keep ? 1 : 0;
    opt.optimize = sum >> 5 & 1 ? OPTIMIZE_SIZE : OPTIMIZE_SPEED;
    opt.float_guard = sum >> 6 & 1;
    static const LayoutWord words[] = {{.layout = IMAGES_NHWC}, {.layout = IMAGES_NCHW}};
    opt.input.layout = (LayoutWords){&words[sum >> 10 & 1], (sum >> 7 & 7) == 0};
    opt.model_layout = (LayoutWords){&words[sum >> 11 & 1], (sum >> 12 & 7) == 0};
    opt.input.scale = 1;
    opt.lowering = (Lowering)((sum >> 10) % 5);
    opt.target = targets[(sum >> 13) % 5];
    const uint32_t other = sum * 2654435761u;
    const CodeKind *kind = code_kind(other >> 21 & 1);
    opt.codes = other >> 30 == 0 ? kind : NULL;
    opt.io = other >> 28 & 1 ? kind : NULL;
    opt.powers = opt.codes == code_kind(0) && (other >> 25 & 7) == 0;
    opt.keep_float = opt.codes && (other >> 22 & 7) == 0;
    return opt;
}

/* Ranges that activations might have: of tensors whose values only samples show. */
static void draw_ranges(Model *m, uint32_t sum)
{
    Range *r = NEW_ARRAY(Range, m->graph->num_tensors);
    for (int i = 0; i < m->graph->num_tensors; i++) {
        const uint32_t v = (sum + (uint32_t)i) * 2654435761u;
        const float reach = ldexpf(1, (int)(v >> 27) - 16);
        r[i] = (Range){v >> 26 & 1 ? -reach : 0, v >> 24 & 3 ? 1.5f * reach : 0, (v >> 21 & 7) != 0};
    }
    m->ranges = r;
    m->num_ranges = m->graph->num_tensors;
}

static void compile(const uint8_t *data, size_t len, const Options *opt, Text *c, Text *h)
{
    Model *m = onnx_read_memory("fuzz.onnx", data, len, opt);
    pipeline_prepare(m, opt);
    if (opt->codes)
        draw_ranges(m, sum_of(data, len));
    pipeline_ternarize(m, opt);
    emit_c(pipeline_lower(m, opt), c, h);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    const Options opt = choose_options(sum_of(data, len));
    static Trap t;
    static Text c, h;
    if (!CATCH(&t)) {
        compile(data, len, &opt, &c, &h);
        trap_end();
    }
    text_free(&c);
    text_free(&h);
    fuzz_end(&t);
    return 0;
}
