/* abandoned.h - what a ternc that was killed left behind (abandoned.c). */
#ifndef TERNC_ABANDONED_H
#define TERNC_ABANDONED_H

#include <stdbool.h>

/* Whether the new file is ours; else another ternc took it for an abandoned one, and fd is closed. It is
 * locked until fd is closed, of which programs that are started know nothing. */
bool own_file(int fd, const char *path);
/* In the folder the files `start` XXXXXX `end` of this user that no process has locked go. */
void remove_abandoned_files(const char *folder, const char *start, const char *end);
/* The same for folders that hold such a lock file. */
void remove_abandoned_folders(const char *folder, const char *start, const char *lock);

#endif
