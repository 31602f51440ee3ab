/* fuzz_infer.c - libFuzzer target: any bytes become a graph whose types are all known, folded, or are refused
 * with a message. */
#include "fuzz_wire.h"
#include "onnx/onnx.h"
#include "pipeline.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    const Options quiet = {.quiet = true};
    static Trap t;
    if (!CATCH(&t)) {
        pipeline_prepare(onnx_read_memory("fuzz.onnx", data, len, &quiet), &quiet);
        trap_end();
    }
    fuzz_end(&t);
    return 0;
}
