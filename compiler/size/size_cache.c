/* size_cache.c - objects that were compiled before, kept by the hash of all that goes into them. An entry is
 * one file: a header with the hash of what follows, the object, the stack report. A damaged entry is as good
 * as none; nothing here fails a measurement. */
#include "base/cleanup.h"
#include "base/out_file.h"
#include "size/size.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <xxhash.h>

enum { MAX_AGE = 31 * 24 * 3600 /* seconds since an entry was last asked for */ };

typedef struct EntryHeader {
    char magic[16];
    uint64_t key[2];   /* of the entry */
    uint64_t check[2]; /* of all bytes behind the header */
    uint64_t object_len, stack_len;
} EntryHeader;

static const char entry_magic[16] = "ternc-object-1";

static const char *make_folder(const char *path)
{
    return mkdir(path, 0777) == 0 || errno == EEXIST ? path : NULL;
}

const char *cache_folder(void)
{
    const char *base = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    if (!base || base[0] != '/') {
        if (!home || home[0] != '/')
            return NULL;
        base = mem_printf("%s/.cache", home);
    }
    return make_folder(base) ? make_folder(mem_printf("%s/ternc", base)) : NULL;
}

static char *entry_path(const char *folder, Hash key)
{
    return mem_printf("%s/%016llx%016llx.object", folder, (unsigned long long)key.high,
                      (unsigned long long)key.low);
}

static bool entry_is_sound(const EntryHeader *h, const uint8_t *body, size_t len, Hash key)
{
    if (memcmp(h->magic, entry_magic, sizeof entry_magic) != 0 || h->key[0] != key.low ||
        h->key[1] != key.high)
        return false;
    if (h->object_len > len || h->stack_len != len - h->object_len)
        return false;
    XXH128_hash_t check = XXH3_128bits(body, len);
    return check.low64 == h->check[0] && check.high64 == h->check[1];
}

bool cache_load(const char *folder, SizeBuild *b)
{
    const char *path = entry_path(folder, b->key);
    if (access(path, R_OK) != 0)
        return false;
    size_t len;
    const uint8_t *file = file_map(path, &len);
    EntryHeader h;
    if (len < sizeof h)
        return false;
    memcpy(&h, file, sizeof h);
    const uint8_t *body = file + sizeof h;
    if (!entry_is_sound(&h, body, len - sizeof h, b->key))
        return false;
    b->object = body;
    b->object_len = (size_t)h.object_len;
    b->stack = mem_printf("%.*s", (int)h.stack_len, (const char *)body + h.object_len);
    b->cached = true;
    utimensat(AT_FDCWD, path, NULL, 0); /* now: see cache_expire */
    return true;
}

void cache_store(const char *folder, const SizeBuild *b)
{
    size_t stack_len = strlen(b->stack), len = b->object_len + stack_len;
    Text all = {0};
    text_add(&all, (const char *)b->object, b->object_len);
    text_add(&all, b->stack, stack_len);
    XXH128_hash_t check = XXH3_128bits(all.data, len);
    EntryHeader h = {.key = {b->key.low, b->key.high},
                     .check = {check.low64, check.high64},
                     .object_len = b->object_len,
                     .stack_len = stack_len};
    memcpy(h.magic, entry_magic, sizeof entry_magic);
    char *temp = mem_printf("%s/new-XXXXXX", folder);
    sigset_t before = cleanup_hold();
    int fd = mkstemp(temp);
    if (fd >= 0)
        cleanup_add(LEFT_FILE, temp);
    cleanup_release(&before);
    if (fd >= 0) {
        bool written =
            write(fd, &h, sizeof h) == (ssize_t)sizeof h && write(fd, all.data, len) == (ssize_t)len;
        if (close(fd) != 0 || !written || rename(temp, entry_path(folder, b->key)) != 0)
            unlink(temp);
        cleanup_drop(temp);
    }
    text_free(&all);
}

static bool is_ours(const char *name)
{
    size_t n = strlen(name);
    return (n > 7 && !strcmp(name + n - 7, ".object")) || !strncmp(name, "new-", 4);
}

void cache_expire(const char *folder)
{
    DIR *d = opendir(folder);
    time_t now = time(NULL);
    for (struct dirent *entry; d && (entry = readdir(d));) {
        struct stat st;
        if (is_ours(entry->d_name) && !fstatat(dirfd(d), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) &&
            S_ISREG(st.st_mode) && now - st.st_mtime > MAX_AGE)
            unlinkat(dirfd(d), entry->d_name, 0);
    }
    if (d)
        closedir(d);
}
