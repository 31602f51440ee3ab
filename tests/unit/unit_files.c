/* unit_files.c - text from outside that is shown, files that are cut off while they are read, temporary
 * files, modes and links of files that are written. */
#include "base/abandoned.h"
#include "base/host.h"
#include "base/out_file.h"

#include <CUnit/Basic.h>
#include <CUnit/CUnit.h>
#include <fcntl.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *folder;

static const char *in_folder(const char *name)
{
    return mem_printf("%s/%s", folder, name);
}

/* ---- text ---- */

static const char *const shown[][2] = {
    {"conv1/kernel:0", "conv1/kernel:0"},
    {"Gr\xc3\xb6\xc3\x9f"
     "e \xe5\xb1\xa4 \xf0\x9f\x98\x80",
     "Gr\xc3\xb6\xc3\x9f"
     "e \xe5\xb1\xa4 \xf0\x9f\x98\x80"},
    {"a\nb\tc\x1b[31m\x7f", "a\\x0ab\\x09c\\x1b[31m\\x7f"},
    {"back\\slash\\n", "back\\slash\\n"},
    {"\\x41 \\x5c \\xZZ \\x0", "\\x5cx41 \\x5cx5c \\xZZ \\x0"},
    {"\xff\xc3(", "\\xff\\xc3("},
    {"\xc0\x80 \xe0\x80\x80 \xed\xa0\x80",
     "\\xc0\\x80 \\xe0\\x80\\x80 \\xed\\xa0\\x80"}, /* overlong, surrogate */
    {"\xf4\x90\x80\x80 \xef\xbf\xbf", "\\xf4\\x90\\x80\\x80 \\xef\\xbf\\xbf"},
    {"\xc2\x9b"
     "2J",
     "\\xc2\\x9b"
     "2J"}, /* a control of one character */
    {"\xe2\x80\xae"
     "cba",
     "\\xe2\\x80\\xae"
     "cba"},                             /* from right to left */
    {"\xe2\x80\xa8", "\\xe2\\x80\\xa8"}, /* a new line */
    {"cut \xe5\xb1", "cut \\xe5\\xb1"},
};

static void test_shown(void)
{
    for (size_t i = 0; i < sizeof shown / sizeof shown[0]; i++) {
        CU_ASSERT_STRING_EQUAL(shown_text(shown[i][0]), shown[i][1]);
        CU_ASSERT_STRING_EQUAL(raw_text(shown[i][1]), shown[i][0]);
    }
}

/* What is shown is plain, and raw_text gives back what was there. */
static void test_random_text(void)
{
    static const char likely[] = "\\x0a5c\n\xc3\xa9\xe2\x80\xae\xf0";
    uint64_t state = 1;
    CU_ASSERT_PTR_NOT_NULL_FATAL(setlocale(LC_CTYPE, "C.UTF-8"));
    for (int i = 0; i < 20000; i++) {
        char s[13] = {0};
        for (int k = 0; k < 12; k++) {
            uint64_t r = random_next(&state);
            s[k] = r & 256 ? (char)r : likely[r % (sizeof likely - 1)];
        }
        const char *t = shown_text(s);
        CU_ASSERT_STRING_EQUAL_FATAL(raw_text(t), s);
        CU_ASSERT_NOT_EQUAL_FATAL(mbstowcs(NULL, t, 0), (size_t)-1);
        for (const char *p = t; *p; p++)
            CU_ASSERT_FATAL((unsigned char)*p >= 0x20);
    }
}

static void test_lines(void)
{
    static const char printed[] = "one\n\ttwo\r\n\x1b[1m\\x41\xe5\xb1";
    Text t = {0};
    add_shown_lines(&t, printed, sizeof printed - 1);
    CU_ASSERT_STRING_EQUAL(t.data, "one\n\ttwo\\x0d\n\\x1b[1m\\x41\\xe5\\xb1");
    text_free(&t);
}

/* ---- files that are cut off ---- */

static int read_cut_file(FILE *err)
{
    size_t len;
    const char *path = in_folder("long\\x0aname");
    file_write(path, mem_alloc(100000), 100000);
    const volatile uint8_t *data = file_map(path, &len);
    if (truncate(raw_text(path), 10))
        return 9;
    dup2(fileno(err), STDERR_FILENO);
    return data[90000] + 8;
}

static void test_cut_file(void)
{
    FILE *err = temp_file();
    Text message = {0};
    int status;
    pid_t child = fork();
    if (!child)
        _exit(read_cut_file(err));
    waitpid(child, &status, 0);
    CU_ASSERT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 1);
    read_back(err, &message);
    CU_ASSERT_STRING_EQUAL(message.data,
                           mem_printf("ternc: error: %s/long\\x0aname: cannot read: the file was cut "
                                      "off meanwhile\n",
                                      folder));
    text_free(&message);
}

/* Where it is the system that reads from the mapping, it says so by an error. */
static void test_copy_of_cut_file(void)
{
    size_t len;
    Trap t;
    const char *path = in_folder("long");
    file_write(path, mem_alloc(1 << 20), 1 << 20);
    const uint8_t *data = file_map(path, &len);
    OutFile *o = out_open(in_folder("copy"));
    setvbuf(o->f, NULL, _IONBF, 0);
    CU_ASSERT_EQUAL(truncate(path, 10), 0);
    if (CATCH(&t)) {
        CU_ASSERT_PTR_NOT_NULL(
            strstr(t.message, "copy: cannot write: a file that was read for it was cut off"));
        return;
    }
    fwrite(data + (1 << 19), 1, 1 << 19, o->f);
    out_commit(o);
    trap_end();
    CU_FAIL("a file was written from nothing");
}

/* ---- files that are written ---- */

