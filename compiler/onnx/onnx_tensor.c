/* onnx_tensor.c - ONNX's TensorProto as a constant tensor: every encoding of the elements, used where they
 * lie when they have the right type and size there, also in another file (onnx_external.c). Strings, complex
 * and sparse tensors and segments are refused. */
#include "base/out_file.h"
#include "onnx/onnx.h"
#include "onnx/onnx_proto.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "raw_data is little-endian and used in place");

/* ---- types ---- */

/* The element types that ternc does not have. */
static const char *foreign_type(int32_t number)
{
    switch (number) {
    case 0: return "undefined";
    case 8: return "string";
    case 14: return "complex64";
    case 15: return "complex128";
    case 17: return "float8e4m3fn";
    case 18: return "float8e4m3fnuz";
    case 19: return "float8e5m2";
    case 20: return "float8e5m2fnuz";
    case 21: return "uint4";
    case 22: return "int4";
    case 23: return "float4e2m1";
    default: return "unknown";
    }
}

static bool is_bfloat16(int32_t number)
{
    return number == ONNX__TENSOR_PROTO__DATA_TYPE__BFLOAT16;
}

DType onnx_dtype(const Place *at, int32_t number)
{
    DType d = is_bfloat16(number) ? DT_F32 : dtype_from_onnx(number);
    if (d == DT_NONE)
        fail_tensor(at, "element type %d (%s) is not supported", number, foreign_type(number));
    return d;
}

static Type decode_type(const Place *at, const Onnx__TensorProto *p)
{
    if (p->n_dims > MAX_RANK)
        fail_tensor(at, "rank %zu is too large; at most %d is supported", p->n_dims, MAX_RANK);
    Type t = type_make(onnx_dtype(at, p->data_type), (int)p->n_dims, p->dims);
    for (int i = 0; i < t.rank; i++)
        if (t.dims[i] < 0)
            fail_tensor(at, "dimension %d is negative: %" PRId64, i, t.dims[i]);
    if (!type_fits(t))
        fail_tensor(at, "shape %s is too large; at most %d elements are supported", type_text(t), MAX_ELEMS);
    return t;
}

/* ---- elements ---- */

static void check_count(const Place *at, Type t, const char *field, size_t have)
{
    int64_t want = type_elems(t);
    if ((int64_t)have != want)
        fail_tensor(at, "%s needs %" PRId64 " elements, but %s has %zu", type_text(t), want, field, have);
}

/* float_data, int64_data and the like hold the elements as they are used. */
static const void *use_words(const Place *at, Type t, const char *field, const void *words, size_t count)
{
    check_count(at, t, field, count);
    return words;
}

static const void *narrow_int32(const Place *at, const Onnx__TensorProto *p, Type t, double low, double high)
{
    check_count(at, t, "int32_data", p->n_int32_data);
    void *data = mem_array((int64_t)p->n_int32_data, dtype_size(t.dtype));
    DType d = t.dtype == DT_F16 ? DT_U16 : t.dtype;
    for (size_t i = 0; i < p->n_int32_data; i++) {
        int32_t v = p->int32_data[i];
        if (v < low || v > high)
            fail_tensor(at, "element %zu is %d, which does not fit %s", i, v, dtype_name(t.dtype));
        elem_set(data, d, (int64_t)i, v);
    }
    return data;
}

static const void *narrow_uint64(const Place *at, const Onnx__TensorProto *p, Type t)
{
    check_count(at, t, "uint64_data", p->n_uint64_data);
    uint32_t *data = NEW_ARRAY(uint32_t, (int64_t)p->n_uint64_data);
    for (size_t i = 0; i < p->n_uint64_data; i++) {
        if (p->uint64_data[i] > UINT32_MAX)
            fail_tensor(at, "element %zu is %" PRIu64 ", which does not fit uint32", i, p->uint64_data[i]);
        data[i] = (uint32_t)p->uint64_data[i];
    }
    return data;
}

