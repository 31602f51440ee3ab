/* unit_options.c - the command line: what each option means, and the message for every wrong use. */
#include "cli/options_table.h"
#include "codegen/codegen.h"
#include "passes/methods/methods.h"

#include <CUnit/Basic.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_WORDS = 32 };

typedef struct Words {
    int argc;
    char *argv[MAX_WORDS];
} Words;

static Words *split_words(const char *line)
{
    Words *w = NEW(Words);
    char *rest = mem_strdup(line);
    for (char *word; w->argc < MAX_WORDS - 1 && (word = strsep(&rest, " "));)
        w->argv[w->argc++] = word;
    return w;
}

/* NULL when refused; then *t has code and message. */
static const CommandLine *parse_words(Words *w, Trap *t)
{
    if (CATCH(t))
        return NULL;
    const CommandLine *c = options_parse(w->argc, w->argv);
    trap_end();
    return c;
}

static const CommandLine *parse(const char *line, Trap *t)
{
    return parse_words(split_words(line), t);
}

static const CommandLine *parse_good(const char *line)
{
    Trap t;
    const CommandLine *c = parse(line, &t);
    if (!c) {
        fprintf(stderr, "refused: %s: %s\n", line, t.message);
        CU_FAIL_FATAL("a good command line was refused");
    }
    return c;
}

static void test_defaults(void)
{
    const CommandLine *c = parse_good("ternc compile a/net.onnx -o out");
    CU_ASSERT_EQUAL(c->command, CMD_compile);
    CU_ASSERT_STRING_EQUAL(c->model, "a/net.onnx");
    CU_ASSERT_STRING_EQUAL(c->outputs.items[0], "out");
    CU_ASSERT_STRING_EQUAL(c->opt.name, "net");
    CU_ASSERT_EQUAL(c->opt.method, METHOD_twn);
    CU_ASSERT_EQUAL(c->opt.threshold, 0);
    CU_ASSERT_EQUAL(c->opt.sparsity, 0);
    CU_ASSERT_PTR_NULL(c->opt.keep);
    CU_ASSERT_EQUAL(c->opt.optimize, OPTIMIZE_SPEED);
    CU_ASSERT_EQUAL(c->opt.lowering, LOWER_AUTO);
    CU_ASSERT_FALSE(c->opt.per_layer);
    CU_ASSERT_EQUAL(parse_good("ternc run m --input x.npy")->opt.method, METHOD_none);
    CU_ASSERT_EQUAL(parse_good("ternc eval m --data d.npz")->opt.method, METHOD_none);
    CU_ASSERT_EQUAL(parse_good("ternc eval m --data d.npz")->data.scale, 1);
    CU_ASSERT_EQUAL(parse_good("ternc check m")->opt.method, METHOD_twn);
    CU_ASSERT_STRING_EQUAL(parse_good("ternc check m")->build.cc, "clang");
}

static void test_values(void)
{
    const CommandLine *c =
        parse_good("ternc compile m -o d --threshold=0.75 --granularity layer --keep first,/fc/MatMul");
    CU_ASSERT_EQUAL(c->opt.threshold, 0.75f);
    CU_ASSERT_TRUE(c->opt.per_layer);
    CU_ASSERT_EQUAL_FATAL(c->opt.num_keep, 2);
    CU_ASSERT_STRING_EQUAL(c->opt.keep[1], "/fc/MatMul");
    c = parse_good(
        "ternc compile m -o d --keep none --optimize size --lowering packed --name lenet --explain");
    CU_ASSERT_PTR_NOT_NULL(c->opt.keep);
    CU_ASSERT_EQUAL(c->opt.num_keep, 0);
    CU_ASSERT_EQUAL(c->opt.optimize, OPTIMIZE_SIZE);
    CU_ASSERT_EQUAL(c->opt.lowering, LOWER_PACKED);
    CU_ASSERT_STRING_EQUAL(c->opt.name, "lenet");
    CU_ASSERT_TRUE(c->explain);
    CU_ASSERT_EQUAL(parse_good("ternc compile m -o d --method stp")->opt.sparsity, 0.9f);
    CU_ASSERT_EQUAL(parse_good("ternc compile m -o d --method stp --sparsity 0.5")->opt.sparsity, 0.5f);
    c = parse_good("ternc run --dim N=4 m --input a=x.npy --dim seq=7 --input b=y=z.pb");
    CU_ASSERT_EQUAL_FATAL(c->opt.num_dims, 2);
    CU_ASSERT_STRING_EQUAL(c->opt.dims[1].name, "seq");
    CU_ASSERT_EQUAL(c->opt.dims[1].value, 7);
    CU_ASSERT_EQUAL_FATAL(c->inputs.count, 2);
    CU_ASSERT_STRING_EQUAL(c->inputs.items[1], "b=y=z.pb");
}

