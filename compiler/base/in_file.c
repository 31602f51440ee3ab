/* in_file.c - files that are read: regular ones alone, for others may never end, and mapped. Where one is cut
 * off while it is mapped, a read of what is gone is a SIGBUS, which ends the process with a message. */
#include "base/cleanup.h"
#include "base/out_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- files that are cut off ---- */

typedef struct Mapping {
    struct Mapping *next;
    const uint8_t *start;
    size_t len;
    char path[];
} Mapping;

static Mapping *_Atomic mappings; /* process-wide on purpose, as handlers are */

/* What lies nowhere in a file is a fault of ternc's, of which it dies when the handler returns. */
static void on_bus(int sig, siginfo_t *info, void *context)
{
    const Mapping *m = mappings;
    (void)context;
    while (m && (uintptr_t)info->si_addr - (uintptr_t)m->start >= m->len)
        m = m->next;
    if (!m) {
        signal(sig, SIG_DFL);
        return;
    }
    end_in_handler((const char *const[]){m->path, ": cannot read: the file was cut off meanwhile", NULL});
}

static void remember_mapping(const char *path, const uint8_t *start, size_t len)
{
    Mapping *m = malloc(sizeof *m + strlen(path) + 1);
    if (!m)
        fail("out of memory");
    *m = (Mapping){.next = mappings, .start = start, .len = len};
    strcpy(m->path, path);
    struct sigaction bus = {.sa_sigaction = on_bus, .sa_flags = SA_SIGINFO};
    if (!m->next)
        sigaction(SIGBUS, &bus, NULL);
    mappings = m;
}

/* The mapping goes; its place in the list stays, of no bytes. */
static void forget_mapping(const uint8_t *start)
{
    for (Mapping *m = mappings; m; m = m->next)
        if (m->start == start)
            m->len = 0;
}

/* ---- reading ---- */

/* NULL: it can be mapped. */
static const char *file_problem(bool known, const struct stat *st)
{
    if (!known)
        return strerror(errno);
    if (S_ISDIR(st->st_mode))
        return "it is a directory";
    return S_ISREG(st->st_mode) ? NULL : "it is not a regular file";
}

/* A pipe, or what stands for a device, is not even opened; nor one that takes the file's place meanwhile
 * waited for. */
int file_open(const char *path, size_t *len, const char **problem)
{
    struct stat st;
    const char *raw = raw_text(path);
    int fd = -1;
    *problem = file_problem(!stat(raw, &st), &st);
    if (*problem)
        return -1;
    fd = open(raw, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    *problem = file_problem(fd >= 0 && !fstat(fd, &st), &st);
    *len = (size_t)st.st_size;
    if (*problem && fd >= 0)
        close(fd);
    return *problem ? -1 : fd;
}

const uint8_t *file_map_part(const char *path, int fd, uint64_t offset, size_t len)
{
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), start = offset / page * page;
    size_t before = (size_t)(offset - start);
    const uint8_t *p = mmap(NULL, before + len, PROT_READ, MAP_PRIVATE, fd, (off_t)start);
    if (p == MAP_FAILED)
        return NULL;
    remember_mapping(path, p, before + len);
    return p + before;
}

const uint8_t *file_map(const char *path, size_t *len)
{
    const char *problem;
    int fd = file_open(path, len, &problem);
    if (fd < 0)
        fail("%s: cannot read: %s", path, problem);
    const uint8_t *p = *len ? file_map_part(path, fd, 0, *len) : (const uint8_t *)"";
    if (!p)
        fail("%s: cannot read: %s", path, strerror(errno));
    mem_raise_limit(*len);
    close(fd);
    return p;
}

void file_unload(const uint8_t *data, size_t len)
{
    if (len)
        madvise((void *)(uintptr_t)data, len, MADV_DONTNEED);
}

void file_unmap(const uint8_t *data, size_t len)
{
    if (!len)
        return;
    forget_mapping(data);
    munmap((void *)(uintptr_t)data, len);
    mem_lower_limit(len);
}
