/* check_model.c - model.h and the weights file, from which the harness of `ternc check` (runtime/check)
 * learns what the generated code under test looks like: tensors and their places, layers and their geometry,
 * and how to call it. */
#include "base/host.h"
#include "check/check.h"
#include "layers/layers.h"
#include "ops/recurrent.h"
#include "print/print.h"

#include <stdlib.h>
#include <string.h>

static void add_list(Text *t, int count, const int64_t *values)
{
    text_printf(t, "{");
    for (int i = 0; i < count; i++)
        text_printf(t, "%s%s", i ? ", " : "", int_text(values[i]));
    text_printf(t, count ? "}" : "0}");
}

/* The states of a recurrent node behind every step, numbered behind its outputs. Returns how many. */
static int add_states(Text *t, const Node *n, int index)
{
    int count = n->cell ? cell_records(n->cell) : 0;
    const StateCheck s = {.n = n};
    for (int k = 0; k < count; k++)
        text_printf(t, "    {%d, %d, {2, {%s, %s}, {%s, 1}, 0, %s, %zu}},\n", index, n->num_out + k,
                    int_text(n->cell->batch), int_text(n->cell->hidden), int_text(n->cell->hidden),
                    int_text(n->cell->batch * n->cell->hidden), dtype_size(state_tensor(&s, k).type.dtype));
    return count;
}

static void add_written(Text *t, const Graph *g)
{
    int count = 0;
    text_printf(t, "static const Written written_tensors[] = {\n");
    for (int i = 0; i < g->num_nodes; i++) {
        count += add_states(t, g->nodes[i], i);
        for (int k = 0; k < g->nodes[i]->num_out; k++) {
            const Tensor *o = g->nodes[i]->out[k];
            if (!o)
                continue;
            count++;
            text_printf(t, "    {%d, %d, {%d, ", i, k, o->type.rank);
            add_list(t, o->type.rank, o->type.dims);
            text_printf(t, ", ");
            add_list(t, o->type.rank, o->layout.strides);
            text_printf(t, ", %s, %s, %zu}},\n", int_text(o->layout.base), int_text(o->layout.size),
                        dtype_size(o->type.dtype));
        }
    }
    text_printf(t, "    {-1, -1, {0, {0}, {0}, 0, 0, 0}},\n};\n#define NUM_WRITTEN %d\n\n", count);
}

/* Strides of a layer's input seen as [image][channel][row][column]. They are the layer's own, not
 * those of the node's input: of a constant times a matrix the columns are positions, whatever the ranks. */
static void input_strides(const Layer *l, const Tensor *x, int64_t *s)
{
    int64_t area = l->ih * l->iw;
    if (!x->layout.dense || type_elems(x->type) != l->batch * l->ci * area)
        bug("layer %d: input %s", l->index, type_text(x->type));
    s[0] = l->ci * area;
    s[1] = area;
    s[2] = l->iw;
    s[3] = 1;
}

static void add_axis(Text *t, const Layer *l, bool rows)
{
    bool transposed = l->kind == LAYER_CONV_TRANSPOSE;
    const int64_t of_rows[] = {transposed, l->ih, l->oh, l->kh, l->sh, l->dh, l->pt};
    const int64_t of_columns[] = {transposed, l->iw, l->ow, l->kw, l->sw, l->dw, l->pl};
    const int64_t of_fc[] = {0, 1, 1, 1, 1, 1, 0}; /* every size 1, no padding */
    const int64_t *values = rows ? of_rows : of_columns;
    add_list(t, 7, l->kind == LAYER_FC ? of_fc : values);
    text_printf(t, ", ");
}

/* What a layer reads and writes: tensors of the graph; inside of a recurrent node, rows of its own. */
typedef struct Places {
    int64_t strides[4]; /* of the input as [image][channel][row][column] */
    Layout x, y;
} Places;

static Places layer_places(const Node *n, const Layer *l)
{
    if (n->layer) {
        Places p = {.x = n->in[0]->layout, .y = n->out[0]->layout};
        input_strides(l, n->in[0], p.strides);
        return p;
    }
    return (Places){.strides = {l->ci, 1, 0, 0}, .x.size = l->batch * l->ci, .y.size = l->batch * l->co};
}

/* The harness's name of a type of numbers. */
static const char *number_name(DType d)
{
    switch (d) {
    case DT_F32: return "NUMBER_F32";
    case DT_F64: return "NUMBER_F64";
    case DT_I8: return "NUMBER_I8";
    case DT_U8: return "NUMBER_U8";
    case DT_I16: return "NUMBER_I16";
    case DT_I32: return "NUMBER_I32";
    default: bug("no layer computes with %s", dtype_name(d));
    }
}

/* Its own; without one, windows of a single output. */
static Pool layer_pool(const Layer *l)
{
    if (l->pool.kind)
        return l->pool;
    if (l->kind == LAYER_FC)
        return (Pool){.kh = 1, .kw = 1, .sh = 1, .sw = 1, .oh = 1, .ow = 1};
    return (Pool){.kh = 1, .kw = 1, .sh = 1, .sw = 1, .oh = l->oh, .ow = l->ow};
}

