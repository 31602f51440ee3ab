/* op_table.c - the registry of operators: the one door through which lower wings reach the files that define
 * them. */
#include "graph/op.h"

#include <string.h>

#define OP(name) extern const OpDef op_##name;
#include "graph/ops.def"
#undef OP

static const OpDef *const op_table[NUM_OPS] = {
#define OP(name) [OP_##name] = &op_##name,
#include "graph/ops.def"
#undef OP
};

const OpDef *op_def(OpKind op)
{
    return op_table[op];
}

const Tensor *viewed_tensor(const Tensor *t)
{
    while (t->producer && op_def(t->producer->op)->view)
        t = t->producer->in[0];
    return t;
}

OpKind op_find(const char *domain, const char *name)
{
    for (int op = 1; op < NUM_OPS && !domain[0]; op++)
        if (!op_table[op]->internal && !strcmp(op_table[op]->name, name))
            return (OpKind)op;
    return OP_UNSUPPORTED;
}
