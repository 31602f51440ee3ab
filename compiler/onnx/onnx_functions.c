/* onnx_functions.c - the functions that a model brings along: which there are, what attributes they take, and
 * bounds on what inlining them may cost. onnx_nodes.c inlines them. The overload of a function and the
 * defaults of its attributes are newer than the schema; they are read as unknown fields. Source: ONNX's IR
 * specification. */
#include "onnx/onnx_proto.h"

#include <string.h>

enum {
    NODE_OVERLOAD = 8,
    FUNCTION_DEFAULT = 11,
    FUNCTION_OVERLOAD = 13,
    MAX_DEPTH = 64,
    MAX_NODES = 1 << 18,
};
static const size_t max_bytes = (size_t)256 << 20; /* of nodes and their names, as an estimate */

static void read_defaults(const OnnxReader *r, Function *f)
{
    const ProtobufCMessageUnknownField *u = NULL;
    const ProtobufCMessage *m = &f->p->base;
    f->defaults = NEW_ARRAY(Onnx__AttributeProto *, (int64_t)m->n_unknown_fields);
    while ((u = onnx_new_field(m, FUNCTION_DEFAULT, u))) {
        Onnx__AttributeProto *p = onnx_new_message(u, &onnx__attribute_proto__descriptor);
        if (!p || !text_or_empty(p->name)[0])
            fail("%s: function '%s': a default of an attribute is damaged", r->file, f->name);
        f->defaults[f->num_defaults++] = p;
    }
}

/* All three names in one that is theirs alone. */
static const char *function_key(const char *domain, const char *name, const char *overload)
{
    return mem_printf("%zu %zu %s%s%s", strlen(domain), strlen(name), domain, name, overload);
}

void onnx_read_functions(OnnxReader *r, const Onnx__ModelProto *p)
{
    enum { MAX_FUNCTIONS = 4096 };
    if (p->n_functions > MAX_FUNCTIONS)
        fail("%s: %zu functions; at most %d are supported", r->file, p->n_functions, MAX_FUNCTIONS);
    r->functions = NEW_ARRAY(Function, (int64_t)p->n_functions);
    for (size_t i = 0; i < p->n_functions; i++) {
        Onnx__FunctionProto *q = p->functions[i];
        Function f = {.p = q, .domain = plain_domain(q->domain), .name = text_or_empty(q->name)};
        f.overload = onnx_new_text(&q->base, FUNCTION_OVERLOAD);
        f.opset =
            onnx_opset(mem_printf("%s: function '%s'", r->file, f.name), q->opset_import, q->n_opset_import);
        f.bytes = protobuf_c_message_get_packed_size(&q->base);
        const char *key = function_key(f.domain, f.name, f.overload);
        if (names_find(&r->function_names, key) >= 0)
            fail("%s: function '%s' is defined twice", r->file, f.name);
        names_add(&r->function_names, key, r->num_functions);
        read_defaults(r, &f);
        r->functions[r->num_functions++] = f;
    }
}

const Function *onnx_find_function(const OnnxReader *r, const Onnx__NodeProto *n)
{
    const char *domain = plain_domain(n->domain), *overload = onnx_new_text(&n->base, NODE_OVERLOAD);
    int i = -1;
    if (r->num_functions)
        i = names_find(&r->function_names, function_key(domain, text_or_empty(n->op_type), overload));
    if (i >= 0)
        return &r->functions[i];
    if (overload[0])
        fail("%s: %s: the model has no function of that name with the overload '%s'", r->file, node_text(n),
             overload);
    return NULL;
}

void onnx_check_call(OnnxReader *r, const FunctionCall *c)
{
    int depth = 1;
    for (const FunctionCall *o = c->outer; o; o = o->outer, depth++)
        if (o->f == c->f)
            fail("%s: function '%s' calls itself, which is not supported", r->file, c->f->name);
    if (depth > MAX_DEPTH)
        fail("%s: functions call each other more than %d deep", r->file, MAX_DEPTH);
    if (c->f->p->n_node && !c->f->opset)
        fail("%s: function '%s' does not say which version of ONNX's operator set it uses (opset_import)",
             r->file, c->f->name);
    r->inlined += (int)(c->f->p->n_node < MAX_NODES ? c->f->p->n_node : MAX_NODES) + 1;
    r->inlined_bytes += c->f->bytes + c->f->bytes / 8 * strlen(node_label(c->node));
    if (r->inlined > MAX_NODES || r->inlined_bytes > max_bytes)
        fail("%s: its functions make more than %d nodes, or %zu MiB of them", r->file, MAX_NODES,
             max_bytes >> 20);
}
