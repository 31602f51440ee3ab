/* dump_text.h - a graph as the text that dump_graph prints. */
#ifndef TERNC_TESTS_DUMP_TEXT_H
#define TERNC_TESTS_DUMP_TEXT_H

#include "graph/ir.h"

#include <stdio.h>
#include <stdlib.h>

static inline char *dump_text(const Graph *g)
{
    char *text;
    size_t len;
    FILE *f = open_memstream(&text, &len);
    dump_graph(f, g);
    fclose(f);
    char *copy = mem_strdup(text);
    free(text);
    return copy;
}

#endif
