/* cc.c - running other programs: a C compiler, and what it made. Temporary folders go with the process. */
#include "base/cleanup.h"
#include "base/host.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- temporary folders ---- */

const char *temp_folder(void)
{
    const char *base = getenv("TMPDIR");
    if (!base || !base[0])
        base = "/tmp";
    char *path = malloc(strlen(base) + 32);
    if (!path)
        fail("out of memory");
    sprintf(path, "%s/ternc-XXXXXX", base);
    sigset_t before = cleanup_hold();
    bool made = mkdtemp(path) != NULL;
    if (made)
        cleanup_add(LEFT_TREE, path);
    cleanup_release(&before);
    if (!made)
        fail("%s: cannot make a temporary folder: %s (TMPDIR names another place)", base, strerror(errno));
    return path;
}

void temp_remove(const char *folder)
{
    cleanup_tree(folder);
    free((char *)folder);
}

void file_write(const char *path, const void *data, size_t len)
{
    FILE *f = fopen(path, "wb");
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
    rewind(f);
    for (size_t n; (n = fread(buffer, 1, sizeof buffer, f)) > 0;)
        text_add(t, buffer, n);
    text_add(t, "", 0);
    fclose(f);
}

static _Noreturn void become(char *const argv[], int out, int err)
{
    int null = open("/dev/null", O_RDONLY);
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
    if (!f)
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
        become(argv, fileno(out), fileno(err));
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

enum { MAX_WORDS = 256 };

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
    if (code == 127)
        fail("%.*s; --cc names another C compiler", (int)strcspn(err->data, "\n"), err->data);
    return code == 0;
}

void cc_compile(const char *cc, const char *flags, const char *const *files)
{
    Text err = {0};
    if (!cc_try(cc, flags, files, &err)) {
        char *message = text_take(&err);
        fail("the C compiler failed: %s %s\n%s", cc, flags, message);
    }
    text_free(&err);
}
