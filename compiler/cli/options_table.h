/* options_table.h - the tables of the command line, shared by options*.c only. */
#ifndef TERNC_OPTIONS_TABLE_H
#define TERNC_OPTIONS_TABLE_H

#include "cli/cli.h"

/* options_table.c */

typedef struct OptionSpec {
    const char *name;
    char letter;      /* 0: none */
    const char *arg;  /* NULL: takes none */
    unsigned taken;   /* bit per command */
    bool repeats;     /* may be given more than once */
    const char *help; /* one line */
    void (*parse)(CommandLine *c, const struct OptionSpec *o, const char *value);
    size_t field; /* for the shared parsers */
} OptionSpec;

typedef struct CommandSpec {
    const char *name, *args, *summary;
    Method method;           /* default of --method */
    bool needs_output;       /* exactly one */
    const char *examples[4]; /* ends at NULL */
} CommandSpec;

extern const CommandSpec command_specs[NUM_COMMANDS];
extern const OptionSpec option_specs[];
extern const int num_options;
void add_string(Strings *list, const char *value);

/* options_table.help.c: on stdout. */
void print_overview(void);
void print_help(Command command);
void print_man(void);        /* the manual page */
void print_completion(void); /* a script for bash */

#endif
