/* options.c - the command line: one table of commands and one of options give parsing, checks and every help text.
 *
 * getopt_long does the splitting. An option has the same name and meaning in every command that takes it; where its
 * argument or default differs between commands it has one row for each. */
#include "ir.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

/* ---- values ---- */

static double number_of(const OptionSpec *o, const char *text)
{
    char *end;
    errno = 0;
    double v = strtod(text, &end);
    if (end != text && *end == '/') {
        char *start = end + 1;
        double d = strtod(start, &end);
        if (end == start || !(d > 0))
            end = start - 1;
        v /= d;
    }
    if (end == text || *end || errno || !isfinite(v))
        usage("--%s %s: '%s' is not a number", o->name, o->arg, text);
    return v;
}

static int64_t integer_of(const OptionSpec *o, const char *text, int64_t low, int64_t high)
{
    char *end;
    errno = 0;
    long long v = strtoll(text, &end, 10);
    if (end == text || *end || errno || v < low || v > high)
        usage("--%s %s: '%s' is not a whole number from %lld to %lld", o->name, o->arg, text, (long long)low,
              (long long)high);
    return v;
}

/* The index of the value among words, "a|b|c". */
static int choice_among(const OptionSpec *o, const char *words, const char *value)
{
    size_t len = strlen(value);
    const char *word = words;
    for (int i = 0;; i++) {
        size_t n = strcspn(word, "|");
        if (n == len && !strncmp(word, value, n))
            return i;
        if (!word[n])
            usage("--%s: '%s' is not one of %s", o->name, value, words);
        word += n + 1;
    }
}

static int choice_of(const OptionSpec *o, const char *value)
{
    return choice_among(o, o->arg, value);
}

/* "a,b,c" split at its commas; empty words are errors. */
static const char *const *split(const OptionSpec *o, const char *value, int *count)
{
    int n = 1;
    for (const char *p = value; *p; p++)
        n += *p == ',';
    const char **words = NEW_ARRAY(const char *, n);
    char *rest = mem_strdup(value);
    for (int i = 0; i < n; i++) {
        words[i] = strsep(&rest, ",");
        if (!words[i][0])
            usage("--%s %s: '%s' has an empty part", o->name, o->arg, value);
    }
    *count = n;
    return words;
}

/* ---- parsers: the shared ones write the field at o->field ---- */

static void set_flag(CommandLine *c, const OptionSpec *o, const char *value)
{
    (void)value;
    *(bool *)((char *)c + o->field) = true;
}

static void set_text(CommandLine *c, const OptionSpec *o, const char *value)
{
    if (!value[0])
        usage("--%s %s: the value is empty", o->name, o->arg);
    *(const char **)(void *)((char *)c + o->field) = value;
}

static void add_string(Strings *list, const char *value)
{
    const char **more = NEW_ARRAY(const char *, list->count + 1);
    for (int i = 0; i < list->count; i++)
        more[i] = list->items[i];
    more[list->count++] = value;
    list->items = more;
}

static void add_text(CommandLine *c, const OptionSpec *o, const char *value)
{
    if (!value[0])
        usage("--%s %s: the value is empty", o->name, o->arg);
    add_string((Strings *)(void *)((char *)c + o->field), value);
}

static void set_numbers(CommandLine *c, const OptionSpec *o, const char *value)
{
    Numbers *list = (Numbers *)(void *)((char *)c + o->field);
    const char *const *words = split(o, value, &list->count);
    double *v = NEW_ARRAY(double, list->count);
    for (int i = 0; i < list->count; i++)
        v[i] = number_of(o, words[i]);
    list->items = v;
}

static void parse_name(CommandLine *c, const OptionSpec *o, const char *value)
{
    if (!is_c_name(value))
        usage("--name %s: '%s' cannot start names in C: take a letter, then letters, digits and _, no keyword", o->arg,
              value);
    c->opt.name = value;
}

static void parse_method(CommandLine *c, const OptionSpec *o, const char *value)
{
    static const Method methods[] = {METHOD_NONE, METHOD_TWN, METHOD_SCA, METHOD_STP};
    c->opt.method = methods[choice_of(o, value)];
}

static void parse_granularity(CommandLine *c, const OptionSpec *o, const char *value)
{
    c->opt.per_layer = choice_of(o, value) == 0;
}

