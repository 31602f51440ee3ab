/* onnx_build.c - small ONNX models, built with protobuf-c. */
#include "support/onnx_build.h"

#include <CUnit/Basic.h>
#include <string.h>

void *append(void ***list, size_t *n, void *item)
{
    void **more = NEW_ARRAY(void *, (int64_t)*n + 1);
    if (*n)
        memcpy(more, *list, *n * sizeof *more);
    more[(*n)++] = item;
    *list = more;
    return item;
}

Onnx__ValueInfoProto *make_value(const char *name, int rank, const int64_t *dims)
{
    Onnx__ValueInfoProto *v = NEW(Onnx__ValueInfoProto);
    onnx__value_info_proto__init(v);
    v->name = mem_strdup(name);
    v->type = NEW(Onnx__TypeProto);
    onnx__type_proto__init(v->type);
    v->type->value_case = ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE;
    Onnx__TypeProto__Tensor *t = v->type->tensor_type = NEW(Onnx__TypeProto__Tensor);
    onnx__type_proto__tensor__init(t);
    t->has_elem_type = 1;
    t->elem_type = 1;
    t->shape = NEW(Onnx__TensorShapeProto);
    onnx__tensor_shape_proto__init(t->shape);
    for (int i = 0; i < rank; i++) {
        Onnx__TensorShapeProto__Dimension *d = NEW(Onnx__TensorShapeProto__Dimension);
        onnx__tensor_shape_proto__dimension__init(d);
        d->value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
        d->dim_value = dims[i];
        APPEND(t->shape->dim, t->shape->n_dim, d);
    }
    return v;
}

Onnx__TensorShapeProto__Dimension *dim_of(Onnx__ValueInfoProto *v, int i)
{
    return v->type->tensor_type->shape->dim[i];
}

void set_symbol(Onnx__ValueInfoProto *v, int i, const char *name)
{
    dim_of(v, i)->value_case = name ? ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM
                                    : ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE__NOT_SET;
    dim_of(v, i)->dim_param = (char *)name;
}

Node_ *make_node(const char *op, const char *name, const char *in0, const char *in1, const char *out)
{
    Node_ *n = NEW(Node_);
    onnx__node_proto__init(n);
    n->op_type = mem_strdup(op);
    n->name = mem_strdup(name);
    APPEND(n->input, n->n_input, mem_strdup(in0));
    if (in1)
        APPEND(n->input, n->n_input, mem_strdup(in1));
    APPEND(n->output, n->n_output, mem_strdup(out));
    return n;
}

Attr_ *add_attr(Node_ *n, const char *name)
{
    Attr_ *a = NEW(Attr_);
    onnx__attribute_proto__init(a);
    a->name = mem_strdup(name);
    a->has_type = 1;
    a->type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT;
    a->has_i = 1;
    return APPEND(n->attribute, n->n_attribute, a);
}

Tensor_ *make_tensor(const char *name, int32_t type, int64_t count)
{
    Tensor_ *t = NEW(Tensor_);
    onnx__tensor_proto__init(t);
    t->name = mem_strdup(name);
    t->n_dims = 1;
    t->dims = NEW(int64_t);
    t->dims[0] = count;
    t->has_data_type = 1;
    t->data_type = type;
    return t;
}

void set_raw(Tensor_ *t, const void *data, size_t len)
{
    t->has_raw_data = 1;
    t->raw_data = (ProtobufCBinaryData){len, (uint8_t *)data};
}

const int64_t dims_2_4[2] = {2, 4};
const float ones[4] = {1, 2, 3, 4};

Model_ *make_model(void)
{
    Model_ *m = NEW(Model_);
    onnx__model_proto__init(m);
    m->has_ir_version = 1;
    m->ir_version = 7;
    Onnx__OperatorSetIdProto *o = NEW(Onnx__OperatorSetIdProto);
    onnx__operator_set_id_proto__init(o);
    o->has_version = 1;
    o->version = 13;
    APPEND(m->opset_import, m->n_opset_import, o);
    Onnx__GraphProto *g = m->graph = NEW(Onnx__GraphProto);
    onnx__graph_proto__init(g);
    g->name = mem_strdup("g");
    APPEND(g->input, g->n_input, make_value("x", 2, dims_2_4));
    APPEND(g->output, g->n_output, make_value("y", 2, dims_2_4));
    APPEND(g->initializer, g->n_initializer, make_tensor("w", 1, 4));
    set_raw(g->initializer[0], ones, sizeof ones);
    APPEND(g->node, g->n_node, make_node("Add", "sum", "x", "w", "s"));
    APPEND(g->node, g->n_node, make_node("Relu", "act", "s", NULL, "y"));
    return m;
}

const uint8_t *pack(const void *message, size_t *len)
{
    *len = protobuf_c_message_get_packed_size(message);
    uint8_t *data = mem_alloc(*len);
    protobuf_c_message_pack(message, data);
    return data;
}

Model *read_with(const Model_ *m, const Options *opt)
{
    size_t len;
    const uint8_t *data = pack(m, &len);
    return onnx_read_memory("m.onnx", data, len, opt);
}

const Options quiet = {.quiet = true};

const char *message_of(const Model_ *m, const Options *opt)
{
    static Trap t;
    if (CATCH(&t))
        return t.message;
    pass_upgrade(read_with(m, opt));
    trap_end();
    return "";
}

void expect_text(const char *have, const char *want)
{
    if (strcmp(have, want) != 0)
        fprintf(stderr, "have:\n%s\nwant:\n%s\n", have, want);
    CU_ASSERT_STRING_EQUAL(have, want);
}

const char *decode_message(const Tensor_ *p)
{
    Model_ *m = make_model();
    APPEND(m->graph->initializer, m->graph->n_initializer, (void *)p);
    return message_of(m, &quiet);
}

void set_int32(Tensor_ *t, int32_t a, int32_t b)
{
    t->n_int32_data = 2;
    t->int32_data = NEW_ARRAY(int32_t, 2);
    t->int32_data[0] = a;
    t->int32_data[1] = b;
}