static void add_layer(Text *t, const Node *n, const Layer *l)
{
    const Format *f = layer_format(l);
    Places at = layer_places(n, l);
    const Layout *x = &at.x, *y = &at.y;
    Pool p = layer_pool(l);
    bool fc = l->kind == LAYER_FC;
    const int64_t *s = at.strides;
    text_printf(t, "    {%d, %s, %s, %s, %d, %d, %d, %s, %s, %s, %s, ", l->index, number_name(layer_input(l)),
                number_name(f->sum), number_name(layer_output(l)), l->quantised ? l->quantised->in_zero : 0,
                l->codes ? format_digits(f) : 1, fc, int_text(l->batch), int_text(fc ? 1 : l->groups),
                int_text(l->ci), int_text(l->co));
    add_axis(t, l, true);
    add_axis(t, l, false);
    int64_t rest[] = {p.oh, p.sh, p.kh, p.ow,    p.sw,    p.kw,    s[0],
                      s[1], s[2], s[3], x->base, x->size, y->base, y->size};
    for (size_t i = 0; i < sizeof rest / sizeof rest[0]; i++)
        text_printf(t, "%s%s", i ? ", " : "", int_text(rest[i]));
    text_printf(t, "},\n");
}

static int add_layers(Text *t, const Graph *g)
{
    int count = 0;
    text_printf(t, "static const Layer tested_layers[] = {\n");
    const Layer *l;
    for (int i = 0; i < g->num_nodes; i++)
        for (int k = 0; (l = node_layer(g->nodes[i], k)); k++)
            if (whole_weights(l)) {
                add_layer(t, g->nodes[i], l);
                count++;
            }
    text_printf(t, "    {.number = -1},\n};\n#define NUM_LAYERS %d\n\n", count);
    return count;
}

static void add_buffers(Text *t, const char *name, const char *macro, Tensor *const *list, int count)
{
    text_printf(t, "#define NUM_%s %d\nstatic const Buffer %s_buffers[] = {", macro, count, name);
    for (int i = 0; i < count; i++)
        text_printf(t, "{%zu, %zu}, ", type_bytes(list[i]->type), dtype_size(list[i]->type.dtype));
    text_printf(t, "{0, 0}};\n");
}

/* ", in[0], out[0])" behind the arguments before, whose number is `before`. */
static void add_arrays(Text *t, const Graph *g, int before)
{
    for (int i = 0; i < g->num_inputs; i++)
        text_printf(t, "%sin[%d]", before++ ? ", " : "", i);
    for (int i = 0; i < g->num_outputs; i++)
        text_printf(t, "%sout[%d]", before++ ? ", " : "", i);
    text_printf(t, ")\n");
}

static void add_calls(Text *t, const Plan *p, const char *prefix, int layers)
{
    text_printf(t, "#define call_static(in, out) %s_run(", p->id);
    add_arrays(t, p->g, 0);
    text_printf(t, "#define call_in_arena(arena, in, out) %s_run_in(arena", p->id);
    add_arrays(t, p->g, 1);
    text_printf(t, "#define WORK_BYTES ((size_t)%s_ARENA_BYTES)\n", prefix);
    text_printf(t, "#define WORK_ALIGN ((size_t)%s_ARENA_ALIGN)\n", prefix);
    text_printf(t, "#define on_tensor %s_check_tensor\n#define on_acc %s_check_acc\n", p->id, p->id);
    if (!layers) {
        text_printf(t, "#define call_layer(layer, x, y, arena) ((void)(arena))\n");
        return;
    }
    text_printf(t, "void %s_check_layer(int layer, const void *x, void *y, void *arena);\n", p->id);
    text_printf(t, "#define call_layer %s_check_layer\n", p->id);
}

static void write_codes(const Program *p)
{
    Text codes = {0};
    text_add(&codes, "", 0);
    const Layer *l;
    for (int i = 0; i < p->plan->g->num_nodes; i++)
        for (int k = 0; (l = node_layer(p->plan->g->nodes[i], k)); k++)
            if (whole_weights(l))
                text_add(&codes, (const char *)whole_weights(l), (size_t)layer_weight_count(l));
    file_write(mem_printf("%s/codes.bin", p->folder), codes.data, codes.len);
    text_free(&codes);
}

const char *program_define(const Plan *p)
{
    return mem_printf("-D%s_CHECK", macro_prefix(p->id));
}

void program_describe(const Program *p)
{
    const Graph *g = p->plan->g;
    Text t = {0};
    text_printf(&t, "#include \"model/%s.h\"\n\n", p->plan->id);
    add_written(&t, g);
    int layers = add_layers(&t, g);
    add_buffers(&t, "input", "INPUTS", g->inputs, g->num_inputs);
    add_buffers(&t, "output", "OUTPUTS", g->outputs, g->num_outputs);
    add_calls(&t, p->plan, macro_prefix(p->plan->id), layers);
    file_write(mem_printf("%s/model.h", p->folder), t.data, t.len);
    text_free(&t);
    write_codes(p);
}
