/* out_file.c - files that appear complete or not at all, and files that are mapped. */
#include "base/cleanup.h"
#include "base/out_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

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
        fail("%s: cannot read: %s", path,
             S_ISDIR(st.st_mode) ? "it is a directory" : "it is not a regular file");
    *len = (size_t)st.st_size;
    const uint8_t *p = (const uint8_t *)"";
    if (*len) {
        p = mmap(NULL, *len, PROT_READ, MAP_PRIVATE, fd, 0);
        if (p == MAP_FAILED)
            fail("%s: cannot read: %s", path, strerror(errno));
        mem_raise_limit(*len);
    }
    close(fd);
    return p;
}

void file_unmap(const uint8_t *data, size_t len)
{
    if (!len)
        return;
    munmap((void *)data, len);
    mem_lower_limit(len);
}
