/* names.c - a table of names, each with a number: FNV-1a, then open addressing. */
#include "base/base.h"

#include <string.h>

/* The place of the name, or the free place where it belongs. */
static int name_place(const Names *t, const char *name)
{
    uint32_t h = 2166136261u;
    for (const char *p = name; *p; p++)
        h = (h ^ (uint8_t)*p) * 16777619u;
    uint32_t mask = (uint32_t)t->cap - 1, at = (h ^ h >> 15) & mask;
    while (t->keys[at] && strcmp(t->keys[at], name) != 0)
        at = (at + 1) & mask;
    return (int)at;
}

static void grow(Names *t)
{
    Names larger = {.count = t->count, .cap = t->cap ? 2 * t->cap : 16};
    larger.keys = NEW_ARRAY(const char *, larger.cap);
    larger.numbers = NEW_ARRAY(int, larger.cap);
    for (int i = 0; i < t->cap; i++) {
        int at = t->keys[i] ? name_place(&larger, t->keys[i]) : 0;
        if (!t->keys[i])
            continue;
        larger.keys[at] = t->keys[i];
        larger.numbers[at] = t->numbers[i];
    }
    *t = larger;
}

int names_find(const Names *t, const char *name)
{
    int at = t->cap ? name_place(t, name) : 0;
    return t->cap && t->keys[at] ? t->numbers[at] : -1;
}

void names_add(Names *t, const char *name, int number)
{
    if (2 * t->count >= t->cap)
        grow(t);
    int at = name_place(t, name);
    t->count += !t->keys[at];
    t->keys[at] = name;
    t->numbers[at] = number;
}
