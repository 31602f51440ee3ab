/* text.h - graphs as text: what dump_graph prints, and the reader of it. */
#ifndef TERNC_TESTS_TEXT_H
#define TERNC_TESTS_TEXT_H

#include "graph/ir.h"

Model *text_read(const char *path, const char *text); /* fails with path:line */
char *dump_text(const Graph *g);                      /* what dump_graph prints */

#endif
