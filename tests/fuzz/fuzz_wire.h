/* fuzz_wire.h - a mutator for libFuzzer that keeps ONNX files well-formed: the bytes are taken apart into the
 * fields of the wire format, some fields change, and lengths are written anew. Names of operators and
 * attributes come from the operator table. Bytes that are no such file, and some of the others, are left to
 * libFuzzer's own mutations. */
#ifndef TERNC_TESTS_FUZZ_WIRE_H
#define TERNC_TESTS_FUZZ_WIRE_H

#include "graph/op.h"
#include "onnx/onnx_proto.h"

#include <stdio.h>
#include <string.h>

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);
size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size,
                                 uint8_t *out, size_t max_size, unsigned seed);

enum { WIRE_DEPTH = 24, WIRE_FIELDS = 1 << 14 };

typedef struct Field {
    uint32_t key;     /* number and wire type */
    uint64_t number;  /* wire type 0 */
    const uint8_t *p; /* other wire types: the content, where it has no fields of its own */
    size_t len;
    const ProtobufCFieldDescriptor *f; /* NULL: unknown */
    struct Field *first, *next;        /* fields inside, in order; the one behind */
} Field;

typedef struct Wire {
    Field *root; /* the model, with the descriptor of no field */
    Field **all; /* without the root */
    int count;
    uint32_t random;
} Wire;

static uint32_t wire_random(Wire *w, uint32_t below)
{
    w->random ^= w->random << 13;
    w->random ^= w->random >> 17;
    w->random ^= w->random << 5;
    return w->random % below;
}

/* Behind each input: memory is freed; an internal error is a finding. */
static inline void fuzz_end(const Trap *t)
{
    mem_reset();
    if (t->code != 3)
        return;
    fprintf(stderr, "%s\n", t->message);
    __builtin_trap();
}

/* ---- taking apart ---- */

static bool wire_varint(const uint8_t **p, const uint8_t *end, uint64_t *v)
{
    *v = 0;
    for (unsigned shift = 0; shift < 64 && *p < end; shift += 7) {
        uint8_t b = *(*p)++;
        *v |= (uint64_t)(b & 127) << shift;
        if (!(b & 128))
            return true;
    }
    return false;
}

static bool wire_parse(Wire *w, Field *into, const ProtobufCMessageDescriptor *d, int depth)
{
    const uint8_t *p = into->p, *end = p + into->len;
    Field **link = &into->first;
    while (p < end) {
        uint64_t key, n;
        if (w->count == WIRE_FIELDS || depth == WIRE_DEPTH || !wire_varint(&p, end, &key))
            return false;
        Field *f = NEW(Field);
        f->key = (uint32_t)key;
        f->f = protobuf_c_message_descriptor_get_field(d, f->key >> 3);
        unsigned type = f->key & 7;
        n = type == 1 ? 8 : 4;
        if (type == 0 ? !wire_varint(&p, end, &f->number) : type == 2 && !wire_varint(&p, end, &n))
            return false;
        if (type > 2 && type != 5)
            return false;
        if (type != 0) {
            if (n > (uint64_t)(end - p))
                return false;
            f->p = p;
            f->len = (size_t)n;
            p += n;
        }
        w->all[w->count++] = f;
        *link = f;
        link = &f->next;
        if (type == 2 && f->f && f->f->type == PROTOBUF_C_TYPE_MESSAGE &&
            !wire_parse(w, f, (const ProtobufCMessageDescriptor *)f->f->descriptor, depth + 1))
            return false;
    }
    return true;
}

static bool wire_read(Wire *w, const uint8_t *data, size_t size)
{
    w->root = NEW(Field);
    w->root->p = data;
    w->root->len = size;
    w->all = NEW_ARRAY(Field *, WIRE_FIELDS);
    return wire_parse(w, w->root, &onnx__model_proto__descriptor, 0) && w->count > 0;
}

/* ---- putting together ---- */

static void wire_add_varint(Text *t, uint64_t v)
{
    for (; v > 127; v >>= 7)
        text_add(t, (const char[]){(char)(v | 128)}, 1);
    text_add(t, (const char[]){(char)v}, 1);
}

static void wire_write(Text *t, const Field *message, int depth)
{
    for (const Field *f = message->first; f && t->len < (1 << 20) && depth < WIRE_DEPTH; f = f->next) {
        Text inner = {0};
        wire_add_varint(t, f->key);
        if ((f->key & 7) == 0) {
            wire_add_varint(t, f->number);
            continue;
        }
        if (f->first)
            wire_write(&inner, f, depth + 1);
        else
            text_add(&inner, (const char *)f->p, f->len);
        if ((f->key & 7) == 2)
            wire_add_varint(t, inner.len);
        text_add(t, inner.data ? inner.data : "", inner.len);
        text_free(&inner);
    }
}

/* ---- changing ---- */

