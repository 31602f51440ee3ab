/* options_table.c - the table of commands and the table of options, with what reads each option's value.
 * Parsing, help, manual page and completion all come from these tables (options.c, options_help.c). */
#include "cli/options_table.h"
#include "layers/layers.h"
#include "passes/methods/methods.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

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
        usage("--%s %s: '%s' is not a whole number from %s to %s", o->name, o->arg, text, int_text(low),
              int_text(high));
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
        usage("--name %s: '%s' cannot start names in C: take a letter, then letters, digits and _, no "
              "keyword and "
              "no header of the system",
              o->arg, value);
    add_string(&c->names, value);
}

static void parse_method(CommandLine *c, const OptionSpec *o, const char *value)
{
    c->opt.method = method_at(choice_of(o, value));
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

/* "auto|unroll|...", and with what follows it for a list. */
#define WORD(id, word) "|" #word
#define LOWERING_WORDS(more) (&(LOWERINGS(WORD) more)[1])

static void parse_lowering(CommandLine *c, const OptionSpec *o, const char *value)
{
    c->opt.lowering = (Lowering)choice_of(o, value);
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
    Method list[NUM_METHODS];
    int choices[NUM_METHODS], count = list_methods(list, true);
    c->num_methods = choices_of(o, method_words(true), value, choices, count);
    for (int i = 0; i < c->num_methods; i++)
        c->methods[i] = list[choices[i]];
}

static void parse_lowerings(CommandLine *c, const OptionSpec *o, const char *value)
{
    int choices[NUM_LOWERINGS];
    c->num_lowerings = choices_of(o, LOWERING_WORDS(""), value, choices, NUM_LOWERINGS);
    for (int i = 0; i < c->num_lowerings; i++)
        c->lowerings[i] = (Lowering)choices[i];
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

static void parse_codes(CommandLine *c, const OptionSpec *o, const char *value)
{
    int word = choice_of(o, value);
    *(const CodeKind **)(void *)((char *)c + o->field) = word ? code_kind(word - 1) : NULL;
}

static void parse_activations(CommandLine *c, const OptionSpec *o, const char *value)
{
    c->automatic = !strcmp(value, "auto");
    if (c->automatic)
        c->opt.codes = code_kind(0);
    else
        parse_codes(c, o, value);
}

static void parse_scales(CommandLine *c, const OptionSpec *o, const char *value)
{
    c->opt.powers = choice_of(o, value) == 1;
}

static void parse_keep_as(CommandLine *c, const OptionSpec *o, const char *value)
{
    c->opt.keep_float = choice_of(o, value) == 1;
}

static void parse_calibration(CommandLine *c, const OptionSpec *o, const char *value)
{
    c->opt.calibration_rule = (CalibrationRule)choice_of(o, value);
}

static void parse_target(CommandLine *c, const OptionSpec *o, const char *value)
{
    const Target *m = find_target(value);
    if (!m)
        usage("--%s: there is no target '%s'%s; 'ternc size --list-targets' lists all", o->name, value,
              near_targets(value));
    c->opt.target = m->name;
}

static void parse_scale(CommandLine *c, const OptionSpec *o, const char *value)
{
    c->data.scale = number_of(o, value);
}

/* "nchw", or "NAME=nchw" */
static void add_layout(CommandLine *c, const OptionSpec *o, const char *value)
{
    LayoutWords *words = (LayoutWords *)(void *)((char *)c + o->field);
    const char *equals = strrchr(value, '='), *word = equals ? equals + 1 : value;
    LayoutWord *more = NEW_ARRAY(LayoutWord, words->count + 1), *new = &more[words->count];
    if (equals)
        new->input = mem_printf("%.*s", (int)(equals - value), value);
    new->layout = choice_of(o, word) == 0 ? IMAGES_NCHW : IMAGES_NHWC;
    for (int i = 0; i < words->count; i++) {
        more[i] = words->items[i];
        if (!strcmp(more[i].input ? more[i].input : "", new->input ? new->input : ""))
            usage("--%s is given twice for %s", o->name,
                  new->input ? mem_printf("'%s'", new->input) : "all inputs");
    }
    *words = (LayoutWords){more, words->count + 1};
}

static void parse_limit(CommandLine *c, const OptionSpec *o, const char *value)
{
    c->data.limit = integer_of(o, value, 1, INT64_MAX);
}

static void parse_memory(CommandLine *c, const OptionSpec *o, const char *value)
{
    c->memory = integer_of(o, value, 1, 1 << 24);
}

static void parse_samples(CommandLine *c, const OptionSpec *o, const char *value)
{
    c->samples = integer_of(o, value, 1, 1000000);
}

static void parse_weights(CommandLine *c, const OptionSpec *o, const char *value)
{
    c->opt.weights = (WeightText)choice_of(o, value);
}

static void parse_split(CommandLine *c, const OptionSpec *o, const char *value)
{
    if (!strcmp(value, "auto"))
        c->opt.split = SPLIT_AUTO;
    else
        c->opt.split = !strcmp(value, "none") ? SPLIT_NONE : (int)integer_of(o, value, 1, MAX_SPLIT);
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
                  .value = integer_of(o, equals + 1, 0, (int64_t)1 << 40)};
    DimValue *more = NEW_ARRAY(DimValue, c->opt.num_dims + 1);
    for (int i = 0; i < c->opt.num_dims; i++) {
        if (!strcmp(c->opt.dims[i].name, d.name))
            usage("--dim %s: '%s' is given twice", o->arg, d.name);
        more[i] = c->opt.dims[i];
    }
    more[c->opt.num_dims++] = d;
    c->opt.dims = more;
}

static void parse_epochs(CommandLine *c, const OptionSpec *o, const char *value)
{
    c->train.epochs = integer_of(o, value, 0, 100000);
    c->untrained = !c->train.epochs;
}

static void parse_batch(CommandLine *c, const OptionSpec *o, const char *value)
{
    c->train.batch = integer_of(o, value, 1, 1 << 20);
}

/* A number from `low` (itself only if `closed`) up, into the field. */
static void take_positive(CommandLine *c, const OptionSpec *o, const char *value, bool closed)
{
    double v = number_of(o, value);
    if (closed && !(v >= 0))
        usage("--%s %s: '%s' is not at least 0", o->name, o->arg, value);
    if (!closed && !(v > 0))
        usage("--%s %s: '%s' is not positive", o->name, o->arg, value);
    *(double *)(void *)((char *)c + o->field) = v;
}

static void set_positive(CommandLine *c, const OptionSpec *o, const char *value)
{
    take_positive(c, o, value, false);
}

static void set_non_negative(CommandLine *c, const OptionSpec *o, const char *value)
{
    take_positive(c, o, value, true);
}

static void parse_alpha(CommandLine *c, const OptionSpec *o, const char *value)
{
    c->train.alpha = number_of(o, value);
    if (!(c->train.alpha > 0 && c->train.alpha < 2))
        usage("--alpha %s: '%s' is not between 0 (no zeros) and 2 (all zeros)", o->arg, value);
}

static void parse_optimizer(CommandLine *c, const OptionSpec *o, const char *value)
{
    c->train.adam = choice_of(o, value) == 1;
    c->train.optimizer_given = true;
}

static void parse_schedule(CommandLine *c, const OptionSpec *o, const char *value)
{
    c->train.step_schedule = choice_of(o, value) == 1;
}

static void parse_scope(CommandLine *c, const OptionSpec *o, const char *value)
{
    c->train.sparsity_per_layer = choice_of(o, value) == 1;
}

static void parse_augment(CommandLine *c, const OptionSpec *o, const char *value)
{
    int count;
    const char *const *words = split(o, value, &count);
    for (int i = 0; i < count; i++)
        if (!strcmp(words[i], "flip"))
            c->train.flip = true;
        else if (!strncmp(words[i], "crop=", 5))
            c->train.crop = integer_of(o, words[i] + 5, 1, 1000);
        else
            usage("--augment %s: '%s' is neither flip nor crop=N", o->arg, words[i]);
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

const CommandSpec command_specs[NUM_COMMANDS] = {
    [CMD_inspect] = {.name = "inspect",
                     .args = "MODEL.onnx",
                     .summary = "list inputs, outputs and layers with shapes, parameters, MACs and zeros",
                     .method = METHOD_none,
                     .examples = {"ternc inspect net.onnx", "ternc inspect net.onnx --method twn --json",
                                  "ternc inspect net.onnx --sensitivity --data test.npz --max-loss 1"}},
    [CMD_compile] =
        {.name = "compile",
         .args = "MODEL.onnx... -o DIR",
         .summary = "make the weights ternary and write DIR/NAME.c and DIR/NAME.h; several share kernels",
         .needs_output = true,
         .examples = {"ternc compile net.onnx -o out",
                      "ternc compile net.onnx -o out --optimize size --explain",
                      "ternc compile a.onnx b.onnx -o out --optimize size"}},
    [CMD_ternarize] =
        {.name = "ternarize",
         .args = "MODEL.onnx -o OUT.onnx",
         .summary = "make the weights ternary and write an ordinary ONNX model",
         .needs_output = true,
         .examples = {"ternc ternarize net.onnx -o ternary.onnx",
                      "ternc ternarize net.onnx -o sparse.onnx --method stp --sparsity 0.95 --data "
                      "images.gz,labels.gz --scale 1/255"}},
    [CMD_run] = {.name = "run",
                 .args = "MODEL.onnx --input FILE",
                 .summary = "evaluate a model inside ternc",
                 .method = METHOD_none,
                 .examples = {"ternc run net.onnx --input x.npy --output y.npy",
                              "ternc run net.onnx --input left=a.npy --input right=b.pb"}},
    [CMD_eval] = {.name = "eval",
                  .args = "MODEL.onnx --data SPEC",
                  .summary = "loss and accuracy on a data set",
                  .method = METHOD_none,
                  .examples = {"ternc eval net.onnx --data images.gz,labels.gz --scale 1/255 --json",
                               "ternc eval net.onnx --data test.npz --method twn --limit 1000"}},
    [CMD_check] =
        {.name = "check",
         .args = "MODEL.onnx",
         .summary = "compile the generated C, run it and compare with the evaluator; exit 1 if they differ",
         .examples = {"ternc check net.onnx", "ternc check net.onnx --lowering sparse --cc gcc"}},
    [CMD_size] =
        {.name = "size",
         .args = "MODEL.onnx...",
         .summary = "measure flash and RAM of models, methods and lowerings side by side, layer by layer",
         .examples =
             {"ternc size net.onnx --targets cortex-m0plus,cortex-m4,rv32imac",
              "ternc size a.onnx b.onnx --methods none,twn,stp --lowerings auto,sparse --html size.html",
              "ternc size net.onnx --targets cortex-m4 --baseline size.json --tolerance 1"}},
    [CMD_bench] = {.name = "bench",
                   .args = "MODEL.onnx",
                   .summary =
                       "speed of the generated C on this machine: the float build beside the ternary ones",
                   .examples = {"ternc bench net.onnx", "ternc bench net.onnx --lowerings auto --layers"}},
};

enum {
    INSPECT = 1 << CMD_inspect,
    COMPILE = 1 << CMD_compile,
    TERNARIZE = 1 << CMD_ternarize,
    RUN = 1 << CMD_run,
    EVAL = 1 << CMD_eval,
    CHECK = 1 << CMD_check,
    SIZE = 1 << CMD_size,
    BENCH = 1 << CMD_bench,
    ALL = (1 << NUM_COMMANDS) - 1
};

const OptionSpec option_specs[] = {
    {"output", 'o', "DIR", COMPILE, false, "folder for the C files; made if it is missing", add_text,
     offsetof(CommandLine, outputs)},
    {"output", 'o', "OUT.onnx", TERNARIZE, false, "the model to write", add_text,
     offsetof(CommandLine, outputs)},
    {"output", 'o', "[NAME=]FILE.npy", RUN, true, "write an output; without it values are printed", add_text,
     offsetof(CommandLine, outputs)},
    {"output", 'o', "DIR", SIZE, false, "keep the C files and objects here", add_text,
     offsetof(CommandLine, outputs)},
    {"input", 'i', "[NAME=]FILE", RUN | CHECK | BENCH, true, "value of an input, .npy or .pb (TensorProto)",
     add_text, offsetof(CommandLine, inputs)},
    {"name", 0, "ID", COMPILE, true, "prefix of everything generated (default: the model's file name)",
     parse_name, 0},
    {"method", 0, "{methods}", COMPILE | TERNARIZE | CHECK | BENCH, false,
     "how weights become ternary (default: twn)", parse_method, 0},
    {"method", 0, "{methods}", INSPECT | RUN | EVAL, false, "how weights become ternary (default: none)",
     parse_method, 0},
    {"methods", 0, "{untrained},...", SIZE, false, "how weights become ternary (default: none,twn)",
     parse_methods, 0},
    {"granularity", 0, "layer|channel", ALL, false,
     "one threshold and scale for each of these (default: channel)", parse_granularity, 0},
    {"threshold", 0, "exact|FACTOR", ALL, false,
     "zero below FACTOR * mean|W|, or the best threshold (default: exact; in training {threshold})",
     parse_threshold, 0},
    {"sparsity", 0, "S", ALL, false, "share of zeros per layer, 0 to 1, in place of a threshold ({sparsity})",
     parse_sparsity, 0},
    {"keep", 0, "none|first|last|NAME,...", ALL, false, "layers that stay float (default: last)", parse_keep,
     0},
    {"optimize", 0, "speed|size", COMPILE | CHECK | BENCH, false,
     "what --lowering auto aims at (default: speed)", parse_optimize, 0},
    {"activations", 0, "float|" CODE_WORDS "|auto", COMPILE | TERNARIZE, false,
     "numbers between layers (default: float); codes need --calibrate, or training; auto: int8 within "
     "--max-loss",
     parse_activations, offsetof(CommandLine, opt.codes)},
    {"activations", 0, "float|" CODE_WORDS, ALL & ~(COMPILE | TERNARIZE), false,
     "numbers between layers (default: float); codes need --calibrate", parse_codes,
     offsetof(CommandLine, opt.codes)},
    {"calibrate", 0, "[NAME=]SPEC", ALL, true,
     "samples of an input, without labels: weights become ternary by them, and the ranges of activations; "
     "512 are enough",
     add_text, offsetof(CommandLine, opt.calibrate)},
    {"scales", 0, "any|pow2", ALL, false,
     "of int8 activations and their layers: any, or powers of two, so that layers shift (default: any)",
     parse_scales, 0},
    {"keep-as", 0, "int8|float", ALL, false,
     "with codes: layers that --keep keeps have int8 weights, or compute in float (default: int8)",
     parse_keep_as, 0},
    {"io", 0, "float|" CODE_WORDS, ALL, false,
     "inputs and outputs of a quantised model: floats, or codes (default: float)", parse_codes,
     offsetof(CommandLine, opt.io)},
    {"calibration", 0, CALIBRATION_WORDS, ALL, false, "how ranges follow from samples (default: percentile)",
     parse_calibration, 0},
    {"optimize", 0, "speed|size", SIZE, false, "what --lowerings auto aims at (default: size)",
     parse_optimize, 0},
    {"lowering", 0, LOWERING_WORDS(""), COMPILE | CHECK, false,
     "form of the generated layers (default: auto)", parse_lowering, 0},
    {"target", 0, "TARGET", COMPILE | CHECK, false,
     "the machine, such as cortex-m4, rp2040, avx2; 'ternc size --list-targets' lists all (default: generic)",
     parse_target, 0},
    {"target", 0, "TARGET", BENCH, false, "the machine that code is made for (default: this one)",
     parse_target, 0},
    {"lowerings", 0, LOWERING_WORDS(",..."), SIZE, false, "forms of the generated layers (default: auto)",
     parse_lowerings, 0},
    {"lowerings", 0, LOWERING_WORDS(",..."), BENCH, false,
     "forms of the generated layers (default: auto,unroll,sparse,packed)", parse_lowerings, 0},
    {"targets", 0, "TARGET,...", SIZE, false,
     "machines to compile for; --list-targets lists all (default: host)", parse_targets, 0},
    {"custom-target", 0, "NAME[:TARGET]=FLAGS", SIZE, true,
     "one more target by flags for clang, such as --target=TRIPLE; predicted as TARGET (default: generic)",
     add_text, offsetof(CommandLine, custom_targets)},
    {"list-targets", 0, NULL, SIZE, false, "list the targets with their clang flags and other names",
     set_flag, offsetof(CommandLine, list_targets)},
    {"max-flash", 0, "BYTES", COMPILE, false,
     "fail when clang makes more code and constants of it for --target", parse_bytes,
     offsetof(CommandLine, budget.max_flash)},
    {"max-ram", 0, "BYTES", COMPILE, false, "fail when arena, stack and static data need more on --target",
     parse_bytes, offsetof(CommandLine, budget.max_ram)},
    {"weights", 0, WEIGHT_WORDS, COMPILE | CHECK, false,
     "constants of 4 kB and more: numbers in arrays, text that compilers read faster, or a file that the "
     "assembler "
     "takes in (default: auto, by the target: text but for AVR)",
     parse_weights, 0},
    {"split", 0, "auto|none|N", COMPILE | CHECK, false,
     "N more C files, which compilers work on at the same time (default: auto, for large models alone)",
     parse_split, 0},
    {"memory", 0, "MIB", COMPILE | INSPECT | SIZE | TERNARIZE, false,
     "refuse a model that takes more memory (default: 512 and 64 times its size; with data: no limit)",
     parse_memory, 0},
    {"operators", 0, NULL, INSPECT, false, "list the operators that models may have, as a Markdown table",
     set_flag, offsetof(CommandLine, list_operators)},
    {"explain", 0, NULL, COMPILE, false, "say why each layer got its lowering, with predicted bytes",
     set_flag, offsetof(CommandLine, explain)},
    {"explain", 0, NULL, SIZE, false,
     "list what the shared bytes consist of: kernels, run function, literals", set_flag,
     offsetof(CommandLine, explain)},
    {"layers", 0, NULL, BENCH, false, "time every layer as well", set_flag, offsetof(CommandLine, layers)},
    {"seconds", 0, "S", BENCH, false, "how long to measure (default: 2)", set_positive,
     offsetof(CommandLine, seconds)},
    {"rival", 0, "FILE.so", BENCH, false, "time this too: a library that runs the model as rival.h says",
     set_text, offsetof(CommandLine, rival)},
    {"data", 0, "SPEC", COMPILE | TERNARIZE, false,
     "train on this: IMAGES,LABELS (IDX, .gz too, or .npy), FILE.npz, or CIFAR-10 FILE.bin,...", set_text,
     offsetof(CommandLine, data.spec)},
    {"valid", 0, "SPEC|N", COMPILE | TERNARIZE, false,
     "choose the best epoch on this data, or on the last N samples (default: the last tenth)", set_text,
     offsetof(CommandLine, train.valid)},
    {"sensitivity", 0, NULL, INSPECT, false,
     "ternarise a layer at a time and print what each costs on --data", set_flag,
     offsetof(CommandLine, sensitivity)},
    {"max-loss", 0, "POINTS", INSPECT | COMPILE | TERNARIZE, false,
     "keep layers float, fewest weights first, until the others cost less accuracy on --data",
     set_non_negative, offsetof(CommandLine, max_loss)},
    {"epochs", 0, "N", COMPILE | TERNARIZE, false,
     "passes over the data ({epochs}); 0: --max-loss without training", parse_epochs, 0},
    {"batch", 0, "N", COMPILE | TERNARIZE, false, "samples per step (default: 100)", parse_batch, 0},
    {"lr", 0, "RATE", COMPILE | TERNARIZE, false, "learning rate ({rate})", set_positive,
     offsetof(CommandLine, train.rate)},
    {"optimizer", 0, "sgd|adam", COMPILE | TERNARIZE, false,
     "SGD with momentum, or AdamW ({optimizer}, others: sgd)", parse_optimizer, 0},
    {"momentum", 0, "M", COMPILE | TERNARIZE, false, "of sgd (default: 0.9)", set_non_negative,
     offsetof(CommandLine, train.momentum)},
    {"weight-decay", 0, "D", COMPILE | TERNARIZE, false, "L2 on the weights of layers (default: {decay})",
     set_non_negative, offsetof(CommandLine, train.decay)},
    {"clip", 0, "NORM", COMPILE | TERNARIZE, false,
     "longest gradient of a step, longer ones are scaled down to it; 0: as they are (default: 10)",
     set_non_negative, offsetof(CommandLine, train.clip)},
    {"schedule", 0, "cosine|step", COMPILE | TERNARIZE, false,
     "fall of the rate; step: a tenth after half, a hundredth after 84 % (default: cosine)", parse_schedule,
     0},
    {"alpha", 0, "A", COMPILE | TERNARIZE, false, "sca: the knob for zeros, 0 to 2 (default: {alpha})",
     parse_alpha, 0},
    {"lambda", 0, "L", COMPILE | TERNARIZE, false,
     "sca: weight of the regulariser at its end (default: {lambda})", set_positive,
     offsetof(CommandLine, train.lambda)},
    {"sparsity-scope", 0, "global|layer", COMPILE | TERNARIZE, false,
     "stp: --sparsity over all layers together, or in each (default: global)", parse_scope, 0},
    {"eta", 0, "E", COMPILE | TERNARIZE, false,
     "stp: first threshold, E * max|W| of the layer (default: {eta})", set_non_negative,
     offsetof(CommandLine, train.eta)},
    {"pull", 0, "P", COMPILE | TERNARIZE, false,
     "stp: decay of weights just above the threshold, beside --weight-decay (default: {pull})",
     set_non_negative, offsetof(CommandLine, train.pull)},
    {"augment", 0, "flip,crop=N", COMPILE | TERNARIZE, false, "mirror and shift training images at random",
     parse_augment, 0},
    {"log", 0, "FILE", COMPILE | TERNARIZE, false, "a JSON object per epoch, a line each", set_text,
     offsetof(CommandLine, train.log)},
    {"plot", 0, "FILE.svg", COMPILE | TERNARIZE, false, "draw the run: loss, accuracy, zeros per layer",
     set_text, offsetof(CommandLine, train.plot)},
    {"checkpoint", 0, "FILE", COMPILE | TERNARIZE, false,
     "state after each epoch, kept (default: OUT.ckpt, removed at the end)", set_text,
     offsetof(CommandLine, train.checkpoint)},
    {"resume", 0, NULL, COMPILE | TERNARIZE, false, "continue from the checkpoint, bit for bit", set_flag,
     offsetof(CommandLine, train.resume)},
    {"data", 0, "SPEC", EVAL | CHECK | INSPECT, false,
     "IMAGES,LABELS (IDX, .gz too, or .npy), FILE.npz, or CIFAR-10 FILE.bin,...", set_text,
     offsetof(CommandLine, data.spec)},
    {"input-uint8", 0, "NAME", COMPILE | CHECK | SIZE, true,
     "take this input as uint8: (raw * scale - mean) / std", parse_input_uint8, 0},
    {"scale", 0, "S", EVAL | TERNARIZE | COMPILE | CHECK | SIZE | INSPECT, false,
     "element = (raw * S - mean) / std; 1/255 is understood (default: 1)", parse_scale, 0},
    {"mean", 0, "M,...", EVAL | TERNARIZE | COMPILE | CHECK | SIZE | INSPECT, false,
     "one number, or one per channel (default: 0)", set_numbers, offsetof(CommandLine, data.mean)},
    {"std", 0, "D,...", EVAL | TERNARIZE | COMPILE | CHECK | SIZE | INSPECT, false,
     "one number, or one per channel (default: 1)", set_numbers, offsetof(CommandLine, data.std)},
    {"layout", 0, "nchw|nhwc", EVAL | TERNARIZE | COMPILE | CHECK | SIZE | INSPECT, true,
     "axes of the data's images, or of those that the C takes (default: as the model); NAME=nhwc: of an "
     "input",
     add_layout, offsetof(CommandLine, data.layout)},
    {"model-layout", 0, "nchw|nhwc", EVAL | TERNARIZE | COMPILE | CHECK | SIZE | INSPECT, true,
     "axes of the model's own images (default: as its layers show); NAME=nhwc: of an input", add_layout,
     offsetof(CommandLine, opt.model_layout)},
    {"float-guard", 0, NULL, COMPILE | CHECK, false,
     "the run functions return a status and refuse NaN and infinity", set_flag,
     offsetof(CommandLine, opt.float_guard)},
    {"limit", 0, "N", EVAL | CHECK | COMPILE | TERNARIZE | INSPECT, false, "use the first N samples only",
     parse_limit, 0},
    {"reference", 0, NULL, EVAL, false,
     "evaluate naively in ternc itself, by nothing that generated code shares: slow", set_flag,
     offsetof(CommandLine, reference)},
    {"threads", 0, "N", EVAL | INSPECT, false, "samples evaluated at the same time (default: the free cores)",
     parse_threads, 0},
    {"threads", 0, "N", SIZE, false, "compilers that run at the same time (default: the free cores)",
     parse_threads, 0},
    {"seed", 0, "N", COMPILE | TERNARIZE, false, "of all that training draws at random (default: 1)",
     parse_seed, 0},
    {"threads", 0, "N", COMPILE | TERNARIZE, false, "of training (default: the free cores)", parse_threads,
     0},
    {"seed", 0, "N", CHECK | BENCH, false, "start of the random inputs (default: 1)", parse_seed, 0},
    {"cc", 0, "COMPILER", CHECK | SIZE | COMPILE | BENCH, false,
     "C compiler for the generated code (default: clang)", set_text, offsetof(CommandLine, build.cc)},
    {"cc", 0, "COMPILER", EVAL, false,
     "C compiler that evaluates fast (default: clang, gcc or cc, whichever is there)", set_text,
     offsetof(CommandLine, build.cc)},
    {"cflags", 0, "FLAGS", CHECK | SIZE | COMPILE, false,
     "flags for the C compiler, one argument (default: what the header recommends)", set_text,
     offsetof(CommandLine, build.cflags)},
    {"cflags", 0, "FLAGS", BENCH | EVAL, false,
     "flags for the C compiler, one argument (default: what the header recommends, with -march=native)",
     set_text, offsetof(CommandLine, build.cflags)},
    {"no-cache", 0, NULL, SIZE, false, "compile everything anew", set_flag,
     offsetof(CommandLine, build.no_cache)},
    {"samples", 0, "N", CHECK, false, "inputs to try: random ones, or the first of --data (default: 2)",
     parse_samples, 0},
    {"json", 0, NULL, INSPECT | EVAL | CHECK | SIZE | BENCH, false, "print JSON", set_flag,
     offsetof(CommandLine, json)},
    {"csv", 0, NULL, SIZE, false, "print CSV", set_flag, offsetof(CommandLine, csv)},
    {"html", 0, "FILE", SIZE, false, "write a report with bar charts, one file without further parts",
     set_text, offsetof(CommandLine, html)},
    {"baseline", 0, "FILE", SIZE, false, "compare with an earlier result; exit 1 if flash or RAM grew",
     set_text, offsetof(CommandLine, baseline)},
    {"save-baseline", 0, "FILE", SIZE, false, "write the result for a later --baseline (the same as --json)",
     set_text, offsetof(CommandLine, save_baseline)},
    {"tolerance", 0, "PERCENT", SIZE, false, "growth that --baseline lets pass (default: 0)", parse_tolerance,
     0},
    {"dim", 0, "NAME=N", ALL, true, "value of a symbolic dimension", parse_dim, 0},
    {"const", 0, "NAME=FILE", ALL, true,
     "value of an input that never changes, .npy or .pb: no input any more", add_text,
     offsetof(CommandLine, opt.consts)},
    {"dump", 0, "PASS", COMPILE | CHECK, false, "print the graph as it is after a pass", set_text,
     offsetof(CommandLine, opt.dump)},
    {"time", 0, NULL, ALL, false, "print the time that each pass takes", set_flag,
     offsetof(CommandLine, opt.time_passes)},
    {"quiet", 'q', NULL, ALL, false, "no notes on stderr", set_flag, offsetof(CommandLine, opt.quiet)},
    {"help", 'h', NULL, ALL, true, "print this text", NULL, 0},
    {"version", 0, NULL, ALL, true, "print the version", NULL, 0},
};
const int num_options = sizeof option_specs / sizeof option_specs[0];

OptionSpec option_row(int i)
{
    OptionSpec o = option_specs[i];
    o.arg = fill_braces(o.arg);
    o.help = fill_braces(o.help);
    return o;
}
