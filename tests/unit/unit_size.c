/* unit_size.c - `ternc size`: what belongs to which layer, stack, imports, cache, baseline, text that needs
 * escaping. */
#include "base/out_file.h"
#include "print/print.h"
#include "size/size.h"

#include <CUnit/Basic.h>
#include <math.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- helpers ---- */

static const Target host = {.name = "host", .flags = "", .call_bytes = 8},
                    broken = {.name = "broken", .flags = ""};

static SizeBuild *build(const Target *t, const char *c)
{
    const BuildOptions o = {.cc = "clang", .cflags = "-Os", .no_cache = true};
    Builder *b = builder_new(&o, 2);
    SizeBuild *made = builder_add(b, t, c, "", "test");
    builder_run(b);
    return made;
}

/* A row of two layers, not yet counted. */
static SizeRow make_row(const Target *t, const char *c)
{
    SizeRow r = {.model = "net.onnx", .method = "twn", .lowering = "auto", .target = t, .build = build(t, c)};
    r.error = r.build->error;
    r.layers = NEW_ARRAY(SizeLayer, 2);
    r.num_layers = 2;
    for (int i = 0; i < 2; i++)
        r.layers[i] =
            (SizeLayer){.index = i, .source = "Conv 'c'", .lowering = "dense", .weights = 10, .entropy = 32};
    r.weights = 20;
    r.entropy = 32;
    r.arena = 400;
    return r;
}

static const Target *target(const char *name)
{
    const char *const items[] = {name};
    int count;
    return size_targets((Strings){.items = items, .count = 1}, (Strings){0}, &count)[0];
}

static bool refused(Trap *t, void (*call)(const void *), const void *with)
{
    if (CATCH(t))
        return true;
    call(with);
    trap_end();
    return false;
}

/* ---- what belongs to which layer ---- */

static const char program[] =
    "static const unsigned char layer0_weights_0[100] = {1, 2, 3};\n"
    "static const float layer1_bias_1[4] = {1, 2, 3, 5};\n"
    "static const int table[50] = {7};\n"
    "void elsewhere(int *p);\n"
    "static __attribute__((noinline)) int tn_sum(const unsigned char *p, int n)\n"
    "{ int s = 0; while (n--) s += p[n]; return s; }\n"
    "NET_LAYER static int layer0(int *p)\n"
    "{ int a[20]; for (int i = 0; i < 20; i++) a[i] = p[i]; elsewhere(a);\n"
    "  return tn_sum(layer0_weights_0, p[0]) + a[p[1]]; }\n"
    "NET_LAYER static float layer1(int *p) { return layer1_bias_1[p[0]]; }\n"
    "void net_run_in(int *p)\n"
    "{ p[2] = layer0(p) + table[p[3]] + tn_sum((unsigned char *)p, p[4]); p[5] = (int)layer1(p); }\n"
    "#ifndef NET_NO_STATIC_ARENA\n"
    "void net_run(int *p)\n"
    "{ static int arena[100]; arena[p[0]]++; net_run_in(arena); p[1] = arena[p[1]]; }\n"
    "#endif\n";

/* An empty one where there is none. */
static SizeShared find_shared(const SizeRow *r, const char *name)
{
    for (int i = 0; i < r->num_shared; i++)
        if (!strcmp(r->shared[i].name, name))
            return r->shared[i];
    return (SizeShared){.what = "missing"};
}

static void check_row(const SizeRow *r)
{
    CU_ASSERT_EQUAL(r->layers[0].constants, 100);
    CU_ASSERT_EQUAL(r->layers[1].constants, 16); /* in a section that others share: by its symbol */
    CU_ASSERT_TRUE(r->layers[0].code > 20 && r->layers[1].code > 4);
    CU_ASSERT_STRING_EQUAL(find_shared(r, "tn_sum").what, "kernel");
    CU_ASSERT_STRING_EQUAL(find_shared(r, "net_run").what, "run");
    int64_t table = find_shared(r, "table").constants;
    CU_ASSERT_TRUE(table == 200 || table == 100); /* an int of 4 bytes, or 2 */
    CU_ASSERT_EQUAL(r->layers[0].code + r->layers[1].code + shared_code(r), r->code);
    CU_ASSERT_EQUAL(116 + shared_constants(r), r->constants);
}

