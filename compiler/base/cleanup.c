/* cleanup.c - temporary files and folders go, and programs that were started end, when the process does: by
 * exit, or by a signal that asks it to end, of which it then dies. A forked worker leaves all of it to its
 * parent. */
#include "base/base.h"
#include "base/cleanup.h"

#include <ftw.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct Entry {
    Leftover kind;
    const char *path;
    pid_t child;
} Entry;

static Entry *entries; /* process-wide on purpose; changed only while signals wait */
static int num_entries;
static pid_t owner;

static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGXCPU};
enum { NUM_SIGNALS = sizeof signals / sizeof signals[0] };

/* ---- removing ---- */

static int remove_entry(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st, (void)flag, (void)ftw;
    return remove(path);
}

static void remove_tree(const char *path)
{
    nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

/* The same inside of a signal handler, where little may be called. */
static void remove_tree_in_handler(const char *path)
{
    pid_t child = _Fork();
    if (child == 0) {
        execl("/bin/rm", "rm", "-rf", "--", path, (char *)NULL);
        _exit(127);
    }
    if (child > 0)
        waitpid(child, NULL, 0);
}

static void kill_child(pid_t child)
{
    kill(-child, SIGKILL);
    kill(child, SIGKILL); /* it may not lead its group yet */
    waitpid(child, NULL, 0);
}

/* Writers end before what they write goes, files before their folders. */
static void clean(void (*remove_folder)(const char *path))
{
    if (getpid() != owner)
        return;
    for (Leftover kind = LEFT_CHILD; kind <= LEFT_EMPTY_FOLDER; kind++)
        for (int i = 0; i < num_entries; i++) {
            const Entry *e = &entries[i];
            if (e->kind != kind)
                continue;
            if (kind == LEFT_CHILD)
                kill_child(e->child);
            else if (kind == LEFT_FILE)
                unlink(e->path);
            else if (kind == LEFT_TREE)
                remove_folder(e->path);
            else
                rmdir(e->path);
        }
}

static void clean_at_exit(void)
{
    cleanup_hold();
    clean(remove_tree);
}

/* All signals of the list wait meanwhile. */
static void clean_and_die(int sig)
{
    sigset_t own;
    clean(remove_tree_in_handler);
    sigemptyset(&own);
    sigaddset(&own, sig);
    signal(sig, SIG_DFL);
    raise(sig);
    sigprocmask(SIG_UNBLOCK, &own, NULL);
}

static void print_all(const char *s)
{
    for (ssize_t n; *s && (n = write(STDERR_FILENO, s, strlen(s))) > 0; s += n)
        ;
}

void end_in_handler(const char *const *message)
{
    static atomic_flag ending = ATOMIC_FLAG_INIT;
    while (atomic_flag_test_and_set(&ending)) /* other threads may meet the same end */
        pause();
    cleanup_hold();
    print_all("ternc: error: ");
    for (; *message; message++)
        print_all(*message);
    print_all("\n");
    clean(remove_tree_in_handler);
    _exit(1);
}

/* ---- waiting ---- */

static void all_signals(sigset_t *set)
{
    sigemptyset(set);
    for (int i = 0; i < NUM_SIGNALS; i++)
        sigaddset(set, signals[i]);
}

sigset_t cleanup_hold(void)
{
    sigset_t set, before;
    all_signals(&set);
    sigprocmask(SIG_BLOCK, &set, &before);
    return before;
}

void cleanup_release(const sigset_t *before)
{
    sigprocmask(SIG_SETMASK, before, NULL);
}

/* ---- the list ---- */

/* A signal that is ignored, as under nohup, stays so. */
static void begin(void)
{
    struct sigaction old, now = {.sa_handler = clean_and_die};
    if (!owner)
        atexit(clean_at_exit);
    for (int i = 0; i < num_entries; i++)
        entries[i] = (Entry){.kind = LEFT_NOTHING}; /* of a parent */
    owner = getpid();
    all_signals(&now.sa_mask);
    for (int i = 0; i < NUM_SIGNALS; i++)
        if (!sigaction(signals[i], NULL, &old) && old.sa_handler == SIG_DFL)
            sigaction(signals[i], &now, NULL);
}

static void grow(void)
{
    int count = num_entries ? 2 * num_entries : 64;
    Entry *more = realloc(entries, (size_t)count * sizeof *more);
    if (!more)
        fail("out of memory");
    entries = more;
    while (num_entries < count)
        entries[num_entries++] = (Entry){.kind = LEFT_NOTHING};
}

static void add(Entry e)
{
    sigset_t before = cleanup_hold();
    int i = 0;
    if (owner != getpid())
        begin();
    while (i < num_entries && entries[i].kind != LEFT_NOTHING)
        i++;
    if (i == num_entries)
        grow();
    entries[i] = e;
    cleanup_release(&before);
}

void cleanup_add(Leftover kind, const char *path)
{
    add((Entry){.kind = kind, .path = path});
}

static void drop(const char *path, pid_t child)
{
    sigset_t before = cleanup_hold();
    for (int i = 0; i < num_entries; i++)
        if (entries[i].path == path && entries[i].child == child)
            entries[i] = (Entry){.kind = LEFT_NOTHING};
    cleanup_release(&before);
}

void cleanup_drop(const char *path)
{
    drop(path, 0);
}

void cleanup_tree(const char *path)
{
    remove_tree(path);
    cleanup_drop(path);
}

int cleanup_fork(void)
{
    sigset_t before = cleanup_hold();
    pid_t child = fork();
    if (child == 0)
        setpgid(0, 0);
    if (child > 0) {
        setpgid(child, child);
        add((Entry){.kind = LEFT_CHILD, .child = child});
    }
    cleanup_release(&before);
    return child;
}

void cleanup_drop_child(int child)
{
    drop(NULL, child);
}
