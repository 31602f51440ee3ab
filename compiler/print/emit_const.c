/* emit_const.c - printing constants, and pointers to tensors. Short ones are arrays of numbers. Long ones are
 * rows of text, their bytes in a union with the numbers: a compiler reads those some ten times faster, in a
 * fraction of the memory; or they lie in a file of their own. Bytes are those of a little-endian machine; the
 * C refuses others. */
#include "print/emitter.h"

#include <ctype.h>
#include <string.h>

enum {
    LINE = 100,        /* columns of an array */
    ROW = 1024,        /* bytes in a row of text; every compiler takes a literal of that length */
    LEAST_TEXT = 4096, /* bytes; shorter constants stay numbers, which can be read */
    ALIGN = 16,        /* bytes, of constants in a file */
};

static void print_array(Emitter *e, const char *space, const char *name, DType d, const void *data,
                        int64_t count)
{
    Text *t = &e->consts;
    text_printf(t, "static %s_CONST const %s%s %s[%s] = {", e->macro, space, dtype_c(d), name,
                int_text(count ? count : 1));
    if (!count)
        text_add(t, "0", 1);
    size_t line = t->len;
    for (int64_t i = 0; i < count; i++) {
        if (i == 0 || t->len - line > LINE) {
            text_add(t, "\n   ", 4);
            line = t->len;
        }
        text_add(t, " ", 1);
        add_literal(t, d, data, i);
        text_add(t, ",", 1);
    }
    text_printf(t, "\n};\n");
}

/* ---- rows of text ---- */

/* Byte i of numbers in the order of a little-endian machine. */
static unsigned char byte_at(const unsigned char *data, size_t size, size_t i)
{
    bool little = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__;
    return data[little ? i : i - i % size + size - 1 - i % size];
}

/* How byte v stands in a literal in front of byte `next`; no trigraph arises, and no digit joins an escape.
 */
static size_t add_escaped(char *s, unsigned char v, unsigned char next)
{
    if (v >= ' ' && v <= '~' && v != '"' && v != '\\' && v != '?') {
        s[0] = (char)v;
        return 1;
    }
    int digits = v > 07 ? 2 : 1;
    if (v > 077 || isdigit(next))
        digits = 3;
    s[0] = '\\';
    for (int i = digits; i; i--, v >>= 3)
        s[i] = (char)('0' + (v & 7));
    return (size_t)digits + 1;
}

static void add_row(Text *t, const unsigned char *data, size_t size, size_t from, size_t count)
{
    char s[4 * ROW + 2];
    size_t n = 0;
    s[n++] = '"';
    for (size_t i = from; i < from + count; i++)
        n += add_escaped(s + n, byte_at(data, size, i),
                         i + 1 < from + count ? byte_at(data, size, i + 1) : '"');
    s[n++] = '"';
    text_add(t, s, n);
}

static void print_rows(Emitter *e, const char *space, const char *name, DType d, const void *data,
                       int64_t count)
{
    Text *t = &e->consts;
    size_t size = dtype_size(d), bytes = size * (size_t)count, rows = bytes / ROW, rest = bytes % ROW;
    text_printf(t, "static %s_CONST const %sunion {\n    struct {\n        unsigned char rows[%zu][%d]",
                e->macro, space, rows, ROW);
    if (rest)
        text_printf(t, ", rest[%zu]", rest);
    text_printf(t, ";\n    } text;\n    %s numbers[%s];\n} %s = {{{\n", dtype_c(d), int_text(count), name);
    for (size_t i = 0; i < rows; i++) {
        add_row(t, data, size, i * ROW, ROW);
        text_add(t, ",\n", 2);
    }
    text_printf(t, "}");
    if (rest) {
        text_printf(t, ", ");
        add_row(t, data, size, rows * ROW, rest);
    }
    text_printf(t, "}};\n");
    e->has_bytes = true;
}

void print_byte_rules(const Emitter *e, Text *c)
{
    if (!e->has_bytes)
        return;
    text_printf(
        c,
        "/* Long constants are rows of text, without an end of their own, in the order of bytes of most "
        "machines. */\n"
        "#if (defined(__BYTE_ORDER__) && defined(__ORDER_BIG_ENDIAN__) && __BYTE_ORDER__ == "
        "__ORDER_BIG_ENDIAN__) || \\\n    defined(__BIG_ENDIAN__) || defined(__ARMEB__) || "
        "defined(__MIPSEB__)\n"
        "#error \"these constants are for little-endian machines; compile the model with --weights array\"\n"
        "#endif\n"
        "#if defined(__has_warning)\n#if __has_warning(\"-Wunterminated-string-initialization\")\n"
        "#pragma clang diagnostic ignored \"-Wunterminated-string-initialization\"\n#endif\n"
        "#elif defined(__GNUC__) && __GNUC__ >= 15\n"
        "#pragma GCC diagnostic ignored \"-Wunterminated-string-initialization\"\n#endif\n\n");
}

/* ---- a file of their own ---- */

static const char *file_symbol(const Emitter *e, const char *name)
{
    return mem_printf("%s_%s", e->plan->id, name);
}

const char *weights_file_name(const char *id)
{
    return mem_printf("%s_weights.bin", id);
}

