/* checkpoint.h - what the files of checkpoints, and their tests, share. */
#ifndef TERNC_CHECKPOINT_H
#define TERNC_CHECKPOINT_H

#include "train/training.h"

#include <checkpoint.pb-c.h>

enum { CHECKPOINT_VERSION = 4 };
#define CHECKPOINT_RATE " rate " /* what follows it in the settings may change */

/* checkpoint.c */
const char *checkpoint_settings(const Trainer *t);
/* The digest, of everything else, becomes right: it guards against damage, not against intent. */
void checkpoint_seal(Ternc__Checkpoint *c);

/* checkpoint_read.c: t continues from these bytes. Fails where any of it cannot be of this run. */
void checkpoint_take(Trainer *t, const uint8_t *data, size_t len);

#endif
