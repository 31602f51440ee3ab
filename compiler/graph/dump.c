/* dump.c - prints a graph in a subset of ONNX's text syntax. Types and ternary facts stand in comments; large
 * constants are cut short with "...", which the reader, tests/support/text.c, refuses. OP_Layer nodes are
 * printed but cannot be read back. */
#include "graph/ir.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_VALUES = 64, FIRST_VALUES = 8 };

const char *number_text(double v, DType d)
{
    if (isnan(v))
        return "nan";
    if (isinf(v))
        return v < 0 ? "-inf" : "inf";
    if (!dtype_is_float(d))
        return mem_printf("%.0f", v);
    char s[40], best[40] = "";
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(s, sizeof s, "%.*g", digits, v);
        bool same = d == DT_F64 ? strtod(s, NULL) == v : strtof(s, NULL) == (float)v;
        if (same && (!best[0] || strlen(s) < strlen(best)))
            memcpy(best, s, sizeof s);
    }
    return mem_strdup(best);
}

static void print_quoted(FILE *f, const char *s)
{
    fputc('"', f);
    for (; *s; s++) {
        if (*s == '"' || *s == '\\')
            fputc('\\', f);
        fputc(*s, f);
    }
    fputc('"', f);
}

static void print_name(FILE *f, const char *s)
{
    bool plain = isalpha((unsigned char)*s) || *s == '_';
    for (const char *p = s; *p; p++)
        plain &= isalnum((unsigned char)*p) || *p == '_';
    if (plain)
        fputs(s, f);
    else
        print_quoted(f, s);
}

static void print_type(FILE *f, Type t)
{
    fputs(t.dtype == DT_NONE ? "undefined" : dtype_name(t.dtype), f);
    if (t.rank < 0)
        fputs("[]", f);
    for (int i = 0; i < t.rank; i++) {
        const char *size = t.dims[i] < 0 ? "?" : int_text(t.dims[i]);
        fprintf(f, "%s%s", i ? "," : "[", size);
    }
    if (t.rank > 0)
        fputc(']', f);
}

static void print_value(FILE *f, DType d, const void *data, int64_t i)
{
    if (d == DT_I64)
        fprintf(f, "%" PRId64, ((const int64_t *)data)[i]);
    else if (d == DT_U64)
        fprintf(f, "%" PRIu64, ((const uint64_t *)data)[i]);
    else if (d == DT_F16)
        fprintf(f, "%u", ((const uint16_t *)data)[i]);
    else
        fputs(number_text(elem_get(data, d, i), d), f);
}

static void print_values(FILE *f, DType d, const void *data, int64_t n)
{
    int64_t shown = n > MAX_VALUES ? FIRST_VALUES : n;
    for (int64_t i = 0; i < shown; i++) {
        fputs(i ? ", " : "", f);
        print_value(f, d, data, i);
    }
    if (shown < n)
        fputs(", ...", f);
}

static void print_attr_float(FILE *f, float v)
{
    const char *s = number_text(v, DT_F32);
    fprintf(f, "%s%s", s, s[strcspn(s, ".en")] || strchr(s, 'i') ? "" : ".0");
}

static void print_attr_list(FILE *f, const Attr *a)
{
    fputc('[', f);
    for (int i = 0; i < a->count; i++) {
        fputs(i ? ", " : "", f);
        if (a->type == ATTR_INTS)
            fprintf(f, "%" PRId64, a->ints[i]);
        else if (a->type == ATTR_FLOATS)
            print_attr_float(f, a->floats[i]);
        else
            print_quoted(f, a->strings[i]);
    }
    fputc(']', f);
}

static void print_attr_tensor(FILE *f, const Tensor *t)
{
    print_type(f, t->type);
    fputs(" {", f);
    print_values(f, t->type.dtype, t->data, type_elems(t->type));
    fputs("}", f);
}

