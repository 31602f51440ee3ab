/* progress.c - a bar on stderr for whatever takes longer than a second, and only where someone watches: never in a
 * file, a pipe or a dumb terminal. */
#include "cli.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

void progress_begin(Progress *p, const char *label, int64_t total)
{
    const char *term = getenv("TERM");
    *p = (Progress){.label = label, .total = total, .start = now()};
    p->tty = isatty(STDERR_FILENO) && term && strcmp(term, "dumb");
}

bool progress_due(const Progress *p)
{
    double t = now();
    return p->tty && t - p->start >= 1 && t - p->last >= 0.1;
}

void progress_update(Progress *p, int64_t done)
{
    static const char full[] = "##############################";
    const int width = (int)sizeof full - 1;
    double t = now(), passed = t - p->start;
    if (!progress_due(p))
        return;
    p->last = t;
    p->shown = true;
    int filled = p->total > 0 ? (int)((double)width * (double)done / (double)p->total) : width;
    double left = done > 0 ? passed / (double)done * (double)(p->total - done) : 0;
    fprintf(stderr, "\r\033[K%s [%.*s%*s] %lld/%lld, %.0f s left", p->label, filled, full, width - filled, "",
            (long long)done, (long long)p->total, left);
}

void progress_end(Progress *p)
{
    if (p->shown)
        fputs("\r\033[K", stderr);
    p->shown = false;
}
