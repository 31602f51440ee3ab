/* onnx_write.c - a Model as an ONNX file: IR version 8, opset 17, names as they were, constants as
 * initializers with raw_data, the types of all edges as value_info. The same model gives the same bytes.
 * Weights go straight from their memory to the file. QuantizeLinear and DequantizeLinear of 16 bits, which
 * ONNX has since opset 21, are those of com.microsoft, which onnxruntime has for any opset.
 *
 * Requires: the form that upgrade gives and no fused layers (OP_Layer is no operator of ONNX). */
#include "base/out_file.h"
#include "graph/op.h"
#include "onnx/onnx.h"
#include "onnx/onnx_proto.h"
#include "ops/flow.h"

#include <errno.h>
#include <string.h>

enum { IR_VERSION = 8, OPSET = 17 };
#define WORDS_DOMAIN "com.microsoft"

/* ---- types and tensors ---- */

static Onnx__TensorShapeProto *make_shape(Type t)
{
    if (t.rank < 0)
        return NULL;
    Onnx__TensorShapeProto *s = NEW(Onnx__TensorShapeProto);
    onnx__tensor_shape_proto__init(s);
    s->n_dim = (size_t)t.rank;
    s->dim = NEW_ARRAY(Onnx__TensorShapeProto__Dimension *, t.rank);
    for (int i = 0; i < t.rank; i++) {
        Onnx__TensorShapeProto__Dimension *d = s->dim[i] = NEW(Onnx__TensorShapeProto__Dimension);
        onnx__tensor_shape_proto__dimension__init(d);
        if (t.dims[i] < 0)
            continue;
        d->value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
        d->dim_value = t.dims[i];
    }
    return s;
}

static Onnx__ValueInfoProto *make_value_info(const Tensor *t)
{
    Onnx__TypeProto__Tensor *tensor = NEW(Onnx__TypeProto__Tensor);
    onnx__type_proto__tensor__init(tensor);
    tensor->has_elem_type = t->type.dtype != DT_NONE;
    tensor->elem_type = (int32_t)dtype_to_onnx(t->type.dtype);
    tensor->shape = make_shape(t->type);
    Onnx__TypeProto *type = NEW(Onnx__TypeProto);
    onnx__type_proto__init(type);
    type->value_case = ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE;
    type->tensor_type = tensor;
    Onnx__ValueInfoProto *v = NEW(Onnx__ValueInfoProto);
    onnx__value_info_proto__init(v);
    v->name = (char *)t->name;
    v->type = type;
    return v;
}

static Onnx__ValueInfoProto **make_value_infos(Tensor *const *list, int count)
{
    Onnx__ValueInfoProto **v = NEW_ARRAY(Onnx__ValueInfoProto *, count);
    for (int i = 0; i < count; i++)
        v[i] = make_value_info(list[i]);
    return v;
}

static Onnx__TensorProto *make_tensor(const Tensor *t, const char *name)
{
    Onnx__TensorProto *p = NEW(Onnx__TensorProto);
    onnx__tensor_proto__init(p);
    int64_t *dims = NEW_ARRAY(int64_t, t->type.rank);
    for (int i = 0; i < t->type.rank; i++)
        dims[i] = t->type.dims[i];
    p->n_dims = (size_t)t->type.rank;
    p->dims = dims;
    p->has_data_type = 1;
    p->data_type = (int32_t)dtype_to_onnx(t->type.dtype);
    p->name = (char *)name;
    p->has_raw_data = 1;
    p->raw_data.len = type_bytes(t->type);
    p->raw_data.data = (uint8_t *)t->data;
    return p;
}

/* ---- nodes ---- */

static ProtobufCBinaryData bytes_of(const char *s)
{
    const char *raw = raw_text(s);
    return (ProtobufCBinaryData){strlen(raw), (uint8_t *)raw};
}

static ProtobufCBinaryData *make_strings(const Attr *a)
{
    ProtobufCBinaryData *s = NEW_ARRAY(ProtobufCBinaryData, a->count);
    for (int i = 0; i < a->count; i++)
        s[i] = bytes_of(a->strings[i]);
    return s;
}

