/* main.c - the program: parse the command line, call the command. */
#include "cli/cli.h"
#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
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

int main(int argc, char **argv)
{
    open_standard_files();
    report_no_memory();
    show_lines_at_once();
    signal(SIGXFSZ, SIG_IGN); /* a file that grows over the limit is an error of that write */
    for (int i = 0; i < argc; i++)
        argv[i] = (char *)(uintptr_t)shown_text(argv[i]);
    const CommandLine *c = options_parse(argc, argv);
    if (c)
        limit_memory(c);
    int code = c ? commands[c->command](c) : 0;
    if (fflush(stdout) || ferror(stdout))
        fail("cannot write to standard output");
    return code;
}
