/* onnx_proto.h - what the onnx_*.c files share: the only ones that know protobuf. */
#ifndef TERNC_ONNX_PROTO_H
#define TERNC_ONNX_PROTO_H

#include "graph/options.h"

#include <onnx/onnx.pb-c.h>

/* ---- onnx_scan.c ---- */

/* The message in data, checked and unpacked into the arena: a copy, data may go. Fails naming path. */
void *onnx_unpack(const char *path, const ProtobufCMessageDescriptor *d, const uint8_t *data, size_t len);
/* Fields that are newer than the schema. The content of the first, or of the next behind `from`; NULL: no
 * more. */
const ProtobufCMessageUnknownField *onnx_new_field(const ProtobufCMessage *m, uint32_t tag,
                                                   const ProtobufCMessageUnknownField *from);
const char *onnx_new_text(const ProtobufCMessage *m, uint32_t tag); /* "" when it is absent */
void *onnx_new_message(const ProtobufCMessageUnknownField *f, const ProtobufCMessageDescriptor *d);

/* ---- onnx_strings.c ---- */

/* Every string of the message, and of those in it, turned by shown_text or raw_text. */
typedef const char *StringTurn(const char *s);
void onnx_turn_strings(ProtobufCMessage *m, StringTurn *turn);

/* ---- onnx_text.c ---- */

/* What a tensor is, for messages: "FILE: initializer 'w'". */
typedef struct Place {
    const char *file, *what, *name;
} Place;

typedef struct Function Function;

_Noreturn void fail_tensor(const Place *at, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
const char *text_or_empty(const char *s);
const char *plain_domain(const char *domain);
const char *node_text(const Onnx__NodeProto *n); /* "node 'NAME' (OP)" */
/* The version of ai.onnx among them; 0: none is named. */
int64_t onnx_opset(const char *file, Onnx__OperatorSetIdProto *const *sets, size_t count);
/* The tensor part of a declared type; fails on sequences, maps and the like. NULL: no type. */
const Onnx__TypeProto__Tensor *onnx_tensor_type(const Place *at, const Onnx__ValueInfoProto *v);
bool onnx_declares(const Function *f, const char *attribute);

/* ---- onnx_tensor.c, onnx_external.c ---- */

/* The element type of a file; bfloat16 is read as float. Fails on those that ternc does not have. */
DType onnx_dtype(const Place *at, int32_t number);
/* A constant tensor, of no graph yet. Its data are those of p where the encoding allows. */
Tensor *onnx_decode_tensor(const Place *at, const Onnx__TensorProto *p);
/* The elements of a tensor of type t in another file. */
const uint8_t *onnx_external_data(const Place *at, const Onnx__TensorProto *p, Type t);

/* ---- onnx_read.c ---- */

typedef struct Symbol {
    const char *name;
    bool missing; /* nothing says how large it is */
} Symbol;

typedef struct OnnxReader {
    const char *file;
    const Options *opt;
    const Onnx__GraphProto *p;
    Graph *g;
    Names found; /* symbolic dimensions of inputs: those of --const values, and batches, taken as 1 */
    int64_t *found_values; /* by their numbers */
    int num_found;
    int num_given;   /* tensors below this id are --const values */
    bool *dim_used;  /* by index in opt->dims */
    Symbol *symbols; /* the dimensions of inputs that are no numbers, in order of appearance */
    int num_symbols, cap_symbols;
    Function *functions; /* of the model */
    int num_functions;
    Names function_names; /* index in functions */
    int num_own;          /* tensors below this id have the names of the model's graph itself */
    int *maker;           /* by tensor id, for onnx_order.c: node + 1; 0 between its calls */
    int cap_maker;        /* of maker */
    int inlined;          /* nodes that came from functions so far */
    size_t inlined_bytes; /* of the functions, as often as they are called */
} OnnxReader;

/* ---- onnx_functions.c ---- */

/* A function of the model. */
struct Function {
    const Onnx__FunctionProto *p;
    const char *domain, *name, *overload;
    int64_t opset; /* of ai.onnx; 0: it names none */
    size_t bytes;  /* packed */
    Onnx__AttributeProto **defaults;
    int num_defaults;
};

/* A function that is being inlined. */
typedef struct FunctionCall {
    const Function *f;
    const Node *node;                 /* the call, with its attributes */
    const struct FunctionCall *outer; /* NULL: called by the model's graph */
} FunctionCall;

void onnx_read_functions(OnnxReader *r, const Onnx__ModelProto *p);
const Function *onnx_find_function(const OnnxReader *r, const Onnx__NodeProto *n);
/* Fails on recursion, and when functions make too many nodes. */
void onnx_check_call(OnnxReader *r, const FunctionCall *c);

/* ---- onnx_nodes.c ---- */

typedef struct Scope Scope;

/* The nodes of the model's graph, in execution order. */
void onnx_read_nodes(OnnxReader *r);
/* The tensor of that name in the model's graph; NULL: none. */
Tensor *onnx_find(const OnnxReader *r, const char *name);
/* The graph in an attribute of a node in scope s. */
Graph *onnx_read_body(OnnxReader *r, const Scope *s, const Onnx__GraphProto *p);
/* The call that the nodes of s come from; NULL: none. */
const FunctionCall *onnx_call_of(const Scope *s);
/* ---- onnx_attrs.c ---- */

/* `to` gets the attributes of n; those that refer to a function's are resolved or left out. */
void onnx_read_attrs(OnnxReader *r, const Scope *s, Node *to, const Onnx__NodeProto *n);

/* ---- onnx_order.c ---- */

/* The nodes in an order in which every one stands behind those it reads from, also inside of its bodies; an
 * order that is right stays. Fails on cycles. */
Node **onnx_order(OnnxReader *r, Node *const *all, int count);

#endif
