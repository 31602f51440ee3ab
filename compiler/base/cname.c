/* cname.c - names that generated C may start its identifiers with. */
#include "base/base.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

/* Whatever the case: macros begin with the name in capitals, and there are file systems to which it is all
 * one. */
static bool is_keyword(const char *s)
{
    static const char *const words[] = {
#include "base/keywords.def"
    };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (!strcasecmp(s, words[i]))
            return true;
    return false;
}

static bool is_identifier(const char *s)
{
    if (!isalpha((unsigned char)s[0]))
        return false;
    for (; *s; s++)
        if (!isalnum((unsigned char)*s) && *s != '_')
            return false;
    return true;
}

bool is_c_name(const char *s)
{
    return is_identifier(s) && !is_keyword(s);
}

const char *model_id(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *id = mem_printf("net_%s", slash ? slash + 1 : path);
    char *dot = strrchr(id, '.');
    if (dot)
        *dot = 0;
    size_t len = 4;
    for (const char *s = id + 4; *s; s++)
        if (isalnum((unsigned char)*s))
            id[len++] = *s;
        else if (id[len - 1] != '_')
            id[len++] = '_';
    while (len > 3 && id[len - 1] == '_')
        len--;
    id[len] = 0;
    if (len == 3)
        return id;
    return is_c_name(id + 4) ? id + 4 : id;
}

const char *macro_prefix(const char *id)
{
    char *copy = mem_strdup(id);
    for (char *p = copy; *p; p++)
        *p = (char)toupper((unsigned char)*p);
    return copy;
}
