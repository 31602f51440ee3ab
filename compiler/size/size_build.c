/* size_build.c - generated C to objects: several compilers at the same time, and none where the cache has the
 * object.
 *
 * Freestanding, with the two headers of runtime/freestanding; one section per function and array, so that a
 * section's name says whose it is; layers are kept out of their caller; no unwind tables, which llvm-size
 * would count as code. */
#include "base/out_file.h"
#include "size/size.h"

#include <string.h>
#include <unistd.h>
#include <xxhash.h>

enum { MAX_PROCESSES = 32 };

extern const char *const freestanding_string_lines[];
extern const char *const freestanding_math_lines[];

static const char *common_flags(void)
{
    return "-std=c99 -w -ffreestanding -ffunction-sections -fdata-sections -fno-asynchronous-unwind-tables "
           "-fstack-usage -DNET_LAYER=__attribute__((noinline)) -c";
}

/* ---- what is to be built ---- */

static const char *join_lines(const char *const *lines)
{
    Text t = {0};
    for (; *lines; lines++)
        text_printf(&t, "%s\n", *lines);
    return text_take(&t);
}

static const char *ask_version(const char *cc)
{
    Text err = {0};
    FILE *f = temp_file();
    int child = cc_start(cc, "--version", (const char *const[]){NULL}, f);
    int code = wait_program(&child);
    read_back(f, &err);
    char *text = text_take(&err), *rest = text;
    char *line = strsep(&rest, "\n");
    if (code == 127)
        fail("%s; --cc names another clang", line);
    if (code)
        fail("%s --version: exit code %d: %s", cc, code, line);
    return line;
}

Builder *builder_new(const BuildOptions *o, int processes)
{
    Builder *b = NEW(Builder);
    b->cc = o->cc;
    b->cflags = o->cflags;
    b->version = ask_version(o->cc);
    b->use_cache = !o->no_cache;
    b->processes = processes < MAX_PROCESSES ? processes : MAX_PROCESSES;
    return b;
}

static Hash hash_texts(const char *const *texts)
{
    Text all = {0};
    for (; *texts; texts++)
        text_add(&all, *texts, strlen(*texts) + 1);
    XXH128_hash_t h = XXH3_128bits(all.data, all.len);
    text_free(&all);
    return (Hash){h.low64, h.high64};
}

static void append_build(Builder *b, SizeBuild *build)
{
    if (b->count == b->cap) {
        b->cap = b->cap ? 2 * b->cap : 16;
        SizeBuild **more = NEW_ARRAY(SizeBuild *, b->cap);
        if (b->count)
            memcpy(more, b->builds, (size_t)b->count * sizeof *more);
        b->builds = more;
    }
    b->builds[b->count++] = build;
}

SizeBuild *builder_add(Builder *b, const Target *m, const char *c, const char *h, const char *label)
{
    /* wasm keeps zeros in the object, where an arena would look like constants */
    const char *arena = strstr(m->flags, "wasm") ? " -DNET_NO_STATIC_ARENA" : "";
    const char *flags = mem_printf("%s %s %s%s", b->cflags, m->flags, common_flags(), arena);
    const char *headers = join_lines(freestanding_string_lines), *math = join_lines(freestanding_math_lines);
    Hash key = hash_texts((const char *const[]){b->cc, b->version, flags, c, h, headers, math, NULL});
    for (int i = 0; i < b->count; i++)
        if (b->builds[i]->key.low == key.low && b->builds[i]->key.high == key.high)
            return b->builds[i];
    SizeBuild *build = NEW(SizeBuild);
    *build = (SizeBuild){.key = key, .flags = flags, .c = c, .h = h, .label = label};
    append_build(b, build);
    return build;
}

/* ---- running compilers ---- */

typedef struct Slot {
    int child; /* 0: free */
    SizeBuild *build;
    FILE *err;
} Slot;

static void write_text(const char *folder, const char *name, const char *text)
{
    file_write(mem_printf("%s/%s", folder, name), text, strlen(text));
}

static const char *write_headers(void)
{
    const char *folder = temp_folder();
    write_text(folder, "string.h", join_lines(freestanding_string_lines));
    write_text(folder, "math.h", join_lines(freestanding_math_lines));
    return folder;
}

static void start_build(Slot *s, const Builder *b, SizeBuild *build, const char *headers)
{
    build->folder = temp_folder();
    write_text(build->folder, "net.c", build->c);
    write_text(build->folder, "net.h", build->h);
    const char *const files[] = {"-isystem",
                                 headers,
                                 mem_printf("%s/net.c", build->folder),
                                 "-o",
                                 mem_printf("%s/net.o", build->folder),
                                 NULL};
    s->err = temp_file();
    s->build = build;
    s->child = cc_start(b->cc, build->flags, files, s->err);
}

/* Copied: the folder goes. */
static uint8_t *read_file(const char *path, size_t *len)
{
    const uint8_t *data = file_map(path, len);
    uint8_t *copy = NEW_ARRAY(uint8_t, (int64_t)*len + 1);
    memcpy(copy, data, *len);
    return copy;
}

static void finish_build(Slot *s, int code, const char *cache)
{
    SizeBuild *b = s->build;
    Text err = {0};
    read_back(s->err, &err);
    if (code == 127)
        fail("%s", err.data);
    if (code) {
        b->error =
            err.len > 1 ? mem_strdup(err.data) : mem_printf("the compiler ended with exit code %d", code);
    } else {
        size_t len;
        const char *stack = mem_printf("%s/net.su", b->folder);
        b->object = read_file(mem_printf("%s/net.o", b->folder), &b->object_len);
        /* Not every compiler writes one. */
        b->stack = access(stack, R_OK) ? "" : (const char *)read_file(stack, &len);
        if (cache)
            cache_store(cache, b);
    }
    text_free(&err);
    temp_remove(b->folder);
    s->child = 0;
}

static Slot *find_slot(Slot *slots, int count, int child)
{
    for (int i = 0; i < count; i++)
        if (slots[i].child == child)
            return &slots[i];
    return NULL;
}

/* Waits for the first compiler that ends. */
static void wait_slot(Slot *slots, int count, const char *cache)
{
    int child = -1, code = wait_program(&child);
    Slot *s = find_slot(slots, count, child);
    if (!s)
        bug("a child that nobody knows ended");
    finish_build(s, code, cache);
}

void builder_run(Builder *b)
{
    const char *cache = b->use_cache ? cache_folder() : NULL;
    const char *headers = write_headers();
    Slot *slots = NEW_ARRAY(Slot, b->processes);
    Progress p;
    int running = 0, done = 0;
    if (cache)
        cache_expire(cache);
    progress_begin(&p, "compiling", b->count);
    for (int i = 0; i < b->count; i++) {
        if (cache && cache_load(cache, b->builds[i])) {
            done++;
            continue;
        }
        if (running == b->processes) {
            wait_slot(slots, b->processes, cache);
            running--;
            progress_update(&p, ++done);
        }
        start_build(find_slot(slots, b->processes, 0), b, b->builds[i], headers);
        running++;
    }
    for (; running; running--) {
        wait_slot(slots, b->processes, cache);
        progress_update(&p, ++done);
    }
    progress_end(&p);
}