static void parse_threshold(CommandLine *c, const OptionSpec *o, const char *value)
{
    if (!strcmp(value, "exact"))
        return;
    c->opt.threshold = (float)number_of(o, value);
    if (!(c->opt.threshold > 0) || !isfinite(c->opt.threshold))
        usage("--threshold %s: '%s' is not a positive number", o->arg, value);
}

static void parse_sparsity(CommandLine *c, const OptionSpec *o, const char *value)
{
    c->opt.sparsity = (float)number_of(o, value);
    if (!(c->opt.sparsity > 0 && c->opt.sparsity < 1))
        usage("--sparsity %s: '%s' is not a number between 0 and 1", o->arg, value);
}

static void parse_keep(CommandLine *c, const OptionSpec *o, const char *value)
{
    c->opt.keep = split(o, value, &c->opt.num_keep);
    for (int i = 0; i < c->opt.num_keep; i++)
        if (!strcmp(c->opt.keep[i], "none")) {
            if (c->opt.num_keep > 1)
                usage("--keep %s: 'none' stands alone", o->arg);
            c->opt.num_keep = 0;
        }
}

static void parse_optimize(CommandLine *c, const OptionSpec *o, const char *value)
{
    c->opt.optimize = choice_of(o, value) == 0 ? OPTIMIZE_SPEED : OPTIMIZE_SIZE;
}

static void parse_lowering(CommandLine *c, const OptionSpec *o, const char *value)
{
    static const Lowering lowerings[] = {LOWER_AUTO, LOWER_UNROLL, LOWER_SPARSE, LOWER_PACKED, LOWER_DENSE};
    c->opt.lowering = lowerings[choice_of(o, value)];
}

/* Choices among words, separated by commas; returns how many. */
static int choices_of(const OptionSpec *o, const char *words, const char *value, int *choices, int max)
{
    int count;
    const char *const *list = split(o, value, &count);
    for (int i = 0; i < count; i++) {
        int choice = choice_among(o, words, list[i]);
        for (int k = 0; k < i; k++)
            if (choices[k] == choice)
                usage("--%s: '%s' is named twice", o->name, list[i]);
        if (i == max)
            bug("more choices than words");
        choices[i] = choice;
    }
    return count;
}

static void parse_methods(CommandLine *c, const OptionSpec *o, const char *value)
{
    static const Method methods[] = {METHOD_NONE, METHOD_TWN, METHOD_STP};
    int choices[3];
    c->num_methods = choices_of(o, "none|twn|stp", value, choices, 3);
    for (int i = 0; i < c->num_methods; i++)
        c->methods[i] = methods[choices[i]];
}

static void parse_lowerings(CommandLine *c, const OptionSpec *o, const char *value)
{
    static const Lowering lowerings[] = {LOWER_AUTO, LOWER_UNROLL, LOWER_SPARSE, LOWER_PACKED, LOWER_DENSE};
    int choices[5];
    c->num_lowerings = choices_of(o, "auto|unroll|sparse|packed|dense", value, choices, 5);
    for (int i = 0; i < c->num_lowerings; i++)
        c->lowerings[i] = lowerings[choices[i]];
}

static void parse_targets(CommandLine *c, const OptionSpec *o, const char *value)
{
    c->targets.items = split(o, value, &c->targets.count);
}

static void parse_bytes(CommandLine *c, const OptionSpec *o, const char *value)
{
    *(int64_t *)(void *)((char *)c + o->field) = integer_of(o, value, 0, (int64_t)1 << 40);
}

static void parse_tolerance(CommandLine *c, const OptionSpec *o, const char *value)
{
    c->tolerance = number_of(o, value);
    if (!(c->tolerance >= 0))
        usage("--tolerance %s: '%s' is negative", o->arg, value);
}

static void parse_target(CommandLine *c, const OptionSpec *o, const char *value)
{
    choice_of(o, value);
    c->opt.target = value;
}

static void parse_scale(CommandLine *c, const OptionSpec *o, const char *value)
{
    c->scale = number_of(o, value);
}

static void parse_layout(CommandLine *c, const OptionSpec *o, const char *value)
{
    c->nhwc = choice_of(o, value) == 1;
}

static void parse_limit(CommandLine *c, const OptionSpec *o, const char *value)
{
    c->limit = integer_of(o, value, 1, INT64_MAX);
}

