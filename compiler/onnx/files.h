/* files.h - tensors in files, .npy or .pb, as the command line names them. */
#ifndef TERNC_FILES_H
#define TERNC_FILES_H

#include "graph/ir.h"

Tensor *read_tensor_file(const char *path); /* either */

/* Inputs or outputs of a model, as the command line names them. */
typedef struct Edges {
    const char *option; /* "input", "output": for messages */
    Tensor *const *items;
    int count;
} Edges;
/* The path for each edge out of "NAME=PATH" and, in order of what is left, "PATH"; NULL for an edge without
 * one. */
const char **assign_paths(const Graph *g, const Edges *e, Strings given);
/* The values of all inputs from .npy or .pb files (--input). Fails unless each has one of its own type. */
const void **read_inputs(const Graph *g, Strings given);

#endif