static void test_layers(void)
{
    static const char *const names[] = {"host",      "x86-64-v3",     "i686",      "aarch64",
                                        "cortex-a7", "cortex-m0plus", "cortex-m4", "cortex-m55",
                                        "rv32imac",  "rv32imafc",     "rv64gc",    "avr"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        SizeRow r = make_row(target(names[i]), program);
        CU_ASSERT_PTR_NULL_FATAL(r.error);
        count_object(&r);
        CU_ASSERT_TRUE(r.by_layer);
        check_row(&r);
        bool small_int = !strcmp(names[i], "avr");
        CU_ASSERT_EQUAL(r.static_arena, small_int ? 200 : 400);
        CU_ASSERT_EQUAL(r.bss, r.static_arena);
        CU_ASSERT_EQUAL(r.ram_constants, small_int ? r.constants : 0);
        bool found = false;
        for (int k = 0; k < r.num_unlinked; k++)
            found |= !strcmp(r.unlinked[k], "elsewhere");
        CU_ASSERT_TRUE(found);
        CU_ASSERT_TRUE(r.stack >= (small_int ? 40 : 80));
        CU_ASSERT_TRUE(r.stack < 400);
        CU_ASSERT_EQUAL(row_ram(&r), r.data + r.bss + r.ram_constants + r.stack);
    }
}

static void test_wasm(void)
{
    SizeRow r = make_row(target("wasm32"), program);
    CU_ASSERT_PTR_NULL_FATAL(r.error);
    count_object(&r);
    CU_ASSERT_FALSE(r.by_layer);
    CU_ASSERT_EQUAL(r.stack, -1);
    CU_ASSERT_EQUAL(r.static_arena, 0);
    CU_ASSERT_TRUE(r.code > 100);
    CU_ASSERT_TRUE(r.constants >= 316 && r.constants < 400);
    CU_ASSERT_EQUAL(row_ram(&r), 400);
    CU_ASSERT_EQUAL_FATAL(r.num_unlinked, 1);
    CU_ASSERT_STRING_EQUAL(r.unlinked[0], "elsewhere");
}

static void test_failing_compiler(void)
{
    SizeBuild *b = build(&host, "int f(void) { return no_such_name; }\n");
    CU_ASSERT_PTR_NULL(b->object);
    CU_ASSERT_TRUE(b->error && strstr(b->error, "no_such_name"));
}

static void read_bad_object(const void *text)
{
    object_read(text, strlen(text), "net.onnx, twn, auto, here");
}

static void test_bad_object(void)
{
    Trap t;
    CU_ASSERT_TRUE_FATAL(refused(&t, read_bad_object, "this is no object"));
    CU_ASSERT_EQUAL(t.code, 1);
    CU_ASSERT_PTR_NOT_NULL(
        strstr(t.message, "net.onnx, twn, auto, here: the compiler's object cannot be read"));
    SizeBuild *b =
        build(&(Target){.name = "windows", .flags = "--target=x86_64-pc-windows-gnu"}, "int x = 1;\n");
    CU_ASSERT_PTR_NOT_NULL_FATAL(b->object);
    if (!CATCH(&t)) {
        object_read(b->object, b->object_len, "net.onnx");
        trap_end();
        CU_FAIL("a COFF object was taken");
    }
    CU_ASSERT_PTR_NOT_NULL(strstr(t.message, "only ELF and WebAssembly"));
}

/* ---- stack ---- */

