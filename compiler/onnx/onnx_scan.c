/* onnx_scan.c - a walk over protobuf's wire format before protobuf-c unpacks it.
 *
 * protobuf-c has no limit of depth, grows small files more than a hundredfold in memory, takes quadratic time
 * over a repeated singular message, and keeps unknown fields without a word. The walk refuses all four: a
 * message nests at most 64 deep, unpacking may take 64 MiB and 24 times the file, a singular message comes
 * once, and a field that the schema does not know must be one that cannot change what the model computes. It
 * also refuses names with a NUL, which C would cut short. Source: protobuf's description of its encoding. */
#include "onnx/onnx_proto.h"

#include <ctype.h>
#include <string.h>

enum { MAX_DEPTH = 64, MAX_FIELDS = 64, FIELD_BYTES = 80 };
static const size_t budget_base = (size_t)64 << 20, budget_factor = 24;

typedef struct Scan {
    size_t used, budget; /* bytes that unpacking takes, estimated from above */
    const char *problem; /* NULL: none */
    const char *unknown; /* name of the message with the first unknown field; NULL: none */
    uint32_t unknown_tag;
} Scan;

typedef struct Span {
    const uint8_t *p, *end;
} Span;

/* Fields newer than the schema that say nothing about the computation (metadata, device placement, declared
 * types), and those that onnx_functions.c reads: overloads and the defaults of attributes. */
static const ProtobufCFieldDescriptor new_attribute = {.label = PROTOBUF_C_LABEL_REPEATED,
                                                       .type = PROTOBUF_C_TYPE_MESSAGE,
                                                       .descriptor = &onnx__attribute_proto__descriptor};
static const ProtobufCFieldDescriptor new_text = {.type = PROTOBUF_C_TYPE_STRING};
static const struct {
    const char *message;
    uint32_t tag;
    const ProtobufCFieldDescriptor *field; /* NULL: not looked at */
} newer[] = {{"ModelProto", 26, NULL},    {"GraphProto", 16, NULL},
             {"NodeProto", 8, &new_text}, {"NodeProto", 9, NULL},
             {"NodeProto", 10, NULL},     {"ValueInfoProto", 4, NULL},
             {"TensorProto", 16, NULL},   {"FunctionProto", 11, &new_attribute},
             {"FunctionProto", 12, NULL}, {"FunctionProto", 13, &new_text},
             {"FunctionProto", 14, NULL}};

static bool refuse(Scan *s, const char *problem)
{
    if (!s->problem)
        s->problem = problem;
    return false;
}

static bool use_memory(Scan *s, size_t bytes)
{
    s->used += bytes;
    return s->used <= s->budget || refuse(s, "it would take far more memory than its size allows");
}

static bool read_varint(Scan *s, Span *in, uint64_t *v)
{
    *v = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        if (in->p == in->end)
            return refuse(s, "a number is cut off");
        uint8_t b = *in->p++;
        *v |= (uint64_t)(b & 127) << shift;
        if (!(b & 128))
            return true;
    }
    return refuse(s, "a number has more than 64 bits");
}

static bool skip_bytes(Scan *s, Span *in, uint64_t n)
{
    if (n > (uint64_t)(in->end - in->p))
        return refuse(s, "a field reaches behind the end");
    in->p += n;
    return true;
}

/* Index in newer; -1: not there. */
static int find_newer(const ProtobufCMessageDescriptor *d, uint32_t tag)
{
    for (size_t i = 0; i < sizeof newer / sizeof newer[0]; i++)
        if (newer[i].tag == tag && !strcmp(newer[i].message, d->short_name))
            return (int)i;
    return -1;
}

/* The field as the schema or the list above has it; NULL: neither has, or it is not looked at. */
static const ProtobufCFieldDescriptor *find_field(Scan *s, const ProtobufCMessageDescriptor *d, uint32_t tag)
{
    const ProtobufCFieldDescriptor *f = protobuf_c_message_descriptor_get_field(d, tag);
    int known = f ? 0 : find_newer(d, tag);
    if (f)
        return f;
    if (known >= 0)
        return newer[known].field;
    if (!s->unknown) {
        s->unknown = d->short_name;
        s->unknown_tag = tag;
    }
    return NULL;
}

/* Unpacked bytes per byte on the wire of a packed field. */
static size_t packed_growth(const ProtobufCFieldDescriptor *f)
{
    if (!f || f->label != PROTOBUF_C_LABEL_REPEATED)
        return 1;
    switch (f->type) {
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_UINT64: return 8;
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_ENUM: return 4;
    default: return 1;
    }
}

static bool scan_message(Scan *s, const ProtobufCMessageDescriptor *d, Span in, int depth);

/* A field of `content` bytes; f is NULL for an unknown one. */
static bool scan_content(Scan *s, const ProtobufCFieldDescriptor *f, Span content, int depth)
{
    if (f && f->type == PROTOBUF_C_TYPE_MESSAGE)
        return scan_message(s, f->descriptor, content, depth + 1);
    size_t len = (size_t)(content.end - content.p);
    if (f && f->type == PROTOBUF_C_TYPE_STRING && len && memchr(content.p, 0, len))
        return refuse(s, "a name contains a NUL byte");
    return use_memory(s, len * packed_growth(f) + 16);
}