static void print_attr(FILE *f, const Attr *a)
{
    print_name(f, a->name);
    fputs(" = ", f);
    switch (a->type) {
    case ATTR_INT: fprintf(f, "%" PRId64, a->i); break;
    case ATTR_FLOAT: print_attr_float(f, a->f); break;
    case ATTR_STRING: print_quoted(f, a->s); break;
    case ATTR_TENSOR: print_attr_tensor(f, a->t); break;
    case ATTR_INTS:
    case ATTR_FLOATS:
    case ATTR_STRINGS: print_attr_list(f, a); break;
    case ATTR_GRAPH:
    case ATTR_OTHER: fputs("{...}", f); break;
    }
}

/* ---- layers ---- */

static const char *layer_kind_text(LayerKind k)
{
    static const char *const names[] = {
        [LAYER_CONV] = "conv", [LAYER_CONV_TRANSPOSE] = "conv_transpose", [LAYER_FC] = "fc"};
    return names[k];
}

static const char *act_text(ActKind k)
{
    static const char *const names[] = {"none",    "relu", "clip",         "leaky_relu",
                                        "sigmoid", "tanh", "hard_sigmoid", "hard_swish"};
    return names[k];
}

static void print_list(FILE *f, const char *name, DType d, const void *data, int64_t n)
{
    if (!data)
        return;
    fprintf(f, ",\n         %s = [", name);
    print_values(f, d, data, n);
    fputc(']', f);
}

static void print_geometry(FILE *f, const Layer *l)
{
    if (l->kind == LAYER_FC)
        return;
    fprintf(f,
            ", groups = %" PRId64 ", in = [%" PRId64 ", %" PRId64 "], out = [%" PRId64 ", %" PRId64
            "],\n         ",
            l->groups, l->ih, l->iw, l->oh, l->ow);
    fprintf(f, "kernel = [%" PRId64 ", %" PRId64 "], strides = [%" PRId64 ", %" PRId64 "]", l->kh, l->kw,
            l->sh, l->sw);
    fprintf(f,
            ", dilations = [%" PRId64 ", %" PRId64 "], pads = [%" PRId64 ", %" PRId64 ", %" PRId64
            ", %" PRId64 "]",
            l->dh, l->dw, l->pt, l->pl, l->pb, l->pr);
}

static void print_epilogue(FILE *f, const Layer *l)
{
    const Activation *a = &l->act;
    if (a->kind != ACT_NONE)
        fprintf(f, ",\n         activation = \"%s\"", act_text(a->kind));
    if (a->kind == ACT_CLIP || a->kind == ACT_LEAKY_RELU || a->kind == ACT_HARD_SIGMOID)
        fprintf(f, ", a = %s, b = %s", number_text(a->a, DT_F32), number_text(a->b, DT_F32));
    const Pool *p = &l->pool;
    if (p->kind != POOL_NONE)
        fprintf(f,
                ",\n         pool = \"%s\", window = [%" PRId64 ", %" PRId64 "], pool_strides = [%" PRId64
                ", %" PRId64 "], pooled = [%" PRId64 ", %" PRId64 "]",
                p->kind == POOL_MAX ? "max" : "average", p->kh, p->kw, p->sh, p->sw, p->oh, p->ow);
}

static void print_quantised(FILE *f, const Layer *l)
{
    const Quantised *q = l->quantised;
    fprintf(f, ",\n         codes_in = \"%s\", zero = %d", dtype_name(q->in), q->in_zero);
    if (q->out == DT_F32)
        return;
    print_list(f, "factor", DT_I32, q->factor, l->co);
    print_list(f, "addend", DT_I64, q->addend, l->co);
    if (q->shifts)
        print_list(f, "shifts", DT_I32, q->shifts, l->co);
    fprintf(f, ",\n         shift = %d, low = %d, high = %d, codes_out = \"%s\"", q->shift, q->low, q->high,
            dtype_name(q->out));
}

