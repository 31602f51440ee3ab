/* emit_const.c - printing constants, and pointers to tensors. Short ones are arrays of numbers. Long ones are
 * rows of text, their bytes in a union with the numbers: a compiler reads those some ten times faster, in a
 * fraction of the memory. The bytes are those of a little-endian machine; the file refuses others. */
#include "print/emitter.h"

#include <ctype.h>
#include <string.h>

enum {
    LINE = 100,        /* columns of an array */
    ROW = 1024,        /* bytes in a row of text; every compiler takes a literal of that length */
    LEAST_TEXT = 4096, /* bytes; shorter constants stay numbers, which can be read */
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
    e->has_rows = true;
}

void print_row_rules(const Emitter *e, Text *c)
{
    if (!e->has_rows)
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

/* ---- constants ---- */

static bool are_rows(const Emitter *e, DType d, int64_t count)
{
    return e->weights == WEIGHTS_STRING && (int64_t)dtype_size(d) * count >= LEAST_TEXT;
}

/* What points to the first number of such a constant. */
static const char *first_number(const Emitter *e, const char *name, DType d, int64_t count)
{
    return are_rows(e, d, count) ? mem_printf("%s.numbers", name) : name;
}

static const char *print_const(Emitter *e, const char *space, const char *name, DType d, const void *data,
                               int64_t count)
{
    (are_rows(e, d, count) ? print_rows : print_array)(e, space, name, d, data, count);
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
