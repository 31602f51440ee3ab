/* onnx_read.c - an ONNX file as a Model: names become edges, nodes are put into execution order, symbolic
 * dimensions get their sizes. Operators keep the form of the file's opset; upgrade.c changes that.
 *
 * Refused here: what is not ONNX, what contradicts itself (dangling and duplicate names, cycles), and what
 * ternc has no notion of (training graphs, sparse weights, sequences and maps). Unsupported operators and
 * attributes are kept, so that they can be reported all together. Nodes and functions: onnx_nodes.c. Source:
 * ONNX's IR specification. */
#include "base/out_file.h"
#include "onnx/files.h"
#include "onnx/onnx.h"
#include "onnx/onnx_proto.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* ---- symbolic dimensions ---- */

/* The symbol of dimension k of an input: its name in the file, or INPUT.k. NULL: it is a number. */
static const char *dim_symbol(const char *input, size_t k, const Onnx__TensorShapeProto__Dimension *d)
{
    if (d->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE && d->dim_value > 0)
        return NULL;
    if (d->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM &&
        text_or_empty(d->dim_param)[0])
        return d->dim_param;
    return mem_printf("%s.%zu", input, k);
}

/* No elements along dimension k; some old exporters meant that the size is not known, so --dim INPUT.k may
 * change it. */
static bool is_empty_dim(const Onnx__TensorShapeProto__Dimension *d)
{
    return d->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE && d->dim_value == 0;
}

/* -1 when nothing says how large it is. */
static int64_t symbol_value(const OnnxReader *r, const char *symbol)
{
    for (int i = 0; i < r->opt->num_dims; i++)
        if (!strcmp(r->opt->dims[i].name, symbol)) {
            r->dim_used[i] = true;
            return r->opt->dims[i].value;
        }
    int i = names_find(&r->found, symbol);
    return i < 0 ? -1 : r->found_values[i];
}

static void bind_symbol(OnnxReader *r, const char *symbol, int64_t value)
{
    r->found_values[r->num_found] = value;
    names_add(&r->found, symbol, r->num_found++);
}

static void add_symbol(OnnxReader *r, const char *name, bool missing)
{
    if (r->num_symbols == r->cap_symbols) {
        r->cap_symbols = r->cap_symbols ? 2 * r->cap_symbols : 16;
        Symbol *more = NEW_ARRAY(Symbol, r->cap_symbols);
        if (r->num_symbols)
            memcpy(more, r->symbols, (size_t)r->num_symbols * sizeof *more);
        r->symbols = more;
    }
    r->symbols[r->num_symbols++] = (Symbol){name, missing};
}

/* The symbols, or the missing ones, each once between `before` and `after`; "" when there are none. */
static const char *list_symbols(const OnnxReader *r, bool missing, const char *before, const char *after)
{
    enum { MAX_SHOWN = 32 };
    const char *list = "", *shown[MAX_SHOWN];
    int count = 0;
    for (int i = 0; i < r->num_symbols && count < MAX_SHOWN; i++) {
        const Symbol *s = &r->symbols[i];
        bool known = missing && !s->missing;
        for (int k = 0; k < count && !known; k++)
            known = !strcmp(shown[k], s->name);
        if (known)
            continue;
        list = mem_printf("%s%s%s%s", list, before, s->name, after);
        shown[count++] = s->name;
    }
    return list;
}

static void bind_batch(OnnxReader *r, const char *input, const Onnx__TensorShapeProto *shape)
{
    const char *symbol = shape->n_dim ? dim_symbol(input, 0, shape->dim[0]) : NULL;
    if (!symbol || is_empty_dim(shape->dim[0]) || symbol_value(r, symbol) >= 0)
        return;
    if (!r->opt->quiet)
        note("%s: the first dimension of input '%s' ('%s', the batch) is taken as 1; --dim %s=SIZE changes "
             "that",
             r->file, input, symbol, symbol);
    bind_symbol(r, symbol, 1);
}

static int64_t resolve_dim(OnnxReader *r, const char *input, size_t k,
                           const Onnx__TensorShapeProto__Dimension *d)
{
    const char *symbol = dim_symbol(input, k, d);
    if (!symbol)
        return d->dim_value;
    int64_t v = symbol_value(r, symbol);
    if (v < 0 && is_empty_dim(d)) {
        if (!r->opt->quiet)
            note("%s: input '%s' has no elements, dimension %zu is 0; --dim %s=SIZE gives it another size",
                 r->file, input, k, symbol);
        v = 0;
    }
    add_symbol(r, symbol, v < 0);
    return v;
}

