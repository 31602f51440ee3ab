/* fuzz_read.c - libFuzzer target: any bytes are read and upgraded, or refused with a message. */
#include "fuzz_wire.h"
#include "onnx/onnx.h"
#include "passes/passes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    const Options quiet = {.quiet = true};
    static Trap t;
    if (!CATCH(&t)) {
        Model *m = onnx_read_memory("fuzz.onnx", data, len, &quiet);
        pass_upgrade(m);
        check_supported(m->graph);
        verify_graph(m->graph, "upgrade");
        trap_end();
    }
    fuzz_end(&t);
    return 0;
}
