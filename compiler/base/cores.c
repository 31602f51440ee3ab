/* cores.c - how many cores this process may use: those that it is bound to, and of their time as much as a
 * container grants. Not how busy they are: the number decides how training's sums are split, and the same
 * command must give the same bytes. */
#include "base/host.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 64, MOST_CPUS = 1 << 16 };

/* 0: not known. */
static int bound_cores(void)
{
    size_t size = CPU_ALLOC_SIZE(MOST_CPUS);
    cpu_set_t *set = CPU_ALLOC(MOST_CPUS);
    int count = set && !sched_getaffinity(0, size, set) ? CPU_COUNT_S(size, set) : 0;
    CPU_FREE(set);
    return count;
}

/* The first two words of a file: a number, or "max". Returns how many numbers there are. */
static int read_numbers(const char *path, double *v)
{
    FILE *f = fopen(path, "r");
    int count = f ? fscanf(f, "%lf %lf", &v[0], &v[1]) : 0;
    if (f)
        fclose(f);
    return count < 0 ? 0 : count;
}

/* Of one group; 0: no limit. Version 2 has "QUOTA PERIOD" or "max PERIOD", version 1 two files, quota -1. */
static double group_cores(const char *group)
{
    double v[2], period[2];
    if (read_numbers(mem_printf("%s/cpu.max", group), v) == 2 && v[0] > 0 && v[1] > 0)
        return v[0] / v[1];
    if (read_numbers(mem_printf("%s/cpu.cfs_quota_us", group), v) > 0 && v[0] > 0 &&
        read_numbers(mem_printf("%s/cpu.cfs_period_us", group), period) > 0 && period[0] > 0)
        return v[0] / period[0];
    return 0;
}

/* Of two limits; 0: none. */
static double lower_limit(double a, double b)
{
    return a > 0 && (a < b || b <= 0) ? a : b;
}

/* The least of a group and those around it, up to the root. */
static double path_cores(const char *mount, const char *path)
{
    char *group = mem_printf("%s%s", mount, path);
    double least = 0;
    for (size_t end = strlen(mount);;) {
        least = lower_limit(group_cores(group), least);
        char *slash = strrchr(group, '/');
        if (!slash || (size_t)(slash - group) < end)
            return least;
        *slash = 0;
    }
}

/* A line of /proc/self/cgroup, "ID:CONTROLLERS:PATH"; version 2 has no controllers. */
static double line_cores(const char *root, char *line)
{
    char *rest = line;
    strsep(&rest, ":");
    char *controllers = strsep(&rest, ":"), *path = strsep(&rest, "\n");
    if (!path)
        return 0;
    if (!controllers[0])
        return path_cores(mem_printf("%s/sys/fs/cgroup", root), path);
    for (char *name; (name = strsep(&controllers, ","));)
        if (!strcmp(name, "cpu"))
            return path_cores(mem_printf("%s/sys/fs/cgroup/cpu", root), path);
    return 0;
}

double granted_cores(const char *root)
{
    FILE *f = fopen(mem_printf("%s/proc/self/cgroup", root), "r");
    char line[4096];
    double least = 0;
    while (f && fgets(line, sizeof line, f))
        least = lower_limit(line_cores(root, line), least);
    if (f)
        fclose(f);
    return least;
}

int free_cores(void)
{
    double granted = granted_cores("");
    int cores = bound_cores();
    if (granted > 0 && granted < cores)
        cores = (int)granted + (granted > (int)granted);
    if (cores < 1)
        return 1;
    return cores > MOST ? MOST : cores;
}
