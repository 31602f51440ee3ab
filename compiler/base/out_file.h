/* out_file.h - files that are written, and files that are mapped. */
#ifndef TERNC_OUT_FILE_H
#define TERNC_OUT_FILE_H

#include "base/base.h"

/* Files that appear complete or not at all: written to a temporary name beside PATH (removed on any exit),
 * renamed by out_commit. All fail with the path and the system's reason. */
typedef struct OutFile {
    FILE *f;
    char *path, *temp;
} OutFile;
OutFile *out_open(const char *path);
void out_sync(OutFile *o); /* all is on the disk: of several files, sync each, then commit each */
void out_commit(OutFile *o);
void out_check(const char *path); /* fails as out_open would: for what is to be written hours later */

/* A whole file, memory-mapped read-only; fails on directories and unreadable files. len 0 is allowed. */
const uint8_t *file_map(const char *path, size_t *len);
void file_unmap(const uint8_t *data, size_t len);

#endif
