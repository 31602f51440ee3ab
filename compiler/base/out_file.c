/* out_file.c - files that appear complete or not at all.
 *
 * The temporary file lies beside its place under a name that nobody can guess and that is made anew (O_EXCL),
 * so no link that waits there is followed. It takes over the mode of the file that it replaces. */
#include "base/abandoned.h"
#include "base/cleanup.h"
#include "base/out_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEMP_START ".ternc-"
#define TEMP_END ".tmp"

static _Noreturn void fail_write(const char *path, int reason)
{
    fail("%s: cannot write: %s", shown_text(path),
         reason == EFAULT ? "a file that was read for it was cut off meanwhile" : strerror(reason));
}

/* Where the file comes to lie: behind symbolic links, which stay, as compilers have it, also where the last
 * one leads to nothing yet. The system may forbid to follow a link, as those of others in /tmp. */
static char *final_path(const char *path)
{
    struct stat st;
    char target[PATH_MAX], *real = NULL;
    if (stat(path, &st) && errno != ENOENT)
        fail_write(path, errno);
    real = realpath(path, NULL);
    if (real)
        return real;
    ssize_t n = readlink(path, target, sizeof target - 1);
    if (n < 0)
        return strdup(path);
    target[n] = 0;
    const char *slash = strrchr(path, '/');
    int folder = slash && target[0] != '/' ? (int)(slash + 1 - path) : 0;
    return final_path(mem_printf("%.*s%s", folder, path, target));
}

static void remove_abandoned_beside(const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    const char *folder = slash ? mem_printf("%.*s/", (int)(slash - path), path) : ".";
    remove_abandoned_files(folder, mem_printf("%s" TEMP_START, name), TEMP_END);
}

/* -1 with errno: it cannot be made. */
static int make_temp(const OutFile *o)
{
    int fd, reason = 0;
    remove_abandoned_beside(o->path);
    sigset_t before = cleanup_hold();
    do {
        sprintf(o->temp, "%s" TEMP_START "XXXXXX" TEMP_END, o->path);
        fd = mkostemps(o->temp, sizeof TEMP_END - 1, O_CLOEXEC);
        reason = errno;
    } while (fd >= 0 && !own_file(fd, o->temp));
    if (fd >= 0)
        cleanup_add(LEFT_FILE, o->temp);
    cleanup_release(&before);
    errno = reason;
    return fd;
}

static mode_t new_mode(void)
{
    mode_t mask = umask(0);
    umask(mask);
    return 0666 & ~mask;
}

/* A pipe or device cannot be replaced, only written. */
static int open_place(OutFile *o, const char *path)
{
    struct stat st;
    bool exists = !stat(o->path, &st);
    if (exists && S_ISDIR(st.st_mode))
        fail("%s: cannot write: it is a directory", path);
    if (exists && !S_ISREG(st.st_mode)) {
        strcpy(o->temp, o->path);
        return open(o->path, O_WRONLY | O_NOCTTY | O_CLOEXEC);
    }
    int fd = make_temp(o);
    if (fd >= 0)
        fchmod(fd, exists ? st.st_mode & 0777 : new_mode());
    return fd;
}

OutFile *out_open(const char *path)
{
    OutFile *o = calloc(1, sizeof *o);
    if (!o || !(o->path = final_path(raw_text(path))) || !(o->temp = malloc(strlen(o->path) + 32)))
        fail("out of memory");
    int fd = open_place(o, path);
    o->f = fd < 0 ? NULL : fdopen(fd, "wb");
    if (!o->f)
        fail_write(path, errno);
    return o;
}

/* After a write that failed the reason is its own: what is tried then would have others. */
void out_sync(OutFile *o)
{
    bool good = !ferror(o->f) && !fflush(o->f);
    if (!good || (fsync(fileno(o->f)) && errno != EINVAL && errno != EROFS)) /* EINVAL: a device or pipe */
        fail_write(o->path, errno);
}

static void out_free(OutFile *o)
{
    cleanup_drop(o->temp);
    free(o->path);
    free(o->temp);
    free(o);
}

/* Renamed before it is closed: until then no other ternc takes it for abandoned. */
void out_commit(OutFile *o)
{
    out_sync(o);
    if ((strcmp(o->temp, o->path) != 0 && rename(o->temp, o->path)) || fclose(o->f))
        fail_write(o->path, errno);
    out_free(o);
}

/* Opening a pipe would do something already. */
void out_check(const char *path)
{
    struct stat st;
    if (!stat(raw_text(path), &st) && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
        return;
    OutFile *o = out_open(path);
    unlink(o->temp);
    fclose(o->f);
    out_free(o);
}