static bool wire_is(const Field *f, const char *name)
{
    return f->f && !strcmp(f->f->name, name);
}

static void wire_set_text(Field *f, const char *s)
{
    f->p = (const uint8_t *)s;
    f->len = strlen(s);
    f->first = NULL;
}

static void wire_name_operator(Wire *w, Field *f)
{
    wire_set_text(f, op_def((OpKind)(1 + wire_random(w, NUM_OPS - 1)))->name);
}

static void wire_name_attribute(Wire *w, Field *f)
{
    const OpDef *d = op_def((OpKind)(1 + wire_random(w, NUM_OPS - 1)));
    int count = 0;
    while (d->attrs[count].name)
        count++;
    if (count)
        wire_set_text(f, d->attrs[wire_random(w, (uint32_t)count)].name);
}

static void wire_change_number(Wire *w, Field *f)
{
    static const int64_t nice[] = {0,  1,  2,  3,   4,    5,     7,         8,        16,
                                   17, -1, -2, 100, 1000, 65536, INT32_MAX, INT64_MAX};
    switch (wire_random(w, 4)) {
    case 0: f->number += 1; break;
    case 1: f->number -= 1; break;
    default: f->number = (uint64_t)nice[wire_random(w, sizeof nice / sizeof nice[0])];
    }
}

static void wire_change_bytes(Wire *w, Field *f)
{
    size_t cap = f->len + 64;
    uint8_t *copy = mem_alloc(cap);
    if (f->len)
        memcpy(copy, f->p, f->len);
    bool fixed = (f->key & 7) != 2 || wire_random(w, 2);
    size_t len = LLVMFuzzerMutate(copy, f->len, fixed && f->len ? f->len : cap);
    f->len = fixed ? f->len : len;
    f->p = copy;
    f->first = NULL;
}

/* The content of another field of the same name, from the same or another file. */
static void wire_copy(Wire *w, Field *f, const Wire *from)
{
    for (int tries = 0; tries < 64; tries++) {
        const Field *other = from->all[wire_random(w, (uint32_t)from->count)];
        bool text = f->f && other->f && f->f->type == PROTOBUF_C_TYPE_STRING && other->f->type == f->f->type;
        if (other == f || (other->f != f->f && !text) || (f->key & 7) != (other->key & 7))
            continue;
        f->number = other->number;
        f->p = other->p;
        f->len = other->len;
        f->first = other->first;
        return;
    }
}

static void wire_repeat(Field *f)
{
    Field *copy = NEW(Field);
    *copy = *f;
    f->next = copy;
}

static void wire_drop(Wire *w, const Field *f)
{
    for (int i = -1; i < w->count; i++) {
        Field *in = i < 0 ? w->root : w->all[i];
        if (in->first == f)
            in->first = f->next;
        if (in->next == f)
            in->next = f->next;
    }
}

static void wire_change(Wire *w, const Wire *other)
{
    Field *f = w->all[wire_random(w, (uint32_t)w->count)];
    uint32_t way = wire_random(w, 16);
    if (way == 0)
        wire_drop(w, f);
    else if (way == 1)
        wire_repeat(f);
    else if (way < 6)
        wire_copy(w, f, other);
    else if (wire_is(f, "op_type"))
        wire_name_operator(w, f);
    else if ((f->key & 7) == 0)
        wire_change_number(w, f);
    else if (f->f && f->f->type == PROTOBUF_C_TYPE_STRING)
        way < 9 ? wire_name_attribute(w, f) : wire_copy(w, f, other);
    else if (!f->first)
        wire_change_bytes(w, f);
    else
        wire_copy(w, f, other);
}

static size_t wire_give(Wire *w, uint8_t *out, size_t max_size)
{
    Text t = {0};
    wire_write(&t, w->root, 0);
    size_t len = t.len <= max_size ? t.len : 0;
    if (len)
        memcpy(out, t.data, len);
    text_free(&t);
    return len;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    Wire w = {.random = seed * 2654435761u | 1};
    size_t len = 0;
    if (wire_random(&w, 16) && wire_read(&w, data, size)) {
        for (uint32_t i = 1 + wire_random(&w, 4); i > 0; i--)
            wire_change(&w, &w);
        len = wire_give(&w, data, max_size);
    }
    mem_reset();
    return len ? len : LLVMFuzzerMutate(data, size, max_size);
}

size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size,
                                 uint8_t *out, size_t max_size, unsigned seed)
{
    Wire w = {.random = seed * 2654435761u | 1}, other = {0};
    size_t len = 0;
    if (wire_read(&w, a, a_size) && wire_read(&other, b, b_size)) {
        for (uint32_t i = 1 + wire_random(&w, 4); i > 0; i--)
            wire_copy(&w, w.all[wire_random(&w, (uint32_t)w.count)], &other);
        len = wire_give(&w, out, max_size);
    }
    mem_reset();
    return len;
}

#endif
