/* code_kinds.c - what activations are as codes: a row for each word of --activations but "float". */
#include "graph/options.h"

/* 8 bits: functions are tables of 256, and 32 bits hold what is added up. */
static const CodeKind int8_kind = {
    .name = "int8",
    .positive = DT_U8,
    .any = DT_I8,
    .tables = true,
    .snaps = true,
};

/* 16 bits: a table would have 65,536 entries. */
static const CodeKind int16_kind = {
    .name = "int16",
    .positive = DT_I16,
    .any = DT_I16,
    .centred = true,
};

const CodeKind *code_kind(int i)
{
    static const CodeKind *const kinds[] = {&int8_kind, &int16_kind};
    return kinds[i];
}
