/* emit_header.c - NAME.h: what an application must know of a model, as declarations, constants and words. */
#include "codegen/codegen.h"
#include "codegen/states.h"
#include "graph/cell.h"
#include "print/emitter.h"

#include <ctype.h>
#include <string.h>

/* ---- the signature ---- */

const char *emit_parameters(const Graph *g)
{
    Text t = {0};
    for (int i = 0; i < g->num_inputs; i++)
        text_printf(&t, "%sconst %s *%s", i ? ", " : "", dtype_c(g->inputs[i]->type.dtype),
                    g->inputs[i]->c_name);
    for (int i = 0; i < g->num_outputs; i++)
        text_printf(&t, "%s%s *%s", t.len ? ", " : "", dtype_c(g->outputs[i]->type.dtype),
                    g->outputs[i]->c_name);
    return text_take(&t);
}

const char *emit_arguments(const Graph *g)
{
    Text t = {0};
    for (int i = 0; i < g->num_inputs; i++)
        text_printf(&t, "%s%s", i ? ", " : "", g->inputs[i]->c_name);
    for (int i = 0; i < g->num_outputs; i++)
        text_printf(&t, "%s%s", t.len ? ", " : "", g->outputs[i]->c_name);
    return text_take(&t);
}

const char *emit_result(const Emitter *e)
{
    return e->plan->opt->float_guard ? "int" : "void";
}

/* ---- how to use it ---- */

static void print_buffers(Text *h, const char *macro, const char *kind, Tensor *const *tensors, int count)
{
    for (int i = 0; i < count; i++)
        text_printf(h, " *     static %s %s[%s_%s%d_SIZE];\n", dtype_c(tensors[i]->type.dtype),
                    tensors[i]->c_name, macro, kind, i);
}

static void print_flags(const Emitter *e, Text *h)
{
    if (e->plan->opt->optimize == OPTIMIZE_SIZE)
        text_printf(h, " * Compile %s.c with %s, and give the machine by -mcpu or -march.\n", e->plan->id,
                    recommended_flags(OPTIMIZE_SIZE, "gcc"));
    else
        text_printf(
            h,
            " * Compile %s.c with %s (clang) or %s (gcc), and give the machine by -mcpu or -march: on a PC\n"
            " * -march=native.\n",
            e->plan->id, recommended_flags(OPTIMIZE_SPEED, "clang"),
            recommended_flags(OPTIMIZE_SPEED, "gcc"));
}

static void print_example(const Emitter *e, Text *h)
{
    const Graph *g = e->plan->g;
    const char *id = e->plan->id, *m = e->macro, *result = e->plan->opt->float_guard ? "int status = " : "";
    text_printf(h, "/* Example:\n *\n *     #include \"%s.h\"\n *\n", id);
    print_buffers(h, m, "INPUT", g->inputs, g->num_inputs);
    print_buffers(h, m, "OUTPUT", g->outputs, g->num_outputs);
    text_printf(h, " *     %s%s_run(%s);\n", result, id, emit_arguments(g));
    text_printf(h, " *\n * or, on memory of your own, one block per thread:\n *\n");
    text_printf(h, " *     static double arena[(%s_ARENA_BYTES + 7) / 8];\n", m);
    text_printf(h, " *     %s%s_run_in(arena, %s);\n *\n", result, id, emit_arguments(g));
    print_flags(e, h);
    text_printf(h,
                " * Macros to compile it with: %s_NO_STATIC_ARENA leaves %s_run and its arena out, %s_CONST "
                "stands in\n"
                " * front of every constant table (a section), TN_ROM names the address space of the layers' "
                "tables,\n"
                " * %s_PROFILE(node) stands behind every node. */\n",
                m, id, m, m);
}

/* ---- sizes ---- */

/* " - {1, 2}" or " - 1" */
static void print_numbers(Text *h, const char *sign, Numbers n)
{
    if (!n.count)
        return;
    text_printf(h, " %s %s", sign, n.count > 1 ? "{" : "");
    for (int i = 0; i < n.count; i++)
        text_printf(h, "%s%s", i ? ", " : "", number_text(n.items[i], DT_F64));
    text_printf(h, "%s", n.count > 1 ? "}" : "");
}

static void print_pixels(const Emitter *e, Text *h)
{
    const InputForm *f = &e->plan->opt->input;
    text_printf(h, "\n * pixels of 0 to 255; normalisation is inside, the model sees ");
    if (f->scale == 1 && !f->mean.count && !f->std.count) {
        text_printf(h, "these numbers");
        return;
    }
    text_printf(h, "%spixel * %s", f->std.count ? "(" : "", number_text(f->scale, DT_F64));
    print_numbers(h, "-", f->mean);
    text_printf(h, "%s", f->std.count ? ")" : "");
    print_numbers(h, "/", f->std);
}