static void parse_samples(CommandLine *c, const OptionSpec *o, const char *value)
{
    c->samples = integer_of(o, value, 1, 1000000);
}

static void parse_threads(CommandLine *c, const OptionSpec *o, const char *value)
{
    c->threads = (int)integer_of(o, value, 1, 1024);
}

static void parse_seed(CommandLine *c, const OptionSpec *o, const char *value)
{
    c->seed = (uint64_t)integer_of(o, value, 0, INT64_MAX);
}

static void parse_dim(CommandLine *c, const OptionSpec *o, const char *value)
{
    const char *equals = strrchr(value, '=');
    if (!equals || equals == value)
        usage("--dim %s: '%s' is not of that form", o->arg, value);
    DimValue d = {.name = mem_printf("%.*s", (int)(equals - value), value),
                  .value = integer_of(o, equals + 1, 1, (int64_t)1 << 40)};
    DimValue *more = NEW_ARRAY(DimValue, c->opt.num_dims + 1);
    for (int i = 0; i < c->opt.num_dims; i++) {
        if (!strcmp(c->opt.dims[i].name, d.name))
            usage("--dim %s: '%s' is given twice", o->arg, d.name);
        more[i] = c->opt.dims[i];
    }
    more[c->opt.num_dims++] = d;
    c->opt.dims = more;
}

static void parse_input_uint8(CommandLine *c, const OptionSpec *o, const char *value)
{
    (void)o;
    InputForm *f = &c->opt.input;
    const char **more = NEW_ARRAY(const char *, f->num_uint8 + 1);
    for (int i = 0; i < f->num_uint8; i++)
        more[i] = f->uint8[i];
    more[f->num_uint8++] = value;
    f->uint8 = more;
}

/* ---- the tables ---- */

typedef struct CommandSpec {
    const char *name, *args, *summary;
    Method method;           /* default of --method */
    bool needs_output;       /* exactly one */
    const char *examples[4]; /* ends at NULL */
} CommandSpec;

static const CommandSpec command_specs[NUM_COMMANDS] = {
    [CMD_inspect] = {.name = "inspect",
                     .args = "MODEL.onnx",
                     .summary = "list inputs, outputs and layers with shapes, parameters, MACs and zeros",
                     .method = METHOD_NONE,
                     .examples = {"ternc inspect net.onnx", "ternc inspect net.onnx --method twn --json"}},
    [CMD_compile] = {.name = "compile",
                     .args = "MODEL.onnx -o DIR",
                     .summary = "make the weights ternary and write DIR/NAME.c and DIR/NAME.h",
                     .needs_output = true,
                     .examples = {"ternc compile net.onnx -o out",
                                  "ternc compile net.onnx -o out --optimize size --explain",
                                  "ternc compile net.onnx -o out --method none --lowering dense --name net_float"}},
    [CMD_ternarize] = {.name = "ternarize",
                       .args = "MODEL.onnx -o OUT.onnx",
                       .summary = "make the weights ternary and write an ordinary ONNX model",
                       .needs_output = true,
                       .examples = {"ternc ternarize net.onnx -o ternary.onnx",
                                    "ternc ternarize net.onnx -o sparse.onnx --method stp --sparsity 0.95"}},
    [CMD_run] = {.name = "run",
                 .args = "MODEL.onnx --input FILE",
                 .summary = "evaluate a model inside ternc",
                 .method = METHOD_NONE,
                 .examples = {"ternc run net.onnx --input x.npy --output y.npy",
                              "ternc run net.onnx --input left=a.npy --input right=b.pb"}},
    [CMD_eval] = {.name = "eval",
                  .args = "MODEL.onnx --data SPEC",
                  .summary = "loss and accuracy on a data set",
                  .method = METHOD_NONE,
                  .examples = {"ternc eval net.onnx --data images.gz,labels.gz --scale 1/255 --json",
                               "ternc eval net.onnx --data test.npz --method twn --limit 1000"}},
    [CMD_check] = {.name = "check",
                   .args = "MODEL.onnx",
                   .summary = "compile the generated C, run it and compare with the evaluator; exit 1 if they differ",
                   .examples = {"ternc check net.onnx", "ternc check net.onnx --lowering sparse --cc gcc"}},
    [CMD_size] =
        {.name = "size",
         .args = "MODEL.onnx...",
         .summary = "measure flash and RAM of models, methods and lowerings side by side, layer by layer",
         .examples = {"ternc size net.onnx --targets cortex-m0plus,cortex-m4,rv32imac",
                      "ternc size a.onnx b.onnx --methods none,twn,stp --lowerings auto,sparse --html size.html",
                      "ternc size net.onnx --targets cortex-m4 --baseline size.json --tolerance 1"}},
};