static void print_layer(FILE *f, const Layer *l)
{
    int64_t n = layer_weight_count(l);
    fprintf(f, "<\n         kind = \"%s\", index = %d, batch = %" PRId64 ", ci = %" PRId64 ", co = %" PRId64,
            layer_kind_text(l->kind), l->index, l->batch, l->ci, l->co);
    print_geometry(f, l);
    if (l->codes)
        fprintf(f, ",\n         terms = %" PRId64 ", zeros = %" PRId64, n - l->zeros, l->zeros);
    print_list(f, "codes", DT_I8, l->codes, n);
    print_list(f, "ints", DT_I8, l->ints, n);
    print_list(f, "weights", DT_F32, l->weights, n);
    print_list(f, "scale", DT_F32, l->scale, l->co);
    print_list(f, "bias", DT_F32, l->bias, l->co);
    print_epilogue(f, l);
    if (l->quantised)
        print_quantised(f, l);
    fputs(",\n         source = ", f);
    print_quoted(f, l->source ? l->source : "");
    if (l->lowering != LOWER_AUTO)
        fprintf(f, ", lowering = \"%s\"", lowering_name(l->lowering));
    fputs(">", f);
}

/* ---- graph ---- */

static void print_edges(FILE *f, Tensor *const *list, int count)
{
    for (int i = 0; i < count; i++) {
        fputs(i ? ", " : "", f);
        if (list[i])
            print_name(f, list[i]->name);
    }
}

static void print_node(FILE *f, const Node *n)
{
    fputs("   ", f);
    if (n->name && n->name[0]) {
        fputc('[', f);
        print_name(f, n->name);
        fputs("] ", f);
    }
    print_edges(f, n->out, n->num_out);
    fprintf(f, " = %s%s%s ", n->domain, n->domain[0] ? "." : "", n->op_name);
    for (int i = 0; i < n->num_attrs; i++) {
        fputs(i ? ", " : "<", f);
        print_attr(f, &n->attrs[i]);
    }
    if (n->num_attrs)
        fputs("> ", f);
    if (n->layer) {
        print_layer(f, n->layer);
        fputc(' ', f);
    }
    fputc('(', f);
    print_edges(f, n->in, n->num_in);
    fputc(')', f);
    for (int i = 0; i < n->num_out; i++)
        if (n->out[i]) {
            fputs(i ? ", " : "  # ", f);
            print_type(f, n->out[i]->type);
        }
    fputc('\n', f);
}

static void print_ternary(FILE *f, const Tensor *t)
{
    const Ternary *q = t->ternary;
    int64_t n = type_elems(t->type), zeros = code_zeros(q->codes, n);
    fprintf(f, "  # ternary: %" PRId64 " of %" PRId64 " zero, scales {", zeros, n);
    print_values(f, DT_F32, q->scales, q->num_scales);
    fputc('}', f);
}

static void print_constant(FILE *f, const Tensor *t, bool last)
{
    fputs("   ", f);
    print_type(f, t->type);
    fputc(' ', f);
    print_name(f, t->name);
    fputs(" = {", f);
    print_values(f, t->type.dtype, t->data, type_elems(t->type));
    fprintf(f, "}%s", last ? "" : ",");
    if (t->ternary)
        print_ternary(f, t);
    fputc('\n', f);
}

static void print_constants(FILE *f, const Graph *g)
{
    const int *uses = graph_use_counts(g);
    int left = 0;
    for (int i = 0; i < g->num_tensors; i++)
        left += g->tensors[i]->data && uses[i];
    if (!left)
        return;
    fputs("<\n", f);
    for (int i = 0; i < g->num_tensors; i++)
        if (g->tensors[i]->data && uses[i])
            print_constant(f, g->tensors[i], --left == 0);
    fputs(">\n", f);
}

static void print_signature(FILE *f, Tensor *const *list, int count)
{
    fputc('(', f);
    for (int i = 0; i < count; i++) {
        fputs(i ? ", " : "", f);
        if (list[i]->type.dtype != DT_NONE) {
            print_type(f, list[i]->type);
            fputc(' ', f);
        }
        print_name(f, list[i]->name);
    }
    fputc(')', f);
}

void dump_graph(FILE *f, const Graph *g)
{
    if (g->name && g->name[0]) {
        print_name(f, g->name);
        fputc(' ', f);
    }
    print_signature(f, g->inputs, g->num_inputs);
    fputs(" => ", f);
    print_signature(f, g->outputs, g->num_outputs);
    fputc('\n', f);
    print_constants(f, g);
    fputs("{\n", f);
    for (int i = 0; i < g->num_nodes; i++)
        print_node(f, g->nodes[i]);
    fputs("}\n", f);
}
