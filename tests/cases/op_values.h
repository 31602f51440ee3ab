/* op_values.h - a row of the case table as a graph, and values for its inputs: given or random. */
#ifndef TERNC_OP_VALUES_H
#define TERNC_OP_VALUES_H

#include "cases/op_cases.h"
#include "graph/op.h"
#include "passes/passes.h"

#include <CUnit/Basic.h>

#define CHECK(row, ok, ...)                                                                                  \
    do {                                                                                                     \
        bool good = (ok);                                                                                    \
        if (!good)                                                                                           \
            fprintf(stderr, "\n%s: %s\n", (row)->name, mem_printf(__VA_ARGS__));                             \
        CU_ASSERT(good);                                                                                     \
    } while (0)

Graph *load_row(const OpCase *row);
double draw_unit(uint64_t *state); /* 0 to 1, splitmix64 */
void fill_random(const OpCase *row, Type t, void *data, uint64_t *seed);
/* Reads as many numbers as t has elements, up to ';' or the end; returns what follows, NULL if there are
 * fewer or more. */
const char *parse_values(const char *s, Type t, void *data);

#endif