enum {
    INSPECT = 1 << CMD_inspect,
    COMPILE = 1 << CMD_compile,
    TERNARIZE = 1 << CMD_ternarize,
    RUN = 1 << CMD_run,
    EVAL = 1 << CMD_eval,
    CHECK = 1 << CMD_check,
    SIZE = 1 << CMD_size,
    ALL = (1 << NUM_COMMANDS) - 1
};

static const OptionSpec option_specs[] = {
    {"output", 'o', "DIR", COMPILE, false, "folder for the C files; made if it is missing", add_text,
     offsetof(CommandLine, outputs)},
    {"output", 'o', "OUT.onnx", TERNARIZE, false, "the model to write", add_text, offsetof(CommandLine, outputs)},
    {"output", 'o', "[NAME=]FILE.npy", RUN, true, "write an output; without it values are printed", add_text,
     offsetof(CommandLine, outputs)},
    {"output", 'o', "DIR", SIZE, false, "keep the C files and objects here", add_text, offsetof(CommandLine, outputs)},
    {"input", 'i', "[NAME=]FILE", RUN | CHECK, true, "value of an input, .npy or .pb (TensorProto)", add_text,
     offsetof(CommandLine, inputs)},
    {"name", 0, "ID", COMPILE, false, "prefix of everything generated (default: the model's file name)", parse_name, 0},
    {"method", 0, "none|twn|sca|stp", COMPILE | TERNARIZE | CHECK, false, "how weights become ternary (default: twn)",
     parse_method, 0},
    {"method", 0, "none|twn|sca|stp", INSPECT | RUN | EVAL, false, "how weights become ternary (default: none)",
     parse_method, 0},
    {"methods", 0, "none|twn|stp,...", SIZE, false, "how weights become ternary (default: none,twn)", parse_methods, 0},
    {"granularity", 0, "layer|channel", ALL, false, "one threshold and scale for each of these (default: channel)",
     parse_granularity, 0},
    {"threshold", 0, "exact|FACTOR", ALL, false, "zero below FACTOR * mean|W|, or the best threshold (default: exact)",
     parse_threshold, 0},
    {"sparsity", 0, "S", ALL, false, "share of zeros per layer, 0 to 1, in place of a threshold (stp: 0.9)",
     parse_sparsity, 0},
    {"keep", 0, "none|first|last|NAME,...", ALL, false, "layers that stay float (default: last)", parse_keep, 0},
    {"optimize", 0, "speed|size", COMPILE | CHECK, false, "what --lowering auto aims at (default: speed)",
     parse_optimize, 0},
    {"optimize", 0, "speed|size", SIZE, false, "what --lowerings auto aims at (default: size)", parse_optimize, 0},
    {"lowering", 0, "auto|unroll|sparse|packed|dense", COMPILE | CHECK, false,
     "form of the generated layers (default: auto)", parse_lowering, 0},
    {"target", 0, "generic|x86-64|x86-64-v3|x86-64-v4|aarch64|cortex-m0|cortex-m3|cortex-m4|cortex-m7|cortex-m33|rv32imac|rv32imafc|avr",
     COMPILE | CHECK, false, "the machine that sizes are predicted for (default: generic)", parse_target, 0},
    {"lowerings", 0, "auto|unroll|sparse|packed|dense,...", SIZE, false,
     "forms of the generated layers (default: auto)", parse_lowerings, 0},
    {"targets", 0, "NAME,...", SIZE, false, "machines to compile for (default: host)", parse_targets, 0},
    {"custom-target", 0, "NAME=FLAGS", SIZE, true, "one more target: flags for clang, such as --target=TRIPLE",
     add_text, offsetof(CommandLine, custom_targets)},
    {"list-targets", 0, NULL, SIZE, false, "list the targets with their clang flags", set_flag,
     offsetof(CommandLine, list_targets)},
    {"max-flash", 0, "BYTES", COMPILE, false, "fail when clang makes more code and constants of it for --target",
     parse_bytes, offsetof(CommandLine, max_flash)},
    {"max-ram", 0, "BYTES", COMPILE, false, "fail when arena, stack and static data need more on --target", parse_bytes,
     offsetof(CommandLine, max_ram)},
    {"explain", 0, NULL, COMPILE, false, "say why each layer got its lowering, with predicted bytes", set_flag,
     offsetof(CommandLine, explain)},
    {"explain", 0, NULL, SIZE, false, "list what the shared bytes consist of: kernels, run function, literals",
     set_flag, offsetof(CommandLine, explain)},
    {"data", 0, "SPEC", EVAL | CHECK, false,
     "IMAGES,LABELS (IDX, .gz too, or .npy), FILE.npz, or CIFAR-10 FILE.bin,...", set_text,
     offsetof(CommandLine, data)},
    {"input-uint8", 0, "NAME", COMPILE | CHECK | SIZE, true, "take this input as uint8: (raw * scale - mean) / std",
     parse_input_uint8, 0},
    {"scale", 0, "S", EVAL | COMPILE | CHECK | SIZE, false,
     "element = (raw * S - mean) / std; 1/255 is understood (default: 1)", parse_scale, 0},
    {"mean", 0, "M,...", EVAL | COMPILE | CHECK | SIZE, false, "one number, or one per channel (default: 0)",
     set_numbers, offsetof(CommandLine, mean)},
    {"std", 0, "D,...", EVAL | COMPILE | CHECK | SIZE, false, "one number, or one per channel (default: 1)",
     set_numbers, offsetof(CommandLine, std)},
    {"layout", 0, "nchw|nhwc", EVAL | COMPILE | CHECK | SIZE, false,
     "axes of the data's images, or of the images that the C takes (default: nchw)", parse_layout, 0},
    {"float-guard", 0, NULL, COMPILE | CHECK, false, "the run functions return a status and refuse NaN and infinity",
     set_flag, offsetof(CommandLine, opt.float_guard)},
    {"limit", 0, "N", EVAL | CHECK, false, "use the first N samples only", parse_limit, 0},
    {"threads", 0, "N", EVAL, false, "samples evaluated at the same time (default: the machine's cores)", parse_threads,
     0},
    {"threads", 0, "N", SIZE, false, "compilers that run at the same time (default: the machine's cores)",
     parse_threads, 0},
    {"seed", 0, "N", CHECK, false, "start of the random inputs (default: 1)", parse_seed, 0},
    {"cc", 0, "COMPILER", CHECK | SIZE | COMPILE, false, "C compiler for the generated code (default: clang)", set_text,
     offsetof(CommandLine, cc)},
    {"cflags", 0, "FLAGS", CHECK, false, "flags for the C compiler, one argument (default: \"-O1\")", set_text,
     offsetof(CommandLine, cflags)},
    {"cflags", 0, "FLAGS", SIZE | COMPILE, false, "flags for the C compiler, one argument (default: \"-Os\")", set_text,
     offsetof(CommandLine, cflags)},
    {"no-cache", 0, NULL, SIZE, false, "compile everything anew", set_flag, offsetof(CommandLine, no_cache)},
    {"samples", 0, "N", CHECK, false, "inputs to try: random ones, or the first of --data (default: 2)", parse_samples,
     0},
    {"json", 0, NULL, INSPECT | EVAL | CHECK | SIZE, false, "print JSON", set_flag, offsetof(CommandLine, json)},
    {"csv", 0, NULL, SIZE, false, "print CSV", set_flag, offsetof(CommandLine, csv)},
    {"html", 0, "FILE", SIZE, false, "write a report with bar charts, one file without further parts", set_text,
     offsetof(CommandLine, html)},
    {"baseline", 0, "FILE", SIZE, false, "compare with an earlier result; exit 1 if flash or RAM grew", set_text,
     offsetof(CommandLine, baseline)},
    {"save-baseline", 0, "FILE", SIZE, false, "write the result for a later --baseline (the same as --json)", set_text,
     offsetof(CommandLine, save_baseline)},
    {"tolerance", 0, "PERCENT", SIZE, false, "growth that --baseline lets pass (default: 0)", parse_tolerance, 0},
    {"dim", 0, "NAME=N", ALL, true, "value of a symbolic dimension", parse_dim, 0},
    {"dump", 0, "PASS", COMPILE | CHECK, false, "print the graph as it is after a pass", set_text,
     offsetof(CommandLine, opt.dump)},
    {"time", 0, NULL, ALL, false, "print the time that each pass takes", set_flag,
     offsetof(CommandLine, opt.time_passes)},
    {"quiet", 'q', NULL, ALL, false, "no notes on stderr", set_flag, offsetof(CommandLine, opt.quiet)},
    {"help", 'h', NULL, ALL, true, "print this text", NULL, 0},
    {"version", 0, NULL, ALL, true, "print the version", NULL, 0},
};
enum { NUM_OPTIONS = sizeof option_specs / sizeof option_specs[0] };