static bool is_pixels(const Emitter *e, const Tensor *t)
{
    const InputForm *f = &e->plan->opt->input;
    for (int i = 0; i < f->num_uint8; i++)
        if (!strcmp(f->uint8[i], t->name))
            return true;
    return false;
}

/* Of an image, a signal or a volume. */
static void print_axes(Text *h, const Tensor *t)
{
    static const char *const positions[] = {"depth", "height", "width"};
    Channels c = t->channels;
    int spatial = t->type.rank - (c.batch ? 1 : 0) - (c.axis >= 0 ? 1 : 0);
    if (!c.told || t->type.rank < 3 || spatial < 1 || spatial > 3)
        return;
    text_printf(h, "\n * dimensions: ");
    for (int i = 0, at = 3 - spatial; i < t->type.rank; i++) {
        const char *name = "channels";
        if (i == 0 && c.batch)
            name = "batch";
        else if (i != c.axis && at < 3)
            name = positions[at++];
        text_printf(h, "%s%s", i ? ", " : "", name);
    }
}

static void print_tensor(const Emitter *e, Text *h, const char *kind, int i, const Tensor *t)
{
    const char *m = e->macro;
    bool input = !strcmp(kind, "INPUT");
    text_printf(h, "/* %s %d: '%s', %s", input ? "input" : "output", i, comment_text(t->name),
                type_text(t->type));
    if (input && is_pixels(e, t))
        print_pixels(e, h);
    if (input)
        print_axes(h, t);
    if (t->step)
        text_printf(h, "\n * codes: real = %s_%s%d_SCALE * (code - %s_%s%d_ZERO_POINT)", m, kind, i, m, kind,
                    i);
    if (t->type.dtype == DT_BOOL)
        text_printf(h, "\n * 0 is false, 1 is true");
    text_printf(h, " */\n#define %s_%s%d_TYPE %s\n#define %s_%s%d_RANK %d\n", m, kind, i,
                dtype_c(t->type.dtype), m, kind, i, t->type.rank);
    for (int d = 0; d < t->type.rank; d++)
        text_printf(h, "#define %s_%s%d_DIM%d %s\n", m, kind, i, d, int_text(t->type.dims[d]));
    text_printf(h, "#define %s_%s%d_SIZE %s\n", m, kind, i, int_text(type_elems(t->type)));
    if (t->step)
        text_printf(h, "#define %s_%s%d_SCALE %s\n#define %s_%s%d_ZERO_POINT %d\n", m, kind, i,
                    float_text(t->step->scale, DT_F32), m, kind, i, t->step->zero);
}

static void print_tensors(const Emitter *e, Text *h, const char *kind, Tensor *const *tensors, int count)
{
    text_printf(h, "#define %s_NUM_%sS %d\n", e->macro, kind, count);
    for (int i = 0; i < count; i++)
        print_tensor(e, h, kind, i, tensors[i]);
    if (count == 1)
        text_printf(h, "#define %s_%s_SIZE %s_%s0_SIZE\n", e->macro, kind, e->macro, kind);
    text_printf(h, "\n");
}

/* ---- codes ---- */

/* Real numbers to codes and back; rounding is that of runtime/quant.h, without <math.h>. */
static void print_conversions(const Emitter *e, Text *h, const char *kind, int i, const Tensor *t)
{
    const char *m = mem_printf("%s_%s%d", e->macro, kind, i), *type = dtype_c(t->type.dtype);
    const char *id = mem_printf("%s_%s%d", e->plan->id, strcmp(kind, "INPUT") ? "output" : "input", i);
    int low = code_low(t->type.dtype), high = code_high(t->type.dtype);
    text_printf(h,
                "/* real: in the unit of '%s' as the float model has it; a step is %s, codes reach from %s "
                "to %s */\n",
                comment_text(t->name), float_text(t->step->scale, DT_F32),
                float_text(t->step->scale * (low - t->step->zero), DT_F32),
                float_text(t->step->scale * (high - t->step->zero), DT_F32));
    text_printf(h, "static inline float %s_real(%s code)\n{\n", id, type);
    text_printf(h, "    return %s_SCALE * (float)(code - %s_ZERO_POINT);\n}\n", m, m);
    text_printf(h, "static inline %s %s_code(float real)\n{\n", type, id);
    text_printf(h, "    const float steps = real / %s_SCALE;\n", m);
    text_printf(h, "    if (!(steps > (float)(%d - %s_ZERO_POINT)))\n        return %d;\n", low, m, low);
    text_printf(h, "    if (steps > (float)(%d - %s_ZERO_POINT))\n        return %d;\n", high, m, high);
    text_printf(h, "    const int32_t whole = (int32_t)steps;\n"
                   "    const float rest = steps - (float)whole;\n"
                   "    const int32_t up = rest > 0.5f || (rest == 0.5f && whole %% 2);\n"
                   "    const int32_t down = rest < -0.5f || (rest == -0.5f && whole %% 2);\n");
    text_printf(h, "    return (%s)(whole + up - down + %s_ZERO_POINT);\n}\n", type, m);
}