static void test_stack(void)
{
    static const char su[] = "net.c:1:net_run\t16\tstatic\nnet.c:5:a\t100\tstatic\nnet.c:7:b\t20\tstatic\n"
                             "net.c:9:c\t50\tstatic\nnet.c:11:alone\t999\tstatic\n";
    SizeCall calls[] = {{"net_run", "a"}, {"net_run", "b"}, {"b", "c"}, {"c", "d"}, {"a", NULL}, {"a", "a"}};
    SizeObject o = {.calls = calls, .num_calls = 3};
    CU_ASSERT_EQUAL(stack_depth(su, &o, "net_run", 0), 116);
    CU_ASSERT_EQUAL(stack_depth(su, &o, "net_run", 40), 206); /* now b and c lie deeper */
    CU_ASSERT_EQUAL(stack_depth(su, &o, "alone", 8), 1007);
    CU_ASSERT_EQUAL(stack_depth(su, &o, "missing", 0), -1);
    o.num_calls = 4; /* nobody knows d's frame */
    CU_ASSERT_EQUAL(stack_depth(su, &o, "net_run", 0), -1);
    calls[3] = (SizeCall){"c", "net_run"}; /* recursion */
    CU_ASSERT_EQUAL(stack_depth(su, &o, "net_run", 0), -1);
    calls[3] = (SizeCall){"c", "a"};
    o.num_calls = 6;
    CU_ASSERT_EQUAL(stack_depth(su, &o, "net_run", 0), 186);
    CU_ASSERT_EQUAL(stack_depth("net.c:1:net_run\t16\tdynamic\n", &o, "net_run", 0), -1);
}

/* ---- WebAssembly's import section ---- */

typedef struct Bytes {
    const uint8_t *data;
    size_t len;
} Bytes;

static void read_imports(const void *bytes)
{
    const char **names;
    wasm_imports(((const Bytes *)bytes)->data, ((const Bytes *)bytes)->len, &names);
}

static void test_imports(void)
{
    static const uint8_t section[] = {
        4,                                                    /* imports */
        3, 'e', 'n', 'v', 3, 'm', 'e', 'm', 2,    1, 1,    9, /* memory with a maximum */
        3, 'e', 'n', 'v', 4, 'e', 'x', 'p', 'f',  0, 0x81, 1, /* function of type 129 */
        3, 'e', 'n', 'v', 2, 's', 'p', 3,   0x7f, 1,          /* global */
        0, 1,   'f', 0,   2};
    const char **names;
    CU_ASSERT_EQUAL_FATAL(wasm_imports(section, sizeof section, &names), 2);
    CU_ASSERT_STRING_EQUAL(names[0], "expf");
    CU_ASSERT_STRING_EQUAL(names[1], "f");
    for (size_t len = 0; len < sizeof section; len++) {
        Trap t;
        uint8_t *cut = NEW_ARRAY(uint8_t, (int64_t)len + 1);
        memcpy(cut, section, len);
        CU_ASSERT_TRUE(refused(&t, read_imports, &(Bytes){cut, len}));
    }
}

/* ---- entropy ---- */

static SizeRow count_codes(const int8_t *codes, int64_t n)
{
    Layer l = {.kind = LAYER_FC,
               .groups = 1,
               .ci = n,
               .co = 1,
               .kh = 1,
               .kw = 1,
               .codes = codes,
               .source = "fc",
               .lowering = LOWER_PACKED};
    for (int64_t i = 0; i < n; i++)
        l.zeros += codes[i] == 0;
    Node node = {.op = OP_Layer, .layer = &l};
    Node *nodes[] = {&node};
    Graph g = {.nodes = nodes, .num_nodes = 1};
    Plan p = {.g = &g, .arena_bytes = 12};
    SizeRow r = {0};
    count_layers(&r, &p);
    return r;
}

