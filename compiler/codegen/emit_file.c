/* emit_file.c - a model as NAME.c: what stands around the layers. NAME.h is in emit_header.c. */
#include "base/host.h"
#include "codegen/codegen.h"
#include "ops/flow.h"
#include "print/emitter.h"

#include <string.h>

/* ---- the body ---- */

/* The numbers of a layer that reads codes, and why they suffice. */
static void describe_sums(Emitter *e, const Layer *l)
{
    const Quantised *q = l->quantised;
    if (q)
        emit_line(
            e, " * Sums are whole numbers from %s to %s whatever the codes: %d bits hold them. Format: %s.",
            int_text(q->sum_low), int_text(q->sum_high), sum_bits(q), layer_format(l)->name);
}

static void describe_layer(Emitter *e, const Layer *l)
{
    int64_t weights = layer_weight_count(l);
    bool unrolled = l->form->unrolled;
    if (l->codes)
        emit_line(e, " * %s weights, %s zeros, %s added or subtracted per position.", int_text(weights),
                  int_text(l->zeros), int_text(weights - l->zeros));
    else
        emit_line(e, " * %s %s weights.", int_text(weights), layer_weight_word(l));
    if (l->codes)
        emit_line(e, " * A run: %s multiply-accumulates if dense, %s adds without zeros%s.",
                  int_text(layer_macs(l)), int_text(l->terms),
                  unrolled ? mem_printf(", %s with shared sums", int_text(l->adds)) : "");
    describe_sums(e, l);
    emit_line(e, " * Lowering: %s; %s. */", lowering_name(l->lowering), comment_text(l->why));
}

/* The layers inside of a recurrent node. */
static void describe_products(Emitter *e, const Node *n)
{
    const Layer *l;
    for (int k = 0; (l = node_layer(n, k)); k++) {
        emit_line(e, "/* layer%d: %s: [%s,%s] -> [%s,%s] in every step", l->index, comment_text(l->source),
                  int_text(l->batch), int_text(l->ci), int_text(l->batch), int_text(l->co));
        describe_layer(e, l);
    }
}

static void describe_node(Emitter *e, const Node *n)
{
    const Layer *l = n->op == OP_Layer ? n->layer : NULL;
    Text t = {0};
    for (int i = 0; i < n->num_in; i++)
        if (n->in[i] && !n->in[i]->data)
            text_printf(&t, "%s%s", t.len ? ", " : "", type_text(n->in[i]->type));
    text_printf(&t, " ->");
    for (int i = 0; i < n->num_out; i++)
        if (n->out[i])
            text_printf(&t, " %s", type_text(n->out[i]->type));
    if (l)
        emit_line(e, "/* layer%d: %s: %s", l->index, comment_text(l->source), t.data);
    else
        emit_line(e, "/* %s '%s': %s */", n->op_name, comment_text(node_label(n)), t.data);
    if (l)
        describe_layer(e, l);
    else
        describe_products(e, n);
    text_free(&t);
}

static void emit_node(Emitter *e, const Node *n, int index)
{
    const OpDef *d = op_def(n->op);
    describe_node(e, n);
    if (d->view)
        emit_copy(e, emit_ptr(e, n->out[0]), emit_ptr(e, n->in[0]), n->out[0]->type);
    else
        d->emit(e, n);
    emit_line(e, "#ifdef %s_CHECK", e->macro);
    for (int i = 0; i < n->num_out; i++)
        if (n->out[i])
            emit_line(e, "%s_check_tensor(%d, %d, %s);", e->plan->id, index, i, emit_ptr(e, n->out[i]));
    emit_line(e, "#endif");
    emit_line(e, "%s_PROFILE(%d);", e->macro, index);
}

/* The guard around `guard` that stands right inside of `outer`. */
static int guard_inside(const Guard *guards, int guard, int outer)
{
    while (guard != outer && guards[guard].outer != outer)
        guard = guards[guard].outer;
    return guard;
}

static void open_guard(Emitter *e, int guard, int inside)
{
    const Guard *k = &e->plan->flow->guards[guard];
    if (guard == inside)
        return;
    open_guard(e, k->outer, inside);
    emit_line(e, "if (%s*%s) {", k->value ? "" : "!", emit_ptr(e, k->condition));
}

/* From the blocks of one guard to those of another. */
static void change_guard(Emitter *e, int from, int to)
{
    const Guard *guards = e->plan->flow->guards;
    int common = common_guard(e->plan->flow, from, to);
    int last = guard_inside(guards, from, common), first = guard_inside(guards, to, common);
    bool other = last != common && first != common && guards[last].condition == guards[first].condition;
    for (int i = from; i != common; i = guards[i].outer)
        emit_line(e, i == last && other ? "} else {" : "}");
    open_guard(e, to, other ? first : common);
}

