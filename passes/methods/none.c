/* none.c - plain float training. */
#include "passes/methods/methods.h"

const MethodDef method_none = {.name = "none", .stages = {"train"}};
