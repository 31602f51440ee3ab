/* emit_kernels.c - runtime kernels carried into generated files.
 *
 * The text of runtime/ is built into the compiler (runtime_lines, made by runtime/embed.cmake). A kernel is
 * one paragraph of it; its name is that of the TN_KERNEL function, or ends a typedef, or follows a #define. A
 * kernel named TN(name) is typed: one instance per element type, made by replacing T, TS, TN() and TM(). */
#include "print/emitter.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

extern const char *const runtime_lines[];

typedef struct Kernel {
    const char *name; /* typed: what stands in TN(); else the whole identifier */
    const char *text;
    bool typed;
} Kernel;

/* ---- the library ---- */

static size_t word_length(const char *p)
{
    size_t n = 0;
    while (isalnum((unsigned char)p[n]) || p[n] == '_')
        n++;
    return n;
}

static char *copy_word(const char *p)
{
    return mem_printf("%.*s", (int)word_length(p), p);
}

/* Where the text behind the leading comment starts. */
static const char *skip_comment(const char *text)
{
    if (strncmp(text, "/*", 2))
        return text;
    const char *end = strstr(text, "*/");
    return end ? end + 2 : text;
}

static void name_kernel(Kernel *k)
{
    const char *code = skip_comment(k->text);
    const char *function = strstr(code, "TN_KERNEL "), *at = function;
    if (!at && (strstr(code, "typedef ") || strstr(code, "#define tn_")))
        at = code;
    if (!at)
        return;
    const char *typed = strstr(at, "TN("), *plain = strstr(at, "tn_");
    while (function && plain && plain[word_length(plain)] != '(')
        plain = strstr(plain + 1, "tn_");
    k->typed = typed && (!plain || typed < plain);
    if (k->typed)
        k->name = copy_word(typed + 3);
    else if (plain)
        k->name = copy_word(plain);
}

typedef struct KernelLibrary {
    Kernel *kernels;
    int count;
} KernelLibrary;

static const KernelLibrary *read_library(void)
{
    int lines = 0;
    while (runtime_lines[lines])
        lines++;
    KernelLibrary *lib = NEW(KernelLibrary);
    lib->kernels = NEW_ARRAY(Kernel, lines);
    Text paragraph = {0};
    for (int i = 0; i <= lines; i++) {
        if (runtime_lines[i] && runtime_lines[i][0]) {
            text_printf(&paragraph, "%s\n", runtime_lines[i]);
            continue;
        }
        Kernel k = {.text = paragraph.len ? mem_strdup(paragraph.data) : ""};
        paragraph.len = 0;
        name_kernel(&k);
        if (k.name)
            lib->kernels[lib->count++] = k;
    }
    text_free(&paragraph);
    return lib;
}

static const Kernel *find_kernel(const KernelLibrary *lib, const char *name, size_t len, bool typed)
{
    for (int i = 0; i < lib->count; i++)
        if (lib->kernels[i].typed == typed && strlen(lib->kernels[i].name) == len &&
            !strncmp(lib->kernels[i].name, name, len))
            return &lib->kernels[i];
    return NULL;
}

/* ---- carrying ---- */

static void carry(Emitter *e, const Kernel *k, DType d);

/* An identifier tn_NAME or tn_NAME_SUFFIX in a kernel's text. */
static void carry_identifier(Emitter *e, const char *word, size_t len)
{
    const Kernel *k = find_kernel(e->library, word, len, false);
    if (k)
        carry(e, k, DT_NONE);
    for (DType d = DT_F32; !k && d <= DT_F16; d++) {
        size_t s = strlen(dtype_suffix(d)) + 1;
        if (len > s + 3 && word[len - s] == '_' && !strncmp(word + len - s + 1, dtype_suffix(d), s - 1)) {
            k = find_kernel(e->library, word + 3, len - s - 3, true);
            if (k)
                carry(e, k, d);
        }
    }
}

static void carry_callees(Emitter *e, const Kernel *k, DType d)
{
    for (const char *p = skip_comment(k->text); *p; p++) {
        size_t n = word_length(p);
        if (!n)
            continue;
        if (n == 2 && !strncmp(p, "TN(", 3)) {
            const Kernel *callee = find_kernel(e->library, p + 3, word_length(p + 3), true);
            if (callee && callee != k)
                carry(e, callee, d);
        } else if (!strncmp(p, "tn_", 3)) {
            carry_identifier(e, p, n);
        }
        p += n - 1;
    }
}

static bool is_carried(const Emitter *e, const Kernel *k, DType d)
{
    for (int i = 0; i < e->num_kernels; i++)
        if (e->kernels[i].dtype == d && !strcmp(e->kernels[i].kernel->text, k->text))
            return true;
    return false;
}

static void append_use(Emitter *e, const Kernel *k, DType d)
{
    if (e->num_kernels == e->cap_kernels) {
        e->cap_kernels = e->cap_kernels ? 2 * e->cap_kernels : 32;
        KernelUse *more = NEW_ARRAY(KernelUse, e->cap_kernels);
        if (e->num_kernels)
            memcpy(more, e->kernels, (size_t)e->num_kernels * sizeof *more);
        e->kernels = more;
    }
    e->kernels[e->num_kernels++] = (KernelUse){k, d};
}

static void carry(Emitter *e, const Kernel *k, DType d)
{
    if (is_carried(e, k, d))
        return;
    /* Callees first: take the place only after they have theirs. Kernels are not recursive. */
    int before = e->num_kernels;
    append_use(e, k, d);
    carry_callees(e, k, d);
    KernelUse self = e->kernels[before];
    memmove(&e->kernels[before], &e->kernels[before + 1],
            (size_t)(e->num_kernels - before - 1) * sizeof self);
    e->kernels[e->num_kernels - 1] = self;
}

