/* tiny_run.h - training a tiny network on a tiny data set, to be started again and again: for tests of
 * checkpoints. */
#ifndef TERNC_TESTS_TINY_RUN_H
#define TERNC_TESTS_TINY_RUN_H

#include "train/checkpoint.h"

enum { TINY_EPOCHS = 6 };

typedef struct TinyRun {
    Trainer *t, start; /* start: as it was before the first epoch, with */
    TernaryWeight *ternary;
    float *latent, *running;
} TinyRun;

/* folder: for data and checkpoint; activation: the operator behind the hidden layer; keep: a node that stays
 * float, or NULL; codes: activations are 8-bit codes. */
TinyRun *tiny_run_new(const char *folder, Method m, const char *activation, const char *keep, bool codes);
void tiny_run_restart(TinyRun *r); /* to before the first epoch */
/* Runs until so many epochs are done; returns the checkpoint, for free(). */
uint8_t *tiny_run_checkpoint(TinyRun *r, int64_t epochs, size_t *len);
/* Its bytes, with a digest that fits, for free(). */
uint8_t *checkpoint_pack(Ternc__Checkpoint *c, size_t *len);

#endif
