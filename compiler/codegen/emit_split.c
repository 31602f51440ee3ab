/* emit_split.c - a model as several C files (--split): the functions of unrolled terms, which are what
 * compilers work on for long, go to NAME_1.c, NAME_2.c, ..., the rest to NAME.c. NAME_split.h is for these
 * files alone: kernels, and the functions by the names that they have in all files, with NAME in front. */
#include "codegen/codegen.h"
#include "print/emitter.h"

#include <string.h>

struct Split {
    int count;
    Text *files, header;
    Text *outside; /* where lines go when the function ends; NULL: no function is open */
};

int split_count(const Plan *p)
{
    enum { MANY = 400000, PART = 100000 }; /* terms: some seconds of a compiler's time each */
    int64_t terms = 0;
    if (p->opt->split != SPLIT_AUTO)
        return p->opt->split == SPLIT_NONE ? 0 : p->opt->split;
    for (int i = 0; i < p->g->num_nodes; i++) {
        const Layer *l;
        for (int k = 0; (l = node_layer(p->g->nodes[i], k)); k++)
            terms += l->form->unrolled ? layer_weight_count(l) - l->zeros : 0;
    }
    int64_t parts = terms < MANY ? 0 : (terms + PART - 1) / PART;
    return parts < MAX_SPLIT ? (int)parts : MAX_SPLIT;
}

struct Split *split_new(int count)
{
    struct Split *s = NEW(struct Split);
    s->count = count;
    s->files = NEW_ARRAY(Text, count);
    return s;
}

static Text *shortest_file(const struct Split *s)
{
    Text *least = s->files;
    for (int i = 1; i < s->count; i++)
        if (s->files[i].len < least->len)
            least = &s->files[i];
    return least;
}

void emit_begin_part(Emitter *e, const char *name, const char *parameters)
{
    struct Split *s = e->split;
    if (!s) {
        emit_line(e, "static %svoid %s(%s)", e->plan->opt->optimize == OPTIMIZE_SPEED ? "TN_APART " : "",
                  name, parameters);
        return;
    }
    text_printf(&s->header, "#define %s %s_%s\nvoid %s(%s);\n", name, e->plan->id, name, name, parameters);
    s->outside = e->out;
    e->out = shortest_file(s);
    emit_line(e, "void %s(%s)", name, parameters);
}

void emit_end_part(Emitter *e)
{
    if (!e->split)
        return;
    if (!e->split->outside)
        bug("a part ends that was not begun");
    e->out = e->split->outside;
    e->split->outside = NULL;
}

const char *split_header_name(const char *id)
{
    return mem_printf("%s_split.h", id);
}

const char *split_file_name(const char *id, int i)
{
    return mem_printf("%s_%d.c", id, i + 1);
}

void print_split(Emitter *e, Text *header, Text *files)
{
    struct Split *s = e->split;
    const char *id = e->plan->id, *model = e->plan->g->file;
    print_title(header, split_header_name(id), model);
    text_printf(header,
                "/* Compile %s.c and %s to %s at the same time, each with the same flags. With GNU make -j:\n"
                " *     %s_objects := %s.o $(foreach i,$(shell seq %d),%s_$(i).o) */\n",
                id, split_file_name(id, 0), split_file_name(id, s->count - 1), id, id, s->count, id);
    text_printf(header, "#ifndef %s_SPLIT_H\n#define %s_SPLIT_H\n\n", e->macro, e->macro);
    print_kernels(e, header);
    text_printf(header, "#if defined(__ELF__)\n#pragma GCC visibility push(hidden)\n#endif\n");
    text_move(header, &s->header);
    text_printf(header, "#if defined(__ELF__)\n#pragma GCC visibility pop\n#endif\n\n#endif\n");
    for (int i = 0; i < s->count; i++) {
        print_title(&files[i], split_file_name(id, i), model);
        text_printf(&files[i], "#include \"%s\"\n\n", split_header_name(id));
        text_move(&files[i], &s->files[i]);
    }
}