static void test_data_values(void)
{
    const CommandLine *c = parse_good("ternc eval m --data a,b --scale 1/255 --mean -0.5,0,1e-3 --std 2 "
                                      "--layout nhwc --limit 12 --threads 3");
    CU_ASSERT_DOUBLE_EQUAL(c->data.scale, 1.0 / 255, 0);
    CU_ASSERT_EQUAL_FATAL(c->data.mean.count, 3);
    CU_ASSERT_DOUBLE_EQUAL(c->data.mean.items[0], -0.5, 0);
    CU_ASSERT_DOUBLE_EQUAL(c->data.mean.items[2], 1e-3, 0);
    CU_ASSERT_EQUAL_FATAL(c->data.std.count, 1);
    CU_ASSERT_EQUAL_FATAL(c->data.layout.count, 1);
    CU_ASSERT_PTR_NULL(c->data.layout.items[0].input);
    CU_ASSERT_EQUAL(c->data.layout.items[0].layout, IMAGES_NHWC);
    CU_ASSERT_EQUAL(c->data.limit, 12);
    CU_ASSERT_EQUAL(c->threads, 3);
    CU_ASSERT_STRING_EQUAL(parse_good("ternc run -- --model")->model, "--model");
}

static void test_size_values(void)
{
    const CommandLine *c =
        parse_good("ternc size a b --methods stp,none --lowerings sparse,auto --targets host,avr "
                   "--custom-target x=-m32 --custom-target y=-mx32 --baseline f --tolerance 2.5");
    CU_ASSERT_EQUAL_FATAL(c->models.count, 2);
    CU_ASSERT_STRING_EQUAL(c->models.items[1], "b");
    CU_ASSERT_EQUAL_FATAL(c->num_methods, 2);
    CU_ASSERT_EQUAL(c->methods[0], METHOD_stp);
    CU_ASSERT_EQUAL(c->methods[1], METHOD_none);
    CU_ASSERT_EQUAL_FATAL(c->num_lowerings, 2);
    CU_ASSERT_EQUAL(c->lowerings[0], LOWER_SPARSE);
    CU_ASSERT_EQUAL(c->targets.count, 2);
    CU_ASSERT_EQUAL(c->custom_targets.count, 2);
    CU_ASSERT_EQUAL(c->tolerance, 2.5);
    c = parse_good("ternc size a");
    CU_ASSERT_EQUAL(c->num_methods, 2);
    CU_ASSERT_EQUAL(c->opt.optimize, OPTIMIZE_SIZE);
    CU_ASSERT_STRING_EQUAL(c->build.cflags, "-Os");
    c = parse_good("ternc size a --optimize speed");
    CU_ASSERT_EQUAL(c->opt.optimize, OPTIMIZE_SPEED);
    CU_ASSERT_STRING_EQUAL(c->build.cflags, recommended_flags(OPTIMIZE_SPEED, "clang"));
    c = parse_good("ternc check a --cc gcc");
    CU_ASSERT_STRING_EQUAL(c->build.cflags, recommended_flags(OPTIMIZE_SPEED, "gcc"));
    c = parse_good("ternc bench a --cc gcc --optimize size");
    CU_ASSERT_STRING_EQUAL(c->build.cflags,
                           mem_printf("%s -march=native", recommended_flags(OPTIMIZE_SIZE, "gcc")));
    CU_ASSERT_TRUE(parse_good("ternc size --list-targets")->list_targets);
    c = parse_good("ternc compile m -o d --max-flash 0");
    CU_ASSERT_EQUAL(c->budget.max_flash, 0);
    CU_ASSERT_EQUAL(c->budget.max_ram, -1);
}

