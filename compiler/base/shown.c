/* shown.c - text from outside, such as names in a model and paths, as text that may go anywhere: valid UTF-8
 * without control characters and without characters that hide or turn round others. All other bytes are
 * written \xNN, and so is a backslash that would look like the start of one, so raw_text gives back every
 * byte.
 *
 * Text is shown_text from where it comes in (arguments, environment, files) to where it goes out (calls of
 * the system, ONNX files); messages, reports and generated C need not ask where a name came from. */
#include "base/base.h"

#include <string.h>

static const char escape_digits[] = "0123456789abcdef";

/* The byte of "\xNN"; 0: it is none. */
static unsigned escaped_byte(const char *s)
{
    const char *high = s[0] == '\\' && s[1] == 'x' && s[2] ? strchr(escape_digits, s[2]) : NULL;
    const char *low = high && s[3] ? strchr(escape_digits, s[3]) : NULL;
    return low ? (unsigned)((high - escape_digits) << 4 | (low - escape_digits)) : 0;
}

/* Ranges of characters that no text needs to be read, and that can mislead who reads it: controls, marks and
 * overrides of direction, separators of lines, what is no character. */
static bool is_hidden(uint32_t c)
{
    static const uint32_t ranges[][2] = {{0x7f, 0x9f},     {0x61c, 0x61c},   {0x200b, 0x200f},
                                         {0x2028, 0x202e}, {0x2060, 0x206f}, {0xd800, 0xdfff},
                                         {0xfdd0, 0xfdef}, {0xfeff, 0xfeff}};
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++)
        if (c >= ranges[i][0] && c <= ranges[i][1])
            return true;
    return c < 0x20 || (c & 0xfffe) == 0xfffe || c > 0x10ffff;
}

/* Bytes of the character at s; 0: it is not to be shown. Continuation bytes are 10xxxxxx, so a NUL ends it.
 */
static size_t plain_bytes(const char *s)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *p = (const unsigned char *)s;
    size_t n = 1;
    if (p[0] >= 0xc0)
        n = 2 + (size_t)(p[0] >= 0xe0) + (size_t)(p[0] >= 0xf0);
    uint32_t c = n == 1 ? p[0] : p[0] & (0xffu >> (n + 1));
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
        c = c << 6 | (p[i] & 0x3f);
    }
    return c < least[n] || (n == 1 && c >= 0x80) || p[0] >= 0xf8 || is_hidden(c) ? 0 : n;
}

/* A character of n bytes, or a byte that is not to be shown. Returns how many were read. */
static size_t add_shown(Text *t, const char *s, size_t n)
{
    if (n)
        text_add(t, s, n);
    else
        text_printf(t, "\\x%02x", (unsigned char)*s);
    return n ? n : 1;
}

static size_t reversible_bytes(const char *s)
{
    return escaped_byte(s) ? 0 : plain_bytes(s);
}

const char *shown_text(const char *s)
{
    const char *p = s;
    for (size_t n; *p && (n = reversible_bytes(p)); p += n)
        ;
    if (!*p)
        return s;
    Text t = {0};
    for (p = s; *p;)
        p += add_shown(&t, p, reversible_bytes(p));
    return text_take(&t);
}

void add_shown_lines(Text *t, const char *s, size_t len)
{
    for (size_t i = 0; i < len;) {
        char next[5] = {0}; /* one character, cut off where the text is */
        memcpy(next, s + i, len - i < 4 ? len - i : 4);
        bool blank = next[0] == '\n' || next[0] == '\t';
        i += add_shown(t, next, blank ? 1 : plain_bytes(next));
    }
    text_add(t, "", 0);
}

const char *raw_text(const char *s)
{
    if (!strstr(s, "\\x"))
        return s;
    char *raw = mem_strdup(s), *to = raw;
    for (const char *p = s; *p; to++) {
        unsigned byte = escaped_byte(p);
        *to = byte ? (char)byte : *p;
        p += byte ? 4 : 1;
    }
    *to = 0;
    return raw;
}
