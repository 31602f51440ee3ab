/* emit.c - printing C: lines and literals. Constants are in emit_const.c; what a layer looks like is in
 * emit_layer.c, what a file looks like in emit_file.c. */
#include "print/emitter.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

void emit_line(Emitter *e, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    char small[512], *line = n < (int)sizeof small ? small : malloc((size_t)n + 1);
    if (!line)
        fail("out of memory: a line of %d bytes", n);
    va_start(ap, fmt);
    vsnprintf(line, (size_t)n + 1, fmt, ap);
    va_end(ap);
    if (line[0] == '}' && --e->indent < 0)
        bug("a closing brace too many: %s", line);
    if (n && line[0] != '#')
        text_printf(e->out, "%*s", 4 * e->indent, "");
    text_add(e->out, line, (size_t)n);
    text_add(e->out, "\n", 1);
    if (n && line[n - 1] == '{')
        e->indent++;
    if (line != small)
        free(line);
}

void emit_blank(Emitter *e)
{
    text_add(e->out, "\n", 1);
}

/* ---- literals ---- */

/* s: v with that many digits. */
static bool reads_back(double v, bool f32, int digits, char s[64])
{
    snprintf(s, 64, "%.*g", digits, v);
    return f32 ? strtof(s, NULL) == (float)v : strtod(s, NULL) == v;
}

const char *float_text(double v, DType d)
{
    bool f32 = d == DT_F32;
    if (isnan(v))
        return "NAN";
    if (isinf(v))
        return v < 0 ? "-INFINITY" : "INFINITY";
    char s[64];
    const int middle = f32 ? 6 : 15; /* digits: most numbers need more, the others are found from below */
    int digits = reads_back(v, f32, middle, s) ? 1 : middle + 1;
    while (!reads_back(v, f32, digits, s))
        digits++;
    const char *fraction = strpbrk(s, ".e") ? "" : ".0";
    return mem_printf("%s%s%s", s, fraction, f32 ? "f" : "");
}

static void add_int64(Text *t, long long v)
{
    if (v == INT64_MIN)
        text_printf(t, "INT64_MIN");
    else
        text_printf(t, "INT64_C(%lld)", v);
}

static void add_int(Text *t, DType d, const void *data, int64_t i)
{
    switch (d) {
    case DT_I64: add_int64(t, ((const int64_t *)data)[i]); break;
    case DT_U64: text_printf(t, "UINT64_C(%llu)", (unsigned long long)((const uint64_t *)data)[i]); break;
    case DT_U32: text_printf(t, "%lluu", (unsigned long long)((const uint32_t *)data)[i]); break;
    case DT_I32:
        if (((const int32_t *)data)[i] == INT32_MIN) {
            text_printf(t, "INT32_MIN");
            break;
        }
        /* fall through */
    default: text_printf(t, "%.0f", elem_get(data, d, i));
    }
}

/* Tables of weights are bytes, and long. */
static void add_byte(Text *t, unsigned v)
{
    char s[3] = {(char)('0' + v / 100), (char)('0' + v / 10 % 10), (char)('0' + v % 10)};
    size_t digits = v < 10 ? 1 : 2;
    if (v >= 100)
        digits = 3;
    text_add(t, s + 3 - digits, digits);
}

void add_literal(Text *t, DType d, const void *data, int64_t i)
{
    char s[32];
    double v = elem_get(data, d, i);
    if (d == DT_U8) {
        add_byte(t, ((const uint8_t *)data)[i]);
    } else if (!dtype_is_float(d)) {
        add_int(t, d, data, i);
    } else if (v == 0 && !signbit(v)) {
        text_add(t, "0", 1);
    } else if (d == DT_F32 && fabs(v) < 1e6 && v == (double)(int)v) {
        int n = snprintf(s, sizeof s, signbit(v) && v == 0 ? "-0.0f" : "%d", (int)v);
        text_add(t, s, (size_t)n);
    } else {
        text_printf(t, "%s", float_text(v, d));
    }
}

const char *emit_literal(DType d, const void *data, int64_t i)
{
    Text t = {0};
    add_literal(&t, d, data, i);
    return text_take(&t);
}

const char *emit_dims(const int64_t *v, int count)
{
    Text t = {0};
    text_printf(&t, "(const int32_t[]){");
    for (int i = 0; i < count; i++)
        text_printf(&t, "%s%s", i ? ", " : "", int_text(v[i]));
    text_printf(&t, "%s}", count ? "" : "0");
    return text_take(&t);
}

void emit_copy(Emitter *e, const char *to, const char *from, Type t)
{
    if (strcmp(to, from) != 0)
        emit_line(e, "memcpy(%s, %s, %zu);", to, from, type_bytes(t));
}

const Plan *emit_plan(const Emitter *e)
{
    return e->plan;
}

void emit_begin_check(Emitter *e)
{
    emit_line(e, "#ifdef %s_CHECK", e->macro);
}

void emit_end_check(Emitter *e)
{
    emit_line(e, "#endif");
}

int plan_node_index(const Plan *p, const Node *n)
{
    for (int k = 0; k < n->num_out; k++)
        if (n->out[k])
            return p->maker[n->out[k]->id];
    bug("node '%s' makes nothing", node_label(n));
}

const char *comment_text(const char *s)
{
    char *copy = mem_strdup(s);
    for (char *p = copy; *p; p++) {
        if ((p[0] == '*' && p[1] == '/') || (p[0] == '/' && p[1] == '*') || (p[0] == '?' && p[1] == '?'))
            p[1] = '.';
        if (!isprint((unsigned char)*p) || (*p == '\\' && !p[1]))
            *p = '.';
    }
    return copy;
}

const char *file_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static const char *const licence = " * This file, the runtime kernels in it included, belongs to the user of "
                                   "ternc who made it; it comes without any\n"
                                   " * condition and without any warranty. */\n";

void print_title(Text *t, const char *file, const char *model)
{
    text_printf(t, "/* %s - made by ternc from %s.\n *\n%s", file, comment_text(file_name(model)), licence);
}