static void add_nodes(Onnx__GraphProto *p, const Graph *g, int from, int to);

/* A graph without its constants, or a body, whose constants are initializers of the graph around it. */
static Onnx__GraphProto *make_body(const Graph *g)
{
    Onnx__GraphProto *p = NEW(Onnx__GraphProto);
    onnx__graph_proto__init(p);
    p->name = (char *)(g->name && g->name[0] ? g->name : "graph");
    p->n_input = (size_t)g->num_inputs;
    p->input = make_value_infos(g->inputs, g->num_inputs);
    p->n_output = (size_t)g->num_outputs;
    p->output = make_value_infos(g->outputs, g->num_outputs);
    add_nodes(p, g, 0, g->num_nodes);
    return p;
}

static const Onnx__AttributeProto__AttributeType attr_types[] = {
    [ATTR_INT] = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT,
    [ATTR_FLOAT] = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT,
    [ATTR_STRING] = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRING,
    [ATTR_TENSOR] = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__TENSOR,
    [ATTR_INTS] = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS,
    [ATTR_FLOATS] = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOATS,
    [ATTR_STRINGS] = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRINGS,
    [ATTR_GRAPH] = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__GRAPH,
    [ATTR_OTHER] = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__UNDEFINED,
};

static void set_value(Onnx__AttributeProto *p, const Attr *a)
{
    p->type = attr_types[a->type];
    switch (a->type) {
    case ATTR_INT:
        p->has_i = 1;
        p->i = a->i;
        return;
    case ATTR_FLOAT:
        p->has_f = 1;
        p->f = a->f;
        return;
    case ATTR_STRING:
        p->has_s = 1;
        p->s = bytes_of(a->s);
        return;
    case ATTR_TENSOR: p->t = make_tensor(a->t, a->t->name); return;
    case ATTR_INTS:
        p->n_ints = (size_t)a->count;
        p->ints = (int64_t *)a->ints;
        return;
    case ATTR_FLOATS:
        p->n_floats = (size_t)a->count;
        p->floats = (float *)a->floats;
        return;
    case ATTR_STRINGS:
        p->n_strings = (size_t)a->count;
        p->strings = make_strings(a);
        return;
    case ATTR_GRAPH: p->g = make_body(a->graph); return;
    case ATTR_OTHER: break;
    }
    bug("attribute '%s' cannot be written", a->name);
}

static Onnx__AttributeProto *make_attr(const Attr *a)
{
    Onnx__AttributeProto *p = NEW(Onnx__AttributeProto);
    onnx__attribute_proto__init(p);
    p->name = (char *)a->name;
    p->has_type = 1;
    set_value(p, a);
    return p;
}

static char **make_names(Tensor *const *list, int count)
{
    char **names = NEW_ARRAY(char *, count);
    for (int i = 0; i < count; i++)
        names[i] = (char *)(list[i] ? list[i]->name : "");
    return names;
}

static bool has_words(const Node *n)
{
    if (n->op == OP_QuantizeLinear)
        return n->out[0]->type.dtype == DT_I16;
    return n->op == OP_DequantizeLinear && n->in[0]->type.dtype == DT_I16;
}

static Onnx__NodeProto *make_node(const Node *n)
{
    if (op_def(n->op)->internal || n->domain[0])
        bug("operator %s cannot be written", n->op_name);
    Onnx__NodeProto *p = NEW(Onnx__NodeProto);
    onnx__node_proto__init(p);
    p->name = n->name && n->name[0] ? (char *)n->name : NULL;
    p->op_type = (char *)n->op_name;
    p->domain = has_words(n) ? (char *)WORDS_DOMAIN : NULL;
    p->n_input = (size_t)n->num_in;
    p->input = make_names(n->in, n->num_in);
    p->n_output = (size_t)n->num_out;
    p->output = make_names(n->out, n->num_out);
    p->n_attribute = (size_t)n->num_attrs;
    p->attribute = NEW_ARRAY(Onnx__AttributeProto *, n->num_attrs);
    for (int i = 0; i < n->num_attrs; i++)
        p->attribute[i] = make_attr(&n->attrs[i]);
    return p;
}

