/* options_help.c - what the tables of the command line say to people: help, the manual page, completion for
 * bash. */
#include "cli/options_table.h"
#include "layers/layers.h"

#include <string.h>

static void print_option(OptionSpec o)
{
    char left[160], letter[8] = "    ";
    if (o.letter)
        snprintf(letter, sizeof letter, "-%c, ", o.letter);
    int n = snprintf(left, sizeof left, "  %s--%s %s", letter, o.name, o.arg ? o.arg : "");
    printf(n > 30 ? "%s\n%30s  %s\n" : "%-30s%s  %s\n", left, "", o.help);
}

void print_overview(void)
{
    printf("Usage: ternc COMMAND MODEL.onnx [options]\n\n"
           "Compile ONNX models to ternary, dependency-free C.\n\nCommands:\n");
    for (int i = 0; i < NUM_COMMANDS; i++)
        printf("  %-10s  %s\n", command_specs[i].name, command_specs[i].summary);
    printf(
        "\n'ternc COMMAND --help' explains a command and its options; 'ternc --version' prints the version.\n"
        "Exit code: 0 success, 1 the model or the data is at fault, 2 wrong usage, 3 a bug in ternc.\n\n"
        "Example:\n  %s\n",
        command_specs[CMD_compile].examples[0]);
}

void print_help(Command command)
{
    const CommandSpec *s = &command_specs[command];
    printf("Usage: ternc %s %s [options]\n\n%s: %s.\n\nOptions:\n", s->name, s->args, s->name, s->summary);
    for (int i = 0; i < num_options; i++)
        if (option_specs[i].taken & 1u << command)
            print_option(option_row(i));
    printf("\nExamples:\n");
    for (int i = 0; s->examples[i]; i++)
        printf("  %s\n", s->examples[i]);
}

/* ---- the manual page ---- */

/* Text for roff: a hyphen that can be copied, no escapes, no request at the start of a line. */
static void print_roff(const char *s)
{
    if (*s == '.' || *s == '\'')
        printf("\\&");
    for (; *s; s++) {
        if (*s == '-')
            printf("\\-");
        else if (*s == '\\')
            printf("\\e");
        else
            putchar(*s);
    }
}

static void print_roff_line(const char *request, const char *text)
{
    printf("%s", request);
    print_roff(text);
    printf("\n");
}

static void print_man_option(OptionSpec o)
{
    printf(".TP\n");
    if (o.letter)
        printf(".BR \\-%c \", \" ", o.letter);
    else
        printf(".B ");
    print_roff(mem_printf("--%s", o.name));
    if (o.letter && o.arg)
        print_roff(mem_printf(" \" %s\"", o.arg));
    else if (o.arg)
        print_roff(mem_printf(" %s", o.arg));
    print_roff_line("\n", o.help);
}

static void print_man_command(Command command)
{
    const CommandSpec *s = &command_specs[command];
    print_roff_line(".SS ", mem_printf("ternc %s %s", s->name, s->args));
    print_roff_line("", mem_printf("%s.", s->summary));
    for (int i = 0; i < num_options; i++)
        if (option_specs[i].taken & 1u << command && option_specs[i].parse)
            print_man_option(option_row(i));
    printf(".PP\nExamples:\n.PP\n.nf\n.RS\n");
    for (int i = 0; s->examples[i]; i++)
        print_roff_line("", s->examples[i]);
    printf(".RE\n.fi\n");
}

static void print_man_targets(void)
{
    printf(".SH TARGETS\nMachines, and behind what each is the other names that\n.B \\-\\-target\nand\n"
           ".B \\-\\-targets\ntake for it.\n");
    for (int i = 0; i < num_targets; i++) {
        const Target *m = &target_table[i];
        print_roff_line(".TP\n.B ", m->name);
        print_roff_line("", mem_printf("%s%s%s", m->about, m->aliases[0] ? ": " : "", m->aliases));
    }
}

void print_man(void)
{
    printf(".TH TERNC 1 \"\" \"ternc %s\" \"User Commands\"\n", TERNC_VERSION);
    printf(".SH NAME\nternc \\- compile ONNX models to ternary, dependency\\-free C\n"
           ".SH SYNOPSIS\n.B ternc\n.I command model.onnx\n.RI [ options ]\n"
           ".SH DESCRIPTION\nternc reads a trained float model, makes its weights ternary (\\-1, 0, +1) and "
           "writes C "
           "for exactly that model: zero weights are gone, every other weight is an add or a subtract. The C "
           "needs no "
           "library, no allocation and no files.\n.PP\nAn option has the same name and meaning in every "
           "command that "
           "takes it. Every command takes\n.B \\-\\-help\nand\n.BR \\-\\-version .\n.SH COMMANDS\n");
    for (int i = 0; i < NUM_COMMANDS; i++)
        print_man_command((Command)i);
    print_man_targets();
    printf(".SH EXIT STATUS\n.TP\n0\nsuccess\n.TP\n1\nthe model or the data is at fault, or a check failed\n"
           ".TP\n2\nwrong usage\n.TP\n3\na bug in ternc\n");
    printf(".SH SEE ALSO\nThe user guide, guide.md, in the documentation folder of ternc.\n");
}

/* ---- completion ---- */

static void add_targets(Text *t)
{
    for (int i = 0; i < num_targets; i++)
        text_printf(t, "%s%s", t->len ? " " : "", target_words(&target_table[i]));
}

/* "none|first|NAME,..." as "none first": TARGET stands for the names of all machines, other words in capitals
 * for what cannot be listed. */
static const char *choices(const char *arg)
{
    Text t = {0};
    char *rest = mem_strdup(arg);
    char *list = strstr(rest, ",...");
    if (list)
        *list = 0;
    for (char *word; (word = strsep(&rest, "|"));)
        if (!strcmp(word, "TARGET"))
            add_targets(&t);
        else if (word[strcspn(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZ[")] == 0)
            text_printf(&t, "%s%s", t.len ? " " : "", word);
    return text_take(&t);
}

static void print_completion_of(Command command)
{
    const char *name = command_specs[command].name;
    for (int i = 0; i < num_options; i++) {
        const OptionSpec o = option_row(i);
        const char *words = o.arg ? choices(o.arg) : "";
        if (o.taken & 1u << command && words[0])
            printf("    %s/--%s) words='%s' ;;\n", name, o.name, words);
    }
    printf("    %s/*) [[ $cur == -* ]] && words='", name);
    for (int i = 0; i < num_options; i++)
        if (option_specs[i].taken & 1u << command)
            printf(" --%s", option_specs[i].name);
    printf("' ;;\n");
}

void print_completion(void)
{
    printf("# Completion of ternc's commands, options and choices for bash; everything else is a "
           "file.\n_ternc() {\n"
           "    local cur=${COMP_WORDS[COMP_CWORD]} words=\n    COMPREPLY=()\n"
           "    case ${COMP_WORDS[1]}/${COMP_WORDS[COMP_CWORD - 1]} in\n");
    for (int i = 0; i < NUM_COMMANDS; i++)
        print_completion_of((Command)i);
    printf("    esac\n    [ \"$COMP_CWORD\" -ne 1 ] || words='");
    for (int i = 0; i < NUM_COMMANDS; i++)
        printf("%s ", command_specs[i].name);
    printf(
        "--help --version'\n    [ -z \"$words\" ] || COMPREPLY=($(compgen -P \"${cur%%\"${cur##*,}\"}\" -W "
        "\"$words\" -- \"${cur##*,}\"))\n}\n"
        "complete -o default -F _ternc ternc\n");
}
