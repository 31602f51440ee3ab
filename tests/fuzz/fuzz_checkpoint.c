/* fuzz_checkpoint.c - libFuzzer target: any bytes are a checkpoint that a run goes on from, or are refused
 * with a message. The first byte chooses the run; bytes that are a checkpoint get a digest that fits, or few
 * would come far. Seeds are good checkpoints of every run, put into the folder of the corpus at the start. */
#include "base/host.h"
#include "support/tiny_run.h"
#include "train/checkpoint.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerInitialize(int *argc, char ***argv);

enum { NUM_RUNS = 2 * NUM_METHODS }; /* with activations as floats, and as codes */
static TinyRun *runs[NUM_RUNS];

/* The first folder among the arguments; NULL: none. */
static const char *corpus_folder(int argc, char **argv)
{
    struct stat st;
    for (int i = 1; i < argc; i++)
        if (argv[i][0] != '-' && !stat(argv[i], &st) && S_ISDIR(st.st_mode))
            return argv[i];
    return NULL;
}

static void write_seed(const char *folder, int run, int64_t epochs)
{
    size_t len;
    uint8_t *data = tiny_run_checkpoint(runs[run], epochs, &len);
    Text t = {0};
    text_add(&t, (const char[]){(char)run}, 1);
    text_add(&t, (const char *)data, len);
    if (folder)
        file_write(mem_printf("%s/run%d-%s", folder, run, int_text(epochs)), t.data, t.len);
    text_free(&t);
    free(data);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    const char *folder = temp_folder();
    for (int i = 0; i < NUM_RUNS; i++) {
        runs[i] = tiny_run_new(folder, (Method)(i % NUM_METHODS), "Relu", NULL, i >= NUM_METHODS);
        for (int64_t epochs = 1; epochs <= TINY_EPOCHS; epochs++)
            write_seed(corpus_folder(*argc, *argv), i, epochs);
    }
    return 0;
}

static void go_on(TinyRun *r, const uint8_t *data, size_t len)
{
    size_t packed_len = len;
    Ternc__Checkpoint *c = ternc__checkpoint__unpack(NULL, len, data);
    uint8_t *packed = c ? checkpoint_pack(c, &packed_len) : NULL;
    static Trap t;
    if (!CATCH(&t)) {
        tiny_run_restart(r);
        checkpoint_take(r->t, packed ? packed : data, packed_len);
        if (r->t->epoch < r->t->epochs)
            trainer_run(r->t, r->t->epoch + 1);
        trap_end();
    }
    free(packed);
    if (c)
        ternc__checkpoint__free_unpacked(c, NULL);
    if (t.code != 3)
        return;
    fprintf(stderr, "%s\n", t.message);
    __builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    void *mark = mem_mark();
    if (len)
        go_on(runs[data[0] % NUM_RUNS], data + 1, len - 1);
    mem_release(mark);
    return 0;
}
