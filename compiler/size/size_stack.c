/* size_stack.c - the most stack that a call of generated code takes: clang's frame of each function
 * (-fstack-usage, lines "file:line:function bytes kind"), summed along the deepest path of calls. Who calls
 * whom is what the object's relocations say. Functions from elsewhere (memcpy, software float) are not
 * counted. */
#include "size/size.h"

#include <stdlib.h>
#include <string.h>

typedef struct Frame {
    const char *function;
    int64_t bytes;
    int64_t depth; /* with all below; -1: not known yet, -2: being computed */
} Frame;

typedef struct Stack {
    Frame *frames;
    int count;
    const SizeObject *object;
    int call_bytes;
    bool unknown; /* recursion, or a frame of no fixed size */
} Stack;

static int count_lines(const char *s)
{
    int n = 0;
    for (; *s; s++)
        n += *s == '\n';
    return n;
}

/* "net.c:12:layer0\t216\tstatic" */
static void read_frame(Stack *s, char *line)
{
    char *where = strsep(&line, "\t"), *bytes = strsep(&line, "\t"), *kind = strsep(&line, "\t");
    char *colon = where ? strrchr(where, ':') : NULL;
    if (!colon || !bytes || !kind)
        return;
    s->unknown |= strcmp(kind, "static") != 0;
    s->frames[s->count++] = (Frame){colon + 1, strtoll(bytes, NULL, 10), -1};
}

static Frame *find_frame(Stack *s, const char *function)
{
    for (int i = 0; i < s->count; i++)
        if (!strcmp(s->frames[i].function, function))
            return &s->frames[i];
    return NULL;
}

static int64_t depth_of(Stack *s, Frame *f)
{
    if (f->depth == -2)
        s->unknown = true;
    if (f->depth != -1)
        return f->depth;
    f->depth = -2;
    int64_t below = 0;
    for (int i = 0; i < s->object->num_calls; i++) {
        const SizeCall *c = &s->object->calls[i];
        if (!c->to || strcmp(c->from, f->function) != 0 || !strcmp(c->to, f->function))
            continue;
        Frame *callee = find_frame(s, c->to);
        s->unknown |= !callee;
        int64_t depth = callee ? depth_of(s, callee) : 0;
        below = depth > below ? depth : below;
    }
    f->depth = f->bytes + s->call_bytes + below;
    return f->depth;
}

int64_t stack_depth(const char *su, const SizeObject *o, const char *root, int call_bytes)
{
    Stack s = {.frames = NEW_ARRAY(Frame, count_lines(su) + 1), .object = o, .call_bytes = call_bytes};
    char *rest = mem_strdup(su);
    for (char *line; (line = strsep(&rest, "\n"));)
        read_frame(&s, line);
    Frame *f = find_frame(&s, root);
    int64_t depth = f ? depth_of(&s, f) : -1;
    return s.unknown ? -1 : depth;
}