/* ---- help ---- */

static void print_option(const OptionSpec *o)
{
    char left[160], letter[8] = "    ";
    if (o->letter)
        snprintf(letter, sizeof letter, "-%c, ", o->letter);
    int n = snprintf(left, sizeof left, "  %s--%s %s", letter, o->name, o->arg ? o->arg : "");
    printf(n > 30 ? "%s\n%30s  %s\n" : "%-30s%s  %s\n", left, "", o->help);
}

static void print_overview(FILE *f)
{
    fprintf(f, "Usage: ternc COMMAND MODEL.onnx [options]\n\n"
               "Compile ONNX models to ternary, dependency-free C.\n\nCommands:\n");
    for (int i = 0; i < NUM_COMMANDS; i++)
        fprintf(f, "  %-10s  %s\n", command_specs[i].name, command_specs[i].summary);
    fprintf(f,
            "\n'ternc COMMAND --help' explains a command and its options; 'ternc --version' prints the version.\n"
            "Exit code: 0 success, 1 the model or the data is at fault, 2 wrong usage, 3 a bug in ternc.\n\n"
            "Example:\n  %s\n",
            command_specs[CMD_compile].examples[0]);
}

static void print_help(Command command)
{
    const CommandSpec *s = &command_specs[command];
    printf("Usage: ternc %s %s [options]\n\n%s: %s.\n\nOptions:\n", s->name, s->args, s->name, s->summary);
    for (int i = 0; i < NUM_OPTIONS; i++)
        if (option_specs[i].taken & 1u << command)
            print_option(&option_specs[i]);
    printf("\nExamples:\n");
    for (int i = 0; s->examples[i]; i++)
        printf("  %s\n", s->examples[i]);
}

