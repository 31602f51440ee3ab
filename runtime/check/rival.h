/* rival.h - what a library that `ternc bench --rival` loads has to define, so that the same model can be timed in
 * another implementation, on the same inputs and in the same run. */
#ifndef TERNC_RIVAL_H
#define TERNC_RIVAL_H

#include <stddef.h>
#include <stdint.h>

/* An input or output in the model's order, dense: where it is read from or written to. */
typedef struct RivalTensor {
    int rank;
    const int64_t *dims;
    void *data;
    size_t bytes;
} RivalTensor;

/* Prepares the model for one thread. Returns NULL, or what went wrong. */
const char *rival_open(const char *model, const RivalTensor *inputs, int num_inputs, const RivalTensor *outputs,
                       int num_outputs);
/* Runs it once. Returns NULL, or what went wrong. */
const char *rival_run(void);
const char *rival_name(void);

#endif
