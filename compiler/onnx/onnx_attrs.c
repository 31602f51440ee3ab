/* onnx_attrs.c - attributes of nodes: their kind, their value, and those that stand for an attribute of the
 * function that the node is in. */
#include "onnx/onnx_proto.h"

#include <string.h>

static const char *copy_bytes(const Onnx__NodeProto *n, const char *attr, ProtobufCBinaryData b,
                              const OnnxReader *r)
{
    if (b.len && memchr(b.data, 0, b.len))
        fail("%s: %s: attribute '%s' contains a NUL byte", r->file, node_text(n), attr);
    char *s = mem_alloc(b.len + 1);
    if (b.len)
        memcpy(s, b.data, b.len);
    return shown_text(s);
}

typedef struct AttrKind {
    Onnx__AttributeProto__AttributeType onnx;
    AttrType type;
    bool present; /* a value of this kind is in the file */
} AttrKind;

/* The kind of value that an attribute has: the declared one, or in old files that declare none the one that
 * is there. Writers leave out zeros and empty lists, but a value of another kind is a contradiction. */
static AttrType attr_kind(const OnnxReader *r, const Onnx__NodeProto *n, const Onnx__AttributeProto *a)
{
    const AttrKind kinds[] = {
        {ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT, ATTR_FLOAT, a->has_f},
        {ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT, ATTR_INT, a->has_i},
        {ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRING, ATTR_STRING, a->has_s},
        {ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__TENSOR, ATTR_TENSOR, a->t != NULL},
        {ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__GRAPH, ATTR_GRAPH, a->g != NULL},
        {ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOATS, ATTR_FLOATS, a->n_floats > 0},
        {ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS, ATTR_INTS, a->n_ints > 0},
        {ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRINGS, ATTR_STRINGS, a->n_strings > 0},
    };
    const AttrKind *declared = NULL, *present = NULL;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (a->type == kinds[i].onnx)
            declared = &kinds[i];
        if (kinds[i].present && (!present || declared == &kinds[i]))
            present = &kinds[i];
    }
    if (a->type == ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__UNDEFINED)
        declared = present;
    else if (!declared)
        return ATTR_OTHER;
    bool needs_value = declared && (declared->type == ATTR_TENSOR || declared->type == ATTR_GRAPH);
    if (!declared || (needs_value && !declared->present))
        fail("%s: %s: attribute '%s' has no value", r->file, node_text(n), a->name);
    if (present && present != declared)
        fail("%s: %s: attribute '%s' has a value of another type than it declares", r->file, node_text(n),
             a->name);
    return declared->type;
}

static const char *const *read_strings(const OnnxReader *r, const Onnx__NodeProto *n,
                                       const Onnx__AttributeProto *p)
{
    const char **strings = NEW_ARRAY(const char *, (int64_t)p->n_strings);
    for (size_t i = 0; i < p->n_strings; i++)
        strings[i] = copy_bytes(n, p->name, p->strings[i], r);
    return strings;
}

static Tensor *read_attr_tensor(const OnnxReader *r, const Onnx__NodeProto *n, const Onnx__AttributeProto *p)
{
    return onnx_decode_tensor(&(Place){r->file, mem_printf("%s: attribute", node_text(n)), p->name}, p->t);
}

static Attr read_value(OnnxReader *r, const Scope *s, const Onnx__NodeProto *n, const Onnx__AttributeProto *p)
{
    Attr a = {.name = p->name, .type = attr_kind(r, n, p)};
    switch (a.type) {
    case ATTR_INT: a.i = p->i; break;
    case ATTR_FLOAT: a.f = p->f; break;
    case ATTR_STRING: a.s = copy_bytes(n, p->name, p->s, r); break;
    case ATTR_TENSOR: a.t = read_attr_tensor(r, n, p); break;
    case ATTR_INTS:
        a.ints = p->ints;
        a.count = (int)p->n_ints;
        break;
    case ATTR_FLOATS:
        a.floats = p->floats;
        a.count = (int)p->n_floats;
        break;
    case ATTR_STRINGS:
        a.strings = read_strings(r, n, p);
        a.count = (int)p->n_strings;
        break;
    case ATTR_GRAPH: a.graph = onnx_read_body(r, s, p->g); break;
    case ATTR_OTHER: break;
    }
    return a;
}