static bool scan_field(Scan *s, const ProtobufCFieldDescriptor *f, unsigned wire_type, Span *in, int depth)
{
    uint64_t n;
    switch (wire_type) {
    case 0: return read_varint(s, in, &n);
    case 1: return skip_bytes(s, in, 8);
    case 5: return skip_bytes(s, in, 4);
    case 2:
        if (!read_varint(s, in, &n))
            return false;
        const uint8_t *start = in->p;
        return skip_bytes(s, in, n) && scan_content(s, f, (Span){start, in->p}, depth);
    default: return refuse(s, "a field has an unknown encoding");
    }
}

/* Singular messages may come once; seen has a bit per field of d. */
static bool check_single(Scan *s, const ProtobufCMessageDescriptor *d, const ProtobufCFieldDescriptor *f,
                         uint64_t *seen)
{
    if (f->type != PROTOBUF_C_TYPE_MESSAGE || f->label == PROTOBUF_C_LABEL_REPEATED)
        return true;
    uint64_t bit = (uint64_t)1 << (f - d->fields);
    if (*seen & bit)
        return refuse(s, "a message comes twice where only one may stand");
    *seen |= bit;
    return true;
}

static bool scan_message(Scan *s, const ProtobufCMessageDescriptor *d, Span in, int depth)
{
    if (d->n_fields > MAX_FIELDS)
        bug("%s has %u fields", d->name, d->n_fields);
    if (depth > MAX_DEPTH)
        return refuse(s, "it is nested too deeply");
    if (!use_memory(s, d->sizeof_message + 16))
        return false;
    uint64_t key, seen = 0;
    while (in.p < in.end) {
        if (!read_varint(s, &in, &key))
            return false;
        if (key >> 3 == 0 || key >> 3 > 0x1fffffff)
            return refuse(s, "a field has no valid number");
        uint32_t tag = (uint32_t)(key >> 3);
        const ProtobufCFieldDescriptor *f = find_field(s, d, tag);
        if (!use_memory(s, FIELD_BYTES) || (f && !check_single(s, d, f, &seen)))
            return false;
        if (!scan_field(s, f, (unsigned)key & 7, &in, depth))
            return false;
    }
    return true;
}

/* A model starts with a control character, text does not. */
static void refuse_text(const char *path, const uint8_t *data, size_t len)
{
    static const char lfs[] = "version https://git-lfs";
    if (len >= sizeof lfs - 1 && !memcmp(data, lfs, sizeof lfs - 1))
        fail("%s: not an ONNX file: it is a pointer of Git LFS; fetch the real file with 'git lfs pull'",
             path);
    size_t shown = len < 256 ? len : 256;
    for (size_t i = 0; i < shown; i++)
        if (data[i] >= 127 || !(isprint(data[i]) || isspace(data[i])))
            return;
    fail("%s: not an ONNX file: it is text", path);
}

static void *arena_alloc(void *arena, size_t size)
{
    (void)arena;
    return mem_alloc(size);
}

static void arena_free(void *arena, void *p)
{
    (void)arena;
    (void)p;
}

static void *unpack(const ProtobufCMessageDescriptor *d, const uint8_t *data, size_t len)
{
    ProtobufCAllocator arena = {arena_alloc, arena_free, NULL};
    ProtobufCMessage *m = protobuf_c_message_unpack(d, &arena, len, data);
    if (m)
        onnx_turn_strings(m, shown_text);
    return m;
}

void *onnx_unpack(const char *path, const ProtobufCMessageDescriptor *d, const uint8_t *data, size_t len)
{
    if (!len)
        fail("%s: not an ONNX file: it is empty", path);
    refuse_text(path, data, len);
    Scan s = {.budget = budget_base + budget_factor * len};
    if (!scan_message(&s, d, (Span){data, data + len}, 1))
        fail("%s: not an ONNX file, or damaged: %s", path, s.problem);
    if (s.unknown)
        fail("%s: field %u of %s is unknown: the file is newer than ternc understands, or not an ONNX file",
             path, s.unknown_tag, s.unknown);
    void *m = unpack(d, data, len);
    if (!m)
        fail("%s: not an ONNX file, or damaged: its fields have wrong encodings", path);
    return m;
}

/* ---- fields newer than the schema ---- */

const ProtobufCMessageUnknownField *onnx_new_field(const ProtobufCMessage *m, uint32_t tag,
                                                   const ProtobufCMessageUnknownField *from)
{
    for (size_t i = from ? (size_t)(from - m->unknown_fields) + 1 : 0; i < m->n_unknown_fields; i++) {
        const ProtobufCMessageUnknownField *f = &m->unknown_fields[i];
        if (f->tag == tag && f->wire_type == PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED)
            return f;
    }
    return NULL;
}

/* What stands behind the length. */
static Span new_content(const ProtobufCMessageUnknownField *f)
{
    Scan s = {0};
    Span in = {f->data, f->data + f->len};
    uint64_t n;
    if (!read_varint(&s, &in, &n) || n != (uint64_t)(in.end - in.p))
        bug("field %u has %zu bytes", f->tag, f->len);
    return in;
}

const char *onnx_new_text(const ProtobufCMessage *m, uint32_t tag)
{
    const ProtobufCMessageUnknownField *f = onnx_new_field(m, tag, NULL);
    if (!f)
        return "";
    Span in = new_content(f);
    return shown_text(mem_printf("%.*s", (int)(in.end - in.p), (const char *)in.p));
}

void *onnx_new_message(const ProtobufCMessageUnknownField *f, const ProtobufCMessageDescriptor *d)
{
    Span in = new_content(f);
    return unpack(d, in.p, (size_t)(in.end - in.p));
}
