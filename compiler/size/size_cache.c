/* size_cache.c - objects that were compiled before, kept by the hash of all that goes into them. An entry is
 * one file: a header with the hash of what follows, the object, the stack report. A damaged entry is as good
 * as none, and so is one that somebody else may have written; nothing here fails a measurement. */
#include "base/abandoned.h"
#include "base/cleanup.h"
#include "size/size.h"

#include <dirent.h>
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

#define NEW_START "new-" /* of files that are being written */

static const char entry_magic[16] = "ternc-object-1";

/* Of this user, and so is a link that leads there. */
static bool is_own_folder(const char *path)
{
    struct stat st;
    return !lstat(path, &st) && st.st_uid == geteuid() && !stat(path, &st) && st.st_uid == geteuid() &&
           S_ISDIR(st.st_mode);
}

const char *cache_folder(void)
{
    const char *base = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    if (!base || base[0] != '/') {
        if (!home || home[0] != '/')
            return NULL;
        base = mem_printf("%s/.cache", home);
    }
    const char *folder = mem_printf("%s/ternc", base);
    mkdir(base, 0700);
    mkdir(folder, 0700);
    return is_own_folder(folder) && !chmod(folder, 0700) ? folder : NULL;
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

/* A regular file of this user, read as a whole; NULL: it is none. */
static const uint8_t *read_entry(const char *path, size_t *len)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    bool ours = fd >= 0 && !fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_uid == geteuid();
    uint8_t *data = NULL;
    *len = ours ? (size_t)st.st_size : 0;
    if (*len >= sizeof(EntryHeader))
        data = NEW_ARRAY(uint8_t, st.st_size);
    if (data && read(fd, data, *len) != (ssize_t)*len)
        data = NULL;
    if (fd >= 0)
        close(fd);
    return data;
}

bool cache_load(const char *folder, SizeBuild *b)
{
    const char *path = entry_path(folder, b->key);
    size_t len;
    const uint8_t *file = read_entry(path, &len);
    EntryHeader h;
    if (!file)
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
    char *temp = mem_printf("%s/" NEW_START "XXXXXX", folder);
    sigset_t before = cleanup_hold();
    int fd = mkostemp(temp, O_CLOEXEC);
    bool ours = fd >= 0 && own_file(fd, temp);
    if (ours)
        cleanup_add(LEFT_FILE, temp);
    cleanup_release(&before);
    if (ours) {
        bool written =
            write(fd, &h, sizeof h) == (ssize_t)sizeof h && write(fd, all.data, len) == (ssize_t)len;
        if (!written || rename(temp, entry_path(folder, b->key)) != 0)
            unlink(temp);
        close(fd);
        cleanup_drop(temp);
    }
    text_free(&all);
}

static bool is_entry(const char *name)
{
    size_t n = strlen(name);
    return n > 7 && !strcmp(name + n - 7, ".object");
}

void cache_expire(const char *folder)
{
    DIR *d = opendir(folder);
    time_t now = time(NULL);
    remove_abandoned_files(folder, NEW_START, "");
    for (struct dirent *entry; d && (entry = readdir(d));) {
        struct stat st;
        if (is_entry(entry->d_name) && !fstatat(dirfd(d), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) &&
            S_ISREG(st.st_mode) && now - st.st_mtime > MAX_AGE)
            unlinkat(dirfd(d), entry->d_name, 0);
    }
    if (d)
        closedir(d);
}
