/* options.c - the command line: getopt_long does the splitting, options_table.c says what there is. An option
 * has the same name and meaning in every command that takes it; where its argument or default differs between
 * commands it has one row for each. */
#include "cli/options_table.h"
#include "codegen/codegen.h"
#include "passes/methods/methods.h"

#include <getopt.h>
#include <string.h>

typedef struct OptionParser {
    CommandLine *c;
    const CommandSpec *spec;
    unsigned *given; /* times, by row of option_specs */
} OptionParser;

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
static int find_option(const OptionParser *p, const char *name)
{
    for (int i = 0; i < num_options; i++)
        if (!strcmp(option_specs[i].name, name) && option_specs[i].taken & 1u << p->c->command)
            return i;
    return -1;
}

static _Noreturn void refuse_option(const OptionParser *p, const char *name)
{
    Text list = {0};
    for (int i = 0; i < num_options; i++)
        for (int k = 0; k < NUM_COMMANDS; k++)
            if (!strcmp(option_specs[i].name, name) && option_specs[i].taken & 1u << k)
                text_printf(&list, "%s%s", list.len ? ", " : "", command_specs[k].name);
    char *names = text_take(&list);
    usage("'ternc %s' does not take --%s; it belongs to: %s", p->spec->name, name, names);
}

static void take_option(OptionParser *p, const char *name, const char *value)
{
    int row = find_option(p, name);
    if (row < 0)
        refuse_option(p, name);
    const OptionSpec o = option_row(row);
    if (p->given[row]++ && !o.repeats)
        usage("--%s is given twice", name);
    if (o.parse)
        o.parse(p->c, &o, value);
}

