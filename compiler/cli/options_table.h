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
extern const OptionSpec option_specs[]; /* arg and help may have a word in braces */
extern const int num_options;
OptionSpec option_row(int i); /* with what the word stands for */

/* options_methods.c */
int list_methods(Method *list, bool untrained); /* in the order of help: all, or those that need no data */
const char *method_words(bool untrained);       /* their names, "none|twn|stp" */
const char *untrained_ternary_methods(void);    /* "twn or stp" */
/* The word in braces, if there is one, becomes what it stands for. */
const char *fill_braces(const char *text);

/* options_help.c: on stdout. */
void print_overview(void);
void print_help(Command command);
void print_man(void);        /* the manual page */
void print_completion(void); /* a script for bash */

#endif
