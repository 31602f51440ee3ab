/* onnx_proto.h - what the onnx_*.c files share: the only ones that know protobuf. */
#ifndef TERNC_ONNX_PROTO_H
#define TERNC_ONNX_PROTO_H

#include "ir.h"

#include <onnx/onnx.pb-c.h>

/* The message in data, checked and unpacked into the arena: a copy, data may go. Fails naming path. */
void *onnx_unpack(const char *path, const ProtobufCMessageDescriptor *d, const uint8_t *data, size_t len);

/* What a tensor is, for messages: "FILE: initializer 'w'". */
typedef struct Place {
    const char *file, *what, *name;
} Place;

/* The element type of a file; bfloat16 is read as float. Fails on those that ternc does not have. */
DType onnx_dtype(const Place *at, int32_t number);
/* A constant tensor, of no graph yet. Its data are those of p where the encoding allows. */
Tensor *onnx_decode_tensor(const Place *at, const Onnx__TensorProto *p);

#endif