static void check_dims(const OnnxReader *r)
{
    for (int i = 0; i < r->opt->num_dims; i++) {
        if (r->dim_used[i])
            continue;
        const char *known = list_symbols(r, false, " ", "");
        usage("--dim %s: %s has no symbolic dimension of that name; %s%s", r->opt->dims[i].name, r->file,
              known[0] ? "it has:" : "all its dimensions are fixed", known);
    }
    const char *missing = list_symbols(r, true, " --dim ", "=SIZE");
    if (missing[0])
        fail("%s: the sizes of some dimensions are not known; add%s", r->file, missing);
}

/* ---- declared types ---- */

/* What the file says about a value that is not an input: unknown where it says nothing, or a symbol. */
static Type declared_type(const Place *at, const Onnx__ValueInfoProto *v)
{
    Type t = {.rank = -1};
    const Onnx__TypeProto__Tensor *p = onnx_tensor_type(at, v);
    if (!p)
        return t;
    if (p->elem_type)
        t.dtype = onnx_dtype(at, p->elem_type);
    if (!p->shape)
        return t;
    if (p->shape->n_dim > MAX_RANK)
        fail("%s: %s '%s': rank %zu is too large; at most %d is supported", at->file, at->what, at->name,
             p->shape->n_dim, MAX_RANK);
    t.rank = (int)p->shape->n_dim;
    for (int i = 0; i < t.rank; i++) {
        const Onnx__TensorShapeProto__Dimension *d = p->shape->dim[i];
        bool number = d->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
        if (number && d->dim_value < -1) /* -1: some exporters' unknown */
            fail("%s: %s '%s': dimension %d is %" PRId64, at->file, at->what, at->name, i, d->dim_value);
        t.dims[i] = number && d->dim_value > 0 ? d->dim_value : -1;
    }
    return t;
}

static Type input_type(OnnxReader *r, const Onnx__ValueInfoProto *v)
{
    Place at = {r->file, "input", v->name};
    Type t = declared_type(&at, v);
    if (t.dtype == DT_NONE)
        fail("%s: input '%s' has no element type", r->file, v->name);
    if (v->type->tensor_type->elem_type == ONNX__TENSOR_PROTO__DATA_TYPE__BFLOAT16 && !r->opt->quiet)
        note("%s: input '%s' is bfloat16; it is taken as float", r->file, v->name);
    if (t.rank < 0)
        fail("%s: input '%s' has no shape; save the model with one (onnx.shape_inference, or the exporter's "
             "input "
             "shape)",
             r->file, v->name);
    for (int i = 0; i < t.rank; i++)
        t.dims[i] = resolve_dim(r, v->name, (size_t)i, v->type->tensor_type->shape->dim[i]);
    if (!type_fits(t))
        fail("%s: input '%s': shape %s is too large; at most %d elements are supported", r->file, v->name,
             type_text(t), MAX_ELEMS);
    return t;
}

static bool types_contradict(Type a, Type b)
{
    if (a.dtype != DT_NONE && b.dtype != DT_NONE && a.dtype != b.dtype)
        return true;
    if (a.rank < 0 || b.rank < 0)
        return false;
    for (int i = 0; i < a.rank && a.rank == b.rank; i++)
        if (a.dims[i] >= 0 && b.dims[i] >= 0 && a.dims[i] != b.dims[i])
            return true;
    return a.rank != b.rank;
}

/* ---- constants, inputs, outputs ---- */

static const char *list_inputs(const OnnxReader *r)
{
    Text list = {0};
    for (size_t i = 0; i < r->p->n_input; i++)
        text_printf(&list, " %s", text_or_empty(r->p->input[i]->name));
    return text_take(&list);
}

/* The input that "NAME=FILE" names, and the file. Names may hold '='. */
static const Onnx__ValueInfoProto *named_input(const OnnxReader *r, const Names *inputs, const char *text,
                                               const char **file)
{
    for (const char *p = strchr(text, '='); p; p = strchr(p + 1, '=')) {
        int i = names_find(inputs, mem_printf("%.*s", (int)(p - text), text));
        if (i < 0)
            continue;
        *file = p + 1;
        return r->p->input[i];
    }
    usage("--const %s: %s has no input of that name; it has:%s", text, r->file, list_inputs(r));
}

