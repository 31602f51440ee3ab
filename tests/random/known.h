/* known.h - findings that are being mended, and messages that are no findings. */
#ifndef TERNC_TESTS_KNOWN_H
#define TERNC_TESTS_KNOWN_H

#include "random/try.h"

typedef struct Known {
    const char *fault; /* its number or a word for it */
    const char *says;  /* in the message */
    OpKind op;         /* in the network, unless OP_UNSUPPORTED */
} Known;

extern const Known known_faults[];
extern const int num_known_faults;

/* The row of known_faults that explains a finding, or -1. */
int find_known(const Outcome *o);
/* Whether a refusal is one that ternc documents. */
bool is_allowed_refusal(const char *message);

#endif