/* ---- pieces: functions of some nodes each, for models of many; what compilers do to the loops of one
 * function takes them a time that grows with the square of their number ---- */

typedef struct Piece {
    Text text;
    Text *body; /* of the run function; NULL: no piece is open */
    int number, nodes;
} Piece;

enum { PIECE_NODES = 64, PIECE_PARAMETERS = 32, INLINED_LAYERS = 16 /* few enough for one function */ };

static bool has_pieces(const Graph *g)
{
    return g->num_nodes > 2 * PIECE_NODES && g->num_inputs + g->num_outputs <= PIECE_PARAMETERS;
}

/* TN_APART, as runtime/layer.h has it, is there where there are layers. */
static void define_apart(Emitter *e)
{
    text_printf(&e->functions,
                "#ifndef TN_APART\n#if defined(__GNUC__)\n#define TN_APART __attribute__((noinline))\n"
                "#else\n#define TN_APART\n#endif\n#endif\n\n");
}

static void ignore_unused(Emitter *e, Tensor *const *tensors, int count)
{
    for (int i = 0; i < count; i++)
        emit_line(e, "(void)%s;", tensors[i]->c_name);
}

static void open_piece(Emitter *e, Piece *p)
{
    const Graph *g = e->plan->g;
    const char *name = mem_printf("%s_nodes%d", e->plan->id, p->number++);
    if (p->number == 1)
        define_apart(e);
    emit_line(e, "%s(arena, %s);", name, emit_arguments(g));
    p->body = e->out;
    p->nodes = 0;
    e->out = &p->text;
    e->indent = 0;
    emit_line(e, "static TN_APART void %s(unsigned char *arena, %s)", name, emit_parameters(g));
    emit_line(e, "{");
    emit_line(e, "(void)arena;");
    ignore_unused(e, g->inputs, g->num_inputs);
    ignore_unused(e, g->outputs, g->num_outputs);
}

static void close_piece(Emitter *e, Piece *p)
{
    if (!p->body)
        return;
    emit_line(e, "}");
    emit_blank(e);
    text_move(&e->functions, &p->text);
    e->out = p->body;
    e->indent = 1;
    p->body = NULL;
}

static void emit_nodes(Emitter *e)
{
    const Graph *g = e->plan->g;
    Piece p = {0};
    int guard = 0;
    Progress bar;
    progress_begin(&bar, "print", g->num_nodes);
    for (int i = 0; i < g->num_nodes; i++) {
        bool between = guard == 0 && e->indent == 1; /* no block is open */
        if (has_pieces(g) && between && (!p.body || p.nodes >= PIECE_NODES)) {
            close_piece(e, &p);
            open_piece(e, &p);
        }
        change_guard(e, guard, e->plan->flow->guard[i]);
        guard = e->plan->flow->guard[i];
        emit_node(e, g->nodes[i], i);
        p.nodes++;
        progress_update(&bar, i + 1);
    }
    progress_end(&bar);
    change_guard(e, guard, 0);
    close_piece(e, &p);
}

/* Under --float-guard: return the number of the first input that is not finite. */
static void emit_guard(Emitter *e)
{
    const Graph *g = e->plan->g;
    for (int i = 0; i < g->num_inputs; i++) {
        const Tensor *t = g->inputs[i];
        if (!dtype_is_float(t->type.dtype))
            continue;
        emit_line(e, "if (!%s(%s, %s))", emit_kernel(e, "finite", t->type.dtype), t->c_name,
                  int_text(type_elems(t->type)));
        emit_line(e, "    return %d;", i + 1);
    }
}

static void emit_run(Emitter *e)
{
    const Graph *g = e->plan->g;
    bool guard = e->plan->opt->float_guard;
    e->out = &e->body;
    emit_line(e, "%s %s_run_in(void *memory, %s)", emit_result(e), e->plan->id, emit_parameters(g));
    emit_line(e, "{");
    emit_line(e, "unsigned char *const arena = (unsigned char *)memory;");
    emit_line(e, "(void)arena;");
    ignore_unused(e, g->inputs, g->num_inputs);
    for (int i = 0; i < g->num_outputs; i++)
        if (type_elems(g->outputs[i]->type) == 0)
            emit_line(e, "(void)%s;", g->outputs[i]->c_name);
    if (guard)
        emit_guard(e);
    emit_nodes(e);
    if (guard)
        emit_line(e, "return 0;");
    emit_line(e, "}");
    emit_blank(e);
    emit_line(e, "#ifndef %s_NO_STATIC_ARENA", e->macro);
    emit_line(e, "%s %s_run(%s)", emit_result(e), e->plan->id, emit_parameters(g));
    emit_line(e, "{");
    emit_line(e, "static union {");
    emit_line(e, "unsigned char bytes[%s_ARENA_BYTES];", e->macro);
    emit_line(e, "double align;");
    emit_line(e, "} arena;");
    emit_line(e, "%s%s_run_in(arena.bytes, %s);", guard ? "return " : "", e->plan->id, emit_arguments(g));
    emit_line(e, "}");
    emit_line(e, "#endif");
}

