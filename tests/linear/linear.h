/* linear.h - models of many nodes, one kind at a time, written as ONNX files. */
#ifndef TERNC_TESTS_LINEAR_H
#define TERNC_TESTS_LINEAR_H

#include "base/base.h"

/* A graph that grows, as protobuf has it; one call adds a message to it. */
typedef struct Big {
    Text graph, model; /* fields of GraphProto; those of ModelProto beside the graph */
} Big;

/* ---- wire.c ---- */

const char *numbered(const char *start, int i); /* "x7" */
/* Names are separated by spaces, a single "-" is one left out. An attribute is "name=3", "name=0.5",
 * "name=[1,2]" or "name='text'". */
void add_node(Big *b, const char *op, const char *in, const char *out, const char *attrs);
/* The same with a graph, the value of all attributes in `graphs`; body is freed. */
void add_flow(Big *b, const char *op, const char *in, const char *out, const char *graphs, const char *attrs,
              Text *body);
/* Names of any length, of which there can be many. */
void add_wide(Big *b, const char *op, Text *in, Text *out, const char *attrs);
/* Float tensors of -1, 0, 1, 2, 3, -1 and so on; dims are "2,3", "" for a single number. */
void add_weights(Big *b, const char *name, const char *dims);
/* count floats of a file beside the model, from the offset on */
void add_external(Big *b, const char *name, int count, int64_t offset, const char *file);
void add_ints(Big *b, const char *name, const char *dims, const char *values);
/* type is the number of ONNX; dims NULL: no shape. A word among them is a symbol. */
void add_input(Big *b, const char *name, int type, const char *dims);
void add_output(Big *b, const char *name, int type, const char *dims);
void add_value_info(Big *b, const char *name, int type, const char *dims);
void add_metadata(Big *b, const char *key, const char *value);
void add_opset(Big *b, const char *domain, int version);
/* A function of the domain "f": y = Relu(x). */
void add_function(Big *b, const char *name);
void write_model(Big *b, const char *path);

/* ---- kinds*.c ---- */

typedef struct Kind {
    const char *name;
    void (*make)(Big *b, int n);
    int code;    /* of ternc */
    bool layers; /* has some, so that inspect is tested as well */
    bool codes;  /* has inputs or outputs that are quantised: compiled with --io int8 as well */
} Kind;

extern const Kind kinds[];
extern const int num_kinds;

#endif