/* ---- loops ---- */

static int find_end(const Graph *g, int begin)
{
    int i = begin;
    for (int depth = 1; depth;) {
        i++;
        depth += (g->nodes[i]->op == OP_LoopBegin) - (g->nodes[i]->op == OP_LoopEnd);
    }
    return i;
}

/* A name that no tensor has. */
static const char *new_name(const Graph *g, const char *base, const char *what)
{
    return graph_free_name(g, mem_printf("%s_%s", base, what), 2);
}

/* Outputs of a body must be made in it: each is a copy. */
static void add_output(Onnx__GraphProto *p, const Graph *g, const char *from, const Tensor *like)
{
    Onnx__NodeProto *copy = NEW(Onnx__NodeProto);
    onnx__node_proto__init(copy);
    Onnx__ValueInfoProto *v = make_value_info(like);
    v->name = (char *)new_name(g, like->name, "next");
    copy->op_type = (char *)"Identity";
    copy->n_input = copy->n_output = 1;
    copy->input = NEW(char *);
    copy->output = NEW(char *);
    copy->input[0] = (char *)from;
    copy->output[0] = v->name;
    p->node[p->n_node++] = copy;
    p->output[p->n_output++] = v;
}

static Onnx__GraphProto *make_loop_body(const Graph *g, int from, int to)
{
    const Node *begin = g->nodes[from], *end = g->nodes[to];
    int states = loop_states(begin);
    Tensor go = {.name = new_name(g, begin->out[0]->name, "go"), .type = type_make(DT_BOOL, 0, NULL)};
    Onnx__GraphProto *p = NEW(Onnx__GraphProto);
    onnx__graph_proto__init(p);
    p->name = (char *)"body";
    p->n_input = (size_t)states + 2;
    p->input = NEW_ARRAY(Onnx__ValueInfoProto *, states + 2);
    p->output = NEW_ARRAY(Onnx__ValueInfoProto *, states + 1);
    for (int k = 0; k < states + 1; k++)
        p->input[k ? k + 1 : 0] = make_value_info(begin->out[k]);
    p->input[1] = make_value_info(&go);
    add_nodes(p, g, from + 1, to);
    add_output(p, g, end->in[0] ? end->in[0]->name : go.name, &go);
    for (int k = 0; k < states; k++)
        add_output(p, g, loop_next(end, k)->name, begin->out[1 + k]);
    return p;
}

/* The nodes [from, to] as one Loop. */
static Onnx__NodeProto *make_loop(const Graph *g, int from, int to)
{
    const Node *begin = g->nodes[from], *end = g->nodes[to];
    Node loop = *begin;
    loop.op = OP_Loop;
    loop.op_name = op_def(OP_Loop)->name;
    loop.out = end->out;
    loop.num_out = end->num_out;
    Onnx__NodeProto *p = make_node(&loop);
    Onnx__AttributeProto *body = NEW(Onnx__AttributeProto);
    onnx__attribute_proto__init(body);
    body->name = (char *)"body";
    body->has_type = 1;
    body->type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__GRAPH;
    body->g = make_loop_body(g, from, to);
    p->n_attribute = 1;
    p->attribute = NEW(Onnx__AttributeProto *);
    p->attribute[0] = body;
    return p;
}

/* Nodes [from, to), with room for some more. */
static void add_nodes(Onnx__GraphProto *p, const Graph *g, int from, int to)
{
    int room = (int)p->n_input + 2;
    p->node = NEW_ARRAY(Onnx__NodeProto *, to - from + room);
    for (int i = from; i < to; i++) {
        int end = g->nodes[i]->op == OP_LoopBegin ? find_end(g, i) : i;
        p->node[p->n_node++] = end > i ? make_loop(g, i, end) : make_node(g->nodes[i]);
        i = end;
    }
}

