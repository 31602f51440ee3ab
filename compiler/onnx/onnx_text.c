/* onnx_text.c - names and declarations of a file as text, for those who read it. */
#include "onnx/onnx_proto.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

const char *text_or_empty(const char *s)
{
    return s ? s : "";
}

int64_t onnx_opset(const char *file, Onnx__OperatorSetIdProto *const *sets, size_t count)
{
    const Onnx__OperatorSetIdProto *first = NULL;
    for (size_t i = 0; i < count; i++) {
        if (plain_domain(sets[i]->domain)[0])
            continue;
        if (first && first->version != sets[i]->version)
            fail("%s: imports two versions of ONNX's operator set: %" PRId64 " as '%s' and %" PRId64
                 " as '%s', which are the same domain; keep the one in opset_import that the nodes are of",
                 file, first->version, text_or_empty(first->domain), sets[i]->version,
                 text_or_empty(sets[i]->domain));
        first = sets[i];
    }
    return first ? first->version : 0;
}

const Onnx__TypeProto__Tensor *onnx_tensor_type(const Place *at, const Onnx__ValueInfoProto *v)
{
    if (!v->type || v->type->value_case == ONNX__TYPE_PROTO__VALUE__NOT_SET)
        return NULL;
    if (v->type->value_case != ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE)
        fail("%s: %s '%s' is not a tensor but a sequence, map, optional or sparse tensor, which is not "
             "supported",
             at->file, at->what, at->name);
    return v->type->tensor_type;
}

const char *node_text(const Onnx__NodeProto *n)
{
    const char *name = text_or_empty(n->name);
    for (size_t i = 0; i < n->n_output && !name[0]; i++)
        name = n->output[i];
    return mem_printf("node '%s' (%s)", name, text_or_empty(n->op_type));
}

const char *plain_domain(const char *domain)
{
    return !domain || !strcmp(domain, "ai.onnx") ? "" : domain;
}

bool onnx_declares(const Function *f, const char *attribute)
{
    for (size_t i = 0; i < f->p->n_attribute; i++)
        if (!strcmp(f->p->attribute[i], attribute))
            return true;
    for (int i = 0; i < f->num_defaults; i++)
        if (!strcmp(text_or_empty(f->defaults[i]->name), attribute))
            return true;
    return false;
}

void fail_tensor(const Place *at, const char *fmt, ...)
{
    char message[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(message, sizeof message, fmt, ap);
    va_end(ap);
    fail("%s: %s '%s': %s", at->file, at->what, at->name, message);
}