/* Under NAME_CHECK: run one layer by itself, for `ternc check`. */
static void emit_check_layer(Emitter *e)
{
    const Graph *g = e->plan->g;
    emit_blank(e);
    emit_line(e, "#ifdef %s_CHECK", e->macro);
    emit_line(e, "void %s_check_layer(int layer, const void *x, void *y, void *arena)", e->plan->id);
    emit_line(e, "{");
    emit_line(e, "unsigned char *const scratch = (unsigned char *)arena;");
    emit_line(e, "(void)scratch, (void)x, (void)y;");
    emit_line(e, "switch (layer) {");
    for (int i = 0; i < g->num_nodes; i++) {
        const Node *n = g->nodes[i];
        const Layer *l;
        for (int k = 0; (l = node_layer(n, k)); k++) {
            int64_t scratch = layer_scratch(e->plan, n, l);
            emit_line(e, "case %d: layer%d(x, y%s); break;", l->index, l->index,
                      scratch >= 0 ? mem_printf(", scratch + %s", int_text(scratch)) : "");
        }
    }
    emit_line(e, "default: break;");
    emit_line(e, "}");
    emit_line(e, "}");
    emit_line(e, "#endif");
}

/* ---- the C file ---- */

static void print_prelude(const Emitter *e, Text *c)
{
    const char *id = e->plan->id, *m = e->macro;
    bool speed = e->plan->opt->optimize == OPTIMIZE_SPEED;
    const char *apart = speed && layer_count(e->plan->g) > INLINED_LAYERS ? " TN_APART" : "";
    print_title(c, mem_printf("%s.c", id), e->plan->g->file);
    text_printf(c, "#include \"%s.h\"\n\n#include <stddef.h>\n#include <string.h>\n%s\n", id, math_text(e));
    text_printf(c,
                "/* Hooks, free when unused: a section for constants, an address space for tables, "
                "attributes of the\n"
                " * layers' functions, a call behind every node. */\n#ifndef TN_ROM\n#define TN_ROM\n#endif\n"
                "#ifndef %s_CONST\n#define %s_CONST\n#endif\n#ifndef %s_LAYER\n#define %s_LAYER%s\n#endif\n"
                "#ifndef %s_PROFILE\n#define %s_PROFILE(node) ((void)0)\n#endif\n\n",
                m, m, m, m, apart, m, m);
    text_printf(c, "#ifdef %s_CHECK /* for `ternc check` */\n", m);
    text_printf(c, "void %s_check_tensor(int node, int output, const void *data);\n", id);
    text_printf(c,
                "void %s_check_acc(int layer, int image, int channel, int row, int column, int step, const "
                "void *acc, "
                "int count);\n",
                id);
    text_printf(c, "void %s_check_layer(int layer, const void *x, void *y, void *arena);\n#endif\n\n", id);
}

/* Operators that only make constants have no code. */
static void check_emitters(const Graph *g)
{
    for (int i = 0; i < g->num_nodes; i++)
        if (!op_def(g->nodes[i]->op)->emit && !op_def(g->nodes[i]->op)->view)
            fail_node(
                g, g->nodes[i],
                "unsupported: %s whose value cannot be computed at compile time, or is too large for that",
                g->nodes[i]->op_name);
}

static WeightText weight_text(const Options *opt)
{
    const Target *t = find_target(opt->target ? opt->target : "generic");
    if (opt->weights != WEIGHTS_AUTO)
        return opt->weights;
    return t->only_arrays ? WEIGHTS_ARRAY : WEIGHTS_STRING;
}

/* All of a model but what stands before its constants. split: into how many more files, 0: none. */
static Emitter emit_parts(const Plan *p, int split)
{
    check_emitters(p->g);
    Emitter e = {.plan = p,
                 .macro = macro_prefix(p->id),
                 .weights = weight_text(p->opt),
                 .const_printed = NEW_ARRAY(const char *, p->g->num_tensors)};
    if (split)
        e.split = split_new(split);
    emit_run(&e);
    emit_check_layer(&e);
    if (e.indent)
        bug("%d blocks are still open", e.indent);
    return e;
}

