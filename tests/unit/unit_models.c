/* unit_models.c - every model of the onnx package's test data is read and upgraded, or refused with a message
 * that names the file; what was read survives being written and read back. Skipped without the package. */
#include "base/host.h"
#include "graph/op.h"
#include "onnx/onnx.h"
#include "passes/passes.h"
#include "support/text.h"

#include <CUnit/Basic.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>

enum { SKIPPED = 77 };

static const Options quiet = {.quiet = true};
static glob_t models;

/* Why a model of the package may be refused; anything else is a fault. */
static const char *const reasons[] = {
    "unsupported operators: ",
    "opset 1 is not supported",
    "opset 6 is not supported",
    "is not a tensor but a sequence",
    "element type 8 (string)",
    "is in training mode",
    "Scan of opset 8",
    "the sizes of some dimensions are not known",
    "before opset 11", /* ConvTranspose and OneHot */
    "in opset 10",     /* Resize */
};

static bool is_reason(const char *message)
{
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++)
        if (strstr(message, reasons[i]))
            return true;
    return false;
}

/* Reads, writes, reads again; false when the model was refused. */
static bool read_twice(const char *path, const char *copy)
{
    static Trap t;
    if (CATCH(&t)) {
        bool good = t.code == 1 && !strncmp(t.message, path, strlen(path)) && is_reason(t.message);
        if (!good)
            fprintf(stderr, "exit %d: %s\n", t.code, t.message);
        CU_ASSERT_TRUE(good);
        return false;
    }
    Model *m = onnx_read(path, &quiet);
    pass_upgrade(m);
    check_supported(m->graph);
    verify_graph(m->graph, "upgrade");
    onnx_write(m, copy);
    char *first = dump_text(m->graph), *second = dump_text(onnx_read(copy, &quiet)->graph);
    trap_end();
    CU_ASSERT_STRING_EQUAL(first, second);
    return true;
}

static void test_models(void)
{
    char *copy = strdup(mem_printf("%s/copy.onnx", temp_folder()));
    int read = 0;
    for (size_t i = 0; i < models.gl_pathc; i++) {
        read += read_twice(models.gl_pathv[i], copy);
        mem_reset();
    }
    free(copy);
    printf("%d of %zu models read\n", read, models.gl_pathc);
    CU_ASSERT_TRUE(read >= 500);
}

int main(void)
{
    if (glob("/usr/share/libonnx-testdata/data/*/*/model.onnx", 0, NULL, &models)) {
        puts("SKIPPED: no test data of the onnx package (libonnx-testdata)");
        return SKIPPED;
    }
    CU_initialize_registry();
    CU_pSuite s = CU_add_suite("models", NULL, NULL);
    CU_add_test(s, "models", test_models);
    CU_basic_run_tests();
    int failures = (int)CU_get_number_of_failures();
    globfree(&models);
    return failures != 0;
}
