/* npy.c - arrays in NumPy's .npy format, read and written.
 *
 * A file is "\x93NUMPY", a version (major, minor), the header's length (2 bytes in version 1, else 4), the
 * header, and the elements. The header is a Python dictionary: {'descr': '<f4', 'fortran_order': False,
 * 'shape': (2, 3), }. Source: the format's description in NumPy's documentation (numpy.lib.format). Records,
 * strings, objects and complex numbers are refused. */
#include "base/out_file.h"
#include "data/data.h"

#include <stdlib.h>
#include <string.h>

static const char npy_magic[] = "\x93NUMPY";
enum { MAGIC_BYTES = 6, ALIGNMENT = 64, MAX_HEADER = 1 << 20 };

/* X(NumPy's kind and size, our type) */
#define NPY_TYPES(X)                                                                                         \
    X("f4", DT_F32)                                                                                          \
    X("f8", DT_F64)                                                                                          \
    X("f2", DT_F16)                                                                                          \
    X("i1", DT_I8)                                                                                           \
    X("i2", DT_I16)                                                                                          \
    X("i4", DT_I32)                                                                                          \
    X("i8", DT_I64)                                                                                          \
    X("u1", DT_U8)                                                                                           \
    X("u2", DT_U16)                                                                                          \
    X("u4", DT_U32)                                                                                          \
    X("u8", DT_U64)                                                                                          \
    X("b1", DT_BOOL)

static const struct {
    const char *text;
    DType dtype;
} npy_types[] = {
#define X(text, dtype) {text, dtype},
    NPY_TYPES(X)
#undef X
};
enum { NUM_NPY_TYPES = sizeof npy_types / sizeof npy_types[0] };

typedef struct Header {
    const char *path;
    const char *text; /* the dictionary, NUL-terminated */
    size_t start;     /* of the elements */
} Header;

static Header read_header(const char *path, const uint8_t *data, size_t len)
{
    if (len < MAGIC_BYTES + 4 || memcmp(data, npy_magic, MAGIC_BYTES))
        fail("%s: not an .npy file", path);
    int major = data[6];
    if (major < 1 || major > 3)
        fail("%s: .npy version %d is unknown; 1 to 3 can be read", path, major);
    size_t at = major == 1 ? 10 : 12;
    if (len < at)
        fail("%s: the .npy header is cut off", path);
    size_t bytes = data[8] | (size_t)data[9] << 8;
    if (major > 1)
        bytes |= (size_t)data[10] << 16 | (size_t)data[11] << 24;
    if (bytes > len - at || bytes > MAX_HEADER)
        fail("%s: the .npy header is cut off", path);
    return (Header){path, mem_printf("%.*s", (int)bytes, (const char *)data + at), at + bytes};
}

/* The text behind 'key': in the dictionary, without leading blanks. */
static const char *header_value(const Header *h, const char *key)
{
    for (const char *p = h->text; (p = strstr(p, key)); p++) {
        const char *end = p + strlen(key);
        if (p == h->text || (p[-1] != '\'' && p[-1] != '"') || *end != p[-1])
            continue;
        end += 1 + strspn(end + 1, " ");
        if (*end == ':')
            return end + 1 + strspn(end + 1, " ");
    }
    fail("%s: the .npy header has no '%s'", h->path, key);
}

/* *swap: the elements have the other byte order than this machine. */
static DType read_descr(const Header *h, bool *swap)
{
    const char *v = header_value(h, "descr");
    if (*v == '\'' || *v == '"') {
        bool big_here = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__;
        *swap = (v[1] == '>' && !big_here) || (v[1] == '<' && big_here);
        for (int i = 0; i < NUM_NPY_TYPES && v[1] && strchr("<>|=", v[1]); i++)
            if (!strncmp(v + 2, npy_types[i].text, 2) && v[4] == v[0])
                return npy_types[i].dtype;
    }
    fail("%s: element type %s cannot be read: take float16 to 64, int8 to 64, uint8 to 64 or bool", h->path,
         shown_text(mem_printf("%.*s", (int)strcspn(v, ",}"), v)));
}

static bool read_fortran_order(const Header *h)
{
    const char *v = header_value(h, "fortran_order");
    if (strncmp(v, "True", 4) && strncmp(v, "False", 5))
        fail("%s: the .npy header is damaged: fortran_order", h->path);
    return v[0] == 'T';
}