/* ---- graph and model ---- */

static void add_initializers(Onnx__GraphProto *p, const Graph *g, const int *uses)
{
    p->initializer = NEW_ARRAY(Onnx__TensorProto *, g->num_tensors);
    for (int i = 0; i < g->num_tensors; i++)
        if (g->tensors[i]->data && uses[i])
            p->initializer[p->n_initializer++] = make_tensor(g->tensors[i], g->tensors[i]->name);
}

/* The types of the edges that are neither constants nor inputs or outputs, in execution order. */
static void add_value_infos(Onnx__GraphProto *p, const Graph *g)
{
    const bool *is_output = graph_mark_outputs(g);
    p->value_info = NEW_ARRAY(Onnx__ValueInfoProto *, g->num_tensors);
    for (int i = 0; i < g->num_nodes; i++) {
        if (g->nodes[i]->op == OP_LoopBegin)
            i = find_end(g, i);
        for (int k = 0; k < g->nodes[i]->num_out; k++) {
            const Tensor *t = g->nodes[i]->out[k];
            if (t && t->type.dtype != DT_NONE && !is_output[t->id])
                p->value_info[p->n_value_info++] = make_value_info(t);
        }
    }
}

static Onnx__GraphProto *make_graph(const Graph *g)
{
    Onnx__GraphProto *p = make_body(g);
    add_initializers(p, g, graph_use_counts(g));
    add_value_infos(p, g);
    return p;
}

static void add_metadata(Onnx__ModelProto *p, const Model *m)
{
    p->n_metadata_props = (size_t)m->num_metadata;
    p->metadata_props = NEW_ARRAY(Onnx__StringStringEntryProto *, m->num_metadata);
    for (int i = 0; i < m->num_metadata; i++) {
        Onnx__StringStringEntryProto *e = p->metadata_props[i] = NEW(Onnx__StringStringEntryProto);
        onnx__string_string_entry_proto__init(e);
        e->key = (char *)m->metadata[i].key;
        e->value = (char *)m->metadata[i].value;
    }
}

static void import_domain(Onnx__ModelProto *p, const char *domain, int64_t version)
{
    Onnx__OperatorSetIdProto *o = p->opset_import[p->n_opset_import++] = NEW(Onnx__OperatorSetIdProto);
    onnx__operator_set_id_proto__init(o);
    o->domain = (char *)domain;
    o->has_version = 1;
    o->version = version;
}

static Onnx__ModelProto *make_model(const Model *m)
{
    Onnx__ModelProto *p = NEW(Onnx__ModelProto);
    onnx__model_proto__init(p);
    p->has_ir_version = 1;
    p->ir_version = IR_VERSION;
    p->producer_name = (char *)"ternc";
    p->opset_import = NEW_ARRAY(Onnx__OperatorSetIdProto *, 2);
    import_domain(p, "", OPSET);
    for (int i = 0; i < m->graph->num_nodes && p->n_opset_import == 1; i++)
        if (has_words(m->graph->nodes[i]))
            import_domain(p, WORDS_DOMAIN, 1);
    add_metadata(p, m);
    p->graph = make_graph(m->graph);
    return p;
}

typedef struct FileBuffer {
    ProtobufCBuffer base; /* first: protobuf-c sees only this */
    OutFile *out;
} FileBuffer;

static void append_to_file(ProtobufCBuffer *buffer, size_t len, const uint8_t *data)
{
    const OutFile *out = ((const FileBuffer *)buffer)->out;
    if (len && fwrite(data, 1, len, out->f) != len)
        fail("%s: cannot write: %s", shown_text(out->path), strerror(errno));
}

void onnx_write(const Model *m, const char *path)
{
    Onnx__ModelProto *p = make_model(m);
    onnx_turn_strings(&p->base, raw_text);
    FileBuffer to = {{append_to_file}, out_open(path)};
    protobuf_c_message_pack_to_buffer(&p->base, &to.base);
    out_commit(to.out);
}
