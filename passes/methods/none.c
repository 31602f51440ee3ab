/* none.c - plain float training. */
#include "passes/methods/methods.h"

const MethodDef method_none = {
    .name = "none", .epochs = 10, .rate = 0.05, .decay = 1e-4, .stages = {"train"}};