static void add_symbol(Emitter *e, const char *symbol, size_t at, size_t bytes)
{
    text_printf(
        &e->symbols,
        "HIDDEN(SYMBOL(%s))\nOBJECT(SYMBOL(%s))\nSIZED(SYMBOL(%s), %zu)\n.balign %d\n.globl SYMBOL(%s)\n"
        "SYMBOL(%s):\n    .incbin \"%s\", %zu, %zu\n\n",
        symbol, symbol, symbol, bytes, ALIGN, symbol, symbol, weights_file_name(e->plan->id), at, bytes);
}

static void print_in_file(Emitter *e, const char *space, const char *name, DType d, const void *data,
                          int64_t count)
{
    static const char zeros[ALIGN];
    const char *symbol = file_symbol(e, name);
    size_t size = dtype_size(d), bytes = size * (size_t)count;
    text_printf(&e->consts, "extern %s_CONST const %s%s %s[%s];\n", e->macro, space, dtype_c(d), symbol,
                int_text(count));
    add_symbol(e, symbol, e->weight_bytes.len, bytes);
    for (size_t i = 0; i < bytes; i++) {
        char byte = (char)byte_at(data, size, i);
        text_add(&e->weight_bytes, &byte, 1);
    }
    text_add(&e->weight_bytes, zeros, (ALIGN - bytes % ALIGN) % ALIGN);
    e->has_bytes = true;
}

static const char assembler_words[] =
    "#if defined(__APPLE__) || (defined(_WIN32) && !defined(_WIN64))\n#define SYMBOL(name) _##name\n#else\n"
    "#define SYMBOL(name) name\n#endif\n#if defined(__ELF__)\n#define HIDDEN(name) .hidden name\n"
    "#define OBJECT(name) .type name, %object\n#define SIZED(name, bytes) .size name, bytes\n#else\n"
    "#define HIDDEN(name)\n#define OBJECT(name)\n#define SIZED(name, bytes)\n#endif\n";

void print_weights_file(const Emitter *e, Text *s)
{
    const char *m = e->macro, *id = e->plan->id;
    text_printf(s,
                "/* Assemble it with the C compiler, with -I and the folder of %s, and link it.\n"
                " * %s_WEIGHTS_SECTION puts the constants elsewhere. */\n#ifndef %s_WEIGHTS_SECTION\n"
                "#if defined(__APPLE__)\n#define %s_WEIGHTS_SECTION __TEXT,__const\n"
                "#elif defined(_WIN32)\n#define %s_WEIGHTS_SECTION .rdata,\"dr\"\n"
                "#else\n#define %s_WEIGHTS_SECTION .rodata.%s_weights,\"a\"\n#endif\n#endif\n",
                weights_file_name(id), m, m, m, m, m, id);
    text_printf(s, "%s\n.section %s_WEIGHTS_SECTION\n", assembler_words, m);
    text_add(s, e->symbols.data, e->symbols.len);
    text_printf(
        s, "#if defined(__linux__) && defined(__ELF__)\n.section .note.GNU-stack,\"\",%%progbits\n#endif\n");
}

/* ---- constants ---- */

/* How a constant of that length is printed. */
static WeightText text_of(const Emitter *e, DType d, int64_t count)
{
    return (int64_t)dtype_size(d) * count >= LEAST_TEXT ? e->weights : WEIGHTS_ARRAY;
}

/* What points to the first number of such a constant. */
static const char *first_number(const Emitter *e, const char *name, DType d, int64_t count)
{
    switch (text_of(e, d, count)) {
    case WEIGHTS_STRING: return mem_printf("%s.numbers", name);
    case WEIGHTS_FILE: return file_symbol(e, name);
    default: return name;
    }
}

static const char *print_const(Emitter *e, const char *space, const char *name, DType d, const void *data,
                               int64_t count)
{
    switch (text_of(e, d, count)) {
    case WEIGHTS_STRING: print_rows(e, space, name, d, data, count); break;
    case WEIGHTS_FILE: print_in_file(e, space, name, d, data, count); break;
    default: print_array(e, space, name, d, data, count);
    }
    return first_number(e, name, d, count);
}

const char *emit_const_array(Emitter *e, const char *hint, DType d, const void *data, int64_t count)
{
    return print_const(e, "TN_ROM ", mem_printf("%s_%d", hint, e->num_arrays++), d, data, count);
}

const char *emit_shared_array(Emitter *e, const char *name, DType d, const void *data, int64_t count)
{
    if (names_find(&e->shared, name) >= 0)
        return first_number(e, name, d, count);
    names_add(&e->shared, name, 0);
    return print_const(e, "TN_ROM ", name, d, data, count);
}

static const char *tensor_const(Emitter *e, const char *space, const Tensor *t)
{
    const char **printed = &e->const_printed[t->id];
    if (!*printed)
        *printed = print_const(e, space, t->c_name, t->type.dtype, t->data, type_elems(t->type));
    return *printed;
}

const char *emit_table_ptr(Emitter *e, const Tensor *t)
{
    return tensor_const(e, "TN_ROM ", memory_of(t));
}

const char *emit_ptr(Emitter *e, const Tensor *t)
{
    const Tensor *m = memory_of(t);
    if (m->data)
        return tensor_const(e, "", m);
    if (m->arena_offset < 0)
        return m->c_name;
    const char *c = dtype_c(t->type.dtype);
    return mem_printf("(%s *)(void *)(arena + %s)", c,
                      int_text(m->arena_offset + t->layout.base * (int64_t)dtype_size(t->type.dtype)));
}
