/* onnx_strings.c - all strings of a message turned: to shown_text when it was read, to raw_text when it is
 * written. The values of attributes are bytes in the schema, which onnx_attrs.c and onnx_write.c turn. */
#include "onnx/onnx_proto.h"

#include <string.h>

static void turn_value(const ProtobufCFieldDescriptor *f, void **value, StringTurn *turn)
{
    if (*value && f->type == PROTOBUF_C_TYPE_STRING)
        *value = (char *)(uintptr_t)turn(*value);
    else if (*value && f->type == PROTOBUF_C_TYPE_MESSAGE)
        onnx_turn_strings(*value, turn);
}

static bool has_pointers(const ProtobufCFieldDescriptor *f)
{
    return f->type == PROTOBUF_C_TYPE_STRING || f->type == PROTOBUF_C_TYPE_MESSAGE;
}

void onnx_turn_strings(ProtobufCMessage *m, StringTurn *turn)
{
    for (unsigned i = 0; i < m->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *f = &m->descriptor->fields[i];
        char *at = (char *)m + f->offset;
        const void *quantifier = (const char *)m + f->quantifier_offset;
        bool absent = (f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) && *(const uint32_t *)quantifier != f->id;
        size_t count = f->label == PROTOBUF_C_LABEL_REPEATED ? *(const size_t *)quantifier : 0;
        if (!has_pointers(f) || absent)
            continue;
        if (f->label != PROTOBUF_C_LABEL_REPEATED)
            turn_value(f, (void **)at, turn);
        for (size_t k = 0; k < count; k++)
            turn_value(f, &(*(void ***)at)[k], turn);
    }
}
