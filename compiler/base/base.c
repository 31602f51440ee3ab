/* base.c - memory, growing text, the two error doors, and files that appear complete or not at all. */
#include "base/base.h"

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

void mem_raise_limit(size_t bytes)
{
    budget.limit += budget.limit ? budget.per_byte * bytes : 0;
}

void mem_lower_limit(size_t bytes)
{
    budget.limit -= budget.limit ? budget.per_byte * bytes : 0;
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
const char *int_text(int64_t v)
{
    return mem_printf("%lld", (long long)v);
}

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
    size_t cap = (t->len + more + 1) / 2 * 3 + 16; /* room counts as memory, so not too much of it */
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

/* The longer one stays where it is, so that no second copy of it is made. */
void text_move(Text *to, Text *from)
{
    if (from->len > to->len) {
        Text first = *to;
        text_reserve(from, first.len);
        memmove(from->data + first.len, from->data, from->len + 1);
        if (first.len)
            memcpy(from->data, first.data, first.len);
        from->len += first.len;
        *to = *from;
        *from = first;
    } else if (from->len) {
        text_add(to, from->data, from->len);
    }
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
    t->outer = trap;
    trap = t;
    t->code = 0;
    t->message[0] = 0;
}

void trap_end(void)
{
    trap = trap ? trap->outer : NULL;
}

static _Noreturn void leave(int code, const char *kind, const char *place, const char *fmt, va_list ap)
{
    char message[sizeof trap->message];
    int n = snprintf(message, sizeof message, "%s%s", place, place[0] ? ": " : "");
    if (n >= 0 && (size_t)n < sizeof message)
        vsnprintf(message + n, sizeof message - (size_t)n, fmt, ap);
    if (trap) {
        Trap *t = trap;
        trap = t->outer;
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

void add_string(Strings *list, const char *value)
{
    const char **items = (const char **)list->items;
    if (list->count >= list->cap) {
        list->cap = list->count < 8 ? 16 : 2 * list->count;
        items = NEW_ARRAY(const char *, list->cap);
        for (int i = 0; i < list->count; i++)
            items[i] = list->items[i];
        list->items = items;
    }
    items[list->count++] = value;
}
