/* base.c - memory, growing text, the two error doors, and files that appear complete or not at all. */
#include "base/cleanup.h"
#include "graph/ir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- memory ---- */

enum { BLOCK_BYTES = 1 << 20, HEADER_BYTES = 32 };

typedef struct Block {
    struct Block *next;
    size_t used;  /* bytes behind the header */
    size_t bytes; /* of all, the header included */
} Block;

static Block *blocks; /* the newest first; process-wide on purpose: memory lives to exit */

/* What blocks and texts take, once there is a limit. */
static struct {
    size_t taken, limit; /* limit 0: none */
    size_t per_byte;     /* of mapped files */
    const char *what;
} budget;

void mem_limit(const char *what, size_t bytes, size_t per_byte)
{
    budget.what = what;
    budget.limit = bytes;
    budget.per_byte = per_byte;
}

static void take_budget(size_t bytes)
{
    size_t limit = budget.limit;
    budget.taken += limit ? bytes : 0;
    if (budget.taken <= limit)
        return;
    budget.limit = budget.taken = 0; /* what the way out takes is not counted */
    fail("%s: needs more than %zu MiB of memory; --memory MIB allows more", budget.what, limit >> 20);
}

static void give_budget(size_t bytes)
{
    budget.taken -= bytes < budget.taken ? bytes : budget.taken;
}

static Block *new_block(size_t bytes)
{
    take_budget(HEADER_BYTES + bytes);
    Block *b = calloc(1, HEADER_BYTES + bytes);
    if (!b)
        fail("out of memory: cannot get %zu bytes", bytes);
    b->bytes = HEADER_BYTES + bytes;
    b->next = blocks;
    blocks = b;
    return b;
}

void *mem_alloc(size_t bytes)
{
    _Static_assert(sizeof(Block) <= HEADER_BYTES, "objects start 16-byte aligned");
    if (bytes > SIZE_MAX / 2)
        fail("out of memory: cannot get %zu bytes", bytes);
#ifdef TERNC_MALLOC
    return (char *)new_block(bytes) + HEADER_BYTES;
#else
    bytes = (bytes + 15) & ~(size_t)15;
    if (bytes > BLOCK_BYTES / 4) { /* a block of its own, behind the one in use */
        Block *current = blocks, *own = new_block(bytes);
        if (current) {
            blocks = current;
            own->next = current->next;
            current->next = own;
        }
        own->used = BLOCK_BYTES;
        return (char *)own + HEADER_BYTES;
    }
    if (!blocks || blocks->used + bytes > BLOCK_BYTES)
        new_block(BLOCK_BYTES);
    void *p = (char *)blocks + HEADER_BYTES + blocks->used;
    blocks->used += bytes;
    return p;
#endif
}

void *mem_array(int64_t count, size_t size)
{
    if (count < 0 || (size && (uint64_t)count > SIZE_MAX / 2 / size))
        fail("out of memory: %lld objects of %zu bytes", (long long)count, size);
    return mem_alloc((size_t)count * size);
}

char *mem_strdup(const char *s)
{
    size_t n = strlen(s) + 1;
    return memcpy(mem_alloc(n), s, n);
}

char *mem_printf(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    char *s = mem_alloc((size_t)n + 1);
    va_start(ap, fmt);
    vsnprintf(s, (size_t)n + 1, fmt, ap);
    va_end(ap);
    return s;
}

/* The newest block, behind which nothing is placed any more: a fresh one lies before it. */
void *mem_mark(void)
{
    Block *mark = blocks;
    new_block(BLOCK_BYTES);
    return mark;
}

void mem_release(void *mark)
{
    while (blocks != mark) {
        Block *b = blocks;
        blocks = b->next;
        give_budget(b->bytes);
        free(b);
    }
}

void mem_reset(void)
{
    while (blocks) {
        Block *b = blocks;
        blocks = b->next;
        free(b);
    }
}

/* ---- growing text ---- */

static void text_reserve(Text *t, size_t more)
{
    if (t->len + more + 1 <= t->cap)
        return;
    size_t cap = (t->len + more + 1) * 2;
    take_budget(cap - t->cap);
    t->cap = cap;
    t->data = realloc(t->data, t->cap);
    if (!t->data)
        fail("out of memory: a text of %zu bytes", t->cap);
}

void text_add(Text *t, const char *s, size_t n)
{
    text_reserve(t, n);
    memcpy(t->data + t->len, s, n);
    t->len += n;
    t->data[t->len] = 0;
}

void text_printf(Text *t, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    text_reserve(t, (size_t)n);
    va_start(ap, fmt);
    vsnprintf(t->data + t->len, (size_t)n + 1, fmt, ap);
    va_end(ap);
    t->len += (size_t)n;
}

void text_move(Text *to, Text *from)
{
    if (from->len)
        text_add(to, from->data, from->len);
    text_free(from);
}

void text_free(Text *t)
{
    give_budget(t->cap);
    free(t->data);
    *t = (Text){0};
}

char *text_take(Text *t)
{
    char *copy = mem_strdup(t->data ? t->data : "");
    text_free(t);
    return copy;
}

/* ---- errors ---- */

