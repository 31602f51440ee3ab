/* cc.c - running other programs: a C compiler, and what it made. Temporary folders go with the process. */
#include "base/abandoned.h"
#include "base/cleanup.h"
#include "base/host.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- temporary folders ---- */

#define RUN_START "ternc-"
#define RUN_LOCK ".ternc-lock"

static const char *temp_base(void)
{
    const char *base = getenv("TMPDIR");
    return base && base[0] ? shown_text(base) : "/tmp";
}

/* A new folder that is locked until the process ends; false with errno. */
static bool make_run_folder(const char *base, char *path)
{
    const char *lock;
    int fd;
    do {
        sprintf(path, "%s/" RUN_START "XXXXXX", base);
        if (!mkdtemp(path))
            return false;
        lock = mem_printf("%s/" RUN_LOCK, path);
        fd = open(lock, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
    } while (fd >= 0 && !own_file(fd, lock));
    cleanup_add(LEFT_TREE, path);
    return fd >= 0;
}

/* That of this process, in which all its temporary folders lie. A forked process gets another one. */
static const char *run_folder(void)
{
    static char *path; /* process-wide on purpose, as what cleanup.c knows */
    static pid_t owner;
    if (owner == getpid())
        return path;
    const char *base = temp_base(), *raw = raw_text(base);
    remove_abandoned_folders(raw, RUN_START, RUN_LOCK);
    owner = 0;
    path = malloc(strlen(raw) + 32);
    if (!path)
        fail("out of memory");
    sigset_t before = cleanup_hold();
    bool made = make_run_folder(raw, path);
    cleanup_release(&before);
    if (!made)
        fail("%s: cannot make a temporary folder: %s (TMPDIR names another place)", base, strerror(errno));
    owner = getpid();
    return path;
}

const char *temp_folder(void)
{
    char *path = mem_printf("%s/XXXXXX", run_folder());
    if (!mkdtemp(path))
        fail("%s: cannot make a temporary folder: %s", shown_text(path), strerror(errno));
    return shown_text(path);
}

void temp_remove(const char *folder)
{
    cleanup_tree(raw_text(folder));
}

void file_write(const char *path, const void *data, size_t len)
{
    FILE *f = fopen(raw_text(path), "wbe");
    if (!f)
        fail("%s: cannot write: %s", path, strerror(errno));
    bool bad = fwrite(data, 1, len, f) != len;
    bad |= fclose(f) != 0;
    if (bad)
        fail("%s: cannot write: %s", path, strerror(errno));
}

void file_write_lines(const char *path, const char *const *lines)
{
    Text t = {0};
    for (; *lines; lines++)
        text_printf(&t, "%s\n", *lines);
    file_write(path, t.data, t.len);
    text_free(&t);
}

/* ---- running programs ---- */

void read_back(FILE *f, Text *t)
{
    char buffer[4096];
    Text printed = {0};
    rewind(f);
    for (size_t n; (n = fread(buffer, 1, sizeof buffer, f)) > 0;)
        text_add(&printed, buffer, n);
    fclose(f);
    add_shown_lines(t, printed.data, printed.len);
    text_free(&printed);
}

static char **raw_words(char *const argv[])
{
    int n = 0;
    while (argv[n])
        n++;
    char **raw = NEW_ARRAY(char *, n + 1);
    for (int i = 0; i < n; i++)
        raw[i] = mem_strdup(raw_text(argv[i]));
    return raw;
}

static _Noreturn void become(char *const argv[], int out, int err)
{
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (null >= 0)
        dup2(null, 0);
    dup2(out, 1);
    dup2(err, 2);
    execvp(argv[0], argv);
    dprintf(2, "%s: cannot run: %s\n", argv[0], strerror(errno));
    _exit(127);
}

int wait_program(int *child)
{
    int status;
    pid_t ended;
    while ((ended = waitpid(*child, &status, 0)) < 0)
        if (errno != EINTR)
            bug("waitpid: %s", strerror(errno));
    *child = ended;
    cleanup_drop_child(ended);
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

FILE *temp_file(void)
{
    FILE *f = tmpfile();
    if (!f || fcntl(fileno(f), F_SETFD, FD_CLOEXEC))
        fail("cannot make a temporary file: %s", strerror(errno));
    return f;
}

static pid_t start_program(char *const argv[], FILE *out, FILE *err)
{
    fflush(NULL);
    pid_t child = cleanup_fork();
    if (child < 0)
        fail("cannot start %s: %s", argv[0], strerror(errno));
    if (child == 0)
        become(raw_words(argv), fileno(out), fileno(err));
    return child;
}

int run_program(char *const argv[], Text *out, Text *err)
{
    FILE *out_file = temp_file(), *err_file = temp_file();
    int child = start_program(argv, out_file, err_file);
    int code = wait_program(&child);
    read_back(out_file, out);
    read_back(err_file, err);
    return code;
}

bool program_exists(const char *name)
{
    const char *paths = getenv("PATH");
    char *rest = mem_strdup(paths ? paths : "/usr/bin:/bin");
    for (char *folder; (folder = strsep(&rest, ":"));)
        if (!access(mem_printf("%s/%s", folder[0] ? folder : ".", name), X_OK))
            return true;
    return false;
}

/* ---- a C compiler ---- */

enum { MAX_WORDS = 2048 };

/* Words of a flag string, separated by spaces. */
static int split_words(const char *text, char **words, int count)
{
    char *copy = mem_strdup(text), *rest = NULL;
    for (char *w = strtok_r(copy, " \t\n", &rest); w; w = strtok_r(NULL, " \t\n", &rest)) {
        if (count == MAX_WORDS - 1)
            fail("too many compiler flags: %s", text);
        words[count++] = w;
    }
    return count;
}

static void compiler_words(char **words, const char *cc, const char *flags, const char *const *files)
{
    int count = split_words(cc, words, 0);
    if (!count)
        usage("--cc names no compiler");
    count = split_words(flags, words, count);
    for (; *files; files++) {
        if (count == MAX_WORDS - 1)
            fail("too many files for the compiler");
        words[count++] = mem_strdup(*files);
    }
}

/* By the exit code of one whose messages are `err`. */
static bool compiler_ran(int code, const Text *err)
{
    if (code == 127)
        fail("%.*s; --cc names another C compiler", (int)strcspn(err->data, "\n"), err->data);
    return code == 0;
}

int cc_start(const char *cc, const char *flags, const char *const *files, FILE *err)
{
    char *words[MAX_WORDS] = {0};
    compiler_words(words, cc, flags, files);
    return start_program(words, err, err);
}

bool cc_try(const char *cc, const char *flags, const char *const *files, Text *err)
{
    char *words[MAX_WORDS] = {0};
    compiler_words(words, cc, flags, files);
    Text out = {0};
    int code = run_program(words, &out, err);
    text_free(&out);
    return compiler_ran(code, err);
}

bool cc_link(const char *cc, const char *flags, const char *const *objects, const char *const *more,
             Text *err)
{
    const char *files[MAX_WORDS + 1];
    int n = 0;
    for (; *objects && n < MAX_WORDS; objects++)
        files[n++] = *objects;
    for (; *more && n < MAX_WORDS; more++)
        files[n++] = *more;
    files[n] = NULL;
    return cc_try(cc, flags, files, err);
}

void cc_refused(const char *cc, const char *flags, Text *err)
{
    char *message = text_take(err);
    fail("the C compiler failed: %s %s\n%s", cc, flags, message);
}

void cc_compile(const char *cc, const char *flags, const char *const *files)
{
    Text err = {0};
    if (!cc_try(cc, flags, files, &err))
        cc_refused(cc, flags, &err);
    text_free(&err);
}

/* ---- several files at a time ---- */

typedef struct Compilation {
    int child;
    FILE *err;
} Compilation;

static int start_object(const char *cc, const char *flags, const char *source, const char *object,
                        const char *const *more, FILE *err)
{
    int n = 0;
    while (more[n])
        n++;
    const char **files = NEW_ARRAY(const char *, n + 5);
    memcpy(files, more, sizeof *files * (size_t)n);
    files[n++] = "-c";
    files[n++] = source;
    files[n++] = "-o";
    files[n] = object;
    return cc_start(cc, flags, files, err);
}

/* Waits for one of them; whether it did well. */
static bool end_one(Compilation *running, int count, Text *err)
{
    int child = -1, code = wait_program(&child), i = 0;
    while (i < count && running[i].child != child)
        i++;
    if (i == count)
        bug("a child ends that compiles nothing");
    running[i].child = 0;
    read_back(running[i].err, err);
    return compiler_ran(code, err);
}

const char **cc_objects(const char *cc, const char *flags, const char *const *sources,
                        const char *const *more, Text *err)
{
    int count = 0, cores = free_cores(), started = 0, ended = 0;
    bool good = true;
    while (sources[count])
        count++;
    const char **objects = NEW_ARRAY(const char *, count + 1);
    Compilation *running = NEW_ARRAY(Compilation, count);
    while (ended < count && (good || ended < started)) {
        if (good && started < count && started - ended < cores) {
            objects[started] = mem_printf("%s.o", sources[started]);
            FILE *said = temp_file();
            running[started] =
                (Compilation){start_object(cc, flags, sources[started], objects[started], more, said), said};
            started++;
        } else {
            good &= end_one(running, started, err);
            ended++;
        }
    }
    return good ? objects : NULL;
}
