/* abandoned.c - what a ternc that was killed left behind is known by its name and by its lock: a process that
 * lives holds the lock of its temporary files, wherever it runs, and the system takes it from one that died.
 * File systems without locks keep what was left. */
#include "base/abandoned.h"
#include "base/base.h"
#include "base/cleanup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { RANDOM_BYTES = 6 }; /* of mkstemp */

bool own_file(int fd, const char *path)
{
    bool taken = flock(fd, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK;
    if (!taken && !access(path, F_OK))
        return true;
    close(fd);
    return false;
}

static bool is_temporary(const char *name, const char *start, const char *end)
{
    size_t n = strlen(start);
    return strlen(name) == n + RANDOM_BYTES + strlen(end) && !strncmp(name, start, n) &&
           !strcmp(name + n + RANDOM_BYTES, end);
}

/* Opens the file if it is of this user and nobody's that lives; -1: it is not. */
static int open_abandoned(int folder, const char *name)
{
    struct stat st;
    if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) || !S_ISREG(st.st_mode) || st.st_uid != geteuid())
        return -1;
    int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 || !flock(fd, LOCK_EX | LOCK_NB))
        return fd;
    close(fd);
    return -1;
}

void remove_abandoned_files(const char *folder, const char *start, const char *end)
{
    DIR *d = opendir(folder);
    for (struct dirent *entry; d && (entry = readdir(d));) {
        int fd = is_temporary(entry->d_name, start, end) ? open_abandoned(dirfd(d), entry->d_name) : -1;
        if (fd < 0)
            continue;
        unlinkat(dirfd(d), entry->d_name, 0);
        close(fd);
    }
    if (d)
        closedir(d);
}

static bool is_own_folder(int parent, const char *name)
{
    struct stat st;
    return !fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) && S_ISDIR(st.st_mode) && st.st_uid == geteuid();
}

void remove_abandoned_folders(const char *folder, const char *start, const char *lock)
{
    DIR *d = opendir(folder);
    for (struct dirent *entry; d && (entry = readdir(d));) {
        const char *name = entry->d_name;
        if (!is_temporary(name, start, "") || !is_own_folder(dirfd(d), name))
            continue;
        int fd = open_abandoned(dirfd(d), mem_printf("%s/%s", name, lock));
        if (fd < 0)
            continue;
        cleanup_tree(mem_printf("%s/%s", folder, name));
        close(fd);
    }
    if (d)
        closedir(d);
}