static Trap *trap;

void trap_set(Trap *t)
{
    trap = t;
    t->code = 0;
    t->message[0] = 0;
}

void trap_end(void)
{
    trap = NULL;
}

static _Noreturn void leave(int code, const char *kind, const char *place, const char *fmt, va_list ap)
{
    char message[sizeof trap->message];
    int n = snprintf(message, sizeof message, "%s%s", place, place[0] ? ": " : "");
    if (n >= 0 && (size_t)n < sizeof message)
        vsnprintf(message + n, sizeof message - (size_t)n, fmt, ap);
    if (trap) {
        Trap *t = trap;
        trap = NULL;
        t->code = code;
        memcpy(t->message, message, sizeof message);
        longjmp(t->env, 1);
    }
    fflush(stdout);
    fprintf(stderr, "ternc: %s: %s\n", kind, message);
    exit(code);
}

void fail(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    leave(1, "error", "", fmt, ap);
}

static void add_input_types(Text *t, const Node *n)
{
    for (int i = 0; i < n->num_in; i++)
        text_printf(t, "%s%s", i ? ", " : " [inputs ", n->in[i] ? type_text(n->in[i]->type) : "none");
    if (n->num_in)
        text_printf(t, "]");
}

void fail_node(const Graph *g, const Node *n, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    char message[2048];
    vsnprintf(message, sizeof message, fmt, ap);
    va_end(ap);
    Text inputs = {0};
    add_input_types(&inputs, n);
    char *all = mem_printf("%s: node '%s' (%s): %s%s", g->file, node_label(n), n->op_name, message,
                           inputs.data ? inputs.data : "");
    text_free(&inputs);
    fail("%s", all);
}

void usage(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    leave(2, "usage", "", fmt, ap);
}

void bug_at(const char *file, int line, const char *fmt, ...)
{
    char place[256];
    snprintf(place, sizeof place, "%s:%d", file, line);
    va_list ap;
    va_start(ap, fmt);
    leave(3, "internal error, please report it", place, fmt, ap);
}

void note(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    fputs("ternc: note: ", stderr);
    vfprintf(stderr, fmt, ap);
    fputc('\n', stderr);
    va_end(ap);
}

/* ---- files ---- */

OutFile *out_open(const char *path)
{
    OutFile *o = calloc(1, sizeof *o);
    char *real = realpath(path, NULL); /* a link stays a link */
    if (!o || !(o->path = real ? real : strdup(path)) || !(o->temp = malloc(strlen(o->path) + 32)))
        fail("out of memory");
    struct stat st;
    bool exists = !stat(o->path, &st);
    if (exists && S_ISDIR(st.st_mode))
        fail("%s: cannot write: it is a directory", path);
    bool special = exists && !S_ISREG(st.st_mode); /* a pipe or device cannot be replaced, only written */
    if (special)
        strcpy(o->temp, o->path);
    else
        sprintf(o->temp, "%s.tmp%ld", o->path, (long)getpid());
    if (!special)
        cleanup_add(LEFT_FILE, o->temp);
    o->f = fopen(o->temp, "wb");
    if (!o->f)
        fail("%s: cannot write: %s", path, strerror(errno));
    return o;
}

/* After a write that failed the reason is its own: what is tried then would have others. */
void out_sync(OutFile *o)
{
    bool good = !ferror(o->f) && !fflush(o->f);
    if (!good || (fsync(fileno(o->f)) && errno != EINVAL && errno != EROFS)) /* EINVAL: a device or pipe */
        fail("%s: cannot write: %s", o->path, strerror(errno));
}

static void out_free(OutFile *o)
{
    cleanup_drop(o->temp);
    free(o->path);
    free(o->temp);
    free(o);
}

void out_commit(OutFile *o)
{
    out_sync(o);
    if (fclose(o->f) || (strcmp(o->temp, o->path) != 0 && rename(o->temp, o->path)))
        fail("%s: cannot write: %s", o->path, strerror(errno));
    out_free(o);
}

/* Opening a pipe would do something already. */
void out_check(const char *path)
{
    struct stat st;
    if (!stat(path, &st) && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
        return;
    OutFile *o = out_open(path);
    fclose(o->f);
    unlink(o->temp);
    out_free(o);
}

const uint8_t *file_map(const char *path, size_t *len)
{
    int fd = open(path, O_RDONLY);
    if (fd < 0)
        fail("%s: cannot read: %s", path, strerror(errno));
    struct stat st;
    if (fstat(fd, &st))
        fail("%s: cannot read: %s", path, strerror(errno));
    if (!S_ISREG(st.st_mode))
        fail("%s: cannot read: %s", path, S_ISDIR(st.st_mode) ? "it is a directory" : "it is not a regular file");
    *len = (size_t)st.st_size;
    const uint8_t *p = (const uint8_t *)"";
    if (*len) {
        p = mmap(NULL, *len, PROT_READ, MAP_PRIVATE, fd, 0);
        if (p == MAP_FAILED)
            fail("%s: cannot read: %s", path, strerror(errno));
        budget.limit += budget.limit ? budget.per_byte * *len : 0;
    }
    close(fd);
    return p;
}
