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