static void put(const char *path, const char *text)
{
    OutFile *o = out_open(path);
    fputs(text, o->f);
    out_commit(o);
}

static int mode_of(const char *path)
{
    struct stat st;
    return stat(path, &st) ? -1 : (int)(st.st_mode & 07777);
}

static void test_modes(void)
{
    const char *path = in_folder("mode");
    mode_t mask = umask(027);
    put(path, "new");
    CU_ASSERT_EQUAL(mode_of(path), 0640);
    chmod(path, 0604);
    put(path, "old");
    CU_ASSERT_EQUAL(mode_of(path), 0604);
    chmod(path, 0755);
    put(path, "a program");
    CU_ASSERT_EQUAL(mode_of(path), 0755);
    umask(mask);
}

static bool holds(const char *path, const char *text)
{
    size_t len;
    const uint8_t *data = file_map(path, &len);
    return len == strlen(text) && !memcmp(data, text, len);
}

/* Links stay, also one that leads to nothing, or to another one. */
static void test_links(void)
{
    const char *link = in_folder("link"), *other = in_folder("other");
    CU_ASSERT_EQUAL(symlink("target", link), 0);
    CU_ASSERT_EQUAL(symlink(link, other), 0);
    put(other, "one");
    CU_ASSERT_TRUE(holds(in_folder("target"), "one"));
    put(link, "two");
    CU_ASSERT_TRUE(holds(in_folder("target"), "two"));
    struct stat st;
    CU_ASSERT_TRUE(!lstat(link, &st) && S_ISLNK(st.st_mode));
    CU_ASSERT_EQUAL(symlink("round", in_folder("round")), 0);
    Trap t;
    if (CATCH(&t)) {
        CU_ASSERT_PTR_NOT_NULL(strstr(t.message, "round: cannot write: Too many levels of symbolic links"));
        return;
    }
    put(in_folder("round"), "never");
    trap_end();
    CU_FAIL("a link to itself was written");
}

/* Left by a process that is gone; only those, and only of that file. */
static void test_abandoned(void)
{
    static const char *const kept[] = {"model.c.ternc-abcdef",     "model.c.ternc-abcdefg.tmp",
                                       "model.h.ternc-abcdef.tmp", "my model.c.ternc-abcdef.tmp",
                                       "model.c.ternc-locked.tmp", "model.c.ternc-linked.tmp"};
    for (int i = 0; i < 5; i++)
        file_write(in_folder(kept[i]), "", 0);
    CU_ASSERT_EQUAL(symlink("target", in_folder(kept[5])), 0);
    int fd = open(in_folder(kept[4]), O_RDONLY);
    CU_ASSERT_EQUAL(flock(fd, LOCK_EX), 0);
    file_write(in_folder("model.c.ternc-abcdef.tmp"), "", 0);
    put(in_folder("model.c"), "text");
    CU_ASSERT_NOT_EQUAL(access(in_folder("model.c.ternc-abcdef.tmp"), F_OK), 0);
    for (int i = 0; i < 6; i++)
        CU_ASSERT_EQUAL(faccessat(AT_FDCWD, in_folder(kept[i]), F_OK, AT_SYMLINK_NOFOLLOW), 0);
    close(fd);
}

/* Two at the same time do not take each other's. */
static void test_two_writers(void)
{
    OutFile *a = out_open(in_folder("both")), *b = out_open(in_folder("both"));
    fputs("a", a->f);
    fputs("b", b->f);
    out_commit(b);
    out_commit(a);
    CU_ASSERT_TRUE(holds(in_folder("both"), "a"));
}

static void test_abandoned_folders(void)
{
    const char *base = in_folder("base");
    static const char *const names[] = {"base", "base/ternc-abcdef", "base/ternc-people",
                                        "base/ternc-locked"};
    for (int i = 0; i < 4; i++)
        CU_ASSERT_EQUAL(mkdir(in_folder(names[i]), 0700), 0);
    file_write(in_folder("base/ternc-abcdef/lock"), "", 0);
    file_write(in_folder("base/ternc-abcdef/net.c"), "", 0);
    file_write(in_folder("base/ternc-people/letter"), "", 0);
    file_write(in_folder("base/ternc-locked/lock"), "", 0);
    int fd = open(in_folder("base/ternc-locked/lock"), O_RDONLY);
    CU_ASSERT_EQUAL(flock(fd, LOCK_EX), 0);
    remove_abandoned_folders(base, "ternc-", "lock");
    CU_ASSERT_NOT_EQUAL(access(in_folder("base/ternc-abcdef"), F_OK), 0);
    CU_ASSERT_EQUAL(access(in_folder("base/ternc-people/letter"), F_OK), 0);
    CU_ASSERT_EQUAL(access(in_folder("base/ternc-locked/lock"), F_OK), 0);
    close(fd);
}

int main(void)
{
    CU_initialize_registry();
    CU_pSuite suite = CU_add_suite("files", NULL, NULL);
    folder = temp_folder();
    CU_ADD_TEST(suite, test_shown);
    CU_ADD_TEST(suite, test_random_text);
    CU_ADD_TEST(suite, test_lines);
    CU_ADD_TEST(suite, test_cut_file);
    CU_ADD_TEST(suite, test_copy_of_cut_file);
    CU_ADD_TEST(suite, test_modes);
    CU_ADD_TEST(suite, test_links);
    CU_ADD_TEST(suite, test_abandoned);
    CU_ADD_TEST(suite, test_two_writers);
    CU_ADD_TEST(suite, test_abandoned_folders);
    CU_basic_run_tests();
    bool failed = CU_get_number_of_failures() > 0;
    CU_cleanup_registry();
    return failed;
}