/* ---- attributes of functions ---- */

static void check_declared_type(const OnnxReader *r, const Onnx__NodeProto *n, const Onnx__AttributeProto *p,
                                const Attr *given)
{
    static const AttrType types[] = {[ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT] = ATTR_FLOAT,
                                     [ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT] = ATTR_INT,
                                     [ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRING] = ATTR_STRING,
                                     [ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__TENSOR] = ATTR_TENSOR,
                                     [ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__GRAPH] = ATTR_GRAPH,
                                     [ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOATS] = ATTR_FLOATS,
                                     [ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS] = ATTR_INTS,
                                     [ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRINGS] = ATTR_STRINGS};
    size_t declared = p->has_type ? (size_t)p->type : 0, count = sizeof types / sizeof types[0];
    if (given->type == ATTR_GRAPH || given->type == ATTR_OTHER)
        fail("%s: %s: attribute '%s' of the function is a graph, which is not supported", r->file,
             node_text(n), p->ref_attr_name);
    if (declared && (declared >= count || types[declared] != given->type))
        fail("%s: %s: attribute '%s' has another type than attribute '%s' of the function", r->file,
             node_text(n), p->name, p->ref_attr_name);
}

static const Onnx__AttributeProto *find_default(const Function *f, const char *name)
{
    for (int i = 0; i < f->num_defaults; i++)
        if (!strcmp(text_or_empty(f->defaults[i]->name), name))
            return f->defaults[i];
    return NULL;
}

/* False: the function's attribute is not given and has no default, so the node does not have it either. */
static bool resolve(OnnxReader *r, const Scope *s, const Onnx__NodeProto *n, const Onnx__AttributeProto *p,
                    Attr *a)
{
    const FunctionCall *c = onnx_call_of(s);
    if (!c)
        fail("%s: %s: attribute '%s' refers to a function's attribute, outside of a function", r->file,
             node_text(n), p->name);
    if (!onnx_declares(c->f, p->ref_attr_name))
        fail("%s: %s: attribute '%s' refers to '%s', which function '%s' does not have", r->file,
             node_text(n), p->name, p->ref_attr_name, c->f->name);
    bool known = false;
    for (int i = 0; i < c->node->num_attrs && !known; i++)
        if (!strcmp(c->node->attrs[i].name, p->ref_attr_name)) {
            *a = c->node->attrs[i];
            known = true;
        }
    const Onnx__AttributeProto *otherwise = find_default(c->f, p->ref_attr_name);
    if (!known && otherwise) {
        *a = read_value(r, s, n, otherwise);
        known = true;
    }
    a->name = p->name;
    if (known)
        check_declared_type(r, n, p, a);
    return known;
}

void onnx_read_attrs(OnnxReader *r, const Scope *s, Node *to, const Onnx__NodeProto *n)
{
    enum { MAX_ATTRS = 1024 };
    if (n->n_attribute > MAX_ATTRS)
        fail("%s: %s has %zu attributes; at most %d are supported", r->file, node_text(n), n->n_attribute,
             MAX_ATTRS);
    to->attrs = NEW_ARRAY(Attr, (int64_t)n->n_attribute);
    for (size_t i = 0; i < n->n_attribute; i++) {
        const Onnx__AttributeProto *p = n->attribute[i];
        Attr a = {0};
        if (!text_or_empty(p->name)[0])
            fail("%s: %s has an attribute without a name", r->file, node_text(n));
        for (int k = 0; k < to->num_attrs; k++)
            if (!strcmp(to->attrs[k].name, p->name))
                fail("%s: %s: attribute '%s' is given twice", r->file, node_text(n), p->name);
        if (!text_or_empty(p->ref_attr_name)[0])
            a = read_value(r, s, n, p);
        else if (!resolve(r, s, n, p, &a))
            continue;
        to->attrs[to->num_attrs++] = a;
    }
}
