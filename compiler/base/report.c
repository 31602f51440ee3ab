/* report.c - what commands tell people: aligned tables, numbers and cut texts. */
#include "base/host.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_COLUMNS = 16 };

struct Table {
    int columns, rows, cap;
    bool right[MAX_COLUMNS];
    int width[MAX_COLUMNS];
    const char *(*cells)[MAX_COLUMNS]; /* row 0: headings */
};

/* Columns on a terminal, not bytes: continuation bytes of UTF-8 take no place. */
static int text_width(const char *s)
{
    int n = 0;
    for (; *s; s++)
        n += ((unsigned char)*s & 0xc0) != 0x80;
    return n;
}

static void add_cells(Table *t, char *line)
{
    if (t->rows == t->cap) {
        t->cap = t->cap ? 2 * t->cap : 32;
        const char *(*more)[MAX_COLUMNS] = mem_array(t->cap, sizeof *more);
        if (t->rows)
            memcpy(more, t->cells, (size_t)t->rows * sizeof *more);
        t->cells = more;
    }
    for (int i = 0; i < t->columns; i++) {
        const char *cell = strsep(&line, "\t");
        if (!cell)
            bug("a table row of %d cells, not %d", i, t->columns);
        t->cells[t->rows][i] = cell;
        if (text_width(cell) > t->width[i])
            t->width[i] = text_width(cell);
    }
    t->rows++;
}

Table *table_new(const char *headings)
{
    Table *t = NEW(Table);
    char *rest = mem_strdup(headings), *cells = NEW_ARRAY(char, (int64_t)strlen(headings) + 1), *end = cells;
    for (char *heading; (heading = strsep(&rest, "\t")); t->columns++) {
        t->right[t->columns] = heading[0] == '>';
        end = stpcpy(stpcpy(end, t->columns ? "\t" : ""), heading + t->right[t->columns]);
    }
    add_cells(t, cells);
    return t;
}

void table_row(Table *t, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    char *line;
    if (vasprintf(&line, fmt, ap) < 0)
        fail("out of memory");
    va_end(ap);
    add_cells(t, mem_strdup(line));
    free(line);
}

void table_print(const Table *t, FILE *f)
{
    for (int r = 0; r < t->rows; r++)
        for (int i = 0; i < t->columns; i++) {
            const char *cell = t->cells[r][i];
            int pad = t->width[i] - text_width(cell);
            if (t->right[i])
                fprintf(f, "%*s%s", pad, "", cell);
            else if (i < t->columns - 1)
                fprintf(f, "%s%*s", cell, pad, "");
            else
                fprintf(f, "%s", cell);
            fprintf(f, "%s", i < t->columns - 1 ? "  " : "\n");
        }
}

const char *count_text(int64_t n)
{
    char digits[32], out[48];
    int len = snprintf(digits, sizeof digits, "%lld", (long long)n), k = 0;
    for (int i = 0; i < len; i++) {
        out[k++] = digits[i];
        if ((len - i) % 3 == 1 && i < len - 1 && digits[i] != '-')
            out[k++] = ',';
    }
    out[k] = 0;
    return mem_strdup(out);
}

const char *short_text(const char *s, int bytes)
{
    if (strlen(s) <= (size_t)bytes)
        return s;
    int n = bytes - 3;
    while (n > 0 && ((unsigned char)s[n] & 0xc0) == 0x80)
        n--;
    return mem_printf("%.*s...", n, s);
}

const char *xml_text(const char *s)
{
    Text t = {0};
    for (; *s; s++)
        switch (*s) {
        case '<': text_printf(&t, "&lt;"); break;
        case '>': text_printf(&t, "&gt;"); break;
        case '&': text_printf(&t, "&amp;"); break;
        case '"': text_printf(&t, "&quot;"); break;
        default: text_add(&t, s, 1);
        }
    return text_take(&t);
}
