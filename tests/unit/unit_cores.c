/* unit_cores.c - how many cores a process may use: what it is bound to, and what control groups of both
 * versions grant, the one that it is in and those around it. */
#include "base/host.h"

#include <CUnit/Basic.h>
#include <sched.h>
#include <string.h>
#include <sys/stat.h>

/* A file below a new root, with the folders on the way. */
static void put(const char *root, const char *path, const char *text)
{
    char *full = mem_printf("%s/%s", root, path);
    for (char *slash = full + strlen(root) + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = 0;
        mkdir(full, 0777);
        *slash = '/';
    }
    file_write(full, text, strlen(text));
}

static double granted(const char *group, const char *path, const char *text, const char *other,
                      const char *other_text)
{
    const char *root = temp_folder();
    if (group)
        put(root, "proc/self/cgroup", group);
    if (path)
        put(root, path, text);
    if (other)
        put(root, other, other_text);
    return granted_cores(root);
}

static void test_groups(void)
{
    const char *quota = "sys/fs/cgroup/cpu/c/cpu.cfs_quota_us",
               *period = "sys/fs/cgroup/cpu/c/cpu.cfs_period_us";
    const char *inner = "sys/fs/cgroup/a/b/cpu.max", *outer = "sys/fs/cgroup/a/cpu.max";
    CU_ASSERT_EQUAL(granted(NULL, NULL, NULL, NULL, NULL), 0);
    CU_ASSERT_EQUAL(granted("0::/a/b\n", NULL, NULL, NULL, NULL), 0);
    CU_ASSERT_EQUAL(granted("0::/a/b\n", inner, "max 100000\n", NULL, NULL), 0);
    CU_ASSERT_EQUAL(granted("0::/a/b\n", inner, "150000 100000\n", NULL, NULL), 1.5);
    CU_ASSERT_EQUAL(granted("0::/a/b\n", inner, "300000 100000\n", outer, "200000 100000\n"), 2);
    CU_ASSERT_EQUAL(granted("0::/a/b\n", inner, "max 100000\n", outer, "50000 100000\n"), 0.5);
    CU_ASSERT_EQUAL(granted("0::/\n", "sys/fs/cgroup/cpu.max", "400000 100000\n", NULL, NULL), 4);
    CU_ASSERT_EQUAL(granted("5:cpu,cpuacct:/c\n4:memory:/c\n", quota, "300000\n", period, "100000\n"), 3);
    CU_ASSERT_EQUAL(granted("5:cpu,cpuacct:/c\n", quota, "-1\n", period, "100000\n"), 0);
    CU_ASSERT_EQUAL(granted("5:cpu:/elsewhere\n", "sys/fs/cgroup/cpu/cpu.cfs_quota_us", "100000\n",
                            "sys/fs/cgroup/cpu/cpu.cfs_period_us", "50000\n"),
                    2);
    CU_ASSERT_EQUAL(granted("nonsense\n:\n::\n", inner, "1 2\n", NULL, NULL), 0);
    CU_ASSERT_EQUAL(granted("0::/a/b\n", inner, "0 0\n", outer, "\n"), 0);
}

static void test_bound(void)
{
    cpu_set_t before, one;
    CU_ASSERT_EQUAL_FATAL(sched_getaffinity(0, sizeof before, &before), 0);
    CU_ASSERT(free_cores() >= 1 && free_cores() <= CPU_COUNT(&before));
    size_t first = 0;
    while (!CPU_ISSET(first, &before))
        first++;
    CPU_ZERO(&one);
    CPU_SET(first, &one);
    CU_ASSERT_EQUAL_FATAL(sched_setaffinity(0, sizeof one, &one), 0);
    CU_ASSERT_EQUAL(free_cores(), 1);
    sched_setaffinity(0, sizeof before, &before);
}

int main(void)
{
    CU_initialize_registry();
    CU_pSuite s = CU_add_suite("cores", NULL, NULL);
    CU_add_test(s, "control groups", test_groups);
    CU_add_test(s, "bound", test_bound);
    CU_basic_run_tests();
    return (int)CU_get_number_of_failures() != 0;
}
