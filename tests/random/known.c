/* known.c - findings that are being mended, and messages that are no findings. A row goes when its fault is
 * mended: random_nets says which rows met nothing. */
#include "random/known.h"

#include <string.h>

/* {"fault", "part of the message", an operator of the network or OP_UNSUPPORTED}; the last row is no finding.
 */
const Known known_faults[] = {{NULL, NULL, OP_UNSUPPORTED}};
const int num_known_faults = sizeof known_faults / sizeof known_faults[0] - 1;

static const char *const allowed[] = {
    "unsupported",
    "not supported",
    "are supported for float only",
    /* sizes of 0 */
    "0 input channels do not make",
    "the padded input has 0",
    "along an axis without elements",
    "of no elements",
    "of size 0 cannot be resized",
    "for an axis of size",
    "the padding leaves an output of size",
    /* weights that are made of constants out of a function's domain */
    "repair the model",
    /* a scalar has no axis 1 */
    "axis 1 is out of range for rank 0",
};

int find_known(const Outcome *o)
{
    for (int i = 0; i < num_known_faults; i++) {
        const Known *k = &known_faults[i];
        if (strstr(o->message, k->says) && (k->op == OP_UNSUPPORTED || o->ops[k->op]))
            return i;
    }
    return -1;
}

bool is_allowed_refusal(const char *message)
{
    for (size_t i = 0; i < sizeof allowed / sizeof allowed[0]; i++)
        if (strstr(message, allowed[i]))
            return true;
    return false;
}
