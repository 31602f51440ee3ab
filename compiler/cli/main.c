/* main.c - the program: parse the command line, call the command. */
#include "cli/cli.h"
#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int (*const commands[NUM_COMMANDS])(const CommandLine *) = {
#define X(name) [CMD_##name] = cmd_##name,
    COMMANDS(X)
#undef X
};

/* A small file cannot take all memory. Where data is given, samples are what takes it. */
static void limit_memory(const CommandLine *c)
{
    enum { BASE_MIB = 512, PER_BYTE = 64 };
    bool limited = c->command == CMD_compile || c->command == CMD_inspect || c->command == CMD_size ||
                   c->command == CMD_ternarize;
    const char *what = c->models.count > 1 ? "the models together" : c->model;
    if (c->memory)
        mem_limit(what, (size_t)c->memory << 20, 0);
    else if (limited && !c->data.spec)
        mem_limit(what, (size_t)BASE_MIB << 20, PER_BYTE);
}

/* Whoever starts ternc may have closed these; no file of ours shall be taken for one of them. */
static void open_standard_files(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd)
            fail("/dev/null: cannot open: %s", strerror(errno));
}

/* Who reads along in a file or a pipe sees every line at once. */
static void show_lines_at_once(void)
{
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
}

/* The threads of training wait for each other thousands of times a second. libgomp lets them spin for up to
 * ten milliseconds, which takes the core from whoever could use it, such as a thread that is waited for;
 * asleep at once they wake too late. 5000 turns are some tenths of a millisecond. It reads the number when it
 * is loaded, so ternc starts once more. What the user has chosen stays; where ternc cannot be started again,
 * training is slower. */
static void limit_spinning(const CommandLine *c, char **argv)
{
    bool threads = c->data.spec || c->opt.calibrate.count;
    if (!threads || getenv("OMP_WAIT_POLICY") || getenv("GOMP_SPINCOUNT"))
        return;
    if (!setenv("GOMP_SPINCOUNT", "5000", 0))
        execv("/proc/self/exe", argv);
}

int main(int argc, char **argv)
{
    open_standard_files();
    report_no_memory();
    show_lines_at_once();
    signal(SIGXFSZ, SIG_IGN); /* a file that grows over the limit is an error of that write */
    char **shown = NEW_ARRAY(char *, argc + 1);
    for (int i = 0; i < argc; i++)
        shown[i] = (char *)(uintptr_t)shown_text(argv[i]);
    const CommandLine *c = options_parse(argc, shown);
    if (c) {
        limit_spinning(c, argv);
        limit_memory(c);
    }
    int code = c ? commands[c->command](c) : 0;
    if (fflush(stdout) || ferror(stdout))
        fail("cannot write to standard output");
    return code;
}