static void test_entropy(void)
{
    SizeRow r = count_codes((const int8_t[]){0, 0, 1, -1}, 4);
    CU_ASSERT_DOUBLE_EQUAL(r.layers[0].entropy, 1.5, 1e-12);
    CU_ASSERT_EQUAL(r.layers[0].zeros, 2);
    CU_ASSERT_EQUAL(r.arena, 12);
    CU_ASSERT_DOUBLE_EQUAL(count_codes((const int8_t[]){1, 0, -1}, 3).entropy, log2(3), 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(count_codes((const int8_t[]){1, 1}, 2).entropy, 0, 0);
    CU_ASSERT_DOUBLE_EQUAL(bits_per_weight(3, 8), 3, 0);
    CU_ASSERT_DOUBLE_EQUAL(bits_per_weight(3, 0), 0, 0);
}

/* ---- targets ---- */

static void ask_targets(const void *pair)
{
    const char *const *words = pair;
    int count;
    size_targets((Strings){.items = words, .count = words[0] != NULL},
                 (Strings){.items = words + 1, .count = words[1] != NULL}, &count);
}

static void test_targets(void)
{
    const char *const names[] = {"STM32F4", "mine"}, *const custom[] = {"mine=--target=riscv32 -march=rv32i"};
    int count;
    const Target *const *list =
        size_targets((Strings){.items = names, .count = 2}, (Strings){.items = custom, .count = 1}, &count);
    CU_ASSERT_EQUAL_FATAL(count, 2);
    CU_ASSERT_STRING_EQUAL(list[0]->name, "cortex-m4");
    CU_ASSERT_STRING_EQUAL(list[1]->flags, "--target=riscv32 -march=rv32i");
    list =
        size_targets((Strings){.items = names, .count = 1}, (Strings){.items = custom, .count = 1}, &count);
    CU_ASSERT_EQUAL_FATAL(count, 2);
    CU_ASSERT_STRING_EQUAL(list[1]->name, "mine");
    list = size_targets((Strings){0}, (Strings){0}, &count);
    CU_ASSERT_EQUAL_FATAL(count, 1);
    CU_ASSERT_STRING_EQUAL(list[0]->name, "host");
    CU_ASSERT_PTR_EQUAL(size_targets((Strings){0}, (Strings){.items = custom, .count = 1}, &count)[0]->core,
                        find_core("generic"));
    const char *const like[] = {"mine:avr=-O1"};
    list = size_targets((Strings){0}, (Strings){.items = like, .count = 1}, &count);
    CU_ASSERT_STRING_EQUAL(list[0]->name, "mine");
    CU_ASSERT_STRING_EQUAL(list[0]->flags, "-O1");
    CU_ASSERT_PTR_EQUAL(list[0]->core, find_core("avr"));
    CU_ASSERT_EQUAL(list[0]->call_bytes, 2);
    Trap t;
    CU_ASSERT_TRUE(refused(&t, ask_targets, (const char *const[]){NULL, "mine:z80=-O1"}));
    CU_ASSERT_PTR_NOT_NULL(strstr(t.message, "--custom-target: there is no target 'z80'"));
    CU_ASSERT_TRUE(refused(&t, ask_targets, (const char *const[]){NULL, ":avr=-O1"}));
    CU_ASSERT_TRUE(refused(&t, ask_targets, (const char *const[]){"z80", NULL}));
    CU_ASSERT_EQUAL(t.code, 2);
    CU_ASSERT_PTR_NOT_NULL(strstr(t.message, "there is no target 'z80'"));
    CU_ASSERT_TRUE(refused(&t, ask_targets, (const char *const[]){NULL, "mine"}));
    CU_ASSERT_TRUE(refused(&t, ask_targets, (const char *const[]){NULL, "=-O1"}));
}

/* Every word stands in one row only. */
static void check_words(const Target *m)
{
    char *rest = mem_printf("%s %s", m->name, m->aliases);
    for (char *word; (word = strsep(&rest, " "));)
        CU_ASSERT_TRUE(!word[0] || find_target(word) == m);
}

/* What the table says of each: names of its own, prices that are found by their name, flags that clang
 * takes. */
static void test_table(void)
{
    const BuildOptions o = {.cc = "clang", .cflags = "-Os", .no_cache = true};
    Builder *b = builder_new(&o, 2);
    for (int i = 0; i < num_targets; i++) {
        const Target *m = &target_table[i];
        check_words(m);
        CU_ASSERT_PTR_EQUAL(find_core(m->name), m->core);
        CU_ASSERT_PTR_EQUAL(find_core(m->core->name), m->core);
        builder_add(b, m, "float twice(float x) { return x + x; }\n", "", m->name);
    }
    builder_run(b);
    for (int i = 0; i < b->count; i++)
        CU_ASSERT_PTR_NULL(b->builds[i]->error);
    CU_ASSERT_PTR_NOT_NULL(find_target(host_target()));
    CU_ASSERT_PTR_EQUAL(find_core(NULL), find_core("generic"));
}

/* ---- the cache ---- */

static const char *only_entry(const char *folder)
{
    Text out = {0}, err = {0};
    run_program((char *const[]){"ls", mem_strdup(folder), NULL}, &out, &err);
    const char *name = mem_printf("%.*s", (int)strcspn(out.data, "\n"), out.data);
    text_free(&out);
    text_free(&err);
    return mem_printf("%s/%s", folder, name);
}

static void test_cache(void)
{
    const char *folder = temp_folder();
    SizeBuild stored = {
        .key = {1, 2}, .object = (const uint8_t *)"object", .object_len = 6, .stack = "stack"};
    SizeBuild asked = {.key = {1, 2}}, other = {.key = {1, 3}};
    CU_ASSERT_FALSE(cache_load(folder, &asked));
    cache_store(folder, &stored);
    CU_ASSERT_TRUE_FATAL(cache_load(folder, &asked));
    CU_ASSERT_EQUAL_FATAL(asked.object_len, 6);
    CU_ASSERT_EQUAL(memcmp(asked.object, "object", 6), 0);
    CU_ASSERT_STRING_EQUAL(asked.stack, "stack");
    CU_ASSERT_FALSE(cache_load(folder, &other));
    const char *path = only_entry(folder);
    size_t len;
    const uint8_t *file = file_map(path, &len);
    uint8_t *copy = NEW_ARRAY(uint8_t, (int64_t)len);
    memcpy(copy, file, len);
    for (size_t i = 0; i <= len; i++) { /* each byte damaged; then the end cut off */
        copy[i % len] ^= 4;
        file_write(path, copy, i < len ? len : len - 1);
        copy[i % len] ^= 4;
        CU_ASSERT_FALSE(cache_load(folder, &(SizeBuild){.key = {1, 2}}));
    }
    file_write(path, copy, len);
    CU_ASSERT_TRUE(cache_load(folder, &asked));
    cache_expire(folder);
    CU_ASSERT_EQUAL(access(path, F_OK), 0);
    const struct timespec old[] = {{1000000000, 0}, {1000000000, 0}};
    utimensat(AT_FDCWD, path, old, 0);
    cache_expire(folder);
    CU_ASSERT_NOT_EQUAL(access(path, F_OK), 0);
}

/* ---- reports ---- */

static SizeReport *make_report(void)
{
    SizeReport *s = NEW(SizeReport);
    *s = (SizeReport){.count = 2, .compiler = "clang <14>", .cflags = "-Os", .optimize = "size"};
    s->rows = NEW_ARRAY(SizeRow, 2);
    s->rows[0] = make_row(&host, program);
    count_object(&s->rows[0]);
    s->rows[0].layers[0].source = "Conv \"a,b\" <x>";
    s->rows[1] = s->rows[0];
    s->rows[1].target = &broken;
    s->rows[1].error = "error: <nothing>";
    s->rows[1].num_shared = 0;
    return s;
}

static const char *printed(void (*print)(const SizeReport *, FILE *), const SizeReport *s)
{
    Text t = {0};
    FILE *f = temp_file();
    print(s, f);
    fflush(f);
    read_back(f, &t);
    const char *copy = mem_printf("%.*s", (int)t.len, t.data);
    text_free(&t);
    return copy;
}

static void test_reports(void)
{
    const SizeReport *s = make_report();
    const char *csv = printed(size_print_csv, s), *html = printed(size_print_html, s);
    CU_ASSERT_PTR_NOT_NULL(strstr(csv, "net.onnx,twn,auto,host,layer0,\"Conv \"\"a,b\"\" <x>\","));
    CU_ASSERT_PTR_NOT_NULL(strstr(csv, ",broken,total,,,,,,,,,,,,failed\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(html, "Conv &quot;a,b&quot; &lt;x&gt;"));
    CU_ASSERT_PTR_NOT_NULL(strstr(html, "error: &lt;nothing&gt;"));
    CU_ASSERT_PTR_NULL(strstr(html, "<x>"));
    CU_ASSERT_PTR_NULL(strstr(html, "http"));
    const char *table = printed(size_print_table, s);
    CU_ASSERT_PTR_NOT_NULL(strstr(table, "clang <14>, -Os, --optimize size"));
    CU_ASSERT_PTR_NOT_NULL(strstr(table, "net.onnx, twn, auto on broken failed:\nerror: <nothing>\n"));
}

/* Fields of a CSV line: as many as in its heading, quotes taken into account. */
static int count_fields(const char *line)
{
    int n = 1;
    bool quoted = false;
    for (; *line && *line != '\n'; line++) {
        quoted ^= *line == '"';
        n += *line == ',' && !quoted;
    }
    return n;
}

static void test_csv_is_regular(void)
{
    const char *line = printed(size_print_csv, make_report());
    for (int lines = 0;; lines++) {
        CU_ASSERT_EQUAL(count_fields(line), 17);
        line = strchr(line, '\n') + 1;
        if (*line)
            continue;
        CU_ASSERT_TRUE(lines > 5);
        return;
    }
}

/* ---- the baseline ---- */

static int compare(const SizeReport *s, const char *path, double tolerance)
{
    FILE *f = temp_file();
    Baseline b = baseline_read(path);
    int grown = baseline_compare(&b, s, tolerance, f);
    fclose(f);
    return grown;
}

static void compare_bad(const void *path)
{
    compare(make_report(), path, 0);
}

static void test_baseline(void)
{
    SizeReport *s = make_report();
    const char *path = mem_printf("%s/base.json", temp_folder());
    char *json = size_json(s);
    file_write(path, json, strlen(json));
    free(json);
    CU_ASSERT_EQUAL(compare(s, path, 0), 0);
    int64_t flash = row_flash(&s->rows[0]);
    s->rows[0].code += flash / 50; /* 2 % and less */
    CU_ASSERT_EQUAL(compare(s, path, 0), 1);
    CU_ASSERT_EQUAL(compare(s, path, 1), 1);
    CU_ASSERT_EQUAL(compare(s, path, 2), 0);
    s->rows[0].code -= flash / 2;
    CU_ASSERT_EQUAL(compare(s, path, 0), 0);
    s->rows[0].bss += 1; /* RAM alone */
    CU_ASSERT_EQUAL(compare(s, path, 0), 1);
    CU_ASSERT_EQUAL(compare(s, path, 10), 0);
    Trap t;
    s->rows[0].model = "other.onnx";
    s->rows[1].model = "other.onnx";
    if (!CATCH(&t)) {
        compare(s, path, 0);
        trap_end();
        CU_FAIL("a baseline without anything in common was taken");
    }
    CU_ASSERT_PTR_NOT_NULL(strstr(t.message, "none of the combinations"));
    file_write(path, "{\"results\": 3}", 14);
    CU_ASSERT_TRUE(refused(&t, compare_bad, path));
    CU_ASSERT_EQUAL(t.code, 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(t.message, "no baseline"));
    file_write(path, "", 0);
    CU_ASSERT_TRUE(refused(&t, compare_bad, path));
}

int main(void)
{
    CU_initialize_registry();
    CU_pSuite s = CU_add_suite("size", NULL, NULL);
    CU_add_test(s, "bytes of layers on many targets", test_layers);
    CU_add_test(s, "WebAssembly", test_wasm);
    CU_add_test(s, "a failing compiler", test_failing_compiler);
    CU_add_test(s, "bad objects", test_bad_object);
    CU_add_test(s, "stack", test_stack);
    CU_add_test(s, "imports of WebAssembly", test_imports);
    CU_add_test(s, "entropy", test_entropy);
    CU_add_test(s, "targets", test_targets);
    CU_add_test(s, "the table of targets", test_table);
    CU_add_test(s, "cache", test_cache);
    CU_add_test(s, "reports", test_reports);
    CU_add_test(s, "CSV is regular", test_csv_is_regular);
    CU_add_test(s, "baseline", test_baseline);
    CU_basic_run_tests();
    return CU_get_number_of_failures() != 0;
}