/* ---- parsing ---- */

typedef struct Parser {
    CommandLine *c;
    const CommandSpec *spec;
    unsigned given[NUM_OPTIONS]; /* times */
} Parser;

static Command find_command(const char *name)
{
    for (int i = 0; i < NUM_COMMANDS; i++)
        if (!strcmp(command_specs[i].name, name))
            return (Command)i;
    const char *list = command_specs[0].name;
    for (int i = 1; i < NUM_COMMANDS; i++)
        list = mem_printf("%s, %s", list, command_specs[i].name);
    usage("unknown command '%s'; there are: %s", name, list);
}

/* The row of an option in this command; its name may have rows for other commands too. */
static int find_option(const Parser *p, const char *name)
{
    for (int i = 0; i < NUM_OPTIONS; i++)
        if (!strcmp(option_specs[i].name, name) && option_specs[i].taken & 1u << p->c->command)
            return i;
    return -1;
}

static _Noreturn void refuse_option(const Parser *p, const char *name)
{
    if (!strcmp(name, "data") && p->c->command != CMD_run && p->c->command != CMD_inspect)
        usage("'ternc %s' does not take --data: training is not part of this version", p->spec->name);
    Text list = {0};
    for (int i = 0; i < NUM_OPTIONS; i++)
        for (int k = 0; k < NUM_COMMANDS; k++)
            if (!strcmp(option_specs[i].name, name) && option_specs[i].taken & 1u << k)
                text_printf(&list, "%s%s", list.len ? ", " : "", command_specs[k].name);
    char *names = mem_strdup(list.data);
    text_free(&list);
    usage("'ternc %s' does not take --%s; it belongs to: %s", p->spec->name, name, names);
}

static void take_option(Parser *p, const char *name, const char *value)
{
    int row = find_option(p, name);
    if (row < 0)
        refuse_option(p, name);
    const OptionSpec *o = &option_specs[row];
    if (p->given[row]++ && !o->repeats)
        usage("--%s is given twice", name);
    if (o->parse)
        o->parse(p->c, o, value);
}

