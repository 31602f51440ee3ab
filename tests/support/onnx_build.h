/* onnx_build.h - small ONNX models, built with protobuf-c, that tests change and read. */
#ifndef TERNC_TESTS_ONNX_BUILD_H
#define TERNC_TESTS_ONNX_BUILD_H

#include "onnx/onnx.h"
#include "onnx/onnx_proto.h"
#include "passes/passes.h"

typedef Onnx__ModelProto Model_;
typedef Onnx__NodeProto Node_;
typedef Onnx__TensorProto Tensor_;
typedef Onnx__AttributeProto Attr_;

/* To a list of n pointers; returns the item. */
void *append(void ***list, size_t *n, void *item);
#define APPEND(list, n, item) append((void ***)(void *)&(list), &(n), item)

Onnx__ValueInfoProto *make_value(const char *name, int rank, const int64_t *dims); /* a float tensor */
Onnx__TensorShapeProto__Dimension *dim_of(Onnx__ValueInfoProto *v, int i);
void set_symbol(Onnx__ValueInfoProto *v, int i, const char *name); /* NULL: unknown, without a name */
Node_ *make_node(const char *op, const char *name, const char *in0, const char *in1,
                 const char *out);           /* in1 or NULL */
Attr_ *add_attr(Node_ *n, const char *name); /* int 0 */
Tensor_ *make_tensor(const char *name, int32_t type, int64_t count);
void set_raw(Tensor_ *t, const void *data, size_t len);
void set_int32(Tensor_ *t, int32_t a, int32_t b);

extern const int64_t dims_2_4[2];
extern const float ones[4]; /* 1, 2, 3, 4 */
Model_ *make_model(void);   /* x float[2,4], w float[4]; s = Add(x, w); y = Relu(s). */

extern const Options quiet;
const uint8_t *pack(const void *message, size_t *len);
Model *read_with(const Model_ *m, const Options *opt);
/* "" when it is read, else the message; also runs upgrade. */
const char *message_of(const Model_ *m, const Options *opt);
const char *decode_message(const Tensor_ *p); /* likewise, of make_model with this initializer more */
void expect_text(const char *have, const char *want);

#endif
