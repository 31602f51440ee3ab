/* onnx.h - ONNX files, read and written; only this wing knows protobuf. */
#ifndef TERNC_ONNX_H
#define TERNC_ONNX_H

#include "graph/options.h"

/* ---- onnx_read.c, onnx_tensor.c, onnx_write.c ---- */

Model *onnx_read(const char *path, const Options *opt);
/* path: for messages */
Model *onnx_read_memory(const char *path, const uint8_t *data, size_t len, const Options *opt);
void onnx_write(const Model *m, const char *path); /* IR 8, opset 17; codes of 16 bits: com.microsoft */
Tensor *onnx_read_tensor(const char *path);        /* a TensorProto file (.pb) as a constant tensor */

#endif