static Type read_shape(const Header *h, DType dtype)
{
    Type t = {.dtype = dtype};
    const char *v = header_value(h, "shape");
    bool good = *v == '(';
    v += good;
    for (v += strspn(v, " "); good && *v != ')'; v += strspn(v, " L")) {
        char *end;
        long long d = strtoll(v, &end, 10);
        good = end != v && d >= 0;
        if (good && t.rank == MAX_RANK)
            fail("%s: more than %d dimensions", h->path, MAX_RANK);
        if (good)
            t.dims[t.rank++] = d;
        v = end + strspn(end, " L");
        good = good && (*v == ',' || *v == ')');
        v += *v == ',';
    }
    if (!good)
        fail("%s: the .npy header is damaged: shape", h->path);
    return t;
}

static void swap_bytes(uint8_t *p, size_t size, int64_t count)
{
    for (int64_t i = 0; i < count; i++, p += size)
        for (size_t k = 0; k < size / 2; k++) {
            uint8_t b = p[k];
            p[k] = p[size - 1 - k];
            p[size - 1 - k] = b;
        }
}

/* From first-axis-fastest to last-axis-fastest order. */
static uint8_t *reorder_fortran(Type t, const uint8_t *from)
{
    size_t size = dtype_size(t.dtype);
    uint8_t *to = mem_alloc(type_bytes(t));
    int64_t at[MAX_RANK] = {0}, count = type_elems(t), strides[MAX_RANK];
    dense_strides(t, strides);
    for (int64_t i = 0; i < count; i++) {
        int64_t position = 0;
        for (int k = 0; k < t.rank; k++)
            position += at[k] * strides[k];
        memcpy(to + (size_t)position * size, from + (size_t)i * size, size);
        for (int k = 0; k < t.rank && ++at[k] == t.dims[k]; k++)
            at[k] = 0;
    }
    return to;
}

static void check_bools(const char *path, const Tensor *t)
{
    int64_t n = type_elems(t->type);
    for (int64_t i = 0; i < n; i++)
        if (((const uint8_t *)t->data)[i] > 1)
            fail("%s: a bool is neither 0 nor 1", path);
}

Tensor *npy_parse(const char *path, const uint8_t *data, size_t len)
{
    Header h = read_header(path, data, len);
    bool swap, fortran = read_fortran_order(&h);
    Tensor *t = NEW(Tensor);
    t->name = path;
    t->type = read_shape(&h, read_descr(&h, &swap));
    size_t bytes = type_bytes(t->type);
    if (bytes != len - h.start)
        fail("%s: %s needs %zu bytes of elements, the file has %zu", path, type_text(t->type), bytes,
             len - h.start);
    const uint8_t *elems = data + h.start;
    size_t size = dtype_size(t->type.dtype);
    if (swap || (uintptr_t)elems % size) {
        uint8_t *copy = mem_alloc(bytes);
        memcpy(copy, elems, bytes);
        if (swap)
            swap_bytes(copy, size, type_elems(t->type));
        elems = copy;
    }
    t->data = fortran && t->type.rank > 1 ? reorder_fortran(t->type, elems) : elems;
    if (t->type.dtype == DT_F16)
        tensor_widen_half(t);
    if (t->type.dtype == DT_BOOL)
        check_bools(path, t);
    return t;
}

Tensor *npy_read(const char *path)
{
    size_t len;
    const uint8_t *data = file_map(path, &len);
    return npy_parse(path, data, len);
}

static const char *descr_of(DType d)
{
    const char native = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? '>' : '<';
    char order = dtype_size(d) == 1 ? '|' : native;
    for (int i = 0; i < NUM_NPY_TYPES; i++)
        if (npy_types[i].dtype == d)
            return mem_printf("%c%s", order, npy_types[i].text);
    bug(".npy of %s", dtype_name(d));
}

void npy_write(const char *path, Type t, const void *data)
{
    Text h = {0};
    text_printf(&h, "{'descr': '%s', 'fortran_order': False, 'shape': (", descr_of(t.dtype));
    for (int i = 0; i < t.rank; i++)
        text_printf(&h, "%s%s", i ? ", " : "", int_text(t.dims[i]));
    text_printf(&h, t.rank == 1 ? ",), }" : "), }");
    while ((MAGIC_BYTES + 4 + h.len + 1) % ALIGNMENT)
        text_add(&h, " ", 1);
    text_add(&h, "\n", 1);
    OutFile *o = out_open(path);
    fwrite(npy_magic, 1, MAGIC_BYTES, o->f);
    const uint8_t version_and_length[] = {1, 0, (uint8_t)h.len, (uint8_t)(h.len >> 8)};
    fwrite(version_and_length, 1, sizeof version_and_length, o->f);
    fwrite(h.data, 1, h.len, o->f);
    fwrite(data, 1, type_bytes(t), o->f);
    text_free(&h);
    out_commit(o);
}