static bool has_steps(Tensor *const *tensors, int count)
{
    for (int i = 0; i < count; i++)
        if (tensors[i]->step)
            return true;
    return false;
}

static void print_codes(const Emitter *e, Text *h)
{
    const Graph *g = e->plan->g;
    if (!has_steps(g->inputs, g->num_inputs) && !has_steps(g->outputs, g->num_outputs))
        return;
    text_printf(h, "/* The real number of a code, and the code next to a real number: halves go to the even "
                   "number of steps,\n * what is out of range to the first or the last code. */\n");
    for (int i = 0; i < g->num_inputs; i++)
        if (g->inputs[i]->step)
            print_conversions(e, h, "INPUT", i, g->inputs[i]);
    for (int i = 0; i < g->num_outputs; i++)
        if (g->outputs[i]->step)
            print_conversions(e, h, "OUTPUT", i, g->outputs[i]);
    text_printf(h, "\n");
}

/* ---- states ---- */

static void print_states(const Emitter *e, Text *h, const StatePair *pairs, int count)
{
    const Graph *g = e->plan->g;
    if (!count)
        return;
    const char *m = e->macro;
    text_printf(
        h,
        "/* State that goes from run to run: what a run leaves in the output is the input of the next. */\n");
    text_printf(h, "#define %s_NUM_STATES %d\n", m, count);
    for (int i = 0; i < count; i++) {
        const StatePair *p = &pairs[i];
        text_printf(h, "/* state %d: output %d '%s' -> input %d '%s'; %s */\n", i, p->output,
                    comment_text(g->outputs[p->output]->name), p->input,
                    comment_text(g->inputs[p->input]->name),
                    p->in_place ? "one array may serve as both" : "they need two arrays");
        text_printf(
            h, "#define %s_STATE%d_OUTPUT %d\n#define %s_STATE%d_INPUT %d\n#define %s_STATE%d_IN_PLACE %d\n",
            m, i, p->output, m, i, p->input, m, i, p->in_place);
    }
    text_printf(h, "\n");
}

/* ---- costs ---- */

/* Positions at which every weight of a layer is used, and outputs that scale and bias are applied to. */
static void count_layer(const Layer *l, int64_t *adds, int64_t *multiplies)
{
    bool pooled = l->quantised && l->pool.kind; /* before anything else */
    int64_t positions = pooled ? l->pool.oh * l->pool.ow : l->oh * l->ow;
    int64_t outputs = l->batch * l->co * positions, macs = layer_macs(l);
    if (l->form->ternary) {
        *adds += l->terms;
    } else {
        *adds += macs;
        *multiplies += macs;
    }
    bool to_codes = l->quantised && l->quantised->out != DT_F32;
    if (l->bias || to_codes)
        *adds += outputs;
    if (l->scale || to_codes)
        *multiplies += outputs;
}

/* R * h in every step. */
static void count_recurrent(const Node *n, int64_t *adds, int64_t *multiplies)
{
    const Cell *c = n->cell;
    int64_t a = 0, m = 0;
    for (int k = 0; k < c->num_products; k++)
        count_layer(c->products[k], &a, &m);
    if (!c->num_products)
        a = m = c->batch * c->directions * c->gates * c->hidden * c->hidden;
    *adds += c->steps * a;
    *multiplies += c->steps * m;
}

static void count_operations(const Graph *g, int64_t *adds, int64_t *multiplies)
{
    for (int i = 0; i < g->num_nodes; i++) {
        const Node *n = g->nodes[i];
        if (n->op == OP_Layer) {
            count_layer(n->layer, adds, multiplies);
            continue;
        }
        if (n->op == OP_Recurrent) {
            count_recurrent(n, adds, multiplies);
            continue;
        }
        int64_t macs = node_cost(n, 0).macs;
        *adds += macs;
        *multiplies += macs;
    }
}

static bool has_loops(const Graph *g)
{
    for (int i = 0; i < g->num_nodes; i++)
        if (g->nodes[i]->op == OP_LoopBegin)
            return true;
    return false;
}

/* Bytes of the compound literals in run_in, which lie on its stack. */
static int64_t literal_bytes(const Text *body)
{
    static const char start[] = "(const int32_t[]){";
    int64_t bytes = 0;
    for (const char *p = body->data; p && (p = strstr(p, start));) {
        for (p += strlen(start), bytes += 4; *p && *p != '}'; p++)
            bytes += *p == ',' ? 4 : 0;
    }
    return bytes;
}