static Names name_inputs(const OnnxReader *r)
{
    Names names = {0};
    for (size_t i = 0; i < r->p->n_input; i++) {
        const char *name = text_or_empty(r->p->input[i]->name);
        if (name[0] && names_find(&names, name) < 0)
            names_add(&names, name, (int)i);
    }
    return names;
}

/* The symbolic dimensions of an input are those of its value. */
static void bind_dims(OnnxReader *r, const Onnx__ValueInfoProto *v, Type t, const char *file)
{
    for (int i = 0; i < t.rank; i++) {
        const char *symbol = dim_symbol(v->name, (size_t)i, v->type->tensor_type->shape->dim[i]);
        int64_t known = symbol ? symbol_value(r, symbol) : t.dims[i];
        if (symbol)
            add_symbol(r, symbol, false);
        if (known < 0)
            bind_symbol(r, symbol, t.dims[i]);
        else if (known != t.dims[i])
            fail("%s: %s does not fit input '%s' of %s, whose dimension '%s' is %" PRId64, file, type_text(t),
                 v->name, r->file, symbol, known);
    }
}

/* --const: inputs whose values are given are constants; one in the model itself was only their default. */
static void read_given(OnnxReader *r)
{
    Names inputs = {0};
    if (r->opt->consts.count)
        inputs = name_inputs(r);
    for (int i = 0; i < r->opt->consts.count; i++) {
        const char *file;
        const Onnx__ValueInfoProto *v = named_input(r, &inputs, r->opt->consts.items[i], &file);
        const Tensor *t = read_tensor_file(file);
        Type declared = declared_type(&(Place){r->file, "input", v->name}, v);
        if (declared.dtype == DT_F16) /* files are read as float */
            declared.dtype = DT_F32;
        if (types_contradict(declared, t->type))
            fail("%s: %s does not fit input '%s' of %s, which is %s", file, type_text(t->type), v->name,
                 r->file, type_text(declared));
        if (graph_find(r->g, v->name))
            usage("--const %s: the input is given twice", r->opt->consts.items[i]);
        if (declared.rank >= 0)
            bind_dims(r, v, t->type, file);
        graph_const(r->g, v->name, t->type, t->data);
    }
    r->num_given = r->g->num_tensors;
}

static void read_initializers(OnnxReader *r)
{
    if (r->p->n_sparse_initializer)
        fail("%s: sparse initializers are not supported; save the weights as dense tensors", r->file);
    for (size_t i = 0; i < r->p->n_initializer; i++) {
        const Onnx__TensorProto *p = r->p->initializer[i];
        const char *name = text_or_empty(p->name);
        Place at = {r->file, "initializer", name};
        if (!name[0])
            fail("%s: initializer %zu has no name", r->file, i);
        const Tensor *known = graph_find(r->g, name);
        if (known && known->id < r->num_given)
            continue;
        if (known)
            fail("%s: initializer '%s' is defined twice", r->file, name);
        const Tensor *t = onnx_decode_tensor(&at, p);
        graph_const(r->g, name, t->type, t->data);
    }
}

static void bind_batches(OnnxReader *r)
{
    for (size_t i = 0; i < r->p->n_input; i++) {
        const Onnx__ValueInfoProto *v = r->p->input[i];
        if (!text_or_empty(v->name)[0])
            fail("%s: input %zu has no name", r->file, i);
        const Onnx__TypeProto__Tensor *t =
            graph_find(r->g, v->name) ? NULL : onnx_tensor_type(&(Place){r->file, "input", v->name}, v);
        if (t && t->shape)
            bind_batch(r, v->name, t->shape);
    }
}

static void check_constant_input(const OnnxReader *r, const Onnx__ValueInfoProto *v, const Tensor *t)
{
    Type declared = declared_type(&(Place){r->file, "input", v->name}, v);
    if (types_contradict(declared, t->type))
        fail("%s: input '%s' is declared as %s, but its initializer is %s", r->file, v->name,
             type_text(declared), type_text(t->type));
}