static void test_targets(void)
{
    static const char *const pairs[][2] = {{"generic", "generic"},       {"cortex-m0", "cortex-m0"},
                                           {"m0+", "cortex-m0plus"},     {"RP2040", "cortex-m0plus"},
                                           {"cortex-m33", "cortex-m33"}, {"avx2", "x86-64-v3"},
                                           {"wasm", "wasm32"},           {"Cortex-M4", "cortex-m4"}};
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        const CommandLine *c = parse_good(mem_printf("ternc compile m -o d --target %s", pairs[i][0]));
        CU_ASSERT_STRING_EQUAL(c->opt.target, pairs[i][1]);
    }
    CU_ASSERT_PTR_NULL(parse_good("ternc check m")->opt.target);
    CU_ASSERT_STRING_EQUAL(parse_good("ternc bench m --target m7")->opt.target, "cortex-m7");
}

typedef struct Wrong {
    const char *line, *message;
} Wrong;

static const Wrong wrong[] = {
    {"ternc", "no command given; 'ternc --help' lists the commands"},
    {"ternc frobnicate m",
     "unknown command 'frobnicate'; there are: inspect, compile, ternarize, run, eval, check, size, bench"},
    {"ternc --json",
     "unknown command '--json'; there are: inspect, compile, ternarize, run, eval, check, size, bench"},
    {"ternc inspect", "'ternc inspect' needs a model: ternc inspect MODEL.onnx"},
    {"ternc compile m", "'ternc compile' needs --output: ternc compile MODEL.onnx... -o DIR"},
    {"ternc inspect m n", "unexpected argument 'n': ternc inspect MODEL.onnx"},
    {"ternc inspect m -- n", "unexpected argument 'n': ternc inspect MODEL.onnx"},
    {"ternc inspect m --frob", "unknown option '--frob'; 'ternc inspect --help' lists the options"},
    {"ternc inspect m --frob=3", "unknown option '--frob=3'; 'ternc inspect --help' lists the options"},
    {"ternc inspect m -z", "unknown option '-z'; 'ternc inspect --help' lists the options"},
    {"ternc inspect m --explain", "'ternc inspect' does not take --explain; it belongs to: compile, size"},
    {"ternc inspect m --cc",
     "'ternc inspect' does not take --cc; it belongs to: compile, check, size, bench, eval"},
    {"ternc compile m -o", "--output needs a value: --output DIR"},
    {"ternc ternarize m --output", "--output needs a value: --output OUT.onnx"},
    {"ternc compile m --output=", "--output DIR: the value is empty"},
    {"ternc compile m -o a -o b", "--output is given twice"},
    {"ternc compile m -o d --explain=yes", "--explain takes no value"},
    {"ternc compile m -o d --method foo", "--method: 'foo' is not one of none|twn|sca|stp"},
    {"ternc compile m -o d --method tw", "--method: 'tw' is not one of none|twn|sca|stp"},
    {"ternc compile m -o d --method sca",
     "--method sca trains the weights: use 'ternc ternarize' or 'ternc compile' with --data SPEC"},
    {"ternc run m --data x,y",
     "'ternc run' does not take --data; it belongs to: compile, ternarize, inspect, eval, check"},
    {"ternc ternarize m -o d --epochs 3", "--epochs is for training: it needs --data SPEC"},
    {"ternc ternarize m -o d --data x,y --alpha 0.5", "--alpha belongs to --method sca"},
    {"ternc ternarize m -o d --data x,y --method sca --alpha 2",
     "--alpha A: '2' is not between 0 (no zeros) and 2 (all zeros)"},
    {"ternc ternarize m -o d --data x,y --method sca --alpha 1 --sparsity 0.5",
     "--alpha and --sparsity exclude each other: --sparsity solves for alpha"},
    {"ternc ternarize m -o d --data x,y --augment turn",
     "--augment flip,crop=N: 'turn' is neither flip nor crop=N"},
    {"ternc ternarize m -o d --data x,y --lr 0", "--lr RATE: '0' is not positive"},
    {"ternc compile m -o d --method stp --threshold 1", "--threshold and --method stp exclude each other"},
    {"ternc compile m -o d --sparsity 0.5 --threshold exact",
     "--threshold and --sparsity exclude each other"},
    {"ternc run m --sparsity 0.5", "--sparsity has no meaning with --method none; add --method twn or stp"},
    {"ternc compile m -o d --target pdp-11",
     "--target: there is no target 'pdp-11'; 'ternc size --list-targets' lists all"},
    {"ternc bench m --target cortex-m",
     "--target: there is no target 'cortex-m'; near ones: cortex-m0, cortex-m0plus, "
     "cortex-m3, cortex-m4; 'ternc size --list-targets' lists all"},
    {"ternc compile m -o d --target cortex-m44", "--target: there is no target 'cortex-m44'; near ones: "
                                                 "cortex-m4, cortex-m0, cortex-m0+, cortex-m3; 'ternc size "
                                                 "--list-targets' lists all"},
    {"ternc compile m -o d --target STM32F407VG",
     "--target: there is no target 'STM32F407VG'; near ones: stm32f4; 'ternc size --list-targets' lists all"},
    {"ternc compile m -o d --target coretx-m7",
     "--target: there is no target 'coretx-m7'; near ones: cortex-m7; "
     "'ternc size --list-targets' lists all"},
    {"ternc compile m -o d --target=",
     "--target: there is no target ''; 'ternc size --list-targets' lists all"},
    {"ternc check m --target cortex-m4x",
     "--target: there is no target 'cortex-m4x'; near ones: cortex-m4, cortex-m0, "
     "cortex-m0+, cortex-m3; 'ternc size --list-targets' lists all"},
    {"ternc compile m -o d --threshold -1", "--threshold exact|FACTOR: '-1' is not a positive number"},
    {"ternc compile m -o d --threshold nan", "--threshold exact|FACTOR: 'nan' is not a number"},
    {"ternc compile m -o d --threshold 0.7x", "--threshold exact|FACTOR: '0.7x' is not a number"},
    {"ternc compile m -o d --sparsity 1", "--sparsity S: '1' is not a number between 0 and 1"},
    {"ternc compile m -o d --sparsity 90%", "--sparsity S: '90%' is not a number"},
    {"ternc compile m -o d --keep none,last", "--keep none|first|last|NAME,...: 'none' stands alone"},
    {"ternc compile m -o d --keep a,,b", "--keep none|first|last|NAME,...: 'a,,b' has an empty part"},
    {"ternc compile m -o d --name 3d", "--name ID: '3d' cannot start names in C: take a letter, then "
                                       "letters, digits and _, no keyword and no header "
                                       "of the system"},
    {"ternc compile m -o d --name switch", "--name ID: 'switch' cannot start names in C: take a letter, then "
                                           "letters, digits and _, no keyword and no header "
                                           "of the system"},
    {"ternc compile m -o d --name Math", "--name ID: 'Math' cannot start names in C: take a letter, then "
                                         "letters, digits and _, no keyword and no header "
                                         "of the system"},
    {"ternc compile a b -o d --name x", "--name: 1 names for 2 models"},
    {"ternc compile a -o d --name x --name y", "--name: 2 names for 1 models"},
    {"ternc compile a b -o d --max-ram 5000",
     "--max-flash and --max-ram take one model; sizes of several are what 'ternc size' tells"},
    {"ternc run m --dim N", "--dim NAME=N: 'N' is not of that form"},
    {"ternc run m --dim =3", "--dim NAME=N: '=3' is not of that form"},
    {"ternc run m --dim N=-1", "--dim NAME=N: '-1' is not a whole number from 0 to 1099511627776"},
    {"ternc run m --dim N=1 --dim N=2", "--dim NAME=N: 'N' is given twice"},
    {"ternc eval m", "'ternc eval' needs --data SPEC"},
    {"ternc eval m --data d --scale 1/0", "--scale S: '1/0' is not a number"},
    {"ternc eval m --data d --scale 1/", "--scale S: '1/' is not a number"},
    {"ternc eval m --data d --mean 1,a", "--mean M,...: 'a' is not a number"},
    {"ternc eval m --data d --std 1,0", "--std: 0 is not positive"},
    {"ternc eval m --data d --limit 0", "--limit N: '0' is not a whole number from 1 to 9223372036854775807"},
    {"ternc eval m --data d --limit 99999999999999999999",
     "--limit N: '99999999999999999999' is not a whole number from 1 to 9223372036854775807"},
    {"ternc check m --mean 1", "--mean has no meaning without --data, --calibrate or --input-uint8"},
    {"ternc check m --data d --input x", "--data and --input exclude each other"},
};

