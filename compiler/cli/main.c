/* main.c - the program: parse the command line, call the command. */
#include "cli/cli.h"

#include <signal.h>

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

int main(int argc, char **argv)
{
    signal(SIGXFSZ, SIG_IGN); /* a file that grows over the limit is an error of that write */
    const CommandLine *c = options_parse(argc, argv);
    if (c)
        limit_memory(c);
    int code = c ? commands[c->command](c) : 0;
    if (fflush(stdout) || ferror(stdout))
        fail("cannot write to standard output");
    return code;
}