const char *emit_kernel(Emitter *e, const char *name, DType d)
{
    if (!e->library)
        e->library = read_library();
    const Kernel *k = d == DT_NONE ? NULL : find_kernel(e->library, name, strlen(name), true);
    char *full = d == DT_NONE ? mem_printf("tn_%s", name) : mem_printf("tn_%s_%s", name, dtype_suffix(d));
    bool typed = k != NULL;
    if (!k)
        k = find_kernel(e->library, full, strlen(full), false);
    if (!k)
        bug("runtime/ has no kernel %s", full);
    carry(e, k, typed ? d : DT_NONE);
    return full;
}

void kernels_merge(Emitter *to, const Emitter *from)
{
    for (int i = 0; i < from->num_kernels; i++)
        if (!is_carried(to, from->kernels[i].kernel, from->kernels[i].dtype))
            append_use(to, from->kernels[i].kernel, from->kernels[i].dtype);
}

/* ---- printing ---- */

static void print_instance(Text *out, const char *text, DType d)
{
    for (const char *p = text; *p;) {
        size_t n = word_length(p);
        if (n == 2 && !strncmp(p, "TN(", 3)) {
            size_t len = word_length(p + 3);
            text_printf(out, "tn_%.*s_%s", (int)len, p + 3, dtype_suffix(d));
            p += 3 + len + 1;
        } else if (n == 2 && !strncmp(p, "TM(", 3)) {
            size_t len = word_length(p + 3);
            text_printf(out, "%.*s%s", (int)len, p + 3, d == DT_F32 ? "f" : "");
            p += 3 + len + 1;
        } else if (n == 1 && *p == 'T') {
            text_printf(out, "%s", dtype_c(d));
            p++;
        } else if (n == 2 && !strncmp(p, "TS", 2)) {
            text_printf(out, "%s", dtype_suffix(d));
            p += 2;
        } else {
            text_add(out, p, n ? n : 1);
            p += n ? n : 1;
        }
    }
}

void kernels_print(const Emitter *e, Text *out)
{
    for (int i = 0; i < e->num_kernels; i++) {
        const KernelUse *u = &e->kernels[i];
        if (u->kernel->typed)
            print_instance(out, u->kernel->text, u->dtype);
        else
            text_printf(out, "%s", u->kernel->text);
        text_printf(out, "\n");
    }
}

static bool is_math(const char *word, size_t length)
{
    static const char *const names[] = {
        "exp",   "expm1", "log",  "log1p", "sqrt",  "pow",   "sin",   "cos",   "tan",   "asin",  "acos",
        "atan",  "sinh",  "cosh", "tanh",  "asinh", "acosh", "atanh", "erf",   "fabs",  "floor", "ceil",
        "round", "trunc", "rint", "fmod",  "fmin",  "fmax",  "ldexp", "isnan", "isinf", "NAN",   "INFINITY"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        size_t n = strlen(names[i]);
        if (!strncmp(word, names[i], n) && (length == n || (length == n + 1 && word[n] == 'f')))
            return true;
    }
    return false;
}

static bool is_rint(const char *word, size_t length)
{
    return !strncmp(word, "rint", 4) && (length == 4 || (length == 5 && word[4] == 'f'));
}

/* Whether a kernel has such a word outside of comments. */
static bool has_word(const char *text, bool (*is)(const char *word, size_t length))
{
    for (const char *p = text; *p;) {
        p = skip_comment(p);
        size_t n = word_length(p);
        if (n && is(p, n))
            return true;
        p += n ? n : *p != 0;
    }
    return false;
}

static bool kernels_have(const Emitter *e, bool (*is)(const char *word, size_t length))
{
    for (int i = 0; i < e->num_kernels; i++)
        if (has_word(e->kernels[i].kernel->text, is))
            return true;
    return false;
}

/* Non-finite literals are printed as the macros of <math.h>. */
static bool has_non_finite(const Text *t)
{
    return t->data && (strstr(t->data, "INFINITY") || strstr(t->data, "NAN"));
}

const char *math_text(const Emitter *e)
{
    if (kernels_have(e, is_rint))
        return "#include <math.h>\n\n#if defined(__AVR__) && !defined(rintf) /* avr-libc has only lrint */\n"
               "#define rintf(v) (fabs(v) < 0x1p23f ? (float)lrint(v) : (v))\n#endif\n";
    if (kernels_have(e, is_math) || has_non_finite(&e->consts) || has_non_finite(&e->functions) ||
        has_non_finite(&e->body))
        return "#include <math.h>\n";
    return "";
}

void print_linkage(const Emitter *e, Text *c)
{
    if (e->plan->opt->optimize == OPTIMIZE_SPEED)
        text_printf(c, "/* Kernels are specialised by the literal sizes that they are called with. */\n#if "
                       "defined(__GNUC__)\n"
                       "#define TN_KERNEL static inline __attribute__((always_inline))\n#else\n"
                       "#define TN_KERNEL static inline\n#endif\n\n");
    else
        text_printf(c, "#define TN_KERNEL static inline\n\n");
}

/* What files that share kernels include: the kernels with all that they need. */
void print_kernels(const Emitter *e, Text *h)
{
    text_printf(
        h,
        "#include <stddef.h>\n#include <stdint.h>\n#include <string.h>\n%s\n#ifndef TN_ROM\n#define TN_ROM\n"
        "#endif\n\n",
        math_text(e));
    print_linkage(e, h);
    kernels_print(e, h);
}