/* The most that a fully connected layer's kernel has on the stack. */
static int64_t kernel_stack(const Graph *g)
{
    const Layer *l;
    int most = 0;
    for (int i = 0; i < g->num_nodes; i++)
        for (int k = 0; (l = node_layer(g->nodes[i], k)); k++)
            if (l->kind == LAYER_FC && l->form->fc_stack > most)
                most = l->form->fc_stack;
    return most;
}

/* What frames take was measured (tests/cli/cli_header.sh): run_in, a layer and its largest part together stay
 * under 1,792 bytes from -O1 to -O3, whatever the machine, but for the literals. */
static int64_t stack_bytes(const Emitter *e)
{
    enum { FRAMES = 1792 };
    return FRAMES + kernel_stack(e->plan->g) + (literal_bytes(&e->body) + 15) / 16 * 16;
}

static void print_costs(const Emitter *e, Text *h)
{
    const char *m = e->macro;
    int64_t adds = 0, multiplies = 0;
    count_operations(e->plan->g, &adds, &multiplies);
    const Plan *p = e->plan;
    text_printf(
        h, "/* Bytes of working memory, valid for every compiler and all flags, and their alignment. %s */\n",
        p->arena_bytes <= p->lower_bound
            ? "No plan\n * of these tensors takes less."
            : mem_printf("Any plan\n * of these tensors takes %s.", int_text(p->lower_bound)));
    text_printf(h, "#define %s_ARENA_BYTES %s\n#define %s_ARENA_ALIGN 8\n", m,
                int_text(e->plan->arena_bytes ? e->plan->arena_bytes : 1), m);
    text_printf(h,
                "/* Bytes of stack that a call needs at most, by estimate, from -O1 on; 'ternc size' "
                "measures it. */\n"
                "#define %s_STACK_BYTES %s\n",
                m, int_text(stack_bytes(e)));
    text_printf(
        h,
        "/* Adds (and subtracts) and multiplications of a run, those of convolutions, matrix products and\n"
        " * their scales and biases; borders count in full.%s */\n"
        "#define %s_ADDS %s\n#define %s_MULTIPLIES %s\n\n",
        has_loops(p->g) ? " Loops count as if they ran once." : "", m, int_text(adds), m,
        int_text(multiplies));
}

/* ---- the functions ---- */

static bool has_float_input(const Graph *g)
{
    for (int i = 0; i < g->num_inputs; i++)
        if (dtype_is_float(g->inputs[i]->type.dtype))
            return true;
    return false;
}

static void print_contract(const Emitter *e, Text *h, bool states)
{
    text_printf(
        h,
        "/* Run the model. Inputs and outputs must not overlap%s, no pointer may be null, an arena must be "
        "aligned; none of\n * this is checked.",
        states ? ", but states may where it is said above" : "");
    if (e->plan->opt->float_guard)
        text_printf(
            h, " Returns 0; or, when an input holds a NaN or an infinity, its number counted\n * from 1, and "
               "the outputs are left as they were.");
    else if (has_float_input(e->plan->g))
        text_printf(
            h,
            " A NaN or an infinity among the inputs is not refused (compile the model with\n * --float-guard "
            "for that): a zero weight drops its input, so where the float model has 0 * NaN = NaN this\n"
            " * one has 0.");
    text_printf(h, " */\n");
}

static void print_functions(const Emitter *e, Text *h, bool states)
{
    const char *id = e->plan->id, *m = e->macro, *result = emit_result(e);
    const char *parameters = emit_parameters(e->plan->g);
    print_contract(e, h, states);
    text_printf(
        h, "#ifndef %s_NO_STATIC_ARENA\n%s %s_run(%s); /* in one static arena: not reentrant */\n#endif\n", m,
        result, id, parameters);
    text_printf(h, "/* The same in the caller's memory: reentrant. */\n%s %s_run_in(void *arena, %s);\n\n",
                result, id, parameters);
}

void print_header(const Emitter *e, Text *h)
{
    const Graph *g = e->plan->g;
    const char *m = e->macro;
    StatePair *pairs = NEW_ARRAY(StatePair, g->num_inputs + 1);
    int states = find_state_pairs(g, pairs);
    print_title(h, mem_printf("%s.h", e->plan->id), g->file);
    text_printf(h, "#ifndef %s_H\n#define %s_H\n\n", m, m);
    print_example(e, h);
    text_printf(h, "\n#include <stdint.h>\n\n#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n");
    text_printf(h, "/* Sizes are in elements; the last dimension is the fastest. */\n");
    print_tensors(e, h, "INPUT", g->inputs, g->num_inputs);
    print_tensors(e, h, "OUTPUT", g->outputs, g->num_outputs);
    print_codes(e, h);
    print_states(e, h, pairs, states);
    print_costs(e, h);
    print_functions(e, h, states > 0);
    text_printf(h, "#ifdef __cplusplus\n}\n#endif\n\n#endif\n");
}