static void test_wrong_use(void)
{
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        Trap t;
        const CommandLine *c = parse(wrong[i].line, &t);
        bool same = !c && t.code == 2 && !strcmp(t.message, wrong[i].message);
        if (!same)
            fprintf(stderr, "%s\n  expected %s\n  got      %d %s\n", wrong[i].line, wrong[i].message,
                    c ? 0 : t.code, c ? "accepted" : t.message);
        CU_ASSERT_TRUE(same);
    }
}

static void test_model_id(void)
{
    static const char *const pairs[][2] = {{"net.onnx", "net"},
                                           {"a/b.c/mnist-8.onnx", "mnist_8"},
                                           {"2 nets.onnx", "net_2_nets"},
                                           {"switch.onnx", "net_switch"},
                                           {".onnx", "net"},
                                           {"_x.onnx", "x"},
                                           {"\xc3\xa9t\xc3\xa9.onnx", "t"},
                                           {"a..b.onnx", "a_b"},
                                           {"---", "net"},
                                           {"tn.onnx", "net_tn"},
                                           {"TN.onnx", "net_TN"},
                                           {"main.onnx", "net_main"},
                                           {"stdint.onnx", "net_stdint"},
                                           {"String.onnx", "net_String"},
                                           {"strings2.onnx", "strings2"},
                                           {"dir/model", "model"},
                                           {"model_.onnx", "model"}};
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
        CU_ASSERT_STRING_EQUAL(model_id(pairs[i][0]), pairs[i][1]);
}

