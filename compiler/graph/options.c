/* options.c - what options are called. */
#include "graph/options.h"

const char *method_name(Method m)
{
    static const char *const names[] = {
#define METHOD(name, key) [key] = #name,
#include "graph/methods.def"
#undef METHOD
    };
    return names[m];
}