static const void *decode_typed(const Place *at, const Onnx__TensorProto *p, Type t)
{
    switch (t.dtype) {
    case DT_F32: return use_words(at, t, "float_data", p->float_data, p->n_float_data);
    case DT_F64: return use_words(at, t, "double_data", p->double_data, p->n_double_data);
    case DT_I32: return use_words(at, t, "int32_data", p->int32_data, p->n_int32_data);
    case DT_I64: return use_words(at, t, "int64_data", p->int64_data, p->n_int64_data);
    case DT_U64: return use_words(at, t, "uint64_data", p->uint64_data, p->n_uint64_data);
    case DT_U32: return narrow_uint64(at, p, t);
    case DT_I8: return narrow_int32(at, p, t, INT8_MIN, INT8_MAX);
    case DT_I16: return narrow_int32(at, p, t, INT16_MIN, INT16_MAX);
    case DT_U8: return narrow_int32(at, p, t, 0, UINT8_MAX);
    case DT_BOOL: return narrow_int32(at, p, t, 0, 1);
    case DT_U16:
    case DT_F16: return narrow_int32(at, p, t, 0, UINT16_MAX);
    case DT_NONE: break;
    }
    bug("element type %d", t.dtype);
}

static const void *check_bools(const Place *at, Type t, const uint8_t *data)
{
    if (t.dtype == DT_BOOL)
        for (size_t i = 0; i < type_bytes(t); i++)
            if (data[i] > 1)
                fail_tensor(at, "element %zu is %u, neither 0 nor 1", i, data[i]);
    return data;
}

static const void *decode_raw(const Place *at, const Onnx__TensorProto *p, Type t)
{
    if (p->raw_data.len != type_bytes(t))
        fail_tensor(at, "%s needs %zu bytes, but raw_data has %zu", type_text(t), type_bytes(t),
                    p->raw_data.len);
    return check_bools(at, t, p->raw_data.data);
}

static size_t count_typed(const Onnx__TensorProto *p)
{
    return p->n_float_data + p->n_double_data + p->n_int32_data + p->n_int64_data + p->n_uint64_data +
           p->n_string_data;
}

static const void *decode_elements(const Place *at, const Onnx__TensorProto *p, Type t)
{
    bool external = p->data_location == ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL;
    if (p->raw_data.len && count_typed(p))
        fail_tensor(at, "has elements in raw_data and in a typed field");
    if (external && (p->raw_data.len || count_typed(p)))
        fail_tensor(at, "has elements here and in another file");
    if (p->n_external_data && !external)
        fail_tensor(at, "names another file, but does not say that its elements are there (data_location)");
    if (external)
        return check_bools(at, t, onnx_external_data(at, p, t));
    return count_typed(p) ? decode_typed(at, p, t) : decode_raw(at, p, t);
}

/* bfloat16 is the upper half of a float. Its elements are read as uint16. */
static const void *decode_bfloat16(const Place *at, const Onnx__TensorProto *p, Type t)
{
    t.dtype = DT_U16;
    const uint16_t *half = decode_elements(at, p, t);
    int64_t n = type_elems(t);
    uint32_t *wide = NEW_ARRAY(uint32_t, n);
    for (int64_t i = 0; i < n; i++)
        wide[i] = (uint32_t)half[i] << 16;
    return wide;
}

Tensor *onnx_decode_tensor(const Place *at, const Onnx__TensorProto *p)
{
    if (p->segment)
        fail_tensor(at, "is a segment of a tensor, which is not supported");
    Tensor *t = NEW(Tensor);
    t->name = p->name ? p->name : "";
    t->arena_offset = -1;
    t->type = decode_type(at, p);
    t->data = is_bfloat16(p->data_type) ? decode_bfloat16(at, p, t->type) : decode_elements(at, p, t->type);
    if (!t->data) /* without elements there is no memory, but a constant has some */
        t->data = mem_alloc(1);
    return t;
}

Tensor *onnx_read_tensor(const char *path)
{
    size_t len;
    const uint8_t *data = file_map(path, &len);
    const Onnx__TensorProto *p = onnx_unpack(path, &onnx__tensor_proto__descriptor, data, len);
    Place at = {path, "tensor", p->name ? p->name : ""};
    Tensor *t = onnx_decode_tensor(&at, p);
    if (t->type.dtype == DT_F16)
        tensor_widen_half(t);
    return t;
}