static void take_model(Parser *p, const char *arg)
{
    if (p->c->command == CMD_size)
        add_string(&p->c->models, arg);
    if (p->c->command == CMD_size && p->c->model)
        return;
    if (p->c->model)
        usage("unexpected argument '%s': ternc %s %s", arg, p->spec->name, p->spec->args);
    p->c->model = arg;
}

/* getopt_long's own numbers for long options: the first row of a name, after all letters. */
enum { FIRST_LONG = 256 };

static void make_getopt_tables(struct option *longs, char *letters)
{
    *letters++ = '-'; /* operands in their place */
    *letters++ = ':'; /* a missing value is ':' */
    for (int i = 0; i < NUM_OPTIONS; i++) {
        const OptionSpec *o = &option_specs[i];
        if (i && !strcmp(o[-1].name, o->name))
            continue;
        *longs++ = (struct option){o->name, o->arg ? required_argument : no_argument, NULL, FIRST_LONG + i};
        if (!o->letter)
            continue;
        *letters++ = o->letter;
        if (o->arg)
            *letters++ = ':';
    }
}

static const char *option_name(int code)
{
    for (int i = 0; i < NUM_OPTIONS; i++)
        if (FIRST_LONG + i == code || (code && option_specs[i].letter == code))
            return option_specs[i].name;
    return NULL;
}

static _Noreturn void refuse_word(const Parser *p, int code, const char *word)
{
    const char *name = option_name(optopt);
    int row = name ? find_option(p, name) : -1;
    if (name && row < 0)
        refuse_option(p, name);
    if (code == ':')
        usage("--%s needs a value: --%s %s", name, name, option_specs[row].arg);
    if (name)
        usage("--%s takes no value", name);
    usage("unknown option '%s'; 'ternc %s --help' lists the options", word, p->spec->name);
}

static void parse_words(Parser *p, int argc, char **argv)
{
    struct option longs[NUM_OPTIONS + 1] = {{0}};
    char letters[3 * NUM_OPTIONS] = {0};
    make_getopt_tables(longs, letters);
    optind = 0; /* start afresh: tests parse many command lines */
    opterr = 0;
    for (int code, at = 1; (code = getopt_long(argc, argv, letters, longs, NULL)) != -1; at = optind) {
        if (code == 1)
            take_model(p, optarg);
        else if (code == '?' || code == ':')
            refuse_word(p, code, argv[at < argc ? at : argc - 1]);
        else
            take_option(p, option_name(code), optarg);
    }
    while (optind < argc)
        take_model(p, argv[optind++]);
}

static bool is_given(const Parser *p, const char *name)
{
    int row = find_option(p, name);
    return row >= 0 && p->given[row];
}

static void check_method(Parser *p)
{
    static const char *const needs_method[] = {"granularity", "threshold", "sparsity", "keep"};
    Options *opt = &p->c->opt;
    for (size_t i = 0; opt->method == METHOD_NONE && i < sizeof needs_method / sizeof needs_method[0]; i++)
        if (is_given(p, needs_method[i]))
            usage("--%s has no meaning with --method none; add --method twn or stp", needs_method[i]);
    if (opt->method == METHOD_SCA)
        usage("--method sca trains the weights, and training is not part of this version; use twn or stp");
    if (is_given(p, "threshold") && (is_given(p, "sparsity") || opt->method == METHOD_STP))
        usage("--threshold and %s exclude each other", is_given(p, "sparsity") ? "--sparsity" : "--method stp");
    if (opt->method == METHOD_STP && !is_given(p, "sparsity"))
        opt->sparsity = 0.9f;
}

static void check_data(const Parser *p)
{
    static const char *const of_values[] = {"scale", "mean", "std"};
    const CommandLine *c = p->c;
    if (c->command == CMD_eval && !c->data)
        usage("'ternc eval' needs --data SPEC");
    bool pixels = c->opt.input.num_uint8 > 0, makes_c = c->command != CMD_eval;
    for (size_t i = 0; !c->data && !pixels && i < sizeof of_values / sizeof of_values[0]; i++)
        if (is_given(p, of_values[i]))
            usage("--%s has no meaning without --data%s", of_values[i], makes_c ? " or --input-uint8" : "");
    if (is_given(p, "limit") && !c->data)
        usage("--limit has no meaning without --data");
    if (c->data && pixels)
        usage("--data and --input-uint8 exclude each other");
    if (c->data && c->inputs.count)
        usage("--data and --input exclude each other");
    for (int i = 0; i < c->std.count; i++)
        if (!(c->std.items[i] > 0))
            usage("--std: %g is not positive", c->std.items[i]);
}

