/* target_names.c - machines by their names, and the names that are near to a wrong one. */
#include "layers/layers.h"

#include <ctype.h>
#include <string.h>

enum { MOST_EDITS = 2, MOST_NEAR = 4, LEAST_PART = 3 };

char *target_words(const Target *m)
{
    return mem_printf("%s%s%s", m->name, m->aliases[0] ? " " : "", m->aliases);
}

/* Whether the words, with a space between two, have this one. */
static bool has_word(const char *words, const char *word)
{
    size_t len = strlen(word);
    for (; *words; words += strcspn(words, " "), words += *words == ' ')
        if (strcspn(words, " ") == len && !strncasecmp(words, word, len))
            return true;
    return false;
}

const Target *find_target(const char *name)
{
    for (const Target *m = target_table; m < target_table + num_targets; m++)
        if (!strcasecmp(m->name, name) || has_word(m->aliases, name))
            return m;
    return NULL;
}

const Core *find_core(const char *name)
{
    const Target *m = find_target(name ? name : "generic");
    if (!m)
        bug("there is no target '%s'", name);
    return m->core;
}

static int min_int(int a, int b)
{
    return a < b ? a : b;
}

/* The least number of letters put in, left out or changed that make b of a. */
static int count_edits(const char *a, const char *b)
{
    int len = (int)strlen(b), *edits = NEW_ARRAY(int, len + 1); /* from the start of a to each start of b */
    for (int k = 0; k <= len; k++)
        edits[k] = k;
    for (int i = 0; a[i]; i++) {
        int before = edits[0]++;
        for (int k = 0; k < len; k++) {
            int changed = before + (tolower((unsigned char)a[i]) != tolower((unsigned char)b[k]));
            before = edits[k + 1];
            edits[k + 1] = min_int(changed, 1 + min_int(before, edits[k]));
        }
    }
    return edits[len];
}

/* Edits from a name to a word; 1 where one is a part of the other. */
static int distance(const char *name, const char *word)
{
    bool part = strlen(name) >= LEAST_PART && strcasestr(word, name);
    bool whole = strlen(word) >= LEAST_PART && strcasestr(name, word);
    return part || whole ? 1 : count_edits(name, word);
}

/* A machine's first word at this distance, or NULL if none is or one is nearer. */
static const char *word_at(const Target *m, const char *name, int wanted)
{
    const char *found = NULL;
    char *rest = target_words(m);
    for (char *word; (word = strsep(&rest, " "));) {
        int d = distance(name, word);
        if (d < wanted)
            return NULL;
        if (d == wanted && !found)
            found = word;
    }
    return found;
}

const char *near_targets(const char *name)
{
    Text t = {0};
    int count = 0, most = min_int(MOST_EDITS, 1 + (int)strlen(name) / 4);
    for (int edits = 1; edits <= most; edits++)
        for (const Target *m = target_table; m < target_table + num_targets && count < MOST_NEAR; m++) {
            const char *word = word_at(m, name, edits);
            if (word)
                text_printf(&t, "%s%s", count++ ? ", " : "; near ones: ", word);
        }
    return text_take(&t);
}