static void read_graph_inputs(OnnxReader *r)
{
    bind_batches(r);
    r->g->inputs = NEW_ARRAY(Tensor *, (int64_t)r->p->n_input);
    for (size_t i = 0; i < r->p->n_input; i++) {
        const Onnx__ValueInfoProto *v = r->p->input[i];
        const Tensor *known = graph_find(r->g, v->name);
        if (known && !known->data)
            fail("%s: input '%s' is defined twice", r->file, v->name);
        if (known && known->id >= r->num_given)
            check_constant_input(r, v, known);
        if (!known)
            r->g->inputs[r->g->num_inputs++] = graph_tensor(r->g, v->name, input_type(r, v));
    }
}

static void read_outputs(OnnxReader *r)
{
    if (!r->p->n_output)
        fail("%s: the graph has no outputs", r->file);
    r->g->outputs = NEW_ARRAY(Tensor *, (int64_t)r->p->n_output);
    for (size_t i = 0; i < r->p->n_output; i++) {
        const Onnx__ValueInfoProto *v = r->p->output[i];
        const char *name = text_or_empty(v->name);
        Tensor *t = onnx_find(r, name);
        if (!name[0] || !t)
            fail("%s: output '%s' is not made by any node", r->file, name);
        Type declared = declared_type(&(Place){r->file, "output", name}, v);
        if (t->producer)
            t->type = declared;
        else if (types_contradict(declared, t->type))
            fail("%s: output '%s' is declared as %s, but it is %s", r->file, name, type_text(declared),
                 type_text(t->type));
        r->g->outputs[r->g->num_outputs++] = t;
    }
}

/* Declared types of inner edges: only a help to the reader of dumps and to upgrade, since infer computes them
 * anew. */
static void read_value_info(OnnxReader *r)
{
    for (size_t i = 0; i < r->p->n_value_info; i++) {
        const Onnx__ValueInfoProto *v = r->p->value_info[i];
        Tensor *t = onnx_find(r, text_or_empty(v->name));
        if (t && t->producer && v->type && v->type->value_case == ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE)
            t->type = declared_type(&(Place){r->file, "value", v->name}, v);
    }
}

/* ---- model ---- */

static void check_model(const char *file, const Onnx__ModelProto *p)
{
    enum { OLDEST_IR = 3 };
    if (!p->graph)
        fail("%s: not an ONNX model: it has no graph", file);
    if (p->ir_version < OLDEST_IR)
        fail("%s: version %" PRId64 " of the file format is not supported; %d and later are", file,
             p->ir_version, OLDEST_IR);
    if (p->n_training_info)
        fail("%s: a graph for training is not supported; export the model for inference", file);
}

static Graph *read_graph(const char *file, const Onnx__ModelProto *m, const Options *opt)
{
    const Onnx__GraphProto *p = m->graph;
    OnnxReader r = {.file = file, .opt = opt, .p = p};
    r.g = graph_new(file, text_or_empty(p->name)[0] ? p->name : "graph");
    r.dim_used = NEW_ARRAY(bool, opt->num_dims);
    r.found_values = NEW_ARRAY(int64_t, (int64_t)p->n_input + (int64_t)MAX_RANK * opt->consts.count);
    read_given(&r);
    read_initializers(&r);
    read_graph_inputs(&r);
    check_dims(&r);
    onnx_read_functions(&r, m);
    onnx_read_nodes(&r);
    read_value_info(&r);
    read_outputs(&r);
    return r.g;
}

Model *onnx_read_memory(const char *path, const uint8_t *data, size_t len, const Options *opt)
{
    const char *file = mem_strdup(path);
    const Onnx__ModelProto *p = onnx_unpack(file, &onnx__model_proto__descriptor, data, len);
    check_model(file, p);
    Model *m = NEW(Model);
    m->file = file;
    m->ir_version = p->ir_version;
    m->opset = onnx_opset(file, p->opset_import, p->n_opset_import);
    m->quiet = opt->quiet;
    m->metadata = NEW_ARRAY(KeyValue, (int64_t)p->n_metadata_props);
    for (size_t i = 0; i < p->n_metadata_props; i++)
        m->metadata[m->num_metadata++] =
            (KeyValue){text_or_empty(p->metadata_props[i]->key), text_or_empty(p->metadata_props[i]->value)};
    m->graph = read_graph(file, p, opt);
    return m;
}

Model *onnx_read(const char *path, const Options *opt)
{
    size_t len;
    const uint8_t *data = file_map(path, &len);
    Model *m = onnx_read_memory(path, data, len, opt);
    file_unload(data, len);
    return m;
}