/* Without a data set, --layout, --scale, --mean and --std speak of the inputs that the generated C takes. */
static void set_input_form(CommandLine *c)
{
    if (c->data)
        return;
    InputForm *f = &c->opt.input;
    f->nhwc = c->nhwc;
    f->scale = c->scale;
    f->mean = c->mean;
    f->std = c->std;
}

static void check_size(const Parser *p)
{
    static const char *const needs_method[] = {"granularity", "threshold", "sparsity", "keep"};
    const CommandLine *c = p->c;
    bool only_float = c->num_methods == 1 && c->methods[0] == METHOD_NONE;
    for (size_t i = 0; only_float && i < sizeof needs_method / sizeof needs_method[0]; i++)
        if (is_given(p, needs_method[i]))
            usage("--%s has no meaning with --methods none alone; add twn or stp", needs_method[i]);
    if (c->csv && c->json)
        usage("--csv and --json exclude each other");
    if (is_given(p, "tolerance") && !c->baseline)
        usage("--tolerance has no meaning without --baseline");
}

/* compile needs a compiler only to measure. */
static void check_budget_options(const Parser *p)
{
    bool budget = p->c->max_flash >= 0 || p->c->max_ram >= 0;
    for (int i = 0; i < 2 && !budget; i++)
        if (is_given(p, i ? "cflags" : "cc"))
            usage("--%s has no meaning without --max-flash or --max-ram", i ? "cflags" : "cc");
}

static void set_size_defaults(CommandLine *c)
{
    c->cflags = "-Os";
    c->opt.optimize = OPTIMIZE_SIZE;
    c->methods[0] = METHOD_NONE;
    c->methods[1] = METHOD_TWN;
    c->num_methods = 2;
    c->num_lowerings = 1;
}

static void check_command_line(Parser *p)
{
    CommandLine *c = p->c;
    if (c->list_targets)
        return;
    if (!c->model)
        usage("'ternc %s' needs a model: ternc %s %s", p->spec->name, p->spec->name, p->spec->args);
    if (p->spec->needs_output && !c->outputs.count)
        usage("'ternc %s' needs --output: ternc %s %s", p->spec->name, p->spec->name, p->spec->args);
    if (c->command == CMD_size)
        check_size(p);
    if (c->command == CMD_compile)
        check_budget_options(p);
    check_method(p);
    check_data(p);
    set_input_form(c);
    if (!c->opt.name)
        c->opt.name = model_id(c->model);
}

static CommandLine *default_command_line(Command command)
{
    CommandLine *c = NEW(CommandLine);
    c->command = command;
    c->opt.method = command_specs[command].method;
    c->scale = 1;
    c->seed = 1;
    c->cc = "clang";
    c->cflags = command == CMD_compile ? "-Os" : "-O1";
    c->max_flash = c->max_ram = -1;
    c->samples = 2;
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    c->threads = cores < 1 ? 1 : cores > 64 ? 64 : (int)cores;
    if (command == CMD_size)
        set_size_defaults(c);
    return c;
}

/* --help and --version anywhere on the line win over whatever else is wrong with it. */
static bool asks_for(int argc, char **argv, const char *word, const char *letter)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--"); i++)
        if (!strcmp(argv[i], word) || !strcmp(argv[i], letter))
            return true;
    return false;
}

const CommandLine *options_parse(int argc, char **argv)
{
    if (asks_for(argc, argv, "--version", "--version")) {
        printf("ternc %s\n", TERNC_VERSION);
        return NULL;
    }
    bool help = asks_for(argc, argv, "--help", "-h");
    if (help && argv[1][0] == '-') {
        print_overview(stdout);
        return NULL;
    }
    if (argc < 2)
        usage("no command given; 'ternc --help' lists the commands");
    Command command = find_command(argv[1]);
    if (help) {
        print_help(command);
        return NULL;
    }
    Parser p = {.c = default_command_line(command), .spec = &command_specs[command]};
    parse_words(&p, argc - 1, argv + 1);
    check_command_line(&p);
    return p.c;
}