/* ---- what help says of methods comes from their table ---- */

/* Of ternarize. */
static OptionSpec find_row(const char *name)
{
    int row = num_options;
    while (row-- &&
           (strcmp(option_specs[row].name, name) || !(option_specs[row].taken & 1u << CMD_ternarize)))
        ;
    CU_ASSERT_FATAL(row >= 0);
    return option_row(row);
}

static void check_knob(const MethodDef *m, const Knob *k)
{
    OptionSpec o = find_row(k->option);
    const char *head = mem_printf("%s: ", m->name), *end = mem_printf("(default: %g)", k->value);
    CU_ASSERT_EQUAL(strncmp(o.help, head, strlen(head)), 0);
    CU_ASSERT(!k->field || strstr(o.help, end));
    const CommandLine *c = parse_good("ternc ternarize m -o d --data x,y");
    CU_ASSERT(!k->field || knob_value(k, &c->train) == k->value);
}

static void test_help_of_methods(void)
{
    for (int i = 0; i < num_options; i++) {
        OptionSpec o = option_row(i);
        CU_ASSERT_PTR_NULL(strchr(o.help, '{'));
        CU_ASSERT(!o.arg || !strchr(o.arg, '{'));
    }
    for (int i = 0; i < NUM_METHODS; i++) {
        const MethodDef *m = method_def(method_at(i));
        CU_ASSERT_PTR_NOT_NULL(strstr(find_row("method").arg, m->name));
        CU_ASSERT_PTR_NOT_NULL(strstr(find_row("lr").help, m->name));
        CU_ASSERT_PTR_NOT_NULL(
            strstr(find_row("epochs").help, mem_printf("%s: %lld", m->name, (long long)m->epochs)));
        for (const Knob *k = m->knobs; k && k->option; k++)
            check_knob(m, k);
    }
    CU_ASSERT_STRING_EQUAL(method_words(false), "none|twn|sca|stp");
    CU_ASSERT_STRING_EQUAL(method_words(true), "none|twn|stp");
    CU_ASSERT_STRING_EQUAL(find_row("lr").help, "learning rate (none: 0.05, twn, stp: 0.02, sca: 0.003)");
}

int main(void)
{
    CU_initialize_registry();
    CU_pSuite s = CU_add_suite("options", NULL, NULL);
    CU_add_test(s, "defaults", test_defaults);
    CU_add_test(s, "values", test_values);
    CU_add_test(s, "data values", test_data_values);
    CU_add_test(s, "values of size", test_size_values);
    CU_add_test(s, "targets", test_targets);
    CU_add_test(s, "wrong use", test_wrong_use);
    CU_add_test(s, "help of methods", test_help_of_methods);
    CU_add_test(s, "model id", test_model_id);
    CU_basic_run_tests();
    return CU_get_number_of_failures() != 0;
}