static void print_parts(Emitter *e, Text *c)
{
    print_byte_rules(e, c);
    text_move(c, &e->consts);
    text_add(c, "\n", 1);
    text_move(c, &e->functions);
    text_move(c, &e->body);
}

/* In front of the kernels that use it. */
static void print_times(const Emitter *e, Text *c)
{
    if (only_shifts(e->plan->g))
        text_printf(c, "/* All layers take their sums to codes by shifts. */\n"
                       "#define tn_times(sum, factor) ((void)(factor), (sum))\n\n");
}

static void print_one_file(Emitter *e, Text *c, Text *h)
{
    print_header(e, h);
    print_prelude(e, c);
    print_linkage(e, c);
    print_times(e, c);
    kernels_print(e, c);
    print_parts(e, c);
}

void emit_c(const Plan *p, Text *c, Text *h)
{
    Emitter e = emit_parts(p, 0);
    print_one_file(&e, c, h);
}

static void print_split_files(Emitter *e, int count, SourceFiles *f)
{
    const char *id = e->plan->id;
    Text *parts = NEW_ARRAY(Text, count), private = {0}, *c = &f->items[0].text;
    print_header(e, &f->items[1].text);
    print_prelude(e, c);
    text_printf(c, "#include \"%s\"\n\n", split_header_name(id));
    print_split(e, &private, parts);
    print_parts(e, c);
    f->items[f->count++] = (SourceFile){split_header_name(id), private};
    for (int i = 0; i < count; i++)
        f->items[f->count++] = (SourceFile){split_file_name(id, i), parts[i]};
}

static void add_weights_files(Emitter *e, SourceFiles *f)
{
    SourceFile *assembler = &f->items[f->count++], *bytes = &f->items[f->count++];
    assembler->name = mem_printf("%s_weights.S", e->plan->id);
    print_title(&assembler->text, assembler->name, e->plan->g->file);
    print_weights_file(e, &assembler->text);
    bytes->name = weights_file_name(e->plan->id);
    text_move(&bytes->text, &e->weight_bytes);
}

SourceFiles model_files(const Plan *p)
{
    int count = split_count(p);
    Emitter e = emit_parts(p, count);
    SourceFiles f = {NEW_ARRAY(SourceFile, count + 5), 2};
    f.items[0].name = mem_printf("%s.c", p->id);
    f.items[1].name = mem_printf("%s.h", p->id);
    if (count)
        print_split_files(&e, count, &f);
    else
        print_one_file(&e, &f.items[0].text, &f.items[1].text);
    if (e.symbols.len)
        add_weights_files(&e, &f);
    return f;
}

/* ---- several models ---- */

static void print_shared_title(Text *t, const char *file, const Plan *const *plans, int count)
{
    Text names = {0};
    for (int i = 0; i < count; i++)
        text_printf(&names, "%s%s", i ? ", " : "", comment_text(file_name(plans[i]->g->file)));
    print_title(t, file, names.data);
    text_free(&names);
}

static void print_shared_kernels(const Emitter *all, const Plan *const *plans, int count, Text *h)
{
    print_shared_title(h, "kernels.h", plans, count);
    text_printf(
        h,
        "#ifndef TERNC_KERNELS_H\n#define TERNC_KERNELS_H\n\n#include <stddef.h>\n#include <stdint.h>\n"
        "#include <string.h>\n%s\n#ifndef TN_ROM\n#define TN_ROM\n#endif\n\n",
        math_text(all));
    if (plans[0]->opt->optimize == OPTIMIZE_SIZE)
        text_printf(h,
                    "/* Every file may inline these; kernels.c has the one copy of what is not inlined. */\n"
                    "#ifndef TN_KERNEL\n#define TN_KERNEL inline\n#endif\n\n");
    else
        print_linkage(all, h);
    kernels_print(all, h);
    text_printf(h, "#endif\n");
}

void emit_shared(const Plan *const *plans, int count, Text *c, Text *h, Text *kernels_c, Text *kernels_h)
{
    Emitter *e = NEW_ARRAY(Emitter, count), all = {.plan = plans[0]};
    for (int i = 0; i < count; i++) {
        e[i] = emit_parts(plans[i], 0);
        kernels_merge(&all, &e[i]);
        print_header(&e[i], &h[i]);
        print_prelude(&e[i], &c[i]);
        text_printf(&c[i], "#include \"kernels.h\"\n\n");
        print_parts(&e[i], &c[i]);
    }
    print_shared_kernels(&all, plans, count, kernels_h);
    if (plans[0]->opt->optimize == OPTIMIZE_SPEED)
        return;
    print_shared_title(kernels_c, "kernels.c", plans, count);
    text_printf(kernels_c, "#define TN_KERNEL extern inline\n#include \"kernels.h\"\n");
}
