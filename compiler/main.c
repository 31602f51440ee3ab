/* main.c - the program: parse the command line, call the command. */
#include "cli.h"

#include <signal.h>

static int (*const commands[NUM_COMMANDS])(const CommandLine *) = {
#define X(name) [CMD_##name] = cmd_##name,
    COMMANDS(X)
#undef X
};

int main(int argc, char **argv)
{
    signal(SIGXFSZ, SIG_IGN); /* a file that grows over the limit is an error of that write */
    const CommandLine *c = options_parse(argc, argv);
    int code = c ? commands[c->command](c) : 0;
    if (fflush(stdout) || ferror(stdout))
        fail("cannot write to standard output");
    return code;
}
