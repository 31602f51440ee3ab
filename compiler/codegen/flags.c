/* flags.c - the level of optimisation to compile generated C with; compiler/cmake/ternc-flags.cmake has the
 * facts. */
#include "codegen/codegen.h"

#include <string.h>

const char *recommended_flags(Optimize aim, const char *cc)
{
    if (aim == OPTIMIZE_SIZE)
        return TERNC_FLAGS_SIZE;
    return strstr(cc, "clang") ? TERNC_FLAGS_SPEED_CLANG : TERNC_FLAGS_SPEED_GCC;
}
