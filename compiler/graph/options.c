/* options.c - what options are called. */
#include "graph/options.h"

const char *method_name(Method m)
{
    static const char *const names[] = {
        [METHOD_TWN] = "twn", [METHOD_NONE] = "none", [METHOD_SCA] = "sca", [METHOD_STP] = "stp"};
    return names[m];
}
