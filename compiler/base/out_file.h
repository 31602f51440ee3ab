/* out_file.h - files that are written (out_file.c), and files that are mapped (in_file.c). */
#ifndef TERNC_OUT_FILE_H
#define TERNC_OUT_FILE_H

#include "base/base.h"

/* Files that appear complete or not at all: written to a temporary name beside PATH (removed on any exit),
 * renamed by out_commit. All fail with the path and the system's reason. */
typedef struct OutFile {
    FILE *f;
    char *path, *temp; /* for the system: shown_text makes them fit for messages */
} OutFile;
OutFile *out_open(const char *path);
void out_sync(OutFile *o); /* all is on the disk: of several files, sync each, then commit each */
void out_commit(OutFile *o);
void out_check(const char *path); /* fails as out_open would: for what is to be written hours later */

/* A regular file; -1 with the reason: it cannot be read. */
int file_open(const char *path, size_t *len, const char **problem);
/* A part of the open file, memory-mapped read-only; NULL with errno. len is not 0. */
const uint8_t *file_map_part(const char *path, int fd, uint64_t offset, size_t len);
/* A whole file, memory-mapped read-only; fails on what is no regular file or unreadable. len 0 is allowed. */
const uint8_t *file_map(const char *path, size_t *len);
/* It takes no memory until it is read again. */
void file_unload(const uint8_t *data, size_t len);
void file_unmap(const uint8_t *data, size_t len);

#endif
