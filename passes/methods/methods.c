/* methods.c - the table of methods. */
#include "passes/methods/methods.h"

const MethodDef *method_def(Method m)
{
    static const MethodDef *const table[NUM_METHODS] = {
#define METHOD(name, key) [key] = &method_##name,
#include "graph/methods.def"
#undef METHOD
    };
    return table[m];
}

Method method_at(int i)
{
    static const Method order[NUM_METHODS] = {
#define METHOD(name, key) METHOD_##name,
#include "graph/methods.def"
#undef METHOD
    };
    return order[i];
}
