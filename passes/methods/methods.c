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

void set_knobs(TrainOptions *o)
{
    for (int i = 0; i < NUM_METHODS; i++)
        for (const Knob *k = method_def(method_at(i))->knobs; k && k->option; k++)
            if (k->field)
                *(double *)(void *)((char *)o + k->field) = k->value;
}

double knob_value(const Knob *k, const TrainOptions *o)
{
    return *(const double *)(const void *)((const char *)o + k->field);
}