static void take_model(OptionParser *p, const char *arg)
{
    bool several = p->c->command == CMD_size || p->c->command == CMD_compile;
    if (several)
        add_string(&p->c->models, arg);
    if (several && p->c->model)
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
    for (int i = 0; i < num_options; i++) {
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
    for (int i = 0; i < num_options; i++)
        if (FIRST_LONG + i == code || (code && option_specs[i].letter == code))
            return option_specs[i].name;
    return NULL;
}

static _Noreturn void refuse_word(const OptionParser *p, int code, const char *word)
{
    const char *name = option_name(optopt);
    int row = name ? find_option(p, name) : -1;
    if (name && row < 0)
        refuse_option(p, name);
    if (code == ':')
        usage("--%s needs a value: --%s %s", name, name, option_row(row).arg);
    if (name)
        usage("--%s takes no value", name);
    usage("unknown option '%s'; 'ternc %s --help' lists the options", word, p->spec->name);
}

static void parse_words(OptionParser *p, int argc, char **argv)
{
    struct option *longs = NEW_ARRAY(struct option, num_options + 1);
    char *letters = NEW_ARRAY(char, 3 * num_options + 3);
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

static bool is_given(const OptionParser *p, const char *name)
{
    int row = find_option(p, name);
    return row >= 0 && p->given[row];
}

/* Options that say how weights become ternary; with `given` none does. */
static void refuse_without_method(const OptionParser *p, const char *given, const char *add)
{
    static const char *const needs_method[] = {"granularity", "threshold", "sparsity", "keep"};
    for (size_t i = 0; i < sizeof needs_method / sizeof needs_method[0]; i++)
        if (is_given(p, needs_method[i]))
            usage("--%s has no meaning with %s; add %s%s", needs_method[i], given, add,
                  untrained_ternary_methods());
}

static void check_threshold(const OptionParser *p, const MethodDef *m)
{
    if (is_given(p, "sparsity"))
        usage("--threshold and --sparsity exclude each other");
    if (m->sparsity > 0)
        usage("--threshold and --method %s exclude each other", m->name);
    if (m->zeros)
        usage("--threshold has no meaning with --method %s: its knob is --%s, or --sparsity", m->name,
              m->zeros->option);
}

static bool takes_training(const CommandLine *c)
{
    return c->command == CMD_compile || c->command == CMD_ternarize;
}

static void check_method(OptionParser *p)
{
    Options *opt = &p->c->opt;
    bool training = p->c->data.spec && !p->c->untrained && takes_training(p->c);
    if (p->c->sensitivity && !is_given(p, "method"))
        opt->method = METHOD_twn;
    opt->train = training;
    const MethodDef *m = method_def(opt->method);
    if (opt->method == METHOD_none)
        refuse_without_method(p, "--method none", "--method ");
    if (m->needs_data && !training)
        usage("--method %s trains the weights: use 'ternc ternarize' or 'ternc compile' with --data SPEC",
              m->name);
    if (is_given(p, "threshold"))
        check_threshold(p, m);
    else if (training)
        opt->threshold = m->threshold;
    if (!is_given(p, "sparsity"))
        opt->sparsity = m->sparsity;
}

static void check_for_training(const OptionParser *p, const char *name)
{
    if (is_given(p, name) && !p->c->data.spec)
        usage("--%s is for training: it needs --data SPEC", name);
}

/* Options of one method alone; m is the one that is used. */
static void check_knobs(const OptionParser *p, const MethodDef *m)
{
    for (int i = 0; i < NUM_METHODS; i++) {
        const MethodDef *owner = method_def(method_at(i));
        for (const Knob *k = owner->knobs; k && k->option; k++) {
            check_for_training(p, k->option);
            if (is_given(p, k->option) && owner != m)
                usage("--%s belongs to --method %s", k->option, owner->name);
        }
    }
}

static void check_training(const OptionParser *p)
{
    static const char *const needs_data[] = {
        "valid", "epochs",   "batch",   "lr",  "optimizer", "momentum",   "weight-decay",
        "clip",  "schedule", "augment", "log", "plot",      "checkpoint", "resume"};
    for (size_t i = 0; i < sizeof needs_data / sizeof needs_data[0]; i++)
        check_for_training(p, needs_data[i]);
    const MethodDef *m = method_def(p->c->opt.method);
    check_knobs(p, m);
    if (m->zeros && is_given(p, m->zeros->option) && is_given(p, "sparsity"))
        usage("--%s and --sparsity exclude each other: --sparsity solves for %s", m->zeros->option,
              m->zeros->option);
    if (m->recovery && p->c->train.epochs == 1)
        usage("--method %s needs at least 2 epochs: the last ones recover what rounding costs", m->name);
}

static void refuse_without_sensitivity(const OptionParser *p, const char *name)
{
    if (is_given(p, name))
        usage("'ternc inspect' takes --%s with --sensitivity", name);
}

/* What has a meaning with --sensitivity, --max-loss or training alone. */
static void check_max_loss(const OptionParser *p)
{
    const CommandLine *c = p->c;
    if (c->sensitivity && !c->data.spec)
        usage("--sensitivity needs --data SPEC to measure on");
    if (c->command == CMD_inspect && !c->sensitivity) {
        refuse_without_sensitivity(p, "data");
        refuse_without_sensitivity(p, "max-loss");
    }
    if (c->max_loss >= 0 && !c->data.spec)
        usage("--max-loss needs --data SPEC to measure on");
    if (c->max_loss >= 0 && c->opt.method == METHOD_none && !c->automatic)
        usage("--max-loss has no meaning with --method none");
    if (c->untrained && c->max_loss < 0)
        usage("--epochs 0 does not train: that is for --max-loss");
}

static void check_data(const OptionParser *p)
{
    static const char *const of_values[] = {"scale", "mean", "std"};
    const CommandLine *c = p->c;
    if (c->command == CMD_eval && !c->data.spec)
        usage("'ternc eval' needs --data SPEC");
    bool pixels = c->opt.input.num_uint8 > 0, makes_c = c->command != CMD_eval;
    bool samples = c->data.spec || c->opt.calibrate.count;
    for (size_t i = 0; !samples && !pixels && i < sizeof of_values / sizeof of_values[0]; i++)
        if (is_given(p, of_values[i]))
            usage("--%s has no meaning without --data%s", of_values[i],
                  makes_c ? ", --calibrate or --input-uint8" : "");
    if (is_given(p, "limit") && !samples)
        usage("--limit has no meaning without --data or --calibrate");
    if (c->data.spec && pixels)
        usage("--data and --input-uint8 exclude each other");
    if (c->data.spec && c->inputs.count)
        usage("--data and --input exclude each other");
    for (int i = 0; i < c->data.std.count; i++)
        if (!(c->data.std.items[i] > 0))
            usage("--std: %g is not positive", c->data.std.items[i]);
}

/* Without a data set, --layout, --scale, --mean and --std speak of the inputs that the generated C takes. */
static void set_input_form(CommandLine *c)
{
    if (c->data.spec)
        return;
    InputForm *f = &c->opt.input;
    f->layout = c->data.layout;
    f->scale = c->data.scale;
    f->mean = c->data.mean;
    f->std = c->data.std;
}

static void check_size(const OptionParser *p)
{
    const CommandLine *c = p->c;
    if (c->num_methods == 1 && c->methods[0] == METHOD_none)
        refuse_without_method(p, "--methods none alone", "");
    if (c->csv && c->json)
        usage("--csv and --json exclude each other");
    if (is_given(p, "tolerance") && !c->baseline)
        usage("--tolerance has no meaning without --baseline");
}

static void refuse_without_budget(const OptionParser *p, const char *name)
{
    if (is_given(p, name))
        usage("--%s has no meaning without --max-flash or --max-ram", name);
}

/* compile needs a compiler only to measure. */
static void check_budget_options(const OptionParser *p)
{
    bool budget = p->c->budget.max_flash >= 0 || p->c->budget.max_ram >= 0;
    if (budget && p->c->models.count > 1)
        usage("--max-flash and --max-ram take one model; sizes of several are what 'ternc size' tells");
    if (!budget) {
        refuse_without_budget(p, "cc");
        refuse_without_budget(p, "cflags");
    }
}

static void set_size_defaults(CommandLine *c)
{
    c->opt.optimize = OPTIMIZE_SIZE;
    c->methods[0] = METHOD_none;
    c->methods[1] = METHOD_twn;
    c->num_methods = 2;
    c->num_lowerings = 1;
}

/* All lowerings that add and subtract. */
static void set_bench_defaults(CommandLine *c)
{
    static const Layer any = {0};
    c->opt.target = host_target();
    c->seconds = 2;
    c->samples = 1;
    for (Lowering i = LOWER_AUTO; i < NUM_LOWERINGS; i++)
        if (i == LOWER_AUTO || form_of(&any, i, false, &c->opt)->ternary)
            c->lowerings[c->num_lowerings++] = i;
}

static const char *default_flags(const CommandLine *c)
{
    const char *level = recommended_flags(c->opt.optimize, c->build.cc);
    return c->command == CMD_bench ? mem_printf("%s -march=native", level) : level;
}

/* Weights that the samples of --calibrate can choose. */
static bool makes_ternary(const CommandLine *c)
{
    if (c->command != CMD_size)
        return c->opt.method != METHOD_none && !c->opt.train;
    bool any = false;
    for (int i = 0; i < c->num_methods; i++)
        any |= c->methods[i] != METHOD_none;
    return any;
}

static void check_calibrate(const CommandLine *c)
{
    if (c->opt.codes && !c->opt.calibrate.count && !c->opt.train)
        usage("--activations %s needs samples for the ranges of activations: --calibrate SPEC%s",
              c->opt.codes->name, takes_training(c) ? ", or --data SPEC, which trains with them" : "");
    if (c->opt.calibrate.count && c->sensitivity)
        usage("--sensitivity measures layers without samples: give it without --calibrate");
    if (c->opt.calibrate.count && !c->opt.codes && !makes_ternary(c))
        usage("--calibrate is for --activations int8 or int16, and for weights that become ternary without "
              "training, "
              "by --method %s",
              untrained_ternary_methods());
}

/* The samples of --calibrate become inputs as those of --data. */
static void set_calibration(OptionParser *p)
{
    static const char *const needs_codes[] = {"calibration", "keep-as"};
    CommandLine *c = p->c;
    for (size_t i = 0; i < sizeof needs_codes / sizeof needs_codes[0]; i++)
        if (!c->opt.codes && is_given(p, needs_codes[i]))
            usage("--%s is for --activations int8 or int16", needs_codes[i]);
    if (c->opt.codes && c->opt.io && c->opt.io != c->opt.codes)
        usage("--io %s does not go with --activations %s, which has codes of its own: --io %s",
              c->opt.io->name, c->opt.codes->name, c->opt.codes->name);
    if (is_given(p, "scales") && c->opt.codes != code_kind(0))
        usage("--scales is for --activations int8");
    if (c->opt.powers && !c->opt.calibrate.count)
        usage("--scales pow2 needs --calibrate SPEC: training chooses scales of any size");
    if (c->opt.codes && c->sensitivity)
        usage("--sensitivity measures layers with float activations: give it without --activations %s",
              c->opt.codes->name);
    check_calibrate(c);
    c->opt.fit = c->opt.calibrate.count > 0 && !c->opt.codes && !c->automatic;
    c->opt.calibration = c->data;
    c->opt.threads = c->threads;
}

/* --activations auto: --data is what both are measured on. */
static void check_automatic(const OptionParser *p)
{
    CommandLine *c = p->c;
    if (!c->automatic)
        return;
    if (!c->data.spec || c->max_loss < 0)
        usage("--activations auto needs --data SPEC, with labels, to measure on, and --max-loss POINTS");
    if (!c->opt.calibrate.count)
        usage("--activations auto needs --calibrate SPEC, samples for the ranges of int8 activations");
    if (c->opt.io)
        usage(
            "--activations auto does not go with --io: types of the application would depend on the choice");
    if (c->train.epochs)
        usage("--activations auto does not train: train with 'ternc ternarize' first");
    c->untrained = true;
}

static void check_command_line(OptionParser *p)
{
    CommandLine *c = p->c;
    if (c->list_targets || c->list_operators)
        return;
    if (!c->model)
        usage("'ternc %s' needs a model: ternc %s %s", p->spec->name, p->spec->name, p->spec->args);
    if (p->spec->needs_output && !c->outputs.count)
        usage("'ternc %s' needs --output: ternc %s %s", p->spec->name, p->spec->name, p->spec->args);
    if (c->command == CMD_size)
        check_size(p);
    if (c->command == CMD_compile)
        check_budget_options(p);
    check_automatic(p);
    check_method(p);
    check_training(p);
    check_max_loss(p);
    check_data(p);
    set_input_form(c);
    set_calibration(p);
    if (c->opt.weights == WEIGHTS_FILE && c->models.count > 1)
        usage("--weights file takes one model");
    if (c->opt.weights > WEIGHTS_ARRAY && c->opt.target && find_target(c->opt.target)->only_arrays)
        usage("--weights: %s has constants as arrays alone", c->opt.target);
    if (c->opt.split > 0 && c->models.count > 1)
        usage("--split takes one model; several are files of their own");
    if (c->command == CMD_compile && c->data.spec && c->models.count > 1)
        usage("--data trains one model; train each by 'ternc ternarize' and compile the results together");
    if (c->names.count && c->names.count != c->models.count)
        usage("--name: %d names for %d models", c->names.count, c->models.count);
    c->opt.name = c->names.count ? c->names.items[0] : model_id(c->model);
    if (!c->build.cflags && c->command != CMD_eval)
        c->build.cflags = default_flags(c);
}

static CommandLine *default_command_line(Command command)
{
    CommandLine *c = NEW(CommandLine);
    c->command = command;
    c->opt.method = command_specs[command].method;
    c->data.scale = 1;
    c->seed = 1;
    c->train.momentum = 0.9;
    c->train.decay = -1;
    c->train.clip = 10;
    set_knobs(&c->train);
    c->build.cc = command == CMD_eval ? NULL : "clang"; /* eval looks for one */
    c->budget.max_flash = c->budget.max_ram = -1;
    c->max_loss = -1;
    c->samples = 2;
    c->threads = free_cores();
    if (command == CMD_size)
        set_size_defaults(c);
    if (command == CMD_bench)
        set_bench_defaults(c);
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

/* What the build asks for, and nobody else: ternc.1 and the completion script. */
static bool print_for_build(int argc, char **argv)
{
    if (argc != 2 || (strcmp(argv[1], "--man") && strcmp(argv[1], "--bash-completion")))
        return false;
    if (!strcmp(argv[1], "--man"))
        print_man();
    else
        print_completion();
    return true;
}

const CommandLine *options_parse(int argc, char **argv)
{
    if (print_for_build(argc, argv))
        return NULL;
    if (asks_for(argc, argv, "--version", "--version")) {
        printf("ternc %s\n", TERNC_VERSION);
        return NULL;
    }
    bool help = asks_for(argc, argv, "--help", "-h");
    if (help && argv[1][0] == '-') {
        print_overview();
        return NULL;
    }
    if (argc < 2)
        usage("no command given; 'ternc --help' lists the commands");
    Command command = find_command(argv[1]);
    if (help) {
        print_help(command);
        return NULL;
    }
    OptionParser p = {.c = default_command_line(command),
                      .spec = &command_specs[command],
                      .given = NEW_ARRAY(unsigned, num_options)};
    parse_words(&p, argc - 1, argv + 1);
    check_command_line(&p);
    return p.c;
}

TrainJob train_job(const CommandLine *c)
{
    return (TrainJob){.method = method_def(c->opt.method),
                      .opt = &c->opt,
                      .train = &c->train,
                      .data = &c->data,
                      .seed = c->seed,
                      .threads = c->threads,
                      .again = c->command == CMD_ternarize,
                      .output = c->outputs.count ? c->outputs.items[0] : NULL};
}

CheckInputs check_inputs(const CommandLine *c)
{
    return (CheckInputs){.files = c->inputs, .data = &c->data, .samples = c->samples, .seed = c->seed};
}
