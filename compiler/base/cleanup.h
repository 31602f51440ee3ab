/* cleanup.h - what must not outlive the process (cleanup.c). */
#ifndef TERNC_CLEANUP_H
#define TERNC_CLEANUP_H

#include <signal.h>

typedef enum Leftover {
    LEFT_NOTHING,
    LEFT_CHILD,       /* a running program: killed with what it has started */
    LEFT_FILE,        /* unlinked */
    LEFT_TREE,        /* a folder with all in it */
    LEFT_EMPTY_FOLDER /* removed where nothing came to lie in it */
} Leftover;

/* The path must stay until it is dropped; folders are not dropped by dropping what lies in them. */
void cleanup_add(Leftover kind, const char *path);
void cleanup_drop(const char *path);
void cleanup_tree(const char *path); /* removes it now and drops it */
/* A fork whose child is killed with this process, and leads a process group; 0 in the child, -1 with errno.
 * To be dropped when it was waited for. */
int cleanup_fork(void);
void cleanup_drop_child(int child);
/* As fail, from the handler of a signal; NULL ends the parts of the message. */
_Noreturn void end_in_handler(const char *const *message);
/* Between the two a signal waits: for what must be known here as a whole, or not happen in part. */
sigset_t cleanup_hold(void);
void cleanup_release(const sigset_t *before);

/* ---- no_memory.c ---- */

/* From now on the process fails, with a message, where it would die for want of memory. */
void report_no_memory(void);

#endif
